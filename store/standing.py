"""When a document ends: superseded by a newer version, repealed by another text, or as stated."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from kb.model import PUBLIC, Validity
from store.tables import changes, documents, origins, repeals, shares


def record_change(connection: Connection, document_id: str, *, removed: bool) -> None:
    """Give the change the next sequence number."""
    connection.execute(
        insert(changes).values(
            document_id=document_id, removed=removed, at=datetime.now(UTC).replace(tzinfo=None)
        )
    )


def settle_document(connection: Connection, document_id: str) -> None:
    """Work out anew what the document ends and what ends it; for when its keeper or its audience changed."""
    d = documents.c
    row = connection.execute(
        select(d.work, d.title_key, d.number_key).where(d.document_id == document_id)
    ).one()
    repealed = (
        connection.execute(select(repeals.c.name).where(repeals.c.document_id == document_id)).scalars().all()
    )
    settle_validity(connection, {row.work}, {row.title_key, row.number_key} - {None}, repealed)


def settle_validity(
    connection: Connection, works: set[str], names: set[str], repealed: Sequence[str]
) -> None:
    """Work out anew when the documents concerned end, and record a change for each that moved.

    Concerned are the versions of `works` and whatever `repealed` names. A version ends when the next one
    takes effect; a text that another repeals ends when that one takes effect; a stated end goes before both.
    Only a text of the same keeper, or of the common library, ends another, and only if all who may
    see the one that ends may see the one that ends it: a standing never tells of a hidden text. A copy
    ends with its origin.
    """
    d = documents.c
    concerned = connection.execute(
        select(
            *_DATED, d.title_key, d.number_key, d.stated_end_on, d.stated_end_reason, d.ended_on, d.end_reason
        )
        .where(or_(d.work.in_(works), d.title_key.in_(repealed), d.number_key.in_(repealed)))
        .where(_is_no_copy())
    ).all()
    if len(concerned) == 1 and not repealed and names and not _repealers(connection, names):
        return
    siblings = connection.execute(
        select(*_DATED).where(d.work.in_({r.work for r in concerned}), _is_no_copy())
    ).all()
    reach = _Reach(connection)
    for row in concerned:
        end, reason = row.stated_end_on, row.stated_end_reason
        if end is None:
            end, reason = _derived_end(
                row,
                [s for s in siblings if s.work == row.work and reach.allow(s, row)],
                [
                    r
                    for r in _repealers(connection, {row.title_key, row.number_key} - {None})
                    if reach.allow(r, row)
                ],
            )
        if (end, reason) != (row.ended_on, row.end_reason):
            copies = connection.execute(
                select(origins.c.document_id).where(origins.c.origin_id == row.document_id)
            ).scalars()
            for document_id in [row.document_id, *copies]:
                connection.execute(
                    update(documents)
                    .where(d.document_id == document_id)
                    .values(ended_on=end, end_reason=reason)
                )
                record_change(connection, document_id, removed=False)


class _Reach:
    """Who may see what, asked as needed: whether one text may end another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, frozenset[str]] = {}

    def _of(self, document_id: str) -> frozenset[str]:
        if document_id not in self._known:
            found = self._connection.execute(
                select(shares.c.token).where(shares.c.document_id == document_id)
            ).scalars()
            self._known[document_id] = frozenset(found)
        return self._known[document_id]

    def allow(self, ending: Any, ended: Any) -> bool:
        """Whether the text may end the other."""
        if ending.document_id == ended.document_id:
            return True
        if ending.branch_id not in (ended.branch_id, None):
            return False
        tokens = self._of(ending.document_id)
        return PUBLIC in tokens or self._of(ended.document_id) <= tokens


_DATED = [
    documents.c[n]
    for n in ("document_id", "branch_id", "work", "effective_on", "issued_on", "adopted_on", "added_at")
]


def _is_no_copy() -> ColumnElement[bool]:
    return ~exists(select(origins.c.origin_id).where(origins.c.document_id == documents.c.document_id))


def _repealers(connection: Connection, names: set[str]) -> Sequence[Any]:
    return connection.execute(
        select(*_DATED)
        .join(repeals, repeals.c.document_id == documents.c.document_id)
        .where(repeals.c.name.in_(sorted(names)), _is_no_copy())
    ).all()


def _derived_end(
    row: Any, siblings: Sequence[Any], repealers: Sequence[Any]
) -> tuple[date | None, str | None]:
    own = _version_on(row)
    ends = [
        (_version_on(s) or s.added_at.date(), Validity.SUPERSEDED.value)
        for s in siblings
        if s.document_id != row.document_id and _order(s) > _order(row)
    ]
    ends += [
        (day, Validity.REPEALED.value)
        for r in repealers
        if r.document_id != row.document_id and (day := _version_on(r)) and (own is None or day > own)
    ]
    if not ends:
        return None, None
    # On the same day a repeal in words says more than a newer version does.
    return min(ends, key=lambda e: (e[0], e[1] != Validity.REPEALED.value))


def _version_on(row: Any) -> date | None:
    found: date | None = row.effective_on or row.issued_on or row.adopted_on
    return found


def _order(row: Any) -> tuple[date, datetime]:
    return _version_on(row) or date.min, row.added_at

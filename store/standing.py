"""When a document ends: superseded by a newer version, repealed by another text, or as stated."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from kb.model import Validity
from store.tables import changes, documents, repeals


def record_change(connection: Connection, document_id: str, *, removed: bool) -> None:
    """Give the change the next sequence number."""
    connection.execute(
        insert(changes).values(
            document_id=document_id, removed=removed, at=datetime.now(UTC).replace(tzinfo=None)
        )
    )


def settle_validity(
    connection: Connection, works: set[str], names: set[str], repealed: Sequence[str]
) -> None:
    """Work out anew when the documents concerned end, and record a change for each that moved.

    Concerned are the versions of `works` and whatever `repealed` names. A version ends when the next one
    takes effect; a text that another repeals ends when that one takes effect; a stated end goes before both.
    """
    d = documents.c
    concerned = connection.execute(
        select(
            d.document_id,
            d.work,
            d.title_key,
            d.number_key,
            d.effective_on,
            d.issued_on,
            d.adopted_on,
            d.stated_end_on,
            d.stated_end_reason,
            d.ended_on,
            d.end_reason,
            d.added_at,
        ).where(or_(d.work.in_(works), d.title_key.in_(repealed), d.number_key.in_(repealed)))
    ).all()
    if len(concerned) == 1 and not repealed and names and not _repealers(connection, names):
        return
    all_works = {r.work for r in concerned}
    siblings = connection.execute(
        select(d.document_id, d.work, d.effective_on, d.issued_on, d.adopted_on, d.added_at).where(
            d.work.in_(all_works)
        )
    ).all()
    for row in concerned:
        end, reason = row.stated_end_on, row.stated_end_reason
        if end is None:
            end, reason = _derived_end(
                row,
                [s for s in siblings if s.work == row.work],
                _repealers(connection, {row.title_key, row.number_key} - {None}),
            )
        if (end, reason) != (row.ended_on, row.end_reason):
            connection.execute(
                update(documents)
                .where(d.document_id == row.document_id)
                .values(ended_on=end, end_reason=reason)
            )
            record_change(connection, row.document_id, removed=False)


def _repealers(connection: Connection, names: set[str]) -> Sequence[Any]:
    d = documents.c
    return connection.execute(
        select(d.document_id, d.effective_on, d.issued_on, d.adopted_on, d.added_at)
        .join(repeals, repeals.c.document_id == d.document_id)
        .where(repeals.c.name.in_(sorted(names)))
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

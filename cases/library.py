"""The cases that are published, as each scope sees them, and how documents become cases.

A document of kind case that came as a file is a case as well: it is read into the form
when it is first met. A copy is none of its own; its origin is.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, exists, insert, select, update

from access.office import Office
from cases.model import Attachment, Body, Case, CaseCard, Field, Level, State
from cases.tables import case_attachments, case_versions, cases
from cases.visibility import seen
from kb.errors import NotFound
from kb.model import Document, Kind, Validity, derive_id
from store.catalog import Catalog
from store.shares import shares_of
from store.tables import documents, origins
from store.visibility import visible

_EXCERPT = 120
_CAPTION = re.compile(r"\s*表\s*[一二三四五六七八九十\d].{0,30}$")


@dataclass(frozen=True, slots=True)
class Descent:
    """What a case came from, nearest first, and what came of it, oldest first; only what the asker sees."""

    above: tuple[CaseCard, ...]
    below: tuple[CaseCard, ...]


class Library:
    """Published cases. Safe to share between threads."""

    def __init__(self, office: Office, catalog: Catalog, body_of: Callable[[Document], Body]) -> None:
        """`body_of` reads a document into the form."""
        self._office = office
        self._catalog = catalog
        self._body_of = body_of
        self._followed = -1
        self._following = threading.Lock()

    # -- documents that are cases -----------------------------------------------------

    def follow(self) -> int:
        """Make cases of the documents that came since; the catalog's number up to which that was done."""
        seq = self._catalog.seq()
        if seq == self._followed:
            return seq
        with self._following:
            with self._office.reading() as connection:
                waiting = connection.execute(_unmet()).scalars().all()
            for document_id in waiting:
                self._meet(document_id)
            self._settle()
            self._followed = seq
        return seq

    def _meet(self, document_id: str) -> None:
        """Make a case of a document, or the next version of one that it supersedes."""
        with self._office.reading() as connection:
            scope = frozenset(s.token for s in shares_of(connection, document_id))
        try:
            document = self._catalog.document(document_id, scope)
        except NotFound:
            return
        body = self._body_of(document)
        with self._office.writing() as connection:
            found = connection.execute(_unmet().where(documents.c.document_id == document_id)).first()
            if found is None:
                return
            row = connection.execute(select(documents).where(documents.c.document_id == document_id)).one()
            case_id = _superseded_case(connection, row)
            if case_id is None:
                case_id = derive_id("case", document_id)
                connection.execute(
                    insert(cases).values(
                        case_id=case_id,
                        branch_id=row.branch_id,
                        state=State.PUBLISHED.value,
                        revision=0,
                        document_id=document_id,
                        note="",
                        begun_at=row.added_at,
                        changed_at=row.added_at,
                    )
                )
            elif row.ended_on is None:
                connection.execute(
                    update(cases).where(cases.c.case_id == case_id).values(document_id=document_id)
                )
            day = row.issued_on
            put_version(
                connection,
                document_id,
                case_id,
                revision=0,
                body=body,
                attachments=(),
                published_by=row.owner_id,
                published_at=row.added_at if day is None else row.added_at.combine(day, row.added_at.time()),
            )

    def _settle(self) -> None:
        """Have cases whose document was taken out, or put back, stand for the newest that is here now.

        A form of which nothing is out any more is a draft again.
        """
        with self._office.reading() as connection:
            if connection.execute(_astray()).first() is None:
                return
        with self._office.writing() as connection:
            for row in connection.execute(_astray()).all():
                state = State.DRAFT.value if row.state == State.PUBLISHED.value else row.state
                connection.execute(
                    update(cases)
                    .where(cases.c.case_id == row.case_id)
                    .values(document_id=row.newest, state=state)
                )

    # -- reading ------------------------------------------------------------------------

    def case(self, scope: frozenset[str], case_id: str) -> Case:
        """A published case.

        Raises:
            NotFound: there is none in the scope.
        """
        self.follow()
        with self._office.reading() as connection:
            row = connection.execute(published(scope).where(cases.c.case_id == case_id)).mappings().first()
            if row is None:
                raise NotFound(f"No case {case_id} here.", "Search the cases.")
            attachments = _attachments(connection, row["attachments"])
        return Case(
            row["case_id"],
            row["document_id"],
            row["branch_id"],
            row["title"],
            body_from(row["body"]),
            attachments,
            row["published_at"],
            row["derived_from"],
        )

    def of_document(self, scope: frozenset[str], document_id: str) -> str | None:
        """The case whose published document this is, if it is one in the scope."""
        self.follow()
        with self._office.reading() as connection:
            return connection.execute(
                select(cases.c.case_id).where(cases.c.document_id == document_id, seen(scope))
            ).scalar()

    def cards(self, scope: frozenset[str], case_ids: Iterable[str]) -> dict[str, CaseCard]:
        """The cards of those that the scope sees, by id."""
        self.follow()
        wanted = sorted(set(case_ids))
        found: dict[str, CaseCard] = {}
        with self._office.reading() as connection:
            for start in range(0, len(wanted), 500):
                some = published(scope).where(cases.c.case_id.in_(wanted[start : start + 500]))
                found.update((r["case_id"], card_of(r)) for r in connection.execute(some).mappings())
        return found

    def of_branch(self, scope: frozenset[str], branch_id: str) -> list[CaseCard]:
        """What a branch published, latest first, as far as the scope sees it."""
        self.follow()
        v = case_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                published(scope)
                .where(cases.c.branch_id == branch_id)
                .order_by(v.published_at.desc(), cases.c.case_id)
            ).mappings()
            return [card_of(r) for r in rows]

    def descent(self, scope: frozenset[str], case_id: str) -> Descent:
        """The line of descent of a case, as far as each step of it is seen.

        Raises:
            NotFound: there is no such case in the scope.
        """
        self.case(scope, case_id)
        with self._office.reading() as connection:
            above = _line(connection, case_id)
            below = _offspring(connection, case_id)
        cards = self.cards(scope, [*above, *below])
        seen_above = []
        for ancestor in above:
            if ancestor not in cards:
                break
            seen_above.append(cards[ancestor])
        return Descent(tuple(seen_above), tuple(cards[c] for c in below if c in cards))

    def versions(self, connection: Connection, document_id: str) -> list[str]:
        """Every document that is published of the case that this document is of, itself among them if it is one.

        What the case stands for comes first, then the rest, the newest first.
        """
        v = case_versions.c
        case_id = select(v.case_id).where(v.document_id == document_id).scalar_subquery()
        return list(
            connection.execute(
                select(v.document_id)
                .join(documents, documents.c.document_id == v.document_id)
                .join(cases, cases.c.case_id == v.case_id)
                .where(v.case_id == case_id)
                .order_by((v.document_id == cases.c.document_id).desc(), v.published_at.desc())
            ).scalars()
        )

    def work(self, connection: Connection, case_id: str) -> str | None:
        """The work that what is published of a case is a version of; None if nothing is."""
        return connection.execute(
            select(documents.c.work)
            .join(cases, cases.c.document_id == documents.c.document_id)
            .where(cases.c.case_id == case_id)
        ).scalar()

    def editions(self, connection: Connection, document_id: str) -> list[str]:
        """The same of a case that was published from its form; none of one that only came as files."""
        found, v = self.versions(connection, document_id), case_versions.c
        written = select(v.document_id).where(v.document_id.in_(found), v.revision > 0)
        return found if connection.execute(written).first() else []


# -- rows -----------------------------------------------------------------------------


def put_version(
    connection: Connection,
    document_id: str,
    case_id: str,
    *,
    revision: int,
    body: Body,
    attachments: Sequence[Attachment],
    published_by: str | None,
    published_at: Any,
) -> None:
    """Note what was published under a document; published again after it was withdrawn, it is noted anew."""
    connection.execute(delete(case_versions).where(case_versions.c.document_id == document_id))
    connection.execute(
        insert(case_versions).values(
            document_id=document_id,
            case_id=case_id,
            revision=revision,
            body={field.value: text for field, text in body.items()},
            attachments={a.attachment_id: a.caption for a in attachments},
            industry=body.get(Field.INDUSTRY) or None,
            people=number_of(body.get(Field.PEOPLE)),
            cost=number_of(body.get(Field.COST)),
            level=body.get(Field.LEVEL) or None,
            published_by=published_by,
            published_at=published_at,
        )
    )


def number_of(text: str | None) -> int | None:
    """The whole number that a field holds, if it holds one."""
    return int(text) if text and text.isdecimal() else None


def body_from(kept: dict[str, str]) -> Body:
    """The form as it was kept."""
    return {field: kept[field.value] for field in Field if kept.get(field.value)}


def card_of(row: RowMapping, *, score: float = 0.0, why: tuple[str, ...] = ()) -> CaseCard:
    """The card of a row of `published`."""
    body = body_from(row["body"])
    return CaseCard(
        case_id=row["case_id"],
        document_id=row["document_id"],
        branch_id=row["branch_id"],
        issuer=row["issuer"] or "",
        title=row["title"],
        problem=_excerpt(body.get(Field.PROBLEM) or body.get(Field.BACKGROUND) or ""),
        outcome=_excerpt(body.get(Field.OUTCOME) or ""),
        industry=row["industry"],
        people=row["people"],
        cost=row["cost"],
        level=Level(row["level"]) if row["level"] else None,
        published_at=row["published_at"],
        score=score,
        why=why,
    )


def _excerpt(text: str) -> str:
    """The beginning of a text on one line, without its tables, cut where a sentence ends if one does."""
    told = [line for line in text.splitlines() if "\t" not in line and not _CAPTION.match(line)]
    line = " ".join(" ".join(told or [text]).split())
    if len(line) <= _EXCERPT:
        return line
    cut = max(line.rfind(mark, 0, _EXCERPT) for mark in "。！？；")
    return line[: cut + 1] if cut > _EXCERPT // 3 else line[: _EXCERPT - 1] + "…"


def published(scope: frozenset[str], *, bodies: bool = True) -> Select[Any]:
    """Rows of what is published and seen: of `cases`, its version, and title and issuer of its document.

    Without `bodies` they are light enough to go through all that there are.
    """
    v, d = case_versions.c, documents.c
    facts = (cases.c.case_id, cases.c.branch_id, v.document_id, v.published_at)
    told = (v.industry, v.people, v.cost, v.level)
    more = (cases.c.derived_from, v.body, v.attachments, d.title, d.issuer) if bodies else ()
    return (
        select(*facts, *told, *more)
        .select_from(cases)
        .join(case_versions, v.document_id == cases.c.document_id)
        .join(documents, d.document_id == cases.c.document_id)
        .where(visible(scope))
    )


def _unmet() -> Select[Any]:
    """Ids of documents that are cases and not yet met; oldest first, so that versions come in their order."""
    d = documents.c
    met = exists(select(case_versions.c.document_id).where(case_versions.c.document_id == d.document_id))
    copied = exists(select(origins.c.document_id).where(origins.c.document_id == d.document_id))
    return (
        select(d.document_id)
        .where(d.kind == Kind.CASE.value, ~met, ~copied)
        .order_by(d.issued_on, d.added_at, d.document_id)
    )


def _astray() -> Select[Any]:
    """Cases that stand for no document that is here, and either did before or have one that is; with the newest."""
    d, v = documents.c, case_versions.c
    newest = (
        select(v.document_id)
        .join(documents, d.document_id == v.document_id)
        .where(v.case_id == cases.c.case_id)
        .order_by(v.published_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    here = exists(select(d.document_id).where(d.document_id == cases.c.document_id))
    return select(cases.c.case_id, cases.c.state, newest.label("newest")).where(
        ~here, cases.c.document_id.is_not(None) | newest.is_not(None)
    )


def _superseded_case(connection: Connection, row: Any) -> str | None:
    """The case of another version of the same work by the same keeper, where one ended the other."""
    d = documents.c
    keeper = d.branch_id.is_(None) if row.branch_id is None else d.branch_id == row.branch_id
    ended = d.end_reason == Validity.SUPERSEDED.value
    if row.end_reason == Validity.SUPERSEDED.value:
        ended = d.document_id != row.document_id
    return connection.execute(
        select(case_versions.c.case_id)
        .join(documents, d.document_id == case_versions.c.document_id)
        .where(d.work == row.work, keeper, ended, d.document_id != row.document_id)
        .limit(1)
    ).scalar()


def _attachments(connection: Connection, captions: Mapping[str, str]) -> tuple[Attachment, ...]:
    """Files with the captions that they were published with."""
    a = case_attachments.c
    rows = {
        r.attachment_id: r
        for r in connection.execute(select(case_attachments).where(a.attachment_id.in_(list(captions))))
    }
    return tuple(
        Attachment(r.attachment_id, r.name, r.media_type, r.sha256, r.n_bytes, caption)
        for i, caption in captions.items()
        if (r := rows.get(i)) is not None
    )


def _line(connection: Connection, case_id: str) -> list[str]:
    """What a case was derived from, step by step."""
    found: list[str] = []
    at: str | None = case_id
    while at is not None:
        at = connection.execute(select(cases.c.derived_from).where(cases.c.case_id == at)).scalar()
        if at is None or at in found:
            break
        found.append(at)
    return found


def _offspring(connection: Connection, case_id: str) -> list[str]:
    """What was derived from a case, over any steps, nearest first."""
    found: list[str] = []
    waiting = deque([case_id])
    while waiting:
        rows = connection.execute(
            select(cases.c.case_id)
            .where(cases.c.derived_from == waiting.popleft())
            .order_by(cases.c.begun_at, cases.c.case_id)
        ).scalars()
        new = [c for c in rows if c not in found]
        found += new
        waiting += new
    return found

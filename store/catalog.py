"""The catalog: documents, their structure and their passages. It is the truth.

Every change takes one transaction and one growing sequence number; indexes
follow those numbers. Reading takes a scope and gives nothing outside it.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from kb.errors import NotFound, Withdrawn
from kb.model import (
    Change,
    Clause,
    Document,
    DocumentCard,
    Entry,
    Kind,
    Metadata,
    Part,
    Passage,
    Section,
    Validity,
    validity,
)
from store.database import writing
from store.shares import share
from store.standing import record_change, settle_document, settle_validity
from store.tables import (
    changes,
    clauses,
    documents,
    origins,
    passages,
    repeals,
    sections,
    shares,
    tombstones,
)
from store.visibility import hidden_copies, visible, visible_by_name

NO_DOCUMENT = "No document {id} here."


@dataclass(frozen=True, slots=True)
class Placed:
    """A retrieved passage with what facets and lists need of its document."""

    key: int
    document_id: str
    kind: Kind
    issuer: str | None
    year: int | None
    validity: Validity


@dataclass(frozen=True, slots=True)
class Located:
    """A passage with its text and its document's title block."""

    key: int
    passage: Passage
    anchor: str
    text: str
    card: DocumentCard
    year: int | None


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who keeps a document: a branch, or None for the common library; who handed it in; what it is a copy of."""

    branch_id: str | None
    owner_id: str | None
    origin_id: str | None
    sha256: str


class Catalog:
    """Documents in a relational store. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # -- changing ---------------------------------------------------------

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction that writes; committed at the end of the block, undone by an error in it."""
        return writing(self.engine)

    def stated(self, document_id: str) -> str | None:
        """What `add` was told was stated of the document beside its text; None if it is not here. For ingest only."""
        with self.engine.connect() as connection:
            return _stated(connection, document_id)

    def add(
        self,
        document: Document,
        *,
        title_key: str,
        number_key: str | None,
        label_keys: Sequence[str],
        repeal_keys: Sequence[str],
        n_bytes: int,
        audience: Iterable[str],
        may_reshare: frozenset[str] = frozenset(),
        branch_id: str | None = None,
        owner_id: str | None = None,
        origin_id: str | None = None,
        stated: str = "",
        again: bool = False,
        within: Connection | None = None,
    ) -> bool:
        """Put one document with its passages; False if it is here already.

        The same document with other facts `stated` of it (a digest, empty for none) takes the place of what is
        here, and keeps its shares and its keeper. A new one is kept by `branch_id` (None: the common library),
        was handed in by the person `owner_id`, and is a copy of `origin_id` if there is one.

        `title_key`, `number_key`, `label_keys` (one per clause) and `repeal_keys` are the folded forms
        by which a query, or another text, names its target. Versions of the same work, and what this one
        repeals, get their end dates in the same transaction: one of its own, or `within` that of `writing`.

        Raises:
            Withdrawn: it was taken out, and is not to come back unless `again` says so.
        """
        with nullcontext(within) if within is not None else self.writing() as connection:
            before = _stated(connection, document.document_id)
            if before is not None and stated in ("", before):
                return False
            _check_not_withdrawn(connection, document, again=again)
            meta = document.meta
            works = {meta.work}
            added_at = datetime.now(UTC).replace(tzinfo=None)
            kept: _Kept | None = None
            if before is not None:
                kept = _kept(connection, document.document_id)
                branch_id, owner_id = kept.branch_id, kept.owner_id
                works.add(_delete(connection, document.document_id))
            connection.execute(
                insert(documents).values(
                    document_id=document.document_id,
                    sha256=document.sha256,
                    stated=stated,
                    source=document.source,
                    media_type=document.media_type,
                    n_bytes=n_bytes,
                    added_at=added_at,
                    title=meta.title,
                    title_key=title_key,
                    kind=meta.kind.value,
                    issuer=meta.issuer,
                    number=meta.number,
                    number_key=number_key,
                    adopted_on=meta.adopted_on,
                    issued_on=meta.issued_on,
                    effective_on=meta.effective_on,
                    stated_end_on=meta.ended_on,
                    stated_end_reason=meta.end_reason.value if meta.end_reason else None,
                    ended_on=meta.ended_on,
                    end_reason=meta.end_reason.value if meta.end_reason else None,
                    year=meta.year,
                    keywords=list(meta.keywords),
                    abstract=meta.abstract,
                    doi=meta.doi,
                    branch=meta.branch,
                    branch_id=branch_id,
                    owner_id=owner_id,
                    work=meta.work,
                    text=document.text,
                    pages=[list(p) for p in document.pages],
                    n_clauses=len(document.clauses),
                )
            )
            if kept is None:
                shared = [
                    share(
                        document.document_id,
                        a,
                        branch_id=branch_id,
                        may_reshare=a in may_reshare,
                        shared_by=owner_id,
                        at=added_at,
                    )
                    for a in audience
                ]
                copied = _lineage(connection, document.document_id, origin_id) if origin_id else []
                kept = _Kept(branch_id, owner_id, [asdict(s) for s in shared], copied)
            _insert(connection, shares, kept.shares)
            _insert(connection, origins, kept.origins)
            _insert(
                connection,
                repeals,
                [{"document_id": document.document_id, "name": name} for name in dict.fromkeys(repeal_keys)],
            )
            _insert(
                connection,
                sections,
                [
                    {**asdict(s), "document_id": document.document_id, "path": list(s.path)}
                    for s in document.sections
                ],
            )
            ordinals = {c.clause_id: c.ordinal for c in document.clauses}
            _insert(
                connection,
                clauses,
                [
                    {
                        "document_id": document.document_id,
                        "ordinal": c.ordinal,
                        "clause_id": c.clause_id,
                        "section_id": c.section_id,
                        "label": c.label,
                        "label_key": key,
                        "anchor": c.anchor,
                        "start": c.start,
                        "end": c.end,
                        "path": list(c.path),
                        "parts": [[p.label, p.depth, p.start, p.end] for p in c.parts],
                    }
                    for c, key in zip(document.clauses, label_keys, strict=True)
                ],
            )
            _insert(
                connection,
                passages,
                [
                    {
                        "key": int(p.passage_id, 16),
                        "document_id": document.document_id,
                        "clause_ordinal": ordinals[p.clause_id],
                        "ordinal": p.ordinal,
                        "start": p.start,
                        "end": p.end,
                        "page": p.page,
                        "path": list(p.path),
                    }
                    for p in document.passages
                ],
            )
            record_change(connection, document.document_id, removed=False)
            settle_validity(
                connection, works, {title_key, *([number_key] if number_key else [])}, repeal_keys
            )
        return True

    def remove(
        self, document_id: str, *, by: str | None = None, reason: str = "", within: Connection | None = None
    ) -> str | None:
        """Take a document out; the digest of its source if no other document is made of it.

        A tombstone stays, so that it does not come back unasked. Copies made of it are seen no more.
        Older versions that it had superseded, and what it had repealed, stand again.

        Raises:
            NotFound: there is no such document.
        """
        with nullcontext(within) if within is not None else self.writing() as connection:
            row = connection.execute(
                select(documents.c.work, documents.c.sha256, documents.c.branch_id).where(
                    documents.c.document_id == document_id
                )
            ).first()
            if row is None:
                raise NotFound(NO_DOCUMENT.format(id=document_id), "`gongxue search` shows the ids.")
            repealed = (
                connection.execute(select(repeals.c.name).where(repeals.c.document_id == document_id))
                .scalars()
                .all()
            )
            _delete(connection, document_id)
            record_change(connection, document_id, removed=True)
            settle_validity(connection, {row.work}, set(), tuple(repealed))
            connection.execute(
                insert(tombstones).values(
                    document_id=document_id,
                    sha256=row.sha256,
                    branch_id=row.branch_id,
                    removed_at=datetime.now(UTC).replace(tzinfo=None),
                    removed_by=by,
                    reason=reason,
                )
            )
            others = connection.execute(
                select(documents.c.document_id).where(documents.c.sha256 == row.sha256).limit(1)
            ).first()
        return None if others else row.sha256

    def keep(
        self,
        document_id: str,
        *,
        branch_id: str | None,
        owner_id: str | None,
        within: Connection | None = None,
    ) -> None:
        """Hand a document to another keeper. Its shares are left as they are."""
        with nullcontext(within) if within is not None else self.writing() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.document_id == document_id)
                .values(branch_id=branch_id, owner_id=owner_id)
            )
            record_change(connection, document_id, removed=False)
            settle_document(connection, document_id)

    # -- following --------------------------------------------------------

    def seq(self) -> int:
        """Number of the latest change, 0 when nothing ever happened."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.max(changes.c.seq))).scalar() or 0

    def changes(self, since: int, limit: int | None = None) -> list[Change]:
        """The latest change of each document touched after `since`, oldest first."""
        latest = (
            select(changes.c.document_id, func.max(changes.c.seq).label("seq"))
            .where(changes.c.seq > since)
            .group_by(changes.c.document_id)
            .subquery()
        )
        statement = (
            select(changes.c.seq, changes.c.document_id, changes.c.removed)
            .join(latest, latest.c.seq == changes.c.seq)
            .order_by(changes.c.seq)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(statement.limit(limit) if limit else statement).all()
        return [Change(r.seq, r.document_id, r.removed) for r in rows]

    def entries(self, document_id: str) -> list[Entry]:
        """The passages of a document as indexes take them; none if it is gone."""
        with self.engine.connect() as connection:
            d = connection.execute(select(documents).where(documents.c.document_id == document_id)).first()
            if d is None:
                return []
            audience = frozenset(
                connection.execute(
                    select(shares.c.token).where(shares.c.document_id == document_id)
                ).scalars()
            )
            rows = connection.execute(
                select(passages.c.key, passages.c.start, passages.c.end, passages.c.path)
                .where(passages.c.document_id == document_id)
                .order_by(passages.c.clause_ordinal, passages.c.ordinal)
            ).all()
        reason = Validity(d.end_reason) if d.end_reason else None
        return [
            Entry(
                f"{r.key:016x}",
                document_id,
                "\n".join([" ".join([d.title, *r.path]), d.text[r.start : r.end]]),
                Kind(d.kind),
                d.issuer,
                d.year,
                d.effective_on,
                d.ended_on,
                reason,
                audience,
            )
            for r in rows
        ]

    # -- reading under a scope --------------------------------------------

    def place(self, keys: Sequence[int], scope: frozenset[str], day: date) -> dict[int, Placed]:
        """Those of the passages that exist and are in scope, by key."""
        with self.engine.connect() as connection:
            rows = connection.execute(_PLACES, {"keys": list(keys)}).all()
            ids = list({document_id for _, document_id in rows})
            cards = connection.execute(_FACTS, {"ids": ids, "scope": sorted(scope)}).all()
        facts = {c.document_id: (Kind(c.kind), c.issuer, c.year, _standing(c, day)) for c in cards}
        return {
            key: Placed(key, document_id, *facts[document_id])
            for key, document_id in rows
            if document_id in facts
        }

    def locate(self, keys: Sequence[int], scope: frozenset[str], day: date) -> dict[int, Located]:
        """The same with text and title block, for the few that are shown."""
        with self.engine.connect() as connection:
            rows = connection.execute(_LOCATED, {"keys": list(keys), "scope": sorted(scope)}).all()
        return {
            r.key: Located(
                r.key,
                Passage(f"{r.key:016x}", r.clause_id, r.ordinal, r.start, r.end, tuple(r.path), r.page),
                r.anchor,
                r.passage_text,
                _card(r, day),
                r.year,
            )
            for r in rows
        }

    def hidden_copies(self, scope: frozenset[str]) -> frozenset[str]:
        """Copies whose origin is not in scope: what an index must leave out though their shares are in it."""
        with self.engine.connect() as connection:
            return frozenset(connection.execute(_HIDDEN_COPIES, {"scope": sorted(scope)}).scalars())

    def document(self, document_id: str, scope: frozenset[str]) -> Document:
        """The document whole.

        Raises:
            NotFound: there is none in this scope.
        """
        with self.engine.connect() as connection:
            d = connection.execute(
                select(documents).where(documents.c.document_id == document_id, visible(scope))
            ).first()
            if d is None:
                raise NotFound(NO_DOCUMENT.format(id=document_id), "Search for it by title.")
            own = {
                t.name: connection.execute(
                    select(t).where(t.c.document_id == document_id).order_by(t.c.ordinal)
                ).all()
                for t in (sections, clauses)
            }
            passage_rows = connection.execute(
                select(passages)
                .where(passages.c.document_id == document_id)
                .order_by(passages.c.clause_ordinal, passages.c.ordinal)
            ).all()
        clause_ids = {r.ordinal: r.clause_id for r in own["clauses"]}
        return Document(
            document_id=d.document_id,
            sha256=d.sha256,
            source=d.source,
            media_type=d.media_type,
            text=d.text,
            meta=Metadata(
                title=d.title,
                kind=Kind(d.kind),
                issuer=d.issuer,
                number=d.number,
                adopted_on=d.adopted_on,
                issued_on=d.issued_on,
                effective_on=d.effective_on,
                ended_on=d.ended_on,
                end_reason=Validity(d.end_reason) if d.end_reason else None,
                keywords=tuple(d.keywords),
                abstract=d.abstract,
                doi=d.doi,
                branch=d.branch,
                work=d.work,
            ),
            sections=tuple(
                Section(
                    r.section_id,
                    r.ordinal,
                    r.level,
                    r.label,
                    r.heading,
                    r.start,
                    r.end,
                    r.extent_end,
                    tuple(r.path),
                    r.parent_id,
                )
                for r in own["sections"]
            ),
            clauses=tuple(
                Clause(
                    r.clause_id,
                    r.ordinal,
                    r.label,
                    r.anchor,
                    r.start,
                    r.end,
                    tuple(r.path),
                    r.section_id,
                    tuple(Part(*p) for p in r.parts),
                )
                for r in own["clauses"]
            ),
            passages=tuple(
                Passage(
                    f"{r.key:016x}",
                    clause_ids[r.clause_ordinal],
                    r.ordinal,
                    r.start,
                    r.end,
                    tuple(r.path),
                    r.page,
                )
                for r in passage_rows
            ),
            pages=tuple((p[0], p[1]) for p in d.pages),
        )

    def cards(
        self,
        scope: frozenset[str],
        day: date,
        *,
        kind: Kind | None = None,
        work: str | None = None,
        branch_id: str | None = None,
        offset: int = 0,
        k: int = 50,
    ) -> list[DocumentCard]:
        """Documents in scope, newest version first; `branch_id` asks for those that the branch keeps."""
        d = documents.c
        statement = (
            select(*_CARD)
            .where(visible(scope), *_where(kind, work, branch_id))
            .order_by(
                func.coalesce(d.effective_on, d.issued_on, d.adopted_on).desc().nulls_last(),
                d.title,
                d.document_id,
            )
        )
        with self.engine.connect() as connection:
            rows = connection.execute(statement.offset(offset).limit(k)).all()
        return [_card(r, day) for r in rows]

    def card(self, document_id: str, scope: frozenset[str], day: date) -> DocumentCard:
        """One document's card.

        Raises:
            NotFound: there is none in this scope.
        """
        with self.engine.connect() as connection:
            row = connection.execute(
                select(*_CARD).where(documents.c.document_id == document_id, visible(scope))
            ).first()
        if row is None:
            raise NotFound(NO_DOCUMENT.format(id=document_id), "Search for it by title.")
        return _card(row, day)

    def held(self, sha256: str, scope: frozenset[str]) -> str | None:
        """A document in scope that is made of these bytes."""
        with self.engine.connect() as connection:
            return connection.execute(
                select(documents.c.document_id)
                .where(documents.c.sha256 == sha256, visible(scope))
                .order_by(documents.c.document_id)
                .limit(1)
            ).scalar()

    def keeper(self, document_id: str, scope: frozenset[str], *, within: Connection | None = None) -> Keeper:
        """Who keeps the document, and what it was copied from.

        Raises:
            NotFound: there is none in this scope.
        """
        d = documents.c
        with nullcontext(within) if within is not None else self.engine.connect() as connection:
            row = connection.execute(
                select(d.branch_id, d.owner_id, d.sha256).where(d.document_id == document_id, visible(scope))
            ).first()
            if row is None:
                raise NotFound(NO_DOCUMENT.format(id=document_id), "Search for it by title.")
            origin_id = connection.execute(
                select(origins.c.origin_id).where(origins.c.document_id == document_id, origins.c.steps == 1)
            ).scalar()
        return Keeper(row.branch_id, row.owner_id, origin_id, row.sha256)

    def n_copies(self, document_id: str, scope: frozenset[str]) -> int:
        """How many copies were made of the document, and of those; none of one out of scope. They go with it."""
        if not self.visible([document_id], scope):
            return 0
        with self.engine.connect() as connection:
            return connection.execute(
                select(func.count()).select_from(origins).where(origins.c.origin_id == document_id)
            ).scalar_one()

    def versions(self, document_id: str, scope: frozenset[str], day: date) -> list[DocumentCard]:
        """Every version of the document's work in scope, newest first.

        Raises:
            NotFound: the document is not in this scope.
        """
        with self.engine.connect() as connection:
            work = connection.execute(
                select(documents.c.work).where(documents.c.document_id == document_id, visible(scope))
            ).scalar()
        if work is None:
            raise NotFound(NO_DOCUMENT.format(id=document_id), "Search for it by title.")
        return self.cards(scope, day, work=work)

    def count(self, scope: frozenset[str], *, kind: Kind | None = None, branch_id: str | None = None) -> int:
        """How many documents are in scope."""
        with self.engine.connect() as connection:
            return connection.execute(
                select(func.count())
                .select_from(documents)
                .where(visible(scope), *_where(kind, None, branch_id))
            ).scalar_one()

    def total(self) -> int:
        """How many documents there are in every scope. For the state of the installation only."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(documents)).scalar_one()

    def every_token(self) -> frozenset[str]:
        """Every token that some document is shared under: the scope of the operator at the machine itself."""
        with self.engine.connect() as connection:
            return frozenset(connection.execute(select(shares.c.token).distinct()).scalars())

    def overview(self, scope: frozenset[str]) -> dict[str, int]:
        """Documents in scope by kind, and "passages"."""
        with self.engine.connect() as connection:
            kinds = connection.execute(
                select(documents.c.kind, func.count()).where(visible(scope)).group_by(documents.c.kind)
            ).all()
            # Who may see what is asked once a document, not once a passage.
            seen = select(documents.c.document_id).where(visible(scope))
            n = connection.execute(
                select(func.count()).select_from(passages).where(passages.c.document_id.in_(seen))
            ).scalar_one()
        found = {k.value: 0 for k in Kind}
        found.update((kind, n) for kind, n in kinds)
        return found | {"passages": n}

    def titles(self) -> list[tuple[str, str, str | None]]:
        """(document id, title, 文号) of every document in every scope, newest version first. For lookups only."""
        d = documents.c
        with self.engine.connect() as connection:
            rows = connection.execute(select(d.document_id, d.title, d.number).order_by(*_NEWEST_FIRST))
            return [(r[0], r[1], r[2]) for r in rows]

    def visible(self, document_ids: Sequence[str], scope: frozenset[str]) -> set[str]:
        """Those of the documents that are in scope."""
        statement = select(documents.c.document_id).where(
            documents.c.document_id.in_(bindparam("ids", expanding=True)), visible(scope)
        )
        with self.engine.connect() as connection:
            return set(connection.execute(statement, {"ids": list(document_ids)}).scalars())

    def clause_passages(self, document_ids: Sequence[str], label_key: str) -> list[tuple[str, int]]:
        """(document id, key) of the passages of each clause so labelled, in text order."""
        statement = (
            select(passages.c.document_id, passages.c.key)
            .join(
                clauses,
                (clauses.c.document_id == passages.c.document_id)
                & (clauses.c.ordinal == passages.c.clause_ordinal),
            )
            .where(passages.c.document_id.in_(document_ids), clauses.c.label_key == label_key)
            .order_by(passages.c.clause_ordinal, passages.c.ordinal)
        )
        with self.engine.connect() as connection:
            return [(r[0], r[1]) for r in connection.execute(statement)]

    def first_passages(self, document_ids: Sequence[str]) -> list[tuple[str, int]]:
        """(document id, key) of the first passage of each document."""
        found = []
        with self.engine.connect() as connection:
            for document_id in document_ids:
                key = connection.execute(
                    select(passages.c.key)
                    .where(passages.c.document_id == document_id)
                    .order_by(passages.c.clause_ordinal, passages.c.ordinal)
                    .limit(1)
                ).scalar()
                if key is not None:
                    found.append((document_id, key))
        return found

    def suggest(self, prefix_key: str, scope: frozenset[str], day: date, k: int) -> list[DocumentCard]:
        """Documents whose folded title or 文号 contains the text; those that begin with it first, then shorter titles.

        Versions that a newer one has superseded by `day` are left out.
        """
        d = documents.c
        contains = or_(
            d.title_key.contains(prefix_key, autoescape=True),
            d.number_key.contains(prefix_key, autoescape=True),
        )
        begins = d.title_key.startswith(prefix_key, autoescape=True)
        current = or_(d.end_reason.is_distinct_from(Validity.SUPERSEDED.value), d.ended_on > day)
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(*_CARD)
                .where(contains, visible(scope), current)
                .order_by(begins.desc(), func.length(d.title_key), d.title_key, d.document_id)
                .limit(k)
            ).all()
        return [_card(r, day) for r in rows]


_CARD = [
    documents.c[n]
    for n in (
        "document_id",
        "title",
        "kind",
        "issuer",
        "number",
        "issued_on",
        "effective_on",
        "ended_on",
        "end_reason",
        "source",
        "media_type",
        "n_clauses",
        "branch_id",
    )
]


_NEWEST_FIRST = (
    func.coalesce(documents.c.effective_on, documents.c.issued_on, documents.c.adopted_on)
    .desc()
    .nulls_last(),
    documents.c.title,
    documents.c.document_id,
)


# What every query asks is put together once; keys, ids and scope are filled in.
_NAMED_SCOPE = visible_by_name()
_HIDDEN_COPIES = hidden_copies()

_PLACES = select(passages.c.key, passages.c.document_id).where(
    passages.c.key.in_(bindparam("keys", expanding=True))
)

_FACTS = select(
    *(
        documents.c[n]
        for n in ("document_id", "kind", "issuer", "year", "effective_on", "ended_on", "end_reason")
    )
).where(documents.c.document_id.in_(bindparam("ids", expanding=True)), _NAMED_SCOPE)

_LOCATED = (
    select(
        *_CARD,
        documents.c.year,
        *(passages.c[n] for n in ("key", "ordinal", "start", "end", "page", "path")),
        clauses.c.clause_id,
        clauses.c.anchor,
        func.substr(documents.c.text, passages.c.start + 1, passages.c.end - passages.c.start).label(
            "passage_text"
        ),
    )
    .select_from(passages)
    .join(documents, documents.c.document_id == passages.c.document_id)
    .join(
        clauses,
        (clauses.c.document_id == passages.c.document_id) & (clauses.c.ordinal == passages.c.clause_ordinal),
    )
    .where(passages.c.key.in_(bindparam("keys", expanding=True)), _NAMED_SCOPE)
)


def _standing(r: Any, day: date) -> Validity:
    return validity(r.effective_on, r.ended_on, Validity(r.end_reason) if r.end_reason else None, day)


def _card(r: Any, day: date) -> DocumentCard:
    standing = validity(r.effective_on, r.ended_on, Validity(r.end_reason) if r.end_reason else None, day)
    return DocumentCard(
        r.document_id,
        r.title,
        Kind(r.kind),
        r.issuer,
        r.number,
        r.issued_on,
        r.effective_on,
        r.ended_on,
        standing,
        r.source,
        r.media_type,
        r.n_clauses,
        r.branch_id,
    )


def _where(kind: Kind | None, work: str | None, branch_id: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if kind is not None:
        found.append(documents.c.kind == kind.value)
    if work is not None:
        found.append(documents.c.work == work)
    if branch_id is not None:
        found.append(documents.c.branch_id == branch_id)
    return found


def _stated(connection: Connection, document_id: str) -> str | None:
    return connection.execute(
        select(documents.c.stated).where(documents.c.document_id == document_id)
    ).scalar()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What belongs to a document beside its text: its keeper, and rows of shares and origins."""

    branch_id: str | None
    owner_id: str | None
    shares: list[dict[str, Any]]
    origins: list[dict[str, Any]]


def _kept(connection: Connection, document_id: str) -> _Kept:
    d = documents.c
    keeper = connection.execute(select(d.branch_id, d.owner_id).where(d.document_id == document_id)).one()
    shared = connection.execute(
        select(shares).where(shares.c.document_id == document_id).order_by(shares.c.shared_at)
    ).all()
    copied = connection.execute(select(origins).where(origins.c.document_id == document_id)).all()
    # What was passed on comes after what it was passed on from.
    rows = sorted((dict(r._mapping) for r in shared), key=lambda r: r["parent_id"] is not None)
    return _Kept(keeper.branch_id, keeper.owner_id, rows, [dict(r._mapping) for r in copied])


def _lineage(connection: Connection, document_id: str, origin_id: str) -> list[dict[str, Any]]:
    """Rows that tell what a copy was made of, that one's origin too, and so on."""
    before = connection.execute(select(origins).where(origins.c.document_id == origin_id)).all()
    steps = {origin_id: 1} | {r.origin_id: r.steps + 1 for r in before}
    return [{"document_id": document_id, "origin_id": o, "steps": n} for o, n in steps.items()]


def _check_not_withdrawn(connection: Connection, document: Document, *, again: bool) -> None:
    of_it = tombstones.c.document_id == document.document_id
    if again:
        connection.execute(delete(tombstones).where(of_it))
        return
    at = connection.execute(select(tombstones.c.removed_at).where(of_it)).scalar()
    if at is not None:
        raise Withdrawn(
            f"Cannot take {document.source}: it was withdrawn on {at:%Y-%m-%d}.",
            "Take it out of the folder; or put it back on purpose by `gongxue ingest --again`.",
        )


def _delete(connection: Connection, document_id: str) -> str:
    """Take every row of a document out and return its work."""
    work: str = connection.execute(
        select(documents.c.work).where(documents.c.document_id == document_id)
    ).scalar_one()
    for table in (passages, clauses, sections, repeals, shares, origins, documents):
        connection.execute(delete(table).where(table.c.document_id == document_id))
    return work


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)

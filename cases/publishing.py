"""From an approved form to a document that others find, and back.

What is published is Markdown made from the form: one source, read like any other.
A later publication of the same case is a new version of the same work. An older
one is never seen more widely than the newest, nor more widely than it was
(`access.sharing.Sharing.narrow`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from access.branches import row_of
from access.office import Office
from access.principal import Principal
from access.rights import Action
from access.sharing import Reach, Sharing, Told, Wanted
from cases.library import Library, body_from, put_version
from cases.markdown import write_markdown
from cases.model import Attachment, Body, Field, State
from cases.tables import case_attachments, case_fields, cases
from cases.visibility import seen
from ingest.metadata import Sidecar
from ingest.pipeline import Keeping, Pipeline
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import Kind, Source
from search.index import SearchIndex
from store.catalog import Catalog
from store.shares import put_shares, share, shares_of


@dataclass(frozen=True, slots=True)
class Audience:
    """With whom a published case is shared."""

    document_id: str
    shares: tuple[Told, ...]


class Publishing:
    """Publishes cases and takes them back. Safe to share between threads."""

    def __init__(
        self,
        office: Office,
        catalog: Catalog,
        pipeline: Pipeline,
        index: SearchIndex,
        sharing: Sharing,
        library: Library,
    ) -> None:
        self._office = office
        self._catalog = catalog
        self._pipeline = pipeline
        self._index = index
        self._sharing = sharing
        self._library = library

    def preview(self, by: Principal, case_id: str, wanted: Sequence[Wanted]) -> Reach:
        """Who would see the case if it were published so; nothing is changed.

        Raises:
            NotFound: there is no such case of a branch for which the asker writes.
            InvalidRequest, SignInRequired, Refused: as in `Sharing.set_audience`.
        """
        with self._office.reading() as connection:
            row = self._own(connection, by, case_id)
            published = self._is_seen(connection, by, case_id)
        return self._sharing.reach(
            by,
            row.branch_id,
            wanted,
            owner_id=by.require_person(),
            document_id=row.document_id if published else None,
        )

    def publish(self, by: Principal, case_id: str, wanted: Sequence[Wanted]) -> str:
        """Publish the approved form to these; the document's id.

        Raises:
            NotFound: there is no such case of a branch for which the asker writes, or an audience is not there.
            Conflict: the form is not approved, or was changed since.
            InvalidRequest: nobody is named, or an audience makes no sense.
            SignInRequired, Refused: the asker may not share so widely.
            DocumentError: what was written cannot be read as a document.
        """
        person_id = by.require_person()
        if not wanted:
            raise InvalidRequest("Cannot publish a case to nobody.", "Choose at least your own branch.")
        with self._office.reading() as connection:
            branch_id = self._own(connection, by, case_id).branch_id
        tokens = self._sharing.tokens(by, branch_id, wanted, owner_id=person_id)
        keeping = Keeping(
            frozenset(tokens),
            branch_id,
            person_id,
            again=True,
            may_reshare=frozenset(t for t, may in tokens.items() if may),
        )
        now = self._office.now()
        with self._office.writing() as connection:
            row = self._own(connection, by, case_id)
            if row.state != State.APPROVED.value:
                raise Conflict(
                    "Cannot publish this case: its form is not approved as it stands.",
                    "Submit it, and have somebody else of the branch review it.",
                )
            body = _form(connection, case_id)
            attachments = _attached(connection, case_id)
            source = self._source(connection, row, body)
            sidecar = Sidecar(
                title=body[Field.TITLE],
                kind=Kind.CASE,
                issuer=row_of(connection, branch_id).name,
                issued_on=self._office.today(),
                # Stated, since the text may speak of days on which other things begin.
                effective_on=self._office.today(),
                work=self._library.work(connection, case_id) or f"case:{case_id}",
            )
            outcome = self._pipeline.ingest(source, sidecar=sidecar, keeping=keeping, within=connection)
            document_id = keeping.document_id(source)
            if outcome.status == "failed":
                raise InvalidRequest(f"Cannot publish this case: {outcome.message}", "Change the form.")
            if outcome.status == "unchanged":
                # Its files alone changed: the text stays, but with whom it is shared was chosen anew.
                _share_anew(connection, document_id, keeping, now)
            put_version(
                connection,
                document_id,
                case_id,
                revision=row.revision,
                body=body,
                attachments=attachments,
                published_by=person_id,
                published_at=now,
            )
            connection.execute(
                update(cases)
                .where(cases.c.case_id == case_id)
                .values(state=State.PUBLISHED.value, document_id=document_id, note="", changed_at=now)
            )
            self._sharing.narrow(connection, by, document_id)
            self._office.audit.write(
                connection,
                by,
                "case.publish",
                "case",
                case_id,
                branch_id=branch_id,
                document=document_id,
                audiences=sorted(tokens),
            )
        self._index.follow(block=True)
        return document_id

    def audience(self, by: Principal, case_id: str) -> Audience | None:
        """With whom the published case is shared; None if nothing is published that the asker sees.

        Raises:
            NotFound: there is no such case of a branch for which the asker writes.
            SignInRequired, Refused: the asker does not see audiences.
        """
        with self._office.reading() as connection:
            row = self._own(connection, by, case_id)
            if not self._is_seen(connection, by, case_id):
                return None
        return Audience(row.document_id, tuple(self._sharing.shares(by, row.document_id)))

    def set_audience(self, by: Principal, case_id: str, wanted: Sequence[Wanted]) -> None:
        """Share what is published of a case with exactly these, and no older version with anybody else.

        Raises:
            NotFound: nothing is published of such a case of a branch for which the asker writes.
            InvalidRequest: nobody is named, or an audience makes no sense.
            SignInRequired, Refused: the asker may not share so widely.
        """
        if not wanted:
            raise InvalidRequest("Cannot share a case with nobody.", "Withdraw it instead.")
        self._sharing.set_audience(by, self._published(by, case_id), wanted)

    def withdraw(self, by: Principal, case_id: str, reason: str = "") -> list[str]:
        """Take every published version of a case out; found by nobody from here on. Its form stays as a draft.

        Digests of originals that nothing is made of any more are given back, to be discarded.

        Raises:
            NotFound: nothing is published of such a case of a branch for which the asker writes.
            SignInRequired, Refused: the asker may not take documents out.
        """
        self._sharing.check_withdraw(by, self._published(by, case_id))
        digests = []
        with self._office.writing() as connection:
            row = self._own(connection, by, case_id)
            for document_id in self._library.versions(connection, row.document_id):
                digest = self._catalog.remove(
                    document_id, by=by.person_id, reason=reason.strip()[:200], within=connection
                )
                digests += [digest] if digest else []
                self._office.audit.write(
                    connection, by, "document.withdraw", "document", document_id, branch_id=row.branch_id
                )
            connection.execute(
                update(cases)
                .where(cases.c.case_id == case_id)
                .values(
                    state=State.DRAFT.value,
                    document_id=None,
                    note=reason.strip()[:200],
                    changed_at=self._office.now(),
                )
            )
            self._office.audit.write(
                connection, by, "case.withdraw", "case", case_id, branch_id=row.branch_id
            )
        self._index.follow(block=True)
        return digests

    # -- parts ----------------------------------------------------------------------------

    def _own(self, connection: Connection, by: Principal, case_id: str) -> Any:
        by.require_person()
        row = connection.execute(select(cases).where(cases.c.case_id == case_id)).first()
        if row is None or row.branch_id is None or not by.may(Action.WRITE_CASE, row.branch_id):
            raise NotFound(f"No case {case_id} here.", "See the cases of your branch.")
        return row

    def _is_seen(self, connection: Connection, by: Principal, case_id: str) -> bool:
        found = select(cases.c.case_id).where(cases.c.case_id == case_id, seen(by.scope))
        return connection.execute(found).first() is not None

    def _published(self, by: Principal, case_id: str) -> str:
        """The document that is published of the case, and that the asker sees."""
        with self._office.reading() as connection:
            row = self._own(connection, by, case_id)
            if not self._is_seen(connection, by, case_id):
                raise NotFound(f"Nothing is published of case {case_id}.", "Publish it first.")
            return str(row.document_id)

    def _source(self, connection: Connection, row: Any, body: Body) -> Source:
        text = write_markdown(
            body,
            case_id=row.case_id,
            revision=row.revision,
            branch=row_of(connection, row.branch_id).name,
            on=self._office.today(),
        )
        return Source(f"案例/{row.case_id}.md", "text/markdown", text.encode())


def _share_anew(connection: Connection, document_id: str, keeping: Keeping, now: datetime) -> None:
    """Share a document that is here with those who are to see it now, and nobody else."""
    put = [
        share(
            document_id,
            audience,
            branch_id=keeping.branch_id,
            may_reshare=audience in keeping.may_reshare,
            shared_by=keeping.owner_id,
            at=now,
        )
        for audience in sorted(keeping.audience)
    ]
    held = {s.share_id for s in shares_of(connection, document_id) if s.parent_id is None}
    put_shares(connection, document_id, put, held - {s.share_id for s in put})


def _form(connection: Connection, case_id: str) -> Body:
    rows = connection.execute(select(case_fields).where(case_fields.c.case_id == case_id))
    return body_from({r.field: r.text for r in rows})


def _attached(connection: Connection, case_id: str) -> list[Attachment]:
    a = case_attachments.c
    rows = connection.execute(
        select(case_attachments)
        .where(a.case_id == case_id, a.removed_at.is_(None))
        .order_by(a.added_at, a.attachment_id)
    )
    return [Attachment(r.attachment_id, r.name, r.media_type, r.sha256, r.n_bytes, r.caption) for r in rows]

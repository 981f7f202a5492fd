"""Files of a case: added while it is written, seen with what is published of it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from cases.draft import discard_unheld, draft_of, reopen
from cases.fields import plain
from cases.files import fit
from cases.model import Attachment
from cases.tables import case_attachments, case_versions, cases
from cases.visibility import seen
from kb.errors import InvalidRequest, NotFound
from kb.model import Source, derive_id
from store.originals import OriginalFolder

MOST_ATTACHMENTS = 30
LONGEST_CAPTION = 200


@dataclass(frozen=True, slots=True)
class Attachments:
    """Keeps the files of cases. Safe to share between threads.

    `originals` holds their bytes and nothing else: what no case holds any more is discarded there.
    """

    office: Office
    originals: OriginalFolder
    max_bytes: int

    def of_draft(self, by: Principal, case_id: str) -> list[Attachment]:
        """The files of a draft in the order in which they came.

        Raises:
            NotFound: there is no such draft that the asker may write.
        """
        with self.office.reading() as connection:
            draft_of(connection, by, case_id)
            return [_attachment(row) for row in _present(connection, case_id)]

    def add(self, by: Principal, case_id: str, source: Source, caption: str = "") -> Attachment:
        """Add a file; the same file once more is the one that is there. The case is a draft again.

        Raises:
            NotFound: there is no such draft that the asker may write.
            InvalidRequest: there are as many as a case may have, or the caption is too long.
            UnsupportedFormat, DocumentError: the file is none that may be attached; see `cases.files.fit`.
        """
        caption = _caption(caption)
        with self.office.reading() as connection:
            self._check_room(connection, draft_of(connection, by, case_id).case_id)
        taken = fit(source, self.max_bytes)
        kept = Source(taken.name, taken.media_type, taken.data)
        with self.office.writing() as connection:
            row = draft_of(connection, by, case_id)
            present = _present(connection, case_id)
            if again := next((a for a in present if a.sha256 == kept.sha256), None):
                return _attachment(again)
            self._check_room(connection, case_id)
            attachment = Attachment(
                attachment_id=derive_id("attachment", new_secret()),
                name=taken.name,
                media_type=taken.media_type,
                sha256=kept.sha256,
                n_bytes=len(taken.data),
                caption=caption,
            )
            # Within the transaction: nobody discards the bytes in between.
            self.originals.put(kept)
            connection.execute(
                insert(case_attachments).values(
                    attachment_id=attachment.attachment_id,
                    case_id=case_id,
                    name=attachment.name,
                    media_type=attachment.media_type,
                    sha256=attachment.sha256,
                    n_bytes=attachment.n_bytes,
                    caption=caption,
                    added_by=by.person_id,
                    added_at=self.office.now(),
                )
            )
            self._note(connection, by, "case.attach", row)
        return attachment

    def caption(self, by: Principal, case_id: str, attachment_id: str, caption: str) -> None:
        """Say what a file shows. The case is a draft again.

        Raises:
            NotFound: there is no such file of a draft that the asker may write.
            InvalidRequest: the caption is too long.
        """
        caption = _caption(caption)
        with self.office.writing() as connection:
            row, attachment = self._own(connection, by, case_id, attachment_id)
            if attachment.caption == caption:
                return
            at = case_attachments.c.attachment_id == attachment_id
            connection.execute(update(case_attachments).where(at).values(caption=caption))
            self._note(connection, by, "case.caption", row)

    def remove(self, by: Principal, case_id: str, attachment_id: str) -> None:
        """Take a file from a draft; what is published keeps it. The case is a draft again.

        Raises:
            NotFound: there is no such file of a draft that the asker may write.
        """
        with self.office.writing() as connection:
            row, attachment = self._own(connection, by, case_id, attachment_id)
            at = case_attachments.c.attachment_id == attachment_id
            self._note(connection, by, "case.detach", row)
            if attachment_id in _published(connection, case_id):
                removed = update(case_attachments).where(at).values(removed_at=self.office.now())
                connection.execute(removed)
            else:
                connection.execute(delete(case_attachments).where(at))
                discard_unheld(connection, self.originals, {attachment.sha256})

    def open(self, by: Principal, case_id: str, attachment_id: str) -> tuple[Attachment, bytes]:
        """A file with its bytes: for whoever writes the case, or sees what is published with it.

        Raises:
            NotFound: there is none that the asker may see.
        """
        with self.office.reading() as connection:
            a = case_attachments.c
            row = connection.execute(
                select(case_attachments, cases.c.branch_id)
                .join(cases, cases.c.case_id == a.case_id)
                .where(a.attachment_id == attachment_id, a.case_id == case_id)
            ).first()
            writes = (
                row is not None
                and row.branch_id is not None
                and row.removed_at is None
                and by.may(Action.WRITE_CASE, row.branch_id)
            )
            if row is None or not (writes or attachment_id in _published(connection, case_id, by.scope)):
                raise _none(attachment_id)
        return _attachment(row), self.originals.get(row.sha256)

    def tidy(self) -> None:
        """Forget files that were taken from a draft and are published no more."""
        a = case_attachments.c
        with self.office.writing() as connection:
            removed = connection.execute(select(case_attachments).where(a.removed_at.is_not(None))).all()
            gone = [r for r in removed if r.attachment_id not in _published(connection, r.case_id)]
            connection.execute(
                delete(case_attachments).where(a.attachment_id.in_([r.attachment_id for r in gone]))
            )
            discard_unheld(connection, self.originals, {r.sha256 for r in gone})

    # -- parts ----------------------------------------------------------------

    def _own(
        self, connection: Connection, by: Principal, case_id: str, attachment_id: str
    ) -> tuple[Row[Any], Row[Any]]:
        row = draft_of(connection, by, case_id)
        found = [a for a in _present(connection, case_id) if a.attachment_id == attachment_id]
        if not found:
            raise _none(attachment_id)
        return row, found[0]

    def _check_room(self, connection: Connection, case_id: str) -> None:
        if len(_present(connection, case_id)) >= MOST_ATTACHMENTS:
            raise InvalidRequest(f"一个案例最多 {MOST_ATTACHMENTS} 个附件。", "请先删去不需要的。")

    def _note(self, connection: Connection, by: Principal, action: str, row: Row[Any]) -> None:
        self.office.audit.write(connection, by, action, "case", row.case_id, branch_id=row.branch_id)
        reopen(self.office, connection, by, row)


def _present(connection: Connection, case_id: str) -> list[Row[Any]]:
    a = case_attachments.c
    return list(
        connection.execute(
            select(case_attachments)
            .where(a.case_id == case_id, a.removed_at.is_(None))
            .order_by(a.added_at, a.attachment_id)
        )
    )


def _published(connection: Connection, case_id: str, scope: frozenset[str] | None = None) -> set[str]:
    """Files of what is published of the case now; none if it is not seen under the scope, if one is given."""
    v = case_versions.c
    query = (
        select(v.attachments)
        .join(cases, cases.c.document_id == v.document_id)
        .where(cases.c.case_id == case_id)
    )
    row = connection.execute(query if scope is None else query.where(seen(scope))).first()
    return set(row.attachments) if row else set()


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(row.attachment_id, row.name, row.media_type, row.sha256, row.n_bytes, row.caption)


def _caption(text: str) -> str:
    caption = " ".join(plain(text).split())
    if len(caption) > LONGEST_CAPTION:
        raise InvalidRequest(f"说明最多 {LONGEST_CAPTION} 字，现在有 {len(caption)} 字。", "请写短一些。")
    return caption


def _none(attachment_id: str) -> NotFound:
    return NotFound(f"No attachment {attachment_id} here.", "Check the address.")

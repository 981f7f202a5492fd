"""A case as it is being written, and what every change of it shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from access.office import Office
from access.principal import Principal
from access.rights import Action
from cases.model import Body, Field, State
from cases.tables import case_attachments, cases
from kb.errors import NotFound
from store.originals import OriginalFolder


@dataclass(frozen=True, slots=True)
class Written:
    """A field as it stands. `revision` is that of the case when it last changed; `by_name` of who changed it then."""

    text: str
    revision: int
    changed_by: str | None
    by_name: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Writing:
    """Somebody else who is writing at a field just now."""

    person_id: str
    name: str
    field: Field


@dataclass(frozen=True, slots=True)
class Draft:
    """A case as those see it who write it. `note` says why it was returned, if it was.

    `document_id` is what is published of it, where the asker sees that.
    """

    case_id: str
    branch_id: str
    state: State
    revision: int
    note: str
    fields: Mapping[Field, Written]
    submitted_by: str | None
    derived_from: str | None
    document_id: str | None
    writers: tuple[Writing, ...] = ()

    @property
    def body(self) -> Body:
        """The texts alone, in the order of the form."""
        return {f: self.fields[f].text for f in Field if f in self.fields and self.fields[f].text}


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A draft in a list of its branch."""

    case_id: str
    branch_id: str
    title: str
    state: State
    revision: int
    note: str
    submitted_by: str | None
    changed_by: str | None
    by_name: str
    changed_at: datetime
    document_id: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the form."""

    revision: int
    field: Field
    before: str
    after: str
    changed_by: str | None
    by_name: str
    changed_at: datetime


def draft_of(connection: Connection, by: Principal, case_id: str) -> Row[Any]:
    """The row of a case that the asker may write.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(select(cases).where(cases.c.case_id == case_id)).first()
    if row is None or row.branch_id is None or not by.may(Action.WRITE_CASE, row.branch_id):
        raise NotFound(f"No case {case_id} to be written.", "Check the address.")
    return row


def move(
    office: Office,
    connection: Connection,
    by: Principal,
    row: Row[Any],
    action: str,
    to: State,
    **values: Any,
) -> None:
    """Bring a case to another state, and tell so."""
    changed = {"state": to.value, "changed_at": office.now(), **values}
    connection.execute(update(cases).where(cases.c.case_id == row.case_id).values(changed))
    office.audit.write(connection, by, action, "case", row.case_id, branch_id=row.branch_id)


def reopen(office: Office, connection: Connection, by: Principal, row: Row[Any]) -> None:
    """Make a changed case a draft again: what was reviewed is not what stands there now."""
    if row.state != State.DRAFT:
        move(office, connection, by, row, "case.reopen", State.DRAFT, submitted_by=None)


def discard_unheld(connection: Connection, originals: OriginalFolder, digests: set[str]) -> None:
    """Forget the bytes with these digests that no attachment holds.

    To be called last in a transaction that writes: nobody can begin to hold them in between.
    """
    held = select(case_attachments.c.sha256).where(case_attachments.c.sha256.in_(digests))
    for digest in digests - set(connection.execute(held).scalars()):
        originals.discard(digest)

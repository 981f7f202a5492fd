"""Partnerships between branches: proposed by one side, agreed by the other, in force on their days."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from access.branches import row_of
from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action, Role
from access.scopes import tree
from access.tables import partnerships, roles
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id

LONGEST_YEARS = 5


@dataclass(frozen=True, slots=True)
class Partnership:
    """Two branches that learn together. `state` is "proposed", "coming", "in_force", "over" or "ended"."""

    partnership_id: str
    proposer_id: str
    partner_id: str
    begins_on: date
    ends_on: date
    proposer_liaison: str | None
    partner_liaison: str | None
    agreed: bool
    state: str

    def other(self, branch_id: str) -> str:
        """The side that is not this one."""
        return self.partner_id if branch_id == self.proposer_id else self.proposer_id


class Partnerships:
    """Who is a partner of whom."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def seen(self, by: Principal) -> list[Partnership]:
        """Partnerships of the asker's branches and of those above them; those that end last come first."""
        by.require_person()
        p = partnerships.c
        with self._office.reading() as connection:
            own = tree(connection).above(by.branches) | by.branches
            rows = connection.execute(
                select(partnerships)
                .where(or_(p.proposer_id.in_(own), p.partner_id.in_(own)))
                .order_by(p.ends_on.desc(), p.partnership_id)
            )
            return [self._of(r) for r in rows]

    def propose(
        self,
        by: Principal | None,
        proposer_id: str,
        partner_id: str,
        begins_on: date | None,
        ends_on: date | None,
        *,
        liaison: str | None = None,
        agreed: bool = False,
    ) -> str:
        """Offer a partnership to another branch and return its id; `agreed` is for the operator at the machine.

        Raises:
            InvalidRequest: no end, an end before the beginning or in the past, too long, or of a tree with itself.
            Conflict: the two have one, or an open offer, on some of these days.
            NotFound, SignInRequired, Refused: no such branch, or not the asker's to offer.
        """
        if by is not None:
            by.require(Action.PARTNER, proposer_id)
        begins_on, ends_on = self._checked_days(begins_on, ends_on)
        p = partnerships.c
        with self._office.writing() as connection:
            known = tree(connection)
            for branch_id in (proposer_id, partner_id):
                if not row_of(connection, branch_id).active:
                    raise InvalidRequest(
                        f"Cannot make a partner of {branch_id}: it is out of use.", "Choose another."
                    )
            if known.top(proposer_id) == known.top(partner_id):
                raise InvalidRequest(
                    "Cannot make a partnership inside one organisation.",
                    "Share with the branch by name instead.",
                )
            pair = [proposer_id, partner_id]
            rival = connection.execute(
                select(p.partnership_id).where(
                    p.proposer_id.in_(pair),
                    p.partner_id.in_(pair),
                    p.ended_at.is_(None),
                    p.begins_on <= ends_on,
                    p.ends_on >= begins_on,
                )
            ).first()
            if rival:
                raise Conflict(
                    "Cannot offer this partnership: the two branches have one on some of these days.",
                    "Agree to it, or end it first.",
                )
            self._check_liaison(connection, proposer_id, liaison)
            now = self._office.now()
            partnership_id = derive_id("partnership", new_secret())
            connection.execute(
                insert(partnerships).values(
                    partnership_id=partnership_id,
                    proposer_id=proposer_id,
                    partner_id=partner_id,
                    begins_on=begins_on,
                    ends_on=ends_on,
                    proposer_liaison=liaison,
                    proposed_at=now,
                    agreed_at=now if agreed else None,
                )
            )
            self._write(connection, by, "partnership.propose", partnership_id, proposer_id, partner_id)
        return partnership_id

    def agree(self, by: Principal, partnership_id: str, *, liaison: str | None = None) -> None:
        """Take an offer up, for the branch that it was made to.

        Raises:
            Conflict: it was agreed or ended before, or its days are over.
            InvalidRequest: the liaison is none of that branch.
            NotFound, SignInRequired, Refused: no such offer, or not the asker's to take up.
        """
        with self._office.writing() as connection:
            found = self._own(connection, by, partnership_id)
            by.require(Action.PARTNER, found.partner_id)
            if found.state != "proposed":
                raise Conflict("Cannot agree: the offer is no longer open.", "Make a new one.")
            self._check_liaison(connection, found.partner_id, liaison)
            connection.execute(
                update(partnerships)
                .where(partnerships.c.partnership_id == partnership_id)
                .values(agreed_at=self._office.now(), partner_liaison=liaison)
            )
            self._write(
                connection, by, "partnership.agree", partnership_id, found.proposer_id, found.partner_id
            )

    def end(self, by: Principal, partnership_id: str) -> None:
        """End a partnership, or refuse or take back an offer: either side may, and it holds at once.

        Raises:
            Conflict: it has ended before.
            NotFound, SignInRequired, Refused: no such partnership, or not the asker's to end.
        """
        with self._office.writing() as connection:
            found = self._own(connection, by, partnership_id)
            if found.state in ("ended", "over"):
                raise Conflict("Cannot end this partnership: it has ended.", "See the list of partnerships.")
            connection.execute(
                update(partnerships)
                .where(partnerships.c.partnership_id == partnership_id)
                .values(ended_at=self._office.now())
            )
            self._write(
                connection, by, "partnership.end", partnership_id, found.proposer_id, found.partner_id
            )

    def set_liaison(
        self, by: Principal | None, partnership_id: str, branch_id: str, liaison: str | None
    ) -> None:
        """Name the liaison of one's own side.

        Raises:
            InvalidRequest: the person is no liaison or administrator there.
            NotFound, SignInRequired, Refused: no such partnership, or not the asker's side.
        """
        with self._office.writing() as connection:
            found = self._own(connection, by, partnership_id)
            if by is not None:
                by.require(Action.PARTNER, branch_id)
            p = partnerships.c
            side = p.proposer_liaison if branch_id == found.proposer_id else p.partner_liaison
            if branch_id not in (found.proposer_id, found.partner_id):
                raise NotFound(
                    f"No partnership {partnership_id} of {branch_id}.", "See the list of partnerships."
                )
            self._check_liaison(connection, branch_id, liaison)
            connection.execute(
                update(partnerships).where(p.partnership_id == partnership_id).values({side.name: liaison})
            )
            self._write(
                connection, by, "partnership.liaison", partnership_id, found.proposer_id, found.partner_id
            )

    def _own(self, connection: Connection, by: Principal | None, partnership_id: str) -> Partnership:
        """The partnership, if the asker makes partnerships for one of its sides; else it is not there."""
        if by is not None:
            by.require_person()
        row = connection.execute(
            select(partnerships).where(partnerships.c.partnership_id == partnership_id)
        ).first()
        sides = (row.proposer_id, row.partner_id) if row else ()
        if row is None or (by is not None and not any(by.may(Action.PARTNER, b) for b in sides)):
            raise NotFound(f"No partnership {partnership_id} here.", "See the list of partnerships.")
        return self._of(row)

    def _check_liaison(self, connection: Connection, branch_id: str, liaison: str | None) -> None:
        if liaison is None:
            return
        fit = connection.execute(
            select(roles.c.person_id).where(
                roles.c.person_id == liaison,
                roles.c.branch_id == branch_id,
                roles.c.role.in_([Role.LIAISON, Role.ADMINISTRATOR]),
            )
        ).first()
        if fit is None:
            raise InvalidRequest(
                f"Cannot take {liaison} as liaison: no liaison or administrator of {branch_id}.",
                "Choose one from the people of that branch.",
            )

    def _checked_days(self, begins_on: date | None, ends_on: date | None) -> tuple[date, date]:
        today = self._office.today()
        begins_on = begins_on or today
        if ends_on is None:
            raise InvalidRequest(
                "Cannot offer a partnership without an end.",
                f"Give the last day, at most {LONGEST_YEARS} years on.",
            )
        if ends_on < begins_on or ends_on < today:
            raise InvalidRequest(
                f"Cannot offer a partnership from {begins_on} to {ends_on}: it would be over before it began.",
                "Give a last day that is still to come, not before the first.",
            )
        if (ends_on - begins_on).days > LONGEST_YEARS * 366:
            raise InvalidRequest(
                f"Cannot offer a partnership from {begins_on} to {ends_on}: too long.",
                f"Give a last day at most {LONGEST_YEARS} years on, and renew it then.",
            )
        return begins_on, ends_on

    def _write(
        self,
        connection: Connection,
        by: Principal | None,
        action: str,
        partnership_id: str,
        proposer_id: str,
        partner_id: str,
    ) -> None:
        for branch_id, other in ((proposer_id, partner_id), (partner_id, proposer_id)):
            self._office.audit.write(
                connection, by, action, "partnership", partnership_id, branch_id=branch_id, other=other
            )

    def _of(self, row: Any) -> Partnership:
        today = self._office.today()
        return Partnership(
            row.partnership_id,
            row.proposer_id,
            row.partner_id,
            row.begins_on,
            row.ends_on,
            row.proposer_liaison,
            row.partner_liaison,
            row.agreed_at is not None,
            _state(row.agreed_at, row.ended_at, row.begins_on, row.ends_on, today),
        )


def _state(
    agreed_at: datetime | None, ended_at: datetime | None, begins_on: date, ends_on: date, today: date
) -> str:
    if ended_at is not None:
        return "ended"
    if ends_on < today:
        return "over"
    if agreed_at is None:
        return "proposed"
    return "coming" if begins_on > today else "in_force"

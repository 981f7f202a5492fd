"""Offers of roles in a branch, taken up by whoever has the link: once, within two weeks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from access.branches import row_of
from access.keys import digest, new_secret
from access.office import Office
from access.people import People, checked_name, people_of
from access.principal import Principal
from access.rights import Action, Role
from access.tables import branches
from access.tables import invitations as table
from kb.errors import InvalidRequest, NotFound, SignInFailed
from kb.model import derive_id

INVITATION_DAYS = 14


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offer of roles in a branch, taken up by whoever has its secret; `secret` is given out once."""

    invitation_id: str
    branch_id: str
    roles: frozenset[Role]
    name: str
    expires_at: datetime
    secret: str = ""


class Invitations:
    """Makes, opens and takes back offers."""

    def __init__(self, office: Office, people: People) -> None:
        self._office = office
        self._people = people

    def offer(self, by: Principal, branch_id: str, wanted: frozenset[Role], name: str) -> Invitation:
        """Offer roles in a branch. The secret goes into a link that works once, for two weeks.

        Raises:
            InvalidRequest: no role, or no name.
            NotFound, SignInRequired, Refused: no such branch, or not the asker's to offer.
        """
        by.require(Action.MANAGE_PEOPLE, branch_id)
        if not wanted:
            raise InvalidRequest("Cannot invite without a role.", "Choose at least one.")
        name, secret = checked_name(name), new_secret()
        expires_at = self._office.now() + timedelta(days=INVITATION_DAYS)
        with self._office.writing() as connection:
            row_of(connection, branch_id)
            invitation_id = derive_id("invitation", digest(secret))
            connection.execute(
                insert(table).values(
                    invitation_id=invitation_id,
                    digest=digest(secret),
                    branch_id=branch_id,
                    roles=sorted(wanted),
                    name=name,
                    invited_by=by.person_id,
                    expires_at=expires_at,
                )
            )
            self._office.audit.write(
                connection,
                by,
                "person.invite",
                "invitation",
                invitation_id,
                branch_id=branch_id,
                roles=sorted(wanted),
            )
        return Invitation(invitation_id, branch_id, wanted, name, expires_at, secret)

    def opened(self, secret: str) -> Invitation:
        """The offer that the secret opens.

        Raises:
            SignInFailed: it is none, was taken up, or is over.
        """
        with self._office.reading() as connection:
            return _invitation(connection, secret, self._office.now())

    def of_branch(self, by: Principal, branch_id: str) -> list[Invitation]:
        """Offers of a branch that are still open.

        Raises:
            NotFound, SignInRequired, Refused: no such branch, or the asker may not see them.
        """
        by.require(Action.MANAGE_PEOPLE, branch_id)
        i = table.c
        with self._office.reading() as connection:
            row_of(connection, branch_id)
            rows = connection.execute(
                select(table)
                .where(i.branch_id == branch_id, i.accepted_at.is_(None), i.expires_at > self._office.now())
                .order_by(i.expires_at)
            )
            return [_as_invitation(r) for r in rows]

    def withdraw(self, by: Principal, invitation_id: str) -> None:
        """Take an offer back.

        Raises:
            NotFound, SignInRequired, Refused: there is none, or it is not the asker's to take back.
        """
        i = table.c
        with self._office.writing() as connection:
            row = connection.execute(select(i.branch_id).where(i.invitation_id == invitation_id)).first()
            if row is None or not by.may(Action.MANAGE_PEOPLE, row.branch_id):
                by.require_person()
                raise NotFound(f"No invitation {invitation_id} here.", "It may have been taken up.")
            connection.execute(delete(table).where(i.invitation_id == invitation_id))
            self._office.audit.write(
                connection, by, "person.uninvite", "invitation", invitation_id, branch_id=row.branch_id
            )

    def accept(self, secret: str, login: str, name: str, password: str) -> str:
        """Take up an offer as a new person; the id. `password` is as `access.passwords` keeps it.

        Raises:
            SignInFailed: the offer is none, was taken up, or is over.
            InvalidRequest, Conflict: as in `add`.
        """
        with self._office.writing() as connection:
            offer = _take_up(connection, secret, self._office.now())
            person_id = self._people.add(
                None, login, name, password=password, change_password=False, within=connection
            )
            self._people.give(connection, None, person_id, offer.branch_id, offer.roles)
        return person_id

    def accept_as(self, by: Principal, secret: str) -> None:
        """Take up an offer as the person who is signed in.

        Raises:
            SignInFailed: the offer is none, was taken up, or is over.
            SignInRequired: nobody is signed in.
        """
        person_id = by.require_person()
        with self._office.writing() as connection:
            offer = _take_up(connection, secret, self._office.now())
            held = people_of(connection, {person_id})[0].roles.get(offer.branch_id, frozenset())
            self._people.give(connection, by, person_id, offer.branch_id, held | offer.roles)


def _invitation(connection: Connection, secret: str, now: datetime) -> Invitation:
    i = table.c
    row = connection.execute(
        select(table)
        .join(branches, branches.c.branch_id == i.branch_id)
        .where(i.digest == digest(secret), i.accepted_at.is_(None), i.expires_at > now, branches.c.active)
    ).first()
    if row is None:
        raise SignInFailed(
            "Cannot take up this invitation: it is unknown, was used, or is over.",
            "Ask the administrator of your branch for a new one.",
        )
    return _as_invitation(row)


def _take_up(connection: Connection, secret: str, now: datetime) -> Invitation:
    offer = _invitation(connection, secret, now)
    connection.execute(
        update(table)
        .where(table.c.invitation_id == offer.invitation_id)
        # The name has served: kept here, it would outlast the erasure of its person.
        .values(accepted_at=now, name="")
    )
    return offer


def _as_invitation(row: Any) -> Invitation:
    return Invitation(
        row.invitation_id, row.branch_id, frozenset(Role(r) for r in row.roles), row.name, row.expires_at
    )

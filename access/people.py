"""People: who they are here, their roles, invitations, what is kept of them, and its erasure.

Kept of a person: a login, the name shown, their roles, what they sign in with, and when they were
added. No telephone number, no address, no birthday, no identity number.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from access.branches import row_of
from access.keys import digest, new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action, Role
from access.roster import RosterProblem, RosterRow
from access.scopes import tree
from access.tables import (
    branches,
    group_members,
    invitations,
    partnerships,
    people,
    roles,
    sessions,
    tokens,
)
from kb.errors import Conflict, InvalidRequest, NotFound, SignInFailed
from kb.model import derive_id

INVITATION_DAYS = 14
_LOGIN = re.compile(r"[\w.@-]{2,40}")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Person:
    """A person as administrators see one. `roles` are by branch id."""

    person_id: str
    login: str
    name: str
    active: bool
    operator: bool
    has_second_factor: bool
    added_at: datetime
    roles: dict[str, frozenset[Role]]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offer of roles in a branch, taken up by whoever has its secret; `secret` is given out once."""

    invitation_id: str
    branch_id: str
    roles: frozenset[Role]
    name: str
    expires_at: datetime
    secret: str = ""


def login_key(login: str) -> str:
    """The form under which a login is unique: NFKC, no case.

    >>> login_key("Ｗang.Li") == login_key("wang.li")
    True
    """
    return unicodedata.normalize("NFKC", login).strip().casefold()


class People:
    """Everyone who may sign in."""

    def __init__(self, office: Office) -> None:
        self._office = office

    # -- seeing -----------------------------------------------------------------

    def of_branch(self, by: Principal, branch_id: str) -> list[Person]:
        """People with a role in the branch, by name.

        Raises:
            NotFound, SignInRequired, Refused: no such branch, or the asker may not see them.
        """
        by.require(Action.SEE_PEOPLE, branch_id)
        with self._office.reading() as connection:
            row_of(connection, branch_id)
            ids = connection.execute(
                select(roles.c.person_id).where(roles.c.branch_id == branch_id)
            ).scalars()
            return _people(connection, set(ids))

    def get(self, by: Principal, person_id: str) -> Person:
        """A person, for themselves, for those who may see a branch of theirs, and for operators.

        Raises:
            NotFound: there is none, or the asker may not see them.
        """
        with self._office.reading() as connection:
            return self._seen(connection, by, person_id)

    def _seen(self, connection: Connection, by: Principal, person_id: str) -> Person:
        by.require_person()
        found = _people(connection, {person_id})
        if found and (
            by.person_id == person_id
            or by.operator
            or any(by.may(Action.SEE_PEOPLE, b) for b in found[0].roles)
        ):
            return found[0]
        raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")

    def names(self, by: Principal, person_ids: Iterable[str]) -> dict[str, str]:
        """Names of those of the people whom the asker may know: of their own branches, and themselves."""
        wanted = set(person_ids)
        with self._office.reading() as connection:
            found = _people(connection, wanted)
        return {
            p.person_id: p.name
            for p in found
            if by.operator or p.person_id == by.person_id or by.branches & p.roles.keys()
        }

    def operators(self, by: Principal) -> list[Person]:
        """The operators of the installation, for operators."""
        by.require_operator()
        with self._office.reading() as connection:
            ids = connection.execute(select(people.c.person_id).where(people.c.operator)).scalars()
            return _people(connection, set(ids))

    def without_branch(self, by: Principal) -> list[Person]:
        """People who have no role anywhere and are no operators, for operators: nobody else sees them."""
        by.require_operator()
        with self._office.reading() as connection:
            ids = connection.execute(
                select(people.c.person_id).where(
                    people.c.login.is_not(None),
                    ~people.c.operator,
                    people.c.person_id.not_in(select(roles.c.person_id)),
                )
            ).scalars()
            return _people(connection, set(ids))

    def n_active(self) -> int:
        """How many people can sign in. For the state of the installation only."""
        with self._office.reading() as connection:
            return connection.execute(
                select(func.count()).select_from(people).where(people.c.active)
            ).scalar_one()

    # -- adding -----------------------------------------------------------------

    def add(
        self,
        by: Principal | None,
        login: str,
        name: str,
        *,
        password: str | None = None,
        change_password: bool = True,
        operator: bool = False,
        subject: str | None = None,
        within: Connection | None = None,
    ) -> str:
        """Make a person without a role and return the id; for the operator at the machine and this package.

        `password` is as `access.passwords` keeps it.

        Raises:
            InvalidRequest: login or name make no sense.
            Conflict: the login is taken.
        """
        login, name = _checked_login(login), _checked_name(name)
        if within is None:
            with self._office.writing() as connection:
                return self.add(
                    by,
                    login,
                    name,
                    password=password,
                    change_password=change_password,
                    operator=operator,
                    subject=subject,
                    within=connection,
                )
        key = login_key(login)
        if within.execute(select(people.c.person_id).where(people.c.login_key == key)).first():
            raise Conflict(f"Cannot take the login {login}: somebody has it.", "Take another one.")
        now = self._office.now()
        # Drawn, not derived from the login: an id stays in the trail after the person is forgotten.
        person_id = derive_id("person", new_secret())
        within.execute(
            insert(people).values(
                person_id=person_id,
                login=login,
                login_key=key,
                name=name,
                password=password,
                change_password=change_password,
                subject=subject,
                operator=operator,
                active=True,
                recovery=[],
                added_at=now,
            )
        )
        self._office.audit.write(within, by, "person.add", "person", person_id, operator=operator)
        return person_id

    def invite(self, by: Principal, branch_id: str, wanted: frozenset[Role], name: str) -> Invitation:
        """Offer roles in a branch. The secret goes into a link that works once, for two weeks.

        Raises:
            InvalidRequest: no role, or no name.
            NotFound, SignInRequired, Refused: no such branch, or not the asker's to offer.
        """
        by.require(Action.MANAGE_PEOPLE, branch_id)
        if not wanted:
            raise InvalidRequest("Cannot invite without a role.", "Choose at least one.")
        name, secret = _checked_name(name), new_secret()
        expires_at = self._office.now() + timedelta(days=INVITATION_DAYS)
        with self._office.writing() as connection:
            row_of(connection, branch_id)
            invitation_id = derive_id("invitation", digest(secret))
            connection.execute(
                insert(invitations).values(
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

    def invitation(self, secret: str) -> Invitation:
        """The offer that the secret opens.

        Raises:
            SignInFailed: it is none, was taken up, or is over.
        """
        with self._office.reading() as connection:
            return _invitation(connection, secret, self._office.now())

    def invitations(self, by: Principal, branch_id: str) -> list[Invitation]:
        """Offers of a branch that are still open.

        Raises:
            NotFound, SignInRequired, Refused: no such branch, or the asker may not see them.
        """
        by.require(Action.MANAGE_PEOPLE, branch_id)
        i = invitations.c
        with self._office.reading() as connection:
            row_of(connection, branch_id)
            rows = connection.execute(
                select(invitations)
                .where(i.branch_id == branch_id, i.accepted_at.is_(None), i.expires_at > self._office.now())
                .order_by(i.expires_at)
            )
            return [_as_invitation(r) for r in rows]

    def withdraw_invitation(self, by: Principal, invitation_id: str) -> None:
        """Take an offer back.

        Raises:
            NotFound, SignInRequired, Refused: there is none, or it is not the asker's to take back.
        """
        i = invitations.c
        with self._office.writing() as connection:
            row = connection.execute(select(i.branch_id).where(i.invitation_id == invitation_id)).first()
            if row is None or not by.may(Action.MANAGE_PEOPLE, row.branch_id):
                by.require_person()
                raise NotFound(f"No invitation {invitation_id} here.", "It may have been taken up.")
            connection.execute(delete(invitations).where(i.invitation_id == invitation_id))
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
            person_id = self.add(
                None, login, name, password=password, change_password=False, within=connection
            )
            self._give(connection, None, person_id, offer.branch_id, offer.roles)
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
            held = _people(connection, {person_id})[0].roles.get(offer.branch_id, frozenset())
            self._give(connection, by, person_id, offer.branch_id, held | offer.roles)

    # -- changing ---------------------------------------------------------------

    def set_roles(
        self, by: Principal | None, person_id: str, branch_id: str, wanted: frozenset[Role]
    ) -> None:
        """Give a person exactly these roles in a branch; none takes them out of it.

        Raises:
            NotFound: there is no such person or branch, or the asker may not see them.
            Conflict: the asker's own roles were changed meanwhile.
            SignInRequired, Refused: the asker may not.
        """
        if by is not None:
            by.require(Action.MANAGE_PEOPLE, branch_id)
        with self._office.writing() as connection:
            _check_unchanged(connection, by)
            row_of(connection, branch_id)
            if by is not None:
                # Whoever is not seen is invited, and says yes: an id alone does not draw a person in.
                self._seen(connection, by, person_id)
            elif not _people(connection, {person_id}):
                raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
            self._give(connection, by, person_id, branch_id, wanted)

    def _give(
        self,
        connection: Connection,
        by: Principal | None,
        person_id: str,
        branch_id: str,
        wanted: frozenset[Role],
    ) -> None:
        connection.execute(
            delete(roles).where(roles.c.person_id == person_id, roles.c.branch_id == branch_id)
        )
        for role in sorted(wanted):
            connection.execute(
                insert(roles).values(person_id=person_id, branch_id=branch_id, role=role.value)
            )
        if not wanted:
            _leave(connection, person_id, branch_id)
        self._office.audit.write(
            connection, by, "person.roles", "person", person_id, branch_id=branch_id, roles=sorted(wanted)
        )

    def rename(self, by: Principal, person_id: str, name: str) -> None:
        """Give a person another name to be shown; one's own, or that of a person one manages.

        Raises:
            InvalidRequest: the name makes no sense.
            NotFound, SignInRequired, Refused: no such person, or not the asker's to rename.
        """
        name = _checked_name(name)
        with self._office.writing() as connection:
            person = self._seen(connection, by, person_id)
            if by.person_id != person_id:
                self._require_manager(by, person)
            connection.execute(update(people).where(people.c.person_id == person_id).values(name=name))
            self._audit_each(connection, by, "person.rename", person)

    def set_active(self, by: Principal | None, person_id: str, *, active: bool) -> None:
        """Shut a person out at once, with every session and token; or let them in again.

        Raises:
            Conflict: it is the last operator.
            NotFound, SignInRequired, Refused: no such person, or not the asker's to shut out.
        """
        with self._office.writing() as connection:
            self._set_active(connection, by, self._managed(connection, by, person_id), active=active)

    def _set_active(
        self, connection: Connection, by: Principal | None, person: Person, *, active: bool
    ) -> None:
        connection.execute(update(people).where(people.c.person_id == person.person_id).values(active=active))
        if not active:
            if person.operator:
                _check_operator_left(connection)
            connection.execute(delete(sessions).where(sessions.c.person_id == person.person_id))
        action = "person.activate" if active else "person.deactivate"
        self._audit_each(connection, by, action, person)

    def set_operator(self, by: Principal | None, person_id: str, *, operator: bool) -> None:
        """Make a person an operator of the installation, or no longer one.

        Raises:
            Conflict: it is the last operator.
            NotFound, SignInRequired, Refused: no such person, or the asker is no operator.
        """
        if by is not None:
            by.require_operator()
        with self._office.writing() as connection:
            _check_unchanged(connection, by)
            if not _people(connection, {person_id}):
                raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
            connection.execute(
                update(people).where(people.c.person_id == person_id).values(operator=operator)
            )
            if not operator:
                _check_operator_left(connection)
            self._office.audit.write(
                connection, by, "person.operator", "person", person_id, operator=operator
            )

    def erase(self, by: Principal | None, person_id: str) -> None:
        """Forget a person: name, login, roles, everything they sign in with. Their id stays in the audit trail.

        One may erase oneself. What they handed in to a branch stays with the branch.

        Raises:
            Conflict: it is the last operator.
            NotFound, SignInRequired, Refused: no such person, or not the asker's to erase.
        """
        with self._office.writing() as connection:
            person = self._managed(connection, by, person_id, oneself=True)
            self._audit_each(connection, by, "person.erase", person)
            for table in (roles, sessions, tokens):
                connection.execute(delete(table).where(table.c.person_id == person_id))
            connection.execute(delete(group_members).where(group_members.c.member == f"person:{person_id}"))
            p = partnerships.c
            for side in (p.proposer_liaison, p.partner_liaison):
                connection.execute(update(partnerships).where(side == person_id).values({side.name: None}))
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(
                    login=None,
                    login_key=None,
                    name="已注销",
                    password=None,
                    subject=None,
                    totp_secret=None,
                    totp_step=None,
                    recovery=[],
                    active=False,
                    operator=False,
                )
            )
            if person.operator:
                _check_operator_left(connection)

    def managed(self, by: Principal, person_id: str) -> Person:
        """A person whom the asker manages.

        Raises:
            NotFound, SignInRequired, Refused: no such person, or not the asker's to manage.
        """
        with self._office.reading() as connection:
            return self._managed(connection, by, person_id)

    def _managed(
        self, connection: Connection, by: Principal | None, person_id: str, *, oneself: bool = False
    ) -> Person:
        """The person, if the asker may manage them; `by` None is the operator at the machine."""
        if by is None:
            found = _people(connection, {person_id})
            if not found:
                raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
            return found[0]
        person = self._seen(connection, by, person_id)
        if oneself and by.person_id == person_id:
            return person
        _check_unchanged(connection, by)
        self._require_manager(by, person)
        return person

    def _require_manager(self, by: Principal, person: Person) -> None:
        """An administrator manages whoever has all their roles in branches of the administrator's; operators all."""
        if by.operator:
            by.require_operator()
            return
        if person.operator:
            by.require_operator()
        for branch_id in person.roles:
            by.require(Action.MANAGE_PEOPLE, branch_id)

    def _audit_each(self, connection: Connection, by: Principal | None, action: str, person: Person) -> None:
        of_branches: list[str | None] = [*person.roles]
        for branch_id in of_branches or [None]:
            self._office.audit.write(connection, by, action, "person", person.person_id, branch_id=branch_id)

    # -- the roster -------------------------------------------------------------

    def roster(self, by: Principal, branch_ids: Iterable[str]) -> list[RosterRow]:
        """The people of the branches as rows of a roster.

        Raises:
            SignInRequired, Refused: one of the branches is not the asker's to export.
        """
        found: list[RosterRow] = []
        with self._office.writing() as connection:
            for branch_id in branch_ids:
                by.require(Action.MANAGE_PEOPLE, branch_id)
                name = row_of(connection, branch_id).name
                ids = connection.execute(
                    select(roles.c.person_id).where(roles.c.branch_id == branch_id)
                ).scalars()
                for person in _people(connection, set(ids)):
                    held = tuple(r.value for r in Role if r in person.roles[branch_id])
                    found.append(
                        RosterRow(len(found) + 2, person.login, person.name, name, held, person.active)
                    )
                self._office.audit.write(
                    connection, by, "person.export", "branch", branch_id, branch_id=branch_id
                )
        return found

    def take_roster(
        self,
        by: Principal,
        rows: Iterable[RosterRow],
        hashed: Mapping[str, str],
        *,
        check_only: bool = False,
    ) -> tuple[list[str], list[RosterProblem]]:
        """Put a roster in as one change: all of it, or nothing where there is a problem; the logins that are new.

        `hashed` has the first password, as `access.passwords` keeps it, of each login; used for new people, who
        must change it. People not on the roster stay as they are. `check_only` tells the same and changes nothing.
        """
        fresh: list[str] = []
        problems: list[RosterProblem] = []
        with self._office.writing() as connection:
            known = {
                b.branch_id: b.name for b in connection.execute(select(branches).where(branches.c.active))
            }
            for row in rows:
                try:
                    # A savepoint: what a wrong row did is undone, and the next rows are still checked.
                    with connection.begin_nested():
                        if self._take_row(connection, by, row, known, hashed):
                            fresh.append(row.login)
                except _WrongCell as wrong:
                    problems.append(RosterProblem(row.row, wrong.column, wrong.message))
            if problems or check_only:
                connection.rollback()
        return ([], problems) if problems else (fresh, [])

    def _take_row(
        self,
        connection: Connection,
        by: Principal,
        row: RosterRow,
        known: dict[str, str],
        hashed: Mapping[str, str],
    ) -> bool:
        named = [
            b for b, name in known.items() if row.branch in (b, name) and by.may(Action.MANAGE_PEOPLE, b)
        ]
        if len(named) != 1:
            seen = "有不止一个" if named else "没有"
            raise _WrongCell("支部", f"在您管理的支部里{seen}叫“{row.branch}”的。请写全称，或写支部编号。")
        branch_id = named[0]
        person_id = connection.execute(
            select(people.c.person_id).where(people.c.login_key == login_key(row.login))
        ).scalar()
        new = person_id is None
        if person_id is None:
            try:
                person_id = self.add(by, row.login, row.name, password=hashed[row.login], within=connection)
            except (InvalidRequest, Conflict) as error:
                raise _WrongCell(
                    "登录名", "登录名为 2 至 40 个字母、数字、汉字或 . _ - @；姓名不超过 40 个字。"
                ) from error
        else:
            person = _people(connection, {person_id})[0]
            if not any(by.may(Action.MANAGE_PEOPLE, b) for b in person.roles):
                raise _WrongCell("登录名", f"登录名“{row.login}”已被使用。请换一个，或请对方接受邀请加入。")
            elsewhere = person.operator or not all(by.may(Action.MANAGE_PEOPLE, b) for b in person.roles)
            if person.active != row.active and elsewhere:
                raise _WrongCell("状态", f"“{row.login}”还在别的支部任职，不能在这里停用或启用。")
        self._give(connection, by, person_id, branch_id, frozenset(Role(r) for r in row.roles))
        person = _people(connection, {person_id})[0]
        if person.active != row.active:
            self._set_active(connection, by, person, active=row.active)
        return new


class _WrongCell(Exception):
    """A row of a roster cannot be taken because of one cell."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def _people(connection: Connection, person_ids: set[str]) -> list[Person]:
    """Those of the people who are known and not erased, by name."""
    rows = connection.execute(
        select(people)
        .where(people.c.person_id.in_(person_ids), people.c.login.is_not(None))
        .order_by(people.c.name, people.c.login_key)
    ).all()
    held: dict[str, dict[str, set[Role]]] = {}
    for r in connection.execute(select(roles).where(roles.c.person_id.in_(person_ids))):
        held.setdefault(r.person_id, {}).setdefault(r.branch_id, set()).add(Role(r.role))
    return [
        Person(
            r.person_id,
            r.login,
            r.name,
            r.active,
            r.operator,
            r.totp_secret is not None,
            r.added_at,
            {b: frozenset(found) for b, found in sorted(held.get(r.person_id, {}).items())},
        )
        for r in rows
    ]


def _invitation(connection: Connection, secret: str, now: datetime) -> Invitation:
    i = invitations.c
    row = connection.execute(
        select(invitations)
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
        update(invitations)
        .where(invitations.c.invitation_id == offer.invitation_id)
        # The name has served: kept here, it would outlast the erasure of its person.
        .values(accepted_at=now, name="")
    )
    return offer


def _as_invitation(row: Any) -> Invitation:
    return Invitation(
        row.invitation_id, row.branch_id, frozenset(Role(r) for r in row.roles), row.name, row.expires_at
    )


def _leave(connection: Connection, person_id: str, branch_id: str) -> None:
    """Take a person who left a branch off the partnerships of it."""
    p = partnerships.c
    for branch, liaison in ((p.proposer_id, p.proposer_liaison), (p.partner_id, p.partner_liaison)):
        connection.execute(
            update(partnerships).where(branch == branch_id, liaison == person_id).values({liaison.name: None})
        )


def _check_operator_left(connection: Connection) -> None:
    n = connection.execute(
        select(func.count()).select_from(people).where(people.c.operator, people.c.active)
    ).scalar_one()
    if n == 0:
        raise Conflict(
            "Cannot do this: no operator of the installation would be left.", "Make another person one first."
        )


def _check_unchanged(connection: Connection, by: Principal | None) -> None:
    """The asker was let in before this transaction began; what they are may have been taken away since."""
    if by is None:
        return
    now = _people(connection, {by.require_person()})
    known = tree(connection)
    # Roles in branches out of use rest: a principal has none of them.
    held = {b: found for b, found in now[0].roles.items() if known.above([b])} if now else {}
    if not now or not now[0].active or (by.operator and not now[0].operator) or held != dict(by.roles):
        raise Conflict(
            "Cannot do this: your own account or roles were changed meanwhile.",
            "See how things stand, and try again.",
        )


def _checked_login(login: str) -> str:
    found = unicodedata.normalize("NFKC", login).strip()
    if not _LOGIN.fullmatch(found):
        raise InvalidRequest(
            f"Cannot take the login {found[:40]!r}.", "Take 2 to 40 letters, digits, characters, or . _ - @"
        )
    return found


def _checked_name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise InvalidRequest(
            f"Cannot take {found[:40]!r} as a name.", f"Take 1 to {_LONGEST_NAME} characters."
        )
    return found

"""People: who they are here, their roles, what is kept of them, and its erasure.

Kept of a person: a login, the name shown, their roles, what they sign in with, and when they were
added. No telephone number, no address, no birthday, no identity number.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from access.branches import row_of
from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action, Role
from access.scopes import tree
from access.tables import (
    group_members,
    partnerships,
    people,
    roles,
    sessions,
    tokens,
)
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id

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


def login_key(login: str) -> str:
    """The form under which a login is unique: NFKC, no case.

    >>> login_key("Ｗang.Li") == login_key("wang.li")
    True
    """
    return unicodedata.normalize("NFKC", login).strip().casefold()


def is_known(by: Principal, person_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a row of `people` is the person in this column, and one of the asker's branches still."""
    with_asker = select(roles.c.person_id).where(roles.c.branch_id.in_(sorted(by.branches)))
    return (people.c.person_id == person_id) & people.c.person_id.in_(with_asker)


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
            return people_of(connection, set(ids))

    def get(self, by: Principal, person_id: str) -> Person:
        """A person, for themselves, for those who may see a branch of theirs, and for operators.

        Raises:
            NotFound: there is none, or the asker may not see them.
        """
        with self._office.reading() as connection:
            return self._seen(connection, by, person_id)

    def _seen(self, connection: Connection, by: Principal, person_id: str) -> Person:
        by.require_person()
        found = people_of(connection, {person_id})
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
            found = people_of(connection, wanted)
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
            return people_of(connection, set(ids))

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
            return people_of(connection, set(ids))

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
        login, name = _checked_login(login), checked_name(name)
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
            elif not people_of(connection, {person_id}):
                raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
            self.give(connection, by, person_id, branch_id, wanted)

    def give(
        self,
        connection: Connection,
        by: Principal | None,
        person_id: str,
        branch_id: str,
        wanted: frozenset[Role],
    ) -> None:
        """Give a person exactly these roles in a branch; for this package, which has checked that it may be."""
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
        name = checked_name(name)
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
            self.switch(connection, by, self._managed(connection, by, person_id), active=active)

    def switch(self, connection: Connection, by: Principal | None, person: Person, *, active: bool) -> None:
        """Shut a person out or let them in; for this package, which has checked that it may be."""
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
            if not people_of(connection, {person_id}):
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
        """Forget a person: name, login, roles, what they sat, everything they sign in with.

        One may erase oneself. Their id stays in the audit trail. What they handed in to a branch stays with the branch.

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
            for part in self._office.personal_data:
                part.forget(connection, person_id)
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
            found = people_of(connection, {person_id})
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


def people_of(connection: Connection, person_ids: set[str]) -> list[Person]:
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


def branches_of(connection: Connection, person_id: str) -> set[str]:
    """Branches in which a person who is not shut out has a role."""
    rows = connection.execute(
        select(roles.c.branch_id)
        .join(people, people.c.person_id == roles.c.person_id)
        .where(roles.c.person_id == person_id, people.c.active)
    )
    return set(rows.scalars())


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
    now = people_of(connection, {by.require_person()})
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


def checked_name(name: str) -> str:
    """A name as it is kept.

    Raises:
        InvalidRequest: it is empty, too long, or holds what cannot be printed.
    """
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise InvalidRequest(
            f"Cannot take {found[:40]!r} as a name.", f"Take 1 to {_LONGEST_NAME} characters."
        )
    return found

"""People and branches for tests, made without the costs of real passwords."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import update

from access.passwords import Passwords
from access.principal import Power, Principal
from access.rights import Role
from access.second_factor import new_secret
from access.tables import people
from api.services import Services

CHEAP = Passwords(memory_kib=8, passes=1)
"""Passwords that cost nothing to check; for `build_services`."""


def found_branches(services: Services, *branch_ids: str) -> None:
    """Branches at the top of a tree each."""
    for branch_id in branch_ids:
        services.access.branches.found(None, f"{branch_id}支部", branch_id=branch_id)


def add_person(
    services: Services, login: str, roles: Mapping[str, Role] | None = None, *, operator: bool = False
) -> str:
    """A person with one role in each branch, and a second factor where one is asked for; the id."""
    person_id = services.access.people.add(
        None, login, f"{login}名", change_password=False, operator=operator
    )
    for branch_id, role in (roles or {}).items():
        services.access.people.set_roles(None, person_id, branch_id, frozenset({role}))
    if operator or Role.ADMINISTRATOR in (roles or {}).values():
        office = services.access.office
        with office.writing() as connection:
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(totp_secret=office.keys.lock(new_secret()))
            )
    return person_id


def principal(services: Services, person_id: str) -> Principal:
    """The person as they are now."""
    return services.access.sessions.principal_of(person_id)


def bearer(services: Services, person_id: str, powers: frozenset[Power] = frozenset(Power)) -> dict[str, str]:
    """Headers of a request by an API token of the person."""
    sessions = services.access.sessions
    by = sessions.principal(sessions.sign_in_as(person_id, "test"))
    if not by.settled:
        # An administrator without a second factor: as if it had been given.
        by = replace(sessions.principal_of(person_id), session="test")
    token = services.access.tokens.make(by, "test", powers, 1)
    return {"authorization": f"Bearer {token.secret}"}

"""From a person's id to the principal of this request."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, select

from access.principal import Principal
from access.rights import Role
from access.scopes import Scopes
from access.tables import people, roles


@dataclass(frozen=True, slots=True)
class Policy:
    """What signing in takes: whether administrators need a second factor, and how long a session lasts."""

    second_factor: bool = True
    idle_hours: int = 12
    longest_days: int = 7


def principal_of(
    connection: Connection,
    person_id: str,
    *,
    today: date,
    policy: Policy,
    second_factor: bool,
    session: str | None = None,
) -> Principal | None:
    """The person as a principal with their scope; None if they were shut out.

    `second_factor` tells whether it was given (or, for a token, need not be). While it or a new password is
    due, the principal is not settled and sees only what everyone sees.
    """
    person = connection.execute(
        select(people).where(people.c.person_id == person_id, people.c.active)
    ).first()
    if person is None:
        return None
    held: dict[str, set[Role]] = {}
    for row in connection.execute(select(roles).where(roles.c.person_id == person_id)):
        held.setdefault(row.branch_id, set()).add(Role(row.role))
    scopes = Scopes(connection, today)
    in_use = {b: frozenset(found) for b, found in held.items() if scopes.tree.above([b])}
    administers = frozenset(b for b, found in in_use.items() if Role.ADMINISTRATOR in found)
    due = policy.second_factor and (person.operator or administers) and person.totp_secret is None
    settled = not (person.change_password or due or (person.totp_secret is not None and not second_factor))
    found = Principal(
        person_id=person_id,
        login=person.login,
        name=person.name,
        operator=person.operator,
        session=session,
        settled=settled,
    )
    if not settled:
        return found
    return replace(
        found,
        scope=scopes.of_person(person_id, in_use),
        roles=in_use,
        administered=scopes.tree.below(administers),
        partners=frozenset(scopes.partners(scopes.tree.above(in_use))),
    )

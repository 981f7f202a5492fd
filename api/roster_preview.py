"""What a roster would change, told before it is taken in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from access.branches import Branch
from access.people import Person, login_key
from access.rights import Role
from access.roster import RosterRow


class Effect(StrEnum):
    """What a row does to a person."""

    NEW = "new"
    JOINS = "joins"
    CHANGES = "changes"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """One row and what it does. `before` are the roles that the person has in the branch."""

    row: RosterRow
    effect: Effect
    before: frozenset[Role] = frozenset()


def changes(
    rows: Iterable[RosterRow], fresh: Iterable[str], held: Mapping[str, Person], branches: Iterable[Branch]
) -> list[Change]:
    """What each row does. `fresh` are the logins that are new, `held` the people of the branches by login key."""
    unknown = {login_key(login) for login in fresh}
    id_of = {b.name: b.branch_id for b in branches}
    found = []
    for row in rows:
        key = login_key(row.login)
        person = held.get(key)
        before = person.roles.get(id_of.get(row.branch, row.branch), frozenset()) if person else frozenset()
        wanted = frozenset(Role(r) for r in row.roles)
        if key in unknown:
            effect = Effect.NEW
        elif not before:
            effect = Effect.JOINS
        elif before == wanted and person is not None and person.active == row.active:
            effect = Effect.NOTHING
        else:
            effect = Effect.CHANGES
        found.append(Change(row, effect, before))
    return found

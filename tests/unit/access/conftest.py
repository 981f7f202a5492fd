"""Access on a store of its own, with a clock that the test moves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from access.access import Access, open_access
from access.keys import Keys
from access.principal import Principal
from access.resolve import Policy
from access.rights import Role
from store.catalog import Catalog
from store.database import open_database
from tests.people import CHEAP


@dataclass
class Clock:
    """The time as the test has it."""

    at: datetime = datetime(2026, 3, 2, 8, 0)

    def now(self) -> datetime:
        """This moment."""
        return self.at

    def today(self) -> date:
        """This day."""
        return self.at.date()

    def pass_(self, **time: float) -> None:
        """Let time go by."""
        self.at += timedelta(**time)


@dataclass
class House:
    """Access with its clock and store, and people by login."""

    access: Access
    catalog: Catalog
    clock: Clock
    ids: dict[str, str] = field(default_factory=dict)

    def branch(self, branch_id: str, parent: str | None = None) -> str:
        """A branch, below another or at the top."""
        from access.branches import Level

        above = {b.branch_id: b for b in self.access.branches.all()}.get(parent or "")
        level = Level.COMMITTEE if above is None else Level.GENERAL if above.depth == 0 else Level.BRANCH
        self.access.branches.found(
            None, f"{branch_id}组织", branch_id=branch_id, parent_id=parent, level=level
        )
        return branch_id

    def person(
        self,
        login: str,
        roles: Mapping[str, Role] | None = None,
        *,
        operator: bool = False,
        password: str = "",
    ) -> str:
        """A person with one role in each branch."""
        hashed = CHEAP.hashed(password, login=login) if password else None
        person_id = self.access.people.add(
            None, login, f"{login}名", password=hashed, change_password=False, operator=operator
        )
        for branch_id, role in (roles or {}).items():
            self.access.people.set_roles(None, person_id, branch_id, frozenset({role}))
        self.ids[login] = person_id
        return person_id

    def by(self, login: str) -> Principal:
        """The person as they are now."""
        return replace(self.access.sessions.principal_of(self.ids[login]), session="test")

    def partners(self, one: str, other: str, days: int = 30) -> str:
        """A partnership in force from today."""
        return self.access.partnerships.propose(
            None, one, other, None, self.clock.today() + timedelta(days=days), agreed=True
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty installation."""
    clock = Clock()
    catalog = Catalog(open_database(f"sqlite:///{tmp_path / 'catalog.db'}"))
    access = open_access(
        catalog,
        Keys(b"k" * 32),
        policy=Policy(second_factor=False),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    yield House(access, catalog, clock)
    catalog.engine.dispose()

"""Three organisations with branches and liaisons, their published cases, and votes over them."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from access.access import open_access
from access.keys import Keys
from access.office import Office
from access.principal import Principal
from access.resolve import Policy
from access.rights import Role
from access.sharing import Wanted
from access.tables import people
from cases.ballots import Ballots
from cases.library import Library, put_version
from cases.model import Field, State
from cases.tables import cases
from kb.model import Kind, derive_id
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House

BRANCHES = ("jia-1", "jia-2", "yi-1", "yi-2", "bing-1")
"""Branches that vote; each has a liaison of the same name. 甲一 is a partner of 乙一, 乙二 and 丙一."""
TOPS = ("jia", "yi", "bing")
HOUR = timedelta(hours=1)


@dataclass
class Room:
    """Ballots on a store of their own."""

    house: House
    ballots: Ballots
    library: Library

    @property
    def clock(self) -> Clock:
        """The wall clock."""
        return self.house.clock

    @property
    def office(self) -> Office:
        """What the services work with."""
        return self.house.access.office

    def by(self, login: str) -> Principal:
        """A person as they are now; liaisons are called as their branches."""
        return self.house.by(login)

    def case(
        self, name: str, branch_id: str | None, to: Sequence[str] = (), *, derived_from: str | None = None
    ) -> str:
        """A case that the branch published now, for itself and for the tokens; its id."""
        document = make_document(name, kind=Kind.CASE, title=name)
        own = [f"branch:{branch_id}"] if branch_id else []
        put(self.house.catalog, document, audience=[*own, *to], branch_id=branch_id)
        case_id = derive_id("case", name)
        with self.office.writing() as connection:
            connection.execute(
                insert(cases).values(
                    case_id=case_id,
                    branch_id=branch_id,
                    state=State.PUBLISHED.value,
                    revision=0,
                    document_id=document.document_id,
                    derived_from=derived_from,
                    note="",
                    begun_at=self.clock.now(),
                    changed_at=self.clock.now(),
                )
            )
            put_version(
                connection,
                document.document_id,
                case_id,
                revision=0,
                body={Field.TITLE: name},
                attachments=(),
                published_by=None,
                published_at=self.clock.now(),
            )
        return case_id

    def draft(self, name: str, branch_id: str, derived_from: str) -> str:
        """A case that the branch began and has not published; its id."""
        case_id = derive_id("case", name)
        with self.office.writing() as connection:
            connection.execute(
                insert(cases).values(
                    case_id=case_id,
                    branch_id=branch_id,
                    state=State.DRAFT.value,
                    revision=0,
                    derived_from=derived_from,
                    note="",
                    begun_at=self.clock.now(),
                    changed_at=self.clock.now(),
                )
            )
        return case_id

    def withdraw(self, case_id: str) -> None:
        """Take the document of a case out."""
        with self.office.writing() as connection:
            document_id = connection.execute(
                select(cases.c.document_id).where(cases.c.case_id == case_id)
            ).scalar_one()
            self.house.catalog.remove(document_id, within=connection)

    def call(
        self,
        to: Collection[str] = ("branch:yi-1", "branch:yi-2", "branch:bing-1", "branch:jia-2"),
        *,
        n_votes: int = 2,
        n_models: int = 1,
        title: str = "年度评选",
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
    ) -> str:
        """A ballot that 甲一 calls, open for an hour from now; its id."""
        opens_at = opens_at or self.clock.now()
        return self.ballots.call(
            self.by("jia-1"),
            "jia-1",
            title,
            opens_at,
            closes_at or opens_at + HOUR,
            n_votes,
            n_models,
            [Wanted(a) for a in to],
        )

    def up(self, ballot_id: str, *case_ids: str) -> None:
        """Put cases up for the vote, each by the liaison of its branch."""
        with self.office.reading() as connection:
            of = {r.case_id: r.branch_id for r in connection.execute(select(cases))}
        for case_id in case_ids:
            self.ballots.nominate(self.by(of[case_id]), ballot_id, case_id)

    def vote(self, ballot_id: str, branch_id: str, *case_ids: str) -> None:
        """Cast the votes of a branch by its liaison."""
        self.ballots.vote(self.by(branch_id), ballot_id, branch_id, case_ids)

    def count(self, ballot_id: str, login: str) -> dict[str, int]:
        """Votes by case as the person is told of them."""
        return {s.case_id: s.n_votes for s in self.ballots.result(self.by(login), ballot_id)}


def found(folder: Path) -> Path:
    """Make the organisations, their people and partnerships in a new folder; the same folder."""
    folder.mkdir()
    with opened(folder) as room:
        house = room.house
        for top in TOPS:
            house.branch(top)
        for branch_id in BRANCHES:
            house.branch(branch_id, branch_id.partition("-")[0])
            house.person(branch_id, {branch_id: Role.LIAISON})
        house.person("member", {"yi-1": Role.MEMBER})
        house.person("top", {"jia": Role.ADMINISTRATOR})
        house.person("stranger", {"bing": Role.LIAISON})
        for other in ("yi-1", "yi-2", "bing-1"):
            house.partners("jia-1", other)
        house.partners("yi-1", "bing-1")
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[Room]:
    """The room of a folder; closed in the end."""
    clock = Clock()
    catalog = Catalog(open_database(f"sqlite:///{folder / 'catalog.db'}"))
    access = open_access(
        catalog,
        Keys(b"k" * 32),
        policy=Policy(second_factor=False),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    house = House(access, catalog, clock)
    with access.office.reading() as connection:
        house.ids = {r.login: r.person_id for r in connection.execute(select(people))}
    yield Room(house, Ballots(access.office, access.sharing), Library(access.office, catalog, lambda _: {}))
    catalog.engine.dispose()


@contextmanager
def copied(folder: Path, to: Path) -> Iterator[Room]:
    """The same on a copy of its own."""
    shutil.copytree(folder, to)
    with opened(to) as room:
        yield room
    shutil.rmtree(to)

"""Branches with people of every role, and cases shared as a test says, on a store without an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from access.access import Access, open_access
from access.keys import Keys
from access.office import Office
from access.principal import Principal
from access.resolve import Policy
from access.rights import Role
from access.tables import group_members, groups
from cases.adoptions import Adoptions
from cases.library import Library
from cases.model import Effect, Field, Progress
from cases.tables import adoption_steps, adoptions, cases, feedback
from kb.model import Document, Kind
from store.catalog import Catalog
from store.database import open_database
from store.shares import put_shares, share, shares_of
from store.tables import documents
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House

GROUP = "group:g"
"""A group of 甲 in which 丙 and 乙's people are."""


@dataclass
class OutcomeStage:
    """The services over a house; `case_id` is a case of 甲 that 甲 and its partners see."""

    house: House
    library: Library
    adoptions: Adoptions
    case_id: str = ""
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def access(self) -> Access:
        """Who sees and does what."""
        return self.house.access

    @property
    def office(self) -> Office:
        """What the services work with."""
        return self.house.access.office

    @property
    def ids(self) -> Mapping[str, str]:
        """People by login."""
        return self.house.ids

    def by(self, login: str) -> Principal:
        """The person as they are now."""
        return self.house.by(login)

    def person(self, login: str, roles: Mapping[str, Role]) -> None:
        """One more person."""
        self.house.person(login, roles)

    def pass_(self, **time: float) -> None:
        """Let time go by."""
        self.house.clock.pass_(**time)

    def actions(self) -> list[str]:
        """What the trail tells, oldest first."""
        return [e.action for e in self.access.audit.all()]

    def case(
        self,
        branch_id: str | None,
        tokens: Sequence[str],
        *,
        title: str = "",
        derived_from: str | None = None,
    ) -> str:
        """A published case of the branch that is seen by whoever has one of the tokens."""
        name = f"案例{next(self._numbers)}"
        document = make_document(
            name, ("问题一段。", "做法一段。"), kind=Kind.CASE, issuer="公共单位", title=title or name
        )
        put(self.house.catalog, document, audience=tokens, branch_id=branch_id)
        self.library.follow()
        with self.office.writing() as connection:
            case_id: str = connection.execute(
                select(cases.c.case_id).where(cases.c.document_id == document.document_id)
            ).scalar_one()
            if derived_from:
                connection.execute(
                    update(cases).where(cases.c.case_id == case_id).values(derived_from=derived_from)
                )
        return case_id

    def reshare(self, case_id: str, tokens: Sequence[str]) -> None:
        """Share a case with whoever has one of these, and nobody else."""
        with self.office.writing() as connection:
            document_id, branch_id = connection.execute(
                select(cases.c.document_id, cases.c.branch_id).where(cases.c.case_id == case_id)
            ).one()
            given = [share(document_id, t, branch_id=branch_id, at=self.house.clock.at) for t in tokens]
            gone = {s.share_id for s in shares_of(connection, document_id)} - {s.share_id for s in given}
            put_shares(connection, document_id, given, gone)

    def withdraw(self, case_id: str = "") -> None:
        """Take a case out."""
        with self.office.reading() as connection:
            document_id = connection.execute(
                select(cases.c.document_id).where(cases.c.case_id == (case_id or self.case_id))
            ).scalar_one()
        self.house.catalog.remove(document_id)

    def put_adoption(
        self, case_id: str, branch_id: str, progress: Progress, effect: Effect | None, open: bool
    ) -> None:
        """An adoption as it would be kept, by nobody in particular."""
        row = {
            "adoption_id": f"a{next(self._numbers):015d}",
            "case_id": case_id,
            "branch_id": branch_id,
            "progress": progress.value,
            "effect": effect and effect.value,
            "note": "原因",
            "open": open,
            "changed_at": self.house.clock.at,
        }
        with self.office.writing() as connection:
            connection.execute(insert(adoptions).values(row))

    def put_feedback(self, case_id: str, branch_id: str, open: bool) -> None:
        """Feedback as it would be kept, by nobody in particular."""
        row = {
            "feedback_id": f"f{next(self._numbers):015d}",
            "case_id": case_id,
            "branch_id": branch_id,
            "text": "意见",
            "open": open,
            "given_at": self.house.clock.at,
        }
        with self.office.writing() as connection:
            connection.execute(insert(feedback).values(row))

    def clear(self) -> None:
        """Without any case and what came of it."""
        with self.office.writing() as connection:
            for table in (adoption_steps, adoptions, feedback, cases):
                connection.execute(delete(table))
            found = connection.execute(select(documents.c.document_id)).scalars().all()
        for document_id in found:
            self.house.catalog.remove(document_id)


def new_house(folder: Path) -> House:
    """An empty installation in a folder."""
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
    return House(access, catalog, clock)


def opened(house: House) -> OutcomeStage:
    """甲 and 乙 are partners for thirty days, 丙 is nobody's; people are called by branch and role."""
    for branch_id in ("jia", "yi", "bing"):
        house.branch(branch_id)
        for role in Role:
            name = "admin" if role is Role.ADMINISTRATOR else role.value
            house.person(f"{branch_id}-{name}", {branch_id: role})
    house.person("root", operator=True)
    house.partners("jia", "yi")
    with house.access.office.writing() as connection:
        row = {"group_id": "g", "name": "组", "branch_id": "jia", "added_at": datetime(2026, 1, 1)}
        connection.execute(insert(groups).values(row))
        for branch_id in ("yi", "bing"):
            connection.execute(insert(group_members).values(group_id="g", member=f"branch:{branch_id}"))
    library = Library(house.access.office, house.catalog, _body)
    stage = OutcomeStage(house, library, Adoptions(house.access.office))
    stage.case_id = stage.case("jia", ["branch:jia", "partners:jia"], title="挂号队伍从走廊收回来")
    return stage


def _body(document: Document) -> Mapping[Field, str]:
    return {Field.TITLE: document.meta.title, Field.PROBLEM: "问题一段。", Field.OUTCOME: "成效一段。"}

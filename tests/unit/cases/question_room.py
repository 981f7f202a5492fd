"""Branches that ask each other: 甲 with partners 乙 and 丙, and 丁 that is nobody's; each with a liaison and a member."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from access.access import open_access
from access.keys import Keys
from access.resolve import Policy
from access.rights import Role
from access.sharing import Wanted
from access.tables import partnerships, people
from cases.library import Library
from cases.model import Body, Field
from cases.open_questions import OpenQuestions
from kb.model import Document, Kind, derive_id
from search.analysis import terms
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House

BRANCHES = ("jia", "yi", "bing", "ding")
PARTNERS_OF_JIA = ("yi", "bing")
NEARLY_SAME = 0.5


def shared_terms(problem: str, texts: Sequence[str]) -> list[float]:
    """How many of all terms two texts have in common."""
    asked = set(terms(problem))
    return [len(asked & set(terms(t))) / (len(asked | set(terms(t))) or 1) for t in texts]


def form_of(document: Document) -> Body:
    """A form as short as can be: the text is the problem, the name of the file whom to ask."""
    return {Field.TITLE: document.meta.title, Field.PROBLEM: document.text, Field.CONTACTS: document.source}


@dataclass
class QuestionRoom:
    """Open questions and published cases over one store."""

    house: House
    library: Library
    questions: OpenQuestions

    def ask(
        self,
        wanted: Sequence[str] = ("partners",),
        problem: str = "夜班怎么组织学习",
        *,
        branch: str = "jia",
        detail: str = "",
    ) -> str:
        """A question of a branch's liaison; its id."""
        self.house.clock.pass_(seconds=1)
        by = self.house.by(branch)
        return self.questions.ask(by, branch, problem, detail, [Wanted(w) for w in wanted])

    def answer(self, branch: str, question_id: str, text: str, case_id: str | None = None) -> str:
        """An answer of a branch's liaison; its id."""
        self.house.clock.pass_(seconds=1)
        return self.questions.answer(self.house.by(branch), question_id, branch, text, case_id)

    def case(self, branch: str, name: str, audience: Sequence[str] = ()) -> str:
        """A published case that the branch itself sees, and who has one of the tokens; its id."""
        document = make_document(name, (name,), title=name, kind=Kind.CASE)
        put(self.house.catalog, document, audience=[f"branch:{branch}", *audience], branch_id=branch)
        self.library.follow()
        return derive_id("case", document.document_id)

    def group(self, *members: str) -> str:
        """A group of 甲 with these branches or people; its id."""
        access, by = self.house.access, self.house.by("jia")
        group_id = access.groups.make(by, "jia", "互助组").group_id
        for member in members:
            access.groups.put(by, group_id, member)
        return group_id

    def partnership(self, branch: str) -> str:
        """The id of 甲's partnership with the branch."""
        with self.house.access.office.reading() as connection:
            p = partnerships.c
            found: str = connection.execute(
                select(p.partnership_id).where(p.proposer_id == "jia", p.partner_id == branch)
            ).scalar_one()
        return found

    def part(self, branch: str) -> None:
        """The partnership of 甲 with the branch ends."""
        self.house.access.partnerships.end(self.house.by("jia"), self.partnership(branch))

    def problems_of(self, login: str) -> list[str]:
        """What others ask the person."""
        return [q.problem for q in self.questions.open_to(self.house.by(login))]


def found(folder: Path) -> Path:
    """The branches in a store, to be copied."""
    room = open_room(folder)
    house = room.house
    for branch in BRANCHES:
        house.branch(branch)
        # A liaison is called like the branch.
        house.person(branch, {branch: Role.LIAISON})
        house.person(f"{branch}-member", {branch: Role.MEMBER})
    begins, ends = house.clock.today(), house.clock.today() + timedelta(days=30)
    for other in PARTNERS_OF_JIA:
        partnership_id = house.access.partnerships.propose(None, "jia", other, begins, ends, agreed=True)
        for side in ("jia", other):
            house.access.partnerships.set_liaison(None, partnership_id, side, house.ids[side])
    house.catalog.engine.dispose()
    return folder


def copied(store: Path, folder: Path) -> QuestionRoom:
    """The same on a store of its own."""
    shutil.copytree(store, folder, dirs_exist_ok=True)
    return open_room(folder)


def open_room(folder: Path, clock: Clock | None = None) -> QuestionRoom:
    """Services over the store in the folder, whether `found` or empty."""
    clock = clock or Clock()
    catalog = Catalog(open_database(f"sqlite:///{folder / 'catalog.db'}"))
    access = open_access(
        catalog,
        Keys(b"k" * 32),
        policy=Policy(second_factor=False),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    with access.office.reading() as connection:
        ids: Mapping[str, str] = {r.login: r.person_id for r in connection.execute(select(people))}
    questions = OpenQuestions(access.office, access.sharing, shared_terms, NEARLY_SAME)
    return QuestionRoom(
        House(access, catalog, clock, dict(ids)), Library(access.office, catalog, form_of), questions
    )

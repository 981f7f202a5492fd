"""Results: who is told what of an exam, what is counted, and how far the material is covered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from access.access import open_access
from access.keys import Keys
from access.principal import GUEST
from access.resolve import Policy
from access.rights import Role
from kb.errors import NotFound, Refused, SignInRequired
from kb.model import Document, Section
from quiz.model import Citation, Question, State, Type
from quiz.results import Results
from quiz.tables import questions
from quiz.told import SMALLEST, bars
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.sittings import put_exam, put_question, put_sitting
from tests.unit.access.conftest import Clock, House


@dataclass
class Hall:
    """A house with an exam: two documents, questions of their clauses, and what people answered."""

    house: House
    results: Results
    settled: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    exam_id: str = ""

    @property
    def office(self) -> Any:
        """What the services work with."""
        return self.house.access.office

    def ask(self, document: Document, ordinal: int, branch_id: str = "jia", **more: Any) -> str:
        """A question of a clause with four options, the first of which is right."""
        clause = document.clauses[ordinal]
        n = len(self.held)
        question = Question(
            Type.SINGLE,
            f"{document.meta.title}第{ordinal}条问{n}",
            ("甲", "乙", "丙", "丁"),
            ("甲",),
            citation=Citation(
                document.document_id,
                document.meta.title,
                clause.path,
                "",
                0,
                0,
                clause.clause_id,
                clause.anchor,
            ),
            difficulty=0.5,
        )
        question_id = put_question(self.office, branch_id, question, **more)
        self.held.append(question_id)
        return question_id

    def give(self, tokens: Sequence[str] = ("branch:jia",), **more: Any) -> str:
        """The questions so far as one form."""
        self.exam_id = put_exam(self.office, "jia", [self.held], tokens, **more)
        return self.exam_id

    def sit(self, login: str, right: Sequence[bool | None], branch_id: str = "jia", **more: Any) -> str:
        """A sitting in which questions are got right, wrong (the second option) or left."""
        gave: dict[str, tuple[list[int], float | None]] = {
            q: ([0], 1.0) if r else ([1], 0.0) for q, r in zip(self.held, right, strict=True) if r is not None
        }
        if more.get("state") == "submitted":
            gave[self.held[-1]] = ([1], None)
        return put_sitting(
            self.office, self.exam_id, self.house.ids[login], branch_id, self.held, gave, **more
        )

    def crowd(self, branch_id: str, n: int, share: float = 0.5, seed: int = 1) -> None:
        """So many more people of a branch who sat it."""
        rng = np.random.default_rng(seed)
        for number in range(n):
            login = f"{branch_id}-{seed}-{number}"
            self.house.person(login, {branch_id: Role.MEMBER})
            self.sit(login, [bool(r) for r in rng.random(len(self.held)) < share], branch_id)


def open_hall(folder: Path) -> Hall:
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
    settled: list[str] = []
    hall = Hall(house, Results(access.office, settled.append), settled)
    for branch_id in ("jia", "yi", "bing"):
        house.branch(branch_id)
    house.partners("jia", "yi")
    house.person("trainer", {"jia": Role.TRAINER})
    house.person("admin", {"jia": Role.ADMINISTRATOR})
    house.person("member", {"jia": Role.MEMBER})
    house.person("other", {"yi": Role.TRAINER})
    house.person("stranger", {"bing": Role.TRAINER})
    return hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """Three branches, two of them partners, and five questions of two documents of 甲."""
    found = open_hall(tmp_path)
    catalog = found.house.catalog
    for name, n in (("值班办法", 3), ("培训办法", 2)):
        document = make_document(name, [f"条文{i}。" for i in range(n)])
        put(catalog, document, audience=["branch:jia", "partners:jia"], branch_id="jia")
        for ordinal in range(n):
            found.ask(document, ordinal)
    yield found
    catalog.engine.dispose()


def numbers(hall: Hall, login: str) -> dict[str | None, tuple[int, float | None]]:
    """People and mean of each group that somebody is told of."""
    overview = hall.results.overview(hall.house.by(login), hall.exam_id)
    return {g.branch_id: (g.n, g.mean) for g in overview.groups}


# -- numbers of an exam ---------------------------------------------------------------------


def test_overview_counts_first_sittings(hall: Hall) -> None:
    """Mean, middle and bars are of first sittings; who passed later has passed; open and waiting are told apart."""
    hall.give()
    for login in ("p1", "p2", "p3", "p4", "p5"):
        hall.house.person(login, {"jia": Role.MEMBER})
    hall.sit("p1", [True] * 5)
    hall.sit("p2", [True, None, False, False, False])
    hall.sit("p2", [True] * 4 + [False], number=2)
    hall.sit("p3", [True, True, False, False, None])
    hall.sit("p4", [None] * 5, state="open")
    hall.sit("p5", [None] * 5, state="submitted")
    found = hall.results.overview(hall.house.by("trainer"), hall.exam_id)
    assert (found.n, found.n_open, found.n_waiting, found.n_passed, found.n_missing) == (3, 1, 1, 2, 2)
    assert found.mean == pytest.approx((1 + 0.2 + 0.4) / 3)
    assert found.median == pytest.approx(0.4)
    assert found.bars == (0, 0, 1, 0, 1, 0, 0, 0, 0, 1)
    # Of the branch's people, trainer, administrator and member have not begun.
    assert found.groups[0].not_begun == 3
    assert hall.settled == [hall.exam_id]


def test_points_weigh(hall: Hall) -> None:
    """A question worth more counts for more in the share reached."""
    hall.give()
    hall.sit("member", [True, False, False, False, False], points={hall.held[0]: 6.0})
    assert numbers(hall, "trainer") == {"jia": (1, pytest.approx(0.6))}
    person = next(p for p in hall.results.people(hall.house.by("trainer"), hall.exam_id, "jia") if p.best)
    assert (person.score, person.most, person.passed) == (6.0, 10.0, True)


@given(st.lists(st.floats(0, 1), max_size=60))
def test_bars_count_everybody_once(shares: list[float]) -> None:
    """Whatever was reached stands in exactly one bar."""
    assert sum(bars(shares)) == len(shares)


def test_withdrawn_document_counts_for_nothing(hall: Hall) -> None:
    """Once a document is gone its questions are in no score, mean, list or statistic, at once."""
    hall.give()
    hall.sit("member", [False, False, False, True, True])
    hall.crowd("jia", 25, share=0.9)
    by = hall.house.by("trainer")
    assert len(hall.results.items(by, hall.exam_id).questions) == 5
    withdrawn = make_document("值班办法", [f"条文{i}。" for i in range(3)]).document_id
    hall.house.catalog.remove(withdrawn)
    person = next(
        p for p in hall.results.people(by, hall.exam_id, "jia") if p.person_id == hall.house.ids["member"]
    )
    assert (person.score, person.most, person.best) == (2.0, 2.0, 1.0)
    items = hall.results.items(by, hall.exam_id)
    assert (items.n_gone, len(items.questions)) == (3, 2)
    assert all("值班" not in q.stem for q in items.questions)
    assert [m.title for m in hall.results.coverage(by, "jia")] == ["培训办法"]
    assert hall.results.measure(by, hall.exam_id) == 2


def test_nothing_is_left_when_all_material_is_gone(hall: Hall) -> None:
    """An exam without a question that is seen has people, but no score and no statistics."""
    hall.give()
    hall.crowd("jia", 25)
    for name, n in (("值班办法", 3), ("培训办法", 2)):
        hall.house.catalog.remove(make_document(name, [f"条文{i}。" for i in range(n)]).document_id)
    by = hall.house.by("trainer")
    overview = hall.results.overview(by, hall.exam_id)
    assert (overview.n, overview.mean, sum(overview.bars)) == (0, None, 0)
    assert hall.results.items(by, hall.exam_id).statistics is None


# -- who is told what ---------------------------------------------------------------------------


def test_branches_of_others_are_told_from_five_people_on(hall: Hall) -> None:
    """A partner's four people are in no number; its five are told as a branch, never by name."""
    hall.give(["branch:jia", "partners:jia"])
    hall.sit("member", [True] * 5)
    hall.crowd("yi", SMALLEST - 1, share=0.0)
    found = hall.results.overview(hall.house.by("trainer"), hall.exam_id)
    assert (found.n, found.mean, found.n_missing, found.left_out) == (1, 1.0, 0, True)
    assert [g.branch_id for g in found.groups] == ["jia"]
    hall.crowd("yi", 1, share=0.0, seed=2)
    found = hall.results.overview(hall.house.by("trainer"), hall.exam_id)
    assert (found.n, found.left_out) == (6, False)
    assert numbers(hall, "trainer") == {"jia": (1, 1.0), "yi": (5, 0.0)}
    with pytest.raises(Refused):
        hall.results.people(hall.house.by("trainer"), hall.exam_id, "yi")


def test_small_branches_are_told_together(hall: Hall) -> None:
    """Three of one and three of another are six of others, without a name; so are those of a branch unknown here."""
    hall.give(["public"])
    hall.crowd("yi", 3)
    hall.crowd("bing", 3)
    assert {b: n for b, (n, _) in numbers(hall, "trainer").items()} == {None: 6, "jia": 0}
    hall.crowd("bing", 9, seed=2)
    assert {b: n for b, (n, _) in numbers(hall, "trainer").items()} == {None: 15, "jia": 0}


def test_whole_less_its_parts_tells_nobody(hall: Hall) -> None:
    """What is told of everybody is of exactly the groups that are told: no difference shows those left out."""
    hall.give(["branch:jia", "partners:jia"])
    hall.crowd("jia", 21)
    hall.crowd("yi", 4, share=1.0)
    found = hall.results.overview(hall.house.by("trainer"), hall.exam_id)
    assert found.n == sum(found.bars) == sum(g.n for g in found.groups) == 21
    assert hall.results.items(hall.house.by("trainer"), hall.exam_id).n == 21


def test_administrator_is_not_told_of_few_or_by_name(hall: Hall) -> None:
    """Who may ask questions but is no trainer is told of their own branch as of any other."""
    hall.give()
    hall.crowd("jia", SMALLEST - 1)
    admin = hall.house.by("admin")
    found = hall.results.overview(admin, hall.exam_id)
    assert (found.n, found.groups, found.left_out) == (0, (), True)
    hall.crowd("jia", 1, seed=2)
    found = hall.results.overview(admin, hall.exam_id)
    assert [(g.branch_id, g.n, g.not_begun) for g in found.groups] == [("jia", SMALLEST, None)]
    with pytest.raises(Refused):
        hall.results.people(admin, hall.exam_id, "jia")


def test_partners_trainer_is_told_of_their_own_people_only(hall: Hall) -> None:
    """They see names and numbers of their own branch, nothing of the giver's, and no statistics with keys."""
    hall.give(["branch:jia", "partners:jia"])
    hall.crowd("jia", 30)
    hall.crowd("yi", 2)
    other = hall.house.by("other")
    found = hall.results.overview(other, hall.exam_id)
    assert (found.whole, found.n, [g.branch_id for g in found.groups]) == (False, 2, ["yi"])
    assert len(hall.results.people(other, hall.exam_id, "yi")) == 3
    with pytest.raises(NotFound):
        hall.results.items(other, hall.exam_id)
    with pytest.raises(Refused):
        hall.results.people(other, hall.exam_id, "jia")


@pytest.mark.parametrize(
    "look",
    [
        lambda r, by, exam_id: r.overview(by, exam_id),
        lambda r, by, exam_id: r.items(by, exam_id),
        lambda r, by, exam_id: r.measure(by, exam_id),
        lambda r, by, exam_id: r.people(by, exam_id, "bing"),
        lambda r, by, exam_id: r.export(by, exam_id, "bing"),
    ],
)
def test_exam_of_others_is_as_if_it_were_not_there(hall: Hall, look: Callable[..., object]) -> None:
    """Whom it was not given to gets for it, and for one that is nowhere, the same answer."""
    hall.give()
    hall.crowd("jia", 6)
    stranger, said = hall.house.by("stranger"), []
    for exam_id in (hall.exam_id, "0" * 16):
        with pytest.raises(NotFound) as caught:
            look(hall.results, stranger, exam_id)
        said.append(str(caught.value).replace(exam_id, ""))
    assert said[0] == said[1]


def test_members_and_guests_are_told_nothing(hall: Hall) -> None:
    """Who sat it sees no results of others; who is nobody is asked to sign in."""
    hall.give()
    hall.crowd("jia", 6)
    with pytest.raises(NotFound):
        hall.results.overview(hall.house.by("member"), hall.exam_id)
    with pytest.raises(Refused):
        hall.results.people(hall.house.by("member"), hall.exam_id, "jia")
    with pytest.raises(Refused):
        hall.results.coverage(hall.house.by("member"), "jia")
    with pytest.raises(SignInRequired):
        hall.results.overview(GUEST, hall.exam_id)


# -- people ---------------------------------------------------------------------------------------


def test_people_are_listed_with_their_first_and_best(hall: Hall) -> None:
    """Everyone who may sit it stands there by name, with what the first and the best sitting gave."""
    hall.give()
    hall.sit("member", [True, False, False, False, False])
    hall.sit("member", [True, True, True, False, False], number=2)
    found = {p.name: p for p in hall.results.people(hall.house.by("trainer"), hall.exam_id, "jia")}
    assert list(found) == sorted(found)
    member = found["member名"]
    assert (member.first, member.best, member.passed, member.n_sittings) == (0.2, 0.6, True, 2)
    assert found["admin名"].state == "not_begun"


def test_person_who_left_is_seen_no_more(hall: Hall) -> None:
    """With the role goes the name; the sitting stays in the numbers."""
    hall.give()
    hall.sit("member", [True] * 5)
    hall.house.access.people.set_roles(None, hall.house.ids["member"], "jia", frozenset())
    by = hall.house.by("trainer")
    assert "member名" not in [p.name for p in hall.results.people(by, hall.exam_id, "jia")]
    assert hall.results.overview(by, hall.exam_id).n == 1


def test_person_of_two_branches_is_listed_where_they_sat_it(hall: Hall) -> None:
    """Who sat it for one branch has not left it out in the other."""
    hall.give(["branch:jia", "branch:yi"])
    hall.house.person("both", {"jia": Role.MEMBER, "yi": Role.MEMBER})
    hall.sit("both", [True] * 5, "yi")
    listed = {
        branch_id: [p.name for p in hall.results.people(hall.house.by(login), hall.exam_id, branch_id)]
        for login, branch_id in (("trainer", "jia"), ("other", "yi"))
    }
    assert "both名" not in listed["jia"]
    assert "both名" in listed["yi"]
    assert hall.results.overview(hall.house.by("trainer"), hall.exam_id).groups[0].not_begun == 3


def test_exam_for_a_group_awaits_those_who_are_in_it(hall: Hall) -> None:
    """Of a branch whose people are in a group one by one, only they have not begun."""
    access, clock = hall.house.access, hall.house.clock
    hall.house.person("liaison", {"jia": Role.LIAISON})
    group = access.groups.make(hall.house.by("liaison"), "jia", "夜学组")
    access.groups.put(hall.house.by("liaison"), group.group_id, f"person:{hall.house.ids['member']}")
    clock.pass_(hours=1)
    hall.give([f"group:{group.group_id}"])
    by = hall.house.by("trainer")
    assert [p.name for p in hall.results.people(by, hall.exam_id, "jia")] == ["member名"]
    assert hall.results.overview(by, hall.exam_id).groups[0].not_begun == 1


def test_taking_results_away_is_told_in_the_trail(hall: Hall) -> None:
    """The export holds what the list does, and leaves an entry with the branch."""
    hall.give()
    hall.sit("member", [True] * 5)
    by = hall.house.by("trainer")
    assert hall.results.export(by, hall.exam_id, "jia") == hall.results.people(by, hall.exam_id, "jia")
    last = list(hall.house.access.audit.all())[-1]
    assert (last.action, last.object_id, last.branch_id) == ("exam.export", hall.exam_id, "jia")


# -- statistics ---------------------------------------------------------------------------------------


def test_statistics_begin_at_twenty(hall: Hall) -> None:
    """With 19 sittings the form says how many there are, and no more; with 20 it has numbers."""
    hall.give()
    hall.crowd("jia", 19)
    by = hall.house.by("trainer")
    found = hall.results.items(by, hall.exam_id)
    assert (found.n, found.statistics) == (19, None)
    hall.crowd("jia", 1, seed=2)
    found = hall.results.items(by, hall.exam_id)
    assert found.statistics
    assert (found.statistics.n, len(found.statistics.items)) == (20, 5)


def test_statistics_are_of_the_form_and_of_first_sittings(hall: Hall) -> None:
    """Another form, a second sitting and one that waits for a mark change nothing; answers are found by question."""
    hall.give()
    hall.crowd("jia", 20, share=0.0)
    house = hall.house
    for login, more in (("p1", {"form": 2}), ("p2", {"state": "submitted"}), ("member", {})):
        if login != "member":
            house.person(login, {"jia": Role.MEMBER})
        hall.sit(login, [True] * 5, **more)
    hall.sit("member", [False] * 5, number=2)
    # Shuffled: the same questions in another order.
    house.person("p3", {"jia": Role.MEMBER})
    gave = {q: ([0], 1.0) for q in hall.held[:2]} | {q: ([2], 0.0) for q in hall.held[2:]}
    put_sitting(hall.office, hall.exam_id, house.ids["p3"], "jia", hall.held[::-1], gave)
    found = hall.results.items(house.by("trainer"), hall.exam_id)
    assert found.statistics
    assert found.n == 22
    right = [round(i.facility * 22) for i in found.statistics.items]
    assert right == [2, 2, 1, 1, 1]
    assert [o.n for o in found.statistics.items[4].options] == [1, 20, 1, 0]


def test_missing_answers_are_wrong_in_a_test_and_told(hall: Hall) -> None:
    """What was left counts as nothing reached, and how often it was left stands there."""
    hall.give()
    hall.crowd("jia", 19, share=1.0)
    hall.sit("member", [None, True, True, True, True])
    item = hall.results.items(hall.house.by("trainer"), hall.exam_id).statistics.items[0]  # type: ignore[union-attr]
    assert (item.n_missing, item.facility) == (1, 0.95)


def test_sittings_that_stopped_are_left_out_of_a_practice(hall: Hall) -> None:
    """In a practice one may stop anywhere: such sittings are not looked at, and it is told how many."""
    hall.give(mode="practice")
    hall.crowd("jia", 20, share=1.0)
    hall.sit("member", [None, True, True, True, True])
    found = hall.results.items(hall.house.by("trainer"), hall.exam_id)
    assert (found.n, found.n_apart) == (20, 1)


def test_drawn_paper_has_no_form(hall: Hall) -> None:
    """Where everyone was asked something else there is no form to tell statistics of."""
    put_exam(hall.office, "jia", [], ["branch:jia"], title="抽题")
    drawn = put_exam(hall.office, "yi", [], ["branch:yi"], title="抽题")
    with pytest.raises(NotFound):
        hall.results.items(hall.house.by("other"), drawn)


# -- difficulty -------------------------------------------------------------------------------------------


def difficulties(hall: Hall) -> dict[str, float]:
    with hall.office.reading() as connection:
        rows = connection.execute(select(questions.c.question_id, questions.c.difficulty))
        return {r.question_id: r.difficulty for r in rows}


def test_measured_difficulty_is_put_to_the_questions(hall: Hall) -> None:
    """Twenty who all got it right halve an estimate of a half; neither measuring nor sitting it again changes it."""
    hall.give()
    hall.crowd("jia", 20, share=1.0)
    by = hall.house.by("trainer")
    assert hall.results.measure(by, hall.exam_id) == 5
    assert difficulties(hall) == {q: pytest.approx(0.25) for q in hall.held}
    hall.sit("jia-1-0", [False] * 5, number=2)
    assert hall.results.measure(None, hall.exam_id) == 0


def test_difficulty_of_a_new_version_is_not_that_of_the_old(hall: Hall) -> None:
    """Who answered the old wording says nothing of the new one."""
    hall.give()
    hall.crowd("jia", 20, share=1.0)
    with hall.office.writing() as connection:
        connection.execute(
            update(questions).where(questions.c.question_id == hall.held[0]).values(version=2, difficulty=0.7)
        )
    hall.results.measure(hall.house.by("trainer"), hall.exam_id)
    found = difficulties(hall)
    assert (found[hall.held[0]], found[hall.held[1]]) == (0.7, pytest.approx(0.25))


def test_practices_do_not_measure(hall: Hall) -> None:
    """In a practice the text may lie beside it."""
    hall.give(mode="practice")
    hall.crowd("jia", 20, share=1.0)
    assert hall.results.measure(hall.house.by("trainer"), hall.exam_id) == 0


# -- coverage --------------------------------------------------------------------------------------------


def chaptered(name: str) -> Document:
    """Five clauses: one before the chapters, two in each of two."""
    plain = make_document(
        name, [f"条文{i}。" for i in range(5)], labels=["", "第一条", "第二条", "第三条", "第四条"]
    )
    sections = tuple(
        Section(f"{n:016x}", n, 1, "", heading, 0, 0, 0, (heading,))
        for n, heading in enumerate(("第一章", "第二章"))
    )
    placed = tuple(
        c if c.ordinal == 0 else replace(c, section_id=s.section_id, path=(*s.path, c.label))
        for c in plain.clauses
        for s in [sections[(c.ordinal - 1) // 2]]
    )
    return replace(plain, sections=sections, clauses=placed)


def test_coverage_counts_clauses_by_chapter(hall: Hall) -> None:
    """Of each chapter: how many clauses, with an approved question, asked; how well from five people on."""
    document = chaptered("安全办法")
    put(hall.house.catalog, document, audience=["branch:jia"], branch_id="jia")
    hall.held.clear()
    hall.ask(document, 1)
    hall.ask(document, 1)
    hall.ask(document, 3)
    asked = hall.held.copy()
    hall.ask(document, 2, state=State.IN_REVIEW)
    hall.held = asked
    hall.give(title="安全测验")
    hall.crowd("jia", 4, share=1.0)
    by = hall.house.by("trainer")

    def told() -> list[tuple[object, ...]]:
        material = next(m for m in hall.results.coverage(by, "jia") if m.title == "安全办法")
        return [
            (t.heading, t.n_clauses, t.n_covered, t.n_asked, t.n_people, t.share)
            for t in (material.whole, *material.topics)
        ]

    assert told() == [("", 4, 2, 2, 4, None), ("第一章", 2, 1, 1, 4, None), ("第二章", 2, 1, 1, 4, None)]
    hall.sit("member", [False, None, True])
    assert told()[1:] == [("第一章", 2, 1, 1, 5, 0.8), ("第二章", 2, 1, 1, 5, 1.0)]


def test_coverage_shows_what_nobody_asks(hall: Hall) -> None:
    """A document that the branch keeps and has no question of stands there with nothing covered."""
    put(hall.house.catalog, make_document("新办法"), audience=["branch:jia"], branch_id="jia")
    put(hall.house.catalog, make_document("别家办法"), audience=["branch:yi"], branch_id="yi")
    found = {m.title: m.whole for m in hall.results.coverage(hall.house.by("trainer"), "jia")}
    assert set(found) == {"值班办法", "培训办法", "新办法"}
    assert (found["新办法"].n_clauses, found["新办法"].n_covered) == (1, 0)
    assert (found["值班办法"].n_clauses, found["值班办法"].n_covered, found["值班办法"].n_asked) == (3, 3, 0)

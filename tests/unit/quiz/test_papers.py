"""Papers on a real store: made, seen, changed, given to attempts, and what becomes of what is gone."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from access.principal import GUEST
from access.rights import Role
from api.access_words import ACTION_WORDS
from kb.errors import Conflict, NotFound, Refused, SignInRequired, UnsupportedFormat
from kb.model import Document
from quiz.assembly import ON_PAPER
from quiz.blueprint import Blueprint, Line, Misfilled, Why
from quiz.citing import cited
from quiz.exchange._paper import paper as printed_paper
from quiz.kept import Kept
from quiz.model import BLANK, Question, State, Type
from quiz.papers import Paper, Place
from tests.exam_room import Room, found, open_room
from tests.fakes import make_document, put

NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒"
SINGLES = Line(4, 2, frozenset({Type.SINGLE}))
BLANKS = Line(2, 3, frozenset({Type.BLANK}))


@dataclass
class Shelf:
    """A room with two documents of fifteen clauses each, and a question on each clause, every third a blank."""

    room: Room
    piers: Document
    boats: Document
    ids: list[str]

    def make(self, *lines: Line, n_forms: int = 1, drawn: bool = False, seed: int = 1) -> str:
        """A paper of the branch."""
        blueprint = Blueprint(lines or (SINGLES, BLANKS), n_forms, drawn)
        return self.room.papers.make(self.room.house.by("trainer"), "jia", "守则测验", blueprint, seed)

    def paper(self, paper_id: str) -> Paper:
        """The paper as its trainer sees it."""
        return self.room.papers.paper(self.room.house.by("trainer"), paper_id)

    def names(self, places: Sequence[Place]) -> set[str]:
        """Which questions stand there, by the name that each has."""
        return {p.kept.question.stem[0] for p in places if p.kept}


def asked(document: Document, index: int, name: str) -> Question:
    """The question on a clause."""
    clause = document.clauses[index]
    words = document.text[clause.start : clause.end].strip()
    stem, key = words.replace(f"{name}一组", BLANK), f"{name}一组"
    blank = NAMES.index(name) % 3 == 2
    return Question(
        Type.BLANK if blank else Type.SINGLE,
        stem,
        () if blank else tuple(f"{name}{n}组" for n in "二一三四"),
        (key,),
        citation=cited(document, clause.start, clause.start + len(words)),
        difficulty=0.3 + (NAMES.index(name) % 5) / 10,
        topics=(document.meta.title,),
    )


def fill_store(folder: Path) -> None:
    """Documents and approved questions."""
    room = open_room(found(folder))
    for title, names in (("码头守则", NAMES[:15]), ("船只守则", NAMES[15:])):
        clauses = [f"{n}号{n}船{n}舱{n}位由{n}一组看守{n}灯。" for n in names]
        document = make_document(title, clauses, title=title, work=title, effective_on=date(2025, 1, 1))
        put(room.house.catalog, document, audience=("branch:jia",), branch_id="jia")
        room.add([asked(document, i, n) for i, n in enumerate(names)])
    room.house.catalog.engine.dispose()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank, to be copied."""
    folder = tmp_path_factory.mktemp("shelf")
    fill_store(folder)
    return folder


@pytest.fixture
def shelf(store: Path, tmp_path: Path) -> Iterator[Shelf]:
    """A bank of the test's own."""
    shutil.copytree(store, tmp_path, dirs_exist_ok=True)
    room = open_room(tmp_path)
    scope = room.house.by("trainer").scope
    documents = {
        c.title: room.house.catalog.document(c.document_id, scope)
        for c in room.house.catalog.cards(scope, room.clock.today())
    }
    ids = [k.question_id for k in room.bank.usable(scope, "jia")]
    yield Shelf(room, documents["码头守则"], documents["船只守则"], ids)
    room.house.catalog.engine.dispose()


def withdraw(shelf: Shelf) -> None:
    """Take the rule of the piers out."""
    shelf.room.house.catalog.remove(shelf.piers.document_id)


def give(shelf: Shelf, paper_id: str) -> None:
    """Give the paper out."""
    shelf.room.give(paper_id)


# -- making -------------------------------------------------------------------------


def test_a_made_paper_meets_its_blueprint_in_equal_forms(shelf: Shelf) -> None:
    """Every line is met in each form, in its order and worth its points; forms share nothing and are as hard."""
    paper = shelf.paper(shelf.make(n_forms=3))
    assert paper.shortfalls == ()
    for form in paper.forms:
        assert [p.position for p in form] == [1, 2, 3, 4, 5, 6]
        assert [p.kept.question.type for p in form if p.kept] == [Type.SINGLE] * 4 + [Type.BLANK] * 2
        assert sum(p.planned.points for p in form) == 14
        keys = Counter(p.question.letters for p in form if p.question and p.question.type is Type.SINGLE)
        assert keys == {"A": 1, "B": 1, "C": 1, "D": 1}
    used = [p.planned.question_id for form in paper.forms for p in form]
    assert len(set(used)) == 18
    means = [fmean(p.kept.question.difficulty for p in form if p.kept) for form in paper.forms]
    assert max(means) - min(means) < 0.03


def test_what_was_tried_is_what_is_made(shelf: Shelf) -> None:
    """A draft shows the paper that making it with the same seed gives."""
    by, blueprint = shelf.room.house.by("trainer"), Blueprint((SINGLES, BLANKS), 2)
    draft = shelf.room.papers.solve(by, "jia", blueprint, 5)
    paper = shelf.paper(shelf.room.papers.make(by, "jia", "卷", blueprint, 5))
    assert [[p.planned for p in f] for f in draft.forms] == [[p.planned for p in f] for f in paper.forms]


def test_what_a_paper_lacks_is_kept_with_it(shelf: Shelf) -> None:
    """A blueprint that cannot be met gives as much as can be, and the paper says what is missing and why."""
    paper = shelf.paper(shelf.make(SINGLES, Line(12, 3, frozenset({Type.BLANK}))))
    (short,) = paper.shortfalls
    assert (short.line, short.missing, short.why, short.found) == (1, 2, {Why.FEW: 2}, 10)
    assert len(paper.forms[0]) == 14


def test_nothing_is_made_of_nothing(shelf: Shelf) -> None:
    """Where no question fits, no paper is made, in words for the form."""
    with pytest.raises(Misfilled, match="没有一道"):
        shelf.make(Line(2, topics=("别的",)))
    assert shelf.room.papers.papers(shelf.room.house.by("trainer"), "jia") == []


@pytest.mark.parametrize("title", ["", "  ", "长" * 81])
def test_a_title_is_needed(shelf: Shelf, title: str) -> None:
    """A title of 1 to 80 characters, else the refusal is for the title's field."""
    by = shelf.room.house.by("trainer")
    with pytest.raises(Misfilled) as refused:
        shelf.room.papers.make(by, "jia", title, Blueprint((SINGLES,)), 1)
    assert refused.value.field == "title"


def test_a_paper_by_hand_has_the_questions_type_by_type(shelf: Shelf) -> None:
    """Chosen questions stand with others of their type, in the order chosen, at the usual points or those given."""
    by = shelf.room.house.by("trainer")
    chosen = shelf.ids[:6]
    paper = shelf.paper(shelf.room.papers.by_hand(by, "jia", "手选", chosen, {Type.BLANK: 5}))
    places = paper.forms[0]
    types = [p.type for p in places]
    assert types == sorted(types, key=ON_PAPER.index)
    assert {p.planned.question_id for p in places} == set(chosen)
    for type_ in (Type.SINGLE, Type.BLANK):
        mine = [p for p in places if p.kept and p.kept.question.type is type_]
        order = [p.planned.question_id for p in mine]
        assert order == [i for i in chosen if i in order]
        assert {p.planned.points for p in mine} <= {5 if type_ is Type.BLANK else 2}
    assert sum(line.n for line in paper.blueprint.lines) == 6


def test_what_is_not_usable_cannot_be_chosen(shelf: Shelf) -> None:
    """A question that was taken out of use, or never was, is refused for the whole choice."""
    by = shelf.room.house.by("trainer")
    shelf.room.bank.set_state(by, shelf.ids[0], State.RETIRED, "答案不对", seen_version=1)
    for chosen in ([shelf.ids[0], shelf.ids[1]], ["0" * 16], []):
        with pytest.raises(Misfilled):
            shelf.room.papers.by_hand(by, "jia", "手选", chosen)


# -- who may ------------------------------------------------------------------------


def test_papers_are_for_trainers_of_their_branch(shelf: Shelf) -> None:
    """Others find no paper, the same as where there is none; members of the branch are refused its list."""
    paper_id = shelf.make()
    papers, by = shelf.room.papers, shelf.room.house.by
    for login in ("m1", "other-trainer"):
        for missing in (paper_id, "0" * 16):
            with pytest.raises(NotFound):
                papers.paper(by(login), missing)
            with pytest.raises(NotFound):
                papers.sheet(by(login), missing, 1)
            with pytest.raises(NotFound):
                papers.replace(by(login), missing, 1, 1)
            with pytest.raises(NotFound):
                papers.move(by(login), missing, 1, 1, 2)
            with pytest.raises(NotFound):
                papers.set_points(by(login), missing, {0: 1})
            with pytest.raises(NotFound):
                papers.discard(by(login), missing)
        with pytest.raises(Refused):
            papers.papers(by(login), "jia")
        with pytest.raises(Refused):
            papers.make(by(login), "jia", "卷", Blueprint((SINGLES,)), 1)
    shelf.room.house.person("second", {"jia": Role.TRAINER})
    assert papers.paper(by("second"), paper_id).title == "守则测验"
    with pytest.raises(SignInRequired):
        papers.paper(GUEST, paper_id)


def test_everything_is_told_in_the_trail_in_words(shelf: Shelf) -> None:
    """Making, changing, exporting and doing away with a paper are told, each with words of its own."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    papers.replace(by, paper_id, 1, 1)
    papers.move(by, paper_id, 1, 1, 2)
    papers.set_points(by, paper_id, {0: 4})
    papers.export(by, paper_id, 1, "json")
    papers.discard(by, paper_id)
    actions = [e.action for e in shelf.room.house.access.audit.all() if e.object_id == paper_id]
    assert actions == [
        "paper.make",
        "paper.replace",
        "paper.order",
        "paper.points",
        "paper.export",
        "paper.discard",
    ]
    assert all(ACTION_WORDS[a] != a for a in actions)


# -- what is gone ----------------------------------------------------------------------


def test_what_was_withdrawn_is_gone_everywhere_at_once(shelf: Shelf) -> None:
    """Its places are empty for the trainer, and left out of sheets and attempts."""
    papers, scope = shelf.room.papers, shelf.room.house.by("m1").scope
    paper_id = shelf.make()
    before = shelf.paper(paper_id).forms[0]
    withdraw(shelf)
    after = shelf.paper(paper_id).forms[0]
    gone = [p for p in after if p.kept is None]
    assert [p.planned for p in after] == [p.planned for p in before]
    assert gone
    assert shelf.names(after) <= set(NAMES[15:])
    assert all(p.question is None and not p.usable for p in gone)
    planned = papers.planned(paper_id, 1, scope)
    assert [p.question_id for p in planned] == [p.planned.question_id for p in after if p.kept]
    sheet = papers.sheet(shelf.room.house.by("trainer"), paper_id, 1)
    assert len(sheet.questions) == len(planned)


def test_a_member_is_asked_what_they_may_see(shelf: Shelf) -> None:
    """What a form asks depends on the scope: who sees no document of it is asked nothing."""
    paper_id = shelf.make()
    assert len(shelf.room.papers.planned(paper_id, 1, shelf.room.house.by("m1").scope)) == 6
    assert shelf.room.papers.planned(paper_id, 1, shelf.room.house.by("guest").scope) == []


def test_what_is_gone_is_replaced_at_one_press_and_the_blueprint_kept(shelf: Shelf) -> None:
    """Every place that went with its document gets a question that fits; keys are as even as they were."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    give(shelf, paper_id)
    withdraw(shelf)
    for place in shelf.paper(paper_id).forms[0]:
        if place.kept is None:
            papers.replace(by, paper_id, 1, place.position)
    form = shelf.paper(paper_id).forms[0]
    assert [p.kept.question.type for p in form if p.kept] == [Type.SINGLE] * 4 + [Type.BLANK] * 2
    assert shelf.names(form) <= set(NAMES[15:])
    assert len(shelf.names(form)) == 6
    keys = Counter(p.question.letters for p in form if p.question and p.question.type is Type.SINGLE)
    assert max(keys.values()) <= 2


def test_where_no_question_is_left_that_is_said(shelf: Shelf) -> None:
    """A replacement that nothing can be is a conflict, and nothing is changed."""
    paper_id = shelf.make(Line(10, 3, frozenset({Type.BLANK})))
    before = shelf.paper(paper_id)
    with pytest.raises(Conflict):
        shelf.room.papers.replace(shelf.room.house.by("trainer"), paper_id, 1, 1)
    assert shelf.paper(paper_id) == before


def test_a_superseded_document_makes_its_questions_stale_in_papers(shelf: Shelf) -> None:
    """They are still shown, no longer usable, and not taken into new papers or drawn forms."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    drawn, fixed = shelf.make(drawn=True), shelf.make()
    newer = make_document(
        "码头守则新", ["新的一条。"], title="码头守则", work="码头守则", effective_on=date(2026, 1, 1)
    )
    put(shelf.room.house.catalog, newer, audience=("branch:jia",), branch_id="jia")
    stale = [p for p in shelf.paper(fixed).forms[0] if not p.usable]
    assert stale
    assert all(p.kept and p.kept.stale and p.question for p in stale)
    assert shelf.names(papers.form(by, drawn, 1)) <= set(NAMES[15:])
    assert shelf.names(shelf.paper(shelf.make(seed=9)).forms[0]) <= set(NAMES[15:])


# -- changing ----------------------------------------------------------------------------


def test_a_chosen_question_takes_the_place_if_it_keeps_the_blueprint(shelf: Shelf) -> None:
    """One of the alternatives can be chosen; one of another type, or that stands in the paper, cannot."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make(n_forms=2)
    wanted = papers.alternatives(by, paper_id, 2, 3, k=50)
    held = {p.planned.question_id for form in shelf.paper(paper_id).forms for p in form}
    assert len(wanted) == 12
    assert held.isdisjoint(k.question_id for k in wanted)
    assert {k.question.type for k in wanted} == {Type.SINGLE}
    place = papers.replace(by, paper_id, 2, 3, wanted[5].question_id)
    assert shelf.paper(paper_id).forms[1][2] == place
    assert place.planned.question_id == wanted[5].question_id
    blank = next(k.question_id for k in papers.alternatives(by, paper_id, 1, 5))
    for other in (blank, shelf.paper(paper_id).forms[0][0].planned.question_id):
        with pytest.raises(Conflict):
            papers.replace(by, paper_id, 2, 3, other)


def test_a_replacement_asks_about_no_clause_of_the_form_again(shelf: Shelf) -> None:
    """A second question on a clause of the form is no alternative; once that clause is free, it is."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    second = shelf.paper(paper_id).forms[0][1].kept
    assert second
    name = second.question.stem[0]
    twin = Question(
        Type.SINGLE,
        f"看守{name}灯的是谁？",
        tuple(f"{name}{n}组" for n in "一二三四"),
        (f"{name}一组",),
        citation=second.question.citation,
        difficulty=second.question.difficulty,
    )
    (twin_id,) = shelf.room.add([twin])
    assert twin_id not in {k.question_id for k in papers.alternatives(by, paper_id, 1, 1, k=99)}
    assert twin_id in {k.question_id for k in papers.alternatives(by, paper_id, 1, 2, k=99)}


def test_order_can_be_changed_and_positions_stay_whole(shelf: Shelf) -> None:
    """Moving a question moves the others by one; it stays among those of its type, as far as they reach."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make(n_forms=2)
    ids = [p.planned.question_id for p in shelf.paper(paper_id).forms[0]]
    other = shelf.paper(paper_id).forms[1]
    papers.move(by, paper_id, 1, 1, 3)
    papers.move(by, paper_id, 1, 2, 99)
    papers.move(by, paper_id, 1, 6, -4)
    form = shelf.paper(paper_id).forms[0]
    assert [p.position for p in form] == [1, 2, 3, 4, 5, 6]
    assert [p.planned.question_id for p in form] == [ids[i] for i in (1, 0, 3, 2, 5, 4)]
    assert shelf.paper(paper_id).forms[1] == other
    with pytest.raises(NotFound):
        papers.move(by, paper_id, 1, 7, 1)


def test_points_are_those_of_a_line_in_every_form(shelf: Shelf) -> None:
    """Forms stay equal when points are changed; what is no number of points changes nothing."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make(n_forms=2)
    papers.set_points(by, paper_id, {0: 5, 1: 7.5})
    paper = shelf.paper(paper_id)
    assert [sum(p.planned.points for p in form) for form in paper.forms] == [35, 35]
    assert paper.blueprint.most == 35
    for wrong in ({0: 0.0}, {0: 101.0}, {7: 1.0}, {0: float("nan")}):
        with pytest.raises(Misfilled):
            papers.set_points(by, paper_id, wrong)
    assert shelf.paper(paper_id).blueprint == paper.blueprint


def test_a_paper_that_was_given_out_is_changed_only_where_it_must_be(shelf: Shelf) -> None:
    """Order, points and good questions stay; what is gone or out of use can be replaced."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    give(shelf, paper_id)
    assert shelf.paper(paper_id).given_out
    for change in (
        lambda: papers.move(by, paper_id, 1, 1, 2),
        lambda: papers.set_points(by, paper_id, {0: 3}),
        lambda: papers.replace(by, paper_id, 1, 1),
        lambda: papers.discard(by, paper_id),
    ):
        with pytest.raises(Conflict):
            change()
    first = shelf.paper(paper_id).forms[0][0].planned
    shelf.room.bank.set_state(by, first.question_id, State.RETIRED, "答案不对", seen_version=first.version)
    papers.replace(by, paper_id, 1, 1)
    assert shelf.paper(paper_id).forms[0][0].usable


def test_an_edited_question_stays_as_it_was_in_the_paper(shelf: Shelf) -> None:
    """A paper holds a version; that there is a newer one is said."""
    by = shelf.room.house.by("trainer")
    paper_id = shelf.make()
    place = shelf.paper(paper_id).forms[0][0]
    assert place.kept
    changed = replace(place.kept.question, explanation="改过。")
    shelf.room.bank.edit(by, place.planned.question_id, changed, seen_version=1)
    now = shelf.paper(paper_id).forms[0][0]
    assert now.newer and not now.usable
    assert now.kept and now.kept.question.explanation == ""
    assert now.planned == place.planned


def test_a_discarded_paper_is_gone(shelf: Shelf) -> None:
    """Nothing of it is listed or found; the questions are still there."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    papers.discard(by, paper_id)
    assert papers.papers(by, "jia") == []
    with pytest.raises(NotFound):
        papers.paper(by, paper_id)
    assert len(shelf.room.bank.usable(by.scope, "jia")) == 30


def test_papers_are_listed_newest_first(shelf: Shelf) -> None:
    """The list has the branch's papers, without their forms."""
    first = shelf.make()
    shelf.room.clock.pass_(minutes=1)
    second = shelf.make(drawn=True)
    listed = shelf.room.papers.papers(shelf.room.house.by("trainer"), "jia")
    assert [p.paper_id for p in listed] == [second, first]
    assert all(p.forms == () for p in listed)


# -- drawn -------------------------------------------------------------------------------


def test_a_drawn_paper_is_another_for_each_person_and_always_the_same_for_one(shelf: Shelf) -> None:
    """By seed; each form meets the blueprint from what the person sees."""
    papers, scope = shelf.room.papers, shelf.room.house.by("m1").scope
    paper_id = shelf.make(drawn=True)
    forms = [papers.draw(paper_id, seed, scope) for seed in range(8)]
    assert forms[2] == papers.draw(paper_id, 2, scope)
    assert len({frozenset(p.question_id for p in form) for form in forms}) > 4
    for form in forms:
        assert [p.points for p in form] == [2, 2, 2, 2, 3, 3]
    assert papers.draw(paper_id, 1, shelf.room.house.by("guest").scope) == []
    with pytest.raises(NotFound):
        papers.draw("0" * 16, 1, scope)


def test_a_drawn_form_holds_nothing_that_was_withdrawn_and_no_hole(shelf: Shelf) -> None:
    """The next draw after a withdrawal is full, from what is left."""
    papers, scope = shelf.room.papers, shelf.room.house.by("m1").scope
    paper_id = shelf.make(drawn=True)
    assert len(papers.draw(paper_id, 4, scope)) == 6
    withdraw(shelf)
    drawn = papers.draw(paper_id, 4, scope)
    seen = shelf.room.bank.versions([(p.question_id, p.version) for p in drawn], scope)
    assert len(seen) == 6
    assert {q.stem[0] for q in seen.values()} <= set(NAMES[15:])


def test_trainers_see_samples_of_a_drawn_paper(shelf: Shelf) -> None:
    """A drawn paper has no forms of its own; each number gives an example."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make(drawn=True)
    assert shelf.paper(paper_id).forms == ()
    assert len(papers.form(by, paper_id, 1)) == 6
    assert shelf.names(papers.form(by, paper_id, 1)) != shelf.names(papers.form(by, paper_id, 2))
    for form in (0, -1):
        with pytest.raises(NotFound):
            papers.form(by, paper_id, form)


# -- sheets ------------------------------------------------------------------------------


def test_a_sheet_has_the_form_as_it_is_shown(shelf: Shelf) -> None:
    """Options in the form's order with the key among them, points, and the name of one of several forms."""
    by = shelf.room.house.by("trainer")
    paper_id = shelf.make(n_forms=2)
    form = shelf.paper(paper_id).forms[1]
    sheet = shelf.room.papers.sheet(by, paper_id, 2)
    assert [q.question for q in sheet.questions] == [p.question for p in form]
    assert (sheet.title, sheet.form, sheet.note) == ("守则测验", "B", "共 6 题，满分 14 分")
    assert shelf.room.papers.sheet(by, shelf.make(), 1).form == ""
    with pytest.raises(NotFound):
        shelf.room.papers.sheet(by, paper_id, 3)


def test_a_form_is_exported_and_an_unknown_format_is_not(shelf: Shelf) -> None:
    """The bytes are those of the format; no such format is said so."""
    by = shelf.room.house.by("trainer")
    paper_id = shelf.make()
    assert "守则测验" in shelf.room.papers.export(by, paper_id, 1, "json").data.decode()
    with pytest.raises(UnsupportedFormat):
        shelf.room.papers.export(by, paper_id, 1, "papyrus")


def test_time_alone_makes_questions_stale(shelf: Shelf) -> None:
    """A document that is superseded from tomorrow on is usable today and not the day after."""
    newer = make_document(
        "船只守则新", ["新的一条。"], title="船只守则", work="船只守则", effective_on=date(2026, 3, 3)
    )
    put(shelf.room.house.catalog, newer, audience=("branch:jia",), branch_id="jia")
    papers, scope = shelf.room.papers, shelf.room.house.by("m1").scope
    paper_id = shelf.make(Line(15), drawn=True)
    wide = [papers.draw(paper_id, seed, scope) for seed in range(3)]
    shelf.room.clock.at += timedelta(days=2)
    drawn = papers.draw(paper_id, 0, scope)
    seen = shelf.room.bank.versions([(p.question_id, p.version) for p in drawn], scope)
    assert {q.stem[0] for q in seen.values()} == set(NAMES[:15])
    assert any(len({p.question_id for p in form} - {p.question_id for p in drawn}) for form in wide)


def test_print_and_word_number_the_questions_as_the_form_does(shelf: Shelf) -> None:
    """What is printed goes type by type; so do forms, so that question 5 is question 5 everywhere."""
    by = shelf.room.house.by("trainer")
    paper_id = shelf.make(BLANKS, SINGLES)
    stems = [p.kept.question.stem for p in shelf.paper(paper_id).forms[0] if p.kept]
    printed = printed_paper(shelf.room.papers.sheet(by, paper_id, 1))
    entries = [entry for section in printed.sections for entry in section.entries]
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.stem[0][:8] for entry in entries] == [stem[:8] for stem in stems]


def test_two_people_replacing_at_once_put_nothing_in_twice(shelf: Shelf) -> None:
    """Whoever comes second is told that the paper has changed, or finds it as it is by then."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make(n_forms=2)

    def replace_one(place: tuple[int, int]) -> bool:
        try:
            papers.replace(by, paper_id, *place)
        except Conflict as error:
            assert "somebody else" in error.message
            return False
        return True

    places = [(form, position) for form in (1, 2) for position in (1, 2, 3)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(replace_one, places))
    used = [p.planned.question_id for form in shelf.paper(paper_id).forms for p in form]
    assert any(done)
    assert len(set(used)) == 12


def test_a_replacement_found_for_another_paper_than_there_is_is_not_put_in(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fitted a form that somebody changed in between is a conflict, and nothing is changed."""
    papers, by = shelf.room.papers, shelf.room.house.by("trainer")
    paper_id = shelf.make()
    looked = papers.alternatives

    def meanwhile(*args: Any, **more: Any) -> list[Kept]:
        found = looked(*args, **more)
        monkeypatch.undo()
        papers.replace(by, paper_id, 1, 2)
        return found

    monkeypatch.setattr(papers, "alternatives", meanwhile)
    with pytest.raises(Conflict, match="somebody else"):
        papers.replace(by, paper_id, 1, 1)
    assert len({p.planned.question_id for p in shelf.paper(paper_id).forms[0]}) == 6

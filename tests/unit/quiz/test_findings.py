"""What a form is found to be as it stands: met, gone, at odds, even."""

from dataclasses import replace
from datetime import datetime

from quiz.blueprint import Blueprint, Line
from quiz.findings import findings
from quiz.kept import Kept
from quiz.model import BLANK, FALSE, TRUE, Citation, Question, State, Type
from quiz.paper import Place, Planned

NAMES = "甲乙丙丁戊己"


def question(name: str, clause: str, type_: Type = Type.SINGLE, key: int = 0) -> Question:
    """A question that has nothing in common with those of other names."""
    stem = f"{name}号{name}船{name}舱{name}位{name}灯由{BLANK}看守{name}{name}"
    options = tuple(f"{name}{n}组" for n in "一二三四") if type_ is Type.SINGLE else (TRUE, FALSE)
    cited = Citation("pier", "码头守则", (clause,), stem, 0, len(stem), clause, clause)
    return Question(type_, stem, options, (options[key],), citation=cited, difficulty=0.4)


def place(position: int, asked: Question | None, line: int = 0, *, state: State = State.APPROVED) -> Place:
    """The question in a place; None is gone."""
    at = datetime(2026, 3, 2)
    kept = asked and Kept(f"{position:016x}", 1, "jia", state, "", asked, None, at, at, False)
    type_ = asked.type if asked else Type.SINGLE
    order = tuple(range(len(asked.options))) if asked else ()
    return Place(position, line, type_, Planned(f"{position:016x}", 1, 2.0, order), kept)


BLUEPRINT = Blueprint((Line(2, 2), Line(1, 2)))
WHOLE = [
    place(1, question("甲", "c1", key=1)),
    place(2, question("乙", "c2", key=3)),
    place(3, question("丙", "c3", Type.TRUE_FALSE), line=1),
]


def test_a_form_that_is_as_it_should_be_is_sound() -> None:
    """Points, difficulty, keys and statements are counted; nothing is found wanting."""
    found = findings(WHOLE, BLUEPRINT)
    assert found.sound
    assert (found.n, found.points, round(found.difficulty or 0, 9)) == (3, 6.0, 0.4)
    assert found.keys == {"A": 0, "B": 1, "C": 0, "D": 1}
    assert found.judged == (1, 0)


def test_what_is_gone_or_out_of_use_is_missing_from_its_line() -> None:
    """Both are to be replaced; only what is gone has no points any more."""
    form = [place(1, None), place(2, question("乙", "c2"), state=State.RETIRED), WHOLE[2]]
    found = findings(form, BLUEPRINT)
    assert not found.sound
    assert found.unusable == (1, 2)
    assert found.met == ((0, 2), (1, 1))
    assert (found.n, found.points) == (2, 4.0)


def test_what_does_not_go_together_is_named_by_its_positions() -> None:
    """A clause twice, and two questions that give each other away, each pair once."""
    twin = replace(question("乙", "c9"), citation=question("乙", "c9").citation)
    form = [
        place(1, question("甲", "c1")),
        place(2, question("乙", "c2")),
        place(3, question("丙", "c1")),
        place(4, twin),
    ]
    found = findings(form, Blueprint((Line(4),)))
    assert found.clauses == ((1, 3),)
    assert found.giveaways == ((2, 4),)
    assert not found.sound


def test_an_empty_form_is_told_as_that() -> None:
    """Nothing there has no difficulty and meets nothing."""
    found = findings([], BLUEPRINT)
    assert (found.n, found.difficulty, found.met) == (0, None, ((0, 2), (0, 1)))

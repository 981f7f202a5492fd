"""Blueprints met with a stock: what is said of what is missing, and that a person's form is as full as can be."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.assembly import Stock, assemble, draw
from quiz.blueprint import Blueprint, Line, Why
from quiz.enemies import enemies
from quiz.model import BLANK, FALSE, TRUE, Citation, Question, Type

SINGLE, BLANKS = frozenset({Type.SINGLE}), frozenset({Type.BLANK})
NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒日月盈昃列张寒来暑往秋收冬藏"


def on(
    clause: str, name: str, *, type: Type = Type.SINGLE, topic: str = "", difficulty: float = 0.5
) -> Question:
    """A question on a clause; names that differ make questions that have nothing in common."""
    stem = f"{name}号{name}船{name}舱{name}位{name}灯由{BLANK}看守{name}{name}"
    cited = Citation("pier", "码头守则", (clause,), stem, 0, len(stem), clause, clause)
    options = tuple(f"{name}{n}组" for n in "一二三四") if type is Type.SINGLE else ()
    return Question(
        type, stem, options, (f"{name}一组",), citation=cited, difficulty=difficulty, topics=(topic,)
    )


def plenty(n: int, **of: object) -> list[Question]:
    """So many questions, each on a clause of its own."""
    return [on(f"c{i}", NAMES[i], **of) for i in range(n)]  # type: ignore[arg-type]


def test_too_few_questions_are_said_to_be_too_few() -> None:
    """A line that wants more than there are lacks the difference, over all forms."""
    made = assemble(Stock(plenty(5)), Blueprint((Line(4),), n_forms=2), seed=0)
    (short,) = made.shortfalls
    assert (short.line, short.missing, short.why, short.found) == (0, 3, {Why.FEW: 3}, 5)
    assert sorted(map(len, made.forms)) == [2, 3]


def test_clauses_that_are_used_are_said_to_be_used() -> None:
    """Six questions on two clauses fill two places of a form."""
    stock = Stock([on(f"c{i % 2}", NAMES[i]) for i in range(6)])
    (short,) = assemble(stock, Blueprint((Line(4),)), seed=0).shortfalls
    assert (short.missing, short.why) == (2, {Why.CLAUSE: 2})


def test_questions_that_give_each_other_away_are_said_to_do_so() -> None:
    """Two wordings of one question on two clauses fill one place of a form, and one of each of two."""
    twins = [on("c1", "甲"), on("c2", "甲")]
    (short,) = assemble(Stock(twins), Blueprint((Line(2),)), seed=0).shortfalls
    assert (short.missing, short.why) == (1, {Why.GIVEAWAY: 1})
    assert assemble(Stock(twins), Blueprint((Line(1),), n_forms=2), seed=0).shortfalls == ()


def test_what_other_lines_take_is_said_to_be_taken() -> None:
    """Two lines that want the same questions share them, and one is told that the other has them."""
    lines = (Line(3, types=SINGLE), Line(2, topics=("t",)))
    (short,) = assemble(Stock(plenty(4, topic="t")), Blueprint(lines), seed=0).shortfalls
    assert (short.missing, short.why) == (1, {Why.TAKEN: 1})


def test_every_reason_has_its_own_number() -> None:
    """Reasons of one line add up to what it lacks."""
    stock = Stock([on("c0", "甲"), on("c0", "乙"), on("c1", "丙"), on("c2", "丙"), on("c3", "丁", topic="t")])
    made = assemble(stock, Blueprint((Line(9), Line(1, topics=("t",)))), seed=0)
    missing = {short.line: short for short in made.shortfalls}
    assert sum(short.missing for short in made.shortfalls) == 7
    assert missing[0].why[Why.FEW] == 4
    assert (missing[0].why[Why.CLAUSE], missing[0].why[Why.GIVEAWAY]) == (1, 1)
    assert all(sum(short.why.values()) == short.missing for short in made.shortfalls)


def test_an_empty_bank_gives_empty_forms() -> None:
    """Nothing there is no error: every line lacks everything."""
    made = assemble(Stock([]), Blueprint((Line(2), Line(1)), n_forms=2), seed=0)
    assert made.forms == ((), ())
    assert [short.missing for short in made.shortfalls] == [4, 2]


@st.composite
def banks(draw: st.DrawFn) -> list[Question]:
    """Small banks in which clauses and wordings come up more than once."""
    return [
        on(
            f"c{draw(st.integers(0, 5))}",
            NAMES[draw(st.integers(0, 9))],
            type=draw(st.sampled_from([Type.SINGLE, Type.BLANK])),
            difficulty=draw(st.floats(0, 1)),
        )
        for _ in range(draw(st.integers(0, 10)))
    ]


BLUEPRINTS = st.builds(
    Blueprint,
    st.lists(
        st.builds(Line, st.integers(1, 3), types=st.sampled_from([SINGLE, BLANKS, frozenset[Type]()])),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.integers(1, 3),
)


@settings(max_examples=60, deadline=None)
@given(banks(), BLUEPRINTS, st.integers(0, 3))
def test_no_form_breaks_a_constraint_whatever_is_asked_for(
    bank: list[Question], blueprint: Blueprint, seed: int
) -> None:
    """Forms share no question, ask about no clause twice, give nothing away, and are told whole with their lacks."""
    made = assemble(Stock(bank), blueprint, seed)
    used = [chosen.index for form in made.forms for chosen in form]
    assert len(used) == len(set(used))
    apart = enemies(bank)
    for form in made.forms:
        cited = [bank[c.index].citation for c in form]
        assert len({c.clause_id for c in cited if c}) == len(form)
        among = {c.index for c in form}
        assert not [pair for pair in apart if set(pair) <= among]
        assert all(blueprint.lines[c.line].takes(bank[c.index]) for c in form)
    lacking = {short.line: short.missing for short in made.shortfalls}
    for number, line in enumerate(blueprint.lines):
        there = sum(c.line == number for form in made.forms for c in form)
        assert there + lacking.get(number, 0) == line.n * blueprint.n_forms
    assert all(sum(short.why.values()) == short.missing for short in made.shortfalls)


def test_drawn_forms_differ_from_seed_to_seed_and_are_full() -> None:
    """Each person's form is full, the same for the same seed, and seldom that of somebody else."""
    stock = Stock(plenty(40))
    blueprint = Blueprint((Line(5),), drawn=True)
    drawn = [draw(stock, blueprint, seed) for seed in range(12)]
    assert all(len(form) == 5 for form in drawn)
    assert draw(stock, blueprint, 3) == drawn[3]
    assert len({frozenset(c.index for c in form) for form in drawn}) == 12


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_form_is_filled_from_all_where_a_share_is_not_enough(seed: int) -> None:
    """Where only some of many questions go together, they are found."""
    crowd = [on(f"c{i % 2}", NAMES[i]) for i in range(38)]
    stock = Stock([*crowd, on("c2", "藏"), on("c3", "冬")])
    assert len(draw(stock, Blueprint((Line(4),), drawn=True), seed)) == 4


def test_true_and_false_are_in_balance() -> None:
    """Of six to judge, three are true, though most of the bank are not."""
    judged = [
        Question(
            Type.TRUE_FALSE,
            q.stem.replace(BLANK, q.answer[0]),
            (TRUE, FALSE),
            (TRUE if i % 5 == 0 else FALSE,),
            citation=q.citation,
        )
        for i, q in enumerate(plenty(30))
    ]
    (form,) = assemble(Stock(judged), Blueprint((Line(6),)), seed=1).forms
    assert Counter(judged[c.index].answer[0] for c in form) == {TRUE: 3, FALSE: 3}


def test_forms_of_a_bank_are_no_enemies_of_themselves() -> None:
    """The questions of these tests have nothing in common unless they are meant to."""
    assert enemies(plenty(len(NAMES))) == []

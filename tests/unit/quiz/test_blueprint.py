"""Blueprints: what a line takes, what makes no sense, and that what is stored comes back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.blueprint import (
    MOST_FORMS,
    MOST_PLACES,
    Blueprint,
    Line,
    Misfilled,
    Shortfall,
    Why,
    blueprint_json,
    blueprint_of,
    checked,
    shortfall_json,
    shortfall_of,
)
from quiz.model import Question, Slot, Type

QUESTION = Question(
    Type.SINGLE,
    "灯塔由谁看守？",
    ("甲班", "乙班"),
    ("甲班",),
    difficulty=0.4,
    slot=Slot.BODY,
    topics=("灯塔守则", "第一章"),
)

LINES = st.builds(
    Line,
    st.integers(1, 50),
    st.floats(0.5, 20),
    st.frozensets(st.sampled_from(Type)),
    st.lists(st.text(max_size=8), max_size=3).map(tuple),
    st.tuples(st.floats(0, 0.5), st.floats(0.5, 1)),
    st.frozensets(st.sampled_from(Slot)),
)


@pytest.mark.parametrize(
    ("line", "takes"),
    [
        (Line(1), True),
        (Line(1, types=frozenset({Type.MULTIPLE, Type.SINGLE})), True),
        (Line(1, types=frozenset({Type.BLANK})), False),
        (Line(1, topics=("第一章", "别的")), True),
        (Line(1, topics=("第二章",)), False),
        (Line(1, difficulty=(0.4, 0.4)), True),
        (Line(1, difficulty=(0.5, 1.0)), False),
        (Line(1, slots=frozenset({Slot.BODY})), True),
        (Line(1, slots=frozenset({Slot.NUMBER})), False),
    ],
)
def test_a_line_takes_what_fits_all_that_it_names(line: Line, takes: bool) -> None:
    """What a line does not name does not limit it; both ends of the band are in it."""
    assert line.takes(QUESTION) is takes


@given(st.lists(LINES, max_size=4), st.integers(1, 10), st.booleans())
def test_a_stored_blueprint_comes_back(lines: list[Line], n_forms: int, drawn: bool) -> None:
    """What `blueprint_json` gives is read back as the same blueprint."""
    blueprint = Blueprint(tuple(lines), n_forms, drawn)
    assert blueprint_of(blueprint_json(blueprint)) == blueprint


def test_a_stored_shortfall_comes_back() -> None:
    """What `shortfall_json` gives is read back as the same shortfall."""
    shortfall = Shortfall(1, 3, {Why.FEW: 2, Why.TAKEN: 1}, 4)
    assert shortfall_of(shortfall_json(shortfall)) == shortfall


@pytest.mark.parametrize(
    "blueprint",
    [
        Blueprint(()),
        Blueprint((Line(0),)),
        Blueprint((Line(1, points=0),)),
        Blueprint((Line(1, points=float("nan")),)),
        Blueprint((Line(1, difficulty=(0.6, 0.4)),)),
        Blueprint((Line(MOST_PLACES), Line(1))),
        Blueprint((Line(1),), n_forms=0),
        Blueprint((Line(1),), n_forms=MOST_FORMS + 1),
    ],
)
def test_a_blueprint_that_makes_no_sense_is_refused_in_words(blueprint: Blueprint) -> None:
    """The advice is in Chinese, since it stands beside the field that is named."""
    with pytest.raises(Misfilled) as refused:
        checked(blueprint)
    assert refused.value.field in ("lines", "n_forms")
    assert any("\u4e00" <= c <= "\u9fff" for c in refused.value.hint)


def test_places_and_points_are_those_of_one_form() -> None:
    """More forms do not make a form longer."""
    blueprint = Blueprint((Line(3, 2), Line(2, 5)))
    assert (blueprint.n_places, blueprint.most) == (5, 16)
    assert replace(blueprint, n_forms=4).most == 16

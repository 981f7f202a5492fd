"""What goes out in a format that comes in, comes back; what does not is told."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.exchange import ReadableFormat, readable
from quiz.model import (
    BLANK,
    FALSE,
    TRUE,
    Citation,
    Point,
    Question,
    Sheet,
    SheetQuestion,
    Slot,
    Type,
    question_json,
)
from quiz.soundness import fault
from tests.unit.quiz.exchange_sheet import SHEET

FORMATS = {name: readable()[name] for name in ("csv", "json", "qiqiao", "wenjuanxing", "xlsx")}
TEXTS = ("qiqiao", "wenjuanxing")
wild = st.text(max_size=40) | st.sampled_from(
    (
        "1. 甲",
        "A. 乙",
        "答案：A",
        "【单选题】",
        "（A）",
        "1-5 ABCDA",
        "=1+1",
        "'=1",
        "甲|乙;丙",
        "\r\n\n",
        "____",
        "解析：",
    )
)
tidy = (
    st.text("车棚住户号牌登记组员甲乙丙丁abc123，。“”《》=+-@'\"&<>%# ", min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
    .map(lambda text: " ".join(text.split()))
)


def questions(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Question]:
    """Questions of every type whose words are drawn from these."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Question:
        type_ = draw(st.sampled_from(list(Type)))
        stem, explanation = draw(texts), draw(st.just("") | texts)
        options: tuple[str, ...] = ()
        answer: tuple[str, ...]
        prompts: tuple[str, ...] = ()
        points: tuple[Point, ...] = ()
        accepted: tuple[tuple[str, ...], ...] = ()
        if type_ in (Type.SINGLE, Type.MULTIPLE, Type.ORDERING, Type.MATCHING):
            options = tuple(draw(st.lists(texts, min_size=2, max_size=10, unique=True)))
        if type_ is Type.SINGLE:
            answer = (draw(st.sampled_from(options)),)
        elif type_ is Type.MULTIPLE:
            chosen = draw(st.sets(st.sampled_from(options), min_size=1))
            answer = tuple(option for option in options if option in chosen)
        elif type_ is Type.TRUE_FALSE:
            options, answer = (TRUE, FALSE), (draw(st.sampled_from((TRUE, FALSE))),)
        elif type_ is Type.BLANK:
            answer = tuple(draw(st.lists(texts, min_size=1, max_size=9)))
            stem += "".join(f"{BLANK}{draw(texts)}" for _ in answer)
            accepted = tuple(tuple(draw(st.lists(texts, max_size=2))) for _ in answer)
        elif type_ is Type.SHORT:
            answer, points = (draw(texts),), (Point(draw(texts), 1.0),)
        elif type_ is Type.ORDERING:
            answer = tuple(draw(st.permutations(options)))
        else:
            prompts = tuple(draw(st.lists(texts, min_size=1, max_size=4, unique=True)))
            answer = tuple(draw(st.sampled_from(options)) for _ in prompts)
        cited = Citation("d1", draw(texts), ("第一章", "第二条"), draw(texts), 3, 9, "c1", "art-2")
        return Question(
            type_,
            stem,
            options,
            answer,
            explanation,
            draw(st.none() | st.just(cited)),
            draw(st.integers(0, 1000)) / 1000,
            prompts,
            accepted if any(accepted) else (),
            points,
            draw(st.sampled_from(list(Slot))),
            draw(st.sampled_from(((), ((3, 5),)))),
            tuple(draw(st.lists(texts, max_size=2))),
        )

    return drawn()


def sheets(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Sheet]:
    """Sheets of a few such questions."""
    worth = st.sampled_from((1.0, 2.0, 0.5, 3.25))
    one = st.builds(SheetQuestion, questions(texts), worth)
    return st.builds(Sheet, texts, st.lists(one, min_size=1, max_size=4).map(tuple), texts, texts)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_every_question_comes_back_the_same_or_its_loss_is_told(name: str, sheet: Sheet) -> None:
    """Whatever the texts hold, no question vanishes, and exactly the changed ones are in the report."""
    format_: ReadableFormat = FORMATS[name]
    written = format_.write(sheet)
    rows = format_.read(written.data)
    assert len(rows) == len(sheet.questions)
    changed = {
        number
        for number, (asked, row) in enumerate(zip(sheet.questions, rows, strict=True), 1)
        if row.question is None
        or question_json(asked.question) != question_json(row.question)
        or row.points != asked.points
    }
    told = Counter(loss.number for loss in written.losses)
    assert changed <= set(told)
    assert all(times == 1 for times in told.values())
    assert all(loss.what and "\n" not in loss.what for loss in written.losses)
    assert format_.write(sheet).data == written.data


@settings(max_examples=25, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_json_carries_everything(sheet: Sheet) -> None:
    """JSON loses nothing, whatever the texts, of what is a question at all."""
    unsound = {n for n, asked in enumerate(sheet.questions, 1) if fault(asked.question)}
    assert {loss.number for loss in FORMATS["json"].write(sheet).losses} == unsound


@settings(max_examples=25, deadline=None)
@given(sheet=sheets(tidy))
def test_csv_carries_everything_of_tidy_texts(sheet: Sheet) -> None:
    """CSV loses nothing of texts without line breaks, bars and outer white space."""
    assert not FORMATS["csv"].write(sheet).losses


@pytest.mark.parametrize("name", ["xlsx", *TEXTS])
@settings(max_examples=25, deadline=None)
@given(sheet=sheets(tidy))
def test_what_is_asked_and_what_is_right_survive(name: str, sheet: Sheet) -> None:
    """Type, stem, options, key and explanation come back wherever the format has the type."""
    for asked, row in zip(sheet.questions, FORMATS[name].read(FORMATS[name].write(sheet).data), strict=True):
        question = asked.question
        lacking = {Type.MATCHING} if name != "qiqiao" else {Type.MATCHING, Type.ORDERING}
        if question.type in lacking or (name == "xlsx" and len(question.options) > 8):
            continue
        assert row.question is not None, row.problem
        back, sent = question_json(row.question), question_json(question)
        for field in ("type", "stem", "options", "answer", "explanation"):
            assert back[field] == sent[field]


@pytest.mark.parametrize("name", TEXTS)
def test_text_formats_keep_the_hard_sheet(name: str) -> None:
    """Of the sheet with brackets, quotes, formulas and rare characters, only the line break in a stem is lost."""
    rows = FORMATS[name].read(FORMATS[name].write(SHEET).data)
    for number, (asked, row) in enumerate(zip(SHEET.questions, rows, strict=True), 1):
        assert row.question is not None
        if row.question.type is asked.question.type and number != 3:
            assert row.question.stem == asked.question.stem
            assert row.question.options == asked.question.options
            assert row.question.answer == asked.question.answer

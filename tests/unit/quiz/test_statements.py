"""Statements that can be asked about: what stands alone, what hangs, what is a list."""

import pytest

from quiz.generation.statements import body_clauses, is_hanging, listings, statements
from tests.unit.quiz.rules import RULE, document_of

DOCUMENT = document_of()


def said() -> dict[str, list[str]]:
    return {c.label: [s.whole for s in statements(DOCUMENT, c)] for c in body_clauses(DOCUMENT)}


def test_every_statement_is_its_span_of_the_document() -> None:
    """A statement's text is what stands between its offsets, without the number of its article."""
    for clause in body_clauses(DOCUMENT):
        for statement in statements(DOCUMENT, clause):
            assert DOCUMENT.text[statement.start : statement.end] == statement.text
            assert clause.start <= statement.start < statement.end <= clause.end
            assert not statement.text.startswith("第")


@pytest.mark.parametrize("label", ["第七条", "第十一条"])
def test_what_points_at_another_place_is_no_statement(label: str) -> None:
    """前款 and 该 leave a reader without the text helpless: such sentences are not asked about."""
    assert not any(is_hanging(s) for s in said()[label])
    assert said()["第七条"] == []


def test_items_come_with_the_line_above_them() -> None:
    """An item of a list alone does not say what it is an item of."""
    assert said()["第五条"][0] == "共享学习点应当具备下列条件：……使用面积不少于六十平方米"


def test_a_sentence_that_begins_as_a_continuation_takes_the_one_before_along() -> None:
    """不予同意的 … belongs to the sentence that it continues; a short second sentence to the one before it."""
    text = RULE.replace(
        "不予同意的，应当书面说明理由。", "不予同意的，应当书面说明理由。逾期不决定的，视为同意。"
    )
    document = document_of(text)
    clause = next(c for c in document.clauses if c.label == "第四条")
    assert [s.text for s in statements(document, clause)][-1].startswith("办公室应当自收到申请之日起")


def test_a_line_that_was_torn_from_the_one_before_is_no_statement() -> None:
    """Where a source breaks lines in the middle of sentences, no half sentence is asked about."""
    text = RULE.replace("应当书面说明理由。", "应当书面\n\n说明理由，并附上联席会议办公室的审查意见书一份。")
    document = document_of(text)
    clause = next(c for c in document.clauses if c.label == "第四条")
    assert not any(s.text.startswith("说明理由") for s in statements(document, clause))


def test_lists_are_whole_and_say_whether_they_are_exhaustive() -> None:
    """A list with 其他 at its end is no exhaustive one."""
    found = {g.clause.label: g for c in body_clauses(DOCUMENT) for g in listings(DOCUMENT, c)}
    assert set(found) == {"第五条", "第六条", "第十条"}
    assert [DOCUMENT.text[s:e] for s, e in found["第五条"].items] == [
        "使用面积不少于六十平方米",
        "有固定的值守人员",
        "有符合要求的消防设施",
    ]
    assert {label: g.exhaustive for label, g in found.items()} == {
        "第五条": True,
        "第六条": False,
        "第十条": True,
    }

"""A question from elsewhere finds its clause also where numbers are written otherwise."""

import pytest

from quiz.linking import find
from quiz.model import Question, Type
from tests.unit.quiz.rules import document_of

DOCUMENT = document_of()


@pytest.mark.parametrize(
    ("stem", "key", "proof"),
    [
        ("每个共享学习点设管理员（　）人，由管理委员会推选。", "3至5", "三至五"),
        ("每个共享学习点设管理员（　　）人，由管理委员会推选。", "三至五", "三至五"),
        ("管理员由管理委员会推选，每届任期（）年。", "2", "二"),
        ("预约使用学习点的，应当提前____登记。", "3天", "三日"),
    ],
)
def test_a_key_is_read_where_it_stands(stem: str, key: str, proof: str) -> None:
    """五至七 before 人 is the same as 5至7: the place in the clause is found for either."""
    answers = [
        f.places
        for c in DOCUMENT.clauses
        if (f := find(Question(Type.BLANK, stem, (), (key,)), DOCUMENT, c)) is not None
    ]
    assert [[DOCUMENT.text[s:e] for s, e in places] for places in answers] == [[proof]]


def test_a_wrong_key_finds_no_clause() -> None:
    """What the clause does not say is not linked to it."""
    question = Question(Type.BLANK, "每个共享学习点设管理员（　）人，由管理委员会推选。", (), ("六至九",))
    assert all(find(question, DOCUMENT, c) is None for c in DOCUMENT.clauses)

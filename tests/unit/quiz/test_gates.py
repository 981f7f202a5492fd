"""The gates: a sound question passes all of them, and each flaw is stopped by its own gate."""

from dataclasses import replace

import pytest

from quiz.generation.gates import Basis, failures
from quiz.generation.making import source_words
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, Slot, Type
from tests.unit.quiz.rules import basis_of, document_of

DOCUMENT = document_of()
BASIS = basis_of(DOCUMENT)


def question(
    type_: Type, sentence: str, key: str, options: tuple[str, ...], slot: Slot, instead: str = ""
) -> Question:
    """A question on a sentence of the rule that asks for `key`, or says `instead` of it."""
    start = DOCUMENT.text.index(sentence)
    at = start + sentence.index(key)
    clause = next(c for c in DOCUMENT.clauses if c.start <= start < c.end)
    said = sentence.replace(key, instead or BLANK, 1)
    return Question(
        type_,
        source_words(DOCUMENT) + said,
        options,
        (TRUE if instead == key else FALSE,) if type_ is Type.TRUE_FALSE else (key,),
        citation=Citation(
            DOCUMENT.document_id,
            DOCUMENT.meta.title,
            clause.path,
            sentence,
            start,
            start + len(sentence),
            clause.clause_id,
            clause.anchor,
        ),
        slot=slot,
        places=((at, at + len(key)),),
    )


TERM = "每个共享学习点设管理员三至五人，由管理委员会推选，每届任期二年。"
SINGLE = question(Type.SINGLE, TERM, "二年", ("一年", "二年", "三年", "五年"), Slot.NUMBER)
FALSE_ONE = question(Type.TRUE_FALSE, TERM, "二年", (TRUE, FALSE), Slot.NUMBER, instead="四年")
GAP = question(Type.BLANK, "应当提前三日登记", "三日", (), Slot.NUMBER)
PRINCIPLES = "设立共享学习点，应当遵循自愿、公开、节俭、便利的原则。"
MULTIPLE = replace(
    question(
        Type.MULTIPLE,
        PRINCIPLES,
        "自愿、公开、节俭、便利",
        ("自愿", "公开", "节俭", "便利", "保密"),
        Slot.LIST,
    ),
    answer=("自愿", "公开", "节俭", "便利"),
)


def stopped_by(q: Question, basis: Basis = BASIS) -> set[int]:
    return {f.gate for f in failures(q, basis)}


@pytest.mark.parametrize(
    "q", [SINGLE, FALSE_ONE, GAP, MULTIPLE], ids=["single", "false", "blank", "multiple"]
)
def test_a_sound_question_passes(q: Question) -> None:
    """Nothing is said against a question that is right."""
    assert failures(q, BASIS) == []


@pytest.mark.parametrize(
    ("gate", "q"),
    [
        (1, replace(SINGLE, answer=("九年",))),
        (1, replace(SINGLE, options=("一年", "二年", "2年", "五年"))),
        (1, replace(MULTIPLE, answer=("自愿",))),
        (1, replace(MULTIPLE, options=MULTIPLE.answer)),
        (2, replace(SINGLE, options=("一年", "两年", "三年", "五年"), answer=("两年",))),
        (2, replace(SINGLE, citation=None)),
        (3, replace(SINGLE, options=("二年", "二十四个月", "三年", "五年"))),
        (3, replace(SINGLE, options=("一年", "二年", "三年", "12个月"), answer=("12个月",))),
        (4, replace(SINGLE, options=("二年", "三日", "三年", "五年"))),
        (4, replace(SINGLE, options=("一年", "二年", "管理员", "五年"))),
        (5, replace(MULTIPLE, answer=("自愿", "公开", "节俭"), options=("自愿", "公开", "节俭", "保密"))),
        (6, replace(FALSE_ONE, stem=FALSE_ONE.stem.replace("四年", "24个月"))),
        (6, replace(FALSE_ONE, stem=FALSE_ONE.stem.replace("三至五人", "五至九人"))),
        (8, replace(SINGLE, stem=SINGLE.stem.replace("每个共享学习点", "该学习点"))),
        (8, replace(SINGLE, stem=SINGLE.stem + "（任期二年）")),
        (8, replace(SINGLE, stem=SINGLE.stem.replace(BLANK, "几年"))),
        (9, replace(SINGLE, options=("五年", "二年", "三年", "一年"))),
        (9, replace(SINGLE, options=("一年", "二年", "三年", "以上都对"), slot=Slot.OTHER)),
    ],
)
def test_a_flaw_is_stopped_by_its_gate(gate: int, q: Question) -> None:
    """Each kind of flaw is named by the gate that is there for it."""
    assert gate in stopped_by(q)


def test_a_wrong_answer_that_is_right_elsewhere_is_stopped() -> None:
    """What stands so in another text that the asker may see is no wrong answer."""
    elsewhere = basis_of(DOCUMENT, "各学习点管理员由管理委员会推选，每届任期三年，可以连任。")
    assert stopped_by(SINGLE) == set()
    assert stopped_by(SINGLE, elsewhere) == {3}
    assert 3 in stopped_by(replace(FALSE_ONE, stem=FALSE_ONE.stem.replace("四年", "三年")), elsewhere)


def test_what_is_not_in_force_is_not_asked_about() -> None:
    """The clause must be in force today."""
    assert 2 in stopped_by(SINGLE, basis_of(DOCUMENT, in_force=False))


def test_a_gap_that_the_text_fills_twice_is_stopped() -> None:
    """A blank whose surroundings stand twice, with different words between, can be filled in two ways."""
    text = document_of().text
    twice = document_of(
        "# 云屏市值守办法\n\n第一条 值守人员应当提前五日登记姓名。\n\n第二条 值守人员应当提前三日登记姓名。\n"
    )
    sentence = "值守人员应当提前三日登记姓名。"
    start = twice.text.index(sentence)
    clause = next(c for c in twice.clauses if c.start <= start < c.end)
    q = Question(
        Type.BLANK,
        f"{source_words(twice)}值守人员应当提前{BLANK}登记姓名。",
        (),
        ("三日",),
        citation=Citation(
            twice.document_id,
            twice.meta.title,
            clause.path,
            sentence,
            start,
            start + len(sentence),
            clause.clause_id,
            clause.anchor,
        ),
        places=((start + 8, start + 10),),
    )
    assert text and {f.gate for f in failures(q, basis_of(twice))} == {7}


def test_a_list_that_ends_with_others_is_no_key() -> None:
    """等 and 其他 say that there is more."""
    document = document_of("# 云屏市学习办法\n\n第一条 学习材料包括讲义、案例、音像等。\n")
    sentence = "学习材料包括讲义、案例、音像等。"
    start = document.text.index(sentence)
    clause = next(c for c in document.clauses if c.start <= start < c.end)
    q = Question(
        Type.MULTIPLE,
        f"{source_words(document)}学习材料包括{BLANK}等。",
        ("讲义", "案例", "音像", "卷宗"),
        ("讲义", "案例", "音像"),
        citation=Citation(
            document.document_id,
            document.meta.title,
            clause.path,
            sentence,
            start,
            start + len(sentence),
            clause.clause_id,
            clause.anchor,
        ),
        slot=Slot.LIST,
        places=((start + 6, start + 14),),
    )
    assert 5 in {f.gate for f in failures(q, basis_of(document))}


def test_points_of_a_short_answer_stand_in_the_clause() -> None:
    """What is to be marked in a short answer is verbatim, too."""
    short = replace(
        SINGLE,
        type=Type.SHORT,
        stem="根据《云屏市共享学习点管理条例》，管理员怎样产生？",
        options=(),
        answer=("由管理委员会推选",),
        points=(Point("由管理委员会推选", 1.0),),
    )
    assert stopped_by(short) == set()
    assert 2 in stopped_by(replace(short, points=(Point("由全体成员选举", 1.0),)))

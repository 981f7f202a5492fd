"""What an answer is worth, by type; and that only its meaning counts, not how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.numerals import chinese_numeral
from quiz.marking import mark, same
from quiz.model import BLANK, FALSE, TRUE, Point, Question, Type

SHORT = Question(
    Type.SHORT,
    "缺席的怎么办？",
    (),
    ("应当说明原因，并在七日内补学。",),
    points=(Point("说明原因", 0.4), Point("七日内补学", 0.6)),
)


def gaps(stem: str, *answer: str, accepted: tuple[tuple[str, ...], ...] = ()) -> Question:
    """A question with gaps."""
    return Question(Type.BLANK, stem, (), answer, accepted=accepted)


@pytest.mark.parametrize(
    ("given_", "share"),
    [
        (["甲", "丙", "丁"], 1.0),
        (["丁", "甲", "丙"], 1.0),
        (["甲"], 0.5),
        (["甲", "丁"], 0.5),
        (["甲", "乙"], 0.0),
        (["甲", "乙", "丙", "丁"], 0.0),
        ([], 0.0),
    ],
)
def test_multiple_choice_gives_half_for_some_and_nothing_for_a_wrong_one(
    given_: list[str], share: float
) -> None:
    """All right ones get everything, some of them a half, and a single wrong one takes it all."""
    question = Question(Type.MULTIPLE, "选", ("甲", "乙", "丙", "丁"), ("甲", "丙", "丁"))
    assert mark(question, given_).share == share


def test_one_choice_is_right_or_wrong() -> None:
    """Single choice and true or false get all or nothing."""
    single = Question(Type.SINGLE, "选", ("甲", "乙"), ("乙",))
    assert [mark(single, g).share for g in (["乙"], ["甲"], [])] == [1.0, 0.0, 0.0]
    claim = Question(Type.TRUE_FALSE, "可以。", (TRUE, FALSE), (FALSE,))
    assert [mark(claim, g).share for g in ([FALSE], [TRUE])] == [1.0, 0.0]


def test_ordering_counts_as_a_whole_and_matching_by_pair() -> None:
    """An order is right from first to last; of pairs each right one counts."""
    steps = Question(Type.ORDERING, "排", ("乙", "甲", "丙"), ("甲", "乙", "丙"))
    assert [mark(steps, g).share for g in (["甲", "乙", "丙"], ["甲", "丙", "乙"], ["甲", "乙"])] == [1, 0, 0]
    pairs = Question(Type.MATCHING, "配", ("一", "二", "三"), ("二", "一", "三"), prompts=("甲", "乙", "丙"))
    assert mark(pairs, ["二", "一", "三"]).share == 1
    assert mark(pairs, ["二", "", "一"]).share == pytest.approx(1 / 3)
    assert mark(pairs, ["二"]).share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "written",
    ["三十日", "30日", "30天", "３０天", "三十天", " 30 日 ", "30日。"],
)
def test_a_gap_takes_every_form_of_its_amount(written: str) -> None:
    """Three ten days, in any script, width and unit of the same length, fill the gap."""
    assert mark(gaps(f"保存{BLANK}。", "三十日"), [written]).share == 1


@pytest.mark.parametrize("written", ["30", "三十一日", "30年", "30个工作日", "三日", "十三日", "日三十", ""])
def test_a_gap_takes_no_other_amount(written: str) -> None:
    """Another number, another unit, or a number without its unit does not."""
    assert mark(gaps(f"保存{BLANK}。", "三十日"), [written]).share == 0


@pytest.mark.parametrize(
    ("stem", "key", "written", "right"),
    [
        (f"由{BLANK}人组成。", "五至七", "5-7", True),
        (f"由{BLANK}人组成。", "五至七", "5至7人", True),
        (f"由{BLANK}人组成。", "五至七", "57", False),
        (f"每月不少于{BLANK}次。", "两", "2", True),
        (f"每月不少于{BLANK}次。", "两", "不少于2次", True),
        (f"比例为{BLANK}。", "百分之十", "10%", True),
        (f"比例为{BLANK}。", "百分之十", "１０％", True),
        (f"比例为{BLANK}。", "百分之十", "10", False),
        (f"处{BLANK}罚款。", "五万元以上", "50000元以上", True),
        (f"处{BLANK}罚款。", "五万元以上", "5万元以上", True),
        (f"处{BLANK}罚款。", "五万元以上", "5万元以下", False),
        (f"系数为{BLANK}。", "3.5", "3.50", True),
        (f"系数为{BLANK}。", "3.5", "35", False),
        (f"自{BLANK}起施行。", "二〇二六年三月一日", "2026年3月1日", True),
        (f"自{BLANK}起施行。", "二〇二六年三月一日", "2026年1月3日", False),
        (f"人员{BLANK}代签。", "不得", "不 得", True),
        (f"人员{BLANK}代签。", "不得", "得", False),
        (f"由{BLANK}组织。", "支部委员会", "支部委員會", True),
        (f"依照{BLANK}办理。", "《夜学办法》", "夜学办法", True),
    ],
)
def test_a_gap_is_read_by_its_meaning(stem: str, key: str, written: str, right: bool) -> None:
    """Number forms, width, script, marks, and what the stem says already make no difference; the meaning does."""
    assert mark(gaps(stem, key), [written]).share == float(right)


def test_each_gap_counts_alike_and_has_its_own_variants() -> None:
    """Of two gaps one right is a half; a variant of one is none of the other."""
    question = gaps(f"每月{BLANK}次，保存{BLANK}。", "两", "三十日", accepted=(("二",), ("一个月",)))
    found = [
        mark(question, g).share
        for g in (["二", "一个月"], ["2", ""], ["", "一个月"], ["一个月", "二"], ["两"])
    ]
    assert found == [1, 0.5, 0.5, 0, 0.5]


def test_a_short_answer_is_only_proposed() -> None:
    """A person has the last word on words: there is a proposal from the points, and no share."""
    for said, proposed in [
        ("应当说明原因并在7天内补学", 1.0),
        ("要说明原因", 0.4),
        ("七日内补学就行", 0.6),
        ("不知道", 0.0),
    ]:
        marked = mark(SHORT, [said])
        assert (marked.share, marked.proposed) == (None, proposed), said
    assert mark(SHORT, ["  "]).share == 0, "nobody has to read what is empty"


@given(n=st.integers(1, 99), unit=st.sampled_from(["日", "个月", "人", "次", "元", "年"]))
def test_same_holds_for_every_number_in_both_scripts(n: int, unit: str) -> None:
    """A number in Chinese and in Arabic digits is the same, the next number never."""
    assert same(f"{chinese_numeral(n)}{unit}", f"{n}{unit}")
    assert not same(f"{chinese_numeral(n)}{unit}", f"{n + 1}{unit}")


@given(st.text(max_size=20), st.text(max_size=20))
def test_same_is_an_equivalence(one: str, other: str) -> None:
    """Every text is the same as itself, and order does not matter."""
    assert same(one, one)
    assert same(one, other) == same(other, one)


@given(st.lists(st.text(max_size=30), max_size=4))
def test_marking_never_fails_and_stays_in_bounds(given_: list[str]) -> None:
    """Whatever was given, the share is from 0 to 1."""
    blank = gaps(f"每月{BLANK}次，保存{BLANK}。", "两", "三十日")
    for question in (blank, SHORT):
        marked = mark(question, given_[: len(question.answer)])
        assert all(0 <= x <= 1 for x in (marked.share, marked.proposed) if x is not None)

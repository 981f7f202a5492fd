"""Amounts: one meaning, many ways to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.numerals import chinese_numeral
from quiz.quantities import Amount, amount_of, amounts

UNITS = ["日", "天", "周岁", "个月", "小时", "元", "人", "倍", "个工作日"]


@given(st.integers(1, 99_999_999), st.sampled_from(UNITS))
def test_numerals_of_either_script_mean_the_same(n: int, unit: str) -> None:
    """一万二千元 and 12000元 are one amount, for every number."""
    one, other = amount_of(f"{n}{unit}"), amount_of(f"{chinese_numeral(n)}{unit}")
    assert one is not None and other is not None
    assert one.equals(other)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["日", "年", "元"]))
def test_overlap_is_mutual(low: int, more: int, unit: str) -> None:
    """A range overlaps another exactly if that overlaps it, and always itself."""
    a, b = (
        amount_of(f"{low}{unit}以上{low + more}{unit}以下"),
        amount_of(f"{more}{unit}以上{more + low}{unit}以下"),
    )
    assert a is not None and b is not None
    assert a.overlaps(a)
    assert a.overlaps(b) == b.overlaps(a)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("三日", "3天"),
        ("72小时", "三日"),
        ("一年", "十二个月"),
        ("半年", "六个月"),
        ("百分之四十", "40%"),
        ("5万元", "五万元"),
        ("5万元", "50000元"),
    ],
)
def test_the_same_amount_is_known_again(one: str, other: str) -> None:
    """Other units and numerals do not make another amount."""
    a, b = amount_of(one), amount_of(other)
    assert a is not None and b is not None and a.equals(b)


@pytest.mark.parametrize(
    "text", ["第三日", "上一年度", "一次性补助", "第十二条", "三人称", "2024年5月1日", "5月1日前", "每年"]
)
def test_what_counts_nothing_is_no_amount(text: str) -> None:
    """Ordinals, dates and words that begin like a number are passed over."""
    assert list(amounts(text)) == []


def test_amounts_are_found_where_they_stand() -> None:
    """Offsets are those of the text."""
    text = "应当提前三日登记，处500元以上2000元以下的违约金"
    found: list[Amount] = list(amounts(text))
    assert [text[a.start : a.end] for a in found] == ["三日", "500元以上2000元以下"]
    assert found[1].is_range

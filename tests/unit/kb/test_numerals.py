"""Chinese and Arabic numerals against a speller written the other way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.numerals import NUMERALS, chinese_numeral, numeral_value

DIGITS = "零一二三四五六七八九"


def spelled(n: int) -> str:
    """The usual way to write 0 to 99,999,999."""
    if n >= 10_000:
        low = n % 10_000
        return spelled(n // 10_000) + "万" + (("零" if low < 1000 else "") + spelled(low) if low else "")
    written, zero = "", False
    for place, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // place % 10
        if digit:
            written += ("零" if zero else "") + DIGITS[digit] + sign
        zero = bool(written) and not digit
    return written or "零"


@given(st.integers(1, 99_999_999))
def test_numeral_value_reads_every_number_as_it_is_spelled(n: int) -> None:
    """What the rules of spelling write, in full and with 十 for 一十, is read as the same number."""
    written = spelled(n)
    assert numeral_value(written) == n
    if written.startswith("一十"):
        assert numeral_value(written[1:]) == n


@given(st.integers(0, 10**8))
def test_numeral_value_reads_digits_in_both_widths_and_scripts(n: int) -> None:
    """Arabic digits, full-width digits and Chinese digits in a row stand for the same number."""
    for digits in ("0123456789", "０１２３４５６７８９", "〇一二三四五六七八九"):
        assert numeral_value("".join(digits[int(d)] for d in str(n))) == n


@pytest.mark.parametrize("n", range(1, 100))
def test_chinese_numeral_is_read_back(n: int) -> None:
    """The numeral written for 第…款 is well formed."""
    assert numeral_value(chinese_numeral(n)) == n


@given(st.text(NUMERALS, max_size=8))
def test_numeral_value_never_fails(text: str) -> None:
    """Any run of numeral characters is a number or None, not an error."""
    value = numeral_value(text)
    assert value is None or value >= 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "十十",
        "百零",
        "二百百",
        "万",
        "一万万",
        "一万一万",
        "3万",
        "甲",
        "一千零",
        "零十",
        "-1",
        "1.5",
        "²",
    ],
)
def test_numeral_value_refuses_what_is_no_number(text: str) -> None:
    """A run that no one would read as one number gives None."""
    assert numeral_value(text) is None

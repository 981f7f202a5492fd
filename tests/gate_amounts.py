"""Amounts written in Chinese or Arabic figures, read by a small grammar of the tests' own.

It serves `gate_checker` and shares nothing with the code under test, so that both cannot be wrong alike.
"""

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
SMALL = {"十": 10, "百": 100, "千": 1000}
LARGE = {"万": 10_000, "亿": 100_000_000}
FIGURE = r"[0-9零〇一二两三四五六七八九十百千](?:[0-9零〇一二两三四五六七八九十百千万亿]|\.(?=[0-9])|点(?=[零〇一二三四五六七八九]))*"
UNITS: dict[str, tuple[str, int | Fraction]] = {
    "天": ("日", 1), "日": ("日", 1), "周": ("日", 7), "星期": ("日", 7), "个星期": ("日", 7),
    "小时": ("日", Fraction(1, 24)), "个小时": ("日", Fraction(1, 24)), "分钟": ("日", Fraction(1, 1440)),
    "月": ("月", 1), "个月": ("月", 1), "年": ("月", 12), "周年": ("月", 12), "个季度": ("月", 3),
    "公里": ("米", 1000), "千米": ("米", 1000), "米": ("米", 1), "厘米": ("米", Fraction(1, 100)),
    "吨": ("克", 1_000_000), "公斤": ("克", 1000), "千克": ("克", 1000), "克": ("克", 1),
    "%": ("1", Fraction(1, 100)), "元人民币": ("元", 1), "元": ("元", 1),
    "岁": ("岁", 1), "周岁": ("岁", 1),
}  # fmt: skip
"""What a unit is measured in, and how many of it. Others stand for themselves."""


class Amount(NamedTuple):
    """From `least` to `most` of a unit, and how it was bounded: "" for a plain number or a range."""

    least: Fraction
    most: Fraction
    unit: str
    bound: str

    @property
    def ranged(self) -> bool:
        """Whether it has two ends."""
        return self.least != self.most


def figure(text: str) -> Fraction | None:
    """The number that figures write: 3, 1.5万, 三十, 二〇二四, 一百零五; None for what is no number.

    >>> [str(figure(t)) for t in ("三十", "1.5万", "二〇二四", "一百零五", "二十万", "一点五", "统一")]
    ['30', '15000', '2024', '105', '200000', '3/2', 'None']
    """
    if not re.fullmatch(FIGURE, text) or text[0] in "百千":
        return None
    if "点" in text:
        ahead, behind = text.split("点", 1)
        whole_part, digits = figure(ahead), [DIGITS.get(c) for c in behind]
        if whole_part is None or None in digits:
            return None
        return whole_part + Fraction(int("".join(map(str, digits))), 10 ** len(digits))
    if len(text) > 1 and all(c in DIGITS for c in text):
        return Fraction("".join(str(DIGITS[c]) for c in text))
    # Sums up to 万 and 亿, what is summed below them, and the figure that waits for its power of ten.
    whole = part = Fraction(0)
    last: Fraction | None = None
    for token in re.findall(r"[0-9.]+|.", text):
        if token[0].isdigit():
            if last is not None or token.count(".") > 1:
                return None
            last = Fraction(token)
        elif token in DIGITS:
            if last not in (None, 0):
                return None
            last = Fraction(DIGITS[token])
        elif token in SMALL:
            part += (Fraction(1) if last is None or last == 0 else last) * SMALL[token]
            last = None
        else:
            whole = (whole + part + (last or 0)) * LARGE[token]
            part, last = Fraction(0), None
    return whole + part + (last or 0)


def written(number: Fraction) -> str:
    """The number in Arabic figures."""
    return f"{float(number):.15g}" if number.denominator > 1 else str(number.numerator)


def canonical(text: str) -> str:
    """The text with numbers, widths and spaces in one form, so that what is equal but for these is equal.

    >>> canonical("自收到之日起 三十天内") == canonical("自收到之日起30日内")
    True
    >>> canonical("百分之五") == canonical("5％"), canonical("百分之一点五")
    (True, '1.5%')
    """
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", text)
    text = re.sub(rf"百分之({FIGURE})", lambda m: m[1] + "%", text)
    text = re.sub(FIGURE, lambda m: m[0] if (n := figure(m[0])) is None else written(n), text)
    return re.sub(r"(?<=[0-9])天", "日", text)


PLAIN = rf"({FIGURE}|半)(?:分之({FIGURE}))?"
BEFORE = "不少于|不低于|不得少于|不超过|不得超过|不高于|至少|最多|满|不满|未满|超过|不足|每|第|逾"
BOUND = "以上|以下|以内|以外|内|外|之内|前|后|左右"
ONE = re.compile(rf"({BEFORE})?{PLAIN}([^0-9至到~以]{{0,6}}?)({BOUND})?")
TWO = re.compile(
    rf"({BEFORE})?{PLAIN}([^0-9至到~]{{0,6}}?)(?:至|到|~|-|—|–|以上)(?:不满|不足)?{PLAIN}(\D{{0,6}}?)(以下|以内)?"
)


def amount(text: str) -> Amount | None:
    """The amount that the whole text is; None where it is none.

    >>> amount("三个月") == amount("3个月"), amount("一年") == amount("十二个月"), amount("三名") == amount("三日")
    (True, True, False)
    >>> amount("3至5人").ranged, amount("一年以上三年以下").most == 36, amount("县级以上人民政府")
    (True, True, None)
    """
    text = canonical(text)
    if two := TWO.fullmatch(text):
        before, low, under, unit, high, over, last, _ = two.groups()
        ends = _ends(low, under, unit or last), _ends(high, over, last or unit)
        if ends[0] and ends[1] and ends[0][1] == ends[1][1]:
            return Amount(ends[0][0], ends[1][0], ends[0][1], before or "")
        return None
    if one := ONE.fullmatch(text):
        before, low, under, unit, after = one.groups()
        found = _ends(low, under, unit)
        return Amount(found[0], found[0], found[1], (before or "") + (after or "")) if found else None
    return None


def _ends(low: str, under: str | None, unit: str) -> tuple[Fraction, str] | None:
    """A number in the unit that it is measured in; None for no number."""
    number = Fraction(1, 2) if low == "半" else figure(low)
    if number is not None and under:
        top = figure(under)
        number = None if top is None or not number else top / number
    if number is None:
        return None
    base, times = UNITS.get(unit, ("1" if not unit and under else unit, 1))
    return number * times, base


def same_or_overlapping(one: str, other: str) -> bool:
    """Whether two amounts are equal in meaning, or ranges that overlap; False where one is no amount.

    >>> [same_or_overlapping(a, b) for a, b in (("3日", "三天"), ("3至5人", "5至7人"), ("3至5人", "3至7人"))]
    [True, False, True]
    """
    first, second = amount(one), amount(other)
    if first is None or second is None or first.unit != second.unit or first.bound != second.bound:
        return False
    if first[:2] == second[:2]:
        return True
    return first.ranged and second.ranged and max(first[0], second[0]) < min(first[1], second[1])

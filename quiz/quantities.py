"""Amounts in a text: what they measure, how large they are, and how they are written.

三十日, 30日 and 30天 are one amount; 一万元以上五万元以下 is a range. Amounts of one
dimension compare: days and hours do, months and years do, days and months do not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from kb.numerals import DIGITS, numeral_value

_SCALED = {"亿": 10**8, "万": 10**4, "千": 10**3, "百": 100}
_UNITS: dict[str, tuple[str, Fraction]] = {
    "个工作日": ("workday", Fraction(1)),
    "工作日": ("workday", Fraction(1)),
    "分钟": ("time", Fraction(1, 60)),
    "小时": ("time", Fraction(1)),
    "个小时": ("time", Fraction(1)),
    "日": ("time", Fraction(24)),
    "天": ("time", Fraction(24)),
    "周": ("time", Fraction(168)),
    "个月": ("month", Fraction(1)),
    "个季度": ("month", Fraction(3)),
    "年": ("month", Fraction(12)),
    "周岁": ("age", Fraction(1)),
    "岁": ("age", Fraction(1)),
    "人": ("people", Fraction(1)),
    "名": ("people", Fraction(1)),
    "元": ("money", Fraction(1)),
    "倍": ("times", Fraction(1)),
    "次": ("count", Fraction(1)),
    "届": ("term", Fraction(1)),
    "米": ("metre", Fraction(1)),
    "公里": ("metre", Fraction(1000)),
    "平方米": ("area", Fraction(1)),
    "吨": ("tonne", Fraction(1)),
    "公斤": ("tonne", Fraction(1, 1000)),
    "千克": ("tonne", Fraction(1, 1000)),
    "份": ("copy", Fraction(1)),
    "家": ("firm", Fraction(1)),
    "票": ("vote", Fraction(1)),
    "学时": ("lesson", Fraction(1)),
    "课时": ("lesson", Fraction(1)),
    "级": ("grade", Fraction(1)),
    "星": ("star", Fraction(1)),
    "%": ("share", Fraction(1, 100)),
    "％": ("share", Fraction(1, 100)),
}
_NUMBER = r"(?:[0-9０-９]+(?:[.．][0-9０-９]+)?[万亿千百]?|[〇零一二两三四五六七八九十百千万亿]+|半)"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_SHARE = r"百分之[〇零一二两三四五六七八九十百点0-9０-９.．]+"
_PART = r"[二三四五六七八九十]+分之[一二三四五六七八九十]+"
# Not numbers of anything: 第三日 counts on, 一次性 and 三人称 are words, 年 after four digits is a date.
_AMOUNT = re.compile(
    rf"(?<![第年0-9０-９〇零一二两三四五六七八九十百千万亿几数每本同这去点])(?<!(?<!以)[上下])(?<![0-9０-９][,，.．:：])(?:{_SHARE}|{_PART}|(?P<n>{_NUMBER})(?P<u>{_UNIT}))(?!性|称|级别|分之|年代|方|以来|度|成)"
)
_DATE = re.compile(
    r"[0-9０-９]{4}年(?:[0-9０-９]{1,2}月(?:[0-9０-９]{1,2}日)?)?|[0-9０-９]{1,2}月[0-9０-９]{1,2}日"
    r"|[〇一二三四五六七八九]{4}年(?:[一二三四五六七八九十]+月(?:[一二三四五六七八九十]+日)?)?|(?<!个)[一二三四五六七八九十]+月[一二三四五六七八九十]+日"
)
_RANGE = re.compile(
    rf"(?<![第0-9０-９〇零一二两三四五六七八九十百千万亿])(?:(?P<a>{_NUMBER})(?P<au>{_UNIT})以上(?:至)?(?P<b>{_NUMBER})(?P<bu>{_UNIT})以下"
    rf"|(?P<c>{_NUMBER})(?P<cu>{_UNIT})?(?:至|到|—|－|-|～|~)(?P<d>{_NUMBER})(?P<du>{_UNIT})"
    rf"|(?P<e>{_SHARE})以上(?P<f>{_SHARE})以下)"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount or a range at `start:end`. A single amount has `low == high`.

    `unit` is as it is written; values are in the base of the dimension: hours, months, yuan, shares of one.
    """

    start: int
    end: int
    text: str
    dimension: str
    unit: str
    low: Fraction
    high: Fraction

    @property
    def is_range(self) -> bool:
        """Whether it runs from one value to another."""
        return self.low != self.high

    def equals(self, other: "Amount") -> bool:
        """The same in meaning, however it is written."""
        return (self.dimension, self.low, self.high) == (other.dimension, other.low, other.high)

    def overlaps(self, other: "Amount") -> bool:
        """Whether some value lies in both; of one dimension."""
        return self.dimension == other.dimension and self.low <= other.high and other.low <= self.high


def amounts(text: str) -> Iterator[Amount]:
    """Every amount in the text, in its order; a range is one.

    >>> [(a.text, a.dimension, float(a.low), float(a.high)) for a in amounts("三十日内缴纳一万元以上五万元以下罚款，比例不低于百分之十")]
    [('三十日', 'time', 720.0, 720.0), ('一万元以上五万元以下', 'money', 10000.0, 50000.0), ('百分之十', 'share', 0.1, 0.1)]
    >>> [a.text for a in amounts("第三十条规定的一次性补助，自2008年1月1日起")]
    []
    """
    taken: list[tuple[int, int]] = [m.span() for m in _DATE.finditer(text)]
    found: list[Amount] = []
    for m in _RANGE.finditer(text):
        if any(s < m.end() and m.start() < e for s, e in taken):
            continue
        if amount := _range(m):
            found.append(amount)
            taken.append(m.span())
    for m in _AMOUNT.finditer(text):
        if any(s < m.end() and m.start() < e for s, e in taken):
            continue
        if amount := _single(m):
            found.append(amount)
    yield from sorted(found, key=lambda a: a.start)


@lru_cache(maxsize=16384)
def amount_of(text: str) -> Amount | None:
    """The amount that the whole text is, None if it is something else or more.

    >>> amount_of("3日").equals(amount_of("三天")), amount_of("3日内") is None
    (True, True)
    """
    text = text.strip()
    found = next(iter(amounts(text)), None)
    return found if found and (found.start, found.end) == (0, len(text)) else None


def dates(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the days, months and years of the calendar named in the text."""
    for m in _DATE.finditer(text):
        yield m.span()


def date_of(text: str) -> tuple[int, ...] | None:
    """Year, month and day of a text that is a date, as far as it says; None if it is none.

    >>> date_of("2008年1月1日"), date_of("二〇〇八年一月一日"), date_of("7月1日"), date_of("一月")
    ((2008, 1, 1), (2008, 1, 1), (7, 1), None)
    """
    if not (m := _DATE.fullmatch(text.strip())):
        return None
    values = [numeral_value(part) for part in re.split("[年月日]", m.group()) if part]
    return tuple(v for v in values if v is not None)


def date_shape(text: str) -> str:
    """Which of year, month and day a date names.

    >>> date_shape("2022年11月"), date_shape("8月5日")
    ('年月', '月日')
    """
    return "".join(c for c in text if c in "年月日")


def _value(text: str) -> Fraction | None:
    text = text.translate({0xFF10 + d: str(d) for d in range(10)}).replace("．", ".")
    if text == "半":
        return Fraction(1, 2)
    scale = 1
    if text[-1] in _SCALED and text[:-1].replace(".", "").isdigit():
        scale, text = _SCALED[text[-1]], text[:-1]
    if re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return Fraction(text) * scale
    value = numeral_value(text)
    return None if value is None else Fraction(value) * scale


def _share(text: str) -> Fraction | None:
    if text.startswith("百分之"):
        rest = text[3:]
        if "点" in rest:
            whole, _, part = rest.partition("点")
            digits = "".join(str(DIGITS.get(c, "")) for c in part)
            value = _value(whole)
            return (
                None
                if value is None or not digits
                else (value + Fraction(int(digits), 10 ** len(digits))) / 100
            )
        value = _value(rest)
        return None if value is None else value / 100
    below, _, above = text.partition("分之")
    low, high = _value(below), _value(above)
    return None if not low or high is None else high / low


def _single(m: re.Match[str]) -> Amount | None:
    if m["n"] is None:
        value = _share(m.group())
        unit = "百分之" if m.group().startswith("百分之") else "分之"
        return None if not value else Amount(m.start(), m.end(), m.group(), "share", unit, value, value)
    dimension, factor = _UNITS[m["u"]]
    value = _value(m["n"])
    return (
        None
        if not value
        else Amount(m.start(), m.end(), m.group(), dimension, m["u"], value * factor, value * factor)
    )


def _range(m: re.Match[str]) -> Amount | None:
    if m["e"]:
        low, high, dimension, unit = _share(m["e"]), _share(m["f"]), "share", "百分之"
    else:
        a, au, b, bu = (
            (m["a"], m["au"], m["b"], m["bu"]) if m["a"] else (m["c"], m["cu"] or m["du"], m["d"], m["du"])
        )
        (dimension, factor), (other, other_factor), unit = _UNITS[au], _UNITS[bu], bu
        if dimension != other:
            return None
        low, high = _value(a), _value(b)
        low, high = (None if low is None else low * factor), (None if high is None else high * other_factor)
    if low is None or high is None or low >= high:
        return None
    return Amount(m.start(), m.end(), m.group(), dimension, unit, low, high)

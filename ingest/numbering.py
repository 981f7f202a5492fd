"""Automatic numbers as a word processor shows them: formats, levels and counters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_DIGITS = "〇一二三四五六七八九"
_LEGAL_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a numbering: `text` holds %1 to %9 for the numbers of the levels.

    `restart` is the level (from 1) whose step starts this one anew, None for
    any outer one, 0 for never.
    """

    format: str = "decimal"
    text: str = ""
    start: int = 1
    suffix: str = "tab"
    restart: int | None = None
    legal: bool = False


class Counters:
    """Numbers of one numbering as paragraphs come by."""

    def __init__(self, levels: Mapping[int, Level]) -> None:
        self._levels = levels
        self._values: dict[int, int] = {}

    def start_at(self, level: int, value: int) -> None:
        """The next number of this level is `value`."""
        self._values[level] = value - 1

    def step(self, index: int, levels: Mapping[int, Level] | None = None) -> str:
        """The number of the next paragraph of level `index`, with what follows it.

        `levels` stand in for the numbering's own where one list overrides them.
        """
        levels = levels or self._levels
        level = levels.get(index)
        if level is None:
            return ""
        self._values[index] = self._values.get(index, level.start - 1) + 1
        for inner in [x for x in self._values if x > index]:
            restart = levels[inner].restart if inner in levels else None
            if restart is None or (restart > 0 and index < restart):
                del self._values[inner]
        if level.format in {"bullet", "none"} and "%" not in level.text:
            return ""
        label = level.text
        for outer in range(9):
            if f"%{outer + 1}" in label:
                label = label.replace(f"%{outer + 1}", self._show(outer, levels, legal=level.legal))
        return _with_suffix(label, level.suffix)

    def _show(self, index: int, levels: Mapping[int, Level], *, legal: bool) -> str:
        level = levels.get(index, Level())
        value = self._values.setdefault(index, level.start)
        return render_number(value, "decimal" if legal and level.format != "decimalZero" else level.format)


def _with_suffix(label: str, suffix: str) -> str:
    if not label or suffix == "nothing" or label[-1] in "、，．：）】〕。；":
        return label
    return f"{label} "


def render_number(value: int, form: str) -> str:
    """A number in a format of ECMA-376 part 1, 17.18.59; decimal for those not known here.

    >>> [render_number(n, "chineseCountingThousand") for n in (2, 10, 12, 20, 105, 1260)]
    ['二', '十', '十二', '二十', '一百零五', '一千二百六十']
    >>> render_number(28, "lowerLetter"), render_number(14, "upperRoman")
    ('bb', 'XIV')
    """
    if value < 0:
        return str(value)
    match form:
        case "none" | "bullet":
            return ""
        case "decimalZero":
            return f"{value:02d}"
        case "decimalFullWidth" | "decimalFullWidth2":
            return "".join(chr(ord(digit) + 0xFEE0) for digit in str(value))
        case "lowerLetter" | "upperLetter":
            letter = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1) if value else ""
            return letter if form == "lowerLetter" else letter.upper()
        case "lowerRoman" | "upperRoman":
            roman = _roman(value)
            return roman if form == "lowerRoman" else roman.upper()
        case "chineseCounting" | "chineseCountingThousand" | "japaneseCounting" | "taiwaneseCountingThousand":
            return chinese_number(value)
        case "taiwaneseCounting":
            return chinese_number(value)
        case "ideographDigital" | "japaneseDigitalTenThousand" | "taiwaneseDigital":
            return "".join(_DIGITS[int(digit)] for digit in str(value))
        case "chineseLegalSimplified" | "ideographLegalTraditional" | "japaneseLegal":
            return chinese_number(value, _LEGAL_DIGITS, ("", "拾", "佰", "仟"))
        case "ideographTraditional":
            return _cycle(value, _STEMS)
        case "ideographZodiac":
            return _cycle(value, _BRANCHES)
        case "decimalEnclosedCircle" | "decimalEnclosedCircleChinese":
            return _enclosed(value, 0x2460, 20)
        case "decimalEnclosedParen":
            return _enclosed(value, 0x2474, 20)
        case "decimalEnclosedFullstop":
            return _enclosed(value, 0x2488, 20)
    return str(value)


def chinese_number(
    value: int, digits: str = "零一二三四五六七八九", units: Sequence[str] = ("", "十", "百", "千")
) -> str:
    """A number below 100 million as it is read; 10 to 19 without a leading one in plain digits."""
    if value == 0:
        return digits[0]
    if value >= 10_000:
        high, low = divmod(value, 10_000)
        gap = digits[0] if 0 < low < 1000 else ""
        return (
            f"{chinese_number(high, digits, units)}万{gap}{chinese_number(low, digits, units) if low else ''}"
        )
    out = ""
    skipped = False
    for power in range(3, -1, -1):
        digit = value // 10**power % 10
        if digit:
            out += (digits[0] if skipped and out else "") + digits[digit] + units[power]
        skipped = digit == 0
    plain = digits[1] + units[1]
    return out[1:] if digits[1] == "一" and out.startswith(plain) else out


def _roman(value: int) -> str:
    out = ""
    for size, letters in _ROMAN:
        n, value = divmod(value, size)
        out += letters * n
    return out


def _cycle(value: int, signs: str) -> str:
    return signs[value - 1] if 0 < value <= len(signs) else str(value)


def _enclosed(value: int, first: int, count: int) -> str:
    return chr(first + value - 1) if 0 < value <= count else str(value)

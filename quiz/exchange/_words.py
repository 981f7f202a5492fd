"""What types, difficulties and truth are called, in the words that files from elsewhere use, too."""

import re
import unicodedata

from quiz.model import FALSE, TRUE, Type

# The first that the folded name holds decides: 不定项选择题 before 选择题.
_TYPES: tuple[tuple[str, Type | None], ...] = (
    ("不定项", None),
    ("多选", Type.MULTIPLE),
    ("多项", Type.MULTIPLE),
    ("单选", Type.SINGLE),
    ("单项", Type.SINGLE),
    ("判断", Type.TRUE_FALSE),
    ("是非", Type.TRUE_FALSE),
    ("对错", Type.TRUE_FALSE),
    ("填空", Type.BLANK),
    ("排序", Type.ORDERING),
    ("配对", Type.MATCHING),
    ("匹配", Type.MATCHING),
    ("连线", Type.MATCHING),
    ("选择", None),
    *((word, Type.SHORT) for word in ("简答", "问答", "论述", "名词解释", "主观", "案例", "计算", "材料")),
)
TYPE_PATTERN = "(?:" + "|".join(word for word, _ in _TYPES) + ")(?:选择)?(?:分析)?题?"
"""Matches the name of a type as it stands in headings and brackets."""

_TRUE = frozenset({"正确", "对", "√", "✓", "✔", "t", "true", "y", "yes", "是", "1", "同意", "right"})
_FALSE = frozenset(
    {
        "错误",
        "错",
        "×",
        "✗",
        "✘",
        "✕",
        "f",
        "false",
        "n",
        "no",
        "否",
        "0",
        "不同意",
        "不正确",
        "不对",
        "wrong",
        "x",
    }
)
_PAIRS = frozenset(
    {"正确", "对", "√", "✓", "✔", "t", "true", "错误", "错", "×", "✗", "✘", "✕", "f", "false", "x"}
)

DIFFICULTIES: tuple[tuple[float, str], ...] = (
    (0.1, "易"),
    (0.3, "偏易"),
    (0.5, "适中"),
    (0.7, "偏难"),
    (0.9, "难"),
)
_DIFFICULTY = {name: value for value, name in DIFFICULTIES} | {
    "容易": 0.1,
    "简单": 0.1,
    "低": 0.1,
    "较易": 0.3,
    "中": 0.5,
    "中等": 0.5,
    "一般": 0.5,
    "较难": 0.7,
    "困难": 0.9,
    "高": 0.9,
}


BASIS = "〔依据〕"
"""Leads the clause that we add to an explanation; what follows it is no part of the explanation."""


def fold(text: str) -> str:
    """The text in half width and lower case, without white space.

    >>> fold("　Ａ、 Ｂ ")
    'a、b'
    """
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def clean(text: str) -> str:
    """The text without what XML and text files cannot hold: control and replacement characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char
        for char in text
        if char in "\n\t"
        or (unicodedata.category(char) not in ("Cc", "Cs") and char not in "\ufffd\ufffe\uffff\ufeff")
    )


def one_line(text: str) -> str:
    """The text, cleaned, with its line breaks as spaces."""
    return re.sub(r"\s*\n\s*", " ", clean(text)).strip()


def quoted(text: str) -> str:
    r"""The text in quotation marks on one line, cut where it is long.

    >>> quoted("甲\n乙")
    '“甲 乙”'
    """
    line = one_line(text)
    return f"“{line[:40]}…”" if len(line) > 40 else f"“{line}”"


def type_named(name: str) -> tuple[bool, Type | None]:
    """Whether this names a type, and which; choice that leaves the number of keys open is `None`.

    >>> type_named("【多项选择题】"), type_named("选择题"), type_named("附件")
    ((True, <Type.MULTIPLE: 'multiple'>), (True, None), (False, None))
    """
    folded = fold(name)
    return next(((True, found) for word, found in _TYPES if word in folded), (False, None))


def truth(word: str) -> str | None:
    """`TRUE` or `FALSE` for a word or sign that says so, else `None`.

    >>> truth("√"), truth("Ｆ"), truth("三年")
    ('正确', '错误', None)
    """
    folded = fold(word)
    return TRUE if folded in _TRUE else FALSE if folded in _FALSE else None


def truths(options: tuple[str, ...]) -> tuple[str, ...] | None:
    """The two options as `TRUE` and `FALSE` in their order, where they are nothing but that."""
    found = tuple(truth(option) for option in options)
    if set(found) != {TRUE, FALSE} or len(options) != 2 or not all(fold(o) in _PAIRS for o in options):
        return None
    return tuple(str(word) for word in found)


def difficulty_name(value: float) -> str:
    """The nearest of five words."""
    return min(DIFFICULTIES, key=lambda pair: abs(pair[0] - value))[1]


def difficulty_of(word: str) -> float:
    """The difficulty that a word or a number from 0 to 1 says; 0.5 where it says nothing."""
    folded = fold(word)
    if re.fullmatch(r"[01](?:\.\d+)?", folded) and float(folded) <= 1:
        return float(folded)
    return _DIFFICULTY.get(folded.removesuffix("度"), 0.5)


def number(value: float) -> str:
    """A number of points without needless zeros.

    >>> number(2.0), number(0.5)
    ('2', '0.5')
    """
    return repr(int(value)) if value == int(value) else repr(value)

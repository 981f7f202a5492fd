"""What an answer is worth. Pure: a question and what was given in, a share of its points out.

Choices are texts here, not the places where they were shown. A short answer gets a
proposal, since only a person can tell whether it says what it must.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from functools import lru_cache

from kb.numerals import NUMERALS, PLACES, SCALES, numeral_value
from quiz.model import BLANK, Question, Type
from quiz.quantities import amounts, date_of, dates
from search.analysis import fold

FOUND = 0.75
"""How much of a point's characters must stand in an answer, in pieces of two and more, to be proposed as found."""
_NUMBER = re.compile(rf"(?P<head>\d+(?:\.\d+)?)(?P<scale>[百千万亿]?)|[{NUMERALS}]+")
_SCALES = PLACES | SCALES
_TO = re.compile(r"(?<=\d)(?:至|到|[—－~～-]+)(?=\d)")
_MARKS = re.compile(r",|(?<!\d)[^\w%]+|[^\w%]+(?!\d)")


@dataclass(frozen=True, slots=True)
class Marked:
    """The share of the points, 0 to 1; None where a person has to confirm the `proposed` one."""

    share: float | None
    proposed: float | None = None


def mark(question: Question, given: Sequence[str]) -> Marked:
    """Mark what was given: for each gap or prompt a text, "" where it was left empty; else what was chosen.

    Multiple choice: all right ones 1, some of them and nothing else a half. Gaps and pairs count alike.
    Ordering counts as a whole.

    >>> q = Question(Type.MULTIPLE, "选", ("甲", "乙", "丙"), ("甲", "丙"))
    >>> [mark(q, g).share for g in (["丙", "甲"], ["甲"], ["甲", "乙"], [])]
    [1.0, 0.5, 0.0, 0.0]
    >>> mark(Question(Type.BLANK, "期限为（　　）。", (), ("三十日",)), ["30天"]).share
    1.0
    """
    if not any(g.strip() for g in given):
        return Marked(0.0)
    match question.type:
        case Type.SINGLE | Type.TRUE_FALSE | Type.ORDERING:
            return Marked(float(tuple(given) == question.answer))
        case Type.MULTIPLE:
            return Marked(_of_several(set(question.answer), set(given)))
        case Type.MATCHING:
            return Marked(
                _mean([g == a for g, a in zip(_padded(question, given), question.answer, strict=True)])
            )
        case Type.BLANK:
            return Marked(_mean([_fills(question, i, g) for i, g in enumerate(_padded(question, given))]))
        case Type.SHORT:
            return Marked(None, _proposed(question, given[0]))


def _padded(question: Question, given: Sequence[str]) -> list[str]:
    return [given[i] if i < len(given) else "" for i in range(len(question.answer))]


def _mean(right: Sequence[bool]) -> float:
    return sum(right) / len(right)


def _of_several(key: set[str], given: set[str]) -> float:
    if given - key:
        return 0.0
    return 1.0 if given == key else 0.5


# -- gaps -------------------------------------------------------------------------


def _fills(question: Question, gap: int, given: str) -> bool:
    accepted = question.accepted[gap] if gap < len(question.accepted) else ()
    forms = {given, _without_stem(question.stem, gap, given)}
    return any(same(form, right) for form in forms for right in (question.answer[gap], *accepted) if form)


def same(given: str, right: str) -> bool:
    """Whether two texts say the same, however it is written: script, width, case, spaces, numbers and units.

    >>> same("30 天", "三十日"), same("１０％", "百分之十"), same("三", "3"), same("30年", "30日")
    (True, True, True, False)
    >>> same("50000元以上", "5万元以上"), same("5万元以上", "5万元以下"), same("支部委員會", "“支部委员会”")
    (True, False, True)
    >>> same("三至五", "3-5"), same("3.5", "35"), same("5万", "50000")
    (True, False, True)
    """
    return _canonical(given) == _canonical(right)


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    """The text with every amount, date and number in one form, and without what is not read aloud."""
    text = "".join(text.split())
    spans = [(s, e, ".".join(map(str, date_of(text[s:e]) or ()))) for s, e in dates(text)]
    spans += [(a.start, a.end, f"{a.dimension} {a.low} {a.high}") for a in amounts(text)]
    parts, at = [], 0
    for start, end, form in sorted(spans):
        parts += [_plain(text[at:start]), f"<{form}>"]
        at = end
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    """Matching form, bare numbers as digits; marks stay only where they part two numbers, such as 3.5 and 3-5."""
    numbered = _TO.sub("-", _NUMBER.sub(_digits, fold(text).text))
    return _MARKS.sub("", numbered)


def _digits(m: re.Match[str]) -> str:
    if m["head"]:
        return str(Fraction(m["head"]) * _SCALES.get(m["scale"], 1))
    value = numeral_value(m.group())
    return m.group() if value is None else str(value)


def _without_stem(stem: str, gap: int, given: str) -> str:
    """What was given without what the stem already says before and after the gap, such as the unit.

    >>> _without_stem("期限为（　　）日。", 0, "30日")
    '30'
    """
    around = stem.split(BLANK)
    if gap + 1 >= len(around):
        return given
    given = given.strip()
    after = next((n for n in range(len(given), 0, -1) if around[gap + 1].startswith(given[-n:])), 0)
    given = given[: len(given) - after]
    before = next((n for n in range(len(given), 0, -1) if around[gap].endswith(given[:n])), 0)
    return given[before:]


# -- short answers ----------------------------------------------------------------


def _proposed(question: Question, given: str) -> float:
    """The weight of the points that the answer says, in the words of the point or nearly so."""
    weights = sum(p.weight for p in question.points)
    if not weights:
        return round(_said(question.answer[0] if question.answer else "", given), 2)
    found = sum(p.weight for p in question.points if _said(p.text, given) >= FOUND)
    return round(found / weights, 2)


def _said(point: str, given: str) -> float:
    """How much of the point's text stands in what was given, counted in pieces of at least two characters."""
    wanted, said = _canonical(point), _canonical(given)
    if not wanted:
        return 0.0
    blocks = SequenceMatcher(None, said, wanted, autojunk=False).get_matching_blocks()
    return sum(b.size for b in blocks if b.size >= min(2, len(wanted))) / len(wanted)

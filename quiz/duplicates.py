"""Which questions ask the same: one again in other spaces or number forms, near it, or at the same place."""

import re
from collections.abc import Sequence

from quiz.form import form, pairs
from quiz.model import Question, Type

NEAR = 0.8
"""From this share of common pairs of characters on, two stems are near each other."""
SHARED = 0.5
"""From this share of the longer on, two questions ask at the same place."""
GAP = re.compile(r"[（(][\s　]*[)）]|_{2,}|＿{2,}")
"""A gap of a stem, however it is drawn."""


def text_key(text: str) -> str:
    """The same for texts that differ in spaces, signs, width, script or number form alone.

    >>> text_key("满 三十日，") == text_key("满30天")
    True
    """
    return form(text).text


def stem_key(stem: str) -> str:
    """The same of a stem; every gap, however it is drawn, is one sign.

    >>> stem_key("每（　　）召开一次。"), stem_key("每____召开一次")
    ('每_召开1次', '每_召开1次')
    """
    return "_".join(text_key(part) for part in GAP.split(stem))


def sameness(question: Question) -> tuple[str, ...]:
    """Equal for questions that ask the same and want the same answer, whatever else they offer to choose."""
    answer = [text_key(a) for a in question.answer]
    if question.type is Type.MULTIPLE:
        answer.sort()
    return (question.type, stem_key(question.stem), *map(text_key, question.prompts), "key", *answer)


def near(one: str, other: str) -> bool:
    """Whether two keys of stems are equal but for little.

    >>> near("党小组会每月召开_次", "党小组会每月召开_次"), near("党小组会每月召开_次", "党课每季度讲_次")
    (True, False)
    """
    if one == other:
        return True
    if min(len(one), len(other)) * (2 - NEAR) < max(len(one), len(other)) * NEAR:
        return False
    a, b = pairs(one), pairs(other)
    return bool(a and b) and 2 * len(a & b) >= NEAR * (len(a) + len(b))


def same_place(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> bool:
    """Whether spans of one document share at least half of the longer.

    >>> same_place([(10, 14)], [(12, 15)]), same_place([(10, 14)], [(13, 16)]), same_place([], [])
    (True, False, False)
    """
    a, b = _points(one), _points(other)
    return bool(a and b) and len(a & b) >= SHARED * max(len(a), len(b))


def alike(one: Question, other: Question) -> bool:
    """Whether a bank that holds the one gains little by the other.

    Stems such as 下列说法正确的是 ask nothing by themselves: then it is the options that must have something in common.
    """
    a, b = one.citation, other.citation
    if a and b and a.document_id == b.document_id and same_place(one.places, other.places):
        return True
    offered = [{text_key(o) for o in q.options} for q in (one, other)]
    apart = all(offered) and not offered[0] & offered[1]
    return not apart and near(stem_key(one.stem), stem_key(other.stem))


def _points(spans: Sequence[tuple[int, int]]) -> set[int]:
    return {i for start, end in spans for i in range(start, end)}

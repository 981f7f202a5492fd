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


def same_place(one: Question, other: Question) -> bool:
    """Whether questions on one document ask for spans that share at least half of the longer."""
    a, b = one.citation, other.citation
    if a is None or b is None or a.document_id != b.document_id:
        return False
    p, q = _points(one.places), _points(other.places)
    return bool(p and q) and len(p & q) >= SHARED * max(len(p), len(q))


def apart(one: Question, other: Question) -> bool:
    """Whether the options have nothing in common: then stems such as 下列说法正确的是 do not make them alike."""
    a, b = ({text_key(o) for o in q.options} for q in (one, other))
    return bool(a and b) and not a & b


def alike(one: Question, other: Question) -> bool:
    """Whether whoever has answered the one gains little by the other: near stems, or the same place of a document."""
    return same_place(one, other) or (
        not apart(one, other) and near(stem_key(one.stem), stem_key(other.stem))
    )


def _points(spans: Sequence[tuple[int, int]]) -> set[int]:
    return {i for start, end in spans for i in range(start, end)}

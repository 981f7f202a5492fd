"""Another question for a place of a form: one that keeps the blueprint, the most alike first."""

from collections.abc import Collection, Sequence
from statistics import fmean

from quiz.blueprint import Line
from quiz.enemies import groups
from quiz.kept import Kept
from quiz.model import Question
from quiz.paper import Place

_AT_ONCE = 100
"""Candidates that are looked at together."""


def fitting(
    place: Place, form: Sequence[Place], line: Line, supply: Sequence[Kept], held: Collection[str], k: int
) -> list[Kept]:
    """Up to `k` questions of the supply that could stand in the place.

    They fit its line and are of its type, are not held by the paper, ask about no clause that the form asks about, and
    neither give another question of the form away nor are given away.
    """
    others = [p.question for p in form if p.question and p.position != place.position]
    found = [
        s
        for s in supply
        if s.question_id not in held and s.question.type is place.type and line.takes(s.question)
    ]
    wanted = _difficulty(place, form)
    found.sort(key=lambda s: (_away(s.question, place.question, wanted), s.question_id))
    fit: list[Kept] = []
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        barred = _barred(others, [s.question for s in some])
        fit += [s for n, s in enumerate(some) if n not in barred]
        if len(fit) >= k:
            break
    return fit[:k]


def _difficulty(place: Place, form: Sequence[Place]) -> float:
    """That of what stands there; where it is gone, that of its line."""
    if place.question:
        return place.question.difficulty
    known = [p.question.difficulty for p in form if p.line == place.line and p.question]
    return fmean(known) if known else 0.5


def _away(question: Question, now: Question | None, difficulty: float) -> tuple[bool, bool, float]:
    """How far the question is from what stands there now."""
    apart = abs(question.difficulty - difficulty)
    if now is None:
        return (False, False, apart)
    return (set(question.topics).isdisjoint(now.topics), question.slot is not now.slot, apart)


def _barred(others: Sequence[Question], candidates: Sequence[Question]) -> set[int]:
    """Candidates that cannot stand beside the others."""
    n = len(others)
    return {
        index - n for group in groups([*others, *candidates]) if group[0] < n for index in group if index >= n
    }

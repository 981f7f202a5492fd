"""Merging the runs of the legs into one.

`convex_combination` is what the engine uses; `reciprocal_rank_fusion` is for
legs whose scores cannot be compared at all.
"""

from collections.abc import Sequence

from kb.ports import Run

DEPTH = 200
"""How many passages are asked of each leg, at least."""

VECTOR_WEIGHT = 0.45
"""Share of the vector leg, measured with the bundled encoder; see models/gongxue-static/README.md."""


def convex_combination(
    keyword: Run, vector: Run, *, vector_weight: float = VECTOR_WEIGHT, depth: int = DEPTH
) -> Run:
    """Merge two runs by the weighted sum of their scores, each brought to 0 to 1 within its run.

    The best of a run counts 1. What counts 0 is the score at rank `depth`, since
    a passage that is absent may have had nearly that; in a shorter run, which
    holds all that its leg found, it is a score of 0. Absence adds nothing, nor
    does a score at or below what counts 0. Equal sums sort by key.

    Args:
        keyword: run of the keyword leg, best first, no repeats.
        vector: run of the vector leg, likewise.
        vector_weight: share of the vector leg, 0 to 1; the keyword leg has the rest.
        depth: least number of passages that were asked of each leg.

    Raises:
        ValueError: the weight is outside 0 to 1.

    >>> convex_combination([(1, 8.0), (2, 4.0)], [(2, 0.5), (3, 0.25)], vector_weight=0.5)
    [(2, 0.75), (1, 0.5), (3, 0.25)]
    >>> convex_combination([(1, 8.0), (2, 6.0), (4, 4.0)], [(2, 0.5)], vector_weight=0.5, depth=3)
    [(2, 0.75), (1, 0.5), (4, 0.0)]

    Source: Bruch, Gai, Ingber, TOIS 2023.
    """
    if not 0 <= vector_weight <= 1:
        raise ValueError(f"vector_weight must be from 0 to 1, not {vector_weight}")
    sums: dict[int, float] = {}
    for run, weight in ((keyword, 1 - vector_weight), (vector, vector_weight)):
        for key, score in _normalised(run, depth):
            sums[key] = sums.get(key, 0.0) + weight * score
    return _ranked(sums)


def _normalised(run: Run, depth: int) -> Run:
    best = run[0][1] if run else 0.0
    if best <= 0:
        return []
    last = run[depth - 1][1] if len(run) >= depth else 0.0
    floor = max(last, 0.0) if last < best else 0.0
    return [(key, max(score - floor, 0.0) / (best - floor)) for key, score in run]


def reciprocal_rank_fusion(runs: Sequence[Run], *, k: int = 60) -> Run:
    """Merge runs by summing 1 / (k + rank) per passage.

    Ranks start at 1; absence from a run adds nothing. Scores compare only
    within one result. Equal sums sort by key.

    Args:
        runs: one list for each leg, best first, no repeats; the scores are not looked at.
        k: damping, > 0; larger flattens the top.

    Raises:
        ValueError: k is not positive.

    >>> reciprocal_rank_fusion([[(1, 9.0), (2, 8.0)], [(2, 0.5)]], k=1)
    [(2, 0.8333333333333333), (1, 0.5)]

    Source: Cormack, Clarke, Büttcher, SIGIR 2009.
    """
    if k <= 0:
        raise ValueError(f"k must be positive, not {k}")
    sums: dict[int, float] = {}
    for run in runs:
        for rank, (key, _) in enumerate(run, 1):
            sums[key] = sums.get(key, 0.0) + 1 / (k + rank)
    return _ranked(sums)


def _ranked(sums: dict[int, float]) -> Run:
    return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))

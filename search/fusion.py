"""Merging the runs of the legs into one.

`convex_combination` is what the engine uses; `reciprocal_rank_fusion` is for
legs whose scores cannot be compared at all.
"""

from collections.abc import Sequence

from kb.ports import Run

VECTOR_WEIGHT = 0.4
"""Share of the vector leg, measured with the bundled encoder; see models/gongxue-static/README.md."""


def convex_combination(keyword: Run, vector: Run, *, vector_weight: float = VECTOR_WEIGHT) -> Run:
    """Merge two runs by the weighted sum of their scores, each divided by the best of its run.

    Absence from a run adds nothing, and so does a score of zero or below. A run
    whose best score is not above zero adds nothing at all. Equal sums sort by key.

    Args:
        keyword: run of the keyword leg, best first, no repeats.
        vector: run of the vector leg, likewise.
        vector_weight: share of the vector leg, 0 to 1; the keyword leg has the rest.

    Raises:
        ValueError: the weight is outside 0 to 1.

    >>> convex_combination([(1, 8.0), (2, 4.0)], [(2, 0.5), (3, 0.25)], vector_weight=0.5)
    [(2, 0.75), (1, 0.5), (3, 0.25)]

    Source: Bruch, Gai, Ingber, TOIS 2023.
    """
    if not 0 <= vector_weight <= 1:
        raise ValueError(f"vector_weight must be from 0 to 1, not {vector_weight}")
    sums: dict[int, float] = {}
    for run, weight in ((keyword, 1 - vector_weight), (vector, vector_weight)):
        best = run[0][1] if run else 0.0
        if best <= 0:
            continue
        for key, score in run:
            sums[key] = sums.get(key, 0.0) + weight * max(score, 0.0) / best
    return _ranked(sums)


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

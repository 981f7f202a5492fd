"""Merging the runs of the legs into one.

`convex_combination` is what the engine uses; `reciprocal_rank_fusion` is for
legs whose scores cannot be compared at all.
"""

from collections.abc import Sequence

from kb.ports import Run

KEYWORD_DEPTH = 100
VECTOR_DEPTH = 300
"""How many passages are asked of each leg. What stands deeper counts nothing, so that pages of one answer agree."""

VECTOR_ODDS = 3.0
"""Most that the vector leg may count against the keyword leg; measured, see models/gongxue-static/README.md."""

_RIVAL_RANK = 10
"""Rank whose score, against the best, shows whether the keyword leg has a clear winner."""


def vector_share(keyword: Run, vector: Run, *, odds: float = VECTOR_ODDS) -> float:
    """Share of the vector leg for one query, from 0 to 1; the keyword leg has the rest.

    A keyword leg with a clear winner knows what was asked for: the query has the
    passage's own words. One whose best ten score alike does not. So the odds of
    the vector leg are `odds`, times the tenth keyword score over the best, times
    the best cosine, which says how sure the vector leg is itself.

    Args:
        keyword: run of the keyword leg, best first; of fewer than ten the last stands for the tenth.
        vector: run of the vector leg, best first, its scores cosines.
        odds: odds of the vector leg at best, not negative.

    >>> clear, level = [(1, 9.0), (2, 3.0)], [(1, 9.0), (2, 9.0)]
    >>> vector_share(clear, [(3, 1.0)]), vector_share(level, [(3, 1.0)]), vector_share([], [(3, 0.2)])
    (0.5, 0.75, 1.0)
    """
    if odds < 0:
        raise ValueError(f"odds must not be negative, not {odds}")
    best, cosine = (max(run[0][1], 0.0) if run else 0.0 for run in (keyword, vector))
    if best == 0:
        return 1.0
    rival = max(keyword[min(len(keyword), _RIVAL_RANK) - 1][1], 0.0)
    found = odds * min(cosine, 1.0) * rival / best
    return found / (1 + found)


def convex_combination(
    keyword: Run,
    vector: Run,
    *,
    share: float | None = None,
    depths: tuple[int, int] = (KEYWORD_DEPTH, VECTOR_DEPTH),
) -> Run:
    """Merge two runs by the weighted sum of their scores, each brought to 0 to 1 within its run.

    The best of a run counts 1. What counts 0 is the score at the run's depth, since
    a passage that is absent may have had nearly that; in a shorter run, which
    holds all that its leg found, it is a score of 0. Absence adds nothing, nor
    does a score at or below what counts 0. Equal sums sort by key.

    Args:
        keyword: run of the keyword leg, best first, no repeats.
        vector: run of the vector leg, likewise.
        share: weight of the vector leg, 0 to 1; None takes `vector_share`.
        depths: number of passages that were asked of the keyword and of the vector leg.

    Raises:
        ValueError: the share is outside 0 to 1.

    >>> convex_combination([(1, 8.0), (2, 4.0)], [(2, 0.5), (3, 0.25)], share=0.5)
    [(2, 0.75), (1, 0.5), (3, 0.25)]
    >>> convex_combination([(1, 8.0), (2, 6.0), (4, 4.0)], [(2, 0.5)], share=0.5, depths=(3, 3))
    [(2, 0.75), (1, 0.5), (4, 0.0)]

    Source: Bruch, Gai, Ingber, TOIS 2023, for the combination with bounded scores.
    """
    if share is None:
        share = vector_share(keyword, vector)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, not {share}")
    sums: dict[int, float] = {}
    for run, weight, depth in ((keyword, 1 - share, depths[0]), (vector, share, depths[1])):
        for key, score in _bounded(run, depth):
            sums[key] = sums.get(key, 0.0) + weight * score
    return _ranked(sums)


def reciprocal_rank_fusion(runs: Sequence[Run], *, k: int = 60) -> Run:
    """Merge ranked runs by summing 1 / (k + rank) per passage.

    Ranks start at 1; absence from a run adds nothing. Scores compare only
    within one result. Equal sums sort by key.

    Args:
        runs: one for each leg, best first, no repeats; their scores are not looked at.
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


def _bounded(run: Run, depth: int) -> Run:
    """The run with scores from 0 to 1; a run without a score above 0 is empty."""
    best = run[0][1] if run else 0.0
    if best <= 0:
        return []
    last = run[depth - 1][1] if len(run) >= depth else 0.0
    floor = max(last, 0.0) if last < best else 0.0
    return [(key, max(score - floor, 0.0) / (best - floor)) for key, score in run]


def _ranked(sums: dict[int, float]) -> Run:
    return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))

"""Merging the legs' rankings into one."""

from collections.abc import Sequence

from kb.ports import Run

VECTOR_WEIGHT = 0.4
"""Share of the vector leg; a higher one costs text unlike law (see benchmarks/README.md)."""


def convex_combination(keyword: Run, vector: Run, *, weight: float = VECTOR_WEIGHT) -> Run:
    """Merge two runs by a weighted mean of scores, each divided by its run's largest.

    A passage that a run lacks counts 0 there. Equal scores sort by key.

    Args:
        keyword: (key, score), scores not negative.
        vector: the same; negative scores count 0.
        weight: share of the vector run, 0 to 1.

    >>> convex_combination([(1, 4.0), (2, 2.0)], [(2, 0.5)], weight=0.5)
    [(2, 0.75), (1, 0.5)]

    Source: Bruch, Gai, Ingber, ACM TOIS 2023.
    """
    fused: dict[int, float] = {}
    for run, share in ((keyword, 1 - weight), (vector, weight)):
        top = max((score for _, score in run), default=0.0)
        for key, score in run:
            fused[key] = fused.get(key, 0.0) + (share * max(score, 0.0) / top if top > 0 else 0.0)
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))


def reciprocal_rank_fusion(runs: Sequence[Run], *, k: int = 60) -> Run:
    """Merge runs by summing 1 / (k + rank) per passage, for scores that cannot be compared.

    Ranks start at 1; absence from a run adds nothing. Equal scores sort by key.

    Raises:
        ValueError: k is not positive.

    >>> reciprocal_rank_fusion([[(1, 9.0), (2, 3.0)], [(2, 0.1)]], k=1)
    [(2, 0.8333333333333333), (1, 0.5)]

    Source: Cormack, Clarke, Büttcher, SIGIR 2009.
    """
    if k <= 0:
        raise ValueError(f"k is {k}, it must be positive")
    fused: dict[int, float] = {}
    for run in runs:
        for rank, (key, _) in enumerate(run, 1):
            fused[key] = fused.get(key, 0.0) + 1 / (k + rank)
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))

"""Ranking measures over a run and graded judgements."""

import math
from collections.abc import Mapping, Sequence

Grades = Mapping[str, int]
"""Grade by document id; above 0 is relevant."""


def ndcg(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Normalised discounted cumulative gain at `k`, with gain 2**grade - 1.

    A query without any relevant document scores 0.

    >>> round(ndcg(["x", "a"], {"a": 1}), 4), ndcg(["a", "x"], {"a": 1})
    (0.6309, 1.0)

    Source: Järvelin, Kekäläinen, ACM TOIS 2002; gains after Burges et al., ICML 2005.
    """
    gained = _discounted([grades.get(d, 0) for d in ranking[:k]])
    ideal = _discounted(sorted((g for g in grades.values() if g > 0), reverse=True)[:k])
    return gained / ideal if ideal else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """1 / rank of the first relevant document among the first `k`, else 0."""
    return next((1 / rank for rank, d in enumerate(ranking[:k], 1) if grades.get(d, 0) > 0), 0.0)


def recall(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Share of the relevant documents that stand among the first `k`."""
    relevant = {d for d, g in grades.items() if g > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, by nearest rank; 0 of none.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5), percentile([1.0], 0.95)
    (2.0, 1.0)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _discounted(grades: Sequence[int]) -> float:
    return sum((2.0**g - 1) / math.log2(rank + 1) for rank, g in enumerate(grades, 1))

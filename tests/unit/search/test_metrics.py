"""Ranking measures against values worked by hand and against plain loops over the definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.metrics import ndcg, percentile, recall, reciprocal_rank

rankings = st.permutations([f"d{n}" for n in range(8)])
grades = st.dictionaries(st.sampled_from([f"d{n}" for n in range(12)]), st.integers(0, 3), max_size=10)


def test_ndcg_of_a_worked_example() -> None:
    """Grades 3, 0, 2 at ranks 1 to 3 with a 1 left out: 7 + 3/2 over 7 + 3/log2(3) + 1/2."""
    found = ndcg(["a", "x", "b"], {"a": 3, "b": 2, "c": 1})
    assert found == pytest.approx((7 + 3 / 2) / (7 + 3 / math.log2(3) + 1 / 2))
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(1 / math.log2(3))


def test_ndcg_looks_no_further_than_k() -> None:
    """What stands behind `k` adds nothing, and the ideal is cut there too."""
    assert ndcg(["x", "a"], {"a": 1}, k=1) == 0
    assert ndcg(["a", "x"], {"a": 1, "b": 1}, k=1) == 1


def test_measures_of_nothing_relevant_are_zero() -> None:
    """A query without judgements, or an empty run, scores 0."""
    for run, judged in (([], {"a": 1}), (["a"], {}), (["a"], {"a": 0})):
        assert ndcg(run, judged) == reciprocal_rank(run, judged) == recall(run, judged, 5) == 0


@given(rankings, grades, st.integers(1, 10))
def test_measures_agree_with_their_definitions(run: list[str], judged: dict[str, int], k: int) -> None:
    """Loops written straight from the definitions give the same numbers."""
    gained = ideal = 0.0
    for i, d in enumerate(run[:k]):
        gained += (2 ** judged.get(d, 0) - 1) / math.log2(i + 2)
    for i, grade in enumerate(sorted(judged.values())[::-1][:k]):
        ideal += (2**grade - 1) / math.log2(i + 2)
    assert ndcg(run, judged, k) == pytest.approx(gained / ideal if ideal else 0)
    first = [i for i, d in enumerate(run[:k]) if judged.get(d)]
    assert reciprocal_rank(run, judged, k) == (1 / (first[0] + 1) if first else 0)
    relevant = [d for d in judged if judged[d]]
    assert recall(run, judged, k) == (
        len([d for d in relevant if d in run[:k]]) / len(relevant) if relevant else 0
    )


@given(rankings, grades)
def test_ndcg_is_one_for_the_best_order_only(run: list[str], judged: dict[str, int]) -> None:
    """The measure lies between 0 and 1, and an order by grade cannot be beaten."""
    best = sorted(judged, key=lambda d: -judged[d])
    assert 0 <= ndcg(run, judged) <= 1
    assert ndcg(best, judged) == pytest.approx(1 if any(judged.values()) else 0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    """By nearest rank: it is one of the values, and `share` of them are no larger."""
    found = percentile(values, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values)
    assert all(sum(v <= w for v in values) < share * len(values) for w in values if w < found)
    assert percentile([], share) == 0

"""Properties of the two ways to merge runs."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ports import Run
from search.fusion import convex_combination, reciprocal_rank_fusion, vector_share

runs = st.dictionaries(st.integers(0, 30), st.floats(0.01, 100), max_size=8).map(
    lambda scores: sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
)


@given(runs, runs)
def test_convex_combination_ignores_which_leg_is_which(first: Run, second: Run) -> None:
    """Swapping the legs and their shares gives the same passages with the same scores."""
    merged = convex_combination(first, second, share=0.3)
    assert dict(convex_combination(second, first, share=0.7)) == pytest.approx(dict(merged))


@given(st.lists(runs, max_size=3))
def test_reciprocal_rank_fusion_ignores_the_order_of_runs(found: list[Run]) -> None:
    """Whichever leg is named first, the same passages come out with the same scores."""
    expected = dict(reciprocal_rank_fusion(found))
    for order in permutations(found):
        assert dict(reciprocal_rank_fusion(order)) == pytest.approx(expected)


@given(runs, runs)
def test_fusion_keeps_every_passage_once(first: Run, second: Run) -> None:
    """No passage is lost, doubled or put out of order."""
    for merged in (convex_combination(first, second), reciprocal_rank_fusion([first, second])):
        keys = [key for key, _ in merged]
        assert sorted(keys) == sorted({key for key, _ in first + second})
        assert merged == sorted(merged, key=lambda pair: (-pair[1], pair[0]))


def test_convex_combination_does_not_depend_on_a_legs_scale() -> None:
    """Scores of a leg may all be multiplied without any change."""
    keyword, vector = [(1, 12.0), (2, 3.0)], [(2, 0.9), (3, 0.45)]
    scaled = [(key, 1024 * score) for key, score in keyword]
    assert convex_combination(keyword, vector) == convex_combination(scaled, vector)
    assert convex_combination(keyword, [(3, 0.0)]) == convex_combination(keyword, []) == [(1, 1.0), (2, 0.25)]


@given(runs, runs)
def test_vector_share_is_a_share(keyword: Run, vector: Run) -> None:
    """Whatever the legs find, the share stays from 0 to 1, and without keyword hits it is all."""
    assert 0 <= vector_share(keyword, vector) <= 0.75 + 1e-9 or not keyword
    assert vector_share([], vector) == 1


def test_vector_share_falls_as_the_keyword_leg_gets_surer() -> None:
    """The further the tenth keyword score lies behind the best, the less the vector leg counts; so with its cosine."""
    vector = [(5, 0.8)]
    shares = [
        vector_share([(i, 10.0 if i == 0 else rival) for i in range(10)], vector) for rival in (9.0, 5.0, 1.0)
    ]
    assert shares == sorted(shares, reverse=True)
    keyword = [(1, 2.0), (2, 1.0)]
    assert (
        vector_share(keyword, [(5, 0.9)]) > vector_share(keyword, [(5, 0.3)]) > vector_share(keyword, []) == 0
    )
    assert vector_share(keyword, [(5, -0.3)]) == 0


def test_convex_combination_passes_over_a_leg_without_evidence() -> None:
    """An empty run, one of zeros from a query without known tokens, and negative scores change no order."""
    keyword = [(1, 2.0), (2, 1.0)]
    half = [(1, 0.5), (2, 0.25)]
    assert convex_combination(keyword, [], share=0.5) == half
    assert convex_combination(keyword, [(3, 0.0)], share=0.5) == half
    mixed = convex_combination(keyword, [(3, 0.8), (2, -0.1)], share=0.5)
    assert mixed == [(1, 0.5), (3, 0.5), (2, 0.25)]


def test_convex_combination_counts_a_cut_run_from_its_last_score() -> None:
    """Where a leg was cut, its last passage is worth as much as an absent one; equal scores stay worth all."""
    keyword = [(1, 10.0), (2, 8.0), (3, 6.0)]
    assert dict(convex_combination(keyword, [], share=0.0, depths=(3, 3))) == {1: 1.0, 2: 0.5, 3: 0.0}
    assert dict(convex_combination(keyword, [], share=0.0, depths=(4, 4))) == {1: 1.0, 2: 0.8, 3: 0.6}
    assert dict(convex_combination(keyword, [], share=0.0, depths=(2, 2))) == {1: 1.0, 2: 0.0, 3: 0.0}
    level = [(1, 2.0), (2, 2.0)]
    assert dict(convex_combination(level, [], share=0.0, depths=(2, 2))) == {1: 1.0, 2: 1.0}


def test_fusion_refuses_senseless_settings() -> None:
    """A weight outside 0 to 1, and a damping of zero, are errors."""
    with pytest.raises(ValueError, match="share"):
        convex_combination([], [], share=1.1)
    with pytest.raises(ValueError, match="odds"):
        vector_share([], [], odds=-1)
    with pytest.raises(ValueError, match="k must be positive"):
        reciprocal_rank_fusion([], k=0)

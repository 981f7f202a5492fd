"""Item statistics against a second working-out by loops, values worked by hand, and simulated exams."""

from math import sqrt
from statistics import correlation as oracle_correlation
from statistics import fmean, stdev, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import InvalidRequest
from quiz.statistics import (
    FEWEST,
    Asked,
    FormStatistics,
    Sittings,
    correlation,
    cronbach_alpha,
    form_statistics,
    measured_difficulty,
    option_statistics,
    upper_group,
)

SEEDS = st.integers(0, 10_000)


def simulated(
    seed: int, n: int, k: int, *, mis_keyed: int | None = None, n_options: int = 4, guessed: float = 0.15
) -> Sittings:
    """An exam by a two-parameter logistic model with guessing; option 0 is right, whatever the key says."""
    rng = np.random.default_rng(seed)
    ability, slopes, places = rng.normal(size=n), rng.uniform(0.5, 1.6, k), rng.normal(-0.6, 0.9, k)
    asked, chosen, shares = [], [], np.zeros((n, k))
    for j in range(k):
        knows = guessed + (1 - guessed) / (1 + np.exp(-1.7 * slopes[j] * (ability - places[j])))
        draw = rng.dirichlet(np.full(n_options - 1, 2.0))
        wrong = 1 + rng.choice(n_options - 1, n, p=draw)
        pick = np.where(rng.random(n) < knows, 0, wrong)
        key = 1 + int(draw.argmax()) if j == mis_keyed else 0
        asked.append(Asked(1.0, n_options, frozenset({key})))
        chosen.append(np.eye(n_options, dtype=bool)[pick])
        shares[:, j] = pick == key
    return Sittings(tuple(asked), shares, tuple(chosen))


def partial(seed: int, n: int = 30, k: int = 6) -> Sittings:
    """The same with different points, halves, and answers that are missing."""
    found = simulated(seed, n, k)
    rng = np.random.default_rng(seed)
    shares = found.shares.copy()
    shares[rng.random(shares.shape) < 0.1] = 0.5
    missing = rng.random(shares.shape) < 0.1
    shares[missing] = np.nan
    points = rng.choice([1.0, 2.0, 2.5, 5.0], k)
    asked = tuple(Asked(float(p), a.n_options, a.key) for p, a in zip(points, found.asked, strict=True))
    chosen = tuple(c & ~missing[:, [j]] for j, c in enumerate(found.chosen))
    return Sittings(asked, shares, chosen)


# -- worked by hand -------------------------------------------------------------------------


def test_alpha_of_two_questions_worked_by_hand() -> None:
    """Variances 5/3 each, covariance 1: alpha is 2 (1 - 10/16) and its error the root of (1/4)/4."""
    scores = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]])
    assert cronbach_alpha(scores) == (pytest.approx(0.75), pytest.approx(0.25))


def test_facility_and_its_error_worked_by_hand() -> None:
    """Of 20 people 15 right, 4 wrong, 1 without an answer: 0.75, with the root of (0.75 x 0.25 x 20/19)/20."""
    shares = np.array([[1.0, 1.0]] * 15 + [[0.0, 1.0]] * 4 + [[np.nan, 0.0]])
    item = form_statistics(Sittings((Asked(2.0), Asked(1.0)), shares, (np.zeros((20, 0), bool),) * 2)).items[
        0
    ]
    assert item.facility == 0.75
    assert item.n_missing == 1
    assert item.facility_se == pytest.approx(sqrt(0.75 * 0.25 / 19))


def test_discrimination_leaves_the_question_itself_out() -> None:
    """A question worth ten times the others gets no credit for being most of the total."""
    rng = np.random.default_rng(3)
    shares = rng.integers(0, 2, (200, 5)).astype(float)
    asked = (Asked(10.0), *(Asked(1.0),) * 4)
    item = form_statistics(Sittings(asked, shares, (np.zeros((200, 0), bool),) * 5)).items[0]
    assert item.discrimination == pytest.approx(
        oracle_correlation(shares[:, 0].tolist(), shares[:, 1:].sum(axis=1).tolist())
    )
    assert abs(item.discrimination or 0) < 0.2


def test_groups_share_the_room_among_the_tied() -> None:
    """Of ten people 2.7 are the upper group: one at the top, and 1.7 shared by the four next to it."""
    weights = upper_group(np.array([5.0, 4, 4, 4, 4, 1, 1, 1, 1, 0]))
    assert weights.tolist() == pytest.approx([1, 0.425, 0.425, 0.425, 0.425, 0, 0, 0, 0, 0])


def test_options_are_counted_by_group() -> None:
    """With 100 people in order, option 0 of the best 40 and option 1 of the others: 40, all and none."""
    rest = np.arange(100.0)
    chosen = np.column_stack([rest >= 60, rest < 60])
    first, second = option_statistics(chosen, rest)
    assert (first.n, first.share, first.upper, first.lower) == (40, 0.4, pytest.approx(1.0), 0.0)
    assert (second.n, second.upper, second.lower) == (60, 0.0, pytest.approx(1.0))
    assert first.correlation == pytest.approx(-(second.correlation or 0))


# -- against another working-out --------------------------------------------------------------


def loops(sittings: Sittings) -> list[dict[str, object]]:
    """Everything again, person by person."""
    rows = [[0.0 if np.isnan(v) else float(v) for v in row] for row in sittings.shares]
    points = [a.points for a in sittings.asked]
    scores = [[v * p for v, p in zip(row, points, strict=True)] for row in rows]
    n, k = len(rows), len(points)

    def alpha(columns: list[int]) -> float | None:
        sums = [sum(row[j] for j in columns) for row in scores]
        if len(columns) < 2 or max(sums) == min(sums):
            return None
        each = sum(variance([row[j] for row in scores]) for j in columns)
        return len(columns) / (len(columns) - 1) * (1 - each / variance(sums))

    found = []
    for j in range(k):
        column = [row[j] for row in rows]
        rest = [sum(row[i] for i in range(k) if i != j) for row in scores]
        varies = max(column) > min(column) and max(rest) > min(rest)
        found.append(
            {
                "facility": fmean(column),
                "facility_se": stdev(column) / sqrt(n),
                "discrimination": oracle_correlation(column, rest) if varies else None,
                "alpha_without": alpha([i for i in range(k) if i != j]),
                "alpha": alpha(list(range(k))),
            }
        )
    return found


@given(SEEDS)
def test_numbers_agree_with_loops(seed: int) -> None:
    """Facility, its error, discrimination, alpha and alpha without each question are what plain loops give."""
    sittings = partial(seed)
    found, expected = form_statistics(sittings), loops(sittings)
    for item, numbers in zip(found.items, expected, strict=True):
        for name in ("facility", "facility_se", "discrimination", "alpha_without"):
            assert getattr(item, name) == pytest.approx(numbers[name]), name
        assert found.alpha == pytest.approx(numbers["alpha"])


@given(SEEDS)
def test_error_of_alpha_agrees_with_the_published_sum(seed: int) -> None:
    """The error is the one of the published formula, each sum written out."""
    sittings = simulated(seed, 40, 5)
    _, error = cronbach_alpha(sittings.shares)
    v = np.cov(sittings.shares, rowvar=False).tolist()
    k, places = 5, range(5)
    all_ = sum(v[i][j] for i in places for j in places)
    trace = sum(v[i][i] for i in places)
    squared = [[sum(v[i][m] * v[m][j] for m in places) for j in places] for i in places]
    inner = all_ * (sum(squared[i][i] for i in places) + trace**2) - 2 * trace * sum(map(sum, squared))
    assert error == pytest.approx(sqrt(2 * k**2 / ((k - 1) ** 2 * all_**3) * inner / 40))


def test_error_of_alpha_is_how_far_alpha_strays() -> None:
    """Over 1,000 drawn groups of 100 people, alpha strays by what the error says, within a tenth."""
    rng = np.random.default_rng(8)
    drawn = [
        cronbach_alpha(rng.normal(size=(100, 1)) + rng.normal(size=(100, 6)) * 1.3) for _ in range(1_000)
    ]
    assert np.std([a for a, _ in drawn]) == pytest.approx(np.mean([e for _, e in drawn]), rel=0.1)


@given(SEEDS)
def test_correlation_agrees_with_the_library(seed: int) -> None:
    """Pearson's correlation is what the standard library gives."""
    one, other = np.random.default_rng(seed).normal(size=(2, 12))
    assert correlation(one, other) == pytest.approx(oracle_correlation(one.tolist(), other.tolist()))


# -- what must hold ----------------------------------------------------------------------------


def same(one: FormStatistics, other: FormStatistics) -> None:
    assert one.alpha == pytest.approx(other.alpha)
    for a, b in zip(one.items, other.items, strict=True):
        assert (a.n_missing, a.suspects) == (b.n_missing, b.suspects)
        assert (a.facility, a.facility_se) == pytest.approx((b.facility, b.facility_se))
        assert a.discrimination == pytest.approx(b.discrimination)
        for x, y in zip(a.options, b.options, strict=True):
            assert (x.n, x.upper, x.lower) == (y.n, pytest.approx(y.upper), pytest.approx(y.lower))


@given(SEEDS)
def test_order_of_people_changes_nothing(seed: int) -> None:
    """The same people in another order give the same numbers, ties and groups included."""
    sittings = partial(seed)
    order = np.random.default_rng(seed + 1).permutation(len(sittings.shares))
    moved = Sittings(sittings.asked, sittings.shares[order], tuple(c[order] for c in sittings.chosen))
    same(form_statistics(sittings), form_statistics(moved))


@given(SEEDS)
def test_order_of_questions_changes_nothing(seed: int) -> None:
    """The same questions in another order have the same numbers."""
    sittings = partial(seed)
    order = np.random.default_rng(seed + 1).permutation(len(sittings.asked))
    moved = Sittings(
        tuple(sittings.asked[j] for j in order),
        sittings.shares[:, order],
        tuple(sittings.chosen[j] for j in order),
    )
    one, other = form_statistics(sittings), form_statistics(moved)
    same(FormStatistics(one.n, one.alpha, one.alpha_se, tuple(one.items[j] for j in order)), other)


@given(SEEDS, st.floats(0.5, 40))
def test_unit_of_points_changes_nothing(seed: int, unit: float) -> None:
    """Whether a paper has 10 or 100 points in all says nothing of its questions."""
    sittings = partial(seed)
    scaled = tuple(Asked(a.points * unit, a.n_options, a.key) for a in sittings.asked)
    same(form_statistics(sittings), form_statistics(Sittings(scaled, sittings.shares, sittings.chosen)))


@given(st.lists(st.integers(0, 5), min_size=5, max_size=30), st.randoms(use_true_random=False))
def test_alpha_of_two_parallel_questions_is_spearman_browns(values: list[int], random: object) -> None:
    """Two questions of equal variance: alpha is 2r / (1 + r)."""
    other = values.copy()
    random.shuffle(other)  # type: ignore[attr-defined]
    scores = np.array([values, other], dtype=float).T
    r, alpha = correlation(scores[:, 0], scores[:, 1]), cronbach_alpha(scores)[0]
    if alpha is not None and r is not None and r > -0.99:
        assert alpha == pytest.approx(2 * r / (1 + r))


@given(st.lists(st.integers(0, 5), min_size=3, max_size=30), st.integers(2, 9))
def test_alpha_of_one_question_asked_again_and_again_is_one(values: list[int], k: int) -> None:
    """Questions that all measure the same without error: alpha is 1, and not in doubt; of no variance, untold."""
    alpha, error = cronbach_alpha(np.array([values] * k, dtype=float).T)
    if len(set(values)) == 1:
        assert alpha is None
    else:
        assert alpha == pytest.approx(1.0)
        assert error == pytest.approx(0.0, abs=1e-6)


@given(SEEDS)
def test_groups_hold_their_share_of_people(seed: int) -> None:
    """The upper group weighs 27% of all, however many are tied."""
    values = np.random.default_rng(seed).integers(0, 4, 37).astype(float)
    weights = upper_group(values)
    assert weights.sum() == pytest.approx(0.27 * 37)
    assert ((weights >= 0) & (weights <= 1)).all()


def test_fewer_than_twenty_are_refused() -> None:
    """With 19 sittings nothing is told but that there are 19."""
    sittings = simulated(1, FEWEST - 1, 4)
    with pytest.raises(InvalidRequest, match="19 sittings"):
        form_statistics(sittings)
    assert form_statistics(simulated(1, FEWEST, 4)).n == FEWEST


def test_questions_that_all_or_none_got_right_have_no_discrimination() -> None:
    """Where nothing varies nothing is claimed, and nothing is divided by zero."""
    shares = np.column_stack([np.ones(20), np.zeros(20), np.arange(20) % 2])
    chosen = np.ones((20, 1), bool)
    asked = (Asked(1.0, 1, frozenset({0})), Asked(1.0), Asked(1.0))
    found = form_statistics(Sittings(asked, shares, (chosen, chosen[:, :0], chosen[:, :0])))
    assert [i.discrimination for i in found.items] == [None, None, None]
    assert found.items[0].suspects == ()
    one = form_statistics(Sittings(asked[2:], shares[:, 2:], (chosen[:, :0],)))
    assert (one.alpha, one.alpha_se, one.items[0].alpha_without) == (None, None, None)


# -- wrong keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "least"), [(120, 0.9), (40, 0.7), (20, 0.5)])
def test_wrong_key_is_found_and_right_ones_are_left_alone(n: int, least: float) -> None:
    """Over 60 exams of 20 questions, one with a wrong key: it is found, and of the others under 1 in 500 suspected."""
    found = alarms = 0
    for seed in range(60):
        items = form_statistics(simulated(seed, n, 20, mis_keyed=7)).items
        found += items[7].suspects == (0,)
        assert items[7].suspects in ((), (0,))
        alarms += sum(bool(item.suspects) for j, item in enumerate(items) if j != 7)
    assert found >= least * 60
    assert alarms <= 60 * 19 / 500


def test_guessed_questions_are_rarely_suspected() -> None:
    """Questions that say nothing, all guessing: one in twenty at most is suspected."""
    alarms = sum(
        bool(item.suspects)
        for seed in range(10)
        for item in form_statistics(simulated(seed, 60, 20, guessed=0.99)).items
    )
    rng = np.random.default_rng(5)
    for seed in range(100):
        sittings = simulated(seed, 60, 12)
        pick = rng.integers(0, 4, 60)
        sittings.shares[:, 0] = pick == 0
        guess = (np.eye(4, dtype=bool)[pick], *sittings.chosen[1:])
        alarms += bool(form_statistics(Sittings(sittings.asked, sittings.shares, guess)).items[0].suspects)
    assert alarms <= 5


def test_wrong_key_of_true_or_false_is_found() -> None:
    """Of two options, too, the one that the strong take is suspected, and in right ones none."""
    found = [form_statistics(simulated(s, 120, 20, mis_keyed=2, n_options=2, guessed=0.4)) for s in range(30)]
    assert sum(f.items[2].suspects == (0,) for f in found) >= 24
    assert sum(bool(i.suspects) for f in found for j, i in enumerate(f.items) if j != 2) <= 2


def multiple(seed: int, key: frozenset[int]) -> FormStatistics:
    """An exam whose first question has several right options, 0 and 1 of four; with the key as given."""
    base = simulated(seed, 100, 20)
    rng = np.random.default_rng(seed)
    ability = base.shares[:, 1:].mean(axis=1)[:, None]
    knows = np.clip(ability * 1.2, 0.1, 0.95)
    ticks = rng.random((100, 4)) < np.hstack([knows, knows, 1 - knows, 1 - knows])
    base.shares[:, 0] = (ticks == [o in key for o in range(4)]).all(axis=1)
    asked = (Asked(2.0, 4, key), *base.asked[1:])
    return form_statistics(Sittings(asked, base.shares, (ticks, *base.chosen[1:])))


def test_options_that_a_multiple_choice_has_wrong_are_found() -> None:
    """An option that the strong tick and the key lacks is suspected, one that they leave and the key has as well."""
    right = [multiple(seed, frozenset({0, 1})).items[0].suspects for seed in range(30)]
    lacking = [multiple(seed, frozenset({0, 2})).items[0].suspects for seed in range(30)]
    assert right == [()] * 30
    assert sum(s == (1, 2) for s in lacking) >= 27


# -- difficulty -----------------------------------------------------------------------------------


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 5_000))
def test_measured_difficulty_moves_from_estimate_to_measure(estimate: float, facility: float, n: int) -> None:
    """It lies between both, is the estimate before anybody sat, and comes closer to the measure with each."""
    now, later = measured_difficulty(estimate, facility, n), measured_difficulty(estimate, facility, n + 1)
    low, high = sorted((estimate, 1 - facility))
    assert low - 1e-9 <= now <= high + 1e-9
    assert measured_difficulty(estimate, facility, 0) == pytest.approx(estimate)
    assert abs(later - (1 - facility)) <= abs(now - (1 - facility)) + 1e-12

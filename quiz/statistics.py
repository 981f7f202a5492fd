"""What the answers to one form say of its questions. Pure: arrays in, numbers out.

Only complete first sittings belong here. Scores are the points that an answer got; the rest score of a
person on a question is their score on all the others, so that a question is never compared with itself.
"""

from dataclasses import dataclass
from math import atanh, ceil, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from kb.errors import InvalidRequest

FEWEST = 20
"""Sittings below which nothing is told: the numbers would say more of chance than of the questions."""
GROUP = 0.27
"""Share of the people in the upper and in the lower group (Kelley, Journal of Educational Psychology 1939)."""
LEVEL = 0.05
"""How often chance alone may make an option look chosen by the strong, for all options of a question together."""
AGREED = 0.75
"""Share of the upper group that makes an option the choice of the strong when there are too few others to compare."""
TRUST = 20
"""Sittings after which what was measured of the difficulty counts as much as what was estimated."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the form: what it is worth, how many options it has to choose from, and which are right.

    `n_options` is 0 where nothing is chosen: then there are no distractors to look at.
    """

    points: float
    n_options: int = 0
    key: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sittings:
    """What people answered on one form: a row for each person, a column for each question.

    Attributes:
        asked: the questions, k of them.
        shares: shape (n, k); the share of the points that each answer got, NaN where there is no answer.
        chosen: for each question shape (n, n_options): whether the person chose the option.
    """

    asked: tuple[Asked, ...]
    shares: Floats
    chosen: tuple[Flags, ...]


@dataclass(frozen=True, slots=True)
class OptionStatistics:
    """How an option drew. `upper` and `lower` are the shares of those groups that chose it.

    `correlation` is that of choosing it with the rest score, None where all or none chose it.
    """

    n: int
    share: float
    upper: float
    lower: float
    correlation: float | None


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """What is known of one question on this form.

    `facility` is the mean share of its points, no answer counted as 0, `facility_se` its standard error.
    `discrimination` is the correlation with the rest score, None where one of them does not vary.
    `alpha_without` is alpha of the others. `suspects` are options that the key seems to have wrong.
    """

    n_missing: int
    facility: float
    facility_se: float
    discrimination: float | None
    alpha_without: float | None
    options: tuple[OptionStatistics, ...]
    suspects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FormStatistics:
    """What is known of a form that `n` people sat. `alpha` is None where scores do not vary or one question is all."""

    n: int
    alpha: float | None
    alpha_se: float | None
    items: tuple[ItemStatistics, ...]


def form_statistics(sittings: Sittings) -> FormStatistics:
    """What the sittings say of the form and of each of its questions; the order of people does not matter.

    Raises:
        InvalidRequest: there are fewer than `FEWEST`; says how many.
    """
    n = len(sittings.shares)
    if n < FEWEST:
        raise InvalidRequest(
            f"Cannot work out statistics of {n} sittings: at least {FEWEST} are needed.",
            "Wait until more people have sat it.",
        )
    missing = np.isnan(sittings.shares)
    scores = np.where(missing, 0.0, sittings.shares) * np.array([a.points for a in sittings.asked])
    total = scores.sum(axis=1)
    alpha, alpha_se = cronbach_alpha(scores)
    items = []
    for column, asked in enumerate(sittings.asked):
        # Rounded, so that people who did the same stay tied whatever the order of adding up.
        rest = np.round(total - scores[:, column], 9)
        share = np.where(missing[:, column], 0.0, sittings.shares[:, column])
        options = option_statistics(sittings.chosen[column], rest)
        items.append(
            ItemStatistics(
                n_missing=int(missing[:, column].sum()),
                facility=float(share.mean()),
                facility_se=float(share.std(ddof=1) / sqrt(n)),
                discrimination=correlation(share, rest),
                alpha_without=cronbach_alpha(np.delete(scores, column, axis=1))[0],
                options=options,
                suspects=suspected(asked, options, n),
            )
        )
    return FormStatistics(n, alpha, alpha_se, tuple(items))


def correlation(one: Floats, other: Floats) -> float | None:
    """Pearson's correlation, for yes and no the point-biserial one; None where one of them does not vary.

    >>> correlation(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    1.0
    """
    if not (_varies(one) and _varies(other)):
        return None
    a, b = one - one.mean(), other - other.mean()
    return float(np.clip((a @ b) / sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _varies(values: Floats) -> bool:
    return bool(np.ptp(values) > 1e-9 * max(1.0, float(np.abs(values).max())))


def cronbach_alpha(scores: Floats) -> tuple[float | None, float | None]:
    """Cronbach's alpha of scores of shape (people, questions), and its standard error.

    Both None for fewer than two questions, or where the sum does not vary. The error is asymptotic and takes
    scores as normal.

    Source: van Zyl, Neudecker, Nel, Psychometrika 65 (2000); as Duhachek, Iacobucci, Journal of Applied
    Psychology 89 (2004), give it.
    """
    n, k = scores.shape
    if k < 2 or not _varies(scores.sum(axis=1)):
        return None, None
    v = np.cov(scores, rowvar=False)
    all_, trace, squared = v.sum(), np.trace(v), v @ v
    alpha = k / (k - 1) * (1 - trace / all_)
    variance = (
        2
        * k**2
        / ((k - 1) ** 2 * all_**3)
        * (all_ * (np.trace(squared) + trace**2) - 2 * trace * squared.sum())
    )
    return float(alpha), sqrt(max(float(variance), 0.0) / n)


def option_statistics(chosen: Flags, rest: Floats) -> tuple[OptionStatistics, ...]:
    """How each option drew, in the order of the options."""
    n, (top, bottom) = len(rest), (upper_group(rest), upper_group(-rest))
    return tuple(
        OptionStatistics(
            n=int(column.sum()),
            share=float(column.mean()),
            upper=float(top @ column / (GROUP * n)),
            lower=float(bottom @ column / (GROUP * n)),
            correlation=correlation(column, rest),
        )
        for column in chosen.T.astype(np.float64)
    )


def upper_group(values: Floats) -> Floats:
    """How much each person belongs to the highest `GROUP` of all, 0 to 1.

    Those tied at its border share the room that is left, so that who stands first in a list changes nothing.

    >>> upper_group(np.array([3.0, 1.0, 1.0, 0.0])).round(2).tolist()
    [1.0, 0.04, 0.04, 0.0]
    """
    size = GROUP * len(values)
    border = np.sort(values)[::-1][ceil(size) - 1]
    above, tied = values > border, values == border
    room = (size - above.sum()) / tied.sum()
    return np.where(above, 1.0, np.where(tied, room, 0.0))


def suspected(asked: Asked, options: tuple[OptionStatistics, ...], n: int) -> tuple[int, ...]:
    """Options that the key seems to have wrong: what the strong choose, and the key does not say.

    With one right option, another is suspected if both hold:

    - it is chosen more by the strong (positive correlation with the rest score) and the key by the weak
      (negative), or nobody or everybody chose them, so that there is none;
    - that is no chance: at `LEVEL`, shared among the wrong options, its correlation is above 0 and more of the
      upper group took it than the key; or `AGREED` of the upper group took it and none of them the key.

    With several, a wrong one is suspected if its correlation is above 0 at that level and most of the upper
    group took it; a right one if its correlation is below 0 and most of the upper group left it.
    """
    wrong = [o for o in range(asked.n_options) if o not in asked.key]
    if not wrong or not asked.key:
        return ()
    if len(asked.key) > 1:
        signed = [(o, 1 if o in wrong else -1) for o in range(asked.n_options)]
        return tuple(
            o
            for o, sign in signed
            if _is_above(sign * (options[o].correlation or 0.0), n, asked.n_options)
            and sign * (options[o].upper - 0.5) > 0
        )
    key = options[min(asked.key)]
    if (key.correlation or 0.0) > 0 or key.share == 1:
        return ()
    found = []
    for o in wrong:
        other = options[o]
        drawn = _is_above(other.correlation or 0.0, n, len(wrong)) and other.upper > key.upper
        agreed = (other.correlation or 0.0) >= 0 and other.upper >= AGREED and key.upper == 0
        if drawn or agreed:
            found.append(o)
    return tuple(found)


def _is_above(r: float, n: int, n_compared: int) -> bool:
    """Whether a correlation is above 0 by more than chance, by Fisher's transformation."""
    if r >= 1:
        return True
    return atanh(max(r, -0.999)) * sqrt(n - 3) > NormalDist().inv_cdf(1 - LEVEL / n_compared)


def measured_difficulty(estimate: float, facility: float, n: int) -> float:
    """Difficulty from 0 to 1 after `n` first sittings of this facility: the more there are, the less the estimate says.

    >>> measured_difficulty(0.5, 0.9, 0), round(measured_difficulty(0.5, 0.9, 20), 3)
    (0.5, 0.3)
    """
    return (TRUST * estimate + n * (1 - facility)) / (TRUST + n)

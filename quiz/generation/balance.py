"""The tenth gate: over many questions, nobody gets further by a rule of thumb than by chance.

Who knows nothing guesses the first option, the longest, the one that shares most with the
stem or with the other options, or the middle value. For each question several sets of wrong
answers will do; the one is taken after which all these rules do as chance would.
"""

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from quiz.model import TRUE, Question, Type
from quiz.quantities import amount_of, date_of

N_OPTIONS = 4
_NEARNESS = 0.03
"""What it costs to take an answer from farther away, against a question's worth of luck."""
_CROWDED = 1.0
_AHEAD, _BEHIND = 0.5, -0.5
"""How many questions a rule of thumb may have gained over chance, and lost against it."""
_AHEAD_MIDDLE = 0.3
"""The same for the middle value, of which there are two: it never gains much at once."""
_POOL = 8
"""Of how many wrong answers, nearest first, sets are made."""


def first(stem: str, options: Sequence[str]) -> list[float]:
    """How much a guesser of the first option leans to each."""
    return [float(n == 0) for n in range(len(options))]


def longest(stem: str, options: Sequence[str]) -> list[float]:
    """How much a guesser of the longest option leans to each."""
    return [float(len(o)) for o in options]


def like_the_stem(stem: str, options: Sequence[str]) -> list[float]:
    """How many of its characters an option shares with the stem, as a share."""
    return [len(set(o) & set(stem)) / max(1, len(set(o))) for o in options]


def like_the_others(stem: str, options: Sequence[str]) -> list[float]:
    """How much an option shares with the other options."""
    sets = [set(o) for o in options]
    return [sum(len(a & b) for b in sets if b is not a) / max(1, len(a)) for a in sets]


def middle(stem: str, options: Sequence[str]) -> list[float]:
    """How near an option is to the middle of the amounts; all the same where they are none."""
    values = [a.low for o in options if (a := amount_of(o))]
    if len(values) < len(options):
        return [0.0] * len(options)
    centre = (len(options) - 1) / 2
    return [-abs(sorted(values).index(v) - centre) for v in values]


GUESSERS: Mapping[str, Callable[[str, Sequence[str]], list[float]]] = {
    "first": first,
    "longest": longest,
    "overlap_stem": like_the_stem,
    "overlap_options": like_the_others,
    "middle": middle,
}
"""What people who know nothing go by; each takes one of the options with the highest value, by lot."""


def luck(guesser: str, stem: str, options: Sequence[str], key: str) -> float:
    """The chance that a guesser hits the key of a question.

    >>> luck("longest", "", ["一", "二二", "三三"], "二二")
    0.5
    """
    values = GUESSERS[guesser](stem, options)
    best = [n for n, v in enumerate(values) if v >= max(values) - 1e-9]
    return (options.index(key) in best) / len(best)


@dataclass(slots=True)
class Balance:
    """What guessing would have gained so far; the sets that follow bring it back to chance."""

    over: dict[str, float] = field(default_factory=lambda: dict.fromkeys(GUESSERS, 0.0))
    places: dict[int, list[int]] = field(default_factory=dict)
    truths: int = 0
    """How many more true than false; half the batches begin with a false one, so that many small ones are even."""

    def sets(
        self, stem: str, key: str, wrong: Sequence[str], lot: int, n: int = N_OPTIONS
    ) -> list[tuple[str, ...]]:
        """Options of the key and n - 1 wrong answers in their order, the ones that best keep the balance first."""
        found: list[tuple[float, tuple[str, ...]]] = []
        wrong = wrong[:_POOL]
        for chosen in itertools.combinations(range(len(wrong)), n - 1):
            options = self.arrange(key, [wrong[i] for i in chosen], lot)
            cost = _NEARNESS * sum(chosen) / max(1, n - 1)
            for guesser, over in self.over.items():
                cost += (over + luck(guesser, stem, options, key) - 1 / n) ** 2
            found.append((cost + _CROWDED * self._crowd(n, options.index(key)), options))
        return [options for _, options in sorted(found, key=lambda f: f[0])]

    def arrange(self, key: str, wrong: Sequence[str], lot: int) -> tuple[str, ...]:
        """The options in the order in which they are shown: amounts by size, others so that keys are even."""
        values = {o: a for o in (key, *wrong) if (a := amount_of(o))}
        if len(values) == len(wrong) + 1:
            return tuple(sorted(values, key=lambda o: (values[o].low, values[o].high)))
        days = {o: d for o in (key, *wrong) if (d := date_of(o))}
        if len(days) == len(wrong) + 1:
            return tuple(sorted(days, key=lambda o: days[o]))
        n = len(wrong) + 1
        counts = self.places.setdefault(n, [0] * n)
        free = [p for p in range(n) if counts[p] == min(counts)]
        place = free[lot % len(free)]
        rest = sorted(wrong, key=lambda o: hash_of(o, lot))
        return (*rest[:place], key, *rest[place:])

    def bears(self, question: Question) -> bool:
        """Whether the question can be taken without any rule of thumb getting ahead of chance.

        Where options have no order of their own, the place of the key is even already.
        """
        if question.type is not Type.SINGLE:
            return True
        key, options = question.answer[0], question.options
        told = [g for g in GUESSERS if g != "first" or amount_of(key)]
        gained = [self.over[g] + luck(g, question.stem, options, key) - 1 / len(options) for g in told]
        most = [_AHEAD_MIDDLE if g == "middle" else _AHEAD for g in told]
        return all(_BEHIND <= now <= limit for now, limit in zip(gained, most, strict=True))

    def took(self, question: Question) -> None:
        """Count a question that was taken."""
        if question.type is Type.TRUE_FALSE:
            self.truths += 1 if question.answer == (TRUE,) else -1
        if question.type is not Type.SINGLE:
            return
        options, key = question.options, question.answer[0]
        n = len(options)
        for guesser in self.over:
            self.over[guesser] += luck(guesser, question.stem, options, key) - 1 / n
        self.places.setdefault(n, [0] * n)[options.index(key)] += 1

    def next_truth(self) -> bool:
        """Whether the next statement to be judged should be true."""
        return self.truths <= 0

    def _crowd(self, n: int, place: int) -> float:
        counts = self.places.get(n, [0] * n)
        return float(counts[place] - min(counts))


def hash_of(text: str, lot: int) -> str:
    """A fixed order that looks like none."""
    return hashlib.sha256(f"{lot}\x1f{text}".encode()).hexdigest()

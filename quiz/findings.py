"""What of a blueprint a form meets as it stands, and what in it does not go together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from quiz.blueprint import Blueprint
from quiz.enemies import enemies, same_clause
from quiz.model import TRUE, Type
from quiz.paper import Place

Pair = tuple[int, int]
"""Positions in a form, the lower first."""


@dataclass(frozen=True, slots=True)
class Findings:
    """A form as it stands; what is gone counts for nothing.

    `met` are, by line, the questions that are there and how many it wants. `unusable` are positions of what is gone
    or could not be put into a paper today. `clauses` and `giveaways` are pairs that should not stand together. `keys` count
    key positions of single choices, `judged` true and false statements.
    """

    n: int
    points: float
    difficulty: float | None
    met: tuple[tuple[int, int], ...]
    unusable: tuple[int, ...]
    clauses: tuple[Pair, ...]
    giveaways: tuple[Pair, ...]
    keys: Mapping[str, int]
    judged: tuple[int, int]

    @property
    def sound(self) -> bool:
        """Whether nothing is missing, gone or at odds."""
        whole = all(there >= wanted for there, wanted in self.met)
        return whole and not (self.unusable or self.clauses or self.giveaways)


def findings(form: Sequence[Place], blueprint: Blueprint) -> Findings:
    """Look at a form as it stands."""
    there = [(p, q) for p in form if (q := p.question)]
    positions, asked = [p.position for p, _ in there], [q for _, q in there]
    per_line = Counter(p.line for p in form if p.usable)
    by_clause = sorted(pair for group in same_clause(asked) for pair in combinations(group, 2))
    by_text = [pair for pair in enemies(asked) if pair not in set(by_clause)]
    singles = [q for q in asked if q.type is Type.SINGLE]
    judged = Counter(q.answer[0] == TRUE for q in asked if q.type is Type.TRUE_FALSE)
    keys = Counter(q.letters for q in singles)
    letters = [chr(ord("A") + n) for n in range(max((len(q.options) for q in singles), default=0))]
    return Findings(
        len(there),
        sum(p.planned.points for p, _ in there),
        fmean(q.difficulty for q in asked) if asked else None,
        tuple((per_line[n], line.n) for n, line in enumerate(blueprint.lines)),
        tuple(p.position for p in form if not p.usable),
        tuple((positions[a], positions[b]) for a, b in by_clause),
        tuple((positions[a], positions[b]) for a, b in by_text),
        {letter: keys[letter] for letter in letters},
        (judged[True], judged[False]),
    )

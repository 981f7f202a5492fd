"""A blueprint met with the questions that there are: which stand where, and what keeps the other places empty."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from statistics import fmean

from quiz.arrangement import Order, arranged
from quiz.blueprint import Blueprint, Line, Shortfall, Why
from quiz.enemies import groups, same_clause
from quiz.model import FALSE, TRUE, Question, Type
from quiz.solver import Filled, Task, fill

ON_PAPER = (
    Type.SINGLE,
    Type.MULTIPLE,
    Type.TRUE_FALSE,
    Type.BLANK,
    Type.ORDERING,
    Type.MATCHING,
    Type.SHORT,
)
"""The order of types in a form, as it is printed, too."""
_FIRST_SHARE = 2
_FIRST_BESIDES = 4
"""A line is tried first with so many times its places, and so many questions more."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place that is filled: the question's index in the stock, the line, and the options in the order shown."""

    index: int
    line: int
    options: Order


@dataclass(frozen=True, slots=True)
class Assembled:
    """Forms, and what they lack. `proven` is false only where the search for more was given up."""

    forms: tuple[tuple[Chosen, ...], ...]
    shortfalls: tuple[Shortfall, ...]
    proven: bool


class Stock:
    """Questions that a paper may be made of, and which of them cannot stand together. Never changes."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = tuple(questions)

    @cached_property
    def groups(self) -> list[tuple[int, ...]]:
        """Indexes of questions of which a form has one at most."""
        return groups(self.questions)

    @cached_property
    def clauses(self) -> list[tuple[int, ...]]:
        """Those among them that ask about one clause."""
        return same_clause(self.questions)

    def fits(self, lines: Sequence[Line]) -> list[list[int]]:
        """For each question the lines that take it."""
        return [[n for n, line in enumerate(lines) if line.takes(q)] for q in self.questions]


def assemble(stock: Stock, blueprint: Blueprint, seed: int) -> Assembled:
    """As much of the blueprint as can be met; the same for the same stock and seed."""
    fits = stock.fits(blueprint.lines)
    filled = _filled(_task(stock, blueprint, fits, seed))
    shortfalls = tuple(
        _shortfall(stock, blueprint, fits, line, missing)
        for line, missing in enumerate(filled.missing)
        if missing
    )
    return Assembled(_forms(stock, blueprint, filled, seed), shortfalls, filled.proven)


def draw(stock: Stock, blueprint: Blueprint, seed: int) -> tuple[Chosen, ...]:
    """One form for one person, solved by itself, which takes a few hundredths of a second."""
    alone = replace(blueprint, n_forms=1)
    filled = _filled(_task(stock, alone, stock.fits(alone.lines), seed))
    return _forms(stock, alone, filled, seed)[0]


def _filled(task: Task) -> Filled:
    """Filled from a share of the questions if that fills every place: no answer from all of them is better.

    Else from all, so that no place stays empty that could be filled.
    """
    some = _sample(task)
    filled = fill(replace(task, fits=[f if q in some else [] for q, f in enumerate(task.fits)]))
    return fill(task) if any(filled.missing) else filled


def _sample(task: Task) -> Collection[int]:
    order = list(range(len(task.fits)))
    Random(task.seed).shuffle(order)
    wanted = [_FIRST_SHARE * n * task.n_forms + _FIRST_BESIDES for n in task.places]
    some: set[int] = set()
    for question in order:
        lacking = [line for line in task.fits[question] if wanted[line]]
        if lacking:
            some.add(question)
        for line in lacking:
            wanted[line] -= 1
    return some


def _task(stock: Stock, blueprint: Blueprint, fits: Sequence[Sequence[int]], seed: int) -> Task:
    return Task(
        blueprint.n_forms,
        [line.n for line in blueprint.lines],
        [line.points for line in blueprint.lines],
        fits,
        stock.groups,
        [q.difficulty for q in stock.questions],
        [_side(q) for q in stock.questions],
        _aim(stock, blueprint, fits),
        seed,
    )


def _side(question: Question) -> int:
    if question.type is not Type.TRUE_FALSE:
        return 0
    return {TRUE: 1, FALSE: -1}.get(question.answer[0], 0)


def _aim(stock: Stock, blueprint: Blueprint, fits: Sequence[Sequence[int]]) -> float:
    """The mean difficulty of a form that takes from each line what is usual there."""
    usual: dict[int, list[float]] = {}
    for question, lines in zip(stock.questions, fits, strict=True):
        for line in lines:
            usual.setdefault(line, []).append(question.difficulty)
    n = {line: blueprint.lines[line].n for line in usual}
    return sum(fmean(found) * n[line] for line, found in usual.items()) / sum(n.values()) if n else 0.5


def _forms(stock: Stock, blueprint: Blueprint, filled: Filled, seed: int) -> tuple[tuple[Chosen, ...], ...]:
    """Type by type, in each the lines in their order, in each of these the easy questions first."""
    forms: list[tuple[Chosen, ...]] = []
    for form in range(blueprint.n_forms):
        placed = sorted(
            ((q, line) for q, line, f in filled.placed if f == form),
            key=lambda p: (
                ON_PAPER.index(stock.questions[p[0]].type),
                p[1],
                stock.questions[p[0]].difficulty,
                p[0],
            ),
        )
        orders = arranged([stock.questions[q] for q, _ in placed], seed * 31 + form)
        forms.append(tuple(Chosen(q, line, order) for (q, line), order in zip(placed, orders, strict=True)))
    return tuple(forms)


def _shortfall(
    stock: Stock, blueprint: Blueprint, fits: Sequence[Sequence[int]], line: int, missing: int
) -> Shortfall:
    """What each condition more takes from the line, as if it were alone; other lines take the rest."""
    needed = blueprint.lines[line].n * blueprint.n_forms
    fitting = {q for q, lines in enumerate(fits) if line in lines}
    one_a_clause = min(needed, _most_by_clause(stock, fitting, blueprint.n_forms))
    alone = replace(blueprint, lines=(blueprint.lines[line],))
    by_itself = fill(_task(stock, alone, [[0] if q in fitting else [] for q in range(len(fits))], 0))
    together = needed - by_itself.missing[0]
    steps = (needed, min(needed, len(fitting)), one_a_clause, together, needed - missing)
    why: Mapping[Why, int] = {
        reason: before - after
        for reason, before, after in zip(Why, steps[:-1], steps[1:], strict=True)
        if before > after
    }
    return Shortfall(line, missing, why, len(fitting))


def _most_by_clause(stock: Stock, fitting: Collection[int], n_forms: int) -> int:
    """Questions that forms can take in all if each asks about a clause once at most."""
    surplus = sum(max(0, sum(q in fitting for q in group) - n_forms) for group in stock.clauses)
    return len(fitting) - surplus

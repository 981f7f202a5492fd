"""Places of forms filled with questions, exactly: a mixed-integer programme solved by HiGHS.

Two programmes, one after the other. The first leaves as few places empty as can be: an empty place is a slack
that costs 1. The second keeps what the first has reached, line by line, and makes the forms alike. Both run in
one thread with a seed, so that the same task gives the same answer. Only a task that is not solved within a minute,
such as one in which most questions give most others away, is given up, which is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np

TOLERANCE = 0.01
"""Mean difficulties that differ by no more are equal."""
_LONGEST_S = 60.0
"""How long the search for places to fill goes on; ordinary tasks take less than a second."""
_NODES = 200
"""How far it looks for forms that are more alike."""
_TIES = 0.4
"""Costs that only break ties, all together: less than one empty place."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to fill. Questions, lines and forms are numbered from 0.

    Each of `n_forms` forms has `places[line]` places worth `points[line]` each. `fits[question]` are the lines
    that it fits. Of each of `groups`, a form takes one question at most. No question stands twice. Forms shall be
    alike in the mean of `difficulty`, which shall be near `aim`, and in points; and each shall have as many
    questions whose `side` is 1 as those whose is -1. What is equal by all that is settled by `seed`.
    """

    n_forms: int
    places: Sequence[int]
    points: Sequence[float]
    fits: Sequence[Sequence[int]]
    groups: Sequence[Sequence[int]]
    difficulty: Sequence[float]
    side: Sequence[int]
    aim: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Filled:
    """(question, line, form) for each place that is filled; `missing` are those that are not, by line over all forms.

    `proven` says that no more can be filled. It is false only where the search was given up.
    """

    placed: tuple[tuple[int, int, int], ...]
    missing: tuple[int, ...]
    proven: bool = True


def fill(task: Task) -> Filled:
    """As many places filled as can be, the forms as alike as they get."""
    model = _Model(task)
    proven = model.solve(gap=0.5)
    missing = model.missing()
    if model.even_out(missing):
        model.solve(gap=TOLERANCE / 10, nodes=_NODES)
    return Filled(model.placed(), missing, proven)


@dataclass(slots=True)
class _Rows:
    """Rows as they are put together, to be handed over at once."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, low: float, high: float, terms: Iterable[tuple[int, float]]) -> None:
        """Low <= sum of value times column <= high."""
        self.low.append(low)
        self.high.append(high)
        self.starts.append(len(self.index))
        for column, value in terms:
            self.index.append(column)
            self.value.append(value)


class _Model:
    """Columns: whether a question stands in a line of a form; then the empty places of each line of a form."""

    def __init__(self, task: Task) -> None:
        self.task = task
        forms = range(task.n_forms)
        self.columns = [(q, line, f) for q, fits in enumerate(task.fits) for line in fits for f in forms]
        self.slacks = [(line, f) for line in range(len(task.places)) for f in forms]
        n_all = len(self.columns) + len(self.slacks)
        ties = np.random.default_rng(task.seed).random(len(task.fits))
        ties /= max(1, sum(task.places) * task.n_forms)
        self.ties = ties[[q for q, _, _ in self.columns]] if self.columns else np.zeros(0)
        cost = np.concatenate([self.ties * _TIES, np.ones(len(self.slacks))])
        upper = np.ones(n_all)
        upper[len(self.columns) :] = [task.places[line] for line, _ in self.slacks]

        self.highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in {
            "output_flag": False,
            "threads": 1,
            "random_seed": task.seed % 2**31,
            "mip_rel_gap": 0.0,
        }.items():
            self.highs.setOptionValue(option, value)
        self.highs.addVars(n_all, np.zeros(n_all), upper)
        every = np.arange(n_all, dtype=np.int32)
        self._cost(cost)
        whole = np.full(n_all, highspy.HighsVarType.kInteger.value, dtype=np.uint8)
        self.highs.changeColsIntegrality(n_all, every, whole)
        self._add(self._constraints())

    def _slack(self, line: int, form: int) -> int:
        return len(self.columns) + line * self.task.n_forms + form

    def _constraints(self) -> _Rows:
        task, rows = self.task, _Rows()
        of_question: dict[int, list[int]] = {}
        of_place: dict[tuple[int, int], list[int]] = {}
        in_form: dict[tuple[int, int], list[int]] = {}
        for column, (question, line, form) in enumerate(self.columns):
            of_question.setdefault(question, []).append(column)
            of_place.setdefault((line, form), []).append(column)
            in_form.setdefault((question, form), []).append(column)
        for columns in of_question.values():
            rows.add(0, 1, ((c, 1.0) for c in columns))
        for line, form in self.slacks:
            filled = [*of_place.get((line, form), ()), self._slack(line, form)]
            rows.add(task.places[line], task.places[line], ((c, 1.0) for c in filled))
        for group in task.groups:
            for form in range(task.n_forms):
                columns = [c for q in group for c in in_form.get((q, form), ())]
                if len(columns) > 1:
                    rows.add(0, 1, ((c, 1.0) for c in columns))
        return rows

    def even_out(self, missing: Sequence[int]) -> bool:
        """Turn to making forms alike; whether there is anything to it."""
        task, rows = self.task, _Rows()
        n_filled = sum(task.places) * task.n_forms - sum(missing)
        if not n_filled:
            return False
        forms = range(task.n_forms)
        started = self.highs.getSolution()
        self._cost(np.concatenate([self.ties * TOLERANCE, np.zeros(len(self.slacks))]))
        for line, n in enumerate(missing):
            rows.add(n, n, ((self._slack(line, f), 1.0) for f in forms))
        self._alike_in_difficulty(rows, n_filled / task.n_forms)
        if sum(missing):
            least, most = self._column(-0.01), self._column(0.01)
            for f in forms:
                lost = [(self._slack(line, f), task.points[line]) for line in range(len(missing))]
                rows.add(0, np.inf, [*lost, (least, -1.0)])
                rows.add(-np.inf, 0, [*lost, (most, -1.0)])
        for f in forms:
            sides = [
                (c, float(task.side[q]))
                for c, (q, _, k) in enumerate(self.columns)
                if k == f and task.side[q]
            ]
            if sides:
                # One more on a side than on the other is even for an odd number.
                beyond = self._column(0.02)
                rows.add(-np.inf, 1, [*sides, (beyond, -1.0)])
                rows.add(-1, np.inf, [*sides, (beyond, 1.0)])
        self._add(rows)
        self.highs.setSolution(started)
        return True

    def _alike_in_difficulty(self, rows: _Rows, n: float) -> None:
        task = self.task
        middle, off = self._column(0, -np.inf), self._column(2, TOLERANCE)
        # What is within the tolerance counts as equal, so that nothing is left to prove below it.
        apart = self._column(10, TOLERANCE / 2)
        rows.add(-np.inf, 0, [(middle, 1.0), (off, -1.0)])
        rows.add(0, np.inf, [(middle, 1.0), (off, 1.0)])
        for f in range(task.n_forms):
            # Against the aim, so that an empty place does not count as an easy question.
            terms = [
                (c, (task.difficulty[q] - task.aim) / n) for c, (q, _, k) in enumerate(self.columns) if k == f
            ]
            rows.add(-np.inf, 0, [*terms, (middle, -1.0), (apart, -1.0)])
            rows.add(0, np.inf, [*terms, (middle, -1.0), (apart, 1.0)])

    def _cost(self, cost: "np.ndarray[Any, Any]") -> None:
        self.highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)

    def _column(self, cost: float, low: float = 0, high: float = np.inf) -> int:
        self.highs.addVar(low, high)
        column: int = self.highs.getNumCol() - 1
        self.highs.changeColCost(column, cost)
        return column

    def _add(self, rows: _Rows) -> None:
        self.highs.addRows(
            len(rows.low),
            np.array(rows.low, dtype=float),
            np.array(rows.high, dtype=float),
            len(rows.index),
            np.array(rows.starts, dtype=np.int32),
            np.array(rows.index, dtype=np.int32),
            np.array(rows.value, dtype=float),
        )

    def solve(self, *, gap: float, nodes: int = 2**31 - 1) -> bool:
        """Run; whether no answer is better by more than the gap."""
        self.highs.setOptionValue("mip_max_nodes", nodes)
        self.highs.setOptionValue("mip_abs_gap", gap)
        # The clock runs on from one programme to the next.
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + _LONGEST_S)
        self.highs.run()
        return bool(self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def missing(self) -> tuple[int, ...]:
        """Empty places by line."""
        value = self.highs.getSolution().col_value
        forms = range(self.task.n_forms)
        return tuple(
            sum(round(value[self._slack(line, f)]) for f in forms) for line in range(len(self.task.places))
        )

    def placed(self) -> tuple[tuple[int, int, int], ...]:
        """The places that are filled."""
        value = self.highs.getSolution().col_value
        return tuple(place for column, place in enumerate(self.columns) if value[column] > 0.5)

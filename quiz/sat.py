"""What was sat, as it is looked at afterwards: without what is no longer seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Any

import numpy as np
from sqlalchemy import Connection, select
from sqlalchemy.sql import ColumnElement

from quiz.held import MARKED, OPEN, SUBMITTED, Version, waits
from quiz.model import Question, Type
from quiz.statistics import Asked, Sittings
from quiz.tables import answers, attempts, exams
from quiz.versions import bodies

_CHOICE = (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE)


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave to one question. `share` of its `points`; None without an answer, or until it is marked."""

    version: Version
    points: float
    answer: tuple[Any, ...]
    share: float | None

    @property
    def missing(self) -> bool:
        """Whether nothing was answered."""
        return not any(part not in (None, "") for part in self.answer)


@dataclass(frozen=True, slots=True)
class Sat:
    """One sitting, over the questions that are seen. `state` is open, submitted while one of them waits for a mark,
    else marked. `score` of `most` points; no answer is worth nothing.
    """

    exam_id: str
    person_id: str
    branch_id: str | None
    number: int
    form: int
    mode: str
    state: str
    submitted_at: datetime | None
    given: tuple[Given, ...]

    @property
    def score(self) -> float:
        """Points reached."""
        return round(sum(g.points * (g.share or 0.0) for g in self.given), 2)

    @property
    def most(self) -> float:
        """Points that could be reached."""
        return round(sum(g.points for g in self.given), 2)

    @property
    def share(self) -> float | None:
        """Share of the points; None where it is not marked, or nothing of it is seen any more."""
        return self.score / self.most if self.state == MARKED and self.most else None

    def passed(self, pass_share: float) -> bool | None:
        """Whether that is enough; None while it is not known."""
        return None if self.share is None else self.share >= pass_share - 1e-9


def sittings(
    connection: Connection, which: ColumnElement[bool], scope: frozenset[str] | None
) -> tuple[list[Sat], dict[Version, Question]]:
    """Sittings that the condition on `attempts` and `exams` admits, oldest first, and the questions in them.

    Questions that are not seen under the scope are in neither; None looks at all of them, for numbers alone.
    """
    rows = connection.execute(
        select(attempts, exams.c.mode)
        .join(exams, exams.c.exam_id == attempts.c.exam_id)
        .where(which)
        .order_by(attempts.c.began_at, attempts.c.attempt_id)
    ).all()
    asked = bodies(connection, {p["question_id"] for row in rows for p in row.plan}, scope)
    saved = connection.execute(
        select(answers)
        .join(attempts, attempts.c.attempt_id == answers.c.attempt_id)
        .join(exams, exams.c.exam_id == attempts.c.exam_id)
        .where(which, attempts.c.state != OPEN)
    )
    gave = {(r.attempt_id, r.position): r for r in saved}
    found = []
    for row in rows:
        given, waiting = _given(row, gave, asked)
        found.append(
            Sat(
                row.exam_id,
                row.person_id,
                row.branch_id,
                row.number,
                row.form,
                row.mode,
                OPEN if row.state == OPEN else SUBMITTED if waiting else MARKED,
                row.submitted_at,
                given,
            )
        )
    return found, asked


def _given(
    row: Any, gave: dict[tuple[str, int], Any], asked: dict[Version, Question]
) -> tuple[tuple[Given, ...], bool]:
    """What was given to the questions that are seen, and whether one of them waits for a mark."""
    found, waiting = [], False
    for position, planned in enumerate(row.plan, 1):
        version = (planned["question_id"], planned["version"])
        if version in asked:
            saved = gave.get((row.attempt_id, position))
            waiting |= saved is not None and waits(saved)
            answer, share = (tuple(saved.answer), saved.share) if saved else ((), None)
            found.append(Given(version, planned["points"], answer, share))
    return tuple(found), waiting


def matrix(
    rows: Sequence[Mapping[Version, Given]], order: Sequence[tuple[Version, float, Question]]
) -> Sittings:
    """The rows, each by question, as statistics take them; `order` are the questions with their points."""
    shares = [
        [nan if row[version].missing else row[version].share or 0.0 for version, _, _ in order]
        for row in rows
    ]
    return Sittings(
        tuple(_asked(question, points) for _, points, question in order),
        np.array(shares),
        tuple(
            np.array(
                [[o in row[version].answer for o in range(_n_options(question))] for row in rows], dtype=bool
            ).reshape(len(rows), _n_options(question))
            for version, _, question in order
        ),
    )


def _asked(question: Question, points: float) -> Asked:
    key = (question.options.index(a) for a in question.answer) if _n_options(question) else ()
    return Asked(points, _n_options(question), frozenset(key))


def _n_options(question: Question) -> int:
    """Options that are chosen; in ordering and matching all of them are."""
    return len(question.options) if question.type in _CHOICE else 0

"""Attempts as the store holds them, and the questions that they hold."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.sql import ColumnElement

from quiz.model import Question, question_of
from quiz.papers import Planned
from quiz.tables import answers, question_versions
from quiz.visibility import seen
from store.tables import documents

OPEN, SUBMITTED, MARKED = "open", "submitted", "marked"
"""States of an attempt; one that is submitted waits for a person to confirm marks."""

Version = tuple[str, int]
"""A question and which version of it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row of `attempts`."""

    attempt_id: str
    exam_id: str
    person_id: str
    number: int
    plan: tuple[Planned, ...]
    began_at: datetime
    due_at: datetime
    submitted_at: datetime | None
    state: str

    @property
    def versions(self) -> list[Version]:
        """What was asked, in its order."""
        return [(p.question_id, p.version) for p in self.plan]


def held_of(row: Any) -> Held:
    """The attempt of a row that has the columns of `attempts`."""
    plan = tuple(Planned(p["question_id"], p["version"], p["points"], tuple(p["options"])) for p in row.plan)
    return Held(
        row.attempt_id,
        row.exam_id,
        row.person_id,
        row.number,
        plan,
        row.began_at,
        row.due_at,
        row.submitted_at,
        row.state,
    )


def plan_json(plan: Iterable[Planned]) -> list[dict[str, Any]]:
    """The plan as `attempts.plan` holds it."""
    return [asdict(p) for p in plan]


def answers_of(connection: Connection, attempt_ids: Collection[str]) -> dict[str, dict[int, Any]]:
    """Rows of `answers` by attempt and position; every attempt is there."""
    found: dict[str, dict[int, Any]] = {attempt_id: {} for attempt_id in attempt_ids}
    for row in connection.execute(select(answers).where(answers.c.attempt_id.in_(found))):
        found[row.attempt_id][row.position] = row
    return found


def score_of(held: Held, given: Mapping[int, Any], shown: Collection[Version]) -> tuple[float, float]:
    """Points reached, and most points, over those questions that are shown."""
    worth = {n: p.points for n, p in enumerate(held.plan, 1) if (p.question_id, p.version) in shown}
    reached = sum(points * (given[n].share or 0.0) for n, points in worth.items() if n in given)
    return round(reached, 2), round(sum(worth.values()), 2)


def waits(row: Any) -> bool:
    """Whether a row of `answers` waits for a person to confirm what is proposed."""
    return row.share is None and row.proposed is not None


def is_marked(held: Held, given: Mapping[int, Any], shown: Collection[Version]) -> bool:
    """Whether the attempt is over and no question that is shown waits for a person."""
    return held.state != OPEN and not any(
        waits(row) and held.versions[position - 1] in shown for position, row in given.items()
    )


class Bodies:
    """Reads versions of questions. What they say never changes and is remembered; who sees them is asked each time."""

    _MOST = 4096

    def __init__(self) -> None:
        self._bodies: OrderedDict[Version, Question] = OrderedDict()
        self._lock = Lock()

    def shown(
        self, connection: Connection, wanted: Collection[Version], scope: frozenset[str]
    ) -> set[Version]:
        """Those that are seen under the scope."""
        return self._those(connection, wanted, seen(question_versions.c.document_id, scope))

    def _those(
        self, connection: Connection, wanted: Collection[Version], which: ColumnElement[bool]
    ) -> set[Version]:
        v = question_versions.c
        ids = sorted({question_id for question_id, _ in wanted})
        rows = connection.execute(select(v.question_id, v.version).where(v.question_id.in_(ids), which))
        return {(r.question_id, r.version) for r in rows} & set(wanted)

    def present(self, connection: Connection, wanted: Collection[Version]) -> set[Version]:
        """Those whose document is still in the catalog, whoever may see it."""
        v, d = question_versions.c, documents.c
        there = select(d.document_id).where(d.document_id == v.document_id).exists()
        return self._those(connection, wanted, v.document_id.is_(None) | there)

    def questions(self, connection: Connection, wanted: Collection[Version]) -> dict[Version, Question]:
        """The questions, whoever may see them."""
        with self._lock:
            found = {w: self._bodies[w] for w in wanted if w in self._bodies}
        missing = sorted(
            {question_id for question_id, version in wanted if (question_id, version) not in found}
        )
        if missing:
            v = question_versions.c
            rows = connection.execute(
                select(v.question_id, v.version, v.body).where(v.question_id.in_(missing))
            ).all()
            read = {(r.question_id, r.version): question_of(r.body) for r in rows}
            found |= {w: read[w] for w in wanted if w in read}
            with self._lock:
                self._bodies.update(found)
                while len(self._bodies) > self._MOST:
                    self._bodies.popitem(last=False)
        return found

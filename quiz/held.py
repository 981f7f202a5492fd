"""Attempts as the store holds them, and the questions that they hold."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select

from quiz.model import Question, question_of
from quiz.paper import Planned
from quiz.tables import answers, question_versions
from quiz.visibility import seen_by_name
from store.tables import documents

OPEN, SUBMITTED, MARKED = "open", "submitted", "marked"
"""States of an attempt; one that is submitted waits for a person to confirm marks."""

GRACE = timedelta(seconds=5)
"""How long after its time what was sent in time may still arrive."""

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
    if not found:
        return {}
    for row in connection.execute(select(answers).where(answers.c.attempt_id.in_(found))):
        found[row.attempt_id][row.position] = row
    return found


def score_of(held: Held, given: Mapping[int, Any], shown: Collection[Version]) -> tuple[float, float]:
    """Points reached, and most points, over those questions that are shown."""
    worth = {n: p.points for n, p in enumerate(held.plan, 1) if (p.question_id, p.version) in shown}
    reached = sum(points * (given[n].share or 0.0) for n, points in worth.items() if n in given)
    return round(reached, 2), round(sum(worth.values()), 2)


def is_late(due: datetime, now: datetime) -> bool:
    """Whether nothing more is taken: what was sent in time may arrive a little later."""
    return now > due + GRACE


def waits(row: Any) -> bool:
    """Whether a row of `answers` waits for a person to confirm what is proposed."""
    return row.share is None and row.proposed is not None


def is_marked(held: Held, given: Mapping[int, Any], shown: Collection[Version]) -> bool:
    """Whether the attempt is over and no question that is shown waits for a person."""
    return held.state != OPEN and not any(
        waits(row) and held.versions[position - 1] in shown for position, row in given.items()
    )


_V = question_versions.c
# What every save asks is put together once.
_WANTED = select(_V.question_id, _V.version).where(_V.question_id.in_(bindparam("ids", expanding=True)))
_SHOWN = _WANTED.where(seen_by_name(_V.document_id))
_PRESENT = _WANTED.where(
    _V.document_id.is_(None)
    | exists(select(documents.c.document_id).where(documents.c.document_id == _V.document_id))
)


def _those(
    connection: Connection, statement: Select[Any], wanted: Collection[Version], **parameters: object
) -> set[Version]:
    if not wanted:
        return set()
    ids = sorted({question_id for question_id, _ in wanted})
    rows = connection.execute(statement, {"ids": ids, **parameters})
    return {(r.question_id, r.version) for r in rows} & set(wanted)


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
        return _those(connection, _SHOWN, wanted, scope=sorted(scope))

    def present(self, connection: Connection, wanted: Collection[Version]) -> set[Version]:
        """Those whose document is still in the catalog, whoever may see it."""
        return _those(connection, _PRESENT, wanted)

    def questions(self, connection: Connection, wanted: Collection[Version]) -> dict[Version, Question]:
        """The questions, whoever may see them."""
        with self._lock:
            found = {w: self._bodies[w] for w in wanted if w in self._bodies}
        missing = sorted(
            {question_id for question_id, version in wanted if (question_id, version) not in found}
        )
        if missing:
            rows = connection.execute(
                select(_V.question_id, _V.version, _V.body).where(_V.question_id.in_(missing))
            ).all()
            read = {(r.question_id, r.version): question_of(r.body) for r in rows}
            found |= {w: read[w] for w in wanted if w in read}
            with self._lock:
                self._bodies.update(found)
                while len(self._bodies) > self._MOST:
                    self._bodies.popitem(last=False)
        return found

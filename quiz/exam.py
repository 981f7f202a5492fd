"""The nouns of exams: rules, where one stands, and what one person has of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from access.sharing import Reach
from kb.errors import Conflict, KbError

MOST_MINUTES = 24 * 60
MOST_ATTEMPTS = 100


class Mode(StrEnum):
    """Whether it counts: practice has no limit of time, and its results are shown at once."""

    PRACTICE = "practice"
    TEST = "test"


class Retake(StrEnum):
    """When somebody may sit it once more."""

    NEVER = "never"
    FAILED = "failed"
    ANY = "any"


class Reveal(StrEnum):
    """When results are shown: after submitting, or once nobody can sit it any more."""

    SUBMITTED = "submitted"
    CLOSED = "closed"


class Phase(StrEnum):
    """Where an exam stands by its clock."""

    COMING = "coming"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ExamRules:
    """How an exam is sat. Times are UTC without a zone; `minutes` and `n_attempts` None do not limit.

    `pass_share` is the share of the points that passes, 0 to 1. `shuffled`: each person has questions and
    options in an order of their own.
    """

    title: str
    mode: Mode
    opens_at: datetime
    closes_at: datetime
    minutes: int | None = None
    n_attempts: int | None = None
    retake: Retake = Retake.NEVER
    reveal: Reveal = Reveal.CLOSED
    pass_share: float = 0.6
    shuffled: bool = True


@dataclass(frozen=True, slots=True)
class Tried:
    """One sitting of the asker. Where results are not shown yet, or a mark is due, `score` and `passed` are None."""

    attempt_id: str
    number: int
    state: str
    began_at: datetime
    due_at: datetime
    submitted_at: datetime | None
    score: float | None
    most: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class ExamCard:
    """An exam as one person has it: `tried` are their own sittings, first to last.

    `may_begin`: `Attempts.begin` would begin or go on. `closes_at` is when it was ended, if it was. Those who
    may give it out are told its `audience`, and how many attempts are open and over.
    """

    exam_id: str
    paper_id: str
    branch_id: str
    rules: ExamRules
    phase: Phase
    given_at: datetime
    closes_at: datetime
    tried: tuple[Tried, ...]
    may_begin: bool
    audience: tuple[str, ...] = ()
    n_open: int = 0
    n_over: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would see an exam, and how many of its `n` questions each of those branches would not be asked.

    A question is left out for who may not see the document that it cites.
    """

    reach: Reach
    n: int
    hidden: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Exam:
    """A row of `exams`. Ending it moves `closes_at`."""

    exam_id: str
    paper_id: str
    branch_id: str
    rules: ExamRules
    given_at: datetime
    closes_at: datetime

    def phase(self, now: datetime) -> Phase:
        """Where it stands at a moment."""
        if now >= self.closes_at:
            return Phase.OVER
        return Phase.COMING if now < self.rules.opens_at else Phase.OPEN

    def is_revealed(self, now: datetime) -> bool:
        """Whether what came of an attempt that is over may be shown."""
        return self.rules.reveal is Reveal.SUBMITTED or now >= self.closes_at

    def passes(self, score: float, most: float) -> bool:
        """Whether so many points are enough; of nothing, nothing is."""
        return most > 0 and score >= self.rules.pass_share * most - 1e-9

    def refusal(self, tried: Sequence[Tried], now: datetime) -> KbError | None:
        """Why somebody who has no open attempt may not begin one; None if they may. `tried` tells all."""
        if (phase := self.phase(now)) is not Phase.OPEN:
            return Conflict(f"Cannot begin this exam: it is {phase.value}.", "See when it is open.")
        rules, n = self.rules, len(tried)
        if n and rules.retake is Retake.NEVER:
            return Conflict("Cannot sit this exam again: it can be sat once.", "See what came of it.")
        if rules.n_attempts is not None and n >= rules.n_attempts:
            return Conflict(f"Cannot sit this exam again: {n} attempts are all.", "See what came of them.")
        if n and rules.retake is Retake.FAILED and any(t.passed is not False for t in tried):
            return Conflict(
                "Cannot sit this exam again: it is passed, or not marked yet.", "See what came of it."
            )
        return None


def exam_of(row: Any) -> Exam:
    """The exam of a row that has the columns of `exams`."""
    rules = ExamRules(
        row.title,
        Mode(row.mode),
        row.opens_at,
        row.closes_at,
        row.minutes,
        row.n_attempts,
        Retake(row.retake),
        Reveal(row.reveal),
        row.pass_share,
        row.shuffled,
    )
    closes_at = min(row.closes_at, row.ended_at or row.closes_at)
    return Exam(row.exam_id, row.paper_id, row.branch_id, rules, row.given_at, closes_at)

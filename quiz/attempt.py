"""The nouns of sitting an exam: what one has before one, what is saved, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from quiz.asking import Asked, Part
from quiz.exam import Mode
from quiz.model import Question


@dataclass(frozen=True, slots=True)
class Sitting:
    """An attempt as the person has it before them. `seconds_left` is None where time is not limited.

    `state` is "open", "submitted" or "marked"; then there are no questions: see the result. Positions may
    have gaps: of a document that was withdrawn nothing is asked any more. `n` counts what is asked.
    """

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: str
    seconds_left: int | None
    n: int
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands saved now: `answer` and the number of its change.

    `taken` is false where a save of the same or a greater number was there before with another answer: it came
    late, or another window was ahead. To put one's own above it, save again with a greater number.
    """

    change: int
    seconds_left: int | None
    answer: tuple[Part, ...]
    taken: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question. `state` is "marked", "to_confirm" or "withdrawn".

    `question` has its options as they were shown, and key, explanation and citation; None once its document is
    no longer seen: then nothing of it is told, and it is not counted. `given` are texts, "" for what was left
    empty. `share` of `worth` was reached; None while a person has to confirm what is `proposed`.
    """

    position: int
    state: str
    worth: float
    question: Question | None = None
    given: tuple[str, ...] = ()
    share: float | None = None
    proposed: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt. Before it is `revealed`, score, passed and questions are not told.

    `score` of `most` points; both are None, as `passed`, while a mark is due.
    """

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: str
    began_at: datetime
    submitted_at: datetime
    revealed: bool
    reveals_at: datetime
    score: float | None
    most: float | None
    pass_share: float
    passed: bool | None
    questions: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class ToMark:
    """A short answer that waits for a person to confirm the proposed share; whose it is, is not told."""

    attempt_id: str
    position: int
    question: Question
    given: str
    worth: float
    proposed: float

"""What the bank tells of its questions: as they stand, how they came to it, and what stands in the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from kb.errors import Conflict
from kb.model import Validity
from quiz.model import Question, State, question_of

ENDED: Mapping[Validity, str] = {
    Validity.SUPERSEDED: "所依据的材料已有新版本，请对照新版本核对。",
    Validity.REPEALED: "所依据的材料已经废止。",
}
"""The note of a question whose document is no longer in force."""
STEPS: Mapping[State, frozenset[State]] = {
    State.CANDIDATE: frozenset({State.IN_REVIEW, State.APPROVED, State.RETIRED}),
    State.IN_REVIEW: frozenset({State.APPROVED, State.RETIRED}),
    State.APPROVED: frozenset({State.IN_REVIEW, State.RETIRED}),
    State.RETIRED: frozenset({State.IN_REVIEW}),
}
"""Where a question may go from where it stands."""


class Failure(Protocol):
    """A gate that a question fails, and why in Chinese."""

    @property
    def gate(self) -> int:
        """Its number."""
        ...

    @property
    def reason(self) -> str:
        """For people."""
        ...


Check = Callable[[Question, frozenset[str]], Sequence[Failure]]
"""Runs the gates on a question under a scope."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A question of the bank at one version.

    `question_id` is the bank's and stays through all versions. `state` is where it stands today: what cites
    a document that is no longer in force is `stale` and reads as in review. `note` says why. The latest
    version has the difficulty that was measured, once there is one.
    """

    question_id: str
    version: int
    branch_id: str
    state: State
    note: str
    question: Question
    added_by: str | None
    added_at: datetime
    changed_at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class Added:
    """What became of questions handed in: ids of those taken, and how many were there already."""

    ids: tuple[str, ...]
    duplicates: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it was made. `name` is that of who made it, empty for whom the asker does not know."""

    version: int
    question: Question
    made_by: str | None
    name: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """A change of state. `name` is that of who made it, empty for whom the asker does not know.

    Where the installation did it itself, `reviewed_by` is None.
    """

    version: int
    state: State
    reason: str
    reviewed_by: str | None
    name: str
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """What became of a question: its versions and its reviews, oldest first."""

    versions: tuple[Version, ...]
    reviews: tuple[Review, ...]


class ChangedMeanwhile(Conflict):
    """Somebody else changed the question: `now` is what is there, `name` and `at` who made it so, and when."""

    def __init__(self, now: Kept, name: str, at: datetime) -> None:
        super().__init__(
            f"Cannot change question {now.question_id}: it is at version {now.version} and {now.state.value} now,"
            f" by {name or 'this installation'} at {at.isoformat(timespec='seconds')}Z.",
            "See what is there now, and change that.",
        )
        self.now = now
        self.name = name
        self.at = at


def kept_of(row: Any) -> Kept:
    """The question of a row that `quiz.versions.latest` gave."""
    state, note = State(row.state), row.note
    if row.ended and state is not State.RETIRED:
        state, note = State.IN_REVIEW, ENDED[Validity(row.ended)]
    return Kept(
        row.question_id,
        row.version,
        row.branch_id,
        state,
        note,
        replace(question_of(row.body), difficulty=round(row.difficulty, 3)),
        row.added_by,
        row.added_at,
        row.changed_at,
        row.ended is not None,
    )

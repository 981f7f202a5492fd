"""What came of a case, in nouns, and who is told of it.

Whoever sees the case is told what is open. What is not open is told to the people of the branch that it comes
from, and to those who write the case. Of a case that is not seen nobody is told anything, but a branch keeps
what it has done itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table

from access.principal import Principal
from access.rights import Action
from cases.model import Effect, Progress
from cases.tables import cases
from cases.visibility import seen
from kb.errors import InvalidRequest, NotFound

LONGEST_WORD = 2_000
"""Code points of a note, or of feedback."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A branch that took a case over, and how far it came.

    `case_id` is None where the asker does not see the case any more. `ours` says that the asker speaks for the branch.
    """

    adoption_id: str
    case_id: str | None
    branch_id: str
    progress: Progress
    effect: Effect | None
    note: str
    open: bool
    changed_at: datetime
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an adoption as it was told at the time. `changed_by` is told to the branch's own people only."""

    progress: Progress
    effect: Effect | None
    note: str
    changed_by: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Who took a case over, as far as the asker is told: where it worked first; and how many of each.

    `untold` counts those that are done and did not say whether it worked.
    """

    adoptions: tuple[Adoption, ...]
    worked: int
    partly: int
    failed: int
    untold: int
    unsuitable: int
    planned: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a branch says of a case. `ours` says that the asker speaks for the branch."""

    feedback_id: str
    branch_id: str
    text: str
    open: bool
    given_at: datetime
    ours: bool = False


_ORDER: tuple[tuple[Progress, Effect | None], ...] = (
    (Progress.DONE, Effect.WORKED),
    (Progress.DONE, Effect.PARTLY),
    (Progress.DONE, Effect.FAILED),
    (Progress.DONE, None),
    (Progress.UNSUITABLE, None),
    (Progress.PLANNED, None),
    (Progress.UNDER_WAY, None),
)
"""As the counts of `Taken` stand."""


def taken(adoptions: Sequence[Adoption]) -> Taken:
    """The adoptions in order, counted; of equal ones the latest is first."""
    latest = sorted(adoptions, key=lambda a: (a.changed_at, a.adoption_id), reverse=True)
    groups = [[a for a in latest if (a.progress, a.effect) == kind] for kind in _ORDER]
    return Taken(tuple(a for group in groups for a in group), *map(len, groups))


def own_branches(by: Principal) -> list[str]:
    """Branches whose people the asker is one of."""
    return sorted(b for b in by.roles if by.may(Action.READ, b))


def told(by: Principal, of: Table) -> ColumnElement[bool]:
    """Whether the asker is told of the row of `adoptions` or `feedback`, joined with that of its case."""
    writes = [b for b in by.roles if by.may(Action.WRITE_CASE, b)]
    return seen(by.scope) & (of.c.open | of.c.branch_id.in_(own_branches(by)) | cases.c.branch_id.in_(writes))


def seen_case(by: Principal, case_id: str) -> ColumnElement[bool]:
    """Whether the row of `cases` is this one, and the asker sees it."""
    return (cases.c.case_id == case_id) & seen(by.scope)


def no_case(case_id: str) -> NotFound:
    """What is answered for a case that is not there, or not for the asker."""
    return NotFound(f"No case {case_id} here.", "Search the cases.")


def checked_word(text: str) -> str:
    """The text without white space at its ends.

    Raises:
        InvalidRequest: it is too long.
    """
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_WORD:
        raise InvalidRequest(
            f"Cannot take a text of {len(text)} characters.", f"Take at most {LONGEST_WORD}."
        )
    return text

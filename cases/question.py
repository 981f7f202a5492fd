"""The nouns of open questions, and what one may say in them."""

from dataclasses import dataclass
from datetime import datetime

from access.sharing import Reach
from kb.errors import InvalidRequest
from search.analysis import fold

LONGEST_PROBLEM = 500
LONGEST_TEXT = 5_000
"""Code points of what is asked; of what is said beside it, and of an answer."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question as somebody sees it.

    Attributes:
        asked_by: told to people of the asking branch only.
        settled_by: the case that solved it, where the asker of this sees that case.
        n_answers: those that are seen.
        answered: whether one of the branches for which one speaks has answered.
        audience: the tokens that it went to; told only to who speaks for the asking branch.
    """

    question_id: str
    branch_id: str
    problem: str
    detail: str
    asked_by: str | None
    asked_at: datetime
    closed_at: datetime | None
    settled_by: str | None
    n_answers: int
    answered: bool
    audience: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether answers are still taken."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """An answer as somebody sees it: text, a case, or both.

    Attributes:
        case_id: a case that the answering branch published; None where it is not seen.
        person_id: told to people of the answering branch only.
        asker_sees: whether the asking branch sees the case; told to who speaks for the answering branch, else None.
    """

    answer_id: str
    question_id: str
    branch_id: str
    person_id: str | None
    text: str
    case_id: str | None
    answered_at: datetime
    asker_sees: bool | None = None


@dataclass(frozen=True, slots=True)
class QuestionReach:
    """Who sees a question. `alone` says that nobody but the asking branch does, those below it included."""

    reach: Reach
    alone: bool


def checked_problem(text: str) -> str:
    """The problem on one line.

    Raises:
        InvalidRequest: it is empty, or too long.
    """
    line = " ".join(text.split())
    if not 1 <= len(line) <= LONGEST_PROBLEM:
        raise InvalidRequest(
            f"Cannot ask a question of {len(line)} characters.",
            f"Say the problem in 1 to {LONGEST_PROBLEM} characters; the rest goes into the detail.",
        )
    return line


def checked_text(text: str) -> str:
    """The text without white space around it.

    Raises:
        InvalidRequest: it is too long.
    """
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise InvalidRequest(
            f"Cannot take a text of {len(text)} characters.", f"Take at most {LONGEST_TEXT} characters."
        )
    return text


def is_same(one: str, other: str) -> bool:
    """Whether two problems are the same but for script, width, white space and punctuation.

    >>> is_same("夜班怎么组织学习？", "夜班　怎麼組織學習"), is_same("夜班怎么学", "夜班怎么吃")
    (True, False)
    """
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return "".join(c for c in fold(text).text if c.isalnum()) or text

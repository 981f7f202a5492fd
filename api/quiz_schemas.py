"""What HTTP takes and answers about questions, papers, exams and attempts, as schemas."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.access_schemas import DERIVED, BranchId, Moment
from api.schemas import Schema
from quiz.exams import Mode
from quiz.model import Slot, State, Type

MOST_QUESTIONS = 500
"""Questions taken or made in one request."""


def _is_text(value: str) -> str:
    value.encode()
    return value


Said = Annotated[str, AfterValidator(_is_text), Field(max_length=5000)]
"""Text of a question; half a character is none."""
Several = Annotated[tuple[Said, ...], Field(max_length=50)]
Offset = Annotated[int, Field(ge=0, le=2**53)]
Number = Annotated[int, Field(ge=1, le=2**31)]
DocumentKey = Annotated[str, Field(pattern=DERIVED)]

# -- the bank ------------------------------------------------------------------------


class NewCitation(Schema):
    """The span of a document that proves the key: `start` and `end` count code points of its text."""

    document_id: DocumentKey
    quote: Annotated[str, AfterValidator(_is_text), Field(max_length=20_000)]
    start: Offset
    end: Offset
    title: Said = Field("", description="Here and below: taken from the document, whatever is sent.")
    path: Several = ()
    clause_id: Said = ""
    anchor: Said = ""


class Point(Schema):
    """What a short answer must say; the weights together are 1."""

    text: Said
    weight: float


class NewQuestion(Schema):
    """A question as it is handed in; see `Question` for what the fields hold."""

    type: Type
    stem: Said
    options: Several = ()
    answer: Said | Several = Field(description="One text for single choice and true or false, else a list.")
    explanation: Said = ""
    citation: NewCitation | None = None
    difficulty: Annotated[float, Field(ge=0, le=1)] = 0.5
    prompts: Several = ()
    accepted: Annotated[tuple[Several, ...], Field(max_length=50)] = ()
    points: Annotated[tuple[Point, ...], Field(max_length=50)] = ()
    slot: Slot = Slot.OTHER
    places: Annotated[tuple[tuple[Offset, Offset], ...], Field(max_length=100)] = ()
    topics: Several = ()
    question_id: str | None = Field(None, description="Not looked at, so that what was got can be sent back.")


class Citation(Schema):
    """Where the key stands: `text[start:end] == quote` of the document; `anchor` leads to its clause."""

    document_id: str
    title: str
    path: list[str]
    quote: str
    start: int
    end: int
    clause_id: str
    anchor: str


class Question(Schema):
    """A question whole, with its key. `places` are the spans of the document that are asked for."""

    question_id: str
    type: Type
    stem: str
    options: list[str]
    answer: str | list[str]
    explanation: str
    citation: Citation | None
    difficulty: float
    prompts: list[str]
    accepted: list[list[str]]
    points: list[Point]
    slot: Slot
    places: list[tuple[int, int]]
    topics: list[str]


class KeptQuestion(Schema):
    """A question of a bank at one version. `note` says why it stands as it does; `stale` cites what has ended."""

    question_id: str
    version: int
    branch_id: str
    state: State
    note: str
    stale: bool
    added_by: str | None
    added_at: Moment
    changed_at: Moment
    question: Question


class KeptQuestions(Schema):
    """One page of a bank; `total` counts all pages."""

    total: int
    questions: list[KeptQuestion]


class NewQuestions(Schema):
    """Questions for the bank of a branch; all are taken, or none."""

    branch_id: BranchId
    questions: Annotated[list[NewQuestion], Field(max_length=MOST_QUESTIONS)]
    state: Literal[State.CANDIDATE, State.IN_REVIEW] = State.CANDIDATE


class AddedQuestions(Schema):
    """Ids of those taken, in their order; `duplicates` counts those that were there already."""

    question_ids: list[str]
    duplicates: int


class Edit(Schema):
    """The next version of a question, made from the one that was seen; without a citation it keeps its own."""

    question: NewQuestion
    seen_version: Number


class Failure(Schema):
    """A gate that a question does not pass, and why, in Chinese."""

    gate: int
    reason: str


class Edited(Schema):
    """The question as it is now, and the gates that it does not pass."""

    kept: KeptQuestion
    failures: list[Failure]


class Move(Schema):
    """Where a question is to go; out of use needs a reason."""

    state: Literal[State.IN_REVIEW, State.APPROVED, State.RETIRED]
    reason: Annotated[str, Field(max_length=500)] = ""
    seen_version: Number


class QuestionVersion(Schema):
    """A version as it was made."""

    version: int
    question: Question
    made_by: str | None
    name: str
    made_at: Moment


class QuestionReview(Schema):
    """A change of state; nobody made it where a document came to its end."""

    version: int
    state: State
    reason: str
    reviewed_by: str | None
    name: str
    reviewed_at: Moment


class QuestionHistory(Schema):
    """What became of a question, oldest first."""

    versions: list[QuestionVersion]
    reviews: list[QuestionReview]


class Making(Schema):
    """What to make questions from: a document, or some of its clauses, or a search, or a set phrase."""

    document_id: DocumentKey | None = None
    anchors: Several = Field((), description="Clauses of the document, such as art-12; none takes all.")
    query: Said | None = None
    phrase: Said | None = None
    types: tuple[Type, ...] = Field((), max_length=10, description="None takes those that are usual.")
    n: Annotated[int, Field(ge=1, le=100)] = 10
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0


class MadeQuestions(Schema):
    """Questions that passed every gate, and how many fell at which. Nothing is kept."""

    questions: list[Question]
    rejected: dict[str, int]


# -- what exams showed -------------------------------------------------------------------


class GroupResult(Schema):
    """A branch in numbers; `branch_id` null are several together. `mean` is of shares of the points.

    `n` people's first sittings are marked. `not_begun` is known of one's own branches only.
    """

    branch_id: str | None
    n: int
    n_open: int
    n_waiting: int
    mean: float | None
    n_passed: int
    not_begun: int | None


class OptionResult(Schema):
    """How an option drew: how many chose it, and which share of all, of the upper and of the lower group."""

    text: str
    right: bool
    suspected: bool
    n: int
    share: float
    upper: float
    lower: float
    correlation: float | None


class ItemResult(Schema):
    """A question of a form. `discrimination` is its correlation with the score on all others."""

    question_id: str
    type: Type
    stem: str
    n_missing: int
    facility: float
    facility_se: float
    discrimination: float | None
    alpha_without: float | None
    options: list[OptionResult]


class FormStatistics(Schema):
    """The questions of a form; there are none below `fewest` sittings. `n` are looked at, `n_apart` are not."""

    form: int
    n: int
    fewest: int
    n_apart: int
    n_gone: int
    alpha: float | None
    alpha_se: float | None
    questions: list[ItemResult]


class ExamStatistics(Schema):
    """An exam in numbers, of first sittings; `bars` count shares of the points from 0 to 1 in equal steps.

    `forms` are told to who asks questions in the branch that gave it, as far as everyone got the same.
    """

    exam_id: str
    branch_id: str
    title: str
    mode: Mode
    opens_at: Moment
    closes_at: Moment
    pass_share: float
    n_forms: int
    drawn: bool
    whole: bool
    n: int
    n_open: int
    n_waiting: int
    mean: float | None
    median: float | None
    n_passed: int
    n_missing: int
    bars: list[int]
    groups: list[GroupResult]
    left_out: bool
    forms: list[FormStatistics]


class Topic(Schema):
    """A chapter: its clauses, those with an approved question, those that were asked, and how well it went.

    `share` of the points was reached in first sittings by `n_people`; null while they are few.
    """

    heading: str
    anchor: str
    n_clauses: int
    n_covered: int
    n_asked: int
    n_people: int
    share: float | None


class Material(Schema):
    """A document with its chapters."""

    document_id: str
    title: str
    whole: Topic
    topics: list[Topic]


class Coverage(Schema):
    """The material of a branch, by title."""

    documents: list[Material]

"""What HTTP takes and answers about questions, papers, exams and attempts, as schemas."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from api.access_schemas import DERIVED, BranchId, Moment
from api.schemas import Schema
from quiz.attempts import MOST_CHANGES
from quiz.blueprint import MOST_FORMS, MOST_PLACES, MOST_POINTS, Why
from quiz.exam import MOST_ATTEMPTS, MOST_MINUTES, Mode, Phase, Retake, Reveal
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
AttemptState = Literal["open", "submitted", "marked"]

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


# -- exams and sitting them ----------------------------------------------------------------


def _is_utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


At = Annotated[AwareDatetime, AfterValidator(_is_utc)]
"""A time with its zone; the store keeps UTC without saying so."""


class NewExam(Schema):
    """A paper to be given out. `minutes` and `n_attempts` null do not limit; practice is never limited."""

    paper_id: DocumentKey
    title: Annotated[str, AfterValidator(_is_text), Field(min_length=1, max_length=120)]
    mode: Mode
    opens_at: At
    closes_at: At
    minutes: Annotated[int | None, Field(ge=1, le=MOST_MINUTES)] = None
    n_attempts: Annotated[int | None, Field(ge=1, le=MOST_ATTEMPTS)] = None
    retake: Retake = Retake.NEVER
    reveal: Reveal = Reveal.CLOSED
    pass_share: Annotated[float, Field(ge=0, le=1)] = 0.6
    shuffled: bool = True
    audience: Annotated[
        list[Annotated[str, Field(max_length=64, description="own, partners, branch:ID or group:ID.")]],
        Field(min_length=1, max_length=200),
    ]


class ExamId(Schema):
    """The id of an exam that was given out."""

    exam_id: str


class ExamRules(Schema):
    """How an exam is sat; see `NewExam`."""

    title: str
    mode: Mode
    opens_at: Moment
    closes_at: Moment
    minutes: int | None
    n_attempts: int | None
    retake: Retake
    reveal: Reveal
    pass_share: float
    shuffled: bool


class Tried(Schema):
    """One of the asker's attempts. `score`, `most` and `passed` are null until they may be shown and are known."""

    attempt_id: str
    number: int
    state: AttemptState
    began_at: Moment
    due_at: Moment
    submitted_at: Moment | None
    score: float | None
    most: float | None
    passed: bool | None


class Exam(Schema):
    """An exam as the asker has it. `closes_at` is when it was ended, if it was. Who may give it out is told its

    `audience`, and how many attempts are open and over.
    """

    exam_id: str
    paper_id: str
    branch_id: str
    rules: ExamRules
    phase: Phase
    given_at: Moment
    closes_at: Moment
    tried: list[Tried]
    may_begin: bool
    audience: list[str]
    n_open: int
    n_over: int


class Exams(Schema):
    """Exams: those that can be sat first; of a branch, the last given out first."""

    exams: list[Exam]


class ExamPreview(Schema):
    """Who would see an exam, and by branch how many of its `n` questions would not be asked there."""

    branch_ids: list[str]
    group_ids: list[str]
    n: int
    hidden: dict[str, int]


class AttemptId(Schema):
    """The id of an attempt that is open."""

    attempt_id: str


Parts = list[int | str | None]


class Asked(Schema):
    """A question as it is asked. `answer` is what is saved: numbers of options as they are shown here, from 0, or
    texts; `change` that save's number, 0 where there is none.
    """

    position: int
    type: Type
    stem: str
    options: list[str]
    prompts: list[str]
    n_gaps: int
    worth: float
    answer: Parts
    change: int


class Sitting(Schema):
    """An attempt as the person has it before them; once it is over there are no questions: see its result."""

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: AttemptState
    seconds_left: int | None
    n: int
    questions: list[Asked]


class NewAnswer(Schema):
    """What is answered, as it is shown. One choice: at most one number; several: their numbers; an order: numbers

    in that order; pairs: for each prompt a number or null; gaps: for each a text; in words: one text.
    """

    answer: Annotated[
        list[
            Annotated[int, Field(strict=True, ge=0, le=1000)]
            | Annotated[str, AfterValidator(_is_text)]
            | None
        ],
        Field(max_length=100),
    ]
    change: Annotated[
        int, Field(ge=1, le=MOST_CHANGES, description="Grows with each change; a smaller one comes late.")
    ]


class Saved(Schema):
    """What stands saved now. `taken` is false where the same or a later change was there with another answer."""

    change: int
    seconds_left: int | None
    answer: Parts
    taken: bool


class Outcome(Schema):
    """What came of one question. One whose document is no longer seen is "withdrawn": nothing of it is told."""

    position: int
    state: Literal["marked", "to_confirm", "withdrawn"]
    worth: float
    question: Question | None
    given: list[str]
    share: float | None
    proposed: float | None


class Result(Schema):
    """What came of an attempt; before it is `revealed`, at `reveals_at`, neither score nor questions."""

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: AttemptState
    began_at: Moment
    submitted_at: Moment
    revealed: bool
    reveals_at: Moment
    score: float | None
    most: float | None
    pass_share: float
    passed: bool | None
    questions: list[Outcome]


class ToMark(Schema):
    """An answer in words that waits for a person to confirm the share that is proposed."""

    attempt_id: str
    position: int
    question: Question
    given: str
    worth: float
    proposed: float


class ManyToMark(Schema):
    """Answers that wait, those to one question together."""

    waiting: list[ToMark]


class NewMark(Schema):
    """The share of its points that an answer gets."""

    share: Annotated[float, Field(ge=0, le=1)]


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


# -- papers ----------------------------------------------------------------------------


class PaperLine(Schema):
    """`n` questions worth `points` each, of any of the types, topics and slots; none named means all of them."""

    n: Annotated[int, Field(ge=1, le=MOST_PLACES)]
    points: Annotated[float, Field(gt=0, le=MOST_POINTS)] = 1.0
    types: Annotated[tuple[Type, ...], Field(max_length=len(Type))] = ()
    topics: Several = ()
    difficulty: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0.0, 1.0)
    slots: Annotated[tuple[Slot, ...], Field(max_length=len(Slot))] = ()


class PaperBlueprint(Schema):
    """What a paper is to hold; `drawn` ones are put together for each person, others have equivalent forms."""

    lines: Annotated[tuple[PaperLine, ...], Field(min_length=1, max_length=100)]
    n_forms: Annotated[int, Field(ge=1, le=MOST_FORMS)] = 1
    drawn: bool = False


class NewPaper(Schema):
    """A paper solved from a blueprint; or, with `question_ids` instead, one form of these."""

    branch_id: BranchId
    title: Said
    blueprint: PaperBlueprint | None = None
    question_ids: Annotated[tuple[DocumentKey, ...], Field(max_length=MOST_PLACES)] = ()
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1


class PaperShortfall(Schema):
    """Places of a line, from 0, that stay empty over all forms, by reason; `found` questions of the bank fit the line.

    few: there are no more that fit. clause: the forms have asked about their clauses. giveaway: they give each
    other away. taken: other lines need them.
    """

    line: int
    missing: int
    why: dict[Why, int]
    found: int


class PaperPlace(Schema):
    """A place of a form, from 1. `question` is null once its document is not seen any more; `usable` is false also for
    what is out of use or no longer in force."""

    position: int
    line: int
    type: Type
    points: float
    usable: bool
    question_id: str | None
    version: int | None
    question: Question | None = Field(description="With its options in the order of the form.")


class PaperCard(Schema):
    """A paper as it is listed. `given_out` papers are not changed any more but for what is not usable."""

    paper_id: str
    branch_id: str
    title: str
    blueprint: PaperBlueprint
    seed: int
    shortfalls: list[PaperShortfall]
    made_by: str | None
    made_at: Moment
    changed_at: Moment
    given_out: bool


class Paper(PaperCard):
    """A paper with its forms; a drawn one has none."""

    forms: list[list[PaperPlace]]


class Papers(Schema):
    """The papers of a branch, newest first."""

    papers: list[PaperCard]


class Replacement(Schema):
    """Which place gets another question: the given one, else the most alike that keeps the blueprint."""

    form: Annotated[int, Field(ge=1, le=MOST_FORMS)]
    position: Annotated[int, Field(ge=1, le=MOST_PLACES)]
    question_id: Annotated[str, Field(pattern=DERIVED)] | None = None

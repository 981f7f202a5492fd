"""What HTTP takes and answers about cases, as schemas."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from api.access_schemas import DERIVED, BranchId, Ids, Moment
from api.schemas import Hit, Schema
from cases import model, question, voting
from cases.ledger import Side
from cases.outcome import LONGEST_WORD

# -- finding and reading ----------------------------------------------------------------


def _is_text(value: str) -> str:
    value.encode()
    return value


FieldText = Annotated[str, AfterValidator(_is_text), Field(max_length=model.LONGEST[model.Shape.TEXT])]
"""Text of one field of the form; half a character is none."""
CaseKey = Annotated[str, Field(pattern=DERIVED)]


class CaseCard(Schema):
    """A case in a list: `problem` and `outcome` are excerpts, `cost` is in yuan, `branch_id` shared it.

    `why` says what it has in common with what was asked.
    """

    case_id: str
    document_id: str
    branch_id: str | None
    issuer: str
    title: str
    problem: str
    outcome: str
    industry: str | None
    people: int | None
    cost: int | None
    level: model.Level | None
    published_at: Moment
    score: float
    why: list[str]


class CaseCards(Schema):
    """Cases, the nearest first."""

    cases: list[CaseCard]


class FoundCases(CaseCards):
    """One page of cases; `total` counts all pages, `facets` by industry, level, size, cost and branch."""

    total: int
    facets: dict[str, dict[str, int]]


class CaseAttachment(Schema):
    """A file of a case; `caption` says what it shows."""

    attachment_id: str
    name: str
    media_type: str
    n_bytes: int
    caption: str


class PublishedCase(Schema):
    """A published case: its form, field by field; `derived_from` is the case that it was made from, if one sees it."""

    case_id: str
    document_id: str
    branch_id: str | None
    title: str
    body: dict[model.Field, str]
    attachments: list[CaseAttachment]
    published_at: Moment
    derived_from: str | None


class Likeness(Schema):
    """A form as far as it is written, to find cases like it; `without` is the case itself."""

    body: dict[model.Field, FieldText]
    without: CaseKey | None = None
    k: Annotated[int, Field(ge=1, le=20)] = 5


class LikeCases(CaseCards):
    """Cases like what is being written, and passages of laws and policies that it touches."""

    policies: list[Hit]


# -- writing ----------------------------------------------------------------------------


class NewCase(Schema):
    """A case to be begun by a branch, filled in as far as one likes; `derived_from` is a case that one sees."""

    branch_id: BranchId
    body: dict[model.Field, FieldText] = Field(default_factory=dict)
    derived_from: CaseKey | None = None


class CaseBegun(Schema):
    """The case that was begun."""

    case_id: str


class NewText(Schema):
    """What one has of a field. `base` is a revision at which one saw it; what others wrote since is merged in.

    `change_key` names the save: the same again does nothing. Of keys `series.number`, each save of a series holds what
    the one before it held, and one that comes after a later one adds nothing.
    """

    text: Annotated[str, AfterValidator(_is_text), Field(max_length=5 * model.LONGEST[model.Shape.TEXT])]
    base: Annotated[int, Field(ge=0, le=2**31)]
    change_key: Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z_.-]*$")] = ""


class FieldSaved(Schema):
    """What became of a save: the text of the field now. `merged`: it is not just what was sent. `contested`: others
    changed the same sentence or value; of a sentence both versions stand beside each other."""

    revision: int
    text: str
    contested: bool
    merged: bool


class WrittenText(Schema):
    """A field as it stands; `revision` is that of the case when it last changed, by whom and when."""

    text: str
    revision: int
    changed_by: str | None
    by_name: str
    changed_at: Moment


class CaseWriter(Schema):
    """Somebody else who is writing at a field just now."""

    person_id: str
    name: str
    field: model.Field


class CaseForm(Schema):
    """A case that is being written. `note` says why it was returned, if it was; `document_id` is what is published."""

    case_id: str
    branch_id: str
    state: model.State
    revision: int
    note: str
    fields: dict[model.Field, WrittenText]
    submitted_by: str | None
    derived_from: str | None
    document_id: str | None
    writers: list[CaseWriter]


class DraftCard(Schema):
    """A case in the list of those that a branch works on."""

    case_id: str
    branch_id: str
    title: str
    state: model.State
    revision: int
    note: str
    submitted_by: str | None
    changed_by: str | None
    by_name: str
    changed_at: Moment
    document_id: str | None


class DraftCards(Schema):
    """The cases that a branch works on."""

    drafts: list[DraftCard]


class CaseChange(Schema):
    """What one person changed of a field in one go."""

    revision: int
    field: model.Field
    before: str
    after: str
    changed_by: str | None
    by_name: str
    changed_at: Moment


class CaseChanges(Schema):
    """The history of a form."""

    changes: list[CaseChange]


class Returned(Schema):
    """Why a case goes back to its writers."""

    note: Annotated[str, AfterValidator(_is_text), Field(max_length=2000)]


class Approval(Schema):
    """The revision that was read; if the form was changed since, it is not approved."""

    revision: Annotated[int, Field(ge=0, le=2**31)]


class Withdrawal(Schema):
    """Why a case is taken back."""

    reason: Annotated[str, AfterValidator(_is_text), Field(max_length=200)] = ""


class CaseAttachments(Schema):
    """The files of a case."""

    attachments: list[CaseAttachment]


class Caption(Schema):
    """What a file shows."""

    caption: Annotated[str, AfterValidator(_is_text), Field(max_length=200)]


# -- what came of them ------------------------------------------------------------------

Word = Annotated[str, AfterValidator(_is_text), Field(max_length=LONGEST_WORD)]
"""A note, or feedback."""


class NewAdoption(Schema):
    """How far a branch is with a case: `effect` only where it is done, a `note` at least where it does not suit.

    `open` tells it to whoever sees the case; otherwise only the branch itself and those who write the case are told.
    """

    branch_id: BranchId
    progress: model.Progress
    effect: model.Effect | None = None
    note: Word = ""
    open: bool = True


class Adopted(Schema):
    """The adoption that was begun, or moved on."""

    adoption_id: str


class Adoption(Schema):
    """A branch that took a case over; `case_id` is null where one does not see the case any more.

    `ours` says that the asker speaks for the branch.
    """

    adoption_id: str
    case_id: str | None
    branch_id: str
    progress: model.Progress
    effect: model.Effect | None
    note: str
    open: bool
    changed_at: Moment
    ours: bool


class Adoptions(Schema):
    """What a branch took over."""

    adoptions: list[Adoption]


class Taken(Adoptions):
    """Who took a case over, where it worked first, and how many of each; `untold` are done and say no effect."""

    worked: int
    partly: int
    failed: int
    untold: int
    unsuitable: int
    planned: int
    under_way: int


class AdoptionStep(Schema):
    """What was said of an adoption at a time; `changed_by` is told to the branch's own people."""

    progress: model.Progress
    effect: model.Effect | None
    note: str
    changed_by: str | None
    changed_at: Moment


class AdoptionSteps(Schema):
    """The steps of an adoption, first to last."""

    steps: list[AdoptionStep]


class NewFeedback(Schema):
    """What a branch has to say of a case; `open` as in `NewAdoption`."""

    branch_id: BranchId
    text: Word
    open: bool = True


class FeedbackGiven(Schema):
    """The feedback that was taken."""

    feedback_id: str


class Feedback(Schema):
    """What a branch says of a case; `ours` says that the asker speaks for the branch."""

    feedback_id: str
    branch_id: str
    text: str
    open: bool
    given_at: Moment
    ours: bool


class CaseFeedback(Schema):
    """What branches say of a case."""

    feedback: list[Feedback]


class LedgerRow(Schema):
    """A case, and how far `branch_id` is with it, what that branch said of it, and the titles that it wrote after it.

    `side` is shared for cases of one's own, taken for those of others; `case` is null where it is seen no more.
    """

    side: Side
    case: CaseCard | None
    branch_id: str | None
    adoption: Adoption | None
    feedback: list[str]
    derived: list[str]


class Ledger(Schema):
    """What a branch gave and took."""

    rows: list[LedgerRow]


# -- ballots -------------------------------------------------------------------------------


def _is_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("too far off to be told in UTC") from None


At = Annotated[AwareDatetime, AfterValidator(_is_utc)]
"""A time with its zone; the store keeps UTC without saying so."""


class NewBallot(Schema):
    """A vote of branches to be called: each has `n_votes`, and the first `n_models` become model cases."""

    branch_id: BranchId
    title: Annotated[str, AfterValidator(_is_text), Field(min_length=1, max_length=voting.LONGEST_TITLE)]
    opens_at: At
    closes_at: At
    n_votes: Annotated[int, Field(ge=1, le=voting.MOST_VOTES)]
    n_models: Annotated[int, Field(ge=1, le=voting.MOST_MODELS)]
    audience: Annotated[
        list[Annotated[str, Field(max_length=64, description="own, partners, branch:ID or group:ID.")]],
        Field(min_length=1, max_length=200),
    ]


class BallotId(Schema):
    """The id of a ballot that was called."""

    ballot_id: str


class Ballot(Schema):
    """A vote of branches. `ended_at` is when it was closed and counted, null until then."""

    ballot_id: str
    branch_id: str
    title: str
    n_votes: int
    n_models: int
    opens_at: Moment
    closes_at: Moment
    called_at: Moment
    ended_at: Moment | None


class BallotCard(Ballot):
    """A ballot in a list: how many cases one sees in it, and which of one's own branches have voted."""

    phase: voting.Phase
    n_cases: int
    voted: Ids


class BallotCards(Schema):
    """Ballots: what is open, what comes, what is over."""

    ballots: list[BallotCard]


class Nominee(Schema):
    """A case that is up for the vote, and the branch that put it up."""

    case_id: str
    branch_id: str


class Voice(Schema):
    """A branch for which one votes: whether it was called upon, its votes, and for which cases it has none, and why."""

    branch_id: str
    takes_part: bool
    chosen: Ids
    barred: dict[str, voting.Bar]


class BallotWhole(Ballot):
    """A ballot with the cases that one sees in it, and the voices that are one's own."""

    phase: voting.Phase
    nominees: list[Nominee]
    voices: list[Voice]


class Nomination(Schema):
    """The case that is put up for the vote, by its own branch."""

    case_id: CaseKey


class Votes(Schema):
    """The votes of a branch, in place of those before; none takes them back."""

    case_ids: Annotated[list[CaseKey], Field(max_length=voting.MOST_VOTES)]


class Standing(Schema):
    """A case in the count; equal votes have equal ranks."""

    case_id: str
    n_votes: int
    rank: int
    is_model: bool


class BallotResult(Schema):
    """The count of the cases that one sees, best first."""

    standings: list[Standing]


# -- open questions --------------------------------------------------------------------------

Problem = Annotated[str, AfterValidator(_is_text), Field(min_length=1, max_length=question.LONGEST_PROBLEM)]
Said = Annotated[str, AfterValidator(_is_text), Field(max_length=question.LONGEST_TEXT)]
Asked = Annotated[
    list[Annotated[str, Field(max_length=64, description="own, partners, branch:ID or group:ID.")]],
    Field(min_length=1, max_length=200),
]
"""Whom a question is put to; people of the asking branch see it anyhow."""


class QuestionAudience(Schema):
    """Whom a question is put to."""

    audience: Asked


class NewQuestionPreview(QuestionAudience):
    """Whom a branch would put a question to."""

    branch_id: BranchId


class NewCaseQuestion(NewQuestionPreview):
    """A question of a branch to others: has anyone solved this?"""

    problem: Problem
    detail: Said = ""


class CaseQuestionId(Schema):
    """The id of a question that was asked."""

    question_id: str


class QuestionReach(Schema):
    """Who would see a question; `alone` says that nobody but the asking branch would."""

    branch_ids: list[str]
    group_ids: list[str]
    alone: bool


class CaseQuestion(Schema):
    """A question. `settled_by` is the case that solved it, if one sees it; `audience` is told to the asking branch only.

    `answered` says whether a branch of one's own has answered.
    """

    question_id: str
    branch_id: str
    problem: str
    detail: str
    asked_at: Moment
    closed_at: Moment | None
    settled_by: str | None
    n_answers: int
    answered: bool
    audience: list[str]


class CaseQuestions(Schema):
    """Questions; `n_waiting` are those of other branches that one's own has yet to answer."""

    questions: list[CaseQuestion]
    n_waiting: int


class SoughtProblem(Schema):
    """A problem that somebody may have solved."""

    problem: Problem


class KnowingBranch(Schema):
    """A branch with near cases, the liaisons that it named for a partnership, and whom its cases say to ask."""

    branch_id: str
    case_ids: list[str]
    liaisons: list[str]
    contacts: list[str]


class Sought(CaseCards):
    """What there is before one asks: near cases, who may know, and nearly the same questions."""

    people: list[KnowingBranch]
    questions: list[CaseQuestion]


class NewQuestionAnswer(Schema):
    """An answer of a branch: words, a case that it published, or both."""

    branch_id: BranchId
    text: Said = ""
    case_id: CaseKey | None = None


class QuestionAnswerId(Schema):
    """The id of an answer."""

    answer_id: str


class QuestionAnswer(Schema):
    """An answer. `case_id` is told to who sees the case, `asker_sees` (the case) to the branch that answered."""

    answer_id: str
    question_id: str
    branch_id: str
    text: str
    case_id: str | None
    answered_at: Moment
    asker_sees: bool | None


class QuestionAnswers(Schema):
    """The answers to a question, oldest first."""

    answers: list[QuestionAnswer]


class QuestionEnd(Schema):
    """The end of a question: the case that solved it, if one did."""

    settled_by: CaseKey | None = None


class FoundCase(Schema):
    """The case that is just what a branch looked for."""

    branch_id: BranchId
    problem: Problem
    case_id: CaseKey

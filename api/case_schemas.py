"""What HTTP takes and answers about cases, as schemas."""

from typing import Annotated

from pydantic import AfterValidator, Field

from api.access_schemas import DERIVED, Moment
from api.schemas import Hit, Schema
from cases import model

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

"""What HTTP answers under /v1, as schemas: they describe, check and write the JSON of `api.json`."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.errors import PROBLEM
from kb.model import Kind, Validity


class Schema(BaseModel):
    """Base of all: a field that is not described is a bug, not an extra."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Problem(Schema):
    """What went wrong (RFC 9457). `code` is stable; `title` says what was seen, `detail` what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str


_MEANINGS: Mapping[int, str] = {
    400: "What was asked makes no sense.",
    401: "Nobody is signed in, or the token opens nothing.",
    403: "Not allowed to this person, or not from here.",
    404: "Not there, or not seen by this person: which, is not told.",
    409: "It contradicts what is so by now.",
    413: "Larger than the limits in force.",
    415: "No reader takes this format.",
    422: "This document cannot be taken in.",
    429: "Asked too often.",
    503: "The installation needs care.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these problems, besides those that every route may."""
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {s: {"description": _MEANINGS[s], "content": {PROBLEM: reference}} for s in sorted(statuses)}


ANY = (401, 429, 503)
"""Problems that any route may answer: a token that opens nothing, a full bucket, a store out of order."""

CHANGE = (400, 403, 409, 413)
"""Problems that any route that changes something may answer besides: it is checked where it comes from."""

BYTES = {"schema": {"type": "string", "format": "binary"}}
"""A body that is a file."""


class LegScore(Schema):
    """A passage's place in one leg."""

    rank: int
    score: float


class Hit(Schema):
    """A ranked passage. `highlights` are half-open spans of code points in `text`."""

    rank: int
    score: float
    passage_id: str
    document_id: str
    clause_id: str
    anchor: str
    title: str
    path: list[str]
    text: str
    highlights: list[tuple[int, int]]
    source: str
    page: int | None
    kind: Kind
    issuer: str | None
    number: str | None
    year: int | None
    validity: Validity
    effective_on: date | None
    start: int
    end: int
    legs: dict[str, LegScore]
    terms: list[str]


class Answer(Schema):
    """Hits for a query; `facets` maps kind, issuer, year and validity to counts."""

    query: str
    total: int
    took_ms: float
    hits: list[Hit]
    facets: dict[str, dict[str, int]]


class Card(Schema):
    """A document's title block. `branch_id` keeps it; null is the common library."""

    document_id: str
    title: str
    kind: Kind
    issuer: str | None
    number: str | None
    issued_on: date | None
    effective_on: date | None
    ended_on: date | None
    validity: Validity
    source: str
    media_type: str
    n_clauses: int
    branch_id: str | None


class Cards(Schema):
    """Documents."""

    documents: list[Card]


class Page(Schema):
    """One page of documents; `total` counts all pages."""

    total: int
    documents: list[Card]


class Section(Schema):
    """A heading with its span in the text."""

    section_id: str
    parent_id: str | None
    level: int
    label: str
    heading: str
    start: int
    end: int
    path: list[str]


class Part(Schema):
    """A 款, 项 or 目 of a clause."""

    label: str
    depth: int
    start: int
    end: int


class Clause(Schema):
    """The unit that people cite, with its span in the text."""

    clause_id: str
    section_id: str | None
    label: str
    anchor: str
    start: int
    end: int
    path: list[str]
    parts: list[Part]


class Document(Card):
    """A document whole."""

    keywords: list[str]
    abstract: str | None
    doi: str | None
    branch: str | None
    text: str
    sections: list[Section]
    clauses: list[Clause]


class Added(Schema):
    """What became of a source: "added", or "unchanged" if it was there."""

    status: str
    document_id: str
    passages: int


class Status(Schema):
    """How much one sees, and whether the index has come up to it."""

    documents: int
    passages: int
    ready: bool


class DocumentId(Schema):
    """The id of a document that was made."""

    document_id: str = Field(description="16 hexadecimal digits.")

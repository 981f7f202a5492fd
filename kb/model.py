"""The nouns of Gongxue.

Positions are half-open code-point offsets into `Document.text`; for every
section, clause, part and passage `document.text[x.start:x.end]` is its text.
Ids are derived from content, never drawn: the same bytes give the same ids.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

PUBLIC = "public"
"""The audience id that everyone belongs to."""


class Kind(StrEnum):
    """What a document is for its readers."""

    LAW = "law"
    POLICY = "policy"
    ARTICLE = "article"
    CASE = "case"


class Validity(StrEnum):
    """Standing of a document on a given day."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    SUPERSEDED = "superseded"
    REPEALED = "repealed"


class Mode(StrEnum):
    """Which legs answer a query."""

    HYBRID = "hybrid"
    KEYWORD = "keyword"
    VECTOR = "vector"


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes as they were handed in.

    `name` is the file name or relative path the bytes came under; it is shown
    to people and never trusted for content. `media_type` is what the name
    claims; readers check it against the bytes.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes, 64 characters."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """One run of text as a reader found it, in reading order.

    `role` is "heading", "paragraph", "line" (a visual line that reflow may
    join to its neighbours), "list" or "table" (one row, cells joined by tabs).
    `level` is the heading level from 1 where the format states one, else 0.
    `page` counts from 1; `top` and `bottom`, `left` and `right` are fractions
    of the page, 0 at its upper left. Formats without geometry leave them None.
    """

    text: str
    role: str = "paragraph"
    level: int = 0
    page: int | None = None
    left: float | None = None
    top: float | None = None
    right: float | None = None
    bottom: float | None = None
    font_size: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader got out of a source: blocks and what the format itself says.

    `properties` may hold "title", "author", "keywords", "created".
    """

    blocks: tuple[Block, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    n_pages: int = 0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A span of `Flow.text` that a person would call one paragraph or heading."""

    start: int
    end: int
    role: str = "paragraph"
    level: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """Continuous text after reflow.

    Paragraphs are separated by exactly one newline and cover the text but for
    those newlines. `pages` holds (offset, page number), sorted by offset: the
    character at `offset` is the first on that page.
    """

    text: str
    paragraphs: tuple[Paragraph, ...]
    pages: tuple[tuple[int, int], ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Page of the character at `offset`, None where the format has no pages."""
        return page_at(self.pages, offset)


def page_at(pages: Sequence[tuple[int, int]], offset: int) -> int | None:
    """Page on which the character at `offset` stands.

    >>> page_at([(0, 1), (10, 2)], 9), page_at([(0, 1), (10, 2)], 10), page_at([], 3)
    (1, 2, None)
    """
    found = None
    for start, page in pages:
        if start > offset:
            break
        found = page
    return found


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a document besides its text.

    `work` is the same for every version of one text: a later version of a work
    supersedes the earlier ones. `repeals` holds the titles and numbers (folded) that
    the text says are no longer in force once it is. `ended_on` is the first day on which the
    document is no longer in force and `end_reason` says why.
    """

    title: str
    kind: Kind
    issuer: str | None = None
    number: str | None = None
    adopted_on: date | None = None
    issued_on: date | None = None
    effective_on: date | None = None
    ended_on: date | None = None
    end_reason: Validity | None = None
    keywords: tuple[str, ...] = ()
    abstract: str | None = None
    doi: str | None = None
    branch: str | None = None
    work: str = ""
    repeals: tuple[str, ...] = ()

    @property
    def version_on(self) -> date | None:
        """The day that orders versions: effect, else issue, else adoption."""
        return self.effective_on or self.issued_on or self.adopted_on

    @property
    def year(self) -> int | None:
        """Year shown to readers and counted in facets: issue, else effect, else adoption."""
        day = self.issued_on or self.effective_on or self.adopted_on
        return day.year if day else None


def validity(
    effective_on: date | None, ended_on: date | None, end_reason: Validity | None, day: date
) -> Validity:
    """Standing on `day` of a text with these dates; unknown dates do not limit.

    >>> validity(date(2021, 1, 1), None, None, date(2020, 12, 31)).value
    'not_yet'
    >>> validity(None, date(2021, 1, 1), Validity.REPEALED, date(2021, 1, 1)).value
    'repealed'
    """
    if ended_on is not None and day >= ended_on:
        return end_reason or Validity.REPEALED
    if effective_on is not None and day < effective_on:
        return Validity.NOT_YET
    return Validity.IN_FORCE


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what it governs.

    `start:end` is the heading itself; `extent_end` is where the last text
    under it ends. `level` is 1 for the outermost. `path` holds the headings
    above, then its own. The text before the first heading hangs on no section.
    """

    section_id: str
    ordinal: int
    level: int
    label: str
    heading: str
    start: int
    end: int
    extent_end: int
    path: tuple[str, ...]
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph (款), item (项) or sub-item (目) inside a clause."""

    label: str
    depth: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """The text people cite: an article of a law, or the text under one heading.

    Clauses and section headings tile the document. `path` holds the headings
    above and, for a numbered clause, its own label. `anchor` is unique in the
    document and fit for an address. `parts` name every paragraph and item.
    """

    clause_id: str
    ordinal: int
    label: str
    anchor: str
    start: int
    end: int
    path: tuple[str, ...]
    section_id: str | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrievable unit: a span inside one clause."""

    passage_id: str
    clause_id: str
    ordinal: int
    start: int
    end: int
    path: tuple[str, ...]
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One source at one version, read.

    Sections' headings and clauses together cover `text` without gap or overlap.
    """

    document_id: str
    sha256: str
    source: str
    media_type: str
    text: str
    meta: Metadata
    sections: tuple[Section, ...]
    clauses: tuple[Clause, ...]
    passages: tuple[Passage, ...]
    pages: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """A document without its text, for lists. `branch_id` keeps it; None is the common library."""

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
    branch_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage as an index takes it.

    `text` is what is matched: title, headings and the passage run together.
    `key` is the passage id as a number, the same in every process and engine.
    """

    passage_id: str
    document_id: str
    text: str
    kind: Kind
    issuer: str | None
    year: int | None
    effective_on: date | None
    ended_on: date | None
    end_reason: Validity | None
    audiences: frozenset[str]

    @property
    def key(self) -> int:
        """`passage_id` read as a hexadecimal number, below 2**63."""
        return int(self.passage_id, 16)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which passages a query may see, as data that any engine can apply.

    `scope` is required: the audience ids of the principal; a passage is seen
    if one of its audiences is among them, so an empty scope sees nothing.
    Empty sets elsewhere do not limit. `day` is the day on which validity is
    judged. `validity` names the standings wanted on that day. `without` names
    documents that are gone from the catalog though an engine may still hold them.
    """

    scope: frozenset[str]
    day: date
    validity: frozenset[Validity] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    issuers: frozenset[str] = frozenset()
    years: frozenset[int] = frozenset()
    documents: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def admits(
        self, document_id: str, kind: Kind, issuer: str | None, year: int | None, standing: Validity
    ) -> bool:
        """Whether a document with these facts passes everything but the scope."""
        return (
            (not self.validity or standing in self.validity)
            and (not self.kinds or kind in self.kinds)
            and (not self.issuers or issuer in self.issuers)
            and (not self.years or year in self.years)
            and (not self.documents or document_id in self.documents)
            and document_id not in self.without
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asks, and under which scope.

    `as_of` asks for the texts in force on that day. Without it the answer is
    as of `day` and leaves out versions that a newer one has superseded, unless
    `validity` asks for them. `k` is how many hits from `offset` on.
    """

    text: str
    scope: frozenset[str]
    k: int = 10
    offset: int = 0
    mode: Mode = Mode.HYBRID
    as_of: date | None = None
    validity: frozenset[Validity] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    issuers: frozenset[str] = frozenset()
    years: frozenset[int] = frozenset()
    documents: frozenset[str] = frozenset()
    explain: bool = False


@dataclass(frozen=True, slots=True)
class LegScore:
    """A passage's place in one leg: rank from 1 and the raw score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage with all that is needed to show and cite it.

    `highlights` are spans within `text`. `legs` has an entry for each leg that
    found the passage, and "target" where the query named it. `terms` are the
    query's tokens found here; filled when the query asks to explain.
    """

    rank: int
    score: float
    passage_id: str
    document_id: str
    clause_id: str
    anchor: str
    title: str
    path: tuple[str, ...]
    text: str
    highlights: tuple[tuple[int, int], ...]
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
    legs: Mapping[str, LegScore] = field(default_factory=dict)
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits for a query, with counts over all passages retrieved for it.

    `total` counts those passages, at most twice the depth of a leg. `facets`
    maps kind, issuer, year and validity to value counts, largest first.
    """

    query: str
    total: int
    took_ms: float
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Change:
    """The latest thing that happened to a document: it was put, or removed."""

    seq: int
    document_id: str
    removed: bool


def derive_id(*parts: str) -> str:
    """A 16-digit hexadecimal id from the parts, below 2**63 when read as a number.

    >>> derive_id("a", "b") == derive_id("a", "b"), derive_id("ab") == derive_id("a", "b")
    (True, False)
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{int.from_bytes(digest[:8]) >> 1:016x}"

"""What the pages of questions show: which were asked for, and the clause that proves one, marked."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.datastructures import QueryParams

from access.principal import Principal
from api.document_view import in_force
from api.excerpts import Spans, mark, merge
from api.services import Services
from kb.errors import NotFound
from kb.model import Clause, Document, DocumentCard
from quiz.model import Citation, Question, State, Type

LONG = 1200
"""Code points from which a clause is shown only around its quotation."""
AROUND = 2
"""Paragraphs shown before and after the quotation of a long clause."""
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which questions of a bank are asked for, as an address states it; empty fields do not limit."""

    branch: str = ""
    states: tuple[State, ...] = ()
    types: tuple[Type, ...] = ()
    document: str = ""
    topic: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def read(cls, params: QueryParams) -> "Chosen":
        """What an address asks for; values that are none are passed over.

        >>> Chosen.read(QueryParams("state=approved&state=x&page=0")).states
        (<State.APPROVED: 'approved'>,)
        """
        page = params.get("page", "1")
        return cls(
            params.get("branch", "").strip(),
            tuple(State(s) for s in dict.fromkeys(params.getlist("state")) if s in set(State)),
            tuple(Type(t) for t in dict.fromkeys(params.getlist("type")) if t in set(Type)),
            params.get("document", "").strip(),
            params.get("topic", "").strip()[:MAX_TEXT],
            params.get("text", "").strip()[:MAX_TEXT],
            max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def address(self, path: str = "/manage/questions", **more: Any) -> str:
        """The address of a page that shows these, with more in it."""
        named = {
            "branch": self.branch,
            "state": self.states,
            "type": self.types,
            "document": self.document,
            "topic": self.topic,
            "text": self.text,
            "page": self.page if self.page > 1 else "",
            **more,
        }
        query = urlencode({k: v for k, v in named.items() if v or v == 0}, doseq=True)
        return f"{path}?{query}" if query else path

    def of(self, *states: State) -> "Chosen":
        """The same in these states alone, from the first page on."""
        return replace(self, states=states, page=1)

    def in_branch(self, branch_id: str) -> "Chosen":
        """The same of the bank that is shown."""
        return replace(self, branch=branch_id)

    def at_page(self, page: int) -> "Chosen":
        """Another page of the same."""
        return replace(self, page=page)

    @property
    def limits(self) -> dict[str, Any]:
        """What `Bank.questions` takes."""
        return {
            "states": self.states,
            "types": self.types,
            "document_id": self.document or None,
            "topic": self.topic or None,
            "text": self.text or None,
        }

    @property
    def narrows(self) -> bool:
        """Whether it asks for less than a whole bank."""
        return bool(self.states or self.types or self.document or self.topic or self.text)


@dataclass(frozen=True, slots=True)
class Proof:
    """The clause behind a question: its paragraphs with the quotation and what is asked for marked.

    `cut` says whether paragraphs of a long clause were left out. `newer` is the version in force, if that is another.
    """

    card: DocumentCard
    path: tuple[str, ...]
    href: str
    paragraphs: tuple[Markup, ...]
    cut: bool
    newer: DocumentCard | None


def proof(services: Services, by: Principal, question: Question) -> Proof | None:
    """The clause that the question cites; None where it cites none.

    Raises:
        NotFound: the document is not in the asker's scope.
    """
    cited = question.citation
    if cited is None:
        return None
    document = services.document(cited.document_id, by.scope)
    versions = services.versions(cited.document_id, by.scope)
    card = next(c for c in versions if c.document_id == cited.document_id)
    clause = _clause(document, cited)
    start, end = (clause.start, clause.end) if clause else (cited.start, cited.end)
    paragraphs, cut = _paragraphs(document.text, start, end, cited, question.places)
    return Proof(card, cited.path, clause_href(cited), paragraphs, cut, in_force(versions, cited.document_id))


def clause_href(cited: Citation) -> str:
    """Where the document's page shows the clause."""
    return f"/documents/{quote(cited.document_id, safe='')}#{quote(cited.anchor, safe='-')}"


def _clause(document: Document, cited: Citation) -> Clause | None:
    by_id = next((c for c in document.clauses if c.clause_id == cited.clause_id), None)
    return by_id or next((c for c in document.clauses if c.start <= cited.start < c.end), None)


def _paragraphs(
    text: str, start: int, end: int, cited: Citation, places: Spans
) -> tuple[tuple[Markup, ...], bool]:
    """Paragraphs between start and end with their marks, and whether some were left out."""
    lines, at = [], start
    for line in text[start:end].split("\n"):
        if line.strip():
            lines.append((at, at + len(line)))
        at += len(line) + 1
    touched = [n for n, (left, right) in enumerate(lines) if left < cited.end and cited.start < right]
    shown = lines
    if end - start > LONG and touched:
        shown = lines[max(touched[0] - AROUND, 0) : touched[-1] + AROUND + 1]
    return tuple(marked(text, s, e, cited, places) for s, e in shown), len(shown) < len(lines)


def marked(text: str, start: int, end: int, cited: Citation, places: Spans) -> Markup:
    """`text[start:end]` with the quotation as `<mark>` and what is asked for as `.asked` inside it.

    >>> cited = Citation("d", "题", (), "应当三日内", 1, 6, "c", "a")
    >>> str(marked("他应当三日内办", 0, 7, cited, [(3, 5)]))
    '他<mark>应当<strong class="asked">三日</strong>内</mark>办'
    """
    left, right = max(cited.start, start), min(cited.end, end)
    if left >= right:
        return mark(text, (), start, end)
    pieces, at = [], left
    for first, last in merge(((max(s, left), min(e, right)) for s, e in places), len(text)):
        pieces += [mark(text, (), at, first), Markup('<strong class="asked">%s</strong>') % text[first:last]]
        at = last
    inner = Markup("").join([*pieces, mark(text, (), at, right)])
    return Markup("%s<mark>%s</mark>%s") % (mark(text, (), start, left), inner, mark(text, (), right, end))


def excerpted(question: Question) -> Markup | None:
    """The quotation alone, with what is asked for marked; None where there is none."""
    cited = question.citation
    if cited is None:
        return None
    at = [(s - cited.start, e - cited.start) for s, e in question.places]
    whole = replace(cited, start=0, end=len(cited.quote))
    return marked(cited.quote, 0, len(cited.quote), whole, at)


def card_of(services: Services, by: Principal, document_id: str) -> DocumentCard | None:
    """The document that a list is narrowed to; None where there is none in scope."""
    try:
        return services.card(document_id, by.scope) if document_id else None
    except NotFound:
        return None

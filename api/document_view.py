"""What the document page shows: tiles in reading order, outline, hits to step through."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from markupsafe import Markup

from api.address import PAGE_SIZE, State
from api.excerpts import Spans, mark, merge
from api.views import hit_address, squeeze
from kb.model import Answer, Clause, Document, DocumentCard, Hit, Section, Validity, page_at
from search.engine import DEPTH_ALONE as DEPTH

PART_LETTERS = ("k", "x", "m")
"""款, 项, 目 in the address of a part: `anchor-k2-x1-m3`."""
HITS_AROUND = 20
"""How many hits of the answer are known to the document page, the current one among them."""
TITLE_LINES = 8
"""How far into the text its title is looked for."""

HitMark = Literal["", "current", "also"]


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph of the text. `again` says that it only repeats the title."""

    html: Markup
    anchor: str = ""
    depth: int = 0
    page: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Consecutive lines whose cells are parted by tabs."""

    rows: tuple[tuple[Markup, ...], ...]
    page: int | None = None

    @property
    def n_columns(self) -> int:
        """Cells in the longest row; shorter ones are filled up."""
        return max(map(len, self.rows))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` is that of its element, from 2 as in h2."""

    anchor: str
    level: int
    html: Markup
    page: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A clause. `run_in` is a heading that stands on the clause's own first line."""

    anchor: str
    label: str
    blocks: tuple[Line | Table, ...]
    hit: HitMark = ""
    run_in: Heading | None = None


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A line of the outline; `depth` counts from 1."""

    anchor: str
    text: str
    depth: int


@dataclass(frozen=True, slots=True)
class HitBar:
    """The answer's hits as seen from a document."""

    rank: int | None
    total: int
    previous: tuple[str, str] | None
    next: tuple[str, str] | None
    back: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document laid out."""

    tiles: tuple[Heading | Tile, ...]
    outline: tuple[OutlineEntry, ...]


def section_anchor(section: Section) -> str:
    """The id of a heading; clauses bring their own."""
    return f"s{section.ordinal}"


def lay_out(document: Document, hits: Sequence[Hit], current_id: str = "") -> DocumentView:
    """Tiles and outline of a document, with the clauses of `hits` marked.

    A hit whose text is no longer what stands at its place is not marked.
    """
    hits = [hit for hit in hits if document.text[hit.start : hit.end] == hit.text]
    marked: dict[str, HitMark] = {hit.clause_id: "also" for hit in hits}
    marked |= {hit.clause_id: "current" for hit in hits if hit.passage_id == current_id}
    spans = merge(
        ((hit.start + s, hit.start + e) for hit in hits for s, e in hit.highlights), len(document.text)
    )

    title = _title_span(document)
    own = [section for section in document.sections if not _inside(section.start, title)]
    base = min((section.level for section in own), default=1)
    tiles: list[Heading | Tile] = []
    pieces: list[Section | Clause] = [*document.sections, *document.clauses]
    pieces.sort(key=lambda each: (each.start, each.end))
    run_in: Heading | None = None
    for piece in pieces:
        if isinstance(piece, Section):
            level = min(max(piece.level - base, 0) + 2, 6)
            heading = _heading(document, piece, level, again=_inside(piece.start, title))
            run_in = heading if _runs_in(document.text, piece.end) else None
            tiles += [] if run_in else [heading]
            continue
        tile = _clause(document, piece, spans, marked.get(piece.clause_id, ""), title)
        tiles.append(replace(tile, run_in=run_in))
        run_in = None
    tiles += [run_in] if run_in else []
    return DocumentView(tuple(tiles), _outline(own, base, document.clauses))


def _title_span(document: Document) -> tuple[int, int]:
    """Where the text says its title, over one or more whole lines near its beginning; else (0, 0)."""
    title, text = squeeze(document.meta.title), document.text
    lines = list(islice(_lines(text, 0, len(text)), TITLE_LINES))
    for i, (start, _) in enumerate(lines):
        read = ""
        for left, right in lines[i:]:
            read += squeeze(text[left:right])
            if read == title:
                return start, right
            if not title.startswith(read):
                break
    return 0, 0


def _inside(at: int, span: tuple[int, int]) -> bool:
    return span[0] <= at < span[1]


def _runs_in(text: str, end: int) -> bool:
    """Whether what follows a heading stands on the heading's own line."""
    return end < len(text) and "\n" not in text[end - 1 : end + 1]


def _outline(own: Sequence[Section], base: int, clauses: Sequence[Clause]) -> tuple[OutlineEntry, ...]:
    if own:
        return tuple(OutlineEntry(section_anchor(s), s.heading, min(s.level - base + 1, 4)) for s in own)
    labelled = [clause for clause in clauses if clause.label]
    return tuple(OutlineEntry(c.anchor, c.label, 1) for c in labelled) if len(labelled) > 2 else ()


def _heading(document: Document, section: Section, level: int, *, again: bool) -> Heading:
    html = mark(document.text[section.start : section.end].strip(), ())
    page = _page_begun(document, section.start, section.end)
    return Heading(section_anchor(section), level, html, page, again)


def _clause(document: Document, clause: Clause, spans: Spans, hit: HitMark, title: tuple[int, int]) -> Tile:
    spans = [(s, e) for s, e in spans if s < clause.end and e > clause.start] if hit else []
    inner = _part_anchors(clause)
    blocks: list[Line | Table] = []
    labelled = False
    for start, end in _lines(document.text, clause.start, clause.end):
        page = _page_begun(document, start, end)
        text = document.text[start:end]
        if "\t" in text.strip():
            _add_row(blocks, tuple(_cells(document.text, start, end, spans)), page)
            continue
        parts = [each for each in inner if start <= each[0] < end]
        anchor, depth = (parts[0][1], parts[0][2]) if parts else ("", 0)
        lead = Markup("")
        if not labelled and clause.label and text.startswith(clause.label):
            labelled = True
            label = mark(document.text, spans, start, start + len(clause.label))
            lead = Markup('<a class="label" href="#%s">%s</a>') % (clause.anchor, label)
            start += len(clause.label)
        body = lead + _with_anchors(document.text, start, end, spans, parts[1:])
        blocks.append(Line(body, anchor, depth, page, again=_inside(start, title) and not hit))
    return Tile(clause.anchor, clause.label, tuple(blocks), hit)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the lines that hold more than white space, without leading or trailing spaces; tabs stay."""
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        line = text[start:stop]
        if line.strip():
            left = start + len(line) - len(line.lstrip(" \u3000"))
            yield left, start + len(line.rstrip(" \u3000\r"))
        start = stop + 1


def _cells(text: str, start: int, end: int, spans: Spans) -> Iterator[Markup]:
    for cell in text[start:end].split("\t"):
        yield mark(text, spans, start, start + len(cell))
        start += len(cell) + 1


def _add_row(blocks: list[Line | Table], row: tuple[Markup, ...], page: int | None) -> None:
    if blocks and isinstance(blocks[-1], Table):
        blocks[-1] = Table((*blocks[-1].rows, row), blocks[-1].page)
    else:
        blocks.append(Table((row,), page))


def _with_anchors(
    text: str, start: int, end: int, spans: Spans, parts: Iterable[tuple[int, str, int]]
) -> Markup:
    """Marked text with an empty element where each part begins."""
    pieces, at = [], start
    for offset, anchor, _ in parts:
        offset = max(offset, at)
        pieces += [mark(text, spans, at, offset), Markup('<span id="%s"></span>') % anchor]
        at = offset
    return Markup("").join([*pieces, mark(text, spans, at, end)])


def _part_anchors(clause: Clause) -> list[tuple[int, str, int]]:
    """(start, id, how many parts it stands in) of every part, in reading order.

    Parts are counted within the part above them: the first 项 of the second 款
    is `-k2-x1`; one that stands under no 款 is `-x1`.
    """
    found, path = [], list[tuple[int, int]]()
    for part in sorted(clause.parts, key=lambda each: (each.start, each.depth)):
        count = next((n for depth, n in path if depth == part.depth), 0) + 1
        path = [step for step in path if step[0] < part.depth] + [(part.depth, count)]
        found.append(
            (part.start, clause.anchor + "".join(f"-{_letter(d)}{n}" for d, n in path), len(path) - 1)
        )
    return found


def _letter(depth: int) -> str:
    return PART_LETTERS[min(depth, len(PART_LETTERS) - 1)]


def _page_begun(document: Document, start: int, end: int) -> int | None:
    """The page that begins within this span, if one does."""
    page = page_at(document.pages, max(end - 1, start))
    if page is None or (start and page == page_at(document.pages, start - 1)):
        return None
    return page


def hit_bar(state: State, document_id: str, answer: Answer, current_id: str) -> HitBar:
    """Links to the hits before and after the current one, wherever they stand.

    Without a current hit among them, the next one is the first in this document.
    """
    hits = answer.hits
    at = next((i for i, hit in enumerate(hits) if hit.passage_id == current_id), None)
    here = next((i for i, hit in enumerate(hits) if hit.document_id == document_id), None)
    before = hits[at - 1] if at else None
    after = hits[at + 1] if at is not None and at + 1 < len(hits) else None
    if at is None and here is not None:
        after = hits[here]
    rank = hits[at].rank if at is not None else None
    page = (rank - 1) // PAGE_SIZE + 1 if rank else state.page
    fragment = f"hit-{current_id}" if rank else ""
    back = state.with_page(page).address(fragment=fragment)
    return HitBar(rank, answer.total, _step(state, before), _step(state, after), back)


def _step(state: State, hit: Hit | None) -> tuple[str, str] | None:
    if hit is None:
        return None
    return hit_address(state, hit), " ".join([hit.title, *hit.path[-1:]])


def window(state: State) -> tuple[int, int]:
    """(offset, k) that the document page asks for, with the state's page well inside.

    It reaches no deeper than the result page's own retrieval, so that both see one ranking.
    """
    offset = max(0, (state.page - 1) * PAGE_SIZE - (HITS_AROUND - PAGE_SIZE) // 2)
    return offset, min(HITS_AROUND, max(DEPTH, state.page * PAGE_SIZE) - offset)


def in_force(versions: Sequence[DocumentCard], document_id: str) -> DocumentCard | None:
    """The other version that is in force, newest first."""
    others = (card for card in versions if card.document_id != document_id)
    return next((card for card in others if card.validity is Validity.IN_FORCE), None)


def facts(document: Document) -> Mapping[str, str]:
    """What the title block says in words, without the dates."""
    meta = document.meta
    named = {"文号": meta.number, "发布机关": meta.issuer, "DOI": meta.doi}
    return {name: value for name, value in named.items() if value}


def tells_abstract(document: Document) -> bool:
    """Whether the abstract can be read in the text itself."""
    return bool(document.meta.abstract) and squeeze(document.meta.abstract or "") in squeeze(document.text)

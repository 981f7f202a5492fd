"""Characters on a page to lines in reading order, across columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from ingest.characters import is_cjk

CELL_GAP = "\t"
"""Stands in the text of a line for a gap as wide as that between cells of a table."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character and its box, in points from the upper left; `size` is its font size."""

    char: str
    left: float
    top: float
    right: float
    bottom: float
    size: float


@dataclass(slots=True)
class Line:
    """A run of text at one height; `text` has spaces where there are gaps."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float


def lines_of(glyphs: Sequence[Glyph], width: float) -> list[Line]:
    """Lines in reading order; columns are read one after the other."""
    runs = [run for run in map(_trim, _runs(glyphs)) if run]
    boxes = [_box(run) for run in runs]
    order: list[Line] = []
    for band in _bands(boxes, width):
        order.extend(_merge([runs[i] for i in band]))
    return order


def _trim(run: list[Glyph]) -> list[Glyph]:
    """The run without spaces at its ends."""
    while run and run[-1].char.isspace():
        run.pop()
    while run and run[0].char.isspace():
        run.pop(0)
    return run


def _runs(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Glyphs that follow each other at one height without a wide gap."""
    run: list[Glyph] = []
    for glyph in glyphs:
        if run and not _follows(run[-1], glyph):
            yield run
            run = []
        run.append(glyph)
    if run:
        yield run


def _follows(a: Glyph, b: Glyph) -> bool:
    size = max(a.size, b.size, 1.0)
    overlap = min(a.bottom, b.bottom) - max(a.top, b.top)
    if overlap < 0.5 * min(a.bottom - a.top, b.bottom - b.top):
        return False
    return -0.6 * size < b.left - a.right < 1.6 * size


def _box(run: Sequence[Glyph]) -> Line:
    return Line(
        "",
        min(g.left for g in run),
        min(g.top for g in run),
        max(g.right for g in run),
        max(g.bottom for g in run),
        median(g.size for g in run),
    )


def _bands(boxes: Sequence[Line], width: float) -> Iterator[list[int]]:
    """Indices of runs that are read together: full-width bands and the columns between them."""
    gutter = _gutter(boxes, width)
    order = sorted(range(len(boxes)), key=lambda i: (boxes[i].top + boxes[i].bottom, boxes[i].left))
    if gutter is None:
        if order:
            yield order
        return
    crossing = [box for box in boxes if box.left < gutter[1] - 3 and box.right > gutter[0] + 3]
    left: list[int] = []
    right: list[int] = []
    full: list[int] = []
    for i in order:
        if any(_same_row(boxes[i], box) for box in crossing):
            yield from (band for band in (left, right) if band)
            left, right = [], []
            full.append(i)
            continue
        if full:
            yield full
            full = []
        (left if boxes[i].right <= gutter[0] + 3 else right).append(i)
    yield from (band for band in (full, left, right) if band)


def _same_row(a: Line, b: Line) -> bool:
    overlap = min(a.bottom, b.bottom) - max(a.top, b.top)
    return overlap > 0.5 * min(a.bottom - a.top, b.bottom - b.top)


def _gutter(boxes: Sequence[Line], width: float) -> tuple[float, float] | None:
    """Edges of the white strip between two columns of text, None for one column.

    Both sides must hold several runs that fill a column, which make up most of
    the side, and no more than a third of the runs may cross the strip.
    """
    if len(boxes) < 10:
        return None
    middle = width / 2
    xs = sorted((width * step / 200 for step in range(70, 131)), key=lambda x: abs(x - middle))
    x = min(xs, key=lambda x: sum(box.left < x < box.right for box in boxes))
    left = [box for box in boxes if box.right <= x]
    right = [box for box in boxes if box.left >= x]
    if len(boxes) - len(left) - len(right) > len(boxes) * 0.35:
        return None
    wide = [[box for box in side if box.right - box.left > width * 0.22] for side in (left, right)]
    for side, filling in zip((left, right), wide, strict=True):
        if len(filling) < 3 or _extent(filling) < 0.5 * _extent(side):
            return None
    edges = median(box.right for box in wide[0]), median(box.left for box in wide[1])
    inner = max((box.right for box in wide[0] if box.right <= edges[0] + width * 0.03), default=edges[0])
    outer = min((box.left for box in wide[1] if box.left >= edges[1] - width * 0.05), default=edges[1])
    return (inner, outer) if inner < outer else (x, x)


def _extent(boxes: Sequence[Line]) -> float:
    return sum(box.right - box.left for box in boxes)


def _merge(runs: Sequence[list[Glyph]]) -> Iterator[Line]:
    """Lines of runs that stand at one height, from the top down."""
    rows: list[list[list[Glyph]]] = []
    for run in sorted(runs, key=lambda r: (_middle(r), r[0].left)):
        last = rows[-1] if rows else None
        if last and _middle(run) - _middle(last[0]) < 0.4 * min(run[0].size, last[0][0].size):
            last.append(run)
        else:
            rows.append([run])
    for row in rows:
        glyphs = (
            sorted((glyph for run in row for glyph in run), key=lambda g: g.left) if len(row) > 1 else row[0]
        )
        line = _box(glyphs)
        line.text = _text(glyphs)
        if line.text.strip():
            yield line


def _middle(run: Sequence[Glyph]) -> float:
    return median((g.top + g.bottom) / 2 for g in run)


def _text(glyphs: Sequence[Glyph]) -> str:
    out = ""
    last: Glyph | None = None
    spaced: Glyph | None = None
    for glyph in glyphs:
        if glyph.char.isspace():
            spaced = spaced or glyph
            continue
        if last is not None:
            gap = glyph.left - last.right
            wide = 0.9 if is_cjk(last.char) or is_cjk(glyph.char) else 0.2
            size = max(glyph.size, last.size)
            out += CELL_GAP if gap > 1.5 * size else " " if spaced or gap > wide * size else ""
            spaced = None
        out += glyph.char
        last = glyph
    return out.strip()

"""Lines to paragraphs.

Two kinds of lines come in: visual lines with their place on a page, and lines
of plain text. For either, `is_continued` questions become one list of groups.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ingest.characters import ends_sentence, starts_paragraph
from kb.model import Block

MIN_WRAP_COLUMNS = 40
MAX_WRAP_COLUMNS = 160
"""Plain text wrapped by hand is between these many columns wide; an ideograph is two."""

SIZE_STEP = 1.08
"""Ratio of font sizes from which two lines are of different kind."""


def group_plain(lines: Sequence[Block]) -> list[list[Block]]:
    """Paragraphs of lines without geometry; lines without text separate them.

    Lines are joined only where the text is seen to be wrapped at a width, or
    goes on in mid sentence there.
    """
    width = _wrap_width(lines)
    groups: list[list[Block]] = []
    previous: Block | None = None
    for line in lines:
        if line.text.strip() and previous is not None and _goes_on(previous, line, width):
            groups[-1].append(line)
        elif line.text.strip():
            groups.append([line])
        previous = line if line.text.strip() else None
    return groups


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def _wrap_width(lines: Sequence[Block]) -> int:
    """Columns at which the text is wrapped, 0 where it is not."""
    inner = [
        _columns(a.text)
        for a, b in pairwise(lines)
        if a.text and b.text and not ends_sentence(a.text.rstrip())
    ]
    if len(inner) < 2:
        return 0
    width = max(inner)
    full = [n for n in inner if n >= width * 0.85]
    wrapped = (
        MIN_WRAP_COLUMNS <= width <= MAX_WRAP_COLUMNS and len(full) >= 2 and len(full) >= len(inner) * 0.5
    )
    return width if wrapped else 0


def _goes_on(before: Block, after: Block, width: int) -> bool:
    """The line is full, or ends in a comma, and the next one is neither indented nor marked as new."""
    first = after.text.lstrip()
    word = re.match(r"[A-Za-z0-9]+|.", first)
    pending = before.text.rstrip()[-1:] in "，、" and _columns(before.text) <= MAX_WRAP_COLUMNS
    taken = _columns(before.text.rstrip()) + _columns(word[0] if word else "")
    if not pending and (not width or taken + 4 <= width):
        return False
    indent, indent_before = (_columns(x.text) - _columns(x.text.lstrip()) for x in (after, before))
    if indent > indent_before or (indent >= 2 and indent == indent_before and ends_sentence(before.text)):
        return False
    return not starts_paragraph(first)


@dataclass(slots=True)
class Column:
    """A run of lines down one column of one page, and its edges."""

    lines: list[Block] = field(default_factory=list)
    left: float = 0.0
    right: float = 1.0


def group_visual(lines: Sequence[Block]) -> list[list[Block]]:
    """Paragraphs of lines with geometry, in the order given."""
    columns = _columns_of(lines)
    step, body = _line_step(columns), body_size(lines)
    indented = _uses_indent(columns)
    groups: list[list[Block]] = []
    last: tuple[Block, Column] | None = None
    for column in columns:
        for line in column.lines:
            if last and _continues(*last, line, column, groups[-1], step=step, body=body, indented=indented):
                groups[-1].append(line)
            else:
                groups.append([line])
            last = (line, column)
    return groups


def em(line: Block) -> float:
    """Width of an ideograph of the line, as a fraction of the page width, from its own extent."""
    n_columns = max(1, _columns(line.text))
    return max(1e-3, 2 * (_right(line) - _left(line)) / n_columns)


def _left(line: Block) -> float:
    return line.left or 0.0


def _right(line: Block) -> float:
    return line.right or 0.0


def _top(line: Block) -> float:
    return line.top or 0.0


def _bottom(line: Block) -> float:
    return line.bottom or 0.0


def _columns_of(lines: Sequence[Block]) -> list[Column]:
    """Cut where the page changes or the eye goes up, then settle the edges."""
    columns: list[Column] = []
    for line in lines:
        last = columns[-1].lines[-1] if columns else None
        back = last is not None and _left(line) < min(map(_left, columns[-1].lines)) - 0.2
        if last is None or last.page != line.page or _top(line) < _top(last) - 1e-3 or back:
            columns.append(Column())
        columns[-1].lines.append(line)
    columns = [
        part for i, column in enumerate(columns) for part in _below_full_width(column, columns[i + 1 : i + 2])
    ]
    _settle_edges(columns)
    return columns


def _below_full_width(column: Column, following: Sequence[Column]) -> list[Column]:
    """A first column apart from the full-width lines above it, seen from the second one beside it."""
    if not following or following[0].lines[0].page != column.lines[0].page:
        return [column]
    beside = min(map(_left, following[0].lines))
    n_full = max((i + 1 for i, line in enumerate(column.lines) if _right(line) > beside), default=0)
    if beside < 0.3 or not 0 < n_full < len(column.lines):
        return [column]
    return [Column(column.lines[:n_full]), Column(column.lines[n_full:])]


def _settle_edges(columns: Sequence[Column]) -> None:
    """Columns at the same place of different pages share their edges."""
    places: list[tuple[float, float, list[Column]]] = []
    for column in sorted(columns, key=lambda c: -len(c.lines)):
        left, right = min(map(_left, column.lines)), max(map(_right, column.lines))
        for other_left, other_right, alike in places:
            few = len(column.lines) < 4 and right < other_right + 0.06
            if abs(left - other_left) < 0.06 and (few or abs(right - other_right) < 0.06):
                alike.append(column)
                break
        else:
            places.append((left, right, [column]))
    for _, _, alike in places:
        edges = _edges([line for column in alike for line in column.lines])
        for column in alike:
            column.left, column.right = edges


def _edges(lines: Sequence[Block]) -> tuple[float, float]:
    """Left and right edge that several lines of body text reach."""
    body = body_size(lines)
    text = [x for x in lines if is_size(x, body)] or list(lines)
    more = max(2, len(text) // 12) - 1
    lefts, rights = sorted(map(_left, text)), sorted(map(_right, text), reverse=True)
    left = next((a for a, b in zip(lefts, lefts[more:], strict=False) if b - a < 0.008), lefts[0])
    right = next((a for a, b in zip(rights, rights[more:], strict=False) if a - b < 0.02), rights[0])
    return left, right


def body_size(lines: Sequence[Block]) -> float:
    """Font size that most characters have, 0 where no size is known."""
    sizes: Counter[float] = Counter()
    for line in lines:
        if line.font_size:
            sizes[round(line.font_size * 2) / 2] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0


def is_size(line: Block, size: float) -> bool:
    """The line is set in this font size, or either is unknown."""
    if not line.font_size or not size:
        return True
    ratio = line.font_size / size
    return 1 / SIZE_STEP < ratio < SIZE_STEP


def _line_step(columns: Sequence[Column]) -> float:
    steps = [_top(b) - _top(a) for c in columns for a, b in pairwise(c.lines) if is_size(a, b.font_size or 0)]
    return median(steps) if steps else 0.0


def _is_indented(line: Block, column: Column) -> bool:
    return 1.2 * em(line) < _left(line) - column.left < 4.5 * em(line)


def _uses_indent(columns: Sequence[Column]) -> bool:
    """First lines are set in: many lines are, and others are flush left."""
    n = sum(len(c.lines) for c in columns)
    n_indented = sum(_is_indented(line, c) for c in columns for line in c.lines)
    return 2 <= n_indented <= n * 0.75 and n_indented >= n * 0.08


def _continues(
    before: Block,
    at: Column,
    after: Block,
    column: Column,
    group: Sequence[Block],
    *,
    step: float,
    body: float,
    indented: bool,
) -> bool:
    """`after` belongs to the paragraph that `before` ends so far."""
    if not is_size(after, before.font_size or 0) or is_row(before) or is_row(after):
        return False
    same = at is column
    if (
        same
        and step
        and _top(after) - _top(before) > max(step * 1.45, (_bottom(before) - _top(before)) * 2.2)
    ):
        return False
    size = em(before)
    if same and _closes_bracket(group, after):
        return True
    if same and (before.font_size or 0.0) > body * SIZE_STEP and body:
        return not _begins_anew(after.text) and not ends_sentence(before.text)
    if same and _is_centred(after, column) and _is_centred(before, column):
        wide = _right(before) - _left(before) > 0.8 * (column.right - column.left)
        return wide and not _begins_anew(after.text) and not ends_sentence(before.text)
    short = _right(before) < at.right - 2.2 * size
    if short and not (_is_latin(before, after) and _right(before) > at.right - 8 * size):
        return False
    offset, first = _left(after) - column.left, _left(group[0]) - at.left
    if offset > 1.2 * size and abs(offset - (_left(before) - at.left)) > 0.5 * size:
        hangs = len(group) == 1 and starts_paragraph(group[0].text) and first < offset
        if not hangs:
            return False
    elif offset > 1.2 * size and (len(group) == 1 or ends_sentence(before.text)) and indented:
        return False
    if starts_paragraph(after.text):
        return indented and offset < 0.6 * size and first > 1.2 * size and not ends_sentence(before.text)
    return True


def _begins_anew(text: str) -> bool:
    """Under a title stands something else: a number, a bracket, a subtitle after a dash."""
    return starts_paragraph(text) or text[:1] in "（(—《"


def _is_centred(line: Block, column: Column) -> bool:
    """In the middle of the column, with room on either side."""
    middle = (column.left + column.right) / 2
    return abs((_left(line) + _right(line)) / 2 - middle) < 0.02 and _left(line) - column.left > 1.2 * em(
        line
    )


def is_row(line: Block) -> bool:
    """The line has gaps as between cells of a table, and not only one after its number."""
    cells = line.text.strip().split("\t")
    return len(cells) > 2 or (
        len(cells) == 2 and not (starts_paragraph(line.text) and len(cells[0].strip()) < 10)
    )


def _closes_bracket(group: Sequence[Block], after: Block) -> bool:
    """The paragraph has a round bracket open, which the next line closes before it opens another."""
    text = "".join(line.text for line in group[-4:])
    opened = text.count("（") - text.count("）")
    return opened == 1 and -1 < after.text.find("）") < (after.text.find("（") % 10_000)


def _is_latin(before: Block, after: Block) -> bool:
    return before.text[-1:].isascii() and after.text[:1].isascii()

"""Blocks to continuous text: the paragraphs as they were before pages cut them.

Text is normalised here, once: NFC, one kind of space, nothing invisible. Every
other character stays, but for running heads, page numbers, watermarks and the
hyphen of a word that a line end divided.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ingest.characters import clean, clean_row, glue, is_cut, is_hyphenated, seam
from ingest.furniture import drop_furniture
from ingest.wrapping import SIZE_STEP, body_size, group_plain, group_visual, is_row
from kb.model import Block, Flow, Paragraph, Reading

MAX_HEADING_CHARS = 80
"""A larger font makes a heading only of a paragraph this short."""


@dataclass(slots=True)
class Unit:
    """A paragraph in the making, with (offset, page) where a page begins in it."""

    text: str
    role: str
    level: int = 0
    pages: list[tuple[int, int]] = field(default_factory=list)
    size: float = 0.0


def reflow(reading: Reading) -> Flow:
    r"""Continuous text of a reading.

    Lines are joined to paragraphs, and a paragraph that ends in mid sentence is
    joined to the next. Headings, lists, tables and titles stay as they are.
    Reflow of its own paragraphs changes nothing.

    >>> reflow(Reading((Block("一、目标"), Block("　　共建双方开展相关的活动。")))).text
    '一、目标\n共建双方开展相关的活动。'
    """
    words = _Words(reading.blocks)
    units: list[Unit] = []
    for unit in _units(reading, words):
        last = units[-1] if units else None
        if last and last.role == unit.role == "paragraph" and is_cut(last.text, unit.text):
            _append(last, unit, words)
        else:
            units.append(unit)
    return _flow(units)


def _units(reading: Reading, words: "_Words") -> Iterator[Unit]:
    for is_line, run in groupby(reading.blocks, key=lambda block: block.role == "line"):
        blocks = list(run)
        if not is_line:
            yield from _single(blocks)
        elif any(block.top is not None for block in blocks):
            yield from _visual(blocks, reading.n_pages, words)
        else:
            yield from (_join(group, words) for group in group_plain(blocks))


def _single(blocks: Iterable[Block]) -> Iterator[Unit]:
    for block in blocks:
        text = clean_row(block.text) if block.role == "table" else clean(block.text)
        if text:
            yield Unit(text, block.role, block.level, [(0, block.page)] if block.page else [])


def _visual(blocks: Sequence[Block], n_pages: int, words: "_Words") -> Iterator[Unit]:
    lines = [block for block in blocks if block.text.strip()]
    kept = drop_furniture(lines, n_pages)
    body = body_size(kept)
    units = [_row(group) or _join(group, words) for group in group_visual(kept)]
    larger = sorted({unit.size for unit in units if _is_heading(unit, body)}, reverse=True)
    for unit in units:
        if unit.text and _is_heading(unit, body):
            unit.role, unit.level = "heading", _rank(unit.size, larger)
        if unit.text:
            yield unit


def _row(group: Sequence[Block]) -> Unit | None:
    """A line with the gaps of a table, as a row of one."""
    if len(group) > 1 or not is_row(group[0]):
        return None
    line = group[0]
    return Unit(clean_row(line.text), "table", 0, [(0, line.page)] if line.page else [])


def _is_heading(unit: Unit, body: float) -> bool:
    return bool(body) and unit.size >= body * SIZE_STEP * 1.02 and len(unit.text) <= MAX_HEADING_CHARS


def _rank(size: float, sizes: Sequence[float]) -> int:
    """Level from 1 for the largest; sizes within a step of each other are one level."""
    level, last = 0, None
    for other in sizes:
        if last is None or last / other >= SIZE_STEP:
            level, last = level + 1, other
        if other <= size:
            break
    return level


def _join(group: Sequence[Block], words: "_Words") -> Unit:
    unit = Unit("", "paragraph")
    pieces: list[str] = []
    length = 0
    for block in group:
        text = clean(block.text)
        if not text:
            continue
        if pieces and words.divided(pieces[-1], text):
            pieces[-1] = pieces[-1][:-1]
            length -= 1
        elif pieces:
            pieces.append(seam(pieces[-1], text))
            length += len(pieces[-1])
        if block.page and (not unit.pages or unit.pages[-1][1] != block.page):
            unit.pages.append((length, block.page))
        pieces.append(text)
        length += len(text)
        unit.size = max(unit.size, block.font_size or 0.0)
    unit.text = "".join(pieces)
    return unit


def _append(unit: Unit, other: Unit, words: "_Words") -> None:
    """Lengthen `unit` by `other`, keeping its map of pages."""
    if words.divided(unit.text, other.text):
        unit.text = unit.text[:-1] + other.text
    else:
        unit.text = glue(unit.text, other.text)
    start = len(unit.text) - len(other.text)
    for offset, page in other.pages:
        if not unit.pages or unit.pages[-1][1] != page:
            unit.pages.append((start + offset, page))


class _Words:
    """Latin words of the document, to tell a divided word from a hyphenated one."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._hyphenated: set[str] | None = None

    def divided(self, before: str, after: str) -> bool:
        """A word is divided between the two by a hyphen that it has nowhere else."""
        if not is_hyphenated(before[-2:], after):
            return False
        if self._hyphenated is None:
            pattern = re.compile(r"[A-Za-z]+-[A-Za-z]+")
            self._hyphenated = {word.lower() for b in self._blocks for word in pattern.findall(b.text)}
        head = re.search(r"[A-Za-z]+(?=[-‐]$)", before[-60:])
        tail = re.match(r"[A-Za-z]+", after)
        if head is None or tail is None:
            return False
        return f"{head[0]}-{tail[0]}".lower() not in self._hyphenated


def _flow(units: Iterable[Unit]) -> Flow:
    texts: list[str] = []
    paragraphs: list[Paragraph] = []
    pages: list[tuple[int, int]] = []
    start = 0
    for unit in units:
        if not unit.text:
            continue
        texts.append(unit.text)
        paragraphs.append(Paragraph(start, start + len(unit.text), unit.role, unit.level))
        for offset, page in unit.pages:
            if not pages or pages[-1][1] != page:
                pages.append((start + offset, page))
        start += len(unit.text) + 1
    return Flow("\n".join(texts), tuple(paragraphs), tuple(pages))

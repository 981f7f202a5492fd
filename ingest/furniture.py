"""Running heads, page numbers and watermarks: what a page carries besides its text."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from ingest.characters import NUMERAL
from kb.model import Block

HEAD = 0.12
"""Running heads stand in this share of the page from the top, feet from the bottom."""

PLACE = 0.015
"""Like place: as far apart as this share of the page, at most."""

PAGE_NUMBER = re.compile(
    rf"""
    第\s*{NUMERAL}+\s*页(?:\s*[/,，、（(]?\s*共\s*{NUMERAL}+\s*页\s*[)）]?)?
    | 共\s*{NUMERAL}+\s*页\s*[/,，、]?\s*第\s*{NUMERAL}+\s*页
    | [-‐–—―─－·•~]+\s*(?:[0-9０-９]{{1,4}}|[ivxIVX]{{1,6}})\s*[-‐–—―─－·•~]+
    | [0-9]{{1,4}}\s*[/／]\s*[0-9]{{1,4}}
    | (?i:page|p\.)\s*[0-9]{{1,4}}(?:\s*(?:of|/)\s*[0-9]{{1,4}})?
    """,
    re.X,
)
_BARE = re.compile(r"[0-9０-９]{1,4}|[ivxIVX]{1,6}")
_NUMBERS = re.compile(rf"{NUMERAL}+|[ivxIVX]+")


def drop_furniture(lines: Sequence[Block], n_pages: int) -> list[Block]:
    """The lines without what repeats from page to page and without page numbers."""
    doomed = _page_numbers(lines) | _repeated(lines, n_pages)
    return [line for i, line in enumerate(lines) if i not in doomed]


def _in_margin(line: Block) -> bool:
    top, bottom = line.top or 0.0, line.bottom or 0.0
    return bottom < HEAD or top > 1 - HEAD


def _page_numbers(lines: Sequence[Block]) -> set[int]:
    """A marked number ("- 3 -", 第 3 页) at a page's edge; a bare one that counts up with the pages."""
    doomed: set[int] = set()
    bare: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for i, line in enumerate(lines):
        text = line.text.strip()
        edge = _in_margin(line) or _is_outermost(lines, i)
        if edge and PAGE_NUMBER.fullmatch(text):
            doomed.add(i)
        elif _in_margin(line) and _BARE.fullmatch(text):
            number = int(text) if text.isdigit() else 0
            offset = number - (line.page or 0) if number else 0
            bare[offset, round((line.top or 0.0) * 25)].append(i)
    for (offset, _), found in bare.items():
        if len(found) > 1 or offset == 0:
            doomed.update(found)
    return doomed


def _is_outermost(lines: Sequence[Block], i: int) -> bool:
    """First or last line of its page."""
    page = lines[i].page
    return i == 0 or i == len(lines) - 1 or lines[i - 1].page != page or lines[i + 1].page != page


def _repeated(lines: Sequence[Block], n_pages: int) -> set[int]:
    """Margin lines alike but for numbers, and any lines quite alike, at like place on enough pages."""
    if n_pages < 2:
        return set()
    places: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for i, line in enumerate(lines):
        text = re.sub(r"\s+", "", line.text)
        if _in_margin(line):
            places[_NUMBERS.sub("#", text), -1].append(i)
        else:
            places[text, round((line.left or 0.0) / (2 * PLACE))].append(i)
    doomed: set[int] = set()
    for (_, left), found in places.items():
        need = _enough(n_pages, margin=left < 0)
        found.sort(key=lambda i: lines[i].top or 0.0)
        first = 0
        n_on: Counter[int | None] = Counter()
        n_found = 0
        for last, i in enumerate(found):
            n_found += n_on[lines[i].page] == 0
            n_on[lines[i].page] += 1
            while (lines[i].top or 0.0) - (lines[found[first]].top or 0.0) > PLACE:
                n_on[lines[found[first]].page] -= 1
                n_found -= n_on[lines[found[first]].page] == 0
                first += 1
            if n_found >= need:
                doomed.update(found[first : last + 1])
    return doomed


def _enough(n_pages: int, *, margin: bool) -> int:
    """Pages on which a line must recur: heads may alternate, the rest must be nearly everywhere."""
    if margin:
        return max(2, min(3, n_pages), round(n_pages * 0.3))
    return max(2, round(n_pages * 0.7))

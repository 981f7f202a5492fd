"""Who learns with whom, as a picture: one's own branches on the left, partners on the right, lines between.

Worked out here as plain numbers; the template draws them as SVG. On a phone the text keeps its size, since
the picture is no wider than one.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from access.partnerships import Partnership

WIDTH = 360
MOST = 16
"""Branches above which a picture tells less than the table."""

_BOX, _LINE, _PORT, _GAP, _PAD, _EM = 136, 17, 20, 14, 8, 13
_LINES = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A partnership as the asker sees it from their own side.

    `given` and `got` count documents that one's own side shares with the other and the other way round; None
    where the asker does not keep documents, or nothing is shared yet.
    """

    partnership: Partnership
    own_id: str
    other_id: str
    given: int | None = None
    got: int | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A branch. `x` and `y` are of the upper left corner; `lines` is its name, broken."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[tuple[int, str], ...]
    name: str
    own: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A partnership. Its ends have the numbers of documents."""

    x1: int
    y1: int
    x2: int
    y2: int
    state: str
    given: int | None
    got: int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and edges inside `width` by `height`."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(pairs: Iterable[Pair], names: Mapping[str, str]) -> Picture | None:
    """The picture of these partnerships; None if there are none, or too many branches to be drawn well."""
    drawn = list(pairs)
    left = list(dict.fromkeys(p.own_id for p in drawn))
    right = list(dict.fromkeys(p.other_id for p in drawn))
    if not drawn or len(left) + len(right) > MOST:
        return None
    edges_of: dict[tuple[bool, str], list[int]] = {}
    for number, pair in enumerate(drawn):
        edges_of.setdefault((True, pair.own_id), []).append(number)
        edges_of.setdefault((False, pair.other_id), []).append(number)
    boxes: list[Box] = []
    port: dict[tuple[bool, int], int] = {}
    heights = []
    for own, branch_ids in ((True, left), (False, right)):
        y = 1
        for branch_id in branch_ids:
            name = names.get(branch_id, branch_id)
            ends = edges_of[own, branch_id]
            box = _box(name, len(ends), x=1 if own else WIDTH - _BOX - 1, y=y, own=own)
            for place, number in enumerate(ends):
                port[own, number] = y + box.height * (2 * place + 1) // (2 * len(ends))
            boxes.append(box)
            y += box.height + _GAP
        heights.append(y - _GAP + 1)
    edges = tuple(
        Edge(_BOX + 1, port[True, n], WIDTH - _BOX - 1, port[False, n], p.partnership.state, p.given, p.got)
        for n, p in enumerate(drawn)
    )
    return Picture(WIDTH, max(heights), tuple(boxes), edges)


def _box(name: str, n_edges: int, *, x: int, y: int, own: bool) -> Box:
    words = broken(name)
    height = max(len(words) * _LINE + 2 * _PAD, n_edges * _PORT + _PAD)
    first = y + (height - len(words) * _LINE) // 2 + _EM
    lines = tuple((first + number * _LINE, line) for number, line in enumerate(words))
    return Box(x, y, _BOX, height, lines, name, own)


def broken(name: str, width: float = (_BOX - 2 * _PAD) / _EM) -> list[str]:
    """A name in lines of so many Chinese characters, three at most.

    >>> broken("北辰电力检修有限公司第一党支部", 9)
    ['北辰电力检修有限公', '司第一党支部']
    >>> broken("甲" * 30, 9)[-1]
    '甲甲甲甲甲甲甲甲…'
    """
    lines, line, taken = [], "", 0.0
    for character in name:
        ems = 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.6
        if taken + ems > width:
            lines.append(line)
            line, taken = "", 0.0
        line, taken = line + character, taken + ems
    lines.append(line)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[_LINES - 1][:-1] + "…"]
    return lines

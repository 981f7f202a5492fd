"""Pictures of results, worked out as plain numbers; `quiz-plots.html` draws them as SVG.

On a phone the text keeps its size, since no picture is wider than one. What a colour says, a shape or a word
says, too; beside each picture stands a table of the same numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 18, 36, 34
_HEIGHT = 220


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis with its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. `label` says how many; `below` that it stands below the mark that passes."""

    x: float
    y: float
    width: float
    height: float
    label: str
    middle: float
    below: bool


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many reached what. `line` is where the mark that passes stands, `floor` the axis."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    line: float
    top: int
    floor: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A question. `sign` is "", "weak" for one that hardly tells people apart or "wrong" for a suspected key."""

    x: float
    y: float
    number: int
    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Questions by facility, to the right, and discrimination, upwards. `weak` is the height of `WEAK`."""

    width: int
    height: int
    left: int
    right: int
    top: int
    floor: float
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    zero: float
    weak: float


WEAK = 0.2
"""Discrimination below which a question hardly tells people apart (Ebel, Essentials of Educational Measurement)."""


def histogram(counts: Sequence[int], pass_share: float) -> Histogram | None:
    """The distribution of scores in equal steps from 0 to 100; None where nobody is counted.

    >>> drawn = histogram([0, 3, 1, 0], 0.5)
    >>> [(bar.label, bar.below) for bar in drawn.bars]
    [('', True), ('3', True), ('1', False), ('', False)]
    """
    if not sum(counts):
        return None
    step = (WIDTH - _LEFT - _RIGHT) / len(counts)
    room, floor = _HEIGHT - _TOP - _BOTTOM, _HEIGHT - _BOTTOM
    bars = []
    for n, count in enumerate(counts):
        height, x = room * count / max(counts), _LEFT + n * step
        bars.append(
            Bar(
                round(x + 1, 1),
                round(floor - height, 1),
                round(step - 2, 1),
                round(height, 1),
                str(count) if count else "",
                round(x + step / 2, 1),
                (n + 0.5) / len(counts) < pass_share,
            )
        )
    ticks = [Tick(round(_LEFT + (WIDTH - _LEFT - _RIGHT) * t / 5, 1), f"{20 * t}") for t in range(6)]
    line = round(_LEFT + (WIDTH - _LEFT - _RIGHT) * pass_share, 1)
    return Histogram(WIDTH, _HEIGHT, tuple(bars), tuple(ticks), line, _TOP, floor)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a dot shows: the question's number on the form, its facility and discrimination, and its sign."""

    number: int
    facility: float
    discrimination: float
    sign: str = ""


def scatter(questions: Iterable[Measured]) -> Scatter | None:
    """Questions by facility and discrimination; None without any."""
    measured = list(questions)
    if not measured:
        return None
    # From the first step of 0.2 below the lowest, at most -1, up to 1.
    lowest = min(0.0, *(m.discrimination for m in measured))
    bottom = max(-1.0, 0.2 * (lowest // 0.2))
    height = _HEIGHT + 90
    floor = height - _BOTTOM

    def across(facility: float) -> float:
        return round(_LEFT + facility * (WIDTH - _LEFT - _RIGHT), 1)

    def up(discrimination: float) -> float:
        return round(floor - (discrimination - bottom) / (1 - bottom) * (floor - _TOP), 1)

    dots = tuple(
        Dot(
            across(m.facility),
            up(m.discrimination),
            m.number,
            m.sign,
            f"第 {m.number} 题：正答率 {m.facility:.0%}，区分度 {m.discrimination:.2f}",
        )
        for m in measured
    )
    first = round(bottom / 0.2)
    return Scatter(
        WIDTH,
        height,
        _LEFT,
        WIDTH - _RIGHT,
        _TOP,
        floor,
        dots,
        tuple(Tick(across(t / 5), f"{20 * t}%") for t in range(6)),
        tuple(Tick(up(t / 5), f"{t / 5:.1f}") for t in range(first, 6)),
        up(0),
        up(WEAK),
    )

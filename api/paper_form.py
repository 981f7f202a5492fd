"""The form in which a blueprint is filled in: from what was typed to the blueprint."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.datastructures import FormData

from api.address import Problem
from api.paper_words import BANDS
from quiz.blueprint import Blueprint, Line, Misfilled, checked
from quiz.model import Slot, Type
from quiz.paper import POINTS

MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line of the form as it stands; without a number it is none."""

    n: str = ""
    points: str = ""
    type: str = ""
    topic: str = ""
    band: str = ""
    slot: str = ""


USUAL = (
    TypedLine("10", "2", Type.SINGLE),
    TypedLine("5", "3", Type.MULTIPLE),
    TypedLine("5", "1", Type.TRUE_FALSE),
)
"""What an empty form proposes."""


@dataclass(frozen=True, slots=True)
class TypedPaper:
    """The form as it stands."""

    title: str = ""
    lines: tuple[TypedLine, ...] = USUAL
    drawn: bool = False
    n_forms: str = "1"
    seed: str = "1"

    @classmethod
    def read(cls, form: FormData) -> "TypedPaper":
        """What was sent."""
        columns = [form.getlist(name) for name in ("n", "points", "type", "topic", "band", "slot")]
        rows = list(zip(*columns, strict=False))[:MOST_LINES]
        return cls(
            str(form.get("title", "")).strip(),
            tuple(TypedLine(*(str(value).strip() for value in row)) for row in rows),
            form.get("kind") == "drawn",
            str(form.get("n_forms", "1")).strip(),
            str(form.get("seed", "1")).strip(),
        )

    def with_line(self) -> "TypedPaper":
        """The same with an empty line more."""
        return replace(self, lines=(*self.lines, TypedLine())[:MOST_LINES])

    @property
    def seed_number(self) -> int:
        """The seed; 1 for what is none."""
        return int(self.seed) if self.seed.isascii() and self.seed.isdigit() and len(self.seed) < 9 else 1


def blueprint_from(typed: TypedPaper) -> tuple[Blueprint | None, list[Problem]]:
    """The blueprint that was typed, or what keeps it from being one."""
    lines, problems = [], []
    for number, row in enumerate(typed.lines, 1):
        if not row.n:
            continue
        try:
            lines.append(_line(row))
        except ValueError:
            problems.append(Problem("lines", f"第 {number} 行：题数要是整数，分值要是数。"))
    if problems:
        return None, problems
    n_forms = int(typed.n_forms) if typed.n_forms.isascii() and typed.n_forms.isdigit() else 0
    try:
        return checked(Blueprint(tuple(lines), 1 if typed.drawn else n_forms, typed.drawn)), []
    except Misfilled as error:
        return None, [Problem(error.field, error.hint)]


def _line(row: TypedLine) -> Line:
    type_, slot = row.type if row.type in set(Type) else "", row.slot if row.slot in set(Slot) else ""
    usual = POINTS[Type(type_)] if type_ else 1.0
    return Line(
        int(row.n),
        float(row.points) if row.points else usual,
        frozenset({Type(type_)} if type_ else ()),
        (row.topic,) if row.topic else (),
        BANDS.get(row.band, BANDS[""]),
        frozenset({Slot(slot)} if slot else ()),
    )


def points_from(form: FormData) -> Mapping[int, float]:
    """What the questions of lines are to be worth, by the fields "points-0", "points-1" and so on.

    Raises:
        Misfilled: one is no number.
    """
    found = {}
    for name, value in form.multi_items():
        kind, _, line = name.partition("-")
        if kind != "points" or not line.isdigit() or len(line) > 3:
            continue
        try:
            found[int(line)] = float(str(value))
        except ValueError as error:
            raise Misfilled("points", f"Cannot take {value!r} as points.", "分值要是数。") from error
    return found

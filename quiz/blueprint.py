"""What a paper is to hold, line by line, and what of it cannot be had."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kb.errors import InvalidRequest
from quiz.model import Question, Slot, Type

MOST_FORMS = 10
MOST_PLACES = 200
"""Questions in one form."""
MOST_POINTS = 100
"""For one question."""


class Misfilled(InvalidRequest):
    """What was filled in for a paper makes no sense: `field` is where, the hint says in Chinese what to do."""

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.field = field


class Why(StrEnum):
    """What keeps places empty."""

    FEW = "few"
    CLAUSE = "clause"
    GIVEAWAY = "giveaway"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Line:
    """`n` questions worth `points` each, of any of the types, topics and slots, none named meaning all of them.

    `difficulty` is the band, both ends in it.
    """

    n: int
    points: float = 1.0
    types: frozenset[Type] = frozenset()
    topics: tuple[str, ...] = ()
    difficulty: tuple[float, float] = (0.0, 1.0)
    slots: frozenset[Slot] = frozenset()

    def takes(self, question: Question) -> bool:
        """Whether the question fits the line."""
        low, high = self.difficulty
        return (
            (not self.types or question.type in self.types)
            and (not self.slots or question.slot in self.slots)
            and (not self.topics or not set(self.topics).isdisjoint(question.topics))
            and low <= question.difficulty <= high
        )


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Lines, and how many equivalent forms they are to be met in; `drawn` papers are put together per person."""

    lines: tuple[Line, ...]
    n_forms: int = 1
    drawn: bool = False

    @property
    def n_places(self) -> int:
        """Questions of one form."""
        return sum(line.n for line in self.lines)

    @property
    def most(self) -> float:
        """Points of one form."""
        return sum(line.n * line.points for line in self.lines)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Places of a line, from 0, that stay empty over all forms, and how many for which reason.

    few: the bank has no more questions that fit the line. clause: those that there are ask about clauses that
    the form has asked about. giveaway: they give each other away. taken: other lines need them, or give them away.
    `found` is how many questions of the bank fit the line. For forms drawn per person it is that of one form.
    """

    line: int
    missing: int
    why: Mapping[Why, int]
    found: int


def checked(blueprint: Blueprint) -> Blueprint:
    """The blueprint, which makes sense.

    Raises:
        Misfilled: no lines, or a number out of range.
    """
    if not blueprint.lines:
        raise Misfilled("lines", "Cannot make a paper of nothing.", "请至少填一行：要几道题。")
    if not 1 <= blueprint.n_forms <= MOST_FORMS:
        raise Misfilled(
            "n_forms", f"Cannot make {blueprint.n_forms} forms.", f"套数要在 1 至 {MOST_FORMS} 之间。"
        )
    for number, line in enumerate(blueprint.lines, 1):
        low, high = line.difficulty
        if line.n < 1 or not 0 < line.points <= MOST_POINTS or not 0 <= low <= high <= 1:
            raise Misfilled(
                "lines",
                f"Cannot meet line {number}: {line.n} questions of {line.points:g} points between {low:g} and {high:g}.",
                f"第 {number} 行：题数至少 1，每题的分值大于 0、不超过 {MOST_POINTS}，难度在 0 至 1 之间。",
            )
    if blueprint.n_places > MOST_PLACES:
        raise Misfilled(
            "lines",
            f"Cannot put {blueprint.n_places} questions into a form.",
            f"一套最多 {MOST_PLACES} 道题，现在是 {blueprint.n_places} 道。",
        )
    return blueprint


def blueprint_json(blueprint: Blueprint) -> dict[str, Any]:
    """The blueprint as it is stored and as HTTP gives it."""
    return {
        "lines": [
            {
                "n": line.n,
                "points": line.points,
                "types": sorted(line.types),
                "topics": list(line.topics),
                "difficulty": list(line.difficulty),
                "slots": sorted(line.slots),
            }
            for line in blueprint.lines
        ],
        "n_forms": blueprint.n_forms,
        "drawn": blueprint.drawn,
    }


def blueprint_of(body: Mapping[str, Any]) -> Blueprint:
    """The blueprint that `blueprint_json` gave."""
    lines = tuple(
        Line(
            line["n"],
            line["points"],
            frozenset(map(Type, line["types"])),
            tuple(line["topics"]),
            (line["difficulty"][0], line["difficulty"][1]),
            frozenset(map(Slot, line["slots"])),
        )
        for line in body["lines"]
    )
    return Blueprint(lines, body["n_forms"], body["drawn"])


def shortfall_json(shortfall: Shortfall) -> dict[str, Any]:
    """The shortfall as it is stored and as HTTP gives it."""
    why = {reason.value: n for reason, n in shortfall.why.items()}
    return {"line": shortfall.line, "missing": shortfall.missing, "why": why, "found": shortfall.found}


def shortfall_of(body: Mapping[str, Any]) -> Shortfall:
    """The shortfall that `shortfall_json` gave."""
    why = {Why(reason): n for reason, n in body["why"].items()}
    return Shortfall(body["line"], body["missing"], why, body["found"])

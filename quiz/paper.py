"""The nouns of papers: what is planned, a place of a form, a paper, and how it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quiz.arrangement import Order
from quiz.blueprint import Blueprint, Shortfall, blueprint_of, shortfall_of
from quiz.kept import Kept
from quiz.model import Question, State, Type

POINTS: Mapping[Type, float] = {
    Type.SINGLE: 2,
    Type.MULTIPLE: 3,
    Type.TRUE_FALSE: 1,
    Type.BLANK: 2,
    Type.SHORT: 10,
    Type.ORDERING: 3,
    Type.MATCHING: 3,
}
"""What a question is usually worth where nothing else was said."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A question that somebody is asked: which version, what it is worth, and its options in the order shown.

    `options` are indexes into the version's own options; empty where it has none.
    """

    question_id: str
    version: int
    points: float
    options: Order


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a form, from 1. `kept` is None where the question is gone: nothing of it may be shown.

    `kept` is at the version that the form holds; `newer` says that there is a later one. `line` is that of the
    blueprint, from 0. `type` is known of what is gone, too.
    """

    position: int
    line: int
    type: Type
    planned: Planned
    kept: Kept | None
    newer: bool = False

    @property
    def usable(self) -> bool:
        """Whether it could be put into a paper today."""
        return self.kept is not None and self.kept.state is State.APPROVED

    @property
    def question(self) -> Question | None:
        """The question with its options as the form shows them; None where it is gone."""
        if self.kept is None:
            return None
        whole, order = self.kept.question, self.planned.options
        return whole.with_options(tuple(whole.options[i] for i in order)) if order else whole


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as its trainers see it. `forms` are empty for drawn ones, and in lists."""

    paper_id: str
    branch_id: str
    title: str
    blueprint: Blueprint
    seed: int
    shortfalls: tuple[Shortfall, ...]
    made_by: str | None
    made_at: datetime
    changed_at: datetime
    given_out: bool
    forms: tuple[tuple[Place, ...], ...] = ()

    @property
    def several(self) -> bool:
        """Whether people get different forms."""
        return self.blueprint.n_forms > 1 or self.blueprint.drawn


@dataclass(frozen=True, slots=True)
class Draft:
    """What a blueprint gives, not kept yet; of a drawn one, what one person could get.

    `proven` is false only where the search for more was given up.
    """

    forms: tuple[tuple[Place, ...], ...]
    shortfalls: tuple[Shortfall, ...]
    proven: bool


def form_name(form: int) -> str:
    """What a form is called.

    >>> form_name(1), form_name(2), form_name(30)
    ('A', 'B', '30')
    """
    return chr(ord("A") + form - 1) if form <= 26 else str(form)


def paper_of(row: Any) -> Paper:
    """The paper of a row of `papers`, with whether it was `given_out`."""
    return Paper(
        row.paper_id,
        row.branch_id,
        row.title,
        blueprint_of(row.blueprint),
        row.seed,
        tuple(map(shortfall_of, row.shortfalls)),
        row.made_by,
        row.made_at,
        row.changed_at,
        bool(row.given_out),
    )


def row_of(paper_id: str, form: int, place: Place) -> dict[str, Any]:
    """The row of `paper_questions` of a place."""
    return {
        "paper_id": paper_id,
        "form": form,
        "position": place.position,
        "question_id": place.planned.question_id,
        "version": place.planned.version,
        "points": place.planned.points,
        "options": list(place.planned.options),
        "line": place.line,
    }

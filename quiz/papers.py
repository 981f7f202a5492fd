"""Papers: solved from a blueprint or put together by hand, kept in forms, or drawn for each person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from access.office import Office
from access.principal import Principal
from quiz.blueprint import Blueprint, Shortfall
from quiz.model import Question, Sheet, Type

if TYPE_CHECKING:
    from quiz.bank import Bank, Kept


@dataclass(frozen=True, slots=True)
class Planned:
    """A question that somebody is asked: which version, what it is worth, and its options in the order shown.

    `options` are indexes into the version's own options; empty where it has none.
    """

    question_id: str
    version: int
    points: float
    options: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a form. `kept` is None where the question is gone: nothing of it may be shown.

    `stale` says that it is still shown but no longer usable, such as one whose document was superseded.
    `line` is that of the blueprint, from 0.
    """

    position: int
    line: int
    planned: Planned
    kept: "Kept | None"
    stale: bool = False

    @property
    def question(self) -> Question:
        """The question with its options as the form shows them. Only where it is not gone."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as its trainers see it; `forms` are empty for drawn ones, and in lists."""

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


@dataclass(frozen=True, slots=True)
class Draft:
    """What a blueprint gives, not kept yet."""

    forms: tuple[tuple[Place, ...], ...]
    shortfalls: tuple[Shortfall, ...]


class Papers:
    """Safe to share between threads."""

    def __init__(self, office: Office, bank: "Bank") -> None:
        self.office = office
        self.bank = bank

    def solve(self, by: Principal, branch_id: str, blueprint: Blueprint, seed: int) -> Draft:
        """What the blueprint gives."""
        raise NotImplementedError

    def make(self, by: Principal, branch_id: str, title: str, blueprint: Blueprint, seed: int) -> str:
        """Solve and keep it; the id."""
        raise NotImplementedError

    def by_hand(
        self,
        by: Principal,
        branch_id: str,
        title: str,
        question_ids: Sequence[str],
        points: Mapping[Type, float] | None = None,
    ) -> str:
        """A paper of one form from these questions; the id."""
        raise NotImplementedError

    def paper(self, by: Principal, paper_id: str) -> Paper:
        """One paper with its forms. NotFound unless the asker may QUIZ in its branch."""
        raise NotImplementedError

    def papers(self, by: Principal, branch_id: str) -> list[Paper]:
        """The branch's papers, newest first, without their forms."""
        raise NotImplementedError

    def replace(
        self, by: Principal, paper_id: str, form: int, position: int, question_id: str | None = None
    ) -> Place:
        """Another question that keeps the blueprint in this place: the given one, or the most alike. Conflict if there is none."""
        raise NotImplementedError

    def sheet(self, by: Principal, paper_id: str, form: int) -> Sheet:
        """A form to be printed or exported, without what is gone. Forms count from 1."""
        raise NotImplementedError

    def planned(self, paper_id: str, form: int, scope: frozenset[str]) -> list[Planned]:
        """What a fixed form asks whoever has the scope, from 1; without what is gone. For attempts."""
        raise NotImplementedError

    def draw(self, paper_id: str, seed: int, scope: frozenset[str]) -> list[Planned]:
        """The questions of a drawn paper for one person: the same for the same seed, scope and bank. For attempts."""
        raise NotImplementedError

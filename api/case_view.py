"""What the pages of cases show: a search as its address states it, cards, and a case laid out to be read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.datastructures import QueryParams

from access.principal import Principal
from api.address import PAGE_SIZE, Problem
from api.case_files import is_photograph
from api.case_words import FILTER_WORDS, facts_of, sharer_words, value_words, values_of
from api.excerpts import mark, merge
from api.services import Services
from api.views import Chip
from cases.ballots import Won
from cases.finder import LONGEST_PROBLEM
from cases.model import (
    LABELS,
    Attachment,
    Case,
    CaseCard,
    CaseFilters,
    Field,
    Figure,
    Level,
    figures_of,
)

LONGEST_OUTCOME = 100
"""Code points of what the outcome is to speak of."""
LAST_PAGE = 1000

STORY = (Field.BACKGROUND, Field.PRACTICE, Field.CONDITIONS, Field.CARRIES_OVER, Field.CONTACTS)
"""The fields that follow on problem and outcome, in reading order."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search of cases as its address states it; values stay as typed."""

    q: str = ""
    industry: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    outcome: str = ""
    page: int = 1

    @classmethod
    def read(cls, params: QueryParams) -> "Asked":
        """The search of an address; values that a filter cannot have are passed over.

        >>> Asked.read(QueryParams("q=+排队&level=solved&level=x&page=y"))
        Asked(q='排队', industry=(), level=('solved',), size=(), cost=(), branch=(), outcome='', page=1)
        """

        def several(name: str) -> tuple[str, ...]:
            values = (value.strip() for value in params.getlist(name))
            return tuple(dict.fromkeys(v for v in values if v and (name == "branch" or v in values_of(name))))

        page = params.get("page", "1")
        return cls(
            q=params.get("q", "").strip(),
            **{name: several(name) for name in FILTER_WORDS},
            outcome=params.get("outcome", "").strip(),
            page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() else 1,
        )

    def values(self, field: str) -> tuple[str, ...]:
        """What is chosen in a filter."""
        chosen: tuple[str, ...] = getattr(self, field)
        return chosen

    @property
    def n_active(self) -> int:
        """How many filters are on."""
        return sum(len(self.values(field)) for field in FILTER_WORDS) + bool(self.outcome)

    @property
    def offset(self) -> int:
        """How many cases come on earlier pages."""
        return (self.page - 1) * PAGE_SIZE

    def filters(self) -> CaseFilters:
        """The filters that it states."""
        return CaseFilters(
            industries=frozenset(self.industry),
            sizes=frozenset(self.size),
            costs=frozenset(self.cost),
            levels=frozenset(Level(level) for level in self.level),
            branches=frozenset(self.branch),
            outcome=self.outcome,
        )

    def problems(self) -> list[Problem]:
        """What stands in the way of the search, in the order of the form."""
        limits = (
            ("q", "问题", self.q, LONGEST_PROBLEM),
            ("outcome", "成效里提到的话", self.outcome, LONGEST_OUTCOME),
        )
        return [
            Problem(field, f"{name}有 {len(text)} 字，最多 {most} 字。请只写要紧的。")
            for field, name, text, most in limits
            if len(text) > most
        ]

    def with_page(self, page: int) -> "Asked":
        """The same search on another page."""
        return replace(self, page=page)

    def without(self, field: str, value: str = "") -> "Asked":
        """The same search, from its first page, with one filter taken off."""
        if field == "outcome":
            return replace(self, outcome="", page=1)
        kept = {field: tuple(each for each in self.values(field) if each != value)}
        return replace(self, page=1, **kept)  # type: ignore[arg-type]

    def cleared(self, field: str) -> "Asked":
        """The same search without one of its filters."""
        return replace(self, page=1, **{field: ()})  # type: ignore[arg-type]

    def bare(self) -> "Asked":
        """The same problem without any filter."""
        return Asked(q=self.q)

    def address(self, path: str = "/cases") -> str:
        """Where this search is found; only what is filled in is stated.

        >>> Asked(q="排队", level=("solved",), page=2).address()
        '/cases?q=%E6%8E%92%E9%98%9F&level=solved&page=2'
        """
        pairs: list[tuple[str, str]] = [("q", self.q)] if self.q else []
        pairs += [(field, value) for field in FILTER_WORDS for value in self.values(field)]
        pairs += [("outcome", self.outcome)] if self.outcome else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        return path + ("?" + urlencode(pairs) if pairs else "")


@dataclass(frozen=True, slots=True)
class FilterValue:
    """One checkbox; `count` says how many cases it would leave."""

    value: str
    label: str
    count: int
    checked: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """One group of checkboxes."""

    field: str
    title: str
    values: tuple[FilterValue, ...]


def filters_of(
    asked: Asked, counts: Mapping[str, Mapping[str, int]], names: Mapping[str, str]
) -> tuple[Filter, ...]:
    """Filters that have something to choose; what is chosen stays even when it counts nothing."""
    found = []
    for field, title in FILTER_WORDS.items():
        of_field, chosen = counts.get(field, {}), asked.values(field)
        known = values_of(field) or sorted(of_field)
        values = [v for v in known if of_field.get(v)] + [v for v in chosen if not of_field.get(v)]
        if field in ("industry", "branch"):
            values.sort(key=lambda v: -of_field.get(v, 0))
        if values:
            shown = (
                FilterValue(v, value_words(field, v, names), of_field.get(v, 0), v in chosen) for v in values
            )
            found.append(Filter(field, title, tuple(shown)))
    return tuple(found)


def chips(asked: Asked, names: Mapping[str, str]) -> tuple[Chip, ...]:
    """Every active filter, each with a way to take it off."""
    found = [
        Chip(f"{title}：{value_words(field, value, names)}", asked.without(field, value).address())
        for field, title in FILTER_WORDS.items()
        for value in asked.values(field)
    ]
    if asked.outcome:
        found.append(Chip(f"成效里提到：{asked.outcome}", asked.without("outcome").address()))
    return tuple(found)


# -- cards ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardView:
    """A case in a list: who shared it, its facts in words, and the votes that made it a model case.

    What it has in common with what was asked is marked in `problem` where it stands there; else `alike` tells it.
    """

    card: CaseCard
    sharer: str
    facts: Mapping[str, str]
    problem: Markup
    alike: tuple[str, ...]
    models: tuple[Won, ...] = ()


Block = str | tuple[tuple[str, ...], ...]
"""A paragraph, or the rows of a table."""


@dataclass(frozen=True, slots=True)
class Section:
    """A filled-in field as it is read."""

    field: Field
    label: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case laid out: `gist` is problem and outcome, `story` the rest."""

    case: Case
    sharer: str
    facts: Mapping[str, str]
    gist: tuple[Section, ...]
    figures: tuple[Figure, ...]
    story: tuple[Section, ...]
    photographs: tuple[Attachment, ...]
    files: tuple[Attachment, ...]


class CaseViews:
    """Shows cases to one person at one moment."""

    def __init__(self, services: Services, by: Principal) -> None:
        self._services = services
        self._by = by
        self.names = services.access.branches.names()
        """Names of branches; a page tells only those of branches of which it shows something."""

    def known(self, counted: Iterable[str]) -> Mapping[str, str]:
        """Names of the branches that the person knows of anyhow, and of those in what was counted for them."""
        access = self._services.access
        known = {b.branch_id for b in access.branches.seen(self._by)} if self._by.signed_in else set()
        return {b: name for b, name in self.names.items() if b in known or b in set(counted)}

    def cards(self, cards: Sequence[CaseCard]) -> tuple[CardView, ...]:
        """Cards as they are listed, in their order."""
        models = self._services.cases.ballots.models(self._by.scope, [c.case_id for c in cards])
        return tuple(self._card(card, tuple(models.get(card.case_id, ()))) for card in cards)

    def _card(self, card: CaseCard, models: tuple[Won, ...]) -> CardView:
        spans = [(at, at + len(said)) for said in card.why if (at := card.problem.find(said)) >= 0]
        return CardView(
            card,
            sharer_words(card.branch_id, card.issuer, self.names),
            facts_of(card.industry, card.people, card.cost, card.level),
            mark(card.problem, merge(spans, len(card.problem))),
            tuple(said for said in card.why if said not in card.problem),
            models,
        )

    def case(self, case: Case, card: CardView) -> CaseView:
        """A case laid out to be read; `card` is its own."""
        body = case.body
        gist = tuple(_section(f, body[f]) for f in (Field.PROBLEM, Field.OUTCOME) if f in body)
        # Figures that were read out of a table stand in it already.
        told = any(isinstance(block, tuple) for section in gist for block in section.blocks)
        return CaseView(
            case,
            card.sharer,
            card.facts,
            gist,
            () if told else figures_of(body.get(Field.FIGURES, "")),
            tuple(_section(f, body[f]) for f in STORY if f in body),
            tuple(a for a in case.attachments if is_photograph(a)),
            tuple(a for a in case.attachments if not is_photograph(a)),
        )


def _section(field: Field, text: str) -> Section:
    return Section(field, LABELS[field], blocks(text))


def blocks(text: str) -> tuple[Block, ...]:
    r"""A field's text as paragraphs, and tables where lines have cells parted by tabs.

    >>> blocks("先登记。\n\n项目\t之前\n人数\t19")
    ('先登记。', (('项目', '之前'), ('人数', '19')))
    """
    found: list[Block] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if "\t" not in line.strip():
            found.append(line.strip())
            continue
        row = tuple(cell.strip() for cell in line.split("\t"))
        if found and isinstance(found[-1], tuple):
            found[-1] = (*found[-1], row)
        else:
            found.append((row,))
    return tuple(found)

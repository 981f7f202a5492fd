"""What the search, list and error pages show, worked out of model objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from markupsafe import Markup

from api.address import FIELD_WORDS, PAGE_SIZE, Field, State, word
from api.excerpts import excerpt
from kb.errors import KbError
from kb.model import Answer, Hit, Kind, Validity

ERROR_WORDS = {
    "not_found": ("没有找到", "它可能已被撤下，或不在您的可见范围内。请检查地址，或重新检索。"),
    "invalid_query": ("这样检索不了", "请检查检索词和筛选条件，改好后再试。"),
    "forbidden": ("不能这样做", "这里不接受这个请求。若确有需要，请联系管理员。"),
    "index_missing": ("还没有可检索的内容", "请联系管理员载入文献后再来。"),
    "index_mismatch": ("检索暂时不可用", "索引与当前设置不一致，请联系管理员重建索引。"),
    "index_busy": ("检索暂时不可用", "索引正在更新，请稍候一分钟再试。"),
    "encoder_unavailable": ("检索暂时不可用", "语义检索没有就绪。可先改用“关键词”方式检索，并告知管理员。"),
    "catalog_unavailable": ("暂时读不到文献库", "请稍后再试；若仍不行，请联系管理员。"),
}
BAD_REQUEST = ("这个请求有问题", "请检查地址和所填内容，改好后再试。")
BROKEN = ("服务出了问题", "请稍后再试；若仍不行，请把下面的信息告诉管理员。")


def error_words(status: int, error: KbError) -> tuple[str, str]:
    """What happened and what to do, for people."""
    return ERROR_WORDS.get(error.code, BROKEN if status >= 500 else BAD_REQUEST)


def is_badged(validity: Validity, kind: Kind) -> bool:
    """Whether a standing is worth saying: articles and cases are never "in force"."""
    return validity is not Validity.IN_FORCE or kind in (Kind.LAW, Kind.POLICY)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One checkbox."""

    value: str
    label: str
    count: int | None
    checked: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of checkboxes."""

    field: Field
    title: str
    values: tuple[FacetValue, ...]


def facets(state: State, counts: Mapping[str, Mapping[str, int]]) -> tuple[Facet, ...]:
    """Facets that have something to choose; what is chosen stays even when it counts nothing.

    Superseded versions are left out unless asked for, so asking for them is always offered.
    """
    found = []
    for field, title in FIELD_WORDS.items():
        chosen = state.values(field)
        of_field: dict[str, int | None] = dict(counts.get(field, {}))
        values = [*of_field, *(value for value in chosen if value not in of_field)]
        if field == "year":
            values.sort(reverse=True)
        if field == "kind" and chosen:
            # Counts are of what the filter lets through; the other kinds can still be added.
            values += [kind for kind in Kind if kind not in values]
            of_field = {kind: of_field.get(kind) for kind in values}
        if field == "validity" and values and not chosen and Validity.SUPERSEDED not in values:
            values.append(Validity.SUPERSEDED)
            of_field[Validity.SUPERSEDED] = None
        shown = (FacetValue(v, word(field, v), of_field.get(v, 0), v in chosen) for v in values)
        if values:
            found.append(Facet(field, title, tuple(shown)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter and the address without it."""

    label: str
    href: str


def chips(state: State) -> tuple[Chip, ...]:
    """Every active filter, each with a way to take it off."""
    found = [
        Chip(f"{title}：{word(field, value)}", state.without(field, value).address())
        for field, title in FIELD_WORDS.items()
        for value in state.values(field)
    ]
    if state.as_of:
        found.append(Chip(f"{state.as_of} 有效的版本", state.without("as_of").address()))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit as it is listed."""

    hit: Hit
    href: str
    crumbs: tuple[str, ...]
    body: Markup


def hit_views(state: State, hits: Iterable[Hit]) -> tuple[HitView, ...]:
    """Hits with their text cut, marked and linked to their place in the document."""
    return tuple(
        HitView(
            hit=hit,
            href=hit_address(state, hit),
            crumbs=tuple(step for step in hit.path if squeeze(step) != squeeze(hit.title)),
            body=excerpt(hit.text, hit.highlights),
        )
        for hit in hits
    )


def hit_address(state: State, hit: Hit) -> str:
    """The hit's clause in its document, with the search carried along."""
    at = state.with_page((hit.rank - 1) // PAGE_SIZE + 1)
    path = f"/documents/{quote(hit.document_id, safe='')}"
    return at.address(path, fragment=hit.anchor, hit=hit.passage_id)


def squeeze(text: str) -> str:
    """`text` without white space, to tell whether two headings say the same.

    >>> squeeze("总　则 ")
    '总则'
    """
    return "".join(text.split())


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a list stands; pages are numbered from 1."""

    page: int
    n_pages: int

    @property
    def window(self) -> tuple[int, ...]:
        """Pages to name: the first, the last and those near; 0 stands for a gap."""
        near = {1, self.n_pages, *range(self.page - 1, self.page + 2)}
        pages = sorted(page for page in near if 1 <= page <= self.n_pages)
        listed: list[int] = []
        for page in pages:
            if listed and page - listed[-1] > 1:
                listed.append(0)
            listed.append(page)
        return tuple(listed)


def pager(page: int, total: int, size: int = PAGE_SIZE) -> Pager:
    """Pager over `total` things, `size` to a page."""
    return Pager(page, max(1, -(-total // size)))


def day_words(day: date) -> str:
    """A date as people write it.

    >>> day_words(date(2024, 7, 1))
    '2024年7月1日'
    """
    return f"{day.year}年{day.month}月{day.day}日"


def is_late_page(state: State, answer: Answer) -> bool:
    """Whether the page asked for lies behind the last one."""
    return not answer.hits and answer.total > 0 and state.page > 1

"""What the search, list and error pages show, worked out of model objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote

from markupsafe import Markup

from access.principal import Principal
from access.rights import Action
from api.address import FIELD_WORDS, PAGE_SIZE, Field, State, word
from api.excerpts import excerpt
from kb.errors import KbError, TooManyRequests
from kb.model import Answer, Hit, Kind, Validity

ERROR_WORDS = {
    "not_found": ("没有找到", "它可能已被撤下，或不在您的可见范围内。请检查地址，或重新检索。"),
    "invalid_query": ("这样检索不了", "请检查检索词和筛选条件，改好后再试。"),
    "invalid_request": ("这样办不了", "所填的内容有问题。请回到上一页，改好后再试。"),
    "sign_in_required": ("请先登录", "登录后再回来办。"),
    "sign_in_failed": ("登录没有成功", "请重新登录；若仍不行，请联系本支部的管理员。"),
    "forbidden": (
        "不能这样做",
        "您的账号没有这个权限，或这个页面打开得太久。请刷新后再试；若确有需要，请联系本支部的管理员。",
    ),
    "conflict": ("没有办成", "它可能已经办过，或情况有了变化。请打开页面看看现在的情况，再决定是否重办。"),
    "too_many_requests": ("请稍等再试", "短时间内试得太多了。请过几分钟再来。"),
    "withdrawn": ("这份材料已被撤下", "它不能直接再交。若确需恢复，请联系保管它的支部。"),
    "provider_unavailable": ("单位登录暂时不可用", "请稍后再试，或改用密码登录；若仍不行，请告诉管理员。"),
    "proposer_unavailable": (
        "语言模型暂时不可用",
        "不用它也能出题。请稍后再试，或告诉管理员。",
    ),
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


def wait_words(error: TooManyRequests) -> str:
    """How long to wait, beside the field that was wrong too often.

    >>> wait_words(TooManyRequests("", wait_s=61))
    '试错的次数太多了，请等 2 分钟后再试。忘了密码请联系本支部的管理员。'
    """
    wait = f"{error.wait_s} 秒" if error.wait_s <= 60 else f"{-(-error.wait_s // 60)} 分钟"
    return f"试错的次数太多了，请等 {wait}后再试。忘了密码请联系本支部的管理员。"


_MANAGING = (
    Action.SEE_PEOPLE,
    Action.MANAGE_PEOPLE,
    Action.MANAGE_BRANCH,
    Action.PARTNER,
    Action.GROUP,
    Action.SEE_AUDIT,
)


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the main menu; `here` is what the page that it leads to calls itself."""

    here: str
    href: str
    label: str


def menu(asker: Principal) -> tuple[MenuEntry, ...]:
    """The main menu, with what the asker may do."""
    entries = [MenuEntry("search", "/", "检索"), MenuEntry("documents", "/documents", "文献")]
    if asker.signed_in:
        entries += [MenuEntry("cases", "/cases", "案例"), MenuEntry("quiz", "/quiz", "测验")]
    if any(asker.may(Action.ADD, branch_id) for branch_id in asker.branches):
        entries.append(MenuEntry("hand-in", "/manage/hand-in", "交材料"))
    if any(asker.may(Action.QUIZ, branch_id) for branch_id in asker.branches):
        entries.append(MenuEntry("questions", "/manage/questions", "试题"))
    manages = any(asker.may(action, branch_id) for action in _MANAGING for branch_id in asker.branches)
    if asker.settled and (asker.operator or manages):
        entries.append(MenuEntry("manage", "/manage", "管理"))
    return tuple(entries)


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


def moment_words(at: datetime) -> str:
    """A time in UTC, without a zone, as it was here."""
    here = at.replace(tzinfo=UTC).astimezone()
    return f"{day_words(here.date())} {here:%H:%M}"


def is_late_page(state: State, answer: Answer) -> bool:
    """Whether the page asked for lies behind the last one."""
    return not answer.hits and answer.total > 0 and state.page > 1

"""A search as its address states it: read, checked, changed and written again.

Values stay as typed, so that a form with a mistake in it gives back what the
person wrote.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from kb.model import Kind, Mode, Query, Validity
from search.engine import MAX_QUERY_CHARS, MAX_WINDOW

PAGE_SIZE = 10
LAST_PAGE = MAX_WINDOW // PAGE_SIZE

KIND_WORDS = {
    Kind.LAW: "法律法规",
    Kind.POLICY: "政策文件",
    Kind.ARTICLE: "学习文章",
    Kind.CASE: "案例",
}
VALIDITY_WORDS = {
    Validity.IN_FORCE: "现行有效",
    Validity.NOT_YET: "尚未生效",
    Validity.SUPERSEDED: "已被新版取代",
    Validity.REPEALED: "已废止",
}
MODE_WORDS = {Mode.HYBRID: "综合", Mode.KEYWORD: "关键词", Mode.VECTOR: "语义"}
LEG_WORDS = {"keyword": "关键词", "vector": "语义", "target": "指名"}

Field = Literal["kind", "issuer", "year", "validity"]
FIELD_WORDS: Mapping[Field, str] = {
    "validity": "效力",
    "kind": "类别",
    "issuer": "发布机关",
    "year": "年份",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the form: the id of the field and what to do about it."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class State:
    """A search as its address states it."""

    q: str = ""
    kind: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    validity: tuple[str, ...] = ()
    as_of: str = ""
    mode: str = Mode.HYBRID
    page: int = 1
    explain: bool = False

    @classmethod
    def read(cls, params: QueryParams) -> "State":
        """State from an address; a page number that is none reads as 1.

        >>> State.read(QueryParams("q=+试用期&kind=law&kind=law&page=x")).kind
        ('law',)
        """

        def several(name: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(value.strip() for value in params.getlist(name) if value.strip()))

        page = params.get("page", "1")
        return cls(
            q=params.get("q", "").strip(),
            kind=several("kind"),
            issuer=several("issuer"),
            year=several("year"),
            validity=several("validity"),
            as_of=params.get("as_of", "").strip(),
            mode=params.get("mode", "").strip() or Mode.HYBRID,
            page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() else 1,
            explain=params.get("explain", "") in ("1", "true", "on"),
        )

    def values(self, field: Field) -> tuple[str, ...]:
        """The values chosen in a facet."""
        return {"kind": self.kind, "issuer": self.issuer, "year": self.year, "validity": self.validity}[field]

    @property
    def n_active(self) -> int:
        """How many filters are on."""
        return sum(len(self.values(field)) for field in FIELD_WORDS) + bool(self.as_of)

    def with_page(self, page: int) -> "State":
        """The same search on another page."""
        return replace(self, page=page)

    def without(self, field: Field | Literal["as_of"], value: str = "") -> "State":
        """The same search, from its first page, with one filter taken off."""
        if field == "as_of":
            return replace(self, as_of="", page=1)
        kept = tuple(each for each in self.values(field) if each != value)
        if field == "kind":
            return replace(self, kind=kept, page=1)
        if field == "issuer":
            return replace(self, issuer=kept, page=1)
        if field == "year":
            return replace(self, year=kept, page=1)
        return replace(self, validity=kept, page=1)

    def bare(self) -> "State":
        """The same words without any filter."""
        return State(q=self.q, mode=self.mode, explain=self.explain)

    def address(self, path: str = "/", *, fragment: str = "", **extra: str) -> str:
        """Where this state is found; only what differs from the default is stated.

        >>> State(q="a b", kind=("law",), page=2).address(hit="p1")
        '/?q=a+b&kind=law&page=2&hit=p1'
        """
        pairs: list[tuple[str, str]] = [("q", self.q)] if self.q else []
        pairs += [(field, value) for field in FIELD_WORDS for value in self.values(field)]
        if self.as_of:
            pairs.append(("as_of", self.as_of))
        if self.mode != Mode.HYBRID:
            pairs.append(("mode", self.mode))
        if self.explain:
            pairs.append(("explain", "1"))
        if self.page > 1:
            pairs.append(("page", str(self.page)))
        pairs += extra.items()
        return path + ("?" + urlencode(pairs) if pairs else "") + ("#" + quote(fragment) if fragment else "")

    def problems(self) -> list[Problem]:
        """What stands in the way of a search, in the order of the form."""
        found = []
        if len(self.q) > MAX_QUERY_CHARS:
            found.append(
                Problem("q", f"检索词有 {len(self.q)} 字，最多 {MAX_QUERY_CHARS} 字。请只写问题本身。")
            )
        if self.as_of and _day(self.as_of) is None:
            found.append(Problem("as_of", f"“{self.as_of}”不是有效的日期。请写成 2024-01-31 的样子。"))
        if self.mode not in set(Mode):
            found.append(Problem("mode", f"没有“{self.mode}”这种检索方式。请从列表中选择。"))
        for value in set(self.kind) - set(Kind):
            found.append(Problem("q", f"没有“{value}”这个类别。请从筛选中选择。"))
        for value in set(self.validity) - set(Validity):
            found.append(Problem("q", f"没有“{value}”这种效力。请从筛选中选择。"))
        for value in self.year:
            if not re.fullmatch(r"[0-9]{4}", value):
                found.append(Problem("q", f"“{value}”不是年份。请写成四位数字，如 2024。"))
        return found

    def query(self, scope: frozenset[str], *, k: int = PAGE_SIZE, offset: int | None = None) -> Query:
        """The query for this page, or for `k` hits from `offset`; there must be no problems."""
        return Query(
            text=self.q,
            scope=scope,
            k=k,
            offset=(self.page - 1) * PAGE_SIZE if offset is None else offset,
            mode=Mode(self.mode),
            as_of=_day(self.as_of),
            validity=frozenset(map(Validity, self.validity)),
            kinds=frozenset(map(Kind, self.kind)),
            issuers=frozenset(self.issuer),
            years=frozenset(map(int, self.year)),
            explain=self.explain,
        )


def _day(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def word(field: Field, value: str) -> str:
    """How a facet value reads.

    >>> word("kind", "law"), word("year", "2024"), word("kind", "x")
    ('法律法规', '2024', 'x')
    """
    if field == "kind" and value in set(Kind):
        return KIND_WORDS[Kind(value)]
    if field == "validity" and value in set(Validity):
        return VALIDITY_WORDS[Validity(value)]
    return value

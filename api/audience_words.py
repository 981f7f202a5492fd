"""Audiences on the pages: in words, and as boxes to tick."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from access.access import Access
from access.principal import Principal
from access.rights import Action
from access.sharing import EVERYONE, OWN, PARTNERS, Reach, Told, Wanted
from api.address import Problem
from kb.model import PUBLIC

EVERYONE_WORDS = "所有人（不登录也能看）"
OWNER_WORDS = "只有交入的人"
BEYOND = "共享到本支部以外，由联络员或管理员来办。"
"""Why boxes beyond the own branch cannot be ticked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One audience to tick; `passes` says whether a box for passing on belongs to it."""

    value: str
    label: str
    checked: bool
    may_reshare: bool
    passes: bool = True


@dataclass(frozen=True, slots=True)
class AudienceForm:
    """Boxes of one form. `beyond` is why those of `wider`, `branches` and `groups` are shut, or empty."""

    own: tuple[Choice, ...]
    wider: tuple[Choice, ...]
    branches: tuple[Choice, ...]
    groups: tuple[Choice, ...]
    beyond: str = ""


class AudienceWords:
    """Says audiences as one person may read them, at one moment."""

    def __init__(self, access: Access, by: Principal) -> None:
        self._access = access
        self._by = by
        self._names = access.branches.names()
        self._groups = {g.group_id: g for g in access.groups.seen(by)}
        self._tree = access.branches.tree()

    def branch(self, branch_id: str | None) -> str:
        """The name of a branch; the common library where there is none."""
        return self._names.get(branch_id, "已停用的支部") if branch_id else "公共文库"

    def _with_those_below(self, branch_id: str) -> str:
        below = len(self._tree.below([branch_id])) > 1
        return self.branch(branch_id) + ("（含下级）" if below else "")

    def token(self, audience: str, keeper_id: str | None = None) -> str:
        """An audience as a share holds it; that of the keeper is its own branch."""
        kind, _, rest = audience.partition(":")
        if audience == PUBLIC:
            return EVERYONE_WORDS
        if kind == "owner":
            return OWNER_WORDS
        if kind == "partners":
            return "全部共建支部" if rest == keeper_id else f"{self.branch(rest)}的全部共建支部"
        if kind == "group":
            group = self._groups.get(rest)
            return f"工作组“{group.name}”" if group else "一个工作组（本支部不在其中）"
        if audience == f"branch:{keeper_id}":
            return "本支部"
        return self._with_those_below(rest.rpartition(">")[2])

    def told(self, shares: Iterable[Told], keeper_id: str | None) -> str:
        """Who a document is shared with, in one line; what others passed on is counted."""
        shares = ordered(shares, keeper_id)
        direct = [self.token(s.audience, keeper_id) for s in shares if not s.passed_on]
        n = len(shares) - len(direct)
        return "、".join(direct) + (f"，另有 {n} 处转发" if n else "")

    def reach(self, reach: Reach, keeper_id: str | None) -> tuple[str, ...]:
        """Who would see a document, a line for each."""
        if reach.owner_only:
            return ("只有您自己。",)
        lines = ["所有人，不登录也能看。"] if reach.everyone else []
        own = [b for b in reach.branch_ids if b == keeper_id]
        others = [self.branch(b) for b in reach.branch_ids if b != keeper_id]
        lines += [f"本支部：{self.branch(b)}。" for b in own]
        lines += [f"其他支部（{len(others)} 个）：{'、'.join(others)}。"] if others else []
        return (*lines, *(self._group_line(g) for g in reach.group_ids))

    def _group_line(self, group_id: str) -> str:
        group = self._groups.get(group_id)
        if group is None:
            return "一个工作组（本支部不在其中）。"
        kinds = [m.partition(":") for m in sorted(group.members)]
        known = self._access.people.names(self._by, [m for kind, _, m in kinds if kind == "person"])
        named = [self.branch(m) for kind, _, m in kinds if kind == "branch"] + sorted(known.values())
        n = len(kinds) - len(named)
        members = "、".join(named) + (f"，另有 {n} 人" if n else "") if kinds else "还没有成员"
        return f"工作组“{group.name}”：{members}。"

    # -- boxes ----------------------------------------------------------------------

    def form(self, branch_id: str, ticked: Sequence[Wanted], *, passing_on: bool = False) -> AudienceForm:
        """The boxes for a document of the branch, or for one that the branch passes on."""
        wanted = {w.audience: w.may_reshare for w in ticked}
        offered = self._access.sharing.choices(self._by, branch_id)

        def choice(value: str, label: str, *, passes: bool = True) -> Choice:
            return Choice(value, label, value in wanted, wanted.get(value, False), passes)

        has_below = len(self._tree.below([branch_id])) > 1
        own = choice(OWN, "本支部" + ("（含下级）" if has_below else ""), passes=has_below)
        wider = [choice(PARTNERS, "全部共建支部"), choice(EVERYONE, EVERYONE_WORDS, passes=False)]
        named = [(v, v.removeprefix("branch:")) for v in offered if v.startswith("branch:")]
        kept = [(v, v.removeprefix("group:")) for v in offered if v.startswith("group:")]
        return AudienceForm(
            () if passing_on else (own,),
            tuple(wider[:1] if passing_on else wider),
            tuple(choice(v, self._with_those_below(b)) for v, b in named),
            tuple(choice(v, f"工作组“{self._groups[g].name}”") for v, g in kept if g in self._groups),
            "" if self._by.may(Action.SHARE, branch_id) else BEYOND,
        )


def of_people(form: AudienceForm, beyond: str = BEYOND) -> AudienceForm:
    """The boxes for what is put to people who sign in, and not passed on; `beyond` says why wider ones are shut."""

    def people(choices: Sequence[Choice]) -> tuple[Choice, ...]:
        return tuple(replace(c, passes=False) for c in choices if c.value != EVERYONE)

    return AudienceForm(
        people(form.own),
        people(form.wider),
        people(form.branches),
        people(form.groups),
        beyond if form.beyond else "",
    )


def ordered(shares: Iterable[Told], keeper_id: str | None) -> list[Told]:
    """Shares from the keeper's own branch outwards; what was passed on comes last."""
    kinds = ("owner", "branch", "partners", "share", "group", PUBLIC)

    def place(s: Told) -> tuple[bool, bool, int]:
        return s.passed_on, s.audience != f"branch:{keeper_id}", kinds.index(s.audience.partition(":")[0])

    return sorted(shares, key=place)


def ticked_of(shares: Iterable[Told], keeper_id: str) -> list[Wanted]:
    """The keeper's own shares as boxes of its form."""
    found = []
    for s in shares:
        kind, _, rest = s.audience.partition(":")
        if s.passed_on or kind == "owner":
            continue
        named = {PUBLIC: EVERYONE, f"branch:{keeper_id}": OWN, f"partners:{keeper_id}": PARTNERS}
        value = f"branch:{rest.rpartition('>')[2]}" if kind == "share" else s.audience
        found.append(Wanted(named.get(s.audience, value), s.may_reshare))
    return found


def wanted_of(audience: Sequence[str], may_reshare: Sequence[str]) -> tuple[list[Wanted], list[Problem]]:
    """What was ticked, and what is wrong with it."""
    wanted = [Wanted(a, a in may_reshare and a != EVERYONE) for a in dict.fromkeys(audience)]
    if set(may_reshare) - set(audience):
        return wanted, [Problem("audience", "只勾了“允许转发”的，还要勾上它前面的对象。")]
    return wanted, []

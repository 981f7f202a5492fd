"""The rules of a vote of branches for model cases, apart from where it is kept.

Nobody raises what is their own: a branch votes neither for a case of its own, nor for
one of its organisation, nor for one from which a case of its own was derived, or the
other way about. Told afterwards is how many branches voted for a case, never which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_TITLE = 60
MOST_VOTES = 20
MOST_MODELS = 50


class Phase(StrEnum):
    """Where a ballot stands by the server's clock."""

    COMING = "coming"
    OPEN = "open"
    OVER = "over"


PHASE_WORDS: Mapping[Phase, str] = {
    Phase.COMING: "还没有开始投票",
    Phase.OPEN: "正在投票",
    Phase.OVER: "已结束",
}


class Bar(StrEnum):
    """Why a branch may not vote for a case."""

    OWN = "own"
    ORGANISATION = "organisation"
    LINE = "line"


BAR_WORDS: Mapping[Bar, str] = {
    Bar.OWN: "这是本支部的案例，不能投",
    Bar.ORGANISATION: "这是本单位其他支部的案例，不能投",
    Bar.LINE: "它与本支部的案例一脉相承（一个由另一个改编而来），不能投",
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote of branches: each has `n_votes`, and the first `n_models` of the count become model cases.

    `ended_at` is when it was closed and counted, None until then.
    """

    ballot_id: str
    branch_id: str
    title: str
    n_votes: int
    n_models: int
    opens_at: datetime
    closes_at: datetime
    called_at: datetime
    ended_at: datetime | None

    def phase(self, now: datetime) -> Phase:
        """Where it stands; once ended it is over, whatever the clock says."""
        if self.ended_at is not None or now >= self.closes_at:
            return Phase.OVER
        return Phase.OPEN if now >= self.opens_at else Phase.COMING

    @property
    def closed_at(self) -> datetime:
        """When it closes, or closed."""
        return self.closes_at if self.ended_at is None else self.ended_at


@dataclass(frozen=True, slots=True)
class Standing:
    """A case in the count. Equal votes have equal ranks; the next rank leaves out as many."""

    case_id: str
    n_votes: int
    rank: int
    is_model: bool


def standings(n_votes: Mapping[str, int], n_models: int) -> tuple[Standing, ...]:
    """The count, best first.

    The first `n_models` become model cases, with all that are level with the last of them; what nobody
    voted for never does.

    >>> [(s.case_id, s.rank, s.is_model) for s in standings({"a": 2, "b": 5, "c": 2, "d": 1}, 2)]
    [('b', 1, True), ('a', 2, True), ('c', 2, True), ('d', 4, False)]
    """
    found = []
    for case_id, n in sorted(n_votes.items(), key=lambda each: (-each[1], each[0])):
        rank = 1 + sum(other > n for other in n_votes.values())
        found.append(Standing(case_id, n, rank, n > 0 and rank <= n_models))
    return tuple(found)


@dataclass(frozen=True)
class Lineage:
    """Which case was derived from which, by case, and the branches that they are of."""

    derived_from: Mapping[str, str]
    branches: Mapping[str, str | None]

    def above(self, case_id: str) -> frozenset[str]:
        """What the case was derived from, over any steps."""
        found: set[str] = set()
        at = self.derived_from.get(case_id)
        while at is not None and at not in found:
            found.add(at)
            at = self.derived_from.get(at)
        return frozenset(found)

    def kin(self, case_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """For each case the branches of what it was derived from, and of what was derived from it, over any steps.

        >>> sorted(Lineage({"b": "a", "c": "b"}, {"a": "x", "b": "y", "c": "z"}).kin(["b"])["b"])
        ['x', 'z']
        """
        line = {case_id: set(self.above(case_id)) for case_id in case_ids}
        for below in self.derived_from:
            for above in self.above(below) & line.keys():
                line[above].add(below)
        return {
            case_id: frozenset(b for c in found if (b := self.branches.get(c)) is not None)
            for case_id, found in line.items()
        }


def bar(
    branch_id: str, case_branch_id: str | None, kin: frozenset[str], tops: Mapping[str, str]
) -> Bar | None:
    """Why the branch may not vote for a case of that branch; None if it may.

    Args:
        branch_id: who votes.
        case_branch_id: whose case it is.
        kin: branches with a case in its line of descent.
        tops: the branch at the top of the tree, by branch; one that is in no tree is its own.

    >>> bar("a-1", "a-2", frozenset(), {"a-1": "a", "a-2": "a"})
    <Bar.ORGANISATION: 'organisation'>
    """
    if case_branch_id == branch_id:
        return Bar.OWN
    if case_branch_id is not None and tops.get(branch_id, branch_id) == tops.get(
        case_branch_id, case_branch_id
    ):
        return Bar.ORGANISATION
    return Bar.LINE if branch_id in kin else None

"""Who of those who sat an exam is told of to whom.

A branch whose people the asker does not see by name is told only with `SMALLEST` of them or more. Smaller ones
are told together; if they are too few even so, they are left out of every number, since the whole less
its parts would tell them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from quiz.held import MARKED, OPEN, SUBMITTED
from quiz.sat import Sat

SMALLEST = 5
"""People of a branch below which it is not told by itself."""
N_BARS = 10
"""Bars of the distribution of scores."""


@dataclass(frozen=True, slots=True)
class Group:
    """A branch in numbers; `branch_id` None are several together. `mean` is of shares of the points, 0 to 1.

    `n` people's first sittings are marked. `n_open` have not handed in yet, `n_waiting` wait for a mark.
    `n_passed` passed, in whichever sitting. `not_begun` is known of the asker's own branches only.
    """

    branch_id: str | None
    n: int
    n_open: int
    n_waiting: int
    mean: float | None
    n_passed: int
    not_begun: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of to the asker, by group; see `Group`."""

    groups: Mapping[str | None, list[Sat]]
    whole: bool
    left_out: bool

    @property
    def sat(self) -> list[Sat]:
        """All of them."""
        return [s for group in self.groups.values() for s in group]


def tell(by: Principal, giver: str, found: Iterable[Sat], scopes: Scopes) -> Told:
    """Of the sittings of an exam that the branch `giver` gave, those that the asker is told of."""
    by_branch: dict[str | None, list[Sat]] = {}
    for s in found:
        by_branch.setdefault(s.branch_id, []).append(s)
    own = set(own_branches(by))
    whole = by.may(Action.QUIZ, giver)
    groups: dict[str | None, list[Sat]] = {b: sat for b, sat in by_branch.items() if b in own}
    if not whole:
        return Told(groups, whole, False)
    tops = {scopes.tree.top(b) for b in by.branches}
    together: list[Sat] = []
    for b, sat in by_branch.items():
        if b in own:
            continue
        is_known = b is not None and (b in by.partners or scopes.tree.top(b) in tops)
        if is_known and _n_counted(sat) >= SMALLEST:
            groups[b] = sat
        else:
            together += sat
    if _n_counted(together) >= SMALLEST:
        groups[None] = together
        together = []
    return Told(groups, whole, bool(together))


def _n_counted(sat: Iterable[Sat]) -> int:
    return sum(s.number == 1 and s.state == MARKED for s in sat)


def own_branches(by: Principal) -> list[str]:
    """Branches whose people the asker sees by name."""
    return sorted(b for b in by.branches if by.may(Action.SEE_RESULTS, b))


def group_of(
    branch_id: str | None,
    sat: Sequence[Sat],
    pass_share: float,
    expected: set[str] | None = None,
    begun: Iterable[str] = (),
) -> Group:
    """A group in numbers. `expected` are its people who may sit the exam, where known; `begun` who has begun."""
    firsts = [s for s in sat if s.number == 1]
    shares = [s.share for s in firsts if s.share is not None]
    return Group(
        branch_id=branch_id,
        n=len(shares),
        n_open=sum(s.state == OPEN for s in firsts),
        n_waiting=sum(s.state == SUBMITTED for s in firsts),
        mean=fmean(shares) if shares else None,
        n_passed=n_passed(sat, pass_share),
        not_begun=None if expected is None else len(expected.difference(begun)),
    )


def n_passed(sat: Iterable[Sat], pass_share: float) -> int:
    """How many people passed, in whichever sitting."""
    return len({s.person_id for s in sat if s.passed(pass_share)})


def bars(shares: Iterable[float]) -> tuple[int, ...]:
    """How many shares fall into each of `N_BARS` equal steps from 0 to 1; 1 belongs to the last.

    >>> bars([0.0, 0.3, 0.999, 1.0])
    (1, 0, 0, 1, 0, 0, 0, 0, 0, 2)
    """
    # Rounded first: 0.3 is 0.3 also where it is the sum of three tenths.
    counts = Counter(min(int(round(share * N_BARS, 9)), N_BARS - 1) for share in shares)
    return tuple(counts[n] for n in range(N_BARS))

"""From a person to the audience tokens that they may read, worked out anew for every request.

    public              everyone
    owner:B:P           the person P alone, while they have a role in branch B
    branch:B            all of B and of the branches below it
    partners:B          all of B's partners
    share:A>B           B, by name, from its partner A
    group:G             the members of a group
    reshare:S           whom the share S was passed on to, while its sharer still has what it passed on

A person belongs to the branches where they have a role and to every branch above
those. Partnerships hold on their days, once both sides agreed, until one ends them;
a partnership of a branch holds for those below it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlalchemy import Connection, bindparam, select

from access.tables import branches, group_members, partnerships
from kb.model import PUBLIC
from store.tables import shares


@dataclass(frozen=True)
class Tree:
    """The branches that are in use, by parent."""

    parents: Mapping[str, str | None]

    def above(self, branch_ids: Iterable[str]) -> frozenset[str]:
        """The branches and all above them; those not in use, and what hangs on them, are none."""
        found: set[str] = set()
        for branch_id in branch_ids:
            line, at = [], branch_id
            while at in self.parents and at not in line:
                line.append(at)
                at = self.parents[at] or ""
            if not at:
                found.update(line)
        return frozenset(found)

    def below(self, branch_ids: Iterable[str]) -> frozenset[str]:
        """The branches and all below them."""
        found: set[str] = set()
        waiting = [b for b in branch_ids if b in self.parents]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting += self._children.get(at, ())
        return frozenset(found)

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for branch_id, parent in self.parents.items():
            if parent is not None:
                found.setdefault(parent, []).append(branch_id)
        return found

    def top(self, branch_id: str) -> str | None:
        """The branch at the top of the one's tree, None if it is not in use."""
        line = self.above([branch_id])
        return next((b for b in line if self.parents[b] is None), None)


# What every request asks is put together once.
_BRANCHES = select(branches.c.branch_id, branches.c.parent_id).where(branches.c.active)
_IN_FORCE = select(partnerships.c.proposer_id, partnerships.c.partner_id).where(
    partnerships.c.agreed_at.is_not(None),
    partnerships.c.ended_at.is_(None),
    partnerships.c.begins_on <= bindparam("today"),
    partnerships.c.ends_on >= bindparam("today"),
)
_GROUPS = select(group_members.c.group_id).where(
    group_members.c.member.in_(bindparam("members", expanding=True))
)
_PASSED_ON = select(shares.c.parent_id, shares.c.branch_id, shares.c.token).where(
    shares.c.parent_id.is_not(None), shares.c.audience.in_(bindparam("base", expanding=True))
)


def tree(connection: Connection) -> Tree:
    """The branches in use."""
    return Tree({r.branch_id: r.parent_id for r in connection.execute(_BRANCHES)})


class Scopes:
    """Works out scopes on one connection, at one moment."""

    def __init__(self, connection: Connection, today: date) -> None:
        self._connection = connection
        self.tree = tree(connection)
        rows = connection.execute(_IN_FORCE, {"today": today}).all()
        self._sides = [(r[0], r[1]) for r in rows] + [(r[1], r[0]) for r in rows]
        self._of_branch: dict[str, frozenset[str]] = {}

    def partners(self, branch_ids: frozenset[str]) -> dict[str, frozenset[str]]:
        """Branches, with all below them, that are partners of these; each with which of these they are partners of.

        The branches must come with all above them.
        """
        found: dict[str, set[str]] = {}
        for one, other in self._sides:
            mine = branch_ids & self.tree.below([one])
            for partner in self.tree.below([other]) if mine else ():
                found.setdefault(partner, set()).update(mine)
        return {partner: frozenset(mine) for partner, mine in found.items()}

    def of_person(self, person_id: str, branch_ids: Iterable[str]) -> frozenset[str]:
        """Scope of a person who has roles in the branches."""
        present = [b for b in branch_ids if self.tree.above([b])]
        own = {f"owner:{b}:{person_id}" for b in present}
        return self._passed_on(self._base(frozenset(present), person_id) | own)

    def of_branch(self, branch_id: str) -> frozenset[str]:
        """What a member of the branch sees who is in no group in person."""
        return self._passed_on(self._base(frozenset({branch_id}), None))

    def _base(self, branch_ids: frozenset[str], person_id: str | None) -> frozenset[str]:
        """Scope without what was passed on."""
        orgs = self.tree.above(branch_ids)
        tokens = {PUBLIC, *(f"branch:{b}" for b in orgs)}
        for partner, mine in self.partners(orgs).items():
            tokens.add(f"partners:{partner}")
            tokens.update(f"share:{partner}>{b}" for b in mine)
        members = [f"branch:{b}" for b in orgs] + ([f"person:{person_id}"] if person_id else [])
        rows = self._connection.execute(_GROUPS, {"members": members})
        tokens.update(f"group:{r.group_id}" for r in rows)
        return frozenset(tokens)

    def _passed_on(self, base: frozenset[str]) -> frozenset[str]:
        """`base` with the reshares that reach it and still hold."""
        rows = self._connection.execute(_PASSED_ON, {"base": sorted(base)}).all()
        return base | {r.token for r in rows if self._holds(r.parent_id, r.branch_id)}

    def _holds(self, parent_id: str, branch_id: str) -> bool:
        """Whether the branch still has the share that it passed on, and may pass it on."""
        s = shares.c
        parent = self._connection.execute(
            select(s.audience, s.may_reshare, s.parent_id, s.branch_id).where(s.share_id == parent_id)
        ).first()
        if parent is None or not parent.may_reshare or branch_id not in self.tree.parents:
            return False
        if branch_id not in self._of_branch:
            self._of_branch[branch_id] = self._base(frozenset({branch_id}), None)
        if parent.audience not in self._of_branch[branch_id]:
            return False
        return parent.parent_id is None or self._holds(parent.parent_id, parent.branch_id)

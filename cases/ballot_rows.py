"""Ballots as they are kept: which a scope sees, what is up for the vote, who may vote for what, and the count."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from access.scopes import Tree
from access.tables import branches
from cases.tables import ballot_audiences, ballots, case_versions, cases, nominations, votes
from cases.visibility import seen
from cases.voting import Ballot, Bar, Lineage, Standing, bar, standings
from kb.errors import NotFound


class Rules:
    """Which branches may vote for which of the cases at a moment."""

    def __init__(self, connection: Connection, case_ids: Collection[str], at: datetime) -> None:
        # Those out of use belong to their organisation still.
        tree = Tree({r.branch_id: r.parent_id for r in connection.execute(select(branches))})
        self._tops = {b: tree.top(b) or b for b in tree.parents}
        lineage = _lineage(connection, case_ids, at)
        self._branches = lineage.branches
        self._kin = lineage.kin(case_ids)

    def bar(self, branch_id: str, case_id: str) -> Bar | None:
        """Why the branch may not vote for the case; None if it may."""
        return bar(branch_id, self._branches.get(case_id), self._kin[case_id], self._tops)


def _lineage(connection: Connection, case_ids: Collection[str], at: datetime) -> Lineage:
    """The cases, and all that derived from another, as they were published at a moment.

    A draft is nobody's case yet. What others derived from has been published.
    """
    v, parents = case_versions.c, cases.alias()
    published = exists(select(v.case_id).where(v.case_id == cases.c.case_id, v.published_at <= at))
    derived = connection.execute(
        select(cases.c.case_id, cases.c.derived_from).where(cases.c.derived_from.is_not(None), published)
    ).all()
    above = select(parents.c.derived_from).where(parents.c.derived_from.is_not(None))
    named = connection.execute(
        select(cases.c.case_id, cases.c.branch_id).where(
            cases.c.case_id.in_(case_ids) | cases.c.derived_from.is_not(None) | cases.c.case_id.in_(above)
        )
    )
    return Lineage({r.case_id: r.derived_from for r in derived}, {r.case_id: r.branch_id for r in named})


def given(scope: frozenset[str]) -> Select[Any]:
    """Rows of the ballots that the scope sees; the branch that called one is among those called upon."""
    x = ballot_audiences.c
    called = select(x.ballot_id).where(x.ballot_id == ballots.c.ballot_id, x.token.in_(sorted(scope)))
    return select(ballots).where(exists(called))


def found_ballot(connection: Connection, scope: frozenset[str], ballot_id: str) -> Ballot:
    """One ballot that the scope sees.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(given(scope).where(ballots.c.ballot_id == ballot_id)).first()
    if row is None:
        raise NotFound(f"No ballot {ballot_id} here.", "See which your branch was called to.")
    return ballot_of(row)


def ballot_of(row: Any) -> Ballot:
    """The ballot of a row."""
    return Ballot(*(getattr(row, name) for name in Ballot.__slots__))


def no_case(case_id: str) -> NotFound:
    """What is answered for a case that is not up for the vote, and for one that the asker does not see."""
    return NotFound(f"No case {case_id} here.", "See the cases of the ballot.")


def audience_of(connection: Connection, ballot_id: str) -> frozenset[str]:
    """Tokens of those called upon."""
    x = ballot_audiences.c
    return frozenset(connection.execute(select(x.token).where(x.ballot_id == ballot_id)).scalars())


def nominated(scope: frozenset[str], ballot_ids: Sequence[str]) -> Select[Any]:
    """Ballot, case and branch of the nominations whose case the scope sees, first put up first."""
    n = nominations.c
    return (
        select(n.ballot_id, n.case_id, n.branch_id)
        .join(cases, cases.c.case_id == n.case_id)
        .where(n.ballot_id.in_(ballot_ids), seen(scope))
        .order_by(n.nominated_at, n.case_id)
    )


def counted(
    connection: Connection, scope: frozenset[str], n_models: Mapping[str, int]
) -> dict[str, tuple[Standing, ...]]:
    """The standings of closed ballots, over the cases that the scope sees."""
    n, v = nominations.c, votes.c
    rows = connection.execute(
        select(n.ballot_id, n.case_id, func.count(v.branch_id).label("n_votes"))
        .join(cases, cases.c.case_id == n.case_id)
        .outerjoin(votes, (v.ballot_id == n.ballot_id) & (v.case_id == n.case_id))
        .where(n.ballot_id.in_(list(n_models)), seen(scope))
        .group_by(n.ballot_id, n.case_id)
    )
    of_ballot: dict[str, dict[str, int]] = {ballot_id: {} for ballot_id in n_models}
    for row in rows:
        of_ballot[row.ballot_id][row.case_id] = row.n_votes
    return {ballot_id: standings(found, n_models[ballot_id]) for ballot_id, found in of_ballot.items()}

"""Who knows: the branches whose cases come near to a problem, and whom to ask there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from access.office import Office
from access.people import people_of
from access.principal import Principal
from access.rights import Action
from access.scopes import tree
from access.tables import partnerships
from cases.library import Library
from cases.model import CaseCard, Field
from kb.errors import NotFound

AS_NEAR = 0.75
"""Share of the nearest case's score from which on another counts as near, too."""


@dataclass(frozen=True, slots=True)
class Knowing:
    """A branch that came near to solving it.

    Attributes:
        case_ids: its cases, nearest first.
        liaisons: names of those whom it named for a partnership that is in force with a branch of the asker's.
        contacts: what its cases say of whom to ask.
    """

    branch_id: str
    case_ids: tuple[str, ...]
    liaisons: tuple[str, ...]
    contacts: tuple[str, ...]


def who_knows(office: Office, library: Library, by: Principal, cards: Sequence[CaseCard]) -> list[Knowing]:
    """The other branches of these cases, all seen by the asker, in their order, and whom to ask there.

    Of cases found for a problem, nearest first, those count that come about as near as the nearest does.
    Liaisons are told to who speaks for a branch, of its partners.
    """
    least = AS_NEAR * max((card.score for card in cards), default=0.0)
    of_branch: dict[str, list[str]] = {}
    for card in cards:
        if card.score >= least and card.branch_id is not None and card.branch_id not in by.roles:
            of_branch.setdefault(card.branch_id, []).append(card.case_id)
    with office.reading() as connection:
        liaisons = _liaisons(connection, office, by, of_branch)
    return [
        Knowing(
            branch_id, tuple(case_ids), liaisons[branch_id], tuple(_contacts(library, by.scope, case_ids))
        )
        for branch_id, case_ids in of_branch.items()
    ]


def _liaisons(
    connection: Connection, office: Office, by: Principal, branch_ids: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Names of the liaisons of the other side, by branch."""
    known, p, today = tree(connection), partnerships.c, office.today()
    own = known.above(b for b in by.roles if by.may(Action.SPEAK, b))
    rows = connection.execute(
        select(p.proposer_id, p.proposer_liaison, p.partner_id, p.partner_liaison).where(
            p.agreed_at.is_not(None), p.ended_at.is_(None), p.begins_on <= today, p.ends_on >= today
        )
    ).all()
    sides = [(r[0], r[2], r[3]) for r in rows] + [(r[2], r[0], r[1]) for r in rows]
    named = {
        branch_id: [
            liaison
            for mine, other, liaison in sides
            if liaison is not None and mine in own and branch_id in known.below([other])
        ]
        for branch_id in branch_ids
    }
    people = people_of(connection, {liaison for found in named.values() for liaison in found})
    names = {p.person_id: p.name for p in people if p.active}
    return {
        branch_id: tuple(dict.fromkeys(names[liaison] for liaison in found if liaison in names))
        for branch_id, found in named.items()
    }


def _contacts(library: Library, scope: frozenset[str], case_ids: Iterable[str]) -> list[str]:
    """What the cases say of whom to ask, each once."""
    found = []
    for case_id in case_ids:
        try:
            found.append(library.case(scope, case_id).body.get(Field.CONTACTS, ""))
        except NotFound:
            # It was taken back since it was listed.
            continue
    return [text for text in dict.fromkeys(found) if text]

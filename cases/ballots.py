"""Votes of branches for model cases (先进典型): called, nominated for, voted in, counted.

Counted are the votes of branches that were called upon when the ballot closed. It closes by the clock,
and is counted out by the first who looks after that, or in the night: votes that do not hold then go,
and what the branches do later changes the count no more. Only what is seen is shown, ranked or counted: where
a case is hidden, or was withdrawn, the others stand as if it had never been nominated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from access.sharing import EVERYONE, Reach, Sharing, Wanted
from cases.ballot_rows import (
    Rules,
    audience_of,
    ballot_of,
    counted,
    found_ballot,
    given,
    no_case,
    nominated,
)
from cases.tables import ballot_audiences, ballots, cases, nominations, votes
from cases.visibility import seen
from cases.voting import (
    LONGEST_TITLE,
    MOST_MODELS,
    MOST_VOTES,
    Ballot,
    Bar,
    Phase,
    Standing,
)
from kb.errors import Conflict, InvalidRequest, Refused
from kb.model import derive_id


@dataclass(frozen=True, slots=True)
class BallotCard:
    """A ballot in a list: cases that the asker sees, and the asker's branches that have voted."""

    ballot: Ballot
    phase: Phase
    n_cases: int
    voted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Nominee:
    """A case that its branch put up for the vote."""

    case_id: str
    branch_id: str


@dataclass(frozen=True, slots=True)
class Voice:
    """A branch for which the asker votes. `chosen` and `barred` hold cases that the asker sees.

    `takes_part`: the branch is among those called upon.
    """

    branch_id: str
    takes_part: bool
    chosen: frozenset[str]
    barred: Mapping[str, Bar]


@dataclass(frozen=True, slots=True)
class Won:
    """A ballot by which a case became a model case."""

    ballot_id: str
    title: str


class Ballots:
    """Calls branches to vote, and counts. Safe to share between threads."""

    def __init__(self, office: Office, sharing: Sharing) -> None:
        self._office = office
        self._sharing = sharing

    # -- calling ----------------------------------------------------------------------

    def call(
        self,
        by: Principal,
        branch_id: str,
        title: str,
        opens_at: datetime,
        closes_at: datetime,
        n_votes: int,
        n_models: int,
        wanted: Sequence[Wanted],
    ) -> str:
        """Call branches to a vote; the ballot's id. The calling branch is always among them.

        Raises:
            InvalidRequest: title, times or numbers make no sense, or only one organisation is called upon.
            NotFound: an audience that is not there.
            SignInRequired, Refused: the asker does not speak for the branch, or may not share so widely.
        """
        by.require(Action.SPEAK, branch_id)
        title = " ".join(title.split())
        at = self._office.now()
        _check(title, opens_at, closes_at, n_votes, n_models, at)
        audience = self._tokens(by, branch_id, wanted)
        ballot_id = derive_id("ballot", branch_id, at.isoformat(), new_secret())
        with self._office.writing() as connection:
            connection.execute(
                insert(ballots).values(
                    ballot_id=ballot_id,
                    branch_id=branch_id,
                    title=title,
                    n_votes=n_votes,
                    n_models=n_models,
                    opens_at=opens_at,
                    closes_at=closes_at,
                    called_by=by.person_id,
                    called_at=at,
                )
            )
            rows = [{"ballot_id": ballot_id, "token": token} for token in audience]
            connection.execute(insert(ballot_audiences), rows)
            self._write(connection, by, "ballot.call", ballot_id, branch_id, audiences=audience)
        return ballot_id

    def preview(self, by: Principal, branch_id: str, wanted: Sequence[Wanted]) -> Reach:
        """Who would be called upon; nothing is changed.

        Raises:
            InvalidRequest, NotFound, SignInRequired, Refused: as in `call`.
        """
        by.require(Action.SPEAK, branch_id)
        self._tokens(by, branch_id, wanted)
        return self._sharing.reach(by, branch_id, wanted, owner_id=by.person_id)

    def _tokens(self, by: Principal, branch_id: str, wanted: Sequence[Wanted]) -> list[str]:
        """Who is called upon: the same audiences, under the same rights, as those of documents; but branches."""
        if EVERYONE in {w.audience for w in wanted}:
            raise InvalidRequest("Cannot call everyone to vote: branches do.", "Choose branches or groups.")
        if not wanted:
            raise InvalidRequest("Cannot call a vote of nobody.", "Choose who is to vote.")
        tokens = self._sharing.tokens(by, branch_id, wanted, owner_id=by.person_id)
        with self._office.reading() as connection:
            scopes = Scopes(connection, self._office.today())
            reached = [b for b in scopes.tree.parents if scopes.of_branch(b) & tokens.keys()]
        if len({scopes.tree.top(b) for b in reached}) < 2:
            raise InvalidRequest(
                "Cannot call a vote within one organisation: nobody votes for cases of their own.",
                "Choose a branch of another organisation.",
            )
        return sorted(tokens)

    def end(self, by: Principal, ballot_id: str) -> None:
        """Close a ballot now, and count it out.

        Raises:
            NotFound: there is none for the asker.
            Conflict: it is over.
            SignInRequired, Refused: the asker does not speak for the branch that called it.
        """
        by.require(Action.SPEAK, self.ballot(by, ballot_id).branch_id)
        with self._office.writing() as connection:
            at = self._office.now()
            found = self._standing(connection, by, ballot_id, at)
            self._count_out(connection, found, at, self._office.today())
            self._write(connection, by, "ballot.end", ballot_id, found.branch_id)

    def tidy(self) -> None:
        """Count out what has closed."""
        due = ballots.c.ended_at.is_(None) & (ballots.c.closes_at <= self._office.now())
        with self._office.reading() as connection:
            closed = connection.execute(select(ballots.c.ballot_id).where(due)).scalars().all()
        for ballot_id in closed:
            with self._office.writing() as connection:
                row = connection.execute(select(ballots).where(ballots.c.ballot_id == ballot_id, due)).first()
                # Another who looked may have been first.
                if row is not None:
                    found = ballot_of(row)
                    self._count_out(connection, found, found.closes_at, _day_here(found.closes_at))
                    self._write(connection, None, "ballot.close", ballot_id, found.branch_id)

    def _count_out(self, connection: Connection, ballot: Ballot, at: datetime, day: date) -> None:
        """Let go of the votes that do not hold at the close, and mark the ballot as closed."""
        audience = audience_of(connection, ballot.ballot_id)
        scopes = Scopes(connection, day)
        v = votes.c
        cast = connection.execute(select(v.branch_id, v.case_id).where(v.ballot_id == ballot.ballot_id)).all()
        rules = Rules(connection, {row.case_id for row in cast}, at)
        for branch_id, case_id in cast:
            if scopes.of_branch(branch_id).isdisjoint(audience) or rules.bar(branch_id, case_id):
                connection.execute(
                    delete(votes).where(
                        v.ballot_id == ballot.ballot_id, v.branch_id == branch_id, v.case_id == case_id
                    )
                )
        connection.execute(update(ballots).where(ballots.c.ballot_id == ballot.ballot_id).values(ended_at=at))

    # -- nominating and voting -----------------------------------------------------------

    def nominate(self, by: Principal, ballot_id: str, case_id: str) -> None:
        """Put a published case of one's own branch up for the vote, until it closes.

        Raises:
            NotFound: there is no such ballot or case for the asker.
            Conflict: the ballot is over, or the case was put up before.
            SignInRequired, Refused: the asker does not speak for the branch of the case, or it was not called upon.
        """
        self.ballot(by, ballot_id)
        with self._office.writing() as connection:
            at = self._office.now()
            self._standing(connection, by, ballot_id, at)
            branch_id = self._own(connection, by, case_id)
            self._require_part(connection, ballot_id, branch_id)
            up = (nominations.c.ballot_id == ballot_id) & (nominations.c.case_id == case_id)
            if connection.execute(select(nominations.c.case_id).where(up)).first():
                raise Conflict(f"Cannot nominate {case_id}: it was before.", "See the cases of the ballot.")
            connection.execute(
                insert(nominations).values(
                    ballot_id=ballot_id,
                    case_id=case_id,
                    branch_id=branch_id,
                    nominated_by=by.person_id,
                    nominated_at=at,
                )
            )
            self._write(connection, by, "ballot.nominate", ballot_id, branch_id, case=case_id)

    def take_back(self, by: Principal, ballot_id: str, case_id: str) -> None:
        """Take a nomination of one's own branch back, and with it the votes for it, until the ballot closes.

        Raises:
            NotFound: there is no such ballot, case or nomination for the asker.
            Conflict: the ballot is over.
            SignInRequired, Refused: the asker does not speak for the branch of the case.
        """
        self.ballot(by, ballot_id)
        with self._office.writing() as connection:
            self._standing(connection, by, ballot_id, self._office.now())
            branch_id = self._own(connection, by, case_id)
            for table in (votes, nominations):
                gone = connection.execute(
                    delete(table).where(table.c.ballot_id == ballot_id, table.c.case_id == case_id)
                )
            if not gone.rowcount:
                raise no_case(case_id)
            self._write(connection, by, "ballot.take_back", ballot_id, branch_id, case=case_id)

    def vote(self, by: Principal, ballot_id: str, branch_id: str, case_ids: Iterable[str]) -> None:
        """Cast the votes of a branch: exactly these, in place of those it cast before; none takes them back.

        Raises:
            NotFound: there is no such ballot, or one of the cases is not up for the vote, for the asker.
            Conflict: the ballot is not open.
            InvalidRequest: more cases than a branch has votes.
            SignInRequired, Refused: the asker does not speak for the branch, it was not called upon, or it may not
                vote for one of the cases.
        """
        by.require(Action.SPEAK, branch_id)
        self.ballot(by, ballot_id)
        chosen = sorted(set(case_ids))
        with self._office.writing() as connection:
            at = self._office.now()
            found = self._standing(connection, by, ballot_id, at)
            if found.phase(at) is Phase.COMING:
                raise Conflict(
                    f"Cannot vote in ballot {ballot_id}: it is not open yet.", "Wait until it opens."
                )
            self._require_part(connection, ballot_id, branch_id)
            if len(chosen) > found.n_votes:
                raise InvalidRequest(
                    f"Cannot vote for {len(chosen)} cases: a branch has {found.n_votes} votes here.",
                    "Choose fewer.",
                )
            up = {row.case_id for row in connection.execute(nominated(by.scope, [ballot_id]))}
            rules = Rules(connection, chosen, at)
            for case_id in chosen:
                if case_id not in up:
                    raise no_case(case_id)
                if reason := rules.bar(branch_id, case_id):
                    raise Refused(
                        f"Cannot vote for case {case_id} as {branch_id}: barred ({reason.value}).",
                        "Choose cases of other organisations, outside the line of descent of your own.",
                    )
            mine = (votes.c.ballot_id == ballot_id) & (votes.c.branch_id == branch_id)
            connection.execute(delete(votes).where(mine))
            rows = [
                {
                    "ballot_id": ballot_id,
                    "branch_id": branch_id,
                    "case_id": case_id,
                    "cast_by": by.person_id,
                    "cast_at": at,
                }
                for case_id in chosen
            ]
            if rows:
                connection.execute(insert(votes), rows)
            # What was voted for is between the branch and the count: the trail tells only that it voted.
            self._write(connection, by, "ballot.vote", ballot_id, branch_id, votes=len(chosen))

    def _standing(self, connection: Connection, by: Principal, ballot_id: str, at: datetime) -> Ballot:
        """The ballot as it is in this transaction, which no clock has closed."""
        found = found_ballot(connection, by.scope, ballot_id)
        if found.phase(at) is Phase.OVER:
            raise Conflict(f"Cannot change ballot {ballot_id}: it is over.", "See its result.")
        return found

    def _own(self, connection: Connection, by: Principal, case_id: str) -> str:
        """The branch of a case that the asker sees and speaks for."""
        row = connection.execute(
            select(cases.c.branch_id).where(cases.c.case_id == case_id, seen(by.scope))
        ).first()
        if row is None:
            raise no_case(case_id)
        by.require(Action.SPEAK, row.branch_id)
        branch_id: str = row.branch_id
        return branch_id

    def _require_part(self, connection: Connection, ballot_id: str, branch_id: str) -> None:
        scopes = Scopes(connection, self._office.today())
        if scopes.of_branch(branch_id).isdisjoint(audience_of(connection, ballot_id)):
            raise Refused(
                f"Cannot take part in ballot {ballot_id} as {branch_id}: the branch is not called upon.",
                "Ask the branch that called it.",
            )

    # -- telling ----------------------------------------------------------------------------

    def open_to(self, by: Principal) -> list[BallotCard]:
        """Ballots that the asker sees: what is open, first what closes first; then what comes; then what is over.

        Raises:
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        self.tidy()
        with self._office.reading() as connection:
            now = self._office.now()
            found = [ballot_of(row) for row in connection.execute(given(by.scope))]
            ids = [each.ballot_id for each in found]
            up = connection.execute(nominated(by.scope, ids)).all()
            cast = self._cast(connection, by, ids)
        cards = [
            BallotCard(
                each,
                each.phase(now),
                sum(row.ballot_id == each.ballot_id for row in up),
                frozenset(b for b, ballot_id, _ in cast if ballot_id == each.ballot_id),
            )
            for each in sorted(found, key=lambda each: (each.closed_at, each.ballot_id))
        ]
        running = [card for phase in (Phase.OPEN, Phase.COMING) for card in cards if card.phase is phase]
        return running + [card for card in reversed(cards) if card.phase is Phase.OVER]

    def ballot(self, by: Principal, ballot_id: str) -> Ballot:
        """One ballot.

        Raises:
            NotFound: there is none for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        self.tidy()
        with self._office.reading() as connection:
            return found_ballot(connection, by.scope, ballot_id)

    def audience(self, by: Principal, ballot_id: str) -> list[str]:
        """Tokens of those called upon.

        Raises:
            NotFound: there is no such ballot for the asker.
            SignInRequired, Refused: the asker does not speak for the branch that called it.
        """
        by.require(Action.SPEAK, self.ballot(by, ballot_id).branch_id)
        with self._office.reading() as connection:
            return sorted(audience_of(connection, ballot_id))

    def nominees(self, by: Principal, ballot_id: str) -> list[Nominee]:
        """The cases up for the vote that the asker sees, first put up first.

        Raises:
            NotFound, SignInRequired: as in `ballot`.
        """
        self.ballot(by, ballot_id)
        with self._office.reading() as connection:
            rows = connection.execute(nominated(by.scope, [ballot_id]))
            return [Nominee(row.case_id, row.branch_id) for row in rows]

    def voices(self, by: Principal, ballot_id: str) -> list[Voice]:
        """The branches that the asker speaks for, and how each stands to the cases; once it closed, what counted.

        Raises:
            NotFound, SignInRequired: as in `ballot`.
        """
        found = self.ballot(by, ballot_id)
        up = [nominee.case_id for nominee in self.nominees(by, ballot_id)]
        with self._office.reading() as connection:
            now = self._office.now()
            rules = Rules(connection, up, min(now, found.closed_at))
            audience = audience_of(connection, ballot_id)
            scopes = Scopes(connection, self._office.today())
            cast = self._cast(connection, by, [ballot_id])
            return [
                Voice(
                    branch_id,
                    not scopes.of_branch(branch_id).isdisjoint(audience),
                    frozenset(case_id for b, _, case_id in cast if b == branch_id),
                    {c: reason for c in up if (reason := rules.bar(branch_id, c))},
                )
                for branch_id in sorted(_speaking(by))
            ]

    def result(self, by: Principal, ballot_id: str) -> tuple[Standing, ...]:
        """The count of the cases that the asker sees, best first.

        Raises:
            NotFound, SignInRequired: as in `ballot`.
            Conflict: it has not closed; until then no number is told.
        """
        found = self.ballot(by, ballot_id)
        if found.ended_at is None:
            raise Conflict(
                f"Cannot tell the result of ballot {ballot_id}: it has not closed.", "Wait until then."
            )
        with self._office.reading() as connection:
            return counted(connection, by.scope, {ballot_id: found.n_models})[ballot_id]

    def models(self, scope: frozenset[str], case_ids: Iterable[str]) -> dict[str, list[Won]]:
        """By which ballots that the scope sees each of the cases became a model case, latest first.

        A case that is none, or is not seen, is left out.
        """
        wanted = set(case_ids)
        self.tidy()
        up = exists(
            select(nominations.c.case_id).where(
                nominations.c.ballot_id == ballots.c.ballot_id, nominations.c.case_id.in_(wanted)
            )
        )
        with self._office.reading() as connection:
            rows = connection.execute(given(scope).where(up, ballots.c.ended_at.is_not(None)))
            closed = sorted((ballot_of(row) for row in rows), key=lambda each: each.closed_at, reverse=True)
            count = counted(connection, scope, {each.ballot_id: each.n_models for each in closed})
        found: dict[str, list[Won]] = {}
        for each in closed:
            for standing in count[each.ballot_id]:
                if standing.is_model and standing.case_id in wanted:
                    found.setdefault(standing.case_id, []).append(Won(each.ballot_id, each.title))
        return found

    def _cast(
        self, connection: Connection, by: Principal, ballot_ids: Sequence[str]
    ) -> list[tuple[str, str, str]]:
        """Branch, ballot and case of the votes of the branches that the asker speaks for, as far as seen."""
        v = votes.c
        rows = connection.execute(
            select(v.branch_id, v.ballot_id, v.case_id)
            .join(cases, cases.c.case_id == v.case_id)
            .where(v.ballot_id.in_(ballot_ids), v.branch_id.in_(_speaking(by)), seen(by.scope))
        )
        return [(row.branch_id, row.ballot_id, row.case_id) for row in rows]

    def _write(
        self,
        connection: Connection,
        by: Principal | None,
        action: str,
        ballot_id: str,
        branch_id: str,
        **detail: Any,
    ) -> None:
        self._office.audit.write(connection, by, action, "ballot", ballot_id, branch_id=branch_id, **detail)


def _check(
    title: str, opens_at: datetime, closes_at: datetime, n_votes: int, n_models: int, now: datetime
) -> None:
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise InvalidRequest(
            "Cannot give a ballot this title.", f"Take a title of 1 to {LONGEST_TITLE} characters."
        )
    if not opens_at < closes_at:
        raise InvalidRequest("Cannot close a ballot before it opens.", "Close it after it opens.")
    if closes_at <= now:
        raise InvalidRequest("Cannot call a ballot that is over.", "Close it in the future.")
    if not 1 <= n_votes <= MOST_VOTES:
        raise InvalidRequest(f"Cannot give each branch {n_votes} votes.", f"Take 1 to {MOST_VOTES} votes.")
    if not 1 <= n_models <= MOST_MODELS:
        raise InvalidRequest(
            f"Cannot choose {n_models} model cases.", f"Take 1 to {MOST_MODELS} model cases."
        )


def _speaking(by: Principal) -> list[str]:
    return [b for b in by.roles if by.may(Action.SPEAK, b)]


def _day_here(at: datetime) -> date:
    """The local day of a moment; partnerships hold by days."""
    return at.replace(tzinfo=UTC).astimezone().date()

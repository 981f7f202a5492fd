"""Papers given out: to whom, when, under which rules."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from access.sharing import EVERYONE, OWN, Reach, Sharing, Wanted
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id
from quiz.exam import (
    MOST_ATTEMPTS,
    MOST_MINUTES,
    Exam,
    ExamCard,
    ExamRules,
    Mode,
    Phase,
    Preview,
    Retake,
    Reveal,
    Tried,
    exam_of,
)
from quiz.held import MARKED, OPEN, SUBMITTED, Bodies, answers_of, held_of, is_late, is_marked, score_of
from quiz.paper import Paper
from quiz.papers import Papers
from quiz.tables import answers, attempts, exam_audiences, exams
from quiz.watch import Watch

_LONGEST_TITLE = 120


class Exams:
    """Gives papers out, and tells who may sit what. Safe to share between threads."""

    def __init__(
        self,
        office: Office,
        papers: Papers,
        sharing: Sharing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._office = office
        self._papers = papers
        self._sharing = sharing
        self.bodies = Bodies()
        self.watch = Watch(office.now, monotonic, self._latest)

    def _latest(self, exam_id: str) -> datetime | None:
        """The latest moment at which something was done in the exam."""
        a = attempts.c
        saved = select(func.max(answers.c.saved_at)).join(attempts, a.attempt_id == answers.c.attempt_id)
        with self._office.reading() as connection:
            found = [
                connection.execute(select(func.max(moment)).where(a.exam_id == exam_id)).scalar()
                for moment in (a.began_at, a.submitted_at)
            ]
            found.append(connection.execute(saved.where(a.exam_id == exam_id)).scalar())
        return max((moment for moment in found if moment is not None), default=None)

    # -- giving out -------------------------------------------------------------------

    def give(self, by: Principal, paper_id: str, rules: ExamRules, wanted: Sequence[Wanted]) -> str:
        """Give a paper of a branch of one's own out; the exam's id.

        Raises:
            NotFound: there is no such paper for the asker, or an audience that is not there.
            InvalidRequest: rules or audience make no sense; the paper is empty.
            SignInRequired, Refused: the asker may not, or not so widely.
        """
        paper = self._papers.paper(by, paper_id)
        by.require(Action.QUIZ, paper.branch_id)
        rules = self._checked(rules)
        tokens = self._tokens(by, paper, wanted)
        if not paper.blueprint.drawn and not any(place.kept for form in paper.forms for place in form):
            raise InvalidRequest("Cannot give this paper out: nothing is in it.", "Put questions in first.")
        at = self._office.now()
        exam_id = derive_id("exam", paper_id, at.isoformat(), new_secret())
        with self._office.writing() as connection:
            connection.execute(
                insert(exams).values(
                    exam_id=exam_id,
                    paper_id=paper_id,
                    branch_id=paper.branch_id,
                    title=rules.title,
                    mode=rules.mode.value,
                    opens_at=rules.opens_at,
                    closes_at=rules.closes_at,
                    minutes=rules.minutes,
                    n_attempts=rules.n_attempts,
                    retake=rules.retake.value,
                    reveal=rules.reveal.value,
                    pass_share=rules.pass_share,
                    shuffled=rules.shuffled,
                    given_by=by.person_id,
                    given_at=at,
                )
            )
            rows = [{"exam_id": exam_id, "token": t, "audience": t} for t in tokens]
            connection.execute(insert(exam_audiences), rows)
            self._office.audit.write(
                connection, by, "exam.give", "exam", exam_id, branch_id=paper.branch_id, audiences=tokens
            )
        return exam_id

    def _checked(self, rules: ExamRules) -> ExamRules:
        """The rules as they are kept: practice counts for nothing, so it is not limited and hides nothing."""
        if rules.mode is Mode.PRACTICE:
            rules = replace(rules, minutes=None, n_attempts=None, retake=Retake.ANY, reveal=Reveal.SUBMITTED)
        title = " ".join(rules.title.split())
        if not 1 <= len(title) <= _LONGEST_TITLE:
            raise InvalidRequest("Cannot give an exam this title.", "Take a title of 1 to 120 characters.")
        if not rules.opens_at < rules.closes_at:
            raise InvalidRequest("Cannot close an exam before it opens.", "Close it after it opens.")
        if rules.closes_at <= self._office.now():
            raise InvalidRequest("Cannot give out an exam that is over.", "Close it in the future.")
        if rules.minutes is not None and not 1 <= rules.minutes <= MOST_MINUTES:
            raise InvalidRequest(
                f"Cannot limit an exam to {rules.minutes} minutes.", "Take 1 to 1440 minutes."
            )
        if rules.n_attempts is not None and not 1 <= rules.n_attempts <= MOST_ATTEMPTS:
            raise InvalidRequest(
                f"Cannot limit an exam to {rules.n_attempts} attempts.", "Take 1 to 100 attempts."
            )
        if not 0 <= rules.pass_share <= 1:
            raise InvalidRequest(f"Cannot pass at {rules.pass_share}.", "Take a share from 0 to 1.")
        return replace(rules, title=title)

    def _tokens(self, by: Principal, paper: Paper, wanted: Sequence[Wanted]) -> list[str]:
        """Whom it is given to: the same audiences, under the same rights, as documents; but people, always.

        And only those: what is given to a group is not for the whole branch.
        """
        audiences = {w.audience for w in wanted}
        if not audiences:
            raise InvalidRequest("Cannot give an exam to nobody.", "Choose who is to sit it.")
        if EVERYONE in audiences:
            raise InvalidRequest("Cannot give an exam to who does not sign in.", "Choose branches or groups.")
        own = f"branch:{paper.branch_id}"
        found = self._sharing.tokens(
            by, paper.branch_id, [Wanted(a) for a in audiences], owner_id=by.person_id
        )
        return sorted(t for t in found if t != own or audiences & {OWN, own})

    def preview(self, by: Principal, paper_id: str, wanted: Sequence[Wanted]) -> Preview:
        """Who would see it if it were given out so; nothing is changed.

        Raises:
            NotFound, InvalidRequest, SignInRequired, Refused: as in `give`.
        """
        paper = self._papers.paper(by, paper_id)
        by.require(Action.QUIZ, paper.branch_id)
        tokens = frozenset(self._tokens(by, paper, wanted))
        with self._office.reading() as connection:
            scopes = Scopes(connection, self._office.today())
            scope_of = {b: scopes.of_branch(b) for b in scopes.tree.parents}
        scope_of = {b: scope for b, scope in sorted(scope_of.items()) if scope & tokens}
        groups = tuple(t.removeprefix("group:") for t in sorted(tokens) if t.startswith("group:"))
        reach = Reach(tuple(scope_of), groups, False, False)
        whole = self._n_asked(paper, by.scope)
        missing = {
            b: max(n - of for n, of in zip(whole, self._n_asked(paper, scope), strict=True))
            for b, scope in scope_of.items()
        }
        return Preview(reach, max(whole), {b: n for b, n in missing.items() if n > 0})

    def _n_asked(self, paper: Paper, scope: frozenset[str]) -> list[int]:
        """How many questions each form asks whoever has the scope."""
        if paper.blueprint.drawn:
            return [len(self._papers.draw(paper.paper_id, 0, scope))]
        n_forms = paper.blueprint.n_forms
        return [len(self._papers.planned(paper.paper_id, form, scope)) for form in range(1, n_forms + 1)]

    def end(self, by: Principal, exam_id: str) -> None:
        """End an exam now: what was saved counts, nothing more is taken.

        Raises:
            NotFound: there is none for the asker.
            Conflict: it is over.
            SignInRequired, Refused: the asker may not.
        """
        found = self.given_out(by, exam_id)
        now = self.watch.at(exam_id)
        if found.phase(now) is Phase.OVER:
            raise Conflict("Cannot end this exam: it is over.", "See its results.")
        with self._office.writing() as connection:
            connection.execute(update(exams).where(exams.c.exam_id == exam_id).values(ended_at=now))
            self._office.audit.write(connection, by, "exam.end", "exam", exam_id, branch_id=found.branch_id)

    # -- telling ----------------------------------------------------------------------

    def given_out(self, by: Principal, exam_id: str) -> Exam:
        """An exam that a branch of one's own gave out.

        Raises:
            NotFound: there is none for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            row = connection.execute(select(exams).where(exams.c.exam_id == exam_id)).first()
        if row is None or not by.may(Action.QUIZ, row.branch_id):
            raise no_exam(exam_id)
        return exam_of(row)

    def open_to(self, by: Principal) -> list[ExamCard]:
        """Exams given to the asker: those one can sit first, then those to come, then what is over.

        Raises:
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        phases = [Phase.OPEN, Phase.COMING, Phase.OVER]
        cards = self._cards(by, given_to(by.scope))
        # Of those open, what ends first; of the others, what is nearest.
        cards.sort(key=lambda c: c.closes_at, reverse=True)
        opened = [c for c in reversed(cards) if c.phase is Phase.OPEN]
        return opened + [c for phase in phases[1:] for c in cards if c.phase is phase]

    def exam(self, by: Principal, exam_id: str) -> ExamCard:
        """One exam that was given to the asker, or that their branch gave out.

        Raises:
            NotFound: there is none for them.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        own = [b for b in by.branches if by.may(Action.QUIZ, b)]
        mine = given_to(by.scope) | exams.c.branch_id.in_(own)
        found = self._cards(by, (exams.c.exam_id == exam_id) & mine)
        if not found:
            raise no_exam(exam_id)
        return found[0]

    def of_branch(self, by: Principal, branch_id: str) -> list[ExamCard]:
        """What a branch of one's own gave out, the last first.

        Raises:
            SignInRequired, Refused: the asker may not ask questions there.
        """
        by.require(Action.QUIZ, branch_id)
        cards = self._cards(by, exams.c.branch_id == branch_id)
        return sorted(cards, key=lambda c: c.given_at, reverse=True)

    def _cards(self, by: Principal, which: ColumnElement[bool]) -> list[ExamCard]:
        with self._office.reading() as connection:
            received = given_to(by.scope).label("received")
            rows = connection.execute(select(exams, received).where(which)).all()
            found = [exam_of(row) for row in rows]
            tried = self.tried(connection, by, found)
            kept = [e.exam_id for e in found if by.may(Action.QUIZ, e.branch_id)]
            told = _told(connection, kept)
        return [
            _card(
                e, self.watch.at(e.exam_id), tried[e.exam_id], row.received, *told.get(e.exam_id, ((), 0, 0))
            )
            for e, row in zip(found, rows, strict=True)
        ]

    def tried(self, connection: Connection, by: Principal, found: Sequence[Exam]) -> dict[str, list[Tried]]:
        """The asker's sittings of each of the exams, first to last, with what came of them, shown or not."""
        exam_of_id = {e.exam_id: e for e in found}
        rows = connection.execute(
            select(attempts)
            .where(attempts.c.person_id == by.person_id, attempts.c.exam_id.in_(exam_of_id))
            .order_by(attempts.c.number)
        )
        sat = [held_of(row) for row in rows]
        given = answers_of(connection, [held.attempt_id for held in sat])
        shown = self.bodies.shown(connection, [v for held in sat for v in held.versions], by.scope)
        tries: dict[str, list[Tried]] = {e.exam_id: [] for e in found}
        for held in sat:
            exam = exam_of_id[held.exam_id]
            score, most = score_of(held, given[held.attempt_id], shown)
            marked = is_marked(held, given[held.attempt_id], shown)
            tries[held.exam_id].append(
                Tried(
                    held.attempt_id,
                    held.number,
                    MARKED if marked else held.state,
                    held.began_at,
                    held.due_at,
                    held.submitted_at,
                    score if marked else None,
                    most if marked else None,
                    exam.passes(score, most) if marked else None,
                )
            )
        return tries


def given_to(scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the row of `exams` was given to whoever has the scope."""
    return _to_some_of(sorted(scope))


def given_by_name() -> ColumnElement[bool]:
    """The same for statements that are put together once; the scope comes as the parameter "scope"."""
    return _to_some_of(bindparam("scope", expanding=True))


def _to_some_of(tokens: Any) -> ColumnElement[bool]:
    x = exam_audiences.c
    return exists(select(x.exam_id).where(x.exam_id == exams.c.exam_id, x.token.in_(tokens)))


def no_exam(exam_id: str) -> NotFound:
    """What is answered for an exam that is not there, or not for the asker."""
    return NotFound(f"No exam {exam_id} here.", "See which were given to you.")


def _card(
    exam: Exam,
    now: datetime,
    tried: Sequence[Tried],
    received: bool,
    audience: tuple[str, ...],
    n_open: int,
    n_over: int,
) -> ExamCard:
    goes_on = any(t.state == OPEN and not is_late(min(t.due_at, exam.closes_at), now) for t in tried)
    over = [replace(t, state=SUBMITTED) if t.state == OPEN and not goes_on else t for t in tried]
    may_begin = received and (goes_on or exam.refusal(over, now) is None)
    if not exam.is_revealed(now):
        over = [replace(t, score=None, most=None, passed=None) for t in over]
    return ExamCard(
        exam.exam_id,
        exam.paper_id,
        exam.branch_id,
        exam.rules,
        exam.phase(now),
        exam.given_at,
        exam.closes_at,
        tuple(over),
        may_begin,
        audience,
        n_open,
        n_over,
    )


def _told(connection: Connection, exam_ids: Sequence[str]) -> dict[str, tuple[tuple[str, ...], int, int]]:
    """Audience of each exam, how many attempts are open, and how many over."""
    audiences: dict[str, list[str]] = {exam_id: [] for exam_id in exam_ids}
    if not audiences:
        return {}
    x, a = exam_audiences.c, attempts.c
    for row in connection.execute(
        select(x.exam_id, x.audience).where(x.exam_id.in_(exam_ids)).order_by(x.audience)
    ):
        audiences[row.exam_id].append(row.audience)
    counts: Counter[tuple[str, bool]] = Counter()
    rows = connection.execute(
        select(a.exam_id, a.state, func.count()).where(a.exam_id.in_(exam_ids)).group_by(a.exam_id, a.state)
    )
    for exam_id, state, n in rows:
        counts[exam_id, state == OPEN] += n
    return {e: (tuple(found), counts[e, True], counts[e, False]) for e, found in audiences.items()}

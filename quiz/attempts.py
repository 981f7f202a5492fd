"""Sitting an exam: begin, save, submit, and what came of it. The server owns clock, key and score.

What an attempt holds is settled when it begins: `plan`. What of it is asked, shown and
counted is what the person sees at the moment; a document that is withdrawn takes its
questions along.
"""

from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from access.office import Office
from access.principal import Power, Principal
from access.scopes import Scopes
from kb.errors import Conflict, InvalidRequest, NotFound, Refused
from kb.model import derive_id
from quiz.asking import Answer, Asked, as_kept, as_shown, asked, shown_as, texts_of
from quiz.attempt import Outcome, Result, Saved, Sitting, ToMark
from quiz.exam import Exam, Mode, exam_of
from quiz.exams import Exams, given_by_name, no_exam
from quiz.held import (
    MARKED,
    OPEN,
    SUBMITTED,
    Held,
    answers_of,
    held_of,
    is_late,
    is_marked,
    plan_json,
    score_of,
    waits,
)
from quiz.model import Question, Type
from quiz.paper import Planned
from quiz.papers import Papers
from quiz.planning import Planning
from quiz.settling import Settling, due, note
from quiz.tables import answers, attempts, exam_audiences, exams

MOST_CHANGES = 2**53
"""The greatest number of a change: what a browser counts exactly."""


_A = answers.c
# What every save asks is put together once.
_OWN = select(attempts).where(
    attempts.c.attempt_id == bindparam("attempt_id"), attempts.c.person_id == bindparam("person_id")
)
_GIVEN = select(exams).where(exams.c.exam_id == bindparam("exam_id"), given_by_name())
_BEFORE = (
    select(attempts.c.state, _A.answer, _A.change)
    .outerjoin(answers, (_A.attempt_id == attempts.c.attempt_id) & (_A.position == bindparam("position")))
    .where(attempts.c.attempt_id == bindparam("attempt_id"))
)


class Attempts:
    """Sittings of exams. Safe to share between threads."""

    def __init__(self, office: Office, papers: Papers, exams: Exams) -> None:
        self._office = office
        self._exams = exams
        self._bodies = exams.bodies
        self._planning = Planning(office, papers, exams.bodies)
        self._settling = Settling(office, exams.watch, exams.bodies)

    # -- sitting ----------------------------------------------------------------------

    def begin(self, by: Principal, exam_id: str) -> str:
        """Begin, or go on with what is open; the attempt's id.

        Raises:
            NotFound: no such exam was given to the asker.
            Conflict: it is not open, or may not be sat again; or nothing of it may be shown to them.
            SignInRequired, Refused: nobody is signed in, or by a token that may only read.
        """
        person_id = _sits(by)
        exam, last = self._last(by, exam_id)
        now = self._exams.watch.at(exam_id)
        if last and last.state == OPEN:
            if not is_late(due(exam, last), now):
                return last.attempt_id
            self._settling.settle(exam, last, now)
        with self._office.reading() as connection:
            tried = self._exams.tried(connection, by, [exam])[exam_id]
        if tried and tried[-1].state == OPEN:
            # Another window has begun it in the meantime.
            return tried[-1].attempt_id
        if refusal := exam.refusal(tried, now):
            raise refusal
        number = len(tried) + 1
        attempt_id = derive_id("attempt", exam_id, person_id, str(number))
        form, plan = self._planning.plan(by, exam, number)
        limit = now + timedelta(minutes=exam.rules.minutes) if exam.rules.minutes else exam.rules.closes_at
        with self._office.writing() as connection:
            # Or it does so now.
            if connection.execute(
                select(attempts.c.state).where(attempts.c.attempt_id == attempt_id)
            ).first():
                return attempt_id
            connection.execute(
                insert(attempts).values(
                    attempt_id=attempt_id,
                    exam_id=exam_id,
                    person_id=person_id,
                    branch_id=_branch(connection, by, exam, self._office.today()),
                    number=number,
                    form=form,
                    plan=plan_json(plan),
                    began_at=now,
                    due_at=min(limit, exam.rules.closes_at),
                    state=OPEN,
                )
            )
            note(self._office, connection, by, "attempt.begin", exam, attempt_id)
        return attempt_id

    def sitting(self, by: Principal, attempt_id: str) -> Sitting:
        """The attempt as it stands; one whose time is over is submitted first.

        Raises:
            NotFound: there is none of the asker's.
            SignInRequired: nobody is signed in.
        """
        exam, held, now = self._own(by, attempt_id)
        found: list[Asked] = []
        if held.state == OPEN:
            with self._office.reading() as connection:
                given = answers_of(connection, [attempt_id])[attempt_id]
                shown = self._bodies.shown(connection, held.versions, by.scope)
                questions = self._bodies.questions(connection, shown)
            for position, planned in enumerate(held.plan, 1):
                if question := questions.get((planned.question_id, planned.version)):
                    row = given.get(position)
                    kept, change = (row.answer, row.change) if row else ((), 0)
                    found.append(asked(position, question, planned, kept, change))
        return Sitting(
            attempt_id,
            exam.exam_id,
            exam.rules.title,
            exam.rules.mode,
            held.number,
            held.state,
            _seconds_left(exam, held, now) if held.state == OPEN else None,
            len(found),
            tuple(found),
        )

    def save(self, by: Principal, attempt_id: str, position: int, answer: Answer, change: int) -> Saved:
        """Save one answer; it is stored for good when this returns. `change` counts the browser's changes.

        Raises:
            NotFound: there is no such attempt of the asker's, or no such question in it.
            InvalidRequest: no such answer can be given to this question.
            Conflict: the attempt is over.
            SignInRequired, Refused: nobody is signed in, or by a token that may only read.
        """
        _sits(by)
        if not 1 <= change <= MOST_CHANGES:
            raise InvalidRequest(f"Cannot save change {change}.", "Count changes from 1.")
        exam, held, now = self._own(by, attempt_id)
        if held.state != OPEN:
            raise _over()
        planned, question = self._question(by, held, position)
        kept = as_kept(planned, question, answer)
        with self._office.writing() as connection:
            before = connection.execute(_BEFORE, {"attempt_id": attempt_id, "position": position}).one()
            if before.state != OPEN:
                raise _over()
            ahead = before.change is not None and before.change >= change
            if not ahead:
                values = {"answer": kept, "saved_at": now, "change": change}
                if before.change is None:
                    row = insert(answers).values(attempt_id=attempt_id, position=position, **values)
                    connection.execute(row)
                else:
                    here = (_A.attempt_id == attempt_id) & (_A.position == position)
                    connection.execute(update(answers).where(here).values(**values))
        standing = before.answer if ahead else kept
        return Saved(
            before.change if ahead else change,
            _seconds_left(exam, held, now),
            as_shown(planned, question, standing),
            standing == kept,
        )

    def _question(self, by: Principal, held: Held, position: int) -> tuple[Planned, Question]:
        """The question that the attempt asks at a position."""
        if 1 <= position <= len(held.plan):
            planned = held.plan[position - 1]
            version = (planned.question_id, planned.version)
            with self._office.reading() as connection:
                if self._bodies.shown(connection, [version], by.scope):
                    return planned, self._bodies.questions(connection, [version])[version]
        raise NotFound(
            f"No question {position} here.", "It may have been taken out; see those that are left."
        )

    def submit(self, by: Principal, attempt_id: str) -> None:
        """End the attempt and mark it. Once more changes nothing.

        Raises:
            NotFound: there is none of the asker's.
            SignInRequired, Refused: nobody is signed in, or by a token that may only read.
        """
        _sits(by)
        exam, held, now = self._own(by, attempt_id)
        if held.state == OPEN:
            self._settling.settle(exam, held, now)

    def settle(self, exam_id: str) -> None:
        """Submit those attempts of an exam whose time is over, and wait for no mark that cannot be given any more.

        For who looks at all of them.
        """
        self._settling.settle_all(exam_id)

    # -- marks -------------------------------------------------------------------------

    def to_mark(self, by: Principal, exam_id: str) -> list[ToMark]:
        """Short answers that wait for a person.

        Raises:
            NotFound: there is no such exam for the asker.
            SignInRequired: nobody is signed in.
        """
        self._exams.given_out(by, exam_id)
        self.settle(exam_id)
        a = attempts.c
        found = []
        with self._office.reading() as connection:
            rows = connection.execute(select(attempts).where(a.exam_id == exam_id, a.state == SUBMITTED))
            waiting = [held_of(row) for row in rows.all()]
            given = answers_of(connection, [held.attempt_id for held in waiting])
            shown = self._bodies.shown(connection, [v for h in waiting for v in h.versions], by.scope)
            questions = self._bodies.questions(connection, shown)
        for held in waiting:
            for position, row in given[held.attempt_id].items():
                question = questions.get(held.versions[position - 1])
                if question and waits(row):
                    worth = held.plan[position - 1].points
                    said = "\n".join(texts_of(question, row.answer))
                    found.append(ToMark(held.attempt_id, position, question, said, worth, row.proposed))
        # Answers to one question come together, so that they are held to one measure; whose, is not told.
        return sorted(found, key=lambda m: (m.question.stem, m.attempt_id))

    def confirm(self, by: Principal, attempt_id: str, position: int, share: float) -> None:
        """Give an answer in words its share, 0 to 1, whether or not it was given one before.

        Raises:
            NotFound: there is no such answer for the asker.
            InvalidRequest: it is no share.
            SignInRequired: nobody is signed in.
        """
        if not 0 <= share <= 1:
            raise InvalidRequest(f"Cannot give a share of {share}.", "Take one from 0 to 1.")
        by.require_person()
        here = (answers.c.attempt_id == attempt_id) & (answers.c.position == position)
        nothing = NotFound(f"No answer {position} of {attempt_id} to mark here.", "See what waits for marks.")
        with self._office.reading() as connection:
            row = connection.execute(
                select(attempts).where(attempts.c.attempt_id == attempt_id, attempts.c.state != OPEN)
            ).first()
            held = held_of(row) if row else None
            answer = connection.execute(select(answers).where(here)).first()
        if held is None or answer is None:
            raise nothing
        try:
            exam = self._exams.given_out(by, held.exam_id)
        except NotFound as error:
            # Which exam it belongs to is not told either.
            raise nothing from error
        _, question = self._question(by, held, position)
        if question.type not in (Type.SHORT, Type.BLANK):
            raise nothing
        with self._office.writing() as connection:
            connection.execute(update(answers).where(here).values(share=share, marked_by=by.person_id))
            self._settling.add_up(connection, held)
            note(
                self._office, connection, by, "attempt.mark", exam, attempt_id, position=position, share=share
            )

    # -- what came of it --------------------------------------------------------------

    def result(self, by: Principal, attempt_id: str) -> Result:
        """What came of one's own attempt.

        Raises:
            NotFound: there is none of the asker's.
            Conflict: it is not over.
            SignInRequired: nobody is signed in.
        """
        exam, held, now = self._own(by, attempt_id)
        if held.submitted_at is None:
            raise Conflict("Cannot show a result: the attempt is not over.", "Submit it first.")
        revealed = exam.is_revealed(now)
        outcomes: list[Outcome] = []
        score = most = passed = None
        if revealed:
            with self._office.reading() as connection:
                given = answers_of(connection, [attempt_id])[attempt_id]
                shown = self._bodies.shown(connection, held.versions, by.scope)
                questions = self._bodies.questions(connection, shown)
            for position, planned in enumerate(held.plan, 1):
                question = questions.get((planned.question_id, planned.version))
                outcomes.append(_outcome(position, planned, question, given.get(position)))
            if is_marked(held, given, shown):
                score, most = score_of(held, given, shown)
                passed = exam.passes(score, most)
        return Result(
            attempt_id,
            exam.exam_id,
            exam.rules.title,
            exam.rules.mode,
            held.number,
            held.state if passed is None else MARKED,
            held.began_at,
            held.submitted_at,
            revealed,
            held.submitted_at if revealed else exam.closes_at,
            score,
            most,
            exam.rules.pass_share,
            passed,
            tuple(outcomes),
        )

    # -- rows -------------------------------------------------------------------------

    def _own(self, by: Principal, attempt_id: str) -> tuple[Exam, Held, datetime]:
        """An attempt of the asker's at an exam that is still given to them; submitted if its time is over."""
        person_id = by.require_person()
        asked = {"attempt_id": attempt_id, "person_id": person_id}
        with self._office.reading() as connection:
            row = connection.execute(_OWN, asked).first()
            given = (
                row
                and connection.execute(_GIVEN, {"exam_id": row.exam_id, "scope": sorted(by.scope)}).first()
            )
        if row is None or not given:
            raise NotFound(f"No attempt {attempt_id} here.", "See what you have sat.")
        exam, held = exam_of(given), held_of(row)
        now = self._exams.watch.at(exam.exam_id)
        if held.state != OPEN or not is_late(due(exam, held), now):
            return exam, held, now
        self._settling.settle(exam, held, now)
        with self._office.reading() as connection:
            return exam, held_of(connection.execute(_OWN, asked).one()), now

    def _last(self, by: Principal, exam_id: str) -> tuple[Exam, Held | None]:
        """An exam that was given to the asker, and their last attempt at it."""
        a = attempts.c
        with self._office.reading() as connection:
            row = connection.execute(_GIVEN, {"exam_id": exam_id, "scope": sorted(by.scope)}).first()
            if row is None:
                raise no_exam(exam_id)
            last = connection.execute(
                select(attempts)
                .where(a.exam_id == exam_id, a.person_id == by.person_id)
                .order_by(a.number.desc())
            ).first()
        return exam_of(row), held_of(last) if last else None


def _sits(by: Principal) -> str:
    """The id of the person who sits; a token that may only read sits nothing."""
    person_id = by.require_person()
    if Power.WRITE not in by.powers:
        raise Refused("Cannot sit an exam: this token may only read.", "Use one that may write.")
    return person_id


def _branch(connection: Connection, by: Principal, exam: Exam, today: date) -> str | None:
    """The branch as whose member the person sits it; None for who is asked in person alone."""
    if exam.branch_id in by.roles or len(by.roles) < 2:
        return exam.branch_id if exam.branch_id in by.roles else next(iter(by.roles), None)
    scopes = Scopes(connection, today)
    x = exam_audiences.c
    tokens = set(connection.execute(select(x.token).where(x.exam_id == exam.exam_id)).scalars())
    return next((b for b in sorted(by.roles) if tokens & scopes.of_branch(b)), None)


def _seconds_left(exam: Exam, held: Held, now: datetime) -> int | None:
    """Whole seconds, the begun one among them; None for practice."""
    if exam.rules.mode is Mode.PRACTICE:
        return None
    return max(0, ceil((due(exam, held) - now).total_seconds()))


def _over() -> Conflict:
    return Conflict("Cannot save: the attempt is over.", "What was saved before counts; see the result.")


def _outcome(position: int, planned: Planned, question: Question | None, row: Any) -> Outcome:
    if question is None:
        return Outcome(position, "withdrawn", planned.points)
    shown = shown_as(question, planned)
    if row is None:
        return Outcome(position, "marked", planned.points, shown, (), 0.0)
    state = "to_confirm" if waits(row) else "marked"
    given = texts_of(question, row.answer)
    return Outcome(position, state, planned.points, shown, given, row.share, row.proposed)

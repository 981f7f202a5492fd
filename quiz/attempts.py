"""Sitting an exam: begin, save, submit, and what came of it. The server owns clock, key and score.

What an attempt holds is settled when it begins: `plan`. What of it is asked, shown and
counted is what the person sees at the moment; a document that is withdrawn takes its
questions along.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

from sqlalchemy import Connection, insert, select, update

from access.office import Office
from access.principal import Power, Principal
from access.scopes import Scopes
from kb.errors import Conflict, InvalidRequest, NotFound, Refused
from kb.model import derive_id
from quiz.asking import Answer, Part, as_kept, as_shown, asked, shown_as, texts_of
from quiz.asking import Asked as Asked
from quiz.exams import GRACE, Exam, Exams, Mode, exam_of, given_to, no_exam
from quiz.held import (
    MARKED,
    OPEN,
    SUBMITTED,
    Held,
    Version,
    answers_of,
    held_of,
    is_marked,
    plan_json,
    score_of,
    waits,
)
from quiz.marking import mark
from quiz.model import Question, Type
from quiz.papers import Papers, Planned
from quiz.tables import answers, attempts, exam_audiences, exams, papers

MOST_CHANGES = 2**53
"""The greatest number of a change: what a browser counts exactly."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """An attempt as the person has it before them. `seconds_left` is None where time is not limited.

    `state` is "open", "submitted" or "marked"; then there are no questions: see the result. Positions may
    have gaps: of a document that was withdrawn nothing is asked any more. `n` counts what is asked.
    """

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: str
    seconds_left: int | None
    n: int
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands saved now: `answer` and the number of its change.

    `taken` is false where a save of the same or a greater number was there before with another answer: it came
    late, or another window was ahead. To put one's own above it, save again with a greater number.
    """

    change: int
    seconds_left: int | None
    answer: tuple[Part, ...]
    taken: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question. `state` is "marked", "to_confirm" or "withdrawn".

    `question` has its options as they were shown, and key, explanation and citation; None once its document is
    no longer seen: then nothing of it is told, and it is not counted. `given` are texts, "" for what was left
    empty. `share` of `worth` was reached; None while a person has to confirm what is `proposed`.
    """

    position: int
    state: str
    worth: float
    question: Question | None = None
    given: tuple[str, ...] = ()
    share: float | None = None
    proposed: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt. Before it is `revealed`, score, passed and questions are not told.

    `score` of `most` points; both are None, as `passed`, while a mark is due.
    """

    attempt_id: str
    exam_id: str
    title: str
    mode: Mode
    number: int
    state: str
    began_at: datetime
    submitted_at: datetime
    revealed: bool
    reveals_at: datetime
    score: float | None
    most: float | None
    pass_share: float
    passed: bool | None
    questions: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class ToMark:
    """A short answer that waits for a person to confirm the proposed share; whose it is, is not told."""

    attempt_id: str
    position: int
    question: Question
    given: str
    worth: float
    proposed: float


class Attempts:
    """Sittings of exams. Safe to share between threads."""

    def __init__(self, office: Office, papers: Papers, exams: Exams) -> None:
        self._office = office
        self._papers = papers
        self._exams = exams
        self._bodies = exams.bodies

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
            if not _is_late(exam, last, now):
                return last.attempt_id
            self._settle(exam, last, now)
        with self._office.reading() as connection:
            tried = self._exams.tried(connection, by, [exam])[exam_id]
        if refusal := exam.refusal(tried, now):
            raise refusal
        number = len(tried) + 1
        attempt_id = derive_id("attempt", exam_id, person_id, str(number))
        form, plan = self._plan(by, exam, number)
        limit = now + timedelta(minutes=exam.rules.minutes) if exam.rules.minutes else exam.rules.closes_at
        with self._office.writing() as connection:
            # Another window may have begun it in the meantime.
            if connection.execute(
                select(attempts.c.state).where(attempts.c.attempt_id == attempt_id)
            ).first():
                return attempt_id
            connection.execute(
                insert(attempts).values(
                    attempt_id=attempt_id,
                    exam_id=exam_id,
                    person_id=person_id,
                    branch_id=self._branch(connection, by, exam),
                    number=number,
                    form=form,
                    plan=plan_json(plan),
                    began_at=now,
                    due_at=min(limit, exam.rules.closes_at),
                    state=OPEN,
                )
            )
            self._note(connection, by, "attempt.begin", exam, attempt_id)
        return attempt_id

    def _plan(self, by: Principal, exam: Exam, number: int) -> tuple[int, list[Planned]]:
        """What the person's attempt of this number asks: which form, and the questions in their order."""
        person_id = by.require_person()
        mac = self._office.keys.mac
        seed = int(mac("attempt", exam.exam_id, person_id, str(number))[:12], 16)
        with self._office.reading() as connection:
            p = papers.c
            paper = connection.execute(select(p.drawn, p.n_forms).where(p.paper_id == exam.paper_id)).one()
        if paper.drawn:
            form, plan = 0, self._papers.draw(exam.paper_id, seed, by.scope)
        else:
            first = int(mac("form", exam.exam_id, person_id)[:8], 16)
            form = (first + number - 1) % paper.n_forms + 1
            plan = self._papers.planned(exam.paper_id, form, by.scope)
        if not plan:
            raise Conflict("Cannot begin: none of its questions may be shown to you.", "Ask who gave it out.")
        if exam.rules.shuffled:
            with self._office.reading() as connection:
                questions = self._bodies.questions(connection, [(p.question_id, p.version) for p in plan])
            plan = _shuffled(plan, questions, random.Random(seed))
        return form, plan

    def _branch(self, connection: Connection, by: Principal, exam: Exam) -> str | None:
        """The branch as whose member the person sits it; None for who is asked in person alone."""
        if exam.branch_id in by.roles or len(by.roles) < 2:
            return exam.branch_id if exam.branch_id in by.roles else next(iter(by.roles), None)
        scopes = Scopes(connection, self._office.today())
        x = exam_audiences.c
        tokens = set(connection.execute(select(x.token).where(x.exam_id == exam.exam_id)).scalars())
        return next((b for b in sorted(by.roles) if tokens & scopes.of_branch(b)), None)

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
        a = answers.c
        with self._office.writing() as connection:
            before = connection.execute(
                select(attempts.c.state, a.answer, a.change)
                .outerjoin(answers, (a.attempt_id == attempts.c.attempt_id) & (a.position == position))
                .where(attempts.c.attempt_id == attempt_id)
            ).one()
            if before.state != OPEN:
                raise _over()
            ahead = before.change is not None and before.change >= change
            if not ahead:
                values = {"answer": kept, "saved_at": now, "change": change}
                if before.change is None:
                    row = insert(answers).values(attempt_id=attempt_id, position=position, **values)
                    connection.execute(row)
                else:
                    here = (a.attempt_id == attempt_id) & (a.position == position)
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
            self._settle(exam, held, now)

    # -- settling ---------------------------------------------------------------------

    def settle(self, exam_id: str) -> None:
        """Submit those attempts of an exam whose time is over, and wait for no mark that cannot be given any more.

        For who looks at all of them.
        """
        a = attempts.c
        with self._office.reading() as connection:
            row = connection.execute(select(exams).where(exams.c.exam_id == exam_id)).first()
            rows = connection.execute(select(attempts).where(a.exam_id == exam_id, a.state != MARKED)).all()
        if row is None or not rows:
            return
        exam, now = exam_of(row), self._exams.watch.at(exam_id)
        for held in map(held_of, rows):
            if held.state == SUBMITTED:
                self._let_go(held)
            elif _is_late(exam, held, now):
                self._settle(exam, held, now)

    def _let_go(self, held: Held) -> None:
        """Wait no longer for marks that nobody can give."""
        with self._office.reading() as connection:
            given = answers_of(connection, [held.attempt_id])[held.attempt_id]
            if not is_marked(held, given, self._bodies.present(connection, held.versions)):
                return
        with self._office.writing() as connection:
            self._add_up(connection, held)

    def _settle(self, exam: Exam, held: Held, now: datetime) -> None:
        """Submit and mark an attempt with what was saved; only the first one to come does."""
        late = _is_late(exam, held, now)
        here = attempts.c.attempt_id == held.attempt_id
        with self._office.writing() as connection:
            if connection.execute(select(attempts.c.state).where(here)).scalar() != OPEN:
                return
            given = answers_of(connection, [held.attempt_id])[held.attempt_id]
            questions = self._bodies.questions(connection, held.versions)
            for position, row in given.items():
                question = questions[held.versions[position - 1]]
                marked = mark(question, texts_of(question, row.answer))
                connection.execute(
                    update(answers)
                    .where(answers.c.attempt_id == held.attempt_id, answers.c.position == position)
                    .values(share=marked.share, proposed=marked.proposed)
                )
            at = _due(exam, held) if late else now
            connection.execute(update(attempts).where(here).values(submitted_at=at))
            self._add_up(connection, held)
            self._note(
                connection,
                Principal(person_id=held.person_id),
                "attempt.submit",
                exam,
                held.attempt_id,
                late=late,
            )

    def _add_up(self, connection: Connection, held: Held) -> None:
        """Put the score of an attempt that is over, and whether a person is still to confirm something.

        A document that is gone takes its questions along: nobody can mark them any more.
        """
        given = answers_of(connection, [held.attempt_id])[held.attempt_id]
        present = self._bodies.present(connection, held.versions)
        score, most = score_of(held, given, present)
        done = is_marked(replace(held, state=SUBMITTED), given, present)
        connection.execute(
            update(attempts)
            .where(attempts.c.attempt_id == held.attempt_id)
            .values(state=MARKED if done else SUBMITTED, score=score if done else None, most=most)
        )

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
        exam = self._exams.given_out(by, held.exam_id)
        _, question = self._question(by, held, position)
        if question.type not in (Type.SHORT, Type.BLANK):
            raise nothing
        with self._office.writing() as connection:
            connection.execute(update(answers).where(here).values(share=share, marked_by=by.person_id))
            self._add_up(connection, held)
            self._note(connection, by, "attempt.mark", exam, attempt_id, position=position, share=share)

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
        mine = (attempts.c.attempt_id == attempt_id) & (attempts.c.person_id == person_id)
        with self._office.reading() as connection:
            row = connection.execute(select(attempts).where(mine)).first()
            given = (
                row
                and connection.execute(
                    select(exams).where(exams.c.exam_id == row.exam_id, given_to(by.scope))
                ).first()
            )
        if row is None or not given:
            raise NotFound(f"No attempt {attempt_id} here.", "See what you have sat.")
        exam, held = exam_of(given), held_of(row)
        now = self._exams.watch.at(exam.exam_id)
        if held.state != OPEN or not _is_late(exam, held, now):
            return exam, held, now
        self._settle(exam, held, now)
        with self._office.reading() as connection:
            return exam, held_of(connection.execute(select(attempts).where(mine)).one()), now

    def _last(self, by: Principal, exam_id: str) -> tuple[Exam, Held | None]:
        """An exam that was given to the asker, and their last attempt at it."""
        a = attempts.c
        with self._office.reading() as connection:
            row = connection.execute(
                select(exams).where(exams.c.exam_id == exam_id, given_to(by.scope))
            ).first()
            if row is None:
                raise no_exam(exam_id)
            last = connection.execute(
                select(attempts)
                .where(a.exam_id == exam_id, a.person_id == by.person_id)
                .order_by(a.number.desc())
            ).first()
        return exam_of(row), held_of(last) if last else None

    def _note(
        self, connection: Connection, by: Principal, action: str, exam: Exam, attempt_id: str, **detail: Any
    ) -> None:
        self._office.audit.write(
            connection,
            by,
            action,
            "attempt",
            attempt_id,
            branch_id=exam.branch_id,
            exam=exam.exam_id,
            **detail,
        )


def _sits(by: Principal) -> str:
    """The id of the person who sits; a token that may only read sits nothing."""
    person_id = by.require_person()
    if Power.WRITE not in by.powers:
        raise Refused("Cannot sit an exam: this token may only read.", "Use one that may write.")
    return person_id


def _due(exam: Exam, held: Held) -> datetime:
    """When the attempt ends at the latest; ending the exam ends it, too."""
    return min(held.due_at, exam.closes_at)


def _is_late(exam: Exam, held: Held, now: datetime) -> bool:
    return now > _due(exam, held) + GRACE


def _seconds_left(exam: Exam, held: Held, now: datetime) -> int | None:
    """Whole seconds, the begun one among them; None for practice."""
    if exam.rules.mode is Mode.PRACTICE:
        return None
    return max(0, ceil((_due(exam, held) - now).total_seconds()))


def _over() -> Conflict:
    return Conflict("Cannot save: the attempt is over.", "What was saved before counts; see the result.")


def _shuffled(
    plan: Sequence[Planned], questions: Mapping[Version, Question], draw: random.Random
) -> list[Planned]:
    """Another order of the questions within each run of one type, and of their options.

    True and false keep theirs, as people expect it; it says nothing.
    """

    def type_of(planned: Planned) -> Type:
        return questions[planned.question_id, planned.version].type

    found: list[Planned] = []
    for kind, run in groupby(plan, key=type_of):
        mixed = list(run)
        draw.shuffle(mixed)
        for planned in mixed:
            options = list(planned.options)
            if kind is not Type.TRUE_FALSE:
                draw.shuffle(options)
            found.append(replace(planned, options=tuple(options)))
    return found


def _outcome(position: int, planned: Planned, question: Question | None, row: Any) -> Outcome:
    if question is None:
        return Outcome(position, "withdrawn", planned.points)
    shown = shown_as(question, planned)
    if row is None:
        return Outcome(position, "marked", planned.points, shown, (), 0.0)
    state = "to_confirm" if waits(row) else "marked"
    given = texts_of(question, row.answer)
    return Outcome(position, state, planned.points, shown, given, row.share, row.proposed)

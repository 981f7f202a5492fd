"""Ending attempts: who hands in, and whose time is over, is marked with what was saved, once."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from access.office import Office
from access.principal import Principal
from quiz.asking import texts_of
from quiz.exam import Exam, exam_of
from quiz.held import MARKED, OPEN, SUBMITTED, Bodies, Held, answers_of, held_of, is_late, is_marked, score_of
from quiz.marking import mark
from quiz.tables import answers, attempts, exams
from quiz.watch import Watch


class Settling:
    """Ends attempts and adds up what came of them. Safe to share between threads."""

    def __init__(self, office: Office, watch: Watch, bodies: Bodies) -> None:
        self._office = office
        self._watch = watch
        self._bodies = bodies

    def settle_all(self, exam_id: str) -> None:
        """Submit those attempts of an exam whose time is over, and wait for no mark that cannot be given any more.

        For who looks at all of them.
        """
        a = attempts.c
        with self._office.reading() as connection:
            row = connection.execute(select(exams).where(exams.c.exam_id == exam_id)).first()
            rows = connection.execute(select(attempts).where(a.exam_id == exam_id, a.state != MARKED)).all()
        if row is None or not rows:
            return
        exam, now = exam_of(row), self._watch.at(exam_id)
        for held in map(held_of, rows):
            if held.state == SUBMITTED:
                self._let_go(held)
            elif is_late(due(exam, held), now):
                self.settle(exam, held, now)

    def _let_go(self, held: Held) -> None:
        """Wait no longer for marks that nobody can give."""
        with self._office.reading() as connection:
            given = answers_of(connection, [held.attempt_id])[held.attempt_id]
            if not is_marked(held, given, self._bodies.present(connection, held.versions)):
                return
        with self._office.writing() as connection:
            self.add_up(connection, held)

    def settle(self, exam: Exam, held: Held, now: datetime) -> None:
        """Submit and mark an attempt with what was saved; only the first one to come does."""
        late = is_late(due(exam, held), now)
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
            at = due(exam, held) if late else now
            connection.execute(update(attempts).where(here).values(submitted_at=at))
            self.add_up(connection, held)
            note(
                self._office,
                connection,
                Principal(person_id=held.person_id),
                "attempt.submit",
                exam,
                held.attempt_id,
                late=late,
            )

    def add_up(self, connection: Connection, held: Held) -> None:
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


def due(exam: Exam, held: Held) -> datetime:
    """When the attempt ends at the latest; ending the exam ends it, too."""
    return min(held.due_at, exam.closes_at)


def note(
    office: Office,
    connection: Connection,
    by: Principal,
    action: str,
    exam: Exam,
    attempt_id: str,
    **detail: Any,
) -> None:
    """Tell in the audit trail what was done to an attempt."""
    office.audit.write(
        connection, by, action, "attempt", attempt_id, branch_id=exam.branch_id, exam=exam.exam_id, **detail
    )

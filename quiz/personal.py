"""What is kept of a person who sits exams, or works on questions: told to them, and forgotten with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, delete, select

from access.office import PersonalData
from access.principal import Principal
from quiz.asking import as_shown
from quiz.exam import exam_of
from quiz.exams import given_to
from quiz.held import Bodies, Held, answers_of, held_of
from quiz.model import Question
from quiz.tables import answers, attempts, exams, papers, question_versions, reviews


def told(connection: Connection, by: Principal, now: datetime) -> dict[str, Any]:
    """What the person sat with every answer, and what they did to questions, papers and others' answers.

    What was chosen is told as it was shown to them. Marks are told once the exam shows results: before, nothing
    in it tells a key. An exam that is given to them no more has no title here.
    """
    me = by.require_person()

    def rows(statement: Select[Any]) -> list[dict[str, Any]]:
        return [dict(r) for r in connection.execute(statement).mappings()]

    v, r, a = question_versions.c, reviews.c, answers.c
    return {
        "attempts": _attempts(connection, by, now),
        "question_versions_made": rows(select(v.question_id, v.version, v.made_at).where(v.made_by == me)),
        "questions_reviewed": rows(
            select(r.question_id, r.version, r.state, r.reason, r.reviewed_at).where(r.reviewed_by == me)
        ),
        "papers_made": rows(select(papers.c.paper_id, papers.c.made_at).where(papers.c.made_by == me)),
        "exams_given": rows(select(exams.c.exam_id, exams.c.given_at).where(exams.c.given_by == me)),
        "marks_given": rows(select(a.attempt_id, a.position, a.share).where(a.marked_by == me)),
    }


def _attempts(connection: Connection, by: Principal, now: datetime) -> list[dict[str, Any]]:
    title = case((given_to(by.scope), exams.c.title)).label("title_shown")
    sat = connection.execute(
        select(attempts, title)
        .join(exams, exams.c.exam_id == attempts.c.exam_id)
        .where(attempts.c.person_id == by.person_id)
        .order_by(attempts.c.began_at)
    ).all()
    held = [held_of(row) for row in sat]
    given = answers_of(connection, [h.attempt_id for h in held])
    questions = Bodies().questions(connection, {v for h in held for v in h.versions})
    of_them = connection.execute(select(exams).where(exams.c.exam_id.in_({h.exam_id for h in held})))
    revealed = {row.exam_id: exam_of(row).is_revealed(now) for row in of_them}
    return [
        {
            "attempt_id": row.attempt_id,
            "exam_id": row.exam_id,
            "title": row.title_shown,
            "branch_id": row.branch_id,
            "number": row.number,
            "form": row.form,
            "began_at": row.began_at,
            "due_at": row.due_at,
            "submitted_at": row.submitted_at,
            "state": row.state,
            "score": row.score if revealed[row.exam_id] else None,
            "most": row.most if revealed[row.exam_id] else None,
            "answers": [
                {
                    "position": position,
                    "answer": _as_shown(h, position, answer.answer, questions),
                    "saved_at": answer.saved_at,
                    "share": answer.share if revealed[row.exam_id] else None,
                }
                for position, answer in sorted(given[row.attempt_id].items())
            ],
        }
        for row, h in zip(sat, held, strict=True)
    ]


def _as_shown(
    held: Held, position: int, kept: Sequence[Any], questions: dict[tuple[str, int], Question]
) -> list[Any]:
    planned = held.plan[position - 1]
    return list(as_shown(planned, questions[planned.question_id, planned.version], kept))


def forget(connection: Connection, person_id: str) -> None:
    """Let go of what the person sat, with every answer.

    What they did for a branch stays with it: their id stands there, which names nobody any more. So do the
    difficulties that were measured with their answers among those of others.
    """
    connection.execute(delete(attempts).where(attempts.c.person_id == person_id))


PERSONAL_DATA = PersonalData(told, forget)
"""For `access.access.open_access`."""

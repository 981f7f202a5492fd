"""An exam, and what people answered, put straight into the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from access.office import Office
from kb.model import derive_id
from quiz.model import Question, State, question_json
from quiz.tables import (
    answers,
    attempts,
    exam_audiences,
    exams,
    paper_questions,
    papers,
    question_versions,
    questions,
)

BEFORE = timedelta(days=1)


def put_question(
    office: Office, branch_id: str, question: Question, *, state: State = State.APPROVED, version: int = 1
) -> str:
    """A question in the bank of a branch; its id there."""
    question_id = derive_id("banked", branch_id, question.question_id)
    now, cited = office.now(), question.citation
    with office.writing() as connection:
        connection.execute(
            insert(questions).values(
                question_id=question_id,
                branch_id=branch_id,
                state=state.value,
                version=version,
                type=question.type.value,
                slot=question.slot.value,
                difficulty=question.difficulty,
                stem_key=question.stem,
                document_id=cited and cited.document_id,
                clause_id=cited and cited.clause_id,
                topics=list(question.topics),
                note="",
                added_at=now,
                changed_at=now,
            )
        )
        connection.execute(
            insert(question_versions).values(
                question_id=question_id,
                version=version,
                body=question_json(question),
                document_id=cited and cited.document_id,
                made_at=now,
            )
        )
    return question_id


def put_exam(
    office: Office,
    branch_id: str,
    forms: Sequence[Sequence[str]],
    tokens: Sequence[str],
    *,
    points: Sequence[float] = (),
    title: str = "季度测验",
    mode: str = "test",
    pass_share: float = 0.6,
    n_options: int = 4,
    **more: Any,
) -> str:
    """A paper of these forms of questions, at version 1, given out to whoever has one of the tokens; the exam's id."""
    now, paper_id = office.now(), derive_id("paper", branch_id, title)
    exam_id = derive_id("exam", paper_id)
    with office.writing() as connection:
        connection.execute(
            insert(papers).values(
                paper_id=paper_id,
                branch_id=branch_id,
                title=title,
                blueprint={},
                seed=1,
                drawn=not forms,
                n_forms=len(forms),
                shortfalls=[],
                made_at=now,
                changed_at=now,
            )
        )
        rows = [
            {
                "paper_id": paper_id,
                "form": form,
                "position": position,
                "question_id": question_id,
                "version": 1,
                "points": points[position - 1] if points else 1.0,
                "options": list(range(n_options)),
                "line": 0,
            }
            for form, held in enumerate(forms, 1)
            for position, question_id in enumerate(held, 1)
        ]
        if rows:
            connection.execute(insert(paper_questions), rows)
        connection.execute(
            insert(exams).values(
                {
                    "exam_id": exam_id,
                    "paper_id": paper_id,
                    "branch_id": branch_id,
                    "title": title,
                    "mode": mode,
                    "opens_at": now - BEFORE,
                    "closes_at": now + BEFORE,
                    "retake": "any",
                    "reveal": "submitted",
                    "pass_share": pass_share,
                    "shuffled": True,
                    "given_at": now - BEFORE,
                    **more,
                }
            )
        )
        given = [{"exam_id": exam_id, "token": t, "audience": t} for t in tokens]
        connection.execute(insert(exam_audiences), given)
    return exam_id


def put_sitting(
    office: Office,
    exam_id: str,
    person_id: str,
    branch_id: str | None,
    plan: Sequence[str],
    gave: Mapping[str, tuple[Sequence[Any], float | None]],
    *,
    points: Mapping[str, float] | None = None,
    number: int = 1,
    form: int = 1,
    state: str = "marked",
    at: datetime | None = None,
) -> str:
    """One person's sitting of the questions in `plan`; what they gave to each, and the share it got. Its id.

    Without a share, an answer waits: half is proposed.
    """
    began = at or office.now() - timedelta(hours=2)
    attempt_id = derive_id("attempt", exam_id, person_id, str(number))
    worth = points or {}
    planned = [
        {"question_id": q, "version": 1, "points": worth.get(q, 1.0), "options": [0, 1, 2, 3]} for q in plan
    ]
    with office.writing() as connection:
        connection.execute(
            insert(attempts).values(
                attempt_id=attempt_id,
                exam_id=exam_id,
                person_id=person_id,
                branch_id=branch_id,
                number=number,
                form=form,
                plan=planned,
                began_at=began,
                due_at=began + timedelta(hours=1),
                submitted_at=None if state == "open" else began + timedelta(minutes=40),
                state=state,
            )
        )
        rows = [
            {
                "attempt_id": attempt_id,
                "position": position,
                "answer": list(gave[q][0]),
                "saved_at": began,
                "change": 1,
                "share": gave[q][1],
                "proposed": 0.5 if gave[q][1] is None else None,
                "marked_by": None,
            }
            for position, q in enumerate(plan, 1)
            if q in gave
        ]
        if rows:
            connection.execute(insert(answers), rows)
    return attempt_id

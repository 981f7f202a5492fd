"""What is kept of a person who writes cases, and speaks for a branch: told to them, and forgotten with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, delete, select

from access.office import PersonalData
from access.principal import Principal
from cases.tables import (
    adoption_steps,
    adoptions,
    ballots,
    case_attachments,
    case_changes,
    case_fields,
    case_versions,
    case_writers,
    cases,
    feedback,
    nominations,
    open_questions,
    question_answers,
    votes,
)

DONE: Mapping[str, tuple[Column[Any], Sequence[str]]] = {
    "cases_begun": (cases.c.begun_by, ("case_id", "branch_id", "begun_at")),
    "cases_submitted": (cases.c.submitted_by, ("case_id", "branch_id", "state")),
    "case_changes": (case_changes.c.changed_by, ("case_id", "revision", "field", "changed_at")),
    "case_fields_written": (case_fields.c.changed_by, ("case_id", "field", "changed_at")),
    "case_attachments_added": (case_attachments.c.added_by, ("case_id", "attachment_id", "added_at")),
    "cases_published": (case_versions.c.published_by, ("case_id", "document_id", "published_at")),
    "adoptions": (adoptions.c.changed_by, ("adoption_id", "branch_id", "progress", "changed_at")),
    "adoption_steps": (adoption_steps.c.changed_by, ("adoption_id", "progress", "changed_at")),
    "case_feedback": (feedback.c.person_id, ("feedback_id", "branch_id", "given_at")),
    "case_questions_asked": (open_questions.c.asked_by, ("question_id", "branch_id", "asked_at")),
    "case_answers_given": (
        question_answers.c.person_id,
        ("answer_id", "question_id", "branch_id", "answered_at"),
    ),
    "ballots_called": (ballots.c.called_by, ("ballot_id", "branch_id", "called_at")),
    "nominations": (nominations.c.nominated_by, ("ballot_id", "branch_id", "nominated_at")),
    "votes_cast": (votes.c.cast_by, ("ballot_id", "branch_id", "cast_at")),
    "cases_being_written": (case_writers.c.person_id, ("case_id", "field", "seen_at")),
}
"""The column that says who did it, and what of it is told. Texts and choices are the branch's, not theirs."""


def told(connection: Connection, by: Principal, now: datetime) -> dict[str, Any]:
    """What the person wrote, put forward and cast for their branches: that they did, where and when."""
    me = by.require_person()
    found = {}
    for name, (who, columns) in DONE.items():
        wanted = [who.table.c[column] for column in columns]
        rows = connection.execute(select(*wanted).where(who == me).distinct().order_by(*wanted))
        found[name] = [dict(r) for r in rows.mappings()]
    return found


def forget(connection: Connection, person_id: str) -> None:
    """Let go of where the person was writing.

    What they did for a branch stays with it: their id stands there, which names nobody any more.
    """
    connection.execute(delete(case_writers).where(case_writers.c.person_id == person_id))


PERSONAL_DATA = PersonalData(told, forget)
"""For `access.access.open_access`."""

"""Rows of open questions, as far as a scope reaches them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, exists, select
from sqlalchemy.sql import ColumnElement

from access.principal import Principal
from access.tables import group_members
from cases.question import QuestionAnswer
from cases.tables import cases, open_questions, question_answers, question_audiences
from cases.visibility import seen


def put_to(scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the row of `open_questions` is seen under the scope."""
    a = question_audiences.c
    return exists(
        select(a.question_id).where(a.question_id == open_questions.c.question_id, a.token.in_(sorted(scope)))
    )


def answered_by(branch_ids: Sequence[str]) -> ColumnElement[bool]:
    """Whether one of the branches answered the row of `open_questions`."""
    a = question_answers.c
    return exists(
        select(a.answer_id).where(a.question_id == open_questions.c.question_id, a.branch_id.in_(branch_ids))
    )


def answers_as_seen(
    connection: Connection, by: Principal, question_ids: Sequence[str]
) -> list[QuestionAnswer]:
    """The answers to questions that are seen, oldest first, as the asker sees them."""
    a = question_answers.c
    rows = connection.execute(
        select(question_answers).where(a.question_id.in_(question_ids)).order_by(a.answered_at, a.answer_id)
    ).all()
    shown = seen_cases(connection, by.scope, (r.case_id for r in rows))
    return [
        QuestionAnswer(
            r.answer_id,
            r.question_id,
            r.branch_id,
            r.person_id if r.branch_id in by.roles else None,
            r.text,
            r.case_id if r.case_id in shown else None,
            r.answered_at,
        )
        for r in rows
        if r.text or r.case_id in shown
    ]


def seen_cases(
    connection: Connection, scope: frozenset[str], case_ids: Iterable[str | None]
) -> frozenset[str]:
    """Those of the cases that are seen under the scope."""
    wanted = sorted({c for c in case_ids if c})
    if not wanted:
        return frozenset()
    found = connection.execute(select(cases.c.case_id).where(cases.c.case_id.in_(wanted), seen(scope)))
    return frozenset(found.scalars())


def audiences(connection: Connection, question_ids: Sequence[str]) -> dict[str, list[str]]:
    """The tokens that each of the questions went to."""
    a = question_audiences.c
    found: dict[str, list[str]] = {q: [] for q in question_ids}
    rows = connection.execute(
        select(a.question_id, a.token).where(a.question_id.in_(question_ids)).order_by(a.token)
    )
    for row in rows:
        found[row.question_id].append(row.token)
    return found


def people_in(connection: Connection, group_ids: Sequence[str]) -> list[str]:
    """People who are in one of the groups themselves."""
    m = group_members.c
    rows = connection.execute(
        select(m.member).distinct().where(m.group_id.in_(group_ids), m.member.like("person:%"))
    ).scalars()
    return [member.removeprefix("person:") for member in rows]

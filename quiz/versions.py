"""The rows of the bank: how a question is read at its latest version, put in, given its next version or another state."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Case, Connection, Select, and_, case, insert, select, update

from access.principal import Principal
from quiz.duplicates import stem_key
from quiz.model import Question, State, question_json, question_of
from quiz.tables import question_versions, questions, reviews
from quiz.visibility import ended, seen

UNLINKED = "没有找到所依据的条款，请人工核对。"
"""The note of a question without a citation."""
_MOST_PARAMETERS = 500


def latest(today: date) -> Select[Any]:
    """Every question with the body of its latest version, and why its document has `ended` by today."""
    q, v = questions.c, question_versions.c
    return select(questions, v.body, ended(q.document_id, today).label("ended")).join(
        question_versions, (v.question_id == q.question_id) & (v.version == q.version)
    )


def state_on(today: date) -> Case[str]:
    """Where a question stands on the day: in review as soon as its document has ended, unless it is out of use."""
    q = questions.c
    stale = and_(q.state != State.RETIRED.value, ended(q.document_id, today).is_not(None))
    return case((stale, State.IN_REVIEW.value), else_=q.state)


def put_question(
    connection: Connection,
    by: Principal,
    branch_id: str,
    question_id: str,
    question: Question,
    state: State,
    at: datetime,
) -> None:
    """Put a question in, at version 1."""
    connection.execute(
        insert(questions).values(
            question_id=question_id,
            branch_id=branch_id,
            added_by=by.person_id,
            added_at=at,
            version=1,
            **_facts(question, state, "", at),
        )
    )
    _put_body(connection, by, question_id, 1, question, at)
    if state is not State.CANDIDATE:
        _put_review(connection, by, question_id, 1, state, "", at)


def put_version(
    connection: Connection,
    by: Principal,
    question_id: str,
    version: int,
    question: Question,
    state: State,
    reason: str,
    at: datetime,
) -> None:
    """Put the next version of a question in, the `version`-th."""
    connection.execute(
        update(questions)
        .where(questions.c.question_id == question_id)
        .values(version=version, **_facts(question, state, "", at))
    )
    _put_body(connection, by, question_id, version, question, at)
    _put_review(connection, by, question_id, version, state, reason, at)


def put_state(
    connection: Connection,
    by: Principal | None,
    question_id: str,
    version: int,
    question: Question,
    state: State,
    reason: str,
    at: datetime,
) -> None:
    """Give a question another state; its versions are left alone."""
    connection.execute(
        update(questions)
        .where(questions.c.question_id == question_id)
        .values(state=state.value, note=_note(question, reason), changed_at=at)
    )
    _put_review(connection, by, question_id, version, state, reason, at)


def bodies(
    connection: Connection, question_ids: Collection[str], scope: frozenset[str] | None
) -> dict[tuple[str, int], Question]:
    """Every version of the questions that is seen under the scope, by id and number; None looks at all of them."""
    v = question_versions.c
    statement = select(v.question_id, v.version, v.body)
    if scope is not None:
        statement = statement.where(seen(v.document_id, scope))
    return {
        (row.question_id, row.version): question_of(row.body)
        for some in in_parts(sorted(question_ids))
        for row in connection.execute(statement.where(v.question_id.in_(some)))
    }


def in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in lists short enough for one statement."""
    for start in range(0, len(ids), _MOST_PARAMETERS):
        yield ids[start : start + _MOST_PARAMETERS]


def _facts(question: Question, state: State, reason: str, at: datetime) -> dict[str, Any]:
    citation = question.citation
    return {
        "state": state.value,
        "type": question.type.value,
        "slot": question.slot.value,
        "difficulty": question.difficulty,
        "stem_key": stem_key(question.stem),
        "document_id": citation.document_id if citation else None,
        "clause_id": citation.clause_id if citation else None,
        "topics": list(question.topics),
        "note": _note(question, reason),
        "changed_at": at,
    }


def _note(question: Question, reason: str) -> str:
    return reason or ("" if question.citation else UNLINKED)


def _put_body(
    connection: Connection, by: Principal, question_id: str, version: int, question: Question, at: datetime
) -> None:
    connection.execute(
        insert(question_versions).values(
            question_id=question_id,
            version=version,
            body=question_json(question),
            document_id=question.citation.document_id if question.citation else None,
            made_by=by.person_id,
            made_at=at,
        )
    )


def _put_review(
    connection: Connection,
    by: Principal | None,
    question_id: str,
    version: int,
    state: State,
    reason: str,
    at: datetime,
) -> None:
    connection.execute(
        insert(reviews).values(
            question_id=question_id,
            version=version,
            state=state.value,
            reason=reason,
            reviewed_by=by.person_id if by else None,
            reviewed_at=at,
        )
    )

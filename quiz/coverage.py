"""How far a branch's questions cover its material, and how well they were answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from statistics import fmean
from typing import Any

from sqlalchemy import Connection, or_, select

from quiz.exam import Mode
from quiz.held import MARKED
from quiz.model import State
from quiz.sat import sittings
from quiz.tables import attempts, exams, questions
from store.tables import clauses, documents
from store.visibility import visible

FEWEST_PEOPLE = 5
"""People who must have answered before it is told how well."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A chapter of a document; `heading` is empty for what stands before or without chapters.

    `n_covered` clauses have an approved question, `n_asked` were asked in an exam. `share` of the points was
    reached in first sittings, None while fewer than `FEWEST_PEOPLE` answered; `n_people` did.
    """

    heading: str
    anchor: str
    n_clauses: int
    n_covered: int
    n_asked: int
    n_people: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Material:
    """A document, its chapters in their order, and all of them in one."""

    document_id: str
    title: str
    whole: Topic
    topics: tuple[Topic, ...]


def coverage_of(
    connection: Connection, branch_id: str, scope: frozenset[str], today: date
) -> tuple[Material, ...]:
    """The documents in force that the branch keeps or has questions of, as the scope sees them, by title."""
    q, d, c = questions.c, documents.c, clauses.c
    in_bank = select(q.document_id).where(q.branch_id == branch_id, q.state != State.RETIRED.value)
    titles = {
        row.document_id: row.title
        for row in connection.execute(
            select(d.document_id, d.title)
            .where(
                or_(d.branch_id == branch_id, d.document_id.in_(in_bank)),
                or_(d.ended_on.is_(None), d.ended_on > today),
                visible(scope),
            )
            .order_by(d.title, d.document_id)
        )
    }
    approved = connection.execute(
        select(q.document_id, q.clause_id).where(
            q.branch_id == branch_id, q.state == State.APPROVED.value, q.document_id.in_(list(titles))
        )
    )
    covered = {(r.document_id, r.clause_id) for r in approved}
    reached = _reached(connection, branch_id, scope)
    chapters: dict[str, dict[str, list[Any]]] = {}
    for row in connection.execute(
        select(c.document_id, c.clause_id, c.section_id, c.label, c.anchor, c.path)
        .where(c.document_id.in_(list(titles)))
        .order_by(c.document_id, c.ordinal)
    ):
        heading = row.path[0] if row.section_id is not None and row.path else ""
        chapters.setdefault(row.document_id, {}).setdefault(heading, []).append(row)
    found = []
    for document_id, title in titles.items():
        of_document = _without_front(chapters.get(document_id, {}))
        topics = tuple(_topic(h, rows, covered, reached) for h, rows in of_document.items())
        everything = [row for rows in of_document.values() for row in rows]
        found.append(Material(document_id, title, _topic("", everything, covered, reached), topics))
    return tuple(found)


Place = tuple[str, str]
"""A document and a clause of it."""
Reached = dict[Place, list[tuple[str, float]]]
"""For each clause that was asked, who reached which share of the points."""


def _reached(connection: Connection, branch_id: str, scope: frozenset[str]) -> Reached:
    which = (exams.c.branch_id == branch_id) & (attempts.c.number == 1)
    found, asked = sittings(connection, which, scope)
    reached: Reached = {}
    for s in found:
        for g in s.given if s.state == MARKED else ():
            citation = asked[g.version].citation
            # In a practice one may stop anywhere: what was left there was not got wrong.
            if citation is None or (g.missing and s.mode == Mode.PRACTICE):
                continue
            place = citation.document_id, citation.clause_id
            reached.setdefault(place, []).append((s.person_id, g.share or 0.0))
    return reached


def _without_front(chapters: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The chapters without the lines of title and date before the first heading, unless there is nothing else."""
    if len(chapters) > 1 and not any(row.label for row in chapters.get("", ())):
        return {heading: rows for heading, rows in chapters.items() if heading}
    return chapters


def _topic(heading: str, rows: Iterable[Any], covered: set[Place], reached: Reached) -> Topic:
    places = {(row.document_id, row.clause_id): row.anchor for row in rows}
    answers = [answer for place in places for answer in reached.get(place, [])]
    n_people = len({person_id for person_id, _ in answers})
    return Topic(
        heading,
        next(iter(places.values()), ""),
        n_clauses=len(places),
        n_covered=len(covered & places.keys()),
        n_asked=len(reached.keys() & places.keys()),
        n_people=n_people,
        share=fmean(share for _, share in answers) if n_people >= FEWEST_PEOPLE else None,
    )

"""What an exam showed: numbers for those who gave it, names for the trainer of those people's branch alone.

Numbers are of first sittings that are marked, and of the questions that the asker sees: those of a document
that was withdrawn count for nothing. `quiz.told` says which people are counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median
from typing import Any

from sqlalchemy import Connection, Row, select, update

from access.office import Office
from access.people import people_of
from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from access.tables import people, roles
from kb.errors import NotFound
from quiz.coverage import Material, coverage_of
from quiz.exam import Mode
from quiz.held import MARKED, OPEN, SUBMITTED, Version
from quiz.model import Question
from quiz.sat import Sat, matrix, sittings
from quiz.statistics import FEWEST, FormStatistics, form_statistics, measured_difficulty
from quiz.tables import attempts, exam_audiences, exams, paper_questions, papers, questions
from quiz.told import Group, bars, group_of, n_passed, own_branches, tell
from quiz.versions import bodies


@dataclass(frozen=True, slots=True)
class Overview:
    """An exam in numbers, over all groups that are told; as in `Group`.

    `bars` count the shares reached, from 0 to 1. `n_missing` counts questions left without an answer.
    `left_out`: there are people of branches too small to be told. `whole`: the asker may ask in the branch
    that gave it, is told of all branches, and sees the statistics of its questions.
    """

    exam_id: str
    branch_id: str
    title: str
    mode: Mode
    opens_at: datetime
    closes_at: datetime
    pass_share: float
    n_forms: int
    drawn: bool
    whole: bool
    n: int
    n_open: int
    n_waiting: int
    mean: float | None
    median: float | None
    n_passed: int
    n_missing: int
    bars: tuple[int, ...]
    groups: tuple[Group, ...]
    left_out: bool


@dataclass(frozen=True, slots=True)
class Sitter:
    """One person of the branch. `state` is that of the latest sitting, "not_begun" without one.

    `first` and `best` are shares of the points, `score` of `most` the points of the best sitting; None until
    one is marked.
    """

    person_id: str
    name: str
    state: str
    n_sittings: int
    first: float | None = None
    best: float | None = None
    score: float | None = None
    most: float | None = None
    passed: bool | None = None
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FormResult:
    """The questions of a form in its order, and their statistics, None below `FEWEST` sittings.

    `n` first sittings are looked at. `n_apart` are not: they did not hold all of these questions, or, in a
    practice, left some without an answer. `n_gone` questions of the form are not seen any more.
    """

    form: int
    n: int
    n_apart: int
    n_gone: int
    questions: tuple[Question, ...]
    question_ids: tuple[str, ...]
    statistics: FormStatistics | None


class Results:
    """What exams showed. `settle` hands in those sittings of an exam whose time is over."""

    def __init__(self, office: Office, settle: Callable[[str], None]) -> None:
        self._office = office
        self._settle = settle

    # -- an exam ------------------------------------------------------------------

    def overview(self, by: Principal, exam_id: str) -> Overview:
        """The exam in numbers: all of it for who may ask in the branch that gave it, else of one's own branches.

        Raises:
            NotFound: there is no such exam for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        self._settle(exam_id)
        with self._office.reading() as connection:
            exam = _exam(connection, exam_id)
            scopes = Scopes(connection, self._office.today())
            expected = {b: _expected(connection, scopes, exam_id, b) for b in own_branches(by)}
            found, _ = sittings(connection, attempts.c.exam_id == exam_id, by.scope)
        told = tell(by, exam.branch_id, found, scopes)
        own = sorted(b for b, awaited in expected.items() if awaited or b in told.groups)
        if not (told.whole or own):
            raise _no_exam(exam_id)
        begun = {s.person_id for s in found}
        groups = [group_of(b, told.groups.get(b, []), exam.pass_share, expected[b], begun) for b in own] + [
            group_of(b, sat, exam.pass_share) for b, sat in told.groups.items() if b not in expected
        ]
        firsts = [s for s in told.sat if s.number == 1]
        shares = [s.share for s in firsts if s.share is not None]
        return Overview(
            exam_id=exam_id,
            branch_id=exam.branch_id,
            title=exam.title,
            mode=Mode(exam.mode),
            opens_at=exam.opens_at,
            closes_at=min(exam.closes_at, exam.ended_at or exam.closes_at),
            pass_share=exam.pass_share,
            n_forms=exam.n_forms,
            drawn=exam.drawn,
            whole=told.whole,
            n=len(shares),
            n_open=sum(s.state == OPEN for s in firsts),
            n_waiting=sum(s.state == SUBMITTED for s in firsts),
            mean=fmean(shares) if shares else None,
            median=median(shares) if shares else None,
            n_passed=n_passed(told.sat, exam.pass_share),
            n_missing=sum(g.missing for s in firsts if s.state == MARKED for g in s.given),
            bars=bars(shares),
            groups=tuple(groups),
            left_out=told.left_out,
        )

    def people(self, by: Principal, exam_id: str, branch_id: str) -> list[Sitter]:
        """People who have a role in the branch, and what each reached there, by name; those who have not begun, too.

        Raises:
            NotFound: there is no such exam for people of the branch.
            SignInRequired, Refused: the asker is no trainer there.
        """
        by.require(Action.SEE_RESULTS, branch_id)
        self._settle(exam_id)
        with self._office.reading() as connection:
            return self._people(connection, by, exam_id, branch_id)

    def export(self, by: Principal, exam_id: str, branch_id: str) -> list[Sitter]:
        """The same to be taken away, which the trail tells.

        Raises:
            NotFound, SignInRequired, Refused: as in `people`.
        """
        by.require(Action.SEE_RESULTS, branch_id)
        self._settle(exam_id)
        with self._office.writing() as connection:
            found = self._people(connection, by, exam_id, branch_id)
            self._office.audit.write(
                connection, by, "exam.export", "exam", exam_id, branch_id=branch_id, people=len(found)
            )
        return found

    def _people(self, connection: Connection, by: Principal, exam_id: str, branch_id: str) -> list[Sitter]:
        exam = _exam(connection, exam_id)
        expected = _expected(connection, Scopes(connection, self._office.today()), exam_id, branch_id)
        of_exam = attempts.c.exam_id == exam_id
        found, _ = sittings(connection, of_exam, by.scope)
        sat: dict[str, list[Sat]] = {}
        for s in found:
            if s.branch_id == branch_id:
                sat.setdefault(s.person_id, []).append(s)
        if not (sat or expected or branch_id == exam.branch_id):
            raise _no_exam(exam_id)
        elsewhere = {s.person_id for s in found} - sat.keys()
        members = _members(connection, branch_id)
        # Whoever has left the branch is no longer its trainer's to see.
        wanted = (sat.keys() & members) | (expected - elsewhere)
        return [
            _sitter(p.person_id, p.name, sat.get(p.person_id, []), exam.pass_share)
            for p in people_of(connection, wanted)
        ]

    # -- its questions --------------------------------------------------------------

    def items(self, by: Principal, exam_id: str, form: int = 1) -> FormResult:
        """Statistics of the questions of a fixed form, from 1; for who may ask in the branch that gave it.

        Raises:
            NotFound: there is no such exam for the asker, or no such form.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        self._settle(exam_id)
        with self._office.reading() as connection:
            exam = _exam(connection, exam_id)
            if not by.may(Action.QUIZ, exam.branch_id):
                raise _no_exam(exam_id)
            p = paper_questions.c
            planned = connection.execute(
                select(p.question_id, p.version, p.points)
                .where(p.paper_id == exam.paper_id, p.form == form)
                .order_by(p.position)
            ).all()
            if not planned:
                raise NotFound(f"No form {form} of exam {exam_id}.", "Choose one that it has.")
            found, _ = sittings(connection, attempts.c.exam_id == exam_id, by.scope)
            asked = bodies(connection, {r.question_id for r in planned}, by.scope)
            scopes = Scopes(connection, self._office.today())
        points = {(r.question_id, r.version): r.points for r in planned}
        order = [version for version in points if version in asked]
        firsts = [
            s
            for s in tell(by, exam.branch_id, found, scopes).sat
            if s.number == 1 and s.state == MARKED and s.form == form
        ]
        rows = [{g.version: g for g in s.given} for s in firsts]
        # In a practice one may stop anywhere: what was left there was not got wrong.
        complete = [
            row
            for row in rows
            if row.keys() >= set(order)
            and (exam.mode == Mode.TEST or not any(row[version].missing for version in order))
        ]
        statistics = None
        if order and len(complete) >= FEWEST:
            statistics = form_statistics(matrix(complete, [(a, points[a], asked[a]) for a in order]))
        return FormResult(
            form=form,
            n=len(complete),
            n_apart=len(rows) - len(complete),
            n_gone=len(points) - len(order),
            questions=tuple(asked[a] for a in order),
            question_ids=tuple(question_id for question_id, _ in order),
            statistics=statistics,
        )

    def measure(self, by: Principal | None, exam_id: str) -> int:
        """Put the difficulty that was measured to the questions of an exam; how many were changed.

        It is one less the share reached in all first sittings of the branch's tests, drawn towards the
        estimate of the version while there are few. `by` None is the installation itself.

        Raises:
            NotFound: there is no such exam for the asker.
            SignInRequired: nobody is signed in.
        """
        if by is not None:
            by.require_person()
        self._settle(exam_id)
        with self._office.reading() as connection:
            exam = _exam(connection, exam_id)
            if by is not None and not by.may(Action.QUIZ, exam.branch_id):
                raise _no_exam(exam_id)
            tests = (exams.c.branch_id == exam.branch_id) & (exams.c.mode == Mode.TEST.value)
            found, asked = sittings(
                connection, tests & (attempts.c.number == 1), None if by is None else by.scope
            )
        reached: dict[Version, list[float]] = {}
        here: set[str] = set()
        for s in found:
            for g in s.given if s.state == MARKED else ():
                reached.setdefault(g.version, []).append(g.share or 0.0)
                if s.exam_id == exam_id:
                    here.add(g.version[0])
        n, q = 0, questions.c
        with self._office.writing() as connection:
            for row in connection.execute(
                select(q.question_id, q.version, q.difficulty).where(q.question_id.in_(sorted(here)))
            ).all():
                shares = reached.get((row.question_id, row.version))
                if not shares:
                    continue
                estimate = asked[row.question_id, row.version].difficulty
                measured = measured_difficulty(estimate, fmean(shares), len(shares))
                if abs(measured - row.difficulty) > 1e-6:
                    n += 1
                    connection.execute(
                        update(questions).where(q.question_id == row.question_id).values(difficulty=measured)
                    )
            if n:
                self._office.audit.write(
                    connection, by, "exam.measure", "exam", exam_id, branch_id=exam.branch_id, questions=n
                )
        return n

    # -- the material ------------------------------------------------------------------

    def coverage(self, by: Principal, branch_id: str) -> tuple[Material, ...]:
        """How far the branch's questions cover its material, by document and chapter, and how well they were answered.

        Raises:
            SignInRequired, Refused: the asker may not ask questions there.
        """
        by.require(Action.QUIZ, branch_id)
        with self._office.reading() as connection:
            return coverage_of(connection, branch_id, by.scope, self._office.today())


def _sitter(person_id: str, name: str, sat: Sequence[Sat], pass_share: float) -> Sitter:
    if not sat:
        return Sitter(person_id, name, "not_begun", 0)
    marked = [s for s in sat if s.share is not None]
    best = max(marked, key=lambda s: s.share or 0.0, default=None)
    latest = max(sat, key=lambda s: s.number)
    return Sitter(
        person_id,
        name,
        latest.state,
        len(sat),
        first=next((s.share for s in marked if s.number == 1), None),
        best=best.share if best else None,
        score=best.score if best else None,
        most=best.most if best else None,
        passed=best.passed(pass_share) if best else None,
        submitted_at=latest.submitted_at,
    )


def _exam(connection: Connection, exam_id: str) -> Row[Any]:
    row = connection.execute(
        select(exams, papers.c.n_forms, papers.c.drawn)
        .join(papers, papers.c.paper_id == exams.c.paper_id)
        .where(exams.c.exam_id == exam_id)
    ).first()
    if row is None:
        raise _no_exam(exam_id)
    return row


def _no_exam(exam_id: str) -> NotFound:
    return NotFound(f"No exam {exam_id} here.", "Choose one from the list of exams.")


def _members(connection: Connection, branch_id: str) -> set[str]:
    """People who have a role in the branch and can sign in."""
    return set(
        connection.execute(
            select(roles.c.person_id)
            .join(people, people.c.person_id == roles.c.person_id)
            .where(roles.c.branch_id == branch_id, people.c.active)
        ).scalars()
    )


def _expected(connection: Connection, scopes: Scopes, exam_id: str, branch_id: str) -> set[str]:
    """Those of the branch's people who may sit the exam."""
    tokens = set(
        connection.execute(
            select(exam_audiences.c.token).where(exam_audiences.c.exam_id == exam_id)
        ).scalars()
    )
    members = _members(connection, branch_id)
    if scopes.of_branch(branch_id) & tokens:
        return members
    return {p for p in members if scopes.of_person(p, [branch_id]) & tokens}

"""Papers: solved from a blueprint or put together by hand, kept in forms, or drawn for each person.

A fixed paper keeps which version of which question stands in which place. A drawn one keeps its blueprint alone:
a form is solved for each person from what they may see, so that neighbours are asked differently, what was
withdrawn leaves no hole, and what was approved since is in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from statistics import fmean
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from kb.errors import Conflict, NotFound
from kb.model import derive_id
from quiz.arrangement import Order, arranged, order_beside
from quiz.assembly import Assembled, Chosen, assemble, draw
from quiz.bank import Bank
from quiz.blueprint import (
    MOST_PLACES,
    Blueprint,
    Line,
    Misfilled,
    Shortfall,
    blueprint_json,
    blueprint_of,
    checked,
    shortfall_json,
    shortfall_of,
)
from quiz.enemies import groups
from quiz.exchange import Written, format_named
from quiz.kept import Kept, kept_of
from quiz.model import Question, Sheet, SheetQuestion, State, Type
from quiz.stocks import Stocks, Supply
from quiz.tables import exams, paper_questions, papers, questions
from quiz.versions import in_parts, latest

TITLE_LENGTH = 80
POINTS: Mapping[Type, float] = {
    Type.SINGLE: 2,
    Type.MULTIPLE: 3,
    Type.TRUE_FALSE: 1,
    Type.BLANK: 2,
    Type.SHORT: 10,
    Type.ORDERING: 3,
    Type.MATCHING: 3,
}
"""What a question is usually worth where nothing else was said."""
_AT_ONCE = 100
"""Candidates for a place that are looked at together."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A question that somebody is asked: which version, what it is worth, and its options in the order shown.

    `options` are indexes into the version's own options; empty where it has none.
    """

    question_id: str
    version: int
    points: float
    options: Order


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a form, from 1. `kept` is None where the question is gone: nothing of it may be shown.

    `kept` is at the version that the form holds; `newer` says that there is a later one. `line` is that of the
    blueprint, from 0.
    """

    position: int
    line: int
    planned: Planned
    kept: Kept | None
    newer: bool = False

    @property
    def usable(self) -> bool:
        """Whether it could be put into a paper today."""
        return self.kept is not None and self.kept.state is State.APPROVED

    @property
    def question(self) -> Question | None:
        """The question with its options as the form shows them; None where it is gone."""
        return _shown(self.kept.question, self.planned.options) if self.kept else None


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as its trainers see it. `forms` are empty for drawn ones, and in lists."""

    paper_id: str
    branch_id: str
    title: str
    blueprint: Blueprint
    seed: int
    shortfalls: tuple[Shortfall, ...]
    made_by: str | None
    made_at: datetime
    changed_at: datetime
    given_out: bool
    forms: tuple[tuple[Place, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a blueprint gives, not kept yet; of a drawn one, what one person could get."""

    forms: tuple[tuple[Place, ...], ...]
    shortfalls: tuple[Shortfall, ...]
    proven: bool


class Papers:
    """Safe to share between threads."""

    def __init__(self, office: Office, bank: Bank) -> None:
        self._office = office
        self._bank = bank
        self._stocks = Stocks(office, bank)

    # -- making ---------------------------------------------------------------

    def solve(self, by: Principal, branch_id: str, blueprint: Blueprint, seed: int) -> Draft:
        """What the blueprint gives from the branch's bank; the same for the same seed and bank.

        Raises:
            Misfilled: the blueprint makes no sense.
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        supply, assembled = self._solved(by, branch_id, blueprint, seed)
        forms = tuple(
            tuple(_place(n, chosen, blueprint, supply) for n, chosen in enumerate(form, 1))
            for form in assembled.forms
        )
        return Draft(forms, assembled.shortfalls, assembled.proven)

    def make(self, by: Principal, branch_id: str, title: str, blueprint: Blueprint, seed: int) -> str:
        """Solve and keep it, with what cannot be met; the id.

        Raises:
            Misfilled: title or blueprint make no sense, or no question fits.
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        title = _checked_title(title)
        supply, assembled = self._solved(by, branch_id, blueprint, seed)
        if not any(assembled.forms):
            raise Misfilled(
                "lines",
                "Cannot make a paper: no usable question fits any line.",
                "题库里没有一道已通过的题合用，没有组成试卷。",
            )
        rows = [
            (form, number, _planned(chosen, blueprint, supply), chosen.line)
            for form, places in enumerate(assembled.forms, 1)
            for number, chosen in enumerate(places, 1)
        ]
        return self._keep(
            by, branch_id, title, blueprint, seed, assembled.shortfalls, [] if blueprint.drawn else rows
        )

    def by_hand(
        self,
        by: Principal,
        branch_id: str,
        title: str,
        question_ids: Sequence[str],
        points: Mapping[Type, float] = POINTS,
    ) -> str:
        """A paper of one form from these questions, type by type, in each in the order given; the id.

        Raises:
            Misfilled: title, number or points make no sense, or a question is not usable (any more).
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        title = _checked_title(title)
        supply = self._stocks.of(branch_id, by.scope)
        ids = list(dict.fromkeys(question_ids))
        if not 1 <= len(ids) <= MOST_PLACES:
            raise InvalidRequest(f"请勾选 1 至 {MOST_PLACES} 道题。", "questions")
        if any(i not in supply.by_id for i in ids):
            raise InvalidRequest(
                "勾选的题里有的已不能用（没有通过审核，或所依据的材料已失效）。", "questions"
            )
        kept = [supply.by_id[i] for t in Type for i in ids if supply.by_id[i].question.type is t]
        types = list(dict.fromkeys(k.question.type for k in kept))
        blueprint = checked(
            Blueprint(
                tuple(
                    Line(sum(k.question.type is t for k in kept), points.get(t, POINTS[t]), frozenset({t}))
                    for t in types
                )
            )
        )
        seed = len(ids)
        orders = arranged([k.question for k in kept], seed)
        rows = []
        for number, (k, order) in enumerate(zip(kept, orders, strict=True), 1):
            line = types.index(k.question.type)
            planned = Planned(k.question_id, k.version, blueprint.lines[line].points, order)
            rows.append((1, number, planned, line))
        return self._keep(by, branch_id, title, blueprint, seed, (), rows)

    def _solved(
        self, by: Principal, branch_id: str, blueprint: Blueprint, seed: int
    ) -> tuple[Supply, Assembled]:
        supply = self._stocks.of(branch_id, by.scope)
        wanted = replace(checked(blueprint), n_forms=1) if blueprint.drawn else checked(blueprint)
        return supply, assemble(supply.stock, wanted, seed)

    def _keep(
        self,
        by: Principal,
        branch_id: str,
        title: str,
        blueprint: Blueprint,
        seed: int,
        shortfalls: Sequence[Shortfall],
        rows: Sequence[tuple[int, int, Planned, int]],
    ) -> str:
        now = self._office.now()
        paper_id = derive_id("paper", branch_id, title, now.isoformat(), new_secret())
        with self._office.writing() as connection:
            connection.execute(
                insert(papers).values(
                    paper_id=paper_id,
                    branch_id=branch_id,
                    title=title,
                    blueprint=blueprint_json(blueprint),
                    seed=seed,
                    drawn=blueprint.drawn,
                    n_forms=blueprint.n_forms,
                    shortfalls=[shortfall_json(s) for s in shortfalls],
                    made_by=by.person_id,
                    made_at=now,
                    changed_at=now,
                )
            )
            if rows:
                connection.execute(insert(paper_questions), [_row(paper_id, *row) for row in rows])
            self._office.audit.write(connection, by, "paper.make", "paper", paper_id, branch_id=branch_id)
        return paper_id

    # -- reading --------------------------------------------------------------

    def paper(self, by: Principal, paper_id: str) -> Paper:
        """One paper with its forms.

        Raises:
            NotFound: there is none that the asker may see.
            SignInRequired: nobody is signed in.
        """
        with self._office.reading() as connection:
            paper = self._paper(connection, by, paper_id)
            rows = connection.execute(
                select(paper_questions)
                .where(paper_questions.c.paper_id == paper_id)
                .order_by(paper_questions.c.form, paper_questions.c.position)
            ).all()
            standing = self._standing(connection, {r.question_id for r in rows})
        bodies = self._bank.versions({(r.question_id, r.version) for r in rows}, by.scope)
        forms: list[list[Place]] = [
            [] for _ in range(0 if paper.blueprint.drawn else paper.blueprint.n_forms)
        ]
        for r in rows:
            now, body = standing[r.question_id], bodies.get((r.question_id, r.version))
            # Of the version that stands now it is known how difficult it was found.
            same = now.version == r.version
            kept = replace(now, version=r.version, question=now.question if same else body) if body else None
            planned = Planned(r.question_id, r.version, r.points, tuple(r.options))
            forms[r.form - 1].append(Place(r.position, r.line, planned, kept, kept is not None and not same))
        return replace(paper, forms=tuple(map(tuple, forms)))

    def papers(self, by: Principal, branch_id: str) -> list[Paper]:
        """The branch's papers, newest first, without their forms.

        Raises:
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        statement = _papers().where(papers.c.branch_id == branch_id)
        with self._office.reading() as connection:
            ordered = statement.order_by(papers.c.made_at.desc(), papers.c.paper_id)
            return [_paper(r) for r in connection.execute(ordered)]

    def form(self, by: Principal, paper_id: str, form: int) -> tuple[Place, ...]:
        """The places of a form, from 1; of a drawn paper what one person could get, another for each number.

        Raises:
            NotFound: there is no such paper, or no such form.
            SignInRequired: nobody is signed in.
        """
        paper = self.paper(by, paper_id)
        if not paper.blueprint.drawn:
            return _form(paper, form)
        if not 1 <= form <= 2**31:
            raise _not_found(paper_id)
        supply = self._stocks.of(paper.branch_id, by.scope)
        drawn = draw(supply.stock, paper.blueprint, paper.seed + form)
        return tuple(_place(n, chosen, paper.blueprint, supply) for n, chosen in enumerate(drawn, 1))

    def sheet(self, by: Principal, paper_id: str, form: int) -> Sheet:
        """A form to be printed or exported, without what is gone.

        Raises:
            NotFound: there is no such paper, or no such form.
            SignInRequired: nobody is signed in.
        """
        paper, places = self.paper(by, paper_id), self.form(by, paper_id, form)
        asked = [SheetQuestion(p.question, p.planned.points) for p in places if p.question]
        most = sum(a.points for a in asked)
        several = paper.blueprint.n_forms > 1 or paper.blueprint.drawn
        return Sheet(
            paper.title,
            tuple(asked),
            f"共 {len(asked)} 题，满分 {most:g} 分",
            form_name(form) if several else "",
        )

    def export(self, by: Principal, paper_id: str, form: int, format_name: str) -> Written:
        """A form in the format, and what that does not hold; told in the audit trail.

        Raises:
            NotFound: there is no such paper, or no such form.
            UnsupportedFormat: there is no such format.
            SignInRequired: nobody is signed in.
        """
        written = format_named(format_name).write(self.sheet(by, paper_id, form))
        with self._office.writing() as connection:
            branch_id = self._paper(connection, by, paper_id).branch_id
            self._office.audit.write(
                connection,
                by,
                "paper.export",
                "paper",
                paper_id,
                branch_id=branch_id,
                form=form,
                format=format_name,
            )
        return written

    # -- for attempts ---------------------------------------------------------

    def planned(self, paper_id: str, form: int, scope: frozenset[str]) -> list[Planned]:
        """What a fixed form, from 1, asks whoever has the scope, without what is gone.

        Who may sit it is for the caller to ask.
        """
        p = paper_questions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(paper_questions).where(p.paper_id == paper_id, p.form == form).order_by(p.position)
            ).all()
        seen = self._bank.versions({(r.question_id, r.version) for r in rows}, scope)
        return [
            Planned(r.question_id, r.version, r.points, tuple(r.options))
            for r in rows
            if (r.question_id, r.version) in seen
        ]

    def draw(self, paper_id: str, seed: int, scope: frozenset[str]) -> list[Planned]:
        """The questions of a drawn paper for one person: the same for the same seed, scope and bank.

        Who may sit it is for the caller to ask.

        Raises:
            NotFound: there is no such paper.
        """
        with self._office.reading() as connection:
            row = connection.execute(_papers().where(papers.c.paper_id == paper_id)).first()
        if row is None:
            raise _not_found(paper_id)
        paper = _paper(row)
        supply = self._stocks.of(paper.branch_id, scope)
        drawn = draw(supply.stock, paper.blueprint, seed)
        return [_planned(chosen, paper.blueprint, supply) for chosen in drawn]

    # -- changing -------------------------------------------------------------

    def alternatives(
        self, by: Principal, paper_id: str, form: int, position: int, *, k: int = 10
    ) -> list[Kept]:
        """Questions that could stand in this place and keep the blueprint, the most alike first.

        They fit its line, stand nowhere in the paper, ask about no clause that the form asks about, and neither
        give another question of the form away nor are given away.

        Raises:
            NotFound: there is no such place.
            SignInRequired: nobody is signed in.
        """
        paper = self.paper(by, paper_id)
        place = _placed(paper, form, position)
        others = [p.question for p in paper.forms[form - 1] if p.question and p.position != position]
        held = {p.planned.question_id for places in paper.forms for p in places}
        line = paper.blueprint.lines[place.line]
        likeness = _likeness(place, paper.forms[form - 1])
        supply = self._stocks.of(paper.branch_id, by.scope)
        fitting = [s for s in supply.kept if s.question_id not in held and line.takes(s.question)]
        fitting.sort(key=lambda s: (likeness(s.question), s.question_id))
        found: list[Kept] = []
        for start in range(0, len(fitting), _AT_ONCE):
            some = fitting[start : start + _AT_ONCE]
            barred = _barred(others, [s.question for s in some])
            found += [s for n, s in enumerate(some) if n not in barred]
            if len(found) >= k:
                break
        return found[:k]

    def replace(
        self, by: Principal, paper_id: str, form: int, position: int, question_id: str | None = None
    ) -> Place:
        """Put another question that keeps the blueprint into this place: the given one, or the most alike.

        Raises:
            Conflict: there is none; somebody else changed the place; or people were asked it, and it is usable.
            NotFound: there is no such place.
            SignInRequired: nobody is signed in.
        """
        paper = self.paper(by, paper_id)
        place = _placed(paper, form, position)
        if place.usable:
            _require_unused(paper)
        found = self.alternatives(by, paper_id, form, position, k=1 if question_id is None else 10**6)
        taken = next((k for k in found if question_id in (None, k.question_id)), None)
        if taken is None:
            raise Conflict(
                f"Cannot replace question {position} of form {form}: no usable question fits its line, stands nowhere"
                " in the paper, and neither repeats a clause of the form nor gives a question of it away.",
                "Approve more questions for that line.",
            )
        others = [q for p in paper.forms[form - 1] if p.position != position and (q := p.question)]
        order = order_beside(taken.question, others, Random(paper.seed * 31 + position))
        planned = Planned(taken.question_id, taken.version, place.planned.points, order)
        p = paper_questions.c
        with self._office.writing() as connection:
            here = connection.execute(
                select(p.form, p.position, p.question_id).where(p.paper_id == paper_id)
            ).all()
            if (form, position, place.planned.question_id) not in map(tuple, here) or any(
                r.question_id == taken.question_id for r in here
            ):
                raise _changed_meanwhile(paper_id)
            connection.execute(
                update(paper_questions)
                .where(p.paper_id == paper_id, p.form == form, p.position == position)
                .values(question_id=planned.question_id, version=planned.version, options=list(order))
            )
            self._changed(connection, by, paper, "paper.replace", form=form, position=position)
        return Place(position, place.line, planned, taken)

    def move(self, by: Principal, paper_id: str, form: int, position: int, to: int) -> None:
        """Put a question before or after others of its form: at the position `to`, or the nearest there is.

        Raises:
            Conflict: people were asked it.
            NotFound: there is no such place.
            SignInRequired: nobody is signed in.
        """
        p = paper_questions.c
        with self._office.writing() as connection:
            paper = self._paper(connection, by, paper_id)
            _require_unused(paper)
            of_form = (p.paper_id == paper_id, p.form == form)
            rows = [
                dict(r._mapping)
                for r in connection.execute(select(paper_questions).where(*of_form).order_by(p.position))
            ]
            index = next((n for n, r in enumerate(rows) if r["position"] == position), None)
            if index is None:
                raise _not_found(paper_id)
            rows.insert(max(0, min(to - 1, len(rows) - 1)), rows.pop(index))
            connection.execute(delete(paper_questions).where(*of_form))
            connection.execute(insert(paper_questions), [{**r, "position": n} for n, r in enumerate(rows, 1)])
            self._changed(connection, by, paper, "paper.order", form=form)

    def set_points(self, by: Principal, paper_id: str, points: Mapping[int, float]) -> None:
        """Say what the questions of lines, from 0, are worth, in all forms.

        Raises:
            Misfilled: no number of points, or no such line.
            Conflict: people were asked it.
            NotFound: there is no such paper.
            SignInRequired: nobody is signed in.
        """
        p = paper_questions.c
        with self._office.writing() as connection:
            paper = self._paper(connection, by, paper_id)
            _require_unused(paper)
            lines = list(paper.blueprint.lines)
            if not set(points) <= set(range(len(lines))):
                raise Misfilled(
                    "points", f"Cannot value lines {sorted(points)} of {len(lines)}.", "没有这一行。"
                )
            for line, worth in points.items():
                lines[line] = replace(lines[line], points=worth)
            blueprint = checked(replace(paper.blueprint, lines=tuple(lines)))
            for line, worth in points.items():
                connection.execute(
                    update(paper_questions).where(p.paper_id == paper_id, p.line == line).values(points=worth)
                )
            connection.execute(
                update(papers)
                .where(papers.c.paper_id == paper_id)
                .values(blueprint=blueprint_json(blueprint))
            )
            self._changed(connection, by, paper, "paper.points")

    def discard(self, by: Principal, paper_id: str) -> None:
        """Do away with a paper that was never given out.

        Raises:
            Conflict: it was given out.
            NotFound: there is no such paper.
            SignInRequired: nobody is signed in.
        """
        with self._office.writing() as connection:
            paper = self._paper(connection, by, paper_id)
            _require_unused(paper)
            connection.execute(delete(paper_questions).where(paper_questions.c.paper_id == paper_id))
            connection.execute(delete(papers).where(papers.c.paper_id == paper_id))
            self._office.audit.write(
                connection, by, "paper.discard", "paper", paper_id, branch_id=paper.branch_id
            )

    # -- within a transaction -------------------------------------------------

    def _paper(self, connection: Connection, by: Principal, paper_id: str) -> Paper:
        by.require_person()
        row = connection.execute(_papers().where(papers.c.paper_id == paper_id)).first()
        if row is None or not by.may(Action.QUIZ, row.branch_id):
            raise _not_found(paper_id)
        return _paper(row)

    def _standing(self, connection: Connection, question_ids: Collection[str]) -> dict[str, Kept]:
        return {
            r.question_id: kept_of(r)
            for some in in_parts(sorted(question_ids))
            for r in connection.execute(latest(self._office.today()).where(questions.c.question_id.in_(some)))
        }

    def _changed(
        self, connection: Connection, by: Principal, paper: Paper, action: str, **detail: Any
    ) -> None:
        connection.execute(
            update(papers).where(papers.c.paper_id == paper.paper_id).values(changed_at=self._office.now())
        )
        self._office.audit.write(
            connection, by, action, "paper", paper.paper_id, branch_id=paper.branch_id, **detail
        )


def form_name(form: int) -> str:
    """What a form is called.

    >>> form_name(1), form_name(2), form_name(30)
    ('A', 'B', '30')
    """
    return chr(ord("A") + form - 1) if form <= 26 else str(form)


def _papers() -> Any:
    return select(
        papers, exists(exams.select().where(exams.c.paper_id == papers.c.paper_id)).label("given_out")
    )


def _paper(row: Any) -> Paper:
    return Paper(
        row.paper_id,
        row.branch_id,
        row.title,
        blueprint_of(row.blueprint),
        row.seed,
        tuple(map(shortfall_of, row.shortfalls)),
        row.made_by,
        row.made_at,
        row.changed_at,
        bool(row.given_out),
    )


def _row(paper_id: str, form: int, position: int, planned: Planned, line: int) -> dict[str, Any]:
    return {
        "paper_id": paper_id,
        "form": form,
        "position": position,
        "question_id": planned.question_id,
        "version": planned.version,
        "points": planned.points,
        "options": list(planned.options),
        "line": line,
    }


def _planned(chosen: Chosen, blueprint: Blueprint, supply: Supply) -> Planned:
    kept = supply.kept[chosen.index]
    return Planned(kept.question_id, kept.version, blueprint.lines[chosen.line].points, chosen.options)


def _place(position: int, chosen: Chosen, blueprint: Blueprint, supply: Supply) -> Place:
    return Place(position, chosen.line, _planned(chosen, blueprint, supply), supply.kept[chosen.index])


def _shown(question: Question, order: Order) -> Question:
    return question.with_options(tuple(question.options[i] for i in order)) if order else question


def _form(paper: Paper, form: int) -> tuple[Place, ...]:
    if not 1 <= form <= len(paper.forms):
        raise _not_found(paper.paper_id)
    return paper.forms[form - 1]


def _placed(paper: Paper, form: int, position: int) -> Place:
    place = next((p for p in _form(paper, form) if p.position == position), None)
    if place is None:
        raise _not_found(paper.paper_id)
    return place


def _likeness(place: Place, form: Sequence[Place]) -> Any:
    """How far a question is from what stands in the place; where that is gone, from its line in the form."""
    gone = place.question
    known = [p.question.difficulty for p in form if p.line == place.line and p.question]
    wanted = gone.difficulty if gone else fmean(known) if known else 0.5

    def away(question: Question) -> tuple[object, ...]:
        if gone is None:
            return (0, 0, 0, abs(question.difficulty - wanted))
        return (
            question.type is not gone.type,
            set(question.topics).isdisjoint(gone.topics),
            question.slot is not gone.slot,
            abs(question.difficulty - wanted),
        )

    return away


def _barred(others: Sequence[Question], candidates: Sequence[Question]) -> set[int]:
    """Candidates that cannot stand beside the others."""
    n = len(others)
    return {
        index - n for group in groups([*others, *candidates]) if group[0] < n for index in group if index >= n
    }


def _checked_title(title: str) -> str:
    title = " ".join(title.split())
    if not 1 <= len(title) <= TITLE_LENGTH:
        raise Misfilled(
            "title",
            f"Cannot take a title of {len(title)} characters.",
            f"卷名要有 1 至 {TITLE_LENGTH} 个字。",
        )
    return title


def _require_unused(paper: Paper) -> None:
    if paper.given_out:
        raise Conflict(
            f"Cannot change paper {paper.paper_id}: it was given out.",
            "Make another paper; only what is gone or no longer in force can be replaced.",
        )


def _changed_meanwhile(paper_id: str) -> Conflict:
    return Conflict(f"Cannot change paper {paper_id}: somebody else just did.", "See what is there now.")


def _not_found(paper_id: str) -> NotFound:
    return NotFound(f"No paper {paper_id} here.", "See the list of papers.")

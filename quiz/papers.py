"""Papers: solved from a blueprint or put together by hand, kept in forms, or drawn for each person.

A fixed paper keeps which version of which question stands in which place. A drawn one keeps its blueprint alone:
a form is solved for each person from what they may see, so that neighbours are asked differently, what was
withdrawn leaves no hole, and what was approved since is in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from kb.errors import Conflict, NotFound
from kb.model import derive_id
from quiz.arrangement import arranged, order_beside
from quiz.assembly import ON_PAPER, Chosen, assemble, draw
from quiz.bank import Bank
from quiz.blueprint import (
    MOST_PLACES,
    Blueprint,
    Line,
    Misfilled,
    Shortfall,
    blueprint_json,
    checked,
    shortfall_json,
)
from quiz.exchange import Written, format_named
from quiz.kept import Kept, kept_of
from quiz.model import Sheet, SheetQuestion, Type
from quiz.paper import POINTS, Draft, Paper, Place, Planned, form_name, paper_of, row_of
from quiz.replacing import fitting
from quiz.stocks import Stocks, Supply
from quiz.tables import exams, paper_questions, papers, question_versions, questions
from quiz.versions import in_parts, latest
from quiz.visibility import seen

__all__ = ["Draft", "Paper", "Papers", "Place", "Planned"]

TITLE_LENGTH = 80


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
        supply = self._stocks.of(branch_id, by.scope)
        wanted = replace(checked(blueprint), n_forms=1) if blueprint.drawn else checked(blueprint)
        assembled = assemble(supply.stock, wanted, seed)
        forms = tuple(_places(form, blueprint, supply) for form in assembled.forms)
        return Draft(forms, assembled.shortfalls, assembled.proven)

    def make(self, by: Principal, branch_id: str, title: str, blueprint: Blueprint, seed: int) -> str:
        """Solve and keep it, with what cannot be met; the id.

        Raises:
            Misfilled: title or blueprint make no sense, or no question fits.
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        title = _checked_title(title)
        draft = self.solve(by, branch_id, blueprint, seed)
        if not any(draft.forms):
            raise Misfilled(
                "lines",
                "Cannot make a paper: no usable question fits any line.",
                "题库里没有一道已通过的题合用，没有组成试卷。",
            )
        forms = () if blueprint.drawn else draft.forms
        return self._keep(by, branch_id, title, blueprint, seed, draft.shortfalls, forms)

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
        ids = list(dict.fromkeys(question_ids))
        if not 1 <= len(ids) <= MOST_PLACES:
            raise Misfilled(
                "questions",
                f"Cannot make a paper of {len(ids)} questions.",
                f"请选 1 至 {MOST_PLACES} 道题。",
            )
        supply = self._stocks.of(branch_id, by.scope)
        if unusable := [i for i in ids if i not in supply.by_id]:
            raise Misfilled(
                "questions",
                f"Cannot use {len(unusable)} of these questions, such as {unusable[0]}.",
                "选的题里有的不能用：没有通过审核，或所依据的材料已失效。",
            )
        kept = [supply.by_id[i] for t in ON_PAPER for i in ids if supply.by_id[i].question.type is t]
        types = list(dict.fromkeys(k.question.type for k in kept))
        lines = [
            Line(sum(k.question.type is t for k in kept), points.get(t, POINTS[t]), frozenset({t}))
            for t in types
        ]
        blueprint, seed = checked(Blueprint(tuple(lines))), len(ids)
        orders = arranged([k.question for k in kept], seed)
        form = []
        for position, (k, order) in enumerate(zip(kept, orders, strict=True), 1):
            line = types.index(k.question.type)
            planned = Planned(k.question_id, k.version, lines[line].points, order)
            form.append(Place(position, line, k.question.type, planned, k))
        return self._keep(by, branch_id, title, blueprint, seed, (), [form])

    def _keep(
        self,
        by: Principal,
        branch_id: str,
        title: str,
        blueprint: Blueprint,
        seed: int,
        shortfalls: Sequence[Shortfall],
        forms: Sequence[Sequence[Place]],
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
            rows = [row_of(paper_id, n, place) for n, form in enumerate(forms, 1) for place in form]
            if rows:
                connection.execute(insert(paper_questions), rows)
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
            forms[r.form - 1].append(
                Place(r.position, r.line, now.question.type, planned, kept, kept is not None and not same)
            )
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
            return [paper_of(r) for r in connection.execute(ordered)]

    def supply(self, by: Principal, branch_id: str) -> Sequence[Kept]:
        """The questions of the branch's bank that papers may hold today, as far as the asker sees them.

        Raises:
            SignInRequired, Refused: the asker makes no papers for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        return self._stocks.of(branch_id, by.scope).kept

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
        return _places(draw(supply.stock, paper.blueprint, paper.seed + form), paper.blueprint, supply)

    def sheet(self, by: Principal, paper_id: str, form: int) -> Sheet:
        """A form to be printed or exported, without what is gone.

        Raises:
            NotFound: there is no such paper, or no such form.
            SignInRequired: nobody is signed in.
        """
        paper, places = self.paper(by, paper_id), self.form(by, paper_id, form)
        asked = [SheetQuestion(p.question, p.planned.points) for p in places if p.question]
        most = sum(a.points for a in asked)
        return Sheet(
            paper.title,
            tuple(asked),
            f"共 {len(asked)} 题，满分 {most:g} 分",
            form_name(form) if paper.several else "",
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
        p, v = paper_questions.c, question_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(paper_questions)
                .join(question_versions, (v.question_id == p.question_id) & (v.version == p.version))
                .where(p.paper_id == paper_id, p.form == form, seen(v.document_id, scope))
                .order_by(p.position)
            )
            return [Planned(r.question_id, r.version, r.points, tuple(r.options)) for r in rows]

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
        paper = paper_of(row)
        supply = self._stocks.of(paper.branch_id, scope)
        drawn = _places(draw(supply.stock, paper.blueprint, seed), paper.blueprint, supply)
        return [place.planned for place in drawn]

    # -- changing -------------------------------------------------------------

    def alternatives(
        self, by: Principal, paper_id: str, form: int, position: int, *, k: int = 10
    ) -> list[Kept]:
        """Questions that could stand in this place and keep the blueprint, the most alike first.

        Raises:
            NotFound: there is no such place.
            SignInRequired: nobody is signed in.
        """
        paper = self.paper(by, paper_id)
        place = _placed(paper, form, position)
        held = {p.planned.question_id for places in paper.forms for p in places}
        supply = self._stocks.of(paper.branch_id, by.scope)
        line = paper.blueprint.lines[place.line]
        return fitting(place, paper.forms[form - 1], line, supply.kept, held, k)

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
        seen = {
            (n, held.position, held.planned.question_id)
            for n, places in enumerate(paper.forms, 1)
            for held in places
        }
        p = paper_questions.c
        with self._office.writing() as connection:
            rows = connection.execute(
                select(p.form, p.position, p.question_id).where(p.paper_id == paper_id)
            ).all()
            # What fits was found for the paper as it was read: anything else in it may not go with it.
            if seen != set(map(tuple, rows)):
                raise _changed_meanwhile(paper_id)
            connection.execute(
                update(paper_questions)
                .where(p.paper_id == paper_id, p.form == form, p.position == position)
                .values(question_id=planned.question_id, version=planned.version, options=list(order))
            )
            self._changed(connection, by, paper, "paper.replace", form=form, position=position)
        return Place(position, place.line, place.type, planned, taken)

    def move(self, by: Principal, paper_id: str, form: int, position: int, to: int) -> None:
        """Put a question at the position `to`, or as near to it as questions of its type reach.

        Raises:
            Conflict: the paper was given out.
            NotFound: there is no such place.
            SignInRequired: nobody is signed in.
        """
        p = paper_questions.c
        of_form = (p.paper_id == paper_id, p.form == form)
        statement = select(paper_questions, questions.c.type).join(
            questions, questions.c.question_id == p.question_id
        )
        with self._office.writing() as connection:
            paper = self._paper(connection, by, paper_id)
            _require_unused(paper)
            rows = [
                dict(r._mapping) for r in connection.execute(statement.where(*of_form).order_by(p.position))
            ]
            index = next((n for n, r in enumerate(rows) if r["position"] == position), None)
            if index is None:
                raise _not_found(paper_id)
            alike = [n for n, r in enumerate(rows) if r["type"] == rows[index]["type"]]
            rows.insert(max(alike[0], min(to - 1, alike[-1])), rows.pop(index))
            connection.execute(delete(paper_questions).where(*of_form))
            kept = [
                {c.name: r[c.name] for c in paper_questions.c} | {"position": n}
                for n, r in enumerate(rows, 1)
            ]
            connection.execute(insert(paper_questions), kept)
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
        return paper_of(row)

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


def _papers() -> Any:
    given = exists(exams.select().where(exams.c.paper_id == papers.c.paper_id))
    return select(papers, given.label("given_out"))


def _places(form: Sequence[Chosen], blueprint: Blueprint, supply: Supply) -> tuple[Place, ...]:
    found = []
    for position, chosen in enumerate(form, 1):
        kept = supply.kept[chosen.index]
        points = blueprint.lines[chosen.line].points
        planned = Planned(kept.question_id, kept.version, points, chosen.options)
        found.append(Place(position, chosen.line, kept.question.type, planned, kept))
    return tuple(found)


def _form(paper: Paper, form: int) -> tuple[Place, ...]:
    if not 1 <= form <= len(paper.forms):
        raise _not_found(paper.paper_id)
    return paper.forms[form - 1]


def _placed(paper: Paper, form: int, position: int) -> Place:
    place = next((p for p in _form(paper, form) if p.position == position), None)
    if place is None:
        raise _not_found(paper.paper_id)
    return place


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

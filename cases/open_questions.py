"""Has anyone solved this? A branch asks an audience; branches in it answer; the asker says what solved it.

A question is seen by the asking branch and by whoever has a token of its audience, its answers by whoever
sees it. A case that is named with it, by an answer or as what solved it, is shown only to who sees that case;
an answer that is nothing but such a case is not there for anybody else, and not counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from access.keys import new_secret
from access.office import Office
from access.people import branches_of
from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from access.sharing import EVERYONE, OWN, PARTNERS, Reach, Sharing, Wanted
from cases.question import (
    OpenQuestion,
    QuestionAnswer,
    QuestionReach,
    checked_problem,
    checked_text,
    is_same,
)
from cases.question_rows import answered_by, answers_as_seen, audiences, people_in, put_to, seen_cases
from cases.tables import cases, open_questions, question_answers, question_audiences
from cases.visibility import seen
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id

Nearness = Callable[[str, Sequence[str]], Sequence[float]]
"""How near each of other problems is to one; at most 1."""

NEARLY_SAME = 0.57
"""From here on a problem counts as one that was asked before: of 30 that were told in other words 26 are known,
of two that have nothing to do with each other fewer than 2 in 100 are taken for one (`tests/quality/test_questions.py`).
"""

MOST = 200
"""Questions that a list holds, the newest."""
_COMPARED = 2000


class OpenQuestions:
    """Questions to partners, and their answers. Safe to share between threads."""

    def __init__(
        self, office: Office, sharing: Sharing, nearness: Nearness, nearly_same: float = NEARLY_SAME
    ) -> None:
        self._office = office
        self._sharing = sharing
        self._nearness = nearness
        self._nearly_same = nearly_same

    # -- asking -------------------------------------------------------------------------

    def ask(self, by: Principal, branch_id: str, problem: str, detail: str, wanted: Sequence[Wanted]) -> str:
        """Ask an audience for the branch; the question's id.

        Raises:
            InvalidRequest: no problem, a text that is too long, nobody to ask, or an audience that makes no sense.
            Conflict: the branch asks the same already.
            NotFound, SignInRequired, Refused: no such audience, or not the asker's to ask, or not so widely.
        """
        by.require(Action.SPEAK, branch_id)
        problem, detail = checked_problem(problem), checked_text(detail)
        tokens = self._tokens(by, branch_id, wanted)
        with self._office.writing() as connection:
            if self._open_same(connection, branch_id, problem) is not None:
                raise Conflict(
                    "Cannot ask this: the branch asks the same already.",
                    "Open that question, and ask more branches there.",
                )
            question_id = self._put(connection, by, branch_id, problem, detail)
            self._put_audience(connection, question_id, tokens)
            self._write(connection, by, "case_question.ask", question_id, branch_id)
        return question_id

    def same(self, by: Principal, branch_id: str, problem: str) -> str | None:
        """The open question of a branch of one's own that asks the same, if there is one.

        Raises:
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require(Action.SPEAK, branch_id)
        with self._office.reading() as connection:
            return self._open_same(connection, branch_id, problem)

    def note_found(self, by: Principal, branch_id: str, problem: str, case_id: str) -> str:
        """Note that a case is just what the branch looked for, so that its own people find both; the question's id.

        A question of the branch that asks the same is closed by it; else one is noted that only the branch sees.

        Raises:
            InvalidRequest: no problem, or one that is too long.
            NotFound, SignInRequired, Refused: no such case for the asker, or they do not speak for the branch.
        """
        by.require(Action.SPEAK, branch_id)
        problem = checked_problem(problem)
        tokens = self._tokens(by, branch_id, [Wanted(OWN)])
        with self._office.writing() as connection:
            self._check_seen(connection, by, case_id)
            question_id = self._open_same(connection, branch_id, problem)
            if question_id is None:
                noted = self._noted(connection, branch_id, problem, case_id)
                if noted is not None:
                    return noted
                question_id = self._put(connection, by, branch_id, problem, "")
                self._put_audience(connection, question_id, tokens)
            self._end(connection, by, question_id, branch_id, case_id)
        return question_id

    def _put(self, connection: Connection, by: Principal, branch_id: str, problem: str, detail: str) -> str:
        at = self._office.now()
        question_id = derive_id("case question", branch_id, at.isoformat(), new_secret())
        connection.execute(
            insert(open_questions).values(
                question_id=question_id,
                branch_id=branch_id,
                problem=problem,
                detail=detail,
                asked_by=by.person_id,
                asked_at=at,
            )
        )
        return question_id

    def _put_audience(self, connection: Connection, question_id: str, tokens: Iterable[str]) -> None:
        a = question_audiences.c
        connection.execute(delete(question_audiences).where(a.question_id == question_id))
        rows = [{"question_id": question_id, "token": token} for token in tokens]
        connection.execute(insert(question_audiences), rows)

    def _open_same(self, connection: Connection, branch_id: str, problem: str) -> str | None:
        q = open_questions.c
        rows = connection.execute(
            select(q.question_id, q.problem)
            .where(q.branch_id == branch_id, q.closed_at.is_(None))
            .order_by(q.asked_at.desc())
        )
        return next((r.question_id for r in rows if is_same(r.problem, problem)), None)

    def _noted(self, connection: Connection, branch_id: str, problem: str, case_id: str) -> str | None:
        """The closed question of the branch that says already that the case solved this."""
        q = open_questions.c
        rows = connection.execute(
            select(q.question_id, q.problem).where(q.branch_id == branch_id, q.settled_by == case_id)
        )
        return next((r.question_id for r in rows if is_same(r.problem, problem)), None)

    # -- whom it reaches ------------------------------------------------------------------

    def _tokens(self, by: Principal, branch_id: str, wanted: Sequence[Wanted]) -> list[str]:
        """The same audiences, under the same rights, as documents; but people who can answer. One's own always is."""
        audiences = dict.fromkeys(w.audience for w in wanted)
        if not audiences:
            raise InvalidRequest("Cannot ask nobody.", "Choose whom to ask.")
        if EVERYONE in audiences:
            raise InvalidRequest("Cannot ask who does not sign in.", "Choose partners, branches or groups.")
        found = self._sharing.tokens(by, branch_id, [Wanted(a) for a in audiences], owner_id=by.person_id)
        return sorted(found)

    def preview(self, by: Principal, branch_id: str, wanted: Sequence[Wanted]) -> QuestionReach:
        """Who would see a question of the branch; nothing is changed.

        Raises:
            InvalidRequest, NotFound, SignInRequired, Refused: as in `ask`.
        """
        by.require(Action.SPEAK, branch_id)
        tokens = self._tokens(by, branch_id, wanted)
        with self._office.reading() as connection:
            return self._reach(connection, branch_id, tokens)

    def reach(self, by: Principal, question_id: str) -> QuestionReach:
        """Who sees a question of one's own branch today: partnerships end, and groups are emptied.

        Raises:
            NotFound: there is no such question for the asker.
            SignInRequired, Refused: the asker does not speak for the branch that asked.
        """
        with self._office.reading() as connection:
            row = self._own(connection, by, question_id)
            return self._reach(
                connection, row["branch_id"], audiences(connection, [question_id])[question_id]
            )

    def _reach(self, connection: Connection, branch_id: str, tokens: Iterable[str]) -> QuestionReach:
        scopes, wanted = Scopes(connection, self._office.today()), frozenset(tokens)
        reached = sorted(b for b in scopes.tree.parents if scopes.of_branch(b) & wanted)
        group_ids = sorted(t.removeprefix("group:") for t in wanted if t.startswith("group:"))
        own = scopes.tree.below([branch_id])
        others = [m for m in people_in(connection, group_ids) if branches_of(connection, m) - own]
        return QuestionReach(
            Reach(tuple(reached), tuple(group_ids), everyone=False, owner_only=False),
            alone=not others and own.issuperset(reached),
        )

    def asked(self, by: Principal, question_id: str) -> list[Wanted]:
        """The audience of a question of one's own branch as it would be chosen.

        Raises:
            NotFound, SignInRequired, Refused: as in `reach`.
        """
        with self._office.reading() as connection:
            row = self._own(connection, by, question_id)
            tokens = audiences(connection, [question_id])[question_id]
        return [_wanted(token, row["branch_id"]) for token in tokens]

    def set_audience(self, by: Principal, question_id: str, wanted: Sequence[Wanted]) -> None:
        """Ask exactly these.

        Raises:
            Conflict: the question is closed.
            InvalidRequest, NotFound, SignInRequired, Refused: as in `ask`.
        """
        with self._office.reading() as connection:
            branch_id = self._own(connection, by, question_id)["branch_id"]
        tokens = self._tokens(by, branch_id, wanted)
        with self._office.writing() as connection:
            _check_open(self._own(connection, by, question_id))
            self._put_audience(connection, question_id, tokens)
            self._write(connection, by, "case_question.audience", question_id, branch_id)

    # -- reading --------------------------------------------------------------------------

    def open_to(self, by: Principal) -> list[OpenQuestion]:
        """What other branches ask the asker's: what waits for an answer first, then the newest.

        Raises:
            SignInRequired: nobody is signed in.
        """
        mine = sorted(by.roles)
        found = self._questions(by, open_questions.c.branch_id.not_in(mine))
        return sorted(found, key=lambda q: not (q.is_open and not q.answered))

    def of_branch(self, by: Principal, branch_id: str) -> list[OpenQuestion]:
        """What a branch asked, as far as the asker sees it: what is open first, then the newest.

        Raises:
            SignInRequired: nobody is signed in.
        """
        found = self._questions(by, open_questions.c.branch_id == branch_id)
        return sorted(found, key=lambda q: not q.is_open)

    def n_waiting(self, by: Principal) -> int:
        """How many open questions of others the branches for which the asker speaks have not answered.

        Raises:
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        q = open_questions.c
        others = q.branch_id.not_in(sorted(by.roles))
        waiting = put_to(by.scope) & q.closed_at.is_(None) & others & ~answered_by(_speaking(by))
        with self._office.reading() as connection:
            n: int = connection.execute(
                select(func.count()).select_from(open_questions).where(waiting)
            ).scalar_one()
        return n if _speaking(by) else 0

    def question(self, by: Principal, question_id: str) -> OpenQuestion:
        """One question.

        Raises:
            NotFound: there is none for the asker.
            SignInRequired: nobody is signed in.
        """
        found = self._questions(by, open_questions.c.question_id == question_id)
        if not found:
            raise _no_question(question_id)
        return found[0]

    def near(self, by: Principal, problem: str, k: int = 5) -> list[OpenQuestion]:
        """What was asked already of nearly the same: of the nearest, those first that a case solved which is seen.

        Raises:
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        q = open_questions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(q.question_id, q.problem)
                .where(put_to(by.scope))
                .order_by(q.asked_at.desc())
                .limit(_COMPARED)
            ).all()
        nearness = self._nearness(problem, [r.problem for r in rows]) if rows else []
        ranked = sorted(
            ((n, r.question_id) for n, r in zip(nearness, rows, strict=True) if n >= self._nearly_same),
            reverse=True,
        )
        near = {question_id: n for n, question_id in ranked[:k]}
        found = self._questions(by, q.question_id.in_(sorted(near)))
        return sorted(found, key=lambda q: (q.settled_by is None, -near[q.question_id]))

    def _questions(self, by: Principal, which: ColumnElement[bool]) -> list[OpenQuestion]:
        by.require_person()
        q = open_questions.c
        with self._office.reading() as connection:
            rows = (
                connection.execute(
                    select(open_questions, answered_by(_speaking(by)).label("answered"))
                    .where(put_to(by.scope), which)
                    .order_by(q.asked_at.desc(), q.question_id)
                    .limit(MOST)
                )
                .mappings()
                .all()
            )
            given = answers_as_seen(connection, by, [r["question_id"] for r in rows])
            settling = seen_cases(connection, by.scope, (r["settled_by"] for r in rows))
            own = [r["question_id"] for r in rows if by.may(Action.SPEAK, r["branch_id"])]
            audience = audiences(connection, own)
        n_answers = Counter(a.question_id for a in given)
        return [
            OpenQuestion(
                r["question_id"],
                r["branch_id"],
                r["problem"],
                r["detail"],
                r["asked_by"] if r["branch_id"] in by.roles else None,
                r["asked_at"],
                r["closed_at"],
                r["settled_by"] if r["settled_by"] in settling else None,
                n_answers[r["question_id"]],
                r["answered"],
                tuple(audience.get(r["question_id"], ())),
            )
            for r in rows
        ]

    def answers(self, by: Principal, question_id: str) -> list[QuestionAnswer]:
        """The answers to a question, oldest first.

        Raises:
            NotFound: there is no such question for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            row = self._row(connection, by, question_id)
            found = answers_as_seen(connection, by, [question_id])
            asking = Scopes(connection, self._office.today()).of_branch(row["branch_id"])
            sees = seen_cases(connection, asking, (a.case_id for a in found))
        return [
            replace(a, asker_sees=a.case_id in sees) if a.case_id and by.may(Action.SPEAK, a.branch_id) else a
            for a in found
        ]

    # -- answering ------------------------------------------------------------------------

    def may_answer(self, by: Principal, question_id: str) -> list[str]:
        """The branches for which the asker may answer: those that the question is put to, if it is open.

        Raises:
            NotFound: there is no such question for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            row = self._row(connection, by, question_id)
            if row["closed_at"] is not None:
                return []
            return self._reached(connection, by, question_id)

    def _reached(self, connection: Connection, by: Principal, question_id: str) -> list[str]:
        """Those of the branches for which the asker speaks that the question is put to."""
        tokens = frozenset(audiences(connection, [question_id])[question_id])
        scopes = Scopes(connection, self._office.today())
        person_id = by.require_person()
        return [b for b in _speaking(by) if scopes.of_person(person_id, [b]) & tokens]

    def answer(
        self, by: Principal, question_id: str, branch_id: str, text: str, case_id: str | None = None
    ) -> str:
        """Answer for a branch, in words, with a case that it published, or both; the answer's id.

        The same answer sent again is the one that is there.

        Raises:
            InvalidRequest: there is nothing in it, too much, or the question is not put to that branch.
            Conflict: the question is closed.
            NotFound: there is no such question, or no such case of the branch, for the asker.
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require_person()
        text = checked_text(text)
        if not text and case_id is None:
            raise InvalidRequest("Cannot answer with nothing.", "Write something, or name a case.")
        with self._office.writing() as connection:
            row = self._row(connection, by, question_id)
            by.require(Action.SPEAK, branch_id)
            _check_open(row)
            if branch_id not in self._reached(connection, by, question_id):
                raise InvalidRequest(
                    f"Cannot answer for {branch_id}: the question is not put to it.",
                    "Answer for a branch that it is put to.",
                )
            if case_id is not None:
                self._check_seen(connection, by, case_id, of=branch_id)
            a = question_answers.c
            again = connection.execute(
                select(a.answer_id).where(
                    a.question_id == question_id,
                    a.branch_id == branch_id,
                    a.text == text,
                    a.case_id.is_(None) if case_id is None else a.case_id == case_id,
                )
            ).scalar()
            if again is not None:
                return str(again)
            at = self._office.now()
            answer_id = derive_id("case answer", question_id, at.isoformat(), new_secret())
            connection.execute(
                insert(question_answers).values(
                    answer_id=answer_id,
                    question_id=question_id,
                    branch_id=branch_id,
                    person_id=by.person_id,
                    text=text,
                    case_id=case_id,
                    answered_at=at,
                )
            )
            self._write(connection, by, "case_question.answer", question_id, branch_id)
        return answer_id

    def take_back_answer(self, by: Principal, answer_id: str) -> None:
        """Take an answer of one's own branch back.

        Raises:
            NotFound: there is none for the asker, or of another branch.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        a = question_answers.c
        with self._office.writing() as connection:
            row = connection.execute(
                select(a.question_id, a.branch_id)
                .join(open_questions, open_questions.c.question_id == a.question_id)
                .where(a.answer_id == answer_id, put_to(by.scope))
            ).first()
            if row is None or not by.may(Action.SPEAK, row.branch_id):
                raise NotFound(f"No answer {answer_id} of yours here.", "See the answers to the question.")
            connection.execute(delete(question_answers).where(a.answer_id == answer_id))
            self._write(connection, by, "case_question.take_back", row.question_id, row.branch_id)

    # -- the end --------------------------------------------------------------------------

    def close(self, by: Principal, question_id: str, *, settled_by: str | None = None) -> None:
        """Take no more answers, and name the case that solved it, if one did.

        Raises:
            Conflict: it is closed.
            NotFound: there is no such question, or no such case, for the asker.
            SignInRequired, Refused: the asker does not speak for the branch that asked.
        """
        with self._office.writing() as connection:
            row = self._own(connection, by, question_id)
            _check_open(row)
            if settled_by is not None:
                self._check_seen(connection, by, settled_by)
            self._end(connection, by, question_id, row["branch_id"], settled_by)

    def _end(
        self, connection: Connection, by: Principal, question_id: str, branch_id: str, settled_by: str | None
    ) -> None:
        connection.execute(
            update(open_questions)
            .where(open_questions.c.question_id == question_id)
            .values(closed_at=self._office.now(), settled_by=settled_by)
        )
        self._write(connection, by, "case_question.close", question_id, branch_id)

    # -- rows -----------------------------------------------------------------------------

    def _row(self, connection: Connection, by: Principal, question_id: str) -> RowMapping:
        """The question, if the asker sees it."""
        row = connection.execute(
            select(open_questions).where(open_questions.c.question_id == question_id, put_to(by.scope))
        ).mappings()
        found = row.first()
        if found is None:
            raise _no_question(question_id)
        return found

    def _own(self, connection: Connection, by: Principal, question_id: str) -> RowMapping:
        """The question, if the asker speaks for the branch that asked."""
        by.require_person()
        row = self._row(connection, by, question_id)
        by.require(Action.SPEAK, row["branch_id"])
        return row

    def _check_seen(
        self, connection: Connection, by: Principal, case_id: str, *, of: str | None = None
    ) -> None:
        """Refuse a case that the asker does not see, or one of another branch than this."""
        own = [] if of is None else [cases.c.branch_id == of]
        known = select(cases.c.case_id).where(cases.c.case_id == case_id, seen(by.scope), *own)
        if connection.execute(known).first() is None:
            raise NotFound(f"No case {case_id} here.", "Choose one that you see.")

    def _write(
        self, connection: Connection, by: Principal, action: str, question_id: str, branch_id: str
    ) -> None:
        self._office.audit.write(connection, by, action, "case_question", question_id, branch_id=branch_id)


def _speaking(by: Principal) -> list[str]:
    """The branches for which the asker speaks."""
    return [b for b in sorted(by.roles) if by.may(Action.SPEAK, b)]


def _wanted(token: str, branch_id: str) -> Wanted:
    """The choice that became a token of a question of the branch."""
    named = {f"branch:{branch_id}": OWN, f"partners:{branch_id}": PARTNERS}
    kind, _, rest = token.partition(":")
    return Wanted(named.get(token, f"branch:{rest.rpartition('>')[2]}" if kind == "share" else token))


def _check_open(row: RowMapping) -> None:
    if row["closed_at"] is not None:
        raise Conflict("Cannot do this: the question is closed.", "Ask anew if the problem is back.")


def _no_question(question_id: str) -> NotFound:
    return NotFound(f"No question {question_id} here.", "See the list of questions.")

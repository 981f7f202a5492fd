"""The bank: the questions of a branch with their versions, where each stands, and why.

A version never changes: an edit makes the next one, and sends the question to review.
Whoever changes a question says which version they saw; if there is another by now,
nothing is changed, and they are told what is there and by whom.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, Text, cast, func, select
from sqlalchemy.sql import ColumnElement

from access.office import Office
from access.people import is_known
from access.principal import Principal
from access.rights import Action
from access.tables import people
from kb.errors import Conflict, InvalidRequest, NotFound
from quiz.adding import distinct, moves, stock_of
from quiz.citing import Citing
from quiz.duplicates import apart, near, same_place, stem_key, text_key
from quiz.kept import STEPS, Added, ChangedMeanwhile, Check, Failure, History, Kept, Review, Version, kept_of
from quiz.model import Question, State, Type, question_of
from quiz.soundness import fault
from quiz.tables import question_versions, questions, reviews
from quiz.versions import bodies, in_parts, latest, put_question, put_state, put_version, state_on
from quiz.visibility import ended, seen
from store.catalog import Catalog

__all__ = ["Added", "Bank", "ChangedMeanwhile", "Check", "Failure", "History", "Kept", "Review", "Version"]

EDITED, CITED_ANEW = "修改后重新审核", "改为依据新的材料"
"""Reasons of reviews that follow from a new version."""
_ACTIONS: Mapping[State, str] = {
    State.IN_REVIEW: "question.review",
    State.APPROVED: "question.approve",
    State.RETIRED: "question.retire",
}
_LONGEST_REASON = 500


class Bank:
    """Keeps the questions of branches. Safe to share between threads."""

    def __init__(self, office: Office, catalog: Catalog, check: Check) -> None:
        self._office = office
        self._catalog = catalog
        self._check = check

    # -- reading --------------------------------------------------------------

    def question(self, by: Principal, question_id: str, version: int | None = None) -> Kept:
        """One question, at its latest version or the one asked for.

        Raises:
            NotFound: there is none that the asker may see.
            SignInRequired: nobody is signed in.
        """
        with self._office.reading() as connection:
            kept = self._kept(connection, by, question_id)
            if version in (None, kept.version):
                return kept
            if version is None or not 0 < version < kept.version:
                raise _not_found(question_id)
            v = question_versions.c
            body = connection.execute(
                select(v.body).where(
                    v.question_id == question_id, v.version == version, seen(v.document_id, by.scope)
                )
            ).scalar()
        if body is None:
            raise _not_found(question_id)
        return replace(kept, version=version, question=question_of(body))

    def questions(
        self,
        by: Principal,
        branch_id: str,
        *,
        states: Collection[State] = (),
        types: Collection[Type] = (),
        document_id: str | None = None,
        topic: str | None = None,
        text: str | None = None,
        stale: bool | None = None,
        offset: int = 0,
        k: int = 30,
    ) -> tuple[int, list[Kept]]:
        """How many of a branch's questions are so, and one page of them: those handed in last first, in their order.

        `text` stands in the stem; empty collections and None do not limit.

        Raises:
            SignInRequired, Refused: the asker makes no questions for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        q, today = questions.c, self._office.today()
        wanted: list[ColumnElement[bool]] = [q.branch_id == branch_id, seen(q.document_id, by.scope)]
        if states:
            wanted.append(state_on(today).in_([s.value for s in states]))
        if types:
            wanted.append(q.type.in_([t.value for t in types]))
        if document_id is not None:
            wanted.append(q.document_id == document_id)
        if topic is not None:
            # As it stands in the stored list; every database keeps that as text.
            wanted.append(cast(q.topics, Text).contains(json.dumps(topic), autoescape=True))
        if text is not None:
            wanted.append(q.stem_key.contains(text_key(text), autoescape=True))
        if stale is not None:
            wanted.append(ended(q.document_id, today).is_not(None) == stale)
        with self._office.reading() as connection:
            total = connection.execute(
                select(func.count()).select_from(questions).where(*wanted)
            ).scalar_one()
            page = latest(self._office.today()).where(*wanted).order_by(q.added_at.desc(), q.question_id)
            return total, [kept_of(r) for r in connection.execute(page.offset(offset).limit(k))]

    def counts(self, by: Principal, branch_id: str) -> Mapping[State, int]:
        """How many of a branch's questions stand where, of those that the asker sees.

        Raises:
            SignInRequired, Refused: the asker makes no questions for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        q, state = questions.c, state_on(self._office.today()).label("state")
        with self._office.reading() as connection:
            rows = connection.execute(
                select(state, func.count())
                .where(q.branch_id == branch_id, seen(q.document_id, by.scope))
                .group_by(state)
            ).all()
        found = {State(name): n for name, n in rows}
        return {s: found.get(s, 0) for s in State}

    def history(self, by: Principal, question_id: str) -> History:
        """What became of a question: those of its versions that the asker sees, and all reviews.

        Whoever has left the asker's branches is not named.

        Raises:
            NotFound: there is no question that the asker may see.
            SignInRequired: nobody is signed in.
        """
        v, r = question_versions.c, reviews.c
        with self._office.reading() as connection:
            self._kept(connection, by, question_id)
            versions = connection.execute(
                select(question_versions, people.c.name)
                .outerjoin_from(question_versions, people, is_known(by, v.made_by))
                .where(v.question_id == question_id, seen(v.document_id, by.scope))
                .order_by(v.version)
            ).all()
            reviewed = connection.execute(
                select(reviews, people.c.name)
                .outerjoin_from(reviews, people, is_known(by, r.reviewed_by))
                .where(r.question_id == question_id)
                .order_by(r.review_id)
            ).all()
        return History(
            tuple(
                Version(x.version, question_of(x.body), x.made_by, x.name or "", x.made_at) for x in versions
            ),
            tuple(
                Review(x.version, State(x.state), x.reason, x.reviewed_by, x.name or "", x.reviewed_at)
                for x in reviewed
            ),
        )

    def duplicates(self, by: Principal, question_id: str) -> list[Kept]:
        """Other questions of the branch that ask nearly the same, or at the same place of the document.

        Raises:
            NotFound: there is no question that the asker may see.
            SignInRequired: nobody is signed in.
        """
        q = questions.c
        with self._office.reading() as connection:
            kept = self._kept(connection, by, question_id)
            cited = kept.question.citation
            own = stem_key(kept.question.stem)
            others = connection.execute(
                select(q.question_id, q.stem_key, q.document_id).where(
                    q.branch_id == kept.branch_id,
                    q.question_id != question_id,
                    seen(q.document_id, by.scope),
                )
            ).all()
            like = {o.question_id for o in others if near(own, o.stem_key)}
            beside = {o.question_id for o in others if cited and o.document_id == cited.document_id}
            rows = [
                row
                for some in in_parts(sorted(like | beside))
                for row in connection.execute(latest(self._office.today()).where(q.question_id.in_(some)))
            ]
        found = [
            other
            for other in map(kept_of, rows)
            if same_place(kept.question, other.question)
            or (other.question_id in like and not apart(kept.question, other.question))
        ]
        return sorted(found, key=lambda o: (o.added_at, o.question_id))

    def failures(self, by: Principal, question_id: str) -> Sequence[Failure]:
        """The gates that a question fails today.

        Raises:
            NotFound: there is no question that the asker may see.
            SignInRequired: nobody is signed in.
        """
        return self._check(self.question(by, question_id).question, by.scope)

    def usable(self, scope: frozenset[str], branch_id: str) -> list[Kept]:
        """What papers of the branch may hold, as far as the scope sees it: approved, and on what is in force."""
        q, today = questions.c, self._office.today()
        with self._office.reading() as connection:
            rows = connection.execute(
                latest(self._office.today())
                .where(
                    q.branch_id == branch_id,
                    seen(q.document_id, scope),
                    state_on(today) == State.APPROVED.value,
                )
                .order_by(q.question_id)
            )
            return [kept_of(r) for r in rows]

    def versions(
        self, held: Iterable[tuple[str, int]], scope: frozenset[str]
    ) -> dict[tuple[str, int], Question]:
        """Those of the versions, by question id and number, that may be seen under the scope.

        For papers and attempts, which hold versions: what is not here any more is neither shown nor counted.
        Who may have the paper or the attempt is for the caller to ask.
        """
        wanted = set(held)
        with self._office.reading() as connection:
            found = bodies(connection, {question_id for question_id, _ in wanted}, scope)
        return {key: question for key, question in found.items() if key in wanted}

    # -- changing -------------------------------------------------------------

    def add(
        self, by: Principal, branch_id: str, new: Sequence[Question], *, state: State = State.CANDIDATE
    ) -> Added:
        """Take questions into the bank of a branch; what it holds already is passed over and counted.

        The same question on another document becomes the next version of one whose document is no longer
        in force. All are taken, or none.

        Raises:
            InvalidRequest: one is not sound, or cites what does not stand there.
            NotFound: one cites a document that the asker does not see.
            SignInRequired, Refused: the asker makes no questions for the branch.
        """
        by.require(Action.QUIZ, branch_id)
        citing = Citing(self._catalog, by.scope)
        wanted = [_settled(q, citing) for q in new]
        at = self._office.now()
        ids: list[str] = []
        with self._office.writing() as connection:
            stock = stock_of(connection, branch_id, by.scope, self._office.today(), wanted)
            for n, (key, question) in enumerate(distinct(wanted).items()):
                same = stock.same.get(key)
                if same is None:
                    question_id = stock.free_id(branch_id, question)
                    if question_id is None:
                        continue
                    # Later in the list is earlier in time: lists show what came last first.
                    made_at = at - timedelta(microseconds=n)
                    put_question(connection, by, branch_id, question_id, question, state, made_at)
                elif moves(same, question):
                    question_id = same.question_id
                    put_version(
                        connection, by, question_id, same.version + 1, question, state, CITED_ANEW, at
                    )
                else:
                    continue
                ids.append(question_id)
            if ids:
                self._office.audit.write(
                    connection,
                    by,
                    "question.add",
                    "branch",
                    branch_id,
                    branch_id=branch_id,
                    questions=len(ids),
                )
        return Added(tuple(ids), len(wanted) - len(ids))

    def edit(
        self, by: Principal, question_id: str, question: Question, *, seen_version: int
    ) -> tuple[Kept, Sequence[Failure]]:
        """Make the next version of a question and send it to review; also the gates that it fails.

        Without a citation it keeps the one that it has. What changes nothing makes no version.

        Raises:
            ChangedMeanwhile: the latest version is another than the asker saw.
            InvalidRequest: it is not sound, its key is none (gate 1), it does not prove its key where the version
                before did (gate 2), or it cites what does not stand there.
            NotFound: there is none that the asker may see, or it cites a document that they do not see.
            SignInRequired: nobody is signed in.
        """
        with self._office.reading() as connection:
            before = self._unchanged(connection, by, question_id, seen_version)
        if question.citation is None:
            question = replace(question, citation=before.question.citation)
        question = _settled(question, Citing(self._catalog, by.scope))
        if question == before.question:
            return before, ()
        failures = self._check(question, by.scope)
        if hard := self._hard(before.question, failures, by.scope):
            raise InvalidRequest(f"Cannot keep this version of question {question_id}.", "；".join(hard))
        with self._office.writing() as connection:
            # Asked again, since running the gates took its time.
            now = self._unchanged(connection, by, question_id, seen_version)
            put_version(
                connection,
                by,
                question_id,
                now.version + 1,
                question,
                State.IN_REVIEW,
                EDITED,
                self._office.now(),
            )
            self._write(connection, by, "question.edit", now)
            return self._kept(connection, by, question_id), failures

    def _hard(self, before: Question, failures: Sequence[Failure], scope: frozenset[str]) -> list[str]:
        """Why an edit cannot be kept: gate 1; and gate 2, but for what the question failed of it already.

        What was brought in may write 30日 where the clause has 三十日: its explanation can still be mended.
        """
        unproved = [f.reason for f in failures if f.gate == 2]
        if unproved:
            known = {f.reason for f in self._check(before, scope) if f.gate == 2}
            unproved = [reason for reason in unproved if reason not in known]
        return [*(f.reason for f in failures if f.gate == 1), *unproved]

    def set_state(
        self, by: Principal, question_id: str, state: State, reason: str = "", *, seen_version: int
    ) -> Kept:
        """Send a question to review, approve it, or take it out of use, which needs a reason.

        Raises:
            ChangedMeanwhile: the latest version is another than the asker saw, or somebody has put the
                question where it cannot go there from.
            Conflict: it cannot be approved, since its document is no longer in force.
            InvalidRequest: no reason, one that is too long, or a state that nothing goes back to.
            NotFound: there is none that the asker may see.
            SignInRequired: nobody is signed in.
        """
        reason = _checked_reason(state, reason)
        with self._office.writing() as connection:
            now = self._unchanged(connection, by, question_id, seen_version)
            if now.state is state:
                return now
            if state not in STEPS[now.state]:
                raise self._changed(connection, by, now)
            if state is State.APPROVED and now.stale:
                raise Conflict(
                    f"Cannot approve question {question_id}: its document is no longer in force.",
                    "Edit it to cite the text in force, or take it out of use.",
                )
            put_state(
                connection, by, question_id, now.version, now.question, state, reason, self._office.now()
            )
            self._write(connection, by, _ACTIONS[state], now)
            return self._kept(connection, by, question_id)

    def recheck(self) -> int:
        """Send to review for good what cites a document that is no longer in force; how many.

        Lists and papers know at once without it; this is for the history, and for a document that comes back.
        """
        q, today = questions.c, self._office.today()
        moving = (State.CANDIDATE.value, State.APPROVED.value)
        statement = latest(today).where(q.state.in_(moving), ended(q.document_id, today).is_not(None))
        with self._office.writing() as connection:
            stale = [kept_of(r) for r in connection.execute(statement)]
            for kept in stale:
                put_state(
                    connection,
                    None,
                    kept.question_id,
                    kept.version,
                    kept.question,
                    State.IN_REVIEW,
                    kept.note,
                    self._office.now(),
                )
                self._write(connection, None, "question.stale", kept)
        return len(stale)

    # -- within a transaction ---------------------------------------------------

    def _kept(self, connection: Connection, by: Principal, question_id: str) -> Kept:
        by.require_person()
        q = questions.c
        row = connection.execute(
            latest(self._office.today()).where(q.question_id == question_id, seen(q.document_id, by.scope))
        ).first()
        if row is None or not by.may(Action.QUIZ, row.branch_id):
            raise _not_found(question_id)
        return kept_of(row)

    def _unchanged(self, connection: Connection, by: Principal, question_id: str, seen_version: int) -> Kept:
        kept = self._kept(connection, by, question_id)
        if kept.version != seen_version:
            raise self._changed(connection, by, kept)
        return kept

    def _changed(self, connection: Connection, by: Principal, now: Kept) -> ChangedMeanwhile:
        r = reviews.c
        last = connection.execute(
            select(r.reviewed_at, people.c.name)
            .outerjoin_from(reviews, people, is_known(by, r.reviewed_by))
            .where(r.question_id == now.question_id)
            .order_by(r.review_id.desc())
            .limit(1)
        ).first()
        return ChangedMeanwhile(
            now, (last.name or "") if last else "", last.reviewed_at if last else now.added_at
        )

    def _write(self, connection: Connection, by: Principal | None, action: str, kept: Kept) -> None:
        self._office.audit.write(
            connection,
            by,
            action,
            "question",
            kept.question_id,
            branch_id=kept.branch_id,
            version=kept.version,
        )


def _settled(question: Question, citing: Citing) -> Question:
    """The question as it is kept: sound, with its citation as the catalog has it."""
    if problem := fault(question):
        raise InvalidRequest("Cannot keep this question: it is not sound.", problem)
    return citing.settled(question.with_options(question.options))


def _checked_reason(state: State, reason: str) -> str:
    found = " ".join(reason.split())
    if state is State.CANDIDATE:
        raise InvalidRequest("Cannot make a candidate of a question again.", "Send it to review.")
    if state is State.RETIRED and not found:
        raise InvalidRequest("Cannot take a question out of use without a reason.", "请写明原因。")
    if len(found) > _LONGEST_REASON or not found.isprintable():
        raise InvalidRequest("Cannot take this reason.", f"原因不超过 {_LONGEST_REASON} 字。")
    return found


def _not_found(question_id: str) -> NotFound:
    return NotFound(f"No question {question_id} here.", "Choose one from the bank.")

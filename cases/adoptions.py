"""What branches do with the cases of others, step by step, and what they say of them."""

from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from access.keys import new_secret
from access.office import Office
from access.principal import Principal
from access.rights import Action
from cases.model import Effect, Progress
from cases.outcome import (
    Adoption,
    Feedback,
    Step,
    Taken,
    checked_word,
    no_case,
    own_branches,
    seen_case,
    taken,
    told,
)
from cases.tables import adoption_steps, adoptions, cases, feedback
from cases.visibility import seen
from kb.errors import InvalidRequest, NotFound, Refused
from kb.model import derive_id


class Adoptions:
    """Keeps what branches do with the cases of others, and what they say of them. Safe to share between threads."""

    def __init__(self, office: Office) -> None:
        self._office = office

    # -- taking over --------------------------------------------------------------------

    def adopt(
        self,
        by: Principal,
        case_id: str,
        branch_id: str,
        progress: Progress,
        *,
        effect: Effect | None = None,
        note: str = "",
        open: bool = True,
    ) -> str:
        """Say how far a branch of one's own is with a case; the adoption's id. What was said before stays as a step.

        Raises:
            NotFound: there is no such case for the asker.
            InvalidRequest: the case is the branch's own; it does not suit and no reason is given; it has an effect
                and is not done; the note is too long.
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require(Action.SPEAK, branch_id)
        note = checked_word(note)
        if progress is Progress.UNSUITABLE and not note:
            raise InvalidRequest("Cannot say only that a case does not suit.", "Say why it does not suit.")
        if effect is not None and progress is not Progress.DONE:
            raise InvalidRequest(
                f"Cannot say that it {effect.value} while it is {progress.value}.",
                "Say so once it is done.",
            )
        at = self._office.now()
        said = {"progress": progress.value, "effect": effect and effect.value, "note": note}
        with self._office.writing() as connection:
            case = connection.execute(select(cases.c.branch_id).where(seen_case(by, case_id))).first()
            if case is None:
                raise no_case(case_id)
            if case.branch_id == branch_id:
                raise InvalidRequest(
                    f"Cannot take case {case_id} over: it is the branch's own.",
                    "Choose one of another branch.",
                )
            kept = connection.execute(
                select(adoptions).where(adoptions.c.case_id == case_id, adoptions.c.branch_id == branch_id)
            ).first()
            if kept is not None and (kept.open, kept.progress, kept.effect, kept.note) == (
                open,
                *said.values(),
            ):
                return str(kept.adoption_id)
            now = {**said, "open": open, "changed_by": by.person_id, "changed_at": at}
            if kept is None:
                adoption_id = derive_id("adoption", case_id, branch_id, new_secret())
                row = {"adoption_id": adoption_id, "case_id": case_id, "branch_id": branch_id, **now}
                connection.execute(insert(adoptions).values(row))
            else:
                adoption_id = kept.adoption_id
                connection.execute(
                    update(adoptions).where(adoptions.c.adoption_id == adoption_id).values(now)
                )
            step = {**said, "adoption_id": adoption_id, "changed_by": by.person_id, "changed_at": at}
            connection.execute(insert(adoption_steps).values(step))
            self._office.audit.write(
                connection,
                by,
                "case.adopt" if kept is None else "case.adoption_move",
                "adoption",
                adoption_id,
                branch_id=branch_id,
                progress=progress.value,
            )
        return str(adoption_id)

    def drop(self, by: Principal, adoption_id: str) -> None:
        """Forget that a branch of one's own took a case over, with every step; also of a case that is seen no more.

        Raises:
            NotFound: a branch of the asker's has none of this id.
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require_person()
        with self._office.writing() as connection:
            row = connection.execute(_all(by).where(adoptions.c.adoption_id == adoption_id)).first()
            if row is None or row.branch_id not in own_branches(by):
                raise _no_adoption(adoption_id)
            by.require(Action.SPEAK, row.branch_id)
            connection.execute(delete(adoptions).where(adoptions.c.adoption_id == adoption_id))
            self._office.audit.write(
                connection, by, "case.adoption_drop", "adoption", adoption_id, branch_id=row.branch_id
            )

    # -- telling ------------------------------------------------------------------------

    def of_case(self, by: Principal, case_id: str) -> Taken:
        """Who took a case over, as far as the asker is told.

        Raises:
            NotFound: there is no such case for the asker.
        """
        with self._office.reading() as connection:
            _require_seen(connection, by, case_id)
            rows = connection.execute(_all(by).where(cases.c.case_id == case_id, told(by, adoptions)))
            return taken([_adoption(by, r) for r in rows])

    def of_branch(self, by: Principal, branch_id: str) -> list[Adoption]:
        """What a branch of one's own took over, the latest first.

        Of a case that the asker does not see any more stays that it was taken over, and for who speaks for the
        branch their own note.

        Raises:
            SignInRequired, Refused: the asker is not of the branch.
        """
        by.require_person()
        if branch_id not in own_branches(by):
            raise Refused(
                f"Cannot see what {branch_id} took over: it is no branch of yours.", "Ask its liaison."
            )
        with self._office.reading() as connection:
            rows = connection.execute(
                _all(by)
                .where(adoptions.c.branch_id == branch_id)
                .order_by(adoptions.c.changed_at.desc(), adoptions.c.adoption_id)
            )
            return [_adoption(by, r) for r in rows]

    def steps(self, by: Principal, adoption_id: str) -> list[Step]:
        """The steps of an adoption, first to last: for its branch, and for those who write the case.

        Others see how it stands, as what was said before may not have been open.

        Raises:
            NotFound: there is none for the asker.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            row = connection.execute(_all(by).where(adoptions.c.adoption_id == adoption_id)).first()
            own = row is not None and row.branch_id in own_branches(by)
            if row is None or not (own or (row.seen and by.may(Action.WRITE_CASE, row.origin))):
                raise _no_adoption(adoption_id)
            withheld = _is_withheld(by, row)
            s = adoption_steps.c
            steps = connection.execute(
                select(adoption_steps).where(s.adoption_id == adoption_id).order_by(s.step_id)
            )
            return [
                Step(
                    Progress(r.progress),
                    Effect(r.effect) if r.effect else None,
                    "" if withheld else r.note,
                    r.changed_by if own else None,
                    r.changed_at,
                )
                for r in steps
            ]

    # -- what is said of a case -----------------------------------------------------------

    def say(self, by: Principal, case_id: str, branch_id: str, text: str, *, open: bool = True) -> str:
        """Say something of a case for a branch of one's own, which may be the case's; the feedback's id.

        Raises:
            NotFound: there is no such case for the asker.
            InvalidRequest: there is no text, or too much.
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require(Action.SPEAK, branch_id)
        text = checked_word(text)
        if not text:
            raise InvalidRequest("Cannot take feedback without a text.", "Write what you have to say.")
        at = self._office.now()
        feedback_id = derive_id("feedback", case_id, branch_id, new_secret())
        with self._office.writing() as connection:
            _require_seen(connection, by, case_id)
            row = {
                "feedback_id": feedback_id,
                "case_id": case_id,
                "branch_id": branch_id,
                "person_id": by.person_id,
                "text": text,
                "open": open,
                "given_at": at,
            }
            connection.execute(insert(feedback).values(row))
            self._office.audit.write(
                connection, by, "case.feedback", "feedback", feedback_id, branch_id=branch_id
            )
        return feedback_id

    def said(self, by: Principal, case_id: str) -> list[Feedback]:
        """What was said of a case, as far as the asker is told, the latest first.

        Raises:
            NotFound: there is no such case for the asker.
        """
        with self._office.reading() as connection:
            _require_seen(connection, by, case_id)
            rows = connection.execute(
                select(feedback)
                .join(cases, cases.c.case_id == feedback.c.case_id)
                .where(cases.c.case_id == case_id, told(by, feedback))
                .order_by(feedback.c.given_at.desc(), feedback.c.feedback_id)
            )
            return [
                Feedback(
                    r.feedback_id, r.branch_id, r.text, r.open, r.given_at, by.may(Action.SPEAK, r.branch_id)
                )
                for r in rows
            ]

    def unsay(self, by: Principal, feedback_id: str) -> None:
        """Take back what a branch of one's own said.

        Raises:
            NotFound: a branch of the asker's said nothing of this id.
            SignInRequired, Refused: the asker does not speak for the branch.
        """
        by.require_person()
        f = feedback.c
        with self._office.writing() as connection:
            row = connection.execute(select(f.branch_id).where(f.feedback_id == feedback_id)).first()
            if row is None or row.branch_id not in own_branches(by):
                raise NotFound(f"No feedback {feedback_id} here.", "See what was said of the case.")
            by.require(Action.SPEAK, row.branch_id)
            connection.execute(delete(feedback).where(f.feedback_id == feedback_id))
            self._office.audit.write(
                connection, by, "case.feedback_drop", "feedback", feedback_id, branch_id=row.branch_id
            )


# -- rows -----------------------------------------------------------------------------


def _all(by: Principal) -> Select[Any]:
    """Every adoption, with the branch that its case comes from, and whether the asker sees the case."""
    return select(adoptions, cases.c.branch_id.label("origin"), seen(by.scope).label("seen")).join(
        cases, cases.c.case_id == adoptions.c.case_id
    )


def _adoption(by: Principal, row: Any) -> Adoption:
    return Adoption(
        row.adoption_id,
        row.case_id if row.seen else None,
        row.branch_id,
        Progress(row.progress),
        Effect(row.effect) if row.effect else None,
        "" if _is_withheld(by, row) else row.note,
        row.open,
        row.changed_at,
        by.may(Action.SPEAK, row.branch_id),
    )


def _is_withheld(by: Principal, row: Any) -> bool:
    """Whether its notes are kept from the asker: they may speak of what is in a case that is not seen."""
    return not row.seen and not by.may(Action.SPEAK, row.branch_id)


def _require_seen(connection: Connection, by: Principal, case_id: str) -> None:
    if connection.execute(select(cases.c.case_id).where(seen_case(by, case_id))).first() is None:
        raise no_case(case_id)


def _no_adoption(adoption_id: str) -> NotFound:
    return NotFound(f"No adoption {adoption_id} here.", "See what your branch took over.")

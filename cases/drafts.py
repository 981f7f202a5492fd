"""Cases being written: forms that several people of a branch fill in at the same time, every save kept."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from access.keys import new_secret
from access.office import Office
from access.people import is_known
from access.principal import Principal
from access.rights import Action
from access.tables import people
from cases.draft import Change, Draft, DraftCard, Writing, Written, discard_unheld, draft_of, move, reopen
from cases.fields import checked, plain
from cases.model import LABELS, REQUIRED, Body, Field, State
from cases.saves import Save, Saved, keep, outcome, saves_of, text_of
from cases.tables import case_attachments, case_changes, case_fields, case_versions, case_writers, cases
from cases.visibility import seen
from kb.errors import Conflict, InvalidRequest, NotFound, Refused
from kb.model import derive_id
from store.originals import OriginalFolder

__all__ = ["Change", "Draft", "DraftCard", "Drafts", "Saved", "Writing", "Written"]

WRITING_S = 60
"""Seconds for which somebody counts as writing after their browser last said so."""

_NOTED_S = 15
"""Seconds after which it is noted anew that the same person writes at the same field."""

_ONE_GO = timedelta(minutes=10)
"""Time between two saves of one person that are told as one change."""

_KEY = re.compile(r"[0-9A-Za-z_.-]{0,32}")


class Drafts:
    """Writes, keeps and reviews drafts. Safe to share between threads.

    A draft is seen by whoever may write cases for its branch; to everyone else it does not exist.
    `originals` holds the bytes of attachments, which go with a draft that is dropped.
    """

    def __init__(self, office: Office, originals: OriginalFolder | None = None) -> None:
        self._office = office
        self._originals = originals

    # -- reading --------------------------------------------------------------

    def form(self, by: Principal, case_id: str) -> Draft:
        """The draft with all of its fields.

        Raises:
            NotFound: there is none that the asker may write.
        """
        with self._office.reading() as connection:
            return self._draft(connection, by, draft_of(connection, by, case_id))

    def since(self, by: Principal, case_id: str, revision: int, *, at: Field | None = None) -> Draft:
        """The draft with the fields that changed after `revision`; notes that the asker is writing at `at`.

        Raises:
            NotFound: there is none that the asker may write.
        """
        with self._office.reading() as connection:
            row = draft_of(connection, by, case_id)
            noted = at is None or self._is_noted(connection, by, case_id, at)
            found = self._draft(connection, by, row, revision)
        if not noted and at is not None:
            self._note(by, case_id, at)
        return found

    def of_branch(self, by: Principal, branch_id: str, states: Sequence[State] = ()) -> list[DraftCard]:
        """The cases that a branch works on, those changed last first; in `states` if any are named.

        Raises:
            SignInRequired, Refused: the asker writes no cases for the branch.
        """
        by.require(Action.WRITE_CASE, branch_id)
        title = case_fields.alias()
        latest = (
            select(case_changes.c.changed_by)
            .where(case_changes.c.case_id == cases.c.case_id)
            .order_by(case_changes.c.revision.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(
                cases,
                title.c.text.label("title"),
                latest.label("changed_by"),
                seen(by.scope).label("seen"),
            )
            .outerjoin(title, (title.c.case_id == cases.c.case_id) & (title.c.field == Field.TITLE.value))
            .where(cases.c.branch_id == branch_id)
            .order_by(cases.c.changed_at.desc(), cases.c.case_id)
        )
        if states:
            query = query.where(cases.c.state.in_([s.value for s in states]))
        with self._office.reading() as connection:
            rows = connection.execute(query).all()
            names = _names(connection, by, {r.changed_by for r in rows})
        return [
            DraftCard(
                case_id=r.case_id,
                branch_id=r.branch_id,
                title=r.title or "",
                state=State(r.state),
                revision=r.revision,
                note=r.note,
                submitted_by=r.submitted_by,
                changed_by=r.changed_by,
                by_name=names.get(r.changed_by, ""),
                changed_at=r.changed_at,
                document_id=r.document_id if r.seen else None,
            )
            for r in rows
        ]

    def changes(self, by: Principal, case_id: str) -> list[Change]:
        """Every change of the form, the latest first; what one person saved of a field in one go is one change.

        Raises:
            NotFound: there is none that the asker may write.
        """
        with self._office.reading() as connection:
            draft_of(connection, by, case_id)
            rows = _history(connection, case_id)
            names = _names(connection, by, {r.changed_by for r in rows})
        found: list[Change] = []
        latest: dict[Field, int] = {}
        stood = dict.fromkeys(Field, "")
        for r in rows:
            field = Field(r.field)
            if r.text == stood[field]:
                continue
            change = Change(
                r.revision,
                field,
                stood[field],
                r.text,
                r.changed_by,
                names.get(r.changed_by, ""),
                r.changed_at,
            )
            last = found[latest[field]] if field in latest else None
            if last and last.changed_by == r.changed_by and r.changed_at - last.changed_at < _ONE_GO:
                found[latest[field]] = replace(change, before=last.before)
            else:
                latest[field] = len(found)
                found.append(change)
            stood[field] = r.text
        return sorted((c for c in found if c.before != c.after), key=lambda c: -c.revision)

    # -- writing --------------------------------------------------------------

    def begin(
        self, by: Principal, branch_id: str, *, body: Body | None = None, derived_from: str | None = None
    ) -> str:
        """Begin a draft for the branch, filled in with `body`; the id of the case.

        Raises:
            SignInRequired, Refused: the asker writes no cases for the branch.
            NotFound: the case that it is derived from is not seen.
            InvalidRequest: a field does not take what `body` has for it.
        """
        by.require(Action.WRITE_CASE, branch_id)
        filled = {f: text for f in Field if (text := checked(f, (body or {}).get(f, "")))}
        case_id, now = derive_id("case", new_secret()), self._office.now()
        with self._office.writing() as connection:
            if derived_from is not None and not _sees(connection, by, derived_from):
                raise NotFound(f"No case {derived_from}.", "Choose a case that you can open.")
            connection.execute(
                insert(cases).values(
                    case_id=case_id,
                    branch_id=branch_id,
                    state=State.DRAFT.value,
                    revision=0,
                    derived_from=derived_from,
                    note="",
                    begun_by=by.person_id,
                    begun_at=now,
                    changed_at=now,
                )
            )
            for revision, (field, text) in enumerate(filled.items(), 1):
                keep(connection, Save(case_id, field, text, 0), Saved(revision, text, False, False), by, now)
            self._audit(connection, by, "case.begin", case_id, branch_id)
        return case_id

    def save(
        self, by: Principal, case_id: str, field: Field, text: str, *, base: int, change_key: str = ""
    ) -> Saved:
        """Save what the asker has of a field; answered only when it is stored for good.

        `base` is a revision at which the asker saw the field. What others wrote since is merged in by
        sentences, nothing is lost; of a single value the later one stands and the earlier stays in the history.

        `change_key` is the browser's own name of the save; the same again does nothing and gives the same
        answer. Of keys of the form `series.number`, each save of a series holds what the one before it held, as
        one editor in one window has it: one that arrives after a later one of its series adds nothing.

        Raises:
            NotFound: there is no such draft that the asker may write.
            InvalidRequest: the field does not take this text, or the key makes no sense.
        """
        if not _KEY.fullmatch(change_key):
            raise InvalidRequest(
                "保存编号最多 32 个字符，只能是字母、数字、点和横线。", "请刷新页面后再保存。"
            )
        with self._office.writing() as connection:
            row = draft_of(connection, by, case_id)
            history = saves_of(connection, case_id, field)
            for r in history:
                if change_key and (r.change_key, r.changed_by) == (change_key, by.person_id):
                    before = [h for h in history if h.revision < r.revision]
                    sent = text_of(connection, case_id, r.revision, "written")
                    again = Save(case_id, field, sent, r.base, change_key)
                    return outcome(connection, before, again, by, r.revision)
            stood = text_of(connection, case_id, history[-1].revision) if history else ""
            # A revision that never was has been seen by nobody: as if nothing had been seen.
            base = base if 0 <= base <= row.revision else 0
            save = Save(case_id, field, checked(field, text, longest=len(stood)), base, change_key)
            saved = outcome(connection, history, save, by, row.revision + 1)
            if saved.text == stood and not change_key:
                return replace(saved, revision=row.revision)
            keep(connection, save, saved, by, self._office.now())
            if saved.text != stood:
                reopen(self._office, connection, by, row)
            return saved

    def put_back(self, by: Principal, case_id: str, revision: int) -> Saved:
        """Give the field that change `revision` was of the text that it had after it.

        Raises:
            NotFound: there is no such draft that the asker may write, or no such change.
        """
        with self._office.writing() as connection:
            row = draft_of(connection, by, case_id)
            c = case_changes.c
            old = connection.execute(
                select(case_changes).where(c.case_id == case_id, c.revision == revision)
            ).first()
            if old is None:
                raise NotFound(f"No change {revision} of case {case_id}.", "Look at its history.")
            field = Field(old.field)
            stood = _fields(connection, by, case_id)[field].text
            if stood == old.text:
                return Saved(row.revision, stood, False, False)
            saved = Saved(row.revision + 1, old.text, False, False)
            keep(connection, Save(case_id, field, old.text, row.revision), saved, by, self._office.now())
            reopen(self._office, connection, by, row)
            self._audit(connection, by, "case.put_back", case_id, row.branch_id, field=field.value)
            return saved

    def drop(self, by: Principal, case_id: str) -> None:
        """Delete a draft that was never published, with its history and attachments.

        Raises:
            NotFound: there is none that the asker may write.
            Conflict: it was published; then it can only be withdrawn.
        """
        with self._office.writing() as connection:
            row = draft_of(connection, by, case_id)
            published = select(case_versions.c.document_id).where(case_versions.c.case_id == case_id)
            if row.document_id or connection.execute(published).first():
                raise Conflict("这个案例发布过，不能删除。", "可以撤下它。")
            mine = select(case_attachments.c.sha256).where(case_attachments.c.case_id == case_id)
            digests = set(connection.execute(mine).scalars())
            connection.execute(delete(cases).where(cases.c.case_id == case_id))
            self._audit(connection, by, "case.drop", case_id, row.branch_id)
            if self._originals:
                discard_unheld(connection, self._originals, digests)

    # -- review ---------------------------------------------------------------

    def submit(self, by: Principal, case_id: str) -> None:
        """Hand a draft to the reviewers of its branch.

        Raises:
            NotFound: there is none that the asker may write.
            InvalidRequest: fields that are needed are empty; names them.
            Conflict: it waits for review, or is through with it.
        """
        with self._office.writing() as connection:
            row = draft_of(connection, by, case_id)
            if row.state != State.DRAFT:
                raise Conflict("这个案例已经提交过了。", "要修改就直接改，改过以后再提交。")
            filled = _fields(connection, by, case_id)
            missing = [LABELS[f] for f in REQUIRED if not (f in filled and filled[f].text.strip())]
            if missing:
                raise InvalidRequest(f"还没有填写：{'、'.join(missing)}。", "填好以后再提交审核。")
            move(
                self._office,
                connection,
                by,
                row,
                "case.submit",
                State.IN_REVIEW,
                submitted_by=by.person_id,
                note="",
            )

    def give_back(self, by: Principal, case_id: str, note: str) -> None:
        """Return a case under review to its writers; `note` says why.

        Raises:
            NotFound: there is none that the asker may write.
            Refused: the asker does not review for the branch.
            InvalidRequest: no reason is given.
            Conflict: it is not under review.
        """
        note = plain(note).strip()
        if not note or len(note) > 2000:
            raise InvalidRequest("退回要写明原因，最多 2000 字。", "写清楚哪里要改。")
        with self._office.writing() as connection:
            row = self._reviewed(connection, by, case_id, State.IN_REVIEW, State.APPROVED)
            move(
                self._office, connection, by, row, "case.give_back", State.DRAFT, submitted_by=None, note=note
            )

    def approve(self, by: Principal, case_id: str, *, revision: int | None = None) -> None:
        """Find a case fit to be published; `revision` is what the reviewer read, if they say so.

        Raises:
            NotFound: there is none that the asker may write.
            Refused: the asker does not review for the branch, or submitted it.
            Conflict: it is not under review, or was changed since `revision`.
        """
        with self._office.writing() as connection:
            row = self._reviewed(connection, by, case_id, State.IN_REVIEW)
            if row.submitted_by == by.person_id:
                raise Refused("自己提交的案例不能自己审核。", "请另一位联络员或管理员审核。")
            if revision is not None and revision != row.revision:
                raise Conflict("审核期间这个案例又改过。", "请重新看过再审核。")
            move(self._office, connection, by, row, "case.approve", State.APPROVED)

    def _reviewed(self, connection: Connection, by: Principal, case_id: str, *states: State) -> Row[Any]:
        row = draft_of(connection, by, case_id)
        by.require(Action.REVIEW_CASE, row.branch_id)
        if row.state not in states:
            raise Conflict("这个案例现在不在审核中。", "刷新页面看看它的状态。")
        return row

    def _audit(
        self, connection: Connection, by: Principal, action: str, case_id: str, branch_id: str, **detail: Any
    ) -> None:
        self._office.audit.write(connection, by, action, "case", case_id, branch_id=branch_id, **detail)

    # -- who writes -----------------------------------------------------------

    def _draft(self, connection: Connection, by: Principal, row: Row[Any], since: int = -1) -> Draft:
        fields = _fields(connection, by, row.case_id, since)
        source = row.derived_from if row.derived_from and _sees(connection, by, row.derived_from) else None
        return Draft(
            case_id=row.case_id,
            branch_id=row.branch_id,
            state=State(row.state),
            revision=row.revision,
            note=row.note,
            fields=fields,
            submitted_by=row.submitted_by,
            derived_from=source,
            document_id=row.document_id if _sees(connection, by, row.case_id) else None,
            writers=self._writers(connection, by, row.case_id),
        )

    def _writers(self, connection: Connection, by: Principal, case_id: str) -> tuple[Writing, ...]:
        w = case_writers.c
        rows = connection.execute(
            select(w.person_id, people.c.name, w.field)
            .join_from(case_writers, people, is_known(by, w.person_id))
            .where(
                w.case_id == case_id,
                w.person_id != by.person_id,
                w.seen_at > self._office.now() - timedelta(seconds=WRITING_S),
            )
            .order_by(people.c.name, w.person_id)
        )
        return tuple(Writing(r.person_id, r.name, Field(r.field)) for r in rows)

    def _is_noted(self, connection: Connection, by: Principal, case_id: str, at: Field) -> bool:
        w = case_writers.c
        fresh = self._office.now() - timedelta(seconds=_NOTED_S)
        found = connection.execute(
            select(w.seen_at).where(
                w.case_id == case_id, w.person_id == by.person_id, w.field == at.value, w.seen_at > fresh
            )
        )
        return found.first() is not None

    def _note(self, by: Principal, case_id: str, at: Field) -> None:
        w = case_writers.c
        with self._office.writing() as connection:
            draft_of(connection, by, case_id)
            connection.execute(delete(case_writers).where(w.case_id == case_id, w.person_id == by.person_id))
            connection.execute(
                insert(case_writers).values(
                    case_id=case_id, person_id=by.person_id, field=at.value, seen_at=self._office.now()
                )
            )


def _sees(connection: Connection, by: Principal, case_id: str) -> bool:
    found = connection.execute(select(cases.c.case_id).where(cases.c.case_id == case_id, seen(by.scope)))
    return found.first() is not None


def _names(connection: Connection, by: Principal, person_ids: set[str | None]) -> dict[str | None, str]:
    """Names of those who are in the asker's branches still."""
    p = people.c
    wanted = [person_id for person_id in person_ids if person_id]
    rows = connection.execute(
        select(p.person_id, p.name).where(p.person_id.in_(wanted), is_known(by, p.person_id))
    )
    return {r.person_id: r.name for r in rows}


def _fields(connection: Connection, by: Principal, case_id: str, since: int = -1) -> dict[Field, Written]:
    f = case_fields.c
    rows = connection.execute(
        select(case_fields, people.c.name)
        .outerjoin_from(case_fields, people, is_known(by, f.changed_by))
        .where(f.case_id == case_id, f.revision > since)
    )
    return {
        Field(r.field): Written(r.text, r.revision, r.changed_by, r.name or "", r.changed_at) for r in rows
    }


def _history(connection: Connection, case_id: str) -> Sequence[Row[Any]]:
    c = case_changes.c
    return connection.execute(select(case_changes).where(c.case_id == case_id).order_by(c.revision)).all()

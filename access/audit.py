"""Who did what to which: append-only, and chained so that a cut shows.

Each entry is sealed with a digest over itself and the entry before it, by a key that
is not in the catalog. The head remembers the last entry, and the floor the last one that
was let go when its time was over; both are sealed too. So an entry that was changed, taken
out or put in, at either end or in the middle, is found by `verify`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, or_, select, update

from access.keys import Keys
from access.principal import Principal
from access.rights import Action
from access.tables import audit, audit_head
from store.database import writing

_TRIM = "audit.trim"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry. `at` is UTC in ISO form; `person_id` None is the operator at the machine, or a guest."""

    seq: int
    at: str
    person_id: str | None
    branch_id: str | None
    action: str
    object_kind: str
    object_id: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the trail is whole; `broken_at` is the first entry that is not as it was written."""

    whole: bool
    n: int
    broken_at: int | None = None
    why: str = ""


class Audit:
    """Writes and reads the trail. Safe to share between threads."""

    def __init__(self, engine: Engine, keys: Keys, *, now: Callable[[], datetime]) -> None:
        self.engine = engine
        self._keys = keys
        self._now = now

    # -- writing --------------------------------------------------------------

    def write(
        self,
        connection: Connection,
        by: Principal | None,
        action: str,
        object_kind: str,
        object_id: str,
        *,
        branch_id: str | None = None,
        **detail: Any,
    ) -> None:
        """Add an entry in the transaction of what it tells of: both come to pass, or neither."""
        head = connection.execute(select(audit_head).where(audit_head.c.name == "head")).first()
        seq, before = (head.seq + 1, head.mac) if head else (1, "")
        fields = (
            self._now().isoformat(timespec="milliseconds"),
            by.person_id if by else None,
            branch_id,
            action,
            object_kind,
            object_id,
            json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str),
        )
        mac = self._mac(seq, before, fields)
        connection.execute(insert(audit).values((seq, *fields, mac)))
        self._mark(connection, "head", seq, mac, known=head is not None)

    def note(
        self,
        by: Principal | None,
        action: str,
        object_kind: str,
        object_id: str,
        *,
        branch_id: str | None = None,
        **detail: Any,
    ) -> None:
        """Add an entry of what changed nothing, such as a reading, in a transaction of its own."""
        with writing(self.engine) as connection:
            self.write(connection, by, action, object_kind, object_id, branch_id=branch_id, **detail)

    def trim(self, keep_days: int) -> int:
        """Let go of entries older than so many days, and say in the trail up to which; how many went."""
        before = (self._now() - timedelta(days=keep_days)).isoformat(timespec="milliseconds")
        with writing(self.engine) as connection:
            last = connection.execute(select(func.max(audit.c.seq)).where(audit.c.at < before)).scalar()
            if last is None:
                return 0
            mac = connection.execute(select(audit.c.mac).where(audit.c.seq == last)).scalar_one()
            n = connection.execute(
                select(func.count()).select_from(audit).where(audit.c.seq <= last)
            ).scalar_one()
            self.write(connection, None, _TRIM, "audit", str(last), entries=n)
            connection.execute(delete(audit).where(audit.c.seq <= last))
            known = connection.execute(select(audit_head).where(audit_head.c.name == "floor")).first()
            self._mark(connection, "floor", last, mac, known=known is not None)
            return n

    def _mark(self, connection: Connection, name: str, seq: int, mac: str, *, known: bool) -> None:
        values = {"seq": seq, "mac": mac, "seal": self._keys.mac("audit-" + name, str(seq), mac)}
        if known:
            connection.execute(update(audit_head).where(audit_head.c.name == name).values(values))
        else:
            connection.execute(insert(audit_head).values(name=name, **values))

    def _mac(self, seq: int, before: str, fields: tuple[str | None, ...]) -> str:
        return self._keys.mac("audit", str(seq), before, json.dumps(fields, ensure_ascii=False))

    # -- reading --------------------------------------------------------------

    def verify(self) -> Verdict:
        """Go through the whole trail and tell the first place where it is not as it was written."""
        with self.engine.connect() as connection:
            marks = {r.name: r for r in connection.execute(select(audit_head))}
            for name, mark in marks.items():
                if not self._keys.is_mac(mark.seal, "audit-" + name, str(mark.seq), mark.mac):
                    return Verdict(False, 0, mark.seq, f"the {name} is not sealed by this installation")
            floor = marks.get("floor")
            seq, before = (floor.seq, floor.mac) if floor else (0, "")
            n = 0
            for row in connection.execute(select(audit).order_by(audit.c.seq)):
                seq += 1
                if row.seq != seq:
                    return Verdict(False, n, seq, "it is missing")
                if not self._keys.is_mac(
                    row.mac, "audit", str(seq), before, json.dumps(tuple(row)[1:-1], ensure_ascii=False)
                ):
                    return Verdict(False, n, seq, "it, or the one before it, was changed")
                before = row.mac
                n += 1
            head = marks.get("head")
            if (head.seq, head.mac) != (seq, before) if head else n > 0:
                return Verdict(False, n, seq + 1, "the end is missing")
        return Verdict(True, n)

    def events(
        self,
        by: Principal,
        *,
        action: str = "",
        person_id: str = "",
        object_id: str = "",
        before: int | None = None,
        k: int = 100,
    ) -> list[Event]:
        """The latest entries that the asker may see, newest first; those before a number when one is given.

        Operators see what concerns no branch, administrators what concerns their branches; everyone sees their own.
        """
        statement = self._seen_by(by).order_by(audit.c.seq.desc()).limit(k)
        if action:
            statement = statement.where(audit.c.action.startswith(action, autoescape=True))
        if person_id:
            statement = statement.where(audit.c.person_id == person_id)
        if object_id:
            statement = statement.where(audit.c.object_id == object_id)
        if before is not None:
            statement = statement.where(audit.c.seq < before)
        with self.engine.connect() as connection:
            return [_event(r) for r in connection.execute(statement)]

    def all(self) -> Iterator[Event]:
        """Every entry, oldest first. For the operator at the machine."""
        with self.engine.connect() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.seq)):
                yield _event(row)

    def export(self, by: Principal) -> Iterator[Event]:
        """All entries that the asker may see, oldest first. The export is itself an entry, made first."""
        self.note(by, "audit.export", "audit", "all")
        with self.engine.connect() as connection:
            for row in connection.execute(self._seen_by(by).order_by(audit.c.seq)):
                yield _event(row)

    def _seen_by(self, by: Principal) -> Select[Any]:
        person_id = by.require_person()
        branches = [b for b in by.branches if by.may(Action.SEE_AUDIT, b)]
        seen = [audit.c.person_id == person_id, audit.c.branch_id.in_(branches)]
        if by.operator:
            seen.append(audit.c.branch_id.is_(None))
        return select(audit).where(or_(*seen))


def _event(row: Any) -> Event:
    return Event(
        row.seq,
        row.at,
        row.person_id,
        row.branch_id,
        row.action,
        row.object_kind,
        row.object_id,
        json.loads(row.detail),
    )


def utc_now() -> datetime:
    """This moment in UTC, without a zone, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)

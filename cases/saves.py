"""The saves of a draft: each is kept, and what comes of it hangs on what its writer had seen and written before."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from access.principal import Principal
from cases.merging import merge, merge_lines
from cases.model import SHAPES, Field, Shape
from cases.tables import case_changes, case_fields, cases

_SERIES = re.compile(r"(.+)\.(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save. `text` is the field now; `merged` if it is not just what was sent; `contested` if others
    changed the same sentence, or the same value."""

    revision: int
    text: str
    contested: bool
    merged: bool


@dataclass(frozen=True, slots=True)
class Save:
    """One save as it arrives: what is `written` over revision `base` of a field, and its name."""

    case_id: str
    field: Field
    written: str
    base: int
    change_key: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A save that is in the history, without its texts."""

    revision: int
    base: int
    change_key: str
    changed_by: str | None


def saves_of(connection: Connection, case_id: str, field: Field) -> list[Kept]:
    """The saves of a field in their order."""
    c = case_changes.c
    rows = connection.execute(
        select(c.revision, c.base, c.change_key, c.changed_by)
        .where(c.case_id == case_id, c.field == field.value)
        .order_by(c.revision)
    )
    return [Kept(*row) for row in rows]


def text_of(connection: Connection, case_id: str, revision: int, which: str = "text") -> str:
    """What was `written` in a save, or the `text` after it."""
    c = case_changes.c
    found = select(c[which]).where(c.case_id == case_id, c.revision == revision)
    return str(connection.execute(found).scalar_one())


def outcome(
    connection: Connection, history: Sequence[Kept], save: Save, by: Principal, revision: int
) -> Saved:
    """What comes of a save on a field with this history, as `revision` of the case."""
    stood = text_of(connection, save.case_id, history[-1].revision) if history else ""
    series, number = _series(save.change_key)
    own = dict(_numbered(history, series, by)) if series else {}
    if any(n > number for n in own):
        return Saved(revision, stood, False, stood != save.written)
    ancestor = ""
    before = own[max(own)] if own else None
    if before is not None and before.revision > save.base:
        # They went on from what they had sent, not knowing what had come of it.
        ancestor = text_of(connection, save.case_id, before.revision, "written")
    elif known := [r for r in history if r.revision <= save.base]:
        ancestor = text_of(connection, save.case_id, known[-1].revision)
    shape = SHAPES[save.field]
    if shape in (Shape.TEXT, Shape.FIGURES):
        merged = (merge if shape is Shape.TEXT else merge_lines)(ancestor, save.written, stood)
        return Saved(revision, merged.text, merged.contested, merged.text != save.written)
    if save.written in (ancestor, stood):
        return Saved(revision, stood, False, stood != save.written)
    return Saved(revision, save.written, stood != ancestor, False)


def _series(change_key: str) -> tuple[str, int]:
    """The series of a save and its number in it; no series and 0 for a key that names none."""
    found = _SERIES.fullmatch(change_key)
    return (found[1], int(found[2])) if found else ("", 0)


def _numbered(history: Sequence[Kept], series: str, by: Principal) -> Iterator[tuple[int, Kept]]:
    """The asker's saves of a series, with their numbers."""
    for r in history:
        name, number = _series(r.change_key)
        if name == series and r.changed_by == by.person_id:
            yield number, r


def keep(connection: Connection, save: Save, saved: Saved, by: Principal, now: datetime) -> None:
    """Keep a save and what came of it; the field changes if its text does."""
    who = {"changed_by": by.person_id, "changed_at": now}
    at = (case_fields.c.case_id == save.case_id) & (case_fields.c.field == save.field.value)
    stood = connection.execute(select(case_fields.c.text).where(at)).scalar()
    connection.execute(
        insert(case_changes).values(
            case_id=save.case_id,
            revision=saved.revision,
            field=save.field.value,
            base=save.base,
            written=save.written,
            text=saved.text,
            change_key=save.change_key,
            **who,
        )
    )
    connection.execute(
        update(cases).where(cases.c.case_id == save.case_id).values(revision=saved.revision, changed_at=now)
    )
    values = {"text": saved.text, "revision": saved.revision, **who}
    if stood is None:
        connection.execute(insert(case_fields).values(case_id=save.case_id, field=save.field.value, **values))
    elif stood != saved.text:
        connection.execute(update(case_fields).where(at).values(values))

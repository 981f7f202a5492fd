"""The history of a case as it is read: what went and what came, sentence by sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from api.case_form import CHOICES
from cases.drafts import Change, Written
from cases.merging import sentences
from cases.model import LABELS, Field

_SHOWN = 60
"""Code points of an unchanged stretch that are shown on either side of a change."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: `kind` is kept, gone or come."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ToldChange:
    """One change; `current` if the field still says so."""

    change: Change
    label: str
    pieces: tuple[Piece, ...]
    current: bool


def told_changes(changes: Sequence[Change], fields: Mapping[Field, Written]) -> list[ToldChange]:
    """Changes in their order, with what differs."""
    told = []
    for change in changes:
        before, after = (_words(change.field, text) for text in (change.before, change.after))
        stands = fields[change.field].text if change.field in fields else ""
        told.append(
            ToldChange(change, LABELS[change.field], pieces_of(before, after), stands == change.after)
        )
    return told


def _words(field: Field, text: str) -> str:
    if field is Field.FIGURES:
        return text.replace("|", "，")
    return CHOICES.get(field, {}).get(text, text)


def pieces_of(before: str, after: str) -> tuple[Piece, ...]:
    """What went and what came; long stretches that stayed are cut.

    >>> [(p.kind, p.text) for p in pieces_of("先登记。再排队。", "先登记。改为预约。")]
    [('kept', '先登记。'), ('gone', '再排队。'), ('come', '改为预约。')]
    """
    old, new = sentences(before), sentences(after)
    found: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Piece("kept", _cut("".join(old[a:b]))))
            continue
        found += [Piece("gone", "".join(old[a:b]))] if b > a else []
        found += [Piece("come", "".join(new[c:d]))] if d > c else []
    return tuple(found)


def _cut(text: str) -> str:
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}……{text[-_SHOWN:]}"

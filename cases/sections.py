"""A text cut at the headings that name fields of the form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cases import facts
from cases.headings import PLAIN, bare, fields_of
from cases.model import Field

FACTS = (Field.TITLE, Field.INDUSTRY, Field.PEOPLE, Field.COST, Field.LEVEL)
"""Fields that stand in the table at the head of the form."""

CLOSED = (*FACTS, Field.FIGURES)
"""Fields that hold values and no text."""

BLANK = " \u3000\xa0\r\n"
"""White space around a line; a tab before it is an empty cell of a table."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text; `level` is that of a heading, 0 for text. `sure` headings are told by the format itself."""

    text: str
    level: int = 0
    sure: bool = False


@dataclass(slots=True)
class Part:
    """A heading with what stands under it."""

    heading: str
    fields: tuple[Field, ...]
    lines: list[str] = field(default_factory=list)


def parts_of(lines: Sequence[Line], title: str) -> list[Part]:
    """The text cut at the headings of its outermost level that name fields; what comes before them is the first part."""
    cut_at = _cutting_level(lines)
    parts = [Part("", ())]
    for line in lines:
        text = line.text.strip(BLANK)
        if not text.strip() or (len(parts) == 1 and not parts[0].lines and _is_title(text, title)):
            continue
        if heading := _heading(line, cut_at):
            parts.append(Part(heading, fields_of(heading)))
        elif (labelled := re.match(r"([^：:，。]{2,10})[：:](.+)", text)) and _opens(
            labelled[1], labelled[2]
        ):
            parts.append(Part(labelled[1], fields_of(labelled[1]), [labelled[2].strip()]))
        else:
            parts[-1].lines.append(text)
    return parts


def _opens(label: str, said: str) -> bool:
    """Whether a label with text behind it on its line begins a section."""
    found = fields_of(label) if bare(label) in PLAIN else ()
    return bool(found) and found[0] not in (*CLOSED, Field.CONTACTS) and not facts.level_named(said)


def _is_title(text: str, title: str) -> bool:
    return bool(title) and "".join(text.split()) in "".join(title.split())


def _cutting_level(lines: Sequence[Line]) -> int:
    """The outermost level on which headings name at least two fields; 9 where none does."""
    for level in sorted({line.level for line in lines if line.level}):
        named = {f for line in lines if line.level == level for f in fields_of(line.text)}
        if len(named) >= 2:
            return level
    return 9


def _heading(line: Line, cut_at: int) -> str:
    """The heading that the line is, empty for text."""
    text = line.text.strip()
    if line.level:
        inner = line.level > cut_at
        return text if not inner or (bare(text) in PLAIN and bool(fields_of(text))) else ""
    if re.fullmatch(r"【[^】]{1,40}】", text):
        return text
    if len(text) > 30 or re.search(r"[。；，\t]", text):
        return ""
    name = bare(text)
    numbered = name != text.rstrip("：:") and not re.match(r"[（(]", text)
    known = name in PLAIN and fields_of(name) and fields_of(name)[0] not in CLOSED
    return text if known or (numbered and cut_at == 9 and len(text) <= 24 and fields_of(text)) else ""

"""The form of a case as a Word file, and the form that a text which was written freely fills in.

Whatever fits no field is handed back beside the form (`read_form`) or joined to the section before it
(`body_of`); nothing of the text is lost on the way.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cases import facts
from cases.filling import FIGURES_HEADER, Form, one_line
from cases.model import (
    INDUSTRIES,
    LABELS,
    LEVEL_WORDS,
    REQUIRED,
    Body,
    Field,
    Figure,
    figures_of,
)
from cases.sections import BLANK, FACTS, Line, Part, parts_of
from ingest.readers import read_source
from kb.model import Block, Document, Source

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

HINTS: Mapping[Field, str] = {
    Field.BACKGROUND: "〔在哪里，有哪些人，平常怎样做〕",
    Field.PROBLEM: "〔遇到什么，从什么时候起，有多严重，为什么会这样〕",
    Field.PRACTICE: "〔一步一步做了什么，谁来做；走过的弯路也写〕",
    Field.OUTCOME: "〔结果怎样，还有什么没有解决〕",
    Field.FIGURES: "〔每行一个指标，写做之前和做之后的数〕",
    Field.CONDITIONS: "〔具备什么才做得成，什么情况不适用〕",
    Field.CARRIES_OVER: "〔别的支部可以直接拿去用的〕",
    Field.CONTACTS: "〔找谁问，怎样联系〕",
}
"""What stands in the empty form under each heading; it is no part of what was written."""

UNTITLED = "案例"
"""What stands at the head of a form that has no title yet."""

_HINTS = re.compile("|".join(map(re.escape, HINTS.values())))


@dataclass(frozen=True, slots=True)
class FormRead:
    """What a Word file fills in. `missing` are the fields without which a case cannot be submitted; `elsewhere` is
    the text that fits no field."""

    body: Body
    missing: tuple[Field, ...]
    elsewhere: str


def body_of(document: Document) -> Body:
    """The form as far as the text of a document fills it in; every fact that the text tells is looked for.

    A section whose heading names no field belongs to the one before it; without any heading the whole
    text is background. Lines before the first heading that are no sentences, such as who handed the
    case in and when, stand in the facts of the document and not here.
    """
    lines = list(_lines_of(document))
    form = Form(document.meta.title)
    form.fill(parts_of(lines, document.meta.title), join=True)
    body = form.body()
    about = [body.get(f, "") for f in (Field.BACKGROUND, Field.PROBLEM)]
    if Field.PEOPLE not in body:
        n = facts.people_of([*about, body.get(Field.PRACTICE, ""), body.get(Field.OUTCOME, "")])
        form.take(Field.PEOPLE, str(n) if n is not None else "")
    if Field.INDUSTRY not in body:
        named = [document.meta.title, *about, body.get(Field.CONTACTS, "")]
        form.take(Field.INDUSTRY, facts.industry_of(document.meta.issuer or "", named) or "")
    if Field.LEVEL not in body:
        level = facts.level_of(body.get(Field.OUTCOME, ""), figures_of(body.get(Field.FIGURES, "")))
        form.take(Field.LEVEL, level.value if level else "")
    return form.body()


def read_form(source: Source) -> FormRead:
    """What a Word file fills in, by headings under many names, labelled lines, and tables of facts and figures.

    A file that follows no form has its title read, and all the rest `elsewhere`.

    Raises:
        UnsupportedFormat, DocumentError: it is no Word file, damaged, empty or too large.
    """
    if source.media_type != DOCX:
        source = Source(source.name, DOCX, source.data)
    reading = read_source(source)
    lines = [line for block in reading.blocks if (line := _line_of(block)).text.strip()]
    title = next((b.text for b in reading.blocks if b.role == "title"), "") or _first_line(lines)
    form = Form("" if title == UNTITLED else one_line(title))
    if own := _own_parts(lines):
        form.fill_own(own, title)
    else:
        form.fill(parts_of(lines, title), join=False)
    body = form.body()
    return FormRead(body, tuple(f for f in REQUIRED if f not in body), form.elsewhere())


def _lines_of(document: Document) -> Iterator[Line]:
    """The lines of a document, those that are whole headings of its structure with their level."""
    levels = {s.start: (s.level, s.end) for s in document.sections}
    at = 0
    for text in document.text.split("\n"):
        level, end = levels.get(at, (0, 0))
        whole = bool(level) and end >= at + len(text)
        yield Line(text, level if whole else 0, whole)
        at += len(text) + 1


def _line_of(block: Block) -> Line:
    """The block without what the empty form says; a heading of the format is a sure one."""
    text = _HINTS.sub("", block.text)
    return Line(text, block.level, True) if block.role == "heading" else Line(text)


def _first_line(lines: Sequence[Line]) -> str:
    """The line that reads like a title: the first short one that is no sentence, label or row."""
    for line in lines[:4]:
        text = line.text.strip()
        if text and len(text) <= 60 and not re.search(r"[。；\t]$|\t|^(?:报送|来源|作者|时间|日期)", text):
            return text
        if len(text) > 60:
            break
    return ""


def _own_parts(lines: Sequence[Line]) -> list[Part]:
    """The parts of a file that was written by `write_form`: only its own headings cut it; none for any other."""
    by_label = {label: f for f, label in LABELS.items() if f not in FACTS}
    headings = [line.text.strip() for line in lines if line.sure and line.level == 1]
    rows = {line.text.partition("\t")[0] for line in lines if "\t" in line.text}
    if not headings or not set(headings) <= by_label.keys() or not {LABELS[f] for f in FACTS} <= rows:
        return []
    parts = [Part("", ())]
    for line in lines:
        if line.sure and line.level == 1:
            parts.append(Part("", (by_label[line.text.strip()],)))
        else:
            parts[-1].lines.append(line.text.strip(BLANK))
    return parts


def write_form(body: Body) -> bytes:
    """A Word file: a table of facts, then a heading for each field with its text; empty fields say what belongs there."""
    import docx

    document = docx.Document()
    _set_font(document)
    title = body.get(Field.TITLE, "")
    document.add_paragraph(_printable(title) or UNTITLED, style="Title")
    _facts_table(document, body)
    for into in Field:
        if into in FACTS:
            continue
        document.add_heading(LABELS[into], level=1)
        _hint(document, into, body)
        lines = [line.strip() for line in body.get(into, "").splitlines() if line.strip()]
        if into is Field.FIGURES:
            rows = [figure for line in lines if line.count("|") <= 3 for figure in figures_of(line)]
            _figures_table(document, rows)
            lines = [line for line in lines if line.count("|") > 3 or not figures_of(line)]
        for line in lines:
            document.add_paragraph(_printable(line))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_font(document: Any) -> None:
    from docx.oxml.ns import qn

    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        style.font.name = "SimSun" if name == "Normal" else "SimHei"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), style.font.name)


def _facts_table(document: Any, body: Body) -> None:
    table = document.add_table(rows=0, cols=2, style="Table Grid")
    for into in FACTS:
        cells = table.add_row().cells
        cells[0].text = LABELS[into]
        cells[1].text = _printable(_fact_words(into, body.get(into, "")))


def _fact_words(into: Field, value: str) -> str:
    if into is Field.INDUSTRY:
        return INDUSTRIES.get(value, "")
    if into is Field.LEVEL:
        return next((word for level, word in LEVEL_WORDS.items() if level == value), "")
    return value


def _figures_table(document: Any, figures: Sequence[Figure]) -> None:
    empty = Figure("", "", "")
    table = document.add_table(rows=0, cols=4, style="Table Grid")
    rows = [FIGURES_HEADER] + [(f.measure, f.before, f.after, f.unit) for f in figures or (empty,) * 3]
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = _printable(text)


def _hint(document: Any, into: Field, body: Body) -> None:
    if not body.get(into):
        document.add_paragraph().add_run(HINTS[into]).italic = True


def _printable(text: str) -> str:
    """Text that XML can hold."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", " ", text)

"""The form of a case as a Word file, and the form that a text which was written freely fills in.

Whatever fits no field is handed back beside the form (`read_form`) or joined to the section before it
(`body_of`); nothing of the text is lost on the way.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cases import facts
from cases.headings import BOTH, PLAIN, bare, fields_of, is_detour
from cases.model import (
    INDUSTRIES,
    LABELS,
    LEVEL_WORDS,
    REQUIRED,
    Body,
    Field,
    Figure,
    Level,
    figures_of,
)
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

FACTS = (Field.TITLE, Field.INDUSTRY, Field.PEOPLE, Field.COST, Field.LEVEL)
"""Fields that stand in the table at the head of the form."""

_BLANK = " \u3000\xa0\r\n"
"""White space around a line; a tab before it is an empty cell of a table."""

_FIGURES_HEADER = ("指标", "之前", "之后", "单位")
_CLOSED = (*FACTS, Field.FIGURES)


@dataclass(frozen=True, slots=True)
class FormRead:
    """What a Word file fills in. `missing` are the fields without which a case cannot be submitted; `elsewhere` is
    the text that fits no field."""

    body: Body
    missing: tuple[Field, ...]
    elsewhere: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text; `level` is that of a heading, 0 for text. `sure` headings are told by the format itself."""

    text: str
    level: int = 0
    sure: bool = False


@dataclass(slots=True)
class _Part:
    """A heading with what stands under it."""

    heading: str
    fields: tuple[Field, ...]
    lines: list[str] = field(default_factory=list)


# -- from text to form --------------------------------------------------------------


def body_of(document: Document) -> Body:
    """The form as far as the text of a document fills it in; every fact that the text tells is looked for.

    A section whose heading names no field belongs to the one before it; without any heading the whole
    text is background. Lines before the first heading that are no sentences, such as who handed the
    case in and when, stand in the facts of the document and not here.
    """
    lines = list(_lines_of(document))
    form = _Form(document.meta.title)
    form.fill(_parts(lines, document.meta.title), join=True)
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
    lines = [_line_of(block) for block in reading.blocks]
    title = next((b.text for b in reading.blocks if b.role == "title"), "") or _first_line(lines)
    form = _Form(_one_line(title))
    parts = _own_parts(lines) or _parts(lines, title)
    form.fill(parts, join=False)
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
    return Line(block.text, block.level, True) if block.role == "heading" else Line(block.text)


def _first_line(lines: Sequence[Line]) -> str:
    """The line that reads like a title: the first short one that is no sentence, label or row."""
    for line in lines[:4]:
        text = line.text.strip()
        if text and len(text) <= 60 and not re.search(r"[。；\t]$|\t|^(?:报送|来源|作者|时间|日期)", text):
            return text
        if len(text) > 60:
            break
    return ""


def _own_parts(lines: Sequence[Line]) -> list[_Part]:
    """The parts of a file that was written by `write_form`: only its own headings cut it; none for any other."""
    by_label = {label: f for f, label in LABELS.items() if f not in FACTS}
    headings = [line.text.strip() for line in lines if line.sure and line.level == 1]
    if headings != list(by_label):
        return []
    parts = [_Part("", ())]
    for line in lines:
        if line.sure and line.level == 1:
            parts.append(_Part("", (by_label[line.text.strip()],)))
        elif line.text.strip() not in HINTS.values():
            parts[-1].lines.append(line.text)
    return parts


def _parts(lines: Sequence[Line], title: str) -> list[_Part]:
    """The text cut at the headings of its outermost level that name fields; what comes before them is the first part."""
    cut_at = _cutting_level(lines)
    parts = [_Part("", ())]
    for line in lines:
        text = line.text.strip(_BLANK)
        if not text.strip() or (len(parts) == 1 and not parts[0].lines and _is_title(text, title)):
            continue
        if heading := _heading(line, cut_at):
            parts.append(_Part(heading, fields_of(heading)))
        elif (labelled := re.match(r"([^：:，。]{2,10})[：:](.+)", text)) and _opens(labelled[1]):
            parts.append(_Part(labelled[1], fields_of(labelled[1]), [labelled[2].strip()]))
        else:
            parts[-1].lines.append(text)
    return parts


def _opens(label: str) -> bool:
    """Whether a label with text behind it on its line begins a section."""
    found = fields_of(label) if bare(label) in PLAIN else ()
    return bool(found) and found[0] not in (*_CLOSED, Field.CONTACTS)


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
    known = name in PLAIN and fields_of(name) and fields_of(name)[0] not in _CLOSED
    return text if known or (numbered and cut_at == 9 and len(text) <= 24 and fields_of(text)) else ""


# -- filling in ---------------------------------------------------------------------

_CONTACT = re.compile(
    r"(?:^|(?<=[。；]))\s*(?:联系人及方式|联系人|联系方式|联系电话|联系|联络人|联络|咨询|交流)\s*[:：]\s*(?P<who>.+)$"
)
_FOOTER = re.compile(
    r"^(?:责任编辑|打印|上一篇|下一篇|浏览|(?:案例)?报送日期[:：][^。]+。?$|\d{4}\s*年\s*\d+\s*月\s*\d+\s*日[。）)]?$)"
)
_NEEDS = re.compile(
    r"适合|适用|前提|条件|不能照搬|不适|需要[^，。]{0,3}(?:的|有|具备)|至少要?|要具备|要留意|必须|最需要|要有"
)
_LABELLED = re.compile(r"^\s*(?P<label>[^：:\t]{2,10})\s*(?:[：:]|\t)\s*(?P<value>.+)$")
_NAMES: Mapping[str, Field] = {
    "标题": Field.TITLE,
    "案例名称": Field.TITLE,
    "案例标题": Field.TITLE,
    "题目": Field.TITLE,
    "名称": Field.TITLE,
    "行业": Field.INDUSTRY,
    "所属行业": Field.INDUSTRY,
    "涉及人数": Field.PEOPLE,
    "受益人数": Field.PEOPLE,
    "覆盖人数": Field.PEOPLE,
    "参与人数": Field.PEOPLE,
    "人数": Field.PEOPLE,
    "花费": Field.COST,
    "花费（元）": Field.COST,
    "投入": Field.COST,
    "投入资金": Field.COST,
    "费用": Field.COST,
    "经费": Field.COST,
    "成本": Field.COST,
    "结果": Field.LEVEL,
    "解决程度": Field.LEVEL,
}


class _Form:
    """The form being filled in from the parts of a text."""

    def __init__(self, title: str) -> None:
        self._texts: dict[Field, list[str]] = {}
        self._elsewhere: list[str] = []
        self._detours: set[str] = set()
        self.take(Field.TITLE, title)

    def body(self) -> Body:
        """What is filled in by now, in the order of the form."""
        joined = {f: "\n".join(self._texts.get(f, ())).strip() for f in Field}
        return {f: text for f, text in joined.items() if text}

    def elsewhere(self) -> str:
        """What fits no field."""
        return "\n".join(self._elsewhere)

    def take(self, into: Field, text: str) -> None:
        """Fill a field that holds one value; an empty text leaves it as it is."""
        if text:
            self._texts[into] = [text]

    def fill(self, parts: Sequence[_Part], *, join: bool) -> None:
        """Take in the parts; `join` puts what names no field to the one before it instead of elsewhere."""
        last: tuple[Field, ...] = ()
        for part in parts:
            fields = part.fields or (last if join else ())
            if not part.heading and not fields:
                self._preamble(part.lines, join=join, alone=len(parts) == 1)
                continue
            last = fields
            self._section(part, fields or ((Field.BACKGROUND,) if join else ()))
        if Field.COST not in self._texts:
            order = (Field.OUTCOME, Field.CONDITIONS, Field.CARRIES_OVER, Field.PRACTICE)
            found = facts.cost_of(
                line for f in order for line in self._texts.get(f, ()) if line not in self._detours
            )
            self.take(Field.COST, "" if found is None else str(found))
        if Field.FIGURES not in self._texts:
            told = facts.figures_in("\n".join(self._texts.get(Field.OUTCOME, ())))
            self._figures(told)

    def _preamble(self, lines: Sequence[str], *, join: bool, alone: bool) -> None:
        """What stands before the first heading: facts with a label, sentences, and who wrote it."""
        for line in self._without_facts(lines):
            if join and (alone or "。" in line):
                self._add(Field.BACKGROUND, line)
            elif not join:
                self._elsewhere.append(line)

    def _section(self, part: _Part, fields: tuple[Field, ...]) -> None:
        lines = list(
            self._without_facts(self._without_contacts(part.lines, keep=fields == (Field.CONTACTS,)))
        )
        if not fields:
            self._elsewhere += [part.heading, *lines]
            return
        into = fields[0]
        if into in _CLOSED:
            self._values(into, lines)
            return
        if part.heading and self._tells(part.heading, into):
            lines = [bare(part.heading), *lines]
        if is_detour(part.heading):
            self._detours.update(lines)
        for line in self._without_tables(lines, outcome=into is Field.OUTCOME):
            if fields == BOTH or into is Field.CARRIES_OVER:
                carried, needed = _parted(line)
                self._add(Field.CARRIES_OVER, carried)
                self._add(Field.CONDITIONS, needed)
            else:
                self._add(into, line)

    def _tells(self, heading: str, into: Field) -> bool:
        """Whether a heading says more than which field it opens: one of its own, or the second of a field."""
        if into in BOTH or bare(heading) in PLAIN:
            return False
        return bool(self._texts.get(into)) or len(bare(heading)) > 8

    def _values(self, into: Field, lines: Sequence[str]) -> None:
        """A section of the form itself that holds values and no text."""
        if into is Field.FIGURES:
            rows = [[c.strip() for c in line.split("\t")] for line in lines]
            for row, line in zip(rows, lines, strict=True):
                if tuple(row) == _FIGURES_HEADER or not any(row):
                    continue
                figure = Figure(row[0], row[1], row[2], *row[3:4]) if len(row) >= 3 else None
                if figure or figures_of(line):
                    self._add(into, _figure_line(figure) if figure else line)
                else:
                    self._elsewhere.append(line)
            return
        for line in lines:
            if not self._fact(into, line):
                self._elsewhere.append(f"{LABELS[into]}：{line}")

    def _add(self, into: Field, line: str) -> None:
        if line:
            self._texts.setdefault(into, []).append(line)

    def _figures(self, found: Iterable[Figure]) -> None:
        for figure in found:
            line = _figure_line(figure)
            if line not in self._texts.get(Field.FIGURES, ()):
                self._add(Field.FIGURES, line)

    def _without_contacts(self, lines: Sequence[str], *, keep: bool) -> Iterator[str]:
        """The lines but for whom to ask, which goes to its field."""
        for line in lines:
            found = None if keep else _CONTACT.search(line)
            if found:
                self._add(Field.CONTACTS, found["who"].strip())
                line = line[: found.start()].strip()
            if _FOOTER.match(line):
                self._elsewhere.append(line)
            elif line:
                yield line

    def _without_facts(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines but for labelled ones and rows that fill in a fact whole."""
        for line in lines:
            found = _LABELLED.match(line)
            into = _NAMES.get("".join(found["label"].split())) if found else None
            if not (found and into and self._fact(into, found["value"])):
                yield line

    def _fact(self, into: Field, said: str) -> bool:
        """Fill in a fact if that is all that is said; whether it was."""
        said = said.strip()
        value: str | None = None
        if into is Field.TITLE:
            value = _one_line(said)
        elif into is Field.INDUSTRY:
            value = facts.industry_named(said)
        elif into is Field.LEVEL:
            level: Level | None = facts.level_named(said)
            value = level.value if level else None
        elif found := re.fullmatch(r"(?:共|约)?\s*([\d,，]+)\s*(?:人|名|元|元整)?左?右?", said):
            value = found[1].replace(",", "").replace("，", "")
        elif into is Field.COST and re.fullmatch(r"约?[\d.]+\s*万元|无|零|没有", said):
            cost = 0 if said in ("无", "零", "没有") else facts.cost_of([f"投入{said}"])
            value = None if cost is None else str(cost)
        if value:
            self.take(into, value)
        return bool(value)

    def _without_tables(self, lines: Sequence[str], *, outcome: bool) -> Iterator[str]:
        """The lines; tables that set before and after beside each other fill in the figures.

        A table of just the two moments leaves its moments in the text, a larger one all of its rows.
        """
        at = 0
        while at < len(lines):
            end = at
            while end < len(lines) and "\t" in lines[end]:
                end += 1
            if end == at:
                yield lines[at]
                at += 1
                continue
            rows = [[c.strip() for c in line.split("\t")] for line in lines[at:end]]
            width = len(rows[0])
            whole = [row for row in rows[1:] if len(row) == width]
            if (
                width >= 3
                and facts.is_compared(rows[0], whole)
                and (outcome or Field.FIGURES not in self._texts)
            ):
                found = [facts.figure_of(row) for row in whole]
                self._figures(f for f in found if f)
                if width == 3 and len(whole) == end - at - 1 and all(found):
                    yield f"{rows[0][1]} → {rows[0][2]}"
                    at = end
                    continue
            yield from lines[at:end]
            at = end


def _parted(line: str) -> tuple[str, str]:
    """What carries over, and from the first sentence that names a condition on, the conditions."""
    at = 0
    for sentence in re.findall(r"[^。；]+[。；]*|[。；]+", line):
        if _NEEDS.search(sentence):
            return line[:at].strip(), line[at:].strip()
        at += len(sentence)
    return line, ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _figure_line(figure: Figure) -> str:
    cells = (figure.measure, figure.before, figure.after, figure.unit)
    return "|".join(cells).rstrip("|") if figure.after else "|".join(cells[:3])


# -- from form to Word --------------------------------------------------------------


def write_form(body: Body) -> bytes:
    """A Word file: a table of facts, then a heading for each field with its text; empty fields say what belongs there."""
    import docx

    document = docx.Document()
    _set_font(document)
    title = body.get(Field.TITLE, "")
    document.add_paragraph(title or "案例", style="Title")
    _facts_table(document, body)
    for into in Field:
        if into in FACTS:
            continue
        document.add_heading(LABELS[into], level=1)
        if into is Field.FIGURES:
            _hint(document, into, body)
            _figures_table(document, figures_of(body.get(into, "")))
            continue
        _hint(document, into, body)
        for line in body.get(into, "").splitlines():
            if line.strip():
                document.add_paragraph(_printable(line.strip()))
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
    rows = [_FIGURES_HEADER] + [(f.measure, f.before, f.after, f.unit) for f in figures or (empty,) * 3]
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = _printable(text)


def _hint(document: Any, into: Field, body: Body) -> None:
    if not body.get(into):
        document.add_paragraph().add_run(HINTS[into]).italic = True


def _printable(text: str) -> str:
    """Text that XML can hold."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", " ", text)

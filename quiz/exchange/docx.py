"""A paper for Word: title, name line, sections, answer sheet and key, each part on pages of its own."""

import io
from collections.abc import Sequence
from typing import Any

from quiz.exchange import Loss, Written
from quiz.exchange._paper import (
    ANSWER_TITLE,
    KEY_TITLE,
    MARKED_BY_LETTER,
    PERSON_LINE,
    Entry,
    Paper,
    paper,
)
from quiz.exchange._report import unprinted
from quiz.exchange._zip import fixed
from quiz.model import Sheet, Type

_BODY, _HEAD = "宋体", "黑体"
_TEXT_WIDTH_MM = 170
_PER_ROW = 10
"""How many boxes for letters stand in one row of the answer sheet."""


class Docx:
    """Only goes out."""

    label = "Word"
    about = "可打印的试卷，附答题卡、参考答案与依据，Word、WPS 和 LibreOffice 都能打开"
    suffix = ".docx"
    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    def write(self, sheet: Sheet) -> Written:
        """The paper, its answer sheet and its key."""
        drawn = _Drawn()
        drawn.whole(paper(sheet))
        written = io.BytesIO()
        drawn.document.save(written)
        return Written(fixed(written.getvalue()), papers_lack(sheet))


def papers_lack(sheet: Sheet) -> tuple[Loss, ...]:
    """What no paper shows."""
    said = ((n, unprinted(sq.question)) for n, sq in enumerate(sheet.questions, 1))
    return tuple(Loss(n, what) for n, what in said if what)


class _Drawn:
    """Draws into one document."""

    def __init__(self) -> None:
        import docx
        from docx.oxml.ns import qn
        from docx.shared import Mm, Pt

        self.document: Any = docx.Document()
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm((210 - _TEXT_WIDTH_MM) / 2)
        section.top_margin = section.bottom_margin = Mm(20)
        normal = self.document.styles["Normal"]
        normal.font.size = Pt(10.5)
        _set_fonts(normal, _BODY)
        normal.paragraph_format.space_after = Pt(2)
        normal.paragraph_format.line_spacing = 1.25
        for name, size in (("Title", 18), ("Heading 1", 12)):
            style = self.document.styles[name]
            style.font.size, style.font.bold = Pt(size), True
            style.font.color.rgb = None
            style.paragraph_format.space_before = Pt(10)
            for border in style.element.findall(f".//{qn('w:pBdr')}"):
                border.getparent().remove(border)
            _set_fonts(style, _HEAD)
        self._footer(section)

    def whole(self, sheet: Paper) -> None:
        self._title(sheet.title, sheet.form)
        if sheet.note:
            self._line(sheet.note, centred=True)
        self._line(PERSON_LINE, centred=True)
        self._scores(sheet)
        for section in sheet.sections:
            self.document.add_heading(section.heading, 1)
            for entry in section.entries:
                self._question(entry)
        self._answers(sheet)
        self._keys(sheet)

    def _title(self, title: str, form: str, *, new_page: bool = False) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        head = self.document.add_paragraph(f"{title}（{form}）" if form else title, style="Title")
        head.alignment = WD_ALIGN_PARAGRAPH.CENTER
        head.paragraph_format.page_break_before = new_page

    def _line(self, text: str, *, centred: bool = False, indent_mm: float = 0) -> Any:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Mm

        line = self.document.add_paragraph(text)
        if centred:
            line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.left_indent = Mm(indent_mm)
        return line

    def _scores(self, sheet: Paper) -> None:
        heads = ["题号", *(section.heading[0] for section in sheet.sections), "总分"]
        table = self._table(2, len(heads))
        for place, text in enumerate(heads):
            _fill(table.cell(0, place), text)
        _fill(table.cell(1, 0), "得分")

    def _table(self, n_rows: int, n_columns: int) -> Any:
        from docx.enum.table import WD_TABLE_ALIGNMENT

        table = self.document.add_table(n_rows, n_columns)
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        return table

    def _question(self, entry: Entry) -> None:
        first = self._line(f"{entry.number}. {entry.stem[0]}")
        for more in entry.stem[1:]:
            first.add_run().add_break()
            first.add_run(more)
        first.add_run(entry.points)
        first.paragraph_format.keep_with_next = bool(entry.options)
        for n, prompt in enumerate(entry.prompts, 1):
            self._line(f"（{n}）{prompt}　（　　）", indent_mm=6)
        self._options(entry)
        if entry.type is Type.ORDERING:
            self._line("顺序：____________________", indent_mm=6)

    def _options(self, entry: Entry) -> None:
        from docx.shared import Mm

        for start in range(0, len(entry.options), entry.columns):
            row = entry.options[start : start + entry.columns]
            line = self._line("\t".join(row), indent_mm=6)
            for stop in range(1, entry.columns):
                line.paragraph_format.tab_stops.add_tab_stop(
                    Mm(6 + (_TEXT_WIDTH_MM - 6) * stop / entry.columns)
                )
            line.paragraph_format.keep_together = True

    def _answers(self, sheet: Paper) -> None:
        self._title(ANSWER_TITLE, sheet.form, new_page=True)
        self._line(sheet.title, centred=True)
        self._line(PERSON_LINE, centred=True)
        for section in sheet.sections:
            self.document.add_heading(section.heading.partition("（")[0], 1)
            if section.type in MARKED_BY_LETTER:
                self._boxes(section.entries)
            else:
                for entry in section.entries:
                    self._space(entry)

    def _boxes(self, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), _PER_ROW):
            row = entries[start : start + _PER_ROW]
            table = self._table(2, len(row) + 1)
            _fill(table.cell(0, 0), "题号")
            _fill(table.cell(1, 0), "答案")
            for place, entry in enumerate(row, 1):
                _fill(table.cell(0, place), str(entry.number))
            self._line("")

    def _space(self, entry: Entry) -> None:
        from docx.enum.table import WD_ROW_HEIGHT_RULE
        from docx.shared import Mm

        if entry.type is Type.SHORT:
            table = self._table(1, 1)
            table.rows[0].height, table.rows[0].height_rule = Mm(40), WD_ROW_HEIGHT_RULE.AT_LEAST
            table.cell(0, 0).text = f"{entry.number}."
            self._line("")
        else:
            n = entry.n_gaps or len(entry.prompts) or 1
            spaces = "　".join(
                f"（{k}）______________" if n > 1 else "__________________" for k in range(1, n + 1)
            )
            self._line(f"{entry.number}. {spaces}")

    def _keys(self, sheet: Paper) -> None:
        self._title(KEY_TITLE, sheet.form, new_page=True)
        for section in sheet.sections:
            self.document.add_heading(section.heading.partition("（")[0], 1)
            for entry in section.entries:
                self._line(f"{entry.number}. ").add_run(entry.key).bold = True
                for basis in entry.basis:
                    self._line(basis, indent_mm=6)

    def _footer(self, section: Any) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        line = section.footer.paragraphs[0]
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for before, code in (("第 ", "PAGE"), (" 页　共 ", "NUMPAGES")):
            line.add_run(before)
            _field(line, code)
        line.add_run(" 页")


def _set_fonts(style: Any, east: str) -> None:
    """Chinese in this font, Latin letters in Times New Roman."""
    from docx.oxml.ns import qn

    style.font.name = "Times New Roman"
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for theme in [name for name in fonts.attrib if "Theme" in name]:
        del fonts.attrib[theme]
    fonts.set(qn("w:eastAsia"), east)
    # Without a language, punctuation is drawn as in whatever language the machine prefers.
    language = properties.makeelement(qn("w:lang"), {qn("w:val"): "en-US", qn("w:eastAsia"): "zh-CN"})
    properties.append(language)


def _field(line: Any, code: str) -> None:
    """A number that Word works out, such as the page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    line._p.append(field)


def _fill(cell: Any, text: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    cell.text = text
    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER


FORMAT = Docx()

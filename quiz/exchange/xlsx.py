"""Excel as 考试宝 takes it: 14 columns in one sheet, the heading in the first row.

What is known of the form: tools in public that write for 考试宝 and its own template of 2022-11-01 agree on
the columns, their order and their names with （必填） and （勿删）; the samples of the template give the types,
the answers (letters in a row, for 判断题 A and B over 对 and 错, for 填空题 one option column for each gap and no
key, for 排序题 letters in order), chapters parted by "/", and 易 偏易 适中 偏难 难. In copies of the template the
heading stands in the first or, under a notice, in the second row; tools that leave the notice out are taken.
There is no matching and no ninth option: such questions are written as 简答题.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from kb.errors import OversizeSource, UnreadableSource
from quiz.exchange import Row, Written
from quiz.exchange._report import as_short, losses
from quiz.exchange._table import HEADING, N_OPTIONS, Line, cells_of, no_heading, rows, stem_column
from quiz.exchange._words import clean, difficulty_name
from quiz.exchange._zip import fixed, members
from quiz.model import Question, Sheet, Type

MAX_CELLS = 1_000_000
_WIDTHS = (60, 10, 18, 18, 18, 18, 18, 18, 18, 18, 12, 40, 20, 8)


class Xlsx:
    """Reads many forms of tables, writes one."""

    label = "Excel（考试宝）"
    about = "14 列的题库表，考试宝可直接导入；读入时各种列名、表头位置和合并单元格都认"
    suffix = ".xlsx"
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def write(self, sheet: Sheet) -> Written:
        """One row for each question; cells are text, so that none is run as a formula."""
        import openpyxl
        from openpyxl.styles import Alignment, Font

        book = openpyxl.Workbook()
        page: Any = book.active
        page.title = "试题"
        page.freeze_panes = "A2"
        for n, width in enumerate(_WIDTHS, 1):
            page.column_dimensions[chr(ord("A") + n - 1)].width = width
        for y, cells in enumerate([HEADING, *(_cells(sq.question) for sq in sheet.questions)], 1):
            for x, text in enumerate(cells, 1):
                if text:
                    cell = page.cell(y, x)
                    cell.value = clean(text)
                    cell.data_type = "s"
                    cell.quotePrefix = True
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
                    if y == 1:
                        cell.font = Font(bold=True)
        written = io.BytesIO()
        book.save(written)
        data = fixed(written.getvalue())
        return Written(data, losses(sheet, self.read(data) if sheet.questions else ()))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of every sheet that has a heading; see `quiz.exchange.ReadableFormat.read`."""
        read = [(name, rows(lines, name)) for name, lines in _pages(data)]
        pages = [(name, found) for name, found in read if found is not None]
        if not pages:
            raise no_heading()
        return tuple(
            replace(row, place=f"“{name}”{row.place}") if len(pages) > 1 else row
            for name, found in pages
            for row in found
        )


def _cells(question: Question) -> tuple[str, ...]:
    if question.type is Type.MATCHING or len(question.options) > N_OPTIONS:
        question = as_short(question)
    topics = "/".join(question.topics)
    return (*cells_of(question, N_OPTIONS), topics, difficulty_name(question.difficulty))


def _pages(data: bytes) -> Iterator[tuple[str, list[Line]]]:
    """Name and lines of each sheet.

    Raises:
        UnreadableSource: this is no workbook.
    """
    import openpyxl

    if data[:8] == bytes.fromhex("d0cf11e0a1b11ae1"):
        raise UnreadableSource(
            "这是旧版 Excel（.xls）或加了密码的文件，不能读。",
            "请在 Excel 或 WPS 里打开，另存为不带密码的 .xlsx。",
        )
    if "xl/workbook.xml" not in {name.replace("\\", "/") for name in members(data)}:
        raise UnreadableSource("这不是 Excel 工作簿（.xlsx）。", "请确认选对了文件；CSV 文件请按 CSV 导入。")
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception as error:  # openpyxl lets whatever its parsers raise through
        raise UnreadableSource(
            "Excel 文件已损坏，读不出来。", "请在 Excel 或 WPS 里打开后另存一份。"
        ) from error
    for page in book.worksheets:
        if page.max_row * page.max_column > MAX_CELLS:
            raise OversizeSource(
                f"工作表“{page.title}”超过 {MAX_CELLS:,} 格。", "请删去空行空列，或拆成几个文件。"
            )
        yield page.title, _lines(page)


def _lines(page: Any) -> list[Line]:
    """The rows of a sheet; what is merged stands in each of its rows, and rows that one stem joins are one."""
    grid = [[_text(cell) for cell in row] for row in page.iter_rows()]
    stem = stem_column(grid)
    ends: dict[int, int] = {}
    for merged in page.merged_cells.ranges:
        first, last, column = merged.min_row - 1, merged.max_row - 1, merged.min_col - 1
        if column == stem:
            ends[first] = last
        else:
            for y in range(first + 1, last + 1):
                grid[y][column] = grid[first][column]
    lines, y = [], 0
    while y < len(grid):
        end = ends.get(y, y)
        together = zip(*grid[y : end + 1], strict=True)
        cells = ["\n".join(dict.fromkeys(v for v in column if v)) for column in together]
        lines.append(Line(f"第 {y + 1} 行", tuple(cells)))
        y = end + 1
    return lines


def _text(cell: Any) -> str:
    """What people see in the cell: 3.0 is 3, a date is written as in ISO 8601."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "正确" if value else "错误"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


FORMAT = Xlsx()

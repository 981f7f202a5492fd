"""CSV for Excel and for programs: the columns of 考试宝, the points, and all else as JSON in one cell.

UTF-8 with a byte order mark, without which Excel takes another encoding. A cell that Excel would run as a
formula begins with an apostrophe, which reading takes away.
"""

import csv
import io
import json
import re
from typing import Any

from ingest import encoding
from kb.errors import UnreadableSource
from kb.model import Source
from quiz.exchange import Row, Written
from quiz.exchange._report import as_short, losses
from quiz.exchange._table import HEADING, N_OPTIONS, Line, cells_of, no_heading, rows
from quiz.exchange._words import clean, number
from quiz.model import Question, Sheet, SheetQuestion, Type, question_json

_REST = ("citation", "prompts", "accepted", "points", "slot", "places")
_BARE = {key: value for key, value in question_json(Question(Type.SHORT, "", (), ())).items() if key in _REST}
_FORMULA = re.compile(r"'*[=+\-@\t＝＋－＠]")
_MAX_LETTERS = 26


class Csv:
    """The only table that carries a question whole."""

    label = "CSV"
    about = "逗号分隔的表格，Excel 可打开，带出全部字段"
    suffix = ".csv"
    media_type = "text/csv"

    def write(self, sheet: Sheet) -> Written:
        """One row for each question, with as many option columns as the longest needs, at least eight."""
        bodies = [_whole(sq.question) for sq in sheet.questions]
        n_options = max([N_OPTIONS, *(len(body.options) for body in bodies)])
        more = tuple(f"选项{chr(ord('A') + n)}" for n in range(N_OPTIONS, n_options))
        written = io.StringIO()
        table = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        table.writerow(
            (*(name.replace("\n", "") for name in (*HEADING[:10], *more, *HEADING[10:])), "分值", "其他字段")
        )
        for asked, question in zip(sheet.questions, bodies, strict=True):
            table.writerow(_safe(clean(cell)) for cell in _cells(asked, question, n_options))
        data = b"\xef\xbb\xbf" + written.getvalue().encode("utf-8")
        return Written(data, losses(sheet, self.read(data)))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of the file; see `quiz.exchange.ReadableFormat.read`."""
        text = encoding.decode(Source("CSV", self.media_type, data))
        head = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=head.count)
        csv.field_size_limit(encoding.MAX_CHARS)
        lines = []
        table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            start = 1
            for cells in table:
                lines.append(Line(f"第 {start} 行", tuple(_bare(cell) for cell in cells)))
                start = table.line_num + 1
        except csv.Error as error:
            raise UnreadableSource(
                f"CSV 第 {table.line_num} 行的引号不成对。",
                "请在 Excel 里打开后另存为“CSV UTF-8（逗号分隔）”。",
            ) from error
        found = rows(lines)
        if found is None:
            raise no_heading()
        return found


def _whole(question: Question) -> Question:
    return as_short(question) if len(question.options) > _MAX_LETTERS else question


def _cells(asked: SheetQuestion, question: Question, n_options: int) -> tuple[str, ...]:
    body: dict[str, Any] = question_json(question)
    rest = {key: body[key] for key in _REST if body[key] != _BARE[key]}
    return (
        *cells_of(question, n_options),
        "/".join(question.topics),
        number(body["difficulty"]),
        number(asked.points),
        json.dumps(rest, ensure_ascii=False) if rest else "",
    )


def _safe(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


FORMAT = Csv()

"""People as an Excel file: read what an administrator uploads, write what they download."""

import io
import re
import unicodedata
import warnings
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import chain, islice
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles import Alignment, Font
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.datavalidation import DataValidation

from kb.errors import KbError, OversizeSource, UnreadableSource

MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_ROWS = 20_000
"""Rows with something in them below the header."""

HEADER_ROWS = 10
"""The header is looked for in so many rows from the top."""

MAX_COLUMNS = 100
SHEET_ROWS = 1_048_576
"""Rows that Excel knows."""

LOGIN, NAME, BRANCH, ROLES, STATUS = HEADER = ("登录名", "姓名", "支部", "角色", "状态")
WIDTHS = (20, 16, 36, 24, 10)
ROLE_WORDS = {"学员": "member", "培训员": "trainer", "联络员": "liaison", "管理员": "administrator"}
WORD_OF_ROLE = {role: word for word, role in ROLE_WORDS.items()}
STATUS_WORDS = {"在用": True, "停用": False}

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOGIN = re.compile(r"[A-Za-z0-9._@\-〇\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]{2,40}")
_BETWEEN_ROLES = re.compile(r"[、,;/\s]+")
_MERGE = re.compile(
    rb"<(?:\w+:)?mergeCell\b[^<>]*?\bref\s*=\s*[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})[\"']"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_SAVE_AS_XLSX = "请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（.xlsx）”后再上传。"

_GUIDE = (
    ("列", "怎么填"),
    (LOGIN, "必填。2 到 40 个字母、数字、汉字或 . _ - @，如工号。以 0 开头的工号请保持文本格式。"),
    (NAME, "必填。同一登录名在各行的姓名要一致。"),
    (BRANCH, "必填。支部编号，或与系统中完全一致的支部名称。一人在几个支部，就写几行。"),
    (ROLES, f"{'、'.join(ROLE_WORDS)}。几个角色用顿号隔开，如“学员、联络员”。空着就是学员。"),
    (STATUS, f"{'或'.join(STATUS_WORDS)}。空着就是在用。"),
)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person in one branch.

    `row` counts from 1 as the sheet does; `branch` is an id or a name as it was
    written; `roles` are of "member", "trainer", "liaison", "administrator".
    """

    row: int
    login: str
    name: str
    branch: str
    roles: tuple[str, ...]
    active: bool = True


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """What keeps one row out, in Chinese, for the person who uploaded it."""

    row: int
    column: str
    message: str


def read_roster(data: bytes) -> tuple[list[RosterRow], list[RosterProblem]]:
    """People in an .xlsx file, and what is wrong with its other rows.

    Taken is the first sheet that has a header in its first ten rows. A row is
    either among the rows or has problems. A cell that is merged downwards
    counts for every row it covers. Of formulas the value that was saved counts.
    Logins, names, roles and status are folded by NFKC; a branch stays as
    written but for white space around it. Letter case sets no two logins
    apart. Of two rows that contradict each other, the lower one is the problem.

    Raises:
        UnreadableSource: no .xlsx, damaged, locked, or without header; `hint` says in Chinese what to do.
        OversizeSource: over 10 MB, 100 MB unpacked, or 20,000 rows.
    """
    _check_package(data)
    try:
        with warnings.catch_warnings():
            # Styles and extensions that openpyxl does not know are none of our business.
            warnings.filterwarnings("ignore", module=r"openpyxl\.")
            sheet = _read_sheet(data)
    except KbError:
        raise
    except Exception as error:
        raise UnreadableSource(
            f"读不了这个 Excel 文件：内容已损坏（{type(error).__name__}）。", _SAVE_AS_XLSX
        ) from error
    return _people(sheet)


def write_roster(rows: Iterable[RosterRow]) -> bytes:
    """An .xlsx file with these people, which `read_roster` gives back the same.

    All cells are text, so that nothing in them is run as a formula. Whatever
    `row` says, people stand from row 2 on in the order given.
    """
    book = Workbook()
    sheet = book.active
    sheet.title = "人员"
    sheet.append(HEADER)
    for row in rows:
        words = "、".join(WORD_OF_ROLE[role] for role in row.roles)
        status = "在用" if row.active else "停用"
        # What no XML can hold could not be saved.
        sheet.append(
            [ILLEGAL_CHARACTERS_RE.sub("", x) for x in (row.login, row.name, row.branch, words, status)]
        )
    for line in sheet.iter_rows():
        for cell in line:
            cell.data_type = "s"
            # Text format too: else Excel makes a formula of the text as soon as someone edits the cell.
            cell.number_format = "@"
    for letter, width in zip("ABCDE", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
        sheet.column_dimensions[letter].number_format = "@"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:E{sheet.max_row}"
    # Several roles in one cell are fine, so the list of roles only suggests.
    for letter, choices, strict in (("D", ROLE_WORDS, False), ("E", STATUS_WORDS, True)):
        validation = DataValidation("list", formula1=f'"{",".join(choices)}"', showErrorMessage=strict)
        validation.add(f"{letter}2:{letter}{MAX_ROWS + 1}")
        sheet.add_data_validation(validation)
    _add_guide(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def roster_template() -> bytes:
    """An .xlsx file with the header alone, to be filled in; its second sheet explains the columns."""
    return write_roster(())


def _add_guide(book: Any) -> None:
    guide = book.create_sheet("填写说明")
    for line in _GUIDE:
        guide.append(line)
    guide.column_dimensions["A"].width = 12
    guide.column_dimensions["B"].width = 70
    for _, words in guide.iter_rows():
        words.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in guide[1]:
        cell.font = Font(bold=True)


def _check_package(data: bytes) -> None:
    """Refuse by the bytes alone, before anything is unpacked."""
    if len(data) > MAX_BYTES:
        raise OversizeSource(
            f"文件有 {len(data) / 1024**2:.1f} MB，最大 {MAX_BYTES // 1024**2} MB。",
            "请删去图片和用不到的工作表，或把名单分成几个文件。",
        )
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnreadableSource(
                "这个 Excel 文件设了打开密码。", "请在 Excel 或 WPS 中去掉密码，保存后再上传。"
            )
        raise UnreadableSource("这是旧格式的 Office 文件（如 .xls），这里收 .xlsx。", _SAVE_AS_XLSX)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        if data.startswith(b"PK"):
            raise UnreadableSource(
                "这个 Excel 文件已损坏或不完整。", "请重新导出或下载一份，再上传。"
            ) from error
        raise UnreadableSource(
            "这不是 Excel 文件（.xlsx），可能是 .csv 或改了扩展名的文件。", _SAVE_AS_XLSX
        ) from error
    if "[Content_Types].xml" not in {member.filename for member in members}:
        raise UnreadableSource("这是压缩包或其他表格格式，不是 Excel 文件（.xlsx）。", _SAVE_AS_XLSX)
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableSource("这个文件的内容加了密。", "请去掉密码，保存后再上传。")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise OversizeSource(
            f"文件展开后有 {unpacked / 1024**2:,.0f} MB，最大 {MAX_UNPACKED_BYTES // 1024**2} MB。",
            "请新建一个工作簿，只把名单粘贴进去，再上传。",
        )


_Line = tuple[tuple[Any, ...], tuple[Any, ...]]
"""A row twice, as openpyxl gives its cells: with formulas, and with what they gave."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell holds: its value, openpyxl's data type, and whether it is a formula without saved value."""

    value: Any
    data_type: str
    unsaved: bool


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows below the header that hold something, with the cells of our columns by header."""

    header_row: int
    headers: tuple[str, ...]
    rows: dict[int, dict[str, _Cell]]


def _read_sheet(data: bytes) -> _Sheet:
    # Only streaming is safe: openpyxl would otherwise make an object for every cell of a merged range,
    # however large the file says it is.
    written, saved = _open(data, data_only=False), _open(data, data_only=True)
    parts = {sheet.name: rel.target for sheet, rel in written.parser.find_sheets()}
    for number, sheet in enumerate(saved.wb.worksheets):
        part = written.archive.read(parts[sheet.title])
        # A second pass says which values are results of formulas; few lists have any.
        formulas = written.wb.worksheets[number] if _FORMULA.search(part) else None
        lines = (
            zip(_lines(formulas), _lines(sheet), strict=True) if formulas else ((x, x) for x in _lines(sheet))
        )
        top = list(islice(lines, HEADER_ROWS))
        at = max(range(len(top)), key=lambda row: len(set(_headers(top[row]).values())), default=0)
        headers = _headers(top[at]) if top else {}
        if len(set(headers.values())) < 2:
            continue
        below = enumerate(chain(top[at + 1 :], lines), start=at + 2)
        return _Sheet(at + 1, tuple(headers.values()), _filled(below, headers, _merges(part)))
    raise UnreadableSource(
        f"前 {HEADER_ROWS} 行里没有找到表头。",
        f"表头要有这些列：{'、'.join(HEADER)}。可以先下载模板，把名单粘贴进去。",
    )


def _filled(
    lines: Iterable[tuple[int, _Line]],
    headers: Mapping[int, str],
    merges: Mapping[int, list[tuple[int, int]]],
) -> dict[int, dict[str, _Cell]]:
    """Cells by header of the rows that hold something, with what merged cells above lend them."""
    rows: dict[int, dict[str, _Cell]] = {}
    for row, line in lines:
        found = {header: _cell(line, column) for column, header in headers.items()}
        cells = {header: cell for header, cell in found.items() if cell is not None}
        if not cells:
            continue
        if len(rows) == MAX_ROWS:
            raise OversizeSource(f"名单超过 {MAX_ROWS:,} 行。", "请把名单分成几个文件。")
        for column, header in headers.items():
            above = _covering(merges.get(column, []), row)
            if header not in cells and above in rows and header in rows[above]:
                cells[header] = rows[above][header]
        rows[row] = cells
    return rows


def _open(data: bytes, *, data_only: bool) -> Any:
    reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=data_only, keep_links=False)
    reader.read()
    return reader


def _lines(sheet: Any) -> Iterator[tuple[Any, ...]]:
    # Bounds of ours, since what a file says of its own extent is often wrong.
    lines: Iterator[tuple[Any, ...]] = sheet.iter_rows(max_row=SHEET_ROWS, max_col=MAX_COLUMNS)
    return lines


def _headers(line: _Line) -> dict[int, str]:
    """Our headers in a row, by column from 0."""
    found = {column: "".join(_fold(cell.value).split()) for column, cell in enumerate(line[1])}
    return {column: header for column, header in found.items() if header in HEADER}


def _cell(line: _Line, column: int) -> _Cell | None:
    written, saved = line[0][column], line[1][column]
    # A formula whose saved result is empty text has the type "str" and no value either.
    unsaved = written.data_type == "f" and saved.value is None and saved.data_type != "str"
    if not unsaved and (saved.value is None or not str(saved.value).strip()):
        return None
    return _Cell(saved.value, saved.data_type, unsaved)


def _merges(part: bytes) -> dict[int, list[tuple[int, int]]]:
    """Ranges merged downwards, as first and last row, by the column that holds their value, from 0."""
    found: dict[int, list[tuple[int, int]]] = {}
    for match in _MERGE.finditer(part):
        left, top, _, bottom = range_boundaries(match[1].decode())
        if bottom > top:
            found.setdefault(left - 1, []).append((top, bottom))
    return {column: sorted(ranges) for column, ranges in found.items()}


def _covering(ranges: list[tuple[int, int]], row: int) -> int:
    """First row of the range that covers `row`, or 0. Excel lets no two ranges overlap."""
    at = bisect_right(ranges, (row, SHEET_ROWS))
    return ranges[at - 1][0] if at and ranges[at - 1][1] >= row else 0


def _people(sheet: _Sheet) -> tuple[list[RosterRow], list[RosterProblem]]:
    problems = [
        RosterProblem(
            sheet.header_row, header, f"表头里没有“{header}”这一列。请加上；其中的格子可按模板留空。"
        )
        if header not in sheet.headers
        else RosterProblem(sheet.header_row, header, f"表头里“{header}”出现了不止一次，请只留一列。")
        for header in HEADER
        if sheet.headers.count(header) != 1
    ]
    if problems:
        return [], problems
    rows: list[RosterRow] = []
    first_of_login: dict[str, RosterRow] = {}
    first_in_branch: dict[tuple[str, str], RosterRow] = {}
    for number, cells in sheet.rows.items():
        row, found = _person(number, cells)
        if row is not None:
            key = row.login.casefold()
            same = first_in_branch.setdefault((key, _fold(row.branch)), row)
            first = first_of_login.setdefault(key, row)
            if same is not row:
                found = [RosterProblem(number, LOGIN, _twice(same, row))]
            elif "".join(first.name.split()) != "".join(row.name.split()):
                found = [RosterProblem(number, NAME, _two_names(first, row))]
            else:
                rows.append(row)
        problems += found
    return rows, problems


def _twice(first: RosterRow, again: RosterRow) -> str:
    return (
        f"第 {first.row} 行和第 {again.row} 行都是登录名“{again.login}”、支部“{again.branch}”。"
        "一人在一个支部只写一行，请删去一行，几个角色写在同一格里。"
    )


def _two_names(first: RosterRow, again: RosterRow) -> str:
    return (
        f"登录名“{again.login}”在第 {first.row} 行的姓名是“{first.name}”，在第 {again.row} 行是“{again.name}”。"
        "同一人请写同一个姓名，不同的人请用不同的登录名。"
    )


def _person(number: int, cells: Mapping[str, _Cell]) -> tuple[RosterRow | None, list[RosterProblem]]:
    """The person of a row, or all that is wrong with it."""
    said: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for header in HEADER:
        text, problem = _text(cells.get(header))
        said[header] = text if header == BRANCH else _fold(text)
        if problem:
            wrong[header] = problem
    for header in (LOGIN, NAME, BRANCH):
        if not said[header]:
            wrong.setdefault(header, f"“{header}”是空的，请填写。")
    if not _LOGIN.fullmatch(said[LOGIN]):
        wrong.setdefault(LOGIN, f"登录名“{said[LOGIN]}”不能用：要 2 到 40 个字母、数字、汉字或 . _ - @。")
    words = list(dict.fromkeys(filter(None, _BETWEEN_ROLES.split(said[ROLES])))) or ["学员"]
    unknown = [word for word in words if word not in ROLE_WORDS]
    if unknown:
        wrong.setdefault(ROLES, f"没有“{'、'.join(unknown)}”这种角色，可填：{'、'.join(ROLE_WORDS)}。")
    status = said[STATUS] or "在用"
    if status not in STATUS_WORDS:
        wrong.setdefault(STATUS, f"状态“{status}”看不懂，可填：{'、'.join(STATUS_WORDS)}。")
    if wrong:
        return None, [RosterProblem(number, header, wrong[header]) for header in HEADER if header in wrong]
    roles = tuple(ROLE_WORDS[word] for word in words)
    return RosterRow(number, said[LOGIN], said[NAME], said[BRANCH], roles, STATUS_WORDS[status]), []


def _text(cell: _Cell | None) -> tuple[str, str]:
    """The text of a cell, and what is wrong with it, or ""."""
    if cell is None:
        return "", ""
    value = cell.value
    if cell.unsaved:
        return "", "这一格是公式，文件里没有存它的结果。请在 Excel 中复制后“选择性粘贴 → 数值”。"
    if cell.data_type == "e":
        return "", f"这一格的公式出错（{value}），请改成文字。"
    if isinstance(value, date | time | timedelta):
        return "", f"这一格被 Excel 认成了日期或时间（{value}）。请把格式设为“文本”，再重新输入。"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) >= 10**15:
        return "", f"数字“{value}”超过 15 位，Excel 存不准。请把格式设为“文本”，再重新输入。"
    return " ".join(str(value).split()), ""


def _fold(value: Any) -> str:
    return "" if value is None else " ".join(unicodedata.normalize("NFKC", str(value)).split())

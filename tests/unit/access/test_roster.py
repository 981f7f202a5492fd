"""People as an Excel file, as administrators make them."""

import io
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from access import roster
from access.roster import RosterProblem, RosterRow, read_roster, roster_template, write_roster
from kb.errors import KbError, OversizeSource, UnreadableSource

HEADER = ("登录名", "姓名", "支部", "角色", "状态")


GOOD = write_roster([RosterRow(2, "a1", "甲", "一", ("member",))])


def saved(book: Any) -> bytes:
    """The bytes of a workbook."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def book_of(*lines: Sequence[Any]) -> Any:
    """A workbook with these lines on its first sheet."""
    book = Workbook()
    for line in lines:
        book.active.append(list(line))
    return book


def read(*lines: Sequence[Any]) -> tuple[list[RosterRow], list[RosterProblem]]:
    """What is read from these lines below the header."""
    return read_roster(saved(book_of(HEADER, *lines)))


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The package with every part put through `change`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


WORDS = st.text("张三李四=+-@'\"<&_x0041,ABC019·（）#/N", min_size=1, max_size=12)
LOGINS = st.from_regex(r"[A-Za-z0-9._@\-张三李〇]{2,40}", fullmatch=True)
ROLES = st.lists(
    st.sampled_from(("member", "trainer", "liaison", "administrator")), min_size=1, unique=True
).map(tuple)


def plain(text: str) -> str:
    """Text in the form that logins and names are read in."""
    return unicodedata.normalize("NFKC", text)


@st.composite
def people(draw: st.DrawFn) -> list[RosterRow]:
    """People without contradictions, numbered as they will be written."""
    logins = draw(st.lists(LOGINS, max_size=6, unique_by=str.casefold))
    rows: list[RosterRow] = []
    for login in logins:
        name = plain(draw(WORDS))
        for branch in draw(st.lists(WORDS, min_size=1, max_size=2, unique_by=plain)):
            rows.append(RosterRow(len(rows) + 2, login, name, branch, draw(ROLES), draw(st.booleans())))
    return rows


@given(people())
@settings(deadline=None, max_examples=40)
def test_read_roster_gives_back_what_write_roster_wrote(rows: list[RosterRow]) -> None:
    """Reading what was written gives the same rows and no problem."""
    assert read_roster(write_roster(rows)) == (rows, [])


@given(
    st.lists(st.tuples(st.sampled_from(("=", "+", "-", "@", "\t", "=cmd|", "#N/A", "00")), WORDS), max_size=5)
)
@settings(deadline=None, max_examples=40)
def test_write_roster_makes_no_formula(starts: list[tuple[str, str]]) -> None:
    """Whatever a cell begins with, it is text in the file, and in text format."""
    rows = [RosterRow(0, "ab", sign + rest, sign + rest, ("member",)) for sign, rest in starts]
    sheet = load_workbook(io.BytesIO(write_roster(rows))).worksheets[0]
    for line, row in zip(list(sheet.iter_rows())[1:], rows, strict=True):
        assert [cell.value for cell in line[:3]] == [row.login, row.name, row.branch]
        assert {(cell.data_type, cell.number_format) for cell in line} == {("s", "@")}
    xml = zipfile.ZipFile(io.BytesIO(write_roster(rows))).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml and b"<f " not in xml


def test_roster_template_helps_to_fill_it_in() -> None:
    """The template has header, filter, frozen header, widths, choices and an explaining sheet, and holds nobody."""
    data = roster_template()
    assert read_roster(data) == ([], [])
    sheet, guide = load_workbook(io.BytesIO(data)).worksheets
    assert [cell.value for cell in sheet[1]] == list(HEADER)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:E1")
    assert all(sheet.column_dimensions[letter].width >= 10 for letter in "ABCDE")
    choices = {str(x.sqref): x for x in sheet.data_validations.dataValidation}
    assert choices["D2:D20001"].formula1 == '"学员,培训员,联络员,管理员"'
    assert not choices["D2:D20001"].showErrorMessage
    assert choices["E2:E20001"].formula1 == '"在用,停用"'
    assert {row[0].value for row in guide.iter_rows()} >= set(HEADER)


def test_read_roster_finds_the_header_below_titles_and_in_any_order() -> None:
    """Title rows, merged cells above, stray white space, other columns and the order of columns do not matter."""
    book = book_of(
        ("某某公司党员名单",),
        (),
        ("填表人：张三", None, "登录名"),
        ("序号", " 状 态", "角色\n", "支　部", "姓名 ", "登录名", "备注"),
        (1, "停用", "培训员", "一支部", "张三", "zhang", "x"),
    )
    book.active.merge_cells("A1:G1")
    expected = RosterRow(5, "zhang", "张三", "一支部", ("trainer",), active=False)
    assert read_roster(saved(book)) == ([expected], [])


def test_read_roster_carries_merged_cells_down() -> None:
    """A branch that is merged over several rows is the branch of each, and makes no person of an empty row."""
    book = book_of(
        HEADER, ("a1", "甲", "一支部"), ("b1", "乙"), ("c1", "丙"), (), ("d1", "丁", "二支部"), ("e1", "戊")
    )
    book.active.merge_cells("C2:C5")
    rows, problems = read_roster(saved(book))
    assert [(row.row, row.branch) for row in rows] == [
        (2, "一支部"),
        (3, "一支部"),
        (4, "一支部"),
        (6, "二支部"),
    ]
    assert [(problem.row, problem.column) for problem in problems] == [(7, "支部")]


def test_read_roster_survives_a_merge_over_the_whole_sheet() -> None:
    """A merged range is taken at its word only where there are rows, however large it is."""
    data = saved(book_of(HEADER, ("a1", "甲", "一支部"), ("b1", "乙")))
    merge = b'</sheetData><mergeCells count="1"><mergeCell ref="C2:XFD1048576"/></mergeCells>'
    data = repacked(data, lambda _, part: part.replace(b"</sheetData>", merge))
    assert [row.branch for row in read_roster(data)[0]] == ["一支部", "一支部"]


def test_read_roster_takes_hidden_rows_and_passes_over_empty_ones() -> None:
    """Hidden rows count; empty ones, also those with a format or white space, and wrong extents do not."""
    book = book_of(HEADER, ("a1", "甲", "一支部"), (" ", "　"), ("b1", "乙", "一支部"))
    book.active.row_dimensions[4].hidden = True
    for row in range(5, 400):
        book.active.cell(row, 1).number_format = "0.00"
    book.active["A1048576"].number_format = "0.00"
    data = repacked(
        saved(book), lambda _, part: part.replace(b'<dimension ref="A1:E1048576"/>', b'<dimension ref="A1"/>')
    )
    assert b'"A1"/>' in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    rows, problems = read_roster(data)
    assert ([row.row for row in rows], problems) == ([2, 4], [])


@pytest.mark.parametrize(
    ("cell", "login"),
    [
        (10023, "10023"),
        (10023.0, "10023"),
        ("007", "007"),
        ("ｚｈａｎｇ０１", "zhang01"),
        ("　zhang@a-b.c_d ", "zhang@a-b.c_d"),
        ("张三〇", "张三〇"),
    ],
)
def test_read_roster_reads_logins_as_they_are_meant(cell: Any, login: str) -> None:
    """Numbers lose their decimal point, text keeps its zeros, full-width characters become plain."""
    rows, problems = read((cell, "张三", "一支部"))
    assert ([row.login for row in rows], problems) == ([login], [])


@pytest.mark.parametrize("login", ["a", "a" * 41, "张 三", "a/b", "<b>", "аdmin", "a\u200bb"])
def test_read_roster_names_the_login_it_refuses(login: str) -> None:
    """Too short, too long, or with other characters: the problem shows what was seen and what is taken."""
    rows, [problem] = read((login, "张三", "一支部"))
    assert (rows, problem.row, problem.column) == ([], 2, "登录名")
    assert login in problem.message and "2 到 40" in problem.message


def test_read_roster_reads_roles_and_status() -> None:
    """Roles are parted by any usual mark and named once each; empty means 学员 and 在用."""
    rows, problems = read(
        ("a1", "甲", "一", "学员、培训员,联络员；管理员", "停用"),
        ("b1", "乙", "一", "联络员／联络员 管理员;培训员", " 在用 "),
        ("c1", "丙", "一", None, None),
    )
    assert problems == []
    assert [(row.roles, row.active) for row in rows] == [
        (("member", "trainer", "liaison", "administrator"), False),
        (("liaison", "administrator", "trainer"), True),
        (("member",), True),
    ]


def test_read_roster_tells_all_that_is_wrong_with_a_row() -> None:
    """Every wrong cell is a problem of its own, in the order of the columns, and the row is left out."""
    rows, problems = read((None, None, None, "书记、学员", "离职"), ("b1", "乙", "一支部"))
    assert [row.login for row in rows] == ["b1"]
    assert [problem.column for problem in problems] == list(HEADER)
    assert "书记" in problems[3].message and "学员、培训员、联络员、管理员" in problems[3].message
    assert "离职" in problems[4].message and "在用、停用" in problems[4].message


def test_read_roster_refuses_two_rows_for_one_person_in_one_branch() -> None:
    """The same login in the same branch twice is a problem that names both rows, also in other case and width."""
    rows, [problem] = read(
        ("Zhang", "张三", "一支部（甲）"), ("b1", "乙", "一"), ("ｚhang", "张三", "一支部(甲)")
    )
    assert [row.row for row in rows] == [2, 3]
    assert problem.row == 4 and "第 2 行" in problem.message and "第 4 行" in problem.message


def test_read_roster_refuses_two_names_for_one_login() -> None:
    """One login may stand in several branches, under one name."""
    rows, [problem] = read(("z1", "张三", "一"), ("z1", "张　三", "二"), ("z1", "李四", "三"))
    assert [row.row for row in rows] == [2, 3]
    assert (problem.row, problem.column) == (4, "姓名")
    assert all(word in problem.message for word in ("第 2 行", "第 4 行", "张三", "李四"))


def test_read_roster_keeps_the_branch_as_it_was_written() -> None:
    """A branch is looked up by its exact name, so its brackets stay full-width."""
    [row], _ = read(("z1", "张三", " 机关（离退休）支部 "))
    assert row.branch == "机关（离退休）支部"


@pytest.mark.parametrize(
    ("value", "word"),
    [(datetime(2024, 3, 1), "日期"), (110101199003070000, "15 位"), ("=A9", "公式"), ("#N/A", "出错")],
)
def test_read_roster_refuses_what_excel_made_of_a_login(value: Any, word: str) -> None:
    """Dates, rounded long numbers, formulas without saved value and errors are problems, not logins."""
    rows, [problem] = read((value, "张三", "一支部"))
    assert (rows, problem.column) == ([], "登录名")
    assert word in problem.message


def test_read_roster_takes_the_saved_value_of_a_formula() -> None:
    """A formula counts as what it gave when the file was saved; empty text counts as empty."""
    results = {
        b"<f>B9</f><v></v>": b"<f>B9</f><v>10023</v>",
        b'<c r="D2"><f>B8</f><v></v>': b'<c r="D2" t="str"><f>B8</f><v></v>',
        b'<c r="A3"><f>B8</f><v></v>': b'<c r="A3" t="str"><f>B8</f><v></v>',
    }

    def with_results(_: str, part: bytes) -> bytes:
        for old, new in results.items():
            part = part.replace(b"<v/>", b"<v></v>").replace(b"<v />", b"<v></v>").replace(old, new)
        return part

    data = saved(book_of(HEADER, ("=B9", "张三", "一支部", "=B8"), ("=B8",)))
    assert read_roster(repacked(data, with_results)) == (
        [RosterRow(2, "10023", "张三", "一支部", ("member",))],
        [],
    )


def test_read_roster_asks_for_missing_and_doubled_columns() -> None:
    """Without one of the columns nobody is read, so that nobody loses a role by a misspelt header."""
    rows, problems = read_roster(
        saved(book_of(("登录名", "姓名", "姓名", "支部", "角 色 "), ("a1", "甲", "甲", "一")))
    )
    assert rows == []
    assert [(problem.row, problem.column) for problem in problems] == [(1, "姓名"), (1, "状态")]
    assert "不止一次" in problems[0].message and "没有" in problems[1].message


def test_read_roster_takes_the_sheet_that_has_a_header() -> None:
    """Sheets before it, such as a cover, are passed over."""
    book = book_of(("说明",), ("登录名", "必填"))
    sheet = book.create_sheet("名单")
    sheet.append(HEADER)
    sheet.append(("a1", "甲", "一"))
    assert [row.login for row in read_roster(saved(book))[0]] == ["a1"]


def ole(directory: str) -> bytes:
    """The beginning of an OLE file with this name in its directory."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + directory.encode("utf-16-le") + bytes(512)


def packed(**parts: bytes) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "不是 Excel", "另存为"),
        ("登录名,姓名\nzhang,张三\n".encode("gb18030"), "csv", "另存为"),
        (ole("Workbook"), ".xls", "另存为"),
        (ole("EncryptedPackage"), "密码", "去掉密码"),
        (packed(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "不是 Excel", "另存为"),
        (packed(**{"[Content_Types].xml": b"<Types/>"}), "损坏", "另存为"),
        (roster_template()[:3000], "损坏", "重新"),
        (saved(book_of(("甲", "乙"), ("登录名", "说明"))), "表头", "模板"),
        (saved(Workbook()), "表头", "模板"),
    ],
    ids=["empty", "csv", "xls", "encrypted", "ods", "no workbook", "cut", "no header", "blank"],
)
def test_read_roster_says_what_to_do_with_other_files(data: bytes, message: str, hint: str) -> None:
    """A file that cannot be read is refused with what it seems to be and what to do."""
    with pytest.raises(UnreadableSource) as caught:
        read_roster(data)
    assert message in caught.value.message
    assert hint in caught.value.hint


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_read_roster_meets_damage_with_a_refusal(data: st.DataObject) -> None:
    """Whatever bytes are changed, the file is read or refused, and never anything else."""
    at = data.draw(st.lists(st.integers(0, len(GOOD) - 1), min_size=1, max_size=8))
    bad = bytearray(GOOD)
    for position in at:
        bad[position] = data.draw(st.integers(0, 255))
    try:
        read_roster(bytes(bad))
    except KbError as error:
        assert isinstance(error, UnreadableSource | OversizeSource) and error.hint


def test_read_roster_refuses_a_zip_bomb_before_unpacking_it() -> None:
    """A small file that unpacks to more than 100 MB is refused by what its directory says."""
    bomb = packed(**{"[Content_Types].xml": b"<Types/>", "xl/media/a.bin": bytes(roster.MAX_UNPACKED_BYTES)})
    assert len(bomb) < 1_000_000
    with pytest.raises(OversizeSource, match="展开") as caught:
        read_roster(bomb)
    assert "新建" in caught.value.hint


def test_read_roster_refuses_large_files() -> None:
    """More than 10 MB is refused by its size alone."""
    with pytest.raises(OversizeSource, match="10 MB"):
        read_roster(bytes(roster.MAX_BYTES + 1))


def test_read_roster_counts_the_rows_that_hold_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row over the limit is refused; empty rows do not count."""
    monkeypatch.setattr(roster, "MAX_ROWS", 3)
    lines = [HEADER, ("a1", "甲", "一"), (), (), ("b1", "乙", "一"), ("c1", "丙", "一")]
    assert len(read_roster(saved(book_of(*lines)))[0]) == 3
    with pytest.raises(OversizeSource, match="3 行"):
        read_roster(saved(book_of(*lines, ("d1", "丁", "一"))))

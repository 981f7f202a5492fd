"""Tables as people keep them: any heading, merged cells, keys in all forms, and rows that make no sense."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from kb.errors import OversizeSource, UnreadableSource
from quiz.exchange import Row, format_named, readable
from quiz.exchange._zip import members
from quiz.model import BLANK, FALSE, TRUE, Question, Type, question_json
from tests.unit.quiz.exchange_sheet import SHEET

XLSX, CSV = readable()["xlsx"], readable()["csv"]


def book(*rows: tuple[Any, ...], change: Callable[[Any], None] | None = None, title: str = "Sheet1") -> bytes:
    """A workbook of one sheet with these rows."""
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.title = title
    for row in rows:
        page.append(row)
    if change:
        change(page)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def questions(data: bytes) -> list[Question]:
    """The questions of a workbook in which all rows are right."""
    rows = XLSX.read(data)
    assert [row.problem for row in rows] == [""] * len(rows)
    return [row.question for row in rows if row.question]


HEAD = ("题目", "题型", "A", "B", "C", "D", "答案")
STEM = "车棚几点开门？"


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("A", "6点"),
        ("ｃ", "8点"),
        (" b. ", "7点"),
        ("B、7点", "7点"),
        ("7点", "7点"),
        ("(D)", "9点"),
    ],
)
def test_a_key_is_taken_in_every_form(key: str, right: str) -> None:
    """A letter, wide or small, with or without its text, and the text alone all name the option."""
    (question,) = questions(book(HEAD, (STEM, "单选", "6点", "7点", "8点", "9点", key)))
    assert question.type is Type.SINGLE
    assert question.answer == (right,)


@pytest.mark.parametrize(
    "key", ["ABC", "A,C,B", "A、B、C", "ＡＢＣ", "a b c", "A;B;C", "6点;7点;8点", "A和B和C"]
)
def test_several_keys_are_parted_in_every_form(key: str) -> None:
    """Letters with or without separators, and texts, name several options in the order of the options."""
    (question,) = questions(book(HEAD, (STEM, "多选题", "6点", "7点", "8点", "9点", key)))
    assert question.type is Type.MULTIPLE
    assert question.answer == ("6点", "7点", "8点")


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("对", TRUE),
        ("×", FALSE),
        ("√", TRUE),
        ("T", TRUE),
        ("F", FALSE),
        ("正确", TRUE),
        ("错误", FALSE),
        (True, TRUE),
        ("A", TRUE),
        ("B", FALSE),
    ],
)
def test_truth_is_taken_in_every_form(key: Any, right: str) -> None:
    """Words, signs, letters and the truth values of Excel itself say what is right."""
    (question,) = questions(book(("试题内容", "试题类型", "标准答案"), ("车棚有灯。", "判断题", key)))
    assert (question.type, question.answer, question.options) == (Type.TRUE_FALSE, (right,), (TRUE, FALSE))


def test_the_heading_may_stand_below_a_title_and_under_other_names() -> None:
    """A notice and empty rows above the heading, marks in its names and empty rows below it do no harm."""
    data = book(
        ("车棚知识题库（2024 年整理）",),
        (),
        ("填表须知：题型请从下拉框选",),
        (
            "序号",
            "题 干*",
            "题型（必填）",
            "选项1",
            "选项 B",
            "C选项",
            "正确答案\n（必填）",
            "答案解析",
            "难易程度",
            "知识点",
            "分值",
        ),
        (1, STEM, "单项选择题", "6点", "7点", "8点", "A", "见告示。", "偏难", "开放/时间", 2),
        (),
        (2.0, "棚内有 3 盏灯吗", "判断", None, None, None, "是", None, None, None, "1.5分"),
    )
    first, second = XLSX.read(data)
    assert first.place == "第 5 行"
    assert first.question == Question(
        Type.SINGLE,
        STEM,
        ("6点", "7点", "8点"),
        ("6点",),
        "见告示。",
        difficulty=0.7,
        topics=("开放", "时间"),
    )
    assert (first.points, second.points) == (2.0, 1.5)
    assert second.place == "第 7 行"


@pytest.mark.parametrize(
    "cell",
    ["A.6点|B.7点|C.8点", "A、6点\nB、7点\nC、8点", "6点|7点|8点", "6点\n7点\n8点", "A. 6点 B. 7点 C. 8点"],
)
def test_options_may_share_one_cell(cell: str) -> None:
    """Bars, lines or letters part options that stand in one cell."""
    (question,) = questions(book(("题干", "选项", "答案"), (STEM, cell, "B")))
    assert question.options == ("6点", "7点", "8点")
    assert question.answer == ("7点",)


def test_merged_cells_are_filled_down_and_a_merged_stem_joins_its_rows() -> None:
    """A type merged over questions holds for each; a stem merged over rows with one option each is one question."""

    def merge(page: Any) -> None:
        page.merge_cells("B2:B3")
        page.merge_cells("A4:A6")
        page.merge_cells("D4:D6")

    data = book(
        ("题干", "题型", "选项", "答案"),
        ("车棚有灯。", "判断题", None, "对"),
        ("车棚有门。", None, None, "错"),
        (STEM, "单选题", "6点", "B"),
        (None, None, "7点", None),
        (None, None, "8点", None),
        change=merge,
    )
    one, two, three = questions(data)
    assert (one.type, two.type) == (Type.TRUE_FALSE, Type.TRUE_FALSE)
    assert (three.options, three.answer) == (("6点", "7点", "8点"), ("7点",))


def test_a_row_without_key_tells_its_number_and_the_others_go_on() -> None:
    """Each bad row says what is wrong and where; good rows before and after are taken."""
    rows = XLSX.read(
        book(
            HEAD,
            (STEM, "单选", "6点", "7点", None, None, None),
            (STEM, "单选", "6点", "7点", None, None, "E"),
            (STEM, "单选", "6点", "7点", None, None, "AB"),
            (None, "单选", "6点", "7点", None, None, "A"),
            (STEM, "附件题", "6点", "7点", None, None, "A"),
            (STEM, "单选", "6点", "6点", None, None, "A"),
            (STEM, "单选", "6点", None, "8点", None, "A"),
            ("灯有___盏，门有___扇", "填空", None, None, None, None, "三"),
            (STEM, "单选", "6点", "7点", None, None, "A"),
        )
    )
    assert [row.place for row in rows] == [f"第 {n} 行" for n in range(2, 11)]
    told = [
        "没有答案",
        "不在选项里",
        "多个答案",
        "没有题干",
        "不认识的题型",
        "出现了两次",
        "选项 B 是空的",
        "2 个空",
    ]
    assert all(word in row.problem for word, row in zip(told, rows, strict=False))
    assert [bool(row.question) for row in rows] == [False] * 8 + [True]


def test_a_key_in_the_brackets_of_the_stem_stands_in_for_the_missing_column() -> None:
    """A letter in brackets is the key where no other is, and leaves a gap in the stem."""
    (question,) = questions(book(HEAD, ("车棚（ B ）点开门", "单选", "6", "7", None, None, None)))
    assert (question.stem, question.answer) == (f"车棚{BLANK}点开门", ("7",))


def test_numbers_and_formulas_are_read_as_people_see_them() -> None:
    """3.0 in a cell is 3; a formula without a kept result is an empty cell, told with its row."""
    (row,) = XLSX.read(book(HEAD, (STEM, "单选", 3.0, 4, 5.5, None, 4)))
    assert row.question is not None
    assert (row.question.options, row.question.answer) == (("3", "4", "5.5"), ("4",))
    (row,) = XLSX.read(book(HEAD, (STEM, "单选", "6点", "7点", None, None, '="A"&""')))
    assert row.problem == "没有答案"


def test_several_sheets_are_read_and_their_names_tell_the_type() -> None:
    """Where no column says the type, the name of the sheet does; a sheet without heading is passed over."""
    workbook = openpyxl.Workbook()
    pages: dict[str, list[tuple[str | None, ...]]] = {
        "说明": [("请按模板填写",)],
        "多选题": [HEAD[:1] + HEAD[2:], (STEM, "6点", "7点", "8点", None, "A")],
        "判断题": [("题目", "答案"), ("车棚有灯。", "错")],
    }
    for name, rows in pages.items():
        page = workbook.create_sheet(name)
        for row in rows:
            page.append(row)
    written = io.BytesIO()
    workbook.save(written)
    first, second = XLSX.read(written.getvalue())
    assert first.question is not None and second.question is not None
    assert (first.place, first.question.type) == ("“多选题”第 2 行", Type.MULTIPLE)
    assert (second.place, second.question.answer) == ("“判断题”第 2 行", (FALSE,))


def test_types_are_told_from_what_is_there() -> None:
    """Without a column for it, options, keys and gaps tell the type."""
    found = questions(
        book(
            ("题干", "选项A", "选项B", "选项C", "答案"),
            (STEM, "6点", "7点", "8点", "B"),
            (STEM, "6点", "7点", "8点", "BC"),
            ("车棚有灯。", "对", "错", None, "A"),
            ("车棚有灯。", None, None, None, "√"),
            ("车棚有灯____盏，门（  ）扇。", None, None, None, "三、两"),
            ("说说车棚。", None, None, None, "有灯有门。"),
        )
    )
    assert [q.type for q in found] == [
        Type.SINGLE,
        Type.MULTIPLE,
        Type.TRUE_FALSE,
        Type.TRUE_FALSE,
        Type.BLANK,
        Type.SHORT,
    ]
    assert found[4].stem == f"车棚有灯{BLANK}盏，门{BLANK}扇。"
    assert found[4].answer == ("三", "两")


def test_what_is_no_workbook_is_refused_with_what_to_do() -> None:
    """Old files, damaged ones, other archives and tables without heading are refused in words of their own."""
    old = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    good = book(HEAD)
    for data, word in (
        (old, ".xlsx"),
        (b"", "重新另存"),
        (b"PK\x03\x04 not a zip", "重新另存"),
        (good[: len(good) // 2], "重新另存"),
        (other.getvalue(), "选对了文件"),
        (book(("姓名", "电话"), ("甲", 1)), "表头"),
        (book(), "表头"),
    ):
        with pytest.raises(UnreadableSource) as error:
            XLSX.read(data)
        assert word in error.value.hint


def test_a_workbook_that_unpacks_beyond_measure_is_refused() -> None:
    """A small file that grows to hundreds of megabytes is not unpacked."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (129 * 1024 * 1024))
    with pytest.raises(OversizeSource):
        XLSX.read(bomb.getvalue())


def test_no_cell_of_a_written_workbook_is_a_formula() -> None:
    """Whatever begins with = + - or @ stays text, also when somebody edits the cell."""
    data = format_named("xlsx").write(SHEET).data
    page = openpyxl.load_workbook(io.BytesIO(data)).active
    cells = [cell for row in page.iter_rows() for cell in row if cell.value is not None]
    assert any(cell.value == "=SUM(A1:A9)" for cell in cells)
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)
    assert page.max_column == 14
    assert b"<f>" not in members(data)["xl/worksheets/sheet1.xml"]


def test_no_cell_of_a_written_csv_is_a_formula_and_excel_knows_its_encoding() -> None:
    """Cells that would be formulas begin with an apostrophe, and the file with a byte order mark."""
    data = format_named("csv").write(SHEET).data
    assert data.startswith(b"\xef\xbb\xbf")
    assert '"\'=SUM(A1:A9)"' in data.decode("utf-8-sig")
    assert not any(f'"{sign}' in data.decode("utf-8-sig") for sign in "=+-@")


def csv_rows(text: str, encoding: str = "utf-8") -> tuple[Row, ...]:
    """The rows of a CSV in this encoding."""
    return CSV.read(text.encode(encoding))


def test_csv_is_read_in_the_encodings_and_with_the_separators_that_excel_writes() -> None:
    """GB18030 and UTF-8, commas, semicolons and tabs give the same questions."""
    text = f"题干,题型,选项A,选项B,答案\r\n{STEM},单选题,6点,7点,B\r\n"
    expected = csv_rows(text)[0].question
    assert expected is not None and expected.answer == ("7点",)
    assert csv_rows(text, "gb18030")[0].question == expected
    assert csv_rows(text.replace(",", ";"))[0].question == expected
    assert csv_rows(text.replace(",", "\t"), "utf-16")[0].question == expected


def test_a_csv_with_a_spoilt_cell_of_fields_tells_its_row() -> None:
    """What somebody wrote over the last column is told for that row alone."""
    good = CSV.write(SHEET).data.decode("utf-8-sig")
    broken = csv_rows(good.replace('{""citation""', '{""citation', 1))
    assert [n for n, row in enumerate(broken, 1) if row.problem] == [1]
    with pytest.raises(UnreadableSource):
        csv_rows('题干,答案\n"没有收尾,A\n')


def test_json_takes_lists_and_tells_what_is_missing() -> None:
    """A bare list of questions is taken; an entry without key is told, and other files are refused."""
    json_format = readable()["json"]
    good = question_json(SHEET.questions[0].question)
    import json

    rows = json_format.read(json.dumps([good, {"stem": "x"}, 3, good | {"type": "quiz"}]).encode())
    assert rows[0].question == SHEET.questions[0].question
    assert [row.problem for row in rows[1:]] == ["缺少 type、answer", "不是一道题", "有的字段类型不对"]
    for bad in (b"", b"{}", b'"x"', b"[" * 100_000, b"\xff\xfe\x00"):
        with pytest.raises(UnreadableSource):
            json_format.read(bad)

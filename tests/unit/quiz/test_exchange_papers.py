"""What is printed, the golden files of all formats, and that files depend on their content alone."""

import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kb.errors import ServiceError, UnsupportedFormat
from quiz.exchange import format_named, formats, pdf
from quiz.exchange._paper import paper
from quiz.exchange._zip import members
from quiz.model import Sheet, SheetQuestion, Type
from tests.unit.quiz.exchange_sheet import GOLDEN, SHEET, losses_text, printed

NAMES = ("csv", "docx", "json", "pdf", "qiqiao", "wenjuanxing", "xlsx")


@pytest.mark.parametrize("name", NAMES)
def test_the_golden_file_is_what_is_written(name: str) -> None:
    """The sheet gives the file and the report that are kept in the repository."""
    written = format_named(name).write(SHEET)
    folder = GOLDEN / name
    assert losses_text(written) == (folder / "losses.json").read_text(encoding="utf-8")
    if name == "pdf":
        assert printed(written.data) + "\n" == (folder / "sheet.txt").read_text(encoding="utf-8")
    elif name in ("docx", "xlsx"):
        # The packing is that of zlib, which may differ from machine to machine.
        golden = (folder / f"sheet.{name}").read_bytes()
        assert members(written.data) == members(golden)
    else:
        assert written.data == (folder / f"sheet{format_named(name).suffix}").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_sheet_gives_the_same_bytes(name: str) -> None:
    """No date, no random name and no order of a set gets into a file."""
    assert format_named(name).write(SHEET).data == format_named(name).write(replace(SHEET)).data


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_sheet_can_be_written(name: str) -> None:
    """A sheet without questions is a file without questions."""
    written = format_named(name).write(Sheet("空", ()))
    assert not written.losses


def test_every_format_is_told_to_people_and_unknown_ones_are_refused() -> None:
    """Each has a label, words and a suffix; another name names those there are."""
    assert set(NAMES) <= set(formats())
    assert all(
        f.label and f.about and f.suffix.startswith(".") and "/" in f.media_type for f in formats().values()
    )
    with pytest.raises(UnsupportedFormat, match="odt"):
        format_named("odt")


def test_a_paper_has_its_sections_points_and_columns() -> None:
    """Sections stand in the usual order, say what they are worth, and lay options out by their length."""
    drawn = paper(SHEET)
    assert [section.heading[0] for section in drawn.sections] == list("一二三四五六七")
    assert drawn.sections[0].heading == "一、单项选择题（共 3 题，每题 2 分，共 6 分。每题只有一个正确答案）"
    assert drawn.sections[3].heading == "四、填空题（共 2 题，共 3.5 分）"
    assert drawn.total == "30.5"
    entries = [entry for section in drawn.sections for entry in section.entries]
    assert [entry.number for entry in entries] == list(range(1, 13))
    assert [entry.columns for entry in entries[:4]] == [4, 4, 1, 4]
    assert [entry.points for entry in entries if entry.type is Type.BLANK] == ["（2 分）", "（1.5 分）"]
    assert all("（" in entry.stem[-1] for entry in entries[:7])


@pytest.mark.parametrize("name", ["pdf", "docx"])
def test_key_and_clause_stand_only_after_the_paper(name: str, tmp_path: Path) -> None:
    """What is handed to people to sit holds neither key nor clause; the last part holds both."""
    data = format_named(name).write(SHEET).data
    if name == "docx":
        import docx

        text = "\n".join(p.text for p in docx.Document(io.BytesIO(data)).paragraphs)
    else:
        text = printed(data)
    front, _, key = text.partition("参考答案与依据")
    assert "答题卡" in front and "䶮" in front and "<b>" in front
    assert "依据：" not in front and "要点：" not in front and "30日" not in front
    squeezed = "".join(key.split())
    assert "8.三十日（或：30日、30天）；管理小组" in squeezed
    assert (
        "依据：《青禾园区自行车棚管理规则》第二章使用第八条：“自领取号牌之日起三十日内，到管理小组登记”"
        in squeezed
    )
    assert "要点：住户迁出（50%）" in squeezed


def test_the_pdf_holds_no_date_and_its_text_is_never_markup() -> None:
    """Signs that mean something to Typst are printed as they are."""
    question = replace(SHEET.questions[1].question, stem='#pagebreak() *粗* $x$ \\ "引" `码` <标> @某 // 注')
    data = pdf.FORMAT.write(Sheet("#let x = 1", (SheetQuestion(question),))).data
    assert b"CreationDate" not in data
    text = printed(data)
    assert '#pagebreak()*粗*$x$\\"引"`码`<标>@某//注' in text
    assert "#letx=1" in text


def test_without_a_chinese_font_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any of the fonts is told what to install, and nothing is written."""
    monkeypatch.setattr(pdf, "FONTS", ("No Such Family",))
    pdf.chinese_fonts.cache_clear()
    try:
        with pytest.raises(ServiceError) as error:
            pdf.FORMAT.write(SHEET)
        assert "fonts-noto-cjk" in error.value.hint
    finally:
        pdf.chinese_fonts.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["docx", "xlsx", "csv"])
def test_libreoffice_opens_what_is_written(name: str, tmp_path: Path) -> None:
    """LibreOffice turns the file into a PDF that holds the questions."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    part = {"docx": "libswlo", "xlsx": "libsclo", "csv": "libsclo"}[name]
    if not list(Path(office).resolve().parent.glob(f"{part}.*")):
        pytest.skip(f"this LibreOffice lacks the part that opens {name} ({part})")
    path = tmp_path / f"sheet.{name}"
    path.write_bytes(format_named(name).write(SHEET).data)
    command = [
        office,
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "pdf",
    ]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), str(path)], check=True, capture_output=True, timeout=300
    )
    text = printed((tmp_path / "sheet.pdf").read_bytes())
    assert "车棚管理小组一般设组员" in text
    assert "=SUM(A1:A9)" in text


def test_the_report_names_questions_by_their_number() -> None:
    """The losses of the golden sheet are about its own questions, one line each."""
    for name in NAMES:
        report = json.loads((GOLDEN / name / "losses.json").read_text(encoding="utf-8"))
        assert all(1 <= int(number) <= len(SHEET.questions) and what for number, what in report.items())

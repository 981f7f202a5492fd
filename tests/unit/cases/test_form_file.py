"""The form as a Word file and back, and what texts that follow no form fill in."""

import io
from datetime import date
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.form_file import DOCX, body_of, read_form, write_form
from cases.headings import fields_of
from cases.markdown import write_markdown
from cases.model import INDUSTRIES, REQUIRED, Body, Field, Figure, Level, figures_of
from ingest.read import read_document
from ingest.readers import media_type_of
from kb.errors import DocumentError
from kb.model import Source

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "corpus" / "case").iterdir())


def word(*parts: str | tuple[str, ...], title: str = "") -> Source:
    """A Word file of paragraphs, headings ("# …") and rows of tables (tuples)."""
    document = docx.Document()
    if title:
        document.add_paragraph(title, style="Title")
    rows: list[tuple[str, ...]] = []
    for part in [*parts, ""]:
        if isinstance(part, tuple):
            rows.append(part)
            continue
        if rows:
            table = document.add_table(rows=0, cols=len(rows[0]))
            for row in rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
            rows = []
        if part.startswith("# "):
            document.add_heading(part[2:], level=1)
        elif part:
            document.add_paragraph(part)
    stream = io.BytesIO()
    document.save(stream)
    return Source("交来的.docx", DOCX, stream.getvalue())


def text(name: str, said: str) -> Body:
    """The form that a text file fills in."""
    return body_of(read_document(Source(name, media_type_of(name), said.encode())))


# -- there and back -------------------------------------------------------------------

_CHARACTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp", "Zs", "Co")),
    min_size=1,
    max_size=30,
)
_LINE = _CHARACTERS.map(lambda t: " ".join(t.split())).filter(lambda t: t and any(c.isalnum() for c in t))
_CELL = _LINE.map(lambda t: t.replace("|", "").replace("｜", "").strip()).filter(bool)
_FIGURES = st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1, max_size=4).map(
    lambda rows: "\n".join("|".join(row) for row in rows)
) | st.just("等候|70|26|分钟\n投诉||3\n大约少了一半")
_TEXT = st.lists(_LINE, min_size=1, max_size=4).map("\n".join)
_BODIES = st.fixed_dictionaries(
    {Field.TITLE: _LINE},
    optional={
        Field.INDUSTRY: st.sampled_from(sorted(INDUSTRIES)),
        Field.PEOPLE: st.integers(0, 10**6).map(str),
        Field.COST: st.integers(0, 10**9).map(str),
        Field.LEVEL: st.sampled_from([level.value for level in Level]),
        Field.FIGURES: _FIGURES,
        **dict.fromkeys(
            (
                Field.BACKGROUND,
                Field.PROBLEM,
                Field.PRACTICE,
                Field.OUTCOME,
                Field.CONDITIONS,
                Field.CARRIES_OVER,
                Field.CONTACTS,
            ),
            _TEXT,
        ),
    },
)


@settings(max_examples=30)
@given(_BODIES)
def test_a_form_comes_back_as_it_was_written(body: dict[Field, str]) -> None:
    """Whatever a form holds, also what looks like a heading, its Word file reads back to the same."""
    found = read_form(Source("a.docx", DOCX, write_form(body)))
    assert found.body == body
    assert found.elsewhere == ""
    assert found.missing == tuple(f for f in REQUIRED if f not in body)


def test_headings_in_a_field_stay_in_it() -> None:
    """A text that uses the form's own words as lines does not open other fields."""
    body = {Field.TITLE: "题目", Field.PRACTICE: "背景\n一、存在的问题\n【成效】\n联系：内线 1\n花费：3元"}
    assert read_form(Source("a.docx", DOCX, write_form(body))).body == body


def test_the_empty_form_fills_in_nothing() -> None:
    """The form as it is handed out says what belongs where, and none of that is taken for a case."""
    found = read_form(Source("表.docx", DOCX, write_form({})))
    assert {k: v for k, v in found.body.items() if k is not Field.TITLE} == {}
    assert found.elsewhere == ""


# -- files that people wrote ------------------------------------------------------------


def test_a_file_with_headings_of_its_own_is_read() -> None:
    """Numbered headings under other names, a labelled line, a table of facts and one of figures fill in the form."""
    found = read_form(
        word(
            ("所属行业", "卫生与社会工作"),
            ("涉及人数", "约120人"),
            "一、基本情况",
            "门诊有三个诊室。",
            "二、主要困难",
            "上午排长队。",
            "三、工作措施",
            "分段发号。",
            "四、取得的实效",
            "队伍短了。",
            ("指标", "2023年", "2024年"),
            ("平均等候（分钟）", "70", "26"),
            "投入：叫号机0.8万元，标牌600元。",
            "五、推广条件",
            "要有叫号机。",
            "联系人：门诊支部，内线 8。",
            title="候诊区分段叫号",
        )
    )
    body = found.body
    assert body[Field.TITLE] == "候诊区分段叫号"
    assert (body[Field.INDUSTRY], body[Field.PEOPLE], body[Field.COST]) == ("Q", "120", "8600")
    assert body[Field.BACKGROUND] == "门诊有三个诊室。"
    assert body[Field.PROBLEM] == "上午排长队。"
    assert body[Field.PRACTICE] == "分段发号。"
    assert body[Field.OUTCOME].startswith("队伍短了。")
    assert figures_of(body[Field.FIGURES]) == (Figure("平均等候", "70", "26", "分钟"),)
    assert body[Field.CONDITIONS] == "要有叫号机。"
    assert body[Field.CONTACTS] == "门诊支部，内线 8。"
    assert (found.missing, found.elsewhere) == ((), "")


def test_what_fits_no_field_stands_elsewhere() -> None:
    """A section of another kind, and a fact that is no number, are handed back and not dropped."""
    found = read_form(
        word(
            "# 问题",
            "排队。",
            "# 大事记",
            "三月开工。",
            "# 做法",
            "发号。",
            "涉及人数：记不清了",
            title="题目",
        )
    )
    assert found.elsewhere.split("\n") == ["大事记", "三月开工。"]
    assert "涉及人数：记不清了" in found.body[Field.PRACTICE]
    assert found.missing == (Field.OUTCOME,)


def test_labels_further_down_change_no_title() -> None:
    """A line such as 题目 within a section is text of it, and the first number of a kind stands."""
    found = read_form(word("# 做法", "题目：随机抽取", "人数：40", "人数：50", title="答题不再抄"))
    assert found.body[Field.TITLE] == "答题不再抄"
    assert found.body[Field.PEOPLE] == "40"
    assert found.body[Field.PRACTICE] == "题目：随机抽取\n人数：50"


def test_a_file_that_follows_no_form_is_no_error() -> None:
    """Its title is read, everything else stands elsewhere, and what is needed is named as missing."""
    lines = ["会议通知", "各支部：", "定于周五下午开会，请带本子。", "地点在二楼。"]
    found = read_form(word(*lines))
    assert found.body == {Field.TITLE: "会议通知"}
    assert found.missing == (Field.PROBLEM, Field.PRACTICE, Field.OUTCOME)
    for line in lines[1:]:
        assert line in found.elsewhere


_WILD = st.lists(
    st.one_of(
        _LINE,
        st.sampled_from(
            [
                "一、存在的问题",
                "（二）做法",
                "# 成效",
                "# 别的",
                "背景：就这样。",
                "联系：内线 3。",
                "人数：40",
                "【弯路】",
            ]
        ),
    ),
    max_size=10,
)


@settings(max_examples=30)
@given(_WILD)
def test_no_line_of_a_file_is_lost(lines: list[str]) -> None:
    """Every line is in a field or elsewhere, but for headings that name a field and labels that a field stands for."""
    found = read_form(word("开头有一句话在这里。", *lines, title="题目"))
    held = "".join([*found.body.values(), found.elsewhere])
    for line in lines:
        shown = line.removeprefix("# ")
        rest = shown.split("：", 1)[-1] if shown.startswith(("背景：", "联系：", "人数：")) else shown
        if not (
            fields_of(shown)
            and (line.startswith("# ") or shown in ("一、存在的问题", "（二）做法", "【弯路】"))
        ):
            assert "".join(rest.split()) in "".join(held.split())


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_a_file_that_cannot_be_read_says_so(data: bytes) -> None:
    """A damaged or empty file is refused as a document, not answered with an empty form."""
    with pytest.raises(DocumentError):
        read_form(Source("坏的.docx", DOCX, data))


# -- documents of the catalog ---------------------------------------------------------------


def test_the_sample_cases_fill_in_the_form() -> None:
    """Of the sample cases, in five formats and under many headings, problem, practice and outcome are found in all."""
    bodies = {
        p.name: body_of(read_document(Source(p.name, media_type_of(p.name), p.read_bytes()))) for p in CASES
    }
    assert len(bodies) >= 24
    found = {f: sum(f in body for body in bodies.values()) for f in Field}
    for field in (
        Field.TITLE,
        Field.BACKGROUND,
        Field.PROBLEM,
        Field.PRACTICE,
        Field.OUTCOME,
        Field.CONTACTS,
    ):
        assert found[field] == len(bodies), field
    assert found[Field.FIGURES] >= 22
    assert found[Field.COST] >= 22
    assert found[Field.PEOPLE] >= 20


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("beichen-near-miss-reports.md", 18_600),
        ("changfeng-queue-times.txt", 15_900),
        ("xingqiao-oncall-fatigue.md", 0),
        ("hefeng-calendar-clash.html", 0),
        ("jianglan-cold-chain-gap.pdf", 71_200),
        ("yunling-drilling-noise.pdf", 886_000),
        ("jianglan-archive-scans.txt", 6_660),
    ],
)
def test_costs_are_those_that_the_cases_name(name: str, cost: int) -> None:
    """A total that is named counts, otherwise the sum of what was paid; what was tried in vain does not."""
    source = Source(name, media_type_of(name), (ROOT / "corpus" / "case" / name).read_bytes())
    assert body_of(read_document(source))[Field.COST] == str(cost)


def test_a_section_of_another_kind_belongs_to_the_one_before() -> None:
    """What a heading that names no field stands over is joined, with its heading, and not dropped."""
    body = text(
        "a.md",
        "# 题目\n\n## 问题\n\n排队。\n\n## 做法\n\n发号。\n\n## 小插曲\n\n机器坏过。\n\n## 成效\n\n好。\n",
    )
    assert body[Field.PRACTICE] == "发号。\n小插曲\n机器坏过。"


def test_a_text_without_headings_is_background() -> None:
    """A story that was written straight down is all there."""
    body = text("a.txt", "一件小事\n\n去年冬天水管冻裂三次。后来我们包了保温层。今年没有再发生。\n")
    assert "水管冻裂" in body[Field.BACKGROUND]


def test_what_is_published_reads_back() -> None:
    """The document that is made of a form fills in the same form when it is read like any other."""
    body: Body = {
        Field.TITLE: "候诊区分段叫号",
        Field.INDUSTRY: "Q",
        Field.PEOPLE: "120",
        Field.COST: "8600",
        Field.LEVEL: "solved",
        Field.BACKGROUND: "门诊有三个诊室。",
        Field.PROBLEM: "上午排长队。\n老人站不住。",
        Field.PRACTICE: "分段发号。",
        Field.OUTCOME: "队伍短了。",
        Field.FIGURES: "平均等候|70|26|分钟",
        Field.CONDITIONS: "要有叫号机。",
        Field.CARRIES_OVER: "发号的办法。",
        Field.CONTACTS: "门诊支部，内线 8。",
    }
    said = write_markdown(body, case_id="0" * 16, revision=3, branch="门诊支部", on=date(2026, 3, 2))
    assert text("a.md", said) == body

"""Moodle XML: what goes out comes back and has the shape that Moodle's importer asks for; files of others come in."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from kb.errors import KbError, UnreadableSource
from quiz.exchange import readable
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, SheetQuestion, Type, question_json
from tests.unit.quiz.exchange_sheet import GOLDEN, SHEET, losses_text
from tests.unit.quiz.test_exchange_roundtrip import sheets, tidy, wild

MOODLE = readable()["moodle_xml"]

# What Moodle's importer looks for, as its source has it (question/format/xml, question/type/ordering):
# the elements of every question, then those of each type, in the order in which Moodle itself writes them.
COMMON = ["name", "questiontext", "generalfeedback", "defaultgrade", "penalty", "hidden", "idnumber"]
OWN = {
    "multichoice": ["single", "shuffleanswers", "answernumbering", "showstandardinstruction", "answer"],
    "truefalse": ["answer"],
    "shortanswer": ["usecase", "answer"],
    "essay": [
        "responseformat",
        "responserequired",
        "responsefieldlines",
        "attachments",
        "attachmentsrequired",
        "graderinfo",
        "responsetemplate",
    ],
    "ordering": [
        "layouttype",
        "selecttype",
        "selectcount",
        "gradingtype",
        "showgrading",
        "numberingstyle",
        "answer",
    ],
    "matching": ["shuffleanswers", "subquestion"],
    "cloze": [],
}
VALUES = {
    "single": {"true", "false"},
    "shuffleanswers": {"true", "false"},
    "answernumbering": {"none", "abc", "ABCD", "123", "iii", "IIII"},
    "hidden": {"0"},
    "usecase": {"0", "1"},
    "responseformat": {"editor", "editorfilepicker", "plain", "monospaced", "noinline"},
    "layouttype": {"VERTICAL", "HORIZONTAL"},
    "selecttype": {"ALL", "RANDOM", "CONTIGUOUS"},
    "gradingtype": {"ALL_OR_NOTHING", "ABSOLUTE_POSITION", "RELATIVE_NEXT_EXCLUDE_LAST"},
    "showgrading": {"SHOW", "HIDE"},
    "numberingstyle": {"none", "abc", "ABCD", "123", "iii", "IIII"},
}
TEXTS = {
    "name",
    "questiontext",
    "generalfeedback",
    "answer",
    "graderinfo",
    "responsetemplate",
    "tag",
    "category",
}
FORMATS = {"html", "moodle_auto_format", "plain_text", "markdown"}
SHARES = {
    100,
    90,
    80,
    75,
    70,
    66.66667,
    60,
    50,
    40,
    33.33333,
    30,
    25,
    20,
    16.66667,
    14.28571,
    12.5,
    11.11111,
    10,
    5,
    0,
}


def check(data: bytes) -> None:
    """Only known elements, in the known shape."""
    root = etree.fromstring(data)
    assert root.tag == "quiz"
    for question in root:
        kind = question.get("type")
        assert question.tag == "question"
        if kind == "category":
            assert [e.tag for e in question.iter()] == ["question", "category", "text"]
            continue
        common = COMMON if kind != "cloze" else [name for name in COMMON if name != "defaultgrade"]
        order = [*common, *OWN[kind], "tags"]
        places = [order.index(child.tag) for child in question]
        assert places == sorted(places)
        assert {child.tag for child in question} >= {*common, *OWN[kind]}
        for child in question.iter():
            if child.tag in TEXTS:
                assert [e.tag for e in child] == ["text"]
            if child.tag in VALUES:
                assert child.text in VALUES[child.tag]
            assert child.get("format") in {None, *FORMATS}
            assert set(child.attrib) <= {"type", "format", "fraction"}
        answers = [float(a.get("fraction")) for a in question.findall("answer")]
        if kind == "ordering":
            assert answers == list(range(1, len(answers) + 1))
            assert question.findtext("selectcount") == str(len(answers))
        else:
            assert all(abs(share) in SHARES for share in answers)
        if kind == "truefalse":
            assert [a.findtext("text") for a in question.findall("answer")] == ["true", "false"]
        if kind == "multichoice" and question.findtext("single") == "false":
            assert sum(share for share in answers if share > 0) == pytest.approx(100, abs=0.001)


def read_one(inner: str, kind: str) -> Question:
    """The only question of a file with this in it."""
    (row,) = MOODLE.read(
        f'<?xml version="1.0"?><quiz><question type="{kind}">{inner}</question></quiz>'.encode()
    )
    assert row.question is not None, row.problem
    return row.question


def test_the_golden_file_is_what_is_written() -> None:
    """The sheet gives the file and the report that are kept in the repository."""
    written = MOODLE.write(SHEET)
    assert written.data == (GOLDEN / "moodle_xml" / "sheet.xml").read_bytes()
    assert losses_text(written) == (GOLDEN / "moodle_xml" / "losses.json").read_text(encoding="utf-8")


def test_only_what_moodle_knows_is_written() -> None:
    """Every element, value and share of the sheet is one that Moodle's importer takes."""
    check(MOODLE.write(SHEET).data)


@settings(max_examples=40, deadline=None)
@given(sheet=sheets(tidy))
def test_what_moodle_carries_comes_back(sheet: Sheet) -> None:
    """All but difficulty, what is asked for and its place comes back; points of several gaps where Moodle has them."""
    written = MOODLE.write(sheet)
    check(written.data)
    for asked, row in zip(sheet.questions, MOODLE.read(written.data), strict=True):
        assert row.question is not None, row.problem
        back, sent = question_json(row.question), question_json(asked.question)
        for field in ("type", "stem", "answer", "explanation", "citation", "prompts", "points", "topics"):
            assert back[field] == sent[field]
        assert sorted(row.question.options) == sorted(asked.question.options)
        if asked.question.type is not Type.BLANK:
            assert row.points == asked.points


@settings(max_examples=40, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_no_text_breaks_the_file(sheet: Sheet) -> None:
    """Whatever the texts hold, no question vanishes, and the same sheet gives the same bytes."""
    written = MOODLE.write(sheet)
    assert len(MOODLE.read(written.data)) == len(sheet.questions)
    assert MOODLE.write(sheet).data == written.data


def test_gaps_hold_what_would_end_them() -> None:
    """Signs that Moodle takes apart in a cloze text come back, and do not stand there as themselves."""
    asked = Question(
        Type.BLANK,
        f"甲{{1:SA:=x}}{BLANK}乙{BLANK}",
        (),
        ("a~b}#c", '<"&amp;*\\'),
        accepted=(("=1",), ()),
    )
    data = MOODLE.write(Sheet("卷", (SheetQuestion(asked, 4),))).data
    (row,) = MOODLE.read(data)
    assert (row.question, row.points) == (asked, 4)
    text = etree.fromstring(data).findtext("question/questiontext/text")
    assert re.findall(r"\{(\d+):([A-Z]+):([^{}]+)\}", text) == [
        ("2", "SHORTANSWER", "=a&#126;b&#125;&#35;c~==1"),
        ("2", "SHORTANSWER", "=&lt;&quot;&amp;amp;&#92;*&#92;"),
    ]


def test_a_share_that_moodle_lacks_is_told() -> None:
    """Eleven right options share what Moodle cannot divide by eleven."""
    options = tuple(f"选项{n}" for n in range(13))
    asked = SheetQuestion(Question(Type.MULTIPLE, "选", options, options[:11]))
    (loss,) = MOODLE.write(Sheet("卷", (asked,))).losses
    assert "1/11" in loss.what


def test_files_of_moodle_come_in() -> None:
    """HTML becomes text, feedback to answers an explanation, and old forms of true and false are known."""
    asked = read_one(
        """<name><text>灯</text></name>
        <questiontext format="html"><text><![CDATA[<p>棚灯<b>几点</b>熄灭？</p><p>&lt;夏天&gt;&nbsp;</p>]]></text></questiontext>
        <generalfeedback format="html"><text>&lt;p&gt;见第三条。&lt;/p&gt;<!-- 注 --></text></generalfeedback>
        <defaultgrade>2.0000000</defaultgrade><single>true</single>
        <correctfeedback format="html"><text>好</text></correctfeedback>
        <answer fraction="100" format="html"><text><![CDATA[<p>22时</p>]]></text><feedback><text>对</text></feedback></answer>
        <answer fraction="0" format="html"><text>23时</text><feedback format="html"><text></text></feedback></answer>
        <tags><tag><text>车棚</text></tag></tags>""",
        "multichoice",
    )
    assert (asked.stem, asked.options, asked.answer) == (
        "棚灯几点熄灭？\n<夏天>",
        ("22时", "23时"),
        ("22时",),
    )
    assert (asked.explanation, asked.topics) == ("见第三条。\n22时：对", ("车棚",))
    old = read_one(
        '<questiontext><text>要登记。</text></questiontext><answer fraction="0"><text>对</text></answer>'
        '<answer fraction="100"><text>错</text></answer>',
        "truefalse",
    )
    assert (old.options, old.answer) == ((TRUE, FALSE), (FALSE,))
    plain = read_one(
        '<questiontext format="plain_text"><text>a &lt; b 时填____</text></questiontext>'
        '<answer fraction="100"><text>甲\\*</text></answer><answer fraction="50"><text>乙</text></answer>',
        "shortanswer",
    )
    assert (plain.stem, plain.answer, plain.accepted) == (f"a < b 时填{BLANK}", ("甲*",), ())
    gaps = read_one(
        "<questiontext format='html'><text>在{:SA:%100%三日#好~=3日~%50%三天}内交{2:NM:=5}元</text></questiontext>",
        "cloze",
    )
    assert (gaps.stem, gaps.answer, gaps.accepted) == (
        f"在{BLANK}内交{BLANK}元",
        ("三日", "5"),
        (("3日",), ()),
    )
    essay = read_one(
        "<questiontext><text>为什么？</text></questiontext><graderinfo format='html'><text>&lt;p&gt;因为&lt;/p&gt;</text></graderinfo>",
        "essay",
    )
    assert (essay.type, essay.answer) == (Type.SHORT, ("因为",))


@pytest.mark.parametrize(
    ("kind", "inner", "problem"),
    [
        (
            "multichoice",
            "<questiontext><text>&lt;img src='@@PLUGINFILE@@/a.png'&gt;</text></questiontext>",
            "图片",
        ),
        (
            "multichoice",
            "<questiontext><text>图</text><file name='a.png' encoding='base64'>aGk=</file></questiontext>",
            "图片",
        ),
        (
            "multichoice",
            "<questiontext><text>&lt;img src='data:image/png;base64,aGk='&gt;</text></questiontext>",
            "图片",
        ),
        ("calculated", "<questiontext><text>算</text></questiontext>", "calculated"),
        ("description", "<questiontext><text>说明</text></questiontext>", "说明文字"),
        ("essay", "<questiontext><text>为什么</text></questiontext>", "没有答案"),
        ("cloze", "<questiontext><text>选{1:MULTICHOICE:=甲~乙}</text></questiontext>", "MULTICHOICE"),
        (
            "numerical",
            "<questiontext><text>几</text></questiontext><answer fraction='100'><text>3</text><tolerance>0.5</tolerance></answer>",
            "误差",
        ),
        (
            "multichoice",
            "<questiontext><text>选</text></questiontext><answer fraction='x'><text>甲</text></answer>",
            "不是数",
        ),
        ("multichoice", "", "没有题干"),
    ],
)
def test_what_cannot_come_in_is_told(kind: str, inner: str, problem: str) -> None:
    """A question that makes no sense here has its problem told; the one after it comes in."""
    good = (
        '<question type="truefalse"><questiontext><text>好。</text></questiontext>'
        '<answer fraction="100"><text>true</text></answer><answer fraction="0"><text>false</text></answer></question>'
    )
    bad, after = MOODLE.read(f'<quiz><question type="{kind}">{inner}</question>{good}</quiz>'.encode())
    assert bad.question is None
    assert problem in bad.problem
    assert after.question is not None


BOMB = '<!DOCTYPE quiz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><quiz><question type="essay">&b;</question></quiz>'
FILE = '<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/hostname">]><quiz>&x;</quiz>'


@pytest.mark.parametrize(
    "text", ["", "甲{T}", "<quiz>", "<html></html>", BOMB, FILE, "<quiz>&undefined;</quiz>"]
)
def test_other_xml_and_entities_are_refused(text: str) -> None:
    """No entity is expanded and nothing is fetched: such a file is refused with what to do."""
    with pytest.raises(UnreadableSource) as refused:
        MOODLE.read(text.encode())
    assert refused.value.hint


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0")), kind=st.sampled_from(sorted(OWN)))
def test_no_markup_stops_the_reading(text: str, kind: str) -> None:
    """Whatever stands in a question, its row says what came of it."""
    root = etree.Element("quiz")
    question = etree.SubElement(root, "question", type=kind)
    for name in ("questiontext", "answer", "generalfeedback"):
        clean = "".join(c for c in text if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff"))
        etree.SubElement(etree.SubElement(question, name, fraction="100"), "text").text = clean
    try:
        (row,) = MOODLE.read(etree.tostring(root, encoding="utf-8"))
    except KbError:
        raise AssertionError("a question must not spoil the file") from None
    assert (row.question is None) == bool(row.problem)

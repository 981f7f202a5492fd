"""GIFT: what goes out comes back, Moodle's grammar takes it, and files of others come in."""

import itertools
import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings

from kb.errors import UnreadableSource
from quiz.exchange import readable
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, SheetQuestion, Type, question_json
from tests.unit.quiz.exchange_sheet import GOLDEN, SHEET, losses_text
from tests.unit.quiz.test_exchange_roundtrip import sheets, tidy, wild

GIFT = readable()["gift"]
KINDS = {
    Type.SINGLE: "MC",
    Type.MULTIPLE: "MC",
    Type.TRUE_FALSE: "TF",
    Type.BLANK: "Short",
    Type.SHORT: "Essay",
    Type.MATCHING: "Matching",
}
PARSE = """
const { parse } = require("gift-pegjs");
let text = "";
process.stdin.on("data", (part) => (text += part)).on("end", () => console.log(JSON.stringify(parse(text))));
"""


def read_one(text: str) -> Question:
    """The only question of the file."""
    (row,) = GIFT.read(text.encode())
    assert row.question is not None, row.problem
    return row.question


def test_the_golden_file_is_what_is_written() -> None:
    """The sheet gives the file and the report that are kept in the repository."""
    written = GIFT.write(SHEET)
    assert written.data == (GOLDEN / "gift" / "sheet.gift.txt").read_bytes()
    assert losses_text(written) == (GOLDEN / "gift" / "losses.json").read_text(encoding="utf-8")


@settings(max_examples=40, deadline=None)
@given(sheet=sheets(tidy))
def test_what_gift_carries_comes_back(sheet: Sheet) -> None:
    """Stem, options, key, explanation, citation and topics survive, whatever signs stand in them."""
    rows = GIFT.read(GIFT.write(sheet).data)
    for asked, row in zip(sheet.questions, rows, strict=True):
        question = asked.question
        if any(
            "->" in text or "；" in text
            for text in (*question.answer, *question.prompts, *itertools.chain(*question.accepted))
        ):
            continue
        assert row.question is not None, row.problem
        back, sent = question_json(row.question), question_json(question)
        fields = {"type", "stem", "answer", "prompts", "points", "topics"}
        if question.type is not Type.ORDERING:
            fields |= {"explanation", "citation"}
        assert {f: back[f] for f in fields} == {f: sent[f] for f in fields}
        assert sorted(row.question.options) == sorted(question.options)


@settings(max_examples=40, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_every_question_comes_back_the_same_or_its_loss_is_told(sheet: Sheet) -> None:
    """Whatever the texts hold, no question vanishes, and the same sheet gives the same bytes."""
    written = GIFT.write(sheet)
    assert len(GIFT.read(written.data)) == len(sheet.questions)
    assert {loss.number for loss in written.losses} == set(range(1, len(sheet.questions) + 1)), (
        "no points in GIFT"
    )
    assert GIFT.write(sheet).data == written.data


def test_a_parser_of_the_published_grammar_reads_the_same() -> None:
    """gift-pegjs, which follows Moodle's grammar, finds the questions, their types, options and keys."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if subprocess.run(
        [node, "-e", 'require.resolve("gift-pegjs")'], capture_output=True, check=False
    ).returncode:
        pytest.skip("npm package gift-pegjs is not to be found; install it and name its folder in NODE_PATH")
    told = subprocess.run([node, "-e", PARSE], input=GIFT.write(SHEET).data, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode()
    category, *found = json.loads(told.stdout)
    assert category["title"].endswith(SHEET.title)
    for asked, seen in zip(SHEET.questions, found, strict=True):
        question = asked.question
        if question.type is Type.ORDERING:
            continue  # Moodle's own addition, which the grammar does not know.
        assert seen["type"] == KINDS[question.type]
        assert seen["id"] == question.question_id
        assert seen["tags"] == (list(question.topics) or None)
        # The parser makes one space of several, the wide ones in a gap among them.
        assert seen["stem"] == {"format": "plain", "text": re.sub(r"[ \u3000]{2,}", " ", question.stem)}
        if question.type in (Type.SINGLE, Type.MULTIPLE):
            assert tuple(choice["text"]["text"] for choice in seen["choices"]) == question.options
            right = [c["text"]["text"] for c in seen["choices"] if c["isCorrect"] or (c["weight"] or 0) > 0]
            assert tuple(right) == question.answer
        elif question.type is Type.TRUE_FALSE:
            assert seen["isTrue"] is (question.answer == (TRUE,))
        elif question.type is Type.MATCHING:
            pairs = [(pair["subquestion"]["text"], pair["subanswer"]) for pair in seen["matchPairs"]]
            assert pairs == list(zip(question.prompts, question.answer, strict=True))
        if question.citation is not None:
            assert question.citation.quote in seen["globalFeedback"]["text"]


def test_a_file_of_moodle_comes_in() -> None:
    """Comments, categories, names, weights, feedback, formats and the forms of answers are understood."""
    rows = GIFT.read(
        """\ufeff// 导出
$CATEGORY: $course$/top/默认

// question: 1  name: 灯
::灯::[html]<p>棚灯几点<b>熄灭</b>？&nbsp;&lt;22时&gt;</p>{
	=22\\:00#对
	~23\\:00#太晚
	####[html]<p>见第三条。</p>
}

号牌须交回。{F#记错了#答对了}

领牌要带{=证件 =身份证 =%50%户口本}才行。

哪些可以停？{~%50%自行车 ~%50%童车 ~%-100%汽车}

几日内登记？{#30}

多少米？{#3..5}

把两边连起来。{=甲 -> 一 =乙 -> 二 = -> 三}

说说理由。{}

只是一段说明。

坏的{=一
""".replace("\n", "\r\n").encode()
    )
    assert [row.problem for row in rows[:5]] == [""] * 5
    lamp, returned, carried, parked, days = [row.question for row in rows[:5]]
    assert lamp is not None
    assert returned is not None
    assert carried is not None
    assert parked is not None
    assert days is not None
    assert (lamp.type, lamp.stem, lamp.options, lamp.answer) == (
        Type.SINGLE,
        "棚灯几点熄灭？ <22时>",
        ("22:00", "23:00"),
        ("22:00",),
    )
    assert lamp.explanation == "见第三条。\n22:00：对\n23:00：太晚"
    assert (returned.options, returned.answer, returned.explanation) == (
        (TRUE, FALSE),
        (FALSE,),
        "记错了\n答对了",
    )
    assert (carried.stem, carried.answer, carried.accepted) == (
        f"领牌要带{BLANK}才行。",
        ("证件",),
        (("身份证",),),
    )
    assert (parked.type, parked.answer) == (Type.MULTIPLE, ("自行车", "童车"))
    assert (days.type, days.stem, days.answer) == (Type.BLANK, f"几日内登记？{BLANK}", ("30",))
    assert "范围" in rows[5].problem
    pairs = rows[6].question
    assert pairs is not None
    assert (pairs.prompts, pairs.answer, set(pairs.options)) == (
        ("甲", "乙"),
        ("一", "二"),
        {"一", "二", "三"},
    )
    assert [row.problem for row in rows[7:]] == [
        "没有答案。",
        "没有花括号，只是说明文字，不是试题",
        "花括号不成对",
    ]


def test_what_moodle_would_misread_is_kept_from_it() -> None:
    """Beginnings like a format or a weight, wildcards and comment signs stay what they are."""
    options = ("[html]甲", "%50%乙", "//丙", "*丁")
    asked = [
        Question(Type.SINGLE, "[注] 选哪一个？", options, ("%50%乙",)),
        Question(Type.BLANK, f"//填{BLANK}", (), ("*号",), accepted=(("[html]",),)),
        Question(Type.MULTIPLE, "{一}\n二", options, options[:3]),
    ]
    rows = GIFT.read(GIFT.write(Sheet("卷", tuple(map(SheetQuestion, asked)))).data)
    assert [row.question for row in rows] == asked


def test_an_arrow_makes_no_pairs_of_an_answer() -> None:
    """Moodle would read an answer with -> as a matching question: the arrow is written as a sign, and that is told."""
    asked = SheetQuestion(Question(Type.BLANK, f"由甲到乙写作{BLANK}", (), ("甲->乙",)))
    written = GIFT.write(Sheet("卷", (asked,)))
    assert b"->" not in written.data
    assert "答案" in written.losses[0].what
    (row,) = GIFT.read(written.data)
    assert row.question is not None
    assert row.question.answer == ("甲→乙",)


def test_pictures_are_told() -> None:
    """A question that needs a picture is not taken, and its place is named."""
    good, bad = GIFT.read("甲？{T}\n\n[html]看图<img src='@@PLUGINFILE@@/a.png'>{T}".encode())
    assert good.question is not None
    assert (bad.place, bad.question) == ("第 2 题", None)
    assert "图片" in bad.problem


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", "没有题".encode(), "甲{T}".encode("gb18030"), b"PK\x03\x04{}\0"]
)
def test_what_is_no_gift_is_refused(data: bytes) -> None:
    """Other encodings and files without a brace are refused with what to do."""
    with pytest.raises(UnreadableSource) as refused:
        GIFT.read(data)
    assert refused.value.hint

"""Texts as people type them."""

import pytest

from kb.errors import UnreadableSource
from quiz.exchange import Row, readable
from quiz.model import BLANK, FALSE, TRUE, Question, Type

TEXT = readable()["wenjuanxing"]


def rows(text: str, encoding: str = "utf-8") -> tuple[Row, ...]:
    """What is found in the text."""
    return TEXT.read(text.encode(encoding))


def questions(text: str) -> list[Question]:
    """The questions of a text in which all is right."""
    found = rows(text)
    assert [row.problem for row in found] == [""] * len(found)
    return [row.question for row in found if row.question]


GATE = Question(Type.SINGLE, "车棚几点开门？", ("6点", "7点", "8点"), ("7点",))


@pytest.mark.parametrize(
    "text",
    [
        "1. 车棚几点开门？\nA. 6点\nB. 7点\nC. 8点\n答案：B",
        "1、车棚几点开门？\nA、6点\nB、7点\nC、8点\n【答案】B",
        "（1）车棚几点开门？\n（A）6点\n（B）7点\n（C）8点\n参考答案: B",
        "第1题 车棚几点开门？\n\nA．6点\n\nB．7点\n\nC．8点\n\n正确答案：B. 7点",
        "1.车棚几点开门？\nA. 6点  B. 7点  C. 8点\n答案：7点",
        "1.车棚几点开门？\nA.6点B.7点C.8点\n[答案] B",
        "1) 车棚几点开门？\nA) 6点  B) 7点\nC) 8点\n答案：Ｂ",
        "【单选题】车棚几点开门？\nA. 6点\nB. 7点\nC. 8点\n答案：B",
        "1. 车棚几点开门？ [单选题]\na. 6点\nb. 7点\nc. 8点\n答：b",
        "1．车棚几点开门？\r\nＡ．6点\r\nＢ．7点\r\nＣ．8点\r\n答案：B",
        "一、单选题（每题2分，共2分）\n1. 车棚几点开门？\nA. 6点\nB. 7点\nC. 8点\n\n参考答案\n1. B",
        "一、单项选择题\n1. 车棚几点开门？\nA. 6点\nB. 7点\nC. 8点\n\n答案：\n1-1 B",
    ],
)
def test_numbers_letters_and_keys_are_taken_in_every_form(text: str) -> None:
    """However it is typed, it is the same question."""
    assert questions(text) == [GATE]


@pytest.mark.parametrize("key", ["（B）", "( B )", "（ B）"])
def test_a_key_in_the_brackets_of_the_stem(key: str) -> None:
    """A letter in the brackets is the key and leaves a gap."""
    (question,) = questions(f"1. 车棚{key}点开门。\nA. 6\nB. 7")
    assert (question.stem, question.answer) == (f"车棚{BLANK}点开门。", ("7",))


def test_headings_give_type_and_points() -> None:
    """What a heading says holds until the next; what a question says of itself goes first."""
    found = rows(
        "车棚知识题库\n2024 年整理\n\n"
        "一、多选题（每题 3 分，共 6 分）\n"
        "1. 门口有什么？（5分）\nA. 灯\nB. 锁\nC. 树\n答案：AC\n解析：第一行。\n第二行。\n1. 不是题。\n"
        "2. 棚里有什么？\nA. 车\nB. 鱼\n答案：A、B\n"
        "二、判断题（每题1分）\n"
        "3. 车棚有灯。（√）\n"
        "4. 车棚有鱼。\n答案：错误\n"
        "三、填空题\n5. 灯有____盏，门有（　）扇。\n答案：三；两\n"
        "四、简答题\n6. 说说车棚。\n答案：有灯，\n有门。\n难度：偏难\n章节：总则/开放"
    )
    assert [row.question and row.question.type for row in found] == [
        Type.MULTIPLE,
        Type.MULTIPLE,
        Type.TRUE_FALSE,
        Type.TRUE_FALSE,
        Type.BLANK,
        Type.SHORT,
    ]
    assert [row.points for row in found] == [5.0, 3.0, 1.0, 1.0, None, None]
    first, _, third, fourth, fifth, last = (row.question for row in found)
    assert first and third and fourth and fifth and last
    assert first.explanation == "第一行。\n第二行。\n1. 不是题。"
    assert (third.stem, third.answer, fourth.answer) == ("车棚有灯。", (TRUE,), (FALSE,))
    assert fifth.answer == ("三", "两")
    assert (last.answer, last.difficulty, last.topics) == (("有灯，\n有门。",), 0.7, ("总则", "开放"))


def test_keys_at_the_end_of_the_file() -> None:
    """Ranges, pairs and signs in a list at the end belong to the questions by their numbers."""
    body = "".join(f"{n}. 第几盏灯亮？\nA. 一\nB. 二\nC. 三\nD. 四\n" for n in range(1, 8))
    found = questions(body + "8. 车棚有灯。\n9. 车棚有鱼。\n\n参考答案：\n1-5 ABCDA\n6.B 7.AC\n8.√ 9.×\n")
    assert [q.letters for q in found] == ["A", "B", "C", "D", "A", "B", "AC", "A", "B"]
    assert found[8].answer == (FALSE,)


def test_numbers_that_begin_anew_in_each_section() -> None:
    """The second section's first question is number 1 again, and its keys stand under its own heading."""
    found = questions(
        "一、单选题\n1. 车棚几点开门？\nA. 6点\nB. 7点\n2. 几点关门？\nA. 22点\nB. 23点\n"
        "二、判断题\n1. 车棚有灯。\n2. 车棚有鱼。\n"
        "参考答案\n一、单选题\n1.B 2.A\n二、判断题\n1.√ 2.×"
    )
    assert [q.answer for q in found] == [("7点",), ("22点",), (TRUE,), (FALSE,)]


def test_a_question_without_key_tells_its_line_and_the_others_go_on() -> None:
    """The problem names line and number; what stands before and after is taken."""
    found = rows("1. 甲？\nA. 一\nB. 二\n答案：A\n2. 乙？\nA. 一\nB. 二\n\n3. 丙？\nA. 一\nB. 二\n答案：B")
    assert [bool(row.question) for row in found] == [True, False, True]
    assert (found[1].place, found[1].problem) == ("第 5 行（第 2 题）", "没有答案")


def test_decimals_and_years_begin_no_question_and_lines_go_on() -> None:
    """2.5 at the start of a line is part of the stem; 2.2024年 is the second question."""
    first, second = questions("1. 车棚高\n2.5 米，对吗？\n答案：对\n2.2024年起收费。\n答案：错")
    assert first.stem == "车棚高\n2.5 米，对吗？"
    assert second.stem == "2024年起收费。"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    """What Notepad writes is read."""
    text = "1. 车棚几点开门？\nA. 6点\nB. 7点\nC. 8点\n答案：B"
    assert [row.question for row in rows(text, encoding)] == [GATE]


def test_what_holds_no_question_is_refused() -> None:
    """A text without questions, an empty one and a picture are refused."""
    for data in (b"", "今天开会。".encode(), b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20):
        with pytest.raises(UnreadableSource):
            TEXT.read(data)


def test_both_text_formats_read_alike() -> None:
    """What 七巧 or anybody wrote can be handed in as either."""
    other = readable()["qiqiao"]
    text = "[填空题](系统评分)\n1、灯有____盏，门有____扇\n答案：三;3|两;2\n".encode()
    (row,) = other.read(text)
    assert TEXT.read(text) == (row,)
    assert row.question is not None
    assert (row.question.answer, row.question.accepted) == (("三", "两"), (("3",), ("2",)))

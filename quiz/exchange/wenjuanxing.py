"""Text as 问卷星 takes it for an examination (从文本创建考试, helpid 252; 批量添加).

What is known of the form comes from the page scripts of 问卷星 itself, of which public copies exist: a blank line
parts questions, the number leads the stem, [单选题] [多选题] [填空题] [简答题] [排序题] name the type, the stem may end
with the points as whole numbers （5分）, letters lead the options, 答案：ACD and then 解析： follow them. A gap is
___, and the keys of several gaps are parted by ；. Two options under A and B with one key make 判断题. Whoever writes
letters in brackets into the stem gives a key there, and braces make a gap, so that such brackets go out as 〔〕.
Since then 问卷星 has changed its editor; whether ordering keeps its key there is not known. There is no matching.
"""

import re

from quiz.exchange import Row, Written
from quiz.exchange._report import as_short, explained, letter, losses
from quiz.exchange._text import read
from quiz.exchange._words import one_line
from quiz.model import BLANK, TYPE_WORDS, Question, Sheet, SheetQuestion, Type

_KEY = re.compile(r"[（(](\s*(?:答案[：:])?\s*[A-L、]+\s*)[)）]")
_BRACES = re.compile(r"[{｛](.*?)[}｝]")


class Wenjuanxing:
    """Plain text."""

    label = "问卷星文本"
    about = "粘贴到问卷星“考试—从文本创建”；读入时也认一般的文本题库"
    suffix = ".txt"
    media_type = "text/plain"

    def write(self, sheet: Sheet) -> Written:
        """One paragraph for each question; blank lines part them."""
        text = "\n".join(_paragraph(n, asked) for n, asked in enumerate(sheet.questions, 1))
        data = text.encode("utf-8")
        return Written(data, losses(sheet, self.read(data) if sheet.questions else ()))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of a text; see `quiz.exchange.ReadableFormat.read`."""
        return read(data, self.media_type)


def _paragraph(n: int, asked: SheetQuestion) -> str:
    question = asked.question
    if question.type is Type.MATCHING or len(question.options) > 26:
        question = as_short(question)
    name = TYPE_WORDS[Type.SINGLE if question.type is Type.TRUE_FALSE else question.type]
    points = f"（{int(asked.points)}分）" if asked.points == int(asked.points) and asked.points > 0 else ""
    lines = [f"{n}. {_stem(question)} [{name}]{points}"]
    lines += [f"{letter(place)}. {one_line(option)}" for place, option in enumerate(question.options)]
    lines.append(f"答案：{_key_line(question)}")
    if explanation := one_line(explained(question)):
        lines.append(f"解析：{explanation}")
    return "\n".join(lines) + "\n"


def _stem(question: Question) -> str:
    stem = question.stem
    if question.type is Type.BLANK:
        stem = _BRACES.sub(r"〔\1〕", stem).replace(BLANK, "______")
    return one_line(_KEY.sub(r"〔\1〕", stem))


def _key_line(question: Question) -> str:
    if question.type is Type.BLANK:
        return "；".join(one_line(key).replace("；", "，") for key in question.answer)
    if question.options:
        return question.letters
    return one_line(" ".join(question.answer))


FORMAT = Wenjuanxing()

"""Text as the question banks of 七巧 take it (题库管理, 文本批量导入).

What is known of the form comes from its manual (qiqiao.do1.com.cn/ext/xueyuan/8985.html): options as A. or A、,
2 to 26 of them; 答案： is needed and several letters are parted by ; — 判断题 has 正确 or 错误 in brackets instead;
[填空题](系统评分) stands for what is marked by the machine, two or more _ are a gap, | parts the gaps and ; what else is
right; 解析： may follow. A stem or an explanation has at most 2000 characters, an option 500. Where the name of the
type stands is not said there: we write it in a line of its own before each question. Ordering and matching are
not named there and go out as 问答题.
"""

import re

from quiz.exchange import Loss, Row, Written
from quiz.exchange._report import as_short, explained, letter, losses
from quiz.exchange._text import read
from quiz.exchange._words import one_line
from quiz.model import BLANK, Question, Sheet, Type

_TAGS = {
    Type.SINGLE: "[单选题]",
    Type.MULTIPLE: "[多选题]",
    Type.TRUE_FALSE: "[判断题]",
    Type.BLANK: "[填空题](系统评分)",
    Type.SHORT: "[问答题]",
}
_MAX_STEM = 2000
_MAX_OPTION = 500


class Qiqiao:
    """Plain text."""

    label = "七巧文本"
    about = "粘贴到七巧“题库—文本批量导入”；读入时也认一般的文本题库"
    suffix = ".txt"
    media_type = "text/plain"

    def write(self, sheet: Sheet) -> Written:
        """One paragraph for each question, under the name of its type."""
        asked = [_carried(sq.question) for sq in sheet.questions]
        text = "\n".join(_paragraph(n, question) for n, question in enumerate(asked, 1))
        data = text.encode("utf-8")
        lost = {loss.number: loss.what for loss in losses(sheet, self.read(data) if sheet.questions else ())}
        for n, question in enumerate(asked, 1):
            if too_long := _too_long(question):
                lost[n] = f"{lost[n]}；{too_long}" if n in lost else too_long
        return Written(data, tuple(Loss(n, lost[n]) for n in sorted(lost)))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of a text; see `quiz.exchange.ReadableFormat.read`."""
        return read(data, self.media_type)


def _carried(question: Question) -> Question:
    return as_short(question) if question.type not in _TAGS or len(question.options) > 26 else question


def _paragraph(n: int, question: Question) -> str:
    stem = one_line(question.stem.replace(BLANK, "______") if question.type is Type.BLANK else question.stem)
    if question.type is Type.TRUE_FALSE:
        lines = [f"{n}、{stem}（{question.answer[0]}）"]
    else:
        lines = [f"{n}、{stem}"]
        lines += [f"{letter(place)}.{one_line(option)}" for place, option in enumerate(question.options)]
        lines.append(f"答案：{_key(question)}")
    if explanation := one_line(explained(question)):
        lines.append(f"解析：{explanation}")
    return "\n".join([_TAGS[question.type], *lines]) + "\n"


def _key(question: Question) -> str:
    if question.type is Type.BLANK:
        gaps = [[key] for key in question.answer]
        for place, others in enumerate(question.accepted[: len(gaps)]):
            gaps[place] += others
        return "|".join(";".join(_plain(text) for text in gap) for gap in gaps)
    if question.options:
        return ";".join(question.letters)
    return one_line(" ".join(question.answer))


def _plain(text: str) -> str:
    """The text without the two characters that part keys."""
    return re.sub(r"[|｜;；]", "，", one_line(text))


def _too_long(question: Question) -> str:
    """What 七巧 refuses for its length; "" where nothing is."""
    over = [
        name
        for name, text in (("题干", question.stem), ("解析", question.explanation))
        if len(text) > _MAX_STEM
    ]
    over += ["选项"] if any(len(option) > _MAX_OPTION for option in question.options) else []
    return (
        f"七巧不收这么长的{'、'.join(over)}（题干和解析 {_MAX_STEM} 字以内，选项 {_MAX_OPTION} 字以内）"
        if over
        else ""
    )


FORMAT = Qiqiao()

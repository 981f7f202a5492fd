"""How a sheet stands on paper: sections by type, options in columns, the key. Word and PDF draw the same."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from quiz.exchange._report import letter, reference
from quiz.exchange._words import clean, number
from quiz.model import BLANK, TRUE, Question, Sheet, Type

PERSON_LINE = "单位（支部）：__________________　　姓名：______________　　日期：______________"
KEY_TITLE = "参考答案与依据"
ANSWER_TITLE = "答题卡"
_GAP = "__________"
_NUMERALS = "一二三四五六七"
_NAMES = {
    Type.SINGLE: "单项选择题",
    Type.MULTIPLE: "多项选择题",
    Type.TRUE_FALSE: "判断题",
    Type.BLANK: "填空题",
    Type.ORDERING: "排序题",
    Type.MATCHING: "配对题",
    Type.SHORT: "简答题",
}
_HOW = {
    Type.SINGLE: "每题只有一个正确答案",
    Type.MULTIPLE: "每题有两个或两个以上正确答案",
    Type.TRUE_FALSE: "正确的打“√”，错误的打“×”",
    Type.ORDERING: "按正确的顺序写出字母",
    Type.MATCHING: "在每一项后写出与它对应的字母",
}
MARKED_BY_LETTER = (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE)
"""What is answered with a letter or a sign in a small box."""
_LINE_WIDTH = 76
"""How many half-width characters stand on a line of the paper, in 10.5 points on A4."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One question on the paper; `stem` is in lines, `columns` says how many options stand side by side."""

    number: int
    type: Type
    stem: tuple[str, ...]
    prompts: tuple[str, ...]
    options: tuple[str, ...]
    columns: int
    n_gaps: int
    points: str
    key: str
    basis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All questions of one type, under their heading."""

    type: Type
    heading: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """All that is printed."""

    title: str
    form: str
    note: str
    total: str
    sections: tuple[Section, ...]


def paper(sheet: Sheet) -> Paper:
    """The sheet in sections of one type each, in the usual order, numbered through."""
    sections: list[Section] = []
    n = 0
    for type_ in _NAMES:
        here = [sq for sq in sheet.questions if sq.question.type is type_]
        if not here:
            continue
        worths = {sq.points for sq in here}
        entries = []
        for sq in here:
            n += 1
            entries.append(_entry(n, sq.question, "" if len(worths) == 1 else f"（{number(sq.points)} 分）"))
        said = [f"共 {len(here)} 题"]
        said += [f"每题 {number(here[0].points)} 分"] if len(worths) == 1 and len(here) > 1 else []
        said.append(f"共 {number(round(sum(sq.points for sq in here), 6))} 分")
        how = f"。{_HOW[type_]}" if type_ in _HOW else ""
        heading = f"{_NUMERALS[len(sections)]}、{_NAMES[type_]}（{'，'.join(said)}{how}）"
        sections.append(Section(type_, heading, tuple(entries)))
    total = number(round(sum(sq.points for sq in sheet.questions), 6))
    return Paper(clean(sheet.title), clean(sheet.form), clean(sheet.note), total, tuple(sections))


def _entry(n: int, question: Question, points: str) -> Entry:
    stem = clean(question.stem).strip()
    options: tuple[str, ...] = tuple(clean(option).strip() for option in question.options)
    if question.type is Type.TRUE_FALSE:
        options = ()
    if question.type in MARKED_BY_LETTER and not re.search(r"[（(][\s　]*[)）]", stem):
        stem += BLANK
    n_gaps = stem.count(BLANK) if question.type is Type.BLANK else 0
    if n_gaps:
        stem = stem.replace(BLANK, _GAP)
    return Entry(
        n,
        question.type,
        tuple(stem.split("\n")),
        tuple(clean(prompt).strip() for prompt in question.prompts),
        tuple(f"{letter(place)}. {option}" for place, option in enumerate(options)),
        columns(options),
        n_gaps,
        points,
        _key(question),
        _basis(question),
    )


def columns(options: Sequence[str]) -> int:
    """How many options stand side by side: 4, 2 or 1, by the longest.

    >>> columns(["甲", "乙", "丙", "丁"]), columns(["甲" * 12, "乙"]), columns(["甲" * 40, "乙"])
    (4, 2, 1)
    """
    longest = max((_width(option) for option in options), default=0) + len("A. ") + 2
    if any("\n" in option for option in options):
        return 1
    return next((n for n in (4, 2) if longest <= _LINE_WIDTH // n), 1)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def _key(question: Question) -> str:
    if question.type is Type.TRUE_FALSE:
        return "√" if question.answer == (TRUE,) else "×"
    if question.type is Type.MATCHING:
        marks = (letter(question.options.index(text)) for text in question.answer)
        return "　".join(f"（{n}）{mark}" for n, mark in enumerate(marks, 1))
    if question.options:
        return "".join(letter(question.options.index(text)) for text in question.answer)
    if question.type is Type.BLANK:
        more = question.accepted + ((),) * (len(question.answer) - len(question.accepted))
        return "；".join(
            clean(text) + (f"（或：{'、'.join(map(clean, others))}）" if others else "")
            for text, others in zip(question.answer, more, strict=False)
        )
    return clean("\n".join(question.answer))


def _basis(question: Question) -> tuple[str, ...]:
    """The lines under the key: points to mark, explanation, clause."""
    lines = [f"要点：{clean(p.text)}（{p.weight:.0%}）" for p in question.points]
    if question.explanation.strip():
        lines.append(f"解析：{clean(question.explanation).strip()}")
    if question.citation is not None:
        lines.append(f"依据：{clean(reference(question.citation))}：“{clean(question.citation.quote)}”")
    return tuple(lines)

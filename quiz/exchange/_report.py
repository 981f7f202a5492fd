"""What a file does not hold, found by reading it back and comparing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from quiz.exchange import Loss, Row
from quiz.exchange._words import BASIS
from quiz.model import TYPE_WORDS, Citation, Question, Sheet, SheetQuestion, Slot, Type, question_json

_NAMES = {
    "stem": "题干",
    "options": "选项",
    "answer": "答案",
    "explanation": "解析",
    "citation": "出处",
    "difficulty": "难度",
    "prompts": "配对的左列",
    "accepted": "其他可接受的答案",
    "points": "评分要点",
    "slot": "考查什么",
    "places": "考查的位置",
    "topics": "知识点",
}


def losses(sheet: Sheet, rows: Sequence[Row]) -> tuple[Loss, ...]:
    """One line for each question that did not come back as it went out.

    Raises:
        ValueError: the file holds another number of questions than the sheet.
    """
    found = []
    for number, (asked, row) in enumerate(zip(sheet.questions, rows, strict=True), 1):
        what = _difference(asked, row)
        if what:
            found.append(Loss(number, what))
    return tuple(found)


def _difference(asked: SheetQuestion, row: Row) -> str:
    if row.question is None:
        return f"不能原样读回：{row.problem}"
    before, after = question_json(asked.question), question_json(row.question)
    if before["type"] != after["type"]:
        return (
            f"没有“{TYPE_WORDS[asked.question.type]}”这一题型，写成了“{TYPE_WORDS[row.question.type]}”，"
            "题干和答案随之改写"
        )
    names = [name for key, name in _NAMES.items() if before[key] != after[key]]
    if row.points != asked.points:
        names.append("分值")
    return f"没有原样带出：{'、'.join(names)}" if names else ""


def unprinted(question: Question) -> str:
    """What a paper does not show of the question; "" where it shows all."""
    bare: dict[str, Any] = question_json(
        replace(question, difficulty=0.5, slot=Slot.OTHER, places=(), topics=())
    )
    whole = question_json(question)
    names = [name for key, name in _NAMES.items() if bare[key] != whole[key]]
    return f"不印在卷面上：{'、'.join(names)}" if names else ""


def reference(citation: Citation) -> str:
    """Title and clause as people cite them: 《规则》第一章第二条."""
    title = citation.title if citation.title.startswith("《") else f"《{citation.title}》"
    return title + " ".join(citation.path)


def explained(question: Question) -> str:
    """The explanation, with the clause that proves the key where it does not name it."""
    citation = question.citation
    if citation is None or citation.title.strip("《》") in question.explanation:
        return question.explanation
    return f"{question.explanation}\n{BASIS}{reference(citation)}：“{citation.quote}”".strip("\n")


def as_short(question: Question) -> Question:
    """The question in words alone, for formats that lack its type: what to choose from goes into the stem."""
    lines = [question.stem]
    lines += [f"（{n}）{prompt}" for n, prompt in enumerate(question.prompts, 1)]
    lines += [f"{letter(n)}. {option}" for n, option in enumerate(question.options)]
    marks = [letter(question.options.index(text)) for text in question.answer]
    if question.type is Type.MATCHING:
        key = "；".join(f"{n}-{mark}" for n, mark in enumerate(marks, 1))
    else:
        key = "".join(marks) if len(question.options) <= 26 else "、".join(marks)
    return replace(
        question,
        type=Type.SHORT,
        stem="\n".join(lines),
        options=(),
        answer=(key,),
        prompts=(),
        accepted=(),
        points=(),
    )


def letter(place: int) -> str:
    """A to Z, then 27, 28 and so on.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', '27')
    """
    return chr(ord("A") + place) if place < 26 else str(place + 1)

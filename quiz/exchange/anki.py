"""Anki decks: one note for each question, gaps as clozes."""

import html
import io
import re
from dataclasses import dataclass, replace

from kb.model import derive_id
from quiz.exchange import Loss, Written
from quiz.exchange._report import letter, reference, unprinted
from quiz.exchange._words import clean, number, one_line
from quiz.exchange._zip import fixed
from quiz.model import BLANK, Question, Sheet, Type

FIELDS = ("题目", "选项", "答案", "解析", "条款")
_CARD, _CLOZE = 1_745_301_101, 1_745_301_102
"""The ids of the two note types; to change them would make every deck that is out there a stranger."""
_MADE_AT = 1_700_000_000
"""The time that notes bear, since the same sheet gives the same bytes."""
_STYLE = (
    ".card { font-family: sans-serif; font-size: 20px; text-align: left; line-height: 1.6; }"
    " .clause { color: #666; font-size: 16px; } .cloze { font-weight: bold; }"
)
_TOLD = "{{#解析}}<p>{{解析}}</p>{{/解析}}{{#条款}}<p class='clause'>{{条款}}</p>{{/条款}}"


@dataclass(frozen=True, slots=True)
class Anki:
    """The format."""

    label: str = "Anki 卡片"
    about: str = "间隔复习软件 Anki 的卡片包。再次导入时选“总是更新”，同一道题的卡片就地更新，复习进度不变。"
    suffix: str = ".apkg"
    media_type: str = "application/octet-stream"

    def write(self, sheet: Sheet) -> Written:
        """The sheet as one deck. Notes are known again by type, stem and clause, whatever else changes."""
        import genanki

        card = genanki.Model(
            _CARD,
            "共学 问答",
            fields=[{"name": name} for name in FIELDS],
            templates=[
                {
                    "name": "问答",
                    "qfmt": "{{题目}}{{#选项}}<hr>{{选项}}{{/选项}}",
                    "afmt": "{{FrontSide}}<hr id=answer>{{答案}}" + _TOLD,
                }
            ],
            css=_STYLE,
        )
        cloze = genanki.Model(
            _CLOZE,
            "共学 填空",
            fields=[{"name": name} for name in FIELDS],
            templates=[
                {
                    "name": "填空",
                    "qfmt": "{{cloze:题目}}",
                    "afmt": "{{cloze:题目}}{{#答案}}<hr>{{答案}}{{/答案}}" + _TOLD,
                }
            ],
            css=_STYLE,
            model_type=genanki.Model.CLOZE,
        )
        title = one_line(sheet.title).replace("::", "：：") or "共学"
        deck = genanki.Deck(int(derive_id("deck", title), 16) % 2**31, title)
        seen: dict[str, int] = {}
        for asked in sheet.questions:
            question = asked.question
            name = _name(question)
            seen[name] = seen.get(name, 0) + 1
            gaps = question.type is Type.BLANK
            deck.add_note(
                genanki.Note(
                    cloze if gaps else card,
                    [_cloze(question) if gaps else _html(question.stem), *_beside(question)],
                    guid=derive_id("anki", name, str(seen[name])),
                    tags=[
                        tag for topic in question.topics if (tag := re.sub(r"\s+", "_", clean(topic).strip()))
                    ],
                )
            )
        packed = io.BytesIO()
        genanki.Package(deck).write_to_file(packed, timestamp=_MADE_AT)
        found = []
        for n, asked in enumerate(sheet.questions, 1):
            lost = unprinted(replace(asked.question, topics=())).removeprefix("不印在卷面上：")
            lost = "、".join(filter(None, [lost, "" if asked.points == 1 else "分值"]))
            if lost:
                found.append(Loss(n, f"卡片上没有：{lost}"))
        return Written(fixed(packed.getvalue()), tuple(found))


def _name(question: Question) -> str:
    clause = question.citation.clause_id if question.citation else ""
    return derive_id("note", question.type, question.stem, clause)


def _html(text: str) -> str:
    return html.escape(clean(text), quote=False).replace("\n", "<br>")


def _cloze(question: Question) -> str:
    """The stem with what fills its gaps; colons and braces in an answer would end it."""
    first, *parts = question.stem.split(BLANK)
    whole = _coded(_html(first))
    for n, (answer, part) in enumerate(zip(question.answer, parts, strict=True), 1):
        whole += f"{{{{c{n}::{_coded(_html(answer))}}}}}{_coded(_html(part))}"
    return whole


def _coded(text: str) -> str:
    return text.replace(":", "&#58;").replace("{", "&#123;").replace("}", "&#125;")


def _beside(question: Question) -> list[str]:
    """The fields after the first, in the order of `FIELDS`."""
    lines = [f"{n}. {prompt}" for n, prompt in enumerate(question.prompts, 1)]
    if question.type is not Type.TRUE_FALSE:
        lines += [f"{letter(n)}. {option}" for n, option in enumerate(question.options)]
    told = question.explanation
    citation = question.citation
    clause = f"{reference(citation)}：{citation.quote}" if citation else ""
    return [_html("\n".join(lines)), _html(_answer(question)), _html(told), _html(clause)]


def _answer(question: Question) -> str:
    marks = [letter(question.options.index(text)) for text in question.answer if question.options]
    match question.type:
        case Type.SINGLE | Type.MULTIPLE:
            return "\n".join(f"{m}. {text}" for m, text in zip(marks, question.answer, strict=True))
        case Type.ORDERING:
            return "\n".join(
                f"{n}. {text}（{m}）"
                for n, (m, text) in enumerate(zip(marks, question.answer, strict=True), 1)
            )
        case Type.MATCHING:
            return "\n".join(
                f"{p} → {text}（{m}）"
                for p, m, text in zip(question.prompts, marks, question.answer, strict=True)
            )
        case Type.BLANK:
            others = [
                f"第 {n} 空也可填：{'、'.join(more)}" for n, more in enumerate(question.accepted, 1) if more
            ]
            return "\n".join(others)
        case Type.SHORT:
            points = [
                f"· {point.text}（{number(round(point.weight * 100, 2))}%）" for point in question.points
            ]
            return "\n".join([*question.answer, *points])
        case _:
            return question.answer[0]


FORMAT = Anki()

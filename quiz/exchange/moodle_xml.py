"""Moodle XML, the format in which Moodle gives and takes its question banks.

Stems and options go out as HTML. Several gaps become a cloze question, whose gaps stand in its text.
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lxml import etree

from kb.errors import UnreadableSource
from quiz.exchange import Loss, Row, Written, _notes
from quiz.exchange._draft import Unusable
from quiz.exchange._markup import document, fragment, inside, local, markup, text_of_html
from quiz.exchange._report import losses
from quiz.exchange._rows import blank, dealt, gathered, matching, named, redealt, row
from quiz.exchange._words import clean, number, one_line
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, SheetQuestion, Type

_TYPES = {
    Type.SINGLE: "multichoice",
    Type.MULTIPLE: "multichoice",
    Type.TRUE_FALSE: "truefalse",
    Type.BLANK: "shortanswer",
    Type.SHORT: "essay",
    Type.ORDERING: "ordering",
    Type.MATCHING: "matching",
}
_MOST_SHARES = 10
_CLOZE = re.compile(
    r"\{(\d{0,4}):(?:SHORTANSWER_C|SHORTANSWER|SAC|SA|MWC|MW|NUMERICAL|NM):((?:\\.|[^}\\]){1,2000})\}|\{\d*:([A-Z_]+):",
    re.S,
)
_RIGHT = re.compile(r"^(?:=|%100(?:[.,]0+)?%)")


@dataclass(frozen=True, slots=True)
class MoodleXml:
    """The format."""

    label: str = "Moodle XML"
    about: str = "Moodle 题库的导入格式，带分值、解析和评分要点；排序题要 Moodle 4.4 以上。"
    suffix: str = ".xml"
    media_type: str = "application/xml"

    def write(self, sheet: Sheet) -> Written:
        """The sheet as one category."""
        quiz = etree.Element("quiz")
        if title := one_line(sheet.title):
            category = etree.SubElement(quiz, "question", type="category")
            _text(etree.SubElement(category, "category"), f"$course$/top/{title.replace('/', '//')}")
        for n, asked in enumerate(sheet.questions, 1):
            _write(quiz, n, asked)
        data: bytes = etree.tostring(quiz, encoding="UTF-8", xml_declaration=True, pretty_print=True)
        shared = [
            Loss(n, f"Moodle 没有 1/{len(asked.question.answer)} 这样的分值，导入时取相近的")
            for n, asked in enumerate(sheet.questions, 1)
            if asked.question.type is Type.MULTIPLE and len(asked.question.answer) > _MOST_SHARES
        ]
        return Written(data, gathered(losses(redealt(sheet), self.read(data)), shared))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of all categories of the file.

        Raises:
            UnreadableSource: it is no XML, or no Moodle XML.
        """
        root = document(data)
        if local(root) not in ("quiz", "question"):
            raise UnreadableSource(
                "这不是 Moodle XML 文件。", "请在 Moodle 的题库里选“Moodle XML 格式”导出。"
            )
        questions = [root] if local(root) == "question" else root.findall("question")
        asked = [q for q in questions if q.get("type") != "category"]
        return tuple(row(f"第 {n} 题", partial(_read, q)) for n, q in enumerate(asked, 1))


def _text(parent: Any, text: str) -> Any:
    """The `text` element that nearly everything stands in; markup goes into a CDATA section."""
    element = etree.SubElement(parent, "text")
    text = clean(text)
    element.text = etree.CDATA(text) if re.search("[<&]", text) and "]]>" not in text else text
    return element


def _html(parent: Any, name: str, markup: str, **attributes: str) -> Any:
    element = etree.SubElement(parent, name, attributes, format="html")
    _text(element, markup)
    return element


def _said(notes: _notes.Notes) -> str:
    holder = etree.Element("div")
    _notes.write(holder, notes)
    return inside(holder)


def _write(quiz: Any, number_: int, asked: SheetQuestion) -> None:
    question = asked.question
    cloze = question.type is Type.BLANK and len(question.answer) > 1
    element = etree.SubElement(quiz, "question", type="cloze" if cloze else _TYPES[question.type])
    _text(etree.SubElement(element, "name"), named(number_, question))
    _html(element, "questiontext", _gapped(asked) if cloze else f"<p>{markup(question.stem)}</p>")
    _html(element, "generalfeedback", _said(_notes.feedback(question)))
    plain = {"penalty": "0.3333333", "hidden": "0", "idnumber": question.question_id}
    for name, value in plain.items() if cloze else {"defaultgrade": number(asked.points), **plain}.items():
        etree.SubElement(element, name).text = value
    if not cloze:
        _WRITERS[question.type](element, question)
    if question.topics:
        tags = etree.SubElement(element, "tags")
        for topic in question.topics:
            _text(etree.SubElement(tags, "tag"), topic)


def _choice(element: Any, question: Question) -> None:
    single = question.type is Type.SINGLE
    settings = {
        "single": "true" if single else "false",
        "shuffleanswers": "true",
        "answernumbering": "ABCD",
        "showstandardinstruction": "0",
    }
    for name, value in settings.items():
        etree.SubElement(element, name).text = value
    right = "100" if single else f"{100 / len(question.answer):.7g}"
    wrong = "0" if single else "-100"
    for option in question.options:
        _html(element, "answer", markup(option), fraction=right if option in question.answer else wrong)


def _true_false(element: Any, question: Question) -> None:
    for word, option in (("true", TRUE), ("false", FALSE)):
        answer = etree.SubElement(
            element,
            "answer",
            fraction="100" if (option,) == question.answer else "0",
            format="moodle_auto_format",
        )
        _text(answer, word)


def _short_answer(element: Any, question: Question) -> None:
    etree.SubElement(element, "usecase").text = "0"
    for variant in (question.answer[0], *(question.accepted[0] if question.accepted else ())):
        answer = etree.SubElement(element, "answer", fraction="100", format="moodle_auto_format")
        _text(answer, _starred(variant))


def _essay(element: Any, question: Question) -> None:
    settings = {
        "responseformat": "editor",
        "responserequired": "1",
        "responsefieldlines": "10",
        "attachments": "0",
        "attachmentsrequired": "0",
    }
    for name, value in settings.items():
        etree.SubElement(element, name).text = value
    _html(element, "graderinfo", _said(_notes.marking(question)))
    _html(element, "responsetemplate", "")


def _ordering(element: Any, question: Question) -> None:
    settings = {
        "layouttype": "VERTICAL",
        "selecttype": "ALL",
        "selectcount": str(len(question.answer)),
        "gradingtype": "ALL_OR_NOTHING",
        "showgrading": "HIDE",
        "numberingstyle": "none",
    }
    for name, value in settings.items():
        etree.SubElement(element, name).text = value
    for place, part in enumerate(question.answer, 1):
        _html(element, "answer", markup(part), fraction=str(place))


def _matching(element: Any, question: Question) -> None:
    etree.SubElement(element, "shuffleanswers").text = "true"
    spare = [("", option) for option in question.options if option not in question.answer]
    for prompt, option in [*zip(question.prompts, question.answer, strict=True), *spare]:
        part = _html(element, "subquestion", markup(prompt))
        _text(etree.SubElement(part, "answer"), option)


_WRITERS: dict[Type, Callable[[Any, Question], None]] = {
    Type.SINGLE: _choice,
    Type.MULTIPLE: _choice,
    Type.TRUE_FALSE: _true_false,
    Type.BLANK: _short_answer,
    Type.SHORT: _essay,
    Type.ORDERING: _ordering,
    Type.MATCHING: _matching,
}


def _starred(text: str) -> str:
    """A star alone would stand for anything."""
    return text.replace("*", "\\*")


def _gapped(asked: SheetQuestion) -> str:
    """The text of a cloze question; each gap has the same whole weight, where the points allow it."""
    question = asked.question
    share = asked.points / len(question.answer)
    weight = int(share) if share >= 1 and share == int(share) else 1
    first, *parts = question.stem.split(BLANK)
    accepted = question.accepted or ((),) * len(question.answer)
    whole = _still(first)
    for part, answer, more in zip(parts, question.answer, accepted, strict=True):
        variants = "~".join(f"={_coded(_starred(variant))}" for variant in (answer, *more))
        whole += f"{{{weight}:SHORTANSWER:{variants}}}{_still(part)}"
    return f"<p>{whole}</p>"


def _still(text: str) -> str:
    """The text between gaps, in which nothing looks like a gap."""
    return markup(text).replace("{", "&#123;")


def _coded(answer: str) -> str:
    """The answer as HTML in which nothing ends it: Moodle takes the gaps apart before it decodes them."""
    return re.sub(r"[~}#\\/\n]", lambda m: f"&#{ord(m[0])};", html.escape(clean(answer)))


def _read(element: Any) -> tuple[Question, float | None]:
    kind = element.get("type", "")
    readers = {
        "multichoice": _read_choice,
        "truefalse": _read_true_false,
        "shortanswer": _read_short_answer,
        "numerical": _read_numerical,
        "essay": _read_essay,
        "ordering": _read_ordering,
        "matching": _read_matching,
        "match": _read_matching,
    }
    said = element.find("generalfeedback")
    notes = _notes.read(fragment(_raw(said))) if said is not None else _notes.Notes()
    grade = element.findtext("defaultgrade")
    points = float(grade) if grade and re.fullmatch(r"\s*\d{1,6}(\.\d+)?\s*", grade) else None
    if kind in ("cloze", "multianswer"):
        question, points = _read_cloze(element)
    elif kind in readers:
        if any(e.findall("file") for e in element.iter("questiontext", "answer", "subquestion")):
            raise Unusable("题目里有图片或附件，不能带进来")
        question = readers[kind](_shown(element.find("questiontext")), element)
    else:
        raise Unusable("这是说明文字，不是试题" if kind == "description" else f"没有“{kind}”这一题型")
    return replace(
        question,
        explanation="\n".join(filter(None, [notes.explanation, *_read_said(element)])),
        citation=notes.citation,
        topics=tuple(t for tag in element.findall("tags/tag") if (t := _raw(tag).strip())),
    ), points


def _raw(element: Any) -> str:
    """What stands in `text`; in old files it stands in the element itself."""
    if element is None:
        return ""
    inner = element.find("text")
    return "".join((element if inner is None else inner).itertext())


def _shown(element: Any) -> str:
    """What a person reads of a text in one of Moodle's formats."""
    text = _raw(element).strip()
    kind = "html" if element is None else element.get("format", "html")
    if kind in ("plain_text", "markdown"):
        return clean(text)
    return text_of_html(text if kind == "html" else text.replace("\n", "<br>")).strip()


def _fraction(answer: Any) -> float:
    try:
        return float(answer.get("fraction", "0"))
    except ValueError as error:
        raise Unusable(f"得分比例“{answer.get('fraction')}”不是数") from error


def _read_said(element: Any) -> list[str]:
    """What the file says to single answers."""
    found = []
    for answer in element.findall("answer"):
        if (said := _shown(answer.find("feedback"))) and element.get("type") != "ordering":
            found.append(f"{_shown(answer)}：{said}")
    return found


def _read_choice(stem: str, element: Any) -> Question:
    single = (element.findtext("single") or "true").strip().lower() in ("true", "1")
    answers = [(_shown(a), _fraction(a)) for a in element.findall("answer")]
    right = tuple(text for text, share in answers if (share == 100 if single else share > 0))
    return Question(Type.SINGLE if single else Type.MULTIPLE, stem, tuple(text for text, _ in answers), right)


def _read_true_false(stem: str, element: Any) -> Question:
    answers = element.findall("answer")
    words = [_raw(a).strip().lower() for a in answers]
    if sorted(words) != ["false", "true"]:
        # Old files give the two in the words of their language, the true one first.
        words = ["true", "false"]
    right = [word for word, a in zip(words, answers, strict=False) if _fraction(a) == 100]
    return Question(
        Type.TRUE_FALSE, stem, (TRUE, FALSE), tuple(TRUE if w == "true" else FALSE for w in right)
    )


def _read_short_answer(stem: str, element: Any) -> Question:
    right = [_raw(a).strip().replace("\\*", "*") for a in element.findall("answer") if _fraction(a) == 100]
    return blank(stem, [right])


def _read_numerical(stem: str, element: Any) -> Question:
    answers = [a for a in element.findall("answer") if _fraction(a) == 100]
    if any(re.search("[1-9]", a.findtext("tolerance") or "") for a in answers):
        raise Unusable("数值题的答案带误差范围，没有这样的题型")
    return blank(stem, [[_raw(a).strip() for a in answers]])


def _read_essay(stem: str, element: Any) -> Question:
    told = element.find("graderinfo")
    notes = _notes.read(fragment(_raw(told))) if told is not None else _notes.Notes()
    answer = notes.answer or notes.explanation
    return Question(Type.SHORT, stem, (), (answer,) if answer else (), points=notes.points)


def _read_ordering(stem: str, element: Any) -> Question:
    parts = [_shown(a) for a in sorted(element.findall("answer"), key=_fraction)]
    return Question(Type.ORDERING, stem, dealt(parts), tuple(parts))


def _read_matching(stem: str, element: Any) -> Question:
    return matching(
        stem, [(_shown(e), _raw(e.find("answer")).strip()) for e in element.findall("subquestion")]
    )


def _read_cloze(element: Any) -> tuple[Question, float]:
    text = _raw(element.find("questiontext"))
    gaps: list[Sequence[str]] = []
    points = 0.0

    def gap(found: re.Match[str]) -> str:
        nonlocal points
        if found[3]:
            raise Unusable(f"完形填空里有“{found[3][:20]}”，不是填写的空，或者没有写完")
        variants = [
            v.split("#")[0] for v in re.split(r"(?<!\\)~", re.sub(r"&#(\d{1,7});", _decoded, found[2]))
        ]
        right = [_RIGHT.sub("", v) for v in variants if _RIGHT.match(v)]
        gaps.append([html.unescape(v.translate(_SHOWN)).strip().replace("\\*", "*") for v in right])
        points += float(found[1] or 1)
        return BLANK

    stem = text_of_html(_CLOZE.sub(gap, text)).strip()
    return blank(stem, gaps), points


_SHOWN = {0xF0000 + ord(c): c for c in "~}#\\/\n"}


def _decoded(match: re.Match[str]) -> str:
    """The character, hidden where it would end the answer."""
    char = chr(int(match[1]) % 0x110000)
    return chr(0xF0000 + ord(char)) if 0xF0000 + ord(char) in _SHOWN else html.escape(char)


FORMAT = MoodleXml()

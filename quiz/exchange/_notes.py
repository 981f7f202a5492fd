"""What stands beside a question in formats that know feedback: answer, points to mark, explanation and source."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from quiz.exchange._markup import PICTURES, child, fill, local, text_of
from quiz.model import Citation, Point, Question


@dataclass(frozen=True, slots=True)
class Notes:
    """Some of what a question says besides stem and options; "" and `None` for what is not there."""

    explanation: str = ""
    citation: Citation | None = None
    answer: str = ""
    points: tuple[Point, ...] = ()


def feedback(question: Question) -> Notes:
    """What people read after they have answered."""
    return Notes(question.explanation, question.citation)


def marking(question: Question) -> Notes:
    """What people need who mark a short answer."""
    return Notes(answer=question.answer[0], points=question.points)


def write(parent: Any, notes: Notes) -> None:
    """Add the notes as paragraphs of XHTML. Classes tell which is which, and where the citation points to."""
    if notes.answer:
        child(child(parent, "p", "参考答案：", **{"class": "answer"}), "span", notes.answer)
    if notes.points:
        points = child(parent, "ol", **{"class": "points"})
        for point in notes.points:
            line = child(points, "li")
            child(line, "span", point.text)
            fill(line, "，占 ")
            child(line, "span", repr(point.weight))
    if notes.explanation:
        child(parent, "p", notes.explanation, **{"class": "explanation"})
    if notes.citation:
        _cite(parent, notes.citation)


def _cite(parent: Any, citation: Citation) -> None:
    refers = {
        "document": citation.document_id,
        "clause": citation.clause_id,
        "from": str(citation.start),
        "to": str(citation.end),
        "anchor": citation.anchor,
    }
    tokens = ["citation", *(f"{name}-{quote(value, safe='')}" for name, value in refers.items())]
    line = child(parent, "p", "出处：《", **{"class": " ".join(tokens)})
    child(line, "cite", citation.title)
    fill(line, "》")
    for label in citation.path:
        child(line, "span", label)
        fill(line, " ")
    child(line, "q", citation.quote)


def read(*roots: Any) -> Notes:
    """The notes that `write` made, or that others wrote; their text without pictures is the explanation."""
    answer, citation = "", None
    points: list[Point] = []

    def known(element: Any) -> str | None:
        nonlocal answer, citation
        kinds = (element.get("class") or "").split()
        if kinds[:1] == ["citation"] and (found := _citation(element, kinds)):
            citation = found
            return ""
        if kinds == ["answer"] and len(element) == 1:
            answer = text_of(element[0])
            return ""
        if kinds == ["points"] and (read := _points(element)):
            points.extend(read)
            return ""
        return "［图片］" if local(element) in PICTURES else None

    rest = [text_of(root, known) for root in roots]
    return Notes("\n".join(filter(None, rest)), citation, answer, tuple(points))


def _points(listed: Any) -> list[Point]:
    """The points of the list; none where it is a list of other things."""
    lines = [[text_of(part) for part in line] for line in listed]
    if not all(len(line) == 2 and re.fullmatch(r"[\d.e-]{1,30}", line[1]) for line in lines):
        return []
    try:
        return [Point(text, float(weight)) for text, weight in lines]
    except ValueError:
        return []


def _citation(line: Any, kinds: list[str]) -> Citation | None:
    refers = dict(kind.split("-", 1) for kind in kinds[1:] if "-" in kind)
    try:
        title, *path, said = [text_of(part) for part in line]
        start, end = int(refers["from"]), int(refers["to"])
        names = [unquote(refers[name]) for name in ("document", "clause", "anchor")]
    except (KeyError, ValueError):
        return None
    return Citation(names[0], title, tuple(path), said, start, end, names[1], names[2])

"""The form in which a question is edited: from a question, from what was typed, and back to a question."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import zip_longest
from typing import Any

from starlette.datastructures import FormData

from api.address import Problem
from api.quiz_words import letter
from kb.model import derive_id
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, Type

SPARE_ROWS = 2
MAX_OPTIONS = 10
_SHARE = re.compile(r"[\s　]+(\d{1,3})\s*[%％]$")
_GAP = re.compile(r"（[\s　]*）|\([\s　]*\)|_{2,}")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form as they stand. Which of them are shown depends on the type.

    `keys` are indexes of options as texts. `answer` holds for blanks a line for each gap, its other right
    forms behind bars; for ordering a line for each part, in the right order. `points` has a line for each.
    """

    stem: str
    options: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    answer: str = ""
    prompts: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    extra: str = ""
    points: str = ""
    explanation: str = ""
    topics: str = ""
    difficulty: str = ""
    quote: str = ""

    @classmethod
    def read(cls, form: FormData) -> "Typed":
        """What was sent."""

        def several(name: str) -> tuple[str, ...]:
            texts = [str(v).replace("\r\n", "\n").strip() for v in form.getlist(name)]
            # Rows at the end that were left empty are none.
            return tuple(texts[: max((n for n, text in enumerate(texts, 1) if text), default=0)])

        def one(name: str) -> str:
            return next(iter(several(name)), "")

        texts = ("answer", "extra", "points", "explanation", "topics", "difficulty", "quote")
        return cls(
            stem=one("stem"),
            options=several("option"),
            keys=several("key"),
            prompts=several("prompt"),
            matches=several("match"),
            **{name: one(name) for name in texts},
        )

    def differs(self, other: "Typed") -> tuple[str, ...]:
        """What of the question is typed otherwise there, for people."""
        names = [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]
        return tuple(dict.fromkeys(_FIELD_WORDS[name] for name in names))


_FIELD_WORDS: Mapping[str, str] = {
    "stem": "题干",
    "options": "选项",
    "keys": "答案",
    "answer": "答案",
    "prompts": "配对",
    "matches": "配对",
    "extra": "多余的选项",
    "points": "得分点",
    "explanation": "解析",
    "topics": "主题",
    "difficulty": "难度",
    "quote": "依据",
}


def typed_of(question: Question) -> Typed:
    """The form that shows a question as it is."""
    answer, extra = "", ""
    match question.type:
        case Type.BLANK:
            accepted = [*question.accepted, *[()] * (len(question.answer) - len(question.accepted))]
            answer = "\n".join(
                "|".join((a, *more)) for a, more in zip(question.answer, accepted, strict=False)
            )
        case Type.SHORT | Type.ORDERING:
            answer = "\n".join(question.answer)
        case Type.MATCHING:
            extra = "\n".join(o for o in question.options if o not in set(question.answer))
    return Typed(
        stem=question.stem,
        options=question.options,
        keys=tuple(str(n) for n, option in enumerate(question.options) if option in set(question.answer)),
        answer=answer,
        prompts=question.prompts,
        matches=question.answer if question.type is Type.MATCHING else (),
        extra=extra,
        points="\n".join(f"{p.text} {round(p.weight * 100)}%" for p in question.points),
        explanation=question.explanation,
        topics="；".join(question.topics),
        difficulty=f"{question.difficulty:.2f}",
        quote=question.citation.quote if question.citation else "",
    )


def question_from(
    typed: Typed, old: Question, cited: Citation | None
) -> tuple[Question | None, list[Problem]]:
    """The question that was typed, of the old one's type; else what is to be mended, by field.

    Args:
        cited: what its quotation is cited from by now.
    """
    problems: list[Problem] = []
    if not typed.stem:
        problems.append(Problem("stem", "请写题干。"))
    answered = _ANSWERS[old.type](typed, old, problems)
    difficulty = _difficulty(typed.difficulty)
    if difficulty is None:
        problems.append(Problem("difficulty", "难度是 0 到 1 之间的数，如 0.5。"))
    if problems:
        return None, problems
    topics = tuple(dict.fromkeys(t.strip() for t in re.split(r"[；;\n]", typed.topics) if t.strip()))
    stated = {
        "stem": typed.stem,
        "explanation": typed.explanation,
        "topics": topics,
        "difficulty": difficulty,
        "citation": cited,
    }
    found = replace(old, **(stated | answered))
    same = found.answer == old.answer and found.citation == old.citation
    return (found if same else replace(found, places=_places(found))), []


def _difficulty(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _places(question: Question) -> tuple[tuple[int, int], ...]:
    """Where the answers stand in the quotation; those that do not are not asked for there."""
    cited = question.citation
    if cited is None:
        return ()
    spans = []
    for text in question.answer:
        at = cited.quote.find(text)
        if at >= 0 and question.type is not Type.TRUE_FALSE:
            spans.append((cited.start + at, cited.start + at + len(text)))
    return tuple(sorted(set(spans)))


# -- what each type has for an answer -----------------------------------------------------------


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def _chosen(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    options = tuple(o for o in typed.options if o)
    answer = tuple(o for n, o in enumerate(typed.options) if o and str(n) in typed.keys)
    if len(options) < 2:
        problems.append(Problem("options", "至少写两个选项。"))
    elif len(set(options)) < len(options):
        problems.append(Problem("options", "有两个选项相同，请改掉一个。"))
    elif any(n.isdigit() and not _at(typed.options, int(n)) for n in typed.keys):
        problems.append(Problem("options", "勾成答案的选项是空的，请写上，或改勾别的。"))
    if old.type is Type.SINGLE and len(answer) != 1:
        problems.append(Problem("options", "请选出一个正确答案。"))
    if old.type is Type.MULTIPLE and not 2 <= len(answer) < len(options):
        problems.append(Problem("options", "多选题至少勾两个正确答案，也不能全勾。"))
    return {"options": options, "answer": answer}


def _at(texts: Sequence[str], n: int) -> str:
    return texts[n] if n < len(texts) else ""


def _judged(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    answer = tuple(text for n, text in enumerate((TRUE, FALSE)) if str(n) in typed.keys)
    if len(answer) != 1:
        problems.append(Problem("options", "请选“正确”或“错误”。"))
    return {"options": (TRUE, FALSE), "answer": answer}


def _filled(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    stem = _GAP.sub(BLANK, typed.stem)
    rows = [tuple(t.strip() for t in line.split("|") if t.strip()) for line in _lines(typed.answer)]
    n_gaps = stem.count(BLANK)
    if not n_gaps:
        problems.append(Problem("stem", "题干里要有空，写成一对空括号：（　　）。"))
    elif len(rows) != n_gaps or not all(rows):
        problems.append(
            Problem("answer", f"题干有 {n_gaps} 个空，答案写了 {len(rows)} 行。请一行写一个空的答案。")
        )
    return {
        "stem": stem,
        "answer": tuple(row[0] for row in rows if row),
        "accepted": tuple(row[1:] for row in rows),
    }


def _told(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    if not typed.answer:
        problems.append(Problem("answer", "请写参考答案。"))
    points, wrong = _points(typed.points)
    if wrong:
        problems.append(Problem("points", wrong))
    return {"answer": (typed.answer,), "points": points}


def _points(text: str) -> tuple[tuple[Point, ...], str]:
    """Points with weights that make 1 together, and what is wrong with them."""
    found = [(line, _SHARE.search(line)) for line in _lines(text)]
    if not found:
        return (), "请至少写一个得分点。"
    stated = [int(m[1]) for _, m in found if m]
    if not stated:
        return tuple(Point(line, 1 / len(found)) for line, _ in found), ""
    if len(stated) < len(found):
        return (), "得分点的占比要么都写，要么都不写。"
    if not 90 <= sum(stated) <= 110 or not all(stated):
        return (), f"得分点的占比合计应是 100%，现在是 {sum(stated)}%。"
    return tuple(Point(line[: m.start()], int(m[1]) / sum(stated)) for line, m in found if m), ""


def _ordered(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    answer = _lines(typed.answer)
    if len(answer) < 3 or len(set(answer)) < len(answer):
        problems.append(Problem("answer", "至少写三项，一行一项，不要重复。"))
    same = set(old.options) == set(answer)
    return {"answer": answer, "options": old.options if same else _shuffled(answer)}


def _matched(typed: Typed, old: Question, problems: list[Problem]) -> dict[str, Any]:
    rows = [row for row in zip_longest(typed.prompts, typed.matches, fillvalue="") if any(row)]
    if len(rows) < 2 or not all(all(row) for row in rows):
        problems.append(Problem("prompts", "至少写两对，每对两边都要写。"))
    elif len({p for p, _ in rows}) < len(rows):
        problems.append(Problem("prompts", "左边有两项相同，请改掉一个。"))
    answer = tuple(match for _, match in rows)
    options = tuple(dict.fromkeys((*answer, *_lines(typed.extra))))
    same = set(old.options) == set(options)
    return {
        "prompts": tuple(prompt for prompt, _ in rows),
        "answer": answer,
        "options": old.options if same else _shuffled(options),
    }


def _shuffled(texts: tuple[str, ...]) -> tuple[str, ...]:
    """In an order that tells nothing and is the same each time; never the one given."""
    order = tuple(sorted(texts, key=lambda text: derive_id("shuffled", *texts, text)))
    return order if order != texts else order[1:] + order[:1]


_ANSWERS: Mapping[Type, Any] = {
    Type.SINGLE: _chosen,
    Type.MULTIPLE: _chosen,
    Type.TRUE_FALSE: _judged,
    Type.BLANK: _filled,
    Type.SHORT: _told,
    Type.ORDERING: _ordered,
    Type.MATCHING: _matched,
}


@dataclass(frozen=True, slots=True)
class OptionRow:
    """A row of the form: an option, its letter, and whether it is right."""

    letter: str
    text: str
    right: bool


def option_rows(typed: Typed) -> tuple[OptionRow, ...]:
    """Rows for the options, with empty ones to write more into."""
    last = len(typed.options)
    n = max(last, min(last + SPARE_ROWS, MAX_OPTIONS), 4)
    return tuple(OptionRow(letter(i), _at(typed.options, i), str(i) in typed.keys) for i in range(n))


def pair_rows(typed: Typed) -> tuple[tuple[str, str], ...]:
    """Rows for what is matched, with an empty one to write another into."""
    rows = [row for row in zip_longest(typed.prompts, typed.matches, fillvalue="") if any(row)]
    return (*rows, ("", ""))

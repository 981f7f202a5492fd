"""Questions as rows of a table, whatever the columns are called and wherever the heading stands."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.errors import InvalidRequest, UnreadableSource
from quiz.exchange import Row
from quiz.exchange._draft import Draft, Unusable, question_from
from quiz.exchange._report import explained
from quiz.exchange._words import fold, type_named
from quiz.model import TRUE, TYPE_WORDS, Question, Type, question_json, question_of
from quiz.soundness import fault

HEADING = (
    "题干（必填）",
    "题型 （必填）",
    "选项 A",
    "选项 B",
    "选项 C",
    "选项 D",
    "选项E\n(勿删)",
    "选项F\n(勿删)",
    "选项G\n(勿删)",
    "选项H\n(勿删)",
    "正确答案\n（必填）",
    "解析\n（勿删）",
    "章节\n（勿删）",
    "难度",
)
"""The columns of 考试宝, by their names in its template."""
N_OPTIONS = 8

MAX_HEADING_ROW = 10
_COLUMNS: Mapping[str, str] = {
    name: column
    for column, names in {
        "stem": "题干 题目 试题 问题 题目内容 试题内容 试题题干 题干内容 问题内容 考题 stem question",
        "kind": "题型 题目类型 试题类型 题目题型 类型 题类 type questiontype",
        "options": "选项 备选项 备选答案 选项内容 候选答案 试题选项 题目选项 答案选项 options",
        "answer": "答案 正确答案 参考答案 标准答案 正确选项 试题答案 答案内容 answer correctanswer key",
        "explanation": "解析 答案解析 试题解析 题目解析 详解 分析 答案说明 explanation analysis",
        "source": "依据 出处 题目依据 试题依据 来源 命题依据 答案依据",
        "topics": "章节 知识点 考点 分类 试题分类 题目分类 章节目录 topics chapter",
        "difficulty": "难度 难易度 难易程度 难度等级 difficulty",
        "points": "分值 分数 得分 试题分数 题目分值 points score",
        "rest": "其他字段",
    }.items()
    for name in names.split()
}
_OPTION = re.compile(r"(?:选项|备选项|备选答案|答案选项|候选项|答案|option)?([a-z])(?:选项|项)?")
_NUMBERED_OPTION = re.compile(r"(?:选项|备选项|option)([1-9一二三四五六七八九])")
_LETTERED = re.compile(r"(?:^|(?<=[\s|｜;；]))[（(]?([A-ZＡ-Ｚ])[)）]?\s*[.．、:：)）]\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: what is in its cells, and what people call its place."""

    place: str
    cells: tuple[str, ...]


def rows(lines: Sequence[Line], default_kind: str = "") -> tuple[Row, ...] | None:
    """The questions under the heading; `None` where none of the first rows is one.

    `default_kind` is what the sheet is called: it tells the type where no column does.
    """
    heading = max(
        range(min(len(lines), MAX_HEADING_ROW)), key=lambda n: _weight(lines[n].cells), default=None
    )
    if heading is None or _weight(lines[heading].cells) == 0:
        return None
    columns = [_column(cell) for cell in lines[heading].cells]
    found = []
    for line in lines[heading + 1 :]:
        if any(cell.strip() for cell in line.cells) and [_column(c) for c in line.cells] != columns:
            found.append(_row(line, columns, default_kind if type_named(default_kind)[0] else ""))
    return tuple(found)


def stem_column(grid: Sequence[Sequence[str]]) -> int | None:
    """Where the stems stand, `None` where no row of the first is a heading."""
    head = max(grid[:MAX_HEADING_ROW], key=_weight, default=())
    return [_column(cell) for cell in head].index("stem") if _weight(head) else None


def cells_of(question: Question, n_options: int) -> tuple[str, ...]:
    """Stem, type, `n_options` options, key and explanation of the question as cells."""
    options, key = question.options, question.letters
    if question.type is Type.BLANK:
        fits = len(question.answer) <= n_options
        options, key = (question.answer, "") if fits else ((), "|".join(question.answer))
    elif question.type is Type.TRUE_FALSE:
        options = tuple("对" if option == TRUE else "错" for option in options)
    elif question.type is Type.SHORT:
        options, key = (), "\n".join(question.answer)
    filled = options + ("",) * (n_options - len(options))
    return (question.stem, TYPE_WORDS[question.type], *filled, key, explained(question))


def no_heading() -> UnreadableSource:
    """What to say where no heading was found in the whole file."""
    return UnreadableSource(
        f"前 {MAX_HEADING_ROW} 行里没有找到表头。",
        "表头至少要有“题干”和“正确答案”两列，选择题另有“选项A”“选项B”等列。",
    )


def _column(cell: str) -> str:
    """What a heading stands for: a field, an option as "option 0", or "" for what we do not read."""
    name = re.sub(r"[（(\[【][^）)\]】]*[)）\]】]|\*", "", cell)
    name = fold(name).strip("：:")
    if name in _COLUMNS:
        return _COLUMNS[name]
    if match := _OPTION.fullmatch(name):
        return f"option {ord(match[1]) - ord('a')}"
    if match := _NUMBERED_OPTION.fullmatch(name):
        return f"option {'123456789一二三四五六七八九'.index(match[1]) % 9}"
    return ""


def _weight(cells: Sequence[str]) -> int:
    """How much a row looks like a heading; 0 without a stem, or with nothing else."""
    columns = {_column(cell) for cell in cells} - {""}
    return len(columns) if "stem" in columns and len(columns) > 1 else 0


def _row(line: Line, columns: Sequence[str], default_kind: str) -> Row:
    said: dict[str, str] = {}
    lettered: dict[int, str] = {}
    for column, cell in zip(columns, line.cells, strict=False):
        if column.startswith("option "):
            lettered[int(column.removeprefix("option "))] = cell
        elif column and cell.strip():
            said[column] = said.get(column) or cell
    options = _options(lettered, said.get("options", ""))
    explanation = said.get("explanation", "")
    if source := said.get("source", "").strip():
        explanation = f"{explanation}\n依据：{source}".strip()
    draft = Draft(
        said.get("stem", ""),
        said.get("kind", default_kind),
        options,
        said.get("answer", ""),
        explanation,
        said.get("topics", ""),
        said.get("difficulty", ""),
    )
    points = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*分?\s*", said.get("points", ""))
    worth = float(points[1]) if points else None
    try:
        question = _with_rest(question_from(draft), said.get("rest", ""))
        if wrong := fault(question):
            raise Unusable(wrong.rstrip("。"))
    except Unusable as error:
        return Row(line.place, None, worth, str(error))
    return Row(line.place, question, worth)


def _with_rest(question: Question, rest: str) -> Question:
    """The question with the fields that one cell holds as JSON."""
    if not rest.strip():
        return question
    try:
        return question_of(question_json(question) | dict(json.loads(rest)))
    except (ValueError, TypeError, InvalidRequest) as error:
        raise Unusable("“其他字段”一列不是我们写出的样子，请清空这一格再试") from error


def _options(lettered: Mapping[int, str], together: str) -> list[str]:
    """The options in their order without empty ones at the end."""
    if any(text.strip() for text in lettered.values()):
        last = max(place for place, text in lettered.items() if text.strip())
        return [_without_letter(lettered.get(place, ""), place) for place in range(last + 1)]
    if not together.strip():
        return []
    marks = list(_LETTERED.finditer(together))
    letters = [fold(mark[1]) for mark in marks]
    if len(marks) > 1 and letters == [chr(ord("a") + n) for n in range(len(marks))]:
        ends = [mark.start() for mark in marks[1:]] + [len(together)]
        return [together[m.end() : end].strip(" \t\n|｜;；") for m, end in zip(marks, ends, strict=True)]
    for separator in (r"[|｜]", r"\n+", r"[;；]"):
        parts = [part.strip() for part in re.split(separator, together) if part.strip()]
        if len(parts) > 1:
            return parts
    return [together]


def _without_letter(text: str, place: int) -> str:
    """The option without its own letter in front, where the column already says it."""
    match = re.match(r"\s*([A-ZＡ-Ｚ])\s*[.．、:：]\s*(?=\S)", text)
    if match and fold(match[1]) == chr(ord("a") + place):
        return text[match.end() :]
    return text

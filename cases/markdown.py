"""The text that is published of a case: Markdown with a heading for each part of the form."""

import re
from datetime import date

from cases.model import INDUSTRIES, LABELS, LEVEL_WORDS, SHAPES, Body, Field, Level, Shape, figures_of

_FACTS = (Field.INDUSTRY, Field.PEOPLE, Field.COST, Field.LEVEL)
_BULLET = re.compile(r"[-*+]\s+(?=\S)")
_MARKS = re.compile(r"[\\`*_\[~#<>&]|^[-+]")
_BY_NAME = {"\\": "&#92;", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
"""Marks that readers take out before they look for backslashes."""


def write_markdown(body: Body, *, case_id: str, revision: int, branch: str, on: date) -> str:
    """The form as a document; an empty field is left out.

    The head names the case and its revision, so that two cases of the same words are two documents.
    """
    lines = [
        "---",
        f"标题: {_line(body[Field.TITLE])}",
        f"报送单位: {_line(branch)}",
        f"日期: {on.isoformat()}",
        f"案例编号: {case_id}-{revision}",
        "---",
        "",
        f"# {_plain(_line(body[Field.TITLE]))}",
        "",
    ]
    facts = [f"- {LABELS[f]}：{_plain(said(f, body[f]))}" for f in _FACTS if body.get(f)]
    lines += [*facts, ""] if facts else []
    for field, shape in SHAPES.items():
        text = body.get(field)
        if not text or shape not in (Shape.TEXT, Shape.FIGURES):
            continue
        lines += [f"## {LABELS[field]}", ""]
        lines += _table(text) if shape is Shape.FIGURES else _paragraphs(text)
        lines.append("")
    return "\n".join(lines)


def said(field: Field, text: str) -> str:
    """A fact in words.

    >>> said(Field.INDUSTRY, "C"), said(Field.COST, "12000"), said(Field.LEVEL, "eased")
    ('制造', '12,000', '有改善')
    """
    if field is Field.INDUSTRY:
        return INDUSTRIES.get(text, text)
    if field is Field.LEVEL:
        return LEVEL_WORDS[Level(text)] if text in set(Level) else text
    return f"{int(text):,}" if SHAPES[field] is Shape.NUMBER and text.isdecimal() else _line(text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> list[str]:
    """Every line a paragraph of its own."""
    return [part for line in text.splitlines() if line.strip() for part in (_plain(line.strip()), "")]


def _plain(line: str) -> str:
    """A line that reads as it was typed: marks in it mean nothing, but a list stays one."""
    bullet = _BULLET.match(line)
    start = bullet.end() if bullet else 0
    return line[:start] + _MARKS.sub(lambda m: _BY_NAME.get(m[0], f"\\{m[0]}"), line[start:])


def _table(text: str) -> list[str]:
    figures = figures_of(text)
    told = [[_plain(cell) for cell in (f.measure, f.before, f.after, f.unit)] for f in figures]
    rows = [f"| {' | '.join(cells)} |" for cells in told]
    return ["| 指标 | 之前 | 之后 | 单位 |", "|---|---|---|---|", *rows] if rows else _paragraphs(text)

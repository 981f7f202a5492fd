"""The text that is published of a case: Markdown with a heading for each part of the form."""

from datetime import date

from cases.model import INDUSTRIES, LABELS, LEVEL_WORDS, SHAPES, Body, Field, Level, Shape, figures_of

_FACTS = (Field.INDUSTRY, Field.PEOPLE, Field.COST, Field.LEVEL)


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
        f"# {_line(body[Field.TITLE])}",
        "",
    ]
    facts = [f"- {LABELS[f]}：{said(f, body[f])}" for f in _FACTS if body.get(f)]
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
    """Every line a paragraph of its own, as it was typed; what would open a fence or a head is kept from it."""
    return [part for line in text.splitlines() if line.strip() for part in (_plain(line.strip()), "")]


def _plain(line: str) -> str:
    return f"　{line}" if line.startswith(("---", "```", "~~~", "===")) else line


def _table(text: str) -> list[str]:
    figures = figures_of(text)
    rows = [f"| {f.measure} | {f.before} | {f.after} | {f.unit} |" for f in figures]
    return ["| 指标 | 之前 | 之后 | 单位 |", "|---|---|---|---|", *rows] if rows else _paragraphs(text)

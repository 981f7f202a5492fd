"""Read a folder of law texts into articles, for training only.

The texts are Markdown: `# name`, dates, `<!-- INFO END -->`, `##` headings, then
lines that begin with 第X条. The service has its own, stricter readers; here a
missed article costs nothing, so the rules are short.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kb.numerals import numeral_value

NUMERAL = "零〇一二两三四五六七八九十百千"
_ARTICLE = re.compile(rf"^第([{NUMERAL}]+)条(之[一二三四五六七八九十]+)?(\s*)")
_HEADING = re.compile(r"^(#+)\s*(.+)$")
_DATE = re.compile(r"\((\d{4}-\d{2}-\d{2})\)$")
_HEAD_END = "<!-- INFO END -->"
_LEFT_OUT = ("案例", "_index.md", "README.md", "法律法规模版.md")


@dataclass(frozen=True, slots=True)
class Article:
    """One article of one law. `number` is 0 where the text has no articles."""

    law: str
    number: int
    label: str
    heading: str
    text: str
    date: str
    local: bool

    @property
    def title(self) -> str:
        """Name of the law and of the article, as a reader would cite it."""
        return self.law + self.label


def law_key(name: str) -> str:
    """Name of a law as it is compared: no 中华人民共和国, blanks or marks.

    >>> law_key("中华人民共和国 民法典")
    '民法典'
    """
    return re.sub(r"[\s《》〈〉（）()、，,·]", "", name).replace("中华人民共和国", "")


def read_laws(folder: Path) -> list[Article]:
    """Articles of every law below `folder`, files in the order of their names."""
    files = sorted(p for p in folder.rglob("*.md") if not any(part in _LEFT_OUT for part in p.parts))
    return [article for path in files for article in read_law(path, local="DLC" in path.parts)]


def read_law(path: Path, *, local: bool) -> Iterator[Article]:
    """Articles of one file; a file without any gives its paragraphs, number 0."""
    head, found, body = path.read_text(encoding="utf-8").partition(_HEAD_END)
    if not found:
        head, body = body, head
    names = [m[2].strip() for line in head.splitlines() if (m := _HEADING.match(line.strip()))]
    law = (names[0] if names else _DATE.sub("", path.stem)).removeprefix("中华人民共和国")
    dated = _DATE.search(path.stem)
    date = dated[1] if dated else ""
    headings: list[tuple[int, str]] = []
    lines: list[str] = []
    number, label, kept_heading = 0, "", ""
    for line in (raw.strip() for raw in body.splitlines()):
        heading, start = _HEADING.match(line), _ARTICLE.match(line)
        value = (numeral_value(start[1]) or 0) if start else 0
        begins = (
            start is not None and (bool(start[3]) or value == number + 1) and (value >= number or value == 1)
        )
        if heading or begins:
            if lines:
                yield Article(law, number, label, kept_heading, "\n".join(lines), date, local)
            lines = []
        if heading:
            level = len(heading[1])
            headings = [h for h in headings if h[0] < level] + [(level, heading[2].strip())]
        elif begins and start is not None:
            number, label = value, f"第{start[1]}条{start[2] or ''}"
            kept_heading = " ".join(h for _, h in headings)
            rest = line[start.end() :]
            lines = [rest] if rest else []
        elif line:
            if number == 0 and lines:
                yield Article(law, 0, "", " ".join(h for _, h in headings), "\n".join(lines), date, local)
                lines = []
            lines.append(line)
    if lines:
        yield Article(law, number, label, kept_heading, "\n".join(lines), date, local)

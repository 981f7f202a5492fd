"""Markdown: marks become roles, the document's own numbering stays text.

The parser is ours: a Markdown library would turn "1. " into an ordered list and
renumber it, and would take 「（一）」 under an indent for code.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape

from ingest import sniff
from ingest.encoding import decode
from ingest.readers.text import LINE_ENDS
from kb.model import Block, Reading, Source

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t\u3000]+(.*?)(?:[ \t]+#+)?[ \t]*|(?=[^#\s!-~])([^#]*))$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_BULLET = re.compile(r"\s*[-*+](?:[ \t]+(?:\[[ xX]\][ \t]+)?|$)")
_NUMBERED = re.compile(r"\s*(?:[0-9]{1,3}[.)、．]|[（(][^）)]{1,4}[）)]|第\S{1,9}[条章节])")
_QUOTE = re.compile(r"^ {0,3}(?:>[ \t]?)+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_TAG = re.compile(
    r"</?(?:a|abbr|b|br|center|code|del|details|div|em|figure|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|pre|s|small"
    r"|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul)(?:\s[^<>]*)?/?>",
    re.I,
)
_INFO_END = "INFO END"
_BODY_MARK = "\x00body\x00"
_PROPERTIES = {
    "title": "title",
    "author": "author",
    "keywords": "keywords",
    "tags": "keywords",
    "date": "created",
}

_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!\[([^\]]*)\]\([^()\s]*(?:\s+[\"'][^\"']*[\"'])?\)"), r"\1"),
    (
        re.compile(r"\[([^\[\]]*)\]\(<?[^()\s<>]*(?:\([^()\s]*\)[^()\s]*)*>?(?:\s+[\"'][^\"']*[\"'])?\)"),
        r"\1",
    ),
    (re.compile(r"\[([^\[\]]+)\]\[[^\[\]]+\]"), r"\1"),
    (re.compile(r"<((?:https?|mailto):[^<>\s]+)>"), r"\1"),
    (re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)"), r"\2"),
    (re.compile(r"\*\*\*(?=\S)(.+?)(?<=\S)\*\*\*"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<![\w_])__(?=\S)(.+?)(?<=\S)__(?![\w_])"), r"\1"),
    (re.compile(r"(?<![*0-9A-Za-z])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![*0-9A-Za-z])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?![\w_])"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


class MarkdownReader:
    """Reads .md.

    Headings keep their level, bullets become role "list", pipe tables role
    "table". A paragraph of several source lines comes as role "line" for reflow
    to judge, with a block without text between two such paragraphs. Comments
    are no text; where one says INFO END, property "body_from" is the index of
    the first block after it and every line before it is a paragraph.
    """

    media_types: Mapping[str, str] = {".md": "text/markdown", ".markdown": "text/markdown"}

    def read(self, source: Source) -> Reading:
        """Blocks of the source; see `kb.ports.Reader`."""
        sniff.require(source, "Markdown", sniff.TEXT, sniff.HTML)
        text = LINE_ENDS.sub("\n", decode(source))
        properties, text = _front_matter(text)
        text = _COMMENT.sub(lambda m: f"\n\n{_BODY_MARK}\n\n" if _INFO_END in m[0] else "", text)
        blocks: list[Block] = []
        for paragraph in _paragraphs(text.split("\n")):
            if paragraph[0].text == _BODY_MARK:
                blocks = [b if b.role != "line" else Block(b.text) for b in blocks if b.text]
                properties.setdefault("body_from", str(len(blocks)))
                continue
            if len(paragraph) > 1 and blocks and blocks[-1].role == "line":
                blocks.append(Block("", role="line"))
            blocks.extend(paragraph)
        return Reading(tuple(blocks), properties)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """What the lines between two `---` at the start say, and the text after them."""
    found = re.match(r"\s*---[ \t]*\n(.*?)(?:^|\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.S)
    if not found or not all(re.match(r"\s*$|\s*#|[\w-]+\s*:|\s+\S|-\s", x) for x in found[1].split("\n")):
        return {}, text
    properties: dict[str, str] = {}
    for line in found[1].split("\n"):
        key, _, value = line.partition(":")
        name = _PROPERTIES.get(key.strip().lower())
        value = value.strip().strip("\"'[]")
        if name and value:
            properties.setdefault(name, value)
    return properties, text[found.end() :]


def _paragraphs(lines: list[str]) -> Iterator[list[Block]]:
    """Blocks, those of one source paragraph together."""
    open_lines: list[str] = []
    fence = ""
    rows = _table_rows(lines)
    for i, raw in enumerate(lines):
        mark = _FENCE.match(raw)
        if fence or mark:
            yield from _close(open_lines)
            if fence and mark and mark[1].startswith(fence) and not raw.strip(" `~"):
                fence = ""
            elif fence and raw.strip():
                yield [Block(raw.strip())]
            elif not fence and mark:
                fence = mark[1]
            continue
        line = _QUOTE.sub("", raw)
        if not line.strip():
            yield from _close(open_lines)
        elif line == _BODY_MARK:
            yield [Block(_BODY_MARK)]
        elif heading := _HEADING.match(line):
            yield from _close(open_lines)
            yield from _one(heading[2] or heading[3] or "", "heading", len(heading[1]))
        elif (
            len(open_lines) == 1 and re.fullmatch(r" {0,3}(?:=+|-+)[ \t]*", line) and len(open_lines[0]) <= 60
        ):
            yield from _one(open_lines.pop(), "heading", 1 if "=" in line else 2)
        elif _RULE.match(line):
            yield from _close(open_lines)
        elif i in rows:
            yield from _close(open_lines)
            if not _TABLE_RULE.match(line):
                cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
                yield from _one("\t".join(cell.strip() for cell in cells), "table")
        else:
            if _BULLET.match(line) or _NUMBERED.match(line):
                yield from _close(open_lines)
            open_lines.append(line)
            if raw.endswith(("  ", "\\")) or re.search(r"<br\s*/?>\s*$", raw, re.I):
                yield from _close(open_lines)
    yield from _close(open_lines)


def _table_rows(lines: list[str]) -> set[int]:
    """Indices of lines in runs of lines with bars whose second one is a rule."""
    rows: set[int] = set()
    first = 0
    for i, line in enumerate([*lines, ""]):
        if "|" in line:
            continue
        if i - first > 1 and _TABLE_RULE.match(lines[first + 1]):
            rows.update(range(first, i))
        first = i + 1
    return rows


def _close(lines: list[str]) -> Iterator[list[Block]]:
    """The open paragraph, if any, which is thereby closed."""
    if not lines:
        return
    bullet = _BULLET.match(lines[0])
    text = "\n".join([lines[0][bullet.end() :] if bullet else lines[0], *lines[1:]])
    lines.clear()
    parts = [part for part in _inline(text).split("\n") if part.strip()]
    if bullet:
        yield from ([Block(part.strip(), role="list")] for part in ["\n".join(parts)] if part)
    elif len(parts) > 1:
        yield [Block(part.rstrip(), role="line") for part in parts]
    else:
        yield from ([Block(part.strip())] for part in parts)


def _one(text: str, role: str, level: int = 0) -> Iterator[list[Block]]:
    text = "\t".join(_inline(cell).strip() for cell in text.split("\t"))
    if text.strip():
        yield [Block(text, role=role, level=level)]


def _inline(text: str) -> str:
    """Text without marks of emphasis, links, code and HTML."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[1])
        return f"\x00{len(kept) - 1}\x00"

    text = _ESCAPE.sub(keep, text.rstrip("\\"))
    text = re.sub(r"<br\s*/?>", "\n", text, flags=re.I)
    text = _TAG.sub("", text)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], unescape(text))


READER = MarkdownReader()

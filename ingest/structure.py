"""The section tree of a text: what its own numbering and headings say.

One pass over the paragraphs. Each is a heading (编 章 节, 一、 （一） 1., a Markdown
or Word heading, or a well-known name such as 摘要), the first line of an
article (第X条), an item inside a clause, or plain text. Articles are followed by
their numbers: a line that begins with a cross-reference ("第七条规定的…") is no
heading, and neither is one that stands inside quoted text.

Headings and clauses tile the text: every character is in exactly one.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kb.model import Clause, Flow, Kind, Paragraph, Part, Section, derive_id
from kb.numerals import chinese_numeral, numeral_value

_NUM = r"[0-9０-９零〇一二两三四五六七八九十百千]+"
_DIVISION = re.compile(rf"第({_NUM})(编|分编|章|节|部分)(?![的规所至、和])\s*")
_ARTICLE = re.compile(rf"第({_NUM})条(?:之({_NUM}))?")
_REFERENCE = re.compile(
    rf"(?:之{_NUM})?(?:第{_NUM}[款项]|[（(][一二三四五六七八九十]+[)）]项|规定|所列|所称|所指|[、，,和与及或至到]|的|中|修改|删去|删除|改为|以外|以下|以上|之规定|[。；])"
)
_OUTLINE = (
    (re.compile(r"([一二三四五六七八九十百]+)[、．.]\s*"), 1),
    (re.compile(r"[（(]([一二三四五六七八九十百]+)[)）][、.．]?\s*"), 2),
    (re.compile(r"[0-9０-９]{1,2}\.[0-9]{1,2}\.([0-9]{1,2})[.．、]?\s+"), 5),
    (re.compile(r"[0-9０-９]{1,2}\.([0-9]{1,2})[.．、]?\s+"), 4),
    (re.compile(r"([0-9０-９]{1,2})\s*[.．、](?![0-9])\s*"), 3),
    (re.compile(r"([0-9０-９]{1,2})\s+(?=[\u4e00-\u9fffA-Za-z])"), 3),
    (re.compile(r"[（(]([0-9０-９]{1,2})[)）][、.．]?\s*"), 6),
)
_ITEM = (
    (re.compile(r"[（(]([一二三四五六七八九十百]+)[)）]"), 1, "第（{}）项"),
    (re.compile(r"([0-9０-９]{1,3})[.．、](?![0-9])"), 2, "第{}目"),
    (re.compile(r"[（(]([0-9０-９]{1,3})[)）]"), 2, "第（{}）目"),
)
_NAMED = re.compile(
    r"【?(摘\s*要|内容摘要|关\s*键\s*词|引\s*言|前\s*言|序\s*言|绪\s*论|背\s*景|案例背景|背景与起因|问\s*题|存在的?问题|主要问题|做\s*法|主要做法|具体做法"
    r"|成\s*效|取得成效|工作成效|主要成效|启\s*示|启示与体会|经验启示|经验与启示|推广条件|推广价值|可复制推广之处|结\s*语|结束语|结\s*论|致\s*谢|参考文献|作者简介"
    r"|Abstract|Keywords?|Introduction|References)】?\s*(?P<run>[：:]\s*|$)",
    re.IGNORECASE,
)
_ANNEX = re.compile(r"附(?:件|录|表|图|则)?\s*[一二三四五六七八九十0-9０-９]{0,3}\s*(?:[：:]|$|\s)")
_CONTENTS = re.compile(r"目\s*录\s*$")
_END = "。！？；…：.!?;:"
_SENTENCE_END = re.compile(r"[。！？]")
_HEADING_MAX = 45
_RANK = {"编": 10, "分编": 11, "部分": 12, "章": 13, "节": 14}
_RANK_NAMED, _RANK_OUTLINE = 40, 40


@dataclass(frozen=True, slots=True)
class Structure:
    """Sections and clauses of one text, each in text order."""

    sections: tuple[Section, ...]
    clauses: tuple[Clause, ...]


@dataclass(slots=True)
class _Piece:
    """A run of text: a section's heading, or a clause."""

    start: int
    rank: int = 0
    label: str = ""
    heading: str = ""
    anchor: str = ""
    article: bool = False
    items: list[Part] = field(default_factory=list)


def parse_structure(flow: Flow, *, document_id: str, kind: Kind, title: str, body_from: int = 0) -> Structure:
    """Build the section tree and the clauses of a text.

    Args:
        flow: the text after reflow.
        document_id: what section and clause ids are derived from.
        kind: decides whether unnumbered paragraphs are counted as 款.
        title: paragraphs that only repeat it are no headings.
        body_from: offset where the title block ends, when the format says so.
    """
    pieces = _cut(flow, title, body_from)
    return _assemble(flow, pieces, document_id, kind)


# -- reading the paragraphs ---------------------------------------------------


def _cut(flow: Flow, title: str, body_from: int) -> list[_Piece]:
    paragraphs = flow.paragraphs
    texts = [flow.text[p.start : p.end] for p in paragraphs]
    articles = _article_lines(texts)
    contents = _contents_lines(texts)
    front = _front_lines(paragraphs, texts, title, body_from)
    roles = _heading_levels(paragraphs, front)
    outline = _OutlineRuns()
    pieces = [_Piece(0)]
    in_article, n_restarts, seen = False, 0, 0
    for i, (paragraph, text) in enumerate(zip(paragraphs, texts, strict=True)):
        if i in contents or i < front:
            continue
        if i in articles:
            label, number, sub = articles[i]
            if number <= seen and not sub:
                n_restarts += 1
            seen = number
            anchor = f"art-{number}" + (f"-{sub}" if sub else "")
            pieces.append(
                _Piece(
                    paragraph.start,
                    label=label,
                    article=True,
                    anchor=anchor if not n_restarts else f"r{n_restarts}-{anchor}",
                )
            )
            in_article = True
            continue
        heading = _division(paragraph, text)
        if heading is None and articles and in_article and i > max(articles):
            heading = _annex(paragraph, text)
        if heading is None and i in roles:
            heading = _role_heading(paragraph, text, roles[i])
        if heading is None and not in_article:
            heading = _named(paragraph, text) or outline.heading(paragraph, text)
        if heading is None:
            continue
        in_article = False
        head, end = heading
        pieces.append(head)
        if end < paragraph.end:
            pieces.append(_Piece(end))
        elif i + 1 < len(paragraphs):
            pieces.append(_Piece(paragraphs[i + 1].start))
    return pieces


def _article_lines(texts: Sequence[str]) -> dict[int, tuple[str, int, int]]:
    """Paragraph index -> (label, number, 之 number) of the lines that begin an article."""
    lines: list[tuple[int, str, int, int, bool, bool]] = []
    depth = 0
    for i, text in enumerate(texts):
        m = _ARTICLE.match(text)
        if m:
            number = numeral_value(m[1])
            sub = numeral_value(m[2]) if m[2] else 0
            if number and sub is not None:
                rest = text[m.end() :]
                lines.append(
                    (i, m[0], number, sub, rest[:1].isspace() or not rest, bool(_REFERENCE.match(rest)))
                )
        depth = max(0, depth + text.count("“") - text.count("”"))
        if (
            depth
            and not text.endswith(("：", "”"))
            and text.count("“") == 0
            and text.count("”") == 0
            and len(text) > 400
        ):
            depth = 0
    return _follow(lines)


def _follow(lines: Sequence[tuple[int, str, int, int, bool, bool]]) -> dict[int, tuple[str, int, int]]:
    """Choose the lines whose numbers run on; the rest are cross-references."""
    chosen: dict[int, tuple[str, int, int]] = {}
    last, last_sub = 0, 0
    for at, (i, label, number, sub, spaced, reference) in enumerate(lines):
        follows = (number, sub) in ((last + 1, 0), (last, last_sub + 1))
        restarts = number == 1 and sub == 0 and last >= 2 and spaced
        ahead = (number, sub) > (last, last_sub)
        if reference and not spaced:
            continue
        if not follows and not restarts:
            if not (spaced and ahead):
                continue
            # A jump: it is a trap if the number that is due still comes before any number after this one.
            due = _due(lines[at + 1 :], last, number)
            if due:
                continue
        chosen[i] = (label, number, sub)
        last, last_sub = number, sub
    return chosen if len(chosen) > 1 or any(n == 1 for _, n, _ in chosen.values()) else {}


def _due(rest: Sequence[tuple[int, str, int, int, bool, bool]], last: int, jumped_to: int) -> bool:
    for _, _, number, sub, spaced, reference in rest:
        if reference and not spaced:
            continue
        if number == last + 1 and sub == 0:
            return True
        if number == 1 or number > jumped_to + 1:
            return False
    return False


def _contents_lines(texts: Sequence[str]) -> set[int]:
    """Lines of a table of contents: from 目录 to where its first line comes again."""
    for i, text in enumerate(texts[:60]):
        if not _CONTENTS.match(text) or i + 1 >= len(texts):
            continue
        first = _squeeze(texts[i + 1])
        for j in range(i + 2, min(len(texts), i + 200)):
            if _squeeze(texts[j]) == first:
                return set(range(i, j))
    return set()


def _front_lines(paragraphs: Sequence[Paragraph], texts: Sequence[str], title: str, body_from: int) -> int:
    """How many paragraphs at the start belong to the title block."""
    n = sum(p.start < body_from for p in paragraphs)
    for i in range(n, min(len(texts), n + 8)):
        if _squeeze(texts[i]) and _squeeze(texts[i]) in _squeeze(title):
            n = i + 1
    return n


def _heading_levels(paragraphs: Sequence[Paragraph], front: int) -> dict[int, int]:
    """Paragraph index -> level of headings that the format marks, title left out."""
    return {
        i: max(1, p.level)
        for i, p in enumerate(paragraphs)
        if i >= front and p.role == "heading" and p.end - p.start <= 2 * _HEADING_MAX
    }


def _division(paragraph: Paragraph, text: str) -> tuple[_Piece, int] | None:
    m = _DIVISION.match(text)
    if m is None or len(text) > _HEADING_MAX or text.endswith(tuple(_END)) or "，" in text[m.end() :]:
        return None
    label = f"第{m[1]}{m[2]}"
    return _Piece(paragraph.start, _RANK[m[2]], label, _tidy(text)), paragraph.end


def _annex(paragraph: Paragraph, text: str) -> tuple[_Piece, int] | None:
    m = _ANNEX.match(text)
    if m is None or len(text) > _HEADING_MAX or text.endswith(("。", "；")):
        return None
    return _Piece(paragraph.start, 1, _tidy(m[0]).rstrip("：:"), _tidy(text)), paragraph.end


def _role_heading(paragraph: Paragraph, text: str, level: int) -> tuple[_Piece, int]:
    label = ""
    for pattern, _ in _OUTLINE:
        if m := pattern.match(text):
            label = m[0].strip().rstrip("、.．")
            break
    return _Piece(paragraph.start, 12 + level, label, _tidy(text)), paragraph.end


def _named(paragraph: Paragraph, text: str) -> tuple[_Piece, int] | None:
    m = _NAMED.match(text)
    if m is None:
        return None
    name = _squeeze(m[1])
    return _Piece(paragraph.start, _RANK_NAMED + 1, "", name), paragraph.start + m.end()


class _OutlineRuns:
    """Decides which lines that begin with 一、 （一） 1. are headings.

    A number counts when it runs on from the one before on its rank, or starts at one.
    A line that is a whole sentence of a numbered list stays in its clause, but for 一、 whose
    number alone is then the heading.
    """

    def __init__(self) -> None:
        self.last: dict[int, int] = {}

    def heading(self, paragraph: Paragraph, text: str) -> tuple[_Piece, int] | None:
        for pattern, rank in _OUTLINE:
            m = pattern.match(text)
            if m is None:
                continue
            number = numeral_value(m[1])
            end = _head_end(m, text, rank)
            if number is None or end is None or number not in (1, self.last.get(rank, 0) + 1):
                return None
            self.last = {r: n for r, n in self.last.items() if r < rank} | {rank: number}
            heading = text[:end] if end > m.end() else text[: m.end()] + _first_words(text[m.end() :])
            label = m[0].strip().rstrip("、.．")
            return _Piece(
                paragraph.start, _RANK_OUTLINE + rank, label, _tidy(heading).rstrip("。：:")
            ), paragraph.start + end
        return None


def _head_end(m: re.Match[str], text: str, rank: int) -> int | None:
    """Where the heading in a numbered paragraph ends; None if all of it is running text."""
    body = text[m.end() :]
    if not body:
        return None
    if len(text) <= _HEADING_MAX and not body.endswith(tuple(_END)):
        return len(text)
    stop = _SENTENCE_END.search(body)
    if stop and stop.end() <= 30 and stop.end() < len(body) and "，" not in body[: stop.start()]:
        return m.end() + stop.end()
    return m.end() if rank == 1 else None


def _first_words(text: str) -> str:
    found = re.split(r"[，。；：、,;:]", text, maxsplit=1)[0]
    return found if len(found) <= 24 else found[:24] + "…"


# -- putting the tree together ------------------------------------------------


def _assemble(flow: Flow, pieces: Sequence[_Piece], document_id: str, kind: Kind) -> Structure:
    text = flow.text
    pieces = [
        p
        for i, p in enumerate(pieces)
        if (pieces[i + 1].start if i + 1 < len(pieces) else len(text)) > p.start
    ]
    ends = [p.start for p in pieces[1:]] + [len(text)]
    sections: list[Section] = []
    clauses: list[Clause] = []
    stack: list[tuple[int, Section]] = []
    anchors: Counter[str] = Counter()
    starts = [p.start for p in flow.paragraphs]
    for piece, end in zip(pieces, ends, strict=True):
        if piece.rank:
            while stack and stack[-1][0] >= piece.rank:
                stack.pop()
            parent = stack[-1][1] if stack else None
            path = (*parent.path, piece.heading) if parent else (piece.heading,)
            section = Section(
                derive_id(document_id, "section", str(len(sections)), *path),
                len(sections),
                len(stack) + 1,
                piece.label,
                piece.heading,
                piece.start,
                end,
                end,
                path,
                parent.section_id if parent else None,
            )
            sections.append(section)
            stack.append((piece.rank, section))
            continue
        above = stack[-1][1] if stack else None
        path = above.path if above else ()
        label = piece.label or (above.heading if above else "")
        anchor = piece.anchor or (f"t-{above.ordinal + 1}" if above else "top")
        anchors[anchor] += 1
        if anchors[anchor] > 1:
            anchor = f"{anchor}.{anchors[anchor]}"
        clauses.append(
            Clause(
                derive_id(document_id, "clause", str(len(clauses)), *path, label),
                len(clauses),
                label,
                anchor,
                piece.start,
                end,
                (*path, piece.label) if piece.article else path,
                above.section_id if above else None,
                _parts(flow, starts, piece.start, end, piece.article or kind is Kind.LAW),
            )
        )
    return Structure(_with_extent(sections, len(text)), tuple(clauses))


def _with_extent(sections: Sequence[Section], end: int) -> tuple[Section, ...]:
    found: list[Section] = []
    for i, s in enumerate(sections):
        after = next((t.start for t in sections[i + 1 :] if t.level <= s.level), end)
        found.append(replace(s, extent_end=after))
    return tuple(found)


def _parts(flow: Flow, starts: Sequence[int], start: int, end: int, counted: bool) -> tuple[Part, ...]:
    """款, 项 and 目 of a clause. Each reaches to where the next of its depth or above begins."""
    marks: list[tuple[int, int, str]] = []
    n_paragraphs = 0
    first = max(0, bisect_right(starts, start) - 1)
    for p in flow.paragraphs[first:]:
        if p.start >= end:
            break
        at = max(p.start, start)
        text = flow.text[at : min(p.end, end)]
        if not text.strip():
            continue
        for pattern, depth, form in _ITEM:
            if (m := pattern.match(text)) and (marks or not counted):
                marks.append((at, depth, form.format(m[1])))
                break
        else:
            n_paragraphs += 1
            marks.append(
                (at, 0, f"第{chinese_numeral(n_paragraphs)}款" if counted else f"第{n_paragraphs}段")
            )
    parts = []
    for i, (at, depth, label) in enumerate(marks):
        after = next((a for a, d, _ in marks[i + 1 :] if d <= depth), end)
        parts.append(Part(label, depth, at, after))
    return tuple(parts)


# -- small things ----------------------------------------------------------------


def _squeeze(text: str) -> str:
    return re.sub(r"[\s\W]+", "", text)


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()

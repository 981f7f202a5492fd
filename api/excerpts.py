"""Text with its highlights: whole, in part, or cut to fit a list. Everything is escaped."""

import unicodedata
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

WIDTH = 200
"""Code points of a passage shown in a list."""

Spans = Sequence[tuple[int, int]]


def merge(spans: Iterable[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """Spans in order, without overlap, inside 0 to `end`.

    >>> merge([(4, 6), (0, 2), (1, 3), (9, 99)], 10)
    [(0, 3), (4, 6), (9, 10)]
    """
    merged: list[tuple[int, int]] = []
    for start, stop in sorted((max(s, 0), min(e, end)) for s, e in spans):
        if stop <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def mark(text: str, spans: Spans, start: int = 0, end: int | None = None) -> Markup:
    """`text[start:end]` escaped, with `<mark>` around the merged spans that fall into it.

    >>> str(mark("a<b>c", [(1, 2)], 0, 3))
    'a<mark>&lt;</mark>b'
    """
    end = len(text) if end is None else end
    pieces, at = [], start
    for left, right in spans:
        left, right = max(left, start), min(right, end)
        if left >= right:
            continue
        pieces += [escape(text[at:left]), Markup("<mark>%s</mark>") % text[left:right]]
        at = right
    return Markup("").join([*pieces, escape(text[at:end])])


def excerpt(text: str, highlights: Iterable[tuple[int, int]], width: int = WIDTH) -> Markup:
    """A passage for a list: whole, or about `width` code points around its first highlight.

    Cuts fall behind punctuation where there is some near by, never inside a
    highlight, a run of Latin letters and digits, or before a combining mark.
    """
    spans = merge(highlights, len(text))
    if len(text) <= width * 5 // 4:
        return mark(text, spans)
    first = spans[0][0] if spans else 0
    start = 0 if first <= width // 3 else _cut(text, spans, first - width // 4, range(-20, 20))
    end = min(start + width, len(text))
    end = len(text) if len(text) - end < 12 else _cut(text, spans, end, range(-30, 10))
    while start < first and text[start].isspace():
        start += 1
    body = mark(text, spans, start, end)
    return Markup("%s%s%s") % ("…" if start else "", body, "…" if end < len(text) else "")


def _cut(text: str, spans: Spans, wanted: int, around: range) -> int:
    near = [wanted + step for step in around if 0 < wanted + step < len(text)]
    fit = [at for at in near if text[at - 1] in "。；！？\n，、：" and _whole(text, spans, at)]
    if fit:
        return min(fit, key=lambda at: abs(at - wanted))
    while wanted < len(text) and not _whole(text, spans, wanted):
        wanted += 1
    return wanted


def _whole(text: str, spans: Spans, at: int) -> bool:
    left, right = text[at - 1], text[at]
    if left.isascii() and left.isalnum() and right.isascii() and right.isalnum():
        return False
    if unicodedata.category(right).startswith("M") or right == "\u200d":
        return False
    return not any(start < at < end for start, end in spans)

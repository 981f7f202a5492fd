"""Where a hit's text answers the query: code-point spans of the original."""

from collections.abc import Collection, Set

from search.analysis import fold, located_terms


def highlight(text: str, terms: Collection[str]) -> tuple[tuple[int, int], ...]:
    """Spans of `text` that the query's terms cover, in order, none touching the next.

    A single character marks only where it stands next to another match or the
    query has nothing longer; otherwise every 的 would be marked. Both sides are
    folded, so a match in another script, width or number form is marked where
    it stands in the original.

    >>> highlight("满三十日的，滞纳金", ["30", "30日", "日"])
    ((1, 4),)
    """
    wanted = terms if isinstance(terms, Set) else frozenset(terms)
    folded = fold(text)
    weak: list[tuple[int, int]] = []
    strong: list[tuple[int, int]] = []
    for term, start, end in located_terms(folded.text):
        if term in wanted:
            (strong if len(term) > 1 or term.isascii() else weak).append((start, end))
    merged: list[tuple[int, int]] = []
    for a, b in sorted(strong or weak):
        start, end = folded.span(a, b)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def found_terms(text: str, terms: Collection[str]) -> tuple[str, ...]:
    """Those of the terms that the text has, in the order of the terms."""
    here = {term for term, _, _ in located_terms(fold(text).text)}
    return tuple(t for t in terms if t in here)

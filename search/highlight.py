"""Where a hit's text answers the query: code-point spans of the original."""

from collections.abc import Collection, Iterable, Set

from search.analysis import fold, located_terms

_JOINING = frozenset("的了是在和与及或之其有为以于由对将被把也都就")


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
    for start, end in sorted(strong or weak):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    telling = [(a, b) for a, b in merged if not _says_little(folded.text[a:b])] or merged
    return _joined(folded.span(a, b) for a, b in telling)


def _says_little(words: str) -> bool:
    """A pair of characters of which one only joins words, such as 员的."""
    return len(words) == 2 and not words.isascii() and not _JOINING.isdisjoint(words)


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def found_terms(text: str, terms: Collection[str]) -> tuple[str, ...]:
    """Those of the terms that the text has, in the order of the terms."""
    here = {term for term, _, _ in located_terms(fold(text).text)}
    return tuple(t for t in terms if t in here)

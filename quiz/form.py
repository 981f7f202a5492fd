"""Text as questions and clauses are compared: letters, digits and ideographs alone, every amount in one form."""

import re
from dataclasses import dataclass

from kb.numerals import NUMERALS, numeral_value
from search.analysis import fold

_AMOUNT = re.compile(
    rf"百分之(?P<share>[{NUMERALS}]+|[0-9.]+)"
    rf"|(?P<low>[{NUMERALS}]+)(?=(?:至|到|[-~—–]+)[0-9])"
    r"|(?<=[0-9])(?P<days>天)"
    r"|(?<=[0-9])(?P<to>到|[-~—–]+)(?=[0-9])"
    rf"|(?<=[{NUMERALS}])(?P<late>到|[-~—–]+)(?=[0-9])"
)


@dataclass(frozen=True, slots=True)
class Form:
    """A text in this form; `spans[i]` is what `text[i]` stands for in the original."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[start:end]` stands for; not for an empty one."""
        return self.spans[start][0], max(e for _, e in self.spans[start:end])


def form(text: str) -> Form:
    """Bring a text to this form.

    >>> form("一般 三至五人，30天内").text, form("一般3～5人，三十日内").text
    ('一般3至5人30日内', '一般3至5人30日内')
    >>> form("满三十日").span(1, 4)
    (1, 4)
    """
    folded = fold(text)
    found: list[tuple[str, tuple[int, int]]] = []
    at = 0
    for m in _AMOUNT.finditer(folded.text):
        found += [(c, folded.span(i, i + 1)) for i, c in enumerate(folded.text[at : m.start()], at)]
        found += [(c, folded.span(*m.span())) for c in _written(m)]
        at = m.end()
    found += [(c, folded.span(i, i + 1)) for i, c in enumerate(folded.text[at:], at)]
    kept = [(c, span) for n, (c, span) in enumerate(found) if c.isalnum() or c == "%" or _parts(found, n)]
    return Form("".join(c for c, _ in kept), tuple(span for _, span in kept))


def pairs(text: str) -> frozenset[str]:
    """The pairs of neighbours in a text."""
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def _written(m: re.Match[str]) -> str:
    if m["days"]:
        return "日"
    if m["to"] or m["late"]:
        return "至"
    value = numeral_value(m["share"] or m["low"])
    if m["share"]:
        return f"{m['share'] if value is None else value}%"
    return m["low"] if value is None else str(value)


def _parts(found: list[tuple[str, tuple[int, int]]], n: int) -> bool:
    """Whether a sign stands between two digits, which are two numbers then, or the parts of one."""
    return 0 < n < len(found) - 1 and found[n - 1][0].isdigit() and found[n + 1][0].isdigit()

"""Pairs that the structure of a law gives: heading with article, sentence with the rest, half with whole."""

import random
import re
from collections.abc import Iterator

from training.laws import Article
from training.pairs import Pair

_SENTENCE_END = re.compile(r"(?<=[。；;！？])|\n")
_CLAUSE_END = re.compile(r"(?<=[，,：:])")
MIN_CHARS = 8


def sentences(text: str) -> list[str]:
    """Sentences of a text, each with its mark.

    >>> sentences("甲应当登记。乙不得转让；\\n丙")
    ['甲应当登记。', '乙不得转让；', '丙']
    """
    return [s.strip() for s in _SENTENCE_END.split(text) if s and s.strip()]


def headings(articles: list[Article]) -> Iterator[Pair]:
    """Name of the law and the headings above an article -> the article without them."""
    for a in articles:
        if a.heading and len(a.text) >= MIN_CHARS:
            yield Pair("heading", f"{a.law} {a.heading}", a.text)


def rests(articles: list[Article], draw: random.Random) -> Iterator[Pair]:
    """One sentence of an article -> the article without that sentence."""
    for a in articles:
        parts = sentences(a.text)
        long = [i for i, s in enumerate(parts) if len(s) >= MIN_CHARS]
        if len(parts) < 2 or not long:
            continue
        i = draw.choice(long)
        rest = "".join(parts[:i] + parts[i + 1 :])
        if len(rest) >= MIN_CHARS:
            yield Pair("rest", parts[i], f"{a.title}\n{rest}")


def halves(articles: list[Article], draw: random.Random) -> Iterator[Pair]:
    """One half of a short article -> the whole; what both have is dropped again in training."""
    for a in articles:
        parts = _CLAUSE_END.split(a.text)
        if len(parts) < 2 or len(a.text) > 150:
            continue
        cut = len(parts) // 2
        half = "".join(parts[:cut] if draw.random() < 0.5 else parts[cut:])
        if len(half) >= MIN_CHARS:
            yield Pair("half", half, f"{a.title}\n{a.text}")

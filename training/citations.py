"""Pairs that citations give: the citing sentence without the citation -> the article it cites."""

import re
from collections.abc import Iterator, Mapping

from kb.numerals import numeral_value
from training.laws import NUMERAL, Article, law_key
from training.pairs import Pair
from training.structure import sentences

_NUMBERED = re.compile(
    rf"第(?P<a>[{NUMERAL}]+)条(?P<sub>之[一二三四五六七八九十])?"
    rf"(?:第[{NUMERAL}]+款)?(?:第?[（(]?[{NUMERAL}]+[)）]?项)?"
    rf"(?:(?P<to>[至到])第(?P<b>[{NUMERAL}]+)条)?"
)
_OWN = re.compile(r"本(?:法典|法|条例|规定|办法|规则|解释|细则|章程|决定|意见)$")
_THAT = re.compile(r"该(?:法|条例|规定|办法|规则|解释)$")
_QUOTED = re.compile(r"《([^《》]+)》$")
_JOINED = re.compile(r"^(?:[、，,和及与或]|以及|或者)$")
_AMENDS = re.compile(r"修改为|增加一|删去|修正案|改为")
_LONGEST_NAME = 40
_MOST_IN_RANGE = 6
_MIN_CHARS = 12

Register = Mapping[str, Mapping[str, Article]]
"""Articles by law key and by number with 之, as `register` makes it."""


def register(articles: list[Article]) -> dict[str, dict[str, Article]]:
    """Every numbered article by the key of its law and its own number."""
    known: dict[str, dict[str, Article]] = {}
    for a in articles:
        if a.number:
            known.setdefault(law_key(a.law), {}).setdefault(f"{a.number}{a.label.partition('条')[2]}", a)
    return known


def cited(sentence: str, own: str, known: Register) -> tuple[str, list[Article]]:
    """The sentence without its citations, and the articles they name.

    `own` is the key of the law the sentence stands in. 本法 means that one, 该法
    the one named before; a bare name is the longest suffix that is a known law.
    """
    found: list[Article] = []
    kept, at, law = [], 0, ""
    for m in _NUMBERED.finditer(sentence):
        before = sentence[at : m.start()]
        start = m.start()
        if found and _JOINED.match(before.strip()):
            start = at
        elif own_name := _OWN.search(before):
            law, start = own, at + own_name.start()
        elif quoted := _QUOTED.search(before):
            law, start = law_key(quoted[1]), at + quoted.start()
        elif that := _THAT.search(before):
            start = at + that.start()
        else:
            size = next(
                (n for n in range(min(len(before), _LONGEST_NAME), 1, -1) if law_key(before[-n:]) in known), 0
            )
            law, start = (law_key(before[-size:]), m.start() - size) if size else ("", m.start())
        kept.append(sentence[at:start])
        at = m.end()
        first, last = numeral_value(m["a"]) or 0, numeral_value(m["b"] or m["a"]) or 0
        for number in range(first, min(last, first + _MOST_IN_RANGE - 1) + 1):
            article = known.get(law, {}).get(f"{number}{m['sub'] or ''}")
            if article:
                found.append(article)
    kept.append(sentence[at:])
    return "".join(kept), found


def citations(articles: list[Article]) -> Iterator[Pair]:
    """One pair for each article that a sentence cites."""
    known = register(articles)
    for a in articles:
        if _AMENDS.search(a.law):
            continue
        own = law_key(a.law)
        for sentence in sentences(a.text):
            if "条" not in sentence or _AMENDS.search(sentence):
                continue
            rest, targets = cited(sentence, own, known)
            if len(rest) < _MIN_CHARS:
                continue
            for target in targets:
                if target is not a:
                    yield Pair("citation", rest, f"{target.title}\n{target.text}")

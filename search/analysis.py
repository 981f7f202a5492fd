"""Text to tokens, the same for every engine, every encoder and every highlight.

Three views of one text:

- `fold` brings script, width, case and numbers to one form and remembers where
  each character came from, so that spans lead back to the original;
- `terms` gives the keyword leg single characters, pairs of neighbours and
  document numbers (文号) as one token, so that nothing is ever unfindable for
  want of a dictionary;
- `words` gives the encoder dictionary words and single characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import add
from pathlib import Path
from typing import Any

from kb.numerals import NUMERALS, numeral_value

VERSION = 1
"""Grows with every change that gives other tokens for the same text."""

DICTIONARY = Path(__file__).with_name("dictionary.txt")

_UNIT = (
    "条款项目章节编号年月日天周岁人名元倍次届期分秒米吨户件份页家间台辆%％"
    "|个月|个工作日|工作日|小时|万元|亿元|公里|平方米|公斤|周岁|星期|学时|分钟|个"
)
_NUMBER = re.compile(
    rf"第(?P<a>[{NUMERALS}]+)"
    rf"|(?P<b>[{NUMERALS}]+)(?=[{_UNIT.split('|')[0]}]|{'|'.join(_UNIT.split('|')[1:])})"
    rf"|(?P<c>\d+)(?P<scale>[万亿千百])(?=元|人|户|吨|平方米|公里|美元)"
)
_SCALE = {"百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_RUN = re.compile(r"(?:[0-9]+(?:\.[0-9]+)*|[^\W_])+")
_LATIN = re.compile(r"[0-9a-z]")
_PIECE = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*|[^\W\d_a-z]")
_NUMBER_TAIL = re.compile(r"[\[({]?(?P<year>(?:19|20)[0-9]{2})[\])}]?年?\s?第?(?P<n>[0-9]{1,5})号")
_NUMBER_MARK = re.compile(r"([\u4e00-\u9fff]{1,12})\s?$")
_QUESTION_WORDS = (
    "怎么办|怎么样|怎样|怎么|如何|是否|是不是|能不能|可不可以|可以吗|有没有|什么样|什么|为什么|为何|哪些|哪个|哪里|"
    "多久|多少|几天|请问|我想问|我想知道|想问一下|一下|吗|呢|吧|啊|呀|么"
)
_QUESTION = re.compile(_QUESTION_WORDS)


@dataclass(frozen=True, slots=True)
class Folded:
    """Text in matching form. `origin[i]` is where `text[i]` began; one more entry closes it."""

    text: str
    origin: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[start:end]` stands for."""
        if end <= start:
            return self.origin[start], self.origin[start]
        last = end
        while last < len(self.origin) - 1 and self.origin[last] == self.origin[end - 1]:
            last += 1
        return self.origin[start], self.origin[last]


@lru_cache(maxsize=1)
def _character_table() -> dict[int, str]:
    """Code point -> matching form, for every character that has another one in itself."""
    import opencc

    points = [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFB00)]
    plain = [unicodedata.normalize("NFKC", chr(p)) for p in points]
    simple = opencc.OpenCC("t2s").convert("\n".join(plain)).split("\n")
    table = {p: s for p, s in zip(points, simple, strict=True) if s != chr(p)}
    for p in [*range(0xA0, 0x3400), *range(0xFE30, 0xFFF0)]:
        form = unicodedata.normalize("NFKC", chr(p)).lower()
        if form != chr(p):
            table[p] = form.strip() or " "
    for p, form in {
        "〔": "[",
        "〕": "]",
        "【": "[",
        "】": "]",
        "［": "[",
        "］": "]",
        "﹝": "[",
        "﹞": "]",
    }.items():
        table[ord(p)] = form
    for p in range(ord("A"), ord("Z") + 1):
        table[p] = chr(p).lower()
    return table


def fold(text: str) -> Folded:
    """Bring text to the form in which it is matched.

    NFKC, lower case, simplified script (for matching only), one form of
    brackets, and numerals as Arabic digits where a unit or 第 shows them to be
    numbers.

    >>> fold("國發〔２０２３〕５號").text, fold("第五十四條").text, fold("一般三十日內").text
    ('国发[2023]5号', '第54条', '一般30日内')
    >>> f = fold("满三十日"); f.span(1, 3)
    (1, 3)
    """
    table = _character_table()
    form = text.translate(table)
    if len(form) == len(text):
        origin: Sequence[int] = range(len(text) + 1)
    else:
        places: list[int] = []
        for i, c in enumerate(text):
            places.extend([i] * len(table.get(ord(c), c)))
        places.append(len(text))
        origin = places
    out: list[str] = []
    spans: list[int] = []
    at = 0
    for m in _NUMBER.finditer(form):
        written = _number_form(m)
        if written is None:
            continue
        start, end, digits = written
        out.append(form[at:start])
        spans.extend(origin[at:start])
        out.append(digits)
        # A digit string of another length leads back to the whole numeral.
        width = end - start
        spans.extend(origin[start + i] if len(digits) == width else origin[start] for i in range(len(digits)))
        at = end
    if not out:
        return Folded(form, origin)
    out.append(form[at:])
    spans.extend(origin[at:])
    return Folded("".join(out), spans)


@lru_cache(maxsize=1 << 14)
def _value_words(numeral: str) -> str | None:
    value = numeral_value(numeral)
    return None if value is None else str(value)


def _number_form(m: re.Match[str]) -> tuple[int, int, str] | None:
    """Span of a numeral and its digits, None where it is no number after all."""
    if m["c"]:
        return m.start(), m.end(), str(int(m["c"]) * _SCALE[m["scale"]])
    group = "a" if m["a"] else "b"
    digits = _value_words(m[group])
    return None if digits is None else (m.start(group), m.end(group), digits)


def document_numbers(folded: str) -> list[tuple[int, int, str]]:
    """(start, end, canonical form) of every 文号 in folded text.

    The characters before the bracket are all taken as the issuer's mark, since
    nothing in the text says where it begins; `folded_terms` adds each suffix.

    >>> document_numbers(fold("国发〔2023〕第5号").text), document_numbers("依据国发2023年5号文")
    ([(0, 11, '国发[2023]5号')], [(0, 11, '依据国发[2023]5号')])
    """
    found = []
    for m in _NUMBER_TAIL.finditer(folded) if "号" in folded else ():
        if mark := _NUMBER_MARK.search(folded, max(0, m.start() - 13), m.start()):
            found.append((mark.start(), m.end(), f"{mark[1]}[{m['year']}]{int(m['n'])}号"))
    return found


def _touching_pieces(folded: str) -> Iterator[list[str]]:
    """The pieces of each run of letters, digits and ideographs."""
    for run in _RUN.findall(folded):
        yield _PIECE.findall(run) if _LATIN.search(run) else list(run)


def located_terms(folded: str) -> list[tuple[str, int, int]]:
    """Keyword tokens of folded text with their spans (token, start, end), in order of their ends.

    Single characters, and pairs of pieces that touch; a run of digits or of
    Latin letters is one piece.

    >>> [t for t, _, _ in located_terms("第54条a级")]
    ['第', '第54', '54', '54条', '条', '条a', 'a', 'a级', '级']
    """
    found: list[tuple[str, int, int]] = []
    before, begin, touch = "", 0, -1
    for m in _PIECE.finditer(folded):
        piece = m[0]
        start, end = m.span()
        if start == touch:
            found.append((before + piece, begin, end))
        found.append((piece, start, end))
        before, begin, touch = piece, start, end
    return found


def terms(text: str) -> list[str]:
    """Keyword tokens of a text to be indexed, repeats kept."""
    return folded_terms(fold(text).text)


def folded_terms(folded: str) -> list[str]:
    """`terms` of text that is folded already.

    A 文号 gives, besides its characters, one token for each beginning that its
    issuer's mark may have.

    >>> [t for t in folded_terms("据国发[2023]5号") if "[" in t]
    ['据国发[2023]5号', '国发[2023]5号', '发[2023]5号']
    """
    found: list[str] = []
    for pieces in _touching_pieces(folded):
        found += pieces
        found += map(add, pieces, pieces[1:])
    for _, _, number in document_numbers(folded):
        found.extend(number[i:] for i in range(number.index("[")))
    return found


def query_terms(text: str) -> list[str]:
    """Keyword tokens of a query, each once: question words dropped unless nothing else is left.

    >>> query_terms("预备期是多久？")
    ['预', '备', '期', '是', '预备', '备期', '期是']
    """
    folded = fold(text).text
    content = _QUESTION.sub(" ", folded)
    found = list(dict.fromkeys(folded_terms(content) or folded_terms(folded)))
    whole = {number for _, _, number in document_numbers(content)}
    return [t for t in found if "[" not in t or t in whole]


@lru_cache(maxsize=1)
def _cutter() -> Any:
    import rjieba

    cutter = rjieba.Jieba()
    for word in dictionary_words():
        cutter.add_word(word, 20000, "n")
    return cutter


def dictionary_words() -> list[str]:
    """The domain dictionary, one word a line, folded."""
    return [w for w in DICTIONARY.read_text(encoding="utf-8").split() if w]


def words(text: str) -> list[str]:
    """Dictionary words of folded text in search mode (long words and the words in them), for encoders.

    Single characters of the text come too, after the words, so that a word
    missing from the dictionary still counts. Spaces and punctuation are left out.
    """
    return folded_words(fold(text).text)


def folded_words(folded: str) -> list[str]:
    """`words` of text that is folded already."""
    cut = [w for w in _cutter().cut_for_search(folded) if len(w) > 1 and _PIECE.search(w)]
    return cut + [piece for pieces in _touching_pieces(folded) for piece in pieces]


def digest() -> str:
    """Identity of the analysis: 16 hex digits over version and dictionary.

    An index or encoder made under another digest does not match.
    """
    return sha256(f"{VERSION}\n".encode() + DICTIONARY.read_bytes()).hexdigest()[:16]

"""The places of a statement that can be asked about, best first.

Every run of words that reads as one thing is a candidate. A linear model, trained on where
people who set real exams put the gap (`training/places.py`), gives each a probability. From
these, places are chosen one after another so that each covers as much as can be had of what
the ones before it do not.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import rjieba

from quiz.model import Slot
from quiz.quantities import Amount, amounts, dates

MODEL = Path(__file__).with_name("places.json")
LONGEST = 26
LONGEST_LIST = 46
MOST = 10
MODALITIES = ("应当", "不得", "可以", "必须", "有权", "禁止", "严禁", "无权")
_STOPS = frozenset("，。；：！？,;:（）()《》〈〉“”\"'　 \n\t…")
_BODY = re.compile(
    r"(?:人民政府|主管部门|管理部门|行政部门|监督部门|部门|机关|委员会|常务委员会|人民法院|法院|检察院|国务院|机构|协会|工会|代表大会|党委|党组|支部|总支部|小组|办公室|中心|单位|企业|公司|领导小组|联络员|负责人|厅|局)$"
)
_NEVER = re.compile(
    r"第[〇零一二三四五六七八九十百千0-9]+[条款项章节编]|[0-9]{5,}|^本(?:法|条例|办法|规定)$|^(?:规定|情形|有关规定|国家有关规定)$"
)
"""What nobody asks: numbers of articles, of telephones, and words that say nothing."""
_LOCALIZERS = frozenset(
    [
        "以上",
        "以下",
        "以内",
        "内",
        "以外",
        "外",
        "之内",
        "之外",
        "之间",
        "中",
        "前",
        "后",
        "以前",
        "以后",
        "之前",
        "之后",
        "时",
        "期间",
        "起",
        "之日起",
        "上",
        "下",
        "之日",
    ]
)
_PREPOSITIONS = frozenset(
    [
        "与",
        "和",
        "对",
        "向",
        "由",
        "自",
        "于",
        "在",
        "以",
        "为",
        "被",
        "将",
        "把",
        "同",
        "从",
        "按照",
        "依照",
        "根据",
    ]
)
_LINKS = frozenset(("和", "与", "或", "或者", "以及", "及"))
_BOUND = 0.5
_BOUND_LEAST = 3
"""Two words are one term where a document has them together so often, and in that share of the rarer one."""
_FUNCTION = frozenset(
    [
        "的",
        "和",
        "与",
        "或",
        "或者",
        "及",
        "以及",
        "并",
        "并且",
        "而",
        "而且",
        "且",
        "但",
        "但是",
        "因",
        "因为",
        "为",
        "为了",
        "在",
        "于",
        "由",
        "对",
        "对于",
        "向",
        "从",
        "自",
        "按照",
        "依照",
        "根据",
        "依据",
        "以",
        "将",
        "把",
        "被",
        "使",
        "让",
        "给",
        "所",
        "之",
        "其",
        "其他",
        "等",
        "了",
        "着",
        "过",
        "是",
        "也",
        "还",
        "又",
        "即",
        "则",
        "就",
        "均",
        "都",
        "、",
        "时",
        "时候",
        "经",
        "除",
        "至",
        "到",
        "同",
        "跟",
    ]
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a statement with its part of speech; the span is within the statement's text."""

    text: str
    tag: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """A span within the statement's text, what kind of thing it is, and how likely an examiner asks there."""

    start: int
    end: int
    slot: Slot
    score: float

    def moved(self, by: int) -> "Place":
        """The same place in a text with so much more in front."""
        return Place(self.start + by, self.end + by, self.slot, self.score)

    def share(self, other: "Place") -> float:
        """Overlap as a share of the longer of the two."""
        return overlap(self.start, self.end, other.start, other.end)


def overlap(a: int, b: int, c: int, d: int) -> float:
    """Characters that a:b and c:d share, as a share of the longer span.

    >>> overlap(0, 4, 2, 6), overlap(0, 2, 5, 6)
    (0.5, 0.0)
    """
    return max(0, min(b, d) - max(a, c)) / max(b - a, d - c, 1)


def words(text: str) -> list[Word]:
    """The words of a text; they tile it. Amounts and dates are one word each."""
    fixed = sorted([*(end for a in amounts(text) for end in _ends(a)), *dates(text)])
    found: list[Word] = []
    at = 0
    for start, end in [*fixed, (len(text), len(text))]:
        if start < at:
            continue
        for word, tag in _tagger().tag(text[at:start]):
            found.append(Word(word, tag, at, at + len(word)))
            at += len(word)
        if end > start:
            found.append(Word(text[start:end], "m", start, end))
            at = end
    return found


def _ends(amount: Amount) -> list[tuple[int, int]]:
    """A range as its two ends where both have a unit of their own (五年以上十年以下), else the amount as one."""
    ends = [
        (amount.start + m.start(), amount.start + m.end())
        for m in re.finditer(r"[^以上下]+(?=以[上下])", amount.text)
    ]
    return ends if amount.is_range and len(ends) == 2 else [(amount.start, amount.end)]


@cache
def _tagger() -> rjieba.Jieba:
    """Words with their parts of speech; what the dictionary cuts wrongly in rules is put right."""
    tagger = rjieba.Jieba()
    for word, tag in (("及其", "c"), ("其他", "r"), ("下列", "b"), ("以上", "f"), ("以下", "f")):
        tagger.add_word(word, 10**6, tag)
    return tagger


def places(
    text: str, around: str = "", *, most: int = MOST, weights: Mapping[str, float] | None = None
) -> list[Place]:
    """The places worth asking about, best first, none of them covering most of another's.

    `around` is the whole document: what it says all the time is seldom asked.

    >>> [text[p.start:p.end] for text in ["申请人应当在三十日内提交书面报告。"] for p in places(text, most=1)]
    ['三十日']
    """
    said = words(text)
    spans = list(candidates(said, around))
    if not spans:
        return []
    seen = kinds(text)
    weights = model() if weights is None else weights
    scored = [(sum(weights.get(f, 0.0) for f in features(said, i, j, seen, around)), i, j) for i, j in spans]
    top = max(s for s, _, _ in scored)
    mass = [math.exp(s - top) for s, _, _ in scored]
    total = sum(mass)
    return _cover(
        [(m / total, said[i].start, said[j].end) for m, (_, i, j) in zip(mass, scored, strict=True)],
        seen,
        most,
    )


def candidates(said: Sequence[Word], around: str = "") -> Iterator[tuple[int, int]]:
    """First and last word of every run that reads as one thing and may be asked about.

    `around` is the document: a run neither begins nor ends inside a term of it.
    """
    free = [
        k in (0, len(said)) or _is_edge(said[k - 1], said[k]) or not _is_term(around, said[k - 1], said[k])
        for k in range(len(said) + 1)
    ]
    for i, first in enumerate(said):
        if first.text == "“" and (j := _closing_quote(said, i)):
            yield i + 1, j
        if (
            not free[i]
            or first.text in _FUNCTION
            or first.text in _STOPS
            or first.text in _LOCALIZERS
            or first.text in _LINKS
            or first.text.isspace()
        ):
            continue
        opens = _opens(said, i)
        longest = LONGEST
        for j in range(i, len(said)):
            last = said[j]
            if last.text == "、":
                longest = LONGEST_LIST
            if last.text in _STOPS or last.end - first.start > longest:
                break
            if not free[j + 1]:
                continue
            alone = i == j and len(first.text) > 1 and first.text != "称"
            if (
                alone or (opens and _closes(said, j) and _is_one(said, i, j)) or _is_row(said, i, j)
            ) and not _NEVER.search("".join(w.text for w in said[i : j + 1])):
                yield i, j


def _is_row(said: Sequence[Word], i: int, j: int) -> bool:
    """Whether it is a whole list of single words: 占用、堵塞、封闭."""
    inside = said[i : j + 1]
    return (
        len(inside) >= 3
        and all((w.text == "、") == (k % 2 == 1) for k, w in enumerate(inside))
        and (i == 0 or said[i - 1].text != "、")
        and (j + 1 == len(said) or (said[j + 1].text not in ("、", "等") and said[j + 1].text not in _LINKS))
    )


def _is_edge(before: Word, after: Word) -> bool:
    """Whether one thing ends and another begins between the two, whatever the document says of them."""
    marks = (_STOPS, _FUNCTION, _LINKS, MODALITIES)
    return (
        any(w.text in mark for w in (before, after) for mark in marks)
        or _is_amount(before)
        or _is_amount(after)
        or before.text in _LOCALIZERS
    )


def _is_term(around: str, before: Word, after: Word) -> bool:
    """Whether the document has the two words together nearly whenever it has one of them: 劳务派遣, 客运索道."""
    if not around or min(len(before.text), len(after.text)) < 2:
        return False
    both = _often(around, before.text + after.text)
    return both >= _BOUND_LEAST and both >= _BOUND * min(
        _often(around, before.text), _often(around, after.text)
    )


@lru_cache(maxsize=1 << 14)
def _often(around: str, text: str) -> int:
    """How often the document has the text."""
    return around.count(text)


def _closing_quote(said: Sequence[Word], i: int) -> int | None:
    """The last word of what is quoted from i on, if it has a stop inside: without, it is a run as others are."""
    for j in range(i + 1, len(said)):
        if said[j].text == "”":
            inside = [w.text for w in said[i + 1 : j]]
            return (
                j - 1
                if any(t in _STOPS for t in inside) and said[j].start - said[i].end <= 2 * LONGEST
                else None
            )
    return None


def _opens(said: Sequence[Word], i: int) -> bool:
    """Whether something can begin with the word: it is not the middle of a compound or a phrase."""
    first = said[i]
    if i == 0:
        return True
    before = said[i - 1]
    if before.text in _STOPS or before.text in _FUNCTION or before.text in MODALITIES or _is_amount(first):
        return True
    if _is_amount(before) or before.text in _LOCALIZERS:
        return True
    if before.tag[0] == "v" and before.tag != "vn":
        return True
    if before.tag[0] in "dp" or before.tag == "r":
        return before.tag[0] != "d" or first.tag[0] not in "v" or before.text in MODALITIES
    return first.tag == "v" and before.tag[0] in "nv"


def _closes(said: Sequence[Word], j: int) -> bool:
    """Whether something can end with the word."""
    last = said[j]
    if (
        last.text in _FUNCTION
        or last.tag[0] in "pd"
        or (last.text in MODALITIES and j and said[j - 1].text not in _STOPS)
    ):
        return last.text in MODALITIES
    if j + 1 == len(said):
        return True
    after = said[j + 1]
    if after.text in _STOPS or after.text in _FUNCTION or after.text in MODALITIES or _is_amount(last):
        return True
    if after.text in _LOCALIZERS:
        return False
    if after.text in ("会同", "级"):
        return True
    if last.text in _LOCALIZERS or after.tag[0] in "pd":
        return True
    return after.tag == "v" and last.tag[0] in "nvr" and last.tag != "v"


def _is_one(said: Sequence[Word], i: int, j: int) -> bool:
    """Whether the words between belong to each other: amounts stand alone, brackets are whole, lists are whole."""
    inside = said[i : j + 1]
    if i == j:
        return len(inside[0].text) > 1 or inside[0].tag == "m"
    numbers = [w for w in inside if _is_amount(w)]
    if len(numbers) == 2 and j - i <= 3 and inside[-1].text == "以下":
        return True
    if numbers and not (
        len(numbers) == 1 and j - i <= 2 and all(_is_amount(w) or w.text in _LOCALIZERS for w in inside)
    ):
        return _is_whole(said, i, j) and len(numbers) == 1
    if any(w.text in MODALITIES for w in inside) or _cuts(said, i, j):
        return False
    if any(w.text == "、" for w in inside):
        before = said[i - 1].text if i else "^"
        after = said[j + 1].text if j + 1 < len(said) else "$"
        return before != "、" and after != "、" and after not in _LINKS
    return True


def _cuts(said: Sequence[Word], i: int, j: int) -> bool:
    """Whether the run takes words from two phrases: an object and the verb after it, a verb without its end."""
    inside = said[i : j + 1]
    after, beyond = (said[n].text if n < len(said) else "$" for n in (j + 1, j + 2))
    open_verb = any(
        w.tag == "v" and not any(x.text == "的" for x in inside[k + 1 :]) for k, w in enumerate(inside)
    )
    listed = any(w.text == "、" or w.text in _LINKS for w in inside)
    if after == "的" and not listed and any(w.tag[0] == "v" for w in inside[1:-1]):
        return True
    if after == "的" and not listed and open_verb and beyond not in _STOPS and beyond != "$":
        return True
    whole = inside[0].tag == "v" and (after in _STOPS or after in ("$", "的"))
    leads = (w.tag == "p" or w.text in _PREPOSITIONS for w in inside)
    if not whole and any(led and not _links(inside, k) for k, led in enumerate(leads) if k):
        return True
    before = said[i - 1] if i else None
    inner_verb = any(w.tag == "v" for w in inside[1:])
    if inside[0].tag != "v" and inner_verb and not listed:
        # 婚姻自由受法律|保护 and 的|机动车上道路行驶: a whole clause is asked about, or its parts, nothing between.
        next_verb = j + 1 < len(said) and said[j + 1].tag in ("v", "vn")
        if open_verb and (next_verb or (before is not None and before.text == "的")):
            return True
    if before is not None and before.text == "被":
        return True
    led = before is not None and (
        before.tag == "p"
        or before.text in _PREPOSITIONS
        or (before.tag == "v" and before.text not in MODALITIES)
    )
    return led and inside[0].tag != "v" and open_verb


def _links(inside: Sequence[Word], k: int) -> bool:
    """Whether the word joins two of a kind: 单位和个人."""
    if inside[k].text not in _LINKS or not 0 < k < len(inside) - 1:
        return False
    return inside[k].tag == "c" or inside[k - 1].tag[0] == inside[k + 1].tag[0]


def _is_whole(said: Sequence[Word], i: int, j: int) -> bool:
    return (i == 0 or said[i - 1].text in _STOPS or said[i - 1].text in MODALITIES) and (
        j + 1 == len(said) or said[j + 1].text in _STOPS
    )


def _is_amount(word: Word) -> bool:
    return word.tag == "m" and len(word.text) > 1


def _cover(found: list[tuple[float, int, int]], kinds: dict[tuple[int, int], Slot], most: int) -> list[Place]:
    """Choose places so that together they cover as much of the probability as can be."""
    found = sorted(found, key=lambda f: (-f[0], f[1], f[2]))[:150]
    left = dict.fromkeys(range(len(found)), 1.0)
    near = [
        [k for k, (_, c, d) in enumerate(found) if c < b and a < d and overlap(a, b, c, d) >= 0.5]
        for _, a, b in found
    ]
    chosen: list[Place] = []
    while left and len(chosen) < most:
        gains = {n: sum(found[k][0] for k in near[n] if k in left) + found[n][0] * 1e-3 for n in left}
        best = max(gains, key=lambda n: (gains[n], -n))
        if gains[best] <= 0:
            break
        _, start, end = found[best]
        chosen.append(Place(start, end, kinds.get((start, end), Slot.OTHER), gains[best]))
        for k in near[best]:
            left.pop(k, None)
    return chosen


def kinds(text: str) -> dict[tuple[int, int], Slot]:
    """Spans whose kind shows in their form: amounts, dates, modalities."""
    found: dict[tuple[int, int], Slot] = {}
    for a in amounts(text):
        found[a.start, a.end] = Slot.RANGE if a.is_range else Slot.NUMBER
    for span in dates(text):
        found[span] = Slot.DATE
    for m in re.finditer("|".join(MODALITIES), text):
        found[m.span()] = Slot.MODALITY
    return found


@cache
def model() -> dict[str, float]:
    """Weight by feature; none where nothing was trained."""
    if not MODEL.exists():
        return {}
    loaded: dict[str, float] = json.loads(MODEL.read_text(encoding="utf-8"))["weights"]
    return loaded


def features(
    said: Sequence[Word], i: int, j: int, kinds: dict[tuple[int, int], Slot], around: str = ""
) -> list[str]:
    """What the model sees of the words i to j: their edges, length, kind, and place in the statement."""
    first, last = said[i], said[j]
    before = said[i - 1] if i else None
    after = said[j + 1] if j + 1 < len(said) else None
    b, a = (before.text if before else "^"), (after.text if after else "$")
    bt, at = (before.tag if before else "^"), (after.tag if after else "$")
    text = "".join(w.text for w in said[i : j + 1])
    n, n_words = len(text), j - i + 1
    kind = kinds.get((first.start, last.end))
    size = len(text) if n <= 8 else 9 + min((n - 9) // 4, 4)
    seg_i = max((k for k in range(i) if said[k].text in _STOPS), default=-1) + 1
    seg_j = min((k for k in range(j + 1, len(said)) if said[k].text in _STOPS), default=len(said)) - 1
    left, right = i == seg_i, j == seg_j
    commas = text.count("、")
    in_list = (
        "、" in (b, a)
        or b in ("和", "或者", "以及", "与", "或", "及")
        or a in ("和", "或者", "以及", "与", "或", "及", "等")
    )
    listed = any(w.text == "、" for w in said[seg_i : seg_j + 1])
    whole_list = commas > 0 and b != "、" and a not in ("、", "和", "或者", "以及", "等", "或", "及")
    position = first.start / max(1, said[-1].end)
    span_share = n / max(1, said[-1].end)
    found = [
        f"n={size}",
        f"w={min(n_words, 8)}",
        f"b={b}",
        f"a={a}",
        f"bt={bt}",
        f"at={at}",
        f"ft={first.tag}",
        f"lt={last.tag}",
        f"ft,lt={first.tag},{last.tag}",
        f"bt,ft={bt},{first.tag}",
        f"lt,at={last.tag},{at}",
        f"edges={int(left)}{int(right)}",
        f"edges,n={int(left)}{int(right)},{min(n // 3, 6)}",
        f"pos={int(position * 5)}",
        f"share={min(int(span_share * 8), 7)}",
        f"commas={min(commas, 3)}",
        f"in_list={int(in_list)}",
        f"whole_list={int(whole_list)}",
        f"in_list,n={int(in_list)},{min(n // 2, 6)}",
        f"listed={int(listed)},{int(in_list)},{min(commas, 1)}",
        f"first={first.text}",
        f"last={last.text}",
    ]
    if kind is not None:
        found += [f"kind={kind.value}", f"kind,b={kind.value},{b}", f"kind,a={kind.value},{a}"]
    elif any(s >= first.start and e <= last.end for s, e in kinds):
        found.append("holds_kind")
        if any(
            s >= first.start and e <= last.end and k in (Slot.NUMBER, Slot.RANGE, Slot.DATE)
            for (s, e), k in kinds.items()
        ):
            found.append(f"holds_number,{min(n_words, 4)}")
        if any(s >= first.start and e <= last.end and k is Slot.MODALITY for (s, e), k in kinds.items()):
            found.append("holds_modality")
    if any(k in (Slot.NUMBER, Slot.RANGE, Slot.DATE) for k in kinds.values()):
        found.append(f"number_here,{kind.value if kind else 0}")
    if _BODY.search(text):
        found += ["body", f"body,b={b}", f"body,a={a}", f"body,left={int(left)}"]
    if any(w.text in ("的",) for w in said[i : j + 1]):
        found.append(f"holds_de,{min(n_words, 6)}")
    if any(w.text in _FUNCTION and w.text not in ("、", "的") for w in said[i + 1 : j]):
        found.append("holds_function")
    if any(w.tag.startswith("v") for w in said[i : j + 1]):
        found.append("holds_verb")
    if b in MODALITIES:
        found.append(f"after_modality,{int(right)}")
    if before and before.text.endswith(("“", "《")) and after and after.text.startswith(("”", "》")):
        found.append("quoted")
    if a == "的" and right is False:
        found.append("before_de")
    if around and kind is None:
        often = _often(around, text)
        found += [
            f"often={min(often, 4) if often < 5 else 5 + min(often // 10, 4)}",
            f"often,w={min(often, 6)},{min(n_words, 4)}",
        ]
        found.append(f"in_title={int(text in around[:60])}")
    n_segments = 1 + sum(w.text in "，；：" for w in said)
    segment = sum(w.text in "，；：" for w in said[:i])
    found += [
        f"segment={min(segment, 4)},{min(n_segments, 5)}",
        f"last_segment={int(segment == n_segments - 1)}",
    ]
    beyond = said[j + 2].text if j + 2 < len(said) else "$"
    found += [f"a2={a},{beyond}", f"b2={said[i - 2].text if i > 1 else '^'},{b}"]
    if any(w.text in ("原则", "方针", "制度", "机制", "体制") for w in said[j + 1 : j + 4]):
        found.append(f"before_principle,{min(commas, 2)}")
    return found

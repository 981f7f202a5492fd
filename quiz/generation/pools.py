"""What a document offers as wrong answers: things of the same kind from sibling clauses, nearest first."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kb.model import Document
from kb.numerals import NUMERALS, chinese_numeral, numeral_value
from kb.ports import Vectors
from quiz.form import pairs
from quiz.generation.bodies import is_named, may_stand_beside
from quiz.generation.gates import plain, same_meaning
from quiz.generation.places import MODALITIES, Place, Word, places, words
from quiz.generation.statements import Listing, Statement, body_clauses, listings, statements
from quiz.model import Slot
from quiz.quantities import Amount, amount_of, amounts, date_shape, dates

_PLACES = 18
"""Places that are tried in a sentence; about half of them pass."""
MODALITY_OPTIONS = ("应当", "可以", "不得", "无须")
_VAGUE = (
    "有关",
    "其他",
    "相关",
    "本",
    "所在",
    "上级",
    "下级",
    "原",
    "各级",
    "同级",
    "主管部门",
    "职能部门",
    "该",
    "前款",
    "各",
)
"""With these begins what names no body for itself."""
_NO_BODY = re.compile(
    r"^(?:经(?!济|营|理)|报|会(?!计)|发|责|受|为)|[由向将按给、]|会同|建立|健全|草案|提出|负责|以外|须|规定|制定|批准|同意|依法|要求|报告|书面|管辖|所在|意见|移交|审查|审核"
)
_NO_TERM = re.compile(
    "须|应|可以|不|有权|会同|具有|向|对|经(?!济|营|理|费)|被|把|由|自(?!然|治|行|愿|动|来)|从|在|将|已|依照|按照|报(?!纸|告|刊|名|表|酬)|其"
)
_LEADS_TO_BODY = frozenset(
    [
        "由",
        "向",
        "经",
        "报",
        "报经",
        "报请",
        "提请",
        "对",
        "会同",
        "通知",
        "告知",
        "移送",
        "协助",
        "委托",
        "责令",
        "在",
        "与",
    ]
)
_LOCAL = ("时", "中", "后", "前", "内", "上", "下", "外", "期间", "以上", "以下")
_BREAKS = frozenset(
    [
        "、",
        "下列",
        "会同",
        "经",
        "报告",
        "报",
        "报请",
        "提请",
        "由",
        "向",
        "通知",
        "告知",
        "通报",
        "移送",
        "责令",
        "设立",
        "组织",
        "成立",
        "建立",
        "监督",
        "协助",
        "配合",
    ]
)
JOINTS = re.compile(r"、|以及|及其|或者|和|及|或|与")
_BODY_END = [
    "人民政府",
    "主管部门",
    "管理部门",
    "行政部门",
    "监督管理部门",
    "管理机构",
    "部门",
    "机关",
    "委员会",
    "常务委员会",
    "人民法院",
    "人民检察院",
    "国务院",
    "机构",
    "协会",
    "工会",
    "代表大会",
    "党委",
    "党组",
    "支部",
    "党支部",
    "总支部",
    "工作组",
    "领导小组",
    "办公室",
    "小组",
    "法庭",
    "仲裁委员会",
    "监督机构",
    "检验机构",
    "联席会议",
    "支部大会",
    "支部委员会",
]
_NAMED_BY = ("原则", "制度", "方针", "机制", "体制")
_CUSTOMARY: Mapping[str, Sequence[int]] = {
    "分钟": (3, 5, 10, 15, 20, 30, 45, 60, 90),
    "小时": (1, 2, 4, 6, 8, 12, 24, 36, 48, 72),
    "日": (1, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180),
    "天": (1, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90),
    "工作日": (2, 3, 5, 7, 10, 15, 20, 30, 60),
    "月": (1, 2, 3, 4, 6, 9, 12, 18, 24, 36),
    "年": (1, 2, 3, 5, 8, 10, 15, 20, 30),
    "岁": (6, 10, 12, 14, 16, 18, 20, 22, 25, 60),
    "人": (1, 2, 3, 5, 7, 9, 10, 15, 20, 30, 50, 100),
    "名": (1, 2, 3, 5, 7, 9, 10, 15, 20, 30),
    "倍": (1, 2, 3, 5, 10, 20),
    "次": (1, 2, 3, 4, 5, 6),
    "元": (
        50,
        100,
        200,
        500,
        1000,
        2000,
        5000,
        10000,
        20000,
        30000,
        50000,
        100000,
        200000,
        300000,
        500000,
        1000000,
    ),
}
"""Amounts that rules name, by the end of their unit."""
_LIANG = frozenset(["个月", "个工作日", "个小时", "小时", "次", "人", "名", "家", "份", "天", "周"])
"""Units before which two is 两."""
_SHARES = (5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90)
_POOLED, _OFFERED = 40, 12
"""Terms that are looked at for a key, and those of them, nearest in meaning, that are offered."""
_ALIKE = 0.4
"""Cosine from which two members of lists are of one kind; those that end alike are so in any case."""
_FARTHEST = 4
"""How many times more or less than the key a wrong amount may be, where others are to be had."""
_RANGE_STEPS = (Fraction(5), Fraction(1, 10), Fraction(10), Fraction(1, 5), Fraction(20), Fraction(1, 20))
_STEPS = (Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(3, 2), Fraction(2), Fraction(3))


@dataclass(frozen=True, slots=True)
class Listed:
    """A list within a sentence: 自愿、平等和公平. `members` are spans of the document; `open` if it ends with 等.

    `whole` says that the sentence stops behind it, so that it is sure where the last member ends. `mark` is
    the build of its members: what kind of words, and before which name (原则).
    """

    start: int
    end: int
    members: tuple[tuple[int, int], ...]
    open: bool
    whole: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that stands in a clause and may be a wrong answer elsewhere."""

    text: str
    slot: Slot
    clause: int
    mark: str = ""


class Pool:
    """The statements, lists and offers of one document, worked out once."""

    def __init__(self, document: Document, encode: Callable[[Sequence[str]], Vectors] | None = None) -> None:
        """`encode` gives vectors by which wrong answers near in meaning come first; without, those near by do."""
        self._encode = encode
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._places: dict[Statement, list[Place]] = {}
        self.document = document
        self.statements: list[Statement] = []
        self.listings: list[Listing] = []
        for clause in body_clauses(document):
            self.statements += statements(document, clause)
            self.listings += listings(document, clause)
        self.words: dict[Statement, list[Word]] = {s: words(s.text) for s in self.statements}
        self.lists: dict[Statement, list[Listed]] = {
            s: list(_lists(s, self.words[s])) for s in self.statements
        }
        self.offers: list[Offer] = []
        for s in self.statements:
            self.offers += _offers(s, self.words[s], self.lists[s])

    def places(self, statement: Statement) -> list[Place]:
        """The places of a statement, best first, worked out once."""
        if statement not in self._places:
            found = places(statement.text[statement.focus :], self.document.text, most=_PLACES)
            self._places[statement] = [place.moved(statement.focus) for place in found]
        return self._places[statement]

    def like(self, key: str, slot: Slot, clause: int, mark: str = "") -> list[str]:
        """Wrong answers for a key of this kind that stands in the clause with this ordinal, nearest first.

        `mark` narrows the kind: what follows a name (制度), the modality before an action.
        """
        if slot in (Slot.NUMBER, Slot.RANGE) and (amount := amount_of(key)):
            return _amounts_like(amount, [o for o in self.offers if o.slot is slot], clause)
        if slot is Slot.MODALITY:
            must = key in ("应当", "必须")
            known = must or key in MODALITY_OPTIONS
            return [m for m in MODALITY_OPTIONS if m != key and not (must and m == "应当")] if known else []
        near = sorted(
            (o for o in self.offers if o.slot is slot and o.mark == mark),
            key=lambda o: (abs(o.clause - clause), abs(len(o.text) - len(key)), o.text),
        )
        texts = _told_apart(key, (o.text for o in near), _POOLED)
        if slot is Slot.BODY:
            texts = [t for t in texts if may_stand_beside(key, t)]
        if slot is Slot.DATE:
            texts = [t for t in texts if date_shape(t) == date_shape(key)]
        if slot in (Slot.TERM, Slot.BODY) and self._encode is not None and texts:
            alike = self._likeness(key, texts)
            if slot is Slot.TERM and not mark.startswith("after "):
                texts = [t for t in texts if t[-1] == key[-1] or alike[t] >= _ALIKE]
            texts.sort(key=lambda t: (t[-1] != key[-1], -round(alike[t], 3)))
        return texts[:_OFFERED]

    def _likeness(self, key: str, texts: Sequence[str]) -> dict[str, float]:
        """Cosine of each text and the key."""
        if (encode := self._encode) is None:
            return {}
        new = [t for t in (key, *texts) if t not in self._vectors]
        if new:
            self._vectors.update(zip(new, encode(new), strict=True))
        return {t: float(self._vectors[t] @ self._vectors[key]) for t in texts}

    def items_like(self, listing: Listing, n: int) -> list[str]:
        """Items of other lists that may stand beside those of this one, without saying what they say."""
        text = self.document.text
        keys = [text[s:e] for s, e in listing.items]
        size = sum(map(len, keys)) / len(keys)
        found: list[tuple[float, str]] = []
        for other in self.listings:
            if other is listing or _alike(other.lead, listing.lead) > 0.8:
                continue
            if _listed_as(other.lead) != _listed_as(listing.lead):
                continue
            for s, e in other.items:
                item = text[s:e]
                if (
                    "其他" in item[:14]
                    or re.search(f"第[{NUMERALS}0-9]+条", item)
                    or max(_alike(item, key) for key in keys) > 0.25
                ):
                    continue
                if len({key[:2] for key in keys}) == 1 and item[:2] != keys[0][:2]:
                    continue
                if (item[-1] == "的") != (keys[0][-1] == "的") or not 0.4 * size <= len(item) <= 2.2 * size:
                    continue
                if bool(re.search(r"处|罚款|元", item)) != bool(re.search(r"处|罚款|元", keys[0])):
                    continue
                distance = abs(other.clause.ordinal - listing.clause.ordinal) + abs(len(item) - size) / 4
                found.append((distance, item))
        chosen: list[str] = []
        for _, item in sorted(found):
            if len(chosen) == n:
                break
            if all(_alike(item, c) <= 0.5 and not same_meaning(item, c) for c in chosen):
                chosen.append(item)
        return chosen


def body_of(text: str) -> bool:
    """Whether the text names a body that acts.

    >>> body_of("县级以上人民政府"), body_of("公安机关"), body_of("劳动合同"), body_of("报省人民政府")
    (True, True, False, False)
    """
    return len(text) >= 3 and text.endswith(tuple(_BODY_END)) and not _NO_BODY.search(text)


def is_term(text: str) -> bool:
    """Whether the text may name a thing: no verb of duty in front, no 中 or 时 behind.

    >>> is_term("安全标志"), is_term("须报省"), is_term("调查结果中")
    (True, False, False)
    """
    return not text.endswith(_LOCAL) and not _NO_TERM.match(text)


def _told_apart(key: str, texts: Iterable[str], most: int = 12) -> list[str]:
    """Those that differ in meaning from the key and from each other, in their order, at most so many."""
    found: list[str] = []
    seen = {plain(key)}
    for text in texts:
        if plain(text) in seen:
            continue
        seen.add(plain(text))
        if not same_meaning(text, key) and not any(same_meaning(text, f) for f in found):
            found.append(text)
        if len(found) >= most:
            break
    return found


def _offers(statement: Statement, said: Sequence[Word], lists: Sequence[Listed]) -> Iterator[Offer]:
    clause = statement.clause.ordinal
    for a in amounts(statement.text):
        yield Offer(a.text, Slot.RANGE if a.is_range else Slot.NUMBER, clause)
    for s, e in dates(statement.text):
        yield Offer(statement.text[s:e], Slot.DATE, clause)
    for listed in lists:
        for s, e in listed.members:
            text = statement.text[s - statement.start : e - statement.start]
            if is_term(text):
                yield Offer(text, Slot.TERM, clause, listed.mark)
    for s, e, slot, mark in nominal(statement, said):
        yield Offer(statement.text[s:e], slot, clause, mark)


def nominal(statement: Statement, said: Sequence[Word]) -> Iterator[tuple[int, int, Slot, str]]:
    """Spans within the statement's text that name a body, or what is before 制度, 原则 and the like."""
    i = 0
    while i < len(said):
        j = i
        while (
            j < len(said)
            and (said[j].tag[0] in "nbaf" or said[j].tag in ("vn", "l", "j", "s", "nz"))
            and said[j].text not in _BREAKS
        ):
            j += 1
        if j > i:
            start, end = said[i].start, said[j - 1].end
            text = statement.text[start:end]
            before = statement.text[start - 1 : start]
            if (
                body_of(text)
                and is_named(text)
                and not statement.text[:start].endswith(("统称", "统称为", "简称", "简称为", "称", "称为"))
                and (i == 0 or before in "，。；：" or said[i - 1].text in _LEADS_TO_BODY)
                and not text.startswith(_VAGUE)
                and before not in ("的", "、", "和", "或", "与", "及", "）", ")")
                and statement.text[end : end + 1] not in ("、", "和", "或", "与", "及", "的", "等")
            ):
                yield start, end, Slot.BODY, ""
            verb = (
                said[i - 1] if i and said[i - 1].tag == "v" and said[i - 1].text not in MODALITIES else None
            )
            if (
                verb is not None
                and statement.text[end : end + 1] in "，。；"
                and 3 <= len(text) <= 12
                and not text.startswith(_VAGUE)
                and not body_of(text)
                and is_term(text)
            ):
                yield start, end, Slot.TERM, f"after {verb.text}"
            for name in _NAMED_BY:
                led = re.search(r"(?:实行|建立|实施|遵循|坚持|贯彻|推行|执行)$", statement.text[:start])
                if text.endswith(name) and 2 <= len(text) - len(name) <= 10 and led:
                    yield start, end - len(name), Slot.TERM, name
        i = max(j, i + 1)


def _lists(statement: Statement, said: Sequence[Word]) -> Iterator[Listed]:
    """Lists of three members and more, each a run of words without stops, joined by 、 and at last by 和 or 或者."""
    text = statement.text
    for m in re.finditer(r"[^，。；：！？（）()“”《》\s…]+", text):
        segment = m.group()
        if segment.count("、") < 1:
            continue
        marks = [k for k, c in enumerate(segment) if c == "、"]
        first = _run_back(said, m.start() + marks[0])
        last, open_ = _run_on(said, m.start() + marks[-1] + 1, text, m.end())
        if first is None or last is None:
            continue
        members = list(_members(text, first, last))
        if not 3 <= len(members) <= 7:
            continue
        texts = [text[s:e] for s, e in members]
        sizes = [len(t) for t in texts]
        if (
            min(sizes) < 2
            or max(sizes) > 12
            or max(sizes) > 3.5 * min(sizes)
            or len({plain(t) for t in texts}) < len(texts)
        ):
            continue
        if any("的" in t or t[0] in "的和或与及其" or t.startswith(("其他", "及")) for t in texts):
            continue
        after = text[last : last + 4]
        whole = (
            not after
            or after[0] in "，。；：）"
            or after[:3] in ("的原则", "的方针", "的制度", "的机制", "的要求")
        )
        yield Listed(
            statement.start + first,
            statement.start + last,
            tuple((statement.start + s, statement.start + e) for s, e in members),
            open_,
            whole and not _mixed(said, members) and max(sizes) - min(sizes) <= 3,
            f"{_build(said, members)}{next((n for n in _NAMED_BY if after.startswith('的' + n)), '')}",
        )


def _run_back(said: Sequence[Word], mark: int) -> int | None:
    """Where the first member, which ends at `mark`, begins: after a verb, a function word or a stop."""
    i = next((k for k, w in enumerate(said) if w.end == mark), None)
    if i is None:
        return None
    whole = i
    while i >= 0 and mark - said[i].start <= 12 and _is_member(said[i], i == whole):
        i -= 1
    return said[i + 1].start if i < whole else None


def _run_on(said: Sequence[Word], mark: int, text: str, stop: int) -> tuple[int | None, bool]:
    """Where the last member, which begins at `mark`, ends, and whether 等 follows."""
    j = next((k for k, w in enumerate(said) if w.start == mark), None)
    if j is None:
        return None, False
    begin = j
    joined = False
    while j < len(said) and said[j].end <= stop:
        word = said[j]
        if word.text in ("和", "或者", "以及", "或", "与", "及") and not joined and j > begin:
            joined, begin = True, j + 1
        elif not _is_member(word, j == begin):
            break
        j += 1
    if j <= begin:
        return None, False
    end = said[j - 1].end
    return end, text[end : end + 1] == "等" or text[end : end + 2] == "其他"


def _is_member(word: Word, alone: bool) -> bool:
    """Whether a word can be part of a member of a list: nouns and what goes with them, or one verb."""
    if word.text in (
        "、",
        "等",
        "的",
        "和",
        "或者",
        "以及",
        "或",
        "与",
        "及",
        "应当",
        "不得",
        "可以",
        "依法",
    ):
        return False
    return word.tag[0] in "nabljzi" or word.tag in ("vn", "an", "ad") or (alone and word.tag[0] == "v")


def _build(said: Sequence[Word], members: Sequence[tuple[int, int]]) -> str:
    """What the members are made of: the kinds of the last words of most of them, and about how long they are."""
    kinds = [w.tag[0] for s, e in members for w in said if w.end == e]
    length = sum(e - s for s, e in members) / len(members)
    return f"{max(sorted(set(kinds)), key=kinds.count) if kinds else '?'}{min(int(length) // 2, 3)}"


def _mixed(said: Sequence[Word], members: Sequence[tuple[int, int]]) -> bool:
    """Whether some members are single verbs and others are not: then the list may end before its last noun."""
    verbs = [any(w.tag == "v" and (w.start, w.end) == m for w in said) for m in members]
    return any(verbs) and not all(verbs)


def _members(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for m in JOINTS.finditer(text, start, end):
        if m.group() != "、" and "、" in text[m.end() : end]:
            continue
        yield at, m.start()
        at = m.end()
    yield at, end


# -- amounts -----------------------------------------------------------------------


def _amounts_like(key: Amount, offers: Sequence[Offer], clause: int) -> list[str]:
    """Amounts of the same measure and unit as the key: first from clauses near by, then such as are usual."""
    written: list[str] = []
    for offer in sorted(offers, key=lambda o: (abs(o.clause - clause), o.text)):
        other = amount_of(offer.text)
        if (
            other
            and other.dimension == key.dimension
            and other.is_range == key.is_range
            and other.unit == key.unit
        ):
            if key.is_range and _shape(other.text) != _shape(key.text):
                continue
            if _arabic(other.text) != _arabic(key.text) or not _is_usual(other):
                continue
            if not key.is_range and _ratio(other.low, key.low) > _FARTHEST:
                continue
            written.append(offer.text)
    if not key.is_range:
        written += [text for value in _usual(key) if (text := _written(value, key))]
    else:
        written += [text for step in _RANGE_STEPS if (text := _moved(key, step))]
    return _told_apart(key.text, (t for t in written if not key.is_range or not _touches(key, t)))


def _is_usual(amount: Amount) -> bool:
    """Whether rules name such an amount; of units that are not known, any."""
    if amount.is_range or amount.dimension == "share":
        return True
    one = amount_of(f"1{amount.unit}")
    known = next((v for unit, v in _CUSTOMARY.items() if amount.unit.endswith(unit)), None)
    return known is None or one is None or amount.low / one.low in known


def _usual(key: Amount) -> list[Fraction]:
    """Usual amounts of the key's unit, the nearest first; where none is known, the key times small steps."""
    if key.dimension == "share":
        values = [Fraction(n, 100) for n in _SHARES]
    else:
        one = amount_of(f"1{key.unit}")
        known = next((v for unit, v in _CUSTOMARY.items() if key.unit.endswith(unit)), None)
        values = [n * one.low for n in known] if known and one else [key.low * s for s in _STEPS]
    return [
        v for v in sorted(values, key=lambda v: (_ratio(v, key.low), v)) if _ratio(v, key.low) <= _FARTHEST
    ]


def _ratio(a: Fraction, b: Fraction) -> float:
    return float(a / b) - 1 if a >= b else float(b / a) - 1


def _arabic(text: str) -> bool:
    return bool(re.search("[0-9０-９]", text))


def _shape(text: str) -> str:
    return re.sub(r"[0-9〇零一二两三四五六七八九十百千万亿半]+", "#", text)


def _touches(key: Amount, text: str) -> bool:
    other = amount_of(text)
    return other is None or key.overlaps(other)


def _written(value: Fraction, like: Amount) -> str | None:
    """A value as the amount is written: same unit, same numerals; None if it cannot be."""
    if like.dimension == "share":
        percent = value * 100
        if percent.denominator != 1 or not (like.text.startswith("百分之") or like.unit in "%％"):
            return None
        if like.text.startswith("百分之"):
            return f"百分之{_numeral(int(percent), like.text[3:])}"
        return f"{int(percent)}{like.unit}"
    one = amount_of(f"1{like.unit}")
    if one is None or (value / one.low).denominator != 1:
        return None
    n = int(value / one.low)
    if n < 1 or n > 10**8:
        return None
    if n == 2 and like.unit in _LIANG and not _arabic(like.text):
        return f"两{like.unit}"
    return f"{_numeral(n, like.text)}{like.unit}"


def _numeral(n: int, like: str) -> str:
    """The number in the numerals of `like`: Arabic digits, or Chinese."""
    if re.search(r"[0-9]", like):
        if "万" in like and n % 10000 == 0:
            return f"{n // 10000}万"
        return str(n)
    return chinese_numeral(n)


def _moved(key: Amount, factor: Fraction) -> str | None:
    """A range with both ends multiplied, written as the key is; None if that gives no round numbers."""

    def put(m: re.Match[str]) -> str:
        raw = m.group()
        value = numeral_value(raw) if not raw.isascii() else int(raw)
        if value is None:
            raise ValueError
        moved = value * factor
        if moved.denominator != 1 or moved < 1:
            raise ValueError
        return _numeral(int(moved), raw)

    try:
        text = re.sub(r"[0-9]+(?![0-9])|[〇零一二两三四五六七八九十百千万亿]+", put, key.text)
    except ValueError:
        return None
    return text if amount_of(text) else None


def _listed_as(lead: str) -> str:
    """What a lead says its items are: 情形, 行为, 条件, 职责; with 不得 or without."""
    m = re.search(
        r"(?:下列|以下)[^，；：、]{0,4}?(情形|行为|条件|职责|义务|规定|内容|事项|材料|措施|程序|方式|权利|职权|要求|费用)",
        lead,
    )
    return f"{m.group(1) if m else '?'}{'-' if '不得' in lead or '禁止' in lead else '+'}"


def _alike(one: str, other: str) -> float:
    """Share of pairs of neighbouring characters that two texts have in common (Jaccard)."""
    a, b = pairs(one), pairs(other)
    return len(a & b) / max(1, len(a | b))

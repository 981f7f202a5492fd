"""From a place in a statement to a question of each type; None where the place gives none of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.model import Document, Kind
from kb.numerals import chinese_numeral
from quiz.citing import citation_of
from quiz.generation.balance import Balance, hash_of
from quiz.generation.bodies import class_of, matter
from quiz.generation.gates import squeeze
from quiz.generation.places import MODALITIES, Place
from quiz.generation.pools import Listed, Pool, body_of, nominal
from quiz.generation.statements import Listing, Statement
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, Slot, Type
from quiz.quantities import amount_of, amounts

_HARD: dict[Type, float] = {
    Type.TRUE_FALSE: 0.3,
    Type.SINGLE: 0.42,
    Type.MATCHING: 0.5,
    Type.BLANK: 0.55,
    Type.ORDERING: 0.55,
    Type.MULTIPLE: 0.6,
    Type.SHORT: 0.68,
}
_HARDER: dict[Slot, float] = {
    Slot.MODALITY: -0.1,
    Slot.TERM: -0.02,
    Slot.NUMBER: 0.05,
    Slot.RANGE: 0.1,
    Slot.DATE: 0.08,
    Slot.LIST: 0.05,
}
_LONGEST_KEY, _LONGEST_LIST = 30, 46
"""Characters that are asked for in a gap."""
TRIVIAL = re.compile(
    r"(?:规定|要求|支持|保护|措施|责任|标准|批准|处理|情况|法律法规)$|^(?:有关|相关|相应|其他|必要|具体|法律、|依法|妥善|采取)|另有规定|等(?:制度|措施|工作|方式|内容|机制)$"
)
"""What any rule says; to fill it in shows nothing."""
_BESIDE = 4
"""Characters beside an amount that are left in the stem."""
_ASKABLE = re.compile(r"(?<!按照)(?<!依照)(?:下列|以下)[^，；：]{1,12}(?:，[^，；：]{1,14})?$")
"""Leads that become a question by 哪些: what is asked for stands at the end."""
_SAYS = re.compile(
    ".{3,}(?:应当|不得|可以|必须|负有|享有|行使|履行|具备|符合|包括|属于|有下列)|^(?:有下列|具备下列|符合下列).*，"
)
"""Leads that say of whom and in what way."""
_ORDERED = re.compile(r"顺序|程序|步骤|流程|依次|次序|先后")
_DEFINED = re.compile(
    r"^(?:本(?:法|条例|办法|规定|细则|制度|规则)(?:中)?(?:所称|所指|的))?(?:[^，。；：、]{0,12}(?:所称|规定)的?)?(?P<term>[^，。；：、]{2,16})，(?:是指|系指|指的是)(?P<text>[^。；]{6,110})[。；]?$"
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a statement, with what it holds: `start:end` is its span of the document."""

    statement: Statement
    start: int
    end: int
    text: str
    slot: Slot
    mark: str
    listed: Listed | None = None


class Maker:
    """Makes questions from one document. Options follow from the seed and from what was taken before."""

    def __init__(self, pool: Pool, balance: Balance, seed: int) -> None:
        self.pool = pool
        self._document = pool.document
        self._balance = balance
        self._seed = seed
        self._title = source_words(pool.document)

    # -- places --------------------------------------------------------------------

    def spot(self, statement: Statement, place: Place) -> Spot:
        """What the place holds: its kind, and what its options must be like."""
        start, end = statement.start + place.start, statement.start + place.end
        text = statement.text[place.start : place.end]
        slot, mark, listed = place.slot, "", None
        inside = [a for a in amounts(statement.text) if place.start <= a.start and a.end <= place.end]
        if slot is Slot.OTHER and len(inside) == 1 and len(text) - len(inside[0].text) <= _BESIDE:
            # 超过五年 and 二万元以上 are asked as the amount alone.
            slot, text = Slot.NUMBER, inside[0].text
            start, end = statement.start + inside[0].start, statement.start + inside[0].end
        for found in self.pool.lists[statement]:
            if (found.start, found.end) == (start, end):
                slot, listed = Slot.LIST, found
                mark = found.mark
            elif (start, end) in found.members:
                slot, mark, listed = Slot.TERM, found.mark, found
        if slot is Slot.OTHER:
            for s, e, kind, name in nominal(statement, self.pool.words[statement]):
                if (s, e) == (place.start, place.end):
                    slot, mark = kind, name
        if slot is Slot.OTHER:
            before = statement.text[: start - statement.start]
            if before.endswith(MODALITIES):
                slot = Slot.ACTION
            elif body_of(text):
                slot = Slot.TERM
        return Spot(statement, start, end, text, slot, mark, listed)

    # -- types -----------------------------------------------------------------------

    def make(self, spot: Spot, type_: Type) -> Iterator[Question]:
        """Questions of the type at the spot, the best first; the first that passes the gates is taken."""
        if type_ is Type.SINGLE:
            yield from self._single(spot)
        elif type_ is Type.BLANK:
            yield from self._blank(spot)
        elif type_ is Type.TRUE_FALSE:
            yield from self._true_false(spot)
        elif type_ is Type.MULTIPLE:
            yield from self._multiple_inline(spot)

    def _single(self, spot: Spot) -> Iterator[Question]:
        asked = (Slot.NUMBER, Slot.RANGE, Slot.DATE, Slot.BODY, Slot.MODALITY)
        if spot.slot not in asked or self._is_plain(spot):
            return
        wrong = self._wrong(spot)
        stem = self._gapped(spot)
        for options in self._balance.sets(stem, spot.text, wrong, self._lot(spot))[:6]:
            yield self._question(
                Type.SINGLE, stem, options, (spot.text,), spot, places=((spot.start, spot.end),)
            )

    def _is_plain(self, spot: Spot) -> bool:
        """Whether the sentence tells the key without saying it: 两人以上合作, or 社区矫正 before 社区矫正机构."""
        at = spot.start - spot.statement.start
        around = spot.statement.text[:at] + spot.statement.text[at + len(spot.text) :]
        if spot.slot is Slot.BODY:
            if class_of(spot.text) in ("", "other") or re.search("本行政区域|本级|各自|同级", around):
                return True
            head = matter(spot.text)[:-2]
            return len(head) >= 3 and head in f"{spot.statement.lead}{around}"
        amount = amount_of(spot.text)
        if amount is None or amount.high > 2:
            return False
        after = spot.statement.text[at + len(spot.text) :]
        return amount.dimension == "count" or (amount.dimension == "people" and after.startswith("以上"))

    def _wrong(self, spot: Spot) -> list[str]:
        """Wrong answers for the spot that its own sentence does not hold."""
        said = f"{self._title}{spot.statement.whole}"
        wrong = self.pool.like(spot.text, spot.slot, spot.statement.clause.ordinal, spot.mark)
        if spot.slot is Slot.NUMBER:
            wrong = [w for w in wrong if self._keeps_range(spot, w)]
            if re.search(
                "连续|累计|多次|先后", spot.statement.text[: spot.start - spot.statement.start][-6:]
            ):
                wrong = [w for w in wrong if (a := amount_of(w)) is None or a.low != 1]
        if spot.listed is not None:
            wrong = [w for w in wrong if abs(len(w) - len(spot.text)) <= 3]
        return [w for w in wrong if w not in said]

    def _keeps_range(self, spot: Spot, option: str) -> bool:
        """Whether a range that the amount is an end of still runs upwards with the option there."""
        at = spot.start - spot.statement.start
        text = spot.statement.text
        around = next((a for a in amounts(text) if a.is_range and a.start <= at < a.end), None)
        if around is None:
            return True
        changed = f"{text[:at]}{option}{text[at + len(spot.text) :]}"
        return any(a.is_range and a.start == around.start for a in amounts(changed))

    def _blank(self, spot: Spot) -> Iterator[Question]:
        most = _LONGEST_LIST if spot.slot is Slot.LIST or "、" in spot.text else _LONGEST_KEY
        if self._is_all(spot) or not 2 <= len(spot.text) <= most or spot.slot is Slot.MODALITY:
            return
        stem = self._gapped(spot)
        yield self._question(
            Type.BLANK,
            stem,
            (),
            (spot.text,),
            spot,
            places=((spot.start, spot.end),),
            accepted=(variants(spot.text),),
        )

    def _true_false(self, spot: Spot) -> Iterator[Question]:
        if spot.slot not in (Slot.NUMBER, Slot.RANGE) or self._is_plain(spot):
            return
        statement = spot.statement
        if statement.lead or self._is_condition(spot):
            return
        places = ((spot.start, spot.end),)
        if self._balance.next_truth():
            yield self._question(
                Type.TRUE_FALSE, f"{self._title}{statement.text}", (TRUE, FALSE), (TRUE,), spot, places=places
            )
            return
        wrong = self._wrong(spot)
        lot = self._lot(spot)
        for option in sorted(wrong[:4], key=lambda o: hash_of(o, lot)):
            at = spot.start - statement.start
            said = f"{statement.text[:at]}{option}{statement.text[at + len(spot.text) :]}"
            yield self._question(
                Type.TRUE_FALSE,
                f"{self._title}{said}",
                (TRUE, FALSE),
                (FALSE,),
                spot,
                places=places,
                note=f"应为“{spot.text}”。",
            )

    def _is_condition(self, spot: Spot) -> bool:
        """Whether another amount there need not make the statement false: what holds over 15 days does over 30."""
        at = spot.start - spot.statement.start
        after = re.split("[。；]", spot.statement.text[at:])[0]
        said_twice = spot.statement.text.count(spot.text[:-1]) > 1
        return said_twice or re.search("的，", after) is not None

    def _multiple_inline(self, spot: Spot) -> Iterator[Question]:
        listed = spot.listed
        if (
            spot.slot is not Slot.LIST
            or listed is None
            or listed.open
            or not listed.whole
            or len(listed.members) > 5
            or self._is_all(spot)
        ):
            return
        keys = tuple(self._document.text[s:e] for s, e in listed.members)
        size = sum(map(len, keys)) / len(keys)
        wrong = [
            w
            for w in self.pool.like(keys[0], Slot.TERM, spot.statement.clause.ordinal, spot.mark)
            if w not in spot.statement.text and w not in keys and abs(len(w) - size) <= 2
        ]
        n = 1 if len(keys) >= 4 else 2
        if len(wrong) < n:
            return
        lot = self._lot(spot)
        wrong = sorted(wrong[:6], key=lambda o: hash_of(o, lot))[:n]
        options = tuple(sorted((*keys, *wrong), key=lambda o: hash_of(o, lot + 1)))
        question = self._question(
            Type.MULTIPLE, self._gapped(spot), options, keys, spot, places=((listed.start, listed.end),)
        )
        yield question.with_options(options)

    # -- lists -------------------------------------------------------------------------

    def from_listing(self, listing: Listing, type_: Type) -> Iterator[Question]:
        """Questions about a list as a whole."""
        text = self._document.text
        items = tuple(text[s:e] for s, e in listing.items)
        lead = listing.lead.rstrip("：:")
        if not listing.exhaustive or len({i[:40] for i in items}) < len(items):
            return
        lot = listing.start + self._seed
        if type_ is Type.MULTIPLE and 2 <= len(items) <= 6 and max(map(len, items)) <= 60:
            wrong = self.pool.items_like(listing, 2)
            if len(wrong) < 2:
                return
            options = tuple(sorted((*items, *wrong), key=lambda o: hash_of(o, lot)))
            stem = f"{self._title}{lead}：{BLANK}。"
            question = self._listed(Type.MULTIPLE, stem, options, items, listing)
            yield question.with_options(options)
        elif type_ is Type.SHORT and 2 <= len(items) <= 8 and sum(map(len, items)) <= 320:
            asked = re.sub(r"下列|以下", "哪些", lead, count=1)
            if (
                asked == lead
                or "如下" in lead
                or not _ASKABLE.search(lead)
                or not _SAYS.search(lead)
                or "罚款" in lead
            ):
                return
            stem = f"{self._title}{asked}？"
            points = tuple(Point(i, round(1 / len(items), 4)) for i in items)
            yield self._listed(Type.SHORT, stem, (), ("；".join(items),), listing, points=points)
        elif (
            type_ is Type.ORDERING
            and 3 <= len(items) <= 7
            and _ORDERED.search(lead)
            and max(map(len, items)) <= 60
        ):
            options = tuple(sorted(items, key=lambda o: hash_of(o, lot)))
            if options == items:
                options = (*items[1:], items[0])
            yield self._listed(
                Type.ORDERING, f"{self._title}{lead}，请排出正确的次序。", options, items, listing
            )

    def from_segments(self, statement: Statement, type_: Type = Type.MATCHING) -> Iterator[Question]:
        """A matching of cases and amounts, where a sentence gives each case its own."""
        parts = [(m.start(), m.end()) for m in re.finditer(r"[^；]+", statement.text)]
        if not 3 <= len(parts) <= 6 or statement.item:
            return
        prompts: list[str] = []
        places: list[tuple[int, int]] = []
        for s, e in parts:
            found = list(amounts(statement.text[s:e]))
            if not found:
                return
            last = found[-1]
            said = statement.text[s:e].rstrip("。")
            if said[last.end :]:
                return
            prompts.append(said[: last.start])
            places.append((statement.start + s + last.start, statement.start + s + last.end))
        texts = [self._document.text[s:e] for s, e in places]
        values = [a for t in texts if (a := amount_of(t))]
        if len({v.dimension for v in values}) != 1 or any(
            a.equals(b) or ((a.is_range or b.is_range) and a.overlaps(b))
            for n, a in enumerate(values)
            for b in values[:n]
        ):
            return
        if len(set(prompts)) < len(prompts) or max(map(len, prompts)) > 70:
            return
        order = sorted(range(len(texts)), key=lambda n: (values[n].low, values[n].high))
        spot = Spot(statement, statement.start, statement.end, statement.text, Slot.NUMBER, "")
        yield self._question(
            Type.MATCHING,
            f"{self._title}把各种情形与相应的规定对应起来。",
            tuple(texts[n] for n in order),
            tuple(texts),
            spot,
            places=tuple(places),
            prompts=tuple(prompts),
        )

    def from_definition(self, statement: Statement, type_: Type = Type.SHORT) -> Iterator[Question]:
        """Questions that ask what a term means, or which term means so."""
        m = _DEFINED.match(statement.text)
        if m is None or statement.item or "下列" in m["text"]:
            return
        start = statement.start + m.start("text")
        end = statement.start + m.end("text")
        term, text = m["term"].strip("“”"), m["text"]
        spot = Spot(statement, start, end, text, Slot.DEFINITION, "")
        if len(text) >= 12 and term[0] not in "其这那该":
            pieces = [p for p in re.split(r"[，；]", text) if len(p) >= 4]
            points = tuple(Point(p, round(1 / len(pieces), 4)) for p in pieces)
            yield self._question(
                Type.SHORT,
                f"{self._title}“{term}”是指什么？",
                (),
                (text,),
                spot,
                places=((start, end),),
                points=points,
            )

    def from_definitions(
        self, statements: Sequence[Statement], type_: Type = Type.MATCHING
    ) -> Iterator[Question]:
        """A matching of terms and what they mean, from definitions that stand in one clause."""
        found = [(s, m) for s in statements if (m := _DEFINED.match(s.text)) and len(m["text"]) <= 70]
        found = [(s, m) for s, m in found if not _tells(m["term"].strip("“”"), m["text"])][:5]
        if len(found) < 3:
            return
        first, last = found[0][0], found[-1][0]
        terms = [m["term"].strip("“”") for _, m in found]
        texts = [m["text"] for _, m in found]
        if len(set(terms)) < len(terms) or len(set(texts)) < len(texts):
            return
        places = tuple((s.start + m.start("text"), s.start + m.end("text")) for s, m in found)
        whole = Statement(first.clause, first.start, last.end, self._document.text[first.start : last.end])
        spot = Spot(whole, first.start, last.end, "", Slot.DEFINITION, "")
        lot = first.start + self._seed
        yield self._question(
            Type.MATCHING,
            f"{self._title}把名词与它的含义对应起来。",
            tuple(sorted(texts, key=lambda o: hash_of(o, lot))),
            tuple(texts),
            spot,
            places=places,
            prompts=tuple(terms),
        )

    # -- parts ---------------------------------------------------------------------------

    def _is_all(self, spot: Spot) -> bool:
        """Whether nothing of an item is left when the spot is a gap: then the items beside it fill it, too."""
        s = spot.statement
        return bool(s.lead) and len(s.text) - len(spot.text) < 4

    def _gapped(self, spot: Spot) -> str:
        s = spot.statement
        at = spot.start - s.start
        said = f"{s.text[:at]}{BLANK}{s.text[at + (spot.end - spot.start) :]}"
        return f"{self._title}{s.lead}{said}{'' if said.endswith(('。', '；')) else '。'}"

    def _lot(self, spot: Spot) -> int:
        return self._seed * 1_000_003 + spot.start

    def _listed(
        self,
        type_: Type,
        stem: str,
        options: tuple[str, ...],
        answer: tuple[str, ...],
        listing: Listing,
        *,
        points: tuple[Point, ...] = (),
    ) -> Question:
        whole = Statement(
            listing.clause, listing.start, listing.end, self._document.text[listing.start : listing.end]
        )
        spot = Spot(whole, listing.start, listing.end, "", Slot.LIST, "")
        return self._question(type_, stem, options, answer, spot, places=listing.items, points=points)

    def _question(
        self,
        type_: Type,
        stem: str,
        options: tuple[str, ...],
        answer: tuple[str, ...],
        spot: Spot,
        *,
        places: tuple[tuple[int, int], ...],
        accepted: tuple[tuple[str, ...], ...] = (),
        points: tuple[Point, ...] = (),
        prompts: tuple[str, ...] = (),
        note: str = "",
    ) -> Question:
        s = spot.statement
        citation = citation_of(self._document, s.clause, s.start, s.end)
        return Question(
            type_,
            stem,
            options,
            answer,
            note + explained(citation),
            citation,
            difficulty(type_, spot.slot, options, answer),
            prompts,
            accepted,
            points,
            spot.slot,
            places,
            topics_of(citation),
        )


def explained(citation: Citation) -> str:
    """What is told of a question that was made here: its clause, by name and word for word."""
    where = citation.path[-1] if citation.path else ""
    return f"依据《{citation.title}》{where}：{squeeze(citation.quote)}"


def topics_of(citation: Citation) -> tuple[str, ...]:
    """What a question that was made here is about: the document and its chapter."""
    return tuple(dict.fromkeys([citation.title, *citation.path[:1]]))


def _tells(term: str, text: str) -> bool:
    """Whether a definition gives its term away: some two characters of it stand there."""
    return any(term[i : i + 2] in text for i in range(len(term) - 1))


def is_cut(spot: Spot) -> bool:
    """Whether the spot is one of several that stand beside each other: 二、三级."""
    text = spot.statement.text
    at = spot.start - spot.statement.start
    before, after = text[:at], text[at + len(spot.text) :]
    if spot.listed is not None:
        return False
    return before.endswith(("、", "和", "或者", "或", "及", "以及", "与")) or after.startswith(
        ("、", "和", "或者", "以及")
    )


def source_words(document: Document) -> str:
    """How a stem names its source.

    Rules are referred to (根据《…》，), other texts are quoted (《…》提到，).
    """
    title = re.sub(r"\s+", "", document.meta.title)
    named = title if title.startswith("《") else f"《{title.replace('《', '〈').replace('》', '〉')}》"
    return f"根据{named}，" if document.meta.kind in (Kind.LAW, Kind.POLICY) else f"{named}提到，"


def difficulty(type_: Type, slot: Slot, options: Sequence[str], answer: Sequence[str]) -> float:
    """A first estimate from 0 to 1: by type, by what is asked, and by how long or how many the answers are."""
    value = _HARD[type_] + _HARDER.get(slot, 0.0)
    if type_ is Type.BLANK:
        value += 0.015 * (len(answer[0]) - 4)
    elif type_ in (Type.MULTIPLE, Type.ORDERING, Type.MATCHING):
        value += 0.03 * (len(options) - 4)
    elif type_ is Type.SHORT:
        value += 0.002 * (len(answer[0]) - 60)
    return round(min(0.95, max(0.05, value)), 3)


def variants(key: str) -> tuple[str, ...]:
    """What else is right in a gap: the same amount in other numerals, the same days as 天, the words without quotes.

    >>> variants("三十日"), variants("人民法院")
    (('30日', '三十天', '30天'), ())
    """
    found: list[str] = []
    amount = amount_of(key)
    if amount and not amount.is_range and amount.unit not in ("百分之", "分之"):
        one = amount_of(f"1{amount.unit}")
        n = amount.low / one.low if one else None
        if n is not None and n.denominator == 1:
            units = {"日": ("日", "天"), "天": ("天", "日"), "周岁": ("周岁", "岁")}.get(
                amount.unit, (amount.unit,)
            )
            numbers = [chinese_numeral(int(n)), str(int(n))]
            if n % 10**8 == 0:
                numbers.append(f"{n // 10**8}亿")
            elif n % 10**4 == 0:
                numbers.append(f"{n // 10**4}万")
            found = [f"{number}{unit}" for unit in units for number in numbers]
    elif amount and amount.unit == "百分之" and (percent := amount.low * 100).denominator == 1:
        found = [f"百分之{chinese_numeral(int(percent))}", f"{int(percent)}%", f"百分之{int(percent)}"]
    return tuple(dict.fromkeys(f for f in found if f != key))

"""The gates of DESIGN section 8: what a question must pass before anybody sees it.

Each gate looks at one question and at what it was made from, and says in Chinese why it
does not pass. A question that fails is dropped and counted, or, when a person wrote it,
shown with the reasons. The tenth gate is over many questions; see `balance`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kb.model import Document
from kb.numerals import NUMERALS, numeral_value
from quiz.generation.places import MODALITIES
from quiz.generation.statements import CATCH_ALL, is_hanging
from quiz.model import BLANK, FALSE, TRUE, Question, Slot, Type
from quiz.quantities import Amount, amount_of, amounts, date_of, date_shape
from search.analysis import fold

_CONTEXT = 8
"""Characters beside a key that make it a statement together with it."""
_WIDEST = 40
_STOPS = "，。；：！？\n"
_ENDS = "。；！？\n"
_GOES_ON = re.compile(
    r"[0-9０-９][,，.．:：]?\|[,，.．:：]?[0-9０-９]|[〇零一二三四五六七八九十百千万亿点]\|[〇零一二三四五六七八九十百千万亿点]"
)
_ABSOLUTES = ("一律", "绝对", "任何情况下", "永远", "所有情况")
_WHOLESALE = ("以上都", "以上均", "以上全", "都对", "都不对", "均正确", "均不正确", "以上选项")
_BARE = "不未非无没"


@dataclass(frozen=True, slots=True)
class Failure:
    """A gate that a question does not pass, and why, for people."""

    gate: int
    reason: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a question is held against.

    `document` is the one it cites, None where it cites nothing. `stands` says whether a text is found
    anywhere in what the asker may see, `in_force` whether the document is today. `squeezed` is the
    document's text without white space.
    """

    document: Document | None
    in_force: bool
    stands: Callable[[str], bool]
    squeezed: str = ""


def failures(
    question: Question, basis: Basis, *, gates: Sequence[int] = tuple(range(1, 10))
) -> list[Failure]:
    """Every reason why the question does not pass, by gate. The dear ones (3) come last."""
    found: list[Failure] = []
    for number in sorted(gates, key=lambda g: g == 3):
        found += [Failure(number, reason) for reason in _GATES[number](question, basis)]
    return found


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """A text by which options are told apart: folded, without spaces and stops at its ends.

    >>> plain(" 三十日内。") == plain("30日内")
    True
    """
    return squeeze(fold(text).text).strip("，。；：、.;,:")


def same_meaning(one: str, other: str) -> bool:
    """Whether two options say the same: the same words, the same amount, ranges that overlap, or one in the other.

    >>> same_meaning("3日", "三天"), same_meaning("3至7人", "5至9人"), same_meaning("公安机关", "县级公安机关")
    (True, True, True)
    >>> same_meaning("三日", "五日")
    False
    """
    a, b = amount_of(one), amount_of(other)
    if a and b:
        return a.equals(b) or ((a.is_range or b.is_range) and a.overlaps(b))
    p, q = plain(one), plain(other)
    return p == q or (a is None and b is None and min(len(p), len(q)) >= 2 and (p in q or q in p))


def window(text: str, start: int, end: int, key: str, within: tuple[int, int]) -> str:
    """What stands around start:end, from comma to comma and at least some characters, with `key` there.

    It reaches beyond neither the sentence nor the span `within`.
    """
    first, last = within
    left = start
    while left > first and text[left - 1] not in _ENDS and start - left < _WIDEST:
        if text[left - 1] in _STOPS and start - left >= _CONTEXT:
            break
        left -= 1
    right = end
    while right < last and text[right] not in _ENDS and right - end < _WIDEST:
        if text[right] in _STOPS and right - end >= _CONTEXT:
            break
        right += 1
    return f"{text[left:start]}{key}{text[end:right]}".strip(_STOPS + " ")


# -- the gates -------------------------------------------------------------------


def _options(question: Question, basis: Basis) -> Iterator[str]:
    options, answer = question.options, question.answer
    if not answer or any(not a.strip() for a in answer):
        yield "没有答案"
    if question.type in (Type.BLANK, Type.SHORT):
        if question.type is Type.BLANK and question.stem.count(BLANK) != len(answer):
            yield "空的个数与答案的个数不一致"
        return
    if not set(answer) <= set(options):
        yield "答案不在选项里"
    if len({plain(o) for o in options}) < len(options):
        yield "有两个选项实际相同"
    if len(options) < 2:
        yield "选项不足两个"
    if question.type in (Type.SINGLE, Type.TRUE_FALSE) and len(answer) != 1:
        yield "单项选择和判断只能有一个答案"
    if question.type is Type.TRUE_FALSE and options != (TRUE, FALSE):
        yield "判断题的选项应为“正确”“错误”"
    if question.type is Type.MULTIPLE and not 2 <= len(set(answer)) < len(options):
        yield "多项选择至少有两个答案，又不能全部都是"
    if question.type is Type.ORDERING and (len(answer) < 3 or sorted(answer) != sorted(options)):
        yield "排序题的答案应是全部选项的一个次序，至少三项"
    if question.type is Type.MATCHING and (len(question.prompts) < 3 or len(answer) != len(question.prompts)):
        yield "连线题至少三项，每项有一个答案"


def _verbatim(question: Question, basis: Basis) -> Iterator[str]:
    cited, document = question.citation, basis.document
    if cited is None or document is None:
        yield "没有注明出自哪一条"
        return
    if not basis.in_force:
        yield "所依据的文献今天不是有效的"
    if document.text[cited.start : cited.end] != cited.quote:
        yield "引用的文字与原文不一致"
        return
    quote = squeeze(cited.quote)
    if any(cuts_number(document.text, s, e) for s, e in question.places):
        yield "答案是从一个数里截出来的"
    if question.type is Type.TRUE_FALSE:
        said = squeeze(assertion(question))
        if question.answer == (TRUE,) and said.rstrip("。；") not in quote:
            yield "判断为正确的话在原文中找不到"
        return
    keys = (
        [p.text for p in question.points]
        if question.type is Type.SHORT and question.points
        else question.answer
    )
    for key in keys:
        if squeeze(key) not in quote:
            yield f"答案“{key}”不是原文中的文字"


def cuts_number(text: str, start: int, end: int) -> bool:
    """Whether a number goes on beyond one of the ends.

    >>> cuts_number("应收19,846元", 6, 10), cuts_number("七十分以上", 1, 3), cuts_number("满三十日", 1, 4)
    (True, True, False)
    """
    return any(_GOES_ON.search(f"{text[max(0, at - 2) : at]}|{text[at : at + 2]}") for at in (start, end))


def assertion(question: Question) -> str:
    """What a true or false question says, without the words that name its source."""
    return re.sub(
        r"^(?:(?:根据|按照)《[^》]*》(?:（[^）]*）)?(?:的规定)?|《[^》]*》提到)，", "", question.stem
    )


def _no_second_key(question: Question, basis: Basis) -> Iterator[str]:
    wrong = [o for o in question.options if o not in question.answer]
    if question.type in (Type.SINGLE, Type.MULTIPLE):
        for option in wrong:
            if any(same_meaning(option, key) for key in question.answer):
                yield f"选项“{option}”与答案意思相同或相互包含"
            elif question.type is Type.SINGLE and any(
                basis.stands(s) for s in _statements_with(question, basis, option)
            ):
                yield f"选项“{option}”填进去，别处正是这样规定的"
    elif question.type is Type.TRUE_FALSE and question.answer == (FALSE,) and basis.document is not None:
        for start, end in question.places:
            changed = changed_part(question, basis.document, start, end)
            span = _span(question)
            if changed is not None and basis.stands(window(basis.document.text, start, end, changed, span)):
                yield "改动后的话在别处正是这样规定的"


def _statements_with(question: Question, basis: Basis, option: str) -> Iterator[str]:
    if basis.document is not None and len(question.places) == 1:
        yield window(basis.document.text, *question.places[0], option, _span(question))
    elif question.stem.count(BLANK) == 1:
        before, _, after = question.stem.partition(BLANK)
        yield re.split(f"[{_STOPS}]", before)[-1] + option + re.split(f"[{_STOPS}]", after)[0]


def _span(question: Question) -> tuple[int, int]:
    """The span of the text that the question quotes."""
    return (question.citation.start, question.citation.end) if question.citation else (0, 0)


def changed_part(question: Question, document: Document, start: int, end: int) -> str | None:
    """What a false statement says instead of document.text[start:end]; None if it differs elsewhere, too."""
    cited = question.citation
    if cited is None:
        return None
    said, quote = assertion(question), cited.quote
    before, after = quote[: start - cited.start], quote[end - cited.start :].rstrip("。；")
    said = said.rstrip("。；")
    at = said.find(before) if before else 0
    if at < 0 or (after and not said.endswith(after)):
        return None
    return said[at + len(before) : len(said) - len(after)]


def _same_kind(question: Question, basis: Basis) -> Iterator[str]:
    if question.type not in (Type.SINGLE, Type.MULTIPLE) or not question.answer:
        return
    key = question.answer[0]
    wrong = [o for o in question.options if o not in question.answer]
    if question.slot in (Slot.NUMBER, Slot.RANGE):
        like = amount_of(key)
        for option in wrong:
            other = amount_of(option)
            if (
                like is None
                or other is None
                or (like.dimension, like.is_range) != (other.dimension, other.is_range)
            ):
                yield f"选项“{option}”与答案不是同一种数量"
            elif like.unit != other.unit and not like.is_range:
                yield f"选项“{option}”与答案的单位不同"
    elif question.slot is Slot.DATE:
        for option in wrong:
            if date_of(option) is None or date_shape(option) != date_shape(key):
                yield f"选项“{option}”与答案不是同一种日期"
    elif question.slot is Slot.MODALITY:
        for option in wrong:
            if option not in MODALITIES and option not in ("无须", "无需", "不必"):
                yield f"选项“{option}”不是“应当”“不得”一类的词"
    elif any(bool(amount_of(o)) != bool(amount_of(key)) for o in wrong):
        yield "选项有的是数量，有的不是"


def _whole_list(question: Question, basis: Basis) -> Iterator[str]:
    if question.type is not Type.MULTIPLE or question.slot is not Slot.LIST or basis.document is None:
        return
    text = basis.document.text
    for start, end in question.places:
        if CATCH_ALL.search(text[start : end + 2][-4:]) or text[end : end + 1] == "等":
            yield "原文的列举以“等”或“其他”结尾，不能当作完整的答案"
            return
    if any(re.search("其[他它]", key) for key in question.answer):
        yield "答案里有兜底的“其他”，不能当作完整的答案"
    if len(question.places) == 1:
        listed = re.split(r"、|以及|和|或者|及", text[slice(*question.places[0])])
        if len([x for x in listed if x.strip()]) != len(question.answer):
            yield "答案没有取原文的整个列举"


def _one_change(question: Question, basis: Basis) -> Iterator[str]:
    if question.type is not Type.TRUE_FALSE or question.answer != (FALSE,) or basis.document is None:
        return
    if len(question.places) != 1:
        yield "错误的说法应当只改动一处"
        return
    start, end = question.places[0]
    was, now = basis.document.text[start:end], changed_part(question, basis.document, start, end)
    if now is None or now == was:
        yield "错误的说法应当只改动一处"
    elif now.strip(_BARE) == was or was.strip(_BARE) == now:
        yield "只是加上或去掉一个“不”字"
    elif same_meaning(now, was):
        yield "改动后意思没有变"


def _fills_one_way(question: Question, basis: Basis) -> Iterator[str]:
    if question.type is not Type.BLANK or basis.document is None or question.citation is None:
        return
    if len(question.accepted) not in (0, len(question.answer)):
        yield "可接受的写法与空的个数不一致"
    for n, (start, end) in enumerate(question.places):
        before = squeeze(basis.document.text[max(question.citation.start, start - 10) : start])[-6:]
        after = squeeze(basis.document.text[end : min(question.citation.end, end + 10)])[:6]
        key = question.answer[n] if n < len(question.answer) else ""
        if before and len(before) + len(after) >= 6:
            ways = set(_between(basis.squeezed, before, after, end - start + 20))
        elif not before and len(after) >= 4:
            ways = set(_openings(basis.squeezed, after))
        else:
            continue
        if {plain(w) for w in ways} - {plain(key)}:
            yield f"“{key}”处原文有不止一种填法"


def squeeze(text: str) -> str:
    """A text without white space.

    >>> squeeze("第一条　甲 乙")
    '第一条甲乙'
    """
    return "".join(text.split())


def _openings(text: str, after: str) -> Iterator[str]:
    """What begins a sentence of the text and goes on with `after`, as short as a name."""
    at = text.find(after)
    while at >= 0:
        opening = re.split(r"[。；：，]|第[〇零一二三四五六七八九十百千0-9]+条", text[max(0, at - 30) : at])[
            -1
        ]
        if opening:
            yield opening
        at = text.find(after, at + 1)


def _between(text: str, before: str, after: str, most: int) -> Iterator[str]:
    """What stands in the text between the two, nearest and not longer than `most`."""
    lead = before or after
    at = text.find(lead)
    while at >= 0:
        if before:
            begin = at + len(before)
            end = text.find(after, begin + 1, begin + most + len(after)) if after else -1
            if end > 0:
                yield text[begin:end]
        at = text.find(lead, at + 1)


def _stands_alone(question: Question, basis: Basis) -> Iterator[str]:
    stem = question.stem
    if is_hanging(assertion(question)):
        yield "题干里有“该”“上述”“本条”一类离开原文就不清楚的话"
    if question.type in (Type.SINGLE, Type.BLANK, Type.MULTIPLE):
        rest = plain(stem.replace(BLANK, "\n"))
        for key in question.answer:
            same = amount_of(key)
            if (
                (len(plain(key)) >= 2 and plain(key) in rest)
                or (_figures(key) and _figures(key) <= _figures(stem))
                or (same is not None and _names(stem.replace(BLANK, "\n"), same))
            ):
                yield f"题干里出现了答案“{key}”"
    if (
        question.type in (Type.SINGLE, Type.BLANK, Type.MULTIPLE)
        and BLANK not in stem
        and question.citation is not None
        and question.places
    ):
        yield "题干里没有空"
    if len(re.sub(r"[（）　\s]", "", stem)) < 8:
        yield "题干太短，看不出问什么"


def _names(text: str, amount: Amount) -> bool:
    """Whether the text names the amount, or a range with it at one end."""
    return any(a.dimension == amount.dimension and amount.low in (a.low, a.high) for a in amounts(text))


def _figures(text: str) -> frozenset[int]:
    """The numbers of two places and more that a text names, in any script.

    >>> sorted(_figures("二百一十四盒中的30盒和三盒"))
    [30, 214]
    """
    found = (numeral_value(m) for m in re.findall(f"[0-9]+|[{NUMERALS}]+", text))
    return frozenset(n for n in found if n is not None and n >= 10)


def _flaws(question: Question, basis: Basis) -> Iterator[str]:
    if question.type not in (Type.SINGLE, Type.MULTIPLE):
        return
    wrong = [o for o in question.options if o not in question.answer]
    if any(w in o for o in question.options for w in _WHOLESALE):
        yield "有“以上都对”一类的选项"
    if any(a in o for o in wrong for a in _ABSOLUTES) and not any(
        a in k for k in question.answer for a in _ABSOLUTES
    ):
        yield "只有错误的选项用了“一律”“绝对”一类的词"
    if question.type is Type.SINGLE and wrong and len(question.answer) == 1:
        key = question.answer[0]
        if len(key) > 4 and len(key) > 1.6 * max(map(len, wrong)):
            yield "答案比其他选项长得多"
        if len(key) * 2 < min(map(len, wrong)) and min(map(len, wrong)) > 6:
            yield "答案比其他选项短得多"
    values = [amount_of(o) for o in question.options]
    if all(values) and [v.low for v in values if v] != sorted(v.low for v in values if v):
        yield "数量没有按大小排列"


_GATES: Mapping[int, Callable[[Question, Basis], Iterator[str]]] = {
    1: _options,
    2: _verbatim,
    3: _no_second_key,
    4: _same_kind,
    5: _whole_list,
    6: _one_change,
    7: _fills_one_way,
    8: _stands_alone,
    9: _flaws,
}
GATE_WORDS: Mapping[int, str] = {
    1: "选项和答案",
    2: "答案出自现行条文",
    3: "没有第二个正确答案",
    4: "选项同类",
    5: "列举完整",
    6: "只改一处",
    7: "只有一种填法",
    8: "题干独立、不露答案",
    9: "命题技术",
    10: "整批均衡",
}
"""The gates by name, for people."""

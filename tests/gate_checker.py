"""Holds questions against the gates of DESIGN section 8, as a program of its own.

It reads what anybody has: the JSON of a question as `gongxue quiz generate --json` prints it, and the plain
text of documents. It imports nothing of the project, so that it cannot share a mistake with the generator.

    for found in violations(questions, texts, in_force):
        print(found.question_id, found.gate, found.what)

What it cannot judge from text alone it leaves alone: whether two terms mean the same, whether a reader finds
a question worth asking.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import rjieba

from tests.gate_amounts import FIGURE, amount, canonical, figure, same_or_overlapping

Json = Mapping[str, Any]
GAP = "（　　）"
SOUND = frozenset({1, 2, 3, 4, 5, 6, 7, 8})
"""Gates by whose breach a question is wrong or misleads; 9 is about craft."""

_NUM = r"[0-9一二三四五六七八九十百千零〇]+"
_HEAD = re.compile(rf"(?m)^[ \t　]*(第{_NUM}条(?:之{_NUM})?)[ \t　]*")
_PREFACE = re.compile(r"^(?:根据)?《[^》]*》(?:提到)?[，,]")
_STOPS = re.compile(r"[。；：！？;:!?\n]")
_BORDERS = frozenset("。;:!?,\n()、") | {""}
_HANGING = re.compile(
    r"(?<!应)该|上述|前述|前款|前项|前条|前两款|上款|上条|本条(?!例)|本款|本项|本章(?!程)|本节(?!约)|本编"
    # A paragraph or item hangs where its article is not named before it: 第三条第一款、第二款 stands by itself.
    rf"|(?:^|[，。；：])[^条，。；：]*第（?{_NUM}）?(?:款|项(?=规定|所|的?情形|的?行为|的规定|、|和|至|或|者))"
)
_OPENING = re.compile(
    r"其(?!中央)|但|并(?!购|列)|且|也|还(?!本)|同时|因此|因而|否则|逾期|此|这|对此|为此|据此|另外|然而|不过|而|或者|以及|及(?!时|格)"
    r"|情节|拒不|仍|又|再次|从其|以上|以下|前述|[，、；：。）]"
)
_CUT_FIGURE = re.compile(rf"(?:{FIGURE}点?|[0-9][,，:：.])$")
_UNSHOWN = re.compile(r"下列|如下")
_MODAL = {
    "must": "应当 必须 应 须 需 需要 务必 应该",
    "may": "可以 可 得 有权 能够 可 能",
    "must not": "不得 禁止 严禁 不准 不能 不许 不应 不应当 不可 不可以 无权",
    "need not": "无须 无需 不必 不须 不需要 毋须 可以不",
    "should": "鼓励 支持 提倡 宜 倡导 引导",
}
_MODALS = {word: kind for kind, words in _MODAL.items() for word in words.split()}
_BODY = re.compile(
    r"(?:部门|机关|机构|政府|委员会|法院|检察院|[^干]部|[局厅院会室站所处署台队社馆校办团]|中心|单位|组织|企业|公司|组|银行"
    r"|大会|会议|常委会|国家|国务院|党委|支部|主席|书记|主任|代表|人员|员|人|者|长|官|负责人|银行|法庭|学校|协会|军区|省|市|县|区|乡|镇|街道"
    r"|集团|库|医院|基地|平台|工会|集体|家庭|户|方|师|民|业主|家)$"
)
_DATE = re.compile(rf"({_NUM}年)?({_NUM}月)?({_NUM}[日号])?(?:前|后|起)?")
_EDGE_FIRST = re.compile(r"[的、，；。）]|或者|以及|(?:[和或与及并但而])(?!平|解|谐|购|列|时|格)")
_EDGE_LAST = re.compile(
    r"(?:[的和或与及但而、，；。（]|或者|以及|对于|关于|按照|依照|(?<![事案理缘自方导])[由向]|[^干名主部]将)$"
)
_NO_FIRST = re.compile(
    "须|应|应当|可|可以|能|不能|不得|有权|会同|具有|向|对|对于|经|经过|被|把|由|自|从|在|将|已|已经|依|依照|按照"
)
_NO_LAST = re.compile("中|后|前|时|内|上|下|外|之间|期间|以来|须|应|应当|可以|不得|由|向|将")
_CATCH_ALL = re.compile(
    r"^(?:其他|其它|以及其他|及其他|和其他)|等$|等(?:情形|行为|事项|内容|材料|条件)$"
    r"|(?:的|规定|约定|认为|认定)其[他它][^，,；]{0,20}$"
)
_OPEN_LEAD = re.compile(r"包括但不限于|例如(?!下)|一般包括|主要(?:包括|有)")
_GOES_ON = re.compile(r"等|、|和|或|及|与|以及|，(?:以及|和其他|或者其他|及其他)")
_CAME_BEFORE = re.compile(r"(?:、|和|或者?|以?及|与)$")
_NEGATION = re.compile(r"并不|并非|并未|没有|不|未|非|无|没|勿|莫")
_MARKER = re.compile(
    r"(?m)(?:^[ \t　]*|(?<=[：；:;。]))(?:[（(]([一二三四五六七八九十]+|[0-9]+)[）)]|([0-9]+)[.．、](?![0-9]))"
)


class Violation(NamedTuple):
    """A question that breaks a gate. `question_id` is "" for what a batch breaks as a whole."""

    question_id: str
    gate: int
    what: str


class _Claim(NamedTuple):
    """A statement that must stand in no text, or else `violation`."""

    statement: str
    violation: Violation


def violations(
    questions: Sequence[Json], texts: Mapping[str, str], in_force: Mapping[str, bool]
) -> list[Violation]:
    """What is wrong with a batch of questions, given every text that can be seen and which are in force."""
    found: list[Violation] = list(unbalanced(questions))
    claims: list[_Claim] = []
    for question in questions:
        for gate, result in _judged(question, texts, in_force):
            if isinstance(result, str):
                found.append(Violation(question["question_id"], gate, result))
            else:
                claims.append(_Claim(result[0], Violation(question["question_id"], gate, result[1])))
    standing = _standing({c.statement for c in claims}, texts.values())
    found += [c.violation for c in claims if c.statement in standing]
    return sorted(set(found), key=lambda v: (v.gate, v.question_id, v.what))


Finding = tuple[int, str | tuple[str, str]]
"""A gate with what breaks it; or with a statement, and what is wrong if that stands in some text."""


def _judged(question: Json, texts: Mapping[str, str], in_force: Mapping[str, bool]) -> Iterator[Finding]:
    """All that one question shows by itself."""
    yield from ((1, what) for what in _options(question))
    cited = question["citation"]
    if cited is None or cited["document_id"] not in texts:
        yield 2, "cites no text that can be seen"
        return
    text = texts[cited["document_id"]]
    if not in_force.get(cited["document_id"], False):
        yield 2, "cites a text that is not in force"
    yield from ((2, what) for what in _cited(question, text))
    yield from _distractors(question, text)
    yield from ((5, what) for what in _lists(question, text))
    if question["type"] == "true_false":
        yield from _truth(question, text)
    if question["type"] == "blank":
        yield from ((7, what) for what in _blanks(question, text))
    yield from ((8, what) for what in _stem(question))
    yield from ((9, what) for what in _craft(question))


# --- Reading a question


def keys(question: Json) -> list[str]:
    """What is right, as a list whatever the type."""
    answer = question["answer"]
    return [answer] if isinstance(answer, str) else list(answer)


def wrong(question: Json) -> list[str]:
    """The distractors of single and multiple choice; none for other types."""
    if question["type"] not in ("single", "multiple"):
        return []
    return [o for o in question["options"] if o not in keys(question)]


def body(question: Json) -> str:
    """The stem without the words that name the text."""
    return _PREFACE.sub("", question["stem"])


def filled(stem: str, values: Iterable[str]) -> str:
    """The stem with its gaps filled, one after the other."""
    for value in values:
        stem = stem.replace(GAP, value, 1)
    return stem


def _flat(text: str) -> str:
    """The text without spaces, widths in one form; numbers stay as they are written."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def _bare(text: str) -> str:
    """The flat text without a stop at its end."""
    return _flat(text).rstrip("。;:,.?")


def _parts(statement: str) -> list[str]:
    """The lead and the item that an ellipsis joins; one part without."""
    return [p for p in statement.split("……") if p]


def _segment(stem: str, value: str, stops: re.Pattern[str] = _STOPS) -> str:
    """What stands between stops around the first gap, with the gap filled."""
    return filled(next((s for s in stops.split(_parts(stem)[-1]) if GAP in s), ""), [value]).strip("，, ")


# --- Gate 1: options and keys


def _options(question: Json) -> Iterator[str]:
    """The key is among options that differ; several, and not all, of a multiple choice."""
    kind, options, right = question["type"], list(question["options"]), keys(question)
    if not right or not all(k.strip() for k in right):
        yield "no key"
    forms = [_bare(canonical(o)) for o in options]
    if len(set(forms)) < len(forms):
        yield f"options are the same: {options}"
    if options and not set(right) <= set(options):
        yield f"key {right} is not among the options {options}"
    if kind in ("single", "true_false") and len(right) != 1:
        yield f"{len(right)} keys"
    if kind == "single" and len(options) < 3:
        yield f"{len(options)} options"
    if kind == "true_false" and options != ["正确", "错误"]:
        yield f"options {options}"
    if kind == "multiple" and not 2 <= len(right) < len(options):
        yield f"{len(right)} keys of {len(options)} options"
    if kind == "multiple" and len(set(right)) < len(right):
        yield f"a key twice: {right}"
    if kind == "ordering" and sorted(right) != sorted(options):
        yield "the right order is not one of the parts"
    if kind == "matching":
        if len(right) != len(question["prompts"]) or len(set(right)) < len(right):
            yield f"{len(right)} answers for {len(question['prompts'])} prompts"
        if len(set(map(_flat, question["prompts"]))) < len(question["prompts"]):
            yield "prompts are the same"
    if kind in ("blank", "short") and options:
        yield "options where there are none"
    gaps = question["stem"].count(GAP)
    if gaps != {"single": 1, "multiple": 1, "blank": len(right)}.get(kind, 0):
        yield f"{gaps} gaps"


# --- Gate 2: the clause proves the key


def _cited(question: Json, text: str) -> Iterator[str]:
    """The quote is where it is said to be, in the clause that is named, and holds the key word for word."""
    cited, kind = question["citation"], question["type"]
    start, end, quote = cited["start"], cited["end"], cited["quote"]
    if text[start:end] != quote or not quote.strip():
        yield f"the text has {text[start:end]!r} where {quote!r} is quoted"
        return
    if _HEAD.search(quote, 1):
        yield "the quote runs into another article"
    heads = [m for m in _HEAD.finditer(text) if m.start() <= start]
    label = _flat(cited["path"][-1]) if cited["path"] else ""
    if heads and re.fullmatch(rf"第{_NUM}条(之{_NUM})?", label) and _flat(heads[-1][1]) != label:
        yield f"the quote stands in {heads[-1][1]}, not in {label}"
    places = [text[s:e] for s, e in question["places"]]
    if any(_cut_figure(text, s, e) for s, e in question["places"]):
        yield f"a key is cut out of a longer number: {places}"
    if not all(start <= s < e <= end for s, e in question["places"]):
        yield "a place that is asked for lies outside the quote"
    right = keys(question)
    if kind in ("single", "blank"):
        if places != right:
            yield f"key {right} is not what stands at its places: {places}"
        parts = _parts(filled(body(question), right))
        if _bare(parts[-1]) not in _flat(quote) or any(_bare(p) not in _flat(text) for p in parts[:-1]):
            yield "with the key put in place the stem is not the words of the clause"
    elif kind == "multiple":
        parts = _parts(body(question).split(GAP)[0])
        if (
            not parts
            or _bare(parts[-1]) not in _flat(quote)
            or any(_bare(p) not in _flat(text) for p in parts[:-1])
        ):
            yield "the stem is not the words of the clause"
    if kind == "short":
        right = [p["text"] for p in question["points"]] + right[0].split("；")
        if abs(sum(p["weight"] for p in question["points"]) - 1) > 0.02:
            yield "the points do not make up the whole"
    if kind != "true_false":
        right = right + list(question["prompts"])
        yield from (
            f"{k!r} is not word for word in the clause" for k in right if _flat(k) not in _flat(quote)
        )


def _cut_figure(text: str, start: int, end: int) -> bool:
    """Whether the place begins inside a number. The 千 of 320千瓦 belongs to the unit, that of 九千条 does not; the 4. of an item is no part of what it says."""
    inside, before = re.match(FIGURE, text[start:end]), _CUT_FIGURE.search(text[max(0, start - 9) : start])
    if (
        not inside
        or not before
        or re.search(r"(?:^|\n)[ \t　]*[0-9]+[.．]$", text[max(0, start - 9) : start])
    ):
        return False
    return figure(inside[0]) is not None or not before[0][-1].isascii()


# --- Gates 3 and 4: distractors


def _distractors(question: Json, text: str) -> Iterator[Finding]:
    """None is right, and each is of the key's kind."""
    right = keys(question)
    for option in wrong(question):
        for key in right:
            if same_or_overlapping(option, key):
                yield 3, f"{option} means {key} or overlaps with it"
            if _MODALS.get(option, option) == _MODALS.get(key, key):
                yield 3, f"{option} means {key}"
        if question["type"] == "multiple":
            if _bare(option) in _flat(question["citation"]["quote"]):
                yield 3, f"{option} is in the cited list"
        else:
            statement = canonical(_segment(body(question), option))
            if len(statement) >= 12:
                yield 3, (statement, f"with {option} in place this stands in a text: {statement}")
            yield from ((4, what) for what in kind_differs(question["slot"], right[0], option))
            if question["slot"] in ("body", "term") and cut_out(option, text):
                yield 4, f"{option} is cut out of a longer word"


def kind_differs(slot: str, key: str, other: str) -> Iterator[str]:
    """How `other` is not of the key's kind: number with its unit, date, modality, body, term."""
    if slot in ("number", "range"):
        one, two = amount(key), amount(other)
        if one is None or two is None:
            if canonical(key) == key or re.sub(FIGURE, "", canonical(key)) != re.sub(
                FIGURE, "", canonical(other)
            ):
                yield f"{other} is no amount like {key}"
        elif one.unit != two.unit or one.bound != two.bound or one.ranged != two.ranged:
            yield f"{other} is not of the kind of {key}"
    elif slot == "date":
        shapes = [_DATE.fullmatch(canonical(v)) for v in (key, other)]
        if (
            not shapes[0]
            or not shapes[1]
            or [bool(g) for g in shapes[0].groups()] != [bool(g) for g in shapes[1].groups()]
        ):
            yield f"{other} is no date like {key}"
    elif slot == "modality":
        if other not in _MODALS or key not in _MODALS:
            yield f"{other} is no modality like {key}"
    elif slot == "body":
        yield from (f"{v} is no body" for v in (key, other) if not _BODY.search(v))
    elif slot == "term":
        yield from (
            f"{v} is no whole term" for v in (key, other) if _EDGE_FIRST.match(v) or _EDGE_LAST.search(v)
        )
        yield from (f"{v} is no term, by its first or last word" for v in (key, other) if _strays(v))
        size = amount(other)
        if (size and len(size.unit) < 3) or other in _MODALS:
            yield f"{other} is no term like {key}"


def _strays(term: str) -> bool:
    """Whether it begins or ends with a word that no term begins or ends with."""
    words = list(rjieba.cut(term))
    return len(words) > 1 and bool(_NO_FIRST.fullmatch(words[0]) or _NO_LAST.fullmatch(words[-1]))


def cut_out(word: str, text: str) -> bool:
    """Whether the word never stands in the text between borders of words."""
    whole = [m.start() for m in re.finditer(re.escape(word), text)]
    for start in whole[:40]:
        left, right = max(0, start - 12), min(len(text), start + len(word) + 12)
        borders, at = {left}, left
        for token in rjieba.cut(text[left:right]):
            at += len(token)
            borders.add(at)
        if start in borders and start + len(word) in borders:
            return False
    return bool(whole)


# --- Gate 5: lists are whole


def _lists(question: Json, text: str) -> Iterator[str]:
    """The key of a list is all of it, and the list is closed."""
    if question["type"] not in ("multiple", "ordering") and (question["type"], question["slot"]) != (
        "short",
        "list",
    ):
        return
    places = sorted(map(tuple, question["places"]))
    if not places:
        yield "no places"
        return
    first, last = places[0][0], places[-1][1]
    marked = [m for m in _MARKER.finditer(text, 0, first) if not text[m.end() : first].strip()]
    if _OPEN_LEAD.search(text[question["citation"]["start"] : first]):
        yield "the list is said to be open"
    if marked:
        items = _items(text, marked[-1])
        if items is None:
            yield "the list does not begin with its first item"
            return
        got = {_bare(text[s:e]) for s, e in places}
        yield from (f"the list also has: {i}" for i in items if _bare(i) not in got)
    else:
        items = [text[s:e] for s, e in places]
        if _GOES_ON.match(text[last : last + 3]):
            yield f"the list goes on: {text[last : last + 6]}"
        if _CAME_BEFORE.search(text[max(0, first - 3) : first]):
            yield f"the list began before: {text[max(0, first - 6) : first]}"
        between = [text[a[1] : b[0]] for a, b in pairwise(places)]
        yield from (f"between items stands {b!r}" for b in between if len(b.strip()) > 4)
    yield from (f"a catch-all: {i}" for i in items if _CATCH_ALL.search(_bare(i)))


def _items(text: str, first: re.Match[str]) -> list[str] | None:
    """The items of a marked list from its first marker on; None if that is not number one."""
    if figure_of(first) != 1:
        return None
    bracketed = first[1] is not None
    end = head.start() if (head := _HEAD.search(text, first.end())) else len(text)
    marks = [first]
    for mark in _MARKER.finditer(text, first.end(), end):
        if (mark[1] is not None) == bracketed and figure_of(mark) == len(marks) + 1:
            marks.append(mark)
        elif (mark[1] is not None) == bracketed and figure_of(mark) == 1:
            break
    ends = [m.start() for m in marks[1:]] + [end]
    items = [text[m.end() : e] for m, e in zip(marks, ends, strict=True)]
    items[-1] = items[-1].strip().split("\n")[0]
    return [i.strip() for i in items]


def figure_of(mark: re.Match[str]) -> int:
    """The number of a list marker."""
    return int(canonical(mark[1] or mark[2]))


# --- Gate 6: true and false


def _truth(question: Json, text: str) -> Iterator[Finding]:
    """A true statement is the clause's words; a false one differs in one slot, and stands nowhere."""
    cited = question["citation"]
    quote, parts = _flat(cited["quote"]), _parts(body(question))
    statement = _bare(parts[-1])
    if any(_bare(p) not in _flat(text) for p in parts[:-1]):
        yield 6, "the lead is not the words of the text"
        return
    if keys(question) == ["正确"]:
        if statement not in quote:
            yield 6, "said to be true, and not the words of the clause"
        return
    if statement in quote:
        yield 6, "said to be false, and the words of the clause"
        return
    if len(question["places"]) != 1:
        yield 6, f"{len(question['places'])} places changed"
        return
    start, end = question["places"][0]
    key = text[start:end]
    before, after = _flat(text[cited["start"] : start]), _bare(text[end : cited["end"]])
    # The statement may begin or end inside the quote; it must still run up to the place, and on from it.
    long = next((n for n in range(len(before), -1, -1) if statement.startswith(before[len(before) - n :])), 0)
    tail = next((n for n in range(len(after), -1, -1) if statement.endswith(after[:n])), 0)
    put = statement[long : len(statement) - tail]
    if (
        not statement.startswith(before)
        or not statement.endswith(after)
        or not put
        or re.search("[。;,]", put)
    ):
        yield 6, f"changed elsewhere than at {key!r}, or in more than that"
        return
    yield from ((4, f"the slot is of another kind: {w}") for w in kind_differs(question["slot"], key, put))
    if canonical(put) == canonical(key) or same_or_overlapping(put, key):
        yield 6, f"{put} means {key}"
    if _MODALS.get(put, put) == _MODALS.get(key, key):
        yield 6, f"{put} means {key}"
    if _NEGATION.sub("", put) == _NEGATION.sub("", key):
        yield 6, f"{put} is {key} negated"
    for sentence in _STOPS.split(before + GAP + after):
        if GAP in sentence:
            whole = canonical(sentence.replace(GAP, put)).strip(",")
            if len(whole) >= 12:
                yield 6, (whole, f"said to be false, and stands in a text: {whole}")


def unbalanced(questions: Sequence[Json]) -> Iterator[Violation]:
    """As many true as false, give or take one; three in a hundred of a large batch."""
    judged = [keys(q) == ["正确"] for q in questions if q["type"] == "true_false"]
    true, false = sum(judged), len(judged) - sum(judged)
    allowed = max(1, 0.06 * len(judged)) if len(judged) > 100 else 1
    if abs(true - false) > allowed:
        yield Violation("", 6, f"{true} true and {false} false")


# --- Gate 7: one way to fill a blank


def _blanks(question: Json, text: str) -> Iterator[str]:
    """The text fills each gap in one way, and what else is accepted means the same."""
    right = keys(question)
    for key, accepted in zip(right, question["accepted"] or [[]] * len(right), strict=False):
        yield from (
            f"{a} is accepted for {key}"
            for a in accepted
            if canonical(a) != canonical(key) and not same_or_overlapping(a, key)
        )
        yield from (f"{a} is accepted and is the key" for a in accepted if a == key)
    parts = _parts(body(question))
    lines = "。".join(map(_flat, _HEAD.sub("\n", text).splitlines()))
    for sentence in _STOPS.split(parts[-1]):
        # An item says the same under several leads; its lead is in the stem, and tells them apart.
        if GAP not in sentence or len(parts) > 1 or len(_flat(sentence.replace(GAP, ""))) < 6:
            continue
        frame = "([^。;:,]{1,40}?)".join(re.escape(_flat(p)) for p in sentence.strip("，, ").split(GAP))
        ways = {
            canonical("|".join(m.groups()))
            for m in re.finditer(rf"(?:^|(?<=[。;:,)])){frame}(?=[。;:]|$)", lines)
        }
        if len(ways) > 1:
            yield f"the text fills it in {len(ways)} ways: {sorted(ways)}"


# --- Gate 8: the stem by itself


def _stem(question: Json) -> Iterator[str]:
    """It points at nothing that is not shown, and does not give the key away."""
    stem, kind = body(question), question["type"]
    if hanging := _HANGING.search(stem):
        yield f"left hanging: {hanging[0]}"
    if opening := _OPENING.match(stem):
        yield f"begins with {opening[0]}"
    for option in question["options"]:
        if hanging := _HANGING.search(option):
            yield f"left hanging in an option: {hanging[0]}"
    # A list is shown by an item of it, after its lead or an ellipsis.
    unshown = _UNSHOWN.search(stem) if kind in ("single", "blank", "true_false") else None
    if unshown and "……" not in stem and not re.search("：.", stem[unshown.end() :]):
        yield f"{unshown[0]} and nothing is shown"
    if not _PREFACE.match(question["stem"]) and re.search(r"本(法|条例|办法|规定|决定|细则|规则)", stem):
        yield "本法 and no text is named"
    rest = canonical(question["stem"].replace(GAP, "\n").replace("\n", "|"))
    if kind in ("single", "multiple", "blank", "ordering"):
        yield from (f"the stem has the key {k}" for k in keys(question) if _inside(canonical(k), rest))
    if kind == "short":
        yield from (
            f"the stem has the point {p['text']}" for p in question["points"] if canonical(p["text"]) in rest
        )
    if kind == "matching":
        for prompt, answer in zip(question["prompts"], keys(question), strict=False):
            holding = [o for o in question["options"] if prompt in o]
            if holding == [answer]:
                yield f"only its own option has the words {prompt}"


def _inside(key: str, text: str) -> bool:
    """Whether the key stands in the text, and not as part of a longer number."""
    before = "(?<![0-9.])" if key[:1].isdigit() else ""
    after = "(?![0-9])" if key[-1:].isdigit() else ""
    return re.search(before + re.escape(key) + after, text) is not None


# --- Gate 9: craft


def _craft(question: Json) -> Iterator[str]:
    """Flaws by which an option can be picked or dropped without knowing the text."""
    options, right = list(question["options"]), keys(question)
    if question["type"] not in ("single", "multiple"):
        return
    if any(re.search(r"以上(都|均|皆|全)|都(是|不是|对)$|全部正确", o) for o in options):
        yield "all or none of the above"
    if question["type"] == "multiple":
        return
    others = wrong(question)
    if len(right[0]) >= 1.6 * max(map(len, others), default=0) and len(right[0]) > 6:
        yield f"the key is by far the longest: {right[0]} among {others}"
    stem = canonical(question["stem"].replace(GAP, ""))
    yield from (
        f"the stem has the distractor {o}" for o in others if len(o) > 1 and _inside(canonical(o), stem)
    )
    if question["slot"] in ("number", "range", "date"):
        arabic = {bool(re.search("[0-9０-９]", o)) for o in options}
        if len(arabic) > 1:
            yield f"figures in two forms: {options}"
        sizes = [amount(o) for o in options]
        known = [s[:2] for s in sizes if s is not None]
        if (
            len(known) == len(sizes)
            and len({s.unit for s in sizes if s}) == 1
            and known not in (sorted(known), sorted(known)[::-1])
        ):
            yield f"amounts in no order: {options}"
        if question["slot"] == "date":
            days = [[int(float(n)) for n in re.findall("[0-9]+", canonical(o))] for o in options]
            if days not in (sorted(days), sorted(days)[::-1]):
                yield f"dates in no order: {options}"


# --- What stands in the texts


def _standing(statements: set[str], texts: Iterable[str]) -> set[str]:
    """Which of the canonical statements stand in a text, whole between stops."""
    width = 12
    sought: dict[str, list[str]] = {}
    for statement in statements:
        sought.setdefault(statement[:width], []).append(statement)
    found: set[str] = set()
    for text in texts if sought else ():
        plain = _plain(text)
        for at in range(len(plain) - width + 1):
            for statement in sought.get(plain[at : at + width], ()):
                end = at + len(statement)
                if plain.startswith(statement, at) and {plain[at - 1 : at], plain[end : end + 1]} <= _BORDERS:
                    found.add(statement)
    return found


@lru_cache(maxsize=512)
def _plain(text: str) -> str:
    """The text in canonical form, line by line, without the numbers of its articles."""
    return "\n".join(map(canonical, _HEAD.sub("\n", text).splitlines()))

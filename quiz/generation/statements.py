"""From a document to the statements that can be asked about: sentences, items under their lead, lists.

A statement stands alone: what only points back (前款, 该, 逾期不改的 …) takes the sentence before
with it, or is no statement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kb.model import Clause, Document, Kind, Part

LONGEST = 200
SHORTEST = 10
_SENTENCE = re.compile(r"[^。！？\n]+[。！？]?")
_LABEL = re.compile(
    r"^[\s　]*(?:第[〇零一二三四五六七八九十百千万0-9]+[条款项](?:之[一二三四五六七八九十]+)?|[（(][一二三四五六七八九十0-9]+[)）]|[0-9]{1,2}[.．、](?![0-9])|[一二三四五六七八九十]+、|[①-⑳])[\s　]*"
)
_HANGING = re.compile(
    r"(?<!应)该|上述|上列|前述|本条(?!例)|本款|本章|本编|本项|本节|前[一二两三四五0-9]?[款条项]|前[二三两]款|如下图|下表|附件|附表|以上(?:规定|情形|人员|事项|行为)|此(?:项|类|种|外|前|后)|同上|第[一二三四五六七八九十]+[款项]"
)
_ELLIPTIC = re.compile(
    r"^(?:这|那|另外|此外|其次|再次|于是|所以|结果|其|但|但是|同时|并|也|还|且|此|对此|因此|否则|情节|逾期|有前|构成|造成|拒不|需要|违反前|依照前|符合前|经前|仍|无正当|尚未|未按|上述|如果|有异议|不服|未|后|属于|又|再|特别|必要时|期满|届满|到期|满期)"
)
_LISTING = re.compile(r"(?:下列|以下|如下)")
_CONTACT = re.compile(r"电话|联系人|邮箱|传真|邮编")
_ENDS = "。；，、;,"
"""What an item of a list ends with; one that does not was torn."""
_TABLE = re.compile(r"\t")
CATCH_ALL = re.compile(r"其他|其它|等(?:[^级同候待于价额量效次]|$)")


@dataclass(frozen=True, slots=True)
class Statement:
    """Text that says one thing: `document.text[start:end]`, in `clause`.

    `lead` stands before it when it is asked about: the line over the items of a list; it is not part of the
    span. `item` says that it is one item of a list. What is asked about begins at `focus` in the text; before
    that stands the sentence before. `context` says that it needs one, which could not be had.
    """

    clause: Clause
    start: int
    end: int
    text: str
    lead: str = ""
    item: bool = False
    focus: int = 0
    context: bool = False

    @property
    def whole(self) -> str:
        """Lead and text as a stem holds them."""
        return f"{self.lead}{self.text}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that stands under its lead: `lead` ends with ：. Items are spans without label and stop.

    `exhaustive` is false where an item catches all others (其他) or the lead says 等.
    """

    clause: Clause
    start: int
    end: int
    lead: str
    items: tuple[tuple[int, int], ...]
    exhaustive: bool


def body_clauses(document: Document) -> list[Clause]:
    """The clauses that say something: not the title block, tables of contents or bare headings."""
    numbered = [c for c in document.clauses if c.anchor != "top"]
    if not numbered or (document.meta.kind in (Kind.ARTICLE, Kind.CASE)):
        return list(document.clauses)
    return numbered


def statements(document: Document, clause: Clause) -> Iterator[Statement]:
    """The statements of a clause, in their order."""
    for start, end, parts in _paragraphs(document, clause):
        lead = _lead(document, start, parts)
        if lead is None:
            yield from _sentences(document, clause, start, end)
        else:
            yield from _items(document, clause, lead, parts)


def listings(document: Document, clause: Clause) -> Iterator[Listing]:
    """The lists of a clause that stand under a lead and have at least two items."""
    for start, end, parts in _paragraphs(document, clause):
        lead = _lead(document, start, parts)
        if (
            lead is None
            or not _LISTING.search(lead)
            or lead.startswith(("以下", "下列"))
            or is_hanging(lead)
            or _ELLIPTIC.match(lead)
        ):
            continue
        if any(document.text[p.start : p.end].rstrip()[-1:] not in _ENDS for p in _direct(parts)):
            continue
        items = [_trimmed(document.text, p.start, p.end) for p in _direct(parts)]
        spans = [(s, e) for s, e in items if e - s >= 2]
        texts = [document.text[s:e] for s, e in spans]
        if len(spans) < 2 or len(spans) != len(items) or any("\n" in t or is_hanging(t) for t in texts):
            continue
        exhaustive = not any(re.search("其[他它]", t) or CATCH_ALL.search(t[-3:]) for t in texts)
        begin, _ = _trimmed(document.text, start, end)
        yield Listing(clause, begin, spans[-1][1], lead, tuple(spans), exhaustive)


def is_hanging(text: str) -> bool:
    """Whether something in it points at what is not there.

    >>> is_hanging("前款规定的人员应当回避。"), is_hanging("本条例所称职工，是指在册人员。"), is_hanging("应该报告。")
    (True, False, False)
    """
    return bool(_HANGING.search(text))


def _paragraphs(document: Document, clause: Clause) -> Iterator[tuple[int, int, list[Part]]]:
    """Each 款 of the clause with the items below it; a clause without parts is one."""
    tops = [p for p in clause.parts if p.depth == 0]
    below = [p for p in clause.parts if p.depth > 0]
    if not tops:
        yield clause.start, clause.end, below
        return
    for i, top in enumerate(tops):
        end = tops[i + 1].start if i + 1 < len(tops) else clause.end
        yield top.start, end, [p for p in below if top.start <= p.start < end]


def _direct(parts: list[Part]) -> list[Part]:
    """Items of the highest level, each reaching up to the next."""
    depth = min(p.depth for p in parts)
    return [p for p in parts if p.depth == depth]


def _lead(document: Document, start: int, parts: list[Part]) -> str | None:
    """The line that ends with ： before the items, without its label; None if there is no list."""
    if not parts:
        return None
    text = document.text[start : parts[0].start].strip()
    text = _LABEL.sub("", text).strip()
    if not text.endswith(("：", ":")) or "\n" in text:
        return None
    last = re.split(r"[。！？]", text)[-1]
    return last.rstrip(":") + ("" if last.endswith("：") else "：")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without label in front and without space and stop behind."""
    piece = text[start:end]
    if m := _LABEL.match(piece):
        start += m.end()
    while end > start and text[end - 1] in " \n　；;。，、":
        end -= 1
    while start < end and text[start] in " \n　":
        start += 1
    return start, end


def _sentences(document: Document, clause: Clause, start: int, end: int) -> Iterator[Statement]:
    text = document.text
    before: tuple[int, int] | None = None
    for m in _SENTENCE.finditer(text, start, end):
        s, e = m.start(), m.end()
        if label := _LABEL.match(text[s:e]):
            s += label.end()
        while s < e and text[s] in " 　":
            s += 1
        if not text[s:e].endswith(("。", "！", "？")) or _TABLE.search(text[s:e]):
            before = None
            continue
        begin = s
        if s == m.start() and _is_torn(text[clause.start : s]):
            before = None
            continue
        if before is not None and (_ELLIPTIC.match(text[s:e]) or _fits(text[before[0] : e])):
            begin = before[0]
        statement = _statement(clause, text, begin, e) if e - begin <= LONGEST else None
        if statement is not None:
            yield replace(statement, focus=s - begin, context=before is not None and begin == s)
        elif e - begin > LONGEST:
            yield from _halves(clause, text, begin, e)
        before = (s, e)


def _fits(text: str) -> bool:
    """Whether two sentences can stand in one stem."""
    return len(text) <= LONGEST and not is_hanging(text) and not _ELLIPTIC.match(text) and "下列" not in text


def _is_torn(before: str) -> bool:
    """Whether a line goes on with the sentence of the line before, which is long and has no stop at its end."""
    lines = before.rstrip(" 　").split("\n")
    if lines[-1] or len(lines) < 2:
        return False
    last = lines[-2].strip()
    return len(last) >= 12 and last[-1] not in "。；：！？;:!?”）)"


def _halves(clause: Clause, text: str, start: int, end: int) -> Iterator[Statement]:
    """A sentence that is too long, cut at its semicolons."""
    for m in re.finditer(r"[^；]+[；。]?", text[start:end]):
        if statement := _statement(clause, text, start + m.start(), start + m.end()):
            yield replace(statement, context=m.start() > 0)


def _statement(clause: Clause, text: str, start: int, end: int) -> Statement | None:
    said = text[start:end]
    if not SHORTEST <= len(said) <= LONGEST or "\n" in said or "？" in said:
        return None
    if (
        _ELLIPTIC.match(said)
        or is_hanging(said)
        or "下列" in said
        or "如下" in said
        or said.count("“") != said.count("”")
        or _CONTACT.search(said)
    ):
        return None
    return Statement(clause, start, end, said)


def _items(document: Document, clause: Clause, lead: str, parts: list[Part]) -> Iterator[Statement]:
    text = document.text
    if is_hanging(lead) or _ELLIPTIC.match(lead) or len(lead) > 100:
        return
    for part in _direct(parts):
        end = next((p.start for p in parts if p.start > part.start), part.end)
        s, e = _trimmed(text, part.start, min(part.end, end))
        said = text[s:e]
        if (
            6 <= len(said) <= LONGEST - len(lead)
            and "\n" not in said
            and not is_hanging(said)
            and said[-1] not in "：:"
        ):
            yield Statement(clause, s, e, said, lead=f"{lead}……", item=True)

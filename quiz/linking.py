"""Which clause a question from elsewhere was made from: found by our own search, and believed only if the key stands there.

The stem with its key filled in is searched for. In the clauses that are found the key must stand, in any
number form, in sentences that say most of what the stem says, and nothing else may stand in the key's place.
A question for which that is nowhere so stays without a citation.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kb.errors import InvalidRequest, NotFound
from kb.model import Answer, Clause, Document, Query, Validity
from quiz.citing import Citing, cited
from quiz.duplicates import GAP
from quiz.exchange import Row
from quiz.form import Form, form, pairs
from quiz.model import TRUE, Question, Type
from quiz.soundness import fault
from store.catalog import Catalog

Search = Callable[[Query], Answer]

N_CLAUSES = 10
"""Clauses that are looked into for one question."""
LEAST = 0.6
"""Share of what is asked, in pairs of characters, that the cited sentences must say, with title and headings."""
LEAST_STATED = 0.75
"""The same of a statement that is right or wrong: all but a changed place stands in the text."""
_LONGEST_QUERY = 500
_N_BESIDE = 4
"""Characters beside a gap by which its place is known again."""
_SHORTEST = 8
"""Characters that parts to be ordered or matched must have together: fewer stand anywhere."""
_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；]?")
_SOURCE = re.compile(r"^(?:根据|依据|按照|依照)?《[^》]*》(?:第[^，,：:]{1,12}条)?(?:的?规定)?[，,：:]?")
_ASKING = re.compile(
    r"下列|以下|哪些|哪个|哪项|什么|多少|多久|多长时间|如何|怎样|是否|(?:说法|表述)?正确的(?:说法|表述)?是?|的是$|包括|属于"
)
_NEGATIVE = re.compile(r"不正确|错误的|不属于|不包括|不符合|有误|不是")
_TELLING = re.compile(r"[0-9不未无非必可]")
"""What makes a statement that is nearly in the text another one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A span of the document that proves the key, where the key stands in it, and how much of what is asked it says."""

    start: int
    end: int
    places: tuple[tuple[int, int], ...]
    share: float


class Linking:
    """Links questions to the documents of one scope."""

    def __init__(self, search: Search, catalog: Catalog, scope: frozenset[str]) -> None:
        self._search = search
        self._citing = Citing(catalog, scope)
        self._scope = scope

    def rows(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The rows with their questions linked; what is no sound question has its problem told."""
        return tuple(self._row(row) for row in rows)

    def question(self, question: Question) -> Question:
        """The question with the citation that it brings if that stands, else with the one found, else with none.

        One whose document has an end is moved to a text in force that says the same, if there is one.
        """
        try:
            question = self._citing.settled(question)
        except (NotFound, InvalidRequest):
            # It was made from a text that is not here: as if it had come without.
            question = replace(question, citation=None, places=())
        if question.citation and self._citing.document(question.citation.document_id).meta.ended_on is None:
            return question
        found = self._linked(question)
        return found if found.citation else question

    def _row(self, row: Row) -> Row:
        if row.question is None:
            return row
        if problem := fault(row.question):
            return replace(row, question=None, problem=problem)
        return replace(row, question=self.question(row.question))

    def _linked(self, question: Question) -> Question:
        proofs = [
            (found.share, -n, document, found)
            for n, (document, clause) in enumerate(self._clauses(question))
            if (found := find(question, document, clause))
        ]
        if not proofs:
            return question
        _, _, document, found = max(proofs, key=lambda p: p[:2])
        topics = question.topics or (document.meta.title,)
        return replace(
            question, citation=cited(document, found.start, found.end), places=found.places, topics=topics
        )

    def _clauses(self, question: Question) -> Iterator[tuple[Document, Clause]]:
        """The clauses in force that our search finds for the question, best first, each once."""
        answer = self._search(
            Query(
                _filled(question)[:_LONGEST_QUERY],
                self._scope,
                k=N_CLAUSES,
                validity=frozenset({Validity.IN_FORCE}),
            )
        )
        for document_id, clause_id in dict.fromkeys((h.document_id, h.clause_id) for h in answer.hits):
            document = self._citing.document(document_id)
            yield from ((document, c) for c in document.clauses if c.clause_id == clause_id)


def find(question: Question, document: Document, clause: Clause) -> Found | None:
    """Where in the clause the key is proved, in as few sentences as say enough; None if nowhere."""
    sentences = _sentences(document.text, clause)
    above = form(" ".join((document.meta.title, *clause.path))).text
    if question.type is Type.TRUE_FALSE:
        return _stated(question, document.text, sentences, above)
    if question.type is Type.SHORT:
        # What answers it fully may be said all over the clause.
        asked = pairs(form(question.answer[0]).text)
        said = pairs(form(document.text[clause.start : clause.end]).text)
        share = _share(asked, said)
        return Found(sentences[0][0], sentences[-1][1], (), share) if sentences and share >= LEAST else None
    return _keyed(question, document.text, clause, sentences, above)


def _keyed(
    question: Question, text: str, clause: Clause, sentences: Sequence[tuple[int, int]], above: str
) -> Found | None:
    keys = tuple(_in_place(question, n, key) for n, key in enumerate(_keys(question)))
    if not keys or not all(keys):
        return None
    parts = [form(_ASKING.sub(" ", part)).text for part in GAP.split(_SOURCE.sub("", question.stem))]
    asked = frozenset().union(*map(pairs, (*parts, *keys)))
    if question.type in (Type.ORDERING, Type.MATCHING):
        asked = frozenset().union(*map(pairs, keys)) if sum(map(len, keys)) >= _SHORTEST else frozenset()
    whole = form(text[clause.start : clause.end])
    proofs = []
    for spans in _standing(whole, keys, in_order=question.type is Type.BLANK):
        places = tuple((clause.start + s, clause.start + e) for s, e in (whole.span(*at) for at in spans))
        for start, end in _windows(sentences, places):
            said = form(text[start:end]).text
            share = _share(asked, pairs(said) | pairs(above))
            if share >= LEAST and not _is_contradicted(parts, keys, said):
                proofs.append(Found(start, end, places, share))
                break
    return max(proofs, key=lambda p: p.share, default=None)


def _stated(question: Question, text: str, sentences: Sequence[tuple[int, int]], above: str) -> Found | None:
    asked = pairs(form(_SOURCE.sub("", GAP.sub("", question.stem))).text)
    proofs = []
    for n, (start, end) in enumerate(sentences):
        for last in {end, sentences[min(n + 1, len(sentences) - 1)][1]}:
            said = pairs(form(text[start:last]).text) | pairs(above)
            differs = any(_TELLING.search(pair) for pair in asked - said)
            share = _share(asked, said)
            if share >= LEAST_STATED and not (differs and question.answer == (TRUE,)):
                proofs.append(Found(start, last, (), share))
    return max(proofs, key=lambda p: (p.share, p.start - p.end), default=None)


def _filled(question: Question) -> str:
    """What is searched for: the stem with its key in it."""
    if GAP.search(question.stem):
        return GAP.sub("，".join(question.answer), question.stem)
    if question.type is Type.TRUE_FALSE:
        return question.stem
    return "，".join((question.stem, *question.prompts, *question.answer))


def _keys(question: Question) -> tuple[str, ...]:
    """What must stand in the clause; nothing where it is what the clause does not say that is asked for."""
    if question.type in (Type.ORDERING, Type.MATCHING):
        return (*question.prompts, *question.answer)
    return () if _NEGATIVE.search(question.stem) else question.answer


def _in_place(question: Question, n: int, key: str) -> str:
    """The form of a key as it stands in its gap: 五至七 is 5至7 only where 人 follows."""
    parts = GAP.split(_SOURCE.sub("", question.stem))
    if len(parts) < 2 or question.type not in (Type.SINGLE, Type.BLANK):
        return form(key).text
    gap = min(n, len(parts) - 2)
    before = parts[gap]
    whole = form(f"{before}{key}{parts[gap + 1]}")
    start, end = len(before), len(before) + len(key)
    return "".join(c for c, (s, e) in zip(whole.text, whole.spans, strict=True) if s < end and e > start)


def _standing(whole: Form, keys: Sequence[str], *, in_order: bool) -> Iterator[tuple[tuple[int, int], ...]]:
    """Where the keys stand together: for each place of the first, the nearest of every other, or the next after it."""
    places = [_occurrences(key, whole.text) for key in keys]
    if not all(places):
        return
    for first in places[0]:
        spans = [first]
        for others in places[1:]:
            at = spans[-1][1] if in_order else first[0]
            after = [o for o in others if o[0] >= at] if in_order else others
            if not after:
                break
            spans.append(min(after, key=lambda o: abs(o[0] - at)))
        else:
            yield tuple(spans)


def _occurrences(key: str, text: str) -> list[tuple[int, int]]:
    """Where the key stands in the text; 3 does not stand in 30."""
    spans = [m.span() for m in re.finditer(f"(?={re.escape(key)})", text)]
    return [
        (start, start + len(key))
        for start, _ in spans
        if not _cuts_number(text, start) and not _cuts_number(text, start + len(key))
    ]


def _cuts_number(text: str, at: int) -> bool:
    return text[max(0, at - 1) : at].isdigit() and text[at : at + 1].isdigit()


def _sentences(text: str, clause: Clause) -> list[tuple[int, int]]:
    """The sentences of the clause, without the space around them."""
    found = []
    for m in _SENTENCE.finditer(text, clause.start, clause.end):
        said = m.group().strip()
        if said:
            start = m.start() + m.group().index(said)
            found.append((start, start + len(said)))
    return found


def _windows(
    sentences: Sequence[tuple[int, int]], places: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The sentences in which the places are; then with the one before, then from the beginning of the clause."""
    start, end = min(s for s, _ in places), max(e for _, e in places)
    first = max(n for n, (s, _) in enumerate(sentences) if s <= start)
    last = min(n for n, (_, e) in enumerate(sentences) if e >= end)
    for begin in dict.fromkeys((first, max(first - 1, 0), 0)):
        yield sentences[begin][0], sentences[last][1]


def _share(asked: frozenset[str], said: frozenset[str]) -> float:
    return len(asked & said) / len(asked) if asked else 0.0


def _is_contradicted(parts: Sequence[str], keys: Sequence[str], said: str) -> bool:
    """Whether what stands beside a gap in the stem stands in the text beside something else than the key."""
    for before, after in pairwise(parts):
        left, right = before[-_N_BESIDE:], after[:_N_BESIDE]
        if len(left) == _N_BESIDE and left in said and not any(left + key in said for key in keys):
            return True
        if len(right) == _N_BESIDE and right in said and not any(key + right in said for key in keys):
            return True
    return False

"""Clauses to passages: what is retrieved."""

import re
from collections.abc import Iterator, Sequence

from kb.model import Clause, Flow, Passage, derive_id

TARGET = 320
"""Characters that a passage of a cut clause aims at."""
LIMIT = 480
"""Characters up to which a clause stays whole."""
FRONT_MIN = 60
"""A title block shorter than this, title left out, is no passage: it says nothing that the title does not."""

_SENTENCE = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+[”’」』）)]*|\n|$)")
_PHRASE = re.compile(r"[^；;，,、：:]*(?:[；;，,、：:]|$)")


def cut_passages(
    flow: Flow, clauses: Sequence[Clause], *, document_id: str, title: str
) -> tuple[Passage, ...]:
    """Cut clauses to retrievable size at the ends of paragraphs and sentences.

    A passage lies inside one clause and the passages of a clause tile it but
    for white space at their ends. A document with any text has at least one.

    A span inside one paragraph of an article that was cut has that paragraph's
    label at the end of its path, so that it is cited as 第十二条第二款.
    """
    found: list[Passage] = []
    for clause in clauses:
        front = clause.anchor == "top"
        if (
            front
            and len(clauses) > 1
            and len(flow.text[clause.start : clause.end].replace(title, "").strip()) < FRONT_MIN
        ):
            continue
        spans = list(_spans(flow.text, clause))
        for ordinal, (start, end) in enumerate(spans):
            path = clause.path if len(spans) == 1 else clause.path + _part_label(clause, start, end)
            found.append(
                Passage(
                    derive_id(document_id, clause.clause_id, str(ordinal)),
                    clause.clause_id,
                    ordinal,
                    start,
                    end,
                    path,
                    flow.page_at(start),
                )
            )
    return tuple(found)


def _part_label(clause: Clause, start: int, end: int) -> tuple[str, ...]:
    """The label of the one 款 that holds the span, if the clause is numbered and has several."""
    paragraphs = [p for p in clause.parts if p.depth == 0 and p.label.endswith("款")]
    holding = [p.label for p in paragraphs if p.start <= start and end <= p.end]
    return (holding[0],) if holding and len(paragraphs) > 1 else ()


def _spans(text: str, clause: Clause) -> Iterator[tuple[int, int]]:
    """Trimmed spans of the clause, none longer than LIMIT."""
    start, end = _trim(text, clause.start, clause.end)
    if start == end:
        return
    if end - start <= LIMIT:
        yield start, end
        return
    begin = at = start
    for piece in _pieces(text, start, end):
        if (at > begin and piece - begin > TARGET and at - begin >= TARGET // 3) or (
            piece - begin > LIMIT and at > begin
        ):
            yield _trim(text, begin, at)
            begin = at
        at = piece
    if end - begin and _trim(text, begin, end)[0] < end:
        yield _trim(text, begin, end)


def _pieces(text: str, start: int, end: int) -> Iterator[int]:
    """Where the text may be cut, rising, the last being `end`; never more than TARGET apart."""
    at = start
    for sentence in _SENTENCE.finditer(text, start, end):
        if sentence.end() == at:
            continue
        if sentence.end() - at <= TARGET:
            at = sentence.end()
            yield at
            continue
        for phrase in _PHRASE.finditer(text, at, sentence.end()):
            if phrase.end() == at:
                continue
            while phrase.end() - at > TARGET:
                at += TARGET
                yield at
            if phrase.end() > at:
                at = phrase.end()
                yield at


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end

"""Answers as JSON, the same for command line and HTTP."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from access.audit import Event
from kb.errors import RequestError
from kb.model import Answer, Document, DocumentCard, Hit


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as DESIGN's contract has it."""
    return {
        "query": answer.query,
        "total": answer.total,
        "took_ms": round(answer.took_ms, 3),
        "hits": [hit_json(h) for h in answer.hits],
        "facets": {k: dict(v) for k, v in answer.facets.items()},
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit. `legs` names each leg that found the passage, with rank and raw score."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "passage_id": hit.passage_id,
        "document_id": hit.document_id,
        "clause_id": hit.clause_id,
        "anchor": hit.anchor,
        "title": hit.title,
        "path": list(hit.path),
        "text": hit.text,
        "highlights": [list(span) for span in hit.highlights],
        "source": hit.source,
        "page": hit.page,
        "kind": hit.kind.value,
        "issuer": hit.issuer,
        "number": hit.number,
        "year": hit.year,
        "validity": hit.validity.value,
        "effective_on": _day(hit.effective_on),
        "start": hit.start,
        "end": hit.end,
        "legs": {leg: {"rank": s.rank, "score": round(s.score, 6)} for leg, s in hit.legs.items()},
        "terms": list(hit.terms),
    }


def card_json(card: DocumentCard) -> dict[str, Any]:
    """A document's title block."""
    found = asdict(card)
    for name in ("issued_on", "effective_on", "ended_on"):
        found[name] = _day(found[name])
    return found | {"kind": card.kind.value, "validity": card.validity.value}


def document_json(document: Document, card: DocumentCard) -> dict[str, Any]:
    """A document whole: title block, text, sections and clauses with their spans."""
    return card_json(card) | {
        "keywords": list(document.meta.keywords),
        "abstract": document.meta.abstract,
        "doi": document.meta.doi,
        "branch": document.meta.branch,
        "text": document.text,
        "sections": [
            {
                "section_id": s.section_id,
                "parent_id": s.parent_id,
                "level": s.level,
                "label": s.label,
                "heading": s.heading,
                "start": s.start,
                "end": s.end,
                "path": list(s.path),
            }
            for s in document.sections
        ],
        "clauses": [
            {
                "clause_id": c.clause_id,
                "section_id": c.section_id,
                "label": c.label,
                "anchor": c.anchor,
                "start": c.start,
                "end": c.end,
                "path": list(c.path),
                "parts": [
                    {"label": p.label, "depth": p.depth, "start": p.start, "end": p.end} for p in c.parts
                ],
            }
            for c in document.clauses
        ],
    }


def write_lines(file: Path, events: Iterable[Event]) -> None:
    """Write audit entries to a file, a JSON object a line.

    Raises:
        RequestError: the file cannot be written.
    """
    try:
        with file.open("w", encoding="utf-8") as out:
            out.writelines(event_line(event) for event in events)
    except OSError as error:
        raise RequestError(
            f"Cannot write {file}: {error.strerror}.", "Name a file in a folder that exists and has room."
        ) from error


def event_line(event: Event) -> str:
    """An audit entry as one line of JSON."""
    return json.dumps(asdict(event), ensure_ascii=False) + "\n"


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None

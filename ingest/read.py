"""One source to one document: read, reflow, metadata, structure, passages."""

from dataclasses import replace

from ingest.metadata import Sidecar, read_metadata
from ingest.passages import cut_passages
from ingest.readers import MAX_BYTES, read_source
from ingest.reflow import reflow
from ingest.structure import parse_structure
from kb.model import Document, Flow, Reading, Source, derive_id


def document_id_of(source: Source, *keeper: str) -> str:
    """The id of the document that these bytes are, with `keeper`s where it is not of the common library."""
    return derive_id("document", source.sha256, *keeper)


def copy_document(document: Document, document_id: str) -> Document:
    """The same document under another id, its sections, clauses and passages under ids that follow from it."""

    def new(old: str) -> str:
        return derive_id(document_id, old)

    return replace(
        document,
        document_id=document_id,
        sections=tuple(
            replace(s, section_id=new(s.section_id), parent_id=new(s.parent_id) if s.parent_id else None)
            for s in document.sections
        ),
        clauses=tuple(
            replace(c, clause_id=new(c.clause_id), section_id=new(c.section_id) if c.section_id else None)
            for c in document.clauses
        ),
        passages=tuple(
            replace(p, passage_id=new(p.passage_id), clause_id=new(p.clause_id)) for p in document.passages
        ),
    )


def read_document(
    source: Source,
    *,
    sidecar: Sidecar | None = None,
    max_bytes: int = MAX_BYTES,
    document_id: str | None = None,
) -> Document:
    """Take a source through every step up to its passages, under the id of its bytes if none is given.

    Raises:
        UnsupportedFormat, DocumentError: the source cannot become a document; says why.
    """
    document_id = document_id or document_id_of(source)
    reading = read_source(source, max_bytes)
    flow = reflow(reading)
    meta = read_metadata(reading, flow, name=source.name, sidecar=sidecar)
    structure = parse_structure(
        flow, document_id=document_id, kind=meta.kind, title=meta.title, body_from=_body_offset(reading, flow)
    )
    return Document(
        document_id=document_id,
        sha256=source.sha256,
        source=source.name,
        media_type=source.media_type,
        text=flow.text,
        meta=meta,
        sections=structure.sections,
        clauses=structure.clauses,
        passages=cut_passages(flow, structure.clauses, document_id=document_id, title=meta.title),
        pages=flow.pages,
    )


def _body_offset(reading: Reading, flow: Flow) -> int:
    """Where the block that the reader marked as the first of the body begins in the flow; 0 without a mark."""
    mark = reading.properties.get("body_from")
    if mark is None or int(mark) >= len(reading.blocks):
        return 0
    first = "".join(reading.blocks[int(mark)].text.split())[:12]
    for paragraph in flow.paragraphs[: int(mark) + 1]:
        if "".join(flow.text[paragraph.start : paragraph.end].split()).startswith(first):
            return paragraph.start
    return 0

"""One source to one document: read, reflow, metadata, structure, passages."""

from ingest.metadata import Sidecar, read_metadata
from ingest.passages import cut_passages
from ingest.readers import MAX_BYTES, read_source
from ingest.reflow import reflow
from ingest.structure import parse_structure
from kb.model import Document, Flow, Reading, Source, derive_id


def document_id_of(source: Source) -> str:
    """The id of the document that these bytes are."""
    return derive_id("document", source.sha256)


def read_document(source: Source, *, sidecar: Sidecar | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """Take a source through every step up to its passages.

    Raises:
        UnsupportedFormat, DocumentError: the source cannot become a document; says why.
    """
    document_id = document_id_of(source)
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

"""Plain working stand-ins for the adapters that are dear to start, and small things to make texts of."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kb.model import (
    PUBLIC,
    Clause,
    Document,
    Kind,
    Metadata,
    Passage,
    Validity,
    derive_id,
)
from kb.names import article_key, name_key
from kb.ports import Vectors
from search.analysis import fold, terms
from store.catalog import Catalog


@lru_cache(maxsize=1 << 16)
def _direction(term: str, dim: int) -> NDArray[np.float32]:
    return np.random.default_rng(crc32(term.encode())).standard_normal(dim, np.float32)


class HashingEncoder:
    """A fixed random direction for each keyword token, summed: the same in every process, without a model."""

    def __init__(self, name: str = "hashing", dim: int = 64) -> None:
        self._name = f"{name}-{dim}"
        self._dim = dim

    @property
    def name(self) -> str:
        """Name and length of the vectors."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def least_cosine(self) -> float:
        """Not known."""
        return -1.0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; a text without a letter or digit gives a zero row."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for text to be found."""
        out = np.zeros((len(texts), self._dim), np.float32)
        for row, text in zip(out, texts, strict=True):
            for term in terms(text):
                row += _direction(term, self._dim)
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, lengths, out=np.zeros_like(out), where=lengths > 0)


def make_document(
    name: str,
    clauses: Sequence[str] = ("正文。",),
    *,
    labels: Sequence[str] = (),
    title: str = "",
    kind: Kind = Kind.LAW,
    issuer: str | None = None,
    number: str | None = None,
    effective_on: date | None = None,
    issued_on: date | None = None,
    ended_on: date | None = None,
    end_reason: Validity | None = None,
    work: str = "",
    repeals: tuple[str, ...] = (),
) -> Document:
    """A document of the given clauses, one passage each; its ids follow from `name`."""
    document_id = derive_id("fake", name)
    text = "\n".join(clauses)
    found, at = [], 0
    for ordinal, clause in enumerate(clauses):
        end = min(at + len(clause) + 1, len(text))
        label = labels[ordinal] if labels else f"第{ordinal + 1}条"
        clause_id = derive_id(document_id, str(ordinal))
        found.append(Clause(clause_id, ordinal, label, f"c{ordinal}", at, end, (label,)))
        at = end
    passages = tuple(
        Passage(derive_id(c.clause_id, "passage"), c.clause_id, 0, c.start, c.end, c.path) for c in found
    )
    meta = Metadata(
        title or name,
        kind,
        issuer,
        number,
        None,
        issued_on,
        effective_on,
        ended_on,
        end_reason,
        work=work or f"work:{name}",
        repeals=repeals,
    )
    return Document(
        document_id,
        derive_id("bytes", name) * 4,
        f"{name}.txt",
        "text/plain",
        text,
        meta,
        (),
        tuple(found),
        passages,
    )


def put(catalog: Catalog, document: Document, *, audience: Sequence[str] = (PUBLIC,), **more: Any) -> bool:
    """Add a document with the keys that the pipeline would give it."""
    meta = document.meta
    return catalog.add(
        document,
        title_key=name_key(fold(meta.title).text),
        number_key=name_key(fold(meta.number).text) if meta.number else None,
        label_keys=[article_key(fold(c.label).text) or c.label for c in document.clauses],
        repeal_keys=[name_key(fold(name).text) for name in meta.repeals],
        n_bytes=0,
        audience=audience,
        **more,
    )

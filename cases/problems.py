"""Cases by their problem: each is two vectors, of its problem and of the whole, whose mean cosine to what is asked counts.

A problem is found by what it is about, not by the words that it shares: the encoder was made from problems
that were said twice, once as a report and once as people talk (`training/problems.py`).
"""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select, update

from access.office import Office
from cases.library import body_from
from cases.model import Body, Field
from cases.tables import case_versions, cases
from kb.ports import Encoder

_SHORTEST = 6
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_PROBLEM = (Field.TITLE, Field.PROBLEM, Field.BACKGROUND)
_WHOLE = (*_PROBLEM, Field.PRACTICE, Field.OUTCOME)
_BATCH = 200

Vectors = NDArray[np.float32]


def sentences(body: Body) -> list[str]:
    """The sentences that tell the problem of a case.

    >>> sentences({Field.TITLE: "夜里没人接电话", Field.PROBLEM: "值班的人睡着了。电话没人听。"})
    ['夜里没人接电话', '值班的人睡着了。', '电话没人听。']
    """
    found = [s.strip() for field in _PROBLEM for s in _SENTENCE.findall(body.get(field, ""))]
    return [s for s in dict.fromkeys(found) if len(s) >= _SHORTEST]


@dataclass(frozen=True, slots=True)
class _Held:
    """The vectors of every published case: row i of both is of documents[i]. `seq` is the catalog's number."""

    seq: int
    documents: tuple[str, ...]
    problem: Vectors
    whole: Vectors


class ProblemIndex:
    """Vectors of all published cases, kept beside them in the store. Safe to share between threads."""

    def __init__(self, office: Office, encoder: Callable[[], Encoder]) -> None:
        """`encoder` opens the encoder when the first problem is looked for."""
        self._office = office
        self._open = encoder
        self._encoder: Encoder | None = None
        self._held: _Held | None = None
        self._loading = threading.Lock()

    def near(self, problem: str, seq: int) -> dict[str, float]:
        """How near every published case is to a problem, by document; the asker's scope is for the caller to apply.

        `seq` is the catalog's number up to which documents have become cases.
        """
        held = self._load(seq)
        said = self._opened().encode_queries([problem])[0]
        scores = (held.problem @ said + held.whole @ said) / 2
        return dict(zip(held.documents, scores.tolist(), strict=True))

    def nearest(self, problem: str, body: Body) -> str:
        """The sentence of a case that is nearest to a problem; empty if it tells none."""
        found = sentences(body)
        if not found:
            return ""
        near = self.alike(problem, found)
        return found[near.index(max(near))]

    def alike(self, problem: str, others: Sequence[str]) -> list[float]:
        """How near each of other texts is to a problem: their cosines."""
        encoder = self._opened()
        near = encoder.encode_queries(others) @ encoder.encode_queries([problem])[0]
        return [float(n) for n in near]

    def _opened(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._open()
        return self._encoder

    def _load(self, seq: int) -> _Held:
        with self._loading:
            if self._held is None or self._held.seq != seq:
                self._make()
                self._held = self._read(seq)
            return self._held

    def _make(self) -> None:
        """Work out the vectors of what was published since, or with another encoder."""
        encoder = self._opened()
        v = case_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(v.document_id, v.body)
                .join(cases, cases.c.document_id == v.document_id)
                .where(or_(v.profile_model.is_(None), v.profile_model != encoder.name[:40]))
            ).all()
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            told = [[_text(body_from(r.body), fields) for r in some] for fields in (_PROBLEM, _WHOLE)]
            made = np.stack([encoder.encode_passages(texts) for texts in told], axis=1).astype(np.float16)
            with self._office.writing() as connection:
                for row, vectors in zip(some, made, strict=True):
                    connection.execute(
                        update(case_versions)
                        .where(v.document_id == row.document_id)
                        .values(profile=vectors.tobytes(), profile_model=encoder.name[:40])
                    )

    def _read(self, seq: int) -> _Held:
        encoder = self._opened()
        v = case_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(v.document_id, v.profile)
                .join(cases, cases.c.document_id == v.document_id)
                .where(v.profile_model == encoder.name[:40])
                .order_by(v.document_id)
            ).all()
        vectors = np.frombuffer(b"".join(r.profile for r in rows), np.float16).reshape(-1, 2, encoder.dim)
        documents = tuple(r.document_id for r in rows)
        return _Held(seq, documents, vectors[:, 0].astype(np.float32), vectors[:, 1].astype(np.float32))


def _text(body: Body, fields: Sequence[Field]) -> str:
    return "\n".join(body.get(field, "") for field in fields)

"""Cases by their problem: first as wholes, then the nearest of them token by token.

A problem is found by what it is about, not by the words that it shares: the encoder was made from problems
that were said twice, once as a report and once as people talk (`training/problems.py`). Each case has two vectors,
of its problem and of the whole. The numbers below were chosen with `benchmarks/case_finding.py`.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select, update

from access.office import Office
from cases.library import body_from
from cases.model import Body, Field
from cases.tables import case_versions, cases
from kb.ports import Encoder, TokenEncoder

_SHORTEST = 6
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_PROBLEM = (Field.TITLE, Field.PROBLEM, Field.BACKGROUND)
_WHOLE = (*_PROBLEM, Field.PRACTICE, Field.OUTCOME)
_BATCH = 200

_COMMON = 0.1
"""How much of what all cases in question have in common is taken off each."""
_DEPTH = 60
"""Cases that are looked at token by token."""
_BY_TOKEN = 0.32
"""What the tokens add to the cosine of the wholes."""
_UNLIKE = 0.2
"""Cosine up to which two tokens have nothing to do with each other."""

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
    places: Mapping[str, int]
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
        self._rows: dict[str, NDArray[np.int64]] = {}
        self._loading = threading.Lock()

    def near(self, problem: str, documents: Sequence[str], seq: int) -> dict[str, float]:
        """How near these documents' cases are to a problem, best first. Nothing but these has a part in the scores.

        `seq` is the catalog's number up to which documents have become cases.
        """
        held = self._load(seq)
        places = [held.places[d] for d in documents if d in held.places]
        if not places:
            return {}
        said = self._opened().encode_queries([problem])[0]
        vectors = (held.problem[places] + held.whole[places]) / 2
        wholes = vectors @ (said - _COMMON * held.problem[places].mean(axis=0))
        ranked = [(held.documents[places[i]], float(wholes[i])) for i in np.argsort(-wholes, kind="stable")]
        first, rest = self._by_token(problem, ranked[:_DEPTH]), ranked[_DEPTH:]
        # What was not looked at token by token stays behind.
        behind = min(0.0, first[-1][1] - rest[0][1]) if rest else 0.0
        return dict([*first, *((document_id, score + behind) for document_id, score in rest)])

    def _by_token(self, problem: str, found: list[tuple[str, float]]) -> list[tuple[str, float]]:
        """The same cases with what their tokens add, best first; source: Khattab and Zaharia 2020 (late interaction)."""
        encoder = self._opened()
        asked = _distinct(encoder, problem) if isinstance(encoder, TokenEncoder) else None
        if not isinstance(encoder, TokenEncoder) or asked is None or not len(asked):
            return found
        self._learn_rows(encoder, [document_id for document_id, _ in found])
        vectors, weights = _unit(encoder.row_vectors(asked))
        rescored = []
        for document_id, score in found:
            rows = self._rows[document_id]
            if len(rows):
                best = (vectors @ _unit(encoder.row_vectors(rows))[0].T).max(axis=1)
                fit = float(weights @ np.maximum(best - _UNLIKE, 0) / weights.sum())
                score += _BY_TOKEN * fit
            rescored.append((document_id, score))
        return sorted(rescored, key=lambda r: -r[1])

    def _learn_rows(self, encoder: TokenEncoder, documents: Sequence[str]) -> None:
        """Read the tokens of the problems of cases that were not yet looked at."""
        missing = [d for d in documents if d not in self._rows]
        v = case_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(select(v.document_id, v.body).where(v.document_id.in_(missing))).all()
        bodies = {r.document_id: _text(body_from(r.body), _PROBLEM) for r in rows}
        for document_id in missing:
            self._rows[document_id] = _distinct(encoder, bodies.get(document_id, ""))

    def nearest(self, problem: str, bodies: Sequence[Body]) -> list[str]:
        """Of each case the sentence that is nearest to a problem; empty if it tells none."""
        told = [sentences(body) for body in bodies]
        near = iter(self.alike(problem, [sentence for found in told for sentence in found]))
        return [max(found, key=lambda _: next(near)) if found else "" for found in told]

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
        places = {document_id: place for place, document_id in enumerate(documents)}
        wide = vectors.astype(np.float32)
        return _Held(seq, documents, places, wide[:, 0], wide[:, 1])


def _text(body: Body, fields: Sequence[Field]) -> str:
    return "\n".join(body.get(field, "") for field in fields)


def _unit(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """The vectors at length 1, and the lengths that they had."""
    lengths = np.linalg.norm(vectors, axis=1)
    return vectors / np.maximum(lengths, 1e-6)[:, None], lengths


def _distinct(encoder: TokenEncoder, text: str) -> NDArray[np.int64]:
    """The rows of a text's tokens, each once, ascending."""
    return np.unique(np.array(encoder.rows(text), np.int64))

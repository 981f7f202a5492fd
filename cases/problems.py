"""Cases by their problem: each is the vectors of its problem's sentences, so that long and short ones compare.

A problem is found by what it is about, not by the words that it shares: the encoder was
trained on problems that were said twice, once as a report and once as people talk
(`training/problems.py`).
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
from kb.ports import Encoder

MOST_SENTENCES = 24
_SHORTEST = 6
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_FIELDS = (Field.TITLE, Field.PROBLEM, Field.BACKGROUND)

Vectors = NDArray[np.float32]


def sentences(body: Body) -> list[str]:
    """The sentences by which a case is found, those of its problem first; at most 24.

    >>> sentences({Field.TITLE: "夜里没人接电话", Field.PROBLEM: "值班的人睡着了。电话没人听。"})
    ['夜里没人接电话', '值班的人睡着了。', '电话没人听。']
    """
    found = [s.strip() for field in _FIELDS for s in _SENTENCE.findall(body.get(field, ""))]
    return [s for s in dict.fromkeys(found) if len(s) >= _SHORTEST][:MOST_SENTENCES]


@dataclass(frozen=True, slots=True)
class Near:
    """How near a case's problem is, 0 to 1, and which of its sentences (by number) is the nearest."""

    score: float
    sentence: int


class ProblemIndex:
    """Vectors of the problems of all published cases, kept beside them in the store. Safe to share between threads."""

    def __init__(self, office: Office, encoder: Callable[[], Encoder]) -> None:
        """`encoder` opens the encoder when the first problem is looked for."""
        self._office = office
        self._open = encoder
        self._encoder: Encoder | None = None
        self._held: tuple[int, Mapping[str, Vectors]] | None = None
        self._loading = threading.Lock()

    def near(self, problem: str, seq: int) -> dict[str, Near]:
        """Every published case's nearness to a problem, by document; the asker's scope is for the caller to apply.

        `seq` is the catalog's number up to which documents have become cases.
        """
        held = self._load(seq)
        if not held:
            return {}
        said = self._said(problem)
        vectors = np.concatenate(list(held.values()))
        cosines = vectors @ said.T
        found: dict[str, Near] = {}
        at = 0
        for document_id, own in held.items():
            of_case = cosines[at : at + len(own)]
            at += len(own)
            best = of_case.max(axis=1)
            found[document_id] = Near(nearness(of_case), int(best.argmax()))
        return found

    def alike(self, problem: str, others: Sequence[str]) -> list[float]:
        """How near each of other problems, as people talk of them, is to one: their cosines."""
        encoder = self._opened()
        near = encoder.encode_queries(others) @ encoder.encode_queries([problem])[0]
        return [float(n) for n in near]

    def _said(self, problem: str) -> Vectors:
        """The problem as a whole."""
        return self._opened().encode_queries([problem])

    def _opened(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._open()
        return self._encoder

    def _load(self, seq: int) -> Mapping[str, Vectors]:
        with self._loading:
            if self._held is None or self._held[0] != seq:
                self._make()
                self._held = (seq, self._read())
            return self._held[1]

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
        for start in range(0, len(rows), 200):
            made = [
                (r.document_id, encoder.encode_passages(sentences(body_from(r.body))))
                for r in rows[start : start + 200]
            ]
            with self._office.writing() as connection:
                for document_id, vectors in made:
                    connection.execute(
                        update(case_versions)
                        .where(v.document_id == document_id)
                        .values(profile=vectors.astype(np.float16).tobytes(), profile_model=encoder.name[:40])
                    )

    def _read(self) -> Mapping[str, Vectors]:
        dim = self._opened().dim
        v = case_versions.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(v.document_id, v.profile)
                .join(cases, cases.c.document_id == v.document_id)
                .where(v.profile.is_not(None))
                .order_by(v.document_id)
            )
            return {
                r.document_id: np.frombuffer(r.profile, np.float16).reshape(-1, dim).astype(np.float32)
                for r in rows
                if r.profile
            }


def nearness(cosines: Vectors) -> float:
    """One number from the cosines of a case's sentences (rows) to what was asked (columns).

    The mean of all tells what the case is about, the best two whether it says just this.
    """
    best = np.sort(cosines.max(axis=1))[::-1]
    return float(0.5 * best.mean() + 0.5 * best[:2].mean())


def nearest_sentence(body: Body, number: int) -> str:
    """The sentence of that number, empty if there is none."""
    found: Sequence[str] = sentences(body)
    return found[number] if number < len(found) else ""

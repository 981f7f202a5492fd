"""Pairs of provisions in different laws that say nearly the same."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.bags import build_vocabulary, term_matrix, tokenize
from training.laws import NUMERAL, Article, law_key
from training.lsa import start_table
from training.pairs import Pair

_CITATION = re.compile(rf"(?:《[^《》]+》|本法|本条例|本办法|本规定)?第[{NUMERAL}]+条(?:第[{NUMERAL}]+款)?")
LEAST, MOST = 0.25, 0.8
_DIM = 128
_ROWS_AT_ONCE = 512


def dice(a: str, b: str) -> float:
    """Share of character pairs that two texts have in common, citations left out.

    >>> dice("应当登记", "应当登记"), dice("应当登记", "不得转让")
    (1.0, 0.0)
    """
    first, second = (
        {t[i : i + 2] for i in range(len(t) - 1)} for t in (_CITATION.sub("", a), _CITATION.sub("", b))
    )
    return 2 * len(first & second) / max(1, len(first) + len(second))


def parallels(
    articles: list[Article], current: list[Article], *, seed: int, n_near: int = 3
) -> Iterator[Pair]:
    """Local -> national, national -> other national law, old -> new version of one article."""
    by_label = {(law_key(a.law), a.label): a for a in current if a.number}
    kept = {id(a) for a in current}
    for a in articles:
        new = by_label.get((law_key(a.law), a.label))
        if new and id(a) not in kept and LEAST < dice(a.text, new.text) < MOST:
            yield Pair("version", a.text, f"{new.title}\n{new.text}")
    national = [a for a in current if not a.local and a.number and len(a.text) >= 20]
    local = [a for a in current if a.local and a.number and len(a.text) >= 20]
    vectors = _vectors([a.text for a in national + local], seed)
    target = vectors[: len(national)]
    for source, group, at in (("local", local, len(national)), ("neighbour", national, 0)):
        for start in range(0, len(group), _ROWS_AT_ONCE):
            scores = vectors[at + start : at + min(start + _ROWS_AT_ONCE, len(group))] @ target.T
            near = np.argpartition(-scores, n_near + 1, axis=1)[:, : n_near + 1]
            for a, row in zip(group[start : start + _ROWS_AT_ONCE], near, strict=True):
                for b in (national[j] for j in sorted(row)):
                    if law_key(a.law) != law_key(b.law) and LEAST < dice(a.text, b.text) < MOST:
                        yield Pair(source, a.text, f"{b.title}\n{b.text}")


def _vectors(texts: list[str], seed: int) -> NDArray[np.float32]:
    tokens = tokenize(texts)
    vocabulary = build_vocabulary(tokens, 30_000, 1)
    matrix = term_matrix([vocabulary.ids(t) for t in tokens], len(vocabulary))
    vectors = np.asarray(matrix @ start_table(matrix, _DIM, seed=seed, noise=0.0), np.float32)
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit

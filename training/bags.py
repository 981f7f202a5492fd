"""Texts as bags of table rows, and the vocabulary those rows stand for."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from search.analysis import words
from search.encoders.static import Rows

Ids = NDArray[np.int32]


class Vocabulary:
    """Token -> row, with hashed rows behind, and idf by document counts."""

    def __init__(self, tokens: Sequence[str], n_hashed: int) -> None:
        self.tokens = list(tokens)
        self.n_hashed = n_hashed
        self._rows = Rows(self.tokens, n_hashed)

    def __len__(self) -> int:
        """How many rows the table has, hashed ones included."""
        return len(self.tokens) + self.n_hashed

    def ids(self, tokens: Iterable[str]) -> Ids:
        """Rows of the tokens, repeats kept."""
        return np.array(self._rows.of(tokens), np.int32)


def tokenize(texts: Iterable[str]) -> list[list[str]]:
    """Tokens of each text, as the encoder has them."""
    return [words(text) for text in texts]


def build_vocabulary(texts: Iterable[Sequence[str]], size: int, n_hashed: int) -> Vocabulary:
    """The `size` tokens found in most texts; equal counts in the order of the tokens."""
    counts: Counter[str] = Counter()
    for tokens in texts:
        counts.update(set(tokens))
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Vocabulary([token for token, n in ranked[:size] if n > 1], n_hashed)


def term_matrix(bags: Sequence[Ids], n_rows: int) -> scipy.sparse.csr_matrix:
    """1 + ln tf of each text (row) and token (column)."""
    indptr = np.concatenate([[0], np.cumsum([len(b) for b in bags])])
    flat = np.concatenate(bags) if bags else np.zeros(0, np.int32)
    matrix = scipy.sparse.csr_matrix((np.ones(len(flat), np.float32), flat, indptr), (len(bags), n_rows))
    matrix.sum_duplicates()
    matrix.data = 1 + np.log(matrix.data)
    return matrix


def inverse_frequency(matrix: scipy.sparse.csr_matrix) -> NDArray[np.float32]:
    """ln((n + 1) / (df + 1)) of each column; unseen columns get the rarest's."""
    n = matrix.shape[0]
    df = np.bincount(matrix.indices, minlength=matrix.shape[1])
    idf: NDArray[np.float32] = np.log((n + 1) / (np.maximum(df, 1) + 1)).astype(np.float32)
    return idf


class Bags:
    """Rows of many texts in one array; `take` gives the tokens of some of them with their owners."""

    def __init__(self, bags: Sequence[Ids]) -> None:
        self.sizes = np.fromiter(map(len, bags), np.int64, len(bags))
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])[:-1]
        self.flat = np.concatenate(bags) if bags else np.zeros(0, np.int32)

    def take(self, picked: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(place in `picked`, row) of every token, in order."""
        sizes = self.sizes[picked]
        owners = np.repeat(np.arange(len(picked)), sizes)
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return owners, self.flat[np.repeat(self.starts[picked], sizes) + within].astype(np.int64)

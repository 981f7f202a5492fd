"""The thesaurus of problems at work: what belongs together however it is said.

`training/data/thesaurus.tsv` was written for this project. `# group` opens a group of
related concepts; then one line a concept: its name, a tab, and its words with spaces
between them, formal ones and those that people use.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from search.analysis import words
from training.bags import Vocabulary

_COMMON = 0.2
PATH = Path(__file__).parent / "data" / "thesaurus.tsv"


def read_thesaurus(path: Path = PATH) -> dict[str, list[str]]:
    """The words of each concept, its name first; concepts of one name are one."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or "\t" not in line:
            continue
        name, said = line.split("\t")
        of_name = found.setdefault(name, [name])
        of_name += [w for w in said.split() if w not in of_name]
    return found


def latent_table(
    vocabulary: Vocabulary,
    concepts: dict[str, list[str]],
    dim: int,
    *,
    told: Sequence[Sequence[str]] = (),
    evenness: float = 1.0,
) -> NDArray[np.float32]:
    """A vector for each token from the concepts in whose words it occurs, shape (tokens, dim); zero for none.

    Each of `told`, texts about one thing, is a concept as well, without what occurs in a fifth of them. `evenness`, 0
    to 1, says how far tokens of many concepts, and concepts of many tokens, are brought to the weight of others. A
    vector's length is the token's idf over concepts: what occurs in few says more. Source: explicit semantic analysis
    (Gabrilovich and Markovitch 2007) with concepts for articles, brought to `dim` by a singular value decomposition.
    """
    bags = [Counter(row for word in said for row in _rows(vocabulary, word)) for said in concepts.values()]
    texts = [Counter(row for text in group for row in set(_rows(vocabulary, text))) for group in told]
    spread = Counter(row for bag in texts for row in bag)
    matrix = scipy.sparse.lil_matrix((len(vocabulary), len(bags) + len(texts)), dtype=np.float32)
    for column, bag in enumerate(bags):
        for row, n in bag.items():
            matrix[row, column] = 1 + np.log(n)
    for column, bag in enumerate(texts, len(bags)):
        for row, n in bag.items():
            if spread[row] <= _COMMON * len(texts):
                matrix[row, column] = (1 + np.log(n)) * np.log(len(texts) / spread[row]) / np.log(len(texts))
    matrix = matrix.tocsr()
    held_by = np.diff(matrix.indptr)
    matrix = _even(_even(matrix, evenness).T.tocsr(), evenness).T
    left, singular, _ = svds(matrix.tocsr(), k=dim, random_state=1)
    table = left * singular
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    idf = np.where(held_by > 0, np.log((matrix.shape[1] + 1) / (held_by + 1)), 0)
    placed: NDArray[np.float32] = (table / np.maximum(lengths, 1e-6) * idf[:, None]).astype(np.float32)
    return placed


def _rows(vocabulary: Vocabulary, text: str) -> list[int]:
    return [int(row) for row in vocabulary.ids(words(text))]


def _even(matrix: scipy.sparse.csr_matrix, evenness: float) -> scipy.sparse.csr_matrix:
    """Rows divided by their length to the power of `evenness`."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return scipy.sparse.diags(1 / np.maximum(lengths, 1e-9) ** evenness) @ matrix

"""The thesaurus of problems at work: what belongs together however it is said.

`training/data/thesaurus.tsv` was written for this project. `# group` opens a group of
related concepts; then one line a concept: its name, a tab, and its words with spaces
between them, formal ones and those that people use.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from search.analysis import words
from training.bags import Vocabulary

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


def concept_table(vocabulary: Vocabulary, concepts: dict[str, list[str]], dim: int) -> NDArray[np.float32]:
    """A vector for each token from the concepts in whose words it occurs, shape (tokens, dim); zero for none.

    Its length is the token's idf over concepts: what occurs in few says more. Source: explicit semantic analysis
    (Gabrilovich and Markovitch 2007) with concepts for articles, brought to `dim` by a singular value decomposition.
    """
    rows, columns, values = [], [], []
    for column, said in enumerate(concepts.values()):
        counts = Counter(int(row) for word in said for row in vocabulary.ids(words(word)))
        rows += counts
        columns += [column] * len(counts)
        values += [1 + np.log(n) for n in counts.values()]
    shape = (len(vocabulary), len(concepts))
    matrix = scipy.sparse.csr_matrix((values, (rows, columns)), shape, np.float32)
    held_by = np.bincount(rows, minlength=shape[0])
    matrix = _unit(_unit(matrix).T).T
    left, singular, _ = svds(matrix.tocsr(), k=dim, random_state=1)
    table = left * singular
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    idf = np.where(held_by > 0, np.log((shape[1] + 1) / (held_by + 1)), 0)
    placed: NDArray[np.float32] = (table / np.maximum(lengths, 1e-6) * idf[:, None]).astype(np.float32)
    return placed


def _unit(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Rows of length 1."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return scipy.sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix

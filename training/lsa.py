"""Where training starts from: latent semantic analysis of the texts, plus noise."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from training.bags import inverse_frequency


def truncated_svd(
    matrix: scipy.sparse.csr_matrix, k: int, draw: np.random.Generator, *, n_iterations: int = 2
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The k largest singular values and right singular vectors, shape (columns, k).

    Source: Halko, Martinsson, Tropp, SIAM Review 2011, algorithm 5.1.
    """
    sample = matrix @ draw.standard_normal((matrix.shape[1], k + 16)).astype(np.float32)
    for _ in range(n_iterations):
        basis = np.linalg.qr(sample)[0]
        sample = matrix @ np.linalg.qr(matrix.T @ basis)[0]
    basis = np.linalg.qr(sample)[0]
    _, values, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    return values[:k].astype(np.float32), np.ascontiguousarray(right[:k].T, np.float32)


def start_table(matrix: scipy.sparse.csr_matrix, dim: int, *, seed: int, noise: float) -> NDArray[np.float32]:
    """Token vectors, each as long as its idf: direction from LSA, `noise` times as much drawn.

    Columns never seen get a drawn direction alone. `matrix` holds 1 + ln tf.
    """
    draw = np.random.default_rng(seed)
    idf = inverse_frequency(matrix)
    weighted = matrix @ scipy.sparse.diags(idf)
    weighted = scipy.sparse.csr_matrix(weighted, dtype=np.float32)
    lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1)).A1
    weighted = scipy.sparse.diags((1 / np.maximum(lengths, 1e-6)).astype(np.float32)) @ weighted
    values, right = truncated_svd(weighted.tocsr(), dim, draw)
    directions = right * np.sqrt(values)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    random = draw.standard_normal(directions.shape).astype(np.float32) / np.sqrt(dim)
    table = directions + noise * random
    seen = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
    table[~seen] = random[~seen]
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    start: NDArray[np.float32] = (table * idf[:, None]).astype(np.float32)
    return start

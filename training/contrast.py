"""Contrastive training of a table of token vectors: the loss, and the views of a batch."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

Keys = NDArray[np.int64]
"""(place in the batch << 32 | row), each once, ascending, with counts kept beside."""

TEMPERATURE = 0.05
WIDTHS = (256, 128, 64)
"""Matryoshka: the loss is summed over these many leading dimensions."""


def count(owners: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[Keys, NDArray[np.int64]]:
    """Distinct (owner, row) pairs and how often each stands there."""
    keys, counts = np.unique((owners << 32) | rows, return_counts=True)
    return keys, counts


def shorten(
    owners: NDArray[np.int64], draw: np.random.Generator, *, keep: float, most: int
) -> NDArray[np.bool_]:
    """Which tokens stay when each is kept with probability `keep`, or less where a text has more than `most`."""
    sizes = np.bincount(owners, minlength=int(owners.max(initial=0)) + 1)
    chance = np.minimum(keep, most / np.maximum(sizes, 1))
    kept: NDArray[np.bool_] = draw.random(len(owners)) < chance[owners]
    return kept


def shared(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """Which of `keys` are among `others`, both ascending."""
    if not len(others):
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(others, keys), len(others) - 1)
    found: NDArray[np.bool_] = others[at] == keys
    return found


def embed(table: Tensor, keys: Keys, counts: NDArray[np.int64], n: int) -> Tensor:
    """Weighted sums of rows for the n texts of a batch, not yet of length 1; the encoder's own sum."""
    offsets = np.searchsorted(keys, np.arange(n) << 32)
    device = table.device
    return functional.embedding_bag(
        torch.from_numpy(keys & 0xFFFFFFFF).to(device),
        table,
        torch.from_numpy(offsets).to(device),
        mode="sum",
        per_sample_weights=torch.from_numpy((1 + np.log(counts)).astype(np.float32)).to(device),
    )


def contrastive_loss(queries: Tensor, passages: Tensor, right: Tensor, masked: Tensor) -> Tensor:
    """Multiple negatives: each query against every passage of the batch.

    Args:
        queries: shape (n, dim).
        passages: shape (m, dim), m >= n.
        right: place of each query's passage, shape (n,).
        masked: shape (n, m); True where a passage may be another right answer and so counts as neither.

    Source: Henderson et al. 2017 (multiple negatives); Kusupati et al. 2022 (Matryoshka).
    """
    loss = queries.new_zeros(())
    for width in WIDTHS:
        q, p = (
            functional.normalize(queries[:, :width], dim=1),
            functional.normalize(passages[:, :width], dim=1),
        )
        scores = (q @ p.T / TEMPERATURE).masked_fill(masked, -1e4)
        loss = loss + functional.cross_entropy(scores, right)
    return loss / len(WIDTHS)


def same(a: Sequence[int] | NDArray[np.int64], b: Sequence[int] | NDArray[np.int64]) -> Tensor:
    """shape (len(a), len(b)): True where the ids are equal."""
    return torch.from_numpy(np.asarray(a)[:, None] == np.asarray(b)[None, :])

"""What the core needs from its adapters, written from the caller's side.

Every adapter passes the contract test of its port in `tests/contracts/`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kb.model import Entry, Filters, Reading, Source

Vectors: TypeAlias = NDArray[np.float32]
"""float32, shape (n, dim), C-contiguous, rows of L2 norm 1."""

Run: TypeAlias = list[tuple[int, float]]
"""(passage key, raw score), best first; equal scores by ascending key."""


class Reader(Protocol):
    """Turns one file format into blocks. One file per format; see CONTRIBUTING.md."""

    media_types: Mapping[str, str]
    """Media type by file suffix, lower case with the dot. Disjoint between readers."""

    def read(self, source: Source) -> Reading:
        """Blocks of the source in reading order.

        Raises:
            EmptySource: no text in it.
            UnreadableSource: damaged, encrypted, or not this format.
        """
        ...


class Encoder(Protocol):
    """Maps text to unit vectors."""

    @property
    def name(self) -> str:
        """Identity of the weights, kept in the index; changes when they change."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def least_cosine(self) -> float:
        """Cosine below which a passage has nothing to do with a query; -1 where that is not known."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; no texts give shape (0, dim).

        A text without any known token gives a zero row, which matches nothing.

        Raises:
            EncoderUnavailable: the weights or the endpoint cannot be used.
        """
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for text to be found."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder whose texts are sums of tokens, so that two can be laid side by side token by token."""

    def rows(self, text: str) -> list[int]:
        """Numbers of the tokens of a text, repeats kept."""
        ...

    def row_vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Row i is the vector of token rows[i]; the longer it is, the more the token says."""
        ...


class Leg(Protocol):
    """An index that ranks passages for one view of the query.

    A leg is a folder that it alone writes. It remembers the catalog sequence
    number it has applied, in the same atomic step as the change itself, so
    that after a crash it opens at some earlier number and is caught up.
    """

    @property
    def applied(self) -> int:
        """Catalog sequence number up to which changes are in; 0 when new."""
        ...

    @property
    def n_passages(self) -> int:
        """How many passages can be found."""
        ...

    def apply(self, removed: Iterable[str], entries: Sequence[Entry], seq: int) -> None:
        """Drop the documents `removed`, take `entries`, and remember `seq`.

        Applying the same change twice leaves the same state. Readers in other
        processes see it after `refresh`.
        """
        ...

    def refresh(self) -> None:
        """See what another process has applied."""
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...


class KeywordIndex(Leg, Protocol):
    """BM25 over our tokens."""

    def search(self, terms: Sequence[str], k: int, within: Filters) -> Run:
        """The best `k` passages inside `within` by BM25 over the query's terms.

        Terms are those of `search.analysis`; unknown ones add nothing and no
        terms give an empty run.
        """
        ...

    def holding(self, terms: Sequence[str], k: int, within: Filters) -> list[int]:
        """Keys of at most `k` passages inside `within` that hold every one of the terms, ascending.

        No terms give none. Which `k` of more are given is not said.
        """
        ...


class VectorIndex(Leg, Protocol):
    """Inner product over passage vectors."""

    def search(self, vector: NDArray[np.float32], k: int, within: Filters) -> Run:
        """The best `k` passages inside `within` by inner product with `vector`, shape (dim,)."""
        ...


class KeywordEngine(Protocol):
    """Opens a keyword index in a folder; the module's `ENGINE`."""

    def open(self, folder: Path) -> KeywordIndex:
        """Open, or make when the folder is empty.

        Raises:
            IndexMismatch: the folder holds another format.
        """
        ...


class VectorEngine(Protocol):
    """Opens a vector index in a folder; the module's `ENGINE`."""

    def open(self, folder: Path, encoder: Encoder) -> VectorIndex:
        """Open, or make when the folder is empty. Vectors come from `encoder`."""
        ...

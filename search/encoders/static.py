"""The bundled encoder: a table of token vectors, read with numpy alone.

The vector of a text is the sum of the vectors of its tokens, each weighted by
1 + ln of how often it occurs, brought to length 1. Tokens are those of
`search.analysis.words`. A token outside the vocabulary goes to one of the
hashed rows, so that a rare word still finds itself.

The folder holds `encoder.json` (sizes and the analysis digest), `words.txt`
(one token a line; line i is row i), `vectors.npy` (int8; hashed rows come last)
and `scales.npy` (float32, one factor a row). `training/` makes it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kb.errors import EncoderUnavailable
from kb.ports import Vectors
from search.analysis import digest, words

CONFIG = "encoder.json"
WORDS = "words.txt"
VECTORS = "vectors.npy"
SCALES = "scales.npy"
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "search.bag_of_tokens.BagOfTokens"}]
"""What sentence-transformers reads from `modules.json` to open the folder."""
LEAST_COSINE = 0.2
FORMAT = 1
"""Grows with every change of the folder's layout."""


def open_encoder(folder: Path) -> "StaticEncoder":
    """The encoder in `folder`."""
    return StaticEncoder(folder)


class Rows(dict[str, int]):
    """Row of each token of a vocabulary; any other token has one of the hashed rows behind them.

    >>> rows = Rows(["合同"], 4)
    >>> rows["合同"], rows["违约"] == rows["违约"], 1 <= rows["违约"] < 5
    (0, True, True)
    """

    def __init__(self, tokens: Sequence[str], n_hashed: int) -> None:
        super().__init__((token, row) for row, token in enumerate(tokens))
        self.n_hashed = n_hashed

    def __missing__(self, token: str) -> int:
        """The hashed row of a token outside the vocabulary; nothing is kept."""
        return len(self) + crc32(token.encode()) % self.n_hashed

    def of(self, tokens: Iterable[str]) -> list[int]:
        """Row of each token, in order, repeats kept."""
        return list(map(self.__getitem__, tokens))


def weigh(texts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Distinct rows of each text, their weights 1 + ln tf, and where each text begins.

    Rows of one text ascend, so that the sum over them does not depend on the
    order of the tokens. A text without tokens begins where the next one does.

    >>> rows, weights, starts = weigh([[5, 2, 5], [], [7]])
    >>> rows.tolist(), [round(float(w), 3) for w in weights], starts.tolist()
    ([2, 5, 7], [1.0, 1.693, 1.0], [0, 2, 2])
    """
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    flat = np.fromiter(chain.from_iterable(texts), np.int64, int(sizes.sum()))
    keys, counts = np.unique((np.repeat(np.arange(len(texts)), sizes) << 32) | flat, return_counts=True)
    weights = (1 + np.log(counts)).astype(np.float32)
    starts = np.searchsorted(keys, np.arange(len(texts)) << 32)
    return keys & 0xFFFFFFFF, weights, starts


class StaticEncoder:
    """Vectors from the table in `folder`, which is read once and kept.

    Raises:
        EncoderUnavailable: a file is missing or damaged, or the table was made
            for other tokens than the present analysis gives.
    """

    def __init__(self, folder: Path) -> None:
        config, tokens, vectors, scales = read_folder(folder)
        self._table = vectors.astype(np.float32) * scales[:, None]
        self._rows = Rows(tokens, int(config["n_hashed"]))
        weights = sha256("\n".join(tokens).encode())
        weights.update(np.ascontiguousarray(vectors).data)
        weights.update(np.ascontiguousarray(scales).data)
        self._name = f"{config['name']}-{weights.hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """Name of the model and the first 12 hex digits of the digest of its weights."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._table.shape[1])

    @property
    def least_cosine(self) -> float:
        """Below it stands what shares no more than common characters with a query."""
        return LEAST_COSINE

    def rows(self, text: str) -> list[int]:
        """Table rows of the tokens of a text, repeats kept."""
        return self._rows.of(words(text))

    def row_vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Row i is the vector of the table's row rows[i]."""
        vectors: Vectors = self._table[rows]
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; a text without a letter or digit gives a zero row."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; queries and passages share one space."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for i, text in enumerate(texts):
            # Rows ascend, so that the sum over them does not depend on the order of the tokens.
            rows, counts = np.unique(np.array(self.rows(text), np.int64), return_counts=True)
            total = (1 + np.log(counts)).astype(np.float32) @ self._table[rows]
            length = np.sqrt(total @ total)
            if length > 0:
                out[i] = total / length
        return out


def read_folder(
    folder: Path,
) -> tuple[dict[str, str | int], list[str], NDArray[np.int8], NDArray[np.float32]]:
    """Settings, vocabulary, table and row factors of a model folder, checked against each other.

    Raises:
        EncoderUnavailable: names the folder, what is wrong with it and what to do.
    """
    hint = "Restore the folder from the release, or make it anew as training/README.md says."
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        tokens = (folder / WORDS).read_text(encoding="utf-8").split("\n")
        vectors = np.load(folder / VECTORS)
        scales = np.load(folder / SCALES)
        expected = (len(tokens) + int(config["n_hashed"]), int(config["dim"]))
        made_for = (config["format"], config["analysis"])
    except FileNotFoundError as error:
        raise EncoderUnavailable(
            f"Cannot open encoder {folder}: {error.filename} is missing.", hint
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise EncoderUnavailable(f"Cannot open encoder {folder}: {error!r}.", hint) from error
    if made_for[0] != FORMAT:
        raise EncoderUnavailable(
            f"Cannot open encoder {folder}: its format is {made_for[0]}, this program reads {FORMAT}.", hint
        )
    if made_for[1] != digest():
        raise EncoderUnavailable(
            f"Cannot open encoder {folder}: made for analysis {made_for[1]}, the present one is {digest()}.",
            "Train it anew with the present search/analysis.py and search/dictionary.txt.",
        )
    if vectors.shape != expected or scales.shape != expected[:1] or vectors.dtype != np.int8:
        raise EncoderUnavailable(
            f"Cannot open encoder {folder}: table {vectors.dtype} {vectors.shape} and factors {scales.shape}, "
            f"expected int8 {expected}.",
            hint,
        )
    return config, tokens, vectors, scales


def write_folder(
    folder: Path, name: str, tokens: Sequence[str], table: NDArray[np.float32], about: Mapping[str, object]
) -> None:
    """Write `table` in one byte a number, with all that `read_folder` wants.

    Rows 0 to len(tokens) are those of `tokens`, the rest the hashed ones.
    `about` is kept in the configuration for readers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scales = np.maximum(np.abs(table).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    np.save(folder / VECTORS, np.rint(table / scales[:, None]).astype(np.int8))
    np.save(folder / SCALES, scales)
    (folder / WORDS).write_text("\n".join(tokens), encoding="utf-8")
    config = {
        "format": FORMAT,
        "name": name,
        "dim": table.shape[1],
        "n_hashed": table.shape[0] - len(tokens),
        "analysis": digest(),
        "about": dict(about),
    }
    (folder / CONFIG).write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "modules.json").write_text(json.dumps(MODULES, indent=1) + "\n", encoding="utf-8")

"""Any sentence-transformers model from a local folder.

The package is imported when an encoder is opened, not before. Nothing is
fetched: a folder that needs a download, or code of its own, is refused.
"""

from collections.abc import Callable, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np

from kb.errors import EncoderUnavailable
from kb.ports import Vectors

_NOT_WEIGHTS = {".md", ".lock"}
_PROBE = "维数"


def open_encoder(folder: Path) -> "SentenceTransformersEncoder":
    """The model in `folder`."""
    return SentenceTransformersEncoder(folder)


class SentenceTransformersEncoder:
    """Vectors of the model in `folder`, brought to length 1.

    Queries and passages get the prompts that the model names for them.

    Raises:
        EncoderUnavailable: the package or the folder is missing, or the folder
            cannot be opened without a download or code of its own.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise EncoderUnavailable(
                f"Cannot open encoder {folder}: there is no such folder.",
                "Copy a sentence-transformers model there; nothing is downloaded.",
            )
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderUnavailable(
                f"Cannot open encoder {folder}: sentence-transformers is not installed.",
                "Run `pip install gongxue[transformers]`.",
            ) from error
        try:
            self._model: Any = SentenceTransformer(str(folder), local_files_only=True)
            self._dim = int(self._model.encode(_PROBE, show_progress_bar=False).shape[0])
        except Exception as error:  # whatever a model's own files may raise
            raise EncoderUnavailable(
                f"Cannot open encoder {folder}: {type(error).__name__}: {error}.",
                "The folder must hold a complete model that sentence-transformers opens offline.",
            ) from error
        self._name = f"{folder.resolve().name}-{folder_digest(folder)[:12]}"

    @property
    def name(self) -> str:
        """Name of the folder and the first 12 hex digits of the digest of its content."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def least_cosine(self) -> float:
        """Not known."""
        return -1.0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; a text without a letter or digit gives a zero row."""
        return self._encode(self._model.encode_query, texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for text to be found."""
        return self._encode(self._model.encode_document, texts)

    def _encode(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        out = np.zeros((len(texts), self._dim), np.float32)
        filled = [i for i, text in enumerate(texts) if any(map(str.isalnum, text))]
        if filled:
            wanted = [texts[i] for i in filled]
            out[filled] = encode(wanted, normalize_embeddings=True, show_progress_bar=False)
        return out


_PROBE = "维数"


def folder_digest(folder: Path) -> str:
    """Hex digest over names and bytes of the files in `folder`; notes and hidden files left out."""
    whole = sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        inner = path.relative_to(folder)
        if path.suffix in _NOT_WEIGHTS or any(part.startswith(".") for part in inner.parts):
            continue
        with path.open("rb") as file:
            whole.update(f"{inner.as_posix()}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()

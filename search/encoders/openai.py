"""An encoder behind an OpenAI-compatible `/v1/embeddings` endpoint.

The endpoint is whatever the installation names; nothing is asked before the
first text. It is asked directly: proxies named in the environment are not used.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import numpy as np

from kb.errors import EncoderUnavailable
from kb.ports import Vectors

_PROBE = "维数"
_SHOWN_CHARS = 200


def open_encoder(
    *,
    url: str,
    model: str,
    key: str = "",
    timeout_s: float = 30.0,
    batch_size: int = 64,
    query_prefix: str = "",
    passage_prefix: str = "",
) -> "EndpointEncoder":
    """The encoder `model` at `url`, which ends in `/v1`."""
    return EndpointEncoder(
        url=url,
        model=model,
        key=key,
        timeout_s=timeout_s,
        batch_size=batch_size,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
    )


class EndpointEncoder:
    """Vectors from an endpoint, brought to length 1.

    Args:
        url: base address, `/v1` included; `/embeddings` is added.
        model: name of the model as the endpoint knows it.
        key: sent as a bearer token where not empty.
        timeout_s: longest wait for one batch.
        batch_size: most texts in one request.
        query_prefix: put before each query, for models that want an instruction.
        passage_prefix: put before each passage.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        key: str = "",
        timeout_s: float = 30.0,
        batch_size: int = 64,
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        self._address = url.rstrip("/") + "/embeddings"
        self._model = model
        self._batch_size = batch_size
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._dim = 0
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=timeout_s, headers=headers, trust_env=False)

    @property
    def name(self) -> str:
        """Model and address; weights changed behind the same address and name go unnoticed."""
        return f"{self._model}@{self._address}"

    @property
    def dim(self) -> int:
        """Length of a vector; the first use asks the endpoint for one.

        Raises:
            EncoderUnavailable: the endpoint fails.
        """
        if not self._dim:
            self._ask([_PROBE])
        return self._dim

    @property
    def least_cosine(self) -> float:
        """Not known."""
        return -1.0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of texts[i]; a text without a letter or digit gives a zero row unasked."""
        return self._encode(texts, self._query_prefix)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for text to be found."""
        return self._encode(texts, self._passage_prefix)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        filled = [i for i, text in enumerate(texts) if any(map(str.isalnum, text))]
        asked = [
            self._ask(batch) for batch in _batches([prefix + texts[i] for i in filled], self._batch_size)
        ]
        out = np.zeros((len(texts), self.dim), np.float32)
        if filled:
            out[filled] = np.concatenate(asked)
        return out

    def _ask(self, texts: list[str]) -> Vectors:
        """Unit vectors of one batch, in order."""
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        try:
            answer = self._client.post(self._address, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(len(texts), repr(error)) from error
        if answer.status_code != httpx.codes.OK:
            raise self._unavailable(len(texts), f"status {answer.status_code}: {answer.text[:_SHOWN_CHARS]}")
        try:
            vectors = _vectors(answer.json(), len(texts))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._unavailable(len(texts), f"{error!r} in {answer.text[:_SHOWN_CHARS]}") from error
        if self._dim and vectors.shape[1] != self._dim:
            raise self._unavailable(len(texts), f"vectors of length {vectors.shape[1]}, before {self._dim}")
        self._dim = vectors.shape[1]
        return vectors

    def _unavailable(self, n_texts: int, seen: str) -> EncoderUnavailable:
        return EncoderUnavailable(
            f"Cannot encode {n_texts} texts with {self._model} at {self._address}: {seen}.",
            "Check that the endpoint runs and serves this model.",
        )


def _batches(texts: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def _vectors(answer: Any, n: int) -> Vectors:
    """Rows of a well-formed answer by their `index`, each of length 1 (or zero as it came)."""
    rows = {int(row["index"]): row["embedding"] for row in answer["data"]}
    if sorted(rows) != list(range(n)):
        raise ValueError(f"{len(answer['data'])} vectors for {n} texts")
    vectors = np.array([rows[i] for i in range(n)], np.float32)
    if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
        raise ValueError(f"no table of finite numbers but shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit

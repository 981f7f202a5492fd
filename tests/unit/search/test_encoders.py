"""The static encoder and the endpoint encoder, on real files and a real local server."""

import json
import math
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.errors import EncoderUnavailable
from search.analysis import words
from search.encoders import openai, sentence_transformers, static
from search.encoders.static import Rows, StaticEncoder, weigh, write_folder

TOKENS = ["合同", "违约", "违约金", "合", "同", "违", "约", "金", "党", "费"]
N_HASHED = 8
DIM = 16
TEXTS = ["合同的违约金", "党费", "Word 与 3.5 个", "违约违约违约", "。——！", ""]


def table() -> NDArray[np.float32]:
    """Token vectors drawn once."""
    return np.random.default_rng(3).standard_normal((len(TOKENS) + N_HASHED, DIM)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with few tokens."""
    write_folder(tmp_path / "small", "small", TOKENS, table(), {"made": "for a test"})
    return tmp_path / "small"


def brute_force(text: str) -> NDArray[np.float64]:
    """The vector of a text, token by token and without one byte a number."""
    rows = Rows(TOKENS, N_HASHED).of(words(text))
    total = np.zeros(DIM)
    for row in set(rows):
        total += (1 + math.log(rows.count(row))) * table()[row]
    return total / np.linalg.norm(total)


def test_static_gives_float32_rows_of_length_one(folder: Path) -> None:
    """Rows are float32, C-contiguous, of the stated length and of norm 1."""
    vectors = StaticEncoder(folder).encode_passages(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.shape == (len(TEXTS), DIM) == (len(TEXTS), StaticEncoder(folder).dim)
    assert np.allclose(np.linalg.norm(vectors[:4], axis=1), 1, atol=1e-5)


def test_static_equals_the_sum_by_hand(folder: Path) -> None:
    """The vector is the weighted sum of token vectors, but for rounding to one byte."""
    vectors = StaticEncoder(folder).encode_queries(TEXTS[:4])
    for text, vector in zip(TEXTS, vectors, strict=False):
        assert brute_force(text) @ vector > 0.9995


def test_static_gives_a_zero_row_for_text_without_tokens(folder: Path) -> None:
    """Punctuation and empty text match nothing."""
    vectors = StaticEncoder(folder).encode_queries(TEXTS)
    assert not vectors[4:].any()
    assert vectors[:4].any(axis=1).all()


def test_static_takes_no_texts(folder: Path) -> None:
    """No texts give an empty table of the right width."""
    assert StaticEncoder(folder).encode_passages([]).shape == (0, DIM)


def test_static_does_not_depend_on_order_or_company(folder: Path) -> None:
    """A text has the same vector, bit for bit, alone, in a batch, and in any order of tokens and texts."""
    encoder = StaticEncoder(folder)
    many = [f"{text}第{i}条" for i in range(40) for text in TEXTS]
    together = encoder.encode_passages(many)
    assert np.array_equal(encoder.encode_passages(many[::-1])[::-1], together)
    assert np.array_equal(np.concatenate([encoder.encode_queries([text]) for text in many]), together)
    assert np.array_equal(encoder.encode_queries(["党 费"]), encoder.encode_queries(["费 党"]))


def test_static_sends_an_unknown_token_to_a_hashed_row(folder: Path) -> None:
    """A word outside the vocabulary has a vector, the same in every process, and finds itself."""
    encoder = StaticEncoder(folder)
    vectors = encoder.encode_queries(["鹦鹉", "鹦鹉", "鸵鸟"])
    assert np.array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.9
    assert Rows([], 16_384).of(["鹦"]) == [8465]


def test_weigh_counts_each_token_once() -> None:
    """Rows ascend within a text and an empty text begins where the next one does."""
    rows, weights, starts = weigh([[3, 1, 3, 3], [], [0]])
    assert rows.tolist() == [1, 3, 0]
    assert weights == pytest.approx([1, 1 + math.log(3), 1])
    assert starts.tolist() == [0, 2, 2]


def test_static_name_changes_with_the_weights(folder: Path, tmp_path: Path) -> None:
    """Two openings of one folder agree on the name; another table has another name."""
    assert StaticEncoder(folder).name == StaticEncoder(folder).name
    write_folder(tmp_path / "other", "small", TOKENS, table() + 1, {})
    assert StaticEncoder(tmp_path / "other").name != StaticEncoder(folder).name


@pytest.mark.parametrize("file", [static.CONFIG, static.WORDS, static.VECTORS, static.SCALES])
def test_static_names_what_is_missing(folder: Path, file: str) -> None:
    """A folder without one of its files is refused with the name of that file."""
    (folder / file).unlink()
    with pytest.raises(EncoderUnavailable, match=file):
        StaticEncoder(folder)


@pytest.mark.parametrize("file", [static.CONFIG, static.VECTORS, static.SCALES])
def test_static_refuses_a_damaged_file(folder: Path, file: str) -> None:
    """A file cut short is refused, not read in part."""
    (folder / file).write_bytes((folder / file).read_bytes()[:100])
    with pytest.raises(EncoderUnavailable, match="Cannot open encoder"):
        StaticEncoder(folder)


@pytest.mark.parametrize(("key", "value"), [("analysis", "0" * 16), ("format", 0), ("n_hashed", 7)])
def test_static_refuses_a_table_for_other_tokens(folder: Path, key: str, value: object) -> None:
    """Another analysis, another format or another size is an error that says what was seen."""
    config = json.loads((folder / static.CONFIG).read_text(encoding="utf-8"))
    (folder / static.CONFIG).write_text(json.dumps(config | {key: value}), encoding="utf-8")
    with pytest.raises(EncoderUnavailable, match="Cannot open encoder"):
        StaticEncoder(folder)


class Endpoint(BaseHTTPRequestHandler):
    """Speaks the embeddings protocol: a text's vector is its length and its first code point."""

    def do_POST(self) -> None:
        """Answer one batch."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.asked.append((self.path, body, self.headers.get("Authorization")))
        rows = [{"index": i, "embedding": [len(t), ord(t[0]), 1.0]} for i, t in enumerate(body["input"])]
        status, answer = server.twist(200, {"data": rows[::-1], "model": body["model"]})
        sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def endpoint() -> Iterator[Any]:
    """A server on this machine; `twist` may spoil what it answers."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.asked = []
    server.twist = lambda status, answer: (status, answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def open_endpoint(server: Any, **settings: Any) -> openai.EndpointEncoder:
    """The encoder at the test's server."""
    return openai.open_encoder(url=f"http://127.0.0.1:{server.server_port}/v1", model="m", **settings)


def test_endpoint_keeps_order_over_batches(endpoint: Any) -> None:
    """Row i is texts[i] though the endpoint answers in another order, with prefixes and key sent along."""
    encoder = open_endpoint(endpoint, batch_size=2, key="secret", query_prefix="问：")
    vectors = encoder.encode_queries(["甲", "乙乙", "丙丙丙"])
    expected = np.array([[3, ord("问"), 1], [4, ord("问"), 1], [5, ord("问"), 1]], float)
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert vectors.dtype == np.float32
    assert encoder.dim == 3
    assert [len(body["input"]) for _, body, _ in endpoint.asked] == [2, 1]
    assert {(path, body["model"], key) for path, body, key in endpoint.asked} == {
        ("/v1/embeddings", "m", "Bearer secret")
    }
    encoder.close()


def test_endpoint_is_not_asked_about_text_without_letters(endpoint: Any) -> None:
    """Empty text and punctuation give zero rows; only the dimension is asked for."""
    encoder = open_endpoint(endpoint)
    assert not encoder.encode_passages(["", "。。"]).any()
    assert encoder.encode_passages([]).shape == (0, 3)
    assert len(endpoint.asked) == 1
    encoder.close()


@pytest.mark.parametrize(
    "twist",
    [
        lambda status, answer: (500, {"error": "out of memory"}),
        lambda status, answer: (200, b"<html>"),
        lambda status, answer: (200, {"data": answer["data"][1:]}),
        lambda status, answer: (200, {"error": "no such model"}),
        lambda status, answer: (200, {"data": [{"index": 0, "embedding": [float("nan")]}]}),
        lambda status, answer: (200, {"data": [{"index": 0, "embedding": []}]}),
        lambda status, answer: (200, []),
    ],
)
def test_endpoint_failure_is_an_error(endpoint: Any, twist: Any) -> None:
    """An answer that is no table of vectors is an error that names the model and the address."""
    endpoint.twist = twist
    encoder = open_endpoint(endpoint)
    with pytest.raises(EncoderUnavailable, match=r"with m at http://127\.0\.0\.1"):
        encoder.encode_queries(["甲"])
    encoder.close()


def test_endpoint_must_keep_its_dimension(endpoint: Any) -> None:
    """Vectors of another length than before are an error."""
    encoder = open_endpoint(endpoint)
    assert encoder.dim == 3
    endpoint.twist = lambda status, answer: (200, {"data": [{"index": 0, "embedding": [1.0]}]})
    with pytest.raises(EncoderUnavailable, match="length 1, before 3"):
        encoder.encode_queries(["甲"])
    encoder.close()


def test_endpoint_silence_is_an_error() -> None:
    """Nobody listening is an error too."""
    encoder = openai.open_encoder(url="http://127.0.0.1:9/v1", model="m", timeout_s=0.5)
    with pytest.raises(EncoderUnavailable, match="ConnectError"):
        encoder.encode_queries(["甲"])
    encoder.close()


def test_sentence_transformers_names_a_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error before anything is imported."""
    with pytest.raises(EncoderUnavailable, match="there is no such folder"):
        sentence_transformers.open_encoder(tmp_path / "none")

"""Contract of `kb.ports.Encoder`, for the bundled encoder and the one that stands in for it in tests."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from kb.ports import Encoder
from tests.conftest import ROOT
from tests.fakes import HashingEncoder

TEXTS = ["共建协议期满三十日前可以续签", "夜班吊机故障", "a", "𠮷", "经费" * 500]


@cache
def bundled() -> Encoder:
    """The encoder in `models/gongxue-static`."""
    from search.encoders.static import open_encoder

    return open_encoder(ROOT / "models" / "gongxue-static")


@pytest.fixture(params=[HashingEncoder, bundled], ids=["hashing", "bundled"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each encoder in turn."""
    make: Callable[[], Encoder] = request.param
    return make()


def test_encoder_gives_unit_rows(encoder: Encoder) -> None:
    """Rows are float32, as many as texts, `dim` long and of length 1."""
    for encode in (encoder.encode_queries, encoder.encode_passages):
        vectors = encode(TEXTS)
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), encoder.dim)
        assert vectors.flags.c_contiguous
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


def test_encoder_gives_empty_and_zero_rows_for_nothing(encoder: Encoder) -> None:
    """No texts give no rows; a text without letters gives a zero row."""
    assert encoder.encode_passages([]).shape == encoder.encode_queries([]).shape == (0, encoder.dim)
    assert not encoder.encode_queries(["", "，。！", " \n"]).any()


def test_encoder_rows_do_not_depend_on_their_neighbours(encoder: Encoder) -> None:
    """A text has the same vector alone as in a batch, in any place."""
    together = encoder.encode_passages(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        assert encoder.encode_passages([text])[0] == pytest.approx(row, abs=1e-6)
    assert encoder.encode_passages(TEXTS[::-1])[::-1] == pytest.approx(together, abs=1e-6)


def test_encoder_matches_across_scripts_and_numbers(encoder: Encoder) -> None:
    """Traditional and simplified script, and both number forms, have one vector."""
    vectors = encoder.encode_queries(["第五十四条的经费", "第54條的經費"])
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


def test_encoder_puts_like_texts_nearer(encoder: Encoder) -> None:
    """A text is nearer to one that shares its words than to one that shares none."""
    query = encoder.encode_queries(["共建协议的续签"])[0]
    near, far = encoder.encode_passages(["共建协议期满前可以续签", "夜班吊机发生故障停工"])
    assert query @ near > query @ far


def test_encoder_is_the_same_in_every_process(encoder: Encoder) -> None:
    """Name and vectors do not depend on the process, so an index built by one serves another."""
    make = "HashingEncoder()" if isinstance(encoder, HashingEncoder) else "bundled()"
    code = (
        "from tests.contracts.test_encoder import *; import hashlib;"
        f"e = {make}; print(e.name, hashlib.sha256(e.encode_passages(TEXTS).round(5).tobytes()).hexdigest())"
    )
    expected = hashlib.sha256(encoder.encode_passages(TEXTS).round(5).tobytes()).hexdigest()
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert found == [encoder.name, expected]

"""The bundled model opened by sentence-transformers, against the numpy encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.encoders.static import StaticEncoder

sentence_transformers: Any = pytest.importorskip(
    "sentence_transformers", reason="needs the extra: pip install gongxue[transformers]"
)

MODEL = Path(__file__).parents[2] / "models" / "gongxue-static"
TEXTS = [
    "劳动合同法第三十八条",
    "老板拖欠工资三个月，怎么办？",
    "黨員應當按期交納黨費。党员应当按期交纳党费，没有正当理由，连续六个月不交纳党费，就被认为是自行脱党。",
    "國發〔２０２３〕５號 GB/T 7714",
    "鹦鹉学舌 xyzzy",
]


@pytest.fixture(scope="module")
def model() -> Any:
    """The folder as a SentenceTransformer; release 6 wants leave for a class that is not its own."""
    release = int(sentence_transformers.__version__.split(".")[0])
    leave = {"trust_remote_code": True} if release >= 6 else {}
    return sentence_transformers.SentenceTransformer(str(MODEL), device="cpu", **leave)


def test_sentence_transformers_gives_the_same_vectors(model: Any) -> None:
    """For raw text both ways of opening the folder agree, one by one and in a batch."""
    ours = StaticEncoder(MODEL).encode_passages(TEXTS)
    theirs = model.encode(TEXTS)
    assert theirs.shape == ours.shape
    assert (np.einsum("ij,ij->i", ours, theirs) > 0.9999).all()
    assert ours[1] @ model.encode(TEXTS[1]) > 0.9999


def test_sentence_transformers_gives_a_zero_row_for_no_text(model: Any) -> None:
    """Text without tokens gives a zero row there too."""
    assert not model.encode(["", "。"]).any()


def test_sentence_transformers_saves_a_folder_that_opens_without_it(model: Any, tmp_path: Path) -> None:
    """A model trained further there can be used by the service."""
    model.save(str(tmp_path / "saved"))
    again = StaticEncoder(tmp_path / "saved").encode_passages(TEXTS)
    assert (np.einsum("ij,ij->i", again, StaticEncoder(MODEL).encode_passages(TEXTS)) > 0.9999).all()

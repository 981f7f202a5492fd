"""The bundled model opened by sentence-transformers, against the numpy encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.settings import load_settings
from api.wiring import build_services
from kb.errors import IndexMismatch
from kb.model import PUBLIC, Mode, Query
from search.encoders.static import StaticEncoder

sentence_transformers: Any = pytest.importorskip(
    "sentence_transformers", reason="needs the extra: pip install gongxue[transformers]"
)

MODEL = Path(__file__).parents[2] / "models" / "gongxue-static"
TEXTS = [
    "经费管理办法第三十八条",
    "老板拖欠工资三个月，怎么办？",
    "黨員因出差不能到會的，會後一週內補學。因出差不能到会的，会后一周内补学。",
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


def test_any_other_folder_takes_the_place_of_the_bundled_one(tmp_path: Path) -> None:
    """One setting names it, the index then says that it must be rebuilt, and after that it answers."""
    folder = tmp_path / "other-model"
    other_model().save(str(folder))
    (tmp_path / "rules.txt").write_text(
        "交班办法\n\n第一条 交班人写明未了事项。\n\n第二条 接班人当面核对。\n", encoding="utf-8"
    )
    home = tmp_path / "home"
    bundled = build_services(load_settings({}, home=home))
    bundled.ingest([tmp_path / "rules.txt"])
    bundled.close()
    settings = load_settings({"GONGXUE_ENCODER": str(folder)}, home=home)
    with pytest.raises(IndexMismatch, match="gongxue reindex"):
        build_services(settings)
    services = build_services(settings, opened=False)
    services.reindex()
    services.close()
    services = build_services(settings)
    try:
        assert services.status()["dim"] == 32
        hits = services.search(Query("接班人核对", frozenset({PUBLIC}), mode=Mode.VECTOR)).hits
        assert "接班人" in hits[0].text
    finally:
        services.close()


def other_model() -> Any:
    """A small model of the library's own parts: single characters, random vectors, their mean."""
    try:
        from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    except ImportError:  # releases before 6
        from sentence_transformers.models import Normalize, StaticEmbedding
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    characters = sorted(set("交班办法第一二条人写明未了事项接当面核对。"))
    vocabulary = {c: i for i, c in enumerate(["[UNK]", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    weights = np.random.default_rng(5).normal(size=(len(vocabulary), 32)).astype(np.float32)
    embedding = StaticEmbedding(tokenizer, embedding_weights=weights)
    return sentence_transformers.SentenceTransformer(modules=[embedding, Normalize()], device="cpu")

"""What only the faiss adapter can get wrong: its files."""

import shutil
from pathlib import Path

from kb.model import Filters
from search.vector.faiss import ENGINE, FaissIndex
from tests.contracts.worlds import DAY, entry
from tests.fakes import HashingEncoder

ENCODER = HashingEncoder()
PUBLIC = Filters(scope=frozenset({"public"}), day=DAY)


def keys(index: FaissIndex) -> list[int]:
    """Every passage that is found."""
    return sorted(key for key, _ in index.search(ENCODER.encode_queries(["甲"])[0], 1000, PUBLIC))


def test_faiss_merge_cut_short_says_nothing_twice(tmp_path: Path) -> None:
    """Files that a merge had taken over but not yet dropped add nothing, revive nothing, and go with the next merge."""
    leg, kept = tmp_path / "leg", tmp_path / "kept"
    kept.mkdir()
    index = ENGINE.open(leg, ENCODER)
    for seq in range(1, 31):
        index.apply([entry(str(seq - 2), 0, "").document_id], [entry(str(seq), 0, "甲")], seq)
        for path in leg.iterdir():
            shutil.copy(path, kept)
        for path in kept.iterdir():
            if not (leg / path.name).exists():
                shutil.copy(path, leg)
        (leg / ".000000000099.npz.1").write_bytes(b"cut")
        expected = sorted(entry(str(n), 0, "").key for n in (seq - 1, seq) if n)
        assert keys(index) == keys(ENGINE.open(leg, ENCODER)) == expected
        assert ENGINE.open(leg, ENCODER).applied == seq
        if seq == 20:
            shutil.rmtree(kept)
            kept.mkdir()
    for path in kept.iterdir():
        path.unlink()
    for seq in range(31, 60):
        index.apply([], [entry(str(seq), 0, "甲")], seq)
    assert len(list(leg.iterdir())) < 12

"""What the keyword leg's own files go through; what it finds is in tests/contracts."""

from pathlib import Path

from search.keyword.tantivy import TantivyIndex
from tests.contracts.worlds import entry


def test_tantivy_goes_on_after_a_commit_that_was_cut_short(tmp_path: Path) -> None:
    """Files of a change that a kill kept from being committed do not stand in the way of the same change later."""
    gone, stays = entry("甲", 0, "甲乙"), entry("乙", 0, "丙丁")
    index = TantivyIndex(tmp_path)
    index.apply([], [gone, stays], 1)
    committed = (tmp_path / "meta.json").read_bytes()
    index.apply([gone.document_id], [], 2)
    (tmp_path / "meta.json").write_bytes(committed)

    again = TantivyIndex(tmp_path)
    assert (again.applied, again.n_passages) == (1, 2)
    again.apply([gone.document_id], [], 2)
    assert (again.applied, again.n_passages) == (2, 1)

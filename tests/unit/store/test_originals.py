"""The folder of originals."""

from pathlib import Path

import pytest

from kb.errors import NotFound
from kb.model import Source
from store.originals import OriginalFolder


def test_originals_give_back_the_bytes_until_discarded(tmp_path: Path) -> None:
    """Bytes are kept under their digest, once however often they come, and gone after discard."""
    folder = OriginalFolder(tmp_path)
    source = Source("甲.txt", "text/plain", bytes(range(256)))
    folder.put(source)
    folder.put(Source("乙.txt", "text/plain", source.data))
    assert folder.get(source.sha256) == source.data
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [source.sha256]
    folder.discard(source.sha256)
    folder.discard(source.sha256)
    with pytest.raises(NotFound, match=source.sha256):
        folder.get(source.sha256)

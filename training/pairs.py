"""A pair for training: what might be asked, and a text that answers it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """`source` names the miner; a batch holds pairs of one source only."""

    source: str
    query: str
    passage: str


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Write one JSON array a line; gives how many."""
    with path.open("w", encoding="utf-8") as out:
        return sum(out.write(json.dumps(pair, ensure_ascii=False) + "\n") > 0 for pair in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """Pairs as `write_pairs` wrote them."""
    with path.open(encoding="utf-8") as lines:
        return [Pair(*json.loads(line)) for line in lines]

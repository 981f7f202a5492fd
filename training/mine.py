"""Cut training pairs out of a folder of law texts. No label is used.

    python -m training.mine --laws DIR --out WORK

writes `articles.jsonl` (one text an article, law and label first) and `pairs.jsonl`.
"""

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

from training.citations import citations
from training.laws import Article, law_key, read_laws
from training.pairs import Pair, write_pairs
from training.parallels import parallels
from training.questions import questions
from training.structure import halves, headings, rests

LOCAL = "-local"
"""Added to the source of pairs cut from local laws, so that training can weigh them."""


def newest(articles: list[Article]) -> list[Article]:
    """Articles of the latest version of each law; undated files count as the oldest."""
    latest: dict[str, str] = {}
    for a in articles:
        latest[law_key(a.law)] = max(latest.get(law_key(a.law), ""), a.date)
    return [a for a in articles if a.date == latest[law_key(a.law)]]


def mine(articles: list[Article], *, seed: int) -> list[Pair]:
    """All pairs, by miner in a fixed order."""
    draw = random.Random(seed)
    current = newest(articles)
    pairs = list(citations(current))
    for local in (False, True):
        group = [a for a in current if a.local == local]
        cut = [*headings(group), *rests(group, draw), *halves(group, draw), *questions(group)]
        pairs += [pair._replace(source=pair.source + LOCAL) for pair in cut] if local else cut
    return pairs + list(parallels(articles, current, seed=seed))


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--laws", type=Path, required=True, help="folder of law texts in Markdown")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    started = time.monotonic()
    articles = read_laws(args.laws)
    args.out.mkdir(parents=True, exist_ok=True)
    pairs = mine(articles, seed=args.seed)
    write_pairs(args.out / "pairs.jsonl", pairs)
    with (args.out / "articles.jsonl").open("w", encoding="utf-8") as out:
        for a in newest(articles):
            out.write(json.dumps(f"{a.title}\n{a.heading}\n{a.text}", ensure_ascii=False) + "\n")
    counts = dict(Counter(pair.source for pair in pairs))
    print(f"{len(articles)} articles, pairs {counts}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

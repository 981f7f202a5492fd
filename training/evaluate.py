"""Score the folds' encoders on held-out questions, and a model on text unlike law.

    python -m training.evaluate --bench DIR --folds FOLDS --model models/gongxue-static

Each leg gives its best 200; a hybrid score is (1 - weight) * keyword + weight * vector,
each divided by the best of its leg. The measures are those of `gongxue eval`.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from search.encoders.static import StaticEncoder
from training.labels import Bench, Keyword, read_bench, read_stard

DEPTH = 200
WEIGHTS = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 1.0)
OTHER_SETS = ("cmrc-trial", "drcd-dev")

Run = list[tuple[str, float]]


def vector_runs(encoder: StaticEncoder, bench: Bench, questions: Sequence[str], k: int) -> dict[str, Run]:
    """The best k passages of each question by inner product, exactly."""
    ids = list(bench.passages)
    matrix = encoder.encode_passages(list(bench.passages.values()))
    runs = {}
    for question, vector in zip(
        questions, encoder.encode_queries([bench.questions[q] for q in questions]), strict=True
    ):
        scores = matrix @ vector
        best = np.argpartition(-scores, min(k, len(ids) - 1))[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        runs[question] = [(ids[i], float(scores[i])) for i in best]
    return runs


def fuse(keyword: Run, vector: Run, weight: float) -> list[str]:
    """Passages by convex combination of scores divided by the best of their leg."""
    scores: dict[str, float] = {}
    for run, share in ((keyword, 1 - weight), (vector, weight)):
        if run and share:
            for passage, score in run:
                scores[passage] = scores.get(passage, 0.0) + share * score / run[0][1]
    return sorted(scores, key=lambda p: -scores[p])


def measure(ranked: Sequence[str], gold: Mapping[str, int]) -> tuple[float, float, float]:
    """nDCG@10, R@10 and R@100 of one ranking."""
    gains = [(2 ** gold.get(p, 0) - 1) / math.log2(i + 2) for i, p in enumerate(ranked[:10])]
    best = [(2**g - 1) / math.log2(i + 2) for i, g in enumerate(sorted(gold.values(), reverse=True)[:10])]
    hits = [sum(p in gold for p in ranked[:k]) / len(gold) for k in (10, 100)]
    return sum(gains) / sum(best), hits[0], hits[1]


def table(
    name: str, bench: Bench, keyword: Mapping[str, Run], vector: Mapping[str, Run], questions: Sequence[str]
) -> None:
    """Print one row a weight: means over the questions."""
    for weight in WEIGHTS:
        rows = [measure(fuse(keyword[q], vector[q], weight), bench.gold[q]) for q in questions]
        ndcg, r10, r100 = np.mean(rows, axis=0)
        print(
            f"{name:12s} {len(rows):5d} weight {weight:.2f}  {ndcg:.4f} / {r10:.4f} / {r100:.4f}", flush=True
        )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, required=True, help="folder of benchmark sets")
    parser.add_argument("--folds", type=Path, required=True, help="what training.folds wrote")
    parser.add_argument("--model", type=Path, required=True, help="model folder, scored on text unlike law")
    args = parser.parse_args()
    bench = read_stard(args.bench)
    index = Keyword(bench.passages)
    keyword = {q: index.search(text, DEPTH) for q, text in bench.questions.items()}
    vector: dict[str, Run] = {}
    fresh: list[str] = []
    for folder in sorted(args.folds.iterdir()):
        split = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        vector |= vector_runs(StaticEncoder(folder), bench, split["held_out"], DEPTH)
        fresh += split["unseen"]
    table("all", bench, keyword, vector, list(bench.questions))
    table("unseen", bench, keyword, vector, fresh)
    encoder = StaticEncoder(args.model)
    for name in OTHER_SETS:
        other = read_bench(args.bench / name / "corpus.jsonl.gz", args.bench / name)
        index = Keyword(other.passages)
        keyword = {q: index.search(text, DEPTH) for q, text in other.questions.items()}
        table(
            name,
            other,
            keyword,
            vector_runs(encoder, other, list(other.questions), DEPTH),
            list(other.questions),
        )


if __name__ == "__main__":
    main()

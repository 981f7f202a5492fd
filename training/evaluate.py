"""Score the folds' encoders on held-out questions, and a model on text unlike law.

    python -m training.evaluate --bench DIR --folds FOLDS --model models/gongxue-static

Prints nDCG@10 / R@10 / R@100 of each leg alone, of both at equal shares, and of both as the service merges them.
Legs, fusion and measures are the service's own, but for an exact search over the vectors.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kb.ports import Run
from search.encoders.static import StaticEncoder
from search.fusion import KEYWORD_DEPTH, VECTOR_DEPTH, convex_combination
from search.metrics import ndcg, recall
from training.labels import Bench, Keyword, read_bench, read_stard

SHARES = {"keyword": 0.0, "vector": 1.0, "half": 0.5, "hybrid": None}
"""Share of the vector leg; None is the service's own, which depends on the query."""
OTHER_SETS = ("cmrc-trial", "drcd-dev")


def keyword_runs(bench: Bench) -> dict[str, Run]:
    """The best passages of each question by BM25, passages by their place."""
    place = {passage: i for i, passage in enumerate(bench.passages)}
    index = Keyword(bench.passages)
    return {
        question: [(place[passage], score) for passage, score in index.search(text, KEYWORD_DEPTH)]
        for question, text in bench.questions.items()
    }


def vector_runs(encoder: StaticEncoder, bench: Bench, questions: Sequence[str]) -> dict[str, Run]:
    """The best passages of each question by inner product."""
    matrix = encoder.encode_passages(list(bench.passages.values()))
    vectors = encoder.encode_queries([bench.questions[q] for q in questions])
    runs = {}
    for question, vector in zip(questions, vectors, strict=True):
        scores = matrix @ vector
        best = np.argpartition(-scores, min(VECTOR_DEPTH, len(scores)) - 1)[:VECTOR_DEPTH]
        best = best[np.argsort(-scores[best], kind="stable")]
        runs[question] = [(int(i), float(scores[i])) for i in best]
    return runs


def report(
    name: str, bench: Bench, keyword: Mapping[str, Run], vector: Mapping[str, Run], questions: Sequence[str]
) -> None:
    """Print one row for each way to merge: means over the questions."""
    ids = list(bench.passages)
    for mode, share in SHARES.items():
        rows = []
        for q in questions:
            merged = convex_combination(keyword[q], vector[q], share=share)
            ranking = [ids[place] for place, _ in merged]
            grades = bench.gold[q]
            rows.append((ndcg(ranking, grades), recall(ranking, grades, 10), recall(ranking, grades, 100)))
        means = " / ".join(f"{mean:.4f}" for mean in np.mean(rows, axis=0))
        print(f"{name:10s} {len(rows):5d} questions, {mode:8s} {means}", flush=True)


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
    keyword = keyword_runs(bench)
    vector: dict[str, Run] = {}
    fresh: list[str] = []
    for folder in sorted(args.folds.iterdir()):
        split = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        vector |= vector_runs(StaticEncoder(folder), bench, split["held_out"])
        fresh += split["unseen"]
    report("all", bench, keyword, vector, list(bench.questions))
    report("unseen", bench, keyword, vector, fresh)
    encoder = StaticEncoder(args.model)
    for name in OTHER_SETS:
        other = read_bench(args.bench / name / "corpus.jsonl.gz", args.bench / name)
        questions = list(other.questions)
        report(name, other, keyword_runs(other), vector_runs(encoder, other, questions), questions)


if __name__ == "__main__":
    main()

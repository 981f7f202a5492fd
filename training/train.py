"""Train the encoder: LSA start, contrastive training on mined pairs, then on labelled questions.

    python -m training.train --work WORK --bench DIR --out models/gongxue-static

WORK is what `training.mine` wrote. The table before labels is kept there as
`pretrained.npz` and used again when it exists.
"""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from search.encoders.static import write_folder
from training.bags import Bags, Vocabulary, build_vocabulary, term_matrix, tokenize
from training.contrast import contrastive_loss, count, embed, same, shared, shorten
from training.labels import Bench, Keyword, read_stard
from training.lsa import start_table
from training.pairs import read_pairs

NAME = "gongxue-static"
DIM = 256
N_WORDS = 40_000
N_HASHED = 16_384
SEED = 7
NOISE = 0.5
START_LENGTH = 0.125
"""Length of a start vector is this times its idf; small, so that training outweighs the start soon."""

SHARES = {
    "heading": 0.10, "rest": 0.15, "half": 0.08, "question": 0.28,
    "heading-local": 0.02, "rest-local": 0.03, "half-local": 0.02, "question-local": 0.05,
    "citation": 0.14, "local": 0.05, "neighbour": 0.07, "version": 0.01,
}  # fmt: skip
"""Share of the steps that each miner's pairs get."""
STEPS = 900
BATCH = 1024
RATE = 0.0015
LABEL_EPOCHS = 10
LABEL_BATCH = 256
LABEL_RATE = 0.001
N_HARD = 3
HARD_DEPTH = 50

Table = NDArray[np.float32]


def device() -> torch.device:
    """CUDA where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pretrain(work: Path, *, steps: int = STEPS, seed: int = SEED) -> tuple[Vocabulary, Table]:
    """Vocabulary and table from unlabelled text alone."""
    with (work / "articles.jsonl").open(encoding="utf-8") as lines:
        tokens = tokenize(map(json.loads, lines))
    vocabulary = build_vocabulary(tokens, N_WORDS, N_HASHED)
    matrix = term_matrix([vocabulary.ids(t) for t in tokens], len(vocabulary))
    del tokens
    start = START_LENGTH * start_table(matrix, DIM, seed=seed, noise=NOISE)
    say(f"start table {start.shape}")
    queries, passages, places = load_pairs(work, vocabulary)
    say("pairs read")
    return vocabulary, contrast_pairs(start, queries, passages, places, steps=steps, seed=seed)


def load_pairs(work: Path, vocabulary: Vocabulary) -> tuple[Bags, Bags, dict[str, NDArray[np.int64]]]:
    """Queries and passages as bags, and the places of each miner's pairs as rows (query, passage)."""
    query_ids: dict[str, int] = {}
    passage_ids: dict[str, int] = {}
    places: dict[str, list[tuple[int, int]]] = {}
    for source, query, passage in read_pairs(work / "pairs.jsonl"):
        pair = query_ids.setdefault(query, len(query_ids)), passage_ids.setdefault(passage, len(passage_ids))
        places.setdefault(source, []).append(pair)
    queries, passages = (Bags([vocabulary.ids(t) for t in tokenize(ids)]) for ids in (query_ids, passage_ids))
    return queries, passages, {source: np.array(pairs, np.int64) for source, pairs in places.items()}


def contrast_pairs(
    start: Table,
    queries: Bags,
    passages: Bags,
    places: dict[str, NDArray[np.int64]],
    *,
    steps: int,
    seed: int,
) -> Table:
    """Multiple negatives over mined pairs, one miner a batch."""
    draw = np.random.default_rng(seed)
    table = torch.from_numpy(start.copy()).to(device()).requires_grad_()
    optimizer = torch.optim.Adam([table], lr=RATE, fused=True)
    sources = [s for s in SHARES if s in places]
    shares = np.array([SHARES[s] for s in sources]) / sum(SHARES[s] for s in sources)
    mean = 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, 2 * (1 - step / steps))
        pool = places[sources[draw.choice(len(sources), p=shares)]]
        pairs = pool[draw.choice(len(pool), min(BATCH, len(pool)), replace=False)]
        loss = pair_loss(table, queries, passages, pairs, draw)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = 0.98 * mean + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 99:
            say(f"step {step + 1}: loss {mean:.3f}")
    return as_array(table)


def pair_loss(
    table: torch.Tensor, queries: Bags, passages: Bags, pairs: NDArray[np.int64], draw: np.random.Generator
) -> torch.Tensor:
    """Loss of one batch: queries lose a quarter of their tokens, passages some of those that the query has."""
    n = len(pairs)
    owners, rows = queries.take(pairs[:, 0])
    full, _ = count(owners, rows)
    stays = shorten(owners, draw, keep=0.75, most=80)
    query_keys, query_counts = count(owners[stays], rows[stays])
    keys, counts = count(*passages.take(pairs[:, 1]))
    stays = ~(shared(keys, full) & (draw.random(len(keys)) < 0.4))
    masked = same(pairs[:, 1], pairs[:, 1]) | same(pairs[:, 0], pairs[:, 0])
    masked.fill_diagonal_(False)
    return contrastive_loss(
        embed(table, query_keys, query_counts, n),
        embed(table, keys[stays], counts[stays], n),
        torch.arange(n, device=table.device),
        masked.to(table.device),
    )


def hard_negatives(bench: Bench, keyword: Keyword) -> dict[str, list[str]]:
    """For each question the best passages by BM25 that are not among its right ones."""
    return {
        q: [p for p, _ in keyword.search(text, HARD_DEPTH) if p not in bench.gold[q]]
        for q, text in bench.questions.items()
    }


def fine_tune(
    start: Table,
    vocabulary: Vocabulary,
    bench: Bench,
    hard: dict[str, list[str]],
    questions: Iterable[str],
    *,
    epochs: int = LABEL_EPOCHS,
    seed: int = SEED,
) -> Table:
    """Contrastive training on the labels of `questions` and no others."""
    draw = np.random.default_rng(seed)
    asked = sorted(questions)
    pairs = [(q, p) for q in asked for p in sorted(bench.gold[q])]
    near = sorted({p for q, p in pairs} | {p for q in asked for p in hard[q]})
    place = {p: i for i, p in enumerate(near)}
    passages = Bags([vocabulary.ids(t) for t in tokenize(bench.passages[p] for p in near)])
    queries = Bags([vocabulary.ids(t) for t in tokenize(bench.questions[q] for q in asked)])
    number = {q: i for i, q in enumerate(asked)}
    table = torch.from_numpy(start.copy()).to(device()).requires_grad_()
    optimizer = torch.optim.Adam([table], lr=LABEL_RATE, fused=True)
    for _ in range(epochs):
        order = draw.permutation(len(pairs))
        for at in range(0, len(pairs), LABEL_BATCH):
            batch = [pairs[i] for i in order[at : at + LABEL_BATCH]]
            extra = [hard[q][i] for q, _ in batch for i in draw.integers(0, len(hard[q]), N_HARD)]
            column = [p for _, p in batch] + extra
            masked = torch.tensor([[c in bench.gold[q] for c in column] for q, _ in batch])
            masked[range(len(batch)), range(len(batch))] = False
            owners, rows = queries.take(np.array([number[q] for q, _ in batch]))
            stays = shorten(owners, draw, keep=0.9, most=80)
            query = embed(table, *count(owners[stays], rows[stays]), len(batch))
            passage = embed(table, *count(*passages.take(np.array([place[p] for p in column]))), len(column))
            right = torch.arange(len(batch), device=table.device)
            loss = contrastive_loss(query, passage, right, masked.to(table.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return as_array(table)


def load_or_pretrain(work: Path, *, steps: int, seed: int) -> tuple[Vocabulary, Table]:
    """The table before labels, from WORK when it is there."""
    path = work / "pretrained.npz"
    if path.exists():
        kept = np.load(path)
        return Vocabulary(kept["words"].tolist(), int(kept["n_hashed"])), kept["table"]
    vocabulary, table = pretrain(work, steps=steps, seed=seed)
    np.savez(path, words=np.array(vocabulary.tokens), n_hashed=vocabulary.n_hashed, table=table)
    return vocabulary, table


def as_array(table: torch.Tensor) -> Table:
    """The table out of training."""
    array: Table = table.detach().cpu().numpy()
    return array


def say(text: str) -> None:
    """Print with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder that training.mine wrote")
    parser.add_argument(
        "--bench", type=Path, required=True, help="folder with stard-corpus.jsonl.gz and stard-train"
    )
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    vocabulary, table = load_or_pretrain(args.work, steps=args.steps, seed=args.seed)
    bench = read_stard(args.bench)
    hard = hard_negatives(bench, Keyword(bench.passages))
    table = fine_tune(table, vocabulary, bench, hard, bench.questions, seed=args.seed)
    about = {
        "pretraining_steps": args.steps,
        "label_epochs": LABEL_EPOCHS,
        "seed": args.seed,
        "folds": "none",
    }
    write_folder(args.out, NAME, vocabulary.tokens, table, about)
    say(f"wrote {args.out}")


if __name__ == "__main__":
    main()

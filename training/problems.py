"""Make the encoder of problems: from a thesaurus, and from problems that were said twice.

    python -m training.problems --out models/gongxue-problems

Both kinds of data are in `training/data` and were written for this project. A line of `problem_pairs.jsonl` is one
kind of trouble: `formal`, as reports of several trades put it, and `lay`, as people of other trades talk of it.

A token's vector has two parts of equal weight. One is contrasted: it starts from the thesaurus and learns to bring
both tellings of a trouble together. The other is latent: which concepts, and which troubles, the token occurs in.
"""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from search.encoders.static import write_folder
from training.bags import Bags, Vocabulary, tokenize
from training.contrast import contrastive_loss, count, embed, shared, shorten
from training.thesaurus import latent_table, read_thesaurus
from training.train import Table, as_array, say

NAME = "gongxue-problems"
PAIRS = Path(__file__).parent / "data" / "problem_pairs.jsonl"
CONTRASTED_DIM = 256
LATENT_DIM = 512
LATENT_EVENNESS = 0.4
N_HASHED = 1024
SEED = 7
STEPS = 250
RATE = 0.002
BATCH = 384
CONCEPT_SHARE = 0.3
"""Share of the steps that hold on to the thesaurus."""
ACROSS = 0.6
"""Share of the pairs of a lay and a formal telling; the rest are two lay ones."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble, told formally and as people talk."""

    schema: str
    formal: tuple[str, ...]
    lay: tuple[str, ...]


def read_troubles(path: Path = PAIRS) -> list[Trouble]:
    """The lines of a file of problems said twice."""
    with path.open(encoding="utf-8") as lines:
        read = map(json.loads, lines)
        return [Trouble(t["schema"], tuple(t["formal"]), tuple(t["lay"])) for t in read]


def train(
    concepts: dict[str, list[str]], troubles: list[Trouble], *, steps: int = STEPS, seed: int = SEED
) -> tuple[Vocabulary, Table]:
    """Vocabulary and table."""
    vocabulary = vocabulary_of(concepts, troubles)
    say(f"{len(vocabulary)} tokens, {len(concepts)} concepts, {len(troubles)} troubles")
    told = [(*t.formal, *t.lay) for t in troubles]
    latent = latent_table(vocabulary, concepts, LATENT_DIM, told=told, evenness=LATENT_EVENNESS)
    contrasted = contrast(vocabulary, concepts, troubles, steps=steps, seed=seed)
    return vocabulary, np.concatenate([_even(contrasted), _even(latent)], axis=1)


def _even(table: Table) -> Table:
    """The table with vectors of length 1 on the root of the mean square."""
    evened: Table = table / np.sqrt((table**2).sum(axis=1).mean())
    return evened


def contrast(
    vocabulary: Vocabulary,
    concepts: dict[str, list[str]],
    troubles: list[Trouble],
    *,
    steps: int,
    seed: int,
    rate: float = RATE,
) -> Table:
    """The contrasted part of the table."""
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    start = latent_table(vocabulary, concepts, CONTRASTED_DIM)
    unheld = np.linalg.norm(start, axis=1) == 0
    start[unheld] = draw.normal(0, 0.02, (int(unheld.sum()), CONTRASTED_DIM))
    table = torch.from_numpy(start).requires_grad_()
    optimizer = torch.optim.Adam([table], lr=rate)
    of_concepts, of_troubles = Concepts(vocabulary, concepts), Troubles(vocabulary, troubles)
    mean = 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        source = of_concepts if draw.random() < CONCEPT_SHARE else of_troubles
        loss = source.loss(table, draw)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = 0.97 * mean + 0.03 * loss.item() if step else loss.item()
        if step % 100 == 99:
            say(f"step {step + 1}: loss {mean:.3f}")
    return as_array(table)


def vocabulary_of(concepts: dict[str, list[str]], troubles: list[Trouble]) -> Vocabulary:
    """Every token of the data, the most frequent first."""
    counts: Counter[str] = Counter()
    texts = [w for said in concepts.values() for w in said]
    texts += [text for t in troubles for text in (*t.formal, *t.lay)]
    for tokens in tokenize(texts):
        counts.update(set(tokens))
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Vocabulary([token for token, _ in ranked], N_HASHED)


class Concepts:
    """Some words of a concept against some others of it."""

    def __init__(self, vocabulary: Vocabulary, concepts: dict[str, list[str]]) -> None:
        number = {w: i for i, w in enumerate(dict.fromkeys(w for said in concepts.values() for w in said))}
        self._words = Bags([vocabulary.ids(t) for t in tokenize(number)])
        self._said = [np.array([number[w] for w in said], np.int64) for said in concepts.values()]
        holders: dict[int, list[int]] = {}
        for concept, said in enumerate(self._said):
            for word in said:
                holders.setdefault(int(word), []).append(concept)
        self._near = [{c for word in said for c in holders[int(word)]} for said in self._said]

    def loss(self, table: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
        """Loss of one batch; concepts that share a word count neither way."""
        picked = draw.choice(len(self._said), min(BATCH, len(self._said)), replace=False)
        some, others = [], []
        for concept in picked:
            order = draw.permutation(self._said[concept])
            n = int(draw.integers(1, 4))
            some.append(order[:n])
            others.append(order[n : n + 8])
        masked = torch.tensor([[b in self._near[a] and a != b for b in picked] for a in picked])
        return contrastive_loss(
            embed(table, *count(*self._take(some)), len(picked)),
            embed(table, *count(*self._take(others)), len(picked)),
            torch.arange(len(picked)),
            masked,
        )

    def _take(self, groups: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        owners, rows = self._words.take(np.concatenate(groups))
        return np.repeat(np.arange(len(groups)), [len(g) for g in groups])[owners], rows


class Troubles:
    """A lay telling of a trouble against a formal one, or against another lay one."""

    def __init__(self, vocabulary: Vocabulary, troubles: list[Trouble]) -> None:
        number: dict[str, int] = {}
        self._told = [
            tuple([number.setdefault(text, len(number)) for text in told] for told in (t.formal, t.lay))
            for t in troubles
        ]
        self._texts = Bags([vocabulary.ids(t) for t in tokenize(number)])

    def loss(self, table: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
        """Loss of one batch: the asking text loses a fifth of its tokens, the other half of those they share."""
        n = min(BATCH, len(self._told))
        asked, answered = [], []
        for trouble in draw.choice(len(self._told), n, replace=False):
            formal, lay = self._told[trouble]
            first = int(draw.choice(lay))
            asked.append(first)
            across = draw.random() < ACROSS
            answered.append(int(draw.choice(formal if across else [t for t in lay if t != first])))
        owners, rows = self._texts.take(np.array(asked))
        stays = shorten(owners, draw, keep=0.8, most=60)
        full, _ = count(owners, rows)
        keys, counts = count(*self._texts.take(np.array(answered)))
        left = ~(shared(keys, full) & (draw.random(len(keys)) < 0.5))
        return contrastive_loss(
            embed(table, *count(owners[stays], rows[stays]), n),
            embed(table, keys[left], counts[left], n),
            torch.arange(n),
            torch.zeros(n, n, dtype=torch.bool),
        )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary, table = train(read_thesaurus(), read_troubles(args.pairs), steps=args.steps, seed=args.seed)
    write_folder(args.out, NAME, vocabulary.tokens, table, {"steps": args.steps, "seed": args.seed})
    say(f"wrote {args.out}")


if __name__ == "__main__":
    main()

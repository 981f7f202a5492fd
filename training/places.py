"""Train the model of where examiners ask, and say how well it does on laws it has not seen.

    python -m training.places PLACES --laws DIR [--out quiz/generation/places.json]

PLACES has one line for each gap of a real exam item: {"item", "law", "start", "end"}, offsets of the
gap in the file `law` below DIR. Training is listwise: of all candidates of a statement, those that
overlap the gap by at least half of the longer should have the mass. One core, about two minutes.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.read import read_document
from ingest.readers import media_type_of
from kb.model import Document, Source
from quiz.generation import places as model
from quiz.generation.places import candidates, features, overlap, words
from quiz.generation.statements import body_clauses, statements

FOLDS = 5
DEPTHS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Example:
    """A statement, its candidates by active features, and what was asked there, each as an overlap by candidate."""

    law: str
    text: str
    around: str
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[int, int], ...]


def read_examples(file: Path, laws: Path) -> list[Example]:
    """The statements of the laws that items ask about, with every gap on them."""
    asked: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        asked[row["law"]].append((row["start"], row["end"]))
    examples: list[Example] = []
    lost = 0
    for law, gaps in sorted(asked.items()):
        data = (laws / law).read_bytes()
        raw = data.decode("utf-8")
        document = read_document(Source(law, media_type_of(law), data))
        said = [s for c in body_clauses(document) for s in statements(document, c)]
        found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for start, end in gaps:
            if (at := place_in(document, raw, start, end)) is None:
                lost += 1
                continue
            n = next((n for n, s in enumerate(said) if s.start <= at and at + end - start <= s.end), None)
            if n is None:
                lost += 1
                continue
            found[n].add((at - said[n].start, at - said[n].start + end - start))
        for n, spans in found.items():
            text = said[n].text
            tokens = words(text)
            kinds = model.kinds(text)
            cands = list(candidates(tokens))
            examples.append(
                Example(
                    law,
                    text,
                    document.text,
                    tuple(tuple(features(tokens, i, j, kinds, document.text)) for i, j in cands),
                    tuple((tokens[i].start, tokens[j].end) for i, j in cands),
                    tuple(sorted(spans)),
                )
            )
    print(f"{len(examples)} statements, {sum(len(e.gaps) for e in examples)} gaps, {lost} not in a statement")
    return examples


def place_in(document: Document, raw: str, start: int, end: int) -> int | None:
    """Where in the document's text the characters start:end of the file stand; None if that is not certain."""
    for margin in (30, 20, 12, 8, 4):
        left = raw[max(0, start - margin) : start].split("\n")[-1]
        right = raw[end : end + margin].split("\n")[0]
        piece = (left + raw[start:end] + right).replace("\u3000", "")
        lead = len(left.replace("\u3000", ""))
        if document.text.count(piece) == 1:
            return document.text.index(piece) + lead
    return None


def train(examples: Sequence[Example], *, l2: float, epochs: int = 60, least: int = 3) -> dict[str, float]:
    """Weights by feature, by Adam over all statements."""
    counts = Counter(f for e in examples for row in e.rows for f in set(row))
    counts_right: Counter[str] = Counter()
    for e in examples:
        for row, (a, b) in zip(e.rows, e.spans, strict=True):
            if any(overlap(a, b, c, d) >= 0.5 for c, d in e.gaps):
                counts_right.update(set(row))
    names = [f for f, n in counts.items() if n >= least and (counts_right[f] >= 2 or n >= 40)]
    index = {f: k for k, f in enumerate(sorted(names))}
    encoded: list[tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.float64]]]] = []
    for e in examples:
        flat = [(n, index[f]) for n, row in enumerate(e.rows) for f in row if f in index]
        rows, columns = np.array([n for n, _ in flat]), np.array([k for _, k in flat])
        targets = [
            np.array(
                [max(0.0, overlap(a, b, c, d)) if overlap(a, b, c, d) >= 0.5 else 0.0 for a, b in e.spans]
            )
            for c, d in e.gaps
        ]
        if targets := [t for t in targets if t.sum() > 0]:
            encoded.append((rows, columns, targets))
    w = np.zeros(len(index))
    m, v, step = np.zeros_like(w), np.zeros_like(w), 0
    order = np.random.default_rng(4)
    for _ in range(epochs):
        for chunk in np.array_split(order.permutation(len(encoded)), max(1, len(encoded) // 16)):
            gradient = l2 * w * len(chunk) / len(encoded)
            for n in chunk:
                rows, columns, targets = encoded[n]
                scores = np.zeros(len(targets[0]))
                np.add.at(scores, rows, w[columns])
                p = np.exp(scores - scores.max())
                p /= p.sum()
                slope = np.zeros_like(p)
                for t in targets:
                    q = p * t
                    slope += (p - q / q.sum()) / len(targets)
                np.add.at(gradient, columns, slope[rows] / len(encoded))
            step += 1
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            w -= 0.02 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-9)
    return {f: round(float(w[k]), 3) for f, k in index.items() if abs(w[k]) >= 0.02}


def measure(examples: Sequence[Example], weights: dict[str, float]) -> dict[int, list[bool]]:
    """For each depth and gap whether one of so many places asks where the item asked."""
    told: dict[int, list[bool]] = {k: [] for k in DEPTHS}
    for e in examples:
        chosen = model.places(e.text, e.around, weights=weights)
        for c, d in e.gaps:
            for k in DEPTHS:
                told[k].append(any(overlap(p.start, p.end, c, d) >= 0.5 for p in chosen[:k]))
    return told


def main() -> None:
    """Cross-validate by law, then train on all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", type=Path)
    parser.add_argument("--laws", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--l2", type=float, default=1.0)
    arguments = parser.parse_args()
    examples = read_examples(arguments.places, arguments.laws)
    laws = sorted({e.law for e in examples})
    folds = {law: n % FOLDS for n, law in enumerate(np.random.default_rng(1).permutation(laws))}
    told: dict[int, list[bool]] = {k: [] for k in DEPTHS}
    for fold in range(FOLDS):
        weights = train([e for e in examples if folds[e.law] != fold], l2=arguments.l2)
        for k, right in measure([e for e in examples if folds[e.law] == fold], weights).items():
            told[k] += right
    shares = {k: round(float(np.mean(right)), 3) for k, right in told.items()}
    print(f"{len(told[1])} gaps over {len(laws)} laws, none seen in training: within k {shares}")
    if arguments.out:
        weights = train(examples, l2=arguments.l2)
        body = {
            "trained_on": {"gaps": len(told[1]), "laws": len(laws)},
            "held_out": shares,
            "weights": weights,
        }
        arguments.out.write_text(
            json.dumps(body, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()

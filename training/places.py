"""Train the model of where examiners ask, and say how well it does on laws it has not seen.

    python -m training.places [PLACES] --laws DIR [--out quiz/generation/places.json]

PLACES has one line for each gap of a real exam item: {"item", "law", "sha256", "start", "end", "strict"}, the gap
as characters of the file `law` below DIR. `strict` is false where a program may have made the item.
Training is listwise: of all candidates of a sentence, those that overlap the gap by at least half of
the longer should have the mass. One core, about half a minute.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.read import read_document
from ingest.readers import media_type_of
from kb.model import Document, Source
from quiz.generation import places as model
from quiz.generation.places import candidates, features, overlap, words
from quiz.generation.statements import body_clauses, statements

PLACES = Path("benchmarks/data/exam_places.jsonl")
FORMS = ("sentence", "statement")
"""A gap is learned and measured twice: in the text between two stops, and in the statement that quizzes are made from."""
FOLDS = 5
DEPTHS = (1, 3, 5, 10)
L2 = 0.03
_LABEL = re.compile(
    r"(?:[#\s]*第[〇零一二三四五六七八九十百]+条(?:之[一二三四五])?[\s　]*|[（(][一二三四五六七八九十]+[)）])*[\s　]*"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """What an item asked: a span of the text, the item's number, and whether a person made it for certain."""

    start: int
    end: int
    item: int
    strict: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A text of a law, its candidates with their features, and the gaps on it."""

    form: str
    law: str
    text: str
    around: str
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[int, int], ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Whether one of the first so many places asks where the item asked, for each of `DEPTHS`."""

    law: str
    gap: Gap
    within: tuple[bool, ...]


def read_examples(file: Path, laws: Path) -> list[Example]:
    """The texts that items ask about, each in both forms where it has both.

    Raises:
        SystemExit: a law is not the one that the places were found in.
    """
    asked: dict[str, list[Gap]] = defaultdict(list)
    digests: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        asked[row["law"]].append(Gap(row["start"], row["end"], row["item"], row["strict"]))
        digests[row["law"]] = row["sha256"]
    examples: list[Example] = []
    for law, gaps in sorted(asked.items()):
        data = (laws / law).read_bytes()
        if sha256(data).hexdigest() != digests[law]:
            raise SystemExit(f"{laws / law} is another version than the places in {file} were found in.")
        document = read_document(Source(law, media_type_of(law), data))
        found = _found(document, data.decode("utf-8"), gaps)
        examples += [_example(*key, document.text, law, tuple(on)) for key, on in found.items()]
    return examples


def _found(document: Document, raw: str, gaps: Sequence[Gap]) -> dict[tuple[str, str], list[Gap]]:
    """Gaps by form and text, as spans of that text."""
    said = [s for c in body_clauses(document) for s in statements(document, c)]
    found: dict[tuple[str, str], list[Gap]] = defaultdict(list)
    for g in gaps:
        start = max(raw.rfind(stop, 0, g.start) for stop in "。；\n") + 1
        if label := _LABEL.match(raw, start):
            start = min(label.end(), g.start)
        end = min(n for stop in "。；\n" if (n := raw.find(stop, g.end)) >= 0)
        text = raw[start : end + (raw[end] != "\n")]
        found["sentence", text].append(Gap(g.start - start, g.end - start, g.item, g.strict))
        n = g.end - g.start
        at = place_in(document, raw, g.start, g.end)
        s = next((s for s in said if at is not None and s.start <= at and at + n <= s.end), None)
        if s is not None and at is not None:
            found["statement", s.text].append(Gap(at - s.start, at - s.start + n, g.item, g.strict))
    return found


def _example(form: str, text: str, around: str, law: str, gaps: tuple[Gap, ...]) -> Example:
    said, kinds = words(text), model.kinds(text)
    runs = list(candidates(said, around))
    rows = tuple(tuple(features(said, i, j, kinds, around)) for i, j in runs)
    return Example(form, law, text, around, rows, tuple((said[i].start, said[j].end) for i, j in runs), gaps)


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


def train(
    examples: Sequence[Example], *, l2: float = L2, epochs: int = 60, least: int = 3
) -> dict[str, float]:
    """Weights by feature, by Adam over all texts."""
    counts = Counter(f for e in examples for row in e.rows for f in set(row))
    counts_right: Counter[str] = Counter()
    for e in examples:
        for row, (a, b) in zip(e.rows, e.spans, strict=True):
            if any(overlap(a, b, g.start, g.end) >= 0.5 for g in e.gaps):
                counts_right.update(set(row))
    names = [f for f, n in counts.items() if n >= least and (counts_right[f] >= 2 or n >= 40)]
    index = {f: k for k, f in enumerate(sorted(names))}
    encoded: list[tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.float64]]]] = []
    for e in examples:
        flat = [(n, index[f]) for n, row in enumerate(e.rows) for f in row if f in index]
        rows, columns = np.array([n for n, _ in flat]), np.array([k for _, k in flat])
        shares = [
            np.array([overlap(a, b, start, end) for a, b in e.spans])
            for start, end in sorted({(g.start, g.end) for g in e.gaps})
        ]
        if targets := [t for s in shares if (t := np.where(s >= 0.5, s, 0.0)).sum() > 0]:
            encoded.append((rows, columns, targets))
    w = np.zeros(len(index))
    m, v, step = np.zeros_like(w), np.zeros_like(w), 0
    order = np.random.default_rng(4)
    for _ in range(epochs):
        for chunk in np.array_split(order.permutation(len(encoded)), max(1, len(encoded) // 16)):
            gradient = l2 * w * len(chunk) / len(encoded)
            for n in chunk:
                rows, columns, targets = encoded[n]
                scores = np.bincount(rows, w[columns], len(targets[0]))
                p = np.exp(scores - scores.max())
                p /= p.sum()
                slope = np.zeros_like(p)
                for t in targets:
                    q = p * t
                    slope += (p - q / q.sum()) / len(targets)
                gradient += np.bincount(columns, slope[rows], len(w)) / len(encoded)
            step += 1
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            w -= 0.02 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-9)
    return {f: round(float(w[k]), 3) for f, k in index.items() if abs(w[k]) >= 0.02}


def tell(examples: Sequence[Example], weights: Mapping[str, float]) -> list[Told]:
    """What the places that the weights choose have of the gaps."""
    told: list[Told] = []
    for e in examples:
        chosen = model.places(e.text, e.around, weights=weights)
        for g in e.gaps:
            hits = [overlap(p.start, p.end, g.start, g.end) >= 0.5 for p in chosen]
            told.append(Told(e.law, g, tuple(any(hits[:k]) for k in DEPTHS)))
    return told


def held_out(examples: Sequence[Example], *, l2: float = L2) -> dict[str, list[Told]]:
    """By form what is told of each gap by weights that saw no gap of its law."""
    laws = sorted({e.law for e in examples})
    folds = {law: n % FOLDS for n, law in enumerate(np.random.default_rng(1).permutation(laws))}
    told: dict[str, list[Told]] = {form: [] for form in FORMS}
    for fold in range(FOLDS):
        weights = train([e for e in examples if folds[e.law] != fold], l2=l2)
        for form in FORMS:
            told[form] += tell([e for e in examples if folds[e.law] == fold and e.form == form], weights)
    return told


def shares(told: Sequence[Told]) -> dict[str, dict[str, float]]:
    """Share of hits by depth: over all gaps, with laws evenly, with items evenly, and over the strict gaps."""
    groups: dict[str, list[list[Told]]] = {
        "gaps": [list(told)],
        "laws": [[t for t in told if t.law == law] for law in sorted({t.law for t in told})],
        "items": [[t for t in told if t.gap.item == item] for item in sorted({t.gap.item for t in told})],
        "strict": [[t for t in told if t.gap.strict]],
    }
    return {
        name: {
            str(k): round(float(np.mean([np.mean([t.within[d] for t in group]) for group in parts])), 3)
            for d, k in enumerate(DEPTHS)
        }
        for name, parts in groups.items()
    }


def main() -> None:
    """Cross-validate by law, then train on all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", type=Path, nargs="?", default=PLACES)
    parser.add_argument("--laws", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--l2", type=float, default=L2)
    arguments = parser.parse_args()
    examples = read_examples(arguments.places, arguments.laws)
    told = held_out(examples, l2=arguments.l2)
    figures = {form: shares(told[form]) for form in FORMS}
    counts = {form: {"gaps": len(told[form]), "laws": len({t.law for t in told[form]})} for form in FORMS}
    for form in FORMS:
        print(form, counts[form])
        for name, by_depth in figures[form].items():
            print(f"  {name:7}", by_depth)
    if arguments.out:
        body = {
            "trained_on": counts,
            "held_out": figures,
            "weights": train(examples, l2=arguments.l2),
        }
        arguments.out.write_text(
            json.dumps(body, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()

"""The labelled questions: reading them, splitting them into folds, hard negatives."""

import gzip
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

from search.analysis import query_terms, terms


@dataclass(frozen=True, slots=True)
class Bench:
    """Passages, questions and which passages answer which question, by id."""

    passages: dict[str, str]
    questions: dict[str, str]
    gold: dict[str, dict[str, int]]


def read_bench(corpus: Path, folder: Path) -> Bench:
    """BEIR files: the corpus file, and the folder of queries.jsonl.gz and qrels.tsv.gz."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        passages = {p["_id"]: f"{p['title']}\n{p['text']}" for p in map(json.loads, lines)}
    with gzip.open(folder / "queries.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = {q["_id"]: q["text"] for q in map(json.loads, lines)}
    gold: dict[str, dict[str, int]] = {}
    with gzip.open(folder / "qrels.tsv.gz", "rt", encoding="utf-8") as lines:
        next(lines)
        for question, passage, grade in (line.split() for line in lines):
            if int(grade) > 0:
                gold.setdefault(question, {})[passage] = int(grade)
    return Bench(passages, {q: texts[q] for q in gold}, gold)


def read_stard(bench: Path) -> Bench:
    """The labelled law questions of a benchmark folder."""
    return read_bench(bench / "stard-corpus.jsonl.gz", bench / "stard-train")


def folds(questions: Iterable[str], n: int, seed: int) -> list[list[str]]:
    """n parts of the question ids, drawn; the same for the same ids and seed."""
    ids = sorted(questions)
    random.Random(seed).shuffle(ids)
    return [sorted(ids[i::n]) for i in range(n)]


def unseen(held_out: Sequence[str], gold: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Questions held out none of whose right passages is right for a question outside `held_out`.

    >>> unseen(["a", "b"], {"a": {"p": 1}, "b": {"q": 1}, "c": {"p": 1}})
    ['b']
    """
    held = set(held_out)
    known = {p for question, right in gold.items() if question not in held for p in right}
    return [q for q in held_out if known.isdisjoint(gold[q])]


class Keyword:
    """BM25 over our tokens, in memory; the same ranking as the keyword leg."""

    def __init__(self, passages: Mapping[str, str]) -> None:
        self._ids = list(passages)
        builder = tantivy.SchemaBuilder()
        builder.add_unsigned_field("key", fast=True, indexed=True)
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        index = tantivy.Index(self._schema)
        writer = index.writer(100_000_000, 1)
        for key, text in enumerate(passages.values()):
            document = tantivy.Document()
            document.add_unsigned("key", key)
            document.add_text("terms", " ".join(terms(text)))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def search(self, text: str, k: int) -> list[tuple[str, float]]:
        """The best k passages by id, with scores."""
        wanted = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "terms", term, "freq"))
            for term in query_terms(text)
        ]
        found = self._searcher.search(tantivy.Query.boolean_query(wanted), k, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in found])
        return [(self._ids[int(key or 0)], score) for key, (score, _) in zip(keys, found, strict=True)]

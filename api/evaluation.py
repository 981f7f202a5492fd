"""`gongxue eval`: a benchmark through the whole engine.

The corpus goes into a catalog and an index of its own, one document a row, so
that what is measured is what answers: filters, both legs, fusion, targets,
facets, highlights.
"""

import gzip
import json
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.errors import RequestError, UnreadableSource
from kb.model import PUBLIC, Clause, Document, Kind, Metadata, Mode, Passage, Query, derive_id
from kb.names import name_key
from kb.ports import Encoder
from search.analysis import fold
from search.metrics import ndcg, percentile, recall, reciprocal_rank

DEPTH = 100
SHOWN = 10
_SCOPE = frozenset({PUBLIC})

Progress = Callable[[str, int, int], None]
Run = dict[str, list[tuple[str, float]]]


def evaluate_bench(
    bench: Path,
    settings: Settings,
    *,
    mode: Mode = Mode.HYBRID,
    run_file: Path | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Measures of one mode on one benchmark.

    Quality is scored over the best 100 hits. Times are of a page of ten hits with
    facets and highlights, under a scope and filters on kind and validity, each query once.

    Raises:
        UnreadableSource: the benchmark's files are missing or malformed.
        RequestError: the run cannot be written there.
    """
    queries = {q["_id"]: q["text"] for q in read_jsonl(bench / "queries.jsonl.gz")}
    qrels = read_qrels(bench / "qrels.tsv.gz")
    if unknown := sorted(set(qrels) - set(queries)):
        raise UnreadableSource(
            f"Cannot use {bench}: queries.jsonl.gz lacks {', '.join(unknown[:5])}, which qrels.tsv.gz judges.",
            "Each query judged needs its text.",
        )
    if run_file:
        # Found out now rather than after the whole benchmark.
        write_trec(run_file, {}, mode.value)
    with tempfile.TemporaryDirectory(prefix="gongxue-eval-") as home:
        services = build_services(settings.model_copy(update={"home": Path(home)}), encoder=encoder)
        try:
            ids = load_corpus(services, bench / "corpus.jsonl.gz", progress)
            run, times = run_queries(services, {q: queries[q] for q in qrels}, mode, ids, progress)
        finally:
            services.close()
    if run_file:
        write_trec(run_file, run, mode.value)
    return score(run, qrels) | {
        "p50_ms": round(percentile(times, 0.5), 3),
        "p95_ms": round(percentile(times, 0.95), 3),
    }


def load_corpus(services: Services, corpus: Path, progress: Progress | None = None) -> dict[str, str]:
    """Put every row of a corpus into the catalog and the index; corpus id by document id."""
    ids: dict[str, str] = {}
    with services.catalog.writing() as transaction:
        for n, row in enumerate(read_jsonl(corpus), 1):
            document = _row_document(row)
            ids[document.document_id] = row["_id"]
            services.catalog.add(
                document,
                title_key=name_key(fold(document.meta.title).text),
                number_key=None,
                label_keys=[""],
                repeal_keys=[],
                n_bytes=0,
                audience=_SCOPE,
                within=transaction,
            )
            if progress and n % 500 == 0:
                progress("read", n, n)
    services.index.follow(
        block=True, progress=(lambda done, n: progress("index", done, n)) if progress else None
    )
    return ids


def _row_document(row: dict[str, Any]) -> Document:
    text = row["text"].strip() or row.get("title") or row["_id"]
    document_id = derive_id("bench", row["_id"])
    clause = Clause(derive_id(document_id, "clause"), 0, "", "top", 0, len(text), ())
    return Document(
        document_id,
        "0" * 64,
        row["_id"],
        "text/plain",
        text,
        Metadata(row.get("title") or row["_id"], Kind.LAW, work=f"bench:{row['_id']}"),
        (),
        (clause,),
        (Passage(derive_id(document_id, "passage"), clause.clause_id, 0, 0, len(text), ()),),
    )


def run_queries(
    services: Services,
    queries: dict[str, str],
    mode: Mode,
    ids: dict[str, str],
    progress: Progress | None = None,
) -> tuple[Run, list[float]]:
    """The best 100 of each query, and the milliseconds a page of ten takes for each."""
    run: Run = {}
    times = []
    for n, (query_id, text) in enumerate(queries.items(), 1):
        if not text.strip():
            continue
        began = time.perf_counter()
        services.search(Query(text, _SCOPE, k=SHOWN, mode=mode, kinds=frozenset({Kind.LAW})))
        times.append((time.perf_counter() - began) * 1000)
        answer = services.search(Query(text, _SCOPE, k=DEPTH, mode=mode))
        run[query_id] = [(ids[h.document_id], h.score) for h in answer.hits]
        if progress:
            progress("query", n, len(queries))
    return run, times


def score(run: Run, qrels: dict[str, dict[str, int]], only: Iterable[str] | None = None) -> dict[str, Any]:
    """Mean measures over the queries judged; a query that the run lacks scores 0."""
    chosen = list(qrels if only is None else only)
    rankings = {q: [d for d, _ in run.get(q, [])] for q in chosen}

    def mean(values: Iterator[float]) -> float:
        return round(sum(values) / max(1, len(chosen)), 5)

    return {
        "queries": len(chosen),
        "nDCG@10": mean(ndcg(rankings[q], qrels[q]) for q in chosen),
        "MRR@10": mean(reciprocal_rank(rankings[q], qrels[q]) for q in chosen),
        "R@5": mean(recall(rankings[q], qrels[q], 5) for q in chosen),
        "R@10": mean(recall(rankings[q], qrels[q], 10) for q in chosen),
        "R@100": mean(recall(rankings[q], qrels[q], 100) for q in chosen),
    }


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON lines file, gzipped or not, each with an "_id" and a "text".

    Raises:
        UnreadableSource: it is missing or a line is no such object.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            for n, line in enumerate(file, 1):
                found = json.loads(line)
                if not isinstance(found, dict) or not all(
                    isinstance(found.get(k), str) for k in ("_id", "text")
                ):
                    raise ValueError(f'line {n} is no object with "_id" and "text"')
                yield found
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UnreadableSource(
            f"Cannot read {path}: {error}.",
            "A benchmark has corpus, queries and qrels; see benchmarks/README.md.",
        ) from error


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Grades by query id and corpus id; only grades above 0.

    Raises:
        UnreadableSource: it is missing or a line has not three columns.
    """
    found: dict[str, dict[str, int]] = {}
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            next(file)
            for line in file:
                query_id, corpus_id, grade = line.split()
                if int(grade) > 0:
                    found.setdefault(query_id, {})[corpus_id] = int(grade)
    except (OSError, EOFError, zlib.error, ValueError, StopIteration) as error:
        raise UnreadableSource(
            f"Cannot read {path}: {error}.", "Its columns are query-id, corpus-id and score."
        ) from error
    return found


def write_trec(path: Path, run: Run, tag: str) -> None:
    """Write a run as `qid Q0 docid rank score tag`.

    Raises:
        RequestError: it cannot be written there.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            for query_id, hits in run.items():
                for rank, (corpus_id, value) in enumerate(hits, 1):
                    file.write(f"{query_id} Q0 {corpus_id} {rank} {value:.6f} {tag}\n")
    except OSError as error:
        raise RequestError(
            f"Cannot write the run {path}: {error}.", "Name a file in a folder that exists."
        ) from error

"""Whether a narrow scope costs time: the same questions under several scopes over a million passages.

    python -m benchmarks.scope --laws DIR [--passages 1000000] [--queries 400] [--bench DIR]

The passages are those of the laws, several times over: each document made here takes
the title block of one law and passages of a few, in another order, with characters
dropped and exchanged, so that no text stands twice. Versions supersede each other as
in the laws. Whole documents are dealt out to audiences. Questions are fragments of
the laws' own sentences, and as many of STARD's where --bench names its folder. Each is
asked under every scope in turn, hybrid, a page of ten hits with facets and highlights.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from api.evaluation import read_jsonl
from api.services import Services
from api.settings import Settings, load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from ingest.pipeline import File, find_files
from ingest.read import read_document
from ingest.readers import media_type_of
from kb.errors import DocumentError, UnsupportedFormat
from kb.model import Clause, Document, Metadata, Passage, Query, Source, derive_id
from kb.names import name_key
from search.analysis import fold
from search.metrics import percentile

SEED = 11
ALL = "branch:all"
AUDIENCES: dict[str, tuple[float, tuple[str, ...]]] = {
    "3%": (0.03, ("branch:thirty",)),
    "3% by 30 audiences": (0.03, tuple(f"group:{n:02}" for n in range(30))),
    "0.3%": (0.003, ("branch:three",)),
}
"""Share of the passages that each scope sees, and the audiences that it is made of."""
LAWS_MIXED = 3
CHARS_PER_CHANGE = 30
FRAGMENT = (8, 20)
WARM_UP = 20
MAX_RATIO = "<= 1.5"
_TRANSACTION = 500
"""Documents in one transaction."""

Law = tuple[Metadata, list[tuple[tuple[str, ...], str]]]
"""Title block of a law, and path and text of each of its passages."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the process that built the home says of it."""

    documents: int
    passages: int
    seen: dict[str, int]
    stored_s: float
    indexed_s: float
    fragments: list[str]


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--laws", type=Path, required=True, help="folder of documents, such as the laws of LawRefBook/Laws"
    )
    parser.add_argument("--bench", type=Path, help="folder with stard-train")
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/scope.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-scope-") as home:
        settings = load_settings({}, home=Path(home))
        # In a process of its own, so that the memory of this one is that of answering.
        with ProcessPoolExecutor(1) as pool:
            built = pool.submit(build, args.laws, settings, args.passages, args.queries).result()
        questions = mixed_questions(built.fragments, args.bench, args.queries)
        rows = built_rows(built, Path(home)) + query_rows(settings, questions)
    write_results(
        args.out,
        f"Scope over {built.passages:,} passages",
        "python -m benchmarks.scope --laws DIR --bench DIR",
        rows,
    )


# -- building -----------------------------------------------------------------


def build(folder: Path, settings: Settings, n_passages: int, n_fragments: int) -> Built:
    """A home of about `n_passages` passages made from the laws in the folder."""
    laws = read_laws(folder)
    rng = random.Random(SEED)
    rng.shuffle(laws)
    sizes: list[int] = []
    while sum(sizes) < n_passages:
        sizes += [len(passages) for _, passages in laws]
    while sum(sizes) - sizes[-1] >= n_passages:
        sizes.pop()
    audiences, seen = deal(sizes, rng)
    began = time.perf_counter()
    services = build_services(settings)
    for at in range(0, len(sizes), _TRANSACTION):
        with services.catalog.writing() as transaction:
            for n in range(at, min(at + _TRANSACTION, len(sizes))):
                document = mixed_document(n, laws, rng)
                services.catalog.add(
                    document,
                    title_key=name_key(fold(document.meta.title).text),
                    number_key=None,
                    label_keys=[""] * len(document.clauses),
                    repeal_keys=[],
                    n_bytes=0,
                    audience=audiences[n],
                    within=transaction,
                )
    stored = time.perf_counter()
    services.index.follow(block=True)
    indexed = time.perf_counter()
    services.close()
    return Built(
        len(sizes), sum(sizes), seen, stored - began, indexed - stored, fragments(laws, n_fragments, rng)
    )


def read_laws(folder: Path) -> list[Law]:
    """Every readable document in the folder."""
    with ProcessPoolExecutor() as pool:
        return [law for law in pool.map(_read_law, find_files([folder]), chunksize=16) if law]


def _read_law(file: File) -> Law | None:
    try:
        read = read_document(Source(file.name, media_type_of(file.name), file.path.read_bytes()))
    except (DocumentError, UnsupportedFormat):
        return None
    return read.meta, [(p.path, read.text[p.start : p.end]) for p in read.passages]


def deal(sizes: Sequence[int], rng: random.Random) -> tuple[list[set[str]], dict[str, int]]:
    """The audiences of each document, from their numbers of passages; and how many passages each scope sees."""
    audiences = [{ALL} for _ in sizes]
    seen = {}
    for name, (share, ids) in AUDIENCES.items():
        taken = 0
        for i, n in enumerate(rng.sample(range(len(sizes)), len(sizes))):
            if taken >= share * sum(sizes):
                break
            audiences[n].add(ids[i % len(ids)])
            taken += sizes[n]
        seen[name] = taken
    return audiences, seen


def mixed_document(n: int, laws: Sequence[Law], rng: random.Random) -> Document:
    """Document `n`: the title block of one law over as many passages of that law and others."""
    copy, at = divmod(n, len(laws))
    meta, own = laws[at]
    pool = [p for _, passages in (laws[at], *rng.sample(laws, LAWS_MIXED - 1)) for p in passages]
    document_id = derive_id("scope", str(n))
    clauses, passages, texts, start = [], [], [], 0
    for ordinal, (path, text) in enumerate(rng.sample(pool, len(own))):
        changed = changed_text(text, rng)
        end = start + len(changed)
        clause_id = derive_id(document_id, str(ordinal))
        clauses.append(Clause(clause_id, ordinal, "", f"s{ordinal}", start, end + 1, path))
        passages.append(Passage(derive_id(clause_id, "0"), clause_id, 0, start, end, path))
        texts.append(changed)
        start = end + 1
    return Document(
        document_id=document_id,
        sha256=f"{n:064x}",
        source=f"{n}.txt",
        media_type="text/plain",
        text="\n".join([*texts, ""]),
        meta=replace(meta, title=f"{meta.title}之{copy + 1}", number=None, work=f"{copy}:{meta.work}"),
        sections=(),
        clauses=tuple(clauses),
        passages=tuple(passages),
    )


def changed_text(text: str, rng: random.Random) -> str:
    """The text with a character dropped, or exchanged with its neighbour, here and there."""
    characters = list(text)
    for _ in range(len(text) // CHARS_PER_CHANGE + 1):
        i = rng.randrange(len(text))
        characters[i : i + 2] = (
            characters[i : i + 2][::-1] if rng.random() < 0.5 else ["", *characters[i + 1 : i + 2]]
        )
    return "".join(characters).strip() or text


# -- asking -------------------------------------------------------------------


def fragments(laws: Sequence[Law], n: int, rng: random.Random) -> list[str]:
    """Pieces of 8 to 20 characters out of the laws' passages."""
    found: list[str] = []
    while len(found) < n:
        _, text = rng.choice(rng.choice(laws)[1])
        at = rng.randrange(len(text))
        piece = text[at : at + rng.randint(*FRAGMENT)].strip()
        if len(piece) >= FRAGMENT[0]:
            found.append(piece)
    return found


def mixed_questions(pieces: list[str], bench: Path | None, n: int) -> list[str]:
    """`n` questions: half of them STARD's where there is its folder, the rest pieces of the laws."""
    real: list[str] = []
    if bench is not None:
        asked = [q["text"] for q in read_jsonl(bench / "stard-train" / "queries.jsonl.gz")]
        real = random.Random(SEED).sample(asked, min(len(asked), n // 2))
    questions = real + pieces[: n - len(real)]
    random.Random(SEED).shuffle(questions)
    return questions


def query_rows(settings: Settings, questions: Sequence[str]) -> list[Row]:
    """Each question under each scope in turn; which scope comes first goes round."""
    scopes = {"all": frozenset({ALL})} | {name: frozenset(ids) for name, (_, ids) in AUDIENCES.items()}
    began = time.perf_counter()
    services = build_services(settings)
    opened = time.perf_counter()
    services.search(Query(questions[0], scopes["all"]))
    first = time.perf_counter()
    for question in questions[:WARM_UP]:
        for scope in scopes.values():
            services.search(Query(question, scope))
    times: dict[str, list[float]] = {name: [] for name in scopes}
    for n, question in enumerate(questions):
        for name in _from(list(scopes), n):
            times[name].append(timed(services, Query(question, scopes[name])))
    services.close()
    rows = [
        Row("seconds to open the home", round(opened - began, 2)),
        Row("first query, seconds", round(first - opened, 2)),
        Row("questions", len(questions)),
    ]
    whole = percentile(times["all"], 0.95)
    for name, found in times.items():
        rows.append(Row(f"scope of {name}, p50 ms", round(percentile(found, 0.5), 1)))
        rows.append(Row(f"scope of {name}, p95 ms", round(percentile(found, 0.95), 1)))
        if name != "all":
            ratio = percentile(found, 0.95) / whole
            rows.append(Row(f"scope of {name}, p95 against that of all", round(ratio, 2), MAX_RATIO))
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, Row("peak memory of the process that answered, MiB", round(mib))]


def _from(names: Sequence[str], n: int) -> Iterator[str]:
    """The names, beginning at the n-th and going round."""
    return (names[(n + i) % len(names)] for i in range(len(names)))


def timed(services: Services, query: Query) -> float:
    """Milliseconds that a query takes."""
    began = time.perf_counter()
    services.search(query)
    return (time.perf_counter() - began) * 1000


def built_rows(built: Built, home: Path) -> list[Row]:
    """How much there is and what building it took."""
    mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        Row("documents", built.documents),
        Row("passages", built.passages),
        *(Row(f"passages in the scope of {name}", n) for name, n in built.seen.items()),
        Row("seconds to put them into the catalog", round(built.stored_s)),
        Row("seconds to index them", round(built.indexed_s)),
        Row("peak memory of the process that built, MiB", round(mib)),
        Row("catalog, MiB", _mib(home.glob("catalog.db*"))),
        Row("index, MiB", _mib((home / "index").rglob("*"))),
    ]


def _mib(paths: Iterator[Path]) -> int:
    return round(sum(p.stat().st_size for p in paths if p.is_file()) / 2**20)


if __name__ == "__main__":
    main()

"""A large folder through one `gongxue ingest`, then the service on it.

    python -m benchmarks.scale --laws DIR

Measures time and memory of taking it in, what was refused, whether all text is
conserved, how long the service takes from its start to ready, and how long
queries take over HTTP and in process.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from urllib.error import URLError

from api.settings import load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from kb.model import PUBLIC, Kind, Query
from search.metrics import percentile

QUESTIONS = (
    "怎么离婚",
    "试用期最长多久",
    "公司拖欠工资怎么办",
    "工伤认定需要什么材料",
    "夫妻共同债务如何认定",
    "食品不合格怎么赔偿",
    "民法典第一千零四十三条",
    "不动产登记要多久",
    "网购七天无理由退货",
    "未成年人能不能打工",
    "行政复议期限",
    "土地承包期多少年",
)
REPEATS = 10


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--laws", type=Path, required=True, help="folder of documents, such as the laws of LawRefBook/Laws"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/scale.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-scale-") as home:
        rows = ingest_rows(args.laws, Path(home)) + ready_rows(Path(home)) + query_rows(Path(home))
    write_results(args.out, "Scale", "python -m benchmarks.scale --laws DIR", rows)


def ingest_rows(laws: Path, home: Path) -> list[Row]:
    """One ingest in a process of its own."""
    n_files = sum(p.is_file() for p in laws.rglob("*"))
    began = time.perf_counter()
    command = [sys.executable, "-m", "api.cli", "ingest", str(laws), "--home", str(home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    report = json.loads(done.stdout)
    mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    services = build_services(load_settings({}, home=home))
    scope = frozenset({PUBLIC})
    total, cards = services.documents(scope, k=10**6)
    conserved = 0
    for card in cards:
        document = services.document(card.document_id, scope)
        spans = sorted(
            [(s.start, s.end) for s in document.sections] + [(c.start, c.end) for c in document.clauses]
        )
        at = 0
        for start, end in spans:
            at = end if start == at else -1
        conserved += at == len(document.text)
    services.close()
    codes = sorted({f["code"] for f in report["failed"]})
    accounted = report["documents"] + report["unchanged"] + len(report["failed"])
    return [
        Row("files", n_files),
        Row("documents in", report["documents"]),
        Row("passages", report["passages"]),
        Row("same bytes as another", report["unchanged"]),
        Row(f"refused with a reason ({', '.join(codes)})", len(report["failed"])),
        Row("files accounted for", accounted, f"= {n_files}"),
        Row("documents whose sections and clauses tile the text", conserved, f"= {total}"),
        Row("seconds, read, structured, stored and indexed", round(seconds, 1), "< 240"),
        Row("peak memory of the largest process, MiB", round(mib), "< 1536"),
    ]


def ready_rows(home: Path) -> list[Row]:
    """From starting the service to its first ready answer."""
    port = 8765
    began = time.perf_counter()
    service = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--home", str(home), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        break
            except (URLError, ConnectionError):
                if service.poll() is not None:
                    raise RuntimeError(
                        f"the service ended with {service.returncode} before it was ready"
                    ) from None
                time.sleep(0.02)
        ready = time.perf_counter() - began
        times = []
        for question in QUESTIONS * REPEATS:
            began = time.perf_counter()
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/v1/search?q={urllib.parse.quote(question)}"
            ) as answer:
                answer.read()
            times.append((time.perf_counter() - began) * 1000)
    finally:
        service.terminate()
        service.wait()
    return [
        Row("seconds from start to ready", round(ready, 2), "< 3"),
        Row("query over HTTP, p50 ms", round(percentile(times, 0.5), 1)),
        Row("query over HTTP, p95 ms", round(percentile(times, 0.95), 1)),
    ]


def query_rows(home: Path) -> list[Row]:
    """Queries in process, filtered, with facets and highlights."""
    services = build_services(load_settings({}, home=home))
    times = []
    for question in QUESTIONS * REPEATS:
        began = time.perf_counter()
        services.search(Query(question, frozenset({PUBLIC}), kinds=frozenset({Kind.LAW})))
        times.append((time.perf_counter() - began) * 1000)
    services.close()
    return [
        Row("query in process, filtered, p50 ms", round(percentile(times, 0.5), 1)),
        Row("query in process, filtered, p95 ms", round(percentile(times, 0.95), 1)),
    ]


if __name__ == "__main__":
    main()

"""How long a query takes in a running process.

    python -m benchmarks.latency --bench DIR

Every STARD question once, one after the other in one process, over its 59,550
passages: hybrid, under a scope and filters on kind and validity, a page of ten
hits with facets and highlights. No question is asked beforehand but one.
"""

import argparse
import tempfile
from pathlib import Path

from api.evaluation import load_corpus, read_jsonl, read_qrels, run_queries
from api.settings import load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from kb.model import Mode
from search.metrics import percentile


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bench", type=Path, required=True, help="folder with stard-corpus.jsonl.gz and stard-train"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/latency.json"))
    args = parser.parse_args()
    queries = {q["_id"]: q["text"] for q in read_jsonl(args.bench / "stard-train" / "queries.jsonl.gz")}
    asked = {q: queries[q] for q in read_qrels(args.bench / "stard-train" / "qrels.tsv.gz")}
    with tempfile.TemporaryDirectory(prefix="gongxue-latency-") as home:
        services = build_services(load_settings({}, home=Path(home)))
        ids = load_corpus(services, args.bench / "stard-corpus.jsonl.gz")
        run_queries(services, dict(list(asked.items())[:1]), Mode.HYBRID, ids)
        _, times = run_queries(services, asked, Mode.HYBRID, ids)
        services.close()
    rows = [
        Row("questions", len(times)),
        Row("p50 ms", round(percentile(times, 0.5), 2), "< 10"),
        Row("p95 ms", round(percentile(times, 0.95), 2), "< 25"),
    ]
    write_results(
        args.out, "Query time over 59,550 passages", "python -m benchmarks.latency --bench DIR", rows
    )


if __name__ == "__main__":
    main()

"""Whether the case that solved a problem is found when a liaison tells the problem in other words.

    python -m benchmarks.case_finding

The library holds the sample cases and 400 distractors; both are in the repository, and so are the problems. Each
problem was written by somebody who knew its case, shares at most two content words with it (counted here anew),
and mostly speaks of another trade. Problems of the group `seen` were looked at while the ranking was made, those of
`unseen` were not. Those of `distractors` ask for distractors, against which the longer sample cases then stand.
"""

import argparse
import json
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import rjieba

from api.services import Services
from api.settings import load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from cases.markdown import write_markdown
from cases.model import CaseFilters, Field
from ingest.metadata import Sidecar
from kb.model import PUBLIC, Kind, Mode, Query, Source

DATA = Path(__file__).parent / "data"
CORPUS = Path(__file__).parent.parent / "corpus"
EVERYONE = frozenset({PUBLIC})
DEPTHS = (1, 3, 10)
MOST_SHARED = 2
GROUPS = {
    "unseen": "never looked at",
    "seen": "seen while it was made",
    "distractors": "of distractors",
}
_CONTENT = tuple("nvaijltsz")
_EMPTY = frozenset(
    [
        *("是", "有", "没有", "会", "能", "要", "可以", "想", "说", "做", "用", "到", "来", "去", "人", "事"),
        *(
            "时候",
            "问题",
            "怎么",
            "什么",
            "办",
            "大家",
            "我们",
            "单位",
            "工作",
            "进行",
            "知道",
            "觉得",
            "出现",
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as a liaison tells it, and the source of the case that solved it."""

    problem_id: str
    case: str
    group: str
    text: str


def read_problems(path: Path = DATA / "case_problems.jsonl") -> list[Problem]:
    """The problems of a file, one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        read = map(json.loads, lines)
        return [Problem(p["id"], p["case"], p["group"], p["text"]) for p in read]


def read_distractors(path: Path = DATA / "case_distractors.jsonl") -> list[dict[Field, str]]:
    """Cases as forms, one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        return [{Field(k): v for k, v in json.loads(line).items()} for line in lines]


def fill(services: Services, corpus: Path = CORPUS) -> dict[str, str]:
    """Take the sample cases and the distractors in; the document of each sample case by its path."""
    services.ingest([corpus])
    for i, body in enumerate(read_distractors()):
        text = write_markdown(body, case_id=f"d{i:03}", revision=1, branch="协作支部", on=date(2025, 6, 1))
        source = Source(f"distractors/{i:03}.md", "text/markdown", text.encode())
        services.pipeline.ingest(source, sidecar=Sidecar(title=body[Field.TITLE], kind=Kind.CASE))
    services.follow()
    cards = services.catalog.cards(EVERYONE, services.today(), kind=Kind.CASE, k=1000)
    return {card.source: card.document_id for card in cards}


def shared(problem: str, text: str) -> set[str]:
    """Content words of the problem that the text has as well, also where a line break cuts them."""
    joined = "".join(text.split())
    return {w for w in _content(problem) if w in _tokens(text) or w in _tokens(joined)}


def _content(text: str) -> set[str]:
    found = {word for word, flag in rjieba.tag(_plain(text)) if flag.startswith(_CONTENT)}
    return {w for w in found if w not in _EMPTY and any("一" <= c <= "鿿" for c in w)}


def _tokens(text: str) -> set[str]:
    return set(rjieba.cut(_plain(text)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def ranks(
    find: Callable[[str], Iterable[str]], problems: Iterable[Problem], known: Mapping[str, str]
) -> list[int]:
    """The rank of each problem's case among the documents that `find` gives, 10,000 if it is not among them."""
    found = []
    for problem in problems:
        order = list(dict.fromkeys(find(problem.text)))
        wanted = known[problem.case]
        found.append(order.index(wanted) + 1 if wanted in order else 10_000)
    return found


def share_within(found: list[int], depth: int) -> float:
    """Share of ranks up to a depth."""
    return round(sum(r <= depth for r in found) / len(found), 3)


def main() -> None:
    """Measure and write results/case_finding.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/case_finding.json"))
    parser.add_argument(
        "--misses", action="store_true", help="print the problems whose case is not in the first three"
    )
    arguments = parser.parse_args()
    problems = read_problems()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        services = build_services(load_settings({}, home=Path(home)))
        known = fill(services)
        texts = {p.case: services.document(known[p.case], EVERYONE).text for p in problems}
        most = max(len(shared(p.text, texts[p.case])) for p in problems)
        rows.append(Row("cases in the library", len(known)))
        rows.append(
            Row("content words that a problem shares with its case, at most", most, f"<= {MOST_SHARED}")
        )
        took: list[float] = []

        def by_problem(text: str) -> list[str]:
            began = time.perf_counter()
            cards = services.cases.finder.find(text, EVERYONE, CaseFilters(), k=10).cards
            took.append((time.perf_counter() - began) * 1000)
            return [c.document_id for c in cards]

        def by_search(mode: Mode) -> Callable[[str], list[str]]:
            def find(text: str) -> list[str]:
                query = Query(text, EVERYONE, k=100, mode=mode, kinds=frozenset({Kind.CASE}))
                return [hit.document_id for hit in services.search(query).hits]

            return find

        ways: dict[str, Callable[[str], Iterable[str]]] = {
            "by problem": by_problem,
            "the one search": by_search(Mode.HYBRID),
            "keywords alone": by_search(Mode.KEYWORD),
        }
        by_problem("预热")
        took.clear()
        for name, find in ways.items():
            for group, told in GROUPS.items():
                some = [p for p in problems if p.group == group]
                found = ranks(find, some, known)
                rows += [
                    Row(
                        f"{name}, {len(some)} problems {told}: within {depth}",
                        share_within(found, depth),
                        ">= 0.85" if (depth, name, group) == (3, "by problem", "unseen") else None,
                    )
                    for depth in DEPTHS
                ]
                if arguments.misses and name == "by problem":
                    for p, r in zip(some, found, strict=True):
                        if r > 3:
                            print(r if r < 10_000 else "-", p.problem_id, p.text)
        wrong = wrong_samples(by_problem, [p for p in problems if p.group != "distractors"], known)
        rows.append(Row("sample cases among the wrong ones in the first three", wrong))
        rows.append(Row("the same by chance", round(24 / len(known), 3)))
        took.sort()
        rows.append(Row("ms a search by problem, median", round(took[len(took) // 2], 1)))
        rows.append(Row("ms a search by problem, 95th percentile", round(took[int(len(took) * 0.95)], 1)))
        services.close()
    write_results(
        arguments.out,
        "Cases found by their problem, told in other words",
        "python -m benchmarks.case_finding",
        rows,
    )


def wrong_samples(
    find: Callable[[str], Iterable[str]], problems: Iterable[Problem], known: Mapping[str, str]
) -> float:
    """Share of sample cases among the wrong ones of the first three.

    Distractors are shorter than sample cases: a ranking that favours long texts would show here.
    """
    samples = {id_ for name, id_ in known.items() if name.startswith("case/")}
    wrong = [d for p in problems for d in list(find(p.text))[:3] if d != known[p.case]]
    return round(sum(d in samples for d in wrong) / max(len(wrong), 1), 3)


if __name__ == "__main__":
    main()

"""Questions over real laws: what the gates let through, how fast, and what guessing gains.

    python -m benchmarks.questions --laws DIR [--home HOME] [--out FILE] [--list FILE]

Of the laws in force with fifty clauses and more, 128 are drawn by the committed seed, and sixteen
questions made of each, of all types. No text of a law is kept: `--list` writes the
questions of this run for reading, elsewhere. HOME keeps the index of the laws for another run.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from api.services import Services
from api.settings import load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from kb.model import PUBLIC, DocumentCard, Kind, Validity
from quiz.generation.balance import GUESSERS, luck
from quiz.generation.generator import Material
from quiz.model import TRUE, Question, Type, question_json

SEED = 20261122
N_LAWS, PER_LAW = 128, 16
LEAST_CLAUSES = 50
TIMED_CLAUSES = (90, 110)
N_TIMED = 5


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--laws", type=Path, required=True, help="folder of the laws of LawRefBook/Laws")
    parser.add_argument("--home", type=Path, help="home to use, or to make, with the laws in it")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/questions.json"))
    parser.add_argument("--list", type=Path, help="write the questions here, one JSON object a line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-questions-") as folder:
        home = args.home or Path(folder)
        if not (home / "catalog.db").exists():
            command = [sys.executable, "-m", "api.cli", "ingest", str(args.laws), "--home", str(home)]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        services = build_services(load_settings({}, home=home))
        rows = run(services, args.list)
        services.close()
    write_results(args.out, "Questions over laws", "python -m benchmarks.questions --laws DIR", rows)


def run(services: Services, listed: Path | None) -> list[Row]:
    """Make the questions and measure them."""
    laws = drawn_laws(services)
    began = time.perf_counter()
    questions, rejected = made(services, laws)
    seconds = time.perf_counter() - began
    if listed:
        with listed.open("w", encoding="utf-8") as file:
            for question in questions:
                file.write(json.dumps(question_json(question), ensure_ascii=False) + "\n")
    again, _ = made(services, laws[:5])
    same = [q.question_id for q in again] == [q.question_id for q in questions[: len(again)]]
    timed = [timing(services, law) for law in timed_laws(services)]
    types = Counter(q.type.value for q in questions)
    return [
        Row("questions", len(questions)),
        *(Row(f"questions, {t.value}", types[t.value]) for t in Type),
        *(Row(f"candidates stopped by gate {gate}", n) for gate, n in sorted(rejected.items())),
        Row("seconds for all of them", round(seconds, 1)),
        Row("the same again for the same seed", int(same), "= 1"),
        *guessing(questions),
        Row(
            f"seconds for every question of a law of {TIMED_CLAUSES[0]} to {TIMED_CLAUSES[1]} clauses, the slowest of {len(timed)}",
            round(max(timed), 1),
            "< 10",
        ),
    ]


def drawn_laws(services: Services) -> list[DocumentCard]:
    """The laws of the sample, by the committed seed; the same catalog gives the same."""
    fit = [c for c in cards(services) if c.n_clauses >= LEAST_CLAUSES]
    return random.Random(SEED).sample(fit, min(N_LAWS, len(fit)))


def timed_laws(services: Services) -> list[DocumentCard]:
    """Laws of about a hundred clauses."""
    fit = [c for c in cards(services) if TIMED_CLAUSES[0] <= c.n_clauses <= TIMED_CLAUSES[1]]
    return random.Random(SEED).sample(fit, min(N_TIMED, len(fit)))


def cards(services: Services) -> list[DocumentCard]:
    """Laws in force, in an order that does not depend on when they were taken in."""
    found = services.documents(frozenset({PUBLIC}), kind=Kind.LAW, k=10**6)[1]
    return sorted((c for c in found if c.validity is Validity.IN_FORCE), key=lambda c: c.document_id)


def made(services: Services, laws: Sequence[DocumentCard]) -> tuple[list[Question], Counter[str]]:
    """The questions of the laws, and what the gates stopped."""
    questions: list[Question] = []
    rejected: Counter[str] = Counter()
    for law in laws:
        got = services.quiz.generator.generate(
            Material(law.document_id), frozenset({PUBLIC}), n=PER_LAW, seed=SEED
        )
        questions += got.questions
        rejected.update(got.rejected)
    return questions, rejected


def timing(services: Services, law: DocumentCard) -> float:
    """Seconds to make every question that a law gives."""
    began = time.perf_counter()
    services.quiz.generator.generate(Material(law.document_id), frozenset({PUBLIC}), n=10_000, seed=1)
    return time.perf_counter() - began


def guessing(questions: Sequence[Question]) -> list[Row]:
    """What rules of thumb gain over chance, in points of a hundred."""
    single = [q for q in questions if q.type is Type.SINGLE]
    if not single:
        return []
    rows = []
    for guesser in GUESSERS:
        asked = [q for q in single if guesser != "middle" or q.slot.value in ("number", "range", "date")]
        base = sum(1 / len(q.options) for q in asked) / max(1, len(asked))
        hit = sum(luck(guesser, q.stem, q.options, q.answer[0]) for q in asked) / max(1, len(asked))
        rows.append(
            Row(f"guessing by {guesser}, points over chance", round(100 * (hit - base), 1), "-3 to 3")
        )
    judged = [q for q in questions if q.type is Type.TRUE_FALSE]
    true = sum(q.answer == (TRUE,) for q in judged) / max(1, len(judged))
    return [
        *rows,
        Row("true ones among true or false, percent", round(100 * true, 1), "47 to 53"),
    ]


if __name__ == "__main__":
    main()

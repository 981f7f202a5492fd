"""How often the first places that a quiz would ask about are those that real exam items ask about.

    python -m benchmarks.places [PLACES] --laws DIR

PLACES is read as in `training.places`; the one that comes with the repository has positions only, no text. Every
law is scored by weights that saw no gap of it. A place counts as right where it overlaps the gap by at least
half of the longer of the two.
"""

import argparse
import time
from pathlib import Path

from benchmarks.results_file import Row, write_results
from quiz.generation.places import places
from training.places import DEPTHS, FORMS, PLACES, held_out, read_examples, shares

LIMITS = {3: ">= 0.60", 10: ">= 0.90"}
GROUPS = {
    "gaps": "each gap once",
    "laws": "each law once",
    "items": "each item once",
    "strict": "items made by people for certain",
}


def main() -> None:
    """Measure and write results/places.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", type=Path, nargs="?", default=PLACES)
    parser.add_argument("--laws", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/places.json"))
    arguments = parser.parse_args()
    examples = read_examples(arguments.places, arguments.laws)
    told = held_out(examples)
    rows: list[Row] = []
    for form in FORMS:
        of_form = told[form]
        rows.append(Row(f"gaps, by {form}", len(of_form)))
        rows.append(Row(f"laws, by {form}", len({t.law for t in of_form})))
        for name, by_depth in shares(of_form).items():
            rows += [
                Row(f"by {form}, {GROUPS[name]}: within {k}", by_depth[str(k)], LIMITS.get(k)) for k in DEPTHS
            ]
    texts = [(e.text, e.around) for e in examples if e.form == "statement"]
    began = time.process_time()
    for text, around in texts:
        places(text, around)
    rows.append(
        Row(
            "ms of processor time a statement",
            round((time.process_time() - began) / len(texts) * 1000, 2),
            "< 2",
        )
    )
    write_results(
        arguments.out,
        "Where real exam items ask, on laws held out from training",
        "python -m benchmarks.places --laws DIR",
        rows,
    )


if __name__ == "__main__":
    main()

"""Five encoders, each trained without a fifth of the labelled questions.

    python -m training.folds --work WORK --bench DIR --out FOLDS

Folder 0 to 4 below FOLDS is a model folder with one more file, `questions.json`:
`held_out`, the questions it never saw, and `unseen`, those of them none of whose
right passages is right for any question it was trained on.
"""

import argparse
import json
from pathlib import Path

import torch

from search.encoders.static import write_folder
from training.labels import Keyword, folds, read_stard, unseen
from training.train import NAME, SEED, STEPS, fine_tune, hard_negatives, load_or_pretrain, say

N_FOLDS = 5
FOLD_SEED = 2026


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder that training.mine wrote")
    parser.add_argument(
        "--bench", type=Path, required=True, help="folder with stard-corpus.jsonl.gz and stard-train"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the five model folders")
    args = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    vocabulary, start = load_or_pretrain(args.work, steps=STEPS, seed=SEED)
    bench = read_stard(args.bench)
    hard = hard_negatives(bench, Keyword(bench.passages))
    for number, held_out in enumerate(folds(bench.questions, N_FOLDS, FOLD_SEED)):
        known = set(bench.questions) - set(held_out)
        table = fine_tune(start, vocabulary, bench, hard, known, seed=SEED)
        folder = args.out / str(number)
        write_folder(folder, f"{NAME}-fold{number}", vocabulary.tokens, table, {"fold": number})
        fresh = unseen(held_out, bench.gold)
        (folder / "questions.json").write_text(
            json.dumps({"held_out": held_out, "unseen": fresh}), encoding="utf-8"
        )
        say(f"fold {number}: {len(held_out)} held out, {len(fresh)} unseen")


if __name__ == "__main__":
    main()

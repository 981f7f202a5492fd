"""Ingests a folder into a home and tells each step on standard output, to be killed at any of them.

Lines: `added ID`, `unchanged ID`, `failed NAME`, `removing ID`, `removed ID`, `following`, `merging`, `followed`, `done`.
"""

import itertools
import sys
from pathlib import Path

from api.settings import Settings
from api.wiring import build_services
from ingest.pipeline import Keeping, find_files
from search.vector import faiss
from tests.fakes import HashingEncoder


def say(*words: str) -> None:
    """One line, at once."""
    print(*words, flush=True)


def main(home: str, folder: str, processes: str, follow_every: str, remove_every: str) -> None:
    """Every `follow_every` documents the index follows; every `remove_every` the document just added goes again."""
    merge = faiss.FaissIndex._merge

    def told(index: faiss.FaissIndex) -> None:
        say("merging")
        merge(index)

    faiss.FaissIndex._merge = told
    faiss._MERGE_FROM = 2
    services = build_services(Settings(home=Path(home), processes=int(processes)), encoder=HashingEncoder())
    counter = itertools.count(1)
    for outcome in services.pipeline.ingest_files(find_files([Path(folder)]), keeping=Keeping(again=True)):
        say(outcome.status, outcome.document_id or outcome.source)
        if outcome.status != "added" or not outcome.document_id:
            continue
        n = next(counter)
        if n % int(remove_every) == 0:
            say("removing", outcome.document_id)
            services.remove([outcome.document_id])
            say("removed", outcome.document_id)
        if n % int(follow_every) == 0:
            say("following")
            services.follow()
            say("followed")
    say("following")
    services.follow()
    say("done")
    services.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

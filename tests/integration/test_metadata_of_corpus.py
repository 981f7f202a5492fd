"""What the texts of the sample corpus say of themselves, read without the manifest, against the manifest."""

import json
from pathlib import Path

from ingest.read import read_document
from ingest.readers import media_type_of
from kb.model import Source

CORPUS = Path(__file__).parents[2] / "corpus"


def test_texts_say_what_the_manifest_says() -> None:
    """Titles, numbers, kinds and issuers agree for 19 facts in 20, and the articles are counted right in every regulation."""
    agreed, n_facts = 0, 0
    for line in (CORPUS / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        stated = json.loads(line)
        name = stated["path"]
        document = read_document(Source(name, media_type_of(name), (CORPUS / name).read_bytes()))
        meta = document.meta
        for found, wanted in (
            (meta.title, stated["title"]),
            (meta.number, stated["number"]),
            (meta.kind.value, stated["kind"]),
            (meta.issuer, stated["issuer"]),
        ):
            n_facts += 1
            agreed += found == wanted
        if stated["n_articles"]:
            assert sum("art-" in c.anchor for c in document.clauses) == stated["n_articles"], name
    assert n_facts == 280
    assert agreed >= 0.95 * n_facts

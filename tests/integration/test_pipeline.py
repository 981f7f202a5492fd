"""From files to the catalog: what is taken in again, and what a broken file may do to the rest."""

import json
import os
import signal
from pathlib import Path

import pytest

from api.services import Services
from ingest import pipeline
from ingest.pipeline import File, Pipeline
from ingest.read import read_document
from kb.model import PUBLIC, Kind, Query, Source, Validity

EVERYONE = frozenset({PUBLIC})
RULES = "值班交接办法\n\n第一条 交班人写明未了事项。\n\n第二条 接班人当面核对，签名后生效。\n\n第三条 本办法自2024年3月1日起施行。\n"


def write_manifest(folder: Path, **facts: object) -> None:
    (folder / "manifest.jsonl").write_text(json.dumps({"path": "rules.txt", **facts}), encoding="utf-8")


def test_a_changed_manifest_line_takes_effect(services: Services, tmp_path: Path) -> None:
    """The same bytes with other facts stated of them take the place of the document, also in the index."""
    (tmp_path / "rules.txt").write_text(RULES, encoding="utf-8")
    first = services.ingest([tmp_path])
    write_manifest(tmp_path, kind="policy", ended_on="2024-06-01", end_reason="repealed")
    second = services.ingest([tmp_path])
    third = services.ingest([tmp_path])
    assert (first.documents, second.documents, third.documents, third.unchanged) == (1, 1, 0, 1)
    assert first.document_ids == second.document_ids
    hit = services.search(Query("接班人当面核对", EVERYONE, k=1)).hits[0]
    assert (hit.kind, hit.validity) == (Kind.POLICY, Validity.REPEALED)
    assert services.status()["passages"] == services.status()["vectors"]


def test_a_copy_without_a_manifest_changes_nothing(services: Services, tmp_path: Path) -> None:
    """Facts once stated stay when the same bytes come in from elsewhere with nothing stated."""
    (tmp_path / "rules.txt").write_text(RULES, encoding="utf-8")
    write_manifest(tmp_path, title="交接办法（试行）")
    services.ingest([tmp_path])
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "copy.txt").write_text(RULES, encoding="utf-8")
    report = services.ingest([other])
    assert (report.documents, report.unchanged) == (0, 1)
    assert services.card(report.document_ids[0], EVERYONE).title == "交接办法（试行）"


def test_a_file_that_kills_its_reader_is_named(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that reads it dies; it alone fails, in words, and every other file goes in, in order."""
    names = [f"{n:02d}.txt" for n in range(12)]
    for name in names:
        (tmp_path / name).write_text(f"{RULES}附注{name}。", encoding="utf-8")

    def read_or_die(source: Source, **options: object) -> object:
        if source.name == "05.txt":
            os.kill(os.getpid(), signal.SIGKILL)
        return read_document(source)

    monkeypatch.setattr(pipeline, "read_document", read_or_die)
    monkeypatch.setattr(pipeline, "_PARALLEL_FROM", 1)
    taker = Pipeline(services.catalog, services.originals, fold=services.pipeline.fold, processes=2)
    outcomes = list(taker.ingest_files([File(tmp_path / name, name) for name in names]))
    assert [o.source for o in outcomes] == names
    assert [o.source for o in outcomes if o.status == "failed"] == ["05.txt"]
    assert outcomes[5].code == "unreadable_source"

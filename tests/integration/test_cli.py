"""Every command of `gongxue`: what it prints, and its exit status."""

import gzip
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api import wiring
from api.cli import app
from tests.fakes import HashingEncoder
from tests.texts import CASE, TEXTS

BAD = Path(__file__).parents[1] / "samples" / "bad"
Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's home with the hashing encoder; the exit status must be the one expected."""
    for name in [n for n in os.environ if n.startswith("GONGXUE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GONGXUE_HOME", str(home))
    monkeypatch.setenv("GONGXUE_PROCESSES", "1")
    monkeypatch.setattr(wiring, "open_configured_encoder", lambda _settings: HashingEncoder())

    def run_one(*arguments: str | Path, status: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return run_one


@pytest.fixture
def filled(run: Run, home: Path, library: Any) -> Run:
    """The same over the sample texts."""
    shutil.copytree(library.settings.home, home)
    return run


def output(result: Result) -> Any:
    """What was printed as JSON, on standard output alone."""
    return json.loads(result.stdout)


def hits(run: Run, text: str, *more: str) -> list[dict[str, Any]]:
    """Hits of a search."""
    found: list[dict[str, Any]] = output(run("search", text, "--json", *more))["hits"]
    return found


# -- ingest -----------------------------------------------------------------------


def test_ingest_reports_what_went_in(run: Run, texts_folder: Path) -> None:
    """The report has the fields of the contract; the same again is unchanged."""
    report = output(run("ingest", texts_folder, "--json"))
    assert list(report) == ["documents", "passages", "unchanged", "failed", "seconds"]
    assert (report["documents"], report["unchanged"], report["failed"]) == (len(TEXTS), 0, [])
    assert report["passages"] >= len(TEXTS)
    assert report["seconds"] > 0
    again = output(run("ingest", texts_folder, "--json"))
    assert (again["documents"], again["passages"], again["unchanged"]) == (0, 0, len(TEXTS))
    assert f"{len(TEXTS)} unchanged" in run("ingest", texts_folder).stdout


def test_ingest_names_each_bad_source_and_takes_the_rest(run: Run, tmp_path: Path) -> None:
    """In one batch every bad source is a failure with its code and a message, exit 1, and the good ones are found."""
    folder = tmp_path / "批"
    folder.mkdir()
    expected = {
        "picture.txt": "unreadable_source",
        "password.pdf": "unreadable_source",
        "broken.docx": "unreadable_source",
        "truncated.pdf": "unreadable_source",
        "encrypted.docx": "unreadable_source",
        "empty.txt": "empty_source",
        "spaces.txt": "empty_source",
    }
    for name in expected:
        shutil.copy(BAD / name, folder / name)
    (folder / "表.xyz").write_text("甲")
    (folder / "无后缀").write_text("甲")
    (folder / "一行.txt").write_bytes("一".encode() * (50 * 1024 * 1024 // 3))
    expected |= {
        "表.xyz": "unsupported_format",
        "无后缀": "unsupported_format",
        "一行.txt": "oversize_source",
    }
    (folder / "吊机.txt").write_text(CASE, encoding="utf-8")
    report = output(run("ingest", folder, "--json", status=1))
    assert {f["source"]: f["code"] for f in report["failed"]} == expected
    assert report["documents"] == 1
    for failure in report["failed"]:
        assert list(failure) == ["source", "code", "message"]
        assert failure["source"] in failure["message"]
    assert hits(run, "夜班吊机")[0]["source"] == "吊机.txt"
    assert "unsupported_format" in run("ingest", folder, status=1).stdout


def test_ingest_names_a_path_that_is_not_there_and_takes_the_rest(run: Run, tmp_path: Path) -> None:
    """A path that does not exist is one more failure of the report."""
    (tmp_path / "有.txt").write_text(CASE, encoding="utf-8")
    result = run("ingest", tmp_path / "无此文件.txt", tmp_path / "有.txt", "--json", status=1)
    report = json.loads(result.stdout)
    assert report["documents"] == 1
    assert [f["code"] for f in report["failed"]] == ["unreadable_source"]
    assert "无此文件.txt" in report["failed"][0]["source"]


def test_ingest_survives_names_that_are_no_text(run: Run, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 goes in or fails by name; the rest of the batch goes in."""
    folder = tmp_path / "批"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff\xfe.txt")).write_text(CASE, encoding="utf-8")
    (folder / "好.txt").write_text(CASE + "附记。", encoding="utf-8")
    result = CliRunner().invoke(app, ["ingest", str(folder), "--json"])
    assert result.exit_code in (0, 1), result.exception
    assert json.loads(result.stdout)["documents"] >= 1


# -- search -----------------------------------------------------------------------

HIT_FIELDS = {
    "rank",
    "score",
    "passage_id",
    "document_id",
    "title",
    "path",
    "text",
    "highlights",
    "source",
    "page",
    "legs",
    "kind",
    "issuer",
    "number",
    "year",
    "validity",
    "start",
    "end",
}


def test_search_gives_the_answer_of_the_contract(filled: Run) -> None:
    """Query, total, time, hits with all their fields, and facets."""
    answer = output(filled("search", "活动经费", "-k", "3", "--json"))
    assert list(answer) == ["query", "total", "took_ms", "hits", "facets"]
    assert answer["query"] == "活动经费"
    assert len(answer["hits"]) == 3 <= answer["total"]
    assert answer["took_ms"] > 0
    assert set(answer["facets"]) == {"kind", "issuer", "year", "validity"}
    for rank, hit in enumerate(answer["hits"], 1):
        assert set(hit) >= HIT_FIELDS
        assert hit["rank"] == rank
        assert all(hit["text"][a:b] for a, b in hit["highlights"])
        assert set(hit["legs"]) <= {"keyword", "vector", "target"}
        assert all(set(leg) == {"rank", "score"} for leg in hit["legs"].values())


def test_search_takes_every_filter(filled: Run) -> None:
    """Mode, kind, issuer, year, standing and day each limit the answer."""
    assert {h["kind"] for h in hits(filled, "活动经费", "--kind", "law")} == {"law"}
    assert {h["kind"] for h in hits(filled, "活动", "--kind", "law", "--kind", "policy")} == {"law", "policy"}
    assert {h["issuer"] for h in hits(filled, "检查 经费", "--issuer", "江岚港务公司党委")} == {
        "江岚港务公司党委"
    }
    assert {h["year"] for h in hits(filled, "经费", "--year", "2023")} == {2023}
    assert {h["validity"] for h in hits(filled, "经费", "--validity", "superseded")} == {"superseded"}
    old = hits(filled, "活动经费管理办法第三条", "--as-of", "2020-01-01")[0]
    assert old["source"].endswith("2019.txt")
    assert old["legs"]["target"]["rank"] == 1
    for mode in ("keyword", "vector"):
        assert set(hits(filled, "经费", "--mode", mode)[0]["legs"]) == {mode}
    assert hits(filled, "活动经费", "--explain")[0]["terms"]


def test_search_takes_bytes_that_are_no_text(filled: Run) -> None:
    """A query that is no UTF-8 is answered, not a traceback."""
    assert hits(filled, os.fsdecode(b"\xff\xfe")) == []
    assert hits(filled, os.fsdecode(b"\xff") + "活动经费")


def test_search_in_words_shows_clause_and_source(filled: Run) -> None:
    """Without --json a person reads rank, title, path, text and file; an empty answer says what to do."""
    shown = filled("search", "支部共建促进法第五十四条", "--explain").stdout
    for part in (
        "支部共建促进法 › 第二章 共建协议 › 第五十四条",
        "挪用活动经费",
        "law/支部共建促进法.txt",
        "target #1",
    ):
        assert part in shown
    assert "没有找到" in filled("search", "活动", "--year", "1950").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "  "),
        ("search", "经" * 3000),
        ("search",),
        ("search", "经费", "-k", "0"),
        ("search", "经费", "-k", "1001"),
        ("search", "经费", "--mode", "telepathy"),
        ("search", "经费", "--kind", "novel"),
        ("search", "经费", "--as-of", "2024-13-01"),
        ("search", "经费", "--year", "99999999999999999999"),
        ("remove", "0" * 16),
        ("remove",),
        ("nonsense",),
        ("eval", "/nowhere"),
        ("eval", "BENCH", "--run", "/nowhere/run.txt"),
        ("restore", "/nowhere.tar.gz", "--home", "/tmp/never"),
    ],
    ids=lambda a: " ".join(a)[:20].encode("ascii", "replace").decode(),
)
def test_requests_that_make_no_sense_exit_2(
    filled: Run, arguments: Sequence[str], tmp_path: Path, bench: Path
) -> None:
    """What the asker can mend ends with exit 2 and words on standard error, nothing on standard output."""
    places = {"BENCH": bench, "/tmp/never": tmp_path / "never"}
    result = filled(*[places.get(a, a) for a in arguments], status=2)
    assert result.stderr.strip()
    assert not result.stdout.strip()
    assert "Traceback" not in result.stderr


# -- settings and service errors ------------------------------------------------------


def test_an_unknown_setting_is_refused(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt GONGXUE_ name ends every command with exit 2, the name, and the names there are."""
    monkeypatch.setenv("GONGXUE_HOEM", "x")
    for command in (("status",), ("search", "经费"), ("ingest", "."), ("reindex",), ("serve",)):
        result = filled(*command, status=2)
        assert "invalid_setting" in result.stderr
        assert "GONGXUE_HOEM" in result.stderr
        assert "GONGXUE_HOME" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "loud"),
        ("MAX_SOURCE_MB", "0"),
        ("KEYWORD_ENGINE", "nope"),
        ("VECTOR_ENGINE", "../x"),
        ("SECOND_FACTOR", "perhaps"),
    ],
)
def test_a_setting_out_of_range_is_refused(
    filled: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The setting and its value are named, exit 2."""
    monkeypatch.setenv(f"GONGXUE_{name}", value)
    result = filled("status", status=2)
    assert f"GONGXUE_{name}" in result.stderr
    assert value in result.stderr


def test_an_index_of_another_encoder_exits_3_and_reindex_mends_it(
    filled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mismatch names both encoders and the command; after the command all is found again."""
    monkeypatch.setattr(wiring, "open_configured_encoder", lambda _settings: HashingEncoder("other", 32))
    result = filled("search", "经费", status=3)
    assert all(
        part in result.stderr for part in ("index_mismatch", "hashing-64", "other-32", "gongxue reindex")
    )
    assert "live" in filled("reindex").stdout
    assert hits(filled, "支部共建促进法第二条")[0]["path"][-1] == "第二条"


def test_a_missing_encoder_exits_3(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder looked for and the setting are named."""
    monkeypatch.undo()
    result = CliRunner().invoke(app, ["status"], env={"GONGXUE_ENCODER": "/nowhere/model"})
    assert result.exit_code == 3
    assert "/nowhere/model" in result.stderr
    assert "GONGXUE_ENCODER" in result.stderr


def test_a_damaged_catalog_exits_3(filled: Run, home: Path) -> None:
    """A catalog that cannot be read is named, with what to do."""
    for path in home.glob("catalog.db*"):
        path.unlink()
    (home / "catalog.db").write_bytes(b"no catalog" * 500)
    result = filled("status", status=3)
    assert "catalog_unavailable" in result.stderr
    assert "backup" in result.stderr


def test_a_home_that_is_a_file_exits_3(run: Run, tmp_path: Path) -> None:
    """A home that cannot be used is named."""
    (tmp_path / "file").write_text("")
    assert "catalog_unavailable" in run("status", "--home", tmp_path / "file", status=3).stderr


# -- the rest ---------------------------------------------------------------------


def test_status_counts(filled: Run) -> None:
    """Documents, passages in either leg, and how far the index has come."""
    found = output(filled("status", "--json"))
    assert found["documents"] == len(TEXTS)
    assert found["passages"] == found["vectors"] > len(TEXTS)
    assert found["ready"] is True
    assert found["applied"] == found["seq"]
    assert found["encoder"] == "hashing-64"
    assert "hashing-64" in filled("status").stdout


def test_remove_takes_a_document_out(filled: Run, home: Path) -> None:
    """After remove the document, its text and its original are gone; a second time it is not found."""
    law = hits(filled, "支部共建促进法")[0]["document_id"]
    before = len([p for p in (home / "originals").rglob("*") if p.is_file()])
    filled("remove", law)
    assert law not in {h["document_id"] for h in hits(filled, "支部共建 自愿平等互助", "-k", "100")}
    assert len([p for p in (home / "originals").rglob("*") if p.is_file()]) == before - 1
    result = filled("remove", law, status=2)
    assert "not_found" in result.stderr
    assert law in result.stderr


def test_backup_and_restore_give_the_same_answers(filled: Run, tmp_path: Path) -> None:
    """A home restored from an archive has the same documents, originals and answers."""
    archive = tmp_path / "备份.tar.gz"
    filled("backup", archive)
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []
    assert str(len(TEXTS)) in filled("restore", archive, "--home", tmp_path / "other").stdout
    before, after = (
        output(filled("search", "活动经费", "-k", "50", "--json", "--home", home))
        for home in (tmp_path / "home", tmp_path / "other")
    )
    assert {**before, "took_ms": 0} == {**after, "took_ms": 0}
    originals = [
        sorted(p.name for p in (tmp_path / h / "originals").rglob("*") if p.is_file())
        for h in ("home", "other")
    ]
    assert originals[0] == originals[1]
    assert len(originals[0]) == len(TEXTS)
    assert output(filled("status", "--json", "--home", tmp_path / "other"))["ready"]


@pytest.mark.parametrize("holding", ["catalog.db", "index/CURRENT", "originals/ab/abc"])
def test_restore_refuses_a_home_in_use(filled: Run, tmp_path: Path, holding: str) -> None:
    """A home that holds any part of another life is refused and left as it was."""
    archive = tmp_path / "b.tar.gz"
    filled("backup", archive)
    path = tmp_path / "used" / holding
    path.parent.mkdir(parents=True)
    path.write_text("kept")
    result = filled("restore", archive, "--home", tmp_path / "used", status=3)
    assert "used" in result.stderr
    assert path.read_text() == "kept"
    assert [p for p in (tmp_path / "used").rglob("*") if p.is_file()] == [path]


def test_restore_refuses_a_damaged_archive(filled: Run, tmp_path: Path) -> None:
    """Cut short, with any part changed, or no archive at all: refused by name, and the home stays empty."""
    archive = tmp_path / "b.tar.gz"
    filled("backup", archive)
    whole = archive.read_bytes()
    damaged = [b"", b"no archive", whole[: len(whole) // 2], whole[:-4]]
    for share in (0.05, 0.3, 0.6, 0.9):
        at = int(len(whole) * share)
        damaged.append(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    for n, data in enumerate(damaged):
        archive.write_bytes(data)
        result = filled("restore", archive, "--home", tmp_path / f"h{n}", status=2)
        assert "unreadable_source" in result.stderr, n
        assert "b.tar.gz" in result.stderr, n
        assert not (tmp_path / f"h{n}").exists() or not list((tmp_path / f"h{n}").iterdir()), n


def test_restore_refuses_an_archive_of_something_else(run: Run, tmp_path: Path) -> None:
    """A sound archive that `backup` did not write is refused."""
    (tmp_path / "x.txt").write_text("x")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x.txt", "x.txt")
    assert "unreadable_source" in run("restore", tmp_path / "b.tar.gz", status=2).stderr


def test_backup_to_where_nothing_can_be_written_is_named(filled: Run, tmp_path: Path) -> None:
    """A folder that does not exist is named, not a traceback."""
    result = filled("backup", tmp_path / "nowhere" / "b.tar.gz", status=2)
    assert "nowhere" in result.stderr


# -- eval -------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Four documents, two queries whose answers are plain, one that nothing answers."""
    folder = tmp_path / "bench"
    folder.mkdir()

    def write(name: str, lines: Sequence[str]) -> None:
        with gzip.open(folder / name, "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    corpus = {
        "d1": "外出学习每人每天不超过五十元",
        "d2": "夜班吊机故障的处理",
        "d3": "间隔复习记得更久",
        "d4": "共建协议应当书面",
    }
    write(
        "corpus.jsonl.gz",
        [json.dumps({"_id": i, "title": "", "text": t}, ensure_ascii=False) for i, t in corpus.items()],
    )
    queries = {"q1": "吊机故障", "q2": "间隔复习", "q3": "外出学习", "unjudged": "协议"}
    write(
        "queries.jsonl.gz",
        [json.dumps({"_id": i, "text": t}, ensure_ascii=False) for i, t in queries.items()],
    )
    write(
        "qrels.tsv.gz", ["query-id\tcorpus-id\tscore", "q1\td2\t1", "q2\td3\t2", "q2\td1\t0", "q3\tabsent\t1"]
    )
    return folder


def test_eval_measures_a_benchmark(run: Run, bench: Path, home: Path, tmp_path: Path) -> None:
    """Measures are those of the judged queries, the run is in TREC form, and the home is not touched."""
    report = output(run("eval", bench, "--mode", "keyword", "--run", tmp_path / "run.txt", "--json"))
    assert list(report) == ["queries", "nDCG@10", "MRR@10", "R@5", "R@10", "R@100", "p50_ms", "p95_ms"]
    assert report["queries"] == 3
    assert [report[m] for m in ("nDCG@10", "MRR@10", "R@5", "R@10", "R@100")] == [0.66667] * 5
    assert 0 < report["p50_ms"] <= report["p95_ms"]
    assert not home.exists()
    lines = [line.split() for line in (tmp_path / "run.txt").read_text().splitlines()]
    assert {line[0] for line in lines} == {"q1", "q2", "q3"}
    for query_id in ("q1", "q2", "q3"):
        own = [line for line in lines if line[0] == query_id]
        assert [line[3] for line in own] == [str(n) for n in range(1, len(own) + 1)]
        assert all((line[1], line[5]) == ("Q0", "keyword") for line in own)
        scores = [float(line[4]) for line in own]
        assert scores == sorted(scores, reverse=True)
    assert next(line[2] for line in lines if line[0] == "q1") == "d2"


@pytest.mark.parametrize("name", ["corpus.jsonl.gz", "queries.jsonl.gz", "qrels.tsv.gz"])
@pytest.mark.parametrize(
    "content", [None, b"no gzip", gzip.compress(b"\xff\xfe{"), gzip.compress(b'{"other": 1}\n[1]\n')]
)
def test_eval_refuses_a_malformed_benchmark(run: Run, bench: Path, name: str, content: bytes | None) -> None:
    """A file that is missing, no gzip, no text or without the fields is named, exit 2."""
    (bench / name).unlink()
    if content is not None:
        (bench / name).write_bytes(content)
    assert name in run("eval", bench, status=2).stderr


def test_eval_refuses_judgements_of_a_query_that_is_not_there(run: Run, bench: Path) -> None:
    """A judged query without text is named, exit 2."""
    with gzip.open(bench / "qrels.tsv.gz", "at", encoding="utf-8") as file:
        file.write("q9\td1\t1\n")
    assert "q9" in run("eval", bench, status=2).stderr


def test_help_names_every_command(run: Run) -> None:
    """The help lists the commands of the contract."""
    shown = run("--help").stdout
    for command in ("ingest", "search", "eval", "status", "remove", "reindex", "serve", "backup", "restore"):
        assert command in shown

"""The commands that an operator has at the machine: keeping, withdrawing, letting in, the trail."""

import json
import sqlite3
import tarfile
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from access.access import Access
from access.rights import Role
from api.settings import SECRET, Settings
from api.wiring import build_services
from store.database import MIGRATIONS, open_database
from tests.conftest import Opener
from tests.integration.test_cli import Run, filled, hits, output, run  # noqa: F401 - fixtures
from tests.people import add_person, found_branches

BONUS = "奖励办法\n北内发〔2026〕1号\n第一条　夜班吊机奖励每人三百元。\n"


@pytest.fixture
def peopled(run: Run, open_services: Opener) -> Run:  # noqa: F811
    """The commands on a home with two branches and a member of each."""
    services = open_services()
    found_branches(services, "beichen", "hefeng")
    for branch in ("beichen", "hefeng"):
        add_person(services, f"{branch}-member", {branch: Role.MEMBER})
    return run


def access_of(open_services: Opener) -> Access:
    """Access on the test's home."""
    return open_services().access


def test_ingest_for_a_branch_is_that_branchs_own(peopled: Run, tmp_path: Path) -> None:
    """What is taken in for a branch is read by its people alone, and by everyone only where it says so."""
    (tmp_path / "奖励.txt").write_text(BONUS, encoding="utf-8")
    (tmp_path / "公开.txt").write_text(
        BONUS.replace("奖励办法", "加餐办法").replace("1号", "2号"), encoding="utf-8"
    )
    assert output(peopled("ingest", tmp_path / "奖励.txt", "--branch", "beichen", "--json"))["documents"] == 1
    peopled("ingest", tmp_path / "公开.txt", "--branch", "beichen", "--everyone")

    def seen(*who: str) -> set[str]:
        return {h["source"] for h in hits(peopled, "夜班吊机奖励", *who)}

    assert seen() == seen("--as", "beichen-member") == {"奖励.txt", "公开.txt"}
    assert seen("--as", "hefeng-member") == {"公开.txt"}
    assert "not_found" in peopled("search", "x", "--as", "nobody", status=2).stderr
    assert "not_found" in peopled("ingest", tmp_path, "--branch", "none", status=2).stderr


def test_a_withdrawn_document_does_not_come_back(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """An ingest of the same folder names what was withdrawn and leaves it out; --again puts it back on purpose."""
    (tmp_path / "奖励.txt").write_text(BONUS, encoding="utf-8")
    run("ingest", tmp_path / "奖励.txt")
    document_id = hits(run, "夜班吊机奖励")[0]["document_id"]
    run("remove", document_id)
    report = output(run("ingest", tmp_path / "奖励.txt", "--json", status=1))
    assert [f["code"] for f in report["failed"]] == ["withdrawn"]
    assert hits(run, "夜班吊机奖励") == []
    assert output(run("ingest", tmp_path / "奖励.txt", "--again", "--json"))["documents"] == 1
    assert hits(run, "夜班吊机奖励")


def test_operator_lets_somebody_in(run: Run, open_services: Opener) -> None:  # noqa: F811
    """The command prints a password that opens; what it replaces no longer does."""
    first, second = (run("operator", "admin").stdout.split()[1] for _ in range(2))
    sessions = access_of(open_services).sessions
    assert sessions.sign_in("admin", second, "a")
    with pytest.raises(Exception, match="do not fit"):
        sessions.sign_in("admin", first, "a")


def test_audit_tells_whether_the_trail_is_whole(run: Run, home: Path, tmp_path: Path) -> None:  # noqa: F811
    """A whole trail exits 0 and is written out; a cut one exits 1 and names the place."""
    run("operator", "admin")
    run("operator", "admin")
    assert "whole" in run("audit", "--export", tmp_path / "a.jsonl").stdout
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [e["seq"] for e in lines] == list(range(1, len(lines) + 1))
    assert output(run("audit", "--json"))["whole"] is True
    connection = sqlite3.connect(home / "catalog.db")
    with connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE seq = 2")
    connection.close()
    assert "entry 2" in run("audit", status=1).stdout
    assert "nowhere" in run("audit", "--export", tmp_path / "nowhere" / "a", status=2).stderr


def test_backup_holds_the_secret(filled: Run, open_services: Opener, tmp_path: Path) -> None:  # noqa: F811
    """A restored home seals and unlocks as the old one did; the archive is nobody else's to read."""
    filled("operator", "admin")
    archive = tmp_path / "b.tar.gz"
    filled("backup", archive)
    assert archive.stat().st_mode & 0o077 == 0
    with tarfile.open(archive) as found:
        assert SECRET in found.getnames()
    filled("restore", archive, "--home", tmp_path / "new")
    assert "whole" in filled("audit", "--home", tmp_path / "new").stdout
    assert (tmp_path / "new" / SECRET).stat().st_mode & 0o077 == 0


def test_an_older_home_keeps_its_audiences(tmp_path: Path) -> None:
    """A catalog of before shares is brought up to date: each audience is a share, and nobody sees more or less."""
    home = tmp_path / "home"
    services = build_services(Settings(home=home, processes=1))
    (tmp_path / "x.txt").write_text(BONUS, encoding="utf-8")
    services.ingest([tmp_path / "x.txt"])
    services.close()
    engine = open_database(f"sqlite:///{home / 'catalog.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect().execution_options(write=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO audiences SELECT document_id, 'branch:alt' FROM documents")
        connection.commit()
    engine.dispose()
    again = build_services(Settings(home=home, processes=1))
    try:
        assert again.catalog.every_token() == {"public", "branch:alt"}
        assert again.catalog.count(frozenset({"branch:alt"})) == 1
    finally:
        again.close()


def test_a_foreign_secret_is_refused(open_services: Opener, home: Path) -> None:
    """A damaged secret stops the start with what to do, rather than making the trail look forged."""
    open_services()
    for damaged in ("", "zz" * 32, "ab"):
        (home / SECRET).write_text(damaged)
        with pytest.raises(Exception, match=r"secret\.key.*backup"):
            open_services()

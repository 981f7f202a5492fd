"""The audit trail: append-only, chained, kept as long as said."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from access.audit import Audit
from access.keys import Keys
from access.rights import Role
from tests.unit.access.conftest import House


def write(house: House, n: int, *, branch_id: str | None = None) -> None:
    """So many entries of the operator's."""
    for i in range(n):
        house.access.audit.note(None, "document.read", "document", f"{i:016x}", branch_id=branch_id, n=i)


def tampered(house: House, tmp_path: Path, *statements: str) -> Audit:
    """The trail after somebody with the file in hand has changed it."""
    connection = sqlite3.connect(tmp_path / "catalog.db")
    with connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return house.access.audit


def test_audit_is_whole_as_written(house: House) -> None:
    """A trail that nobody touched is whole, and has every entry in order."""
    assert house.access.audit.verify().whole
    write(house, 5)
    verdict = house.access.audit.verify()
    assert (verdict.whole, verdict.n) == (True, 5)
    assert [e.detail["n"] for e in house.access.audit.all()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 6", 6),
        ("DELETE FROM audit WHERE seq > 2", 3),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET detail = '{}' WHERE seq = 2", 2),
        ("UPDATE audit SET person_id = 'x' WHERE seq = 4", 4),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000' WHERE seq = 6", 6),
        ("UPDATE audit SET mac = (SELECT mac FROM audit WHERE seq = 5) WHERE seq = 6", 6),
        ("INSERT INTO audit SELECT 7, at, person_id, branch_id, action, object_kind, object_id, detail, mac"
         " FROM audit WHERE seq = 6", 7),
        ("UPDATE audit_head SET seq = 2, mac = (SELECT mac FROM audit WHERE seq = 2)", 2),
        ("DELETE FROM audit_head", 7),
    ],
)  # fmt: skip
def test_audit_shows_every_cut(house: House, tmp_path: Path, statement: str, broken_at: int) -> None:
    """Whatever is changed, taken out or put in, the first entry that is not as it was written is named."""
    write(house, 6)
    verdict = tampered(house, tmp_path, statement).verify()
    assert (verdict.whole, verdict.broken_at) == (False, broken_at)


def test_audit_cannot_be_sealed_with_another_key(house: House) -> None:
    """A trail written anew by somebody without this installation's secret is not whole."""
    forger = Audit(house.catalog.engine, Keys(b"x" * 32), now=house.clock.now)
    write(house, 2)
    forger.note(None, "document.read", "document", "0" * 16)
    assert not house.access.audit.verify().whole


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit WHERE seq = 2", "UPDATE audit SET detail = '{}'", "DELETE FROM audit"]
)
def test_audit_is_append_only(house: House, statement: str) -> None:
    """The store itself refuses to change or drop entries."""
    write(house, 3)
    with (
        house.catalog.writing() as connection,
        pytest.raises(DatabaseError, match="append-only"),
    ):
        connection.execute(text(statement))
    assert house.access.audit.verify().n == 3


def test_audit_lets_go_of_what_is_old(house: House, tmp_path: Path) -> None:
    """Entries go when their time is over; the trail says so, stays whole, and shows a cut above the floor."""
    write(house, 4)
    house.clock.pass_(days=40)
    write(house, 2)
    assert house.access.audit.trim(30) == 4
    assert house.access.audit.trim(30) == 0
    verdict = house.access.audit.verify()
    assert (verdict.whole, verdict.n) == (True, 3)
    assert [e.action for e in house.access.audit.all()] == ["document.read", "document.read", "audit.trim"]
    house.clock.pass_(days=40)
    assert house.access.audit.trim(30) == 3
    assert house.access.audit.verify().whole
    assert not tampered(house, tmp_path, "DELETE FROM audit WHERE seq = 8").verify().whole


def test_audit_entry_goes_with_its_change(house: House) -> None:
    """Where a change is undone, its entry is too."""

    def fail() -> None:
        with house.access.office.writing() as connection:
            house.access.audit.write(connection, None, "group.make", "group", "x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert house.access.audit.verify().n == 0


def test_audit_is_seen_by_whom_it_concerns(house: House) -> None:
    """Administrators see their branches' entries, operators those of no branch, everyone their own."""
    house.branch("beichen")
    house.branch("hefeng")
    house.person("guanli", {"beichen": Role.ADMINISTRATOR})
    house.person("xueyuan", {"beichen": Role.MEMBER})
    house.person("xitong", operator=True)
    of: Callable[[str], set[str]] = lambda login: {  # noqa: E731
        e.object_id for e in house.access.audit.events(house.by(login), action="document.")
    }
    audit = house.access.audit
    audit.note(house.by("xueyuan"), "document.read", "document", "theirs", branch_id="hefeng")
    audit.note(None, "document.read", "document", "beichen", branch_id="beichen")
    audit.note(None, "document.read", "document", "hefeng", branch_id="hefeng")
    audit.note(None, "document.read", "document", "library")
    assert of("guanli") == {"beichen"}
    assert of("xueyuan") == {"theirs"}
    assert of("xitong") == {"library"}
    assert {e.object_id for e in audit.export(house.by("xueyuan"))} >= {"theirs", "all"}
    assert "hefeng" not in {e.object_id for e in audit.export(house.by("guanli"))}


def test_audit_pages_and_filters(house: House) -> None:
    """Entries come newest first, page by number, and narrow by action, person and object."""
    house.person("xitong", operator=True)
    write(house, 5)
    by = house.by("xitong")
    first = house.access.audit.events(by, action="document.read", k=2)
    assert [e.detail["n"] for e in first] == [4, 3]
    rest = house.access.audit.events(by, action="document.read", before=first[-1].seq)
    assert [e.detail["n"] for e in rest] == [2, 1, 0]
    assert len(house.access.audit.events(by, object_id=f"{2:016x}")) == 1
    assert house.access.audit.events(by, action="document%") == []

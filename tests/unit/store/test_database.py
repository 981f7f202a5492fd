"""Opening and migrating the relational store."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import access.tables  # noqa: F401 - the schema of the whole is that of store, access, quiz and cases
import cases.tables  # noqa: F401
import quiz.tables  # noqa: F401
from kb.errors import CatalogUnavailable
from store.database import HEAD, MIGRATIONS, open_database
from store.tables import metadata


def address(folder: Path) -> str:
    """The catalog in a folder."""
    return f"sqlite:///{folder / 'catalog.db'}"


def test_migrations_build_exactly_the_tables(tmp_path: Path) -> None:
    """From an empty file the migrations give what `store.tables` describes, no more and no less."""
    engine = open_database(address(tmp_path))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


def test_migrations_have_one_head_that_the_program_knows() -> None:
    """The revision written in `store.database` is the newest of the files."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_open_database_again_changes_nothing(tmp_path: Path) -> None:
    """A catalog of the present schema is opened as it is."""
    open_database(address(tmp_path)).dispose()
    before = (tmp_path / "catalog.db").read_bytes()
    open_database(address(tmp_path)).dispose()
    assert (tmp_path / "catalog.db").read_bytes() == before


def test_open_database_refuses_a_newer_catalog(tmp_path: Path) -> None:
    """A catalog of a later release is refused, with both revisions and what to do, and left as it was."""
    open_database(address(tmp_path)).dispose()
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CatalogUnavailable, match=r"9999.*newer Gongxue"):
        open_database(address(tmp_path))
    connection = sqlite3.connect(tmp_path / "catalog.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


@pytest.mark.parametrize(
    "content", [b"not a database at all, not one bit of it" * 40, b"SQLite format 3\0" + b"\1" * 4000]
)
def test_open_database_refuses_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    """A file that is no catalog is refused in words and not written over."""
    (tmp_path / "catalog.db").write_bytes(content)
    with pytest.raises(CatalogUnavailable, match=r"catalog\.db"):
        open_database(address(tmp_path))
    assert (tmp_path / "catalog.db").read_bytes() == content


def test_open_database_says_which_folder_is_missing(tmp_path: Path) -> None:
    """A path that cannot be opened is named."""
    with pytest.raises(CatalogUnavailable, match="nowhere"):
        open_database(address(tmp_path / "nowhere"))

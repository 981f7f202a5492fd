"""Opens the relational store and brings its schema up to date.

Everything that only SQLite knows is in this file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from kb.errors import CatalogUnavailable

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0004"
"""The newest revision in `migrations/versions/`."""


APPEND_ONLY = (
    """CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
       WHEN NOT EXISTS (SELECT 1 FROM audit WHERE action = 'audit.trim' AND CAST(object_id AS INTEGER) >= OLD.seq)
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
)
"""What has SQLite refuse changes of the audit trail; rows go only once a later row says up to which."""


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; committed at the end of the block, undone by an error in it."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        yield connection


def open_database(url: str) -> Engine:
    """An engine on `url` whose schema is the present one.

    SQLite runs with a write-ahead log and full synchronisation: what a commit
    acknowledged survives the loss of power, and readers never wait for a writer.

    Raises:
        CatalogUnavailable: it cannot be opened, or is of a newer Gongxue.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediately)
    try:
        with engine.connect() as connection:
            revision = _revision(connection)
        if revision != HEAD:
            _migrate(engine, revision)
    except SQLAlchemyError as error:
        raise CatalogUnavailable(
            f"Cannot open the catalog {engine.url.render_as_string()}: {error.args[0] if error.args else error}.",
            "Check that the folder exists, is writable and holds an intact catalog.db; restore a backup if not.",
        ) from error
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Any) -> None:
    """A transaction that will write takes the lock at once, so that it can never fail half way for a rival."""
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _revision(connection: Any) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(engine: Engine, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect().execution_options(write=True) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
            if engine.dialect.name == "sqlite":
                for trigger in APPEND_ONLY:
                    connection.exec_driver_sql(trigger)
            connection.commit()
        except CommandError as error:
            raise CatalogUnavailable(
                f"Cannot bring the catalog {engine.url.render_as_string()} from schema {revision} to {HEAD}: {error}.",
                "It was written by a newer Gongxue; use that version, or restore an older backup.",
            ) from error

"""What every service of this package works with: the store, the trail, the keys and the time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from access.audit import Audit
from access.keys import Keys
from store.database import writing


@dataclass(frozen=True, slots=True)
class Office:
    """Shared by the services; safe between threads. `now` is UTC without a zone, `today` the local day."""

    engine: Engine
    keys: Keys
    audit: Audit
    now: Callable[[], datetime]
    today: Callable[[], date]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One moment of the store."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes."""
        with writing(self.engine) as connection:
            yield connection

"""What every service of this package works with: the store, the trail, the keys and the time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from access.audit import Audit
from access.keys import Keys
from access.principal import Principal
from store.database import writing


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What a part that builds on this package keeps of people.

    `told` gives the person all of it at a moment, fit for JSON, by what it is. `forget` lets go of it when a
    person, by id, is erased.
    """

    told: Callable[[Connection, Principal, datetime], Mapping[str, Any]]
    forget: Callable[[Connection, str], None]


@dataclass(frozen=True, slots=True)
class Office:
    """Shared by the services; safe between threads. `now` is UTC without a zone, `today` the local day.

    `personal_data` is what other parts keep of people.
    """

    engine: Engine
    keys: Keys
    audit: Audit
    now: Callable[[], datetime]
    today: Callable[[], date]
    personal_data: Sequence[PersonalData] = ()

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

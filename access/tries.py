"""Wrong tries are counted, and make one wait: of logins, of addresses and of codes, whether they exist or not."""

from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select

from access.office import Office
from access.tables import failures
from kb.errors import TooManyRequests

FREE_TRIES = 5
"""Wrong tries of a login from one address before the first wait; each further one doubles it."""
FREE_TRIES_OF_LOGIN = 20
"""The same from all addresses: who guesses elsewhere does not at once keep the person out."""
FREE_TRIES_OF_ADDRESS = 30
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(days=1)


class Tries:
    """Each try is of something: (what kind, its value, how many are free)."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def check(self, tried: list[tuple[str, str, int]]) -> None:
        """Refuse a try that comes too early.

        Raises:
            TooManyRequests: too many wrong ones came before.
        """
        now = self._office.now()
        with self._office.reading() as connection:
            for what, value, _ in tried:
                until = connection.execute(
                    select(failures.c.until).where(failures.c.digest == self._tried(what, value))
                ).scalar()
                if until is not None and until > now:
                    wait = int((until - now).total_seconds()) + 1
                    raise TooManyRequests(
                        f"Cannot try again yet: wrong too often. Wait {wait} s.",
                        "Then try again, or ask the administrator of your branch for a new password.",
                        wait_s=wait,
                    )

    def count(self, tried: list[tuple[str, str, int]], person_id: str | None) -> None:
        """Count a wrong try, and tell it in the trail where it concerns a person."""
        now = self._office.now()
        with self._office.writing() as connection:
            connection.execute(delete(failures).where(failures.c.until < now - _FORGOTTEN_AFTER))
            for what, value, free in tried:
                key = self._tried(what, value)
                n = (
                    connection.execute(select(failures.c.n).where(failures.c.digest == key)).scalar() or 0
                ) + 1
                wait = min(_FIRST_WAIT * 2 ** min(n - free, 10), _LONGEST_WAIT) if n >= free else timedelta()
                connection.execute(delete(failures).where(failures.c.digest == key))
                connection.execute(insert(failures).values(digest=key, n=n, until=now + wait))
            if person_id is not None:
                self._office.audit.write(
                    connection, None, "session.refuse", "person", person_id, what=tried[0][0]
                )

    def forget(self, connection: Connection, what: str, value: str) -> None:
        """Begin to count anew."""
        connection.execute(delete(failures).where(failures.c.digest == self._tried(what, value)))

    def _tried(self, what: str, value: str) -> str:
        """What was tried, so that the table tells nobody's login or address."""
        return self._office.keys.mac("tried", what, value)

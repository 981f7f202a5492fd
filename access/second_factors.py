"""The second factor of people who sign in: offered, taken, given, and taken off by a code of it."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from access.office import Office
from access.principal import Principal
from access.second_factor import check_code, new_recovery_codes, new_secret, recovery_digest
from access.sessions import end_others, person_of
from access.tables import people, sessions
from access.tries import FREE_TRIES, Tries
from kb.errors import Conflict, SignInFailed


class SecondFactors:
    """Keeps the secrets of authenticators, locked, and checks their codes, each once."""

    def __init__(self, office: Office, tries: Tries) -> None:
        self._office = office
        self._tries = tries

    def offer(self, by: Principal) -> str:
        """A secret for an authenticator; it counts from `take` on.

        It is the same until then, so that a page that is loaded twice does not void the code scanned.

        Raises:
            SignInRequired: nobody is signed in.
            Conflict: the person has a second factor.
        """
        person_id = person_of(by)
        with self._office.writing() as connection:
            row = connection.execute(select(people).where(people.c.person_id == person_id)).one()
            if row.totp_secret is not None:
                raise Conflict("Cannot set up a second factor: there is one.", "Take it off first.")
            offered = [kept for kept in row.recovery if kept.startswith("offer:")]
            if offered:
                return self._office.keys.unlock(offered[0].removeprefix("offer:"))
            secret = new_secret()
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(recovery=["offer:" + self._office.keys.lock(secret)])
            )
        return secret

    def take(self, by: Principal, code: str) -> list[str]:
        """Set the offered second factor by a code from it; the recovery codes, shown once.

        Raises:
            SignInFailed: the code is wrong.
            TooManyRequests: wrong too often.
            SignInRequired, Conflict: as in `offer`.
        """
        secret = self.offer(by)
        step = self._check(by, secret, code, None)
        codes = new_recovery_codes()
        with self._office.writing() as connection:
            connection.execute(
                update(people)
                .where(people.c.person_id == by.person_id)
                .values(
                    totp_secret=self._office.keys.lock(secret),
                    totp_step=step,
                    recovery=[recovery_digest(c) for c in codes],
                )
            )
            self._satisfy(connection, by)
            end_others(connection, person_of(by), by.session)
            self._office.audit.write(connection, by, "second_factor.set", "person", by.person_id or "")
        return codes

    def give(self, by: Principal, code: str) -> None:
        """Give a code of the second factor, or a recovery code, for the session that asks.

        Raises:
            SignInFailed: the code is wrong or was used.
            TooManyRequests: wrong too often.
            SignInRequired: nobody is signed in.
        """
        person_id = person_of(by)
        with self._office.reading() as connection:
            row = connection.execute(select(people).where(people.c.person_id == person_id)).one()
        if row.totp_secret is None:
            raise SignInFailed("Cannot take this code: no second factor is set.", "Set one up first.")
        spent = recovery_digest(code)
        if spent in row.recovery:
            step = row.totp_step
        else:
            spent = ""
            step = self._check(by, self._office.keys.unlock(row.totp_secret), code, row.totp_step)
        with self._office.writing() as connection:
            # Under the lock: of two requests with one code, one is late.
            now = connection.execute(
                select(people.c.totp_step, people.c.recovery).where(people.c.person_id == person_id)
            ).one()
            if now.totp_step != row.totp_step or (spent and spent not in now.recovery):
                raise SignInFailed("Cannot take this code: it was used.", "Wait for the next one.")
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(totp_step=step, recovery=[c for c in now.recovery if c != spent])
            )
            self._satisfy(connection, by)
            self._tries.forget(connection, "code", person_id)
            if spent:
                self._office.audit.write(connection, by, "second_factor.recovery", "person", person_id)

    def drop(self, by: Principal, code: str) -> None:
        """Take the second factor off, by a code of it.

        Raises:
            SignInFailed, TooManyRequests, SignInRequired: as in `give`.
        """
        self.give(by, code)
        with self._office.writing() as connection:
            connection.execute(
                update(people)
                .where(people.c.person_id == by.person_id)
                .values(totp_secret=None, totp_step=None, recovery=[])
            )
            self._office.audit.write(connection, by, "second_factor.drop", "person", by.person_id or "")

    def _check(self, by: Principal, secret: str, code: str, last_step: int | None) -> int:
        tried = [("code", person_of(by), FREE_TRIES)]
        self._tries.check(tried)
        at = (self._office.now() - datetime(1970, 1, 1)).total_seconds()
        step = check_code(secret, code, at=at, last_step=last_step)
        if step is None:
            self._tries.count(tried, by.person_id)
            raise SignInFailed(
                "Cannot take this code: it is wrong or was used.",
                "Wait for the next one; check the clock of the telephone.",
            )
        return step

    def _satisfy(self, connection: Connection, by: Principal) -> None:
        connection.execute(update(sessions).where(sessions.c.digest == by.session).values(second_factor=True))

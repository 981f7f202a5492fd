"""Signing in and staying so. A session is a secret in a cookie; only its digest is kept."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from access.keys import digest, new_secret
from access.office import Office
from access.passwords import Passwords
from access.people import login_key
from access.principal import GUEST, Principal
from access.resolve import Policy, principal_of
from access.tables import people, sessions, tokens
from access.tries import FREE_TRIES, FREE_TRIES_OF_ADDRESS, FREE_TRIES_OF_LOGIN, Tries
from kb.errors import Conflict, InvalidRequest, NotFound, SignInFailed

_SEEN_EVERY = timedelta(minutes=5)


class Due(StrEnum):
    """What a person must do before their session may go on, in this order."""

    CODE = "code"
    PASSWORD = "password"
    SECOND_FACTOR = "second_factor"


@dataclass(frozen=True, slots=True)
class Session:
    """One of a person's sessions, as they see it. `current` is the one that asks."""

    session_id: str
    began_at: datetime
    seen_at: datetime
    current: bool


class Sessions:
    """Lets people in, by password or by what an identity provider says, and keeps them so."""

    def __init__(self, office: Office, tries: Tries, passwords: Passwords, policy: Policy) -> None:
        self._office = office
        self._tries = tries
        self.passwords = passwords
        self.policy = policy

    # -- signing in ---------------------------------------------------------------

    def sign_in(self, login: str, password: str, address: str) -> str:
        """Check a password and begin a session; its secret. `address` is where the request came from.

        The answer, and the time it takes, is the same for a wrong password, an unknown login and a
        person who was shut out; waiting, too, is the same for logins that do not exist.

        Raises:
            SignInFailed: these do not fit.
            TooManyRequests: too many wrong tries of this login, or from this address.
        """
        key = login_key(login)
        tried = [
            ("both", f"{key} {address}", FREE_TRIES),
            ("login", key, FREE_TRIES_OF_LOGIN),
            ("address", address, FREE_TRIES_OF_ADDRESS),
        ]
        self._tries.check(tried)
        with self._office.reading() as connection:
            row = connection.execute(select(people).where(people.c.login_key == key)).first()
        fits, newer = self.passwords.check(password, row.password if row else None)
        if row is None or not fits or not row.active:
            self._tries.count(tried, row.person_id if row else None)
            raise SignInFailed("Cannot sign in: login and password do not fit.", "Check both, and try again.")
        with self._office.writing() as connection:
            if newer:
                connection.execute(
                    update(people).where(people.c.person_id == row.person_id).values(password=newer)
                )
            self._tries.forget(connection, "both", f"{key} {address}")
            self._tries.forget(connection, "login", key)
            return self._begin(connection, row.person_id, "password")

    def sign_in_as(self, person_id: str, how: str) -> str:
        """Begin a session for a person whom something else vouches for: an invitation, an identity provider.

        Raises:
            SignInFailed: the person was shut out.
        """
        with self._office.writing() as connection:
            row = connection.execute(select(people.c.active).where(people.c.person_id == person_id)).first()
            if row is None or not row.active:
                raise SignInFailed(
                    "Cannot sign in: this account is shut.", "Ask the administrator of your branch."
                )
            return self._begin(connection, person_id, how)

    def person_of_subject(self, subject: str) -> str | None:
        """The person linked with what an identity provider calls its user."""
        with self._office.reading() as connection:
            return connection.execute(select(people.c.person_id).where(people.c.subject == subject)).scalar()

    def person_to_link(self, login: str) -> str | None:
        """The person of this login, if they are let in and linked with no identity yet."""
        p = people.c
        with self._office.reading() as connection:
            return connection.execute(
                select(p.person_id).where(p.login_key == login_key(login), p.active, p.subject.is_(None))
            ).scalar()

    def link(self, person_id: str, subject: str) -> None:
        """Have a person sign in by an identity provider from now on.

        Raises:
            Conflict: another person is linked with it.
        """
        with self._office.writing() as connection:
            taken = connection.execute(
                select(people.c.person_id).where(people.c.subject == subject, people.c.person_id != person_id)
            ).first()
            if taken:
                raise Conflict(
                    "Cannot link this identity: another person signs in by it.", "Unlink it there first."
                )
            connection.execute(update(people).where(people.c.person_id == person_id).values(subject=subject))
            self._office.audit.write(connection, None, "person.link", "person", person_id)

    def _begin(self, connection: Connection, person_id: str, how: str) -> str:
        now, secret = self._office.now(), new_secret()
        connection.execute(delete(sessions).where(sessions.c.expires_at < now))
        connection.execute(
            insert(sessions).values(
                digest=digest(secret),
                person_id=person_id,
                began_at=now,
                seen_at=now,
                expires_at=now + timedelta(days=self.policy.longest_days),
                second_factor=False,
            )
        )
        self._office.audit.write(
            connection, Principal(person_id=person_id), "session.begin", "person", person_id, how=how
        )
        return secret

    # -- being signed in ------------------------------------------------------------

    def principal(self, secret: str) -> Principal:
        """Who the session's secret stands for, as things are at this moment; the guest if it opens nothing."""
        now, s = self._office.now(), sessions.c
        with self._office.reading() as connection:
            row = self._row(connection, secret, now)
            found = row and principal_of(
                connection,
                row.person_id,
                today=self._office.today(),
                policy=self.policy,
                second_factor=row.second_factor,
                session=row.digest,
            )
        if not row or not found:
            return GUEST
        if now - row.seen_at > _SEEN_EVERY:
            with self._office.writing() as connection:
                connection.execute(update(sessions).where(s.digest == row.digest).values(seen_at=now))
        return found

    def principal_of(self, person_id: str) -> Principal:
        """A person as they are now, outside any session: for work done in their name, and at the machine.

        Raises:
            NotFound: there is none, or they were shut out.
        """
        with self._office.reading() as connection:
            found = principal_of(
                connection,
                person_id,
                today=self._office.today(),
                policy=replace(self.policy, second_factor=False),
                second_factor=True,
            )
        if found is None:
            raise NotFound(f"No person {person_id} here.", "They may have been shut out.")
        return found

    def scope_of(self, login: str) -> frozenset[str]:
        """What the person of this login may read now. For the operator at the machine.

        Raises:
            NotFound: there is none, or they were shut out.
        """
        with self._office.reading() as connection:
            person_id = connection.execute(
                select(people.c.person_id).where(people.c.login_key == login_key(login))
            ).scalar()
        return self.principal_of(person_id or login).scope

    def _row(self, connection: Connection, secret: str, now: datetime) -> Any:
        s = sessions.c
        return connection.execute(
            select(sessions).where(
                s.digest == digest(secret),
                s.expires_at > now,
                s.seen_at > now - timedelta(hours=self.policy.idle_hours),
            )
        ).first()

    def sign_out(self, by: Principal) -> None:
        """End the session that asks."""
        with self._office.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == by.session))
            self._office.audit.write(connection, by, "session.end", "person", by.person_id or "")

    def sign_out_elsewhere(self, by: Principal) -> None:
        """End every other session of the person.

        Raises:
            SignInRequired: nobody is signed in.
        """
        person_id = by.require_person()
        with self._office.writing() as connection:
            end_others(connection, person_id, by.session)
            self._office.audit.write(connection, by, "session.end_others", "person", person_id)

    def of(self, by: Principal) -> list[Session]:
        """The person's own sessions, the last used first.

        Raises:
            SignInRequired: nobody is signed in.
        """
        person_id = by.require_person()
        with self._office.reading() as connection:
            rows = connection.execute(
                select(sessions)
                .where(sessions.c.person_id == person_id, sessions.c.expires_at > self._office.now())
                .order_by(sessions.c.seen_at.desc())
            )
            return [Session(r.digest[:16], r.began_at, r.seen_at, r.digest == by.session) for r in rows]

    # -- passwords ----------------------------------------------------------------

    def change_password(self, by: Principal, old: str, new: str) -> None:
        """Take another password; the person's other sessions end.

        Raises:
            SignInFailed: the old one is wrong.
            TooManyRequests: wrong too often.
            InvalidRequest: the new one cannot be taken.
            SignInRequired: nobody is signed in.
        """
        person_id = person_of(by)
        tried = [("login", login_key(by.login), FREE_TRIES)]
        self._tries.check(tried)
        with self._office.reading() as connection:
            kept = connection.execute(
                select(people.c.password).where(people.c.person_id == person_id)
            ).scalar()
        if kept is not None and not self.passwords.check(old, kept)[0]:
            self._tries.count(tried, person_id)
            raise SignInFailed(
                "Cannot change the password: the old one is wrong.", "Type the one you signed in with."
            )
        if old == new:
            raise InvalidRequest("Cannot take the old password as the new one.", "Take another.")
        hashed = self.passwords.hashed(new, login=by.login)
        with self._office.writing() as connection:
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(password=hashed, change_password=False)
            )
            end_others(connection, person_id, by.session)
            self._office.audit.write(connection, by, "password.change", "person", person_id)

    def reset(self, by: Principal | None, person_id: str) -> str:
        """Give a person a new first password, shown once; sessions, tokens and second factor go.

        The caller has checked that the asker manages the person; `by` None is the operator at the machine.

        Raises:
            NotFound: there is no such person.
        """
        text, hashed = self.passwords.made_up()
        with self._office.writing() as connection:
            row = connection.execute(
                select(people.c.login_key).where(people.c.person_id == person_id)
            ).first()
            if row is None or row.login_key is None:
                raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
            connection.execute(
                update(people)
                .where(people.c.person_id == person_id)
                .values(
                    password=hashed,
                    change_password=True,
                    totp_secret=None,
                    totp_step=None,
                    recovery=[],
                )
            )
            for table in (sessions, tokens):
                connection.execute(delete(table).where(table.c.person_id == person_id))
            self._tries.forget(connection, "login", row.login_key)
            self._office.audit.write(connection, by, "password.reset", "person", person_id)
        return text

    def due(self, by: Principal) -> Due | None:
        """What the session that asks must do before anything else; None if it may go on.

        The code comes first: who only knows the password must not be able to change it.
        """
        if by.settled:
            return None
        with self._office.reading() as connection:
            row = connection.execute(
                select(people.c.totp_secret, people.c.change_password, sessions.c.second_factor)
                .join_from(sessions, people)
                .where(sessions.c.digest == by.session)
            ).first()
        if row is None:
            return None
        if row.totp_secret is not None and not row.second_factor:
            return Due.CODE
        return Due.PASSWORD if row.change_password else Due.SECOND_FACTOR


def end_others(connection: Connection, person_id: str, kept: str | None) -> None:
    """End the sessions of a person but one."""
    connection.execute(
        delete(sessions).where(sessions.c.person_id == person_id, sessions.c.digest != (kept or ""))
    )


def person_of(by: Principal) -> str:
    """The id of the person who is signed in, settled or not.

    Raises:
        SignInRequired: nobody is.
    """
    if by.person_id is None:
        by.require_person()
    assert by.person_id is not None
    return by.person_id

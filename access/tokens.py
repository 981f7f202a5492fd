"""API tokens: named, with powers and an end, kept as digests. `gx_` + id + `_` + secret."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, select, update

from access.keys import digest, new_secret
from access.office import Office
from access.principal import Power, Principal
from access.resolve import Policy, principal_of
from access.tables import tokens
from kb.errors import InvalidRequest, NotFound, SignInFailed
from kb.model import derive_id

LONGEST_DAYS = 366
_MOST = 20
_PREFIX = "gx_"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner sees it; `secret` is given out once."""

    token_id: str
    name: str
    powers: frozenset[Power]
    expires_at: datetime
    used_on: date | None
    secret: str = ""


class Tokens:
    """Makes, takes back and opens tokens."""

    def __init__(self, office: Office, policy: Policy) -> None:
        self._office = office
        self._policy = policy

    def make(self, by: Principal, name: str, powers: frozenset[Power], days: int) -> Token:
        """A new token for the person who is signed in: it can do what they can, within its powers.

        Raises:
            InvalidRequest: no name, no power, a life that is too long, or too many tokens.
            SignInRequired, Refused: nobody is signed in, or by a token, which makes no other.
        """
        person_id = by.require_person()
        name = " ".join(name.split())[:60]
        if by.session is None:
            raise InvalidRequest(
                "Cannot make a token by a token.", "Sign in on the pages, and make it there."
            )
        if not name or not powers:
            raise InvalidRequest("Cannot make a token without a name or a power.", "Say what it is for.")
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidRequest(f"Cannot make a token for {days} days.", f"Take 1 to {LONGEST_DAYS}.")
        secret, now = new_secret(), self._office.now()
        token_id = derive_id("token", digest(secret))
        with self._office.writing() as connection:
            held = connection.execute(select(tokens.c.token_id).where(tokens.c.person_id == person_id)).all()
            if len(held) >= _MOST:
                raise InvalidRequest(f"Cannot make a token: {_MOST} are there.", "Take one back first.")
            connection.execute(
                insert(tokens).values(
                    token_id=token_id,
                    digest=digest(secret),
                    person_id=person_id,
                    name=name,
                    powers=sorted(powers),
                    added_at=now,
                    expires_at=now + timedelta(days=days),
                )
            )
            self._office.audit.write(connection, by, "token.make", "token", token_id, powers=sorted(powers))
        return Token(
            token_id, name, powers, now + timedelta(days=days), None, f"{_PREFIX}{token_id}_{secret}"
        )

    def of(self, by: Principal) -> list[Token]:
        """The person's own tokens, by name.

        Raises:
            SignInRequired: nobody is signed in.
        """
        with self._office.reading() as connection:
            rows = connection.execute(
                select(tokens).where(tokens.c.person_id == by.require_person()).order_by(tokens.c.name)
            )
            return [
                Token(r.token_id, r.name, frozenset(Power(p) for p in r.powers), r.expires_at, r.used_on)
                for r in rows
            ]

    def take_back(self, by: Principal, token_id: str) -> None:
        """End a token of one's own.

        Raises:
            NotFound, SignInRequired: there is none, or nobody is signed in.
        """
        person_id = by.require_person()
        with self._office.writing() as connection:
            gone = connection.execute(
                delete(tokens).where(tokens.c.token_id == token_id, tokens.c.person_id == person_id)
            )
            if not gone.rowcount:
                raise NotFound(f"No token {token_id} here.", "See the list of your tokens.")
            self._office.audit.write(connection, by, "token.end", "token", token_id)

    def principal(self, text: str) -> Principal:
        """Who the token stands for.

        Raises:
            SignInFailed: it is forged, expired, taken back, or its owner was shut out; which, is not told.
        """
        today, found = self._office.today(), None
        head, _, secret = text.removeprefix(_PREFIX).partition("_")
        with self._office.reading() as connection:
            row = connection.execute(
                select(tokens).where(
                    tokens.c.token_id == head,
                    tokens.c.digest == digest(secret),
                    tokens.c.expires_at > self._office.now(),
                )
            ).first()
            if row is not None and text.startswith(_PREFIX):
                found = principal_of(
                    connection, row.person_id, today=today, policy=self._policy, second_factor=True
                )
        if row is None or found is None:
            raise SignInFailed(
                "Cannot take this token: it opens nothing.", "Make a new one on the page “我的”."
            )
        if row.used_on != today:
            with self._office.writing() as connection:
                connection.execute(
                    update(tokens).where(tokens.c.token_id == row.token_id).values(used_on=today)
                )
        return found.limited_to(frozenset(Power(p) for p in row.powers))

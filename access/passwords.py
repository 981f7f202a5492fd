"""Passwords: argon2id by pwdlib, a few rules, and a first one that is made up."""

import secrets
import unicodedata

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from kb.errors import InvalidRequest

SHORTEST, LONGEST = 10, 128
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_COMMON = ("password", "123456789", "qwertyuiop", "1234567890", "gongxue", "admin", "iloveyou", "dangjian")


class Passwords:
    """Hashes and checks passwords. Checking takes as long for a person who is not there."""

    def __init__(self, *, memory_kib: int = 65536, passes: int = 3) -> None:
        """`memory_kib` and `passes` are argon2's costs; the defaults are those of RFC 9106's second choice."""
        self._hash = PasswordHash((Argon2Hasher(memory_cost=memory_kib, time_cost=passes, parallelism=1),))
        self._nobody = self._hash.hash(secrets.token_urlsafe(16))

    def hashed(self, password: str, *, login: str) -> str:
        """What is kept of a password that a person chose.

        Raises:
            InvalidRequest: it is too short, too long, too common, or tells the login.
        """
        text = _normal(password)
        folded = text.casefold()
        if not SHORTEST <= len(text) <= LONGEST:
            raise InvalidRequest(
                f"Cannot take this password: {len(text)} characters.",
                f"Take {SHORTEST} to {LONGEST}; a short sentence is good.",
            )
        if len(set(folded)) < 5 or any(
            folded.strip("0123456789!@#.") == c.strip("0123456789") for c in _COMMON
        ):
            raise InvalidRequest(
                "Cannot take this password: it is among the first that are tried.", "Take another."
            )
        if len(login) > 2 and login.casefold() in folded:
            raise InvalidRequest("Cannot take this password: it holds the login.", "Take another.")
        return self._hash.hash(text)

    def made_up(self) -> tuple[str, str]:
        """A first password and what is kept of it; 60 bits, easy to type."""
        text = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        return text, self._hash.hash(text)

    def check(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and what should be kept of it from now on if that has changed."""
        if len(password) > LONGEST * 4:
            return False, None
        fits, newer = self._hash.verify_and_update(_normal(password), kept or self._nobody)
        return fits and kept is not None, newer


def _normal(password: str) -> str:
    """The same password from every keyboard."""
    return unicodedata.normalize("NFKC", password)

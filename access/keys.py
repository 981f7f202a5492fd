"""The installation's secret: one file that seals the audit trail, signs forms and locks away other secrets.

It stands outside the catalog, so that whoever can write the one cannot forge the other.
"""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from kb.errors import CatalogUnavailable

_BYTES = 32


class Keys:
    """Keys for each purpose, derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mac(self, purpose: str, *parts: str) -> str:
        """Hex digest, 64 characters, that only this installation can make of the parts."""
        message = "\x1f".join([purpose, *parts]).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def is_mac(self, found: str, purpose: str, *parts: str) -> bool:
        """Whether it is the digest of the parts; takes the same time whatever is wrong with it."""
        return hmac.compare_digest(found.encode(), self.mac(purpose, *parts).encode())

    def lock(self, text: str) -> str:
        """The text so that it can be kept where others may read."""
        return self._fernet().encrypt(text.encode()).decode()

    def unlock(self, locked: str) -> str:
        """What `lock` was given.

        Raises:
            CatalogUnavailable: it was locked with another secret.
        """
        try:
            return self._fernet().decrypt(locked.encode()).decode()
        except InvalidToken as error:
            raise CatalogUnavailable(
                "Cannot read a second factor: it was kept with another secret.key.",
                "Restore secret.key from the backup, or have an operator reset the second factor.",
            ) from error

    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(bytes.fromhex(self.mac("lock"))))


def open_keys(file: Path) -> Keys:
    """The keys of the file, which is made, readable by its owner alone, if it is not there.

    Raises:
        CatalogUnavailable: it cannot be read or made, or is no secret of ours.
    """
    try:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w", encoding="ascii") as made:
                made.write(secrets.token_hex(_BYTES) + "\n")
                made.flush()
                os.fsync(made.fileno())
        secret = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise CatalogUnavailable(
            f"Cannot read the secret {file}: {error}.",
            "Check that it may be read, or restore it from the backup.",
        ) from error
    if len(secret) != _BYTES:
        raise CatalogUnavailable(
            f"Cannot use the secret {file}: {len(secret)} bytes, expected {_BYTES}.",
            "Restore it from the backup.",
        )
    return Keys(secret)


def new_secret() -> str:
    """A secret to be given out once: 256 bits, fit for an address."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret that was given out; hex, 64 characters."""
    return hashlib.sha256(secret.encode()).hexdigest()

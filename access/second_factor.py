"""Second factor: time-based codes (RFC 6238), their QR code, and recovery codes."""

import hashlib
import hmac
import secrets
import unicodedata
from typing import Any

import pyotp
import segno

RECOVERY_ALPHABET = "34679acdefhjkmnprtvwxy"
"""No two of these look alike in print or in handwriting."""

RECOVERY_GROUPS = (5, 5)
"""Characters before and after the hyphen; ten of 22 letters are 44 bits."""

QUIET_ZONE = 4
"""Empty modules around the code; scanners need them (ISO/IEC 18004)."""


def new_secret() -> str:
    """A fresh secret of 160 bits in base32."""
    return pyotp.random_base32()


def provisioning_address(secret: str, login: str, issuer: str = "共学") -> str:
    """The otpauth:// address that an authenticator takes an account from."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def qr_svg(address: str) -> str:
    """The address as a QR code, an `<svg>` to stand inside a page.

    Colours are presentation attributes, which a policy without inline styles
    lets pass, and fixed: modules are dark on a white ground in dark mode too.
    Without width and height; class `qr` is there for the stylesheet.
    """
    # segno has no types; each row holds 0 for light and 1 for dark modules.
    code: Any = segno.make(address, error="m", micro=False)
    rows = [bytes(row) for row in code.matrix_iter(border=QUIET_ZONE)]
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module
    )
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 {size} {size}" role="img"'
        ' aria-label="二维码：请用身份验证器应用扫描" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path fill="#000" d="{path}"/></svg>'
    )


def check_code(secret: str, code: str, *, at: float, last_step: int | None) -> int | None:
    """The time step that the code is good for, or None.

    A code is good in its own step of 30 seconds and one step before and after
    it, and only if that step comes after `last_step`, the last one used; so a
    code that was seen once opens nothing. White space in the code and
    full-width digits do not matter.

    Args:
        secret: base32, as `new_secret` gives it.
        code: as it was typed.
        at: seconds since 1970.
        last_step: what the last check that passed gave; None at first.

    >>> secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    >>> check_code(secret, "287 082", at=59, last_step=None)
    1
    >>> check_code(secret, "287082", at=59, last_step=1) is None
    True
    """
    typed = "".join(unicodedata.normalize("NFKC", code).split()).encode(errors="replace")
    totp = pyotp.TOTP(secret)
    now = totp.timecode(at)
    # All three are compared, so that the time taken tells nothing about which one was near.
    good = [
        step
        for step in range(max(now - 1, 0), now + 2)
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed)
    ]
    # Two steps may share a code; the later one also spends the earlier.
    step = max(good, default=None)
    return None if step is None or (last_step is not None and step <= last_step) else step


def new_recovery_codes(n: int = 8) -> list[str]:
    """Fresh codes such as "k7pm3-xrtwa", each for one use instead of a time-based code."""
    return [
        "-".join("".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(size)) for size in RECOVERY_GROUPS)
        for _ in range(n)
    ]


def recovery_digest(code: str) -> str:
    """SHA-256, in hexadecimal, of the letters and digits of a recovery code.

    Case, width, spaces and hyphens do not matter.

    >>> recovery_digest("k7pm3-xrtwa") == recovery_digest(" K7PM3 XRTWA")
    True
    """
    folded = unicodedata.normalize("NFKC", code).casefold()
    return hashlib.sha256("".join(char for char in folded if char.isalnum()).encode()).hexdigest()

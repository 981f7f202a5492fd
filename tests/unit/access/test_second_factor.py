"""Time-based codes, their QR code, and recovery codes."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from access.second_factor import (
    QUIET_ZONE,
    RECOVERY_ALPHABET,
    check_code,
    new_recovery_codes,
    new_secret,
    provisioning_address,
    qr_svg,
    recovery_digest,
)

# RFC 6238, appendix B, SHA-1, last six of the eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
)


def only(tree: LexborHTMLParser, tag: str) -> LexborNode:
    """The one element with this tag."""
    (node,) = tree.css(tag)
    return node


@pytest.mark.parametrize(("at", "code"), RFC_CODES)
def test_check_code_takes_the_codes_of_the_standard(at: int, code: str) -> None:
    """The examples of RFC 6238 are good at their time, and the step is that of their time."""
    assert check_code(RFC_SECRET, code, at=at, last_step=None) == at // 30


@given(st.integers(0, 4_000_000_000), st.integers(-4, 4))
def test_check_code_takes_one_step_each_way(at: int, away: int) -> None:
    """A code is good while its step is at most one step away, and for that step only."""
    step = max(at // 30 + away, 0)
    code = pyotp.TOTP(RFC_SECRET).generate_otp(step)
    near = [pyotp.TOTP(RFC_SECRET).generate_otp(s) for s in range(max(at // 30 - 1, 0), at // 30 + 2)]
    given_step = check_code(RFC_SECRET, code, at=at, last_step=None)
    if code in near:
        assert given_step is not None and abs(given_step - at // 30) <= 1
        assert pyotp.TOTP(RFC_SECRET).generate_otp(given_step) == code
    else:
        assert given_step is None


@given(st.integers(0, 4_000_000_000), st.integers(0, 89))
def test_check_code_takes_no_code_twice(at: int, later: int) -> None:
    """A code that was taken is refused from then on, and so is one of an earlier step."""
    totp = pyotp.TOTP(RFC_SECRET)
    step = check_code(RFC_SECRET, totp.at(at), at=at, last_step=None)
    assert step is not None
    assert check_code(RFC_SECRET, totp.at(at), at=at + later, last_step=step) is None
    before = totp.generate_otp(max(step - 1, 0))
    assert check_code(RFC_SECRET, before, at=at, last_step=step) is None
    assert check_code(RFC_SECRET, totp.at(at + 300), at=at + 300, last_step=step) is not None


@pytest.mark.parametrize("typed", ["287 082", " 287082\n", "２８７０８２", "２８７　０８２"])
def test_check_code_takes_what_people_type(typed: str) -> None:
    """White space and full-width digits do not matter."""
    assert check_code(RFC_SECRET, typed, at=59, last_step=None) == 1


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "287083", "验证码", "٢٨٧٠٨٢", "\ud800"])
def test_check_code_refuses_everything_else(typed: str) -> None:
    """What is no code of now is refused without an error, whatever it is."""
    assert check_code(RFC_SECRET, typed, at=59, last_step=None) is None


def test_new_secret_is_long_and_new() -> None:
    """Secrets are 160 bits in base32, and none comes twice."""
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[A-Z2-7]{32}", secret) for secret in made)


@pytest.mark.parametrize("login", ["zhang.san@x", "张三", "a&secret=b", "甲 乙:丙"])
def test_provisioning_address_says_whose_secret_it_is(login: str) -> None:
    """The address names issuer and login, and no login can change what else it says."""
    secret = new_secret()
    address = urlsplit(provisioning_address(secret, login))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == f"/共学:{login}"
    said = parse_qs(address.query)
    assert (said["secret"], said["issuer"]) == ([secret], ["共学"])
    assert address.query.isascii() and address.path.isascii()


@pytest.mark.parametrize("login", ["a", "张三" * 20])
def test_qr_svg_draws_every_module(login: str) -> None:
    """The path draws exactly the dark modules of the code, inside a white ground with a quiet zone."""
    address = provisioning_address(RFC_SECRET, login)
    tree = LexborHTMLParser(qr_svg(address))
    svg, ground, path = (only(tree, name) for name in ("svg", "rect", "path"))
    code = segno.make(address, error="m", micro=False)
    size = len(code.matrix) + 2 * QUIET_ZONE
    drawn = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path.attributes["d"] or "")}
    dark = {
        (x + QUIET_ZONE, y + QUIET_ZONE)
        for y, row in enumerate(code.matrix)
        for x, module in enumerate(row)
        if module
    }
    assert drawn == dark
    assert svg.attributes["viewBox"] == f"0 0 {size} {size}"
    assert (ground.attributes["width"], ground.attributes["height"]) == (str(size), str(size))
    assert (ground.attributes["fill"], path.attributes["fill"]) == ("#fff", "#000")


def test_qr_svg_stands_in_a_page_under_a_strict_policy() -> None:
    """It is one named image without style, script or declaration."""
    svg = qr_svg(provisioning_address(RFC_SECRET, "张三"))
    assert svg.startswith("<svg ") and svg.endswith("</svg>")
    tree = LexborHTMLParser(svg)
    assert not tree.css("style, script, [style], [onload]")
    image = only(tree, "svg")
    assert image.attributes["role"] == "img"
    assert re.search("[\u4e00-\u9fff]", image.attributes["aria-label"] or "")
    assert RFC_SECRET not in svg


def test_new_recovery_codes_are_strong_and_legible() -> None:
    """Codes are new every time, hold 40 bits or more, and no letters that look alike."""
    codes = [code for _ in range(40) for code in new_recovery_codes()]
    assert len(codes) == len(set(codes)) == 320
    assert len(new_recovery_codes(3)) == 3
    letters = {char for code in codes for char in code if char != "-"}
    assert not letters & set("01ilou25sbq8g")
    n_letters = {len(code.replace("-", "")) for code in codes}
    assert min(n_letters) == max(n_letters)
    assert len(letters) ** min(n_letters) >= 2**40


@given(
    st.from_regex(rf"[{RECOVERY_ALPHABET}]{{5}}-[{RECOVERY_ALPHABET}]{{5}}", fullmatch=True),
    st.sampled_from(" -–　"),
    st.booleans(),
)
def test_recovery_digest_folds_how_a_code_was_typed(code: str, between: str, upper: bool) -> None:
    """Case, spaces and hyphens do not matter; any other letter does."""
    typed = f" {code.replace('-', between)}\n"
    typed = typed.upper() if upper else typed
    assert recovery_digest(typed) == recovery_digest(code) == recovery_digest(code.replace("-", ""))
    other = ("3" if code[0] != "3" else "4") + code[1:]
    assert recovery_digest(other) != recovery_digest(code)
    assert re.fullmatch(r"[0-9a-f]{64}", recovery_digest(code))

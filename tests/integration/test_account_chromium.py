"""The account pages in a browser: keyboard, reflow, contrast, targets, second factor, paper."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from access.access import DEMONSTRATION
from access.rights import Role
from access.tables import facts
from api.app import create_app
from tests.integration.account_browser import PASSWORD, add, open_site
from tests.integration.browser import CONTRAST, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.people import found_branches

pytestmark = pytest.mark.slow

DESK = {"width": 1280, "height": 900}
ADDRESSES = ["/sign-in", "/me", "/me/password", "/me/second-factor", "/documents/none", "/"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A running server with a member, a liaison, an administrator, and an invitation; its banner is that of a
    demonstration, for it takes the most room."""
    services = open_site(Path(tmp_path_factory.mktemp("account") / "home"))
    found_branches(services, "nan")
    ids = {
        "chengyuan": add(services, "chengyuan", nan=Role.MEMBER),
        "lianluo": add(services, "lianluo", nan=Role.LIAISON),
        "guanli": add(services, "guanli", nan=Role.ADMINISTRATOR),
    }
    by = services.access.sessions.principal_of(ids["guanli"])
    invitation = (
        "/invitation/" + services.access.invitations.offer(by, "nan", frozenset(Role), "欧阳明月").secret
    )
    with services.access.office.writing() as connection:
        connection.execute(facts.insert().values(name=DEMONSTRATION, value="1"))
    with serving(create_app(services)) as origin:
        yield SimpleNamespace(origin=origin, invitation=invitation, services=services)
    services.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser, site):  # type: ignore[no-untyped-def]
    """A function that opens an address, signed in if a login is given; no page may have complained in the end."""
    contexts, complaints = [], []

    def open_at(address, viewport=DESK, login="", **options):  # type: ignore[no-untyped-def]
        context = browser.new_context(viewport=viewport, base_url=site.origin, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10000)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        if login:
            page.goto("/sign-in")
            page.get_by_label("登录名").fill(login)
            page.get_by_label("密码", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="登录", exact=True).click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert [c for c in complaints if "status of 40" not in c] == []


def unfold(page) -> None:  # type: ignore[no-untyped-def]
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")


@pytest.mark.parametrize("viewport", [PHONE, DESK])
@pytest.mark.parametrize("scripts", [True, False])
def test_sign_in_and_out_by_keyboard(open_page, viewport, scripts) -> None:  # type: ignore[no-untyped-def]
    """By Tab and Enter alone one finds the form, signs in, is where one wanted to be, and leaves again."""
    page = open_page("/me", viewport, java_script_enabled=scripts)
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            focused = page.locator(":focus")
            if focused.count() and name in (focused.get_attribute("id") or "", focused.inner_text().strip()):
                return
        raise AssertionError(f"{name} is not reached")

    tab_to("login")
    keys.type("chengyuan")
    keys.press("Tab")
    keys.type("不是这个")
    keys.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("登录名").input_value() == "chengyuan"
    tab_to("password")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/me")
    assert page.get_by_role("heading", name="chengyuan先生").is_visible()
    tab_to("退出")
    keys.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/sign-in?done=out"))
    assert page.get_by_role("status").inner_text() == "您已退出。"


@pytest.mark.parametrize("viewport", [PHONE, DESK, {"width": 320, "height": 500}])
def test_no_account_page_scrolls_sideways(open_page, site, viewport) -> None:  # type: ignore[no-untyped-def]
    """With the longest menu, every fold open and the text twice as large on a phone, nothing is wider than the window."""
    guest, person = open_page("/", viewport), open_page("/", viewport, "lianluo")
    for page, addresses in ((guest, ["/sign-in", site.invitation, "/invitation/none"]), (person, ADDRESSES)):
        for address in addresses:
            page.goto(address)
            unfold(page)
            assert page.evaluate(OVERFLOW) <= 0, address
            if viewport == PHONE:
                page.evaluate("document.documentElement.style.fontSize = '200%'")
                assert page.evaluate(OVERFLOW) <= 0, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_account_pages_have_contrast(open_page, site, scheme) -> None:  # type: ignore[no-untyped-def]
    """All text stands 4.5:1 or better against its ground, banner, buttons and wrong fields included."""
    guest = open_page(site.invitation, color_scheme=scheme, bypass_csp=True)
    guest.get_by_role("button", name="接受邀请").click()
    assert guest.locator(".wrong").count() >= 2
    assert guest.evaluate(CONTRAST) == []
    person = open_page("/", PHONE, "lianluo", color_scheme=scheme, bypass_csp=True)
    for address in ADDRESSES:
        person.goto(address)
        unfold(person)
        assert person.evaluate(CONTRAST) == [], address


def test_account_targets_are_large_enough_on_a_phone(open_page, site) -> None:  # type: ignore[no-untyped-def]
    """Buttons, fields, folds and navigation are 44 px high."""
    guest, person = open_page("/", PHONE), open_page("/", PHONE, "lianluo")
    for page, addresses in ((guest, ["/sign-in", site.invitation]), (person, ADDRESSES)):
        for address in addresses:
            page.goto(address)
            unfold(page)
            small = [s for s in page.evaluate(SMALL_TARGETS) if s[0] > 1]
            assert small == [], address


def test_every_field_has_a_label_and_says_what_it_is_for(open_page, site) -> None:  # type: ignore[no-untyped-def]
    """Every field that is seen has a label, and those that a password manager fills say so."""
    told = {}
    guest, person = open_page("/", PHONE), open_page("/", PHONE, "lianluo")
    for page, addresses in ((guest, ["/sign-in", site.invitation]), (person, ADDRESSES)):
        for address in addresses:
            page.goto(address)
            unfold(page)
            assert page.locator("h1").count() == 1, address
            for field in page.locator("main input:not([type=hidden]):not([aria-hidden]), main select").all():
                assert field.evaluate("e => e.labels.length") == 1, address
                told[f"{address.split('/')[1]} {field.get_attribute('id')}"] = field.get_attribute(
                    "autocomplete"
                )
    expected = {
        "sign-in login": "username",
        "sign-in password": "current-password",
        "invitation login": "username",
        "invitation password": "new-password",
        "me old": "current-password",
        "me new": "new-password",
        "me code": "one-time-code",
    }
    assert {name: told.get(name) for name in expected} == expected


def test_second_factor_is_set_from_what_the_page_shows(open_page) -> None:  # type: ignore[no-untyped-def]
    """An administrator is led to the QR code, is done with a code of it, and has codes to print."""
    page = open_page("/documents", PHONE, "guanli")
    page.wait_for_url(lambda url: url.endswith("/me/second-factor?next=/documents"))
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert box["width"] > 180
    page.get_by_text("手工输入密钥").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("验证码").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="完成设置").click()
    assert page.locator(".codes li").count() == 8
    page.emulate_media(media="print")
    assert page.locator(".codes li").first.is_visible()
    for gone in ("header.site", ".demonstration", ".press"):
        assert not page.locator(gone).first.is_visible(), gone
    page.emulate_media(media="screen")
    page.get_by_role("link", name="已收好").click()
    page.wait_for_url("**/documents")


def test_sample_account_is_one_press(open_page) -> None:  # type: ignore[no-untyped-def]
    """The banner stands on the page, and what it says fits into one line on a phone."""
    page = open_page("/sign-in", PHONE)
    banner = page.get_by_role("complementary", name="演示说明")
    assert banner.bounding_box()["height"] < 45
    assert page.locator(".samples button").count() == 6

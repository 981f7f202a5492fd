"""The administration pages in a browser: reflow, contrast, targets, the keyboard."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from access.rights import Role
from api.principal import COOKIE
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.manage_stage import Stage, full_stage

pytestmark = pytest.mark.slow

PAGES = {
    "admin": (
        "/manage",
        "/manage/branches",
        "/manage/branches/jia-1",
        "/manage/branches/jia-1/people",
        "/manage/branches/jia-1/invite",
        "/manage/branches/jia-1/import",
        "/manage/new-branch?parent=jia",
        "/manage/people/{member}",
        "/manage/new-partnership",
        "/manage/audit?action=person.",
    ),
    "liaison": (
        "/manage/partnerships?done=proposed",
        "/manage/partnerships/{offer}",
        "/manage/groups",
        "/manage/groups/{group}",
    ),
    "root": ("/manage/people", "/manage/settings", "/manage/audit?check=true", "/manage/people/{member}"),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage with something on every page."""
    found = full_stage(tmp_path_factory.mktemp("manage") / "home")
    access, today = found.access, found.access.office.today()
    for n, branch_id in enumerate(("bing", "bing-1", "yi")):
        access.partnerships.propose(
            None, branch_id, "jia-1", today, today + timedelta(days=9), agreed=bool(n)
        )
    found.document("liaison", "jia-1", "给伙伴", ["own", "partners"])
    access.invitations.offer(found.principal("admin"), "jia-1", frozenset({Role.MEMBER}), "王五")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def site(stage: Stage) -> Iterator[str]:
    """Address of a running server."""
    with serving(stage.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser, site: str, stage: Stage):  # type: ignore[no-untyped-def]
    """A function that opens a page for a person who is signed in; at the end no page may have complained."""
    contexts, complaints = [], []

    def open_as(login: str, viewport: dict[str, int] = DESK, **options: object):  # type: ignore[no-untyped-def]
        context = browser.new_context(viewport=viewport, base_url=site, **options)
        secret = stage.access.sessions.sign_in_as(stage.ids[login], "test")
        context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert [c for c in complaints if "status of 40" not in c] == []


def address_of(stage: Stage, template: str) -> str:
    offers = stage.access.partnerships.seen(stage.principal("liaison"))
    offer = next(p.partnership_id for p in offers if p.state == "proposed")
    return template.format(member=stage.ids["member"], group=stage.group_id, offer=offer)


@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK, {"width": 320, "height": 500}])
def test_pages_fit_and_can_be_read(open_page, stage, login, scheme, viewport) -> None:  # type: ignore[no-untyped-def]
    """Nothing is wider than the window, too faint to read, or too small to hit; with every fold open, too."""
    page = open_page(login, viewport, color_scheme=scheme)
    for template in PAGES[login]:
        assert page.goto(address_of(stage, template)).status == 200
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate(OVERFLOW) <= 0, template
        assert page.evaluate(CONTRAST) == [], template
        assert page.evaluate(SMALL_TARGETS) == [], template


def test_picture_is_readable_on_a_phone(open_page) -> None:  # type: ignore[no-untyped-def]
    """The text of the picture is at least 12 px high there, inside its boxes, and strong enough against them."""
    page = open_page("liaison", PHONE)
    page.goto("/manage/partnerships")
    found = page.evaluate(
        """() => {
      const svg = document.querySelector('.picture svg');
      const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      const outside = [...svg.querySelectorAll('g')].flatMap((g) => {
        const box = g.querySelector('rect').getBBox();
        return [...g.querySelectorAll('text')].filter((t) => {
          const b = t.getBBox();
          return b.x < box.x || b.x + b.width > box.x + box.width || b.y + b.height > box.y + box.height + 3;
        }).map((t) => t.textContent);
      });
      return { scale, size: parseFloat(getComputedStyle(svg.querySelector('g text')).fontSize), outside };
    }"""
    )
    assert found["outside"] == []
    assert found["scale"] * found["size"] >= 12


def test_invitation_by_keyboard_alone(open_page, stage) -> None:  # type: ignore[no-untyped-def]
    """From the list of people to the link: Tab, Space and Enter are enough, and a missing role is found by its link."""
    page = open_page("admin")
    page.goto("/manage/branches/jia-1/people")
    page.get_by_role("link", name="邀请人员").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/invite")
    page.get_by_label("姓名").focus()
    page.keyboard.type("赵六")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    problem = page.get_by_role("alert").get_by_role("link")
    assert problem.inner_text() == "请至少选一个角色。"
    problem.press("Enter")
    assert page.get_by_label("姓名").input_value() == "赵六"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    link = page.get_by_label("邀请链接")
    assert "/invitation/" in link.input_value()
    offers = stage.access.invitations.of_branch(stage.principal("admin"), "jia-1")
    assert "赵六" in [offer.name for offer in offers]


def test_wrong_fields_are_marked_and_reached(open_page) -> None:  # type: ignore[no-untyped-def]
    """The list of what is wrong leads to the field, which says so to a screen reader."""
    page = open_page("liaison", PHONE)
    page.goto("/manage/new-partnership")
    page.get_by_label("对方").select_option("bing-1")
    page.get_by_label("最后一天").fill("2001-01-01")
    page.get_by_role("button", name="发出邀约").click()
    page.get_by_role("alert").get_by_role("link").click()
    focused = "[document.activeElement.id, document.activeElement.getAttribute('aria-invalid')]"
    assert page.evaluate(focused) == ["ends_on", "true"]
    assert page.get_by_label("对方").input_value() == "bing-1"
    assert page.evaluate(OVERFLOW) <= 0

"""Handing in and sharing in a browser: forms, reflow, contrast, light and dark, with and without script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from access.sharing import Wanted
from api.principal import COOKIE
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.sharing_world import World, open_world, text_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose jobs are worked off in the background."""
    found = open_world(tmp_path_factory.mktemp("sharing") / "home")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    """Address of a running server."""
    with serving(world.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


def page_of(browser: Any, world: World, site: str, who: str, **more: Any) -> Any:
    """A page of the person, signed in."""
    context = browser.new_context(**more)
    secret = world.services.access.sessions.sign_in_as(world.ids[who], "test")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
    return context.new_page()


def addresses(world: World) -> list[tuple[str, str]]:
    """Every page, as those who see most of it."""
    shared = world.hand_in("liaison", "很长的标题" * 12, [Wanted("own"), Wanted("branch:south", True)])
    world.services.access.sharing.reshare(world.by("partner"), shared, "south", [Wanted("branch:east")])
    gone = world.hand_in("liaison", "撤")
    world.services.holdings.withdraw(world.by("liaison"), gone, "数字有误")
    return [
        ("liaison", "/manage/hand-in"),
        ("trainer", "/manage/hand-in"),
        ("chief", "/manage/documents?as=branch:south"),
        ("liaison", f"/documents/{shared}"),
        ("liaison", f"/documents/{shared}/audience"),
        ("trainer", f"/documents/{shared}/audience"),
        ("partner", f"/documents/{shared}/audience"),
        ("liaison", f"/documents/{shared}/withdraw"),
    ]


def test_pages_fit_and_can_be_read(browser: Any, world: World, site: str) -> None:
    """No page scrolls sideways, has small targets or weak contrast, at 390 and 1280 px, light and dark."""
    pages = addresses(world)
    for view, scheme in ((PHONE, "light"), (DESK, "dark")):
        for who, path in pages:
            page = page_of(browser, world, site, who, viewport=view, color_scheme=scheme)
            page.goto(site + path)
            assert page.evaluate(OVERFLOW) <= 0, (path, view)
            assert page.evaluate(CONTRAST) == [], (path, scheme)
            assert page.evaluate(SMALL_TARGETS) == [], path
            assert page.locator("h1").count() == 1
            unnamed = "[...document.querySelectorAll('input:not([type=hidden]),select')].filter(e => !e.labels.length)"
            assert page.evaluate(f"{unnamed}.length") == 0, path
            page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_from_file_to_partner(browser: Any, world: World, site: str, tmp_path: Path, script: bool) -> None:
    """One hands a file in, sees it done, previews and saves an audience, with script and without."""
    title = f"夜班{'有' if script else '无'}脚本"
    file = tmp_path / f"{title}.txt"
    file.write_bytes(text_of(title))
    page = page_of(browser, world, site, "liaison", viewport=PHONE, java_script_enabled=script)
    page.goto(f"{site}/manage/hand-in")
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.locator("form[enctype] button.primary").click()
    page.wait_for_url("**/manage/jobs#*")
    assert page.get_by_text("排队中").count() == 1
    world.services.jobs.drain()
    if not script:
        page.get_by_role("link", name="刷新").click()
    page.get_by_role("link", name=file.name).click()
    page.get_by_role("link", name="共享", exact=True).click()
    page.get_by_role("checkbox", name="全部共建支部", exact=True).check()
    page.get_by_role("button", name="先看看谁能看到").click()
    assert "南方支部" in page.locator("#preview").inner_text()
    assert page.get_by_role("checkbox", name="全部共建支部", exact=True).is_checked()
    page.get_by_role("button", name="保存", exact=True).click()
    assert page.get_by_role("status").inner_text() == "已保存，马上生效。"
    partner = page_of(browser, world, site, "partner")
    partner.goto(page.url.partition("/audience")[0])
    assert title in partner.locator("h1").inner_text()
    page.context.close()
    partner.context.close()


def test_too_much_is_told_before_it_is_sent(browser: Any, world: World, site: str, tmp_path: Path) -> None:
    """Files that are too large together stay in the browser, which says so at the field."""
    files = []
    for n in range(2):
        files.append(tmp_path / f"{n}.txt")
        files[-1].write_bytes(b"a" * 700_000)
    page = page_of(browser, world, site, "liaison")
    page.goto(f"{site}/manage/hand-in")
    page.set_input_files("#files", files)
    assert "超过了 1 MB" in page.evaluate("document.getElementById('files').validationMessage")
    page.locator("form[enctype] button.primary").click()
    assert page.url.endswith("/manage/hand-in")
    page.set_input_files("#files", files[:1])
    assert page.evaluate("document.getElementById('files').validationMessage") == ""
    page.context.close()

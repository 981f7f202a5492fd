"""The pages in a browser: keyboard, reflow, contrast, without script, paper."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.page_library import Library, many_articles, sample_documents
from tests.integration.test_pages import make_app

pytestmark = pytest.mark.slow

QUERY = quote("试用期")


@pytest.fixture(scope="module")
def documents() -> tuple:  # type: ignore[type-arg]
    return (*sample_documents(), many_articles())


@pytest.fixture(scope="module")
def site(documents) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Address of a running server."""
    with serving(make_app(Library(documents))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser, site: str):  # type: ignore[no-untyped-def]
    """A function that opens an address; at the end no page may have complained."""
    contexts, complaints = [], []

    def open_at(address: str, viewport: dict[str, int] = DESK, **options: object):  # type: ignore[no-untyped-def]
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site + address)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert [c for c in complaints if "status of 40" not in c] == []


@pytest.fixture(scope="module")
def addresses(documents) -> list[str]:  # type: ignore[no-untyped-def]
    """One address for each look of a page."""
    law, old, notice, article, hostile = documents[:5]
    found = [
        "/",
        f"/?q={QUERY}&kind=law&explain=1",
        "/?q=zzz&kind=law&year=2024",
        f"/?q={QUERY}&as_of=2024-99-99",
    ]
    found += ["/documents", f"/documents/{law.document_id}?q={QUERY}&hit={law.passages[4].passage_id}#art-4"]
    found += [f"/documents/{d.document_id}" for d in (old, notice, article, hostile)] + ["/documents/none"]
    return found


@pytest.mark.parametrize(
    "viewport", [PHONE, DESK, {"width": 640, "height": 450}, {"width": 320, "height": 500}]
)
def test_no_page_scrolls_sideways(open_page, addresses, viewport) -> None:  # type: ignore[no-untyped-def]
    """At 390, 1280, 1280 at 200% and 1280 at 400%, nothing is wider than the window."""
    page = open_page("/", viewport)
    for address in addresses:
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + address)
        assert page.evaluate(OVERFLOW) <= 0, address


def test_phone_at_twice_the_text_size_does_not_scroll_sideways(open_page, addresses) -> None:  # type: ignore[no-untyped-def]
    """With the text twice as large a phone still needs no sideways scrolling."""
    page = open_page("/", PHONE)
    origin = page.url.rstrip("/")
    for address in addresses:
        page.goto(origin + address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(OVERFLOW) <= 0, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_page, addresses, scheme) -> None:  # type: ignore[no-untyped-def]
    """All text stands 4.5:1 or better against its ground, badges and marks included."""
    page = open_page("/", color_scheme=scheme, bypass_csp=True)
    origin = page.url.rstrip("/")
    for address in addresses:
        page.goto(origin + address)
        assert page.evaluate(CONTRAST) == [], address


def test_targets_are_large_enough_on_a_phone(open_page, addresses) -> None:  # type: ignore[no-untyped-def]
    """Buttons, fields, folds and navigation are 44 px high."""
    page = open_page("/", PHONE)
    origin = page.url.rstrip("/")
    for address in addresses:
        page.goto(origin + address)
        assert page.evaluate(SMALL_TARGETS) == [], address


def test_suggestions_by_keyboard(open_page) -> None:  # type: ignore[no-untyped-def]
    """Slash focuses the box; arrows choose; Escape closes; Enter opens the chosen document."""
    page = open_page("/")
    box = page.get_by_role("combobox", name="检索词")
    page.keyboard.press("/")
    page.keyboard.type("细则")
    options = page.locator("#q-options [role=option]")
    options.first.wait_for()
    assert options.count() == 8
    assert box.get_attribute("aria-expanded") == "true"
    assert "有 8 份" in page.get_by_role("status").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    assert "第2号" in chosen.inner_text()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "细则"
    page.keyboard.press("ArrowDown")
    options.first.wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/*")
    assert page.locator("h1").inner_text() == "第1号实施细则"


def test_enter_searches_for_what_was_typed(open_page) -> None:  # type: ignore[no-untyped-def]
    """With nothing chosen, Enter sends the form."""
    page = open_page("/")
    page.locator("#q").fill("试用期")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    assert page.locator(".hits > li").count() == 10


def test_filters_from_the_form(open_page) -> None:  # type: ignore[no-untyped-def]
    """Checked facets go into the address with the words; on a phone they are folded away at first."""
    page = open_page(f"/?q={QUERY}", PHONE)
    policy = page.get_by_label("政策文件")
    assert not policy.is_visible()
    page.locator("#filters > summary").click()
    policy.check()
    page.get_by_role("button", name="应用筛选").click()
    page.wait_for_url("**kind=policy*")
    assert page.locator(".hits > li").count() == 1
    assert "已选 1 项" in page.locator("#filters > summary").inner_text()
    page.locator(".chip.on").click()
    page.wait_for_url(lambda url: "kind=" not in url)


def test_hits_step_through_documents(open_page) -> None:  # type: ignore[no-untyped-def]
    """From a hit on to the next document and back to the very result."""
    page = open_page(f"/?q={QUERY}", PHONE)
    page.locator(".hit h2 a").nth(2).click()
    assert page.locator(".clause.current mark").first.is_visible()
    bar = page.locator(".hit-bar")
    box = bar.bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"] + 1
    bar.get_by_text("下一处").click()
    page.wait_for_url("**#t-1")
    bar.get_by_text("返回结果").click()
    page.wait_for_url("**#hit-*")
    assert page.locator(".hit:target").count() == 1


def test_outline_follows_and_addresses_are_copied(open_page) -> None:  # type: ignore[no-untyped-def]
    """The outline marks where one reads; a clause's link offers to copy its address."""
    law = sample_documents()[0]
    page = open_page(f"/documents/{law.document_id}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("navigation", name="目录").get_by_text("第二章").click()
    page.locator(".outline a[aria-current]", has_text="第二章").wait_for()
    page.locator("#art-3 .label").click()
    page.get_by_role("button", name="复制“第三条”的链接").click()
    page.get_by_role("button", name="复制“第三条”的链接").get_by_text("已复制").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/documents/{law.document_id}#art-3")


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_everything_works_without_script(open_page, viewport) -> None:  # type: ignore[no-untyped-def]
    """Search, filter, read, step on and come back with JavaScript off."""
    page = open_page("/", viewport, java_script_enabled=False)
    page.locator("#q").fill("试用期")
    page.get_by_role("button", name="检索").click()
    page.locator(".hits > li").first.wait_for()
    if viewport == PHONE:
        page.locator("#filters > summary").click()
    page.get_by_label("法律法规").check()
    page.locator("#as_of").fill("2025-01-01")
    page.get_by_role("button", name="应用筛选").click()
    page.wait_for_url("**as_of=2025-01-01*")
    page.locator(".hit h2 a").first.click()
    page.get_by_role("link", name="下一处").click()
    if viewport == DESK:
        page.locator(".outline a").first.click()
    page.locator(".back a").click()
    page.wait_for_url("**kind=law*")


def test_long_code_opens_at_its_clause(open_page, documents) -> None:  # type: ignore[no-untyped-def]
    """A link into a code of 1,260 articles lands on the article."""
    page = open_page(f"/documents/{documents[-1].document_id}#art-900", PHONE)
    box = page.locator("#art-900").bounding_box()
    assert box is not None
    assert -5 <= box["y"] < PHONE["height"] / 2


def test_paper_shows_the_text_alone(open_page, documents) -> None:  # type: ignore[no-untyped-def]
    """In print there is the title block, the text and the source, and nothing to press."""
    law = documents[0]
    page = open_page(f"/documents/{law.document_id}?q={QUERY}&hit={law.passages[4].passage_id}")
    page.emulate_media(media="print")
    for gone in ("header.site", ".outline", ".hit-bar", ".back", ".hit-label"):
        assert not page.locator(gone).first.is_visible(), gone
    foot = page.locator(".print-foot")
    assert foot.is_visible()
    assert "主席令第一百二十号" in foot.inner_text()
    assert law.source in foot.inner_text()
    assert page.locator("#art-5").is_visible()

"""The pages on which cases are found and read, in a browser: reflow, contrast, targets, the box, the filters."""

from collections.abc import Iterator
from typing import Any

import pytest

from cases.model import Field
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS
from tests.integration.case_stage import QUEUE, Cases, case_stage, opening, with_files

pytestmark = pytest.mark.slow

NARROW = {"width": 320, "height": 500}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    """Cases of two branches, one with a photograph."""
    made = case_stage(tmp_path_factory.mktemp("cases") / "home")
    made.ids = {**made.ids, "files": with_files(made.stage)}
    yield made
    made.stage.services.close()


@pytest.fixture(scope="module")
def open_page(shared: Cases) -> Iterator[Any]:
    """A function that opens pages for a person who is signed in; at the end no page may have complained."""
    with opening(shared.stage) as open_as:
        yield open_as


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK, NARROW])
def test_pages_fit_and_can_be_read(  # type: ignore[no-untyped-def]
    open_page, shared: Cases, scheme: str, viewport: dict[str, int]
) -> None:
    """Nothing is wider than the window, too faint or too small to be hit, folds open."""
    page = open_page("liaison", viewport, color_scheme=scheme)
    addresses = ("/cases", "/cases?q=排队&level=solved&outcome=分钟", "/cases?q=无&industry=A")
    for address in (*addresses, *(f"/cases/{shared.ids[name]}" for name in ("queue", "files"))):
        assert page.goto(address).status == 200
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate(OVERFLOW) <= 0, address
        assert page.evaluate(CONTRAST) == [], address
        assert page.evaluate(SMALL_TARGETS) == [], address


def test_enter_sends_the_problem_and_shift_breaks_the_line(open_page) -> None:  # type: ignore[no-untyped-def]
    """The box sends on Enter, as one of one line would; with Shift it takes another line."""
    page = open_page("liaison")
    page.goto("/cases")
    box = page.get_by_label("遇到了什么问题？")
    box.fill("排队太久")
    box.press("Shift+Enter")
    box.type("轮不上吃饭")
    assert box.input_value() == "排队太久\n轮不上吃饭"
    box.press("Enter")
    page.wait_for_url("**/cases?q=*")
    assert page.locator(".card-title").first.inner_text().strip() in (QUEUE[Field.TITLE], "食堂窗口改造")


def test_enter_takes_the_word_while_chinese_is_composed(open_page) -> None:  # type: ignore[no-untyped-def]
    """While a word is being composed, Enter is for the word: nothing is sent."""
    page = open_page("liaison")
    page.goto("/cases")
    sent = page.evaluate(
        """() => {
      const box = document.querySelector('#q');
      let sent = false;
      box.form.addEventListener('submit', (event) => { event.preventDefault(); sent = true; });
      box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }));
      return sent;
    }"""
    )
    assert sent is False


def test_filters_are_folded_on_a_phone_and_stand_open_on_a_desk(open_page) -> None:  # type: ignore[no-untyped-def]
    """On a phone hits come first and the filters open on demand; on a desk they stand beside them."""
    phone = open_page("liaison", PHONE)
    phone.goto("/cases?q=排队")
    level = phone.get_by_label("已解决")
    assert not level.is_visible()
    phone.get_by_text("筛选", exact=True).click()
    level.check()
    phone.get_by_role("button", name="应用筛选").click()
    phone.wait_for_url("**level=solved*")
    assert phone.locator(".chip.on", has_text="结果：已解决").is_visible()
    desk = open_page("liaison", DESK)
    desk.goto("/cases?q=排队")
    assert desk.get_by_label("已解决").is_visible()


def test_without_script_the_page_works(open_page) -> None:  # type: ignore[no-untyped-def]
    """Without script the button sends problem and filters alike."""
    page = open_page("liaison", PHONE, java_script_enabled=False)
    page.goto("/cases")
    page.get_by_label("遇到了什么问题？").fill("工具借了不还")
    page.get_by_role("button", name="找案例").click()
    page.wait_for_url("**/cases?q=*")
    page.locator(".card-title a").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "工具借了不还，挂一块牌子"


def test_photograph_is_shown(open_page, shared: Cases) -> None:  # type: ignore[no-untyped-def]
    """The photograph of a case is loaded and keeps inside the page."""
    page = open_page("other-liaison", PHONE)
    page.goto(f"/cases/{shared.ids['files']}")
    image = page.get_by_alt_text("改造后的窗口")
    image.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.photographs img').naturalWidth > 0")
    assert image.bounding_box()["width"] <= PHONE["width"]

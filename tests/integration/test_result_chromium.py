"""The pages of results in a browser: reflow, contrast, targets, pictures, and marking by the keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.principal import COOKIE
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.result_stage import Results, result_stage

pytestmark = pytest.mark.slow

INSIDE = """() => [...document.querySelectorAll('.plot svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text, rect, circle, path')].map((e) => [e, e.getBoundingClientRect()])
    .filter(([e, b]) => b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1
      || b.bottom > frame.bottom + 1)
    .map(([e]) => e.outerHTML);
})"""
TEXT_SIZES = """() => [...document.querySelectorAll('.plot text')].map((e) =>
  parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width
    / e.ownerSVGElement.viewBox.baseVal.width).filter((size) => size < 11.5)"""
FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = (css) => {
    canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('.plot .bar, .plot .dot, .share .part')].filter((e) => {
    const style = getComputedStyle(e);
    return ![style.fill, style.stroke].some((colour) => {
      if (colour === 'none') return false;
      const [a, b] = [light(colour), ground].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05) >= 3;
    });
  }).map((e) => e.outerHTML);
}"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """An exam that 120 people sat."""
    made = result_stage(tmp_path_factory.mktemp("results") / "home")
    yield made
    made.stage.services.close()


@pytest.fixture(scope="module")
def open_page(found: Results) -> Iterator[Any]:
    """A function that opens pages for a person who is signed in; at the end no page may have complained."""
    complaints: list[str] = []
    with serving(found.stage.app) as site, chromium() as browser:

        def open_as(login: str, viewport: dict[str, int] = DESK, **options: object) -> Any:
            context = browser.new_context(viewport=viewport, base_url=site, **options)
            secret = found.stage.access.sessions.sign_in_as(found.stage.ids[login], "test")
            context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
            return page

        yield open_as
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK, {"width": 320, "height": 500}])
def test_pages_fit_and_can_be_read(  # type: ignore[no-untyped-def]
    open_page, found: Results, scheme: str, viewport: dict[str, int]
) -> None:
    """Nothing is wider than the window, too faint or too small, and pictures keep to their frames, folds open."""
    exam = f"/manage/exams/{found.exam_id}"
    for login in ("trainer", "other-trainer"):
        page = open_page(login, viewport, color_scheme=scheme)
        for address in (exam, f"{exam}/items", f"{exam}/mark", "/manage/coverage"):
            if login != "trainer" and address not in (exam, "/manage/coverage"):
                continue
            assert page.goto(address).status == 200
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            assert page.evaluate(OVERFLOW) <= 0, address
            assert page.evaluate(CONTRAST) == [], address
            assert page.evaluate(SMALL_TARGETS) == [], address
            assert page.evaluate(INSIDE) == [], address
            assert page.evaluate(FAINT) == [], address
            if viewport != {"width": 320, "height": 500}:
                assert page.evaluate(TEXT_SIZES) == [], address


def test_alarm_leads_to_the_question(open_page, found: Results) -> None:  # type: ignore[no-untyped-def]
    """The link of a suspected key ends at that question, which stands out."""
    page = open_page("trainer", PHONE)
    page.goto(f"/manage/exams/{found.exam_id}/items")
    link = page.get_by_role("alert").get_by_role("link").first
    link.click()
    assert page.locator("li:target h3").inner_text().startswith(link.inner_text().split("：")[0])
    assert page.locator("li:target").is_visible()


def test_marking_by_keyboard(open_page, found: Results) -> None:  # type: ignore[no-untyped-def]
    """From field to field by Tab, and Enter confirms all ten; the next ones follow."""
    page = open_page("trainer")
    page.goto(f"/manage/exams/{found.exam_id}/mark")
    fields = page.get_by_label("得分")
    fields.first.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("8")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "5"
    page.keyboard.press("Enter")
    page.wait_for_url("**/mark?done=marked")
    assert page.get_by_role("status").inner_text() == "已确认。"
    assert fields.count() == 2

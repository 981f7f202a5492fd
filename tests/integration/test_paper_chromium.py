"""Papers in a browser: every page fits a phone, can be read, works without script, and prints as it should."""

import io
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest

from api.principal import COOKIE
from quiz.blueprint import Line
from quiz.model import Type
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.paper_stage import BRANCH, LINES, PaperStage, open_papers

pytestmark = pytest.mark.slow

OWN = "/manage/papers"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStage]:
    """Papers, one of which could not be met."""
    found = open_papers(tmp_path_factory.mktemp("papers") / "home")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def site(room: PaperStage) -> Iterator[str]:
    """Address of a running server."""
    with serving(room.stage.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


def page_of(browser: Any, room: PaperStage, site: str, **more: Any) -> Any:
    """A page of the trainer, signed in."""
    context = browser.new_context(**more)
    secret = room.stage.access.sessions.sign_in_as(room.stage.ids["trainer"], "test")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
    return context.new_page()


def test_pages_fit_and_can_be_read(browser: Any, room: PaperStage, site: str) -> None:
    """No page scrolls sideways, has small targets or weak contrast, at 390 and 1280 px, light and dark."""
    short = room.make(LINES[0], Line(9, 3, frozenset({Type.BLANK})))
    drawn = room.make(drawn=True)
    by = room.stage.principal("trainer")
    ids = [k.question_id for k in room.papers.supply(by, BRANCH)][:6]
    one = f"{OWN}/{room.paper_id}"
    paths = [
        OWN,
        f"{OWN}/new",
        f"{OWN}/pick?id=" + "&id=".join(ids),
        one,
        f"{OWN}/{short}",
        f"{OWN}/{drawn}",
        f"{one}/choose?form=1&position=2",
        f"{one}/print?form=all",
        f"{one}/export",
        f"{one}/export?format=wenjuanxing",
    ]
    # What is chosen by a label is as large as the label.
    targets = SMALL_TARGETS.replace("[type=checkbox]", "[type=checkbox]):not([type=radio]")
    for view, scheme in ((PHONE, "light"), (DESK, "dark")):
        page = page_of(browser, room, site, viewport=view, color_scheme=scheme)
        for path in paths:
            page.goto(site + path)
            assert page.evaluate(OVERFLOW) <= 0, (path, view)
            assert page.evaluate(CONTRAST) == [], (path, scheme)
            assert page.evaluate(targets) == [], path
            assert page.locator("h1").count() == 1
            unnamed = "[...document.querySelectorAll('input:not([type=hidden]),select')].filter(e => !e.labels.length)"
            assert page.evaluate(f"{unnamed}.length") == 0, path
        page.context.close()


def test_a_paper_is_made_and_mended_without_script(browser: Any, room: PaperStage, site: str) -> None:
    """From the empty form over a try to a paper with one question swapped, on a phone."""
    page = page_of(browser, room, site, viewport=PHONE, java_script_enabled=False)
    page.goto(f"{site}{OWN}/new")
    page.fill("#title", "手机组卷")
    page.fill("#n-1", "3")
    page.fill("#n-2", "")
    page.fill("#n-3", "2")
    page.click("text=再加一行")
    page.fill("#n-4", "2")
    page.select_option("#type-4", "blank")
    page.click("text=先看看够不够")
    assert "要求都能满足" in page.inner_text("main")
    page.click("button.primary")
    assert page.inner_text("h1") == "手机组卷"
    assert "7 题" in page.inner_text("main")
    before = page.locator(".placed .stem").all_inner_texts()
    page.click('button[name="replace"][value="2"]')
    after = page.locator(".placed .stem").all_inner_texts()
    assert [a == b for a, b in zip(before, after, strict=True)].count(False) == 1
    page.context.close()


def test_print_has_a_sheet_of_paper_for_each_part(browser: Any, room: PaperStage, site: str) -> None:
    """Paper, answer sheet and key each begin a page; what is for the screen is not printed."""
    page = page_of(browser, room, site, viewport=DESK)
    page.goto(f"{site}{OWN}/{room.paper_id}/print?form=all")
    printed = pypdfium2.PdfDocument(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    texts = [printed[n].get_textpage().get_text_range() for n in range(len(printed))]
    assert len(texts) == 6
    assert ["答题卡" in text for text in texts] == [False, True, False] * 2
    assert ["答案和依据" in text for text in texts] == [False, False, True] * 2
    assert all("守则测验" in text for text in texts)
    assert not [text for text in texts if "照这样排" in text or "退出" in text]
    page.context.close()


def test_the_clause_stands_beside_the_question(browser: Any, room: PaperStage, site: str) -> None:
    """The workbench has question and clause side by side on a desk, one below the other on a phone."""
    for view, beside in ((DESK, True), (PHONE, False)):
        page = page_of(browser, room, site, viewport=view)
        page.goto(f"{site}{OWN}/{room.paper_id}")
        stem = page.locator(".placed .stem").first.bounding_box()
        clause = page.locator(".placed .quoted").first.bounding_box()
        assert (clause["x"] > stem["x"] + stem["width"] / 2) is beside
        page.context.close()

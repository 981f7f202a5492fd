"""The pages of trainers in a browser: reflow, contrast, light and dark, keys alone, with and without script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.principal import COOKIE
from quiz.model import State, Type
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, chromium, serving
from tests.integration.question_stage import BRANCH, BankStage, open_bank

pytestmark = pytest.mark.slow

OWN = "/manage/questions"
TALL = """() => [...document.querySelectorAll('button, summary, nav a, .step, select, textarea, input')]
  .filter((e) => e.checkVisibility() && !['hidden', 'checkbox', 'radio'].includes(e.type))
  .concat([...document.querySelectorAll('input[type=checkbox], input[type=radio]')].map((e) => e.labels[0]))
  .filter((e) => e.checkVisibility())
  .map((e) => [e.getBoundingClientRect().height, e.textContent.trim()])
  .filter(([height]) => height < 43.5)"""
"""Targets that are too small; that of a box is its label."""
UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter((e) => !e.labels.length && !e.ariaLabel).map((e) => e.name)"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BankStage:
    """A bank to be copied."""
    found = open_bank(tmp_path_factory.mktemp("bank") / "home")
    found.services.close()
    return found


@pytest.fixture
def room(built: BankStage, home: Path) -> Iterator[BankStage]:
    """A bank of the test's own."""
    found = built.copied(home)
    yield found
    found.services.close()


@pytest.fixture
def site(room: BankStage) -> Iterator[str]:
    """Address of a running server."""
    with serving(room.stage.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_as(browser: Any, room: BankStage, site: str) -> Iterator[Any]:
    """A function that opens a page for a person who is signed in; at the end no page may have complained."""
    contexts, complaints = [], []

    def opened(login: str = "trainer", viewport: dict[str, int] = DESK, **options: Any) -> Any:
        context = browser.new_context(viewport=viewport, base_url=site, **options)
        secret = room.stage.access.sessions.sign_in_as(room.stage.ids[login], "test")
        context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [c for c in complaints if "status of 4" not in c] == []


def fits(page: Any, where: str) -> None:
    """Nothing is wider than the window, too faint, too small to hit or without a name; one heading leads."""
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(OVERFLOW) <= 0, where
    assert page.evaluate(CONTRAST) == [], where
    assert page.evaluate(TALL) == [], where
    assert page.evaluate(UNNAMED) == [], where
    assert page.locator("h1").count() == 1, where


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK, {"width": 320, "height": 500}])
def test_pages_fit_and_can_be_read(
    open_as: Any, room: BankStage, tmp_path: Path, viewport: dict[str, int], scheme: str
) -> None:
    """Every page of a bank, every form and every failure fits the window and can be read and hit."""
    page = open_as("trainer", viewport, color_scheme=scheme)
    made = f"{OWN}/generate?document={room.document_id}&n=8&go=1&" + "&".join(f"type={t}" for t in Type)
    for address in (
        OWN,
        f"{OWN}?text=夜读&type=single",
        f"{OWN}?text=没有",
        f"{OWN}/generate",
        f"{OWN}/generate?find=夜读",
        f"{OWN}/generate?from=phrase&go=1",
        f"{OWN}/generate?document={room.document_id}",
        made,
        f"{OWN}/review?n=3",
        f"{OWN}/import",
        f"{OWN}/export",
        f"{OWN}/export?format=xlsx",
        *(f"{OWN}/{i}" for i in room.ids.values()),
        *(f"{OWN}/{i}?edit=1&n=1" for i in room.ids.values()),
    ):
        page.goto(address)
        fits(page, address)
    file = tmp_path / "题.txt"
    file.write_text("1. 夜读记录保存（　　）。\nA. 十日\nB. 三十日\n答案：B\n2. 缺答案\nA. 甲\nB. 乙\n")
    page.goto(f"{OWN}/import")
    page.set_input_files("#file", file)
    page.locator("form[enctype] button.primary").click()
    page.get_by_text("还没有导入").wait_for()
    fits(page, "looked over")
    page.goto(f"{OWN}/{room.ids[Type.BLANK]}?edit=1")
    page.fill("#answer", "一个")
    page.locator("form.edit button.primary").click()
    page.get_by_role("alert").wait_for()
    fits(page, "wrong")
    room.newer()
    page.goto(f"{OWN}/{room.ids[Type.BLANK]}")
    page.get_by_text("依据已不是现行版本").wait_for()
    fits(page, "stale")


def test_reviewing_by_keys_alone(open_as: Any, room: BankStage) -> None:
    """Next, previous, approve, reject with a reason, edit and back: without a mouse, and each key only once."""
    page = open_as()
    page.goto(f"{OWN}/review")
    total = len(room.ids)

    def stands_at(n: int, left: int) -> None:
        page.get_by_role("heading", level=1).get_by_text(f"第 {n} 道，共 {left} 道").wait_for()

    stands_at(1, total)
    page.keyboard.press("j")
    stands_at(2, total)
    page.keyboard.press("k")
    stands_at(1, total)
    page.keyboard.press("a")
    page.get_by_role("status").get_by_text("已通过。").wait_for()
    stands_at(1, total - 1)
    page.keyboard.press("r")
    # While a reason is asked for, no other key decides.
    page.keyboard.press("a")
    page.keyboard.press("3")
    assert page.evaluate("document.activeElement.value") == "离开原文读不懂"
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("这道不用了。").wait_for()
    stands_at(1, total - 2)
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    assert not page.locator("#reject").evaluate("e => e.open")
    page.keyboard.press("e")
    page.get_by_role("heading", name="修改试题").wait_for()
    page.get_by_label("解析").focus()
    page.keyboard.type("ajk")
    page.get_by_role("button", name="保存").press("Enter")
    page.get_by_text("已存为新的一版").wait_for()
    page.get_by_role("link", name="回到审题").press("Enter")
    stands_at(1, total - 2)
    by = room.stage.principal("trainer")
    assert room.bank.counts(by, BRANCH) == {
        State.CANDIDATE: total - 3,
        State.IN_REVIEW: 1,
        State.APPROVED: 1,
        State.RETIRED: 1,
    }
    edited = room.bank.questions(by, BRANCH, states=[State.IN_REVIEW])[1][0]
    assert edited.question.explanation.endswith("ajk") or edited.question.explanation.startswith("ajk")
    retired = room.bank.questions(by, BRANCH, states=[State.RETIRED])[1][0]
    assert retired.note == "离开原文读不懂"


def test_keys_can_be_shut_off(open_as: Any, room: BankStage) -> None:
    """Who speaks to their browser may shut the keys off for good; then they do nothing, and none is told."""
    page = open_as()
    page.goto(f"{OWN}/review")
    assert page.locator("kbd").first.is_visible()
    page.get_by_role("button", name="关掉快捷键").press("Enter")
    page.keyboard.press("a")
    page.goto(f"{OWN}/review?n=1")
    page.keyboard.press("a")
    assert page.get_by_role("button", name="打开快捷键").is_visible()
    assert not page.locator("a[data-key=j] kbd").is_visible()
    assert room.bank.counts(room.stage.principal("trainer"), BRANCH)[State.APPROVED] == 0


def test_reviewing_without_script(open_as: Any, room: BankStage) -> None:
    """Without script the same buttons do the same, and no key is told."""
    page = open_as(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{OWN}/review")
    assert not page.locator("kbd").first.is_visible()
    page.get_by_role("button", name="通过").click()
    page.locator("summary", has_text="不用这道题").click()
    page.get_by_label("文字不通").check()
    page.get_by_role("button", name="不用", exact=True).click()
    page.get_by_role("link", name="下一道").click()
    counts = room.bank.counts(room.stage.principal("trainer"), BRANCH)
    assert (counts[State.APPROVED], counts[State.RETIRED]) == (1, 1)


def test_from_document_to_bank_by_hand(open_as: Any, room: BankStage) -> None:
    """From the page of a document, on a phone: make questions, take none but one, and find it waiting."""
    page = open_as(viewport=PHONE)
    page.goto(f"/documents/{room.document_id}")
    page.get_by_role("link", name="出题").click()
    page.get_by_role("button", name="出题").click()
    page.get_by_role("button", name="全不选").click()
    page.locator(".pick").nth(1).click()
    page.get_by_role("button", name="把勾选的收进题库").click()
    assert "收进 1 道" in page.get_by_role("status").inner_text()


def test_two_people_editing_see_both_texts(open_as: Any, room: BankStage) -> None:
    """The page that tells of a change meanwhile fits a phone and a desk, and keeps what was typed."""
    own = f"{OWN}/{room.ids[Type.SINGLE]}"
    for viewport, words in ((PHONE, "手机上写的"), (DESK, "桌上写的")):
        mine, theirs = open_as("trainer", viewport), open_as("second")
        mine.goto(f"{own}?edit=1")
        theirs.goto(f"{own}?edit=1")
        theirs.get_by_label("解析").fill(f"别人的，在{words}之前")
        theirs.get_by_role("button", name="保存").click()
        theirs.get_by_text("已存为新的一版").wait_for()
        mine.get_by_label("解析").fill(words)
        mine.get_by_role("button", name="保存").click()
        mine.get_by_text("也改了这道题").wait_for()
        fits(mine, words)
        assert f"别人的，在{words}之前" in mine.locator(".theirs").inner_text()
        assert mine.get_by_label("解析").input_value() == words


def test_wrong_field_is_reached_from_its_words(open_as: Any, room: BankStage) -> None:
    """What is to be mended is a link to its field, which says that it is wrong."""
    page = open_as(viewport=PHONE)
    page.goto(f"{OWN}/{room.ids[Type.BLANK]}?edit=1")
    page.fill("#answer", "一行")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("alert").get_by_role("link").click()
    focused = "[document.activeElement.id, document.activeElement.getAttribute('aria-invalid')]"
    assert page.evaluate(focused) == ["answer", "true"]

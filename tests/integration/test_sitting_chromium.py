"""Sitting an exam in a browser: nothing is lost by a broken connection, a reload, two windows or the clock."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.principal import COOKIE
from quiz.model import Type
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS, chromium, serving
from tests.integration.sitting_stage import Hall, open_hall, right

pytestmark = pytest.mark.slow

STORED = "Object.keys(localStorage)"
SMALL_CHOICES = """() => [...document.querySelectorAll('label.choice')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).length"""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One hall for all; each test has an exam of its own."""
    found = open_hall(tmp_path_factory.mktemp("sitting") / "home")
    yield found
    found.stage.services.close()


@pytest.fixture(scope="module")
def site(hall: Hall) -> Iterator[str]:
    """Address of a running server."""
    with serving(hall.stage.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_as(browser, site: str, hall: Hall):  # type: ignore[no-untyped-def]
    """A function that gives a person's window; at the end no page may have complained of itself."""
    contexts, complaints = [], []

    def window(login: str, viewport: dict[str, int] = PHONE, **options: object):  # type: ignore[no-untyped-def]
        context = browser.new_context(viewport=viewport, base_url=site, **options)
        secret = hall.stage.access.sessions.sign_in_as(hall.stage.ids[login], "test")
        context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
        context.set_default_timeout(10_000)
        context.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield window
    for context in contexts:
        context.close()
    expected = ("status of 40", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "status of 503")
    assert [c for c in complaints if not any(e in c for e in expected)] == []


def until(page: Any, is_so: Callable[[], bool]) -> None:
    """Wait for something outside the page."""
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not become so")


class Attempt:
    """An attempt of the member, as the server has it."""

    def __init__(self, hall: Hall, attempt_id: str = "") -> None:
        self.hall = hall
        self.attempt_id = attempt_id or hall.begin("member", hall.give())
        self._asked = hall.asked("member", self.attempt_id)

    def number(self, type_: Type) -> int:
        """Where the question of a type stands."""
        return self._asked[type_].position

    def at(self, type_: Type) -> str:
        """The address of the question of a type."""
        return f"/attempts/{self.attempt_id}?q={self.number(type_)}"

    def answer(self, type_: Type) -> tuple[Any, ...]:
        """What is saved."""
        return self.hall.asked("member", self.attempt_id)[type_].answer

    def right(self, type_: Type) -> list[Any]:
        """What is right, as it is shown."""
        return right(self._asked[type_])

    def chosen(self, type_: Type, *texts: str) -> tuple[int, ...]:
        """What choosing these options saves."""
        return tuple(sorted(self._asked[type_].options.index(text) for text in texts))

    def texts(self, type_: Type) -> list[str]:
        """The options as they are shown."""
        return list(self._asked[type_].options)

    @property
    def state(self) -> str:
        """Whether it is open."""
        sitting = self.hall.quiz.attempts.sitting(self.hall.stage.principal("member"), self.attempt_id)
        return sitting.state


def is_saved(page: Any) -> None:
    """Wait until the page says that all is saved."""
    page.locator("#saved", has_text="已保存").wait_for()


# -- saving as one answers ---------------------------------------------------------------------------


def test_every_type_is_saved_as_it_is_answered(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """A moment after a change the server has it, without a button, for questions of all types."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    page.get_by_role("radio", name="五至七").check()
    until(page, lambda: list(attempt.answer(Type.SINGLE)) == attempt.right(Type.SINGLE))
    is_saved(page)
    page.goto(attempt.at(Type.MULTIPLE))
    for name in ("自读", "竞赛", "测验"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("checkbox", name="竞赛").uncheck()
    until(
        page, lambda: set(attempt.answer(Type.MULTIPLE)) == set(attempt.chosen(Type.MULTIPLE, "自读", "测验"))
    )
    page.goto(attempt.at(Type.TRUE_FALSE))
    page.get_by_role("radio", name="错误").check()
    page.goto(attempt.at(Type.BLANK))
    page.get_by_label("第 2 空").fill("三十日")
    until(page, lambda: attempt.answer(Type.BLANK) == ("", "三十日"))
    page.goto(attempt.at(Type.SHORT))
    page.get_by_role("textbox").fill("说明原因。")
    until(page, lambda: attempt.answer(Type.SHORT) == ("说明原因。",))
    page.goto(attempt.at(Type.MATCHING))
    page.get_by_label("记录员").select_option(str(attempt.right(Type.MATCHING)[1]))
    until(page, lambda: attempt.answer(Type.MATCHING) == (None, attempt.right(Type.MATCHING)[1], None))
    page.goto(attempt.at(Type.ORDERING))
    for place, option in enumerate(attempt.right(Type.ORDERING), 1):
        page.get_by_label(f"“{attempt.texts(Type.ORDERING)[option]}”排第几").select_option(str(place))
    until(page, lambda: list(attempt.answer(Type.ORDERING)) == attempt.right(Type.ORDERING))
    assert list(attempt.answer(Type.TRUE_FALSE)) == attempt.right(Type.TRUE_FALSE)


def test_leaving_the_page_saves_the_last_change(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """Who answers and goes elsewhere at once has answered."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    page.get_by_role("radio", name="五至七").check()
    page.goto("/quiz")
    until(page, lambda: list(attempt.answer(Type.SINGLE)) == attempt.right(Type.SINGLE))


def test_broken_connection_loses_nothing(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """Without network one goes on from question to question; the page says so, and sends all when it is back."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    page.context.set_offline(True)
    page.get_by_role("radio", name="五至七").check()
    saved = page.locator("#saved")
    saved.get_by_text("没有网，先存在本机，连上后自动保存").wait_for()
    page.get_by_role("button", name="下一题").click()
    page.get_by_role("checkbox", name="自读").check()
    page.get_by_role("button", name="下一题").click()
    with page.expect_event("requestfailed"):
        page.get_by_role("radio", name="错误").check()
    assert len(page.evaluate(STORED)) == 3
    assert attempt.answer(Type.SINGLE) == ()
    page.context.set_offline(False)
    until(page, lambda: list(attempt.answer(Type.TRUE_FALSE)) == attempt.right(Type.TRUE_FALSE))
    assert list(attempt.answer(Type.SINGLE)) == attempt.right(Type.SINGLE)
    assert attempt.answer(Type.MULTIPLE) == attempt.chosen(Type.MULTIPLE, "自读")
    is_saved(page)
    assert page.evaluate(STORED) == []
    assert "已连上" in page.locator("#told").inner_text()


def test_silent_server_is_asked_again(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """A save that the server could not take is sent again by itself until it is there."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    refused = []

    def refuse_twice(route: Any) -> None:
        refused.append(route.request.url)
        if len(refused) <= 2:
            route.fulfill(status=503, body="{}")
        else:
            route.continue_()

    page.route("**/answers/*", refuse_twice)
    page.get_by_role("radio", name="五至七").check()
    page.locator("#saved", has_text="服务器没有应答").wait_for()
    is_saved(page)
    assert list(attempt.answer(Type.SINGLE)) == attempt.right(Type.SINGLE)
    assert len(refused) == 3


def test_reload_brings_back_what_was_not_sent(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """What was written while nothing could be sent is in its field after a reload, and is sent then."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.BLANK))
    page.route("**/answers/*", lambda route: route.abort())
    page.get_by_label("第 1 空").fill("两")
    page.locator("#saved", has_text="没有网").wait_for()
    page.unroute("**/answers/*")
    page.reload()
    assert page.get_by_label("第 1 空").input_value() == "两"
    until(page, lambda: attempt.answer(Type.BLANK) == ("两", ""))


def test_newer_answer_of_the_server_wins_over_an_old_one_kept_here(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """An answer left on this device is dropped if the question was answered later on another."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.BLANK))
    page.route("**/answers/*", lambda route: route.abort())
    page.get_by_label("第 1 空").fill("一")
    page.locator("#saved", has_text="没有网").wait_for()
    change = page.evaluate("JSON.parse(Object.values(localStorage)[0]).change")
    position = attempt.number(Type.BLANK)
    by = hall.stage.principal("member")
    hall.quiz.attempts.save(by, attempt.attempt_id, position, ["二", ""], change + 1)
    page.unroute("**/answers/*")
    page.reload()
    assert page.get_by_label("第 1 空").input_value() == "二"
    assert page.evaluate(STORED) == []
    assert attempt.answer(Type.BLANK) == ("二", "")


def test_late_save_shows_what_was_answered_elsewhere(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """A save that comes behind a later one is not taken, and the page shows what stands, and says so."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.BLANK))
    by = hall.stage.principal("member")
    hall.quiz.attempts.save(by, attempt.attempt_id, attempt.number(Type.BLANK), ["二", ""], 2**50)
    page.get_by_label("第 1 空").fill("一")
    page.locator("#told", has_text="在别处改过").wait_for(state="attached")
    assert page.get_by_label("第 1 空").input_value() == "二"
    page.get_by_label("第 1 空").fill("两")
    until(page, lambda: attempt.answer(Type.BLANK) == ("两", ""))


def test_two_windows_show_the_same(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """What is answered in one window appears in the other, and the later of two changes stays."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.BLANK))
    other = page.context.new_page()
    other.goto(attempt.at(Type.BLANK))
    other.get_by_label("第 1 空").fill("一")
    until(page, lambda: page.get_by_label("第 1 空").input_value() == "一")
    page.get_by_label("第 1 空").fill("两")
    until(page, lambda: other.get_by_label("第 1 空").input_value() == "两")
    until(page, lambda: attempt.answer(Type.BLANK) == ("两", ""))


def test_answers_on_the_device_are_of_their_attempt_alone(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """Another person on the same device sees nothing of them, and after handing in nothing is left."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.BLANK))
    page.route("**/answers/*", lambda route: route.abort())
    page.get_by_role("button", name="拿不准").click()
    page.get_by_label("第 1 空").fill("只有我知道")
    page.locator("#saved", has_text="没有网").wait_for()
    theirs = hall.begin("trainer", hall.give())
    mine = page.context.cookies()
    secret = hall.stage.access.sessions.sign_in_as(hall.stage.ids["trainer"], "test")
    page.context.add_cookies([{**mine[0], "value": secret}])
    page.goto(f"/attempts/{theirs}?q={attempt.number(Type.BLANK)}")
    assert page.get_by_label("第 1 空").input_value() == ""
    assert page.goto(attempt.at(Type.BLANK)).status == 404
    page.context.add_cookies(mine)
    page.unroute("**/answers/*")
    page.goto(f"/attempts/{attempt.attempt_id}?q=check")
    until(page, lambda: attempt.answer(Type.BLANK) == ("只有我知道", ""))
    page.get_by_role("button", name="就这样交卷").click()
    page.wait_for_url("**/result")
    assert page.evaluate(STORED) == []


def test_signed_out_window_says_so_and_keeps_the_answer(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """When the session has ended the answer stays on the device, and a link leads to signing in and back."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    page.context.clear_cookies()
    page.get_by_role("radio", name="五至七").check()
    page.locator("#saved", has_text="登录已失效").wait_for()
    page.get_by_role("link", name="重新打开").click()
    page.wait_for_url(lambda url: "/sign-in?next=/attempts/" in url)
    assert len(page.evaluate(STORED)) == 1


# -- time ------------------------------------------------------------------------------------------


def test_time_left_is_told_at_five_minutes_and_at_one(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """The clock is seen all the time and spoken only then."""
    attempt, page = Attempt(hall), open_as("member")
    for seconds, words in ((302, "还剩 5 分钟。"), (62, "还剩 1 分钟。")):
        hall.leave(attempt.attempt_id, seconds)
        page.goto(attempt.at(Type.SINGLE))
        assert page.locator("#told").inner_text() == ""
        page.locator("#told", has_text=words).wait_for(state="attached")
        assert page.locator("#clock").inner_text().startswith("还剩 ")
    assert page.locator("#clock").get_attribute("role") == "timer"
    assert page.locator("#clock").get_attribute("aria-live") is None


def test_page_hands_in_when_time_is_over(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """The last change before the end is saved, and the page goes to the result by itself."""
    attempt, page = Attempt(hall), open_as("member")
    hall.leave(attempt.attempt_id, 3)
    page.goto(attempt.at(Type.SINGLE))
    page.get_by_role("radio", name="五至七").check()
    page.wait_for_url("**/result")
    assert attempt.state in ("submitted", "marked")
    outcome = hall.quiz.attempts.result(hall.stage.principal("member"), attempt.attempt_id).questions
    assert outcome[attempt.number(Type.SINGLE) - 1].share == 1


def test_window_that_slept_through_the_end_leads_to_the_result(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """A page whose attempt ended meanwhile goes to the result at the next save."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    hall.leave(attempt.attempt_id, -60)
    page.get_by_role("radio", name="五至七").check()
    page.wait_for_url("**/result")
    assert page.evaluate(STORED) == []


def test_handing_in_without_network_waits_for_it(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """The page says that it waits, lets one go back, and hands in once the network is there."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(f"/attempts/{attempt.attempt_id}?q=check")
    page.context.set_offline(True)
    page.get_by_role("button", name="就这样交卷").click()
    page.locator("#saved", has_text="连上后自动交卷").wait_for()
    page.get_by_role("link", name="回去作答").click()
    page.get_by_role("radio", name="五至七").check()
    page.context.set_offline(False)
    until(page, lambda: attempt.answer(Type.SINGLE) != ())
    assert attempt.state == "open"
    page.context.set_offline(True)
    page.go_back()
    page.get_by_role("button", name="就这样交卷").click()
    page.locator("#saved", has_text="连上后自动交卷").wait_for()
    page.context.set_offline(False)
    page.wait_for_url("**/result")


# -- finding one's way --------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """By Tab, arrows, Space and Enter one begins, answers, orders, moves on and hands in."""
    exam_id = hall.give()
    page = open_as("member", DESK)
    keys = page.keyboard
    page.goto(f"/exams/{exam_id}")

    def tab_to(name: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            focused = page.locator(":focus")
            if not focused.count():
                continue
            label = focused.get_attribute("aria-label") or focused.evaluate(
                "e => e.labels?.[0]?.innerText ?? e.innerText"
            )
            if name in label:
                return
        raise AssertionError(f"{name} is not reached")

    tab_to("开始作答")
    keys.press("Enter")
    page.wait_for_url(lambda url: "/attempts/" in url)
    attempt = Attempt(hall, page.url.rpartition("/")[2].partition("?")[0])
    focused = "document.activeElement.closest('.question').id"
    for n in range(1, 8):
        if n == attempt.number(Type.SINGLE):
            tab_to(attempt.texts(Type.SINGLE)[0])
            keys.press("Space")
            for _ in range(attempt.right(Type.SINGLE)[0]):
                keys.press("ArrowDown")
        if n == attempt.number(Type.ORDERING):
            rows = attempt.texts(Type.ORDERING)
            for place, option in enumerate(attempt.right(Type.ORDERING)):
                text = attempt.texts(Type.ORDERING)[option]
                while rows.index(text) > place:
                    at = rows.index(text)
                    rows.insert(at - 1, rows.pop(at))
                    tab_to(f"“{text}”上移")
                    keys.press("Enter")
                    assert page.locator("#told").inner_text() == f"“{text}”排第 {at}。"
        if n < 7:
            tab_to("下一题")
            keys.press("Enter")
            assert page.evaluate(focused) == f"q{n + 1}"
    tab_to("检查并交卷")
    keys.press("Enter")
    tab_to("就这样交卷")
    keys.press("Enter")
    page.wait_for_url("**/result")
    verdicts = page.locator(".verdict").all_inner_texts()
    assert verdicts[attempt.number(Type.SINGLE) - 1] == "答对"
    assert verdicts[attempt.number(Type.ORDERING) - 1] == "答对"


def test_list_of_questions_tells_their_state(open_as, hall) -> None:  # type: ignore[no-untyped-def]
    """Answered and doubtful questions are told by words and signs; the mark outlives a reload; back goes back."""
    attempt, page = Attempt(hall), open_as("member")
    page.goto(attempt.at(Type.SINGLE))
    page.get_by_role("radio", name="五至七").check()
    page.get_by_role("button", name="拿不准").click()
    is_saved(page)
    page.reload()
    page.locator("#jump > summary").click()
    first = page.locator(".jumps button").first
    assert first.text_content() == "1，已答，拿不准"
    assert page.locator(".jumps button").nth(1).text_content() == "2，没有答"
    signs = "['::before', '::after'].map((p) => getComputedStyle(document.querySelector('.jumps button'), p).content)"
    assert page.evaluate(signs) == ['"✓"', '"?"']
    page.locator(".jumps button").nth(4).click()
    page.locator("#q5").wait_for()
    page.go_back()
    page.locator("#q1").wait_for()
    page.get_by_role("button", name="检查并交卷").click()
    assert "还有 6 题没有作答" in page.locator("#gaps").inner_text()
    assert "拿不准的有第 1 题" in page.locator("#gaps").inner_text()
    page.get_by_role("link", name=re.compile(r"4\s*，去作答")).click()
    page.locator("#q4").wait_for()


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK, {"width": 320, "height": 500}])
def test_pages_fit_and_can_be_read(open_as, hall, viewport, scheme, scripts) -> None:  # type: ignore[no-untyped-def]
    """Nothing is wider than the window, too faint to read, or too small to hit, at twice the text size, too."""
    attempt = Attempt(hall)
    page = open_as("member", viewport, color_scheme=scheme, java_script_enabled=scripts)
    over = Attempt(hall)
    hall.quiz.attempts.submit(hall.stage.principal("member"), over.attempt_id)
    exam_id = hall.give()
    home = ["/quiz", f"/exams/{exam_id}", f"/attempts/{over.attempt_id}/result"]
    addresses = [*home, *(attempt.at(type_) for type_ in Type), f"/attempts/{attempt.attempt_id}?q=check"]
    for address in addresses:
        assert page.goto(address).status == 200
        assert page.locator("h1").count() == 1, address
        for size in ("100%", "200%") if scripts else ("100%",):
            page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
            assert page.evaluate(OVERFLOW) <= 0, (address, size)
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate(CONTRAST) == [], address
        small = [s for s in page.evaluate(SMALL_TARGETS) if s[1]]
        assert small == [], address
        assert page.evaluate(SMALL_CHOICES) == 0, address

"""The pages of open questions in a browser: reflow, contrast, targets; and the whole way by hand on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest

from access.sharing import Wanted
from cases.model import Field
from tests.integration.browser import CONTRAST, DESK, OVERFLOW, PHONE, SMALL_TARGETS
from tests.integration.case_stage import QUEUE, Cases, case_stage, opening

pytestmark = pytest.mark.slow

NARROW = {"width": 320, "height": 500}
PROBLEM = "午饭时食堂排长队怎么办"
TARGETS = SMALL_TARGETS.replace("[type=checkbox]", "[type=checkbox], [type=radio]")
"""A radio button is hit by its label."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    """A question of 乙一 with answers of 甲一, one of them with a case; and a closed one."""
    made = case_stage(tmp_path_factory.mktemp("questions") / "home")
    stage, questions = made.stage, made.stage.services.cases.questions
    asker, answerer = stage.principal("other-liaison"), stage.principal("liaison")
    wanted = [Wanted("partners")]
    open_id = questions.ask(asker, "yi-1", PROBLEM, "三百人，两个窗口。\n试过加窗口，没有用。", wanted)
    questions.answer(answerer, open_id, "jia-1", "我们错开了下班。" * 40, made.ids["queue"])
    questions.answer(asker, open_id, "yi-1", "", made.ids["secret"])
    closed_id = questions.ask(asker, "yi-1", "扳手借出去找不到人" * 20, "", wanted)
    questions.close(asker, closed_id, settled_by=made.ids["tools"])
    made.ids = {**made.ids, "open": open_id, "closed": closed_id}
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
    """Nothing is wider than the window, too faint or too small to be hit, folds open, for asker and asked."""
    for login in ("liaison", "other-liaison"):
        page = open_page(login, viewport, color_scheme=scheme)
        of_one = [f"/cases/questions/{shared.ids[name]}" for name in ("open", "closed")]
        addresses = ["/cases/questions", f"/cases/questions/new?problem={PROBLEM}", *of_one]
        if login == "other-liaison":
            addresses.append(of_one[0] + "/audience")
        for address in addresses:
            assert page.goto(address).status == 200
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            assert page.evaluate(OVERFLOW) <= 0, address
            assert page.evaluate(CONTRAST) == [], address
            assert page.evaluate(TARGETS) == [], address


def test_asking_and_answering_by_hand(open_page) -> None:  # type: ignore[no-untyped-def]
    """A liaison types, looks, unfolds the form and sends; the partner sees the count, answers, the asker reads it."""
    page = open_page("liaison", PHONE)
    page.goto("/cases/questions")
    page.get_by_label("遇到了什么问题？").fill("夜里巡库漏签到")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/questions/new?problem=*")
    page.get_by_text("都不合适，发给伙伴问").click()
    page.get_by_label("补充情况（可以不填）").fill("两个库房")
    page.get_by_role("button", name="先看看谁看得到").click()
    page.get_by_text("发出之后看得到的（现在还没有发出）").wait_for()
    assert page.get_by_label("补充情况（可以不填）").input_value() == "两个库房"
    page.get_by_role("button", name="发出").click()
    page.get_by_text("已发出。").wait_for()
    question = page.url
    theirs = open_page("other-liaison", PHONE)
    theirs.goto("/cases/questions")
    theirs.get_by_role("heading", name="等本支部答复（1）").wait_for()
    theirs.get_by_role("link", name="夜里巡库漏签到").click()
    theirs.get_by_label("怎么办的，或者该找谁").fill("门口贴码")
    theirs.get_by_role("button", name="答复").click()
    theirs.get_by_text("已答复，").wait_for()
    page.goto(question)
    page.get_by_text("门口贴码").wait_for()


def test_the_first_case_is_in_sight_on_a_phone(open_page) -> None:  # type: ignore[no-untyped-def]
    """After the problem, the nearest case begins on the first screen."""
    page = open_page("other-liaison", PHONE)
    page.goto("/cases/questions/new?problem=中午吃饭人挤人")
    box = page.get_by_role("link", name=QUEUE[Field.TITLE]).first.bounding_box()
    assert box["y"] < PHONE["height"]

"""The pages of sitting over HTTP, without script, on real services: from the list to what one reads afterwards."""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from quiz.asking import Asked
from quiz.exam import Mode, Retake, Reveal
from quiz.model import FALSE, TRUE, Type
from tests.integration.account_browser import Browser, text
from tests.integration.sitting_stage import QUESTIONS, Hall, fields_of, open_hall, right, token_of

FIRST_PAGE_BYTES = 60_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Hall:
    """A hall to be copied."""
    found = open_hall(tmp_path_factory.mktemp("built") / "home")
    found.stage.services.close()
    return found


@pytest.fixture
def hall(built: Hall, home: Path) -> Iterator[Hall]:
    """A hall of the test's own."""
    found = built.copied(home)
    yield found
    found.stage.services.close()


def begun(hall: Hall, **rules: Any) -> tuple[Browser, str]:
    """A member's browser and the address of the attempt that they have begun from the page of the exam."""
    browser = hall.stage.browser("member")
    exam_id = hall.give(**rules)
    browser.get(f"/exams/{exam_id}")
    page = browser.post(f"/exams/{exam_id}/begin", {"form_token": token_of(browser.page.text)})
    assert page.status_code == 303
    return browser, page.headers["location"]


def save(browser: Browser, attempt: str, asked: Asked, answer: list[Any], go: str = "") -> int:
    """Send a question's form from its page; the status."""
    token = token_of(browser.get(attempt).text)
    fields = {"form_token": token, "position": str(asked.position), "go": go, **fields_of(asked, answer)}
    return browser.post(f"{attempt}/save", fields).status_code


def submit(browser: Browser, attempt: str) -> None:
    """Hand it in from the check, and open what came of it."""
    token = token_of(browser.get(f"{attempt}?q=check").text)
    page = browser.post(f"{attempt}/submit", {"form_token": token})
    assert (page.status_code, page.headers["location"]) == (303, f"{attempt}/result")
    assert browser.get(f"{attempt}/result").status_code == 200


def seen(page: Any) -> list[str]:
    """Ids of the questions that are not hidden."""
    views = LexborHTMLParser(page.text).css(".question")
    return [v.attributes["id"] or "" for v in views if "hidden" not in v.attributes]


def verdicts(browser: Browser) -> list[str]:
    """What the page says of each question."""
    return [v.text() for v in LexborHTMLParser(browser.page.text).css(".verdict")]


def attempt_id(attempt: str) -> str:
    return attempt.rpartition("/")[2]


# -- the list and the rules ------------------------------------------------------------------------


def test_guest_is_led_to_sign_in(hall: Hall) -> None:
    """Who is not signed in comes to the sign-in page and back."""
    page = hall.stage.browser().get("/quiz")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/quiz")


def test_empty_list_says_what_to_do(hall: Hall) -> None:
    """Without exams the page says so and leads on; the menu has it for people, and questions for trainers."""
    browser = hall.stage.browser("member")
    assert "现在没有可以参加的测验" in text(browser.get("/quiz"))
    assert 'href="/manage/questions"' not in browser.page.text
    assert 'href="/manage/papers"' in hall.stage.browser("trainer").get("/quiz").text
    assert 'href="/quiz"' not in hall.stage.browser().get("/").text


def test_list_tells_the_rules_and_what_was_done(hall: Hall) -> None:
    """One sees time, limit and pass mark of what is open, what is to come, and scores of what is over."""
    browser, attempt = begun(hall, title="春季测验", retake=Retake.FAILED, n_attempts=2, pass_share=0.8)
    now = hall.stage.access.office.now()
    hall.give(title="年终测验", opens_at=now + timedelta(days=1), closes_at=now + timedelta(days=2))
    page = text(browser.get("/quiz"))
    for words in ("春季测验", "限时 60 分钟", "80% 及格", "没有及格可以重做，最多作答 2 次", "正在作答"):
        assert words in page
    assert page.index("还没有开始") < page.index("年终测验")
    submit(browser, attempt)
    page = text(browser.get("/quiz"))
    assert page.index("做过的") < page.index("没有及格 ")
    assert "0 分，满分 24 分" in page


def test_exam_says_why_it_cannot_be_begun(hall: Hall) -> None:
    """Before it opens, after it closes, when it was sat, and to who was not asked: each in its own words."""
    now = hall.stage.access.office.now()
    coming = hall.give(opens_at=now + timedelta(days=1), closes_at=now + timedelta(days=2))
    browser, attempt = begun(hall)
    submit(browser, attempt)
    sat = hall.quiz.exams.open_to(hall.stage.principal("member"))
    sat_id = next(card.exam_id for card in sat if card.tried)
    assert "还没有开始" in text(browser.get(f"/exams/{coming}"))
    assert "您的作答次数已经用完" in text(browser.get(f"/exams/{sat_id}"))
    assert "开始作答</button>" not in browser.page.text
    hall.quiz.exams.end(hall.stage.principal("trainer"), sat_id)
    assert "已经截止" in text(browser.get(f"/exams/{sat_id}"))
    assert hall.stage.browser("other-liaison").get(f"/exams/{sat_id}").status_code == 404


def test_forms_need_their_token(hall: Hall) -> None:
    """Nothing begins, is saved or handed in without the token of the page."""
    browser, attempt = begun(hall)
    exam_id = hall.give()
    for address in (f"/exams/{exam_id}/begin", f"{attempt}/save", f"{attempt}/submit"):
        assert browser.post(address, {"position": "1", "answer": "0"}).status_code == 403
    assert hall.quiz.attempts.sitting(hall.stage.principal("member"), attempt_id(attempt)).state == "open"


# -- sitting ---------------------------------------------------------------------------------------


def test_whole_way_without_script(hall: Hall) -> None:
    """By forms alone one answers questions of every type, sees what is left, hands in, and has all points but
    those that a person gives."""
    browser, attempt = begun(hall)
    found = hall.asked("member", attempt_id(attempt))
    assert set(found) == set(Type)
    for n, asked in enumerate(found.values(), 1):
        assert seen(browser.get(f"{attempt}?q={n}")) == [f"q{n}"]
        assert f"第 {n} / 7 题" in text(browser.page)
        to = str(n + 1) if n < 7 else "check"
        assert save(browser, attempt, asked, right(asked), to) == 303
        assert browser.page.headers["location"] == f"{attempt}?q={to}"
    assert "7 题都已作答" in text(browser.get(f"{attempt}?q=check"))
    submit(browser, attempt)
    assert Counter(verdicts(browser)) == {"答对": 6, "等培训员确认": 1}
    assert "简答题要由培训员确认得分" in text(browser.page)


def test_saved_answers_stand_in_their_fields(hall: Hall) -> None:
    """What was saved is there when one comes back, in fields of every type, and can be changed by its form."""
    browser, attempt = begun(hall)
    found = hall.asked("member", attempt_id(attempt))
    for asked in found.values():
        save(browser, attempt, asked, right(asked))
    page = LexborHTMLParser(browser.get(attempt).text)
    for n, asked in enumerate(found.values(), 1):
        form = page.css_first(f"#q{n}", strict=True)
        held = [
            *[f.attributes.get("value") for f in form.css("[name=answer][checked], input[type=text]")],
            *[f.attributes.get("value") for f in form.css("option[selected]")],
            *[f.text() for f in form.css("textarea")],
        ]
        expected = [str(part) for part in right(asked)]
        if asked.type is Type.ORDERING:
            expected = ["1", "2", "3"]
            rows = [row.attributes["data-option"] for row in form.css(".order li")]
            assert rows == [str(part) for part in right(asked)]
        assert held == expected, asked.type
    single = found[Type.SINGLE]
    save(browser, attempt, single, [3])
    assert hall.asked("member", attempt_id(attempt))[Type.SINGLE].answer == (3,)


def test_partly_answered_counts_as_unanswered(hall: Hall) -> None:
    """A gap or a pair left empty is saved as it is, and the question is named before one hands in."""
    browser, attempt = begun(hall)
    found = hall.asked("member", attempt_id(attempt))
    save(browser, attempt, found[Type.BLANK], ["两", ""])
    save(browser, attempt, found[Type.MATCHING], [None, 1, None])
    save(browser, attempt, found[Type.ORDERING], [2, 0])
    save(browser, attempt, found[Type.MULTIPLE], [])
    again = hall.asked("member", attempt_id(attempt))
    assert again[Type.BLANK].answer == ("两", "")
    assert again[Type.MATCHING].answer == (None, 1, None)
    assert again[Type.ORDERING].answer == (2, 0)
    assert "还有 7 题没有作答" in text(browser.get(f"{attempt}?q=check"))


def test_two_parts_in_one_place_are_not_saved(hall: Hall) -> None:
    """The question stays, says what is wrong, and keeps what was chosen."""
    browser, attempt = begun(hall)
    asked = hall.asked("member", attempt_id(attempt))[Type.ORDERING]
    token = token_of(browser.get(attempt).text)
    fields = {"form_token": token, "position": str(asked.position), "go": "1"}
    page = browser.post(f"{attempt}/save", fields | {"option": ["0", "1", "2"], "place": ["2", "2", ""]})
    assert page.status_code == 400
    assert "两项选了同一个位置" in text(page)
    assert seen(page) == [f"q{asked.position}"]
    chosen = LexborHTMLParser(page.text).css(f"#q{asked.position} option[selected]")
    assert [c.attributes["value"] for c in chosen] == ["2", "2"]
    assert hall.asked("member", attempt_id(attempt))[Type.ORDERING].answer == ()


def test_first_unanswered_question_comes_first(hall: Hall) -> None:
    """Coming back without a number in the address, or with one that is none, one is where one left off."""
    browser, attempt = begun(hall)
    for asked in list(hall.asked("member", attempt_id(attempt)).values())[:2]:
        save(browser, attempt, asked, right(asked))
    for address in (attempt, f"{attempt}?q=", f"{attempt}?q=99", f"{attempt}?q=%E4%B8%89"):
        assert seen(browser.get(address)) == ["q3"]


def test_nothing_of_the_key_is_on_the_page(hall: Hall) -> None:
    """Before the end no page holds what is right, a citation, an explanation, or an id from which a key follows."""
    browser, attempt = begun(hall)
    hidden = [
        hall.document_id,
        "夜读室管理办法",
        "是这样规定的",
        "三十日",
        "一个月",
        "七日内补读",
        "说明原因",
    ]
    trainer = hall.stage.principal("trainer")
    _, bank = hall.quiz.bank.questions(trainer, "jia-1")
    hidden += [kept.question_id for kept in bank] + [kept.question.question_id for kept in bank]
    for n in (*range(1, 8), "check"):
        html = browser.get(f"{attempt}?q={n}").text
        assert [words for words in hidden if words in html] == []
    assert browser.get(f"{attempt}/result").headers["location"] == attempt


def test_another_person_finds_nothing(hall: Hall) -> None:
    """An attempt of somebody else and one that never was answer the same, whatever is asked of them."""
    _, attempt = begun(hall)
    other = hall.stage.browser("trainer")
    token = token_of(other.get("/quiz").text)
    for end in ("", "/result"):
        real, none = other.get(attempt + end), other.get("/attempts/" + "0" * 16 + end)
        assert real.status_code == none.status_code == 404
        assert text(real).replace(attempt_id(attempt), "0" * 16) == text(none)
    for end in ("/save", "/submit"):
        assert other.post(attempt + end, {"form_token": token, "position": "1"}).status_code == 404


def test_late_save_leads_to_the_result(hall: Hall) -> None:
    """What comes after the time is not taken, what was saved before counts, and the page says so."""
    browser, attempt = begun(hall)
    found = hall.asked("member", attempt_id(attempt))
    save(browser, attempt, found[Type.SINGLE], right(found[Type.SINGLE]))
    token = token_of(browser.get(attempt).text)
    hall.leave(attempt_id(attempt), -60)
    late = {"form_token": token, "position": str(found[Type.TRUE_FALSE].position), "answer": ["1"], "go": "4"}
    assert browser.post(f"{attempt}/save", late).headers["location"] == f"{attempt}/result"
    assert browser.get(attempt).headers["location"] == f"{attempt}/result"
    browser.get(f"{attempt}/result")
    assert Counter(verdicts(browser)) == {"没有作答": 6, "答对": 1}


def test_handing_in_twice_is_the_same_as_once(hall: Hall) -> None:
    """The second of two clicks leads to the same result."""
    browser, attempt = begun(hall)
    token = token_of(browser.get(f"{attempt}?q=check").text)
    for _ in range(2):
        page = browser.post(f"{attempt}/submit", {"form_token": token})
        assert (page.status_code, page.headers["location"]) == (303, f"{attempt}/result")
    assert hall.stage.actions().count("attempt.submit") == 1


def test_practice_has_no_clock(hall: Hall) -> None:
    """Where time is not limited no time is told, and it can be done once more."""
    browser, attempt = begun(hall, mode=Mode.PRACTICE)
    page = browser.get(attempt)
    assert "还剩" not in text(page)
    assert "refresh" not in page.text
    submit(browser, attempt)
    assert "再做一次" in text(browser.page)


def test_first_load_is_small(hall: Hall) -> None:
    """Page, style and script of an attempt come to less than 60 KB as they are sent."""
    browser, attempt = begun(hall)
    page = browser.get(attempt)
    total = len(gzip.compress(page.content, 5))
    for address in re.findall(r'(?:src|href)="(/static/[^"]*)"', page.text):
        total += len(gzip.compress(browser.client.get(address).content, 5))
    assert total < FIRST_PAGE_BYTES


def test_trainer_sees_the_paper_as_it_is_asked(hall: Hall) -> None:
    """The preview has every question with its fields and its key; members find nothing there."""
    address = f"/manage/papers/{hall.paper_id}/try"
    page = hall.stage.browser("trainer").get(address)
    assert len(LexborHTMLParser(page.text).css("form.question")) == len(QUESTIONS)
    for question in QUESTIONS.values():
        assert question.answer[0] in text(page)
    assert hall.stage.browser("member").get(address).status_code == 404
    assert hall.stage.browser("trainer").get(f"{address}?form=2").status_code == 404


# -- what came of it --------------------------------------------------------------------------------


def test_result_proves_each_answer_and_says_what_to_read(hall: Hall) -> None:
    """Given and right answer stand beside the quoted clause; links of what to read lead to a place that is there."""
    browser, attempt = begun(hall)
    found = hall.asked("member", attempt_id(attempt))
    single, gaps = found[Type.SINGLE], found[Type.BLANK]
    wrong = next(i for i in range(4) if i not in right(single))
    save(browser, attempt, single, [wrong])
    save(browser, attempt, gaps, ["二", "三十一日"])
    submit(browser, attempt)
    page = browser.page
    words = text(page)
    assert "夜读小组由五至七人组成。" in words
    assert "第一条是这样规定的。" in words
    assert "部分答对" in words
    assert "三十一日" in words
    assert "也可以填：一个月" in words
    reading = LexborHTMLParser(page.text).css("section[aria-labelledby=reading] .to-read a")
    hrefs = [a.attributes["href"] or "" for a in reading]
    assert len(hrefs) == 7
    assert "第一章" in reading[0].text()
    document = browser.get(hrefs[0].partition("#")[0]).text
    for href in hrefs:
        assert f'id="{href.partition("#")[2]}"' in document


def test_wrong_ones_can_be_seen_alone(hall: Hall) -> None:
    """The page lists only what was missed when asked to, and says how many there are."""
    browser, attempt = begun(hall)
    for asked in hall.asked("member", attempt_id(attempt)).values():
        if asked.type is not Type.TRUE_FALSE:
            save(browser, attempt, asked, right(asked))
    submit(browser, attempt)
    assert "没有答对的 1 题" in text(browser.page)
    alone = browser.get(f"{attempt}/result?show=wrong")
    assert len(LexborHTMLParser(alone.text).css(".outcomes-list > li")) == 1
    assert "代签" in text(alone)


def test_closed_exam_keeps_its_results_to_the_end(hall: Hall) -> None:
    """Until it closes one is told when, and nothing else; afterwards all."""
    browser, attempt = begun(hall, reveal=Reveal.CLOSED)
    submit(browser, attempt)
    page = text(browser.page)
    assert "已交卷" in page
    assert "公布" in page
    for hidden in ("五至七", "第一条", "答错", "没有作答", "分及格"):
        assert hidden not in page
    exam_id = next(card.exam_id for card in hall.quiz.exams.open_to(hall.stage.principal("member")))
    hall.quiz.exams.end(hall.stage.principal("trainer"), exam_id)
    assert "夜读小组由五至七人组成。" in text(browser.get(f"{attempt}/result"))


def test_withdrawn_material_is_gone_from_attempt_and_result(hall: Hall) -> None:
    """As soon as the document is taken out, its questions are asked no more, and the result has none of their text."""
    browser, attempt = begun(hall)
    other = hall.stage.browser("trainer")
    exam_id = hall.quiz.exams.open_to(hall.stage.principal("member"))[0].exam_id
    theirs = "/attempts/" + hall.begin("trainer", exam_id)
    submit(browser, attempt)
    hall.withdraw()
    page = text(browser.get(f"{attempt}/result"))
    assert page.count("这道题所依据的材料已撤下") == 7
    left = text(other.get(theirs))
    for question in QUESTIONS.values():
        assert question.stem[:8] not in page
        assert question.stem[:8] not in left


@pytest.mark.parametrize(("given", "told"), [((TRUE,), "答错"), ((FALSE,), "答对"), ((), "没有作答")])
def test_verdict_is_in_words(hall: Hall, given: tuple[str, ...], told: str) -> None:
    """Right, wrong and unanswered are said, not only coloured."""
    browser, attempt = begun(hall)
    asked = hall.asked("member", attempt_id(attempt))[Type.TRUE_FALSE]
    save(browser, attempt, asked, [asked.options.index(g) for g in given])
    submit(browser, attempt)
    assert verdicts(browser)[asked.position - 1] == told

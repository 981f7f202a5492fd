"""Has anyone solved this? Cases first, people second, then the question to partners: the pages, and the same as JSON."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update

from access.rights import Role
from access.sharing import Wanted
from access.tables import partnerships
from api.asking_pages import ALONE
from cases.model import Body, Field
from cases.question import LONGEST_PROBLEM, LONGEST_TEXT
from tests.integration.account_browser import text
from tests.integration.case_stage import QUEUE, SECRET, TOOLS, Cases, case_stage, share
from tests.people import bearer

HOSTILE = "<script>alert(1)</script>\"'>&"
PROBLEM = "晚上巡库的人总是漏签到，补签也没人管"
ASKING = "/cases/questions/new"
PATROL: Body = {
    Field.TITLE: "巡库签到改成扫码",
    Field.PROBLEM: "夜里巡库的签到本经常空着，第二天补签，谁也说不清到底去了没有。",
    Field.PRACTICE: "每个库门贴一个码，到了才能扫。",
    Field.OUTCOME: "三个月没有再漏签。",
    Field.CONTACTS: "仓储科老周，内线 6120。",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    """甲一 and 乙一 are partners with a liaison each; 丙一 is nobody's partner. To be copied."""
    made = case_stage(tmp_path_factory.mktemp("questions") / "home")
    stage = made.stage
    stage.add("other-member", **{"yi-1": Role.MEMBER})
    stage.add("stranger", **{"bing-1": Role.LIAISON})
    for side, login in (("jia-1", "liaison"), ("yi-1", "other-liaison")):
        stage.access.partnerships.set_liaison(None, stage.partnership_id, side, stage.ids[login])
    yield made
    stage.services.close()


@pytest.fixture
def own(shared: Cases, tmp_path: Path) -> Iterator[Cases]:
    """The same on a home of the test's own."""
    stage = shared.stage.copied(tmp_path / "home")
    yield Cases(stage, shared.ids, shared.documents)
    stage.services.close()


def ask(made: Cases, problem: str = PROBLEM, wanted: str = "partners", login: str = "liaison") -> str:
    """A question of 甲一, or of the branch of another liaison; its id."""
    branch = {"liaison": "jia-1", "other-liaison": "yi-1"}[login]
    questions = made.stage.services.cases.questions
    return questions.ask(made.stage.principal(login), branch, problem, "", [Wanted(wanted)])


def part(made: Cases) -> None:
    """The last day of the partnership was yesterday."""
    yesterday = made.stage.access.office.today() - timedelta(days=1)
    with made.stage.access.office.writing() as connection:
        connection.execute(update(partnerships).values(ends_on=yesterday))


def address(question_id: str) -> str:
    """The page of a question."""
    return f"/cases/questions/{question_id}"


def has_form(page: httpx.Response, action: str) -> bool:
    """Whether the page has a form that goes there."""
    forms = LexborHTMLParser(page.text).css("form[method=post]")
    return action in [form.attributes.get("action") for form in forms]


# -- before one asks ------------------------------------------------------------------------


def test_cases_come_first_then_people_then_the_form(shared: Cases) -> None:
    """A problem shows near cases, below them who may know with their contacts, and last, folded, the form."""
    page = shared.stage.browser("other-liaison").get(f"{ASKING}?problem=中午食堂排队太久")
    assert page.status_code == 200
    places = [page.text.index(f'id="{part}"') for part in ("cases", "people", "send")]
    assert places == sorted(places)
    found = text(page)
    assert found.index(QUEUE[Field.TITLE]) < found.index(TOOLS[Field.TITLE])
    assert "共建联络人：liaison先生" in found
    assert QUEUE[Field.CONTACTS] in found
    send = LexborHTMLParser(page.text).css_first("#send")
    assert send is not None
    assert "open" not in send.attributes


def test_a_member_is_shown_cases_and_sent_to_the_liaison(shared: Cases) -> None:
    """Who does not speak for a branch finds cases and contacts, and no form to send anything."""
    page = shared.stage.browser("other-member").get(f"{ASKING}?problem=中午食堂排队太久")
    assert QUEUE[Field.TITLE] in text(page)
    assert "请把它转告本支部的联络员" in text(page)
    assert "共建联络人" not in text(page)
    assert not has_form(page, ASKING)
    assert not has_form(page, "/cases/questions/found")


def test_a_guest_is_asked_to_sign_in(shared: Cases) -> None:
    """Nobody in particular asks nothing and sees no question."""
    for path in ("/cases/questions", f"{ASKING}?problem=排队", address("0" * 16)):
        page = shared.stage.browser().get(path)
        assert page.status_code in (303, 401)
        assert QUEUE[Field.TITLE] not in page.text


def test_a_case_that_is_just_right_ends_the_search(own: Cases) -> None:
    """One press notes it: nobody else is asked, and the next of the branch with that problem finds it at once."""
    browser = own.stage.browser("other-liaison")
    browser.send(
        f"{ASKING}?problem=中午食堂排队太久",
        "/cases/questions/found",
        own.ids["queue"],
        problem="中午食堂排队太久",
    )
    assert browser.page.status_code == 303
    page = browser.get(browser.page.headers["location"])
    assert "已记下：这篇正好" in text(page)
    assert QUEUE[Field.TITLE] in text(page)
    again = own.stage.browser("other-member").get(f"{ASKING}?problem=食堂中午排队时间太久")
    near = LexborHTMLParser(again.text).css_first("[aria-labelledby=near]")
    assert near is not None
    assert QUEUE[Field.TITLE] in near.text()
    theirs = own.stage.browser("liaison").get(f"{ASKING}?problem=食堂中午排队时间太久")
    assert 'aria-labelledby="near"' not in theirs.text
    assert own.stage.services.cases.questions.n_waiting(own.stage.principal("liaison")) == 0


# -- asking ---------------------------------------------------------------------------------


def test_a_question_goes_to_partners_after_a_preview(own: Cases) -> None:
    """The preview names who would see it and sends nothing; sent, it waits at the partner with a count."""
    browser = own.stage.browser("liaison")
    typed = {"audience": "partners", "detail": "库房两个，夜里一个人巡。"}
    page = browser.send(f"{ASKING}?problem={PROBLEM}", ASKING, preview="1", **typed)
    assert "乙公司一支部" in text(page)
    assert "库房两个，夜里一个人巡。" in page.text
    theirs = own.stage.browser("other-liaison")
    assert PROBLEM not in theirs.get("/cases/questions").text
    sent = browser.post(ASKING, browser.fields(ASKING) | typed)
    assert sent.status_code == 303
    assert "已发出" in text(browser.get(sent.headers["location"]))
    listed = theirs.get("/cases/questions")
    assert "等本支部答复（1）" in text(listed)
    assert PROBLEM in text(listed)
    assert "求助（1）" in text(theirs.get("/cases"))
    assert "求助（" not in text(own.stage.browser("other-member").get("/cases"))
    assert "库房两个" in text(theirs.get(sent.headers["location"]))


def test_an_emptied_group_is_said_in_the_preview(own: Cases) -> None:
    """A group without anybody from elsewhere is called by what it is: nobody but the own branch sees the question."""
    browser = own.stage.browser("liaison")
    group = f"group:{own.stage.group_id}"
    page = browser.send(f"{ASKING}?problem={PROBLEM}", ASKING, audience=group, preview="1")
    assert ALONE in text(page)
    liaison, groups = own.stage.principal("liaison"), own.stage.access.groups
    groups.put(liaison, own.stage.group_id, "branch:yi-1")
    page = browser.post(ASKING, browser.fields(ASKING) | {"audience": group, "preview": "1"})
    assert ALONE not in text(page)
    question_id = ask(own, wanted=group)
    assert ALONE not in text(browser.get(address(question_id)))
    groups.drop(liaison, own.stage.group_id, "branch:yi-1")
    assert ALONE in text(browser.get(address(question_id)))
    assert own.stage.browser("other-liaison").get(address(question_id)).status_code == 404


def test_the_same_question_leads_to_the_one_that_is_open(own: Cases) -> None:
    """Asking again shows the open question, sends nothing, and keeps what was typed."""
    question_id = ask(own)
    browser = own.stage.browser("liaison")
    page = browser.send(f"{ASKING}?problem={PROBLEM}！", ASKING, audience="partners", detail="又问一次")
    assert page.status_code == 400
    assert "本支部正在问同一个问题" in text(page)
    assert f'href="{address(question_id)}"' in page.text
    assert "又问一次" in page.text
    assert len(own.stage.services.cases.questions.of_branch(own.stage.principal("liaison"), "jia-1")) == 1


def test_texts_that_are_too_long_are_kept_and_refused(own: Cases) -> None:
    """A problem or a detail beyond the limit is told beside its field; what was typed is still there."""
    browser = own.stage.browser("liaison")
    long_problem = "长" * (LONGEST_PROBLEM + 1)
    page = browser.get(f"{ASKING}?problem={long_problem}")
    assert page.status_code == 400
    assert f"不超过 {LONGEST_PROBLEM} 字" in text(page)
    assert long_problem in page.text
    long_detail = "细" * (LONGEST_TEXT + 1)
    page = browser.send(f"{ASKING}?problem={PROBLEM}", ASKING, audience="partners", detail=long_detail)
    assert page.status_code == 400
    assert f"{LONGEST_TEXT} 字以内" in text(page)
    assert long_detail in page.text
    page = browser.post(ASKING, browser.fields(ASKING) | {"audience": "branch:bing-1", "detail": ""})
    assert page.status_code == 400
    assert "重新勾选" in text(page)
    assert not own.stage.services.cases.questions.of_branch(own.stage.principal("liaison"), "jia-1")


def test_what_is_typed_is_text_and_nothing_else(own: Cases) -> None:
    """Markup in problem, detail and answer is shown as it was typed, on every page."""
    question_id = ask(own, HOSTILE)
    theirs = own.stage.browser("other-liaison")
    theirs.send(address(question_id), address(question_id) + "/answer", text=HOSTILE, case_id="")
    for login in ("liaison", "other-liaison"):
        browser = own.stage.browser(login)
        for path in ("/cases/questions", address(question_id)):
            page = browser.get(path)
            assert "<script>alert" not in page.text
            assert "&lt;script&gt;alert" in page.text
    page = own.stage.browser("liaison").client.get(ASKING, params={"problem": HOSTILE})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


# -- answering ------------------------------------------------------------------------------


def test_a_partner_answers_with_a_case_of_its_own(own: Cases) -> None:
    """Own cases near to the problem are offered; the answer and its case stand on the asker's page."""
    question_id = ask(own, "午饭时食堂排长队怎么办", login="other-liaison")
    browser = own.stage.browser("liaison")
    page = browser.get(address(question_id))
    offered = [node.attributes.get("value") for node in LexborHTMLParser(page.text).css("input[type=radio]")]
    assert offered[:2] == ["", own.ids["queue"]]
    assert own.ids["secret"] not in offered
    where = address(question_id) + "/answer"
    browser.send(address(question_id), where, text="我们错开了下班", case_id=own.ids["queue"])
    assert browser.page.status_code == 303
    page = own.stage.browser("other-liaison").get(address(question_id))
    assert "我们错开了下班" in text(page)
    assert QUEUE[Field.TITLE] in text(page)
    assert "还看不到这个案例" not in text(page)
    assert "都答复过了" in text(browser.get("/cases/questions"))


def test_a_case_that_the_asker_does_not_see_is_told_to_who_answers_alone(own: Cases) -> None:
    """The answering branch is told, with the way to share it; nothing of the case reaches the asker until it is."""
    question_id, secret = ask(own), own.ids["secret"]
    theirs = own.stage.browser("other-liaison")
    where = address(question_id)
    theirs.send(where, where + "/answer", text="", case_id=secret)
    page = theirs.get(where)
    assert SECRET[Field.TITLE] in text(page)
    assert "甲公司一支部还看不到这个案例，也就看不到这条答复" in text(page)
    assert f'href="/cases/{secret}/publish"' in page.text
    hidden = ("隐秘", "钥匙", secret, own.documents["secret"])
    for path in (where, "/cases/questions", f"{ASKING}?problem={PROBLEM}"):
        page = own.stage.browser("liaison").get(path)
        assert page.status_code == 200
        assert not [word for word in hidden if word in page.text]
    assert "还没有答复" in text(own.stage.browser("liaison").get(where))
    by = own.stage.principal("other-liaison")
    own.stage.access.sharing.set_audience(by, own.documents["secret"], [Wanted("own"), Wanted("partners")])
    assert SECRET[Field.TITLE] in text(own.stage.browser("liaison").get(where))
    assert "还看不到这个案例" not in text(theirs.get(where))


def test_an_answer_that_cannot_be_taken_keeps_what_was_typed(own: Cases) -> None:
    """Nothing, too much, or a case that is not one's own is refused beside the field; the text stays."""
    question_id = ask(own)
    browser, where = own.stage.browser("other-liaison"), address(question_id) + "/answer"
    page = browser.send(address(question_id), where, text="  ", case_id="")
    assert page.status_code == 400
    assert "请写几句，或者选一个本支部的案例" in text(page)
    long_text = "答" * (LONGEST_TEXT + 1)
    page = browser.send(address(question_id), where, text=long_text, case_id="")
    assert (page.status_code, long_text in page.text) == (400, True)
    page = browser.send(address(question_id), where, text="看这个", case_id="0" * 16)
    assert (page.status_code, "看这个" in page.text) == (400, True)
    assert not own.stage.services.cases.questions.answers(own.stage.principal("liaison"), question_id)


def test_an_answer_is_taken_back_by_its_branch(own: Cases) -> None:
    """The button stands beside one's own answer only, and takes it away for all."""
    question_id = ask(own)
    theirs, where = own.stage.browser("other-liaison"), address(question_id)
    theirs.send(where, where + "/answer", text="记错了", case_id="")
    answer_id = own.stage.services.cases.questions.answers(own.stage.principal("liaison"), question_id)[
        0
    ].answer_id
    action = f"{where}/answers/{answer_id}/take-back"
    assert not has_form(own.stage.browser("liaison").get(where), action)
    assert theirs.send(where, action).status_code == 303
    assert "记错了" not in own.stage.browser("liaison").get(where).text


# -- the end ----------------------------------------------------------------------------------


def test_what_solved_it_is_found_by_the_next(own: Cases) -> None:
    """Closed with its case, a question is what the next with nearly that problem is shown, case and all."""
    case_document = share(own.stage, "other-liaison", "yi-1", PATROL, ["own", "partners"])
    liaison = own.stage.principal("liaison")
    case_id = own.stage.services.cases.library.of_document(liaison.scope, case_document)
    question_id = ask(own)
    browser, where = own.stage.browser("liaison"), address(question_id)
    page = browser.send(where, where + "/close", case_id=case_id)
    assert page.status_code == 303
    page = browser.get(page.headers["location"])
    assert "解决它的案例" in text(page)
    assert PATROL[Field.TITLE] in text(page)
    assert not has_form(page, where + "/close")
    for login in ("member", "other-liaison"):
        page = own.stage.browser(login).get(f"{ASKING}?problem=夜里巡库的人漏签到，补签没人管")
        near = LexborHTMLParser(page.text).css_first("[aria-labelledby=near]")
        assert near is not None
        assert PROBLEM in near.text()
        assert PATROL[Field.TITLE] in near.text()
    # Whoever sees the question and not the case is shown the one without the other.
    by = own.stage.principal("other-liaison")
    own.stage.access.sharing.set_audience(by, case_document, [Wanted("own")])
    page = own.stage.browser("member").get(f"{ASKING}?problem=夜里巡库的人漏签到，补签没人管")
    assert PROBLEM in text(page)
    assert PATROL[Field.TITLE] not in page.text


def test_a_closed_question_is_answered_no_more(own: Cases) -> None:
    """A form that was open when the question was closed changes nothing and says so."""
    question_id = ask(own)
    where = address(question_id)
    theirs, browser = own.stage.browser("other-liaison"), own.stage.browser("liaison")
    theirs.get(where)
    late = theirs.fields(where + "/answer") | {"text": "晚了一步", "case_id": ""}
    browser.send(where, where + "/close", case_id="")
    page = theirs.post(where + "/answer", late)
    assert page.headers["location"].endswith("done=over")
    assert "已经了结" in text(theirs.get(page.headers["location"]))
    assert "晚了一步" not in browser.get(where).text
    assert "写成案例" in text(browser.page)


def test_the_audience_can_be_changed_while_it_is_open(own: Cases) -> None:
    """The asker asks others on a page of its own, with preview; the other side does not reach it."""
    question_id = ask(own, wanted="own")
    where = address(question_id)
    browser, theirs = own.stage.browser("liaison"), own.stage.browser("other-liaison")
    assert theirs.get(where).status_code == 404
    assert ALONE in text(browser.get(where))
    page = browser.send(where + "/audience", audience=["own", "branch:yi-1"], preview="1")
    assert "乙公司一支部" in text(page)
    assert theirs.get(where).status_code == 404
    page = browser.send(where + "/audience", audience=["own", "branch:yi-1"])
    assert page.status_code == 303
    assert PROBLEM in text(theirs.get(where))
    assert theirs.get(where + "/audience").status_code == 403


# -- who sees it ------------------------------------------------------------------------------


def test_a_partnership_that_ended_yesterday_hides_question_and_answers(own: Cases) -> None:
    """The other side finds nothing any more, by no address; the asker keeps its question and the answers given."""
    question_id = ask(own)
    where, theirs = address(question_id), own.stage.browser("other-liaison")
    theirs.send(where, where + "/answer", text="先看看门禁记录", case_id="")
    part(own)
    missing = theirs.get(address("0" * 16)).text.replace("0" * 16, "")
    assert theirs.get(where).status_code == 404
    assert theirs.page.text.replace(question_id, "") == missing
    for path in ("/cases/questions", f"{ASKING}?problem={PROBLEM}"):
        assert "先看看门禁记录" not in theirs.get(path).text
    assert PROBLEM not in theirs.get("/cases/questions").text
    page = own.stage.browser("liaison").get(where)
    assert "先看看门禁记录" in text(page)
    assert ALONE in text(page)


def test_nothing_of_a_question_is_on_any_page_of_others(own: Cases) -> None:
    """Who is not asked finds neither problem, detail nor answer, on pages and as JSON, and no count of them."""
    questions, stage = own.stage.services.cases.questions, own.stage
    question_id = questions.ask(
        stage.principal("liaison"), "jia-1", "隐秘甲问题怎么办", "隐秘乙细节", [Wanted("partners")]
    )
    answer_id = questions.answer(stage.principal("other-liaison"), question_id, "yi-1", "隐秘丙答复")
    stranger = stage.browser("stranger")
    where, token = address(question_id), bearer(stage.services, stage.ids["stranger"])
    for path in (
        "/cases",
        "/cases/questions",
        f"{ASKING}?problem=隐秘问题怎么办",
        where,
        where + "/audience",
    ):
        page = stranger.get(path)
        said = page.text.replace("隐秘问题怎么办", "")
        assert not [word for word in ("隐秘", "等本支部答复", answer_id) if word in said]
    json: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None),
        ("GET", "?branch=jia-1", None),
        ("POST", "/sought", {"problem": "甲问题怎么办"}),
        ("GET", f"/{question_id}", None),
        ("GET", f"/{question_id}/answers", None),
        ("GET", f"/{question_id}/reach", None),
        ("POST", f"/{question_id}/answers", {"branch_id": "bing-1", "text": "看不到"}),
        ("POST", f"/{question_id}/close", {}),
        ("PUT", f"/{question_id}/audience", {"audience": ["own"]}),
        ("DELETE", f"/answers/{answer_id}", None),
    ]
    for method, path, body in json:
        answer = stranger.client.request(method, "/v1/case-questions" + path, json=body, headers=token)
        assert answer.status_code in (200, 404), (method, path)
        assert "隐秘" not in answer.text
        if answer.status_code == 200 and "n_waiting" in answer.json():
            assert answer.json() == {"questions": [], "n_waiting": 0}
    assert [a.text for a in questions.answers(stage.principal("liaison"), question_id)] == ["隐秘丙答复"]


# -- the same as JSON -------------------------------------------------------------------------


def test_the_whole_way_as_json(own: Cases) -> None:
    """Sought, previewed, asked, answered, closed: each answer says what came of it, and refusals have their codes."""
    stage, client = own.stage, own.stage.browser().client
    mine = bearer(stage.services, stage.ids["liaison"])
    theirs = bearer(stage.services, stage.ids["other-liaison"])

    def call(method: str, path: str, token: dict[str, str], body: Any = None) -> httpx.Response:
        return client.request(method, "/v1/case-questions" + path, json=body, headers=token)

    sought = call("POST", "/sought", theirs, {"problem": "中午食堂排队太久"}).json()
    assert sought["cases"][0]["case_id"] == own.ids["queue"]
    assert sought["people"][0]["branch_id"] == "jia-1"
    assert sought["people"][0]["liaisons"] == ["liaison先生"]
    asking = {"branch_id": "jia-1", "problem": PROBLEM, "audience": ["partners"]}
    reach = call("POST", "/preview", mine, {"branch_id": "jia-1", "audience": ["partners"]}).json()
    assert (reach["alone"], "yi-1" in reach["branch_ids"]) == (False, True)
    made = call("POST", "", mine, asking)
    assert made.status_code == 201
    question_id = made.json()["question_id"]
    assert call("POST", "", mine, asking).json()["code"] == "conflict"
    assert call("POST", "", theirs, asking).json()["code"] == "forbidden"
    assert call("POST", "", mine, asking | {"problem": "长" * 501}).status_code == 400
    listed = call("GET", "", theirs).json()
    assert (listed["n_waiting"], listed["questions"][0]["question_id"]) == (1, question_id)
    assert listed["questions"][0]["audience"] == []
    answer = {"branch_id": "yi-1", "text": "门口贴码", "case_id": own.ids["secret"]}
    assert call("POST", f"/{question_id}/answers", theirs, answer).status_code == 201
    [told] = call("GET", f"/{question_id}/answers", theirs).json()["answers"]
    assert (told["case_id"], told["asker_sees"]) == (own.ids["secret"], False)
    [told] = call("GET", f"/{question_id}/answers", mine).json()["answers"]
    assert (told["text"], told["case_id"], told["asker_sees"]) == ("门口贴码", None, None)
    assert call("PUT", f"/{question_id}/audience", mine, {"audience": ["branch:yi-1"]}).status_code == 204
    assert call("GET", f"/{question_id}/reach", mine).json()["alone"] is False
    ended = call("POST", f"/{question_id}/close", mine, {"settled_by": own.ids["secret"]})
    assert ended.json()["code"] == "not_found"
    assert call("POST", f"/{question_id}/close", mine, {"settled_by": own.ids["queue"]}).status_code == 204
    assert call("GET", f"/{question_id}", theirs).json()["settled_by"] == own.ids["queue"]
    assert call("DELETE", f"/answers/{told['answer_id']}", theirs).status_code == 204
    assert call("GET", f"/{question_id}", theirs).json()["n_answers"] == 0
    found = {"branch_id": "yi-1", "problem": "工具借了不还", "case_id": own.ids["tools"]}
    assert call("POST", "/found", theirs, found).status_code == 201

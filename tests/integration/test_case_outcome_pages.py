"""The pages of what came of cases, over HTTP, and the same as JSON."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import openpyxl
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update

from access.rights import Role
from access.tables import partnerships
from api.access_words import ACTION_WORDS
from api.case_outcome_pages import REFUSALS
from cases.model import Field
from cases.outcome import LONGEST_WORD
from cases.tables import cases
from tests.integration.account_browser import Browser, text
from tests.integration.case_stage import QUEUE, Cases, case_stage, share
from tests.people import bearer

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>\"'>&"
TITLE = "食堂午饭排队的事，分三拨走"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    """Four cases of two branches, to be copied."""
    made = case_stage(tmp_path_factory.mktemp("outcome") / "home")
    yield made
    made.stage.services.close()


@pytest.fixture
def site(pattern: Cases, tmp_path: Path) -> Iterator[Cases]:
    """The cases on a home of their own."""
    stage = pattern.stage.copied(tmp_path / "home")
    yield Cases(stage, pattern.ids, pattern.documents)
    stage.services.close()


def adopt(browser: Browser, case_id: str, stand: str, note: str = "", **typed: str) -> httpx.Response:
    """Send the form on the page of a case; it is open unless `open` says otherwise."""
    address = f"/cases/{case_id}"
    return browser.send(address, f"{address}/adopt", stand=stand, note=note, **{"open": "1", **typed})


def section(page: httpx.Response, name: str) -> str:
    """What one reads in a section of a page."""
    found = LexborHTMLParser(page.text).css_first(f"#{name}")
    return re.sub(r"\s+", " ", found.text()) if found else ""


def end_partnership(site: Cases) -> None:
    """The partnership of the two branches ended yesterday."""
    office = site.stage.access.office
    with office.writing() as connection:
        days = {"begins_on": office.today() - timedelta(30), "ends_on": office.today() - timedelta(1)}
        connection.execute(update(partnerships).values(days))


# -- on the page of a case ----------------------------------------------------------------------


def test_liaison_takes_over_and_moves_on(site: Cases) -> None:
    """From the page of a case a liaison says how far the branch is; all who see the case see where it worked."""
    case_id, browser = site.ids["queue"], site.stage.browser("other-liaison")
    assert adopt(browser, case_id, "planned", "下月起").headers["location"].startswith(f"/cases/{case_id}?")
    page = browser.get(f"/cases/{case_id}?done=adopted")
    assert "1 个支部借鉴：打算做 1。" in section(page, "adoptions")
    assert "已记下。" in section(page, "adoptions")
    assert "由这篇案例写一篇我们的" not in text(page)
    assert adopt(browser, case_id, "done-worked", f"排队短了{HOSTILE}").status_code == 303
    for login in ("member", "other-liaison"):
        page = site.stage.browser(login).get(f"/cases/{case_id}")
        told = section(page, "adoptions")
        assert "1 个支部借鉴：管用 1。" in told
        assert "乙公司一支部" in told
        assert "排队短了<script>" in told
        assert "<script>alert" not in page.text
    form = browser.get(f"/cases/{case_id}/adopt")
    assert 'value="done-worked" required checked' in form.text
    assert "排队短了" in form.text


def test_done_invites_to_a_case_of_ones_own_that_credits_its_origin(site: Cases) -> None:
    """Who is done is led to writing a case derived from this one, until there is one; its page names the origin."""
    case_id, browser = site.ids["queue"], site.stage.browser("other-liaison")
    adopt(browser, case_id, "done-partly")
    to = f"/cases/new?derived_from={case_id}"
    assert to in LexborHTMLParser(browser.get(f"/cases/{case_id}").text).css_first("#adoptions").html
    document_id = share(
        site.stage, "other-liaison", "yi-1", {**QUEUE, Field.TITLE: "照着分四拨走"}, ["own", "partners"]
    )
    services = site.stage.services
    derived = services.cases.library.of_document(site.seen_by("other-liaison"), document_id)
    with services.access.office.writing() as connection:
        connection.execute(update(cases).where(cases.c.case_id == derived).values(derived_from=case_id))
    page = browser.get(f"/cases/{case_id}")
    assert to not in LexborHTMLParser(page.text).css_first("#adoptions").html
    assert "照着分四拨走" in text(page)
    assert TITLE in text(browser.get(f"/cases/{derived}"))
    end_partnership(site)
    assert TITLE not in browser.get(f"/cases/{derived}").text


@pytest.mark.parametrize(
    ("stand", "note", "words"),
    [
        ("unsuitable", "  ", "请写明为什么不适用"),
        ("", "写了一半", "请选做到了哪一步"),
        ("done-nonsense", "写了一半", "请选做到了哪一步"),
        ("planned", "长" * (LONGEST_WORD + 1), f"最多写 {LONGEST_WORD} 个字"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(
    site: Cases, stand: str, note: str, words: str
) -> None:
    """A form that will not do comes back with the reason beside its field, filled in as it was."""
    case_id, browser = site.ids["queue"], site.stage.browser("other-liaison")
    page = adopt(browser, case_id, stand, note, open="")
    assert page.status_code == 400
    assert words in text(page)
    tree = LexborHTMLParser(page.text)
    assert (tree.css_first("textarea").text() or "").strip() == note.strip()
    assert not tree.css("input[name=open][checked]")
    field = tree.css_first(".problems a").attributes["href"] or ""
    assert tree.css_first(field) is not None
    again = browser.fields(f"/cases/{case_id}/adopt")
    assert (
        browser.post(
            f"/cases/{case_id}/adopt", again | {"stand": "unsuitable", "note": "窗口只有一个"}
        ).status_code
        == 303
    )


def test_forms_are_for_those_who_speak(site: Cases) -> None:
    """Members and guests read what came of a case, and find no form; sending one is refused all the same."""
    case_id = site.ids["minutes"]
    site.stage.add("other-member", **{"yi-1": Role.MEMBER})
    adopt(site.stage.browser("other-liaison"), case_id, "planned")
    for login in ("member", "trainer", "other-member", ""):
        browser = site.stage.browser(login)
        page = browser.get(f"/cases/{case_id}")
        assert "乙公司一支部" in section(page, "adoptions")
        assert f"/cases/{case_id}/adopt" not in page.text
        assert f"/cases/{case_id}/feedback" not in page.text
        assert browser.get(f"/cases/{case_id}/adopt").status_code in (303, 403)
    headers = bearer(site.stage.services, site.stage.ids["other-member"])
    answer = site.stage.browser().client.post(
        f"/v1/cases/{case_id}/adoptions", json={"branch_id": "yi-1", "progress": "planned"}, headers=headers
    )
    assert answer.status_code == 403


def test_own_case_is_not_taken_over(site: Cases) -> None:
    """On the page of its own case a branch finds no form to take it over, only one to answer."""
    case_id, browser = site.ids["queue"], site.stage.browser("liaison")
    page = browser.get(f"/cases/{case_id}")
    assert f'action="/cases/{case_id}/adopt"' not in page.text
    assert "发出答复" in section(page, "feedback")
    page = browser.send(f"/cases/{case_id}/adopt", stand="planned")
    assert page.status_code == 400
    assert "这是本支部自己的案例" in text(page)


def test_what_is_not_open_is_for_the_two_branches(site: Cases) -> None:
    """An adoption and feedback that are not open are read by their branch and by those who write the case."""
    case_id = site.ids["minutes"]
    other = site.stage.browser("other-liaison")
    adopt(other, case_id, "unsuitable", "没有这样的会", open="")
    address = f"/cases/{case_id}"
    other.send(address, f"{address}/feedback", text="第二步写得不清楚", open="")
    site.stage.add("stranger", **{"bing-1": Role.LIAISON})
    for login, told in (
        ("other-liaison", True),
        ("trainer", True),
        ("member", False),
        ("stranger", False),
        ("", False),
    ):
        page = site.stage.browser(login).get(address)
        assert ("没有这样的会" in page.text) is told, login
        assert ("第二步写得不清楚" in page.text) is told, login
        assert ("1 个支部借鉴" in text(page)) is told, login


def test_feedback_is_given_kept_when_it_will_not_do_and_taken_back(site: Cases) -> None:
    """Feedback stands on the page until it is taken back; one that is too long comes back as it was typed."""
    case_id, browser = site.ids["queue"], site.stage.browser("other-liaison")
    address = f"/cases/{case_id}"
    long = "字" * (LONGEST_WORD + 1)
    page = browser.send(address, f"{address}/feedback", text=long)
    assert page.status_code == 400
    assert long in page.text
    assert browser.send(address, f"{address}/feedback", text="表格很好用\r\n谢谢").status_code == 303
    page = site.stage.browser("member").get(address)
    assert "乙公司一支部" in section(page, "feedback")
    assert "收回" not in section(page, "feedback")
    page = browser.get(address)
    action = re.search(rf'action="({address}/feedback/[0-9a-f]+/remove)"', page.text)
    assert action
    assert browser.post(action[1], browser.fields(action[1])).status_code == 303
    assert "表格很好用" not in browser.get(address).text


# -- a branch's own ------------------------------------------------------------------------------


def test_ledger_tells_what_was_given_and_taken(site: Cases) -> None:
    """The ledgers of both sides tell the same; they are taken away as a workbook and as CSV."""
    case_id, other = site.ids["queue"], site.stage.browser("other-liaison")
    adopt(other, case_id, "under_way", "=1+1")
    adopt(other, case_id, "done-worked", "=1+1 已做成")
    address = f"/cases/{case_id}"
    other.send(address, f"{address}/feedback", text="表格很好用")
    page = site.stage.browser("liaison").get("/manage/ledger")
    for words in (TITLE, "乙公司一支部", "管用", "=1+1 已做成", "表格很好用", "还没有支部借鉴", "正在做"):
        assert words in text(page)
    mine = text(other.get("/manage/ledger"))
    assert TITLE in mine
    assert "甲公司一支部" in mine
    browser = site.stage.browser("liaison")
    table = browser.get("/manage/ledger.csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert "'=1+1 已做成" in [cell for row in rows for cell in row]
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/manage/ledger.xlsx").content))
    found = [c for line in book.worksheets[0].iter_rows() for c in line if c.value == "=1+1 已做成"]
    assert [c.data_type for c in found] == ["s"]
    assert "case.ledger" in site.stage.actions()
    assert {a for a in site.stage.actions() if a.startswith("case.")} <= set(ACTION_WORDS)


def test_ledger_is_for_those_who_write_cases(site: Cases) -> None:
    """Members are refused, a branch that is not one's own is not there, and nobody signed in is led to sign in."""
    for path in ("/manage/ledger", "/manage/ledger.xlsx", "/manage/ledger.csv"):
        assert site.stage.browser("member").get(path).status_code == 403
        assert site.stage.browser("liaison").get(f"{path}?branch=yi-1").status_code == 404
        assert site.stage.browser("liaison").get(f"{path}?branch=nowhere").status_code == 404
        assert site.stage.browser().get(path).headers["location"].startswith("/sign-in")


def test_taken_over_is_moved_on_and_dropped(site: Cases) -> None:
    """The page of what a branch took over leads to moving it on, shows the steps, and forgets what is dropped."""
    case_id, other = site.ids["queue"], site.stage.browser("other-liaison")
    assert "还没有借鉴过案例" in text(other.get("/manage/adoptions"))
    adopt(other, case_id, "planned", "先看看")
    page = other.get("/manage/adoptions")
    to = f"/cases/{case_id}/adopt?branch_id=yi-1"
    assert to in page.text
    other.send(to, f"/cases/{case_id}/adopt", stand="done", note="做了")
    page = other.get("/manage/adoptions")
    for words in ("经过 2", "先看看", "other-liaison先生", "由这篇案例写一篇我们的"):
        assert words in text(page)
    site.stage.add("other-member", **{"yi-1": Role.MEMBER})
    member = site.stage.browser("other-member").get("/manage/adoptions")
    assert "做了" in text(member)
    assert "/drop" not in member.text
    action = re.search(r'action="(/manage/adoptions/[0-9a-f]+/drop)"', page.text)
    assert action
    assert (
        other.post(action[1], other.fields(action[1]))
        .headers["location"]
        .endswith("branch=yi-1&done=dropped")
    )
    assert "还没有借鉴过案例" in text(other.get("/manage/adoptions?branch=yi-1&done=dropped"))


def test_after_the_partnership_the_record_stays_and_the_case_is_gone(site: Cases) -> None:
    """The day after, the branch still sees that it took something over, without title or text; moving it on finds nothing."""
    case_id, other = site.ids["queue"], site.stage.browser("other-liaison")
    adopt(other, case_id, "under_way", "我们的进展")
    other.get(f"/cases/{case_id}")
    form = other.fields(f"/cases/{case_id}/adopt")
    end_partnership(site)
    for path in ("/manage/adoptions", "/manage/ledger", "/manage/ledger.csv"):
        page = other.get(path)
        assert page.status_code == 200
        assert "案例现在看不到" in page.text
        assert "我们的进展" in page.text
        for hidden in (TITLE, case_id, "综合科", "甲公司"):
            assert hidden not in page.text, (path, hidden)
    assert other.post(f"/cases/{case_id}/adopt", form | {"stand": "done"}).status_code == 404
    gone, never = (other.get(f"/cases/{c}/adopt") for c in (case_id, "0" * 16))
    assert gone.status_code == never.status_code == 404
    assert gone.text.replace(case_id, "") == never.text.replace("0" * 16, "")


# -- as JSON -------------------------------------------------------------------------------------


def test_http_tells_the_same(site: Cases) -> None:
    """Under /v1 a branch takes over, moves on, speaks and takes back; each is told to whom it is for."""
    case_id, client = site.ids["queue"], site.stage.browser().client
    services = site.stage.services
    yi, jia = (bearer(services, site.stage.ids[who]) for who in ("other-liaison", "liaison"))
    address = f"/v1/cases/{case_id}"
    sent = {"branch_id": "yi-1", "progress": "planned"}
    made = client.post(f"{address}/adoptions", json=sent, headers=yi)
    assert made.status_code == 201
    sent |= {"progress": "done", "effect": "failed", "note": "窗口少", "open": False}
    assert client.post(f"{address}/adoptions", json=sent, headers=yi).json() == made.json()
    taken = client.get(f"{address}/adoptions", headers=jia).json()
    assert (taken["failed"], taken["planned"]) == (1, 0)
    assert taken["adoptions"][0]["note"] == "窗口少"
    adoption_id = made.json()["adoption_id"]
    steps = client.get(f"/v1/adoptions/{adoption_id}/steps", headers=jia).json()["steps"]
    assert [s["progress"] for s in steps] == ["planned", "done"]
    mine = client.get("/v1/adoptions", params={"branch": "yi-1"}, headers=yi).json()["adoptions"]
    assert [a["case_id"] for a in mine] == [case_id]
    said = client.post(f"{address}/feedback", json={"branch_id": "yi-1", "text": "试过了"}, headers=yi)
    assert [f["text"] for f in client.get(f"{address}/feedback", headers=jia).json()["feedback"]] == [
        "试过了"
    ]
    rows = client.get("/v1/ledger", params={"branch": "jia-1"}, headers=jia).json()["rows"]
    told = next(r for r in rows if r["adoption"])
    assert (told["side"], told["branch_id"], told["feedback"]) == ("shared", "yi-1", ["试过了"])
    assert client.delete(f"/v1/feedback/{said.json()['feedback_id']}", headers=jia).status_code == 404
    assert client.delete(f"/v1/feedback/{said.json()['feedback_id']}", headers=yi).status_code == 204
    assert client.delete(f"/v1/adoptions/{adoption_id}", headers=yi).status_code == 204
    assert client.get(f"{address}/adoptions", headers=jia).json()["adoptions"] == []
    assert client.get("/v1/ledger", params={"branch": "jia-1"}, headers=yi).status_code == 403
    assert client.get("/v1/adoptions", params={"branch": "jia-1"}, headers=yi).status_code == 403
    half = client.post(f"{address}/feedback", content='{"branch_id": "yi-1", "text": "\\ud800"}', headers=yi)
    assert half.status_code == 400


def test_refusals_with_words_are_made(site: Cases) -> None:
    """Each refusal that has Chinese words is one that the service still makes."""
    code = "\n".join((ROOT / "cases" / f).read_text(encoding="utf-8") for f in ("adoptions.py", "outcome.py"))
    code = code.replace("{LONGEST_WORD}", str(LONGEST_WORD))
    assert [advice for advice in REFUSALS if advice not in code] == []
    parts = (ROOT / "web/templates/case-outcome-parts.html").read_text(encoding="utf-8")
    assert set(re.findall(r'maxlength="(\d+)"', parts)) == {str(LONGEST_WORD)}

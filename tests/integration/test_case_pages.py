"""The pages on which cases are found and read, over HTTP, and the same as JSON."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update
from starlette.datastructures import QueryParams

from api.case_view import Asked
from api.case_words import FILTER_WORDS, values_of
from cases.form_file import read_form
from cases.model import Field
from cases.tables import cases
from kb.model import Source
from tests.integration.account_browser import text
from tests.integration.case_stage import QUEUE, TOOLS, Cases, case_stage, share, with_files
from tests.people import bearer

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HOSTILE = "<script>alert(1)</script>\"'>&"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    """Four cases of two branches; for tests that change nothing."""
    made = case_stage(tmp_path_factory.mktemp("cases") / "home")
    yield made
    made.stage.services.close()


@pytest.fixture
def own(shared: Cases, tmp_path: Path) -> Iterator[Cases]:
    """The same on a home of its own."""
    stage = shared.stage.copied(tmp_path / "home")
    yield Cases(stage, shared.ids, shared.documents)
    stage.services.close()


def titles(page: httpx.Response) -> list[str]:
    """The cases that a page lists, in its order."""
    tree = LexborHTMLParser(page.text)
    return [node.text(strip=True) for node in tree.css(".case-list .card-title")]


def hrefs(page: httpx.Response) -> list[str]:
    """Where the links of a page lead."""
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', page.text)]


# -- finding --------------------------------------------------------------------------


def test_without_a_problem_all_cases_in_sight_are_listed(shared: Cases) -> None:
    """The empty search lists what the person sees, with problem, outcome, who shared it and the facts."""
    page = shared.stage.browser("other-liaison").get("/cases")
    assert page.status_code == 200
    assert len(titles(page)) == 4
    found = text(page)
    assert QUEUE[Field.PROBLEM] in found
    assert QUEUE[Field.OUTCOME] in found
    for words in ("甲公司一支部", "制造", "180 人", "4,200 元", "已解决"):
        assert words in found


def test_problem_finds_its_case_first(shared: Cases) -> None:
    """A problem in other words than the title brings its case to the top, and stays in the box."""
    asked = "扳手借出去就找不到人"
    page = shared.stage.browser("other-liaison").get(f"/cases?q={asked}")
    assert titles(page)[0] == TOOLS[Field.TITLE]
    box = LexborHTMLParser(page.text).css_first("textarea#q")
    assert box is not None
    assert box.text() == asked
    assert f"/cases/questions/new?problem={httpx.QueryParams({'x': asked})}".replace("x=", "") in hrefs(page)


def test_filters_narrow_and_come_off(shared: Cases) -> None:
    """A filter leaves what fits it, its chip takes it off, and what is chosen stays ticked."""
    browser = shared.stage.browser("liaison")
    page = browser.get("/cases?industry=C&level=solved")
    assert titles(page) == [QUEUE[Field.TITLE]]
    ticked = LexborHTMLParser(page.text).css("input[checked]")
    assert {node.attributes["value"] for node in ticked} == {"C", "solved"}
    assert "/cases?industry=C" in hrefs(page)
    assert titles(browser.get("/cases?outcome=卷尺")) == [TOOLS[Field.TITLE]]
    assert titles(browser.get("/cases?cost=0")) == [TOOLS[Field.TITLE]]
    assert titles(browser.get("/cases?size=l")) == [QUEUE[Field.TITLE]]
    assert titles(browser.get("/cases?branch=yi-1")) == []


def test_filter_that_is_on_still_offers_the_others(shared: Cases) -> None:
    """Beside what is ticked stand the other values of the same filter, counted as if none were ticked."""
    page = shared.stage.browser("other-liaison").get("/cases?level=eased&branch=jia-1")
    boxes = LexborHTMLParser(page.text).css("input[name=level]")
    assert {node.attributes["value"] for node in boxes} == {"solved", "eased", "open"}
    assert {node.attributes["value"] for node in LexborHTMLParser(page.text).css("input[name=branch]")} == {
        "jia-1"
    }


def test_nothing_found_says_what_to_do(shared: Cases) -> None:
    """Where filters leave nothing, each can be taken off, and partners can be asked by whoever may."""
    page = shared.stage.browser("liaison").get("/cases?q=排队&industry=A")
    assert "没有找到合适的案例" in text(page)
    assert any(href.startswith("/cases?q=") and "industry" not in href for href in hrefs(page))
    assert any(href.startswith("/cases/questions/new?problem=") for href in hrefs(page))
    of_member = shared.stage.browser("member").get("/cases?q=排队&industry=A")
    assert not any(href.startswith("/cases/questions/new") for href in hrefs(of_member))


def test_what_is_not_shared_is_nowhere(shared: Cases) -> None:
    """A case of another branch is in no list, count, filter or answer of who does not see it."""
    for login in ("", "liaison", "member", "trainer", "root"):
        browser = shared.stage.browser(login)
        for address in ("/cases", "/cases?q=隐秘钥匙事", "/cases?branch=yi-1", "/v1/cases?q=隐秘钥匙事"):
            page = browser.get(address)
            assert page.status_code == 200
            shown = page.text.replace(
                "隐秘钥匙事", "", page.text.count("隐秘钥匙事") if "q=" in address else 0
            )
            assert shared.ids["secret"] not in shown, (login, address)
            assert "门卫钥匙" not in shown, (login, address)
        assert browser.get("/v1/cases").json()["total"] == (3 if login not in ("", "root") else 1)
        assert "yi-1" not in browser.get("/v1/cases").json()["facets"].get("branch", {})


def test_hidden_case_and_none_answer_alike(shared: Cases) -> None:
    """A case that is not seen answers on every address as one that does not exist."""
    browser = shared.stage.browser("liaison")
    for rest in ("", "/word", f"/attachments/{'0' * 16}"):
        for before in ("/cases/", "/v1/cases/"):
            if before == "/v1/cases/" and rest == "/word":
                continue
            hidden = browser.get(f"{before}{shared.ids['secret']}{rest}")
            none = browser.get(f"{before}{'0' * 15}1{rest}")
            assert hidden.status_code == none.status_code == 404
            assert hidden.text.replace(shared.ids["secret"], "X") == none.text.replace("0" * 15 + "1", "X")


def test_ended_partnership_takes_the_cases_along(own: Cases) -> None:
    """From the moment a partnership ends, neither list nor page shows what it shared."""
    browser = own.stage.browser("other-liaison")
    assert browser.get(f"/cases/{own.ids['queue']}").status_code == 200
    access = own.stage.access
    access.partnerships.end(own.stage.principal("liaison"), own.stage.partnership_id)
    assert browser.get(f"/cases/{own.ids['queue']}").status_code == 404
    assert QUEUE[Field.TITLE] not in titles(browser.get("/cases"))


def test_problem_of_too_many_words_is_kept_and_told(shared: Cases) -> None:
    """A text too long to look for stays in the box, and the page says how long it may be."""
    page = shared.stage.browser("liaison").get("/cases?q=" + "长" * 501)
    assert page.status_code == 400
    assert "501 字，最多 500 字" in text(page)
    assert "长" * 501 in page.text


def test_guest_reads_what_everyone_may(shared: Cases) -> None:
    """Without signing in one finds and reads cases for everyone; the menu has them for people only."""
    guest = shared.stage.browser()
    assert titles(guest.get("/cases")) == ["会议记录没人愿意写"]
    assert guest.get(f"/cases/{shared.ids['minutes']}").status_code == 200
    menu = LexborHTMLParser(guest.get("/").text).css_first("nav")
    assert menu is not None
    assert "案例" not in menu.text()
    entry = LexborHTMLParser(shared.stage.browser("member").get("/cases").text).css_first(
        "nav [aria-current]"
    )
    assert entry is not None
    assert (entry.text(), entry.attributes["href"]) == ("案例", "/cases")


VALUES = st.lists(st.sampled_from(["C", "solved", "m", "2", "jia-1", "x"]), max_size=3)


@given(
    q=st.text(max_size=20).map(str.strip),
    outcome=st.text(max_size=9).map(str.strip),
    chosen=st.fixed_dictionaries(dict.fromkeys(FILTER_WORDS, VALUES)),
    page=st.integers(1, 1000),
)
def test_search_is_read_back_from_its_address(
    q: str, outcome: str, chosen: dict[str, list[str]], page: int
) -> None:
    """An address states the whole search: read again it is the same, as far as filters can have the values."""
    fitting = {
        name: tuple(dict.fromkeys(v for v in values if name == "branch" or v in values_of(name)))
        for name, values in chosen.items()
    }
    asked = Asked(q=q, outcome=outcome, page=page, **fitting)
    query = asked.address().partition("?")[2]
    assert Asked.read(QueryParams(query)) == asked


# -- reading --------------------------------------------------------------------------


def test_case_page_begins_with_problem_and_outcome(shared: Cases) -> None:
    """Problem and outcome stand before the figures, and these before the story; the head says who shared it."""
    page = shared.stage.browser("other-liaison").get(f"/cases/{shared.ids['queue']}")
    found = text(page)
    parts = (QUEUE[Field.PROBLEM], QUEUE[Field.OUTCOME], "平均排队", QUEUE[Field.BACKGROUND], "米饭放到外面")
    assert sorted(found.index(part) for part in parts) == [found.index(part) for part in parts]
    assert found.index("甲公司一支部") < found.index(QUEUE[Field.PROBLEM])
    assert QUEUE[Field.CONTACTS] in found
    row = LexborHTMLParser(page.text).css_first("table.numbers tbody tr")
    assert row is not None
    assert [cell.text(strip=True) for cell in row.css("th, td")] == ["平均排队（分钟）", "22", "6"]


def test_reading_is_told_in_the_trail(own: Cases) -> None:
    """Whoever opens a case is noted as one who read its document."""
    own.stage.browser("other-liaison").get(f"/cases/{own.ids['queue']}")
    last = list(own.stage.access.audit.all())[-1]
    assert (last.action, last.object_id) == ("document.read", own.documents["queue"])


def test_word_file_holds_the_case(shared: Cases) -> None:
    """The Word file is named after the case, and reads back into the same form."""
    answer = shared.stage.browser("other-liaison").get(f"/cases/{shared.ids['queue']}/word")
    assert answer.headers["content-type"] == WORD
    assert "attachment" in answer.headers["content-disposition"]
    case = shared.stage.services.cases.library.case(shared.seen_by("liaison"), shared.ids["queue"])
    assert read_form(Source("x.docx", WORD, answer.content)).body == case.body


def test_document_leads_to_its_case_and_back(shared: Cases) -> None:
    """The document page and the hits of the one search link to the case page, which links to the text."""
    browser = shared.stage.browser("other-liaison")
    case = f"/cases/{shared.ids['queue']}"
    document = f"/documents/{shared.documents['queue']}"
    assert case in hrefs(browser.get(document))
    assert case in hrefs(browser.get("/?q=食堂排队"))
    assert document in hrefs(browser.get(case))


def test_one_search_shows_cases_with_their_kind(shared: Cases) -> None:
    """The search at / lists cases among the rest, and may be narrowed to them."""
    page = shared.stage.browser("other-liaison").get("/?q=食堂排队&kind=case")
    hit = LexborHTMLParser(page.text).css_first(".hit")
    assert hit is not None
    assert "案例" in hit.text()


def test_actions_follow_rights(shared: Cases) -> None:
    """Writers of the branch may change a case, writers elsewhere make their own of it, members neither."""
    case = f"/cases/{shared.ids['queue']}"
    derive = f"/cases/new?derived_from={shared.ids['queue']}"
    expected = {"liaison": (True, True), "other-liaison": (False, True), "member": (False, False)}
    for login, (writes, derives) in expected.items():
        found = hrefs(shared.stage.browser(login).get(case))
        assert (f"{case}/write" in found, derive in found) == (writes, derives), login


def test_origin_is_credited_only_where_it_is_seen(own: Cases) -> None:
    """A case names what it was made from to those who see that, and to nobody else."""
    stage = own.stage
    with stage.access.office.writing() as connection:
        connection.execute(
            update(cases).where(cases.c.case_id == own.ids["queue"]).values(derived_from=own.ids["secret"])
        )
    address, origin = own.ids["queue"], f"/cases/{own.ids['secret']}"
    assert origin in hrefs(stage.browser("other-liaison").get(f"/cases/{address}"))
    of_liaison = stage.browser("liaison")
    for asked in (f"/cases/{address}", f"/v1/cases/{address}"):
        page = of_liaison.get(asked)
        assert own.ids["secret"] not in page.text
        assert "门卫钥匙" not in page.text
    assert of_liaison.get(f"/v1/cases/{address}").json()["derived_from"] is None
    told = stage.browser("other-liaison").get(f"/v1/cases/{address}").json()
    assert told["derived_from"] == own.ids["secret"]


def test_photographs_are_shown_and_files_kept(own: Cases) -> None:
    """A photograph stands on the page, a file is downloaded; neither can act, and both are gone with the case."""
    case_id = with_files(own.stage)
    browser = own.stage.browser("other-liaison")
    page = browser.get(f"/cases/{case_id}")
    image = LexborHTMLParser(page.text).css_first(".photographs img")
    assert image is not None
    assert image.attributes["alt"] == "改造后的窗口"
    shown = browser.get(image.attributes["src"] or "")
    assert shown.headers["content-type"] == "image/jpeg"
    assert "content-disposition" not in shown.headers
    kept = next(h for h in hrefs(page) if "/attachments/" in h and h != image.attributes["src"])
    file = browser.get(kept)
    assert file.headers["content-disposition"].startswith("attachment")
    for answer in (shown, file):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert own.stage.browser().get(kept).status_code == 404
    own.stage.services.cases.publishing.withdraw(own.stage.principal("liaison"), case_id, "")
    for address in (f"/cases/{case_id}", kept, image.attributes["src"] or ""):
        assert browser.get(address).status_code == 404


def test_markup_in_cases_stays_text(own: Cases) -> None:
    """Whatever stands in a case or an address, the pages run nothing of it and load nothing from elsewhere."""
    body = dict.fromkeys((Field.PROBLEM, Field.PRACTICE, Field.OUTCOME), HOSTILE) | {Field.TITLE: HOSTILE}
    document_id = share(own.stage, "liaison", "jia-1", body, ["own"])
    scope = own.seen_by("liaison")
    case_id = own.stage.services.cases.library.of_document(scope, document_id)
    browser = own.stage.browser("liaison")
    for address in ("/cases", f"/cases/{case_id}", f"/cases?q={HOSTILE}&outcome={HOSTILE}&branch={HOSTILE}"):
        page = browser.get(address)
        assert page.status_code == 200
        assert page.text.count("<h1") == 1
        assert "<script>" not in page.text
        tags = re.findall(r"<[a-z][^>]*>", page.text)
        assert not [tag for tag in tags if re.search(r"^<style|\s(style|on[a-z]+)=", tag)], address
        assert not [tag for tag in tags if re.search(r'(href|src|action)="\s*([a-z]+:|//)', tag)], address
        ids = re.findall(r'\sid="([^"]*)"', page.text)
        assert len(ids) == len(set(ids)), address


# -- as JSON --------------------------------------------------------------------------


def test_json_finds_and_reads(shared: Cases) -> None:
    """The same search and the same case over HTTP, by a token."""
    stage = shared.stage
    client = stage.browser().client
    headers = bearer(stage.services, stage.ids["other-liaison"])
    found = client.get("/v1/cases", params={"q": "工具借出去不还", "k": 2}, headers=headers).json()
    assert found["cases"][0]["case_id"] == shared.ids["tools"]
    assert len(found["cases"]) <= 2
    case = client.get(f"/v1/cases/{shared.ids['tools']}", headers=headers).json()
    assert case["body"]["problem"] == TOOLS[Field.PROBLEM]
    near = client.get(f"/v1/cases/{shared.ids['tools']}/similar", headers=headers).json()["cases"]
    assert shared.ids["tools"] not in {c["case_id"] for c in near}


def test_json_tells_what_is_like_a_form(shared: Cases) -> None:
    """A form that is being written brings cases with such a problem; the case itself is left out."""
    stage = shared.stage
    client = stage.browser().client
    headers = bearer(stage.services, stage.ids["other-liaison"])
    body = {"body": {"problem": "卡尺和扳手借走不还，找不到是谁拿的"}, "k": 3}
    found = client.post("/v1/cases/like", json=body, headers=headers).json()
    assert found["cases"][0]["case_id"] == shared.ids["tools"]
    left_out = client.post("/v1/cases/like", json=body | {"without": shared.ids["tools"]}, headers=headers)
    assert shared.ids["tools"] not in left_out.text


def test_json_refuses_what_no_filter_has(shared: Cases) -> None:
    """A value that a filter cannot have is a bad request."""
    browser = shared.stage.browser("liaison")
    for query in ("industry=Z", "size=huge", "cost=9", "level=won", "branch=NO"):
        assert browser.get(f"/v1/cases?{query}").status_code == 400, query

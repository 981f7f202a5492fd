"""Votes for model cases on pages and over HTTP: called, put up, voted, counted, and for whom."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update

from access.rights import Role
from access.sharing import Wanted
from cases.model import Field
from cases.tables import ballots as ballot_rows
from cases.tables import cases as case_rows
from tests.integration.account_browser import Browser, text
from tests.integration.case_stage import MINUTES, QUEUE, TOOLS, Cases, case_stage, share
from tests.people import bearer

HOUR = timedelta(hours=1)
BALLOTS = "/cases/ballots"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Cases, another liaison's branch, and an open ballot, to be copied."""
    found = case_stage(tmp_path_factory.mktemp("ballots") / "home")
    found.stage.add("sister", jia=Role.LIAISON)
    found.stage.services.close()
    return found


@pytest.fixture
def room(built: Cases, home: Path) -> Iterator[Cases]:
    """The same on a home of the test's own."""
    found = Cases(built.stage.copied(home), built.ids, built.documents)
    yield found
    found.stage.services.close()


def call(
    room: Cases,
    *,
    n_votes: int = 2,
    n_models: int = 1,
    opens_in: timedelta = -HOUR,
    wanted: Sequence[str] = ("partners",),
) -> str:
    """A ballot of 甲一, usually with its partner; its id."""
    now = room.stage.access.office.now()
    return room.stage.services.cases.ballots.call(
        room.stage.principal("liaison"),
        "jia-1",
        "春季评选",
        now + opens_in,
        now + 2 * HOUR,
        n_votes,
        n_models,
        [Wanted(a) for a in wanted],
    )


def up(room: Cases, ballot_id: str, **names: str) -> None:
    """Put cases up, each by the login given for its name."""
    for name, login in names.items():
        room.stage.services.cases.ballots.nominate(room.stage.principal(login), ballot_id, room.ids[name])


def close(room: Cases, ballot_id: str) -> None:
    """Let the time of a ballot be over."""
    office = room.stage.access.office
    with office.writing() as connection:
        connection.execute(
            update(ballot_rows)
            .where(ballot_rows.c.ballot_id == ballot_id)
            .values(closes_at=office.now() - timedelta(seconds=1))
        )


def send(browser: Browser, address: str, action: str, /, *, mark: str = "", **typed: Any) -> str:
    """Open an address, send one of its forms, and read what comes of it; where it leads to, if it leads on."""
    browser.send(address, f"{address}/{action}", mark, **typed)
    if browser.page.status_code == 303:
        browser.get(browser.page.headers["location"])
    return text(browser.page)


def boxes(browser: Browser) -> dict[str, bool]:
    """The cases that one can vote for on the page, and whether they are ticked."""
    found = LexborHTMLParser(browser.page.text).css('input[name="case_ids"]')
    return {box.attributes["value"] or "": "checked" in box.attributes for box in found}


# -- pages ----------------------------------------------------------------------------------


def test_a_ballot_goes_its_whole_way_on_pages(room: Cases) -> None:
    """Called, previewed, put up, voted, changed, ended: each step on its page, and the badge in the end."""
    liaison, other = room.stage.browser("liaison"), room.stage.browser("other-liaison")
    assert "还没有评选" in text(liaison.get(BALLOTS))
    times = {"opens_at": "2020-01-01T08:00", "closes_at": "2099-01-01T08:00"}
    typed: dict[str, Any] = {
        "title": "年度先进典型",
        "audience": ["partners"],
        "n_votes": "1",
        "n_models": "1",
        **times,
    }
    liaison.send(f"{BALLOTS}/new", preview="1", **typed)
    assert "其他支部（1 个）：乙公司一支部" in text(liaison.page)
    assert "还没有评选" in text(liaison.get(BALLOTS))
    liaison.send(f"{BALLOTS}/new", **typed)
    address = liaison.page.headers["location"].partition("?")[0]
    page = text(liaison.get(address))
    assert "还没有案例参加" in page
    assert "全部共建支部" in page

    queue, tools = room.ids["queue"], room.ids["tools"]
    assert "已推荐" in send(liaison, address, "nominate", case_id=queue, branch="jia-1")
    assert "已经推荐过" in send(liaison, address, "nominate", case_id=queue, branch="jia-1")
    send(liaison, address, "nominate", case_id=tools, branch="jia-1")
    assert "本支部还没有投票" in text(other.get(BALLOTS))
    other.get(address)
    assert boxes(other) == {queue: False, tools: False}
    assert "本支部只有 1 票，勾了 2 个" in send(other, address, "vote", case_ids=[queue, tools])
    assert other.page.status_code == 400
    assert boxes(other) == {queue: True, tools: True}
    assert "已投票" in send(other, address, "vote", case_ids=[queue])
    assert "已投票" in send(other, address, "vote", case_ids=[tools])
    assert boxes(other) == {queue: False, tools: True}
    assert "本支部已投票" in text(other.get(BALLOTS))
    assert "票数" not in text(liaison.get(address)).replace("票数在截止以后公布", "").replace("票数最多", "")

    page = send(liaison, address, "end")
    assert "已结束" in page
    rows = [
        [cell.text(strip=True) for cell in row.css("td")]
        for row in LexborHTMLParser(liaison.page.text).css(".count-table tbody tr")
    ]
    assert [(row[0], row[2]) for row in rows] == [("1", "1"), ("2", "0")]
    assert TOOLS[Field.TITLE] in rows[0][1]
    assert "本支部投了它" not in page
    assert "本支部投了它" in text(other.get(address))
    assert "没有改动：评选已经结束了" in text(other.get(send_late(other, address, tools).headers["location"]))
    for login in ("liaison", "other-liaison", "member"):
        browser = room.stage.browser(login)
        assert "先进典型：年度先进典型" in text(browser.get(f"/cases/{tools}")), login
        assert "先进典型" not in text(browser.get(f"/cases/{queue}")), login
        assert f'href="{address}"' in browser.get("/cases").text


def send_late(browser: Browser, address: str, case_id: str) -> Any:
    """A vote from a page that was left open until the ballot was over."""
    browser.get("/me")
    token = LexborHTMLParser(browser.page.text).css_first('input[name="form_token"]')
    assert token is not None
    fields = {"form_token": token.attributes["value"], "branch": "yi-1", "case_ids": case_id}
    return browser.post(f"{address}/vote", fields)


def test_each_case_that_one_may_not_vote_for_says_why(room: Cases) -> None:
    """Own, of the same organisation, and of one line: the reason stands beside the case in place of its box."""
    ballot_id = call(room, wanted=("partners", "branch:jia"))
    room.ids = {**room.ids, "derived": derived(room, "queue")}
    up(room, ballot_id, queue="liaison", minutes="liaison", derived="other-liaison")
    told = {
        "liaison": ("这是本支部的案例", "一脉相承（一个由另一个改编而来），不能投"),
        "sister": ("这是本单位其他支部的案例",),
        "other-liaison": ("这是本支部的案例", "一脉相承（一个由另一个改编而来），不能投"),
    }
    for login, reasons in told.items():
        page = text(room.stage.browser(login).get(f"{BALLOTS}/{ballot_id}"))
        for reason in reasons:
            assert reason in page, (login, reason)
    other = room.stage.browser("other-liaison")
    other.get(f"{BALLOTS}/{ballot_id}")
    assert boxes(other) == {room.ids["minutes"]: False}
    page = send(other, f"{BALLOTS}/{ballot_id}", "vote", case_ids=[room.ids["queue"]])
    assert "没有投成" in page
    assert other.page.status_code == 400
    liaison = room.stage.browser("liaison")
    liaison.get(f"{BALLOTS}/{ballot_id}")
    assert "这里还没有甲公司一支部可以投的案例" in text(liaison.page)


def derived(room: Cases, origin: str) -> str:
    """A case of 乙一 that was made from another."""
    body = {**MINUTES, Field.TITLE: "改编的记录"}
    document_id = share(room.stage, "other-liaison", "yi-1", body, ["partners"])
    case_id = room.stage.services.cases.library.of_document(room.seen_by("other-liaison"), document_id)
    assert case_id
    with room.stage.access.office.writing() as connection:
        connection.execute(
            update(case_rows).where(case_rows.c.case_id == case_id).values(derived_from=room.ids[origin])
        )
    return case_id


def test_members_read_and_liaisons_vote(room: Cases) -> None:
    """A member sees cases and rules without a form; an administrator above a branch has no voice in it."""
    ballot_id = call(room)
    up(room, ballot_id, queue="liaison")
    page = room.stage.browser("member").get(f"{BALLOTS}/{ballot_id}")
    assert "由支部的联络员或管理员代表支部投票" in text(page)
    assert QUEUE[Field.TITLE] in text(page)
    assert f"{ballot_id}/vote" not in page.text
    assert "发起评选" not in text(room.stage.browser("member").get(BALLOTS))
    assert room.stage.browser("member").get(f"{BALLOTS}/new").status_code == 403
    assert room.stage.browser("").get(BALLOTS).status_code == 303
    above = room.stage.browser("other-admin").get(f"{BALLOTS}/{ballot_id}")
    assert above.status_code == 404


def test_the_form_keeps_what_was_typed_and_says_what_to_mend(room: Cases) -> None:
    """Each field that makes no sense is told in Chinese beside it, and nothing is called."""
    liaison = room.stage.browser("liaison")
    good = {
        "title": "评选",
        "audience": ["partners"],
        "opens_at": "2026-01-01T08:00",
        "closes_at": "2099-01-01T08:00",
        "n_votes": "3",
        "n_models": "3",
    }
    for changed, words in (
        ({"title": " "}, "名称要有 1 至 60 个字"),
        ({"opens_at": "明天"}, "请填日期和时间"),
        ({"closes_at": "2025-06-01T00:00"}, "截止时间要晚于开始时间"),
        ({"opens_at": "2020-01-01T08:00", "closes_at": "2021-01-01T08:00"}, "截止时间已经过了"),
        ({"n_votes": "²"}, "票数要在 1 至 20 之间"),
        ({"n_models": "一个"}, "评出的个数要在 1 至 50 之间"),
        ({"audience": []}, "请勾选请哪些支部投票"),
        ({"audience": ["own"]}, "至少要有两个单位"),
        ({"audience": ["group:0000000000000000"]}, "请看清后重新勾选"),
        ({"audience": ["everyone"]}, "请看清后重新勾选"),
    ):
        typed: dict[str, Any] = good | changed
        liaison.send(f"{BALLOTS}/new", **typed)
        assert liaison.page.status_code == 400, changed
        assert words in text(liaison.page), changed
        kept = LexborHTMLParser(liaison.page.text).css_first("#title")
        assert kept is not None
        assert kept.attributes["value"] == typed["title"]
    assert "还没有评选" in text(liaison.get(BALLOTS))


def test_who_is_not_called_is_told_the_same_as_of_nothing(room: Cases) -> None:
    """For a branch that was not called the ballot's pages and routes answer as for a ballot that is not there."""
    room.stage.add("bing-liaison", **{"bing-1": Role.LIAISON})
    ballot_id, none = call(room), "0" * 16
    browser = room.stage.browser("bing-liaison")
    headers = bearer(room.stage.services, room.stage.ids["bing-liaison"])
    for path in (f"{BALLOTS}/{{}}", "/v1/ballots/{}", "/v1/ballots/{}/result"):
        found, missing = (browser.client.get(path.format(i), headers=headers) for i in (ballot_id, none))
        assert (found.status_code, missing.status_code) == (404, 404)
        assert found.text.replace(ballot_id, none) == missing.text
    assert "春季评选" not in text(browser.get(BALLOTS))


def test_a_withdrawn_case_leaves_no_trace(room: Cases) -> None:
    """After the vote it is in no page, no answer and no badge; its voter is not told of a vote for it, ranks close up."""
    ballot_id = call(room)
    up(room, ballot_id, queue="liaison", tools="liaison")
    ballots = room.stage.services.cases.ballots
    other = room.stage.principal("other-liaison")
    ballots.vote(other, ballot_id, "yi-1", [room.ids["queue"]])
    close(room, ballot_id)
    room.stage.services.holdings.withdraw(room.stage.principal("liaison"), room.documents["queue"], "错了")
    headers = bearer(room.stage.services, room.stage.ids["other-liaison"])
    browser = room.stage.browser("other-liaison")
    pages = [browser.client.get(p, headers=headers).text for p in (f"/v1/ballots/{ballot_id}", "/v1/ballots")]
    pages += [browser.client.get(f"/v1/ballots/{ballot_id}/result", headers=headers).text]
    pages += [browser.get(f"{BALLOTS}/{ballot_id}").text, browser.get("/cases").text]
    for page in pages:
        assert room.ids["queue"] not in page
        assert QUEUE[Field.TITLE] not in page
    told = browser.client.get(f"/v1/ballots/{ballot_id}/result", headers=headers).json()
    assert told == {"standings": [{"case_id": room.ids["tools"], "n_votes": 0, "rank": 1, "is_model": False}]}


def test_who_is_in_two_branches_votes_for_each(room: Cases) -> None:
    """One chooses as which branch one votes; each has its own votes and its own bars."""
    room.stage.add("both", **{"jia-1": Role.LIAISON, "yi-1": Role.LIAISON})
    ballot_id = call(room)
    up(room, ballot_id, queue="liaison", tools="liaison")
    browser = room.stage.browser("both")
    address = f"{BALLOTS}/{ballot_id}"
    browser.get(f"{address}?branch=yi-1")
    assert len(boxes(browser)) == 2
    browser.get(f"{address}?branch=jia-1")
    assert boxes(browser) == {}
    browser.send(f"{address}?branch=yi-1", f"{address}/vote", case_ids=[room.ids["queue"]])
    assert browser.page.headers["location"] == f"{address}?done=voted&branch=yi-1"
    (jia, yi) = room.stage.services.cases.ballots.voices(room.stage.principal("both"), ballot_id)
    assert not jia.chosen
    assert yi.chosen == {room.ids["queue"]}


def test_a_branch_with_nothing_to_vote_for_is_told_so_before_it_opens(room: Cases) -> None:
    """A ballot to come shows its cases and when the vote begins, and no form to vote."""
    ballot_id = call(room, opens_in=HOUR)
    up(room, ballot_id, queue="liaison")
    page = room.stage.browser("other-liaison").get(f"{BALLOTS}/{ballot_id}")
    assert "还没有开始投票" in text(page)
    assert QUEUE[Field.TITLE] in text(page)
    assert f"{ballot_id}/vote" not in page.text
    late = send_late(room.stage.browser("other-liaison"), f"{BALLOTS}/{ballot_id}", room.ids["queue"])
    assert late.headers["location"].endswith("done=not-open&branch=yi-1")


# -- HTTP -------------------------------------------------------------------------------------


def test_a_ballot_goes_its_whole_way_over_http(room: Cases) -> None:
    """Called, put up, taken back, voted, barred, ended and counted, with the codes that the contract names."""
    services, ids = room.stage.services, room.stage.ids
    client = room.stage.browser("").client
    jia, yi, member = (bearer(services, ids[login]) for login in ("liaison", "other-liaison", "member"))
    queue, secret = room.ids["queue"], room.ids["secret"]
    now = datetime.now(UTC)
    body = {
        "branch_id": "jia-1",
        "title": "评选",
        "opens_at": (now - HOUR).isoformat(),
        "closes_at": (now + HOUR).isoformat(),
        "n_votes": 1,
        "n_models": 1,
        "audience": ["partners"],
    }
    assert client.post("/v1/ballots", json=body, headers=member).status_code == 403
    assert client.post("/v1/ballots", json=body | {"audience": ["own"]}, headers=jia).status_code == 400
    far = body | {"opens_at": "0001-01-01T00:00:00+08:00"}
    assert client.post("/v1/ballots", json=far, headers=jia).status_code == 400
    made = client.post("/v1/ballots", json=body, headers=jia)
    assert made.status_code == 201, made.text
    one = f"/v1/ballots/{made.json()['ballot_id']}"

    assert client.post(f"{one}/nominations", json={"case_id": queue}, headers=yi).status_code == 403
    assert client.post(f"{one}/nominations", json={"case_id": secret}, headers=jia).status_code == 404
    assert client.post(f"{one}/nominations", json={"case_id": queue}, headers=jia).status_code == 204
    assert client.post(f"{one}/nominations", json={"case_id": queue}, headers=jia).status_code == 409
    assert client.delete(f"{one}/nominations/{queue}", headers=jia).status_code == 204
    assert client.post(f"{one}/nominations", json={"case_id": queue}, headers=jia).status_code == 204

    votes = {"case_ids": [queue]}
    assert client.put(f"{one}/votes/jia-1", json=votes, headers=jia).status_code == 403
    assert client.put(f"{one}/votes/yi-1", json=votes, headers=jia).status_code == 403
    assert client.put(f"{one}/votes/yi-1", json={"case_ids": [secret]}, headers=yi).status_code == 404
    assert client.put(f"{one}/votes/yi-1", json={"case_ids": [secret, queue]}, headers=yi).status_code == 400
    for _ in range(2):
        assert client.put(f"{one}/votes/yi-1", json=votes, headers=yi).status_code == 204
    whole = client.get(one, headers=jia).json()
    assert whole["phase"] == "open"
    assert whole["ended_at"] is None
    assert whole["voices"] == [
        {"branch_id": "jia-1", "takes_part": True, "chosen": [], "barred": {queue: "own"}}
    ]
    assert client.get(one, headers=yi).json()["voices"][0]["chosen"] == [queue]
    assert client.get(f"{one}/result", headers=yi).status_code == 409
    assert client.post(f"{one}/end", headers=yi).status_code == 403
    assert client.post(f"{one}/end", headers=jia).status_code == 204
    assert client.post(f"{one}/end", headers=jia).status_code == 409
    assert client.put(f"{one}/votes/yi-1", json=votes, headers=yi).status_code == 409
    told = client.get(f"{one}/result", headers=member).json()["standings"]
    assert told == [{"case_id": queue, "n_votes": 1, "rank": 1, "is_model": True}]
    (card,) = client.get("/v1/ballots", headers=yi).json()["ballots"]
    assert (card["phase"], card["n_cases"], card["voted"]) == ("over", 1, ["yi-1"])
    assert client.get("/v1/ballots").status_code == 401
    trail = [a for a in room.stage.actions() if a.startswith("ballot.")]
    assert trail == [
        "ballot.call",
        "ballot.nominate",
        "ballot.take_back",
        "ballot.nominate",
        "ballot.vote",
        "ballot.vote",
        "ballot.end",
    ]

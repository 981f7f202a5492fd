"""Handing in, sharing, passing on, copying and withdrawing over HTTP, as each kind of person."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.principal import Principal
from access.rights import Role
from access.sharing import Wanted
from api.original_page import MAX_BYTES
from kb.errors import SignInRequired
from kb.model import PUBLIC, Source
from store.shares import put_shares, shares_of
from tests.integration.sharing_world import BRANCHES, PEOPLE, Files, World, open_world, text_of


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of the test's own."""
    found = open_world(tmp_path / "home")
    yield found
    found.services.close()


def shown(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


# -- handing in ---------------------------------------------------------------------------


def test_hand_in_from_form_to_document(world: World) -> None:
    """A trainer hands a file in, sees the job done in words, and colleagues see the document."""
    assert "交材料" in world.get("trainer", "/manage/hand-in").text
    answer = world.post(
        "trainer",
        "/manage/hand-in",
        {"branch": "north-1", "audience": ["own"]},
        [("规程.txt", text_of("一"))],
    )
    assert answer.status_code == 303
    assert re.fullmatch(r"/manage/jobs#[0-9a-zA-Z_-]+", answer.headers["location"])
    waiting = world.get("trainer", "/manage/jobs").text
    assert "排队中" in waiting
    assert "data-running" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    world.services.jobs.drain()
    done = world.get("trainer", "/manage/jobs").text
    assert "交入 1 个" in shown(done)
    assert "http-equiv" not in done
    found = re.search(r'href="/documents/([0-9a-f]{16})">规程.txt', done)
    assert found
    assert world.sees("member", found[1])
    assert not world.sees("partner", found[1])
    assert not world.sees("guest", found[1])


def test_outcomes_are_told_in_words_each(world: World) -> None:
    """Added, already here and failed files are told apart, with what to do about the failed one."""
    old = world.hand_in("trainer")
    files = [
        ("新.txt", text_of("新的")),
        ("旧.txt", text_of("某")),
        ("坏.pdf", b"%PDF-1.4 nothing"),
    ]
    world.post("trainer", "/manage/hand-in", {"branch": "north-1", "audience": "own"}, files)
    world.services.jobs.drain()
    part = world.get("trainer", "/manage/jobs?part=list").text
    assert "<html" not in part
    assert "交入 1 个，已有 1 个，没有交入 1 个" in shown(part)
    assert f'/documents/{old}">旧.txt' in part
    assert "请用原软件打开" in part
    assert "Cannot" not in part


def test_wrong_files_are_told_before_anything_is_queued(world: World) -> None:
    """Unsupported, empty, oversize, missing and too many files stop at the form, which keeps what was ticked."""
    cases: list[tuple[Files, str]] = [
        ([("片.exe", b"MZ")], "“片.exe”：这种格式读不了"),
        ([("空.txt", b"")], "“空.txt”是空文件"),
        ([("大.txt", b"a" * (1024 * 1024 + 1))], "“大.txt”超过 1 MB"),
        ([(f"{n}.txt", b"a") for n in range(21)], "您选了 21 个"),
    ]
    for files, words in cases:
        answer = world.post(
            "liaison", "/manage/hand-in", {"branch": "north-1", "audience": ["own", "partners"]}, files
        )
        assert answer.status_code == 400, words
        assert words in unescape(answer.text)
        assert 'aria-invalid="true"' in answer.text
        assert 'value="partners" checked' in answer.text
        assert files[0][0] in unescape(answer.text)
    assert world.services.jobs.seen(world.by("liaison")) == []


def test_no_file_chosen_is_told(world: World) -> None:
    """A form sent without a file, as browsers send it, asks for one."""
    client = world.client("liaison")
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/manage/hand-in").text)
    assert token
    fields = {"form_token": unescape(token[1]), "branch": "north-1", "audience": "own"}
    parts = [f'--x\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append(
        '--x\r\ncontent-disposition: form-data; name="files"; filename=""\r\n'
        "content-type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    answer = client.post(
        "/manage/hand-in",
        content="".join(parts).encode(),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 400
    assert "请选择要交的文件" in answer.text


def test_who_may_hand_in_where(world: World) -> None:
    """Guests sign in first, members may not, others only to branches of their own and as wide as they may share."""
    body, files = {"branch": "north-1", "audience": "own"}, [("a.txt", text_of("甲"))]
    assert world.get("guest", "/manage/hand-in").headers["location"].startswith("/sign-in")
    assert world.get("member", "/manage/hand-in").status_code == 403
    assert world.post("guest", "/manage/hand-in", body, files).status_code == 401
    assert world.post("member", "/manage/hand-in", body, files).status_code == 403
    assert world.post("foreign", "/manage/hand-in", body, files).status_code == 404
    for who in ("trainer", "liaison"):
        assert world.post(who, "/manage/hand-in", body, files).status_code == 303, who
    # Of the branch above: they would not see there what they handed in.
    assert world.post("administrator", "/manage/hand-in", body, files).status_code == 403
    above = world.post("administrator", "/manage/hand-in", {"branch": "north", "audience": "own"}, files)
    assert above.status_code == 303
    wide = world.post("trainer", "/manage/hand-in", {"branch": "north-1", "audience": "everyone"}, files)
    assert wide.status_code == 400
    assert "有的对象现在不能共享了" in wide.text


def test_same_bytes_of_two_branches_tell_nothing_of_each_other(world: World) -> None:
    """Who hands in what a foreign branch holds already is told "added", and sees only the own one."""
    for who, branch in (("trainer", "north-1"), ("foreign", "west")):
        world.post(
            who, "/manage/hand-in", {"branch": branch, "audience": "own"}, [("同.txt", text_of("同一份"))]
        )
        world.services.jobs.drain()
    found = {}
    for who in ("trainer", "foreign"):
        page = world.get(who, "/manage/jobs").text
        assert "交入 1 个" in shown(page)
        assert "已有" not in page
        found[who] = re.findall(r"/documents/([0-9a-f]{16})", page)[0]
    assert found["trainer"] != found["foreign"]
    assert not world.sees("foreign", found["trainer"])
    assert not world.sees("trainer", found["foreign"])
    assert "共 1 份" in shown(world.get("foreign", "/documents").text)


def test_jobs_of_others_without_names(world: World) -> None:
    """Operators see that somebody's job ran, not what was in it; other branches see nothing of it."""
    world.post(
        "trainer", "/manage/hand-in", {"branch": "north-1", "audience": "own"}, [("密.txt", text_of("密件"))]
    )
    world.services.jobs.drain()
    theirs = world.get("operator", "/manage/jobs").text
    assert "别人交的" in theirs
    assert "密.txt" not in theirs
    assert "共 1 个文件" in theirs
    assert "还没有任务" in world.get("foreign", "/manage/jobs").text
    assert "密.txt" not in world.get("liaison", "/manage/jobs").text
    assert world.get("guest", "/manage/jobs").headers["location"].startswith("/sign-in")


# -- seeing ---------------------------------------------------------------------------------


def test_each_page_by_role(world: World) -> None:
    """What each person may open of a document's audience: the table of rights, in status codes."""
    own = world.hand_in("trainer", "内部", [Wanted("own")])
    shared = world.hand_in("liaison", "外发", [Wanted("own"), Wanted("partners")])
    expected = {
        # who: audience and withdraw of the inner one, then of the shared one
        "guest": (303, 303, 303, 303),
        "member": (403, 403, 403, 403),
        "trainer": (200, 403, 200, 403),
        "liaison": (200, 200, 200, 200),
        "chief": (200, 200, 200, 200),
        # Above the branch: what it keeps to itself is not seen from there.
        "administrator": (404, 404, 404, 404),
        "neighbour": (404, 404, 404, 404),
        "partner": (404, 404, 403, 403),
        "reader": (404, 404, 403, 403),
        "foreign": (404, 404, 404, 404),
        "operator": (404, 404, 404, 404),
    }
    for who, statuses in expected.items():
        got = tuple(
            world.get(who, f"/documents/{d}/{page}").status_code
            for d in (own, shared)
            for page in ("audience", "withdraw")
        )
        assert got == statuses, who


def test_document_page_offers_what_one_may(world: World) -> None:
    """The block beside the text tells the keeper, and offers sharing, copying and withdrawing to those who may."""
    document_id = world.hand_in("liaison", "外发", [Wanted("own"), Wanted("partners")])
    pages = {who: world.get(who, f"/documents/{document_id}").text for who in ("guest", *PEOPLE)}
    for who, says in {
        "member": ["本支部"],
        "trainer": ["谁能看", "本支部、全部共建支部", ">共享<"],
        "liaison": [">共享<", ">撤下<"],
        "partner": ["北方一支部", "存为副本"],
        "reader": ["北方一支部"],
    }.items():
        for words in says:
            assert words in pages[who] or words in shown(pages[who]), (who, words)
    for who, hides in {
        "member": ["/audience", "/withdraw", "/copy"],
        "trainer": ["/withdraw", "/copy"],
        "liaison": ["/copy"],
        "partner": ["/audience", "/withdraw", "谁能看"],
        "reader": ["/audience", "/withdraw", "/copy"],
    }.items():
        for words in hides:
            assert words not in pages[who], (who, words)


def test_hidden_and_missing_answer_alike(world: World) -> None:
    """Every address of a hidden document answers, but for the id, byte for byte as that of no document."""
    hidden, missing = world.hand_in("trainer", "隐藏"), "0123456789abcdef"
    gets = ("", "/audience", "/withdraw", "/original", "/original/view")
    posts: dict[str, dict[str, Any]] = {
        "/audience": {"audience": "own"},
        "/reshare": {"branch": "west", "audience": "partners"},
        "/shares/0123456789abcdef/take-back": {},
        "/copy": {"branch": "west"},
        "/withdraw": {"reason": "x"},
    }

    def answer(who: str, document_id: str, path: str, body: dict[str, Any] | None) -> tuple[int, str]:
        address = f"/documents/{document_id}{path}"
        got = world.get(who, address) if body is None else world.post(who, address, body)
        html = re.sub(r'name="form_token" value="[^"]*"', "", got.text)
        return got.status_code, html.replace(document_id, "ID")

    for who in ("foreign", "partner", "operator", "guest"):
        for path, body in [*((p, None) for p in gets), *posts.items()]:
            one, other = answer(who, hidden, path, body), answer(who, missing, path, body)
            assert one == other, (who, path)
            assert one[0] in (303, 401, 404), (who, path)


# -- sharing --------------------------------------------------------------------------------


def test_shared_with_partner_at_once_and_taken_back_at_once(world: World) -> None:
    """What the liaison ticks, the partner sees at the next request; what is taken back is gone from every channel."""
    document_id = world.hand_in("liaison")
    address = f"/documents/{document_id}"
    assert not world.sees("partner", document_id)
    body = {"audience": ["own", "branch:south"], "may_reshare": ["branch:south"]}
    answer = world.post("liaison", f"{address}/audience", body)
    assert answer.headers["location"] == f"{address}/audience?done=shared"
    assert world.sees("partner", document_id)
    assert not world.sees("chained", document_id)
    page = world.get("liaison", f"{address}/audience").text
    assert "南方支部 允许转发" in shown(page)
    taken = re.search(r'action="([^"]+/take-back)"', page)
    assert taken
    assert world.post("liaison", taken[1]).status_code == 303
    assert not world.sees("partner", document_id)
    assert world.sees("member", document_id)


def test_own_branch_and_owner_cannot_be_taken_out(world: World) -> None:
    """A document never gets lost: the share that its keeper or owner has offers no taking back, and refuses it."""
    for wanted in ([Wanted("own")], []):
        document_id = world.hand_in("liaison", f"守{len(wanted)}", wanted)
        address = f"/documents/{document_id}"
        assert "take-back" not in world.get("liaison", f"{address}/audience").text
        with world.services.catalog.engine.connect() as connection:
            share_id = shares_of(connection, document_id)[0].share_id
        assert world.post("liaison", f"{address}/shares/{share_id}/take-back").status_code == 400
        assert world.sees("liaison", document_id)


def test_roles_share_as_wide_as_they_may(world: World) -> None:
    """A trainer shares inside the branch; beyond it boxes are shut with the reason, and a forged form is refused."""
    mine = world.hand_in("trainer", "自己", [])
    page = world.get("trainer", f"/documents/{mine}/audience").text
    assert 'value="partners" disabled' in page
    assert "由联络员或管理员来办" in page
    assert not world.sees("member", mine)
    assert world.post("trainer", f"/documents/{mine}/audience", {"audience": "own"}).status_code == 303
    assert world.sees("member", mine)
    assert world.post("trainer", f"/documents/{mine}/audience", {"audience": "partners"}).status_code == 403
    assert world.post("liaison", f"/documents/{mine}/audience", {"audience": "partners"}).status_code == 303
    shut = world.get("trainer", f"/documents/{mine}/audience").text
    assert "只有联络员或管理员能改" in shut
    assert ">保存<" not in shut
    assert world.post("trainer", f"/documents/{mine}/audience", {"audience": "own"}).status_code == 403
    assert world.post("member", f"/documents/{mine}/audience", {"audience": "own"}).status_code == 403


def test_forms_that_make_no_sense_are_told_beside_the_boxes(world: World) -> None:
    """Nothing ticked by one who is not the owner, passing on without sharing, and a lost partner are told in words."""
    document_id = world.hand_in("trainer")
    address = f"/documents/{document_id}/audience"
    for body, words in (
        ({}, "至少勾选“本支部”"),
        ({"audience": "own", "may_reshare": "branch:south"}, "还要勾上它前面的对象"),
        ({"audience": ["own", "branch:west"]}, "有的对象现在不能共享了"),
        ({"audience": ["own", "group:none"]}, "有的对象现在不能共享了"),
        ({"audience": "nonsense"}, "有的对象现在不能共享了"),
    ):
        answer = world.post("liaison", address, body)
        assert answer.status_code == 400, body
        assert words in answer.text
    assert not world.sees("partner", document_id)


AUDIENCES = ("own", "partners", "everyone", "branch:north", "branch:north-2", "branch:south", "group")


@settings(max_examples=12)
@given(data=st.data())
def test_preview_is_what_happens(shared_world: World, data: st.DataObject) -> None:
    """Preview changes nothing, and names exactly those who see the document once it is saved."""
    world = shared_world
    ticked = data.draw(st.lists(st.sampled_from(AUDIENCES), unique=True))
    passing = [a for a in ticked if a not in ("own", "everyone") and data.draw(st.booleans())]
    document_id = world.ids["document"]
    group = f"group:{world.group}"

    def form(values: list[str]) -> list[str]:
        return [group if v == "group" else v for v in values]

    body = {"audience": form(ticked), "may_reshare": form(passing)}
    members = {
        "north-1": "member",
        "north-2": "neighbour",
        "south": "reader",
        "east": "chained",
        "west": "foreign",
    }
    address = f"/documents/{document_id}"

    def now() -> dict[str, bool]:
        people = {b: world.get(who, address).status_code == 200 for b, who in members.items()}
        return people | {"guest": world.get("guest", address).status_code == 200}

    before = now()
    page = world.post("liaison", f"{address}/audience", {**body, "preview": "1"})
    assert page.status_code == 200
    notice = re.search(r'id="preview">(.*?)</div>', page.text, re.S)
    assert notice
    said = shown(notice[1])
    assert now() == before
    assert world.post("liaison", f"{address}/audience", body).status_code == 303
    after = now()
    assert after["guest"] == ("所有人" in said)
    names = {b: name for b, name, _, _ in BRANCHES}
    listed = said.partition("工作组")[0]
    for branch_id in members:
        assert after[branch_id] == (after["guest"] or names[branch_id] in listed), (branch_id, said)
    assert ("只有您自己" in said) == (not ticked)


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world with one document that partners have passed on; its audience changes from example to example."""
    world = open_world(tmp_path_factory.mktemp("preview") / "home")
    document_id = world.hand_in("liaison", "预览", [Wanted("own"), Wanted("branch:south", True)])
    world.services.access.sharing.reshare(world.by("partner"), document_id, "south", [Wanted("branch:east")])
    world.ids["document"] = document_id
    yield world
    world.services.close()


def test_preview_counts_what_others_passed_on(world: World) -> None:
    """Who has the document from a partner is named in the preview while that stays, and not where it would go."""
    document_id = world.hand_in("liaison", "转", [Wanted("own"), Wanted("branch:south", True)])
    world.post("partner", f"/documents/{document_id}/reshare", {"branch": "south", "audience": "branch:east"})
    assert world.sees("chained", document_id)
    address = f"/documents/{document_id}/audience"
    stays = {"audience": ["own", "branch:south"], "may_reshare": "branch:south", "preview": "1"}
    goes = {"audience": ["own", "branch:south"], "preview": "1"}
    assert "东方支部" in shown(world.post("liaison", address, stays).text.partition("保存之后")[2])[:80]
    assert "东方支部" not in shown(world.post("liaison", address, goes).text.partition("保存之后")[2])[:80]


# -- passing on -------------------------------------------------------------------------------


def test_reshare_chain_and_its_end(world: World) -> None:
    """A partner passes on what may be passed on; the keeper sees it marked; taking the root back ends the chain."""
    document_id = world.hand_in("liaison", "链", [Wanted("own"), Wanted("branch:south", True)])
    address = f"/documents/{document_id}"
    offer = world.get("partner", f"{address}/audience").text
    assert "以南方支部的名义转发" in offer
    assert "改变共享范围" not in offer
    assert world.post("partner", f"{address}/reshare", {"branch": "south"}).status_code == 400
    passed = world.post("partner", f"{address}/reshare", {"branch": "south", "audience": "branch:east"})
    assert passed.status_code == 303
    assert world.sees("chained", document_id)
    assert not world.sees("foreign", document_id)
    mine = world.get("partner", f"{address}/audience").text
    assert "我们转发给" in mine
    assert "东方支部" in shown(mine)
    assert "全部共建支部" in shown(mine)
    kept = world.get("liaison", f"{address}/audience").text
    assert "南方支部转发" in shown(kept)
    again = world.post("chained", f"{address}/reshare", {"branch": "east", "audience": "partners"})
    assert again.status_code == 403
    world.post("liaison", f"{address}/audience", {"audience": "own"})
    assert not world.sees("chained", document_id)
    assert not world.sees("partner", document_id)


def test_resharer_takes_back_the_own_share_alone(world: World) -> None:
    """Who passed on may take that back, not what the keeper gave; others may not take back anything."""
    document_id = world.hand_in("liaison", "回", [Wanted("own"), Wanted("branch:south", True)])
    address = f"/documents/{document_id}"
    world.post("partner", f"{address}/reshare", {"branch": "south", "audience": "branch:east"})
    with world.services.catalog.engine.connect() as connection:
        found = {
            s.parent_id is None: s.share_id
            for s in shares_of(connection, document_id)
            if "branch:north" not in s.audience
        }
    for who in ("partner", "chained", "member", "foreign"):
        direct = world.post(who, f"{address}/shares/{found[True]}/take-back")
        assert direct.status_code in (403, 404), who
    back = world.post("partner", f"{address}/shares/{found[False]}/take-back")
    assert back.headers["location"] == f"{address}?done=taken-back"
    assert not world.sees("chained", document_id)
    assert world.sees("partner", document_id)


# -- copies and withdrawing -----------------------------------------------------------------------


def test_copy_is_never_wider_than_its_origin(world: World) -> None:
    """A copy opens for its branch, says where it is from, reaches nobody beyond the origin, and goes with it."""
    document_id = world.hand_in("liaison", "源", [Wanted("own"), Wanted("branch:south")])
    answer = world.post("partner", f"/documents/{document_id}/copy", {"branch": "south"})
    assert answer.status_code == 303
    copy_id = re.fullmatch(r"/documents/([0-9a-f]{16})\?done=copied", answer.headers["location"])
    assert copy_id
    copy = f"/documents/{copy_id[1]}"
    page = world.get("partner", f"{copy}?done=copied").text
    assert "已存为副本" in page
    assert "由北方一支部保管" in shown(page).replace(" ", "")
    twice = world.post("partner", f"/documents/{document_id}/copy", {"branch": "south"})
    assert twice.headers["location"].endswith("?done=copied-before")
    preview = world.post(
        "partner", f"{copy}/audience", {"audience": ["own", "everyone", "partners"], "preview": "1"}
    )
    said = shown(preview.text.partition("保存之后")[2].partition("</div>")[0])
    assert "所有人" not in said
    assert "东方支部" not in said
    assert "北方一支部" in said
    world.post("partner", f"{copy}/audience", {"audience": ["own", "everyone", "partners"]})
    for who in ("guest", "chained", "foreign"):
        assert not world.sees(who, copy_id[1]), who
    assert world.sees("member", copy_id[1])
    warned = world.get("liaison", f"/documents/{document_id}/withdraw").text
    assert "2 处共享一并停止" in warned
    assert "1 份副本" in warned
    gone = world.post("liaison", f"/documents/{document_id}/withdraw", {"reason": "数字有误"})
    assert gone.headers["location"] == "/manage/documents?branch=north-1&done=withdrawn"
    for who in ("liaison", "partner", "member", "guest"):
        assert not world.sees(who, document_id)
        assert not world.sees(who, copy_id[1])


def test_withdrawn_are_listed_by_day_and_reason_alone(world: World) -> None:
    """The tombstone tells its branch's sharers the reason, and nobody the title; the file cannot be handed in again."""
    document_id = world.hand_in("liaison", "机密标题")
    world.post("liaison", f"/documents/{document_id}/withdraw", {"reason": "数字有误"})
    page = world.get("liaison", "/manage/documents").text
    assert "数字有误" in page
    assert "机密标题" not in page
    for who in ("member", "trainer", "partner", "foreign"):
        assert "数字有误" not in world.get(who, "/manage/documents").text, who
    world.post(
        "liaison",
        "/manage/hand-in",
        {"branch": "north-1", "audience": "own"},
        [("x.txt", text_of("机密标题"))],
    )
    world.services.jobs.drain()
    assert "这份材料交过，后来撤下了" in world.get("liaison", "/manage/jobs").text


def test_trainer_withdraws_only_what_is_theirs_alone(world: World) -> None:
    """An owner takes out what nobody else sees; once shared it is for those who share."""
    alone, shared = world.hand_in("trainer", "独", []), world.hand_in("trainer", "众")
    assert "它没有共享给别人" in world.get("trainer", f"/documents/{alone}/withdraw").text
    assert world.post("trainer", f"/documents/{alone}/withdraw").status_code == 303
    assert not world.sees("trainer", alone)
    assert world.post("trainer", f"/documents/{shared}/withdraw").status_code == 403
    assert world.sees("trainer", shared)


def test_only_editors_of_another_branch_copy(world: World) -> None:
    """Copying needs sight of the document and an editor's role in the branch that will keep the copy."""
    document_id = world.hand_in("liaison", "源", [Wanted("own"), Wanted("everyone")])
    path = f"/documents/{document_id}/copy"
    for who, branch, status in (
        ("guest", "south", 401),
        ("member", "north-1", 403),
        ("reader", "south", 403),
        ("foreign", "south", 404),
        ("foreign", "west", 303),
    ):
        assert world.post(who, path, {"branch": branch}).status_code == status, (who, branch)


# -- what a branch keeps ------------------------------------------------------------------------------


def test_kept_documents_as_seen_by(world: World) -> None:
    """The list of a branch tells audiences to editors, and marks what another branch or person would see."""
    world.hand_in("liaison", "内部件")
    world.hand_in("liaison", "外发件", [Wanted("own"), Wanted("partners")])
    page = shown(world.get("liaison", "/manage/documents").text)
    assert "本支部、全部共建支部" in page
    assert "看得到" not in page
    for who, seen in (
        ("branch:south", {"外发件"}),
        ("branch:north-2", set()),
        (f"person:{world.ids['member']}", {"外发件", "内部件"}),
    ):
        html = world.get("liaison", f"/manage/documents?as={who}").text
        marks = dict(re.findall(r'">([^<]+)磷灰石规程</a></h2>.*?badge[^>]*>(看得到|看不到)<', html, re.S))
        assert marks == {t: "看得到" if t in seen else "看不到" for t in ("外发件", "内部件")}
    for strange in ("branch:west", f"person:{world.ids['foreign']}", "nobody"):
        assert world.get("liaison", f"/manage/documents?as={strange}").status_code == 404
    member = world.get("member", "/manage/documents")
    assert "外发件" in member.text
    assert "全部共建支部" not in member.text
    assert world.get("member", "/manage/documents?as=branch:south").status_code == 404
    assert world.get("partner", "/manage/documents?branch=north-1").status_code == 404
    assert world.get("guest", "/manage/documents").headers["location"].startswith("/sign-in")


def test_documents_without_an_owner_are_taken_over(world: World) -> None:
    """What nobody can see any more is listed by id for the administrator alone, who can take it over."""
    document_id = world.hand_in("trainer", "遗留", [])
    listed = "/manage/documents?branch=north-1"
    assert document_id not in world.get("administrator", listed).text
    world.services.access.people.set_roles(None, world.ids["trainer"], "north-1", frozenset())
    page = world.get("administrator", listed).text
    assert document_id in page
    assert "遗留" not in page
    assert document_id not in world.get("liaison", listed).text
    path = f"/manage/documents/{document_id}/take-over"
    assert world.post("liaison", path, {"branch": "north-1"}).status_code == 403
    # Administering from above gives no sight of it: a role in the branch itself is needed.
    assert world.post("administrator", path, {"branch": "north-1"}).status_code == 403
    access, boss = world.services.access, world.ids["administrator"]
    access.people.set_roles(world.by("administrator"), boss, "north-1", frozenset({Role.ADMINISTRATOR}))
    assert world.post("administrator", path, {"branch": "north-1"}).status_code == 303
    assert world.sees("administrator", document_id)
    assert not world.sees("liaison", document_id)


# -- originals ------------------------------------------------------------------------------------------

PAGE = (
    "<html><head><meta charset=gbk><title>页</title></head><body><h1>磷灰石通报</h1><p onclick=x()>第一段。</p>"
    "<script>alert(1)</script><img src=http://evil.example/x.png><table><tr><td>甲</td></tr></table></body></html>"
)


def put_page(world: World, html: bytes) -> str:
    source = Source("通报.html", "text/html", html)
    outcome = world.services.holdings.hand_in(world.by("trainer"), "north-1", source, [Wanted("own")])
    assert outcome.document_id, outcome
    return outcome.document_id


def test_original_page_is_read_cleaned(world: World) -> None:
    """An HTML original reads as it was in its own encoding, with nothing in it that acts or loads."""
    document_id = put_page(world, PAGE.encode("gbk"))
    assert f"/documents/{document_id}/original/view" in world.get("member", f"/documents/{document_id}").text
    html = world.get("member", f"/documents/{document_id}/original/view").text
    inner = html.partition('class="text original"')[2].partition("</main>")[0]
    assert "第一段。" in inner
    assert "<td>甲</td>" in inner
    assert not re.search(r"<script|<img|onclick|evil|<h1", inner)
    assert html.count("<h1") == 1
    assert world.get("foreign", f"/documents/{document_id}/original/view").status_code == 404
    text = world.hand_in("trainer", "文本")
    assert world.get("member", f"/documents/{text}/original/view").status_code == 404


@pytest.mark.parametrize("tail", [b"<!--" + b"x" * MAX_BYTES + b"-->", b"<div>" * 300 + b"<br>" * 11_000])
def test_original_too_large_or_deep_is_offered_to_keep(world: World, tail: bytes) -> None:
    """A page too large, or nested to tire a parser, is not opened here, and can be downloaded."""
    world.services.pipeline.max_bytes = 10 * MAX_BYTES
    html = world.get("member", f"/documents/{put_page(world, PAGE.encode('gbk') + tail)}/original/view").text
    assert "不能在这里打开" in html
    assert '/original" download' in html
    assert "第一段" not in html


# -- what the core was mended for --------------------------------------------------------------------------


def test_a_share_put_again_stays(world: World) -> None:
    """A share that is put and dropped in one change stays: what is put goes before."""
    document_id = world.hand_in("liaison", "再", [Wanted("own"), Wanted("partners")])
    with world.services.catalog.writing() as connection:
        old = shares_of(connection, document_id)
        put_shares(connection, document_id, old, [s.share_id for s in old])
    assert world.sees("partner", document_id)


def test_choices_are_what_sharing_takes(world: World) -> None:
    """Every audience that the form offers can be shared with; guests are offered none."""
    sharing = world.services.access.sharing
    document_id = world.hand_in("liaison", "选")
    offered = sharing.choices(world.by("liaison"), "north-1")
    assert {"branch:south", "branch:north", "branch:north-2", f"group:{world.group}"} < set(offered)
    assert "branch:west" not in offered
    assert "branch:east" not in offered
    for audience in offered:
        sharing.set_audience(world.by("liaison"), document_id, [Wanted(audience)])
    with pytest.raises(SignInRequired):
        sharing.choices(Principal(frozenset({PUBLIC})), "north-1")

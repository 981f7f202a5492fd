"""The administration pages over HTTP, on real services: who may open and do what, and what comes of it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from access.rights import Role
from access.roster import RosterRow, write_roster
from api.access_words import ACTION_WORDS
from api.refusals import WORDS
from api.setting_words import WORDS as SETTING_WORDS
from api.setting_words import told
from api.settings import ROOT, Settings
from tests.integration.account_browser import Browser, text
from tests.integration.manage_stage import PEOPLE, Stage, empty_stage, full_stage


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage on which nothing is changed."""
    found = full_stage(tmp_path_factory.mktemp("still") / "home")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage to be copied."""
    found = full_stage(tmp_path_factory.mktemp("built") / "home")
    found.services.close()
    return found


@pytest.fixture
def stage(built: Stage, home: Path) -> Iterator[Stage]:
    """A stage of the test's own."""
    found = built.copied(home)
    yield found
    found.services.close()


def token(browser: Browser) -> str:
    """A form token of any page that the person may open."""
    return re.findall(r'name="form_token" value="([^"]+)"', browser.get("/manage").text)[0]


def post(browser: Browser, address: str, **fields: object) -> int:
    """Send fields with a token of their own; the status."""
    return browser.post(address, {"form_token": token(browser), **fields}).status_code


def rows_of(data: bytes) -> list[tuple[object, ...]]:
    return list(load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))


# -- who may open what --------------------------------------------------------------------------

EVERYONE = set(PEOPLE)
LOOKS = {"root", "admin", "liaison"}
MANAGES = {"root", "admin"}
OPENED: dict[str, set[str]] = {
    "/manage": EVERYONE,
    "/manage/branches": {*LOOKS, "other-admin", "other-liaison"},
    "/manage/branches/jia": MANAGES,
    "/manage/branches/jia-1": MANAGES,
    "/manage/branches/jia-1/people": LOOKS,
    "/manage/branches/jia-1/invite": MANAGES,
    "/manage/branches/jia-1/import": MANAGES,
    "/manage/branches/jia-1/people.xlsx": MANAGES,
    "/manage/branches/jia-1/template.xlsx": MANAGES,
    "/manage/new-branch": {"root"},
    "/manage/new-branch?parent=jia": MANAGES,
    "/manage/people": {"root"},
    "/manage/people/{member}": {*LOOKS, "member"},
    "/manage/partnerships": EVERYONE,
    "/manage/new-partnership": {"admin", "liaison", "other-admin", "other-liaison"},
    "/manage/partnerships/{partnership}": EVERYONE - {"root"},
    "/manage/groups": EVERYONE,
    "/manage/groups/{group}": {"admin", "liaison", "trainer", "member"},
    "/manage/audit": EVERYONE,
    "/manage/audit?check=true": {"root"},
    "/manage/audit.csv": EVERYONE,
    "/manage/audit.jsonl": EVERYONE,
    "/manage/settings": {"root"},
}
"""Addresses, and who may open them. Administrators of a committee administer all below it."""


def address_of(stage: Stage, template: str) -> str:
    return template.format(member=stage.ids["member"], partnership=stage.partnership_id, group=stage.group_id)


@pytest.mark.parametrize("login", ["", *PEOPLE])
def test_each_page_opens_for_those_who_may(still: Stage, login: str) -> None:
    """Each page opens for exactly the roles that may; nobody else learns more than that they may not."""
    browser = still.browser(login)
    for template, may in OPENED.items():
        answer = browser.get(address_of(still, template))
        if login in may:
            assert answer.status_code == 200, (login, template)
        elif not login:
            assert answer.status_code in (303, 401), template
        else:
            assert answer.status_code in (403, 404), (login, template)


def test_pages_are_whole(still: Stage) -> None:
    """Every page has one h1, unique ids, its own language, and nothing that a strict policy would stop."""
    for login in ("root", "admin", "liaison", "member"):
        browser = still.browser(login)
        for template, may in OPENED.items():
            if login not in may or "." in template:
                continue
            html = browser.get(address_of(still, template)).text
            assert html.count("<h1") == 1, template
            ids = re.findall(r'\sid="([^"]*)"', html)
            assert len(ids) == len(set(ids)), template
            tags = re.findall(r"<[a-z][^>]*>", html)
            assert not [t for t in tags if re.search(r"^<style|^<script>|\s(style|on[a-z]+)=", t)], template
            labelled = set(re.findall(r'<label for="([^"]*)"', html))
            named = re.findall(r'<(?:input|select|textarea)[^>]*\sid="([^"]*)"', html)
            assert {n for n in named if n != "roles"} <= labelled, template


def test_what_is_hidden_reads_as_what_is_not_there(still: Stage) -> None:
    """A branch, person, partnership or group of others answers byte for byte as one that does not exist."""
    browser = still.browser("other-liaison")
    hidden = ["/manage/branches/{}/people", "/manage/branches/{}/invite", "/manage/branches/{}"]
    asked = [(address, "jia-1") for address in hidden]
    asked += [("/manage/people/{}", still.ids["member"]), ("/manage/groups/{}", still.group_id)]
    for address, there in asked:
        missing = browser.get(address.format("nothing")).text.replace("nothing", "?")
        assert browser.get(address.format(there)).text.replace(there, "?") == missing, address
        assert browser.page.status_code == 404, address
    stranger = still.browser("root")
    missing = stranger.get("/manage/partnerships/nothing").text.replace("nothing", "?")
    found = stranger.get(f"/manage/partnerships/{still.partnership_id}").text
    assert found.replace(still.partnership_id, "?") == missing


POSTS = {
    "/manage/new-branch": {"name": "新", "level": "branch", "parent_id": "jia"},
    "/manage/branches/jia-1": {"name": "新", "level": "branch", "parent_id": "jia"},
    "/manage/branches/jia-1/use": {"active": "false"},
    "/manage/branches/jia-1/invite": {"name": "新", "roles": ["member"]},
    "/manage/people/{member}/roles": {"branch_id": "jia-1", "roles": ["administrator"]},
    "/manage/people/{member}/name": {"name": "新"},
    "/manage/people/{member}/active": {"active": "false"},
    "/manage/people/{member}/operator": {"operator": "true"},
    "/manage/people/{member}/password": {},
    "/manage/people/{member}/erase": {"login": "member"},
    "/manage/new-partnership": {"own_id": "jia-1", "partner_id": "bing-1", "ends_on": "2999-01-01"},
    "/manage/partnerships/{partnership}/end": {},
    "/manage/partnerships/{partnership}/liaison": {"branch_id": "jia-1", "liaison": ""},
    "/manage/groups": {"branch_id": "jia-1", "name": "新"},
    "/manage/groups/{group}/put": {"member": "branch:jia"},
    "/manage/groups/{group}/drop": {"member": "branch:jia-1"},
    "/manage/groups/{group}/dissolve": {},
}
"""Everything that changes something of 甲, with fields that would do."""


@pytest.mark.parametrize("login", ["trainer", "other-trainer"])
def test_those_who_may_not_change_nothing(stage: Stage, login: str) -> None:
    """A trainer, and one of another organisation, who send any form are refused, and nothing changes."""
    stage.add("other-trainer", **{"bing-1": Role.TRAINER})
    browser, before = stage.browser(login), stage.actions()
    for template, fields in POSTS.items():
        assert post(browser, address_of(stage, template), **fields) in (403, 404), template
    roster = write_roster([RosterRow(2, "new", "新人", "甲公司一支部", ("member",))])
    answer = browser.client.post(
        "/manage/branches/jia-1/import",
        data={"form_token": token(browser)},
        files={"file": ("a.xlsx", roster)},
    )
    assert answer.status_code in (403, 404)
    assert [a for a in stage.actions()[len(before) :] if not a.startswith("session.")] == []


def test_administrator_of_another_organisation_changes_nothing(stage: Stage) -> None:
    """An administrator elsewhere does nothing to our branches, people and groups, nor to our side of a partnership."""
    browser, before = stage.browser("other-admin"), stage.actions()
    theirs = [t for t in POSTS if not t.endswith("/end")]
    for template in theirs:
        assert post(browser, address_of(stage, template), **POSTS[template]) in (403, 404), template
    assert [a for a in stage.actions()[len(before) :] if not a.startswith("session.")] == []


def test_forms_need_their_token_and_count_once(stage: Stage) -> None:
    """A form without token is refused; sent again it is told so, and done only once."""
    browser = stage.browser("admin")
    fields = {"name": "二支部", "level": "branch", "parent_id": "jia"}
    assert browser.post("/manage/new-branch", fields).status_code == 403
    fields["form_token"] = token(browser)
    assert browser.post("/manage/new-branch", fields).status_code == 303
    assert browser.post("/manage/new-branch", fields | {"name": "三支部"}).status_code == 409
    names = [b.name for b in stage.access.branches.all()]
    assert "二支部" in names
    assert "三支部" not in names


# -- the overview -------------------------------------------------------------------------------


def test_first_operator_is_told_what_to_do(home: Path) -> None:
    """With nothing there yet, the overview says what comes first, step by step, until it is done."""
    stage = empty_stage(home)
    try:
        browser = stage.browser("root")
        assert 'href="/manage/new-branch"' in browser.get("/manage").text
        assert "还没有组织" in browser.get("/manage/branches").text
        browser.send("/manage/new-branch", name="甲公司党委", level="committee")
        assert browser.page.headers["location"] == "/manage/branches?done=founded"
        branch_id = stage.access.branches.all()[0].branch_id
        assert f'href="/manage/branches/{branch_id}/invite"' in browser.get("/manage").text
        stage.add("admin", **{branch_id: Role.ADMINISTRATOR})
        assert "先做这几步" not in browser.get("/manage").text
        for page in ("partnerships", "groups"):
            assert "还没有" in browser.get(f"/manage/{page}").text
    finally:
        stage.services.close()


def test_overview_tells_what_waits(stage: Stage) -> None:
    """Open offers, invitations and documents without an owner wait on the overview of those who can act."""
    access = stage.access
    access.invitations.offer(stage.principal("admin"), "jia-1", frozenset({Role.MEMBER}), "王五")
    today = access.office.today()
    access.partnerships.propose(None, "bing-1", "jia-1", today, today + timedelta(days=9))
    stage.document("trainer", "jia-1", "无主", [])
    access.people.set_roles(None, stage.ids["trainer"], "jia-1", frozenset())
    found = text(stage.browser("admin").get("/manage"))
    assert "丙公司一支部邀请甲公司一支部共建" in found
    assert "甲公司一支部有 1 个邀请还没有人接受" in found
    assert "甲公司一支部有 1 份文献的归属人已离开" in found
    assert "现在没有" in text(stage.browser("member").get("/manage"))


# -- branches -----------------------------------------------------------------------------------


def test_branch_is_made_renamed_moved_retired_and_taken_back(stage: Stage) -> None:
    """An administrator builds below their committee, and every step shows in the tree."""
    browser = stage.browser("admin")
    browser.send("/manage/new-branch?parent=jia", "/manage/new-branch", name="二总支", level="general")
    made = next(b for b in stage.access.branches.all() if b.name == "二总支")
    browser.send("/manage/branches/jia-1", name="一支部新名", level="branch", parent_id=made.branch_id)
    assert stage.access.branches.get("jia-1").parent_id == made.branch_id
    assert "一支部新名" in text(browser.get("/manage/branches"))
    use = "/manage/branches/jia-1/use"
    browser.send("/manage/branches/jia-1", use)
    assert browser.page.headers["location"] == "/manage/branches?done=retired"
    assert "已停用" in text(browser.get("/manage/branches"))
    assert browser.get("/manage/branches/jia-1").status_code == 200
    browser.post(use, browser.fields(use))
    assert stage.access.branches.get("jia-1").active


@pytest.mark.parametrize(
    ("branch_id", "fields", "field", "words"),
    [
        ("jia-1", {"name": " "}, "name", "名称要有 1 至 80 个字"),
        ("jia-1", {"parent_id": "yi"}, "parent_id", "单位之间请用共建"),
        ("jia-1", {"parent_id": "jia-1"}, "parent_id", "不能移到它自己或它的下级之下"),
        ("jia-1", {"level": "committee", "parent_id": "jia-2"}, "level", "党支部下不再设"),
        ("jia-1", {"name": "甲公司二支部"}, "name", "已有同名的"),
        ("jia-1", {"parent_id": ""}, "parent_id", "不能移到最上层"),
    ],
)
def test_wrong_branch_is_told_beside_its_field(
    stage: Stage, branch_id: str, fields: dict[str, str], field: str, words: str
) -> None:
    """What cannot be is told in Chinese beside the field, what was typed stays, and nothing changes."""
    stage.access.branches.found(None, "甲公司二支部", parent_id="jia", branch_id="jia-2")
    before = stage.access.branches.all()
    browser = stage.browser("root" if "yi" in fields.values() else "admin")
    good = {"name": "甲公司一支部", "level": "branch", "parent_id": "jia"}
    page = browser.send(f"/manage/branches/{branch_id}", **(good | fields))
    assert page.status_code in (400, 409)
    wrong = re.findall(rf'<p class="wrong" id="{field}-wrong">([^<]*)', page.text)
    assert wrong, text(page)
    assert words in wrong[0]
    assert f'href="#{field}"' in page.text
    assert stage.access.branches.all() == before


def test_branch_with_branches_below_cannot_be_retired(stage: Stage) -> None:
    """The page says that those below come first, and leaves all as it was."""
    browser = stage.browser("root")
    page = browser.send("/manage/branches/jia", "/manage/branches/jia/use")
    assert page.status_code == 409
    assert "请先停用下级" in text(page)
    assert stage.access.branches.get("jia").active


# -- people -------------------------------------------------------------------------------------


def test_invitation_link_is_shown_once_and_works(stage: Stage) -> None:
    """The link stands on the answer alone, opens for whoever has it, and a withdrawn one opens nothing."""
    browser = stage.browser("admin")
    page = browser.send("/manage/branches/jia-1/invite", name="王五", roles=["trainer", "member"])
    link = re.findall(r"<textarea[^>]*>(http[^<]*)", page.text)[0]
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    listed = browser.get("/manage/branches/jia-1/people")
    assert "王五" in listed.text
    assert link not in listed.text
    assert stage.browser().get(link).status_code == 200
    withdraw = re.findall(r'action="(/manage/[^"]*/withdraw)"', listed.text)[0]
    browser.post(withdraw, browser.fields(withdraw))
    assert stage.browser().get(link).status_code == 404
    assert "王五" not in browser.get("/manage/branches/jia-1/people").text


def test_invitation_without_role_or_name_is_asked_again(stage: Stage) -> None:
    """What is missing is told beside the field, and what was filled in stays."""
    browser = stage.browser("admin")
    page = browser.send("/manage/branches/jia-1/invite", name="王五", roles=[])
    assert "请至少选一个角色" in text(page)
    assert 'value="王五"' in page.text
    page = browser.send("/manage/branches/jia-1/invite", name="", roles=["liaison"])
    assert "姓名要有 1 至 40 个字" in text(page)
    assert re.search(r'value="liaison" checked', page.text)


def test_roles_are_given_and_taken(stage: Stage) -> None:
    """Checked roles are what the person has in that branch; none takes them out of it."""
    browser, person_id = stage.browser("admin"), stage.ids["member"]
    address = f"/manage/people/{person_id}"
    browser.send(address, f"{address}/roles", mark="jia-1", roles=["trainer", "liaison"])
    assert browser.page.headers["location"] == "/manage/branches/jia-1/people?done=roles"
    assert stage.principal("member").roles == {"jia-1": frozenset({Role.TRAINER, Role.LIAISON})}
    post(browser, f"{address}/roles", branch_id="jia", roles=["member"])
    assert set(stage.principal("member").roles) == {"jia", "jia-1"}
    post(browser, f"{address}/roles", branch_id="jia", roles=[])
    assert set(stage.principal("member").roles) == {"jia-1"}
    assert post(browser, f"{address}/roles", branch_id="jia-1", roles=["king"]) == 400


def test_account_is_renamed_shut_opened_and_reset(stage: Stage) -> None:
    """An administrator helps a person out; shut means out at once, a new password is shown this once."""
    browser, person_id = stage.browser("admin"), stage.ids["member"]
    theirs, address = stage.browser("member"), f"/manage/people/{stage.ids['member']}"
    browser.send(address, f"{address}/name", name="李四")
    assert "李四" in text(browser.get(address))
    assert "姓名要有" in text(browser.send(address, f"{address}/name", name=" "))
    assert theirs.get("/manage").status_code == 200
    browser.send(address, f"{address}/active")
    assert theirs.get("/manage").status_code in (303, 401)
    assert "已停用" in text(browser.get(address))
    browser.send(address, f"{address}/active")
    assert stage.access.people.get(stage.principal("admin"), person_id).active
    page = browser.send(address, f"{address}/password")
    password = re.findall(r'<code class="secret">([^<]*)', page.text)[0]
    assert stage.access.sessions.sign_in("member", password, "somewhere")
    assert password not in browser.get(address).text
    assert "no-store" in page.headers["cache-control"]


def test_erasure_needs_the_login_typed(stage: Stage) -> None:
    """A wrong confirmation erases nothing and says what to type; the right one forgets the person."""
    browser, address = stage.browser("admin"), f"/manage/people/{stage.ids['member']}"
    page = browser.send(address, f"{address}/erase", login="menber")
    assert page.status_code == 400
    assert "输入它的登录名“member”" in text(page)
    assert 'value="menber"' in page.text
    browser.send(address, f"{address}/erase", login="member")
    assert browser.page.headers["location"] == "/manage/branches/jia-1/people?done=erased"
    assert browser.get(address).status_code == 404
    assert "member先生" not in text(browser.get("/manage/branches/jia-1/people"))


def test_last_operator_stays_and_is_told_why(stage: Stage) -> None:
    """The last operator cannot stop being one; with a second one they can."""
    browser, address = stage.browser("root"), f"/manage/people/{stage.ids['root']}"
    page = browser.send(address, f"{address}/operator")
    assert page.status_code == 409
    assert "这是最后一位系统管理员，没有改动" in text(page)
    other = f"/manage/people/{stage.ids['admin']}"
    browser.send(other, f"{other}/operator")
    assert browser.get(other + "?done=operator").status_code == 200
    browser.send(address, f"{address}/operator")
    assert browser.page.status_code == 303
    assert browser.get("/manage/settings").status_code == 403


def test_two_administrators_who_remove_each_other(stage: Stage) -> None:
    """The second is no administrator any more: they are refused, and the first stays."""
    stage.add("second", jia=Role.ADMINISTRATOR)
    second = stage.ids["second"]
    one, two = stage.browser("admin"), stage.browser("second")
    for browser, other in ((one, second), (two, stage.ids["admin"])):
        browser.get(f"/manage/people/{other}")
    one.post(
        f"/manage/people/{second}/roles", one.fields(f"/manage/people/{second}/roles", "jia") | {"roles": []}
    )
    assert one.page.status_code == 303
    address = f"/manage/people/{stage.ids['admin']}/roles"
    two.post(address, two.fields(address, "jia") | {"roles": []})
    assert two.page.status_code in (403, 404)
    assert stage.principal("admin").roles == {"jia": frozenset({Role.ADMINISTRATOR})}


def test_administrator_with_a_role_in_a_retired_branch_still_manages(stage: Stage) -> None:
    """A role that rests with its branch does not keep an administrator from their other ones."""
    stage.access.branches.found(None, "甲公司旧支部", parent_id="jia", branch_id="jia-old")
    stage.access.people.set_roles(None, stage.ids["admin"], "jia-old", frozenset({Role.MEMBER}))
    stage.access.branches.retire(stage.principal("admin"), "jia-old")
    browser, address = stage.browser("admin"), f"/manage/people/{stage.ids['member']}"
    browser.send(address, f"{address}/active")
    assert browser.page.status_code == 303


def test_person_of_another_organisation_is_not_drawn_in_by_id(stage: Stage) -> None:
    """Knowing an id is not enough to give its person a role: they are as if not there."""
    browser = stage.browser("other-admin")
    address = f"/manage/people/{stage.ids['member']}/roles"
    assert post(browser, address, branch_id="yi-1", roles=["member"]) == 404
    assert set(stage.principal("member").roles) == {"jia-1"}


# -- the roster ---------------------------------------------------------------------------------


def upload(browser: Browser, rows: list[RosterRow] | bytes, *, check_only: bool = False) -> str:
    """Hand a roster in at 甲一; what the page then says."""
    data = rows if isinstance(rows, bytes) else write_roster(rows)
    fields = {"form_token": token(browser)} | ({"check_only": "true"} if check_only else {})
    browser.page = browser.client.post(
        "/manage/branches/jia-1/import", data=fields, files={"file": ("名单.xlsx", data)}
    )
    return text(browser.page)


GOOD = [
    RosterRow(2, "new.one", "新一", "甲公司一支部", ("member",)),
    RosterRow(3, "new.one", "新一", "jia", ("liaison",)),
    RosterRow(4, "trainer", "trainer先生", "jia-1", ("trainer", "liaison")),
]


def test_roster_is_checked_then_taken_in(stage: Stage) -> None:
    """Checking tells what would change and changes nothing; taking in makes people who can sign in."""
    browser = stage.browser("admin")
    before = stage.access.branches.n_people()
    assert "检查通过，还没有导入：新增 1 人，1 处更改" in upload(browser, GOOD, check_only=True)
    assert stage.access.branches.n_people() == before
    assert "person.add" not in stage.actions()[-3:]
    found = upload(browser, GOOD)
    assert "新增 1 人" in found
    password = re.findall(r'<code class="secret">([^<]*)', browser.page.text)
    assert len(password) == 1
    assert stage.access.sessions.sign_in("new.one", password[0], "somewhere")
    assert stage.principal("trainer").roles["jia-1"] == {Role.TRAINER, Role.LIAISON}


def test_roster_with_a_wrong_row_changes_nothing(stage: Stage) -> None:
    """Problems of cells and of what is known are told by row and column, and no row is taken."""
    browser = stage.browser("admin")
    before, trail = stage.access.branches.n_people(), len(stage.actions())
    wrong = [
        RosterRow(2, "new.one", "新一", "甲公司一支部", ("member",)),
        RosterRow(3, "new.two", "新二", "乙公司一支部", ("member",)),
        RosterRow(4, "other-admin", "别人", "jia-1", ("member",)),
    ]
    found = upload(browser, wrong)
    assert browser.page.status_code == 400
    assert "2 处不对，一行也没有导入" in found
    lines = re.findall(r'<tr><td>(\d+)</td><td class="whole">([^<]*)</td>', browser.page.text)
    assert lines == [("3", "支部"), ("4", "登录名")]
    assert stage.access.branches.n_people() == before
    assert [a for a in stage.actions()[trail:] if not a.startswith("session.")] == []


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "请选择一个 .xlsx 文件"), (b"a,b\n1,2\n", "不是 Excel 文件"), (write_roster([]), "名单里没有人")],
)
def test_what_is_no_roster_is_told_beside_the_field(stage: Stage, data: bytes, words: str) -> None:
    """No file, another kind of file and an empty roster each say what to do."""
    browser = stage.browser("admin")
    assert words in upload(browser, data)
    assert browser.page.status_code == 400
    assert 'id="file-wrong"' in browser.page.text


def test_operator_takes_a_roster_of_people_who_are_there(stage: Stage) -> None:
    """An operator, who has no branch of their own, may update people by roster too."""
    rows = [RosterRow(2, "member", "member先生", "jia-1", ("trainer",))]
    assert "名单已导入" in upload(stage.browser("root"), rows)
    assert stage.principal("member").roles["jia-1"] == {Role.TRAINER}


def test_roster_exported_is_the_roster_imported(stage: Stage) -> None:
    """The export has the people of the branch and those below, and taken in again it changes nothing."""
    browser = stage.browser("admin")
    data = browser.get("/manage/branches/jia/people.xlsx").content
    assert [r[0] for r in rows_of(data)[1:]] == ["admin", "liaison", "member", "trainer"]
    assert "新增 0 人，0 处更改，4 行不变" in upload(browser, data, check_only=True)
    template = browser.get("/manage/branches/jia/template.xlsx").content
    assert len(rows_of(template)) == 1


# -- partnerships -------------------------------------------------------------------------------


def test_partnership_is_offered_agreed_and_ended(stage: Stage) -> None:
    """One side offers, the other agrees with a liaison of its own, either ends it."""
    ends = (stage.access.office.today() + timedelta(days=90)).isoformat()
    browser = stage.browser("other-liaison")
    stage.add("bing", **{"bing-1": Role.LIAISON})
    browser.send(
        "/manage/new-partnership",
        own_id="yi-1",
        partner_id="bing-1",
        ends_on=ends,
        liaison=stage.ids["other-liaison"],
    )
    assert browser.page.headers["location"] == "/manage/partnerships?done=proposed"
    theirs = stage.browser("bing")
    found = theirs.get("/manage/partnerships")
    assert "乙公司一支部邀请丙公司一支部共建" in text(found)
    address = re.findall(r'href="(/manage/partnerships/[^"]+)">查看并同意', found.text)[0]
    assert "other-liaison先生" not in found.text
    assert browser.get(address).status_code == 200
    assert "agree" not in browser.page.text
    page = theirs.send(address, f"{address}/agree", liaison=stage.ids["member"])
    assert "联络人要是本方的联络员或管理员" in text(page)
    theirs.send(address, f"{address}/agree", liaison=stage.ids["bing"])
    assert "进行中" in text(browser.get(address))
    browser.send(address, f"{address}/liaison", liaison="")
    assert browser.page.status_code == 303
    theirs.send(address, f"{address}/end")
    assert "已结束" in text(browser.get(address))
    assert post(theirs, f"{address}/end") == 409


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"ends_on": ""}, "ends_on", "请填最后一天"),
        ({"ends_on": "2001-01-01"}, "ends_on", "今天或以后"),
        ({"ends_on": "2999-01-01"}, "ends_on", "最长 5 年"),
        ({"ends_on": "下周"}, "ends_on", "看不懂“下周”"),
        ({"partner_id": ""}, "partner_id", "请选择对方组织"),
        ({"partner_id": "jia"}, "partner_id", "本组织内部不用共建"),
        ({"partner_id": "yi-1"}, "ends_on", "双方已有共建"),
    ],
)
def test_wrong_offer_is_told_beside_its_field(
    stage: Stage, fields: dict[str, str], field: str, words: str
) -> None:
    """What cannot be offered is told in Chinese beside the field, and what was typed stays."""
    ends = (stage.access.office.today() + timedelta(days=20)).isoformat()
    good = {"own_id": "jia-1", "partner_id": "bing-1", "ends_on": ends}
    page = stage.browser("liaison").send("/manage/new-partnership", **(good | fields))
    assert page.status_code in (400, 409)
    wrong = re.findall(rf'<p class="wrong" id="{field}-wrong">([^<]*)', page.text)
    assert wrong, text(page)
    assert words in wrong[0]
    if fields.get("partner_id") != "jia":
        assert f'value="{(good | fields)["partner_id"]}" selected' in page.text or not fields.get(
            "partner_id", "x"
        )


def counts(html: str) -> list[str]:
    """Numbers of documents in the table."""
    return re.findall(r'<td class="whole">(\d+) 份</td>', html)


def test_picture_shows_what_the_asker_may_see(stage: Stage) -> None:
    """Picture and table hold the asker's partnerships and counts of what they see, and nobody else's."""
    access, today = stage.access, stage.access.office.today()
    access.partnerships.propose(None, "yi-1", "bing-1", today, today + timedelta(days=9), agreed=True)
    stage.document("liaison", "jia-1", "给伙伴", ["own", "partners"])
    stage.document("liaison", "jia-1", "自己看", ["own"])
    stage.document("liaison", "jia-1", "大家看", ["own", "everyone"])
    stage.document("other-liaison", "yi-1", "来自乙", ["partners"])
    page = stage.browser("liaison").get("/manage/partnerships")
    picture = page.text[page.text.index("<svg") : page.text.index("</svg>")]
    assert "甲公司一支部" in picture
    assert "乙公司一支部" in picture
    assert "丙公司一支部" not in page.text
    assert counts(page.text) == ["1", "1"]
    assert "style=" not in picture
    both = stage.browser("other-liaison").get("/manage/partnerships").text
    assert both.count("<line") == 2
    member = stage.browser("member").get("/manage/partnerships").text
    assert counts(member) == ["1"]
    # The committee's administrator reads nothing of its branches.
    assert counts(stage.browser("admin").get("/manage/partnerships").text) == ["0", "0"]
    nobody = stage.browser("root").get("/manage/partnerships").text
    assert "<svg" not in nobody
    assert "乙公司一支部" not in nobody


# -- groups -------------------------------------------------------------------------------------


def test_group_is_made_filled_left_and_dissolved(stage: Stage) -> None:
    """The keeper makes and fills it, a member branch leaves by itself, the keeper dissolves it."""
    browser = stage.browser("liaison")
    browser.send("/manage/groups", name="讲师团", branch_id="jia-1")
    assert browser.page.headers["location"] == "/manage/groups?done=founded"
    address = re.findall(r'href="(/manage/groups/[^"]+)">讲师团', browser.get("/manage/groups").text)[0]
    for member in ("branch:yi-1", f"person:{stage.ids['member']}"):
        browser.send(address, f"{address}/put", member=member)
        assert browser.page.status_code == 303
    assert "member先生" in text(browser.get(address))
    theirs = stage.browser("other-liaison")
    assert "讲师团" in text(theirs.get("/manage/groups"))
    found = text(theirs.get(address))
    assert "member先生" not in found
    assert "其他组织的人员" in found
    theirs.send(address, f"{address}/drop", mark="branch:yi-1")
    assert theirs.get(address).status_code == 404
    browser.send(address, f"{address}/dissolve")
    assert browser.get(address).status_code == 404


def test_wrong_group_is_told_beside_its_field(stage: Stage) -> None:
    """A name that is taken, nobody chosen, one twice, and a stranger are each told beside the field."""
    browser, address = stage.browser("liaison"), f"/manage/groups/{stage.group_id}"
    assert "已有同名的" in text(browser.send("/manage/groups", name="夜学组", branch_id="jia-1"))
    assert "请选择要加入的" in text(browser.send(address, f"{address}/put", member=""))
    assert "已经在工作组里" in text(browser.send(address, f"{address}/put", member="branch:jia-1"))
    assert "只能加入本组织的" in text(browser.send(address, f"{address}/put", member="branch:bing-1"))
    assert browser.page.status_code == 400


# -- the trail ----------------------------------------------------------------------------------


def test_trail_tells_in_plain_words_and_by_page(stage: Stage) -> None:
    """Entries read as words with names and links that the asker may know, newest first, page by page."""
    document_id = stage.document("trainer", "jia-1", "夜校", ["own"])
    trainer = stage.browser("trainer")
    for _ in range(55):
        trainer.get(f"/documents/{document_id}")
    browser = stage.browser("admin")
    found = text(browser.get("/manage/audit?action=document."))
    assert "trainer先生 阅读了文献" in found
    # An administrator of the committee does not read the branch's documents: no title, no link.
    assert document_id in found
    assert "夜校" not in found
    assert f"/documents/{document_id}" not in browser.page.text
    assert "夜校办法" in text(trainer.get("/manage/audit"))
    older = re.findall(r'href="(/manage/audit\?[^"]*before=[^"]*)"', browser.page.text)[0]
    assert "交入了文献" in text(browser.get(older.replace("&amp;", "&")))
    assert "没有这样的记录" in text(browser.get("/manage/audit?object_id=nothing"))
    mine = text(browser.get(f"/manage/audit?person={stage.ids['liaison']}"))
    assert "liaison先生 新建了工作组" in mine
    assert "trainer先生 阅读" not in mine


def test_trail_names_nobody_of_another_organisation(stage: Stage) -> None:
    """Who of the other side did something is not named, on the page or in the export."""
    address = f"/manage/partnerships/{stage.partnership_id}"
    stage.browser("other-liaison").send(address, f"{address}/end")
    browser = stage.browser("admin")
    found = browser.get("/manage/audit?action=partnership.").text
    assert "其他组织人员或系统管理员" in found
    assert "other-liaison先生" not in found + browser.get("/manage/audit.csv").text


def test_trail_is_checked_by_operators(stage: Stage) -> None:
    """The button tells that all is there; a changed entry is found."""
    browser = stage.browser("root")
    assert "没有缺失或改动" in text(browser.get("/manage/audit?check=true"))
    with stage.access.office.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_is_append_only_update")
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE audit SET action='person.nothing' WHERE seq=3")
    assert "从第 3 条起对不上" in text(browser.get("/manage/audit?check=true"))


def test_export_has_what_the_asker_sees_and_runs_nowhere(stage: Stage) -> None:
    """Both exports hold the asker's entries, say so in the trail, and no cell is a formula."""
    stage.access.people.rename(stage.principal("root"), stage.ids["trainer"], "=HYPERLINK(1)")
    stage.document("trainer", "jia-1", "夜校", ["own"])
    browser = stage.browser("admin")
    answer = browser.get("/manage/audit.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0][0] == "序号"
    assert "'=HYPERLINK(1)" in {line[2] for line in lines}
    assert not [cell for line in lines for cell in line if cell[:1] in ("=", "+", "-", "@")]
    entries = [json.loads(line) for line in browser.get("/manage/audit.jsonl").text.splitlines()]
    assert [e["action"] for e in entries][-1] == "audit.export"
    mine = stage.ids["admin"]
    assert {e["branch_id"] for e in entries if e["person_id"] != mine} <= {"jia", "jia-1"}
    assert stage.browser("member").get("/manage/audit.csv").text.count("document.add") == 0


# -- the settings -------------------------------------------------------------------------------


def test_settings_are_told_without_secrets(home: Path) -> None:
    """Every setting has Chinese words; of a secret only whether it is set, of an address no password."""
    settings = Settings(
        home=home,
        url="https://x.example",
        oidc_issuer="https://a.example",
        oidc_client_id="c",
        oidc_client_secret="geheim-1",
        encoder="http://user:geheim-2@encoder.example/v1",
        encoder_key="geheim-3",
    )
    lines = told(settings)
    assert set(SETTING_WORDS) == set(Settings.model_fields)
    assert "geheim" not in str(lines)
    values = {t.variable: t.value for t in lines}
    assert values["GONGXUE_ENCODER"] == "http://encoder.example/v1"
    assert values["GONGXUE_ENCODER_KEY"] == "已设置（不显示）"


def test_settings_page_tells_the_state(still: Stage) -> None:
    """The operator sees version, counts and whether the index has come up."""
    found = text(still.browser("root").get("/manage/settings"))
    assert "运行正常，检索索引是最新的" in found
    assert "GONGXUE_HOME" in found


# -- words --------------------------------------------------------------------------------------


def test_every_advice_with_words_is_still_given() -> None:
    """Each refusal that has Chinese words is one that the services still make."""
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "access").glob("*.py"))
    code = re.sub(r"\{_?LONGEST_YEARS\}", "5", code)
    lengths = {"Take 1 to 80.", "Take 1 to 40 characters.", "Take 1 to 60 characters."}
    assert [advice for advice in WORDS if advice not in lengths and advice not in code] == []


def test_every_action_of_the_trail_has_words() -> None:
    """No entry is shown by its code."""
    code = "\n".join(
        p.read_text(encoding="utf-8") for d in ("access", "api") for p in (ROOT / d).glob("*.py")
    )
    kinds = "audit|branch|document|group|partnership|password|person|second_factor|session|token"
    written = set(re.findall(rf'"((?:{kinds})\.[a-z_]+)"', code))
    assert written - set(ACTION_WORDS) - {"document.html"} == set()

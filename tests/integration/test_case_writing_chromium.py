"""Writing a case in a browser: nothing is lost without a link, by a reload, or by two people writing at once."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from access.rights import Role
from access.sharing import Wanted
from api.principal import COOKIE
from cases.model import Body, Field
from tests.integration.browser import (
    CONTRAST,
    DESK,
    OVERFLOW,
    PHONE,
    SMALL_TARGETS,
    chromium,
    serving,
)
from tests.integration.manage_stage import Stage, full_stage

pytestmark = pytest.mark.slow

KEPT = """() => new Promise((done) => {
  const asked = indexedDB.open('gongxue-cases');
  asked.onsuccess = () => {
    const held = asked.result;
    const stores = [...held.objectStoreNames].filter((name) => name !== 'forms' && name !== 'people');
    if (!stores.length) { held.close(); return done(0); }
    let n = 0;
    const within = held.transaction(stores);
    for (const name of stores) within.objectStore(name).count().onsuccess = (e) => { n += e.target.result; };
    within.oncomplete = () => { held.close(); done(n); };
  };
})"""
"""How much waits in the browser to be sent."""

LAMPS: Body = {
    Field.TITLE: "楼道灯坏了没人报",
    Field.PROBLEM: "灯坏了。住户多。没人报。",
    Field.PRACTICE: "贴编号，拍照报修。",
    Field.OUTCOME: "平均两天修好。",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage for all; each test writes a case of its own."""
    found = full_stage(tmp_path_factory.mktemp("writing") / "home")
    found.add("second", **{"jia-1": Role.LIAISON})
    yield found
    found.services.close()


class Link:
    """A link to a server that can be cut: pages, their scripts and their worker lose it together."""

    def __init__(self, address: str) -> None:
        self._server = urlsplit(address)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.sent = bytearray()
        """What browsers sent over it."""
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, page: Any) -> None:
        """From now on nothing passes."""
        self._is_cut = True
        page.context.set_offline(True)
        for one in list(self._open):
            one.close()

    def mend(self, page: Any) -> None:
        """It is back."""
        self._is_cut = False
        page.context.set_offline(False)

    def close(self) -> None:
        """No more browsers are listened to."""
        self._listening.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection((self._server.hostname, self._server.port))
                self._open |= {near, far}
                threading.Thread(target=self._pass, args=(near, far, self.sent), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, bytearray()), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, kept: bytearray) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                kept += data
                other.sendall(data)
        for end in (one, other):
            self._open.discard(end)
            end.close()


@pytest.fixture(scope="module")
def link(stage: Stage) -> Iterator[Link]:
    """The link to a running server."""
    with serving(stage.app) as address:
        found = Link(address)
        yield found
        found.close()


@pytest.fixture
def site(link: Link) -> str:
    """Address of a running server."""
    link.sent.clear()
    return link.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture
def open_as(browser, site: str, stage: Stage):  # type: ignore[no-untyped-def]
    """A function that gives a person's window; at the end no page may have complained of itself."""
    contexts, complaints = [], []

    def window(login: str, viewport: dict[str, int] = PHONE, **options: object):  # type: ignore[no-untyped-def]
        context = browser.new_context(viewport=viewport, base_url=site, **options)
        become(context, site, stage, login)
        context.set_default_timeout(15_000)
        context.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield window
    for context in contexts:
        context.close()
    expected = ("status of 40", "status of 415", "net::ERR_", "when fetching the script")
    assert [c for c in complaints if not any(e in c for e in expected)] == []


def become(context: Any, site: str, stage: Stage, login: str) -> None:
    """From now on somebody is signed in there."""
    secret = stage.access.sessions.sign_in_as(stage.ids[login], "test")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])


def until(page: Any, is_so: Callable[[], bool]) -> None:
    """Wait for something outside the page."""
    for _ in range(300):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not become so")


def begun(stage: Stage, body: Body | None = None) -> str:
    """A draft of the branch."""
    return stage.services.cases.drafts.begin(stage.principal("liaison"), "jia-1", body=body or {})


def body_of(stage: Stage, case_id: str) -> Body:
    """The form as the server has it."""
    return stage.services.cases.drafts.form(stage.principal("liaison"), case_id).body


def has_none(page: Any, asked: str) -> bool:
    """Whether a list that the browser gives is empty."""
    return bool(page.evaluate(f"{asked}.then((all) => all.length === 0)"))


def says(page: Any, words: str) -> None:
    """Wait until the bar below tells this."""
    page.locator("#saved", has_text=words).wait_for()


def photograph(width: int = 2400, height: int = 1600) -> bytes:
    """A photograph that says where it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 20.0)
    kept = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(kept, "JPEG", exif=exif)
    return kept.getvalue()


def choose_photograph(page: Any) -> None:
    """Take a photograph."""
    page.set_input_files("#photo", {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": photograph()})


def attached(stage: Stage, case_id: str) -> list[Any]:
    """Attachments as the server has them."""
    return stage.services.cases.attachments.of_draft(stage.principal("liaison"), case_id)


def ready_for_no_link(page: Any) -> None:
    """Wait until this browser holds the page for no link."""
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    held = "caches.match('/cases/offline', { ignoreVary: true }).then(Boolean)"
    until(page, lambda: page.evaluate(held))


# -- saving as one writes -----------------------------------------------------------------------------


def test_every_field_is_saved_as_it_is_written(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """A moment after a change the server has it, without a button, for fields of every shape, and the page says so."""
    case_id, page = begun(stage), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    page.get_by_label("标题").fill("楼道灯")
    page.get_by_label("问题").fill("灯坏了。\n没人报。")
    page.get_by_label("涉及人数").fill("４0")
    page.get_by_label("行业").select_option("K")
    for label, value in (("量的是什么", "黑灯天数"), ("之前", "11"), ("之后", "2"), ("单位", "天")):
        page.get_by_role("group", name="第 1 行").get_by_label(label, exact=True).fill(value)
    says(page, "已保存")
    until(page, lambda: Field.FIGURES in body_of(stage, case_id))
    assert body_of(stage, case_id) == {
        Field.TITLE: "楼道灯",
        Field.INDUSTRY: "K",
        Field.PEOPLE: "40",
        Field.PROBLEM: "灯坏了。\n没人报。",
        Field.FIGURES: "黑灯天数|11|2|天",
    }
    assert page.locator("[data-field=problem] [data-kept]").text_content() == "已保存"
    assert page.get_by_role("heading", level=1).text_content() == "楼道灯"
    page.reload()
    assert page.get_by_label("问题").input_value() == "灯坏了。\n没人报。"
    assert page.evaluate(KEPT) == 0


def test_a_field_that_will_not_do_says_so_and_holds_nothing_up(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """What the server refuses is told beside its field; the others are saved."""
    case_id, page = begun(stage), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    page.get_by_label("涉及人数").fill("四十来个")
    page.locator("[data-field=people] [data-kept]", has_text="要填一个整数").wait_for()
    page.get_by_label("标题").fill("楼道灯")
    until(page, lambda: body_of(stage, case_id) == {Field.TITLE: "楼道灯"})
    says(page, "有一栏没有保存上")
    page.get_by_label("涉及人数").fill("40")
    says(page, "已保存")
    assert body_of(stage, case_id)[Field.PEOPLE] == "40"


def test_submitting_sends_what_was_just_written(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """The button waits for what is under way; what is missing is named with a link to it."""
    case_id, page = (
        begun(stage, {f: t for f, t in LAMPS.items() if f is not Field.OUTCOME}),
        open_as("liaison"),
    )
    page.goto(f"/cases/{case_id}/write")
    page.get_by_role("button", name="提交审核").click()
    page.get_by_role("link", name="“成效”还没有写。").click()
    page.get_by_label("成效", exact=False).first.fill("平均两天修好。")
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/review?done=submitted")
    assert body_of(stage, case_id) == LAMPS


def test_what_it_is_like_appears_beside_it(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """After a pause, similar cases are listed: folded below the field on a phone, in a column beside it on a desk."""
    drafts, publishing = stage.services.cases.drafts, stage.services.cases.publishing
    other = begun(stage, LAMPS)
    drafts.submit(stage.principal("liaison"), other)
    drafts.approve(stage.principal("second"), other)
    publishing.publish(stage.principal("liaison"), other, [Wanted("own")])
    case_id = begun(stage)
    phone, desk = open_as("liaison"), open_as("liaison", DESK)
    for page in (phone, desk):
        page.goto(f"/cases/{case_id}/write")
    phone.get_by_label("问题").fill("楼道灯坏了，住户多，没人报。")
    phone.locator("#beside summary", has_text="1").click()
    assert phone.locator("#beside").get_by_role("link", name=LAMPS[Field.TITLE]).is_visible()
    desk.reload()
    beside, field = desk.locator("#beside").bounding_box(), desk.locator("#problem").bounding_box()
    assert beside["x"] > field["x"] + field["width"]
    assert desk.get_by_role("link", name=LAMPS[Field.TITLE]).is_visible()


# -- writing together ------------------------------------------------------------------------------------


def test_two_people_write_at_once_and_lose_nothing(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """Each sees the other and what they write, also in the same field, where both changes stand and the cursor stays."""
    case_id = begun(stage, LAMPS)
    one, other = open_as("liaison"), open_as("second")
    for page in (one, other):
        page.goto(f"/cases/{case_id}/write")
    other.get_by_label("做法").press("End")
    one.locator("#writers", has_text="second先生在写“做法”").wait_for()
    one.get_by_label("标题").fill("楼道灯坏了，一张贴纸管住")
    other.wait_for_function("() => document.getElementById('title').value.includes('贴纸')")

    # Both in one field: the one at its beginning, the other at its end.
    problem = other.get_by_label("问题")
    problem.press("Control+End")
    problem.type("物业也不知道。")
    says(other, "已保存")
    mine = one.get_by_label("问题")
    mine.press("Control+Home")
    mine.type("冬天")
    until(one, lambda: "冬天灯坏了。" in body_of(stage, case_id)[Field.PROBLEM])
    whole = "冬天灯坏了。住户多。没人报。物业也不知道。"
    for page in (one, other):
        page.locator("h1").click()
        page.wait_for_function("(whole) => document.getElementById('problem').value === whole", arg=whole)
    assert body_of(stage, case_id)[Field.PROBLEM] == whole


def test_the_cursor_stays_where_one_writes(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """When what others wrote comes in before and after the cursor, one goes on writing at the same words."""
    case_id = begun(stage, LAMPS)
    page = open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    field = page.get_by_label("问题")
    field.press("Control+Home")
    for _ in "灯坏了。住户多":
        field.press("ArrowRight")
    base = stage.services.cases.drafts.form(stage.principal("second"), case_id).revision
    theirs = "楼道灯坏了。住户多。没人报修。"
    stage.services.cases.drafts.save(stage.principal("second"), case_id, Field.PROBLEM, theirs, base=base)
    page.keyboard.type("又都忙")
    page.wait_for_function("() => document.getElementById('problem').value.includes('报修')")
    page.keyboard.type("得很")
    whole = "楼道灯坏了。住户多又都忙得很。没人报修。"
    until(page, lambda: body_of(stage, case_id)[Field.PROBLEM] == whole)
    assert field.input_value() == whole


def test_a_sentence_that_two_changed_stands_twice_and_is_told(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """Of a contested sentence both versions stay, and the page says so beside the field."""
    case_id = begun(stage, LAMPS)
    page = open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    field = page.get_by_label("成效", exact=False).first
    field.press("Control+End")
    base = stage.services.cases.drafts.form(stage.principal("second"), case_id).revision
    stage.services.cases.drafts.save(
        stage.principal("second"), case_id, Field.OUTCOME, "平均三天修好。", base=base
    )
    field.fill("平均一天修好。")
    notice = page.locator("[data-field=outcome] [data-clash]")
    notice.wait_for()
    assert "两个人改了同一句，两种写法都留下了" in notice.text_content()
    assert "三天" in field.input_value() and "一天" in field.input_value()


# -- no link -----------------------------------------------------------------------------------------------


def test_what_is_written_without_a_link_is_sent_when_it_is_back(open_as, link, stage) -> None:  # type: ignore[no-untyped-def]
    """Text and photographs stay in the browser, over a reload too, merge with what others wrote meanwhile, and are sent."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    ready_for_no_link(page)
    link.cut(page)
    page.get_by_label("问题").press("Control+End")
    page.get_by_label("问题").type("冬天更糟。")
    choose_photograph(page)
    says(page, "没有网，已存在这台手机上")
    page.locator("#waiting", has_text="没有网，已存在这台手机上").wait_for()
    page.reload()
    page.wait_for_function("() => document.getElementById('problem').value.includes('冬天更糟')")
    assert page.get_by_label("做法").input_value() == LAMPS[Field.PRACTICE]
    assert page.locator("#waiting canvas").count() == 1
    page.get_by_label("做法").press("Control+End")
    page.get_by_label("做法").type("当天登记。")
    stage.services.cases.drafts.save(
        stage.principal("second"), case_id, Field.PROBLEM, "灯坏了十盏。住户多。没人报。", base=4
    )
    until(page, lambda: page.evaluate(KEPT) == 3)
    assert "冬天" not in body_of(stage, case_id)[Field.PROBLEM] and attached(stage, case_id) == []
    link.mend(page)
    until(page, lambda: body_of(stage, case_id)[Field.PROBLEM] == "灯坏了十盏。住户多。没人报。冬天更糟。")
    until(page, lambda: body_of(stage, case_id)[Field.PRACTICE] == "贴编号，拍照报修。当天登记。")
    until(page, lambda: len(attached(stage, case_id)) == 1)
    says(page, "已保存")
    until(page, lambda: page.evaluate(KEPT) == 0)


def test_a_case_begun_without_a_link_is_begun_when_it_is_back(open_as, link, stage) -> None:  # type: ignore[no-untyped-def]
    """Who opens the page for a new case on site can write it there, photograph and all; later the branch has it."""
    page = open_as("liaison")
    page.goto("/cases/new")
    ready_for_no_link(page)
    link.cut(page)
    page.goto("/cases/new")
    page.get_by_label("标题").fill("停电那天的会")
    page.get_by_label("问题").fill("会议室没有电。")
    choose_photograph(page)
    page.locator("#waiting canvas").wait_for()
    says(page, "没有网，已存在这台手机上")
    page.reload()
    page.wait_for_function("() => document.getElementById('title').value === '停电那天的会'")
    link.mend(page)
    page.wait_for_url("**/write")
    case_id = page.url.split("/")[-2]
    until(page, lambda: len(attached(stage, case_id)) == 1)
    assert body_of(stage, case_id) == {Field.TITLE: "停电那天的会", Field.PROBLEM: "会议室没有电。"}
    says(page, "已保存")
    until(page, lambda: page.evaluate(KEPT) == 0)


def test_an_answer_lost_on_the_way_makes_nothing_twice(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """A save that arrived without the browser knowing is sent again, with more behind it, and stands once."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    lost: list[Any] = []

    def lose(route: Any) -> None:
        if not lost:
            lost.append(route.fetch())
            route.abort("failed")
            return
        route.continue_()

    page.route("**/form/problem", lose)
    field = page.get_by_label("问题")
    field.press("Control+End")
    field.type("物业也不")
    until(page, lambda: bool(lost))
    field.type("知道。")
    until(page, lambda: body_of(stage, case_id)[Field.PROBLEM] == "灯坏了。住户多。没人报。物业也不知道。")
    says(page, "已保存")
    assert field.input_value() == "灯坏了。住户多。没人报。物业也不知道。"


def test_two_windows_of_one_person_lose_nothing(open_as, link, stage) -> None:  # type: ignore[no-untyped-def]
    """What waits in one window is not taken for the other's, and both are sent."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    other = page.context.new_page()
    other.goto(f"/cases/{case_id}/write")
    link.cut(page)
    page.get_by_label("问题").press("Control+Home")
    page.get_by_label("问题").type("冬天")
    other.get_by_label("问题").press("Control+End")
    other.get_by_label("问题").type("物业也不知道。")
    says(page, "没有网")
    says(other, "没有网")
    link.mend(page)
    whole = "冬天灯坏了。住户多。没人报。物业也不知道。"
    until(page, lambda: body_of(stage, case_id)[Field.PROBLEM] == whole)


# -- whose it is ----------------------------------------------------------------------------------------------


def test_what_one_person_kept_is_never_sent_as_another(open_as, link, site, stage) -> None:  # type: ignore[no-untyped-def]
    """When somebody else signs in in the same browser, what waits stays where it is until its writer is back."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    link.cut(page)
    page.get_by_label("问题").fill("写到一半。")
    says(page, "没有网，已存在这台手机上")
    become(page.context, site, stage, "second")
    link.mend(page)
    says(page, "登录的已经是别人")
    page.goto(f"/cases/{case_id}/write")
    assert page.get_by_label("问题").input_value() == LAMPS[Field.PROBLEM]
    page.get_by_label("标题").fill("别人写的标题")
    says(page, "已保存")
    page.goto("/manage/cases")
    page.goto("/cases/new")
    assert body_of(stage, case_id)[Field.PROBLEM] == LAMPS[Field.PROBLEM]
    become(page.context, site, stage, "liaison")
    page.goto(f"/cases/{case_id}/write")
    until(page, lambda: body_of(stage, case_id)[Field.PROBLEM] == "写到一半。")
    drafts = stage.services.cases.drafts
    told = {c.after: c.by_name for c in drafts.changes(stage.principal("liaison"), case_id)}
    assert told["写到一半。"] == "liaison先生"


def test_signing_out_leaves_nothing_on_the_device(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """Texts, photographs, the copy of the form and the worker are gone; somebody without a link writes as nobody."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    ready_for_no_link(page)
    page.route("**/v1/cases/*/form/**", lambda route: route.abort("failed"))
    page.get_by_label("问题").fill("没有发出去的。")
    says(page, "没有网，已存在这台手机上")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/sign-in?done=out")
    for left in ("indexedDB.databases()", "caches.keys()", "navigator.serviceWorker.getRegistrations()"):
        until(page, partial(has_none, page, left))
    assert body_of(stage, case_id)[Field.PROBLEM] == LAMPS[Field.PROBLEM]


# -- photographs ------------------------------------------------------------------------------------------------


def test_a_photograph_is_scaled_and_says_nothing_of_its_place(open_as, link, stage) -> None:  # type: ignore[no-untyped-def]
    """What leaves the browser is no longer than 1600 pixels and holds no word of the camera; so is what is kept."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    choose_photograph(page)
    page.locator("#attached img").wait_for()
    sent = bytes(link.sent)
    assert b"image/jpeg" in sent and b"SecretCamera" not in sent and b"Exif" not in sent
    page.locator("#attached").get_by_label("说明").fill("贴好的编号")
    page.get_by_label("标题").click()
    until(page, lambda: attached(stage, case_id)[0].caption == "贴好的编号")
    _, data = stage.services.cases.attachments.open(
        stage.principal("liaison"), case_id, attached(stage, case_id)[0].attachment_id
    )
    image = Image.open(io.BytesIO(data))
    assert max(image.size) == 1600 and not image.getexif() and b"SecretCamera" not in data
    assert page.locator("#waiting > li").count() == 0


def test_a_file_that_is_refused_says_why(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """A program called a PDF is told beside its name, and nothing waits for it."""
    case_id, page = begun(stage, LAMPS), open_as("liaison")
    page.goto(f"/cases/{case_id}/write")
    page.set_input_files(
        "#file", {"name": "表.pdf", "mimeType": "application/pdf", "buffer": b"MZ\x90 program"}
    )
    page.locator("#waiting", has_text="没有放进来").wait_for()
    page.get_by_label("标题").fill("楼道灯")
    says(page, "已保存")
    assert attached(stage, case_id) == [] and page.evaluate(KEPT) == 0


# -- how it looks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_can_be_read_and_touched(open_as, stage, viewport, scheme) -> None:  # type: ignore[no-untyped-def]
    """Nothing runs over the edge, every text has its contrast, every control is large enough."""
    case_id = begun(stage, LAMPS)
    page = open_as("liaison", viewport, color_scheme=scheme)
    for path in (
        "/manage/cases",
        "/cases/new",
        *(f"/cases/{case_id}/{p}" for p in ("write", "review", "history", "publish")),
    ):
        page.goto(path)
        assert page.evaluate(OVERFLOW) <= 0, path
        assert page.evaluate(CONTRAST) == [], path
        small = [t for t in page.evaluate(SMALL_TARGETS) if t[1] != "保存"]
        assert small == [], path


def test_the_form_works_without_script(open_as, stage) -> None:  # type: ignore[no-untyped-def]
    """One form with a button saves all of it, a photograph among it."""
    case_id = begun(stage)
    page = open_as("liaison", java_script_enabled=False)
    page.goto(f"/cases/{case_id}/write")
    page.get_by_label("标题").fill("楼道灯")
    page.get_by_label("问题").fill("灯坏了。")
    choose_photograph(page)
    page.get_by_role("button", name="保存草稿").click()
    page.get_by_text("已保存。").wait_for()
    assert body_of(stage, case_id) == {Field.TITLE: "楼道灯", Field.PROBLEM: "灯坏了。"}
    assert len(attached(stage, case_id)) == 1

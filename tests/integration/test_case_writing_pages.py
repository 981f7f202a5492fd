"""Writing, reviewing and publishing a case on the pages, without script."""

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from access.sharing import Wanted
from api.case_form import field_view, figures_text
from cases.model import Body, Field
from ingest.metadata import Sidecar
from kb.errors import NotFound
from kb.model import Kind, Source
from tests.integration.account_browser import Browser, text
from tests.integration.manage_stage import Stage, full_stage

LAMPS: Body = {
    Field.TITLE: "楼道灯坏了没人报，一张贴纸管住",
    Field.PROBLEM: "楼道灯坏了，住户以为物业知道，物业等人来报，一盏灯平均黑十一天。",
    Field.PRACTICE: "每盏灯下贴一张编号，拍照发到群里。值班员当天登记。",
    Field.OUTCOME: "平均两天修好。",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two organisations for all; each test writes a case of its own."""
    found = full_stage(tmp_path_factory.mktemp("writing") / "home")
    yield found
    found.services.close()


def begun(stage: Stage, login: str = "trainer", body: Body | None = None) -> str:
    """A draft of the branch."""
    return stage.services.cases.drafts.begin(stage.principal(login), "jia-1", body=body or {})


def form_of(page: httpx.Response, action: str) -> dict[str, list[str]]:
    """Every field of a form as a browser would send it."""
    form = next(f for f in LexborHTMLParser(page.text).css("form") if f.attributes.get("action") == action)
    found: dict[str, list[str]] = {}
    for field in form.css("input, textarea, select"):
        held = field.attributes
        if held.get("type") in ("file", "checkbox") and "checked" not in held:
            continue
        if field.tag == "select":
            chosen = field.css_first("option[selected]")
            value = chosen.attributes.get("value") if chosen else ""
        elif field.tag == "textarea":
            value = field.text().removeprefix("\n")
        else:
            value = held.get("value")
        found.setdefault(held["name"] or "", []).append(value or "")
    return found


def write(browser: Browser, case_id: str, files: Any = None, **typed: str) -> httpx.Response:
    """Open the form, fill some of it in, and send it."""
    address = f"/cases/{case_id}/write"
    fields = form_of(browser.get(address), address) | {k: [v] for k, v in typed.items()}
    return send(browser, case_id, fields, files)


def send(browser: Browser, case_id: str, fields: dict[str, list[str]], files: Any = None) -> httpx.Response:
    """Send the form as it was filled in."""
    parts = [("photo", ("", b""))] if files is None else files
    return answered(browser, browser.client.post(f"/cases/{case_id}/write", data=fields, files=parts))


def answered(browser: Browser, page: Any) -> httpx.Response:
    """What came is what the browser shows."""
    browser.page = page
    return browser.page


def body_of(stage: Stage, case_id: str) -> Body:
    """The form as it stands."""
    return stage.services.cases.drafts.form(stage.principal("trainer"), case_id).body


def photograph() -> bytes:
    """A photograph that says where it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "某相机"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 20.0)
    kept = io.BytesIO()
    Image.new("RGB", (2400, 1200), "teal").save(kept, "JPEG", exif=exif)
    return kept.getvalue()


# -- from the first word to others' eyes ------------------------------------------------------------


def test_a_case_goes_from_an_empty_form_to_a_partner_and_back(stage: Stage) -> None:
    """A trainer writes it, a liaison reviews and shares it after seeing who will see it; withdrawn, nobody sees it."""
    trainer, liaison = stage.browser("trainer"), stage.browser("liaison")
    to = trainer.send("/cases/new", mark="branch").headers["location"]
    case_id = to.split("/")[2]
    page = write(trainer, case_id, then="submit", title=LAMPS[Field.TITLE])
    assert page.status_code == 400
    assert [a.attributes["href"] for a in LexborHTMLParser(page.text).css("#problems a")] == [
        "#problem",
        "#practice",
        "#outcome",
    ]
    typed = {f.value: words for f, words in LAMPS.items()}
    assert write(trainer, case_id, then="submit", **typed).headers["location"].endswith("done=submitted")
    assert "这是您提交的" not in text(trainer.get(f"/cases/{case_id}/review"))

    assert "等审核" in text(liaison.get("/manage/cases"))
    review = f"/cases/{case_id}/review"
    liaison.get(review)
    back = liaison.post(
        f"/cases/{case_id}/give-back", liaison.fields(f"/cases/{case_id}/give-back") | {"note": ""}
    )
    assert back.status_code == 400 and "退回要写明原因" in text(back)
    liaison.send(review, f"/cases/{case_id}/give-back", note="成效的天数怎么来的，请补上。")
    assert "成效的天数怎么来的，请补上。" in text(trainer.get(f"/cases/{case_id}/write"))

    write(trainer, case_id, then="submit", outcome="登记本上算，平均两天修好。")
    assert liaison.send(review, f"/cases/{case_id}/approve").headers["location"].endswith("done=approved")
    publish = f"/cases/{case_id}/publish"
    chosen: dict[str, Any] = {"audience": ["own", "branch:yi-1"]}
    shown = liaison.send(publish, **chosen, preview="1")
    assert "其他支部（1 个）：乙公司一支部。" in text(shown)
    other = stage.browser("other-liaison")
    assert other.get(f"/cases/{case_id}").status_code == 404
    assert liaison.send(publish, **chosen).headers["location"] == f"/cases/{case_id}?done=published"
    assert "登记本上算，平均两天修好。" in text(other.get(f"/cases/{case_id}"))
    assert other.get(f"/cases/{case_id}/write").status_code == 404

    assert liaison.send(publish, f"/cases/{case_id}/withdraw", reason="").status_code == 400
    liaison.send(publish, f"/cases/{case_id}/withdraw", reason="数字有误")
    assert other.get(f"/cases/{case_id}").status_code == 404
    assert body_of(stage, case_id)[Field.OUTCOME] == "登记本上算，平均两天修好。"


def test_nobody_reviews_what_they_submitted(stage: Stage) -> None:
    """The page of a liaison's own case offers no approval, and the server takes none."""
    liaison = stage.browser("liaison")
    case_id = begun(stage, "liaison", LAMPS)
    liaison.send(f"/cases/{case_id}/review", f"/cases/{case_id}/submit")
    page = liaison.get(f"/cases/{case_id}/review")
    assert "要请本支部另一位联络员或管理员审" in text(page) and "/approve" not in page.text
    token = liaison.fields(f"/cases/{case_id}/give-back")["form_token"]
    fields = {"form_token": token, "revision": "4"}
    assert liaison.post(f"/cases/{case_id}/approve", fields).status_code == 403


def test_a_case_changed_during_review_is_read_again(stage: Stage) -> None:
    """What is approved is what the reviewer had before their eyes."""
    case_id = begun(stage, "trainer", LAMPS)
    drafts = stage.services.cases.drafts
    drafts.submit(stage.principal("trainer"), case_id)
    liaison = stage.browser("liaison")
    liaison.get(f"/cases/{case_id}/review")
    fields = liaison.fields(f"/cases/{case_id}/approve")
    drafts.save(stage.principal("trainer"), case_id, Field.OUTCOME, "平均三天修好。", base=4)
    drafts.submit(stage.principal("trainer"), case_id)
    page = liaison.post(f"/cases/{case_id}/approve", fields)
    assert page.status_code == 400 and "审核期间这个案例又改过" in text(page)
    assert "平均三天修好。" in text(page)


# -- writing together ---------------------------------------------------------------------------------


def test_two_forms_sent_over_each_other_lose_nothing(stage: Stage) -> None:
    """Of two forms opened at the same moment both changes stand; the same sentence stands in both versions, and is said."""
    case_id = begun(stage, "trainer", {Field.PROBLEM: "灯坏了。住户多。没人报。", Field.OUTCOME: "两天。"})
    address = f"/cases/{case_id}/write"
    trainer, liaison = stage.browser("trainer"), stage.browser("liaison")
    one = form_of(trainer.get(address), address)
    other = form_of(liaison.get(address), address)
    send(trainer, case_id, one | {"problem": ["灯坏了十盏。住户多。没人报。"], "people": ["40"]})
    send(liaison, case_id, other | {"problem": ["灯坏了。住户多。没人报修。"], "outcome": ["两天修好。"]})
    assert body_of(stage, case_id) == {
        Field.PEOPLE: "40",
        Field.PROBLEM: "灯坏了十盏。住户多。没人报修。",
        Field.OUTCOME: "两天修好。",
    }
    page = send(
        trainer, case_id, one | {"outcome": ["三天修好。"], "problem": ["灯坏了十盏。住户多。没人报。"]}
    )
    assert page.headers["location"].endswith("&clash=outcome#outcome")
    assert {"两天修好。", "三天修好。"} == set(re.findall("..修好。", body_of(stage, case_id)[Field.OUTCOME]))
    shown = LexborHTMLParser(trainer.get(page.headers["location"]).text)
    notice = shown.css_first("[data-field=outcome] [data-clash]")
    assert notice is not None and "hidden" not in notice.attributes and "两种写法都留下了" in notice.text()


def test_what_will_not_do_stays_as_typed(stage: Stage) -> None:
    """A field with a mistake is shown with it beside what was typed; the other fields are saved."""
    case_id = begun(stage)
    page = write(stage.browser("trainer"), case_id, people="四十来个", title="楼道灯")
    assert page.status_code == 400 and "“涉及人数”要填一个整数" in text(page)
    assert form_of(page, f"/cases/{case_id}/write")["people"] == ["四十来个"]
    assert body_of(stage, case_id) == {Field.TITLE: "楼道灯"}


def test_history_tells_who_changed_what_and_puts_back(stage: Stage) -> None:
    """What somebody overwrote is in the history, and can be had again."""
    case_id = begun(stage, "trainer", {Field.PRACTICE: "先登记。再排队。"})
    write(stage.browser("liaison"), case_id, practice="先登记。改为预约。")
    trainer = stage.browser("trainer")
    page = trainer.get(f"/cases/{case_id}/history")
    parsed = LexborHTMLParser(page.text)
    assert "liaison先生" in text(page)
    assert [d.text() for d in parsed.css("del")] == ["再排队。"]
    assert "改为预约。" in [i.text() for i in parsed.css("ins")]
    trainer.post(f"/cases/{case_id}/put-back", trainer.fields(f"/cases/{case_id}/put-back"))
    assert body_of(stage, case_id)[Field.PRACTICE] == "先登记。再排队。"


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=("Cc", "Cs")), max_size=8
)


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL) | CELL, max_size=4))
def test_figures_lose_nothing_on_their_way_through_the_form(lines: list[Any]) -> None:
    """Whatever stands in the field of figures, shown as rows and sent again unchanged, comes to the same at once."""
    written = "\n".join(line if isinstance(line, str) else "|".join(line) for line in lines)

    def through(stood: str) -> str:
        view = field_view(Field.FIGURES, stood)
        form = {
            f"figure_{part}": [getattr(row, part) for row in view.rows]
            for part in ("measure", "before", "after", "unit")
        }
        return figures_text(form | {"figure_rest": [view.rest]})

    once = through(written)
    assert through(once) == once
    assert {c for c in written if c.isalnum()} == {c for c in once if c.isalnum()}


# -- Word files ------------------------------------------------------------------------------------------


def word_file(*paragraphs: str) -> bytes:
    """A Word file in which a line that ends in a colon is a heading."""
    made = docx.Document()
    for one in paragraphs:
        made.add_heading(one.rstrip("："), 2) if one.endswith("：") else made.add_paragraph(one)
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def hand_in(browser: Browser, name: str, data: bytes) -> httpx.Response:
    """Hand a file in on the page that begins a case."""
    fields = LexborHTMLParser(browser.get("/cases/new").text).css("form[enctype] input[type=hidden]")
    typed = {f.attributes["name"] or "": f.attributes["value"] or "" for f in fields}
    return answered(browser, browser.client.post("/cases/new", data=typed, files={"word": (name, data)}))


def test_a_word_file_fills_the_form_and_the_rest_is_shown(stage: Stage) -> None:
    """What is read stands in its fields; what is missing and what fits nowhere is told, and the file is kept."""
    trainer = stage.browser("trainer")
    data = word_file(
        "楼道灯坏了没人报", "存在问题：", "一盏灯平均黑十一天。", "主要做法：", "贴编号，拍照报修。",
        "鸣谢：", "感谢三号楼的老吕。",
    )  # fmt: skip
    to = hand_in(trainer, "楼道灯.docx", data).headers["location"]
    page = trainer.get(to)
    assert "还缺：成效" in text(page) and "感谢三号楼的老吕。" in text(page)
    case_id = to.split("/")[2]
    assert body_of(stage, case_id)[Field.PROBLEM] == "一盏灯平均黑十一天。"
    assert "楼道灯.docx" in text(page)
    kept = trainer.get(re.findall(rf"/cases/{case_id}/attachments/[0-9a-f]+", page.text)[0])
    assert kept.status_code == 200 and kept.content[:2] == b"PK"


def test_a_word_file_of_no_form_at_all_is_no_error(stage: Stage) -> None:
    """Everything that it says is shown, to be put where it belongs."""
    trainer = stage.browser("trainer")
    to = hand_in(trainer, "随笔.docx", word_file("那天下着雨", "老吕把梯子扛来了。")).headers["location"]
    assert "老吕把梯子扛来了。" in text(trainer.get(to))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("坏的.docx", b"not a zip", "读不出来"), ("旧的.doc", b"x", "另存为 .docx"), ("", b"", "请选择")],
)
def test_what_is_no_word_file_is_told(stage: Stage, name: str, data: bytes, words: str) -> None:
    """The page says what is wrong with the file and what to do; nothing is begun."""
    drafts, trainer = stage.services.cases.drafts, stage.principal("trainer")
    before = drafts.of_branch(trainer, "jia-1")
    page = hand_in(stage.browser("trainer"), name, data)
    assert page.status_code == 400 and words in text(page)
    assert drafts.of_branch(trainer, "jia-1") == before


def test_the_empty_form_can_be_had(stage: Stage) -> None:
    """It is a Word file with a heading for each field."""
    page = stage.browser("trainer").get("/cases/form.docx")
    words = [p.text for p in docx.Document(io.BytesIO(page.content)).paragraphs]
    assert "做法" in words and "成效" in words


# -- photographs and files -----------------------------------------------------------------------------------


def test_a_photograph_sent_without_script_loses_where_it_was_taken(stage: Stage) -> None:
    """The server scales it and leaves nothing of the camera's notes in it."""
    case_id, trainer = begun(stage), stage.browser("trainer")
    write(trainer, case_id, files=[("photo", ("现场.jpg", photograph(), "image/jpeg"))])
    page = trainer.get(f"/cases/{case_id}/write")
    image = LexborHTMLParser(page.text).css_first("#attached img")
    assert image is not None
    kept = Image.open(io.BytesIO(trainer.get(image.attributes["src"] or "").content))
    assert max(kept.size) == 1600 and not kept.getexif()


def test_a_forbidden_file_is_told_and_the_rest_is_saved(stage: Stage) -> None:
    """A program is refused by what it is, whatever it is called; text and the other file go in."""
    case_id, trainer = begun(stage), stage.browser("trainer")
    files = [
        ("file", ("表.pdf", b"MZ\x90\x00 program", "application/pdf")),
        ("file", ("a.txt", "登记".encode(), "text/plain")),
    ]
    page = write(trainer, case_id, files=files, title="楼道灯")
    assert (
        page.status_code == 400
        and "“表.pdf”：" in text(page)
        and body_of(stage, case_id) == {Field.TITLE: "楼道灯"}
    )
    kept = stage.services.cases.attachments.of_draft(stage.principal("trainer"), case_id)
    assert [a.name for a in kept] == ["a.txt"]
    write(trainer, case_id, remove=kept[0].attachment_id, problem="灯坏了。")
    assert stage.services.cases.attachments.of_draft(stage.principal("trainer"), case_id) == []
    assert body_of(stage, case_id)[Field.PROBLEM] == "灯坏了。"


def test_captions_are_saved_with_the_form(stage: Stage) -> None:
    """What is written beside a photograph is what it says."""
    case_id, trainer = begun(stage), stage.browser("trainer")
    write(trainer, case_id, files=[("photo", ("1.jpg", photograph(), "image/jpeg"))])
    attachments = stage.services.cases.attachments
    [one] = attachments.of_draft(stage.principal("trainer"), case_id)
    write(trainer, case_id, **{f"caption_{one.attachment_id}": "贴好的编号"})
    assert attachments.of_draft(stage.principal("trainer"), case_id)[0].caption == "贴好的编号"


# -- who sees what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["write", "review", "history", "publish", "beside"])
@pytest.mark.parametrize("login", ["member", "admin", "other-liaison", "other-admin"])
def test_a_draft_is_there_for_those_who_write_it_alone(stage: Stage, login: str, page: str) -> None:
    """To everybody else every page of it is as if there were no such case."""
    case_id = begun(stage, "trainer", LAMPS)
    browser = stage.browser(login)
    hidden, absent = browser.get(f"/cases/{case_id}/{page}"), browser.get(f"/cases/{'0' * 16}/{page}")
    assert hidden.status_code == absent.status_code == 404
    assert text(hidden).replace(case_id, "") == text(absent).replace("0" * 16, "")


def test_the_shell_for_no_link_holds_nothing_of_anybody(stage: Stage) -> None:
    """The page that browsers keep is the same to the byte for guests and for whoever is signed in."""
    begun(stage, "liaison", LAMPS)
    pages = [stage.browser(login).get("/cases/offline") for login in ("", "liaison", "member")]
    assert len({p.content for p in pages}) == 1
    assert "先生" not in pages[0].text and "form_token" not in pages[0].text
    worker = stage.browser("liaison").get("/cases/worker.js")
    assert worker.headers["content-type"].startswith("text/javascript") and "/cases/offline" in worker.text


def test_who_is_signed_in_is_told_to_them_alone(stage: Stage) -> None:
    """The answer names the person and where they write; nobody without a session gets one."""
    told = stage.browser("liaison").get("/cases/writer").json()
    assert told["person"] == stage.ids["liaison"]
    assert told["branches"] == [{"id": "jia-1", "name": "甲公司一支部"}]
    guest = stage.browser()
    guest.client.headers["accept"] = "application/json"
    assert guest.get("/cases/writer").status_code == 401


def test_a_token_of_one_person_sends_nothing_as_another(stage: Stage) -> None:
    """A save that was kept under one session is refused under the next person's."""
    case_id = begun(stage, "trainer")
    token = stage.browser("trainer").get("/cases/writer").json()["token"]
    save = {"text": "写给别人的。", "base": 0, "change_key": "a.1"}
    answer = stage.browser("liaison").client.put(
        f"/v1/cases/{case_id}/form/problem", json=save, headers={"x-form-token": token}
    )
    assert answer.status_code == 403 and body_of(stage, case_id) == {}


def test_a_member_cannot_begin(stage: Stage) -> None:
    """Who writes no cases gets no form to begin one."""
    assert stage.browser("member").get("/cases/new").status_code == 403


def test_a_case_that_came_as_a_file_can_be_worked_on(stage: Stage) -> None:
    """Its published text stands in the form, under its title in the list, and is saved whole with the first change."""
    source = Source(
        "灯.md", "text/markdown", "# 灯坏了没人报\n\n## 问题\n\n黑十一天。\n\n## 做法\n\n贴编号。\n".encode()
    )
    liaison = stage.principal("liaison")
    with_kind = Sidecar(kind=Kind.CASE)
    outcome = stage.services.holdings.hand_in(liaison, "jia-1", source, [Wanted("own")], sidecar=with_kind)
    assert outcome.document_id
    case_id = stage.services.cases.library.of_document(liaison.scope, outcome.document_id)
    assert case_id
    trainer = stage.browser("trainer")
    assert "灯坏了没人报" in text(trainer.get("/manage/cases"))
    write(trainer, case_id, practice="贴编号，拍照。")
    body = body_of(stage, case_id)
    assert (body[Field.PROBLEM], body[Field.PRACTICE]) == ("黑十一天。", "贴编号，拍照。")


def test_dropping_takes_the_draft_away(stage: Stage) -> None:
    """A dropped draft is nowhere any more."""
    case_id, trainer = begun(stage, "trainer", LAMPS), stage.browser("trainer")
    trainer.send(f"/cases/{case_id}/write", f"/cases/{case_id}/drop")
    assert trainer.get(f"/cases/{case_id}/write").status_code == 404
    with pytest.raises(NotFound):
        body_of(stage, case_id)


def test_a_case_taken_over_is_written_from_its_origin(stage: Stage) -> None:
    """Begun from a case that one sees, the form holds its text and says where it comes from."""
    drafts, publishing = stage.services.cases.drafts, stage.services.cases.publishing
    origin = begun(stage, "trainer", LAMPS)
    drafts.submit(stage.principal("trainer"), origin)
    drafts.approve(stage.principal("liaison"), origin)
    publishing.publish(stage.principal("liaison"), origin, [Wanted("own"), Wanted("branch:yi-1")])
    other = stage.browser("other-liaison")
    to = other.send(f"/cases/new?derived_from={origin}", "/cases/new", "derived_from").headers["location"]
    page = other.get(to)
    assert "改来，发布后会注明" in text(page)
    assert form_of(page, to.split("?")[0])["title"] == [LAMPS[Field.TITLE]]

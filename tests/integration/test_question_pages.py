"""The pages of a bank over HTTP, on real services: who may open and do what, and what comes of it."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from selectolax.lexbor import LexborHTMLParser, LexborNode

from api.question_desk import Sealed
from api.question_form import Typed, question_from, typed_of
from api.quiz_words import DROPPED
from api.settings import ROOT
from kb.errors import InvalidRequest
from quiz.exchange import readable
from quiz.generation.generator import Material
from quiz.model import BLANK, FALSE, TRUE, Point, Question, State, Type
from tests.integration.account_browser import Browser, text
from tests.integration.manage_stage import PEOPLE
from tests.integration.question_stage import BRANCH, BankStage, open_bank
from tests.integration.sitting_stage import RULE

OWN = "/manage/questions"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BankStage:
    """A bank to be copied."""
    found = open_bank(tmp_path_factory.mktemp("bank") / "home")
    found.services.close()
    return found


@pytest.fixture(scope="module")
def still(built: BankStage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BankStage]:
    """A bank in which nothing is changed."""
    found = built.copied(tmp_path_factory.mktemp("still") / "home")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def reader(still: BankStage) -> Browser:
    """The trainer's browser where nothing is changed."""
    return still.stage.browser("trainer")


@pytest.fixture
def room(built: BankStage, home: Path) -> Iterator[BankStage]:
    """A bank of the test's own."""
    found = built.copied(home)
    yield found
    found.services.close()


@pytest.fixture
def trainer(room: BankStage) -> Browser:
    """The trainer's browser."""
    return room.stage.browser("trainer")


def form(page: Browser, action: str, mark: str = "") -> dict[str, Any]:
    """The form of the page that goes to `action` and holds `mark`, as a browser would send it."""
    tree = LexborHTMLParser(page.page.text)
    for found in tree.css("form"):
        if found.attributes.get("action", "") == action and mark in (found.html or ""):
            fields: dict[str, Any] = {}
            for field in found.css("input, textarea, select"):
                for value in _values(field):
                    fields.setdefault(field.attributes["name"] or "", []).append(value)
            return fields
    raise AssertionError(f"no form to {action!r} with {mark!r} in {text(page.page)}")


def _values(field: LexborNode) -> list[str]:
    held = field.attributes
    if field.tag == "textarea":
        # The first line break after the tag is no part of it.
        return [field.text(deep=True).removeprefix("\n")]
    if field.tag == "select":
        chosen = field.css("option[selected]") or field.css("option")
        return [chosen[0].attributes.get("value") or ""]
    if held.get("type") in ("checkbox", "radio") and "checked" not in held:
        return []
    return [] if held.get("type") == "file" else [held.get("value") or ""]


def send(page: Browser, action: str, mark: str = "", **typed: Any) -> int:
    """Send the page's form to `action` with what is typed; the status."""
    return page.post(action, form(page, action, mark) | typed).status_code


def listed(page: Browser) -> list[str]:
    """Ids of the questions of a list."""
    return re.findall(r'<h2 class="card-title"><a href="/manage/questions/([0-9a-f]{16})"', page.page.text)


def kept(room: BankStage, type_: Type, login: str = "trainer") -> Any:
    """The question of the type as it is by now."""
    return room.bank.question(room.stage.principal(login), room.ids[type_])


# -- the list --------------------------------------------------------------------------------


def test_who_may_open_what(still: BankStage) -> None:
    """Trainers and administrators of the branch itself see its bank; others are told no, or nothing at all."""
    own, single = f"{OWN}?branch={BRANCH}", f"{OWN}/{still.ids[Type.SINGLE]}"
    expected = {
        "trainer": (200, 200),
        "second": (200, 200),
        "member": (403, 404),
        "liaison": (403, 404),
        # Above the branch, of a partner: it is as if there were none.
        "admin": (404, 404),
        "other-admin": (404, 404),
        "other-trainer": (404, 404),
        "other-liaison": (403, 404),
        "root": (403, 404),
    }
    assert set(expected) >= set(PEOPLE)
    for login, statuses in expected.items():
        page = still.stage.browser(login)
        assert (page.get(own).status_code, page.get(single).status_code) == statuses, login
    guest = still.stage.browser()
    for address in (own, single, f"{OWN}/review", f"{OWN}/generate", f"{OWN}/import", f"{OWN}/export"):
        assert guest.get(address).headers["location"].startswith("/sign-in?next="), address
    for name in ("review", "generate", "import", "export", "export/file?format=json"):
        assert still.stage.browser("member").get(f"{OWN}/{name}").status_code == 403, name


def test_empty_bank_says_what_to_do(still: BankStage) -> None:
    """Where there is no question yet, the page leads to making and importing some."""
    page = still.stage.browser("other-trainer")
    shown = page.get(OWN).text
    assert "题库里还没有题" in shown
    assert f'href="{OWN}/generate?branch=yi-1"' in shown
    assert f'href="{OWN}/import?branch=yi-1"' in shown
    assert "没有要审的题" in page.get(f"{OWN}/review").text


def test_list_counts_and_filters(room: BankStage, trainer: Browser) -> None:
    """The states are counted, and state, type, document and words narrow the list; the address holds them all."""
    by = room.stage.principal("trainer")
    room.bank.set_state(by, room.ids[Type.SINGLE], State.APPROVED, seen_version=1)
    room.bank.set_state(by, room.ids[Type.BLANK], State.RETIRED, "太难", seen_version=1)
    shown = trainer.get(OWN).text
    tabs = LexborHTMLParser(shown).css('nav[aria-label="按状态看"] a')
    counts = [" ".join(tab.text().split()) for tab in tabs]
    assert counts == ["全部 7", "候选 5", "待审 0", "已通过 1", "已停用 1"]
    cases: list[tuple[dict[str, Any], set[Type]]] = [
        ({"state": "approved"}, {Type.SINGLE}),
        ({"state": "retired"}, {Type.BLANK}),
        ({"type": ["short", "matching"]}, {Type.SHORT, Type.MATCHING}),
        ({"text": "夜读缺席"}, {Type.SHORT}),
        ({"document": room.document_id, "type": "single"}, {Type.SINGLE}),
        ({"document": "0" * 16}, set()),
        ({"topic": "夜读室管理办法", "state": "candidate", "type": "ordering"}, {Type.ORDERING}),
    ]
    for query, types in cases:
        trainer.get(f"{OWN}?{urlencode(query, doseq=True)}")
        assert set(listed(trainer)) == {room.ids[t] for t in types}, query
    assert "没有符合条件的题" in trainer.get(f"{OWN}?text=没有这样的字").text


def test_long_lists_are_paged(room: BankStage, trainer: Browser) -> None:
    """Thirty to a page, newest first; each question stands on one page, and a page too far leads back."""
    base = kept(room, Type.SHORT).question
    more = [replace(base, stem=f"第{n}次夜读缺席的，应当怎么办？") for n in range(40)]
    room.bank.add(room.stage.principal("trainer"), BRANCH, more)
    trainer.get(OWN)
    first = listed(trainer)
    trainer.get(f"{OWN}?page=2")
    second = listed(trainer)
    assert (len(first), len(second)) == (30, 17)
    assert not set(first) & set(second)
    assert "看第 1 页" in trainer.get(f"{OWN}?page=9").text


SHOWN = ("mark", "mark .asked", ".crumbs a", ".badge")

# -- one question -----------------------------------------------------------------------------


def test_question_stands_beside_its_clause(still: BankStage, reader: Browser) -> None:
    """The clause is shown whole, with the quotation marked, the place asked for inside it, its path, link and standing."""
    reader.get(f"{OWN}/{still.ids[Type.SINGLE]}")
    tree = LexborHTMLParser(reader.page.text)
    read = {what: "".join(e.text() for e in tree.css(f"section.proof {what}")) for what in SHOWN}
    assert read == {
        "mark": "夜读小组由五至七人组成。",
        "mark .asked": "五至七",
        ".crumbs a": "《夜读室管理办法》第一章 人员 第一条",
        ".badge": "现行有效",
    }
    href = f"/documents/{still.document_id}#art-1"
    assert [a.attributes["href"] for a in tree.css("section.proof .crumbs a")] == [href]
    assert reader.get(href).status_code == 200
    shown = LexborHTMLParser(reader.get(f"{OWN}/{still.ids[Type.SINGLE]}").text)
    assert ["".join(li.text().split()) for li in shown.css(".choices .right")] == ["B五至七✓答案"]


@pytest.mark.parametrize("type_", list(Type))
def test_every_type_shows_its_key(still: BankStage, reader: Browser, type_: Type) -> None:
    """Whatever the type, stem and key can be read on the page, in the review and in the list of what was kept."""
    question = kept(still, type_).question
    shown = text(reader.get(f"{OWN}/{still.ids[type_]}"))
    assert " ".join(question.stem.split()) in shown
    if type_ is Type.ORDERING:
        assert f"正确顺序 {question.letters}" in shown
    else:
        assert all(a in shown for a in question.answer)
    assert all(p.text in shown for p in question.points)


def test_withdrawn_document_takes_its_questions_along(room: BankStage, trainer: Browser) -> None:
    """Once the document is withdrawn, its questions are nowhere, and asking for one is like asking for none."""
    address = f"{OWN}/{room.ids[Type.SINGLE]}"
    room.services.remove([room.document_id])
    gone, never = trainer.get(address), trainer.get(f"{OWN}/{'0' * 16}")
    assert gone.status_code == never.status_code == 404
    assert gone.text == never.text.replace("0" * 16, room.ids[Type.SINGLE])
    assert "题库里还没有题" in trainer.get(OWN).text
    assert "没有要审的题" in trainer.get(f"{OWN}/review").text
    assert "没有可导出的题" in trainer.get(f"{OWN}/export").text


def test_what_one_trainer_alone_may_read_is_no_other_trainers_question(room: BankStage) -> None:
    """A question on a document that only its owner sees is in nobody else's list, queue, export or answer."""
    secret = room.hand_in(RULE.replace("夜读", "夜航"), wanted=[])
    question = room.cite(
        Question(Type.TRUE_FALSE, "参加夜航的人员可以代签。", (TRUE, FALSE), (FALSE,)),
        secret,
        "参加夜航的人员不得代签。",
    )
    [question_id] = room.bank.add(room.stage.principal("trainer"), BRANCH, [question]).ids
    for login, sees in (("trainer", True), ("second", False)):
        page = room.stage.browser(login)
        found = {
            "page": page.get(f"{OWN}/{question_id}").status_code == 200,
            "list": "夜航" in page.get(OWN).text,
            "text": "夜航" in page.get(f"{OWN}?text=夜航").text.replace('value="夜航"', ""),
            "review": "夜航" in page.get(f"{OWN}/review").text,
            "export": "夜航" in page.get(f"{OWN}/export/file?format=json").text,
            "picked": page.get(f"{OWN}/export/file?format=json&id={question_id}").status_code == 200,
        }
        assert set(found.values()) == {sees}, (login, found)


def test_verdicts_are_given_with_reasons(room: BankStage, trainer: Browser) -> None:
    """A question is approved, taken out of use for a reason that the history tells, and taken back."""
    own = f"{OWN}/{room.ids[Type.SINGLE]}"
    trainer.get(own)
    assert send(trainer, f"{own}/state", 'value="approved"') == 303
    assert "已通过，可以组卷了。" in trainer.get(trainer.page.headers["location"]).text
    assert kept(room, Type.SINGLE).state is State.APPROVED
    assert send(trainer, f"{own}/state", 'value="retired"') == 400
    assert "请选一个原因" in trainer.page.text
    assert send(trainer, f"{own}/state", 'value="retired"', reason="答案不对", more="应为六人") == 303
    assert "停用：答案不对：应为六人" in text(trainer.get(own))
    assert send(trainer, f"{own}/state", 'value="in_review"') == 303
    assert kept(room, Type.SINGLE).state is State.IN_REVIEW
    assert [a for a in room.stage.actions() if a.startswith("question.")][-3:] == [
        "question.approve",
        "question.retire",
        "question.review",
    ]


def test_others_like_it_are_listed(room: BankStage, trainer: Browser) -> None:
    """A question that asks at the same place is shown beside, and the review points to it."""
    base = kept(room, Type.SINGLE).question
    twin = replace(base, type=Type.BLANK, stem=f"夜读小组应有{BLANK}人。", options=())
    [twin_id] = room.bank.add(room.stage.principal("trainer"), BRANCH, [twin]).ids
    assert "夜读小组应有" in trainer.get(f"{OWN}/{room.ids[Type.SINGLE]}").text
    assert "有 1 道相近的题" in text(trainer.get(f"{OWN}/review?type=blank&text=夜读小组应有"))
    assert f"{OWN}/{twin_id}" in trainer.page.text


# -- editing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", list(Type))
def test_edit_changes_what_was_changed_alone(room: BankStage, trainer: Browser, type_: Type) -> None:
    """The form of every type, sent as it stands but for the explanation, keeps everything else of the question."""
    before = kept(room, type_)
    own = f"{OWN}/{before.question_id}"
    trainer.get(f"{own}?edit=1")
    assert send(trainer, own, explanation="写得更清楚。") == 303, text(trainer.page)
    assert trainer.page.headers["location"] == f"{own}?done=changed"
    after = kept(room, type_)
    assert after.question == replace(before.question, explanation="写得更清楚。")
    assert (after.version, after.state) == (2, State.IN_REVIEW)
    assert "看那一版" in trainer.get(own).text


WRONG: dict[Type, tuple[dict[str, Any], str]] = {
    Type.SINGLE: ({"key": []}, "请选出一个正确答案"),
    Type.MULTIPLE: ({"key": ["0"]}, "至少勾两个正确答案"),
    Type.TRUE_FALSE: ({"key": []}, "请选“正确”或“错误”"),
    Type.BLANK: ({"answer": "两"}, "题干有 2 个空，答案写了 1 行"),
    Type.SHORT: ({"points": "说明原因 40%\n七日内补读"}, "占比要么都写"),
    Type.ORDERING: ({"answer": "甲\n乙"}, "至少写三项"),
    Type.MATCHING: ({"prompt": ["领读员", "领读员", "联络员", ""]}, "左边有两项相同"),
}


@pytest.mark.parametrize("type_", list(Type))
def test_wrong_fields_are_told_and_what_was_typed_stays(
    room: BankStage, trainer: Browser, type_: Type
) -> None:
    """What makes no question of its type is told at its field; nothing is saved, and nothing typed is lost."""
    wrong, words = WRONG[type_]
    own = f"{OWN}/{room.ids[type_]}"
    trainer.get(f"{own}?edit=1")
    stem = "改过的题干" + (f"{BLANK}和{BLANK}" if type_ is Type.BLANK else "")
    sent = form(trainer, own) | {"stem": stem, "difficulty": "很难"} | wrong
    assert trainer.post(own, sent).status_code == 400
    assert words in unescape(trainer.page.text)
    assert "难度是 0 到 1 之间的数" in trainer.page.text
    again = form(trainer, own)
    for name, value in (("stem", [stem]), ("difficulty", ["很难"]), *wrong.items()):
        shown = [v for v in again.get(name, []) if v]
        assert shown == [v for v in ([value] if isinstance(value, str) else value) if v], name
    assert kept(room, type_).version == 1


def test_key_must_stand_in_the_clause(room: BankStage, trainer: Browser) -> None:
    """A key that the quotation does not hold is refused with the gate's own words, and stays in the form."""
    own = f"{OWN}/{room.ids[Type.BLANK]}"
    trainer.get(f"{own}?edit=1")
    assert send(trainer, own, answer="两\n九十日") == 400
    assert "没有保存" in trainer.page.text
    assert form(trainer, own)["answer"] == ["两\n九十日"]
    assert kept(room, Type.BLANK).version == 1


def test_quotation_is_found_again_or_told(room: BankStage, trainer: Browser) -> None:
    """Another sentence may be quoted if it stands in the document, word for word; what is asked for moves along."""
    own = f"{OWN}/{room.ids[Type.TRUE_FALSE]}"
    trainer.get(f"{own}?edit=1")
    assert send(trainer, own, quote="参加夜读的人员不准代签。") == 400
    assert "里没有这句话" in trainer.page.text
    assert form(trainer, own)["quote"] == ["参加夜读的人员不准代签。"]
    assert send(trainer, own, quote="人员不得代签") == 303
    cited = kept(room, Type.TRUE_FALSE).question.citation
    assert cited is not None
    assert (cited.quote, cited.path[-1]) == ("人员不得代签", "第三条")


def test_two_people_editing_one_question(room: BankStage) -> None:
    """Who saves second is told by whom and sees both texts, keeps what they typed, and may then save theirs."""
    own = f"{OWN}/{room.ids[Type.SINGLE]}"
    mine, theirs = room.stage.browser("trainer"), room.stage.browser("second")
    mine.get(f"{own}?edit=1")
    theirs.get(f"{own}?edit=1")
    assert send(theirs, own, stem=f"每个夜读小组由{BLANK}人组成。") == 303
    assert send(mine, own, stem=f"夜读小组有{BLANK}人。", explanation="我的解析。") == 409
    shown = text(mine.page)
    assert "您改的时候，second先生也改了这道题" in shown
    assert "每个夜读小组由（　　）人组成。" in mine.page.text
    assert "两边不一样的：题干、解析。" in shown
    again = form(mine, own)
    assert again["stem"] == [f"夜读小组有{BLANK}人。"]
    assert again["explanation"] == ["我的解析。"]
    assert kept(room, Type.SINGLE).question.stem == f"每个夜读小组由{BLANK}人组成。"
    assert mine.post(own, again).status_code == 303
    assert kept(room, Type.SINGLE).version == 3
    assert kept(room, Type.SINGLE).question.stem == f"夜读小组有{BLANK}人。"


def test_conflict_comes_before_what_is_wrong_with_the_old_text(room: BankStage) -> None:
    """Who typed something wrong into an old version is told of the newer one, and keeps what they typed."""
    own = f"{OWN}/{room.ids[Type.SINGLE]}"
    mine, theirs = room.stage.browser("trainer"), room.stage.browser("second")
    mine.get(f"{own}?edit=1")
    theirs.get(f"{own}?edit=1")
    send(theirs, own, explanation="新的解析。")
    assert send(mine, own, stem="", difficulty="x") == 409
    assert form(mine, own)["difficulty"] == ["x"]


def test_verdict_on_an_older_version_is_not_taken(room: BankStage) -> None:
    """Who approves what somebody changed meanwhile approves nothing, and is told by whom it was changed."""
    own = f"{OWN}/{room.ids[Type.SINGLE]}"
    mine, theirs = room.stage.browser("trainer"), room.stage.browser("second")
    mine.get(own)
    theirs.get(f"{own}?edit=1")
    send(theirs, own, explanation="新的解析。")
    assert send(mine, f"{own}/state", 'value="approved"') == 400
    assert "second先生刚才也动过这道题" in mine.page.text
    assert kept(room, Type.SINGLE).state is State.IN_REVIEW


def test_superseded_document_sends_its_questions_back(room: BankStage, trainer: Browser) -> None:
    """A stale question says so, cannot be approved, leads to the text in force, and may be moved onto it."""
    own = f"{OWN}/{room.ids[Type.SHORT]}"
    room.bank.set_state(room.stage.principal("trainer"), room.ids[Type.SHORT], State.APPROVED, seen_version=1)
    newer = room.newer()
    shown = trainer.get(own).text
    assert "依据已不是现行版本" in shown
    assert f'href="/documents/{newer}"' in shown
    assert 'value="approved"' not in shown
    stale = {
        "state": "approved",
        "seen_version": "1",
        "form_token": form(trainer, f"{own}/state")["form_token"],
    }
    assert trainer.post(f"{own}/state", stale).status_code == 400
    assert "已不是现行版本。请先修改" in trainer.page.text
    trainer.get(f"{own}?edit=1")
    sentence = "夜读缺席的，应当说明原因并在九日内补读。"
    changed = {"document": newer, "quote": sentence, "answer": "应当说明原因并在九日内补读。"}
    assert send(trainer, own, **changed, points="说明原因\n九日内补读") == 303, text(trainer.page)
    moved = kept(room, Type.SHORT)
    assert not moved.stale
    assert moved.question.citation.document_id == newer


# -- reviewing ---------------------------------------------------------------------------------


def test_review_goes_through_the_queue(room: BankStage, trainer: Browser) -> None:
    """Verdicts lead on to the next question until none waits; a reason is asked for, and what was decided is told."""
    waiting = {q.question_id for q in room.bank.questions(room.stage.principal("trainer"), BRANCH)[1]}
    trainer.get(f"{OWN}/review")
    for n in range(len(waiting)):
        assert f"共 {len(waiting) - n} 道" in text(trainer.page)
        action = f"{OWN}/review?branch={BRANCH}&n=0"
        if n % 2:
            assert send(trainer, action, "data-key", state="approved") == 303
        else:
            assert send(trainer, action, 'name="reason"') == 400
            assert "请选一个原因" in trainer.page.text
            assert send(trainer, action, 'name="reason"', reason="文字不通") == 303
        trainer.get(trainer.page.headers["location"])
        assert ("已通过。" if n % 2 else "这道不用了。") in trainer.page.text
    assert "没有要审的题" in trainer.page.text
    counts = room.bank.counts(room.stage.principal("trainer"), BRANCH)
    assert (counts[State.APPROVED], counts[State.RETIRED]) == (3, 4)


def test_review_steps_and_narrows(room: BankStage, trainer: Browser) -> None:
    """Next and previous lead through the queue, filters hold on the way, and its end leads back to its beginning."""
    seen = []
    address = f"{OWN}/review?document={room.document_id}"
    while address:
        trainer.get(address)
        seen.append(
            form(
                trainer,
                re.findall(r'<form method="post" action="([^"]+review[^"]*)"', trainer.page.text)[0].replace(
                    "&amp;", "&"
                ),
            )["id"][0]
        )
        step = LexborHTMLParser(trainer.page.text).css_first("a[rel=next]")
        address = step.attributes["href"] or "" if step else ""
        assert not address or f"document={room.document_id}" in address
    assert sorted(seen) == sorted(room.ids.values())
    assert "从头看" in trainer.get(f"{OWN}/review?n=99").text
    trainer.get(f"{OWN}/review?type=short")
    assert "共 1 道" in text(trainer.page)


def test_review_tells_of_a_change_meanwhile(room: BankStage) -> None:
    """A verdict on what another has just settled changes nothing and says by whom."""
    mine, theirs = room.stage.browser("trainer"), room.stage.browser("second")
    action = f"{OWN}/review?branch={BRANCH}&n=0"
    mine.get(f"{OWN}/review")
    theirs.get(f"{OWN}/review")
    assert send(theirs, action, 'name="reason"', reason="文字不通") == 303
    assert send(mine, action, "data-key", state="approved") == 400
    assert "second先生刚才也动过这道题" in mine.page.text
    assert State.APPROVED not in [
        q.state for q in room.bank.questions(room.stage.principal("trainer"), BRANCH)[1]
    ]


def test_edit_out_of_the_queue_leads_back(room: BankStage, trainer: Browser) -> None:
    """Who edits while reviewing finds the way back to the same place, also after something wrong was typed."""
    trainer.get(f"{OWN}/review?n=2")
    link = LexborHTMLParser(trainer.page.text).css_first('a[data-key="e"]')
    assert link
    own = (link.attributes["href"] or "").partition("?")[0]
    trainer.get(link.attributes["href"] or "")
    assert send(trainer, own, stem="") == 400
    assert form(trainer, own)["n"] == ["2"]
    assert f"{OWN}/review?branch={BRANCH}&amp;n=2" in trainer.page.text


# -- making ------------------------------------------------------------------------------------


def make(room: BankStage, page: Browser, **more: Any) -> None:
    """Make questions of the rule."""
    wish = {"document": room.document_id, "n": 5, "go": 1, "type": [t.value for t in Type], **more}
    page.get(f"{OWN}/generate?{urlencode(wish, doseq=True)}")


def test_made_questions_are_chosen_and_kept(room: BankStage, trainer: Browser) -> None:
    """What is made shows its clause; what is ticked comes into the bank as a candidate, once."""
    make(room, trainer)
    tree = LexborHTMLParser(trainer.page.text)
    n = len(tree.css(".made > li"))
    assert 2 <= n <= 5
    assert len(tree.css(".made mark")) >= n
    assert send(trainer, f"{OWN}/generate", take=["0", "1"]) == 303
    assert "收进 2 道，等待审核。" in trainer.get(trainer.page.headers["location"]).text
    total, found = room.bank.questions(room.stage.principal("trainer"), BRANCH, states=[State.CANDIDATE])
    assert total == len(room.ids) + 2
    assert {q.question.citation and q.question.citation.document_id for q in found} == {room.document_id}
    make(room, trainer)
    assert send(trainer, f"{OWN}/generate", take=["0", "1"]) == 303
    assert "没有收进新题。另有 2 道题库里已有" in trainer.get(trainer.page.headers["location"]).text


def test_material_is_found_and_narrowed(still: BankStage, reader: Browser) -> None:
    """A document is looked for by its title, some of its clauses are ticked, and only those are asked about."""
    reader.get(f"{OWN}/generate?find=夜读室")
    assert f"document={still.document_id}" in reader.page.text
    shown = reader.get(f"{OWN}/generate?document={still.document_id}").text
    assert 'name="anchor" value="art-4"' in shown
    make(still, reader, anchor="art-4")
    quoted = " ".join(m.text() for m in LexborHTMLParser(reader.page.text).css(".made .quoted"))
    assert "第四条" in reader.page.text
    assert "代签" not in quoted
    assert "没有标题或文号含" in reader.get(f"{OWN}/generate?find=没有这份").text
    assert reader.get(f"{OWN}/generate?document={'0' * 16}").status_code == 404


def test_wish_is_checked_and_kept(still: BankStage, reader: Browser) -> None:
    """Missing words, no type and a number out of range are told at their fields, which keep what was typed."""
    base = f"{OWN}/generate?go=1&"
    for query, words in (
        ("from=query&n=10&type=single", "请写主题"),
        ("from=phrase&n=10&type=single", "请写固定提法"),
        ("from=query&query=夜读&n=10", "请至少选一种题型"),
        ("from=query&query=夜读&type=single&n=1000", "请填 1 至 100 之间的数"),
        ("from=query&query=夜读&type=single&n=x", "请填 1 至 100 之间的数"),
        (f"from=query&type=single&n=5&query={'夜' * 201}", "请写短一些"),
    ):
        assert reader.get(base + query).status_code == 400, query
        assert words in reader.page.text
        assert 'aria-invalid="true"' in reader.page.text
    assert 'value="x"' in reader.get(base + "from=query&query=夜读&type=single&n=x").text


def test_a_query_and_a_phrase_are_material_too(still: BankStage, reader: Browser) -> None:
    """A topic leads to questions of the clauses found; a phrase that stands nowhere leads to words that say so."""
    reader.get(f"{OWN}/generate?from=query&query=夜读记录保存多久&type=single&type=blank&n=3&go=1")
    assert "主题：夜读记录保存多久" in reader.page.text
    assert LexborHTMLParser(reader.page.text).css(".made > li")
    reader.get(f"{OWN}/generate?from=phrase&phrase=四个凡是&type=single&n=3&go=1")
    assert "没有这句提法" in reader.page.text


def test_nothing_to_ask_is_told(room: BankStage, trainer: Browser) -> None:
    """Material that gives no question, and one no longer in force, say why and what to do instead."""
    plain = room.hand_in("夜读杂记\n\n灯下有人，窗外有雨。\n")
    trainer.get(f"{OWN}/generate?document={plain}&type=single&n=5&go=1")
    assert "这里出不了题" in trainer.page.text
    assert trainer.page.status_code == 200
    newer = room.newer()
    shown = trainer.get(f"{OWN}/generate?document={room.document_id}").text
    assert "出不了题" in shown
    assert f"document={newer}" in shown
    make(room, trainer)
    assert "只从现行有效的文献出题" in trainer.page.text


def test_dropped_candidates_are_counted_in_words(still: BankStage, reader: Browser) -> None:
    """How many candidates failed which gate is told in words, for every gate that stopped some."""
    measures = (ROOT / "corpus/policy/lanzhou-shared-venue-measures.md").read_text(encoding="utf-8")
    document_id = still.hand_in(measures)
    reader.get(f"{OWN}/generate?document={document_id}&n=100&go=1&type=single&type=true_false&type=multiple")
    made = still.services.quiz.generator.generate(
        Material(document_id),
        still.stage.principal("trainer").scope,
        types=frozenset({Type.SINGLE, Type.TRUE_FALSE, Type.MULTIPLE}),
        n=100,
    )
    told = [
        li.text() for li in LexborHTMLParser(reader.page.text).css("details li") if li.text().endswith(" 道")
    ]
    assert sorted(told) == sorted(f"{DROPPED[int(gate)]}：{n} 道" for gate, n in made.rejected.items() if n)
    assert set(DROPPED) == set(range(1, 11))


def test_what_is_kept_was_made_here(room: BankStage, trainer: Browser) -> None:
    """Questions that were changed on the way, or made for somebody else, are refused."""
    make(room, trainer)
    fields = form(trainer, f"{OWN}/generate")
    second = room.stage.browser("second")
    make(room, second)
    theirs = form(second, f"{OWN}/generate")
    for sealed in (fields["sealed"][0][:-8] + "AAAAAAA=", theirs["sealed"][0], "", "x.y"):
        make(room, trainer)
        assert send(trainer, f"{OWN}/generate", sealed=sealed) == 400
    assert room.bank.questions(room.stage.principal("trainer"), BRANCH)[0] == len(room.ids)


def test_sealed_questions_come_back_as_they_went(still: BankStage) -> None:
    """What is sealed opens for the same person and bank alone, and gives the questions that were ticked."""
    by, questions = still.stage.principal("trainer"), [kept(still, t).question for t in Type]
    sealed = Sealed(still.services, by, BRANCH).seal(questions)
    assert Sealed(still.services, by, BRANCH).opened(sealed, ["1", "3", "99", "x"]) == [
        questions[1],
        questions[3],
    ]
    for who, branch in (("second", BRANCH), ("trainer", "yi-1")):
        with pytest.raises(InvalidRequest):
            Sealed(still.services, still.stage.principal(who), branch).opened(sealed, ["1"])


# -- importing ---------------------------------------------------------------------------------

BROUGHT = """一、单选题
1. 夜读每月不少于两次，记录保存（　　）。
A. 十日
B. 三十日
C. 六十日
D. 一年
答案：B
2. 没有答案的题
A. 甲
B. 乙
二、判断题
3. 月亮是方的。
答案：错误
"""


def upload(page: Browser, name: str, data: bytes, **fields: str) -> int:
    """Send a file to be looked over; the status."""
    page.get(f"{OWN}/import")
    sent = {"form_token": form(page, f"{OWN}/import")["form_token"][0], "branch": BRANCH, **fields}
    answer: Any = page.client.post(f"{OWN}/import", data=sent, files={"file": (name, data)})
    page.page = answer
    return page.page.status_code


def test_import_is_looked_over_before_it_is_taken(room: BankStage, trainer: Browser) -> None:
    """What was read, what was not and why, and the clause found for each are shown; then what is ticked is taken."""
    assert upload(trainer, "旧题.txt", BROUGHT.encode()) == 200
    shown = text(trainer.page)
    assert "读出 2 道，还没有导入。1 处读不成题。1 道没有找到依据。" in shown
    assert "没有答案" in shown
    assert "第二章 活动 第四条" in trainer.page.text
    assert room.bank.questions(room.stage.principal("trainer"), BRANCH)[0] == len(room.ids)
    assert send(trainer, f"{OWN}/import/take", take=["0", "1"]) == 303
    told = trainer.get(trainer.page.headers["location"]).text
    assert "收进 2 道" in told
    _, found = room.bank.questions(room.stage.principal("trainer"), BRANCH, types=[Type.TRUE_FALSE])
    unlinked = next(q for q in found if q.question.citation is None)
    assert unlinked.question.stem == "月亮是方的。"


def test_unlinked_question_is_linked_by_quoting(room: BankStage, trainer: Browser) -> None:
    """A question without a clause says so; quoting the sentence finds its clause, in a document named or not."""
    question = Question(Type.TRUE_FALSE, "夜读人员可以代签。", (TRUE, FALSE), (FALSE,))
    [question_id] = room.bank.add(room.stage.principal("trainer"), BRANCH, [question]).ids
    own = f"{OWN}/{question_id}"
    assert "没有依据" in trainer.get(own).text
    trainer.get(f"{own}?edit=1")
    assert send(trainer, own, quote="参加夜读的人员不得代签", document="没有这份文献") == 400
    assert "没有标题含" in trainer.page.text
    assert send(trainer, own, quote="这句话哪里都没有", document="") == 400
    assert "没有找到这句话" in trainer.page.text
    assert send(trainer, own, quote="参加夜读的人员不得代签", document="") == 303, text(trainer.page)
    cited = room.bank.question(room.stage.principal("trainer"), question_id).question.citation
    assert cited is not None
    assert cited.path[-1] == "第三条"


def test_tables_come_in(still: BankStage, reader: Browser) -> None:
    """A table of questions is read by its suffix alone, row by row, and a row without a key is told with its number."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["题干", "题型", "选项A", "选项B", "选项C", "选项D", "正确答案", "解析"])
    sheet.append(["夜读每月不少于（ ）次。", "单选题", "一", "两", "三", "四", "B", ""])
    sheet.append(["缺答案的题（ ）。", "单选题", "一", "两", "三", "四", "", ""])
    out = io.BytesIO()
    book.save(out)
    assert upload(reader, "题库.xlsx", out.getvalue()) == 200
    shown = text(reader.page)
    assert "读出 1 道" in shown
    assert "第 3 行" in shown


def test_files_that_cannot_be_read_are_told(still: BankStage, reader: Browser) -> None:
    """Another format, an empty file, and one without a question in it stop at the form, in words."""
    for name, data, words in (
        ("题.exe", b"MZ", "这种文件读不了"),
        ("题.txt", b"", "是空文件"),
        ("题.xlsx", b"PK nothing", "里读不出题"),
        ("题.txt", "窗外有雨。".encode(), "里读不出题"),
    ):
        assert upload(reader, name, data) == 400, name
        assert words in unescape(reader.page.text), name
    many = "\n".join(f"{n}. 第{n}题说得对。\n答案：正确" for n in range(1, 303))
    assert upload(reader, "多.txt", f"一、判断题\n{many}".encode()) == 400
    assert "一次最多 300 道" in reader.page.text


# -- exporting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(readable()))
def test_losses_are_told_before_the_file(still: BankStage, reader: Browser, name: str) -> None:
    """Each format first says what it cannot carry; the file then holds the questions, and the trail tells of it."""
    page = reader.get(f"{OWN}/export?branch={BRANCH}&format={name}").text
    link = LexborHTMLParser(page).css_first("a.button")
    assert link
    assert "放不下" in page or "没有丢掉的内容" in page
    answer = reader.get(link.attributes["href"] or "")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = readable()[name].read(answer.content)
    stems = {row.question.stem for row in rows if row.question}
    assert kept(still, Type.SINGLE).question.stem in stems
    assert still.stage.actions()[-1] == "question.export"


def test_only_what_was_picked_or_filtered_goes_out(room: BankStage, trainer: Browser) -> None:
    """Ticked questions, or those of the filter, are exported and no others; the form carries them on."""
    picked = [room.ids[Type.SINGLE], room.ids[Type.SHORT]]
    trainer.get(f"{OWN}/export?branch={BRANCH}&id={picked[0]}&id={picked[1]}")
    assert form(trainer, f"{OWN}/export")["id"] == picked
    assert "您勾选的 2 道" in text(trainer.page)
    taken = trainer.get(f"{OWN}/export/file?format=json&id={picked[0]}&id={picked[1]}&id={'0' * 16}")
    assert len(stems_of(taken.content)) == 2
    taken = trainer.get(f"{OWN}/export/file?format=json&type=short")
    assert stems_of(taken.content) == {kept(room, Type.SHORT).question.stem}
    assert trainer.get(f"{OWN}/export/file?format=nothing").status_code == 415
    assert trainer.get(f"{OWN}/export/file?format=json&type=short&state=retired").status_code == 404


def stems_of(data: bytes) -> set[str]:
    """Stems in a file of our own format."""
    assert json.loads(data)
    return {row.question.stem for row in readable()["json"].read(data) if row.question}


def test_large_banks_go_out_whole(room: BankStage, trainer: Browser) -> None:
    """An export is of all questions, however many pages of the list they fill."""
    base = kept(room, Type.SHORT).question
    more = [replace(base, stem=f"第{n}次夜读缺席的，应当怎么办？") for n in range(230)]
    room.bank.add(room.stage.principal("trainer"), BRANCH, more)
    taken = trainer.get(f"{OWN}/export/file?format=json")
    assert len(stems_of(taken.content)) == 230 + len(room.ids)


def test_document_page_leads_to_making(still: BankStage, reader: Browser) -> None:
    """Trainers find 出题 on the page of a document; members do not."""
    link = f'href="{OWN}/generate?document={still.document_id}"'
    assert link in reader.get(f"/documents/{still.document_id}").text
    assert link not in still.stage.browser("member").get(f"/documents/{still.document_id}").text


# -- the form, for any question --------------------------------------------------------------------

_texts = st.text(
    st.characters(categories=("L", "N", "P"), exclude_characters="|｜（）()_"), min_size=1, max_size=8
)
_several = st.lists(_texts, min_size=3, max_size=5, unique=True)


@st.composite
def sound_questions(draw: st.DrawFn) -> Question:
    """A question of any type as the bank would hold it."""
    type_ = draw(st.sampled_from(Type))
    stem, parts = draw(_texts), draw(_several)
    turned = parts[1:] + parts[:1]
    made: dict[Type, tuple[list[str], list[str]]] = {
        Type.SINGLE: (parts, parts[:1]),
        Type.MULTIPLE: (parts, parts[:2]),
        Type.TRUE_FALSE: ([TRUE, FALSE], [draw(st.sampled_from((TRUE, FALSE)))]),
        Type.BLANK: ([], parts),
        Type.SHORT: ([], [stem]),
        Type.ORDERING: (turned, parts),
        Type.MATCHING: (parts, turned),
    }
    options, answer = made[type_]
    question = Question(type_, stem, tuple(options), tuple(answer), draw(_texts))
    if type_ is Type.BLANK:
        return replace(question, stem=stem + BLANK * len(parts), accepted=tuple((p + "也",) for p in parts))
    if type_ is Type.SHORT:
        return replace(question, points=(Point(parts[0], 0.25), Point(parts[1], 0.75)))
    if type_ is Type.MATCHING:
        return replace(question, prompts=tuple(f"左{n}" for n in range(len(parts))))
    return question


@given(sound_questions())
def test_form_gives_back_the_question(question: Question) -> None:
    """A question shown in its form and taken back unchanged is the same question."""
    typed = typed_of(question)
    found, problems = question_from(typed, question, None)
    assert problems == []
    assert found == question


@given(st.sampled_from(Type), st.lists(st.text(max_size=6), max_size=5), st.text(max_size=20))
def test_form_never_breaks(type_: Type, rows: list[str], words: str) -> None:
    """Whatever is typed into a form of any type, there is a question or words that say what to mend, never both."""
    old = Question(type_, "题", ("甲", "乙", "丙"), ("甲",))
    typed = Typed(
        words,
        tuple(rows),
        ("0", "7", "x"),
        words,
        tuple(rows),
        tuple(rows[::-1]),
        words,
        words,
        words,
        words,
        "0.5",
    )
    found, problems = question_from(typed, old, None)
    assert (found is None) == bool(problems)

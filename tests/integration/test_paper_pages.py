"""The pages of papers and papers over HTTP, on real services: made, changed, printed, exported, and for whom."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from access.sharing import OWN as BRANCH_ITSELF
from access.sharing import Wanted
from api.paper_form import TypedLine, TypedPaper, blueprint_from
from quiz.blueprint import Line
from quiz.exam import ExamRules, Mode
from quiz.exchange import formats
from quiz.model import Type
from tests.integration.account_browser import Browser, text
from tests.integration.paper_stage import BRANCH, KEEPERS, PLACES, PaperStage, open_papers
from tests.people import bearer

OWN = "/manage/papers"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> PaperStage:
    """Papers to be copied."""
    found = open_papers(tmp_path_factory.mktemp("papers") / "home")
    found.services.close()
    return found


@pytest.fixture(scope="module")
def still(built: PaperStage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStage]:
    """Papers that nobody changes."""
    found = built.copied(tmp_path_factory.mktemp("still") / "home")
    yield found
    found.services.close()


@pytest.fixture
def room(built: PaperStage, home: Path) -> Iterator[PaperStage]:
    """Papers of the test's own."""
    found = built.copied(home)
    yield found
    found.services.close()


@pytest.fixture
def trainer(room: PaperStage) -> Browser:
    """The trainer's browser."""
    return room.stage.browser("trainer")


def token(page: Browser, action: str) -> str:
    """A token of the page's form to the address."""
    for form in LexborHTMLParser(page.page.text).css("form"):
        field = form.css_first('input[name="form_token"]')
        if form.attributes.get("action") == action and field:
            return field.attributes["value"] or ""
    raise AssertionError(f"no form to {action!r} in {text(page.page)}")


def send(page: Browser, action: str, **fields: Any) -> int:
    """Send a form of the page; the status."""
    return page.post(action, {"form_token": token(page, action), **fields}).status_code


def blueprint(*rows: tuple[str, str, str], **more: str) -> dict[str, Any]:
    """What the form of a blueprint sends: number, points and type of each line."""
    n, points, types = (list(column) for column in zip(*rows, strict=True))
    empty = [""] * len(rows)
    lines = {"n": n, "points": points, "type": types, "topic": empty, "band": empty, "slot": empty}
    return {"branch": BRANCH, "kind": "fixed", "n_forms": "1", "seed": "1", **lines, **more}


def stems(page: Browser) -> list[str]:
    """Stems of the questions on the workbench, in their order."""
    return [node.text(strip=True) for node in LexborHTMLParser(page.page.text).css(".placed .stem")]


# -- who ------------------------------------------------------------------------------------


def test_who_may_open_what(still: PaperStage) -> None:
    """Trainers of the branch see its papers; for others there are none, the same as where there are none at all."""
    one = f"{OWN}/{still.paper_id}"
    for path in (one, f"{one}/print", f"{one}/export", f"{one}/choose?form=1&position=1"):
        assert still.stage.browser("trainer").get(path).status_code == 200, path
        for login in ("member", "liaison", "admin", "other-trainer"):
            found, missing = (
                still.stage.browser(login).get(path.replace(still.paper_id, i))
                for i in (still.paper_id, "0" * 16)
            )
            assert found.status_code == 404, (login, path)
            assert found.text.replace(still.paper_id, "0" * 16) == missing.text
    for login, status in (("trainer", 200), ("member", 403), ("other-trainer", 404), ("", 303)):
        assert still.stage.browser(login).get(f"{OWN}?branch={BRANCH}").status_code == status, login


def test_the_list_tells_what_each_paper_is(room: PaperStage, trainer: Browser) -> None:
    """Forms, questions, points, what is missing, and that it was given out; an empty one says how to begin."""
    room.make(Line(9, 1, frozenset({Type.BLANK})))
    room.make(drawn=True)
    page = text(trainer.get(OWN))
    for words in ("2 套", "6 题，14 分", "还缺 5 道", "每人抽一套"):
        assert words in page, words
    assert "还没有试卷" in text(room.stage.browser("other-trainer").get(OWN))


# -- making ---------------------------------------------------------------------------------


def test_a_paper_is_made_from_the_form(trainer: Browser) -> None:
    """What was filled in is met, and the workbench tells so."""
    trainer.get(f"{OWN}/new")
    fields = blueprint(("3", "2", "single"), ("2", "4", "blank"), ("", "1", ""), title="季度 测验")
    assert send(trainer, f"{OWN}/new", do="make", **fields) == 303
    page = text(trainer.get(trainer.page.headers["location"]))
    assert "试卷已组成" in page
    assert "季度 测验" in page
    assert "5 题，14 分" in page
    assert "3/3" in page and "2/2" in page
    assert len(stems(trainer)) == 5


def test_trying_makes_nothing_and_says_what_is_missing(trainer: Browser) -> None:
    """Each line says how many it can have and why no more; what was typed stays."""
    trainer.get(f"{OWN}/new")
    fields = blueprint(("15", "2", "single"), ("2", "3", "blank"), title="试试")
    assert send(trainer, f"{OWN}/new", do="try", **fields) == 200
    page = text(trainer.page)
    assert "还缺 3 道" in page
    assert "要 15 道，能给 12 道。题库里合用的题只有 12 道，少 3 道" in page
    assert "填空题，难度不限：要 2 道，够" in page or "填空题：要 2 道，够" in page
    assert 'value="试试"' in trainer.page.text
    assert text(trainer.get(OWN)).count("守则测验") == 1


def test_one_more_line_can_be_had_without_script(trainer: Browser) -> None:
    """The form comes back with all that was typed and an empty line."""
    trainer.get(f"{OWN}/new")
    assert send(trainer, f"{OWN}/new", do="line", **blueprint(("7", "2", "single"), title="题")) == 200
    tree = LexborHTMLParser(trainer.page.text)
    assert [node.attributes["value"] for node in tree.css('input[name="n"]')] == ["7", ""]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (blueprint(("3", "2", "single"), title=""), "卷名要有"),
        (blueprint(("", "2", "single"), title="题"), "请至少填一行"),
        (blueprint(("三", "2", "single"), title="题"), "题数要是整数"),
        (blueprint(("3", "两分", "single"), title="题"), "分值要是数"),
        (blueprint(("-3", "2", "single"), title="题"), "题数至少 1"),
        (blueprint(("3", "nan", "single"), title="题"), "分值大于 0"),
        (blueprint(("3", "2", "single"), title="题", n_forms="99"), "套数要在"),
        (blueprint(("3", "2", "single"), title="题", n_forms="x"), "套数要在"),
        (blueprint(("300", "2", "single"), title="题"), "最多 200 道"),
        (blueprint(("3", "2", "multiple"), title="题"), "没有一道已通过的题合用"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_form(
    still: PaperStage, fields: dict[str, Any], words: str
) -> None:
    """Nothing is made; the form comes back with what was typed and what to mend."""
    page = still.stage.browser("trainer")
    page.get(f"{OWN}/new")
    assert send(page, f"{OWN}/new", do="make", **fields) == 400
    assert words in text(page.page)
    assert text(page.get(OWN)).count("守则测验") == 1


def test_a_branch_without_approved_questions_is_told_where_to_begin(
    room: PaperStage, trainer: Browser
) -> None:
    """An empty bank gives no form but the way to questions."""
    for document_id in room.document_ids:
        room.services.remove([document_id])
    page = trainer.get(f"{OWN}/new")
    assert "还没有可用的题" in text(page)
    assert 'name="n"' not in page.text


def test_ticked_questions_become_a_paper(room: PaperStage, trainer: Browser) -> None:
    """From the bank's list to a paper of these questions at the points given; what cannot be used is left out."""
    ids = [k.question_id for k in room.papers.supply(room.stage.principal("trainer"), BRANCH)][:4]
    trainer.get("/manage/questions?state=approved")
    assert f'formaction="{OWN}/pick"' in trainer.page.text
    page = trainer.get(f"{OWN}/pick?branch={BRANCH}&id=" + "&id=".join([*ids, "0" * 16]))
    assert "4 道题" in text(page)
    assert "另有 1 道不能用" in text(page)
    assert send(trainer, f"{OWN}/pick", branch=BRANCH, id=ids[:3], title="", **{"points-single": "5"}) == 400
    assert "卷名要有" in text(trainer.page)
    assert "3 道题" in text(trainer.page)
    points = {"points-single": "5", "points-blank": "5", "points-true_false": "5"}
    assert send(trainer, f"{OWN}/pick", branch=BRANCH, id=ids[:3], title="手选", **points) == 303
    assert "3 题，15 分" in text(trainer.get(trainer.page.headers["location"]))


def test_ticking_nothing_leads_back_to_the_bank(still: PaperStage) -> None:
    """No questions is no form but the way to them."""
    page = still.stage.browser("trainer").get(f"{OWN}/pick?branch={BRANCH}")
    assert "还没有勾选题目" in text(page)


# -- the workbench ----------------------------------------------------------------------------


def test_the_workbench_shows_questions_beside_their_clauses(still: PaperStage) -> None:
    """Every question of the form with its key, and the words that prove it, linked to their place."""
    page = still.stage.browser("trainer")
    page.get(f"{OWN}/{still.paper_id}?form=2")
    assert len(stems(page)) == 6
    tree = LexborHTMLParser(page.page.text)
    assert len(tree.css(".placed blockquote")) == 6
    for link in tree.css(".placed .crumbs a"):
        assert re.match(r"/documents/[0-9a-f]{16}#", link.attributes["href"] or "")
    assert "A 1 次，B 1 次，C 1 次，D 1 次" in text(page.page)
    first = stems(page)
    page.get(f"{OWN}/{still.paper_id}?form=1")
    assert not set(first) & set(stems(page))
    assert page.get(f"{OWN}/{still.paper_id}?form=3").status_code == 404


def test_a_question_is_swapped_and_moved_at_one_press(room: PaperStage, trainer: Browser) -> None:
    """One press gives another question of the line; another one changes the order, and one sees where."""
    here = f"{OWN}/{room.paper_id}"
    trainer.get(f"{here}?form=1")
    before = stems(trainer)
    assert send(trainer, f"{here}/change", form="1", replace="2") == 303
    assert trainer.page.headers["location"].endswith("#q2")
    trainer.get(trainer.page.headers["location"].partition("#")[0])
    after = stems(trainer)
    assert "已换上另一道题" in text(trainer.page)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True, True, True]
    assert send(trainer, f"{here}/change", form="1", down="1") == 303
    trainer.get(f"{here}?form=1")
    assert stems(trainer)[:2] == [after[1], after[0]]


def test_a_question_is_chosen_from_those_that_fit(room: PaperStage, trainer: Browser) -> None:
    """The page offers questions of the line that are nowhere in the paper; the chosen one takes the place."""
    here = f"{OWN}/{room.paper_id}"
    trainer.get(f"{here}?form=1")
    held = stems(trainer)
    trainer.get(f"{here}?form=2")
    held += stems(trainer)
    trainer.get(f"{here}/choose?form=1&position=3")
    tree = LexborHTMLParser(trainer.page.text)
    offered = [node.text(strip=True) for node in tree.css(".cards .stem")]
    assert len(offered) == 4
    assert not set(offered) & set(held)
    ids = [node.attributes["value"] or "" for node in tree.css('input[name="id"]')]
    assert send(trainer, f"{here}/choose", form="1", position="3", id=ids[2]) == 303
    trainer.get(f"{here}?form=1")
    assert stems(trainer)[2] == offered[2]
    trainer.get(f"{here}/choose?form=1&position=1")
    assert send(trainer, f"{here}/choose", form="1", position="1", id=ids[2]) == 409
    assert trainer.get(f"{here}/choose?form=1&position=9").status_code == 404


def test_points_are_changed_for_a_line_in_all_forms(room: PaperStage, trainer: Browser) -> None:
    """Totals follow; what is no number is said beside its field."""
    here = f"{OWN}/{room.paper_id}"
    trainer.get(f"{here}?form=1")
    assert send(trainer, f"{here}/points", form="1", **{"points-0": "5", "points-1": "2.5"}) == 303
    assert "6 题，25 分" in text(trainer.get(here))
    for wrong in ("很多", "0", "nan"):
        trainer.get(here)
        assert send(trainer, f"{here}/points", form="1", **{"points-0": wrong}) == 400
        assert "分值" in text(trainer.page)
    assert "6 题，25 分" in text(trainer.get(here))


def test_what_was_withdrawn_leaves_nothing_but_its_place(room: PaperStage, trainer: Browser) -> None:
    """No word of a gone question is on any page; one press puts another one there."""
    here = f"{OWN}/{room.paper_id}"
    room.withdraw()
    pages = [f"{here}?form=1", f"{here}?form=2", f"{here}/print?form=all", f"{here}/choose?form=1&position=1"]
    for path in pages:
        shown = trainer.get(path).text
        assert not [place for place in PLACES[:10] if place in shown], path
    form = next(n for n in (1, 2) if "已撤下" in text(trainer.get(f"{here}?form={n}")))
    page = LexborHTMLParser(trainer.get(f"{here}?form={form}").text)
    press = page.css_first('button.secondary[name="replace"]')
    assert press
    position = press.attributes["value"] or ""
    assert send(trainer, f"{here}/change", form=str(form), replace=position) == 303
    trainer.get(f"{here}?form={form}")
    assert "已撤下" not in (LexborHTMLParser(trainer.page.text).css_first(f"#q{position}").text() or "")


def test_where_nothing_fits_that_is_said(room: PaperStage, trainer: Browser) -> None:
    """A swap that nothing can fill changes nothing and says what to do."""
    paper_id = room.make(Line(4, 3, frozenset({Type.BLANK})))
    trainer.get(f"{OWN}/{paper_id}")
    assert send(trainer, f"{OWN}/{paper_id}/change", form="1", replace="1") == 409
    assert "没有换：题库里没有别的题" in text(trainer.page)
    assert "没有可换的题" in text(trainer.get(f"{OWN}/{paper_id}/choose?form=1&position=1"))


def test_a_paper_that_was_given_out_has_no_buttons_to_change_it(room: PaperStage, trainer: Browser) -> None:
    """It says that it was given out; a form sent all the same changes nothing."""
    here = f"{OWN}/{room.paper_id}"
    trainer.get(here)
    sent = {action: token(trainer, f"{here}/{action}") for action in ("points", "discard")}
    now = room.stage.access.office.now()
    rules = ExamRules("守则测验", Mode.TEST, now, now + timedelta(hours=1))
    room.services.quiz.exams.give(
        room.stage.principal("trainer"), room.paper_id, rules, [Wanted(BRANCH_ITSELF)]
    )
    page = trainer.get(here)
    assert "已发出" in text(page)
    assert not re.search(r'name="(up|down|replace|points-0)"|/discard', page.text)
    for action, value in sent.items():
        assert (
            trainer.post(f"{here}/{action}", {"form_token": value, "form": "1", "points-0": "9"}).status_code
            == 409
        )
        assert "试卷已经发出" in text(trainer.page)
    assert "6 题，14 分" in text(trainer.get(here))


def test_a_paper_is_done_away_with(room: PaperStage, trainer: Browser) -> None:
    """It is gone, and the list says so."""
    trainer.get(f"{OWN}/{room.paper_id}")
    assert send(trainer, f"{OWN}/{room.paper_id}/discard") == 303
    assert "试卷已删除" in text(trainer.get(trainer.page.headers["location"]))
    assert trainer.get(f"{OWN}/{room.paper_id}").status_code == 404


def test_a_drawn_paper_shows_samples_and_no_buttons(room: PaperStage, trainer: Browser) -> None:
    """What one person could get, another with each number; nothing of it can be changed."""
    paper_id = room.make(drawn=True)
    seen = []
    for form in (1, 2, 3):
        page = trainer.get(f"{OWN}/{paper_id}?form={form}")
        assert f"样卷 {form}" in text(page)
        assert not re.search(r'name="(up|down|replace|points-0)"', page.text)
        seen.append(frozenset(stems(trainer)))
    assert len(set(seen)) > 1
    assert all(len(found) == 6 for found in seen)


# -- print and export ----------------------------------------------------------------------------


def test_what_is_printed_is_what_was_asked_for(still: PaperStage) -> None:
    """The paper has no key, the key no secret of other parts; all forms follow each other where all are wanted."""
    page = still.stage.browser("trainer")
    one = f"{OWN}/{still.paper_id}/print"
    alone = LexborHTMLParser(page.get(f"{one}?form=1&part=paper").text)
    assert len(alone.css("article.paper")) == 1
    # The words that prove a key say who keeps the place; a stem has a gap there.
    printed = (alone.css_first("article.paper") or alone.root).text()
    assert not [place for place in PLACES for keeper in KEEPERS if f"{place}由{keeper}" in printed]
    whole = LexborHTMLParser(page.get(f"{one}?form=all").text)
    assert len(whole.css("article.paper")) == 6
    assert len(whole.css("h1")) == 1
    heads = [node.text(strip=True) for node in whole.css("article.paper h2")]
    assert heads == ["守则测验（A 卷）"] * 3 + ["守则测验（B 卷）"] * 3
    assert page.get(f"{one}?form=9").status_code == 404


def test_the_key_that_is_printed_is_right(still: PaperStage) -> None:
    """Each letter of the key leads to the option that the clause proves."""
    page = still.stage.browser("trainer")
    tree = LexborHTMLParser(page.get(f"{OWN}/{still.paper_id}/print?form=1").text)
    paper, _, key = tree.css("article.paper")
    options = [[o.text(strip=True) for o in entry.css("ul li")] for entry in paper.css(".entry")]
    asked = [entry.css_first("p").text() for entry in paper.css(".entry")]
    keys = [node.text(strip=True) for node in key.css(".key-list strong")]
    for question, listed, letter in zip(asked, options, keys, strict=True):
        place = next(p for p in PLACES if p in question)
        right = KEEPERS[PLACES.index(place) % 4]
        told = next(o for o in listed if o.startswith(letter)).partition(". ")[2] if listed else letter
        assert told == right


def test_every_format_tells_its_losses_and_gives_the_form(still: PaperStage) -> None:
    """The page says what a format cannot carry before the file is taken; JSON carries the form as it stands."""
    page = still.stage.browser("trainer")
    one = f"{OWN}/{still.paper_id}/export"
    assert page.get(one).text.count('name="format"') == len(formats())
    assert "有这种格式放不下的内容" in text(page.get(f"{one}?format=gift"))
    file = page.get(f"{one}/file?format=json&form=2")
    assert file.status_code == 200
    assert "attachment" in file.headers["content-disposition"]
    form = still.papers.paper(still.stage.principal("trainer"), still.paper_id).forms[1]
    assert [q["question"]["stem"] for q in json.loads(file.text)["questions"]] == [
        p.kept.question.stem for p in form if p.kept
    ]
    assert page.get(f"{one}?format=papyrus").status_code == 415


# -- HTTP ------------------------------------------------------------------------------------------


def test_a_paper_over_http(room: PaperStage) -> None:
    """Made, listed, read, mended and exported by a token; the answer is the same that the pages show."""
    client = room.stage.browser().client
    headers = bearer(room.services, room.stage.ids["trainer"])
    body = {
        "branch_id": BRANCH,
        "title": "卷",
        "blueprint": {"lines": [{"n": 3, "points": 2, "types": ["single"]}, {"n": 9, "types": ["blank"]}]},
        "seed": 4,
    }
    made = client.post("/v1/papers", json=body, headers=headers)
    assert made.status_code == 201, made.text
    paper = made.json()
    assert paper["shortfalls"] == [{"line": 1, "missing": 5, "why": {"few": 5}, "found": 4}]
    assert [len(form) for form in paper["forms"]] == [7]
    assert client.get(f"/v1/papers/{paper['paper_id']}", headers=headers).json() == paper
    listed = client.get(f"/v1/papers?branch={BRANCH}", headers=headers).json()["papers"]
    assert [p["title"] for p in listed] == ["卷", "守则测验"]
    path = f"/v1/papers/{paper['paper_id']}"
    place = client.post(f"{path}/replace", json={"form": 1, "position": 1}, headers=headers)
    assert place.status_code == 200
    assert place.json()["question_id"] != paper["forms"][0][0]["question_id"]
    exported = client.get(f"{path}/export?format=gift", headers=headers)
    assert int(exported.headers["x-losses"]) > 0
    picked = {"branch_id": BRANCH, "title": "手选", "question_ids": [place.json()["question_id"]]}
    assert client.post("/v1/papers", json=picked, headers=headers).status_code == 201
    for wrong in ({**picked, "blueprint": body["blueprint"]}, {"branch_id": BRANCH, "title": "空"}):
        assert client.post("/v1/papers", json=wrong, headers=headers).status_code == 400
    other = bearer(room.services, room.stage.ids["other-trainer"])
    assert client.get(path, headers=other).status_code == 404
    assert client.post("/v1/papers", json=body, headers=other).status_code == 403


def test_http_tells_nothing_of_what_is_gone(room: PaperStage) -> None:
    """Not even the id of a question, from which its key could be found."""
    client = room.stage.browser().client
    headers = bearer(room.services, room.stage.ids["trainer"])
    room.withdraw()
    found = client.get(f"/v1/papers/{room.paper_id}", headers=headers)
    gone = [place for form in found.json()["forms"] for place in form if place["question"] is None]
    assert gone
    assert all(place["question_id"] is None and not place["usable"] for place in gone)
    assert not [place for place in PLACES[:10] if place in found.text]


# -- the form -----------------------------------------------------------------------------------------


def test_points_left_out_are_the_usual_ones_of_the_type() -> None:
    """A line without points takes those of its type; lines without a number are none."""
    typed = TypedPaper("题", (TypedLine("2", "", "multiple"), TypedLine("", "9", "single")), n_forms="3")
    made, problems = blueprint_from(typed)
    assert made
    assert not problems
    assert made.lines == (Line(2, 3, frozenset({Type.MULTIPLE})),)
    assert made.n_forms == 3

"""Pages and HTTP of results: who sees what of an exam that 120 people sat, marking, coverage, withdrawal."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from access.people import people_of
from access.rights import Role
from api.access_words import ACTION_WORDS
from quiz.tables import questions
from tests.integration.account_browser import text
from tests.integration.result_stage import IDLE, MIS_KEYED, SIZES, Results, result_stage
from tests.people import bearer
from tests.sittings import put_exam


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """The exam, for tests that only look."""
    found = result_stage(tmp_path_factory.mktemp("results") / "home")
    yield found
    found.stage.services.close()


@pytest.fixture
def own(seen: Results, tmp_path: Path) -> Iterator[Results]:
    """The same on a home of the test's own."""
    stage = seen.stage.copied(tmp_path / "home")
    yield Results(stage, seen.document_id, seen.exam_id, seen.question_ids)
    stage.services.close()


def address(found: Results, more: str = "") -> str:
    return f"/manage/exams/{found.exam_id}{more}"


def cells(html: str, rows: str) -> list[list[str]]:
    """The rows of a table, cell by cell."""
    found = LexborHTMLParser(html).css(f"{rows} tbody tr")
    return [[re.sub(r"\s+", " ", c.text()).strip() for c in row.css("th, td")] for row in found]


# -- results ------------------------------------------------------------------------------------


def test_trainer_sees_numbers_of_all_and_names_of_their_own(seen: Results) -> None:
    """The giver's trainer: people by name of their branch, other branches from five people on, none of the rest."""
    page = seen.stage.browser("trainer").get(address(seen))
    assert page.status_code == 200
    by_branch = {row[0]: row for row in cells(page.text, "section[aria-labelledby=groups]")}
    assert set(by_branch) == {"甲公司一支部", "乙公司一支部", "甲公司二支部"}
    assert "不足 5 人，未列出" in text(page)
    names = [row[0] for row in cells(page.text, ".people")]
    assert len(names) == SIZES["jia-1"] + 3
    others = [seen.stage.ids[f"p{n:03d}"] for n in range(SIZES["jia-1"], sum(SIZES.values()))]
    with seen.office.reading() as connection:
        hidden = {p.name for p in people_of(connection, set(others))}
    assert not hidden & set(names)
    assert not [name for name in hidden if name in page.text]


def test_numbers_agree_with_each_other(seen: Results) -> None:
    """The table behind the picture counts everyone that the figures and the groups count."""
    page = seen.stage.browser("trainer").get(address(seen))
    counts = [int(row[1]) for row in cells(page.text, "section[aria-labelledby=spread]")]
    groups = [int(row[1]) for row in cells(page.text, "section[aria-labelledby=groups]")]
    drawn = [int(t.text()) for t in LexborHTMLParser(page.text).css(".plot text:not(.tick)")]
    figures = LexborHTMLParser(page.text).css_first(".figures dd")
    assert sum(counts) == sum(groups) == sum(drawn) == int(re.findall(r"\d+", figures.text())[0])


def test_pictures_have_words_and_no_style_or_script(seen: Results) -> None:
    """Each picture says what it shows; nothing on these pages needs a style of its own or a script."""
    browser = seen.stage.browser("trainer")
    for more in ("", "/items", "/mark"):
        html = browser.get(address(seen, more)).text
        tree = LexborHTMLParser(html)
        assert not re.search(r"\sstyle=|<style|<script|\son\w+=", html)
        for svg in tree.css("svg"):
            assert svg.attributes.get("aria-hidden") == "true" or "见下表" in (
                svg.attributes.get("aria-label") or ""
            )


def test_partners_trainer_sees_only_their_own(seen: Results) -> None:
    """A partner's trainer: their people by name and nothing of other branches; no statistics, no marking."""
    browser = seen.stage.browser("other-trainer")
    page = browser.get(address(seen))
    assert page.status_code == 200
    assert "乙公司一支部的人员" in page.text
    assert "甲公司" not in LexborHTMLParser(page.text).css_first("main").text()
    for more in ("/items", "/mark"):
        assert browser.get(address(seen, more)).status_code == 404
    assert browser.get(address(seen, "/results.csv?branch=jia-1")).status_code == 403


@pytest.mark.parametrize("login", ["member", "admin", "other-liaison", "root"])
def test_others_see_nothing(seen: Results, login: str) -> None:
    """Whose roles are others is answered as if there were no such exam."""
    browser = seen.stage.browser(login)
    for more in ("", "/items", "/mark"):
        real, made_up = browser.get(address(seen, more)), browser.get(f"/manage/exams/{'0' * 16}{more}")
        assert real.status_code == made_up.status_code == 404
        assert real.text.replace(seen.exam_id, "") == made_up.text.replace("0" * 16, "")


def test_guest_is_asked_to_sign_in(seen: Results) -> None:
    """Without a session the pages lead to the sign-in page."""
    for more in ("", "/items", "/mark"):
        page = seen.stage.browser().get(address(seen, more))
        assert page.status_code in (303, 401)
        assert "夜学知识" not in page.text


def test_table_to_take_away(own: Results) -> None:
    """The CSV opens in a spreadsheet, holds the branch's people alone, runs no formula, and is told in the trail."""
    stage = own.stage
    stage.add("evil", **{"jia-1": Role.MEMBER})
    stage.access.people.rename(stage.principal("evil"), stage.ids["evil"], "=1+1")
    page = stage.browser("trainer").get(address(own, "/results.csv?branch=jia-1"))
    assert page.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(page.text.removeprefix("\ufeff"))))
    assert len(rows) == SIZES["jia-1"] + 4
    assert "'=1+1" in {row["姓名"] for row in rows}
    assert {row["状态"] for row in rows} == {"未开始", "待评阅", "已评完"}
    assert all(row["是否及格"] in ("及格", "未及格") for row in rows if row["状态"] == "已评完")
    assert stage.actions()[-1] == "exam.export"
    assert {"exam.export", "exam.measure"} <= set(ACTION_WORDS)


# -- statistics ---------------------------------------------------------------------------------------


def test_wrong_key_is_found_on_the_page(seen: Results) -> None:
    """The question with the wrong key is named first, with what the strong chose; no other is."""
    page = seen.stage.browser("trainer").get(address(seen, "/items"))
    alarm = LexborHTMLParser(page.text).css(".problems li")
    assert [a.text().split("：")[0] for a in alarm] == [f"第 {MIS_KEYED + 1} 题"]
    assert "总分高的人多选" in LexborHTMLParser(page.text).css_first(f"#q{MIS_KEYED + 1}").text()
    rows = cells(page.text, "section[aria-labelledby=table]")
    assert len(rows) == 24
    assert rows[IDLE][3] in ("区分度低", "区分度为负")


def test_statistics_over_http_are_those_of_the_page(seen: Results) -> None:
    """/v1 gives the same numbers: n, alpha, facility by question, and the suspected options; no name."""
    services = seen.stage.services
    client = seen.stage.browser().client
    headers = bearer(services, seen.stage.ids["trainer"])
    body = client.get(f"/v1/exams/{seen.exam_id}/statistics", headers=headers).json()
    (form,) = body["forms"]
    assert (body["n"], form["n"]) == (105, 105)
    page = text(seen.stage.browser("trainer").get(address(seen, "/items")))
    assert f"信度 α = {form['alpha']:.2f}（标准误 {form['alpha_se']:.2f}）" in page
    suspected = [n for n, q in enumerate(form["questions"]) if any(o["suspected"] for o in q["options"])]
    assert suspected == [MIS_KEYED]
    for question in form["questions"]:
        for option in question["options"]:
            assert 0 <= option["upper"] <= 1.0001
    other = client.get(
        f"/v1/exams/{seen.exam_id}/statistics", headers=bearer(services, seen.stage.ids["other-trainer"])
    ).json()
    assert (other["forms"], [g["branch_id"] for g in other["groups"]]) == ([], ["yi-1"])
    assert client.get(f"/v1/exams/{seen.exam_id}/statistics").status_code == 401
    assert client.get(f"/v1/exams/{'0' * 16}/statistics", headers=headers).status_code == 404


def test_too_few_and_drawn_papers_say_why_there_is_nothing(own: Results) -> None:
    """Without sittings, below twenty and for a drawn paper the pages say what there is and what would help."""
    new = put_exam(own.office, "jia-1", [own.question_ids], ["branch:jia-1"], title="新测验")
    drawn = put_exam(own.office, "jia-1", [], ["branch:jia-1"], title="抽题测验")
    browser = own.stage.browser("trainer")
    assert "还没有人交卷" in text(browser.get(f"/manage/exams/{new}"))
    assert "现在有 0 份，满 20 份才有统计" in text(browser.get(f"/manage/exams/{new}/items"))
    assert "按人抽题" in text(browser.get(f"/manage/exams/{drawn}/items"))
    assert browser.get(f"/manage/exams/{new}/items?form=2").status_code == 404


def test_difficulty_is_measured_into_the_bank(own: Results) -> None:
    """The button puts what was measured into the bank: the hard question is hard there, the easy one easy."""
    browser = own.stage.browser("trainer")
    page = browser.send(address(own, "/items"), address(own, "/measure"))
    assert page.headers["location"] == address(own, "/items?done=measured")
    with own.office.reading() as connection:
        rows = connection.execute(select(questions.c.question_id, questions.c.difficulty))
        found = {r.question_id: r.difficulty for r in rows}
    assert found[own.question_ids[MIS_KEYED]] > 0.8
    assert found[own.question_ids[0]] < 0.2
    page = browser.send(address(own, "/items"), address(own, "/measure"))
    assert page.headers["location"] == address(own, "/items?done=same")


# -- marking ------------------------------------------------------------------------------------------------


def test_answers_are_marked_ten_at_once(own: Results) -> None:
    """Beside question, points and clause the proposal stands in each field; what is confirmed counts, and is told."""
    browser = own.stage.browser("trainer")
    page = browser.get(address(own, "/mark"))
    assert "还有 12 份" in text(page)
    assert "缺席夜学之后应当怎样做？" in page.text
    assert "应当在七日内说明原因并补学" in page.text
    fields = browser.fields(address(own, "/mark"))
    marks = {name: value for name, value in fields.items() if re.fullmatch(r"[0-9a-f]{16}-\d+", name)}
    assert list(marks.values()) == ["5"] * 10
    assert not [p for p in ("p003", "p013") if own.stage.ids[p] in page.text]

    first, second, *_ = marks
    page = browser.post(address(own, "/mark"), fields | {first: "11", second: "7.5"})
    assert page.status_code == 400
    assert "得分要在 0 和 10 之间" in page.text
    assert browser.fields(address(own, "/mark"))[second] == "7.5"

    fields = browser.fields(address(own, "/mark"))
    page = browser.post(address(own, "/mark"), fields | {first: "8", second: ""})
    assert page.headers["location"] == address(own, "/mark?done=marked")
    assert "还有 3 份" in text(browser.get(address(own, "/mark")))
    by = own.stage.principal("trainer")
    assert own.stage.services.quiz.results.overview(by, own.exam_id).n_waiting == 3
    assert own.stage.actions().count("attempt.mark") == 9
    browser.send(address(own, "/mark"))
    assert "没有等待评阅的答案了" in text(browser.get(address(own, "/mark")))
    assert "评阅" not in LexborHTMLParser(browser.get(address(own)).text).css_first(".head-row").text()


# -- coverage ---------------------------------------------------------------------------------------------------


def test_coverage_is_shown_by_chapter(seen: Results) -> None:
    """Each chapter with its clauses, those that have questions, those that were asked, and how well."""
    page = seen.stage.browser("trainer").get("/manage/coverage")
    rows = cells(page.text, ".materials")
    assert [row[:3] for row in rows] == [
        ["第一章 总则", "3 / 3", "2 / 3"],
        ["第二章 人员", "3 / 3", "3 / 3"],
        ["第三章 记录和补学", "3 / 3", "3 / 3"],
    ]
    assert all(row[3].endswith("%") for row in rows)
    headers = bearer(seen.stage.services, seen.stage.ids["trainer"])
    body = seen.stage.browser().client.get("/v1/coverage?branch_id=jia-1", headers=headers).json()
    assert [t["n_asked"] for t in body["documents"][0]["topics"]] == [2, 3, 3]


@pytest.mark.parametrize("login", ["member", "other-liaison", "root"])
def test_coverage_is_for_who_asks(seen: Results, login: str) -> None:
    """Who may not make questions sees no coverage; of a branch that is not one's own nothing is told."""
    assert seen.stage.browser(login).get("/manage/coverage").status_code == 403
    assert seen.stage.browser("other-trainer").get("/manage/coverage?branch=jia-1").status_code == 404


# -- withdrawal -------------------------------------------------------------------------------------------------------


def test_withdrawn_material_is_gone_from_every_page_at_once(own: Results) -> None:
    """After the document is taken out no page, table or JSON of results holds a word of its questions."""
    stage = own.stage
    browser = stage.browser("trainer")
    pages = [address(own), address(own, "/items"), address(own, "/mark"), "/manage/coverage"]
    assert "夜学每月不少于几次" in browser.get(pages[1]).text
    stage.services.remove([own.document_id])
    for page in pages:
        found = browser.get(page)
        assert found.status_code == 200
        for words in ("几次", "联络员", "缺席", "夜学管理办法"):
            assert words not in LexborHTMLParser(found.text).css_first("main").text(), (page, words)
    assert "24 道题所依据的材料已撤下" in text(browser.get(pages[1]))
    headers = bearer(stage.services, stage.ids["trainer"])
    body = stage.browser().client.get(f"/v1/exams/{own.exam_id}/statistics", headers=headers).json()
    assert (body["n"], body["forms"][0]["questions"], body["forms"][0]["n_gone"]) == (0, [], 24)

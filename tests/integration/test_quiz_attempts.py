"""Giving a paper out and sitting it over HTTP: what is told and when, what is saved, who may."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from access.rights import Role
from api.principal import COOKIE
from quiz.exam import Mode, Retake, Reveal
from quiz.model import Type
from quiz.tables import exams, question_versions
from tests.integration.account_browser import text
from tests.integration.sitting_stage import QUESTIONS, Hall, fields_of, open_hall, right, token_of
from tests.people import bearer

API = "/v1/attempts/{}"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A hall that is copied, not changed."""
    hall = open_hall(tmp_path_factory.mktemp("hall") / "home")
    yield hall
    hall.stage.services.close()


@pytest.fixture
def hall(pattern: Hall, tmp_path: Path) -> Iterator[Hall]:
    """A hall of the test's own."""
    found = pattern.copied(tmp_path / "home")
    yield found
    found.stage.services.close()


class Phone:
    """What the script in a person's browser sends. `bodies` are all that it was answered, headers too."""

    def __init__(self, hall: Hall, login: str) -> None:
        self.client = TestClient(hall.stage.app, base_url="http://127.0.0.1:8000", follow_redirects=False)
        self.client.cookies.set(COOKIE, hall.stage.access.sessions.sign_in_as(hall.stage.ids[login], "test"))
        self.token = ""
        self.bodies: list[str] = []

    def ask(
        self, method: str, address: str, body: Any = None, *, token: str | None = None, **data: Any
    ) -> Any:
        """One request; its answer."""
        headers = {"x-form-token": self.token if token is None else token, "accept": "text/html"}
        answer = self.client.request(method, address, json=body, headers=headers, **data)
        self.bodies += [answer.text, str(dict(answer.headers))]
        return answer

    def open(self, address: str) -> Any:
        """A page; its form token is kept."""
        page = self.ask("GET", address)
        if "form_token" in page.text:
            self.token = token_of(page.text)
        return page

    def begin(self, exam_id: str) -> str:
        """Begin by the page; the attempt's id."""
        self.open(f"/exams/{exam_id}")
        answer = self.ask("POST", f"/exams/{exam_id}/begin")
        assert answer.status_code == 303, answer.text
        attempt_id = str(answer.headers["location"]).rpartition("/")[2]
        self.open(f"/attempts/{attempt_id}")
        return attempt_id

    def save(self, attempt_id: str, position: int, answer: list[Any], change: int = 1) -> Any:
        """Save an answer."""
        return self.ask(
            "PUT", f"{API.format(attempt_id)}/answers/{position}", {"answer": answer, "change": change}
        )


def secrets(hall: Hall) -> set[str]:
    """Everything in the bank that only the key's holder knows."""
    with hall.stage.access.office.reading() as connection:
        rows = connection.execute(select(question_versions)).all()
    found = set()
    for row in rows:
        body = row.body
        cited = body["citation"]
        found |= {row.question_id, body["question_id"], body["explanation"], cited["quote"]}
        found |= {cited["clause_id"], cited["document_id"]}
        found |= {v for variants in body["accepted"] for v in variants if len(v) > 1}
        if body["type"] == "short":
            found |= {body["answer"][0], body["points"][1]["text"]}
        if body["type"] == "blank":
            found.add(body["answer"][1])
    return found


def test_no_byte_before_the_end_tells_a_key(hall: Hall) -> None:
    """In all that pages and HTTP answer, header and body, from the list to the last save, refused ones among them, there
    is no id of a question, no explanation, quote, clause, accepted variant or point; afterwards there is."""
    phone = Phone(hall, "member")
    exam_id = hall.give(shuffled=True, reveal=Reveal.SUBMITTED)
    phone.open("/quiz")
    attempt_id = phone.begin(exam_id)
    asked = hall.asked("member", attempt_id)
    n = len(asked)
    for change, question in enumerate(asked.values(), 1):
        phone.open(f"/attempts/{attempt_id}?q={question.position}")
        # Wrong on purpose, so that what is sent back is not the key.
        wrong = ["不知道"] if question.type in (Type.SHORT, Type.BLANK) else [len(question.options) - 1]
        assert phone.save(attempt_id, question.position, wrong, change).status_code == 200
        assert phone.save(attempt_id, question.position, ["x" * 5000], change).status_code == 400
        phone.ask(
            "POST",
            f"/attempts/{attempt_id}/save",
            data={"form_token": phone.token, "position": question.position, **fields_of(question, wrong)},
        )
    phone.open(f"/attempts/{attempt_id}?q=check")
    phone.save(attempt_id, n + 1, [0])
    for address in (
        "/v1/exams",
        f"/v1/exams/{exam_id}",
        API.format(attempt_id),
        API.format(attempt_id) + "/result",
    ):
        phone.ask("GET", address)
    for address in (f"/attempts/{attempt_id}/result", f"/exams/{exam_id}"):
        phone.open(address)
    assert len(phone.bodies) > 60
    everything = "\n".join(phone.bodies)
    assert not {s for s in secrets(hall) if s in everything}
    for name in ("question_id", '"accepted"', '"points"', '"explanation"', '"citation"', '"key"', '"share"'):
        assert name not in everything
    assert phone.ask("POST", f"{API.format(attempt_id)}/submit").status_code == 204
    told = phone.ask("GET", f"{API.format(attempt_id)}/result").text
    assert sum(s in told for s in secrets(hall)) > n


def test_results_that_wait_tell_no_key_either(hall: Hall) -> None:
    """Handed in, but not to be shown before the exam closes: nothing from which a key follows, nor the score."""
    phone = Phone(hall, "member")
    exam_id = hall.give(reveal=Reveal.CLOSED)
    attempt_id = phone.begin(exam_id)
    phone.ask("POST", f"{API.format(attempt_id)}/submit")
    phone.open(f"/attempts/{attempt_id}/result")
    phone.open("/quiz")
    found = phone.ask("GET", f"{API.format(attempt_id)}/result").json()
    assert (found["revealed"], found["score"], found["questions"]) == (False, None, [])
    everything = "\n".join(phone.bodies)
    assert not {s for s in secrets(hall) if s in everything}


def test_whole_way_over_http(hall: Hall) -> None:
    """A trainer gives it out, a member sits it by script, the trainer marks the words, the member sees it all right."""
    headers = bearer(hall.stage.services, hall.stage.ids["trainer"])
    trainer = TestClient(hall.stage.app, base_url="http://127.0.0.1:8000", headers=headers)
    now = hall.stage.access.office.now()
    body = {
        "paper_id": hall.paper_id,
        "title": "夜读测验",
        "mode": "test",
        "opens_at": (now - timedelta(minutes=1)).isoformat() + "Z",
        "closes_at": (now + timedelta(hours=10)).isoformat() + "+02:00",
        "minutes": 30,
        "reveal": "submitted",
        "audience": ["own"],
    }
    preview = trainer.post("/v1/exams/preview", json=body).json()
    assert (preview["branch_ids"], preview["n"], preview["hidden"]) == (["jia-1"], 7, {})
    given = trainer.post("/v1/exams", json=body)
    assert given.status_code == 201
    exam_id = given.json()["exam_id"]
    told = trainer.get(f"/v1/exams/{exam_id}").json()
    assert told["closes_at"][:16] == (now + timedelta(hours=8)).isoformat()[:16]
    assert told["audience"] == ["branch:jia-1"]
    phone = Phone(hall, "member")
    assert [e["exam_id"] for e in phone.ask("GET", "/v1/exams").json()["exams"]] == [exam_id]
    phone.open("/quiz")
    phone.open(f"/exams/{exam_id}")
    attempt_id = phone.ask("POST", f"/v1/exams/{exam_id}/attempts").json()["attempt_id"]
    assert phone.ask("POST", f"/v1/exams/{exam_id}/attempts").json()["attempt_id"] == attempt_id
    sitting = phone.ask("GET", API.format(attempt_id)).json()
    assert (sitting["state"], sitting["n"]) == ("open", 7)
    assert 1790 <= sitting["seconds_left"] <= 1800
    for question in hall.asked("member", attempt_id).values():
        saved = phone.save(attempt_id, question.position, right(question)).json()
        assert (saved["taken"], saved["change"]) == (True, 1)
        assert saved["answer"] == right(question)
    for _ in range(2):
        assert phone.ask("POST", f"{API.format(attempt_id)}/submit").status_code == 204
    assert phone.save(attempt_id, 1, [0], 9).status_code == 409
    (waiting,) = trainer.get(f"/v1/exams/{exam_id}/marks").json()["waiting"]
    address = f"/v1/attempts/{attempt_id}/marks/{waiting['position']}"
    assert trainer.put(address, json={"share": 1}).status_code == 204
    result = phone.ask("GET", f"{API.format(attempt_id)}/result").json()
    assert (result["state"], result["score"], result["passed"]) == ("marked", result["most"], True)
    assert {q["question"]["citation"]["document_id"] for q in result["questions"]} == {hall.document_id}
    listed = trainer.get("/v1/exams", params={"branch": "jia-1"}).json()["exams"]
    assert [(e["n_open"], e["n_over"]) for e in listed] == [(0, 1)]
    actions = [a for a in hall.stage.actions() if a.split(".")[0] in ("exam", "attempt")]
    assert actions == ["exam.give", "attempt.begin", "attempt.submit", "attempt.mark"]


def test_saving_needs_the_form_token_and_does_not_use_it_up(hall: Hall) -> None:
    """One token of the page saves any number of times; none, a forged one or another session's saves nothing."""
    phone, other = Phone(hall, "member"), Phone(hall, "trainer")
    attempt_id = phone.begin(hall.give())
    choice = hall.asked("member", attempt_id)[Type.SINGLE]
    for change in range(1, 4):
        assert phone.save(attempt_id, choice.position, [change], change).status_code == 200
    other.open("/quiz")
    other.open("/account")
    for token in ("", "a.b.c", other.token or "x"):
        answer = phone.ask(
            "PUT",
            f"{API.format(attempt_id)}/answers/{choice.position}",
            {"answer": [0], "change": 9},
            token=token,
        )
        assert answer.status_code == 403
    assert hall.asked("member", attempt_id)[Type.SINGLE].answer == (3,)
    assert phone.client.get(API.format(attempt_id)).status_code == 200
    guest = TestClient(hall.stage.app, base_url="http://127.0.0.1:8000")
    answer = guest.put(f"{API.format(attempt_id)}/answers/1", json={"answer": [0], "change": 9})
    assert answer.status_code == 401


def test_a_token_that_may_only_read_sits_nothing(hall: Hall) -> None:
    """An API token without the power to write neither begins nor saves nor hands in."""
    from access.principal import Power

    exam_id = hall.give()
    attempt_id = hall.begin("member", exam_id)
    headers = bearer(hall.stage.services, hall.stage.ids["member"], frozenset({Power.READ}))
    client = TestClient(hall.stage.app, base_url="http://127.0.0.1:8000", headers=headers)
    assert client.get(API.format(attempt_id)).status_code == 200
    assert client.post(f"/v1/exams/{exam_id}/attempts").status_code == 403
    assert (
        client.put(f"{API.format(attempt_id)}/answers/1", json={"answer": [], "change": 1}).status_code == 403
    )
    assert client.post(f"{API.format(attempt_id)}/submit").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer": [0]},
        {"answer": [0], "change": 0},
        {"answer": [0], "change": 2**60},
        {"answer": 0, "change": 1},
        {"answer": [True], "change": 1},
        {"answer": [0.5], "change": 1},
        {"answer": [-1], "change": 1},
        {"answer": ["\ud800"], "change": 1},
        {"answer": [[0]], "change": 1},
        {"answer": [0] * 101, "change": 1},
        {"answer": [0], "change": 1, "share": 1},
    ],
)
def test_what_is_no_answer_is_refused(hall: Hall, body: dict[str, Any]) -> None:
    """A body that is not what is asked for is a problem with status 400, and changes nothing."""
    phone = Phone(hall, "member")
    attempt_id = phone.begin(hall.give())
    data = json.dumps(body)
    answer = phone.client.put(
        f"{API.format(attempt_id)}/answers/1",
        content=data,
        headers={"x-form-token": phone.token, "content-type": "application/json"},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert not any(q.answer for q in hall.asked("member", attempt_id).values())


def test_what_is_not_ones_own_and_what_is_not_there_answer_alike(hall: Hall) -> None:
    """Byte for byte, whether the attempt is another's or nobody's, and whether the exam was given to another branch."""
    exam_id = hall.give()
    attempt_id = hall.begin("member", exam_id)
    for login in ("trainer", "other-liaison", "liaison"):
        phone = Phone(hall, login)
        phone.open("/documents")
        for method, path in (("GET", ""), ("GET", "/result")):
            answers = [
                phone.client.request(method, API.format(i) + path).text.replace(i, "ID")
                for i in (attempt_id, "0" * 16)
            ]
            assert answers[0] == answers[1]
            assert "not_found" in answers[0]
    stranger = Phone(hall, "other-liaison")
    found = [stranger.client.get(f"/v1/exams/{i}").text.replace(i, "ID") for i in (exam_id, "0" * 16)]
    assert found[0] == found[1]


def test_who_may_not_mark_is_told_of_no_attempt(hall: Hall) -> None:
    """Trying to mark answers alike whether there is such an answer or not, and names neither exam nor branch."""
    exam_id = hall.give()
    attempt_id = hall.begin("member", exam_id)
    short = hall.asked("member", attempt_id)[Type.SHORT]
    by = hall.stage.principal("member")
    hall.quiz.attempts.save(by, attempt_id, short.position, ["说明原因"], 1)
    hall.quiz.attempts.submit(by, attempt_id)
    for login in ("member", "liaison", "other-liaison"):
        phone = Phone(hall, login)
        answers = []
        for i in (attempt_id, "0" * 16):
            phone.open("/documents")
            answer = phone.ask("PUT", f"{API.format(i)}/marks/{short.position}", {"share": 1.0})
            answers.append(answer.text.replace(i, "ID"))
        assert answers[0] == answers[1]
        assert "not_found" in answers[0] and exam_id not in answers[0]


def test_removal_acts_at_the_next_request(hall: Hall) -> None:
    """A person taken out of the branch in the middle of a sitting is answered as if it were not there."""
    phone = Phone(hall, "member")
    attempt_id = phone.begin(hall.give())
    assert phone.save(attempt_id, 1, [1]).status_code == 200
    hall.stage.access.people.set_roles(None, hall.stage.ids["member"], "jia-1", frozenset())
    assert phone.save(attempt_id, 1, [2], 2).status_code == 404
    assert phone.ask("GET", API.format(attempt_id)).status_code == 404
    assert phone.ask("GET", "/v1/exams").json() == {"exams": []}
    hall.stage.access.people.set_roles(None, hall.stage.ids["member"], "jia-1", frozenset({Role.MEMBER}))
    assert hall.asked("member", attempt_id)[Type.SINGLE].answer == (1,)


def test_withdrawal_acts_at_the_next_request(hall: Hall) -> None:
    """When the document is taken out, not a word of its questions is answered any more."""
    phone = Phone(hall, "member")
    exam_id = hall.give()
    attempt_id = phone.begin(exam_id)
    hall.withdraw()
    phone.bodies.clear()
    assert phone.save(attempt_id, 1, [1]).status_code == 404
    assert phone.ask("GET", API.format(attempt_id)).json()["questions"] == []
    phone.ask("POST", f"{API.format(attempt_id)}/submit")
    result = phone.ask("GET", f"{API.format(attempt_id)}/result").json()
    assert (result["most"], {q["state"] for q in result["questions"]}) == (0, {"withdrawn"})
    everything = "\n".join(phone.bodies)
    assert not any(q.stem in everything for q in QUESTIONS.values())


# -- the trainer's pages ---------------------------------------------------------------


def test_a_trainer_gives_a_paper_out_by_the_page(hall: Hall) -> None:
    """Looked at first, then given out with the rules as they were filled in; it is in the list, and to the member."""
    browser = hall.stage.browser("trainer")
    browser.get("/manage/exams/new?branch=jia-1")
    assert "夜读卷" in text(browser.page)
    address = f"/manage/exams/new?paper={hall.paper_id}"
    typed = {
        "audience": ["own"],
        "title": "三月夜读测验",
        "mode": "test",
        "closes_at": "2031-01-31T18:00",
        "minutes": "45",
        "n_attempts": "3",
        "retake": "failed",
        "reveal": "submitted",
        "pass_percent": "80",
    }
    browser.send(address, "/manage/exams/new", **typed, preview="1")
    assert browser.page.status_code == 200
    assert "还没有发出" in text(browser.page)
    assert "7 道题大家都能做" in text(browser.page)
    with hall.stage.access.office.reading() as connection:
        assert not connection.execute(select(exams)).first()
    assert 'value="三月夜读测验"' in browser.page.text
    browser.send(address, "/manage/exams/new", **typed)
    assert browser.page.status_code == 303, text(browser.page)
    browser.get(browser.page.headers["location"])
    assert "三月夜读测验" in text(browser.page)
    assert "发给本支部" in text(browser.page)
    (card,) = hall.quiz.exams.open_to(hall.stage.principal("member"))
    rules = card.rules
    assert (rules.minutes, rules.n_attempts, rules.pass_share, rules.shuffled) == (45, 3, 0.8, True)
    assert (rules.mode, rules.retake, rules.reveal) == (Mode.TEST, Retake.FAILED, Reveal.SUBMITTED)
    end = f"/manage/exams/{card.exam_id}/end"
    browser.send("/manage/exams?branch=jia-1", end)
    assert browser.page.status_code == 303
    browser.get(browser.page.headers["location"])
    assert "已结束" in text(browser.page)
    assert not hall.quiz.exams.open_to(hall.stage.principal("member"))[0].may_begin


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"title": "　"}, "名称要有"),
        ({"closes_at": "2020-01-01T08:00", "opens_at": "2019-01-01T08:00"}, "已经过了"),
        ({"closes_at": "2020-01-01T08:00"}, "截止时间要晚于开始"),
        ({"closes_at": "明天"}, "请填日期和时间"),
        ({"minutes": "两"}, "要填分钟数"),
        ({"minutes": "0"}, "1 至 1440"),
        ({"minutes": "1e9"}, "要填分钟数"),
        ({"n_attempts": "0"}, "1 至 100"),
        ({"pass_percent": "120"}, "0 至 100"),
        ({"audience": []}, "请勾选发给谁"),
        ({"audience": ["partners"]}, "由联络员或管理员来办"),
        ({"audience": ["everyone"]}, "重新勾选"),
        ({"audience": ["branch:nowhere"]}, "重新勾选"),
    ],
)
def test_what_cannot_be_given_out_is_said_beside_its_field(
    hall: Hall, typed: dict[str, Any], told: str
) -> None:
    """The form comes back as it was filled in, with what to do; nothing is given out."""
    browser = hall.stage.browser("trainer")
    fields = {
        "audience": ["own"],
        "title": "别的名称",
        "mode": "test",
        "retake": "never",
        "reveal": "closed",
        **typed,
    }
    browser.send(f"/manage/exams/new?paper={hall.paper_id}", "/manage/exams/new", **fields)
    assert browser.page.status_code == 400
    assert told in text(browser.page)
    if "title" not in typed:
        assert 'value="别的名称"' in browser.page.text
    with hall.stage.access.office.reading() as connection:
        assert not connection.execute(select(exams)).first()


def test_preview_says_who_is_not_asked_everything(hall: Hall) -> None:
    """Somebody who shares beyond the branch is told how many questions the partner may not see."""
    ids, access = hall.stage.ids, hall.stage.access
    access.people.set_roles(None, ids["trainer"], "jia-1", frozenset({Role.TRAINER, Role.LIAISON}))
    browser = hall.stage.browser("trainer")
    browser.send(
        f"/manage/exams/new?paper={hall.paper_id}",
        "/manage/exams/new",
        audience=["own", "partners"],
        mode="test",
        preview="1",
    )
    assert browser.page.status_code == 200
    assert "乙公司一支部看不到其中 7 道题所依据的材料，那里的人做不了。" in text(browser.page)


@pytest.mark.parametrize("login", ["member", "liaison", "other-liaison", "other-admin"])
def test_only_who_may_ask_gives_out(hall: Hall, login: str) -> None:
    """Others neither see the form nor the list, nor end anything."""
    exam_id = hall.give()
    browser = hall.stage.browser(login)
    for address in ("/manage/exams?branch=jia-1", f"/manage/exams/new?paper={hall.paper_id}"):
        assert browser.get(address).status_code in (403, 404)
    browser.get("/quiz")
    token = token_of(browser.page.text) if "form_token" in browser.page.text else "x"
    assert browser.post(f"/manage/exams/{exam_id}/end", {"form_token": token}).status_code in (403, 404)
    assert hall.quiz.exams.exam(hall.stage.principal("member"), exam_id).may_begin

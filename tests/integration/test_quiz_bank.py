"""The bank over HTTP, and questions from elsewhere linked to their clauses by the search itself."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from access.rights import Role
from api.app import create_app
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.model import PUBLIC
from quiz.citing import Citing, cited
from quiz.exchange import Row
from quiz.linking import Linking
from quiz.model import BLANK, FALSE, TRUE, Question, State, Type, question_json
from tests.fakes import HashingEncoder
from tests.people import CHEAP, add_person, bearer, found_branches
from tests.texts import TEXTS

EVERYONE = frozenset({PUBLIC})
LAW, FUNDS = "支部共建促进法", "活动经费管理办法"


def linked(services: Services, question: Question, scope: frozenset[str] = EVERYONE) -> Question:
    """The question as linking leaves it."""
    return Linking(services.search, services.catalog, scope).question(question)


def choice(stem: str, key: str, *others: str) -> Question:
    """A single choice from elsewhere."""
    return Question(Type.SINGLE, stem, (key, *others), (key,))


def gap(stem: str, *keys: str) -> Question:
    """A fill-in from elsewhere."""
    return Question(Type.BLANK, stem, (), keys)


def said(stem: str, truth: str) -> Question:
    """A statement from elsewhere."""
    return Question(Type.TRUE_FALSE, stem, (TRUE, FALSE), (truth,))


FOUND = {
    "another number form": (
        gap(f"共建协议期满{BLANK}前，双方可以协商续签。", "30日"),
        LAW,
        "第十五条",
        ("三十日",),
    ),
    "days of another name": (
        choice("共建协议期满（ ）前可以协商续签", "30天", "60天"),
        LAW,
        "第十五条",
        ("三十日",),
    ),
    "a number without its unit": (
        choice("外出学习每人每天不超过____元。", "80", "50"),
        FUNDS,
        "第三条",
        ("八十",),
    ),
    "traditional script": (choice("共建協議應當採用（ ）形式。", "書面", "口頭"), LAW, "第十五条", ("书面",)),
    "a question as one asks it": (
        choice("住宿按照什么标准报销？", "当地标准", "本人意愿"),
        FUNDS,
        "第三条之一",
        ("当地标准",),
    ),
    "the source named first": (
        gap(f"根据《{LAW}》的规定，支部共建应当遵循{BLANK}、{BLANK}、互助的原则。", "自愿", "平等"),
        LAW,
        "第二条",
        ("自愿", "平等"),
    ),
    "several keys": (
        Question(
            Type.MULTIPLE,
            "支部共建应当遵循（ ）的原则。",
            ("自愿", "平等", "互助", "有偿"),
            ("自愿", "平等", "互助"),
        ),
        LAW,
        "第二条",
        ("自愿", "平等", "互助"),
    ),
    "the key a whole sentence": (
        choice("下列说法正确的是", "共建协议应当采用书面形式", "共建协议可以口头订立"),
        LAW,
        "第十五条",
        ("共建协议应当采用书面形式",),
    ),
    "a true statement": (said("支部共建应当遵循自愿、平等、互助的原则。", TRUE), LAW, "第二条", ()),
    "a false statement": (said("共建协议期满六十日前，双方可以协商续签。", FALSE), LAW, "第十五条", ()),
    "a short answer": (
        Question(Type.SHORT, "共建协议怎样订立？", (), ("共建协议应当采用书面形式。",)),
        LAW,
        "第十五条",
        (),
    ),
    "parts to be matched": (
        Question(
            Type.MATCHING, "连线。", ("八十元", "当地标准"), ("当地标准",), prompts=("住宿按照当地标准报销",)
        ),
        FUNDS,
        "第三条之一",
        ("住宿按照当地标准报销", "当地标准"),
    ),
}


@pytest.mark.parametrize(("question", "title", "label", "places"), FOUND.values(), ids=FOUND.keys())
def test_linking_finds_the_clause(
    library: Services, question: Question, title: str, label: str, places: tuple[str, ...]
) -> None:
    """The citation quotes the clause in force in which the key stands, and names the places of the key."""
    found = linked(library, question)
    assert found.citation
    document = library.document(found.citation.document_id, EVERYONE)
    assert (found.citation.title, found.citation.path[-1]) == (title, label)
    assert tuple(document.text[s:e] for s, e in found.places) == places
    assert document.text[found.citation.start : found.citation.end] == found.citation.quote
    assert all(found.citation.start <= s < e <= found.citation.end for s, e in found.places)
    assert (found.stem, found.options, found.answer) == (question.stem, question.options, question.answer)


@pytest.mark.parametrize(
    "question",
    [
        gap(f"共建协议期满{BLANK}前，双方可以协商续签。", "六十日"),
        gap(f"共建协议期满{BLANK}前，双方可以协商续签。", "0日"),
        choice("外出学习每人每天不超过（ ）。", "五十元", "八十元"),
        choice("共建协议应当采用（ ）形式。", "续签", "书面"),
        choice("支部共建应当遵循的原则不包括（ ）", "自愿", "有偿"),
        choice("夜间检查由谁带队？", "安全员", "班长"),
        choice("党小组会多久开一次？", "每月", "每周"),
        Question(Type.MULTIPLE, "支部共建应当遵循（ ）的原则。", ("自愿", "有偿", "互助"), ("自愿", "有偿")),
        said("共建协议期满六十日前，双方可以协商续签。", TRUE),
        said("支部共建不应当遵循自愿、平等、互助的原则。", TRUE),
        said("食堂每天供应三餐。", FALSE),
    ],
    ids=lambda q: f"{q.stem[:8]}-{q.answer[0]}",
)
def test_linking_believes_no_key_that_does_not_stand_there(library: Services, question: Question) -> None:
    """A key that the clause in force does not hold where it is asked for leaves the question without a citation."""
    assert linked(library, question) == question


def test_linking_keeps_to_the_scope(library: Services) -> None:
    """Who sees no document gets no citation."""
    question, *_ = FOUND["another number form"]
    assert linked(library, question, frozenset({"branch:other"})).citation is None


def test_linking_checks_a_citation_that_is_brought(library: Services) -> None:
    """One that stands is kept, one that does not is sought anew; what is no question is told as a problem."""
    question, *_ = FOUND["another number form"]
    right = linked(library, question)
    assert right.citation
    document = Citing(library.catalog, EVERYONE).document(right.citation.document_id)
    first = document.clauses[0]
    other = cited(document, first.start, first.end)
    moved = replace(right, citation=other)
    wrong = replace(right, citation=replace(right.citation, quote="别的话"))
    rows = Linking(library.search, library.catalog, EVERYONE).rows(
        [
            Row("第 1 行", moved),
            Row("第 2 行", wrong, 2.0),
            Row("第 3 行", choice("选", "甲")),
            Row("第 4 行", None, problem="没有答案。"),
        ]
    )
    assert rows[0].question == moved
    assert rows[1].question == right
    assert rows[1].points == 2.0
    assert (rows[2].question, rows[2].problem) == (None, "选项应有 2 到 26 个，不能空着。")
    assert rows[3] == Row("第 4 行", None, problem="没有答案。")


def test_linking_moves_a_question_to_the_version_in_force(library: Services) -> None:
    """A citation of a superseded document becomes one of the same words in its successor; words that went stay."""
    old = next(c for c in library.documents(EVERYONE)[1] if c.number == "北党发〔2019〕3号")
    document = library.document(old.document_id, EVERYONE)
    first, third = (next(c for c in document.clauses if c.label == label) for label in ("第一条", "第三条"))
    stays = replace(
        gap(f"为了规范{BLANK}的使用，制定本办法。", "活动经费"),
        citation=cited(document, first.start, first.end),
    )
    went = replace(
        choice("外出学习每人每天不超过（ ）。", "五十元", "八十元"),
        citation=cited(document, third.start, third.end),
    )
    moved = linked(library, stays).citation
    assert moved
    assert (moved.title, moved.path[-1]) == (FUNDS, "第一条")
    assert moved.document_id != old.document_id
    assert linked(library, went) == went


# -- over HTTP ---------------------------------------------------------------------------------


class Client:
    """Asks as one of the people."""

    def __init__(self, http: TestClient, headers: dict[str, dict[str, str]]) -> None:
        self.http = http
        self.headers = headers

    def ask(self, who: str, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        """The JSON of an answer that has this status."""
        response: Response = self.http.request(
            method,
            f"/v1{path}",
            headers={"content-type": "application/json", **self.headers.get(who, {})},
            **sent,
        )
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture(scope="module")
def services_of_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A home with a law, two branches and their trainers."""
    found = build_services(
        Settings(home=tmp_path_factory.mktemp("bank") / "home", processes=1, requests_per_minute=0),
        encoder=HashingEncoder(),
        passwords=CHEAP,
    )
    file = tmp_path_factory.mktemp("texts") / "支部共建促进法.txt"
    file.write_text(TEXTS["law/支部共建促进法.txt"], encoding="utf-8")
    assert found.ingest([file]).documents == 1
    found_branches(found, "nan", "bei")
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(services_of_bank: Services) -> Iterator[Client]:
    """People of both branches on one application."""
    services = services_of_bank
    people = {
        who: add_person(services, who, {branch_id: role})
        for who, branch_id, role in (
            ("trainer", "nan", Role.TRAINER),
            ("colleague", "nan", Role.TRAINER),
            ("member", "nan", Role.MEMBER),
            ("foreign", "bei", Role.TRAINER),
        )
    }
    with TestClient(create_app(services), base_url="http://127.0.0.1:8000") as http:
        yield Client(http, {who: bearer(services, person_id) for who, person_id in people.items()})


def handed_in(client: Client, services: Services, stem: str) -> tuple[str, dict[str, Any]]:
    """A linked question in the bank: its id, and what was sent."""
    question = linked(services, choice(stem, "30日", "60日", "90日"))
    assert question.citation
    body = {"branch_id": "nan", "questions": [question_json(question)]}
    added = client.ask("trainer", "POST", "/questions", 201, json=body)
    assert added["duplicates"] == 0
    return added["question_ids"][0], question_json(question)


def test_http_keeps_edits_and_approves(client: Client, services_of_bank: Services) -> None:
    """A question goes through the bank: handed in, read as sent, edited, approved, and told of in its history."""
    question_id, sent = handed_in(client, services_of_bank, "共建协议期满（ ）前，双方可以协商续签。")
    got = client.ask("colleague", "GET", f"/questions/{question_id}")
    assert got["question"] == sent
    assert (got["state"], got["version"], got["stale"]) == ("candidate", 1, False)
    again = client.ask("trainer", "POST", "/questions", 201, json={"branch_id": "nan", "questions": [sent]})
    assert again == {"question_ids": [], "duplicates": 1}

    better = got["question"] | {"explanation": "见原文。", "citation": None}
    edited = client.ask(
        "colleague", "PUT", f"/questions/{question_id}", json={"question": better, "seen_version": 1}
    )
    assert (edited["kept"]["version"], edited["kept"]["state"]) == (2, "in_review")
    assert edited["kept"]["question"]["citation"] == sent["citation"]
    late = client.ask(
        "trainer", "PUT", f"/questions/{question_id}", 409, json={"question": sent, "seen_version": 1}
    )
    assert late["code"] == "conflict"
    assert "colleague名" in late["title"]
    approval = {"state": "approved", "seen_version": 2}
    assert (
        client.ask("trainer", "POST", f"/questions/{question_id}/state", json=approval)["state"] == "approved"
    )
    history = client.ask("trainer", "GET", f"/questions/{question_id}/history")
    assert [v["question"]["explanation"] for v in history["versions"]] == ["", "见原文。"]
    assert [r["state"] for r in history["reviews"]] == ["in_review", "approved"]
    assert client.ask("trainer", "GET", f"/questions/{question_id}?version=1")["question"] == sent
    listed = client.ask("trainer", "GET", "/questions?branch=nan&state=approved&type=single&q=协商续签")
    assert [q["question_id"] for q in listed["questions"]] == [question_id]
    assert listed["total"] == 1


def test_http_tells_others_nothing(client: Client, services_of_bank: Services) -> None:
    """For members, trainers of other branches and guests a question reads like one that is not there."""
    question_id, sent = handed_in(client, services_of_bank, "期满（ ）前双方可以协商续签共建协议。")
    edit = {"question": sent, "seen_version": 1}
    move = {"state": "retired", "reason": "不要", "seen_version": 1}
    for who, status in (("member", 404), ("foreign", 404), ("guest", 401)):
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/history", None),
            ("GET", "/duplicates", None),
            ("PUT", "", edit),
            ("POST", "/state", move),
        ):
            told = [
                str(client.ask(who, method, f"/questions/{i}{path}", status, json=body)).replace(i, "")
                for i in (question_id, "0" * 16)
            ]
            assert told[0] == told[1]
    for who, status in (("member", 403), ("foreign", 403), ("guest", 401)):
        client.ask(who, "GET", "/questions?branch=nan", status)
        client.ask(who, "POST", "/questions", status, json={"branch_id": "nan", "questions": [sent]})
    client.ask("member", "POST", "/quiz/generate", 403, json={"query": "共建协议"})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "essay"}, 400),
        ({"stem": " "}, 400),
        ({"stem": "\ud800"}, 400),
        ({"answer": "第四"}, 400),
        ({"answer": []}, 400),
        ({"difficulty": 2}, 400),
        ({"options": ["30日"] * 60}, 400),
        ({"citation": {"document_id": "0" * 16, "quote": "甲", "start": 0, "end": 1}}, 404),
        ({"citation": {"document_id": "x", "quote": "甲", "start": 0, "end": 1}}, 400),
        ({"points": [{"text": "甲", "weight": "much"}]}, 400),
        ({"unknown": 1}, 400),
    ],
)
def test_http_takes_no_question_that_is_none(
    client: Client, services_of_bank: Services, change: dict[str, Any], status: int
) -> None:
    """What makes no sense is a problem, and nothing is kept."""
    sent = question_json(linked(services_of_bank, choice("共建协议期满（ ）前可以续签。", "30日", "60日")))
    before = client.ask("trainer", "GET", "/questions?branch=nan")["total"]
    body = {"branch_id": "nan", "questions": [sent, sent | change]}
    client.ask("trainer", "POST", "/questions", status, content=json.dumps(body).encode())
    assert client.ask("trainer", "GET", "/questions?branch=nan")["total"] == before


def test_http_makes_questions(client: Client, services_of_bank: Services) -> None:
    """What is generated can be handed in as it comes, and each question quotes what stands in its document."""
    law = services_of_bank.documents(EVERYONE)[1][0].document_id
    made = client.ask("trainer", "POST", "/quiz/generate", json={"document_id": law, "n": 3})
    assert made["questions"]
    body = {"branch_id": "nan", "questions": made["questions"], "state": State.IN_REVIEW}
    added = client.ask("trainer", "POST", "/questions", 201, json=body)
    assert len(added["question_ids"]) + added["duplicates"] == len(made["questions"])
    for question_id, question in zip(added["question_ids"], made["questions"], strict=False):
        assert client.ask("trainer", "GET", f"/questions/{question_id}")["question"] == question

"""HTTP over people and sharing: what is taken, what is told to whom, and what cannot be told apart."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from access.principal import Power
from access.rights import Role
from access.sharing import Wanted
from api.app import create_app
from api.principal import COOKIE
from api.settings import Settings
from api.wiring import build_services
from tests.fakes import HashingEncoder
from tests.integration.role_world import BESIDE, HOME, OPERATOR, PARTNERS, STRANGER, World
from tests.people import CHEAP, add_person, bearer

ADMINISTRATOR, LIAISON, TRAINER, MEMBER = "administrator", "liaison", "trainer", "member"
Asking = Callable[..., Response]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world for all tests of this file: each makes what it needs."""
    services = build_services(
        Settings(home=tmp_path_factory.mktemp("http") / "home", processes=1, requests_per_minute=0),
        encoder=HashingEncoder(),
        passwords=CHEAP,
    )
    yield World(services)
    services.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    """A client of the application over the world."""
    with TestClient(create_app(world.services), base_url="http://127.0.0.1:8000") as found:
        yield found


@pytest.fixture(scope="module")
def ask(world: World, client: TestClient) -> Asking:
    """Asks as one of the roles."""

    def asked(who: str, method: str, path: str, **sent: Any) -> Response:
        found: Response = client.request(method, f"/v1{path}", headers=world.headers[who], **sent)
        return found

    return asked


# -- what is taken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 10_000,
        b'{"branch_id": "beichen", "name": "\\ud800"}',
        b'{"branch_id": "beichen", "name": "\\u0000"}',
        b'{"branch_id": "beichen", "name": "\\u202e\\u200b"}',
        b'{"branch_id": "beichen", "name": " \\u3000 "}',
        b'{"branch_id": "beichen", "name": ["x"]}',
        b'{"branch_id": "beichen\\u0000", "name": "x"}',
        b'{"branch_id": "BEICHEN", "name": "x"}',
        b'{"branch_id": "beichen", "name": "x", "more": 1}',
        b'{"branch_id": "beichen", "name": "' + b"x" * 201 + b'"}',
    ],
)
def test_bodies_that_make_no_sense_are_400(world: World, client: TestClient, body: bytes) -> None:
    """Whatever stands in a body, the answer is a problem with status 400, and nothing is made."""
    headers = world.headers[LIAISON]
    before = client.get("/v1/groups", headers=headers).json()
    response = client.post(
        "/v1/groups", content=body, headers={**headers, "content-type": "application/json"}
    )
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert client.get("/v1/groups", headers=headers).json() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/branches/%00/people", 400),
        ("/branches/%F0%A0%AE%B7/people", 400),
        ("/people/" + "0" * 17, 400),
        ("/people/%ED%A0%80", 400),
        ("/people/" + "0" * 16, 404),
        ("/documents/%00/audience", 404),
        ("/documents/" + "9" * 3000 + "/audience", 404),
        ("/audit?before=" + "9" * 5000, 400),
        ("/audit?before=0", 400),
        ("/audit?k=99999999999999999999", 400),
        ("/audit?action=%00%25_", 200),
        ("/audit?object_id=" + "x" * 65, 400),
    ],
)
def test_addresses_that_make_no_sense_are_no_bug(ask: Asking, path: str, status: int) -> None:
    """However strange an id or a number in the address, the answer is 400, 404, or nothing found."""
    assert ask(OPERATOR, "GET", path).status_code == status


def test_bodies_are_small(ask: Asking) -> None:
    """A body under /v1 larger than 1 MiB is 413 before it is read; a source may be larger."""
    large = b'{"name": "' + b"x" * (1024 * 1024) + b'"}'
    assert ask(OPERATOR, "POST", "/branches", content=large).status_code == 413
    text = "共建活动办法\n第一条　" + "甲乙丙丁戊己庚辛。" * 40_000
    assert len(text.encode()) > len(large)
    assert ask(TRAINER, "PUT", f"/sources/大.txt?branch={HOME}", content=text.encode()).status_code == 200


def test_a_session_needs_a_form_token(world: World, client: TestClient) -> None:
    """What changes something by a session's cookie needs a token of its pages; a bearer token is enough."""
    sessions = world.services.access.sessions
    client.cookies.set(COOKIE, sessions.sign_in_as(world.people[LIAISON], "test"))
    try:
        sent = {"branch_id": HOME, "name": world.name()}
        assert client.get("/v1/groups").status_code == 200
        for headers in ({}, {"authorization": "Basic eHU6eHU="}):
            refused = client.post("/v1/groups", json=sent, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    finally:
        client.cookies.clear()
    assert client.post("/v1/groups", json=sent, headers=world.headers[LIAISON]).status_code == 201


# -- people and branches ---------------------------------------------------------------------


def test_an_invitation_shows_its_link_once(ask: Asking, client: TestClient) -> None:
    """The link of an invitation leads to its page; no later answer holds it, and taken back it is over."""
    sent = {"name": "张三", "roles": [TRAINER]}
    made = ask(ADMINISTRATOR, "POST", f"/branches/{HOME}/invitations", json=sent)
    assert made.status_code == 201
    link = made.json()["link"]
    listed = ask(ADMINISTRATOR, "GET", f"/branches/{HOME}/invitations")
    assert [i["name"] for i in listed.json()["invitations"]] == ["张三"]
    assert link.rpartition("/")[2] not in listed.text
    assert client.get(link).status_code == 200
    assert ask(ADMINISTRATOR, "DELETE", f"/invitations/{made.json()['invitation_id']}").status_code == 204
    assert client.get(link).status_code == 404


def test_a_branch_keeps_what_is_not_changed(world: World, ask: Asking) -> None:
    """A change names what is to be other; a branch is retired and taken back with its name and place."""
    path = f"/branches/{BESIDE}"
    name = world.name()
    changed = ask(ADMINISTRATOR, "PATCH", path, json={"name": name}).json()
    assert (changed["name"], changed["level"], changed["parent_id"]) == (name, "branch", HOME)
    assert ask(ADMINISTRATOR, "PATCH", path, json={"parent_id": None}).status_code == 400
    assert ask(ADMINISTRATOR, "POST", f"{path}/retire").status_code == 204
    assert BESIDE not in ask(ADMINISTRATOR, "GET", "/branches").text
    assert ask(ADMINISTRATOR, "POST", f"{path}/restore").status_code == 204
    assert name in ask(ADMINISTRATOR, "GET", "/branches").text


def test_retiring_tells_nothing_of_ids(ask: Asking) -> None:
    """A branch that is not one's own and one that is not there are refused alike, byte for byte."""
    answers = [
        ask(ADMINISTRATOR, "POST", f"/branches/{b}/{verb}")
        for b in (STRANGER, "nothing")
        for verb in ("retire", "restore")
    ]
    assert {(a.status_code, a.content) for a in answers} == {(403, answers[0].content)}


def test_roles_elsewhere_are_not_told(world: World, ask: Asking) -> None:
    """Who looks after a person in one branch is not told of their roles in another enterprise's."""
    person_id = add_person(world.services, world.name(), {HOME: Role.MEMBER, STRANGER: Role.TRAINER})
    assert ask(ADMINISTRATOR, "GET", f"/people/{person_id}").json()["roles"] == {HOME: [MEMBER]}
    listed = ask(ADMINISTRATOR, "GET", f"/branches/{HOME}/people").json()["people"]
    assert all(p["roles"].keys() <= {HOME, BESIDE} for p in listed)
    assert ask(OPERATOR, "GET", f"/people/{person_id}").json()["roles"] == {
        HOME: [MEMBER],
        STRANGER: [TRAINER],
    }


def test_an_id_draws_nobody_in(world: World, ask: Asking) -> None:
    """An administrator who knows the id of somebody elsewhere cannot give them roles, nor tell that they exist."""
    stranger = world.person(STRANGER)
    paths = [f"/branches/{HOME}/people/{p}" for p in (stranger, "0" * 16)]
    answers = [ask(ADMINISTRATOR, "PUT", p, json={"roles": [MEMBER]}) for p in paths]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].text.replace(stranger, "0" * 16) == answers[1].text


def test_a_partnership_needs_an_end(world: World, ask: Asking) -> None:
    """Without a last day an offer is refused with what to do; with one it is taken up by the other side."""
    sent = {"proposer_id": HOME, "partner_id": STRANGER}
    refused = ask(LIAISON, "POST", "/partnerships", json=sent)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    ends_on = world.services.today().isoformat()
    made = ask(LIAISON, "POST", "/partnerships", json={**sent, "ends_on": ends_on}).json()
    path = f"/partnerships/{made['partnership_id']}"
    assert ask(LIAISON, "POST", f"{path}/agree").status_code == 403
    assert ask("partner", "POST", f"{path}/agree").status_code == 404
    assert ask(LIAISON, "POST", f"{path}/end").status_code == 204
    assert ask(LIAISON, "POST", f"{path}/end").status_code == 409


def test_a_hidden_group_is_as_one_that_is_not_there(world: World, ask: Asking) -> None:
    """Whatever is asked of a group that one is not told of, the answer is that of no group."""
    hidden = world.group(STRANGER, [f"branch:{STRANGER}"])
    me = f"person:{world.people[LIAISON]}"
    for method, rest in (
        ("DELETE", ""),
        ("PUT", f"/members/{me}"),
        ("DELETE", f"/members/{me}"),
        ("DELETE", f"/members/branch:{STRANGER}"),
    ):
        found, missing = (ask(LIAISON, method, f"/groups/{g}{rest}") for g in (hidden, "0" * 16))
        assert found.status_code == missing.status_code == 404
        assert found.text.replace(hidden, "0" * 16) == missing.text


# -- sharing ------------------------------------------------------------------------------------


def test_an_audience_is_told_in_the_words_it_was_given_in(world: World, ask: Asking) -> None:
    """What is put as an audience comes back so, and its preview names who would see it."""
    document_id = world.document(HOME, [Wanted("own")])
    group = world.group(HOME, [f"branch:{PARTNERS[1]}"])
    wanted = [
        {"audience": a, "may_reshare": a == "partners"}
        for a in ("own", "partners", f"branch:{PARTNERS[0]}", f"group:{group}", f"branch:{BESIDE}")
    ]
    path = f"/documents/{document_id}/audience"
    preview = ask(LIAISON, "POST", f"{path}/preview", json={"audience": wanted}).json()
    assert preview == {
        "branch_ids": sorted([HOME, BESIDE, *PARTNERS]),
        "group_ids": [group],
        "everyone": False,
        "owner_only": False,
    }
    told = ask(LIAISON, "PUT", path, json={"audience": wanted}).json()["audience"]
    assert sorted((t["audience"], t["may_reshare"]) for t in told) == sorted(
        (w["audience"], w["may_reshare"]) for w in wanted
    )
    assert ask(LIAISON, "GET", path).json()["audience"] == told
    everyone = {"audience": [{"audience": "everyone"}]}
    told = ask(LIAISON, "PUT", path, json=everyone).json()["audience"]
    assert sorted(t["audience"] for t in told) == ["everyone", "own"]


def test_an_audience_that_is_no_partner_tells_nothing_of_ids(world: World, ask: Asking) -> None:
    """A branch without a partnership and one that is not there are refused alike."""
    document_id = world.document(HOME, [Wanted("own")])
    answers = [
        ask(TRAINER, "PUT", f"/documents/{document_id}/audience", json={"audience": [{"audience": a}]})
        for a in (f"branch:{STRANGER}", "branch:nothing")
    ]
    assert [a.status_code for a in answers] == [400, 400]
    assert answers[0].text.replace(STRANGER, "nothing") == answers[1].text


def test_a_member_is_not_told_the_audience(world: World, ask: Asking) -> None:
    """Who may only read is told neither with whom a document is shared, nor whether it has a share."""
    document_id = world.document(HOME, [Wanted("own"), Wanted("partners")])
    path = f"/documents/{document_id}"
    assert ask(MEMBER, "GET", path).status_code == 200
    assert ask(MEMBER, "GET", f"{path}/audience").status_code == 403
    told = ask(TRAINER, "GET", f"{path}/audience").json()["audience"]
    assert {t["audience"]: t["mine"] for t in told} == {"own": False, "partners": False}
    there = next(t["share_id"] for t in told if t["audience"] == "partners")
    found, missing = (ask(MEMBER, "DELETE", f"{path}/shares/{s}") for s in (there, "0" * 16))
    assert found.status_code == missing.status_code == 404
    assert found.text.replace(there, "0" * 16) == missing.text


# -- what was done -------------------------------------------------------------------------------


def test_the_trail_is_exported_by_line(ask: Asking) -> None:
    """The export has an entry a line, that of the export itself last; a guest gets none of it."""
    found = ask(LIAISON, "GET", "/audit/export")
    assert found.headers["content-type"].startswith("application/x-ndjson")
    lines = found.text.splitlines()
    assert '"audit.export"' in lines[-1]
    assert ask("guest", "GET", "/audit/export").status_code == 401
    assert ask(OPERATOR, "GET", "/audit/verdict").json()["whole"] is True


def test_a_token_gives_no_more_than_its_powers(world: World, client: TestClient) -> None:
    """An operator's token for reading does not look after people, jobs or the trail."""
    person_id = world.person(STRANGER)
    headers = bearer(world.services, world.people[OPERATOR], frozenset({Power.READ}))
    assert client.get("/v1/me", headers=headers).json()["powers"] == ["read"]
    assert client.get(f"/v1/people/{person_id}", headers=headers).status_code == 404
    assert client.get("/v1/audit/verdict", headers=headers).status_code == 403
    assert client.get("/metrics", headers=headers).status_code == 403
    assert client.get("/v1/branches", headers=headers).json() == {"branches": []}

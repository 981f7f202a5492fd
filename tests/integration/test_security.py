"""What every request passes: limits, origin, headers, cookies, forms."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from access.rights import Role
from api.app import create_app
from api.forms import FIELD, VALID_S, OwnForm, form_token
from api.principal import COOKIE
from api.security import HEADERS, Limits, local_path
from api.services import Services
from tests.conftest import Opener
from tests.people import add_person, bearer, found_branches

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def own(services: Services, open_services: Opener) -> Services:
    """Services over the sample texts with a branch."""
    found = open_services(requests_per_minute=0, max_source_mb=1)
    found_branches(found, "beichen")
    return found


@pytest.fixture
def liaison(own: Services) -> str:
    """A liaison of the branch."""
    return add_person(own, "lianluo", {"beichen": Role.LIAISON})


@pytest.fixture
def app(own: Services) -> FastAPI:
    """The application with a page that shows a form, and takes it."""
    application = create_app(own)

    @application.get("/test-form")
    def show(request: Request) -> dict[str, str]:
        return {"token": form_token(request)}

    @application.post("/test-form", dependencies=[OwnForm])
    def take() -> dict[str, bool]:
        return {"taken": True}

    return application


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser that is not signed in."""
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as found:
        yield found


def send(client: TestClient, token: str, **headers: str) -> int:
    """Status of the form sent with a token."""
    return client.post("/test-form", data={FIELD: token}, headers=headers).status_code


def shown(client: TestClient) -> str:
    """A fresh token of the page."""
    token: str = client.get("/test-form").json()["token"]
    return token


# -- forms ------------------------------------------------------------------------


def test_a_form_is_taken_once(client: TestClient) -> None:
    """A form from this browser is taken, and the same one a second time told as sent before."""
    token = shown(client)
    assert send(client, token) == 200
    assert send(client, token) == 409
    assert send(client, shown(client)) == 200


def test_a_form_of_nobody_is_refused(client: TestClient) -> None:
    """No token, a forged one, one bent in any part: refused, and the form stays good."""
    token = shown(client)
    nonce, at, mac = token.split(".")
    for forged in (
        "",
        "x",
        "..",
        f"{nonce}x.{at}.{mac}",
        f"{nonce}.{int(at) + 1}.{mac}",
        f"{nonce}.{at}.{'0' * 64}",
    ):
        assert send(client, forged) == 403, forged
    assert client.post("/test-form").status_code == 403
    assert send(client, token) == 200


def test_a_form_of_another_browser_is_refused(app: FastAPI, client: TestClient) -> None:
    """A token is good in the browser that it was shown to, and there only."""
    with TestClient(app, base_url=BASE) as other:
        assert send(client, shown(other)) == 403
        other.cookies.clear()
        assert send(other, shown(client)) == 403


def test_a_form_from_before_signing_in_is_refused_after(
    client: TestClient, own: Services, liaison: str
) -> None:
    """What was shown to a guest cannot be sent as the person who signed in since; nor after signing out."""
    guest = shown(client)
    client.cookies.set(COOKIE, own.access.sessions.sign_in_as(liaison, "test"))
    assert send(client, guest) == 403
    token = shown(client)
    client.cookies.set(COOKIE, own.access.sessions.sign_in_as(liaison, "test"))
    assert send(client, token) == 403


def test_a_form_grows_old(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that lay open for longer than a working day is to be opened anew."""
    token = shown(client)
    then = int(token.split(".")[1])
    monkeypatch.setattr("api.forms.time.time", lambda: float(then + VALID_S + 1))
    assert send(client, token) == 403


def test_requests_of_a_session_need_a_token(client: TestClient, own: Services, liaison: str) -> None:
    """Under /v1 a cookie alone changes nothing, a cookie with the page's token does, and a bearer token needs none."""
    path = "/v1/sources/x.txt?branch=beichen&audience=own"
    client.cookies.set(COOKIE, own.access.sessions.sign_in_as(liaison, "test"))
    assert client.put(path, content="第一条　甲。".encode()).status_code == 403
    token = {"x-form-token": shown(client)}
    assert client.put(path, content="第一条　甲。".encode(), headers=token).status_code == 200
    assert client.put(path, content="第一条　乙。".encode(), headers=token).status_code == 409
    client.cookies.clear()
    assert client.put(path, content="第一条　丙。".encode(), headers=bearer(own, liaison)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_requests_of_other_sites_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    """What a browser says was sent by another site's page is refused before anything is looked at."""
    token = shown(client)
    assert send(client, token, **headers) == 403
    assert send(client, token, origin=BASE) == 200


# -- limits -----------------------------------------------------------------------


def test_limits_fill_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a minute's worth may come at once, then as many as the time gives; each asker for themselves."""
    at = 1000.0
    monkeypatch.setattr("api.security.time.monotonic", lambda: at)
    limits = Limits(60)
    assert [limits.wait_s("a") for _ in range(16)][-2:] == [0.0, 1.0]
    assert limits.wait_s("b") == 0
    at += 2.5
    assert [limits.wait_s("a") > 0 for _ in range(3)] == [False, False, True]


def test_too_many_requests_are_told_to_wait(open_services: Opener, services: Services) -> None:
    """Past the limit the answer is 429 with how long to wait; static files are not counted."""
    with TestClient(create_app(open_services(requests_per_minute=8)), base_url=BASE) as client:
        answers = [client.get("/healthz") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[-1].json()["code"] == "too_many_requests"
        assert client.get("/static/style.css").status_code == 200


@pytest.mark.parametrize("length", ["99999999999", "-1", "x"])
def test_large_requests_are_refused_by_their_length(client: TestClient, length: str) -> None:
    """A body that says it is larger than anything taken is not read."""
    headers = {"content-length": length, "content-type": "application/x-www-form-urlencoded"}
    assert client.post("/test-form", content=b"", headers=headers).status_code == 413


# -- headers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/v1/status", "/healthz", "/documents", "/nothing", "/static/style.css", "/docs"]
)
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    """Pages, JSON, files and errors alike allow no script or style of others, no frame, and no guessing of types."""
    found = client.get(path, headers={"accept": "text/html"}).headers
    for name in ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"):
        assert found[name] == HEADERS[name]
    assert "unsafe" not in found["content-security-policy"]


def test_what_a_person_sees_is_not_kept(client: TestClient, own: Services, liaison: str) -> None:
    """A browser that others use after keeps no page of a person who was signed in."""
    assert client.get("/documents").headers["cache-control"] == "private, no-cache"
    assert (
        client.get("/documents", headers=bearer(own, liaison)).headers["cache-control"] == "private, no-store"
    )
    client.cookies.set(COOKIE, own.access.sessions.sign_in_as(liaison, "test"))
    assert client.get("/documents").headers["cache-control"] == "private, no-store"
    assert "immutable" in client.get(_style(client)).headers["cache-control"]


def _style(client: TestClient) -> str:
    return client.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]


def test_cookies_stay_here(client: TestClient) -> None:
    """The cookie of a form is out of reach of scripts and of other sites."""
    line = client.get("/test-form").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(line.split("; "))


def test_cookies_go_over_https_alone_beyond_loopback(services: Services, open_services: Opener) -> None:
    """Where others are on the wire, cookies are Secure and the browser is told to stay with HTTPS."""
    application = create_app(open_services(host="0.0.0.0", allowed_hosts="kb.intern"))
    with TestClient(application, base_url="https://kb.intern") as client:
        found = client.get("/sign-in").headers
    assert "max-age" in found["strict-transport-security"]
    assert "Secure" in found["set-cookie"]


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/x", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "",
     "/x\r\nSet-Cookie: a=b", "http:/evil", "///evil"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(address: str) -> None:
    """Only a path of this site is followed after signing in."""
    assert local_path(address) == "/"


# -- tokens -------------------------------------------------------------------------


def test_forged_and_expired_tokens_open_nothing(client: TestClient, own: Services, liaison: str) -> None:
    """A wrong bearer token is told apart from none at all: it never falls back to the guest."""
    good = bearer(own, liaison)["authorization"]
    assert client.get("/v1/status", headers={"authorization": good}).status_code == 200
    for wrong in (good[:-1], good + "x", "Bearer ", "Bearer gx_x_y", good.replace("gx_", "")):
        answer = client.get("/v1/status", headers={"authorization": wrong})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
    own.access.people.set_active(None, liaison, active=False)
    assert client.get("/v1/status", headers={"authorization": good}).status_code == 401

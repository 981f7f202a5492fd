"""HTTP: the same JSON as the command line, problems with stable codes, nothing from outside."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from access.rights import Role
from api.app import create_app
from api.json import answer_json
from api.services import Services
from ingest.pipeline import Keeping
from kb.errors import IndexBusy
from kb.model import PUBLIC, Query, Source
from tests.conftest import Opener
from tests.people import add_person, bearer, found_branches
from tests.texts import CASE, LAW, TEXTS

BASE = "http://127.0.0.1:8000"
SECRET = "北辰内部奖励办法\n第一条　夜班吊机奖励每人三百元。\n"
OUTSIDE = re.compile(r"(?:https?:)?//(?!127\.0\.0\.1|localhost|www\.w3\.org/)[\w.-]+\.[a-z]{2,}")


@pytest.fixture(scope="module")
def client(library: Services) -> Iterator[TestClient]:
    """A client of the application over the sample texts; nothing is changed through it."""
    with TestClient(create_app(library), base_url=BASE, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def writer(services: Services, open_services: Opener) -> Iterator[TestClient]:
    """A client signed in as a liaison of 北辰, on a home of the test's own."""
    own = open_services(max_source_mb=1, requests_per_minute=0)
    found_branches(own, "beichen")
    headers = bearer(own, add_person(own, "lianluo", {"beichen": Role.LIAISON}))
    with TestClient(create_app(own), base_url=BASE, raise_server_exceptions=False, headers=headers) as found:
        yield found


def law_id(client: TestClient) -> str:
    """The id of the sample law."""
    found: str = client.get("/v1/search", params={"q": "支部共建促进法"}).json()["hits"][0]["document_id"]
    return found


def test_search_gives_the_json_of_the_command_line(client: TestClient, library: Services) -> None:
    """Every field of the answer is what `gongxue search --json` prints."""
    response = client.get("/v1/search", params={"q": "活动经费", "k": 5, "explain": "true", "mode": "hybrid"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    expected = json.loads(
        json.dumps(answer_json(library.search(Query("活动经费", frozenset({PUBLIC}), k=5, explain=True))))
    )
    assert {**response.json(), "took_ms": 0} == {**expected, "took_ms": 0}


def test_search_takes_every_filter(client: TestClient) -> None:
    """Kind, issuer, year, standing, day, page and mode limit the answer."""

    def hits(**params: object) -> list[dict[str, object]]:
        found: list[dict[str, object]] = client.get("/v1/search", params={"k": 50, **params}).json()["hits"]
        return found

    assert {h["kind"] for h in hits(q="活动经费", kind=["law", "article"])} == {"law", "article"}
    assert {h["issuer"] for h in hits(q="检查", issuer="江岚港务公司党委")} == {"江岚港务公司党委"}
    assert {h["year"] for h in hits(q="经费", year=2023)} == {2023}
    assert {h["validity"] for h in hits(q="经费", validity="superseded")} == {"superseded"}
    assert "2019" in str(hits(q="活动经费管理办法", as_of="2020-01-01")[0]["source"])
    assert hits(q="活动经费", offset=2)[0] == hits(q="活动经费")[2]
    assert hits(q="活动经费", as_of="9999-12-31")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/search", 400, "invalid_query"),
        ("/v1/search?q=", 400, "invalid_query"),
        ("/v1/search?q=%20%E3%80%80", 400, "invalid_query"),
        ("/v1/search?q=" + "a" * 3000, 400, "invalid_query"),
        ("/v1/search?q=x&k=0", 400, "invalid_query"),
        ("/v1/search?q=x&k=101", 400, "invalid_query"),
        ("/v1/search?q=x&k=x", 400, "invalid_query"),
        ("/v1/search?q=x&offset=-1", 400, "invalid_query"),
        ("/v1/search?q=x&offset=999&k=10", 400, "invalid_query"),
        ("/v1/search?q=x&mode=magic", 400, "invalid_query"),
        ("/v1/search?q=x&kind=novel", 400, "invalid_query"),
        ("/v1/search?q=x&as_of=2024-13-01", 400, "invalid_query"),
        ("/v1/search?q=x&year=99999999999999999999", 400, "invalid_query"),
        ("/v1/search?q=x&validity=no", 400, "invalid_query"),
        ("/v1/documents?k=9999", 400, "invalid_query"),
        ("/v1/documents?offset=99999999999999999999", 400, "invalid_query"),
        ("/v1/documents/0000000000000000", 404, "not_found"),
        ("/v1/documents/0000000000000000/versions", 404, "not_found"),
        ("/v1/documents/0000000000000000/original", 404, "not_found"),
        ("/v1/documents/%00", 404, "not_found"),
        ("/v1/documents/%F0%A0%AE%B7", 404, "not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/v2/search", 404, "not_found"),
    ],
)
def test_problems_have_stable_codes(client: TestClient, path: str, status: int, code: str) -> None:
    """Each refusal is a problem document with its status, code, what was wrong and what to do."""
    response = client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:gongxue:error:{code}")
    assert body["title"]
    assert body["detail"]


def test_methods_that_are_not_there_are_a_problem(client: TestClient) -> None:
    """A method that a route lacks is 405 in the same form, with what is allowed."""
    response = client.post("/v1/search?q=x")
    assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in response.headers["allow"]


def test_hidden_and_missing_documents_answer_alike(services: Services) -> None:
    """A document outside the scope answers as one that does not exist, byte for byte but for the id asked."""
    hidden = services.pipeline.ingest(
        Source("奖励.txt", "text/plain", SECRET.encode()), keeping=Keeping(frozenset({"北辰"}))
    ).document_id
    assert hidden
    with TestClient(create_app(services), base_url=BASE) as client:
        for path in (
            "/v1/documents/{}",
            "/v1/documents/{}/versions",
            "/v1/documents/{}/original",
            "/documents/{}",
        ):
            found, missing = client.get(path.format(hidden)), client.get(path.format("0" * 16))
            assert found.status_code == missing.status_code == 404
            assert found.content.replace(hidden.encode(), b"0" * 16) == missing.content
            drop = {"content-length"}
            assert {k: v for k, v in found.headers.items() if k not in drop} == {
                k: v for k, v in missing.headers.items() if k not in drop
            }
        assert hidden not in client.get("/v1/documents?k=200").text
        assert client.get("/v1/suggest", params={"q": "奖励"}).json() == {"documents": []}
        assert hidden not in client.get("/v1/search", params={"q": "夜班吊机奖励", "k": 100}).text


def test_a_service_error_is_503(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the installation must mend is 503 with its code and hint."""

    def busy(_query: object) -> None:
        raise IndexBusy("Cannot write.", "Try again shortly.")

    monkeypatch.setattr(services, "search", busy)
    with TestClient(create_app(services), base_url=BASE) as client:
        response = client.get("/v1/search?q=x")
    assert (response.status_code, response.json()["code"], response.json()["detail"]) == (
        503,
        "index_busy",
        "Try again shortly.",
    )


def test_a_bug_is_500_and_tells_nothing_of_itself(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours is a problem document without inner words; the log has them."""

    def broken(_query: object) -> None:
        raise RuntimeError("inner words")

    monkeypatch.setattr(services, "search", broken)
    with TestClient(create_app(services), base_url=BASE, raise_server_exceptions=False) as client:
        response = client.get("/v1/search?q=x")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "inner words" not in response.text
    assert "RuntimeError: inner words" in "".join(capsys.readouterr())


# -- documents ----------------------------------------------------------------------


def test_document_gives_structure_and_text(client: TestClient) -> None:
    """A document has its title block, text, sections and clauses, whose spans cut the text."""
    found = client.get(f"/v1/documents/{law_id(client)}").json()
    assert found["title"] == "支部共建促进法"
    assert found["effective_on"] == "2021-01-01"
    assert found["validity"] == "in_force"
    clause = next(c for c in found["clauses"] if c["label"] == "第五十四条")
    assert found["text"][clause["start"] : clause["end"]].startswith("第五十四条")
    assert [s["label"] for s in found["sections"]] == ["第一章", "第二章"]


def test_documents_are_listed_and_paged(client: TestClient) -> None:
    """The list counts all, and its pages make up the whole."""
    whole = client.get("/v1/documents").json()
    assert whole["total"] == len(whole["documents"]) == len(TEXTS)
    paged = [client.get(f"/v1/documents?k=1&offset={n}").json()["documents"][0] for n in range(len(TEXTS))]
    assert paged == whole["documents"]
    assert client.get("/v1/documents?kind=law").json()["total"] == 1


def test_versions_are_newest_first(client: TestClient) -> None:
    """All versions of a work, each with its standing."""
    new = client.get("/v1/search", params={"q": "北党发〔2023〕5号"}).json()["hits"][0]["document_id"]
    found = client.get(f"/v1/documents/{new}/versions").json()["documents"]
    assert [(d["effective_on"], d["validity"]) for d in found] == [
        ("2023-06-01", "in_force"),
        ("2019-04-01", "superseded"),
    ]


def test_original_gives_the_bytes_under_their_name(client: TestClient) -> None:
    """The original comes back byte for byte, as an attachment with its Chinese name."""
    response = client.get(f"/v1/documents/{law_id(client)}/original")
    assert response.content == LAW.encode()
    assert response.headers["content-type"].startswith("text/plain")
    assert (
        f"attachment; filename*=UTF-8''{quote('支部共建促进法.txt')}"
        == response.headers["content-disposition"]
    )
    assert response.headers["x-content-type-options"] == "nosniff"


def test_suggest_finds_titles_and_numbers(client: TestClient) -> None:
    """What was typed so far finds titles and 文号 that contain it."""
    for typed in ("经费管", "北党发[2023", "活動經費"):
        titles = [d["title"] for d in client.get("/v1/suggest", params={"q": typed}).json()["documents"]]
        assert titles == ["活动经费管理办法"], typed
    assert client.get("/v1/suggest", params={"q": ""}).json() == {"documents": []}


# -- writing ----------------------------------------------------------------------


def test_writes_need_a_person_who_may(client: TestClient) -> None:
    """A guest can neither put nor remove anything, whatever is sent."""
    for response in (
        client.put("/v1/sources/x.txt?branch=beichen", content=b"x"),
        client.delete(f"/v1/documents/{law_id(client)}"),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "sign_in_required")
    assert client.get("/v1/status").json()["documents"] == len(TEXTS)


def test_put_takes_a_source_in_and_delete_takes_it_out(writer: TestClient) -> None:
    """A source put under any name is found at once; deleted it is gone at once, a second time not found."""
    text = CASE.replace("吊机", "龙门吊")
    asked = {"branch": "beichen", "audience": ["own"]}
    name = quote("案例 一（夜班）.txt")
    report = writer.put(f"/v1/sources/{name}", content=text.encode(), params=asked).json()
    assert report["status"] == "added"
    document_id = report["document_id"]
    hit = writer.get("/v1/search", params={"q": "龙门吊故障"}).json()["hits"][0]
    assert (hit["document_id"], hit["source"]) == (document_id, "案例 一（夜班）.txt")
    again = writer.put("/v1/sources/again.txt", content=text.encode(), params=asked).json()
    assert (again["status"], again["document_id"]) == ("unchanged", document_id)
    assert writer.delete(f"/v1/documents/{document_id}").status_code == 204
    assert document_id not in writer.get("/v1/search", params={"q": "龙门吊故障"}).text
    for path in ("", "/original"):
        assert writer.get(f"/v1/documents/{document_id}{path}").status_code == 404
    gone = writer.delete(f"/v1/documents/{document_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    back = writer.put("/v1/sources/back.txt", content=text.encode(), params=asked)
    assert (back.status_code, back.json()["code"]) == (422, "withdrawn")


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("x.xyz", b"x", 415, "unsupported_format"),
        ("x", b"x", 415, "unsupported_format"),
        ("x.txt", b"", 422, "empty_source"),
        ("x.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, 422, "unreadable_source"),
        ("x.docx", b"PK\3\4broken", 422, "unreadable_source"),
        ("x.txt", b"a" * (1024 * 1024 + 1), 413, "oversize_source"),
    ],
)
def test_put_refuses_bad_sources(
    writer: TestClient, name: str, content: bytes, status: int, code: str
) -> None:
    """A source that cannot become a document is a problem with its code, and nothing is kept."""
    response = writer.put(f"/v1/sources/{name}?branch=beichen", content=content)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code
    assert response.json()["title"]
    assert writer.get("/v1/status").json()["documents"] == len(TEXTS)


def test_put_refuses_an_endless_body(writer: TestClient) -> None:
    """A body without a stated length is refused by what comes of it."""

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"a" * 65536

    assert writer.put("/v1/sources/x.txt?branch=beichen", content=endless()).status_code == 413


# -- the rest ---------------------------------------------------------------------


def test_health_and_readiness(client: TestClient) -> None:
    """Health is plain; readiness says whether the index has come up, and nothing that could be counted."""
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").json() == {"ready": True}


def test_metrics_are_for_operators(services: Services) -> None:
    """Metrics count requests by route, never by what was asked for, and only an operator sees them."""
    operator = bearer(services, add_person(services, "xitong", operator=True))
    member = bearer(services, add_person(services, "xueyuan"))
    with TestClient(create_app(services), base_url=BASE) as client:
        client.get("/v1/search?q=x")
        client.get(f"/v1/documents/{'0' * 16}")
        client.get("/no/such/page")
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers=member).status_code == 403
        metrics = client.get("/metrics", headers=operator).text
    assert re.search(r'gongxue_requests_total\{route="/v1/search",status="200"\} [1-9]', metrics)
    assert 'route="/v1/documents/{document_id}",status="404"' in metrics
    assert "0000000000000000" not in metrics
    assert "gongxue_request_seconds_bucket" in metrics
    assert "/no/such/page" not in metrics


def test_readiness_waits_for_the_index(services: Services) -> None:
    """While the index is behind the catalog the service says so with 503."""
    with TestClient(create_app(services), base_url=BASE) as client:
        services.pipeline.ingest(Source("新.txt", "text/plain", SECRET.encode()))
        assert (client.get("/readyz").status_code, client.get("/healthz").status_code) == (503, 200)
        services.follow()
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "testserver", "10.0.0.7", ""])
def test_foreign_hosts_are_refused(client: TestClient, host: str) -> None:
    """A request under a host name that is not ours is refused, so that no page elsewhere can be rebound to it."""
    assert client.get("/v1/search?q=x", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8000", "[::1]:8000", "[::1]", "kb.intern", "KB.intern:80"]
)
def test_own_hosts_are_answered(services: Services, open_services: Opener, host: str) -> None:
    """Loopback names and those of the setting are answered, with any port."""
    with TestClient(create_app(open_services(allowed_hosts="kb.intern, other")), base_url=BASE) as client:
        assert client.get("/v1/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/", "/documents", "/?q=经费", "/nothing"])
def test_answers_mention_nothing_outside(client: TestClient, path: str) -> None:
    """Pages and the interface's description point at no other host."""
    text = client.get(path, headers={"accept": "text/html"}).text
    assert OUTSIDE.findall(text) == []


def test_docs_show_every_route(client: TestClient) -> None:
    """The page of the interface names each route of its description, and works without script."""
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert '<script src="http' not in page


@pytest.mark.parametrize("path", ["/", "/v1/status", "/healthz", "/documents", "/docs"])
def test_head_answers_as_get_without_body(client: TestClient, path: str) -> None:
    """HEAD has the status and headers of GET."""
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.content == b""


def test_missing_pages_answer_in_the_askers_form(client: TestClient) -> None:
    """A browser gets a page, a program a problem, both 404."""
    page = client.get("/nothing", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    problem = client.get("/nothing", headers={"accept": "application/json"})
    assert (problem.status_code, problem.json()["code"]) == (404, "not_found")
    assert client.get("/v1/nothing", headers={"accept": "text/html"}).json()["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/?q=x&year=99999999999999999999",
        "/?q=x&as_of=0001-01-01",
        "/?q=x&as_of=9999-12-31",
        "/?q=%00",
        "/documents?page=99999999999999999999",
    ],
)
def test_pages_survive_extreme_addresses(client: TestClient, path: str) -> None:
    """However far out its numbers, an address gives a page."""
    assert client.get(path, headers={"accept": "text/html"}).status_code in (200, 400, 404)


def test_static_files_cannot_be_left(client: TestClient) -> None:
    """No path under /static leads out of its folder."""
    for path in (
        "/static/../pages.py",
        "/static/%2e%2e/templates/base.html",
        "/static//etc/passwd",
        "/static/..%2f..%2fpyproject.toml",
    ):
        assert client.get(path).status_code == 404

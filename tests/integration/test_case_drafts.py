"""Cases being written over HTTP: two writers, files, review and publishing, and who is told of any of it."""

import io
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import ExifTags, Image

from access.principal import Power
from access.rights import Role
from cases.merging import sentences
from cases.model import Field
from tests.integration.account_browser import ORIGIN
from tests.integration.manage_stage import Stage, full_stage
from tests.people import bearer

BODY = {
    "title": "候诊区改成分段叫号",
    "problem": "上午八点到九点，候诊区站满了人。",
    "practice": "按半小时一段发号。到点才进候诊区。",
    "outcome": "平均等候降到二十六分钟。",
}
CANARY = "金丝雀七七"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """甲一 and 乙一 are partners; a second reviewer in 甲一."""
    stage = full_stage(tmp_path_factory.mktemp("made") / "home")
    stage.add("reviewer", **{"jia-1": Role.LIAISON})
    yield stage
    stage.services.close()


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Iterator[Stage]:
    """The same for one test."""
    copy = made.copied(tmp_path / "home")
    yield copy
    copy.services.close()
    shutil.rmtree(tmp_path / "home")


class Writer:
    """Somebody who writes by an API token."""

    def __init__(self, stage: Stage, login: str, powers: frozenset[Power] = frozenset(Power)) -> None:
        self.client = TestClient(
            stage.app,
            base_url=ORIGIN,
            headers=bearer(stage.services, stage.ids[login], powers),
            raise_server_exceptions=False,
        )

    def ask(self, method: str, address: str, status: int = 200, **sent: Any) -> Any:
        """The answer, which has this status."""
        answer = self.client.request(method, f"/v1/cases{address}", **sent)
        assert answer.status_code == status, answer.text
        return (
            answer.json() if answer.content and "json" in answer.headers["content-type"] else answer.content
        )

    def begin(self, body: Mapping[str, str] = BODY) -> str:
        """A case of 甲一."""
        found: str = self.ask("POST", "", 201, json={"branch_id": "jia-1", "body": body})["case_id"]
        return found

    def save(self, case_id: str, field: str, text: str, base: int, key: str = "") -> Any:
        """Save a field."""
        sent = {"text": text, "base": base, "change_key": key}
        return self.ask("PUT", f"/{case_id}/form/{field}", json=sent)

    def publish(self, case_id: str, reviewer: "Writer", *audience: str) -> str:
        """Take it through review to these."""
        self.ask("POST", f"/{case_id}/submit", 204)
        revision = reviewer.ask("GET", f"/{case_id}/form")["revision"]
        reviewer.ask("POST", f"/{case_id}/approve", 204, json={"revision": revision})
        wanted = {"audience": [{"audience": a} for a in audience]}
        found: str = self.ask("POST", f"/{case_id}/publish", 201, json=wanted)["document_id"]
        return found


def words(text: str) -> set[str]:
    """The sentences of a text."""
    return {s.strip() for s in sentences(text)} - {""}


def photograph() -> bytes:
    """A photograph that tells where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = b"CANARY-31.2304N"
    stream = io.BytesIO()
    Image.new("RGB", (2400, 1200), (120, 130, 140)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def test_a_case_goes_from_the_form_to_its_audience(stage: Stage) -> None:
    """Begun, filled in, reviewed by another, published to partners with its photograph, and taken back."""
    liaison, reviewer, partner = (Writer(stage, login) for login in ("liaison", "reviewer", "other-liaison"))
    case_id = liaison.begin()
    form = liaison.ask("GET", f"/{case_id}/form")
    assert (form["state"], form["fields"]["title"]["text"]) == ("draft", BODY["title"])
    liaison.save(case_id, "conditions", "要有叫号机。", form["revision"])
    kept = liaison.ask(
        "POST",
        f"/{case_id}/attachments",
        201,
        params={"name": "现场.jpg", "caption": "改造后"},
        content=photograph(),
    )
    preview = liaison.ask(
        "POST", f"/{case_id}/publish/preview", json={"audience": [{"audience": "partners"}]}
    )
    assert set(preview["branch_ids"]) == {"jia-1", "yi-1"}
    partner.ask("GET", f"/{case_id}", 404)
    partner.ask("GET", f"/{case_id}/attachments/{kept['attachment_id']}", 404)

    liaison.publish(case_id, reviewer, "own", "partners")
    seen = partner.ask("GET", f"/{case_id}")
    assert seen["body"]["conditions"] == "要有叫号机。"
    assert [a["caption"] for a in seen["attachments"]] == ["改造后"]
    data = partner.ask("GET", f"/{case_id}/attachments/{kept['attachment_id']}")
    assert b"CANARY" not in data
    assert max(Image.open(io.BytesIO(data)).size) == 1600

    liaison.ask("POST", f"/{case_id}/withdraw", 204, json={"reason": "数字要核"})
    partner.ask("GET", f"/{case_id}", 404)
    partner.ask("GET", f"/{case_id}/attachments/{kept['attachment_id']}", 404)
    assert liaison.ask("GET", f"/{case_id}/form")["state"] == "draft"
    assert liaison.ask("GET", f"/{case_id}/attachments/{kept['attachment_id']}") == data


def test_a_file_taken_out_stays_with_what_is_published_until_it_is_published_anew(stage: Stage) -> None:
    """Readers of the published version keep its file; the next version has it no more, and its bytes go at night."""
    liaison, reviewer, partner = (Writer(stage, login) for login in ("liaison", "reviewer", "other-liaison"))
    case_id = liaison.begin()
    kept = liaison.ask(
        "POST", f"/{case_id}/attachments", 201, params={"name": "名单.txt"}, content="名单".encode()
    )
    address = f"/{case_id}/attachments/{kept['attachment_id']}"
    liaison.publish(case_id, reviewer, "own", "partners")
    liaison.ask("DELETE", address, 204)
    stage.services.cases.attachments.tidy()
    assert partner.ask("GET", address) == "名单".encode()
    liaison.publish(case_id, reviewer, "own", "partners")
    partner.ask("GET", address, 404)
    liaison.ask("GET", address, 404)
    stage.services.cases.attachments.tidy()
    assert not [f for f in (stage.home / "attachments").rglob("*") if f.is_file()]


def test_files_are_seen_with_their_case_and_go_with_it(stage: Stage) -> None:
    """Shared with its own branch, then with a partner, until the partnership ends: the file follows its case."""
    liaison, reviewer, partner = (Writer(stage, login) for login in ("liaison", "reviewer", "other-liaison"))
    case_id = liaison.begin()
    kept = liaison.ask(
        "POST", f"/{case_id}/attachments", 201, params={"name": "名单.txt"}, content="名单".encode()
    )
    address = f"/{case_id}/attachments/{kept['attachment_id']}"
    liaison.publish(case_id, reviewer, "own")
    Writer(stage, "member").ask("GET", address)
    partner.ask("GET", address, 404)
    liaison.ask("PUT", f"/{case_id}/audience", 204, json={"audience": [{"audience": "partners"}]})
    partner.ask("GET", address)
    stage.access.partnerships.end(stage.principal("liaison"), stage.partnership_id)
    partner.ask("GET", address, 404)


def test_two_writers_over_http_lose_nothing(stage: Stage) -> None:
    """Two people save at the same time against a running server, one of them with saves sent twice and late."""
    from tests.integration.browser import serving

    case_id = Writer(stage, "trainer").begin()
    headers = {login: bearer(stage.services, stage.ids[login]) for login in ("trainer", "liaison")}
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def write(login: str, origin: str) -> None:
        try:
            with httpx.Client(base_url=origin, headers=headers[login], timeout=60, trust_env=False) as client:
                address = f"/v1/cases/{case_id}/form"
                form = client.get(address).json()
                text, base = form["fields"]["practice"]["text"], form["revision"]
                sent: list[dict[str, Any]] = []
                start.wait()
                for n in range(10):
                    text += f"{login}写第{n}句。"
                    sent.append({"text": text, "base": base, "change_key": f"{login}.{n}"})
                    answer = client.put(f"{address}/practice", json=sent[-1])
                    assert answer.status_code == 200, answer.text
                    if n % 2:
                        text, base = answer.json()["text"], answer.json()["revision"]
                    if n % 3 == 0:
                        again = client.put(f"{address}/practice", json=sent[n // 2])
                        assert again.status_code == 200, again.text
        except BaseException as error:
            failures.append(error)

    with serving(stage.app) as origin:
        threads = [threading.Thread(target=write, args=(login, origin)) for login in headers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    form = Writer(stage, "trainer").ask("GET", f"/{case_id}/form")
    stands = form["fields"]["practice"]["text"]
    wanted = {f"{login}写第{n}句。" for login in headers for n in range(10)}
    assert words(stands) == wanted | words(BODY["practice"])
    assert all(stands.count(s) == 1 for s in wanted)


def test_each_writer_hears_of_the_other(stage: Stage) -> None:
    """Asking what is new gives the other's field, and where they are writing; not one's own name."""
    trainer, liaison = Writer(stage, "trainer"), Writer(stage, "liaison")
    case_id = trainer.begin()
    revision = trainer.ask("GET", f"/{case_id}/form")["revision"]
    liaison.ask("GET", f"/{case_id}/form", params={"since": revision, "at": "conditions"})
    liaison.save(case_id, "conditions", "要有叫号机。", revision)
    news = trainer.ask("GET", f"/{case_id}/form", params={"since": revision, "at": "title"})
    assert {f: w["text"] for f, w in news["fields"].items()} == {"conditions": "要有叫号机。"}
    assert [(w["name"], w["field"]) for w in news["writers"]] == [("liaison先生", "conditions")]


def test_a_save_that_makes_no_sense_says_so(stage: Stage) -> None:
    """A field that is none, a number that is none, a key that is none: refused, and nothing is changed."""
    writer = Writer(stage, "trainer")
    case_id = writer.begin()
    before = writer.ask("GET", f"/{case_id}/form")
    writer.ask("PUT", f"/{case_id}/form/secret", 400, json={"text": "x", "base": 0})
    refused = writer.ask("PUT", f"/{case_id}/form/cost", 400, json={"text": "不贵", "base": 0})
    assert "花费" in refused["title"]
    for wrong in ({"text": "x", "base": -1}, {"text": "x", "base": 0, "change_key": "a b"}, {"text": "x"}):
        writer.ask("PUT", f"/{case_id}/form/title", 400, json=wrong)
    assert writer.ask("GET", f"/{case_id}/form") == before


@pytest.mark.parametrize("login", ["member", "other-liaison", "admin", "root"])
def test_a_draft_gives_itself_away_to_nobody(stage: Stage, login: str) -> None:
    """To members, partners, and administrators above, every route answers as if there were no such case."""
    writer = Writer(stage, "trainer")
    case_id = writer.begin(BODY | {"title": CANARY, "problem": f"{CANARY}的事。"})
    kept = writer.ask(
        "POST", f"/{case_id}/attachments", 201, params={"name": f"{CANARY}.txt"}, content=CANARY.encode()
    )
    other = Writer(stage, login)
    attachment = kept["attachment_id"]
    routes: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "/form", {}),
        ("GET", "/form?since=0&at=title", {}),
        ("PUT", "/form/title", {"json": {"text": "x", "base": 0}}),
        ("GET", "/changes", {}),
        ("POST", "/changes/1/put-back", {}),
        ("DELETE", "", {}),
        ("POST", "/submit", {}),
        ("POST", "/give-back", {"json": {"note": "x"}}),
        ("POST", "/approve", {"json": {"revision": 4}}),
        ("GET", "/form-attachments", {}),
        ("POST", "/attachments?name=a.txt", {"content": b"a"}),
        ("GET", f"/attachments/{attachment}", {}),
        ("PUT", f"/attachments/{attachment}/caption", {"json": {"caption": "x"}}),
        ("DELETE", f"/attachments/{attachment}", {}),
        ("POST", "/publish/preview", {"json": {"audience": [{"audience": "own"}]}}),
        ("POST", "/publish", {"json": {"audience": [{"audience": "own"}]}}),
        ("PUT", "/audience", {"json": {"audience": [{"audience": "own"}]}}),
        ("POST", "/withdraw", {"json": {}}),
    ]
    for method, rest, sent in routes:
        hidden = other.client.request(method, f"/v1/cases/{case_id}{rest}", **sent)
        missing = other.client.request(method, f"/v1/cases/{'0' * 16}{rest}", **sent)
        assert hidden.status_code == missing.status_code == 404, (method, rest, hidden.text)
        assert hidden.text.replace(case_id, "") == missing.text.replace("0" * 16, ""), (method, rest)
        assert CANARY not in hidden.text
    assert other.client.get("/v1/cases/drafts", params={"branch": "jia-1"}).status_code == 403
    assert other.client.post("/v1/cases", json={"branch_id": "jia-1"}).status_code == 403
    assert CANARY not in other.client.get("/v1/cases", params={"q": CANARY}).text
    assert CANARY in writer.client.get("/v1/cases/drafts", params={"branch": "jia-1"}).text


def test_reading_tokens_write_nothing(stage: Stage) -> None:
    """A token for reading alone begins and saves no case."""
    case_id = Writer(stage, "trainer").begin()
    reader = Writer(stage, "trainer", frozenset({Power.READ}))
    assert reader.client.post("/v1/cases", json={"branch_id": "jia-1"}).status_code == 403
    answer = reader.client.put(f"/v1/cases/{case_id}/form/title", json={"text": "x", "base": 0})
    assert answer.status_code == 404
    assert Field.TITLE in Writer(stage, "trainer").ask("GET", f"/{case_id}/form")["fields"]


def test_a_save_from_another_site_is_refused(stage: Stage) -> None:
    """In a session a save needs the page's own token, which may be used again and again."""
    case_id = Writer(stage, "trainer").begin()
    browser = stage.browser("trainer")
    sent = {"text": "换了", "base": 0}
    answer = browser.client.put(f"/v1/cases/{case_id}/form/title", json=sent)
    assert answer.status_code == 403
    assert Writer(stage, "trainer").ask("GET", f"/{case_id}/form")["fields"]["title"]["text"] == BODY["title"]


def test_a_file_that_may_not_be_attached_is_answered_in_words(stage: Stage) -> None:
    """A program, a picture that unpacks beyond measure, and one file too large each get their own status."""
    writer = Writer(stage, "trainer")
    case_id = writer.begin()
    for data, status in ((b"MZ\x90\x00" + b"\x00" * 60, 415), (b"", 422), (photograph()[:300], 422)):
        answer = writer.ask("POST", f"/{case_id}/attachments", status, params={"name": "a.jpg"}, content=data)
        assert not answer["title"].isascii()
    answer = writer.client.post(
        f"/v1/cases/{case_id}/attachments",
        params={"name": "大.txt"},
        headers={"content-length": str(2 * 1024**3)},
        content=b"a",
    )
    assert answer.status_code == 413
    assert writer.ask("GET", f"/{case_id}/form-attachments") == {"attachments": []}

"""Files sent to a case against a running server: too large ones are not read, forbidden ones are told what to do."""

import io
import re
import select
import socket
import zipfile
from collections.abc import Iterator, Mapping
from types import TracebackType
from urllib.parse import quote, urlsplit

import docx
import httpx
import pytest

from api.security import MAX_FORM_BYTES
from cases.attachments import MOST_ATTACHMENTS
from kb.model import Source
from tests.integration.account_browser import open_site, text
from tests.integration.browser import serving
from tests.integration.manage_stage import Stage, full_stage
from tests.people import bearer

MB = 1024 * 1024
LIMIT = 1 * MB + MAX_FORM_BYTES
"""Bytes of a request that the server of these tests takes in."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two organisations, on a server that takes sources of one MiB."""
    found = full_stage(tmp_path_factory.mktemp("files") / "home")
    found.services.close()
    found.services = open_site(found.home, second_factor=False, max_source_mb=1)
    found.access = found.services.access
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def origin(stage: Stage) -> Iterator[str]:
    """Address of the running server."""
    with serving(stage.app) as found:
        yield found


@pytest.fixture
def case_id(stage: Stage) -> str:
    """A draft of 甲一."""
    return stage.services.cases.drafts.begin(stage.principal("trainer"), "jia-1")


@pytest.fixture(scope="module")
def headers(stage: Stage) -> dict[str, str]:
    """Headers of requests of a trainer of 甲一."""
    return bearer(stage.services, stage.ids["trainer"])


class Line:
    """A connection on which one says byte by byte what is sent."""

    def __init__(self, origin: str, address: str, headers: Mapping[str, str], *more: str) -> None:
        at = urlsplit(origin)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=60)
        said = [f"{k}: {v}" for k, v in headers.items()]
        head = [f"POST {address} HTTP/1.1", f"host: {at.netloc}", "accept: application/json", *said, *more]
        self.socket.sendall("\r\n".join([*head, "", ""]).encode())

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def answer(self) -> tuple[int, str]:
        """Status and the rest of what the server says before it hangs up or waits for more."""
        found = b""
        while b"\r\n\r\n" not in found and (part := self.socket.recv(65536)):
            found += part
        head, _, rest = found.partition(b"\r\n\r\n")
        length = int((re.search(rb"(?i)content-length: (\d+)", head) or [b"", b"0"])[1])
        while len(rest) < length and (part := self.socket.recv(65536)):
            rest += part
        return int(head.split()[1]), rest.decode()

    def stream(self, n_bytes: int) -> int:
        """Send up to so many bytes without saying beforehand how many; how many went before the server answered."""
        sent, piece = 0, b"a" * 65536
        try:
            while sent < n_bytes and not select.select([self.socket], [], [], 0)[0]:
                self.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return sent


ADDRESSES = ["/v1/cases/{}/attachments?name=a.txt", "/cases/{}/write"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("announced", [str(2 * 1024**3), "9" * 30, "-1", "many"])
def test_a_file_announced_too_large_is_refused_without_reading_it(
    origin: str, case_id: str, headers: dict[str, str], address: str, announced: str
) -> None:
    """The answer comes though not one byte of the body was sent; a length that is none is no way around."""
    with Line(origin, address.format(case_id), headers, f"content-length: {announced}") as line:
        status, said = line.answer()
    assert status in ((413,) if announced.isdecimal() and len(announced) < 18 else (413, 400)), said


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_body_of_no_stated_length_is_cut_off(
    stage: Stage, origin: str, case_id: str, headers: dict[str, str], address: str
) -> None:
    """Somebody who just goes on sending is stopped soon after the limit, and nothing of it is kept."""
    to_page = address.endswith("/write")
    form = "multipart/form-data; boundary=x" if to_page else "text/plain"
    more = ("transfer-encoding: chunked", f"content-type: {form}")
    with Line(origin, address.format(case_id), headers, *more) as line:
        if to_page:
            head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            line.socket.sendall(b"%x\r\n%s\r\n" % (len(head), head))
        # What lies on the way, in the buffers of both sides, counts as sent.
        assert line.stream(64 * MB) < LIMIT + 16 * MB
        assert line.answer()[0] == 413
    assert stage.services.cases.attachments.of_draft(stage.principal("trainer"), case_id) == []


def test_the_server_goes_on_after_it(origin: str, case_id: str, headers: dict[str, str]) -> None:
    """Ten such senders later it takes a file as before, up to the limit and not beyond."""
    address = ADDRESSES[0].format(case_id)
    for _ in range(10):
        with Line(origin, address, headers, "transfer-encoding: chunked") as line:
            line.stream(64 * MB)
    with httpx.Client(base_url=origin, headers=headers, trust_env=False) as client:
        for n_bytes, status in ((MB, 201), (MB + 1, 413)):
            answer = client.post(address, content=b"a" * n_bytes)
            assert answer.status_code == status, answer.text
        assert "1 MB" in answer.json()["title"]


def packed(**files: bytes) -> bytes:
    """A ZIP archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def docm() -> bytes:
    """A Word file with a macro."""
    stream = io.BytesIO()
    docx.Document().save(stream)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"macro")
    return stream.getvalue()


FORBIDDEN = {
    "程序.jpg": b"MZ\x90\x00" + b"\x00" * 200,
    "网页.html": b"<!doctype html><script>alert(1)</script>",
    "网页.txt": b"<html><body onload=alert(1)>",
    "图标.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "表格.docm": docm(),
    "表格.docx": docm(),
    "一包.zip": packed(a=b"1"),
    "一包.xlsx": packed(a__b=b"1"),
    "脚本.csv": b"#!/bin/sh\nrm -rf /",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_may_not_be_attached_is_told_what_to_do(
    stage: Stage, case_id: str, headers: dict[str, str], name: str
) -> None:
    """Page and HTTP refuse it by what it is, name the file, and list what may be attached; nothing is kept of it."""
    data, trainer = FORBIDDEN[name], stage.browser("trainer")
    before = sorted(p for p in (stage.home / "attachments").rglob("*") if p.is_file())
    address = f"/cases/{case_id}/write"
    trainer.get(address)
    page = trainer.client.post(
        address, data=trainer.fields(address), files=[("file", (name, data, "image/jpeg"))]
    )
    trainer.page = page
    assert page.status_code == 400
    assert f"“{name}”" in text(page) and "PDF" in text(page) and "jpg" in text(page).lower()
    answer = trainer.client.post(
        f"/v1/cases/{case_id}/attachments?name={quote(name)}",
        content=data,
        headers={**headers, "content-type": "image/jpeg"},
    )
    assert answer.status_code == 415
    said = answer.json()
    assert said["code"] == "unsupported_format" and f"“{name}”" in said["title"]
    assert "PDF" in said["detail"]
    assert stage.services.cases.attachments.of_draft(stage.principal("trainer"), case_id) == []
    assert before == sorted(p for p in (stage.home / "attachments").rglob("*") if p.is_file())


def test_one_file_too_many_is_told(stage: Stage, case_id: str, headers: dict[str, str]) -> None:
    """Beyond what a case may have, each way says how many that is."""
    by = stage.principal("trainer")

    for n in range(MOST_ATTACHMENTS):
        stage.services.cases.attachments.add(
            by, case_id, Source(f"{n}.txt", "text/plain", f"第{n}张".encode())
        )
    trainer = stage.browser("trainer")
    address = f"/cases/{case_id}/write"
    trainer.get(address)
    page = trainer.client.post(
        address, data=trainer.fields(address), files=[("file", ("多.txt", "多".encode()))]
    )
    assert page.status_code == 400 and str(MOST_ATTACHMENTS) in text(page)
    answer = trainer.client.post(
        f"/v1/cases/{case_id}/attachments?name=x.txt", content="多".encode(), headers=headers
    )
    assert answer.status_code == 400 and str(MOST_ATTACHMENTS) in answer.json()["title"]

"""Asks an application every question that it takes, as everybody, and tells what came out."""

import asyncio
import html
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, unquote, urlencode

import anyio.to_thread
from fastapi import FastAPI

from api.principal import COOKIE
from tests.integration.access_stage import Play

MISSING = "0" * 15 + "7"
"""An id that nothing has."""
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
_FRESH = re.compile(r"[\w-]{22}\.\d{9,12}\.[0-9a-f]{64}|gongxue_visitor=[\w-]+|\"took_ms\": ?[\d.]+")
"""What is new in every answer: form tokens, the cookie of a visitor, the time it took."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks. `sees` is whose documents they may see; `knows` whose names; None is a guest's.

    `asks` is whose right to work on questions they have.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    sees: str | None = None
    knows: str | None = None
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: str = ""

    @property
    def address(self) -> str:
        """Path and query, as they are sent."""
        return quote(self.path) + ("?" + urlencode(self.query) if self.query else "")

    @property
    def said(self) -> str:
        """What the asker says themselves: an answer may say it back."""
        return self.path + " " + " ".join(value for _, value in self.query) + self.json


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def said(self) -> str:
        """Everything that it says, however it is written down."""
        heads = "\n".join(f"{name}: {value}" for name, value in self.headers)
        plain = heads + "\n" + "\n".join(_texts(self.body))
        found = [plain]
        if "%" in plain:
            found.append(unquote(plain))
        if "&" in plain:
            found.append(html.unescape(plain))
        if "\\u" in plain:
            found.append(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), plain))
        return "\n".join(found)

    def without(self, *own: str) -> tuple[int, str]:
        """The answer but for what is new each time and what the asker said."""
        heads = sorted(f"{name}: {value}" for name, value in self.headers if name != "content-length")
        said = "\n".join([*heads, *_texts(self.body)])
        for word in own:
            said = said.replace(word, "-").replace(quote(word), "-")
        return self.status, _FRESH.sub("-", said)


def _texts(body: bytes) -> Iterator[str]:
    if not body.startswith(b"PK\x03\x04"):
        yield body.decode("utf-8", "replace")
        return
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for member in archive.infolist():
            yield member.filename
            yield archive.read(member).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Route:
    """One path that the application answers, with the names in it and in its query."""

    path: str
    methods: frozenset[str]
    named: tuple[str, ...]
    query: tuple[str, ...]


def routes_of(app: FastAPI) -> list[Route]:
    """Every route, those of included routers too; static files left out."""

    def walk(routes: Iterable[Any], prefix: str) -> Iterator[Route]:
        for route in routes:
            if hasattr(route, "original_router"):
                yield from walk(route.original_router.routes, prefix + route.include_context.prefix)
            elif hasattr(route, "methods"):
                path = prefix + route.path
                asked = dict.fromkeys(_query_names(getattr(route, "dependant", None)))
                yield Route(
                    path,
                    frozenset(route.methods or ()),
                    tuple(re.findall(r"{(\w+)(?::\w+)?}", path)),
                    tuple(asked),
                )

    return sorted(walk(app.routes, ""), key=lambda r: (r.path, sorted(r.methods)))


def _query_names(dependant: Any) -> Iterator[str]:
    if dependant is not None:
        yield from (p.alias for p in dependant.query_params)
        for below in dependant.dependencies:
            yield from _query_names(below)


class Interview:
    """Questions to one application, their number, and how much came back."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.routes = routes_of(app)
        self.n_requests = 0
        self.n_bytes = 0
        self.asked: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()

    def ask(self, asker: Asker, questions: Sequence[Question]) -> list[Answer]:
        """The answers, in order."""

        async def all_of() -> list[Answer]:
            return [await self._ask(asker, q) for q in questions]

        # One asks at a time: threads would only cost the time of going to and fro.
        with patch.object(anyio.to_thread, "run_sync", _here):
            return self._loop.run_until_complete(all_of())

    async def _ask(self, asker: Asker, question: Question) -> Answer:
        sent: list[dict[str, Any]] = []
        path, _, query = question.address.partition("?")
        data = question.json.encode()
        headers = [
            ("host", "127.0.0.1:8000"),
            ("accept", "text/html" if not path.startswith("/v1") else "application/json"),
            *asker.headers,
        ]
        if data:
            headers += [("content-type", "application/json"), ("content-length", str(len(data)))]

        async def receive() -> dict[str, Any]:
            nonlocal data
            rest, data = data, b""
            return {"type": "http.request", "body": rest, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": question.method,
            "scheme": "http",
            "path": question.path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(n.encode(), v.encode()) for n, v in headers],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
        }
        await self.app(scope, receive, send)  # type: ignore[arg-type]
        answer = Answer(
            sent[0]["status"],
            tuple((n.decode(), v.decode("latin-1")) for n, v in sent[0]["headers"]),
            b"".join(m.get("body", b"") for m in sent[1:]),
        )
        self.n_requests += 1
        self.n_bytes += len(answer.body)
        return answer

    def close(self) -> None:
        """Let go of the loop."""
        self._loop.close()


async def _here(call: Callable[..., Any], *given: Any, **_: Any) -> Any:
    return call(*given)


def askers(play: Play) -> list[Asker]:
    """Everybody: a guest, each person by the session that was opened at the beginning, some by token."""
    found = [Asker("guest")]
    stage = play.stage
    for person_id, person in play.world.people.items():
        open_still = person.session and person.active
        known = person_id if open_still else None
        cookie = (("cookie", f"{COOKIE}={stage.sessions[person_id]}"),)
        settled = known if person.settled else None
        found.append(Asker(f"person {person.n}", cookie, settled, known, settled))
        if person_id in stage.tokens:
            bearer = (("authorization", f"Bearer {stage.tokens[person_id][0]}"),)
            known = person_id if person.active else None
            # The first may only read, the second do everything but that.
            reads, works = (known, None) if person.n == 1 else (None, known)
            found.append(Asker(f"token {person.n}", bearer, reads, known, works))
        if person.active and not person.session:
            secret = play.services.access.sessions.sign_in_as(person_id, "test")
            found.append(Asker(f"again {person.n}", (("cookie", f"{COOKIE}={secret}"),), *[person_id] * 3))
    return found

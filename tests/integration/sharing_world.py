"""Branches, people and documents to share among them, and everybody's browser."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from access.branches import Level
from access.principal import Principal
from access.rights import Role
from access.sharing import Wanted
from api.app import create_app
from api.principal import COOKIE
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.model import Source
from tests.fakes import HashingEncoder
from tests.people import CHEAP

Files = Sequence[tuple[str, bytes]]

BRANCHES = (
    # id, name, level, above
    ("north", "北方委员会", Level.COMMITTEE, None),
    ("north-1", "北方一支部", Level.BRANCH, "north"),
    ("north-2", "北方二支部", Level.BRANCH, "north"),
    ("south", "南方支部", Level.BRANCH, None),
    ("east", "东方支部", Level.BRANCH, None),
    ("west", "西方支部", Level.BRANCH, None),
)
PEOPLE = {
    "member": {"north-1": Role.MEMBER},
    "trainer": {"north-1": Role.TRAINER},
    "liaison": {"north-1": Role.LIAISON},
    "chief": {"north-1": Role.ADMINISTRATOR},
    "administrator": {"north": Role.ADMINISTRATOR},
    "neighbour": {"north-2": Role.LIAISON},
    "partner": {"south": Role.LIAISON},
    "reader": {"south": Role.MEMBER},
    "chained": {"east": Role.LIAISON},
    "foreign": {"west": Role.LIAISON},
}
WORD = "磷灰石"
OWN = Wanted("own")


def text_of(title: str) -> bytes:
    """A rule of two articles whose title begins so."""
    return (
        f"{title}{WORD}规程\n\n第一条 {WORD}巡检每月一次，由值班员记录。\n\n第二条 记录保存三年。\n".encode()
    )


class World:
    """Services, an application, and everybody signed in at it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app: FastAPI = create_app(services)
        access = services.access
        for branch_id, name, level, above in BRANCHES:
            access.branches.found(None, name, level=level, parent_id=above, branch_id=branch_id)
        self.ids = {}
        for login, roles in PEOPLE.items():
            self.ids[login] = access.people.add(None, login, f"{login}名", change_password=False)
            for branch_id, role in roles.items():
                access.people.set_roles(None, self.ids[login], branch_id, frozenset({role}))
        self.ids["operator"] = access.people.add(
            None, "operator", "运维", change_password=False, operator=True
        )
        end = access.office.today().replace(year=access.office.today().year + 1)
        for one, other in (("north-1", "south"), ("south", "east")):
            access.partnerships.propose(None, one, other, None, end, agreed=True)
        self.group = access.groups.make(self.by("liaison"), "north-1", "联学组").group_id
        for member in ("branch:north-2", "branch:south"):
            access.groups.put(self.by("liaison"), self.group, member)
        self.clients: dict[str, TestClient] = {}

    def by(self, who: str) -> Principal:
        """The person as they are now."""
        return self.services.access.sessions.principal_of(self.ids[who])

    def client(self, who: str) -> TestClient:
        """The person's browser, signed in; the guest's is not."""
        if who not in self.clients:
            client = TestClient(self.app, base_url="http://localhost", headers={"accept": "text/html"})
            if who != "guest":
                client.cookies.set(COOKIE, self.services.access.sessions.sign_in_as(self.ids[who], "test"))
            self.clients[who] = client
        return self.clients[who]

    def get(self, who: str, path: str) -> Any:
        """Open a page."""
        return self.client(who).get(path, follow_redirects=False)

    def post(self, who: str, path: str, data: Mapping[str, Any] | None = None, files: Files = ()) -> Any:
        """Send a form with a fresh token, as the page would."""
        client = self.client(who)
        page = client.get("/sign-in" if who == "guest" else "/").text
        token = re.search(r'name="form_token" value="([^"]+)"', page)
        assert token
        sent = [("files", (name, data_)) for name, data_ in files] or None
        body = {"form_token": unescape(token[1]), **(data or {})}
        return client.post(path, data=body, files=sent, follow_redirects=False)

    def hand_in(self, who: str, title: str = "某", wanted: Sequence[Wanted] = (OWN,)) -> str:
        """Take a document in for the person's branch, at once; its id."""
        source = Source(f"{title}.txt", "text/plain", text_of(title))
        branch = next(iter(PEOPLE[who]))
        outcome = self.services.holdings.hand_in(self.by(who), branch, source, list(wanted))
        assert outcome.status == "added"
        return str(outcome.document_id)

    def sees(self, who: str, document_id: str) -> bool:
        """Whether the person sees it; every channel must say the same."""
        client = self.client(who)
        address = f"/documents/{document_id}"
        found = {
            "document": client.get(address).status_code == 200,
            "original": client.get(f"{address}/original").status_code == 200,
            "versions": client.get(f"/v1{address}/versions").status_code == 200,
            "search": document_id in client.get("/", params={"q": WORD}).text,
            "suggest": document_id in client.get("/suggest", params={"q": WORD}).text,
            "list": document_id in client.get("/documents").text,
        }
        hits = client.get("/v1/search", params={"q": WORD}).json()
        found["hits"] = any(h["document_id"] == document_id for h in hits["hits"])
        assert len(set(found.values())) == 1, (who, found)
        return found["document"]


def open_world(home: Path) -> World:
    """A fresh world on a home; its services are the caller's to close."""
    services = build_services(
        Settings(home=home, processes=1, second_factor=False, requests_per_minute=0, max_source_mb=1),
        encoder=HashingEncoder(),
        passwords=CHEAP,
    )
    return World(services)

"""A browser without a screen, for the account pages: cookies, forms as they stand, nothing followed."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from fastapi.testclient import TestClient
from selectolax.lexbor import LexborHTMLParser

from access.rights import Role
from api.app import create_app
from api.principal import COOKIE
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from tests.fakes import HashingEncoder
from tests.people import CHEAP

ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "南来北往的人都在夜里读书"


def open_site(home: Path, **stated: Any) -> Services:
    """Services with passwords that cost nothing; to be closed."""
    return build_services(
        Settings(home=home, processes=1, **stated), encoder=HashingEncoder(), passwords=CHEAP
    )


def add(services: Services, login: str, *, first: bool = False, operator: bool = False, **roles: Role) -> str:
    """A person who signs in by PASSWORD, with a role in each branch; the id. `first`: it must be changed."""
    people = services.access.people
    hashed = services.access.sessions.passwords.hashed(PASSWORD, login=login)
    person_id = people.add(
        None, login, f"{login}先生", password=hashed, change_password=first, operator=operator
    )
    for branch_id, role in roles.items():
        people.set_roles(None, person_id, branch_id, frozenset({role}))
    return person_id


class Browser:
    """Asks as a browser does. `page` is the last answer."""

    def __init__(self, services: Services, origin: str = ORIGIN) -> None:
        self.client = TestClient(
            create_app(services),
            base_url=origin,
            follow_redirects=False,
            headers={"accept": "text/html"},
            raise_server_exceptions=False,
        )
        self.page = httpx.Response(0)

    def get(self, address: str) -> httpx.Response:
        """Open an address."""
        self.page = self.client.get(address)
        return self.page

    def fields(self, action: str = "", mark: str = "") -> dict[str, Any]:
        """The form of the page that goes to `action` and holds `mark`, as it stands."""
        for form in LexborHTMLParser(self.page.text).css("form[method=post]"):
            html = form.html or ""
            if form.attributes.get("action", "") == action and mark in html:
                found: dict[str, Any] = {}
                for field in form.css("input"):
                    held = field.attributes
                    if held.get("type") != "checkbox" or "checked" in held:
                        found[held["name"] or ""] = held.get("value") or ""
                return found
        raise AssertionError(f"no form to {action!r} in {text(self.page)}")

    def post(self, address: str, fields: dict[str, Any]) -> httpx.Response:
        """Send fields."""
        self.page = self.client.post(address, data=fields)
        return self.page

    def send(
        self, address: str, action: str | None = None, /, mark: str = "", **typed: Any
    ) -> httpx.Response:
        """Open an address, and send its form to `action`, or to the page itself, with what is typed."""
        self.get(address)
        return self.post(action or address, self.fields(address if action is None else action, mark) | typed)

    def sign_in(self, login: str, password: str = PASSWORD, to: str = "/") -> httpx.Response:
        """Sign in through the page."""
        self.get("/sign-in?next=" + quote(to, safe=""))
        mark = 'autocomplete="username"'
        return self.post("/sign-in", self.fields("/sign-in", mark) | {"login": login, "password": password})

    @property
    def secret(self) -> str | None:
        """The session's cookie."""
        return self.client.cookies.get(COOKIE)


def text(page: httpx.Response) -> str:
    """What one reads on a page."""
    body = LexborHTMLParser(page.text).body
    return re.sub(r"\s+", " ", body.text() if body else "")

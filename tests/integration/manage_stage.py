"""Two organisations with people of every role, as the administration pages are tried by."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from access.branches import Level
from access.principal import Principal
from access.rights import Role
from access.sharing import Wanted
from api.app import create_app
from api.principal import COOKIE
from api.services import Services
from kb.model import Source
from tests.integration.account_browser import ORIGIN, Browser, add, open_site

PEOPLE: Mapping[str, Mapping[str, Role]] = {
    "root": {},
    "admin": {"jia": Role.ADMINISTRATOR},
    "liaison": {"jia-1": Role.LIAISON},
    "trainer": {"jia-1": Role.TRAINER},
    "member": {"jia-1": Role.MEMBER},
    "other-admin": {"yi": Role.ADMINISTRATOR},
    "other-liaison": {"yi-1": Role.LIAISON},
}
"""Logins and roles; root is the operator."""


class Visitor(Browser):
    """A browser on an application that others use too: making one takes longer than most tests."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(
            app,
            base_url=ORIGIN,
            follow_redirects=False,
            headers={"accept": "text/html"},
            raise_server_exceptions=False,
        )
        self.page = httpx.Response(0)


class Stage:
    """Services with people; ids by login."""

    def __init__(self, home: Path, ids: Mapping[str, str], partnership_id: str, group_id: str) -> None:
        self.home = home
        self.ids = dict(ids)
        self.partnership_id = partnership_id
        self.group_id = group_id
        self.services: Services = open_site(home, second_factor=False)
        self.access = self.services.access

    def copied(self, home: Path) -> "Stage":
        """The same on a home of its own. This one must not be writing."""
        shutil.copytree(self.home, home)
        return Stage(home, self.ids, self.partnership_id, self.group_id)

    @cached_property
    def app(self) -> FastAPI:
        """The application, one for all who visit."""
        return create_app(self.services)

    def principal(self, login: str) -> Principal:
        """The person as they are now."""
        return self.access.sessions.principal_of(self.ids[login])

    def browser(self, login: str = "") -> Browser:
        """A browser in which the person is signed in; nobody without a login."""
        browser = Visitor(self.app)
        if login:
            browser.client.cookies.set(COOKIE, self.access.sessions.sign_in_as(self.ids[login], "test"))
        return browser

    def add(self, login: str, **roles: Any) -> None:
        """One more person."""
        self.ids[login] = add(self.services, login, **roles)

    def document(self, login: str, branch_id: str, name: str, wanted: Sequence[str]) -> str:
        """A document that somebody handed in."""
        text = f"{name}办法\n第一条　{name}由支部组织。\n".encode()
        source = Source(f"{name}.txt", "text/plain", text)
        outcome = self.services.holdings.hand_in(
            self.principal(login), branch_id, source, [Wanted(w) for w in wanted]
        )
        assert outcome.document_id, outcome
        return outcome.document_id

    def actions(self) -> list[str]:
        """What the trail tells, oldest first."""
        return [e.action for e in self.access.audit.all()]


def empty_stage(home: Path) -> Stage:
    """Nothing but a first operator."""
    stage = Stage(home, {}, "", "")
    stage.add("root", operator=True)
    return stage


def full_stage(home: Path) -> Stage:
    """Organisations 甲 and 乙, each with a branch; 甲一 and 乙一 are partners. A third one, 丙, is nobody's."""
    stage = Stage(home, {}, "", "")
    access = stage.access
    for name, branch_id in (("甲", "jia"), ("乙", "yi"), ("丙", "bing")):
        access.branches.found(None, f"{name}公司党委", level=Level.COMMITTEE, branch_id=branch_id)
        access.branches.found(None, f"{name}公司一支部", parent_id=branch_id, branch_id=f"{branch_id}-1")
    for login, roles in PEOPLE.items():
        stage.add(login, operator=login == "root", **roles)
    today = access.office.today()
    stage.partnership_id = access.partnerships.propose(
        None, "jia-1", "yi-1", today, today + timedelta(days=30), agreed=True
    )
    liaison = stage.principal("liaison")
    stage.group_id = access.groups.make(liaison, "jia-1", "夜学组").group_id
    access.groups.put(liaison, stage.group_id, "branch:jia-1")
    return stage

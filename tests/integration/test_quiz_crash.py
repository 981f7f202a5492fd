"""`kill -9` of the server in the middle of many saves: every answer that was acknowledged is there afterwards."""

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from access.rights import Role
from api.principal import COOKIE
from api.services import Services
from quiz.tables import answers, attempts
from tests.conftest import ROOT
from tests.integration.account_browser import open_site
from tests.integration.sitting_stage import Hall, open_hall, token_of

PEOPLE = 8
KILLS = 5
CHOICES = 3
"""Of every question that is saved, single choice and several, at least as many options are there."""

pytestmark = pytest.mark.slow


_SERVE = """
import sys, uvicorn
from pathlib import Path
from api.app import create_app
from tests.integration.account_browser import open_site

services = open_site(Path(sys.argv[1]), second_factor=False, requests_per_minute=0)
uvicorn.run(create_app(services), port=int(sys.argv[2]), log_level="error")
"""


class Server:
    """The application on a home, in a process of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        command = [sys.executable, "-c", _SERVE, str(home), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT)

    def wait(self) -> None:
        """Until it answers."""
        while True:
            assert self.process.poll() is None
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.process.kill()
        self.process.wait()


class Sitter(threading.Thread):
    """One person's browser: changes answers as fast as it is answered, until nobody answers any more."""

    def __init__(self, port: int, secret: str, attempt_id: str, change: int) -> None:
        super().__init__()
        self._address = f"http://127.0.0.1:{port}"
        self._secret, self._attempt_id = secret, attempt_id
        self.change = change
        self.acknowledged: dict[int, tuple[int, int]] = {}
        self.sent: dict[int, tuple[int, int]] = {}
        self.refused: list[str] = []

    def run(self) -> None:
        """Save until the server is gone."""
        draw = random.Random(self.change)
        cookies = {COOKIE: self._secret}
        with httpx.Client(base_url=self._address, cookies=cookies, headers={"accept": "text/html"}) as client:
            try:
                page = client.get(f"/attempts/{self._attempt_id}")
                headers = {"x-form-token": token_of(page.text)}
                while True:
                    position, choice = draw.choice((1, 2)), draw.randrange(CHOICES)
                    self.change += 1
                    self.sent[position] = self.change, choice
                    answer = client.put(
                        f"/v1/attempts/{self._attempt_id}/answers/{position}",
                        json={"answer": [choice], "change": self.change},
                        headers=headers,
                    )
                    if answer.status_code != 200:
                        self.refused.append(answer.text)
                        return
                    self.acknowledged[position] = self.change, choice
            except httpx.TransportError:
                return


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A branch with an exam."""
    found = open_hall(tmp_path / "home")
    yield found
    found.stage.services.close()


def stored(services: Services) -> dict[tuple[str, int], tuple[int, int]]:
    """Number of the change, and option as it is shown, of every answer in the store."""
    with services.access.office.reading() as connection:
        plans = {r.attempt_id: r.plan for r in connection.execute(select(attempts))}
        return {
            (r.attempt_id, r.position): (
                r.change,
                plans[r.attempt_id][r.position - 1]["options"].index(r.answer[0]),
            )
            for r in connection.execute(select(answers))
        }


def test_kill_in_the_middle_of_saves_loses_none_that_was_acknowledged(hall: Hall) -> None:
    """After each of several kills every acknowledged answer, or a later one that was sent, is in the store, and the
    attempts go on from there; at the end what was saved is what is marked."""
    home, exam_id = hall.stage.home, hall.give(shuffled=True)
    logins = [f"sitter{n}" for n in range(PEOPLE)]
    for login in logins:
        hall.stage.add(login, **{"jia-1": Role.MEMBER})
    sessions = hall.stage.access.sessions
    secrets = {login: sessions.sign_in_as(hall.stage.ids[login], "test") for login in logins}
    ids = {login: hall.begin(login, exam_id) for login in logins}
    hall.stage.services.close()
    books: dict[tuple[str, int], tuple[int, int]] = {}
    changes = dict.fromkeys(logins, 0)
    draw = random.Random(4)
    for _ in range(KILLS):
        server = Server(home)
        try:
            server.wait()
            sitters = {
                login: Sitter(server.port, secrets[login], ids[login], changes[login]) for login in logins
            }
            for sitter in sitters.values():
                sitter.start()
            while sum(len(s.acknowledged) for s in sitters.values()) < PEOPLE:
                assert not [s.refused for s in sitters.values() if s.refused]
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 1))
        finally:
            server.kill()
        for sitter in sitters.values():
            sitter.join()
        assert not [s.refused for s in sitters.values() if s.refused]
        with closing(open_site(home, second_factor=False)) as services:
            there = stored(services)
        for login, sitter in sitters.items():
            changes[login] = sitter.change
            books |= {(ids[login], p): kept for p, kept in sitter.acknowledged.items()}
            for position, last in sitter.sent.items():
                key = ids[login], position
                # What was under way when it was killed may be there or not, but whole.
                assert there.get(key) in (books.get(key), last)
                if key in there:
                    books[key] = there[key]
        assert books.items() <= there.items()
    with closing(open_site(home, second_factor=False)) as services:
        by = {login: services.access.sessions.principal_of(hall.stage.ids[login]) for login in logins}
        for login in logins:
            services.quiz.attempts.submit(by[login], ids[login])
            for outcome in services.quiz.attempts.result(by[login], ids[login]).questions:
                kept = books.get((ids[login], outcome.position))
                assert outcome.question
                assert outcome.given == ((outcome.question.options[kept[1]],) if kept else ())

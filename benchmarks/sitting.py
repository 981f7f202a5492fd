"""Many people who sit one paper at once, on one machine with the server: how long a save takes, and whether one is lost.

    python -m benchmarks.sitting [--people 500] [--minutes 1]

A real `gongxue serve` over a home made for it: one branch, a rule of invented clauses, a paper of
50 questions. Everyone is signed in, comes within the first half minute, opens the page and begins, then
saves an answer every ten seconds, each person at a moment of their own. After the minutes the server is
killed (`kill -9`) and started again; whoever has no answer sends the same save again, as the page's script
does; it goes on for as long again, and everyone hands in within ten seconds. In the end the store is read:
an answer that was acknowledged and is not there is lost. Each person has an address of their own, since
the limit on requests is one by address.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from access.rights import Role
from access.sharing import OWN, Wanted
from api.principal import COOKIE
from api.services import Services
from api.settings import load_settings
from api.wiring import build_services
from benchmarks.results_file import Row, write_results
from kb.model import Source
from quiz.exam import ExamRules, Mode
from quiz.model import Citation, Question, State, Type
from quiz.tables import answers, attempts
from search.metrics import percentile

SEED = 5
QUESTIONS = 50
COME_S = 30.0
"""Seconds within which all come."""
EVERY_S = 10.0
"""Seconds between two saves of one person; also those within which all hand in."""
MAX_MS = "< 300"
_ROOT = Path(__file__).parents[1]
_RETRY_S = 1.0
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: status, address that it leads to, body."""

    status: int
    location: str
    body: str


@dataclass(slots=True)
class Person:
    """One who sits: `acknowledged` is the change and the choice of each position that the server took."""

    secret: str
    address: str
    token: str = ""
    attempt: str = ""
    acknowledged: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Measured:
    """Milliseconds of answers by what was asked, and how often something was asked again."""

    times: dict[str, list[float]] = field(default_factory=dict)
    again: int = 0

    def note(self, what: str, seconds: float) -> None:
        """One answer."""
        self.times.setdefault(what, []).append(seconds * 1000)


class Server:
    """`gongxue serve` in a process of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "api.cli",
            "serve",
            "--home",
            str(self._home),
            "--port",
            str(self.port),
        ]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL)
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("Cannot measure: the server did not start.")

    def kill(self) -> None:
        """End it at once, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end."""
        self._end(signal.SIGTERM)

    def _end(self, how: int) -> None:
        assert self._process
        os.kill(self._process.pid, how)
        self._process.wait()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument(
        "--minutes", type=float, default=1, help="before the kill, and as long again after it"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sitting.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-sitting-") as folder:
        home = Path(folder)
        services = build_services(load_settings({}, home=home))
        exam_id, people = prepare(services, args.people)
        services.close()
        server = Server(home)
        server.start()
        measured = asyncio.run(sit(server, exam_id, people, args.minutes * 60))
        server.stop()
        rows = result_rows(home, people, measured)
    write_results(
        args.out,
        f"{args.people} people sitting one paper at once",
        f"python -m benchmarks.sitting --people {args.people} --minutes {args.minutes:g}",
        rows,
    )


# -- preparing ----------------------------------------------------------------


def prepare(services: Services, n_people: int) -> tuple[str, list[Person]]:
    """An exam of 50 questions, given to so many people who are signed in."""
    access, quiz = services.access, services.quiz
    access.branches.found(None, "一支部", branch_id="one")
    trainer_id = _person(services, "trainer", Role.TRAINER)
    trainer = access.sessions.principal_of(trainer_id)
    clauses = [f"第{n}小组每月学习{n + 1}次，由{'甲乙丙丁'[n % 4]}区负责。" for n in range(1, QUESTIONS + 1)]
    source = Source("小组学习办法.txt", "text/plain", "\n".join(["小组学习办法", *clauses]).encode())
    document_id = services.holdings.hand_in(trainer, "one", source, [Wanted(OWN)]).document_id
    assert document_id
    document = services.document(document_id, trainer.scope)
    made = []
    for n, clause in enumerate(clauses, 1):
        start = document.text.index(clause)
        cited = Citation(
            document_id, document.meta.title, (f"{n}",), clause, start, start + len(clause), "", ""
        )
        options = tuple(f"{'甲乙丙丁'[k]}区" for k in range(4))
        key = (f"{'甲乙丙丁'[n % 4]}区",)
        made.append(Question(Type.SINGLE, f"第{n}小组由哪个区负责？", options, key, citation=cited))
    ids = quiz.bank.add(trainer, "one", made, state=State.APPROVED).ids
    now = access.office.now()
    rules = ExamRules("小组学习测验", Mode.TEST, now, now + timedelta(hours=4), minutes=90)
    paper_id = quiz.papers.by_hand(trainer, "one", "小组学习卷", ids)
    exam_id = quiz.exams.give(trainer, paper_id, rules, [Wanted(OWN)])
    people = []
    for n in range(n_people):
        secret = access.sessions.sign_in_as(_person(services, f"p{n}", Role.MEMBER), "benchmark")
        people.append(Person(secret, f"127.0.{1 + n // 250}.{1 + n % 250}"))
    return exam_id, people


def _person(services: Services, login: str, role: Role) -> str:
    person_id = services.access.people.add(None, login, login, change_password=False)
    services.access.people.set_roles(None, person_id, "one", frozenset({role}))
    return person_id


# -- sitting --------------------------------------------------------------------


async def sit(server: Server, exam_id: str, people: Sequence[Person], seconds: float) -> Measured:
    """All come, save, lose the server, save on, and hand in."""
    measured = Measured()
    began = time.perf_counter()
    killed = began + COME_S + seconds
    ends = killed + seconds
    draw = random.Random(SEED)
    sitters = [
        asyncio.create_task(
            _sit(server, exam_id, person, began + COME_S * n / len(people), ends, measured, draw)
        )
        for n, person in enumerate(people)
    ]
    await asyncio.sleep(killed - time.perf_counter())
    server.kill()
    down = time.perf_counter()
    await asyncio.to_thread(server.start)
    measured.note("down", time.perf_counter() - down)
    await asyncio.gather(*sitters)
    return measured


async def _sit(
    server: Server,
    exam_id: str,
    person: Person,
    comes: float,
    ends: float,
    measured: Measured,
    draw: random.Random,
) -> None:
    await asyncio.sleep(comes - time.perf_counter())
    page = await _timed(server, person, measured, "exam page", "GET", f"/exams/{exam_id}")
    person.token = _TOKEN.findall(page.body)[0]
    begun = await _timed(server, person, measured, "begin", "POST", f"/exams/{exam_id}/begin")
    person.attempt = begun.location.rpartition("/")[2]
    page = await _timed(server, person, measured, "attempt page", "GET", f"/attempts/{person.attempt}")
    person.token = _TOKEN.findall(page.body)[0]
    change, at = 0, comes
    while (at := at + EVERY_S) < ends:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        change += 1
        position, choice = 1 + (change - 1) % QUESTIONS, draw.randrange(4)
        address = f"/v1/attempts/{person.attempt}/answers/{position}"
        body = json.dumps({"answer": [choice], "change": change})
        await _timed(server, person, measured, "save", "PUT", address, body)
        person.acknowledged[position] = change, choice
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    await _timed(server, person, measured, "submit", "POST", f"/v1/attempts/{person.attempt}/submit")


async def _timed(
    server: Server, person: Person, measured: Measured, what: str, method: str, address: str, body: str = ""
) -> Answer:
    """Ask until the server answers; the time of the whole is noted, apart where it had to be asked again."""
    began, tries = time.perf_counter(), 0
    while True:
        tries += 1
        try:
            answer = await _ask(server.port, person, method, address, body)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            measured.again += 1
            await asyncio.sleep(_RETRY_S)
            continue
        if answer.status >= 400:
            raise SystemExit(
                f"Cannot measure: {method} {address} was answered {answer.status}: {answer.body}"
            )
        measured.note(what if tries == 1 else f"{what} that met the kill", time.perf_counter() - began)
        return answer


async def _ask(port: int, person: Person, method: str, address: str, body: str) -> Answer:
    """One request on a connection of its own: the server lets go of idle ones before the next save."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(person.address, 0))
    data = body.encode()
    kind = "application/json" if address.startswith("/v1/") else "application/x-www-form-urlencoded"
    lines = [
        f"{method} {address} HTTP/1.1",
        "host: 127.0.0.1",
        "connection: close",
        "accept: text/html",
        f"cookie: {COOKIE}={person.secret}",
        f"x-form-token: {person.token}",
        f"content-type: {kind}",
        f"content-length: {len(data)}",
    ]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        head, _, text = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    fields = head.decode().split("\r\n")
    named = dict(line.lower().split(": ", 1) for line in fields[1:])
    if not text and method != "POST":
        raise ValueError("cut off")
    return Answer(int(fields[0].split()[1]), named.get("location", ""), text.decode())


# -- what came of it ----------------------------------------------------------------


def result_rows(home: Path, people: Sequence[Person], measured: Measured) -> list[Row]:
    """Times, and how many acknowledged answers the store does not have."""
    lost = acknowledged = 0
    services = build_services(load_settings({}, home=home))
    with services.access.office.reading() as connection:
        plans = {r.attempt_id: r.plan for r in connection.execute(select(attempts))}
        states = {r.state for r in connection.execute(select(attempts.c.state))}
        stored = {
            (r.attempt_id, r.position): (r.change, r.answer) for r in connection.execute(select(answers))
        }
    services.close()
    for person in people:
        for position, (change, choice) in person.acknowledged.items():
            acknowledged += 1
            own = plans[person.attempt][position - 1]["options"][choice]
            lost += stored.get((person.attempt, position)) != (change, [own])
    rows = [
        Row("people", len(people)),
        Row("answers acknowledged", acknowledged),
        Row("of these not in the store", lost, "0"),
        Row("attempts that were handed in, of all", f"{len(plans)} {'/'.join(sorted(states))}"),
        Row("seconds without a server after kill -9", round(measured.times.pop("down")[0] / 1000, 1)),
        Row("requests sent again because of it", measured.again),
    ]
    for what, times in measured.times.items():
        limit = MAX_MS if what == "save" else None
        rows.append(Row(f"{what}, number", len(times)))
        rows.append(Row(f"{what}, p50 ms", round(percentile(times, 0.5), 1)))
        rows.append(Row(f"{what}, p95 ms", round(percentile(times, 0.95), 1), limit))
    return rows


if __name__ == "__main__":
    main()

"""`kill -9` at any moment loses nothing that was acknowledged and shows nothing that was withdrawn."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from api.settings import Settings
from api.wiring import build_services
from kb.model import PUBLIC, Filters
from store.tables import documents, passages
from tests.fakes import HashingEncoder

ROOT = Path(__file__).parents[2]
N = 1000
KILLS = 20
ALL = Filters(frozenset({PUBLIC}), date(2024, 1, 1))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand small documents, one to three clauses each."""
    found = tmp_path_factory.mktemp("thousand")
    for n in range(N):
        articles = "".join(f"第{'一二三'[i]}条　内容编号{n:04d}的共建记录{i}。\n" for i in range(1 + n % 3))
        (found / f"{n:04d}.txt").write_text(f"共建记录{n:04d}号办法\n{articles}", encoding="utf-8")
    return found


class Child:
    """An ingest in a process of its own, and what it has acknowledged."""

    def __init__(
        self, home: Path, folder: Path, *, processes: int, follow_every: int, remove_every: int
    ) -> None:
        self.present: set[str] = set()
        self.withdrawn: set[str] = set()
        self.unsure: set[str] = set()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.integration.ingest_child",
                str(home),
                str(folder),
                str(processes),
                str(follow_every),
                str(remove_every),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read(self) -> Iterator[str]:
        """Steps as they come, the books kept."""
        assert self.process.stdout
        for line in self.process.stdout:
            if not line.endswith("\n"):
                return
            word, _, what = line.strip().partition(" ")
            self.lines.append(word)
            if word in ("added", "unchanged"):
                self.present.add(what)
                self.withdrawn.discard(what)
            elif word == "removing":
                self.unsure = {what}
                self.present.discard(what)
            elif word == "removed":
                self.unsure = set()
                self.withdrawn.add(what)
            assert word != "failed", line
            yield word

    def kill(self) -> None:
        """End it at once, with the processes that read for it, then take what it had said."""
        os.kill(self.process.pid, signal.SIGKILL)
        os.killpg(self.process.pid, signal.SIGKILL)
        for _ in self.read():
            pass
        assert self.process.stdout
        self.process.stdout.close()
        self.process.wait()


def check(home: Path, child: Child) -> set[str]:
    """Open the home anew, hold it against the child's books, and give the documents that are there."""
    services = build_services(Settings(home=home), encoder=HashingEncoder())
    with closing(services):
        services.follow()
        status = services.status()
        assert status["ready"]
        with services.catalog.engine.connect() as connection:
            there = {
                r.document_id: r.sha256
                for r in connection.execute(select(documents.c.document_id, documents.c.sha256))
            }
            rows = connection.execute(select(passages.c.key, passages.c.document_id)).all()
        assert set(there) >= child.present
        assert not child.withdrawn & set(there)
        assert {r.document_id for r in rows} == set(there)
        for sha256 in there.values():
            services.originals.get(sha256)
        keys = sorted(r.key for r in rows)
        assert sorted(key for key, _ in services.index.keyword.search(["共"], 10 * N, ALL)) == keys
        vector = services.index.encoder.encode_queries(["共建记录"])[0]
        assert sorted(key for key, _ in services.index.vector.search(vector, 10 * N, ALL)) == keys
        assert status["passages"] == status["vectors"] == len(keys)
    return set(there)


def moments(seed: int) -> list[tuple[str, int, float]]:
    """When to kill: after which step, how many of them to let pass, and how many seconds later."""
    draw = random.Random(seed)
    steps = [
        "start",
        "added",
        "added",
        "following",
        "following",
        "merging",
        "merging",
        "removing",
        "followed",
        "unchanged",
    ]
    return [
        (
            step,
            draw.randint(1, 3 if step in ("merging", "following", "followed", "removing") else 40),
            draw.choice([0.0, draw.uniform(0, 0.004), draw.uniform(0, 0.04)]),
        )
        for step in (steps * KILLS)[:KILLS]
    ]


def test_kill_at_any_moment_loses_nothing(tmp_path: Path, folder: Path) -> None:
    """After each of twenty kills everything acknowledged is there once, in catalog and both legs, and ingest goes on from there."""
    home = tmp_path / "home"
    draw = random.Random(7)
    there: set[str] = set()
    withdrawn: set[str] = set()
    seen: dict[str, int] = {}
    for step, n, delay in moments(20240601):
        # Reading in several processes, or in the one.
        child = Child(
            home, folder, processes=draw.choice([1, 2]), follow_every=draw.choice([3, 8, 20]), remove_every=17
        )
        child.withdrawn = withdrawn
        if step == "start":
            time.sleep(draw.uniform(0.3, 2.5))
        else:
            left = n
            for word in child.read():
                left -= word == step
                if not left:
                    break
            time.sleep(delay)
        child.kill()
        seen[step] = seen.get(step, 0) + 1
        assert child.lines[-1:] != ["done"] or step == "unchanged"
        withdrawn = child.withdrawn - child.unsure
        before, there = there, check(home, child)
        assert there >= before - child.withdrawn - child.unsure
    assert len(seen) == 7
    final = Child(home, folder, processes=2, follow_every=500, remove_every=10 * N)
    final.withdrawn = set(withdrawn)
    for _ in final.read():
        pass
    assert final.process.wait() == 0
    assert final.process.stdout
    final.process.stdout.close()
    assert final.lines.count("unchanged") == len(there)
    assert final.lines.count("added") == N - len(there)
    assert len(check(home, final)) == N


def test_kill_during_reindex_leaves_one_live_index(tmp_path: Path, folder: Path) -> None:
    """A rebuild that is killed leaves the old index answering; the next one is whole and clears up."""
    home = tmp_path / "home"
    child = Child(home, folder, processes=1, follow_every=200, remove_every=10 * N)
    for word in child.read():
        if word == "added" and child.lines.count("added") == 300:
            break
    child.kill()
    there = check(home, child)
    code = (
        "from pathlib import Path; import sys; from api.settings import Settings; from api.wiring import build_services;"
        "from tests.fakes import HashingEncoder;"
        "s = build_services(Settings(home=Path(sys.argv[1])), encoder=HashingEncoder(), opened=False);"
        "print('ready', flush=True); s.reindex(); print('live', flush=True)"
    )
    for delay in (0.0, 0.02, 0.05, 0.1):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.kill()
        process.stdout.close()
        process.wait()
        assert check(home, child) == there
    subprocess.run([sys.executable, "-c", code, str(home)], cwd=ROOT, check=True, capture_output=True)
    assert check(home, child) == there
    assert len([p for p in (home / "index").iterdir() if p.name.isdigit()]) == 1

"""The program with the network shut: loopback is all there is."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import ROOT

GUARD = '''
"""Every way out of this process but loopback and unix sockets raises."""
import os
import socket

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def refuse(what, where):
    with open(os.environ["GUARD_LOG"], "a") as log:
        log.write(f"{what} {where}\\\\n")
    raise OSError(f"the network is shut: {what} {where}")


def guarded(name):
    inner = getattr(socket.socket, name)

    def call(self, address, *rest):
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            refuse(name, address)
        return inner(self, address, *rest)

    return call


for name in ("connect", "connect_ex"):
    setattr(socket.socket, name, guarded(name))
look_up = socket.getaddrinfo


def getaddrinfo(host, *rest, **more):
    if host is not None and (host.decode() if isinstance(host, bytes) else host) not in LOOPBACK:
        refuse("getaddrinfo", host)
    return look_up(host, *rest, **more)


socket.getaddrinfo = getaddrinfo
open(os.environ["GUARD_LOG"], "a").write("guarded\\\\n")
'''.replace("\\\\n", "\\n")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which every Python process starts guarded and HOME has no caches of models."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GONGXUE_")}
    return kept | {
        "PYTHONPATH": f"{tmp_path / 'guard'}:{ROOT}",
        "GUARD_LOG": str(tmp_path / "log"),
        "HOME": str(tmp_path),
        "GONGXUE_HOME": str(tmp_path / "home"),
        "PYTHONUNBUFFERED": "1",
    }


def gongxue(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def attempts(environment: dict[str, str]) -> list[str]:
    """What the guard saw, its own start left out."""
    return [line for line in Path(environment["GUARD_LOG"]).read_text().splitlines() if line != "guarded"]


def test_guard_shuts_the_network(environment: dict[str, str]) -> None:
    """The guard itself works: a look-up and a connection to elsewhere are refused and noted."""
    for code in (
        "urllib.request.urlopen('http://192.0.2.1/')",
        "urllib.request.urlopen('http://example.org/')",
    ):
        result = subprocess.run(
            [sys.executable, "-c", f"import urllib.request; {code}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode
        assert "the network is shut" in result.stderr
    assert len(attempts(environment)) == 2


def test_the_program_works_without_a_network(environment: dict[str, str]) -> None:
    """With the bundled encoder, every format is taken in, searched on the command line, served and searched over HTTP."""
    corpus = [
        ROOT / "corpus" / name
        for name in (
            "law/lanzhou-port-operation-safety.pdf",
            "law/lanzhou-water-supply.docx",
            "law/lanzhou-worker-education.html",
            "law/lanzhou-joint-building-promotion.md",
            "case/hefeng-apprentice-dropout.txt",
        )
    ]
    report = json.loads(gongxue(environment, "ingest", *map(str, corpus), "--json").stdout)
    assert report["documents"] == len(corpus)
    assert report["failed"] == []
    found = json.loads(
        gongxue(environment, "search", "共建协议应当写明哪些内容", "--json", "--explain").stdout
    )
    assert found["hits"][0]["title"].endswith("条例")
    assert {"keyword", "vector"} <= set(found["hits"][0]["legs"])

    with subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", "0"],
        env=environment | {"GONGXUE_LOG_LEVEL": "info"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr
            address = next(
                m[0] for line in server.stderr if (m := re.search(r"http://127\.0\.0\.1:[1-9]\d*", line))
            )
            for path in ("/healthz", "/", "/docs", "/openapi.json", "/?q=" + quote("共建协议")):
                with urllib.request.urlopen(address + path) as response:
                    assert response.status == 200, path
            with urllib.request.urlopen(
                f"{address}/v1/search?q={quote('共建协议应当写明哪些内容')}"
            ) as response:
                assert [h["passage_id"] for h in json.load(response)["hits"]] == [
                    h["passage_id"] for h in found["hits"]
                ]
        finally:
            server.terminate()
            server.communicate()
    assert attempts(environment) == []

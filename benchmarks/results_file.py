"""One result file: what was measured, on what, against which limit."""

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `limit` says what was to be reached, such as ">= 0.49"; None where nothing was."""

    what: str
    value: float | str
    limit: str | None = None


def machine() -> str:
    """The machine in a few words: cores, memory, Python."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {pages * size / 2**30:.0f} GiB, no GPU, {platform.machine()}, Python {platform.python_version()}"


def write_results(path: Path, title: str, command: str, rows: list[Row]) -> None:
    """Write the file and print its rows."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    body = {
        "title": title,
        "command": command,
        "machine": machine(),
        "commit": commit.stdout.strip(),
        "rows": [{"what": r.what, "value": r.value, "limit": r.limit} for r in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row.what:60}  {row.value}  {row.limit or ''}", flush=True)

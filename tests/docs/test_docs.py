"""What the documentation says is so."""

import doctest
import importlib
import json
import pkgutil
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import ingest.readers
from api import cli
from api.app import create_app
from api.cli import app
from api.settings import PREFIX, Settings
from docs import generate
from kb.errors import KbError
from kb.model import PUBLIC
from search import encoders, keyword, vector
from tests.conftest import Opener

ROOT = Path(__file__).parents[2]
PACKAGES = ("kb", "store", "ingest", "search", "quiz", "cases", "api")
PAGES = sorted(
    path
    for folder in (".", "docs", "indexes", "benchmarks", "training", "models/*")
    for path in ROOT.glob(f"{folder}/*.md")
)
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
EXAMPLES = {
    "ingest/readers/rtf.py", "search/keyword/splade.py", "search/vector/hnsw.py",
    "store/migrations/versions/0003_what.py",
}  # fmt: skip
"""Files that the docs ask the reader to write."""
UNSAID = (
    "work/" + "shared", "cla" + "ude", "anth" + "ropic", "ai assis" + "tant",
    "helper ses" + "sion", "co-authored" + "-by", "as an ai lang" + "uage model",
)  # fmt: skip
"""Words, lower case, that no file of the repository holds; written in pieces so that this one does not either."""
NOT_OURS = {".git", ".venv", "__pycache__", "build"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MEASURED = re.compile(r"[0-9][0-9.,]*(?= (?:ms|s|passages)\b)")


def name_of(path: Path) -> str:
    """Path below the root."""
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def slugs(path: Path) -> set[str]:
    """Anchors of the headings of a page, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def modules(package: Any) -> list[str]:
    """Names of the modules in a package."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__))


def paths(routes: Any) -> Iterator[str]:
    """Paths of the routes, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and hasattr(inner, "routes"):
            yield from paths(inner.routes)
        elif path := getattr(route, "path", None):
            yield path


def our_files() -> list[Path]:
    """Files that are or could be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [p for p in ROOT.rglob("*") if NOT_OURS.isdisjoint(p.relative_to(ROOT).parts)]
    return [path for path in found if path.is_file()]


# -- links and names ------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file, and its fragment a heading there."""
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name_of(page)} links to {link}"
        if fragment and file.suffix == ".md":
            assert fragment in slugs(file), f"{name_of(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_named_files_exist(page: Path) -> None:
    """A path in code type that begins with a folder of the repository is there."""
    folders = {p.name for p in ROOT.iterdir() if p.is_dir()} - {"indexes"}
    for path in re.findall(r"`([\w.\-/]+)`", prose(page)):
        head, slash, _ = path.partition("/")
        if slash and head in folders and path not in EXAMPLES:
            assert (ROOT / path).exists(), f"{name_of(page)} names {path}"


def test_every_setting_is_documented() -> None:
    """docs/settings.md has every setting, and no page names a setting that is none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert known == set(re.findall(rf"^\| `({PREFIX}\w+)`", table, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
        assert named <= known, name_of(page)


def test_every_route_is_documented(open_services: Opener) -> None:
    """docs/http.md names every route, and no other one."""
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    application = create_app(open_services())
    routes = set(paths(application.routes))
    assert {path for path in routes if f"{path}`" not in text} == set()
    operations = {
        f"{method.upper()} {path}"
        for path, methods in application.openapi()["paths"].items()
        for method in methods
    }
    assert operations == set(
        re.findall(r"^\| `((?:GET|PUT|POST|PATCH|DELETE) /v1[^`]*)`", text, re.MULTILINE)
    )


def test_every_adapter_is_documented() -> None:
    """ARCHITECTURE.md names the file of every reader, engine and encoder; both READMEs name every suffix's reader."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for folder, package in (
        ("ingest/readers", ingest.readers),
        ("search/encoders", encoders),
        ("search/keyword", keyword),
        ("search/vector", vector),
    ):
        for module in modules(package):
            assert f"`{folder}/{module}.py`" in text
    for readme in READMES:
        suffixes = set(re.findall(r"\.\w+", _FENCE.findall(readme.read_text(encoding="utf-8"))[0][1]))
        read = {id(reader): [] for reader in ingest.readers.readers().values()}
        for suffix, reader in ingest.readers.readers().items():
            read[id(reader)].append(suffix)
        assert all(suffixes.intersection(own) for own in read.values()), name_of(readme)


def test_every_error_is_documented() -> None:
    """docs/errors.md has every code once, and codes are not shared."""
    codes = [error.code for error in generate.error_classes()]
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == codes
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", [e for e in generate.error_classes() if e.__module__ == "kb.errors"])
def test_exit_status_is_as_documented(error: type[KbError]) -> None:
    """A command that ends by an error has the exit status that docs/errors.md gives."""
    with pytest.raises(typer.Exit) as caught, cli._known_errors():
        raise error("seen")
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{error.code}` \| [0-9]+ \| {caught.value.exit_code} \|", text, re.MULTILINE)


def test_every_command_is_documented() -> None:
    """docs/cli.md has a heading for every command, and the pages name no other one."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## gongxue (.+)$", text, re.MULTILINE)
    groups = [("", app), *((f"{g.name} ", g.typer_instance) for g in app.registered_groups)]
    assert set(headings) == {
        prefix + (c.name or c.callback.__name__)
        for prefix, group in groups
        if group
        for c in group.registered_commands
        if c.callback
    }
    commands = {heading.split()[0] for heading in headings}
    for page in PAGES:
        named = set(
            re.findall(r"(?:`|\$ |^)gongxue ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= commands, name_of(page)


def test_every_make_target_is_there() -> None:
    """A `make` target that a page names is in the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:`|^)make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, name_of(page)


# -- generated parts --------------------------------------------------------------


def test_generated_parts_are_fresh() -> None:
    """What `python -m docs.generate` would write is what stands there."""
    assert [name for name, _ in generate.stale()] == []


def test_generate_check_names_the_stale_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --check a stale file is named, left as it is, and the status is 1."""
    monkeypatch.setattr(generate, "PARTS", {"docs/cli.md": {"help": lambda: "other"}})
    monkeypatch.setattr(generate, "openapi_text", (ROOT / generate.OPENAPI).read_text)
    before = (ROOT / "docs" / "cli.md").read_bytes()
    assert generate.main(["--check"]) == 1
    assert "docs/cli.md is stale" in capsys.readouterr().err
    assert (ROOT / "docs" / "cli.md").read_bytes() == before


def test_results_become_tables(tmp_path: Path) -> None:
    """Each result file gives one table in order of file name; none gives a note; a malformed one is named."""
    words = ("What", "Value", "Limit", "Made by", "on", "Nothing.")
    assert generate.results_table(words, tmp_path) == "Nothing."
    for name, value in (("b", 2), ("a", 0.5)):
        result = {
            "title": f"T{name}",
            "command": "c",
            "machine": "m",
            "rows": [{"what": "w", "value": value, "limit": None}],
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    text = generate.results_table(words, tmp_path)
    assert text.index("**Ta**") < text.index("**Tb**")
    assert "Made by `c` on m." in text
    assert "| w | 0.5 |  |" in text
    (tmp_path / "c.json").write_text('{"title": "x"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"c\.json is no result file"):
        generate.results_table(words, tmp_path)


# -- examples -----------------------------------------------------------------------


def sessions(page: Path) -> list[tuple[str, str]]:
    """Commands of the console blocks of a page, each with the output shown."""
    found = []
    for language, block in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output))
    return found


def run_sessions(page: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the commands of a page against a home and compare what they print, but for times and counts of passages."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GONGXUE_HOME", str(home))
    monkeypatch.setenv("GONGXUE_PROCESSES", "1")
    checker, runner = doctest.OutputChecker(), CliRunner()
    for command, output in sessions(page):
        program, *arguments = shlex.split(command)
        assert program == "gongxue", f"{name_of(page)} has the example {command}, which cannot be run here"
        result = runner.invoke(app, arguments)
        assert result.exit_code == 0, result.output
        want, got = (_MEASURED.sub("N", text) for text in (output, result.stdout))
        assert checker.check_output(want, got, doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS), (
            f"{command}\n{got}"
        )


@pytest.mark.parametrize("page", [READMES[0], ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_examples_print_what_is_shown(page: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every console example runs and prints what the page shows."""
    assert sessions(page)
    run_sessions(page, home, monkeypatch)


def test_http_example_is_an_answer(corpus_home: Path) -> None:
    """The hit shown in docs/http.md is the one that the sample corpus gives."""
    from fastapi.testclient import TestClient

    from api.wiring import build_services

    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    shown = json.loads(next(block for language, block in _FENCE.findall(text) if language == "json"))["hits"][
        0
    ]
    services = build_services(Settings(home=corpus_home))
    try:
        asked = {"q": "预备党员的预备期是多久", "k": 1, "kind": "policy", "as_of": "2024-01-31"}
        hit = (
            TestClient(create_app(services), base_url="http://127.0.0.1:8000")
            .get("/v1/search", params=asked)
            .json()["hits"][0]
        )
    finally:
        services.close()
    same = ("rank", "document_id", "anchor", "title", "path", "highlights", "source", "number", "validity")
    assert {name: shown[name] for name in same} == {name: hit[name] for name in same}
    assert hit["text"].startswith(shown["text"].rstrip("…"))
    assert set(shown["legs"]) == set(hit["legs"])


def test_readmes_show_the_same() -> None:
    """Both READMEs have the same commands, examples, folders, links and measured figures."""
    english, chinese = (readme.read_text(encoding="utf-8") for readme in READMES)

    def commands(text: str) -> list[str]:
        return [
            line.split("#")[0].strip()
            for language, block in _FENCE.findall(text)
            if language == "sh"
            for line in block.splitlines()
        ]

    assert commands(english) == commands(chinese) == ["make run", "make test"]
    assert sessions(READMES[0]) == sessions(READMES[1])
    texts = [prose(readme) for readme in READMES]
    for pattern in (r"`([^`\n]+)`", r"\]\(((?!README)[^)]+)\)", r"https?://[^\s)`]+"):
        assert set(re.findall(pattern, texts[0])) == set(re.findall(pattern, texts[1])), pattern
    part = re.compile(r"<!-- generated: results -->(.*?)<!-- /generated -->", re.DOTALL)
    measured = [re.findall(r"[0-9][0-9.,]*", part.findall(text)[0]) for text in (english, chinese)]
    assert measured[0] == measured[1]


def test_docs_say_only_what_is_built() -> None:
    """The number of sample documents in README and changelog is that of the corpus."""
    lines = (ROOT / "corpus" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    n = len([line for line in lines if line.strip()])
    assert f"{n} documents" in READMES[0].read_text(encoding="utf-8")
    assert f"{n} documents" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PUBLIC in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


# -- the packages -----------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_few_and_sorted(package: str) -> None:
    """A package's `__all__`, and that of each of its packages, is sorted, has at most ten names, and all exist."""
    top = importlib.import_module(package)
    inner = [
        importlib.import_module(m.name) for m in pkgutil.iter_modules(top.__path__, f"{package}.") if m.ispkg
    ]
    for module in [top, *inner]:
        names = getattr(module, "__all__", [])
        assert list(names) == sorted(names)
        assert len(names) <= 10
        assert all(hasattr(module, name) for name in names)


def test_manifest_keys_are_documented() -> None:
    """CONTRIBUTING.md names every key that a manifest line may state, and no other one."""
    from dataclasses import fields

    from ingest.metadata import Sidecar

    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## The manifest")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert named == {field.name for field in fields(Sidecar)} | {"path"}


def test_licence_is_whole() -> None:
    """LICENSE is the Apache License 2.0 from its title to the end of its appendix."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^   ([1-9])\. [A-Z]", text, re.MULTILINE)] == list(range(1, 10))
    for words in ("Version 2.0, January 2004", "END OF TERMS AND CONDITIONS", "APPENDIX: How to apply"):
        assert words in text
    assert text.rstrip().endswith("limitations under the License.")


def test_no_file_says_what_it_must_not() -> None:
    """No file of the repository names what is no part of it."""
    found = [
        f"{name_of(path)}: {word}"
        for path in our_files()
        for text in [path.read_bytes().lower()]
        for word in UNSAID
        if word.encode() in text
    ]
    assert found == []

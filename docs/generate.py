"""Write the generated parts of the documentation.

    python -m docs.generate            rewrite what is stale
    python -m docs.generate --check    exit 1 and name the stale files

A generated part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`;
the rest of its file is written by hand. `docs/openapi.json` is generated whole.
The same code and the same results give the same text.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from annotated_types import Ge, Le
from pydantic_core import PydanticUndefined

import api.errors
import kb.errors
from access.rights import OPERATOR, Action, Grant, Relation, Role, granted
from api.app import create_app
from api.cli import EXIT_REQUEST, EXIT_SERVICE, app
from api.errors import status_of
from api.settings import PREFIX, Settings, load_settings
from api.wiring import build_services
from kb.errors import KbError, ServiceError

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
OPENAPI = "docs/openapi.json"
WIDTH = 100
"""Columns of the help texts."""

_PART = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)
_ENGLISH = ("What", "Value", "Limit", "Made by", "on", "No result has been committed yet.")
_ROLES: Mapping[Role, str] = {
    Role.MEMBER: "member 学员",
    Role.TRAINER: "trainer 培训员",
    Role.LIAISON: "liaison 联络员",
    Role.ADMINISTRATOR: "administrator 管理员",
}
_RELATIONS: Mapping[Relation, str] = {
    Relation.OWN: "of one's own 本支部",
    Relation.PARTNER: "of a partner 共建支部",
    Relation.FOREIGN: "of neither 其他支部",
}
_GRANTS: Mapping[Grant, str] = {
    Grant.YES: "yes",
    Grant.SHARED: "if shared",
    Grant.PASSED: "if shared to be passed on",
    Grant.NO: "–",
}
_ACTIONS: Mapping[Action, str] = {
    Action.READ: "Read and find a document 查阅",
    Action.COPY: "Copy a document into one's own branch 复制",
    Action.RESHARE: "Pass a document on 转发",
    Action.ADD: "Hand a document in for the branch 交材料",
    Action.WITHDRAW: "Take a document out 撤下",
    Action.SHARE_WITHIN: "Share a document with its own branch 在本支部共享",
    Action.SHARE: "Share a document beyond its branch 向外共享",
    Action.SEE_AUDIENCE: "See with whom a document is shared 查看共享范围",
    Action.SEE_JOBS: "See jobs 查看后台任务",
    Action.PARTNER: "Make and end partnerships 共建",
    Action.GROUP: "Make groups, choose their members 工作组",
    Action.SEE_PEOPLE: "See people 查看人员",
    Action.MANAGE_PEOPLE: "Invite people, change roles, shut out 管理人员",
    Action.MANAGE_BRANCH: "Name, place and retire branches 管理组织",
    Action.SEE_AUDIT: "See the audit trail 查看操作记录",
    Action.QUIZ: "Make questions and papers, review them, give exams 出题组卷",
    Action.SEE_RESULTS: "See how the branch's people did, by name; mark short answers 查看成绩",
    Action.WRITE_CASE: "Write cases 写案例",
    Action.REVIEW_CASE: "Review what others wrote as a case 审案例",
    Action.SPEAK: "Speak for the branch: take cases over, ask and answer partners, vote 代表支部",
}
_CHINESE = ("项目", "结果", "界限", "命令", "机器：", "尚未提交测量结果。")


def main(arguments: list[str] | None = None) -> int:
    """Rewrite, or with `--check` only compare; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 and name the stale files")
    only_check = parser.parse_args(arguments).check
    found = dict(stale())
    for name, text in found.items():
        if only_check:
            print(f"{name} is stale: run `python -m docs.generate`.", file=sys.stderr)
        else:
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"{name} rewritten.")
    return 1 if only_check and found else 0


def stale() -> Iterator[tuple[str, str]]:
    """Files that are not as generated, with the text they should have."""
    for name, parts in PARTS.items():
        present = (ROOT / name).read_text(encoding="utf-8")
        if (wanted := fill(present, parts)) != present:
            yield name, wanted
    path, wanted = ROOT / OPENAPI, openapi_text()
    if not path.exists() or path.read_text(encoding="utf-8") != wanted:
        yield OPENAPI, wanted


def fill(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The text with every generated part written anew.

    Raises:
        ValueError: the text's parts are not those named in `parts`.

    >>> fill("<!-- generated: one -->\\nold\\n<!-- /generated -->", {"one": lambda: "new"})
    '<!-- generated: one -->\\n\\nnew\\n\\n<!-- /generated -->'
    """
    names = [m[2] for m in _PART.finditer(text)]
    if sorted(names) != sorted(parts):
        raise ValueError(f"generated parts are {names}, expected {sorted(parts)}")
    return _PART.sub(lambda m: f"{m[1]}\n{parts[m[2]]()}\n\n{m[3]}", text)


def results_table(words: tuple[str, ...], folder: Path = RESULTS) -> str:
    """One table for each result file, in order of file name; a note if there is none.

    Raises:
        ValueError: a file is not a result file; names it.
    """
    what, value, limit, made_by, on, nothing = words
    tables = []
    for path in sorted(folder.glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            rows = [[row["what"], row["value"], row.get("limit")] for row in found["rows"]]
            head = f"**{found['title']}**\n\n{made_by} `{found['command']}` {on} {found['machine']}."
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no result file: {error!r}; see benchmarks/README.md") from error
        tables.append(f"{head}\n\n{table([what, value, limit], rows)}")
    return "\n\n".join(tables) or nothing


def settings_table() -> str:
    """Every setting with its default, the values it takes and its meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        limits = {type(m): m for m in field.metadata}
        low, high = limits.get(Ge), limits.get(Le)
        kind = getattr(field.annotation, "__name__", str(field.annotation))
        takes = _TAKES[kind]
        if low is not None:
            takes += f", {low.ge} to {high.le}" if high is not None else f", {low.ge} or more"
        default = "" if field.default is PydanticUndefined else _plain(field.default)
        rows.append([f"`{PREFIX}{name.upper()}`", default, takes, field.description])
    return table(["Setting", "Default", "Takes", "Meaning"], rows)


_TAKES: Mapping[str, str] = {
    "str": "text",
    "int": "number",
    "bool": "true or false",
    "Path": "folder",
    "pathlib.Path | None": "file",
}


def _plain(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str("" if value is None else value)
    return f"`{text}`" if text else "none"


def roles_table() -> str:
    """Who may do what: a row for each action in a branch of one's own, a partner's and a foreign one."""
    rows = [
        [
            f"{_ACTIONS[action]} `{action}`" if relation is Relation.OWN else "",
            _RELATIONS[relation],
            *(_GRANTS[granted(action, role, relation)] for role in Role),
            _GRANTS[Grant.YES if action in OPERATOR else Grant.NO],
        ]
        for action in Action
        for relation in Relation
    ]
    return table(["Action", "In a branch", *_ROLES.values(), "operator 系统管理员"], rows)


def errors_table() -> str:
    """Every error: code, HTTP status, exit status of the command line, meaning."""
    rows = []
    for error in error_classes():
        own = error.__module__ == kb.errors.__name__
        leaves = EXIT_SERVICE if issubclass(error, ServiceError) else EXIT_REQUEST
        meaning = (error.__doc__ or "").splitlines()[0]
        rows.append([f"`{error.code}`", status_of(error("")), leaves if own else "–", meaning])
    return table(["Code", "HTTP status", "Exit status", "Meaning"], rows)


def error_classes() -> list[type[KbError]]:
    """Every class of error, families before their members, in the order of the source."""
    return [
        found
        for module in (kb.errors, api.errors)
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, KbError) and found.__module__ == module.__name__
    ]


def help_texts() -> str:
    """The help of every command, `WIDTH` columns wide."""
    whole: Any = typer.main.get_command(app)
    return "\n\n".join(_helps(whole, whole.context_class(whole, info_name="gongxue")))


def _helps(group: Any, above: Any) -> Iterator[str]:
    """The help of the commands of a group, and of the groups in it."""
    for name, command in group.commands.items():
        command.rich_markup_mode = None
        inner = group.context_class(
            command, info_name=name, parent=above, terminal_width=WIDTH, max_content_width=WIDTH
        )
        if hasattr(command, "commands"):
            yield from _helps(command, inner)
            continue
        text = "\n".join(line.rstrip() for line in command.get_help(inner).strip().splitlines())
        yield f"## {inner.command_path}\n\n```text\n{text}\n```"


def openapi_text() -> str:
    """The HTTP interface as OpenAPI."""
    with tempfile.TemporaryDirectory() as folder:
        services = build_services(load_settings({}, home=Path(folder)))
        try:
            schema = create_app(services).openapi()
        finally:
            services.close()
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["x|y", None]]))
    | a | b |
    |---|---|
    | x\\|y |  |
    """
    lines = [head, ["---"] * len(head), *rows]
    cells = [["" if cell is None else str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(
        "|" + "|".join(line) + "|" if line[0] == "---" else "| " + " | ".join(line) + " |" for line in cells
    )


PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "README.md": {"results": lambda: results_table(_ENGLISH)},
    "README.zh-CN.md": {"results": lambda: results_table(_CHINESE)},
    "docs/settings.md": {"settings": settings_table},
    "docs/errors.md": {"errors": errors_table},
    "docs/roles.md": {"roles": roles_table},
    "docs/cli.md": {"help": help_texts},
}
"""The generated parts of each file."""


if __name__ == "__main__":
    sys.exit(main())

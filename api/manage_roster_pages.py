"""Administration pages of the roster: people as an Excel file, out and in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from access.access import Access
from access.people import login_key
from access.principal import Principal
from access.rights import Action
from access.roster import RosterProblem, RosterRow, read_roster, roster_template, write_roster
from api.address import Problem
from api.forms import OwnForm
from api.manage import require_in, show
from api.pages import attachment
from api.principal import Asker
from api.roster_preview import Change, changes
from kb.errors import OversizeSource, UnreadableSource

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_NEW = 300
"""New people at once: each first password takes a tenth of a second to be made safe."""


def router(access: Access) -> APIRouter:
    """The routes of the roster."""
    pages = APIRouter(prefix="/manage/branches/{branch_id}")

    @pages.get("/template.xlsx")
    def template(asker: Asker, branch_id: str) -> Response:
        """An empty roster to be filled in."""
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        return _workbook(roster_template(), "人员名单模板.xlsx")

    @pages.get("/people.xlsx")
    def export(asker: Asker, branch_id: str) -> Response:
        """The people of the branch and of those below it."""
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        branch = access.branches.get(branch_id)
        below = access.branches.tree().below([branch_id])
        wanted = [branch_id, *(b.branch_id for b in access.branches.all() if b.branch_id in below)]
        rows = access.rosters.rows(asker, dict.fromkeys(wanted))
        return _workbook(write_roster(rows), f"{branch.name}人员名单.xlsx")

    @pages.get("/import")
    def form(request: Request, asker: Asker, branch_id: str) -> HTMLResponse:
        """The form that a roster is handed in by."""
        return _form(access, request, asker, branch_id)

    @pages.post("/import", dependencies=[OwnForm])
    def take(
        request: Request,
        asker: Asker,
        branch_id: str,
        file: UploadFile,
        check_only: Annotated[bool, Form()] = False,
    ) -> Response:
        """Check a roster; take it in, all or nothing, unless it was only to be checked."""
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        data = file.file.read()
        if not data:
            return _form(
                access, request, asker, branch_id, problem=Problem("file", "请选择一个 .xlsx 文件。")
            )
        try:
            rows, wrong = read_roster(data)
        except (UnreadableSource, OversizeSource) as error:
            problem = Problem("file", f"{error.message}{error.hint}")
            return _form(access, request, asker, branch_id, problem=problem)
        # No password is made before it is known whose are needed.
        fresh, unfit = access.rosters.take(
            asker, rows, dict.fromkeys((r.login for r in rows), ""), check_only=True
        )
        told = _changes(access, asker, rows, fresh)
        if not wrong + unfit and not rows:
            problem = Problem("file", "名单里没有人：表头下面没有填写任何行。")
            return _form(access, request, asker, branch_id, problem=problem)
        if wrong or unfit:
            return _form(access, request, asker, branch_id, wrong=sorted(wrong + unfit, key=_place))
        if len(fresh) > MOST_NEW:
            problem = Problem(
                "file", f"名单里有 {len(fresh)} 位新人员，一次最多 {MOST_NEW} 位。请分成几个文件。"
            )
            return _form(access, request, asker, branch_id, problem=problem)
        if check_only:
            return _form(access, request, asker, branch_id, told=told)
        made = {login: access.sessions.passwords.made_up() for login in fresh}
        fresh, unfit = access.rosters.take(asker, rows, {k: v[1] for k, v in made.items()})
        if unfit:
            return _form(access, request, asker, branch_id, wrong=unfit)
        names = {r.login: r.name for r in rows}
        slips = [(login, names[login], made[login][0]) for login in fresh]
        branch = access.branches.get(branch_id)
        return show(request, "manage-imported.html", {"branch": branch, "slips": slips, "told": told})

    return pages


def _place(problem: RosterProblem) -> int:
    return problem.row


def _form(
    access: Access,
    request: Request,
    asker: Principal,
    branch_id: str,
    *,
    problem: Problem | None = None,
    wrong: list[RosterProblem] | None = None,
    told: list[Change] | None = None,
) -> HTMLResponse:
    require_in(asker, Action.MANAGE_PEOPLE, branch_id)
    if wrong:
        problem = Problem("wrong", f"名单里有 {len(wrong)} 处不对，一行也没有导入。请逐处改好，再上传。")
    context = {"branch": access.branches.get(branch_id), "wrong": wrong or [], "told": told}
    return show(request, "manage-import.html", context, problems=[problem] if problem else ())


def _changes(access: Access, asker: Principal, rows: list[RosterRow], fresh: list[str]) -> list[Change]:
    """What the rows do, by what the people of the asker's branches are now."""
    named = {r.branch for r in rows}
    known = [
        b
        for b in access.branches.all()
        if named & {b.branch_id, b.name} and asker.may(Action.MANAGE_PEOPLE, b.branch_id)
    ]
    people = (p for b in known for p in access.people.of_branch(asker, b.branch_id))
    return changes(rows, fresh, {login_key(p.login): p for p in people}, known)


def _workbook(data: bytes, name: str) -> Response:
    return Response(data, media_type=XLSX, headers={"Content-Disposition": attachment(name)})

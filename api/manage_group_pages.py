"""Administration pages of groups: kept and joined ones, and their members."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from access.access import Access
from access.branches import Branch
from access.groups import Group
from access.people import Person
from access.principal import Principal
from access.rights import Action
from api.address import Problem
from api.forms import OwnForm
from api.manage import attempt, may_anywhere, require_in, show
from api.principal import Asker
from kb.errors import KbError, NotFound


def router(access: Access) -> APIRouter:
    """The routes of groups."""
    pages = APIRouter(prefix="/manage")

    @pages.get("/groups")
    def groups(request: Request, asker: Asker) -> HTMLResponse:
        """The groups that the asker's branches keep or are in."""
        return _groups(access, request, asker)

    @pages.post("/groups", dependencies=[OwnForm])
    def make(
        request: Request,
        asker: Asker,
        branch_id: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
    ) -> Response:
        """Make a group."""
        require_in(asker, Action.GROUP, branch_id)
        typed = {"branch_id": branch_id, "name": name}
        return attempt(
            lambda: access.groups.make(asker, branch_id, name),
            "/manage/groups?done=founded",
            lambda error: _groups(access, request, asker, error=error, typed=typed),
        )

    @pages.get("/groups/{group_id}")
    def group(request: Request, asker: Asker, group_id: str) -> HTMLResponse:
        """One group with its members."""
        return _group(access, request, asker, group_id)

    @pages.post("/groups/{group_id}/put", dependencies=[OwnForm])
    def put(request: Request, asker: Asker, group_id: str, member: Annotated[str, Form()] = "") -> Response:
        """Put a branch or a person in."""
        if not member:
            problem = Problem("member", "请选择要加入的组织或人员。")
            return _group(access, request, asker, group_id, problem=problem)
        return attempt(
            lambda: access.groups.put(asker, group_id, member),
            f"/manage/groups/{group_id}?done=put",
            lambda error: _group(access, request, asker, group_id, error=error),
        )

    @pages.post("/groups/{group_id}/drop", dependencies=[OwnForm])
    def drop(request: Request, asker: Asker, group_id: str, member: Annotated[str, Form()] = "") -> Response:
        """Take a member out, or leave."""
        return attempt(
            lambda: access.groups.drop(asker, group_id, member),
            # Who left may not see it any more.
            "/manage/groups?done=dropped",
            lambda error: _group(access, request, asker, group_id, error=error),
        )

    @pages.post("/groups/{group_id}/dissolve", dependencies=[OwnForm])
    def dissolve(request: Request, asker: Asker, group_id: str) -> Response:
        """Do away with it."""
        return attempt(
            lambda: access.groups.dissolve(asker, group_id),
            "/manage/groups?done=dissolved",
            lambda error: _group(access, request, asker, group_id, error=error),
        )

    return pages


def _groups(
    access: Access,
    request: Request,
    asker: Principal,
    *,
    error: KbError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    found = access.groups.seen(asker)
    mine = set(may_anywhere(asker, Action.GROUP))
    context = {
        "kept": [g for g in found if g.branch_id in asker.branches],
        "joined": [g for g in found if g.branch_id not in asker.branches],
        "names": access.branches.names(),
        "mine": [b for b in access.branches.all() if b.branch_id in mine],
    }
    return show(request, "manage-groups.html", context, error=error, typed=typed)


def _group(
    access: Access,
    request: Request,
    asker: Principal,
    group_id: str,
    *,
    error: KbError | None = None,
    problem: Problem | None = None,
) -> HTMLResponse:
    group = next((g for g in access.groups.seen(asker) if g.group_id == group_id), None)
    if group is None:
        raise NotFound(f"No group {group_id} here.", "See the list of groups.")
    keeps = asker.may(Action.GROUP, group.branch_id)
    branches, people = _addable(access, asker, group) if keeps else ([], [])
    context = {
        "group": group,
        "keeps": keeps,
        "names": access.branches.names(),
        "people": access.people.names(asker, _ids(group, "person")),
        "members": sorted(group.members),
        "may_drop": {m for m in group.members if keeps or _is_own(asker, m)},
        "branches_to_put": branches,
        "people_to_put": people,
    }
    return show(request, "manage-group.html", context, error=error, problems=[problem] if problem else ())


def _ids(group: Group, kind: str) -> set[str]:
    return {m.partition(":")[2] for m in group.members if m.startswith(kind + ":")}


def _is_own(asker: Principal, member: str) -> bool:
    kind, _, member_id = member.partition(":")
    return member_id == asker.person_id if kind == "person" else asker.may(Action.GROUP, member_id)


def _addable(access: Access, asker: Principal, group: Group) -> tuple[list[Branch], list[Person]]:
    """Branches of the keeper's organisation and of its partners, and people of one's own branches, not in yet."""
    known = access.branches.tree()
    branches = [
        b
        for b in access.branches.all()
        if f"branch:{b.branch_id}" not in group.members
        and (b.branch_id in asker.partners or known.top(b.branch_id) == known.top(group.branch_id))
    ]
    near = [b for b in may_anywhere(asker, Action.SEE_PEOPLE) if known.top(b) == known.top(group.branch_id)]
    people = {p.person_id: p for b in near for p in access.people.of_branch(asker, b) if p.active}
    return branches, [p for i, p in people.items() if f"person:{i}" not in group.members]

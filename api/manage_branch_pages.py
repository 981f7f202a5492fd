"""Administration pages of the tree of organisations."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from access.access import Access
from access.branches import Branch, Level
from access.principal import Principal
from access.rights import Action, Relation
from api.branch_tree import nested
from api.forms import OwnForm
from api.manage import attempt, may_anywhere, require_in, show
from api.principal import Asker
from kb.errors import KbError, NotFound, Refused


def router(access: Access) -> APIRouter:
    """The routes of the tree."""
    pages = APIRouter(prefix="/manage")

    @pages.get("/branches")
    def branches(request: Request, asker: Asker) -> HTMLResponse:
        """The tree as far as the asker looks after its people."""
        return _tree(access, request, asker)

    @pages.get("/new-branch")
    def new(request: Request, asker: Asker, parent: str = "") -> HTMLResponse:
        """The form of a new branch."""
        return _new(access, request, asker, parent)

    @pages.post("/new-branch", dependencies=[OwnForm])
    def found(
        request: Request,
        asker: Asker,
        level: Annotated[Level, Form()],
        name: Annotated[str, Form()] = "",
        parent_id: Annotated[str, Form()] = "",
    ) -> Response:
        """Make a branch."""
        typed = {"name": name, "level": level}
        if parent_id:
            require_in(asker, Action.MANAGE_BRANCH, parent_id)
        return attempt(
            lambda: access.branches.found(asker, name, level=level, parent_id=parent_id or None),
            "/manage/branches?done=founded",
            lambda error: _new(access, request, asker, parent_id, error=error, typed=typed),
        )

    @pages.get("/branches/{branch_id}")
    def branch(request: Request, asker: Asker, branch_id: str) -> HTMLResponse:
        """One branch, to be changed."""
        return _branch(access, request, asker, branch_id)

    @pages.post("/branches/{branch_id}", dependencies=[OwnForm])
    def change(
        request: Request,
        asker: Asker,
        branch_id: str,
        level: Annotated[Level, Form()],
        name: Annotated[str, Form()] = "",
        parent_id: Annotated[str, Form()] = "",
    ) -> Response:
        """Rename it, or put it elsewhere."""
        require_in(asker, Action.MANAGE_BRANCH, branch_id)
        typed = {"name": name, "level": level, "parent_id": parent_id}
        return attempt(
            lambda: access.branches.change(
                asker, branch_id, name=name, level=level, parent_id=parent_id or None
            ),
            f"/manage/branches/{branch_id}?done=changed",
            lambda error: _branch(access, request, asker, branch_id, error=error, typed=typed),
        )

    @pages.post("/branches/{branch_id}/use", dependencies=[OwnForm])
    def use(request: Request, asker: Asker, branch_id: str, active: Annotated[bool, Form()]) -> Response:
        """Take it out of use, or back into it."""
        _seen(access, asker, branch_id)
        return attempt(
            lambda: access.branches.retire(asker, branch_id, active=active),
            f"/manage/branches?done={'restored' if active else 'retired'}",
            lambda error: _branch(access, request, asker, branch_id, error=error),
        )

    return pages


def may_see_tree(asker: Principal) -> bool:
    """Whether the page of the tree is for them."""
    return asker.settled and (asker.operator or bool(may_anywhere(asker, Action.SEE_PEOPLE)))


def _tree(access: Access, request: Request, asker: Principal) -> HTMLResponse:
    asker.require_person()
    if not may_see_tree(asker):
        raise Refused("Cannot open this page: it is for those who look after people.", "Ask one of them.")
    seen = [b for b in access.branches.all(retired=True) if _is_seen(asker, b)]
    context = {"nodes": nested(seen), "n_people": access.branches.n_people()}
    return show(request, "manage-branches.html", context)


def _is_seen(asker: Principal, branch: Branch) -> bool:
    return asker.may(Action.SEE_PEOPLE, branch.branch_id) or (
        not branch.active and asker.may(Action.MANAGE_BRANCH, branch.parent_id)
    )


def _new(
    access: Access,
    request: Request,
    asker: Principal,
    parent_id: str,
    *,
    error: KbError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    if not parent_id:
        asker.require_operator()
    else:
        require_in(asker, Action.MANAGE_BRANCH, parent_id)
    parent = access.branches.get(parent_id) if parent_id else None
    levels = [Level.COMMITTEE, Level.GENERAL, Level.BRANCH]
    if parent is not None:
        levels = levels[levels.index(parent.level) :]
    return show(
        request, "manage-new-branch.html", {"parent": parent, "levels": levels}, error=error, typed=typed
    )


def _seen(access: Access, asker: Principal, branch_id: str) -> Branch:
    """The branch, if the asker looks after it or after the one above it.

    Raises:
        SignInRequired, NotFound, Refused: they do not.
    """
    asker.require_person()
    branch = access.branches.get(branch_id)
    may = partial(asker.may, Action.MANAGE_BRANCH)
    if may(branch_id) or may(branch.parent_id):
        return branch
    if asker.relation(branch_id) is Relation.OWN:
        asker.require(Action.MANAGE_BRANCH, branch_id)
    raise NotFound(f"No branch {branch_id} here.", "Choose one from the list of branches.")


def _branch(
    access: Access,
    request: Request,
    asker: Principal,
    branch_id: str,
    *,
    error: KbError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    branch = _seen(access, asker, branch_id)
    above = branch.parent_id
    known = access.branches.tree()
    below = known.below([branch_id])
    places = [
        b
        for b in access.branches.all()
        if b.branch_id == above
        or (
            above is not None
            and b.branch_id not in below
            and b.level is not Level.BRANCH
            and known.top(b.branch_id) == known.top(branch_id)
            and asker.may(Action.MANAGE_BRANCH, b.branch_id)
        )
    ]
    context = {
        "branch": branch,
        "places": places,
        "may_retire": asker.operator if above is None else asker.may(Action.MANAGE_BRANCH, above),
        "n_people": access.branches.n_people().get(branch_id, 0),
    }
    return show(request, "manage-branch.html", context, error=error, typed=typed)

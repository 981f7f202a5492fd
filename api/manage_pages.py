"""Administration pages: what waits for the asker, the settings in force, and all the others."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from access.access import Access
from access.principal import Principal
from access.rights import Action, Role
from api import (
    manage_audit_pages,
    manage_branch_pages,
    manage_group_pages,
    manage_partnership_pages,
    manage_people_pages,
    manage_roster_pages,
)
from api.manage import may_anywhere, show
from api.manage_partnership_pages import is_to_agree
from api.principal import Asker
from api.services import Services
from api.setting_words import told


def router(services: Services) -> APIRouter:
    """The routes of administration over these services."""
    access = services.access
    pages = APIRouter(include_in_schema=False)

    @pages.get("/manage")
    def overview(request: Request, asker: Asker) -> HTMLResponse:
        """What the asker is here, and what waits for them."""
        return show(request, "manage.html", _overview(access, asker))

    @pages.get("/manage/settings")
    def settings(request: Request, asker: Asker) -> HTMLResponse:
        """The settings in force and the state of the installation; for operators."""
        asker.require_operator()
        context = {
            "settings": told(services.settings),
            "status": services.status(),
            "version": request.app.version,
            "n_branches": len(access.branches.all()),
            "n_people": access.people.n_active(),
        }
        return show(request, "manage-settings.html", context)

    pages.include_router(manage_branch_pages.router(access))
    pages.include_router(manage_people_pages.router(access, services.settings))
    pages.include_router(manage_roster_pages.router(access))
    pages.include_router(manage_partnership_pages.router(access))
    pages.include_router(manage_group_pages.router(access))
    pages.include_router(manage_audit_pages.router(services))
    return pages


def _overview(access: Access, asker: Principal) -> dict[str, object]:
    asker.require_person()
    names = access.branches.names()
    invited = {b: access.invitations.of_branch(asker, b) for b in may_anywhere(asker, Action.MANAGE_PEOPLE)}
    ownerless = {b: access.sharing.ownerless(asker, b) for b in may_anywhere(asker, Action.MANAGE_BRANCH)}
    return {
        "own": [(b, names[b], [r for r in Role if r in held]) for b, held in asker.roles.items()],
        "to_agree": [p for p in access.partnerships.seen(asker) if is_to_agree(asker, p)],
        "invited": {b: found for b, found in invited.items() if found},
        "ownerless": {b: found for b, found in ownerless.items() if found},
        "names": names,
        "first_steps": _first_steps(access) if asker.operator else None,
    }


def _first_steps(access: Access) -> list[tuple[str, str, bool]] | None:
    """What a fresh installation needs, in order: words, address, whether it is done; None once all is."""
    branches = access.branches.all()
    address = f"/manage/branches/{branches[0].branch_id}/invite" if branches else ""
    steps = [
        ("建第一个组织，通常是单位党委", "/manage/new-branch", bool(branches)),
        ("邀请它的管理员，由他们邀请其他人", address, bool(access.branches.n_people())),
    ]
    return None if all(done for _, _, done in steps) else steps

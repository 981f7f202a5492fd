"""Administration pages of people: who is in a branch, invitations, one person."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from access.access import Access
from access.people import Person
from access.principal import Principal
from access.rights import Action, Role
from api.address import Problem
from api.forms import OwnForm
from api.manage import attempt, require_in, show
from api.principal import Asker
from api.settings import Settings
from kb.errors import InvalidRequest, KbError, Refused

Roles = Annotated[list[Role], Form(default_factory=list)]


def router(access: Access, settings: Settings) -> APIRouter:
    """The routes of people."""
    pages = APIRouter(prefix="/manage")

    @pages.get("/branches/{branch_id}/people")
    def people(request: Request, asker: Asker, branch_id: str) -> HTMLResponse:
        """Who has a role in the branch, and which invitations are open."""
        require_in(asker, Action.SEE_PEOPLE, branch_id)
        manages = asker.may(Action.MANAGE_PEOPLE, branch_id)
        context = {
            "branch": access.branches.get(branch_id),
            "people": access.people.of_branch(asker, branch_id),
            "invitations": access.invitations.of_branch(asker, branch_id) if manages else [],
            "manages": manages,
        }
        return show(request, "manage-people.html", context)

    @pages.get("/branches/{branch_id}/invite")
    def invitation(request: Request, asker: Asker, branch_id: str) -> HTMLResponse:
        """The form of an invitation."""
        return _invitation(access, request, asker, branch_id)

    @pages.post("/branches/{branch_id}/invite", dependencies=[OwnForm])
    def invite(
        request: Request, asker: Asker, branch_id: str, roles: Roles, name: Annotated[str, Form()] = ""
    ) -> Response:
        """Invite, and show the link this once."""
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        try:
            offer = access.invitations.offer(asker, branch_id, frozenset(roles), name)
        except InvalidRequest as error:
            typed = {"name": name, "roles": roles}
            return _invitation(access, request, asker, branch_id, error=error, typed=typed)
        base = (settings.url or str(request.base_url)).rstrip("/")
        context = {
            "branch": access.branches.get(branch_id),
            "offer": offer,
            "link": f"{base}/invitation/{offer.secret}",
        }
        return show(request, "manage-invited.html", context)

    @pages.post("/branches/{branch_id}/invitations/{invitation_id}/withdraw", dependencies=[OwnForm])
    def withdraw(request: Request, asker: Asker, branch_id: str, invitation_id: str) -> Response:
        """Take an invitation back."""
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        return attempt(
            lambda: access.invitations.withdraw(asker, invitation_id),
            f"/manage/branches/{branch_id}/people?done=uninvited",
            lambda error: _invitation(access, request, asker, branch_id, error=error),
        )

    @pages.get("/people")
    def installation(request: Request, asker: Asker) -> HTMLResponse:
        """Operators, and people without a role anywhere; for operators."""
        context = {
            "operators": access.people.operators(asker),
            "others": access.people.without_branch(asker),
        }
        return show(request, "manage-operators.html", context)

    @pages.get("/people/{person_id}")
    def person(request: Request, asker: Asker, person_id: str) -> HTMLResponse:
        """One person."""
        return _person(access, request, asker, person_id)

    @pages.post("/people/{person_id}/roles", dependencies=[OwnForm])
    def set_roles(
        request: Request,
        asker: Asker,
        person_id: str,
        roles: Roles,
        branch_id: Annotated[str, Form()] = "",
    ) -> Response:
        """Give exactly these roles in one branch."""
        access.people.get(asker, person_id)
        require_in(asker, Action.MANAGE_PEOPLE, branch_id)
        return change(
            request,
            asker,
            person_id,
            lambda: access.people.set_roles(asker, person_id, branch_id, frozenset(roles)),
            # Without a role there the person may be out of the asker's sight.
            f"/manage/branches/{branch_id}/people?done=roles",
        )

    @pages.post("/people/{person_id}/name", dependencies=[OwnForm])
    def rename(request: Request, asker: Asker, person_id: str, name: Annotated[str, Form()] = "") -> Response:
        """Show them under another name."""
        return attempt(
            lambda: access.people.rename(asker, person_id, name),
            f"/manage/people/{person_id}?done=renamed",
            lambda error: _person(access, request, asker, person_id, error=error, typed={"name": name}),
        )

    @pages.post("/people/{person_id}/active", dependencies=[OwnForm])
    def set_active(
        request: Request, asker: Asker, person_id: str, active: Annotated[bool, Form()]
    ) -> Response:
        """Shut them out, or let them in again."""
        return change(
            request,
            asker,
            person_id,
            lambda: access.people.set_active(asker, person_id, active=active),
            f"/manage/people/{person_id}?done={'opened' if active else 'shut'}",
        )

    @pages.post("/people/{person_id}/operator", dependencies=[OwnForm])
    def set_operator(
        request: Request, asker: Asker, person_id: str, operator: Annotated[bool, Form()]
    ) -> Response:
        """Make them an operator, or no longer one."""
        asker.require_operator()
        address = "/manage" if person_id == asker.person_id else f"/manage/people/{person_id}"
        return change(
            request,
            asker,
            person_id,
            lambda: access.people.set_operator(asker, person_id, operator=operator),
            f"{address}?done=operator",
        )

    @pages.post("/people/{person_id}/password", dependencies=[OwnForm])
    def reset(request: Request, asker: Asker, person_id: str) -> Response:
        """A new first password, shown this once; the second factor goes with the old one."""
        person = access.people.managed(asker, person_id)
        if person_id == asker.person_id:
            raise Refused("Cannot reset one's own password here.", "Change it on the page “我的”.")
        password = access.sessions.reset(asker, person_id)
        return show(request, "manage-password.html", {"person": person, "password": password})

    @pages.post("/people/{person_id}/erase", dependencies=[OwnForm])
    def erase(request: Request, asker: Asker, person_id: str, login: Annotated[str, Form()] = "") -> Response:
        """Forget them, once the login was typed to confirm it."""
        person = access.people.managed(asker, person_id)
        if login.strip() != person.login:
            problem = Problem("login", f"要注销这个账号，请在这里输入它的登录名“{person.login}”。")
            return _person(access, request, asker, person_id, problems=[problem], typed={"login": login})
        near = next((b for b in person.roles if asker.may(Action.SEE_PEOPLE, b)), None)
        address = f"/manage/branches/{near}/people" if near else "/manage"
        return change(
            request,
            asker,
            person_id,
            lambda: access.people.erase(asker, person_id),
            f"{address}?done=erased",
        )

    def change(
        request: Request, asker: Principal, person_id: str, act: Callable[[], object], address: str
    ) -> Response:
        return attempt(act, address, lambda error: _person(access, request, asker, person_id, error=error))

    return pages


def _invitation(
    access: Access,
    request: Request,
    asker: Principal,
    branch_id: str,
    *,
    error: KbError | None = None,
    typed: dict[str, Any] | None = None,
) -> HTMLResponse:
    require_in(asker, Action.MANAGE_PEOPLE, branch_id)
    context = {"branch": access.branches.get(branch_id)}
    return show(request, "manage-invite.html", context, error=error, typed=typed)


def _person(
    access: Access,
    request: Request,
    asker: Principal,
    person_id: str,
    *,
    error: KbError | None = None,
    problems: list[Problem] | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    person = access.people.get(asker, person_id)
    seen = [b for b in access.branches.all() if asker.may(Action.SEE_PEOPLE, b.branch_id)]
    context = {
        "person": person,
        "held": [b for b in seen if b.branch_id in person.roles],
        "others": [
            b
            for b in seen
            if b.branch_id not in person.roles and asker.may(Action.MANAGE_PEOPLE, b.branch_id)
        ],
        "elsewhere": bool(person.roles.keys() - {b.branch_id for b in seen}),
        "manages": _manages(access, asker, person),
        "oneself": person_id == asker.person_id,
    }
    return show(request, "manage-person.html", context, error=error, problems=problems or (), typed=typed)


def _manages(access: Access, asker: Principal, person: Person) -> bool:
    try:
        access.people.managed(asker, person.person_id)
    except Refused:
        return False
    return True

"""“我的”: what is kept of a person, what they sign in with, their sessions and tokens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from access.audit import Event
from access.kept import credentials, everything
from access.principal import Power, Principal
from access.second_factor import provisioning_address, qr_svg
from access.sessions import Due
from api import sign_in_pages, views
from api.access_words import POWER_WORDS, ROLE_WORDS, event_words
from api.address import Problem
from api.errors import Led, asked_for
from api.forms import OwnForm
from api.pages import attachment, render
from api.principal import COOKIE, Asker, principal
from api.security import local_path, session_cookie
from api.services import Services
from api.sign_in_pages import PASSWORD_WORDS, SAME_WORDS, Next, Text
from kb.errors import Conflict, InvalidRequest, NotFound, SignInFailed, TooManyRequests

TOKEN_DAYS = (7, 30, 90, 365)
N_EVENTS = 50
_DUE_PAGES = {
    Due.CODE: "/me/second-factor",
    Due.PASSWORD: "/me/password",
    Due.SECOND_FACTOR: "/me/second-factor",
}
_NOT_LED = ("/sign-in", "/sign-out", "/v1", "/healthz", "/readyz")
_DONE = {
    "password": "密码已修改，其他设备已退出。",
    "second-factor": "两步验证已取消。",
    "elsewhere": "其他设备已退出。",
    "token": "令牌已收回，不能再用。",
    "provider": "单位账号已关联，以后可以用它登录。",
    "provider-taken": "没有关联：这个单位账号已与另一个账号关联。",
    "joined": "已接受邀请。",
}
_WRONG_CODE = "验证码不对，或已用过。请等出现下一个再填，并检查手机时间是否准确。"
_LAST_OPERATOR = "现在不能注销：您是唯一的系统管理员。请先让另一个人担任系统管理员。"


def lead_to_what_is_due(request: Request) -> None:
    """Lead a person whose first password, code or second factor is due to its page, from every other one.

    Raises:
        Led: it is due.
    """
    path = request.url.path
    if COOKIE not in request.cookies or "authorization" in request.headers or path.startswith(_NOT_LED):
        return
    asker = principal(request)
    due = None if asker.settled else request.app.state.access.sessions.due(asker)
    page = _DUE_PAGES[due] if due else path
    if path != page and not path.startswith(page + "/"):
        raise Led(page + "?next=" + quote(asked_for(request), safe="/"))


Settled = Depends(lead_to_what_is_due)
"""Dependency of the whole application; interfaces for programs are left to their own answers."""


@dataclass(frozen=True, slots=True)
class EventView:
    """An entry of the trail as it is listed; a document is named while the person may see it."""

    at: datetime
    words: str
    branch: str
    title: str
    href: str


def router(services: Services) -> APIRouter:
    """The account pages over these services, those of signing in among them."""
    routes = APIRouter(include_in_schema=False)
    routes.include_router(sign_in_pages.router(services))
    access, settings = services.access, services.settings
    sessions = access.sessions

    # -- me ---------------------------------------------------------------------------

    def me_page(
        request: Request,
        asker: Asker,
        problems: tuple[Problem, ...] = (),
        typed: Mapping[str, Any] | None = None,
    ) -> Response:
        person = access.people.get(asker, asker.require_person())
        names = access.branches.names()
        context = {
            "person": person,
            "branches": [
                (names[branch_id], [word for role, word in ROLE_WORDS.items() if role in held])
                for branch_id, held in person.roles.items()
            ],
            "credentials": credentials(access.office, asker),
            "provider": bool(settings.oidc_issuer),
            "sessions": sessions.of(asker),
            "tokens": access.tokens.of(asker),
            "events": events(asker, names),
            "audit_days": settings.audit_days,
            "POWER_WORDS": POWER_WORDS,
            "TOKEN_DAYS": TOKEN_DAYS,
            "notice": _DONE.get(request.query_params.get("done", ""), ""),
            "problems": problems,
            "typed": typed or {"powers": [Power.READ], "days": "30"},
        }
        return render(request, "account-me.html", context, status=400 if problems else 200)

    def events(asker: Principal, names: Mapping[str, str]) -> list[EventView]:
        found = access.audit.events(asker, person_id=asker.require_person(), k=N_EVENTS)
        titles = {e.object_id: title_of(asker, e.object_id) for e in found if e.object_kind == "document"}
        return [_event_view(e, names, titles.get(e.object_id, "")) for e in found]

    def title_of(asker: Principal, document_id: str) -> str:
        try:
            return services.card(document_id, asker.scope).title
        except NotFound:
            return ""

    @routes.get("/me")
    def me(request: Request, asker: Asker) -> Response:
        """Everything about the person who is signed in."""
        return me_page(request, asker)

    @routes.post("/me/sessions/end-others", dependencies=[OwnForm])
    def end_others(asker: Asker) -> Response:
        """Sign out on every other device."""
        sessions.sign_out_elsewhere(asker)
        return RedirectResponse("/me?done=elsewhere", 303)

    @routes.get("/me/export")
    def export(asker: Asker) -> Response:
        """All that is kept of the person, as a file."""
        body = json.dumps(everything(access.office, asker), ensure_ascii=False, indent=1, default=_iso)
        headers = {"Content-Disposition": attachment(f"gongxue-{asker.login}.json")}
        return Response(body, headers=headers, media_type="application/json")

    @routes.post("/me/erase", dependencies=[OwnForm])
    def erase(request: Request, asker: Asker, login: Text = "") -> Response:
        """Forget the person, who types the login to show that it is meant."""
        person_id = asker.require_person()
        if login.strip() != asker.login:
            problem = Problem("erase", f"要注销，请填写您的登录名“{asker.login}”。")
            return me_page(request, asker, (problem,))
        try:
            access.people.erase(asker, person_id)
        except Conflict:
            return me_page(request, asker, (Problem("erase", _LAST_OPERATOR),))
        response = RedirectResponse("/sign-in?done=erased", 303)
        line = session_cookie(None, secure=settings.cookies_are_secure, longest_days=0)
        response.headers.append("set-cookie", line)
        return response

    # -- tokens -------------------------------------------------------------------------

    @routes.post("/me/tokens", dependencies=[OwnForm])
    def make_token(
        request: Request,
        asker: Asker,
        name: Text = "",
        power: Annotated[tuple[str, ...], Form()] = (),
        days: Text = "",
    ) -> Response:
        """Make a token; this answer alone shows its secret."""
        powers = frozenset(p for p in Power if p in power)
        problems = []
        if not name.strip():
            problems.append(Problem("token-name", "请给令牌起个名字，写明用在哪里。"))
        if not powers:
            problems.append(Problem("power-read", "请至少选一项权限。"))
        if days not in map(str, TOKEN_DAYS):
            problems.append(Problem("token-days", "请选择有效期。"))
        if not problems:
            try:
                token = access.tokens.make(asker, name, powers, int(days))
                return render(request, "account-token.html", {"token": token, "POWER_WORDS": POWER_WORDS})
            except InvalidRequest:
                problems.append(Problem("token-name", "令牌已有 20 个，请先收回不用的。"))
        return me_page(request, asker, tuple(problems), {"name": name, "powers": powers, "days": days})

    @routes.post("/me/tokens/{token_id}/take-back", dependencies=[OwnForm])
    def take_back(asker: Asker, token_id: str) -> Response:
        """End a token."""
        access.tokens.take_back(asker, token_id)
        return RedirectResponse("/me?done=token", 303)

    # -- password -----------------------------------------------------------------------

    def password_page(
        request: Request, asker: Principal, to: str, problems: tuple[Problem, ...] = (), status: int = 200
    ) -> Response:
        context = {
            "has_password": credentials(access.office, asker).has_password,
            "due": not asker.settled,
            "next": local_path(to),
            "problems": problems,
        }
        return render(request, "account-password.html", context, status=status)

    @routes.get("/me/password")
    def password_form(request: Request, asker: Asker) -> Response:
        """The form for another password."""
        return password_page(request, asker, request.query_params.get("next", ""))

    @routes.post("/me/password", dependencies=[OwnForm])
    def change_password(
        request: Request, asker: Asker, old: Text = "", new: Text = "", again: Text = "", to: Next = ""
    ) -> Response:
        """Take another password."""
        if new != again:
            return password_page(request, asker, to, (Problem("again", SAME_WORDS),), 400)
        try:
            sessions.change_password(asker, old, new)
        except SignInFailed:
            return password_page(request, asker, to, (Problem("old", "原密码不对。"),), 401)
        except TooManyRequests as error:
            return password_page(request, asker, to, (Problem("old", views.wait_words(error)),), 429)
        except InvalidRequest:
            words = "新密码不能与原密码相同。" if old == new else PASSWORD_WORDS
            return password_page(request, asker, to, (Problem("new", words),), 400)
        return RedirectResponse("/me?done=password" if local_path(to) == "/" else local_path(to), 303)

    # -- second factor --------------------------------------------------------------------

    def second_factor_page(
        request: Request, asker: Principal, to: str, problems: tuple[Problem, ...] = (), status: int = 200
    ) -> Response:
        held = credentials(access.office, asker)
        secret = "" if held.has_second_factor else access.second_factors.offer(asker)
        context = {
            "credentials": held,
            "due": not asker.settled,
            "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
            "qr": Markup(qr_svg(provisioning_address(secret, asker.login))) if secret else "",
            "next": local_path(to),
            "problems": problems,
        }
        return render(request, "account-second-factor.html", context, status=status)

    def wrong_code(
        request: Request, asker: Principal, to: str, error: SignInFailed | TooManyRequests
    ) -> Response:
        if isinstance(error, TooManyRequests):
            return second_factor_page(request, asker, to, (Problem("code", views.wait_words(error)),), 429)
        return second_factor_page(request, asker, to, (Problem("code", _WRONG_CODE),), 401)

    @routes.get("/me/second-factor")
    def second_factor(request: Request, asker: Asker) -> Response:
        """Set one up, give its code, or take it off: what there is to do."""
        return second_factor_page(request, asker, request.query_params.get("next", ""))

    @routes.post("/me/second-factor", dependencies=[OwnForm])
    def set_second_factor(request: Request, asker: Asker, code: Text = "", to: Next = "") -> Response:
        """Set the one that was offered; this answer alone shows the recovery codes."""
        try:
            codes = access.second_factors.take(asker, code)
        except (SignInFailed, TooManyRequests) as error:
            return wrong_code(request, asker, to, error)
        context = {"codes": codes, "login": asker.login, "next": local_path(to)}
        return render(request, "account-recovery-codes.html", context)

    @routes.post("/me/second-factor/code", dependencies=[OwnForm])
    def give_code(request: Request, asker: Asker, code: Text = "", to: Next = "") -> Response:
        """Give a code for this session."""
        try:
            access.second_factors.give(asker, code)
        except (SignInFailed, TooManyRequests) as error:
            return wrong_code(request, asker, to, error)
        return RedirectResponse(local_path(to), 303)

    @routes.post("/me/second-factor/remove", dependencies=[OwnForm])
    def remove_second_factor(request: Request, asker: Asker, code: Text = "") -> Response:
        """Take it off, by a code of it."""
        try:
            access.second_factors.drop(asker, code)
        except (SignInFailed, TooManyRequests) as error:
            return wrong_code(request, asker, "", error)
        return RedirectResponse("/me?done=second-factor", 303)

    return routes


def _event_view(event: Event, names: Mapping[str, str], title: str) -> EventView:
    return EventView(
        datetime.fromisoformat(event.at),
        event_words(event),
        names.get(event.branch_id or "", ""),
        title,
        f"/documents/{event.object_id}" if title else "",
    )


def _iso(value: date | datetime) -> str:
    return value.isoformat()

"""Coming in and going out: by password, by identity provider, by invitation."""

import json
import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from access.invitations import Invitation
from access.oidc import Begun, Identity, OpenIdProvider
from access.passwords import LONGEST, SHORTEST
from access.principal import Principal
from api import demonstration, views
from api.access_words import ROLE_WORDS
from api.address import Problem
from api.forms import OwnForm
from api.pages import render
from api.principal import Asker
from api.security import cookie, local_path, session_cookie
from api.services import Services
from api.settings import Settings
from kb.errors import (
    CatalogUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    SignInFailed,
    TooManyRequests,
)

Text = Annotated[str, Form(max_length=4000)]
"""A field of a form; one that was not sent is empty."""
Next = Annotated[str, Form(alias="next", max_length=4000)]
"""Where to go afterwards."""

BEGUN = "gongxue_provider"
"""Cookie, locked: a sign-in by the provider that is under way in this browser."""
STRANGER = "gongxue_identity"
"""Cookie, locked: an identity that the provider vouched for and nobody here has; an invitation may take it."""
KEPT_S = 600

PASSWORD_WORDS = f"密码须为 {SHORTEST} 至 {LONGEST} 个字符，不能太常见，也不能含登录名。可以用一句短话。"
SAME_WORDS = "两次填的密码不一样，请重填。"
_LOGIN_WORDS = "登录名须为 2 至 40 个字母、数字、汉字或 . _ - @。"
_NAME_WORDS = "请填写姓名，不超过 40 个字。"
_TAKEN_WORDS = "这个登录名已有人用，请换一个。"
_DONE = {"erased": "您的账号已注销，与您有关的资料已删除。", "out": "您已退出。"}


def router(services: Services) -> APIRouter:
    """The routes that let people in and out."""
    routes = APIRouter(include_in_schema=False)
    access, settings = services.access, services.settings
    provider = _provider(settings)
    back = settings.url.rstrip("/") + "/sign-in/provider/back"
    samples = demonstration.accounts() if access.is_demonstration() else ()

    def enter(asker: Principal, secret: str, to: str) -> RedirectResponse:
        """Go on as the person of a fresh session; one that was there before ends."""
        if asker.session:
            access.sessions.sign_out(asker)
        response = RedirectResponse(local_path(to), 303)
        line = session_cookie(secret, secure=settings.cookies_are_secure, longest_days=settings.session_days)
        response.headers.append("set-cookie", line)
        return response

    # -- by password ----------------------------------------------------------------

    def sign_in_page(
        request: Request, to: str, login: str = "", problem: str = "", status: int = 200
    ) -> Response:
        context = {
            "next": local_path(to),
            "login": login,
            "problems": [Problem("login", problem)] if problem else [],
            "notice": _DONE.get(request.query_params.get("done", ""), ""),
            "samples": samples,
            "provider": provider is not None,
        }
        return render(request, "account-sign-in.html", context, status=status)

    @routes.get("/sign-in")
    def sign_in_form(request: Request) -> Response:
        """The form for login and password."""
        return sign_in_page(request, request.query_params.get("next", ""))

    @routes.post("/sign-in", dependencies=[OwnForm])
    def sign_in(
        request: Request, asker: Asker, login: Text = "", password: Text = "", to: Next = ""
    ) -> Response:
        """Let a person in; the cookie is a new one each time."""
        if not login.strip() or not password:
            return sign_in_page(request, to, login, "请填写登录名和密码。", 400)
        address = request.client.host if request.client else ""
        try:
            secret = access.sessions.sign_in(login, password, address)
        except SignInFailed:
            return sign_in_page(request, to, login, "登录名或密码不对，请检查后再试。", 401)
        except TooManyRequests as error:
            response = sign_in_page(request, to, login, views.wait_words(error), 429)
            response.headers["retry-after"] = str(error.wait_s)
            return response
        return enter(asker, secret, to)

    @routes.post("/sign-out", dependencies=[OwnForm])
    def sign_out(asker: Asker) -> Response:
        """End the session."""
        if asker.session:
            access.sessions.sign_out(asker)
        response = RedirectResponse("/sign-in?done=out", 303)
        line = session_cookie(None, secure=settings.cookies_are_secure, longest_days=0)
        response.headers.append("set-cookie", line)
        return response

    # -- by the identity provider -----------------------------------------------------

    def keep(response: Response, name: str, content: dict[str, str] | None) -> Response:
        """Keep something, locked, in the browser for ten minutes; None takes it away."""
        secure = settings.cookies_are_secure
        if content is None:
            line = cookie(name, "", secure=secure, max_age_s=0)
        else:
            until = str(int(time.time()) + KEPT_S)
            locked = access.office.keys.lock(json.dumps({**content, "cookie": name, "until": until}))
            line = cookie(name, locked, secure=secure, max_age_s=KEPT_S)
        response.headers.append("set-cookie", line)
        return response

    def kept(request: Request, name: str) -> dict[str, Any] | None:
        """What `keep` put there, while its time lasts."""
        try:
            content: dict[str, Any] = json.loads(access.office.keys.unlock(request.cookies.get(name, "")))
        except (CatalogUnavailable, ValueError):
            return None
        fits = content.get("cookie") == name and int(content["until"]) > time.time()
        return content if fits else None

    def begin(to: str, link: str) -> tuple[Begun, dict[str, str]]:
        if provider is None:
            raise NotFound("There is no such page.", "No identity provider is set; sign in by password.")
        begun = provider.begin(back)
        content = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
        return begun, {**content, "next": local_path(to), "link": link}

    @routes.get("/sign-in/provider")
    def go_to_provider(request: Request) -> Response:
        """Send the browser to the provider."""
        begun, content = begin(request.query_params.get("next", ""), "")
        return keep(RedirectResponse(begun.address, 303), BEGUN, content)

    @routes.post("/me/provider", dependencies=[OwnForm])
    def go_to_link(request: Request, asker: Asker) -> Response:
        """The way to the provider, to link its identity with the person who is signed in.

        A page with a link: browsers do not let a form lead to another site under our policy.
        """
        begun, content = begin("/me", asker.require_person())
        return keep(render(request, "account-provider.html", {"address": begun.address}), BEGUN, content)

    @routes.get("/sign-in/provider/back")
    def come_back(request: Request, asker: Asker) -> Response:
        """Finish what was begun in this browser."""
        content = kept(request, BEGUN)
        if provider is None or content is None:
            raise SignInFailed(
                "Cannot sign in by the identity provider: it was not begun in this browser, or too long ago.",
                "Start again from the sign-in page.",
            )
        begun = Begun("", content["state"], content["nonce"], content["verifier"])
        identity = provider.finish(begun, dict(request.query_params), back)
        if content["link"]:
            response = link(asker, content["link"], _subject(identity))
        elif person_id := person_of(identity):
            response = enter(asker, access.sessions.sign_in_as(person_id, "provider"), content["next"])
        else:
            response = render(request, "account-stranger.html", {"login": identity.login}, status=403)
            stranger = {"subject": _subject(identity), "login": identity.login, "name": identity.name}
            keep(response, STRANGER, stranger)
        return keep(response, BEGUN, None)

    def link(asker: Principal, meant: str, subject: str) -> Response:
        if asker.require_person() != meant:
            raise SignInFailed(
                "Cannot link this identity: another person is signed in by now.",
                "Sign in again, and link it on the page “我的”.",
            )
        try:
            access.sessions.link(meant, subject)
        except Conflict:
            return RedirectResponse("/me?done=provider-taken", 303)
        return RedirectResponse("/me?done=provider", 303)

    def person_of(identity: Identity) -> str | None:
        subject = _subject(identity)
        person_id = access.sessions.person_of_subject(subject)
        if person_id is None and settings.oidc_link_logins:
            person_id = access.sessions.person_to_link(identity.login)
            if person_id is not None:
                access.sessions.link(person_id, subject)
        return person_id

    # -- by invitation ------------------------------------------------------------------

    def stranger_of(request: Request) -> dict[str, Any] | None:
        stranger = kept(request, STRANGER)
        free = stranger and access.sessions.person_of_subject(stranger["subject"]) is None
        return stranger if free else None

    def invitation_page(
        request: Request, offer: Invitation, typed: dict[str, str], problems: list[Problem]
    ) -> Response:
        context = {
            "branch": access.branches.get(offer.branch_id).name,
            "roles": [word for role, word in ROLE_WORDS.items() if role in offer.roles],
            "expires_at": offer.expires_at,
            "stranger": stranger_of(request),
            "typed": typed,
            "problems": problems,
        }
        return render(request, "account-invitation.html", context, status=400 if problems else 200)

    def over(request: Request) -> Response:
        return render(request, "account-invitation-over.html", {}, status=404)

    @routes.get("/invitation/{secret}")
    def invitation(request: Request, secret: str) -> Response:
        """What is offered, and the form to take it up."""
        try:
            offer = access.invitations.opened(secret)
        except SignInFailed:
            return over(request)
        stranger = stranger_of(request) or {}
        typed = {"login": stranger.get("login", ""), "name": offer.name}
        return invitation_page(request, offer, typed, [])

    @routes.post("/invitation/{secret}", dependencies=[OwnForm])
    def take_up(
        request: Request,
        secret: str,
        asker: Asker,
        login: Text = "",
        name: Text = "",
        password: Text = "",
        again: Text = "",
        link: Text = "",
    ) -> Response:
        """Take an offer up: as the person who is signed in, or as a new one."""
        try:
            offer = access.invitations.opened(secret)
            if asker.signed_in:
                access.invitations.accept_as(asker, secret)
                return RedirectResponse("/me?done=joined", 303)
            person_id, problems = new_person(secret, login, name, password, again)
        except SignInFailed:
            return over(request)
        if person_id is None:
            return invitation_page(request, offer, {"login": login, "name": name}, problems)
        if link and (stranger := stranger_of(request)):
            access.sessions.link(person_id, stranger["subject"])
        response = enter(asker, access.sessions.sign_in_as(person_id, "invitation"), "/")
        return keep(response, STRANGER, None)

    def new_person(
        secret: str, login: str, name: str, password: str, again: str
    ) -> tuple[str | None, list[Problem]]:
        """The person who took the offer up, or what to mend first."""
        problems = [] if login.strip() else [Problem("login", _LOGIN_WORDS)]
        if not 1 <= len(" ".join(name.split())) <= 40 or not name.isprintable():
            problems.append(Problem("name", _NAME_WORDS))
        if password != again:
            problems.append(Problem("again", SAME_WORDS))
        try:
            hashed = access.sessions.passwords.hashed(password, login=login.strip())
        except InvalidRequest:
            problems.append(Problem("password", PASSWORD_WORDS))
        if problems:
            return None, problems
        try:
            return access.invitations.accept(secret, login, name, hashed), []
        except Conflict:
            return None, [Problem("login", _TAKEN_WORDS)]
        except InvalidRequest:
            return None, [Problem("login", _LOGIN_WORDS)]

    return routes


def _provider(settings: Settings) -> OpenIdProvider | None:
    if not settings.oidc_issuer:
        return None
    return OpenIdProvider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)


def _subject(identity: Identity) -> str:
    """What a person is linked with: a subject means something only beside its issuer."""
    return f"{identity.issuer}|{identity.subject}"

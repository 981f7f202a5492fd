"""Who asks: from a request's cookie or bearer token to its principal, anew for every request."""

from typing import Annotated

from fastapi import Depends, Request

from access.access import Access
from access.principal import GUEST, Principal

COOKIE = "gongxue_session"
BEARER = "bearer "


def principal(request: Request) -> Principal:
    """The principal of the request: of its bearer token if it has one, else of its session, else the guest.

    Raises:
        SignInFailed: the token opens nothing.
    """
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        # Where the token opens nothing, the page that says so is a guest's.
        request.state.principal = GUEST
        known = request.state.principal = _resolve(request)
    return known


def _resolve(request: Request) -> Principal:
    access: Access | None = getattr(request.app.state, "access", None)
    if access is None:
        return GUEST
    authorization = request.headers.get("authorization", "")
    if authorization[: len(BEARER)].lower() == BEARER:
        return access.tokens.principal(authorization[len(BEARER) :].strip())
    secret = request.cookies.get(COOKIE)
    return access.sessions.principal(secret) if secret else GUEST


Asker = Annotated[Principal, Depends(principal)]


def principal_scope(asker: Asker) -> frozenset[str]:
    """The audiences whose texts this request may see."""
    return asker.scope


Scope = Annotated[frozenset[str], Depends(principal_scope)]

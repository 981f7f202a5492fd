"""Forms that only the page's own reader can send, and only once.

Every form carries a token: a random part and its time, sealed for the session (or, before there is one,
for a cookie that the page set). A token from elsewhere, an old one, or one sent before is refused.
"""

import time
from datetime import datetime, timedelta

from fastapi import Depends, Request
from sqlalchemy import delete, insert, select

from access.access import Access
from access.keys import digest, new_secret
from access.tables import spent
from api.principal import BEARER, COOKIE
from kb.errors import Conflict, Refused

FIELD = "form_token"
HEADER = "x-form-token"
VISITOR = "gongxue_visitor"
"""Cookie of a browser that is not signed in; it means nothing but that a form is its own."""
VALID_S = 8 * 3600
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def form_token(request: Request) -> str:
    """A token for one form of the page that answers this request."""
    access: Access = request.app.state.access
    nonce, at = new_secret()[:22], str(int(time.time()))
    return f"{nonce}.{at}.{access.office.keys.mac('form', _holder(request), nonce, at)}"


def _holder(request: Request) -> str:
    """What a form is sealed for."""
    if secret := request.cookies.get(COOKIE):
        return digest(secret)
    visitor: str | None = request.cookies.get(VISITOR) or getattr(request.state, "visitor", None)
    if visitor is None:
        # The answer sets it; see `api.security`.
        visitor = request.state.visitor = new_secret()
    return digest(visitor)


async def checked_form(request: Request) -> None:
    """Refuse a form, or a request of a session that changes something, without a fresh token of its own.

    Raises:
        Refused: no token, a forged one, one for another session, or one that is too old.
        Conflict: the form was sent before.
    """
    _spend(request.app.state.access, await _checked_nonce(request))


async def checked_save(request: Request) -> None:
    """The same without using the token up: for what comes to the same however often it is sent.

    Raises:
        Refused: as in `checked_form`.
    """
    if not _by_token(request) and COOKIE in request.cookies:
        await _checked_nonce(request)


async def _checked_nonce(request: Request) -> str:
    """The random part of the form's token, which is fresh and of this session."""
    token = request.headers.get(HEADER, "")
    if not token and request.headers.get("content-type", "").startswith(_FORM_TYPES):
        token = str((await request.form()).get(FIELD, ""))
    nonce, _, rest = token.partition(".")
    at, _, mac = rest.partition(".")
    access: Access = request.app.state.access
    held = request.cookies.get(COOKIE) or request.cookies.get(VISITOR)
    fits = held is not None and access.office.keys.is_mac(mac, "form", digest(held), nonce, at)
    if not fits or not at.isdigit() or time.time() - int(at) > VALID_S:
        raise Refused(
            "Cannot take this form: it is not from this session, or too old.",
            "Open the page anew, and send it again.",
        )
    return nonce


async def checked_request(request: Request) -> None:
    """The same for requests under /v1: by a session they need the token in a header; a bearer token is enough.

    Raises:
        Refused, Conflict: as in `checked_form`.
    """
    if not _by_token(request) and COOKIE in request.cookies:
        await checked_form(request)


def _by_token(request: Request) -> bool:
    # Other authorization than a bearer token opens nothing here: then it is the session that asks.
    return request.headers.get("authorization", "")[: len(BEARER)].lower() == BEARER


def _spend(access: Access, nonce: str) -> None:
    now: datetime = access.office.now()
    with access.office.writing() as connection:
        connection.execute(delete(spent).where(spent.c.expires_at < now))
        if connection.execute(select(spent.c.nonce).where(spent.c.nonce == nonce)).first():
            raise Conflict(
                "Cannot take this form again: it was sent before.",
                "See whether it was done; open the page anew if not.",
            )
        connection.execute(insert(spent).values(nonce=nonce, expires_at=now + timedelta(seconds=VALID_S)))


OwnForm = Depends(checked_form)
"""Dependency of every route that takes a form."""

OwnRequest = Depends(checked_request)
"""The same for routes under /v1 that change something."""

OwnSave = Depends(checked_save)
"""Dependency of routes for people signed in that may be sent again and again, such as saving an answer."""

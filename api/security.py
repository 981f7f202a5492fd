"""What every request passes: limits on its size and number, and headers on its answer."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.forms import VISITOR
from api.principal import COOKIE
from api.settings import Settings
from kb.errors import OversizeSource

MAX_FORM_BYTES = 1024 * 1024
_REMEMBERED = 10_000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}
"""Headers of every answer that does not say otherwise."""


class Limits:
    """How often each asker may come: a bucket that fills evenly and holds a quarter of a minute's worth."""

    def __init__(self, per_minute: int) -> None:
        self._rate = per_minute / 60
        self._most = max(per_minute / 4, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, asker: str) -> float:
        """0 if the asker may come now, which is counted; else how long to wait."""
        now = time.monotonic()
        held, at = self._buckets.pop(asker, (self._most, now))
        held = min(self._most, held + (now - at) * self._rate)
        wait = 0.0 if held >= 1 else (1 - held) / self._rate
        self._buckets[asker] = (held - 1 if wait == 0 else held, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return wait


class Security:
    """Wraps the application: refuses what is too large, too often or sent by another site, and sets headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._limits = Limits(settings.requests_per_minute) if settings.requests_per_minute else None
        self._max_bytes = max(MAX_FORM_BYTES, settings.max_source_mb * 1024 * 1024 + MAX_FORM_BYTES)
        self.secure = settings.cookies_are_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # Made here, so that what the application puts in is seen when the answer goes out.
        scope.setdefault("state", {})

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set_headers(scope, headers, MutableHeaders(scope=message))
            await send(message)

        refusal = self._refusal(scope, headers)
        await (refusal or self.app)(scope, self._limited(scope, receive), send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        asker = scope["client"][0] if scope.get("client") else ""
        static = scope["path"].startswith("/static/")
        if self._limits and not static and (wait := self._limits.wait_s(asker)):
            answer = problem(
                429, "too_many_requests", "Too many requests.", f"Wait {int(wait) + 1} s and try again."
            )
            answer.headers["Retry-After"] = str(int(wait) + 1)
            return answer
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > self._most(scope):
            return problem(
                413,
                "oversize_source",
                "The request is too large.",
                "Send less at once; see the limits in force.",
            )
        if scope["method"] not in _SAFE and _from_elsewhere(headers):
            return problem(
                403,
                "forbidden",
                "Cannot take this request from another site.",
                "Open the page here, and send it again.",
            )
        return None

    def _most(self, scope: Scope) -> int:
        """Bytes that the route can take: under /v1 only sources and attachments are larger than a form."""
        path: str = scope["path"]
        attached = path.startswith("/v1/cases/") and path.endswith("/attachments")
        large = attached or path.startswith("/v1/sources/")
        return self._max_bytes if large or not path.startswith("/v1/") else MAX_FORM_BYTES

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """The body, cut off where it grows larger than anything that is taken."""
        seen, most = 0, self._most(scope)

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise OversizeSource(
                    "The request is too large.", "Send less at once; see the limits in force."
                )
            return message

        return counted

    def _set_headers(self, scope: Scope, asked: Headers, headers: MutableHeaders) -> None:
        if "authorization" in asked or COOKIE in asked.get("cookie", ""):
            # What one person may see is not left in a browser that others use.
            headers.setdefault("cache-control", "private, no-store")
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.secure:
            headers.setdefault("strict-transport-security", "max-age=31536000")
        if visitor := scope.get("state", {}).get("visitor"):
            headers.append("set-cookie", cookie(VISITOR, visitor, secure=self.secure))


def cookie(name: str, value: str, *, secure: bool, max_age_s: int | None = None) -> str:
    """A Set-Cookie line: for this site alone, out of reach of scripts."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    parts += [f"Max-Age={max_age_s}"] if max_age_s is not None else []
    return "; ".join(parts + (["Secure"] if secure else []))


def session_cookie(secret: str | None, *, secure: bool, longest_days: int) -> str:
    """The cookie that keeps a person signed in; None signs them out."""
    age = longest_days * 86400 if secret else 0
    return cookie(COOKIE, secret or "", secure=secure, max_age_s=age)


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site's page sent it."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def local_path(address: str) -> str:
    """The address if it leads to a page here, else the start page: nobody is sent elsewhere.

    >>> local_path("/documents?kind=law"), local_path("//evil.example/x"), local_path("https://evil.example")
    ('/documents?kind=law', '/', '/')
    """
    leads_here = address.startswith("/") and not address.startswith("//")
    return address if leads_here and address.isprintable() and "\\" not in address else "/"

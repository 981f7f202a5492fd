"""Errors to HTTP: `application/problem+json` under /v1, a page elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from kb import errors as kb
from kb.errors import KbError

STATUS: Mapping[type[KbError], int] = {
    kb.NotFound: 404,
    kb.SignInRequired: 401,
    kb.SignInFailed: 401,
    kb.Refused: 403,
    kb.Conflict: 409,
    kb.TooManyRequests: 429,
    kb.UnsupportedFormat: 415,
    kb.OversizeSource: 413,
    kb.DocumentError: 422,
    kb.RequestError: 400,
    kb.ServiceError: 503,
    kb.KbError: 500,
}
"""HTTP status by the nearest of an error's classes."""

PROBLEM = "application/problem+json"


class Internal(KbError):
    """A bug of ours; the log has the rest."""

    code = "internal"


class Led(Exception):
    """Another page comes first: the answer leads to its address."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


def status_of(error: KbError) -> int:
    """HTTP status of an error."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def error_of(code: str, message: str) -> KbError:
    """The error that a report tells by its code and message."""

    def below(cls: type[KbError]) -> Iterator[type[KbError]]:
        yield cls
        for sub in cls.__subclasses__():
            yield from below(sub)

    return next(cls for cls in below(KbError) if cls.code == code)(message)


def problem(status: int, code: str, message: str, hint: str = "", **more: Any) -> JSONResponse:
    """A problem document (RFC 9457) with our stable `code`."""
    body = {
        "type": f"urn:gongxue:error:{code}",
        "title": message,
        "status": status,
        "code": code,
        "detail": hint,
    }
    return JSONResponse(body | more, status_code=status, media_type=PROBLEM)


def sign_in_address(request: Request) -> str:
    """The sign-in page that leads back to what this request asked for."""
    return "/sign-in?next=" + quote(asked_for(request), safe="/")


def asked_for(request: Request) -> str:
    """The address of the request; the start page if it cannot be asked for again."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else "/"


def add_handlers(app: FastAPI) -> None:
    """Answer every error in the form that the asker expects."""
    from api.pages import error_page

    def answer(request: Request, status: int, error: KbError) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(
            "/v1"
        )
        if wants_page and isinstance(error, kb.SignInRequired) and request.method == "GET":
            return RedirectResponse(sign_in_address(request), 303)
        if wants_page:
            return error_page(request, status, error)
        return problem(status, error.code, error.message, error.hint)

    @app.exception_handler(Led)
    def led(request: Request, error: Led) -> Response:
        return RedirectResponse(error.to, 303)

    @app.exception_handler(KbError)
    def known(request: Request, error: KbError) -> Response:
        return answer(request, status_of(error), error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        return answer(
            request,
            400,
            kb.InvalidQuery(f"Cannot take {where}: {first['msg']}.", "See /docs for what is taken."),
        )

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(request, 404, kb.NotFound("There is no such page.", "Begin at the search page."))
        refused = problem(error.status_code, "bad_request", str(error.detail), "See /docs for what is taken.")
        refused.headers.update(error.headers or {})
        return refused

    @app.exception_handler(Exception)
    def unknown(request: Request, error: Exception) -> Response:
        structlog.get_logger().error("unhandled", path=request.url.path, exc_info=error)
        return answer(
            request,
            500,
            Internal("Something broke on our side.", "Try again; tell the administrator if it stays."),
        )

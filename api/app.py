"""The web application: pages, HTTP, health and metrics on one set of services."""

import logging
import sys
import time
from functools import partial
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    account_pages,
    asking_pages,
    ballot_pages,
    case_outcome_pages,
    case_pages,
    case_review_pages,
    case_writing_pages,
    document_sharing_pages,
    errors,
    exam_pages,
    hand_in_pages,
    http,
    http_access,
    http_adoptions,
    http_asking,
    http_attempts,
    http_ballots,
    http_bank,
    http_cases,
    http_drafts,
    http_papers,
    http_results,
    manage_pages,
    openapi_page,
    original_page,
    pages,
    paper_pages,
    question_pages,
    result_pages,
    sitting_pages,
)
from api.openapi import Described
from api.principal import Asker
from api.security import Security
from api.services import Services
from api.settings import Settings

VERSION = "0.1.0"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class HeadAsGet:
    """Answers HEAD as GET without its body, on every route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, HEAD as GET."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, send_head)


class Measured:
    """Counts answers by route and status, and times them."""

    def __init__(self, app: ASGIApp, requests: Counter, seconds: Histogram) -> None:
        self.app = app
        self._requests = requests
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._requests.labels(route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - began)


def create_app(services: Services) -> FastAPI:
    """A fresh application on these services; they are the caller's to close."""
    app = Described(
        title="共学 Gongxue",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[account_pages.Settled],
        description="Search policy and study material by clause, under a scope, with nothing outside the machine.",
    )
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(services.settings))
    errors.add_handlers(app)
    _add_metrics(app)
    app.include_router(http.router(services))
    app.include_router(http_access.router(services))
    app.include_router(http_bank.router(services))
    app.include_router(http_papers.router(services))
    app.include_router(openapi_page.router())
    holding = partial(document_sharing_pages.holding, services)
    app.include_router(pages.router(services, holding, services.cases.library.of_document))
    app.include_router(original_page.router(services))
    app.include_router(document_sharing_pages.router(services))
    app.include_router(hand_in_pages.router(services))
    app.include_router(manage_pages.router(services))
    app.include_router(account_pages.router(services))
    app.include_router(sitting_pages.router(services))
    app.include_router(question_pages.router(services))
    app.include_router(paper_pages.router(services))
    # Its /manage/exams/new comes before the exam of any id.
    app.include_router(exam_pages.router(services))
    app.include_router(result_pages.router(services))
    app.include_router(http_results.router(services))
    app.include_router(http_attempts.router(services))
    # Its /v1/cases/drafts comes before the case of any id.
    app.include_router(http_drafts.router(services))
    app.include_router(http_cases.router(services))
    app.include_router(http_ballots.router(services))
    app.include_router(ballot_pages.router(services))
    app.include_router(http_adoptions.router(services))
    app.include_router(case_outcome_pages.router(services))
    app.include_router(case_writing_pages.router(services))
    app.include_router(case_review_pages.router(services))
    app.include_router(http_asking.router(services))
    app.include_router(asking_pages.router(services))
    # After those of cases with fixed words: /cases/{case_id} takes any.
    app.include_router(case_pages.router(services))
    app.mount("/static", pages.static_files(), name="static")

    app.state.access = services.access
    app.state.demonstration = services.access.is_demonstration()
    app.add_middleware(HeadAsGet)
    app.add_middleware(Security, settings=services.settings)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        ready = services.is_ready()
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    return app


def _hosts(settings: Settings) -> list[str]:
    named = [h.strip() for h in settings.allowed_hosts.split(",") if h.strip()]
    listening = [] if settings.host in ("0.0.0.0", "::") else [settings.host]
    public = [urlsplit(settings.url).hostname or ""] if settings.url else []
    return [*LOOPBACK, *listening, *public, *named]


def _add_metrics(app: FastAPI) -> None:
    registry = CollectorRegistry()
    requests = Counter(
        "gongxue_requests", "Requests by route and status.", ["route", "status"], registry=registry
    )
    seconds = Histogram("gongxue_request_seconds", "Time to answer, by route.", ["route"], registry=registry)

    app.add_middleware(Measured, requests=requests, seconds=seconds)

    @app.get("/metrics", include_in_schema=False)
    def metrics(asker: Asker) -> Response:
        # What is asked for, how often and how it went tells of others: it is for operators.
        asker.require_operator()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def log_to_stderr(level: str) -> None:
    """Send structured log lines, one JSON object each, to standard error from `level` up."""
    logging.basicConfig(level=level.upper(), format="%(message)s")
    # It tells of every start and every look at an empty queue.
    logging.getLogger("huey").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )

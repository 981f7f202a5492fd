"""The pages: search, documents, one document, its original, suggestions.

Every page is rendered here on the server and works without script. A page's
whole state is in its address; see `api.address.State`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, MutableMapping
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import quote

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from access.principal import Principal
from api import document_view as reading
from api import views
from api.address import KIND_WORDS, LEG_WORDS, MODE_WORDS, VALIDITY_WORDS, Problem, State
from api.errors import sign_in_address
from api.forms import form_token
from api.principal import Asker, Scope, principal
from kb.errors import InvalidQuery, KbError
from kb.model import Answer, Document, DocumentCard, Kind, Query, Source, Validity

WEB = Path(__file__).resolve().parents[1] / "web"
CARDS_PER_PAGE = 30
RECENT = 5
SUGGEST_LENGTH = 200

EXAMPLES = ("党费每月交多少", "共建活动经费怎么报销", "夜班怎么组织学习")


class Library(Protocol):
    """What the pages need of the services; see `api.services.Services`."""

    def search(self, query: Query) -> Answer:
        """Hits for a query, or InvalidQuery."""

    def suggest(self, text: str, scope: frozenset[str], k: int = 8) -> tuple[DocumentCard, ...]:
        """Documents whose title or 文号 contains the text."""

    def document(self, document_id: str, scope: frozenset[str]) -> Document:
        """The document whole, or NotFound."""

    def versions(self, document_id: str, scope: frozenset[str]) -> tuple[DocumentCard, ...]:
        """Every version of its work, newest first, this one among them."""

    def documents(
        self, scope: frozenset[str], *, kind: Kind | None = None, offset: int = 0, k: int = 50
    ) -> tuple[int, tuple[DocumentCard, ...]]:
        """How many there are, and one page of them, newest first."""

    def original(self, document_id: str, scope: frozenset[str]) -> Source:
        """The bytes handed in, or NotFound."""

    def overview(self, scope: frozenset[str]) -> Mapping[str, int]:
        """Documents by kind, and "passages"."""

    def note_reading(self, by: Principal, document_id: str, action: str = "document.read") -> None:
        """Tell in the audit trail that it was read."""


Holding = Callable[[Principal, str, str], object | None]
CaseOf = Callable[[frozenset[str], str], str | None]


def router(
    services: Library,
    holding: Holding = lambda by, document_id, done: None,
    case_of: CaseOf = lambda scope, document_id: None,
) -> APIRouter:
    """The routes of the pages over these services.

    Args:
        holding: what the document page tells the asker beside the text, None for nothing; with the code of
            what was just done.
        case_of: the case whose document this is, if it is one in the scope.
    """
    pages = APIRouter(include_in_schema=False)
    page = partial(pages.api_route, methods=["GET", "HEAD"])

    @page("/")
    def search(request: Request, scope: Scope) -> HTMLResponse:
        """The box; with words in the address, what was found for them."""
        state = State.read(request.query_params)
        problems = state.problems()
        if not state.q and not problems:
            return _start(request, services, scope, state)
        answer = None
        if not problems:
            try:
                answer = services.search(state.query(scope))
            except InvalidQuery as error:
                problems = [Problem("q", f"{views.BAD_REQUEST[0]}：{error}")]
        kinds = {h.document_id: h.kind for h in answer.hits} if answer else {}
        shown = {
            "answer": answer,
            "cases": {d: case_of(scope, d) for d, kind in kinds.items() if kind is Kind.CASE},
            "hits": views.hit_views(state, answer.hits) if answer else (),
            "facets": views.facets(state, answer.facets if answer else {}),
            "pager": views.pager(state.page, answer.total if answer else 0),
            "late": answer is not None and views.is_late_page(state, answer),
            "similar": services.suggest(state.q, scope, 5) if answer and not answer.total else (),
        }
        context = {"state": state, "problems": problems, "chips": views.chips(state), **shown}
        return render(request, "results.html", context, status=400 if problems else 200)

    @page("/documents")
    def documents(request: Request, scope: Scope) -> HTMLResponse:
        """Documents by kind, newest first."""
        state = State.read(request.query_params)
        kind = Kind(state.kind[0]) if state.kind and state.kind[0] in set(Kind) else None
        offset = (state.page - 1) * CARDS_PER_PAGE
        total, cards = services.documents(scope, kind=kind, offset=offset, k=CARDS_PER_PAGE)
        context = {
            "kind": kind,
            "state": State(kind=(kind,) if kind else (), page=state.page),
            "total": total,
            "cards": cards,
            "counts": services.overview(scope),
            "pager": views.pager(state.page, total, CARDS_PER_PAGE),
        }
        return render(request, "documents.html", context)

    @page("/documents/{document_id}")
    def document(request: Request, document_id: str, asker: Asker) -> HTMLResponse:
        """One document, with the hits of the search that led here marked."""
        scope = asker.scope
        found = services.document(document_id, scope)
        services.note_reading(asker, document_id)
        versions = services.versions(document_id, scope)
        state, current = State.read(request.query_params), request.query_params.get("hit", "")
        answer = bar = None
        if state.q and not state.problems():
            offset, k = reading.window(state)
            answer = services.search(state.query(scope, k=k, offset=offset))
            bar = reading.hit_bar(state, document_id, answer, current)
        here = [hit for hit in answer.hits if hit.document_id == document_id] if answer else []
        context = {
            "document": found,
            "meta": found.meta,
            "facts": reading.facts(found),
            "abstract_in_text": reading.tells_abstract(found),
            "standing": _standing(versions, document_id),
            "holding": holding(asker, document_id, request.query_params.get("done", "")),
            "case_id": case_of(scope, document_id) if found.meta.kind is Kind.CASE else None,
            "versions": versions,
            "in_force": reading.in_force(versions, document_id),
            "view": reading.lay_out(found, here, current),
            "n_here": len(here),
            "state": state,
            "bar": bar,
        }
        return render(request, "document.html", context)

    @page("/documents/{document_id}/original")
    def original(document_id: str, asker: Asker) -> Response:
        """The bytes as they were handed in, to keep rather than to open here."""
        source = services.original(document_id, asker.scope)
        services.note_reading(asker, document_id, "document.original")
        headers = {
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": attachment(source.name),
        }
        return Response(source.data, headers=headers, media_type=_media_type(source.media_type))

    @page("/suggest")
    def suggest(scope: Scope, q: str = "") -> JSONResponse:
        """Titles for the box as it is typed into."""
        text = q.strip()[:SUGGEST_LENGTH]
        cards = services.suggest(text, scope) if text else ()
        body = {"query": text, "suggestions": [_suggestion(card) for card in cards]}
        return JSONResponse(body)

    return pages


def render(request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
    """A page of the shell; `context` holds what the template asks for besides the request."""
    shell = {
        "asker": principal(request),
        "demonstration": getattr(request.app.state, "demonstration", False),
        "form_token": partial(form_token, request),
        "menu": views.menu(principal(request)),
        "sign_in_address": sign_in_address(request),
    }
    html = _templates().get_template(template).render(request=request, **shell, **context)
    return HTMLResponse(html, status_code=status)


def error_page(request: Request, status: int, error: KbError) -> HTMLResponse:
    """A page that says what happened and what to do; keeps what was typed."""
    title, advice = views.error_words(status, error)
    context = {
        "title": title,
        "advice": advice,
        "error": error,
        "status": status,
        "state": State.read(request.query_params),
    }
    return render(request, "error.html", context, status=status)


def asset(path: str) -> str:
    """Address of a static file that changes with its content, so that it may be kept for long."""
    file = WEB / "static" / path
    return f"/static/{path}?v={_digest(file, file.stat().st_mtime_ns)}"


def static_files() -> StaticFiles:
    """The static files, kept for a year when asked for under the hash that `asset` gives."""
    return _Assets(directory=WEB / "static")


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        asked = scope.get("query_string", b"").decode("latin-1")
        lasting = response.status_code in (200, 304) and asset(path).endswith(f"?{asked}")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def attachment(name: str) -> str:
    """Content-Disposition for a file name of any script; folders in it are dropped.

    >>> attachment("政策/通知 1.pdf")
    'attachment; filename="1.pdf"; filename*=UTF-8\\'\\'%E9%80%9A%E7%9F%A5%201.pdf'

    Source: RFC 6266 and RFC 5987.
    """
    base = PurePosixPath(name.replace("\\", "/")).name or "original"
    base = re.sub(r"[\x00-\x1f\x7f]", "", base).encode("utf-8", "replace").decode()
    stem, suffix = (re.sub(r"[^A-Za-z0-9._-]+", "", part).strip("._-") for part in _split_suffix(base))
    plain = (stem or "original") + ("." + suffix if suffix else "")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(base, safe='')}"


def _split_suffix(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return (stem, suffix) if dot else (name, "")


def _start(request: Request, services: Library, scope: frozenset[str], state: State) -> HTMLResponse:
    total, recent = services.documents(scope, k=RECENT)
    context = {
        "state": state,
        "problems": (),
        "counts": services.overview(scope),
        "total": total,
        "recent": recent,
        "examples": (*EXAMPLES, *[card.number for card in recent if card.number][:1]),
    }
    return render(request, "start.html", context)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(
        asset=asset,
        State=State,
        KIND_WORDS=KIND_WORDS,
        VALIDITY_WORDS=VALIDITY_WORDS,
        MODE_WORDS=MODE_WORDS,
        LEG_WORDS=LEG_WORDS,
        is_badged=views.is_badged,
    )
    environment.filters["day"] = views.day_words
    environment.filters["moment"] = views.moment_words
    return environment


@cache
def _digest(file: Path, changed_ns: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _standing(versions: tuple[DocumentCard, ...], document_id: str) -> Validity | None:
    return next((card.validity for card in versions if card.document_id == document_id), None)


def _media_type(claimed: str) -> str:
    return claimed if re.fullmatch(r"[\w.+-]+/[\w.+-]+", claimed, re.ASCII) else "application/octet-stream"


def _suggestion(card: DocumentCard) -> dict[str, str]:
    return {
        "title": card.title,
        "href": f"/documents/{quote(card.document_id, safe='')}",
        "kind": KIND_WORDS[card.kind],
        "validity": VALIDITY_WORDS[card.validity] if views.is_badged(card.validity, card.kind) else "",
        "number": card.number or "",
    }

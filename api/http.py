"""HTTP under /v1: the same JSON as the command line."""

from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import Field

from access.rights import Action
from access.sharing import Wanted
from api import schemas
from api.access_schemas import BRANCH
from api.errors import error_of
from api.forms import OwnRequest
from api.json import answer_json, card_json, document_json
from api.principal import Asker, Scope
from api.schemas import ANY, BYTES, CHANGE, problems
from api.services import Services
from ingest.readers import media_type_of
from kb.errors import OversizeSource
from kb.model import Kind, Mode, Source, Validity
from kb.model import Query as SearchQuery
from search.engine import MAX_WINDOW

Json = dict[str, Any]
Year = Annotated[int, Field(ge=1, le=9999)]


def router(services: Services) -> APIRouter:
    """The routes under /v1 over these services."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))

    @routes.get("/search", summary="Search passages", response_model=schemas.Answer, responses=problems(400))
    def search(
        scope: Scope,
        q: Annotated[str, Query(description="What is asked: words, a question, a 文号, a law and article.")],
        k: Annotated[int, Query(ge=1, le=100)] = 10,
        offset: Annotated[int, Query(ge=0, lt=MAX_WINDOW)] = 0,
        mode: Mode = Mode.HYBRID,
        kind: Annotated[list[Kind] | None, Query()] = None,
        issuer: Annotated[list[str] | None, Query()] = None,
        year: Annotated[list[Year] | None, Query()] = None,
        validity: Annotated[list[Validity] | None, Query()] = None,
        as_of: Annotated[date | None, Query(description="Only texts in force on this day.")] = None,
        explain: bool = False,
    ) -> Json:
        return answer_json(
            services.search(
                SearchQuery(
                    q,
                    scope,
                    k=k,
                    offset=offset,
                    mode=mode,
                    as_of=as_of,
                    validity=frozenset(validity or ()),
                    kinds=frozenset(kind or ()),
                    issuers=frozenset(issuer or ()),
                    years=frozenset(year or ()),
                    explain=explain,
                )
            )
        )

    @routes.get(
        "/suggest",
        summary="Titles that contain what was typed",
        response_model=schemas.Cards,
        responses=problems(400),
    )
    def suggest(
        scope: Scope, q: Annotated[str, Query(max_length=200)], k: Annotated[int, Query(ge=1, le=50)] = 8
    ) -> Json:
        return {"documents": [card_json(c) for c in services.suggest(q, scope, k)]}

    @routes.get(
        "/documents",
        summary="Documents, newest first",
        response_model=schemas.Page,
        responses=problems(400),
    )
    def documents(
        scope: Scope,
        kind: Kind | None = None,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        k: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Json:
        total, cards = services.documents(scope, kind=kind, offset=offset, k=k)
        return {"total": total, "documents": [card_json(c) for c in cards]}

    @routes.get(
        "/documents/{document_id}",
        summary="One document with its structure",
        response_model=schemas.Document,
        responses=problems(404),
    )
    def document(asker: Asker, document_id: str) -> Json:
        found = document_json(
            services.document(document_id, asker.scope), services.card(document_id, asker.scope)
        )
        services.note_reading(asker, document_id)
        return found

    @routes.get(
        "/documents/{document_id}/versions",
        summary="All versions of its work, newest first",
        response_model=schemas.Cards,
        responses=problems(404),
    )
    def versions(scope: Scope, document_id: str) -> Json:
        return {"documents": [card_json(c) for c in services.versions(document_id, scope)]}

    @routes.get(
        "/documents/{document_id}/original",
        summary="The bytes handed in",
        response_class=Response,
        responses={200: {"content": {"*/*": BYTES}}, **problems(404)},
    )
    def original(asker: Asker, document_id: str) -> Response:
        source = services.original(document_id, asker.scope)
        services.note_reading(asker, document_id, "document.original")
        name = quote(PurePosixPath(source.name).name)
        return Response(
            source.data,
            media_type=source.media_type,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @routes.put(
        "/sources/{name}",
        summary="Hand in one source, its bytes as the body",
        response_model=schemas.Added,
        responses=problems(*CHANGE, 404, 415, 422),
        dependencies=[OwnRequest],
        openapi_extra={"requestBody": {"required": True, "content": {"*/*": BYTES}}},
    )
    async def put_source(
        request: Request,
        asker: Asker,
        name: Annotated[str, Path(max_length=200)],
        branch: Annotated[str, Query(pattern=BRANCH, description="Branch that keeps it.")],
        audience: Annotated[
            list[Annotated[str, Field(max_length=64)]] | None,
            Query(
                max_length=200,
                description="own, partners, everyone, branch:ID or group:ID; none is the owner alone.",
            ),
        ] = None,
    ) -> Json:
        asker.require(Action.ADD, branch)
        media_type = media_type_of(name)
        data = await _body(request, name, services.settings.max_source_mb * 1024 * 1024)
        wanted = [Wanted(a) for a in audience or ()]
        outcome = await run_in_threadpool(
            services.holdings.hand_in, asker, branch, Source(name, media_type, data), wanted
        )
        if outcome.status == "failed":
            raise error_of(outcome.code, outcome.message)
        return {
            "status": outcome.status,
            "document_id": outcome.document_id,
            "passages": outcome.n_passages,
        }

    @routes.delete(
        "/documents/{document_id}",
        status_code=204,
        summary="Take a document out at once",
        responses=problems(*CHANGE, 404),
        dependencies=[OwnRequest],
    )
    def withdraw(
        asker: Asker, document_id: str, reason: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        services.holdings.withdraw(asker, document_id, reason)
        return Response(status_code=204)

    @routes.get(
        "/status",
        summary="How many documents one sees, and whether the index has come up to them",
        response_model=schemas.Status,
    )
    def status(scope: Scope) -> Json:
        counts = services.overview(scope)
        passages = counts.pop("passages")
        return {"documents": sum(counts.values()), "passages": passages, "ready": services.is_ready()}

    return routes


async def _body(request: Request, name: str, max_bytes: int) -> bytes:
    """The body, read no further than the limit."""
    parts, n = [], 0
    async for part in request.stream():
        n += len(part)
        if n > max_bytes:
            raise OversizeSource(
                f"Cannot take {name}: more than {max_bytes:,} bytes.", "Split it, or raise the limit."
            )
        parts.append(part)
    return b"".join(parts)

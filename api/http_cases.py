"""HTTP under /v1 for finding and reading cases."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import case_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.case_files import file_answer
from api.case_view import LONGEST_OUTCOME
from api.forms import OwnSave
from api.json import hit_json
from api.principal import Asker, Scope
from api.schemas import ANY, BYTES, problems
from api.services import Services
from cases.finder import LONGEST_PROBLEM
from cases.model import COSTS, INDUSTRIES, SIZES, Attachment, CaseCard, CaseFilters, Field, Level

Json = dict[str, Any]
_LIKENESS = (Field.TITLE, Field.PROBLEM, Field.PRACTICE)
"""The fields by which a case touches policies."""


def _one_of(values: Any) -> str:
    return f"^({'|'.join(values)})$"


Industry = Annotated[str, Query(pattern=_one_of(INDUSTRIES))]
Size = Annotated[str, Query(pattern=_one_of(SIZES))]
Cost = Annotated[str, Query(pattern=_one_of(COSTS))]
Branch = Annotated[str, Query(pattern=BRANCH)]


def router(services: Services) -> APIRouter:
    """The routes under /v1 over published cases."""
    routes = APIRouter(prefix="/v1/cases", responses=problems(*ANY))
    library, finder = services.cases.library, services.cases.finder

    @routes.get(
        "",
        summary="Find cases by a problem, or list the newest",
        response_model=schemas.FoundCases,
        responses=problems(400),
    )
    def find(
        scope: Scope,
        q: Annotated[
            str, Query(max_length=LONGEST_PROBLEM, description="The problem, in one's own words.")
        ] = "",
        industry: Annotated[list[Industry] | None, Query(description="Letters of GB/T 4754.")] = None,
        size: Annotated[list[Size] | None, Query(description="Bands of people.")] = None,
        cost: Annotated[list[Cost] | None, Query(description="Bands of yuan.")] = None,
        level: Annotated[list[Level] | None, Query(description="How far the problem is solved.")] = None,
        branch: Annotated[list[Branch] | None, Query(description="Who shared it.")] = None,
        outcome: Annotated[
            str, Query(max_length=LONGEST_OUTCOME, description="What the outcome speaks of.")
        ] = "",
        k: Annotated[int, Query(ge=1, le=100)] = 10,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> Json:
        filters = CaseFilters(
            industries=frozenset(industry or ()),
            sizes=frozenset(size or ()),
            costs=frozenset(cost or ()),
            levels=frozenset(level or ()),
            branches=frozenset(branch or ()),
            outcome=outcome.strip(),
        )
        found = finder.find(q.strip(), scope, filters, k=k, offset=offset)
        return {
            "total": found.total,
            "cases": [card_json(c) for c in found.cards],
            "facets": {name: dict(counts) for name, counts in found.facets.items()},
        }

    @routes.post(
        "/like",
        summary="Cases like a form that is being written, and the policies it touches; nothing is kept",
        response_model=schemas.LikeCases,
        responses=problems(400, 403, 413),
        dependencies=[OwnSave],
    )
    def like(scope: Scope, body: schemas.Likeness) -> Json:
        text = "\n".join(body.body[f] for f in _LIKENESS if body.body.get(f))
        cards = finder.like(body.body, scope, body.k, without=body.without)
        return {
            "cases": [card_json(c) for c in cards],
            "policies": [hit_json(h) for h in finder.policies(text, scope, body.k)],
        }

    @routes.get(
        "/{case_id}",
        summary="A published case, field by field",
        response_model=schemas.PublishedCase,
        responses=problems(400, 404),
    )
    def case(asker: Asker, case_id: IdPath) -> Json:
        found = library.case(asker.scope, case_id)
        above = library.descent(asker.scope, case_id).above
        services.note_reading(asker, found.document_id)
        return {
            "case_id": found.case_id,
            "document_id": found.document_id,
            "branch_id": found.branch_id,
            "title": found.title,
            "body": dict(found.body),
            "attachments": [attachment_json(a) for a in found.attachments],
            "published_at": found.published_at,
            "derived_from": above[0].case_id if above else None,
        }

    @routes.get(
        "/{case_id}/similar",
        summary="Cases whose problem is like that of this one",
        response_model=schemas.CaseCards,
        responses=problems(400, 404),
    )
    def similar(scope: Scope, case_id: IdPath, k: Annotated[int, Query(ge=1, le=20)] = 5) -> Json:
        return {"cases": [card_json(c) for c in finder.similar(case_id, scope, k)]}

    @routes.get(
        "/{case_id}/attachments/{attachment_id}",
        summary="The bytes of an attachment",
        response_class=Response,
        responses={200: {"content": {"*/*": BYTES}}, **problems(400, 404)},
    )
    def attachment(asker: Asker, case_id: IdPath, attachment_id: IdPath) -> Response:
        return file_answer(*services.cases.attachments.open(asker, case_id, attachment_id))

    return routes


def card_json(card: CaseCard) -> Json:
    """A case in a list."""
    return asdict(card) | {"score": round(card.score, 6), "why": list(card.why)}


def attachment_json(attachment: Attachment) -> Json:
    """A file of a case, without its bytes."""
    found = asdict(attachment)
    del found["sha256"]
    return found

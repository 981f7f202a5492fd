"""HTTP under /v1 for what came of cases: taken over, spoken of, told in the ledger."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import case_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.forms import OwnRequest
from api.http_cases import card_json
from api.principal import Asker
from api.schemas import ANY, CHANGE, problems
from api.services import Services
from cases.ledger import LedgerRow

Json = dict[str, Any]

_CHANGED: Json = {"responses": problems(*CHANGE, 404), "dependencies": [OwnRequest]}
_NOTHING: Json = {"status_code": 204, "response_class": Response}
OwnBranch = Annotated[str, Query(pattern=BRANCH, description="A branch of one's own.")]


def router(services: Services) -> APIRouter:
    """The routes under /v1 over adoptions, feedback and the ledger."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    adoptions, ledger = services.cases.adoptions, services.cases.ledger

    @routes.get(
        "/cases/{case_id}/adoptions",
        summary="Who took a case over, and what came of it",
        response_model=schemas.Taken,
        responses=problems(400, 404),
    )
    def of_case(asker: Asker, case_id: IdPath) -> Json:
        return asdict(adoptions.of_case(asker, case_id))

    @routes.post(
        "/cases/{case_id}/adoptions",
        summary="Say how far a branch of one's own is with a case",
        status_code=201,
        response_model=schemas.Adopted,
        **_CHANGED,
    )
    def adopt(asker: Asker, case_id: IdPath, body: schemas.NewAdoption) -> Json:
        adoption_id = adoptions.adopt(
            asker, case_id, body.branch_id, body.progress, effect=body.effect, note=body.note, open=body.open
        )
        return {"adoption_id": adoption_id}

    @routes.get(
        "/adoptions",
        summary="What a branch of one's own took over, the latest first",
        response_model=schemas.Adoptions,
        responses=problems(400, 403),
    )
    def of_branch(asker: Asker, branch: OwnBranch) -> Json:
        return {"adoptions": [asdict(a) for a in adoptions.of_branch(asker, branch)]}

    @routes.get(
        "/adoptions/{adoption_id}/steps",
        summary="The steps of an adoption, for its branch and for those who write the case",
        response_model=schemas.AdoptionSteps,
        responses=problems(400, 403, 404),
    )
    def steps(asker: Asker, adoption_id: IdPath) -> Json:
        return {"steps": [asdict(s) for s in adoptions.steps(asker, adoption_id)]}

    @routes.delete(
        "/adoptions/{adoption_id}",
        summary="Forget that a branch of one's own took a case over",
        **_NOTHING,
        **_CHANGED,
    )
    def drop(asker: Asker, adoption_id: IdPath) -> None:
        adoptions.drop(asker, adoption_id)

    @routes.get(
        "/cases/{case_id}/feedback",
        summary="What branches say of a case, the latest first",
        response_model=schemas.CaseFeedback,
        responses=problems(400, 404),
    )
    def said(asker: Asker, case_id: IdPath) -> Json:
        return {"feedback": [asdict(f) for f in adoptions.said(asker, case_id)]}

    @routes.post(
        "/cases/{case_id}/feedback",
        summary="Say something of a case for a branch of one's own",
        status_code=201,
        response_model=schemas.FeedbackGiven,
        **_CHANGED,
    )
    def say(asker: Asker, case_id: IdPath, body: schemas.NewFeedback) -> Json:
        return {"feedback_id": adoptions.say(asker, case_id, body.branch_id, body.text, open=body.open)}

    @routes.delete(
        "/feedback/{feedback_id}",
        summary="Take back what a branch of one's own said",
        **_NOTHING,
        **_CHANGED,
    )
    def unsay(asker: Asker, feedback_id: IdPath) -> None:
        adoptions.unsay(asker, feedback_id)

    @routes.get(
        "/ledger",
        summary="What a branch shared with what came of it, and what it took over",
        response_model=schemas.Ledger,
        responses=problems(400, 403),
    )
    def rows(asker: Asker, branch: OwnBranch) -> Json:
        return {"rows": [_row(r) for r in ledger.rows(asker, branch)]}

    return routes


def _row(row: LedgerRow) -> Json:
    return {
        "side": row.side,
        "case": card_json(row.card) if row.card else None,
        "branch_id": row.branch_id,
        "adoption": asdict(row.adoption) if row.adoption else None,
        "feedback": row.feedback,
        "derived": row.derived,
    }

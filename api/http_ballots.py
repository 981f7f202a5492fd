"""HTTP under /v1 for votes of branches for model cases: called, nominated for, voted in, counted."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from access.sharing import Wanted
from api import case_schemas as schemas
from api.access_schemas import BranchPath, IdPath
from api.forms import OwnRequest, OwnSave
from api.principal import Asker
from api.schemas import ANY, CHANGE, problems
from api.services import Services

Json = dict[str, Any]

_SEEN = problems(400, 403, 404)
_CHANGED: Json = {"responses": problems(*CHANGE, 404)}
_CHANGING: Json = {**_CHANGED, "dependencies": [OwnRequest]}
_NOTHING: Json = {"status_code": 204, "response_class": Response}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over ballots."""
    routes = APIRouter(prefix="/v1/ballots", responses=problems(*ANY))
    ballots, office = services.cases.ballots, services.access.office

    @routes.get(
        "",
        summary="Ballots that one's branch was called to, or called",
        response_model=schemas.BallotCards,
        responses=problems(403),
    )
    def listed(asker: Asker) -> Json:
        cards = ballots.open_to(asker)
        return {
            "ballots": [
                {**asdict(c.ballot), "phase": c.phase, "n_cases": c.n_cases, "voted": c.voted} for c in cards
            ]
        }

    @routes.post(
        "",
        summary="Call branches to a vote for model cases",
        status_code=201,
        response_model=schemas.BallotId,
        **_CHANGING,
    )
    def call(asker: Asker, body: schemas.NewBallot) -> Json:
        ballot_id = ballots.call(
            asker,
            body.branch_id,
            body.title,
            body.opens_at,
            body.closes_at,
            body.n_votes,
            body.n_models,
            [Wanted(a) for a in dict.fromkeys(body.audience)],
        )
        return {"ballot_id": ballot_id}

    @routes.get(
        "/{ballot_id}",
        summary="One ballot, with its cases, one's own votes, and for what one may not vote",
        response_model=schemas.BallotWhole,
        responses=_SEEN,
    )
    def whole(asker: Asker, ballot_id: IdPath) -> Json:
        found = ballots.ballot(asker, ballot_id)
        return {
            **asdict(found),
            "phase": found.phase(office.now()),
            "nominees": [asdict(n) for n in ballots.nominees(asker, ballot_id)],
            "voices": [asdict(v) for v in ballots.voices(asker, ballot_id)],
        }

    @routes.get(
        "/{ballot_id}/result",
        summary="The count; a conflict until the ballot has closed",
        response_model=schemas.BallotResult,
        responses=problems(400, 403, 404, 409),
    )
    def result(asker: Asker, ballot_id: IdPath) -> Json:
        return {"standings": [asdict(s) for s in ballots.result(asker, ballot_id)]}

    @routes.post(
        "/{ballot_id}/nominations",
        summary="Put a case of one's own branch up for the vote",
        **_NOTHING,
        **_CHANGING,
    )
    def nominate(asker: Asker, ballot_id: IdPath, body: schemas.Nomination) -> None:
        ballots.nominate(asker, ballot_id, body.case_id)

    @routes.delete(
        "/{ballot_id}/nominations/{case_id}",
        summary="Take a nomination of one's own branch back, and the votes for it",
        **_NOTHING,
        **_CHANGING,
    )
    def take_back(asker: Asker, ballot_id: IdPath, case_id: IdPath) -> None:
        ballots.take_back(asker, ballot_id, case_id)

    @routes.put(
        "/{ballot_id}/votes/{branch_id}",
        summary="Cast the votes of a branch, in place of those before",
        dependencies=[OwnSave],
        **_NOTHING,
        **_CHANGED,
    )
    def vote(asker: Asker, ballot_id: IdPath, branch_id: BranchPath, body: schemas.Votes) -> None:
        ballots.vote(asker, ballot_id, branch_id, body.case_ids)

    @routes.post("/{ballot_id}/end", summary="Close a ballot now, and count it", **_NOTHING, **_CHANGING)
    def end(asker: Asker, ballot_id: IdPath) -> None:
        ballots.end(asker, ballot_id)

    return routes

"""HTTP under /v1 for papers: made, seen, mended, exported."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import quiz_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.forms import OwnRequest
from api.pages import attachment
from api.principal import Asker
from api.schemas import ANY, BYTES, CHANGE, problems
from api.services import Services
from kb.errors import InvalidRequest
from quiz.blueprint import Blueprint, Line, blueprint_json, shortfall_json
from quiz.exchange import format_named
from quiz.model import question_json
from quiz.paper import Paper, Place
from quiz.papers import Papers

Json = dict[str, Any]

_CHANGED: Json = {"responses": problems(*CHANGE, 404), "dependencies": [OwnRequest]}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over papers."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    papers: Papers = services.quiz.papers

    @routes.get(
        "/papers",
        summary="Papers of a branch, newest first",
        response_model=schemas.Papers,
        responses=problems(400, 403),
    )
    def listed(
        asker: Asker, branch: Annotated[str, Query(pattern=BRANCH, description="The branch whose they are.")]
    ) -> Json:
        return {"papers": [_card(p) for p in papers.papers(asker, branch)]}

    @routes.post(
        "/papers",
        summary="Make a paper: solved from a blueprint, or of chosen questions",
        status_code=201,
        response_model=schemas.Paper,
        **_CHANGED,
    )
    def make(asker: Asker, body: schemas.NewPaper) -> Json:
        if (body.blueprint is None) == (not body.question_ids):
            raise InvalidRequest(
                "Cannot make a paper: give a blueprint, or question_ids, and not both.",
                "Send one of them.",
            )
        if body.blueprint is None:
            paper_id = papers.by_hand(asker, body.branch_id, body.title, body.question_ids)
        else:
            wanted = _blueprint(body.blueprint)
            paper_id = papers.make(asker, body.branch_id, body.title, wanted, body.seed)
        return _whole(papers.paper(asker, paper_id))

    @routes.get(
        "/papers/{paper_id}",
        summary="One paper with its forms",
        response_model=schemas.Paper,
        responses=problems(400, 403, 404),
    )
    def paper(asker: Asker, paper_id: IdPath) -> Json:
        return _whole(papers.paper(asker, paper_id))

    @routes.post(
        "/papers/{paper_id}/replace",
        summary="Put another question into a place, which keeps the blueprint",
        response_model=schemas.PaperPlace,
        **_CHANGED,
    )
    def replace(asker: Asker, paper_id: IdPath, body: schemas.Replacement) -> Json:
        return _place(papers.replace(asker, paper_id, body.form, body.position, body.question_id))

    @routes.get(
        "/papers/{paper_id}/export",
        summary="A form in the format of another program, with its key",
        response_class=Response,
        responses={**problems(400, 403, 404, 415), 200: {"content": {"*/*": BYTES}}},
    )
    def export(
        asker: Asker,
        paper_id: IdPath,
        format: Annotated[str, Query(max_length=40, description="Such as docx, pdf, xlsx, gift, json.")],
        form: Annotated[int, Query(ge=1, le=2**31 - 1)] = 1,
    ) -> Response:
        written = papers.export(asker, paper_id, form, format)
        known, title = format_named(format), papers.paper(asker, paper_id).title
        return Response(
            written.data,
            headers={
                "Content-Disposition": attachment(title + known.suffix),
                "X-Losses": str(len(written.losses)),
            },
            media_type=known.media_type,
        )

    return routes


def _blueprint(body: schemas.PaperBlueprint) -> Blueprint:
    lines = [
        Line(line.n, line.points, frozenset(line.types), line.topics, line.difficulty, frozenset(line.slots))
        for line in body.lines
    ]
    return Blueprint(tuple(lines), body.n_forms, body.drawn)


def _card(paper: Paper) -> Json:
    return {
        "paper_id": paper.paper_id,
        "branch_id": paper.branch_id,
        "title": paper.title,
        "blueprint": blueprint_json(paper.blueprint),
        "seed": paper.seed,
        "shortfalls": [shortfall_json(s) for s in paper.shortfalls],
        "made_by": paper.made_by,
        "made_at": paper.made_at,
        "changed_at": paper.changed_at,
        "given_out": paper.given_out,
    }


def _whole(paper: Paper) -> Json:
    return {**_card(paper), "forms": [[_place(p) for p in form] for form in paper.forms]}


def _place(place: Place) -> Json:
    question = place.question
    return {
        "position": place.position,
        "line": place.line,
        "type": place.type,
        "points": place.planned.points,
        "usable": place.usable,
        # The id follows from the key: of what is gone it is not told either.
        "question_id": place.planned.question_id if question else None,
        "version": place.planned.version if question else None,
        "question": question_json(question) if question else None,
    }

"""HTTP under /v1 for open questions: what there is already, asking, answering, and what solved it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from access.sharing import Wanted
from api import case_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.forms import OwnRequest, OwnSave
from api.http_cases import card_json
from api.principal import Asker
from api.schemas import ANY, CHANGE, problems
from api.services import Services
from cases.model import CaseFilters
from cases.people import who_knows
from cases.question import OpenQuestion, QuestionAnswer, QuestionReach

Json = dict[str, Any]

_SEEN = problems(400, 403, 404)
_CHANGED: Json = {"responses": problems(*CHANGE, 404)}
_CHANGING: Json = {**_CHANGED, "dependencies": [OwnRequest]}
_NOTHING: Json = {"status_code": 204, "response_class": Response}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over open questions."""
    routes = APIRouter(prefix="/v1/case-questions", responses=problems(*ANY))
    _add_asking(routes, services)
    _add_answering(routes, services)
    return routes


def _add_asking(routes: APIRouter, services: Services) -> None:
    questions, cases = services.cases.questions, services.cases

    @routes.get(
        "",
        summary="Questions that other branches put to one's own, or what a branch asked",
        response_model=schemas.CaseQuestions,
        responses=problems(400, 403),
    )
    def listed(
        asker: Asker,
        branch: Annotated[str, Query(pattern=f"^$|{BRANCH}", description="The branch that asked.")] = "",
    ) -> Json:
        found = questions.of_branch(asker, branch) if branch else questions.open_to(asker)
        return {"questions": [_question(q) for q in found], "n_waiting": questions.n_waiting(asker)}

    @routes.post(
        "/sought",
        summary="What there is of a problem before one asks: cases, who may know, nearly the same questions",
        response_model=schemas.Sought,
        responses=problems(400, 403, 413),
        dependencies=[OwnSave],
    )
    def sought(asker: Asker, body: schemas.SoughtProblem) -> Json:
        asker.require_person()
        cards = cases.finder.find(body.problem, asker.scope, CaseFilters()).cards
        people = who_knows(services.access.office, cases.library, asker, cards)
        return {
            "cases": [card_json(c) for c in cards],
            "people": [asdict(k) for k in people],
            "questions": [_question(q) for q in questions.near(asker, body.problem)],
        }

    @routes.post(
        "/preview",
        summary="Who would see a question if it were put to these; nothing is changed",
        response_model=schemas.QuestionReach,
        dependencies=[OwnSave],
        **_CHANGED,
    )
    def preview(asker: Asker, body: schemas.NewQuestionPreview) -> Json:
        return _reach(questions.preview(asker, body.branch_id, _wanted(body.audience)))

    @routes.post(
        "", summary="Ask for a branch", status_code=201, response_model=schemas.CaseQuestionId, **_CHANGING
    )
    def ask(asker: Asker, body: schemas.NewCaseQuestion) -> Json:
        question_id = questions.ask(asker, body.branch_id, body.problem, body.detail, _wanted(body.audience))
        return {"question_id": question_id}

    @routes.post(
        "/found",
        summary="Note that a case is just what a branch looked for: nobody else is asked",
        status_code=201,
        response_model=schemas.CaseQuestionId,
        **_CHANGING,
    )
    def note_found(asker: Asker, body: schemas.FoundCase) -> Json:
        return {"question_id": questions.note_found(asker, body.branch_id, body.problem, body.case_id)}

    @routes.get(
        "/{question_id}", summary="One question", response_model=schemas.CaseQuestion, responses=_SEEN
    )
    def one(asker: Asker, question_id: IdPath) -> Json:
        return _question(questions.question(asker, question_id))

    @routes.get(
        "/{question_id}/reach",
        summary="Who sees a question of one's own branch today",
        response_model=schemas.QuestionReach,
        responses=_SEEN,
    )
    def reach(asker: Asker, question_id: IdPath) -> Json:
        return _reach(questions.reach(asker, question_id))

    @routes.put("/{question_id}/audience", summary="Put a question to exactly these", **_NOTHING, **_CHANGING)
    def set_audience(asker: Asker, question_id: IdPath, body: schemas.QuestionAudience) -> None:
        questions.set_audience(asker, question_id, _wanted(body.audience))

    @routes.post(
        "/{question_id}/close",
        summary="Take no more answers, and name the case that solved it, if one did",
        **_NOTHING,
        **_CHANGING,
    )
    def close(asker: Asker, question_id: IdPath, body: schemas.QuestionEnd) -> None:
        questions.close(asker, question_id, settled_by=body.settled_by)


def _add_answering(routes: APIRouter, services: Services) -> None:
    questions = services.cases.questions

    @routes.get(
        "/{question_id}/answers",
        summary="The answers to a question, oldest first",
        response_model=schemas.QuestionAnswers,
        responses=_SEEN,
    )
    def answers(asker: Asker, question_id: IdPath) -> Json:
        return {"answers": [_answer(a) for a in questions.answers(asker, question_id)]}

    @routes.post(
        "/{question_id}/answers",
        summary="Answer for a branch, in words, with a case of it, or both",
        status_code=201,
        response_model=schemas.QuestionAnswerId,
        **_CHANGING,
    )
    def answer(asker: Asker, question_id: IdPath, body: schemas.NewQuestionAnswer) -> Json:
        return {"answer_id": questions.answer(asker, question_id, body.branch_id, body.text, body.case_id)}

    @routes.delete(
        "/answers/{answer_id}", summary="Take an answer of one's own branch back", **_NOTHING, **_CHANGING
    )
    def take_back(asker: Asker, answer_id: IdPath) -> None:
        questions.take_back_answer(asker, answer_id)


def _wanted(audience: Sequence[str]) -> list[Wanted]:
    return [Wanted(a) for a in audience]


def _reach(found: QuestionReach) -> Json:
    return {"branch_ids": found.reach.branch_ids, "group_ids": found.reach.group_ids, "alone": found.alone}


def _question(question: OpenQuestion) -> Json:
    """A question, without the person who asked it."""
    found = asdict(question)
    del found["asked_by"]
    return found


def _answer(answer: QuestionAnswer) -> Json:
    """An answer, without the person who gave it."""
    found = asdict(answer)
    del found["person_id"]
    return found

"""HTTP under /v1 for giving papers out and sitting them.

Before an attempt is over nothing in an answer tells a key: no id of a question, no
citation, no explanation, and options in an order of the person's own.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from access.sharing import Wanted
from api import quiz_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.forms import OwnRequest, OwnSave
from api.principal import Asker
from api.schemas import ANY, CHANGE, problems
from api.services import Services
from quiz.attempts import Attempts
from quiz.exam import ExamRules
from quiz.exams import Exams
from quiz.model import Question, question_json

Json = dict[str, Any]
Position = Annotated[int, Path(ge=1, le=1000, description="Place of the question in the attempt.")]

_SEEN = problems(400, 403, 404)
_CHANGED = problems(*CHANGE, 404)
_CHANGING: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}
_SAVING: Json = {"responses": _CHANGED, "dependencies": [OwnSave]}
_NOTHING: Json = {"status_code": 204, "response_class": Response}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over exams and attempts."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    _add_exams(routes, services.quiz.exams)
    _add_sitting(routes, services.quiz.attempts)
    _add_marks(routes, services.quiz.attempts)
    return routes


def _add_exams(routes: APIRouter, exams: Exams) -> None:
    @routes.get(
        "/exams",
        summary="Exams given to the asker, or those that a branch of theirs gave out",
        response_model=schemas.Exams,
        responses=problems(400, 403),
    )
    def listed(
        asker: Asker,
        branch: Annotated[
            str, Query(pattern=f"^$|{BRANCH}", description="The branch that gave them out.")
        ] = "",
    ) -> Json:
        return {"exams": exams.of_branch(asker, branch) if branch else exams.open_to(asker)}

    @routes.post(
        "/exams", summary="Give a paper out", status_code=201, response_model=schemas.ExamId, **_CHANGING
    )
    def give(asker: Asker, body: schemas.NewExam) -> Json:
        return {"exam_id": exams.give(asker, body.paper_id, _rules(body), _wanted(body))}

    @routes.post(
        "/exams/preview",
        summary="Who would see a paper if it were given out so; nothing is changed",
        response_model=schemas.ExamPreview,
        **_SAVING,
    )
    def preview(asker: Asker, body: schemas.NewExam) -> Json:
        found = exams.preview(asker, body.paper_id, _wanted(body))
        return {
            "branch_ids": found.reach.branch_ids,
            "group_ids": found.reach.group_ids,
            "n": found.n,
            "hidden": found.hidden,
        }

    @routes.get("/exams/{exam_id}", summary="One exam", response_model=schemas.Exam, responses=_SEEN)
    def one(asker: Asker, exam_id: IdPath) -> Any:
        return exams.exam(asker, exam_id)

    @routes.post("/exams/{exam_id}/end", summary="End an exam now", **_NOTHING, **_CHANGING)
    def end(asker: Asker, exam_id: IdPath) -> None:
        exams.end(asker, exam_id)


def _rules(body: schemas.NewExam) -> ExamRules:
    return ExamRules(**body.model_dump(exclude={"paper_id", "audience"}))


def _wanted(body: schemas.NewExam) -> list[Wanted]:
    return [Wanted(audience) for audience in body.audience]


def _add_sitting(routes: APIRouter, attempts: Attempts) -> None:
    @routes.post(
        "/exams/{exam_id}/attempts",
        summary="Begin an exam, or go on with the attempt that is open",
        response_model=schemas.AttemptId,
        **_SAVING,
    )
    def begin(asker: Asker, exam_id: IdPath) -> Json:
        return {"attempt_id": attempts.begin(asker, exam_id)}

    @routes.get(
        "/attempts/{attempt_id}",
        summary="An attempt as it stands",
        response_model=schemas.Sitting,
        responses=_SEEN,
    )
    def sitting(asker: Asker, attempt_id: IdPath) -> Any:
        return attempts.sitting(asker, attempt_id)

    @routes.put(
        "/attempts/{attempt_id}/answers/{position}",
        summary="Save an answer; stored for good when this is answered",
        response_model=schemas.Saved,
        **_SAVING,
    )
    def save(asker: Asker, attempt_id: IdPath, position: Position, body: schemas.NewAnswer) -> Any:
        return attempts.save(asker, attempt_id, position, body.answer, body.change)

    @routes.post("/attempts/{attempt_id}/submit", summary="End an attempt", **_NOTHING, **_SAVING)
    def submit(asker: Asker, attempt_id: IdPath) -> None:
        attempts.submit(asker, attempt_id)

    @routes.get(
        "/attempts/{attempt_id}/result",
        summary="What came of an attempt that is over",
        response_model=schemas.Result,
        responses=problems(400, 403, 404, 409),
    )
    def result(asker: Asker, attempt_id: IdPath) -> Json:
        found = attempts.result(asker, attempt_id)
        outcomes = [{**asdict(o), "question": _question(o.question)} for o in found.questions]
        return {**asdict(found), "questions": outcomes}


def _add_marks(routes: APIRouter, attempts: Attempts) -> None:
    @routes.get(
        "/exams/{exam_id}/marks",
        summary="Answers in words that wait for a mark; whose they are is not told",
        response_model=schemas.ManyToMark,
        responses=_SEEN,
    )
    def waiting(asker: Asker, exam_id: IdPath) -> Json:
        found = attempts.to_mark(asker, exam_id)
        return {"waiting": [{**asdict(w), "question": _question(w.question)} for w in found]}

    @routes.put(
        "/attempts/{attempt_id}/marks/{position}", summary="Give an answer its mark", **_NOTHING, **_CHANGING
    )
    def mark(asker: Asker, attempt_id: IdPath, position: Position, body: schemas.NewMark) -> None:
        attempts.confirm(asker, attempt_id, position, body.share)


def _question(question: Question | None) -> Json | None:
    return question_json(question) if question else None

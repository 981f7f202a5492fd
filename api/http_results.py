"""HTTP under /v1 for what exams showed: numbers, never names."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api import quiz_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.principal import Asker
from api.result_views import item_views
from api.schemas import ANY, problems
from api.services import Services
from quiz.results import FormResult
from quiz.statistics import FEWEST

Json = dict[str, Any]


def router(services: Services) -> APIRouter:
    """The routes under /v1 over results."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    results = services.quiz.results

    @routes.get(
        "/exams/{exam_id}/statistics",
        summary="An exam in numbers, with the statistics of its questions",
        response_model=schemas.ExamStatistics,
        responses=problems(400, 403, 404),
    )
    def statistics(asker: Asker, exam_id: IdPath) -> Json:
        overview = results.overview(asker, exam_id)
        forms = range(1, overview.n_forms + 1) if overview.whole and not overview.drawn else ()
        return {
            **asdict(overview),
            "forms": [_form(results.items(asker, exam_id, form)) for form in forms],
        }

    @routes.get(
        "/coverage",
        summary="How far a bank covers its material, and how well that was answered",
        response_model=schemas.Coverage,
        responses=problems(400, 403),
    )
    def coverage(asker: Asker, branch_id: Annotated[str, Query(pattern=BRANCH)]) -> Json:
        return {"documents": results.coverage(asker, branch_id)}

    return routes


def _form(found: FormResult) -> Json:
    statistics = found.statistics
    return {
        "form": found.form,
        "n": found.n,
        "fewest": FEWEST,
        "n_apart": found.n_apart,
        "n_gone": found.n_gone,
        "alpha": statistics and statistics.alpha,
        "alpha_se": statistics and statistics.alpha_se,
        "questions": [
            {
                "question_id": view.question_id,
                "type": view.question.type,
                "stem": view.question.stem,
                "n_missing": view.item.n_missing,
                "facility": view.item.facility,
                "facility_se": view.item.facility_se,
                "discrimination": view.item.discrimination,
                "alpha_without": view.item.alpha_without,
                "options": [
                    {"text": o.text, "right": o.right, "suspected": o.suspected, **asdict(o.drew)}
                    for o in view.options
                ],
            }
            for view in (item_views(found, statistics) if statistics else ())
        ],
    }

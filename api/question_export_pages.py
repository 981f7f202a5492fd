"""The page by which questions of a bank leave it: in which format, and what that cannot carry."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from access.principal import Principal
from api import views
from api.pages import attachment
from api.principal import Asker
from api.question_desk import Desk
from api.question_views import Chosen
from api.services import Services
from kb.errors import NotFound
from quiz.exchange import Loss, Written, format_named, formats
from quiz.model import Question, Sheet, SheetQuestion

_AT_ONCE = 200


def router(services: Services) -> APIRouter:
    """The routes of exporting."""
    pages = APIRouter(include_in_schema=False)
    bank, office = services.quiz.bank, services.access.office

    def wanted(request: Request, by: Principal, desk: Desk, chosen: Chosen) -> list[Question]:
        """The questions picked, else all that are chosen; picked ones that are gone are passed over."""
        picked = list(dict.fromkeys(request.query_params.getlist("id")))
        if not picked:
            found, total = list[Question](), 1
            while len(found) < total:
                total, some = bank.questions(
                    by, desk.branch.branch_id, **chosen.limits, offset=len(found), k=_AT_ONCE
                )
                if not some:
                    break
                found += [kept.question for kept in some]
            return found
        found = []
        for question_id in picked:
            try:
                kept = bank.question(by, question_id)
            except NotFound:
                continue
            if kept.branch_id == desk.branch.branch_id:
                found.append(kept.question)
        return found

    def written(desk: Desk, questions: list[Question], name: str) -> Written:
        title = f"{desk.branch.name}题库（{views.day_words(services.today())}）"
        return format_named(name).write(Sheet(title, tuple(SheetQuestion(q) for q in questions)))

    @pages.get("/export")
    def export(request: Request, asker: Asker) -> HTMLResponse:
        """Which format; then what it cannot carry of which question."""
        chosen = Chosen.read(request.query_params)
        desk = Desk(services, request, asker, chosen.branch)
        chosen = chosen.in_branch(desk.branch.branch_id)
        picked = request.query_params.getlist("id")
        questions = wanted(request, asker, desk, chosen)
        name = request.query_params.get("format", "")
        shown: dict[str, Any] = {
            "chosen": chosen,
            "picked": picked,
            "total": len(questions),
            "back": chosen.address(),
            "formats": formats(),
            "fields": [(n, v) for n, v in request.query_params.multi_items() if n != "format"],
            "format": None,
        }
        if name and questions:
            made = written(desk, questions, name)
            shown |= {
                "format": format_named(name),
                "losses": by_what(made.losses),
                "stems": [q.stem for q in questions],
                "n_lossy": len({loss.number for loss in made.losses}),
                "size": size_words(len(made.data)),
                "download": chosen.address("/manage/questions/export/file", page="", id=picked, format=name),
                "others": chosen.address("/manage/questions/export", page="", id=picked),
            }
        return desk.show("quiz-export.html", shown)

    @pages.get("/export/file")
    def download(request: Request, asker: Asker) -> Response:
        """The file; that it was taken is told in the audit trail."""
        chosen = Chosen.read(request.query_params)
        desk = Desk(services, request, asker, chosen.branch)
        questions = wanted(request, asker, desk, chosen)
        if not questions:
            raise NotFound("No questions to export here.", "Choose some from the bank.")
        name = request.query_params.get("format", "")
        made, known = written(desk, questions, name), format_named(name)
        branch_id = desk.branch.branch_id
        with office.writing() as connection:
            office.audit.write(
                connection,
                asker,
                "question.export",
                "branch",
                branch_id,
                branch_id=branch_id,
                questions=len(questions),
                format=name,
            )
        file_name = f"{desk.branch.name}题库-{services.today().isoformat()}{known.suffix}"
        headers = {"Content-Disposition": attachment(file_name)}
        return Response(made.data, headers=headers, media_type=known.media_type)

    return pages


def by_what(losses: Sequence[Loss]) -> dict[str, list[int]]:
    """The numbers of the questions by what is lost of them, what concerns the most first."""
    found: dict[str, list[int]] = {}
    for loss in losses:
        found.setdefault(loss.what, []).append(loss.number)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def size_words(n_bytes: int) -> str:
    """How large a file is, for people.

    >>> size_words(900), size_words(20_000), size_words(3_000_000)
    ('1 KB', '20 KB', '2.9 MB')
    """
    kb = n_bytes / 1024
    return f"{max(1, round(kb))} KB" if kb < 1000 else f"{kb / 1024:.1f} MB"

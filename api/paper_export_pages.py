"""The page by which a form of a paper leaves the house: in which format, and what that cannot carry."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.pages import attachment
from api.principal import Asker
from api.question_desk import Desk
from api.question_export_pages import by_what, size_words
from api.services import Services
from quiz.exchange import format_named, formats
from quiz.paper import form_name


def router(services: Services) -> APIRouter:
    """The routes of exporting."""
    pages = APIRouter(include_in_schema=False)
    papers = services.quiz.papers

    @pages.get("/{paper_id}/export")
    def export(
        request: Request, asker: Asker, paper_id: str, form: int = 1, format: str = ""
    ) -> HTMLResponse:
        """Which format; then what it cannot carry of which question."""
        paper = papers.paper(asker, paper_id)
        desk = Desk(services, request, asker, paper.branch_id)
        sheet = papers.sheet(asker, paper_id, form)
        known = format_named(format) if format else None
        made = known.write(sheet) if known and sheet.questions else None
        context = {
            "paper": paper,
            "form": form,
            "form_name": form_name,
            "total": len(sheet.questions),
            "formats": formats(),
            "format": known,
            "losses": by_what(made.losses) if made else {},
            "n_lossy": len({loss.number for loss in made.losses}) if made else 0,
            "size": size_words(len(made.data)) if made else "",
            "download": f"/manage/papers/{paper_id}/export/file?form={form}&format={format}",
        }
        return desk.show("quiz-paper-export.html", context)

    @pages.get("/{paper_id}/export/file")
    def file(asker: Asker, paper_id: str, form: int = 1, format: str = "") -> Response:
        """The file."""
        paper = papers.paper(asker, paper_id)
        made = papers.export(asker, paper_id, form, format)
        known = format_named(format)
        name = f"{paper.title}{f'-{form_name(form)}卷' if paper.several else ''}{known.suffix}"
        return Response(
            made.data, headers={"Content-Disposition": attachment(name)}, media_type=known.media_type
        )

    return pages

"""The pages on which cases are found and read; their photographs, attachments and Word files."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from access.principal import Principal
from access.rights import Action
from api.address import PAGE_SIZE
from api.case_files import file_answer
from api.case_view import Asked, CaseViews, chips, filters_of
from api.case_words import FILTER_WORDS, READ_DONE, WORDS
from api.pages import attachment as to_keep
from api.pages import render
from api.principal import Asker
from api.services import Services
from api.views import pager
from cases.finder import Finder, Found
from cases.form_file import write_form

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
N_SIMILAR = 5


def router(services: Services) -> APIRouter:
    """The routes of these pages; to be included after those of /cases with fixed words."""
    pages = APIRouter(prefix="/cases", include_in_schema=False)
    page = partial(pages.api_route, methods=["GET", "HEAD"])
    library, finder = services.cases.library, services.cases.finder

    @page("")
    def find(request: Request, asker: Asker) -> HTMLResponse:
        """The box for a problem and what was found for it; without one, the newest cases."""
        asked = Asked.read(request.query_params)
        problems = asked.problems()
        found = Found(0, (), {})
        if not problems:
            found = finder.find(asked.q, asker.scope, asked.filters(), k=PAGE_SIZE, offset=asked.offset)
        counts = _counts(finder, asked, asker.scope, found.facets)
        views = CaseViews(services, asker)
        names = views.known(counts.get("branch", ()))
        context = {
            **WORDS,
            "asked": asked,
            "problems": problems,
            "heading": "有谁解决过这个问题" if asked.q else "找案例",
            "total": found.total,
            "cards": views.cards(found.cards),
            "filters": filters_of(asked, counts, names),
            "chips": chips(asked, names),
            "pager": pager(asked.page, found.total),
            "may_ask": _may_anywhere(asker, Action.SPEAK),
            "n_waiting": services.cases.questions.n_waiting(asker)
            if asker.settled and asker.signed_in
            else 0,
            "ask_address": "/cases/questions/new"
            + ("?" + urlencode({"problem": asked.q}) if asked.q else ""),
        }
        return render(request, "case-find.html", context, status=400 if problems else 200)

    @page("/{case_id}")
    def read(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """A case to be read: problem and outcome first."""
        case = library.case(asker.scope, case_id)
        services.note_reading(asker, case.document_id)
        views = CaseViews(services, asker)
        descent = library.descent(asker.scope, case_id)
        own = views.cards([library.cards(asker.scope, [case_id])[case_id]])[0]
        context = {
            **WORDS,
            "done": READ_DONE.get(request.query_params.get("done", ""), ""),
            "case": case,
            "view": views.case(case, own),
            "names": views.names,
            "models": own.models,
            "origin": next(iter(views.cards(descent.above[:1])), None),
            "descent": descent,
            "similar": views.cards(finder.similar(case_id, asker.scope, N_SIMILAR)),
            "taken": services.cases.adoptions.of_case(asker, case_id),
            "said": services.cases.adoptions.said(asker, case_id),
            "may_write": case.branch_id is not None and asker.may(Action.WRITE_CASE, case.branch_id),
            "may_derive": _may_anywhere(asker, Action.WRITE_CASE),
        }
        return render(request, "case.html", context)

    @page("/{case_id}/attachments/{attachment_id}")
    def attachment(case_id: str, attachment_id: str, asker: Asker) -> Response:
        """A photograph to be shown, or a file to be kept."""
        return file_answer(*services.cases.attachments.open(asker, case_id, attachment_id))

    @page("/{case_id}/word")
    def word(case_id: str, asker: Asker) -> Response:
        """The case as a Word file in the shape of the form."""
        case = library.case(asker.scope, case_id)
        services.note_reading(asker, case.document_id, "document.original")
        headers = {"Content-Disposition": to_keep(f"{case.title.replace('/', '／')}.docx")}
        return Response(write_form(case.body), headers=headers, media_type=WORD)

    return pages


def _counts(
    finder: Finder, asked: Asked, scope: frozenset[str], counts: Mapping[str, Mapping[str, int]]
) -> Mapping[str, Mapping[str, int]]:
    """Cases by the values of each filter; of one that is on as if it were off, so that more can be ticked."""
    on = (
        {}
        if asked.problems()
        else {field: asked.cleared(field) for field in FILTER_WORDS if asked.values(field)}
    )
    return {
        **counts,
        **{f: finder.find("", scope, without.filters(), k=1).facets[f] for f, without in on.items()},
    }


def _may_anywhere(asker: Principal, action: Action) -> bool:
    return any(asker.may(action, branch_id) for branch_id in asker.branches)

"""The pages of what exams showed: results, statistics of questions, marking, coverage of the material."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from api import plots
from api.address import Problem
from api.audit_words import cell
from api.forms import OwnForm
from api.pages import attachment, render
from api.principal import Asker
from api.question_desk import Desk
from api.question_pages import Sent
from api.quiz_words import letter
from api.result_views import STATE_WORDS, alpha_words, dots, field_of, item_views, mark_views, share_of
from api.services import Services
from api.views import moment_words
from quiz.attempt import ToMark
from quiz.model import TYPE_WORDS
from quiz.results import Sitter
from quiz.statistics import FEWEST, TRUST
from quiz.told import SMALLEST

AT_ONCE = 10
"""Answers on one page of marking."""
_HEADER = ("姓名", "状态", "次数", "首次得分率", "最好成绩", "满分", "是否及格", "交卷时间")


def router(services: Services) -> APIRouter:
    """The routes of these pages."""
    pages = APIRouter(prefix="/manage", include_in_schema=False)
    results, attempts = services.quiz.results, services.quiz.attempts
    address = "/exams/{exam_id}"

    @pages.get(address)
    def exam(request: Request, asker: Asker, exam_id: str, branch: str = "") -> HTMLResponse:
        """An exam in numbers; by name the people of a branch of one's own."""
        overview = results.overview(asker, exam_id)
        own = [g.branch_id for g in overview.groups if g.branch_id and g.not_begun is not None]
        shown = branch if branch in own else own[0] if own else None
        names = services.access.branches.names()
        context = {
            "overview": overview,
            "names": names,
            "own": [(b, names[b]) for b in own],
            "shown": shown,
            "people": results.people(asker, exam_id, shown) if shown else (),
            "waiting": len(attempts.to_mark(asker, exam_id)) if overview.whole else 0,
            "histogram": plots.histogram(overview.bars, overview.pass_share),
            "STATE_WORDS": STATE_WORDS,
            "SMALLEST": SMALLEST,
        }
        return _page(request, "quiz-results.html", context)

    @pages.get(address + "/results.csv")
    def table(asker: Asker, exam_id: str, branch: str) -> Response:
        """What the people of a branch of one's own reached, for a spreadsheet."""
        title = results.overview(asker, exam_id).title
        people = results.export(asker, exam_id, branch)
        headers = {"Content-Disposition": attachment(f"{title} 成绩.csv")}
        return Response("".join(_table(people)), media_type="text/csv; charset=utf-8", headers=headers)

    @pages.get(address + "/items")
    def items(request: Request, asker: Asker, exam_id: str, form: int = 1) -> HTMLResponse:
        """The questions of one form, with their statistics."""
        overview = results.overview(asker, exam_id)
        found = None if overview.drawn else results.items(asker, exam_id, form)
        views = item_views(found, found.statistics) if found and found.statistics else ()
        context = {
            "overview": overview,
            "form": found,
            "views": views,
            "scatter": plots.scatter(dots(views)),
            "alpha_words": alpha_words,
            "TYPE_WORDS": TYPE_WORDS,
            "FEWEST": FEWEST,
            "TRUST": TRUST,
        }
        return _page(request, "quiz-items.html", context)

    @pages.post(address + "/measure", dependencies=[OwnForm])
    def measure(asker: Asker, exam_id: str) -> Response:
        """Put what was measured of the difficulty into the bank."""
        n = results.measure(asker, exam_id)
        return RedirectResponse(f"/manage/exams/{exam_id}/items?done={'measured' if n else 'same'}", 303)

    @pages.get(address + "/mark")
    def to_mark(request: Request, asker: Asker, exam_id: str) -> HTMLResponse:
        """Answers that wait for a mark."""
        return mark_page(request, asker, exam_id)

    @pages.post(address + "/mark", dependencies=[OwnForm])
    def mark(request: Request, asker: Asker, exam_id: str, sent: Sent) -> Response:
        """Give the answers on the page their marks; those left empty go on waiting."""
        typed = {name: str(value).strip() for name, value in sent.items()}
        marks: list[tuple[ToMark, float]] = []
        problems = []
        for waiting in attempts.to_mark(asker, exam_id):
            field = field_of(waiting)
            if points := typed.get(field, ""):
                share = share_of(points, waiting.worth)
                if share is None:
                    problems.append(Problem(field, f"得分要在 0 和 {waiting.worth:g} 之间。"))
                else:
                    marks.append((waiting, share))
        if problems:
            return mark_page(request, asker, exam_id, problems=problems, typed=typed)
        for waiting, share in marks:
            attempts.confirm(asker, waiting.attempt_id, waiting.position, share)
        return RedirectResponse(f"/manage/exams/{exam_id}/mark?done={'marked' if marks else 'none'}", 303)

    def mark_page(
        request: Request,
        asker: Principal,
        exam_id: str,
        *,
        problems: Sequence[Problem] = (),
        typed: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        waiting = attempts.to_mark(asker, exam_id)
        context = {
            "overview": results.overview(asker, exam_id),
            "n": len(waiting),
            "views": mark_views(waiting, AT_ONCE) if waiting else (),
            "typed": typed or {},
            "TYPE_WORDS": TYPE_WORDS,
        }
        return _page(request, "quiz-mark.html", context, problems=problems)

    @pages.get("/coverage")
    def coverage(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """How far a bank covers the material, and how well that was answered."""
        desk = Desk(services, request, asker, branch)
        return desk.show("quiz-coverage.html", {"materials": results.coverage(asker, desk.branch.branch_id)})

    return pages


_DONE = {
    "measured": "题库里的难度已更新。",
    "same": "题库里的难度已是最新，没有改动。",
    "marked": "已确认。",
    "none": "没有填得分，都还在等待评阅。",
}


def _page(
    request: Request, template: str, context: Mapping[str, Any], *, problems: Sequence[Problem] = ()
) -> HTMLResponse:
    shared = {
        "problems": problems,
        "done": _DONE.get(request.query_params.get("done", ""), ""),
        "letter": letter,
    }
    return render(request, template, {**shared, **context}, status=400 if problems else 200)


def _table(people: Sequence[Sitter]) -> Iterator[str]:
    """Rows of a table in UTF-8 with a mark, by which Excel knows it."""
    yield "\ufeff" + _row(_HEADER)
    for p in people:
        passed = {None: "", True: "及格", False: "未及格"}[p.passed]
        first = "" if p.first is None else f"{p.first:.1%}"
        score, most = ("", "") if p.score is None else (f"{p.score:g}", f"{p.most:g}")
        at = moment_words(p.submitted_at) if p.submitted_at else ""
        yield _row((p.name, STATE_WORDS[p.state], str(p.n_sittings), first, score, most, passed, at))


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(c) for c in cells])
    return out.getvalue()

"""The pages of papers: from a blueprint or by hand, the workbench, replacing, printing."""

from collections.abc import Sequence
from secrets import randbelow
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from access.principal import Principal
from api import paper_export_pages
from api.address import Problem
from api.forms import OwnForm
from api.paper_form import TypedPaper, blueprint_from, points_from
from api.paper_words import BAND_WORDS, DONE, line_words, refused_words, shortfall_words
from api.principal import Asker
from api.question_desk import Desk
from api.services import Services
from kb.errors import Conflict, NotFound
from quiz.assembly import ON_PAPER
from quiz.blueprint import Blueprint, Misfilled
from quiz.exchange._paper import paper as printed
from quiz.findings import findings
from quiz.model import Type
from quiz.paper import POINTS, Draft, Paper, form_name
from quiz.papers import Papers

PARTS = {"paper": "试卷", "sheet": "答题卡", "key": "答案和依据"}
"""What is printed, by its name in the address."""


async def _sent(request: Request) -> FormData:
    return await request.form()


Sent = Annotated[FormData, Depends(_sent)]


def router(services: Services) -> APIRouter:
    """The routes of papers."""
    pages = APIRouter(prefix="/manage/papers", include_in_schema=False)
    papers: Papers = services.quiz.papers

    # -- all papers, and new ones ---------------------------------------------------

    @pages.get("")
    def listed(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The papers of a branch."""
        desk = Desk(services, request, asker, branch)
        context = {
            "papers": papers.papers(asker, desk.branch.branch_id),
            "missing": lambda paper: sum(s.missing for s in paper.shortfalls),
        }
        return desk.show("quiz-papers.html", context, done=_done(request))

    def fill_in(
        request: Request,
        by: Principal,
        branch: str,
        typed: TypedPaper,
        problems: Sequence[Problem] = (),
        draft: tuple[Blueprint, Draft] | None = None,
    ) -> HTMLResponse:
        desk = Desk(services, request, by, branch)
        supply = papers.supply(by, desk.branch.branch_id)
        context = {
            "typed": typed,
            "supply": {t: n for t in ON_PAPER if (n := sum(k.question.type is t for k in supply))},
            "n_usable": len(supply),
            "topics": sorted({topic for k in supply for topic in k.question.topics}),
            "BAND_WORDS": BAND_WORDS,
            "POINTS": POINTS,
            "preview": _previewed(*draft) if draft else None,
        }
        return desk.show("quiz-paper-new.html", context, problems=problems)

    @pages.get("/new")
    def new(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The form of a blueprint. Its seed is another each time: else two papers would hold the same questions."""
        return fill_in(request, asker, branch, TypedPaper(seed=str(1 + randbelow(10**6))))

    @pages.post("/new", dependencies=[OwnForm])
    def make(request: Request, asker: Asker, sent: Sent) -> Response:
        """Make the paper; or try the blueprint, or add a line to it."""
        typed, branch = TypedPaper.read(sent), str(sent.get("branch", ""))
        if sent.get("do") == "line":
            return fill_in(request, asker, branch, typed.with_line())
        blueprint, problems = blueprint_from(typed)
        if blueprint is None:
            return fill_in(request, asker, branch, typed, problems)
        desk, seed = Desk(services, request, asker, branch), typed.seed_number
        if sent.get("do") == "try":
            draft = papers.solve(asker, desk.branch.branch_id, blueprint, seed)
            return fill_in(request, asker, branch, typed, draft=(blueprint, draft))
        try:
            paper_id = papers.make(asker, desk.branch.branch_id, typed.title, blueprint, seed)
        except Misfilled as error:
            return fill_in(request, asker, branch, typed, [Problem(error.field, error.hint)])
        return RedirectResponse(f"/manage/papers/{paper_id}?done=made", 303)

    def pick(
        request: Request,
        by: Principal,
        branch: str,
        ids: Sequence[str],
        title: str = "",
        points: dict[Type, str] | None = None,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        desk = Desk(services, request, by, branch)
        usable = {k.question_id: k for k in papers.supply(by, desk.branch.branch_id)}
        picked = [usable[i] for i in dict.fromkeys(ids) if i in usable]
        picked.sort(key=lambda k: ON_PAPER.index(k.question.type))
        context = {
            "picked": picked,
            "n_left_out": len(set(ids)) - len(picked),
            "types": [t for t in ON_PAPER if any(k.question.type is t for k in picked)],
            "title": title,
            "points": points or {t: f"{n:g}" for t, n in POINTS.items()},
        }
        return desk.show("quiz-paper-pick.html", context, problems=problems)

    @pages.get("/pick")
    def picked(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The questions that were ticked in the bank, about to become a paper."""
        return pick(request, asker, branch, request.query_params.getlist("id"))

    @pages.post("/pick", dependencies=[OwnForm])
    def make_by_hand(request: Request, asker: Asker, sent: Sent) -> Response:
        """Make a paper of these questions."""
        branch, ids = str(sent.get("branch", "")), [str(i) for i in sent.getlist("id")]
        typed = {t: str(sent.get(f"points-{t}", f"{n:g}")).strip() for t, n in POINTS.items()}
        title = str(sent.get("title", ""))
        desk = Desk(services, request, asker, branch)
        try:
            points = {t: float(worth) for t, worth in typed.items()}
            paper_id = papers.by_hand(asker, desk.branch.branch_id, title, ids, points)
        except ValueError:
            problem = Problem("points", "分值要是数。")
        except Misfilled as error:
            problem = Problem("points" if error.field == "lines" else error.field, error.hint)
        else:
            return RedirectResponse(f"/manage/papers/{paper_id}?done=made", 303)
        return pick(request, asker, branch, ids, title, typed, [problem])

    # -- one paper --------------------------------------------------------------------

    def shown(
        request: Request, by: Principal, paper_id: str, form: int, problems: Sequence[Problem] = ()
    ) -> HTMLResponse:
        paper = papers.paper(by, paper_id)
        desk = Desk(services, request, by, paper.branch_id)
        places = papers.form(by, paper_id, form)
        found = [findings(f, paper.blueprint) for f in paper.forms or (places,)]
        context = {
            **_names(paper, form),
            "places": places,
            "found": findings(places, paper.blueprint),
            "all_found": found,
            "lines": [line_words(line) for line in paper.blueprint.lines],
            "shortfalls": {s.line: shortfall_words(s) for s in paper.shortfalls},
            "first_of_type": {t: next((p.position for p in places if p.type is t), 0) for t in Type},
            "last_of_type": {t: max((p.position for p in places if p.type is t), default=0) for t in Type},
        }
        status = 409 if any(p.field == "state" for p in problems) else 0
        return desk.show("quiz-paper.html", context, problems=problems, done=_done(request), status=status)

    @pages.get("/{paper_id}")
    def paper(request: Request, asker: Asker, paper_id: str, form: int = 1) -> HTMLResponse:
        """The workbench: the blueprint, what of it is met, and the questions beside their clauses."""
        return shown(request, asker, paper_id, form)

    @pages.post("/{paper_id}/change", dependencies=[OwnForm])
    def change(request: Request, asker: Asker, paper_id: str, sent: Sent) -> Response:
        """Put a question a place up or down, or another one in its place."""
        form = _number(sent.get("form"))
        act, position = next(
            ((act, _number(sent.get(act))) for act in ("up", "down", "replace") if act in sent), ("", 0)
        )
        try:
            if act == "replace":
                papers.replace(asker, paper_id, form, position)
            elif act:
                to = position - 1 if act == "up" else position + 1
                papers.move(asker, paper_id, form, position, to)
                position = max(1, to)
        except Conflict as error:
            return shown(request, asker, paper_id, form, [refused_words(error)])
        done = "replaced" if act == "replace" else "moved"
        return RedirectResponse(f"/manage/papers/{paper_id}?form={form}&done={done}#q{position}", 303)

    @pages.post("/{paper_id}/points", dependencies=[OwnForm])
    def points(request: Request, asker: Asker, paper_id: str, sent: Sent) -> Response:
        """Say what questions are worth."""
        form = _number(sent.get("form"))
        try:
            papers.set_points(asker, paper_id, points_from(sent))
        except Misfilled as error:
            return shown(request, asker, paper_id, form, [Problem("points-0", error.hint)])
        except Conflict as error:
            return shown(request, asker, paper_id, form, [refused_words(error)])
        return RedirectResponse(f"/manage/papers/{paper_id}?form={form}&done=points", 303)

    @pages.post("/{paper_id}/discard", dependencies=[OwnForm])
    def discard(request: Request, asker: Asker, paper_id: str) -> Response:
        """Do away with it."""
        branch_id = papers.paper(asker, paper_id).branch_id
        try:
            papers.discard(asker, paper_id)
        except Conflict as error:
            return shown(request, asker, paper_id, 1, [refused_words(error)])
        return RedirectResponse(f"/manage/papers?branch={branch_id}&done=discarded", 303)

    def choices(
        request: Request,
        by: Principal,
        paper_id: str,
        form: int,
        position: int,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        paper = papers.paper(by, paper_id)
        desk = Desk(services, request, by, paper.branch_id)
        place = next((p for p in papers.form(by, paper_id, form) if p.position == position), None)
        if place is None or paper.blueprint.drawn:
            raise NotFound(f"No place {position} in paper {paper_id}.", "See the paper.")
        context = {
            **_names(paper, form),
            "place": place,
            "line": line_words(paper.blueprint.lines[place.line]),
            "found": papers.alternatives(by, paper_id, form, position),
        }
        status = 409 if problems else 0
        return desk.show("quiz-paper-choose.html", context, problems=problems, status=status)

    @pages.get("/{paper_id}/choose")
    def choose(
        request: Request, asker: Asker, paper_id: str, form: int = 1, position: int = 1
    ) -> HTMLResponse:
        """What could stand in a place instead."""
        return choices(request, asker, paper_id, form, position)

    @pages.post("/{paper_id}/choose", dependencies=[OwnForm])
    def chosen(request: Request, asker: Asker, paper_id: str, sent: Sent) -> Response:
        """Put the chosen question into the place."""
        form, position = _number(sent.get("form")), _number(sent.get("position"))
        try:
            papers.replace(asker, paper_id, form, position, str(sent.get("id", "")))
        except Conflict as error:
            return choices(request, asker, paper_id, form, position, [refused_words(error)])
        return RedirectResponse(f"/manage/papers/{paper_id}?form={form}&done=replaced#q{position}", 303)

    @pages.get("/{paper_id}/print")
    def print_(request: Request, asker: Asker, paper_id: str, form: str = "1") -> HTMLResponse:
        """Forms as they stand on paper, with answer sheet and key."""
        paper = papers.paper(asker, paper_id)
        desk = Desk(services, request, asker, paper.branch_id)
        n_forms = 1 if paper.blueprint.drawn else paper.blueprint.n_forms
        forms = range(1, n_forms + 1) if form == "all" else [_number(form)]
        wanted = [p for p in request.query_params.getlist("part") if p in PARTS]
        context = {
            **_names(paper, _number(form)),
            "form_asked": form,
            "sheets": [printed(papers.sheet(asker, paper_id, n)) for n in forms],
            "PARTS": PARTS,
            "parts_wanted": wanted or list(PARTS),
        }
        return desk.show("quiz-print.html", context)

    pages.include_router(paper_export_pages.router(services))
    return pages


def _names(paper: Paper, form: int) -> dict[str, Any]:
    """The paper, the form at hand, and what forms are called."""
    return {"paper": paper, "form": form, "form_name": form_name}


def _previewed(blueprint: Blueprint, draft: Draft) -> dict[str, Any]:
    """What a draft tells before it is a paper: by line how much is there of how much, and why no more."""
    short = {s.line: s for s in draft.shortfalls}
    n_forms = 1 if blueprint.drawn else blueprint.n_forms
    found = [findings(form, blueprint) for form in draft.forms]
    rows = []
    for number, line in enumerate(blueprint.lines):
        missing = short[number].missing if number in short else 0
        why = shortfall_words(short[number]) if number in short else ""
        rows.append((line_words(line), line.n * n_forms - missing, line.n * n_forms, why))
    means = [f.difficulty for f in found if f.difficulty is not None]
    return {
        "rows": rows,
        "n_missing": sum(s.missing for s in draft.shortfalls),
        "blueprint": blueprint,
        "proven": draft.proven,
        "low": min(means, default=None),
        "high": max(means, default=None),
    }


def _done(request: Request) -> str:
    return DONE.get(request.query_params.get("done", ""), "")


def _number(value: object) -> int:
    """A number from 1 on, as a form or an address gives it; 0 for what is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0

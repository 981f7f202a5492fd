"""The pages of what came of cases: taking one over, feedback, what a branch took over, the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from access.rights import Action
from api.address import Problem
from api.case_words import WORDS, sharer_words
from api.forms import OwnForm
from api.pages import attachment, render
from api.principal import Asker
from api.services import Services
from cases.ledger import LedgerRow, Side
from cases.model import CaseCard, Effect, Progress
from cases.outcome import LONGEST_WORD, Adoption, Step
from kb.errors import InvalidRequest, NotFound, Refused

DONE: Mapping[str, str] = {"dropped": "这条借鉴记录已删除。"}
REFUSALS: Mapping[str, str] = {
    "Say why it does not suit.": "请写明为什么不适用，别的支部看了才知道合不合自己的情况。",
    f"Take at most {LONGEST_WORD}.": f"最多写 {LONGEST_WORD} 个字。",
    "Choose one of another branch.": "这是本支部自己的案例，不用借鉴。",
    "Write what you have to say.": "请写下要说的话。",
}
"""Words by the advice of the refusal."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Typed = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class AdoptionView:
    """An adoption with its case, if that is still seen, and its steps; `people` are names by id."""

    adoption: Adoption
    card: CaseCard | None
    steps: Sequence[Step]
    people: Mapping[str, str]
    sharer: str = ""


def _read_stand(stand: str) -> tuple[Progress, Effect | None] | None:
    """The progress and the effect that are one choice of the form; None if it is none.

    >>> _read_stand("done-worked"), _read_stand("planned"), _read_stand("x")
    ((<Progress.DONE: 'done'>, <Effect.WORKED: 'worked'>), (<Progress.PLANNED: 'planned'>, None), None)
    """
    progress, _, effect = stand.partition("-")
    try:
        return Progress(progress), Effect(effect) if effect else None
    except ValueError:
        return None


def router(services: Services) -> APIRouter:
    """The routes of these pages; those below /cases take two steps, so that their order does not matter."""
    pages = APIRouter(include_in_schema=False)
    adoptions, ledger = services.cases.adoptions, services.cases.ledger
    library, names = services.cases.library, services.access.branches.names

    # -- a case taken over ----------------------------------------------------------------

    def adopt_page(
        request: Request,
        by: Principal,
        case_id: str,
        branch_id: str,
        typed: Mapping[str, str] | None = None,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        by.require_person()
        case = library.case(by.scope, case_id)
        by.require(Action.SPEAK, branch_id)
        kept = [a for a in adoptions.of_case(by, case_id).adoptions if a.branch_id == branch_id]
        context = {"case": case, "branch_id": branch_id, "mine": kept[0] if kept else None, "typed": typed}
        return _page(services, request, "case-adopt.html", context, problems=problems)

    @pages.get("/cases/{case_id}/adopt")
    def adoption(request: Request, asker: Asker, case_id: str, branch_id: str = "") -> HTMLResponse:
        """The form in which a branch says how far it is with a case."""
        own = branch_id or next(iter(_branches(services, asker, Action.SPEAK)), "")
        return adopt_page(request, asker, case_id, own)

    @pages.post("/cases/{case_id}/adopt", dependencies=[OwnForm])
    def adopt(
        request: Request,
        asker: Asker,
        case_id: str,
        branch_id: Typed = "",
        stand: Typed = "",
        note: Typed = "",
        open: Typed = "",
    ) -> Response:
        """Keep how far a branch is with a case; what is missing is said beside what was typed."""
        typed = {"stand": stand, "note": note, "open": open}
        read = _read_stand(stand)
        if read is None:
            problem = Problem("stand", "请选做到了哪一步。")
            return adopt_page(request, asker, case_id, branch_id, typed, [problem])
        try:
            adoptions.adopt(asker, case_id, branch_id, read[0], effect=read[1], note=note, open=open == "1")
        except InvalidRequest as error:
            problem = Problem("note", REFUSALS.get(error.hint, error.message))
            return adopt_page(request, asker, case_id, branch_id, typed, [problem])
        return RedirectResponse(f"/cases/{case_id}?done=adopted#adoptions", 303)

    # -- feedback ---------------------------------------------------------------------------

    def say_page(
        request: Request,
        by: Principal,
        case_id: str,
        typed: Mapping[str, str] | None = None,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        by.require_person()
        context = {"case": library.case(by.scope, case_id), "typed": typed}
        return _page(services, request, "case-say.html", context, problems=problems)

    @pages.get("/cases/{case_id}/feedback")
    def feedback(request: Request, asker: Asker, case_id: str) -> HTMLResponse:
        """The form in which a branch says something of a case."""
        return say_page(request, asker, case_id)

    @pages.post("/cases/{case_id}/feedback", dependencies=[OwnForm])
    def say(
        request: Request,
        asker: Asker,
        case_id: str,
        branch_id: Typed = "",
        text: Typed = "",
        open: Typed = "",
    ) -> Response:
        """Take feedback."""
        try:
            adoptions.say(asker, case_id, branch_id, text, open=open == "1")
        except InvalidRequest as error:
            typed = {"branch_id": branch_id, "text": text, "open": open}
            problem = Problem("text", REFUSALS.get(error.hint, error.message))
            return say_page(request, asker, case_id, typed, [problem])
        return RedirectResponse(f"/cases/{case_id}?done=said#feedback", 303)

    @pages.post("/cases/{case_id}/feedback/{feedback_id}/remove", dependencies=[OwnForm])
    def unsay(asker: Asker, case_id: str, feedback_id: str) -> Response:
        """Take feedback back."""
        adoptions.unsay(asker, feedback_id)
        return RedirectResponse(f"/cases/{case_id}?done=unsaid#feedback", 303)

    # -- a branch's own -----------------------------------------------------------------------

    @pages.get("/manage/adoptions")
    def taken_over(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """What a branch took over, each to be moved on."""
        own = _branches(services, asker, Action.READ)
        branch_id = _at_hand(own, branch)
        found = adoptions.of_branch(asker, branch_id)
        cards = library.cards(asker.scope, [a.case_id for a in found if a.case_id])
        views = [view(asker, a, cards.get(a.case_id or "")) for a in found]
        context = {"own": own, "branch_id": branch_id, "views": views}
        return _page(services, request, "case-taken.html", context)

    @pages.post("/manage/adoptions/{adoption_id}/drop", dependencies=[OwnForm])
    def drop(asker: Asker, adoption_id: str, branch: Typed = "") -> Response:
        """Forget that a branch took a case over."""
        adoptions.drop(asker, adoption_id)
        own = branch if branch in asker.roles else ""
        return RedirectResponse(f"/manage/adoptions?branch={own}&done=dropped", 303)

    @pages.get("/manage/ledger")
    def ledger_page(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """What a branch shared with what came of it, and what it took over."""
        own = _branches(services, asker, Action.WRITE_CASE)
        branch_id = _at_hand(own, branch)
        rows = ledger.rows(asker, branch_id)
        shared = [r for r in rows if r.side is Side.SHARED]
        context = {
            "own": own,
            "branch_id": branch_id,
            "shared": [list(of_case) for _, of_case in groupby(shared, key=_case_of)],
            "taken": [
                (r, view(asker, r.adoption, r.card)) for r in rows if r.side is Side.TAKEN and r.adoption
            ],
            "steps": {r.adoption.adoption_id: view(asker, r.adoption, r.card) for r in shared if r.adoption},
            "figures": _figures(shared),
        }
        return _page(services, request, "case-ledger.html", context)

    @pages.get("/manage/ledger.xlsx")
    def as_workbook(asker: Asker, branch: str = "") -> Response:
        """The ledger for a spreadsheet."""
        branch_id = _at_hand(_branches(services, asker, Action.WRITE_CASE), branch)
        return download(ledger.xlsx(asker, branch_id), XLSX, branch_id, ".xlsx")

    @pages.get("/manage/ledger.csv")
    def as_table(asker: Asker, branch: str = "") -> Response:
        """The same as a table of text."""
        branch_id = _at_hand(_branches(services, asker, Action.WRITE_CASE), branch)
        return download(ledger.csv(asker, branch_id), "text/csv; charset=utf-8", branch_id, ".csv")

    def download(data: bytes, media_type: str, branch_id: str, suffix: str) -> Response:
        name = f"{names()[branch_id]} 案例台账{suffix}"
        return Response(data, media_type=media_type, headers={"Content-Disposition": attachment(name)})

    def view(by: Principal, adoption: Adoption, card: CaseCard | None) -> AdoptionView:
        steps = adoptions.steps(by, adoption.adoption_id)
        people = services.access.people.names(by, [s.changed_by for s in steps if s.changed_by])
        sharer = sharer_words(card.branch_id, card.issuer, names()) if card else ""
        return AdoptionView(adoption, card, steps, people, sharer)

    return pages


def _page(
    services: Services,
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    problems: Sequence[Problem] = (),
) -> HTMLResponse:
    shared = {
        **WORDS,
        "names": services.access.branches.names(),
        "problems": problems,
        "done": DONE.get(request.query_params.get("done", ""), ""),
    }
    return render(request, template, {**shared, **context}, status=400 if problems else 200)


def _branches(services: Services, asker: Principal, action: Action) -> dict[str, str]:
    """Names of the branches in which the asker has a role and may do it, in their order.

    Raises:
        SignInRequired, Refused: there is none.
    """
    asker.require_person()
    own = {
        b.branch_id: b.name
        for b in services.access.branches.all()
        if b.branch_id in asker.roles and asker.may(action, b.branch_id)
    }
    if not own:
        raise Refused(
            f"Cannot {action.value.replace('_', ' ')}: no branch of yours lets you.",
            "Ask its administrator.",
        )
    return own


def _at_hand(own: Iterable[str], branch_id: str) -> str:
    """The branch that was asked for, or the first.

    Raises:
        NotFound: it is none of these.
    """
    branches = list(own)
    if branch_id and branch_id not in branches:
        raise NotFound(f"No branch {branch_id} of yours here.", "Choose one of your own.")
    return branch_id or branches[0]


def _case_of(row: LedgerRow) -> str:
    return row.card.case_id if row.card else ""


def _figures(shared: Sequence[LedgerRow]) -> Mapping[str, int]:
    """What came of the cases in numbers."""
    adopted = [r.adoption for r in shared if r.adoption]
    return {
        "分享的案例": len({_case_of(r) for r in shared}),
        "被借鉴": len(adopted),
        "其中管用": sum(a.effect is Effect.WORKED for a in adopted),
        "由它写成的案例": sum(len(r.derived) for r in shared),
    }

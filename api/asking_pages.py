"""Has anyone solved this? Cases first, then who may know, and only then the question to partners; and its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.branches import Branch
from access.principal import Principal
from access.rights import Action
from access.sharing import PARTNERS, Wanted
from api.address import Problem
from api.audience_words import AudienceWords, of_people
from api.case_view import CardView, CaseViews
from api.case_words import WORDS
from api.forms import OwnForm
from api.pages import render
from api.principal import Asker
from api.services import Services
from cases.model import CaseFilters
from cases.people import who_knows
from cases.question import (
    LONGEST_PROBLEM,
    LONGEST_TEXT,
    OpenQuestion,
    QuestionAnswer,
    QuestionReach,
)
from kb.errors import Conflict, InvalidRequest, NotFound, Refused

DONE: Mapping[str, str] = {
    "asked": "已发出。有了答复会列在下面。",
    "found": "已记下：这篇正好。以后本支部有人问同样的问题，会先看到它。",
    "answered": "已答复，看得到这个问题的支部都能看到。",
    "taken-back": "已收回这条答复。",
    "closed": "已了结。以后有人问差不多的问题，会先看到它。",
    "over": "没有改动：这个问题已经了结了。",
    "audience": "已改好，现在按新的范围看得到。",
}
NO_PROBLEM = Problem("problem", f"请写出问题，不超过 {LONGEST_PROBLEM} 字；细节写到“补充情况”里。")
REFUSALS: Mapping[str, tuple[str, str]] = {
    f"Say the problem in 1 to {LONGEST_PROBLEM} characters; the rest goes into the detail.": (
        NO_PROBLEM.field,
        NO_PROBLEM.text,
    ),
    f"Take at most {LONGEST_TEXT} characters.": ("text", f"太长了，请控制在 {LONGEST_TEXT} 字以内。"),
    "Choose whom to ask.": ("audience", "请勾选问谁。"),
    "Write something, or name a case.": ("text", "请写几句，或者选一个本支部的案例。"),
}
"""Field and words, by the advice of the refusal."""
GONE = Problem("audience", "有的对象现在不能选了，请看清后重新勾选。")
BEYOND = "问本支部以外，由联络员或管理员来办。"
ALONE = "除了本支部，现在没有人看得到这个问题。请换个对象，或者先请支部加入工作组。"
SAME = Problem("problem", "本支部正在问同一个问题，不必再发。可以到那个问题里改问别的支部。")
LOST = Problem("text", "所选的案例现在不能用来答复，请重新选。")
_N_CASES, _N_NEAR, _N_OWN = 5, 3, 5

Typed = Annotated[str, Form()]
Several = Annotated[list[str], Form(default_factory=list)]


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question in a list: who asks, and the case that solved it, if one sees it."""

    question: OpenQuestion
    branch: str
    settled: CardView | None


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer: who gave it, its case as far as it is seen, and whether it may be taken back."""

    answer: QuestionAnswer
    branch: str
    person: str
    case: CardView | None
    mine: bool


@dataclass(frozen=True, slots=True)
class KnowingView:
    """A branch that may know, its near cases and whom to ask."""

    branch: str
    cases: tuple[CardView, ...]
    liaisons: tuple[str, ...]
    contacts: tuple[str, ...]


def router(services: Services) -> APIRouter:
    """The routes of these pages; to be included before those of /cases/{case_id}."""
    pages = APIRouter(prefix="/cases/questions", include_in_schema=False)
    questions, access = services.cases.questions, services.access
    page = partial(pages.api_route, methods=["GET", "HEAD"])

    @page("")
    def listed(request: Request, asker: Asker) -> HTMLResponse:
        """What others ask, what waits for an answer first; what one's own branches asked; and the box to ask."""
        shown = Shown(services, asker)
        received = questions.open_to(asker)
        waiting = [q for q in received if q.is_open and not q.answered]
        speaks = bool(shown.speaking)
        own = [q for b in sorted(asker.roles) for q in questions.of_branch(asker, b)]
        context = {
            "speaks": speaks,
            "n_waiting": len(waiting) if speaks else 0,
            "waiting": shown.questions(waiting),
            "received": shown.questions([q for q in received if q not in waiting]),
            "own": shown.questions(own),
        }
        return _show(request, "case-questions.html", context)

    # -- asking -----------------------------------------------------------------------------

    def asking_page(
        request: Request,
        by: Principal,
        problem: str,
        branch_id: str,
        *,
        detail: str = "",
        ticked: Sequence[str] = (PARTNERS,),
        problems: Sequence[Problem] = (),
        reach: QuestionReach | None = None,
        opened: bool = False,
    ) -> HTMLResponse:
        """The steps in their order; `opened` shows the form that sends it."""
        by.require_person()
        shown = Shown(services, by)
        problem = " ".join(problem.split())
        if len(problem) > LONGEST_PROBLEM and not problems:
            problems = [NO_PROBLEM]
        looked = bool(problem) and len(problem) <= LONGEST_PROBLEM
        cards = (
            services.cases.finder.find(problem, by.scope, CaseFilters(), k=_N_CASES).cards if looked else ()
        )
        branch = shown.branch(branch_id)
        context: dict[str, Any] = {
            "problem": problem,
            "looked": looked,
            "near": shown.questions(questions.near(by, problem, _N_NEAR)) if looked else (),
            "cards": shown.cards(cards),
            "knowing": shown.knowing(who_knows(access.office, services.cases.library, by, cards)),
            "branches": shown.speaking,
            "branch": branch,
            "opened": opened or not cards,
            "detail": detail,
            "form": None,
            "same": None,
            "preview": shown.reach_lines(reach, branch.branch_id) if reach and branch else (),
        }
        if looked and branch:
            context["same"] = questions.same(by, branch.branch_id, problem)
            context["form"] = shown.boxes(branch.branch_id, ticked)
        return _show(request, "case-question-new.html", context, problems=problems)

    @page("/new")
    def new(
        request: Request, asker: Asker, problem: str = "", branch: str = "", send: str = ""
    ) -> HTMLResponse:
        """The problem; cases that come near to it; who may know; and the form that puts it to partners."""
        return asking_page(request, asker, problem, branch, opened=bool(send))

    @pages.post("/new", dependencies=[OwnForm])
    def ask(
        request: Request,
        asker: Asker,
        audience: Several,
        problem: Typed = "",
        detail: Typed = "",
        branch: Typed = "",
        preview: Typed = "",
    ) -> Response:
        """Ask; or say who would see it, and change nothing."""
        asker.require_person()
        wanted = [Wanted(a) for a in dict.fromkeys(audience)]
        reach, found = None, None
        try:
            if preview:
                reach = questions.preview(asker, branch, wanted)
            else:
                question_id = questions.ask(asker, branch, problem, detail, wanted)
                return _to(question_id, "asked")
        except InvalidRequest as error:
            found = _problem(error)
            if found.field == "text":
                found = Problem("detail", found.text)
        except NotFound:
            found = GONE
        except Conflict:
            found = SAME
        except Refused:
            # Who speaks for no branch is told so by the page of errors.
            if not asker.may(Action.SPEAK, branch):
                raise
            found = Problem("audience", BEYOND)
        return asking_page(
            request,
            asker,
            problem,
            branch,
            detail=detail,
            ticked=audience,
            problems=[found] if found else (),
            reach=reach,
            opened=True,
        )

    @pages.post("/found", dependencies=[OwnForm])
    def note_found(asker: Asker, problem: Typed = "", branch: Typed = "", case_id: Typed = "") -> Response:
        """This case is just what was looked for: the search ends here."""
        return _to(questions.note_found(asker, branch, problem, case_id), "found")

    # -- one question -----------------------------------------------------------------------

    def question_page(
        request: Request,
        by: Principal,
        question_id: str,
        *,
        text: str = "",
        chosen: str = "",
        branch_id: str = "",
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        question = questions.question(by, question_id)
        shown = Shown(services, by)
        answers = shown.answers(questions.answers(by, question_id))
        may_answer = questions.may_answer(by, question_id)
        may_close = question.is_open and by.may(Action.SPEAK, question.branch_id)
        named = [a.case for a in answers if a.case]
        context = {
            "view": shown.questions([question])[0],
            "question": question,
            "asker_name": shown.person(question.asked_by),
            "answers": answers,
            "may_answer": [b for b in shown.speaking if b.branch_id in may_answer],
            "own_cases": shown.near(question.problem, may_answer, _N_OWN) if may_answer else (),
            "text": text,
            "chosen": chosen,
            "branch_id": branch_id,
            "may_close": may_close,
            "solving": _solving(named, shown.near(question.problem, [], _N_OWN)) if may_close else (),
            "audience": shown.tokens(question),
            "reach": shown.reach_lines(questions.reach(by, question_id), question.branch_id)
            if by.may(Action.SPEAK, question.branch_id)
            else (),
        }
        return _show(request, "case-question.html", context, problems=problems)

    @page("/{question_id}")
    def one(request: Request, asker: Asker, question_id: str) -> HTMLResponse:
        """A question with its answers; the form to answer it, or to say what solved it."""
        return question_page(request, asker, question_id)

    @pages.post("/{question_id}/answer", dependencies=[OwnForm])
    def answer(
        request: Request,
        asker: Asker,
        question_id: str,
        text: Typed = "",
        case_id: Typed = "",
        branch: Typed = "",
    ) -> Response:
        """Answer for a branch; a case speaks for the branch that published it."""
        cards = services.cases.library.cards(asker.scope, [case_id] if case_id else [])
        answering = next((c.branch_id for c in cards.values() if c.branch_id), branch)
        questions.question(asker, question_id)
        try:
            questions.answer(asker, question_id, answering, text, case_id or None)
        except InvalidRequest as error:
            found = _problem(error)
        except NotFound:
            found = LOST
        except Conflict:
            return _to(question_id, "over")
        else:
            return _to(question_id, "answered")
        return question_page(
            request, asker, question_id, text=text, chosen=case_id, branch_id=branch, problems=[found]
        )

    @pages.post("/{question_id}/answers/{answer_id}/take-back", dependencies=[OwnForm])
    def take_back(asker: Asker, question_id: str, answer_id: str) -> Response:
        """Take an answer of one's own branch back."""
        questions.take_back_answer(asker, answer_id)
        return _to(question_id, "taken-back")

    @pages.post("/{question_id}/close", dependencies=[OwnForm])
    def close(asker: Asker, question_id: str, case_id: Typed = "") -> Response:
        """Take no more answers; name what solved it, if a case did."""
        try:
            questions.close(asker, question_id, settled_by=case_id or None)
        except Conflict:
            return _to(question_id, "over")
        return _to(question_id, "closed")

    # -- whom it goes to --------------------------------------------------------------------

    def audience_page(
        request: Request,
        by: Principal,
        question_id: str,
        ticked: Sequence[str],
        *,
        problems: Sequence[Problem] = (),
        reach: QuestionReach | None = None,
    ) -> HTMLResponse:
        question, shown = questions.question(by, question_id), Shown(services, by)
        context = {
            "question": question,
            "form": shown.boxes(question.branch_id, ticked),
            "preview": shown.reach_lines(reach, question.branch_id) if reach else (),
        }
        return _show(request, "case-question-audience.html", context, problems=problems)

    @page("/{question_id}/audience")
    def audience(request: Request, asker: Asker, question_id: str) -> HTMLResponse:
        """Whom a question of one's own branch goes to."""
        ticked = [w.audience for w in questions.asked(asker, question_id)]
        return audience_page(request, asker, question_id, ticked)

    @pages.post("/{question_id}/audience", dependencies=[OwnForm])
    def set_audience(
        request: Request, asker: Asker, question_id: str, audience: Several, preview: Typed = ""
    ) -> Response:
        """Ask exactly these; or say who would see it, and change nothing."""
        wanted, reach, found = [Wanted(a) for a in dict.fromkeys(audience)], None, None
        try:
            if preview:
                branch_id = questions.question(asker, question_id).branch_id
                reach = questions.preview(asker, branch_id, wanted)
            else:
                questions.set_audience(asker, question_id, wanted)
                return _to(question_id, "audience")
        except InvalidRequest as error:
            found = _problem(error)
        except NotFound:
            # A question that is not there answers so once more.
            found = GONE
        except Conflict:
            return _to(question_id, "over")
        return audience_page(
            request, asker, question_id, audience, problems=[found] if found else (), reach=reach
        )

    return pages


class Shown:
    """What these pages show to one person at one moment."""

    def __init__(self, services: Services, by: Principal) -> None:
        self._services = services
        self._by = by
        self._views = CaseViews(services, by)
        self._words = AudienceWords(services.access, by)
        self.speaking: list[Branch] = [
            b
            for b in services.access.branches.all()
            if b.branch_id in by.branches and by.may(Action.SPEAK, b.branch_id)
        ]
        """The branches for which the person speaks."""

    def branch(self, branch_id: str) -> Branch | None:
        """The branch of that id for which the person speaks, or the first; None where there is none."""
        named = [b for b in self.speaking if b.branch_id == branch_id]
        return next(iter(named or self.speaking), None)

    def person(self, person_id: str | None) -> str:
        """The name of a person of one's own branches, else nothing."""
        known = self._services.access.people.names(self._by, [person_id] if person_id else [])
        return known.get(person_id or "", "")

    def cards(self, cards: Sequence[Any]) -> tuple[CardView, ...]:
        """Cases as they are listed."""
        return self._views.cards(cards)

    def _by_id(self, case_ids: Sequence[str | None]) -> Mapping[str, CardView]:
        found = self._services.cases.library.cards(self._by.scope, [c for c in case_ids if c])
        return {view.card.case_id: view for view in self._views.cards(list(found.values()))}

    def questions(self, found: Sequence[OpenQuestion]) -> tuple[QuestionView, ...]:
        """Questions as they are listed."""
        cards = self._by_id([q.settled_by for q in found])
        return tuple(
            QuestionView(q, self._words.branch(q.branch_id), cards.get(q.settled_by or "")) for q in found
        )

    def answers(self, found: Sequence[QuestionAnswer]) -> tuple[AnswerView, ...]:
        """Answers as they are read."""
        cards = self._by_id([a.case_id for a in found])
        return tuple(
            AnswerView(
                a,
                self._words.branch(a.branch_id),
                self.person(a.person_id),
                cards.get(a.case_id or ""),
                self._by.may(Action.SPEAK, a.branch_id),
            )
            for a in found
        )

    def knowing(self, found: Sequence[Any]) -> tuple[KnowingView, ...]:
        """Who may know."""
        return tuple(
            KnowingView(
                self._words.branch(k.branch_id),
                tuple(self._by_id(k.case_ids).values()),
                k.liaisons,
                k.contacts,
            )
            for k in found
        )

    def near(self, problem: str, branch_ids: Sequence[str], k: int) -> tuple[CardView, ...]:
        """Cases near to a problem, of these branches, or of all where none are named."""
        filters = CaseFilters(branches=frozenset(branch_ids))
        return self.cards(self._services.cases.finder.find(problem, self._by.scope, filters, k=k).cards)

    def boxes(self, branch_id: str, ticked: Sequence[str]) -> Any:
        """Whom a branch can ask, as boxes; its own people see it anyhow."""
        form = self._words.form(branch_id, [Wanted(a) for a in ticked])
        return of_people(form, BEYOND)

    def tokens(self, question: OpenQuestion) -> tuple[str, ...]:
        """Whom a question went to, in words, as far as one is told."""
        return tuple(self._words.token(t, question.branch_id) for t in question.audience)

    def reach_lines(self, found: QuestionReach, branch_id: str) -> tuple[str, ...]:
        """Who sees a question, a line for each; what is wrong with that comes first."""
        lines = self._words.reach(found.reach, branch_id)
        return (ALONE, *lines) if found.alone else lines


def _solving(named: Sequence[CardView], near: Sequence[CardView]) -> tuple[CardView, ...]:
    """Cases that may have solved it: those that answers named, then the nearest; each once."""
    return tuple({view.card.case_id: view for view in (*named, *near)}.values())


def _problem(error: InvalidRequest) -> Problem:
    """What was wrong, beside its field."""
    return Problem(*REFUSALS[error.hint]) if error.hint in REFUSALS else GONE


def _to(question_id: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/cases/questions/{question_id}?" + urlencode({"done": done}), 303)


def _show(
    request: Request, template: str, context: Mapping[str, Any], *, problems: Sequence[Problem] = ()
) -> HTMLResponse:
    limits = {"LONGEST_PROBLEM": LONGEST_PROBLEM, "LONGEST_TEXT": LONGEST_TEXT}
    done = DONE.get(request.query_params.get("done", ""), "")
    return render(
        request,
        template,
        {**WORDS, **limits, "done": done, "problems": problems, **context},
        status=400 if problems else 200,
    )

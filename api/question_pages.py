"""The pages of a bank: its questions in a list, one beside the clause that proves it, and reviewing one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from access.principal import Principal
from api import question_export_pages, question_import_pages, question_making_pages, views
from api.address import VALIDITY_WORDS, Problem
from api.forms import OwnForm
from api.principal import Asker
from api.question_citing import cited_for, sources
from api.question_desk import Desk
from api.question_form import Typed, question_from, typed_of
from api.question_views import Chosen, card_of, proof
from api.services import Services
from kb.errors import Conflict, InvalidRequest
from kb.model import DocumentCard
from quiz.kept import STEPS, ChangedMeanwhile, Kept
from quiz.model import Question, State

PER_PAGE = 30
WAITING = (State.CANDIDATE, State.IN_REVIEW)
"""Where a question waits for a verdict."""
_TOLD = {"approved": "已通过。", "retired": "这道不用了。"}
_REVIEWED = {
    State.CANDIDATE: "收进了题库",
    State.IN_REVIEW: "送去审核",
    State.APPROVED: "审核通过",
    State.RETIRED: "停用",
}


async def _sent(request: Request) -> FormData:
    return await request.form()


Sent = Annotated[FormData, Depends(_sent)]
"""A form whole, for fields that come several times."""


@dataclass(frozen=True, slots=True)
class Given:
    """The reason of a rejection as it was chosen and written."""

    reason: str = ""
    more: str = ""

    @property
    def words(self) -> str:
        """Both in one line.

        >>> Given("答案不对", "见第三款").words
        '答案不对：见第三款'
        """
        return "：".join(part for part in (self.reason.strip(), self.more.strip()) if part)


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody did to a question; with the version that they made, where another has come since."""

    at: datetime
    who: str
    what: str
    reason: str
    version: int
    question: Question | None = None


def router(services: Services) -> APIRouter:
    """The routes of banks, with those of making, importing and exporting questions."""
    pages = APIRouter(prefix="/manage/questions", include_in_schema=False)
    pages.include_router(question_making_pages.router(services))
    pages.include_router(question_import_pages.router(services))
    pages.include_router(question_export_pages.router(services))
    bank = services.quiz.bank

    @pages.get("")
    def questions(request: Request, asker: Asker) -> HTMLResponse:
        """What is in a bank, as far as it is asked for."""
        chosen = Chosen.read(request.query_params)
        desk = Desk(services, request, asker, chosen.branch)
        at, offset = desk.branch.branch_id, (chosen.page - 1) * PER_PAGE
        total, found = bank.questions(asker, at, **chosen.limits, offset=offset, k=PER_PAGE)
        counts = bank.counts(asker, at)
        context = {
            "chosen": chosen.in_branch(at),
            "questions": found,
            "total": total,
            "counts": counts,
            "n_all": sum(counts.values()),
            "waiting": any(counts[s] for s in WAITING if s in (chosen.states or WAITING)),
            "document": card_of(services, asker, chosen.document),
            "pager": views.pager(chosen.page, total, PER_PAGE),
        }
        return desk.show("quiz-questions.html", context, done=_added(request))

    # -- reviewing -------------------------------------------------------------------------

    def waiting(
        request: Request, by: Principal, problems: Sequence[Problem] = (), given: Given | None = None
    ) -> HTMLResponse:
        chosen = Chosen.read(request.query_params)
        desk = Desk(services, request, by, chosen.branch)
        chosen = chosen.in_branch(desk.branch.branch_id)
        n = _number(request.query_params.get("n", "")) or 0
        limits = chosen.limits | {
            "states": [s for s in WAITING if s in (chosen.states or WAITING)] or WAITING
        }
        total, found = bank.questions(by, desk.branch.branch_id, **limits, offset=n, k=1)
        kept = found[0] if found else None
        context = {
            "chosen": chosen,
            "n": n,
            "total": total,
            "kept": kept,
            "here_address": chosen.address("/manage/questions/review", page="", n=n),
            "given": given or Given(),
            "last": _id(request.query_params.get("last", "")) if not problems else "",
            "told": _TOLD.get(request.query_params.get("told", ""), ""),
            **(_beside(services, by, kept) if kept else {}),
        }
        return desk.show("quiz-review.html", context, problems=problems)

    @pages.get("/review")
    def review(request: Request, asker: Asker) -> HTMLResponse:
        """The next question that waits for a verdict."""
        return waiting(request, asker)

    @pages.post("/review", dependencies=[OwnForm])
    def decide(
        request: Request,
        asker: Asker,
        id_: Annotated[str, Form(alias="id")],
        state: Annotated[str, Form()],
        seen_version: Annotated[int, Form()],
        reason: Annotated[str, Form()] = "",
        more: Annotated[str, Form()] = "",
    ) -> Response:
        """Take the verdict, and go on to the next."""
        given = Given(reason, more)
        problem = settle(asker, id_, state, seen_version, given)
        if problem:
            return waiting(request, asker, [problem], given)
        chosen, n = Chosen.read(request.query_params), _number(request.query_params.get("n", "")) or 0
        to = chosen.address("/manage/questions/review", page="", n=n, last=id_, told=state)
        return RedirectResponse(to, 303)

    def settle(
        by: Principal, question_id: str, state: str, seen_version: int, given: Given
    ) -> Problem | None:
        """Give a question another state; what is in the way, if something is."""
        wanted = State(state) if state in set(State) else State.CANDIDATE
        if wanted is State.RETIRED and not given.words:
            return Problem("reason", "请选一个原因，或写在补充说明里。")
        try:
            bank.set_state(by, question_id, wanted, given.words, seen_version=seen_version)
        except ChangedMeanwhile as error:
            who = error.name or "系统"
            return Problem(
                "state",
                f"没有办成：{who}刚才也动过这道题（{views.moment_words(error.at)}）。请看清现在的样子再定。",
            )
        except Conflict:
            return Problem("state", "不能通过：所依据的材料已不是现行版本。请先修改，改依现行版本。")
        except InvalidRequest as error:
            return Problem("reason", error.hint)
        return None

    # -- one question ------------------------------------------------------------------------

    def shown(
        request: Request,
        by: Principal,
        kept: Kept,
        *,
        editing: bool = False,
        typed: Typed | None = None,
        typed_document: str = "",
        theirs: ChangedMeanwhile | None = None,
        failures: Sequence[object] | None = None,
        problems: Sequence[Problem] = (),
        given: Given | None = None,
        queue: int | None = None,
    ) -> HTMLResponse:
        desk = Desk(services, request, by, kept.branch_id)
        beside = _beside(services, by, kept)
        context = {
            **beside,
            "kept": kept,
            "editing": editing,
            "typed": typed or typed_of(kept.question),
            "typed_document": typed_document,
            "theirs": theirs,
            "differs": typed.differs(typed_of(kept.question)) if theirs and typed else (),
            "queue": queue,
            "sources": [(c.document_id, _version_words(c)) for c in sources(services, by, kept.question)],
            "source": (kept.question.citation.document_id if kept.question.citation else ""),
            "review_address": Chosen(kept.branch_id).address("/manage/questions/review", n=queue or 0),
            "steps": {s.value for s in STEPS[kept.state]} - ({"approved"} if kept.stale else set()),
            "given": given or Given(),
            "history": () if editing else tuple(_history(services, by, kept.question_id)),
        }
        if failures is not None:
            context["failures"] = failures
        return desk.show("quiz-question.html", context, problems=problems, status=409 if theirs else 0)

    @pages.get("/{question_id}")
    def question(
        request: Request, asker: Asker, question_id: str, edit: str = "", n: str = ""
    ) -> HTMLResponse:
        """One question beside its clause, or the form in which it is edited."""
        kept = bank.question(asker, question_id)
        return shown(request, asker, kept, editing=bool(edit), queue=_number(n))

    @pages.post("/{question_id}", dependencies=[OwnForm])
    def change(request: Request, asker: Asker, question_id: str, sent: Sent) -> Response:
        """Make the next version of what was typed; the form again, with all of it, where that will not do."""
        kept = bank.question(asker, question_id)
        seen_version, queue = _number(str(sent.get("seen_version", ""))) or 0, _number(str(sent.get("n", "")))
        typed, document = Typed.read(sent), str(sent.get("document", "")).strip()
        again: dict[str, Any] = {"editing": True, "typed": typed, "typed_document": document, "queue": queue}
        # Who began at an older version is told of the newer one before anything else.
        old = kept if kept.version == seen_version else bank.question(asker, question_id, seen_version)
        cited, problems = cited_for(services, asker, old.question, typed.quote, document)
        made, wrong = question_from(typed, old.question, cited)
        problems += wrong
        if kept.version == seen_version and (made is None or problems):
            return shown(request, asker, kept, **again, problems=problems)
        try:
            bank.edit(asker, question_id, made or old.question, seen_version=seen_version)
        except ChangedMeanwhile as error:
            return shown(request, asker, error.now, **again, theirs=error)
        except InvalidRequest as error:
            return shown(request, asker, kept, **again, problems=[Problem("stem", f"没有保存：{error.hint}")])
        to = f"/manage/questions/{question_id}?done=changed"
        return RedirectResponse(to if queue is None else f"{to}&n={queue}", 303)

    @pages.post("/{question_id}/state", dependencies=[OwnForm])
    def put(
        request: Request,
        asker: Asker,
        question_id: str,
        state: Annotated[str, Form()],
        seen_version: Annotated[int, Form()],
        reason: Annotated[str, Form()] = "",
        more: Annotated[str, Form()] = "",
    ) -> Response:
        """Approve a question, take it out of use, or send it to review again."""
        given = Given(reason, more)
        problem = settle(asker, question_id, state, seen_version, given)
        if problem:
            kept = bank.question(asker, question_id)
            return shown(request, asker, kept, problems=[problem], given=given)
        return RedirectResponse(f"/manage/questions/{question_id}?done={state}", 303)

    return pages


def _beside(services: Services, by: Principal, kept: Kept) -> dict[str, Any]:
    """What stands beside a question: its clause, the gates that it fails, and others like it."""
    return {
        "proof": proof(services, by, kept.question),
        "failures": () if kept.state is State.RETIRED else services.quiz.bank.failures(by, kept.question_id),
        "duplicates": services.quiz.bank.duplicates(by, kept.question_id),
    }


def _history(services: Services, by: Principal, question_id: str) -> Iterator[Line]:
    """Versions and verdicts, the last one first."""
    told = services.quiz.bank.history(by, question_id)
    now = told.versions[-1].version if told.versions else 0
    lines = [
        Line(
            v.made_at,
            _who(v.name, v.made_by),
            "修改" if v.version > 1 else "收进了题库",
            "",
            v.version,
            v.question if v.version < now else None,
        )
        for v in told.versions
    ]
    lines += [
        Line(r.reviewed_at, _who(r.name, r.reviewed_by), _REVIEWED[r.state], r.reason, r.version)
        for r in told.reviews
    ]
    lines.sort(key=lambda line: (line.at, line.version), reverse=True)
    yield from lines


def _who(name: str, person_id: str | None) -> str:
    return name or ("系统" if person_id is None else "已不在本支部的人")


def _added(request: Request) -> str:
    """What became of questions that were taken into the bank, from the address."""
    added, known = (_number(request.query_params.get(name, "")) for name in ("added", "known"))
    if added is None or known is None:
        return ""
    words = f"收进 {added} 道，等待审核。" if added else "没有收进新题。"
    return words + (f"另有 {known} 道题库里已有，没有再收。" if known else "")


def _version_words(card: DocumentCard) -> str:
    day = card.effective_on or card.issued_on
    return f"{card.title}（{views.day_words(day) if day else '日期不详'}，{VALIDITY_WORDS[card.validity]}）"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _id(text: str) -> str:
    return text if text.isascii() and text.isalnum() and len(text) <= 16 else ""

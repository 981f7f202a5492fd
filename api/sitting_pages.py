"""The pages of who is asked: what one can sit, the exam before one begins, sitting it, and what came of it.

Nothing from which a key follows is on a page before the attempt is over: no key, no id of a question,
no citation. Every page works without script; `web/static/quiz-attempt.js` saves as one answers.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from access.rights import Action
from api.forms import OwnSave
from api.pages import render
from api.principal import Asker
from api.quiz_words import letter
from api.services import Services
from api.sitting_views import (
    asked_views,
    can_do,
    closed_words,
    has_done,
    left_words,
    outcome_views,
    reading_list,
    to_come,
    tries,
    tries_words,
)
from kb.errors import Conflict, NotFound
from quiz.asking import LONGEST_GAP, LONGEST_TEXT, Asked
from quiz.attempt import Sitting
from quiz.model import TYPE_WORDS, Type

CHECK = "check"
"""In the place of a question's number: what is unanswered, before one submits."""
_LONGEST_REFRESH_S = 24 * 3600
_TWICE = "有两项选了同一个位置。请改好后再到别的题。"
_WORDS: Mapping[str, Any] = {
    "LONGEST_GAP": LONGEST_GAP,
    "LONGEST_TEXT": LONGEST_TEXT,
    "TYPE_WORDS": TYPE_WORDS,
    "letter": letter,
}
"""What templates of questions ask for."""

Texts = Annotated[list[str], Form(default_factory=list)]


def router(services: Services) -> APIRouter:
    """The routes of these pages."""
    pages = APIRouter(include_in_schema=False)
    exams, attempts = services.quiz.exams, services.quiz.attempts

    @pages.get("/quiz")
    def home(request: Request, asker: Asker) -> HTMLResponse:
        """What one can sit, what is to come, and what one has done."""
        cards = exams.open_to(asker)
        context = {
            "open": [card for card in cards if can_do(card)],
            "coming": [card for card in cards if to_come(card)],
            "done": has_done(cards),
            "asks": any(asker.may(Action.QUIZ, branch_id) for branch_id in asker.branches),
            "tries_words": tries_words,
        }
        return render(request, "quiz-home.html", context)

    @pages.get("/exams/{exam_id}")
    def exam(request: Request, exam_id: str, asker: Asker) -> HTMLResponse:
        """The rules of one exam in plain words, and the button that begins it."""
        card = exams.exam(asker, exam_id)
        context = {
            "card": card,
            "goes_on": any(tried.state == "open" for tried in card.tried),
            "tries_words": tries_words,
            "closed_words": closed_words,
        }
        return render(request, "quiz-exam.html", context)

    @pages.post("/exams/{exam_id}/begin", dependencies=[OwnSave])
    def begin(exam_id: str, asker: Asker) -> Response:
        """Begin, or go on with what is open."""
        asker.require_person()
        return RedirectResponse(f"/attempts/{attempts.begin(asker, exam_id)}", 303)

    @pages.get("/attempts/{attempt_id}")
    def sit(request: Request, attempt_id: str, asker: Asker, q: str = "") -> Response:
        """One question, or the check before one submits; what came of it once it is over."""
        sitting = attempts.sitting(asker, attempt_id)
        if sitting.state != "open":
            return _to_result(attempt_id)
        return _attempt_page(request, sitting, q)

    @pages.post("/attempts/{attempt_id}/save", dependencies=[OwnSave])
    def save(
        request: Request,
        attempt_id: str,
        asker: Asker,
        answer: Texts,
        option: Texts,
        place: Texts,
        position: Annotated[int, Form()] = 0,
        go: Annotated[str, Form()] = "",
    ) -> Response:
        """Save the question of a form, if it is one, and move to another."""
        sitting = attempts.sitting(asker, attempt_id)
        if sitting.state != "open":
            return _to_result(attempt_id)
        asked = next((a for a in sitting.questions if a.position == position), None)
        if asked:
            if _twice(place):
                return _attempt_page(
                    request, sitting, at=_number(sitting, asked), places=place, problem=_TWICE
                )
            # A form is sent on purpose and has no changes to count: it goes above what is there.
            given = answer_of(asked.type, answer, option, place)
            try:
                attempts.save(asker, attempt_id, position, given, asked.change + 1)
            except Conflict:
                return _to_result(attempt_id)
        return RedirectResponse(f"/attempts/{attempt_id}?q={go if _is_place(go) else ''}", 303)

    @pages.post("/attempts/{attempt_id}/submit", dependencies=[OwnSave])
    def submit(attempt_id: str, asker: Asker) -> Response:
        """Hand it in."""
        attempts.submit(asker, attempt_id)
        return _to_result(attempt_id)

    @pages.get("/attempts/{attempt_id}/result")
    def result(request: Request, attempt_id: str, asker: Asker, show: str = "") -> Response:
        """What came of it: score, answers beside the clauses that prove them, and what to read."""
        try:
            found = attempts.result(asker, attempt_id)
        except Conflict:
            return RedirectResponse(f"/attempts/{attempt_id}", 303)
        views = outcome_views(found.questions)
        context = {
            "result": found,
            "views": [v for v in views if v.missed] if show == "wrong" else views,
            "n_all": len(views),
            "n_wrong": sum(v.missed for v in views),
            "only_wrong": show == "wrong",
            "reading": reading_list(views),
            "again": may_begin(asker, found.exam_id),
            **_WORDS,
        }
        return render(request, "quiz-result.html", context)

    @pages.get("/manage/papers/{paper_id}/try")
    def try_paper(request: Request, paper_id: str, asker: Asker, form: int = 1) -> HTMLResponse:
        """A form of a paper as people would have it before them, for its trainers."""
        context = {
            "paper": services.quiz.papers.paper(asker, paper_id),
            "tries": tries(services.quiz.papers.form(asker, paper_id, form)),
            **_WORDS,
        }
        return render(request, "quiz-try.html", context)

    def may_begin(by: Principal, exam_id: str) -> bool:
        try:
            return exams.exam(by, exam_id).may_begin
        except NotFound:
            # It is given to the person no more; their results stay theirs.
            return False

    return pages


def answer_of(
    type_: Type, answer: Sequence[str], option: Sequence[str], place: Sequence[str]
) -> list[int | str | None]:
    """An answer as `Attempts.save` takes it, of a form's fields; what is no number counts as left empty.

    >>> answer_of(Type.MATCHING, ["1", "", "0"], [], [])
    [1, None, 0]
    >>> answer_of(Type.ORDERING, [], ["0", "1", "2"], ["2", "", "1"])
    [2, 0]
    """
    if type_ is Type.ORDERING:
        placed = [(int(p), int(o)) for p, o in zip(place, option, strict=False) if _is_n(p) and _is_n(o)]
        return [o for _, o in sorted(placed)]
    if type_ in (Type.BLANK, Type.SHORT):
        return list(answer) if any(text.strip() for text in answer) else []
    chosen = [int(value) if _is_n(value) else None for value in answer]
    if type_ is Type.MATCHING:
        return list(chosen) if any(one is not None for one in chosen) else []
    return [one for one in chosen if one is not None]


def _attempt_page(
    request: Request,
    sitting: Sitting,
    q: str = "",
    *,
    at: int = 0,
    places: Sequence[str] = (),
    problem: str = "",
) -> HTMLResponse:
    """The attempt at the question that `q` or `at` names, at the first unanswered one if neither does."""
    views = asked_views(sitting.questions)
    gaps = [n for n, view in enumerate(views, 1) if not view.answered]
    if at:
        views[at - 1] = views[at - 1].placed(places)
    elif _is_n(q) and 1 <= int(q) <= len(views):
        at = int(q)
    elif q != CHECK:
        at = gaps[0] if gaps else 1
    left = sitting.seconds_left
    context = {
        "sitting": sitting,
        "questions": views,
        "at": str(at) if at and views else CHECK,
        "gaps": gaps,
        "problem": problem,
        "left_words": "" if left is None else left_words(left),
        "refresh_s": left + 1 if left is not None and left < _LONGEST_REFRESH_S else None,
        **_WORDS,
    }
    return render(request, "quiz-attempt.html", context, status=400 if problem else 200)


def _number(sitting: Sitting, asked: Asked) -> int:
    return sitting.questions.index(asked) + 1


def _to_result(attempt_id: str) -> Response:
    return RedirectResponse(f"/attempts/{attempt_id}/result", 303)


def _twice(place: Sequence[str]) -> bool:
    chosen = [p for p in place if p]
    return len(chosen) != len(set(chosen))


def _is_n(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5


def _is_place(go: str) -> bool:
    return go == CHECK or _is_n(go)

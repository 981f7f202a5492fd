"""The pages on which a paper is given out: to whom, when, under which rules; and what was given out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.access import Access
from access.principal import Principal
from access.sharing import OWN, Wanted
from api.address import Problem
from api.audience_words import AudienceForm, AudienceWords, of_people
from api.forms import OwnForm
from api.principal import Asker
from api.question_desk import Desk
from api.services import Services
from kb.errors import InvalidRequest, NotFound, Refused
from quiz.exam import ExamRules, Mode, Phase, Preview, Retake, Reveal
from quiz.paper import Paper

MODE_WORDS: Mapping[Mode, str] = {Mode.TEST: "测验：计时、计成绩", Mode.PRACTICE: "练习：不限时，可以反复做"}
RETAKE_WORDS: Mapping[Retake, str] = {
    Retake.NEVER: "只能做一次",
    Retake.FAILED: "没有及格可以重做",
    Retake.ANY: "可以重做",
}
REVEAL_WORDS: Mapping[Reveal, str] = {
    Reveal.CLOSED: "截止以后，大家一起看",
    Reveal.SUBMITTED: "交卷就能看",
}
PHASE_WORDS: Mapping[Phase, str] = {Phase.COMING: "还没有开始", Phase.OPEN: "进行中", Phase.OVER: "已结束"}
DONE: Mapping[str, str] = {
    "given": "已发出，能参加的人现在就看得到。",
    "ended": "已结束。没有交的按已保存的答案交卷。",
    "over": "它已经结束了，没有改动。",
}
REFUSALS: Mapping[str, tuple[str, str]] = {
    "Take a title of 1 to 120 characters.": ("title", "名称要有 1 至 120 个字。"),
    "Close it after it opens.": ("closes_at", "截止时间要晚于开始时间。"),
    "Close it in the future.": ("closes_at", "截止时间已经过了，请改到以后。"),
    "Take 1 to 1440 minutes.": ("minutes", "时长要在 1 至 1440 分钟之间；不限时就留空。"),
    "Take 1 to 100 attempts.": ("n_attempts", "次数要在 1 至 100 之间；不限次数就留空。"),
    "Take a share from 0 to 1.": ("pass_percent", "及格线要在 0 至 100 之间。"),
    "Put questions in first.": ("audience", "这份试卷里没有可用的题，请先在试卷页补上。"),
    "Choose who is to sit it.": ("audience", "请勾选发给谁。"),
}
"""Field and words, by the advice of the refusal."""
GONE = Problem("audience", "有的对象现在不能发了，请看清后重新勾选。")
BEYOND = Problem("audience", "发到本支部以外，由联络员或管理员来办。")
_USUAL_DAYS, _USUAL_MINUTES = 7, "60"

Typed = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was filled in. Times are those of the machine, as the browser's fields have them."""

    title: str
    mode: str = Mode.TEST.value
    opens_at: str = ""
    closes_at: str = ""
    minutes: str = _USUAL_MINUTES
    n_attempts: str = ""
    retake: str = Retake.NEVER.value
    reveal: str = Reveal.CLOSED.value
    pass_percent: str = "60"
    shuffled: str = "1"

    def rules(self) -> tuple[ExamRules, list[Problem]]:
        """The rules that it states, and what is no rule."""
        problems: list[Problem] = []

        def number(field: str, words: str, empty: float | None) -> float | None:
            text = getattr(self, field).strip()
            if not text:
                return empty
            if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text, re.ASCII):
                problems.append(Problem(field, words))
                return empty
            return float(text)

        def moment(field: str) -> datetime:
            try:
                here = datetime.fromisoformat(getattr(self, field).strip())
                return here.astimezone(UTC).replace(tzinfo=None)
            except (ValueError, OverflowError):
                problems.append(Problem(field, "请填日期和时间，格式如 2026-01-31T09:00。"))
                return datetime.max

        minutes = number("minutes", "时长要填分钟数；不限时就留空。", None)
        n_attempts = number("n_attempts", "次数要填数字；不限次数就留空。", None)
        percent = number("pass_percent", "及格线要填 0 至 100 的数字。", 60)
        rules = ExamRules(
            self.title,
            Mode(self.mode) if self.mode in set(Mode) else Mode.TEST,
            moment("opens_at"),
            moment("closes_at"),
            None if minutes is None else int(minutes),
            None if n_attempts is None else int(n_attempts),
            Retake(self.retake) if self.retake in set(Retake) else Retake.NEVER,
            Reveal(self.reveal) if self.reveal in set(Reveal) else Reveal.CLOSED,
            (percent or 0) / 100,
            self.shuffled == "1",
        )
        return rules, problems


def router(services: Services) -> APIRouter:
    """The routes of these pages."""
    pages = APIRouter(prefix="/manage/exams", include_in_schema=False)
    exams, papers = services.quiz.exams, services.quiz.papers

    def desk(request: Request, by: Principal, branch_id: str = "") -> Desk:
        return Desk(services, request, by, branch_id)

    @pages.get("")
    def listed(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """What a branch gave out, the last first."""
        at = desk(request, asker, branch)
        words = AudienceWords(services.access, asker)
        branch_id = at.branch.branch_id
        cards = [
            (card, "、".join(words.token(a, branch_id) for a in card.audience))
            for card in exams.of_branch(asker, branch_id)
        ]
        context = {"cards": cards, "PHASE_WORDS": PHASE_WORDS}
        done = DONE.get(request.query_params.get("done", ""), "")
        return at.show("quiz-exams.html", context, done=done)

    def form_page(
        request: Request,
        by: Principal,
        paper: Paper,
        filled: Filled,
        ticked: Sequence[str],
        *,
        problems: Sequence[Problem] = (),
        preview: Sequence[str] = (),
    ) -> HTMLResponse:
        context = {
            "paper": paper,
            "filled": filled,
            "form": _boxes(services.access, by, paper.branch_id, ticked),
            "preview": preview,
            "MODE_WORDS": MODE_WORDS,
            "RETAKE_WORDS": RETAKE_WORDS,
            "REVEAL_WORDS": REVEAL_WORDS,
        }
        return desk(request, by, paper.branch_id).show("quiz-exam-new.html", context, problems=problems)

    @pages.get("/new")
    def new(request: Request, asker: Asker, paper: str = "", branch: str = "") -> HTMLResponse:
        """The form that gives a paper out; without one, the papers to choose from."""
        if not paper:
            at = desk(request, asker, branch)
            found = papers.papers(asker, at.branch.branch_id)
            return at.show("quiz-exam-new.html", {"paper": None, "papers": found})
        chosen = papers.paper(asker, paper)
        now = datetime.now().replace(second=0, microsecond=0)
        times = [t.isoformat(timespec="minutes") for t in (now, now + timedelta(days=_USUAL_DAYS))]
        filled = Filled(chosen.title, opens_at=times[0], closes_at=times[1])
        return form_page(request, asker, chosen, filled, [OWN])

    @pages.post("/new", dependencies=[OwnForm])
    def give(
        request: Request,
        asker: Asker,
        audience: Annotated[list[str], Form(default_factory=list)],
        paper: Typed = "",
        title: Typed = "",
        mode: Typed = "",
        opens_at: Typed = "",
        closes_at: Typed = "",
        minutes: Typed = "",
        n_attempts: Typed = "",
        retake: Typed = "",
        reveal: Typed = "",
        pass_percent: Typed = "",
        shuffled: Typed = "",
        preview: Typed = "",
    ) -> Response:
        """Give the paper out; or say who would see it, and change nothing."""
        asker.require_person()
        chosen = papers.paper(asker, paper)
        filled = Filled(
            title, mode, opens_at, closes_at, minutes, n_attempts, retake, reveal, pass_percent, shuffled
        )
        rules, problems = filled.rules()
        wanted = [Wanted(a) for a in dict.fromkeys(audience)]
        lines: Sequence[str] = ()
        try:
            if preview:
                # Who it is for can be looked at before the rest is filled in.
                problems = []
                lines = _preview_lines(services.access, asker, chosen, exams.preview(asker, paper, wanted))
            elif not problems:
                exams.give(asker, paper, rules, wanted)
                return RedirectResponse(f"/manage/exams?branch={chosen.branch_id}&done=given", 303)
        except InvalidRequest as error:
            problems.append(Problem(*REFUSALS[error.hint]) if error.hint in REFUSALS else GONE)
        except NotFound:
            problems.append(GONE)
        except Refused:
            problems.append(BEYOND)
        return form_page(request, asker, chosen, filled, audience, problems=problems, preview=lines)

    @pages.post("/{exam_id}/end", dependencies=[OwnForm])
    def end(asker: Asker, exam_id: str) -> Response:
        """End an exam now."""
        card = exams.exam(asker, exam_id)
        done = "over" if card.phase is Phase.OVER else "ended"
        if done == "ended":
            exams.end(asker, exam_id)
        return RedirectResponse(f"/manage/exams?branch={card.branch_id}&done={done}", 303)

    return pages


def _boxes(access: Access, by: Principal, branch_id: str, ticked: Sequence[str]) -> AudienceForm:
    """The audiences of documents as boxes, but for those that are not people who sign in; none is passed on."""
    return of_people(AudienceWords(access, by).form(branch_id, [Wanted(a) for a in ticked]), BEYOND.text)


def _preview_lines(access: Access, by: Principal, paper: Paper, preview: Preview) -> list[str]:
    """Who would see it, and what of it is kept from whom."""
    words = AudienceWords(access, by)
    lines = list(words.reach(preview.reach, paper.branch_id))
    if not preview.hidden:
        return [*lines, f"{preview.n} 道题大家都能做。"]
    for branch_id, n in sorted(preview.hidden.items()):
        left = f"那里的人只做 {preview.n - n} 道" if n < preview.n else "那里的人做不了"
        lines.append(f"{words.branch(branch_id)}看不到其中 {n} 道题所依据的材料，{left}。")
    return lines

"""The pages on which branches are called to vote for model cases, put cases up, vote, and read the count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.access import Access
from access.branches import Branch
from access.principal import Principal
from access.rights import Action
from access.sharing import PARTNERS, Wanted
from api.address import Problem
from api.audience_words import AudienceForm, AudienceWords, of_people
from api.case_view import CaseViews
from api.case_words import WORDS
from api.forms import OwnForm
from api.pages import render
from api.principal import Asker
from api.services import Services
from cases.ballots import Voice
from cases.voting import BAR_WORDS, LONGEST_TITLE, MOST_MODELS, MOST_VOTES, PHASE_WORDS, Ballot, Phase
from kb.errors import Conflict, InvalidRequest, KbError, NotFound, Refused

DONE: Mapping[str, str] = {
    "called": "已发起，请到的支部现在就看得到。",
    "nominated": "已推荐，看得到这个案例的支部可以投它。",
    "taken-back": "已收回，投给它的票也一并作废。",
    "voted": "已投票。截止之前可以再改。",
    "unvoted": "已撤回本支部的票。截止之前可以再投。",
    "ended": "已结束，结果如下。",
    "over": "没有改动：评选已经结束了。",
    "not-open": "没有投成：还没有到开始投票的时间。",
    "known": "这个案例已经推荐过了。",
}
REFUSALS: Mapping[str, tuple[str, str]] = {
    f"Take a title of 1 to {LONGEST_TITLE} characters.": ("title", f"名称要有 1 至 {LONGEST_TITLE} 个字。"),
    "Close it after it opens.": ("closes_at", "截止时间要晚于开始时间。"),
    "Close it in the future.": ("closes_at", "截止时间已经过了，请改到以后。"),
    f"Take 1 to {MOST_VOTES} votes.": ("n_votes", f"每个支部的票数要在 1 至 {MOST_VOTES} 之间。"),
    f"Take 1 to {MOST_MODELS} model cases.": ("n_models", f"评出的个数要在 1 至 {MOST_MODELS} 之间。"),
    "Choose who is to vote.": ("audience", "请勾选请哪些支部投票。"),
    "Choose a branch of another organisation.": (
        "audience",
        "投票的至少要有两个单位：谁都不能投本单位的案例。请再勾选其他单位的支部。",
    ),
}
"""Field and words, by the advice of the refusal."""
GONE = Problem("audience", "有的对象现在不能选了，请看清后重新勾选。")
BARRED = Problem("cases", "没有投成：所选的案例里有本支部不能投的，或已经不在评选中。请看清后重新勾选。")
_USUAL_DAYS = 14

Typed = Annotated[str, Form()]
Several = Annotated[list[str], Form(default_factory=list)]


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was filled in. Times are those of the machine, as the browser's fields have them."""

    title: str = ""
    opens_at: str = ""
    closes_at: str = ""
    n_votes: str = "3"
    n_models: str = "3"

    def number(self, field: str) -> int:
        """A whole number; what is none is below every limit."""
        text: str = getattr(self, field).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1

    def moment(self, field: str) -> datetime | None:
        """A time in UTC, None if it is none."""
        try:
            here = datetime.fromisoformat(getattr(self, field).strip())
            return here.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            return None


def router(services: Services) -> APIRouter:
    """The routes of these pages; to be included before those of /cases/{case_id}."""
    pages = APIRouter(prefix="/cases/ballots", include_in_schema=False)
    access, ballots, library = services.access, services.cases.ballots, services.cases.library

    @pages.get("")
    def listed(request: Request, asker: Asker) -> HTMLResponse:
        """The ballots that the asker's branches were called to."""
        context = {
            "cards": ballots.open_to(asker),
            "names": access.branches.names(),
            "speaks": bool(_speaking(access, asker)),
            "PHASE_WORDS": PHASE_WORDS,
        }
        return _show(request, "case-ballots.html", context)

    # -- calling ----------------------------------------------------------------------------

    def form_page(
        request: Request,
        by: Principal,
        branch: Branch,
        filled: Filled,
        ticked: Sequence[str],
        *,
        problems: Sequence[Problem] = (),
        preview: Sequence[str] = (),
    ) -> HTMLResponse:
        context = {
            "branch": branch,
            "branches": _speaking(access, by),
            "filled": filled,
            "form": _boxes(access, by, branch.branch_id, ticked),
            "preview": preview,
        }
        return _show(request, "case-ballot-new.html", context, problems=problems)

    @pages.get("/new")
    def new(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The form that calls branches to a vote."""
        now = datetime.now().replace(second=0, microsecond=0)
        times = [t.isoformat(timespec="minutes") for t in (now, now + timedelta(days=_USUAL_DAYS))]
        filled = Filled(opens_at=times[0], closes_at=times[1])
        return form_page(request, asker, _branch(access, asker, branch), filled, [PARTNERS])

    @pages.post("/new", dependencies=[OwnForm])
    def call(
        request: Request,
        asker: Asker,
        audience: Several,
        branch: Typed = "",
        title: Typed = "",
        opens_at: Typed = "",
        closes_at: Typed = "",
        n_votes: Typed = "",
        n_models: Typed = "",
        preview: Typed = "",
    ) -> Response:
        """Call them; or say who would be called, and change nothing."""
        calling = _branch(access, asker, branch)
        filled = Filled(title, opens_at, closes_at, n_votes, n_models)
        times = {field: filled.moment(field) for field in ("opens_at", "closes_at")}
        problems = [
            Problem(field, "请填日期和时间，格式如 2026-01-31T09:00。")
            for field, at in times.items()
            if at is None and not preview
        ]
        wanted = [Wanted(a) for a in dict.fromkeys(audience)]
        lines: Sequence[str] = ()
        try:
            if preview:
                # Who it is for can be looked at before the rest is filled in.
                reach = ballots.preview(asker, calling.branch_id, wanted)
                lines = AudienceWords(access, asker).reach(reach, calling.branch_id)
            elif (opens := times["opens_at"]) and (closes := times["closes_at"]):
                ballot_id = ballots.call(
                    asker,
                    calling.branch_id,
                    filled.title,
                    opens,
                    closes,
                    filled.number("n_votes"),
                    filled.number("n_models"),
                    wanted,
                )
                return _back(ballot_id, "called")
        except InvalidRequest as error:
            problems.append(Problem(*REFUSALS[error.hint]) if error.hint in REFUSALS else GONE)
        except NotFound:
            problems.append(GONE)
        return form_page(request, asker, calling, filled, audience, problems=problems, preview=lines)

    # -- voting ------------------------------------------------------------------------------

    def ballot_page(
        request: Request,
        by: Principal,
        ballot_id: str,
        branch_id: str,
        *,
        ticked: Sequence[str] | None = None,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        ballot = ballots.ballot(by, ballot_id)
        phase = ballot.phase(access.office.now())
        nominees = ballots.nominees(by, ballot_id)
        voices = ballots.voices(by, ballot_id)
        taking_part = [v for v in voices if v.takes_part]
        voice = next((v for v in taking_part if v.branch_id == branch_id), None) or next(
            iter(taking_part), None
        )
        cards = library.cards(by.scope, [n.case_id for n in nominees])
        # The list of a vote holds no badges: what a case won before is no reason to raise it again.
        views = CaseViews(services, by)
        shown = views.cards([cards[n.case_id] for n in nominees if n.case_id in cards])
        context = {
            **WORDS,
            "ballot": ballot,
            "phase": phase,
            "views": {view.card.case_id: replace(view, models=()) for view in shown},
            "standings": ballots.result(by, ballot_id) if phase is Phase.OVER else (),
            "voices": taking_part,
            "speaks": bool(voices),
            "voice": voice,
            "ticked": frozenset(voice.chosen if ticked is None else ticked) if voice else frozenset(),
            "own": [n.case_id for n in nominees if voice and n.branch_id == voice.branch_id],
            "nominable": _nominable(voice, by) if voice and phase is not Phase.OVER else (),
            "calls": by.may(Action.SPEAK, ballot.branch_id),
            "audience": _audience_words(by, ballot),
            "names": views.names,
            "PHASE_WORDS": PHASE_WORDS,
            "BAR_WORDS": BAR_WORDS,
        }
        return _show(request, "case-ballot.html", context, problems=problems)

    def _nominable(voice: Voice, by: Principal) -> list[tuple[str, str]]:
        """Id and title of the cases that the branch could put up besides; as options of a choice."""
        return [(card.case_id, card.title) for card in library.of_branch(by.scope, voice.branch_id)]

    def _audience_words(by: Principal, ballot: Ballot) -> str:
        """Who was called upon, for those who called them."""
        if not by.may(Action.SPEAK, ballot.branch_id):
            return ""
        words = AudienceWords(access, by)
        tokens = ballots.audience(by, ballot.ballot_id)
        return "、".join(words.token(token, ballot.branch_id) for token in tokens)

    @pages.get("/{ballot_id}")
    def one(request: Request, asker: Asker, ballot_id: str, branch: str = "") -> HTMLResponse:
        """A ballot: its cases while it runs, the count when it is over."""
        return ballot_page(request, asker, ballot_id, branch)

    @pages.post("/{ballot_id}/vote", dependencies=[OwnForm])
    def vote(
        request: Request, asker: Asker, ballot_id: str, case_ids: Several, branch: Typed = ""
    ) -> Response:
        """Cast the votes of a branch."""
        try:
            ballots.vote(asker, ballot_id, branch, case_ids)
        except Conflict as error:
            return _back(ballot_id, "not-open" if "not open" in error.message else "over", branch)
        except KbError as error:
            ballot = ballots.ballot(asker, ballot_id)
            asker.require(Action.SPEAK, branch)
            too_many = f"本支部只有 {ballot.n_votes} 票，勾了 {len(set(case_ids))} 个。请去掉几个再投。"
            problem = Problem("cases", too_many) if isinstance(error, InvalidRequest) else BARRED
            return ballot_page(request, asker, ballot_id, branch, ticked=case_ids, problems=[problem])
        return _back(ballot_id, "voted" if case_ids else "unvoted", branch)

    def changed(change: Callable[[], None], ballot_id: str, done: str, branch: str) -> Response:
        """Do it, and go back to the ballot; where it is over by now, say so."""
        try:
            change()
        except Conflict as error:
            done = "known" if "was before" in error.message else "over"
        return _back(ballot_id, done, branch)

    @pages.post("/{ballot_id}/nominate", dependencies=[OwnForm])
    def nominate(asker: Asker, ballot_id: str, case_id: Typed = "", branch: Typed = "") -> Response:
        """Put a case up for the vote."""
        return changed(lambda: ballots.nominate(asker, ballot_id, case_id), ballot_id, "nominated", branch)

    @pages.post("/{ballot_id}/take-back", dependencies=[OwnForm])
    def take_back(asker: Asker, ballot_id: str, case_id: Typed = "", branch: Typed = "") -> Response:
        """Take a nomination back."""
        return changed(lambda: ballots.take_back(asker, ballot_id, case_id), ballot_id, "taken-back", branch)

    @pages.post("/{ballot_id}/end", dependencies=[OwnForm])
    def end(asker: Asker, ballot_id: str) -> Response:
        """Close a ballot now."""
        return changed(lambda: ballots.end(asker, ballot_id), ballot_id, "ended", "")

    return pages


def _show(
    request: Request, template: str, context: Mapping[str, object], *, problems: Sequence[Problem] = ()
) -> HTMLResponse:
    done = DONE.get(request.query_params.get("done", ""), "")
    status = 400 if problems else 200
    return render(request, template, {"problems": problems, "done": done, **context}, status=status)


def _back(ballot_id: str, done: str, branch: str = "") -> RedirectResponse:
    query = {"done": done} | ({"branch": branch} if branch else {})
    return RedirectResponse(f"/cases/ballots/{ballot_id}?{urlencode(query)}", 303)


def _speaking(access: Access, by: Principal) -> list[Branch]:
    """The branches for which the asker calls and votes."""
    return [b for b in access.branches.all() if b.branch_id in by.roles and by.may(Action.SPEAK, b.branch_id)]


def _branch(access: Access, by: Principal, branch_id: str) -> Branch:
    """The branch that calls: the one named, or the first for which the asker speaks.

    Raises:
        SignInRequired, Refused: the asker speaks for none, or not for this one.
    """
    by.require_person()
    found = [b for b in _speaking(access, by) if branch_id in ("", b.branch_id)]
    if not found:
        raise Refused("Cannot call a vote: you do not speak for the branch.", "Ask its liaison.")
    return found[0]


def _boxes(access: Access, by: Principal, branch_id: str, ticked: Sequence[str]) -> AudienceForm:
    """The audiences of documents as boxes, but for those that are not branches; the calling one is in anyhow."""
    form = AudienceWords(access, by).form(branch_id, [Wanted(a) for a in ticked])
    return replace(of_people(form, form.beyond), own=())

"""Administration pages of partnerships: who learns with whom, offers, liaisons."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from access.access import Access
from access.partnerships import Partnership
from access.people import Person
from access.principal import Principal
from access.rights import Action, Role
from api.address import Problem
from api.forms import OwnForm
from api.manage import attempt, may_anywhere, require_in, show
from api.partnership_picture import Pair, picture
from api.principal import Asker
from kb.errors import KbError, NotFound, Refused

STATE_WORDS: Mapping[str, str] = {
    "proposed": "待同意",
    "in_force": "进行中",
    "coming": "未开始",
    "over": "已到期",
    "ended": "已结束",
}
_OPEN = ("proposed", "in_force", "coming")
_LIAISONS = frozenset({Role.LIAISON, Role.ADMINISTRATOR})


def router(access: Access) -> APIRouter:
    """The routes of partnerships."""
    pages = APIRouter(prefix="/manage")

    @pages.get("/partnerships")
    def partnerships(request: Request, asker: Asker) -> HTMLResponse:
        """Partnerships by state, and a picture of those that are open."""
        pairs = [_pair(access, asker, p) for p in access.partnerships.seen(asker)]
        names = access.branches.names()
        context = {
            "by_state": {s: [p for p in pairs if p.partnership.state == s] for s in STATE_WORDS},
            "picture": picture([p for p in pairs if p.partnership.state in _OPEN], names),
            "names": names,
            "people": _people(access, asker, [p.partnership for p in pairs]),
            "may_propose": bool(may_anywhere(asker, Action.PARTNER)),
            "to_agree": [p for p in pairs if is_to_agree(asker, p.partnership)],
            "STATE_WORDS": STATE_WORDS,
        }
        return show(request, "manage-partnerships.html", context)

    @pages.get("/new-partnership")
    def new(request: Request, asker: Asker) -> HTMLResponse:
        """The form of an offer."""
        return _new(access, request, asker)

    @pages.post("/new-partnership", dependencies=[OwnForm])
    def propose(
        request: Request,
        asker: Asker,
        own_id: Annotated[str, Form()] = "",
        partner_id: Annotated[str, Form()] = "",
        begins_on: Annotated[str, Form()] = "",
        ends_on: Annotated[str, Form()] = "",
        liaison: Annotated[str, Form()] = "",
    ) -> Response:
        """Offer a partnership."""
        typed = {
            "own_id": own_id,
            "partner_id": partner_id,
            "begins_on": begins_on,
            "ends_on": ends_on,
            "liaison": liaison,
        }
        first, last = _day(begins_on), _day(ends_on)
        problems = [
            Problem(field, f"看不懂“{said}”。日期写成 2026-12-31 这样。")
            for field, said, day in (("begins_on", begins_on, first), ("ends_on", ends_on, last))
            if said.strip() and day is None
        ]
        if not partner_id:
            problems.append(Problem("partner_id", "请选择对方组织。"))
        if problems:
            return _new(access, request, asker, problems=problems, typed=typed)
        require_in(asker, Action.PARTNER, own_id)
        return attempt(
            lambda: access.partnerships.propose(
                asker, own_id, partner_id, first, last, liaison=liaison or None
            ),
            "/manage/partnerships?done=proposed",
            lambda error: _new(access, request, asker, error=error, typed=typed),
        )

    @pages.get("/partnerships/{partnership_id}")
    def partnership(request: Request, asker: Asker, partnership_id: str) -> HTMLResponse:
        """One partnership."""
        return _one(access, request, asker, partnership_id)

    @pages.post("/partnerships/{partnership_id}/agree", dependencies=[OwnForm])
    def agree(
        request: Request, asker: Asker, partnership_id: str, liaison: Annotated[str, Form()] = ""
    ) -> Response:
        """Take an offer up."""
        return attempt(
            lambda: access.partnerships.agree(asker, partnership_id, liaison=liaison or None),
            f"/manage/partnerships/{partnership_id}?done=agreed",
            lambda error: _one(access, request, asker, partnership_id, error=error),
        )

    @pages.post("/partnerships/{partnership_id}/end", dependencies=[OwnForm])
    def end(request: Request, asker: Asker, partnership_id: str) -> Response:
        """End it, refuse it, or take it back."""
        return attempt(
            lambda: access.partnerships.end(asker, partnership_id),
            f"/manage/partnerships/{partnership_id}?done=ended",
            lambda error: _one(access, request, asker, partnership_id, error=error),
        )

    @pages.post("/partnerships/{partnership_id}/liaison", dependencies=[OwnForm])
    def set_liaison(
        request: Request,
        asker: Asker,
        partnership_id: str,
        branch_id: Annotated[str, Form()] = "",
        liaison: Annotated[str, Form()] = "",
    ) -> Response:
        """Name the liaison of one's own side."""
        return attempt(
            lambda: access.partnerships.set_liaison(asker, partnership_id, branch_id, liaison or None),
            f"/manage/partnerships/{partnership_id}?done=liaison",
            lambda error: _one(access, request, asker, partnership_id, error=error),
        )

    return pages


def is_to_agree(asker: Principal, partnership: Partnership) -> bool:
    """Whether it is an offer that waits for the asker."""
    return partnership.state == "proposed" and asker.may(Action.PARTNER, partnership.partner_id)


def _pair(access: Access, asker: Principal, partnership: Partnership) -> Pair:
    """The partnership from the asker's side: that of their own branch, or of one above it."""
    own = access.branches.tree().above(asker.branches) | asker.branches
    sides = partnership.proposer_id, partnership.partner_id
    own_id, other_id = sides if partnership.proposer_id in own else sides[::-1]
    if partnership.state != "in_force":
        return Pair(partnership, own_id, other_id)
    keeps = asker.may(Action.SEE_AUDIENCE, own_id)
    return Pair(
        partnership,
        own_id,
        other_id,
        access.sharing.n_shared(asker, own_id, other_id) if keeps else None,
        access.sharing.n_shared(asker, other_id, own_id),
    )


def _people(access: Access, asker: Principal, found: list[Partnership]) -> dict[str, str]:
    """Names of those liaisons whom the asker may know."""
    return access.people.names(
        asker, {x for p in found for x in (p.proposer_liaison, p.partner_liaison) if x is not None}
    )


def _liaisons(access: Access, asker: Principal, branch_id: str) -> list[Person]:
    """People of a branch who may be its liaison."""
    return [
        p for p in access.people.of_branch(asker, branch_id) if p.active and p.roles[branch_id] & _LIAISONS
    ]


def _new(
    access: Access,
    request: Request,
    asker: Principal,
    *,
    error: KbError | None = None,
    problems: list[Problem] | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    asker.require_person()
    mine = may_anywhere(asker, Action.PARTNER)
    if not mine:
        raise Refused("Cannot offer a partnership: your roles do not allow it.", "Ask a liaison.")
    known = access.branches.tree()
    tops = {known.top(b) for b in mine}
    listed = access.branches.seen(asker)
    context = {
        "mine": [b for b in listed if b.branch_id in mine],
        # In two organisations, one may be the partner of the other.
        "partners": [b for b in listed if len(tops) > 1 or known.top(b.branch_id) not in tops],
        "liaisons": {b: _liaisons(access, asker, b) for b in mine},
        "today": access.office.today(),
    }
    return show(
        request, "manage-new-partnership.html", context, error=error, problems=problems or (), typed=typed
    )


def _one(
    access: Access, request: Request, asker: Principal, partnership_id: str, *, error: KbError | None = None
) -> HTMLResponse:
    found = next((p for p in access.partnerships.seen(asker) if p.partnership_id == partnership_id), None)
    if found is None:
        raise NotFound(f"No partnership {partnership_id} here.", "See the list of partnerships.")
    sides = [found.proposer_id, found.partner_id]
    mine = [b for b in sides if asker.may(Action.PARTNER, b)]
    context = {
        "pair": _pair(access, asker, found),
        "found": found,
        "names": access.branches.names(),
        "people": _people(access, asker, [found]),
        "mine": mine if found.state in _OPEN else [],
        "liaisons": {b: _liaisons(access, asker, b) for b in mine},
        "to_agree": is_to_agree(asker, found),
        "STATE_WORDS": STATE_WORDS,
    }
    return show(request, "manage-partnership.html", context, error=error)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None

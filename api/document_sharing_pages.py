"""The pages of one document's audience: who sees it, sharing, passing on, copying, withdrawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from access.rights import Action
from access.sharing import Told, Wanted
from api.address import Problem
from api.audience_words import AudienceForm, AudienceWords, ordered, ticked_of, wanted_of
from api.forms import OwnForm
from api.manage import require_in
from api.pages import render
from api.principal import Asker
from api.services import Services
from kb.errors import Conflict, InvalidRequest, NotFound, Refused
from kb.model import PUBLIC
from store.catalog import Keeper

SHUT = "它已共享到本支部以外，只有联络员或管理员能改。"
LEAST = "至少勾选“本支部”：只有交入的人可以只留给自己看。"
GONE = "有的对象现在不能共享了，请看清后重新勾选。"

DONE: Mapping[str, str] = {
    "shared": "已保存，马上生效。",
    "passed-on": "已转发，马上生效。",
    "taken-back": "已收回，对方现在看不到了；对方转发出去的也一并收回。",
    "copied": "已存为副本，由您的支部保管。",
    "copied-before": "您的支部已有它的副本，没有再存一份。",
}


@dataclass(frozen=True, slots=True)
class Holding:
    """What the document page tells the asker of who keeps it, and what they may do with it."""

    keeper: str
    origin_id: str | None
    origin_keeper: str
    audience: str
    sees_audience: bool
    may_reshare: bool
    copies_to: tuple[tuple[str, str], ...]
    may_withdraw: bool
    done: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One share in words, by which branch, and whether the asker may take it back."""

    share_id: str
    audience: str
    by: str
    may_reshare: bool
    passed_on: bool
    mine: bool


def holding(services: Services, by: Principal, document_id: str, done: str = "") -> Holding | None:
    """What the document page tells beside the text; nothing to guests.

    Raises:
        NotFound: there is no such document in the asker's scope.
    """
    if not by.signed_in or not by.settled:
        return None
    access, catalog = services.access, services.catalog
    keeper = catalog.keeper(document_id, by.scope)
    words = AudienceWords(access, by)
    told = _told(services, by, document_id)
    sees = access.sharing.keeps(by, keeper, Action.SEE_AUDIENCE)
    origin = catalog.keeper(keeper.origin_id, by.scope) if keeper.origin_id else None
    return Holding(
        _keeper_words(words, by, keeper.branch_id),
        keeper.origin_id,
        _keeper_words(words, by, origin.branch_id) if origin else "",
        words.told(told, keeper.branch_id) if sees else "",
        sees,
        bool(access.sharing.passable(by, document_id) or (told and not sees)),
        tuple((b, words.branch(b)) for b in _copies_to(by, keeper)),
        _may_withdraw(services, by, document_id),
        DONE.get(done, ""),
    )


def _keeper_words(words: AudienceWords, by: Principal, branch_id: str | None) -> str:
    if branch_id in by.branches and len(by.branches) == 1:
        return "本支部"
    return words.branch(branch_id)


def _told(services: Services, by: Principal, document_id: str) -> list[Told]:
    """The shares that the asker is told of; none where that is not for them."""
    try:
        return services.access.sharing.shares(by, document_id)
    except Refused:
        return []


def _copies_to(by: Principal, keeper: Keeper) -> list[str]:
    if not by.may(Action.COPY, keeper.branch_id):
        return []
    return [b for b in sorted(by.branches) if b != keeper.branch_id and by.may(Action.ADD, b)]


def _may_withdraw(services: Services, by: Principal, document_id: str) -> bool:
    try:
        services.access.sharing.check_withdraw(by, document_id)
    except Refused:
        return False
    return True


def router(services: Services) -> APIRouter:
    """The routes of one document's audience."""
    pages = APIRouter(prefix="/documents/{document_id}", include_in_schema=False)
    access, catalog = services.access, services.catalog
    sharing = access.sharing

    def page(
        request: Request,
        by: Principal,
        document_id: str,
        *,
        ticked: Sequence[Wanted] | None = None,
        passing: tuple[str, Sequence[Wanted]] = ("", ()),
        problems: Sequence[Problem] = (),
        preview: Sequence[str] = (),
    ) -> HTMLResponse:
        told = _told(services, by, document_id)
        keeper = catalog.keeper(document_id, by.scope)
        passable = sharing.passable(by, document_id)
        keeps = sharing.keeps(by, keeper, Action.SEE_AUDIENCE)
        if not (keeps or passable or told):
            raise Refused(
                f"Cannot show who sees {document_id}: another branch keeps it.",
                "Ask the branch that keeps it.",
            )
        words = AudienceWords(access, by)
        form, shut = _form(by, words, keeper, told, ticked, keeps=keeps)
        context = {
            "card": services.card(document_id, by.scope),
            "keeper": _keeper_words(words, by, keeper.branch_id),
            "in_library": keeper.branch_id is None,
            "is_copy": keeper.origin_id is not None,
            "is_owner": keeper.owner_id == by.person_id,
            "rows": [_row(words, s, keeper) for s in ordered(told, keeper.branch_id)],
            "form": form,
            "shut": shut,
            "passing": [
                (b, words.branch(b), words.form(b, passing[1] if b == passing[0] else [], passing_on=True))
                for b in passable
            ],
            "passing_on": passing[0],
            "problems": problems,
            "preview": preview,
            "done": DONE.get(request.query_params.get("done", ""), ""),
        }
        return render(request, "sharing-audience.html", context, status=400 if problems else 200)

    @pages.get("/audience")
    def audience(request: Request, asker: Asker, document_id: str) -> HTMLResponse:
        """With whom the document is shared, and the form that changes it."""
        return page(request, asker, document_id)

    @pages.post("/audience", dependencies=[OwnForm])
    def share(
        request: Request,
        asker: Asker,
        document_id: str,
        audience: Annotated[list[str], Form(default_factory=list)],
        may_reshare: Annotated[list[str], Form(default_factory=list)],
        preview: Annotated[str, Form()] = "",
    ) -> Response:
        """Share with exactly what was ticked; or say who would see it then, and change nothing."""
        asker.require_person()
        keeper = catalog.keeper(document_id, asker.scope)
        wanted, problems = wanted_of(audience, may_reshare)
        if not wanted and keeper.branch_id and keeper.owner_id != asker.person_id:
            problems.append(Problem("audience", LEAST))
        lines: tuple[str, ...] = ()
        if not problems:
            try:
                if not preview:
                    sharing.set_audience(asker, document_id, wanted)
                    return RedirectResponse(f"{_address(document_id)}/audience?done=shared", 303)
                reach = sharing.reach(
                    asker, keeper.branch_id, wanted, owner_id=keeper.owner_id, document_id=document_id
                )
                lines = AudienceWords(access, asker).reach(reach, keeper.branch_id)
            except (InvalidRequest, NotFound):
                problems.append(Problem("audience", GONE))
        return page(request, asker, document_id, ticked=wanted, problems=problems, preview=lines)

    @pages.post("/reshare", dependencies=[OwnForm])
    def reshare(
        request: Request,
        asker: Asker,
        document_id: str,
        audience: Annotated[list[str], Form(default_factory=list)],
        may_reshare: Annotated[list[str], Form(default_factory=list)],
        branch: Annotated[str, Form()] = "",
    ) -> Response:
        """Pass the document on, as a branch of one's own."""
        asker.require_person()
        catalog.keeper(document_id, asker.scope)
        require_in(asker, Action.SHARE, branch)
        wanted, problems = wanted_of(audience, may_reshare)
        if not wanted:
            problems.append(Problem("audience", "请勾选要转发给谁。"))
        if not problems:
            try:
                sharing.reshare(asker, document_id, branch, wanted)
                return RedirectResponse(f"{_address(document_id)}/audience?done=passed-on", 303)
            except (InvalidRequest, NotFound):
                problems.append(Problem("audience", GONE))
        return page(request, asker, document_id, passing=(branch, wanted), problems=problems)

    @pages.post("/shares/{share_id}/take-back", dependencies=[OwnForm])
    def take_back(asker: Asker, document_id: str, share_id: str) -> Response:
        """Take one share back."""
        sharing.take_back(asker, document_id, share_id)
        keeps = sharing.keeps(asker, catalog.keeper(document_id, asker.scope), Action.SEE_AUDIENCE)
        back = _address(document_id) + ("/audience" if keeps else "")
        return RedirectResponse(f"{back}?done=taken-back", 303)

    @pages.post("/copy", dependencies=[OwnForm])
    def copy(asker: Asker, document_id: str, branch: Annotated[str, Form()] = "") -> Response:
        """Put a copy into a branch of one's own, and open it."""
        asker.require_person()
        catalog.keeper(document_id, asker.scope)
        require_in(asker, Action.ADD, branch)
        try:
            copy_id = services.holdings.copy(asker, document_id, branch)
        except Conflict:
            return RedirectResponse(f"{_address(document_id)}?done=copied-before", 303)
        return RedirectResponse(f"{_address(copy_id)}?done=copied", 303)

    @pages.get("/withdraw")
    def confirm(request: Request, asker: Asker, document_id: str) -> HTMLResponse:
        """What withdrawing takes away, before it does."""
        sharing.check_withdraw(asker, document_id)
        told = _told(services, asker, document_id)
        context = {
            "card": services.card(document_id, asker.scope),
            "n_shares": sum(not s.audience.startswith("owner:") for s in told),
            "n_copies": catalog.n_copies(document_id, asker.scope),
        }
        return render(request, "sharing-withdraw.html", context)

    @pages.post("/withdraw", dependencies=[OwnForm])
    def withdraw(asker: Asker, document_id: str, reason: Annotated[str, Form()] = "") -> Response:
        """Take the document out, with its copies."""
        branch_id = sharing.check_withdraw(asker, document_id).branch_id
        services.holdings.withdraw(asker, document_id, reason)
        back = f"/manage/documents?branch={branch_id}&done=withdrawn" if branch_id else "/documents"
        return RedirectResponse(back, 303)

    return pages


def _address(document_id: str) -> str:
    return f"/documents/{quote(document_id, safe='')}"


def _form(
    by: Principal,
    words: AudienceWords,
    keeper: Keeper,
    told: Sequence[Told],
    ticked: Sequence[Wanted] | None,
    *,
    keeps: bool,
) -> tuple[AudienceForm | None, str]:
    """The keeper's form, and why it is shut; none for another branch and for the common library."""
    if keeper.branch_id is None or not keeps:
        return None, ""
    now = ticked_of(told, keeper.branch_id)
    form = words.form(keeper.branch_id, now if ticked is None else ticked)
    is_wide = any(
        not s.passed_on and s.audience != f"branch:{keeper.branch_id}" and not _is_owner(s) for s in told
    )
    return form, SHUT if is_wide and form.beyond else ""


def _is_owner(share: Told) -> bool:
    return share.audience.startswith("owner:")


def _row(words: AudienceWords, share: Told, keeper: Keeper) -> ShareRow:
    stays = not share.passed_on and (share.audience == f"branch:{keeper.branch_id}" or _is_owner(share))
    stays = stays or (keeper.branch_id is None and share.audience == PUBLIC)
    return ShareRow(
        share.share_id,
        words.token(share.audience, keeper.branch_id),
        words.branch(share.branch_id),
        share.may_reshare,
        share.passed_on,
        share.mine and not stays,
    )

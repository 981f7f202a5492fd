"""The pages on which a branch decides on its cases: the list, review, publication, with whom they are shared, withdrawal."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from access.rights import Action
from access.sharing import OWN, Wanted
from api.address import Problem
from api.audience_words import AudienceWords, ordered, ticked_of, wanted_of
from api.case_form import body_shown
from api.case_view import Section, blocks
from api.case_words import WORDS, facts_of
from api.forms import OwnForm
from api.manage import may_anywhere
from api.pages import render
from api.principal import Asker
from api.services import Services
from cases.drafts import Draft, DraftCard
from cases.library import number_of
from cases.model import LABELS, REQUIRED, SHAPES, Body, Field, Level, Shape, State, figures_of
from kb.errors import Conflict, InvalidRequest, NotFound

GONE = "有的对象现在不能共享了，请看清后重新勾选。"
LEAST = "至少勾选“本支部”。不想让人看见了，请用下面的“撤下”。"

DONE: Mapping[str, str] = {
    "submitted": "已提交，等本支部另一位联络员或管理员审核。",
    "given-back": "已退回，理由写在草稿上。",
    "approved": "已通过。下一步：选给谁看，发布。",
    "published": "已发布，马上能看到、能搜到。",
    "shared": "已保存，马上生效。",
    "withdrawn": "已撤下，现在谁也看不到它了。草稿还在。",
    "dropped": "草稿已删除。",
    "delivered": "没有网时写的，已经发出。",
}
"""What was done, by the code in the address after it."""

_LISTS: Sequence[tuple[str, str, State]] = (
    ("in-review", "等审核", State.IN_REVIEW),
    ("approved", "已审，待发布", State.APPROVED),
    ("drafts", "草稿", State.DRAFT),
    ("published", "已发布", State.PUBLISHED),
)
_READ = (
    Field.PROBLEM,
    Field.OUTCOME,
    Field.FIGURES,
    Field.BACKGROUND,
    Field.PRACTICE,
    Field.CONDITIONS,
    Field.CARRIES_OVER,
    Field.CONTACTS,
)
"""The fields as they are read, problem and outcome first."""

Text = Annotated[str, Form()]
Ticked = Annotated[list[str], Form(default_factory=list)]


def router(services: Services) -> APIRouter:
    """The routes of deciding on cases; to be included before those of /cases/{case_id}."""
    pages = APIRouter(include_in_schema=False)
    drafts, publishing = services.cases.drafts, services.cases.publishing
    attachments, access = services.cases.attachments, services.access
    library = services.cases.library

    @pages.get("/manage/cases")
    def manage(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """What a branch of one's own is writing, what waits for review, what it published."""
        asker.require_person()
        own = may_anywhere(asker, Action.WRITE_CASE)
        if branch and branch not in own:
            raise NotFound(f"No branch {branch} of yours here.", "Choose one of your own.")
        names, at = access.branches.names(), branch or next(iter(own), "")
        # What came as a file, or was withdrawn elsewhere, is seen here at once.
        library.follow()
        cards: list[DraftCard] = drafts.of_branch(asker, at) if at else []
        # One that came as a file has a title before anybody wrote one into its form.
        published = library.cards(asker.scope, [c.case_id for c in cards if not c.title])
        context = {
            **WORDS,
            "branches": [(b, names[b]) for b in own],
            "branch": at,
            "titles": {case_id: card.title for case_id, card in published.items()},
            "lists": [(i, words, [c for c in cards if c.state is state]) for i, words, state in _LISTS],
            "done": _done(request),
        }
        return render(request, "case-manage.html", context)

    # -- review ---------------------------------------------------------------------------

    def review_page(
        request: Request, by: Principal, draft: Draft, problems: Sequence[Problem] = (), note: str = ""
    ) -> HTMLResponse:
        body = body_shown(library, by, draft)
        context = {
            **WORDS,
            "draft": draft,
            "title": body.get(Field.TITLE, ""),
            "branch_name": access.branches.names()[draft.branch_id],
            "facts": facts(body),
            "sections": sections(body),
            "attachments": attachments.of_draft(by, draft.case_id),
            "may_review": by.may(Action.REVIEW_CASE, draft.branch_id),
            "is_submitter": draft.submitted_by == by.person_id,
            "problems": problems,
            "note": note,
            "done": _done(request),
        }
        return render(request, "case-review.html", context, status=400 if problems else 200)

    @pages.get("/cases/{case_id}/review")
    def review(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """The draft as it would be read, and what is to be decided."""
        return review_page(request, asker, drafts.form(asker, case_id))

    @pages.post("/cases/{case_id}/submit", dependencies=[OwnForm])
    def submit(request: Request, case_id: str, asker: Asker) -> Response:
        """Hand the draft to the reviewers."""
        draft = drafts.form(asker, case_id)
        missing = [LABELS[f] for f in REQUIRED if not draft.body.get(f, "").strip()]
        if missing:
            words = f"还没有写：{'、'.join(missing)}。请先补上。"
            return review_page(request, asker, draft, [Problem("main", words)])
        try:
            drafts.submit(asker, case_id)
        except (InvalidRequest, Conflict) as error:
            return review_page(request, asker, draft, [Problem("main", error.message)])
        return RedirectResponse(f"/cases/{case_id}/review?done=submitted", 303)

    @pages.post("/cases/{case_id}/give-back", dependencies=[OwnForm])
    def give_back(request: Request, case_id: str, asker: Asker, note: Text = "") -> Response:
        """Return it to those who write it, with a reason."""
        draft = drafts.form(asker, case_id)
        try:
            drafts.give_back(asker, case_id, note)
        except InvalidRequest as error:
            return review_page(request, asker, draft, [Problem("note", error.message)], note)
        return RedirectResponse(f"/manage/cases?branch={draft.branch_id}&done=given-back", 303)

    @pages.post("/cases/{case_id}/approve", dependencies=[OwnForm])
    def approve(
        request: Request, case_id: str, asker: Asker, revision: Annotated[int, Form(ge=0, lt=2**31)]
    ) -> Response:
        """Find it fit to be published, as it was read."""
        try:
            drafts.approve(asker, case_id, revision=revision)
        except Conflict as error:
            return review_page(request, asker, drafts.form(asker, case_id), [Problem("main", error.message)])
        return RedirectResponse(f"/cases/{case_id}/publish?done=approved", 303)

    # -- publication ----------------------------------------------------------------------

    def publish_page(
        request: Request,
        by: Principal,
        draft: Draft,
        *,
        ticked: Sequence[Wanted] | None = None,
        problems: Sequence[Problem] = (),
        preview: Sequence[str] = (),
    ) -> HTMLResponse:
        words = AudienceWords(access, by)
        told = publishing.audience(by, draft.case_id)
        shares = told.shares if told else ()
        now = ticked_of(shares, draft.branch_id) or [Wanted(OWN)]
        context = {
            **WORDS,
            "draft": draft,
            "title": body_shown(library, by, draft).get(Field.TITLE, ""),
            "contacts": draft.body.get(Field.CONTACTS, ""),
            "attachments": attachments.of_draft(by, draft.case_id),
            "shared": [words.token(s.audience, draft.branch_id) for s in ordered(shares, draft.branch_id)],
            "form": words.form(draft.branch_id, now if ticked is None else ticked),
            "problems": problems,
            "preview": preview,
            "done": _done(request),
        }
        return render(request, "case-publish.html", context, status=400 if problems else 200)

    @pages.get("/cases/{case_id}/publish")
    def choose(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """To whom the case goes, or went."""
        return publish_page(request, asker, drafts.form(asker, case_id))

    @pages.post("/cases/{case_id}/publish", dependencies=[OwnForm])
    def publish(
        request: Request,
        case_id: str,
        asker: Asker,
        audience: Ticked,
        may_reshare: Ticked,
        preview: Text = "",
    ) -> Response:
        """Publish to exactly what was ticked, or share so what is published; or say who would see it then."""
        draft = drafts.form(asker, case_id)
        wanted, problems = wanted_of(audience, may_reshare)
        if not wanted:
            problems.append(Problem("audience", LEAST))
        lines: tuple[str, ...] = ()
        if not problems:
            try:
                if not preview:
                    return _published(asker, draft, wanted)
                reach = publishing.preview(asker, case_id, wanted)
                lines = AudienceWords(access, asker).reach(reach, draft.branch_id)
            except (InvalidRequest, NotFound):
                problems.append(Problem("audience", GONE))
        return publish_page(request, asker, draft, ticked=wanted, problems=problems, preview=lines)

    def _published(by: Principal, draft: Draft, wanted: Sequence[Wanted]) -> Response:
        if draft.state is State.APPROVED:
            publishing.publish(by, draft.case_id, wanted)
            return RedirectResponse(f"/cases/{draft.case_id}?done=published", 303)
        publishing.set_audience(by, draft.case_id, wanted)
        return RedirectResponse(f"/cases/{draft.case_id}/publish?done=shared", 303)

    @pages.post("/cases/{case_id}/withdraw", dependencies=[OwnForm])
    def withdraw(request: Request, case_id: str, asker: Asker, reason: Text = "") -> Response:
        """Take what is published out; the draft stays."""
        draft = drafts.form(asker, case_id)
        if not reason.strip():
            return publish_page(request, asker, draft, problems=[Problem("reason", "请写明撤下的原因。")])
        for digest in publishing.withdraw(asker, case_id, reason):
            services.originals.discard(digest)
        return RedirectResponse(f"/manage/cases?branch={draft.branch_id}&done=withdrawn", 303)

    return pages


def facts(body: Body) -> Mapping[str, str]:
    """The facts of a form in words."""
    level = body.get(Field.LEVEL)
    return facts_of(
        body.get(Field.INDUSTRY),
        number_of(body.get(Field.PEOPLE)),
        number_of(body.get(Field.COST)),
        Level(level) if level else None,
    )


def sections(body: Body) -> list[Section]:
    """The texts of a form as they are read; figures as a table."""
    found = []
    for field in _READ:
        text = body.get(field, "")
        if SHAPES[field] is Shape.FIGURES:
            rows = [(f.measure, f.before, f.after, f.unit) for f in figures_of(text)]
            rest = "\n".join(line for line in text.splitlines() if not figures_of(line))
            table = [(("指标", "之前", "之后", "单位"), *rows)] if rows else []
            shown = (*table, *blocks(rest))
        else:
            shown = blocks(text)
        if shown:
            found.append(Section(field, LABELS[field], tuple(shown)))
    return found


def _done(request: Request) -> str:
    return DONE.get(request.query_params.get("done", ""), "")

"""The pages on which cases are written: beginning one, its form, its photographs, its history, and the shell for no link.

Every page works without script; `web/static/case-write.js` saves as one writes, also where there is no link.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from access.principal import Principal
from access.rights import Action
from api import errors
from api.address import Problem
from api.case_changes import told_changes
from api.case_form import FIGURE_PARTS, GROUPS, FieldView, body_shown, field_view, sent_fields
from api.case_uploads import docx_of, refusal_words, sources_of
from api.case_words import WORDS
from api.forms import OwnForm, OwnSave, form_token
from api.manage import may_anywhere, require_in
from api.pages import asset, attachment, render
from api.principal import Asker
from api.services import Services
from cases.drafts import Draft
from cases.form_file import DOCX, read_form, write_form
from cases.model import LABELS, REQUIRED, Body, CaseCard, Field
from kb.errors import (
    Conflict,
    DocumentError,
    InvalidRequest,
    KbError,
    NotFound,
    Refused,
    SignInRequired,
    UnsupportedFormat,
)
from kb.model import Hit, Source

DONE: Mapping[str, str] = {
    "saved": "已保存。",
    "begun": "草稿已建好。",
    "removed": "已移除。",
    "put-back": "已改回原来的写法。",
    "dropped": "草稿已删除。",
    "delivered": "没有网时写的，已经发出。",
}
"""What was done, by the code in the address after it."""

_SHELL = (*(f"{look}.css" for look in ("style", "case", "case-write")), "case-write.js", "icon.svg")
_MODULES = ("case-field.js", "case-keep.js", "case-send.js", "case-photo.js")
_LIKENESS = (Field.TITLE, Field.PROBLEM, Field.PRACTICE)
"""The fields by which a case touches policies."""


async def _form_of(request: Request) -> AsyncIterator[FormData]:
    form = await request.form()
    yield form
    await form.close()


Sent = Annotated[FormData, Depends(_form_of)]
Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Read:
    """What a Word file that was handed in has filled in, and what of it has not."""

    name: str
    found: tuple[str, ...]
    missing: tuple[str, ...]
    elsewhere: str


def router(services: Services) -> APIRouter:
    """The routes of writing; to be included before those of /cases/{case_id}."""
    pages = APIRouter(prefix="/cases", include_in_schema=False)
    drafts, attachments = services.cases.drafts, services.cases.attachments
    library, finder = services.cases.library, services.cases.finder

    # -- beginning ------------------------------------------------------------------------

    def new_page(
        request: Request, by: Principal, branch: str, derived_from: str, problems: Sequence[Problem] = ()
    ) -> HTMLResponse:
        own = may_anywhere(by, Action.WRITE_CASE)
        by.require_person()
        if not own:
            raise Refused("Cannot write a case: no branch of yours lets you.", "Ask its administrator.")
        names = services.access.branches.names()
        context = {
            **WORDS,
            "branches": [(b, names[b]) for b in own],
            "branch": branch if branch in own else own[0],
            "derived": library.cards(by.scope, [derived_from]).get(derived_from) if derived_from else None,
            "problems": problems,
            "max_mb": services.settings.max_source_mb,
        }
        return render(request, "case-new.html", context, status=400 if problems else 200)

    @pages.get("/new")
    def new(request: Request, asker: Asker, branch: str = "", derived_from: str = "") -> HTMLResponse:
        """How a case is begun: from an empty form, a Word file, or another case."""
        return new_page(request, asker, branch, derived_from)

    @pages.post("/new", dependencies=[OwnForm])
    def begin(
        request: Request,
        asker: Asker,
        form: Sent,
        branch: Text = "",
        derived_from: Text = "",
    ) -> Response:
        """Begin a draft; what a Word file says stands in its form, and the file is kept with it."""
        require_in(asker, Action.WRITE_CASE, branch)
        if form.get("how") != "word":
            body = library.case(asker.scope, derived_from).body if derived_from else {}
            case_id = drafts.begin(asker, branch, body=body, derived_from=derived_from or None)
            return RedirectResponse(f"/cases/{case_id}/write?done=begun", 303)
        try:
            source = docx_of(form.getlist("word"))
            found = read_form(source)
        except (InvalidRequest, UnsupportedFormat, DocumentError) as error:
            return new_page(request, asker, branch, derived_from, [Problem("word", refusal_words(error))])
        case_id = drafts.begin(asker, branch, body=found.body)
        kept = attachments.add(asker, case_id, source, caption="交来的原文件")
        return RedirectResponse(f"/cases/{case_id}/write?read={kept.attachment_id}#read", 303)

    @pages.get("/form.docx")
    def empty_form() -> Response:
        """The form to fill in, as a Word file."""
        headers = {"Content-Disposition": attachment("案例表.docx")}
        return Response(write_form({}), headers=headers, media_type=DOCX)

    # -- the form -------------------------------------------------------------------------

    def write_page(
        request: Request,
        by: Principal,
        draft: Draft,
        *,
        typed: Mapping[Field, str] | None = None,
        bases: Mapping[Field, int] | None = None,
        problems: Sequence[Problem] = (),
    ) -> HTMLResponse:
        asked = request.query_params
        views = _views(
            draft, body_shown(library, by, draft), typed or {}, bases or {}, problems, asked.get("clash", "")
        )
        derived = draft.derived_from
        context = {
            **WORDS,
            **beside_of(by, draft),
            "draft": draft,
            "title": next(v.text for v in views if v.field is Field.TITLE).strip(),
            "branch_name": services.access.branches.names()[draft.branch_id],
            "published": _published(by, draft),
            "derived": library.cards(by.scope, [derived]).get(derived) if derived else None,
            "writers": _writer_words(draft),
            "read": _read(by, draft, asked.get("read", "")),
            "groups": _grouped(views),
            "attachments": attachments.of_draft(by, draft.case_id),
            "problems": problems,
            "done": DONE.get(asked.get("done", ""), ""),
            "token_for_drop": form_token(request),
            "max_mb": services.settings.max_source_mb,
            "FIGURE_PARTS": FIGURE_PARTS,
        }
        return render(request, "case-write.html", context, status=400 if problems else 200)

    def _published(by: Principal, draft: Draft) -> bool:
        return bool(draft.document_id and library.cards(by.scope, [draft.case_id]))

    def _read(by: Principal, draft: Draft, attachment_id: str) -> Read | None:
        """What the file that was handed in held, read once more."""
        kept = {a.attachment_id: a for a in attachments.of_draft(by, draft.case_id)}
        if attachment_id not in kept or kept[attachment_id].media_type != DOCX:
            return None
        held, data = attachments.open(by, draft.case_id, attachment_id)
        try:
            found = read_form(Source(held.name, DOCX, data))
        except KbError:
            return None
        return Read(
            held.name,
            tuple(LABELS[f] for f in Field if f in found.body),
            tuple(LABELS[f] for f in found.missing),
            found.elsewhere,
        )

    @pages.get("/{case_id}/write")
    def write(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """The form as it stands."""
        return write_page(request, asker, drafts.form(asker, case_id))

    @pages.post("/{case_id}/write", dependencies=[OwnSave])
    def save(request: Request, case_id: str, asker: Asker, form: Sent) -> Response:
        """Save every field of the form that was changed, with the files chosen; then submit it if that was asked."""
        draft = drafts.form(asker, case_id)
        sent = sent_fields({name: [v for v in form.getlist(name) if isinstance(v, str)] for name in form})
        problems, clashes = [], []
        for field, one in sent.items():
            stands = draft.fields.get(field)
            if one.text == (stands.text.strip() if stands else ""):
                continue
            try:
                saved = drafts.save(asker, case_id, field, one.text, base=one.base)
            except InvalidRequest as error:
                problems.append(Problem(field.value, error.message))
                continue
            clashes += [field.value] if saved.contested else []
        problems += _attach(asker, case_id, [*form.getlist("photo"), *form.getlist("file")])
        _caption(asker, case_id, form)
        removed = form.get("remove")
        if isinstance(removed, str):
            attachments.remove(asker, case_id, removed)
        if form.get("then") == "submit" and not problems and not clashes:
            problems = _submit(asker, case_id)
            if not problems:
                return RedirectResponse(f"/cases/{case_id}/review?done=submitted", 303)
        if problems:
            typed = {f: s.text for f, s in sent.items()}
            draft = drafts.form(asker, case_id)
            wrong = {p.field for p in problems}
            # What was saved shows as it stands now; what was not stays as typed, over what it was typed over.
            kept = {f: t for f, t in typed.items() if f.value in wrong}
            return write_page(
                request,
                asker,
                draft,
                typed=kept,
                bases={f: sent[f].base for f in kept},
                problems=problems,
            )
        to = f"/cases/{case_id}/write?done={'removed' if removed else 'saved'}"
        return RedirectResponse(to + (f"&clash={','.join(clashes)}#{clashes[0]}" if clashes else ""), 303)

    def _submit(by: Principal, case_id: str) -> list[Problem]:
        body = drafts.form(by, case_id).body
        missing = [f for f in REQUIRED if not body.get(f, "").strip()]
        if missing:
            return [Problem(f.value, f"“{LABELS[f]}”还没有写。") for f in missing]
        try:
            drafts.submit(by, case_id)
        except (InvalidRequest, Conflict) as error:
            return [Problem("story", error.message)]
        return []

    @pages.get("/{case_id}/beside")
    def beside(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """The list alone of what the draft is like and touches."""
        return render(request, "case-beside.html", {**WORDS, **beside_of(asker, drafts.form(asker, case_id))})

    def beside_of(by: Principal, draft: Draft) -> Mapping[str, Sequence[CaseCard] | Sequence[Hit]]:
        """Similar cases, and the policies that the text touches, as far as the asker sees them."""
        body = draft.body
        told = " ".join(body.get(f, "") for f in _LIKENESS)
        return {
            "similar": finder.like(body, by.scope, 4, without=draft.case_id) if told.strip() else (),
            "policies": finder.policies(told, by.scope, 4) if told.strip() else (),
        }

    # -- photographs and files ------------------------------------------------------------

    def attachment_list(request: Request, by: Principal, case_id: str) -> HTMLResponse:
        context = {
            **WORDS,
            "draft": drafts.form(by, case_id),
            "attachments": attachments.of_draft(by, case_id),
        }
        return render(request, "case-attachments.html", context)

    def _attach(by: Principal, case_id: str, files: Sequence[Any]) -> list[Problem]:
        problems = []
        for source in sources_of(files):
            try:
                attachments.add(by, case_id, source)
            except KbError as error:
                problems.append(Problem("file", f"“{source.name}”：{refusal_words(error)}"))
        return problems

    def _caption(by: Principal, case_id: str, form: FormData) -> None:
        for kept in attachments.of_draft(by, case_id):
            said = form.get(f"caption_{kept.attachment_id}")
            if isinstance(said, str) and said.strip() != kept.caption:
                attachments.caption(by, case_id, kept.attachment_id, said.strip())

    @pages.post("/{case_id}/attachments", dependencies=[OwnSave])
    def attach(request: Request, case_id: str, asker: Asker, form: Sent, part: str = "") -> Response:
        """Keep files with the draft; the list alone for the script."""
        for source in sources_of([*form.getlist("photo"), *form.getlist("file")]):
            try:
                attachments.add(asker, case_id, source)
            except (NotFound, Refused, SignInRequired):
                raise
            except KbError as error:
                return errors.problem(errors.status_of(error), error.code, refusal_words(error))
        if part == "list":
            return attachment_list(request, asker, case_id)
        return RedirectResponse(f"/cases/{case_id}/write?done=saved#attachments", 303)

    @pages.post("/{case_id}/attachments/{attachment_id}/caption", dependencies=[OwnSave])
    def caption(case_id: str, attachment_id: str, asker: Asker, caption: Text = "") -> Response:
        """Say what a file shows."""
        attachments.caption(asker, case_id, attachment_id, caption.strip())
        return Response(status_code=204)

    @pages.post("/{case_id}/attachments/{attachment_id}/remove", dependencies=[OwnForm])
    def remove(case_id: str, attachment_id: str, asker: Asker) -> Response:
        """Take a file out of the draft."""
        attachments.remove(asker, case_id, attachment_id)
        return RedirectResponse(f"/cases/{case_id}/write?done=removed#attachments", 303)

    # -- history --------------------------------------------------------------------------

    @pages.get("/{case_id}/history")
    def history(request: Request, case_id: str, asker: Asker) -> HTMLResponse:
        """Who changed what and when."""
        draft = drafts.form(asker, case_id)
        context = {
            **WORDS,
            "draft": draft,
            "changes": told_changes(drafts.changes(asker, case_id), draft.fields),
            "done": DONE.get(request.query_params.get("done", ""), ""),
        }
        return render(request, "case-history.html", context)

    @pages.post("/{case_id}/put-back", dependencies=[OwnForm])
    def put_back(case_id: str, asker: Asker, revision: Annotated[int, Form(ge=0, lt=2**31)]) -> Response:
        """Give a field the text that it had after a change."""
        drafts.put_back(asker, case_id, revision)
        return RedirectResponse(f"/cases/{case_id}/history?done=put-back", 303)

    @pages.post("/{case_id}/drop", dependencies=[OwnForm])
    def drop(case_id: str, asker: Asker) -> Response:
        """Delete a draft that was never published."""
        branch_id = drafts.form(asker, case_id).branch_id
        drafts.drop(asker, case_id)
        return RedirectResponse(f"/manage/cases?branch={branch_id}&done=dropped", 303)

    # -- without a link -------------------------------------------------------------------

    @pages.get("/writer")
    def writer(request: Request, asker: Asker) -> JSONResponse:
        """Who is signed in, with a fresh token: what one person kept is sent as nobody else."""
        person_id = asker.require_person()
        names = services.access.branches.names()
        own = [{"id": b, "name": names[b]} for b in may_anywhere(asker, Action.WRITE_CASE)]
        told = {"person": person_id, "name": asker.name, "branches": own, "token": form_token(request)}
        return JSONResponse(told)

    @pages.get("/offline")
    def offline(request: Request) -> HTMLResponse:
        """The form for where there is no link. It is kept in browsers: nothing in it is anybody's."""
        context = {
            **WORDS,
            "groups": _grouped([field_view(f) for f in Field]),
            "max_mb": services.settings.max_source_mb,
            "FIGURE_PARTS": FIGURE_PARTS,
        }
        return render(request, "case-offline.html", context)

    @pages.get("/worker.js")
    def worker(request: Request) -> Response:
        """The service worker, which names the shell by what is in it: a new shell is a new worker."""
        shell = ["/cases/offline", *(asset(path) for path in _SHELL), *(f"/static/{m}" for m in _MODULES)]
        page = offline(request).body
        version = hashlib.sha256(bytes(page) + "".join(map(asset, _MODULES)).encode()).hexdigest()[:12]
        script = render(request, "case-worker.js", {"shell": json.dumps(shell), "version": version})
        return Response(script.body, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return pages


def _grouped(views: Sequence[FieldView]) -> list[tuple[str, str, list[FieldView]]]:
    by_field = {view.field: view for view in views}
    return [(id_, heading, [by_field[f] for f in fields]) for id_, heading, fields in GROUPS]


def _views(
    draft: Draft,
    body: Body,
    typed: Mapping[Field, str],
    bases: Mapping[Field, int],
    problems: Sequence[Problem],
    clashes: str,
) -> list[FieldView]:
    wrong = {p.field: p.text for p in problems}
    found = []
    for field in Field:
        stands = draft.fields.get(field)
        text = stands.text if stands else body.get(field, "")
        found.append(
            field_view(
                field,
                typed.get(field, text),
                # What was read at one moment: later changes are merged by their revision.
                bases.get(field, stands.revision if stands else 0),
                clash=field.value in clashes.split(","),
                wrong=wrong.get(field.value, ""),
            )
        )
    return found


def _writer_words(draft: Draft) -> str:
    others = [f"{w.name}在写“{LABELS[w.field]}”" for w in draft.writers]
    return f"一起写的：{'，'.join(others)}" if others else ""

"""HTTP under /v1 for writing cases: forms saved field by field, files, review, and publishing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from access.sharing import Wanted
from api import access_schemas
from api import case_schemas as schemas
from api.access_schemas import BRANCH, IdPath
from api.forms import OwnRequest, OwnSave
from api.http_cases import attachment_json
from api.principal import Asker
from api.schemas import ANY, BYTES, CHANGE, DocumentId, problems
from api.services import Services
from cases.attachments import LONGEST_CAPTION, Attachments
from cases.drafts import Drafts
from cases.model import Field, State
from cases.publishing import Publishing
from kb.model import Source

Json = dict[str, Any]
FieldPath = Annotated[Field, Path(description="The field of the form.")]

_SEEN = problems(400, 403, 404)
_CHANGED = problems(*CHANGE, 404)
_CHANGING: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}
_SAVING: Json = {"responses": _CHANGED, "dependencies": [OwnSave]}
_NOTHING: Json = {"status_code": 204, "response_class": Response}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over cases that are being written."""
    routes = APIRouter(prefix="/v1/cases", responses=problems(*ANY))
    _add_forms(routes, services.cases.drafts)
    _add_review(routes, services.cases.drafts)
    _add_files(routes, services.cases.attachments)
    _add_publishing(routes, services, services.cases.publishing)
    return routes


def _add_forms(routes: APIRouter, drafts: Drafts) -> None:
    @routes.post("", summary="Begin a case", status_code=201, response_model=schemas.CaseBegun, **_CHANGING)
    def begin(asker: Asker, body: schemas.NewCase) -> Json:
        case_id = drafts.begin(asker, body.branch_id, body=body.body, derived_from=body.derived_from)
        return {"case_id": case_id}

    @routes.get(
        "/drafts",
        summary="The cases that a branch works on, those changed last first",
        response_model=schemas.DraftCards,
        responses=problems(400, 403),
    )
    def of_branch(
        asker: Asker,
        branch: Annotated[str, Query(pattern=BRANCH)],
        state: Annotated[list[State] | None, Query(description="Only those in one of these states.")] = None,
    ) -> Json:
        return {"drafts": [asdict(card) for card in drafts.of_branch(asker, branch, state or ())]}

    @routes.get(
        "/{case_id}/form",
        summary="The form of a case, or what changed in it, and who is writing",
        response_model=schemas.CaseForm,
        responses=_SEEN,
    )
    def form(
        asker: Asker,
        case_id: IdPath,
        since: Annotated[
            int | None, Query(ge=0, le=2**31, description="Only fields changed after this revision.")
        ] = None,
        at: Annotated[Field | None, Query(description="The field at which the asker is writing.")] = None,
    ) -> Json:
        if since is None and at is None:
            return asdict(drafts.form(asker, case_id))
        return asdict(drafts.since(asker, case_id, -1 if since is None else since, at=at))

    @routes.put(
        "/{case_id}/form/{field}",
        summary="Save a field; merged with what others wrote, and stored for good when this is answered",
        response_model=schemas.FieldSaved,
        **_SAVING,
    )
    def save(asker: Asker, case_id: IdPath, field: FieldPath, body: schemas.NewText) -> Any:
        return drafts.save(asker, case_id, field, body.text, base=body.base, change_key=body.change_key)

    @routes.get(
        "/{case_id}/changes",
        summary="Every change of the form, the latest first",
        response_model=schemas.CaseChanges,
        responses=_SEEN,
    )
    def changes(asker: Asker, case_id: IdPath) -> Json:
        return {"changes": [asdict(change) for change in drafts.changes(asker, case_id)]}

    @routes.post(
        "/{case_id}/changes/{revision}/put-back",
        summary="Give a field the text again that it had after a change",
        response_model=schemas.FieldSaved,
        **_CHANGING,
    )
    def put_back(asker: Asker, case_id: IdPath, revision: Annotated[int, Path(ge=1, le=2**31)]) -> Any:
        return drafts.put_back(asker, case_id, revision)

    @routes.delete("/{case_id}", summary="Delete a draft that was never published", **_NOTHING, **_CHANGING)
    def drop(asker: Asker, case_id: IdPath) -> None:
        drafts.drop(asker, case_id)


def _add_review(routes: APIRouter, drafts: Drafts) -> None:
    @routes.post("/{case_id}/submit", summary="Hand a case to review", **_NOTHING, **_CHANGING)
    def submit(asker: Asker, case_id: IdPath) -> None:
        drafts.submit(asker, case_id)

    @routes.post("/{case_id}/give-back", summary="Return a case to its writers", **_NOTHING, **_CHANGING)
    def give_back(asker: Asker, case_id: IdPath, body: schemas.Returned) -> None:
        drafts.give_back(asker, case_id, body.note)

    @routes.post("/{case_id}/approve", summary="Find a case fit to be published", **_NOTHING, **_CHANGING)
    def approve(asker: Asker, case_id: IdPath, body: schemas.Approval) -> None:
        drafts.approve(asker, case_id, revision=body.revision)


def _add_files(routes: APIRouter, attachments: Attachments) -> None:
    @routes.get(
        "/{case_id}/form-attachments",
        summary="The files of a case that is being written",
        response_model=schemas.CaseAttachments,
        responses=_SEEN,
    )
    def of_draft(asker: Asker, case_id: IdPath) -> Json:
        return {"attachments": [attachment_json(a) for a in attachments.of_draft(asker, case_id)]}

    @routes.post(
        "/{case_id}/attachments",
        summary="Attach a file, its bytes as the body; the same again is the one that is there",
        status_code=201,
        response_model=schemas.CaseAttachment,
        responses=problems(*CHANGE, 404, 415, 422),
        dependencies=[OwnSave],
        openapi_extra={"requestBody": {"required": True, "content": {"*/*": BYTES}}},
    )
    async def attach(
        request: Request,
        asker: Asker,
        case_id: IdPath,
        name: Annotated[str, Query(min_length=1, max_length=200)],
        caption: Annotated[str, Query(max_length=LONGEST_CAPTION)] = "",
    ) -> Json:
        source = Source(name, request.headers.get("content-type", ""), await request.body())
        return attachment_json(await run_in_threadpool(attachments.add, asker, case_id, source, caption))

    @routes.put(
        "/{case_id}/attachments/{attachment_id}/caption",
        summary="Say what a file shows",
        **_NOTHING,
        **_SAVING,
    )
    def caption(asker: Asker, case_id: IdPath, attachment_id: IdPath, body: schemas.Caption) -> None:
        attachments.caption(asker, case_id, attachment_id, body.caption)

    @routes.delete(
        "/{case_id}/attachments/{attachment_id}", summary="Take a file from a case", **_NOTHING, **_CHANGING
    )
    def remove(asker: Asker, case_id: IdPath, attachment_id: IdPath) -> None:
        attachments.remove(asker, case_id, attachment_id)


def _add_publishing(routes: APIRouter, services: Services, publishing: Publishing) -> None:
    @routes.post(
        "/{case_id}/publish/preview",
        summary="Who would see a case if it were published so; nothing is changed",
        response_model=access_schemas.Reach,
        **_SAVING,
    )
    def preview(asker: Asker, case_id: IdPath, body: access_schemas.Audience) -> Any:
        return publishing.preview(asker, case_id, _wanted(body.audience))

    @routes.post(
        "/{case_id}/publish",
        summary="Publish an approved case",
        status_code=201,
        response_model=DocumentId,
        **_CHANGING,
    )
    def publish(asker: Asker, case_id: IdPath, body: access_schemas.Audience) -> Json:
        return {"document_id": publishing.publish(asker, case_id, _wanted(body.audience))}

    @routes.put(
        "/{case_id}/audience", summary="Share a published case with exactly these", **_NOTHING, **_CHANGING
    )
    def set_audience(asker: Asker, case_id: IdPath, body: access_schemas.Audience) -> None:
        publishing.set_audience(asker, case_id, _wanted(body.audience))

    @routes.post(
        "/{case_id}/withdraw",
        summary="Take what is published of a case back at once",
        **_NOTHING,
        **_CHANGING,
    )
    def withdraw(asker: Asker, case_id: IdPath, body: schemas.Withdrawal) -> None:
        for digest in publishing.withdraw(asker, case_id, body.reason):
            services.originals.discard(digest)


def _wanted(audience: Sequence[access_schemas.Wanted]) -> list[Wanted]:
    return [Wanted(w.audience, w.may_reshare) for w in audience]

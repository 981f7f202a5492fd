"""HTTP under /v1 for people and sharing: who there is, who may see what, and what was done."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from access.access import Access
from access.people import Person
from access.principal import Principal
from access.rights import Action
from access.sharing import EVERYONE, OWN, PARTNERS, Told, Wanted
from api import access_schemas as schemas
from api.access_schemas import BranchPath, IdPath, MemberPath
from api.forms import OwnRequest
from api.json import event_line
from api.principal import Asker
from api.schemas import ANY, CHANGE, DocumentId, problems
from api.services import Services
from kb.errors import SignInRequired
from kb.model import PUBLIC

Json = dict[str, Any]
INVITATION = "/invitation/{secret}"
"""The page on which an invitation is taken up."""
LINES = "application/x-ndjson"

_SEEN = problems(400, 403, 404)
"""Problems of a route that reads a thing of a branch."""
_CHANGED = problems(*CHANGE, 404)
"""Problems of a route that changes one."""
_NOTHING: Json = {"status_code": 204, "response_class": Response}
"""A route that answers nothing but that it is done."""


def router(services: Services) -> APIRouter:
    """The routes under /v1 over people and sharing."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    access = services.access
    _add_branches(routes, access)
    _add_people(routes, access, services.settings.url)
    _add_partnerships(routes, access)
    _add_groups(routes, access)
    _add_sharing(routes, services)
    _add_audit(routes, access)
    _add_own(routes, services)
    return routes


def _add_branches(routes: APIRouter, access: Access) -> None:
    changing: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}

    @routes.get(
        "/branches",
        summary="Branches that one may know",
        response_model=schemas.Branches,
        responses=problems(403),
    )
    def branches(asker: Asker) -> Json:
        return {"branches": access.branches.seen(asker)}

    @routes.post(
        "/branches", summary="Make a branch", status_code=201, response_model=schemas.Branch, **changing
    )
    def found(asker: Asker, body: schemas.NewBranch) -> Any:
        return access.branches.found(
            asker, body.name, level=body.level, parent_id=body.parent_id, branch_id=body.branch_id
        )

    @routes.patch(
        "/branches/{branch_id}",
        summary="Give a branch another name, level or place",
        response_model=schemas.Branch,
        **changing,
    )
    def change(asker: Asker, branch_id: BranchPath, body: schemas.BranchChange) -> Any:
        asker.require(Action.MANAGE_BRANCH, branch_id)
        now = access.branches.get(branch_id)
        return access.branches.change(
            asker,
            branch_id,
            name=now.name if body.name is None else body.name,
            level=body.level or now.level,
            parent_id=body.parent_id if "parent_id" in body.model_fields_set else now.parent_id,
        )

    @routes.post("/branches/{branch_id}/retire", summary="Take a branch out of use", **_NOTHING, **changing)
    def retire(asker: Asker, branch_id: BranchPath) -> None:
        access.branches.retire(asker, branch_id)

    @routes.post(
        "/branches/{branch_id}/restore", summary="Take a branch back into use", **_NOTHING, **changing
    )
    def restore(asker: Asker, branch_id: BranchPath) -> None:
        access.branches.retire(asker, branch_id, active=True)


def _add_people(routes: APIRouter, access: Access, url: str) -> None:
    changing: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}

    @routes.get(
        "/branches/{branch_id}/people",
        summary="People with a role in a branch",
        response_model=schemas.People,
        responses=_SEEN,
    )
    def people(asker: Asker, branch_id: BranchPath) -> Json:
        return {"people": [_person(asker, p) for p in access.people.of_branch(asker, branch_id)]}

    @routes.put(
        "/branches/{branch_id}/people/{person_id}",
        summary="Give a person exactly these roles in a branch",
        **_NOTHING,
        **changing,
    )
    def set_roles(asker: Asker, branch_id: BranchPath, person_id: IdPath, body: schemas.RoleChange) -> None:
        access.people.set_roles(asker, person_id, branch_id, frozenset(body.roles))

    @routes.get(
        "/branches/{branch_id}/invitations",
        summary="Open invitations to a branch",
        response_model=schemas.Invitations,
        responses=_SEEN,
    )
    def invitations(asker: Asker, branch_id: BranchPath) -> Json:
        return {"invitations": access.invitations.of_branch(asker, branch_id)}

    @routes.post(
        "/branches/{branch_id}/invitations",
        summary="Invite to a branch; the link is given out this once",
        status_code=201,
        response_model=schemas.MadeInvitation,
        **changing,
    )
    def invite(request: Request, asker: Asker, branch_id: BranchPath, body: schemas.NewInvitation) -> Json:
        made = access.invitations.offer(asker, branch_id, frozenset(body.roles), body.name)
        path = INVITATION.format(secret=made.secret)
        return {
            "invitation_id": made.invitation_id,
            "branch_id": made.branch_id,
            "roles": made.roles,
            "name": made.name,
            "expires_at": made.expires_at,
            "link": (url or str(request.base_url)).rstrip("/") + path,
        }

    @routes.delete("/invitations/{invitation_id}", summary="Take an invitation back", **_NOTHING, **changing)
    def uninvite(asker: Asker, invitation_id: IdPath) -> None:
        access.invitations.withdraw(asker, invitation_id)

    @routes.get("/people/{person_id}", summary="One person", response_model=schemas.Person, responses=_SEEN)
    def person(asker: Asker, person_id: IdPath) -> Json:
        return _person(asker, access.people.get(asker, person_id))

    @routes.post(
        "/people/{person_id}/deactivate", summary="Shut a person out at once", **_NOTHING, **changing
    )
    def deactivate(asker: Asker, person_id: IdPath) -> None:
        access.people.set_active(asker, person_id, active=False)

    @routes.post("/people/{person_id}/activate", summary="Let a person in again", **_NOTHING, **changing)
    def activate(asker: Asker, person_id: IdPath) -> None:
        access.people.set_active(asker, person_id, active=True)

    @routes.delete("/people/{person_id}", summary="Forget a person", **_NOTHING, **changing)
    def erase(asker: Asker, person_id: IdPath) -> None:
        access.people.erase(asker, person_id)


def _person(by: Principal, person: Person) -> Json:
    """A person with the roles that the asker may know: in another enterprise's branch it is its own affair."""
    told = by.person_id == person.person_id
    return {
        "person_id": person.person_id,
        "login": person.login,
        "name": person.name,
        "active": person.active,
        "operator": person.operator,
        "has_second_factor": person.has_second_factor,
        "added_at": person.added_at,
        "roles": {b: held for b, held in person.roles.items() if told or by.may(Action.SEE_PEOPLE, b)},
    }


def _add_partnerships(routes: APIRouter, access: Access) -> None:
    changing: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}

    @routes.get(
        "/partnerships",
        summary="Partnerships of one's branches",
        response_model=schemas.Partnerships,
        responses=problems(403),
    )
    def partnerships(asker: Asker) -> Json:
        return {"partnerships": access.partnerships.seen(asker)}

    @routes.post(
        "/partnerships",
        summary="Offer a partnership to another branch",
        status_code=201,
        response_model=schemas.PartnershipId,
        **changing,
    )
    def propose(asker: Asker, body: schemas.NewPartnership) -> Json:
        made = access.partnerships.propose(
            asker, body.proposer_id, body.partner_id, body.begins_on, body.ends_on, liaison=body.liaison
        )
        return {"partnership_id": made}

    @routes.post("/partnerships/{partnership_id}/agree", summary="Take an offer up", **_NOTHING, **changing)
    def agree(asker: Asker, partnership_id: IdPath, body: schemas.Agreement | None = None) -> None:
        access.partnerships.agree(asker, partnership_id, liaison=body.liaison if body else None)

    @routes.post(
        "/partnerships/{partnership_id}/end",
        summary="End a partnership, or refuse or take back an offer",
        **_NOTHING,
        **changing,
    )
    def end(asker: Asker, partnership_id: IdPath) -> None:
        access.partnerships.end(asker, partnership_id)


def _add_groups(routes: APIRouter, access: Access) -> None:
    changing: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}

    @routes.get(
        "/groups",
        summary="Groups that one's branches keep or are in",
        response_model=schemas.Groups,
        responses=problems(403),
    )
    def groups(asker: Asker) -> Json:
        return {"groups": access.groups.seen(asker)}

    @routes.post("/groups", summary="Make a group", status_code=201, response_model=schemas.Group, **changing)
    def make(asker: Asker, body: schemas.NewGroup) -> Any:
        return access.groups.make(asker, body.branch_id, body.name)

    @routes.delete("/groups/{group_id}", summary="Do away with a group", **_NOTHING, **changing)
    def dissolve(asker: Asker, group_id: IdPath) -> None:
        access.groups.dissolve(asker, group_id)

    @routes.put(
        "/groups/{group_id}/members/{member}",
        summary="Put a branch or a person into a group",
        **_NOTHING,
        **changing,
    )
    def put(asker: Asker, group_id: IdPath, member: MemberPath) -> None:
        access.groups.put(asker, group_id, member)

    @routes.delete("/groups/{group_id}/members/{member}", summary="Take a member out", **_NOTHING, **changing)
    def drop(asker: Asker, group_id: IdPath, member: MemberPath) -> None:
        access.groups.drop(asker, group_id, member)


def _add_sharing(routes: APIRouter, services: Services) -> None:
    changing: Json = {"responses": _CHANGED, "dependencies": [OwnRequest]}
    sharing = services.access.sharing

    @routes.get(
        "/documents/{document_id}/audience",
        summary="With whom a document is shared",
        response_model=schemas.Shares,
        responses=problems(403, 404),
    )
    def audience(asker: Asker, document_id: str) -> Json:
        return {"audience": [_told(s) for s in sharing.shares(asker, document_id)]}

    @routes.put(
        "/documents/{document_id}/audience",
        summary="Share a document with exactly these",
        response_model=schemas.Shares,
        **changing,
    )
    def set_audience(asker: Asker, document_id: str, body: schemas.Audience) -> Json:
        sharing.set_audience(asker, document_id, _wanted(body.audience))
        return {"audience": [_told(s) for s in sharing.shares(asker, document_id)]}

    @routes.post(
        "/documents/{document_id}/audience/preview",
        summary="Who would see a document if it were shared so; nothing is changed",
        response_model=schemas.Reach,
        responses=_CHANGED,
    )
    def preview(asker: Asker, document_id: str, body: schemas.Audience) -> Any:
        keeper = services.catalog.keeper(document_id, asker.scope)
        return sharing.reach(
            asker,
            keeper.branch_id,
            _wanted(body.audience),
            owner_id=keeper.owner_id,
            document_id=document_id,
        )

    @routes.post(
        "/documents/{document_id}/reshares",
        summary="Pass a document on, as a branch that it was shared with",
        **_NOTHING,
        **changing,
    )
    def reshare(asker: Asker, document_id: str, body: schemas.Reshare) -> None:
        sharing.reshare(asker, document_id, body.branch_id, _wanted(body.audience))

    @routes.delete(
        "/documents/{document_id}/shares/{share_id}", summary="Take a share back", **_NOTHING, **changing
    )
    def take_back(asker: Asker, document_id: str, share_id: IdPath) -> None:
        sharing.take_back(asker, document_id, share_id)

    @routes.post(
        "/documents/{document_id}/copies",
        summary="Put a copy into a branch of one's own",
        status_code=201,
        response_model=DocumentId,
        **changing,
    )
    def copy(asker: Asker, document_id: str, body: schemas.Copying) -> Json:
        return {"document_id": services.holdings.copy(asker, document_id, body.branch_id)}


def _told(share: Told) -> Json:
    """A share in the words in which it was asked for."""
    kind, _, rest = share.audience.partition(":")
    if share.audience == f"branch:{share.branch_id}":
        word = OWN
    elif share.audience == PUBLIC:
        word = EVERYONE
    elif kind == "share":
        word = "branch:" + rest.partition(">")[2]
    else:
        word = kind if kind in (PARTNERS, "owner") else share.audience
    return asdict(share) | {"audience": word}


def _wanted(audience: list[schemas.Wanted]) -> list[Wanted]:
    return [Wanted(w.audience, w.may_reshare) for w in audience]


def _add_audit(routes: APIRouter, access: Access) -> None:
    @routes.get(
        "/audit",
        summary="What was done, as far as one may see it, newest first",
        response_model=schemas.Events,
        responses=problems(400, 403),
    )
    def audit(
        asker: Asker,
        action: Annotated[
            str, Query(max_length=40, description="Begins so, such as document or document.share.")
        ] = "",
        person_id: Annotated[str, Query(max_length=16)] = "",
        object_id: Annotated[str, Query(max_length=64)] = "",
        before: Annotated[int | None, Query(ge=1, le=2**53, description="A number `seq`.")] = None,
        k: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Json:
        found = access.audit.events(
            asker, action=action, person_id=person_id, object_id=object_id, before=before, k=k
        )
        return {"events": found}

    @routes.get(
        "/audit/export",
        summary="All of it, oldest first, a JSON object a line",
        response_class=StreamingResponse,
        responses={200: {"content": {LINES: {"schema": {"type": "string"}}}}, **problems(403)},
    )
    def export(asker: Asker) -> StreamingResponse:
        # Before the answer begins: later a refusal could no longer be told.
        asker.require_person()
        lines: Iterator[str] = (event_line(event) for event in access.audit.export(asker))
        attached = {"Content-Disposition": "attachment; filename=audit.ndjson"}
        return StreamingResponse(lines, media_type=LINES, headers=attached)

    @routes.get(
        "/audit/verdict",
        summary="Whether the trail is whole; for operators",
        response_model=schemas.Verdict,
        responses=problems(403),
    )
    def verdict(asker: Asker) -> Any:
        asker.require_operator()
        return access.audit.verify()


def _add_own(routes: APIRouter, services: Services) -> None:
    access = services.access

    @routes.get("/me", summary="Who one is here", response_model=schemas.Me)
    def me(asker: Asker) -> Any:
        if not asker.signed_in:
            raise SignInRequired("Cannot tell who you are: nobody is signed in.", "Sign in first.")
        return asker

    @routes.get("/jobs", summary="The latest jobs", response_model=schemas.Jobs, responses=problems(403))
    def jobs(asker: Asker) -> Json:
        return {"jobs": services.jobs.seen(asker)}

    @routes.get(
        "/tokens", summary="One's own API tokens", response_model=schemas.Tokens, responses=problems(403)
    )
    def tokens(asker: Asker) -> Json:
        return {"tokens": access.tokens.of(asker)}

    @routes.delete(
        "/tokens/{token_id}",
        summary="End an API token of one's own",
        responses=_CHANGED,
        dependencies=[OwnRequest],
        **_NOTHING,
    )
    def end_token(asker: Asker, token_id: IdPath) -> None:
        access.tokens.take_back(asker, token_id)

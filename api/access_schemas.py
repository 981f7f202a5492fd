"""What HTTP takes and answers about people and sharing, as schemas."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field

from access.branches import Level
from access.principal import Power
from access.rights import Role
from api.schemas import Schema

BRANCH = r"^[a-z0-9][a-z0-9-]{1,31}$"
DERIVED = r"^[0-9a-f]{16}$"
MEMBER = r"^(branch:[a-z0-9][a-z0-9-]{1,31}|person:[0-9a-f]{16})$"

BranchId = Annotated[str, Field(pattern=BRANCH)]
PersonId = Annotated[str, Field(pattern=DERIVED)]
Named = Annotated[str, Field(min_length=1, max_length=200)]

BranchPath = Annotated[str, Path(pattern=BRANCH)]
IdPath = Annotated[str, Path(pattern=DERIVED)]
MemberPath = Annotated[str, Path(pattern=MEMBER, description="branch:ID or person:ID.")]


def _in_order(values: Iterable[Any]) -> list[Any]:
    return sorted(values)


Roles = Annotated[list[Role], BeforeValidator(_in_order)]
Ids = Annotated[list[str], BeforeValidator(_in_order)]
Moment = Annotated[datetime, AfterValidator(lambda at: at.replace(tzinfo=UTC))]
"""A time; the store keeps UTC without saying so."""


class Me(Schema):
    """Who asks, and what they may. `settled` is false while a second factor or a new password is due."""

    person_id: str
    login: str
    name: str
    roles: dict[str, Roles]
    administered: Ids
    partners: Ids
    operator: bool
    powers: Annotated[list[Power], BeforeValidator(_in_order)]
    settled: bool


class Branch(Schema):
    """An organisation; `depth` counts from 0 at the top."""

    branch_id: str
    name: str
    level: Level
    parent_id: str | None
    active: bool
    depth: int


class Branches(Schema):
    """Branches, each after the one above it."""

    branches: list[Branch]


class NewBranch(Schema):
    """A branch to be made: below another, or at the top."""

    name: Named
    level: Level = Level.BRANCH
    parent_id: BranchId | None = None
    branch_id: BranchId | None = Field(None, description="Made up if it is left out.")


class BranchChange(Schema):
    """What is to be changed of a branch; what is left out stays."""

    name: Named | None = None
    level: Level | None = None
    parent_id: BranchId | None = None


class Person(Schema):
    """A person; `roles` are those in branches whose people the asker may see."""

    person_id: str
    login: str
    name: str
    active: bool
    operator: bool
    has_second_factor: bool
    added_at: Moment
    roles: dict[str, Roles]


class People(Schema):
    """People of a branch, by name."""

    people: list[Person]


class Invitation(Schema):
    """An offer of roles in a branch that is still open."""

    invitation_id: str
    branch_id: str
    roles: Roles
    name: str
    expires_at: Moment


class Invitations(Schema):
    """Offers of a branch that are still open."""

    invitations: list[Invitation]


class NewInvitation(Schema):
    """Whom to invite, and to what."""

    name: Named
    roles: list[Role] = Field(min_length=1, max_length=len(Role))


class MadeInvitation(Invitation):
    """An offer just made. Its link is given out this once."""

    link: str


class RoleChange(Schema):
    """The roles that a person is to have in a branch; none takes them out of it."""

    roles: list[Role] = Field(max_length=len(Role))


class Partnership(Schema):
    """Two branches that learn together. `state`: proposed, coming, in_force, over or ended."""

    partnership_id: str
    proposer_id: str
    partner_id: str
    begins_on: date
    ends_on: date
    proposer_liaison: str | None
    partner_liaison: str | None
    agreed: bool
    state: str


class Partnerships(Schema):
    """Partnerships, those that end last first."""

    partnerships: list[Partnership]


class NewPartnership(Schema):
    """An offer to another branch; it begins today unless said otherwise, and must have an end."""

    proposer_id: BranchId
    partner_id: BranchId
    begins_on: date | None = None
    ends_on: date | None = Field(None, description="The last day.")
    liaison: PersonId | None = None


class Agreement(Schema):
    """Who the liaison of the side that agrees is."""

    liaison: PersonId | None = None


class PartnershipId(Schema):
    """The id of an offer just made."""

    partnership_id: str


class Group(Schema):
    """A group that a branch keeps; `members` are branch:ID and person:ID."""

    group_id: str
    name: str
    branch_id: str
    members: Ids


class Groups(Schema):
    """Groups, by name."""

    groups: list[Group]


class NewGroup(Schema):
    """A group to be made."""

    branch_id: BranchId
    name: Named


class Wanted(Schema):
    """An audience to share with, and whether it may pass the document on."""

    audience: str = Field(max_length=64, description="own, partners, everyone, branch:ID or group:ID.")
    may_reshare: bool = False


class Audience(Schema):
    """With whom a document is to be shared; with none it is left to its owner alone."""

    audience: list[Wanted] = Field(max_length=200)


class Reshare(Schema):
    """To whom a document is to be passed on, as which branch."""

    branch_id: BranchId
    audience: list[Wanted] = Field(max_length=200)


class Share(Schema):
    """With whom a document is shared: as in `Wanted`, or "owner". `mine`: the asker may take it back."""

    share_id: str
    audience: str
    branch_id: str | None
    may_reshare: bool
    passed_on: bool
    mine: bool


class Shares(Schema):
    """Those shares of a document that the asker is told of."""

    audience: list[Share]


class Reach(Schema):
    """Who would see a document if it were shared so."""

    branch_ids: list[str]
    group_ids: list[str]
    everyone: bool
    owner_only: bool


class Copying(Schema):
    """The branch that a copy is for."""

    branch_id: BranchId


class Event(Schema):
    """One entry of the audit trail; `at` is UTC. `person_id` null is the operator at the machine, or a guest."""

    seq: int
    at: str
    person_id: str | None
    branch_id: str | None
    action: str
    object_kind: str
    object_id: str
    detail: dict[str, Any]


class Events(Schema):
    """Entries, newest first."""

    events: list[Event]


class Verdict(Schema):
    """Whether the trail is whole, and if not, where it is first broken."""

    whole: bool
    n: int
    broken_at: int | None
    why: str


class Job(Schema):
    """A job as it stands: waiting, running, done or failed. `outcomes` are told to who asked for it."""

    job_id: str
    kind: str
    person_id: str | None
    branch_id: str | None
    state: str
    done: int
    total: int
    outcomes: list[dict[str, str]]
    asked_at: Moment
    ended_at: Moment | None


class Jobs(Schema):
    """The latest jobs."""

    jobs: list[Job]


class Token(Schema):
    """An API token of one's own; its secret is not kept."""

    token_id: str
    name: str
    powers: Annotated[list[Power], BeforeValidator(_in_order)]
    expires_at: Moment
    used_on: date | None


class Tokens(Schema):
    """One's own tokens, by name."""

    tokens: list[Token]

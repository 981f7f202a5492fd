"""Who may do what where: roles, actions, and the one table that says so.

`docs/roles.md` is generated from here, and every cell of it is tested over HTTP.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is in a branch. Whoever has any role there is a member."""

    MEMBER = "member"
    TRAINER = "trainer"
    LIAISON = "liaison"
    ADMINISTRATOR = "administrator"


class Relation(StrEnum):
    """What the branch acted upon is to the person's own."""

    OWN = "own"
    PARTNER = "partner"
    FOREIGN = "foreign"


class Grant(StrEnum):
    """What a cell of the table says. A share is one whose audience reaches the person."""

    YES = "yes"
    SHARED = "if shared"
    PASSED = "if shared to be passed on"
    NO = "no"


class Action(StrEnum):
    """What can be done, by the branch it is done to."""

    READ = "read"
    COPY = "copy"
    RESHARE = "reshare"
    ADD = "add"
    WITHDRAW = "withdraw"
    SHARE_WITHIN = "share_within"
    SHARE = "share"
    SEE_AUDIENCE = "see_audience"
    SEE_JOBS = "see_jobs"
    PARTNER = "partner"
    GROUP = "group"
    SEE_PEOPLE = "see_people"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_BRANCH = "manage_branch"
    SEE_AUDIT = "see_audit"
    QUIZ = "quiz"
    SEE_RESULTS = "see_results"
    WRITE_CASE = "write_case"
    REVIEW_CASE = "review_case"
    SPEAK = "speak"


_ALL = frozenset(Role)
_EDITORS = frozenset({Role.TRAINER, Role.LIAISON, Role.ADMINISTRATOR})
_TRAINERS = frozenset({Role.TRAINER, Role.ADMINISTRATOR})
_SHARERS = frozenset({Role.LIAISON, Role.ADMINISTRATOR})
_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

_OWN: Mapping[Action, frozenset[Role]] = {
    Action.READ: _ALL,
    Action.COPY: _EDITORS,
    Action.RESHARE: _SHARERS,
    Action.ADD: _EDITORS,
    Action.WITHDRAW: _SHARERS,
    Action.SHARE_WITHIN: _EDITORS,
    Action.SHARE: _SHARERS,
    Action.SEE_AUDIENCE: _EDITORS,
    Action.SEE_JOBS: _EDITORS,
    Action.PARTNER: _SHARERS,
    Action.GROUP: _SHARERS,
    Action.SEE_PEOPLE: _SHARERS,
    Action.MANAGE_PEOPLE: _ADMINISTRATORS,
    Action.MANAGE_BRANCH: _ADMINISTRATORS,
    Action.SEE_AUDIT: _ADMINISTRATORS,
    Action.QUIZ: _TRAINERS,
    Action.SEE_RESULTS: frozenset({Role.TRAINER}),
    Action.WRITE_CASE: _EDITORS,
    Action.REVIEW_CASE: _SHARERS,
    Action.SPEAK: _SHARERS,
}
"""Roles that may do it in their own branch. An administrator's own are all branches below, too."""

OPERATOR: frozenset[Action] = frozenset(
    {Action.SEE_JOBS, Action.SEE_PEOPLE, Action.MANAGE_PEOPLE, Action.MANAGE_BRANCH}
)
"""What an operator of the installation may do in every branch: appoint its people, not read its documents."""

IN_PERSON: frozenset[Action] = frozenset(
    {Action.ADD, Action.QUIZ, Action.SEE_RESULTS, Action.WRITE_CASE, Action.REVIEW_CASE, Action.SPEAK}
)
"""What takes a role in the branch itself: what is kept there is not for an administrator above it."""

_ELSEWHERE: Mapping[Action, Grant] = {
    Action.READ: Grant.SHARED,
    Action.COPY: Grant.SHARED,
    Action.RESHARE: Grant.PASSED,
}
"""What the same roles may do with the documents of branches that are not theirs; nothing else."""

_THROUGH_AUDIENCE: Mapping[Action, Grant] = {
    **_ELSEWHERE,
    Action.WITHDRAW: Grant.SHARED,
    Action.SEE_AUDIENCE: Grant.SHARED,
}
"""What is done to a document: also in one's own branch only if one may see it."""


def granted(action: Action, role: Role, relation: Relation) -> Grant:
    """The cell of the table.

    >>> granted(Action.SHARE, Role.TRAINER, Relation.OWN).value
    'no'
    >>> granted(Action.RESHARE, Role.LIAISON, Relation.PARTNER).value
    'if shared to be passed on'
    """
    if role not in _OWN[action]:
        return Grant.NO
    if relation is not Relation.OWN:
        return _ELSEWHERE.get(action, Grant.NO)
    return _THROUGH_AUDIENCE.get(action, Grant.YES)

"""Who asks: a person with roles, or nobody in particular; and the scope that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from access.rights import IN_PERSON, OPERATOR, Action, Grant, Relation, Role, granted
from kb.errors import Refused, SignInRequired
from kb.model import PUBLIC


class Power(StrEnum):
    """What an API token may be used for; a signed-in session has all."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


_POWER: Mapping[Action, Power] = {
    Action.READ: Power.READ,
    **dict.fromkeys(
        (
            Action.ADD,
            Action.COPY,
            Action.WITHDRAW,
            Action.SHARE_WITHIN,
            Action.SHARE,
            Action.RESHARE,
            Action.SEE_AUDIENCE,
            Action.SEE_JOBS,
            Action.QUIZ,
            Action.SEE_RESULTS,
            Action.WRITE_CASE,
            Action.REVIEW_CASE,
            Action.SPEAK,
        ),
        Power.WRITE,
    ),
}
"""The power that an action needs; MANAGE for those not named."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The asker of one request. Made anew for each, so that what was taken away is gone at the next.

    `scope` are the audience tokens that it may read. `roles` are by branch, `partners` the branches that
    share partnerships with its own. `operator` looks after the installation: branches at the top, settings,
    jobs; that gives no right to read. `settled` is false while a second factor or a new password is due:
    until then nothing but that can be done.
    """

    scope: frozenset[str] = frozenset({PUBLIC})
    person_id: str | None = None
    login: str = ""
    name: str = ""
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    administered: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    operator: bool = False
    powers: frozenset[Power] = frozenset(Power)
    session: str | None = None
    settled: bool = True

    @property
    def signed_in(self) -> bool:
        """Whether it is a person."""
        return self.person_id is not None

    @property
    def branches(self) -> frozenset[str]:
        """Branches in which the person has a role or administers."""
        return frozenset(self.roles) | self.administered

    def roles_in(self, branch_id: str) -> frozenset[Role]:
        """The person's roles there; administrators of a branch are so in those below it."""
        found = self.roles.get(branch_id, frozenset())
        return found | {Role.ADMINISTRATOR} if branch_id in self.administered else found

    def relation(self, branch_id: str | None) -> Relation:
        """What the branch is to the person. The common library (None) is foreign to all."""
        if branch_id in self.branches:
            return Relation.OWN
        return Relation.PARTNER if branch_id in self.partners else Relation.FOREIGN

    def grant(self, action: Action, branch_id: str | None) -> Grant:
        """The widest grant that any of the person's roles gives."""
        if not self.settled or _POWER.get(action, Power.MANAGE) not in self.powers:
            return Grant.NO
        if self.operator and branch_id is not None and action in OPERATOR:
            return Grant.YES
        if action in IN_PERSON and branch_id is not None and branch_id not in self.roles:
            return Grant.NO
        relation = self.relation(branch_id)
        own = self.roles_in(branch_id) if branch_id is not None and relation is Relation.OWN else None
        roles = own if own is not None else frozenset().union(*self.roles.values(), *self._above())
        grants = [granted(action, role, relation) for role in roles]
        return next((g for g in Grant if g in grants), Grant.NO)

    def _above(self) -> list[frozenset[Role]]:
        return [frozenset({Role.ADMINISTRATOR})] if self.administered else []

    def may(self, action: Action, branch_id: str | None) -> bool:
        """Whether the action is allowed at all; where it hangs on a share, that is checked besides."""
        return self.grant(action, branch_id) is not Grant.NO

    def require(self, action: Action, branch_id: str | None) -> None:
        """Refuse unless `may`.

        Raises:
            SignInRequired: nobody is signed in.
            Refused: this person may not.
        """
        self.require_person()
        if not self.may(action, branch_id):
            raise Refused(
                f"Cannot {action.value.replace('_', ' ')} in {branch_id or 'the common library'}: your roles do not allow it.",
                "Ask an administrator of that branch.",
            )

    def require_person(self) -> str:
        """The person's id.

        Raises:
            SignInRequired: nobody is signed in.
            Refused: a second factor or a new password is due first.
        """
        if self.person_id is None:
            raise SignInRequired("Cannot do this: nobody is signed in.", "Sign in first.")
        if not self.settled:
            raise Refused(
                "Cannot go on: the second factor or a new password is due first.",
                "Finish it on the page “我的”.",
            )
        return self.person_id

    def require_operator(self) -> None:
        """Refuse unless it is an operator of the installation.

        Raises:
            SignInRequired, Refused: it is not.
        """
        self.require_person()
        if not self.operator or Power.MANAGE not in self.powers:
            raise Refused("Cannot do this: it is for operators of the installation.", "Ask one of them.")

    def limited_to(self, powers: frozenset[Power]) -> "Principal":
        """The same with a token's powers only.

        Without that of reading it sees what everyone sees; without that of managing it is no operator.
        """
        scope = self.scope if Power.READ in powers else frozenset({PUBLIC})
        return replace(self, powers=powers, scope=scope, operator=self.operator and Power.MANAGE in powers)


GUEST = Principal()
"""Nobody in particular: sees what everyone sees."""

"""With whom a document is shared: by its keeper, passed on by others, taken back; and who would see it.

An audience as people choose it is one of

    own            the keeper's branch
    branch:ID      another branch of the same organisation, or a partner
    group:ID       a group that the sharing branch keeps or is in
    partners       all partners of the sharing branch
    everyone       everyone, signed in or not

None at all is the owner alone. As soon as there is one, the keeper's own branch is among
them: a branch always sees what it keeps and shares. `access.scopes` has the tokens that
they become.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from access.branches import row_of
from access.office import Office
from access.people import branches_of
from access.principal import Principal
from access.rights import Action
from access.scopes import Scopes
from access.tables import group_members, groups, people, roles
from kb.errors import InvalidRequest, NotFound, Refused
from kb.model import PUBLIC, DocumentCard
from store.catalog import Catalog, Keeper
from store.shares import Share, put_shares, share, shares_of
from store.tables import documents, tombstones
from store.visibility import visible

OWN, PARTNERS, EVERYONE = "own", "partners", "everyone"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """An audience to share with, and whether it may pass the document on."""

    audience: str
    may_reshare: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A share as people are told of it. `mine` may be taken back by the asker."""

    share_id: str
    audience: str
    branch_id: str | None
    may_reshare: bool
    passed_on: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Who would see a document: branches, those known to the asker; groups; everyone."""

    branch_ids: tuple[str, ...]
    group_ids: tuple[str, ...]
    everyone: bool
    owner_only: bool


Versions = Callable[[Connection, str], list[str]]
"""Documents that go together with one, itself among them, the newest first; none if it stands alone."""


def _alone(connection: Connection, document_id: str) -> list[str]:
    return []


class Sharing:
    """Decides who may share what with whom, and does it."""

    def __init__(self, office: Office, catalog: Catalog) -> None:
        self._office = office
        self._catalog = catalog
        self._versions: Versions = _alone

    # -- versions -----------------------------------------------------------------

    def bind(self, versions: Versions) -> None:
        """Keep older versions from everybody who has not the newest, from here on.

        `versions` names the documents that go together with one, the newest first.
        """
        self._versions = versions

    def narrow(self, connection: Connection, by: Principal, document_id: str) -> None:
        """Take older versions that go together with the document from whoever the newest is not shared with.

        They are not passed on. One that was its owner's alone stays so.

        Raises:
            Refused: they are shared beyond their branch, and the asker may not take that back.
        """
        newest, *older = self._versions(connection, document_id) or [document_id]
        if not older:
            return
        given = [s for s in shares_of(connection, newest) if s.parent_id is None]
        audiences = {s.audience for s in given}
        for earlier in older:
            held = shares_of(connection, earlier)
            staying = [
                s
                for s in held
                if s.parent_id is None
                and (s.audience in audiences or (s.audience.startswith("owner:") and _is_of_branch(given)))
            ]
            put = [replace(s, may_reshare=False) for s in staying] or [
                share(
                    earlier, s.audience, branch_id=s.branch_id, shared_by=s.shared_by, at=self._office.now()
                )
                for s in given
            ]
            kept = {s.share_id for s in put}
            gone = [s.share_id for s in held if s.share_id not in kept]
            for branch_id in {s.branch_id for s in held if s.share_id in gone and _is_beyond(s)}:
                by.require(Action.SHARE, branch_id)
            if gone or any(s.may_reshare for s in held):
                put_shares(connection, earlier, put, gone)

    # -- the keeper's shares ------------------------------------------------------

    def shares(self, by: Principal, document_id: str) -> list[Told]:
        """The shares of a document: its keeper sees all, another branch those that it made.

        Raises:
            NotFound: there is no such document in the asker's scope.
            SignInRequired, Refused: the asker may not be told for any branch.
        """
        by.require_person()
        own = {b for b in by.branches if by.may(Action.SEE_AUDIENCE, b)}
        with self._office.reading() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            keeps = self.keeps(by, keeper, Action.SEE_AUDIENCE)
            if not keeps and not own:
                raise Refused(
                    "Cannot see with whom this is shared: your roles do not allow it.",
                    "Ask somebody who shares for your branch.",
                )
            return [
                Told(
                    s.share_id,
                    s.audience,
                    s.branch_id,
                    s.may_reshare,
                    s.parent_id is not None,
                    self.keeps(by, keeper, Action.SHARE)
                    or (s.branch_id in by.branches and by.may(Action.SHARE, s.branch_id)),
                )
                for s in shares_of(connection, document_id)
                if keeps or s.branch_id in own
            ]

    def keeps(self, by: Principal, keeper: Keeper, action: Action) -> bool:
        """Whether the asker may do so for those who keep the document."""
        if keeper.branch_id is None:
            return by.operator and by.settled
        return by.may(action, keeper.branch_id) and keeper.branch_id in by.branches

    def set_audience(self, by: Principal, document_id: str, wanted: Sequence[Wanted]) -> None:
        """Share a document with exactly these; what others passed on from shares that go, goes with them.

        Raises:
            NotFound: no such document in the asker's scope, or an audience that is not there.
            InvalidRequest: an audience that makes no sense, or reaches neither the organisation nor a partner.
            SignInRequired, Refused: the asker may not share so widely, or does not keep it.
        """
        with self._office.writing() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            put = self._direct(connection, by, document_id, keeper, wanted)
            direct = {s.share_id: s for s in shares_of(connection, document_id) if s.parent_id is None}
            self._check_width(by, keeper, [*direct.values(), *put])
            kept = {s.share_id for s in put}
            put_shares(connection, document_id, put, direct.keys() - kept)
            self.narrow(connection, by, document_id)
            self._office.audit.write(
                connection,
                by,
                "document.share",
                "document",
                document_id,
                branch_id=keeper.branch_id,
                audiences=sorted(s.audience for s in put),
            )

    def tokens(
        self, by: Principal, branch_id: str | None, wanted: Sequence[Wanted], *, owner_id: str | None
    ) -> dict[str, bool]:
        """The tokens under which a new document of the branch would be shared, after the same checks.

        Each with whether it may be passed on.

        Raises:
            InvalidRequest, NotFound, SignInRequired, Refused: as in `set_audience`.
        """
        with self._office.reading() as connection:
            keeper = Keeper(branch_id, owner_id, None, "")
            put = self._direct(connection, by, "", keeper, wanted)
            self._check_width(by, keeper, put)
        return {s.audience: s.may_reshare for s in put}

    def _direct(
        self,
        connection: Connection,
        by: Principal,
        document_id: str,
        keeper: Keeper,
        wanted: Sequence[Wanted],
    ) -> list[Share]:
        person_id = by.require_person()
        if len(wanted) > _MOST:
            raise InvalidRequest(
                f"Cannot share with {len(wanted)} audiences.", f"At most {_MOST}; make a group."
            )
        if keeper.branch_id is None:
            by.require_operator()
            if any(w.audience != EVERYONE for w in wanted):
                raise InvalidRequest(
                    "Cannot share the common library by branch.", "It is open to everyone, or to nobody."
                )
        audiences = {self._token(connection, by, keeper.branch_id, w.audience): w.may_reshare for w in wanted}
        if keeper.branch_id is not None:
            if audiences:
                audiences.setdefault(f"branch:{keeper.branch_id}", False)
            elif keeper.owner_id != person_id or keeper.branch_id not in by.roles:
                raise Refused(
                    "Cannot leave this document to its owner alone: you are not its owner, or have no role there.",
                    "Share it with your own branch.",
                )
            else:
                audiences[f"owner:{keeper.branch_id}:{person_id}"] = False
        return [
            share(
                document_id,
                audience,
                branch_id=keeper.branch_id,
                may_reshare=may_reshare and audience != PUBLIC,
                shared_by=person_id,
                at=self._office.now(),
            )
            for audience, may_reshare in audiences.items()
        ]

    def _check_width(self, by: Principal, keeper: Keeper, touched: Iterable[Share]) -> None:
        """Sharing inside the own branch and beyond it are two rights; taking back needs the same as giving."""
        if keeper.branch_id is None:
            return
        beyond = any(s.audience not in _inside(keeper) for s in touched)
        by.require(Action.SHARE if beyond else Action.SHARE_WITHIN, keeper.branch_id)

    def _token(self, connection: Connection, by: Principal, branch_id: str | None, audience: str) -> str:
        """The token of an audience as the branch shares with it."""
        kind, _, member_id = audience.partition(":")
        if audience == EVERYONE:
            return PUBLIC
        if branch_id is None:
            raise InvalidRequest(
                f"Cannot share with {audience!r} without a branch.", "Name the sharing branch."
            )
        if audience in (OWN, f"branch:{branch_id}"):
            return f"branch:{branch_id}"
        if audience == PARTNERS:
            return f"partners:{branch_id}"
        scopes = Scopes(connection, self._office.today())
        line = scopes.tree.above([branch_id])
        if kind == "group":
            if member_id not in self._groups(connection, by, line):
                raise NotFound(f"No group {member_id} here.", "Choose one that your branch keeps or is in.")
            return f"group:{member_id}"
        if kind == "branch":
            # One that does not exist and one that is no partner answer alike: who shares need not know which.
            top = scopes.tree.top(member_id)
            if top is not None and top == scopes.tree.top(branch_id):
                return f"branch:{member_id}"
            if member_id in scopes.partners(line):
                return f"share:{branch_id}>{member_id}"
            raise InvalidRequest(
                f"Cannot share with {member_id}: no partnership with it is in force.",
                "Make a partnership first.",
            )
        raise InvalidRequest(
            f"Cannot share with {audience!r}.", "Take own, partners, everyone, branch:ID or group:ID."
        )

    def _groups(self, connection: Connection, by: Principal, line: frozenset[str]) -> list[str]:
        """Groups that one of the branches keeps or is in, or the asker is in, by name."""
        members = [f"branch:{b}" for b in line] + [f"person:{by.person_id}"]
        rows = connection.execute(
            select(groups.c.group_id)
            .outerjoin(group_members, group_members.c.group_id == groups.c.group_id)
            .where(group_members.c.member.in_(members) | groups.c.branch_id.in_(line))
            .order_by(groups.c.name, groups.c.group_id)
        ).scalars()
        return list(dict.fromkeys(rows))

    def choices(self, by: Principal, branch_id: str) -> tuple[str, ...]:
        """Every audience that `set_audience` would take for a document of the branch.

        Raises:
            SignInRequired, Refused: the asker does not see audiences there.
        """
        by.require(Action.SEE_AUDIENCE, branch_id)
        with self._office.reading() as connection:
            scopes = Scopes(connection, self._office.today())
            line = scopes.tree.above([branch_id])
            top = scopes.tree.top(branch_id)
            own = scopes.tree.below([top] if top else []) - {branch_id}
            named = [*sorted(own), *sorted(scopes.partners(line))]
            kept = self._groups(connection, by, line)
        return (OWN, PARTNERS, EVERYONE, *(f"branch:{b}" for b in named), *(f"group:{g}" for g in kept))

    # -- passing on -----------------------------------------------------------------

    def passable(self, by: Principal, document_id: str) -> list[str]:
        """The asker's branches as which `reshare` would pass the document on.

        Raises:
            NotFound: there is no such document in the asker's scope.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            if not by.may(Action.RESHARE, keeper.branch_id):
                return []
            mine = [b for b in sorted(by.branches) if b != keeper.branch_id and by.may(Action.SHARE, b)]
            return [b for b in mine if self._passed_from(connection, document_id, b)]

    def _passed_from(self, connection: Connection, document_id: str, branch_id: str) -> Share | None:
        """The share from which the branch may pass the document on."""
        held = Scopes(connection, self._office.today()).of_branch(branch_id)
        found = shares_of(connection, document_id)
        return next((s for s in found if s.may_reshare and s.token in held), None)

    def reshare(self, by: Principal, document_id: str, branch_id: str, wanted: Sequence[Wanted]) -> None:
        """Pass a document on, as the branch it was shared with; it holds while the branch itself has it.

        Raises:
            NotFound: no such document in the asker's scope, or an audience that is not there.
            InvalidRequest: nothing, everyone, or an audience that is neither the branch's own nor a partner.
            SignInRequired, Refused: it was not shared to be passed on, or the asker may not for that branch.
        """
        by.require(Action.SHARE, branch_id)
        if branch_id not in by.branches or not wanted or any(w.audience == EVERYONE for w in wanted):
            raise InvalidRequest(
                "Cannot pass this on: to nobody, or to everyone.", "Choose branches, groups or partners."
            )
        with self._office.writing() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            if keeper.branch_id == branch_id:
                raise InvalidRequest("Cannot pass on what the branch keeps itself.", "Share it instead.")
            by.require(Action.RESHARE, keeper.branch_id)
            parent = self._passed_from(connection, document_id, branch_id)
            if parent is None:
                raise Refused(
                    "Cannot pass this on: it was not shared to be passed on.", "Ask the branch that keeps it."
                )
            # One audience may be said in two ways, such as own and its branch:ID.
            audiences = {self._token(connection, by, branch_id, w.audience): w.may_reshare for w in wanted}
            put = [
                share(
                    document_id,
                    audience,
                    branch_id=branch_id,
                    parent_id=parent.share_id,
                    may_reshare=may_reshare,
                    shared_by=by.person_id,
                    at=self._office.now(),
                )
                for audience, may_reshare in audiences.items()
            ]
            put_shares(connection, document_id, put, [])
            for told in dict.fromkeys([branch_id, keeper.branch_id]):
                self._office.audit.write(
                    connection,
                    by,
                    "document.reshare",
                    "document",
                    document_id,
                    branch_id=told,
                    audiences=sorted(s.audience for s in put),
                )

    def take_back(self, by: Principal, document_id: str, share_id: str) -> None:
        """Take one share back: the keeper any of them, another branch those that it made.

        Raises:
            NotFound: no such document in the asker's scope, or no such share of the asker's.
            SignInRequired, Refused: the asker may not.
        """
        by.require_person()
        with self._office.writing() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            found = next((s for s in shares_of(connection, document_id) if s.share_id == share_id), None)
            mine = (
                found is not None
                and found.branch_id in by.branches
                and by.may(Action.SEE_AUDIENCE, found.branch_id)
            )
            if found is None or not (mine or self.keeps(by, keeper, Action.SEE_AUDIENCE)):
                raise NotFound(f"No share {share_id} of this document here.", "See with whom it is shared.")
            if found.parent_id is None and found.audience in _inside(keeper):
                raise InvalidRequest(
                    "Cannot take the keeper's own branch or the owner out.",
                    "Withdraw the document, or leave it to its owner.",
                )
            if keeper.branch_id is None:
                by.require_operator()
            else:
                by.require(Action.SHARE, found.branch_id if mine else keeper.branch_id)
            put_shares(connection, document_id, [], [share_id])
            self.narrow(connection, by, document_id)
            for told in dict.fromkeys([found.branch_id, keeper.branch_id]):
                self._office.audit.write(
                    connection,
                    by,
                    "document.unshare",
                    "document",
                    document_id,
                    branch_id=told,
                    audience=found.audience,
                )

    # -- keeping ----------------------------------------------------------------------

    def check_withdraw(self, by: Principal, document_id: str) -> Keeper:
        """Whether the asker may take the document out: who keeps it then.

        Those who share for the branch may, and an owner while it is theirs alone.

        Raises:
            NotFound: there is no such document in the asker's scope.
            SignInRequired, Refused: the asker may not.
        """
        person_id = by.require_person()
        with self._office.reading() as connection:
            keeper = self._catalog.keeper(document_id, by.scope, within=connection)
            alone = [s.audience for s in shares_of(connection, document_id)] == [
                f"owner:{keeper.branch_id}:{person_id}"
            ]
        if keeper.branch_id is None:
            by.require_operator()
        elif not alone:
            by.require(Action.WITHDRAW, keeper.branch_id)
            if keeper.branch_id not in by.branches:
                raise Refused("Cannot take this out: another branch keeps it.", "Ask that branch.")
        return keeper

    def ownerless(self, by: Principal, branch_id: str) -> list[str]:
        """Ids of documents that the branch keeps for an owner alone who is no longer in it.

        Raises:
            SignInRequired, Refused: the asker is no administrator of the branch.
        """
        by.require(Action.MANAGE_BRANCH, branch_id)
        with self._office.reading() as connection:
            return self._ownerless(connection, branch_id)

    def _ownerless(self, connection: Connection, branch_id: str) -> list[str]:
        d = documents.c
        present = (
            select(roles.c.person_id)
            .join(people, people.c.person_id == roles.c.person_id)
            .where(roles.c.branch_id == branch_id, people.c.active)
        )
        rows = connection.execute(
            select(d.document_id, d.owner_id)
            .where(d.branch_id == branch_id, d.owner_id.is_not(None), d.owner_id.not_in(present))
            .order_by(d.document_id)
        ).all()
        return [
            r.document_id
            for r in rows
            if [s.audience for s in shares_of(connection, r.document_id)]
            == [f"owner:{branch_id}:{r.owner_id}"]
        ]

    def take_over(self, by: Principal, branch_id: str, document_id: str) -> None:
        """Become the owner of a document whose owner has left the branch.

        Raises:
            NotFound: it is none of those that `ownerless` lists.
            SignInRequired, Refused: the asker is no administrator of the branch.
        """
        by.require(Action.MANAGE_BRANCH, branch_id)
        person_id = by.require_person()
        if branch_id not in by.roles:
            # Only a role there lets an owner see it; see `access.scopes`.
            raise Refused(
                "Cannot take this over: you have no role in that branch.", "Take a role there first."
            )
        with self._office.writing() as connection:
            if document_id not in self._ownerless(connection, branch_id):
                raise NotFound(f"No document {document_id} without an owner here.", "See the list of them.")
            old = shares_of(connection, document_id)
            new = share(
                document_id,
                f"owner:{branch_id}:{person_id}",
                branch_id=branch_id,
                shared_by=person_id,
                at=self._office.now(),
            )
            self._catalog.keep(document_id, branch_id=branch_id, owner_id=person_id, within=connection)
            put_shares(connection, document_id, [new], [s.share_id for s in old])
            self.narrow(connection, by, document_id)
            self._office.audit.write(
                connection, by, "document.take_over", "document", document_id, branch_id=branch_id
            )

    def withdrawn(self, by: Principal, branch_id: str) -> list[tuple[str, str, str]]:
        """(document id, day, reason) of what the branch took out, latest first: no title, no text.

        Raises:
            SignInRequired, Refused: the asker does not share for the branch.
        """
        by.require(Action.WITHDRAW, branch_id)
        t = tombstones.c
        with self._office.reading() as connection:
            rows = connection.execute(
                select(t.document_id, t.removed_at, t.reason)
                .where(t.branch_id == branch_id)
                .order_by(t.removed_at.desc())
                .limit(100)
            )
            return [(r.document_id, r.removed_at.date().isoformat(), r.reason) for r in rows]

    # -- who would see it -----------------------------------------------------------------

    def reach(
        self,
        by: Principal,
        branch_id: str | None,
        wanted: Sequence[Wanted],
        *,
        owner_id: str | None,
        document_id: str | None = None,
    ) -> Reach:
        """Who would see a document of the branch if it were shared so; nothing is changed.

        Of a document that is here already, what others passed on counts where it would stay, and a copy
        reaches nobody whom its origin does not reach.

        Raises:
            InvalidRequest, NotFound, SignInRequired, Refused: as in `set_audience`.
        """
        with self._office.reading() as connection:
            keeper = Keeper(branch_id, owner_id, None, "")
            before: list[Share] = []
            if document_id is not None:
                keeper = self._catalog.keeper(document_id, by.scope, within=connection)
                before = shares_of(connection, document_id)
            put = self._direct(connection, by, document_id or "", keeper, wanted)
            self._check_width(by, keeper, [*(s for s in before if s.parent_id is None), *put])
            tokens = {s.audience for s in put} | _staying(before, put)
            scopes = Scopes(connection, self._office.today())
            scope_of = {b: scopes.of_branch(b) for b in scopes.tree.parents}

        def reaches(scope: frozenset[str]) -> bool:
            return not keeper.origin_id or bool(self._catalog.visible([keeper.origin_id], scope))

        everyone = PUBLIC in tokens and reaches(frozenset({PUBLIC}))
        named = tokens - {PUBLIC} if everyone else tokens
        return Reach(
            tuple(sorted(b for b, scope in scope_of.items() if scope & named and reaches(scope))),
            tuple(sorted(t.removeprefix("group:") for t in tokens if t.startswith("group:"))),
            everyone,
            all(t.startswith("owner:") for t in tokens),
        )

    def n_shared(self, by: Principal, from_id: str, to_id: str) -> int:
        """How many documents of one branch reach another, not as part of what everyone sees.

        Both stand for those below them, too. Counted is only what the asker may see.
        """
        by.require_person()
        with self._office.reading() as connection:
            scopes = Scopes(connection, self._office.today())
            reached = frozenset().union(*(scopes.of_branch(b) for b in scopes.tree.below([to_id]))) - {PUBLIC}
            return connection.execute(
                select(func.count())
                .select_from(documents)
                .where(
                    documents.c.branch_id.in_(scopes.tree.below([from_id])),
                    visible(by.scope),
                    visible(reached),
                )
            ).scalar_one()

    def as_seen_by(
        self, by: Principal, cards: Sequence[DocumentCard], *, branch_id: str = "", person_id: str = ""
    ) -> list[tuple[DocumentCard, bool]]:
        """Which of the cards, all seen by the asker, a branch's member or a person would see too.

        Raises:
            NotFound: there is no such branch or person, or the asker may not see the person.
            SignInRequired: nobody is signed in.
        """
        by.require_person()
        with self._office.reading() as connection:
            scopes = Scopes(connection, self._office.today())
            if branch_id:
                row_of(connection, branch_id)
                scope = scopes.of_branch(branch_id)
            else:
                held = branches_of(connection, person_id)
                if not any(by.may(Action.SEE_PEOPLE, b) for b in held) and person_id != by.person_id:
                    raise NotFound(f"No person {person_id} here.", "Choose one from the list of people.")
                scope = scopes.of_person(person_id, held)
        seen = self._catalog.visible([c.document_id for c in cards], scope)
        return [(c, c.document_id in seen) for c in cards]


def _is_beyond(given: Share) -> bool:
    """Whether the keeper shared it so beyond its own branch."""
    inside = given.audience == f"branch:{given.branch_id}" or given.audience.startswith("owner:")
    return given.parent_id is None and not inside


def _is_of_branch(given: Iterable[Share]) -> bool:
    """Whether the keeper's branch is among those that it is shared with."""
    return any(s.audience == f"branch:{s.branch_id}" for s in given)


def _inside(keeper: Keeper) -> set[str]:
    """Audiences that do not reach beyond the keeper's branch."""
    return {f"branch:{keeper.branch_id}", f"owner:{keeper.branch_id}:{keeper.owner_id}"}


def _staying(before: Sequence[Share], put: Sequence[Share]) -> set[str]:
    """Tokens of what was passed on, and would stay if the keeper shared with these."""
    known = {s.share_id: s for s in before}
    passing = {s.audience for s in put if s.may_reshare}

    def root(s: Share) -> Share:
        return root(known[s.parent_id]) if s.parent_id else s

    return {s.token for s in before if s.parent_id and root(s).audience in passing}

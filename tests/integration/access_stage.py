"""Plays a history on real services and on the model at once.

One home serves many worlds: between them its catalog is put back to a template, and what the last
world held is withdrawn, so that the index follows as it always does.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import event, insert

from access.branches import Level
from access.passwords import Passwords
from access.principal import Power, Principal
from access.rights import Role
from access.sharing import Wanted
from access.tables import roles
from api.app import create_app
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.errors import KbError, NotFound
from store.shares import Share as Kept
from store.shares import shares_of
from tests.fakes import HashingEncoder
from tests.integration.access_case_play import CasePlay
from tests.integration.access_quiz_play import QuizPlay
from tests.integration.access_worlds import (
    ADMINISTRATOR,
    EDITORS,
    FIRST_DAY,
    MOST_BRANCHES,
    MOST_DOCUMENTS,
    MOST_GROUPS,
    N_PEOPLE,
    N_SLOTS,
    OPERATOR,
    ROLES,
    SHARERS,
    UNSETTLED,
    Audience,
    Branch,
    Group,
    Held,
    History,
    Partnership,
    Person,
    Share,
    Step,
    World,
    branch_name,
    days,
    group_name,
    invited_name,
    person_name,
    reason,
    text,
    token_of,
)

_TREE = (
    ("a", None, Level.COMMITTEE),
    ("a1", "a", Level.BRANCH),
    ("a2", "a", Level.GENERAL),
    ("b", None, Level.COMMITTEE),
    ("b1", "b", Level.BRANCH),
    ("c", None, Level.BRANCH),
)
"""Branches that are there from the beginning: three enterprises."""


def branch_id_of(n: int) -> str:
    """The id of the n-th branch."""
    return f"branch-{n}"


class Clock:
    """The time of a world; no two moments are alike."""

    def __init__(self) -> None:
        self.set(FIRST_DAY)

    def set(self, day: date) -> None:
        """Go to the morning of a day."""
        self._now = datetime(day.year, day.month, day.day, 8)

    def wait(self, time: timedelta) -> None:
        """Let time go by."""
        self._now += time

    def now(self) -> datetime:
        """This moment."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def today(self) -> date:
        """This day."""
        return self._now.date()


class _Later:
    """Stands in for the index where something was taken in: queries follow the catalog by themselves."""

    def follow(self, *, block: bool = False) -> frozenset[str]:
        """Nothing yet."""
        return frozenset()


class Stage:
    """Services and an application on one home, for world after world."""

    def __init__(self, folder: Path, *, lazily: bool = True) -> None:
        """`lazily` leaves it to the queries to bring the index up to the catalog."""
        self.clock = Clock()
        self.services: Services = build_services(
            Settings(
                home=folder / "home",
                processes=1,
                requests_per_minute=0,
                second_factor=False,
                session_idle_hours=24 * 30,
                session_days=90,
            ),
            encoder=HashingEncoder(dim=16),
            passwords=Passwords(memory_kib=8, passes=1),
            now=self.clock.now,
            today=self.clock.today,
        )
        engine = self.services.catalog.engine
        event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        engine.dispose()
        if lazily:
            self.services.holdings._index = _Later()  # type: ignore[assignment]
            self.services.cases.publishing._index = _Later()  # type: ignore[assignment]
        self._database = folder / "home" / "catalog.db"
        self._template = folder / "template.db"
        self.n_worlds = 0
        self.sessions: dict[str, str] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self._first = self._populate()
        with (
            closing(sqlite3.connect(self._database)) as live,
            closing(sqlite3.connect(self._template)) as kept,
        ):
            live.backup(kept)
        self.app: FastAPI = create_app(self.services)

    def _populate(self) -> tuple[str, ...]:
        """Make the branches and people that every world begins with, each person with an open session."""
        access = self.services.access
        for n, (_, above, level) in enumerate(_TREE):
            parent = next((branch_id_of(i) for i, t in enumerate(_TREE) if t[0] == above), None)
            access.branches.found(
                None, branch_name(n), level=level, parent_id=parent, branch_id=branch_id_of(n)
            )
        people = []
        for n in range(N_PEOPLE):
            person_id = access.people.add(
                None,
                person_name(n) + str(n),
                person_name(n),
                change_password=n == UNSETTLED,
                operator=n == OPERATOR,
            )
            people.append(person_id)
            self.sessions[person_id] = secret = access.sessions.sign_in_as(person_id, "test")
            if n in (1, 2):
                powers = frozenset({Power.READ} if n == 1 else {Power.WRITE, Power.MANAGE})
                token = access.tokens.make(access.sessions.principal(secret), "t", powers, 366)
                self.tokens[person_id] = (token.secret, token.token_id)
        return tuple(people)

    def begin(self, history: History) -> "Play":
        """A world at its beginning, in place of the one before."""
        with (
            closing(sqlite3.connect(self._database)) as live,
            closing(sqlite3.connect(self._template)) as kept,
        ):
            old = [r[0] for r in live.execute("SELECT document_id FROM documents")]
            seq = live.execute("SELECT coalesce(max(seq), 0) FROM changes").fetchone()[0]
            kept.backup(live)
            gone = [*old, "0" * 16]
            live.executemany(
                "INSERT INTO changes (seq, document_id, removed, at) VALUES (?, ?, 1, '2030-01-01 00:00:00.000000')",
                [(seq + n, document_id) for n, document_id in enumerate(gone, 1)],
            )
            live.commit()
        self.clock.set(FIRST_DAY)
        self.n_worlds += 1
        return Play(self, history)

    def first_people(self) -> tuple[str, ...]:
        """Ids of the people, in their order."""
        return self._first

    def close(self) -> None:
        """Let go of the home."""
        self.services.close()


class Play(QuizPlay, CasePlay):
    """One world: the model, and the services that should agree with it."""

    def __init__(self, stage: Stage, history: History) -> None:
        self.stage = stage
        self.services = stage.services
        self.world = World()
        self._begin_quizzes()
        self._begin_cases()
        self.number = stage.n_worlds
        self.counts = {"done": 0, "refused": 0}
        for n in range(len(_TREE)):
            branch = self.services.access.branches.get(branch_id_of(n))
            self.world.branches[branch.branch_id] = Branch(n, branch.parent_id)
        for n, (person_id, (branch_n, role)) in enumerate(
            zip(stage.first_people(), history.places, strict=True)
        ):
            held = {branch_id_of(branch_n): frozenset({ROLES[role]})} if branch_n < len(_TREE) else {}
            self.world.people[person_id] = Person(n, held, settled=n != UNSETTLED)
        first = [
            {"person_id": p, "branch_id": b, "role": role}
            for p, found in self.world.people.items()
            for b, held in found.roles.items()
            for role in held
        ]
        if first:
            with self.services.catalog.writing() as connection:
                connection.execute(insert(roles), first)

    def act(self, steps: Iterable[Step]) -> None:
        """Try each step; what the services took is true in the model from then on."""
        for step in steps:
            try:
                getattr(self, "_" + step.kind)(step)
            except KbError:
                self.counts["refused"] += 1
            else:
                self.counts["done"] += 1
            self.meet_cases()

    def wait(self, time: timedelta) -> None:
        """Let time go by."""
        self.stage.clock.wait(time)

    # -- who acts

    def principal(self, person_id: str) -> Principal:
        """The person as they are now."""
        return self.services.access.sessions.principal_of(person_id)

    def _somebody(self, step: Step, fit: Callable[[str], bool]) -> str:
        """Somebody who may; now and then, and where nobody may, anybody."""
        everybody = list(self.world.people)
        able = [p for p in everybody if fit(p)]
        return step.pick(step.a, able if able and step.d % 8 else everybody)

    def _editor(self, step: Step, branch_id: str, wanted: frozenset[str] = EDITORS) -> Principal:
        return self.principal(self._somebody(step, lambda p: self.world.has_role(p, branch_id, wanted)))

    def _branches(self, *, active: bool = True) -> list[str]:
        return [b for b, found in self.world.branches.items() if found.active is active]

    def _on_document(
        self,
        step: Step,
        branches: Callable[[Held], Iterable[str]],
        wanted: frozenset[str],
        *,
        seen: bool = True,
    ) -> tuple[Principal, str, Held, str]:
        """Somebody with a role in one of the branches, who sees the document; now and then anybody at all."""
        world = self.world
        every = [(d, b) for d, held in world.documents.items() for b in branches(held)]
        if not every:
            raise NotFound("There is nothing that this could be done to.")
        able = [
            (d, b, p)
            for d, b in every
            for p in world.people
            if world.has_role(p, b, wanted) and (not seen or world.sees(p, d))
        ]
        if able and step.d % 8:
            document_id, branch_id, person_id = able[(step.a + 24 * step.b) % len(able)]
        else:
            document_id, branch_id = every[step.b % len(every)]
            person_id = step.pick(step.a, list(world.people))
        return self.principal(person_id), document_id, world.documents[document_id], branch_id

    # -- audiences

    def _wanted(self, step: Step, branch_id: str, number: int) -> list[tuple[Wanted, Audience]]:
        """None, one or two audiences, as people say them and as the model does."""
        groups = list(self.world.groups)
        near = [
            b
            for b in self.world.branches
            if self.world.top(b) == self.world.top(branch_id) or self.world.are_partners(b, branch_id)
        ]
        branches = near if step.c % 6 else list(self.world.branches)
        may = step.c % 4 != 0

        def one(n: int) -> tuple[str, Audience]:
            kind = ("own", "branch", "partners", "group", "branch", "everyone", "group", "partners")[n % 8]
            if kind == "group" and groups:
                group_id = groups[(n // 8 + step.c) % len(groups)]
                return f"group:{group_id}", ("group", group_id)
            if kind in ("branch", "group"):
                other = branches[(n // 8 + step.b + step.c) % len(branches)]
                inside = self.world.top(other) == self.world.top(branch_id)
                return f"branch:{other}", ("branch", other) if inside else ("named", branch_id, other)
            if kind == "own":
                return "own", ("branch", branch_id)
            return kind, ("everyone",) if kind == "everyone" else ("partners", branch_id)

        if number % 6 == 0:
            return []
        chosen = [one(number)] + ([one(number + step.c)] if step.c % 2 else [])
        return [(Wanted(said, may), audience) for said, audience in dict.fromkeys(chosen) if said]

    def _set_direct(self, held: Held, wanted: Sequence[tuple[Wanted, Audience]], owner: str) -> None:
        put: dict[Audience, bool] = {}
        for said, audience in wanted:
            put[audience] = said.may_reshare and audience != ("everyone",)
        if put:
            put.setdefault(("branch", held.keeper), False)
        else:
            put = {("owner", held.keeper, owner): False}
        for audience, may_reshare in put.items():
            held.put(held.keeper, audience, may_reshare)
        for share in [s for s in held.shares if s.parent is None and s.audience not in put]:
            held.drop(share)

    # -- documents

    def _hand_in(self, step: Step) -> None:
        if len(self.world.documents) >= MOST_DOCUMENTS:
            return
        able = [
            (p, b) for p in self.world.people for b in self._branches() if self.world.has_role(p, b, EDITORS)
        ]
        if able and step.d % 8:
            person_id, branch_id = able[(step.a + 24 * step.b) % len(able)]
        else:
            person_id, branch_id = (
                step.pick(step.a, list(self.world.people)),
                step.pick(step.b, self._branches()),
            )
        by = self.principal(person_id)
        used = [h.slot for h in (*self.world.documents.values(), *self.world.gone.values())]
        fresh = [n for n in range(N_SLOTS) if n not in used]
        slot = step.pick(step.c, [str(n) for n in (used if used and step.d % 6 == 1 else fresh or used)])
        found, wanted = text(int(slot)), self._wanted(step, branch_id, step.d)
        outcome = self.services.holdings.hand_in(
            by, branch_id, found.source, [w for w, _ in wanted], sidecar=found.sidecar
        )
        assert by.person_id is not None
        if outcome.status == "failed":
            raise NotFound(outcome.message)
        assert outcome.document_id is not None
        if outcome.status == "unchanged":
            known = self.world.documents[outcome.document_id]
            # An administrator from above may have handed in what they do not see.
            handed_in = (known.owner, known.keeper) == (by.person_id, branch_id)
            assert handed_in or self.world.sees(by.person_id, outcome.document_id), "told of hidden bytes"
            return
        held = Held(found.slot, branch_id, by.person_id, outcome.n_passages, found.issuer)
        self._set_direct(held, wanted, by.person_id)
        self.world.documents[outcome.document_id] = held
        self._agree_on_shares(outcome.document_id)

    def _set_audience(self, step: Step) -> None:
        by, document_id, held, _ = self._on_document(step, lambda h: [h.keeper], SHARERS)
        wanted = self._wanted(step, held.keeper, step.d)
        self.services.access.sharing.set_audience(by, document_id, [w for w, _ in wanted])
        self._was_seen(by, document_id)
        assert by.person_id is not None
        self._set_direct(held, wanted, by.person_id)
        self._narrow(document_id)

    def _reshare(self, step: Step) -> None:
        def have(held: Held) -> list[str]:
            passable = [s for s in held.shares if s.may_reshare]
            return [
                b
                for b in self._branches()
                if b != held.keeper and any(self.world.reaches_branch(s, b) for s in passable)
            ]

        by, document_id, held, branch_id = self._on_document(
            step, have if step.c % 8 else lambda h: self._branches(), SHARERS
        )
        wanted = self._wanted(step, branch_id, step.d or 1)
        before = {id(s) for s in held.shares}
        self.services.access.sharing.reshare(by, document_id, branch_id, [w for w, _ in wanted])
        self._was_seen(by, document_id)
        fit = [s for s in held.shares if s.may_reshare and self.world.reaches_branch(s, branch_id)]
        assert fit, "passed on what the branch does not have"
        for audience, may_reshare in {audience: said.may_reshare for said, audience in wanted}.items():
            held.put(branch_id, audience, may_reshare, parent=fit[0])
        self._agree_on_parents(document_id, held, {id(s) for s in held.shares} - before, fit)
        self._agree_on_shares(document_id)

    def _shares(self, document_id: str) -> list[Kept]:
        with self.services.catalog.engine.connect() as connection:
            return shares_of(connection, document_id)

    def _agree_on_parents(self, document_id: str, held: Held, new: set[int], fit: Sequence[Share]) -> None:
        """Which of several shares was passed on is the services' to choose, as long as it is one that fits."""
        rows = {s.share_id: s for s in self._shares(document_id)}
        by_name = {(r.branch_id, r.audience): r for r in rows.values()}
        for share in [s for s in held.shares if id(s) in new]:
            parent_id = by_name[share.by, token_of(share.audience)].parent_id
            assert parent_id is not None
            parent = rows[parent_id]
            share.parent = next(
                s for s in fit if (s.by, token_of(s.audience)) == (parent.branch_id, parent.audience)
            )

    def _take_back(self, step: Step) -> None:
        by, document_id, held, _ = self._on_document(step, lambda h: {s.by for s in h.shares}, SHARERS)
        rows = self._shares(document_id)
        row = rows[step.c % len(rows)]
        self.services.access.sharing.take_back(by, document_id, row.share_id)
        self._was_seen(by, document_id)
        held.drop(
            next(s for s in held.shares if (s.by, token_of(s.audience)) == (row.branch_id, row.audience))
        )
        self._narrow(document_id)

    def _copy(self, step: Step) -> None:
        if len(self.world.documents) >= MOST_DOCUMENTS:
            return
        by, document_id, held, branch_id = self._on_document(
            step, lambda h: [b for b in self._branches() if b != h.keeper], EDITORS
        )
        copy_id = self.services.holdings.copy(by, document_id, branch_id)
        self._was_seen(by, document_id)
        assert by.person_id is not None
        copied = Held(held.slot, branch_id, by.person_id, held.n_passages, held.issuer, document_id)
        copied.put(branch_id, ("branch", branch_id), False)
        self.world.documents[copy_id] = copied

    def _withdraw(self, step: Step) -> None:
        by, document_id, held, _ = self._on_document(step, lambda h: [h.keeper], SHARERS)
        self.services.holdings.withdraw(by, document_id, reason(held.slot))
        self._was_seen(by, document_id)
        assert by.person_id is not None
        self._take_out(document_id, by.person_id, reason(held.slot))

    def _take_over(self, step: Step) -> None:
        by, document_id, held, _ = self._on_document(
            step,
            lambda h: [h.keeper] if h.shares[0].audience[0] == "owner" else [],
            frozenset({ADMINISTRATOR}),
            seen=False,
        )
        self.services.access.sharing.take_over(by, held.keeper, document_id)
        assert by.person_id is not None
        held.owner = by.person_id
        held.shares = [Share(held.keeper, ("owner", held.keeper, by.person_id), False)]
        self._narrow(document_id)

    def _was_seen(self, by: Principal, document_id: str) -> None:
        """Nobody does anything to what they do not see."""
        assert self.world.sees(by.person_id, document_id), f"{by.name} acted on hidden {document_id}"

    def _agree_on_shares(self, document_id: str) -> None:
        rows = self._shares(document_id)
        found = {(r.branch_id, r.audience, r.may_reshare) for r in rows}
        held = self.world.documents[document_id]
        assert found == {(s.by, token_of(s.audience), s.may_reshare) for s in held.shares}

    # -- partnerships and time

    def _propose(self, step: Step) -> None:
        one = step.pick(step.b, self._branches())
        others = [b for b in self._branches() if self.world.top(b) != self.world.top(one)]
        other = step.pick(step.c, others if others and step.a % 8 else self._branches())
        begins = self.world.today + days(step.d % 3 == 2)
        ends = begins + days((2, 9, 40)[step.d % 3])
        agreed = step.d % 2 == 0
        by = None if agreed else self._editor(step, one, SHARERS)
        partnership_id = self.services.access.partnerships.propose(
            by, one, other, begins, ends, agreed=agreed
        )
        self.world.partnerships[partnership_id] = Partnership(one, other, begins, ends, agreed)

    def _partnership(self, step: Step, *, agreed: bool | None = None) -> tuple[str, Partnership]:
        fit = [p for p, found in self.world.partnerships.items() if agreed in (found.agreed, None)]
        if not fit:
            raise NotFound("No partnership was offered yet.")
        partnership_id = step.pick(step.b, fit)
        return partnership_id, self.world.partnerships[partnership_id]

    def _agree(self, step: Step) -> None:
        partnership_id, found = self._partnership(step, agreed=False)
        by = self._editor(step, found.other, SHARERS)
        self.services.access.partnerships.agree(by, partnership_id)
        found.agreed = True

    def _end(self, step: Step) -> None:
        partnership_id, found = self._partnership(step)
        by = self._editor(step, step.pick(step.c, [found.one, found.other]), SHARERS)
        self.services.access.partnerships.end(by, partnership_id)
        found.ended = True

    def _pass_days(self, step: Step) -> None:
        self.world.today += days(1 + step.b % 4)
        self.stage.clock.set(self.world.today)

    # -- groups

    def _make_group(self, step: Step) -> None:
        if len(self.world.groups) >= MOST_GROUPS:
            return
        able = [
            b
            for b in self._branches()
            if step.d % 8 and any(self.world.has_role(p, b, SHARERS) for p in self.world.people)
        ]
        keeper = step.pick(step.b, able or self._branches())
        n = 1 + max((g.n for g in self.world.groups.values()), default=-1)
        group = self.services.access.groups.make(self._editor(step, keeper, SHARERS), keeper, group_name(n))
        self.world.groups[group.group_id] = Group(n, keeper)

    def _group(self, step: Step) -> tuple[str, Group]:
        if not self.world.groups:
            raise NotFound("No group was made yet.")
        group_id = step.pick(step.b, list(self.world.groups))
        return group_id, self.world.groups[group_id]

    def _put_member(self, step: Step) -> None:
        group_id, group = self._group(step)
        by = self._editor(step, group.keeper, SHARERS)
        near = {b for b in self._branches() if self.world.top(b) == self.world.top(group.keeper)} | {
            b for b in self._branches() if self.world.are_partners(b, group.keeper)
        }
        people = [p for p, found in self.world.people.items() if near & found.roles.keys()]
        among = sorted(near) if step.d % 3 else people
        among = among if among and step.a % 8 else [*self.world.people, *self._branches()]
        member = step.pick(step.c, among)
        kind = "person" if member in self.world.people else "branch"
        self.services.access.groups.put(by, group_id, f"{kind}:{member}")
        (group.people if kind == "person" else group.branches).add(member)

    def _drop_member(self, step: Step) -> None:
        group_id, group = self._group(step)
        members = sorted(group.people | group.branches)
        if not members:
            raise NotFound("Nobody is in the group.")
        member = step.pick(step.c, members)
        kind = "person" if member in group.people else "branch"
        self.services.access.groups.drop(
            self._editor(step, group.keeper, SHARERS), group_id, f"{kind}:{member}"
        )
        (group.people if kind == "person" else group.branches).remove(member)

    def _dissolve(self, step: Step) -> None:
        group_id, group = self._group(step)
        self.services.access.groups.dissolve(self._editor(step, group.keeper, SHARERS), group_id)
        del self.world.groups[group_id]

    # -- people and branches

    def _give(self, person_id: str, branch_id: str, wanted: frozenset[str]) -> None:
        self.services.access.people.set_roles(None, person_id, branch_id, frozenset(map(Role, wanted)))
        held = self.world.people[person_id].roles
        held.pop(branch_id, None)
        if wanted:
            held[branch_id] = wanted

    def _set_roles(self, step: Step) -> None:
        self._give(
            step.pick(step.a, list(self.world.people)),
            step.pick(step.b, list(self.world.branches)),
            frozenset({ROLES[step.c % 4], ROLES[step.d % 4]}),
        )

    def _invite(self, step: Step) -> None:
        branch_id = step.pick(step.b, self._branches())
        by = self._editor(step, branch_id, frozenset({ADMINISTRATOR}))
        name = invited_name(self.world.branches[branch_id].n)
        self.services.access.invitations.offer(by, branch_id, frozenset({Role.MEMBER}), name)

    def _leave(self, step: Step) -> None:
        person_id = step.pick(step.a, list(self.world.people))
        held = sorted(self.world.people[person_id].roles)
        if held:
            self._give(person_id, step.pick(step.b, held), frozenset())

    def _deactivate(self, step: Step) -> None:
        person_id = step.pick(step.a, list(self.world.people))
        self.services.access.people.set_active(None, person_id, active=False)
        self.world.people[person_id].active = self.world.people[person_id].session = False

    def _activate(self, step: Step) -> None:
        out = [p for p, found in self.world.people.items() if not found.active]
        if out:
            person_id = step.pick(step.a, out)
            self.services.access.people.set_active(None, person_id, active=True)
            self.world.people[person_id].active = True

    def _operator(self) -> Principal:
        return self.principal(self.stage.first_people()[OPERATOR])

    def _retire(self, step: Step) -> None:
        leaves = [
            b
            for b in self._branches()
            if not any(x.parent == b and x.active for x in self.world.branches.values())
        ]
        branch_id = step.pick(step.b, leaves)
        self.services.access.branches.retire(self._operator(), branch_id)
        self.world.branches[branch_id].active = False

    def _restore(self, step: Step) -> None:
        resting = self._branches(active=False)
        if resting:
            branch_id = step.pick(step.b, resting)
            self.services.access.branches.retire(self._operator(), branch_id, active=True)
            self.world.branches[branch_id].active = True

    def _found(self, step: Step) -> None:
        n = len(self.world.branches)
        if n >= MOST_BRANCHES:
            return
        parent = step.pick(step.b, self._branches())
        self.services.access.branches.found(None, branch_name(n), parent_id=parent, branch_id=branch_id_of(n))
        self.world.branches[branch_id_of(n)] = Branch(n, parent)

    def _move(self, step: Step) -> None:
        branch_id, parent = step.pick(step.b, self._branches()), step.pick(step.c, self._branches())
        found = self.services.access.branches.get(branch_id)
        self.services.access.branches.change(
            self._operator(), branch_id, name=found.name, level=found.level, parent_id=parent
        )
        self.world.branches[branch_id].parent = parent

"""Random worlds of branches, people and documents, and a plain model of who sees what in them.

The model is written from DESIGN section 7 and shares no code with `access` or `store`. Whatever
is secret in a world (texts, titles, names) is spelled with characters that stand nowhere else, each for one
thing only: a single one of them in an answer tells what came out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from hypothesis import strategies as st

from cases.model import SHAPES, Body, Field, Shape
from ingest.metadata import Sidecar
from kb.model import Kind, Source
from search.analysis import fold

MEMBER, TRAINER, LIAISON, ADMINISTRATOR = "member", "trainer", "liaison", "administrator"
ROLES = (MEMBER, TRAINER, LIAISON, ADMINISTRATOR)
EDITORS = frozenset({TRAINER, LIAISON, ADMINISTRATOR})
SHARERS = frozenset({LIAISON, ADMINISTRATOR})
N_PEOPLE, N_SLOTS, MOST_BRANCHES, MOST_DOCUMENTS, MOST_GROUPS = 8, 12, 7, 12, 4
MOST_PUBLISHED = 8
"""Publications of cases; each has a slot of its own after those of the texts."""
OPERATOR, UNSETTLED = 0, N_PEOPLE - 1
"""Places of the person who looks after the installation, and of the one who has yet to change a first password."""
FIRST_DAY = date(2030, 1, 1)

Audience = tuple[str, ...]
"""("everyone",), ("owner", branch, person), ("branch", b), ("partners", a), ("named", a, b) or ("group", g)."""


# -- canaries ---------------------------------------------------------------------------


@cache
def _rare() -> Sequence[str]:
    """Characters that stand in no page and no message, and are matched as they are written."""

    def is_rare(character: str) -> bool:
        try:
            character.encode("gb2312")
        except UnicodeEncodeError:
            return fold(character).text == character
        return False

    return [c for c in map(chr, range(0x4E40, 0x9FA6)) if is_rare(c)]


_OF_DOCUMENTS, _OF_BRANCHES, _OF_PEOPLE, _OF_GROUPS, _OF_REASONS, _OF_GUESTS = 0, 400, 500, 600, 700, 800
OF_QUIZZES, OF_CASES, _N_CANARIES = 900, 1100, 1600
"""Where the characters of questions, papers, exams and attempts begin, and those of what is said over cases."""


def canary(at: int, n: int = 2) -> str:
    """So many characters that are spelled nowhere else, from a place on."""
    return "".join(_rare()[at : at + n])


def branch_name(n: int) -> str:
    """The name of the n-th branch."""
    return canary(_OF_BRANCHES + 2 * n) + "支部"


def person_name(n: int) -> str:
    """The name, and the login, of the n-th person."""
    return canary(_OF_PEOPLE + 2 * n)


def group_name(n: int) -> str:
    """The name of the n-th group."""
    return canary(_OF_GROUPS + 2 * n) + "组"


def reason(slot: int) -> str:
    """Why a text was taken out."""
    return canary(_OF_REASONS + 2 * slot)


def invited_name(branch_n: int) -> str:
    """The name of whoever is invited to the n-th branch."""
    return canary(_OF_GUESTS + 2 * branch_n)


CASE_FIELDS = tuple(f for f in Field if SHAPES[f] in (Shape.LINE, Shape.TEXT, Shape.FIGURES))
"""Fields of a case that hold words."""


@dataclass(frozen=True, slots=True)
class Text:
    """What can be handed in. The first two are versions of one law, as are the next two; the sixth repeals the fifth."""

    slot: int
    title: str
    kind: Kind
    number: str
    issuer: str
    keyword: str
    word: str
    source: Source
    sidecar: Sidecar
    body: Body = field(default_factory=dict)
    """The form, where it is published of a case."""

    @property
    def canaries(self) -> frozenset[str]:
        """Its rare characters, single."""
        said = self.source.data.decode() + self.source.name + self.number + self.issuer + self.keyword
        return rare_in(said + self.title)


@cache
def text(slot: int) -> Text:
    """The text of a slot, the same in every world."""

    def own(n: int) -> str:
        return canary(_OF_DOCUMENTS + 20 * slot + 2 * n)

    if slot >= N_SLOTS:
        return _of_case(slot, own)
    version = slot % 2 if slot < 4 else 0
    title = canary(_OF_DOCUMENTS + 20 * (slot - version) + 18) + "共建办法"
    number, issuer, keyword = f"{own(0)}发〔20{10 + slot}〕{slot + 1}号", own(1) + "公司党委", own(2)
    kind = list(Kind)[slot % len(Kind)] if slot > 5 else Kind.LAW
    repeals = f"《{text(4).title}》同时废止。" if slot == 5 else ""
    said = f"{title}\n第一条　{own(3)}负责共建活动的组织。\n第二条　共建活动由{own(4)}安排，经费从简。{repeals}\n"
    day = date(2019 + version * 3 + (slot == 5), 3, 1)
    return Text(
        slot,
        title,
        kind,
        number,
        issuer,
        keyword,
        own(3),
        Source(f"{own(5)}.txt", "text/plain", said.encode()),
        Sidecar(
            title=title,
            kind=kind,
            issuer=issuer,
            number=number,
            keywords=(keyword,),
            issued_on=day,
            effective_on=day,
        ),
    )


def _of_case(slot: int, own: Callable[[int], str]) -> Text:
    """What is published of a case: every field of its form has a word of its own."""
    body = {field: own(n) + "共建活动" for n, field in enumerate(CASE_FIELDS)}
    body[Field.FIGURES] += "|7|2|件"
    said = "\n".join(body.values())
    source = Source(f"{slot}.md", "text/markdown", said.encode())
    title, word = body[Field.TITLE], own(CASE_FIELDS.index(Field.PROBLEM))
    return Text(slot, title, Kind.CASE, word, word, own(3), word, source, Sidecar(), body)


@cache
def _rare_set() -> frozenset[str]:
    return frozenset(_rare()[:_N_CANARIES])


def rare_in(said: str) -> frozenset[str]:
    """The rare characters that stand in what is said."""
    return _rare_set().intersection(said)


# -- the model -------------------------------------------------------------------------


def token_of(audience: Audience) -> str:
    """How an audience is kept: needed to tell shares apart, not to know whom they reach."""
    kind, *ids = audience
    if kind == "everyone":
        return "public"
    return f"share:{ids[0]}>{ids[1]}" if kind == "named" else ":".join(audience)


@dataclass
class Branch:
    """A branch; `n` is its place among all that were ever founded."""

    n: int
    parent: str | None
    active: bool = True


@dataclass
class Person:
    """A person; `session` is whether the one opened at the beginning still is open."""

    n: int
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    active: bool = True
    settled: bool = True
    session: bool = True


@dataclass
class Partnership:
    """Two branches, on days."""

    one: str
    other: str
    begins_on: date
    ends_on: date
    agreed: bool = False
    ended: bool = False


@dataclass
class Group:
    """A group; members are branches and people by id."""

    n: int
    keeper: str
    branches: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


@dataclass
class Share:
    """What a branch shared. `parent` is what it was passed on from."""

    by: str
    audience: Audience
    may_reshare: bool
    parent: "Share | None" = None


@dataclass
class Held:
    """A document that is here."""

    slot: int
    keeper: str
    owner: str
    n_passages: int
    issuer: str
    origin: str | None = None
    shares: list[Share] = field(default_factory=list)
    taken_out_by: str | None = None
    reason: str = ""

    def drop(self, share: Share) -> None:
        """Take a share out, with what was passed on from it."""
        self.shares.remove(share)
        for passed in [s for s in self.shares if s.parent is share]:
            if passed in self.shares:
                self.drop(passed)

    def put(self, by: str, audience: Audience, may_reshare: bool, parent: Share | None = None) -> None:
        """Put a share in; one that is there gets or loses the right to be passed on."""
        found = next((s for s in self.shares if (s.by, s.audience) == (by, audience)), None)
        if found is None:
            self.shares.append(Share(by, audience, may_reshare, parent))
            return
        found.may_reshare = may_reshare
        for passed in [s for s in self.shares if s.parent is found and not may_reshare]:
            self.drop(passed)


@dataclass
class World:
    """Everything that decides who sees what, by id."""

    today: date = FIRST_DAY
    branches: dict[str, Branch] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    partnerships: dict[str, Partnership] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    documents: dict[str, Held] = field(default_factory=dict)
    gone: dict[str, Held] = field(default_factory=dict)

    # -- branches

    def line(self, branch_id: str) -> list[str]:
        """The branch and those above it; none if one of them is out of use."""
        line, at = [], branch_id
        while True:
            line.append(at)
            if not self.branches[at].active:
                return []
            above = self.branches[at].parent
            if above is None:
                return line
            at = above

    def top(self, branch_id: str) -> str:
        """The branch at the top of its tree, in use or not."""
        above = self.branches[branch_id].parent
        return branch_id if above is None else self.top(above)

    def below(self, branch_id: str) -> set[str]:
        """The branch and all below it that are in use."""
        return {b for b in self.branches if branch_id in self.line(b)}

    def are_partners(self, one: str, other: str) -> bool:
        """Whether a partnership that is in force joins the two, or branches above them."""
        lines = (set(self.line(one)), set(self.line(other)))
        return any(
            p.agreed
            and not p.ended
            and p.begins_on <= self.today <= p.ends_on
            and ((p.one in lines[0] and p.other in lines[1]) or (p.one in lines[1] and p.other in lines[0]))
            for p in self.partnerships.values()
        )

    # -- people

    def homes(self, person_id: str) -> set[str]:
        """Branches in use in which the person has a role."""
        return {b for b, roles in self.people[person_id].roles.items() if roles and self.line(b)}

    def administered(self, person_id: str) -> set[str]:
        """Branches that the person administers."""
        roles = self.people[person_id].roles
        return {b for home in self.homes(person_id) if ADMINISTRATOR in roles[home] for b in self.below(home)}

    def own(self, person_id: str) -> set[str]:
        """Branches of the person's own."""
        return self.homes(person_id) | self.administered(person_id)

    def has_role(self, person_id: str, branch_id: str, wanted: frozenset[str]) -> bool:
        """Whether the person has one of the roles there, or administers it."""
        person = self.people[person_id]
        if not person.active or not person.settled or not self.line(branch_id):
            return False
        above = ADMINISTRATOR in wanted and branch_id in self.administered(person_id)
        return above or bool(person.roles.get(branch_id, frozenset()) & wanted)

    # -- who sees what

    def reaches(self, audience: Audience, homes: Iterable[str], person_id: str | None) -> bool:
        """Whether people of the branches, or the person in person, are in the audience."""
        kind, *ids = audience
        homes = list(homes)
        lines = {b for home in homes for b in self.line(home)}
        if kind == "everyone":
            return True
        if kind == "owner":
            return ids[1] == person_id and ids[0] in homes
        if kind == "branch":
            return ids[0] in lines
        if kind == "partners":
            return any(self.are_partners(ids[0], home) for home in homes)
        if kind == "named":
            return ids[1] in lines and self.are_partners(ids[0], ids[1])
        group = self.groups.get(ids[0])
        return group is not None and (bool(group.branches & lines) or person_id in group.people)

    def _holds(self, share: Share) -> bool:
        """Whether what was passed on is still there to be passed on; the keeper's own share always is."""
        parent = share.parent
        if parent is None:
            return True
        return (
            bool(self.line(share.by))
            and parent.may_reshare
            and self.reaches(parent.audience, [share.by], None)
            and self._holds(parent)
        )

    def reaches_branch(self, share: Share, branch_id: str) -> bool:
        """Whether the branch as such has the document by this share."""
        return self.reaches(share.audience, [branch_id], None) and self._holds(share)

    def sees(self, person_id: str | None, document_id: str) -> bool:
        """Whether the person, or a guest, may see the document."""
        held = self.documents.get(document_id)
        if held is None:
            return False
        if person_id is not None and not (self.people[person_id].active and self.people[person_id].settled):
            person_id = None
        homes = self.homes(person_id) if person_id else set()
        reached = any(self.reaches(s.audience, homes, person_id) and self._holds(s) for s in held.shares)
        return reached and (held.origin is None or self.sees(person_id, held.origin))

    def seen(self, person_id: str | None) -> set[str]:
        """Everything that the person sees."""
        return {d for d in self.documents if self.sees(person_id, d)}

    def names_seen(self, person_id: str | None) -> frozenset[str]:
        """Rare characters in what the person may know beside texts: names, and why something was taken out."""
        if person_id is None:
            return frozenset()
        me = self.people[person_id]
        said = [person_name(me.n)]
        if not me.settled:
            return rare_in("".join(said))
        operator, own = me.n == OPERATOR, self.own(person_id)
        lines = own | {b for home in own for b in self.line(home)}
        said += [person_name(p.n) for p in self.people.values() if operator or own & p.roles.keys()]
        groups = [
            g for g in self.groups.values() if g.keeper in own or g.branches & lines or person_id in g.people
        ]
        said += [group_name(g.n) for g in groups]
        knows_all = operator or any(self.has_role(person_id, b, SHARERS) for b in own)
        tops = {self.top(b) for b in own}
        met = {
            b for p in self.partnerships.values() if {p.one, p.other} & lines for b in (p.one, p.other)
        } | {b for g in groups for b in (*g.branches, g.keeper)}
        for document_id in self.seen(person_id):
            held = self.documents[document_id]
            # Who keeps it is told with the document; with whom it is shared, to those who share.
            met.add(held.keeper)
            edits = self.has_role(person_id, held.keeper, EDITORS)
            for share in held.shares:
                if edits or share.by in own:
                    met |= {share.by, *share.audience[1:]}
        said += [
            branch_name(b.n)
            for branch_id, b in self.branches.items()
            if knows_all
            or self.top(branch_id) in tops
            or branch_id in met | me.roles.keys()
            or any(self.are_partners(branch_id, home) for home in own)
        ]
        said += [
            invited_name(b.n)
            for branch_id, b in self.branches.items()
            if operator or self.has_role(person_id, branch_id, frozenset({ADMINISTRATOR}))
        ]
        said += [
            h.reason
            for h in self.gone.values()
            if h.taken_out_by == person_id or self.has_role(person_id, h.keeper, SHARERS)
        ]
        return rare_in("".join(said))


# -- how a world comes to be ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody tries. The numbers choose among what there is at that moment."""

    kind: str
    a: int
    b: int
    c: int
    d: int

    def pick(self, number: int, among: Sequence[str]) -> str:
        """One of these, in a fixed order."""
        return among[number % len(among)]


@dataclass(frozen=True, slots=True)
class History:
    """Where each person starts, and what happened then."""

    places: tuple[tuple[int, int], ...]
    steps: tuple[Step, ...]

    def halves(self) -> Iterator[tuple[Step, ...]]:
        """The steps in two parts, so that questions can be asked in between."""
        half = len(self.steps) // 2
        yield self.steps[:half]
        yield self.steps[half:]


FOUNDING = (
    *["propose"] * 2,
    *["make_group"] * 2,
    *["put_member"] * 3,
    *["hand_in"] * 5,
    "set_audience",
    *["reshare"] * 2,
    *["ask"] * 4,
    *["make_paper"] * 2,
    *["give_out"] * 2,
    *["sit"] * 3,
    *["begin_case"] * 2,
    *["write_case"] * 2,
    *["attach"] * 2,
    *["publish_case"] * 4,
    *["adopt"] * 3,
    "say",
    *["ask_partners"] * 2,
    *["answer_partners"] * 2,
    "call_ballot",
    "nominate",
)
"""What every world begins with, so that there is something to see and to hide."""

WEIGHTS = {
    "hand_in": 5,
    "set_audience": 6,
    "reshare": 6,
    "take_back": 2,
    "copy": 5,
    "withdraw": 1,
    "take_over": 1,
    "propose": 2,
    "agree": 2,
    "end": 1,
    "pass_days": 2,
    "make_group": 1,
    "put_member": 4,
    "drop_member": 2,
    "dissolve": 1,
    "set_roles": 3,
    "invite": 1,
    "leave": 2,
    "deactivate": 2,
    "activate": 3,
    "retire": 1,
    "restore": 1,
    "found": 1,
    "move": 1,
    "ask": 4,
    "revise": 2,
    "make_paper": 2,
    "give_out": 3,
    "sit": 6,
    "hand_over": 3,
    "mark": 1,
    "close": 1,
    "begin_case": 2,
    "write_case": 3,
    "attach": 2,
    "publish_case": 8,
    "set_case_audience": 3,
    "withdraw_case": 1,
    "adopt": 5,
    "drop_adoption": 1,
    "say": 3,
    "ask_partners": 3,
    "answer_partners": 4,
    "close_question": 1,
    "call_ballot": 2,
    "nominate": 3,
    "vote": 3,
    "end_ballot": 1,
}
"""How often what happens afterwards."""

_numbers = st.integers(0, 23)


def histories(least: int = 8, most: int = 24) -> st.SearchStrategy[History]:
    """Histories of so many steps after the founding."""
    kinds = st.sampled_from([kind for kind, n in WEIGHTS.items() for _ in range(n)])
    founding = st.tuples(*[st.builds(Step, st.just(kind), *[_numbers] * 4) for kind in FOUNDING])
    steps = st.lists(st.builds(Step, kinds, *[_numbers] * 4), min_size=least, max_size=most)
    places = st.tuples(*[st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 2, 3, 2, 3]))] * N_PEOPLE)
    return st.builds(lambda p, f, s: History(p, (*f, *s)), places, founding, steps)


def days(n: int) -> timedelta:
    """So many days."""
    return timedelta(days=n)

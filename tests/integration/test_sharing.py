"""Handing in, sharing, passing on, copying and withdrawing, through the services."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from access.principal import GUEST, Principal
from access.rights import Role
from access.sharing import Wanted
from api.services import Services
from kb.errors import Conflict, InvalidRequest, KbError, NotFound, Refused, SignInRequired
from kb.model import Query, Source, Validity
from tests.conftest import Opener
from tests.people import add_person, found_branches, principal

MEMBER, TRAINER, LIAISON, ADMIN = Role.MEMBER, Role.TRAINER, Role.LIAISON, Role.ADMINISTRATOR
PEOPLE = {
    "xueyuan": {"beichen": MEMBER}, "peixun": {"beichen": TRAINER}, "lianluo": {"beichen": LIAISON},
    "guanli": {"beichen": ADMIN}, "jiang": {"jianglan": LIAISON}, "he": {"hefeng": LIAISON},
    "yun": {"yunling": LIAISON},
}  # fmt: skip


class House:
    """Services with four branches: 北辰 and 江澜, 江澜 and 禾丰 are partners; 云岭 is nobody's."""

    def __init__(self, services: Services) -> None:
        self.services = services
        found_branches(services, "beichen", "jianglan", "hefeng", "yunling")
        self.ids = {login: add_person(services, login, roles) for login, roles in PEOPLE.items()}
        end = date.today() + timedelta(days=30)
        propose = services.access.partnerships.propose
        self.partnership = propose(None, "beichen", "jianglan", None, end, agreed=True)
        propose(None, "jianglan", "hefeng", None, end, agreed=True)

    def by(self, login: str) -> Principal:
        """The person as they are now."""
        return principal(self.services, self.ids[login])

    def put(
        self, login: str, text: str, *audience: str, name: str = "材料.txt", reshare: bool = False
    ) -> str:
        """Hand a text in for the person's branch; its id."""
        branch = next(iter(PEOPLE[login]))
        wanted = [Wanted(a, reshare) for a in audience]
        outcome = self.services.holdings.hand_in(
            self.by(login), branch, Source(name, "text/plain", text.encode()), wanted
        )
        assert outcome.status == "added", outcome
        return outcome.document_id or ""

    def seen(self, document_id: str) -> set[str]:
        """Logins of those who see a document, and "guest"; by id and by search alike."""
        found = set()
        for login in [*PEOPLE, "guest"]:
            scope = self.by(login).scope if login != "guest" else GUEST.scope
            by_id = bool(self.services.catalog.visible([document_id], scope))
            answer = self.services.search(Query("吊机奖励", scope, k=100))
            assert by_id == (document_id in {h.document_id for h in answer.hits})
            if by_id:
                found.add(login)
        return found


TEXT = "夜班奖励办法\n第一条　夜班吊机奖励每人三百元。\n"
OWN = {"xueyuan", "peixun", "lianluo", "guanli"}


@pytest.fixture
def house(open_services: Opener) -> House:
    """An installation of its own."""
    return House(open_services())


# -- audiences ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "seen"),
    [
        ((), {"lianluo"}),
        (("own",), OWN),
        (("partners",), OWN | {"jiang"}),
        (("branch:jianglan",), OWN | {"jiang"}),
        (("everyone",), {*PEOPLE, "guest"}),
        (("own", "partners", "branch:jianglan"), OWN | {"jiang"}),
    ],
)
def test_a_document_is_seen_by_its_audience(house: House, audience: Sequence[str], seen: set[str]) -> None:
    """Exactly those whom it is shared with see it, at once; none at all is the owner alone."""
    assert house.seen(house.put("lianluo", TEXT, *audience)) == seen


def test_a_group_is_who_is_in_it_now(house: House) -> None:
    """Members see what is shared with the group from the moment they are in until they are out."""
    groups = house.services.access.groups
    group = groups.make(house.by("lianluo"), "beichen", "夜学组").group_id
    document = house.put("lianluo", TEXT, f"group:{group}")
    assert house.seen(document) == OWN
    groups.put(house.by("lianluo"), group, "branch:jianglan")
    assert house.seen(document) == OWN | {"jiang"}
    groups.drop(house.by("jiang"), group, "branch:jianglan")
    assert house.seen(document) == OWN


def test_the_end_of_a_partnership_ends_what_hung_on_it(house: House) -> None:
    """Shares with partners and by name hold while the partnership does."""
    one, two = house.put("lianluo", TEXT, "partners"), house.put("lianluo", TEXT + "二", "branch:jianglan")
    assert "jiang" in house.seen(one) & house.seen(two)
    house.services.access.partnerships.end(house.by("jiang"), house.partnership)
    assert house.seen(one) == house.seen(two) == OWN


@pytest.mark.parametrize(
    ("login", "audience", "kind"),
    [
        ("xueyuan", ("own",), Refused),
        ("xueyuan", (), Refused),
        ("peixun", ("partners",), Refused),
        ("peixun", ("everyone",), Refused),
        ("peixun", ("own", "branch:jianglan"), Refused),
        ("lianluo", ("branch:yunling",), InvalidRequest),
        ("lianluo", ("branch:none",), InvalidRequest),
        ("lianluo", ("group:none",), NotFound),
        ("lianluo", ("nonsense",), InvalidRequest),
        ("lianluo", tuple(f"branch:{n}" for n in range(201)), InvalidRequest),
    ],
)
def test_who_may_not_share_so_widely_hands_nothing_in(
    house: House, login: str, audience: Sequence[str], kind: type[KbError]
) -> None:
    """A refused audience leaves nothing behind, neither document nor original."""
    with pytest.raises(kind):
        house.put(login, TEXT, *audience)
    assert house.services.catalog.total() == 0


def test_a_trainer_shares_inside_the_branch_alone(house: House) -> None:
    """A trainer opens a draft to the branch and takes it back; what a liaison shared wider is not theirs to change."""
    share = house.services.access.sharing.set_audience
    document = house.put("peixun", TEXT)
    share(house.by("peixun"), document, [Wanted("own")])
    assert house.seen(document) == OWN
    share(house.by("peixun"), document, [])
    assert house.seen(document) == {"peixun"}
    share(house.by("peixun"), document, [Wanted("own")])
    share(house.by("lianluo"), document, [Wanted("partners")])
    with pytest.raises(Refused):
        share(house.by("peixun"), document, [Wanted("own")])
    with pytest.raises(Refused):
        share(house.by("lianluo"), document, [])
    assert house.seen(document) == OWN | {"jiang"}


def test_nobody_shares_what_another_branch_keeps(house: House) -> None:
    """A partner cannot change the audience; what one cannot see is not there to be shared."""
    sharing = house.services.access.sharing
    seen, hidden = house.put("lianluo", TEXT, "partners"), house.put("lianluo", TEXT + "二", "own")
    with pytest.raises(Refused):
        sharing.set_audience(house.by("jiang"), seen, [Wanted("everyone")])
    with pytest.raises(NotFound):
        sharing.set_audience(house.by("jiang"), hidden, [Wanted("everyone")])
    assert sharing.shares(house.by("jiang"), seen) == []
    with pytest.raises(SignInRequired):
        sharing.shares(GUEST, seen)


def test_the_preview_tells_what_then_happens(house: House) -> None:
    """The branches that a preview names are those whose people see the document once it is shared so."""
    sharing = house.services.access.sharing
    document = house.put("lianluo", TEXT, "own")
    for audience in ((), ("own",), ("partners",), ("branch:jianglan",), ("everyone",)):
        wanted = [Wanted(a) for a in audience]
        reach = sharing.reach(house.by("lianluo"), "beichen", wanted, owner_id=house.ids["lianluo"])
        assert house.seen(document) == OWN
        if audience:
            sharing.set_audience(house.by("lianluo"), document, wanted)
        seen = house.seen(document)
        assert reach.owner_only is (audience == ())
        assert reach.everyone is ("guest" in seen)
        if audience and not reach.everyone:
            assert set(reach.branch_ids) == {b for login in seen for b in PEOPLE[login]}
        sharing.set_audience(house.by("lianluo"), document, [Wanted("own")])


def test_seeing_as_another_is_what_that_one_sees(house: House) -> None:
    """Of one's own documents the preview tells which a branch, or a person one manages, would see."""
    sharing, catalog = house.services.access.sharing, house.services.catalog
    wide, narrow = house.put("lianluo", TEXT, "partners"), house.put("lianluo", TEXT + "二", "own")
    by = house.by("guanli")
    cards = catalog.cards(by.scope, date.today(), branch_id="beichen")
    found = {c.document_id: seen for c, seen in sharing.as_seen_by(by, cards, branch_id="jianglan")}
    assert found == {wide: True, narrow: False}
    person = house.ids["xueyuan"]
    assert all(seen for _, seen in sharing.as_seen_by(by, cards, person_id=person))
    for stranger in (house.ids["he"], "0" * 16):
        with pytest.raises(NotFound):
            sharing.as_seen_by(by, cards, person_id=stranger)


# -- passing on ---------------------------------------------------------------------


def test_passing_on_is_a_right_of_its_own(house: House) -> None:
    """Without the right nobody passes on; with it a liaison does, to partners, never to everyone."""
    sharing = house.services.access.sharing
    document = house.put("lianluo", TEXT, "branch:jianglan")
    with pytest.raises(Refused):
        sharing.reshare(house.by("jiang"), document, "jianglan", [Wanted("branch:hefeng")])
    sharing.set_audience(house.by("lianluo"), document, [Wanted("branch:jianglan", True)])
    for audience in ("everyone", "branch:yunling"):
        with pytest.raises(InvalidRequest):
            sharing.reshare(house.by("jiang"), document, "jianglan", [Wanted(audience)])
    with pytest.raises(KbError):
        sharing.reshare(house.by("jiang"), document, "hefeng", [Wanted("branch:yunling")])
    sharing.reshare(house.by("jiang"), document, "jianglan", [Wanted("branch:hefeng")])
    assert house.seen(document) == OWN | {"jiang", "he"}
    with pytest.raises(Refused):
        sharing.reshare(house.by("he"), document, "hefeng", [Wanted("partners")])


@pytest.mark.parametrize("how", ["right", "share", "partnership", "take_back", "withdraw", "retire"])
def test_what_was_passed_on_goes_with_what_it_came_from(house: House, how: str) -> None:
    """Whatever takes the document from the one who passed it on takes it from those it was passed on to."""
    access = house.services.access
    sharing = access.sharing
    document = house.put("lianluo", TEXT, "branch:jianglan", reshare=True)
    sharing.reshare(house.by("jiang"), document, "jianglan", [Wanted("branch:hefeng")])
    assert "he" in house.seen(document)
    if how == "right":
        sharing.set_audience(house.by("lianluo"), document, [Wanted("branch:jianglan")])
    elif how == "share":
        sharing.set_audience(house.by("lianluo"), document, [Wanted("own")])
    elif how == "partnership":
        access.partnerships.end(house.by("lianluo"), house.partnership)
    elif how == "take_back":
        passed = next(s for s in sharing.shares(house.by("lianluo"), document) if s.passed_on)
        with pytest.raises(NotFound):
            sharing.take_back(house.by("he"), document, passed.share_id)
        sharing.take_back(house.by("jiang"), document, passed.share_id)
    elif how == "withdraw":
        house.services.holdings.withdraw(house.by("lianluo"), document, "有误")
    else:
        operator = principal(house.services, add_person(house.services, "xitong", operator=True))
        access.branches.retire(operator, "jianglan")
    assert "he" not in house.seen(document)


# -- copies -------------------------------------------------------------------------


def test_a_copy_never_reaches_further_than_its_origin(house: House) -> None:
    """However a copy is shared, who does not see the origin does not see it; a copy of a copy neither."""
    holdings, sharing = house.services.holdings, house.services.access.sharing
    document = house.put("lianluo", TEXT, "branch:jianglan")
    copy = holdings.copy(house.by("jiang"), document, "jianglan")
    assert house.seen(copy) == {"jiang"}
    sharing.set_audience(house.by("jiang"), copy, [Wanted("everyone")])
    assert house.seen(copy) == house.seen(document) == OWN | {"jiang"}
    sharing.set_audience(house.by("lianluo"), document, [Wanted("everyone")])
    again = holdings.copy(house.by("he"), copy, "hefeng")
    sharing.set_audience(house.by("he"), again, [Wanted("everyone")])
    assert "guest" in house.seen(again)
    sharing.set_audience(house.by("lianluo"), document, [Wanted("own")])
    assert house.seen(again) == house.seen(copy) == OWN
    with pytest.raises(NotFound):
        holdings.copy(house.by("jiang"), copy, "jianglan")


def test_a_copy_goes_with_its_origin(house: House) -> None:
    """Once the origin is withdrawn no copy of it is found by anybody."""
    holdings = house.services.holdings
    document = house.put("lianluo", TEXT, "everyone")
    copy = holdings.copy(house.by("jiang"), document, "jianglan")
    with pytest.raises(Conflict):
        holdings.copy(house.by("jiang"), document, "jianglan")
    with pytest.raises(Conflict):
        holdings.copy(house.by("lianluo"), document, "beichen")
    holdings.withdraw(house.by("lianluo"), document)
    assert house.seen(copy) == set()
    assert house.services.search(Query("吊机奖励", house.by("jiang").scope)).total == 0


# -- the same bytes -------------------------------------------------------------------


def test_the_same_bytes_tell_nobody_of_each_other(house: House) -> None:
    """Who hands in what another branch holds unseen gets a document like any new one, and each keeps its own."""
    first = house.put("lianluo", TEXT, "own", name="北辰的文件.txt")
    second = house.put("yun", TEXT, "own", name="云岭的文件.txt")
    assert first != second
    assert house.seen(second) == {"yun"}
    hits = house.services.search(Query("吊机奖励", house.by("yun").scope)).hits
    assert {h.source for h in hits} == {"云岭的文件.txt"}
    house.services.holdings.withdraw(house.by("yun"), second)
    assert house.seen(first) == OWN
    assert house.services.original(first, house.by("lianluo").scope).data == TEXT.encode()


def test_bytes_that_one_sees_are_not_taken_twice(house: House) -> None:
    """Handing in what one can read already leads to it; so a shared document cannot be made one's own."""
    document = house.put("lianluo", TEXT, "partners")
    outcome = house.services.holdings.hand_in(
        house.by("jiang"), "jianglan", Source("x.txt", "text/plain", TEXT.encode()), [Wanted("everyone")]
    )
    assert (outcome.status, outcome.document_id) == ("unchanged", document)
    assert house.seen(document) == OWN | {"jiang"}


# -- standing -------------------------------------------------------------------------

RULE = "经费办法\n北党发〔{year}〕{n}号\n中共北辰委员会\n（{year}年1月1日发布，自{year}年3月1日起施行）\n第一条　吊机奖励每人{n}百元。\n"


def test_a_hidden_version_ends_nothing_for_others(house: House) -> None:
    """A draft of the next version leaves the one in force as it is until all who see that one see the draft too."""
    sharing, catalog = house.services.access.sharing, house.services.catalog
    old = house.put("lianluo", RULE.format(year=2020, n=3), "partners", name="旧.txt")
    new = house.put("lianluo", RULE.format(year=2023, n=5), name="新.txt")
    work = {catalog.document(d, house.by("lianluo").scope).meta.work for d in (old, new)}
    assert len(work) == 1

    def standing() -> Validity:
        return catalog.card(old, house.by("jiang").scope, date.today()).validity

    assert standing() is Validity.IN_FORCE
    sharing.set_audience(house.by("lianluo"), new, [Wanted("own")])
    assert standing() is Validity.IN_FORCE
    sharing.set_audience(house.by("lianluo"), new, [Wanted("partners")])
    assert standing() is Validity.SUPERSEDED
    sharing.set_audience(house.by("lianluo"), new, [Wanted("own")])
    assert standing() is Validity.IN_FORCE


def test_another_branch_ends_nothing_of_ours(house: House) -> None:
    """A text that another branch opens to everyone supersedes none of ours, however it calls itself."""
    old = house.put("lianluo", RULE.format(year=2020, n=3), "everyone", name="旧.txt")
    house.put("yun", RULE.format(year=2023, n=5), "everyone", name="新.txt")
    assert house.services.card(old, GUEST.scope).validity is Validity.IN_FORCE


def test_a_copy_ends_with_its_origin(house: House) -> None:
    """When the origin is superseded its copies are, too."""
    old = house.put("lianluo", RULE.format(year=2020, n=3), "everyone", name="旧.txt")
    copy = house.services.holdings.copy(house.by("jiang"), old, "jianglan")
    house.put("lianluo", RULE.format(year=2023, n=5), "everyone", name="新.txt")
    assert house.services.card(copy, house.by("jiang").scope).validity is Validity.SUPERSEDED


# -- keeping ----------------------------------------------------------------------------


def test_who_may_withdraw(house: House) -> None:
    """Liaisons and administrators of the keeper do; a trainer only a draft of their own; others find or may nothing."""
    withdraw = house.services.holdings.withdraw
    shared, draft = house.put("peixun", TEXT, "own"), house.put("peixun", TEXT + "二")
    for login, kind in (("xueyuan", Refused), ("peixun", Refused), ("jiang", NotFound)):
        with pytest.raises(kind):
            withdraw(house.by(login), shared)
    withdraw(house.by("peixun"), draft)
    withdraw(house.by("guanli"), shared, "过期")
    told = house.services.access.sharing.withdrawn(house.by("lianluo"), "beichen")
    assert {(d, reason) for d, _, reason in told} == {(draft, ""), (shared, "过期")}
    assert "夜班" not in str(told)


def test_a_draft_whose_owner_left_can_be_taken_over(house: House) -> None:
    """Nobody sees it until an administrator takes it over, which the trail tells; while its owner is there, nobody can."""
    sharing = house.services.access.sharing
    draft = house.put("peixun", TEXT)
    assert sharing.ownerless(house.by("guanli"), "beichen") == []
    with pytest.raises(NotFound):
        sharing.take_over(house.by("guanli"), "beichen", draft)
    house.services.access.people.set_roles(None, house.ids["peixun"], "beichen", frozenset())
    assert house.seen(draft) == set()
    assert sharing.ownerless(house.by("guanli"), "beichen") == [draft]
    with pytest.raises(Refused):
        sharing.take_over(house.by("lianluo"), "beichen", draft)
    sharing.take_over(house.by("guanli"), "beichen", draft)
    assert house.seen(draft) == {"guanli"}
    events = house.services.access.audit.events(house.by("guanli"), object_id=draft)
    assert "document.take_over" in {e.action for e in events}


def test_reading_and_sharing_are_told_in_the_trail(house: House) -> None:
    """The keeper's administrator sees who read, took, shared and copied what; a guest's reading leaves no trace."""
    services = house.services
    document = house.put("lianluo", TEXT, "everyone")
    services.note_reading(house.by("jiang"), document)
    services.note_reading(house.by("he"), document, "document.original")
    services.note_reading(GUEST, document)
    services.holdings.copy(house.by("jiang"), document, "jianglan")
    told = {
        (e.action, e.person_id) for e in services.access.audit.events(house.by("guanli"), object_id=document)
    }
    assert told >= {
        ("document.add", house.ids["lianluo"]),
        ("document.read", house.ids["jiang"]),
        ("document.original", house.ids["he"]),
        ("document.copy", house.ids["jiang"]),
    }
    assert None not in {person for _, person in told}

"""People, branches, partnerships and groups: who may change what, and what cannot come to pass."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from access.branches import Level
from access.principal import GUEST, Power, Principal
from access.rights import Action, Grant, Relation, Role, granted
from access.roster import RosterRow
from access.tables import people as people_table
from kb.errors import (
    Conflict,
    InvalidRequest,
    KbError,
    NotFound,
    Refused,
    SignInFailed,
    SignInRequired,
)
from tests.unit.access.conftest import House

ADMIN, LIAISON, TRAINER, MEMBER = Role.ADMINISTRATOR, Role.LIAISON, Role.TRAINER, Role.MEMBER


@pytest.fixture
def home(house: House) -> House:
    """Two trees: 北辰 with a branch below, 江澜; an administrator of each, and others."""
    house.branch("beichen")
    house.branch("beichen-1", "beichen")
    house.branch("jianglan")
    house.person("guanli", {"beichen": ADMIN})
    house.person("lianluo", {"beichen-1": LIAISON})
    house.person("xueyuan", {"beichen-1": MEMBER})
    house.person("jiang", {"jianglan": ADMIN})
    house.person("xitong", operator=True)
    return house


# -- rights ------------------------------------------------------------------------------


def test_an_administrators_own_are_all_branches_below(home: House) -> None:
    """Rights of an administrator reach down the tree, never up or across."""
    by = home.by("guanli")
    assert by.may(Action.MANAGE_PEOPLE, "beichen-1")
    assert not by.may(Action.MANAGE_PEOPLE, "jianglan")
    home.person("unten", {"beichen-1": ADMIN})
    assert not home.by("unten").may(Action.MANAGE_PEOPLE, "beichen")
    assert "branch:beichen-1" not in by.scope


def test_an_operator_appoints_but_does_not_read(home: House) -> None:
    """Looking after the installation gives no sight of anybody's documents."""
    by = home.by("xitong")
    assert by.may(Action.MANAGE_PEOPLE, "jianglan")
    assert by.scope == frozenset({"public"})
    for action in (Action.SHARE, Action.ADD, Action.WITHDRAW, Action.SEE_AUDIT, Action.SEE_AUDIENCE):
        assert not by.may(action, "jianglan")


def test_relations_follow_partnerships(home: House) -> None:
    """What a branch is to a person: own, partner while a partnership holds, else foreign."""
    assert home.by("lianluo").relation("jianglan") is Relation.FOREIGN
    home.partners("beichen", "jianglan", days=3)
    assert home.by("lianluo").relation("jianglan") is Relation.PARTNER
    home.clock.pass_(days=4)
    assert home.by("lianluo").relation("jianglan") is Relation.FOREIGN
    assert home.by("lianluo").relation("beichen-1") is Relation.OWN
    assert home.by("lianluo").relation(None) is Relation.FOREIGN


def test_nobody_does_anything_elsewhere_but_through_shares() -> None:
    """Beyond one's own branch the table gives nothing but what a share gives."""
    for action in Action:
        for role in Role:
            for relation in (Relation.PARTNER, Relation.FOREIGN):
                assert granted(action, role, relation) in (Grant.NO, Grant.SHARED, Grant.PASSED)


# -- branches ----------------------------------------------------------------------------


def test_branches_stand_in_order(home: House) -> None:
    """Each branch comes after the one above it, by name among its like, with its depth."""
    listed = [(b.branch_id, b.depth) for b in home.access.branches.all()]
    assert listed == [("beichen", 0), ("beichen-1", 1), ("jianglan", 0)]


@pytest.mark.parametrize("below", ["beichen", "beichen-1"])
def test_branches_cannot_be_circular(home: House, below: str) -> None:
    """A branch cannot be put below itself or below what stands below it, and stays where it was."""
    with pytest.raises(InvalidRequest):
        home.access.branches.change(
            home.by("guanli"), "beichen", name="北辰", level=Level.COMMITTEE, parent_id=below
        )
    assert home.access.branches.get("beichen").parent_id is None


def test_branches_stay_in_their_tree(home: House) -> None:
    """A branch moves inside its own tree only, and only to where its level fits."""
    service, by = home.access.branches, home.by("guanli")
    with pytest.raises(InvalidRequest):
        service.change(by, "beichen-1", name="一支部", level=Level.BRANCH, parent_id="jianglan")
    with pytest.raises(InvalidRequest):
        service.change(by, "beichen-1", name="一支部", level=Level.COMMITTEE, parent_id=None)
    service.found(by, "二总支", branch_id="beichen-2", parent_id="beichen", level=Level.GENERAL)
    moved = service.change(
        home.by("guanli"), "beichen-1", name="一支部", level=Level.BRANCH, parent_id="beichen-2"
    )
    assert moved.parent_id == "beichen-2"
    with pytest.raises(InvalidRequest):
        service.found(by, "三", parent_id="beichen-1", level=Level.COMMITTEE)


def test_branch_names_and_ids_are_taken_once(home: House) -> None:
    """Two branches below one have two names; an id is given once; names are not empty."""
    service, by = home.access.branches, home.by("guanli")
    service.found(by, "二支部", parent_id="beichen")
    for name, branch_id, kind in (
        (" 二支部 ", None, Conflict),
        ("三支部", "jianglan", Conflict),
        ("", None, InvalidRequest),
        ("x" * 81, None, InvalidRequest),
        ("四支部", "Bad Id", InvalidRequest),
    ):
        with pytest.raises(kind):
            service.found(by, name, parent_id="beichen", branch_id=branch_id)


def test_branches_are_made_by_who_may(home: House) -> None:
    """At the top by operators, below by administrators of the one above; by nobody else."""
    service = home.access.branches
    with pytest.raises(SignInRequired):
        service.found(GUEST, "x")
    for login, parent in (("guanli", None), ("jiang", "beichen"), ("lianluo", "beichen-1")):
        with pytest.raises(Refused):
            service.found(home.by(login), "x", parent_id=parent)
    assert service.found(home.by("xitong"), "新党委").parent_id is None


def test_retired_branches_rest(home: House) -> None:
    """A branch out of use gives nothing to its people, comes back with all, and cannot leave others hanging."""
    service = home.access.branches
    with pytest.raises(Conflict):
        service.retire(home.by("xitong"), "beichen")
    service.retire(home.by("guanli"), "beichen-1")
    assert home.by("xueyuan").roles == {}
    assert not home.by("lianluo").may(Action.SHARE, "beichen-1")
    service.retire(home.by("xitong"), "beichen")
    with pytest.raises(Conflict):
        service.retire(home.by("xitong"), "beichen-1", active=True)
    service.retire(home.by("xitong"), "beichen", active=True)
    service.retire(home.by("guanli"), "beichen-1", active=True)
    assert "branch:beichen" in home.by("xueyuan").scope


# -- people ------------------------------------------------------------------------------


def test_people_are_seen_by_who_looks_after_them(home: House) -> None:
    """An administrator of another branch finds nobody here; one's own branch does; oneself always."""
    service, person = home.access.people, home.ids["xueyuan"]
    with pytest.raises(NotFound) as hidden:
        service.get(home.by("jiang"), person)
    with pytest.raises(NotFound) as missing:
        service.get(home.by("jiang"), "0" * 16)
    assert str(hidden.value).replace(person, "") == str(missing.value).replace("0" * 16, "")
    assert service.get(home.by("xueyuan"), person).login == "xueyuan"
    assert {p.login for p in service.of_branch(home.by("guanli"), "beichen-1")} == {"lianluo", "xueyuan"}
    with pytest.raises(Refused):
        service.of_branch(home.by("xueyuan"), "beichen-1")
    assert service.names(home.by("xueyuan"), home.ids.values()) == {
        home.ids[n]: f"{n}名" for n in ("lianluo", "xueyuan")
    }


def test_logins_are_one_whatever_their_case(home: House) -> None:
    """A login that differs in case or width only is taken; nonsense is refused."""
    for login in ("XUEYUAN", "ｘｕｅｙｕａｎ"):
        with pytest.raises(Conflict):
            home.access.people.add(None, login, "某某")
    for login, name in (("a", "某某"), ("a b", "某某"), ("x" * 41, "某某"), ("fine", ""), ("fine", "x" * 41)):
        with pytest.raises(InvalidRequest):
            home.access.people.add(None, login, name)


def test_an_invitation_is_taken_up_once(home: House) -> None:
    """The secret opens the offer once, until its day; a new person gets its roles and nothing else."""
    service = home.access.people
    offer = home.access.invitations.offer(home.by("guanli"), "beichen-1", frozenset({TRAINER}), "林知行")
    assert home.access.invitations.opened(offer.secret).branch_id == "beichen-1"
    assert [i.name for i in home.access.invitations.of_branch(home.by("guanli"), "beichen-1")] == ["林知行"]
    person = home.access.invitations.accept(offer.secret, "peixun", "林知行", "kept")
    assert service.get(home.by("guanli"), person).roles == {"beichen-1": frozenset({TRAINER})}
    for secret in (offer.secret, offer.secret + "x", ""):
        with pytest.raises(SignInFailed):
            home.access.invitations.accept(secret, "again", "某某", "kept")
    late = home.access.invitations.offer(home.by("guanli"), "beichen-1", frozenset({TRAINER}), "晚来")
    home.clock.pass_(days=15)
    with pytest.raises(SignInFailed):
        home.access.invitations.opened(late.secret)


def test_an_invitation_adds_to_what_one_has(home: House) -> None:
    """Someone who is here takes up an offer beside the roles they hold; a withdrawn offer opens nothing."""
    offer = home.access.invitations.offer(home.by("jiang"), "jianglan", frozenset({LIAISON}), "陈小满")
    home.access.invitations.accept_as(home.by("xueyuan"), offer.secret)
    assert home.by("xueyuan").roles == {"beichen-1": {MEMBER}, "jianglan": {LIAISON}}
    gone = home.access.invitations.offer(home.by("jiang"), "jianglan", frozenset({LIAISON}), "谁")
    with pytest.raises(NotFound):
        home.access.invitations.withdraw(home.by("guanli"), gone.invitation_id)
    home.access.invitations.withdraw(home.by("jiang"), gone.invitation_id)
    with pytest.raises(SignInFailed):
        home.access.invitations.opened(gone.secret)


def test_what_is_over_is_let_go(home: House) -> None:
    """Invitations, sessions and tokens past their time, with the names in them, are gone after the nightly tidying."""
    home.access.invitations.offer(home.by("guanli"), "beichen-1", frozenset({TRAINER}), "没来的人")
    home.access.sessions.sign_in_as(home.ids["xueyuan"], "test")
    home.access.tokens.make(home.by("xueyuan"), "旧令牌", frozenset(Power), 5)

    def kept() -> str:
        with home.catalog.engine.connect() as connection:
            return "\n".join(str(row) for row in connection.connection.driver_connection.iterdump())

    home.access.tidy(audit_days=60)
    assert "没来的人" in kept()
    assert "旧令牌" in kept()
    home.clock.pass_(days=61)
    home.access.tidy(audit_days=60)
    for word in ("没来的人", "旧令牌", 'INSERT INTO "sessions"'):
        assert word not in kept()
    assert home.access.audit.verify().whole


def test_a_failed_acceptance_leaves_the_invitation_open(home: House) -> None:
    """A login that is taken does not use the offer up."""
    offer = home.access.invitations.offer(home.by("guanli"), "beichen-1", frozenset({TRAINER}), "林")
    with pytest.raises(Conflict):
        home.access.invitations.accept(offer.secret, "xueyuan", "林", "kept")
    assert home.access.invitations.accept(offer.secret, "peixun", "林", "kept")


def test_roles_are_given_by_who_may(home: House) -> None:
    """Only administrators of the branch or above, and operators, give and take roles."""
    service, person = home.access.people, home.ids["xueyuan"]
    for login in ("xueyuan", "lianluo", "jiang"):
        with pytest.raises(Refused):
            service.set_roles(home.by(login), person, "beichen-1", frozenset({ADMIN}))
    service.set_roles(home.by("guanli"), person, "beichen-1", frozenset({TRAINER, MEMBER}))
    assert home.by("xueyuan").roles["beichen-1"] == {TRAINER, MEMBER}
    service.set_roles(home.by("xitong"), person, "jianglan", frozenset({MEMBER}))
    with pytest.raises(NotFound):
        service.set_roles(home.by("xitong"), "0" * 16, "jianglan", frozenset({MEMBER}))


def test_an_administrator_shuts_out_only_who_is_wholly_theirs(home: House) -> None:
    """Who has a role in another enterprise too, or is an operator, is not one administrator's to shut out."""
    service, person = home.access.people, home.ids["xueyuan"]
    service.set_roles(None, person, "jianglan", frozenset({MEMBER}))
    with pytest.raises(Refused):
        service.set_active(home.by("guanli"), person, active=False)
    service.set_roles(None, home.ids["xitong"], "beichen", frozenset({MEMBER}))
    with pytest.raises(Refused):
        service.set_active(home.by("guanli"), home.ids["xitong"], active=False)
    service.set_active(home.by("xitong"), person, active=False)
    with pytest.raises(NotFound):
        home.by("xueyuan")


def test_two_operators_removing_each_other_leave_one(home: House) -> None:
    """However two operators go for each other at once, one stays, and is told what happened."""
    home.person("second", operator=True)
    for _ in range(10):
        bys = [home.by("xitong"), home.by("second")]
        barrier = threading.Barrier(2)

        def remove(n: int, bys: list[Principal] = bys, barrier: threading.Barrier = barrier) -> type | None:
            barrier.wait()
            try:
                home.access.people.set_operator(bys[n], bys[1 - n].person_id or "", operator=False)
            except KbError as error:
                return type(error)
            return None

        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(remove, (0, 1))) == {None, Conflict}
        with home.catalog.engine.connect() as connection:
            left = connection.execute(people_table.select().where(people_table.c.operator)).all()
        assert len(left) == 1
        for login in ("xitong", "second"):
            home.access.people.set_operator(None, home.ids[login], operator=True)


def test_two_administrators_removing_each_other(home: House) -> None:
    """The second one's roles are gone by the time they act on them: refused in words, nothing half done."""
    home.person("zweite", {"beichen": ADMIN})
    one, two = home.by("guanli"), home.by("zweite")
    home.access.people.set_roles(one, home.ids["zweite"], "beichen", frozenset())
    with pytest.raises(Conflict):
        home.access.people.set_roles(two, home.ids["guanli"], "beichen", frozenset())
    assert home.by("guanli").administered >= {"beichen"}


def test_the_last_operator_stays(home: House) -> None:
    """The last operator can neither resign, be shut out, nor erase themselves; the machine lets one in again."""
    service, person = home.access.people, home.ids["xitong"]
    for act in (
        lambda: service.set_operator(home.by("xitong"), person, operator=False),
        lambda: service.set_active(None, person, active=False),
        lambda: service.erase(home.by("xitong"), person),
    ):
        with pytest.raises(Conflict):
            act()
    assert home.by("xitong").operator
    password = home.access.rescue_operator("xitong")
    assert home.access.sessions.sign_in("xitong", password, "a")
    assert home.access.rescue_operator("another")
    assert home.access.first_operator() is None


def test_erasing_forgets_a_person(home: House) -> None:
    """After erasure no table has their login or name; their id stays in the trail, which stays whole."""
    service, person = home.access.people, home.ids["lianluo"]
    home.partners("beichen-1", "jianglan")
    partnership = home.access.partnerships.seen(home.by("lianluo"))[0]
    home.access.partnerships.set_liaison(home.by("lianluo"), partnership.partnership_id, "beichen-1", person)
    with pytest.raises(NotFound):
        service.erase(home.by("jiang"), person)
    service.erase(home.by("lianluo"), person)
    with home.catalog.engine.connect() as connection:
        dump = "\n".join(str(row) for row in connection.connection.driver_connection.iterdump())
    assert "lianluo" not in dump
    assert person in dump
    assert home.access.audit.verify().whole
    assert home.access.people.add(None, "lianluo", "新人")


# -- roster --------------------------------------------------------------------------------


def row(n: int, login: str, branch: str, *roles: str, name: str = "", active: bool = True) -> RosterRow:
    """A row of a roster."""
    return RosterRow(n, login, name or f"{login}名", branch, roles or ("member",), active)


def test_a_roster_goes_in_whole_or_not_at_all(home: House) -> None:
    """One wrong row keeps all out, and every wrong row is told; without any, new and known people get their roles."""
    by = home.by("guanli")
    good = [row(2, "neu", "beichen-1组织", "trainer"), row(3, "xueyuan", "beichen-1", "liaison", "member")]
    bad = [row(4, "wer", "江澜支部"), row(5, "jiang", "beichen-1"), row(6, "x y", "beichen-1")]
    hashed = {r.login: "kept" for r in good + bad}
    fresh, problems = home.access.rosters.take(by, good + bad, hashed)
    assert fresh == []
    assert [(p.row, p.column) for p in problems] == [(4, "支部"), (5, "登录名"), (6, "登录名")]
    assert home.by("xueyuan").roles == {"beichen-1": {MEMBER}}
    fresh, problems = home.access.rosters.take(by, good, hashed)
    assert (fresh, problems) == (["neu"], [])
    assert home.by("xueyuan").roles == {"beichen-1": {MEMBER, LIAISON}}
    exported = {(r.login, r.branch, r.roles) for r in home.access.rosters.rows(by, ["beichen-1"])}
    assert ("neu", "beichen-1组织", ("trainer",)) in exported
    with pytest.raises(Refused):
        home.access.rosters.rows(by, ["jianglan"])


def test_a_roster_shuts_out_and_lets_in(home: House) -> None:
    """A person marked out of use is out at once, unless they are needed elsewhere."""
    service, by = home.access.people, home.by("guanli")
    assert home.access.rosters.take(by, [row(2, "xueyuan", "beichen-1", active=False)], {}) == ([], [])
    with pytest.raises(NotFound):
        home.by("xueyuan")
    assert {e.action for e in home.access.audit.events(by, object_id=home.ids["xueyuan"])} >= {
        "person.deactivate"
    }
    assert home.access.rosters.take(by, [row(2, "xueyuan", "beichen-1")], {}) == ([], [])
    fresh, _ = home.access.rosters.take(by, [row(2, "gone", "beichen-1", active=False)], {"gone": "kept"})
    assert fresh == ["gone"]
    assert [p.active for p in service.of_branch(by, "beichen-1") if p.login == "gone"] == [False]
    home.access.people.set_roles(None, home.ids["xueyuan"], "jianglan", frozenset({MEMBER}))
    _, problems = home.access.rosters.take(by, [row(2, "xueyuan", "beichen-1", active=False)], {})
    assert [p.column for p in problems] == ["状态"]


# -- partnerships ----------------------------------------------------------------------------


def test_a_partnership_holds_once_both_agreed_on_its_days(home: House) -> None:
    """Proposed it gives nothing; agreed it holds from its first to its last day; ended it is over at once."""
    service, day = home.access.partnerships, home.clock.today()
    made = service.propose(
        home.by("guanli"), "beichen", "jianglan", day + timedelta(days=2), day + timedelta(days=5)
    )

    def state() -> tuple[str, bool]:
        found = service.seen(home.by("jiang"))[0]
        return found.state, "partners:beichen" in home.by("jiang").scope

    assert state() == ("proposed", False)
    with pytest.raises(Refused):
        service.agree(home.by("guanli"), made)
    service.agree(home.by("jiang"), made)
    assert state() == ("coming", False)
    home.clock.pass_(days=2)
    assert state() == ("in_force", True)
    home.clock.pass_(days=3)
    assert state() == ("in_force", True)
    home.clock.pass_(days=1)
    assert state() == ("over", False)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(None, None), (0, -1), (-9, -1), (5, 4), (0, 365 * 6), (0, 365 * 9000)],
)
def test_partnerships_have_an_end(home: House, begins: int | None, ends: int | None) -> None:
    """Without an end, over before it began, or longer than five years: refused in words."""
    day = home.clock.today()

    def on(days: int | None) -> date | None:
        return None if days is None else min(date.max, day + timedelta(days=min(days, 2_000_000)))

    with pytest.raises(InvalidRequest):
        home.access.partnerships.propose(home.by("guanli"), "beichen", "jianglan", on(begins), on(ends))


def test_partnerships_are_between_trees_and_one_at_a_time(home: House) -> None:
    """No partnership inside one organisation, with a branch out of use, or twice on the same days."""
    service, by, end = home.access.partnerships, home.by("guanli"), home.clock.today() + timedelta(days=9)
    with pytest.raises(InvalidRequest):
        service.propose(by, "beichen", "beichen-1", None, end)
    made = service.propose(by, "beichen", "jianglan", None, end)
    for sides in (("beichen", "jianglan"), ("jianglan", "beichen")):
        with pytest.raises(Conflict):
            service.propose(None, *sides, None, end)
    service.end(home.by("jiang"), made)
    with pytest.raises(Conflict):
        service.end(by, made)
    with pytest.raises(Conflict):
        service.agree(home.by("jiang"), made)
    assert service.propose(by, "beichen", "jianglan", None, end)
    home.branch("hefeng")
    home.access.branches.retire(home.by("xitong"), "hefeng")
    with pytest.raises(InvalidRequest):
        service.propose(by, "beichen", "hefeng", None, end)


def test_partnerships_are_nobody_elses(home: House) -> None:
    """A third branch neither sees nor ends a partnership; a liaison must be one of that side."""
    home.branch("hefeng")
    home.person("he", {"hefeng": ADMIN})
    made = home.partners("beichen", "jianglan")
    service = home.access.partnerships
    assert service.seen(home.by("he")) == []
    for act in (service.end, service.agree):
        with pytest.raises(NotFound):
            act(home.by("he"), made)
    with pytest.raises(InvalidRequest):
        service.set_liaison(home.by("jiang"), made, "jianglan", home.ids["guanli"])
    service.set_liaison(home.by("jiang"), made, "jianglan", home.ids["jiang"])
    assert service.seen(home.by("xueyuan"))[0].partner_liaison == home.ids["jiang"]
    home.access.people.set_roles(None, home.ids["jiang"], "jianglan", frozenset())
    assert service.seen(home.by("xueyuan"))[0].partner_liaison is None


# -- groups ----------------------------------------------------------------------------------


def test_groups_hold_own_and_partner_branches(home: House) -> None:
    """A group takes the keeper's own organisation and partners; others, and people nobody knows, alike refused."""
    service, by = home.access.groups, home.by("lianluo")
    group = service.make(by, "beichen-1", "夜学组")
    with pytest.raises(Conflict):
        service.make(by, "beichen-1", " 夜学组 ")
    with pytest.raises(InvalidRequest):
        service.put(by, group.group_id, "branch:jianglan")
    home.partners("beichen", "jianglan")
    service.put(home.by("lianluo"), group.group_id, "branch:jianglan")
    with pytest.raises(Conflict):
        service.put(home.by("lianluo"), group.group_id, "branch:jianglan")
    home.person("fremd")
    words = []
    for person in (home.ids["fremd"], "0" * 16):
        with pytest.raises(InvalidRequest) as caught:
            service.put(home.by("lianluo"), group.group_id, f"person:{person}")
        words.append(str(caught.value).replace(person, ""))
    assert words[0] == words[1]
    assert f"group:{group.group_id}" in home.by("jiang").scope
    assert [g.name for g in service.seen(home.by("jiang"))] == ["夜学组"]


def test_groups_are_left_and_dissolved_at_once(home: House) -> None:
    """A member takes itself out, the keeper takes out and dissolves; strangers find no such group."""
    home.partners("beichen", "jianglan")
    service = home.access.groups
    group = service.make(home.by("lianluo"), "beichen-1", "夜学组").group_id
    service.put(home.by("lianluo"), group, "branch:jianglan")
    service.put(home.by("lianluo"), group, f"person:{home.ids['xueyuan']}")
    for act in (
        lambda: service.put(home.by("jiang"), group, "branch:beichen"),
        lambda: service.dissolve(home.by("jiang"), group),
        lambda: service.drop(home.by("jiang"), group, f"person:{home.ids['xueyuan']}"),
        lambda: service.drop(home.by("guanli"), group, "branch:hefeng"),
    ):
        with pytest.raises(NotFound):
            act()
    service.drop(home.by("jiang"), group, "branch:jianglan")
    service.drop(home.by("xueyuan"), group, f"person:{home.ids['xueyuan']}")
    assert f"group:{group}" not in home.by("jiang").scope | home.by("xueyuan").scope
    service.put(home.by("lianluo"), group, "branch:jianglan")
    service.dissolve(home.by("lianluo"), group)
    assert f"group:{group}" not in home.by("jiang").scope

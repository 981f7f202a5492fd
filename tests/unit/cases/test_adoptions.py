"""Who took a case over, what came of it and what is said of it: kept step by step, told to nobody it is not for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from access.principal import GUEST, Power, Principal
from access.rights import Role
from cases.adoptions import Adoptions
from cases.ledger import Ledger, Side
from cases.model import Effect, Progress
from cases.outcome import LONGEST_WORD
from cases.tables import adoption_steps
from kb.errors import InvalidRequest, NotFound, Refused, SignInRequired
from kb.model import PUBLIC
from tests.unit.cases.outcome_stage import GROUP, OutcomeStage, new_house, opened


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[OutcomeStage]:
    """Two partners, 甲 and 乙, each with people of every role; 丙, nobody's partner; and a case of 甲 that 乙 sees."""
    house = new_house(tmp_path)
    yield opened(house)
    house.catalog.engine.dispose()


# -- taking over ----------------------------------------------------------------------------


def test_adopt_moves_on_and_keeps_every_step(stage: OutcomeStage) -> None:
    """A branch has one adoption of a case; it is moved on, and what was said before stays in its order."""
    yi = stage.by("yi-liaison")
    first = stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.PLANNED, note="下季度试一试")
    stage.pass_(days=9)
    again = stage.adoptions.adopt(
        yi, stage.case_id, "yi", Progress.DONE, effect=Effect.WORKED, note="等待短了"
    )
    assert again == first
    taken = stage.adoptions.of_case(stage.by("jia-member"), stage.case_id)
    assert [(a.progress, a.effect, a.note) for a in taken.adoptions] == [
        (Progress.DONE, Effect.WORKED, "等待短了")
    ]
    steps = stage.adoptions.steps(yi, first)
    assert [(s.progress, s.effect, s.note) for s in steps] == [
        (Progress.PLANNED, None, "下季度试一试"),
        (Progress.DONE, Effect.WORKED, "等待短了"),
    ]
    assert steps[0].changed_by == stage.ids["yi-liaison"]
    assert steps[1].changed_at - steps[0].changed_at == stage.adoptions.of_branch(yi, "yi")[0].changed_at - (
        steps[0].changed_at
    )


def test_adopt_the_same_again_changes_nothing(stage: OutcomeStage) -> None:
    """A form that is sent twice leaves one step, and one entry in the trail."""
    yi = stage.by("yi-liaison")
    ids = {
        stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.UNDER_WAY, note="三月起") for _ in range(2)
    }
    assert len(ids) == 1
    assert len(stage.adoptions.steps(yi, ids.pop())) == 1
    assert stage.actions().count("case.adopt") == 1
    assert "case.adoption_move" not in stage.actions()


def test_opening_what_was_closed_does_not_open_what_was_said_before(stage: OutcomeStage) -> None:
    """Who sees the case sees how an open adoption stands, and none of its steps."""
    yi = stage.by("yi-liaison")
    adoption_id = stage.adoptions.adopt(
        yi, stage.case_id, "yi", Progress.UNSUITABLE, note="内部原因", open=False
    )
    stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.PLANNED, note="再试", open=True)
    member = stage.by("jia-member")
    assert [a.note for a in stage.adoptions.of_case(member, stage.case_id).adoptions] == ["再试"]
    with pytest.raises(NotFound):
        stage.adoptions.steps(member, adoption_id)
    writer = stage.adoptions.steps(stage.by("jia-trainer"), adoption_id)
    assert [s.note for s in writer] == ["内部原因", "再试"]
    assert {s.changed_by for s in writer} == {None}


@pytest.mark.parametrize(
    ("progress", "effect", "note"),
    [
        (Progress.UNSUITABLE, None, "  \n"),
        (Progress.PLANNED, Effect.WORKED, ""),
        (Progress.UNSUITABLE, Effect.FAILED, "人手不够"),
        (Progress.DONE, Effect.WORKED, "长" * (LONGEST_WORD + 1)),
    ],
)
def test_adopt_refuses_what_makes_no_sense(
    stage: OutcomeStage, progress: Progress, effect: Effect | None, note: str
) -> None:
    """What does not suit says why, only what is done has an effect, and a note has an end."""
    with pytest.raises(InvalidRequest):
        stage.adoptions.adopt(stage.by("yi-liaison"), stage.case_id, "yi", progress, effect=effect, note=note)
    assert stage.adoptions.of_case(stage.by("yi-liaison"), stage.case_id).adoptions == ()


def test_adopt_is_for_those_who_speak_for_another_branch(stage: OutcomeStage) -> None:
    """A branch does not take its own case over; trainers, members, strangers and guests take none over."""

    def adopt(by: Principal, branch_id: str) -> None:
        stage.adoptions.adopt(by, stage.case_id, branch_id, Progress.PLANNED)

    with pytest.raises(InvalidRequest):
        adopt(stage.by("jia-liaison"), "jia")
    for login in ("yi-trainer", "yi-member", "jia-liaison"):
        with pytest.raises(Refused):
            adopt(stage.by(login), "yi")
    with pytest.raises(NotFound):
        adopt(stage.by("bing-liaison"), "bing")
    with pytest.raises(SignInRequired):
        adopt(GUEST, "yi")
    with pytest.raises(Refused):
        adopt(stage.by("yi-liaison").limited_to(frozenset({Power.READ})), "yi")
    adopt(stage.by("yi-admin"), "yi")


def test_counts_are_of_what_is_told(stage: OutcomeStage) -> None:
    """Each adoption is counted once under how it ended, where it worked comes first, and the closed ones count for
    those only who are told of them."""
    for n, (progress, effect, open) in enumerate(
        [
            (Progress.UNDER_WAY, None, True),
            (Progress.DONE, Effect.FAILED, False),
            (Progress.DONE, Effect.WORKED, True),
            (Progress.DONE, None, True),
            (Progress.UNSUITABLE, None, True),
        ]
    ):
        stage.house.branch(f"ding-{n}", "yi")
        stage.person(f"ding-{n}-liaison", {f"ding-{n}": Role.LIAISON})
        stage.adoptions.adopt(
            stage.by(f"ding-{n}-liaison"),
            stage.case_id,
            f"ding-{n}",
            progress,
            effect=effect,
            note="原因",
            open=open,
        )
    writer = stage.adoptions.of_case(stage.by("jia-trainer"), stage.case_id)
    assert [a.branch_id for a in writer.adoptions] == ["ding-2", "ding-1", "ding-3", "ding-4", "ding-0"]
    assert (writer.worked, writer.partly, writer.failed, writer.untold) == (1, 0, 1, 1)
    assert (writer.unsuitable, writer.planned, writer.under_way) == (1, 0, 1)
    member = stage.adoptions.of_case(stage.by("jia-member"), stage.case_id)
    assert member.failed == 0
    assert len(member.adoptions) == 4
    assert stage.adoptions.of_case(stage.by("ding-1-liaison"), stage.case_id).failed == 1


def test_drop_is_for_ones_own(stage: OutcomeStage) -> None:
    """A branch takes back that it took a case over, with every step; nobody else does, and others' are not there."""
    yi = stage.by("yi-liaison")
    adoption_id = stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.PLANNED)
    with pytest.raises(NotFound):
        stage.adoptions.drop(stage.by("jia-admin"), adoption_id)
    with pytest.raises(Refused):
        stage.adoptions.drop(stage.by("yi-member"), adoption_id)
    stage.adoptions.drop(yi, adoption_id)
    assert stage.adoptions.of_branch(yi, "yi") == []
    with stage.office.reading() as connection:
        assert connection.execute(select(func.count()).select_from(adoption_steps)).scalar_one() == 0
    with pytest.raises(NotFound):
        stage.adoptions.drop(yi, adoption_id)


# -- feedback -----------------------------------------------------------------------------


def test_feedback_reaches_whom_it_is_for(stage: OutcomeStage) -> None:
    """Open feedback is read by whoever sees the case, the other kind by those who write it and by one's own."""
    yi = stage.by("yi-liaison")
    stage.adoptions.say(yi, stage.case_id, "yi", "表格好用\r\n字太小")
    stage.pass_(hours=1)
    stage.adoptions.say(yi, stage.case_id, "yi", "第三步我们走不通", open=False)
    assert [f.text for f in stage.adoptions.said(stage.by("jia-member"), stage.case_id)] == [
        "表格好用\n字太小"
    ]
    for login in ("jia-trainer", "yi-member"):
        told = stage.adoptions.said(stage.by(login), stage.case_id)
        assert [(f.text, f.ours) for f in told] == [("第三步我们走不通", False), ("表格好用\n字太小", False)]
    for blank in ("", " \n"):
        with pytest.raises(InvalidRequest):
            stage.adoptions.say(yi, stage.case_id, "yi", blank)
    with pytest.raises(NotFound):
        stage.adoptions.say(stage.by("bing-liaison"), stage.case_id, "bing", "看不到")
    with pytest.raises(Refused):
        stage.adoptions.say(stage.by("yi-trainer"), stage.case_id, "yi", "不行")


def test_unsay_is_for_ones_own(stage: OutcomeStage) -> None:
    """Who speaks for a branch takes back what it said; for others it is not there."""
    feedback_id = stage.adoptions.say(stage.by("yi-liaison"), stage.case_id, "yi", "说错了")
    with pytest.raises(NotFound):
        stage.adoptions.unsay(stage.by("jia-admin"), feedback_id)
    with pytest.raises(Refused):
        stage.adoptions.unsay(stage.by("yi-trainer"), feedback_id)
    stage.adoptions.unsay(stage.by("yi-admin"), feedback_id)
    assert stage.adoptions.said(stage.by("yi-liaison"), stage.case_id) == []


# -- when things end --------------------------------------------------------------------------


def test_when_the_partnership_ends_the_case_is_gone_and_ones_own_record_stays(stage: OutcomeStage) -> None:
    """The day after a partnership, the adopting branch keeps that it took something over, and nothing of the case."""
    yi = stage.by("yi-liaison")
    adoption_id = stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.UNDER_WAY, note="我们的进展")
    feedback_id = stage.adoptions.say(yi, stage.case_id, "yi", "我们的意见")
    stage.pass_(days=31)
    yi, member = stage.by("yi-liaison"), stage.by("yi-member")
    for by, note in ((yi, "我们的进展"), (member, "")):
        kept = stage.adoptions.of_branch(by, "yi")
        assert [(a.adoption_id, a.case_id, a.note) for a in kept] == [(adoption_id, None, note)]
        assert [s.note for s in stage.adoptions.steps(by, adoption_id)] == [note]
    for ask in (
        lambda: stage.adoptions.of_case(yi, stage.case_id),
        lambda: stage.adoptions.said(yi, stage.case_id),
        lambda: stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.DONE),
        lambda: stage.adoptions.say(yi, stage.case_id, "yi", "还有一句"),
    ):
        with pytest.raises(NotFound):
            ask()
    # Those who wrote it keep the credit, and what is one's own can still be taken back.
    assert len(stage.adoptions.of_case(stage.by("jia-liaison"), stage.case_id).adoptions) == 1
    stage.adoptions.unsay(yi, feedback_id)
    stage.adoptions.drop(yi, adoption_id)
    assert stage.adoptions.of_branch(yi, "yi") == []


def test_withdrawn_case_takes_what_came_of_it_along(stage: OutcomeStage) -> None:
    """Of a withdrawn case nothing is told, to its own branch either; who took it over keeps the record."""
    adoption_id = stage.adoptions.adopt(
        stage.by("yi-liaison"), stage.case_id, "yi", Progress.DONE, note="用了"
    )
    stage.withdraw()
    jia = stage.by("jia-liaison")
    with pytest.raises(NotFound):
        stage.adoptions.of_case(jia, stage.case_id)
    with pytest.raises(NotFound):
        stage.adoptions.steps(jia, adoption_id)
    assert [a.case_id for a in stage.adoptions.of_branch(stage.by("yi-liaison"), "yi")] == [None]


def test_emptied_group_hides_the_case_from_who_was_in_it(stage: OutcomeStage) -> None:
    """A group emptied while a case is shared with it leaves its former members their own record alone."""
    case_id = stage.case("jia", ["branch:jia", GROUP])
    bing = stage.by("bing-liaison")
    stage.adoptions.adopt(bing, case_id, "bing", Progress.DONE, effect=Effect.WORKED)
    for member in ("branch:bing", "branch:yi"):
        stage.access.groups.drop(stage.by("jia-liaison"), "g", member)
    bing = stage.by("bing-liaison")
    with pytest.raises(NotFound):
        stage.adoptions.of_case(bing, case_id)
    assert [a.case_id for a in stage.adoptions.of_branch(bing, "bing")] == [None]
    assert stage.adoptions.of_case(stage.by("jia-member"), case_id).worked == 1


def test_retired_branch_speaks_no_more_and_stays_credited(stage: OutcomeStage) -> None:
    """What a branch did before it was retired still counts; its people neither see nor move it on."""
    yi = stage.by("yi-liaison")
    stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.DONE, effect=Effect.WORKED)
    stage.access.branches.retire(stage.by("root"), "yi")
    yi = stage.by("yi-liaison")
    with pytest.raises(Refused):
        stage.adoptions.of_branch(yi, "yi")
    with pytest.raises(Refused):
        stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.DONE, effect=Effect.FAILED)
    assert stage.adoptions.of_case(stage.by("jia-member"), stage.case_id).worked == 1


def test_erased_person_leaves_the_branch_its_record(stage: OutcomeStage) -> None:
    """After the liaison who did it was erased, the branch still has what it took over, and the next one moves it on."""
    stage.adoptions.adopt(stage.by("yi-liaison"), stage.case_id, "yi", Progress.PLANNED, note="打算")
    stage.access.people.erase(None, stage.ids["yi-liaison"])
    admin = stage.by("yi-admin")
    adoption_id = stage.adoptions.adopt(admin, stage.case_id, "yi", Progress.UNDER_WAY, note="接着做")
    steps = stage.adoptions.steps(admin, adoption_id)
    assert [s.note for s in steps] == ["打算", "接着做"]
    assert stage.access.people.names(admin, [steps[0].changed_by or ""]) == {}


# -- nothing hidden, whatever the world ---------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """One adoption or feedback of a random world."""

    case: int
    branch: str
    open: bool
    progress: Progress
    effect: Effect | None


_BRANCHES = ("jia", "yi", "bing", "yi-below")
_TOKENS = [PUBLIC, *(f"branch:{b}" for b in _BRANCHES), "partners:jia", "share:jia>yi", "share:yi>jia", GROUP]
_states = st.sampled_from(
    [(p, e) for p in Progress for e in (None, *Effect) if e is None or p is Progress.DONE]
)
_made = st.builds(
    lambda case, branch, open, state: Made(case, branch, open, *state),
    st.integers(0, 2),
    st.sampled_from(_BRANCHES),
    st.booleans(),
    _states,
)


@given(
    shares=st.lists(st.lists(st.sampled_from(_TOKENS), unique=True, max_size=3), min_size=3, max_size=3),
    keepers=st.lists(st.sampled_from([*_BRANCHES, None]), min_size=3, max_size=3),
    made=st.lists(_made, max_size=8, unique_by=lambda m: (m.case, m.branch)),
    said=st.lists(_made, max_size=5),
    withdrawn=st.sets(st.integers(0, 2), max_size=1),
)
@hypothesis_settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_nothing_hidden_is_told_or_counted(
    world: "World",
    shares: list[list[str]],
    keepers: list[str | None],
    made: list[Made],
    said: list[Made],
    withdrawn: set[int],
) -> None:
    """In any world each person is told exactly what the rules say, reckoned without the store, and counts agree."""
    cases = world.begin(shares, keepers, made, said, withdrawn)
    for login, by in world.askers().items():
        for n, case_id in enumerate(cases):
            if n in withdrawn or not by.scope & set(shares[n]):
                for ask in (world.adoptions.of_case, world.adoptions.said):
                    with pytest.raises(NotFound):
                        ask(by, case_id)
                continue
            taken = world.adoptions.of_case(by, case_id)
            right = [m for m in made if m.case == n and _is_told(login, m, keepers[n])]
            assert sorted(a.branch_id for a in taken.adoptions) == sorted(m.branch for m in right), login
            assert {a.case_id for a in taken.adoptions} <= {case_id}
            ends = [(m.progress, m.effect) for m in right]
            assert taken.worked == ends.count((Progress.DONE, Effect.WORKED))
            assert taken.partly == ends.count((Progress.DONE, Effect.PARTLY))
            assert taken.failed == ends.count((Progress.DONE, Effect.FAILED))
            assert taken.untold == ends.count((Progress.DONE, None))
            assert taken.unsuitable == ends.count((Progress.UNSUITABLE, None))
            assert taken.planned == ends.count((Progress.PLANNED, None))
            assert taken.under_way == ends.count((Progress.UNDER_WAY, None))
            told = [m.branch for m in said if m.case == n and _is_told(login, m, keepers[n])]
            assert sorted(f.branch_id for f in world.adoptions.said(by, case_id)) == sorted(told), login
        for branch_id in by.roles:
            mine = world.adoptions.of_branch(by, branch_id)
            assert len(mine) == len([m for m in made if m.branch == branch_id])
            seen = _seen(by, cases, shares, withdrawn)
            assert {a.case_id for a in mine} <= {None, *seen}
            if login.endswith("/member"):
                continue
            rows = world.ledger.rows(by, branch_id)
            assert {r.card.case_id for r in rows if r.card} <= set(seen)
            own = [c for c, keeper in zip(cases, keepers, strict=True) if keeper == branch_id and c in seen]
            given = [m for m in made if cases[m.case] in own and m.branch != branch_id]
            shared = [r.adoption for r in rows if r.side is Side.SHARED and r.adoption]
            assert sorted(a.branch_id for a in shared) == sorted(m.branch for m in given)


def _is_told(login: str, made: Made, keeper: str | None) -> bool:
    """The rule over again: open, or one's own branch's, or of a case that one writes."""
    branch, _, role = login.rpartition("/")
    return made.open or made.branch == branch or (keeper == branch and role != "member")


def _seen(
    by: Principal, cases: Sequence[str], shares: Sequence[Sequence[str]], withdrawn: set[int]
) -> list[str]:
    return [c for n, c in enumerate(cases) if n not in withdrawn and by.scope & set(shares[n])]


class World:
    """One house for all random worlds of this module; people stay, cases are made anew."""

    def __init__(self, stage: OutcomeStage) -> None:
        self.stage = stage
        self.adoptions: Adoptions = stage.adoptions
        self.ledger = Ledger(stage.office, stage.library, stage.adoptions)
        stage.house.branch("yi-below", "yi")
        for role in (Role.MEMBER, Role.TRAINER, Role.LIAISON):
            stage.person(f"yi-below-{role.value}", {"yi-below": role})

    def askers(self) -> dict[str, Principal]:
        """Everybody, by "branch/role"; and the guest."""
        roles = (Role.MEMBER, Role.TRAINER, Role.LIAISON)
        people = {f"{b}/{r.value}": self.stage.by(f"{b}-{r.value}") for b in _BRANCHES for r in roles}
        return {"/member": GUEST, **people}

    def begin(
        self,
        shares: Sequence[Sequence[str]],
        keepers: Sequence[str | None],
        made: Sequence[Made],
        said: Sequence[Made],
        withdrawn: set[int],
    ) -> list[str]:
        """Cases that were seen by everyone while it was all said, and are shared as stated now."""
        self.stage.clear()
        cases = [self.stage.case(keeper, [PUBLIC]) for keeper in keepers]
        for m in made:
            self.stage.put_adoption(cases[m.case], m.branch, m.progress, m.effect, m.open)
        for m in said:
            self.stage.put_feedback(cases[m.case], m.branch, m.open)
        for n, case_id in enumerate(cases):
            self.stage.reshare(case_id, shares[n])
            if n in withdrawn:
                self.stage.withdraw(case_id)
        return cases


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world of the property tests."""
    house = new_house(tmp_path_factory.mktemp("outcome"))
    yield World(opened(house))
    house.catalog.engine.dispose()

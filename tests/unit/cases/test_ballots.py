"""Votes of branches over real cases: who is called, who may vote for what, and what whom is told of the count."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from access.principal import GUEST, Power
from access.rights import Role
from access.sharing import EVERYONE, OWN, Wanted
from access.tables import audit
from cases.tables import cases as case_rows
from cases.visibility import seen
from cases.voting import Bar, Phase
from kb.errors import Conflict, InvalidRequest, KbError, NotFound, Refused, SignInRequired
from kb.model import PUBLIC
from tests.unit.cases.ballot_room import BRANCHES, HOUR, Room, copied, found

ALL = ("share:jia-1>yi-1", "share:jia-1>yi-2", "share:jia-1>bing-1", "branch:jia")
"""What shares a case of 甲一 with every voting branch."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Organisations and people, to be copied."""
    return found(tmp_path_factory.mktemp("ballots") / "store")


@pytest.fixture
def room(store: Path, tmp_path: Path) -> Iterator[Room]:
    """Organisations and people."""
    with copied(store, tmp_path / "room") as opened:
        yield opened


def voice(room: Room, ballot_id: str, login: str) -> Any:
    """The one voice of a liaison."""
    (found,) = room.ballots.voices(room.by(login), ballot_id)
    return found


def models(room: Room, login: str, *case_ids: str) -> dict[str, list[str]]:
    """Ballots that each case won, as the person is told of them."""
    won = room.ballots.models(room.by(login).scope, case_ids)
    return {case_id: [w.title for w in found] for case_id, found in won.items()}


# -- calling ---------------------------------------------------------------------------------


def test_who_is_called_sees_the_ballot_and_nobody_else(room: Room) -> None:
    """The calling branch and those called upon find it, with all their people; to others there is none."""
    ballot_id = room.call(["branch:yi-1"])
    for login in ("jia-1", "yi-1", "member"):
        assert [c.ballot.ballot_id for c in room.ballots.open_to(room.by(login))] == [ballot_id], login
    for login in ("yi-2", "bing-1", "jia-2", "stranger"):
        assert room.ballots.open_to(room.by(login)) == []
        for ask in (room.ballots.ballot, room.ballots.nominees, room.ballots.voices, room.ballots.result):
            with pytest.raises(NotFound) as hidden:
                ask(room.by(login), ballot_id)
            with pytest.raises(NotFound) as missing:
                ask(room.by(login), "0" * 16)
            assert str(hidden.value).replace(ballot_id, "0" * 16) == str(missing.value)
    with pytest.raises(SignInRequired):
        room.ballots.open_to(GUEST)


def test_only_who_speaks_for_a_branch_calls_ends_and_votes(room: Room) -> None:
    """A member, an administrator above the branch, a reading token and another branch's liaison may not."""
    ballot_id = room.call()
    one = room.case("案例", "jia-1", ALL)
    room.up(ballot_id, one)
    reading = room.by("yi-1").limited_to(frozenset({Power.READ}))
    for by in (room.by("member"), reading, room.by("yi-2")):
        with pytest.raises(Refused):
            room.ballots.vote(by, ballot_id, "yi-1", [one])
    for by in (room.by("top"), room.by("yi-1")):
        with pytest.raises((Refused, NotFound)):
            room.ballots.end(by, ballot_id)
        with pytest.raises(Refused):
            room.ballots.call(
                by, "jia-1", "评选", room.clock.now(), room.clock.now() + HOUR, 1, 1, [Wanted("branch:yi-1")]
            )


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"title": " "}, "title of 1 to 60"),
        ({"title": "评" * 61}, "title of 1 to 60"),
        ({"closes_in": 0}, "after it opens"),
        ({"opens_in": -3, "closes_in": -1}, "in the future"),
        ({"n_votes": 0}, "1 to 20 votes"),
        ({"n_votes": 21}, "1 to 20 votes"),
        ({"n_models": 0}, "1 to 50 model cases"),
        ({"n_models": 51}, "1 to 50 model cases"),
        ({"to": []}, "who is to vote"),
        ({"to": [EVERYONE]}, "branches or groups"),
        ({"to": [OWN]}, "another organisation"),
        ({"to": ["branch:jia-2"]}, "another organisation"),
    ],
)
def test_a_ballot_that_makes_no_sense_is_not_called(room: Room, changed: dict[str, Any], hint: str) -> None:
    """Each rule of a ballot is refused with what to do, and nothing is called."""
    stated: dict[str, Any] = {
        "title": "评选",
        "opens_in": 0,
        "closes_in": 1,
        "n_votes": 1,
        "n_models": 1,
        "to": ["branch:yi-1"],
        **changed,
    }
    now = room.clock.now()
    with pytest.raises(InvalidRequest, match=hint):
        room.call(
            stated["to"],
            title=stated["title"],
            opens_at=now + stated["opens_in"] * HOUR,
            closes_at=now + stated["closes_in"] * HOUR,
            n_votes=stated["n_votes"],
            n_models=stated["n_models"],
        )
    assert room.ballots.open_to(room.by("jia-1")) == []


def test_a_preview_tells_who_would_be_called_and_calls_nobody(room: Room) -> None:
    """It names the branches, the calling one among them."""
    reach = room.ballots.preview(room.by("jia-1"), "jia-1", [Wanted("branch:yi-1")])
    assert reach.branch_ids == ("jia-1", "yi-1")
    assert room.ballots.open_to(room.by("yi-1")) == []


# -- nominating -------------------------------------------------------------------------------


def test_a_branch_puts_up_its_own_published_case_once(room: Room) -> None:
    """Not that of another, not a draft, not a hidden one, not twice, not if it was not called, not after the close."""
    ballot_id = room.call(["branch:yi-1"])
    mine, theirs = room.case("甲", "jia-1", ALL), room.case("乙", "yi-1", ["partners:yi-1"])
    hidden = room.case("乙藏", "yi-1")
    with pytest.raises(Refused):
        room.ballots.nominate(room.by("jia-1"), ballot_id, theirs)
    for missing in (hidden, room.draft("稿", "jia-1", mine), "0" * 16):
        with pytest.raises(NotFound):
            room.ballots.nominate(room.by("jia-1"), ballot_id, missing)
    room.up(ballot_id, mine, theirs)
    with pytest.raises(Conflict, match="before"):
        room.up(ballot_id, mine)
    with pytest.raises(Refused):
        room.ballots.nominate(room.by("yi-1"), ballot_id, room.case("公", None, [PUBLIC]))
    room.house.person("both", {"yi-1": Role.LIAISON, "yi-2": Role.LIAISON})
    with pytest.raises(Refused, match="called upon"):
        room.ballots.nominate(room.by("both"), ballot_id, room.case("乙二", "yi-2"))
    room.clock.pass_(hours=1)
    with pytest.raises(Conflict, match="over"):
        room.up(ballot_id, hidden)


def test_a_nomination_that_is_taken_back_takes_its_votes(room: Room) -> None:
    """The case is up no more, its votes are gone even if it comes back, and only its branch can do so."""
    ballot_id = room.call()
    one = room.case("甲", "jia-1", ALL)
    room.up(ballot_id, one)
    room.vote(ballot_id, "yi-1", one)
    with pytest.raises(Refused):
        room.ballots.take_back(room.by("yi-1"), ballot_id, one)
    room.ballots.take_back(room.by("jia-1"), ballot_id, one)
    assert room.ballots.nominees(room.by("yi-1"), ballot_id) == []
    with pytest.raises(NotFound):
        room.ballots.take_back(room.by("jia-1"), ballot_id, one)
    room.up(ballot_id, one)
    assert voice(room, ballot_id, "yi-1").chosen == frozenset()
    room.clock.pass_(hours=1)
    assert room.count(ballot_id, "jia-1") == {one: 0}
    with pytest.raises(Conflict):
        room.ballots.take_back(room.by("jia-1"), ballot_id, one)


# -- voting -----------------------------------------------------------------------------------


def test_votes_are_one_set_and_change_until_the_close(room: Room) -> None:
    """The last set stands, the empty one too; one too many is refused and leaves what stood."""
    ballot_id = room.call(n_votes=2)
    a, b, c = (room.case(name, "jia-1", ALL) for name in "甲乙丙")
    room.up(ballot_id, a, b, c)
    room.vote(ballot_id, "yi-1", a, b)
    room.vote(ballot_id, "yi-1", b, b, c)
    with pytest.raises(InvalidRequest, match="2 votes"):
        room.vote(ballot_id, "yi-1", a, b, c)
    assert voice(room, ballot_id, "yi-1").chosen == {b, c}
    room.vote(ballot_id, "bing-1", a)
    room.vote(ballot_id, "bing-1")
    room.clock.pass_(minutes=59)
    room.vote(ballot_id, "yi-2", c)
    room.clock.pass_(minutes=1)
    with pytest.raises(Conflict, match="over"):
        room.vote(ballot_id, "yi-2", a)
    assert room.count(ballot_id, "jia-1") == {a: 0, b: 1, c: 2}


def test_no_vote_before_it_opens_and_no_number_before_it_closes(room: Room) -> None:
    """The server's clock decides; until the close nobody is told a number, and the cards hold none."""
    start = room.clock.now()
    ballot_id = room.call(opens_at=start + HOUR, closes_at=start + 2 * HOUR)
    one = room.case("甲", "jia-1", ALL)
    room.up(ballot_id, one)
    with pytest.raises(Conflict, match="not open"):
        room.vote(ballot_id, "yi-1", one)
    for phase in (Phase.COMING, Phase.OPEN):
        assert [c.phase for c in room.ballots.open_to(room.by("yi-1"))] == [phase]
        with pytest.raises(Conflict, match="not closed"):
            room.ballots.result(room.by("jia-1"), ballot_id)
        assert models(room, "yi-1", one) == {}
        room.clock.pass_(hours=1)
    assert room.count(ballot_id, "yi-1") == {one: 0}


def test_one_may_not_vote_for_ones_own(room: Room) -> None:
    """Own branch, own organisation, and the line of descent over any steps are refused and told with their reason."""
    ballot_id = room.call(n_votes=3)
    origin = room.case("源", "yi-1", [PUBLIC])
    between = room.case("改", "jia-1", [PUBLIC], derived_from=origin)
    last = room.case("再改", "bing-1", [PUBLIC], derived_from=between)
    apart = room.case("另", "jia-2", [PUBLIC])
    room.up(ballot_id, origin, between, last, apart)
    told = {login: dict(voice(room, ballot_id, login).barred) for login in BRANCHES}
    assert told == {
        "yi-1": {origin: Bar.OWN, between: Bar.LINE, last: Bar.LINE},
        "yi-2": {origin: Bar.ORGANISATION},
        "jia-1": {between: Bar.OWN, apart: Bar.ORGANISATION, origin: Bar.LINE, last: Bar.LINE},
        "jia-2": {apart: Bar.OWN, between: Bar.ORGANISATION},
        "bing-1": {last: Bar.OWN, between: Bar.LINE, origin: Bar.LINE},
    }
    for login, barred in told.items():
        for case_id in (origin, between, last, apart):
            if case_id in barred:
                with pytest.raises(Refused, match=barred[case_id].value):
                    room.vote(ballot_id, login, case_id)
            else:
                room.vote(ballot_id, login, case_id)


def test_a_case_derived_after_the_vote_counts_by_the_close(room: Room) -> None:
    """Published before the close it costs the vote; a draft, or one published later, does not."""
    one = room.case("甲", "jia-1", ALL)
    ballot_id = room.call()
    room.up(ballot_id, one)
    for login in ("yi-1", "yi-2", "bing-1"):
        room.vote(ballot_id, login, one)
    room.case("乙改", "yi-1", derived_from=one)
    room.draft("丙稿", "bing-1", one)
    room.clock.pass_(hours=2)
    room.case("乙二改", "yi-2", derived_from=one)
    assert room.count(ballot_id, "jia-1") == {one: 2}
    told = {login: voice(room, ballot_id, login) for login in ("yi-1", "yi-2", "bing-1")}
    assert {login: dict(v.barred) for login, v in told.items()} == {
        "yi-1": {one: Bar.LINE},
        "yi-2": {},
        "bing-1": {},
    }
    assert [set(v.chosen) for v in told.values()] == [set(), {one}, {one}]


def test_a_retired_branch_is_still_of_its_organisation(room: Room) -> None:
    """Its cases cannot be raised by its sisters."""
    one = room.case("乙", "yi-2", [PUBLIC])
    ballot_id = room.call()
    room.up(ballot_id, one)
    room.house.person("operator", operator=True)
    room.house.access.branches.retire(room.by("operator"), "yi-2")
    assert voice(room, ballot_id, "yi-1").barred == {one: Bar.ORGANISATION}
    with pytest.raises(Refused):
        room.vote(ballot_id, "yi-1", one)


def test_a_person_in_a_group_sees_and_does_not_vote(room: Room) -> None:
    """Branches vote: somebody who is in a group in person reads the ballot, and has no part in it."""
    jia = room.by("jia-1")
    group_id = room.house.access.groups.make(jia, "jia-1", "评委").group_id
    for member in ("branch:yi-1", f"person:{room.house.ids['bing-1']}"):
        room.house.access.groups.put(jia, group_id, member)
    one = room.case("甲", "jia-1", ALL)
    ballot_id = room.call([f"group:{group_id}"])
    room.up(ballot_id, one)
    assert not voice(room, ballot_id, "bing-1").takes_part
    with pytest.raises(Refused, match="called upon"):
        room.vote(ballot_id, "bing-1", one)
    room.vote(ballot_id, "yi-1", one)


# -- the count ---------------------------------------------------------------------------------


def test_who_leaves_before_the_close_is_not_counted_and_who_leaves_after_is(room: Room) -> None:
    """A partnership that ends, and a branch put out of a group: before the close the votes go, after it they stay."""
    jia = room.by("jia-1")
    groups, partnerships = room.house.access.groups, room.house.access.partnerships
    group_id = groups.make(jia, "jia-1", "小组").group_id
    for branch_id in ("yi-2", "bing-1"):
        groups.put(jia, group_id, f"branch:{branch_id}")
    one = room.case("甲", "jia-1", [PUBLIC])
    early, late = (room.call(["branch:yi-1", f"group:{group_id}"], title=t) for t in ("先", "后"))
    for ballot_id in (early, late):
        room.up(ballot_id, one)
        for login in ("yi-1", "yi-2", "bing-1"):
            room.vote(ballot_id, login, one)
    room.ballots.end(jia, early)

    groups.drop(jia, group_id, "branch:yi-2")
    mine = next(p for p in partnerships.seen(room.by("yi-1")) if p.other("yi-1") == "jia-1")
    partnerships.end(room.by("yi-1"), mine.partnership_id)
    room.clock.pass_(hours=1)
    assert room.count(late, "jia-1") == {one: 1}
    groups.dissolve(jia, group_id)
    assert room.count(early, "jia-1") == {one: 3}
    assert room.count(late, "jia-1") == {one: 1}


def test_a_partnership_that_lasts_to_the_day_of_the_close_counts(room: Room) -> None:
    """Nobody looked until it was over: what held when the ballot closed is what counts."""
    one = room.case("甲", "jia-1", [PUBLIC])
    closes = room.clock.now() + timedelta(days=30)
    ballot_id = room.call(closes_at=closes)
    room.up(ballot_id, one)
    room.vote(ballot_id, "yi-1", one)
    room.clock.pass_(days=40)
    assert room.count(ballot_id, "jia-1") == {one: 1}


def test_level_with_the_last_place_is_a_model_too(room: Room) -> None:
    """All that tie at the last place become model cases, what nobody voted for does not, and the badge names the ballot."""
    ballot_id = room.call(n_votes=3, n_models=2)
    a, b, c, d = (room.case(name, "jia-1", ALL) for name in "甲乙丙丁")
    room.up(ballot_id, a, b, c, d)
    room.vote(ballot_id, "yi-1", a, b, c)
    room.vote(ballot_id, "yi-2", a)
    room.clock.pass_(hours=1)
    told = [(s.case_id, s.rank, s.is_model) for s in room.ballots.result(room.by("yi-1"), ballot_id)]
    assert told[0] == (a, 1, True)
    assert sorted(told[1:3]) == sorted([(b, 2, True), (c, 2, True)])
    assert told[3] == (d, 4, False)
    assert models(room, "yi-1", a, b, c, d) == {case_id: ["年度评选"] for case_id in (a, b, c)}
    assert models(room, "stranger", a, b, c, d) == {}


def test_a_ballot_that_was_ended_stays_closed_when_the_clock_is_set_back(room: Room) -> None:
    """Ended early or closed by time, it takes nothing more, and it cannot be ended twice."""
    one = room.case("甲", "jia-1", ALL)
    early, late = room.call(), room.call()
    for ballot_id in (early, late):
        room.up(ballot_id, one)
    room.ballots.end(room.by("jia-1"), early)
    room.clock.pass_(hours=1)
    room.ballots.tidy()
    room.clock.pass_(minutes=-30)
    for ballot_id in (early, late):
        with pytest.raises(Conflict):
            room.vote(ballot_id, "yi-1", one)
        with pytest.raises(Conflict):
            room.ballots.end(room.by("jia-1"), ballot_id)
    with room.office.reading() as connection:
        told = connection.execute(select(audit.c.action, audit.c.object_id).order_by(audit.c.seq)).all()
    closing = [tuple(r) for r in told if r.action in ("ballot.end", "ballot.close")]
    assert closing == [("ballot.end", early), ("ballot.close", late)]


def test_ballots_are_listed_by_what_is_next(room: Room) -> None:
    """What closes first, then what is to come, then what is over, the latest first; with what one sees of it."""
    now = room.clock.now()
    titles = {
        "开二": (0, 5),
        "开一": (0, 3),
        "将来": (4, 6),
        "过一": (0, 1),
        "过二": (0, 2),
    }
    ids = {
        title: room.call(title=title, opens_at=now + start * HOUR, closes_at=now + end * HOUR)
        for title, (start, end) in titles.items()
    }
    one, hidden = room.case("甲", "jia-1", ALL), room.case("藏", "jia-1")
    room.up(ids["开一"], one, hidden)
    room.vote(ids["开一"], "yi-1", one)
    room.clock.pass_(hours=2)
    cards = room.ballots.open_to(room.by("yi-1"))
    assert [c.ballot.title for c in cards] == ["开一", "开二", "将来", "过二", "过一"]
    assert [(c.n_cases, c.voted) for c in cards[:2]] == [(1, {"yi-1"}), (0, frozenset())]
    assert not any(c.voted for c in room.ballots.open_to(room.by("yi-2")))


# -- secrets -----------------------------------------------------------------------------------


def test_who_voted_for_what_is_told_to_the_voting_branch_alone(room: Room) -> None:
    """Another voice, and a member of the branch, see no vote of it; the trail holds no case that was voted for."""
    ballot_id = room.call()
    one = room.case("甲", "jia-1", ALL)
    room.up(ballot_id, one)
    room.vote(ballot_id, "yi-1", one)
    assert voice(room, ballot_id, "yi-1").chosen == {one}
    for login in ("yi-2", "jia-1", "bing-1"):
        assert voice(room, ballot_id, login).chosen == frozenset()
    assert room.ballots.voices(room.by("member"), ballot_id) == []
    with room.office.reading() as connection:
        entry = connection.execute(select(audit).where(audit.c.action == "ballot.vote")).one()
    assert (entry.branch_id, json.loads(entry.detail)) == ("yi-1", {"votes": 1})


def test_a_hidden_case_is_as_if_it_had_not_been_put_up(room: Room) -> None:
    """Who does not see it is told nothing of it: not in the list, not in the count, not in the ranks, not when voting."""
    open_, hidden = room.case("明", "jia-1", ALL), room.case("暗", "jia-1", ["share:jia-1>yi-1"])
    ballot_id = room.call(n_models=1)
    room.up(ballot_id, open_, hidden)
    room.vote(ballot_id, "yi-1", hidden)
    room.vote(ballot_id, "bing-1", open_)
    assert [n.case_id for n in room.ballots.nominees(room.by("bing-1"), ballot_id)] == [open_]
    with pytest.raises(NotFound) as gone:
        room.vote(ballot_id, "bing-1", hidden)
    with pytest.raises(NotFound) as missing:
        room.vote(ballot_id, "bing-1", "0" * 16)
    assert str(gone.value).replace(hidden, "0" * 16) == str(missing.value)
    assert voice(room, ballot_id, "bing-1").chosen == {open_}
    room.clock.pass_(hours=1)
    assert room.count(ballot_id, "yi-1") == {open_: 1, hidden: 1}
    assert room.count(ballot_id, "bing-1") == {open_: 1}
    assert models(room, "bing-1", open_, hidden) == {open_: ["年度评选"]}


def test_a_withdrawn_winner_is_gone_and_the_next_takes_its_place(room: Room) -> None:
    """After the vote it is nowhere told of, its voters are not told that they voted for it, and ranks close up."""
    first, second = room.case("一", "jia-1", ALL), room.case("二", "jia-1", ALL)
    ballot_id = room.call(n_votes=1)
    room.up(ballot_id, first, second)
    room.vote(ballot_id, "yi-1", first)
    room.vote(ballot_id, "yi-2", first)
    room.vote(ballot_id, "bing-1", second)
    room.clock.pass_(hours=1)
    assert models(room, "yi-1", first, second) == {first: ["年度评选"]}
    room.withdraw(first)
    (left,) = room.ballots.result(room.by("yi-1"), ballot_id)
    assert (left.case_id, left.rank, left.is_model) == (second, 1, True)
    assert voice(room, ballot_id, "yi-1").chosen == frozenset()
    assert [c.n_cases for c in room.ballots.open_to(room.by("yi-1"))] == [1]
    assert [c.voted for c in room.ballots.open_to(room.by("yi-1"))] == [frozenset()]
    assert models(room, "yi-1", first, second) == {second: ["年度评选"]}


# -- any history -------------------------------------------------------------------------------

TOKENS = {
    b: (PUBLIC, f"partners:{b}", f"branch:{b.partition('-')[0]}", *(f"share:{b}>{o}" for o in BRANCHES))
    for b in BRANCHES
}


@dataclass(frozen=True)
class History:
    """Cases (branch, tokens, origin), steps, and which of them happen after the close."""

    cases: list[tuple[str, tuple[str, ...], int | None]]
    steps: list[tuple[Any, ...]]
    closes_after: int


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Cases with lines of descent, votes for anything, branches that leave, cases that go."""
    made: list[tuple[str, tuple[str, ...], int | None]] = []
    for i in range(draw(st.integers(1, 5))):
        branch_id = draw(st.sampled_from(BRANCHES))
        tokens = draw(st.sets(st.sampled_from(TOKENS[branch_id]), min_size=1, max_size=3))
        origin = draw(st.none() | st.integers(0, i - 1)) if i else None
        made.append((branch_id, tuple(sorted(tokens)), origin))
    which = st.integers(0, len(made) - 1)
    step = st.one_of(
        st.tuples(st.just("vote"), st.sampled_from(BRANCHES), st.frozensets(which, max_size=2)),
        st.tuples(st.just("vote"), st.sampled_from(BRANCHES), st.frozensets(which, max_size=2)),
        st.tuples(st.just("leave"), st.sampled_from(("yi-1", "yi-2", "bing-1"))),
        st.tuples(st.just("withdraw"), which),
    )
    steps = draw(st.lists(step, max_size=12))
    return History(made, steps, draw(st.integers(0, len(steps))))


def _leave(room: Room, branch_id: str) -> None:
    """End the partnership by which the branch was called."""
    partnerships = room.house.access.partnerships
    for p in partnerships.seen(room.by(branch_id)):
        if p.other(branch_id) == "jia-1" and p.state == "in_force":
            partnerships.end(room.by(branch_id), p.partnership_id)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_no_history_raises_ones_own_or_tells_what_is_hidden(
    tmp_path_factory: pytest.TempPathFactory, store: Path, history: History
) -> None:
    """Whatever is done: the count of each person is that of rightful votes for what they see, and of nothing else."""
    with copied(store, tmp_path_factory.mktemp("history") / "room") as room:
        ids: list[str] = []
        for n, (branch_id, tokens, origin) in enumerate(history.cases):
            from_id = None if origin is None else ids[origin]
            ids.append(room.case(f"案例{n}", branch_id, tokens, derived_from=from_id))
        ballot_id = room.call(n_votes=2, n_models=1)
        room.up(ballot_id, *ids)
        cast: dict[str, frozenset[str]] = {}
        left: set[str] = set()

        def take(step: tuple[Any, ...]) -> None:
            match step:
                case ("vote", branch_id, chosen):
                    wanted = frozenset(ids[n] for n in chosen)
                    try:
                        room.vote(ballot_id, branch_id, *wanted)
                    except KbError:
                        return
                    cast[branch_id] = wanted
                case ("leave", branch_id):
                    _leave(room, branch_id)
                    left.add(branch_id)
                case ("withdraw", n) if n not in gone:
                    room.withdraw(ids[n])
                    gone.add(n)

        gone: set[int] = set()
        for step in history.steps[: history.closes_after]:
            take(step)
        room.clock.pass_(hours=1)
        room.ballots.tidy()
        counted = {b: chosen for b, chosen in cast.items() if b not in left}
        for step in history.steps[history.closes_after :]:
            take(step)

        of = dict(zip(ids, (c[0] for c in history.cases), strict=True))
        for branch_id, chosen in cast.items():
            for case_id in chosen:
                assert of[case_id].partition("-")[0] != branch_id.partition("-")[0]
                assert branch_id not in _line(history, ids, of, case_id)
        for login in BRANCHES:
            by = room.by(login)
            with room.office.reading() as connection:
                sees = set(connection.execute(select(case_rows.c.case_id).where(seen(by.scope))).scalars())
            try:
                told = room.ballots.result(by, ballot_id)
            except NotFound:
                assert login in left
                continue
            expected = {c: sum(c in chosen for chosen in counted.values()) for c in ids if c in sees}
            assert {s.case_id: s.n_votes for s in told} == expected
            assert {n.case_id for n in room.ballots.nominees(by, ballot_id)} == set(expected)
            most = max(expected.values(), default=0)
            best = {c for c, n in expected.items() if n == most and n > 0}
            assert set(room.ballots.models(by.scope, ids)) == best
            own = voice(room, ballot_id, login)
            assert own.chosen == counted.get(login, frozenset()) & sees
            assert own.barred.keys() <= sees


def _line(history: History, ids: list[str], of: dict[str, str], case_id: str) -> set[str]:
    """Branches of the cases from which one came, and that came from it."""
    origin = {ids[n]: ids[o] for n, (_, _, o) in enumerate(history.cases) if o is not None}

    def up(at: str) -> set[str]:
        return {origin[at], *up(origin[at])} if at in origin else set()

    return {of[c] for c in ids if c in up(case_id) or case_id in up(c)}

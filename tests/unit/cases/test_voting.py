"""The rules of a vote: who may raise what, and how a count becomes model cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cases.voting import BAR_WORDS, PHASE_WORDS, Ballot, Bar, Lineage, Phase, bar, standings

counts = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 6), max_size=12)
NOON = datetime(2026, 3, 2, 12)


@dataclass(frozen=True)
class World:
    """Branches by organisation, cases by branch, and what was derived from what."""

    tops: Mapping[str, str]
    branches: Mapping[str, str | None]
    derived_from: Mapping[str, str]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few organisations, and cases that come from earlier ones; some are of the common library."""
    tops = {f"b{i}": f"t{draw(st.integers(0, 3))}" for i in range(draw(st.integers(1, 6)))}
    ids = [f"c{i}" for i in range(draw(st.integers(1, 9)))]
    branches = {case_id: draw(st.sampled_from([*tops, None])) for case_id in ids}
    derived = {ids[i]: ids[draw(st.integers(0, i - 1))] for i in range(1, len(ids)) if draw(st.booleans())}
    return World(tops, branches, derived)


def related(world: World, one: str, other: str) -> bool:
    """Whether one of two cases came from the other, found step by step."""
    for at, sought in ((one, other), (other, one)):
        step: str | None = at
        while step is not None:
            step = world.derived_from.get(step)
            if step == sought:
                return True
    return False


@given(worlds())
def test_no_branch_may_raise_its_own(world: World) -> None:
    """Barred is exactly what is of the branch, of its organisation, or in a line of descent with a case of its own."""
    kin = Lineage(world.derived_from, world.branches).kin(world.branches)
    for branch_id, top in world.tops.items():
        for case_id, of in world.branches.items():
            mine = [c for c, b in world.branches.items() if b == branch_id]
            own = of is not None and world.tops[of] == top
            line = any(related(world, case_id, c) for c in mine)
            reason = bar(branch_id, of, kin[case_id], world.tops)
            assert (reason is not None) == (own or line), (branch_id, case_id)
            assert (reason is Bar.OWN) == (of == branch_id)
            assert (reason is Bar.LINE) == (line and not own)


def test_a_line_that_bites_its_tail_ends() -> None:
    """Cases that name each other as their origin are in one line, and are gone through once."""
    lineage = Lineage({"a": "b", "b": "a"}, {"a": "x", "b": "y"})
    assert lineage.kin(["a"])["a"] >= {"y"}


@given(counts, st.integers(1, 5))
def test_the_first_become_models_with_all_that_are_level(n_votes: dict[str, int], n_models: int) -> None:
    """A case becomes a model if it has votes and fewer than `n_models` cases have more; no more, no fewer."""
    found = standings(n_votes, n_models)
    assert {s.case_id: s.n_votes for s in found} == n_votes
    for s in found:
        n_above = sum(n > s.n_votes for n in n_votes.values())
        assert s.rank == n_above + 1
        assert s.is_model == (s.n_votes > 0 and n_above < n_models)
    assert [s.rank for s in found] == sorted(s.rank for s in found)
    n_voted = sum(n > 0 for n in n_votes.values())
    assert sum(s.is_model for s in found) >= min(n_models, n_voted)


@given(counts, st.integers(1, 5), st.data())
def test_what_is_hidden_leaves_no_gap(n_votes: dict[str, int], n_models: int, data: st.DataObject) -> None:
    """The count without a case is the count as if it had never been there: the others keep order, ranks close up."""
    hidden = data.draw(st.sets(st.sampled_from(sorted(n_votes)))) if n_votes else set()
    seen = {case_id: n for case_id, n in n_votes.items() if case_id not in hidden}
    kept = [s.case_id for s in standings(n_votes, n_models) if s.case_id in seen]
    found = standings(seen, n_models)
    assert [s.case_id for s in found] == kept
    assert not found or found[0].rank == 1


def test_a_ballot_is_open_between_its_times() -> None:
    """It opens at its time, is over at its time, and once it was ended no clock opens it again."""
    hour = timedelta(hours=1)

    def phase(now: datetime, ended_at: datetime | None = None) -> Phase:
        return Ballot("b", "jia", "评选", 1, 1, NOON, NOON + hour, NOON, ended_at).phase(now)

    assert phase(NOON - hour) is Phase.COMING
    assert phase(NOON) is Phase.OPEN
    assert phase(NOON + hour) is Phase.OVER
    assert phase(NOON - hour, ended_at=NOON) is Phase.OVER


def test_everything_has_words() -> None:
    """Each phase and each reason can be told on a page."""
    assert set(PHASE_WORDS) == set(Phase)
    assert set(BAR_WORDS) == set(Bar)

"""Cases found by problem, narrowed by facts and counted: for each scope as if nothing else were there."""

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from cases.finder import LONGEST_PROBLEM, Finder, band_of
from cases.model import COSTS, SIZES, CaseFilters, Field, Level
from cases.problems import ProblemIndex
from cases.tables import case_versions
from kb.errors import InvalidQuery, NotFound
from kb.model import PUBLIC, Kind
from store.shares import put_shares, share, shares_of
from tests.fakes import HashingEncoder, make_document, put
from tests.unit.cases.publishing_stage import EVERYONE, Press, copied, founded, open_press, titled

ALL = CaseFilters()
CANTEEN = titled(
    "食堂错峰吃饭",
    problem="中午食堂排队太长，排到的人只剩十分钟吃饭。",
    outcome="排队从二十二分钟降到六分钟。",
    industry="C",
    people="180",
    cost="4200",
    level="solved",
)
TOOLS = titled(
    "工具借了不还",
    problem="扳手和卡尺借出去找不到人，月月要补。",
    outcome="一个季度只少了一把卷尺。",
    figures="丢失|14|1|件",
    industry="E",
    people="35",
    cost="600",
    level="eased",
)
MINUTES = titled(
    "会议记录没人写", problem="每次开会都推来推去，没有人愿意做记录。", outcome="没有办成。", level="open"
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Branches and people, to be copied."""
    return founded(tmp_path_factory.mktemp("press") / "home")


@pytest.fixture
def press(template: Path, tmp_path: Path) -> Iterator[Press]:
    """The same for one test."""
    found = copied(template, tmp_path / "home")
    yield found
    found.services.close()


@pytest.fixture(scope="module")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """Three cases of 甲, the last for everyone; for tests that change nothing but with whom they are shared."""
    found = copied(template, tmp_path_factory.mktemp("shared") / "home")
    for body, audience in ((CANTEEN, "own"), (TOOLS, "partners"), (MINUTES, "everyone")):
        found.published(audience, body=body)
    yield found
    found.services.close()


def titles(press: Press, login: str, problem: str = "", **filters: Any) -> list[str]:
    """What the person finds, by title."""
    found = press.services.cases.finder.find(problem, press.by(login).scope, CaseFilters(**filters))
    return [c.title for c in found.cards]


C, T, M = (b[Field.TITLE] for b in (CANTEEN, TOOLS, MINUTES))

# -- finding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "first"),
    [("吃饭的队伍排到门外，轮不上", C), ("借出去的东西总是要不回来", T), ("开会谁也不肯写记录", M)],
)
def test_a_problem_in_other_words_finds_its_case(shared: Press, problem: str, first: str) -> None:
    """The nearest comes first, the rest after it by score, and each card names the sentence that it is near by."""
    found = shared.services.cases.finder.find(problem, shared.by("member").scope, ALL)
    assert (found.total, found.cards[0].title) == (3, first)
    scores = [c.score for c in found.cards]
    assert scores == sorted(scores, reverse=True)
    body = {C: CANTEEN, T: TOOLS, M: MINUTES}[first]
    assert any(w and w in (first, *body.values()) for w in found.cards[0].why)


def test_the_words_of_a_case_find_it(shared: Press) -> None:
    """A word or two, as one types into a box, bring the case whose text has them to the top."""
    assert titles(shared, "member", "卡尺")[0] == T
    assert titles(shared, "member", "错峰")[0] == C


def test_without_a_problem_the_newest_come_first(shared: Press) -> None:
    """The empty text, and one of spaces alone, list all that is seen, the latest first."""
    assert titles(shared, "member") == titles(shared, "member", " 　\n") == [M, T, C]
    assert titles(shared, "partner") == [M, T]
    assert titles(shared, "") == [M]


def test_signs_and_rare_letters_are_a_problem_like_any_other(shared: Press) -> None:
    """Marks without a word, emoji and other scripts find something or nothing, and never fail."""
    for problem in ("？！", "😀", "…", "\x00", "a" * 500, "АБВ", "'\" OR 1=1 --", "%_"):
        assert sorted(titles(shared, "member", problem)) == sorted([C, T, M])


def test_a_problem_that_is_too_long_is_told(shared: Press) -> None:
    """Up to the limit it is looked for, spaces not counted twice; one character more is refused with the limit."""
    finder, scope = shared.services.cases.finder, shared.by("member").scope
    assert finder.find("等" * LONGEST_PROBLEM + "   ", scope, ALL).total == 3
    with pytest.raises(InvalidQuery, match=str(LONGEST_PROBLEM + 1)) as told:
        finder.find("等" * (LONGEST_PROBLEM + 1), scope, ALL)
    assert str(LONGEST_PROBLEM) in told.value.hint


@pytest.mark.parametrize("problem", ["", "排队"])
def test_pages_follow_on_each_other(shared: Press, problem: str) -> None:
    """Page by page one gets the whole list once, in its order; beyond its end there is nothing, and the total stays."""
    finder, scope = shared.services.cases.finder, shared.by("member").scope
    whole = [c.case_id for c in finder.find(problem, scope, ALL).cards]
    pages = [finder.find(problem, scope, ALL, k=2, offset=at) for at in (0, 2, 4)]
    assert [c.case_id for page in pages for c in page.cards] == whole
    assert [len(page.cards) for page in pages] == [2, 1, 0]
    assert {page.total for page in pages} == {3}
    for k, offset in ((0, 0), (101, 0), (10, -1), (10, 10_001)):
        with pytest.raises(InvalidQuery):
            finder.find(problem, scope, ALL, k=k, offset=offset)


def test_nobody_finds_anything_without_a_scope(shared: Press) -> None:
    """An empty scope sees nothing, and counts nothing."""
    found = shared.services.cases.finder.find("排队", frozenset(), ALL)
    assert (found.total, found.cards, {n for f in found.facets.values() for n in f}) == (0, (), set())


# -- filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"industries": {"C"}}, {C}),
        ({"industries": {"C", "E"}}, {C, T}),
        ({"sizes": {"m"}}, {T}),
        ({"sizes": {"m", "l"}}, {C, T}),
        ({"costs": {"0"}}, {T}),
        ({"costs": {"1"}}, {C}),
        ({"levels": {Level.OPEN}}, {M}),
        ({"levels": {Level.SOLVED, Level.EASED}}, {C, T}),
        ({"branches": {"jia"}}, {C, T, M}),
        ({"branches": {"yi"}}, set()),
        ({"outcome": "六分钟"}, {C}),
        ({"outcome": "丢失"}, {T}),
        ({"outcome": "一个季度 卷尺"}, {T}),
        ({"outcome": "卷尺 六分钟"}, set()),
        ({"outcome": "扳手"}, set()),
        ({"outcome": "  "}, {C, T, M}),
        ({"industries": {"C"}, "levels": {Level.EASED}}, set()),
        ({"industries": {"E"}, "sizes": {"m"}, "costs": {"0"}, "outcome": "卷尺"}, {T}),
        ({"sizes": {"no such band"}}, set()),
        ({"costs": {"no such band", "1"}}, {C}),
    ],
)
@pytest.mark.parametrize("problem", ["", "食堂排队太长"])
def test_filters_leave_what_fits_all_of_them(
    shared: Press, filters: dict[str, Any], left: set[str], problem: str
) -> None:
    """Values of one filter widen it, several filters narrow together; what does not tell a fact fits none of its values."""
    assert set(titles(shared, "member", problem, **filters)) == left


def test_bands_meet_without_gap_or_overlap() -> None:
    """Every number of people and every cost falls into exactly one band."""
    for bands in (SIZES, COSTS):
        edges = sorted((least, below) for _, least, below in bands.values())
        assert edges[0][0] == 0
        assert all(one[1] == next_[0] for one, next_ in itertools.pairwise(edges))
        for name, (_, least, below) in bands.items():
            assert band_of(least, bands) == band_of(below - 1, bands) == name


# -- nothing hidden --------------------------------------------------------------------------------

_TOKENS = [PUBLIC, "branch:jia", "branch:yi", "branch:bing", "partners:jia", "share:jia>yi"]
_SHARES = st.lists(st.lists(st.sampled_from(_TOKENS), unique=True, max_size=2), min_size=3, max_size=3)


@given(given_to=_SHARES, problem=st.sampled_from(["", "排队", "借出去的东西总是要不回来，月月都要重新买"]))
@hypothesis_settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_count_and_place_is_of_what_is_seen_alone(
    world: Press, given_to: list[list[str]], problem: str
) -> None:
    """Total, cards, facets, likeness and lists are those of the seen cases, reckoned here by hand, for everybody."""
    ids = {c.title: c for c in world.services.cases.finder.find("", _WHOLE, ALL).cards}
    for title, tokens in zip((C, T, M), given_to, strict=True):
        reshare(world, ids[title].document_id, ["kept", *tokens])
    finder, bodies = world.services.cases.finder, {C: CANTEEN, T: TOOLS, M: MINUTES}
    for login in EVERYONE:
        scope = world.by(login).scope
        seen = {t for t, tokens in zip((C, T, M), given_to, strict=True) if scope & set(tokens)}
        found = finder.find(problem, scope, ALL)
        assert (found.total, {c.title for c in found.cards}) == (len(seen), seen), login
        facts = [bodies[t] for t in seen]
        assert found.facets == {
            "industry": Counter(f[Field.INDUSTRY] for f in facts if Field.INDUSTRY in f),
            "size": Counter(band_of(int(f[Field.PEOPLE]), SIZES) for f in facts if Field.PEOPLE in f),
            "cost": Counter(band_of(int(f[Field.COST]), COSTS) for f in facts if Field.COST in f),
            "level": Counter(f[Field.LEVEL] for f in facts),
            "branch": Counter({"jia": len(seen)} if seen else {}),
        }
        assert {c.title for c in finder.like(TOOLS, scope)} == seen
        for title in bodies:
            if title in seen:
                assert {c.title for c in finder.similar(ids[title].case_id, scope)} == seen - {title}
            else:
                with pytest.raises(NotFound):
                    finder.similar(ids[title].case_id, scope)


@given(
    hidden=st.sets(st.sampled_from([C, T])),
    problem=st.sampled_from(["排队", "开会谁也不肯写记录", "借了不还"]),
)
@hypothesis_settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
def test_scores_do_not_tell_of_hidden_cases(world: Press, hidden: set[str], problem: str) -> None:
    """Who sees one case gets the same card, score and reason, whatever else there is that they do not see."""
    ids = {c.title: c for c in world.services.cases.finder.find("", _WHOLE, ALL).cards}
    answers = []
    for others in (["kept"], ["kept", "branch:bing"]):
        for title in (C, T, M):
            tokens = others if title in hidden else ["kept"]
            reshare(world, ids[title].document_id, ["kept", PUBLIC] if title == M else tokens)
        answers.append(world.services.cases.finder.find(problem, world.by("").scope, ALL))
    assert answers[0] == answers[1]
    assert [c.title for c in answers[0].cards] == [M]


_WHOLE = frozenset({"kept"})
"""A scope that sees every case of the world."""


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """The same three cases, to be shared as a test says."""
    found = copied(template, tmp_path_factory.mktemp("world") / "home")
    for body in (CANTEEN, TOOLS, MINUTES):
        case_id = found.published("own", body=body)
        reshare(
            found, found.services.cases.library.case(found.by("member").scope, case_id).document_id, ["kept"]
        )
    yield found
    found.services.close()


def reshare(press: Press, document_id: str, tokens: list[str]) -> None:
    """Share a document with whoever has one of these, and nobody else."""
    with press.services.access.office.writing() as connection:
        put_ = [share(document_id, t, branch_id="jia", at=press.clock.at) for t in tokens]
        gone = {s.share_id for s in shares_of(connection, document_id)} - {s.share_id for s in put_}
        put_shares(connection, document_id, put_, gone)


# -- likeness, policies ------------------------------------------------------------------------------


def test_a_case_is_not_like_itself(press: Press) -> None:
    """Similar cases leave the case itself out, in all its versions, and come nearest first."""
    case_id = press.published("own", body=CANTEEN)
    twin = press.published("own", body=titled("打饭排队", problem="中午打饭排队太长，只剩十分钟吃饭。"))
    press.published("own", body=MINUTES)
    press.change(case_id, "排队降到五分钟。")
    press.publish(case_id, "own")
    finder, scope = press.services.cases.finder, press.by("member").scope
    found = [c.case_id for c in finder.similar(case_id, scope)]
    assert found[0] == twin and case_id not in found and len(found) == 2
    assert len(finder.similar(case_id, scope, k=1)) == 1
    assert case_id not in [c.case_id for c in finder.like(CANTEEN, scope, without=case_id)]
    assert finder.like(CANTEEN, scope)[0].case_id == case_id
    assert finder.like({Field.PRACTICE: "只写了做法。"}, scope) == []


def test_a_draft_is_like_nothing_to_others(press: Press) -> None:
    """What is only being written is found by nobody, its own writers neither."""
    press.services.cases.drafts.begin(press.by("trainer"), "jia", body=CANTEEN)
    assert press.services.cases.finder.like(CANTEEN, press.by("trainer").scope) == []
    assert press.found("trainer") == press.found("trainer", "食堂排队") == []


def test_policies_are_laws_and_policies_in_scope(press: Press) -> None:
    """Clauses that a problem touches come from laws and policies that one sees, one of each, and never from cases."""
    catalog, finder = press.services.catalog, press.services.cases.finder
    clauses = ("食堂排队应当错开时间。", "食堂排队的队伍不得占用通道。")
    put(catalog, make_document("食堂规定", clauses, kind=Kind.POLICY))
    put(
        catalog,
        make_document("内部规定", ("食堂排队按本支部规定。",), kind=Kind.POLICY),
        audience=["branch:jia"],
    )
    press.services.follow()
    press.published("everyone", body=CANTEEN)
    open_, own = (make_document(n).document_id for n in ("食堂规定", "内部规定"))
    assert sorted(h.document_id for h in finder.policies("食堂排队", press.by("member").scope)) == sorted(
        [open_, own]
    )
    assert [h.document_id for h in finder.policies("食堂排队", press.by("").scope)] == [open_]
    assert finder.policies(" ？ ", press.by("member").scope) == []
    assert finder.policies("排" * 3000, press.by("member").scope, k=1) is not None


# -- the index of problems ---------------------------------------------------------------------------


def test_a_changed_encoder_makes_every_profile_anew(press: Press) -> None:
    """With another encoder all cases are found by it, and what is kept of each names it."""
    for body in (CANTEEN, TOOLS):
        press.published("own", body=body)
    assert press.found("member", "吃饭的队伍排到门外")
    assert len(kept(press)) == 1
    other = HashingEncoder("other", 16)
    services = press.services
    finder = Finder(
        services.access.office,
        services.cases.library,
        services.engine,
        ProblemIndex(services.access.office, lambda: other),
    )
    found = finder.find(CANTEEN[Field.PROBLEM], press.by("member").scope, ALL)
    assert found.cards[0].title == C and found.total == 2
    assert kept(press) == {other.name}
    assert titles(press, "member", "吃饭的队伍排到门外，轮不上")[0] == C


def kept(press: Press) -> set[str | None]:
    """Models by which what is kept of published cases was made."""
    with press.services.access.office.reading() as connection:
        return set(connection.execute(select(case_versions.c.profile_model)).scalars())


def test_a_publication_in_another_process_is_found_here_at_once(press: Press) -> None:
    """Published, narrowed, changed and withdrawn elsewhere: the next search here has it so."""
    other = open_press(press.services.settings.home, press.clock)
    try:
        first = press.published("everyone", body=TOOLS)
        assert press.found("partner", "借了不还") == other.found("partner", "借了不还") == [first]
        second = other.published("everyone", body=CANTEEN)
        # A problem that is told at length is found by its meaning alone.
        told = "中午食堂排队太长，轮不上吃饭，只剩十分钟"
        for p in (press, other):
            nearest = p.services.cases.finder.find(told, p.by("partner").scope, ALL).cards[0]
            assert nearest.case_id == second and nearest.score > 0
        other.change(second, "改成外卖。", Field.PROBLEM)
        other.publish(second, "everyone")
        assert press.found("partner", "点外卖")[0] == second
        card = press.services.cases.finder.find("点外卖", press.by("partner").scope, ALL).cards[0]
        assert card.problem == "改成外卖。"
        other.services.cases.publishing.withdraw(other.by("liaison"), second)
        assert press.found("partner", "点外卖") == press.found("") == [first]
    finally:
        other.services.close()


def test_a_file_is_found_by_its_problem_before_anybody_opened_it(press: Press) -> None:
    """A case handed in as a file is ranked by its problem in the first search after it came."""
    press.published("own", body=MINUTES)
    press.file(CANTEEN, "own", on=date(2026, 2, 1))
    assert titles(press, "member", "吃饭的队伍排到门外，轮不上")[0] == C

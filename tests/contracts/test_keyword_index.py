"""Contract of `kb.ports.KeywordIndex`, for every engine in `search/keyword/`."""

import importlib
import math
import pkgutil
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import IndexMismatch
from kb.model import Entry, Filters, Validity
from kb.ports import KeywordEngine, KeywordIndex
from search import keyword
from search.analysis import terms
from tests.contracts.worlds import DAY, LETTERS, World, entry, everything, filters, histories, texts

ENGINES = sorted(m.name for m in pkgutil.iter_modules(keyword.__path__))
PUBLIC = Filters(scope=frozenset({"public"}), day=DAY)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> KeywordEngine:
    """Each engine in turn."""
    found: KeywordEngine = importlib.import_module(f"search.keyword.{request.param}").ENGINE
    return found


@pytest.fixture
def index(engine: KeywordEngine, tmp_path: Path) -> KeywordIndex:
    """A new index."""
    return engine.open(tmp_path / "leg")


def bm25(query: Sequence[str], corpus: Sequence[Entry], k1: float = 1.2, b: float = 0.75) -> dict[int, float]:
    """Score by key of every passage that has a term of the query (Robertson, Zaragoza 2009)."""
    bags = {e.key: Counter(terms(e.text)) for e in corpus}
    mean = sum(sum(bag.values()) for bag in bags.values()) / len(bags)
    scores: dict[int, float] = {}
    for term in dict.fromkeys(query):
        n = sum(term in bag for bag in bags.values())
        weight = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
        for key, bag in bags.items():
            if tf := bag[term]:
                norm = k1 * (1 - b + b * sum(bag.values()) / mean)
                scores[key] = scores.get(key, 0.0) + weight * tf * (k1 + 1) / (tf + norm)
    return scores


@settings(max_examples=12)
@given(history=histories, asked=st.lists(st.tuples(texts, filters), min_size=4, max_size=8), data=st.data())
@pytest.mark.parametrize("name", ENGINES)
def test_keyword_index_finds_what_has_a_term_and_passes_the_filters(
    name: str,
    history: list[tuple[list[str], list[Entry]]],
    asked: list[tuple[str, Filters]],
    data: st.DataObject,
) -> None:
    """After any history a query finds exactly the passages that share a term with it, are still here and pass."""
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        index = importlib.import_module(f"search.keyword.{name}").ENGINE.open(Path(folder))
        for seq, (removed, entries) in enumerate(history, 1):
            index.apply(removed, entries, seq)
            world.apply(removed, entries)
        assert (index.applied, index.n_passages) == (len(history), len(world.entries))
        for text, within in [*asked, (LETTERS, everything)]:
            run = index.search(terms(text), 1000, within)
            expected = {k for k, e in world.admitted(within).items() if set(terms(text)) & set(terms(e.text))}
            assert sorted(key for key, _ in run) == sorted(expected)
            assert run == sorted(run, key=lambda hit: (-hit[1], hit[0]))
            assert all(score > 0 for _, score in run)
            k = data.draw(st.integers(0, 5))
            assert index.search(terms(text), k, within) == run[:k]
            unfiltered = dict(index.search(terms(text), 1000, everything))
            assert dict(run).items() <= unfiltered.items()
        index.close()


def test_keyword_index_scores_by_bm25(index: KeywordIndex) -> None:
    """Scores are those of BM25 with k1 1.2 and b 0.75 over our tokens."""
    draw = random.Random(20240601)
    entries = [entry(str(n), 0, "".join(draw.choices(LETTERS, k=draw.randint(1, 18)))) for n in range(300)]
    index.apply([], entries, 1)
    for text in ("甲乙", "丙", "丁戊己", "己己甲乙丙"):
        expected = bm25(terms(text), entries)
        run = dict(index.search(terms(text), 1000, PUBLIC))
        # An engine may count a document of its own and leave out the constant factor k1 + 1.
        scale = sum(run.values()) / sum(expected.values())
        assert run == pytest.approx({key: score * scale for key, score in expected.items()}, rel=0.02)
        assert scale == pytest.approx(1, rel=0.02) or scale == pytest.approx(1 / 2.2, rel=0.02)


def test_keyword_index_sorts_ties_by_key(index: KeywordIndex) -> None:
    """Passages of one score come by ascending key, at the cut as well, however they came in."""
    entries = [entry(str(n), 0, "甲乙") for n in range(40)]
    for seq, start in enumerate(range(0, 40, 10), 1):
        index.apply([], entries[start : start + 10], seq)
    expected = sorted(e.key for e in entries)
    assert [key for key, _ in index.search(["甲"], 100, PUBLIC)] == expected
    assert [key for key, _ in index.search(["甲"], 7, PUBLIC)] == expected[:7]


@pytest.mark.parametrize(
    ("day", "standings"),
    [
        (date(2019, 12, 31), ["not_yet", "not_yet", "not_yet", "in_force"]),
        (date(2020, 1, 1), ["in_force", "in_force", "in_force", "in_force"]),
        (date(2024, 5, 31), ["in_force", "in_force", "in_force", "in_force"]),
        (date(2024, 6, 1), ["superseded", "repealed", "in_force", "in_force"]),
        (date.max, ["superseded", "repealed", "in_force", "in_force"]),
    ],
)
def test_keyword_index_judges_standing_on_the_day(
    index: KeywordIndex, day: date, standings: list[str]
) -> None:
    """A text stands from its first day to the eve of its last, whatever ended it; without dates it always stands."""
    begin, end = date(2020, 1, 1), date(2024, 6, 1)
    entries = [
        entry("a", 0, "甲", effective_on=begin, ended_on=end, end_reason=Validity.SUPERSEDED),
        entry("b", 0, "甲", effective_on=begin, ended_on=end, end_reason=Validity.REPEALED),
        entry("c", 0, "甲", effective_on=begin),
        entry("d", 0, "甲"),
    ]
    index.apply([], entries, 1)
    for standing in Validity:
        within = Filters(frozenset({"public"}), day, validity=frozenset({standing}))
        expected = {e.key for e, s in zip(entries, standings, strict=True) if s == standing}
        assert {key for key, _ in index.search(["甲"], 10, within)} == expected


def test_keyword_index_gives_nothing_for_nothing(index: KeywordIndex) -> None:
    """No terms, unknown terms, no hits wanted, an empty scope and an empty index give an empty run."""
    assert index.search(["甲"], 10, PUBLIC) == []
    assert index.n_passages == 0
    assert index.applied == 0
    index.apply([], [entry("a", 0, "甲乙")], 1)
    assert index.search([], 10, PUBLIC) == []
    assert index.search(["无"], 10, PUBLIC) == []
    assert index.search(["甲"], 0, PUBLIC) == []
    assert index.search(["甲"], 10, Filters(scope=frozenset(), day=DAY)) == []
    assert len(index.search(["甲", "无", "甲"], 10, PUBLIC)) == 1


def test_keyword_index_finds_document_number_as_one_token(index: KeywordIndex) -> None:
    """A 文号 is a term: the passage that names it is found by that term alone, in whatever form it is written."""
    index.apply([], [entry("a", 0, "依据国发〔2023〕5号文件"), entry("b", 0, "依据国发〔2023〕6号文件")], 1)
    run = index.search(["国发[2023]5号"], 10, PUBLIC)
    assert [key for key, _ in run] == [entry("a", 0, "").key]


def test_keyword_index_survives_reopening(engine: KeywordEngine, tmp_path: Path) -> None:
    """What was applied, and up to where, is there after closing and opening."""
    first = engine.open(tmp_path / "leg")
    first.apply([], [entry("a", 0, "甲乙"), entry("b", 0, "丙")], 41)
    first.apply([entry("b", 0, "").document_id], [], 43)
    before = first.search(["甲", "丙"], 10, PUBLIC)
    first.close()
    again = engine.open(tmp_path / "leg")
    assert (again.applied, again.n_passages) == (43, 1)
    assert again.search(["甲", "丙"], 10, PUBLIC) == before


def test_keyword_index_refresh_sees_another_writer(engine: KeywordEngine, tmp_path: Path) -> None:
    """An open index sees what another has applied after refresh, and can go on writing from there."""
    one, other = engine.open(tmp_path / "leg"), engine.open(tmp_path / "leg")
    one.apply([], [entry("a", 0, "甲")], 1)
    other.refresh()
    assert other.applied == 1
    assert len(other.search(["甲"], 10, PUBLIC)) == 1
    other.apply([entry("a", 0, "").document_id], [entry("b", 0, "甲乙")], 2)
    one.refresh()
    assert one.applied == 2
    assert [key for key, _ in one.search(["甲"], 10, PUBLIC)] == [entry("b", 0, "").key]


def test_keyword_index_applies_a_change_twice_as_once(index: KeywordIndex) -> None:
    """Applying the same change again leaves the same state."""
    change = ([entry("old", 0, "").document_id], [entry("a", 0, "甲乙"), entry("a", 1, "乙丙")], 7)
    index.apply(*change)
    before = [key for key, _ in index.search(["甲", "乙"], 10, PUBLIC)]
    index.apply(*change)
    assert (index.applied, index.n_passages) == (7, 2)
    assert [key for key, _ in index.search(["甲", "乙"], 10, PUBLIC)] == before


def test_keyword_index_takes_a_document_anew(index: KeywordIndex) -> None:
    """Putting a document again replaces all its passages and facts."""
    index.apply([], [entry("a", 0, "甲"), entry("a", 1, "乙"), entry("b", 0, "甲")], 1)
    index.apply([], [entry("a", 0, "丙", audiences=["北辰"])], 2)
    assert [key for key, _ in index.search(["甲", "乙", "丙"], 10, PUBLIC)] == [entry("b", 0, "").key]
    assert len(index.search(["丙"], 10, everything)) == 1
    assert index.n_passages == 2


def test_keyword_index_refuses_a_damaged_folder(engine: KeywordEngine, tmp_path: Path) -> None:
    """A folder with another format is an IndexMismatch that says what to run."""
    engine.open(tmp_path / "leg").close()
    for path in (tmp_path / "leg").glob("*.json"):
        path.write_text("{}")
    with pytest.raises(IndexMismatch, match="gongxue reindex"):
        engine.open(tmp_path / "leg")

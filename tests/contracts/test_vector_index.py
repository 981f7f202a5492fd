"""Contract of `kb.ports.VectorIndex`, for every engine in `search/vector/`."""

import importlib
import pkgutil
import random
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import IndexMismatch
from kb.model import Entry, Filters, Validity
from kb.ports import VectorEngine, VectorIndex
from search import vector
from tests.contracts.worlds import DAY, LETTERS, World, entry, everything, filters, histories, texts
from tests.fakes import HashingEncoder

ENGINES = sorted(m.name for m in pkgutil.iter_modules(vector.__path__))
PUBLIC = Filters(scope=frozenset({"public"}), day=DAY)
ENCODER = HashingEncoder()
TOLERANCE = 0.02
"""How far an engine's score may be from the exact inner product: 8-bit codes are allowed."""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> VectorEngine:
    """Each engine in turn."""
    found: VectorEngine = importlib.import_module(f"search.vector.{request.param}").ENGINE
    return found


@pytest.fixture
def index(engine: VectorEngine, tmp_path: Path) -> VectorIndex:
    """A new index."""
    return engine.open(tmp_path / "leg", ENCODER)


def query(text: str) -> np.ndarray:
    """The vector of a query."""
    return ENCODER.encode_queries([text])[0]


@settings(max_examples=40)
@given(history=histories, asked=st.lists(st.tuples(texts, filters), min_size=1, max_size=6), data=st.data())
@pytest.mark.parametrize("name", ENGINES)
def test_vector_index_ranks_what_passes_the_filters(
    name: str,
    history: list[tuple[list[str], list[Entry]]],
    asked: list[tuple[str, Filters]],
    data: st.DataObject,
) -> None:
    """After any history a query ranks exactly the passages that are still here and pass, by inner product."""
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        index = importlib.import_module(f"search.vector.{name}").ENGINE.open(Path(folder), ENCODER)
        for seq, (removed, entries) in enumerate(history, 1):
            index.apply(removed, entries, seq)
            world.apply(removed, entries)
        assert (index.applied, index.n_passages) == (len(history), len(world.entries))
        for text, within in [*asked, (LETTERS, everything)]:
            run = index.search(query(text), 1000, within)
            expected = {key: float(query(text) @ query(e.text)) for key, e in world.admitted(within).items()}
            assert dict(run) == pytest.approx(expected, abs=TOLERANCE)
            assert len(run) == len(expected)
            assert run == sorted(run, key=lambda hit: (-hit[1], hit[0]))
            k = data.draw(st.integers(0, 5))
            assert index.search(query(text), k, within) == run[:k]
        index.close()


def test_vector_index_agrees_with_numpy(index: VectorIndex) -> None:
    """The best of 2,000 random passages are those that the exact inner products name, but for near ties."""
    draw = random.Random(20240601)
    entries = [entry(str(n), 0, "".join(draw.choices(LETTERS, k=draw.randint(1, 12)))) for n in range(2000)]
    for seq, start in enumerate(range(0, 2000, 500), 1):
        index.apply([], entries[start : start + 500], seq)
    exact = ENCODER.encode_passages([e.text for e in entries])
    for text in ("甲乙丙", "己", "戊丁甲甲"):
        scores = exact @ query(text)
        run = index.search(query(text), 50, PUBLIC)
        by_key = {e.key: float(s) for e, s in zip(entries, scores, strict=True)}
        assert dict(run) == pytest.approx({key: by_key[key] for key, _ in run}, abs=TOLERANCE)
        assert min(by_key[key] for key, _ in run) >= float(np.sort(scores)[-50]) - 2 * TOLERANCE


def test_vector_index_sorts_ties_by_key(index: VectorIndex) -> None:
    """Passages of one score come by ascending key, at the cut as well, however they came in."""
    entries = [entry(str(n), 0, "甲乙") for n in range(40)]
    for seq, start in enumerate(range(0, 40, 10), 1):
        index.apply([], entries[start : start + 10], seq)
    expected = sorted(e.key for e in entries)
    assert [key for key, _ in index.search(query("甲"), 100, PUBLIC)] == expected
    assert [key for key, _ in index.search(query("甲"), 7, PUBLIC)] == expected[:7]


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
def test_vector_index_judges_standing_on_the_day(index: VectorIndex, day: date, standings: list[str]) -> None:
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
        assert {key for key, _ in index.search(query("甲"), 10, within)} == expected


def test_vector_index_gives_nothing_for_nothing(index: VectorIndex) -> None:
    """A zero vector, no hits wanted, an empty scope and an empty index give an empty run."""
    assert index.search(query("甲"), 10, PUBLIC) == []
    assert index.n_passages == 0
    assert index.applied == 0
    index.apply([], [entry("a", 0, "甲乙")], 1)
    assert index.search(query("，。"), 10, PUBLIC) == []
    assert index.search(query("甲"), 0, PUBLIC) == []
    assert index.search(query("甲"), 10, Filters(scope=frozenset(), day=DAY)) == []


def test_vector_index_survives_reopening(engine: VectorEngine, tmp_path: Path) -> None:
    """What was applied, and up to where, is there after closing and opening."""
    first = engine.open(tmp_path / "leg", ENCODER)
    first.apply([], [entry("a", 0, "甲乙"), entry("b", 0, "丙")], 41)
    first.apply([entry("b", 0, "").document_id], [], 43)
    before = first.search(query("甲"), 10, PUBLIC)
    first.close()
    again = engine.open(tmp_path / "leg", ENCODER)
    assert (again.applied, again.n_passages) == (43, 1)
    assert again.search(query("甲"), 10, PUBLIC) == before


def test_vector_index_refresh_sees_another_writer(engine: VectorEngine, tmp_path: Path) -> None:
    """An open index sees what another has applied after refresh, merges too, and can go on writing from there."""
    one, other = engine.open(tmp_path / "leg", ENCODER), engine.open(tmp_path / "leg", ENCODER)
    for seq in range(1, 31):
        writer, reader = (one, other) if seq % 3 else (other, one)
        gone = [entry(str(seq - 5), 0, "").document_id]
        writer.apply(gone, [entry(str(seq), 0, "甲"), entry(str(seq), 1, "乙")], seq)
        reader.refresh()
        assert (reader.applied, reader.n_passages) == (seq, 2 * min(seq, 5))
        assert reader.search(query("甲"), 100, PUBLIC) == writer.search(query("甲"), 100, PUBLIC)


def test_vector_index_applies_a_change_twice_as_once(index: VectorIndex) -> None:
    """Applying the same change again leaves the same state."""
    change = ([entry("old", 0, "").document_id], [entry("a", 0, "甲乙"), entry("a", 1, "乙丙")], 7)
    index.apply(*change)
    before = index.search(query("甲"), 10, PUBLIC)
    index.apply(*change)
    assert (index.applied, index.n_passages) == (7, 2)
    assert index.search(query("甲"), 10, PUBLIC) == before


def test_vector_index_takes_a_document_anew(index: VectorIndex) -> None:
    """Putting a document again replaces all its passages and facts."""
    index.apply([], [entry("a", 0, "甲"), entry("a", 1, "乙"), entry("b", 0, "甲")], 1)
    index.apply([], [entry("a", 0, "甲", audiences=["北辰"])], 2)
    assert [key for key, _ in index.search(query("甲"), 10, PUBLIC)] == [entry("b", 0, "").key]
    assert len(index.search(query("甲"), 10, everything)) == 2
    assert index.n_passages == 2


def test_vector_index_takes_other_text_under_the_same_id(index: VectorIndex) -> None:
    """A passage whose text changed, removed between or not, is ranked by its new text."""
    for seq, text in enumerate(["甲甲", "乙乙", "丙"], 1):
        index.apply([entry("a", 0, "").document_id] if seq == 2 else [], [entry("a", 0, text)], seq)
        assert index.search(query(text), 10, PUBLIC) == [
            (entry("a", 0, "").key, pytest.approx(1, abs=TOLERANCE))
        ]


def test_vector_index_keeps_few_files(index: VectorIndex, tmp_path: Path) -> None:
    """However many changes came, a bounded number of files holds them."""
    for seq in range(1, 41):
        index.apply([], [entry(str(seq), 0, "甲")], seq)
    assert len(list((tmp_path / "leg").iterdir())) < 20
    assert index.n_passages == 40


def test_vector_index_refuses_other_dimensions(engine: VectorEngine, tmp_path: Path) -> None:
    """A folder with vectors of another length is an IndexMismatch that says what to run."""
    index = engine.open(tmp_path / "leg", ENCODER)
    index.apply([], [entry("a", 0, "甲")], 1)
    index.close()
    with pytest.raises(IndexMismatch, match="gongxue reindex"):
        engine.open(tmp_path / "leg", HashingEncoder(dim=32))

"""The solver against trying everything: how much it fills, what it never does, how alike its forms are."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.solver import TOLERANCE, Task, fill

Placed = tuple[tuple[int, int, int], ...]


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Small tasks, most of which cannot be filled."""
    n_questions, n_lines = draw(st.integers(0, 6)), draw(st.integers(1, 2))
    lines = st.lists(st.sampled_from(range(n_lines)), unique=True)
    members = st.lists(st.sampled_from(range(max(1, n_questions))), min_size=2, max_size=3, unique=True)
    return Task(
        n_forms=draw(st.integers(1, 2)),
        places=draw(st.lists(st.integers(1, 3), min_size=n_lines, max_size=n_lines)),
        points=draw(st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=n_lines, max_size=n_lines)),
        fits=draw(st.lists(lines, min_size=n_questions, max_size=n_questions)),
        groups=draw(st.lists(members, max_size=4)) if n_questions > 1 else [],
        difficulty=draw(st.lists(st.floats(0, 1), min_size=n_questions, max_size=n_questions)),
        side=draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n_questions, max_size=n_questions)),
        aim=0.5,
        seed=draw(st.integers(0, 5)),
    )


def faults(task: Task, placed: Placed) -> Iterator[str]:
    """What of the task's conditions a filling breaks."""
    if len({question for question, _, _ in placed}) < len(placed):
        yield "a question stands twice"
    for question, line, _ in placed:
        if line not in task.fits[question]:
            yield "a question stands where it does not fit"
    for form in range(task.n_forms):
        standing = {question for question, _, f in placed if f == form}
        if any(len(standing & set(group)) > 1 for group in task.groups):
            yield "two of a group stand in one form"
        for line, n in enumerate(task.places):
            if sum((at, f) == (line, form) for _, at, f in placed) > n:
                yield "a line has more than its places"


def most(task: Task, question: int = 0, placed: Placed = ()) -> int:
    """The most places that can be filled, by trying everything."""
    if question == len(task.fits):
        return len(placed)
    best = most(task, question + 1, placed)
    for line in task.fits[question]:
        for form in range(task.n_forms):
            tried = (*placed, (question, line, form))
            if not any(faults(task, tried)):
                best = max(best, most(task, question + 1, tried))
    return best


@settings(max_examples=150, deadline=None)
@given(tasks())
def test_as_many_places_are_filled_as_trying_everything_finds(task: Task) -> None:
    """Filled places are as many as can be, break no condition, and are those that are not missing."""
    filled = fill(task)
    assert not list(faults(task, filled.placed))
    assert filled.proven
    assert len(filled.placed) == most(task)
    assert sum(task.places) * task.n_forms - sum(filled.missing) == len(filled.placed)
    for line, n in enumerate(task.places):
        assert sum(at == line for _, at, _ in filled.placed) == n * task.n_forms - filled.missing[line]


def bank(n: int = 300, *, n_clauses: int = 120, seed: int = 0) -> Task:
    """Three forms of three lines out of a bank of questions on clauses, some of which give others away."""
    random = Random(seed)
    clause = [random.randrange(n_clauses) for _ in range(n)]
    clauses = [[q for q in range(n) if clause[q] == c] for c in range(n_clauses)]
    pairs = [random.sample(range(n), 2) for _ in range(n // 2)]
    return Task(
        n_forms=3,
        places=[8, 6, 4],
        points=[2.0, 3.0, 1.0],
        fits=[[random.randrange(3)] for _ in range(n)],
        groups=[*clauses, *pairs],
        difficulty=[round(random.random(), 3) for _ in range(n)],
        side=[random.choice([1, -1]) if q % 3 == 0 else 0 for q in range(n)],
        aim=0.5,
    )


def test_forms_are_alike_in_difficulty_and_each_has_both_sides() -> None:
    """Where the bank allows it, mean difficulties differ by no more than the tolerance, sides by no more than one."""
    task = bank()
    placed = fill(task).placed
    assert len(placed) == 54
    assert not list(faults(task, placed))
    means = [fmean(task.difficulty[q] for q, _, f in placed if f == form) for form in range(3)]
    assert max(means) - min(means) <= TOLERANCE + 1e-6
    assert all(abs(mean - task.aim) <= 2 * TOLERANCE for mean in means)
    for form in range(3):
        assert abs(sum(task.side[q] for q, _, f in placed if f == form)) <= 1


def test_what_is_missing_is_shared_out_among_the_forms() -> None:
    """Empty places of a line that is short do not all fall on one form: points stay as equal as they can be."""
    task = replace(bank(), fits=[[0] if q < 21 else [1, 2] for q in range(300)], groups=[])
    filled = fill(task)
    assert filled.missing == (3, 0, 0)
    assert [sum(line == 0 for _, line, f in filled.placed if f == form) for form in range(3)] == [7, 7, 7]


def test_the_same_task_is_filled_the_same_way_and_another_seed_another() -> None:
    """The answer depends on the task alone, the seed among it."""
    task = bank()
    again = [fill(task) for _ in range(2)]
    other = fill(replace(task, seed=7))
    assert again[0] == again[1]
    assert set(again[0].placed) != set(other.placed)
    assert not any(other.missing)


@pytest.mark.parametrize("n_questions", [0, 1])
def test_a_bank_with_next_to_nothing_is_no_error(n_questions: int) -> None:
    """Without questions every place is missing; with one, all but one."""
    task = Task(2, [3], [1.0], [[0]] * n_questions, [], [0.5] * n_questions, [0] * n_questions, aim=0.5)
    assert fill(task).missing == (6 - n_questions,)


def test_what_gives_each_other_away_all_round_is_kept_apart() -> None:
    """Of questions of which each gives each away, every form has one at most."""
    everyone = [list(pair) for pair in combinations(range(6), 2)]
    task = Task(3, [2], [1.0], [[0]] * 6, everyone, [0.5] * 6, [0] * 6, aim=0.5)
    assert fill(task).missing == (3,)

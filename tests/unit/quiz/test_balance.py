"""Over many questions no rule of thumb gets further than chance."""

import random

from quiz.generation.balance import GUESSERS, Balance, luck
from quiz.model import FALSE, TRUE, Question, Type


def questions(n: int, *, numeric: bool) -> list[Question]:
    """Questions on keys that lean to be long, first or in the middle, with options chosen to even that out."""
    lot = random.Random(7)
    balance = Balance()
    made: list[Question] = []
    for _ in range(60 * n):
        if len(made) == n:
            break
        if numeric:
            values = lot.sample(range(1, 60), 9)
            key, wrong = (
                f"{min(values) if lot.random() < 0.6 else values[0]}日",
                [f"{v}日" for v in values[1:]],
            )
            wrong = [w for w in wrong if w != key]
        else:
            key = "".join(lot.choices("甲乙丙丁戊己庚辛", k=lot.randint(4, 9)))
            wrong = ["".join(lot.choices("甲乙丙丁戊己庚辛", k=lot.randint(2, 9))) for _ in range(8)]
        stem = "甲乙丙的期限是"
        for options in balance.sets(stem, key, wrong, len(made))[:5]:
            q = Question(Type.SINGLE, stem, options, (key,))
            if balance.bears(q):
                balance.took(q)
                made.append(q)
                break
    return made


def test_guessing_gains_nothing() -> None:
    """The first, the longest, the most alike and the middle option are right as often as chance would have it."""
    for numeric in (True, False):
        made = questions(60, numeric=numeric)
        assert len(made) == 60
        for guesser in GUESSERS:
            hit = sum(luck(guesser, q.stem, q.options, q.answer[0]) for q in made) / len(made)
            assert hit <= 0.28, (guesser, numeric)


def test_amounts_stand_by_size() -> None:
    """Options that are amounts are shown from the least to the most, whichever is right."""
    assert Balance().arrange("三日", ["三十日", "一日", "十日"], 3) == (
        "一日",
        "三日",
        "十日",
        "三十日",
    )


def test_keys_are_even_over_the_letters() -> None:
    """Where options have no order of their own, no letter is right more often than another by more than one."""
    made = questions(60, numeric=False)
    counts = [sum(q.letters == letter for q in made) for letter in "ABCD"]
    assert max(counts) - min(counts) <= 1


def test_true_and_false_take_turns() -> None:
    """As many statements are true as false, and half the batches begin with a false one."""
    balance = Balance()
    drawn = []
    for _ in range(10):
        key = TRUE if balance.next_truth() else FALSE
        balance.took(Question(Type.TRUE_FALSE, "说法", (TRUE, FALSE), (key,)))
        drawn.append(key)
    assert drawn.count(TRUE) == 5
    assert not Balance(truths=1).next_truth()

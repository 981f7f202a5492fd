"""Orders of options: keys even over a form, sizes in their order, and nothing lost."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from quiz.arrangement import arranged, natural_order, order_beside, order_with_key_at
from quiz.model import FALSE, TRUE, Question, Type

TEXTS = ("甲班", "乙班", "丙班", "丁班", "戊班")


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question to choose from, its options amounts or not, any of them right."""
    type_ = draw(st.sampled_from([Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.ORDERING, Type.BLANK]))
    if type_ is Type.BLANK:
        return Question(type_, "写", (), ("答",))
    if type_ is Type.TRUE_FALSE:
        return Question(type_, "判", (TRUE, FALSE), (draw(st.sampled_from([TRUE, FALSE])),))
    n = draw(st.integers(3, 5))
    amounts = draw(st.booleans())
    options = tuple(f"{2 * i + 1}日" for i in range(n)) if amounts else TEXTS[:n]
    options = tuple(draw(st.permutations(options)))
    if type_ is Type.ORDERING:
        return Question(type_, "排", options, tuple(sorted(options)))
    if type_ is Type.MULTIPLE:
        keys = draw(st.sets(st.sampled_from(options), min_size=2, max_size=n - 1))
        return Question(type_, "选", options, tuple(o for o in options if o in keys))
    return Question(type_, "选", options, (draw(st.sampled_from(options)),))


@given(st.lists(questions(), max_size=30), st.integers(0, 1000))
def test_keys_of_single_choice_are_even_over_the_form(found: list[Question], seed: int) -> None:
    """Among questions with equally many options, no position has the key more than once more often than another."""
    orders = arranged(found, seed)
    for question, order in zip(found, orders, strict=True):
        assert sorted(order) == list(range(len(question.options)))
    for size in (3, 4, 5):
        keys = Counter(
            order.index(q.options.index(q.answer[0]))
            for q, order in zip(found, orders, strict=True)
            if q.type is Type.SINGLE and len(q.options) == size
        )
        counts = [keys[position] for position in range(size)]
        assert max(counts) - min(counts) <= 1
    assert orders == arranged(found, seed)


@given(st.lists(questions(), min_size=1, max_size=30), st.integers(0, 1000))
def test_a_question_that_joins_keeps_the_keys_even(found: list[Question], seed: int) -> None:
    """After one question was taken out and another put in its place, keys are as even as before."""
    shown = [
        q.with_options(tuple(q.options[i] for i in order)) if order else q
        for q, order in zip(found, arranged(found, seed), strict=True)
    ]
    singles = [q for q in shown if q.type is Type.SINGLE and len(q.options) == 4]
    joining = Question(Type.SINGLE, "选", TEXTS[:4], ("丙班",))
    order = order_beside(joining, singles[1:], Random(seed))
    keys = Counter(q.options.index(q.answer[0]) for q in singles[1:])
    keys[order.index(2)] += 1
    counts = [keys[position] for position in range(4)]
    assert max(counts) - min(counts) <= 1


def test_sizes_stay_in_their_order_where_the_keys_allow_it() -> None:
    """Of four amounts with keys in four places all are shown by size."""
    options = ("9日", "3日", "7日", "5日")
    four = [Question(Type.SINGLE, "几日", options, (key,)) for key in options]
    for question, order in zip(four, arranged(four, 3), strict=True):
        assert [question.options[i] for i in order] == ["3日", "5日", "7日", "9日"]


def test_keys_come_before_sizes() -> None:
    """Where all have the smallest amount as key, some are shown otherwise, so that not all keys are A."""
    four = [Question(Type.SINGLE, "几日", ("3日", "5日", "7日", "9日"), ("3日",)) for _ in range(4)]
    assert sorted(order.index(0) for order in arranged(four, 0)) == [0, 1, 2, 3]


def test_what_compares_by_size_is_told_from_what_does_not() -> None:
    """Amounts of one dimension and dates have an order of their own; mixed ones do not."""
    assert natural_order(Question(Type.SINGLE, "", ("2个月", "10日"), ("10日",))) == ()
    assert natural_order(Question(Type.SINGLE, "", ("2021年", "2019年"), ("2019年",))) == (1, 0)
    assert natural_order(Question(Type.SINGLE, "", ("三至五人", "1人以上3人以下"), ("三至五人",))) == (1, 0)


def test_true_stands_before_false_and_what_is_to_be_ordered_is_not_in_order() -> None:
    """A form shows 正确 first, and never the parts as they belong."""
    judged = Question(Type.TRUE_FALSE, "判", (TRUE, FALSE), (FALSE,))
    parts = Question(Type.ORDERING, "排", ("一", "二", "三"), ("一", "二", "三"))
    for seed in range(20):
        first, second = arranged([judged, parts], seed)
        assert first == (0, 1)
        assert second != (0, 1, 2)


def test_the_key_goes_where_it_is_wanted() -> None:
    """Any position can be had, by size from above where that fits."""
    question = Question(Type.SINGLE, "几日", ("3日", "5日", "7日", "9日"), ("3日",))
    for position in range(4):
        assert order_with_key_at(question, position, Random(0)).index(0) == position
    assert order_with_key_at(question, 3, Random(0)) == (3, 2, 1, 0)

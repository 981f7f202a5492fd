"""The order in which a form shows the options of its questions: key positions even, and nothing to be read from them."""

from collections import Counter
from collections.abc import Sequence
from random import Random

from quiz.model import Question, Type
from quiz.quantities import amount_of, date_of

Order = tuple[int, ...]
"""Options in the order shown, as indexes into the question's own."""


def arranged(questions: Sequence[Question], seed: int) -> list[Order]:
    """Orders of the options of a form's questions.

    Of single choice questions with equally many options, keys stand in each position equally often, but for one.
    Amounts and dates stay in the order of their size as far as that allows. True comes before false.
    """
    random = Random(seed)
    orders = [tuple(range(len(q.options))) for q in questions]
    for size in sorted({len(q.options) for q in questions if q.type is Type.SINGLE}):
        _even(questions, orders, random, size)
    used: dict[int, Counter[int]] = {}
    for index, question in enumerate(questions):
        if question.type is Type.MULTIPLE:
            counted = used.setdefault(len(question.options), Counter())
            orders[index] = _spread(question, counted, random)
        elif question.type in (Type.ORDERING, Type.MATCHING):
            orders[index] = _mixed(question, random)
    return orders


def order_with_key_at(question: Question, position: int, random: Random) -> Order:
    """An order that shows the key of a single choice question there, by size if the options have one and it fits."""
    if natural := natural_order(question):
        for order in (natural, natural[::-1]):
            if order.index(_key(question)) == position:
                return order
    others = [i for i in range(len(question.options)) if i != _key(question)]
    random.shuffle(others)
    return (*others[:position], _key(question), *others[position:])


def natural_order(question: Question) -> Order:
    """The options by size where all are amounts of one dimension, or dates; empty if they are not.

    >>> natural_order(Question(Type.SINGLE, "几天", ("十日", "3日", "5天"), ("3日",)))
    (1, 2, 0)
    """
    amounts = [amount_of(o) for o in question.options]
    found = [a for a in amounts if a is not None]
    sizes: list[tuple[object, ...]]
    if found and len(found) == len(amounts) and len({a.dimension for a in found}) == 1:
        sizes = [(a.low, a.high) for a in found]
    else:
        dates = [date_of(o) for o in question.options]
        sizes = [d for d in dates if d is not None]
        if not sizes or len(sizes) < len(dates):
            return ()
    return tuple(sorted(range(len(sizes)), key=lambda i: sizes[i]))


def _key(question: Question) -> int:
    return question.options.index(question.answer[0])


def _even(questions: Sequence[Question], orders: list[Order], random: Random, size: int) -> None:
    mine = [i for i, q in enumerate(questions) if q.type is Type.SINGLE and len(q.options) == size]
    base, n_longer = divmod(len(mine), size)
    room, longer = [base] * size, set(random.sample(range(size), n_longer))
    for position in longer:
        room[position] += 1

    def has_room(position: int) -> bool:
        if room[position]:
            return True
        # Which positions have one more is open as long as one of them has room.
        swapped = [p for p in longer if room[p]]
        if position in longer or not swapped:
            return False
        longer.remove(swapped[0])
        longer.add(position)
        room[swapped[0]] -= 1
        room[position] += 1
        return True

    free = []
    random.shuffle(mine)
    for index in mine:
        question = questions[index]
        natural = natural_order(question)
        by_size = (o for o in (natural, natural[::-1]) if o and has_room(o.index(_key(question))))
        if order := next(by_size, None):
            orders[index] = order
            room[order.index(_key(question))] -= 1
        else:
            free.append(index)
    positions = [p for p in range(size) for _ in range(room[p])]
    random.shuffle(positions)
    for index, position in zip(free, positions, strict=True):
        orders[index] = order_with_key_at(questions[index], position, random)


def _spread(question: Question, used: "Counter[int]", random: Random) -> Order:
    """Keys in the positions that have had the fewest so far."""
    size = len(question.options)
    keys = {question.options.index(a) for a in question.answer}
    order = list(natural_order(question))
    if not order:
        chosen = set(sorted(range(size), key=lambda p: (used[p], random.random()))[: len(keys)])
        right, wrong = list(keys), [i for i in range(size) if i not in keys]
        random.shuffle(right)
        random.shuffle(wrong)
        order = [right.pop() if p in chosen else wrong.pop() for p in range(size)]
    used.update(p for p, i in enumerate(order) if i in keys)
    return tuple(order)


def _mixed(question: Question, random: Random) -> Order:
    """In an order that is not that of the answer."""
    order = list(range(len(question.options)))
    for _ in range(20):
        random.shuffle(order)
        if tuple(question.options[i] for i in order) != question.answer:
            break
    return tuple(order)


def order_beside(question: Question, others: Sequence[Question], random: Random) -> Order:
    """An order for a question that joins others, shown as they are: its key goes where fewest of theirs are."""
    if question.type is not Type.SINGLE:
        return arranged([question], random.randrange(2**31))[0]
    size = len(question.options)
    used = Counter(
        o.options.index(o.answer[0]) for o in others if o.type is Type.SINGLE and len(o.options) == size
    )
    fewest = min(used[p] for p in range(size))
    positions = [p for p in range(size) if used[p] == fewest]
    natural = natural_order(question)
    if natural and natural.index(_key(question)) in positions:
        return natural
    return order_with_key_at(question, random.choice(positions), random)

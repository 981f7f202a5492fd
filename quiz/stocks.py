"""What papers of a branch may be made of under a scope, kept at hand while it stays the same."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

from sqlalchemy import select

from access.office import Office
from quiz.assembly import Stock
from quiz.bank import Bank
from quiz.kept import Kept
from quiz.model import State
from quiz.tables import questions
from quiz.versions import state_on
from quiz.visibility import seen

_MOST_STOCKS = 8


@dataclass(frozen=True)
class Supply:
    """Usable questions by id order, and the same as a stock."""

    kept: tuple[Kept, ...]

    @cached_property
    def stock(self) -> Stock:
        """What forms are assembled from."""
        return Stock([k.question for k in self.kept])

    @cached_property
    def by_id(self) -> Mapping[str, Kept]:
        """The questions by their id."""
        return {k.question_id: k for k in self.kept}


class Stocks:
    """Safe to share between threads.

    Which questions are usable is asked each time, with their versions; only when that is as it was before
    are their texts, and which give each other away, taken from before. So drawing a form for each of many people
    reads two thousand short rows instead of two thousand questions.
    """

    def __init__(self, office: Office, bank: Bank) -> None:
        self._office = office
        self._bank = bank
        self._known: OrderedDict[tuple[object, ...], Supply] = OrderedDict()
        self._lock = Lock()

    def of(self, branch_id: str, scope: frozenset[str]) -> Supply:
        """What is usable now."""
        key = self._standing(branch_id, scope)
        with self._lock:
            if known := self._known.get(key):
                self._known.move_to_end(key)
                return known
        # Loaded after it was asked for: what changed in between is not known by this key for long.
        found = Supply(tuple(self._bank.usable(scope, branch_id)))
        if _key(branch_id, found) == key:
            with self._lock:
                self._known[key] = found
                while len(self._known) > _MOST_STOCKS:
                    self._known.popitem(last=False)
        return found

    def _standing(self, branch_id: str, scope: frozenset[str]) -> tuple[object, ...]:
        q, today = questions.c, self._office.today()
        statement = (
            select(q.question_id, q.version, q.difficulty)
            .where(
                q.branch_id == branch_id,
                seen(q.document_id, scope),
                state_on(today) == State.APPROVED.value,
            )
            .order_by(q.question_id)
        )
        with self._office.reading() as connection:
            rows = connection.execute(statement).all()
        return (branch_id, *((r.question_id, r.version, round(r.difficulty, 3)) for r in rows))


def _key(branch_id: str, supply: Supply) -> tuple[object, ...]:
    return (branch_id, *((k.question_id, k.version, k.question.difficulty) for k in supply.kept))

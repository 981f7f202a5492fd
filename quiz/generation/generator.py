"""Questions from material: every place is tried, the gates decide, what is asked most in exams comes first."""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from kb.errors import InvalidRequest, ProposerUnavailable
from kb.model import Answer, Document, Query, Validity, derive_id, validity
from quiz.generation.balance import Balance
from quiz.generation.gates import Basis, Failure, failures, squeeze
from quiz.generation.making import TRIVIAL, Maker, Spot, is_cut
from quiz.generation.pools import Pool
from quiz.generation.proposer import Proposer
from quiz.generation.statements import Statement
from quiz.model import FALSE, TRUE, Question, Slot, Type
from search.engine import SearchEngine
from store.catalog import Catalog

MOST = 10_000
"""Questions that can be asked for at once."""
_FOUND_CLAUSES = 30
"""Clauses that a query or phrase is answered with."""
_WISHED: Mapping[Type, float] = {
    Type.SINGLE: 0.4,
    Type.BLANK: 0.2,
    Type.TRUE_FALSE: 0.16,
    Type.MULTIPLE: 0.1,
    Type.SHORT: 0.07,
    Type.MATCHING: 0.04,
    Type.ORDERING: 0.03,
}
"""The mix of types that is aimed at, as far as the material gives it."""
_CAP = 1.25
_LISTING_WORTH = 0.3
_EASY, _EASY_LIST = 20, 16
"""Characters that a person can be expected to fill in word for word."""
_EDGE = "起施行|同时废止|负责解释|包括本数|所称以上|从其规定|^为了?|制定本|第[一二三四五六七八九十百零0-9]+条"
"""What stands at the edge of a rule, or sends the reader to another article."""
_LEAST_SAID = 14
"""Characters of a statement besides what is asked for that a person needs to know what is meant."""
_LESS: Mapping[str, float] = {
    "起施行|同时废止|负责解释": 0.1,
    "^为了?|制定本": 0.4,
    "处.{0,12}罚款|追究刑事责任": 0.7,
}
"""What is asked about less often than other sentences: the edge of a rule rather than its middle, and penalties."""
_LESS_IN_LIST = 0.25


@dataclass(frozen=True, slots=True)
class Material:
    """What to ask about: a document, clauses of it by their anchors, what a search finds, or a phrase word for word."""

    document_id: str | None = None
    anchors: tuple[str, ...] = ()
    query: str | None = None
    phrase: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Questions, best first, and how many candidates each gate stopped, by its number."""

    questions: tuple[Question, ...]
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Task:
    """Something to make a question from; `round` is how many of the same statement come before.

    `tier` says how sure it is that the question can be used as it is: 0 for amounts, bodies, whole lists and
    definitions in sentences of their own, 1 for terms and items of lists, 2 for all else.
    """

    tier: int
    round: int
    worth: float
    order: int
    types: tuple[Type, ...]
    make: Callable[[Type], Iterator[Question]]

    @property
    def rank(self) -> tuple[int, float, int]:
        """What comes first: one of each statement before a second of any, then what is asked most."""
        return self.round, -self.worth, self.order


class Generator:
    """Makes and checks questions over a catalog, under a scope. Safe to share between threads."""

    def __init__(self, catalog: Catalog, engine: SearchEngine, proposer: Proposer | None = None) -> None:
        self._catalog = catalog
        self._engine = engine
        self.proposer = proposer
        self._pool = lru_cache(maxsize=8)(self._make_pool)

    def generate(
        self,
        material: Material,
        scope: frozenset[str],
        *,
        types: frozenset[Type] = frozenset(Type),
        n: int = 20,
        seed: int = 0,
        proposed: bool = False,
    ) -> Made:
        """At most `n` questions; the same material, seed and corpus give the same.

        What can surely be used as it is comes first, and of that every statement once before any twice. With
        `proposed`, a third at most are what the language model of this installation proposed and the gates let
        through.

        Raises:
            NotFound: no such document in the scope.
            InvalidRequest: nothing to ask about is named, no type, a clause that is not there, or `n` out of range.
            InvalidQuery: the query cannot be searched for.
            ProposerUnavailable: a model was asked for, and there is none or it fails.
        """
        if proposed and self.proposer is None:
            raise ProposerUnavailable(
                "Cannot have questions proposed: no language model is set up here.",
                "Set GONGXUE_PROPOSER, or make questions without it.",
            )
        if not types or not 1 <= n <= MOST:
            raise InvalidRequest(
                f"Cannot make {n} questions of {len(types)} types.",
                f"Ask for 1 to {MOST} of at least one type.",
            )
        balance = Balance(truths=_lot(material, seed) % 2)
        rejected: Counter[int] = Counter()
        taken: list[Question] = []
        made: Counter[Type] = Counter()
        known: set[str] = set()
        used: set[tuple[int, int]] = set()
        tasks: list[tuple[_Task, Basis]] = []
        for document, ordinals in self._chosen(material, scope):
            basis = self._basis(document, scope)
            if proposed and self.proposer is not None:
                for candidate in self.proposer.propose(document, ordinals, types, n):
                    if len(taken) >= n // 3:
                        break
                    failed = failures(candidate, basis)
                    rejected.update({f.gate for f in failed})
                    if not failed and candidate.question_id not in known:
                        known.add(candidate.question_id)
                        taken.append(candidate)
                        made[candidate.type] += 1
                        used.update(candidate.places if len(candidate.places) == 1 else ())
            maker = Maker(self._pool(document.document_id, scope), balance, seed)
            tasks += [(t, basis) for t in self._tasks(maker, ordinals, material.phrase, seed)]
        tasks.sort(key=lambda t: t[0].rank)
        ranks: dict[str, tuple[int, float, int]] = {}
        for tier, within in ((0, _caps(types, n)), (0, None), (1, None), (2, None)):
            left = []
            for task, basis in tasks:
                if len(taken) >= n:
                    break
                wanted = [t for t in task.types if t in types and (within is None or made[t] < within[t])]
                for type_ in sorted(wanted, key=lambda t: (made[t] / _WISHED[t], task.types.index(t))):
                    if task.tier > tier:
                        continue
                    question = self._first_that_passes(partial(task.make, type_), basis, balance, rejected)
                    if question is None or question.question_id in known:
                        continue
                    if len(question.places) == 1 and not used.isdisjoint(question.places):
                        continue
                    known.add(question.question_id)
                    used.update(question.places if len(question.places) == 1 else ())
                    taken.append(question)
                    ranks[question.question_id] = task.rank
                    made[type_] += 1
                    balance.took(question)
                    break
                else:
                    left.append((task, basis))
            tasks = left
        taken.sort(key=lambda q: ranks.get(q.question_id, (-1, 0.0, 0)))
        return Made(tuple(_even_truths(taken)), {str(g): rejected[g] for g in sorted(rejected)})

    def check(self, question: Question, scope: frozenset[str]) -> tuple[Failure, ...]:
        """What a question that a person wrote or brought in does not pass.

        What cites nothing is held against the gates that need no source.
        """
        cited = question.citation
        document = None
        if cited is not None and self._catalog.visible([cited.document_id], scope):
            document = self._catalog.document(cited.document_id, scope)
        basis = self._basis(document, scope)
        gates = range(1, 10) if cited is not None else (1, 3, 4, 8, 9)
        return tuple(failures(question, basis, gates=tuple(gates)))

    # -- material ----------------------------------------------------------------------

    def _chosen(
        self, material: Material, scope: frozenset[str]
    ) -> list[tuple[Document, frozenset[int] | None]]:
        """Documents, and which of their clauses, by ordinal; None is all."""
        if material.document_id is not None:
            document = self._catalog.document(material.document_id, scope)
            if not material.anchors:
                return [(document, None)]
            known = {c.anchor: c.ordinal for c in document.clauses}
            if missing := [a for a in material.anchors if a not in known]:
                raise InvalidRequest(
                    f"Cannot ask about {', '.join(missing)}: the document has no such clause.",
                    "Take anchors from the document's page.",
                )
            return [(document, frozenset(known[a] for a in material.anchors))]
        text = material.query or material.phrase
        if not text:
            raise InvalidRequest("Cannot make questions of nothing.", "Name a document, a query or a phrase.")
        answer = self._engine.search(
            Query(text, scope, k=_FOUND_CLAUSES, validity=frozenset({Validity.IN_FORCE}))
        )
        return self._found(answer, scope)

    def _found(self, answer: Answer, scope: frozenset[str]) -> list[tuple[Document, frozenset[int] | None]]:
        clauses: dict[str, set[str]] = {}
        for hit in answer.hits:
            clauses.setdefault(hit.document_id, set()).add(hit.clause_id)
        chosen: list[tuple[Document, frozenset[int] | None]] = []
        for document_id, ids in clauses.items():
            document = self._catalog.document(document_id, scope)
            chosen.append((document, frozenset(c.ordinal for c in document.clauses if c.clause_id in ids)))
        return chosen

    def _make_pool(self, document_id: str, scope: frozenset[str]) -> Pool:
        return Pool(self._catalog.document(document_id, scope), self._engine.index.encoder.encode_passages)

    def _basis(self, document: Document | None, scope: frozenset[str]) -> Basis:
        if document is None:
            return Basis(None, False, lambda text: self._engine.stands(text, scope))
        meta = document.meta
        standing = validity(meta.effective_on, meta.ended_on, meta.end_reason, self._engine.today())
        squeezed = squeeze(document.text)
        return Basis(
            document,
            standing is Validity.IN_FORCE,
            lambda text: squeeze(text) in squeezed or self._engine.stands(text, scope),
            squeezed,
        )

    # -- places ------------------------------------------------------------------------

    def _tasks(
        self, maker: Maker, ordinals: frozenset[int] | None, phrase: str | None, seed: int
    ) -> Iterator[_Task]:
        """Everything that may be asked about in these clauses."""
        pool = maker.pool

        def here(s: Statement) -> bool:
            return (ordinals is None or s.clause.ordinal in ordinals) and (not phrase or phrase in s.text)

        statements = [s for s in pool.statements if here(s)]
        lot = random.Random(seed)
        for s in statements:
            tint = lot.random() * 0.02
            less = _worth(s)
            for n, place in enumerate(pool.places(s)):
                spot = maker.spot(s, place)
                if phrase and phrase in s.text and spot.text not in phrase and phrase not in spot.text:
                    less *= 0.5
                worth = less * place.score + tint
                yield _Task(_tier(spot), n, worth, s.start, _types_at(spot), partial(maker.make, spot))
            yield _Task(
                0, 0, _LISTING_WORTH + tint, s.start, (Type.MATCHING,), partial(maker.from_segments, s)
            )
            yield _Task(
                0, 1, _LISTING_WORTH + tint, s.start, (Type.SHORT,), partial(maker.from_definition, s)
            )
        for listing in pool.listings:
            said = pool.document.text[listing.start : listing.end]
            if (ordinals is None or listing.clause.ordinal in ordinals) and (not phrase or phrase in said):
                for n, types in enumerate(((Type.ORDERING, Type.MULTIPLE), (Type.SHORT,))):
                    worth = _LISTING_WORTH + lot.random() * 0.2
                    yield _Task(1 - n, n, worth, listing.start, types, partial(maker.from_listing, listing))
        by_clause: dict[int, list[Statement]] = {}
        for s in statements:
            by_clause.setdefault(s.clause.ordinal, []).append(s)
        for group in by_clause.values():
            make = partial(maker.from_definitions, group)
            yield _Task(0, 0, _LISTING_WORTH, group[0].start, (Type.MATCHING,), make)

    def _first_that_passes(
        self, make: Callable[[], Iterator[Question]], basis: Basis, balance: Balance, rejected: Counter[int]
    ) -> Question | None:
        for candidate in make():
            failed = failures(candidate, basis, gates=_CHEAP) or failures(candidate, basis, gates=(3,))
            if not failed and balance.bears(candidate):
                return candidate
            if not failed:
                rejected[10] += 1
            rejected.update({f.gate for f in failed})
        return None


_CHEAP = (1, 2, 4, 5, 6, 7, 8, 9)


def _worth(statement: Statement) -> float:
    """How much a statement is asked about, by what kind of sentence it is; 1 is usual."""
    worth = _LESS_IN_LIST if statement.item else 1.0
    for pattern, less in _LESS.items():
        if re.search(pattern, statement.text):
            worth *= less
    return worth


def _caps(types: frozenset[Type], n: int) -> dict[Type, int]:
    """How many of each type are taken before all others had their turn: somewhat more than the mix wishes."""
    whole = sum(_WISHED[t] for t in types)
    return {t: math.ceil(_CAP * n * _WISHED[t] / whole) for t in types}


def _lot(material: Material, seed: int) -> int:
    return int(derive_id("questions", str(material), str(seed)), 16)


def _tier(spot: Spot) -> int:
    """How sure it is that a question at the spot can be used as it is; see `_Task`."""
    sure = spot.slot in (Slot.NUMBER, Slot.RANGE, Slot.BODY) or (
        spot.listed is not None
        and spot.slot is Slot.LIST
        and spot.listed.whole
        and not spot.listed.open
        and len(spot.text) <= _EASY_LIST
        and spot.mark.startswith("n")
    )
    if spot.statement.context or re.search(_EDGE, spot.statement.text) or TRIVIAL.search(spot.text):
        return 2
    if len(spot.text) > _EASY or len(spot.statement.whole) - len(spot.text) < _LEAST_SAID or is_cut(spot):
        return 2
    if not spot.statement.focus and re.search(
        "(?:收到|接到)(?:申请|报告|通知)|制止通知", spot.statement.text
    ):
        return 2
    if spot.slot is Slot.NUMBER and spot.text.endswith("次"):
        # 二次供水 and 一次性告知 are words more often than counts.
        return 2
    if sure:
        return 1 if spot.statement.item else 0
    return 1 if spot.slot is Slot.DATE or (spot.slot is Slot.TERM and spot.mark) else 2


def _types_at(spot: Spot) -> tuple[Type, ...]:
    """Types that suit what stands at the spot, the most usual in exams first."""
    if spot.slot is Slot.LIST:
        return (Type.MULTIPLE, Type.BLANK)
    if spot.slot in (Slot.NUMBER, Slot.RANGE, Slot.DATE):
        return (Type.SINGLE, Type.BLANK, Type.TRUE_FALSE)
    if spot.slot is Slot.MODALITY:
        return (Type.SINGLE,)
    if spot.slot is Slot.BODY:
        return (Type.SINGLE, Type.BLANK)
    return (Type.BLANK,)


def _even_truths(taken: Sequence[Question]) -> list[Question]:
    """The questions, without the last true or false one where that makes as many true as false."""
    judged = [q for q in taken if q.type is Type.TRUE_FALSE]
    true = sum(q.answer == (TRUE,) for q in judged)
    more = TRUE if true * 2 > len(judged) else FALSE
    if len(judged) > 2 and true * 2 != len(judged):
        last = next(q for q in reversed(judged) if q.answer == (more,))
        return [q for q in taken if q is not last]
    return list(taken)

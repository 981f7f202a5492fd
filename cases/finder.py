"""Finds cases: by problem, by facts, by likeness; and the laws and policies that a problem touches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, and_, false, or_

from access.office import Office
from cases.library import Library, body_from, card_of, published
from cases.model import COSTS, SIZES, Body, CaseCard, CaseFilters, Field
from cases.problems import ProblemIndex
from cases.tables import case_versions, cases
from kb.errors import InvalidQuery
from kb.model import Hit, Kind, Query
from search.analysis import fold
from search.engine import SearchEngine

LONGEST_PROBLEM = 500
"""Code points of a problem that are looked at."""
DEPTH = 100
"""Passages of cases that the word and meaning search gives to the ranking by problem."""
KEYWORDS, TOLD = 6, 16
"""Up to so many characters what is asked for is words; from so many on it is a problem that is told."""
MOST_BY_WORDS = 0.5
"""What the one search counts for words; for a problem that is told it counts nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cases. `total` and `facets` count all that pass the filters and the scope."""

    total: int
    cards: tuple[CaseCard, ...]
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A case in its place."""

    case_id: str
    score: float


class Finder:
    """Searches cases. Safe to share between threads."""

    def __init__(
        self, office: Office, library: Library, engine: SearchEngine, problems: ProblemIndex
    ) -> None:
        self._office = office
        self._library = library
        self._engine = engine
        self._problems = problems

    def find(
        self, problem: str, scope: frozenset[str], filters: CaseFilters, *, k: int = 10, offset: int = 0
    ) -> Found:
        """Cases in the scope that pass the filters: those whose problem is nearest first, or the newest without one.

        Raises:
            InvalidQuery: the problem is too long, or the page cannot be had.
            ServiceError: the search failed; the answer is never given without it.
        """
        problem = _checked(problem, k, offset)
        rows = self._rows(scope, filters)
        ranked = self._ranked(rows, problem, scope) if problem else _newest(rows)
        return Found(len(ranked), self._cards(ranked[offset : offset + k], scope, problem), _facets(rows))

    def similar(self, case_id: str, scope: frozenset[str], k: int = 5) -> list[CaseCard]:
        """Cases whose problem is like that of one, itself left out.

        Raises:
            NotFound: there is no such case in the scope.
        """
        return self.like(self._library.case(scope, case_id).body, scope, k, without=case_id)

    def like(
        self, body: Body, scope: frozenset[str], k: int = 5, *, without: str | None = None
    ) -> list[CaseCard]:
        """Cases in the scope whose problem is like that of a form, such as one that is being written."""
        told = [body.get(f, "") for f in (Field.TITLE, Field.PROBLEM)]
        problem = " ".join(" ".join(told).split())[:LONGEST_PROBLEM]
        if not problem:
            return []
        rows = [r for r in self._rows(scope, CaseFilters()) if r["case_id"] != without]
        return list(self._cards(self._ranked(rows, problem, scope)[:k], scope, problem))

    def policies(self, text: str, scope: frozenset[str], k: int = 5) -> list[Hit]:
        """Clauses of laws and policies in the scope that a text touches, at most one of each document."""
        text = " ".join(text.split())[:LONGEST_PROBLEM]
        if not any(c.isalnum() for c in text):
            return []
        answer = self._engine.search(Query(text, scope, k=5 * k, kinds=frozenset({Kind.LAW, Kind.POLICY})))
        first: dict[str, Hit] = {}
        for hit in answer.hits:
            first.setdefault(hit.document_id, hit)
        return list(first.values())[:k]

    # -- parts ------------------------------------------------------------------------------

    def _rows(self, scope: frozenset[str], filters: CaseFilters) -> list[RowMapping]:
        self._library.follow()
        wanted = fold(filters.outcome).text.split()
        statement = published(scope, bodies=bool(wanted)).where(*_conditions(filters))
        with self._office.reading() as connection:
            rows = list(connection.execute(statement).mappings())
        return [r for r in rows if _tells(r, wanted)] if wanted else rows

    def _ranked(self, rows: list[RowMapping], problem: str, scope: frozenset[str]) -> list[_Placed]:
        if not rows:
            return []
        documents = [r["document_id"] for r in rows]
        near = self._problems.near(problem, documents, self._library.follow())
        by_words = share_of_words(problem)
        found = self._by_words(problem, scope) if by_words else {}
        placed = [
            _Placed(
                r["case_id"],
                (1 - by_words) * near.get(r["document_id"], 0.0)
                + by_words * found.get(r["document_id"], 0.0),
            )
            for r in rows
        ]
        return sorted(placed, key=lambda p: (-p.score, p.case_id))

    def _cards(self, placed: Sequence[_Placed], scope: frozenset[str], problem: str) -> tuple[CaseCard, ...]:
        """The cards of a page; one that was withdrawn in this moment is left out."""
        with self._office.reading() as connection:
            rows = connection.execute(
                published(scope).where(cases.c.case_id.in_([p.case_id for p in placed]))
            ).mappings()
            by_id = {r["case_id"]: r for r in rows}
        shown = [(by_id[p.case_id], p.score) for p in placed if p.case_id in by_id]
        bodies = [body_from(row["body"]) for row, _ in shown]
        nearest = self._problems.nearest(problem, bodies) if problem else [""] * len(shown)
        return tuple(
            card_of(row, score=score, why=(why,) if why else ())
            for (row, score), why in zip(shown, nearest, strict=True)
        )

    def _by_words(self, problem: str, scope: frozenset[str]) -> dict[str, float]:
        """What the one search says of the texts of cases, 0 to 1, by document."""
        if not any(c.isalnum() for c in problem):
            return {}
        answer = self._engine.search(Query(problem, scope, k=DEPTH, kinds=frozenset({Kind.CASE})))
        most = max((hit.score for hit in answer.hits), default=0.0)
        found: dict[str, float] = {}
        for hit in answer.hits if most > 0 else ():
            found.setdefault(hit.document_id, hit.score / most)
        return found


def share_of_words(problem: str) -> float:
    """How much the words themselves count, by the length of what is asked for.

    >>> share_of_words("冷链断链"), share_of_words("夏天发的冻肉频频被退，倒了几趟车就软了")
    (0.5, 0.0)
    """
    return MOST_BY_WORDS * min(1.0, max(0.0, (TOLD - len(problem)) / (TOLD - KEYWORDS)))


def _checked(problem: str, k: int, offset: int) -> str:
    problem = " ".join(problem.split())
    if len(problem) > LONGEST_PROBLEM:
        raise InvalidQuery(
            f"Cannot look for a problem of {len(problem)} characters.",
            f"Say it in at most {LONGEST_PROBLEM}.",
        )
    if not 1 <= k <= 100 or not 0 <= offset <= 10_000:
        raise InvalidQuery(f"Cannot give {k} cases from {offset} on.", "Ask for 1 to 100, from 0 to 10000.")
    return problem


def _conditions(filters: CaseFilters) -> list[ColumnElement[bool]]:
    v = case_versions.c
    conditions: list[ColumnElement[bool]] = []
    if filters.industries:
        conditions.append(v.industry.in_(sorted(filters.industries)))
    if filters.levels:
        conditions.append(v.level.in_(sorted(filters.levels)))
    if filters.branches:
        conditions.append(cases.c.branch_id.in_(sorted(filters.branches)))
    for column, bands, chosen in ((v.people, SIZES, filters.sizes), (v.cost, COSTS, filters.costs)):
        if chosen:
            within = [bands[b] for b in sorted(chosen) if b in bands]
            fits = (and_(column >= least, column < below) for _, least, below in within)
            conditions.append(or_(false(), *fits))
    return conditions


def _tells(row: RowMapping, wanted: list[str]) -> bool:
    """Whether the outcome speaks of every one of the words."""
    body = body_from(row["body"])
    outcome = fold("\n".join(body.get(f, "") for f in (Field.OUTCOME, Field.FIGURES))).text
    return all(word in outcome for word in wanted)


def _newest(rows: list[RowMapping]) -> list[_Placed]:
    newest = sorted(rows, key=lambda r: (r["published_at"], r["case_id"]), reverse=True)
    return [_Placed(r["case_id"], 0.0) for r in newest]


def _facets(rows: list[RowMapping]) -> Mapping[str, Mapping[str, int]]:
    """How many there are of each industry, size, cost, level and branch; what is not told counts nowhere."""
    return {
        "industry": Counter(r["industry"] for r in rows if r["industry"]),
        "size": Counter(b for r in rows if (b := band_of(r["people"], SIZES))),
        "cost": Counter(b for r in rows if (b := band_of(r["cost"], COSTS))),
        "level": Counter(r["level"] for r in rows if r["level"]),
        "branch": Counter(r["branch_id"] for r in rows if r["branch_id"]),
    }


def band_of(number: int | None, bands: Mapping[str, tuple[str, int, int]]) -> str | None:
    """The band that a number falls into.

    >>> band_of(30, SIZES), band_of(None, COSTS)
    ('m', None)
    """
    if number is None:
        return None
    return next((name for name, (_, least, below) in bands.items() if least <= number < below), None)

"""A query to its answer: both legs under one scope, fusion, facets, highlights."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from kb.errors import InvalidQuery
from kb.model import Answer, DocumentCard, Filters, Hit, LegScore, Mode, Query, Validity
from kb.names import name_key
from kb.ports import Run
from search.analysis import fold, folded_terms, query_terms
from search.answer_forms import POOL, add_gains, asked_forms, gain
from search.fusion import KEYWORD_DEPTH, VECTOR_DEPTH, convex_combination
from search.highlight import found_terms, highlight
from search.index import SearchIndex
from search.target import Names
from store.catalog import Catalog, Located, Placed

DEPTH_ALONE = 400
"""Passages that a leg retrieves when it answers alone."""
MAX_WINDOW = 1000
"""How far one can page."""
MAX_QUERY_CHARS = 2000
MAX_TARGETS = 10
MAX_SCOPES, MAX_REMEMBERED = 16, 200_000
"""Scopes, and passages in each, of which is remembered what facets need."""
_HOLDING = 50
"""Passages that are looked through for a text word for word; they hold all its pairs of characters."""
_STANDING = frozenset({Validity.IN_FORCE, Validity.NOT_YET, Validity.REPEALED})


class SearchEngine:
    """Answers queries. Safe to share between threads."""

    def __init__(
        self, catalog: Catalog, index: SearchIndex, *, today: Callable[[], date] = date.today
    ) -> None:
        self.catalog = catalog
        self.index = index
        self.today = today
        self._names: tuple[int, Names] | None = None
        self._naming = threading.Lock()
        self._placed: dict[tuple[int, frozenset[str], date], dict[int, Placed]] = {}
        self._placing = threading.Lock()

    def search(self, query: Query) -> Answer:
        """The passages that answer the query, best first, inside its scope.

        Raises:
            InvalidQuery: no text, too much text, or a page that cannot be had.
            ServiceError: a leg failed; the answer is never given without it.
        """
        began = time.perf_counter()
        _check(query)
        seq = self.catalog.seq()
        gone = self.index.follow(seq)
        within = self._filters(query, gone | self.catalog.hidden_copies(query.scope))
        terms = query_terms(query.text)
        runs = self._retrieve(query, terms, within)
        fused = _fuse(runs, self.index.encoder.least_cosine)
        targets = self._targets(query, within, seq)
        placed = self._place([*(key for key, _ in fused), *targets], query.scope, within.day, seq)
        visible = [(key, score) for key, score in fused if key in placed]
        gains = self._answer_forms(query, visible, within)
        if any(gains.values()):
            visible = add_gains(visible, gains)
        ranked = _with_targets_first(visible, [key for key in targets if key in placed])
        shown = ranked[query.offset : query.offset + query.k]
        located = self.catalog.locate([key for key, _ in shown], query.scope, within.day)
        places = {
            leg: {key: LegScore(rank, score) for rank, (key, score) in enumerate(run, 1)}
            for leg, run in runs.items()
        }
        places["target"] = {key: LegScore(rank, 1.0) for rank, key in enumerate(targets, 1)}
        places["form"] = {key: LegScore(1, gain) for key, gain in gains.items() if gain}
        hits = tuple(
            _hit(
                query,
                terms,
                rank,
                score,
                located[key],
                {leg: p[key] for leg, p in places.items() if key in p},
            )
            for rank, (key, score) in enumerate(shown, query.offset + 1)
            if key in located
        )
        took_ms = (time.perf_counter() - began) * 1000
        return Answer(query.text, len(ranked), took_ms, hits, _facets([placed[key] for key, _ in ranked]))

    def suggest(self, text: str, scope: frozenset[str], k: int = 8) -> tuple[DocumentCard, ...]:
        """Documents whose title or 文号 contains what was typed so far."""
        key = name_key(fold(text).text)
        return tuple(self.catalog.suggest(key, scope, self.today(), k)) if key else ()

    def stands(self, text: str, scope: frozenset[str]) -> bool:
        """Whether some passage in the scope says this, word for word but for script, width and number forms.

        Texts that are superseded or repealed count, too. Two characters are the least that can be looked for.
        """
        said = "".join(fold(text).text.split())
        pairs = [t for t in folded_terms(fold(text).text) if len(t) > 1 and "[" not in t]
        if len(said) < 2 or not pairs:
            return False
        seq = self.catalog.seq()
        gone = self.index.follow(seq)
        day = self.today()
        within = Filters(scope, day, without=gone | self.catalog.hidden_copies(scope))
        keys = self.index.keyword.holding(pairs, _HOLDING, within)
        found = self.catalog.locate(keys, scope, day)
        return any(said in "".join(fold(f.text).text.split()) for f in found.values())

    def _filters(self, query: Query, without: frozenset[str]) -> Filters:
        day = query.as_of or self.today()
        validity = query.validity or (frozenset({Validity.IN_FORCE}) if query.as_of else _STANDING)
        return Filters(
            query.scope, day, validity, query.kinds, query.issuers, query.years, query.documents, without
        )

    def _retrieve(self, query: Query, terms: Sequence[str], within: Filters) -> dict[str, Run]:
        """Each leg's run, to a depth that does not depend on the page asked for."""
        runs: dict[str, Run] = {}
        alone = query.mode is not Mode.HYBRID
        if query.mode is not Mode.VECTOR:
            runs["keyword"] = self.index.keyword.search(
                terms, DEPTH_ALONE if alone else KEYWORD_DEPTH, within
            )
        if query.mode is not Mode.KEYWORD:
            vector = self.index.encoder.encode_queries([query.text])[0]
            runs["vector"] = self.index.vector.search(vector, DEPTH_ALONE if alone else VECTOR_DEPTH, within)
        return runs

    def _targets(self, query: Query, within: Filters, seq: int) -> list[int]:
        """Keys of the passages that the query names, inside scope and filters, newest version first."""
        for target in self._known_names(seq).candidates(query.text):
            visible = self.catalog.visible(target.document_ids, query.scope)
            named = [d for d in target.document_ids if d in visible]
            found = self.catalog.clause_passages(named, target.label) if target.label else []
            found = found or self.catalog.first_passages(named)
            placed = self.catalog.place([key for _, key in found], query.scope, within.day)
            order = {document_id: i for i, document_id in enumerate(named)}
            keys = [
                (order[document_id], n, key)
                for n, (document_id, key) in enumerate(found)
                if (p := placed.get(key)) and within.admits(document_id, p.kind, p.issuer, p.year, p.validity)
            ]
            if keys:
                return [key for _, _, key in sorted(keys)[:MAX_TARGETS]]
        return []

    def _place(self, keys: Sequence[int], scope: frozenset[str], day: date, seq: int) -> dict[int, Placed]:
        """As `Catalog.place`, remembered for a scope and a day until the catalog changes."""
        asked = (seq, scope, day)
        with self._placing:
            if len(self._placed) > MAX_SCOPES or any(known[0] != seq for known in self._placed):
                self._placed = {}
            known = self._placed.setdefault(asked, {})
            if len(known) > MAX_REMEMBERED:
                # A new one, since another thread may be reading the old.
                known = self._placed[asked] = {}
        missing = [key for key in keys if key not in known]
        fresh = self.catalog.place(missing, scope, day) if missing else {}
        known.update(fresh)
        return {key: place for key in keys if (place := fresh.get(key) or known.get(key))}

    def _answer_forms(self, query: Query, ranked: Run, within: Filters) -> dict[int, float]:
        """What the best passages gain by being an answer in form, by key; nothing where no form is asked for."""
        forms = asked_forms(query.text)
        if not forms:
            return {}
        located = self.catalog.locate([key for key, _ in ranked[:POOL]], query.scope, within.day)
        return {key: gain(forms, query.text, found.text) for key, found in located.items()}

    def _known_names(self, seq: int) -> Names:
        with self._naming:
            if self._names is None or self._names[0] != seq:
                self._names = (seq, Names(self.catalog.titles()))
            return self._names[1]


def _check(query: Query) -> None:
    if not query.text.strip():
        raise InvalidQuery("Cannot search: the query has no text.", "Give some words, a 文号, or a title.")
    if len(query.text) > MAX_QUERY_CHARS:
        raise InvalidQuery(
            f"Cannot search: the query has {len(query.text):,} characters, at most {MAX_QUERY_CHARS:,} are taken.",
            "Shorten it to the question itself.",
        )
    if query.k < 1 or query.offset < 0 or query.offset + query.k > MAX_WINDOW:
        raise InvalidQuery(
            f"Cannot give hits {query.offset + 1} to {query.offset + query.k}: hits 1 to {MAX_WINDOW} can be had.",
            "Narrow the search with filters.",
        )


def _fuse(runs: Mapping[str, Run], least_cosine: float) -> Run:
    """One run, without what only the vector leg found and has nothing to do with the query."""
    keyword, vector = runs.get("keyword", []), runs.get("vector", [])
    fused = convex_combination(keyword, vector) if len(runs) == 2 else keyword or vector
    matched = {key for key, _ in keyword} | {key for key, cosine in vector if cosine >= least_cosine}
    return [hit for hit in fused if hit[0] in matched]


def _with_targets_first(fused: Run, targets: Sequence[int]) -> Run:
    """The named passages lead, above every other score."""
    named = set(targets)
    top = max((score for _, score in fused), default=0.0)
    lead = [(key, top + len(targets) - i) for i, key in enumerate(targets)]
    return lead + [(key, score) for key, score in fused if key not in named]


def _facets(placed: Sequence[Placed]) -> dict[str, dict[str, int]]:
    values = {
        "kind": [p.kind.value for p in placed],
        "issuer": [p.issuer for p in placed if p.issuer],
        "year": [str(p.year) for p in placed if p.year],
        "validity": [p.validity.value for p in placed],
    }
    return {
        name: dict(sorted(Counter(found).items(), key=lambda c: (-c[1], c[0])))
        for name, found in values.items()
    }


def _hit(
    query: Query, terms: Sequence[str], rank: int, score: float, found: Located, legs: Mapping[str, LegScore]
) -> Hit:
    card = found.card
    return Hit(
        rank=rank,
        score=score,
        passage_id=found.passage.passage_id,
        document_id=card.document_id,
        clause_id=found.passage.clause_id,
        anchor=found.anchor,
        title=card.title,
        path=found.passage.path,
        text=found.text,
        highlights=highlight(found.text, terms),
        source=card.source,
        page=found.passage.page,
        kind=card.kind,
        issuer=card.issuer,
        number=card.number,
        year=found.year,
        validity=card.validity,
        effective_on=card.effective_on,
        start=found.passage.start,
        end=found.passage.end,
        legs=legs,
        terms=found_terms(found.text, terms) if query.explain else (),
    )

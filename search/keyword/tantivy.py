"""Keyword leg on tantivy, fed our own tokens.

tantivy scores by BM25 with k1 1.2 and b 0.75 (Robertson, Zaragoza 2009). It gets
the tokens of `search.analysis` joined by spaces and only splits them again. The
sequence number applied stands in a marker document, so that it is committed in
the same step as the change.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import tantivy
from tantivy import FieldType, Index, Occur
from tantivy import Query as Q

from kb.errors import IndexMismatch
from kb.model import Entry, Filters, Validity
from kb.ports import Run
from search.analysis import terms

_HEAP_BYTES = 128_000_000
_NEVER = date.max.toordinal() + 1
_MARKER = "#applied"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("key", fast=True)
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    for name in ("document", "audience", "kind", "issuer", "reason"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("year", "effective", "ended", "applied"):
        builder.add_integer_field(name, fast=True, indexed=True)
    return builder.build()


class TantivyIndex:
    """A keyword index in one folder. Searching is safe from many threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._schema = _schema()
        try:
            self._index = Index(self._schema, path=str(folder))
        except ValueError as error:
            raise IndexMismatch(
                f"Cannot open the keyword index in {folder}: {error}.", "Run `gongxue reindex`."
            ) from error
        self._index.config_reader("manual")
        self.refresh()

    @property
    def applied(self) -> int:
        """Catalog sequence number that is in."""
        return self._applied

    @property
    def n_passages(self) -> int:
        """How many passages can be found."""
        return self._searcher.num_docs - (1 if self._applied else 0)

    def refresh(self) -> None:
        """See what has been committed, here or elsewhere."""
        self._index.reload()
        self._searcher = self._index.searcher()
        marker = self._searcher.search(Q.term_query(self._schema, "document", _MARKER), 1, count=False).hits
        values = self._searcher.fast_field_values("applied", [address for _, address in marker])
        self._applied = int(values[0] or 0) if values else 0

    def apply(self, removed: Iterable[str], entries: Sequence[Entry], seq: int) -> None:
        """Drop documents, take entries, remember `seq`; one commit."""
        writer = self._index.writer(_HEAP_BYTES, 1)
        # A commit that was cut short leaves files of the very names that the next one writes.
        writer.garbage_collect_files()
        for document_id in {*removed, *(e.document_id for e in entries), _MARKER}:
            writer.delete_documents_by_term("document", document_id)
        for entry in entries:
            writer.add_document(self._document(entry))
        marker = tantivy.Document()
        marker.add_text("document", _MARKER)
        marker.add_integer("applied", seq)
        writer.add_document(marker)
        writer.commit()
        writer.wait_merging_threads()
        self.refresh()

    def _document(self, entry: Entry) -> tantivy.Document:
        d = tantivy.Document()
        d.add_unsigned("key", entry.key)
        d.add_text("terms", " ".join(terms(entry.text)))
        d.add_text("document", entry.document_id)
        d.add_text("kind", entry.kind.value)
        for audience in sorted(entry.audiences):
            d.add_text("audience", audience)
        if entry.issuer is not None:
            d.add_text("issuer", entry.issuer)
        if entry.end_reason is not None:
            d.add_text("reason", entry.end_reason.value)
        if entry.year is not None:
            d.add_integer("year", entry.year)
        d.add_integer("effective", entry.effective_on.toordinal() if entry.effective_on else 0)
        d.add_integer("ended", entry.ended_on.toordinal() if entry.ended_on else _NEVER)
        return d

    def search(self, terms: Sequence[str], k: int, within: Filters) -> Run:
        """The best passages by BM25 over the terms."""
        if not terms or k < 1:
            return []
        text = Q.boolean_query([(Occur.Should, self._term("terms", t)) for t in dict.fromkeys(terms)])
        clauses = [(Occur.Must, text)]
        for occur, clause in self._filters(within):
            clauses.append((occur, Q.const_score_query(clause, 0.0) if occur is Occur.Must else clause))
        # One searcher throughout: another thread may refresh meanwhile, and addresses hold within one only.
        searcher, query, n = self._searcher, Q.boolean_query(clauses), k + 1
        found = searcher.search(query, n, count=False).hits
        while len(found) == n and found[-1][0] == found[k - 1][0]:
            # A tie runs over the cut, and keys decide it: all of it is needed.
            n *= 4
            found = searcher.search(query, n, count=False).hits
        keys = searcher.fast_field_values("key", [address for _, address in found])
        run = [
            (int(key), float(score)) for key, (score, _) in zip(keys, found, strict=True) if key is not None
        ]
        return sorted(run, key=lambda hit: (-hit[1], hit[0]))[:k]

    def holding(self, terms: Sequence[str], k: int, within: Filters) -> list[int]:
        """Passages that hold every term; nothing is ranked."""
        if not terms or k < 1:
            return []
        clauses = [(Occur.Must, self._term("terms", t)) for t in dict.fromkeys(terms)]
        searcher = self._searcher
        query = Q.const_score_query(Q.boolean_query([*clauses, *self._filters(within)]), 1.0)
        found = searcher.search(query, k, count=False).hits
        keys = searcher.fast_field_values("key", [address for _, address in found])
        return sorted(int(key) for key in keys if key is not None)

    def _term(self, field: str, value: object) -> Q:
        return Q.term_query(self._schema, field, value, "freq" if field == "terms" else "basic")

    def _any(self, field: str, values: Iterable[object]) -> Q:
        return Q.boolean_query([(Occur.Should, self._term(field, v)) for v in values])

    def _filters(self, within: Filters) -> list[tuple[Occur, Q]]:
        clauses = [
            (Occur.Must, self._any("audience", sorted(within.scope)) if within.scope else Q.empty_query())
        ]
        for field, values in (
            ("kind", [k.value for k in within.kinds]),
            ("issuer", list(within.issuers)),
            ("year", list(within.years)),
            ("document", list(within.documents)),
        ):
            if values:
                clauses.append((Occur.Must, self._any(field, values)))
        if within.without:
            clauses.append((Occur.MustNot, self._any("document", within.without)))
        if within.validity:
            clauses += [
                (Occur.MustNot, self._standing(s, within.day)) for s in Validity if s not in within.validity
            ]
        return clauses

    def _standing(self, standing: Validity, day: date) -> Q:
        today = day.toordinal()
        ended = self._range("ended", None, today)
        if standing is Validity.IN_FORCE:
            return Q.boolean_query(
                [
                    (Occur.Must, self._range("effective", None, today)),
                    (Occur.Must, self._range("ended", today + 1, None)),
                ]
            )
        if standing is Validity.NOT_YET:
            return Q.boolean_query(
                [
                    (Occur.Must, self._range("effective", today + 1, None)),
                    (Occur.Must, self._range("ended", today + 1, None)),
                ]
            )
        occur = Occur.Must if standing is Validity.SUPERSEDED else Occur.MustNot
        return Q.boolean_query(
            [(Occur.Must, ended), (occur, self._term("reason", Validity.SUPERSEDED.value))]
        )

    def _range(self, field: str, low: int | None, high: int | None) -> Q:
        return Q.range_query(self._schema, field, FieldType.Integer, low, high)

    def close(self) -> None:
        """Nothing to let go of: the writer lives only while it writes."""


class Tantivy:
    """Opens keyword indexes."""

    def open(self, folder: Path) -> TantivyIndex:
        """Open the index in a folder, made if it is empty."""
        return TantivyIndex(folder)


ENGINE = Tantivy()

"""Citations as the catalog has them: nobody is taken at their word about what a document says."""

from dataclasses import replace

from kb.errors import InvalidRequest
from kb.model import Clause, Document
from quiz.model import Citation, Question
from store.catalog import Catalog


def cited(document: Document, start: int, end: int) -> Citation | None:
    """The citation of a span that lies inside one clause; None if it does not, or is empty."""
    clause = next((c for c in document.clauses if c.start <= start < end <= c.end), None)
    if clause is None:
        return None
    return citation_of(document, clause, start, end)


def citation_of(document: Document, clause: Clause, start: int, end: int) -> Citation:
    """The citation of a span that is known to lie inside the clause."""
    return Citation(
        document.document_id,
        document.meta.title,
        clause.path,
        document.text[start:end],
        start,
        end,
        clause.clause_id,
        clause.anchor,
    )


class Citing:
    """Reads documents under a scope, each once, to cite them."""

    def __init__(self, catalog: Catalog, scope: frozenset[str]) -> None:
        self._catalog = catalog
        self._scope = scope
        self._read: dict[str, Document] = {}

    def document(self, document_id: str) -> Document:
        """The document, or NotFound."""
        if document_id not in self._read:
            self._read[document_id] = self._catalog.document(document_id, self._scope)
        return self._read[document_id]

    def settled(self, question: Question) -> Question:
        """The question with title, path and anchor of its citation as they are; without one, also without places.

        Raises:
            NotFound: there is no such document in this scope.
            InvalidRequest: what is quoted does not stand there.
        """
        if question.citation is None:
            return replace(question, places=())
        document = self.document(question.citation.document_id)
        found = cited(document, question.citation.start, question.citation.end)
        if found is None or found.quote != question.citation.quote:
            raise InvalidRequest(
                f"Cannot cite characters {question.citation.start} to {question.citation.end} of"
                f" {document.document_id}: what is quoted does not stand there.",
                "请引用某一条款的原文。",
            )
        places = tuple((s, e) for s, e in question.places if 0 <= s < e <= len(document.text))
        return replace(question, citation=found, places=places)

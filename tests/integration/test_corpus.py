"""The sample corpus through everything, with the bundled encoder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.model import PUBLIC, Mode, Query, Validity

EVERYONE = frozenset({PUBLIC})
ANY = frozenset(Validity)


@pytest.fixture(scope="module")
def corpus(corpus_home: Path) -> Iterator[Services]:
    """Services over the sample corpus."""
    found = build_services(Settings(home=corpus_home))
    yield found
    found.close()


def test_corpus_documents_are_found_by_title(corpus: Services) -> None:
    """Every document is gone to first by its title, all versions of it ahead of anything else."""
    for card in corpus.catalog.cards(EVERYONE, corpus.today(), k=100):
        hits = corpus.search(Query(card.title, EVERYONE, k=5, validity=ANY)).hits
        assert hits[0].title == card.title, card.source
        assert "target" in hits[0].legs, card.title
        assert card.document_id in {h.document_id for h in hits}, card.title


def test_corpus_documents_are_found_by_number(corpus: Services) -> None:
    """Every document that has a 文号 is the first hit for it."""
    for card in corpus.catalog.cards(EVERYONE, corpus.today(), k=100):
        if card.number:
            first = corpus.search(Query(card.number, EVERYONE, k=5, validity=ANY)).hits[0]
            assert (first.document_id, first.legs["target"].rank) == (card.document_id, 1), card.number


def test_corpus_passages_are_found_by_their_own_words(corpus: Services) -> None:
    """A piece of any passage finds that passage among the first five of the keyword leg."""
    for card in corpus.catalog.cards(EVERYONE, corpus.today(), k=100):
        document = corpus.document(card.document_id, EVERYONE)
        for passage in document.passages[:: max(1, len(document.passages) // 3)]:
            words = document.text[passage.start : passage.end][10:50].replace("\n", " ").strip()
            if len(words) < 20:
                continue
            answer = corpus.search(Query(words, EVERYONE, k=5, mode=Mode.KEYWORD, validity=ANY))
            assert passage.passage_id in {h.passage_id for h in answer.hits}, (card.source, words)


def test_corpus_clauses_tile_their_documents(corpus: Services) -> None:
    """Clauses and section heads cover the text of every document without gap or overlap, passages lie in their clause."""
    for card in corpus.catalog.cards(EVERYONE, corpus.today(), k=100):
        document = corpus.document(card.document_id, EVERYONE)
        at = 0
        for start, end in sorted(
            [(c.start, c.end) for c in document.clauses] + [(s.start, s.end) for s in document.sections]
        ):
            assert start >= at, card.source
            assert not document.text[at:start].strip(), card.source
            at = end
        assert not document.text[at:].strip(), card.source
        clauses = {c.clause_id: c for c in document.clauses}
        for passage in document.passages:
            clause = clauses[passage.clause_id]
            assert clause.start <= passage.start < passage.end <= clause.end


def test_corpus_is_unchanged_the_second_time(corpus: Services) -> None:
    """The same folder again adds nothing."""
    before = corpus.status()
    report = corpus.ingest([Path(__file__).parents[2] / "corpus"])
    assert (report.documents, report.unchanged, report.failed) == (0, 70, [])
    assert corpus.status() == before

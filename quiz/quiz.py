"""Questions, papers, exams and what came of them, put together."""

from dataclasses import dataclass

from access.access import Access
from quiz.attempts import Attempts
from quiz.bank import Bank
from quiz.exams import Exams
from quiz.generation.generator import Generator
from quiz.generation.proposer import Proposer
from quiz.papers import Papers
from quiz.results import Results
from search.engine import SearchEngine
from store.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Quiz:
    """Everything that asks people. Safe to share between threads."""

    generator: Generator
    bank: Bank
    papers: Papers
    exams: Exams
    attempts: Attempts
    results: Results


def open_quiz(
    access: Access, catalog: Catalog, engine: SearchEngine, proposer: Proposer | None = None
) -> Quiz:
    """The services over a catalog's store and its index; with a proposer, a model may add candidates."""
    generator = Generator(catalog, engine, proposer)
    bank = Bank(access.office, catalog, generator.check)
    papers = Papers(access.office, bank)
    exams = Exams(access.office, papers, access.sharing)
    attempts = Attempts(access.office, papers, exams)
    return Quiz(generator, bank, papers, exams, attempts, Results(access.office, attempts.settle))

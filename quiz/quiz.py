"""Questions, papers, exams and what came of them, put together."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from access.access import Access
from access.office import Office
from quiz import tables
from quiz.attempts import Attempts
from quiz.bank import Bank
from quiz.exam import Mode
from quiz.exams import Exams
from quiz.generation.generator import Generator
from quiz.generation.proposer import Proposer
from quiz.held import MARKED
from quiz.papers import Papers
from quiz.results import Results
from search.engine import SearchEngine
from store.catalog import Catalog

MEASURED_FOR = timedelta(days=7)
"""How long after the end of a test marks that come late still change what was measured of its questions."""


@dataclass(frozen=True, slots=True)
class Quiz:
    """Everything that asks people. Safe to share between threads."""

    office: Office
    generator: Generator
    bank: Bank
    papers: Papers
    exams: Exams
    attempts: Attempts
    results: Results

    def tidy(self) -> None:
        """Do what time brings along: review of what cites an ended text, sittings whose time is over, and what
        tests that have ended showed of their questions' difficulty.

        Whoever looks sees the first two without it.
        """
        self.bank.recheck()
        e, a, now = tables.exams.c, tables.attempts.c, self.office.now()
        ended_at = func.coalesce(e.ended_at, e.closes_at)
        with self.office.reading() as connection:
            waiting = select(a.exam_id).where(a.state != MARKED).distinct()
            unsettled = connection.execute(waiting).scalars().all()
            over = select(e.exam_id).where(
                e.mode == Mode.TEST.value, ended_at > now - MEASURED_FOR, ended_at <= now
            )
            measured = connection.execute(over).scalars().all()
        for exam_id in unsettled:
            self.attempts.settle(exam_id)
        for exam_id in measured:
            self.results.measure(None, exam_id)


def open_quiz(
    access: Access, catalog: Catalog, engine: SearchEngine, proposer: Proposer | None = None
) -> Quiz:
    """The services over a catalog's store and its index; with a proposer, a model may add candidates."""
    office = access.office
    generator = Generator(catalog, engine, proposer)
    bank = Bank(office, catalog, generator.check)
    papers = Papers(office, bank)
    exams = Exams(office, papers, access.sharing)
    attempts = Attempts(office, papers, exams)
    return Quiz(office, generator, bank, papers, exams, attempts, Results(office, attempts.settle))

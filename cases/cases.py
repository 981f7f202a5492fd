"""Cases and what came of them, put together."""

from collections.abc import Callable
from dataclasses import dataclass

from access.access import Access
from cases.adoptions import Adoptions
from cases.attachments import Attachments
from cases.ballots import Ballots
from cases.drafts import Drafts
from cases.finder import Finder
from cases.form_file import body_of
from cases.ledger import Ledger
from cases.library import Library
from cases.open_questions import OpenQuestions
from cases.problems import ProblemIndex
from cases.publishing import Publishing
from ingest.pipeline import Pipeline
from kb.ports import Encoder
from search.engine import SearchEngine
from search.index import SearchIndex
from store.catalog import Catalog
from store.originals import OriginalFolder


@dataclass(frozen=True, slots=True)
class Cases:
    """Everything that has to do with cases. Safe to share between threads."""

    drafts: Drafts
    attachments: Attachments
    library: Library
    publishing: Publishing
    finder: Finder
    adoptions: Adoptions
    ledger: Ledger
    questions: OpenQuestions
    ballots: Ballots

    def tidy(self) -> None:
        """Do what time brings along: ballots that closed are counted, files that nothing holds are let go."""
        self.ballots.tidy()
        self.attachments.tidy()


def open_cases(
    access: Access,
    catalog: Catalog,
    pipeline: Pipeline,
    index: SearchIndex,
    engine: SearchEngine,
    encoder: Callable[[], Encoder],
    files: OriginalFolder,
    max_bytes: int,
) -> Cases:
    """The services over a catalog's store, its pipeline and its index; `encoder` opens that of problems.

    `files` is the folder of attachments, each at most `max_bytes`.
    """
    office = access.office
    library = Library(office, catalog, body_of)
    adoptions = Adoptions(office)
    problems = ProblemIndex(office, encoder)
    access.sharing.bind(library.editions)
    return Cases(
        Drafts(office, files),
        Attachments(office, files, max_bytes),
        library,
        Publishing(office, catalog, pipeline, index, access.sharing, library),
        Finder(office, library, engine, problems),
        adoptions,
        Ledger(office, library, adoptions),
        OpenQuestions(office, access.sharing, problems.alike),
        Ballots(office, access.sharing),
    )

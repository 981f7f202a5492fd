"""Cases and what came of them, put together."""

from collections.abc import Callable
from dataclasses import dataclass

from access.access import Access
from cases.adoptions import Adoptions
from cases.ballots import Ballots
from cases.finder import Finder
from cases.form_file import body_of
from cases.ledger import Ledger
from cases.library import Library
from cases.problems import ProblemIndex
from cases.publishing import Publishing
from ingest.pipeline import Pipeline
from kb.ports import Encoder
from search.engine import SearchEngine
from search.index import SearchIndex
from store.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Cases:
    """Everything that has to do with cases. Safe to share between threads."""

    library: Library
    publishing: Publishing
    finder: Finder
    adoptions: Adoptions
    ledger: Ledger
    ballots: Ballots


def open_cases(
    access: Access,
    catalog: Catalog,
    pipeline: Pipeline,
    index: SearchIndex,
    engine: SearchEngine,
    encoder: Callable[[], Encoder],
) -> Cases:
    """The services over a catalog's store, its pipeline and its index; `encoder` opens that of problems."""
    office = access.office
    library = Library(office, catalog, body_of)
    adoptions = Adoptions(office)
    return Cases(
        library,
        Publishing(office, catalog, pipeline, index, access.sharing, library),
        Finder(office, library, engine, ProblemIndex(office, encoder)),
        adoptions,
        Ledger(office, library, adoptions),
        Ballots(office, access.sharing),
    )

"""What pages, HTTP and command line share: one object on one home."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from access.access import Access
from access.principal import Principal
from api.holdings import Holdings
from api.jobs import Jobs
from api.settings import ATTACHMENTS, Settings
from cases.cases import open_cases
from ingest.metadata import Sidecar
from ingest.pipeline import LIBRARY, Keeping, Outcome, Pipeline, find_files
from kb.model import Answer, Document, DocumentCard, Kind, Query, Source
from kb.ports import Encoder
from quiz.generation.proposer import Proposer
from quiz.quiz import open_quiz
from search.engine import SearchEngine
from search.index import SearchIndex
from store.catalog import Catalog
from store.originals import OriginalFolder

Progress = Callable[[str, int, int], None]
"""Called with the step ("read" or "index"), how many are done and how many there are."""


@dataclass(slots=True)
class IngestReport:
    """What went in and what did not."""

    documents: int = 0
    passages: int = 0
    unchanged: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    document_ids: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.status == "failed":
            self.failed.append({"source": outcome.source, "code": outcome.code, "message": outcome.message})
            return
        if outcome.document_id:
            self.document_ids.append(outcome.document_id)
        if outcome.status == "unchanged":
            self.unchanged += 1
        else:
            self.documents += 1
            self.passages += outcome.n_passages

    def to_json(self) -> dict[str, Any]:
        """The report of the command line contract."""
        return {
            "documents": self.documents,
            "passages": self.passages,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }


class Services:
    """Everything one home can do. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        originals: OriginalFolder,
        pipeline: Pipeline,
        index: SearchIndex,
        engine: SearchEngine,
        access: Access,
        problem_encoder: Callable[[], Encoder],
        proposer: Proposer | None = None,
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.originals = originals
        self.pipeline = pipeline
        self.index = index
        self.engine = engine
        self.access = access
        self.cases = open_cases(
            access,
            catalog,
            pipeline,
            index,
            engine,
            problem_encoder,
            OriginalFolder(settings.home / ATTACHMENTS),
            settings.max_source_mb * 1024 * 1024,
        )
        self.holdings = Holdings(access, catalog, originals, pipeline, index, self.cases.library.versions)
        self.quiz = open_quiz(access, catalog, engine, proposer)
        self.jobs = Jobs(settings.home, access, self.holdings, nightly=self.tidy)

    # -- reading ------------------------------------------------------------

    def today(self) -> date:
        """The day on which validity is judged by default."""
        return self.engine.today()

    def search(self, query: Query) -> Answer:
        """See `SearchEngine.search`."""
        return self.engine.search(query)

    def suggest(self, text: str, scope: frozenset[str], k: int = 8) -> tuple[DocumentCard, ...]:
        """Documents whose title or 文号 contains what was typed so far."""
        return self.engine.suggest(text, scope, k)

    def document(self, document_id: str, scope: frozenset[str]) -> Document:
        """The document whole, or NotFound."""
        return self.catalog.document(document_id, scope)

    def card(self, document_id: str, scope: frozenset[str]) -> DocumentCard:
        """The document's card, or NotFound."""
        return self.catalog.card(document_id, scope, self.today())

    def versions(self, document_id: str, scope: frozenset[str]) -> tuple[DocumentCard, ...]:
        """Every version of the document's work, newest first, or NotFound."""
        return tuple(self.catalog.versions(document_id, scope, self.today()))

    def documents(
        self, scope: frozenset[str], *, kind: Kind | None = None, offset: int = 0, k: int = 50
    ) -> tuple[int, tuple[DocumentCard, ...]]:
        """How many there are, and one page of them, newest first."""
        cards = self.catalog.cards(scope, self.today(), kind=kind, offset=offset, k=k)
        return self.catalog.count(scope, kind=kind), tuple(cards)

    def overview(self, scope: frozenset[str]) -> dict[str, int]:
        """Documents by kind, and "passages"."""
        return self.catalog.overview(scope)

    def original(self, document_id: str, scope: frozenset[str]) -> Source:
        """The bytes handed in, or NotFound."""
        card, keeper = self.card(document_id, scope), self.catalog.keeper(document_id, scope)
        return Source(card.source, card.media_type, self.originals.get(keeper.sha256))

    def note_reading(self, by: Principal, document_id: str, action: str = "document.read") -> None:
        """Tell in the audit trail that a person read a document, or took its original."""
        self.holdings.note_reading(by, document_id, action)

    def is_ready(self) -> bool:
        """Whether the index has come up to the catalog."""
        return self.index.applied >= self.catalog.seq()

    def status(self) -> dict[str, Any]:
        """Counts, and how far the index has come. For administrators: it counts over every scope."""
        seq = self.catalog.seq()
        return {
            "home": str(self.settings.home),
            "documents": self.catalog.total(),
            "passages": self.index.keyword.n_passages,
            "vectors": self.index.vector.n_passages,
            "seq": seq,
            "applied": self.index.applied,
            "ready": self.index.applied >= seq,
            "encoder": self.index.encoder.name,
            "dim": self.index.encoder.dim,
            "generation": self.index.generation,
        }

    # -- changing -------------------------------------------------------------

    def ingest(
        self, paths: Sequence[Path], progress: Progress | None = None, *, keeping: Keeping = LIBRARY
    ) -> IngestReport:
        """Take in files and folders, then bring the index up to date. For the operator at the machine."""
        files = find_files(paths)
        return self._ingest(self.pipeline.ingest_files(files, keeping=keeping), len(files), progress)

    def ingest_source(self, source: Source, sidecar: Sidecar | None = None) -> IngestReport:
        """Take in one source. For the operator at the machine."""
        return self._ingest(iter([self.pipeline.ingest(source, sidecar=sidecar)]), 1, None)

    def _ingest(self, outcomes: Iterator[Outcome], n: int, progress: Progress | None) -> IngestReport:
        began = time.perf_counter()
        report = IngestReport()
        for done, outcome in enumerate(outcomes, 1):
            report.add(outcome)
            if progress:
                progress("read", done, n)
        self.index.follow(block=True, progress=_step(progress))
        report.seconds = time.perf_counter() - began
        return report

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out; none of their text is found from here on. For the operator at the machine.

        Raises:
            NotFound: one of them is not here; those before it are gone.
        """
        try:
            for document_id in document_ids:
                with self.catalog.writing() as connection:
                    sha256 = self.catalog.remove(document_id, within=connection)
                    self.access.audit.write(connection, None, "document.withdraw", "document", document_id)
                if sha256:
                    self.originals.discard(sha256)
        finally:
            self.index.follow(block=True)

    def follow(self, progress: Progress | None = None) -> None:
        """Bring the index up to the catalog."""
        self.index.follow(block=True, progress=_step(progress))

    def reindex(self, progress: Progress | None = None) -> None:
        """Build the index anew from the catalog and switch to it."""
        self.index.rebuild(_step(progress))

    def tidy(self) -> None:
        """Do what is due without anybody asking; once a night is enough."""
        self.access.tidy(audit_days=self.settings.audit_days)
        self.quiz.tidy()
        self.cases.tidy()

    def close(self) -> None:
        """Let go of the index and the catalog, once the job at hand is done."""
        self.jobs.stop()
        self.index.close()
        self.catalog.engine.dispose()


def _step(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, n: progress("index", done, n)

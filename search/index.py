"""The built index: one generation live, following the catalog's sequence numbers.

    indexes/index/CURRENT            name of the live generation
    indexes/index/<generation>/      meta.json, keyword/, vector/

A generation is never changed in kind: another analyzer, encoder or format makes
a new one beside it, and CURRENT then switches in one step.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kb.errors import IndexBusy, IndexMismatch
from kb.model import Change, Entry
from kb.ports import Encoder, KeywordEngine, KeywordIndex, VectorEngine, VectorIndex
from search import analysis
from store.catalog import Catalog

FORMAT = 1
_BATCH_PASSAGES = 20_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Meta:
    """What a generation was built with."""

    format: int
    analyzer: str
    encoder: str
    dim: int
    keyword_engine: str
    vector_engine: str


class SearchIndex:
    """Both legs of the live generation. Safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        encoder: Encoder,
        keyword: KeywordEngine,
        vector: VectorEngine,
        *,
        names: tuple[str, str] = ("tantivy", "faiss"),
        opened: bool = True,
    ) -> None:
        """Open the live generation, or begin the first one.

        With `opened` false nothing is opened and `rebuild` must come first.

        Raises:
            IndexMismatch: it was built with something else than is configured; says what.
        """
        self.folder = folder
        self.catalog = catalog
        self.encoder = encoder
        self._engines = (keyword, vector)
        self._meta = Meta(FORMAT, analysis.digest(), encoder.name, encoder.dim, *names)
        self._guard = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "write.lock", thread_local=False)
        if not opened:
            return
        current = self._current()
        if current is None:
            with self._writing(block=True):
                current = self._current() or self._begin()
                self._switch(current)
        self._open(current)

    # -- generations --------------------------------------------------------

    def _current(self) -> str | None:
        try:
            return (self.folder / "CURRENT").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def _begin(self) -> str:
        """A new empty generation, not live yet."""
        n = 1 + max((int(p.name) for p in self.folder.iterdir() if p.name.isdigit()), default=0)
        home = self.folder / f"{n:06d}"
        home.mkdir()
        (home / "meta.json").write_text(json.dumps(asdict(self._meta), indent=1), encoding="utf-8")
        return home.name

    def _switch(self, generation: str) -> None:
        partial = self.folder / f".CURRENT.{os.getpid()}"
        partial.write_text(generation, encoding="utf-8")
        partial.replace(self.folder / "CURRENT")

    def _switched_at(self) -> int:
        """When CURRENT was last written, ns: tells that another process has switched."""
        return (self.folder / "CURRENT").stat().st_mtime_ns

    def _open(self, generation: str) -> None:
        opened_at = self._switched_at()
        home = self.folder / generation
        try:
            found = json.loads((home / "meta.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexMismatch(
                f"Cannot open index {home}: its meta.json is unreadable.", "Run `gongxue reindex`."
            ) from error
        wanted = asdict(self._meta)
        differing = [
            f"{k} {found.get(k)}, configured {wanted[k]}" for k in wanted if found.get(k) != wanted[k]
        ]
        if differing:
            raise IndexMismatch(
                f"Cannot open index {home}: built with {'; '.join(differing)}.", "Run `gongxue reindex`."
            )
        keyword, vector = self._legs(generation)
        if max(keyword.applied, vector.applied) > self.catalog.seq():
            raise IndexMismatch(
                f"Cannot open index {home}: it has change {max(keyword.applied, vector.applied)}, the catalog's last is"
                f" {self.catalog.seq()}; they are not of one home.",
                "Run `gongxue reindex`.",
            )
        self._opened_at, self._generation, self.keyword, self.vector = opened_at, generation, keyword, vector

    def _legs(self, generation: str) -> tuple[KeywordIndex, VectorIndex]:
        home = self.folder / generation
        return self._engines[0].open(home / "keyword"), self._engines[1].open(home / "vector", self.encoder)

    @property
    def generation(self) -> str:
        """Name of the live generation."""
        return self._generation

    # -- following the catalog ------------------------------------------------

    @property
    def applied(self) -> int:
        """Sequence number that both legs have."""
        return min(self.keyword.applied, self.vector.applied)

    def follow(
        self, seq: int | None = None, *, block: bool = False, progress: Progress | None = None
    ) -> frozenset[str]:
        """Bring the index up to the catalog; documents that it may still hold though they changed.

        When another process is writing, that one does the work: this one sees
        what is done so far and names what must be left out of answers.
        With `block` it waits for its turn instead. `seq` is the catalog's
        present number where the caller has it at hand.
        """
        if self._switched_at() != self._opened_at:
            with self._guard:
                self._refresh()
        if self.applied >= (self.catalog.seq() if seq is None else seq):
            return frozenset()
        with self._guard:
            try:
                with self._writing(block=block):
                    self._refresh()
                    self._catch_up(self.keyword, self.vector, progress)
                    return frozenset()
            except IndexBusy:
                self._refresh()
                return frozenset(c.document_id for c in self.catalog.changes(self.applied))

    def rebuild(self, progress: Progress | None = None) -> None:
        """Build a new generation beside the live one and switch to it."""
        with self._guard, self._writing(block=True):
            generation = self._begin()
            keyword, vector = self._legs(generation)
            self._catch_up(keyword, vector, progress)
            self._switch(generation)
            self._opened_at = self._switched_at()
            self._generation, self.keyword, self.vector = generation, keyword, vector
            for home in self.folder.iterdir():
                if home.name.isdigit() and home.name != generation:
                    shutil.rmtree(home, ignore_errors=True)

    def _refresh(self) -> None:
        current = self._current()
        if current and current != self._generation:
            self._open(current)
        self.keyword.refresh()
        self.vector.refresh()

    def _catch_up(self, keyword: KeywordIndex, vector: VectorIndex, progress: Progress | None) -> None:
        changes = self.catalog.changes(min(keyword.applied, vector.applied))
        done = 0
        for batch in self._batches(changes):
            entries = [e for _, found in batch for e in found]
            touched = [change.document_id for change, _ in batch]
            seq = batch[-1][0].seq
            for leg in (keyword, vector):
                if leg.applied < seq:
                    leg.apply(touched, entries, seq)
            done += len(batch)
            if progress:
                progress(done, len(changes))

    def _batches(self, changes: list[Change]) -> Iterator[list[tuple[Change, list[Entry]]]]:
        batch: list[tuple[Change, list[Entry]]] = []
        n = 0
        for change in changes:
            entries = [] if change.removed else self.catalog.entries(change.document_id)
            batch.append((change, entries))
            n += len(entries)
            if n >= _BATCH_PASSAGES:
                yield batch
                batch, n = [], 0
        if batch:
            yield batch

    @contextmanager
    def _writing(self, *, block: bool) -> Iterator[None]:
        try:
            with self._lock.acquire(timeout=-1 if block else 0):
                yield
        except Timeout as error:
            raise IndexBusy(
                f"Cannot write index {self.folder}: another process is writing it.", "Try again shortly."
            ) from error

    def close(self) -> None:
        """Let go of both legs."""
        self.keyword.close()
        self.vector.close()

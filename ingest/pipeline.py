"""The order of the steps from files to the catalog, and nothing else.

A batch never stops at one bad document: what failed and why is an outcome like
any other. An outcome is given only after the catalog has committed it.
"""

import ctypes
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from ingest.metadata import Sidecar
from ingest.read import copy_document, document_id_of, read_document
from ingest.readers import MAX_BYTES, media_type_of
from kb.errors import DocumentError, KbError, OversizeSource, UnreadableSource, UnsupportedFormat
from kb.model import PUBLIC, Document, Source, derive_id
from kb.names import article_key, name_key
from store.catalog import Catalog
from store.originals import OriginalFolder

MANIFEST = "manifest.jsonl"
"""A file of this name in a folder describes the files beside and below it, a JSON object a line with "path"."""

_PR_SET_PDEATHSIG = 1
_PARALLEL_FROM = 40
"""Sources from which reading in several processes pays for starting them."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be taken in. `name` is what people see: the path below the folder that was named."""

    path: Path
    name: str
    sidecar: Sidecar | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """Who keeps what comes in and who may see it from the start.

    Without a branch it belongs to the common library. What a person hands in (`owner_id`) is a document of
    its own beside any of the same bytes. `again` puts back what was withdrawn.
    """

    audience: frozenset[str] = frozenset({PUBLIC})
    branch_id: str | None = None
    owner_id: str | None = None
    again: bool = False
    may_reshare: frozenset[str] = frozenset()

    def document_id(self, source: Source) -> str:
        """The id under which the source goes in."""
        return document_id_of(source, *([self.branch_id or "", self.owner_id] if self.owner_id else []))


LIBRARY = Keeping()
"""The common library, open to everyone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source: "added", "unchanged" or "failed" with a code and a message."""

    source: str
    status: str
    document_id: str | None = None
    n_passages: int = 0
    code: str = ""
    message: str = ""


def find_files(paths: Sequence[Path]) -> list[File]:
    """Files named, and all files below folders named, in order of path; hidden ones and manifests are passed over.

    Raises:
        UnreadableSource: a manifest cannot be read.
    """
    found: list[File] = []
    for path in paths:
        if path.is_file():
            sidecars = _manifest(path.parent)
            found.append(File(path, _words(path.name), sidecars.get(path.name)))
        elif path.is_dir():
            found.extend(_below(path))
        else:
            found.append(File(path, _words(str(path))))
    return found


def _below(folder: Path) -> Iterator[File]:
    manifests: dict[Path, dict[str, Sidecar]] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        here = Path(parent)
        manifests[here] = _manifest(here)
        for name in sorted(names):
            if name.startswith(".") or name == MANIFEST:
                continue
            path = here / name
            yield File(path, _words(path.relative_to(folder).as_posix()), _sidecar(path, folder, manifests))


def _words(name: str) -> str:
    """A file name as text; one that is not UTF-8 is taken for GB18030, as old archives have it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def _sidecar(path: Path, top: Path, manifests: Mapping[Path, Mapping[str, Sidecar]]) -> Sidecar | None:
    for folder in path.parents:
        if found := manifests.get(folder, {}).get(path.relative_to(folder).as_posix()):
            return found
        if folder == top:
            break
    return None


def _manifest(folder: Path) -> dict[str, Sidecar]:
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    found = {}
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path} line {n}"
        try:
            stated = json.loads(line)
            name = stated["path"]
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableSource(
                f"Cannot read {where}: {error}.", 'Each line is a JSON object with a "path".'
            ) from error
        found[name] = Sidecar.from_json(stated, where)
    return found


class Pipeline:
    """Takes sources into the catalog."""

    def __init__(
        self,
        catalog: Catalog,
        originals: OriginalFolder,
        *,
        fold: Callable[[str], str],
        max_bytes: int = MAX_BYTES,
        processes: int | None = None,
    ) -> None:
        """`fold` gives the matching form under which titles, numbers and labels are looked up."""
        self.catalog = catalog
        self.originals = originals
        self.fold = fold
        self.max_bytes = max_bytes
        self.processes = processes or os.cpu_count() or 1

    def ingest_files(self, files: Sequence[File], *, keeping: Keeping = LIBRARY) -> Iterator[Outcome]:
        """Take files in, in order, one outcome each."""
        apart = len(files) >= _PARALLEL_FROM and self.processes > 1
        readings = (
            self._read_apart(files, keeping) if apart else (self._read_here(file, keeping) for file in files)
        )
        for source, sidecar, reading in readings:
            yield self._commit(source, sidecar, reading, keeping)

    def _read_here(self, file: File, keeping: Keeping) -> "_Step":
        source = _load(file, self.max_bytes)
        if isinstance(source, KbError) or self._is_in(source, file.sidecar, keeping):
            return _settled(file, source)
        return source, file.sidecar, _read(source, file.sidecar, self.max_bytes, keeping)

    def _read_apart(self, files: Sequence[File], keeping: Keeping) -> Iterator["_Step"]:
        """Read in several processes, in order. A file that kills its process is named and the rest goes on."""
        rest = deque(files)
        while rest:
            try:
                with ProcessPoolExecutor(self.processes, initializer=_end_with_parent) as pool:
                    ahead = iter(list(rest))
                    pending = deque(self._submit(pool, f, keeping) for f in islice(ahead, 4 * self.processes))
                    while pending:
                        source, sidecar, reading = pending.popleft()
                        done = reading.result() if isinstance(reading, Future) else reading
                        pending.extend(self._submit(pool, f, keeping) for f in islice(ahead, 1))
                        rest.popleft()
                        yield source, sidecar, done
            except BrokenProcessPool:
                # Which file it was cannot be told; the first that was waited for is read by itself.
                yield self._read_alone(rest.popleft(), keeping)

    def _submit(
        self, pool: ProcessPoolExecutor, file: File, keeping: Keeping
    ) -> tuple[Source, Sidecar | None, "Future[_Reading] | _Reading"]:
        source = _load(file, self.max_bytes)
        if isinstance(source, KbError) or self._is_in(source, file.sidecar, keeping):
            return _settled(file, source)
        return source, file.sidecar, pool.submit(_read, source, file.sidecar, self.max_bytes, keeping)

    def _read_alone(self, file: File, keeping: Keeping) -> "_Step":
        with ProcessPoolExecutor(1, initializer=_end_with_parent) as pool:
            source, sidecar, reading = self._submit(pool, file, keeping)
            try:
                return source, sidecar, reading.result() if isinstance(reading, Future) else reading
            except BrokenProcessPool:
                died = UnreadableSource(
                    f"Cannot read {file.name}: the process that read it died.",
                    "The file may be damaged, or memory too small.",
                )
                return source, sidecar, died

    def _is_in(self, source: Source, sidecar: Sidecar | None, keeping: Keeping) -> bool:
        """Whether these bytes are in the catalog, and nothing else is stated of them now."""
        before, now = self.catalog.stated(keeping.document_id(source)), _stated(sidecar)
        return before is not None and now in ("", before)

    def ingest(
        self,
        source: Source,
        *,
        sidecar: Sidecar | None = None,
        keeping: Keeping = LIBRARY,
        within: Connection | None = None,
    ) -> Outcome:
        """Take one source in, in a transaction of its own or `within` that of `Catalog.writing`."""
        known = self._is_in(source, sidecar, keeping)
        reading = None if known else _read(source, sidecar, self.max_bytes, keeping)
        return self._commit(source, sidecar, reading, keeping, within)

    def copy(self, document: Document, n_bytes: int, *, keeping: Keeping) -> tuple[str, bool]:
        """Put a copy of a document beside it, kept by another branch: the copy's id, and whether it is new.

        The copy is seen only by those who see the document; see `store.visibility`.
        """
        document_id = derive_id("copy", document.document_id, keeping.branch_id or "")
        added = self._add(
            copy_document(document, document_id),
            n_bytes=n_bytes,
            stated="",
            keeping=keeping,
            origin_id=document.document_id,
        )
        return document_id, added

    def _commit(
        self,
        source: Source,
        sidecar: Sidecar | None,
        document: "_Reading",
        keeping: Keeping,
        within: Connection | None = None,
    ) -> Outcome:
        if document is None:
            return Outcome(source.name, "unchanged", keeping.document_id(source))
        try:
            if isinstance(document, KbError):
                raise document
            self.originals.put(source)
            added = self._add(
                document,
                n_bytes=len(source.data),
                stated=_stated(sidecar),
                keeping=keeping,
                within=within,
            )
        except (DocumentError, UnsupportedFormat) as error:
            return Outcome(source.name, "failed", code=error.code, message=str(error))
        if not added:
            return Outcome(source.name, "unchanged", document.document_id)
        return Outcome(source.name, "added", document.document_id, len(document.passages))

    def _add(
        self,
        document: Document,
        *,
        n_bytes: int,
        stated: str,
        keeping: Keeping,
        origin_id: str | None = None,
        within: Connection | None = None,
    ) -> bool:
        meta = document.meta
        return self.catalog.add(
            document,
            title_key=name_key(self.fold(meta.title)),
            number_key=name_key(self.fold(meta.number)) if meta.number else None,
            label_keys=[article_key(self.fold(c.label)) or c.label for c in document.clauses],
            repeal_keys=[name_key(self.fold(name)) for name in meta.repeals],
            n_bytes=n_bytes,
            audience=sorted(keeping.audience),
            may_reshare=keeping.may_reshare,
            branch_id=keeping.branch_id,
            owner_id=keeping.owner_id,
            origin_id=origin_id,
            stated=stated,
            again=keeping.again,
            within=within,
        )


_Reading = Document | KbError | None
"""What reading gave: a document, why there is none, or None for what is in already."""

_Step = tuple[Source, Sidecar | None, _Reading]


def _settled(file: File, source: Source | KbError) -> _Step:
    """A file of which nothing is to be read: it failed, or is in already."""
    if isinstance(source, KbError):
        return Source(file.name, "", b""), file.sidecar, source
    return source, file.sidecar, None


def _stated(sidecar: Sidecar | None) -> str:
    """Digest of what a manifest states; the empty text for nothing."""
    return derive_id(repr(sidecar)) if sidecar and sidecar != Sidecar() else ""


def _end_with_parent() -> None:
    """Have Linux end this process when the one that started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _load(file: File, max_bytes: int) -> Source | KbError:
    """The bytes of a file, or why they cannot be had."""
    try:
        if not file.path.exists():
            raise UnreadableSource(
                f"Cannot read {file.path}: there is no such file or folder.", "Check the path."
            )
        media_type = media_type_of(file.name)
        size = file.path.stat().st_size
        if size > max_bytes:
            raise OversizeSource(
                f"Cannot take {file.name}: {size:,} bytes, {max_bytes:,} are allowed.",
                "Split it, or raise the limit.",
            )
        return Source(file.name, media_type, file.path.read_bytes())
    except KbError as error:
        return error
    except OSError as error:
        return UnreadableSource(f"Cannot read {file.name}: {error.strerror}.", "Check that it may be read.")


def _read(source: Source, sidecar: Sidecar | None, max_bytes: int, keeping: Keeping) -> Document | KbError:
    try:
        return read_document(
            source, sidecar=sidecar, max_bytes=max_bytes, document_id=keeping.document_id(source)
        )
    except (DocumentError, UnsupportedFormat) as error:
        return error

"""The order of the steps from files to the catalog, and nothing else.

A batch never stops at one bad document: what failed and why is an outcome like
any other. An outcome is given only after the catalog has committed it.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingest.metadata import Sidecar
from ingest.read import read_document
from ingest.readers import MAX_BYTES, media_type_of
from kb.errors import DocumentError, KbError, OversizeSource, UnreadableSource, UnsupportedFormat
from kb.model import PUBLIC, Document, Source
from kb.names import article_key, name_key
from store.catalog import Catalog
from store.originals import OriginalFolder

MANIFEST = "manifest.jsonl"
"""A file of this name in a folder describes the files beside and below it, a JSON object a line with "path"."""

_PARALLEL_FROM = 40
"""Sources from which reading in several processes pays for starting them."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be taken in. `name` is what people see: the path below the folder that was named."""

    path: Path
    name: str
    sidecar: Sidecar | None = None


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

    def ingest_files(
        self, files: Sequence[File], *, audience: Iterable[str] = (PUBLIC,)
    ) -> Iterator[Outcome]:
        """Take files in, in order, one outcome each."""
        audience = frozenset(audience)
        readings = (
            self._read_apart(files)
            if len(files) >= _PARALLEL_FROM and self.processes > 1
            else (_read_file(file, self.max_bytes) for file in files)
        )
        for source, document in readings:
            yield self._commit(source, document, audience)

    def _read_apart(self, files: Sequence[File]) -> Iterator[tuple[Source, Document | KbError]]:
        """Read in several processes, in order. A file that kills its process is named and the rest goes on."""
        rest = deque(files)
        while rest:
            try:
                with ProcessPoolExecutor(self.processes) as pool:
                    ahead = iter(list(rest))
                    pending = deque(
                        pool.submit(_read_file, f, self.max_bytes) for f in islice(ahead, 4 * self.processes)
                    )
                    while pending:
                        reading = pending.popleft().result()
                        pending.extend(pool.submit(_read_file, f, self.max_bytes) for f in islice(ahead, 1))
                        rest.popleft()
                        yield reading
            except BrokenProcessPool:
                # Which file it was cannot be told; the first that was waited for is read by itself.
                yield self._read_alone(rest.popleft())

    def _read_alone(self, file: File) -> tuple[Source, Document | KbError]:
        with ProcessPoolExecutor(1) as pool:
            try:
                return pool.submit(_read_file, file, self.max_bytes).result()
            except BrokenProcessPool:
                return Source(file.name, "", b""), UnreadableSource(
                    f"Cannot read {file.name}: the process that read it died.",
                    "The file may be damaged, or memory too small.",
                )

    def ingest(
        self, source: Source, *, sidecar: Sidecar | None = None, audience: Iterable[str] = (PUBLIC,)
    ) -> Outcome:
        """Take one source in."""
        return self._commit(source, _read(source, sidecar, self.max_bytes), frozenset(audience))

    def _commit(self, source: Source, document: Document | KbError, audience: frozenset[str]) -> Outcome:
        if isinstance(document, KbError):
            return Outcome(source.name, "failed", code=document.code, message=str(document))
        meta = document.meta
        if self.catalog.has(document.document_id):
            return Outcome(source.name, "unchanged", document.document_id)
        self.originals.put(source)
        added = self.catalog.add(
            document,
            title_key=name_key(self.fold(meta.title)),
            number_key=name_key(self.fold(meta.number)) if meta.number else None,
            label_keys=[article_key(self.fold(c.label)) or c.label for c in document.clauses],
            repeal_keys=[name_key(self.fold(name)) for name in meta.repeals],
            n_bytes=len(source.data),
            audience=audience,
        )
        if not added:
            return Outcome(source.name, "unchanged", document.document_id)
        return Outcome(source.name, "added", document.document_id, len(document.passages))


def _read_file(file: File, max_bytes: int) -> tuple[Source, Document | KbError]:
    """Runs in a worker: the bytes of a file and the document in them, or why there is none."""
    empty = Source(file.name, "", b"")
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
        source = Source(file.name, media_type, file.path.read_bytes())
    except KbError as error:
        return empty, error
    except OSError as error:
        return empty, UnreadableSource(
            f"Cannot read {file.name}: {error.strerror}.", "Check that it may be read."
        )
    return source, _read(source, file.sidecar, max_bytes)


def _read(source: Source, sidecar: Sidecar | None, max_bytes: int) -> Document | KbError:
    try:
        return read_document(source, sidecar=sidecar, max_bytes=max_bytes)
    except (DocumentError, UnsupportedFormat) as error:
        return error

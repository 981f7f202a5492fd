"""Sources as they were handed in, in a content-addressed folder."""

import os
from pathlib import Path

from kb.errors import NotFound
from kb.model import Source


class OriginalFolder:
    """Keeps bytes under the name of their digest: `ab/abcdef…`.

    A file appears whole or not at all, and is never changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def put(self, source: Source) -> None:
        """Keep the bytes; a no-op when they are here already."""
        path = self._path(source.sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        with partial.open("wb") as file:
            file.write(source.data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        if hasattr(os, "O_DIRECTORY"):
            # The name too must outlive a loss of power.
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def get(self, sha256: str) -> bytes:
        """The bytes with this digest.

        Raises:
            NotFound: they were never kept, or were discarded.
        """
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"No original with digest {sha256}.", "Hand the file in again.") from error

    def discard(self, sha256: str) -> None:
        """Forget the bytes; a no-op when they are not here."""
        self._path(sha256).unlink(missing_ok=True)

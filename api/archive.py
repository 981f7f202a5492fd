"""Backups: catalog, originals, attachments of cases and the secret in one archive. The index is left out, since it can be rebuilt.

The archive holds whatever is in the home, and the secret that seals its audit trail: keep it as safe as the home.
"""

import io
import json
import sqlite3
import tarfile
import tempfile
import zlib
from pathlib import Path

from api.services import Services
from api.settings import ATTACHMENTS, SECRET
from kb.errors import CatalogUnavailable, RequestError, UnreadableSource

_FORMAT = 1
_HEAD = "gongxue-backup.json"
_FOLDERS = {"originals": "documents", ATTACHMENTS: "case_attachments"}
"""Where bytes are kept by their digest, with the table that names them."""


def write_backup(services: Services, file: Path) -> int:
    """Write the archive and return how many documents are in it; the service may run meanwhile.

    The catalog is copied first, by SQLite's own backup, so every document in
    the copy has its original in the archive, and every case its attachments.

    Raises:
        RequestError: the archive cannot be written there.
    """
    home = services.settings.home
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        copy = Path(scratch) / "catalog.db"
        source, target = sqlite3.connect(home / "catalog.db"), sqlite3.connect(copy)
        try:
            source.backup(target)
            n: int = target.execute("SELECT count(*) FROM documents").fetchone()[0]
            kept = [
                f"{folder}/{sha256[:2]}/{sha256}"
                for folder, table in _FOLDERS.items()
                for (sha256,) in target.execute(f"SELECT DISTINCT sha256 FROM {table}")
            ]
        finally:
            source.close()
            target.close()
        partial = file.with_name(f".{file.name}.partial")
        try:
            partial.touch(mode=0o600)
            with tarfile.open(partial, "w:gz", compresslevel=5) as archive:
                head = json.dumps({"format": _FORMAT, "documents": n}).encode()
                info = tarfile.TarInfo(_HEAD)
                info.size = len(head)
                archive.addfile(info, io.BytesIO(head))
                archive.add(copy, "catalog.db")
                archive.add(home / SECRET, SECRET)
                for name in kept:
                    archive.add(home / name, name)
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise RequestError(
                f"Cannot write the backup {file}: {error}.",
                "Name a file in a folder that exists and has room.",
            ) from error
    return n


def read_backup(file: Path, home: Path) -> None:
    """Fill an empty home from an archive.

    Raises:
        CatalogUnavailable: the home holds a catalog, originals or an index already.
        UnreadableSource: the file is no backup of ours, or is damaged; the home stays empty.
    """
    held = [name for name in ("catalog.db", *_FOLDERS, "index", SECRET) if (home / name).exists()]
    if held:
        raise CatalogUnavailable(
            f"Cannot restore to {home}: it holds {', '.join(held)} already.",
            "Give an empty folder by --home, or move this one away.",
        )
    home.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=home) as scratch, tarfile.open(file, "r:gz") as archive:
            head = archive.extractfile(_HEAD)
            if head is None or json.load(head)["format"] != _FORMAT:
                raise KeyError(_HEAD)
            archive.extractall(scratch, filter="data")
            # The checksum of the whole stands at its very end.
            while archive.fileobj and archive.fileobj.read(1 << 20):
                pass
            for folder in _FOLDERS:
                if (Path(scratch) / folder).exists():
                    (Path(scratch) / folder).rename(home / folder)
            if (Path(scratch) / SECRET).exists():
                (Path(scratch) / SECRET).rename(home / SECRET)
            (Path(scratch) / "catalog.db").rename(home / "catalog.db")
    except (OSError, tarfile.TarError, zlib.error, KeyError, ValueError, EOFError) as error:
        raise UnreadableSource(
            f"Cannot restore {file}: {error}.", "Give an archive that `gongxue backup` wrote."
        ) from error

"""Readers, one file per format, found by scanning this folder.

A module here defines `READER`; nothing else registers it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import PurePath

from ingest.encoding import check_length
from kb.errors import EmptySource, KbError, OversizeSource, UnreadableSource, UnsupportedFormat
from kb.model import Reading, Source
from kb.ports import Reader

__all__ = ["MAX_BYTES", "media_type_of", "read_source", "readers"]

MAX_BYTES = 100 * 1024 * 1024
"""Size of a source above which it is refused, unless the caller says otherwise."""


@cache
def readers() -> Mapping[str, Reader]:
    """Reader by file suffix, lower case with the dot, in the order of suffixes.

    Raises:
        ValueError: two readers claim one suffix or one media type.
    """
    by_suffix: dict[str, Reader] = {}
    by_media_type: dict[str, Reader] = {}
    for info in pkgutil.iter_modules(__path__):
        reader: Reader = importlib.import_module(f"{__name__}.{info.name}").READER
        for suffix, media_type in reader.media_types.items():
            if suffix in by_suffix or by_media_type.setdefault(media_type, reader) is not reader:
                raise ValueError(
                    f"Reader {info.name} claims {suffix} {media_type}, which another reader has."
                )
            by_suffix[suffix] = reader
    return dict(sorted(by_suffix.items()))


def media_type_of(name: str) -> str:
    """Media type that the suffix of a file name claims.

    >>> media_type_of("通知/2024.PDF")
    'application/pdf'

    Raises:
        UnsupportedFormat: no reader takes this suffix.
    """
    suffix = PurePath(name).suffix.lower()
    reader = readers().get(suffix)
    if reader is None:
        raise _unsupported(name, suffix)
    return reader.media_types[suffix]


def read_source(source: Source, max_bytes: int = MAX_BYTES) -> Reading:
    """Blocks of the source, by the reader of its media type.

    Raises:
        UnsupportedFormat: no reader takes this media type.
        EmptySource: no bytes, or no letter or ideograph in the text.
        OversizeSource: more bytes than `max_bytes`, or more text than a document may hold.
        UnreadableSource: damaged, locked, or not what its name says.
    """
    reader = _reader_of(source)
    if not source.data:
        raise EmptySource(f"Cannot read {source.name}: it has no bytes.")
    if len(source.data) > max_bytes:
        raise OversizeSource(
            f"Cannot take {source.name}: {len(source.data):,} bytes, {max_bytes:,} are allowed.",
            "Split it, or raise the limit.",
        )
    try:
        reading = reader.read(source)
    except KbError:
        raise
    except Exception as error:
        raise UnreadableSource(
            f"Cannot read {source.name}: {type(error).__name__}: {error}", "The file seems damaged."
        ) from error
    check_length(source, sum(len(block.text) for block in reading.blocks))
    if not any(char.isalpha() for block in reading.blocks for char in block.text):
        raise EmptySource(f"Cannot use {source.name}: there is not one letter or ideograph in its text.")
    return reading


def _reader_of(source: Source) -> Reader:
    for reader in readers().values():
        if source.media_type in reader.media_types.values():
            return reader
    raise _unsupported(source.name, PurePath(source.name).suffix.lower(), source.media_type)


def _unsupported(name: str, suffix: str, media_type: str = "") -> UnsupportedFormat:
    seen = f"suffix {suffix}" if suffix else "a name without suffix"
    claim = f" of media type {media_type}" if media_type else ""
    return UnsupportedFormat(
        f"Cannot read {name}: no reader takes {seen}{claim}.", f"Taken are {' '.join(readers())}."
    )

"""What bytes are, told from the bytes themselves.

A file name is a claim. Readers call `require` before they parse, so that a
picture named notice.txt is refused in words a person understands.
"""

import re

from kb.errors import UnreadableSource
from kb.model import Source

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE file (old Office format, or an encrypted document)"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"RIFF", "a RIFF media file"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"{\\rtf", "an RTF document"),
)

TEXT = "text"
HTML = "an HTML page"
PDF = "a PDF"
ZIP = "a ZIP archive"
BINARY = "binary data"

_HTML_START = re.compile(
    rb"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SHORT_MAGIC = {b"BM", b"MZ", b"BZh"}


def kind_of(data: bytes) -> str:
    """Name of what the bytes look like, with its article.

    >>> kind_of(b"%PDF-1.7"), kind_of("第一条".encode()), kind_of(b"<html><p>a")
    ('a PDF', 'text', 'an HTML page')
    """
    for magic, name in MAGIC:
        if data.startswith(magic) and not (magic in _SHORT_MAGIC and b"\x00" not in data[:512]):
            return name
    if PDF_MARK in data[:1024] and b"\x00" not in data[: data.find(PDF_MARK)]:
        return PDF
    if data.startswith(_UTF16_MARKS):
        return TEXT
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in head:
        return BINARY
    if _HTML_START.match(head):
        return HTML
    return TEXT


PDF_MARK = b"%PDF-"


def require(source: Source, what: str, *kinds: str) -> None:
    """Refuse a source whose bytes are none of `kinds`.

    `what` says in words what the reader takes.

    Raises:
        UnreadableSource: names what was seen instead.
    """
    seen = kind_of(source.data)
    if seen in kinds:
        return
    hint = "Save it again in the format that its name says."
    if seen.startswith("an OLE file"):
        hint = "Remove the password, or save an old .doc as .docx."
    raise UnreadableSource(f"Cannot read {source.name} as {what}: the bytes are {seen}.", hint)

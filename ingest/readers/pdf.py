"""PDF: visual lines with their place, from the text layer."""

import ctypes
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest import sniff
from ingest.encoding import check_length
from ingest.page_layout import Glyph, lines_of
from kb.errors import UnreadableSource
from kb.model import Block, Reading, Source

MIN_CHARS_PER_PAGE = 8
"""Fewer characters on average, on pages that carry pictures, mean a scan."""

MAX_TRAILING_BYTES = 8192
"""A PDF ends with its end mark and at most this much after it; a file cut short has none."""

_SOFT_HYPHENS = {0x02, 0xFFFE}
"""What PDFium gives for a hyphen at a line end that it takes for a divided word."""


class PdfReader:
    """Reads .pdf: one block of role "line" per visual line, in reading order.

    Places are fractions of the page as it is shown, sizes are in points. Text
    set aslant is a stamp or watermark and left out.
    """

    media_types: Mapping[str, str] = {".pdf": "application/pdf"}

    def read(self, source: Source) -> Reading:
        """Lines of the source; see `kb.ports.Reader`."""
        sniff.require(source, "a PDF", sniff.PDF)
        document = _open(source)
        try:
            blocks: list[Block] = []
            n_chars, n_pages = 0, len(document)
            for index in range(n_pages):
                page = document[index]
                for line in _lines(page, index + 1):
                    n_chars += len(line.text)
                    check_length(source, n_chars)
                    blocks.append(line)
                page.close()
            if n_chars < MIN_CHARS_PER_PAGE * n_pages and _has_pictures(document):
                raise UnreadableSource(
                    f"Cannot read {source.name}: {n_pages} scanned pages without a text layer.",
                    "Run text recognition (OCR) over it first, then load the result.",
                )
            return Reading(tuple(blocks), _properties(document), n_pages)
        finally:
            document.close()


def _open(source: Source) -> Any:
    import pypdfium2
    from pypdfium2 import raw

    if b"%%EOF" not in source.data[-MAX_TRAILING_BYTES:]:
        raise UnreadableSource(f"Cannot open {source.name}: the PDF is cut short.", "Get the file again.")
    try:
        return pypdfium2.PdfDocument(source.data)
    except pypdfium2.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise UnreadableSource(
                f"Cannot open {source.name}: the PDF is protected by a password.",
                "Save it without the password.",
            ) from error
        raise UnreadableSource(
            f"Cannot open {source.name}: the PDF is damaged or cut short ({error}).", "Get the file again."
        ) from error


def _properties(document: Any) -> dict[str, str]:
    found = document.get_metadata_dict()
    said = {key: " ".join(found.get(key.capitalize(), "").split()) for key in ("title", "author", "keywords")}
    created = re.match(r"D:(\d{4})(\d\d)(\d\d)", found.get("CreationDate", ""))
    if created:
        said["created"] = "-".join(created.groups())
    return {key: value for key, value in said.items() if value}


def _has_pictures(document: Any) -> bool:
    from pypdfium2 import raw

    return any(
        next(document[i].get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]), None) is not None
        for i in range(min(len(document), 5))
    )


def _lines(page: Any, number: int) -> Iterator[Block]:
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        return
    for line in lines_of(_glyphs(page), width):
        yield Block(
            line.text,
            role="line",
            page=number,
            left=round(line.left / width, 5),
            top=round(line.top / height, 5),
            right=round(line.right / width, 5),
            bottom=round(line.bottom / height, 5),
            font_size=round(line.size, 2),
        )


def _glyphs(page: Any) -> Sequence[Glyph]:
    """Characters of the page as shown: origin upper left, y down, points, text upright."""
    from pypdfium2 import raw

    textpage = page.get_textpage()
    place = _placing(page)
    glyphs: list[Glyph] = []
    box, matrix = raw.FS_RECTF(), raw.FS_MATRIX()
    for i in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage.raw, i)
        if raw.FPDFText_IsGenerated(textpage.raw, i) == 1 and code not in _SOFT_HYPHENS:
            continue
        if not raw.FPDFText_GetLooseCharBox(textpage.raw, i, ctypes.byref(box)):
            continue
        raw.FPDFText_GetMatrix(textpage.raw, i, ctypes.byref(matrix))
        if _is_aslant(matrix.a, matrix.b):
            continue
        size = raw.FPDFText_GetFontSize(textpage.raw, i) * (matrix.c**2 + matrix.d**2) ** 0.5
        x0, y0 = place(box.left, box.top)
        x1, y1 = place(box.right, box.bottom)
        char = "-" if code in _SOFT_HYPHENS else chr(code) if 0 < code < 0x110000 else ""
        if char and not 0xD800 <= code < 0xE000:
            glyphs.append(Glyph(char, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1), size))
    textpage.close()
    return glyphs


def _is_aslant(a: float, b: float) -> bool:
    """Turned by an angle that is no multiple of a right angle."""
    longer, shorter = max(abs(a), abs(b)), min(abs(a), abs(b))
    return longer > 0 and shorter / longer > 0.1


def _placing(page: Any) -> Any:
    """Function from page space to points from the upper left of the page as shown."""
    left, bottom, right, top = page.get_cropbox()
    match page.get_rotation():
        case 90:
            return lambda x, y: (y - bottom, x - left)
        case 180:
            return lambda x, y: (right - x, y - bottom)
        case 270:
            return lambda x, y: (top - y, right - x)
    return lambda x, y: (x - left, top - y)


READER = PdfReader()

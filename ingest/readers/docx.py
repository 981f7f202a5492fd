"""Word documents: paragraphs and tables in body order, with the numbers that Word draws."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from ingest import sniff
from ingest.encoding import check_length
from ingest.word_numbering import Numbering, W, number_of, value_of
from kb.errors import OversizeSource, UnreadableSource
from kb.model import Block, Reading, Source

MAX_XML_BYTES = 64 * 1024 * 1024
"""Unpacked size of all XML in the package."""

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""Unpacked size of the package with its pictures."""

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_FOOTNOTES = re.compile(r"/word/(?:footnotes|endnotes)\.xml$")
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*([1-9])", re.I)


class DocxReader:
    """Reads .docx.

    Heading level is the outline level or that of a style called Heading n or
    标题 n. The style Title gives role "title" and property "title". Automatic
    numbers are part of the text; bullets give role "list". A table row is one
    block; a table of one column is read as paragraphs. Notes come last. Headers,
    footers, deleted text and generated contents lists are left out.
    """

    media_types: Mapping[str, str] = {
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    }

    def read(self, source: Source) -> Reading:
        """Blocks of the source; see `kb.ports.Reader`."""
        import docx

        sniff.require(source, "a Word document", sniff.ZIP)
        _check_package(source)
        document = docx.Document(io.BytesIO(source.data))
        body = _Body(document)
        blocks: list[Block] = []
        n_chars = 0
        for block in [*body.blocks(document.element.body), *body.notes()]:
            n_chars += len(block.text)
            check_length(source, n_chars)
            blocks.append(block)
        core = document.core_properties
        created = core.created.date().isoformat() if core.created else ""
        title = next((block.text for block in blocks if block.role == "title"), core.title)
        said = {"title": title, "author": core.author, "keywords": core.keywords, "created": created}
        return Reading(tuple(blocks), {key: value.strip() for key, value in said.items() if value.strip()})


def _check_package(source: Source) -> None:
    """Refuse a package that is broken, no Word document, or grows beyond measure."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as package:
            members = package.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableSource(
            f"Cannot open {source.name}: the Word package is damaged ({error}).", "Get the file again."
        ) from error
    names = {member.filename for member in members}
    if "[Content_Types].xml" not in names or not any(re.match(r"word/document\w*\.xml$", x) for x in names):
        raise UnreadableSource(
            f"Cannot read {source.name} as a Word document: it is a ZIP archive of something else."
        )
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableSource(f"Cannot open {source.name}: it is encrypted.", "Remove the password.")
    xml = sum(member.file_size for member in members if member.filename.endswith((".xml", ".rels")))
    unpacked = sum(member.file_size for member in members)
    if xml > MAX_XML_BYTES or unpacked > MAX_UNPACKED_BYTES:
        raise OversizeSource(
            f"Cannot take {source.name}: it unpacks to {unpacked:,} bytes, {xml:,} of them XML;"
            f" {MAX_UNPACKED_BYTES:,} and {MAX_XML_BYTES:,} are allowed."
        )


class _Body:
    """Walks the body; holds styles and the state of the numberings."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._styles = {
            style.get(f"{W}styleId"): style for style in document.styles.element.findall(f"{W}style")
        }
        self._default = next(
            (
                key
                for key, x in self._styles.items()
                if x.get(f"{W}default") and x.get(f"{W}type") == "paragraph"
            ),
            None,
        )
        related = [rel.target_part for rel in document.part.rels.values() if not rel.is_external]
        part = next((p for p in related if str(p.partname) == "/word/numbering.xml"), None)
        self._numbering = Numbering(part.element if part is not None else None, self._styles)
        self._note_parts = sorted(
            (p for p in related if _FOOTNOTES.search(str(p.partname))),
            key=lambda p: str(p.partname),
            reverse=True,
        )

    def blocks(self, parent: Any) -> Iterator[Block]:
        for child in parent:
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                yield from self._table(child)
            elif child.tag == f"{W}sdt" and child.find(f"{W}sdtContent") is not None:
                yield from self.blocks(child.find(f"{W}sdtContent"))
            elif child.tag in {f"{W}ins", f"{W}customXml", f"{W}smartTag", f"{W}moveTo"}:
                yield from self.blocks(child)

    def notes(self) -> Iterator[Block]:
        """Footnotes, then endnotes."""
        from lxml import etree

        for part in self._note_parts:
            for note in etree.fromstring(part.blob):
                if note.get(f"{W}type") in {None, "normal"}:
                    yield from self.blocks(note)

    def _chain(self, paragraph: Any) -> list[Any]:
        """The paragraph's style and those it is based on."""
        key = value_of(paragraph, "pPr/pStyle") or self._default
        chain: list[Any] = []
        while key in self._styles and self._styles[key] not in chain:
            chain.append(self._styles[key])
            key = value_of(chain[-1], "basedOn")
        return chain

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        chain = self._chain(paragraph)
        names = [value_of(style, "name") or "" for style in chain]
        if names and re.match(r"(?:toc|目录)\s*\d", names[0], re.I):
            return
        role, level = _role(paragraph, chain, names)
        boxes: list[Any] = []
        text = "".join(_text(paragraph, boxes))
        if text.strip():
            number, bullet = self._numbering.next(paragraph, chain)
            lines = [line for line in text.split("\n") if line.strip()] if role == "paragraph" else [text]
            lines[0] = number + lines[0].lstrip() if number else lines[0]
            if bullet and role == "paragraph":
                role = "list"
            for line in lines:
                yield Block(line.rstrip(), role=role, level=level)
        for box in boxes:
            yield from self.blocks(box)

    def _table(self, table: Any) -> Iterator[Block]:
        rows = [list(row.iter(f"{W}tc")) for row in table.iter(f"{W}tr")]
        if all(len(cells) <= 1 for cells in rows):
            for cells in rows:
                for cell in cells:
                    yield from self.blocks(cell)
            return
        for row in table.iterchildren(f"{W}tr", f"{W}sdt", f"{W}ins"):
            cells = [
                " ".join(" ".join(b.text.split()) for b in self.blocks(cell)) for cell in _own_cells(row)
            ]
            if any(cells):
                yield Block("\t".join(cells), role="table")


def _own_cells(row: Any) -> Iterator[Any]:
    """Cells of the row, not those of tables within them."""
    for child in row:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in {f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml", f"{W}tr"}:
            yield from _own_cells(child)


def _role(paragraph: Any, chain: list[Any], names: list[str]) -> tuple[str, int]:
    if names and names[0].lower() in {"title", "标题"}:
        return "title", 0
    for node, name in zip([paragraph, *chain], ["", *names], strict=True):
        outline = value_of(node, "pPr/outlineLvl")
        if outline is not None:
            return ("heading", number_of(outline) + 1) if number_of(outline, 9) < 9 else ("paragraph", 0)
        if found := _HEADING_STYLE.fullmatch(name):
            return "heading", int(found[1])
    return "paragraph", 0


def _text(node: Any, boxes: list[Any]) -> Iterator[str]:
    """Text in order as shown; contents of text boxes are put into `boxes`."""
    for child in node:
        tag = child.tag
        if tag == f"{W}t":
            yield child.text or ""
        elif tag in {f"{W}tab", f"{W}ptab"}:
            yield " " if node.tag == f"{W}r" else ""
        elif tag in {f"{W}br", f"{W}cr"}:
            yield "\n"
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif tag == f"{W}txbxContent":
            boxes.append(child)
        elif tag == f"{_MC}AlternateContent":
            choice = child.find(f"{_MC}Choice")
            yield from _text(choice if choice is not None else child, boxes)
        elif tag not in {
            f"{W}pPr",
            f"{W}rPr",
            f"{W}del",
            f"{W}moveFrom",
            f"{W}instrText",
            f"{W}delText",
        }:
            yield from _text(child, boxes)


READER = DocxReader()

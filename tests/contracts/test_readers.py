"""Contract of `kb.ports.Reader`, for every reader in `ingest/readers/`."""

import json
from pathlib import Path

import pytest

from ingest import readers as registry
from ingest.encoding import MAX_CHARS
from ingest.readers import media_type_of, read_source, readers
from ingest.reflow import reflow
from kb.errors import DocumentError, EmptySource, OversizeSource, UnreadableSource, UnsupportedFormat
from kb.model import Reading, Source

SAMPLES = Path(__file__).parents[1] / "samples"
BAD = SAMPLES / "bad"
GOOD = sorted(
    path.with_name(path.name) for path in SAMPLES.glob("*/*") if path.parent != BAD and path.suffix != ".json"
)
ROLES = {"title", "heading", "paragraph", "line", "list", "table"}


def source_of(path: Path, name: str = "") -> Source:
    return Source(name or path.name, media_type_of(name or path.name), path.read_bytes())


def read(path: Path) -> Reading:
    return read_source(source_of(path))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_reader_gives_expected_blocks(path: Path) -> None:
    """Every sample is read into the blocks written beside it."""
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8"))
    assert [[block.role, block.level, block.text] for block in read(path).blocks] == expected


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_reader_keeps_to_the_vocabulary(path: Path) -> None:
    """Roles are known, levels belong to headings, places lie on the page, only lines may be blank."""
    reading = read(path)
    for block in reading.blocks:
        assert block.role in ROLES
        assert (block.level > 0) == (block.role == "heading")
        assert block.text.strip() or block.role == "line"
        if block.page is not None:
            assert 1 <= block.page <= reading.n_pages
            assert 0 <= (block.left or 0) < (block.right or 0) <= 1
            assert 0 <= (block.top or 0) < (block.bottom or 0) <= 1
            assert (block.font_size or 0) > 0


def test_every_reader_has_a_sample() -> None:
    """Each suffix's reader is exercised by at least one sample."""
    exercised = {id(readers()[path.suffix]) for path in GOOD}
    assert {id(reader) for reader in readers().values()} == exercised


def test_media_types_are_disjoint() -> None:
    """No media type is claimed by two readers, and suffixes are lower case with the dot."""
    owners: dict[str, object] = {}
    for suffix, reader in readers().items():
        assert suffix == suffix.lower() and suffix.startswith(".")
        assert owners.setdefault(reader.media_types[suffix], reader) is reader


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("empty.txt", EmptySource, "no bytes"),
        ("spaces.txt", EmptySource, "not one letter"),
        ("only-script.html", EmptySource, "not one letter"),
        ("picture.txt", UnreadableSource, "PNG"),
        ("binary.txt", UnreadableSource, "binary"),
        ("mojibake.txt", UnreadableSource, "lost"),
        ("cut-utf8.txt", UnreadableSource, "UTF-8"),
        ("text.pdf", UnreadableSource, "text"),
        ("truncated.pdf", UnreadableSource, "cut short"),
        ("password.pdf", UnreadableSource, "password"),
        ("scan.pdf", UnreadableSource, "OCR"),
        ("page.docx", UnreadableSource, "HTML"),
        ("archive.docx", UnreadableSource, "ZIP"),
        ("broken.docx", UnreadableSource, "damaged"),
        ("malformed.docx", UnreadableSource, "damaged"),
        ("encrypted.docx", UnreadableSource, "password"),
    ],
)
def test_bad_source_is_refused_in_plain_words(name: str, error: type[DocumentError], words: str) -> None:
    """A source that cannot be read names itself, the cause and its class of error."""
    with pytest.raises(error) as caught:
        read(BAD / name)
    assert name in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("path", [p for p in GOOD if p.suffix in {".pdf", ".docx"}], ids=lambda p: p.name)
def test_cut_source_raises_document_error(path: Path, share: float) -> None:
    """However a file is cut short, nothing but a document error comes out."""
    data = path.read_bytes()
    source = Source(path.name, media_type_of(path.name), data[: int(len(data) * share) + 1])
    with pytest.raises(DocumentError):
        read_source(source)


@pytest.mark.parametrize("suffix", sorted(readers()))
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_wrong_name_reads_or_raises_document_error(path: Path, suffix: str) -> None:
    """Bytes under another format's name are read as text or refused, never a crash."""
    try:
        read_source(source_of(path, f"misnamed{suffix}"))
    except DocumentError as error:
        assert f"misnamed{suffix}" in str(error)


def test_html_under_a_text_name_is_text() -> None:
    """Markup in a .txt is the text that someone wrote."""
    reading = read_source(Source("a.txt", "text/plain", "<html><p>字</p></html>".encode()))
    assert reading.blocks[0].text == "<html><p>字</p></html>"


def test_unknown_suffix_names_what_is_taken() -> None:
    """An unknown format is answered with the suffix seen and those that are taken."""
    with pytest.raises(UnsupportedFormat) as caught:
        media_type_of("scan.heic")
    assert ".heic" in str(caught.value) and all(suffix in str(caught.value) for suffix in readers())


def test_too_many_bytes_are_refused() -> None:
    """Sources above `max_bytes` are refused before they are read."""
    with pytest.raises(OversizeSource):
        read_source(Source("a.txt", "text/plain", "一二三".encode()), max_bytes=8)


@pytest.mark.parametrize("name", ["line.txt", "line.md", "line.html"])
def test_endless_line_is_refused(name: str) -> None:
    """A line of fifty million bytes is refused, whatever the format of text."""
    with pytest.raises(OversizeSource):
        read_source(Source(name, media_type_of(name), "一".encode() * 16_700_000))


def test_text_above_the_limit_is_refused() -> None:
    """One character more than a document may hold is too many."""
    with pytest.raises(OversizeSource):
        read_source(Source("a.txt", "text/plain", ("一" * (MAX_CHARS + 1)).encode()))


def test_zip_bomb_is_refused() -> None:
    """A small package that unpacks beyond measure is refused before it is unpacked."""
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        with package.open("word/document.xml", "w") as part:
            for _ in range(70):
                part.write(b" " * 1024 * 1024)
    with pytest.raises(OversizeSource):
        read_source(Source("bomb.docx", media_type_of("bomb.docx"), packed.getvalue()))


def test_library_errors_become_unreadable_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library raises reaches the caller as a document error with its cause."""

    class Broken:
        media_types = {".txt": "text/plain"}

        def read(self, source: Source) -> Reading:
            raise RuntimeError("inside the library")

    monkeypatch.setattr(registry, "readers", lambda: {".txt": Broken()})
    with pytest.raises(UnreadableSource) as caught:
        read_source(Source("a.txt", "text/plain", b"a"))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_encodings_give_the_same_text() -> None:
    """The same words come out of every encoding that is taken."""
    text = "第一条 为了促进共同学习，制定本办法。\n第二条 本办法适用于各支部。\n"
    encodings = ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"]
    sources = [Source("a.txt", "text/plain", text.encode(name)) for name in encodings]
    assert {read_source(source).blocks for source in sources} == {read_source(sources[0]).blocks}


def test_page_without_charset_is_read_as_gb18030() -> None:
    """A page in GB18030 that names no charset reads like its UTF-8 twin."""
    assert read(SAMPLES / "html/gb18030-no-charset.htm") == read(SAMPLES / "html/notice.html")


def test_markdown_says_where_the_body_starts() -> None:
    """Property body_from is the index of the first block after INFO END."""
    reading = read(SAMPLES / "md/rules.md")
    assert reading.blocks[int(reading.properties["body_from"])].text == "第一章  总则"


def test_markdown_keeps_a_mark_of_more_inside_a_line() -> None:
    """A > opens a quotation at the beginning of a line alone; elsewhere it says more."""
    source = Source("a.md", "text/markdown", "> 引来的话\n\n气温>35 度停工\n".encode())
    assert [block.text for block in read_source(source).blocks] == ["引来的话", "气温>35 度停工"]


def test_pdf_columns_are_read_one_after_the_other() -> None:
    """A paragraph cut by a column is one again; the full-width note comes last."""
    flow = reflow(read(SAMPLES / "pdf/columns.pdf"))
    paragraphs = flow.text.split("\n")
    assert [text[:3] for text in paragraphs] == ["两栏排", "为了把", "另外，", "检查发", "通栏的"]
    assert paragraphs[2].endswith("答对率却高了一成。")


def test_pdf_pages_lose_furniture_and_gain_wholeness() -> None:
    """Running heads, page numbers and slanted stamps go; a paragraph over two pages is one."""
    flow = reflow(read(SAMPLES / "pdf/report.pdf"))
    paragraphs = flow.text.split("\n")
    assert paragraphs[-3].endswith("并且把问题和答案都存入档案。") and paragraphs[-2:] == [
        "青山支部",
        "2024年5月1日",
    ]
    assert "汇编" not in flow.text and "内部资料" not in flow.text and "- 1 -" not in flow.text
    assert [page for _, page in flow.pages] == [1, 2]
    assert flow.text[flow.pages[1][0] :].startswith("把问题和答案都存入档案。")
    assert [flow.text[p.start : p.end] for p in flow.paragraphs if p.role == "heading"][1:] == [
        "一、做法",
        "二、发现",
    ]

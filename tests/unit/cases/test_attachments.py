"""Files of cases: what may be attached, what is taken out of it first, and who may open it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from cases.attachments import MOST_ATTACHMENTS, Attachments
from cases.drafts import Drafts
from cases.files import fit
from cases.model import Field, State
from cases.photographs import LONGEST_SIDE, redrawn
from kb.errors import (
    EmptySource,
    InvalidRequest,
    KbError,
    NotFound,
    OversizeSource,
    UnreadableSource,
    UnsupportedFormat,
)
from kb.model import Source
from store.originals import OriginalFolder
from tests.unit.access.conftest import House, house
from tests.unit.cases.drafts_stage import BODY, drafts_of, people

__all__ = ["house"]

MB = 1024 * 1024
PLACE = b"CANARY-31.2304N"


def photograph(kind: str = "JPEG", size: tuple[int, int] = (400, 200)) -> bytes:
    """A picture taken sideways, red at its left end, that tells where it was taken in every way its format knows."""
    image = Image.new("RGB", size, (0, 0, 200))
    image.paste((200, 0, 0), (0, 0, size[0] // 4, size[1]))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = PLACE.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = PLACE
    stream = io.BytesIO()
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", PLACE.decode())
        image.save(stream, kind, exif=exif, pnginfo=text, icc_profile=PLACE)
    elif kind == "WEBP":
        image.save(stream, kind, exif=exif, xmp=PLACE, icc_profile=PLACE)
    else:
        image.save(stream, kind, exif=exif, comment=PLACE, xmp=PLACE, icc_profile=PLACE)
    return stream.getvalue() + (PLACE if kind != "WEBP" else b"")


def word(picture: bytes | None = None) -> bytes:
    """A Word file, with a picture in it if one is given."""
    document = docx.Document()
    document.add_paragraph("现场记录")
    if picture:
        document.add_picture(io.BytesIO(picture))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def sheet() -> bytes:
    """An Excel file."""
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


def packed(members: dict[str, bytes], onto: bytes | None = None) -> bytes:
    """A ZIP archive of these, added to another one."""
    stream = io.BytesIO(onto or b"")
    with zipfile.ZipFile(stream, "a" if onto else "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return stream.getvalue()


def bomb(side: int) -> bytes:
    """A PNG that says it is `side` pixels wide and high, in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def source(name: str, data: bytes) -> Source:
    """A file as it is handed in; what it claims to be does not matter."""
    return Source(name, "application/octet-stream", data)


# -- photographs -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_tells_nothing_but_its_picture(kind: str) -> None:
    """Place, camera, comments, profile and what stands behind the picture are gone, and it stands upright."""
    given = photograph(kind)
    assert PLACE in given
    kept = redrawn(given, "现场.jpg")
    assert PLACE not in kept
    image = Image.open(io.BytesIO(kept))
    assert (image.format, image.size, dict(image.getexif())) == (kind, (200, 400), {})
    corner = image.convert("RGB").crop((90, 10, 110, 30)).resize((1, 1)).tobytes()
    assert corner[0] > 150 > corner[2]


def test_a_photograph_is_scaled() -> None:
    """No side is longer than what a page shows, in proportion; a small one keeps its size."""
    large = Image.open(io.BytesIO(redrawn(photograph(size=(4000, 3000)), "大.jpg")))
    assert large.size == (LONGEST_SIDE * 3 // 4, LONGEST_SIDE)
    assert Image.open(io.BytesIO(redrawn(photograph(size=(300, 200)), "小.jpg"))).size == (200, 300)


def test_clear_parts_of_a_picture_stay_clear() -> None:
    """A picture with transparency keeps it, also one with a palette."""
    image = Image.new("P", (10, 10))
    image.info["transparency"] = 0
    stream = io.BytesIO()
    image.save(stream, "PNG", transparency=0)
    kept = Image.open(io.BytesIO(redrawn(stream.getvalue(), "图标.png")))
    assert kept.getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("side", [9_000, 11_000, 60_000])
def test_a_picture_that_unpacks_beyond_measure_is_refused(side: int) -> None:
    """A few bytes that claim thousands of millions of pixels are never unpacked."""
    with pytest.raises(OversizeSource, match="像素"):
        redrawn(bomb(side), "炸弹.png")


@pytest.mark.parametrize("cut", [30, 200, 600])
def test_a_broken_photograph_says_so(cut: int) -> None:
    """A picture that did not arrive whole is refused in words, not with a crash."""
    with pytest.raises(UnreadableSource, match="打不开"):
        redrawn(photograph()[:cut], "断了.jpg")


# -- other files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "kept", "media_type"),
    [
        ("照片.png", photograph("JPEG"), "照片.jpg", "image/jpeg"),
        ("方案.exe", b"%PDF-1.7\n1 0 obj\n", "方案.pdf", "application/pdf"),
        (
            "记录.doc",
            word(),
            "记录.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("表", sheet(), "表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (
            "汇报.pptx",
            packed({"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": b"<p/>"}),
            "汇报.pptx",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        ("公文.zip", packed({"OFD.xml": b"<OFD/>"}), "公文.ofd", "application/ofd"),
        ("名单.csv", "姓名,人数\n甲,3\n".encode("gb18030"), "名单.csv", "text/csv"),
        ("run.bat", "说明：先登记。".encode(), "run.txt", "text/plain"),
        ("../../etc/第3.1版", "正文".encode(), "第3.1版.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_are(name: str, data: bytes, kept: str, media_type: str) -> None:
    """Kind and suffix follow from the bytes, whatever the name says."""
    found = fit(source(name, data), MB)
    assert (found.name, found.media_type) == (kept, media_type)


FORBIDDEN: dict[str, bytes] = {
    "程序.pdf": b"MZ\x90\x00" + b"\x00" * 60,
    "短程序.txt": b"MZ run me",
    "linux.txt": b"\x7fELF\x02\x01",
    "脚本.txt": b"#!/bin/sh\nrm -rf /\n",
    "网页.txt": b"<!DOCTYPE html><html><body>1</body></html>",
    "藏着的.txt": "好\n<script>alert(1)</script>".encode(),
    "图.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "宽字.txt": "<html><script>1</script>".encode("utf-16"),
    "包.docx": packed({"a.txt": b"1"}),
    "旧.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100,
    "动画.gif": b"GIF89a" + b"\x00" * 20,
    "包.7z": b"7z\xbc\xaf\x27\x1c\x00\x00",
    "包.gz": b"\x1f\x8b\x08\x00\x00",
    "数据.txt": b"\x00\x01\x02\x03",
    "带宏.docx": packed({"word/vbaProject.bin": b"x"}, word()),
    "带程序.docx": packed({"word/media/a.png": b"MZ\x90\x00"}, word()),
    "带脚本.docx": packed({"word/embeddings/a.html": b"x"}, word()),
    "带对象.docx": packed({"word/embeddings/oleObject1.bin": b"x"}, word()),
    "带压缩包.docx": packed({"word/embeddings/a.zip": packed({"a.exe": b"MZ"})}, word()),
    "宏表.xlsx": packed(
        {
            "[Content_Types].xml": b'<Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/>',
            "xl/workbook.xml": b"<w/>",
        }
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_may_not_be_attached_is_refused(name: str) -> None:
    """Programs, pages, drawings with script, macros, archives and old formats are refused, whatever their name."""
    with pytest.raises(UnsupportedFormat, match="不能附上"):
        fit(source(name, FORBIDDEN[name]), MB)


def test_pictures_in_office_files_lose_their_metadata() -> None:
    """A Word file with a photograph in it keeps picture and text, and tells no more where it was taken."""
    given = word(photograph())
    assert any(
        PLACE in zipfile.ZipFile(io.BytesIO(given)).read(n)
        for n in zipfile.ZipFile(io.BytesIO(given)).namelist()
    )
    kept = zipfile.ZipFile(io.BytesIO(fit(source("记录.docx", given), MB).data))
    assert kept.testzip() is None
    assert not any(PLACE in kept.read(n) for n in kept.namelist())
    document = docx.Document(io.BytesIO(fit(source("记录.docx", given), MB).data))
    assert document.paragraphs[0].text == "现场记录"
    assert len(document.inline_shapes) == 1


def test_too_large_and_empty_files_are_refused() -> None:
    """Size, content that unpacks beyond measure, nothing at all, and a locked file each get their own answer."""
    with pytest.raises(OversizeSource, match="最多 1 MB"):
        fit(source("大.txt", b"a" * (MB + 1)), MB)
    with pytest.raises(EmptySource):
        fit(source("空.txt", b""), MB)
    with pytest.raises(OversizeSource, match="展开"):
        fit(source("炸弹.docx", packed({"word/media/z": b"\x00" * (300 * MB)}, word())), MB)
    with pytest.raises(UnreadableSource):
        fit(source("断.docx", word()[:-200]), MB)


# -- files of a case ---------------------------------------------------------------------


@pytest.fixture
def stage(house: House) -> House:
    """People of two branches."""
    return people(house)


@pytest.fixture
def originals(tmp_path: Path) -> OriginalFolder:
    """Where the bytes are."""
    return OriginalFolder(tmp_path / "attachments")


@pytest.fixture
def attachments(stage: House, originals: OriginalFolder) -> Attachments:
    """The service."""
    return Attachments(stage.access.office, originals, 2 * MB)


@pytest.fixture
def drafts(stage: House, originals: OriginalFolder) -> Drafts:
    """The service that drops them with their case."""
    return Drafts(stage.access.office, originals)


@pytest.fixture
def case_id(stage: House) -> str:
    """A draft of 甲."""
    return drafts_of(stage).begin(stage.by("trainer"), "jia", body=BODY)


def held(originals: OriginalFolder) -> int:
    """How many files there are bytes of."""
    return sum(1 for f in originals.folder.rglob("*") if f.is_file())


def test_files_come_and_go(
    stage: House, attachments: Attachments, originals: OriginalFolder, case_id: str
) -> None:
    """A file is added with its caption, opened by other writers, told anew and removed, and then its bytes are gone."""
    by, other = stage.by("trainer"), stage.by("liaison")
    added = attachments.add(by, case_id, source("现场.jpg", photograph()), "  改造后 ")
    assert (added.name, added.caption) == ("现场.jpg", "改造后")
    assert attachments.of_draft(other, case_id) == [added]
    found, data = attachments.open(other, case_id, added.attachment_id)
    assert (found, len(data)) == (added, added.n_bytes)
    attachments.caption(other, case_id, added.attachment_id, "改造前")
    assert [a.caption for a in attachments.of_draft(by, case_id)] == ["改造前"]
    attachments.remove(by, case_id, added.attachment_id)
    assert (attachments.of_draft(by, case_id), held(originals)) == ([], 0)
    with pytest.raises(NotFound):
        attachments.open(by, case_id, added.attachment_id)


def test_the_same_file_again_is_the_one_that_is_there(
    stage: House, attachments: Attachments, case_id: str
) -> None:
    """A photograph that the browser sends twice is attached once."""
    by = stage.by("trainer")
    one, two = (attachments.add(by, case_id, source("a.jpg", photograph())) for _ in range(2))
    assert one == two
    assert attachments.of_draft(by, case_id) == [one]


def test_bytes_that_two_cases_hold_stay_for_the_other(
    stage: House, attachments: Attachments, drafts: Drafts, case_id: str
) -> None:
    """Dropping one case takes nothing from another that has the same file."""
    by = stage.by("trainer")
    other = drafts.begin(by, "jia", body=BODY)
    attachments.add(by, case_id, source("a.txt", "同样的内容".encode()))
    kept = attachments.add(by, other, source("b.txt", "同样的内容".encode()))
    drafts.drop(by, case_id)
    assert attachments.open(by, other, kept.attachment_id)[1] == "同样的内容".encode()
    drafts.drop(by, other)
    assert held(attachments.originals) == 0


def test_a_case_has_so_many_files_at_most(stage: House, attachments: Attachments, case_id: str) -> None:
    """One more than that is refused, and says how many there may be."""
    by = stage.by("trainer")
    for n in range(MOST_ATTACHMENTS):
        attachments.add(by, case_id, source(f"{n}.txt", f"第{n}份".encode()))
    with pytest.raises(InvalidRequest, match=str(MOST_ATTACHMENTS)):
        attachments.add(by, case_id, source("再来.txt", "再来".encode()))


def test_a_change_of_files_makes_it_a_draft_again(
    stage: House, attachments: Attachments, drafts: Drafts, case_id: str
) -> None:
    """What was reviewed had other files: a file added, told anew or removed opens the case again."""
    by, reviewer = stage.by("liaison"), stage.by("reviewer")
    kept = attachments.add(by, case_id, source("a.txt", "一".encode()))
    acts: list[Callable[[], object]] = [
        lambda: attachments.add(by, case_id, source("b.txt", "二".encode())),
        lambda: attachments.caption(by, case_id, kept.attachment_id, "说明"),
        lambda: attachments.remove(by, case_id, kept.attachment_id),
    ]
    for act in acts:
        drafts.submit(by, case_id)
        drafts.approve(reviewer, case_id)
        act()
        assert drafts.form(by, case_id).state is State.DRAFT


@pytest.mark.parametrize("login", ["member", "stranger"])
def test_files_of_a_draft_are_not_there_for_others(
    stage: House, attachments: Attachments, case_id: str, login: str
) -> None:
    """Whoever does not write the case gets the same answer as for a file that is not there."""
    added = attachments.add(stage.by("trainer"), case_id, source("a.txt", "秘密".encode()))
    by = stage.by(login)
    acts: list[Callable[[str, str], object]] = [
        lambda c, a: attachments.open(by, c, a),
        lambda c, a: attachments.of_draft(by, c),
        lambda c, a: attachments.add(by, c, source("b.txt", b"b")),
        lambda c, a: attachments.remove(by, c, a),
        lambda c, a: attachments.caption(by, c, a, "x"),
    ]
    for act in acts:
        answers = []
        for case, attachment in ((case_id, added.attachment_id), ("0" * 16, "1" * 16)):
            with pytest.raises(KbError) as refused:
                act(case, attachment)
            said = str(refused.value).replace(case, "").replace(attachment, "")
            answers.append((type(refused.value), said))
        assert answers[0] == answers[1]
        assert answers[0][0] is NotFound


def test_a_refused_file_leaves_the_case_as_it_was(
    stage: House, attachments: Attachments, drafts: Drafts, case_id: str
) -> None:
    """Nothing is kept of a file that may not be attached."""
    by = stage.by("trainer")
    before = drafts.form(by, case_id)
    with pytest.raises(UnsupportedFormat):
        attachments.add(by, case_id, source("a.exe", FORBIDDEN["程序.pdf"]))
    assert drafts.form(by, case_id) == before
    assert before.fields[Field.TITLE].text
    assert held(attachments.originals) == 0

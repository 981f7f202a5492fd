"""Which files may be attached to a case, told from their bytes, and what is taken out of them first."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cases.photographs import FORMATS, format_of, redrawn
from ingest import sniff
from ingest.encoding import decode
from kb.errors import EmptySource, OversizeSource, UnreadableSource, UnsupportedFormat
from kb.model import Source

TAKEN = "照片（JPG、PNG、WebP）、PDF、Word、Excel、PPT（docx、xlsx、pptx）、OFD、文本（txt、csv）"
"""What may be attached, in words."""

MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""Unpacked size of an Office or OFD file."""

MAX_MEMBERS = 10_000
LONGEST_NAME = 100

_OFFICE = "application/vnd.openxmlformats-officedocument."
_SUFFIXES: Mapping[str, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    _OFFICE + "wordprocessingml.document": ".docx",
    _OFFICE + "spreadsheetml.sheet": ".xlsx",
    _OFFICE + "presentationml.presentation": ".pptx",
    "application/ofd": ".ofd",
    "text/plain": ".txt",
    "text/csv": ".csv",
}
_PARTS = (
    ("word/document.xml", _OFFICE + "wordprocessingml.document"),
    ("xl/workbook.xml", _OFFICE + "spreadsheetml.sheet"),
    ("ppt/presentation.xml", _OFFICE + "presentationml.presentation"),
)
_ACTIVE = re.compile(
    r"vbaProject|vbaData|/activeX/|/ctrlProps/.*\.bin$|/embeddings/.*\.bin$|\.(?:exe|dll|scr|com|bat|cmd|ps1|vbs|js|jar|msi|lnk|html?|svg)$",
    re.I,
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
_MARKUP = re.compile(
    r"<\s*(?:!doctype|\?xml|html|head|body|script|svg|iframe|object|embed|meta)\b|^\s*#!", re.I
)


@dataclass(frozen=True, slots=True)
class Fit:
    """A file as it is kept: its name with the suffix of what it is, and its bytes without what must not be passed on."""

    name: str
    media_type: str
    data: bytes


def fit(source: Source, max_bytes: int) -> Fit:
    """The file as it may be attached; what its name claims does not count.

    Photographs are scaled and lose their metadata, pictures inside Office files their metadata.

    Raises:
        UnsupportedFormat: it is none of what may be attached.
        OversizeSource: it is larger than `max_bytes`, or unpacks beyond measure.
        EmptySource, UnreadableSource: there is nothing in it, or it is damaged or locked.
    """
    name = _name(source.name)
    if not source.data:
        raise EmptySource(f"文件“{name}”是空的。", "请重新选一次。")
    if len(source.data) > max_bytes:
        raise OversizeSource(
            f"文件“{name}”有 {len(source.data) // (1024 * 1024) + 1} MB，最多 {max_bytes // (1024 * 1024)} MB。",
            "请缩小或者拆开再传。",
        )
    media_type, data = _taken(source, name)
    stem = name.removesuffix(PurePath(name).suffix) if _is_suffix(PurePath(name).suffix) else name
    return Fit(stem[:LONGEST_NAME] + _SUFFIXES[media_type], media_type, data)


def _taken(source: Source, name: str) -> tuple[str, bytes]:
    data = source.data
    if picture := format_of(data):
        return FORMATS[picture], redrawn(data, name)
    if data.startswith(sniff.PDF_MARK):
        return "application/pdf", data
    if sniff.kind_of(data) == sniff.ZIP:
        return _package(data, name)
    if sniff.kind_of(data) == sniff.TEXT and not data.startswith(_PROGRAMS):
        text = decode(Source(name, "text/plain", data))
        if not _MARKUP.search(text):
            is_table = PurePath(source.name).suffix.lower() == ".csv"
            return ("text/csv" if is_table else "text/plain"), data
    raise _refused(name)


def _package(data: bytes, name: str, *, depth: int = 0) -> tuple[str, bytes]:
    """An Office or OFD file: no macros, programs or objects in it, and its pictures drawn anew."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            members = package.infolist()
            _check_members(members, name)
            media_type = _kind_of_package(package, {m.filename for m in members})
            if media_type is None or depth > 1:
                raise _refused(name)
            changed = {}
            for member in members:
                inside = package.read(member)
                if (new := _member(member, inside, name, depth)) != inside:
                    changed[member.filename] = new
            return media_type, _repacked(package, changed) if changed else data
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise UnreadableSource(f"文件“{name}”打不开。", "可能没有传完整，请重新选一次。") from error


def _check_members(members: list[zipfile.ZipInfo], name: str) -> None:
    if any(m.flag_bits & 1 for m in members):
        raise UnreadableSource(f"文件“{name}”加了密码。", "请去掉密码再传。")
    if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
        raise OversizeSource(f"文件“{name}”展开以后太大。", "请缩小里面的图片再传。")
    if any(_ACTIVE.search(m.filename) for m in members):
        raise _refused(name, "里面有宏、程序或者嵌入的对象")


def _kind_of_package(package: zipfile.ZipFile, names: set[str]) -> str | None:
    if "OFD.xml" in names:
        return "application/ofd"
    if "[Content_Types].xml" not in names:
        return None
    types = package.read("[Content_Types].xml")
    if b"macroEnabled" in types:
        return None
    return next((media_type for part, media_type in _PARTS if part in names), None)


def _member(member: zipfile.ZipInfo, inside: bytes, name: str, depth: int) -> bytes:
    """A part of the package as it is kept."""
    if format_of(inside):
        return redrawn(inside, f"{name} / {PurePath(member.filename).name}", longest=None)
    if inside.startswith(_PROGRAMS):
        raise _refused(name, "里面有程序")
    if sniff.kind_of(inside) == sniff.ZIP:
        return _package(inside, name, depth=depth + 1)[1]
    return inside


def _repacked(package: zipfile.ZipFile, changed: Mapping[str, bytes]) -> bytes:
    """The package with these parts in place of what they were."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in package.infolist():
            new.writestr(member, changed.get(member.filename, package.read(member)), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _refused(name: str, why: str = "") -> UnsupportedFormat:
    return UnsupportedFormat(f"不能附上“{name}”{f'：{why}' if why else ''}。", f"可以附上的有：{TAKEN}。")


def _name(given: str) -> str:
    """The last part of a file name, in one line and without what no file system takes."""
    last = re.split(r"[/\\]", given)[-1]
    plain = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*')
    return " ".join(plain.split()).strip(". ")[-LONGEST_NAME - 8 :] or "附件"


def _is_suffix(text: str) -> bool:
    return bool(re.fullmatch(r"\.[0-9A-Za-z]{1,8}", text))

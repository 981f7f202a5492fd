"""ZIP packages of Office: the same content gives the same bytes; what unpacks beyond measure is refused."""

import io
import zipfile
from collections.abc import Mapping

from kb.errors import OversizeSource, UnreadableSource

MAX_UNPACKED_BYTES = 128 * 1024 * 1024
_CORE = "docProps/core.xml"
_CORE_XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<dcterms:created xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z</dcterms:created>'
    '<dcterms:modified xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z</dcterms:modified>'
    "</cp:coreProperties>"
)


def fixed(package: bytes) -> bytes:
    """The package with one date for all its members and no author, so that it depends on its content alone."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            data = _CORE_XML.encode() if name == _CORE else old.read(name)
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, data, compresslevel=6)
    return written.getvalue()


def members(package: bytes) -> Mapping[str, bytes]:
    """What the package holds, by name.

    Raises:
        UnreadableSource: it is damaged, locked or no package at all.
        OversizeSource: it unpacks to more than `MAX_UNPACKED_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
                raise OversizeSource(
                    f"文件解开后超过 {MAX_UNPACKED_BYTES // 1024 // 1024} MB，没有读取。",
                    "请拆成几个小一些的文件。",
                )
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise UnreadableSource(
            "文件打不开：压缩包已损坏或设了密码。", "请重新另存为不带密码的文件。"
        ) from error

"""Files that come with the forms of a case, and why one does not go in."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from starlette.datastructures import UploadFile

from cases.form_file import DOCX
from kb.errors import InvalidRequest, KbError
from kb.model import Source

_LONGEST_NAME = 120

REFUSED: Mapping[str, str] = {
    "unsupported_format": "这种文件收不了。能收照片（jpg、png、webp）、PDF、Word、Excel、PPT、OFD 和文本。",
    "oversize_source": "太大了，或者已经满了 30 个。",
    "unreadable_source": "读不出来：文件坏了、加了密，或内容和扩展名不符。请用原软件另存一份再放。",
    "empty_source": "是空的。请确认选对了文件。",
}
"""Why a file does not go in, by the code of its error."""


def refusal_words(error: Exception) -> str:
    """Why a file does not go in, and what to do."""
    if isinstance(error, InvalidRequest):
        return error.message
    code = error.code if isinstance(error, KbError) else ""
    return REFUSED.get(code, "没有收下。请换一个文件再试。")


def sources_of(files: Iterable[Any]) -> list[Source]:
    """The files of a form that were chosen, as sources."""
    return [_source(f) for f in files if isinstance(f, UploadFile) and f.filename]


def docx_of(files: Sequence[Any]) -> Source:
    """The Word file of a form.

    Raises:
        InvalidRequest: there is none, or it is no .docx; says so in Chinese.
    """
    sources = sources_of(files)
    if not sources:
        raise InvalidRequest("请选择要交的 Word 文件。", "选好后再交。")
    if not sources[0].name.lower().endswith(".docx"):
        raise InvalidRequest("只能读 .docx。旧的 .doc 请用 Word 打开，另存为 .docx 再交。", "另存后再交。")
    return Source(sources[0].name, DOCX, sources[0].data)


def _source(file: UploadFile) -> Source:
    base = PurePosixPath((file.filename or "").replace("\\", "/")).name
    name = "".join(c for c in base if c.isprintable())[-_LONGEST_NAME:] or "未命名"
    return Source(name, file.content_type or "application/octet-stream", file.file.read())

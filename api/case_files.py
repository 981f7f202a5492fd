"""Attachments of cases as answers: photographs to be shown, other files to be kept."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from fastapi.responses import Response

from api.pages import attachment as to_keep
from cases.model import Attachment

_SHUT: Mapping[str, str] = {"Content-Security-Policy": "default-src 'none'; sandbox"}
"""What a file of somebody else may do when it is opened: nothing."""


def is_photograph(attachment: Attachment) -> bool:
    """Whether it is shown on a page rather than taken away."""
    return attachment.media_type.startswith("image/")


def file_answer(attachment: Attachment, data: bytes) -> Response:
    """The bytes of an attachment, in a frame in which nothing of it acts."""
    headers = dict(_SHUT)
    if not is_photograph(attachment):
        headers["Content-Disposition"] = to_keep(PurePosixPath(attachment.name).name)
    return Response(data, headers=headers, media_type=attachment.media_type)

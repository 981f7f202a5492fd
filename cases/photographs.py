"""Photographs as they are kept: upright, of a size to be looked at, and with nothing in them but the picture."""

import io
import struct
import zlib
from typing import TYPE_CHECKING

from kb.errors import OversizeSource, UnreadableSource

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 1600
"""Pixels of the longer side, above which a photograph is scaled down."""

MAX_PIXELS = 64_000_000
"""Pixels of a picture that is opened at all."""

QUALITY = 85

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""What is taken, as Pillow calls it, with its media type."""

MAGIC = {"JPEG": (b"\xff\xd8\xff", b""), "PNG": (b"\x89PNG\r\n\x1a\n", b""), "WEBP": (b"RIFF", b"WEBP")}
"""How each begins, and what stands at its eighth byte."""


def format_of(data: bytes) -> str | None:
    """Which of the formats the bytes are, by their beginning."""
    for name, (start, inner) in MAGIC.items():
        if data.startswith(start) and data[8:].startswith(inner):
            return name
    return None


def redrawn(data: bytes, name: str, *, longest: int | None = LONGEST_SIDE) -> bytes:
    """The picture drawn anew in its own format: turned upright, no side above `longest`, every metadata gone.

    Location, camera, time, previews and colour profiles are left behind, and so is whatever stood behind the picture.
    Of a moving picture the first frame stays. `name` is told in errors.

    Raises:
        UnreadableSource: it is no such picture, or damaged.
        OversizeSource: it unpacks to more than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps

    kind = format_of(data)
    try:
        with Image.open(io.BytesIO(data), formats=[kind] if kind else []) as opened:
            n_pixels = opened.width * opened.height
            if n_pixels > MAX_PIXELS:
                raise _bomb(name, n_pixels)
            if longest is not None:
                opened.draft("RGB", (longest, longest))
            picture = ImageOps.exif_transpose(opened)
            if longest is not None and max(picture.size) > longest:
                picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
            return _drawn(picture, kind or "")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _bomb(name, None) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error) as error:
        raise UnreadableSource(
            f"图片“{name}”打不开（{type(error).__name__}）。", "可能没有传完整，请重新选一次。"
        ) from error


def _drawn(picture: "Image", kind: str) -> bytes:
    """The pixels alone on a new canvas: what Pillow knows of the old file is not written to the new one."""
    from PIL import Image

    clear = kind != "JPEG" and ("A" in picture.getbands() or "transparency" in picture.info)
    mode = "RGBA" if clear else "L" if picture.mode in ("1", "L") else "RGB"
    source = picture.convert(mode)
    canvas = Image.new(mode, source.size)
    canvas.paste(source)
    stream = io.BytesIO()
    if kind == "PNG":
        canvas.save(stream, kind, optimize=True)
    else:
        canvas.save(stream, kind, quality=QUALITY)
    return stream.getvalue()


def _bomb(name: str, n_pixels: int | None) -> OversizeSource:
    seen = f"有 {n_pixels:,} 个像素" if n_pixels else "像素太多"
    return OversizeSource(
        f"图片“{name}”{seen}，最多 {MAX_PIXELS:,} 个。", "请用手机普通模式重拍，或者先缩小。"
    )

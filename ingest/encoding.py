"""Bytes to text: Unicode first, then GB18030, then Big5, never by guess alone.

GB18030 accepts nearly any bytes, so a legacy decoding is taken only where the
characters that come out are ones that people write.
"""

import codecs
from functools import cache

from kb.errors import OversizeSource, UnreadableSource
from kb.model import Source

MAX_CHARS = 5_000_000
"""Characters of text that one document may hold."""

MAX_BYTES_PER_CHAR = 4
"""In every encoding taken here, so that length can be refused before decoding."""

MIN_COMMON = 0.8
"""Share of the characters beyond ASCII that must be in everyday use."""

MAX_DAMAGE = 0.005
"""Share of replacement and control characters above which text counts as damaged."""

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_ALLOWED_CONTROLS = "\t\n\v\f\r\x1a\x1b\x85"


def decode(source: Source, declared: str | None = None) -> str:
    """Text of the source; `declared` is the encoding that the format itself names.

    Raises:
        OversizeSource: more than `MAX_CHARS` characters.
        UnreadableSource: no encoding fits, or the text is damaged.
    """
    data = source.data
    if len(data) > MAX_CHARS * MAX_BYTES_PER_CHAR:
        raise _oversize(source)
    text = _decode(source, data, declared)
    if len(text) > MAX_CHARS:
        raise _oversize(source)
    _check_damage(source, text)
    return text


def check_length(source: Source, n_chars: int) -> None:
    """Refuse text that grew past `MAX_CHARS` while it was read."""
    if n_chars > MAX_CHARS:
        raise _oversize(source)


def _decode(source: Source, data: bytes, declared: str | None) -> str:
    for mark, name in BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(name)
            except UnicodeDecodeError as error:
                raise UnreadableSource(
                    f"Cannot decode {source.name}: marked as {name}, but byte {error.start} does not fit."
                ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        broken_at = error.start
    candidates = ["gb18030", "big5hkscs"]
    if declared and _known(declared) == "big5":
        candidates.reverse()
    for name in candidates:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if common_share(text) >= MIN_COMMON:
            return text
    raise UnreadableSource(
        f"Cannot decode {source.name}: no valid UTF-8 from byte {broken_at} on, and neither GB18030 nor Big5"
        " gives readable text.",
        "Save the file as UTF-8.",
    )


def _known(declared: str) -> str:
    try:
        return codecs.lookup(declared).name
    except LookupError:
        return ""


def common_share(text: str) -> float:
    """Share of everyday characters among those beyond ASCII, 1 where there are none."""
    sample = [char for char in text[:200_000] if char > "\x7f"]
    if not sample:
        return 1.0
    return sum(map(_is_common, sample)) / len(sample)


@cache
def _is_common(char: str) -> bool:
    """In the first level of GB 2312 or Big5 (everyday ideographs), or one of their symbols."""
    for name, first, last in (("gb2312", 0xA1, 0xD7), ("big5", 0xA1, 0xC6)):
        try:
            lead = char.encode(name)[0]
        except UnicodeEncodeError:
            continue
        if first <= lead <= last:
            return True
    return False


def _check_damage(source: Source, text: str) -> None:
    """Refuse binary data and text that an earlier conversion has spoilt."""
    sample = text[:1_000_000]
    if "\x00" in sample:
        raise UnreadableSource(f"Cannot read {source.name} as text: it holds NUL bytes.", "Save it as UTF-8.")
    lost = sample.count("\ufffd") + sample.count("锟斤拷") * 3
    if lost > len(sample) * MAX_DAMAGE:
        raise UnreadableSource(
            f"Cannot use {source.name}: {lost} of its first {len(sample)} characters were lost"
            " in an earlier conversion.",
            "Convert it again from the original.",
        )
    controls = sum(sample.count(chr(code)) for code in range(32) if chr(code) not in _ALLOWED_CONTROLS)
    if controls > len(sample) * MAX_DAMAGE:
        raise UnreadableSource(f"Cannot read {source.name} as text: {controls} control characters in it.")


def _oversize(source: Source) -> OversizeSource:
    return OversizeSource(
        f"Cannot take {source.name}: it holds more than {MAX_CHARS:,} characters of text.",
        "Split it into documents of their own.",
    )

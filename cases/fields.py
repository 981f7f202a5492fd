"""What the fields of a case take, and what is made of it."""

import unicodedata

from cases.model import INDUSTRIES, LABELS, LONGEST, SHAPES, Field, Level, Shape
from kb.errors import InvalidRequest

_LARGEST = {Field.PEOPLE: 10**9, Field.COST: 10**12}


def plain(text: str) -> str:
    """The text without characters that no one writes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cn"))


def checked(field: Field, text: str, *, longest: int = 0) -> str:
    """The text as the field takes it; one may always be made shorter than the `longest` that it was.

    Raises:
        InvalidRequest: it does not take it; says in Chinese what it takes.
    """
    shape, label = SHAPES[field], LABELS[field]
    text = plain(text)
    if shape in (Shape.LINE, Shape.CHOICE, Shape.NUMBER):
        text = " ".join(text.split())
    if not text.strip():
        return ""
    if len(text) > max(LONGEST[shape], longest):
        raise InvalidRequest(f"“{label}”最多 {LONGEST[shape]} 字，现在有 {len(text)} 字。", "请写短一些。")
    if shape is Shape.NUMBER:
        return _number(field, text)
    if field is Field.INDUSTRY and text not in INDUSTRIES:
        raise InvalidRequest("没有这个行业。", "请从列表里选一个。")
    if field is Field.LEVEL and text not in tuple(Level):
        raise InvalidRequest("没有这种结果。", "请从列表里选一个。")
    return text


def _number(field: Field, text: str) -> str:
    digits = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()) or int(digits) > _LARGEST[field]:
        raise InvalidRequest(f"“{LABELS[field]}”要填一个整数。", "只写数字，不写单位。")
    return str(int(digits))

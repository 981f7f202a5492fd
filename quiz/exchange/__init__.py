"""Questions in the formats of other programs, one file per format. The folder is the registry.

A format's module has `FORMAT`. What goes out in a format that we read comes back the same, and what
the format could not carry is reported question by question.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from kb.errors import UnsupportedFormat
from quiz.model import Question, Sheet


@dataclass(frozen=True, slots=True)
class Loss:
    """What a format could not carry of the question with this number, from 1; in Chinese, for people."""

    number: int
    what: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the format, and what it does not hold."""

    data: bytes
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One question as it was found, or why it was not taken; `place` says where, such as "第 3 行"."""

    place: str
    question: Question | None
    points: float | None = None
    problem: str = ""


class Format(Protocol):
    """One way in which questions travel. `label` and `about` are for people; `suffix` begins with a dot."""

    label: str
    about: str
    suffix: str
    media_type: str

    def write(self, sheet: Sheet) -> Written:
        """The sheet in this format. The same sheet gives the same bytes."""
        ...


class ReadableFormat(Format, Protocol):
    """A format that also comes in."""

    def read(self, data: bytes) -> tuple[Row, ...]:
        """What the file holds, in its order; a question that makes no sense has its problem told, the others go on.

        Raises:
            UnreadableSource: it is not this format at all, or damaged.
        """
        ...


@cache
def formats() -> Mapping[str, Format]:
    """Every format by its name, which is that of its file."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {name: module.FORMAT for name, module in modules.items() if hasattr(module, "FORMAT")}


def readable() -> Mapping[str, ReadableFormat]:
    """The formats that come in, too."""
    return {name: f for name, f in formats().items() if hasattr(f, "read")}  # type: ignore[misc]


def format_named(name: str) -> Format:
    """The format of this name.

    Raises:
        UnsupportedFormat: there is none.
    """
    if name not in formats():
        raise UnsupportedFormat(
            f"Cannot export as {name!r}: there is no such format.", f"Formats are {', '.join(formats())}."
        )
    return formats()[name]

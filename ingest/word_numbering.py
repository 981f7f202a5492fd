"""Automatic numbers of a Word document, from its numbering part and its styles."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.numbering import Counters, Level

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
"""Namespace of the elements of a Word document."""


def value_of(node: Any, path: str) -> str | None:
    """Attribute w:val of the element at a path like "pPr/numPr/ilvl"."""
    found = None if node is None else node.find("/".join(W + name for name in path.split("/")))
    return None if found is None else found.get(f"{W}val", "1")


def number_of(text: str | None, default: int = 0) -> int:
    """The whole number that an attribute holds, else the default."""
    return int(text) if text and re.fullmatch(r"-?\d+", text) else default


class Numbering:
    """Numbers of paragraphs from the part numbering.xml."""

    def __init__(self, root: Any, styles: Mapping[str, Any]) -> None:
        self._styles = styles
        self._abstract = (
            {} if root is None else {x.get(f"{W}abstractNumId"): x for x in root.findall(f"{W}abstractNum")}
        )
        self._nums = {} if root is None else {x.get(f"{W}numId"): x for x in root.findall(f"{W}num")}
        self._counters: dict[str, Counters] = {}
        self._started: set[str] = set()

    def next(self, paragraph: Any, chain: list[Any]) -> tuple[str, bool]:
        """(number to write before the text, whether it is a bullet); steps the counters."""
        num_id, index = self._place(paragraph, chain)
        key = self._abstract_of(num_id)
        if key is None:
            return "", False
        own = _levels(self._abstract[key])
        levels = dict(own)
        counters = self._counters.setdefault(key, Counters(own))
        for override in self._nums[num_id].findall(f"{W}lvlOverride"):
            at = number_of(override.get(f"{W}ilvl"))
            levels |= _levels(override)
            start = value_of(override, "startOverride")
            if start is not None:
                levels[at] = replace(levels.get(at, Level()), start=number_of(start, 1))
                if num_id not in self._started:
                    counters.start_at(at, number_of(start, 1))
        self._started.add(num_id)
        level = levels.get(index)
        return counters.step(index, levels), level is not None and level.format == "bullet"

    def _place(self, paragraph: Any, chain: list[Any]) -> tuple[str, int]:
        """(numId, level) of the paragraph or the nearest style that has them; "" for none."""
        index = value_of(paragraph, "pPr/numPr/ilvl")
        for node in [paragraph, *chain]:
            num_id = value_of(node, "pPr/numPr/numId")
            if num_id is None:
                continue
            if index is None and node is not paragraph:
                index = value_of(node, "pPr/numPr/ilvl") or self._level_of_style(num_id, chain)
            return num_id, number_of(index)
        return "", 0

    def _level_of_style(self, num_id: str, chain: list[Any]) -> str | None:
        key = self._abstract_of(num_id)
        ids = [style.get(f"{W}styleId") for style in chain]
        for level in [] if key is None else self._abstract[key].findall(f"{W}lvl"):
            if value_of(level, "pStyle") in ids:
                return str(level.get(f"{W}ilvl"))
        return None

    def _abstract_of(self, num_id: str) -> str | None:
        """Key of the numbering behind a list, through a numbering style where there is one."""
        key = value_of(self._nums.get(num_id), "abstractNumId")
        if key not in self._abstract:
            return None
        link = value_of(self._abstract[key], "numStyleLink")
        linked = value_of(
            self._nums.get(value_of(self._styles.get(link or ""), "pPr/numPr/numId") or ""), "abstractNumId"
        )
        return linked if linked in self._abstract else key


def _levels(node: Any) -> dict[int, Level]:
    levels = {}
    for level in node.findall(f"{W}lvl"):
        restart = value_of(level, "lvlRestart")
        form = level.find(f".//{W}numFmt")
        levels[number_of(level.get(f"{W}ilvl"))] = Level(
            format=form.get(f"{W}val", "decimal") if form is not None else "decimal",
            text=value_of(level, "lvlText") or "",
            start=number_of(value_of(level, "start"), 1),
            suffix=value_of(level, "suff") or "tab",
            restart=None if restart is None else number_of(restart),
            legal=level.find(f"{W}isLgl") is not None and value_of(level, "isLgl") not in {"0", "false"},
        )
    return levels

"""What becomes of one text that two people changed at the same time: sentence by sentence, nothing is lost."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_CLOSING = "”’」』）)\"'"
_SENTENCE = re.compile(rf"[^。！？!?；;\n]*(?:[。！？!?；;\n][{_CLOSING}]*\s*)+|[^。！？!?；;\n]+")
_ENDED = re.compile(rf"[。！？!?；;\n][{_CLOSING}]*\s*$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LINE_ENDED = re.compile(r"\n$")


@dataclass(frozen=True, slots=True)
class Merged:
    """What two versions came to; `contested` where both changed the same sentence and both now stand."""

    text: str
    contested: bool


@dataclass(frozen=True, slots=True)
class _Changes:
    """One person's changes of the base: `kept` has their own form of each sentence that they left, `added` what they
    put before each, `at` the place of a change by each sentence that it took away."""

    kept: dict[int, str]
    added: dict[int, list[str]]
    at: dict[int, int]


def sentences(text: str) -> list[str]:
    """The sentences of a text with their ends; joined again they are the text.

    >>> sentences("先登记。再“公示。”\\n最后")
    ['先登记。', '再“公示。”\\n', '最后']
    """
    return _SENTENCE.findall(text)


def merge(base: str, mine: str, theirs: str) -> Merged:
    """One text of two that were both made from `base`, sentence by sentence.

    Whatever one changed and the other left stands as changed. Where both changed the same sentence, both versions
    stay beside each other, theirs first. Every sentence that either wrote is in the text; one that either took out
    and the other left as it was is not.

    >>> merge("甲。乙。", "甲。乙二。", "甲一。乙。")
    Merged(text='甲一。乙二。', contested=False)
    >>> merge("甲。", "甲一。", "甲二。")
    Merged(text='甲二。甲一。', contested=True)
    """
    return _merge(base, mine, theirs, sentences, _ENDED)


def merge_lines(base: str, mine: str, theirs: str) -> Merged:
    """The same, line by line, for a table whose lines are never parted."""
    return _merge(base, mine, theirs, _LINE.findall, _LINE_ENDED)


def _merge(
    base: str, mine: str, theirs: str, cut: Callable[[str], list[str]], ended: re.Pattern[str]
) -> Merged:
    if mine in (base, theirs):
        return Merged(theirs, False)
    if theirs == base:
        return Merged(mine, False)
    tokens = cut(base)
    me, them = _changes(tokens, cut(mine)), _changes(tokens, cut(theirs))
    told = {_key(t) for c in (me, them) for added in c.added.values() for t in added}
    # A sentence that stood twice, of which each let another one go, is still wanted by both.
    wanted = {_key(t) for t in me.kept.values()} & {_key(t) for t in them.kept.values()} - told
    wanted -= {_key(t) for i, t in enumerate(tokens) if i in me.kept and i in them.kept}
    found: list[str] = []
    for i in range(len(tokens) + 1):
        found += _beside(them.added.get(i, []), me.added.get(i, []))
        if i == len(tokens):
            break
        if i in me.kept and i in them.kept:
            found.append(me.kept[i] if me.kept[i] != tokens[i] else them.kept[i])
        elif _key(tokens[i]) in wanted:
            wanted.discard(_key(tokens[i]))
            found.append(tokens[i])
    closed = [t if ended.search(t) else t + "\n" for t in found[:-1]] + found[-1:]
    return Merged("".join(closed), _is_contested(me, them))


def _key(token: str) -> str:
    """What makes two sentences the same: not the white space after them."""
    return token.strip()


def _changes(base: Sequence[str], text: Sequence[str]) -> _Changes:
    found = _Changes({}, {}, {})
    old, new = [_key(t) for t in base], [_key(t) for t in text]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.kept.update(zip(range(i1, i2), text[j1:j2], strict=True))
        else:
            found.at.update(dict.fromkeys(range(i1, i2), i1))
            if j2 > j1:
                found.added[i1] = list(text[j1:j2])
    return found


def _beside(theirs: list[str], mine: list[str]) -> list[str]:
    """What both put at one place, what they have in common once."""
    found: list[str] = []
    keys = [_key(t) for t in theirs], [_key(t) for t in mine]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        found += theirs[i1:i2]
        if tag != "equal":
            found += mine[j1:j2]
    return found


def _is_contested(mine: _Changes, theirs: _Changes) -> bool:
    """Whether some sentence was taken away by both, and not for the same words."""
    return any(
        [_key(t) for t in mine.added.get(mine.at[i], [])]
        != [_key(t) for t in theirs.added.get(theirs.at[i], [])]
        for i in mine.at.keys() & theirs.at.keys()
    )

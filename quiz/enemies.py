"""Questions that must not stand in one form: they ask about one clause, or give each other away."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from quiz.duplicates import NEAR, apart, near, stem_key, text_key
from quiz.form import pairs
from quiz.model import Question, Type

_WINDOW = 12
"""Characters on either side of what is asked for that tell where it stands."""
_SHARE = 0.5
"""From this share of the pairs of characters around it on, another question speaks of the same place."""
_SURE = 4
"""Fewer pairs than that could be anywhere."""


def same_clause(questions: Sequence[Question]) -> list[tuple[int, ...]]:
    """Indexes of questions that ask about one clause, for each clause about which more than one asks."""
    found: dict[tuple[str, str], list[int]] = {}
    for index, question in enumerate(questions):
        if question.citation and question.citation.clause_id:
            found.setdefault((question.citation.document_id, question.citation.clause_id), []).append(index)
    return [tuple(group) for group in found.values() if len(group) > 1]


def enemies(questions: Sequence[Question]) -> list[tuple[int, int]]:
    """Pairs of indexes, the lower first, in order, of questions that give each other away.

    The text of one holds the key of the other together with at least half of what stands around it there, or their
    stems are the same but for little. Whether they ask about one clause does not matter here.
    """
    texts = _Texts(questions)
    stems = [stem_key(q.stem) for q in questions]
    found: set[tuple[int, int]] = set()
    for index, question in enumerate(questions):
        for key, around in _clues(question):
            for other in texts.holding(around, _SHARE):
                if other != index and _stands_in(key, texts.shown[other]):
                    found.add((min(index, other), max(index, other)))
        for other in texts.near(index):
            if other > index and near(stems[index], stems[other]) and not apart(question, questions[other]):
                found.add((index, other))
    return sorted(found)


def groups(questions: Sequence[Question]) -> list[tuple[int, ...]]:
    """Indexes of questions of which a form may have one at most: those of one clause, and enemies.

    Enemies that are so all among themselves are one group, which a solver sees through sooner than pairs.
    """
    clauses = same_clause(questions)
    clause_of = {index: number for number, group in enumerate(clauses) for index in group}
    across = [(a, b) for a, b in enemies(questions) if clause_of.get(a, -1) != clause_of.get(b, -2)]
    return [*clauses, *_cliques(across)]


def _cliques(found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Groups that hold every pair, each of them pairs all through."""
    enemies_of: dict[int, set[int]] = {}
    for a, b in found:
        enemies_of.setdefault(a, set()).add(b)
        enemies_of.setdefault(b, set()).add(a)
    left = dict.fromkeys(found)
    while left:
        a, b = next(iter(left))
        clique, common = [a, b], enemies_of[a] & enemies_of[b]
        while common:
            clique.append(min(common))
            common &= enemies_of[clique[-1]]
        for pair in combinations(sorted(clique), 2):
            left.pop(pair, None)
        yield tuple(sorted(clique))


def _shown(question: Question) -> str:
    """What a person reads before answering, apart from what there is to choose from, in matching form."""
    parts = [*question.prompts, *(question.options if question.type is Type.ORDERING else ())]
    return "|".join([stem_key(question.stem), *map(text_key, parts)])


def _clues(question: Question) -> Iterator[tuple[str, frozenset[str]]]:
    """What would tell the answer: keys, each with the pairs of characters around its place."""
    cited = question.citation
    for start, end in question.places if cited else ():
        assert cited is not None
        before, after = cited.quote[: max(0, start - cited.start)], cited.quote[max(0, end - cited.start) :]
        key = cited.quote[max(0, start - cited.start) : max(0, end - cited.start)]
        yield from _clue(text_key(key), text_key(before)[-_WINDOW:], text_key(after)[:_WINDOW])
    if question.type in (Type.SINGLE, Type.MULTIPLE, Type.BLANK):
        parts = stem_key(question.stem).split("_")
        for gap, key in enumerate(question.answer):
            # Without a gap of its own, a key belongs to the whole stem.
            before, after = (
                (parts[gap][-_WINDOW:], parts[gap + 1][:_WINDOW])
                if len(parts) == len(question.answer) + 1
                else ("".join(parts), "")
            )
            variants = question.accepted[gap] if gap < len(question.accepted) else ()
            for text in dict.fromkeys([text_key(key), *map(text_key, variants)]):
                yield from _clue(text, before, after)
    for point in question.points:
        yield from _clue(text_key(point.text), stem_key(question.stem), "")


def _clue(key: str, before: str, after: str) -> Iterator[tuple[str, frozenset[str]]]:
    around = pairs(before) | pairs(after)
    if key and len(around) >= _SURE:
        yield key, around


def _stands_in(key: str, text: str) -> bool:
    """Whether the key is in the text, and not as part of a larger number."""
    at = text.find(key)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(key) : at + len(key) + 1]
        if not (before.isdigit() and key[0].isdigit()) and not (after.isdigit() and key[-1].isdigit()):
            return True
        at = text.find(key, at + 1)
    return False


class _Texts:
    """Which questions show which pairs of characters."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.shown = [_shown(q) for q in questions]
        self._own = [pairs(text) for text in self.shown]
        self._sizes = np.array([len(own) for own in self._own])
        listed: dict[str, list[int]] = {}
        for index, own in enumerate(self._own):
            for pair in own:
                listed.setdefault(pair, []).append(index)
        self._listed = {pair: np.array(found) for pair, found in listed.items()}

    def holding(self, wanted: frozenset[str], share: float) -> Iterable[int]:
        """Questions that show at least the share of these pairs."""
        return map(int, np.flatnonzero(self._counts(wanted) >= share * len(wanted)))

    def near(self, index: int) -> Iterable[int]:
        """Questions that show nearly the same as this one."""
        size = self._sizes[index]
        if not size:
            return ()
        return map(int, np.flatnonzero(2 * self._counts(self._own[index]) >= NEAR * (size + self._sizes)))

    def _counts(self, wanted: frozenset[str]) -> NDArray[np.intp]:
        found = [self._listed[pair] for pair in wanted if pair in self._listed]
        if not found:
            return np.zeros(len(self.shown), dtype=np.intp)
        return np.bincount(np.concatenate(found), minlength=len(self.shown))

"""Queries that name their target: a 文号, a law and article, an exact title."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from kb.names import ARTICLE, article_key, name_key
from search.analysis import document_numbers, fold

_STATE = "中华人民共和国"
_MARK = re.compile(r"[(\[](?:试行|暂行|修订|修正|草案|[0-9]{4}年?(?:修订|修正)?(?:版|本)?)[)\]]$")
_AROUND = re.compile(
    r"^(?:请问|查询|查找|查|关于|根据|依据|按照|依照)+|(?:的)?(?:内容|全文|原文|规定|是什么|什么内容|怎么规定|如何规定)+$"
)
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Target:
    """What a query names: documents, newest version first, and the folded label of a clause in them."""

    document_ids: tuple[str, ...]
    label: str | None = None


class Names:
    """Every way to write the names of the documents at hand.

    A law is found with and without 中华人民共和国, with and without its mark of
    version, and a part of a code also by the name of the code.
    """

    def __init__(self, titles: Iterable[tuple[str, str, str | None]]) -> None:
        """`titles` are (document id, title, 文号), newest version first."""
        self._by_title: dict[str, list[str]] = {}
        self._by_number: dict[str, list[str]] = {}
        for document_id, title, number in titles:
            for name in _title_forms(title):
                self._by_title.setdefault(name, []).append(document_id)
            if number:
                self._by_number.setdefault(name_key(fold(number).text), []).append(document_id)

    def find(self, text: str) -> Target | None:
        """The surest target that the query names, in any scope; None if it names none."""
        return next(self.candidates(text), None)

    def candidates(self, text: str) -> Iterator[Target]:
        """The targets that the query may name, the surest first.

        Names are known of documents in every scope: the caller takes the first
        target of which it may show something, as if the others did not exist.
        """
        folded = fold(text).text
        for _, end, number in document_numbers(folded):
            # The issuer's mark may have taken in words before it.
            for skipped in range(number.index("[")):
                if found := self._by_number.get(name_key(number[skipped:])):
                    yield Target(tuple(found), article_key(folded[end:]))
        if m := ARTICLE.search(folded):
            for found in self._names_that_end(name_key(folded[: m.start()])):
                yield Target(tuple(found), article_key(folded))
        quoted = re.findall(r"《([^》]+)》", folded)
        for name in dict.fromkeys(name_key(form) for form in (folded, _AROUND.sub("", folded), *quoted)):
            if found := self._by_number.get(name) or self._by_title.get(name):
                yield Target(tuple(found))

    def _names_that_end(self, key: str) -> Iterator[list[str]]:
        """Documents of the names that the text ends with, the longest name first."""
        for start in range(max(0, len(key) - _LONGEST_NAME), len(key) - 1):
            if found := self._by_title.get(key[start:]):
                yield found


@lru_cache(maxsize=1 << 17)
def _title_forms(title: str) -> tuple[str, ...]:
    whole = fold(title).text.strip()
    forms = []
    for form in (whole, _MARK.sub("", whole), whole.split(" ")[0]):
        key = name_key(form)
        forms += [key, key.removeprefix(_STATE)]
    return tuple(f for f in dict.fromkeys(forms) if len(f) > 1)

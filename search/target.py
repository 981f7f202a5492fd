"""Queries that name their target: a 文号, a law and article, an exact title."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from search.analysis import document_numbers, fold

_ARTICLE = re.compile(r"第?([0-9]+)条(?:之([0-9]+))?(?:第[0-9]+款)?(?:第?[(]?[0-9]+[)]?项)?")
_STATE = "中华人民共和国"
_MARK = re.compile(r"[(\[](?:试行|暂行|修订|修正|草案|[0-9]{4}年?(?:修订|修正)?(?:版|本)?)[)\]]$")
_AROUND = re.compile(r"^(?:请问|查询|查找|查|关于|根据|依据|按照|依照)+|(?:的)?(?:内容|全文|原文|规定|是什么|什么内容|怎么规定|如何规定)+$")
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
                self._by_number.setdefault(_key(fold(number).text), []).append(document_id)

    def find(self, text: str) -> Target | None:
        """The target that the query names, None if it names none."""
        folded = fold(text).text
        for _, _, number in document_numbers(folded):
            # The issuer's mark may have taken in words before it.
            for start in range(number.index("[")):
                if found := self._by_number.get(_key(number[start:])):
                    return Target(tuple(found), self._label_after(folded, number))
        if m := _ARTICLE.search(folded):
            found = self._name_that_ends(_key(folded[: m.start()]))
            if found:
                return Target(tuple(found), f"第{int(m[1])}条" + (f"之{int(m[2])}" if m[2] else ""))
        for name in (_key(folded), _key(_AROUND.sub("", folded)), *(_key(b) for b in re.findall(r"《([^》]+)》", folded))):
            if found := self._by_title.get(name):
                return Target(tuple(found))
        return None

    def _name_that_ends(self, key: str) -> list[str] | None:
        """Documents of the longest name that the text ends with."""
        for start in range(max(0, len(key) - _LONGEST_NAME), len(key) - 1):
            if found := self._by_title.get(key[start:]):
                return found
        return None

    @staticmethod
    def _label_after(folded: str, number: str) -> str | None:
        m = _ARTICLE.search(folded, folded.find("号"))
        return f"第{int(m[1])}条" + (f"之{int(m[2])}" if m[2] else "") if m else None


@lru_cache(maxsize=1 << 17)
def _title_forms(title: str) -> tuple[str, ...]:
    whole = fold(title).text.strip()
    forms = []
    for form in (whole, _MARK.sub("", whole), whole.split(" ")[0]):
        key = _key(form)
        forms += [key, key.removeprefix(_STATE)]
    return tuple(f for f in dict.fromkeys(forms) if len(f) > 1)


def _key(folded: str) -> str:
    return "".join(c for c in folded if c.isalnum())

"""What cases are called on their pages: facts, who shared them, and what the shared templates look words up in."""

from collections.abc import Mapping
from typing import Any

from cases.model import (
    COSTS,
    EFFECT_WORDS,
    INDUSTRIES,
    LABELS,
    LEVEL_WORDS,
    PROGRESS_WORDS,
    SIZES,
    STATE_WORDS,
    Level,
)

LIBRARY_WORDS = "公共文库"
ELSEWHERE_WORDS = "别的支部"


def size_words(n_bytes: int) -> str:
    """The size of a file as people say it.

    >>> size_words(900), size_words(380_000), size_words(2_500_000)
    ('1 KB', '380 KB', '2.5 MB')
    """
    return f"{n_bytes / 1_000_000:.1f} MB" if n_bytes >= 1_000_000 else f"{-(-n_bytes // 1000)} KB"


FILTER_WORDS: Mapping[str, str] = {
    "industry": "行业",
    "level": "结果",
    "size": "涉及人数",
    "cost": "花费",
    "branch": "支部",
}
"""The filters of the search, in their order, by their names in addresses."""

_BANDS: Mapping[str, Mapping[str, str]] = {
    "industry": INDUSTRIES,
    "level": {level.value: words for level, words in LEVEL_WORDS.items()},
    "size": {band: words for band, (words, _, _) in SIZES.items()},
    "cost": {band: words for band, (words, _, _) in COSTS.items()},
}


def values_of(field: str) -> tuple[str, ...]:
    """The values that a filter can have, in their order; none for branches, which are looked up.

    >>> values_of("level")
    ('solved', 'eased', 'open')
    """
    return tuple(_BANDS.get(field, ()))


def value_words(field: str, value: str, names: Mapping[str, str]) -> str:
    """How a value of a filter reads; `names` are those of branches.

    >>> value_words("industry", "F", {}), value_words("branch", "jia", {"jia": "甲支部"})
    ('批发零售', '甲支部')
    """
    return names.get(value, ELSEWHERE_WORDS) if field == "branch" else _BANDS[field].get(value, value)


def cost_words(yuan: int) -> str:
    """An amount as people say it.

    >>> [cost_words(n) for n in (0, 600, 14_400, 3_000_000, 120_000_000)]
    ['没有花钱', '600 元', '1.44 万元', '300 万元', '1.2 亿元']
    """
    if yuan == 0:
        return "没有花钱"
    for unit, words in ((100_000_000, "亿元"), (10_000, "万元")):
        if yuan >= unit:
            return f"{round(yuan / unit, 2):g} {words}" if yuan / unit < 1000 else f"{yuan // unit:,} {words}"
    return f"{yuan:,} 元"


def facts_of(
    industry: str | None, people: int | None, cost: int | None, level: Level | None
) -> Mapping[str, str]:
    """The facts of a case that are stated, by what they are called.

    >>> dict(facts_of("F", 41, 600, Level.SOLVED))
    {'结果': '已解决', '行业': '批发零售', '涉及': '41 人', '花费': '600 元'}
    """
    stated = {
        "结果": LEVEL_WORDS[level] if level else "",
        "行业": INDUSTRIES.get(industry or "", ""),
        "涉及": "" if people is None else f"{people:,} 人",
        "花费": "" if cost is None else cost_words(cost),
    }
    return {name: words for name, words in stated.items() if words}


def sharer_words(branch_id: str | None, issuer: str, names: Mapping[str, str]) -> str:
    """Who shared a case: its branch, or whoever the text says issued it.

    >>> sharer_words("jia", "甲公司", {"jia": "甲支部"}), sharer_words(None, "甲公司", {})
    ('甲支部', '甲公司')
    """
    if branch_id is None:
        return issuer or LIBRARY_WORDS
    return names.get(branch_id, issuer or ELSEWHERE_WORDS)


READ_DONE: Mapping[str, str] = {
    "published": "已发布，选定的对象现在就看得到。",
}
"""What was done to a case as a whole, by the code in the address of its page."""

WORDS: Mapping[str, Any] = {
    "LABELS": LABELS,
    "LEVEL_WORDS": LEVEL_WORDS,
    "STATE_WORDS": STATE_WORDS,
    "PROGRESS_WORDS": PROGRESS_WORDS,
    "EFFECT_WORDS": EFFECT_WORDS,
    "INDUSTRIES": INDUSTRIES,
    "size_words": size_words,
    "sharer_words": sharer_words,
}
"""What every page of cases has in its context."""

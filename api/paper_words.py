"""What papers tell on their pages: lines of a blueprint, what is missing and why, and what cannot be changed."""

from collections.abc import Mapping

from api.address import Problem
from api.quiz_words import SLOT_WORDS
from kb.errors import Conflict
from quiz.blueprint import Line, Shortfall, Why
from quiz.model import TYPE_WORDS

BANDS: Mapping[str, tuple[float, float]] = {
    "": (0.0, 1.0),
    "easy": (0.0, 0.399),
    "middle": (0.4, 0.599),
    "hard": (0.6, 1.0),
}
"""Bands of difficulty by their names in forms, as `difficulty_words` parts them; it is kept to three places."""
BAND_WORDS: Mapping[str, str] = {"": "难度不限", "easy": "易和偏易", "middle": "适中", "hard": "偏难和难"}

DONE: Mapping[str, str] = {
    "made": "试卷已组成。",
    "replaced": "已换上另一道题，要求没有变。",
    "moved": "题序已调整。",
    "points": "分值已保存。",
    "discarded": "试卷已删除，题还在题库里。",
}
"""What was done, by the code in the address after it."""

_WHY: Mapping[Why, str] = {
    Why.FEW: "题库里合用的题只有 {found} 道，少 {n} 道",
    Why.CLAUSE: "一套里每条只考一次，合用的题集中在几条上，少 {n} 道",
    Why.GIVEAWAY: "合用的题里有的互相透露答案，不能同卷，少 {n} 道",
    Why.TAKEN: "合用的题给了别的行，少 {n} 道",
}
_REFUSED: Mapping[str, str] = {
    "Approve more questions for that line.": (
        "没有换：题库里没有别的题既合这一行的要求，又不和这套卷里的题同考一条或互相透露答案。请先多审几道题。"
    ),
    "See what is there now.": "没有改：别人刚改过这份试卷。请看清现在的样子再改。",
    "Make another paper; only what is gone or no longer in force can be replaced.": (
        "没有改：试卷已经发出，只有已撤下或不能再用的题可以换。要改别的，请另组一份。"
    ),
}


def line_words(line: Line) -> str:
    """What a line asks for, besides how many.

    >>> line_words(Line(2, topics=("守则",), difficulty=(0.6, 1.0)))
    '题型不限，守则，偏难和难'
    """
    parts = [
        "、".join(words for t, words in TYPE_WORDS.items() if t in line.types) or "题型不限",
        *line.topics,
    ]
    band = next((name for name, ends in BANDS.items() if ends == line.difficulty), None)
    if band is None:
        parts.append(f"难度 {line.difficulty[0]:g} 至 {line.difficulty[1]:g}")
    elif band:
        parts.append(BAND_WORDS[band])
    if line.slots:
        parts.append("考" + "、".join(words for s, words in SLOT_WORDS.items() if s in line.slots))
    return "，".join(parts)


def shortfall_words(shortfall: Shortfall) -> str:
    """Why places of a line stay empty.

    >>> shortfall_words(Shortfall(0, 3, {Why.FEW: 3}, 2))
    '题库里合用的题只有 2 道，少 3 道。'
    """
    return "；".join(_WHY[why].format(n=n, found=shortfall.found) for why, n in shortfall.why.items()) + "。"


def refused_words(error: Conflict) -> Problem:
    """Why a paper was not changed."""
    return Problem("state", _REFUSED.get(error.hint, f"没有改。{error.message}"))

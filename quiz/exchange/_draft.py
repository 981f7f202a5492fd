"""From what stands in a row or a paragraph to a question: types, keys and gaps as people write them."""

import re
import unicodedata
from dataclasses import dataclass, field

from quiz.exchange._words import BASIS, difficulty_of, fold, quoted, truth, truths, type_named
from quiz.model import BLANK, FALSE, TRUE, Question, Type

_GAP = re.compile(r"[（(][\s_＿]*[)）]|[_＿]{2,}")
_LETTERS = re.compile(r"[A-Z](?:[\s,，、;；|/和及]*[A-Z])*")
_KEY_IN_STEM = re.compile(
    r"[（(]\s*([A-Z](?:[\s,，、]*[A-Z])*|[√×✓✗]|对|错|正确|错误|是|否|同意|不同意)\s*[)）]"
)
_GAP_SEPARATORS = (
    r"[|｜]",
    r"\n+",
    r"[;；]",
    r"[（(]\d[)）]|[①-⑳]|\d[.．、]\s*",
    r"、",
    r"[,，]",
    r"\s+",
)


class Unusable(Exception):
    """This makes no question; the message says why, in Chinese, for people."""


@dataclass(slots=True)
class Draft:
    """Texts as they were found; "" where nothing was said.

    `kind` is what the type is called. For gaps `options` may hold one answer each.
    """

    stem: str = ""
    kind: str = ""
    options: list[str] = field(default_factory=list)
    answer: str = ""
    explanation: str = ""
    topics: str = ""
    difficulty: str = ""


def question_from(draft: Draft) -> Question:
    """The question that the draft means.

    Raises:
        Unusable: stem or key is missing, or they contradict each other.
    """
    stem, answer = draft.stem.strip(), draft.answer.strip()
    options = tuple(option.strip() for option in draft.options)
    if not stem:
        raise Unusable("没有题干")
    type_, says_one = _type(draft.kind, stem, options, answer)
    if not answer and not (type_ is Type.BLANK and options):
        stem, answer = _key_in_stem(stem, type_)
    if type_ in (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.BLANK):
        stem = _GAP.sub(BLANK, stem)
    accepted: tuple[tuple[str, ...], ...] = ()
    if type_ is Type.BLANK:
        keys, accepted = _gaps(stem, options, answer)
        options = ()
    elif type_ is Type.TRUE_FALSE:
        options, keys = _true_false(options, answer)
    elif type_ is Type.SHORT:
        keys = (_key(answer),)
        options = ()
    elif type_ is Type.MATCHING:
        keys = tuple(_chosen(options, answer))
    else:
        keys = _choice(options, answer)
        if type_ is Type.ORDERING and sorted(keys) != sorted(options):
            raise Unusable(f"排序题的答案{quoted(answer)}没有把每个选项各用一次")
        if type_ is None:
            type_ = Type.MULTIPLE if len(keys) > 1 else Type.SINGLE
        if type_ is Type.SINGLE and len(keys) > 1:
            raise Unusable(f"{'单选题' if says_one else '这道题'}却有多个答案{quoted(answer)}")
        if type_ is Type.MULTIPLE:
            keys = tuple(option for option in options if option in keys)
    return Question(
        type_,
        stem,
        options,
        keys,
        draft.explanation.partition(BASIS)[0].strip(),
        difficulty=difficulty_of(draft.difficulty),
        accepted=accepted,
        topics=tuple(t.strip() for t in draft.topics.split("/") if t.strip()),
    )


def _type(kind: str, stem: str, options: tuple[str, ...], answer: str) -> tuple[Type | None, bool]:
    """The type, `None` for a choice whose keys decide, and whether the file names it."""
    pair = truths(options)
    if kind.strip():
        known, type_ = type_named(kind)
        if not known:
            raise Unusable(f"不认识的题型{quoted(kind.strip())}")
        if pair and type_ in (Type.SINGLE, None):
            return Type.TRUE_FALSE, True
        return type_, True
    if pair:
        return Type.TRUE_FALSE, False
    if len(options) > 1:
        return None, False
    at_end = _KEY_IN_STEM.search(stem)
    if truth(answer) or (not answer and at_end and truth(at_end[1])):
        return Type.TRUE_FALSE, False
    return (Type.BLANK if _GAP.search(stem) else Type.SHORT), False


def _key_in_stem(stem: str, type_: Type | None) -> tuple[str, str]:
    """Stem and key, where the key was written into the brackets of the stem."""
    found = list(_KEY_IN_STEM.finditer(stem))
    if type_ is Type.TRUE_FALSE and found and found[-1].end() == len(stem):
        return stem[: found[-1].start()].rstrip(), found[-1][1]
    if type_ in (Type.SINGLE, Type.MULTIPLE, None):
        letters = [m for m in found if m[1][0].isascii()]
        if len(letters) == 1:
            return stem[: letters[0].start()] + BLANK + stem[letters[0].end() :], letters[0][1]
    raise Unusable("没有答案")


def _key(answer: str) -> str:
    if not answer:
        raise Unusable("没有答案")
    return answer


def _true_false(options: tuple[str, ...], answer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shown = truths(options) or (TRUE, FALSE)
    letter = fold(answer)
    if letter in ("a", "b"):
        return shown, (shown["ab".index(letter)],)
    said = truth(_key(answer))
    if said is None:
        raise Unusable(f"判断题的答案{quoted(answer)}不是对或错")
    return shown, (said,)


def _choice(options: tuple[str, ...], answer: str) -> tuple[str, ...]:
    if len(options) < 2:
        raise Unusable("选项不足两个")
    if "" in options:
        raise Unusable(f"选项 {chr(ord('A') + options.index(''))} 是空的")
    if len(set(options)) < len(options):
        twice = next(o for o in options if options.count(o) > 1)
        raise Unusable(f"选项{quoted(twice)}出现了两次")
    return tuple(dict.fromkeys(_chosen(options, _key(answer))))


def _chosen(options: tuple[str, ...], answer: str) -> list[str]:
    """The options that the key names: by letters, by their texts, or by a letter with its text."""
    plain = unicodedata.normalize("NFKC", answer).strip().rstrip(".。、,，;；")
    if _LETTERS.fullmatch(plain.upper()):
        places = [ord(char) - ord("A") for char in plain.upper() if "A" <= char <= "Z"]
        if max(places) < len(options):
            return [options[place] for place in places]
    texts = {fold(option): option for option in options}
    if fold(answer) in texts:
        return [texts[fold(answer)]]
    for separator in (r"\n+", r"[|｜;；]", r"[、,，]"):
        parts = [part.strip() for part in re.split(separator, answer) if part.strip()]
        named = [_named(options, texts, part) for part in parts]
        if named and all(named):
            return [str(name) for name in named]
    raise Unusable(f"答案{quoted(answer)}不在选项里")


def _named(options: tuple[str, ...], texts: dict[str, str], part: str) -> str | None:
    if fold(part) in texts:
        return texts[fold(part)]
    lettered = re.match(r"\s*[（(]?([A-Za-zＡ-Ｚａ-ｚ])[)）]?\s*[.．、:：)）]?\s*(.*)", part, re.S)
    if lettered is None:
        return None
    place = ord(fold(lettered[1])) - ord("a")
    if place < len(options) and fold(lettered[2]) in ("", fold(options[place])):
        return options[place]
    return None


def _gaps(
    stem: str, cells: tuple[str, ...], answer: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """What fills the gaps, and what else is right in each."""
    n = stem.count(BLANK)
    if n == 0:
        raise Unusable("填空题的题干里没有空，空要写成 ____ 或（　）")
    if cells:
        if len(cells) != n or "" in cells:
            raise Unusable(f"题干有 {n} 个空，答案却有 {sum(map(bool, cells))} 个")
        return cells, ()
    parts, bar = ([_key(answer)], True) if n == 1 else _split(answer, n)
    variants = [[v.strip() for v in re.split(r"[;；]", part) if v.strip()] for part in parts] if bar else []
    if bar and all(variants):
        accepted = tuple(tuple(v[1:]) for v in variants)
        return tuple(v[0] for v in variants), accepted if any(accepted) else ()
    return tuple(parts), ()


def _split(answer: str, n: int) -> tuple[list[str], bool]:
    """The key cut into as many parts as there are gaps, and whether by bars."""
    for separator in _GAP_SEPARATORS:
        parts = [part.strip() for part in re.split(separator, answer) if part.strip()]
        if len(parts) == n:
            return parts, separator == _GAP_SEPARATORS[0]
    _key(answer)
    raise Unusable(f"题干有 {n} 个空，答案{quoted(answer)}分不成 {n} 份")

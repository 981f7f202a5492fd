"""Reading packages of IMS QTI, whichever version of 2 or 3 they are; the paths in them are not trusted."""

import posixpath
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from lxml import etree

from kb.errors import UnreadableSource
from quiz.exchange import Row, _notes
from quiz.exchange._draft import Unusable
from quiz.exchange._markup import PARAGRAPH, document, local, text_of
from quiz.exchange._rows import blank, row
from quiz.exchange._zip import members
from quiz.model import BLANK, FALSE, TRUE, Question, Type

_MOST_MEMBERS = 20_000


def _kind(element: Any) -> str:
    """What the element is, in one spelling for all versions: qti-simple-choice and simpleChoice are simplechoice."""
    return local(element).removeprefix("qti-").replace("-", "").lower()


def _get(element: Any, word: str) -> str:
    """The attribute of this name in any spelling; "" where it is not there."""
    wanted = word.lower()
    return next((v for k, v in element.attrib.items() if k.replace("-", "").lower() == wanted), "")


def _all(element: Any, *kinds: str) -> list[Any]:
    return [found for found in element.iter(etree.Element) if _kind(found) in kinds]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item lies in its package, and what the package says of it."""

    path: str
    points: float | None = None
    topics: tuple[str, ...] = ()


def read_package(data: bytes) -> tuple[Row, ...]:
    try:
        files = members(data)
    except zlib.error as error:
        raise UnreadableSource("文件打不开：压缩包已损坏。", "请重新导出一次。") from error
    if len(files) > _MOST_MEMBERS:
        raise UnreadableSource(
            f"压缩包里有 {len(files)} 个文件，没有读取。", f"最多 {_MOST_MEMBERS} 个，请拆成几包。"
        )
    for path in files:
        _inside("", path)
    places = _places(files)
    if not places:
        raise UnreadableSource("压缩包里没有 QTI 试题。", "请导出为 QTI 2.1、2.2 或 3.0 的内容包。")
    return tuple(row(f"第 {n} 题", partial(_read_item, files, place)) for n, place in enumerate(places, 1))


def _inside(base: str, path: str) -> str:
    """The path from the top of the package, as its manifest or its test names it.

    Raises:
        UnreadableSource: it leads out of the package.
    """
    found = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if "\\" in path or ":" in path or path.startswith("/") or found.startswith(("..", "/")):
        raise UnreadableSource(f"压缩包里的路径“{path}”通到包外，没有读取。", "请用原来的程序重新导出。")
    return found


def _places(files: Mapping[str, bytes]) -> list[_Place]:
    manifests = [path for path in files if posixpath.basename(path) == "imsmanifest.xml"]
    if not manifests:
        return [
            _Place(path) for path in sorted(files) if path.endswith(".xml") and b"ssessment" in files[path]
        ]
    top = min(manifests, key=len)
    items, tests = {}, []
    for resource in _all(document(files[top]), "resource"):
        if not (href := resource.get("href")) or "://" in href:
            continue
        path, kind = _inside(top, unquote(href)), resource.get("type", "")
        if "imsqti_item" in kind:
            words = [w for k in _all(resource, "keyword") for w in _all(k, "string", "langstring")]
            items[path] = _Place(path, topics=tuple(t for w in words if (t := (w.text or "").strip())))
        elif "imsqti_test" in kind:
            tests.append(path)
    ordered = [
        place for test in tests if test in files for place in _asked(document(files[test]), test, items)
    ]
    return ordered or list(items.values())


def _asked(test: Any, path: str, items: Mapping[str, _Place]) -> list[_Place]:
    places = []
    for reference in _all(test, "assessmentitemref"):
        target = _inside(path, unquote(reference.get("href", "")))
        weights = [_get(w, "value") for w in _all(reference, "weight")]
        points = (
            float(weights[0]) if len(weights) == 1 and re.fullmatch(r"\d{1,6}(\.\d+)?", weights[0]) else None
        )
        places.append(replace(items.get(target, _Place(target)), points=points))
    return places


@dataclass(slots=True)
class _Key:
    """What an item declares to be right: for each response its values, then what scores as well."""

    correct: dict[str, list[str]] = field(default_factory=dict)
    scoring: dict[str, list[str]] = field(default_factory=dict)
    cardinality: dict[str, str] = field(default_factory=dict)

    def values(self, interaction: Any) -> list[str]:
        name = _get(interaction, "responseIdentifier")
        return self.correct.get(name) or self.scoring.get(name, [])

    def variants(self, interaction: Any) -> list[str]:
        name = _get(interaction, "responseIdentifier")
        return list(dict.fromkeys(self.correct.get(name, []) + self.scoring.get(name, [])))


def _key(item: Any) -> _Key:
    key = _Key()
    for response in _all(item, "responsedeclaration"):
        name = _get(response, "identifier")
        key.cardinality[name] = _get(response, "cardinality")
        key.correct[name] = [
            (v.text or "").strip() for c in _all(response, "correctresponse") for v in _all(c, "value")
        ]
        entries = [(_get(e, "mapKey"), _get(e, "mappedValue")) for e in _all(response, "mapentry")]
        key.scoring[name] = [k for k, value in entries if re.fullmatch(r"\d*\.?\d*[1-9]\d*\.?\d*", value)]
    return key


def _read_item(files: Mapping[str, bytes], place: _Place) -> tuple[Question, float | None]:
    if place.path not in files:
        raise Unusable(f"压缩包里没有 {place.path}")
    try:
        item = document(files[place.path])
    except UnreadableSource as error:
        raise Unusable(f"{place.path} 打不开：{error.message}") from error
    bodies = _all(item, "itembody")
    if _kind(item) != "assessmentitem" or not bodies:
        raise Unusable(f"{place.path} 不是试题")
    body, key = bodies[0], _key(item)
    asked = _all(body, *_READERS, *_OTHERS)
    kinds = {_kind(e) for e in asked}
    if (
        len(kinds) != 1
        or not kinds <= set(_READERS)
        or (len(asked) > 1 and kinds != {"textentryinteraction"})
    ):
        raise Unusable("没有这样的题型" if asked else "没有可以作答的地方，不是试题")
    question = _READERS[kinds.pop()](_stem(body), asked, key)
    if question.type is Type.SHORT:
        rubrics = [r for r in _all(body, "rubricblock") if "scorer" in _get(r, "view")]
        notes = _notes.read(*rubrics)
        answer = notes.answer or " ".join(question.answer) or notes.explanation
        question = replace(question, answer=(answer,) if answer else (), points=notes.points)
    told = _notes.read(*_all(item, "modalfeedback"))
    question = replace(question, explanation=told.explanation, citation=told.citation, topics=place.topics)
    return question, place.points


def _stem(body: Any) -> str:
    """What is asked: the text around the interaction and its prompt, with gaps where something is to be written."""

    def shown(element: Any) -> str | None:
        kind = _kind(element)
        if kind == "textentryinteraction":
            return BLANK
        if kind in _READERS:
            return PARAGRAPH + PARAGRAPH.join(text_of(p) for p in _all(element, "prompt")) + PARAGRAPH
        return "" if kind in ("rubricblock", "feedbackblock", "feedbackinline") else None

    return text_of(body, shown).strip()


def _texts(parent: Any, *kinds: str) -> dict[str, str]:
    """What people read of the choices, by identifier."""
    unseen = ("feedbackinline", "feedbackblock")
    choices = _all(parent, *kinds)
    return {_get(c, "identifier"): text_of(c, lambda e: "" if _kind(e) in unseen else None) for c in choices}


def _chosen(texts: Mapping[str, str], values: list[str]) -> tuple[str, ...]:
    if not set(values) <= set(texts):
        raise Unusable("答案不在选项里")
    return tuple(texts[value] for value in values)


def _read_choice(stem: str, asked: list[Any], key: _Key) -> Question:
    texts = _texts(asked[0], "simplechoice")
    options = tuple(texts.values())
    right = _chosen(texts, key.values(asked[0]))
    if key.cardinality.get(_get(asked[0], "responseIdentifier")) == "multiple":
        return Question(Type.MULTIPLE, stem, options, tuple(o for o in options if o in right))
    return Question(Type.TRUE_FALSE if set(options) == {TRUE, FALSE} else Type.SINGLE, stem, options, right)


def _read_order(stem: str, asked: list[Any], key: _Key) -> Question:
    texts = _texts(asked[0], "simplechoice")
    return Question(Type.ORDERING, stem, tuple(texts.values()), _chosen(texts, key.values(asked[0])))


def _read_match(stem: str, asked: list[Any], key: _Key) -> Question:
    sides = [_texts(side, "simpleassociablechoice") for side in _all(asked[0], "simplematchset")]
    pairs = [value.split() for value in key.values(asked[0])]
    if len(sides) != 2 or not all(len(pair) == 2 for pair in pairs):
        raise Unusable("配对题没有左右两列")
    found = {pair[0]: pair[1] for pair in pairs}
    if len(found) < len(pairs) or set(found) != set(sides[0]):
        raise Unusable("配对题的左列不是各配一项")
    options = _chosen(sides[1], [found[mark] for mark in sides[0]])
    return Question(Type.MATCHING, stem, tuple(sides[1].values()), options, prompts=tuple(sides[0].values()))


def _read_entries(stem: str, asked: list[Any], key: _Key) -> Question:
    return blank(stem, [key.variants(entry) for entry in asked])


def _read_told(stem: str, asked: list[Any], key: _Key) -> Question:
    return Question(Type.SHORT, stem, (), tuple(key.values(asked[0])))


_READERS: dict[str, Callable[[str, list[Any], _Key], Question]] = {
    "choiceinteraction": _read_choice,
    "orderinteraction": _read_order,
    "matchinteraction": _read_match,
    "textentryinteraction": _read_entries,
    "extendedtextinteraction": _read_told,
}
_OTHERS = frozenset(
    f"{word}interaction"
    for word in [
        "associate",
        "gapmatch",
        "inlinechoice",
        "hottext",
        "hotspot",
        "selectpoint",
        "graphicorder",
        "graphicassociate",
        "graphicgapmatch",
        "positionobject",
        "slider",
        "media",
        "drawing",
        "upload",
        "endattempt",
        "custom",
        "portablecustom",
    ]
)

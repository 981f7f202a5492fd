"""Packages of IMS QTI: a manifest, one item for each question, and a test that holds them in their order.

QTI 2.2 and 3.0 say the same in different names: 3.0 writes qti-choice-interaction for choiceInteraction.
Names are written here as in 2.2; a dialect turns them into its own. Reading folds both into one, and takes
2.1 as well.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from lxml import etree

from kb.errors import UnreadableSource
from quiz.exchange import Row, Written, _notes
from quiz.exchange._draft import Unusable
from quiz.exchange._markup import PARAGRAPH, child, document, fill, local, text_of
from quiz.exchange._report import losses
from quiz.exchange._rows import blank, named, row
from quiz.exchange._words import clean, number, one_line
from quiz.exchange._zip import members
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, SheetQuestion, Type

_MOST_MEMBERS = 20_000
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LOM = "http://ltsc.ieee.org/xsd/LOM"
_XHTML = frozenset(["p", "br", "span", "cite", "q", "ol", "li", "div"])


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one version of QTI calls things."""

    version: str
    namespace: str
    schema: str
    manifest: str
    manifest_schema: str
    package: tuple[str, str]
    resource: str
    template: str
    hyphens: bool

    def name(self, word: str) -> str:
        """An element as this version calls it.

        >>> from quiz.exchange.qti30 import FORMAT
        >>> FORMAT.dialect.name("simpleChoice"), FORMAT.dialect.name("p")
        ('qti-simple-choice', 'p')
        """
        return f"qti-{_hyphened(word)}" if self.hyphens and word not in _XHTML else word

    def attribute(self, word: str) -> str:
        """An attribute as this version calls it."""
        return _hyphened(word) if self.hyphens else word

    def root(self, word: str, **attributes: str) -> "Node":
        """A new document."""
        element = etree.Element(
            etree.QName(self.namespace, self.name(word)), nsmap={None: self.namespace, "xsi": _XSI}
        )
        element.set(etree.QName(_XSI, "schemaLocation"), f"{self.namespace} {self.schema}")
        node = Node(self, element)
        node.set(attributes)
        return node


def _hyphened(word: str) -> str:
    return re.sub("[A-Z]", lambda m: f"-{m[0].lower()}", word)


@dataclass(frozen=True, slots=True)
class Node:
    """An element that speaks a dialect."""

    dialect: Dialect
    element: Any

    def add(self, word: str, text: str | None = None, **attributes: str) -> "Node":
        """A new element inside, named as in QTI 2.2."""
        node = Node(self.dialect, child(self.element, self.dialect.name(word), text))
        node.set(attributes)
        return node

    def set(self, attributes: Mapping[str, str]) -> None:
        """Give the element these attributes, named as in QTI 2.2."""
        for name, value in attributes.items():
            self.element.set(self.dialect.attribute(name), one_line(value))

    def content(self) -> Any:
        """The element that holds what people read in feedback and rubrics."""
        return self.add("contentBody").element if self.dialect.hyphens else self.element


@dataclass(frozen=True, slots=True)
class Qti:
    """The format in one dialect."""

    label: str
    about: str
    dialect: Dialect
    suffix: str = ".zip"
    media_type: str = "application/zip"

    def write(self, sheet: Sheet) -> Written:
        """The sheet as a package."""
        items = {}
        for n, asked in enumerate(sheet.questions, 1):
            name = f"q{n:03d}_{asked.question.question_id}"
            items[name] = (_item(self.dialect, name, n, asked.question), asked)
        files = {
            "imsmanifest.xml": _manifest(self.dialect, sheet, items),
            "assessment.xml": _test(self.dialect, sheet, items),
            **{f"items/{name}.xml": root for name, (root, _) in items.items()},
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, root in files.items():
                member = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(
                    member, etree.tostring(root, encoding="UTF-8", xml_declaration=True), compresslevel=6
                )
        data = packed.getvalue()
        return Written(data, losses(sheet, self.read(data)))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The items of the package, whichever version of QTI 2 or 3 it is, in the order of its test.

        Raises:
            UnreadableSource: it is no package, a damaged one, or one whose paths lead out of it.
            OversizeSource: it unpacks beyond measure.
        """
        return _read_package(data)


def _item(dialect: Dialect, name: str, number_: int, question: Question) -> Any:
    item = dialect.root(
        "assessmentItem",
        identifier=name,
        title=named(number_, question),
        adaptive="false",
        timeDependent="false",
    )
    declared = _declare(item, question)
    score = item.add("outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    if question.type is Type.SHORT:
        score.set({"externalScored": "human"})
    score.add("defaultValue").add("value", "0")
    told = _notes.feedback(question)
    if told != _notes.Notes():
        shown = item.add(
            "outcomeDeclaration", identifier="FEEDBACK", cardinality="single", baseType="identifier"
        )
        shown.add("defaultValue").add("value", "EXPLANATION")
    body = item.add("itemBody")
    _BODIES[question.type](body, question)
    _process(item, question, declared)
    if told != _notes.Notes():
        shown = item.add(
            "modalFeedback", outcomeIdentifier="FEEDBACK", showHide="show", identifier="EXPLANATION"
        )
        _notes.write(shown.content(), told)
    return item.element


def _declare(item: Node, question: Question) -> int:
    """What is right for each response; how many responses there are."""
    marks = {option: f"C{n}" for n, option in enumerate(question.options, 1)}
    match question.type:
        case Type.BLANK:
            accepted = question.accepted or ((),) * len(question.answer)
            for n, (answer, more) in enumerate(zip(question.answer, accepted, strict=True), 1):
                response = _response(item, _gap(n, question), "single", "string", [answer])
                mapping = response.add("mapping", defaultValue="0")
                for variant in dict.fromkeys((answer, *more)):
                    mapping.add("mapEntry", mapKey=variant, mappedValue="1", caseSensitive="false")
            return len(question.answer)
        case Type.SHORT:
            _response(item, "RESPONSE", "single", "string", [])
        case Type.MATCHING:
            pairs = [f"P{n} {marks[option]}" for n, option in enumerate(question.answer, 1)]
            _response(item, "RESPONSE", "multiple", "directedPair", pairs)
        case _:
            kind = {Type.MULTIPLE: "multiple", Type.ORDERING: "ordered"}.get(question.type, "single")
            _response(item, "RESPONSE", kind, "identifier", [marks[option] for option in question.answer])
    return 1


def _response(item: Node, identifier: str, cardinality: str, base: str, values: list[str]) -> Node:
    response = item.add("responseDeclaration", identifier=identifier, cardinality=cardinality, baseType=base)
    if values:
        correct = response.add("correctResponse")
        for value in values:
            correct.add("value").element.text = one_line(value)
    return response


def _gap(n: int, question: Question) -> str:
    return "RESPONSE" if len(question.answer) == 1 else f"RESPONSE{n}"


def _choosing(body: Node, question: Question) -> None:
    most = "0" if question.type is Type.MULTIPLE else "1"
    choices = body.add("choiceInteraction", responseIdentifier="RESPONSE", shuffle="false", maxChoices=most)
    choices.add("prompt", question.stem)
    for n, option in enumerate(question.options, 1):
        choices.add("simpleChoice", option, identifier=f"C{n}")


def _ordering(body: Node, question: Question) -> None:
    parts = body.add("orderInteraction", responseIdentifier="RESPONSE", shuffle="false")
    parts.add("prompt", question.stem)
    for n, option in enumerate(question.options, 1):
        parts.add("simpleChoice", option, identifier=f"C{n}")


def _matching(body: Node, question: Question) -> None:
    most = str(len(question.prompts))
    pairs = body.add("matchInteraction", responseIdentifier="RESPONSE", shuffle="false", maxAssociations=most)
    pairs.add("prompt", question.stem)
    for mark, texts, times in (("P", question.prompts, "1"), ("C", question.options, most)):
        side = pairs.add("simpleMatchSet")
        for n, text in enumerate(texts, 1):
            side.add("simpleAssociableChoice", text, identifier=f"{mark}{n}", matchMax=times)


def _blank(body: Node, question: Question) -> None:
    first, *parts = question.stem.split(BLANK)
    line = body.add("p", first)
    for n, (part, answer) in enumerate(zip(parts, question.answer, strict=True), 1):
        length = str(2 * len(answer))
        line.add("textEntryInteraction", responseIdentifier=_gap(n, question), expectedLength=length)
        fill(line.element, part)


def _short(body: Node, question: Question) -> None:
    rubric = body.add("rubricBlock", view="scorer", use="scoring")
    _notes.write(rubric.content(), _notes.marking(question))
    told = body.add("extendedTextInteraction", responseIdentifier="RESPONSE", expectedLines="8")
    told.add("prompt", question.stem)


_BODIES: dict[Type, Callable[[Node, Question], None]] = {
    Type.SINGLE: _choosing,
    Type.MULTIPLE: _choosing,
    Type.TRUE_FALSE: _choosing,
    Type.BLANK: _blank,
    Type.SHORT: _short,
    Type.ORDERING: _ordering,
    Type.MATCHING: _matching,
}


def _process(item: Node, question: Question, n_responses: int) -> None:
    if question.type is Type.SHORT:
        return
    if n_responses == 1:
        rule = "map_response" if question.type is Type.BLANK else "match_correct"
        item.add("responseProcessing", template=item.dialect.template.format(rule))
        return
    score = item.add("responseProcessing").add("setOutcomeValue", identifier="SCORE").add("divide")
    total = score.add("sum")
    for n in range(1, n_responses + 1):
        total.add("mapResponse", identifier=f"RESPONSE{n}")
    score.add("baseValue", str(n_responses), baseType="float")


_Items = Mapping[str, tuple[Any, SheetQuestion]]


def _test(dialect: Dialect, sheet: Sheet, items: _Items) -> Any:
    title = one_line(f"{sheet.title} {sheet.form}")
    test = dialect.root("assessmentTest", identifier="assessment", title=title)
    score = test.add("outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    score.add("defaultValue").add("value", "0")
    part = test.add("testPart", identifier="part", navigationMode="nonlinear", submissionMode="simultaneous")
    section = part.add("assessmentSection", identifier="section", title=title, visible="true")
    if sheet.note:
        rubric = section.add("rubricBlock", view="candidate", use="instructions")
        child(rubric.content(), "p", sheet.note)
    for name, (_, asked) in items.items():
        reference = section.add("assessmentItemRef", identifier=name, href=f"items/{name}.xml")
        reference.add("weight", identifier="POINTS", value=number(asked.points))
    total = test.add("outcomeProcessing").add("setOutcomeValue", identifier="SCORE").add("sum")
    total.add("testVariables", variableIdentifier="SCORE", weightIdentifier="POINTS")
    return test.element


def _manifest(dialect: Dialect, sheet: Sheet, items: _Items) -> Any:
    space = dialect.manifest
    root = etree.Element(
        etree.QName(space, "manifest"), nsmap={None: space, "xsi": _XSI}, identifier="package"
    )
    root.set(etree.QName(_XSI, "schemaLocation"), f"{space} {dialect.manifest_schema}")
    about = child(root, "metadata")
    for name, value in zip(("schema", "schemaversion"), dialect.package, strict=True):
        child(about, name, value)
    child(root, "organizations")
    resources = child(root, "resources")
    kind = f"imsqti_{{}}_{dialect.resource}"
    test = child(resources, "resource", identifier="test", type=kind.format("test"), href="assessment.xml")
    child(test, "file", href="assessment.xml")
    for name, (_, asked) in items.items():
        child(test, "dependency", identifierref=name)
        path = f"items/{name}.xml"
        resource = child(resources, "resource", identifier=name, type=kind.format("item"), href=path)
        if asked.question.topics:
            lom = etree.SubElement(child(resource, "metadata"), etree.QName(_LOM, "lom"), nsmap={None: _LOM})
            general = child(lom, "general")
            for topic in asked.question.topics:
                child(child(general, "keyword"), "string", language="zh-CN").text = clean(topic)
        child(resource, "file", href=path)
    return root


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


def _read_package(data: bytes) -> tuple[Row, ...]:
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
    found = {left: right for left, right in pairs}
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

"""Packages of IMS QTI: a manifest, one item for each question, and a test that holds them in their order.

QTI 2.2 and 3.0 say the same in different names: 3.0 writes qti-choice-interaction for choiceInteraction.
Names are written here as in 2.2; a dialect turns them into its own. Reading folds both into one, and takes
2.1 as well.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from quiz.exchange import Row, Written, _notes
from quiz.exchange._markup import child, fill
from quiz.exchange._qti_reading import read_package
from quiz.exchange._report import losses
from quiz.exchange._rows import named
from quiz.exchange._words import clean, number, one_line
from quiz.model import BLANK, Question, Sheet, SheetQuestion, Type

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LOM = "http://ltsc.ieee.org/xsd/LOM"
_XHTML = frozenset(["p", "br", "span", "cite", "q", "ol", "li", "div"])


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one version of QTI calls things."""

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
        return read_package(data)


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

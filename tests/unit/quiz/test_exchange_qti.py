"""QTI 2.2 and 3.0: what goes out comes back and has the shape of the schemas; packages are not trusted."""

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from kb.errors import KbError, OversizeSource, UnreadableSource
from quiz.exchange import readable
from quiz.exchange._zip import members
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, Type, question_json
from tests.unit.quiz.exchange_sheet import GOLDEN, SHEET, losses_text
from tests.unit.quiz.test_exchange_roundtrip import sheets, tidy, wild

NAMES = ("qti22", "qti30")
XHTML = {"p", "br", "span", "cite", "q", "ol", "li"}

# The elements that are written, as the schemas of QTI 2.2 have them: required attributes, other
# attributes, and the children as a pattern over their names, each followed by a space. 3.0 says the
# same with hyphens, and puts the content of feedback and rubrics into one more element.
FLOW = "((p|ol) )*"
INLINE = "((br|span|cite|q|textEntryInteraction) )*"
ITEM = "(responseDeclaration )*(outcomeDeclaration )*(itemBody )?(responseProcessing )?(modalFeedback )*"
SHAPE: dict[str, tuple[str, str, str]] = {
    "assessmentItem": ("identifier title adaptive timeDependent", "", ITEM),
    "responseDeclaration": ("identifier cardinality", "baseType", "(correctResponse )?(mapping )?"),
    "outcomeDeclaration": ("identifier cardinality", "baseType externalScored", "(defaultValue )?"),
    "correctResponse": ("", "", "(value )+"),
    "defaultValue": ("", "", "(value )+"),
    "value": ("", "", ""),
    "mapping": ("", "defaultValue", "(mapEntry )+"),
    "mapEntry": ("mapKey mappedValue", "caseSensitive", ""),
    "itemBody": ("", "", "((p|rubricBlock|[a-zA-Z]+Interaction) )+"),
    "rubricBlock": ("view", "use", FLOW),
    "choiceInteraction": ("responseIdentifier", "shuffle maxChoices", "(prompt )?(simpleChoice )+"),
    "orderInteraction": ("responseIdentifier", "shuffle", "(prompt )?(simpleChoice )+"),
    "matchInteraction": ("responseIdentifier", "shuffle maxAssociations", "(prompt )?(simpleMatchSet ){2}"),
    "extendedTextInteraction": ("responseIdentifier", "expectedLines", "(prompt )?"),
    "textEntryInteraction": ("responseIdentifier", "expectedLength", ""),
    "prompt": ("", "", "((br|span) )*"),
    "simpleChoice": ("identifier", "", INLINE),
    "simpleMatchSet": ("", "", "(simpleAssociableChoice )*"),
    "simpleAssociableChoice": ("identifier matchMax", "", INLINE),
    "responseProcessing": ("", "template", "(setOutcomeValue )*"),
    "setOutcomeValue": ("identifier", "", "((sum|divide) )"),
    "divide": ("", "", "(sum )(baseValue )"),
    "sum": ("", "", "((mapResponse|testVariables) )+"),
    "mapResponse": ("identifier", "", ""),
    "testVariables": ("variableIdentifier", "weightIdentifier", ""),
    "baseValue": ("baseType", "", ""),
    "modalFeedback": ("outcomeIdentifier showHide identifier", "", FLOW),
    "assessmentTest": ("identifier title", "", "(outcomeDeclaration )*(testPart )+(outcomeProcessing )?"),
    "testPart": ("identifier navigationMode submissionMode", "", "(assessmentSection )+"),
    "assessmentSection": ("identifier title visible", "", "(rubricBlock )*(assessmentItemRef )*"),
    "assessmentItemRef": ("identifier href", "", "(weight )*"),
    "weight": ("identifier value", "", ""),
    "outcomeProcessing": ("", "", "(setOutcomeValue )*"),
    "p": ("", "class", INLINE),
    "ol": ("", "class", "(li )*"),
    "li": ("", "", INLINE),
    "span": ("", "class", INLINE),
    "cite": ("", "", INLINE),
    "q": ("", "", INLINE),
    "br": ("", "", ""),
}
MIXED = {
    "value",
    "baseValue",
    "prompt",
    "simpleChoice",
    "simpleAssociableChoice",
    "p",
    "li",
    "span",
    "cite",
    "q",
}
PACKAGE: dict[str, tuple[str, str, str]] = {
    "manifest": ("identifier", "", "metadata organizations resources "),
    "organizations": ("", "", ""),
    "resources": ("", "", "(resource )*"),
    "resource": ("identifier type href", "", "(metadata )?(file )+(dependency )*"),
    "file": ("href", "", ""),
    "dependency": ("identifierref", "", ""),
    "metadata": ("", "", "(schema schemaversion )?(lom )?"),
    "schema": ("", "", ""),
    "schemaversion": ("", "", ""),
    "lom": ("", "", "(general )?"),
    "general": ("", "", "(keyword )*"),
    "keyword": ("", "", "(string )+"),
    "string": ("language", "", ""),
}


def word(name: str) -> str:
    """The name of an element or attribute as QTI 2.2 has it."""
    return re.sub("-([a-z])", lambda m: m[1].upper(), name.removeprefix("qti-"))


def check(root: Any, shapes: dict[str, tuple[str, str, str]], hyphens: bool) -> None:
    """Every element has the attributes and children that its schema asks for, and no others."""
    for body in root.findall(".//{*}qti-content-body"):
        parent = body.getparent()
        assert list(parent) == [body]
        assert word(etree.QName(parent).localname) in ("rubricBlock", "modalFeedback")
        parent[:] = list(body)
    ids = []
    for element in root.iter():
        name = etree.QName(element).localname
        assert name.startswith("qti-") is (hyphens and name not in XHTML)
        required, others, children = shapes[word(name)]
        attributes = {word(a) for a in element.attrib if not a.startswith("{")}
        assert set(required.split()) <= attributes <= {*required.split(), *others.split()}, name
        assert hyphens or not any("-" in a for a in element.attrib if not a.startswith("{"))
        inner = "".join(f"{word(etree.QName(child).localname)} " for child in element)
        assert re.fullmatch(children, inner), (name, inner)
        if word(name) not in MIXED and "schema" not in name and name != "string":
            assert not (element.text or "").strip()
        if word(name) in ("responseDeclaration", "outcomeDeclaration", "resource", "assessmentItemRef"):
            ids.append(element.get("identifier"))
            assert re.fullmatch(r"[A-Za-z_][\w.-]*", element.get("identifier"))
    assert len(set(ids)) == len(ids)


def check_item(root: Any) -> None:
    """Every key is a choice, every interaction has its response, and numbers allow the right answer."""
    found = {word(etree.QName(e).localname): e for e in root.iter()}
    declared = {e.get("identifier"): e for e in root.findall("{*}responseDeclaration")}
    declared |= {e.get("identifier"): e for e in root.findall("{*}qti-response-declaration")}
    bound = [v for e in root.iter() for k, v in e.attrib.items() if word(k) == "responseIdentifier"]
    assert sorted(bound) == sorted(declared)
    choices = {
        e.get("identifier") for e in root.iter() if word(etree.QName(e).localname).startswith("simple")
    }
    for response in declared.values():
        if "string" not in response.attrib.values():
            keys = {key for value in response.iter("{*}value", "{*}qti-value") for key in value.text.split()}
            assert keys <= choices
    assert ("responseProcessing" in found) is ("extendedTextInteraction" not in found)


def xml(name: str, sheet: Sheet) -> dict[str, Any]:
    """The documents of the package."""
    data = readable()[name].write(sheet).data
    return {path: etree.fromstring(content) for path, content in members(data).items()}


def package(**files: str) -> bytes:
    """A package with these files; double underlines in names are slashes, the suffix is .xml."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return packed.getvalue()


def manifest(*hrefs: str) -> str:
    """A manifest of items."""
    items = "".join(
        f'<resource identifier="r{n}" type="imsqti_item_xmlv2p1" href="{h}"/>' for n, h in enumerate(hrefs)
    )
    return (
        f'<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"><resources>{items}</resources></manifest>'
    )


def item(body: str, declared: str = "", told: str = "") -> str:
    """An item as programs write it that speak QTI 2.1."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!-- made elsewhere -->'
        '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i" title="t" adaptive="false"'
        f' timeDependent="false">{declared}<itemBody>{body}</itemBody>{told}</assessmentItem>'
    )


def declaration(*values: str, cardinality: str = "single", base: str = "identifier") -> str:
    """The key of an item."""
    keys = "".join(f"<value>{v}</value>" for v in values)
    return (
        f'<responseDeclaration identifier="RESPONSE" cardinality="{cardinality}" baseType="{base}">'
        f"<correctResponse>{keys}</correctResponse></responseDeclaration>"
    )


CHOICES = (
    '<choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="1"><prompt>哪一个？</prompt>'
    '<simpleChoice identifier="A"><p>甲<br/>一</p><feedbackInline outcomeIdentifier="F" identifier="A">对</feedbackInline>'
    '</simpleChoice><simpleChoice identifier="B">乙</simpleChoice></choiceInteraction>'
)


CONVERT = """
import { convertQti2toQti3 } from "SCRIPT";
let text = "";
for await (const part of process.stdin) text += part;
const found = {};
for (const [path, xml] of Object.entries(JSON.parse(text))) found[path] = await convertQti2toQti3(xml);
console.log(JSON.stringify(found));
"""


def flat(root: Any) -> list[tuple[object, ...]]:
    """Every element with its attributes and texts, without where the schema lies."""
    return [
        (
            e.tag,
            sorted(i for i in e.items() if "schemaLocation" not in i[0]),
            (e.text or "").strip(),
            (e.tail or "").strip(),
        )
        for e in root.iter(etree.Element)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_golden_file_is_what_is_written(name: str) -> None:
    """The sheet gives the documents and the report that are kept in the repository."""
    written = readable()[name].write(SHEET)
    # The packing is that of zlib, which may differ from machine to machine.
    assert members(written.data) == members((GOLDEN / name / "sheet.zip").read_bytes())
    assert losses_text(written) == (GOLDEN / name / "losses.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(sheet=sheets(tidy))
def test_documents_have_the_shape_of_the_schemas(name: str, sheet: Sheet) -> None:
    """Items, test and manifest hold only what the version has, in its order, and their keys fit their choices."""
    for path, root in xml(name, sheet).items():
        check(
            root,
            PACKAGE if path == "imsmanifest.xml" else SHAPE,
            name == "qti30" and path != "imsmanifest.xml",
        )
        if path.startswith("items/"):
            check_item(root)


@pytest.mark.parametrize(
    ("name", "schema"), [("qti22", "imsqti_v2p2.xsd"), ("qti30", "imsqti_asiv3p0_v1p0.xsd")]
)
def test_documents_are_valid_by_the_official_schemas(name: str, schema: str) -> None:
    """The schemas of 1EdTech, which may not be handed on, accept every item and the test."""
    path = Path(os.environ.get("QTI_SCHEMAS", "")) / schema
    if not os.environ.get("QTI_SCHEMAS") or not path.exists():
        pytest.skip(f"name a folder with {schema} and what it imports in QTI_SCHEMAS")
    grammar = etree.XMLSchema(etree.parse(path))
    for document, root in xml(name, SHEET).items():
        if document != "imsmanifest.xml":
            grammar.assertValid(root)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(sheet=sheets(tidy))
def test_what_qti_carries_comes_back(name: str, sheet: Sheet) -> None:
    """All but difficulty, what is asked for and its place comes back, options and points in their order."""
    for asked, row in zip(
        sheet.questions, readable()[name].read(readable()[name].write(sheet).data), strict=True
    ):
        assert row.question is not None, row.problem
        back, sent = question_json(row.question), question_json(asked.question)
        for field in (
            "type",
            "stem",
            "options",
            "answer",
            "explanation",
            "citation",
            "prompts",
            "points",
            "topics",
        ):
            assert back[field] == sent[field]
        assert row.points == asked.points


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_no_text_breaks_the_package(name: str, sheet: Sheet) -> None:
    """Whatever the texts hold, no question vanishes, and the same sheet gives the same bytes."""
    written = readable()[name].write(sheet)
    assert len(readable()[name].read(written.data)) == len(sheet.questions)
    assert readable()[name].write(sheet).data == written.data


def test_another_converter_makes_one_version_of_the_other() -> None:
    """What @citolab/qti-convert makes of the documents in 2.2 is, element by element, what is written in 3.0."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    root = Path(os.environ.get("NODE_PATH", ""))
    script = root / "@citolab/qti-convert/dist/qti-converter-node/index.js"
    if not os.environ.get("NODE_PATH") or not script.exists():
        pytest.skip("npm package @citolab/qti-convert is not in the folder that NODE_PATH names")
    old, new = (members(readable()[name].write(SHEET).data) for name in NAMES)
    documents = {path: text.decode() for path, text in old.items() if path != "imsmanifest.xml"}
    told = subprocess.run(
        [node, "--input-type=module", "-e", CONVERT.replace("SCRIPT", script.as_uri())],
        input=json.dumps(documents),
        capture_output=True,
        check=False,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    for path, text in json.loads(told.stdout).items():
        assert flat(etree.fromstring(text.encode())) == flat(etree.fromstring(new[path]))


def test_either_version_reads_both() -> None:
    """What was written in one version comes in through the other."""
    for writer, reader in (NAMES, NAMES[::-1]):
        data = readable()[writer].write(SHEET).data
        assert readable()[reader].read(data) == readable()[writer].read(data)


def test_packages_of_other_programs_come_in() -> None:
    """Text around the interaction, paragraphs, mappings and several feedbacks are understood, in the manifest's order."""
    feedback = (
        '<modalFeedback outcomeIdentifier="F" identifier="a" showHide="show"><p>见第三条。</p></modalFeedback>'
        '<modalFeedback outcomeIdentifier="F" identifier="b" showHide="show">再想想<img src="a.png" alt=""/></modalFeedback>'
    )
    entry = '<textEntryInteraction responseIdentifier="RESPONSE"/>'
    mapped = (
        '<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="string"><mapping defaultValue="0">'
        '<mapEntry mapKey="三日" mappedValue="1"/><mapEntry mapKey="3日" mappedValue="1.0"/>'
        '<mapEntry mapKey="四日" mappedValue="0"/></mapping></responseDeclaration>'
    )
    told = '<rubricBlock view="scorer"><p>因为要登记</p></rubricBlock><extendedTextInteraction responseIdentifier="RESPONSE"/>'
    rows = readable()["qti22"].read(
        package(
            b=item(f"<div><p>棚里  有灯。</p></div>{CHOICES}", declaration("B"), feedback),
            sub__a=item(f"<p>在{entry}内登记。</p>", mapped),
            c=item(f"<p>为什么？</p>{told}"),
            imsmanifest=manifest("b.xml", "sub/a.xml", "c.xml", "missing.xml"),
        )
    )
    choice, blank, essay = (row.question for row in rows[:3])
    assert choice == Question(
        Type.SINGLE, "棚里 有灯。\n哪一个？", ("甲\n一", "乙"), ("乙",), "见第三条。\n再想想［图片］"
    )
    assert blank == Question(Type.BLANK, f"在{BLANK}内登记。", (), ("三日",), accepted=(("3日",),))
    assert essay == Question(Type.SHORT, "为什么？", (), ("因为要登记",))
    assert "missing.xml" in rows[3].problem


def test_true_and_false_and_bare_items_are_known() -> None:
    """A choice between 正确 and 错误 is a judgement, and items without a manifest are read by their names."""
    choices = f'<simpleChoice identifier="t">{TRUE}</simpleChoice><simpleChoice identifier="f">{FALSE}</simpleChoice>'
    asked = f'<p>要登记。</p><choiceInteraction responseIdentifier="RESPONSE">{choices}</choiceInteraction>'
    (row,) = readable()["qti30"].read(package(one=item(asked, declaration("f")), note="<x/>"))
    assert row.question == Question(Type.TRUE_FALSE, "要登记。", (TRUE, FALSE), (FALSE,))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (item(CHOICES), "没有答案"),
        (item(CHOICES, declaration("Z")), "不在选项里"),
        (item(f'{CHOICES}<p><img src="a.png" alt=""/></p>', declaration("A")), "图片"),
        (item('<sliderInteraction responseIdentifier="RESPONSE"/>'), "没有这样的题型"),
        (item(CHOICES + CHOICES, declaration("A")), "没有这样的题型"),
        (item("<p>只是说明</p>"), "不是试题"),
        (item("<p>"), "打不开"),
        ("<html/>", "不是试题"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + item("&x;").split("-->")[1], "DOCTYPE"),
    ],
)
def test_an_item_that_makes_no_sense_has_its_problem_told(text: str, problem: str) -> None:
    """The item before it still comes in."""
    good, bad = readable()["qti22"].read(
        package(good=item(CHOICES, declaration("A")), bad=text, imsmanifest=manifest("good.xml", "bad.xml"))
    )
    assert good.question is not None
    assert bad.question is None
    assert problem in bad.problem


@pytest.mark.parametrize("name", ["..__evil", "__etc__passwd", "a__..__..__b", "C:evil", "a\\..\\..\\b"])
def test_paths_that_lead_out_of_the_package_are_refused(name: str) -> None:
    """Neither a member nor a reference of the manifest may point outside."""
    good = item(CHOICES, declaration("A"))
    with pytest.raises(UnreadableSource, match="包外"):
        readable()["qti22"].read(package(**{name: good, "imsmanifest": manifest("good.xml")}))
    href = name.replace("__", "/") + ".xml"
    with pytest.raises(UnreadableSource, match="包外"):
        readable()["qti22"].read(package(good=good, imsmanifest=manifest(href)))


def test_what_is_no_package_is_refused() -> None:
    """Other files, damaged ones, other packages and those that unpack beyond measure are refused with what to do."""
    data = bytearray(readable()["qti22"].write(SHEET).data)
    data[200:400] = bytes(200)
    for damaged in (b"", b"PK\x03\x04", b"<quiz/>", bytes(data), package(other="<x/>")):
        with pytest.raises(UnreadableSource) as refused:
            readable()["qti22"].read(damaged)
        assert refused.value.hint
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.xml", bytes(50_000_000))
    with pytest.raises(OversizeSource):
        readable()["qti30"].read(packed.getvalue())


@settings(max_examples=40, deadline=None)
@given(noise=st.binary(max_size=300), at=st.integers(0, 10_000))
def test_damage_is_told_and_never_breaks_the_reading(noise: bytes, at: int) -> None:
    """A package with a stretch overwritten gives rows with problems, or is refused."""
    data = bytearray(readable()["qti30"].write(SHEET).data)
    data[at : at + len(noise)] = noise
    try:
        rows = readable()["qti30"].read(bytes(data))
    except KbError:
        return
    assert all((row.question is None) == bool(row.problem) for row in rows)

"""Plain text as markup and back, and XML that is read without trusting it."""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree, html

from kb.errors import UnreadableSource
from quiz.exchange._draft import Unusable
from quiz.exchange._words import clean

PARAGRAPH = "\x1e"
"""Stands between paragraphs until the text is whole; cleaned text does not hold it."""
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "prompt",
        "qti-prompt",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
PICTURES = frozenset(["audio", "embed", "iframe", "img", "math", "object", "svg", "video"])
_UNSEEN = frozenset(["script", "style"])
_NBSP = "\u00a0"


def document(data: bytes) -> Any:
    """The root element. No entity is expanded, nothing is fetched.

    Raises:
        UnreadableSource: it is no XML, or declares a document type, which none of these formats needs.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableSource(f"文件打不开：不是完整的 XML（{error}）。", "请重新导出一次。") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableSource("文件里有 DOCTYPE 声明，没有读取。", "请删去这一行声明后再试。")
    return root


def fragment(markup: str) -> Any:
    """The HTML as the content of one `div`.

    Raises:
        Unusable: it is none.
    """
    try:
        return html.fragment_fromstring(clean(markup) or " ", create_parent="div")
    except (ValueError, etree.LxmlError) as error:
        raise Unusable("题目里的 HTML 不完整，读不了") from error


def local(element: Any) -> str:
    """The name of the element without its namespace; "" for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    """A new element in the namespace of its parent. Line breaks of the text become `br`, so that none is lost."""
    space = etree.QName(parent).namespace
    element = etree.SubElement(parent, etree.QName(space, name), {k: clean(v) for k, v in attributes.items()})
    if text is not None:
        fill(element, text)
    return element


def fill(element: Any, text: str) -> None:
    """Add the text at the end of the element. Spaces that markup would swallow become no-break spaces."""
    first, *lines = [re.sub(r"^ | $|(?<= ) ", _NBSP, line) for line in clean(text).split("\n")]
    if len(element):
        element[-1].tail = (element[-1].tail or "") + first
    else:
        element.text = (element.text or "") + first
    for line in lines:
        child(element, "br").tail = line


def markup(text: str) -> str:
    """The text as HTML.

    >>> markup("a < b\\n c")
    'a &lt; b<br/>\\xa0c'
    """
    holder = etree.Element("p")
    fill(holder, text)
    return inside(holder)


def inside(element: Any) -> str:
    """The content of the element as markup, without the element itself."""
    whole = etree.tostring(element, encoding="unicode", with_tail=False)
    return whole[whole.index(">") + 1 : whole.rindex("<")] if not whole.endswith("/>") or len(element) else ""


def text_of(root: Any, instead: Callable[[Any], str | None] = lambda element: None) -> str:
    """What a person reads in the element, with line breaks where paragraphs and `br` end.

    `instead` may give a text for an element inside, which then is not looked into.

    Raises:
        Unusable: there is a picture or the like, which a text cannot hold.
    """
    found: list[str] = []
    left: list[Any] = [root]
    while left:
        node = left.pop()
        if isinstance(node, str):
            found.append(node)
            continue
        name = local(node).lower()
        shown = instead(node) if node is not root and name else None
        if shown is None and name in PICTURES:
            raise Unusable("题目里有图片或公式，不能带进来")
        after = re.sub(r"[ \t\r\n\f]+", " ", node.tail or "") if node is not root else ""
        edge = PARAGRAPH if name in _BLOCKS else ""
        if shown is not None or not name or name in _UNSEEN:
            left += [after, shown or ""]
        elif name == "br":
            left += [after, "\n"]
        else:
            inner = re.sub(r"[ \t\r\n\f]+", " ", node.text or "")
            left += [after, edge, *reversed(node), inner, edge]
    text = re.sub(f" ?([\n{PARAGRAPH}]) ?", r"\1", re.sub(" +", " ", "".join(found)))
    text = re.sub(f"{PARAGRAPH}+", PARAGRAPH, text.strip(f" {PARAGRAPH}"))
    return clean(text.replace(PARAGRAPH, "\n").replace(_NBSP, " ")).strip("\n")


def text_of_html(markup: str, instead: Callable[[Any], str | None] = lambda element: None) -> str:
    """What a person reads in the HTML.

    Raises:
        Unusable: it holds a picture or the like.

    >>> text_of_html("<p>a &lt; b<br>c</p> <p>d&nbsp;</p>")
    'a < b\\nc\\nd '
    """
    return text_of(fragment(markup), instead)

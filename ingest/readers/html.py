"""HTML: the main content in order, without what surrounds it on a web page.

Nothing is picked by density: 文号, issuer and date stand in short lines around
the text, and a picker loses them. Instead what is surely no content is left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ingest import sniff
from ingest.encoding import decode
from ingest.main_content import BLOCKS, drop_junk, holds, is_beside, is_data, main_element
from kb.model import Block, Reading, Source

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_JUNK_LINE = re.compile(
    r"""\s*(?:
    (?:您?(?:现在|当前)?的?(?:所在)?位置\s*[:：]|当前位置).*
    | [^›»。，]{1,20}[›»][^。，]{1,40}
    | (?:首页|网站首页)\s*(?:[>»›/|-].*)
    | (?:[【\[]?\s*(?:打印本?[页文]?|关闭(?:窗口|本页)?|返回(?:顶部|首页|列表)?|分享(?:到|至)?.{0,20}
        |收藏(?:本页)?
        |字[体号]\s*[:：].{0,20}|[大中小]|我要(?:纠错|评论)|纠错|扫一扫.{0,30}|复制链接|微信|微博|QQ空间
        |上一[篇页]\s*[:：]?.*|下一[篇页]\s*[:：]?.*)\s*[】\]|]?\s*)+
    | (?:相关(?:阅读|推荐|链接|新闻|文章|资讯|报道)|推荐阅读|延伸阅读|热门(?:文章|服务)|猜你喜欢
        |看了本文的人还看了|大家还在看|更多)\s*(?:[:：].{0,200})?
    | (?:版权所有|Copyright|©).*
    | .{0,20}ICP备.{0,30} | .{0,10}公网安备.{0,30}
    )\s*""",
    re.X | re.I,
)
_CHARSET = re.compile(rb"<meta[^>]*?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.I)
_OWN_NUMBER = re.compile(
    r"\s*(?:[0-9０-９]+\s?[.．、)）]|[（(\[［【〔][^）)\]］】〕]{1,5}[）)\]］】〕]|[一二三四五六七八九十]+、"
    r"|第\S{1,8}[条章节]|[①-⑳])"
)
_META = {
    "author": "author", "keywords": "keywords", "articletitle": "title", "og:title": "title",
    "pubdate": "created",
    "publishdate": "created", "article:published_time": "created",
}  # fmt: skip


def declared_charset(data: bytes) -> str | None:
    """The character set that the page names for itself."""
    found = _CHARSET.search(data[:4096])
    return found[1].decode() if found else None


class HtmlReader:
    """Reads .html: headings with level, paragraphs, list items and table rows.

    Left out are scripts, forms, navigation, side columns, footers, hidden
    elements, lists that are nothing but links, and lines such as 打印本页.
    Ordered lists get their numbers as a browser shows them.
    """

    media_types: Mapping[str, str] = {".html": "text/html", ".htm": "text/html"}

    def read(self, source: Source) -> Reading:
        """Blocks of the source; see `kb.ports.Reader`."""
        from selectolax.lexbor import LexborHTMLParser  # imported here to keep start-up quick

        sniff.require(source, "HTML", sniff.HTML, sniff.TEXT)
        tree = LexborHTMLParser(decode(source, declared_charset(source.data)))
        root = tree.body or tree.root
        properties = _properties(tree)
        blocks: list[Block] = []
        if root is not None:
            drop_junk(root)
            walk = _Walk(main_element(root, properties.get("title", "")))
            for block in walk.blocks(root):
                if block.text and not _JUNK_LINE.fullmatch(block.text):
                    blocks.append(block)
        return Reading(tuple(blocks), properties)


def _properties(tree: "LexborHTMLParser") -> dict[str, str]:
    properties: dict[str, str] = {}
    for node in tree.css("meta"):
        name = (node.attributes.get("name") or node.attributes.get("property") or "").lower()
        value = " ".join((node.attributes.get("content") or "").split())
        if name in _META and value:
            properties.setdefault(_META[name], value)
    title = tree.css_first("head title")
    if title is not None and title.text(strip=True):
        properties.setdefault("title", " ".join(title.text().split()))
    return properties


class _Walk:
    """Goes down the tree and gathers runs of inline text into blocks.

    Beside the main element only what tells the document's number, issuer or
    dates, or its attachments, is taken.
    """

    def __init__(self, main: "LexborNode | None" = None) -> None:
        self._main = main
        self._text = ""

    def blocks(self, root: "LexborNode") -> Iterator[Block]:
        yield from self._children(root, "paragraph", 0)
        yield from self._flush("paragraph", 0)

    def _flush(self, role: str, level: int) -> Iterator[Block]:
        text = re.sub(r"[ \t\r\n\f]+", " ", self._text).strip(" \xa0\u3000")
        self._text = ""
        if text:
            yield Block(text, role=role, level=level)

    def _children(self, node: "LexborNode", role: str, level: int) -> Iterator[Block]:
        child = node.child
        while child is not None:
            yield from self._node(child, role, level)
            child = child.next

    def _node(self, node: "LexborNode", role: str, level: int) -> Iterator[Block]:
        tag = node.tag or ""
        if self._main is not None and is_beside(node, self._main):
            return
        if self._main is not None and not holds(node, self._main):
            main, self._main = self._main, None
            yield from self._node(node, role, level)
            self._main = main
            return
        if tag == "-text":
            self._text += node.text(deep=False)
        elif tag == "br":
            if role == "heading":
                self._text += " "
            else:
                yield from self._flush(role, level)
        elif tag.startswith(("-", "!", "_")):
            return
        elif tag == "table" and is_data(node):
            yield from self._flush(role, level)
            yield from _rows(node)
        elif tag in BLOCKS:
            yield from self._flush(role, level)
            yield from self._block(node, tag, role, level)
        else:
            yield from self._children(node, role, level)

    def _block(self, node: "LexborNode", tag: str, role: str, level: int) -> Iterator[Block]:
        if re.fullmatch("h[1-6]", tag):
            role, level = "heading", int(tag[1])
        elif tag == "li":
            role, level = "list", 0
            number = _number(node)
            self._text = number if number and not _OWN_NUMBER.match(node.text(deep=True)) else ""
            if self._text:
                role = "paragraph"
        elif tag in {"td", "th", "dt", "dd"}:
            role, level = "paragraph", 0
        if tag == "pre":
            for line in node.text(deep=True).split("\n"):
                self._text = line
                yield from self._flush("paragraph", 0)
            return
        yield from self._children(node, role, level)
        yield from self._flush(role, level)


def _number(item: "LexborNode") -> str:
    """What the browser writes before an item of an ordered list."""
    parent = item.parent
    if parent is None or parent.tag != "ol" or "none" in (parent.attributes.get("style") or ""):
        return ""
    start = parent.attributes.get("start") or "1"
    number = int(start) if start.lstrip("-").isdigit() else 1
    before = item.prev
    while before is not None:
        number += before.tag == "li"
        before = before.prev
    return f"{number}. "


def _rows(table: "LexborNode") -> Iterator[Block]:
    caption = table.css_first("caption")
    if caption is not None:
        yield Block(" ".join(caption.text().split()))
    for row in table.css("tr"):
        cells = []
        for cell in row.css("td, th"):
            walked = _Walk().blocks(cell)
            cells.append(" ".join(" ".join(block.text.split()) for block in walked))
        if any(cells):
            yield Block("\t".join(cells), role="table")


READER = HtmlReader()

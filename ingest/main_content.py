"""Which part of a web page is the document, and which is what the site puts around it."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

BLOCKS = {
    "address", "article", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "ol",
    "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
_JUNK_NAME = re.compile(
    r"(?:^|[-_\s])(?:nav|navi|navbar|navigation|menu|sidebar|side|aside|crumbs?|bread|breadcrumbs?|position|pos"
    r"|location|share|bdsharebuttonbox|footer|foot|bottom|copyright|related|relate|recommend|hots?|rank|ranking"
    r"|comments?|pager|pagination|page-?turn|toolbar|tools?|qr-?code|ewm|login|search|links?|friend-?links?|ads?"
    r"|advert|banner|topbar|top-?nav|skip|social|weixin|wechat|weibo|print|font-?size|prev-?next|prenext"
    r"|editor-?name|fenxiang)(?:$|[-_\s])",
    re.I,
)
_FRAME_NAME = re.compile(r"(?:^|[-_\s])(?:hd|head|header|top|ft|tail|rec|btm|end)(?:$|[-_\s])", re.I)
_JUNK_ROLE = {"navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar", "dialog"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_DROPPED = {
    "script", "style", "noscript", "template", "nav", "aside", "footer", "form", "button", "select", "input",
    "textarea", "iframe", "object", "embed", "svg", "canvas", "audio", "video", "dialog", "head",
    "menu", "map",
}  # fmt: skip
_ABOUT = re.compile(
    r"〔[12]\d{3}〕|\[[12]\d{3}\]\s*\d+\s*号|文号|索引号|发文机关|发文字号|成文日期|发布日期|发布时间|印发日期"
    r"|附件\s*[0-9]*\s*[:：]"
)
_ATTACHED = re.compile(r"附件|附表|\.(?:docx?|xlsx?|pdf|wps|ofd|zip|rar)\b", re.I)


def main_element(root: "LexborNode", title: str) -> "LexborNode":
    """The innermost element that holds both the title and nearly all of the prose."""
    anchor = _title_node(root, title)
    node = root
    while True:
        children = [
            child
            for child in node.iter()
            if child.tag not in {"p", "ul", "ol"} and not (child.tag == "table" and is_data(child))
        ]
        best = max(children, key=_prose, default=None)
        if best is None or _prose(best) < 0.75 * _prose(node):
            return node
        if anchor is None or not holds(best, anchor):
            return node
        node = best


def _title_node(root: "LexborNode", title: str) -> "LexborNode | None":
    """The heading, or the short element, that says what the page's title begins with."""
    wanted = re.sub(r"\s+", "", title)
    headings = root.css("h1")
    if len(headings) == 1:
        return headings[0]
    found: LexborNode | None = None
    for node in root.css("h1, h2, h3, p, div, td, span, strong, font"):
        text = re.sub(r"\s+", "", node.text(deep=True)) if size_of(node) <= 80 else ""
        if len(text) >= 6 and text in wanted and (found is None or len(text) > size_of(found)):
            found = node
    return found


def holds(node: "LexborNode", inner: "LexborNode") -> bool:
    """Whether `inner` is `node` or stands below it."""
    up: LexborNode | None = inner
    while up is not None and up.mem_id != node.mem_id:
        up = up.parent
    return up is not None


def _prose(node: "LexborNode") -> int:
    return size_of(node) - sum(size_of(link) for link in node.css("a"))


def drop_junk(root: "LexborNode") -> None:
    """Take what is surely no content out of the tree, with a heading that stood over nothing else."""
    for node in list(root.traverse(include_text=False)):
        if node.mem_id == root.mem_id or node.parent is None or not _is_junk(node):
            continue
        before, after = _element(node, "prev"), _element(node, "next")
        alone = after is None or re.fullmatch(r"h[1-6]", after.tag or "") or _is_junk(after)
        if alone and before is not None and re.fullmatch(r"h[2-6]", before.tag or "") and node.css_first("a"):
            before.decompose()
        node.decompose()


def _element(node: "LexborNode", side: str) -> "LexborNode | None":
    """The sibling element before or after the node."""
    beside: LexborNode | None = getattr(node, side)
    while beside is not None and (beside.tag or "-").startswith(("-", "!", "_")):
        beside = getattr(beside, side)
    return beside


def size_of(node: "LexborNode") -> int:
    """Characters of text below the node, white space left out."""
    return len(re.sub(r"\s+", "", node.text(deep=True)))


def _is_junk(node: "LexborNode") -> bool:
    """Surely no content: by element, role, name or by being only links."""
    tag, attributes = node.tag or "", node.attributes
    if tag in _DROPPED or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if (attributes.get("role") or "") in _JUNK_ROLE or _HIDDEN.search(attributes.get("style") or ""):
        return True
    if tag not in BLOCKS and tag != "span":
        return False
    size = size_of(node)
    links = [a for a in node.css("a") if len(a.text(strip=True)) > 1]
    linked = sum(size_of(a) for a in links)
    names = " ".join(filter(None, (attributes.get("class"), attributes.get("id"))))
    names = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", names)
    if names and tag not in {"body", "html", "main", "article"} and _JUNK_NAME.search(names):
        return size < 200 or linked > 0.3 * size
    text = node.text(deep=True)
    if names and _FRAME_NAME.search(names) and (linked > 0.3 * size or "版权所有" in text or "ICP备" in text):
        return size < 400
    if _ATTACHED.search(text) or text.count("。") > len(links) // 4:
        return False
    return (len(links) >= 3 and linked > 0.7 * size) or (
        len(links) == 2 and tag in {"ul", "ol"} and linked > 0.9 * size
    )


def is_beside(node: "LexborNode", main: "LexborNode") -> bool:
    """Neither in the main element nor around it, and with nothing to say of the document."""
    if holds(main, node) or holds(node, main):
        return False
    return size_of(node) > 400 or not _ABOUT.search(node.text(deep=True))


def is_data(table: "LexborNode") -> bool:
    """A table of data, not one that only lays out the page: no tables or long prose inside."""
    if len(table.css("table")) > 1 or table.css_first("h1, h2, h3, article") is not None:
        return False
    cells = table.css("td, th")
    return len(cells) > 1 and all(len(cell.css("p")) <= 3 and size_of(cell) <= 600 for cell in cells)

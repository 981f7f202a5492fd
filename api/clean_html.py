"""HTML that came in a document, made safe to stand inside a page of ours."""

import re
from urllib.parse import quote, unquote

import nh3

ID_PREFIX = "src-"
"""Ids of the page never begin with this; so those of a document cannot meet them."""

MAX_SPAN = 100
"""Most columns or rows that one cell may cover."""

MAX_PASSES = 8
"""How often the cleaned text is parsed again before its tags are given up."""

HEADINGS = {f"h{level}" for level in range(1, 7)}

BECOME_DIV = {
    "address", "article", "aside", "center", "details", "footer", "header", "hgroup", "main", "nav", "section",
    "summary",
}  # fmt: skip
"""Blocks that would be landmarks of the page or controls in it; as `div` they still part words."""

TAGS = HEADINGS | {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure",
    "hr", "i", "ins", "li", "ol", "p", "pre", "rp", "rt", "ruby", "s", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
"""What may be in the result; of other tags the text is kept."""

DROPPED = {
    "applet", "audio", "button", "canvas", "datalist", "embed", "iframe", "input", "math", "noembed", "noframes",
    "noscript", "object", "optgroup", "option", "script", "select", "style", "svg", "template", "textarea", "title",
    "video",
}  # fmt: skip
"""Tags that go with all that is in them."""

BARE = {"div", "span"}

ATTRIBUTES = {
    "*": set[str](),
    **{tag: {"id"} for tag in TAGS - BARE},
    "a": {"id", "href"},
    "ol": {"id", "start"},
    "li": {"id", "value"},
    "td": {"id", "colspan", "rowspan"},
    "th": {"id", "colspan", "rowspan"},
}

_ID = re.compile(r"[^\s\"'<>&`\x00-\x1f\x7f]{1,200}")
_WEB_ADDRESS = re.compile(r"https?://[^\s\"'<>`\\\x00-\x1f\x7f]+", re.I)
_SPAN = re.compile(r"0*([1-9][0-9]*)")
_COUNT = re.compile(r"-?[0-9]{1,6}")
_PRE_START = re.compile(r"(<pre(?: [^>]*)?>)\n+")
_RENAMED = re.compile(rf"(?<=<)(/?)({'|'.join(sorted(HEADINGS | BECOME_DIV))})(?=[ >])")


def clean_html(html: str) -> str:
    """Text, headings, lists, tables and links of the HTML, and nothing that acts, loads or styles.

    Headings go down by one level if there is an h1, since the page has its
    own. Ids get the prefix `src-`, and links inside the text follow them; other
    links lead to http and https only. Cleaning what is clean changes nothing:
    the result is parsed and cleaned again until it stays the same, so that a
    browser reads in it what was checked here. Markup that never settles is
    shown as its text.

    >>> clean_html('<h1 id="a" onclick="x()">总则</h1><script>x()</script>')
    '<h2 id="src-a">总则</h2>'
    """
    for _ in range(MAX_PASSES):
        # A parser passes over the first line end in a pre; left there, each pass would take one more.
        cleaned = _PRE_START.sub(r"\1", _one_level_of_title(_clean(html)))
        if cleaned == html:
            return cleaned
        html = cleaned
    return nh3.clean(html, tags=set(), clean_content_tags=DROPPED)


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS | BECOME_DIV,
        clean_content_tags=DROPPED,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        tag_attribute_values={"ol": {"type": {"1", "a", "A", "i", "I"}}},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https"},
    )


def _one_level_of_title(html: str) -> str:
    """Headings below h1, other blocks as div; the cleaner writes `<` in front of tags only."""
    down = 1 if "<h1" in html else 0

    def renamed(match: re.Match[str]) -> str:
        slash, tag = match.groups()
        return f"{slash}h{min(int(tag[1]) + down, 6)}" if tag in HEADINGS else f"{slash}div"

    return _RENAMED.sub(renamed, html)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value to keep, or None. It never raises: the cleaner could not tell anybody."""
    value = value.strip()
    if name == "id":
        return _id(value)
    if name == "href":
        return _address(value)
    if name in {"colspan", "rowspan"}:
        span = _SPAN.fullmatch(value)
        # Three digits are 100 at least.
        return (span[1] if len(span[1]) < 3 else str(MAX_SPAN)) if span else None
    if name in {"start", "value"}:
        return value if _COUNT.fullmatch(value) else None
    return value


def _id(value: str) -> str | None:
    if not _ID.fullmatch(value):
        return None
    return value if value.startswith(ID_PREFIX) else ID_PREFIX + value


def _address(value: str) -> str | None:
    if value.startswith("#"):
        target = _id(unquote(value[1:]))
        return f"#{quote(target)}" if target else None
    return value if _WEB_ADDRESS.fullmatch(value) else None

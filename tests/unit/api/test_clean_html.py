"""HTML of a document inside a page: nothing in it acts, and nothing of its text is lost."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from api import clean_html as module
from api.clean_html import clean_html

TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "rp", "rt", "ruby", "s", "span", "strong", "sub",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
VALUES = {
    "id": r"src-[^\s\"'<>&`]+",
    "href": r"#src-[\w%.~/-]+|https?://[^\s\"'<>]+",
    "rel": r"noopener noreferrer nofollow",
    "colspan": r"[1-9][0-9]?|100",
    "rowspan": r"[1-9][0-9]?|100",
    "start": r"-?[0-9]+",
    "value": r"-?[0-9]+",
    "type": r"[1aAiI]",
}
OWN = {
    "a": {"href", "rel"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start", "type"},
    "li": {"value"},
}

VECTORS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'/onerror='alert(1)'",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><p><script>alert(1)</script>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<plaintext><script>alert(1)</script>",
    "<template><img src=x onerror=alert(1)></template>",
    "<select><style></select><script>alert(1)</script></style></select>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src=javascript:alert(1)>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import 'javascript:alert(1)'</style>",
    "<p style='background:url(javascript:alert(1))'>x",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=javascript:alert(1)><button formaction=javascript:alert(2)>x</button></form>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<video><source onerror=alert(1)></video>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='&#x6A;avascript&colon;alert(1)'>x</a>",
    "<a href=' \x01javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a><a href='data:text/html,x'>y</a>",
    "<a href='//evil.example'>x</a><a href='\\\\evil.example'>y</a>",
    "<a href='https:javascript:alert(1)'>x</a>",
    "<a href='#\"onmouseover=alert(1) x=\"'>x</a>",
    "<p id='\"><script>alert(1)</script>'>x",
    "<p id='<h1 onclick=alert(1)>'>x",
    "<h1 id='x'\nonclick='alert(1)'>x</h1>",
    "<a id=__proto__ name=document href=#cookie>x</a><p id=body>",
    "<!--><script>alert(1)</script>-->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><?php echo '<script>alert(1)</script>' ?>",
    "<div><table><svg><foreignObject><script>alert(1)</script>",
    "<p><svg><desc><table><td><script>alert(1)",
    "<p title=x lang=zh dir=rtl data-x=1 class=x tabindex=1 role=alert aria-label=x contenteditable draggable>x",
    "<marquee onstart=alert(1)>x</marquee>",
    "<x onclick=alert(1)>x</x>",
    "<ol type='javascript:alert(1)' start='1;alert(1)'><li value='x'>x",
    "<td colspan='javascript:alert(1)'>x",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
)

NASTY = (
    "<", ">", "</", "/>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&#60;script&#62;", "&amp;lt;", "\x00", "\n", "'", '"', "`",
    "=", " ", "onclick=alert(1)", " style=color:red", " title=<b>", " lang=zh", " data-x=1", " class=x", " id=x", " href=#x", " href=javascript:alert(1)",
    " href=https://a.example/", "第十二条", "共建", "x", "</script>", "</style>", "</svg>", "</math>", "</p>", "</table>",
)  # fmt: skip
NAMES = (
    *sorted(TAGS), "h1", "script", "style", "svg", "math", "mtext", "mglyph", "annotation-xml", "foreignObject", "desc", "title",
    "textarea", "select", "option", "template", "noscript", "iframe", "object", "form", "input", "button", "plaintext",
    "xmp", "body", "html", "head", "img", "section", "header", "details", "summary", "font", "frameset",
)  # fmt: skip
SOUP = st.lists(
    st.one_of(
        st.sampled_from(NASTY),
        st.sampled_from(VECTORS),
        st.sampled_from(NAMES).map(lambda name: f"<{name}>"),
        st.sampled_from(NAMES).map(lambda name: f"</{name}>"),
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NASTY)).map(lambda two: f"<{two[0]} {two[1]}>"),
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NASTY)).map(
            lambda two: f"<{two[0]} id='{two[1]}'>"
        ),
    ),
    max_size=25,
).map("".join)


def assert_harmless(html: str) -> None:
    """A browser finds only allowed tags, on them only allowed attributes, in them only allowed values."""
    tree = LexborHTMLParser(f"<!doctype html><body>{html}")
    for node in tree.body.traverse(include_text=False) if tree.body else ():
        if node.tag == "body":
            assert not node.attributes
            continue
        assert node.tag in TAGS, node.tag
        allowed = OWN.get(node.tag, set()) | (set() if node.tag in {"div", "span"} else {"id"})
        for name, value in node.attributes.items():
            assert name in allowed, (node.tag, name)
            assert re.fullmatch(VALUES[name], value or "", re.I), (name, value)
        assert ("rel" in node.attributes) == (node.tag == "a")
    assert tree.head is not None and not list(tree.head.iter())


def words(html: str) -> list[str]:
    """Text of a page, cut at tags and white space."""
    tree = LexborHTMLParser(html)
    return (tree.body.text(separator=" ") if tree.body else "").split()


@pytest.mark.parametrize("vector", VECTORS)
def test_clean_html_disarms_known_vectors(vector: str) -> None:
    """Of well-known ways to run script through markup none is left, alone or inside a paragraph."""
    for html in (vector, f"<p>前{vector}后</p>", f"<table><tr><td>{vector}"):
        assert_harmless(clean_html(html))


@given(SOUP)
def test_clean_html_disarms_any_soup(soup: str) -> None:
    """Whatever the markup, a browser finds in the result only what is allowed."""
    assert_harmless(clean_html(soup))


@given(SOUP | st.text())
@example("<pre>" + "\n" * 40 + "x")
@example("<h1>甲</h1><h2>乙</h2>")
@example("<li><section><li>x")
def test_clean_html_of_clean_html_changes_nothing(soup: str) -> None:
    """Cleaning twice gives what cleaning once gives: headings, ids and links do not move again."""
    once = clean_html(soup)
    assert clean_html(once) == once


BLOCKS = st.sampled_from(
    ("p", "h1", "h2", "h6", "blockquote", "pre", "div", "section", "article", "footer", "figure")
)
INLINE = st.sampled_from(("em", "strong", "span", "code", "sub", "sup", "b", "u", "font", "time"))
WORD = st.text("共建活动第一条ABCabc019，。（）&<", min_size=1, max_size=8)


@given(st.lists(st.tuples(BLOCKS, INLINE, WORD, WORD), min_size=1, max_size=12))
def test_clean_html_conserves_words(parts: list[tuple[str, str, str, str]]) -> None:
    """Every word of harmless text comes through, in order, and no two blocks grow together."""
    escaped = [
        (b, i, *(w.replace("&", "&amp;").replace("<", "&lt;") for w in (one, two)))
        for b, i, one, two in parts
    ]
    html = "".join(f"<{b}>{one} <{i}>{two}</{i}></{b}>" for b, i, one, two in escaped)
    assert words(clean_html(html)) == [word for _, _, one, two in parts for word in (one, two)]


def test_clean_html_keeps_tables_and_lists() -> None:
    """Tables keep their spans, held to 100, and lists the numbers that people cite."""
    html = clean_html(
        "<table style=x><caption>表</caption><tr><th colspan=2>甲<td rowspan=1000>乙<td colspan=0 rowspan=x>丙</table>"
        "<ol start=3 type=a class=y><li value=7>项</ol>"
    )
    tree = LexborHTMLParser(html)
    head, second, third = tree.css("th, td")
    assert (head.attributes, second.attributes, third.attributes) == (
        {"colspan": "2"},
        {"rowspan": "100"},
        {},
    )
    assert [node.attributes for node in tree.css("ol, li")] == [{"type": "a", "start": "3"}, {"value": "7"}]
    assert words(html) == ["表", "甲", "乙", "丙", "项"]


def test_clean_html_lowers_headings_below_the_title_of_the_page() -> None:
    """With an h1 all headings go down one level; without one they stay."""
    assert clean_html("<h1>一</h1><h2>二</h2><h6>六</h6>") == "<h2>一</h2><h3>二</h3><h6>六</h6>"
    assert clean_html("<h2>二</h2><h3>三</h3>") == "<h2>二</h2><h3>三</h3>"


@pytest.mark.parametrize("link", ["#第三条", "#%E7%AC%AC%E4%B8%89%E6%9D%A1"])
def test_clean_html_links_inside_the_text_still_arrive(link: str) -> None:
    """A link to an id of the same text leads to the prefixed id, written plainly or percent-encoded."""
    html = clean_html(f"<p><a href='{link}'>见第三条</a></p><h2 id='第三条'>第三条</h2>")
    assert 'href="#src-%E7%AC%AC%E4%B8%89%E6%9D%A1"' in html
    assert 'id="src-第三条"' in html


def test_clean_html_links_outwards_without_telling_where_from() -> None:
    """Web addresses stay with a guarded rel; relative ones, which would lead into our pages, go."""
    assert clean_html("<a href='https://a.example/?b=1&amp;c=2' target=_blank>甲</a>") == (
        '<a href="https://a.example/?b=1&amp;c=2" rel="noopener noreferrer nofollow">甲</a>'
    )
    assert "href" not in clean_html("<a href='/admin'>乙</a><a href='../x'>丙</a><a href='?q=1'>丁</a>")


def test_clean_html_drops_what_is_no_text() -> None:
    """Script, drawings, frames and form controls go with what is in them; comments too."""
    html = (
        "<p>甲</p><script>s</script><style>s</style><svg><text>s</text></svg><math><mi>s</mi></math><iframe>s</iframe>"
        "<object>s</object><template>s</template><select><option>s</select><textarea>s</textarea><button>s</button>"
        "<title>s</title><!-- s --><form><label>乙</label></form><img alt=s>"
    )
    assert words(clean_html(html)) == ["甲", "乙"]
    assert "s" not in clean_html(html)


def test_clean_html_leaves_div_and_span_bare() -> None:
    """What only groups carries nothing at all."""
    assert (
        clean_html("<div id=a class=b lang=c><span id=d style=e>甲</span></div>")
        == "<div><span>甲</span></div>"
    )


def test_clean_html_takes_all_line_ends_from_the_start_of_a_pre() -> None:
    """However many empty lines a pre begins with, it stays a pre."""
    assert clean_html("<pre id=x>" + "\n" * 40 + "甲\n\n乙</pre>") == '<pre id="src-x">甲\n\n乙</pre>'


def test_clean_html_gives_up_tags_that_never_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Markup that still changes after the last pass is shown as text without any tag."""
    monkeypatch.setattr(module, "MAX_PASSES", 1)
    html = clean_html("<h1>甲<script>x</script></h1><a href='https://a.example'>乙 &lt;b&gt;</a>")
    assert html == "甲乙 &lt;b&gt;"

"""Cutting and marking text for lists."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from api.excerpts import WIDTH, excerpt, mark, merge

TEXT = st.text(alphabet="共建活动。，；\n a1〔<&\u0301", max_size=700)
SPANS = st.lists(st.tuples(st.integers(-5, 700), st.integers(-5, 705)), max_size=8)


def plain(html: str) -> str:
    return unescape(re.sub(r"</?mark>", "", html))


@given(TEXT, SPANS)
def test_mark_conserves_text(text: str, spans: list[tuple[int, int]]) -> None:
    """Taking the marks away gives the text back, and the marks hold what the spans hold."""
    merged = merge(spans, len(text))
    html = str(mark(text, merged))
    assert plain(html) == text
    assert [unescape(m) for m in re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL)] == [
        text[s:e] for s, e in merged
    ]


@given(TEXT, SPANS)
def test_excerpt_is_a_run_of_the_text_with_whole_highlights(text: str, spans: list[tuple[int, int]]) -> None:
    """An excerpt is one run of the text, and every highlight in it is whole."""
    html = str(excerpt(text, spans))
    body = plain(html)
    left, right = body.startswith("…"), body.endswith("…")
    body = body.removeprefix("…") if left else body
    body = body.removesuffix("…") if right else body
    assert body in text
    whole = {text[s:e] for s, e in merge(spans, len(text))}
    assert {unescape(m) for m in re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL)} <= whole
    if merge(spans, len(text)):
        assert "<mark>" in html


def test_excerpt_centres_on_the_first_highlight() -> None:
    """A long text is cut on both sides, at punctuation, around what was found."""
    text = "前文说明。" * 80 + "这里写着试用期。" + "后文说明。" * 80
    at = text.index("试用期")
    html = str(excerpt(text, [(at, at + 3)]))
    assert html.startswith("…前文")
    assert html.endswith("。…")
    assert "<mark>试用期</mark>" in html
    assert len(plain(html)) < WIDTH * 1.5


def test_excerpt_leaves_numbers_whole() -> None:
    """No cut falls inside a run of digits or letters."""
    html = str(excerpt("国" * 190 + "123456789012345678901234567890" + "发" * 200, []))
    assert re.search(r"国(123456789012345678901234567890.*)?…$", plain(html))


def test_excerpt_keeps_short_text_as_it_is() -> None:
    """Nothing is cut from a clause of ordinary length."""
    assert str(excerpt("第一条　短。", [(0, 3)])) == "<mark>第一条</mark>　短。"

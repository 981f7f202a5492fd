"""Highlights: spans of the original text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import fold, located_terms, query_terms, terms
from search.highlight import found_terms, highlight

CHARACTERS = "党黨员員经經费費三十日30条第五，。 ａａA㎡"


def marked(text: str, query: str) -> list[str]:
    """The pieces of the text that are marked for a query."""
    return [text[a:b] for a, b in highlight(text, query_terms(query))]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("发展黨員的程序", "党员", ["黨員"]),
        ("发展党员的程序", "黨員", ["党员"]),
        ("应当在三十日内缴纳", "30日", ["三十日"]),
        ("应当在30日内缴纳", "三十日", ["30日"]),
        ("依照第五十四条处理", "第54条", ["第五十四条"]),
        ("依照第５４條处理", "第五十四条", ["第５４條"]),
        ("根據國發〔２０２３〕５號文件", "国发[2023]5号", ["國發", "２０２３", "５號"]),
        ("见第一千二百六十条的规定", "1260", ["一千二百六十"]),
        ("不超过三万元的", "30000", ["三万"]),
        ("使用ＰＤＦ格式", "pdf", ["ＰＤＦ"]),
        ("面积为50㎡以上", "50", ["50"]),
        ("𠮷日与共建活动𠮷", "共建活动", ["共建活动"]),
        ("活动经费，不得挪用", "挪用活动经费", ["活动经费", "挪用"]),
        ("完全无关的内容", "试用期", []),
    ],
)
def test_highlight_marks_the_original(text: str, query: str, expected: list[str]) -> None:
    """The marked pieces are those a reader would mark, also where script, width or number form differ."""
    assert marked(text, query) == expected


@given(st.text(CHARACTERS, max_size=30), st.text(CHARACTERS, max_size=8))
def test_highlight_spans_are_in_order_and_inside(text: str, query: str) -> None:
    """Spans are not empty, lie inside the text, ascend and never touch."""
    spans = highlight(text, query_terms(query))
    for a, b in spans:
        assert 0 <= a < b <= len(text)
    for (_, end), (start, _) in pairwise(spans):
        assert end < start


@given(st.text(CHARACTERS, max_size=30), st.text(CHARACTERS, max_size=8))
def test_highlight_marks_nothing_but_matches(text: str, query: str) -> None:
    """Each marked piece has a token of the query, and without a common token nothing is marked."""
    wanted = set(query_terms(query))
    folded = fold(text)
    # A numeral is one only beside its unit, so tokens are those of the whole text.
    located = [(t, *folded.span(start, end)) for t, start, end in located_terms(folded.text)]
    for a, b in highlight(text, wanted):
        assert any(t in wanted and a <= start and end <= b for t, start, end in located)
    if not wanted & set(terms(text)):
        assert highlight(text, wanted) == ()


def test_highlight_marks_single_characters_only_for_want_of_longer() -> None:
    """A lone 的 is marked only when the query has nothing longer that the text has."""
    assert marked("党的组织的活动", "党的") == ["党的"]
    assert marked("组织的活动", "的") == ["的"]


def test_found_terms_keep_the_order_of_the_query() -> None:
    """Terms that matched come in the order in which the query has them."""
    assert found_terms("经费与党员", ["党员", "无", "经费"]) == ("党员", "经费")

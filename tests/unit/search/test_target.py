"""Queries that name their target."""

import pytest

from kb.names import article_key
from search.analysis import fold
from search.target import Names, Target

TITLES = [
    ("civil", "中华人民共和国民法典", None),
    ("civil-old", "民法典（2015年修正）", None),
    ("funds", "活动经费管理办法（试行）", "北党发〔2023〕5号"),
    ("letter", "关于开展安全检查的通知", "江安字〔2024〕12号"),
    ("rules", "支部工作条例", "中发〔2018〕40号"),
    ("bid", "招标投标法", None),
    ("bid-rules", "招标投标法实施条例", "国务院令第613号"),
]


@pytest.fixture(scope="module")
def names() -> Names:
    """Names of a few documents."""
    return Names(TITLES)


@pytest.mark.parametrize(
    "text",
    [
        "北党发〔2023〕5号",
        "北党发[2023]5号",
        "北黨發（２０２３）５號",
        "北党发【2023】5号",
        "北党发(2023)5号",
        "北党发 〔2023〕 5号",
        "北党发〔2023〕第5号",
        "北党发2023年5号",
        "根据北党发〔2023〕5号文件，经费怎么用？",
        "《活动经费管理办法》北党发〔2023〕5号",
    ],
)
def test_names_find_a_document_number(names: Names, text: str) -> None:
    """A 文号 leads to its document in any bracket, width and script, alone or inside a sentence."""
    found = names.find(text)
    assert found is not None
    assert found.document_ids == ("funds",)


@pytest.mark.parametrize("text", ["联盟案例〔2025〕003号", "联盟案例〔2025〕3号"])
def test_names_find_a_number_with_leading_zeros(text: str) -> None:
    """Zeros before the serial number make no other number."""
    assert Names([("case", "案例", "联盟案例〔2025〕003号")]).find(text) == Target(("case",))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("民法典第一百二十条", "第120条"),
        ("民法典第120条", "第120条"),
        ("民法典120条", "第120条"),
        ("民法典第１２０條", "第120条"),
        ("中华人民共和国民法典第一百二十条", "第120条"),
        ("《民法典》第一百二十条", "第120条"),
        ("《中华人民共和国民法典》第一百二十条第二款的规定是什么", "第120条"),
        ("请问民法典第一千二百六十条是怎么规定的", "第1260条"),
        ("民法典第五条（三）项", "第5条"),
    ],
)
def test_names_find_law_and_article(names: Names, text: str, label: str) -> None:
    """A law and an article lead to the clause, with or without 中华人民共和国 and book marks, in any numerals."""
    found = names.find(text)
    assert found is not None
    assert (found.document_ids[0], found.label) == ("civil", label)


@pytest.mark.parametrize("text", ["民法典第一百二十条之一", "民法典第120条之一", "民法典第120条之1"])
def test_names_find_an_article_added_later(names: Names, text: str) -> None:
    """第…条之一 is another article than the one it was put behind, and its label is the one that clauses are kept under."""
    assert names.find(text) == Target(("civil", "civil-old"), article_key(fold("第一百二十条之一").text))


@pytest.mark.parametrize(
    ("text", "document_ids"),
    [
        ("活动经费管理办法", ("funds",)),
        ("活动经费管理办法（试行）", ("funds",)),
        ("《活动经费管理办法》", ("funds",)),
        ("活動經費管理辦法", ("funds",)),
        ("关于活动经费管理办法的规定", ("funds",)),
        ("《支部工作条例》全文", ("rules",)),
        ("关于开展安全检查的通知", ("letter",)),
        ("招标投标法", ("bid",)),
        ("招标投标法实施条例", ("bid-rules",)),
    ],
)
def test_names_find_an_exact_title(names: Names, text: str, document_ids: tuple[str, ...]) -> None:
    """A title leads to its document, in either script, with or without its mark of version and words around it."""
    assert names.find(text) == Target(document_ids)


def test_names_take_the_longest_title_before_an_article(names: Names) -> None:
    """实施条例第五条 is the article of the rules, not of the law whose name it begins with."""
    assert names.find("招标投标法实施条例第五条") == Target(("bid-rules",), "第5条")
    assert names.find("招标投标法第五条") == Target(("bid",), "第5条")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "经费",
        "第五条",
        "怎样使用活动经费",
        "民法",
        "〔2023〕5号",
        "刑法第五条",
        "2023年5月1日",
        "北党发〔2023〕55号",
        "法第五条",
        "？",
    ],
)
def test_names_find_nothing_where_nothing_is_named(names: Names, text: str) -> None:
    """A query that names no document here has no target."""
    assert names.find(text) is None


def test_names_of_no_documents_find_nothing() -> None:
    """An empty library names nothing."""
    assert Names([]).find("民法典第一条") is None

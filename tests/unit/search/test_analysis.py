"""Text to tokens: one form for many ways of writing, nothing unfindable, spans that lead back."""

import subprocess
import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.analysis import digest, document_numbers, fold, located_terms, query_terms, terms, words

CHARACTERS = "国發〔2023〕五十四条之一款年月日ａＢ０3千万元法條（）[]【】，。 \u3000\n℃㎡½ⅣﬁÅ①㈠ｱ々〇零𠮷語·"
texts = st.text(CHARACTERS, max_size=30) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("第54条", "第五十四条"),
        ("第１２６０条", "第一千二百六十条"),
        ("第五十四條", "第五十四条"),
        ("国发[2023]5号", "国发〔2023〕5号"),
        ("國發（２０２３）５號", "國發(2023)5號"),
        ("三十日", "30日"),
        ("二〇二三年", "2023年"),
        ("二〇二三年五月一日", "2023年5月1日"),
        ("３万元", "30000元"),
        ("三万元", "3万元"),
        ("ＡＢＣ", "abc"),
        ("黨員發展對象", "党员发展对象"),
        ("【通知】", "[通知]"),
    ],
)
def test_fold_gives_one_form(one: str, other: str) -> None:
    """Ways of writing that mean the same have the same matching form."""
    assert fold(one).text == fold(other).text


@pytest.mark.parametrize(
    "text",
    [
        "国发[2023]5号",
        "国发〔2023〕5号",
        "國發（２０２３）５號",
        "国发(2023)5号",
        "国发【2023】５号",
        "国发〔2023〕第5号",
        "国发〔2023〕05号",
        "国发 〔2023〕 5号",
        "国发2023年5号",
    ],
)
def test_terms_give_a_document_number_as_one_token(text: str) -> None:
    """A 文号 in any bracket, width and script is the same single token, in text and in query."""
    assert "国发[2023]5号" in terms(text)
    assert "国发[2023]5号" in query_terms(text)
    assert [t for t in query_terms(text) if "[" in t] == ["国发[2023]5号"]


def test_terms_find_a_document_number_inside_a_sentence() -> None:
    """Words that run into the issuer's mark do not hide the number."""
    assert "国发[2023]5号" in terms("根据国发〔2023〕5号文件精神")
    assert [t for _, _, t in document_numbers(fold("见国发〔2023〕5号、京政发〔2024〕12号").text)] == [
        "见国发[2023]5号",
        "京政发[2024]12号",
    ]


def test_fold_leaves_words_that_only_look_like_numbers() -> None:
    """Numerals without a unit or 第 stay characters, so that 三公经费 and 一带一路 are words."""
    for text in ("三公经费", "一带一路", "统一", "万众一心", "两学一做"):
        assert fold(text).text == text


@given(texts)
def test_fold_spans_stay_inside_the_text(text: str) -> None:
    """Origins never fall back, begin inside the text, and the last one closes it; every span lies inside."""
    folded = fold(text)
    origins = list(folded.origin)
    assert len(origins) == len(folded.text) + 1
    assert origins == sorted(origins)
    assert origins[-1] == len(text)
    assert all(0 <= o < len(text) for o in origins[:-1])
    for start in range(len(folded.text)):
        for end in (start + 1, len(folded.text)):
            a, b = folded.span(start, end)
            assert 0 <= a < b <= len(text)
    assert folded.span(0, len(folded.text)) == (0, len(text)) or not folded.text


@given(texts)
def test_fold_spans_tile_the_text(text: str) -> None:
    """The span of a character of the folded text, folded alone, has that character: spans lead to the right place."""
    folded = fold(text)
    for i, c in enumerate(folded.text):
        a, b = folded.span(i, i + 1)
        piece = text[a:b]
        if not c.isdigit():
            assert c in fold(piece).text


@given(texts)
def test_fold_twice_is_fold_once(text: str) -> None:
    """The matching form of a matching form is itself, so both sides may be folded."""
    once = fold(text).text
    assert fold(once).text == once


@given(texts)
def test_terms_cover_every_letter_digit_and_ideograph(text: str) -> None:
    """Whatever a person could type is in some token, and its span holds it: nothing is ever unfindable."""
    folded = fold(text).text
    located = located_terms(folded)
    covered = {i for _, start, end in located for i in range(start, end)}
    assert {
        i for i, c in enumerate(folded) if unicodedata.category(c)[0] == "L" or c in "0123456789"
    } <= covered
    for token, start, end in located:
        assert folded[start:end] == token


@given(texts)
def test_terms_are_the_located_terms_and_the_document_numbers(text: str) -> None:
    """What is indexed is what highlights look for, besides the tokens of 文号."""
    plain = Counter(t for t, _, _ in located_terms(fold(text).text))
    indexed = Counter(terms(text))
    assert plain <= indexed
    assert all("[" in t for t in indexed - plain)


@given(texts)
def test_query_terms_are_terms_of_the_same_text(text: str) -> None:
    """A query that repeats a text asks only for tokens that the text has, each once."""
    asked = query_terms(text)
    assert len(asked) == len(set(asked))
    if not any(w in fold(text).text for w in ("什么", "吗", "呢", "吧", "啊", "呀", "么")):
        assert set(asked) <= set(terms(text))
    assert bool(asked) == bool(terms(text))


def test_query_terms_drop_question_words_unless_nothing_is_left() -> None:
    """A question is asked by its content; a query of nothing but question words still asks."""
    assert "什么" not in query_terms("试用期是什么")
    assert "试用" in query_terms("试用期是什么")
    assert set(query_terms("什么")) == {"什", "什么", "么"}


@given(st.text("党员發展對象条例學習活動經費", min_size=1, max_size=12))
def test_terms_are_the_same_in_both_scripts(text: str) -> None:
    """A text in traditional script has the tokens of its simplified form."""
    import opencc

    assert terms(opencc.OpenCC("t2s").convert(text)) == terms(text)


@example("㎡")
@given(texts)
def test_words_hold_every_character_besides_words(text: str) -> None:
    """The encoder's words include each character, so that a word missing from the dictionary still counts."""
    folded = fold(text).text
    assert set("".join(words(text))) >= {c for c in folded if unicodedata.category(c)[0] == "L"}


def test_terms_of_no_text_are_none() -> None:
    """Space and punctuation alone give no tokens."""
    for text in ("", "  \n", "，。！？", "——"):
        assert terms(text) == query_terms(text) == words(text) == []


def test_digest_is_the_same_in_every_process() -> None:
    """The identity of the analysis does not depend on hash seeds or on what ran before."""
    code = "from search.analysis import digest; print(digest())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == digest()
    assert len(digest()) == 16

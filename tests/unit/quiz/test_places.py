"""Where a statement is asked about: on invented sentences."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.generation.places import MOST, Place, candidates, places, words
from quiz.model import Slot

DOCUMENT = (
    "蓝鹤驿站应当建立信鸽巡查制度。信鸽巡查每旬至少一次，信鸽巡查记录保存三年。"
    "驿站负责人对信鸽巡查结果负责。任何单位和个人不得占用、堵塞、封闭鸽道。"
)


def asked(text: str, around: str = "") -> list[str]:
    return [text[p.start : p.end] for p in places(text, around)]


def runs(text: str, around: str = "") -> set[str]:
    said = words(text)
    return {text[said[i].start : said[j].end] for i, j in candidates(said, around)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("驿站应当在接到通知之日起十五日内提交巡查报告。", "十五日"),
        ("鸽舍的使用登记有效期为六年。", "六年"),
        ("驿站负责人应当每年组织二次以上的巡查演练。", "二次"),
    ],
)
def test_a_number_is_asked_first(text: str, number: str) -> None:
    """Where a statement has one number, the first place is that number."""
    assert asked(text)[0] == number


@pytest.mark.parametrize(
    ("text", "whole", "cut"),
    [
        ("任何单位和个人不得占用、堵塞、封闭鸽道。", "占用、堵塞、封闭", "占用、堵塞"),
        ("任何单位和个人都有保护鸽道的义务。", "单位和个人", "和个人"),
        ("驿站负责人由县级人民政府会同行业协会任命。", "县级人民政府", "由县级人民政府"),
    ],
)
def test_a_place_is_a_whole_thing(text: str, whole: str, cut: str) -> None:
    """Lists and pairs can be asked whole; a list without its end, or a word that only joins, cannot."""
    assert whole in runs(text)
    assert cut not in runs(text)


def test_a_term_of_the_document_is_not_cut() -> None:
    """Words that the document has together nearly always are asked together, and apart where it is silent."""
    text = "驿站应当如实填写信鸽巡查记录。"
    split = {"信鸽", "巡查", "巡查记录"}
    assert split & runs(text)
    assert not split & runs(text, DOCUMENT)
    assert any("信鸽巡查" in run for run in runs(text, DOCUMENT))


def test_articles_and_empty_words_are_never_asked() -> None:
    """Numbers of articles and words such as 规定 are no places."""
    assert not {"第九条", "规定"} & runs("依照第九条的规定，驿站应当设置警示标志。")


def test_chosen_places_do_not_mostly_overlap() -> None:
    """Of the places chosen no two share half of the longer one."""
    for text in DOCUMENT.split("。")[:-1]:
        chosen = places(text + "。", DOCUMENT)
        assert all(p.share(q) < 0.5 for p, q in combinations(chosen, 2))


def test_kinds_show_in_the_place() -> None:
    """A place that is an amount or a modality says so."""
    text = "驿站不得在三十日内迁移。"
    kinds = {text[p.start : p.end]: p.slot for p in places(text)}
    assert kinds["三十日"] is Slot.NUMBER
    assert kinds["不得"] is Slot.MODALITY


PIECES = st.sampled_from(
    [
        "驿站",
        "应当",
        "在",
        "三十日",
        "内",
        "，",
        "。",
        "、",
        "和",
        "的",
        "“",
        "”",
        "信鸽巡查",
        "不得",
        "2026年",
        "甲",
        "（",
        "）",
        " ",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["", DOCUMENT]))
def test_places_lie_inside_the_text_and_stay(text: str, around: str) -> None:
    """Places are spans of the text that are not empty, at most ten, and the same each time."""
    chosen: list[Place] = places(text, around)
    assert len(chosen) <= MOST
    assert all(0 <= p.start < p.end <= len(text) for p in chosen)
    assert all(text[p.start : p.end].strip() for p in chosen)
    assert chosen == places(text, around)

"""Two texts made from one: what comes of them, and that nothing either wrote is lost."""

from hypothesis import given
from hypothesis import strategies as st

from cases.merging import merge, merge_lines, sentences

SENTENCES = st.sampled_from(
    [
        "先登记。",
        "再公示。",
        "最后抽查！",
        "谁来做？",
        "第一步；",
        "好。",
        "好。\n",
        "“行。”",
        "没有句号",
        "\n",
    ]
)
TEXTS = st.lists(SENTENCES, max_size=8).map("".join)
ANY = st.text(st.sampled_from("甲乙丙。！\n；”1 .") | st.characters(codec="utf-8"), max_size=40)


def words(text: str) -> set[str]:
    """The sentences of a text without white space around them."""
    return {s.strip() for s in sentences(text)} - {""}


@given(ANY)
def test_sentences_tile_the_text(text: str) -> None:
    """Every character is in exactly one sentence."""
    assert "".join(sentences(text)) == text


@given(ANY, ANY)
def test_what_only_one_changed_stands_as_they_left_it(base: str, changed: str) -> None:
    """Where the other did nothing, the result is one's own text to the last character."""
    for merged in (merge(base, changed, base), merge(base, base, changed), merge(base, changed, changed)):
        assert (merged.text, merged.contested) == (changed, False)


@given(TEXTS, TEXTS, TEXTS)
def test_nothing_that_either_wrote_is_lost(base: str, mine: str, theirs: str) -> None:
    """Every sentence that one of them has and that was not there before is in the result, whatever the other did."""
    merged = words(merge(base, mine, theirs).text)
    assert words(mine) - words(base) <= merged
    assert words(theirs) - words(base) <= merged
    assert words(mine) & words(theirs) <= merged


@given(TEXTS, TEXTS, TEXTS)
def test_nothing_comes_from_nowhere(base: str, mine: str, theirs: str) -> None:
    """Every sentence of the result is one that somebody has; what both took out is gone."""
    assert words(merge(base, mine, theirs).text) <= words(mine) | words(theirs)


@given(st.sets(st.integers(0, 5)), st.lists(st.integers(0, 6), max_size=3), st.integers(0, 6))
def test_the_same_again_changes_nothing(gone: set[int], added: list[int], theirs_at: int) -> None:
    """What was merged once is not there twice when it is sent again over the same base."""
    base = [f"原{n}。" for n in range(6)]
    mine = [t for n, t in enumerate(base) if n not in gone]
    for n, at in enumerate(added):
        mine.insert(at, f"加{n}。")
    theirs = [*base[:theirs_at], "他的。", *base[theirs_at:]]
    once = merge("".join(base), "".join(mine), "".join(theirs)).text
    again = merge("".join(base), "".join(mine), once).text
    assert again == once


def test_changes_in_different_sentences_go_together() -> None:
    """Two people at two sentences of one paragraph disturb each other in nothing."""
    merged = merge(
        "背景一。问题二。做法三。", "背景一改。问题二。做法三。", "背景一。问题二。做法三改。新的四。"
    )
    assert (merged.text, merged.contested) == ("背景一改。问题二。做法三改。新的四。", False)


def test_one_sentence_changed_by_both_stands_twice() -> None:
    """Both versions of a sentence are there, side by side, and it is told."""
    merged = merge("甲。乙。丙。", "甲。乙一。丙。", "甲。乙二。丙。")
    assert (merged.text, merged.contested) == ("甲。乙二。乙一。丙。", True)


def test_a_sentence_that_one_took_out_and_the_other_changed_stays() -> None:
    """Taking out does not win over changing, and it is told."""
    merged = merge("甲。乙。", "甲。", "甲。乙改。")
    assert (merged.text, merged.contested) == ("甲。乙改。", True)
    assert merge("甲。乙。", "甲。", "甲。乙。丙。").text == "甲。丙。"


def test_a_sentence_that_both_kept_once_stays() -> None:
    """Of a sentence that stood twice each took another one out: both still have it, so it is there."""
    assert merge("好。甲。好。", "好。甲。", "甲。好。").text.count("好。") == 1


def test_both_add_at_one_place() -> None:
    """Two additions at the end are no quarrel: both stand, each on its own line where one was not ended."""
    merged = merge("甲。", "甲。我加的", "甲。他加的")
    assert (merged.text, merged.contested) == ("甲。他加的\n我加的", False)


def test_lines_of_figures_are_never_parted() -> None:
    """A table is merged line by line, though its cells hold what ends a sentence elsewhere."""
    base = "等待；平均|73|26|分\n投诉|9|1|件"
    merged = merge_lines(base, base + "\n办结。率|50|90|%", base.replace("|26|", "|25|"))
    assert merged.text == "等待；平均|73|25|分\n投诉|9|1|件\n办结。率|50|90|%"

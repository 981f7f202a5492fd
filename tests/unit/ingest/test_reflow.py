"""Reflow: paragraphs as they were before lines, columns and pages cut them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.characters import clean, is_cut
from ingest.furniture import drop_furniture
from ingest.reflow import reflow
from kb.model import Block, Flow, Reading


def flow_of(*texts: str, role: str = "paragraph") -> Flow:
    return reflow(Reading(tuple(Block(text, role=role) for text in texts)))


def plain(text: str) -> list[str]:
    return flow_of(*text.split("\n"), role="line").text.split("\n")


def page_line(
    text: str, page: int, row: int, *, left: float = 0.1, em: float = 0.02, size: float = 12
) -> Block:
    """A line of ideographs on a page of 40 rows."""
    top = row / 40
    return Block(text, "line", 0, page, left, top, left + em * len(text), top + 0.017, size)


PROSE = "班前先要碰头。要办的事逐条写进两家共用的台"


def test_article_cut_by_a_page_is_joined() -> None:
    """A blank line in mid word, or after a comma, was a page break."""
    assert plain(f"{PROSE}\n\n账是月底核对的唯一依据。") == [f"{PROSE}账是月底核对的唯一依据。"]
    assert len(plain("两家合用一台叉车，装卸快了一个小时。另外，\n\n仓库的值班也合并了。")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "推动企业党建共建工作的实践与探索\n\n某某某\n\n某某煤业有限责任公司\n\n摘要：在会议上，强调了方向。",
        "关于进一步加强共建工作，推动高质量发展的若干意见\n\n各支部，各部门：",
        "（六）打造特色品牌，激发创新活力\n\n企业开展工作，应进一步提升品牌意识。",
        "一、坚持学用结合，把共同学习的成果用到生产经营的每一个环节中去\n\n支部要先学，再用。",
        "（一）违反规定，造成严重后果的；\n\n（二）情节轻微，没有后果的；",
        "应当具备下列条件：\n\n有场地，有人员，有时间。",
        "请各支部遵照执行，执行中的问题请及时反馈给党委办公室，特此通知。\n\n某某有限公司委员会\n\n2024年5月1日",
        "促使党建工作实现高水平发展，通过这种方式，也能够提升效率。实现高水平发展\n\n（四）完善制度机制",
        "第五条 各单位应当建立制度，明确专人负责，定期检查落实情况，及时报告"
        "\n\n第六条 本办法自公布之日起施行，解释权归办公室。",
        "关键词：党建共建；特征，优化，措施，办法，经验，做法，成效，问题，建议，路径，机制\n\n引言，正文。",
    ],
)
def test_separate_paragraphs_stay_separate(text: str) -> None:
    """Titles, headings, items, lead-ins and signatures are never joined to what follows."""
    assert plain(text) == [part for part in text.split("\n") if part]


def test_wrapped_text_is_joined() -> None:
    """Lines as wide as each other that end in mid sentence are one paragraph."""
    lines = ["共" * 30, "学" * 30, "到此为止。", "", "第二段从这里开始，也有好几行，" + "字" * 15, "结束了。"]
    assert plain("\n".join(lines)) == ["".join(lines[:3]), "".join(lines[4:])]


def test_unwrapped_lines_are_paragraphs() -> None:
    """Without a common width each line stands for itself."""
    assert len(plain("第一行\n第二行比较长一些\n第三行。\n第四行")) == 4


def test_spaces_and_invisible_characters_are_normalised() -> None:
    """One kind of space, no controls, NFC; other characters stay as they are."""
    assert flow_of("　　第一章　　总\u200b则\u00ad \x07（一）ＡＢ①").text == "第一章 总则 （一）ＡＢ①"
    assert flow_of("Cafe\u0301 au\u00a0lait").text == "Café au lait"


def test_table_rows_keep_their_cells() -> None:
    """Cells stay separated by tabs, and a row without text goes."""
    assert flow_of("项目\t 分值 \t", "\t\t", role="table").text == "项目\t分值\t"


def test_words_divided_at_line_end() -> None:
    """A divided word is made whole, a hyphenated one keeps its hyphen, words keep their space."""
    rows = ["The organi-", "sation of well-known and well-", "known open", "source"]
    lines = [
        Block(t, "line", 0, 1, 0.1, 0.2 + i * 0.03, 0.9, 0.22 + i * 0.03, 12) for i, t in enumerate(rows)
    ]
    assert (
        reflow(Reading(tuple(lines), {}, 1)).text
        == "The organisation of well-known and well-known open source"
    )


def test_indent_begins_a_paragraph_and_a_reference_does_not() -> None:
    """第十二条 at a line start is a reference where paragraphs are indented and it is not."""
    lines = [
        page_line("一" * 38, 1, 5, left=0.14),
        page_line("依照本办法规定的程序和条件，" + "二" * 23 + "依照本", 1, 6),
        page_line("第十二条规定办理的，从其规定，" + "三" * 25, 1, 7),
        page_line("到此为止。", 1, 8),
        page_line("第二段" + "四" * 35, 1, 9, left=0.14),
        page_line("到此为止。", 1, 10),
    ]
    assert [p[:3] for p in reflow(Reading(tuple(lines), {}, 1)).text.split("\n")] == ["一一一", "第二段"]


def test_larger_type_makes_headings() -> None:
    """Font sizes above the body's give heading levels, the largest first."""
    lines = [
        page_line("很大的标题", 1, 2, left=0.35, em=0.04, size=22),
        page_line("一、小标题", 1, 5, em=0.025, size=15),
        *[page_line("正文" * 20, 1, row) for row in range(7, 12)],
    ]
    roles = [(p.role, p.level) for p in reflow(Reading(tuple(lines), {}, 1)).paragraphs]
    assert roles[:2] == [("heading", 1), ("heading", 2)] and roles[2] == ("paragraph", 0)


@pytest.mark.parametrize("form", ["第 {} 页 共 4 页", "- {} -", "{}/4", "— {} —", "{}", "第{}页"])
def test_page_numbers_are_dropped(form: str) -> None:
    """Page numbers of every form go, the same digits in the body stay."""
    lines = [
        line
        for page in range(1, 5)
        for line in (
            page_line("汇编第一辑", page, 1),
            page_line(f"数字{page}", page, 20),
            page_line(form.format(page), page, 38),
        )
    ]
    assert [line.text for line in drop_furniture(lines, 4)] == ["数字1", "数字2", "数字3", "数字4"]


def test_watermark_is_dropped_and_repeated_words_stay() -> None:
    """What stands at one place on nearly every page goes; the same words elsewhere stay."""
    lines = [page_line("内部资料", page, 20, left=0.4) for page in (1, 2, 3)]
    kept = [page_line("特此通知。", page, 5 + 7 * page) for page in (1, 2, 3)]
    assert drop_furniture([*lines, *kept], 3) == kept


def test_pages_map_to_first_characters() -> None:
    """The map names the offset of the first character of each page, also inside a paragraph."""
    flow = reflow(
        Reading(
            (Block(PROSE, page=1), Block("制是开展工作的前提，也是基础。", page=2), Block("末段。", page=4))
        )
    )
    assert flow.pages == ((0, 1), (len(PROSE), 2), (flow.text.index("末"), 4))
    assert flow.page_at(len(PROSE) - 1) == 1 and flow.page_at(len(PROSE)) == 2


def test_is_cut_needs_prose_on_both_sides() -> None:
    """Short lines are no prose, and what follows must hold punctuation of prose."""
    assert not is_cut("河东机械厂委员会", "经研究，决定如下。")
    assert not is_cut(PROSE, "河东机械厂委员会")


CHARS = st.sampled_from(
    list("共学党建，。：；、（）第一条二、 　\t\n-abZ19“”…—\u200b\u00ad\u0301é가①㈠豈\x07")
)
TEXTS = st.text(CHARS, max_size=60)
BLOCKS = st.lists(
    st.builds(
        Block,
        text=TEXTS,
        role=st.sampled_from(["paragraph", "line", "heading", "list", "table", "title"]),
        page=st.none() | st.integers(1, 4),
    ),
    max_size=12,
)


@st.composite
def laid_out(draw: st.DrawFn) -> list[Block]:
    """Lines with places, in some reading order."""
    blocks = []
    for page in range(1, draw(st.integers(1, 3)) + 1):
        for _ in range(draw(st.integers(0, 6))):
            left, top = draw(st.floats(0, 0.8)), draw(st.floats(0, 0.95))
            size = draw(st.sampled_from([10.5, 12, 18]))
            right = min(1.0, left + draw(st.floats(0.01, 0.9)))
            blocks.append(Block(draw(TEXTS), "line", 0, page, left, top, right, top + 0.02, size))
    return blocks


def bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", clean(text)).split())


@given(BLOCKS | laid_out())
def test_paragraphs_tile_the_text(blocks: list[Block]) -> None:
    """Paragraphs and single newlines between them are the whole text, and none is blank."""
    flow = reflow(Reading(tuple(blocks), {}, 3))
    assert "\n".join(flow.text[p.start : p.end] for p in flow.paragraphs) == flow.text
    for paragraph in flow.paragraphs:
        text = flow.text[paragraph.start : paragraph.end]
        assert text.strip() and "\n" not in text
    assert unicodedata.is_normalized("NFC", flow.text)
    assert list(flow.pages) == sorted(flow.pages)


@given(BLOCKS)
def test_text_is_conserved_in_order(blocks: list[Block]) -> None:
    """Every character but spaces, invisible ones and hyphens at line ends comes out, in order."""
    flow = reflow(Reading(tuple(blocks)))
    expected = "".join(bare(block.text) for block in blocks)
    assert "".join(flow.text.split()).replace("-", "") == expected.replace("-", "")


@given(laid_out())
def test_kept_lines_are_conserved_in_order(blocks: list[Block]) -> None:
    """With geometry, all that is not furniture comes out, in order."""
    flow = reflow(Reading(tuple(blocks), {}, 3))
    kept = drop_furniture([block for block in blocks if block.text.strip()], 3)
    expected = "".join(bare(block.text) for block in kept)
    assert "".join(flow.text.split()).replace("-", "") == expected.replace("-", "")


@given(BLOCKS | laid_out())
def test_reflow_of_its_paragraphs_changes_nothing(blocks: list[Block]) -> None:
    """Flow is a fixed point."""
    flow = reflow(Reading(tuple(blocks), {}, 3))
    again = reflow(
        Reading(tuple(Block(flow.text[p.start : p.end], p.role, p.level) for p in flow.paragraphs))
    )
    assert again.text == flow.text and again.paragraphs == flow.paragraphs

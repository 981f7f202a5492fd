"""Characters of Chinese running text: cleaning, joining, and what begins or ends a paragraph."""

import re
import unicodedata
from collections.abc import Iterable

_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[\t\x1f \xa0\u1680\u2000-\u200a\u202f\u205f\u3000\u3164\uffa0]+")

_CJK = re.compile(
    r"[\u2014\u2018\u2019\u201c\u201d\u2026\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60"
    r"\uffe0-\uffe6\u00b7\U00020000-\U0003ffff]"
)

_AMBIGUOUS = "—‘’“”…·"
"""Written with spaces around them beside Latin text, without beside Chinese."""

NUMERAL = "[零〇○一二三四五六七八九十百千万两0-9０-９]"
_CLOSERS = "”’』」】》〉）)]］\"' "
_TERMINAL = "。！？；：…!?;:．."

PARAGRAPH_START = re.compile(
    rf"""
    第\s?{NUMERAL}+\s?[编篇章节条款项目部分讲课](?:之{NUMERAL}+)?(?=[\s：:、，]|[^\s的规及和或至、，。；]|$)
    | [一二三四五六七八九十百]{{1,4}}\s?[、．.]
    | [（(]\s?(?:[一二三四五六七八九十百]{{1,4}}|[0-9０-９]{{1,3}}|[a-zA-Z])\s?[）)]
    | [0-9０-９]{{1,3}}\s?(?:[、．)）]|\.(?![0-9]))
    | [0-9]{{1,2}}(?:\.[0-9]{{1,2}}){{1,3}}(?![0-9%])\s?(?=[^0-9\s%])
    | [\u2460-\u249b\u24eb-\u24f4]
    | (?:-\s)?[\[［〔][0-9０-９]{{1,3}}[\]］〕]
    | [-•·●■◆▪▶★※*]\s
    | 【[^】]{{1,12}}】
    | 附\s?(?:件|录|则|表|图|注)[\s0-9０-９一二三四五六七八九十：:]
    | (?:摘\s?要|引\s?言|关\s?键\s?[词字]|参\s?考\s?文\s?献|作者(?:简介|单位)|基金项目|中图分类号
      |文献标[识志]码|文章编号
      |收稿日期|主题词|抄送|主送|抄报|联系人|责任编辑|结束?语|后记|致谢)(?:[\s：:】]|$)
    | (?i:abstract|key\s?words?|references|doi)\b
    | [\u4e00-\u9fff]{{2,8}}[：:]
    """,
    re.X,
)
"""What stands at the beginning of a numbered, labelled or marked paragraph, and of little else."""

MAX_PROSE_CHARS = 4_000
"""A paragraph longer than this is not prolonged."""

_LABELLED = re.compile(r"(?:【[^】]{1,12}】|[\u4e00-\u9fff\s]{2,10}[：:])")
_ARTICLE = re.compile(rf"第\s?{NUMERAL}+\s?条")


def clean(text: str) -> str:
    """Text in NFC on one line: no invisible characters, every run of spaces one plain space.

    Line ends inside are joined as `glue` joins lines. Other characters stay as they are.

    >>> clean("　　第一章　总则\\u200b ")
    '第一章 总则'
    """
    lines = [
        _SPACES.sub(" ", unicodedata.normalize("NFC", _INVISIBLE.sub("", line))).strip(" ")
        for line in LINE_END.split(text)
    ]
    return glue_all(lines)


def clean_row(text: str) -> str:
    """A table row: each cell clean, cells joined by tabs."""
    cells = [clean(cell) for cell in LINE_END.sub(" ", text).split("\t")]
    return "\t".join(cells) if any(cells) else ""


def is_cjk(char: str) -> bool:
    """Written without spaces between words: ideographs, kana and full-width punctuation."""
    return bool(_CJK.match(char))


def glue(before: str, after: str) -> str:
    """Two pieces of one line of thought made one.

    >>> glue("共同开展相关的活", "动。"), glue("open", "source")
    ('共同开展相关的活动。', 'open source')
    """
    return before + seam(before, after) + after


def glue_all(pieces: Iterable[str]) -> str:
    """All pieces made one; those without text count for nothing."""
    out: list[str] = []
    for piece in filter(None, pieces):
        out += [seam(out[-1], piece), piece] if out else [piece]
    return "".join(out)


def seam(before: str, after: str) -> str:
    """What belongs between two pieces: a space between words, nothing in Chinese."""
    if not before or not after:
        return ""
    soft = (before[-1] in _AMBIGUOUS and after[0].isascii()) or (
        after[0] in _AMBIGUOUS and before[-1].isascii()
    )
    if not soft and (is_cjk(before[-1]) or is_cjk(after[0])):
        return "" if unicodedata.is_normalized("NFC", before[-1] + after[0]) else " "
    if before[-1] in "-‐–/" and before[-2:-1].isalnum() and after[0].isalnum():
        return ""
    return " "


def is_hyphenated(before: str, after: str) -> bool:
    """A line that ends within a word of small Latin letters.

    >>> is_hyphenated("inter-", "national"), is_hyphenated("GB-", "2312")
    (True, False)
    """
    return bool(re.search(r"[a-z][-‐]$", before)) and "a" <= after[:1] <= "z"


def ends_sentence(text: str) -> bool:
    """The text ends as a sentence, a lead-in or a quotation does; True for no text."""
    bare = text.rstrip("".join(map(chr, range(0xE000, 0xF900))) if text[-1:] >= "\ue000" else "")
    core = bare.rstrip(_CLOSERS)
    return not core or core[-1] in _TERMINAL or core != bare


def starts_paragraph(text: str) -> bool:
    """The text begins with a number, label or mark of its own.

    >>> starts_paragraph("第十二条 支部应当"), starts_paragraph("第十二条的规定，")
    (True, False)
    """
    return bool(PARAGRAPH_START.match(text))


def is_cut(before: str, after: str) -> bool:
    """The paragraph `before` was cut in mid sentence and goes on with `after`.

    Judged from the text alone and cautiously: `before` must be prose without an
    end, `after` must hold punctuation of prose and no mark of a new paragraph.
    A longer `after` with the same beginning is judged the same once it is prose.

    >>> is_cut("班前先碰头。两家支部每周三在码头碰头，轮流主持，把要办的事逐条列出来，写进共用的台", "账，谁办的谁签字。")
    True
    >>> is_cut("关于做好党建共建工作的通知", "各支部，各部门：")
    False
    """
    if len(before) > MAX_PROSE_CHARS or ends_sentence(before) or not _is_prose(before):
        return False
    if starts_paragraph(after) or not re.search("[，。；！？]", after):
        return False
    return is_cjk(after[0]) or after[0].isalnum()


def _is_prose(text: str) -> bool:
    if text[-1] in "，、":
        return len(text) >= 10
    if len(text) < 20:
        return False
    if "。" in text:
        return True
    if _ARTICLE.match(text):
        return len(text) >= 30 and "，" in text
    if starts_paragraph(text) or _LABELLED.match(text):
        return False
    return len(text) >= 40 and text.count("，") >= 2

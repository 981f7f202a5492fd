"""What questions are called on the pages: states, kinds, difficulty, gates, and why one is rejected."""

from collections.abc import Mapping

from quiz.model import Slot, State

STATE_WORDS: Mapping[State, str] = {
    State.CANDIDATE: "候选",
    State.IN_REVIEW: "待审",
    State.APPROVED: "已通过",
    State.RETIRED: "已停用",
}
SLOT_WORDS: Mapping[Slot, str] = {
    Slot.NUMBER: "数字",
    Slot.RANGE: "范围",
    Slot.DATE: "日期",
    Slot.BODY: "主体",
    Slot.MODALITY: "可否",
    Slot.TERM: "用语",
    Slot.CONDITION: "条件",
    Slot.ACTION: "做法",
    Slot.LIST: "列举",
    Slot.DEFINITION: "定义",
    Slot.OTHER: "其他",
}

DROPPED: Mapping[int, str] = {
    1: "选项或答案不成立",
    2: "答案在现行条文里找不到",
    3: "干扰项也可能是对的",
    4: "干扰项和答案不是同一类",
    5: "列举不完整",
    6: "错误的说法改得不合要求",
    7: "空可以有别的填法",
    8: "题干离开原文读不懂，或露了答案",
    9: "出题有毛病，如答案最长",
    10: "会让整批容易猜中",
}
"""Why candidates were dropped, by the gate that they failed."""

REASONS: tuple[str, ...] = (
    "答案不对",
    "不止一个答案对",
    "离开原文读不懂",
    "考的不是要点",
    "干扰项一眼就能排除",
    "和别的题重复",
    "文字不通",
)
"""Why a question is rejected, to choose from."""


_DIFFICULTIES = ((0.2, "易"), (0.4, "偏易"), (0.6, "适中"), (0.8, "偏难"))


def difficulty_words(difficulty: float) -> str:
    """How hard a question is, in a word.

    >>> [difficulty_words(d) for d in (0.1, 0.5, 0.9)]
    ['易', '适中', '难']
    """
    return next((words for below, words in _DIFFICULTIES if difficulty < below), "难")


def letter(n: int) -> str:
    """The letter of an option, counted from 0.

    >>> letter(0), letter(3)
    ('A', 'D')
    """
    return chr(ord("A") + n)

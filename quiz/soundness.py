"""Whether a question is one at all: what `quiz.model.Question` promises of its fields, before any gate is asked."""

import unicodedata
from collections import Counter
from collections.abc import Iterator

from quiz.model import BLANK, FALSE, TRUE, Question, Type

MOST_OPTIONS = 26
LONGEST = 20_000
MOST_TOPICS = 20
_CHOOSING = (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.ORDERING, Type.MATCHING)


def fault(question: Question) -> str:
    """What is wrong with the question, in Chinese for people; empty if it is sound.

    >>> fault(Question(Type.SINGLE, "选", ("甲", "乙"), ("丙",)))
    '答案不在选项里。'
    """
    texts = list(_texts(question))
    if not question.stem.strip():
        return "没有题干。"
    if not question.answer or not all(a.strip() for a in question.answer):
        return "没有答案。"
    if sum(map(len, texts)) > LONGEST or len(question.topics) > MOST_TOPICS:
        return "这道题太长。"
    if any(not _is_shown(c) for text in texts for c in text):
        return "含有不能显示的字符。"
    if not 0 <= question.difficulty <= 1:
        return "难度应在 0 到 1 之间。"
    return _choosing_fault(question) if question.type in _CHOOSING else _writing_fault(question)


def _choosing_fault(question: Question) -> str:
    options, answer = question.options, question.answer
    if not 2 <= len(options) <= MOST_OPTIONS or not all(o.strip() for o in options):
        return f"选项应有 2 到 {MOST_OPTIONS} 个，不能空着。"
    if len(set(options)) < len(options):
        return "有重复的选项。"
    if not set(answer) <= set(options):
        return "答案不在选项里。"
    if question.type in (Type.SINGLE, Type.TRUE_FALSE) and len(answer) != 1:
        return "只能有一个答案。"
    if question.type is Type.TRUE_FALSE and set(options) != {TRUE, FALSE}:
        return f"判断题的选项是“{TRUE}”和“{FALSE}”。"
    if question.type is Type.MULTIPLE and len(set(answer)) < len(answer):
        return "有重复的答案。"
    if question.type is Type.ORDERING and Counter(answer) != Counter(options):
        return "排序题的答案应包含每一项，各一次。"
    if question.type is Type.MATCHING and not _matches(question):
        return "配对题应为每一个左项给出一个答案。"
    return ""


def _writing_fault(question: Question) -> str:
    if question.options:
        return "填空题和简答题没有选项。"
    if question.type is Type.SHORT:
        weights = [p.weight for p in question.points]
        if len(question.answer) != 1:
            return "只能有一个答案。"
        if weights and not (all(w > 0 for w in weights) and abs(sum(weights) - 1) < 0.01):
            return "各要点的分值比例合起来应为 1。"
        return ""
    if question.stem.count(BLANK) != len(question.answer):
        return f"题干里的空（{BLANK}）与答案的个数不一致。"
    if question.accepted and len(question.accepted) != len(question.answer):
        return "每个空的其他写法应一一列出。"
    return ""


def _matches(question: Question) -> bool:
    prompts = question.prompts
    return (
        len(prompts) == len(question.answer)
        and len(set(prompts)) == len(prompts)
        and all(p.strip() for p in prompts)
    )


def _texts(question: Question) -> Iterator[str]:
    yield question.stem
    yield question.explanation
    for many in (question.options, question.answer, question.prompts, question.topics, *question.accepted):
        yield from many
    yield from (p.text for p in question.points)


def _is_shown(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")

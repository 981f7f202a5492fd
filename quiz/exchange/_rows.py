"""From what a file says to rows: gaps with their answers, orders that tell nothing, faults told in words."""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kb.model import derive_id
from quiz.exchange import Loss, Row
from quiz.exchange._draft import Unusable
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, Type
from quiz.soundness import fault

_GAP = re.compile(r"[（(][\s_＿]*[)）]|[_＿]{2,}")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def row(place: str, read: Callable[[], tuple[Question, float | None]]) -> Row:
    """What was read, or why it is no question."""
    try:
        question, points = read()
    except Unusable as reason:
        return Row(place, None, problem=str(reason))
    wrong = fault(question)
    return Row(place, None, points, wrong) if wrong else Row(place, question, points)


def blank(stem: str, gaps: Sequence[Sequence[str]]) -> Question:
    """A question with these gaps, for each of them first the answer, then what else is right.

    A stem without a gap gets one at its end; underlines count as gaps.

    Raises:
        Unusable: there are not as many answers as gaps.
    """
    if BLANK not in stem:
        stem = _GAP.sub(BLANK, stem)
    if BLANK not in stem and len(gaps) == 1:
        stem += BLANK
    if stem.count(BLANK) != len(gaps):
        raise Unusable(f"题干有 {stem.count(BLANK)} 个空，答案却有 {len(gaps)} 个")
    if not all(gaps):
        raise Unusable("有的空没有答案")
    accepted = tuple(tuple(dict.fromkeys(gap[1:])) for gap in gaps)
    return Question(
        Type.BLANK, stem, (), tuple(gap[0] for gap in gaps), accepted=accepted if any(accepted) else ()
    )


def matching(stem: str, pairs: Sequence[tuple[str, str]]) -> Question:
    """Prompts with what belongs to them; an option without a prompt belongs to none."""
    return Question(
        Type.MATCHING,
        stem,
        dealt(dict.fromkeys(option for _, option in pairs)),
        tuple(option for prompt, option in pairs if prompt),
        prompts=tuple(prompt for prompt, _ in pairs if prompt),
    )


def dealt(parts: Sequence[str] | dict[str, None]) -> tuple[str, ...]:
    """The parts in an order that follows from their texts alone, so that it says nothing of the key."""
    return tuple(sorted(parts, key=lambda part: derive_id("dealt", part)))


def redealt(sheet: Sheet) -> Sheet:
    """The sheet as formats give it back that hold no order of parts to be sorted or matched."""
    return replace(
        sheet, questions=tuple(replace(asked, question=_redealt(asked.question)) for asked in sheet.questions)
    )


def _redealt(question: Question) -> Question:
    if question.type is Type.TRUE_FALSE and set(question.options) == {TRUE, FALSE}:
        return question.with_options((TRUE, FALSE))
    if question.type in (Type.ORDERING, Type.MATCHING):
        return question.with_options(dealt(question.options))
    return question


def gathered(*reports: Iterable[Loss]) -> tuple[Loss, ...]:
    """The reports as one, with one line for each question."""
    found: dict[int, list[str]] = {}
    for loss in itertools.chain(*reports):
        found.setdefault(loss.number, []).append(loss.what)
    return tuple(Loss(number, "；".join(found[number])) for number in sorted(found))


def named(number: int, question: Question) -> str:
    """A short name for lists of questions."""
    line = re.sub(r"\s+", " ", question.stem.replace(BLANK, "__"))
    return f"{number:03d} {line[:40]}"

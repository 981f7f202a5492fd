"""A question as somebody is asked it, and what they may answer. Pure.

Options are shown in each person's own order. Answers travel as numbers of options in
that order and are kept as numbers in the question's own; so neither the page nor the
request says more than what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.errors import InvalidRequest
from quiz.model import Question, Type
from quiz.paper import Planned

Part = int | str | None
Answer = Sequence[Part]
"""What was answered, as it was shown. By type:

    single, true_false   at most one number of an option, from 0
    multiple             numbers of options
    ordering             numbers of options in the order chosen, each at most once
    matching             for each prompt the number of an option, or None
    blank                for each gap a text, "" if it is empty
    short                at most one text

An empty list is no answer.
"""
LONGEST_GAP = 200
LONGEST_TEXT = 4000
_CHOSEN = frozenset({Type.SINGLE, Type.TRUE_FALSE, Type.MULTIPLE, Type.ORDERING, Type.MATCHING})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked: nothing in it tells the key. `worth` are its points, `n_gaps` those of a blank.

    `answer` is what is saved, `change` that save's number, 0 where there is none.
    """

    position: int
    type: Type
    stem: str
    options: tuple[str, ...]
    prompts: tuple[str, ...]
    n_gaps: int
    worth: float
    answer: tuple[Part, ...]
    change: int


def asked(position: int, question: Question, planned: Planned, kept: Answer, change: int) -> Asked:
    """The question at a position with the answer that is kept."""
    shown = shown_as(question, planned)
    return Asked(
        position,
        question.type,
        question.stem,
        shown.options,
        question.prompts,
        len(question.answer) if question.type is Type.BLANK else 0,
        planned.points,
        as_shown(planned, question, kept),
        change,
    )


def shown_as(question: Question, planned: Planned) -> Question:
    """The question with its options in the order shown."""
    if not question.options:
        return question
    return question.with_options(tuple(question.options[i] for i in planned.options))


def as_shown(planned: Planned, question: Question, kept: Answer) -> tuple[Part, ...]:
    """A kept answer as it was given; what was chosen without order comes in the order shown, which tells nothing."""
    if question.type not in _CHOSEN:
        return tuple(kept)
    shown = [planned.options.index(part) if isinstance(part, int) else None for part in kept]
    return tuple(sorted(shown, key=_number) if question.type is Type.MULTIPLE else shown)


def as_kept(planned: Planned, question: Question, answer: Answer) -> list[Part]:
    """An answer as it is kept; what was chosen without order comes in the order of the question.

    Raises:
        InvalidRequest: no such answer can be given to this question.
    """
    if question.type in _CHOSEN:
        kept = _options(planned, question, answer)
        return sorted(kept, key=_number) if question.type is Type.MULTIPLE else kept
    most = len(question.answer) if question.type is Type.BLANK else 1
    longest = LONGEST_GAP if question.type is Type.BLANK else LONGEST_TEXT
    texts = [part for part in answer if isinstance(part, str) and len(part) <= longest]
    if len(texts) < len(answer) or len(answer) > most:
        raise InvalidRequest(
            "Cannot save this answer: too many texts, too long a text, or none.",
            f"Give up to {most} of up to {longest} characters.",
        )
    return list(texts)


def _options(planned: Planned, question: Question, answer: Answer) -> list[Part]:
    most = {Type.SINGLE: 1, Type.TRUE_FALSE: 1, Type.MATCHING: len(question.prompts)}
    n, matching = len(planned.options), question.type is Type.MATCHING
    numbers = [part for part in answer if part is not None or not matching]
    fits = all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part < n for part in numbers)
    if not fits or len(answer) > most.get(question.type, n):
        raise InvalidRequest(
            f"Cannot save this answer to a question with {n} options.", "Give numbers of options, from 0."
        )
    if not matching and len(set(numbers)) < len(numbers):
        raise InvalidRequest("Cannot save this answer: an option stands in it twice.", "Give each once.")
    return [planned.options[part] if isinstance(part, int) else None for part in answer]


def _number(part: Part) -> int:
    assert isinstance(part, int)
    return part


def texts_of(question: Question, kept: Answer) -> tuple[str, ...]:
    """A kept answer in texts, "" for what was left empty."""
    if question.type not in _CHOSEN:
        return tuple(str(part) for part in kept)
    return tuple(question.options[part] if isinstance(part, int) else "" for part in kept)

"""The nouns of questions: what is asked, what is right, and the clause that proves it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kb.errors import InvalidRequest
from kb.model import derive_id

BLANK = "（　　）"
"""How a gap stands in a stem, whatever the type; pages and formats may draw it otherwise."""
TRUE, FALSE = "正确", "错误"
"""The options of true or false."""


class Type(StrEnum):
    """How a question is answered."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"
    BLANK = "blank"
    SHORT = "short"
    ORDERING = "ordering"
    MATCHING = "matching"


TYPE_WORDS: Mapping[Type, str] = {
    Type.SINGLE: "单选题",
    Type.MULTIPLE: "多选题",
    Type.TRUE_FALSE: "判断题",
    Type.BLANK: "填空题",
    Type.SHORT: "简答题",
    Type.ORDERING: "排序题",
    Type.MATCHING: "配对题",
}
"""The types by name, for people and for files that name them."""


class State(StrEnum):
    """Where a question of the bank stands."""

    CANDIDATE = "candidate"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETIRED = "retired"


class Slot(StrEnum):
    """What kind of thing is asked for; distractors are of the same kind."""

    NUMBER = "number"
    RANGE = "range"
    DATE = "date"
    BODY = "body"
    MODALITY = "modality"
    TERM = "term"
    CONDITION = "condition"
    ACTION = "action"
    LIST = "list"
    DEFINITION = "definition"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Citation:
    """The span of the clause that a question was made from: `document.text[start:end] == quote`.

    `path` ends with the label of the clause. `anchor` leads to it on the document's page.
    """

    document_id: str
    title: str
    path: tuple[str, ...]
    quote: str
    start: int
    end: int
    clause_id: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a short answer must say; `weight` is its share, all together 1."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question, whole. What the fields hold depends on the type:

        type        options                 answer
        single      what to choose from     the one that is right
        multiple    what to choose from     those that are right, in the order of the options
        true_false  TRUE, FALSE             the one that is right
        blank       none                    what fills each gap of the stem, in their order
        short       none                    one text that answers fully; `points` are marked
        ordering    the parts, shuffled     the parts in their right order
        matching    what belongs to them    for each of `prompts`, the option that belongs to it

    Options and answers are texts: `set(answer) <= set(options)` where there are options.
    `accepted` lists for each gap what else is right. `places` are the spans of the cited
    document that are asked for. `slot` is their kind. `topics` name what it is about:
    the title of the document and the chapter, or what people wrote. `difficulty` runs from
    0, all get it right, to 1. `citation` is None only for what was brought in from elsewhere.
    """

    type: Type
    stem: str
    options: tuple[str, ...]
    answer: tuple[str, ...]
    explanation: str = ""
    citation: Citation | None = None
    difficulty: float = 0.5
    prompts: tuple[str, ...] = ()
    accepted: tuple[tuple[str, ...], ...] = ()
    points: tuple[Point, ...] = ()
    slot: Slot = Slot.OTHER
    places: tuple[tuple[int, int], ...] = ()
    topics: tuple[str, ...] = ()

    @property
    def question_id(self) -> str:
        """Derived from what is asked and what is right; the order of options does not matter.

        It tells the key to who knows stem and options: it never reaches a person who is being asked.
        """
        return derive_id(
            "question", self.type, self.stem, *sorted(self.options), "key", *self.answer, *self.prompts
        )

    @property
    def letters(self) -> str:
        """The key as letters of the options: "B", "ACD", for ordering "CAB"; "" without options.

        >>> Question(Type.MULTIPLE, "选", ("甲", "乙", "丙"), ("甲", "丙")).letters
        'AC'
        """
        return "".join(chr(ord("A") + self.options.index(text)) for text in self.answer if self.options)

    def with_options(self, options: tuple[str, ...]) -> "Question":
        """The same with its options in another order; a multiple choice's key keeps to that order."""
        answer = self.answer
        if self.type is Type.MULTIPLE:
            answer = tuple(o for o in options if o in set(answer))
        return replace(self, options=options, answer=answer)


@dataclass(frozen=True, slots=True)
class SheetQuestion:
    """A question in its place on a sheet, and what it is worth."""

    question: Question
    points: float = 1.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """What goes out to be printed or into another system: questions in their order under a title.

    `note` stands under the title, such as the time allowed. `form` names one of several equal forms.
    """

    title: str
    questions: tuple[SheetQuestion, ...]
    note: str = ""
    form: str = ""


def question_json(question: Question) -> dict[str, Any]:
    """The question as it is stored and as HTTP and the command line give it.

    `answer` is one string for single choice and true or false, a list for all others.
    """
    citation = question.citation
    one = question.type in (Type.SINGLE, Type.TRUE_FALSE) and len(question.answer) == 1
    return {
        "question_id": question.question_id,
        "type": question.type.value,
        "stem": question.stem,
        "options": list(question.options),
        "answer": question.answer[0] if one else list(question.answer),
        "explanation": question.explanation,
        "citation": None
        if citation is None
        else {
            "document_id": citation.document_id,
            "title": citation.title,
            "path": list(citation.path),
            "quote": citation.quote,
            "start": citation.start,
            "end": citation.end,
            "clause_id": citation.clause_id,
            "anchor": citation.anchor,
        },
        "difficulty": round(question.difficulty, 3),
        "prompts": list(question.prompts),
        "accepted": [list(a) for a in question.accepted],
        "points": [{"text": p.text, "weight": p.weight} for p in question.points],
        "slot": question.slot.value,
        "places": [list(p) for p in question.places],
        "topics": list(question.topics),
    }


def question_of(body: Mapping[str, Any]) -> Question:
    """The question that `question_json` gave; what is not there takes its default.

    Raises:
        InvalidRequest: a field is missing or of another type.
    """
    try:
        cited = body.get("citation")
        answer = body["answer"]
        return Question(
            Type(body["type"]),
            str(body["stem"]),
            tuple(map(str, body.get("options", ()))),
            (answer,) if isinstance(answer, str) else tuple(map(str, answer)),
            str(body.get("explanation", "")),
            None
            if cited is None
            else Citation(
                str(cited["document_id"]),
                str(cited["title"]),
                tuple(map(str, cited["path"])),
                str(cited["quote"]),
                int(cited["start"]),
                int(cited["end"]),
                str(cited.get("clause_id", "")),
                str(cited.get("anchor", "")),
            ),
            float(body.get("difficulty", 0.5)),
            tuple(map(str, body.get("prompts", ()))),
            tuple(tuple(map(str, a)) for a in body.get("accepted", ())),
            tuple(Point(str(p["text"]), float(p["weight"])) for p in body.get("points", ())),
            Slot(body.get("slot", Slot.OTHER)),
            tuple((int(s), int(e)) for s, e in body.get("places", ())),
            tuple(map(str, body.get("topics", ()))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(
            f"Cannot read this question: {error!r}.", "Give the fields that `gongxue quiz generate` gives."
        ) from error

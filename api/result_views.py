"""What the pages of results show, worked out: remarks on a question, how its options drew, marks in points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.plots import WEAK, Measured
from api.quiz_words import letter
from quiz.attempt import ToMark
from quiz.model import Question, Type
from quiz.results import FormResult
from quiz.statistics import FormStatistics, ItemStatistics, OptionStatistics

STATE_WORDS: Mapping[str, str] = {
    "not_begun": "未开始",
    "open": "作答中",
    "submitted": "待评阅",
    "marked": "已评完",
}
"""Where a person's latest sitting stands."""
_EASY, _HARD = 0.95, 0.2


@dataclass(frozen=True, slots=True)
class OptionView:
    """An option with how it drew. `name` is its letter, or for true or false the option itself."""

    name: str
    text: str
    right: bool
    suspected: bool
    drew: OptionStatistics


@dataclass(frozen=True, slots=True)
class ItemView:
    """A question of a form by its number. `remarks` are what to look at, the gravest first."""

    number: int
    question_id: str
    question: Question
    item: ItemStatistics
    options: tuple[OptionView, ...]
    remarks: tuple[str, ...]

    @property
    def sign(self) -> str:
        """How the picture marks it; see `api.plots.Dot`."""
        if self.item.suspects:
            return "wrong"
        return "weak" if (self.item.discrimination or 0.0) < WEAK else ""


def item_views(form: FormResult, statistics: FormStatistics) -> tuple[ItemView, ...]:
    """The questions of a form with their statistics."""
    found = []
    rows = zip(form.question_ids, form.questions, statistics.items, strict=True)
    for number, (question_id, question, item) in enumerate(rows, 1):
        options = tuple(
            OptionView(_name(question, n), text, text in question.answer, n in item.suspects, drew)
            for n, (text, drew) in enumerate(zip(question.options, item.options, strict=False))
        )
        found.append(
            ItemView(number, question_id, question, item, options, _remarks(question, item, options))
        )
    return tuple(found)


def dots(views: Sequence[ItemView]) -> list[Measured]:
    """The questions that have a discrimination, for the picture."""
    return [
        Measured(v.number, v.item.facility, v.item.discrimination, v.sign)
        for v in views
        if v.item.discrimination is not None
    ]


def _name(question: Question, n: int) -> str:
    return question.options[n] if question.type is Type.TRUE_FALSE else letter(n)


def _remarks(question: Question, item: ItemStatistics, options: Sequence[OptionView]) -> tuple[str, ...]:
    found = []
    drawn = [o.name for o in options if o.suspected and not o.right]
    left = [o.name for o in options if o.suspected and o.right]
    key = "".join(o.name for o in options if o.right)
    if drawn:
        found.append(f"总分高的人多选 {'、'.join(drawn)}，答案是 {key}：答案可能有误，请对照原文核对。")
    if left:
        found.append(f"总分高的人不选 {'、'.join(left)}，它却在答案里：答案可能有误，请对照原文核对。")
    if item.discrimination is None:
        found.append("人人得分相同，看不出区分度。")
    elif item.discrimination < 0:
        found.append("区分度为负：总分高的人反而容易答错，请核对题意。")
    elif item.discrimination < WEAK:
        found.append("区分度低：会的和不会的差不多。")
    if item.facility > _EASY:
        found.append("过易。")
    elif item.facility < _HARD:
        found.append("过难。")
    idle = [o.name for o in options if not o.right and not o.drew.n]
    if idle and question.type is not Type.TRUE_FALSE:
        found.append(f"没有人选 {'、'.join(idle)}。")
    return tuple(found)


def alpha_words(alpha: float) -> str:
    """What a reliability means for those who use the scores.

    >>> alpha_words(0.85)
    '分数可靠，可以用来比较高低。'
    """
    alpha = round(alpha, 2)
    if alpha >= 0.8:
        return "分数可靠，可以用来比较高低。"
    if alpha >= 0.6:
        return "分数大致可靠，相差不多的人不宜分高低。"
    return "分数不太可靠：题目可能太少，或考的内容太散。不宜据此比较高低。"


@dataclass(frozen=True, slots=True)
class MarkView:
    """An answer that waits, under the name of its field; `points` are proposed."""

    field: str
    waiting: ToMark
    points: str


def mark_views(waiting: Sequence[ToMark], most: int) -> tuple[MarkView, ...]:
    """The first answers to the question that comes first, so that they are held to one measure."""
    first = [w for w in waiting if w.question == waiting[0].question][:most]
    return tuple(MarkView(field_of(w), w, f"{w.proposed * w.worth:.4g}") for w in first)


def field_of(waiting: ToMark) -> str:
    """The field in which an answer is given its points."""
    return f"{waiting.attempt_id}-{waiting.position}"


def share_of(points: str, worth: float) -> float | None:
    """The share of `worth` that points as they were typed are; None if they make no sense.

    >>> share_of("１.５", 2), share_of("3", 2), share_of("好", 2)
    (0.75, None, None)
    """
    try:
        share = float(points) / worth
    except (ValueError, ZeroDivisionError):
        return None
    return share if 0 <= share <= 1 else None

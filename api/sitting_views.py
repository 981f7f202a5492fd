"""What the pages of who is asked show, worked out of exams, attempts and results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from api.question_views import clause_href, excerpted
from quiz.asking import Asked, asked
from quiz.attempt import Outcome
from quiz.exam import ExamCard, Phase, Retake, Tried
from quiz.model import BLANK, Citation, Question, Type
from quiz.papers import Place

# -- exams -----------------------------------------------------------------------------


def can_do(card: ExamCard) -> bool:
    """Whether one can begin, or go on with, the exam."""
    return card.phase is Phase.OPEN and card.may_begin


def to_come(card: ExamCard) -> bool:
    """Whether the exam opens later."""
    return card.phase is Phase.COMING


def has_done(cards: Iterable[ExamCard]) -> list[tuple[ExamCard, Tried]]:
    """Every sitting that is over with its exam, the last first."""
    done = [(card, tried) for card in cards for tried in card.tried if tried.state != "open"]
    return sorted(done, key=lambda pair: pair[1].began_at, reverse=True)


def tries_words(card: ExamCard) -> str:
    """How often one may still sit it."""
    most, used = card.rules.n_attempts, len(card.tried)
    if card.rules.retake is Retake.NEVER or most == 1:
        return "只能作答 1 次"
    if card.rules.retake is Retake.FAILED:
        return "没有及格可以重做" + (f"，最多作答 {most} 次" if most else "")
    return f"最多作答 {most} 次，还剩 {max(most - used, 0)} 次" if most else "可以反复作答"


def closed_words(card: ExamCard) -> str:
    """Why one cannot begin it, when it is open."""
    if not card.tried:
        return "这场测验不是发给您的。"
    passed = card.tried[-1].passed
    if card.rules.retake is Retake.FAILED and passed is not False:
        return "您已经及格，不用再做。" if passed else "成绩出来以前不能再做。"
    return "您的作答次数已经用完。"


def left_words(seconds: int) -> str:
    """How much time is left, as the page's script says it.

    >>> left_words(90), left_words(3725), left_words(200_000)
    ('还剩 1:30', '还剩 1:02:05', '还剩 2 天')
    """
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours >= 24:
        return f"还剩 {hours // 24} 天"
    return f"还剩 {f'{hours}:{minutes:02}' if hours else minutes}:{rest:02}"


# -- sitting ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A part to be put in order; `place` is the place chosen for it, from 1, or ""."""

    option: int
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class AskedView:
    """A question with what its form shows. `parts` are what stands around the gaps of its stem."""

    asked: Asked
    parts: tuple[str, ...]
    rows: tuple[Row, ...]
    answered: bool

    def placed(self, places: Sequence[str]) -> "AskedView":
        """The same with the places as they were typed."""
        typed = zip(self.rows, places, strict=False)
        return replace(self, rows=tuple(replace(row, place=place) for row, place in typed))


def asked_views(questions: Sequence[Asked]) -> list[AskedView]:
    """Questions as they are shown; those partly answered are not answered."""
    return [AskedView(one, _parts(one), _rows(one), _is_answered(one)) for one in questions]


def _parts(one: Asked) -> tuple[str, ...]:
    if one.type is not Type.BLANK:
        return ()
    parts = one.stem.split(BLANK)
    # Gaps that the stem does not show stand at its end.
    return tuple(parts) if len(parts) == one.n_gaps + 1 else (one.stem, *[""] * one.n_gaps)


def _rows(one: Asked) -> tuple[Row, ...]:
    if one.type is not Type.ORDERING:
        return ()
    chosen = [n for n in one.answer if isinstance(n, int)]
    left = [n for n in range(len(one.options)) if n not in chosen]
    placed = [Row(n, one.options[n], str(i)) for i, n in enumerate(chosen, 1)]
    return (*placed, *(Row(n, one.options[n], "") for n in left))


def _is_answered(one: Asked) -> bool:
    if one.type is Type.ORDERING and len(one.answer) < len(one.options):
        return False
    return bool(one.answer) and all(part is not None and str(part).strip() for part in one.answer)


@dataclass(frozen=True, slots=True)
class Try:
    """A question as a person would have it, with its key for the trainer; `href` leads to the clause."""

    view: AskedView
    question: Question
    href: str


def tries(places: Iterable[Place]) -> list[Try]:
    """The questions of a form that are not gone, as they would be asked."""
    found = []
    for place in places:
        if place.kept and place.question:
            whole = place.kept.question
            view = asked_views([asked(place.position, whole, place.planned, (), 0)])[0]
            cited = place.question.citation
            found.append(Try(view, place.question, clause_href(cited) if cited else ""))
    return found


# -- what came of it ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What came of one question. `kind` is right, partly, wrong, due or gone, `words` says it."""

    n: int
    outcome: Outcome
    kind: str
    words: str
    quote: Markup | None
    href: str
    where: str

    @property
    def explanation(self) -> str:
        """What is explained beyond the clause itself, which stands below."""
        question = self.outcome.question
        if question is None:
            return ""
        said = "".join(question.citation.quote.split()) if question.citation else ""
        before, named, after = question.explanation.partition("依据《")
        return before if named and said and after.endswith(said) else question.explanation

    @property
    def missed(self) -> bool:
        """Whether there is something to look up."""
        return self.kind in ("partly", "wrong")


def outcome_views(outcomes: Sequence[Outcome]) -> list[OutcomeView]:
    """Each question with its verdict, and the quotation that proves it."""
    return [_outcome_view(n, outcome) for n, outcome in enumerate(outcomes, 1)]


def _outcome_view(n: int, outcome: Outcome) -> OutcomeView:
    question = outcome.question
    cited = question.citation if question else None
    return OutcomeView(
        n,
        outcome,
        *_verdict(outcome),
        excerpted(question) if question else None,
        clause_href(cited) if cited else "",
        _where(cited) if cited else "",
    )


def _verdict(outcome: Outcome) -> tuple[str, str]:
    if outcome.question is None:
        return "gone", "已撤下"
    if outcome.share is None:
        return "due", "等培训员确认"
    if outcome.share >= 1:
        return "right", "答对"
    if outcome.share > 0:
        return "partly", "部分答对"
    return "wrong", "答错" if any(text.strip() for text in outcome.given) else "没有作答"


def _where(cited: Citation) -> str:
    return "　".join(step for step in cited.path if step != cited.title)


@dataclass(frozen=True, slots=True)
class ToRead:
    """A document with the clauses to read in it, as (where it stands, address), each once."""

    document_id: str
    title: str
    clauses: tuple[tuple[str, str], ...]


def reading_list(views: Iterable[OutcomeView]) -> list[ToRead]:
    """The clauses behind what was not answered right, by document, in the order of the questions."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for view in views:
        cited = view.outcome.question.citation if view.outcome.question else None
        if cited and view.missed:
            _, clauses = found.setdefault(cited.document_id, (cited.title, {}))
            clauses.setdefault(view.href, view.where or cited.title)
    return [
        ToRead(document_id, title, tuple((where, href) for href, where in clauses.items()))
        for document_id, (title, clauses) in found.items()
    ]

"""Banks, papers, exams and attempts of a random world: a plain model of who is told what of them.

The model is written from DESIGN sections 7 and 8 and shares no code with `quiz`. Every piece of a question, the
title of every paper and exam and the words of every attempt are spelled with characters of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from tests.integration.access_worlds import (
    ADMINISTRATOR,
    OF_QUIZZES,
    TRAINER,
    Audience,
    Text,
    World,
    branch_name,
    canary,
    rare_in,
    text,
)

MOST_VERSIONS, MOST_PAPERS, MOST_EXAMS, MOST_ATTEMPTS = 12, 5, 6, 10
PIECES = 10
_OF_PAPERS = OF_QUIZZES + PIECES * MOST_VERSIONS
_OF_EXAMS, _OF_ANSWERS = _OF_PAPERS + 10, _OF_PAPERS + 20


def piece(version: int, n: int) -> str:
    """The n-th piece of a version of a question: 0 its stem, 1 to 4 options, 5 to 9 what tells the key."""
    return canary(OF_QUIZZES + PIECES * version + n, 1)


def paper_title(n: int) -> str:
    """The title of the n-th paper."""
    return canary(_OF_PAPERS + n, 1) + "卷"


def exam_title(n: int) -> str:
    """The title of the n-th exam."""
    return canary(_OF_EXAMS + n, 1) + "测验"


def words_of(n: int) -> str:
    """What is written into the n-th attempt."""
    return canary(_OF_ANSWERS + n, 1)


@dataclass(frozen=True)
class Version:
    """A version of a question: what it cites, what is shown to who is asked it, and all of it."""

    document_id: str
    shown: frozenset[str]
    whole: frozenset[str]


@dataclass
class Banked:
    """A question of a branch, with its versions from 1 on."""

    branch_id: str
    versions: list[Version]


@dataclass(frozen=True)
class Paper:
    """A paper of a branch with the versions that it holds; none where it is drawn for each person."""

    n: int
    branch_id: str
    holds: tuple[Version, ...]


@dataclass
class Exam:
    """A paper that was given out; it closes in the morning of a day."""

    n: int
    paper_id: str
    branch_id: str
    audiences: tuple[Audience, ...]
    closes: date
    at_once: bool
    limited: bool


@dataclass
class Attempt:
    """What somebody sat. `branch_id` is the branch as whose member; `handed_in` until then it may be open."""

    n: int
    exam_id: str
    person_id: str
    branch_id: str | None
    plan: tuple[Version, ...]
    began: date
    handed_in: bool = False


@dataclass
class Quizzes:
    """Everything that is asked in a world, by id, and who is told of it.

    `asks` below is whose right to make questions and to see results the asker has, `sees` whose scope; None is
    nobody's.
    """

    world: World
    questions: dict[str, Banked] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    exams: dict[str, Exam] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)

    @property
    def n_versions(self) -> int:
        """Versions of questions that were ever made."""
        return sum(len(q.versions) for q in self.questions.values())

    # -- rights

    def has(self, asks: str | None, branch_id: str, *wanted: str) -> bool:
        """Whether the person has one of the roles in the branch itself, which is in use."""
        if asks is None or branch_id not in self.world.homes(asks):
            return False
        person = self.world.people[asks]
        return person.active and person.settled and bool(person.roles[branch_id] & set(wanted))

    def may_ask(self, asks: str | None, branch_id: str) -> bool:
        """Whether the person makes questions for the branch."""
        return self.has(asks, branch_id, TRAINER, ADMINISTRATOR)

    def given(self, sees: str | None, exam_id: str) -> bool:
        """Whether the exam reaches the person."""
        if sees is None or not self.world.people[sees].settled:
            return False
        homes = self.world.homes(sees)
        return any(self.world.reaches(a, homes, sees) for a in self.exams[exam_id].audiences)

    def told_results(self, asks: str | None, exam_id: str) -> bool:
        """Whether people of a branch that the person trains were to sit it, or did."""
        exam, world = self.exams[exam_id], self.world
        for branch_id in world.homes(asks) if asks else ():
            if not self.has(asks, branch_id, TRAINER):
                continue
            members = [p for p, found in world.people.items() if found.active and branch_id in found.roles]
            if any(world.reaches(a, [branch_id], p) for a in exam.audiences for p in members):
                return True
            if any(s.branch_id == branch_id for s in self.attempts.values() if s.exam_id == exam_id):
                return True
        return False

    # -- what is there for somebody

    def bank(self, asks: str | None, sees: str | None, branch_id: str) -> set[str]:
        """Questions of a branch that the person finds in its bank."""
        if not self.may_ask(asks, branch_id):
            return set()
        return {
            q
            for q, found in self.questions.items()
            if found.branch_id == branch_id and self.world.sees(sees, found.versions[-1].document_id)
        }

    def is_over(self, attempt_id: str) -> bool:
        """Whether nothing can be saved in the attempt any more."""
        found = self.attempts[attempt_id]
        exam = self.exams[found.exam_id]
        late = exam.limited and self.world.today > found.began
        return found.handed_in or late or self.world.today >= exam.closes

    def is_revealed(self, attempt_id: str) -> bool:
        """Whether what came of the attempt may be shown."""
        exam = self.exams[self.attempts[attempt_id].exam_id]
        return self.is_over(attempt_id) and (exam.at_once or self.world.today >= exam.closes)

    def own(self, sees: str | None) -> set[str]:
        """Attempts that are the person's to see."""
        return {
            a
            for a, found in self.attempts.items()
            if found.person_id == sees and self.given(sees, found.exam_id)
        }

    def asked(self, sees: str | None, attempt_id: str) -> list[Version]:
        """What the attempt asks the person, of what they see."""
        return [v for v in self.attempts[attempt_id].plan if self.world.sees(sees, v.document_id)]

    def hidden(self, asks: str | None, sees: str | None) -> dict[str, list[str]]:
        """Ids of what is not there for the asker, by what they are called in addresses."""
        exams = {
            e
            for e, found in self.exams.items()
            if not (self.given(sees, e) or self.may_ask(asks, found.branch_id) or self.told_results(asks, e))
        }
        mine = self.own(sees)
        return {
            "question_id": [
                q for q, found in self.questions.items() if q not in self.bank(asks, sees, found.branch_id)
            ],
            "paper_id": [p for p, found in self.papers.items() if not self.may_ask(asks, found.branch_id)],
            "exam_id": [*exams],
            "attempt_id": [
                a
                for a, found in self.attempts.items()
                if a not in mine and not self.may_ask(asks, self.exams[found.exam_id].branch_id)
            ],
        }

    def told_ids(self, asks: str | None, sees: str | None) -> set[str]:
        """Ids of what is hidden that the asker is told all the same.

        An exam names its paper. A paper holds versions whose question has come to cite something else since.
        """
        hidden = set(self.hidden(asks, sees)["exam_id"])
        return {e.paper_id for exam_id, e in self.exams.items() if exam_id not in hidden} | {
            q
            for q, found in self.questions.items()
            if self.may_ask(asks, found.branch_id)
            and any(self.world.sees(sees, v.document_id) for v in found.versions)
        }

    # -- which characters come out

    def canaries(self, knows: str | None, asks: str | None, sees: str | None) -> frozenset[str]:
        """Every character that may come out somewhere, for the asker."""
        return frozenset().union(*self._told(knows, asks, sees))

    def _told(self, knows: str | None, asks: str | None, sees: str | None) -> Iterator[frozenset[str]]:
        world = self.world
        for found in self.questions.values():
            if self.may_ask(asks, found.branch_id):
                yield from (v.whole for v in found.versions if world.sees(sees, v.document_id))
        for paper in self.papers.values():
            if self.may_ask(asks, paper.branch_id):
                yield rare_in(paper_title(paper.n))
        for exam_id, exam in self.exams.items():
            gave = self.may_ask(asks, exam.branch_id)
            if gave or self.given(sees, exam_id) or self.told_results(asks, exam_id):
                yield rare_in(exam_title(exam.n))
            if gave:
                # Those who gave it out are told to whom, and as whose members people sat it.
                sat = {s.branch_id for s in self.attempts.values() if s.exam_id == exam_id}
                met = sat | {b for a in exam.audiences for b in a[1:]}
                yield from (rare_in(branch_name(world.branches[b].n)) for b in met if b in world.branches)
        for attempt_id, attempt in self.attempts.items():
            if attempt.person_id == knows:
                yield rare_in(words_of(attempt.n))
            if attempt_id in self.own(sees):
                shown = self.is_revealed(attempt_id)
                yield from (v.whole if shown else v.shown for v in self.asked(sees, attempt_id))
            gave = self.may_ask(asks, self.exams[attempt.exam_id].branch_id)
            if gave and self.is_over(attempt_id):
                # Answers in words are there to be marked, without whose they are.
                asked = self.asked(sees, attempt_id)
                yield from (v.whole for v in asked)
                if asked:
                    yield rare_in(words_of(attempt.n))

    def keys(self, attempt_id: str) -> frozenset[str]:
        """Characters from which a key of the attempt would follow."""
        plan = self.attempts[attempt_id].plan
        told = frozenset().union(*(v.shown for v in plan))
        of_texts = frozenset().union(*(self._text(v).canaries for v in plan))
        return (frozenset().union(*(v.whole for v in plan)) | of_texts) - told

    def _text(self, version: Version) -> Text:
        held = {**self.world.documents, **self.world.gone}[version.document_id]
        return text(held.slot)

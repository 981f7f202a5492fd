"""Cases of a random world and what came of them: a plain model of who is told what of them.

The model is written from DESIGN section 7 and shares no code with `cases`. What is published is a document of the
world. Everything else that somebody writes (a save of a form, a caption, a note, feedback, a question, an answer,
a ballot) is spelled with a character of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.integration.access_worlds import (
    EDITORS,
    N_SLOTS,
    OF_CASES,
    SHARERS,
    Audience,
    World,
    branch_name,
    canary,
    rare_in,
)

MOST_CASES, MOST_QUESTIONS, MOST_BALLOTS, MOST_FILES, MOST_ANSWERS = 7, 4, 3, 8, 8
IDS = ("case_id", "attachment_id", "adoption_id", "feedback_id", "question_id", "answer_id", "ballot_id")
"""What the ids of this part are called in addresses."""


@dataclass
class File:
    """A file of a case: characters of its name and bytes, and of its caption; `published` by document."""

    said: str
    caption: str
    present: bool = True
    published: dict[str, str] = field(default_factory=dict)


@dataclass
class Form:
    """A case. `written` is all that ever stood in its form or was noted on it; editions are its documents, newest last."""

    branch_id: str
    derived_from: str | None = None
    written: str = ""
    files: dict[str, File] = field(default_factory=dict)
    editions: list[str] = field(default_factory=list)


@dataclass
class Adopted:
    """A branch that took a case over; a note for each step."""

    case_id: str
    branch_id: str
    open: bool
    notes: str = ""


@dataclass
class Feedback:
    """What a branch said of a case."""

    case_id: str
    branch_id: str
    open: bool
    said: str


@dataclass
class Answer:
    """An answer for a branch: words, a case, or both."""

    branch_id: str
    said: str
    case_id: str | None


@dataclass
class Asked:
    """A question of a branch."""

    branch_id: str
    audiences: tuple[Audience, ...]
    said: str
    answers: dict[str, Answer] = field(default_factory=dict)
    is_closed: bool = False


@dataclass
class Called:
    """A ballot of a branch."""

    branch_id: str
    audiences: tuple[Audience, ...]
    said: str
    nominated: list[str] = field(default_factory=list)
    is_over: bool = False


@dataclass
class Cases:
    """All cases of a world and what came of them, by id.

    `asks` below is whose right to write cases and to speak for branches the asker has, `sees` whose scope.
    """

    world: World
    forms: dict[str, Form] = field(default_factory=dict)
    adoptions: dict[str, Adopted] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    questions: dict[str, Asked] = field(default_factory=dict)
    ballots: dict[str, Called] = field(default_factory=dict)
    n_words: int = 0
    n_published: int = 0

    def word(self) -> str:
        """A character that nothing was spelled with yet."""
        self.n_words += 1
        return canary(OF_CASES + self.n_words - 1, 1)

    @property
    def slots(self) -> range:
        """The slots of what was published."""
        return range(N_SLOTS, N_SLOTS + self.n_published)

    # -- rights

    def _has(self, asks: str | None, branch_id: str, wanted: frozenset[str]) -> bool:
        if asks is None or branch_id not in self.world.homes(asks):
            return False
        person = self.world.people[asks]
        return person.active and person.settled and bool(person.roles[branch_id] & wanted)

    def writes(self, asks: str | None, branch_id: str) -> bool:
        """Whether the person writes cases for the branch."""
        return self._has(asks, branch_id, EDITORS)

    def speaks(self, asks: str | None, branch_id: str) -> bool:
        """Whether the person reviews cases and speaks for the branch."""
        return self._has(asks, branch_id, SHARERS)

    def homes(self, sees: str | None) -> set[str]:
        """Branches whose own doings the person is told of."""
        return self.world.homes(sees) if sees is not None and self._signed_in(sees) else set()

    # -- what is there for somebody

    def edition(self, case_id: str) -> str | None:
        """The document that is published of the case now, if one is."""
        here = [d for d in self.forms[case_id].editions if d in self.world.documents]
        return here[-1] if here else None

    def sees(self, sees: str | None, case_id: str) -> bool:
        """Whether the person, or a guest, sees the case."""
        document_id = self.edition(case_id)
        return document_id is not None and self.world.sees(sees, document_id)

    def told_outcome(self, asks: str | None, sees: str | None, of: Adopted | Feedback) -> bool:
        """Whether the person is told, with the case, what a branch did with it or said of it."""
        return self.sees(sees, of.case_id) and (
            of.open or of.branch_id in self.homes(sees) or self.writes(asks, self.forms[of.case_id].branch_id)
        )

    def given(self, sees: str | None, of: Asked | Called) -> bool:
        """Whether a question or a ballot reaches the person."""
        homes = self.homes(sees)
        return self._signed_in(sees) and any(self.world.reaches(a, homes, sees) for a in of.audiences)

    def _signed_in(self, sees: str | None) -> bool:
        return sees is not None and self.world.people[sees].active and self.world.people[sees].settled

    def answers(self, sees: str | None, question_id: str) -> dict[str, Answer]:
        """The answers to a question that is given to the person, of those that are there for them."""
        return {
            a: found
            for a, found in self.questions[question_id].answers.items()
            if found.said or (found.case_id and self.sees(sees, found.case_id))
        }

    def files(self, asks: str | None, sees: str | None, case_id: str) -> Iterator[tuple[str, str]]:
        """Files of a case that the person may open, with everything that is told of them."""
        form = self.forms[case_id]
        edition = self.edition(case_id) if self.sees(sees, case_id) else None
        for file_id, found in form.files.items():
            told = ""
            if found.present and self.writes(asks, form.branch_id):
                told += found.said + found.caption
            if edition in found.published:
                told += found.said + found.published[edition]
            if told:
                yield file_id, told

    def hidden(self, asks: str | None, sees: str | None) -> dict[str, list[str]]:
        """Ids of what is not there for the asker, by what they are called in addresses."""
        homes = self.homes(sees)
        files = {f for c in self.forms for f, _ in self.files(asks, sees, c)}
        given = [q for q, found in self.questions.items() if self.given(sees, found)]
        answers = {a for q in given for a in self.answers(sees, q)}
        return {
            "case_id": [
                c
                for c, form in self.forms.items()
                if not self.sees(sees, c) and not self.writes(asks, form.branch_id)
            ],
            "attachment_id": [f for form in self.forms.values() for f in form.files if f not in files],
            "adoption_id": [
                a
                for a, found in self.adoptions.items()
                if not self.told_outcome(asks, sees, found) and found.branch_id not in homes
            ],
            # What a branch did and said itself it may take back, also where it does not see the case any more.
            "feedback_id": [
                f
                for f, found in self.feedback.items()
                if not self.told_outcome(asks, sees, found) and found.branch_id not in homes
            ],
            "question_id": [q for q in self.questions if q not in given],
            "answer_id": [a for found in self.questions.values() for a in found.answers if a not in answers],
            "ballot_id": [b for b, found in self.ballots.items() if not self.given(sees, found)],
        }

    def unwritten(self, asks: str | None) -> list[str]:
        """Cases that the person does not write: of their forms nothing is there for them."""
        return [c for c, form in self.forms.items() if not self.writes(asks, form.branch_id)]

    def unread(self, sees: str | None) -> list[str]:
        """Cases of which nothing is published for the person."""
        return [c for c in self.forms if not self.sees(sees, c)]

    # -- which characters come out

    def canaries(self, asks: str | None, sees: str | None) -> frozenset[str]:
        """Every character of this part that may come out somewhere, for the asker."""
        return rare_in("".join(self._told(asks, sees)))

    def _told(self, asks: str | None, sees: str | None) -> Iterator[str]:
        homes = self.homes(sees)
        for case_id, form in self.forms.items():
            if self.writes(asks, form.branch_id):
                yield form.written
            if self.sees(sees, case_id):
                # Who shared a case is told to whoever sees it.
                yield self._name(form.branch_id)
            yield from (told for _, told in self.files(asks, sees, case_id))
        for adopted in self.adoptions.values():
            told = self.told_outcome(asks, sees, adopted)
            own = adopted.branch_id in homes
            if told:
                yield self._name(adopted.branch_id) + adopted.notes[-1:]
            every = own or self.writes(asks, self.forms[adopted.case_id].branch_id)
            if (told and every) or (own and self.speaks(asks, adopted.branch_id)):
                yield adopted.notes
        for said in self.feedback.values():
            if self.told_outcome(asks, sees, said):
                yield self._name(said.branch_id) + said.said
        for question_id, asked in self.questions.items():
            if self.given(sees, asked):
                yield self._name(asked.branch_id) + asked.said
                answers = self.answers(sees, question_id).values()
                yield from (self._name(a.branch_id) + a.said for a in answers)
        for ballot in self.ballots.values():
            if self.given(sees, ballot):
                yield self._name(ballot.branch_id) + ballot.said

    def _name(self, branch_id: str) -> str:
        return branch_name(self.world.branches[branch_id].n)

"""What a bank holds already of the questions that are handed in, and the ids of those that are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from kb.model import derive_id
from quiz.duplicates import sameness, stem_key
from quiz.kept import Kept, kept_of
from quiz.model import Question, State
from quiz.tables import questions
from quiz.versions import in_parts, latest
from quiz.visibility import seen


@dataclass(slots=True)
class Stock:
    """Questions of a bank by what they ask; and ids that are taken, with whether the asker sees by what."""

    same: dict[tuple[str, ...], Kept]
    taken: dict[str, bool]

    def free_id(self, branch_id: str, question: Question) -> str | None:
        """The id for a question that is new; None if it was here already, and was edited since.

        Where something that the asker does not see has the id, there is another one: they are told nothing.
        """
        for question_id in _ids(branch_id, question):
            if question_id not in self.taken:
                return question_id
            if self.taken[question_id]:
                break
        return None


def stock_of(
    connection: Connection, branch_id: str, scope: frozenset[str], today: date, wanted: Sequence[Question]
) -> Stock:
    """What the branch has already of the questions wanted, as far as the scope sees it."""
    q = questions.c
    mine = latest(today).where(q.branch_id == branch_id, seen(q.document_id, scope))
    same = [
        kept_of(row)
        for keys in in_parts(sorted({stem_key(w.stem) for w in wanted}))
        for row in connection.execute(mine.where(q.stem_key.in_(keys)))
    ]
    taken = {
        row.question_id: row.seen
        for ids in in_parts([i for w in wanted for i in _ids(branch_id, w)])
        for row in connection.execute(
            select(q.question_id, seen(q.document_id, scope).label("seen")).where(q.question_id.in_(ids))
        )
    }
    # Where there are several, what stands goes before what is stale.
    same.sort(key=lambda kept: not kept.stale)
    return Stock({sameness(kept.question): kept for kept in same}, taken)


def distinct(new: Sequence[Question]) -> dict[tuple[str, ...], Question]:
    """The questions by what they ask; of those that ask the same, the first."""
    found: dict[tuple[str, ...], Question] = {}
    for question in new:
        found.setdefault(sameness(question), question)
    return found


def moves(kept: Kept, question: Question) -> bool:
    """Whether the question, the same as one that is kept, brings it to another document since its own has ended."""
    old, new = kept.question.citation, question.citation
    return (
        kept.stale
        and kept.state is not State.RETIRED
        and old is not None
        and new is not None
        and old.document_id != new.document_id
    )


def _ids(branch_id: str, question: Question) -> tuple[str, str]:
    """The id that a new question takes, and the one where the first is taken out of sight."""
    first = derive_id("banked", branch_id, question.question_id)
    return first, derive_id(first, question.citation.document_id if question.citation else "")

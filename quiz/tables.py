"""The relational schema of questions, papers and attempts. Migration 0003 builds exactly this.

What people are asked is kept as it was asked: a version of a question never changes,
and an attempt remembers which versions it held. No table refers to `documents`, since
what was asked outlives a document; who may still see it is asked of the catalog.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from store.tables import metadata

questions = Table(
    "questions",
    metadata,
    Column("question_id", String(16), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("slot", String(16), nullable=False),
    Column("difficulty", Float, nullable=False),
    Column("stem_key", Text, nullable=False),
    Column("document_id", String(16)),
    Column("clause_id", String(16)),
    Column("topics", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("added_by", String(16)),
    Column("added_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_questions_branch_id", "branch_id", "state"),
    Index("ix_questions_document_id", "document_id"),
    Index("ix_questions_stem_key", "stem_key"),
)
"""`note` says why it stands as it does: the reason of a rejection, or that its document was superseded."""

question_versions = Table(
    "question_versions",
    metadata,
    Column("question_id", ForeignKey("questions.question_id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("document_id", String(16)),
    Column("made_by", String(16)),
    Column("made_at", DateTime, nullable=False),
    Index("ix_question_versions_document_id", "document_id"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", Integer, primary_key=True, autoincrement=True),
    Column("question_id", ForeignKey("questions.question_id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reviewed_by", String(16)),
    Column("reviewed_at", DateTime, nullable=False),
    Index("ix_reviews_question_id", "question_id"),
)
"""Every change of state, with its reason."""

papers = Table(
    "papers",
    metadata,
    Column("paper_id", String(16), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("blueprint", JSON, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("drawn", Boolean, nullable=False),
    Column("n_forms", Integer, nullable=False),
    Column("shortfalls", JSON, nullable=False),
    Column("made_by", String(16)),
    Column("made_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_papers_branch_id", "branch_id"),
)
"""`drawn` papers are put together for each person from the blueprint; others have `n_forms` fixed forms."""

paper_questions = Table(
    "paper_questions",
    metadata,
    Column("paper_id", ForeignKey("papers.paper_id", ondelete="CASCADE"), primary_key=True),
    Column("form", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("question_id", ForeignKey("questions.question_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("points", Float, nullable=False),
    Column("options", JSON, nullable=False),
    Column("line", Integer, nullable=False),
    Index("ix_paper_questions_question_id", "question_id"),
)
"""`options` is the order in which the form shows them, as indexes into the version's own; `line` that of the blueprint."""

exams = Table(
    "exams",
    metadata,
    Column("exam_id", String(16), primary_key=True),
    Column("paper_id", ForeignKey("papers.paper_id"), nullable=False),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("opens_at", DateTime, nullable=False),
    Column("closes_at", DateTime, nullable=False),
    Column("minutes", Integer),
    Column("n_attempts", Integer),
    Column("retake", String(16), nullable=False),
    Column("reveal", String(16), nullable=False),
    Column("pass_share", Float, nullable=False),
    Column("shuffled", Boolean, nullable=False),
    Column("given_by", String(16)),
    Column("given_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Index("ix_exams_branch_id", "branch_id"),
)
"""A paper given out. `mode` is "practice" or "test"; `retake` "never", "failed" or "any"; `reveal` "submitted" or
"closed": when results are shown. `minutes` and `n_attempts` None do not limit."""

exam_audiences = Table(
    "exam_audiences",
    metadata,
    Column("exam_id", ForeignKey("exams.exam_id", ondelete="CASCADE"), primary_key=True),
    Column("token", String(100), primary_key=True),
    Column("audience", String(100), nullable=False),
    Index("ix_exam_audiences_token", "token"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", String(16), primary_key=True),
    Column("exam_id", ForeignKey("exams.exam_id"), nullable=False),
    Column("person_id", ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
    Column("branch_id", String(32)),
    Column("number", Integer, nullable=False),
    Column("form", Integer, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("began_at", DateTime, nullable=False),
    Column("due_at", DateTime, nullable=False),
    Column("submitted_at", DateTime),
    Column("state", String(16), nullable=False),
    Column("score", Float),
    Column("most", Float),
    Index("ix_attempts_exam_id", "exam_id"),
    Index("ix_attempts_person_id", "person_id", "exam_id", "number", unique=True),
)
"""One person's sitting. `state` is "open", "submitted" (short answers wait for a person) or "marked". `plan` lists what
was asked: [{"question_id", "version", "points", "options": [indexes in the order shown]}]."""

answers = Table(
    "answers",
    metadata,
    Column("attempt_id", ForeignKey("attempts.attempt_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("answer", JSON, nullable=False),
    Column("saved_at", DateTime, nullable=False),
    Column("change", Integer, nullable=False),
    Column("share", Float),
    Column("proposed", Float),
    Column("marked_by", String(16)),
)
"""`answer` is a list: texts of gaps or of a short answer, or indexes into the version's own options. `change` counts the
browser's changes: a save that comes late never undoes a later one. `share` of the points, 0 to 1, once marked;
`proposed` is the share that a person is asked to confirm."""

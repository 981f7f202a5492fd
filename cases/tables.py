"""The relational schema of cases and what came of them. Migration 0004 builds exactly this.

What is written is kept change by change. What is published is a document of the catalog:
no table refers to `documents`, since adoptions and votes outlive one; who may see a
case is asked of the catalog (`cases.visibility`).
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from store.tables import metadata

cases = Table(
    "cases",
    metadata,
    Column("case_id", String(16), primary_key=True),
    Column("branch_id", String(32)),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document_id", String(16)),
    Column("derived_from", String(16)),
    Column("note", Text, nullable=False),
    Column("submitted_by", String(16)),
    Column("begun_by", String(16)),
    Column("begun_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_cases_branch_id", "branch_id", "state"),
    Index("ix_cases_document_id", "document_id"),
    Index("ix_cases_derived_from", "derived_from"),
)
"""`revision` counts the changes of its form. `document_id` is what is published of it, if anything is. `note` says why
it was returned. A case of the common library has no branch, one that came as a file has no `begun_by`."""

case_fields = Table(
    "case_fields",
    metadata,
    Column("case_id", ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("field", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed_by", String(16)),
    Column("changed_at", DateTime, nullable=False),
)
"""The form as it stands; `revision` is that of the case when the field last changed."""

case_changes = Table(
    "case_changes",
    metadata,
    Column("case_id", ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("field", String(16), nullable=False),
    Column("base", Integer, nullable=False),
    Column("written", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("change_key", String(32), nullable=False),
    Column("changed_by", String(16)),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_case_changes_change_key", "case_id", "change_key"),
)
"""Every save: `written` by the person over revision `base` of the field, `text` after it was merged with what others
wrote since. `change_key` is the browser's own name of the save: one that is sent again is not done again."""

case_writers = Table(
    "case_writers",
    metadata,
    Column("case_id", ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=True),
    Column("field", String(16), nullable=False),
    Column("seen_at", DateTime, nullable=False),
)
"""Who is writing at which field just now."""

case_attachments = Table(
    "case_attachments",
    metadata,
    Column("attachment_id", String(16), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("n_bytes", Integer, nullable=False),
    Column("caption", Text, nullable=False),
    Column("added_by", String(16)),
    Column("added_at", DateTime, nullable=False),
    Column("removed_at", DateTime),
    Index("ix_case_attachments_case_id", "case_id"),
    Index("ix_case_attachments_sha256", "sha256"),
)

case_versions = Table(
    "case_versions",
    metadata,
    Column("document_id", String(16), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("attachments", JSON, nullable=False),
    Column("industry", String(1)),
    Column("people", Integer),
    Column("cost", Integer),
    Column("level", String(16)),
    Column("published_by", String(16)),
    Column("published_at", DateTime, nullable=False),
    Column("profile", LargeBinary),
    Column("profile_model", String(40)),
    Index("ix_case_versions_case_id", "case_id"),
)
"""What was published, one row a document: the form as it stood, and its attachments' captions by id. `profile` is what the
search by problem reads, made by the model of that name; it can be made anew from `body`."""

adoptions = Table(
    "adoptions",
    metadata,
    Column("adoption_id", String(16), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("progress", String(16), nullable=False),
    Column("effect", String(16)),
    Column("note", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("changed_by", String(16)),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_adoptions_case_id", "case_id", "branch_id", unique=True),
    Index("ix_adoptions_branch_id", "branch_id"),
)
"""One for each case and branch. `note` says what was done, what came of it, or why it does not suit. `open` shows it to
whoever sees the case; otherwise only its own branch and that of the case are told."""

adoption_steps = Table(
    "adoption_steps",
    metadata,
    Column("step_id", Integer, primary_key=True, autoincrement=True),
    Column("adoption_id", ForeignKey("adoptions.adoption_id", ondelete="CASCADE"), nullable=False),
    Column("progress", String(16), nullable=False),
    Column("effect", String(16)),
    Column("note", Text, nullable=False),
    Column("changed_by", String(16)),
    Column("changed_at", DateTime, nullable=False),
    Index("ix_adoption_steps_adoption_id", "adoption_id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", String(16), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("person_id", String(16)),
    Column("text", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("given_at", DateTime, nullable=False),
    Index("ix_feedback_case_id", "case_id"),
)
"""What somebody of a branch says to those who wrote the case; `open` as in `adoptions`."""

open_questions = Table(
    "open_questions",
    metadata,
    Column("question_id", String(16), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("problem", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("asked_by", String(16)),
    Column("asked_at", DateTime, nullable=False),
    Column("closed_at", DateTime),
    Column("settled_by", String(16)),
    Index("ix_open_questions_branch_id", "branch_id"),
)
"""`settled_by` is the case that solved it, if one did."""

question_audiences = Table(
    "question_audiences",
    metadata,
    Column("question_id", ForeignKey("open_questions.question_id", ondelete="CASCADE"), primary_key=True),
    Column("token", String(100), primary_key=True),
    Index("ix_question_audiences_token", "token"),
)

question_answers = Table(
    "question_answers",
    metadata,
    Column("answer_id", String(16), primary_key=True),
    Column("question_id", ForeignKey("open_questions.question_id", ondelete="CASCADE"), nullable=False),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("person_id", String(16)),
    Column("text", Text, nullable=False),
    Column("case_id", String(16)),
    Column("answered_at", DateTime, nullable=False),
    Index("ix_question_answers_question_id", "question_id"),
)
"""An answer may name a case; it is shown with it only to those who see the case."""

ballots = Table(
    "ballots",
    metadata,
    Column("ballot_id", String(16), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("n_votes", Integer, nullable=False),
    Column("n_models", Integer, nullable=False),
    Column("opens_at", DateTime, nullable=False),
    Column("closes_at", DateTime, nullable=False),
    Column("called_by", String(16)),
    Column("called_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Index("ix_ballots_branch_id", "branch_id"),
)
"""A vote of branches for model cases: each has `n_votes`, and the first `n_models` of the count become model cases."""

ballot_audiences = Table(
    "ballot_audiences",
    metadata,
    Column("ballot_id", ForeignKey("ballots.ballot_id", ondelete="CASCADE"), primary_key=True),
    Column("token", String(100), primary_key=True),
    Index("ix_ballot_audiences_token", "token"),
)

nominations = Table(
    "nominations",
    metadata,
    Column("ballot_id", ForeignKey("ballots.ballot_id", ondelete="CASCADE"), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("nominated_by", String(16)),
    Column("nominated_at", DateTime, nullable=False),
)

votes = Table(
    "votes",
    metadata,
    Column("ballot_id", ForeignKey("ballots.ballot_id", ondelete="CASCADE"), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id"), primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), primary_key=True),
    Column("cast_by", String(16)),
    Column("cast_at", DateTime, nullable=False),
)

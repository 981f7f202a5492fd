"""Cases, their versions, and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of `cases`."""
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=16), nullable=True),
        sa.Column("derived_from", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.String(length=16), nullable=True),
        sa.Column("begun_by", sa.String(length=16), nullable=True),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_branch_id", "cases", ["branch_id", "state"], unique=False)
    op.create_index("ix_cases_derived_from", "cases", ["derived_from"], unique=False)
    op.create_index("ix_cases_document_id", "cases", ["document_id"], unique=False)
    op.create_table(
        "case_fields",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_fields_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "field", name=op.f("pk_case_fields")),
    )
    op.create_table(
        "case_changes",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("change_key", sa.String(length=32), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_changes_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "revision", name=op.f("pk_case_changes")),
    )
    op.create_index("ix_case_changes_change_key", "case_changes", ["case_id", "change_key"], unique=False)
    op.create_table(
        "case_writers",
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_writers_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name=op.f("fk_case_writers_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "person_id", name=op.f("pk_case_writers")),
    )
    op.create_table(
        "case_attachments",
        sa.Column("attachment_id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("n_bytes", sa.Integer(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=True),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_attachments_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_case_attachments")),
    )
    op.create_index("ix_case_attachments_case_id", "case_attachments", ["case_id"], unique=False)
    op.create_index("ix_case_attachments_sha256", "case_attachments", ["sha256"], unique=False)
    op.create_table(
        "case_versions",
        sa.Column("document_id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("industry", sa.String(length=1), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=True),
        sa.Column("published_by", sa.String(length=16), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=True),
        sa.Column("profile_model", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_versions_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_case_versions")),
    )
    op.create_index("ix_case_versions_case_id", "case_versions", ["case_id"], unique=False)
    op.create_table(
        "adoptions",
        sa.Column("adoption_id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("progress", sa.String(length=16), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_adoptions_branch_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_adoptions_case_id")),
        sa.PrimaryKeyConstraint("adoption_id", name=op.f("pk_adoptions")),
    )
    op.create_index("ix_adoptions_branch_id", "adoptions", ["branch_id"], unique=False)
    op.create_index("ix_adoptions_case_id", "adoptions", ["case_id", "branch_id"], unique=True)
    op.create_table(
        "adoption_steps",
        sa.Column("step_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("adoption_id", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.String(length=16), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["adoptions.adoption_id"],
            name=op.f("fk_adoption_steps_adoption_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_adoption_steps")),
    )
    op.create_index("ix_adoption_steps_adoption_id", "adoption_steps", ["adoption_id"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_feedback_branch_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_feedback_case_id")),
        sa.PrimaryKeyConstraint("feedback_id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_case_id", "feedback", ["case_id"], unique=False)
    op.create_table(
        "open_questions",
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=16), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("settled_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.branch_id"], name=op.f("fk_open_questions_branch_id")
        ),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_open_questions")),
    )
    op.create_index("ix_open_questions_branch_id", "open_questions", ["branch_id"], unique=False)
    op.create_table(
        "question_audiences",
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["open_questions.question_id"],
            name=op.f("fk_question_audiences_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("question_id", "token", name=op.f("pk_question_audiences")),
    )
    op.create_index("ix_question_audiences_token", "question_audiences", ["token"], unique=False)
    op.create_table(
        "question_answers",
        sa.Column("answer_id", sa.String(length=16), nullable=False),
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.branch_id"], name=op.f("fk_question_answers_branch_id")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["open_questions.question_id"],
            name=op.f("fk_question_answers_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_question_answers")),
    )
    op.create_index("ix_question_answers_question_id", "question_answers", ["question_id"], unique=False)
    op.create_table(
        "ballots",
        sa.Column("ballot_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("n_votes", sa.Integer(), nullable=False),
        sa.Column("n_models", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.DateTime(), nullable=False),
        sa.Column("closes_at", sa.DateTime(), nullable=False),
        sa.Column("called_by", sa.String(length=16), nullable=True),
        sa.Column("called_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_ballots_branch_id")),
        sa.PrimaryKeyConstraint("ballot_id", name=op.f("pk_ballots")),
    )
    op.create_index("ix_ballots_branch_id", "ballots", ["branch_id"], unique=False)
    op.create_table(
        "ballot_audiences",
        sa.Column("ballot_id", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"],
            ["ballots.ballot_id"],
            name=op.f("fk_ballot_audiences_ballot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ballot_id", "token", name=op.f("pk_ballot_audiences")),
    )
    op.create_index("ix_ballot_audiences_token", "ballot_audiences", ["token"], unique=False)
    op.create_table(
        "nominations",
        sa.Column("ballot_id", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("nominated_by", sa.String(length=16), nullable=True),
        sa.Column("nominated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballots.ballot_id"], name=op.f("fk_nominations_ballot_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_nominations_branch_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_nominations_case_id")),
        sa.PrimaryKeyConstraint("ballot_id", "case_id", name=op.f("pk_nominations")),
    )
    op.create_table(
        "votes",
        sa.Column("ballot_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=16), nullable=False),
        sa.Column("cast_by", sa.String(length=16), nullable=True),
        sa.Column("cast_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballots.ballot_id"], name=op.f("fk_votes_ballot_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_votes_branch_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_votes_case_id")),
        sa.PrimaryKeyConstraint("ballot_id", "branch_id", "case_id", name=op.f("pk_votes")),
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    op.drop_table("votes")
    op.drop_table("nominations")
    op.drop_table("ballot_audiences")
    op.drop_table("ballots")
    op.drop_table("question_answers")
    op.drop_table("question_audiences")
    op.drop_table("open_questions")
    op.drop_table("feedback")
    op.drop_table("adoption_steps")
    op.drop_table("adoptions")
    op.drop_table("case_versions")
    op.drop_table("case_attachments")
    op.drop_table("case_writers")
    op.drop_table("case_changes")
    op.drop_table("case_fields")
    op.drop_table("cases")

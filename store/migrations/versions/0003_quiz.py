"""Questions, papers, exams and attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of `quiz`."""
    op.create_table(
        "questions",
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.Column("difficulty", sa.Float(), nullable=False),
        sa.Column("stem_key", sa.Text(), nullable=False),
        sa.Column("document_id", sa.String(length=16), nullable=True),
        sa.Column("clause_id", sa.String(length=16), nullable=True),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=16), nullable=True),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_questions_branch_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_questions")),
    )
    op.create_index("ix_questions_branch_id", "questions", ["branch_id", "state"], unique=False)
    op.create_index("ix_questions_document_id", "questions", ["document_id"], unique=False)
    op.create_index("ix_questions_stem_key", "questions", ["stem_key"], unique=False)
    op.create_table(
        "question_versions",
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("document_id", sa.String(length=16), nullable=True),
        sa.Column("made_by", sa.String(length=16), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["questions.question_id"],
            name=op.f("fk_question_versions_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("question_id", "version", name=op.f("pk_question_versions")),
    )
    op.create_index("ix_question_versions_document_id", "question_versions", ["document_id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.String(length=16), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["questions.question_id"],
            name=op.f("fk_reviews_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_question_id", "reviews", ["question_id"], unique=False)
    op.create_table(
        "papers",
        sa.Column("paper_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("blueprint", sa.JSON(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("n_forms", sa.Integer(), nullable=False),
        sa.Column("shortfalls", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(length=16), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_papers_branch_id")),
        sa.PrimaryKeyConstraint("paper_id", name=op.f("pk_papers")),
    )
    op.create_index("ix_papers_branch_id", "papers", ["branch_id"], unique=False)
    op.create_table(
        "paper_questions",
        sa.Column("paper_id", sa.String(length=16), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.paper_id"], name=op.f("fk_paper_questions_paper_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.question_id"], name=op.f("fk_paper_questions_question_id")
        ),
        sa.PrimaryKeyConstraint("paper_id", "form", "position", name=op.f("pk_paper_questions")),
    )
    op.create_index("ix_paper_questions_question_id", "paper_questions", ["question_id"], unique=False)
    op.create_table(
        "exams",
        sa.Column("exam_id", sa.String(length=16), nullable=False),
        sa.Column("paper_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("opens_at", sa.DateTime(), nullable=False),
        sa.Column("closes_at", sa.DateTime(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("n_attempts", sa.Integer(), nullable=True),
        sa.Column("retake", sa.String(length=16), nullable=False),
        sa.Column("reveal", sa.String(length=16), nullable=False),
        sa.Column("pass_share", sa.Float(), nullable=False),
        sa.Column("shuffled", sa.Boolean(), nullable=False),
        sa.Column("given_by", sa.String(length=16), nullable=True),
        sa.Column("given_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_exams_branch_id")),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.paper_id"], name=op.f("fk_exams_paper_id")),
        sa.PrimaryKeyConstraint("exam_id", name=op.f("pk_exams")),
    )
    op.create_index("ix_exams_branch_id", "exams", ["branch_id"], unique=False)
    op.create_table(
        "exam_audiences",
        sa.Column("exam_id", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.Column("audience", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.exam_id"], name=op.f("fk_exam_audiences_exam_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("exam_id", "token", name=op.f("pk_exam_audiences")),
    )
    op.create_index("ix_exam_audiences_token", "exam_audiences", ["token"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.String(length=16), nullable=False),
        sa.Column("exam_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("most", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.exam_id"], name=op.f("fk_attempts_exam_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name=op.f("fk_attempts_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_exam_id", "attempts", ["exam_id"], unique=False)
    op.create_index("ix_attempts_person_id", "attempts", ["person_id", "exam_id", "number"], unique=True)
    op.create_table(
        "answers",
        sa.Column("attempt_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("proposed", sa.Float(), nullable=True),
        sa.Column("marked_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_answers_attempt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attempt_id", "position", name=op.f("pk_answers")),
    )


def downgrade() -> None:
    """Take the tables away, and what is in them."""
    for table in (
        "answers",
        "attempts",
        "exam_audiences",
        "exams",
        "paper_questions",
        "papers",
        "reviews",
        "question_versions",
        "questions",
    ):
        op.drop_table(table)

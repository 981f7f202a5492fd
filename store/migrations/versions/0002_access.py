"""People, branches and what they share: audiences become shares, documents get a keeper."""

import sqlalchemy as sa
from alembic import op

from kb.model import derive_id

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and a share of every audience."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("object_kind", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_branch_id", ["branch_id"], unique=False)
        batch_op.create_index("ix_audit_object_id", ["object_id"], unique=False)
        batch_op.create_index("ix_audit_person_id", ["person_id"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("name", sa.String(length=8), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "branches",
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["branches.branch_id"], name=op.f("fk_branches_parent_id")),
        sa.PrimaryKeyConstraint("branch_id", name=op.f("pk_branches")),
    )
    with op.batch_alter_table("branches", schema=None) as batch_op:
        batch_op.create_index("ix_branches_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "failures",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_failures")),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_person_id", ["person_id"], unique=False)

    op.create_table(
        "people",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("login_key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("change_password", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_people")),
        sa.UniqueConstraint("login_key"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "spent",
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent")),
    )
    op.create_table(
        "tombstones",
        sa.Column("document_id", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("removed_at", sa.DateTime(), nullable=False),
        sa.Column("removed_by", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "groups",
        sa.Column("group_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.branch_id"], name=op.f("fk_groups_branch_id")),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_groups")),
    )
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.String(length=16), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.branch_id"], name=op.f("fk_invitations_branch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "origins",
        sa.Column("document_id", sa.String(length=16), nullable=False),
        sa.Column("origin_id", sa.String(length=16), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.document_id"],
            name=op.f("fk_origins_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "origin_id", name=op.f("pk_origins")),
    )
    with op.batch_alter_table("origins", schema=None) as batch_op:
        batch_op.create_index("ix_origins_origin_id", ["origin_id"], unique=False)

    op.create_table(
        "partnerships",
        sa.Column("partnership_id", sa.String(length=16), nullable=False),
        sa.Column("proposer_id", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=32), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("proposer_liaison", sa.String(length=16), nullable=True),
        sa.Column("partner_liaison", sa.String(length=16), nullable=True),
        sa.Column("proposed_at", sa.DateTime(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["branches.branch_id"], name=op.f("fk_partnerships_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["partner_liaison"], ["people.person_id"], name=op.f("fk_partnerships_partner_liaison")
        ),
        sa.ForeignKeyConstraint(
            ["proposer_id"], ["branches.branch_id"], name=op.f("fk_partnerships_proposer_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposer_liaison"], ["people.person_id"], name=op.f("fk_partnerships_proposer_liaison")
        ),
        sa.PrimaryKeyConstraint("partnership_id", name=op.f("pk_partnerships")),
    )
    with op.batch_alter_table("partnerships", schema=None) as batch_op:
        batch_op.create_index("ix_partnerships_partner_id", ["partner_id"], unique=False)
        batch_op.create_index("ix_partnerships_proposer_id", ["proposer_id"], unique=False)

    op.create_table(
        "roles",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.branch_id"], name=op.f("fk_roles_branch_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name=op.f("fk_roles_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "branch_id", "role", name=op.f("pk_roles")),
    )
    with op.batch_alter_table("roles", schema=None) as batch_op:
        batch_op.create_index("ix_roles_branch_id", ["branch_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name=op.f("fk_sessions_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_person_id", ["person_id"], unique=False)

    op.create_table(
        "shares",
        sa.Column("share_id", sa.String(length=16), nullable=False),
        sa.Column("document_id", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.String(length=100), nullable=False),
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.Column("branch_id", sa.String(length=32), nullable=True),
        sa.Column("parent_id", sa.String(length=16), nullable=True),
        sa.Column("may_reshare", sa.Boolean(), nullable=False),
        sa.Column("shared_by", sa.String(length=16), nullable=True),
        sa.Column("shared_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.document_id"], name=op.f("fk_shares_document_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["shares.share_id"], name=op.f("fk_shares_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("share_id", name=op.f("pk_shares")),
    )
    with op.batch_alter_table("shares", schema=None) as batch_op:
        batch_op.create_index("ix_shares_document_id", ["document_id", "token"], unique=False)
        batch_op.create_index("ix_shares_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("powers", sa.JSON(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name=op.f("fk_tokens_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_tokens")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index("ix_tokens_person_id", ["person_id"], unique=False)

    op.create_table(
        "group_members",
        sa.Column("group_id", sa.String(length=16), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.group_id"], name=op.f("fk_group_members_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "member", name=op.f("pk_group_members")),
    )
    with op.batch_alter_table("group_members", schema=None) as batch_op:
        batch_op.create_index("ix_group_members_member", ["member"], unique=False)

    _move("audiences", "shares")
    op.drop_table("audiences")
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("branch_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("owner_id", sa.String(length=16), nullable=True))
        batch_op.create_index("ix_documents_branch_id", ["branch_id"], unique=False)
        batch_op.create_index("ix_documents_sha256", ["sha256"], unique=False)


def downgrade() -> None:
    """Drop the tables. What was shared by anything but an audience of its own is lost."""
    # Not made anew: dropping the old table would take every row that hangs on it along.
    with op.batch_alter_table("documents", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_documents_sha256")
        batch_op.drop_index("ix_documents_branch_id")
        batch_op.drop_column("owner_id")
        batch_op.drop_column("branch_id")

    op.create_table(
        "audiences",
        sa.Column("document_id", sa.VARCHAR(length=16), nullable=False),
        sa.Column("audience", sa.VARCHAR(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.document_id"],
            name=op.f("fk_audiences_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "audience", name=op.f("pk_audiences")),
    )
    op.execute(
        sa.text(
            "INSERT INTO audiences (document_id, audience) SELECT DISTINCT document_id, audience FROM shares"
            " WHERE parent_id IS NULL"
        )
    )
    with op.batch_alter_table("group_members", schema=None) as batch_op:
        batch_op.drop_index("ix_group_members_member")

    op.drop_table("group_members")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_tokens_person_id")

    op.drop_table("tokens")
    with op.batch_alter_table("shares", schema=None) as batch_op:
        batch_op.drop_index("ix_shares_parent_id")
        batch_op.drop_index("ix_shares_document_id")

    op.drop_table("shares")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_person_id")

    op.drop_table("sessions")
    with op.batch_alter_table("roles", schema=None) as batch_op:
        batch_op.drop_index("ix_roles_branch_id")

    op.drop_table("roles")
    with op.batch_alter_table("partnerships", schema=None) as batch_op:
        batch_op.drop_index("ix_partnerships_proposer_id")
        batch_op.drop_index("ix_partnerships_partner_id")

    op.drop_table("partnerships")
    with op.batch_alter_table("origins", schema=None) as batch_op:
        batch_op.drop_index("ix_origins_origin_id")

    op.drop_table("origins")
    op.drop_table("invitations")
    op.drop_table("groups")
    op.drop_table("tombstones")
    op.drop_table("spent")
    op.drop_table("people")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_person_id")

    op.drop_table("jobs")
    op.drop_table("failures")
    op.drop_table("facts")
    with op.batch_alter_table("branches", schema=None) as batch_op:
        batch_op.drop_index("ix_branches_parent_id")

    op.drop_table("branches")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_person_id")
        batch_op.drop_index("ix_audit_object_id")
        batch_op.drop_index("ix_audit_branch_id")

    op.drop_table("audit")


def _move(old: str, new: str) -> None:
    """A share of the installation's own for each audience that a document had."""
    connection = op.get_bind()
    audiences, shares = (sa.Table(name, sa.MetaData(), autoload_with=connection) for name in (old, new))
    added = sa.Table("documents", sa.MetaData(), autoload_with=connection)
    rows = connection.execute(
        sa.select(audiences.c.document_id, audiences.c.audience, added.c.added_at).join(
            added, added.c.document_id == audiences.c.document_id
        )
    ).all()
    for document_id, audience, at in rows:
        connection.execute(
            sa.insert(shares).values(
                share_id=derive_id("share", document_id, "", audience),
                document_id=document_id,
                audience=audience,
                token=audience,
                may_reshare=False,
                shared_at=at,
            )
        )

"""The relational schema of people, branches and what they did. Migration 0002 builds exactly this."""

from sqlalchemy import JSON, Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, String, Table, Text

from store.tables import metadata

branches = Table(
    "branches",
    metadata,
    Column("branch_id", String(32), primary_key=True),
    Column("parent_id", ForeignKey("branches.branch_id")),
    Column("name", Text, nullable=False),
    Column("level", String(16), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("added_at", DateTime, nullable=False),
    Index("ix_branches_parent_id", "parent_id"),
)

people = Table(
    "people",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("login", Text),
    Column("login_key", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("password", Text),
    Column("change_password", Boolean, nullable=False),
    Column("subject", Text, unique=True),
    Column("operator", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("totp_secret", Text),
    Column("totp_step", Integer),
    Column("recovery", JSON, nullable=False),
    Column("added_at", DateTime, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("person_id", ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=True),
    Column("branch_id", ForeignKey("branches.branch_id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Index("ix_roles_branch_id", "branch_id"),
)

partnerships = Table(
    "partnerships",
    metadata,
    Column("partnership_id", String(16), primary_key=True),
    Column("proposer_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("partner_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("proposer_liaison", ForeignKey("people.person_id")),
    Column("partner_liaison", ForeignKey("people.person_id")),
    Column("proposed_at", DateTime, nullable=False),
    Column("agreed_at", DateTime),
    Column("ended_at", DateTime),
    Index("ix_partnerships_proposer_id", "proposer_id"),
    Index("ix_partnerships_partner_id", "partner_id"),
)

groups = Table(
    "groups",
    metadata,
    Column("group_id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("branch_id", ForeignKey("branches.branch_id"), nullable=False),
    Column("added_at", DateTime, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("groups.group_id", ondelete="CASCADE"), primary_key=True),
    Column("member", String(64), primary_key=True),
    Index("ix_group_members_member", "member"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("branch_id", ForeignKey("branches.branch_id", ondelete="CASCADE"), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("name", Text, nullable=False),
    Column("invited_by", String(16)),
    Column("expires_at", DateTime, nullable=False),
    Column("accepted_at", DateTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
    Column("began_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("second_factor", Boolean, nullable=False),
    Index("ix_sessions_person_id", "person_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("person_id", ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("powers", JSON, nullable=False),
    Column("added_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("used_on", Date),
    Index("ix_tokens_person_id", "person_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("until", DateTime, nullable=False),
)

spent = Table(
    "spent",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("expires_at", DateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("person_id", String(16)),
    Column("branch_id", String(32)),
    Column("action", String(40), nullable=False),
    Column("object_kind", String(20), nullable=False),
    Column("object_id", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("mac", String(64), nullable=False),
    Index("ix_audit_person_id", "person_id"),
    Index("ix_audit_branch_id", "branch_id"),
    Index("ix_audit_object_id", "object_id"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(16), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person_id", String(16)),
    Column("branch_id", String(32)),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("asked_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Index("ix_jobs_person_id", "person_id"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

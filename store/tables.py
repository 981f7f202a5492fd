"""The relational schema. Migrations in `migrations/versions/` build exactly this."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("stated", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("n_bytes", Integer, nullable=False),
    Column("added_at", DateTime, nullable=False),
    Column("title", Text, nullable=False),
    Column("title_key", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("issuer", Text),
    Column("number", Text),
    Column("number_key", Text),
    Column("adopted_on", Date),
    Column("issued_on", Date),
    Column("effective_on", Date),
    Column("stated_end_on", Date),
    Column("stated_end_reason", String(16)),
    Column("ended_on", Date),
    Column("end_reason", String(16)),
    Column("year", Integer),
    Column("keywords", JSON, nullable=False),
    Column("abstract", Text),
    Column("doi", Text),
    Column("branch", Text),
    Column("branch_id", String(32)),
    Column("owner_id", String(16)),
    Column("work", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("pages", JSON, nullable=False),
    Column("n_clauses", Integer, nullable=False),
    Index("ix_documents_title_key", "title_key"),
    Index("ix_documents_number_key", "number_key"),
    Index("ix_documents_work", "work"),
    Index("ix_documents_sha256", "sha256"),
    Index("ix_documents_branch_id", "branch_id"),
)

shares = Table(
    "shares",
    metadata,
    Column("share_id", String(16), primary_key=True),
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False),
    Column("audience", String(100), nullable=False),
    Column("token", String(100), nullable=False),
    Column("branch_id", String(32)),
    Column("parent_id", ForeignKey("shares.share_id", ondelete="CASCADE")),
    Column("may_reshare", Boolean, nullable=False),
    Column("shared_by", String(16)),
    Column("shared_at", DateTime, nullable=False),
    Index("ix_shares_document_id", "document_id", "token"),
    Index("ix_shares_parent_id", "parent_id"),
)

origins = Table(
    "origins",
    metadata,
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    Column("origin_id", String(16), primary_key=True),
    Column("steps", Integer, nullable=False),
    Index("ix_origins_origin_id", "origin_id"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("document_id", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("branch_id", String(32)),
    Column("removed_at", DateTime, nullable=False),
    Column("removed_by", String(16)),
    Column("reason", Text, nullable=False),
)

repeals = Table(
    "repeals",
    metadata,
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Index("ix_repeals_name", "name"),
)

sections = Table(
    "sections",
    metadata,
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("section_id", String(16), nullable=False),
    Column("parent_id", String(16)),
    Column("level", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("heading", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("extent_end", Integer, nullable=False),
    Column("path", JSON, nullable=False),
)

clauses = Table(
    "clauses",
    metadata,
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("clause_id", String(16), nullable=False),
    Column("section_id", String(16)),
    Column("label", Text, nullable=False),
    Column("label_key", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("path", JSON, nullable=False),
    Column("parts", JSON, nullable=False),
    Index("ix_clauses_clause_id", "clause_id"),
)

passages = Table(
    "passages",
    metadata,
    Column("key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("document_id", ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False),
    Column("clause_ordinal", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("path", JSON, nullable=False),
    Index("ix_passages_document_id", "document_id"),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("document_id", String(16), nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("at", DateTime, nullable=False),
    Index("ix_changes_document_id", "document_id"),
    sqlite_autoincrement=True,
)

"""uploads: files that people bring to send

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import app.core.db.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("mime_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_name", sa.String(length=80), nullable=False),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            app.core.db.base.UtcDateTime(timezone=True),
            server_default=app.core.db.base.db_now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("stored_name", name=op.f("uq_uploads_stored_name")),
    )
    op.create_index(op.f("ix_uploads_created_at"), "uploads", ["created_at"])
    stored = sa.text("stored_name IS NOT NULL")
    op.create_index("ix_media_stored", "media", ["stored_name"], sqlite_where=stored, postgresql_where=stored)


def downgrade() -> None:
    op.drop_index("ix_media_stored", "media")
    op.drop_table("uploads")

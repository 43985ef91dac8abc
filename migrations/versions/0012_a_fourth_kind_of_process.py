"""a fourth kind of process

Revision ID: 0012
Revises: 0011

The table is made anew: a heartbeat is worth nothing half a minute later, and SQLite changes no constraint in place.
"""

import sqlalchemy as sa
from alembic import op

import app.core.db.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_anew("kind IN ('web', 'jobs', 'scheduler', 'whatsapp-web')")


def downgrade() -> None:
    _make_anew("kind IN ('web', 'jobs', 'scheduler')")


def _make_anew(kinds: str) -> None:
    op.drop_table("process_heartbeats")
    op.create_table(
        "process_heartbeats",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("started_at", app.core.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("beat_at", app.core.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(kinds, name=op.f("ck_process_heartbeats_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_heartbeats")),
    )

"""The table of running processes."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

process_heartbeats = sa.Table(
    "process_heartbeats",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer(), nullable=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("started_at", UtcDateTime(), nullable=False),
    sa.Column("beat_at", UtcDateTime(), nullable=False),
    sa.CheckConstraint("kind IN ('web', 'jobs', 'scheduler')", name="kind_known"),
)

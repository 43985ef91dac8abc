"""The table of people."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    # Lower case, so that the unique constraint ignores case on both databases.
    sa.Column("username", sa.String(64), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("disabled_at", UtcDateTime(), nullable=True),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.CheckConstraint("username = lower(username)", name="username_lower"),
    sa.CheckConstraint("role IN ('admin', 'supervisor', 'agent', 'viewer')", name="role_known"),
)

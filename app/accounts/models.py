"""The tables of people, and of everything by which they come in."""

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
    # Invited: the stored hash is that of a password nobody knows.
    sa.Column("awaits_password", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("totp_secret", sa.LargeBinary(), nullable=True),  # encrypted with the key ring
    sa.Column("totp_confirmed_at", UtcDateTime(), nullable=True),
    sa.Column("totp_last_step", sa.BigInteger(), nullable=True),  # a code works once (RFC 6238 5.2)
    sa.CheckConstraint("username = lower(username)", name="username_lower"),
    sa.CheckConstraint("role IN ('admin', 'supervisor', 'agent', 'viewer')", name="role_known"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("last_used_at", UtcDateTime(), nullable=False),
    sa.Column("ends_at", UtcDateTime(), nullable=False),
    sa.Column("ended_at", UtcDateTime(), nullable=True),
    sa.Column("end_reason", sa.String(24), nullable=True),
    sa.Column("address", sa.String(45), nullable=True),
    sa.Column("user_agent", sa.String(200), nullable=True),
    sa.CheckConstraint("kind IN ('cookie', 'token')", name="kind_known"),
    sa.Index(None, "user_id", "ended_at"),
    sa.Index(None, "ends_at"),
)

# Every refresh token a session ever had, so that one that was replaced is known when somebody brings it again.
refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("session_id", sa.Uuid(), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("replaced_at", UtcDateTime(), nullable=True),
    sa.Column("nonce_hash", sa.LargeBinary(32), nullable=True),
    sa.Index(None, "session_id"),
)

one_time_links = sa.Table(
    "one_time_links",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("purpose", sa.String(8), nullable=False),
    sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("created_by", sa.Uuid(), nullable=True),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("expires_at", UtcDateTime(), nullable=False),
    sa.Column("used_at", UtcDateTime(), nullable=True),
    sa.CheckConstraint("purpose IN ('invite', 'reset')", name="purpose_known"),
    sa.Index(None, "user_id"),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("code_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("used_at", UtcDateTime(), nullable=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("prefix", sa.String(12), nullable=False),
    sa.Column("key_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("scopes", sa.JSON(), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("expires_at", UtcDateTime(), nullable=False),
    sa.Column("last_used_at", UtcDateTime(), nullable=True),
    sa.Column("revoked_at", UtcDateTime(), nullable=True),
    sa.Index(None, "user_id"),
)

# By a hash of the name: what people type where the name belongs is sometimes their password.
sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("name_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("failures", sa.Integer(), nullable=False),
    sa.Column("last_failed_at", UtcDateTime(), nullable=False),
    sa.Column("closed_until", UtcDateTime(), nullable=True),
    sa.Index(None, "last_failed_at"),
)

# What people like on their screen; whoever chose nothing has no row.
user_preferences = sa.Table(
    "user_preferences",
    metadata,
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("preferences", sa.JSON(), nullable=False, doc="app.accounts.schemas.Preferences"),
    sa.Column("updated_at", UtcDateTime(), nullable=False),
)

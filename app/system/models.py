"""Tables: running processes, the rings of keys, dead letters put away, and how far the first setup came."""

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
    sa.CheckConstraint("kind IN ('web', 'jobs', 'scheduler', 'whatsapp-web')", name="kind_known"),
)

key_rings = sa.Table(
    "key_rings",
    metadata,
    sa.Column("ring", sa.String(64), primary_key=True, doc="digest of the fingerprints of its keys"),
    sa.Column("newest", sa.String(16), nullable=False, doc="fingerprint of the key that encrypts"),
    sa.Column("key_count", sa.Integer(), nullable=False),
    sa.Column("first_seen_at", UtcDateTime(), nullable=False),
    sa.Column("place", sa.String(200), nullable=False, server_default="", doc="table.column being read"),
    sa.Column("after_id", sa.String(64), nullable=False, server_default="", doc="the last id of it that was read"),
    sa.Column("checked", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("renewed", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("undecryptable", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("finished_at", UtcDateTime(), doc="when the last pass over everything ended; null while it runs"),
)

discarded_letters = sa.Table(
    "discarded_letters",
    metadata,
    sa.Column("kind", sa.String(10), primary_key=True, doc="webhook | turn | outbound | media"),
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("reason", sa.String(200), nullable=False, doc="why nobody need look at it any more"),
    sa.Column("discarded_by", sa.Uuid(), nullable=False),
    sa.Column("discarded_at", UtcDateTime(), nullable=False),
)

ONLY_ROW = 1

setup_progress = sa.Table(
    "setup_progress",
    metadata,
    sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
    sa.Column("skipped", sa.JSON(), nullable=False, doc="names of steps that somebody chose to leave out"),
    sa.Column("finished_at", UtcDateTime(), doc="when somebody closed the wizard for good"),
    sa.CheckConstraint(f"id = {ONLY_ROW}", name="only_row"),
)

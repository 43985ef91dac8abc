"""Tables: counts by the minute, alerts, silences, signed snapshots and how far each consumer has read."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

security_counts = sa.Table(
    "security_counts",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("minute", UtcDateTime(), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False),
    sa.Index(None, "minute"),
)

security_alerts = sa.Table(
    "security_alerts",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, doc="what happens too often: a key of rules.KINDS"),
    sa.Column("severity", sa.String(8), nullable=False, doc="high | urgent: twice the threshold, or never allowed"),
    sa.Column("state", sa.String(16), nullable=False, doc="open | acknowledged"),
    sa.Column("first_seen_at", UtcDateTime(), nullable=False),
    sa.Column("last_seen_at", UtcDateTime(), nullable=False),
    sa.Column("number", sa.BigInteger(), nullable=False, doc="the most seen in one window"),
    sa.Column("threshold", sa.Integer(), nullable=False),
    sa.Column("window_minutes", sa.Integer(), nullable=False),
    sa.Column("addresses", sa.JSON(), nullable=False, doc="the addresses it came from most, with their number"),
    sa.Column("acknowledged_at", UtcDateTime()),
    sa.Column("acknowledged_by", sa.Uuid()),
    sa.Column("note", sa.Text()),
    sa.Index(None, "last_seen_at", "id"),
)
sa.Index(
    "uq_security_alerts_open",
    security_alerts.c.fingerprint,
    unique=True,
    sqlite_where=security_alerts.c.state == "open",
    postgresql_where=security_alerts.c.state == "open",
)

security_silences = sa.Table(
    "security_silences",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("created_by", sa.Uuid(), nullable=False),
    sa.Column("ends_at", UtcDateTime(), nullable=False),
)

incident_snapshots = sa.Table(
    "incident_snapshots",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("created_by", sa.Uuid(), nullable=False),
    sa.Column("document", sa.Text(), nullable=False, doc="canonical JSON: the very characters that are signed"),
    sa.Column("key_id", sa.Uuid(), nullable=False),
    sa.Column("signature", sa.String(64), nullable=False, doc="HMAC-SHA256, hexadecimal"),
)

export_checkpoints = sa.Table(
    "export_checkpoints",
    metadata,
    sa.Column("consumer", sa.String(64), primary_key=True),
    sa.Column("sequence", sa.BigInteger(), nullable=False, doc="the last audit entry it has said to have"),
    sa.Column("updated_at", UtcDateTime(), nullable=False),
    sa.Column("updated_by", sa.Uuid(), nullable=False),
)

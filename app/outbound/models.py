"""Tables: the one queue of everything that leaves, and every status WhatsApp told us."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

outbound_messages = sa.Table(
    "outbound_messages",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True, doc="also the id of its row in messages"),
    sa.Column("conversation_id", sa.Uuid(), sa.ForeignKey("conversations.id"), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("contact_id", sa.Uuid(), nullable=False),
    sa.Column("origin", sa.String(10), nullable=False, doc="reply | fallback | person"),
    sa.Column("user_id", sa.Uuid(), doc="who wrote it, where a person did"),
    sa.Column("turn_id", sa.Uuid()),
    sa.Column("part", sa.Integer(), nullable=False, server_default="0", doc="position in its turn's answer"),
    sa.Column("idempotency_key", sa.String(200), unique=True),
    sa.Column("priority", sa.Integer(), nullable=False, server_default="0", doc="higher leaves first"),
    sa.Column("content", sa.Text(), nullable=False, doc="JSON of app.whatsapp.content.Content"),
    sa.Column("reply_to", sa.String(250)),
    sa.Column("control_version", sa.Integer(), doc="the bot's: it leaves only while this is still the version"),
    sa.Column("state", sa.String(12), nullable=False, doc="app.outbound.states.State"),
    sa.Column("reason", sa.Text(), doc="why it failed, waits, or did not leave"),
    sa.Column("error_code", sa.Integer(), doc="WhatsApp's error code"),
    sa.Column("scheduled_at", UtcDateTime(), nullable=False, doc="not before this, as its author wished"),
    sa.Column("due_at", UtcDateTime(), nullable=False, doc="not before this; in processing: the end of the lease"),
    sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("attempt_id", sa.Uuid(), doc="travels to WhatsApp and back as the tracker; also the fencing token"),
    sa.Column("wamid", sa.String(250)),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("processing_at", UtcDateTime()),
    sa.Column("accepted_at", UtcDateTime(), doc="WhatsApp took it"),
    sa.Column("sent_at", UtcDateTime()),
    sa.Column("delivered_at", UtcDateTime()),
    sa.Column("read_at", UtcDateTime()),
    sa.Column("failed_at", UtcDateTime()),
    sa.Column("pricing", sa.Text(), doc="JSON of the status webhook's pricing object"),
    sa.Column("event_id", sa.Uuid(), doc="correlation id"),
    sa.UniqueConstraint("turn_id", "part"),
    sa.Index("ix_outbound_messages_conversation", "conversation_id", "id"),
    sa.Index("ix_outbound_messages_wamid", "wamid"),
    sa.Index("ix_outbound_messages_attempt", "attempt_id"),
)
_waiting = outbound_messages.c.state.in_(("pending", "processing", "retry"))
sa.Index(
    "ix_outbound_messages_due",
    outbound_messages.c.due_at,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
sa.Index(
    "ix_outbound_messages_waiting",
    outbound_messages.c.conversation_id,
    outbound_messages.c.id,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
_unknown = outbound_messages.c.state == "unknown"
sa.Index(
    "ix_outbound_messages_unknown",
    outbound_messages.c.processing_at,
    sqlite_where=_unknown,
    postgresql_where=_unknown,
)
_failed = outbound_messages.c.state == "failed"
sa.Index("ix_outbound_messages_failed", outbound_messages.c.id, sqlite_where=_failed, postgresql_where=_failed)

delivery_statuses = sa.Table(
    "delivery_statuses",
    metadata,
    sa.Column("channel_id", sa.Uuid(), primary_key=True),
    sa.Column("wamid", sa.String(250), primary_key=True),
    sa.Column("status", sa.String(20), primary_key=True),
    sa.Column("participant", sa.String(150), primary_key=True, doc="of a group; empty otherwise"),
    sa.Column("tracker", sa.String(512)),
    sa.Column("at", UtcDateTime(), nullable=False),
    sa.Column("errors", sa.Text(), doc="JSON, as it came"),
    sa.Column("pricing", sa.Text(), doc="JSON, as it came"),
    sa.Column("outbound_id", sa.Uuid(), doc="null while nothing of ours matches it (an orphan)"),
    sa.Column("event_id", sa.Uuid()),
    sa.Column("received_at", UtcDateTime(), nullable=False, server_default=db_now()),
)
_orphan = delivery_statuses.c.outbound_id.is_(None)
sa.Index(
    "ix_delivery_statuses_orphans",
    delivery_statuses.c.received_at,
    sqlite_where=_orphan,
    postgresql_where=_orphan,
)

"""Tables: the numbers we speak through, and every webhook exactly as it came."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False, doc="which transport: a key of app.whatsapp.transports"),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("source", sa.String(20), nullable=False, doc="environment | simulator | panel"),
    sa.Column("phone_number_id", sa.String(64), nullable=False, unique=True),
    sa.Column("business_account_id", sa.String(64)),
    sa.Column("display_phone_number", sa.String(32)),
    sa.Column("graph_url", sa.String(300)),
    sa.Column("api_version", sa.String(10)),
    sa.Column(
        "messages_per_second", sa.Integer(), nullable=False, server_default="80", doc="Meta's limit for the number"
    ),
    sa.Column("secrets", sa.LargeBinary(), doc="ciphertext of ChannelSecrets; null when they come from settings"),
    sa.Column("stopped_at", UtcDateTime(), doc="set when WhatsApp refuses us (token, account): nothing is sent"),
    sa.Column("stopped_reason", sa.Text()),
    sa.Column("stopped_by", sa.Uuid(), doc="the user who stopped it; null when WhatsApp's refusal did"),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
)

inbound_events = sa.Table(
    "inbound_events",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True, doc="also the correlation id of everything that follows"),
    sa.Column(
        "digest", sa.LargeBinary(32), nullable=False, unique=True, doc="SHA-256 of the body: a redelivery adds nothing"
    ),
    sa.Column("channel_id", sa.Uuid(), doc="the channel of the callback address, where it names one"),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("received_at", UtcDateTime(), nullable=False),
    sa.Column("state", sa.String(10), nullable=False, doc="pending | done | dead"),
    sa.Column("due_at", UtcDateTime(), nullable=False, doc="when it may be claimed; a claim moves it past its lease"),
    sa.Column("claims", sa.Integer(), nullable=False, server_default="0", doc="also the fencing token of a claim"),
    sa.Column("reason", sa.Text(), doc="why it is dead, or what in it could not be used"),
    sa.Column("done_at", UtcDateTime()),
)
sa.Index(
    "ix_inbound_events_due",
    inbound_events.c.due_at,
    sqlite_where=inbound_events.c.state == "pending",
    postgresql_where=inbound_events.c.state == "pending",
)
sa.Index(
    "ix_inbound_events_dead",
    inbound_events.c.received_at,
    sqlite_where=inbound_events.c.state == "dead",
    postgresql_where=inbound_events.c.state == "dead",
)

media = sa.Table(
    "media",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("message_id", sa.Uuid(), nullable=False, index=True),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column(
        "provider_id",
        sa.String(200),
        nullable=False,
        doc="inbound: Meta's media id, which lives 7 days; outbound: the transport's, empty until it has the file",
    ),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("mime_type", sa.String(100)),
    sa.Column("sha256", sa.String(64), doc="hex, as announced until stored, then as measured"),
    sa.Column("filename", sa.Text(), doc="the sender's name for it: shown, never used as a path"),
    sa.Column("state", sa.String(10), nullable=False, doc="pending | stored | refused | failed"),
    sa.Column("stored_name", sa.String(80), doc="name under DATA_DIR/media, random"),
    sa.Column("size_bytes", sa.BigInteger()),
    sa.Column("claims", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("due_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("reason", sa.Text()),
)
sa.Index(
    "ix_media_stored",
    media.c.stored_name,
    sqlite_where=media.c.stored_name.is_not(None),
    postgresql_where=media.c.stored_name.is_not(None),
)
sa.Index(
    "ix_media_due",
    media.c.due_at,
    sqlite_where=media.c.state == "pending",
    postgresql_where=media.c.state == "pending",
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("user_id", sa.Uuid(), nullable=False, doc="who brought it, and alone may send it"),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("mime_type", sa.String(100), nullable=False),
    sa.Column("size_bytes", sa.BigInteger(), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("stored_name", sa.String(80), nullable=False, unique=True, doc="name under DATA_DIR/media, random"),
    sa.Column("filename", sa.Text(), doc="the bringer's name for it: shown, never used as a path"),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now(), index=True),
)

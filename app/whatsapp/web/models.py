"""Tables: linked phones, what their browsers shall do, and how far each chat has been read."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("channel_id", sa.Uuid(), sa.ForeignKey("channels.id"), primary_key=True),
    sa.Column("wanted", sa.String(10), nullable=False, doc="running | stopped: what people want of it"),
    sa.Column("request", sa.String(12), doc="restart | logout | refresh_code | pair: asked for once, then null"),
    sa.Column("pairing_phone", sa.String(20), doc="digits; the phone that a pairing code was asked for"),
    sa.Column("state", sa.String(16), nullable=False, doc="app.whatsapp.web.states.State"),
    sa.Column("reason", sa.Text(), doc="why it is in this state, for people"),
    sa.Column("state_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("engine", sa.String(8), doc="wpp or dom: how the page is read, while one is open"),
    sa.Column("account", sa.String(64), doc="digits of the linked phone; a page that shows another one is refused"),
    sa.Column("linked_at", UtcDateTime(), doc="nothing older than this is taken in"),
    sa.Column("code", sa.Text(), doc="what the QR code holds, while it can be scanned"),
    sa.Column("pairing_code", sa.String(16), doc="to be typed on the phone"),
    sa.Column("code_expires_at", UtcDateTime()),
    sa.Column("last_seen_at", UtcDateTime(), doc="when the page last answered"),
    sa.Column("memory_bytes", sa.BigInteger(), doc="of the browser and all its processes"),
    sa.Column("restarts", sa.Integer(), nullable=False, server_default="0", doc="by itself, since it was last started"),
    sa.Column("screenshot", sa.LargeBinary(), doc="ciphertext of a PNG: what the page showed when it last failed"),
    sa.Column("screenshot_at", UtcDateTime()),
    sa.Column("backup_at", UtcDateTime(), doc="of the encrypted copy of its profile"),
    sa.Column("policy", sa.Text(), nullable=False, doc="JSON of app.whatsapp.web.governor.WebPolicy"),
    sa.Column("consent_version", sa.String(20), nullable=False),
    sa.Column("consent_by", sa.Uuid(), nullable=False),
    sa.Column("consent_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("lease_owner", sa.Uuid(), doc="the worker process whose browser has the profile"),
    sa.Column("lease_until", UtcDateTime()),
    sa.Column("lease_token", sa.Integer(), nullable=False, server_default="0", doc="fencing token"),
)

web_commands = sa.Table(
    "web_commands",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True, doc="a send's is the id of its outbound message: there is one each"),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("kind", sa.String(6), nullable=False, doc="send | read"),
    sa.Column("state", sa.String(10), nullable=False, doc="app.whatsapp.web.ledger.CommandState"),
    sa.Column("reason", sa.Text()),
    sa.Column("tracker", sa.String(512)),
    sa.Column("person", sa.String(150), nullable=False, doc="lid or phone digits of the recipient"),
    sa.Column("recipient", sa.Text(), nullable=False, doc="JSON of app.whatsapp.identifiers.Recipient"),
    sa.Column("content", sa.Text(), nullable=False, doc="JSON of the content; empty for read"),
    sa.Column("reply_to", sa.String(250)),
    sa.Column("starts_at", UtcDateTime(), nullable=False, doc="not before this, as the governor says"),
    sa.Column("typing_seconds", sa.Float(), nullable=False, server_default="0"),
    sa.Column("expires_at", UtcDateTime(), nullable=False, doc="a command not begun by then is withdrawn"),
    sa.Column("cold", sa.Boolean(), nullable=False, server_default=sa.false(), doc="the person never wrote to us"),
    sa.Column("chat", sa.String(150), doc="the chat it goes to, verified"),
    sa.Column("message_key", sa.String(250), doc="the whole message id, stored before it was used"),
    sa.Column("message_id", sa.String(100), doc="what WhatsApp and our messages know it by"),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("settled_at", UtcDateTime()),
    sa.Index("ix_web_commands_person", "channel_id", "person", "starts_at"),
    sa.Index("ix_web_commands_message", "channel_id", "message_id"),
)
_open = web_commands.c.state.in_(("pending", "preparing", "sending"))
sa.Index(
    "ix_web_commands_open",
    web_commands.c.channel_id,
    web_commands.c.starts_at,
    sqlite_where=_open,
    postgresql_where=_open,
)
sa.Index("ix_web_commands_pace", web_commands.c.channel_id, web_commands.c.starts_at)

web_chats = sa.Table(
    "web_chats",
    metadata,
    sa.Column("channel_id", sa.Uuid(), primary_key=True),
    sa.Column("chat", sa.String(150), primary_key=True, doc="WhatsApp's id of the chat"),
    sa.Column("phone", sa.String(20)),
    sa.Column("lid", sa.String(150)),
    sa.Column("title", sa.Text(), doc="what the page calls it"),
    sa.Column("last_message_id", sa.String(100), doc="the newest message that was taken in"),
    sa.Column("last_inbound_at", UtcDateTime(), doc="when the person last wrote"),
    sa.Column("updated_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Index("ix_web_chats_phone", "channel_id", "phone"),
    sa.Index("ix_web_chats_lid", "channel_id", "lid"),
)

"""Tables: conversations, their messages, and turns (a burst of messages and the one answer to it)."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("channel_id", sa.Uuid(), sa.ForeignKey("channels.id"), nullable=False),
    sa.Column("contact_id", sa.Uuid(), sa.ForeignKey("contacts.id"), nullable=False),
    sa.Column("control", sa.String(10), nullable=False, server_default="bot", doc="bot | person | nobody"),
    sa.Column(
        "control_version", sa.Integer(), nullable=False, server_default="1", doc="grows with every change of control"
    ),
    sa.Column("held_by", sa.Uuid(), doc="the user who holds it, when control is person"),
    sa.Column("assignee_id", sa.Uuid(), doc="the user who looks after it; null when nobody does"),
    sa.Column("closed_at", UtcDateTime(), doc="null while it is open; what a customer writes opens it again"),
    sa.Column("close_reason", sa.String(200), doc="as whoever closed it wrote"),
    sa.Column("attention", sa.String(40), doc="why a person should look; null when nobody need"),
    sa.Column("unread", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("last_message_at", UtcDateTime(), nullable=False),
    sa.Column("last_inbound_at", UtcDateTime(), doc="the customer's own clock as WhatsApp gives it"),
    sa.Column("fallback_at", UtcDateTime(), doc="when this outage's one fallback text was queued; null when none"),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.UniqueConstraint("channel_id", "contact_id"),
    sa.Index("ix_conversations_recent", "last_message_at", "id"),
    sa.Index("ix_conversations_contact", "contact_id"),
)

_c = conversations.c
_still_open = _c.closed_at.is_(None)
_needs_a_look = _c.attention.is_not(None)
_not_read = _c.unread > sa.literal_column("0")
sa.Index("ix_conversations_open", _c.last_message_at, _c.id, sqlite_where=_still_open, postgresql_where=_still_open)
sa.Index(
    "ix_conversations_assigned",
    _c.assignee_id,
    _c.last_message_at,
    _c.id,
    sqlite_where=_still_open,
    postgresql_where=_still_open,
)
sa.Index(
    "ix_conversations_attention", _c.last_message_at, _c.id, sqlite_where=_needs_a_look, postgresql_where=_needs_a_look
)
_not_the_bots = _c.control != sa.literal_column("'bot'")
sa.Index("ix_conversations_held", _c.last_message_at, _c.id, sqlite_where=_not_the_bots, postgresql_where=_not_the_bots)
sa.Index("ix_conversations_channel", _c.channel_id, _c.last_message_at, _c.id)
sa.Index("ix_conversations_unread", _c.last_message_at, _c.id, sqlite_where=_not_read, postgresql_where=_not_read)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("conversation_id", sa.Uuid(), sa.ForeignKey("conversations.id"), nullable=False),
    sa.Column("author_id", sa.Uuid(), nullable=False),
    sa.Column("text", sa.Text(), nullable=False, doc="for colleagues: it never leaves to the customer"),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Index("ix_notes_conversation", "conversation_id", "id"),
)

canned_replies = sa.Table(
    "canned_replies",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("shortcut", sa.String(40), nullable=False, unique=True, doc="lower case, without the slash"),
    sa.Column("title", sa.String(100), nullable=False),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("uses", sa.Integer(), nullable=False, server_default="0", doc="messages written with it"),
    sa.Column("created_at", UtcDateTime(), nullable=False),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("conversation_id", sa.Uuid(), sa.ForeignKey("conversations.id"), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("author", sa.String(10), nullable=False, doc="customer | bot | person | phone"),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("text", sa.Text(), nullable=False, doc="what a person reads; empty when there is nothing to read"),
    sa.Column(
        "payload", sa.Text(), nullable=False, doc="JSON: the inbound message as it came, or the outbound content"
    ),
    sa.Column("wamid", sa.String(250), doc="WhatsApp's id of an inbound message"),
    sa.Column("reply_to", sa.String(250), doc="the wamid that it quotes"),
    sa.Column(
        "sent_at", UtcDateTime(), nullable=False, doc="inbound: the provider's clock; outbound: when it was queued"
    ),
    sa.Column("turn_id", sa.Uuid(), doc="inbound: the turn that answers it; outbound: the turn that it answers"),
    sa.Column(
        "awaits_turn",
        sa.SmallInteger(),  # not a Boolean: 0 and 1 are what both databases can index partially
        nullable=False,
        server_default="0",
        doc="1: to be answered, in no turn yet",
    ),
    sa.Column("event_id", sa.Uuid(), doc="the webhook it came in: the correlation id"),
    sa.UniqueConstraint("channel_id", "wamid"),
    sa.Index("ix_messages_thread", "conversation_id", "id"),
    sa.Index("ix_messages_turn", "turn_id"),
)
sa.Index(
    "ix_messages_awaiting",
    messages.c.conversation_id,
    sqlite_where=messages.c.awaits_turn == 1,
    postgresql_where=messages.c.awaits_turn == 1,
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("conversation_id", sa.Uuid(), sa.ForeignKey("conversations.id"), nullable=False),
    sa.Column("state", sa.String(12), nullable=False, doc="app.conversations.turns.State"),
    sa.Column("reason", sa.String(40), doc="app.conversations.turns.Reason: why it ended as it did"),
    sa.Column("opened_at", UtcDateTime(), nullable=False),
    sa.Column("latest_at", UtcDateTime(), nullable=False, doc="no later message may postpone it beyond this"),
    sa.Column("due_at", UtcDateTime(), nullable=False, doc="when it may be claimed; a claim moves it past its lease"),
    sa.Column("token", sa.Integer(), nullable=False, server_default="0", doc="fencing token: grows with every claim"),
    sa.Column("claims", sa.Integer(), nullable=False, server_default="0", doc="claims without an outcome"),
    sa.Column("failures", sa.Integer(), nullable=False, server_default="0", doc="times the whole model chain failed"),
    sa.Column(
        "restarts", sa.Integer(), nullable=False, server_default="0", doc="answers thrown away for newer messages"
    ),
    sa.Column("superseded_by", sa.Uuid()),
    sa.Column("claimed_at", UtcDateTime(), doc="of the last claim"),
    sa.Column("answered_at", UtcDateTime(), doc="when its answer was queued"),
    sa.Column("ended_at", UtcDateTime()),
    sa.Column("event_id", sa.Uuid(), doc="the webhook that opened it: the correlation id"),
    sa.Index("ix_turns_conversation", "conversation_id", "id"),
)
_open = turns.c.state.in_(("collecting", "thinking"))
sa.Index("uq_turns_open", turns.c.conversation_id, unique=True, sqlite_where=_open, postgresql_where=_open)
sa.Index("ix_turns_due", turns.c.due_at, sqlite_where=_open, postgresql_where=_open)
_failed = turns.c.state == "failed"
sa.Index("ix_turns_failed", turns.c.id, sqlite_where=_failed, postgresql_where=_failed)
_answered = turns.c.state.in_(("ready", "sending"))
sa.Index("ix_turns_answered", turns.c.conversation_id, sqlite_where=_answered, postgresql_where=_answered)

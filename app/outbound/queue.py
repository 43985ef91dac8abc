"""Putting messages into the queue of everything that leaves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import conversations, messages
from app.core.db import InsertMany, Statement, any_of
from app.core.db.events import record
from app.core.ids import ids_at
from app.outbound.events import MessageQueued
from app.outbound.models import outbound_messages
from app.outbound.reading import kind_of, readable_text
from app.outbound.states import State
from app.whatsapp.content import Content, encode_content

Origin = Literal["reply", "fallback", "person"]
_AUTHOR = {"reply": "bot", "fallback": "bot", "person": "person"}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that shall leave.

    `control_version` is the bot's: the message leaves only while the conversation still has that version. A person's
    has none, and names its `user_id`. `scheduled_at` None means now. `idempotency_key` makes a second enqueue with the
    same key an error.
    """

    conversation_id: UUID
    channel_id: UUID
    contact_id: UUID
    origin: Origin
    content: Content
    user_id: UUID | None = None
    turn_id: UUID | None = None
    part: int = 0
    control_version: int | None = None
    reply_to: str | None = None
    priority: int = 0
    scheduled_at: datetime | None = None
    idempotency_key: str | None = None
    correlation_id: UUID | None = None


_TO_THE_TOP = Statement(
    sa.update(conversations).where(any_of(conversations.c.id, "ids")).values(last_message_at=sa.bindparam("now"))
)
_ADD_MESSAGES = InsertMany(messages)
_ADD_OUTBOUND = InsertMany(outbound_messages)


async def enqueue(connection: AsyncConnection, drafts: Sequence[Draft], *, now: datetime) -> list[UUID]:
    """Queue `drafts` in the caller's unit of work, in order; return their ids, which are also their messages' ids."""
    if not drafts:
        return []
    ids = ids_at(now, len(drafts))
    contents = [encode_content(draft.content).decode() for draft in drafts]
    await _ADD_MESSAGES.run(
        connection,
        [
            {
                "id": outbound_id,
                "conversation_id": draft.conversation_id,
                "channel_id": draft.channel_id,
                "author": _AUTHOR[draft.origin],
                "kind": kind_of(draft.content),
                "text": readable_text(draft.content),
                "payload": content,
                "reply_to": draft.reply_to,
                "sent_at": draft.scheduled_at or now,
                "turn_id": draft.turn_id,
                "event_id": draft.correlation_id,
            }
            for outbound_id, draft, content in zip(ids, drafts, contents, strict=True)
        ],
    )
    await _ADD_OUTBOUND.run(
        connection,
        [
            {
                "id": outbound_id,
                "conversation_id": draft.conversation_id,
                "channel_id": draft.channel_id,
                "contact_id": draft.contact_id,
                "origin": draft.origin,
                "user_id": draft.user_id,
                "turn_id": draft.turn_id,
                "part": draft.part,
                "idempotency_key": draft.idempotency_key,
                "priority": draft.priority,
                "content": content,
                "reply_to": draft.reply_to,
                "control_version": draft.control_version,
                "state": State.PENDING,
                "scheduled_at": draft.scheduled_at or now,
                "due_at": draft.scheduled_at or now,
                "created_at": now,
                "event_id": draft.correlation_id,
            }
            for outbound_id, draft, content in zip(ids, drafts, contents, strict=True)
        ],
    )
    await _TO_THE_TOP.run(connection, ids=list({draft.conversation_id for draft in drafts}), now=now)
    await record(
        connection,
        [
            MessageQueued(
                correlation_id=draft.correlation_id, conversation_id=draft.conversation_id, outbound_id=outbound_id
            )
            for outbound_id, draft in zip(ids, drafts, strict=True)
        ],
    )
    return ids

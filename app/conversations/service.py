"""What people do with a conversation as a whole: look at it, assign it, close it, open it again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.errors import ConversationNotFound
from app.conversations.events import Change, ConversationChanged
from app.conversations.models import conversations
from app.core.db import db_now, db_now_plus
from app.core.db.events import record
from app.core.log import current_correlation_id
from app.whatsapp.models import channels
from app.whatsapp.window import WINDOW

_c = conversations.c


async def mark_read(connection: AsyncConnection, conversation_id: UUID) -> bool:
    """Count nothing as unread any more; tell whether anything was. Raises `ConversationNotFound`."""
    row = await _lock(connection, conversation_id)
    if row.unread:
        await _change(connection, conversation_id, "read", unread=0)
    return bool(row.unread)


async def assign(connection: AsyncConnection, conversation_id: UUID, user_id: UUID | None) -> UUID | None:
    """Let a user look after the conversation, or nobody; return who did before. Who answers stays as it is.

    Raises `ConversationNotFound`. Whether the user can answer at all is the caller's to know.
    """
    row = await _lock(connection, conversation_id)
    if row.assignee_id != user_id:
        await _change(connection, conversation_id, "assigned", assignee_id=user_id)
    return None if row.assignee_id is None else UUID(str(row.assignee_id))


async def close(connection: AsyncConnection, conversation_id: UUID, reason: str | None) -> bool:
    """Close the conversation, and count it as read and looked at; tell whether it was open.

    Who answers stays as it is, and the next message of the customer opens it again. Raises `ConversationNotFound`.
    """
    row = await _lock(connection, conversation_id)
    if row.closed_at is None:
        await _change(
            connection,
            conversation_id,
            "closed",
            closed_at=db_now(),
            close_reason=reason,
            unread=0,
            attention=None,
        )
    return row.closed_at is None


async def reopen(connection: AsyncConnection, conversation_id: UUID) -> bool:
    """Open a closed conversation again; tell whether it was closed. Raises `ConversationNotFound`."""
    row = await _lock(connection, conversation_id)
    if row.closed_at is not None:
        await _change(connection, conversation_id, "reopened", closed_at=None, close_reason=None)
    return row.closed_at is not None


async def let_time_pass(connection: AsyncConnection, source: str, by: timedelta) -> None:
    """Make the last messages of customers on channels of `source` older, as if that time had passed since.

    For the simulator, whose clock runs ahead: its 24-hour windows close here too.
    """
    rows = await connection.execute(
        sa.select(_c.id, _c.last_inbound_at)
        .join(channels, channels.c.id == _c.channel_id)
        .where(channels.c.source == source, _c.last_inbound_at > db_now_plus(-WINDOW.total_seconds()))
        .order_by(_c.id)
        .with_for_update(of=conversations)
    )
    for row in rows.all():
        await _change(connection, row.id, "aged", last_inbound_at=row.last_inbound_at - by)


async def _lock(connection: AsyncConnection, conversation_id: UUID) -> Any:
    row = (
        await connection.execute(
            sa.select(_c.unread, _c.assignee_id, _c.closed_at).where(_c.id == conversation_id).with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise ConversationNotFound
    return row


async def _change(connection: AsyncConnection, conversation_id: UUID, change: Change, **values: object) -> None:
    await connection.execute(sa.update(conversations).where(_c.id == conversation_id).values(**values))
    changed = ConversationChanged(
        correlation_id=current_correlation_id(), conversation_id=conversation_id, change=change
    )
    await record(connection, [changed])

"""Looking at one conversation without showing it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.errors import ConversationNotFound
from app.conversations.models import conversations

PREVIEW_CHARACTERS = 200


async def require(connection: AsyncConnection, conversation_id: UUID) -> None:
    """Raise `ConversationNotFound` unless there is this conversation."""
    found = await connection.execute(sa.select(conversations.c.id).where(conversations.c.id == conversation_id))
    if found.first() is None:
        raise ConversationNotFound

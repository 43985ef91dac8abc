"""What a person typed on the business's own phone: it is in the thread, and they hold the conversation now."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.service import Identity
from app.conversations.control import give_to
from app.conversations.models import conversations, messages
from app.conversations.receive import open_threads
from app.core.db import db_now, exclusive
from app.core.ids import new_id
from app.whatsapp.inbound import PhoneEcho


async def receive_echo(connection: AsyncConnection, channel_id: UUID, echo: PhoneEcho, *, event_id: UUID) -> None:
    """Store the message once, and give the conversation to the person at the phone."""
    identity = Identity(phone=echo.recipient_phone, user_id=echo.recipient_user_id)
    if not identity.names():
        return
    await exclusive(connection, "people")
    thread = (channel_id, identity)
    conversation_id = (await open_threads(connection, {thread: None}))[thread]
    stored = await connection.execute(
        upsert(messages)
        .values(
            id=new_id(),
            conversation_id=conversation_id,
            channel_id=channel_id,
            author="phone",
            kind=echo.kind,
            text=echo.text,
            payload=echo.payload.decode("utf-8", "replace"),
            wamid=echo.message_id,
            reply_to=echo.reply_to,
            sent_at=echo.sent_at,
            event_id=event_id,
        )
        .on_conflict_do_nothing()
        .returning(messages.c.id)
    )
    if stored.first() is not None:
        await give_to(connection, conversation_id, "person", correlation_id=event_id)
        await connection.execute(
            sa.update(conversations).where(conversations.c.id == conversation_id).values(last_message_at=db_now())
        )

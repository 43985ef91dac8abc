"""How far each chat of a linked phone has been read, who is in it, and what its page calls it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT
from sqlalchemy.ext.asyncio import AsyncConnection

from app.whatsapp.web.models import web_chats
from app.whatsapp.web.wire import WebMessage

__all__ = ["KnownChat", "known_chats", "note", "reached"]

_c = web_chats.c


class KnownChat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that was read before."""

    chat: str
    phone: str | None
    lid: str | None
    title: str | None
    last_message_id: str | None


async def known_chats(connection: AsyncConnection, channel_id: UUID) -> dict[str, KnownChat]:
    """Return every chat of the channel that was read before, by its id."""
    rows = await connection.execute(
        sa.select(_c.chat, _c.phone, _c.lid, _c.title, _c.last_message_id).where(_c.channel_id == channel_id)
    )
    return {row["chat"]: KnownChat(**row) for row in rows.mappings()}


async def note(connection: AsyncConnection, channel_id: UUID, messages: Sequence[WebMessage], *, now: datetime) -> None:
    """Remember of each chat in `messages` (in the order they were said) who is in it, and when they last wrote."""
    latest: dict[str, dict[str, object]] = {}
    for one in messages:
        row = latest.setdefault(one.chat, {"channel_id": channel_id, "chat": one.chat, "last_inbound_at": None})
        row |= {
            "phone": one.phone,
            "lid": one.lid,
            "title": one.title,
            "updated_at": now,
        }
        if not one.from_me:
            row["last_inbound_at"] = datetime.fromtimestamp(one.at, UTC)
    if not latest:
        return
    insert = upsert(web_chats)
    new = insert.excluded
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=[_c.channel_id, _c.chat],
            set_={
                "phone": sa.func.coalesce(new.phone, _c.phone),
                "lid": sa.func.coalesce(new.lid, _c.lid),
                "title": sa.func.coalesce(new.title, _c.title),
                "last_inbound_at": sa.case(
                    (new.last_inbound_at.is_(None), _c.last_inbound_at),
                    (_c.last_inbound_at > new.last_inbound_at, _c.last_inbound_at),
                    else_=new.last_inbound_at,
                ),
                "updated_at": new.updated_at,
            },
        ),
        [latest[chat] for chat in sorted(latest)],
    )


async def reached(connection: AsyncConnection, channel_id: UUID, last: WebMessage, *, now: datetime) -> None:
    """Note that a chat has been read in order up to `last`. What was only told of does not count: it may have gaps."""
    insert = upsert(web_chats).values(channel_id=channel_id, chat=last.chat, last_message_id=last.id, updated_at=now)
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=[_c.channel_id, _c.chat],
            set_={"last_message_id": insert.excluded.last_message_id, "updated_at": insert.excluded.updated_at},
        )
    )

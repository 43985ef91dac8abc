"""Canned replies: texts that are written often, kept under a shortcut."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.errors import CannedReplyNotFound, ShortcutTaken
from app.conversations.models import canned_replies
from app.conversations.schemas import CannedReply, CannedReplyDraft
from app.core.db import exclusive
from app.core.ids import new_id
from app.core.keyset import Cursor, Page, paginate

_r = canned_replies.c


async def find(connection: AsyncConnection, *, limit: int, cursor: Cursor | None) -> Page[CannedReply]:
    """Return a page of canned replies, the one made last first."""
    statement = sa.select(*_r).order_by(_r.id.desc()).limit(limit + 1)
    if cursor is not None:
        statement = statement.where(_r.id < cursor.id)
    rows = (await connection.execute(statement)).all()
    return paginate(rows, limit=limit, item=_reply, cursor=lambda row: Cursor(at=row.created_at, id=row.id))


async def add(connection: AsyncConnection, draft: CannedReplyDraft, *, now: datetime) -> CannedReply:
    """Keep a new canned reply. Raises `ShortcutTaken`."""
    row = (
        await connection.execute(
            upsert(canned_replies)
            .values(id=new_id(), created_at=now, **_values(draft))
            .on_conflict_do_nothing()
            .returning(*_r)
        )
    ).one_or_none()
    if row is None:
        raise ShortcutTaken
    return _reply(row)


async def change(connection: AsyncConnection, reply_id: UUID, draft: CannedReplyDraft) -> CannedReply:
    """Replace a canned reply; it keeps its uses. Raises `CannedReplyNotFound` and `ShortcutTaken`."""
    values = _values(draft)
    await exclusive(connection, "canned_replies")
    taken = sa.select(sa.exists().where(_r.shortcut == values["shortcut"], _r.id != reply_id))
    if await connection.scalar(taken):
        raise ShortcutTaken
    row = (
        await connection.execute(sa.update(canned_replies).where(_r.id == reply_id).values(**values).returning(*_r))
    ).one_or_none()
    if row is None:
        raise CannedReplyNotFound
    return _reply(row)


async def remove(connection: AsyncConnection, reply_id: UUID) -> CannedReply:
    """Remove a canned reply, and return what it was. Raises `CannedReplyNotFound`."""
    row = (await connection.execute(sa.delete(canned_replies).where(_r.id == reply_id).returning(*_r))).one_or_none()
    if row is None:
        raise CannedReplyNotFound
    return _reply(row)


async def count_use(connection: AsyncConnection, reply_id: UUID) -> None:
    """Note that a message was written with it. One that is gone meanwhile has nothing to count."""
    await connection.execute(sa.update(canned_replies).where(_r.id == reply_id).values(uses=_r.uses + 1))


def _values(draft: CannedReplyDraft) -> dict[str, str]:
    return {"shortcut": draft.shortcut.lower(), "title": draft.title, "text": draft.text}


def _reply(row: Any) -> CannedReply:
    return CannedReply(
        id=row.id, shortcut=row.shortcut, title=row.title, text=row.text, uses=row.uses, created_at=row.created_at
    )

"""Private notes: what colleagues tell each other about a conversation."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import users
from app.accounts.schemas import Colleague
from app.conversations.errors import NoteNotFound, NotYourNote
from app.conversations.events import NoteAdded, NoteDeleted
from app.conversations.models import notes
from app.conversations.queries import require
from app.conversations.schemas import Note
from app.core.db.events import record
from app.core.ids import new_id
from app.core.keyset import Cursor, Page, paginate
from app.core.log import current_correlation_id

_n = notes.c
_NOTES = sa.select(_n.id, _n.author_id, _n.text, _n.created_at, users.c.username).outerjoin(
    users, users.c.id == _n.author_id
)


async def find(connection: AsyncConnection, conversation_id: UUID, *, limit: int, cursor: Cursor | None) -> Page[Note]:
    """Return a page of a conversation's notes, the newest first. Raises `ConversationNotFound`."""
    await require(connection, conversation_id)
    statement = _NOTES.where(_n.conversation_id == conversation_id)
    if cursor is not None:
        statement = statement.where(_n.id < cursor.id)
    rows = (await connection.execute(statement.order_by(_n.id.desc()).limit(limit + 1))).all()
    return paginate(rows, limit=limit, item=_note, cursor=lambda row: Cursor(at=row.created_at, id=row.id))


async def add(connection: AsyncConnection, conversation_id: UUID, text: str, *, author_id: UUID, now: datetime) -> Note:
    """Note something about a conversation. Raises `ConversationNotFound`."""
    await require(connection, conversation_id)
    note_id = new_id()
    await connection.execute(
        sa.insert(notes).values(
            id=note_id, conversation_id=conversation_id, author_id=author_id, text=text, created_at=now
        )
    )
    added = NoteAdded(correlation_id=current_correlation_id(), conversation_id=conversation_id, note_id=note_id)
    await record(connection, [added])
    return _note((await connection.execute(_NOTES.where(_n.id == note_id))).one())


async def delete(connection: AsyncConnection, conversation_id: UUID, note_id: UUID, *, of: UUID | None) -> None:
    """Delete a note, with `of` only one of this author's.

    Raises `NoteNotFound` and `NotYourNote`.
    """
    mine = (_n.id == note_id) & (_n.conversation_id == conversation_id)
    author_id = await connection.scalar(sa.select(_n.author_id).where(mine).with_for_update())
    if author_id is None:
        raise NoteNotFound
    if of is not None and author_id != of:
        raise NotYourNote
    await connection.execute(sa.delete(notes).where(mine))
    deleted = NoteDeleted(correlation_id=current_correlation_id(), conversation_id=conversation_id, note_id=note_id)
    await record(connection, [deleted])


def _note(row: Any) -> Note:
    return Note(
        id=row.id,
        author=Colleague(id=row.author_id, name=row.username),
        text=row.text,
        created_at=row.created_at,
    )

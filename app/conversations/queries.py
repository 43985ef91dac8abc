"""The inbox: reading conversations, newest first, and noting that they were read."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contacts
from app.conversations.errors import ConversationNotFound
from app.conversations.models import conversations, messages
from app.conversations.schemas import ContactSummary, Conversation, LastMessage
from app.conversations.turns import Control
from app.core.keyset import Cursor, Page, beyond, paginate
from app.whatsapp.window import window_closes_at

PREVIEW_CHARACTERS = 200

_PHONE = re.compile(r"[\d\s+().-]+")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations to list; None means all. `q` is part of a contact's name, or digits of the phone number."""

    control: Control | None = None
    attention: bool | None = None
    unread: bool | None = None
    channel_id: UUID | None = None
    q: str | None = None


async def find(connection: AsyncConnection, wanted: Wanted, *, limit: int, cursor: Cursor | None) -> Page[Conversation]:
    """Return a page of conversations, that with the newest message first."""
    c = conversations.c
    statement = _CONVERSATIONS.where(*_conditions(wanted))
    if cursor is not None:
        statement = statement.where(beyond(cursor, c.last_message_at, c.id))
    rows = (await connection.execute(statement.order_by(c.last_message_at.desc(), c.id.desc()).limit(limit + 1))).all()
    last = await _last_messages(connection, [row.id for row in rows[:limit]])
    return paginate(
        rows,
        limit=limit,
        item=lambda row: _conversation(row, last.get(row.id)),
        cursor=lambda row: Cursor(at=row.last_message_at, id=row.id),
    )


async def conversation(connection: AsyncConnection, conversation_id: UUID) -> Conversation:
    """Return one conversation. Raises `ConversationNotFound`."""
    row = (await connection.execute(_CONVERSATIONS.where(conversations.c.id == conversation_id))).one_or_none()
    if row is None:
        raise ConversationNotFound
    return _conversation(row, (await _last_messages(connection, [row.id])).get(row.id))


async def require(connection: AsyncConnection, conversation_id: UUID) -> None:
    """Raise `ConversationNotFound` unless there is this conversation."""
    found = await connection.execute(sa.select(conversations.c.id).where(conversations.c.id == conversation_id))
    if found.first() is None:
        raise ConversationNotFound


async def mark_read(connection: AsyncConnection, conversation_id: UUID) -> None:
    """Count nothing as unread any more. Raises `ConversationNotFound`."""
    changed = await connection.execute(
        sa.update(conversations).where(conversations.c.id == conversation_id).values(unread=0)
    )
    if not changed.rowcount:
        raise ConversationNotFound


_CONVERSATIONS = sa.select(
    conversations.c.id,
    conversations.c.channel_id,
    conversations.c.control,
    conversations.c.control_version,
    conversations.c.held_by,
    conversations.c.attention,
    conversations.c.unread,
    conversations.c.last_message_at,
    conversations.c.last_inbound_at,
    contacts.c.id.label("contact_id"),
    contacts.c.name,
    contacts.c.phone,
    contacts.c.user_id,
    contacts.c.approved,
).join(contacts, contacts.c.id == conversations.c.contact_id)


def _conditions(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    c = conversations.c
    if wanted.control is not None:
        yield c.control == wanted.control
    if wanted.attention is not None:
        yield c.attention.is_not(None) if wanted.attention else c.attention.is_(None)
    if wanted.unread is not None:
        yield c.unread > 0 if wanted.unread else c.unread == 0
    if wanted.channel_id is not None:
        yield c.channel_id == wanted.channel_id
    if wanted.q is not None and (words := wanted.q.strip()):
        yield _is_named(words)


def _is_named(words: str) -> sa.ColumnElement[bool]:
    """Compare without regard to case, which on SQLite means the letters of ASCII only."""
    by_name = contacts.c.name.icontains(words, autoescape=True)
    digits = re.sub(r"\D", "", words)
    if not digits or not _PHONE.fullmatch(words):
        return by_name
    return sa.or_(by_name, contacts.c.phone.contains(digits))


async def _last_messages(connection: AsyncConnection, conversation_ids: Sequence[UUID]) -> dict[UUID, LastMessage]:
    """Return the newest message of each: one look into the thread's index for every conversation."""
    if not conversation_ids:
        return {}
    m = messages.c
    newest = (
        sa.select(m.id)
        .where(m.conversation_id == conversations.c.id)
        .order_by(m.id.desc())
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    rows = await connection.execute(
        sa.select(
            m.id,
            m.conversation_id,
            m.author,
            m.kind,
            sa.func.substr(m.text, 1, PREVIEW_CHARACTERS).label("text"),
            m.sent_at,
        ).where(m.id.in_(sa.select(newest).where(conversations.c.id.in_(conversation_ids))))
    )
    return {
        row.conversation_id: LastMessage(
            id=row.id, author=row.author, kind=row.kind, text=row.text, sent_at=row.sent_at
        )
        for row in rows
    }


def _conversation(row: Any, last_message: LastMessage | None) -> Conversation:
    return Conversation(
        id=row.id,
        channel_id=row.channel_id,
        contact=ContactSummary(
            id=row.contact_id, name=row.name, phone=row.phone, user_id=row.user_id, approved=bool(row.approved)
        ),
        control=row.control,
        control_version=row.control_version,
        held_by=row.held_by,
        attention=row.attention,
        unread=row.unread,
        last_message_at=row.last_message_at,
        last_message=last_message,
        window_closes_at=window_closes_at(row.last_inbound_at),
    )

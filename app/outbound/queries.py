"""Reading threads with their deliveries, and the queue of what leaves."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import users
from app.accounts.schemas import Colleague
from app.conversations.models import messages
from app.conversations.queries import PREVIEW_CHARACTERS, require
from app.core.keyset import Cursor, Page, paginate
from app.outbound.errors import MessageNotFound, OutboundNotFound
from app.outbound.models import outbound_messages
from app.outbound.schemas import Delivery, MediaSummary, Message, OutboundDetails, OutboundMessage, Tick
from app.outbound.states import WAITING, State
from app.whatsapp.models import media

_o, _m = outbound_messages.c, messages.c


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which outbound messages to list; None means all."""

    state: State | None = None
    channel_id: UUID | None = None
    conversation_id: UUID | None = None


async def thread(
    connection: AsyncConnection, conversation_id: UUID, *, limit: int, cursor: Cursor | None, raw: bool
) -> Page[Message]:
    """Return a page of a conversation's messages, the one stored last first. Raises `ConversationNotFound`."""
    await require(connection, conversation_id)
    statement = _thread(conversation_id, raw=raw)
    if cursor is not None:
        statement = statement.where(_m.id < cursor.id)
    rows = (await connection.execute(statement.order_by(_m.id.desc()).limit(limit + 1))).all()
    return await _page(connection, rows, limit)


async def around(
    connection: AsyncConnection, conversation_id: UUID, message_id: UUID, *, limit: int, raw: bool
) -> Page[Message]:
    """Return the page with this message in its middle: it is continued to what is older as any other.

    Raises `ConversationNotFound`, and `MessageNotFound` where the conversation has no such message.
    """
    await _require_message(connection, conversation_id, message_id)
    statement = _thread(conversation_id, raw=raw)
    newer = await _next(connection, statement, message_id, limit // 2)
    older = statement.where(_m.id <= message_id).order_by(_m.id.desc()).limit(limit - len(newer) + 1)
    return await _page(connection, [*newer, *(await connection.execute(older)).all()], limit)


async def after(
    connection: AsyncConnection, conversation_id: UUID, message_id: UUID, *, limit: int, raw: bool
) -> Page[Message]:
    """Return the messages stored next after this one, the last of them first, and no cursor.

    Raises `ConversationNotFound`, and `MessageNotFound` where the conversation has no such message.
    """
    await _require_message(connection, conversation_id, message_id)
    return await _page(connection, await _next(connection, _thread(conversation_id, raw=raw), message_id, limit), limit)


async def written_message(connection: AsyncConnection, outbound_id: UUID) -> Message:
    """Return the message of the thread that leaves as `outbound_id`."""
    row = (await connection.execute(_messages(raw=False).where(_m.id == outbound_id))).one()
    return _message(row, (await _files(connection, [outbound_id])).get(outbound_id))


async def queue(
    connection: AsyncConnection, wanted: Wanted, *, limit: int, cursor: Cursor | None
) -> Page[OutboundMessage]:
    """Return a page of the messages that leave or have left, the newest first."""
    statement = _OUTBOUND
    for column, value in (
        (_o.state, wanted.state),
        (_o.channel_id, wanted.channel_id),
        (_o.conversation_id, wanted.conversation_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if cursor is not None:
        statement = statement.where(_o.id < cursor.id)
    rows = (await connection.execute(statement.order_by(_o.id.desc()).limit(limit + 1))).all()
    return paginate(rows, limit=limit, item=_outbound_message, cursor=lambda row: Cursor(at=row.created_at, id=row.id))


async def outbound(connection: AsyncConnection, outbound_id: UUID) -> OutboundDetails:
    """Return one message that leaves. Raises `OutboundNotFound`."""
    row = (await connection.execute(_OUTBOUND.add_columns(_o.content).where(_o.id == outbound_id))).one_or_none()
    if row is None:
        raise OutboundNotFound
    shown = _outbound_message(row)
    return OutboundDetails(**msgspec.structs.asdict(shown), content=msgspec.Raw(row.content.encode()))


_DELIVERY = (
    _o.state,
    _o.reason,
    _o.error_code,
    _o.attempt,
    _o.accepted_at,
    _o.sent_at,
    _o.delivered_at,
    _o.read_at,
    _o.failed_at,
    _o.pricing,
)
_OUTBOUND = sa.select(
    _o.id,
    _o.conversation_id,
    _o.channel_id,
    _o.contact_id,
    _o.origin,
    _o.turn_id,
    _o.part,
    _m.kind,
    sa.func.substr(_m.text, 1, PREVIEW_CHARACTERS).label("text"),
    _o.priority,
    _o.wamid,
    _o.reply_to,
    _o.created_at,
    _o.scheduled_at,
    _o.due_at,
    _o.processing_at,
    *_DELIVERY,
).join(messages, _m.id == _o.id)


def _messages(*, raw: bool) -> sa.Select[Any]:
    """Select messages; their payload, which may be long, only where it is shown."""
    statement = sa.select(
        _m.id,
        _m.conversation_id,
        _m.author,
        _m.kind,
        _m.text,
        _m.sent_at.label("said_at"),
        sa.func.coalesce(_m.wamid, _o.wamid).label("wamid"),
        _m.reply_to,
        _m.turn_id,
        (_m.payload if raw else sa.null()).label("payload"),
        _o.user_id,
        users.c.username,
        *_DELIVERY,
    )
    return statement.outerjoin(outbound_messages, _o.id == _m.id).outerjoin(users, users.c.id == _o.user_id)


def _thread(conversation_id: UUID, *, raw: bool) -> sa.Select[Any]:
    return _messages(raw=raw).where(_m.conversation_id == conversation_id)


async def _next(connection: AsyncConnection, statement: sa.Select[Any], message_id: UUID, limit: int) -> Sequence[Any]:
    """Return the rows stored next after a message, the last of them first."""
    rows = await connection.execute(statement.where(_m.id > message_id).order_by(_m.id).limit(limit))
    return list(reversed(rows.all()))


async def _page(connection: AsyncConnection, rows: Sequence[Any], limit: int) -> Page[Message]:
    files = await _files(connection, [row.id for row in rows[:limit]])
    return paginate(
        rows,
        limit=limit,
        item=lambda row: _message(row, files.get(row.id)),
        cursor=lambda row: Cursor(at=row.said_at, id=row.id),
    )


async def _require_message(connection: AsyncConnection, conversation_id: UUID, message_id: UUID) -> None:
    await require(connection, conversation_id)
    found = sa.select(sa.exists().where(_m.id == message_id, _m.conversation_id == conversation_id))
    if not await connection.scalar(found):
        raise MessageNotFound


async def _files(connection: AsyncConnection, message_ids: Sequence[UUID]) -> dict[UUID, MediaSummary]:
    if not message_ids:
        return {}
    f = media.c
    rows = await connection.execute(
        sa.select(f.message_id, f.id, f.kind, f.mime_type, f.filename, f.state, f.size_bytes).where(
            f.message_id.in_(message_ids)
        )
    )
    return {
        row.message_id: MediaSummary(
            id=row.id,
            kind=row.kind,
            mime_type=row.mime_type,
            filename=row.filename,
            state=row.state,
            size_bytes=row.size_bytes,
        )
        for row in rows
    }


def _message(row: Any, file: MediaSummary | None) -> Message:
    return Message(
        id=row.id,
        conversation_id=row.conversation_id,
        author=row.author,
        kind=row.kind,
        text=row.text,
        sent_at=row.said_at,
        wamid=row.wamid,
        reply_to=row.reply_to,
        turn_id=row.turn_id,
        written_by=None if row.user_id is None else Colleague(id=row.user_id, name=row.username),
        media=file,
        delivery=_delivery(row) if row.state is not None else None,
        payload=_json(row.payload),
    )


def _outbound_message(row: Any) -> OutboundMessage:
    return OutboundMessage(
        id=row.id,
        conversation_id=row.conversation_id,
        channel_id=row.channel_id,
        contact_id=row.contact_id,
        origin=row.origin,
        turn_id=row.turn_id,
        part=row.part,
        kind=row.kind,
        text=row.text,
        priority=row.priority,
        wamid=row.wamid,
        reply_to=row.reply_to,
        created_at=row.created_at,
        scheduled_at=row.scheduled_at,
        due_at=row.due_at,
        processing_at=row.processing_at,
        delivery=_delivery(row),
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        state=State(row.state),
        tick=tick_of(row),
        reason=row.reason,
        error_code=row.error_code,
        attempt=row.attempt,
        accepted_at=row.accepted_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        failed_at=row.failed_at,
        pricing=_json(row.pricing),
    )


def tick_of(row: Any) -> Tick:
    """Say what a person is shown of a row with `state`, `delivered_at` and `read_at`: that it arrived outweighs all."""
    if row.read_at is not None:
        return "read"
    if row.delivered_at is not None:
        return "delivered"
    state = State(row.state)
    if state is State.SENT:
        return "sent"
    if state is State.UNKNOWN:
        return "not_confirmed"
    return "queued" if state in WAITING else "failed"


def _json(stored: str | None) -> msgspec.Raw | None:
    return msgspec.Raw(stored.encode()) if stored else None

"""Failover: while a conversation's channel is down, its next message may leave through the other transport.

A message's way is decided anew, under its lock, in the unit of work that lets it leave; nothing else is remembered, so
that a conversation is back on its own channel as soon as that works. Only what certainly was not sent moves: a message
that waits, and that no browser has begun.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contacts
from app.conversations.models import conversations, messages
from app.core.db import Statement, any_of, db_now, one_of
from app.outbound.leaving import IS_FIRST
from app.outbound.models import outbound_messages
from app.outbound.states import CLAIMABLE, WAITING
from app.whatsapp.models import channels
from app.whatsapp.web import ledger
from app.whatsapp.web.models import web_commands
from app.whatsapp.web.sessions import KIND as WEB
from app.whatsapp.window import WINDOW

log = structlog.get_logger()

_MARGIN: Final = timedelta(minutes=5)  # of the window: a message that moved may wait for its pace as well

_o = outbound_messages.c
_thread = conversations.alias("thread")
_home = channels.alias("home")
_way = channels.alias("way")
_other = channels.alias("other")
_known_there = conversations.alias("known_there")
_heard_since = sa.bindparam("heard_since", type_=_thread.c.last_inbound_at.type)

# Another transport: from one linked phone to the next we do not move, and two of them could not share the one row that
# the ledger has for a message.
_OTHER_WAY = (
    sa.select(_other.c.id)
    .join(_known_there, _known_there.c.channel_id == _other.c.id)
    .where(
        _known_there.c.contact_id == _o.contact_id,
        _known_there.c.last_inbound_at > _heard_since,
        _other.c.stopped_at.is_(None),
        _other.c.kind != _home.c.kind,
        sa.or_(_other.c.id == _way.c.id, _other.c.kind != _way.c.kind),
    )
    .order_by(_other.c.id)
    .limit(1)
    .scalar_subquery()
)
_MAY_LEAVE_HOME = sa.and_(
    _home.c.stopped_at <= sa.bindparam("down_since", type_=_home.c.stopped_at.type),
    _home.c.stopped_by.is_(None),  # who stops a channel wants its messages to wait
    _thread.c.last_inbound_at > _heard_since,
    contacts.c.phone.is_not(None),  # what both transports know a person by
    messages.c.kind == "text",  # files and quoted messages have an id on one channel only
)
_NEXT_WAY = sa.case((_MAY_LEAVE_HOME, sa.func.coalesce(_OTHER_WAY, _home.c.id)), else_=_home.c.id)
_MISPLACED = Statement(
    sa.select(_o.id, _way.c.id.label("channel_id"), _way.c.kind, _NEXT_WAY.label("next_id"))
    .join(_thread, _thread.c.id == _o.conversation_id)
    .join(_home, _home.c.id == _thread.c.channel_id)
    .join(_way, _way.c.id == _o.channel_id)
    .join(contacts, contacts.c.id == _o.contact_id)
    .join(messages, messages.c.id == _o.id)
    .where(one_of(_o.state, WAITING), one_of(_o.state, CLAIMABLE), _o.due_at <= db_now(), IS_FIRST)
    .where(sa.or_(_home.c.stopped_at.is_not(None), _way.c.id != _home.c.id), _way.c.id != _NEXT_WAY)
    .where(
        ~sa.exists().where(
            web_commands.c.id == _o.id,
            sa.or_(web_commands.c.state != ledger.CommandState.NOT_SENT, web_commands.c.message_key.is_not(None)),
        )
    )
    .order_by(_o.due_at)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(of=outbound_messages, skip_locked=True)
)
_QUOTES = (
    sa.select(messages.c.reply_to)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(messages.c.id == _o.id, conversations.c.channel_id == sa.bindparam("next_id", type_=sa.Uuid()))
    .scalar_subquery()
)
_MOVE = Statement(
    sa.update(outbound_messages)
    .where(any_of(_o.id, "ids"))
    .values(channel_id=sa.bindparam("next_id", type_=sa.Uuid()), reply_to=_QUOTES)
)
_MOVE_MESSAGES = Statement(
    sa.update(messages).where(any_of(messages.c.id, "ids")).values(channel_id=sa.bindparam("next_id", type_=sa.Uuid()))
)


async def choose_ways(connection: AsyncConnection, after: timedelta, limit: int, *, now: datetime) -> int:
    """Point the next message of up to `limit` conversations to its channel of the moment; return how many moved.

    `after` is how long a channel must have been stopped before its messages leave another way.
    """
    rows = await _MISPLACED.rows(connection, heard_since=now - WINDOW + _MARGIN, down_since=now - after, limit=limit)
    moved = 0
    for channel_id, kind, next_id in sorted({(row.channel_id, row.kind, row.next_id) for row in rows}):
        ids = {row.id for row in rows if (row.channel_id, row.next_id) == (channel_id, next_id)}
        moved += await _move(connection, ids, channel_id, kind, next_id, now=now)
    return moved


async def _move(
    connection: AsyncConnection, ids: set[UUID], channel_id: UUID, kind: str, next_id: UUID, *, now: datetime
) -> int:
    """Move messages from one channel to another; those that a browser has begun meanwhile stay."""
    if kind == WEB:
        ids = await ledger.let_go(connection, channel_id, ids, now=now)
    else:
        await ledger.take_back(connection, ids)
    if ids:
        await _MOVE.run(connection, ids=list(ids), next_id=next_id)
        await _MOVE_MESSAGES.run(connection, ids=list(ids), next_id=next_id)
        log.info("outbound.moved", count=len(ids), channel_id=str(channel_id), next_channel_id=str(next_id))
    return len(ids)

"""Acknowledged webhooks, read once more: everything in them must be in the database."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import messages
from app.core.db import Database, filled_up
from app.core.ids import first_id
from app.outbound.models import delivery_statuses
from app.proof.schemas import Reading
from app.whatsapp.channels import Channels
from app.whatsapp.inbound import DeliveryStatus, InboundMessage
from app.whatsapp.models import inbound_events
from app.whatsapp.normalise import normalise

_MOST_WEBHOOKS = 20_000  # the newest; about ten seconds' work
_AT_ONCE = 100
_EXAMPLES = 5

_w, _m, _d = inbound_events.c, messages.c, delivery_statuses.c
_READ = (
    sa.select(_w.id, _w.body, _w.received_at)
    .where(_w.id >= sa.bindparam("first"), _w.id < sa.bindparam("last"), _w.state == "done")
    .order_by(_w.id.desc())
    .limit(sa.bindparam("limit"))
)
_MESSAGES = sa.select(_m.channel_id, _m.wamid, _m.turn_id, _m.awaits_turn).where(
    _m.wamid.in_(sa.bindparam("wamids", expanding=True)), _m.channel_id.in_(sa.bindparam("channel_ids", expanding=True))
)
_STATUSES = sa.select(_d.channel_id, _d.wamid, _d.status).where(
    _d.wamid.in_(sa.bindparam("wamids", expanding=True)), _d.channel_id.in_(sa.bindparam("channel_ids", expanding=True))
)


class _Told(msgspec.Struct, frozen=True):
    """One thing that a webhook told, under the key it is stored by. `turn`: it deserves an answer."""

    event_id: UUID
    channel_id: UUID
    wamid: str
    status: str | None = None
    turn: bool = False


async def reread(
    database: Database, channels: Channels, since: datetime, until: datetime, *, most: int = _MOST_WEBHOOKS
) -> Reading:
    """Compare the webhooks acknowledged from `since` until before `until`, the newest first, with what is stored."""
    first, last = first_id(since), first_id(until)
    read = told_messages = told_statuses = 0
    missing: list[_Told] = []
    while read < most:
        async with database.read() as connection:
            limit = min(_AT_ONCE, most - read)
            events = (await connection.execute(_READ, {"first": first, "last": last, "limit": limit})).all()
            told = [one for event in events for one in await _told(event, channels)]
            missing += await _missing(connection, told)
        read += len(events)
        told_messages += sum(one.status is None for one in told)
        told_statuses += sum(one.status is not None for one in told)
        if len(events) < limit:
            break
        last = events[-1].id
        await asyncio.sleep(0)  # others want their turn
    return Reading(
        webhooks=read,
        messages=told_messages,
        statuses=told_statuses,
        missing=len(missing),
        examples=list(dict.fromkeys(one.event_id for one in missing))[:_EXAMPLES],
        complete=read < most,
    )


async def _told(event: Any, channels: Channels) -> list[_Told]:
    found = []
    for item in normalise(event.body, event.received_at):
        if isinstance(item, InboundMessage | DeliveryStatus) and item.phone_number_id is not None:
            channel = await channels.by_number(item.phone_number_id)
            if channel is None:
                continue  # it was ours when this was read, and has been removed since
            if isinstance(item, InboundMessage):
                found.append(_Told(event.id, channel.id, item.message_id, turn=item.turn))
            else:
                found.append(_Told(event.id, channel.id, item.message_id, item.status))
    return found


async def _missing(connection: AsyncConnection, told: Sequence[_Told]) -> list[_Told]:
    if not told:
        return []
    named = {
        "wamids": filled_up({one.wamid for one in told}),
        "channel_ids": filled_up({one.channel_id for one in told}),
    }
    stored = {(row.channel_id, row.wamid): row for row in await connection.execute(_MESSAGES, named)}
    statuses = {(row.channel_id, row.wamid, row.status) for row in await connection.execute(_STATUSES, named)}
    missing = []
    for one in told:
        if one.status is not None:
            is_there = (one.channel_id, one.wamid, one.status) in statuses
        else:
            row = stored.get((one.channel_id, one.wamid))
            is_there = row is not None and (not one.turn or row.turn_id is not None or row.awaits_turn == 1)
        if not is_there:
            missing.append(one)
    return missing

"""Stored webhooks become facts: parsed, given to those they concern, and marked done, a batch in one unit of work.

A batch that fails is tried event by event, and an event that fails item by item, so that poison blocks only itself.
An event that was claimed several times without an outcome (its process died each time) is dead.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry, record
from app.core.db import Database, DatabaseUnavailable, Statement, any_of, db_now, db_now_plus, one_of, savepoint
from app.core.failpoints import reach
from app.whatsapp.channels import Channels
from app.whatsapp.errors import Unintelligible
from app.whatsapp.inbound import Inbound, Unreadable
from app.whatsapp.models import inbound_events
from app.whatsapp.normalise import normalise

log = structlog.get_logger()

LEASE_SECONDS = 30.0
MOST_CLAIMS = 3
_MOST_TRIES = 3
_TRY_AGAIN_SECONDS = 0.5


class Fact(msgspec.Struct, frozen=True):
    """One thing that a webhook told, the channel it is about (None: an account matter) and the webhook's id."""

    channel_id: UUID | None
    event_id: UUID
    item: Inbound


class Take(Protocol):
    """Whoever makes contacts, messages and statuses of facts, in the caller's unit of work."""

    async def __call__(self, connection: AsyncConnection, facts: Sequence[Fact], *, now: datetime) -> None: ...


class StoredEvent(msgspec.Struct, frozen=True):
    """A claimed webhook. `claims` is its fencing token."""

    id: UUID
    channel_id: UUID | None
    body: bytes
    received_at: datetime
    claims: int


class _Parsed(msgspec.Struct):
    """An event, its facts, and what in it cannot be used (None: all of it can)."""

    event: StoredEvent
    facts: list[Fact]
    reason: str | None = None


_c = inbound_events.c
_due = (
    sa.select(_c.id)
    .where(one_of(_c.state, ["pending"]), _c.due_at <= db_now())
    .order_by(_c.due_at, _c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")  # as a subquery PostgreSQL may run it again for each row, and claim beyond the limit
)
_CLAIM = Statement(
    sa.update(inbound_events)
    .where(_c.id.in_(sa.select(_due.c.id)))
    .values(claims=_c.claims + 1, due_at=db_now_plus(LEASE_SECONDS))
    .returning(_c.id, _c.channel_id, _c.body, _c.received_at, _c.claims)
)


class Ingest:
    """The claim and the batch handler of the ingest dispatcher. `forget` is called when a unit of work has failed."""

    def __init__(self, database: Database, channels: Channels, take: Take, forget: Callable[[], None]) -> None:
        self._database = database
        self._channels = channels
        self._take = take
        self._forget = forget

    async def claim(self, limit: int) -> list[StoredEvent]:
        """Lease up to `limit` pending events, oldest first."""
        async with self._database.write_once() as connection:
            claimed = [StoredEvent(*row) for row in await _CLAIM.rows(connection, limit=limit)]
        if claimed:
            reach("ingest.claimed")
        return sorted(claimed, key=lambda event: (event.received_at, event.id))  # by the database's clock

    async def handle(self, events: Sequence[StoredEvent]) -> None:
        """Store what `events` tell. One that was claimed before is handled by itself: it may be what ended us."""
        fresh = [event for event in events if event.claims == 1]
        if fresh:
            await self._together([await self._parse(event) for event in fresh])
        for event in events:
            if event.claims > MOST_CLAIMS:
                await self._bury(event)
            elif event.claims > 1:
                await self._alone(await self._parse(event))
        reach("ingest.finished")

    async def _parse(self, event: StoredEvent) -> _Parsed:
        try:
            return await self._read(event)
        except DatabaseUnavailable:
            raise
        except Unintelligible as error:
            return _Parsed(event, [], error.reason)
        except Exception as error:
            log.exception("ingest.unreadable", event_id=str(event.id))
            return _Parsed(event, [], f"it cannot be read: {type(error).__name__}")

    async def _read(self, event: StoredEvent) -> _Parsed:
        items = normalise(event.body, event.received_at)
        parsed = _Parsed(event, [])
        for item in items:
            if isinstance(item, Unreadable):
                parsed.reason = f"an item of {item.field or 'the webhook'} cannot be used: {item.reason}"
                continue
            number = item.phone_number_id
            channel = await self._channels.by_number(number) if number else None
            if number and channel is None:
                parsed.reason = f"unknown phone_number_id {number}: add its channel, then retry this event"
                continue
            if event.channel_id is not None and channel is not None and channel.id != event.channel_id:
                parsed.reason = f"phone_number_id {number} belongs to another channel than the address it came to"
                continue
            parsed.facts.append(Fact(channel.id if channel else None, event.id, item))
        return parsed

    async def _together(self, batch: Sequence[_Parsed]) -> None:
        """Store the batch. A database that gives up is tried again: else the batch would wait until its lease ends."""
        for left in reversed(range(_MOST_TRIES)):
            try:
                await self._store(batch)
            except DatabaseUnavailable:
                if not left:
                    raise
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            else:
                return

    async def _store(self, batch: Sequence[_Parsed]) -> None:
        try:
            async with self._unit_of_work() as connection:
                now = await self._database.now(connection)
                await self._take(connection, [fact for one in batch for fact in one.facts], now=now)
                reach("ingest.taken")
                await _finish(connection, batch, now)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # whatever one of them did, the others must not pay for it
            log.warning("ingest.batch_failed", events=len(batch), exc_info=error)
            for one in batch:
                await self._alone(one)

    async def _alone(self, one: _Parsed) -> None:
        try:
            await self._item_by_item(one)
        except DatabaseUnavailable:
            raise
        except _LostLease:
            log.warning("ingest.lost_lease", event_id=str(one.event.id))
        except Exception as error:  # it comes back when its lease ends; the others must not wait for it
            log.warning("ingest.event_failed", event_id=str(one.event.id), exc_info=error)

    async def _item_by_item(self, one: _Parsed) -> None:
        async with self._unit_of_work() as connection:
            now = await self._database.now(connection)
            for fact in one.facts:
                try:
                    async with savepoint(connection):
                        await self._take(connection, [fact], now=now)
                except DatabaseUnavailable:  # no fault of the item's: the whole event is tried again
                    raise
                except Exception as error:
                    self._forget()
                    log.warning("ingest.item_failed", event_id=str(one.event.id), exc_info=error)
                    one.reason = f"an item could not be stored: {type(error).__name__}"
            await _finish(connection, [one], now)

    @asynccontextmanager
    async def _unit_of_work(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.write() as connection:
                yield connection
        except BaseException:
            self._forget()
            raise

    async def _bury(self, event: StoredEvent) -> None:
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            reason = f"given up after {MOST_CLAIMS} attempts that ended without an outcome"
            await _finish(connection, [_Parsed(event, [], reason)], now)


_LOCK = Statement(
    sa.select(_c.id, _c.claims).where(any_of(_c.id, "ids"), _c.state == "pending").order_by(_c.id).with_for_update()
)
_FINISH = Statement(
    sa.update(inbound_events)
    .where(_c.id == sa.bindparam("event"))
    .values(state=sa.bindparam("next"), reason=sa.bindparam("why"), done_at=sa.bindparam("now"))
)


async def _finish(connection: AsyncConnection, batch: Sequence[_Parsed], now: datetime) -> None:
    """Mark the events done or dead. An event that somebody else has claimed since undoes the unit of work."""
    rows = await _LOCK.rows(connection, ids=[one.event.id for one in batch])
    held = {(row.id, row.claims) for row in rows}
    if any((one.event.id, one.event.claims) not in held for one in batch):
        raise _LostLease
    await _FINISH.run_each(
        connection,
        [
            {"event": one.event.id, "next": "done" if one.reason is None else "dead", "why": one.reason, "now": now}
            for one in batch
        ],
    )


class _LostLease(Exception):
    """Somebody else handles one of these events now."""


async def retry(database: Database, event_id: UUID, *, audit: AuditEntry | None = None) -> bool:
    """Let a dead event be tried again; False if there is none with this id. `audit` is recorded with it."""
    async with database.write() as connection:
        is_taken_up = await take_up(connection, event_id)
        if is_taken_up and audit is not None:
            await record(connection, audit)
    return is_taken_up


async def take_up(connection: AsyncConnection, event_id: UUID) -> bool:
    """Let a dead event be tried again; False if there is none with this id."""
    changed: Any = await connection.execute(
        sa.update(inbound_events)
        .where(_c.id == event_id, _c.state == "dead")
        .values(state="pending", claims=0, due_at=db_now(), reason=None, done_at=None)
    )
    return bool(changed.rowcount)

"""The events table: facts wait here, in the transaction that made them true, until they have been relayed."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db.base import UtcDateTime, db_now, db_now_plus, metadata
from app.core.db.session import Database
from app.core.db.statement import InsertMany, Statement, any_of
from app.core.events import Event
from app.core.failpoints import reach
from app.core.ids import new_id

log = structlog.get_logger()

EVENTS = "events"  # the wake-up topic of the relay

_LEASE_SECONDS = 15.0

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("payload", sa.LargeBinary(), nullable=False, doc="JSON of the event"),
    sa.Column("due_at", UtcDateTime(), nullable=False, index=True, doc="when it may be relayed (again)"),
)


async def record(connection: AsyncConnection, facts: Iterable[Event]) -> None:
    """Write `facts` in the caller's unit of work."""
    encode = msgspec.json.encode
    rows = [{"id": new_id(), "name": fact.name, "payload": encode(fact)} for fact in facts]
    await _INSERT.run(connection, rows)


_INSERT = InsertMany(events, given={"due_at": db_now()})
_due = (
    sa.select(events.c.id)
    .where(events.c.due_at <= db_now())
    .order_by(events.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = Statement(
    sa.update(events)
    .where(events.c.id.in_(sa.select(_due.c.id)))
    .values(due_at=db_now_plus(_LEASE_SECONDS))
    .returning(events.c.id, events.c.name, events.c.payload)
)
_FORGET = Statement(sa.delete(events).where(any_of(events.c.id, "ids")))


class EventRelay:
    """Hands recorded events to `react`, in the order they were recorded, each at least once.

    `kinds` are the event classes by name; an event whose name is not among them has nobody to react to it.
    """

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, type[Event]],
        react: Callable[[Sequence[Event]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._react = react

    async def claim(self, limit: int) -> list[Any]:
        """Lease up to `limit` events; they come back after the lease unless `relay` deletes them."""
        async with self._database.write_once() as connection:
            return sorted(await _CLAIM.rows(connection, limit=limit))  # by id, which comes first

    async def relay(self, rows: Sequence[Any]) -> None:
        """React to `rows`, then forget them: what happened stands in the tables it happened to."""
        facts = [fact for row in rows if (fact := self._decode(row)) is not None]
        await self._react(facts)
        reach("relay.told")
        async with self._database.write_once() as connection:
            await _FORGET.run(connection, ids=[row.id for row in rows])

    def _decode(self, row: Any) -> Event | None:
        """Return the fact; None for one that nobody knows, or that another version wrote in another shape."""
        kind = self._kinds.get(row.name)
        if kind is None:
            return None
        try:
            return msgspec.json.decode(row.payload, type=kind)
        except msgspec.DecodeError as error:
            log.error("relay.unreadable", id=str(row.id), name=row.name, error=str(error))  # noqa: TRY400 - no trace needed
            return None

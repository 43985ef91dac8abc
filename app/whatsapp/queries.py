"""Reading the webhooks that were stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import Conflict, NotFound
from app.core.keyset import Cursor, Page, paginate
from app.whatsapp.models import inbound_events
from app.whatsapp.schemas import EventState, StoredWebhook, WebhookDetails

_c = inbound_events.c
_EVENTS = sa.select(
    _c.id,
    _c.channel_id,
    _c.state,
    _c.reason,
    _c.claims,
    sa.func.length(_c.body).label("size_bytes"),
    _c.received_at,
    _c.done_at,
)


class EventNotFound(NotFound):
    code = "webhook_event_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such stored webhook")


class EventNotDead(Conflict):
    """Only what was given up can be tried again."""

    code = "webhook_event_not_dead"

    def __init__(self, state: str) -> None:
        super().__init__(f"only a dead event can be tried again: this one is {state}")


async def events(
    connection: AsyncConnection, state: EventState | None, *, limit: int, cursor: Cursor | None
) -> Page[StoredWebhook]:
    """Return a page of the stored webhooks, the newest first. Their ids are in the order of their arrival."""
    statement = _EVENTS if state is None else _EVENTS.where(_c.state == state)
    if cursor is not None:
        statement = statement.where(_c.id < cursor.id)
    rows = (await connection.execute(statement.order_by(_c.id.desc()).limit(limit + 1))).all()
    return paginate(
        rows,
        limit=limit,
        item=lambda row: StoredWebhook(**_members(row)),
        cursor=lambda row: Cursor(at=row.received_at, id=row.id),
    )


async def event(connection: AsyncConnection, event_id: UUID) -> WebhookDetails:
    """Return one stored webhook with its body. Raises `EventNotFound`."""
    row = (await connection.execute(_EVENTS.add_columns(_c.body).where(_c.id == event_id))).one_or_none()
    if row is None:
        raise EventNotFound
    return WebhookDetails(**_members(row), body=bytes(row.body).decode("utf-8", "replace"))


async def last_event_at(connection: AsyncConnection, channel_id: UUID | None) -> datetime | None:
    """Return when the newest webhook came to the address of that channel (None: the one that channels share)."""
    mine = _c.channel_id.is_(None) if channel_id is None else _c.channel_id == channel_id
    at: datetime | None = await connection.scalar(sa.select(_c.received_at).where(mine).order_by(_c.id.desc()).limit(1))
    return at


def _members(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in StoredWebhook.__struct_fields__}

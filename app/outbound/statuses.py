"""What WhatsApp says about messages that left: facts with their times, matched by wamid or by our own tracker."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db.events import record
from app.outbound.events import DeliveryChanged
from app.outbound.models import delivery_statuses, outbound_messages
from app.outbound.settle import settle_turns
from app.outbound.states import State
from app.whatsapp.inbound import DeliveryStatus

_FACT = {"sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "played": "read_at", "failed": "failed_at"}
_TRACKER = "ob:"


def tracker(attempt_id: UUID) -> str:
    """Return what travels with a message as `biz_opaque_callback_data` and comes back in its statuses."""
    return f"{_TRACKER}{attempt_id}"


class Told(msgspec.Struct, frozen=True):
    """One status, the channel it came through and the webhook that brought it."""

    channel_id: UUID
    event_id: UUID
    status: DeliveryStatus


class Recorded(msgspec.Struct, frozen=True):
    """How many statuses were new, and the turns that may have ended by them: `settle_turns` is for the caller."""

    new: int = 0
    turn_ids: frozenset[UUID] = frozenset()


async def record_statuses(connection: AsyncConnection, told: Sequence[Told], *, now: datetime) -> int:
    """Keep every status once, apply it to its message, and end the turns that end by it; return how many were new."""
    recorded = await keep_statuses(connection, told)
    await settle_turns(connection, recorded.turn_ids, now=now)
    return recorded.new


async def keep_statuses(connection: AsyncConnection, told: Sequence[Told]) -> Recorded:
    """Keep every status once and apply it to its message.

    One that matches nothing yet (it overtook our own commit) is kept as an orphan and adopted later.
    """
    if not told:
        return Recorded()
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in told:
        status = one.status
        rows.setdefault(
            (one.channel_id, status.message_id, status.status, status.participant or ""),
            {
                "channel_id": one.channel_id,
                "wamid": status.message_id,
                "status": status.status,
                "participant": status.participant or "",
                "tracker": status.tracker,
                "at": status.at,
                "errors": msgspec.json.encode(status.problems).decode() if status.problems else None,
                "pricing": msgspec.json.encode(status.pricing).decode() if status.pricing else None,
                "event_id": one.event_id,
            },
        )
    d = delivery_statuses.c
    inserted = await connection.execute(
        upsert(delivery_statuses).on_conflict_do_nothing().returning(d.channel_id, d.wamid, d.status, d.participant),
        [rows[key] for key in sorted(rows, key=str)],
    )
    new = [rows[tuple(row)] for row in inserted]
    turn_ids = await _apply(connection, new, await _matches(connection, new)) if new else frozenset()
    return Recorded(len(new), turn_ids)


async def adopt_orphans(connection: AsyncConnection, wamids: Mapping[tuple[UUID, str], UUID]) -> None:
    """Apply the statuses that came before we knew their message: {(channel, wamid): outbound id}.

    The caller settles the turns of these messages.
    """
    if not wamids:
        return
    d = delivery_statuses.c
    rows = (
        await connection.execute(
            sa.select(*d)
            .where(d.outbound_id.is_(None), d.wamid.in_({wamid for _, wamid in wamids}))
            .where(d.channel_id.in_({channel_id for channel_id, _ in wamids}))
        )
    ).mappings()
    found = [dict(row) for row in rows if (row["channel_id"], row["wamid"]) in wamids]
    if found:
        ids = [wamids[row["channel_id"], row["wamid"]] for row in found]
        await _apply(connection, found, await _outbound(connection, outbound_messages.c.id.in_(ids)))


_COLUMNS = (
    outbound_messages.c.id,
    outbound_messages.c.channel_id,
    outbound_messages.c.conversation_id,
    outbound_messages.c.turn_id,
    outbound_messages.c.event_id,
    outbound_messages.c.wamid,
    outbound_messages.c.attempt_id,
    outbound_messages.c.state,
)


async def _matches(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> Sequence[Any]:
    """Lock the messages that the statuses name, in one statement, so that their order is everybody's."""
    o = outbound_messages.c
    named = o.wamid.in_({row["wamid"] for row in rows})
    attempts = {attempt for row in rows if (attempt := _attempt_id(row["tracker"])) is not None}
    return await _outbound(connection, sa.or_(named, o.attempt_id.in_(attempts)) if attempts else named)


async def _outbound(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> Sequence[Any]:
    rows = await connection.execute(
        sa.select(*_COLUMNS).where(where).order_by(outbound_messages.c.id).with_for_update()
    )
    return rows.all()


def _attempt_id(text: str | None) -> UUID | None:
    if text is None or not text.startswith(_TRACKER):
        return None
    try:
        return UUID(text.removeprefix(_TRACKER))
    except ValueError:
        return None


async def _apply(
    connection: AsyncConnection, rows: Sequence[dict[str, Any]], matches: Sequence[Any]
) -> frozenset[UUID]:
    """Write what the statuses say about their messages; return the turns that may have ended by it."""
    by_wamid = {(match.channel_id, match.wamid): match for match in matches if match.wamid is not None}
    by_attempt = {(match.channel_id, match.attempt_id): match for match in matches if match.attempt_id is not None}
    adopted, updates, facts, touched = [], [], [], set()
    for row in sorted(rows, key=lambda one: one["at"]):
        channel_id = row["channel_id"]
        match = by_wamid.get((channel_id, row["wamid"])) or by_attempt.get((channel_id, _attempt_id(row["tracker"])))
        if match is None:
            continue
        if match.turn_id is not None:
            touched.add(match.turn_id)
        adopted.append(
            {
                "outbound": match.id,
                "channel": row["channel_id"],
                "message": row["wamid"],
                "said": row["status"],
                "who": row["participant"],
            }
        )
        updates.append(_update(match, row))
        facts.append(
            DeliveryChanged(
                correlation_id=match.event_id,
                conversation_id=match.conversation_id,
                outbound_id=match.id,
                change=row["status"],
            )
        )
    if updates:
        await _write(connection, updates, adopted)
        await record(connection, facts)
    return frozenset(touched)


def _update(match: Any, row: dict[str, Any]) -> dict[str, Any]:
    fact = _FACT.get(row["status"])
    values: dict[str, Any] = {
        "outbound": match.id,
        "known_as": row["wamid"],
        "price": row["pricing"],
        "sent_at": None,
        "delivered_at": None,
        "read_at": None,
        "failed_at": None,
        "why": row["errors"] if fact == "failed_at" else None,
    }
    if fact is not None:
        values[fact] = row["at"]
    return values


async def _write(
    connection: AsyncConnection, updates: Sequence[dict[str, Any]], adopted: Sequence[dict[str, Any]]
) -> None:
    """Keep the first time of each fact. `failed` is the state only while nothing says that it arrived."""
    o, d = outbound_messages.c, delivery_statuses.c
    arrived = sa.or_(
        o.delivered_at.is_not(None),
        o.read_at.is_not(None),
        sa.bindparam("delivered_at", type_=o.delivered_at.type).is_not(None),
        sa.bindparam("read_at", type_=o.read_at.type).is_not(None),
    )
    says_failed = sa.bindparam("failed_at", type_=o.failed_at.type).is_not(None)
    # No IN here: SQLAlchemy cannot expand its list in a statement that runs for many rows.
    undecided = sa.or_(o.state == State.PROCESSING, o.state == State.UNKNOWN, o.state == State.RETRY)
    not_withdrawn = sa.or_(undecided, o.state == State.FAILED, o.state == State.SENT)
    await connection.execute(
        sa.update(outbound_messages)
        .where(o.id == sa.bindparam("outbound"))
        .values(
            wamid=sa.func.coalesce(o.wamid, sa.bindparam("known_as", type_=o.wamid.type)),
            pricing=sa.func.coalesce(sa.bindparam("price", type_=o.pricing.type), o.pricing),
            sent_at=sa.func.coalesce(o.sent_at, sa.bindparam("sent_at", type_=o.sent_at.type)),
            delivered_at=sa.func.coalesce(o.delivered_at, sa.bindparam("delivered_at", type_=o.sent_at.type)),
            read_at=sa.func.coalesce(o.read_at, sa.bindparam("read_at", type_=o.sent_at.type)),
            failed_at=sa.func.coalesce(o.failed_at, sa.bindparam("failed_at", type_=o.sent_at.type)),
            reason=sa.case((arrived, None), (says_failed, sa.bindparam("why", type_=o.reason.type)), else_=o.reason),
            state=sa.case(
                (sa.and_(not_withdrawn, arrived), State.SENT),
                (sa.and_(not_withdrawn, says_failed), State.FAILED),
                (undecided, State.SENT),
                else_=o.state,
            ),
        ),
        updates,
    )
    await connection.execute(
        sa.update(delivery_statuses)
        .where(
            d.channel_id == sa.bindparam("channel"),
            d.wamid == sa.bindparam("message"),
            d.status == sa.bindparam("said"),
            d.participant == sa.bindparam("who"),
        )
        .values(outbound_id=sa.bindparam("outbound")),
        adopted,
    )

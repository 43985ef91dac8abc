"""What WhatsApp says about messages that left: facts with their times, matched by wamid or by our own tracker."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import InsertMany, Statement, any_of, one_of
from app.core.db.events import record
from app.outbound.attention import raise_attention
from app.outbound.events import DeliveryChanged
from app.outbound.models import delivery_statuses, outbound_messages
from app.outbound.settle import settle_turns
from app.outbound.states import State
from app.whatsapp.inbound import DeliveryStatus

_FACT = {"sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "played": "read_at", "failed": "failed_at"}
TRACKER_PREFIX = "ob:"


def tracker(attempt_id: UUID) -> str:
    """Return what travels with a message as `biz_opaque_callback_data` and comes back in its statuses."""
    return f"{TRACKER_PREFIX}{attempt_id}"


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


_o, _d = outbound_messages.c, delivery_statuses.c
_KEEP = InsertMany(
    delivery_statuses,
    skip_existing=True,
    returning=[_d.channel_id, _d.wamid, _d.status, _d.participant],
)


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
    inserted = await _KEEP.rows(connection, [rows[key] for key in sorted(rows, key=str)])
    new = [rows[tuple(row)] for row in inserted]
    if not new:
        return Recorded()
    applied = await _apply(connection, new, await _matches(connection, new))
    await adopt_orphans(connection, applied.learned)
    return Recorded(len(new), applied.turn_ids)


_ORPHANS = Statement(
    sa.select(*_d).where(_d.outbound_id.is_(None), any_of(_d.wamid, "wamids"), any_of(_d.channel_id, "channel_ids"))
)


async def adopt_orphans(connection: AsyncConnection, wamids: Mapping[tuple[UUID, str], UUID]) -> None:
    """Apply the statuses that came before we knew their message: {(channel, wamid): outbound id}.

    The caller settles the turns of these messages.
    """
    if not wamids:
        return
    rows = await _ORPHANS.rows(
        connection,
        wamids=list({wamid for _, wamid in wamids}),
        channel_ids=list({channel_id for channel_id, _ in wamids}),
    )
    found = [row._asdict() for row in rows if (row.channel_id, row.wamid) in wamids]
    if found:
        ids = [wamids[row["channel_id"], row["wamid"]] for row in found]
        await _apply(connection, found, await _LOCK_BY_ID.rows(connection, ids=ids))


_LOCK = (
    sa.select(_o.id, _o.channel_id, _o.conversation_id, _o.turn_id, _o.event_id, _o.wamid, _o.attempt_id, _o.state)
    .order_by(_o.id)
    .with_for_update()
)
_LOCK_BY_ID = Statement(_LOCK.where(any_of(_o.id, "ids")))
_LOCK_BY_WAMID = Statement(_LOCK.where(any_of(_o.wamid, "wamids")))
_LOCK_BY_WAMID_OR_ATTEMPT = Statement(
    _LOCK.where(sa.or_(any_of(_o.wamid, "wamids"), any_of(_o.attempt_id, "attempt_ids")))
)


async def _matches(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> Sequence[Any]:
    """Lock the messages that the statuses name, in one statement, so that their order is everybody's."""
    wamids = list({row["wamid"] for row in rows})
    attempt_ids = list({attempt for row in rows if (attempt := _attempt_id(row["tracker"])) is not None})
    if attempt_ids:
        return await _LOCK_BY_WAMID_OR_ATTEMPT.rows(connection, wamids=wamids, attempt_ids=attempt_ids)
    return await _LOCK_BY_WAMID.rows(connection, wamids=wamids)


def _attempt_id(text: str | None) -> UUID | None:
    if text is None or not text.startswith(TRACKER_PREFIX):
        return None
    try:
        return UUID(text.removeprefix(TRACKER_PREFIX))
    except ValueError:
        return None


class _Applied(msgspec.Struct, frozen=True):
    """The turns that may have ended, and the wamids that our own tracker taught us: other statuses may have them."""

    turn_ids: frozenset[UUID]
    learned: dict[tuple[UUID, str], UUID]


async def _apply(connection: AsyncConnection, rows: Sequence[dict[str, Any]], matches: Sequence[Any]) -> _Applied:
    """Write what the statuses say about their messages."""
    by_wamid = {(match.channel_id, match.wamid): match for match in matches if match.wamid is not None}
    by_attempt = {(match.channel_id, match.attempt_id): match for match in matches if match.attempt_id is not None}
    adopted, updates, facts, touched = [], [], [], set()
    learned: dict[tuple[UUID, str], UUID] = {}
    for row in sorted(rows, key=lambda one: one["at"]):
        channel_id = row["channel_id"]
        match = by_wamid.get((channel_id, row["wamid"])) or by_attempt.get((channel_id, _attempt_id(row["tracker"])))
        if match is None:
            continue
        if match.turn_id is not None:
            touched.add(match.turn_id)
        if match.wamid is None:
            learned[channel_id, row["wamid"]] = match.id
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
        await raise_attention(connection, [one["outbound"] for one in updates if one["failed_at"] is not None])
        await record(connection, facts)
    return _Applied(frozenset(touched), learned)


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


_ARRIVED = sa.or_(
    _o.delivered_at.is_not(None),
    _o.read_at.is_not(None),
    sa.bindparam("delivered_at", type_=_o.delivered_at.type).is_not(None),
    sa.bindparam("read_at", type_=_o.read_at.type).is_not(None),
)
_SAYS_FAILED = sa.bindparam("failed_at", type_=_o.failed_at.type).is_not(None)
_UNDECIDED = one_of(_o.state, (State.PROCESSING, State.UNKNOWN, State.RETRY))
_NOT_WITHDRAWN = sa.or_(_UNDECIDED, one_of(_o.state, (State.FAILED, State.SENT)))
_WRITE_FACTS = Statement(
    sa.update(outbound_messages)
    .where(_o.id == sa.bindparam("outbound"))
    .values(
        wamid=sa.func.coalesce(_o.wamid, sa.bindparam("known_as", type_=_o.wamid.type)),
        pricing=sa.func.coalesce(sa.bindparam("price", type_=_o.pricing.type), _o.pricing),
        sent_at=sa.func.coalesce(_o.sent_at, sa.bindparam("sent_at", type_=_o.sent_at.type)),
        delivered_at=sa.func.coalesce(_o.delivered_at, sa.bindparam("delivered_at", type_=_o.sent_at.type)),
        read_at=sa.func.coalesce(_o.read_at, sa.bindparam("read_at", type_=_o.sent_at.type)),
        failed_at=sa.func.coalesce(_o.failed_at, sa.bindparam("failed_at", type_=_o.sent_at.type)),
        reason=sa.case((_ARRIVED, None), (_SAYS_FAILED, sa.bindparam("why", type_=_o.reason.type)), else_=_o.reason),
        state=sa.case(
            (sa.and_(_NOT_WITHDRAWN, _ARRIVED), State.SENT),
            (sa.and_(_NOT_WITHDRAWN, _SAYS_FAILED), State.FAILED),
            (_UNDECIDED, State.SENT),
            else_=_o.state,
        ),
    )
)
_ADOPT = Statement(
    sa.update(delivery_statuses)
    .where(
        _d.channel_id == sa.bindparam("channel"),
        _d.wamid == sa.bindparam("message"),
        _d.status == sa.bindparam("said"),
        _d.participant == sa.bindparam("who"),
    )
    .values(outbound_id=sa.bindparam("outbound"))
)


async def _write(
    connection: AsyncConnection, updates: Sequence[dict[str, Any]], adopted: Sequence[dict[str, Any]]
) -> None:
    """Keep the first time of each fact. `failed` is the state only while nothing says that it arrived."""
    await _WRITE_FACTS.run_each(connection, updates)
    await _ADOPT.run_each(connection, adopted)

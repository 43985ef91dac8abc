"""What became of an attempt: written by group commit, fenced by the attempt's id."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Statement, any_of, one_of
from app.core.db.events import record
from app.outbound.attention import raise_attention
from app.outbound.events import ChannelStopped, DeliveryChanged
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.outbound.settle import settle_turns
from app.outbound.states import WAITING, State
from app.outbound.statuses import adopt_orphans
from app.whatsapp.models import channels

_o = outbound_messages.c


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended. `retry_seconds` goes with State.RETRY; `stop_channel` when WhatsApp refuses us as such."""

    leaving: Leaving
    state: State
    wamid: str | None = None
    reason: str | None = None
    error_code: int | None = None
    retry_seconds: float | None = None
    stop_channel: bool = False


async def save(connection: AsyncConnection, outcomes: Sequence[Outcome], *, now: datetime) -> list[bool]:
    """Write the outcomes of attempts that are still ours; say for each whether it was.

    An attempt whose lease ran out is in `unknown`: its own definite result settles that too, but it is not tried again
    once a later message of its conversation has begun to leave. Where a status was faster and says that WhatsApp has
    the message, only our own acceptance is left to be noted.
    """
    states = await _states(connection, outcomes)
    outcomes = await _in_order(connection, outcomes, states)
    is_ours = [_is_ours(one, states.get(one.leaving.attempt_id)) for one in outcomes]
    mine = [one for one, ours in zip(outcomes, is_ours, strict=True) if ours]
    if mine:
        await _write(connection, mine, now)
        await raise_attention(connection, [one.leaving.id for one in mine if one.state is State.FAILED])
        await _stop_channels(connection, mine, now)
        accepted = {(one.leaving.channel_id, one.wamid): one.leaving.id for one in mine if one.wamid is not None}
        await adopt_orphans(connection, accepted)
        await record(
            connection,
            [
                DeliveryChanged(
                    correlation_id=one.leaving.event_id,
                    conversation_id=one.leaving.conversation_id,
                    outbound_id=one.leaving.id,
                    change=one.state,
                )
                for one in mine
            ],
        )
        await settle_turns(connection, {one.leaving.turn_id for one in mine if one.leaving.turn_id}, now=now)
    return is_ours


def _is_ours(one: Outcome, state: State | None) -> bool:
    return state in (State.PROCESSING, State.UNKNOWN) or (state is State.SENT and one.state is State.SENT)


_LOCK_ATTEMPTS = Statement(
    sa.select(_o.attempt_id, _o.state)
    .where(any_of(_o.id, "ids"), any_of(_o.attempt_id, "attempt_ids"))
    .order_by(_o.id)
    .with_for_update()
)


async def _states(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> dict[UUID, State]:
    """Lock the messages whose attempt is still the one that ended; return their states by attempt."""
    rows = await _LOCK_ATTEMPTS.rows(
        connection,
        ids=[one.leaving.id for one in outcomes],
        attempt_ids=[one.leaving.attempt_id for one in outcomes],
    )
    return {row.attempt_id: State(row.state) for row in rows}


_TOO_LATE = "not sent in time, and newer messages have left since"
_later = outbound_messages.alias("later")
_OVERTAKEN = Statement(
    sa.select(_o.id).where(
        any_of(_o.id, "ids"),
        sa.exists().where(
            _later.c.conversation_id == _o.conversation_id,
            _later.c.id > _o.id,
            one_of(_later.c.state, (State.PROCESSING, State.UNKNOWN, State.SENT)),
        ),
    )
)


async def _in_order(
    connection: AsyncConnection, outcomes: Sequence[Outcome], states: Mapping[UUID, State]
) -> Sequence[Outcome]:
    """Give up what would be tried again behind its successors: a process was paused for longer than its lease."""
    late = {
        one.leaving.id
        for one in outcomes
        if one.state is State.RETRY and states.get(one.leaving.attempt_id) is State.UNKNOWN
    }
    if not late:
        return outcomes
    overtaken = set(await _OVERTAKEN.values(connection, ids=list(late)))
    return [
        msgspec.structs.replace(one, state=State.FAILED, reason=_TOO_LATE, retry_seconds=None)
        if one.leaving.id in overtaken
        else one
        for one in outcomes
    ]


_WRITE = Statement(
    sa.update(outbound_messages)
    .where(_o.id == sa.bindparam("outbound"))
    .values(
        state=sa.bindparam("next"),
        reason=sa.bindparam("why"),
        error_code=sa.bindparam("code"),
        wamid=sa.func.coalesce(sa.bindparam("known_as", type_=sa.String()), _o.wamid),
        due_at=sa.bindparam("due"),
        accepted_at=sa.bindparam("accepted"),
        failed_at=sa.bindparam("failed"),
    )
)


async def _write(connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
    await _WRITE.run_each(connection, [_row(one, now) for one in outcomes])


def _row(one: Outcome, now: datetime) -> dict[str, Any]:
    state = one.state
    return {
        "outbound": one.leaving.id,
        "next": state,
        "why": one.reason,
        "code": one.error_code,
        "known_as": one.wamid,
        "due": now + timedelta(seconds=one.retry_seconds or 0),
        "accepted": now if state is State.SENT else None,
        "failed": now if state is State.FAILED else None,
    }


_ANOTHER = Statement(
    sa.select(_o.id).where(one_of(_o.state, WAITING), any_of(_o.conversation_id, "conversation_ids")).limit(1)
)


async def another_waits(connection: AsyncConnection, conversation_ids: Iterable[UUID]) -> bool:
    """Say whether something of these conversations waits to be sent: it had to stand behind what has ended now."""
    return bool(await _ANOTHER.rows(connection, conversation_ids=list(conversation_ids)))


async def _stop_channels(connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
    reasons = {one.leaving.channel_id: one.reason for one in outcomes if one.stop_channel}
    for channel_id in sorted(reasons):
        reason = reasons[channel_id] or "WhatsApp refuses this channel"
        stopped = await connection.execute(
            sa.update(channels)
            .where(channels.c.id == channel_id, channels.c.stopped_at.is_(None))
            .values(stopped_at=now, stopped_reason=reason)
        )
        if stopped.rowcount:
            await record(connection, [ChannelStopped(channel_id=channel_id, reason=reason)])

"""What waits and what is under way in each stage and each queue, for the operator's eyes."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import turns
from app.conversations.turns import State as TurnState
from app.core.db import db_now, one_of
from app.core.db.events import events
from app.core.errors import Unavailable
from app.core.queue.queues import JobQueues
from app.outbound.models import outbound_messages
from app.outbound.states import CLAIMABLE
from app.outbound.states import State as OutboundState
from app.system.schemas import QueueState
from app.whatsapp.models import inbound_events, media

__all__ = ["job_queues", "stages"]

_e, _t, _o, _v, _m = inbound_events.c, turns.c, outbound_messages.c, events.c, media.c


async def stages(connection: AsyncConnection) -> list[QueueState]:
    """Return the stages of the message path in its order, and the files to be fetched."""
    found = []
    for name, statement in _STAGES.items():
        row = (await connection.execute(statement)).one()
        found.append(
            QueueState(
                name=name,
                pending=row.pending or 0,
                in_flight=row.in_flight or 0,
                scheduled=row.scheduled or 0,
                oldest_age_seconds=_age_seconds(row.oldest, row.now),
            )
        )
    return found


async def job_queues(queues: JobQueues) -> list[QueueState]:
    """Return the queues of jobs; none while their broker does not answer, which health says by itself."""
    try:
        counts = await queues.counts()
    except Unavailable:
        return []
    return [
        QueueState(
            name=f"jobs.{name}",
            pending=count.queued,
            in_flight=count.active,
            scheduled=count.scheduled,
            oldest_age_seconds=None,
        )
        for name, count in counts.items()
    ]


def _stage(
    of: sa.ColumnElement[bool], due_at: sa.ColumnElement[datetime], is_claimed: sa.ColumnElement[bool]
) -> sa.Select[Any, Any, Any, Any, Any]:
    """Count the rows that a stage has before it: due, claimed (a claim moves `due_at` on), and due later."""
    is_due = due_at <= db_now()
    return sa.select(
        db_now().label("now"),
        sa.func.count(sa.case((is_due, 1))).label("pending"),
        sa.func.count(sa.case((~is_due & is_claimed, 1))).label("in_flight"),
        sa.func.count(sa.case((~is_due & ~is_claimed, 1))).label("scheduled"),
        sa.func.min(sa.case((is_due, due_at))).label("oldest"),
    ).where(of)


_STAGES = {
    "ingest": _stage(_e.state == "pending", _e.due_at, _e.claims > 0),
    "answer": _stage(
        one_of(_t.state, (TurnState.COLLECTING, TurnState.THINKING)), _t.due_at, _t.state == TurnState.THINKING
    ),
    "deliver": _stage(
        one_of(_o.state, (*CLAIMABLE, OutboundState.PROCESSING)), _o.due_at, _o.state == OutboundState.PROCESSING
    ),
    "relay": _stage(sa.true(), _v.due_at, sa.true()),
    "media": _stage(_m.state == "pending", _m.due_at, sa.false()),
}


def _age_seconds(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

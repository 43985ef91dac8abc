"""What waits in the database, by stage: the numbers of health, metrics and alerts."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.conversations.models import turns
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.outbound.models import outbound_messages
from app.outbound.states import CLAIMABLE
from app.outbound.states import State as OutboundState
from app.system.dead_letters import LETTERS
from app.system.schemas import Backlog
from app.whatsapp.models import inbound_events

_NEEDS_OPERATOR_AFTER = timedelta(hours=1)  # a status may still settle it; after an hour a person should look


class DatabaseBacklog:
    """Reads the backlog. Ages count from the moment the work was due, so what is scheduled for later is not late."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> Backlog:
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            waiting = {stage: (await connection.execute(statement)).one() for stage, statement in _waiting(now).items()}
            dead: dict[str, int] = {
                kind: (await connection.scalar(statement)) or 0 for kind, statement in _DEAD.items()
            }
            unknown = (await connection.execute(_unknown(now))).one()
        return Backlog(
            oldest_age_seconds={stage: _age_seconds(row.oldest, now) for stage, row in waiting.items()},
            pending={stage: row.number for stage, row in waiting.items()},
            dead=dead,
            unknown=unknown.number,
            needs_operator=unknown.old or 0,
        )


def _waiting(now: datetime) -> dict[str, sa.Select[Any, Any]]:
    """Count what is due in each stage, and find the oldest. A claim moves `due_at`, so work under way is not late."""
    inbox, turn, outbox = inbound_events.c, turns.c, outbound_messages.c
    return {
        "inbox": sa.select(sa.func.count().label("number"), sa.func.min(inbox.due_at).label("oldest")).where(
            inbox.state == "pending", inbox.due_at <= now
        ),
        "turn": sa.select(sa.func.count().label("number"), sa.func.min(turn.due_at).label("oldest")).where(
            turn.state.in_((TurnState.COLLECTING, TurnState.THINKING)), turn.due_at <= now
        ),
        "outbox": sa.select(sa.func.count().label("number"), sa.func.min(outbox.due_at).label("oldest")).where(
            outbox.state.in_(CLAIMABLE), outbox.due_at <= now
        ),
    }


_DEAD: dict[str, sa.Select[int]] = {
    kind: sa.select(sa.func.count()).select_from(letters.subquery()) for kind, letters in LETTERS.items()
}


def _unknown(now: datetime) -> sa.Select[Any, Any]:
    o = outbound_messages.c
    old = sa.func.sum(sa.case((o.processing_at <= now - _NEEDS_OPERATOR_AFTER, 1), else_=0))
    return sa.select(sa.func.count().label("number"), old.label("old")).where(o.state == OutboundState.UNKNOWN)


def _age_seconds(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

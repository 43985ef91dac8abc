"""When the last part of an answer has ended, its turn ends."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.answering import Ending, end
from app.conversations.models import turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.outbound.models import outbound_messages
from app.outbound.states import FINAL, State


def verdict(states: Iterable[State]) -> tuple[TurnState, Reason | None] | None:
    """Say how a turn ends whose parts are in `states`; None while one of them may still change. Pure."""
    found = set(states)
    if not found or not found <= FINAL:
        return None
    if State.SENT in found and State.FAILED not in found:
        return TurnState.DONE, None
    if State.FAILED in found:
        return TurnState.FAILED, Reason.SEND_FAILED
    if State.EXPIRED in found:
        return TurnState.FAILED, Reason.WINDOW_CLOSED
    if State.CANCELLED in found:
        return TurnState.IGNORED, Reason.CANCELLED
    return TurnState.IGNORED, Reason.HELD_BY_PERSON


async def settle_turns(connection: AsyncConnection, turn_ids: Iterable[UUID], *, now: datetime) -> None:
    """End those of the turns whose answer has left, or never will. Turns that have ended already stay as they are."""
    wanted = set(turn_ids)
    if not wanted:
        return
    o = outbound_messages.c
    rows = await connection.execute(
        sa.select(turns.c.id, turns.c.conversation_id, turns.c.event_id, o.state)
        .join(outbound_messages, o.turn_id == turns.c.id)
        .where(turns.c.id.in_(wanted), turns.c.state.in_((TurnState.READY, TurnState.SENDING)))
    )
    parts: dict[tuple[UUID, UUID, UUID | None], list[State]] = {}
    for row in rows:
        parts.setdefault((row.id, row.conversation_id, row.event_id), []).append(State(row.state))
    endings = []
    for (turn_id, conversation_id, event_id), states in parts.items():
        found = verdict(states)
        if found is not None:
            endings.append(Ending(turn_id, conversation_id, found[0], found[1], event_id))
    await end(connection, endings, now=now)

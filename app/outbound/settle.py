"""When the last part of an answer has ended, its turn ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.answering import Ending, end
from app.conversations.models import turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.core.db import Statement, any_of, one_of
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


_LOCK_ANSWERED = Statement(
    sa.select(turns.c.id, turns.c.conversation_id, turns.c.event_id)
    .where(
        any_of(turns.c.id, "ids"),
        one_of(turns.c.state, (TurnState.READY, TurnState.SENDING)),
    )
    .order_by(turns.c.id)
    .with_for_update()
)


async def settle_turns(connection: AsyncConnection, turn_ids: Iterable[UUID], *, now: datetime) -> None:
    """End those of the turns whose answer has left, or never will. Turns that have ended already stay as they are."""
    wanted = set(turn_ids)
    if not wanted:
        return
    answered = await _LOCK_ANSWERED.rows(connection, ids=list(wanted))
    if not answered:
        return
    # Read under the lock, in a statement of its own: two processes that each end another part of one answer would
    # otherwise both see the other's part still on its way, and nobody would end the turn.
    states = await _states(connection, [turn.id for turn in answered])
    endings = []
    for turn in answered:
        found = verdict(states.get(turn.id, ()))
        if found is not None:
            endings.append(Ending(turn.id, turn.conversation_id, found[0], found[1], turn.event_id))
    await end(connection, endings, now=now)


_PARTS = Statement(
    sa.select(outbound_messages.c.turn_id, outbound_messages.c.state).where(
        any_of(outbound_messages.c.turn_id, "turn_ids")
    )
)


async def _states(connection: AsyncConnection, turn_ids: Sequence[UUID]) -> dict[UUID, list[State]]:
    found: dict[UUID, list[State]] = {}
    for row in await _PARTS.rows(connection, turn_ids=turn_ids):
        found.setdefault(row.turn_id, []).append(State(row.state))
    return found

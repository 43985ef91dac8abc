"""A turn that was given up, taken up again because a person says so."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.errors import TurnNotReopened
from app.conversations.models import conversations, turns
from app.conversations.turns import Reason, State
from app.core.db import one_of

__all__ = ["GIVEN_UP", "reopen"]

GIVEN_UP = (Reason.TOO_MANY_ATTEMPTS, Reason.MODELS_UNAVAILABLE)
"""Why a turn fails before there is an answer."""

_t, _c = turns.c, conversations.c


async def reopen(connection: AsyncConnection, conversation_id: UUID, turn_id: UUID, *, now: datetime) -> None:
    """Let a turn that was given up be answered as if its messages had just arrived.

    Raises `TurnNotReopened` when it was not given up, when the bot does not hold the conversation, and when a newer
    turn of it is open.
    """
    conversation = (
        await connection.execute(sa.select(_c.control, _c.attention).where(_c.id == conversation_id).with_for_update())
    ).one()
    turn = (await connection.execute(sa.select(_t.state, _t.reason).where(_t.id == turn_id).with_for_update())).one()
    if turn.state != State.FAILED or turn.reason not in GIVEN_UP:
        raise TurnNotReopened(f"it is {turn.state} by now")
    if conversation.control != "bot":
        raise TurnNotReopened("a person looks after the conversation: hand it back first")
    if await connection.scalar(_another_open(conversation_id)):
        raise TurnNotReopened("a newer turn of the conversation is open")
    await connection.execute(
        sa.update(turns)
        .where(_t.id == turn_id)
        .values(
            state=State.COLLECTING,
            reason=None,
            opened_at=now,
            latest_at=now,
            due_at=now,
            claims=0,
            failures=0,
            ended_at=None,
        )
    )
    if conversation.attention == turn.reason:
        await connection.execute(sa.update(conversations).where(_c.id == conversation_id).values(attention=None))


def _another_open(conversation_id: UUID) -> sa.Select[tuple[bool]]:
    is_open = one_of(_t.state, (State.COLLECTING, State.THINKING))
    return sa.select(sa.exists().where(_t.conversation_id == conversation_id, is_open))

"""Reading turns with everything that explains them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.llm.models import model_calls
from app.ai.replies.schemas import ModelCall, Turn
from app.conversations.models import messages, turns
from app.conversations.queries import require
from app.conversations.turns import Reason, State
from app.core.errors import NotFound
from app.core.keyset import Cursor, Page, paginate

_t = turns.c


class TurnNotFound(NotFound):
    code = "turn_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such turn")


async def turns_of(
    connection: AsyncConnection, conversation_id: UUID, *, limit: int, cursor: Cursor | None
) -> Page[Turn]:
    """Return a page of a conversation's turns, the newest first. Raises `ConversationNotFound`."""
    await require(connection, conversation_id)
    statement = sa.select(*_t).where(_t.conversation_id == conversation_id)
    if cursor is not None:
        statement = statement.where(_t.id < cursor.id)
    rows = (await connection.execute(statement.order_by(_t.id.desc()).limit(limit + 1))).all()
    story = await _story(connection, [row.id for row in rows[:limit]])
    return paginate(rows, limit=limit, item=story.turn, cursor=lambda row: Cursor(at=row.opened_at, id=row.id))


async def turn(connection: AsyncConnection, turn_id: UUID) -> Turn:
    """Return one turn. Raises `TurnNotFound`."""
    row = (await connection.execute(sa.select(*_t).where(_t.id == turn_id))).one_or_none()
    if row is None:
        raise TurnNotFound
    return (await _story(connection, [row.id])).turn(row)


class _Story:
    """What belongs to some turns, by turn."""

    def __init__(self) -> None:
        self.inbound: dict[UUID, list[UUID]] = {}
        self.outbound: dict[UUID, list[UUID]] = {}
        self.calls: dict[UUID, list[ModelCall]] = {}

    def turn(self, row: Any) -> Turn:
        return Turn(
            id=row.id,
            conversation_id=row.conversation_id,
            state=State(row.state),
            reason=Reason(row.reason) if row.reason is not None else None,
            opened_at=row.opened_at,
            due_at=row.due_at,
            claimed_at=row.claimed_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            restarts=row.restarts,
            failures=row.failures,
            superseded_by=row.superseded_by,
            inbound_ids=self.inbound.get(row.id, []),
            outbound_ids=self.outbound.get(row.id, []),
            model_calls=self.calls.get(row.id, []),
        )


async def _story(connection: AsyncConnection, turn_ids: Sequence[UUID]) -> _Story:
    story = _Story()
    if not turn_ids:
        return story
    m, k = messages.c, model_calls.c
    said = await connection.execute(sa.select(m.id, m.turn_id, m.author).where(m.turn_id.in_(turn_ids)).order_by(m.id))
    for row in said:
        side = story.inbound if row.author == "customer" else story.outbound
        side.setdefault(row.turn_id, []).append(row.id)
    asked = await connection.execute(sa.select(*k).where(k.turn_id.in_(turn_ids)).order_by(k.token, k.position, k.id))
    for row in asked:
        story.calls.setdefault(row.turn_id, []).append(_call(row))
    return story


def _call(row: Any) -> ModelCall:
    return ModelCall(
        claim=row.token,
        position=row.position,
        provider=row.provider,
        model=row.model,
        outcome=row.outcome,
        kind=row.kind,
        detail=row.detail,
        http_status=row.http_status,
        milliseconds=row.milliseconds,
        tokens_in=row.tokens_in,
        tokens_cached=row.tokens_cached,
        tokens_out=row.tokens_out,
        tokens_reasoning=row.tokens_reasoning,
        cost_usd=_plain(row.cost_usd),
        at=row.at,
    )


def _plain(amount: Decimal | None) -> str | None:
    """Write an amount without exponent and without the zeros that PostgreSQL fills it up with."""
    if amount is None:
        return None
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

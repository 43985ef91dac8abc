"""A message that did not arrive is something a person should look at, whenever that turns out."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import conversations
from app.conversations.turns import Reason
from app.core.db import filled_up
from app.outbound.models import outbound_messages
from app.outbound.states import State

_o, _c = outbound_messages.c, conversations.c
_LOCK = sa.select(_c.id).where(_c.id.in_(sa.bindparam("ids", expanding=True))).order_by(_c.id).with_for_update()
_FAILED = sa.select(_o.conversation_id).where(_o.id.in_(sa.bindparam("ids", expanding=True)), _o.state == State.FAILED)
_RAISE = (
    sa.update(conversations)
    .where(_c.id.in_(sa.bindparam("ids", expanding=True)), _c.attention.is_(None))
    .values(attention=Reason.SEND_FAILED)
)


async def raise_attention(connection: AsyncConnection, outbound_ids: Iterable[UUID]) -> None:
    """Mark the conversations of those messages that have failed, unless a person should look for another reason.

    The caller holds the messages' locks, and no lock of a turn.
    """
    ids = set(outbound_ids)
    if not ids:
        return
    failed = set(await connection.scalars(_FAILED, {"ids": filled_up(ids)}))
    if failed:
        await connection.execute(_LOCK, {"ids": filled_up(failed)})
        await connection.execute(_RAISE, {"ids": filled_up(failed)})

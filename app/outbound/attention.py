"""A message that did not arrive is something a person should look at, whenever that turns out."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import conversations
from app.conversations.turns import Reason
from app.core.db import Statement, any_of
from app.outbound.models import outbound_messages
from app.outbound.states import State

_o, _c = outbound_messages.c, conversations.c
_LOCK = Statement(sa.select(_c.id).where(any_of(_c.id, "ids")).order_by(_c.id).with_for_update())
_FAILED = Statement(sa.select(_o.conversation_id).where(any_of(_o.id, "ids"), _o.state == State.FAILED))
_RAISE = Statement(
    sa.update(conversations).where(any_of(_c.id, "ids"), _c.attention.is_(None)).values(attention=Reason.SEND_FAILED)
)


async def raise_attention(connection: AsyncConnection, outbound_ids: Iterable[UUID]) -> None:
    """Mark the conversations of those messages that have failed, unless a person should look for another reason.

    The caller holds the messages' locks, and no lock of a turn.
    """
    ids = set(outbound_ids)
    if not ids:
        return
    failed = list(set(await _FAILED.values(connection, ids=list(ids))))
    if failed:
        await _LOCK.run(connection, ids=failed)
        await _RAISE.run(connection, ids=failed)

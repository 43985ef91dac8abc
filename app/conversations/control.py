"""Who holds a conversation: the bot, a person, or nobody. One compare-and-set; everything else reads it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.errors import ControlHasChanged, ConversationNotFound
from app.conversations.events import ControlChanged
from app.conversations.models import conversations
from app.conversations.turns import Control
from app.core.db.events import record


async def give_to(
    connection: AsyncConnection,
    conversation_id: UUID,
    control: Control,
    *,
    user_id: UUID | None = None,
    expected_version: int | None = None,
    attention: str | None = None,
    correlation_id: UUID | None = None,
) -> int:
    """Hand the conversation to `control` and return the new control version.

    After this is committed no answer of the bot starts: an answer leaves only while the version is the one it was
    made under. Giving it again to whoever holds it makes no new version. A user who takes what nobody looks after is
    its assignee too. `attention` says why a person should look; None that one has. `expected_version` makes it a
    compare-and-set.

    Raises `ConversationNotFound` and `ControlHasChanged`.
    """
    c = conversations.c
    row = (
        await connection.execute(
            sa.select(c.control, c.control_version, c.held_by, c.attention)
            .where(c.id == conversation_id)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise ConversationNotFound
    if expected_version is not None and row.control_version != expected_version:
        raise ControlHasChanged(row.control)
    if (row.control, row.held_by) == (control, user_id):
        if row.attention != attention:
            await connection.execute(
                sa.update(conversations).where(c.id == conversation_id).values(attention=attention)
            )
        return int(row.control_version)
    version = int(row.control_version) + 1
    await connection.execute(
        sa.update(conversations)
        .where(c.id == conversation_id)
        .values(
            control=control,
            control_version=version,
            held_by=user_id,
            assignee_id=sa.func.coalesce(c.assignee_id, sa.literal(user_id, sa.Uuid())),
            attention=attention,
        )
    )
    await record(
        connection,
        [
            ControlChanged(
                correlation_id=correlation_id,
                conversation_id=conversation_id,
                control=control,
                control_version=version,
            )
        ],
    )
    return version

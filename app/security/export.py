"""The audit trail for a collector of events (SIEM): each consumer reads on from where it said it was."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.queries import Wanted, after
from app.audit.service import newest
from app.core.db import exclusive
from app.security.errors import CheckpointRefused
from app.security.models import export_checkpoints
from app.security.schemas import Checkpoint, ExportBatch, StoredCheckpoint

_c = export_checkpoints.c


async def batch(connection: AsyncConnection, consumer: str, *, limit: int) -> ExportBatch:
    """Return what comes after the consumer's checkpoint; asked again, the same and what is new."""
    stored = await connection.scalar(sa.select(_c.sequence).where(_c.consumer == consumer))
    found = await after(connection, Wanted(), stored or 0, limit=limit + 1)
    items = found[:limit]
    return ExportBatch(
        consumer=consumer,
        items=items,
        sequence=items[-1].sequence if items else stored or 0,
        more=len(found) > limit,
    )


async def acknowledge(
    connection: AsyncConnection, checkpoint: Checkpoint, *, user_id: UUID, now: datetime
) -> StoredCheckpoint:
    """Move a consumer's checkpoint on. Raises `CheckpointRefused` for one behind the stored one, or beyond the end."""
    await exclusive(connection, export_checkpoints.name)
    stored = await connection.scalar(sa.select(_c.sequence).where(_c.consumer == checkpoint.consumer))
    if stored is not None and checkpoint.sequence < stored:
        raise CheckpointRefused(f"this consumer has acknowledged {stored} already")
    if checkpoint.sequence > (await newest(connection)).sequence:
        raise CheckpointRefused("there is no such entry yet")
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"sequence": checkpoint.sequence, "updated_at": now, "updated_by": user_id}
    await connection.execute(
        insert(export_checkpoints)
        .values(consumer=checkpoint.consumer, **values)
        .on_conflict_do_update(index_elements=[_c.consumer], set_=values)
    )
    return StoredCheckpoint(
        consumer=checkpoint.consumer, sequence=checkpoint.sequence, updated_at=now, updated_by=user_id
    )


async def checkpoints(connection: AsyncConnection) -> list[StoredCheckpoint]:
    """Return how far every consumer has read."""
    rows = await connection.execute(sa.select(*_c).order_by(_c.consumer))
    return [
        StoredCheckpoint(**{name: getattr(row, name) for name in StoredCheckpoint.__struct_fields__}) for row in rows
    ]

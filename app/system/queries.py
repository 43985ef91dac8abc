"""Reading and writing the heartbeats of processes."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import db_now, db_now_plus
from app.system.models import process_heartbeats as beats
from app.system.schemas import Process, ProcessKind

ALIVE_SECONDS = 30
_FORGOTTEN_SECONDS = 24 * 3600


async def write_beat(
    connection: AsyncConnection, *, process_id: UUID, kind: ProcessKind, host: str, pid: int, version: str
) -> None:
    """Write that a process lives; the first time, also that it exists."""
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert(beats)
        .values(id=process_id, kind=kind, host=host, pid=pid, version=version, started_at=db_now(), beat_at=db_now())
        .on_conflict_do_update(index_elements=[beats.c.id], set_={"beat_at": db_now()})
    )


async def forget_process(connection: AsyncConnection, process_id: UUID) -> None:
    """Remove a process that ends, and those that vanished more than a day ago."""
    await connection.execute(
        sa.delete(beats).where((beats.c.id == process_id) | (beats.c.beat_at < db_now_plus(-_FORGOTTEN_SECONDS)))
    )


async def running_processes(connection: AsyncConnection) -> list[Process]:
    """Return the processes heard of within the last day, newest first."""
    rows = await connection.execute(
        sa.select(*beats.c, _alive().label("alive"))
        .where(beats.c.beat_at > db_now_plus(-_FORGOTTEN_SECONDS))
        .order_by(beats.c.started_at.desc())
        .limit(200)
    )
    return [Process(**row) for row in rows.mappings()]


async def is_alive(connection: AsyncConnection, kind: ProcessKind, host: str | None) -> bool:
    """Tell whether a process of `kind` lives, on `host` if one is given."""
    found = sa.select(beats.c.id).where(beats.c.kind == kind, _alive())
    if host is not None:
        found = found.where(beats.c.host == host)
    return (await connection.execute(found.limit(1))).first() is not None


def _alive() -> sa.ColumnElement[bool]:
    return beats.c.beat_at > db_now_plus(-ALIVE_SECONDS)

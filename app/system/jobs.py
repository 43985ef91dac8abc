"""Maintenance: what nobody needs any more is deleted, a small piece at a time."""

import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from app.core.db import Database
from app.core.ids import first_id
from app.core.jobs import Job
from app.core.queue.schedule import Schedule
from app.outbound.models import delivery_statuses
from app.system.key_rotation import KeyRotation
from app.system.models import process_heartbeats
from app.whatsapp.media_sweep import sweep_files
from app.whatsapp.models import inbound_events

log = structlog.get_logger()

PRUNE = "prune"
RENEW_SECRETS = "renew_secrets"
SCHEDULES = (Schedule(name=PRUNE, every_seconds=24 * 3600), Schedule(name=RENEW_SECRETS, every_seconds=60))

WEBHOOK_DAYS = 30
"""How long a handled webhook can be looked up. Its digest must outlive the 7 days in which Meta delivers again."""

ORPHAN_STATUS_DAYS = 30
"""How long a status may wait for its message. A status never comes later than the message expires: 30 days."""

HEARTBEAT_DAYS = 1
"""Processes that ended remove their row themselves; these vanished."""

_ROWS_AT_ONCE = 1_000  # a few milliseconds of the one writer that SQLite has
_RUN_SECONDS = 600.0
_JOB_SECONDS = 900


def jobs(database: Database, media_dir: Path, keys: KeyRotation) -> list[Job]:
    return [
        Job(
            name=RENEW_SECRETS,
            run=keys.run,
            queue="maintenance",
            timeout_seconds=_JOB_SECONDS,
            retries=3,
            ttl_seconds=60,
            retry_delay_seconds=10,
        ),
        Job(
            name=PRUNE,
            run=partial(prune, database, media_dir),
            queue="maintenance",
            timeout_seconds=_JOB_SECONDS,
            retries=3,
            ttl_seconds=24 * 3600,
            retry_delay_seconds=60,
        ),
    ]


async def prune(database: Database, media_dir: Path) -> None:
    """Delete what is old. What is left after ten minutes waits for tomorrow.

    Dead webhooks stay until a person has decided about them.
    """
    ends_at = time.monotonic() + _RUN_SECONDS
    async with database.read() as connection:
        now = await database.now(connection)
    log.info(
        "maintenance.pruned",
        inbound_events=await _delete(database, _old_webhooks(now), ends_at),
        delivery_statuses=await _delete(database, _old_orphans(now), ends_at),
        process_heartbeats=await _delete(database, _old_heartbeats(now), ends_at),
        files=await sweep_files(database, media_dir),
    )


def _old_webhooks(now: datetime) -> sa.Delete:
    c = inbound_events.c
    old = (c.id < first_id(now - timedelta(days=WEBHOOK_DAYS))) & (c.state == "done")
    return sa.delete(inbound_events).where(c.id.in_(sa.select(c.id).where(old).limit(_ROWS_AT_ONCE)))


def _old_orphans(now: datetime) -> sa.Delete:
    c = delivery_statuses.c
    key = sa.tuple_(*delivery_statuses.primary_key.columns)
    old = c.outbound_id.is_(None) & (c.received_at < now - timedelta(days=ORPHAN_STATUS_DAYS))
    oldest = sa.select(*delivery_statuses.primary_key.columns).where(old).limit(_ROWS_AT_ONCE)
    return sa.delete(delivery_statuses).where(key.in_(oldest))


def _old_heartbeats(now: datetime) -> sa.Delete:
    c = process_heartbeats.c
    old = sa.select(c.id).where(c.beat_at < now - timedelta(days=HEARTBEAT_DAYS)).limit(_ROWS_AT_ONCE)
    return sa.delete(process_heartbeats).where(c.id.in_(old))


async def _delete(database: Database, some: sa.Delete, ends_at: float) -> int:
    """Repeat `some`, each time in a unit of work of its own, until nothing is left; return how many rows went."""
    total = 0
    while time.monotonic() < ends_at:
        async with database.write() as connection:
            deleted: Any = await connection.execute(some)
        total += deleted.rowcount
        if deleted.rowcount < _ROWS_AT_ONCE:
            break
    return total

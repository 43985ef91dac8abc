"""Maintenance: sessions, links, keys and counts that ended long ago are deleted."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
import structlog

from app.accounts.models import api_keys, one_time_links, sessions, sign_in_failures
from app.core.db import Database
from app.core.jobs import Job
from app.core.queue.schedule import Schedule

log = structlog.get_logger()

PRUNE: Final = "prune_accounts"
SCHEDULES: Final = (Schedule(name=PRUNE, every_seconds=24 * 3600),)

KEPT_DAYS: Final = 30
"""How long what has ended can be looked up; the audit trail keeps what happened."""

_ROWS_AT_ONCE = 1_000
_MOST_ROUNDS = 1_000
_JOB_SECONDS = 900


def jobs(database: Database) -> list[Job]:
    return [
        Job(
            name=PRUNE,
            run=partial(prune, database),
            queue="maintenance",
            timeout_seconds=_JOB_SECONDS,
            retries=3,
            ttl_seconds=24 * 3600,
            retry_delay_seconds=60,
        )
    ]


async def prune(database: Database) -> None:
    """Delete what ended 30 days ago or more, with its refresh tokens, and failed sign-ins of yesterday."""
    async with database.read() as connection:
        now = await database.now(connection)
    old = now - timedelta(days=KEPT_DAYS)
    log.info(
        "accounts.pruned",
        sessions=await _delete(database, sessions, sessions.c.id, _before(sessions.c.ends_at, old)),
        links=await _delete(database, one_time_links, one_time_links.c.id, _before(one_time_links.c.expires_at, old)),
        api_keys=await _delete(database, api_keys, api_keys.c.id, _before(api_keys.c.expires_at, old)),
        sign_in_failures=await _delete(
            database,
            sign_in_failures,
            sign_in_failures.c.name_hash,
            _before(sign_in_failures.c.last_failed_at, now - timedelta(days=1)),
        ),
    )


def _before(column: sa.Column[Any], moment: datetime) -> sa.ColumnElement[bool]:
    return column < moment


async def _delete(database: Database, table: sa.Table, key: sa.Column[Any], old: sa.ColumnElement[bool]) -> int:
    """Delete in small pieces, each in a unit of work of its own; return how many rows went."""
    some = sa.delete(table).where(key.in_(sa.select(key).where(old).limit(_ROWS_AT_ONCE)))
    total = 0
    for _ in range(_MOST_ROUNDS):
        async with database.write() as connection:
            deleted: Any = await connection.execute(some)
        total += deleted.rowcount
        if deleted.rowcount < _ROWS_AT_ONCE:
            break
    return total

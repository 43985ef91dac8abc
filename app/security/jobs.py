"""Look every minute, and once a day check the audit trail and delete what is old."""

from functools import partial

import structlog

from app.audit.verify import verify
from app.core.db import Database
from app.core.jobs import Job
from app.core.queue.schedule import Schedule
from app.security.detection import Detection
from app.security.queries import Seen
from app.security.retention import retire
from app.security.rules import Rule

log = structlog.get_logger()

LOOK = "watch_security"
CHECK_TRAIL = "check_audit_trail"
SCHEDULES = (Schedule(name=LOOK, every_seconds=60), Schedule(name=CHECK_TRAIL, every_seconds=24 * 3600))

_LOOK_SECONDS = 50
_CHECK_SECONDS = 1_800
_BROKEN = Rule("audit_broken", 1, is_always_urgent=True)


def jobs(database: Database, detection: Detection, *, retention_days: int) -> list[Job]:
    return [
        Job(
            name=LOOK,
            run=detection.look,
            queue="maintenance",
            timeout_seconds=_LOOK_SECONDS,
            retries=2,
            ttl_seconds=60,
        ),
        Job(
            name=CHECK_TRAIL,
            run=partial(check_trail, database, detection, retention_days),
            queue="maintenance",
            timeout_seconds=_CHECK_SECONDS,
            retries=3,
            ttl_seconds=24 * 3600,
            retry_delay_seconds=60,
        ),
    ]


async def check_trail(database: Database, detection: Detection, retention_days: int) -> None:
    """Verify the trail and write its head to the log, where whoever has the database cannot change it.

    A broken one raises an alert, and nothing of it is deleted.
    """
    verdict = await verify(database)
    if verdict.is_whole:
        log.info("audit.anchored", head=verdict.head, entries=verdict.entries)
        await retire(database, days=retention_days, dry_run=False)
        return
    log.error("audit.broken", broken_at=verdict.broken_at, reason=verdict.reason)
    async with database.read() as connection:
        now = await database.now(connection)
    await detection.report(_BROKEN, Seen(1, {}), now)

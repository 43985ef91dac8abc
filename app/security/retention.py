"""What is old goes: of the trail its beginning, in pieces, with a signed mark where it now begins."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

import sqlalchemy as sa
import structlog

from app.audit.chain import Mark, Sealer
from app.audit.keys import take_key
from app.audit.models import audit_entries
from app.audit.service import KEY_PURPOSE, set_mark
from app.audit.verify import verify
from app.core.db import Database, exclusive
from app.core.errors import Conflict
from app.security.models import security_alerts, security_counts, security_silences
from app.security.schemas import RetentionReport

log = structlog.get_logger()

_ROWS_AT_ONCE: Final = 1_000


class TrailBroken(Conflict):
    """The beginning of a broken trail is evidence."""

    code = "audit_trail_broken"

    def __init__(self) -> None:
        super().__init__("the audit trail is broken: nothing of it is deleted before somebody has looked")


async def retire(database: Database, *, days: int, dry_run: bool) -> RetentionReport:
    """Delete, or with `dry_run` only count, what is older than `days`.

    Open alerts and signed snapshots stay. Raises `TrailBroken`, with nothing deleted.
    """
    async with database.read() as connection:
        now = await database.now(connection)
    before = now - timedelta(days=days)
    if not dry_run and not (await verify(database)).is_whole:
        raise TrailBroken
    report = RetentionReport(
        dry_run=dry_run,
        before=before,
        audit_entries=await (
            _count(database, audit_entries, _entries(before)) if dry_run else _trail(database, before)
        ),
        **{name: await _rows(database, table, old, dry_run) for name, table, old in _others(before)},
    )
    if not dry_run:
        log.info("security.retired", audit_entries=report.audit_entries, alerts=report.alerts)
    return report


def _entries(before: datetime) -> sa.ColumnElement[bool]:
    return audit_entries.c.at < before


def _others(before: datetime) -> tuple[tuple[str, sa.Table, sa.ColumnElement[bool]], ...]:
    alerts = security_alerts.c
    return (
        ("alerts", security_alerts, (alerts.state == "acknowledged") & (alerts.last_seen_at < before)),
        ("silences", security_silences, security_silences.c.ends_at < before),
        ("counts", security_counts, security_counts.c.minute < before),
    )


async def _trail(database: Database, before: datetime) -> int:
    """Delete the beginning of the trail, a thousand entries at a time, each with the mark moved on."""
    total = 0
    c = audit_entries.c
    while True:
        async with database.write() as connection:
            await exclusive(connection, "audit")
            oldest = sa.select(c.sequence, c.hash, c.at).order_by(c.sequence).limit(_ROWS_AT_ONCE)
            rows = list(takewhile(lambda row: row.at < before, await connection.execute(oldest)))
            if rows:
                last = Mark(rows[-1].sequence, rows[-1].hash)
                await set_mark(connection, "start", last, Sealer(await take_key(connection, KEY_PURPOSE)))
                await connection.execute(sa.delete(audit_entries).where(c.sequence <= last.sequence))
        total += len(rows)
        if len(rows) < _ROWS_AT_ONCE:
            return total


async def _rows(database: Database, table: sa.Table, old: sa.ColumnElement[bool], dry_run: bool) -> int:
    if dry_run:
        return await _count(database, table, old)
    key: Any = sa.tuple_(*table.primary_key.columns)
    some = sa.delete(table).where(key.in_(sa.select(*table.primary_key.columns).where(old).limit(_ROWS_AT_ONCE)))
    total = 0
    while True:
        async with database.write() as connection:
            deleted = await connection.execute(some)
        total += deleted.rowcount
        if deleted.rowcount < _ROWS_AT_ONCE:
            return total


async def _count(database: Database, table: sa.Table, old: sa.ColumnElement[bool]) -> int:
    async with database.read() as connection:
        return (await connection.scalar(sa.select(sa.func.count()).select_from(table).where(old))) or 0

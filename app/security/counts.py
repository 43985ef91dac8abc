"""Counts what is too frequent to store one by one: added up in memory, and written when the process beats."""

import asyncio
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database
from app.core.metrics import Metrics
from app.security.models import security_counts
from app.security.rules import Counted


class SecurityCounts:
    """Writes what the metrics of this process have gained since the last time, into the row of this minute.

    However many forged requests come, a process writes a few rows each time it beats, and none while nothing happens.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._sources: dict[Counted, tuple[Counter, dict[str, str]]] = {
            "bad_signature": (metrics.webhook_requests, {"outcome": "bad_signature"}),
            "live_refused": (metrics.live_refused, {}),
        }
        self._written: dict[Counted, int] = {}
        self._lock = asyncio.Lock()

    async def flush(self) -> None:
        """Write what is new.

        Raises `DatabaseUnavailable`; what could not be written is written the next time.
        """
        async with self._lock:
            seen = {kind: _total(counter, labels) for kind, (counter, labels) in self._sources.items()}
            gained = {kind: number - self._written.get(kind, 0) for kind, number in seen.items()}
            if not any(gained.values()):
                return
            async with self._database.write() as connection:
                minute = (await self._database.now(connection)).replace(second=0, microsecond=0)
                for kind, number in gained.items():
                    if number:
                        await _add(connection, kind, minute, number)
            self._written = seen


def _total(counter: Counter, labels: dict[str, str]) -> int:
    samples = [sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return int(sum(sample.value for sample in samples if labels.items() <= sample.labels.items()))


async def _add(connection: AsyncConnection, kind: Counted, minute: datetime, number: int) -> None:
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert(security_counts)
        .values(kind=kind, minute=minute, number=number)
        .on_conflict_do_update(
            index_elements=[security_counts.c.kind, security_counts.c.minute],
            set_={"number": security_counts.c.number + number},
        )
    )


async def counted(connection: AsyncConnection, kind: str, since: datetime) -> int:
    """Return how often `kind` happened, in all processes, in the minutes that ended after `since`."""
    c = security_counts.c
    begun = since.replace(second=0, microsecond=0)
    total = await connection.scalar(sa.select(sa.func.sum(c.number)).where(c.kind == kind, c.minute >= begun))
    return int(total or 0)

"""What runs again and again, in one table, so that each occurrence is started by exactly one process."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
import sqlalchemy as sa

from app.core.db.base import db_now, db_now_plus
from app.core.db.session import Database, exclusive
from app.core.errors import MostradorError
from app.core.jobs import InvalidJob, Job
from app.core.queue.tables import scheduled_jobs

__all__ = ["Schedule", "ScheduleTable", "ScheduledJob", "SqlScheduleTable", "tracked"]

_LONGEST_ERROR = 500


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The job `name` is due every so often. Its first run is due at once."""

    name: str
    every_seconds: int

    def __post_init__(self) -> None:
        if self.every_seconds < 1:
            raise InvalidJob(f"schedule {self.name!r}: every_seconds must be 1 or more")


class ScheduledJob(msgspec.Struct, frozen=True):
    """A row of the table, for the operator. Times are UTC."""

    name: str
    every_seconds: int
    next_run_at: datetime
    last_started_at: datetime | None
    last_finished_at: datetime | None
    last_error: str | None


class ScheduleTable(Protocol):
    """Remembers when each scheduled job is due. Every process may ask; each occurrence is given away once."""

    async def define(self, schedules: Collection[Schedule]) -> None:
        """Make the table hold these schedules; what it knows of their past stays."""

    async def claim_due(self, names: Collection[str]) -> Sequence[str]:
        """Return those of `names` that are due, for the caller alone, and set their next time.

        What was missed while nobody asked is one run: the next time lies in the future.
        """

    async def give_back(self, name: str, after_seconds: float) -> None:
        """Make due again what was claimed and could not be started."""

    async def record_start(self, name: str) -> None: ...

    async def record_end(self, name: str, error: str | None) -> None: ...


class SqlScheduleTable:
    """The table in the database, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def define(self, schedules: Collection[Schedule]) -> None:
        table = scheduled_jobs
        async with self._database.write() as connection:
            await exclusive(connection, table.name)
            rows = await connection.execute(sa.select(table.c.name, table.c.every_seconds))
            known = {row.name: row.every_seconds for row in rows}
            for schedule in schedules:
                values = {"every_seconds": schedule.every_seconds, "next_run_at": db_now()}
                if schedule.name not in known:
                    await connection.execute(sa.insert(table).values(name=schedule.name, **values))
                elif known[schedule.name] != schedule.every_seconds:
                    await connection.execute(sa.update(table).where(table.c.name == schedule.name).values(**values))

    async def claim_due(self, names: Collection[str]) -> Sequence[str]:
        table = scheduled_jobs
        due = table.c.name.in_(names) & (table.c.next_run_at <= db_now())
        async with self._database.read() as connection:  # most looks find nothing and need no writer
            if not (await connection.execute(sa.select(sa.exists().where(due)))).scalar_one():
                return []
        async with self._database.write() as connection:
            # Of two processes that update one row, the second waits for the first and then finds it no longer due.
            claimed = await connection.execute(
                sa.update(table)
                .where(due)
                .values(next_run_at=db_now_plus(table.c.every_seconds))
                .returning(table.c.name)
            )
            return sorted(claimed.scalars().all())

    async def give_back(self, name: str, after_seconds: float) -> None:
        await self._set(name, next_run_at=db_now_plus(after_seconds))

    async def record_start(self, name: str) -> None:
        await self._set(name, last_started_at=db_now())

    async def record_end(self, name: str, error: str | None) -> None:
        await self._set(name, last_finished_at=db_now(), last_error=error and error[:_LONGEST_ERROR])

    async def all(self) -> Sequence[ScheduledJob]:
        """Return every row, by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(scheduled_jobs).order_by(scheduled_jobs.c.name))
            return [ScheduledJob(*row) for row in rows]

    async def _set(self, name: str, **values: object) -> None:
        async with self._database.write() as connection:
            await connection.execute(sa.update(scheduled_jobs).where(scheduled_jobs.c.name == name).values(**values))


def tracked(job: Job, table: ScheduleTable) -> Job:
    """Return the job so that each of its runs is recorded in the table. For jobs that have a schedule."""

    async def run() -> None:
        await table.record_start(job.name)
        error: str | None = "cancelled"
        try:
            await job.run()
            error = None
        except Exception as cause:
            error = _described(cause)
            raise
        finally:
            await table.record_end(job.name, error)

    return msgspec.structs.replace(job, run=run)


def _described(cause: Exception) -> str:
    # Only our own errors promise to hold no message text, phone number or secret.
    return f"{type(cause).__name__}: {cause}" if isinstance(cause, MostradorError) else type(cause).__name__

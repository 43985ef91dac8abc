"""The loop that starts scheduled jobs when they are due."""

import asyncio
import contextlib
from collections.abc import Collection

import structlog

from app.core.jobs import JobStarter
from app.core.queue.schedule import Schedule, ScheduleTable

__all__ = ["Scheduler"]

_log = structlog.get_logger()

_LONGEST_BACK_OFF_SECONDS = 30.0
_TRY_AGAIN_SECONDS = 5.0  # for an occurrence that could not be started


class Scheduler:
    """Starts each due occurrence once, however many processes run a scheduler over one table.

    A process that dies between claiming and starting an occurrence loses that one; the next comes at its time. Jobs
    ask the database what is due, so nothing else is lost.
    """

    def __init__(
        self,
        schedules: Collection[Schedule],
        *,
        table: ScheduleTable,
        jobs: JobStarter,
        poll_seconds: float = 1.0,
    ) -> None:
        self._schedules = schedules
        self._names = [schedule.name for schedule in schedules]
        self._table = table
        self._jobs = jobs
        self._poll_seconds = poll_seconds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look, in a task that `stop` ends."""
        self._task = asyncio.create_task(self._run(), name="scheduler")

    async def stop(self) -> None:
        """Finish the look under way, which is quick, and look no more."""
        self._stopping.set()
        if self._task is not None:
            try:
                await asyncio.wait([self._task])
            finally:
                self._task.cancel()

    async def run_due(self) -> None:
        """Start what is due now."""
        for name in await self._table.claim_due(self._names):
            try:
                started = await self._jobs.enqueue(name, key="scheduled")
            except Exception:
                await self._table.give_back(name, _TRY_AGAIN_SECONDS)
                raise
            _log.debug("schedule.started" if started else "schedule.still_running", job=name)

    async def _run(self) -> None:
        defined, pause = False, self._poll_seconds
        while not self._stopping.is_set():
            try:
                if not defined:
                    await self._table.define(self._schedules)
                    defined = True
                await self.run_due()
                pause = self._poll_seconds
            except Exception as error:  # noqa: BLE001 - outermost loop of its task: only the stop may end it
                if pause == self._poll_seconds:
                    _log.warning("schedule.failed", exc_info=error)
                pause = min(_LONGEST_BACK_OFF_SECONDS, pause * 2)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

"""The SAQ worker as we need it: it backs off when the broker is away, and stops neither too soon nor too late."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog
from saq.job import Job as SaqJob
from saq.queue.base import Queue
from saq.types import Context
from saq.worker import Worker

from app.core.jobs import Job

__all__ = ["GRACE_SECONDS", "AppWorker"]

_log = structlog.get_logger()

GRACE_SECONDS = 20
_SWEEP_SECONDS = 10
_LONGEST_BACK_OFF_SECONDS = 5.0
_DEQUEUE_SECONDS = 0.25  # how long one pop waits, and so how long an idle stop may take
_SILENCE_SECONDS = 10.0  # beyond that, the connection is taken for dead


class AppWorker(Worker[Context]):
    """Runs the jobs of one queue from `start` to `stop`, which takes as long as running jobs need, up to the grace.

    SAQ's own worker polls a broker that is away without a pause, waits the whole grace period at every stop, and takes
    up jobs while stopping (SAQ issue 280). `cancel_safe` says that waiting for a job can be cancelled without losing
    one: Redis may hand a job to a pop that was cancelled here a moment before, and then only the sweep finds it.
    """

    SIGNALS = []  # noqa: RUF012 - an attribute of SAQ's; the process owns its signals

    def __init__(
        self,
        queue: Queue,
        jobs: Iterable[Job],
        *,
        concurrency: int = 10,
        grace_seconds: int = GRACE_SECONDS,
        cancel_safe: bool = False,
    ) -> None:
        super().__init__(
            queue,
            [(job.name, _without_context(job.run)) for job in jobs],
            concurrency=concurrency,
            timers={"schedule": 1, "worker_info": 10, "sweep": _SWEEP_SECONDS, "abort": 1},
            dequeue_timeout=_DEQUEUE_SECONDS,
            shutdown_grace_period_s=grace_seconds,
            after_process=_log_failure,
        )
        # Three lines a job, and a traceback a second while the broker is away: what matters is logged here instead.
        logging.getLogger("saq").setLevel(logging.CRITICAL)
        self._cancel_safe = cancel_safe
        self._idle: set[asyncio.Task[Any] | None] = set()
        self._turn = asyncio.Lock()
        self._back_off_seconds = 0.0
        self._dequeue = queue.dequeue
        # SAQ's `process` calls this method of the queue and offers no other place to step in.
        queue.dequeue = self._take  # type: ignore[method-assign]

    async def stop(self) -> None:
        """Take up no more jobs, let running ones end within the grace period, cancel the rest; those run again."""
        self.event.set()
        for task in list(self.tasks):
            if task in self._idle or task.get_name() != "process":
                task.cancel()
        await super().stop()

    async def _take(self, timeout: float = 0.0, poll_interval: float = 0.0) -> SaqJob | None:  # noqa: ASYNC109 - SAQ's
        """Take one job, or none after a while: one hand at a time reaches out, the others wait for their turn."""
        with self._cancellable():
            await self._turn.acquire()
        try:
            if self.event.is_set():
                return None
            with self._cancellable() if self._cancel_safe else contextlib.nullcontext():
                async with asyncio.timeout(timeout + _SILENCE_SECONDS):
                    job = await self._dequeue(timeout=timeout, poll_interval=poll_interval)
        except Exception as error:  # noqa: BLE001 - outermost loop of its task: a broker that is away is asked again
            with self._cancellable():
                await self._back_off(error)
            return None
        finally:
            self._turn.release()
        if self._back_off_seconds:
            self._back_off_seconds = 0.0
            _log.info("queue.restored", queue=self.queue.name)
        if job is not None and self.event.is_set():
            await job.retry("taken while the worker was stopping")
            return None
        return job

    @contextlib.contextmanager
    def _cancellable(self) -> Iterator[None]:
        """Mark the current task as holding nothing that a cancellation would lose."""
        task = asyncio.current_task()
        self._idle.add(task)
        try:
            yield
        finally:
            self._idle.discard(task)

    async def _back_off(self, error: Exception) -> None:
        if not self._back_off_seconds:
            _log.warning("queue.unavailable", queue=self.queue.name, error=repr(error))
        self._back_off_seconds = min(_LONGEST_BACK_OFF_SECONDS, self._back_off_seconds * 2 or 0.1)
        await asyncio.sleep(self._back_off_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load only

    def _process(self, previous_task: asyncio.Task[Any] | None = None) -> None:
        if previous_task is not None and not previous_task.cancelled() and (error := previous_task.exception()):
            # The broker went away between taking a job and recording its outcome; the sweep will find it.
            _log.warning("queue.job_not_recorded", queue=self.queue.name, error=repr(error))
        super()._process(previous_task)


def _without_context(run: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def call(_context: Context, /, **arguments: Any) -> None:
        await run(**arguments)

    return call


async def _log_failure(context: Mapping[str, Any]) -> None:
    job, error = context["job"], context.get("exception")
    if error is not None:
        _log.error(
            "job.failed", job=job.function, key=job.key, attempt=job.attempts, attempts=job.retries, exc_info=error
        )

"""The queues of the house: starting jobs by name, and the workers that run them."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Self

import msgspec
import structlog
from redis.exceptions import RedisError
from saq.queue.base import Queue

from app.core.errors import Unavailable
from app.core.jobs import Job, JobArgument
from app.core.queue.in_process import InProcessQueue
from app.core.queue.redis import redis_queue
from app.core.queue.worker import GRACE_SECONDS, AppWorker

__all__ = ["JobQueues", "JobWorker", "QueueCounts", "QueueUnavailable"]

_log = structlog.get_logger()

_LONGEST_RETRY_DELAY_SECONDS = 300.0


class QueueUnavailable(Unavailable):
    """The broker did not answer: the job was not started, or nobody knows."""

    code = "queue_unavailable"


class QueueCounts(msgspec.Struct, frozen=True):
    """How many jobs of a queue wait, run, and are for later."""

    queued: int
    active: int
    scheduled: int


class JobQueues:
    """One SAQ queue for each concern that the jobs name; implements `JobStarter`. An async context manager.

    With `redis_url` the queues are shared by all processes; without, they live in this one.
    """

    def __init__(self, jobs: Mapping[str, Job], *, redis_url: str | None) -> None:
        self._jobs = jobs
        make: Callable[[str], Queue] = InProcessQueue
        if redis_url is not None:
            make = lambda name: redis_queue(redis_url, name)  # noqa: E731 - the other branch of a choice of two
        self._queues = {name: make(name) for name in sorted({job.queue for job in jobs.values()})}

    async def __aenter__(self) -> Self:
        for queue in self._queues.values():
            await queue.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        for queue in self._queues.values():
            await queue.disconnect()

    async def enqueue(
        self, name: str, /, *, key: str | None = None, delay_seconds: float = 0, **arguments: JobArgument
    ) -> bool:
        """Start the job after `delay_seconds`; return False when one with the same key already waits or runs.

        Raises `QueueUnavailable` when the broker does not answer.
        """
        job = self._jobs[name]
        limits: dict[str, int | float | str] = {
            "timeout": job.timeout_seconds,
            "retries": job.retries,
            "ttl": job.ttl_seconds,
            "retry_delay": job.retry_delay_seconds,
            "retry_backoff": _LONGEST_RETRY_DELAY_SECONDS,
        }
        if key is not None:
            limits["key"] = f"{name}:{key}"  # SAQ's keys are one for all jobs of a queue
        if delay_seconds:
            limits["scheduled"] = math.ceil(time.time() + delay_seconds)
        try:
            queued = await self._queues[job.queue].enqueue(name, kwargs=dict(arguments), **limits)
        except (RedisError, OSError) as error:
            raise QueueUnavailable("the job queue does not answer: try again in a moment") from error
        return queued is not None

    async def counts(self) -> Mapping[str, QueueCounts]:
        """Return how much waits in each queue. Raises `QueueUnavailable`."""
        try:
            found = {name: await queue.info() for name, queue in self._queues.items()}
        except (RedisError, OSError) as error:
            raise QueueUnavailable("the job queue does not answer: try again in a moment") from error
        return {
            name: QueueCounts(info["queued"], info["active"], max(0, info["scheduled"])) for name, info in found.items()
        }

    def worker(self, *, concurrency: int = 10, grace_seconds: int = GRACE_SECONDS) -> "JobWorker":
        """Return what runs the jobs of all queues in this process, `concurrency` of each queue at once."""
        return JobWorker(
            [
                AppWorker(
                    queue,
                    [job for job in self._jobs.values() if job.queue == name],
                    concurrency=concurrency,
                    grace_seconds=grace_seconds,
                    cancel_safe=isinstance(queue, InProcessQueue),
                )
                for name, queue in self._queues.items()
            ]
        )


class JobWorker:
    """A worker for each queue, started and stopped together."""

    def __init__(self, workers: list[AppWorker]) -> None:
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to take up jobs, in tasks that `stop` ends."""
        self._tasks = [
            asyncio.create_task(worker.start(), name=f"jobs.{worker.queue.name}") for worker in self._workers
        ]
        await asyncio.sleep(0)  # they make their stop event in their first step; before it, a stop would be lost

    async def stop(self) -> None:
        """Take up no more jobs and wait for running ones, within the grace period; idle, this returns at once."""
        for worker in self._workers:
            worker.event.set()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

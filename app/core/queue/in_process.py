"""A SAQ queue without a server, for one process: what is queued is gone when the process ends.

That is enough, because the database is the ledger. It behaves as SAQ's Redis queue does, except that due jobs start at
once instead of at the next poll, and that a job is marked active in the moment it is taken, so that no sweep can take
it for a stray one (SAQ issue 277).
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from saq.job import Job, Status
from saq.queue.base import Queue
from saq.types import CountKind, ListenCallback, QueueInfo, WorkerInfo
from saq.utils import now

__all__ = ["InProcessQueue"]

MOST_FINISHED_JOBS = 1_000  # remembered, whatever their ttl says: memory is bounded

_Record = dict[str, Any]  # what SAQ makes of a job to store it


class InProcessQueue(Queue):
    """Jobs in dictionaries of this process; see `saq.queue.base.Queue` for the verbs."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, dump=None, load=None)
        self._incomplete: dict[str, _Record] = {}
        self._finished: OrderedDict[str, tuple[_Record, float]] = OrderedDict()
        self._ready: asyncio.Queue[str] = asyncio.Queue()  # may name jobs that are no longer queued
        self._queued: set[str] = set()
        self._active: dict[str, None] = {}
        self._aborting_until: dict[str, float] = {}
        self._next_sweep_at = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._listeners: set[asyncio.Queue[tuple[str, Status]]] = set()
        self._workers: dict[str, tuple[WorkerInfo, float]] = {}

    async def disconnect(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def info(self, jobs: bool = False, offset: int = 0, limit: int = 10) -> QueueInfo:
        current = time.monotonic()
        queued, active = len(self._queued), len(self._active)
        shown = list(self._incomplete)[offset : offset + limit] if jobs else []
        return {
            "workers": {name: info for name, (info, until) in self._workers.items() if until > current},
            "name": self.name,
            "queued": queued,
            "active": active,
            "scheduled": len(self._incomplete) - queued - active,
            "jobs": [dict(self._incomplete[key]) for key in shown],
        }

    async def count(self, kind: CountKind) -> int:
        match kind:
            case "queued":
                return len(self._queued)
            case "active":
                return len(self._active)
            case "incomplete":
                return len(self._incomplete)

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Run jobs again that are active beyond their limits, at most once in `lock` seconds."""
        if time.monotonic() < self._next_sweep_at:
            return []
        self._next_sweep_at = time.monotonic() + lock
        swept = []
        for key in list(self._active):
            job = self._read(key)
            if job is not None and (job.status != Status.ACTIVE or job.stuck):
                await self._sweep_job(job, abort)
                swept.append(key)
        return swept

    async def notify(self, job: Job) -> None:
        for listener in self._listeners:
            listener.put_nowait((job.key, job.status))

    async def listen(
        self,
        job_keys: Iterable[str],
        callback: ListenCallback,
        timeout: float | None = 10,  # noqa: ASYNC109 - SAQ's signature
        poll_interval: float = 0.5,
    ) -> None:
        del poll_interval  # changes are told, not polled
        keys = set(job_keys)
        changes: asyncio.Queue[tuple[str, Status]] = asyncio.Queue()
        self._listeners.add(changes)
        try:
            async with asyncio.timeout(timeout or None):
                while True:
                    key, status = await changes.get()
                    if key in keys and await _called(callback, key, status):
                        return
        finally:
            self._listeners.discard(changes)

    async def job(self, job_key: str) -> Job | None:
        return self._read(job_key)

    async def jobs(self, job_keys: Iterable[str]) -> list[Job | None]:
        return [self._read(key) for key in job_keys]

    async def iter_jobs(
        self,
        statuses: list[Status] = list(Status),  # noqa: B006 - SAQ's signature
        batch_size: int = 100,
    ) -> AsyncIterator[Job]:
        del batch_size
        for key in [*self._incomplete, *self._finished]:
            job = self._read(key)
            if job is not None and job.status in statuses:
                yield job

    async def abort(self, job: Job, error: str, ttl: float = 5) -> None:
        job.status = Status.ABORTING
        job.error = error
        if job.key in self._incomplete and job.key not in self._active:
            await self.finish(job, Status.ABORTED, error=error)
            return
        self._active.pop(job.key, None)
        self._aborting_until[job.key] = time.monotonic() + ttl
        self._incomplete.pop(job.key, None)
        self._remember(job, ttl_seconds=0)  # so that its worker sees that it must stop
        await self.notify(job)

    async def finish_abort(self, job: Job) -> None:
        self._aborting_until.pop(job.key, None)
        await super().finish_abort(job)

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:  # noqa: ASYNC109 - SAQ's
        del poll_interval
        try:
            async with asyncio.timeout(timeout or None):
                key = await self._ready.get()
                while key not in self._queued:
                    key = await self._ready.get()
        except TimeoutError:
            return None
        self._queued.discard(key)
        self._active[key] = None
        self._incomplete[key] |= {"status": Status.ACTIVE, "started": now()}
        return self._read(key)

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        current = time.monotonic()
        self._workers = {name: known for name, known in self._workers.items() if known[1] > current}
        self._workers[worker_id] = (info, current + ttl)

    async def _update(self, job: Job, status: Status | None = None, **_: Any) -> None:
        stored = self._read(job.key)
        job.status = status or (stored.status if stored else job.status)
        if job.key in self._incomplete:
            self._incomplete[job.key] = job.to_dict()
        await self.notify(job)

    async def _retry(self, job: Job, error: str | None) -> None:
        del error  # it is in the job
        self._active.pop(job.key, None)
        self._finished.pop(job.key, None)
        self._aborting_until.pop(job.key, None)
        self._incomplete[job.key] = job.to_dict()
        self._make_ready(job.key, job.next_retry_delay())
        await self.notify(job)

    async def _finish(
        self,
        job: Job,
        status: Status,
        *,
        result: Any = None,  # noqa: ARG002 - SAQ's signature; it is in the job
        error: str | None = None,  # noqa: ARG002 - as above
    ) -> None:
        job.status = status
        self._forget_timer(job.key)
        self._queued.discard(job.key)
        self._active.pop(job.key, None)
        self._incomplete.pop(job.key, None)
        if job.ttl >= 0:
            self._remember(job, job.ttl)
        else:
            self._finished.pop(job.key, None)
        await self.notify(job)

    async def _enqueue(self, job: Job) -> Job | None:
        if job.key in self._incomplete or self._aborting_until.get(job.key, 0.0) > time.monotonic():
            return None
        self._aborting_until.pop(job.key, None)
        self._finished.pop(job.key, None)
        self._incomplete[job.key] = job.to_dict()
        self._make_ready(job.key, job.scheduled - time.time() if job.scheduled else 0.0)
        return job

    def _make_ready(self, key: str, delay_seconds: float) -> None:
        self._forget_timer(key)
        if delay_seconds <= 0:
            self._queued.add(key)
            self._ready.put_nowait(key)
            return
        self._timers[key] = asyncio.get_running_loop().call_later(delay_seconds, self._make_ready, key, 0.0)

    def _forget_timer(self, key: str) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()

    def _read(self, key: str) -> Job | None:
        record = self._incomplete.get(key)
        if record is None and (finished := self._finished.get(key)):
            record = finished[0] if finished[1] > time.monotonic() else None
        return self.deserialize(dict(record)) if record else None

    def _remember(self, job: Job, ttl_seconds: float) -> None:
        self._finished[job.key] = (job.to_dict(), time.monotonic() + ttl_seconds if ttl_seconds else float("inf"))
        self._finished.move_to_end(job.key)
        while len(self._finished) > MOST_FINISHED_JOBS:
            self._finished.popitem(last=False)

    async def _sweep_job(self, job: Job, abort_seconds: float) -> None:
        await self.abort(job, error=self.swept_error_message)
        with contextlib.suppress(TimeoutError):  # no worker took notice: it is gone, or stuck
            await job.refresh(abort_seconds)
        if job.retryable:
            await self.retry(job, error=self.swept_error_message)
        else:
            await self.finish(job, Status.ABORTED, error=self.swept_error_message)


async def _called(callback: ListenCallback, key: str, status: Status) -> bool:
    answer = callback(key, status)
    return bool(await answer if asyncio.iscoroutine(answer) else answer)

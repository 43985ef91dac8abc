import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from redis.asyncio import Redis
from saq.job import Job as SaqJob

from app.core.jobs import Job, register
from app.core.queue.in_process import InProcessQueue
from app.core.queue.queues import JobQueues, JobWorker, QueueUnavailable
from app.core.queue.worker import AppWorker
from tests.servers import RedisServer
from tests.virtual_time import elapsed, in_virtual_time

WITHIN_SECONDS = 20.0
Run = Callable[..., Awaitable[None]]
T = TypeVar("T")


def job(run: Run, *, name: str = "work", queue: str = "default", timeout_seconds: int = 60, retries: int = 2) -> Job:
    return Job(
        name=name,
        run=run,
        queue=queue,
        timeout_seconds=timeout_seconds,
        retries=retries,
        ttl_seconds=-1,
        retry_delay_seconds=0.01,
    )


@asynccontextmanager
async def working(
    *jobs: Job, redis_url: str | None = None, concurrency: int = 10, grace_seconds: int = 20
) -> AsyncIterator[tuple[JobQueues, JobWorker]]:
    async with JobQueues(register(jobs), redis_url=redis_url) as queues:
        worker = queues.worker(concurrency=concurrency, grace_seconds=grace_seconds)
        await worker.start()
        try:
            yield queues, worker
        finally:
            await worker.stop()


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.redis)])
def redis_url_or_none(request: pytest.FixtureRequest) -> str | None:
    if request.param == "in-process":
        return None
    url: str = request.getfixturevalue("redis_url")
    return url


async def test_a_job_runs_with_its_arguments(redis_url_or_none: str | None) -> None:
    ran: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()

    async def run(**arguments: object) -> None:
        ran.set_result(arguments)

    async with working(job(run), redis_url=redis_url_or_none) as (queues, _):
        assert await queues.enqueue("work", message_id="m1", part=2)

        assert await within(ran) == {"message_id": "m1", "part": 2}


async def test_each_queue_has_its_own_hands(redis_url_or_none: str | None) -> None:
    released, quick_ran = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await released.wait()

    async def quick() -> None:
        quick_ran.set()

    jobs = job(slow, name="slow", queue="slow"), job(quick, name="quick", queue="quick")
    async with working(*jobs, redis_url=redis_url_or_none, concurrency=1) as (queues, _):
        await queues.enqueue("slow")
        await queues.enqueue("quick")

        await within(quick_ran.wait())
        released.set()


async def test_a_failing_job_is_tried_as_often_as_it_says(redis_url_or_none: str | None) -> None:
    attempts, last = 0, asyncio.Event()

    async def run() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            last.set()
        raise ValueError("broken")

    async with working(job(run, retries=3), redis_url=redis_url_or_none) as (queues, _):
        await queues.enqueue("work", key="k")
        await within(last.wait())
        while not await queues.enqueue("work", key="k", delay_seconds=1_000):  # noqa: ASYNC110 - SAQ tells nobody
            await asyncio.sleep(0.01)

    assert attempts == 3


async def test_a_key_that_waits_is_not_started_twice(redis_url_or_none: str | None) -> None:
    async def run() -> None: ...

    async with JobQueues(register([job(run)]), redis_url=redis_url_or_none) as queues:
        assert await queues.enqueue("work", key="k") is True
        assert await queues.enqueue("work", key="k") is False
        assert (await queues.counts())["default"].queued == 1


async def test_a_busy_stop_lasts_until_the_running_job_has_ended(redis_url_or_none: str | None) -> None:
    started, released, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run() -> None:
        started.set()
        await released.wait()
        finished.set()

    async with working(job(run), redis_url=redis_url_or_none) as (queues, worker):
        await queues.enqueue("work")
        await within(started.wait())
        stopping = asyncio.create_task(worker.stop())
        await asyncio.wait([stopping], timeout=0.1)
        assert not stopping.done()

        released.set()
        assert await elapsed(within(stopping)) < 1
        assert finished.is_set()


async def test_an_idle_stop_takes_less_than_a_second(redis_url_or_none: str | None) -> None:
    async def run() -> None: ...

    async with working(job(run), redis_url=redis_url_or_none) as (_, worker):
        await asyncio.sleep(0.05)

        assert await elapsed(worker.stop()) < 1


async def test_a_stop_right_after_the_start_is_heard(redis_url_or_none: str | None) -> None:
    async def run() -> None: ...

    async with working(job(run), redis_url=redis_url_or_none) as (_, worker):
        assert await elapsed(within(worker.stop())) < 1


async def test_no_job_is_taken_up_during_the_stop(redis_url_or_none: str | None) -> None:
    started, released, names = asyncio.Event(), asyncio.Event(), []

    async def run(name: str) -> None:
        names.append(name)
        started.set()
        await released.wait()

    async with working(job(run), redis_url=redis_url_or_none) as (queues, worker):
        await queues.enqueue("work", name="first")
        await within(started.wait())
        stopping = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        await queues.enqueue("work", name="second")
        released.set()
        await within(stopping)

        assert names == ["first"]
        counts = (await queues.counts())["default"]
        assert (counts.active, counts.queued + counts.scheduled) == (0, 1)


@in_virtual_time
async def test_in_process_an_idle_stop_takes_no_time_at_all() -> None:
    async def run() -> None: ...

    async with working(job(run)) as (_, worker):
        await asyncio.sleep(0.1)

        assert await elapsed(worker.stop()) == 0


@in_virtual_time
async def test_a_busy_stop_takes_exactly_the_rest_of_the_job() -> None:
    async def run() -> None:
        await asyncio.sleep(7)

    async with working(job(run)) as (queues, worker):
        await queues.enqueue("work")
        await asyncio.sleep(2)

        assert await elapsed(worker.stop()) == pytest.approx(5, abs=0.01)


@in_virtual_time
async def test_a_job_that_outlasts_the_grace_period_is_cancelled_and_queued_again() -> None:
    async def run() -> None:
        await asyncio.sleep(1_000)

    async with working(job(run, timeout_seconds=2_000), grace_seconds=5) as (queues, worker):
        await queues.enqueue("work", key="k")
        await asyncio.sleep(1)

        assert await elapsed(worker.stop()) == pytest.approx(5, abs=0.01)
        counts = (await queues.counts())["default"]
        assert counts.queued + counts.scheduled == 1


@in_virtual_time
async def test_a_job_beyond_its_timeout_is_cancelled_and_tried_again() -> None:
    attempts = []

    async def run() -> None:
        attempts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1_000)

    async with working(job(run, timeout_seconds=30, retries=2)) as (queues, _):
        await queues.enqueue("work")
        await asyncio.sleep(100)

    assert len(attempts) == 2
    assert attempts[1] == pytest.approx(30, abs=0.1)


class BrokenQueue(InProcessQueue):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.away = True
        self.asked = 0

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> SaqJob | None:  # noqa: ASYNC109
        if not self.away:
            return await super().dequeue(timeout, poll_interval)
        self.asked += 1
        raise ConnectionError("no broker")


@in_virtual_time
async def test_a_broker_that_is_away_is_asked_less_and_less_often() -> None:
    ran = asyncio.Event()

    async def run() -> None:
        ran.set()

    queue = BrokenQueue("default")
    worker = JobWorker([AppWorker(queue, [job(run)], concurrency=1)])
    await worker.start()
    await asyncio.sleep(60)
    assert queue.asked <= 30

    queue.away = False
    await queue.enqueue("work")
    await asyncio.sleep(5.1)
    await worker.stop()

    assert ran.is_set()


async def test_jobs_run_again_after_redis_was_away(private_redis: RedisServer) -> None:
    ran = asyncio.Event()

    async def run() -> None:
        ran.set()

    async with working(job(run), redis_url=private_redis.url) as (queues, _):
        private_redis.stop()
        with pytest.raises(QueueUnavailable):
            await queues.enqueue("work")
        private_redis.start()
        await queues.enqueue("work")

        await within(ran.wait())


KILLED_WORKER = """
import asyncio, sys
from tests.core.queue.test_worker import job, working

async def run():
    print("started", flush=True)
    await asyncio.sleep(1_000)

async def main():
    async with working(job(run, timeout_seconds=1), redis_url=sys.argv[1]):
        await asyncio.sleep(1_000)

asyncio.run(main())
"""


@pytest.mark.kill
async def test_the_job_of_a_killed_worker_runs_in_another(redis_url: str) -> None:
    ran = asyncio.Event()

    async def run() -> None:
        ran.set()

    async with JobQueues(register([job(run, timeout_seconds=1)]), redis_url=redis_url) as queues:
        await queues.enqueue("work")
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED_WORKER, redis_url, stdout=asyncio.subprocess.PIPE
        )
        assert victim.stdout is not None
        assert await within(victim.stdout.readline()) == b"started\n"
        victim.send_signal(signal.SIGKILL)
        await within(victim.wait())

        async with asyncio.timeout(WITHIN_SECONDS), Redis.from_url(redis_url) as redis:
            while not await queues._queues["default"].sweep(lock=1, abort=0.01):
                await redis.delete("saq:default:sweep")
                await asyncio.sleep(0.1)
        worker = queues.worker()
        await worker.start()
        await within(ran.wait())
        await worker.stop()


async def within(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, WITHIN_SECONDS)

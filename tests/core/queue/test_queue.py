"""What SAQ documents of its queues, over ours and over Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from saq.job import Job, Status
from saq.queue.base import Queue
from saq.utils import now

from app.core.queue.in_process import MOST_FINISHED_JOBS, InProcessQueue
from app.core.queue.redis import redis_queue

LONG_AGO = 3_600_000  # milliseconds


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.redis)])
async def queue(request: pytest.FixtureRequest) -> AsyncIterator[Queue]:
    queue: Queue = (
        InProcessQueue("work")
        if request.param == "in-process"
        else redis_queue(request.getfixturevalue("redis_url"), "work")
    )
    await queue.connect()
    yield queue
    await queue.disconnect()


async def test_jobs_are_taken_in_the_order_they_came(queue: Queue) -> None:
    for number in range(3):
        await queue.enqueue("count", number=number)

    taken = [await take(queue) for _ in range(3)]

    assert [job.kwargs for job in taken] == [{"number": 0}, {"number": 1}, {"number": 2}]


async def test_whoever_waits_gets_the_job_at_once(queue: Queue) -> None:
    waiting = asyncio.create_task(queue.dequeue(timeout=5))
    await asyncio.sleep(0)

    await queue.enqueue("count", key="k")

    job = await waiting
    assert job is not None
    assert job.key == "k"


async def test_waiting_ends_empty_handed_after_the_timeout(queue: Queue) -> None:
    assert await queue.dequeue(timeout=0.01) is None


async def test_a_cancelled_wait_takes_no_job(queue: Queue) -> None:
    waiting = asyncio.create_task(queue.dequeue(timeout=5))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.wait([waiting])

    await queue.enqueue("count", key="k")

    assert (await take(queue)).key == "k"


async def test_a_key_is_queued_once_until_it_has_finished(queue: Queue) -> None:
    assert await queue.enqueue("count", key="k") is not None
    assert await queue.enqueue("count", key="k") is None
    job = await take(queue)
    assert await queue.enqueue("count", key="k") is None

    await job.finish(Status.COMPLETE)

    assert await queue.enqueue("count", key="k") is not None


async def test_counts_follow_a_job_through_its_life(queue: Queue) -> None:
    await queue.enqueue("count")
    await queue.enqueue("count", scheduled=now() // 1000 + 100)
    assert await counts(queue) == (1, 0, 2)

    job = await take(queue)
    assert await counts(queue) == (0, 1, 2)

    await job.finish(Status.COMPLETE)
    assert await counts(queue) == (0, 0, 1)


async def test_info_says_what_the_panel_shows(queue: Queue) -> None:
    await queue.enqueue("count", key="a")
    await queue.enqueue("count", key="b", scheduled=now() // 1000 + 100)

    info = await queue.info(jobs=True)

    assert (info["name"], info["queued"], info["active"], info["scheduled"]) == ("work", 1, 0, 1)
    assert {job["key"] for job in info["jobs"]} == {"a", "b"}


async def test_workers_are_known_while_they_report(queue: Queue) -> None:
    await queue.worker_info("w1", queue_key="work", ttl=60)

    assert list((await queue.info())["workers"]) == ["w1"]


async def test_a_result_is_kept(queue: Queue) -> None:
    await queue.enqueue("count", key="k", ttl=60)
    job = await take(queue)

    await job.finish(Status.COMPLETE, result=42)

    stored = await queue.job("k")
    assert stored is not None
    assert (stored.status, stored.result) == (Status.COMPLETE, 42)


async def test_a_job_without_ttl_is_forgotten_at_its_end(queue: Queue) -> None:
    await queue.enqueue("count", key="k", ttl=-1)
    job = await take(queue)

    await job.finish(Status.COMPLETE)

    assert await queue.job("k") is None


async def test_changing_what_was_read_changes_nothing_stored(queue: Queue) -> None:
    await queue.enqueue("count", key="k")
    read = await queue.job("k")
    assert read is not None
    read.error = "mine alone"

    stored = await queue.job("k")

    assert stored is not None
    assert stored.error is None


async def test_an_update_is_stored(queue: Queue) -> None:
    await queue.enqueue("count", key="k")
    job = await take(queue)
    await job.update(status=Status.ACTIVE, progress=0.5)

    stored = await queue.job("k")

    assert stored is not None
    assert (stored.status, stored.progress) == (Status.ACTIVE, 0.5)


async def test_a_retried_job_is_queued_again_with_its_error(queue: Queue) -> None:
    await queue.enqueue("count", key="k", retries=3)
    job = await take(queue)

    await job.retry("broken")

    again = await take(queue)
    assert (again.key, again.error) == ("k", "broken")


async def test_a_retry_waits_its_delay(queue: Queue) -> None:
    await queue.enqueue("count", key="k", retries=3, retry_delay=100.0)
    job = await take(queue)

    await job.retry("broken")

    assert await counts(queue) == (0, 0, 1)


async def test_a_job_for_later_is_not_taken_before(queue: Queue) -> None:
    await queue.enqueue("count", scheduled=now() // 1000 + 100)

    await queue.schedule(1)

    assert await queue.dequeue(timeout=0.01) is None


async def test_a_due_job_is_taken(queue: Queue) -> None:
    await queue.enqueue("count", key="k", scheduled=now() // 1000 - 1)

    await queue.schedule(1)

    assert (await take(queue)).key == "k"


async def test_aborting_a_waiting_job_ends_it(queue: Queue) -> None:
    job = await queue.enqueue("count", key="k")
    assert job is not None

    await job.abort("not wanted")

    stored = await queue.job("k")
    assert stored is not None
    assert (stored.status, stored.error) == (Status.ABORTED, "not wanted")
    assert await queue.dequeue(timeout=0.01) is None


async def test_aborting_a_running_job_tells_its_worker(queue: Queue) -> None:
    await queue.enqueue("count", key="k")
    job = await take(queue)

    await job.abort("not wanted")

    (stored,) = await queue.jobs(["k"])
    assert stored is not None
    assert stored.status == Status.ABORTING
    assert await queue.enqueue("count", key="k") is None


async def test_the_end_of_a_job_can_be_waited_for(queue: Queue) -> None:
    await queue.enqueue("count", key="k")
    job = await take(queue)
    seen = asyncio.get_running_loop().create_future()

    def ended(_key: str, status: Status) -> bool:
        if status == Status.COMPLETE:
            seen.set_result(status)
        return status == Status.COMPLETE

    listening = asyncio.create_task(queue.listen(["k"], ended, timeout=5))
    while not seen.done():
        await job.finish(Status.COMPLETE)
        await asyncio.wait([listening], timeout=0.05)

    await listening


async def test_the_job_of_a_dead_worker_runs_again(queue: Queue) -> None:
    await queue.enqueue("count", key="k", timeout=10, retries=2)
    await die_with(await take(queue))

    assert await queue.sweep(lock=1, abort=0.01) == [queue.job_id("k")]

    again = await take(queue)
    assert (again.key, again.error) == ("k", "swept")


async def test_the_job_of_a_dead_worker_ends_when_it_has_used_its_attempts(queue: Queue) -> None:
    await queue.enqueue("count", key="k", timeout=10, retries=1)
    await die_with(await take(queue))

    await queue.sweep(lock=1, abort=0.01)

    stored = await queue.job("k")
    assert stored is not None
    assert stored.status == Status.ABORTED


async def test_a_job_whose_heartbeat_stopped_is_swept(queue: Queue) -> None:
    await queue.enqueue("count", key="k", timeout=0, heartbeat=1, retries=2)
    job = await take(queue)
    job.attempts = 1
    await job.update(status=Status.ACTIVE, started=now())
    job.touched = now() - LONG_AGO
    await queue._update(job, status=Status.ACTIVE)

    assert await queue.sweep(lock=1, abort=0.01) == [queue.job_id("k")]


async def test_a_job_within_its_limits_is_left_alone(queue: Queue) -> None:
    await queue.enqueue("count", key="k", timeout=10, retries=2)
    job = await take(queue)
    await job.update(status=Status.ACTIVE, started=now())

    assert await queue.sweep(lock=1, abort=0.01) == []


async def test_one_sweep_at_a_time(queue: Queue) -> None:
    await queue.sweep(lock=60, abort=0.01)
    await queue.enqueue("count", key="k", timeout=10, retries=2)
    await die_with(await take(queue))

    assert await queue.sweep(lock=60, abort=0.01) == []


async def test_all_jobs_can_be_listed_by_status(queue: Queue) -> None:
    await queue.enqueue("count", key="done")
    await (await take(queue)).finish(Status.COMPLETE)
    await queue.enqueue("count", key="waiting")

    assert [job.key async for job in queue.iter_jobs([Status.QUEUED])] == ["waiting"]
    assert {job.key async for job in queue.iter_jobs()} == {"done", "waiting"}


async def test_in_process_a_job_just_taken_is_never_swept() -> None:
    queue = InProcessQueue("work")
    await queue.enqueue("count", key="k", timeout=10, retries=2)
    await take(queue)

    assert await queue.sweep(lock=1, abort=0.01) == []


async def test_in_process_finished_jobs_take_bounded_memory() -> None:
    queue = InProcessQueue("work")
    for number in range(MOST_FINISHED_JOBS + 1):
        await queue.enqueue("count", key=str(number), ttl=0)
        await (await take(queue)).finish(Status.COMPLETE)

    assert await queue.job("0") is None
    assert await queue.job("1") is not None


async def test_in_process_a_due_job_starts_without_a_poll() -> None:
    queue = InProcessQueue("work")
    await queue.enqueue("count", key="k", retries=3, retry_delay=0.01)
    await (await take(queue)).retry("once more")

    assert (await take(queue)).key == "k"


async def take(queue: Queue) -> Job:
    job = await queue.dequeue(timeout=5)
    assert job is not None, "nothing to take"
    return job


async def die_with(job: Job) -> None:
    """Leave the job as a worker that was killed leaves it."""
    job.attempts = 1
    await job.update(status=Status.ACTIVE, started=now() - LONG_AGO)


async def counts(queue: Queue) -> tuple[int, int, int]:
    return await queue.count("queued"), await queue.count("active"), await queue.count("incomplete")

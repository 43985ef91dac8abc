import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.db.base import db_now_plus
from app.core.db.session import Database
from app.core.errors import InvalidInput
from app.core.jobs import InvalidJob, Job
from app.core.queue.queues import QueueUnavailable
from app.core.queue.schedule import Schedule, SqlScheduleTable, tracked
from app.core.queue.scheduler import Scheduler
from app.core.queue.tables import scheduled_jobs
from tests.virtual_time import elapsed, in_virtual_time

HOURLY = Schedule(name="prune", every_seconds=3_600)


class Starter:
    def __init__(self, failures: int = 0) -> None:
        self.started: list[str] = []
        self.failures = failures

    async def enqueue(
        self, name: str, /, *, key: str | None = None, delay_seconds: float = 0, **arguments: str | int
    ) -> bool:
        if self.failures:
            self.failures -= 1
            raise QueueUnavailable("no broker")
        self.started.append(name)
        return True


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/test.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    async with Database(url) as database:
        async with database.write() as connection:
            await connection.run_sync(scheduled_jobs.create)
        yield database


@pytest.fixture
async def table(database: Database) -> SqlScheduleTable:
    table = SqlScheduleTable(database)
    await table.define([HOURLY])
    return table


async def test_a_new_schedule_is_due_at_once_and_then_in_its_time(table: SqlScheduleTable) -> None:
    assert await table.claim_due(["prune"]) == ["prune"]
    assert await table.claim_due(["prune"]) == []

    (row,) = await table.all()
    assert timedelta(minutes=59) < row.next_run_at - datetime.now(UTC) < timedelta(minutes=61)


async def test_what_was_missed_is_one_run(table: SqlScheduleTable, database: Database) -> None:
    await make_due(database, seconds_ago=86_400)

    assert await table.claim_due(["prune"]) == ["prune"]
    assert await table.claim_due(["prune"]) == []


async def test_defining_again_changes_nothing(table: SqlScheduleTable) -> None:
    await table.claim_due(["prune"])
    before = await table.all()

    await table.define([HOURLY])

    assert await table.all() == before


async def test_a_changed_interval_counts_from_now(table: SqlScheduleTable) -> None:
    await table.claim_due(["prune"])

    await table.define([Schedule(name="prune", every_seconds=60)])

    assert await table.claim_due(["prune"]) == ["prune"]
    (row,) = await table.all()
    assert row.every_seconds == 60


async def test_a_row_of_another_version_is_left_alone(table: SqlScheduleTable) -> None:
    assert await table.claim_due(["something-else"]) == []


async def test_two_processes_may_define_at_the_same_time(database: Database) -> None:
    schedules = [Schedule(name=f"job-{number}", every_seconds=60) for number in range(10)]
    first, second = SqlScheduleTable(database), SqlScheduleTable(database)

    await asyncio.gather(first.define(schedules), second.define(schedules))

    assert len(await first.all()) == 10


async def test_two_schedulers_never_start_the_same_occurrence(database: Database) -> None:
    names = [f"job-{number:02}" for number in range(10)]
    schedules = [Schedule(name=name, every_seconds=3_600) for name in names]
    starter = Starter()
    schedulers = [Scheduler(schedules, table=SqlScheduleTable(database), jobs=starter) for _ in range(4)]
    await SqlScheduleTable(database).define(schedules)

    for _ in range(5):
        starter.started.clear()
        await make_due(database, seconds_ago=1)
        await asyncio.gather(*(scheduler.run_due() for scheduler in schedulers))

        assert sorted(starter.started) == names


async def test_what_could_not_be_started_is_due_again_soon(table: SqlScheduleTable, database: Database) -> None:
    starter = Starter(failures=1)
    scheduler = Scheduler([HOURLY], table=table, jobs=starter)

    with pytest.raises(QueueUnavailable):
        await scheduler.run_due()

    (row,) = await table.all()
    assert row.next_run_at - datetime.now(UTC) < timedelta(seconds=10)
    await make_due(database, seconds_ago=0)
    await scheduler.run_due()
    assert starter.started == ["prune"]


async def test_a_run_leaves_its_times(table: SqlScheduleTable) -> None:
    async def run() -> None: ...

    await tracked(job(run), table).run()

    (row,) = await table.all()
    assert row.last_started_at is not None
    assert row.last_finished_at is not None
    assert row.last_started_at <= row.last_finished_at
    assert row.last_error is None


@pytest.mark.parametrize(
    ("error", "recorded"),
    [
        (ValueError("+34 600 000 000"), "ValueError"),
        (InvalidInput("the folder is not writable"), "InvalidInput: the folder is not writable"),
    ],
)
async def test_a_failed_run_leaves_its_error_without_what_others_may_not_see(
    table: SqlScheduleTable, error: Exception, recorded: str
) -> None:
    async def run() -> None:
        raise error

    with pytest.raises(type(error)):
        await tracked(job(run), table).run()

    (row,) = await table.all()
    assert row.last_error == recorded


def test_a_schedule_without_an_interval_is_refused() -> None:
    with pytest.raises(InvalidJob):
        Schedule(name="prune", every_seconds=0)


class FakeTable:
    """Due every `every_seconds` of the loop's clock; `failures` calls raise."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked = 0
        self.next_at = 0.0

    async def define(self, schedules: Collection[Schedule]) -> None: ...

    async def claim_due(self, names: Collection[str]) -> Sequence[str]:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no database")
        now = asyncio.get_running_loop().time()
        if now < self.next_at:
            return []
        self.next_at = now + 60
        return list(names)

    async def give_back(self, name: str, after_seconds: float) -> None:
        self.next_at = asyncio.get_running_loop().time() + after_seconds

    async def record_start(self, name: str) -> None: ...

    async def record_end(self, name: str, error: str | None) -> None: ...


@in_virtual_time
async def test_jobs_are_started_on_time() -> None:
    starter = Starter()
    scheduler = Scheduler([HOURLY], table=FakeTable(), jobs=starter)
    await scheduler.start()
    await asyncio.sleep(600.5)
    await scheduler.stop()

    assert 10 <= len(starter.started) <= 11


@in_virtual_time
async def test_a_broker_that_is_away_costs_no_occurrence() -> None:
    starter = Starter(failures=3)
    scheduler = Scheduler([HOURLY], table=FakeTable(), jobs=starter)
    await scheduler.start()
    await asyncio.sleep(50)
    await scheduler.stop()

    assert starter.started == ["prune"]


@in_virtual_time
async def test_a_database_that_is_away_is_asked_less_often() -> None:
    table = FakeTable(failures=10_000)
    scheduler = Scheduler([HOURLY], table=table, jobs=Starter())
    await scheduler.start()
    await asyncio.sleep(600)
    await scheduler.stop()

    assert table.asked <= 30


@in_virtual_time
async def test_the_scheduler_stops_at_once() -> None:
    scheduler = Scheduler([HOURLY], table=FakeTable(), jobs=Starter())
    await scheduler.start()
    await asyncio.sleep(0.5)

    assert await elapsed(scheduler.stop()) == 0


def job(run: object) -> Job:
    assert callable(run)
    return Job(name="prune", run=run, queue="maintenance", timeout_seconds=60, retries=3, ttl_seconds=-1)


async def make_due(database: Database, *, seconds_ago: float) -> None:
    async with database.write() as connection:
        await connection.execute(sa.update(scheduled_jobs).values(next_run_at=db_now_plus(-seconds_ago)))

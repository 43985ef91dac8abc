import asyncio

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.core.db import Database, DatabaseUnavailable, db_now_plus
from app.core.ids import new_id
from app.system.heartbeat import Heartbeat, check_process
from app.system.models import process_heartbeats
from app.system.queries import running_processes, write_beat
from app.system.schemas import Process
from tests.core.eventually import eventually


async def processes(database: Database) -> list[Process]:
    async with database.read() as connection:
        return await running_processes(connection)


async def first_beat(database: Database, heartbeat: Heartbeat) -> Process:
    await heartbeat.beat()
    [process] = await processes(database)
    return process


async def set_back(database: Database, seconds: float) -> None:
    async with database.write() as connection:
        await connection.execute(sa.update(process_heartbeats).values(beat_at=db_now_plus(-seconds)))


async def test_a_process_is_seen_while_it_runs_and_gone_when_it_ends(database: Database) -> None:
    assert not await check_process(database, "jobs")
    async with Heartbeat(database, "jobs", version="1.2.3") as heartbeat:
        process = await first_beat(database, heartbeat)
        assert (process.id, process.kind, process.version) == (heartbeat.process_id, "jobs", "1.2.3")
        assert process.alive is True
        assert await check_process(database, "jobs")
        assert not await check_process(database, "scheduler")
        assert not await check_process(database, "jobs", host="another-machine")
    assert await processes(database) == []
    assert not await check_process(database, "jobs")


async def test_a_process_that_stopped_beating_counts_as_dead(database: Database) -> None:
    heartbeat = Heartbeat(database, "web", version="1")  # not entered: nobody beats but this test
    await first_beat(database, heartbeat)
    await set_back(database, 31)
    assert [process.alive for process in await processes(database)] == [False]
    assert not await check_process(database, "web")


async def test_a_beat_moves_the_time_and_keeps_the_start(database: Database) -> None:
    heartbeat = Heartbeat(database, "web", version="1")
    started = (await first_beat(database, heartbeat)).started_at
    await set_back(database, 31)
    await heartbeat.beat()
    [process] = await processes(database)
    assert process.alive is True
    assert process.started_at == started


async def test_processes_that_vanished_long_ago_are_forgotten(database: Database) -> None:
    async with database.write() as connection:
        await write_beat(connection, process_id=new_id(), kind="jobs", host="old", pid=1, version="0")
    await set_back(database, 25 * 3600)
    assert await processes(database) == []
    async with Heartbeat(database, "web", version="1") as heartbeat:
        await first_beat(database, heartbeat)
    async with database.read() as connection:
        assert (await connection.execute(sa.select(process_heartbeats))).all() == []


async def test_a_database_that_does_not_answer_is_said_once_and_stops_nothing() -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/nothing") as database:
        with capture_logs() as logs:
            async with Heartbeat(database, "jobs", version="1", every_seconds=0.001) as heartbeat:
                await eventually(lambda: logs)
                for _ in range(3):
                    with pytest.raises(DatabaseUnavailable):
                        await heartbeat.beat()
        assert [line["event"] for line in logs] == ["heartbeat.missed"]
        assert not await check_process(database, "jobs")


async def test_what_a_process_has_counted_is_written_with_its_beats_and_at_its_end(database: Database) -> None:
    flushed = asyncio.Semaphore(0)

    async def flush() -> None:
        flushed.release()

    async with Heartbeat(database, "web", version="1", every_seconds=3600, flush=flush):
        async with asyncio.timeout(10):
            await flushed.acquire()
        assert flushed.locked()

    assert not flushed.locked(), "the end flushes as well"

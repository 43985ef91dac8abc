import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, DatabaseUnavailable, GroupCommit
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.whatsapp.models import channels


class Writer:
    """Stores channels by number, and notes the size of each group. `number` "bad" cannot be stored."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.go = asyncio.Event()
        self.go.set()
        self.started = asyncio.Event()
        self.failures: list[Exception] = []

    async def __call__(self, connection: AsyncConnection, numbers: Sequence[str]) -> Sequence[str]:
        self.groups.append(len(numbers))
        self.started.set()
        await self.go.wait()
        if self.failures:
            raise self.failures.pop(0)
        for number in numbers:
            if number == "bad":
                raise ValueError("bad")
            await connection.execute(
                channels.insert().values(id=new_id(), kind="c", name="n", source="p", phone_number_id=number)
            )
        return [f"stored {number}" for number in numbers]


async def stored(database: Database) -> set[str]:
    async with database.read() as connection:
        return set(await connection.scalars(sa.select(channels.c.phone_number_id)))


async def test_what_arrives_while_a_commit_runs_shares_the_next_one(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer) as group:
        first = asyncio.create_task(group.save("first"))
        await writer.started.wait()
        others = [asyncio.create_task(group.save(str(number))) for number in range(20)]
        await asyncio.sleep(0)
        writer.go.set()
        assert await first == "stored first"
        assert await asyncio.gather(*others) == [f"stored {number}" for number in range(20)]
    assert writer.groups == [1, 20]


async def test_only_the_item_at_fault_fails(database: Database) -> None:
    async with GroupCommit(database, Writer()) as group:
        results = await asyncio.gather(
            *(group.save(item) for item in ("1", "bad", "2", "1", "3")), return_exceptions=True
        )
    assert results[0] == "stored 1"
    assert isinstance(results[1], ValueError)
    assert results[2] == "stored 2"
    assert isinstance(results[3], sa.exc.IntegrityError)
    assert results[4] == "stored 3"
    assert await stored(database) == {"1", "2", "3"}


async def test_who_waits_too_long_is_told_so_and_what_has_not_begun_is_not_stored(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer) as group:
        first = asyncio.create_task(group.save("first"))
        await writer.started.wait()
        with pytest.raises(Unavailable):
            await group.save("late", within_seconds=0.01)
        writer.go.set()
        assert await first == "stored first"
    assert await stored(database) == {"first"}


async def test_a_group_of_one_statement_is_stored_once(database: Database) -> None:
    async with GroupCommit(database, Writer(), one_statement=True) as group:
        assert await group.save("one", within_seconds=60) == "stored one"
    assert await stored(database) == {"one"}


async def test_a_caller_that_gave_up_before_its_turn_stores_nothing(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer) as group:
        first = asyncio.create_task(group.save("first"))
        await writer.started.wait()
        waiting = asyncio.create_task(group.save("second"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        writer.go.set()
        await first
    assert await stored(database) == {"first"}


async def test_a_caller_that_gives_up_during_the_write_does_not_disturb_it(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer) as group:
        first = asyncio.create_task(group.save("first"))
        await writer.started.wait()
        first.cancel()
        await asyncio.sleep(0)
        writer.go.set()
        assert await group.save("second") == "stored second"
    assert await stored(database) == {"first", "second"}


async def test_leaving_commits_what_still_waits_and_takes_nothing_more(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    group = GroupCommit(database, writer)
    await group.__aenter__()
    saving = [asyncio.create_task(group.save(str(number))) for number in range(3)]
    await writer.started.wait()
    leaving = asyncio.create_task(group.__aexit__())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await group.save("too late")
    writer.go.set()
    await leaving
    assert len(await asyncio.gather(*saving)) == 3
    assert await stored(database) == {"0", "1", "2"}


async def test_nobody_waits_for_ever_when_leaving_is_cancelled(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    group = GroupCommit(database, writer)
    await group.__aenter__()
    first = asyncio.create_task(group.save("first"))
    await writer.started.wait()
    second = asyncio.create_task(group.save("second"))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(group.__aexit__())
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(10):
        results = await asyncio.gather(first, second, leaving, return_exceptions=True)
    assert isinstance(results[0], Unavailable)
    assert isinstance(results[1], Unavailable)
    assert await stored(database) == set()


async def test_more_than_it_can_hold_is_refused(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer, most_waiting=2) as group:
        first = asyncio.create_task(group.save("0"))
        await writer.started.wait()
        waiting = [asyncio.create_task(group.save(str(number))) for number in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await group.save("3")
        writer.go.set()
        await asyncio.gather(first, *waiting)


async def test_a_write_that_hangs_is_given_up_and_the_next_one_works(database: Database) -> None:
    writer = Writer()
    writer.go.clear()
    async with GroupCommit(database, writer, longest_write_seconds=1.0) as group:
        with pytest.raises(DatabaseUnavailable):
            await group.save("first")
        writer.go.set()
        assert await group.save("second") == "stored second"
    assert await stored(database) == {"second"}


async def test_the_database_being_away_is_told_at_once_to_who_can_try_again_themselves(database: Database) -> None:
    writer = Writer()
    writer.failures = [DatabaseUnavailable("away")]
    async with GroupCommit(database, writer) as group:
        with pytest.raises(DatabaseUnavailable):
            await group.save("first")
        assert await group.save("second") == "stored second"


async def test_with_patience_a_short_absence_of_the_database_costs_nothing(database: Database) -> None:
    writer = Writer()
    writer.failures = [DatabaseUnavailable("away"), DatabaseUnavailable("away")]
    async with GroupCommit(database, writer, patience_seconds=10) as group:
        assert await group.save("first") == "stored first"
    assert writer.groups == [1, 1, 1]


async def test_a_write_that_forgets_a_result_stores_nothing(tmp_path: Path, database: Database) -> None:
    async def forgetful(connection: AsyncConnection, numbers: Sequence[str]) -> Sequence[str]:
        await Writer()(connection, numbers)
        return []

    async with GroupCommit(database, forgetful) as group:
        with pytest.raises(RuntimeError):
            await group.save("first")
    assert await stored(database) == set()

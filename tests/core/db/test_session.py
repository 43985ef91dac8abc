import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, DatabaseInUse, DatabaseUnavailable, exclusive, savepoint
from app.core.db.connections import told
from app.core.ids import new_id
from app.whatsapp.models import channels
from tests.databases import PostgresDatabases
from tests.servers import free_port


def channel(number: str = "100") -> sa.Insert:
    return channels.insert().values(id=new_id(), kind="cloud", name="one", source="panel", phone_number_id=number)


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(channels)) or 0)


async def test_a_unit_of_work_is_stored_wholly_or_not_at_all(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(channel("1"))

    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(channel("2"))
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        await fail()
    assert await count(database) == 1


async def test_two_of_the_same_are_the_callers_mistake_and_no_loss_of_the_database(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(channel())
    with pytest.raises(sa.exc.IntegrityError):
        async with database.write() as connection:
            await connection.execute(channel())


async def test_a_mistake_in_a_statement_is_no_loss_of_the_database(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with database.write() as connection:
            await connection.execute(sa.text("SELECT nothing FROM nowhere"))


async def test_an_error_does_not_repeat_what_people_wrote(database: Database) -> None:
    statement = sa.text("INSERT INTO channels (id, name) VALUES (:id, :name)")
    with pytest.raises(sa.exc.DBAPIError) as caught:
        async with database.write() as connection:
            await connection.execute(statement, {"id": str(new_id()), "name": "call me at 573001112233"})
    assert "573001112233" not in str(caught.value)


async def test_what_fails_in_a_savepoint_leaves_the_rest_of_the_unit_of_work(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(channel("1"))

        async def fail() -> None:
            async with savepoint(connection):
                await connection.execute(channel("2"))
                await connection.execute(channel("1"))

        with pytest.raises(sa.exc.IntegrityError):
            await fail()
        await connection.execute(channel("3"))
    assert await count(database) == 2


async def test_a_cancelled_unit_of_work_stores_nothing_and_gives_its_connection_back(database: Database) -> None:
    for number in range(12):  # more often than there are connections
        inside = asyncio.Event()

        async def cancelled(number: int = number, inside: asyncio.Event = inside) -> None:
            async with database.write() as connection:
                await connection.execute(channel(str(number)))
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(cancelled())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await count(database) == 0
    assert database.waiting == 0


async def test_a_session_is_the_same_unit_of_work(database: Database) -> None:
    async with database.session() as session:
        await session.execute(channel())
    assert await count(database) == 1


async def test_the_clock_is_aware_and_in_utc(database: Database) -> None:
    async with database.read() as connection:
        now = await database.now(connection)
    assert now.utcoffset() is not None
    assert not now.utcoffset()


async def test_readers_do_not_write_and_do_not_wait_for_the_writer_on_sqlite(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/a.db") as database:
        async with database.write() as connection:
            await connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
        async with database.write() as writing, asyncio.timeout(5), database.read() as reading:
            await writing.execute(sa.text("INSERT INTO t VALUES (1)"))
            assert await reading.scalar(sa.text("SELECT count(*) FROM t")) == 0
            with pytest.raises(sa.exc.DBAPIError):
                await reading.execute(sa.text("INSERT INTO t VALUES (2)"))


async def test_many_writers_of_one_sqlite_file_take_turns(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/a.db") as database:
        async with database.write() as connection:
            await connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
            await connection.execute(sa.text("INSERT INTO t VALUES (0)"))

        async def add() -> None:
            async with database.write() as connection:
                x = await connection.scalar(sa.text("SELECT x FROM t"))
                await connection.execute(sa.text("UPDATE t SET x = :x"), {"x": x + 1})

        await asyncio.gather(*(add() for _ in range(40)))
        async with database.read() as connection:
            assert await connection.scalar(sa.text("SELECT x FROM t")) == 40


async def test_a_second_process_on_the_same_sqlite_file_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    async with Database(url):
        script = f"""
import asyncio
from app.core.db import Database, DatabaseInUse

async def main():
    try:
        async with Database({url!r}):
            print("in")
    except DatabaseInUse as refusal:
        print(refusal)

asyncio.run(main())
"""
        other = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert "DATABASE_URL" in other.stdout
        assert "pid" in other.stdout
    async with Database(url):  # whoever left has left the file to the next
        pass


async def test_a_second_database_of_the_same_process_is_refused_too(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/a.db"):
        with pytest.raises(DatabaseInUse):
            async with Database(f"sqlite:///{tmp_path}/a.db"):
                pass


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    for host in (f"127.0.0.1:{free_port()}", "name.invalid:5432"):
        async with Database(f"postgresql://postgres@{host}/none") as database:
            with pytest.raises(DatabaseUnavailable):
                async with database.read():
                    pass


async def test_a_commit_that_fails_is_an_error_to_the_caller(postgres_url: str) -> None:
    async with Database(postgres_url) as database:
        async with database.write() as connection:
            await connection.execute(sa.text("CREATE TABLE parent (id INT PRIMARY KEY)"))
            await connection.execute(
                sa.text("CREATE TABLE child (p INT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
            )
        with pytest.raises(sa.exc.IntegrityError):
            async with database.write() as connection:
                await connection.execute(sa.text("INSERT INTO child VALUES (1)"))
        async with database.read() as connection:
            assert await connection.scalar(sa.text("SELECT count(*) FROM child")) == 0


async def _kill(database: Database, connection: AsyncConnection) -> None:
    """End the server's process of `connection`, and wait until it is gone."""
    pid = await connection.scalar(sa.text("SELECT pg_backend_pid()"))
    async with database.write() as other:
        await other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


async def test_a_connection_lost_before_the_commit_is_unavailable_and_is_replaced(postgres_url: str) -> None:
    async with Database(postgres_url, pool_size=2) as database:
        for _ in range(4):  # more often than there are connections
            with pytest.raises(DatabaseUnavailable):
                async with database.write() as connection:
                    await _kill(database, connection)
        async with database.read() as connection:
            assert await connection.scalar(sa.text("SELECT 1")) == 1


async def test_a_lost_connection_does_not_hide_what_went_wrong_before(postgres_url: str) -> None:
    async with Database(postgres_url, pool_size=2) as database:

        async def fail() -> None:
            async with database.write() as connection:
                await _kill(database, connection)
                raise RuntimeError("mine")

        for _ in range(4):
            with pytest.raises(RuntimeError, match="mine"):
                await fail()
        async with database.read() as connection:
            assert await connection.scalar(sa.text("SELECT 1")) == 1


async def test_a_statement_cancelled_in_its_middle_leaves_the_pool_whole(postgres_url: str) -> None:
    async with Database(postgres_url, pool_size=2) as database:

        async def slow() -> None:
            async with database.write() as connection:
                await connection.execute(sa.text("SELECT pg_sleep(30)"))

        async def sleeping() -> bool:
            async with database.read() as connection:
                found = await connection.scalar(
                    sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                )
            return bool(found)

        for _ in range(4):  # more often than there are connections
            task = asyncio.create_task(slow())
            async with asyncio.timeout(10):
                while not await sleeping():
                    pass
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(10):
                while await sleeping():
                    pass
        assert database.waiting == 0


async def test_an_exhausted_pool_is_unavailable(postgres_url: str) -> None:
    async with Database(postgres_url, pool_size=1) as database, database.write():
        with pytest.raises(DatabaseUnavailable):
            async with database.write():
                pass


@pytest.mark.parametrize(
    "limit", ["lock_timeout", "statement_timeout"], ids=["waits too long for a lock", "runs too long"]
)
async def test_what_the_server_gives_up_may_be_tried_again(postgres_url: str, limit: str) -> None:
    async with Database(postgres_url) as database, database.write() as first:
        await exclusive(first, "something")

        async def wait() -> None:
            async with database.write() as second:
                await second.execute(sa.text(f"SET LOCAL {limit} = '50ms'"))
                await exclusive(second, "something")

        with pytest.raises(DatabaseUnavailable):
            await wait()


async def test_of_two_that_wait_for_each_other_one_may_try_again(postgres_url: str) -> None:
    async with Database(postgres_url) as database:
        both = asyncio.Barrier(2)

        async def lock(first: str, second: str) -> None:
            async with database.write() as connection:
                await connection.execute(sa.text("SET LOCAL deadlock_timeout = '20ms'"))
                await exclusive(connection, first)
                await both.wait()
                await exclusive(connection, second)

        ends = await asyncio.gather(lock("a", "b"), lock("b", "a"), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [DatabaseUnavailable]


async def test_one_at_a_time_passes_where_it_is_exclusive(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh() as url:
        async with Database(url) as one, Database(url) as other:
            inside = 0

            async def enter(database: Database) -> None:
                nonlocal inside
                async with database.write() as connection:
                    await exclusive(connection, "place")
                    inside += 1
                    assert inside == 1
                    await connection.execute(sa.text("SELECT pg_sleep(0.01)"))
                    inside -= 1

            await asyncio.gather(*(enter(database) for database in (one, other) for _ in range(5)))


async def test_a_connection_that_the_server_has_ended_serves_nobody_else(postgres_url: str) -> None:
    async with Database(postgres_url, pool_size=1) as database:
        for _ in range(20):
            with pytest.raises(DatabaseUnavailable):
                async with database.write() as connection:
                    await connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
            async with database.write() as connection:
                assert (await connection.execute(sa.text("SELECT 1"))).scalar_one() == 1


def test_a_driver_in_the_middle_of_something_is_a_lost_connection() -> None:
    assert isinstance(told("SELECT 1", asyncpg.InternalClientError("another operation")), sa.exc.InterfaceError)

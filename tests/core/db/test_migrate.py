import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.search_index import is_part
from app.core.db import Database, exclusive
from app.core.db.migrate import HEAD, current, downgrade, is_current, migrate
from app.tables import metadata as every_table
from tests.builders.rows import BOTH
from tests.databases import PostgresDatabases


@pytest.fixture(params=BOTH)
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/a.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    async with Database(url) as database:
        yield database


async def tables(database: Database) -> set[str]:
    async with database.read() as connection:
        return set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))


async def test_migrations_run_up_down_and_up_again(empty: Database) -> None:
    assert not await is_current(empty)
    await migrate(empty)
    assert await is_current(empty)
    made = {name for name in await tables(empty) if not is_part(name)}
    assert made == {table.name for table in every_table.sorted_tables} | {"alembic_version"}
    await downgrade(empty, "base")
    assert await tables(empty) <= {"alembic_version"}
    await migrate(empty)
    assert await is_current(empty)


async def test_migrating_again_changes_nothing(empty: Database) -> None:
    await migrate(empty)
    await migrate(empty)
    async with empty.read() as connection:
        assert await current(connection) == HEAD


async def test_an_empty_database_has_no_version(empty: Database) -> None:
    async with empty.read() as connection:
        assert await current(connection) is None


async def test_processes_that_start_together_migrate_once(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh() as url:
        async with Database(url) as one, Database(url) as two, Database(url) as three:
            await asyncio.gather(migrate(one), migrate(two), migrate(three))
            assert await is_current(one)


async def test_a_migration_waits_for_another_one_without_the_usual_limits(postgres_url: str) -> None:
    limits: list[str] = []

    def note(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if "pg_advisory_xact_lock" in statement:
            cursor = connection.connection.cursor()
            for name in ("lock_timeout", "statement_timeout"):
                cursor.execute(f"SHOW {name}")
                limits.extend(str(value) for value in cursor.fetchone() or ())

    async with Database(postgres_url) as database:
        async with database.write() as connection:
            await connection.run_sync(lambda sync: sa.event.listen(sync.engine, "before_cursor_execute", note))
            await exclusive(connection, "anything")
        await migrate(database)
        async with database.write() as connection:
            await exclusive(connection, "anything")
    assert limits == ["5s", "15s", "0", "0", "5s", "15s"]

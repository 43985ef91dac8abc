"""The migrations make exactly the tables that the code names, on both databases, and every claim finds an index."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.conversations import answering
from app.conversations.models import turns
from app.conversations.search_index import is_part
from app.core.db import Database
from app.core.db.events import events
from app.core.db.migrate import HEAD
from app.outbound.leaving import start, sweep
from app.outbound.models import outbound_messages
from app.tables import metadata
from app.whatsapp.ingest import Ingest
from app.whatsapp.models import inbound_events, media
from app.whatsapp.pacing import LocalPacer
from tests.builders.rows import BOTH, migrated, sqlite_copy

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


def revisions() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config)


def test_the_head_that_the_code_names_is_the_newest_file() -> None:
    assert revisions().get_heads() == [HEAD]
    assert max(path.name[:4] for path in (ROOT / "migrations/versions").glob("0*.py")) == HEAD


async def test_migrations_and_tables_do_not_drift_apart(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        # Both sides write a server default in their own words, so those are not compared.
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": False,
                "include_object": lambda _item, name, *_: not is_part(name),
            },
        )
        return list(compare_metadata(context, metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_row_gets_the_defaults_that_the_tables_name(database: Database) -> None:
    """Server defaults, which the comparison above leaves out: every one must be there after the migrations."""

    def missing(connection: sa.Connection) -> list[str]:
        inspector = sa.inspect(connection)
        found = {
            (t.name, c["name"]): c["default"] for t in metadata.sorted_tables for c in inspector.get_columns(t.name)
        }
        wanted = [c for t in metadata.sorted_tables for c in t.columns if c.server_default is not None]
        return [str(c) for c in wanted if found[c.table.name, c.name] is None]

    async with database.read() as connection:
        assert await connection.run_sync(missing) == []


@pytest.mark.parametrize(
    "table", [events, inbound_events, media, outbound_messages, turns], ids=lambda table: str(table.name)
)
async def test_what_is_claimed_has_an_index_that_begins_with_its_due_time(database: Database, table: sa.Table) -> None:
    async with database.read() as connection:
        indexes = await connection.run_sync(lambda sync: sa.inspect(sync).get_indexes(table.name))
    assert any(index["column_names"][0] == "due_at" for index in indexes)


async def test_every_foreign_key_can_be_followed_backwards(database: Database) -> None:
    """Without an index on it, deleting a parent or finding its children reads the whole table."""

    def unindexed(connection: sa.Connection) -> list[str]:
        inspector, found = sa.inspect(connection), []
        for table in metadata.sorted_tables:
            firsts = {index["column_names"][0] for index in inspector.get_indexes(table.name)}
            firsts |= {key["column_names"][0] for key in inspector.get_unique_constraints(table.name)}
            firsts |= set(inspector.get_pk_constraint(table.name)["constrained_columns"][:1])
            found += [f"{table.name}.{k.parent.name}" for k in table.foreign_keys if k.parent.name not in firsts]
        return found

    async with database.read() as connection:
        assert await connection.run_sync(unindexed) == []


async def test_no_claim_reads_a_whole_table_on_sqlite(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """On PostgreSQL the planner decides by statistics; SQLite's choice depends on the words of the statement alone."""
    async with Database(f"sqlite:///{await sqlite_copy(tmp_path_factory, tmp_path)}") as database:
        plans: list[str] = []

        def explain(connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if " due_at <= " in statement or ".due_at <= " in statement:
                cursor = connection.connection.cursor()
                cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans.append("\n".join(str(row[3]) for row in cursor.fetchall()))

        async with database.write() as connection:
            await connection.run_sync(lambda sync: sa.event.listen(sync.engine, "before_cursor_execute", explain))
            await answering.claim(connection, 10)
            await sweep(connection)
            await start(connection, LocalPacer(), 10, now=datetime.now(UTC))
        await Ingest(database, None, None, None).claim(10)  # type: ignore[arg-type]
    whole = ("SCAN turns", "SCAN outbound_messages", "SCAN inbound_events", "SCAN other")
    assert len(plans) == 4
    assert [plan for plan in plans if any(line.strip() in whole for line in plan.splitlines())] == []
    assert all("_due (due_at<?)" in plan for plan in plans)

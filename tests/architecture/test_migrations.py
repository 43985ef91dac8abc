"""The migrations make exactly the tables that the code names, on both databases, and every claim finds an index."""

import contextlib
import importlib
import pkgutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import sqlite

import app
from app.conversations.models import turns
from app.conversations.search_index import is_part
from app.core.db import Database, Statement
from app.core.db.events import events
from app.core.db.migrate import HEAD
from app.outbound.models import outbound_messages
from app.tables import metadata
from app.whatsapp.models import inbound_events, media
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


def statements() -> list[tuple[str, Statement]]:
    """Return every statement of the message path, with its name."""
    modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(app.__path__, "app.")]
    return [
        (f"{module.__name__}.{name}", one)
        for module in modules
        for name, one in vars(module).items()
        if isinstance(one, Statement)
    ]


async def test_no_statement_of_the_message_path_reads_a_whole_table_on_sqlite(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On PostgreSQL the planner decides by statistics; SQLite's choice depends on the words of the statement alone."""
    tables = set(metadata.tables) - {"events"}  # all of whose rows are due
    found = statements()
    assert len(found) > 30
    with contextlib.closing(sqlite3.connect(await sqlite_copy(tmp_path_factory, tmp_path))) as connection:
        for name, statement in found:
            text = statement._form(sqlite.dialect(paramstyle="qmark")).text  # its text is what is tested
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", ["[]"] * text.count("?"))]
            scanned = {step.split()[1] for step in plan if step.startswith("SCAN ")} & tables
            assert not scanned, f"{name} reads every row of {scanned}"
            if name.endswith(("._CLAIM", "._CANDIDATES", "._PARK")) and "FROM events" not in text:
                assert any("_due (due_at<?)" in step for step in plan), f"{name} finds what is due without its index"

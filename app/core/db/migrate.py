"""Bring the schema to the newest version, once, however many processes start together."""

from importlib import resources
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db.session import Database, exclusive
from app.core.failpoints import reach

log = structlog.get_logger()

# The newest revision in migrations/versions. Named here so that a start need not load Alembic to see that all is well;
# a test compares it with the files.
HEAD = "0012"


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade the schema to `revision` under a lock that other starting processes wait for.

    A failed migration raises, and leaves the schema as it was: both databases roll DDL back.
    """
    async with database.read() as connection:
        if revision == "head" and await current(connection) == HEAD:
            return
    async with database.write() as connection:
        await _alone(connection)
        before = await current(connection)
        await connection.run_sync(_run, "upgrade", revision)
        reach("migration.applied")
        after = await current(connection)
    if before != after:
        log.info("database.migrated", before=before, after=after)


async def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to `revision` (`base` removes every table and what is in them)."""
    async with database.write() as connection:
        await _alone(connection)
        await connection.run_sync(_run, "downgrade", revision)


async def is_current(database: Database) -> bool:
    """Say whether the schema is the one this build was made for."""
    async with database.read() as connection:
        return await current(connection) == HEAD


async def current(connection: AsyncConnection) -> str | None:
    """Return the revision the database is at; None for an empty one."""
    if not await connection.run_sync(lambda sync: sa.inspect(sync).has_table("alembic_version")):
        return None
    return (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()


async def _alone(connection: AsyncConnection) -> None:
    """Wait for other processes that migrate, and take as long as a large table needs."""
    if connection.dialect.name == "postgresql":
        for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            await connection.execute(sa.text(f"SET LOCAL {limit} = 0"))
    await exclusive(connection, "migrations")


def _run(connection: sa.Connection, command: str, revision: str) -> None:
    # Alembic takes a third of a second to import, which a start without migrations need not pay.
    import alembic.command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("migrations")))
    config.attributes["connection"] = connection
    getattr(alembic.command, command)(config, revision)


def new_revision(connection: Any, message: str, number: str) -> None:
    """Write the next migration from what the tables and the database have apart. For developers."""
    import alembic.command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("migrations")))
    config.attributes["connection"] = connection
    alembic.command.revision(config, message, autogenerate=True, rev_id=number)


__all__ = ["HEAD", "current", "downgrade", "is_current", "migrate", "new_revision"]

"""The database and its unit of work. Only this package commits."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from app.core.db.base import db_now
from app.core.db.connections import (
    Connections,
    PostgresqlStatement,
    PostgresqlWrite,
    SqliteRead,
    SqliteWrite,
    Transaction,
    unit_of_work,
)
from app.core.db.errors import DatabaseInUse, DatabaseUnavailable
from app.core.db.sqlite_writer import WriterConnection
from app.core.db.statement import Statement

Dialect = Literal["sqlite", "postgresql"]

# What the same unit of work may survive when it is tried again: connection (08), deadlock and serialization (40),
# resources (53), operator intervention with statement_timeout (57), the system below (58), lock_timeout.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT = ("08", "40", "53", "57", "58", "55P03")
_POOL_WAIT_SECONDS = 2.0  # a webhook is better refused (Meta retries) than kept waiting
_SQLITE_READERS = 4


class Database:
    """One database, SQLite or PostgreSQL, behind two verbs: `write` and `read`.

    `url` has the plain form `sqlite:///path` or `postgresql://user:password@host:port/name`. SQLite has one writer
    process, kept so by a lock on `<path>.lock`, and within it one writing connection; readers never wait for it (WAL).
    `options` are what every unit of work shall know (SQLAlchemy's execution options). Use as an async context
    manager.

    Raises `DatabaseInUse` when entered while another process writes to the SQLite file.
    """

    def __init__(self, url: str, *, pool_size: int = 10, options: Mapping[str, object] | None = None) -> None:
        self.dialect: Dialect = "sqlite" if url.startswith("sqlite:") else "postgresql"
        self._lock: _FileLock | None = None
        self._write: Transaction
        self._write_once: Transaction
        self._read: Transaction
        if self.dialect == "sqlite":
            path = Path(url.removeprefix("sqlite:///"))
            self._lock = _FileLock(path)
            self._writers = _sqlite_writers(path)
            self._write = self._write_once = SqliteWrite()
            self._readers, self._read = _sqlite_readers(path), SqliteRead()
        else:
            self._writers = self._readers = _postgresql_connections(url, pool_size)
            self._write, self._write_once = PostgresqlWrite(), PostgresqlStatement()
            self._read = PostgresqlStatement()
        if options:
            self._writers.engine.sync_engine.update_execution_options(**options)
            self._readers.engine.sync_engine.update_execution_options(**options)

    async def __aenter__(self) -> Self:
        if self._lock is not None:
            await asyncio.to_thread(self._lock.acquire)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        if self._lock is not None:
            self._lock.release()

    async def close(self) -> None:
        """Close all connections, of a database that was only read and therefore not entered."""
        await self._readers.close()
        await self._writers.close()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One unit of work: everything in it is committed at its end, or nothing is.

        Raises `DatabaseUnavailable` when the database cannot be reached, gives up (a deadlock, a lock or statement that
        takes too long), or the COMMIT fails.
        """
        return _unit_of_work(self._writers, self._write)

    def write_once(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A unit of work of exactly one statement, which PostgreSQL commits by itself: two round trips less."""
        return _unit_of_work(self._writers, self._write_once)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection for queries. On SQLite it cannot write and never waits for the writer."""
        return _unit_of_work(self._readers, self._read)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Give the same unit of work as an ORM session, for repositories; it is committed as `write` is."""
        async with self.write() as connection:
            await connection.begin()  # as SQLAlchemy sees it: a session would commit what it began itself
            async with AsyncSession(connection, expire_on_commit=False) as session:
                yield session
                # COMMIT belongs to the unit of work, which does not know the session's pending rows.
                await session.flush()

    async def now(self, connection: AsyncConnection) -> datetime:
        """Return the database's clock. SQLite's is this machine's."""
        if self.dialect == "sqlite":
            now = datetime.now(UTC)
            # SQLite's own clock counts milliseconds: a time written now must not lie ahead of the clock that reads it.
            return now.replace(microsecond=now.microsecond // 1000 * 1000)
        (now,) = await _NOW.values(connection)
        clock: datetime = now
        return clock

    @property
    def waiting(self) -> int:
        """How many write connections are in use now, for metrics."""
        return self._writers.in_use


_NOW = Statement(sa.select(db_now().label("now")))


async def exclusive(connection: AsyncConnection, name: str) -> None:
    """Let one unit of work at a time pass here, across all processes, until it ends.

    For "look, and insert if missing" where several tables belong together. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(name))))


@asynccontextmanager
async def savepoint(connection: AsyncConnection) -> AsyncIterator[None]:
    """Undo only what is inside when it fails. Raises `DatabaseUnavailable` when the database is at fault."""
    with _unavailable_when_lost():
        async with connection.begin_nested():
            yield


@asynccontextmanager
async def _unit_of_work(connections: Connections, transaction: Transaction) -> AsyncIterator[AsyncConnection]:
    with _unavailable_when_lost():
        async with unit_of_work(connections, transaction) as connection:
            yield connection


class _unavailable_when_lost:  # noqa: N801 - used as a statement
    """Turn the drivers' many ways of saying "no database" into `DatabaseUnavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and _is_loss(error):
            raise DatabaseUnavailable("the database does not answer: try again in a moment") from error


def _is_loss(error: BaseException) -> bool:
    if isinstance(error, sa.exc.DBAPIError):
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return False  # a mistake in a statement: SQLite calls that "operational" too
        if str(getattr(error.orig, "sqlstate", None) or "").startswith(_TRANSIENT):
            return True
        return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return isinstance(
        error,
        sa.exc.TimeoutError
        | ConnectionError
        | asyncpg.PostgresConnectionError
        | asyncpg.CannotConnectNowError
        | asyncpg.TooManyConnectionsError
        | asyncpg.InterfaceError
        | FileNotFoundError,
    )


def _postgresql_connections(url: str, size: int) -> Connections:
    engine = create_async_engine(
        "postgresql+asyncpg://" + url.split("://", 1)[1],
        pool_size=size,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",  # as SQLAlchemy sees it: BEGIN and COMMIT are ours
        hide_parameters=True,  # errors are logged, and parameters hold what people wrote
        pool_pre_ping=False,  # a lost connection is reported by the statement that meets it, and then replaced
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "mostrador",
                "statement_timeout": "15000",
                "lock_timeout": "5000",
                "idle_in_transaction_session_timeout": "30000",
                "jit": "off",
            },
        },
    )
    return Connections(engine, size=size, wait_seconds=_POOL_WAIT_SECONDS, is_closed=asyncpg.Connection.is_closed)


def _sqlite_writers(path: Path) -> Connections:
    """One connection. Writers queue for it, in order, instead of colliding in SQLite."""
    # Its statements run in the event loop, see its module.
    engine = _sqlite_engine(path, 1, readonly=False, async_creator_fn=lambda *_, **__: WriterConnection(path))
    return Connections(engine, size=1, wait_seconds=30.0)


def _sqlite_readers(path: Path) -> Connections:
    engine = _sqlite_engine(path, _SQLITE_READERS, readonly=True, isolation_level=None)  # BEGIN is ours, here:
    sa.event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return Connections(engine, size=_SQLITE_READERS, wait_seconds=15.0)


def _sqlite_engine(path: Path, size: int, *, readonly: bool, **connect: Any) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, and parameters hold what people wrote
        connect_args=connect,
    )
    sa.event.listen(engine.sync_engine, "connect", _set_pragmas(readonly=readonly))
    return engine


def _set_pragmas(*, readonly: bool) -> Callable[[Any, Any], None]:
    pragmas = [
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",  # an answered webhook survives a power cut
        "PRAGMA busy_timeout=5000",
        "PRAGMA foreign_keys=ON",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-16000",
    ]
    if readonly:
        pragmas.append("PRAGMA query_only=ON")

    def on_connect(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return on_connect


class _FileLock:
    """An advisory lock that the kernel drops when the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode().strip()
            os.close(descriptor)
            raise DatabaseInUse(
                f"another Mostrador process (pid {holder or 'unknown'}) uses {self._database}. SQLite serves one "
                "process: stop that one first, or set DATABASE_URL to a PostgreSQL database to run several."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

"""Connections kept ready between units of work, and how a transaction begins and ends on each of them.

A unit of work begins and ends its transaction on the driver's connection; SQLAlchemy, whose connection lies around it,
runs statements and never commits. So a unit of work pays neither SQLAlchemy's pool nor its transactions: on SQLite that
was half of a claim that finds nothing.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = [
    "Connections",
    "PostgresqlStatement",
    "PostgresqlWrite",
    "SqliteRead",
    "SqliteWrite",
    "Transaction",
    "driver_of",
    "told",
    "unit_of_work",
]

_GIVE_BACK_SECONDS = 5.0


def driver_of(connection: AsyncConnection) -> Any:
    """Return the driver's own connection under SQLAlchemy's."""
    held: Any = connection.sync_connection
    return held.connection.driver_connection


def told(text: str, error: Exception) -> sa.exc.DBAPIError:
    """Return a driver's error as SQLAlchemy's, without the parameters: they hold what people wrote."""
    match error:
        case sqlite3.IntegrityError() | asyncpg.IntegrityConstraintViolationError():
            kind: type[sa.exc.DBAPIError] = sa.exc.IntegrityError
        case sqlite3.OperationalError():
            kind = sa.exc.OperationalError
        case ValueError():  # asyncpg: a value that is none of its column's type
            kind = sa.exc.DataError
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():  # the latter: the server has just gone
            kind = sa.exc.InterfaceError
        case _:
            kind = sa.exc.DBAPIError
    return kind(text, None, error, hide_parameters=True)


class Transaction(Protocol):
    """How a unit of work begins and ends on a connection. Raises SQLAlchemy's errors."""

    async def begin(self, connection: AsyncConnection) -> None: ...

    async def commit(self, connection: AsyncConnection) -> None: ...

    async def rollback(self, connection: AsyncConnection) -> None: ...


class SqliteWrite:
    """`BEGIN IMMEDIATE`: who has begun may write."""

    async def begin(self, connection: AsyncConnection) -> None:
        await _sqlite(driver_of(connection).begin)

    async def commit(self, connection: AsyncConnection) -> None:
        await _sqlite(driver_of(connection).commit)

    async def rollback(self, connection: AsyncConnection) -> None:
        await driver_of(connection).rollback()


class SqliteRead:
    """One view of the database for all queries of a unit. The readers' threads cost more than SQLAlchemy does."""

    async def begin(self, connection: AsyncConnection) -> None:
        await connection.begin()

    async def commit(self, connection: AsyncConnection) -> None:
        await connection.commit()

    async def rollback(self, connection: AsyncConnection) -> None:
        await connection.rollback()


class PostgresqlWrite:
    """READ COMMITTED."""

    async def begin(self, connection: AsyncConnection) -> None:
        await _postgresql(connection, "BEGIN")

    async def commit(self, connection: AsyncConnection) -> None:
        # After an error that somebody has swallowed, COMMIT rolls back and says so, but is no error.
        if await _postgresql(connection, "COMMIT") != "COMMIT":
            raise sa.exc.OperationalError("COMMIT", None, RuntimeError("the transaction had failed"))

    async def rollback(self, connection: AsyncConnection) -> None:
        await _undo(connection)


class PostgresqlStatement:
    """Each statement by itself. For queries this is what READ COMMITTED means: each sees what is committed by then."""

    async def begin(self, connection: AsyncConnection) -> None: ...

    async def commit(self, connection: AsyncConnection) -> None: ...

    async def rollback(self, connection: AsyncConnection) -> None:
        await _undo(connection)


async def _undo(connection: AsyncConnection) -> None:
    """Roll back what is open; else ask whether the server is still there: a lost one may not have been noticed yet."""
    is_open = driver_of(connection).is_in_transaction()
    await _postgresql(connection, "ROLLBACK" if is_open else "SELECT 1")


async def _sqlite(step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except sqlite3.Error as error:
        raise told(step.__name__, error) from error


async def _postgresql(connection: AsyncConnection, command: str) -> str:
    try:
        status: str = await driver_of(connection).execute(command)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise told(command, error) from error
    return status


class Connections:
    """At most `size` connections of `engine`, each for one unit of work at a time, in the order they were asked for.

    `is_closed` tells whether the driver knows that its connection is gone.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        size: int,
        wait_seconds: float,
        is_closed: Callable[[Any], bool] = lambda _driver: False,
    ) -> None:
        self.engine = engine
        self.in_use = 0
        self._wait_seconds = wait_seconds
        self._is_closed = is_closed
        self._idle: list[AsyncConnection] = []
        self._free = asyncio.Semaphore(size)

    async def take(self) -> AsyncConnection:
        """Give the connection that was used last, else a new one.

        Raises SQLAlchemy's `TimeoutError` when none becomes free.
        """
        if self._free.locked():
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._free.acquire()
            except TimeoutError:
                raise sa.exc.TimeoutError(f"no connection became free in {self._wait_seconds:.0f} s") from None
        else:
            await self._free.acquire()  # at once
        self.in_use += 1
        try:
            while self._idle:
                connection = self._idle.pop()
                if not self._is_closed(driver_of(connection)):
                    return connection
                await self._drop(connection)
            return await self._connect()
        except BaseException:
            self._release()
            raise

    async def give_back(self, connection: AsyncConnection, transaction: Transaction) -> None:
        """Roll back what is still open and keep the connection. One that cannot do that must not serve anybody else."""
        try:
            async with asyncio.timeout(_GIVE_BACK_SECONDS):
                await transaction.rollback(connection)
                await _settle(connection)
            if self._is_closed(driver_of(connection)):
                await self._drop(connection)
            else:
                self._idle.append(connection)
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError):
            await self._drop(connection)  # a lost or silent server; what became of the work is known already
        finally:
            self._release()

    def keep(self, connection: AsyncConnection) -> None:
        """Take back a connection on which nothing is open."""
        self._idle.append(connection)
        self._release()

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().close()
        await self.engine.dispose()

    async def _connect(self) -> AsyncConnection:
        try:
            return await self.engine.connect()
        except OSError as error:  # refused, timed out, no route, a name that does not resolve
            raise ConnectionError(str(error)) from error

    async def _drop(self, connection: AsyncConnection) -> None:
        if not connection.invalidated:
            await connection.invalidate()
        await connection.close()

    def _release(self) -> None:
        self.in_use -= 1
        self._free.release()


@asynccontextmanager
async def unit_of_work(connections: Connections, transaction: Transaction) -> AsyncIterator[AsyncConnection]:
    """Give a connection with a transaction that is committed at the end of the block, or rolled back if it fails."""
    connection = await connections.take()
    try:
        await transaction.begin(connection)
        yield connection
        await transaction.commit(connection)
        await _settle(connection)
    except BaseException:
        # Shielded: the caller may be cancelled a second time.
        await asyncio.shield(connections.give_back(connection, transaction))
        raise
    connections.keep(connection)


async def _settle(connection: AsyncConnection) -> None:
    """Let SQLAlchemy forget its own view of a transaction that has ended on the driver's connection."""
    if connection.in_transaction():
        await connection.rollback()

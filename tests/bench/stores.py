"""Databases of our own to measure on: SQLite files, or databases `bench_<pid>_*` on a PostgreSQL server, and Redis."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
import redis

from app.core.db import Database
from app.core.db.migrate import migrate
from tests.bench.processes import cpu_seconds
from tests.servers import PostgresServer, RedisServer, Server

_POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
_REDIS = "redis://127.0.0.1:6379"
_REDIS_DATABASES = range(15, 0, -1)


class Store(Protocol):
    """Where the product keeps things in one half of the benchmark."""

    name: str
    servers: str

    def database(self, name: str) -> contextlib.AbstractContextManager[str]:
        """Give the URL of a new, empty database."""

    def redis(self) -> contextlib.AbstractContextManager[str | None]:
        """Give the URL of an empty Redis database of our own; None where the product runs without."""

    def server_cpu_seconds(self, url: str) -> float | None:
        """CPU time of the database server on behalf of one database; None where there is no server."""


class Sqlite:
    """Files beside each other in one directory."""

    name = "sqlite"
    servers = "SQLite (WAL, synchronous=FULL), one process"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        yield f"sqlite:///{self._directory / name}.db"

    @contextlib.contextmanager
    def redis(self) -> Iterator[str | None]:
        yield None

    def server_cpu_seconds(self, url: str) -> float | None:
        del url
        return None


class Postgresql:
    """Databases on a server that others may be using too, dropped when their block ends."""

    name = "postgresql"

    def __init__(self, administrator_url: str, redis_url: str, servers: str) -> None:
        self._administrator_url = administrator_url
        self._redis_url = redis_url
        self.servers = servers

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        full = f"bench_{os.getpid()}_{name}"
        self._execute(f'CREATE DATABASE "{full}" TEMPLATE template0')
        try:
            yield urlsplit(self._administrator_url)._replace(path=f"/{full}").geturl()
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{full}" WITH (FORCE)')

    @contextlib.contextmanager
    def redis(self) -> Iterator[str | None]:
        with contextlib.ExitStack() as stack:
            for number in _REDIS_DATABASES:
                url = f"{self._redis_url}/{number}"
                client = stack.enter_context(redis.Redis.from_url(url))
                if client.dbsize() == 0 and client.set(f"bench:{os.getpid()}", "1", nx=True):
                    stack.callback(client.flushdb)
                    yield url
                    return
        raise RuntimeError(f"{self._redis_url} has no empty database among {list(_REDIS_DATABASES)}")

    def server_cpu_seconds(self, url: str) -> float | None:
        name = urlsplit(url).path.removeprefix("/")
        rows = self._fetch("SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", name)
        return sum(cpu_seconds(row["pid"]) for row in rows)

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self._administrator_url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(execute())

    def _fetch(self, query: str, *arguments: str) -> list[asyncpg.Record]:
        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self._administrator_url)
            try:
                return list(await connection.fetch(query, *arguments))
            finally:
                await connection.close()

        return asyncio.run(fetch())


def create_schema(url: str) -> None:
    """Give a database the product's tables."""

    async def create() -> None:
        async with Database(url) as database:
            await migrate(database)

    asyncio.run(create())


@contextlib.contextmanager
def open_store(name: str, directory: Path) -> Iterator[Store]:
    """Open the store `sqlite` or `postgresql`.

    PostgreSQL and Redis are those of TEST_DATABASE_URL and TEST_REDIS_URL, else those of this machine, else wheels.
    """
    if name == "sqlite":
        yield Sqlite(directory)
        return
    with contextlib.ExitStack() as stack:
        database, whose_database = _server("TEST_DATABASE_URL", _POSTGRESQL, PostgresServer, stack)
        redis_url, whose_redis = _server("TEST_REDIS_URL", _REDIS, RedisServer, stack)
        servers = f"PostgreSQL ({whose_database}) and Redis ({whose_redis}), a web and a jobs process"
        yield Postgresql(database, redis_url, servers)


def _server(key: str, local: str, wheel: Callable[[], Server], stack: contextlib.ExitStack) -> tuple[str, str]:
    if os.environ.get(key):
        return _without_path(key, os.environ[key]), key
    parts = urlsplit(local)
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port), timeout=1):
        return local, "of this machine"
    server = wheel()
    server.start()
    stack.callback(server.stop)
    return server.url, "from a wheel, without durability" if wheel is PostgresServer else "from a wheel"


def _without_path(key: str, url: str) -> str:
    return urlsplit(url)._replace(path="").geturl() if key == "TEST_REDIS_URL" else url

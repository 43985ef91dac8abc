"""Databases on a test PostgreSQL server: empty ones, and quick copies of one that took long to build."""

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg


class PostgresDatabases:
    """Creates and drops databases through one administrator's URL (plain form; CREATEDB; PostgreSQL 15 or newer).

    Every method blocks and may be called with or without a running event loop.
    """

    def __init__(self, administrator_url: str) -> None:
        self._administrator_url = administrator_url
        self._templates: dict[str, str] = {}

    @contextlib.contextmanager
    def fresh(self, template: str | None = None) -> Iterator[str]:
        """Yield the URL of a new database, empty or a copy of the named template, and drop it even if it is in use."""
        name = f"test_{uuid4().hex}"
        source = "template0" if template is None else self._templates[template]
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY FILE_COPY')
        try:
            yield self._url(name)
        finally:
            self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def template(self, name: str, build: Callable[[str], Awaitable[None] | None]) -> str:
        """Build the template `name` unless this process has it already, and return `name` for `fresh`.

        `build(url)` fills an empty database and must close its connections: PostgreSQL copies no database in use.
        """
        if name not in self._templates:
            database = f"template_{uuid4().hex}"
            self._execute(f'CREATE DATABASE "{database}" TEMPLATE template0 STRATEGY FILE_COPY')
            self._templates[name] = database
            _run_apart(lambda: build(self._url(database)))
        return name

    def drop_templates(self) -> None:
        while self._templates:
            _, database = self._templates.popitem()
            self._execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _url(self, database: str) -> str:
        return urlsplit(self._administrator_url)._replace(path=f"/{database}").geturl()

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self._administrator_url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        _run_apart(execute)


def _run_apart(work: Callable[[], Awaitable[None] | None]) -> None:
    """Run in a thread with an event loop of its own, so that the caller's loop neither matters nor sees leftovers."""

    async def perform() -> None:
        result = work()
        if inspect.isawaitable(result):
            await result

    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(perform())).result()

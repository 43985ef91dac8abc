"""Every process writes that it lives, so that others, and container health checks, need not ask it."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from app.core.db import Database
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.system.queries import forget_process, is_alive, write_beat
from app.system.schemas import ProcessKind

log = structlog.get_logger()


class Heartbeat:
    """Writes this process's row every few seconds while the `async with` block runs, and removes it at the end.

    A database that does not answer is logged once and tried again; it never stops the process. `flush` is called
    after each beat, and once more at the end.
    """

    def __init__(
        self,
        database: Database,
        kind: ProcessKind,
        *,
        version: str,
        every_seconds: float = 5.0,
        flush: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.process_id = new_id()
        self._database = database
        self._kind = kind
        self._version = version
        self._every_seconds = every_seconds
        self._flush = flush
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="heartbeat")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(Unavailable):
            if self._flush is not None:
                await self._flush()
            async with self._database.write() as connection:
                await forget_process(connection, self.process_id)

    async def beat(self) -> None:
        """Write one beat.

        Raises `DatabaseUnavailable`.
        """
        async with self._database.write() as connection:
            await write_beat(
                connection,
                process_id=self.process_id,
                kind=self._kind,
                host=socket.gethostname(),
                pid=os.getpid(),
                version=self._version,
            )

    async def _run(self) -> None:
        missed = False
        while True:
            try:
                await self.beat()
                if self._flush is not None:
                    await self._flush()
            except Unavailable:
                if not missed:
                    log.warning("heartbeat.missed", process_kind=self._kind)
                missed = True
            else:
                missed = False
            await asyncio.sleep(self._every_seconds)


async def check_process(database: Database, kind: ProcessKind, *, host: str | None = None) -> bool:
    """Tell whether a process of `kind` beat within the last 30 seconds; False when the database does not answer.

    `host` is this machine's name unless given, so that a container's health check speaks of its own container.
    """
    try:
        async with database.read() as connection:
            return await is_alive(connection, kind, host or socket.gethostname())
    except Unavailable:
        return False

"""The floor under the webhook: verify, insert the same row by group commit with the bare driver, answer. Nothing else.

`python -m tests.bench.floor PORT DATABASE_URL`. No framework, no SQLAlchemy, no metrics, no deduplication but the
database's own.
"""

import asyncio
import hashlib
import hmac
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import uvicorn

from app.core.ids import new_id
from app.core.memory import settle_memory
from tests.bench.bodies import APP_SECRET

Row = tuple[UUID, bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
_SECRET = APP_SECRET.encode()


class Store(Protocol):
    async def open(self) -> None: ...

    async def insert(self, rows: Sequence[Row]) -> None: ...


class Sqlite:
    """The standard library's driver in one thread, with the product's pragmas."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    async def insert(self, rows: Sequence[Row]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, rows)

    def _open(self) -> None:
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "cache_size=-16000"):
            self._connection.execute(f"PRAGMA {pragma}")

    def _insert(self, rows: Sequence[Row]) -> None:
        connection, now = self._connection, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        if connection is None:
            raise RuntimeError("open it first")
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO inbound_events (id, digest, body, received_at, state, due_at)"
            " VALUES (?, ?, ?, ?, 'pending', ?) ON CONFLICT DO NOTHING",
            [(key.hex, digest, body, now, now) for key, digest, body in rows],
        )
        connection.execute("COMMIT")


class Postgresql:
    """asyncpg, one connection, one statement a group."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    async def open(self) -> None:
        self._connection = await asyncpg.connect(self._url)

    async def insert(self, rows: Sequence[Row]) -> None:
        keys, digests, bodies = zip(*rows, strict=True)
        await self._connection.execute(
            "INSERT INTO inbound_events (id, digest, body, received_at, state, due_at)"
            " SELECT id, digest, body, now(), 'pending', now()"
            " FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS given (id, digest, body) ON CONFLICT DO NOTHING",
            keys,
            digests,
            bodies,
        )


class Floor:
    """A bare ASGI application."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["method"] == "GET":
            await _answer(send, 200)
        else:
            await _answer(send, await self._take(scope, receive))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._store.open()
        self._writer = asyncio.create_task(self._write())
        settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._writer.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _take(self, scope: dict[str, Any], receive: Receive) -> int:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part["body"], part["more_body"]
        given = next((value for name, value in scope["headers"] if name == b"x-hub-signature-256"), b"")
        expected = b"sha256=" + hmac.digest(_SECRET, body, "sha256").hex().encode()
        if not hmac.compare_digest(given, expected):
            return 401
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((new_id(), hashlib.sha256(body).digest(), body), stored))
        self._arrived.set()
        await stored
        return 200

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._store.insert([row for row, _ in group])
                for _, stored in group:
                    stored.set_result(None)


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    port, url = int(sys.argv[1]), sys.argv[2]
    store: Store = Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else Postgresql(url)
    uvicorn.run(
        Floor(store), host="127.0.0.1", port=port, http="httptools", loop="uvloop", ws="none", log_level="warning"
    )


if __name__ == "__main__":
    main()

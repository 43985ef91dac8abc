"""A TCP proxy to stand between a process and what it depends on, and to do to its bytes what bad networks do."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Literal
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST

Fault = Literal["latency", "blackhole", "reset", "cut", "slow", "down"]
FAULTS: tuple[Fault, ...] = ("latency", "blackhole", "reset", "cut", "slow", "down")


class Proxy:
    """Passes bytes on to the address in `url`, until told to do otherwise; `mend` lets everything through again.

    `cut` resets every connection and every new one. The others: `latency` holds each piece for 100 to 500 ms,
    `blackhole` takes bytes and passes none on, `reset` resets what is open and lets new ones through, `cut` ends a
    connection after 37 bytes of an answer, `slow` passes 8 KB a second, `down` refuses new connections.
    `seen(connection, is_request, chunk)` is told of everything that passes.
    """

    def __init__(self, url: str, *, seed: int = 1, seen: Callable[[int, bool, bytes], None] | None = None) -> None:
        self._parts = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._fault: Fault | None = None
        self._mended = asyncio.Event()
        self._mended.set()
        self._chance = random.Random(seed)  # noqa: S311 - how long a piece is held
        self._seen = seen
        self._numbers = iter(range(1, 1_000_000_000))
        self._port = 0

    @property
    def url(self) -> str:
        """The URL with the proxy in place of the server."""
        user = f"{self._parts.username}@" if self._parts.username else ""
        return self._parts._replace(netloc=f"{user}127.0.0.1:{self._port}").geturl()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        tasks: set[asyncio.Task[None]] = set()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._pass_on(reader, writer)
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            self._mended.set()
            await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection, and every new one at once."""
        self.do("down")

    def do(self, fault: Fault) -> None:
        """Do this from now on."""
        self._fault = fault
        if fault == "blackhole":
            self._mended.clear()
        if fault in ("reset", "down", "cut"):
            for writer in self._writers:
                _reset(writer)

    def mend(self) -> None:
        self._fault = None
        self._mended.set()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault == "down":
            _reset(writer)
            return
        try:
            there, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        except OSError:  # the server itself is away
            _reset(writer)
            return
        both = (writer, back)
        self._writers.update(both)
        number = next(self._numbers)
        try:
            await asyncio.gather(
                self._pour(reader, back, number, is_request=True), self._pour(there, writer, number, is_request=False)
            )
        finally:
            self._writers.difference_update(both)
            for one in both:
                one.close()

    async def _pour(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, number: int, *, is_request: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                if self._seen is not None:
                    self._seen(number, is_request, chunk)
                match self._fault:
                    case "latency":
                        await asyncio.sleep(self._chance.uniform(0.1, 0.5))
                    case "blackhole":
                        await self._mended.wait()
                    case "cut" if not is_request:
                        sink.write(chunk[:37])
                        await sink.drain()
                        _reset(sink)
                        return
                    case "slow":
                        await asyncio.sleep(len(chunk) / 8192)
                    case _:
                        pass
                sink.write(chunk)
                await sink.drain()
        sink.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        found = writer.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()

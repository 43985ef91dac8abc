"""A load balancer as small as can be: each connection goes to the next web process that takes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536


class Balancer:
    """`served` counts connections by address; one that no process takes is refused and counted in `refused`."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._addresses = [(parts.hostname, parts.port) for parts in map(urlsplit, urls)]
        self._next = 0
        self.served = [0] * len(urls)
        self.refused = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        tasks: set[asyncio.Task[None]] = set()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await self._serve(reader, writer)

        server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._connected()
        if there is None or back is None:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        finally:
            for one in (writer, back):
                one.close()

    async def _connected(self) -> tuple[asyncio.StreamReader | None, asyncio.StreamWriter | None]:
        first = self._next
        self._next += 1
        for offset in range(len(self._addresses)):
            place = (first + offset) % len(self._addresses)
            with contextlib.suppress(OSError):
                streams = await asyncio.open_connection(*self._addresses[place])
                self.served[place] += 1
                return streams
        return None, None


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    sink.close()

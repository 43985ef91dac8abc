"""As little HTTP/1.1 as a load generator needs: keep-alive, announced lengths, nothing else.

A general client would cost more than the server it measures, on the same two cores.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of a request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{lines}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def answer(body: bytes) -> bytes:
    """Return the bytes of a 200 answer with a JSON body."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def take(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Split off the first message: (head, body, rest); None while it is incomplete."""
    end = data.find(_END_OF_HEAD)
    if end < 0:
        return None
    head, start = data[:end], end + len(_END_OF_HEAD)
    stop = start + _length(head.lower())
    return (head, data[start:stop], data[stop:]) if len(data) >= stop else None


def _length(head: bytes) -> int:
    at = head.find(_LENGTH)
    if at < 0:
        return 0
    end = head.find(b"\r\n", at)
    return int(head[at + len(_LENGTH) : end if end >= 0 else None])


class Connection(asyncio.Protocol):
    """A client's connection with at most one request under way. `answered(connection, status)`; status 0: it broke."""

    def __init__(self, answered: Callable[["Connection", int], None]) -> None:
        self._answered = answered
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._waits = False
        self.sent_at = 0.0

    @property
    def open(self) -> bool:
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def send(self, request: bytes, now: float) -> None:
        self.sent_at = now
        self._waits = True
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        message = take(self._data)
        if message is None:
            return
        head, _, self._data = message
        self._waits = False
        self._answered(self, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waits:
            self._waits = False
            self._answered(self, 0)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Pool:
    """Sends requests over a fixed number of connections, in order, as soon as one is free."""

    def __init__(self, port: int, size: int) -> None:
        self._port = port
        self._size = size
        self._free: list[Connection] = []
        self._queue: deque[bytes] = deque()
        self._under_way = 0
        self.answers = 0
        self.refused = 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self._size):
            _, connection = await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", self._port)
            self._free.append(connection)

    @property
    def idle(self) -> bool:
        return not self._queue and not self._under_way

    def send(self, request: bytes) -> None:
        if self._free:
            self._under_way += 1
            self._free.pop().send(request, 0.0)
        else:
            self._queue.append(request)

    def close(self) -> None:
        for connection in self._free:
            connection.close()

    def _answered(self, connection: Connection, status: int) -> None:
        self.answers += 1
        self.refused += status != 200
        if self._queue and connection.open:
            connection.send(self._queue.popleft(), 0.0)
            return
        self._under_way -= 1
        if connection.open:
            self._free.append(connection)


class Server(asyncio.Protocol):
    """Answers each request with the bytes that `respond(head, body)` returns."""

    def __init__(self, respond: Callable[[bytes, bytes], bytes]) -> None:
        self._respond = respond
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        while (message := take(self._data)) is not None:
            head, body, self._data = message
            if self._transport is not None:
                self._transport.write(self._respond(head, body))

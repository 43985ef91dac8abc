"""A model provider on this machine: speaks the four wire formats, keeps what it received, plays faults.

Alone, for benchmarks and journeys: `python -m tests.fakes.model_server --port N [--latency-ms 0] [--reply T] [--echo]`.
There `POST /__faults` with `["server", "hang"]` sets what the next requests get, and `GET /__received` counts them.
"""

import argparse
import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

from tests.fakes.model_wires import Answer, Family, Fault, Say, bad, family_of, good

_END_OF_HEAD = b"\r\n\r\n"


class Received(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    family: Family | None


class ModelServer:
    """`script` says what the next requests get, oldest first; after that every request gets `otherwise`.

    `away` is what every request gets while it is set. `hangs` is set as soon as a request is left without an answer.
    """

    def __init__(self, otherwise: Say | None = None, *, latency_seconds: float = 0.0, echo: bool = False) -> None:
        self.script: deque[Say | Fault | Answer] = deque()
        self.otherwise = otherwise or Say()
        self.received: list[Received] = []
        self.count = 0
        self.hangs = asyncio.Event()
        self.keeps_requests = True
        self.away: Fault | None = None
        self.url = ""
        self.latency_seconds = latency_seconds
        self.echo = echo
        self._connections: set[asyncio.Transport] = set()
        self._ready: dict[Family, bytes] = {}

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["ModelServer"]:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, self._connections), "127.0.0.1", port, backlog=1024
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for transport in list(self._connections):
                transport.abort()
            await server.wait_closed()

    def will(self, *next_ones: Say | Fault | Answer) -> None:
        self.script.extend(next_ones)

    def respond(self, head: bytes, body: bytes) -> bytes | Fault:
        """Return the bytes of the answer, or `cut` or `hang`."""
        self.count += 1
        path = head.split(b" ", 2)[1].decode()
        family = family_of(path)
        if family is None:
            return self._control(path, body)
        if self.keeps_requests:
            self.received.append(Received(path, _headers(head), msgspec.json.decode(body), family))
        if self.away is not None:
            return self.away if self.away in {"cut", "hang"} else _wire(bad(family, self.away))
        if not self.script and not self.echo:
            if family not in self._ready:
                self._ready[family] = _wire(good(family, self.otherwise))
            return self._ready[family]
        step = self.script.popleft() if self.script else Say(text=f"echo: {_last_text(msgspec.json.decode(body))}")
        if isinstance(step, Answer):
            return _wire(step)
        if isinstance(step, Say):
            return _wire(good(family, step))
        return step if step in {"cut", "hang"} else _wire(bad(family, step))

    def _control(self, path: str, body: bytes) -> bytes:
        self.count -= 1
        if path == "/__faults":
            self.script.extend(msgspec.json.decode(body, type=list[Fault]))
            return _wire(Answer(204, b""))
        if path == "/__received":
            return _wire(Answer(200, msgspec.json.encode({"count": self.count})))
        return _wire(Answer(404, b'{"error":"no such path"}'))


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as a client that announces its lengths needs."""

    def __init__(self, server: ModelServer, connections: set[asyncio.Transport]) -> None:
        self._server = server
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._connections.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(_END_OF_HEAD)
            if end < 0:
                return
            head = self._buffer[:end]
            total = end + len(_END_OF_HEAD) + _content_length(head)
            if len(self._buffer) < total:
                return
            body = self._buffer[end + len(_END_OF_HEAD) : total]
            self._buffer = self._buffer[total:]
            self._answer(self._server.respond(head, body))

    def _answer(self, answer: bytes | Fault) -> None:
        if answer == "hang":
            self._server.hangs.set()
            return
        if self._transport is None:
            return
        if isinstance(answer, str):
            self._transport.abort()
        elif self._server.latency_seconds > 0:
            asyncio.get_running_loop().call_later(self._server.latency_seconds, self._write, answer)
        else:
            self._transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    end = lowered.find(b"\r\n", at + 2)
    return int(lowered[at + len(b"\r\ncontent-length:") : end if end > 0 else None])


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


def _wire(answer: Answer) -> bytes:
    extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    head = f"HTTP/1.1 {answer.status} X\r\ncontent-type: application/json\r\ncontent-length: {len(answer.body)}\r\n"
    return f"{head}{extra}\r\n".encode() + answer.body


def _last_text(body: dict[str, Any]) -> str:
    """Return the last text of the request, in any of the formats."""
    message = (body.get("messages") or body.get("contents") or [{}])[-1]
    content = message.get("content", message.get("parts", ""))
    if isinstance(content, list):
        content = " ".join(str(part.get("text", "")) for part in content)
    return str(content)


async def _serve(port: int, server: ModelServer) -> None:
    async with server.serving(port):
        print(server.url, flush=True)  # whoever started this process reads the address
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--reply", default=Say().text)
    parser.add_argument("--echo", action="store_true", help="answer with what was said last")
    options = parser.parse_args()
    server = ModelServer(Say(text=options.reply), latency_seconds=options.latency_ms / 1000, echo=options.echo)
    server.keeps_requests = False
    import uvloop

    uvloop.run(_serve(options.port, server))


if __name__ == "__main__":
    main()

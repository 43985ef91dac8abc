"""The simulator as a bare ASGI application: alone under uvicorn, or mounted under a prefix in the web process.

`/control/...` is for people and tests; `/graph/{version}/...` and `/{version}/...` are Graph. No framework stands in
between, because as a peer of benchmarks it runs on the same processors as the product.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, cast

from app.simulator.control import ControlDoor
from app.simulator.doors import Answer, Asked, Fate, parse_query
from app.simulator.graph import GraphDoor
from app.simulator.service import Simulator

__all__ = ["DROP_EXTENSION", "SimulatorApp"]

# The ASGI protocol's own loosely typed dictionaries (asgi.readthedocs.io, "Applications").
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# A server that can cut a connection puts a callable there (`server.py` does).
DROP_EXTENSION = "mostrador.simulator.drop"

MAX_BODY_BYTES = 101 * 1024 * 1024
_TOO_LARGE = Answer(413, b'{"error":{"message":"The request is too large.","type":"OAuthException","code":1}}')


class SimulatorApp:
    """The ASGI application of one simulator.

    Alone it runs the simulator in its lifespan; mounted, whoever mounts it enters `simulator.running()`.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._graph = GraphDoor(simulator)
        self._control = ControlDoor(simulator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            return
        if len(body) > MAX_BODY_BYTES:
            await _send_answer(_TOO_LARGE, send)
            return
        asked, is_control = _asked(scope, body)
        if not is_control:
            answer = await self._graph.answer(asked)
        elif (waited := await _unless_gone(self._control.answer(asked), receive)) is not None:
            answer = waited
        else:
            return
        match answer.fate:
            case Fate.ARRIVES:
                await _send_answer(answer, send)
            case Fate.NEVER_COMES:
                await self._hang(receive)
                await _drop(scope, receive, send)
            case Fate.CONNECTION_DROPS:
                await _drop(scope, receive, send)

    async def _hang(self, receive: Receive) -> None:
        """Wait until the caller gives up or the simulator stops."""
        gone = asyncio.ensure_future(_disconnected(receive))
        stop = asyncio.ensure_future(self.simulator.stopping.wait())
        try:
            await asyncio.wait((gone, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, stop):
                task.cancel()
            await asyncio.gather(gone, stop, return_exceptions=True)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            await stack.enter_async_context(self.simulator.running())
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _asked(scope: Scope, body: bytes) -> tuple[Asked, bool]:
    """Return the request, and whether it is for the control API."""
    path: str = scope["path"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    parts = tuple(part for part in path.split("/") if part)
    prefix = _prefix(scope, path)
    is_control = parts[:1] == ("control",)
    if parts[:1] in (("control",), ("graph",)):
        prefix = f"{prefix}/{parts[0]}"
        parts = parts[1:]
    base_url = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}{prefix}"
    return Asked(scope["method"], parts, parse_query(scope["query_string"]), headers, body, base_url), is_control


def _prefix(scope: Scope, path: str) -> str:
    """Return where this application is mounted: what the whole path has before the part that is ours."""
    raw = cast("bytes | None", scope.get("raw_path"))
    whole = raw.decode("latin-1").partition("?")[0].rstrip("/") if raw is not None else path.rstrip("/")
    return whole.removesuffix(path.rstrip("/")) if whole.endswith(path.rstrip("/")) else ""


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body, cut a byte after the limit; None when the caller is gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    chunk: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return chunk
    body = bytearray(chunk)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if len(body) <= MAX_BODY_BYTES:
            body += message.get("body", b"")
    return bytes(body)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless_gone(answering: Coroutine[Any, Any, Answer], receive: Receive) -> Answer | None:
    """Return the answer, or None when the caller left first: nobody waits for a phone that is not watched."""
    answer = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        for task in (answer, gone):
            task.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


async def _send_answer(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _drop(scope: Scope, receive: Receive, send: Send) -> None:
    """Cut the connection; where the server cannot, promise a body that never comes, which makes it close."""
    drop = (scope.get("extensions") or {}).get(DROP_EXTENSION)
    if drop is not None:
        drop()
        await _disconnected(receive)
        return
    await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]})

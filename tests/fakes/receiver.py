"""A product's webhook that is not ours: verifies signatures, keeps what comes, and can answer through Graph.

It judges the simulator, and stands in for the product where a test needs somebody at the other end.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from app.core.http_client import HttpClient, HttpResponse

__all__ = ["Graph", "Receiver", "running_server"]

Asgi = Callable[..., Awaitable[None]]
Json = dict[str, Any]


@contextlib.asynccontextmanager
async def running_server(
    make: Callable[[str], Asgi], configure: Callable[..., uvicorn.Config] | None = None
) -> AsyncIterator[str]:
    """Serve `make(url)` by uvicorn in this loop on a free port while inside; yields the URL."""
    # asyncio switches Nagle's delay off only for sockets that name their protocol; with it every answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        # Connections made before uvicorn accepts them wait in the backlog, so nobody has to wait for its start.
        listener.listen(128)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = (configure or _quiet)(make(url))
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.wait((serving, asyncio.ensure_future(server.is_up.wait())), return_when="FIRST_COMPLETED")
            yield url
        finally:
            server.stop.set()
            await serving


class _Server(uvicorn.Server):
    """Leaves the signals of the test process alone, and says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        """Stop when told to, and not at uvicorn's next tick."""
        await self.stop.wait()


def _quiet(app: Asgi) -> uvicorn.Config:
    return uvicorn.Config(app, access_log=False, log_level="warning", ws="none", timeout_graceful_shutdown=2)


class Graph:
    """A minimal Graph client: sends, and returns whatever comes back."""

    def __init__(self, http: HttpClient, base_url: str, token: str, phone_number_id: str) -> None:
        self.http = http
        self.base_url = base_url
        self.token = token
        self.phone_number_id = phone_number_id

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, timeout_seconds: float = 10
    ) -> HttpResponse:
        return await self.http.request(
            method,
            f"{self.base_url}/v26.0/{path}",
            headers={"authorization": f"Bearer {token or self.token}", "content-type": "application/json"},
            content=None if body is None else json.dumps(body).encode(),
            timeout_seconds=timeout_seconds,
        )

    async def send(self, body: Json, **options: Any) -> HttpResponse:
        return await self.call("POST", f"{self.phone_number_id}/messages", body, **options)

    async def say(self, to: str, text: str, tracker: str | None = None, **options: Any) -> HttpResponse:
        body: Json = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
        if tracker is not None:
            body["biz_opaque_callback_data"] = tracker
        return await self.send(body, **options)

    async def mark_read(self, message_id: str, *, typing: bool = False) -> HttpResponse:
        body: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        return await self.send(body)


class Receiver:
    """The webhook. Everything of a webhook with a good signature is kept in the order in which it came.

    answer: called with each new message, after 200 was decided and before it is sent.
    """

    def __init__(self, app_secret: str) -> None:
        self.app_secret = app_secret
        self.bodies: list[bytes] = []
        self.refused: list[bytes] = []
        self.values: list[Json] = []
        self.answer: Callable[[Json], Awaitable[object]] | None = None
        self._refusals: list[int] = []
        self._changed = asyncio.Event()

    @property
    def messages(self) -> list[Json]:
        return [message for value in self.values for message in value.get("messages", ())]

    @property
    def statuses(self) -> list[Json]:
        return [status for value in self.values for status in value.get("statuses", ())]

    def refuse_next(self, *statuses: int) -> None:
        """Answer the next webhooks with these HTTP statuses, and keep nothing of them."""
        self._refusals.extend(statuses)

    async def wait_until(self, holds: Callable[["Receiver"], object], timeout_seconds: float = 10) -> None:
        """Return when that holds; fails with TimeoutError."""
        async with asyncio.timeout(timeout_seconds):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    def echo_with(self, graph: Graph) -> None:
        """Answer each text with the same text, as a bot would: read and typing first."""

        async def echo(message: Json) -> None:
            await graph.mark_read(message["id"], typing=True)
            if message["type"] == "text":
                await graph.say(message["from"], f"echo: {message['text']['body']}", tracker=message["id"])

        self.answer = echo

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        status = await self._take(body, dict(scope["headers"]))
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        self._changed.set()

    async def _take(self, body: bytes, headers: dict[bytes, bytes]) -> int:
        expected = "sha256=" + hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get(b"x-hub-signature-256", b""), expected.encode()):
            self.refused.append(body)
            return 401
        if self._refusals:
            self.refused.append(body)
            return self._refusals.pop(0)
        self.bodies.append(body)
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                await self._keep(change["value"])
        return 200

    async def _keep(self, value: Json) -> None:
        known = {message["id"] for message in self.messages}
        self.values.append(value)
        for message in value.get("messages", ()):
            if self.answer is not None and message["id"] not in known:
                await self.answer(message)


async def _lifespan(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

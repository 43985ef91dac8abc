"""A tiny Graph server on the loopback interface that answers as it is told, and breaks as it is told."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from app.whatsapp.transport import ChannelAccess

Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def accepted(wamid: str = "wamid.NEW") -> Answer:
    contacts = [{"input": "34600111222", "wa_id": "34600111222"}]
    return as_json({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]})


def graph_error(code: int, status: int = 400, **headers: str) -> Answer:
    error = {"message": "(#) no", "type": "OAuthException", "code": code, "fbtrace_id": "AbC"}
    return Answer(status, json.dumps({"error": error}).encode(), headers)


def as_json(payload: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(payload).encode())


async def cut(writer: asyncio.StreamWriter) -> None:
    """Close the connection after the request was read: accepted or not, nobody knows."""
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half_an_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + accepted().body)
    await writer.drain()
    writer.close()


async def no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()
    writer.close()


async def silence(writer: asyncio.StreamWriter) -> None:
    """Never answer; ends when the client gives up."""
    await writer.wait_closed()


class FakeGraph:
    """Answers with `answers` in turn, the last one for ever, and remembers the requests."""

    def __init__(self) -> None:
        self.answers: list[Answer | Fault] = [accepted()]
        self.requests: list[Request] = []
        self.url = ""

    def channel(self, **members: str) -> ChannelAccess:
        access = {"graph_url": self.url, "api_version": "v26.0", "phone_number_id": "10654", "token": "EAAsecret"}
        return ChannelAccess(channel_id=UUID(int=1), **{**access, "business_account_id": "9000", **members})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FakeGraph"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._handlers: set[asyncio.Task[None]] = set()
        try:
            yield self
        finally:
            server.close()
            for handler in self._handlers:
                handler.cancel()
            await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                self.requests.append(await _read_request(reader))
                await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not isinstance(answer, Answer):
            await answer(writer)
            return
        lines = [f"HTTP/1.1 {answer.status} X", f"content-length: {len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)

"""What a journey is told with: customers who write through the simulator, a colleague at the API, and waiting."""

import asyncio
import hashlib
import hmac
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa

from app.core.db import Database
from app.core.http_client import HttpClient, HttpResponse
from tests.faults.processes import ADMIN_PASSWORD, APP_SECRET, Mostrador

Json = dict[str, Any]
Found = TypeVar("Found")

WITHIN_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.03
_numbers = itertools.count(1)


async def eventually(
    look: Callable[[], Awaitable[Found]],
    holds: Callable[[Found], object] = bool,
    *,
    within_seconds: float = WITHIN_SECONDS,
) -> Found:
    """Look until it holds, and return what was seen then; fails the test with what was seen last."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = await look()
        if holds(found):
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not so within {within_seconds:g} s; seen last: {found!r}")
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Journey:
    """One running installation as customers, Meta and a colleague with all rights meet it."""

    def __init__(self, house: Mostrador, http: HttpClient) -> None:
        self.house = house
        self.http = http
        self._token: str | None = None

    # The colleague.

    async def api(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """Call the API as the admin."""
        token = await self.token()
        return await self._call(
            method, f"{self.house.url}{path}", body, {"authorization": f"Bearer {token}"} | (headers or {})
        )

    async def get(self, path: str) -> Json:
        return _json(await self.api("GET", path))

    async def post(self, path: str, body: object = None) -> Json:
        return _json(await self.api("POST", path, body if body is not None else {}))

    async def token(self) -> str:
        if self._token is None:
            credentials = {"username": "admin", "password": ADMIN_PASSWORD}
            answer = await self._call("POST", f"{self.house.url}/api/auth/login", credentials)
            self._token = str(_json(answer)["access_token"])
        return self._token

    # Meta.

    async def meta(self, method: str, path: str, body: object = None) -> Json:
        """Call the simulator's control API."""
        return _json(await self._call(method, f"{self.house.meta.url}/control/{path}", body))

    async def faults(self, *faults: Json, seed: int = 1) -> None:
        """Put exactly these faults in force."""
        await self.meta("POST", "faults", {"faults": list(faults), "seed": seed})

    async def webhook(self, body: bytes, headers: dict[str, str] | None = None) -> HttpResponse:
        """Post a webhook that the simulator knows nothing of, signed unless `headers` says otherwise."""
        signed = {"content-type": "application/json", "x-hub-signature-256": signature(body)}
        return await self.http.request(
            "POST",
            self.house.webhook_url,
            headers=signed if headers is None else headers,
            content=body,
            timeout_seconds=20,
        )

    async def all_webhooks_acknowledged(self) -> None:
        await eventually(lambda: self.meta("GET", "idle?wait_seconds=1"), lambda progress: not progress["promised"])

    def customer(self, phone: str | None = None) -> "Customer":
        """Return somebody nobody has met yet, or the one with this phone (or business-scoped user id)."""
        return Customer(self, phone or f"573{next(_numbers):09}")

    async def dead_webhooks(self) -> list[Json]:
        """Return those that need somebody to look, the newest first."""
        found: list[Json] = (await self.get("/api/whatsapp/events?state=dead&limit=100"))["items"]
        return found

    # The database, for what no API may do.

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        database = Database(self.house.database_url)  # not entered: the lock of the SQLite file is the product's
        try:
            yield database
        finally:
            await database.__aexit__()

    async def change(self, statement: sa.Executable) -> None:
        async with self.database() as database, database.write() as connection:
            await connection.execute(statement)

    async def rows(self, statement: sa.Executable) -> list[Any]:
        async with self.database() as database, database.read() as connection:
            return list((await connection.execute(statement)).all())

    async def _call(
        self, method: str, url: str, body: object = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        return await self.http.request(
            method,
            url,
            headers={"content-type": "application/json"} | (headers or {}),
            content=None if body is None else msgspec.json.encode(body),
            timeout_seconds=20,
        )


@asynccontextmanager
async def travelling(house: Mostrador) -> AsyncIterator[Journey]:
    """Journey through an installation while inside."""
    http = HttpClient()
    try:
        yield Journey(house, http)
    finally:
        await http.aclose()


class Customer:
    """Somebody with a phone."""

    def __init__(self, journey: Journey, key: str) -> None:
        self.key = key
        self._journey = journey
        self._conversation_id: UUID | None = None

    async def writes(self, message: str | Json, *, channel: str | None = None) -> str:
        """Write, and return the message's id; the webhook is on its way then."""
        content = {"type": "text", "body": message} if isinstance(message, str) else message
        written = {"customer": self.key, "message": content, "channel": channel}
        return str((await self._journey.meta("POST", "messages", written))["message_id"])

    async def received(self) -> list[str]:
        """Return the texts that reached the phone, oldest first."""
        return [str(entry["body"]) for entry in await self.ledger()]

    async def ledger(self) -> list[Json]:
        entries: list[Json] = (await self._journey.meta("GET", f"ledger?customer={self.key}"))["entries"]
        return entries

    async def gets_last(self, text: str) -> None:
        """Wait until the last text on the phone is this one."""
        await eventually(self.received, lambda received: received[-1:] == [text])

    async def gets(self, *texts: str) -> None:
        """Wait until exactly these texts have reached the phone."""
        await eventually(self.received, lambda received: received == list(texts))

    async def conversation(self) -> Json | None:
        """Return the conversation as the inbox shows it; None while there is none."""
        if self._conversation_id is None:
            found = (await self._journey.get(f"/api/conversations?q={self.key}"))["items"]
            if not found:
                return None
            self._conversation_id = UUID(found[0]["id"])
        return await self._journey.get(f"/api/conversations/{self._conversation_id}")

    async def path(self) -> str:
        """Wait for the conversation and return its address in the API."""
        found = await eventually(self.conversation)
        assert found is not None
        return f"/api/conversations/{found['id']}"

    async def messages(self, author: str | None = None) -> list[Json]:
        """Return the thread, oldest first, or what one kind of author said."""
        items: list[Json] = (await self._journey.get(f"{await self.path()}/messages?limit=100&raw=true"))["items"]
        return [item for item in reversed(items) if author in (None, item["author"])]

    async def turns(self) -> list[Json]:
        """Return the turns, oldest first."""
        items: list[Json] = (await self._journey.get(f"{await self.path()}/turns?limit=100"))["items"]
        return items[::-1]

    async def turn_ends(self, number: int = 1) -> Json:
        """Wait until so many turns have been opened and the last of them has ended; return it."""
        turns = await eventually(
            self.turns, lambda turns: len(turns) >= number and turns[number - 1]["ended_at"] is not None
        )
        return turns[number - 1]

    async def delivery(self, index: int = -1) -> Json:
        """Return what became of a message that left for this customer; the last one unless told otherwise."""
        leaving = [message["delivery"] for message in await self.messages() if message["delivery"] is not None]
        return leaving[index] if leaving else {"state": None, "tick": None}

    async def delivery_is(self, *, index: int = -1, **members: object) -> Json:
        """Wait until the delivery has these members, and return it."""
        return await eventually(
            lambda: self.delivery(index), lambda found: all(found[name] == value for name, value in members.items())
        )


def _json(answer: HttpResponse) -> Json:
    assert 200 <= answer.status < 300, f"{answer.status}: {answer.body.decode(errors='replace')}"
    decoded: Json = msgspec.json.decode(answer.body)
    return decoded

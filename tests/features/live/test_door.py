import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.guards import RequireAccessToken
from app.core.security.tokens import AccessTokens
from app.live.bus import InProcessBus
from app.live.controllers import live
from app.live.door import LiveDoor
from app.live.schemas import LiveEvent
from app.live.session import LiveLimits
from tests.core.eventually import eventually
from tests.core.http.door import SECRET, application, listening

TOKENS = AccessTokens(SECRET)
TOKEN = TOKENS.issue(Actor(user_id=new_id(), username="ana", role="agent", session_id=new_id())).token
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Desk:
    """A server with a live channel."""

    def __init__(self, port: int, bus: InProcessBus, metrics: Metrics) -> None:
        self.host = f"127.0.0.1:{port}"
        self.bus = bus
        self.metrics = metrics

    def connect(self, *, query: str = "", **options: Any) -> connect:
        return connect(f"ws://{self.host}/api/live{query}", proxy=None, **options)

    @property
    def connections(self) -> float | None:
        return self.metrics.registry.get_sample_value("wa_live_connections")


@contextlib.asynccontextmanager
async def desk(limits: LiveLimits | None = None) -> AsyncIterator[Desk]:
    bus, metrics = InProcessBus(), Metrics()
    door = LiveDoor(bus, TOKENS, metrics, origins=frozenset({"https://panel.example"}), limits=limits)
    app = application([live], dependencies={"live_door": door}, middleware=[RequireAccessToken(TOKENS, metrics)])
    async with listening(app) as port:
        yield Desk(port, bus, metrics)


async def next_message(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        message: dict[str, Any] = json.loads(await connection.recv())
    return message


async def close_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code


async def test_a_program_comes_in_with_its_header_and_hears_events() -> None:
    async with desk() as here, here.connect(additional_headers=BEARER) as connection:
        assert (await next_message(connection))["type"] == "ready"
        assert here.connections == 1
        await connection.send('{"type":"subscribe","topics":["system"]}')
        assert (await next_message(connection))["type"] == "subscribed"
        here.bus.publish("system", LiveEvent(type="provider.changed"))
        assert (await next_message(connection))["event"]["type"] == "provider.changed"


async def test_a_browser_brings_the_token_in_its_first_message() -> None:
    async with desk() as here, here.connect(origin=f"http://{here.host}") as connection:
        await connection.send(json.dumps({"type": "auth", "token": TOKEN}))
        assert (await next_message(connection))["type"] == "ready"


async def test_a_token_in_the_address_is_not_looked_at() -> None:
    async with (
        desk(LiveLimits(auth_seconds=0.05)) as here,
        here.connect(query=f"?token={TOKEN}&access_token={TOKEN}") as connection,
    ):
        assert await close_code(connection) == 4401


async def test_an_invalid_token_is_refused_before_the_channel_opens() -> None:
    async with desk() as here:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with here.connect(additional_headers={"Authorization": "Bearer x.y.z"}):
                pass
        assert refusal.value.response.status_code == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://panel.example.evil", "https://panel.example:8443", "http://panel.example",
     "https://xpanel.example", "file://", "chrome-extension://abc"],
)  # fmt: skip
async def test_pages_of_other_sites_may_not_connect(origin: str) -> None:
    async with desk() as here:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with here.connect(origin=origin, additional_headers=BEARER):
                pass
        assert refusal.value.response.status_code == 403


async def test_pages_of_named_sites_may_connect() -> None:
    async with desk() as here, here.connect(origin="https://panel.example", additional_headers=BEARER) as connection:
        assert (await next_message(connection))["type"] == "ready"


async def test_more_clients_than_there_is_room_for_are_refused() -> None:
    async with desk(LiveLimits(connections=1)) as here, here.connect(additional_headers=BEARER) as connection:
        await next_message(connection)
        with pytest.raises(websockets.InvalidStatus):
            async with here.connect(additional_headers=BEARER):
                pass


async def test_binary_frames_are_answered_like_any_other_nonsense() -> None:
    async with desk() as here, here.connect(additional_headers=BEARER) as connection:
        await next_message(connection)
        await connection.send(b"\x00\x01")
        assert (await next_message(connection))["code"] == "invalid_message"


async def test_a_client_that_left_leaves_nothing_behind() -> None:
    async with desk() as here:
        async with here.connect(additional_headers=BEARER) as connection:
            await next_message(connection)
        await eventually(lambda: here.connections == 0)
        assert here.bus._subscriptions == set()

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.guards import RequireAccessToken
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import Access, AccessTokens, InvalidToken
from app.core.wake import InProcessWake
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


class Said:
    """Says that sessions have ended, to every connection."""

    def __init__(self) -> None:
        self._wake = InProcessWake()

    def subscribe_to_all(self) -> asyncio.Event:
        return self._wake.subscribe("sessions")

    def ended(self) -> None:
        self._wake.notify("sessions")


class Sessions(AccessTokens):
    """Tokens of sessions that can be ended; each lasts an hour, its tokens less."""

    def __init__(self, *, lifetime_seconds: int = 600) -> None:
        super().__init__(SECRET, lifetime_seconds=lifetime_seconds)
        self.ended: set[UUID | None] = set()

    def token(self, session_id: UUID) -> str:
        return self.issue(Actor(user_id=new_id(), username="ana", role="agent", session_id=session_id)).token

    async def authenticate(self, credential: str) -> Access:
        access = self.verify(credential)
        if not await self.is_valid(access):
            raise InvalidToken
        return msgspec.structs.replace(access, session_ends_at=datetime.now(UTC) + timedelta(hours=1))

    async def is_valid(self, access: Access) -> bool:
        return access.actor.session_id not in self.ended


@contextlib.asynccontextmanager
async def desk(
    limits: LiveLimits | None = None, *, authenticator: AccessTokens = TOKENS, wake: Said | None = None
) -> AsyncIterator[Desk]:
    bus, metrics = InProcessBus(), Metrics()
    door = LiveDoor(
        bus,
        authenticator,
        metrics,
        origins=frozenset({"https://panel.example"}),
        limits=limits,
        cookies=SessionCookies("http://desk.example"),
        changes=wake.subscribe_to_all if wake is not None else asyncio.Event,
    )
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


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"mostrador_access={token}"}


async def test_a_page_of_the_panel_comes_in_by_its_cookie_and_stays_as_long_as_its_session() -> None:
    async with (
        desk(authenticator=Sessions()) as here,
        here.connect(origin=f"http://{here.host}", additional_headers=cookie(Sessions().token(new_id()))) as connection,
    ):
        ready = await next_message(connection)
        assert ready["type"] == "ready"
        left = datetime.fromisoformat(ready["expires_at"]) - datetime.now(UTC)
        assert left > timedelta(minutes=50), "a page cannot read its token, and so bring no fresh one"


@pytest.mark.parametrize("origin", ["https://panel.example", None])
async def test_the_cookie_counts_on_the_panels_own_pages_only(origin: Any) -> None:
    """Another site that may connect brings a token of its own; what the browser adds by itself says nothing."""
    async with (
        desk(LiveLimits(auth_seconds=0.05), authenticator=Sessions()) as here,
        here.connect(origin=origin, additional_headers=cookie(Sessions().token(new_id()))) as connection,
    ):
        assert await close_code(connection) == 4401


async def test_a_page_of_an_unknown_site_is_refused_with_the_cookie_it_carries() -> None:
    async with desk(authenticator=Sessions()) as here:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with here.connect(
                origin="http://evil.example", additional_headers=cookie(Sessions().token(new_id()))
            ):
                pass
        assert refusal.value.response.status_code == 403
        refused = here.metrics.registry.get_sample_value("wa_auth_failures_total", {"reason": "origin"})
        assert refused == 1


async def test_a_page_whose_cookie_has_expired_is_told_to_continue_its_session_first() -> None:
    async with (
        desk(authenticator=Sessions()) as here,
        here.connect(origin=f"http://{here.host}", additional_headers=cookie("x.y.z")) as connection,
    ):
        assert await close_code(connection) == 4401


@pytest.mark.parametrize("by_cookie", [True, False])
async def test_the_connections_of_a_session_close_when_it_ends_and_no_others(by_cookie: bool) -> None:
    authenticator, said = Sessions(), Said()
    ends, stays = new_id(), new_id()

    def headers(session_id: UUID) -> dict[str, str]:
        token = authenticator.token(session_id)
        return cookie(token) if by_cookie else {"Authorization": f"Bearer {token}"}

    async with (
        desk(authenticator=authenticator, wake=said) as here,
        here.connect(origin=f"http://{here.host}", additional_headers=headers(ends)) as ending,
        here.connect(origin=f"http://{here.host}", additional_headers=headers(stays)) as staying,
    ):
        await next_message(ending)
        await next_message(staying)
        authenticator.ended.add(ends)
        said.ended()
        assert await close_code(ending) == 4401
        await staying.send('{"type":"subscribe","topics":["system"]}')
        assert (await next_message(staying))["type"] == "subscribed"

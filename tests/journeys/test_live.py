"""What browsers and generated clients rely on: the live channel and the document of the API."""

import asyncio
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from tests.builders.journeys import Journey, Json

HEARD_WITHIN_SECONDS = 15


async def test_a_browser_hears_of_the_message_its_answer_and_its_ticks(journey: Journey) -> None:
    ana = journey.customer()
    async with listening(journey) as socket:
        await socket.send(msgspec.json.encode({"type": "subscribe", "topics": ["conversations", "outbound"]}).decode())
        await heard(socket, 1, type="subscribed")

        await ana.writes("hola")

        conversation_id = (await ana.path()).rpartition("/")[2]
        told: list[Json] = []
        while [event["type"] for event in told].count("delivery_changed") < len(
            ("accepted", "sent", "delivered", "read")
        ):
            (found,) = await heard(socket, 1, type="event")
            if found["event"]["conversation_id"] == conversation_id:
                told.append(found["event"])
        assert told[0]["type"] == "message_received"
        assert {event["type"] for event in told} >= {"message_queued", "turn_ended"}
        assert all("text" not in event for event in told)


async def test_a_browser_without_a_token_is_sent_away(journey: Journey) -> None:
    async with connect(address(journey)) as socket:
        await socket.send('{"type":"auth","token":"forged"}')
        await asyncio.wait_for(socket.wait_closed(), HEARD_WITHIN_SECONDS)
        assert socket.close_code == 4401


async def test_the_document_names_every_route_of_the_api_with_its_errors(journey: Journey) -> None:
    answer = await journey.http.request("GET", f"{journey.house.url}/schema/openapi.json", timeout_seconds=10)

    assert answer.status == 200
    document: Json = msgspec.json.decode(answer.body)
    paths = set(document["paths"])
    assert {
        "/api/auth/login",
        "/api/conversations",
        "/api/conversations/{conversation_id}/messages",
        "/api/conversations/{conversation_id}/take-over",
        "/api/conversations/{conversation_id}/turns",
        "/api/turns/{turn_id}",
        "/api/outbound/{outbound_id}/resolve",
        "/api/whatsapp/channels/{channel_id}/resume",
        "/api/whatsapp/events/{event_id}/retry",
        "/api/media/{media_id}",
        "/api/ai/providers",
        "/api/business/profile",
        "/api/system/health",
    } <= paths
    assert all(operation["responses"] for item in document["paths"].values() for operation in operations(item))


def listening(journey: Journey) -> "Listening":
    return Listening(journey)


class Listening:
    """A signed-in client of the live channel."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> ClientConnection:
        token = await self._journey.token()
        self._socket = await connect(address(self._journey), additional_headers={"authorization": f"Bearer {token}"})
        await heard(self._socket, 1, type="ready")
        return self._socket

    async def __aexit__(self, *_: object) -> None:
        assert self._socket is not None
        await self._socket.close()


async def heard(socket: ClientConnection, count: int, **members: object) -> list[Json]:
    """Return the next messages with these members."""
    found: list[Json] = []
    async with asyncio.timeout(HEARD_WITHIN_SECONDS):
        while len(found) < count:
            message: Json = msgspec.json.decode(await socket.recv())
            if all(message.get(name) == value for name, value in members.items()):
                found.append(message)
    return found


def address(journey: Journey) -> str:
    return f"{journey.house.url.replace('http:', 'ws:')}/api/live"


def operations(item: dict[str, Any]) -> list[Json]:
    return [value for name, value in item.items() if name in {"get", "post", "put", "patch", "delete"}]

"""What customers write reaches the product as Meta would send it."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from app.simulator.config import Retries
from tests.features.simulator.conftest import ANA, MakeWorld, World


def message(**content: Any) -> dict[str, Any]:
    return {"customer": ANA, "message": content}


async def test_a_text_arrives_signed_with_its_sender_and_number(world: World) -> None:
    message_id = await world.writes("¿Abren hoy? 🙂")
    [value] = world.receiver.values
    assert value["metadata"] == {"display_phone_number": "15550001111", "phone_number_id": "100000000000001"}
    assert value["contacts"][0]["wa_id"] == ANA
    [received] = value["messages"]
    assert received["from"] == ANA
    assert received["id"] == message_id
    assert received["text"] == {"body": "¿Abren hoy? 🙂"}
    assert received["timestamp"].isdigit()
    assert value["contacts"][0]["user_id"] == received["from_user_id"]
    assert world.receiver.refused == []


async def test_bodies_are_ascii_with_escapes_as_meta_writes_them(world: World) -> None:
    await world.writes("é🙂")
    [body] = world.receiver.bodies
    assert body.isascii()
    assert b"\\u00e9\\ud83d\\ude42" in body


SAID: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"type": "image", "caption": "mira"}, "image", {"caption": "mira", "mime_type": "image/png"}),
    ({"type": "video"}, "video", {"mime_type": "video/mp4"}),
    ({"type": "audio"}, "audio", {"voice": True, "mime_type": "audio/ogg; codecs=opus"}),
    ({"type": "document", "filename": "menu.pdf"}, "document", {"filename": "menu.pdf"}),
    ({"type": "sticker"}, "sticker", {"animated": False, "mime_type": "image/webp"}),
    ({"type": "location", "latitude": 40.4, "longitude": -3.7, "name": "Sol"}, "location", {"name": "Sol"}),
    ({"type": "button_reply", "id": "yes", "title": "Sí"}, "interactive", {"type": "button_reply"}),
    ({"type": "list_reply", "id": "r1", "title": "Uno"}, "interactive", {"list_reply": {"id": "r1", "title": "Uno"}}),
    ({"type": "button", "payload": "STOP", "text": "Baja"}, "button", {"payload": "STOP", "text": "Baja"}),
    ({"type": "flow_reply", "response_json": '{"a":1}'}, "interactive", {"type": "nfm_reply"}),
    (
        {"type": "reaction", "message_id": "wamid.x", "emoji": "👍"},
        "reaction",
        {"message_id": "wamid.x", "emoji": "👍"},
    ),
    ({"type": "order", "catalog_id": "c", "product_retailer_id": "p"}, "order", {"catalog_id": "c"}),
    ({"type": "edit", "message_id": "wamid.x", "body": "no"}, "edit", {"original_message_id": "wamid.x"}),
    ({"type": "revoke", "message_id": "wamid.x"}, "revoke", {"original_message_id": "wamid.x"}),
    ({"type": "unsupported", "what": "poll_creation"}, "unsupported", {"type": "poll_creation"}),
]


@pytest.mark.parametrize(("said", "kind", "part"), SAID, ids=[said["type"] for said, _, _ in SAID])
async def test_every_kind_of_message_carries_its_content(
    world: World, said: dict[str, Any], kind: str, part: dict[str, Any]
) -> None:
    await world.json("POST", "messages", message(**said))
    await world.receiver.wait_until(lambda r: r.messages)
    [received] = world.receiver.messages
    assert received["type"] == kind
    assert received[kind].items() >= part.items()


async def test_unsupported_messages_say_why(world: World) -> None:
    await world.json("POST", "messages", message(type="unsupported"))
    await world.receiver.wait_until(lambda r: r.messages)
    assert world.receiver.messages[0]["errors"][0]["code"] == 131051


async def test_contacts_and_quotes_are_passed_on(world: World) -> None:
    await world.json("POST", "messages", message(type="contacts", name="Luis", phones=["+34 600"], reply_to="wamid.q"))
    await world.receiver.wait_until(lambda r: r.messages)
    [received] = world.receiver.messages
    assert received["contacts"][0]["name"]["formatted_name"] == "Luis"
    assert received["context"] == {"id": "wamid.q"}


async def test_a_person_who_hides_the_number_has_only_a_user_id(world: World) -> None:
    await world.json("POST", "messages", {"customer": "ES.123abc", "message": {"type": "text", "body": "hola"}})
    await world.receiver.wait_until(lambda r: r.messages)
    [value] = world.receiver.values
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == "ES.123abc"
    assert "wa_id" not in value["contacts"][0]


async def test_a_changed_number_comes_as_a_system_message_without_contact(world: World) -> None:
    await world.writes()
    await world.json("POST", "messages", message(type="user_changed_number", phone="34699999999"))
    await world.receiver.wait_until(lambda r: len(r.messages) == 2)
    assert "contacts" not in world.receiver.values[1]
    assert world.receiver.messages[1]["system"]["wa_id"] == "34699999999"
    assert (await world.json("GET", "phone?customer=34699999999"))["messages"][0]["text"] == "hola"


async def test_customers_media_can_be_downloaded_once_known(world: World) -> None:
    await world.json("POST", "messages", message(type="image", data="aG9sYQ==", mime_type="image/jpeg"))
    await world.receiver.wait_until(lambda r: r.messages)
    media_id = world.receiver.messages[0]["image"]["id"]
    about = msgspec.json.decode((await world.graph.call("GET", media_id)).body)
    assert about["mime_type"] == "image/jpeg"
    assert about["file_size"] == 4
    file = await world.http.request(
        "GET", about["url"], headers={"authorization": f"Bearer {world.graph.token}"}, timeout_seconds=5
    )
    assert file.body == b"hola"


async def test_an_unanswered_webhook_comes_again_until_200_with_the_same_bytes(world: World) -> None:
    world.receiver.refuse_next(500, 503, 404)
    await world.writes()
    assert len(world.receiver.refused) == 3
    assert set(world.receiver.refused) == set(world.receiver.bodies)
    page = await world.json("GET", "acknowledged")
    assert [(webhook["attempts"], webhook["body"]) for webhook in page["webhooks"]] == [
        (4, world.receiver.bodies[0].decode())
    ]


async def test_a_product_that_is_down_is_tried_again_and_given_up_in_the_end(make_world: MakeWorld) -> None:
    retries = Retries(first_delay_seconds=0.01, give_up_after_attempts=3)
    world = await make_world(webhook_url="http://127.0.0.1:9/hook", retries=retries)
    await world.json("POST", "messages", message(type="text", body="hola"))
    await asyncio.wait_for(world.simulator.idle(), 10)
    assert (await world.json("GET", "acknowledged"))["webhooks"] == []
    assert (await world.json("GET", f"phone?customer={ANA}"))["messages"][0]["tick"] == "sent"


def test_pauses_between_attempts_grow_up_to_a_limit() -> None:
    retries = Retries(first_delay_seconds=1, factor=2, longest_delay_seconds=60)
    assert [retries.delay_seconds(attempts) for attempts in (1, 2, 3, 7, 500)] == [1, 2, 4, 60, 60]


async def test_other_fields_are_passed_on_as_they_are(world: World) -> None:
    value = {"user_preferences": [{"wa_id": ANA, "category": "marketing_messages", "value": "stop"}]}
    await world.json("POST", "changes", {"field": "user_preferences", "value": value})
    await world.receiver.wait_until(lambda r: r.bodies)
    [change] = json.loads(world.receiver.bodies[0])["entry"][0]["changes"]
    assert change == {"field": "user_preferences", "value": value}


async def test_messages_can_share_a_webhook(make_world: MakeWorld) -> None:
    world = await make_world(messages_per_webhook=10)
    await world.faults({"kind": "hold_webhooks"})
    for number in range(3):
        await world.json("POST", "messages", message(type="text", body=str(number)))
    await world.json("DELETE", "faults")
    await world.receiver.wait_until(lambda r: len(r.messages) == 3)
    assert len(world.receiver.bodies) == 1

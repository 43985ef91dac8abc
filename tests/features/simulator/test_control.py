"""The control API takes only what it knows, and a phone can be watched without asking again and again."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.features.simulator.conftest import ANA, MakeWorld, World

HOLA = {"type": "text", "body": "hola"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("customers", {"phone": ANA, "colour": "red"}, None),
        ("customers", {"phone": "not a phone"}, "phone"),
        ("customers", {}, "phone"),
        ("messages", {"customer": "Ana", "message": HOLA}, "customer"),
        ("messages", {"customer": ANA, "message": {"type": "telepathy"}}, "message.type"),
        ("messages", {"customer": ANA, "message": {"type": "text", "body": "x", "to": "y"}}, "message"),
        (
            "messages",
            {"customer": ANA, "message": {"type": "location", "latitude": 91, "longitude": 0}},
            "message.latitude",
        ),
        ("clock", {"advance_seconds": -1}, "advance_seconds"),
    ],
)
async def test_unknown_or_impossible_members_are_refused_by_name(
    world: World, path: str, body: dict[str, Any], field: str | None
) -> None:
    response = await world.control("POST", path, body)
    assert response.status == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert msgspec.json.decode(response.body).get("field") == field


async def test_a_body_that_a_browser_could_send_across_origins_is_refused(world: World) -> None:
    response = await world.control("POST", "reset-not", HOLA)
    assert response.status == 404
    refused = await world.control(
        "POST", "messages", {"customer": ANA, "message": HOLA}, **{"content-type": "text/plain"}
    )
    assert refused.status == 422
    assert world.receiver.bodies == []


async def test_unknown_channels_and_customers_are_not_found(world: World) -> None:
    unknown = {"customer": ANA, "message": HOLA, "channel": "42"}
    assert (await world.control("POST", "messages", unknown)).status == 404
    assert (await world.control("GET", "phone?customer=34600000000")).status == 404


@pytest.mark.parametrize("query", ["after=x", "after=-1", "wait_seconds=soon"])
async def test_queries_that_are_no_numbers_are_refused(world: World, query: str) -> None:
    await world.writes()
    assert (await world.control("GET", f"phone?customer={ANA}&{query}")).status == 422


async def test_customers_can_be_made_and_listed(world: World) -> None:
    made = await world.json("POST", "customers", {"phone": ANA, "name": "Ana", "reads": False})
    assert made["last_wrote_at"] is None
    await world.writes()
    [listed] = await world.json("GET", "customers")
    assert (listed["name"], listed["reads"], listed["id"]) == ("Ana", False, ANA)
    assert listed["last_wrote_at"] is not None
    assert listed["user_id"] == made["user_id"]


async def test_a_waiting_phone_answers_as_soon_as_something_comes(world: World) -> None:
    await world.writes()
    seen = (await world.json("GET", f"phone?customer={ANA}"))["seq"]
    waiting = asyncio.create_task(world.json("GET", f"phone?customer={ANA}&after={seen}&wait_seconds=30"))
    await world.graph.say(ANA, "buenas")
    view = await asyncio.wait_for(waiting, 5)
    assert [message["text"] for message in view["messages"]] == ["buenas"]
    assert view["seq"] > seen


async def test_a_phone_without_news_answers_when_the_wait_is_over(world: World) -> None:
    await world.writes()
    seen = (await world.json("GET", f"phone?customer={ANA}"))["seq"]
    view = await world.json("GET", f"phone?customer={ANA}&after={seen}&wait_seconds=0.05")
    assert view["messages"] == []


async def test_a_change_number_from_before_a_reset_shows_everything(world: World) -> None:
    await world.writes()
    view = await world.json("GET", f"phone?customer={ANA}&after=999&wait_seconds=30")
    assert len(view["messages"]) == 1


async def test_ticks_say_what_became_of_a_customers_message(world: World) -> None:
    await world.faults({"kind": "hold_webhooks"})
    written = await world.json("POST", "messages", {"customer": ANA, "message": HOLA})
    phone = f"phone?customer={ANA}"
    assert (await world.json("GET", phone))["messages"][0]["tick"] == "sent"
    await world.json("DELETE", "faults")
    await world.simulator.idle()
    assert (await world.json("GET", phone))["messages"][0]["tick"] == "delivered"
    await world.graph.mark_read(written["message_id"])
    assert (await world.json("GET", phone))["messages"][0]["tick"] == "read"


async def test_reactions_and_edits_change_the_message_they_mean(world: World) -> None:
    first = await world.writes("uno")
    for message in (
        {"type": "reaction", "message_id": first, "emoji": "👍"},
        {"type": "edit", "message_id": first, "body": "dos"},
    ):
        await world.json("POST", "messages", {"customer": ANA, "message": message})
    shown = (await world.json("GET", f"phone?customer={ANA}"))["messages"][0]
    assert (shown["text"], shown["reaction"]) == ("dos", "👍")


async def test_a_reset_forgets_people_messages_and_what_was_on_its_way(world: World) -> None:
    await world.faults({"kind": "hold_webhooks"})
    await world.json("POST", "messages", {"customer": ANA, "message": HOLA})
    await world.json("POST", "reset")
    assert (await world.json("GET", "idle?wait_seconds=5"))["promised"] == 0
    assert await world.json("GET", "customers") == []
    assert (await world.json("GET", "faults"))["faults"] == []
    await world.writes("after")
    assert [message["text"]["body"] for message in world.receiver.messages] == ["after"]


async def test_numbers_are_listed(world: World) -> None:
    [number] = await world.json("GET", "numbers")
    assert number["phone_number_id"] == world.graph.phone_number_id


async def test_a_simulator_stops_while_answers_hang_and_phones_wait(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.writes()
    await world.faults({"kind": "timeout_after_accept"}, {"kind": "slow", "seconds": 3600})
    hanging = [
        asyncio.create_task(world.graph.say(ANA, "uno")),
        asyncio.create_task(world.control("GET", f"phone?customer={ANA}&after=99&wait_seconds=60")),
    ]
    world.simulator.stopping.set()
    done, _ = await asyncio.wait(hanging, timeout=5)
    assert len(done) == 2
    await asyncio.gather(*hanging, return_exceptions=True)

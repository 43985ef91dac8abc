"""The messages endpoint accepts what Meta accepts, refuses the rest in Meta's words, and reports by webhook."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.core.http_client import HttpResponse
from app.simulator.config import StatusPace
from tests.features.simulator.conftest import ANA, MakeWorld, World

ErrorOf = Callable[[HttpResponse], dict[str, Any]]


def text(**changes: Any) -> dict[str, Any]:
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "hola"}}
    return {**body, **changes}


async def test_an_accepted_send_answers_with_wamid_and_contact(world: World) -> None:
    await world.writes()
    response = await world.graph.say(f"+{ANA}", "buenas")
    assert response.status == 200
    answer = msgspec.json.decode(response.body)
    assert answer["contacts"] == [{"input": f"+{ANA}", "wa_id": ANA}]
    assert answer["messages"][0]["id"].startswith("wamid.")


async def test_statuses_follow_in_order_with_tracker_price_and_conversation(world: World) -> None:
    await world.writes()
    response = await world.graph.say(ANA, "buenas", tracker="ob1:1:1")
    wamid = msgspec.json.decode(response.body)["messages"][0]["id"]
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    statuses = world.receiver.statuses
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert {status["id"] for status in statuses} == {wamid}
    assert {status["biz_opaque_callback_data"] for status in statuses} == {"ob1:1:1"}
    assert {status["recipient_id"] for status in statuses} == {ANA}
    assert statuses[0]["pricing"] == {
        "billable": False,
        "pricing_model": "PMP",
        "type": "free_customer_service",
        "category": "service",
    }
    assert statuses[0]["conversation"]["expiration_timestamp"].isdigit()
    assert len(world.receiver.values) == 2, "statuses that are due together share a webhook"


async def test_a_webhook_never_has_more_statuses_than_allowed(make_world: MakeWorld) -> None:
    world = await make_world(statuses_per_webhook=2)
    await world.writes()
    await world.graph.say(ANA, "buenas")
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    assert [len(value["statuses"]) for value in world.receiver.values[1:]] == [2, 1]


async def test_statuses_that_linger_travel_together(make_world: MakeWorld) -> None:
    world = await make_world(status_linger_seconds=0.05)
    await world.writes()
    for number in range(5):
        await world.graph.say(ANA, str(number))
    await world.receiver.wait_until(lambda r: len(r.statuses) == 15)
    assert len(world.receiver.values) < 5


async def test_customers_who_never_look_leave_messages_unread(make_world: MakeWorld) -> None:
    world = await make_world(pace=StatusPace(delivered_after_seconds=0.01, read_after_seconds=None))
    await world.writes()
    await world.graph.say(ANA, "buenas")
    await world.simulator.idle()
    assert [status["status"] for status in world.receiver.statuses] == ["sent", "delivered"]


async def test_a_person_without_phone_is_reached_by_user_id(world: World) -> None:
    await world.writes(customer="ES.1abc")
    body = {"messaging_product": "whatsapp", "recipient": "ES.1abc", "type": "text", "text": {"body": "hola"}}
    answer = msgspec.json.decode((await world.graph.send(body)).body)
    assert answer["contacts"] == [{"input": "ES.1abc", "user_id": "ES.1abc"}]
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    assert "recipient_id" not in world.receiver.statuses[0]
    assert world.receiver.statuses[0]["recipient_user_id"] == "ES.1abc"


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("unknown member", text(texte={}), 100),
    ("no body", text(text={}), 131008),
    ("too long", text(text={"body": "x" * 4097}), 131009),
    ("null link", text(type="image", text=None, image={"id": "1", "link": None}), 100),
    ("id and link", {**text(type="image"), "image": {"id": "1", "link": "https://a.b/c"}}, 100),
    ("unknown type", text(type="telegram"), 131009),
    ("no addressee", {key: value for key, value in text().items() if key != "to"}, 131008),
    ("a name as addressee", text(to="Ana"), 131009),
    ("itself", text(to="15550001111"), 131021),
    ("unknown person", {**text(recipient="ES.nobody"), "to": None}, 131009),
    ("a group", text(recipient_type="group"), 131009),
    ("long tracker", text(biz_opaque_callback_data="x" * 513), 131009),
]


@pytest.mark.parametrize(("body", "code"), [(b, c) for _, b, c in REFUSED], ids=[name for name, _, _ in REFUSED])
async def test_bodies_that_meta_refuses_are_refused_in_its_shape(
    world: World, error_of: ErrorOf, body: dict[str, Any], code: int
) -> None:
    await world.writes()
    response = await world.graph.send(body)
    error = error_of(response)
    assert response.status == 400
    assert error["code"] == code
    assert error["fbtrace_id"]
    assert error["error_data"]["details"]
    assert error["type"] == "OAuthException"
    assert world.simulator.ledger.received == []


async def test_an_unknown_user_id_is_undeliverable(world: World, error_of: ErrorOf) -> None:
    body = {"messaging_product": "whatsapp", "recipient": "ES.nobody", "type": "text", "text": {"body": "hola"}}
    assert error_of(await world.graph.send(body))["code"] == 131026


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, b'{"a":"\\ud800"}'])
async def test_bodies_that_are_no_json_object_are_refused(world: World, body: bytes, error_of: ErrorOf) -> None:
    response = await world.http.request(
        "POST",
        f"{world.url}/v26.0/100000000000001/messages",
        headers={"authorization": f"Bearer {world.graph.token}"},
        content=body,
        timeout_seconds=5,
    )
    assert response.status == 400
    assert error_of(response)["code"] in {100, 131008}


async def test_calls_without_the_right_token_are_refused(world: World, error_of: ErrorOf) -> None:
    response = await world.graph.send(text(), token="another")
    assert response.status == 401
    assert error_of(response)["code"] == 190


async def test_unknown_numbers_and_paths_are_refused(world: World, error_of: ErrorOf) -> None:
    for path in ("42/messages", "42", "100000000000001/nothing"):
        response = await world.graph.call("POST" if "/" in path else "GET", path, text())
        assert response.status == 400
        assert error_of(response) | {"code": 100, "error_subcode": 33} == error_of(response)


async def test_free_text_needs_an_open_window_and_a_template_does_not(world: World, error_of: ErrorOf) -> None:
    assert error_of(await world.graph.say(ANA, "hola"))["code"] == 131047
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "template", "template": template}
    assert (await world.graph.send(body)).status == 200
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    assert world.receiver.statuses[0]["pricing"]["category"] == "utility"
    assert world.receiver.statuses[0]["pricing"]["billable"] is True


async def test_the_window_closes_24_hours_after_the_last_message(world: World, error_of: ErrorOf) -> None:
    await world.writes()
    await world.json("POST", "clock", {"advance_seconds": 24 * 3600 - 60})
    assert (await world.graph.say(ANA, "hola")).status == 200
    await world.json("POST", "clock", {"advance_seconds": 61})
    assert error_of(await world.graph.say(ANA, "hola"))["code"] == 131047
    await world.writes()
    assert (await world.graph.say(ANA, "hola")).status == 200


async def test_a_closed_window_can_also_show_as_a_failed_status(make_world: MakeWorld) -> None:
    world = await make_world(window_refusal="status")
    assert (await world.graph.say(ANA, "hola", tracker="t")).status == 200
    await world.receiver.wait_until(lambda r: r.statuses)
    [status] = world.receiver.statuses
    assert status["status"] == "failed"
    assert status["errors"][0]["code"] == 131047
    assert status["biz_opaque_callback_data"] == "t"
    assert world.simulator.ledger.received == []


async def test_people_who_cannot_be_reached_get_nothing(world: World) -> None:
    await world.json("POST", "customers", {"phone": ANA, "reachable": False})
    await world.writes()
    await world.graph.say(ANA, "hola")
    await world.receiver.wait_until(lambda r: r.statuses)
    assert world.receiver.statuses[0]["errors"][0]["code"] == 131026
    assert world.simulator.ledger.received == []


async def test_the_pair_limit_lets_45_pass_and_then_one_every_six_seconds(
    make_world: MakeWorld, error_of: ErrorOf
) -> None:
    world = await make_world(pair_limit=True)
    await world.writes()
    answers = [await world.graph.say(ANA, str(number)) for number in range(46)]
    assert [answer.status for answer in answers].count(200) == 45
    assert error_of(answers[-1])["code"] == 131056
    await world.json("POST", "clock", {"advance_seconds": 6})
    assert (await world.graph.say(ANA, "again")).status == 200


async def test_read_marks_earlier_messages_too_and_typing_shows_until_the_answer(world: World) -> None:
    await world.writes("uno")
    last = await world.writes("dos")
    assert (await world.graph.mark_read(last, typing=True)).status == 200
    phone = await world.json("GET", f"phone?customer={ANA}")
    assert [message["tick"] for message in phone["messages"]] == ["read", "read"]
    assert phone["typing"] is True
    await world.graph.say(ANA, "buenas")
    assert (await world.json("GET", f"phone?customer={ANA}"))["typing"] is False


async def test_typing_ends_after_25_seconds(world: World) -> None:
    await world.graph.mark_read(await world.writes(), typing=True)
    await world.json("POST", "clock", {"advance_seconds": 25})
    assert (await world.json("GET", f"phone?customer={ANA}"))["typing"] is False


async def test_a_message_nobody_sent_cannot_be_marked_as_read(world: World, error_of: ErrorOf) -> None:
    assert error_of(await world.graph.mark_read("wamid.unknown"))["code"] == 131009


async def test_the_ledger_has_what_the_customer_received(world: World) -> None:
    await world.writes()
    await world.writes(customer="34600999888")
    await world.graph.say(ANA, "uno", tracker="t1")
    await world.graph.say("34600999888", "dos", tracker="t2")
    buttons = [{"type": "reply", "reply": {"id": "a", "title": "Sí"}}]
    interactive = {"type": "button", "body": {"text": "¿Vale?"}, "action": {"buttons": buttons}}
    await world.graph.send(
        {"messaging_product": "whatsapp", "to": ANA, "type": "interactive", "interactive": interactive}
    )
    entries = (await world.json("GET", f"ledger?customer={ANA}"))["entries"]
    assert [(entry["seq"], entry["body"], entry.get("tracker")) for entry in entries] == [
        (1, "uno", "t1"),
        (3, "¿Vale?", None),
    ]
    assert entries[0]["content"] == {"body": "uno"}
    assert entries[0]["channel"] == "100000000000001"
    assert len((await world.json("GET", "ledger?after=1"))["entries"]) == 2
    choices = (await world.json("GET", f"phone?customer={ANA}"))["messages"][-1]["choices"]
    assert choices == [{"id": "a", "title": "Sí", "kind": "button_reply"}]

"""From a customer's message to an answer and its ticks."""

from functools import partial
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa

from app.conversations.models import messages, turns
from app.core.ids import new_id
from app.outbound.models import delivery_statuses, outbound_messages
from tests.builders.journeys import Customer, Journey, eventually, travelling
from tests.fakes.model_server import ModelServer
from tests.faults.processes import logged
from tests.journeys.conftest import POSTGRESQL, POSTGRESQL_REDIS, SQLITE, StartHouse


@pytest.mark.parametrize("house", [SQLITE, POSTGRESQL, POSTGRESQL_REDIS], indirect=True)
async def test_a_message_is_answered_once_and_its_ticks_come_back(journey: Journey) -> None:
    ana = journey.customer()

    await ana.writes("¿A qué hora abren?")

    await ana.gets("echo: ¿A qué hora abren?")
    delivery = await ana.delivery_is(state="sent", tick="read")
    assert all(delivery[fact] is not None for fact in ("accepted_at", "sent_at", "delivered_at", "read_at"))
    turn = await ana.turn_ends()
    assert (turn["state"], turn["reason"]) == ("done", None)
    assert [call["outcome"] for call in turn["model_calls"]] == ["answered"]
    await journey.all_webhooks_acknowledged()
    assert await ana.received() == ["echo: ¿A qué hora abren?"]


async def test_five_lines_in_a_burst_get_one_answer(start_house: StartHouse, model: ModelServer) -> None:
    house = start_house(environ={"TURN_QUIET_SECONDS": "2"}).start()
    lines = ["hola", "una", "pregunta", "¿abren", "hoy?"]
    async with travelling(house) as journey:
        ana = journey.customer()

        for line in lines:
            await ana.writes(line)

        (answer,) = await eventually(ana.received, lambda received: len(received) == 1)
        # Meta promises no order, and the simulator posts every line by itself, all within one second.
        assert sorted(answer.split()) == sorted(["echo:", *lines])
        (turn,) = await ana.turns()
        assert len(turn["inbound_ids"]) == 5


async def test_a_message_while_the_model_thinks_replaces_the_turn(journey: Journey, model: ModelServer) -> None:
    ana = journey.customer()
    model.latency_seconds = 1.0
    asked = model.count
    await ana.writes("quiero una mesa")
    await eventually(partial(counted, model), lambda count: count > asked)
    model.latency_seconds = 0

    await ana.writes("mejor dos")

    await ana.gets("echo: quiero una mesa mejor dos")
    assert (await ana.turn_ends(2))["restarts"] == 1
    first, second = await ana.turns()
    assert (first["state"], first["superseded_by"]) == ("superseded", second["id"])
    # The first answer has come when its trace is there, or its call was ended before; it never leaves.
    await eventually(partial(has_ended_for_good, journey, ana))
    await journey.all_webhooks_acknowledged()
    assert await ana.received() == ["echo: quiero una mesa mejor dos"]


async def test_a_second_delivery_of_the_same_webhook_changes_nothing(journey: Journey) -> None:
    ana = journey.customer()
    await journey.faults({"kind": "duplicate_webhook", "copies": 3})

    await ana.writes("¿tienen wifi?")

    await ana.gets("echo: ¿tienen wifi?")
    await ana.delivery_is(tick="read")
    await journey.all_webhooks_acknowledged()
    assert await ana.received() == ["echo: ¿tienen wifi?"]
    assert [message["author"] for message in await ana.messages()] == ["customer", "bot"]


async def test_answers_of_one_customer_leave_in_the_order_of_the_questions(journey: Journey) -> None:
    ana = journey.customer()

    for number in range(5):
        await ana.writes(f"pregunta {number}")
        await ana.gets_last(f"echo: pregunta {number}")

    assert await ana.received() == [f"echo: pregunta {number}" for number in range(5)]


async def test_a_correlation_id_leads_from_the_webhook_to_the_status(journey: Journey) -> None:
    ana = journey.customer()
    wamid = await ana.writes("¿dónde están?")
    await ana.delivery_is(tick="read")

    (inbound,) = await journey.rows(sa.select(*messages.c).where(messages.c.wamid == wamid))
    (turn,) = await journey.rows(sa.select(*turns.c).where(turns.c.id == inbound.turn_id))
    (outbound,) = await journey.rows(sa.select(*outbound_messages.c).where(outbound_messages.c.turn_id == turn.id))
    d = delivery_statuses.c
    statuses = await journey.rows(sa.select(d.status, d.event_id).where(d.outbound_id == outbound.id))
    assert inbound.event_id == turn.event_id == outbound.event_id
    assert wamid in (await journey.get(f"/api/whatsapp/events/{inbound.event_id}"))["body"]
    assert {status.status for status in statuses} == {"sent", "delivered", "read"}
    for status in statuses:
        assert outbound.wamid in (await journey.get(f"/api/whatsapp/events/{status.event_id}"))["body"]


async def test_a_request_keeps_its_id_in_what_it_writes(journey: Journey) -> None:
    ana = journey.customer()
    await ana.writes("hola")
    await ana.gets("echo: hola")
    request_id = str(new_id())

    answer = await journey.api(
        "POST",
        f"{await ana.path()}/messages",
        {"content": {"type": "text", "body": "Soy Marta"}},
        headers={"x-request-id": request_id},
    )

    assert (answer.status, answer.headers["x-request-id"]) == (201, request_id)
    await ana.gets("echo: hola", "Soy Marta")
    o = outbound_messages.c
    (row,) = await journey.rows(sa.select(o.id).where(o.event_id == UUID(request_id)))
    assert str(row.id) == msgspec.json.decode(answer.body)["id"]


async def counted(model: ModelServer) -> int:
    return model.count


async def has_ended_for_good(journey: Journey, customer: Customer) -> bool:
    """Say whether nobody thinks about the customer's first turn any more."""
    first = (await customer.turns())[0]
    lines = [line for child in journey.house.children.values() for line in logged(child)]
    lost = [line["items"] for line in lines if line.get("event") == "lease.lost"]
    return bool(first["model_calls"]) or [first["id"]] in lost

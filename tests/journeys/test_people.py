"""People beside the bot: taking over, handing back, writing, scheduling, and who is answered at all."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec

from app.core.http_client import HttpResponse
from tests.builders.journeys import Customer, Journey, Json, eventually
from tests.builders.whatsapp import change, echo, webhook
from tests.fakes.model_server import ModelServer


async def test_after_a_takeover_no_answer_of_the_bot_starts(journey: Journey, model: ModelServer) -> None:
    ana = journey.customer()
    await ana.writes("hola")
    await ana.gets("echo: hola")
    model.latency_seconds = 2  # time enough to take over, however busy the machine is
    asked = model.count
    await ana.writes("¿me atiende una persona?")
    await eventually(lambda: counted(model), lambda count: count > asked)

    held = await journey.post(f"{await ana.path()}/take-over")

    assert held["control"] == "person"
    turn = await ana.turn_ends(2)
    assert (turn["state"], turn["reason"]) == ("ignored", "held_by_person")
    assert turn["model_calls"][0]["outcome"] == "answered"
    assert await ana.received() == ["echo: hola"]


async def test_after_handing_back_the_bot_answers_again(journey: Journey) -> None:
    ana = await known_customer(journey)
    await journey.post(f"{await ana.path()}/take-over")
    await ana.writes("¿hay alguien?")
    assert (await ana.turn_ends(2))["reason"] == "held_by_person"

    await journey.post(f"{await ana.path()}/hand-back")
    await ana.writes("¿y ahora?")

    await ana.gets("echo: hola", "echo: ¿hay alguien? ¿y ahora?")


async def test_what_a_person_writes_reaches_the_customer_once_for_each_key(journey: Journey) -> None:
    ana = await known_customer(journey)
    key = {"idempotency-key": uuid4().hex}

    first = await write(journey, ana, "Soy Marta, le ayudo", headers=key)
    again = await write(journey, ana, "Soy Marta, le ayudo", headers=key)
    other = await write(journey, ana, "Otra cosa", headers=key)

    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert msgspec.json.decode(first.body)["id"] == msgspec.json.decode(again.body)["id"]
    await ana.gets("echo: hola", "Soy Marta, le ayudo")
    await ana.delivery_is(tick="read")
    assert await ana.received() == ["echo: hola", "Soy Marta, le ayudo"]
    conversation = await ana.conversation()
    assert conversation is not None
    assert conversation["control"] == "person"


async def test_a_scheduled_message_leaves_when_its_time_has_come_and_not_when_it_was_cancelled(
    journey: Journey,
) -> None:
    ana = await known_customer(journey)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    later = await write(journey, ana, "nunca", scheduled_at=(soon + timedelta(seconds=1)).isoformat())
    await write(journey, ana, "Le esperamos", scheduled_at=soon.isoformat())

    cancelled = await journey.post(f"/api/outbound/{msgspec.json.decode(later.body)['id']}/cancel")

    assert cancelled["delivery"]["state"] == "cancelled"
    await ana.gets("echo: hola", "Le esperamos")
    (entry,) = [entry for entry in await ana.ledger() if entry["body"] == "Le esperamos"]
    assert datetime.fromisoformat(entry["at"]) >= soon
    await write(journey, ana, "y adiós", scheduled_at=(soon + timedelta(seconds=1.5)).isoformat())
    await ana.gets("echo: hola", "Le esperamos", "y adiós")


async def test_a_message_typed_on_the_business_phone_takes_the_conversation_over(journey: Journey) -> None:
    ana = await known_customer(journey)
    typed = echo(to=ana.key, id=f"wamid.{uuid4().hex}", timestamp=str(int(datetime.now(UTC).timestamp())))

    answer = await journey.webhook(webhook(change("smb_message_echoes", message_echoes=[typed])))

    assert answer.status == 200
    await eventually(ana.conversation, lambda found: found is not None and found["control"] == "person")
    assert [message["text"] for message in await ana.messages("phone")] == ["Hi! A human here."]
    await ana.writes("gracias")
    assert (await ana.turn_ends(2))["reason"] == "held_by_person"
    assert await ana.received() == ["echo: hola"]


async def test_the_profile_says_who_is_answered_and_every_silence_has_its_reason(journey: Journey) -> None:
    try:
        await set_profile(journey, paused=True)
        paused = await silent_customer(journey, "paused")
        assert await paused.received() == []

        await set_profile(journey, answer_policy="approved")
        stranger = await silent_customer(journey, "not_approved")
        conversation = await stranger.conversation()
        assert conversation is not None
        await journey.api("PATCH", f"/api/contacts/{conversation['contact']['id']}", {"approved": True})
        await stranger.writes("¿y ahora?")
        await eventually(stranger.received, len)

        await set_profile(journey, hours=NEVER_OPEN, outside_hours_message="Estamos cerrados")
        late = await somebody_told(journey, "Estamos cerrados")
        await late.writes("¿seguro?")
        assert (await late.turn_ends(2))["reason"] == "outside_hours"
        assert await late.received() == ["Estamos cerrados"]
    finally:
        await set_profile(journey)
        await somebody_told(journey, "echo: hola")


NEVER_OPEN: Json = {
    "time_zone": "America/Bogota",
    "weekly": {day: [] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")},
    "exceptions": [],
}
USUAL: Json = {"paused": False, "answer_policy": "everyone", "outside_hours_message": ""}


async def set_profile(journey: Journey, **changes: object) -> None:
    stored = await journey.get("/api/business/profile")
    profile = stored["profile"] | USUAL | changes
    answer = await journey.api("PUT", "/api/business/profile", {"version": stored["version"], "profile": profile})
    assert answer.status == 200, answer.body


async def silent_customer(journey: Journey, reason: str) -> Customer:
    """Let new customers write until the new profile holds (within a second); return the first one not answered."""

    async def try_one() -> Customer | None:
        customer = journey.customer()
        await customer.writes("hola")
        return customer if (await customer.turn_ends())["reason"] == reason else None

    found = await eventually(try_one)
    assert found is not None
    return found


async def somebody_told(journey: Journey, text: str) -> Customer:
    """Let new customers write until one is told this, and return that one."""

    async def try_one() -> Customer | None:
        customer = journey.customer()
        await customer.writes("hola")
        await customer.turn_ends()
        return customer if await customer.received() == [text] else None

    found = await eventually(try_one)
    assert found is not None
    return found


async def known_customer(journey: Journey) -> Customer:
    """Return somebody who has been greeted."""
    customer = journey.customer()
    await customer.writes("hola")
    await customer.gets("echo: hola")
    await customer.turn_ends()
    return customer


async def write(
    journey: Journey, customer: Customer, text: str, *, headers: dict[str, str] | None = None, **members: object
) -> HttpResponse:
    body = {"content": {"type": "text", "body": text}, **members}
    return await journey.api("POST", f"{await customer.path()}/messages", body, headers=headers)


async def counted(model: ModelServer) -> int:
    return model.count

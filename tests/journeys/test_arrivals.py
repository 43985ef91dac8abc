"""Everything a customer may send, and numbers that nobody has told us about."""

import hashlib
from uuid import uuid4

import msgspec

from tests.builders.journeys import Customer, Journey, Json, eventually
from tests.faults.processes import ACCESS_TOKEN, APP_SECRET, SECOND_NUMBER_ID, VERIFY_TOKEN


async def test_a_picture_is_fetched_in_the_background_and_its_caption_answered(journey: Journey) -> None:
    ana = journey.customer()

    await ana.writes({"type": "image", "caption": "¿tienen este modelo?"})

    await ana.gets("echo: ¿tienen este modelo?")
    file = await stored_file(ana)
    assert file["kind"] == "image"
    answer = await journey.api("GET", f"/api/media/{file['id']}")
    assert answer.status == 200
    assert len(answer.body) == file["size_bytes"]
    assert answer.headers["content-type"] == file["mime_type"]
    assert answer.headers["content-disposition"].startswith("attachment")
    (message,) = await ana.messages("customer")
    payload: Json = message["payload"]
    assert hashlib.sha256(answer.body).digest() == msgspec.convert(payload["image"]["sha256"], bytes)


async def test_a_voice_note_is_kept_and_its_turn_ends(journey: Journey) -> None:
    ana = journey.customer()

    await ana.writes({"type": "audio", "voice": True})

    assert (await stored_file(ana))["kind"] == "audio"
    assert await ends_with_an_answer_or_a_reason(ana)


async def test_what_is_no_text_is_shown_and_each_turn_ends_with_an_answer_or_a_reason(journey: Journey) -> None:
    ana = journey.customer()
    sent: list[tuple[Json, str]] = [
        ({"type": "location", "latitude": 4.6, "longitude": -74.08, "name": "Parque"}, "location"),
        ({"type": "button_reply", "id": "yes", "title": "Sí"}, "button_reply"),
        ({"type": "contacts", "name": "Luis", "phones": ["+57 300 111 2233"]}, "contacts"),
        ({"type": "unsupported"}, "unsupported"),
        ({"type": "document", "caption": "El contrato", "filename": "contrato.pdf"}, "document"),
    ]
    for message, _ in sent:
        await ana.writes(message)

    stored = await eventually(lambda: ana.messages("customer"), lambda found: len(found) == len(sent))

    assert [message["kind"].partition(".")[0] for message in stored]
    assert all(message["text"] for message in stored if message["kind"] != "unsupported")
    await ends_with_an_answer_or_a_reason(ana)


async def test_a_reaction_is_shown_and_asks_for_no_answer(journey: Journey) -> None:
    ana = journey.customer()
    await ana.writes("hola")
    await ana.gets("echo: hola")
    await ana.delivery_is(tick="read")
    wamid = (await ana.messages("bot"))[0]["wamid"] or (await ana.ledger())[0]["wamid"]

    await ana.writes({"type": "reaction", "message_id": wamid, "emoji": "👍"})

    stored = await eventually(lambda: ana.messages("customer"), lambda found: len(found) == 2)
    assert stored[1]["kind"] == "reaction"
    assert len(await ana.turns()) == 1
    assert await ana.received() == ["echo: hola"]


async def test_somebody_who_hides_the_number_is_answered_by_user_id(journey: Journey) -> None:
    key = f"US.{uuid4().int % 10**20}"
    await journey.meta("POST", "customers", {"user_id": key, "name": "Julian Unseen", "username": "unseen"})
    hidden = journey.customer(key)

    await hidden.writes("hola")

    await hidden.gets("echo: hola")
    found = (await journey.get("/api/conversations?q=Julian"))["items"]
    assert [(one["contact"]["phone"], one["contact"]["user_id"]) for one in found] == [(None, key)]


async def test_a_message_to_an_unknown_number_waits_with_its_reason_until_the_channel_is_added(
    journey: Journey,
) -> None:
    ana = journey.customer()
    wamid = await ana.writes("¿hola?", channel=SECOND_NUMBER_ID)
    dead = await eventually(
        journey.dead_webhooks, lambda found: any(SECOND_NUMBER_ID in one["reason"] for one in found)
    )
    event = next(one for one in dead if SECOND_NUMBER_ID in one["reason"])
    assert wamid in (await journey.get(f"/api/whatsapp/events/{event['id']}"))["body"]
    assert await ana.conversation() is None

    added = await journey.post(
        "/api/whatsapp/channels",
        {
            "name": "La otra tienda",
            "phone_number_id": SECOND_NUMBER_ID,
            "token": ACCESS_TOKEN,
            "app_secrets": [APP_SECRET],
            "verify_token": VERIFY_TOKEN,
        },
    )

    async def retried() -> bool:
        """Other processes learn of the channel within five seconds, so a retry may come too early."""
        answer = await journey.api("POST", f"/api/whatsapp/events/{event['id']}/retry")
        assert answer.status in {200, 409}
        await eventually(
            lambda: journey.get(f"/api/whatsapp/events/{event['id']}"), lambda one: one["state"] != "pending"
        )
        return bool((await journey.get(f"/api/whatsapp/events/{event['id']}"))["state"] == "done")

    await eventually(retried)
    await ana.gets("echo: ¿hola?")
    conversation = await ana.conversation()
    assert conversation is not None
    assert conversation["channel_id"] == added["id"]
    assert (await ana.ledger())[0]["channel"] == SECOND_NUMBER_ID


async def stored_file(customer: Customer) -> Json:
    """Wait until the file of the customer's first message is here."""
    messages = await eventually(
        lambda: customer.messages("customer"),
        lambda found: found and found[0]["media"] is not None and found[0]["media"]["state"] == "stored",
    )
    file: Json = messages[0]["media"]
    return file


async def ends_with_an_answer_or_a_reason(customer: Customer) -> list[Json]:
    """Wait until every turn has ended; each was answered, went into a later one, or says why not."""
    turns = await eventually(customer.turns, lambda found: found and all(turn["ended_at"] for turn in found))
    assert all(turn["state"] == "done" or turn["reason"] for turn in turns)
    return turns

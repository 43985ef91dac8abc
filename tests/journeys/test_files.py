"""Files that a colleague sends: through the API, the transport and Meta, onto the phone."""

import msgspec

from app.core.http_client import HttpResponse
from tests.builders.journeys import Customer, Journey, Json, eventually
from tests.faults.processes import ACCESS_TOKEN

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of the door" * 2000


async def test_a_picture_that_a_colleague_sends_reaches_the_phone_as_it_was_brought(journey: Journey) -> None:
    ana = await known_customer(journey)
    brought = await bring(journey, PNG)

    content = {"type": "image", "media_id": brought["media_id"], "caption": "La puerta"}
    written = await journey.post(f"{await ana.path()}/messages", {"content": content})
    await journey.post(f"{await ana.path()}/messages", {"content": {"type": "text", "body": "¿La ve?"}})

    assert written["media"]["state"] == "stored"
    await ana.gets("echo: hola", "La puerta", "¿La ve?")
    await ana.delivery_is(tick="read")
    (entry,) = [entry for entry in await ana.ledger() if entry["kind"] == "image"]
    assert await on_the_phone(journey, entry["content"]["id"]) == PNG


async def test_a_file_that_meta_refuses_ends_its_message_and_calls_for_a_person(journey: Journey) -> None:
    ana = await known_customer(journey)
    content = {"type": "image", "media_id": "1234567890123456"}  # Meta's way of naming files, and not one it knows
    await journey.post(f"{await ana.path()}/messages", {"content": content})

    await ana.delivery_is(state="failed")

    conversation = await eventually(ana.conversation)
    assert conversation is not None
    assert conversation["attention"] == "send_failed"
    assert await ana.received() == ["echo: hola"]


async def known_customer(journey: Journey) -> Customer:
    ana = journey.customer()
    await ana.writes("hola")
    await ana.gets("echo: hola")
    return ana


async def bring(journey: Journey, content: bytes) -> Json:
    answer = await journey.http.request(
        "POST",
        f"{journey.house.url}/api/media?name=door.png",
        headers={"authorization": f"Bearer {await journey.token()}", "content-type": "image/png"},
        content=content,
        timeout_seconds=20,
    )
    assert answer.status == 201, answer.body
    brought: Json = msgspec.json.decode(answer.body)
    return brought


async def on_the_phone(journey: Journey, media_id: str) -> bytes:
    """Return the bytes of a file as Meta has them."""
    described: Json = msgspec.json.decode((await graph(journey, f"{journey.house.meta.url}/v26.0/{media_id}")).body)
    return (await graph(journey, described["url"])).body


async def graph(journey: Journey, url: str) -> HttpResponse:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    return await journey.http.request("GET", url, headers=headers, timeout_seconds=20)

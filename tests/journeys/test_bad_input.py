"""What strangers, mistakes and outages bring to the public door: never a 5xx of ours, never a neighbour lost."""

from asyncio import to_thread
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.whatsapp.models import inbound_events
from tests.builders.journeys import Customer, Journey, Json, eventually, signature, travelling
from tests.builders.whatsapp import contact, encoded, messages, text, webhook
from tests.databases import PostgresDatabases
from tests.faults.proxy import Proxy
from tests.journeys.conftest import SQLITE, StartHouse


@pytest.mark.parametrize("signed_as", ["forged", "missing", "truncated", "of another body", "without its name"])
async def test_a_webhook_that_is_not_metas_is_refused_and_nothing_is_stored(journey: Journey, signed_as: str) -> None:
    ana = journey.customer()
    body = webhook(messages(fresh_text(ana), contacts=[contact(wa_id=ana.key)]))
    good = signature(body)
    signatures = {
        "forged": signature(body, "another secret"),
        "truncated": good[:-1],
        "of another body": signature(body + b" "),
        "without its name": good.removeprefix("sha256="),
    }
    headers = {"content-type": "application/json"}
    if signed_as in signatures:
        headers["x-hub-signature-256"] = signatures[signed_as]
    before = await stored(journey)

    answer = await journey.webhook(body, headers)

    assert answer.status == 401
    assert await stored(journey) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b'{"object":"whatsapp_business_account","entry":[',
        b"[]",
        b"null",
        b"\x00\xff\xfe",
        b"\xed\xa0\x80" * 10,
        b"[" * 100_000,
    ],
    ids=["empty", "text", "broken off", "array", "null", "bytes", "surrogates", "deep"],
)
async def test_what_is_signed_but_unintelligible_is_kept_with_its_reason(journey: Journey, body: bytes) -> None:
    unique = body + b" " * (uuid4().int % 5000)  # each is stored once, so each run needs its own

    answer = await journey.webhook(unique)

    assert answer.status == 200
    dead = await eventually(journey.dead_webhooks, lambda found: any(one["size_bytes"] == len(unique) for one in found))
    assert all(one["reason"] for one in dead)


BAD_MESSAGES: dict[str, object] = {
    "a number": 7,
    "null": None,
    "a text": "hello",
    "a list": [[]],
    "empty": {},
    "no id": {"from": "573000000009", "timestamp": "1", "type": "text", "text": {"body": "x"}},
    "wrong types everywhere": {"from": 5, "id": {}, "timestamp": [], "type": 7, "text": "x"},
    "a list for a body": {"from": "573000000009", "id": "w", "timestamp": "1", "type": "text", "text": {"body": [1]}},
    "a time before time": {"from": "573000000009", "id": "w2", "timestamp": "-9e99", "type": "text", "text": {}},
    "a time beyond time": {"from": "573000000009", "id": "w3", "timestamp": "9" * 40, "type": "text", "text": {}},
    "an endless id": {"from": "573000000009", "id": "w" * 5000, "timestamp": "1", "type": "text", "text": {}},
    "NUL": {"from": "57300\x000009", "id": "w\x00", "timestamp": "1", "type": "text", "text": {"body": "a\x00b"}},
    "a lone surrogate": {
        "from": "573000000008",
        "id": "w4",
        "timestamp": "1",
        "type": "text",
        "text": {"body": "\ud800"},
    },
}


@pytest.mark.parametrize("bad", list(BAD_MESSAGES))
async def test_a_bad_message_costs_its_neighbours_nothing(journey: Journey, bad: str) -> None:
    ana, luis = journey.customer(), journey.customer()
    await met(ana, luis)
    body = webhook(
        messages(fresh_text(ana), contacts=[contact(wa_id=ana.key)]),
        messages(BAD_MESSAGES[bad], fresh_text(luis), contacts=[contact(wa_id=luis.key)]),  # type: ignore[arg-type]  # that is the point
    )

    answer = await journey.webhook(body)

    assert answer.status == 200
    await ana.gets_last("echo: ¿hay mesa?")
    await luis.gets_last("echo: ¿hay mesa?")


@pytest.mark.parametrize("bad", [{"entry": 5}, {"entry": [{"changes": {}}]}, {"entry": [None]}, {"object": []}])
async def test_wrong_types_around_the_messages_are_answered_200(journey: Journey, bad: Json) -> None:
    body = encoded({"object": "whatsapp_business_account", "unique": uuid4().hex} | bad)

    assert (await journey.webhook(body)).status == 200
    await journey.get("/api/whatsapp/events?state=dead")


async def test_json_nested_a_thousand_deep_costs_its_neighbours_nothing(journey: Journey) -> None:
    ana = journey.customer()
    await met(ana)
    deep = b"[" * 1000 + b"]" * 1000
    body = webhook(messages(fresh_text(ana, deep="HERE"), contacts=[contact(wa_id=ana.key)]))

    answer = await journey.webhook(body.replace(b'"HERE"', deep))

    assert answer.status == 200
    await ana.gets_last("echo: ¿hay mesa?")


async def test_texts_with_nul_and_half_a_surrogate_pair_are_answered_without_them(journey: Journey) -> None:
    ana = journey.customer()
    await met(ana)
    body = webhook(messages(fresh_text(ana, body="a\x00b \ud83d fin"), contacts=[contact(wa_id=ana.key)]))

    assert (await journey.webhook(body)).status == 200

    received = await eventually(ana.received, lambda found: len(found) == 2)
    assert "\x00" not in received[1]
    assert received[1].startswith("echo: ab")
    assert received[1].endswith("fin")


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
async def test_four_mebibytes_are_taken_and_a_byte_more_is_refused(journey: Journey) -> None:
    size = 4 * 1024 * 1024
    fitting = encoded({"object": uuid4().hex}).ljust(size)
    before = await stored(journey)

    assert (await journey.webhook(fitting)).status == 200
    refused = await journey.webhook(fitting + b" ")

    assert refused.status == 413
    assert await stored(journey) == before + 1


@pytest.mark.parametrize("house", [SQLITE], indirect=True)
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/api/business/profile", {"version": 0, "profile": {"name": 7}}, "profile"),
        ("POST", "/api/whatsapp/channels", {"name": "x", "phone_number_id": "letters"}, ""),
        ("GET", "/api/conversations?limit=1000", None, "limit"),
        ("GET", "/api/conversations?cursor=nonsense", None, "cursor"),
        ("GET", "/api/outbound?state=flying", None, "state"),
    ],
)
async def test_a_bad_request_to_the_api_is_refused_and_names_the_field(
    journey: Journey, method: str, path: str, body: object, field: str
) -> None:
    answer = await journey.api(method, path, body)

    assert answer.status in {400, 422}
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert field in answer.body.decode()


@pytest.mark.parametrize("form", ["one process", pytest.param("many", marks=pytest.mark.redis)])
@pytest.mark.postgres
async def test_without_its_database_no_webhook_is_acknowledged_and_none_that_was_is_lost(
    form: str, postgres_template: PostgresDatabases, request: pytest.FixtureRequest, start_house: StartHouse
) -> None:
    redis_url = request.getfixturevalue("redis_of_our_own") if form == "many" else None
    with postgres_template.fresh() as url:
        async with Proxy(url).running() as proxy:
            # Started in a thread, because the proxy needs this loop.
            house = start_house(
                database_url=proxy.url, redis_url=redis_url, roles=("serve", "jobs") if redis_url else ("serve",)
            )
            await to_thread(house.start)
            async with travelling(house) as journey:
                ana, luis = journey.customer(), journey.customer()
                await ana.writes("antes")
                await ana.gets("echo: antes")

                proxy.cut()
                body = webhook(messages(fresh_text(ana), contacts=[contact(wa_id=ana.key)]))
                refused = await journey.webhook(body)
                assert refused.status == 503
                await luis.writes("durante")
                proxy.mend()

                await luis.gets("echo: durante")
                await eventually(lambda: journey.webhook(body), lambda answer: answer.status == 200)
                await ana.gets("echo: antes", "echo: ¿hay mesa?")
                await journey.all_webhooks_acknowledged()
            for child in house.children.values():
                await to_thread(child.kill)


async def met(*customers: Customer) -> None:
    """Let Meta know them, with an open window; the greeting is answered."""
    for customer in customers:
        await customer.writes("hola")
    for customer in customers:
        await customer.gets("echo: hola")
        await customer.turn_ends()


def fresh_text(customer: Customer, *, body: str = "¿hay mesa?", **members: object) -> Json:
    """A message that Meta sends in a webhook of the test's own."""
    message = text(body, wamid=f"wamid.{uuid4().hex}", **members)
    return message | {"from": customer.key, "timestamp": str(int(datetime.now(UTC).timestamp()))}


async def stored(journey: Journey) -> int:
    """Return how many webhooks are stored, after what is on its way has arrived."""
    await journey.all_webhooks_acknowledged()
    ((count,),) = await journey.rows(sa.select(sa.func.count()).select_from(inbound_events))
    return int(count)

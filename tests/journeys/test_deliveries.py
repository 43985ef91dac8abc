"""What becomes of messages that leave, however Meta behaves: never twice, never silently."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.conversations.models import conversations
from tests.builders.journeys import Journey, eventually
from tests.fakes.model_server import ModelServer
from tests.journeys.conftest import SQLITE
from tests.journeys.test_people import counted, known_customer, write


async def test_statuses_that_come_late_settle_the_ticks(journey: Journey) -> None:
    ana = journey.customer()
    await ana.writes("hola")
    await journey.faults({"kind": "late_webhook", "seconds": 1.0, "probability": 1})

    await ana.gets("echo: hola")
    before = await ana.delivery_is(state="sent")

    assert before["accepted_at"] is not None
    await ana.delivery_is(tick="read")


async def test_statuses_that_overtake_the_answer_to_the_send_settle_it(journey: Journey) -> None:
    ana = journey.customer()
    await journey.faults({"kind": "timeout_after_accept", "customer": ana.key})

    await ana.writes("hola")

    # No answer to the send will come for fifteen seconds; the statuses say enough.
    delivery = await ana.delivery_is(tick="read", state="sent")
    assert delivery["attempt"] == 1
    assert (await ana.turn_ends())["state"] == "done"
    assert await ana.received() == ["echo: hola"]


@pytest.mark.parametrize("code", [130429, 131056])
async def test_a_throttled_message_is_tried_again(journey: Journey, code: int) -> None:
    ana = journey.customer()
    await journey.faults({"kind": "error", "code": code, "customer": ana.key, "count": 1})

    await ana.writes("hola")

    delivery = await ana.delivery_is(state="sent", tick="read")
    assert delivery["attempt"] == 2
    assert await ana.received() == ["echo: hola"]


@pytest.mark.parametrize("code", [131026, 131049])
@pytest.mark.parametrize("kind", ["error", "failed_status"])
async def test_what_whatsapp_refuses_for_good_has_failed_with_its_reason(
    journey: Journey, kind: str, code: int
) -> None:
    ana = journey.customer()
    await journey.faults({"kind": kind, "code": code, "customer": ana.key, "count": 1})

    await ana.writes("hola")

    delivery = await ana.delivery_is(state="failed", tick="failed")
    assert delivery["reason"]
    turn = await ana.turn_ends()
    if kind == "error":
        assert delivery["error_code"] == code
        assert (turn["state"], turn["reason"]) == ("failed", "send_failed")
    else:
        assert str(code) in delivery["reason"]  # by then its turn may have ended well: Meta had taken the message
    assert await ana.received() == []


async def test_a_refused_token_stops_the_channel_and_after_resume_the_message_leaves(journey: Journey) -> None:
    ana = journey.customer()
    await journey.faults({"kind": "error", "code": 190, "customer": ana.key, "count": 1})
    await ana.writes("hola")
    stopped = await eventually(partial(stopped_channels, journey))

    (channel_id,) = stopped
    waiting = await ana.delivery_is(state="retry")
    assert waiting["error_code"] == 190
    await journey.post(f"/api/whatsapp/channels/{channel_id}/resume")

    await ana.gets("echo: hola")
    await ana.delivery_is(state="sent", tick="read")


async def test_a_lost_answer_is_unknown_until_a_late_status_heals_it(journey: Journey) -> None:
    ana = await known_customer(journey)
    await journey.faults({"kind": "drop_after_accept", "customer": ana.key}, {"kind": "hold_webhooks"})
    await write(journey, ana, "¿me lee?")
    await ana.delivery_is(state="unknown", tick="not_confirmed")

    await journey.faults()

    delivery = await ana.delivery_is(state="sent", tick="read")
    assert delivery["attempt"] == 1
    assert await ana.received() == ["echo: hola", "¿me lee?"]


@pytest.mark.parametrize(
    ("kind", "arrived"), [("drop_after_accept", True), ("server_error_after_accept", True), ("server_error", False)]
)
async def test_what_nobody_confirms_stays_unknown_and_is_never_sent_again(
    journey: Journey, kind: str, *, arrived: bool
) -> None:
    ana = journey.customer()
    await journey.faults({"kind": kind, "customer": ana.key}, {"kind": "lost_statuses", "customer": ana.key})

    await ana.writes("hola")

    delivery = await ana.delivery_is(state="unknown", tick="not_confirmed")
    assert delivery["attempt"] == 1
    await journey.faults()
    outbound_id = (await ana.messages("bot"))[0]["id"]
    # Somebody else's message goes the whole way meanwhile: the queue does not take this one up again.
    await known_customer(journey)
    assert await ana.received() == (["echo: hola"] if arrived else [])
    decision = "mark_sent" if arrived else "resend"
    await journey.post(f"/api/outbound/{outbound_id}/resolve", {"decision": decision})
    await ana.delivery_is(state="sent")
    await ana.gets("echo: hola")
    assert (await ana.turn_ends())["state"] == "done"


@pytest.mark.parametrize("house", [SQLITE], indirect=True)
async def test_a_time_out_after_the_request_left_is_unknown(journey: Journey) -> None:
    ana = journey.customer()
    await journey.faults(
        {"kind": "timeout_after_accept", "customer": ana.key}, {"kind": "lost_statuses", "customer": ana.key}
    )

    await ana.writes("hola")

    delivery = await ana.delivery_is(state="unknown")
    assert "timeout" in delivery["reason"]
    assert await ana.received() == ["echo: hola"]


async def test_a_connection_that_breaks_before_meta_accepts_is_unknown_too(journey: Journey) -> None:
    ana = journey.customer()
    await journey.faults({"kind": "drop_before_accept", "customer": ana.key})

    await ana.writes("hola")

    await ana.delivery_is(state="unknown")
    assert await ana.received() == []


async def test_an_answer_for_a_closed_window_expires_with_its_reason(journey: Journey, model: ModelServer) -> None:
    ana = journey.customer()
    model.latency_seconds = 0.5
    asked = model.count
    await ana.writes("hola")
    await eventually(partial(counted, model), lambda count: count > asked)
    conversation_id = (await ana.path()).rpartition("/")[2]

    yesterday = datetime.now(UTC) - timedelta(hours=25)
    await journey.change(
        sa.update(conversations).where(conversations.c.id == UUID(conversation_id)).values(last_inbound_at=yesterday)
    )

    delivery = await ana.delivery_is(state="expired", tick="failed")
    assert delivery["reason"] == "window_closed"
    turn = await ana.turn_ends()
    assert (turn["state"], turn["reason"]) == ("failed", "window_closed")
    refused = await write(journey, ana, "¿sigue ahí?")
    assert refused.status == 409
    assert b"window_closed" in refused.body
    assert await ana.received() == []


async def stopped_channels(journey: Journey) -> list[str]:
    channels = (await journey.get("/api/whatsapp/channels"))["items"]
    return [channel["id"] for channel in channels if channel["stopped_reason"] is not None]

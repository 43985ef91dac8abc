"""Two channels, one of them down: what waits leaves through the other, and the conversation comes back by itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.conversations.models import conversations
from app.core.ids import new_id
from app.outbound.models import outbound_messages
from app.whatsapp.models import channels
from tests.builders.journeys import Customer, Journey, eventually, travelling
from tests.journeys.conftest import StartHouse

o = outbound_messages.c


async def test_the_cloud_number_stands_in_for_a_phone_that_is_down_until_it_is_back(start_house: StartHouse) -> None:
    house = start_house(environ={"FAILOVER_AFTER_SECONDS": "30"})
    house.start()
    async with travelling(house) as journey:
        ana = journey.customer()
        await ana.writes("hola")
        await ana.gets("echo: hola")
        phone_id, conversation_id = await _also_writes_to_a_phone(journey, ana)

        await _goes_down(journey, phone_id, seconds_ago=60)
        away = await _colleague_writes(journey, conversation_id, "the phone is down")
        await ana.gets("echo: hola", "the phone is down")
        await eventually(lambda: _state(journey, away), lambda state: state == "sent")

        await journey.change(
            sa.update(channels).where(channels.c.id == phone_id).values(stopped_at=None, stopped_reason=None)
        )
        back = await _colleague_writes(journey, conversation_id, "for the phone alone")
        await eventually(lambda: _reason(journey, back), lambda reason: reason == "not sent: whatsapp_web_stopped")
        assert await ana.received() == ["echo: hola", "the phone is down"]
        assert await journey.rows(sa.select(o.channel_id).where(o.id == back)) == [(phone_id,)]

        await _goes_down(journey, phone_id, seconds_ago=60)
        await ana.gets("echo: hola", "the phone is down", "for the phone alone")


async def _also_writes_to_a_phone(journey: Journey, person: Customer) -> tuple[UUID, UUID]:
    """Add a linked phone whose browser is never started, and a conversation with the same person on it."""
    notice = await journey.get("/api/whatsapp/web/notice")
    added = {"name": "Phone", "consent_version": notice["version"]}
    phone_id = UUID((await journey.post("/api/whatsapp/web/sessions", added))["id"])
    conversation_id, now = new_id(), datetime.now(UTC)
    known = sa.select(conversations.c.contact_id).where(conversations.c.id == UUID((await person.path())[-36:]))
    ((contact_id,),) = await journey.rows(known)
    await journey.change(
        conversations.insert().values(
            id=conversation_id, channel_id=phone_id, contact_id=contact_id, last_message_at=now, last_inbound_at=now
        )
    )
    return phone_id, conversation_id


async def _goes_down(journey: Journey, channel_id: UUID, *, seconds_ago: float) -> None:
    stopped_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    await journey.change(
        sa.update(channels).where(channels.c.id == channel_id).values(stopped_at=stopped_at, stopped_reason="down")
    )


async def _colleague_writes(journey: Journey, conversation_id: UUID, text: str) -> UUID:
    body = {"content": {"type": "text", "body": text}}
    return UUID((await journey.post(f"/api/conversations/{conversation_id}/messages", body))["id"])


async def _state(journey: Journey, outbound_id: UUID) -> str:
    return str((await journey.rows(sa.select(o.state).where(o.id == outbound_id)))[0].state)


async def _reason(journey: Journey, outbound_id: UUID) -> str:
    return str((await journey.rows(sa.select(o.reason).where(o.id == outbound_id)))[0].reason)

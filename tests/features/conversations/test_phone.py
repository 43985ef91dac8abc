from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.contacts.models import contacts
from app.conversations.models import conversations, messages
from app.conversations.phone import receive_echo
from app.core.db import Database
from app.core.ids import new_id
from app.whatsapp.inbound import PhoneEcho
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated, rows


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def type_(database: Database, channel_id: UUID, **members: Any) -> None:
    given: dict[str, Any] = {
        "phone_number_id": "100",
        "business_account_id": "1",
        "message_id": "wamid.echo",
        "recipient_phone": "573001112233",
        "recipient_user_id": None,
        "sent_at": datetime.now(UTC),
        "kind": "text",
        "text": "A human here.",
        "key": "echo",
        "payload": b"{}",
    }
    async with database.write() as connection:
        await receive_echo(connection, channel_id, PhoneEcho(**(given | members)), event_id=new_id())


async def test_what_a_person_types_on_the_phone_is_in_the_thread_and_they_hold_it(database: Database) -> None:
    pipeline = Pipeline(database)
    contact_id = await pipeline.contact(phone="573001112233")
    conversation_id = await pipeline.conversation(
        contact_id=contact_id,
        attention="model_refused",
        last_message_at=datetime.now(UTC) - timedelta(days=1),
    )
    channel_id = (await pipeline.row(conversations, conversation_id)).channel_id
    await type_(database, channel_id)
    row = await pipeline.row(conversations, conversation_id)
    (stored,) = await rows(database, messages)
    assert (stored.author, stored.text, stored.conversation_id) == ("phone", "A human here.", conversation_id)
    assert (row.control, row.control_version, row.attention, row.unread) == ("person", 2, None, 0)
    assert datetime.now(UTC) - row.last_message_at < timedelta(minutes=5)


async def test_the_window_is_the_customers_to_open(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    await type_(database, channel_id)
    assert (await rows(database, conversations))[0].last_inbound_at is None


async def test_the_same_echo_again_changes_nothing(database: Database) -> None:
    pipeline = Pipeline(database)
    channel_id = await pipeline.channel()
    await type_(database, channel_id)
    (conversation,) = await rows(database, conversations)
    await pipeline.change(conversations, conversation.id, control="bot", control_version=9)
    await type_(database, channel_id)
    (after,) = await rows(database, conversations)
    assert (after.control, after.control_version) == ("bot", 9)
    assert len(await rows(database, messages)) == 1


async def test_an_echo_to_nobody_that_has_a_name_is_passed_over(database: Database) -> None:
    await type_(database, await Pipeline(database).channel(), recipient_phone=None)
    assert await rows(database, messages) == await rows(database, contacts) == []

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.conversations.models import conversations, messages
from app.core.db import Database
from app.core.db.events import events
from app.outbound.models import outbound_messages
from app.outbound.queue import Draft, enqueue
from app.outbound.states import State
from app.whatsapp.content import Text
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated, rows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def draft(pipeline: Pipeline, conversation_id: UUID, **members: Any) -> Draft:
    row = await pipeline.row(conversations, conversation_id)
    given = {"channel_id": row.channel_id, "contact_id": row.contact_id, "origin": "reply", "content": Text("hi")}
    return Draft(conversation_id=conversation_id, **(given | members))


async def queue(database: Database, *drafts: Draft) -> list[UUID]:
    async with database.write() as connection:
        return await enqueue(connection, drafts, now=NOW)


async def test_what_is_queued_waits_and_is_in_the_thread_under_the_same_id(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    drafts = [await draft(pipeline, conversation_id, content=Text(str(number)), part=number) for number in range(3)]
    ids = await queue(database, *drafts)
    queued = await rows(database, outbound_messages)
    assert [row.id for row in queued] == ids == sorted(ids)
    assert {(row.state, row.due_at, row.attempt) for row in queued} == {(State.PENDING, NOW, 0)}
    thread = await rows(database, messages)
    assert [(row.id, row.text, row.author) for row in thread] == [
        (i, str(n), "bot") for i, n in zip(ids, range(3), strict=True)
    ]
    assert [event.name for event in await rows(database, events)] == ["message_queued"] * 3
    assert (await pipeline.row(conversations, conversation_id)).last_message_at == NOW


async def test_nothing_to_queue_is_nothing(database: Database) -> None:
    assert await queue(database) == []


async def test_a_message_for_later_is_not_due_before(database: Database) -> None:
    pipeline, later = Pipeline(database), NOW + timedelta(days=1)
    await queue(database, await draft(pipeline, await pipeline.conversation(), scheduled_at=later))
    (row,) = await rows(database, outbound_messages)
    assert (row.scheduled_at, row.due_at) == (later, later)


async def test_a_turn_has_one_answer(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    one = await draft(pipeline, conversation_id, turn_id=await pipeline.turn(conversation_id))
    await queue(database, one)
    with pytest.raises(sa.exc.IntegrityError):
        await queue(database, one)


async def test_an_idempotency_key_makes_one_message(database: Database) -> None:
    pipeline = Pipeline(database)
    one = await draft(pipeline, await pipeline.conversation(), idempotency_key="key")
    await queue(database, one)
    with pytest.raises(sa.exc.IntegrityError):
        await queue(database, one)

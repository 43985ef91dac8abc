from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.db import Database
from app.system.backlog import DatabaseBacklog
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def test_nothing_waits_in_an_empty_house(database: Database) -> None:
    backlog = await DatabaseBacklog(database)()
    assert backlog.pending == {"inbox": 0, "turn": 0, "outbox": 0}
    assert set(backlog.oldest_age_seconds.values()) == {0.0}
    assert backlog.dead == {"webhook": 0, "turn": 0, "outbound": 0, "media": 0}
    assert (backlog.unknown, backlog.needs_operator) == (0, 0)


async def test_what_is_due_waits_since_it_was_due(database: Database) -> None:
    pipeline, now = Pipeline(database), datetime.now(UTC)
    conversation_id = await pipeline.conversation()
    for minutes in (1, 5):
        await pipeline.event(due_at=now - timedelta(minutes=minutes))
        await pipeline.outbound(conversation_id, due_at=now - timedelta(minutes=minutes))
    await pipeline.turn(conversation_id, due_at=now - timedelta(minutes=5))
    backlog = await DatabaseBacklog(database)()
    assert backlog.pending == {"inbox": 2, "turn": 1, "outbox": 2}
    assert all(295 < age < 400 for age in backlog.oldest_age_seconds.values())


async def test_what_is_for_later_or_under_way_does_not_wait(database: Database) -> None:
    pipeline, later = Pipeline(database), datetime.now(UTC) + timedelta(minutes=1)
    conversation_id = await pipeline.conversation()
    await pipeline.event(due_at=later, claims=1)
    await pipeline.event(state="done")
    await pipeline.turn(conversation_id, state="thinking", due_at=later)
    await pipeline.turn(conversation_id, state="done")
    await pipeline.outbound(conversation_id, due_at=later)
    await pipeline.outbound(conversation_id, state="processing")
    await pipeline.outbound(conversation_id, state="sent")
    assert (await DatabaseBacklog(database)()).pending == {"inbox": 0, "turn": 0, "outbox": 0}


async def test_dead_letters_are_counted_by_kind(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    await pipeline.event(state="dead")
    await pipeline.turn(conversation_id, state="failed", reason="too_many_attempts")
    await pipeline.turn(conversation_id, state="failed", reason="send_failed")
    await pipeline.file(await pipeline.message(conversation_id), state="failed")
    await pipeline.outbound(conversation_id, state="failed")
    assert (await DatabaseBacklog(database)()).dead == {"webhook": 1, "turn": 1, "outbound": 1, "media": 1}


async def test_an_unconfirmed_message_needs_a_person_after_an_hour(database: Database) -> None:
    pipeline, now = Pipeline(database), datetime.now(UTC)
    conversation_id = await pipeline.conversation()
    for minutes in (10, 90, 200):
        await pipeline.outbound(conversation_id, state="unknown", processing_at=now - timedelta(minutes=minutes))
    backlog = await DatabaseBacklog(database)()
    assert (backlog.unknown, backlog.needs_operator) == (3, 2)

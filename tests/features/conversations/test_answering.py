import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from weakref import WeakKeyDictionary

import pytest

from app.conversations import answering
from app.conversations.answering import ClaimedTurn, Ending, end, hold, last_said
from app.conversations.models import turns
from app.conversations.turns import Reason, State
from app.core.db import Database
from app.core.db.events import events
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, claim, migrated, rows
from tests.databases import PostgresDatabases

PAST = datetime(2026, 1, 1, tzinfo=UTC)
_pipelines: WeakKeyDictionary[Database, Pipeline] = WeakKeyDictionary()


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def question(database: Database, text: str = "hello", **values: object) -> UUID:
    """A due turn with one message in it, in a conversation of its own."""
    pipeline = _pipelines.setdefault(database, Pipeline(database))  # it numbers what it makes
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, **({"due_at": PAST} | values))
    await pipeline.message(conversation_id, text, turn_id=turn_id)
    return turn_id


async def extend(database: Database, *claimed: ClaimedTurn) -> set[UUID]:
    async with database.write() as connection:
        return await answering.extend(connection, {turn.id: turn.token for turn in claimed})


async def held(database: Database, *claimed: ClaimedTurn) -> set[tuple[UUID, int]]:
    async with database.write() as connection:
        return set(await hold(connection, [(turn.conversation_id, turn.id, turn.token) for turn in claimed]))


async def finish(database: Database, ending: Ending) -> None:
    async with database.write() as connection:
        await end(connection, [ending], now=await database.now(connection))


async def test_a_due_turn_is_claimed_once_with_its_questions(database: Database) -> None:
    turn_id = await question(database, "hello")
    (turn,) = await claim(database)
    assert (turn.id, turn.token, turn.claims) == (turn_id, 1, 1)
    assert [said.text for said in turn.questions] == ["hello"]
    assert await claim(database) == []


async def test_a_turn_that_is_not_due_or_has_ended_is_left_alone(database: Database) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    await question(database, due_at=later)
    for state in ("ready", "sending", "done", "superseded", "failed"):
        await question(database, state=state)
    assert await claim(database) == []


async def test_one_claim_takes_no_more_than_it_was_asked_for(database: Database) -> None:
    for _ in range(12):
        await question(database)
    first, second = await claim(database, 3), await claim(database, 100)
    assert (len(first), len(second)) == (3, 9)


async def test_who_has_waited_longest_comes_first(database: Database) -> None:
    later = await question(database, due_at=PAST + timedelta(hours=1))
    sooner = await question(database, due_at=PAST)
    assert [turn.id for turn in await claim(database, 1) + await claim(database, 1)] == [sooner, later]


async def test_questions_are_ordered_by_the_providers_clock_and_history_by_arrival(database: Database) -> None:
    pipeline, now = Pipeline(database), datetime.now(UTC)
    conversation_id = await pipeline.conversation()
    await pipeline.message(conversation_id, "before")
    await pipeline.outbound(conversation_id)
    turn_id = await pipeline.turn(conversation_id, due_at=PAST)
    await pipeline.message(conversation_id, "second", turn_id=turn_id, sent_at=now)
    await pipeline.message(conversation_id, "first", turn_id=turn_id, sent_at=now - timedelta(seconds=5))
    (turn,) = await claim(database)
    assert [said.text for said in turn.questions] == ["first", "second"]
    assert [(said.author, said.text) for said in turn.history] == [("customer", "before"), ("bot", "At nine.")]


async def test_history_is_the_last_messages_of_the_same_conversation(database: Database) -> None:
    pipeline = Pipeline(database)
    for _ in range(2):
        conversation_id = await pipeline.conversation()
        for number in range(25):
            await pipeline.message(conversation_id, str(number))
        turn_id = await pipeline.turn(conversation_id, due_at=PAST)
        await pipeline.message(conversation_id, "now", turn_id=turn_id)
    for turn in await claim(database):
        assert [said.text for said in turn.history] == [str(number) for number in range(6, 25)]


async def test_what_waits_for_the_next_turn_is_not_answered_with_this_one(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    await pipeline.message(conversation_id, "before")
    turn_id = await pipeline.turn(conversation_id, state="thinking", due_at=PAST)
    await pipeline.message(conversation_id, "now", turn_id=turn_id)
    await pipeline.message(conversation_id, "next", awaits_turn=1)
    (turn,) = await claim(database)
    assert [said.text for said in turn.history] == ["before"]
    async with database.read() as connection:
        assert [said.text for said in await last_said(connection, conversation_id)] == ["before", "now", "next"]


async def test_a_picture_can_be_seen_and_another_file_cannot(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, due_at=PAST)
    for kind in ("image", "audio"):
        message_id = await pipeline.message(conversation_id, "", kind=kind, turn_id=turn_id)
        await pipeline.file(message_id, kind=kind, state="stored", stored_name=f"{kind}.bin")
    (turn,) = await claim(database)
    assert [said.picture for said in turn.questions] == ["image.bin", None]


async def test_a_turn_whose_claimer_died_comes_again_with_the_next_token(database: Database) -> None:
    turn_id = await question(database)
    (dead,) = await claim(database)
    await Pipeline(database).change(turns, turn_id, due_at=PAST)
    (alive,) = await claim(database)
    assert (alive.token, alive.claims) == (2, 2)
    assert await held(database, dead) == set()
    assert await held(database, dead, alive) == {(turn_id, 2)}
    assert await held(database, alive, dead) == {(turn_id, 2)}
    assert await extend(database, dead) == set()
    assert await extend(database, alive) == {turn_id}


async def test_a_lease_that_is_renewed_is_not_claimed_by_another(database: Database) -> None:
    turn_id = await question(database)
    (turn,) = await claim(database)
    await Pipeline(database).change(turns, turn_id, due_at=PAST)
    assert await extend(database, turn) == {turn_id}
    assert await claim(database) == []


async def test_a_turn_that_was_replaced_is_neither_held_nor_renewed(database: Database) -> None:
    turn_id = await question(database)
    (turn,) = await claim(database)
    await Pipeline(database).change(turns, turn_id, state="superseded")
    assert await held(database, turn) == set()
    assert await extend(database, turn) == set()


async def test_an_ending_has_its_reason_and_is_told_once(database: Database) -> None:
    turn_id = await question(database)
    (turn,) = await claim(database)
    await finish(database, Ending(turn_id, turn.conversation_id, State.IGNORED, Reason.PAUSED))
    row = await Pipeline(database).row(turns, turn_id)
    assert (row.state, row.reason, row.claims) == (State.IGNORED, Reason.PAUSED, 0)
    assert row.ended_at is not None
    assert [event.name for event in await rows(database, events)] == ["turn_ended"]


async def test_a_turn_that_shall_be_tried_again_waits_and_counts(database: Database) -> None:
    turn_id = await question(database)
    (turn,) = await claim(database)
    again_at = datetime.now(UTC) + timedelta(seconds=30)
    await finish(database, Ending(turn_id, turn.conversation_id, State.COLLECTING, again_at=again_at))
    row = await Pipeline(database).row(turns, turn_id)
    assert (row.state, row.failures, row.due_at, row.ended_at) == (State.COLLECTING, 1, again_at, None)
    assert await rows(database, events) == []
    assert await claim(database) == []


async def test_two_processes_never_hold_the_same_turn_and_conversations_keep_their_order(
    postgres_template: PostgresDatabases,
) -> None:
    """200 turns of 20 conversations, 12 claimers in 2 processes."""
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            pipeline = Pipeline(one)
            channel_id = await pipeline.channel()
            order: dict[UUID, list[UUID]] = {}
            for _ in range(20):
                conversation_id = await pipeline.conversation(channel_id=channel_id)
                order[conversation_id] = [await pipeline.turn(conversation_id, due_at=PAST)]
            running: set[UUID] = set()
            done: dict[UUID, list[UUID]] = {conversation_id: [] for conversation_id in order}

            async def answer(database: Database) -> None:
                while sum(map(len, done.values())) < 200:
                    for turn in await claim(database, 3):
                        assert turn.conversation_id not in running, "two at once in one conversation"
                        running.add(turn.conversation_id)
                        await asyncio.sleep(0)
                        running.discard(turn.conversation_id)
                        done[turn.conversation_id].append(turn.id)
                        await finish(database, Ending(turn.id, turn.conversation_id, State.DONE))
                        if len(order[turn.conversation_id]) < 10:
                            order[turn.conversation_id].append(
                                await Pipeline(database).turn(turn.conversation_id, due_at=PAST)
                            )

            async with asyncio.timeout(60):
                await asyncio.gather(*(answer(database) for database in (one, other) for _ in range(6)))
    assert done == order

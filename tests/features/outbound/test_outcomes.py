from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.conversations.models import conversations, turns
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.db.events import events
from app.core.ids import new_id
from app.outbound.leaving import Leaving, start
from app.outbound.models import delivery_statuses, outbound_messages
from app.outbound.outcomes import Outcome, save
from app.outbound.states import State
from app.outbound.statuses import record_statuses, tracker
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated, rows, told


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def leaving(database: Database, count: int = 1, pipeline: Pipeline | None = None) -> list[Leaving]:
    """Messages that are being sent, each the only part of its turn."""
    pipeline = pipeline or Pipeline(database)
    channel_id = await pipeline.channel(messages_per_second=1000)
    for _ in range(count):
        conversation_id = await pipeline.conversation(channel_id=channel_id)
        turn_id = await pipeline.turn(conversation_id, state="ready")
        await pipeline.outbound(conversation_id, turn_id=turn_id)
    async with database.write() as connection:
        return await start(connection, LocalPacer(), count, now=await database.now(connection))


async def write(database: Database, *outcomes: Outcome) -> list[bool]:
    async with database.write() as connection:
        return await save(connection, outcomes, now=await database.now(connection))


async def tell(database: Database, *statuses: Any) -> int:
    async with database.write() as connection:
        return await record_statuses(connection, statuses, now=await database.now(connection))


async def test_an_accepted_message_is_sent_and_ends_its_turn(database: Database) -> None:
    (one,) = await leaving(database)
    assert await write(database, Outcome(one, State.SENT, wamid="wamid.out")) == [True]
    (row,), (turn,) = await rows(database, outbound_messages), await rows(database, turns)
    assert (row.state, row.wamid, row.failed_at) == (State.SENT, "wamid.out", None)
    assert row.accepted_at is not None
    assert turn.state == TurnState.DONE


async def test_many_outcomes_are_written_together_and_none_at_all_too(database: Database) -> None:
    flying = await leaving(database, 30)
    outcomes = [Outcome(one, State.SENT, wamid=f"wamid.{one.id}") for one in flying]
    assert await write(database, *outcomes) == [True] * 30
    assert await write(database) == []
    assert {row.state for row in await rows(database, outbound_messages)} == {State.SENT}


async def test_a_message_that_is_not_confirmed_leaves_its_turn_open(database: Database) -> None:
    (one,) = await leaving(database)
    await write(database, Outcome(one, State.UNKNOWN, reason="timeout"))
    assert (await rows(database, turns))[0].state == TurnState.SENDING
    assert (await rows(database, outbound_messages))[0].state == State.UNKNOWN


async def test_a_retry_waits_as_long_as_it_says(database: Database) -> None:
    (one,) = await leaving(database)
    await write(database, Outcome(one, State.RETRY, reason="too fast", error_code=130429, retry_seconds=60))
    (row,) = await rows(database, outbound_messages)
    assert (row.state, row.error_code) == (State.RETRY, 130429)
    assert timedelta(seconds=50) < row.due_at - datetime.now(UTC) <= timedelta(seconds=61)
    assert (await rows(database, turns))[0].state == TurnState.SENDING


async def test_an_attempt_that_is_not_the_current_one_changes_nothing(database: Database) -> None:
    (one,) = await leaving(database)
    await Pipeline(database).change(outbound_messages, one.id, attempt_id=new_id())
    assert await write(database, Outcome(one, State.FAILED)) == [False]
    assert (await rows(database, outbound_messages))[0].state == State.PROCESSING


async def test_a_definite_result_settles_a_message_that_was_parked_meanwhile(database: Database) -> None:
    (one,) = await leaving(database)
    await Pipeline(database).change(outbound_messages, one.id, state="unknown")
    assert await write(database, Outcome(one, State.SENT, wamid="wamid.out")) == [True]
    assert (await rows(database, outbound_messages))[0].state == State.SENT
    assert (await rows(database, turns))[0].state == TurnState.DONE


@pytest.mark.parametrize(
    ("later", "then"),
    [("pending", State.RETRY), ("superseded", State.RETRY), ("sent", State.FAILED), ("unknown", State.FAILED)],
)
async def test_a_parked_message_is_tried_again_only_while_nothing_behind_it_has_left(
    database: Database, later: str, then: State
) -> None:
    (one,) = await leaving(database)
    pipeline = Pipeline(database)
    await pipeline.change(outbound_messages, one.id, state="unknown")
    await pipeline.outbound(one.conversation_id, state=later)
    await write(database, Outcome(one, State.RETRY, reason="this process was paused", retry_seconds=0))
    row = await pipeline.row(outbound_messages, one.id)
    (turn,) = await rows(database, turns)
    assert row.state == then
    assert turn.state == (TurnState.FAILED if then is State.FAILED else TurnState.SENDING)


async def test_the_same_outcome_written_again_after_a_lost_answer_changes_no_state(database: Database) -> None:
    pipeline = Pipeline(database)
    for state, again in ((State.SENT, True), (State.FAILED, False), (State.RETRY, False)):
        (one,) = await leaving(database, pipeline=pipeline)
        outcome = Outcome(one, state, wamid=f"wamid.{state}", retry_seconds=99)
        await write(database, outcome)
        assert await write(database, outcome) == [again]
        assert (await pipeline.row(outbound_messages, one.id)).state == state


async def test_a_status_that_overtakes_our_own_commit_ends_the_turn_and_our_commit_adds_to_it(
    database: Database,
) -> None:
    (one,) = await leaving(database)
    status = told(one.channel_id, "delivered", wamid="wamid.out", tracker=tracker(one.attempt_id))
    assert await tell(database, status) == 1
    (row,) = await rows(database, outbound_messages)
    assert (row.state, row.wamid) == (State.SENT, "wamid.out")
    assert (await rows(database, turns))[0].state == TurnState.DONE
    assert await write(database, Outcome(one, State.SENT, wamid="wamid.out")) == [True]
    (row,) = await rows(database, outbound_messages)
    assert row.accepted_at is not None
    assert row.delivered_at is not None
    assert [event.name for event in await rows(database, events)].count("turn_ended") == 1


async def test_a_failure_that_overtakes_our_own_commit_is_not_covered_up_by_it(database: Database) -> None:
    (one,) = await leaving(database)
    await tell(database, told(one.channel_id, "failed", wamid="wamid.out", tracker=tracker(one.attempt_id)))
    assert await write(database, Outcome(one, State.SENT, wamid="wamid.out")) == [False]
    assert (await rows(database, outbound_messages))[0].state == State.FAILED


async def test_a_status_without_our_mark_that_comes_first_is_adopted_by_its_wamid(database: Database) -> None:
    (one,) = await leaving(database)
    assert await tell(database, told(one.channel_id, "failed", wamid="wamid.out")) == 1
    assert (await rows(database, delivery_statuses))[0].outbound_id is None
    await write(database, Outcome(one, State.SENT, wamid="wamid.out"))
    (status,) = await rows(database, delivery_statuses)
    assert status.outbound_id == one.id
    assert (await rows(database, outbound_messages))[0].state == State.FAILED
    assert (await rows(database, turns))[0].state == TurnState.FAILED


async def test_a_status_of_another_channel_is_not_adopted(database: Database) -> None:
    (one,) = await leaving(database)
    other = await Pipeline(database).channel(phone_number_id="other")
    await tell(database, told(other, "failed", wamid="wamid.out"))
    await write(database, Outcome(one, State.SENT, wamid="wamid.out"))
    assert (await rows(database, outbound_messages))[0].state == State.SENT
    assert (await rows(database, delivery_statuses))[0].outbound_id is None


async def test_a_refused_channel_is_stopped_once_and_its_messages_wait(database: Database) -> None:
    flying = await leaving(database, 3)
    refused = [Outcome(one, State.RETRY, reason="token", error_code=190, stop_channel=True) for one in flying]
    await write(database, *refused)
    (channel,) = await rows(database, channels)
    assert channel.stopped_reason == "token"
    assert {row.state for row in await rows(database, outbound_messages)} == {State.RETRY}
    assert [event.name for event in await rows(database, events)].count("channel_stopped") == 1


@pytest.mark.parametrize(
    ("state", "reason"), [(State.FAILED, "send_failed"), (State.SENT, None), (State.UNKNOWN, None)]
)
async def test_an_attempt_that_fails_for_good_calls_for_a_person(
    database: Database, state: State, reason: str | None
) -> None:
    (one,) = await leaving(database)
    await write(database, Outcome(one, state))
    (conversation,) = await rows(database, conversations)
    assert conversation.attention == reason

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations.models import turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.db.events import events
from app.outbound.models import outbound_messages
from app.outbound.settle import settle_turns, verdict
from app.outbound.states import FINAL, State
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases

states = st.sampled_from(list(State))


@given(parts=st.lists(states))
def test_a_turn_ends_when_each_of_its_parts_has_ended(parts: list[State]) -> None:
    ends = verdict(parts)
    assert (ends is not None) == (bool(parts) and set(parts) <= FINAL)
    if ends is not None:
        state, reason = ends
        assert (state is TurnState.DONE) == (State.SENT in parts and State.FAILED not in parts)
        assert (reason is None) == (state is TurnState.DONE), "a silence without a reason"
        assert (state is TurnState.FAILED) <= (State.FAILED in parts or State.EXPIRED in parts)


@given(parts=st.lists(states, min_size=1), data=st.data())
def test_the_order_and_the_number_of_the_parts_do_not_matter(parts: list[State], data: st.DataObject) -> None:
    assert verdict(data.draw(st.permutations(parts))) == verdict(parts) == verdict([*parts, *parts])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([State.SENT, State.SENT], (TurnState.DONE, None)),
        ([State.SENT, State.FAILED], (TurnState.FAILED, Reason.SEND_FAILED)),
        ([State.EXPIRED], (TurnState.FAILED, Reason.WINDOW_CLOSED)),
        ([State.CANCELLED], (TurnState.IGNORED, Reason.CANCELLED)),
        ([State.SUPERSEDED, State.SUPERSEDED], (TurnState.IGNORED, Reason.HELD_BY_PERSON)),
        ([State.SENT, State.UNKNOWN], None),
        ([State.SENT, State.RETRY], None),
        ([], None),
    ],
)
def test_how_a_turn_ends(parts: list[State], expected: tuple[TurnState, Reason | None] | None) -> None:
    assert verdict(parts) == expected


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def test_a_turn_that_has_ended_stays_as_it_is(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, state="done")
    await pipeline.outbound(conversation_id, turn_id=turn_id, state="failed")
    async with database.write() as connection:
        await settle_turns(connection, [turn_id], now=datetime.now(UTC))
        await settle_turns(connection, [], now=datetime.now(UTC))
    assert (await pipeline.row(turns, turn_id)).state == TurnState.DONE
    assert await rows(database, events) == []


async def test_two_processes_that_end_the_last_two_parts_at_once_end_the_turn(
    postgres_template: PostgresDatabases,
) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as database:
            pipeline = Pipeline(database)
            conversation_id = await pipeline.conversation()
            turn_id = await pipeline.turn(conversation_id, state="sending")
            parts = [
                await pipeline.outbound(conversation_id, turn_id=turn_id, part=part, state="processing")
                for part in range(2)
            ]
            both_have_written = asyncio.Barrier(2)

            async def end_part(part: int) -> None:
                o = outbound_messages
                async with database.write() as connection:
                    await connection.execute(o.update().where(o.c.id == parts[part]).values(state="sent"))
                    await both_have_written.wait()
                    await settle_turns(connection, [turn_id], now=datetime.now(UTC))

            await asyncio.gather(end_part(0), end_part(1))
            assert (await pipeline.row(turns, turn_id)).state == TurnState.DONE
            assert [event.name for event in await rows(database, events)] == ["turn_ended"]

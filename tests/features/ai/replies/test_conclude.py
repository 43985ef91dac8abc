from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.ai.llm.attempts import Attempt
from app.ai.llm.models import model_calls
from app.ai.replies.conclude import Again, Answer, Conclusion, Decision, GiveUp, HandOver, Silence, conclude
from app.conversations.answering import ClaimedTurn
from app.conversations.control import give_to
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Pace, Reason, State
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.models import outbound_messages
from app.whatsapp.content import Text
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, claim, migrated, rows

PAST = datetime(2026, 1, 1, tzinfo=UTC)
PACE = Pace(quiet_seconds=0, max_wait_seconds=0)
LATER = Again(0, Text("We will answer later."))


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def asked(database: Database, pipeline: Pipeline | None = None) -> ClaimedTurn:
    """A turn with one question, in the hands of the assistant."""
    pipeline = pipeline or Pipeline(database)
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, due_at=PAST, event_id=new_id())
    await pipeline.message(conversation_id, turn_id=turn_id)
    (turn,) = await claim(database)
    return turn


async def again(database: Database, turn: ClaimedTurn) -> ClaimedTurn:
    await Pipeline(database).change(turns, turn.id, due_at=PAST)
    (claimed,) = await claim(database)
    return claimed


async def decide(database: Database, *decided: tuple[ClaimedTurn, Decision], attempts: Any = ()) -> list[bool]:
    async with database.write() as connection:
        now = await database.now(connection)
        return await conclude(connection, [Conclusion(t, d, attempts) for t, d in decided], now=now, pace=PACE)


async def turn_of(database: Database, turn: ClaimedTurn) -> Any:
    return await Pipeline(database).row(turns, turn.id)


async def conversation_of(database: Database, turn: ClaimedTurn) -> Any:
    return await Pipeline(database).row(conversations, turn.conversation_id)


async def queued(database: Database) -> list[tuple[str, UUID | None, int]]:
    return [(row.origin, row.turn_id, row.part) for row in await rows(database, outbound_messages)]


async def test_an_answer_is_queued_in_parts_and_its_turn_is_ready(database: Database) -> None:
    turn = await asked(database)
    assert await decide(database, (turn, Answer((Text("one"), Text("two"))))) == [True]
    assert await queued(database) == [("reply", turn.id, 0), ("reply", turn.id, 1)]
    row = await turn_of(database, turn)
    assert (row.state, row.ended_at) == (State.READY, None)
    assert row.answered_at is not None
    assert {(r.event_id, r.control_version) for r in await rows(database, outbound_messages)} == {(turn.event_id, 1)}


async def test_nothing_concluded_is_nothing(database: Database) -> None:
    assert await decide(database) == []


async def test_a_silence_has_its_reason(database: Database) -> None:
    turn = await asked(database)
    await decide(database, (turn, Silence(Reason.PAUSED)))
    row = await turn_of(database, turn)
    assert (row.state, row.reason) == (State.IGNORED, Reason.PAUSED)
    assert await queued(database) == []


async def test_an_answer_made_before_a_person_took_over_is_not_queued(database: Database) -> None:
    turn = await asked(database)
    async with database.write() as connection:
        await give_to(connection, turn.conversation_id, "person", user_id=new_id())
    assert await decide(database, (turn, Answer((Text("one"),)))) == [True]
    assert await queued(database) == []
    assert (await turn_of(database, turn)).reason == Reason.HELD_BY_PERSON


async def test_a_turn_that_was_lost_is_not_concluded_but_its_calls_are_kept(database: Database) -> None:
    turn = await asked(database)
    attempt = Attempt(route_id="a", provider="p", model="m", outcome="answered", cost_usd=Decimal("0.000123"))
    await Pipeline(database).change(turns, turn.id, state="superseded")
    assert await decide(database, (turn, Answer((Text("one"),))), attempts=(attempt,)) == [False]
    assert await queued(database) == []
    (call,) = await rows(database, model_calls)
    assert (call.turn_id, call.cost_usd) == (turn.id, Decimal("0.000123"))


async def test_of_two_claims_of_a_turn_in_one_group_only_the_last_counts(database: Database) -> None:
    """The older one is silent: were it taken, the answer would be thrown away and nobody would say anything."""
    old = await asked(database)
    new = await again(database, old)
    assert await decide(database, (new, Answer((Text("one"),))), (old, Silence(Reason.PAUSED))) == [True, False]
    assert (await turn_of(database, new)).state == State.READY
    assert await queued(database) == [("reply", new.id, 0)]


async def test_the_same_conclusion_again_after_a_lost_answer_changes_nothing(database: Database) -> None:
    turn = await asked(database)
    answer = Answer((Text("one"),))
    assert await decide(database, (turn, answer)) == [True]
    assert await decide(database, (turn, answer)) == [False]
    assert await queued(database) == [("reply", turn.id, 0)]


async def test_one_fallback_text_in_an_outage_however_long_and_however_many_turns(database: Database) -> None:
    turn = await asked(database)
    for _ in range(4):
        await decide(database, (turn, LATER))
        turn = await again(database, turn)
    assert await queued(database) == [("fallback", None, 0)]
    row = await conversation_of(database, turn)
    assert row.attention == Reason.MODELS_UNAVAILABLE
    assert (await turn_of(database, turn)).failures == 4


async def test_after_an_answer_the_next_outage_is_told_again_and_nobody_need_look(database: Database) -> None:
    pipeline = Pipeline(database)
    turn = await asked(database, pipeline)
    await decide(database, (turn, LATER))
    turn = await again(database, turn)
    await decide(database, (turn, Answer((Text("one"),))))
    row = await conversation_of(database, turn)
    assert (row.attention, row.fallback_at) == (None, None)
    await pipeline.turn(turn.conversation_id, due_at=PAST)
    (next_turn,) = await claim(database)
    await decide(database, (next_turn, LATER))
    assert [origin for origin, *_ in await queued(database)] == ["fallback", "reply", "fallback"]


async def test_a_turn_that_is_tried_again_waits(database: Database) -> None:
    turn = await asked(database)
    await decide(database, (turn, Again(30, Text("later"))))
    row = await turn_of(database, turn)
    assert (row.state, row.claims) == (State.COLLECTING, 0)
    assert row.due_at > datetime.now(UTC) + timedelta(seconds=20)


async def test_a_hand_over_says_so_and_leaves_under_the_new_version(database: Database) -> None:
    turn = await asked(database)
    await decide(database, (turn, HandOver(Reason.MODEL_REFUSED, Text("a person will"))))
    row = await conversation_of(database, turn)
    assert (row.control, row.attention, row.control_version) == ("nobody", Reason.MODEL_REFUSED, 2)
    (sent,) = await rows(database, outbound_messages)
    assert (sent.origin, sent.control_version, sent.turn_id) == ("fallback", 2, None)
    assert (await turn_of(database, turn)).state == State.HANDED_OFF


async def test_a_turn_that_is_given_up_calls_for_a_person(database: Database) -> None:
    turn = await asked(database)
    await decide(database, (turn, GiveUp(Reason.TOO_MANY_ATTEMPTS)))
    assert (await turn_of(database, turn)).state == State.FAILED
    assert (await conversation_of(database, turn)).attention == Reason.TOO_MANY_ATTEMPTS


@pytest.mark.parametrize("decision", [Answer((Text("one"),)), Silence(Reason.PAUSED), GiveUp(Reason.TOO_MANY_ATTEMPTS)])
async def test_what_waited_for_the_end_of_a_turn_gets_the_next_one(database: Database, decision: Decision) -> None:
    pipeline = Pipeline(database)
    turn = await asked(database, pipeline)
    await pipeline.change(turns, turn.id, restarts=2)
    waiting = await pipeline.message(turn.conversation_id, awaits_turn=1)
    await decide(database, (turn, decision))
    row = await pipeline.row(messages, waiting)
    assert row.awaits_turn == 0
    assert (await pipeline.row(turns, row.turn_id)).state == State.COLLECTING
    assert row.turn_id != turn.id


async def test_many_conclusions_are_one_unit_of_work(database: Database) -> None:
    pipeline = Pipeline(database)
    for _ in range(30):
        conversation_id = await pipeline.conversation()
        await pipeline.turn(conversation_id, due_at=PAST)
    claimed = await claim(database, 100)
    assert await decide(database, *((turn, Answer((Text("hi"),))) for turn in claimed)) == [True] * 30
    assert len(await queued(database)) == 30

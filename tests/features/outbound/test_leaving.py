import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversations.control import give_to
from app.conversations.models import conversations, turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.db.events import events
from app.core.ids import new_id
from app.outbound.leaving import Leaving, judge, start, sweep
from app.outbound.models import outbound_messages
from app.outbound.states import State
from app.whatsapp.content import Content, Template, Text
from app.whatsapp.identifiers import Recipient
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAST = datetime(2026, 1, 1, tzinfo=UTC)
CONTENTS: dict[str, Content] = {"text": Text("hi"), "template": Template(name="hello", language="es")}

hours = st.none() | st.floats(-48, 48, allow_nan=False).map(lambda offset: NOW + timedelta(hours=offset))


@given(
    kind=st.sampled_from(sorted(CONTENTS)),
    turn_state=st.none() | st.sampled_from(list(TurnState)),
    versions=st.tuples(st.none() | st.integers(1, 3), st.integers(1, 3)),
    last_inbound_at=hours,
    scheduled_at=hours.filter(lambda at: at is not None),
    channel_kind=st.sampled_from(["cloud", "web"]),
)
def test_a_message_leaves_when_its_turn_its_holder_and_the_window_allow(
    kind: str,
    turn_state: TurnState | None,
    versions: tuple[int | None, int],
    last_inbound_at: datetime | None,
    scheduled_at: datetime,
    channel_kind: str,
) -> None:
    row = SimpleNamespace(
        channel_kind=channel_kind,
        turn_id=None if turn_state is None else new_id(),
        turn_state=turn_state,
        control_version=versions[0],
        current_version=versions[1],
        last_inbound_at=last_inbound_at,
        scheduled_at=scheduled_at,
    )
    verdict = judge(row, CONTENTS[kind], NOW)
    turn_allows = turn_state in (None, TurnState.READY, TurnState.SENDING)
    holder_allows = versions[0] in (None, versions[1])
    window_open = last_inbound_at is not None and NOW - last_inbound_at < timedelta(hours=24)
    window_open = window_open or (channel_kind == "web" and turn_state is None)
    in_time = NOW - scheduled_at <= timedelta(hours=24) if kind == "template" else window_open
    assert (verdict is None) == (turn_allows and holder_allows and in_time)
    if verdict is not None:
        assert verdict.reason is not None
        assert verdict.due_at is None
        assert verdict.state is (State.EXPIRED if turn_allows and holder_allows else State.SUPERSEDED)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def leave(database: Database, limit: int = 100, pacer: LocalPacer | None = None) -> list[Leaving]:
    async with database.write() as connection:
        now = await database.now(connection)
        return await start(connection, pacer or LocalPacer(), limit, now=now)


async def park(database: Database) -> list[UUID]:
    async with database.write() as connection:
        return await sweep(connection)


async def test_what_leaves_is_processing_before_anybody_sends_it(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, state="ready")
    outbound_id = await pipeline.outbound(conversation_id, turn_id=turn_id, control_version=1)
    (leaving,) = await leave(database)
    row = await pipeline.row(outbound_messages, outbound_id)
    assert (row.state, row.attempt, row.attempt_id) == (State.PROCESSING, 1, leaving.attempt_id)
    assert row.due_at - row.processing_at == timedelta(seconds=30)
    assert (await pipeline.row(turns, turn_id)).state == TurnState.SENDING
    assert await leave(database) == []


async def test_what_a_colleague_wrote_goes_to_the_customer_s_id_where_the_phone_is_hidden(database: Database) -> None:
    pipeline = Pipeline(database)
    contact_id = await pipeline.contact(phone=None, user_id="CO.12345")
    conversation_id = await pipeline.conversation(contact_id=contact_id)
    await pipeline.outbound(conversation_id, origin="person", user_id=new_id())

    (leaving,) = await leave(database)

    assert leaving.recipient == Recipient(None, "CO.12345")


async def test_nothing_due_is_nothing(database: Database) -> None:
    assert await leave(database) == []


async def test_one_claim_takes_no_more_than_it_was_asked_for(database: Database) -> None:
    pipeline = Pipeline(database)
    for _ in range(7):
        await pipeline.outbound(await pipeline.conversation())
    assert [len(await leave(database, 3)) for _ in range(3)] == [3, 3, 1]


async def test_the_parts_of_an_answer_leave_one_after_the_other(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    first, second = [await pipeline.outbound(conversation_id, part=part) for part in range(2)]
    assert [one.id for one in await leave(database)] == [first]
    await pipeline.change(outbound_messages, first, state="retry", due_at=datetime.now(UTC) + timedelta(minutes=1))
    assert await leave(database) == []
    await pipeline.change(outbound_messages, first, state="sent")
    assert [one.id for one in await leave(database)] == [second]


async def test_an_unconfirmed_message_does_not_hold_up_the_next(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    await pipeline.outbound(conversation_id, state="unknown")
    second = await pipeline.outbound(conversation_id)
    assert [one.id for one in await leave(database)] == [second]


async def test_a_message_for_later_holds_up_nobody_and_waits_for_who_is_on_its_way(database: Database) -> None:
    pipeline, now = Pipeline(database), datetime.now(UTC)
    conversation_id = await pipeline.conversation()
    later = now + timedelta(hours=1)
    scheduled = await pipeline.outbound(conversation_id, scheduled_at=later, due_at=later)
    reply = await pipeline.outbound(conversation_id)
    assert [one.id for one in await leave(database)] == [reply]
    await pipeline.change(outbound_messages, scheduled, scheduled_at=PAST, due_at=PAST)
    assert await leave(database) == []
    await pipeline.change(outbound_messages, reply, state="sent")
    assert [one.id for one in await leave(database)] == [scheduled]


async def test_who_is_more_important_leaves_first_and_then_who_has_waited_longest(database: Database) -> None:
    pipeline = Pipeline(database)
    newest, oldest, important = [
        await pipeline.outbound(await pipeline.conversation(), priority=priority, due_at=PAST + timedelta(hours=hours))
        for priority, hours in ((0, 5), (0, 1), (9, 9))
    ]
    assert [(await leave(database, 1))[0].id for _ in range(3)] == [important, oldest, newest]


async def test_an_answer_that_a_newer_message_has_replaced_does_not_leave_and_does_not_hold_up(
    database: Database,
) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    replaced = await pipeline.turn(conversation_id, state="superseded")
    old = [await pipeline.outbound(conversation_id, turn_id=replaced, part=part) for part in range(3)]
    turn_id = await pipeline.turn(conversation_id, state="ready")
    new = await pipeline.outbound(conversation_id, turn_id=turn_id)
    assert [one.id for one in await leave(database)] == [new]
    assert {(await pipeline.row(outbound_messages, one)).state for one in old} == {State.SUPERSEDED}


async def test_an_answer_whose_conversation_was_taken_over_ends_its_turn(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation(control="person", control_version=2)
    turn_id = await pipeline.turn(conversation_id, state="ready")
    await pipeline.outbound(conversation_id, turn_id=turn_id, control_version=1)
    own = await pipeline.outbound(conversation_id, origin="person")
    assert [one.id for one in await leave(database)] == [own]
    turn = await pipeline.row(turns, turn_id)
    assert (turn.state, turn.reason) == (TurnState.IGNORED, Reason.HELD_BY_PERSON)


async def test_an_answer_after_the_window_has_closed_expires_and_says_so(database: Database) -> None:
    pipeline = Pipeline(database)
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    conversation_id = await pipeline.conversation(last_inbound_at=yesterday)
    turn_id = await pipeline.turn(conversation_id, state="ready")
    outbound_id = await pipeline.outbound(conversation_id, turn_id=turn_id)
    assert await leave(database) == []
    row = await pipeline.row(outbound_messages, outbound_id)
    assert (row.state, row.reason) == (State.EXPIRED, Reason.WINDOW_CLOSED)
    assert (await pipeline.row(turns, turn_id)).reason == Reason.WINDOW_CLOSED


async def test_a_stopped_channel_keeps_its_messages_and_holds_up_no_other(database: Database) -> None:
    pipeline = Pipeline(database)
    stopped = await pipeline.channel(stopped_at=PAST, stopped_reason="190")
    waiting = await pipeline.outbound(await pipeline.conversation(channel_id=stopped))
    other = await pipeline.outbound(await pipeline.conversation())
    assert [one.id for one in await leave(database)] == [other]
    assert (await pipeline.row(outbound_messages, waiting)).state == State.PENDING
    await pipeline.change(channels, stopped, stopped_at=None)
    assert [one.id for one in await leave(database)] == [waiting]


async def test_what_would_be_too_fast_waits_and_keeps_its_state(database: Database) -> None:
    pipeline, pacer = Pipeline(database), LocalPacer(lambda: 1000.0)
    channel_id = await pipeline.channel(messages_per_second=2)
    for _ in range(4):
        await pipeline.outbound(await pipeline.conversation(channel_id=channel_id))
    assert len(await leave(database, pacer=pacer)) == 2
    waiting = await rows(database, outbound_messages, outbound_messages.c.state == State.PENDING)
    assert len(waiting) == 2
    assert all(row.due_at > datetime.now(UTC) for row in waiting)


async def test_a_message_that_nobody_can_read_fails_alone(database: Database) -> None:
    pipeline = Pipeline(database)
    broken = await pipeline.outbound(await pipeline.conversation(), content=None)
    await pipeline.change(outbound_messages, broken, content='{"type":"hologram"}')
    whole = await pipeline.outbound(await pipeline.conversation())
    assert [one.id for one in await leave(database)] == [whole]
    row = await pipeline.row(outbound_messages, broken)
    assert (row.state, row.reason) == (State.FAILED, Reason.SEND_FAILED)


async def test_a_message_whose_sender_died_is_parked_once_and_never_sent_again(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    outbound_id = await pipeline.outbound(conversation_id)
    await leave(database)
    assert await park(database) == []
    await pipeline.change(outbound_messages, outbound_id, due_at=PAST)
    assert await leave(database) == []
    assert await park(database) == [outbound_id]
    assert await park(database) == []
    assert await leave(database) == []
    assert (await pipeline.row(outbound_messages, outbound_id)).state == State.UNKNOWN
    assert [event.name for event in await rows(database, events)] == ["delivery_changed"]


async def test_processes_never_start_the_same_message_and_keep_each_conversations_order(
    postgres_template: PostgresDatabases,
) -> None:
    """200 messages of 20 conversations, 12 senders in 2 processes."""
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            pipeline = Pipeline(one)
            channel_id = await pipeline.channel(messages_per_second=100_000)
            order: dict[UUID, list[UUID]] = {}
            for _ in range(20):
                conversation_id = await pipeline.conversation(channel_id=channel_id)
                order[conversation_id] = [await pipeline.outbound(conversation_id, part=n) for n in range(10)]
            sent: dict[UUID, list[UUID]] = {conversation_id: [] for conversation_id in order}
            running: set[UUID] = set()

            async def deliver(database: Database) -> None:
                pacer = LocalPacer()
                while sum(map(len, sent.values())) < 200:
                    for leaving in await leave(database, 4, pacer):
                        assert leaving.conversation_id not in running, "two at once in one conversation"
                        running.add(leaving.conversation_id)
                        sent[leaving.conversation_id].append(leaving.id)
                        running.discard(leaving.conversation_id)
                        await Pipeline(database).change(outbound_messages, leaving.id, state="sent")

            async with asyncio.timeout(60):
                await asyncio.gather(*(deliver(database) for database in (one, other) for _ in range(6)))
    assert sent == order


async def test_after_a_person_has_taken_over_no_answer_starts(postgres_template: PostgresDatabases) -> None:
    """While many senders flip messages, people take the conversations over, one after the other."""
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            pipeline = Pipeline(one)
            channel_id = await pipeline.channel(messages_per_second=100_000)
            conversation_ids = [await pipeline.conversation(channel_id=channel_id) for _ in range(12)]
            for conversation_id in conversation_ids:
                for part in range(6):
                    await pipeline.outbound(conversation_id, part=part, control_version=1)
            taken: set[UUID] = set()
            finished = asyncio.Event()

            async def deliver(database: Database) -> None:
                pacer = LocalPacer()
                while not finished.is_set():
                    taken_before = set(taken)
                    for leaving in await leave(database, 3, pacer):
                        assert leaving.conversation_id not in taken_before, "an answer started after the takeover"
                        await Pipeline(database).change(outbound_messages, leaving.id, state="sent")
                    await asyncio.sleep(0)

            async def take_over(database: Database) -> None:
                for conversation_id in conversation_ids:
                    async with database.write() as connection:
                        await give_to(connection, conversation_id, "person", user_id=new_id())
                    taken.add(conversation_id)
                finished.set()

            async with asyncio.timeout(60):
                await asyncio.gather(
                    take_over(other), *(deliver(database) for database in (one, other) for _ in range(3))
                )
            async with one.write() as connection:  # whoever was processing when its conversation was taken has ended
                await connection.execute(
                    outbound_messages.update().where(outbound_messages.c.state == "processing").values(state="sent")
                )
            assert await leave(one) == []
            states = {row.state for row in await rows(one, outbound_messages)}
            assert State.SUPERSEDED in states
            assert states <= {State.SUPERSEDED, State.SENT}
            assert {row.control for row in await rows(one, conversations)} == {"person"}


async def test_a_second_look_waits_for_no_conversation_that_somebody_else_holds(
    postgres_template: PostgresDatabases,
) -> None:
    """Its lock would be taken out of order, and somebody who keeps the order would wait for ours: a deadlock."""
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as database:
            pipeline = Pipeline(database)
            ours = await pipeline.conversation()
            for state in ("superseded", "ready"):
                turn_id = await pipeline.turn(ours, state=state)
                next_one = await pipeline.outbound(ours, turn_id=turn_id, due_at=PAST)
            theirs = await pipeline.conversation()
            await pipeline.outbound(theirs)
            async with database.write() as other:
                locked = conversations.select().where(conversations.c.id == theirs).with_for_update()
                await other.execute(locked)
                async with asyncio.timeout(4):
                    assert [one.id for one in await leave(database, limit=1)] == [next_one]

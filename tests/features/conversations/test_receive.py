import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.contacts.models import contact_identifiers, contacts
from app.conversations.models import conversations, messages, turns
from app.conversations.receive import Arrival, Threads, receive
from app.conversations.turns import Pace, State
from app.core.db import Database
from app.core.db.events import events
from app.whatsapp.models import media
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, arrival, build, claim, migrated, picture, rows
from tests.databases import PostgresDatabases

PACE = Pace(quiet_seconds=0, max_wait_seconds=0)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def take(
    database: Database, arrivals: Sequence[Arrival], *, threads: Threads | None = None, pace: Pace = PACE
) -> int:
    async with database.write() as connection:
        now = await database.now(connection)
        return await receive(connection, arrivals, now=now, pace=pace, threads=threads or Threads())


async def test_nothing_is_nothing(database: Database) -> None:
    assert await take(database, []) == 0


async def test_a_first_message_makes_a_person_a_conversation_and_a_turn(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    one = arrival(channel_id, "573001112233", wamid="wamid.1", text="hello")
    assert await take(database, [one]) == 1
    (person,), (conversation,) = await rows(database, contacts), await rows(database, conversations)
    (stored,), (turn,) = await rows(database, messages), await rows(database, turns)
    assert (person.name, person.phone) == ("Ana", "573001112233")
    assert (conversation.contact_id, conversation.channel_id, conversation.unread) == (person.id, channel_id, 1)
    assert conversation.last_inbound_at == one.message.sent_at
    assert (stored.text, stored.turn_id, stored.awaits_turn, stored.event_id) == ("hello", turn.id, 0, one.event_id)
    assert (turn.state, turn.event_id) == (State.COLLECTING, one.event_id)
    assert [row.name for row in await rows(database, events)] == ["message_received"]


async def test_a_thousand_people_in_one_batch(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    arrivals = [arrival(channel_id, f"57300{number:07}") for number in range(1000)]
    threads = Threads()
    assert await take(database, arrivals, threads=threads) == 1000
    assert await take(database, arrivals, threads=threads) == 0
    assert await take(database, arrivals) == 0
    assert len(await rows(database, turns)) == len(await rows(database, conversations)) == 1000


async def test_the_same_message_twice_in_a_batch_and_again_later_is_stored_once(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    one = arrival(channel_id, wamid="wamid.1")
    assert await take(database, [one, one]) == 1
    assert await take(database, [one]) == 0
    assert len(await rows(database, messages)) == len(await rows(database, turns)) == 1
    assert (await rows(database, conversations))[0].unread == 1


async def test_a_burst_is_one_turn_that_waits_for_its_last_line(database: Database) -> None:
    channel_id, pace = await Pipeline(database).channel(), Pace(quiet_seconds=60, max_wait_seconds=300)
    await take(database, [arrival(channel_id)], pace=pace)
    (first,) = await rows(database, turns)
    await take(database, [arrival(channel_id), arrival(channel_id)], pace=pace)
    (turn,) = await rows(database, turns)
    assert turn.id == first.id
    assert turn.due_at > first.due_at
    assert turn.latest_at == first.latest_at
    assert {row.turn_id for row in await rows(database, messages)} == {turn.id}
    assert await claim(database) == []


async def test_a_newer_message_replaces_a_turn_in_the_hands_of_the_assistant(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    await take(database, [arrival(channel_id, text="one")])
    (old,) = await claim(database)
    await take(database, [arrival(channel_id, text="two")])
    replaced, new = await rows(database, turns)
    assert (replaced.id, replaced.state, replaced.superseded_by) == (old.id, State.SUPERSEDED, new.id)
    assert (new.state, new.restarts) == (State.COLLECTING, 1)
    (again,) = await claim(database)
    assert [said.text for said in again.questions] == ["one", "two"]


async def test_somebody_who_keeps_writing_is_answered_before_the_next_turn_begins(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    for number in range(3):
        await take(database, [arrival(channel_id, text=str(number))])
        (held,) = await claim(database)
    await take(database, [arrival(channel_id, text="later")])
    (waiting,) = [row for row in await rows(database, messages) if row.turn_id is None]
    assert (waiting.text, waiting.awaits_turn) == ("later", 1)
    assert [said.text for said in held.questions] == ["0", "1", "2"]


async def test_the_newest_answer_is_the_one_that_a_new_message_replaces(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation()
    row = await pipeline.row(conversations, conversation_id)
    person = await pipeline.row(contacts, row.contact_id)
    older = await pipeline.turn(conversation_id, state="ready", restarts=2)
    newer = await pipeline.turn(conversation_id, state="ready", restarts=0)
    await take(database, [arrival(row.channel_id, person.phone)])
    states = {turn.id: turn.state for turn in await rows(database, turns)}
    assert (states[older], states[newer]) == (State.READY, State.SUPERSEDED)


async def test_what_needs_no_answer_opens_no_turn_but_the_window(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    reaction = arrival(channel_id, kind="reaction", text="", turn=False)
    assert await take(database, [reaction]) == 1
    assert await rows(database, turns) == []
    assert (await rows(database, messages))[0].awaits_turn == 0
    assert (await rows(database, conversations))[0].last_inbound_at == reaction.message.sent_at


async def test_an_old_message_does_not_close_the_window_again(database: Database) -> None:
    channel_id, now = await Pipeline(database).channel(), datetime.now(UTC)
    await take(database, [arrival(channel_id, sent_at=now)])
    await take(database, [arrival(channel_id, sent_at=now - timedelta(hours=5))])
    assert (await rows(database, conversations))[0].last_inbound_at == now


async def test_a_file_waits_to_be_fetched(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    one = arrival(channel_id, kind="image", text="", media=picture())
    await take(database, [one, one])
    await take(database, [one])
    (file,) = await rows(database, media)
    assert (file.state, file.provider_id, file.channel_id) == ("pending", "media.1", channel_id)


async def test_the_same_person_on_two_channels_has_two_conversations(database: Database) -> None:
    pipeline = Pipeline(database)
    first, second = await pipeline.channel(), await pipeline.channel()
    await take(database, [arrival(first), arrival(second)])
    assert len(await rows(database, contacts)) == 1
    assert {row.channel_id for row in await rows(database, conversations)} == {first, second}


async def test_a_person_who_shows_another_name_in_the_same_batch_is_one_person(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    both = [arrival(channel_id, "573001112233", user_id="CO.1"), arrival(channel_id, None, user_id="CO.1")]
    await take(database, [*both, arrival(channel_id, "573001112233")])
    assert len(await rows(database, contacts)) == len(await rows(database, conversations)) == 1
    assert {(row.kind, row.value) for row in await rows(database, contact_identifiers)} == {
        ("bsuid", "CO.1"),
        ("phone", "573001112233"),
    }


async def test_a_remembered_thread_that_was_never_stored_is_forgotten(database: Database) -> None:
    channel_id, threads = await Pipeline(database).channel(), Threads()

    async def fail() -> None:
        async with database.write() as connection:
            now = await database.now(connection)
            await receive(connection, [arrival(channel_id)], now=now, pace=PACE, threads=threads)
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await fail()
    threads.forget()
    assert await take(database, [arrival(channel_id)], threads=threads) == 1


async def test_an_identifier_that_another_process_gave_to_somebody_else_is_followed_soon(database: Database) -> None:
    clock = [0.0]
    channel_id, threads = await Pipeline(database).channel(), Threads(lambda: clock[0])
    await take(database, [arrival(channel_id, "573001112233")], threads=threads)
    other = await Pipeline(database).contact(phone="573009998877")
    async with database.write() as connection:
        await connection.execute(
            sa.update(contact_identifiers).where(contact_identifiers.c.value == "573001112233").values(contact_id=other)
        )
    clock[0] += 11
    await take(database, [arrival(channel_id, "573001112233", wamid="wamid.2")], threads=threads)
    (stored,) = await rows(database, messages, messages.c.wamid == "wamid.2")
    (thread,) = await rows(database, conversations, conversations.c.id == stored.conversation_id)
    assert thread.contact_id == other


async def test_two_processes_that_meet_the_same_people_at_once_agree(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            channel_id = await Pipeline(one).channel()
            people = [f"57300{number:07}" for number in range(12)]

            async def flood(database: Database, order: Sequence[str]) -> None:
                threads = Threads()
                for round_ in range(6):
                    batch = [arrival(channel_id, phone, wamid=f"{phone}.{round_}") for phone in order]
                    await take(database, batch, threads=threads)

            await asyncio.gather(flood(one, people), flood(other, people[::-1]), flood(one, people[5:] + people[:5]))
            assert len(await rows(one, contacts)) == len(await rows(one, conversations)) == 12
            assert len(await rows(one, messages)) == 12 * 6
            open_turns = await rows(one, turns, turns.c.state == State.COLLECTING)
            assert len(open_turns) == 12
            assert {row.turn_id for row in await rows(one, messages)} == {turn.id for turn in open_turns}


async def test_ids_follow_the_order_in_which_messages_came(database: Database) -> None:
    channel_id = await Pipeline(database).channel()
    await take(database, [arrival(channel_id, text=str(number)) for number in range(50)])
    assert [row.text for row in await rows(database, messages)] == [str(number) for number in range(50)]

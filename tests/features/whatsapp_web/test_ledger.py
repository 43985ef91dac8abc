from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.db import Database
from app.core.ids import new_id
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web import ledger
from app.whatsapp.web.governor import Later, Never, WebPolicy
from app.whatsapp.web.ledger import CommandState, Fate, NotOnline
from app.whatsapp.web.states import State
from tests.features.whatsapp_web.rows import (
    ANA,
    begin,
    claim,
    command_rows,
    fate,
    linked_phone,
    order,
    place,
    settle,
)


async def test_an_order_is_placed_once_and_carried_out_once(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id)

    assert await place(database, wanted) == Fate(CommandState.PENDING, None, None)

    command = await claim(database, channel_id)
    assert command is not None
    assert (command.id, command.recipient, command.message_key) == (wanted.key, wanted.recipient, None)
    assert await claim(database, channel_id) is None


async def test_a_second_attempt_at_what_was_sent_learns_its_id_and_sends_nothing(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id)
    await place(database, wanted)
    command = await claim(database, channel_id)
    assert command is not None
    await begin(database, command)
    await settle(database, command.id, CommandState.SENT)

    assert await place(database, wanted) == Fate(CommandState.SENT, "OUT1", None)
    assert await claim(database, channel_id) is None


async def test_what_certainly_was_not_sent_is_sent_again_under_the_same_id(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id)
    await place(database, wanted)
    command = await claim(database, channel_id)
    assert command is not None
    await begin(database, command)
    await settle(database, command.id, CommandState.NOT_SENT, "absent")

    await place(database, wanted)

    again = await claim(database, channel_id)
    assert again is not None
    assert (again.message_key, again.message_id, again.chat) == ("true_x_OUT1", "OUT1", "111222333@lid")
    assert len(await command_rows(database)) == 1


async def test_what_was_sent_stays_sent_whatever_is_said_later(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id)
    await place(database, wanted)
    await settle(database, wanted.key, CommandState.SENT)

    await settle(database, wanted.key, CommandState.NOT_SENT, "absent")

    settled = await fate(database, wanted.key)
    assert settled is not None
    assert settled.state is CommandState.SENT


async def test_an_order_is_withdrawn_only_before_it_is_begun(database: Database) -> None:
    channel_id = await linked_phone(database)
    first, second = order(channel_id), order(channel_id)
    await place(database, first)
    await claim(database, channel_id)
    await place(database, second)

    async with database.write() as connection:
        now = await database.now(connection)
        assert not await ledger.withdraw(connection, first.key, now=now)
        assert await ledger.withdraw(connection, second.key, now=now)


async def test_whoever_lost_the_lease_gets_nothing_to_do(database: Database) -> None:
    channel_id = await linked_phone(database)
    await place(database, order(channel_id))

    assert await claim(database, channel_id, token=0) is None
    assert await claim(database, channel_id, token=1) is not None


async def test_a_command_that_was_settled_meanwhile_is_not_begun(database: Database) -> None:
    channel_id = await linked_phone(database)
    await place(database, order(channel_id))
    command = await claim(database, channel_id)
    assert command is not None
    await settle(database, command.id, CommandState.NOT_SENT, "withdrawn")

    assert not await begin(database, command)


async def test_what_nobody_began_in_time_was_not_sent(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id, seconds=-1.0)
    await place(database, wanted)

    assert await claim(database, channel_id) is None
    async with database.write() as connection:
        now = await database.now(connection)
        assert await ledger.expire(connection, channel_id, now=now, keep=timedelta(days=1)) == 1
    assert await fate(database, wanted.key) == Fate(CommandState.NOT_SENT, None, "not_begun")


async def test_old_commands_are_forgotten(database: Database) -> None:
    channel_id = await linked_phone(database)
    wanted = order(channel_id)
    await place(database, wanted)
    await settle(database, wanted.key, CommandState.SENT)

    async with database.write() as connection:
        now = await database.now(connection)
        await ledger.expire(connection, channel_id, now=now + timedelta(days=31), keep=timedelta(days=30))

    assert await command_rows(database) == []


async def test_a_phone_that_is_not_online_takes_no_orders(database: Database) -> None:
    channel_id = await linked_phone(database, state=State.SYNCING)

    assert await place(database, order(channel_id)) == NotOnline("syncing")


async def test_nobody_is_written_to_who_never_wrote(database: Database) -> None:
    channel_id = await linked_phone(database)

    assert await place(database, order(channel_id, recipient=Recipient("5491199999999"))) == Never("cold")


async def test_people_are_known_by_phone_or_lid_alone(database: Database) -> None:
    channel_id = await linked_phone(database)

    assert isinstance(await place(database, order(channel_id, recipient=Recipient("5491155550001"))), Fate)
    assert isinstance(await place(database, order(channel_id, recipient=Recipient(None, "111222333@lid"))), Fate)


async def test_the_unanswered_are_counted_since_the_person_last_wrote(database: Database) -> None:
    channel_id = await linked_phone(
        database, policy=WebPolicy(least_gap_seconds=0, most_gap_seconds=0, most_unanswered=2)
    )
    for _ in range(2):
        assert isinstance(await place(database, order(channel_id, text="")), Fate)

    assert await place(database, order(channel_id, text="")) == Later(3600, "unanswered")


async def test_our_messages_are_known_by_their_ids_with_their_trackers(database: Database) -> None:
    channel_id = await linked_phone(database)
    await place(database, order(channel_id, tracker="ob:7"))
    command = await claim(database, channel_id)
    assert command is not None
    await begin(database, command, "OUT7")

    async with database.read() as connection:
        assert await ledger.trackers(connection, channel_id, ["OUT7", "THEIRS"]) == {"OUT7": "ob:7"}
        assert await ledger.trackers(connection, new_id(), ["OUT7"]) == {}
        assert [one.id for one in await ledger.unsettled(connection, channel_id)] == [command.id]


async def test_a_closing_browser_gives_back_what_it_has_not_begun(database: Database) -> None:
    channel_id = await linked_phone(database)
    begun, waiting = order(channel_id), order(channel_id)
    await place(database, begun)
    await claim(database, channel_id)
    await place(database, waiting)

    async with database.write() as connection:
        await ledger.give_back(connection, channel_id, now=await database.now(connection))

    assert await fate(database, waiting.key) == Fate(CommandState.NOT_SENT, None, "browser_closed")
    assert (await fate(database, begun.key)) == Fate(CommandState.PREPARING, None, None)


async def test_what_was_begun_without_an_id_is_recognised_once_by_person_and_text(database: Database) -> None:
    channel_id = await linked_phone(database)
    await place(database, order(channel_id, text="Hola\n¿qué tal?"))
    command = await claim(database, channel_id)
    assert command is not None
    await begin(database, command, f"{ledger.UNNAMED}IN1")

    assert not await is_ours(database, channel_id, text="Something else")
    assert not await is_ours(database, channel_id, phone="5491155559999")
    assert not await is_ours(database, channel_id, phone=None)
    assert await is_ours(database, channel_id, message_id="OUT1")

    (row,) = await command_rows(database)
    assert (row.message_id, row.message_key) == ("OUT1", "OUT1")
    assert await is_ours(database, channel_id, message_id="OUT1"), "it has its id by now"
    assert not await is_ours(database, channel_id, message_id="OUT2"), "the same words again are a person's"


async def is_ours(database: Database, channel_id: UUID, **given: Any) -> bool:
    usual = {"phone": ANA.phone, "text": "Hola ¿qué tal?", "message_id": "OUT1"}
    async with database.write() as connection:
        return await ledger.recognise(connection, channel_id, **{**usual, **given})

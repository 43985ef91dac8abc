"""What every transport promises, on the one that works through the database: the browser is played by the test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.core.wake import InProcessWake
from app.whatsapp.content import Buttons, ReplyButton, Text
from app.whatsapp.errors import SendNotAttempted, SendRejected, SendUnknown
from app.whatsapp.transport import Accepted, ChannelAccess, Recipient
from app.whatsapp.transports import TRANSPORTS
from app.whatsapp.transports.web import WebTransport
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.ledger import RESULTS, Command, CommandState
from app.whatsapp.web.states import State
from tests.builders.api import BOTH, either_database
from tests.features.whatsapp_web.rows import ANA, begin, claim, command_rows, linked_phone, settle


class Phone:
    """A linked phone and its transport; what its browser does is said by the test."""

    def __init__(self, database: Database, channel_id: UUID) -> None:
        self.database = database
        self.channel_id = channel_id
        self.wake = InProcessWake()
        self.transport = WebTransport(database, self.wake)
        self.access = ChannelAccess(
            channel_id=channel_id, graph_url="", api_version="", phone_number_id="web-1", token=""
        )

    async def send(self, *, key: UUID | None = None, to: Recipient = ANA, timeout_seconds: float = 10) -> Accepted:
        return await self.transport.send(
            self.access, to, Text("Hola"), tracker="ob:1", timeout_seconds=timeout_seconds, key=key
        )

    async def next_command(self) -> Command:
        for _ in range(500):
            command = await claim(self.database, self.channel_id)
            if command is not None:
                return command
            await asyncio.sleep(0.02)
        raise AssertionError("nothing was placed")

    async def settles(self, state: CommandState, reason: str | None = None) -> None:
        """Play the browser for one command."""
        command = await self.next_command()
        await begin(self.database, command)
        await settle(self.database, command.id, state, reason)
        self.wake.notify(RESULTS)


@pytest.fixture(params=BOTH)
async def phone(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Phone]:
    async with either_database(request, tmp_path) as database:
        yield Phone(database, await linked_phone(database))


async def test_it_serves_the_kind_it_is_registered_for(phone: Phone) -> None:
    assert phone.transport.kind in TRANSPORTS
    assert "text" in phone.transport.capabilities.content_kinds


async def test_an_accepted_message_has_the_id_it_was_given(phone: Phone) -> None:
    accepted, _ = await asyncio.gather(phone.send(), phone.settles(CommandState.SENT))

    assert accepted == Accepted("OUT1")


async def test_a_browser_that_is_too_slow_leaves_the_message_to_be_sent_again(phone: Phone) -> None:
    with pytest.raises(SendNotAttempted, match="withdrawn"):
        await phone.send(timeout_seconds=1.2)

    assert await claim(phone.database, phone.channel_id) is None


async def test_a_message_that_was_begun_and_not_confirmed_is_unknown(phone: Phone) -> None:
    async def begins() -> None:
        await begin(phone.database, await phone.next_command())

    sent, _ = await asyncio.gather(phone.send(timeout_seconds=2), begins(), return_exceptions=True)

    assert isinstance(sent, SendUnknown)


async def test_what_became_of_an_unknown_one_is_recalled(phone: Phone) -> None:
    key = new_id()
    await asyncio.gather(phone.send(key=key, timeout_seconds=2), phone.next_command(), return_exceptions=True)
    assert await phone.transport.recall(phone.access, key) is None

    await settle(phone.database, key, CommandState.SENT)

    assert await phone.transport.recall(phone.access, key) == Accepted("")


async def test_one_that_is_known_not_to_have_left_may_leave_again(phone: Phone) -> None:
    key = new_id()
    await asyncio.gather(phone.send(key=key, timeout_seconds=2), phone.next_command(), return_exceptions=True)
    await settle(phone.database, key, CommandState.NOT_SENT, "absent")

    with pytest.raises(SendNotAttempted, match="absent"):
        await phone.transport.recall(phone.access, key)


async def test_one_that_was_never_placed_may_leave_again(phone: Phone) -> None:
    with pytest.raises(SendNotAttempted, match="never_placed"):
        await phone.transport.recall(phone.access, new_id())


async def test_two_attempts_at_one_message_are_one_message(phone: Phone) -> None:
    key = new_id()
    await asyncio.gather(phone.send(key=key), phone.settles(CommandState.SENT))

    assert await phone.send(key=key) == Accepted("OUT1")
    assert len(await command_rows(phone.database)) == 1


@pytest.mark.parametrize("reason", ["wrong_chat", "no_such_person", "unsupported", "file_unavailable"])
async def test_what_can_never_be_sent_is_rejected(phone: Phone, reason: str) -> None:
    sent, _ = await asyncio.gather(phone.send(), phone.settles(CommandState.NOT_SENT, reason), return_exceptions=True)

    assert isinstance(sent, SendRejected)
    assert sent.details == reason


async def test_content_it_cannot_carry_is_rejected_before_anything_is_placed(phone: Phone) -> None:
    buttons = Buttons("Choose", (ReplyButton("a", "A"),))

    with pytest.raises(SendRejected, match="Not supported"):
        await phone.transport.send(phone.access, ANA, buttons, tracker="ob:1", timeout_seconds=10)

    assert await command_rows(phone.database) == []


async def test_a_person_who_never_wrote_is_refused_with_the_reason(phone: Phone) -> None:
    with pytest.raises(SendRejected) as refused:
        await phone.send(to=Recipient("5491199999999"))

    assert "never wrote" in refused.value.details


async def test_a_wait_that_manners_ask_for_is_named(phone: Phone) -> None:
    quiet = WebPolicy(quiet_from="00:00", quiet_until="23:59")
    phone.access = ChannelAccess(
        channel_id=await linked_phone(phone.database, policy=quiet),
        graph_url="",
        api_version="",
        phone_number_id="web-2",
        token="",
    )

    with pytest.raises(SendNotAttempted, match="quiet_hours") as waits:
        await phone.send()

    assert waits.value.retry_after_seconds


async def test_a_phone_that_is_not_online_is_waited_for(phone: Phone) -> None:
    channel_id = await linked_phone(phone.database, state=State.CRASHED)
    access = ChannelAccess(channel_id=channel_id, graph_url="", api_version="", phone_number_id="web-3", token="")

    with pytest.raises(SendNotAttempted, match="whatsapp_web_crashed"):
        await phone.transport.send(access, ANA, Text("Hola"), tracker="ob:1", timeout_seconds=10)


async def test_reading_and_typing_are_asked_for(phone: Phone) -> None:
    await phone.transport.mark_read(phone.access, "IN1", typing=True)

    command = await phone.next_command()
    assert (command.kind, command.message_id, command.typing_seconds > 0) == ("read", "IN1", True)

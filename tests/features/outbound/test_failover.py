"""A conversation whose channel is down: its messages wait, or leave through the other transport, and never both."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.conversations.models import conversations, messages
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.failover import choose_ways
from app.outbound.leaving import Leaving, start
from app.outbound.models import outbound_messages
from app.outbound.states import State
from app.whatsapp.content import Content, Image
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer
from app.whatsapp.web import ledger
from app.whatsapp.web.ledger import CommandState, Fate
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated
from tests.features.whatsapp_web.rows import begin, claim, linked_phone, order, place, settle

AFTER = timedelta(seconds=60)


class Shop:
    """A business with a Cloud number and a linked phone, and one person who wrote to both."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.pipeline = Pipeline(database)

    async def open(self) -> None:
        self.cloud = await self.pipeline.channel()
        self.phone = await linked_phone(self.database)
        self.ana = await self.pipeline.contact(phone="54911555500", user_id="CO.1")
        self.on_cloud = await self.pipeline.conversation(channel_id=self.cloud, contact_id=self.ana)
        self.on_phone = await self.pipeline.conversation(channel_id=self.phone, contact_id=self.ana)

    async def stop(self, channel_id: UUID, *, seconds_ago: float = 90, **values: Any) -> None:
        stopped_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        await self.pipeline.change(channels, channel_id, stopped_at=stopped_at, stopped_reason="down", **values)

    async def resume(self, channel_id: UUID) -> None:
        await self.pipeline.change(channels, channel_id, stopped_at=None, stopped_reason=None)

    async def message(self, conversation_id: UUID, content: Content | None = None, **values: Any) -> UUID:
        return await self.pipeline.outbound(conversation_id, content, origin="person", user_id=new_id(), **values)

    async def leave(self) -> list[Leaving]:
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            await choose_ways(connection, AFTER, 10, now=now)
            return await start(connection, LocalPacer(), 10, now=now)

    async def ways(self) -> list[UUID]:
        return [one.channel_id for one in await self.leave()]


@pytest.fixture(params=BOTH)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with migrated(request, tmp_path) as database:
        shop = Shop(database)
        await shop.open()
        yield shop


@pytest.mark.parametrize(("home", "down", "other"), [("on_phone", "phone", "cloud"), ("on_cloud", "cloud", "phone")])
async def test_a_message_leaves_through_the_other_transport_and_the_next_one_comes_back(
    shop: Shop, home: str, down: str, other: str
) -> None:
    conversation_id = getattr(shop, home)
    await shop.stop(getattr(shop, down))
    first = await shop.message(conversation_id, reply_to="wamid.1")

    (leaving,) = await shop.leave()

    assert (leaving.id, leaving.channel_id, leaving.reply_to) == (first, getattr(shop, other), None)
    assert leaving.recipient.phone == "54911555500"
    assert leaving.conversation_id == conversation_id
    assert (await shop.pipeline.row(messages, first)).channel_id == getattr(shop, other)
    await shop.pipeline.change(outbound_messages, first, state=State.SENT)
    await shop.resume(getattr(shop, down))
    await shop.message(conversation_id)
    assert await shop.ways() == [getattr(shop, down)]


async def test_what_could_not_leave_elsewhere_comes_back_with_what_it_quotes(shop: Shop) -> None:
    await shop.stop(shop.phone)
    outbound_id = await shop.message(shop.on_phone)
    await shop.pipeline.change(messages, outbound_id, reply_to="wamid.1")
    assert await shop.ways() == [shop.cloud]
    await shop.pipeline.change(outbound_messages, outbound_id, state=State.RETRY, due_at=datetime.now(UTC))
    await shop.resume(shop.phone)

    (leaving,) = await shop.leave()

    assert (leaving.channel_id, leaving.reply_to) == (shop.phone, "wamid.1")
    assert isinstance(await place(shop.database, order(shop.phone, outbound_id)), Fate)
    assert await claim(shop.database, shop.phone) is not None


async def test_a_channel_that_is_down_for_a_moment_keeps_its_messages(shop: Shop) -> None:
    await shop.stop(shop.phone, seconds_ago=30)
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


async def test_the_messages_of_a_channel_that_a_person_stopped_wait(shop: Shop) -> None:
    await shop.stop(shop.phone, stopped_by=new_id())
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


async def test_the_messages_wait_while_the_other_channel_is_down_too(shop: Shop) -> None:
    await shop.stop(shop.phone)
    await shop.stop(shop.cloud)
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


async def test_the_messages_wait_where_the_person_is_not_known_by_a_phone_number(shop: Shop) -> None:
    await shop.stop(shop.phone)
    nameless = await shop.pipeline.contact(phone=None, user_id="999@lid")
    await shop.pipeline.conversation(channel_id=shop.cloud, contact_id=nameless)
    await shop.message(await shop.pipeline.conversation(channel_id=shop.phone, contact_id=nameless))
    assert await shop.ways() == []


async def test_another_person_s_conversation_is_no_way(shop: Shop) -> None:
    await shop.stop(shop.phone)
    await shop.message(await shop.pipeline.conversation(channel_id=shop.phone))
    assert await shop.ways() == []


async def test_another_phone_of_ours_is_no_way(shop: Shop) -> None:
    second = await shop.pipeline.channel(kind="web")
    await shop.pipeline.conversation(channel_id=second, contact_id=shop.ana)
    await shop.stop(shop.phone)
    await shop.stop(shop.cloud)
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


async def test_the_window_of_the_other_channel_counts(shop: Shop) -> None:
    await shop.stop(shop.phone)
    await shop.pipeline.change(
        conversations, shop.on_cloud, last_inbound_at=datetime.now(UTC) - timedelta(hours=24) + timedelta(minutes=4)
    )
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


async def test_a_file_waits_and_so_does_what_stands_behind_it(shop: Shop) -> None:
    await shop.stop(shop.phone)
    await shop.message(shop.on_phone, Image(media_id="1"))
    await shop.message(shop.on_phone)
    assert await shop.ways() == []


@pytest.mark.parametrize("state", [State.PROCESSING, State.UNKNOWN])
async def test_what_may_have_left_never_moves(shop: Shop, state: State) -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    outbound_id = await shop.message(shop.on_phone, state=state, due_at=later, attempt_id=new_id())
    await shop.stop(shop.phone)
    assert await shop.ways() == []
    assert (await shop.pipeline.row(outbound_messages, outbound_id)).channel_id == shop.phone


@pytest.mark.parametrize("begun", [False, True])
async def test_what_a_browser_has_begun_stays_with_its_phone(shop: Shop, *, begun: bool) -> None:
    """WhatsApp may have got it from a browser that died: only the same id, from the same phone, is safe."""
    outbound_id = await shop.message(shop.on_phone)
    await place(shop.database, order(shop.phone, outbound_id))
    command = await claim(shop.database, shop.phone)
    assert command is not None
    if begun:
        await begin(shop.database, command)
    await settle(shop.database, command.id, CommandState.NOT_SENT, "absent")
    await shop.stop(shop.phone)

    assert await shop.ways() == ([] if begun else [shop.cloud])


async def test_what_is_still_in_the_ledger_stays_with_its_phone(shop: Shop) -> None:
    """Its process lost the database before it knew that its order had been placed."""
    outbound_id = await shop.message(shop.on_phone)
    await place(shop.database, order(shop.phone, outbound_id))
    await shop.stop(shop.phone)
    assert await shop.ways() == []


async def test_a_process_that_slept_cannot_place_what_has_left_another_way(shop: Shop) -> None:
    outbound_id = await shop.message(shop.on_phone)
    await shop.stop(shop.phone)
    assert await shop.ways() == [shop.cloud]

    late = await place(shop.database, order(shop.phone, outbound_id))

    assert late == Fate(CommandState.NOT_SENT, None, "moved")
    assert await claim(shop.database, shop.phone) is None
    async with shop.database.write() as connection:
        now = await shop.database.now(connection)
        await ledger.settle(connection, outbound_id, CommandState.SENT, now=now)
    assert await place(shop.database, order(shop.phone, outbound_id)) == late

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.contacts.models import contact_identifiers, contacts
from app.conversations.control import give_to
from app.conversations.events import ControlChanged, MessageReceived
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Pace
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.events import Event
from app.core.ids import new_id
from app.live.schemas import LiveEvent
from app.outbound.models import outbound_messages
from app.reactions import EVENTS, Arrivals, Reactions
from app.whatsapp.inbound import AccountNotice, IdentityChange, PhoneEcho, PreferenceChange, Sender
from app.whatsapp.ingest import Fact
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, message, migrated, rows, told
from tests.databases import PostgresDatabases

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMMON: dict[str, Any] = {"phone_number_id": "100", "business_account_id": "1", "payload": b"{}", "key": "k"}


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def take(database: Database, facts: Sequence[Fact], arrivals: Arrivals | None = None) -> None:
    async with database.write() as connection:
        now = await database.now(connection)
        await (arrivals or Arrivals(Pace(0, 0))).take(connection, facts, now=now)


def fact(item: Any, channel_id: UUID | None) -> Fact:
    return Fact(channel_id, new_id(), item)


async def test_a_batch_of_everything_reaches_those_it_concerns(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation(contact_id=await pipeline.contact(phone="573001112233"))
    channel_id = (await pipeline.row(conversations, conversation_id)).channel_id
    turn_id = await pipeline.turn(conversation_id, state="sending")
    outbound_id = await pipeline.outbound(conversation_id, turn_id=turn_id, state="unknown", wamid="wamid.out")
    echo = PhoneEcho(
        **COMMON,
        message_id="wamid.echo",
        recipient_phone="573009998877",
        recipient_user_id=None,
        sent_at=NOW,
        kind="text",
        text="hello from the phone",
    )
    stop = PreferenceChange(
        **COMMON, phone="573001112233", user_id=None, category="marketing_messages", value="stop", at=NOW
    )
    notice = AccountNotice(**COMMON, field="account_update", event="X", at=NOW)
    await take(
        database,
        [
            fact(message("573001112233"), channel_id),
            fact(echo, channel_id),
            fact(stop, channel_id),
            fact(notice, None),
            fact(told(channel_id, "delivered").status, channel_id),
            fact(message(), None),
        ],
    )
    assert (await pipeline.row(outbound_messages, outbound_id)).delivered_at is not None
    assert (await pipeline.row(turns, turn_id)).state == TurnState.DONE
    assert {row.author for row in await rows(database, messages)} == {"customer", "phone", "bot"}
    stopped = [row.marketing_stopped_at for row in await rows(database, contacts)]
    assert stopped.count(NOW) == 1
    assert [row.control for row in await rows(database, conversations)].count("person") == 1


async def test_nothing_is_nothing(database: Database) -> None:
    await take(database, [])


async def test_a_changed_number_is_followed_at_once_by_the_process_that_learned_it(database: Database) -> None:
    channel_id, arrivals = await Pipeline(database).channel(), Arrivals(Pace(0, 0))
    await take(database, [fact(message("573001112233"), channel_id)], arrivals)
    await take(database, [fact(message("573009998877"), channel_id)], arrivals)
    change = IdentityChange(
        **COMMON,
        message_id="wamid.change",
        kind="user_changed_number",
        before=Sender(phone="573001112233"),
        after=Sender(phone="573009998877"),
        at=NOW,
    )
    await take(database, [fact(change, channel_id)], arrivals)
    await take(database, [fact(message("573009998877", wamid="wamid.last"), channel_id)], arrivals)
    (last,) = await rows(database, messages, messages.c.wamid == "wamid.last")
    (first, *_) = await rows(database, messages)
    assert last.conversation_id == first.conversation_id


async def test_changes_of_the_same_person_in_two_processes_do_not_collide(
    postgres_template: PostgresDatabases,
) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            channel_id = await Pipeline(one).channel()
            await take(one, [fact(message("573001112233"), channel_id)])
            change = IdentityChange(
                **COMMON,
                message_id="wamid.change",
                kind="user_changed_number",
                before=Sender(phone="573001112233"),
                after=Sender(phone="573009998877", user_id="CO.1"),
                at=NOW,
            )
            await asyncio.gather(
                *(take(database, [fact(change, channel_id)]) for database in (one, other, one, other)),
                *(take(database, [fact(message("573009998877"), channel_id)]) for database in (one, other)),
            )
            found = {row.value: row.contact_id for row in await rows(one, contact_identifiers)}
            assert found["573009998877"] == found["573001112233"] == found["CO.1"]


async def test_statuses_and_messages_of_one_conversation_do_not_wait_for_a_person_who_takes_it(
    postgres_template: PostgresDatabases,
) -> None:
    """Everybody locks in one order: no deadlock, however often they meet."""
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            pipeline = Pipeline(one)
            conversation_id = await pipeline.conversation(contact_id=await pipeline.contact(phone="573001112233"))
            channel_id = (await pipeline.row(conversations, conversation_id)).channel_id
            for number in range(12):
                turn_id = await pipeline.turn(conversation_id, state="sending")
                await pipeline.outbound(
                    conversation_id, turn_id=turn_id, state="unknown", wamid=f"wamid.{number}", control_version=1
                )

            async def ingest(number: int) -> None:
                status = told(channel_id, "failed", wamid=f"wamid.{number}").status
                await take(one, [fact(message("573001112233"), channel_id), fact(status, channel_id)])

            async def person(number: int) -> None:
                async with other.write() as connection:
                    await give_to(connection, conversation_id, "person" if number % 2 else "bot", user_id=new_id())
                    await connection.execute(
                        turns.update().where(turns.c.conversation_id == conversation_id).values(reason="cancelled")
                    )

            async with asyncio.timeout(60):
                await asyncio.gather(*(work(number) for number in range(12) for work in (ingest, person)))
            assert {row.state for row in await rows(one, outbound_messages)} == {"failed"}


class Live:
    def __init__(self) -> None:
        self.told: list[tuple[str, LiveEvent]] = []

    def publish(self, topic: str, event: LiveEvent) -> None:
        self.told.append((topic, event))


class Jobs:
    def __init__(self, *, away: bool = False) -> None:
        self.started: list[str] = []
        self.away = away

    async def enqueue(self, name: str, /, **_: Any) -> bool:
        if self.away:
            raise Unavailable("the queue is away")
        self.started.append(name)
        return True


async def react(events: Sequence[Event], *, away: bool = False) -> tuple[Live, Jobs]:
    live, jobs = Live(), Jobs(away=away)
    await Reactions(live, jobs).react(events)  # type: ignore[arg-type]
    return live, jobs


async def test_every_event_reaches_a_browser_and_says_what_to_fetch_again() -> None:
    conversation_id, message_id = new_id(), new_id()
    received = MessageReceived(conversation_id=conversation_id, message_id=message_id)
    live, jobs = await react([received])
    assert [topic for topic, _ in live.told] == ["conversations", f"conversation:{conversation_id}"]
    assert {event.message_id for _, event in live.told} == {message_id}
    assert jobs.started == []


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
async def test_no_event_is_told_to_nobody(kind: type[Event]) -> None:
    given: dict[str, Any] = {
        name: new_id() if name.endswith("_id") else 1 if "version" in name else "x" for name in kind.__struct_fields__
    }
    given.pop("media", None)
    live, _ = await react([kind(**given)])
    assert live.told


async def test_files_are_fetched_and_one_start_is_enough_for_many() -> None:
    received = [MessageReceived(conversation_id=new_id(), message_id=new_id(), media=True) for _ in range(5)]
    _, jobs = await react(received)
    assert jobs.started == ["fetch_media"]


async def test_a_queue_that_is_away_does_not_keep_browsers_from_being_told() -> None:
    live, _ = await react(
        [
            MessageReceived(conversation_id=new_id(), message_id=new_id(), media=True),
            ControlChanged(conversation_id=new_id(), control="bot", control_version=2),
        ],
        away=True,
    )
    assert len(live.told) == 4

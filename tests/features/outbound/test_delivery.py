import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.fernet import Fernet

from app.conversations.models import turns
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.metrics import Metrics
from app.core.security.cipher import Cipher
from app.outbound.delivery import Delivery
from app.outbound.files import Files
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.outbound.states import State
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.error_codes import rule_for
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer
from app.whatsapp.transport import Accepted, Capabilities, SendNotAttempted, SendRejected, SendUnknown
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated

KEY = Fernet.generate_key().decode()
NEW = NewChannel(
    name="Shop",
    phone_number_id="100",
    graph_url="https://graph.example",
    api_version="v26.0",
    secrets=ChannelSecrets("token"),
)


def rejected(code: int, **members: Any) -> SendRejected:
    return SendRejected(code=code, title="no", rule=rule_for(code), **members)


class Meta:
    """A transport that answers as it is told, and remembers what it was given."""

    kind = "cloud"
    capabilities = Capabilities(frozenset({"text"}), tracks=True, has_window=True, typing=True)

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []
        self.answer: Callable[[], Accepted] = lambda: Accepted(f"wamid.{len(self.received)}")
        self.go = asyncio.Event()
        self.go.set()
        self.entered = asyncio.Event()

    async def send(self, _channel: Any, _recipient: Any, content: Any, *, tracker: str, **_: Any) -> Accepted:
        self.received.append((tracker, content))
        self.entered.set()
        await self.go.wait()
        return self.answer()

    def fails(self, error: Exception) -> None:
        def answer() -> Accepted:
            raise error

        self.answer = answer


class Bench:
    def __init__(self, database: Database, media_dir: Path) -> None:
        self.database = database
        self.meta = Meta()
        self.channels = Channels(database, Cipher([KEY]))
        transports: dict[str, Any] = {"cloud": self.meta}
        self.told = 0
        self.delivery = Delivery(
            database, self.channels, transports, LocalPacer(), Files(database, media_dir), Metrics(), tell=self.tell
        )
        self.pipeline = Pipeline(database)
        self.channel_id: UUID | None = None

    async def message(self) -> UUID:
        """One answer that is due: the only part of its turn."""
        if self.channel_id is None:
            self.channel_id = (await self.channels.add(NEW)).id
        conversation_id = await self.pipeline.conversation(channel_id=self.channel_id)
        turn_id = await self.pipeline.turn(conversation_id, state="ready")
        return await self.pipeline.outbound(conversation_id, turn_id=turn_id)

    def tell(self) -> None:
        self.told += 1

    async def claim(self) -> Leaving:
        (leaving,) = await self.delivery.claim(10)
        return leaving

    async def send(self) -> None:
        await self.delivery.handle(await self.claim())

    async def row(self, outbound_id: UUID) -> Any:
        return await self.pipeline.row(outbound_messages, outbound_id)


@pytest.fixture(params=BOTH)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with migrated(request, tmp_path) as database:
        bench = Bench(database, tmp_path / "media")
        async with bench.delivery:
            yield bench


async def test_a_message_is_sent_with_its_mark_and_ends_its_turn(bench: Bench) -> None:
    outbound_id = await bench.message()
    await bench.send()
    row = await bench.row(outbound_id)
    assert (row.state, row.wamid) == (State.SENT, "wamid.1")
    assert [mark for mark, _ in bench.meta.received] == [f"ob:{row.attempt_id}"]
    assert (await bench.pipeline.row(turns, row.turn_id)).state == TurnState.DONE


async def test_the_end_of_a_send_tells_who_delivers_only_if_another_message_stood_behind_it(bench: Bench) -> None:
    first = await bench.row(await bench.message())
    await bench.send()
    assert bench.told == 0
    turn_id = await bench.pipeline.turn(first.conversation_id, state="ready")
    parts = [await bench.pipeline.outbound(first.conversation_id, turn_id=turn_id, part=part) for part in range(2)]
    await bench.send()
    assert bench.told == 1
    await bench.send()
    assert bench.told == 1
    assert [(await bench.row(part)).state for part in parts] == [State.SENT, State.SENT]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SendUnknown("timeout"), State.UNKNOWN),
        (SendUnknown("http_503", 2), State.UNKNOWN),
        (SendNotAttempted("refused"), State.RETRY),
        (rejected(130429, retry_after_seconds=3), State.RETRY),
        (rejected(131056, retry_after_seconds=3), State.RETRY),
        (rejected(131026), State.FAILED),
        (rejected(131047), State.FAILED),
        (rejected(190), State.RETRY),
    ],
    ids=str,
)
async def test_what_became_of_an_attempt_decides_what_comes_next(bench: Bench, error: Exception, state: State) -> None:
    outbound_id = await bench.message()
    bench.meta.fails(error)
    await bench.send()
    row = await bench.row(outbound_id)
    assert row.state == state
    assert row.reason
    assert len(bench.meta.received) == 1
    assert await bench.delivery.claim(10) == []


async def test_a_refused_token_stops_the_channel_and_keeps_the_message(bench: Bench) -> None:
    outbound_id = await bench.message()
    bench.meta.fails(rejected(190))
    await bench.send()
    assert bench.channel_id is not None
    assert (await bench.pipeline.row(channels, bench.channel_id)).stopped_at is not None
    await bench.channels.resume(bench.channel_id)
    bench.meta.answer = lambda: Accepted("wamid.after")
    await bench.send()
    row = await bench.row(outbound_id)
    assert (row.state, row.attempt, row.wamid) == (State.SENT, 2, "wamid.after")


async def test_a_transient_refusal_is_tried_again_a_limited_number_of_times(bench: Bench) -> None:
    outbound_id = await bench.message()
    bench.meta.fails(rejected(131016, retry_after_seconds=0))
    for _ in range(10):
        await bench.pipeline.change(outbound_messages, outbound_id, due_at=(await bench.row(outbound_id)).created_at)
        for leaving in await bench.delivery.claim(10):
            await bench.delivery.handle(leaving)
    row = await bench.row(outbound_id)
    assert row.state == State.FAILED
    assert row.attempt == len(bench.meta.received) == rule_for(131016).retry.most_tries  # type: ignore[union-attr]


async def test_a_channel_that_is_gone_or_of_an_unknown_kind_makes_no_unconfirmed_message(bench: Bench) -> None:
    gone, strange = await bench.message(), await bench.message()
    first, second = await bench.delivery.claim(10)
    other = await bench.pipeline.channel(kind="carrier_pigeon")
    await bench.channels.refresh()
    await bench.delivery.handle(msgspec.structs.replace(first, channel_id=first.id))
    await bench.delivery.handle(msgspec.structs.replace(second, channel_id=other))
    assert (await bench.row(gone)).state == State.FAILED
    assert (await bench.row(strange)).state == State.RETRY
    assert bench.meta.received == []


async def test_a_stop_in_the_middle_of_a_send_waits_for_its_end_and_writes_it_down(bench: Bench) -> None:
    outbound_id = await bench.message()
    bench.meta.go.clear()
    handling = asyncio.create_task(bench.delivery.handle(await bench.claim()))
    await bench.meta.entered.wait()
    handling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handling
    leaving = asyncio.create_task(bench.delivery.__aexit__())
    await asyncio.sleep(0)
    bench.meta.go.set()
    await leaving
    assert (await bench.row(outbound_id)).state == State.SENT
    await bench.delivery.__aenter__()


async def test_a_process_that_slept_too_long_does_not_send(bench: Bench) -> None:
    outbound_id = await bench.message()
    leaving = await bench.claim()
    bench.delivery._claimed_at[leaving.attempt_id] -= 9
    await bench.delivery.handle(leaving)
    assert bench.meta.received == []
    row = await bench.row(outbound_id)
    assert (row.state, row.attempt_id) == (State.RETRY, leaving.attempt_id)

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, DatabaseUnavailable
from app.core.ids import new_id
from app.whatsapp.inbound import InboundMessage
from app.whatsapp.ingest import Fact, Ingest, retry
from app.whatsapp.models import channels, inbound_events
from tests.builders import whatsapp as wire
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases

PAST = datetime(2026, 1, 1, tzinfo=UTC)
CHANNEL = new_id()


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What is logged, unrendered: a trace of these deep stacks takes seconds to print."""
    with structlog.testing.capture_logs() as entries:
        yield entries


class Numbers:
    """The channels: one number is ours, and one makes whoever asks for it fail."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    async def by_number(self, number: str) -> Any:
        if number == "poison":
            raise self.failure or RuntimeError("a mistake of ours")
        return SimpleNamespace(id=CHANNEL) if number == wire.NUMBER_ID else None


class Taker:
    """Makes a channel row of each message, so that what was undone can be seen. A text "poison" fails."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failures: list[Exception] = []
        self.forgot = 0

    async def __call__(self, connection: AsyncConnection, facts: Sequence[Fact], *, now: datetime) -> None:
        texts = [fact.item.text for fact in facts if isinstance(fact.item, InboundMessage)]
        self.calls.append(texts)
        for text in texts:
            await connection.execute(
                channels.insert().values(id=new_id(), kind="c", name=text, source="p", phone_number_id=str(new_id()))
            )
            if self.failures:
                raise self.failures.pop(0)
            if text == "poison":
                await connection.execute(sa.text("INSERT INTO channels (id) VALUES (NULL)"))

    def forget(self) -> None:
        self.forgot += 1


class Bench:
    """An ingest whose facts become rows."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.taker = Taker()
        self.numbers = Numbers()
        self.ingest = Ingest(database, self.numbers, self.taker, self.taker.forget)  # type: ignore[arg-type]
        self._pipeline = Pipeline(database)

    async def event(self, body: bytes, **values: Any) -> UUID:
        return await self._pipeline.event(body, **values)

    async def text(self, *texts: str, **values: Any) -> UUID:
        items = [wire.text(text, wamid=f"wamid.{text}.{number}") for number, text in enumerate(texts)]
        return await self.event(wire.webhook(wire.messages(*items)), **values)

    async def work(self) -> int:
        claimed = await self.ingest.claim(200)
        await self.ingest.handle(claimed)
        return len(claimed)

    async def states(self) -> list[str]:
        return [row.state for row in await rows(self.database, inbound_events)]

    async def taken(self) -> list[str]:
        return [row.name for row in await rows(self.database, channels)]

    async def reason(self, event_id: UUID) -> str:
        return str((await self._pipeline.row(inbound_events, event_id)).reason)

    async def expire(self) -> None:
        async with self.database.write() as connection:
            await connection.execute(sa.update(inbound_events).values(due_at=PAST))


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_a_batch_is_one_unit_of_work(bench: Bench) -> None:
    for text in ("a", "b", "c"):
        await bench.text(text)
    assert await bench.work() == 3
    assert await bench.states() == ["done"] * 3
    assert bench.taker.calls == [["a", "b", "c"]]
    assert await bench.work() == 0


async def test_no_event_is_no_work(bench: Bench) -> None:
    await bench.ingest.handle([])
    assert await bench.work() == 0


async def test_a_poisonous_event_does_not_cost_its_neighbours(bench: Bench, logged: list[Any]) -> None:
    for text in ("a", "poison", "b"):
        await bench.text(text)
    await bench.work()
    assert await bench.states() == ["done", "dead", "done"]
    assert await bench.taken() == ["a", "b"]
    failures = [entry for entry in logged if "exc_info" in entry]
    assert [entry["event"] for entry in failures] == ["ingest.batch_failed", "ingest.item_failed"]
    assert all("poison" not in str(entry["exc_info"]) for entry in failures), "a log line holds what somebody wrote"


async def test_a_poisonous_item_does_not_cost_its_neighbours_of_the_same_webhook(bench: Bench) -> None:
    event_id = await bench.text("a", "poison", "b")
    await bench.work()
    assert await bench.taken() == ["a", "b"]
    assert await bench.states() == ["dead"]
    assert "IntegrityError" in await bench.reason(event_id)
    assert bench.taker.forgot >= 2


@pytest.mark.parametrize("claims", [0, 1])
async def test_an_event_that_cannot_even_be_read_does_not_cost_its_neighbours(bench: Bench, claims: int) -> None:
    await bench.text("a", claims=claims)
    poison = await bench.event(wire.webhook(wire.messages(wire.text(), number_id="poison")), claims=claims)
    await bench.text("b", claims=claims)
    await bench.work()
    assert await bench.states() == ["done", "dead", "done"]
    assert "RuntimeError" in await bench.reason(poison)


async def test_what_is_no_webhook_is_dead_with_its_reason(bench: Bench) -> None:
    event_id = await bench.event(b"not json")
    await bench.work()
    assert await bench.states() == ["dead"]
    assert await bench.reason(event_id) == "not_json"


async def test_an_unknown_number_is_kept_with_its_reason_and_can_be_tried_again(bench: Bench) -> None:
    event_id = await bench.event(wire.webhook(wire.messages(wire.text(), number_id="999")))
    await bench.work()
    assert await bench.states() == ["dead"]
    assert "999" in await bench.reason(event_id)
    assert await retry(bench.database, event_id)
    assert await bench.states() == ["pending"]
    assert await bench.work() == 1


async def test_only_what_is_dead_can_be_tried_again(bench: Bench) -> None:
    event_id = await bench.text("a")
    assert not await retry(bench.database, event_id)
    assert not await retry(bench.database, new_id())


async def test_a_number_of_another_channel_than_the_address_is_refused(bench: Bench) -> None:
    event_id = await bench.text("a", channel_id=new_id())
    await bench.work()
    assert "another channel" in await bench.reason(event_id)
    assert await bench.taken() == []


async def test_an_event_that_was_claimed_three_times_without_an_outcome_is_dead(bench: Bench) -> None:
    event_id = await bench.text("a")
    for _ in range(3):
        assert len(await bench.ingest.claim(10)) == 1  # and the process dies
        await bench.expire()
    await bench.work()
    assert await bench.states() == ["dead"]
    assert "given up" in await bench.reason(event_id)
    assert await bench.taken() == []


async def test_an_event_that_may_have_ended_a_process_is_handled_by_itself(bench: Bench) -> None:
    await bench.text("fresh")
    await bench.text("suspect", claims=1)
    await bench.work()
    assert bench.taker.calls == [["fresh"], ["suspect"]]
    assert await bench.states() == ["done", "done"]


async def test_a_database_that_gives_up_is_tried_again_before_the_lease_ends(bench: Bench) -> None:
    await bench.text("a")
    await bench.text("b")
    bench.taker.failures = [DatabaseUnavailable("a deadlock")]
    await bench.work()
    assert await bench.states() == ["done", "done"]
    assert bench.taker.forgot == 1


async def test_a_database_that_is_away_is_no_fault_of_the_events(bench: Bench) -> None:
    await bench.text("a")
    await bench.text("b")
    bench.taker.failures = [DatabaseUnavailable("away")] * 3
    with pytest.raises(DatabaseUnavailable):
        await bench.work()
    assert await bench.states() == ["pending", "pending"]
    assert await bench.taken() == []
    assert bench.taker.forgot == 3
    await bench.expire()
    await bench.work()
    assert await bench.states() == ["done", "done"]


async def test_a_database_that_goes_while_items_are_tried_one_by_one_makes_no_dead_letter(bench: Bench) -> None:
    await bench.text("a", "b", claims=1)
    bench.taker.failures = [DatabaseUnavailable("away")]
    with pytest.raises(DatabaseUnavailable):
        await bench.work()
    assert await bench.states() == ["pending"]
    assert await bench.taken() == []


async def test_a_lock_that_takes_too_long_is_no_poison(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as database:
            bench = Bench(database)
            await bench.text("a", claims=1)

            async def slow(connection: AsyncConnection, facts: Sequence[Fact], *, now: datetime) -> None:
                await connection.execute(sa.text("SET LOCAL lock_timeout = '20ms'"))
                await connection.execute(sa.text("LOCK TABLE media IN EXCLUSIVE MODE"))

            ingest = Ingest(database, bench.numbers, slow, bench.taker.forget)  # type: ignore[arg-type]
            async with database.write() as other:
                await other.execute(sa.text("LOCK TABLE media IN EXCLUSIVE MODE"))
                with pytest.raises(DatabaseUnavailable):
                    await ingest.handle(await ingest.claim(10))
            assert await bench.states() == ["pending"]


async def test_a_cancelled_batch_stores_nothing_and_forgets_what_it_learned(bench: Bench) -> None:
    await bench.text("a")
    inside = asyncio.Event()

    async def hang(connection: AsyncConnection, facts: Sequence[Fact], *, now: datetime) -> None:
        inside.set()
        await asyncio.Event().wait()

    ingest = Ingest(bench.database, bench.numbers, hang, bench.taker.forget)  # type: ignore[arg-type]
    task = asyncio.create_task(ingest.handle(await ingest.claim(10)))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.states() == ["pending"]
    assert bench.taker.forgot == 1


async def test_an_event_that_somebody_else_has_claimed_since_is_not_taken_twice(bench: Bench) -> None:
    await bench.text("a")
    await bench.text("b")
    claimed = await bench.ingest.claim(10)
    await bench.expire()
    again = await bench.ingest.claim(1)
    await bench.ingest.handle(claimed)
    assert await bench.taken() == ["b"]
    await bench.ingest.handle(again)
    assert sorted(await bench.taken()) == ["a", "b"]
    assert await bench.states() == ["done", "done"]


async def test_processes_share_the_events_and_take_each_once(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            benches = [Bench(one), Bench(other)]
            texts = [f"t{number}" for number in range(120)]
            for text in texts:
                await benches[0].text(text)

            async def work(bench: Bench) -> None:
                while claimed := await bench.ingest.claim(7):
                    await bench.ingest.handle(claimed)

            await asyncio.gather(*(work(bench) for bench in benches * 3))
            assert sorted(await benches[0].taken()) == sorted(texts)
            assert set(await benches[0].states()) == {"done"}


async def test_one_claim_takes_the_oldest_first_and_no_more_than_it_was_asked_for(bench: Bench) -> None:
    ids = [await bench.text(str(number)) for number in range(9)]
    assert [event.id for event in await bench.ingest.claim(4)] == ids[:4]
    assert [event.id for event in await bench.ingest.claim(100)] == ids[4:]

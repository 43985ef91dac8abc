import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.conversations.models import conversations, turns
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.models import delivery_statuses, outbound_messages
from app.outbound.states import State
from app.outbound.statuses import Told, record_statuses, tracker
from app.whatsapp.inbound import Pricing, WireProblem
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, migrated, rows, sqlite_copy, told
from tests.databases import PostgresDatabases

WORDS = ("sent", "delivered", "read", "failed")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


class Sent:
    """A message of which WhatsApp tells."""

    def __init__(self, database: Database, outbound_id: UUID, channel_id: UUID, attempt_id: UUID) -> None:
        self.database = database
        self.id = outbound_id
        self.channel_id = channel_id
        self.tracker = tracker(attempt_id)

    def status(self, word: str, **members: Any) -> Told:
        return told(self.channel_id, word, **({"wamid": f"wamid.{self.id}", "tracker": self.tracker} | members))

    async def row(self) -> Any:
        return await Pipeline(self.database).row(outbound_messages, self.id)


async def sent(database: Database, pipeline: Pipeline, **values: Any) -> Sent:
    conversation_id = await pipeline.conversation()
    turn_id = await pipeline.turn(conversation_id, state="sending")
    attempt_id = new_id()
    given_values: dict[str, Any] = {"state": "sent", "attempt": 1, "attempt_id": attempt_id, "turn_id": turn_id}
    outbound_id = await pipeline.outbound(conversation_id, **(given_values | values))
    channel_id = (await pipeline.row(conversations, conversation_id)).channel_id
    return Sent(database, outbound_id, channel_id, attempt_id)


async def tell(database: Database, *statuses: Told) -> int:
    async with database.write() as connection:
        return await record_statuses(connection, statuses, now=await database.now(connection))


def shown(words: set[str]) -> State:
    """What the state must be after these words, in whatever order they came: the model."""
    return State.FAILED if "failed" in words and not words & {"delivered", "read"} else State.SENT


async def test_no_status_is_nothing(database: Database) -> None:
    assert await tell(database) == 0


@pytest.mark.parametrize("words", list(itertools.permutations(WORDS)), ids="-".join)
async def test_facts_are_the_same_in_every_order_on_sqlite(
    words: tuple[str, ...], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with Database(f"sqlite:///{await sqlite_copy(tmp_path_factory, tmp_path)}") as database:
        one = await sent(database, Pipeline(database), state="processing")
        told_so_far: set[str] = set()
        for word in words:
            at = NOW + timedelta(seconds=WORDS.index(word))
            assert await tell(database, one.status(word, at=at)) == 1
            told_so_far.add(word)
            assert (await one.row()).state == shown(told_so_far)
        row = await one.row()
    assert (row.sent_at, row.delivered_at, row.read_at, row.failed_at) == tuple(
        NOW + timedelta(seconds=number) for number in range(4)
    )
    assert row.reason is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_batches_in_any_order_with_repetitions_end_the_same(
    data: st.DataObject, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    cuts = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    state = data.draw(st.sampled_from(["processing", "unknown", "retry", "sent"]))

    async def play() -> tuple[str, int]:
        async with Database(f"sqlite:///{await sqlite_copy(tmp_path_factory, tmp_path)}") as database:
            one = await sent(database, Pipeline(database), state=state)
            batch: list[Told] = []
            new = 0
            for word, cut in zip(words, cuts, strict=True):
                batch.append(one.status(word))
                if cut:
                    new += await tell(database, *batch)
                    batch = []
            new += await tell(database, *batch)
            return (await one.row()).state, new

    assert asyncio.run(play()) == (shown(set(words)), len(set(words)))


async def test_the_same_status_again_changes_nothing(database: Database) -> None:
    one = await sent(database, Pipeline(database))
    first = one.status("delivered", at=NOW)
    assert await tell(database, first, first) == 1
    assert await tell(database, one.status("delivered", at=NOW + timedelta(hours=1))) == 0
    assert (await one.row()).delivered_at == NOW


async def test_failed_says_why_and_is_withdrawn_when_the_message_arrives_after_all(database: Database) -> None:
    one = await sent(database, Pipeline(database))
    await tell(database, one.status("failed", problems=(WireProblem(131026, "Message undeliverable"),)))
    row = await one.row()
    assert (row.state, "131026" in row.reason) == (State.FAILED, True)
    await tell(database, one.status("delivered"))
    row = await one.row()
    assert (row.state, row.reason) == (State.SENT, None)
    assert row.failed_at is not None


@pytest.mark.parametrize("state", ["processing", "unknown", "retry"])
@pytest.mark.parametrize(
    ("word", "ends"), [("sent", TurnState.DONE), ("read", TurnState.DONE), ("failed", TurnState.FAILED)]
)
async def test_a_status_settles_what_was_not_confirmed_and_ends_its_turn(
    database: Database, state: str, word: str, ends: TurnState
) -> None:
    one = await sent(database, Pipeline(database), state=state)
    await tell(database, one.status(word))
    assert (await one.row()).state == shown({word})
    assert (await one.row()).wamid == f"wamid.{one.id}"
    assert (await rows(database, turns))[0].state == ends


async def test_a_status_without_our_mark_is_matched_by_its_wamid(database: Database) -> None:
    one = await sent(database, Pipeline(database), wamid="wamid.known")
    await tell(database, one.status("read", wamid="wamid.known", tracker=None))
    assert (await one.row()).read_at is not None


@pytest.mark.parametrize("mark", [None, "ob:", "ob:nonsense", "somebody else's", "ob:" + "0" * 500])
async def test_a_status_that_names_nothing_of_ours_is_kept_as_an_orphan(database: Database, mark: str | None) -> None:
    one = await sent(database, Pipeline(database))
    assert await tell(database, one.status("delivered", wamid="wamid.other", tracker=mark)) == 1
    assert (await one.row()).delivered_at is None
    assert (await rows(database, delivery_statuses))[0].outbound_id is None


async def test_a_status_with_our_mark_brings_those_that_came_before_it_without_one(database: Database) -> None:
    one = await sent(database, Pipeline(database), state="unknown")
    await tell(database, one.status("failed", tracker=None))
    assert (await one.row()).state == State.UNKNOWN
    await tell(database, one.status("sent"))
    assert (await one.row()).state == State.FAILED
    assert {row.outbound_id for row in await rows(database, delivery_statuses)} == {one.id}
    assert (await rows(database, turns))[0].state == TurnState.FAILED


async def test_a_mark_counts_on_its_own_channel_only(database: Database) -> None:
    pipeline = Pipeline(database)
    one, other = await sent(database, pipeline), await pipeline.channel()
    await tell(database, told(other, "failed", wamid="wamid.forged", tracker=one.tracker))
    assert (await one.row()).state == State.SENT


async def test_statuses_of_many_messages_reach_each_its_own(database: Database) -> None:
    pipeline = Pipeline(database)
    many = [await sent(database, pipeline, state="processing") for _ in range(60)]
    half = len(many) // 2
    statuses = [one.status("delivered") for one in many[:half]] + [one.status("failed") for one in many[half:]]
    assert await tell(database, *reversed(statuses)) == 60
    assert [(await one.row()).state for one in many] == [State.SENT] * half + [State.FAILED] * half


async def test_a_word_that_is_new_to_us_is_kept_and_shows_that_whatsapp_has_it(database: Database) -> None:
    one = await sent(database, Pipeline(database), state="unknown")
    await tell(database, one.status("pondered"))
    assert (await one.row()).state == State.SENT


async def test_the_price_is_kept(database: Database) -> None:
    one = await sent(database, Pipeline(database))
    await tell(database, one.status("sent", pricing=Pricing(billable=True, model="PMP", category="service")))
    await tell(database, one.status("delivered"))
    assert '"category":"service"' in (await one.row()).pricing


async def test_processes_that_are_told_the_same_in_another_order_do_not_wait_for_each_other(
    postgres_template: PostgresDatabases,
) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            pipeline = Pipeline(one)
            many = [await sent(one, pipeline, wamid=None) for _ in range(30)]

            async def flood(database: Database, order: list[Sent]) -> int:
                return sum([await tell(database, *(s.status(word) for s in order)) for word in WORDS[:3]])

            new = await asyncio.gather(flood(one, many), flood(other, many[::-1]), flood(one, many[::2] + many[1::2]))
            assert sum(new) == 90
            assert all(row.read_at is not None for row in await rows(one, outbound_messages))


async def attention(database: Database) -> list[str | None]:
    return [row.attention for row in await rows(database, conversations)]


async def test_a_failure_after_acceptance_calls_for_a_person(database: Database) -> None:
    one = await sent(database, Pipeline(database), wamid="wamid.x")
    await tell(database, one.status("sent"))
    assert await attention(database) == [None]
    await tell(database, one.status("failed"))
    assert await attention(database) == ["send_failed"]


async def test_a_failure_of_what_has_arrived_calls_for_nobody(database: Database) -> None:
    one = await sent(database, Pipeline(database))
    await tell(database, one.status("delivered"))
    await tell(database, one.status("failed"))
    assert await attention(database) == [None]


async def test_a_failure_does_not_hide_another_reason_to_look(database: Database) -> None:
    pipeline = Pipeline(database)
    one = await sent(database, pipeline)
    await pipeline.change(conversations, (await one.row()).conversation_id, attention="model_refused")
    await tell(database, one.status("failed"))
    assert await attention(database) == ["model_refused"]

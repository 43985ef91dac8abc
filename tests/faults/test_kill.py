"""kill -9 of random processes under load: nothing acknowledged is lost, nobody is answered twice.

The judge reads the simulator's ledger, which no kill touches, and the database; it never asks the product. A run can be
repeated with KILL_SEED, as far as the moments at which processes die can be.
"""

import asyncio
import os
import random
import re
import sqlite3
from asyncio import to_thread
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.conversations.models import messages, turns
from app.outbound.models import outbound_messages
from app.simulator.ledger import Acknowledged, Received, read_ledger
from app.whatsapp.models import inbound_events
from tests.builders.journeys import Journey, Json, eventually, travelling
from tests.databases import PostgresDatabases
from tests.faults.processes import Mostrador, shown_on_failure
from tests.journeys.model import environ, running_model
from tests.servers import RedisServer, ServerUnavailable

KILLS = 15
PACE_SECONDS = 0.15
MENU: list[Json] = [
    {"kind": "timeout_after_accept", "probability": 0.03},
    {"kind": "error", "code": 131056, "status": 429, "probability": 0.04},
    {"kind": "server_error", "probability": 0.01},
    {"kind": "server_error_after_accept", "probability": 0.01},
    {"kind": "duplicate_webhook", "probability": 0.15},
    {"kind": "reorder_webhooks", "probability": 0.2},
]
ENDED = ("done", "handed_off", "ignored", "failed", "superseded")

pytestmark = pytest.mark.kill


@pytest.mark.postgres
@pytest.mark.redis
async def test_killing_web_and_jobs_loses_nothing_and_answers_nobody_twice(
    tmp_path: Path, postgres_template: PostgresDatabases, redis_of_our_own: str
) -> None:
    with running_model() as model, postgres_template.fresh() as url:
        house = Mostrador(
            tmp_path,
            database_url=url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs-1", "jobs-2"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await torment(house, customers=30, rounds=5, kills=KILLS)


async def test_killing_the_one_process_on_sqlite_loses_nothing_and_answers_nobody_twice(tmp_path: Path) -> None:
    with running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await torment(house, customers=20, rounds=5, kills=KILLS // 3)
            with sqlite3.connect(house.database_url.removeprefix("sqlite:///")) as file:
                assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def redis_of_our_own() -> Iterator[str]:
    """URL of a Redis that no other test empties."""
    try:
        server = RedisServer()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    server.start()
    yield f"{server.url}/0"
    server.stop()


async def torment(house: Mostrador, *, customers: int, rounds: int, kills: int) -> None:
    """Let customers write while processes die; then let everything settle, and judge."""
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    chance = random.Random(seed)  # noqa: S311 - chooses victims
    await to_thread(house.start)
    async with travelling(house) as journey:
        await journey.faults(*MENU, seed=seed)
        killing = asyncio.create_task(kill(house, chance, kills))
        await talk(journey, customers, rounds, chance, until=killing)
        await killing
        await die_and_come_back(journey)
        await settled(journey)
        await Judge(journey).check(written=customers * rounds)


async def talk(
    journey: Journey, customers: int, rounds: int, chance: random.Random, *, until: asyncio.Task[None]
) -> None:
    """Let everybody write, at a pace that keeps messages coming while processes die."""
    people = [journey.customer() for _ in range(customers)]
    for number in range(rounds):
        for person in chance.sample(people, len(people)):
            await person.writes(f"m{person.key}x{number}")
            if not until.done():
                await asyncio.sleep(chance.uniform(0, PACE_SECONDS))  # how people write, not a wait for something


async def kill(house: Mostrador, chance: random.Random, kills: int) -> None:
    """Kill any process at any moment. Where there is but one, it is up again before it dies again."""
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.1, 0.9))  # when death comes, not a wait for something
        role = chance.choice(list(house.children))
        await to_thread(house.children[role].kill)
        house.restart(role)
        if len(house.children) == 1:
            await to_thread(house.until_ready)


async def die_and_come_back(journey: Journey) -> None:
    """Kill everything at once, let the half minute pass for which the dead held what they did, and start again."""
    house = journey.house
    for child in house.children.values():
        await to_thread(child.kill)
    past = sa.text("'2000-01-01 00:00:00.000000'" if "sqlite" in house.database_url else "now() - interval '1 second'")
    for table, state in ((turns, "thinking"), (outbound_messages, "processing"), (inbound_events, "pending")):
        await journey.change(sa.update(table).where(table.c.state == state).values(due_at=past))
    await journey.faults()
    for role in house.children:
        house.restart(role)
    await to_thread(house.until_ready)


async def settled(journey: Journey) -> None:
    """Wait until nothing is under way any more, neither here nor at Meta."""
    await journey.all_webhooks_acknowledged()

    async def under_way() -> list[tuple[str, str]]:
        o = outbound_messages.c
        parked = sa.exists().where(o.turn_id == turns.c.id, o.state == "unknown")
        open_ones = {
            "events": sa.select(inbound_events.c.id).where(inbound_events.c.state == "pending"),
            "turns": sa.select(turns.c.id).where(turns.c.state.not_in(ENDED), ~parked),
            "outbound": sa.select(o.id).where(o.state.in_(("pending", "processing", "retry"))),
        }
        return [(name, str(row.id)) for name, query in open_ones.items() for row in await journey.rows(query)]

    await eventually(under_way, lambda found: not found, within_seconds=40)


class Judge:
    """Compares what customers received with what Meta was told had arrived, and with the database."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        records = list(read_ledger(journey.house.meta.ledger))
        self.received = [record for record in records if isinstance(record, Received)]
        acknowledged = [record for record in records if isinstance(record, Acknowledged)]
        self.acknowledged = {wamid for record in acknowledged for wamid in record.messages}

    async def check(self, *, written: int) -> None:
        inbound = {row.wamid: row for row in await self._rows(messages, messages.c.author == "customer")}
        outbound = {row.id: row for row in await self._rows(outbound_messages)}
        ended = {row.id: row for row in await self._rows(turns)}
        assert len(self.acknowledged) == written
        assert self.acknowledged == set(inbound), "what was acknowledged is what is stored, once"
        self._nobody_was_answered_twice()
        self._order_was_kept(outbound)
        self._the_ledger_says_what_the_database_says(outbound)
        for row in inbound.values():
            assert self._has_an_end(row, ended, outbound), (row.text, ended.get(row.turn_id))
        assert {row.state for row in outbound.values()} <= {"sent", "failed", "superseded", "unknown"}

    def _nobody_was_answered_twice(self) -> None:
        answered = Counter(text for entry in self.received for text in re.findall(r"m\d+x\d+", entry.body))
        assert [text for text, count in answered.items() if count > 1] == []
        assert [
            tracker for tracker, count in Counter(entry.tracker for entry in self.received).items() if count > 1
        ] == []

    def _order_was_kept(self, outbound: dict[UUID, sa.Row[tuple[object, ...]]]) -> None:
        place = {row.attempt_id: row.id for row in outbound.values()}
        by_customer: dict[str, list[UUID]] = {}
        for entry in self.received:
            by_customer.setdefault(entry.to, []).append(place[_attempt(entry)])
        assert [customer for customer, ids in by_customer.items() if ids != sorted(ids)] == []

    def _the_ledger_says_what_the_database_says(self, outbound: dict[UUID, sa.Row[tuple[object, ...]]]) -> None:
        sent = {row.attempt_id for row in outbound.values() if row.state == "sent"}
        assert sent == {_attempt(entry) for entry in self.received}, "also: nothing unknown had been received"

    def _has_an_end(
        self,
        row: sa.Row[tuple[object, ...]],
        ended: dict[UUID, sa.Row[tuple[object, ...]]],
        outbound: dict[UUID, sa.Row[tuple[object, ...]]],
    ) -> bool:
        turn = ended.get(row.turn_id)
        if turn is None:
            return False
        is_parked = any(one.turn_id == turn.id and one.state == "unknown" for one in outbound.values())
        return turn.state == "done" or is_parked or (turn.state in ENDED and turn.reason is not None)

    async def _rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.Row[tuple[object, ...]]]:
        return await self._journey.rows(sa.select(*table.c).where(*where))


def _attempt(entry: Received) -> UUID:
    assert entry.tracker is not None
    return UUID(entry.tracker.removeprefix("ob:"))

"""T20: a hundred people write, forty colleagues read, ten browsers listen, for a minute (half of one on SQLite)."""

import asyncio
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.models import messages
from tests.builders.journeys import travelling
from tests.faults.crowd import Crowd, percentile_ms
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

SECONDS = {"sqlite": 30.0, "postgresql": 60.0}
LONGEST_P95_MS = 1000.0
BUSY_LOAD_AVERAGE = 3.0  # above it the machine has other things to do, and times say nothing


@pytest.mark.parametrize("form", ["sqlite", "postgresql"])
async def test_t20_a_hundred_and_fifty_users_for_a_minute(
    tmp_path: Path, form: str, request: pytest.FixtureRequest
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T20 150 users", form, seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        if form == "postgresql":
            house = Mostrador(
                tmp_path,
                database_url=request.getfixturevalue("durable_url"),
                redis_url=request.getfixturevalue("redis_of_our_own"),
                roles=("serve", "jobs", "scheduler"),
                environ=environ(model),
            )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                people = [journey.customer() for _ in range(200)]
                for person in people:
                    await person.writes("hello")
                await settled(journey)
                crowd = Crowd(journey, people, chance)
                await journey.token()
                await crowd.act(writers=100, readers=40, listeners=10, seconds=SECONDS[form], think_seconds=1.0)
                await settled(journey, 60)
                latency = Judge(journey)
                told.add(
                    webhooks=len(crowd.webhook_seconds),
                    webhook_p50_ms=percentile_ms(crowd.webhook_seconds, 0.50),
                    webhook_p95_ms=percentile_ms(crowd.webhook_seconds, 0.95),
                    webhook_p99_ms=percentile_ms(crowd.webhook_seconds, 0.99),
                    reads=len(crowd.read_seconds),
                    read_p95_ms=percentile_ms(crowd.read_seconds, 0.95),
                    live_events=crowd.heard,
                    answers=len(latency.received),
                    load_average_after=round(os.getloadavg()[0], 1),
                )
                assert set(crowd.answers) == {"webhook 200", "read 200"}, crowd.answers
                stored = await journey.rows(sa.select(messages.c.wamid).where(messages.c.wamid.like("wamid.crowd.%")))
                assert sorted(row.wamid for row in stored) == sorted(crowd.written), "nothing lost, nothing doubled"
                assert crowd.heard > len(crowd.written), "every browser hears of what happens"
                if told.load_average < BUSY_LOAD_AVERAGE:
                    assert percentile_ms(crowd.webhook_seconds, 0.95) < LONGEST_P95_MS
                    assert percentile_ms(crowd.read_seconds, 0.95) < LONGEST_P95_MS
                await verified(house)

"""T4: PostgreSQL is frozen, crashes, and throws everybody out."""

import asyncio
import time
from pathlib import Path

import asyncpg
import pytest

from tests.builders.journeys import Journey, eventually, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model
from tests.servers import PostgresServer

pytestmark = [pytest.mark.faults_long, pytest.mark.timeout(420)]

FROZEN_SECONDS = 8
BACK_WITHIN_SECONDS = 5.0  # P27: after it takes connections again


async def test_t4_postgresql_freezes_crashes_and_throws_everybody_out(
    tmp_path: Path, durable_postgres: PostgresServer, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T4 PostgreSQL", "postgresql redis", seed) as told, running_model() as model:
        house = Mostrador(
            tmp_path,
            database_url=durable_url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs-1", "jobs-2", "scheduler"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                talking = asyncio.create_task(talk(journey, 25, 16, chance, pace_seconds=0.2))
                await asyncio.sleep(2)
                durable_postgres.pause()
                await asyncio.sleep(FROZEN_SECONDS)
                durable_postgres.resume()
                back = [await _first_acknowledgement(journey)]
                for _ in range(3):
                    await asyncio.to_thread(durable_postgres.crash)
                    await asyncio.sleep(1)
                    await asyncio.to_thread(durable_postgres.restart)
                    back.append(await _first_acknowledgement(journey))
                thrown = await _throw_everybody_out(durable_postgres.url)
                written = await talking
                await settled(journey, 90)
                told.add(frozen_seconds=FROZEN_SECONDS, crashes=3, connections_ended=thrown)
                told.add(first_200_after_seconds=[round(one, 2) for one in back])
                told.add(**await Judge(journey).check(written=written + len(back)))
                assert max(back) <= BACK_WITHIN_SECONDS
                await verified(house)


async def _first_acknowledgement(journey: Journey) -> float:
    """Write, and return after how many seconds that was acknowledged."""
    started = time.monotonic()
    customer = journey.customer()
    wamid = await customer.writes(f"m{customer.key}x0")

    async def acknowledged() -> bool:
        return wamid in Judge(journey).acknowledged

    await eventually(acknowledged, within_seconds=60)
    return time.monotonic() - started


async def _throw_everybody_out(url: str) -> int:
    connection = await asyncpg.connect(url)
    thrown = 0
    for _ in range(20):
        thrown += len(
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mostrador'"
            )
        )
        await asyncio.sleep(0.5)
    await connection.close()
    return thrown

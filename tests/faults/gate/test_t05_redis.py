"""T5: Redis is emptied, stopped and frozen. Nothing is lost, and nothing waits for it for longer than a moment."""

import asyncio
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model
from tests.servers import RedisServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

SLOWEST_SECONDS = 10.0  # one that met Redis at its worst: two calls of a second each, and a look a second


async def test_t5_redis_is_emptied_stopped_and_frozen_and_every_message_is_answered(
    tmp_path: Path, durable_url: str, private_redis: RedisServer
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T5 Redis", "postgresql redis", seed) as told, running_model() as model:
        house = Mostrador(
            tmp_path,
            database_url=durable_url,
            redis_url=f"{private_redis.url}/0",
            roles=("serve", "jobs-1", "jobs-2", "scheduler"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                talking = asyncio.create_task(talk(journey, 20, 10, chance, pace_seconds=0.2))
                for _ in range(20):
                    await asyncio.to_thread(private_redis.flush)
                    await asyncio.sleep(0.15)
                await asyncio.to_thread(private_redis.stop)
                await asyncio.sleep(6)
                await asyncio.to_thread(private_redis.start)
                await asyncio.sleep(1)
                private_redis.pause()
                await asyncio.sleep(5)
                private_redis.resume()
                written = await talking
                await settled(journey)
                judge = Judge(journey)
                told.add(flushes=20, away_seconds=6, frozen_seconds=5, **await judge.check(written=written))
                assert float(str(judge.latency()["answered_after_max_seconds"])) < SLOWEST_SECONDS
                await verified(house)

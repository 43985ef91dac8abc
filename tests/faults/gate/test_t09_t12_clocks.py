"""T9 and T12: workers whose clocks are an hour off, and workers that sleep for longer than their lease."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import ROOT, Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, stopped, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

LEASE_SECONDS = 30


async def test_t9_t12_clocks_an_hour_off_and_a_worker_that_sleeps_change_nothing(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T9 T12 clocks and sleep", "postgresql redis", seed) as told, running_model() as model:
        house = Mostrador(
            tmp_path,
            database_url=durable_url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs-1", "jobs-2", "jobs-3", "scheduler"),
            environ=environ(model) | {"PYTHONPATH": str(ROOT)},
            program=(sys.executable, "-m", "tests.faults.armed"),
        )
        house.children["jobs-1"].environ["SKEW_SECONDS"] = "3600"
        house.children["jobs-2"].environ["SKEW_SECONDS"] = "-3600"
        house.children["scheduler"].environ["SKEW_SECONDS"] = "3600"
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                model.latency_seconds = 1.0  # so that a worker that falls asleep holds something
                talking = asyncio.create_task(talk(journey, 20, 15, chance, pace_seconds=0.25))
                await asyncio.sleep(3)
                async with stopped(house, "jobs-3"):
                    await asyncio.sleep(LEASE_SECONDS + 8)
                written = await talking
                await settled(journey, 60)
                told.add(skew_seconds=3600, slept_seconds=LEASE_SECONDS + 8)
                told.add(**await Judge(journey).check(written=written))
                await verified(house)

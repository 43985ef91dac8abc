"""kill -9 of random processes under load: nothing acknowledged is lost, nobody is answered twice.

The judge reads the simulator's ledger, which no kill touches, and the database; it never asks the product. A run can be
repeated with FAULT_SEED, as far as the moments at which processes die can be. `make faults` does it longer and harder.
"""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.databases import PostgresDatabases
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import MENU, chance_of, chosen_seed, die_and_come_back, kill, settled, talk, verified
from tests.journeys.model import environ, running_model

KILLS = 15

pytestmark = pytest.mark.kill


@pytest.mark.postgres
@pytest.mark.redis
async def test_killing_web_jobs_and_scheduler_loses_nothing_and_answers_nobody_twice(
    tmp_path: Path, postgres_template: PostgresDatabases, redis_of_our_own: str
) -> None:
    with running_model() as model, postgres_template.fresh() as url:
        house = Mostrador(
            tmp_path,
            database_url=url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs-1", "jobs-2", "scheduler"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await torment(house, customers=30, kills=KILLS)


async def test_killing_the_one_process_on_sqlite_loses_nothing_and_answers_nobody_twice(tmp_path: Path) -> None:
    with running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await torment(house, customers=20, kills=KILLS // 3)
            with sqlite3.connect(house.database_url.removeprefix("sqlite:///")) as file:
                assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def torment(house: Mostrador, *, customers: int, kills: int) -> None:
    """Let customers write while processes die; then let everything settle, and judge."""
    seed = chosen_seed()
    chance = chance_of(seed)
    await asyncio.to_thread(house.start)
    async with travelling(house) as journey:
        await journey.faults(*MENU, seed=seed)
        killing = asyncio.create_task(kill(house, chance, kills))
        written = await talk(journey, customers, 5, chance, until=killing.done)
        await killing
        await die_and_come_back(journey)
        await settled(journey)
        await Judge(journey).check(written=written)
        await verified(house)

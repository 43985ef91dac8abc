"""T1 and T2: every process may die at any moment, and so may the database."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import MENU, chance_of, chosen_seed, kill, settled, talk, verified
from tests.journeys.model import environ, running_model
from tests.servers import PostgresServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

RECOVERED_SECONDS = 35 + 30  # P22, and as long again for a machine that has other things to do


async def test_t1_a_thousand_messages_survive_eighty_kills_and_two_crashes_of_postgresql(
    tmp_path: Path, durable_postgres: PostgresServer, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T1 kills", "postgresql redis", seed) as told, running_model() as model:
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
                await journey.faults(*MENU, seed=seed)

                async def destroy() -> dict[str, int]:
                    died: dict[str, int] = {}
                    for part in (27, 27, 26):
                        for role, times in (await kill(house, chance, part, (0.4, 1.2))).items():
                            died[role] = died.get(role, 0) + times
                        if part != 26:
                            await asyncio.to_thread(durable_postgres.crash)
                            await asyncio.to_thread(durable_postgres.restart)
                    return died

                killing = asyncio.create_task(destroy())
                written = await talk(journey, 40, 25, chance, pace_seconds=0.15, until=killing.done)
                died = await killing
                await journey.faults()
                await asyncio.to_thread(house.until_ready)
                await settled(journey, RECOVERED_SECONDS)
                told.add(kills=sum(died.values()), **died, crashes=2, **await Judge(journey).check(written=written))
                await verified(house)


async def test_t2_the_one_process_on_sqlite_survives_fifteen_kills(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T2 kills", "sqlite", seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                await journey.faults(*MENU, seed=seed)
                killing = asyncio.create_task(kill(house, chance, 15))
                written = await talk(journey, 30, 10, chance, until=killing.done)
                died = await killing
                await journey.faults()
                await settled(journey, RECOVERED_SECONDS)
                told.add(kills=sum(died.values()), **await Judge(journey).check(written=written))
                await verified(house)
            with sqlite3.connect(house.database_url.removeprefix("sqlite:///")) as file:
                assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

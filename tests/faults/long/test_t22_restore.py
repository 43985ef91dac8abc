"""T22: keys are rotated under load, and a copy of the database is what was acknowledged."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.builders.journeys import eventually, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults_long, pytest.mark.timeout(300)]


async def test_t22_keys_change_under_load_and_a_restored_copy_answers_on(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T22 keys and restore", "sqlite", seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                talking = asyncio.create_task(talk(journey, 20, 5, chance, pace_seconds=0.1))
                rotate = house.child("rotate-keys", name="rotate-keys")
                rotate._command[-1] = "rotate-keys"
                await asyncio.to_thread(rotate.start)
                assert await asyncio.to_thread(rotate.wait, 30) == 0, rotate.said()

                async def renewed() -> bool:
                    ring = await journey.get("/api/system/keys")
                    return ring["finished_at"] is not None and ring["key_count"] == 2 and not ring["undecryptable"]

                await eventually(renewed, within_seconds=90)
                copy = tmp_path / "copy.db"
                path = house.database_url.removeprefix("sqlite:///")
                await asyncio.to_thread(_back_up, path, copy)
                acknowledged_by_then = len(Judge(journey).acknowledged)
                written = await talking
                await settled(journey)
                judged = await Judge(journey).check(written=written)
                await verified(house)
                await asyncio.to_thread(house.web.stop)
                await asyncio.to_thread(_put_back, copy, path)
                house.restart("serve")
                await asyncio.to_thread(house.until_ready)
                await verified(house)
                customer = journey.customer()
                await customer.writes("after the restore")
                await customer.gets("echo: after the restore")
                told.add(acknowledged_when_copied=acknowledged_by_then, **judged)


def _back_up(path: str, copy: Path) -> None:
    """Copy a database in use, as SQLite's own backup does."""
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)


def _put_back(copy: Path, path: str) -> None:
    for name in (path, f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    Path(path).write_bytes(copy.read_bytes())

"""T14: the jobs process may have less memory than a file needs; it dies, and only that file is given up."""

import asyncio
import resource
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults_long, pytest.mark.timeout(240)]

MEMORY_MIB = 40  # that a process may grow by


async def test_t14_a_jobs_process_without_memory_hurts_nobody_else(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T14 memory", "postgresql redis", seed) as told, running_model() as model:
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
                await talk(journey, 5, 1, chance)
                await settled(journey)
                starved = house.children["jobs-1"]
                _limit(starved.pid)
                bodies = [b'{"padding":"' + b"x" * 3_500_000 + b"%d" % number + b'"}' for number in range(6)]
                answers = [(await journey.webhook(body)).status for body in bodies]
                written = 5 + await talk(journey, 20, 5, chance, pace_seconds=0.1)
                await settled(journey, 90)
                died = not starved.is_running
                told.add(grow_mib=MEMORY_MIB, big_webhooks=len(bodies), answers=answers, died=died)
                told.add(**await Judge(journey).check(written=written))
                if died:
                    house.restart("jobs-1")
                await verified(house)


def _limit(pid: int) -> None:
    """Let the process grow by so much and no more."""
    in_use = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    limit = in_use + MEMORY_MIB * 1024 * 1024
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))

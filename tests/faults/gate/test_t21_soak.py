"""T21: work goes on and on, and the process does not grow."""

import asyncio
import os
from functools import partial
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.crowd import Crowd
from tests.faults.figures import Figures
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, verified
from tests.faults.soak import Sample, sample, slope_a_minute
from tests.journeys.model import environ, running_model

EVERY_SECONDS = 5.0
WARM_UP_SECONDS = 20.0
SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
MIB_A_MINUTE_SHORT = 30.0  # caches still fill in the first minutes: this only notices what runs away
MIB_A_MINUTE_LONG = 5 / 30


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_t21_a_minute_of_work_leaves_no_trace_in_the_process(tmp_path: Path) -> None:
    await soak(tmp_path, "T21 soak, a minute", 60.0, MIB_A_MINUTE_SHORT)


@pytest.mark.faults_long
@pytest.mark.timeout(SECONDS + 300)
async def test_t21_half_an_hour_of_work_leaves_no_trace_in_the_process(tmp_path: Path) -> None:
    await soak(tmp_path, f"T21 soak, {SECONDS / 60:g} minutes", SECONDS, MIB_A_MINUTE_LONG)


async def soak(directory: Path, name: str, seconds: float, mib_a_minute: float) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures(name, "sqlite", seed) as told, running_model() as model:
        model.keeps_requests = False
        house = Mostrador(directory, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                people = [journey.customer() for _ in range(100)]
                for person in people:
                    await person.writes("hello")
                crowd = Crowd(journey, people, chance)
                load = partial(crowd.act, writers=20, readers=4, listeners=2, think_seconds=1.0)
                await load(seconds=WARM_UP_SECONDS)
                working = asyncio.create_task(load(seconds=seconds))
                samples: list[Sample] = []
                while not working.done():
                    samples.append(await sample(journey, house.web.pid))
                    await asyncio.wait([working], timeout=EVERY_SECONDS)
                await working
                await settled(journey, 60)
                slope = slope_a_minute(samples, EVERY_SECONDS)
                told.add(messages=len(crowd.written), rss_mib=round(samples[-1].rss_mib), mib_a_minute=round(slope, 2))
                told.add(
                    descriptors=_range(samples, "descriptors"),
                    threads=_range(samples, "threads"),
                    tasks=_range(samples, "tasks"),
                )
                assert all(answer.endswith(" 200") for answer in crowd.answers), crowd.answers
                assert slope <= mib_a_minute
                for what in ("descriptors", "threads", "tasks"):
                    early, late = (
                        sorted(getattr(one, what) for one in part)
                        for part in (samples[: len(samples) // 3], samples[-(len(samples) // 3) :])
                    )
                    assert late[len(late) // 2] <= early[len(early) // 2] * 1.2 + 5, what
                await verified(house)


def _range(samples: list[Sample], what: str) -> str:
    values = [getattr(one, what) for one in samples]
    return f"{min(values)}-{max(values)}"

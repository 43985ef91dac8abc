"""T10: after "take over" has answered, no answer of the bot starts; also while processes die."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders.journeys import Customer, Journey, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, kill, settled, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

TAKE_OVERS = 40
KILLS = 10
IN_FLIGHT_SECONDS = 1.0  # a send that had started may still arrive


async def test_t10_no_answer_starts_after_a_take_over_has_answered(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T10 take over", "postgresql redis", seed) as told, running_model() as model:
        house = Mostrador(
            tmp_path,
            database_url=durable_url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs-1", "jobs-2"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                model.latency_seconds = 0.05
                people = [journey.customer() for _ in range(TAKE_OVERS)]
                for person in people:
                    await person.writes(f"m{person.key}x0")
                paths = {person.key: await person.path() for person in people}
                jobs = {role: child for role, child in house.children.items() if role != "serve"}
                serve = house.children.pop("serve")  # the door stays open: it is the jobs that die
                killing = asyncio.create_task(kill(house, chance, KILLS, (0.3, 0.9)))
                taken: dict[str, datetime] = {}
                for number, person in enumerate(chance.sample(people, len(people))):
                    await _burst(journey, person, chance.randint(1, 3))
                    await asyncio.sleep(chance.uniform(0, 0.15))
                    await journey.post(f"{paths[person.key]}/take-over")
                    taken[person.key] = datetime.now(UTC)
                    if number % 2:
                        await _burst(journey, person, 2, first=10)
                died = await killing
                house.children = {"serve": serve, **jobs}
                await settled(journey, 65)
                judge = Judge(journey)
                late = [
                    (entry.to, (entry.at - taken[entry.to]).total_seconds())
                    for entry in judge.received
                    if entry.to in taken and (entry.at - taken[entry.to]).total_seconds() > IN_FLIGHT_SECONDS
                ]
                told.add(take_overs=len(taken), kills=sum(died.values()), answers_after=len(late))
                told.add(**await judge.check())
                assert late == []
                await verified(house)


async def _burst(journey: Journey, person: Customer, count: int, first: int = 1) -> None:
    del journey
    for number in range(first, first + count):
        await person.writes(f"m{person.key}x{number}")

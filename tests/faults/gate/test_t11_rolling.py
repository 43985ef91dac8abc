"""T11 and scale-out: two web and three jobs processes, restarted one by one while everybody writes and reads."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.http_client import HttpError
from app.outbound.models import outbound_messages
from tests.builders.journeys import Journey, eventually, travelling
from tests.fakes.model_server import ModelServer
from tests.faults.balancer import Balancer
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Child, Meta, Mostrador, logged, shown_on_failure, until_it_answers
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model
from tests.servers import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

ROLES = ("serve", "serve-2", "jobs-1", "jobs-2", "jobs-3", "scheduler", "scheduler-2")
STOPS_WITHIN_SECONDS = 25.0  # P24


async def scaled_out(
    stack: AsyncExitStack, directory: Path, database_url: str, redis_url: str, model: ModelServer
) -> tuple[Mostrador, Balancer]:
    """An installation of two web, three jobs and two scheduler processes behind a load balancer; nothing runs yet."""
    house = Mostrador(directory, database_url=database_url, redis_url=redis_url, roles=ROLES, environ=environ(model))
    second = free_port()
    house.children["serve-2"].environ["PORT"] = str(second)
    balancer = await stack.enter_async_context(Balancer([house.url, f"http://127.0.0.1:{second}"]).running())
    house.meta = Meta(f"{balancer.url}/webhooks/whatsapp", directory)
    for child in house.children.values():
        child.environ["WHATSAPP_GRAPH_URL"] = house.meta.url
    return house, balancer


async def test_t11_a_rolling_restart_under_load_drops_no_request_and_makes_no_unknown(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T11 rolling restart", "postgresql redis, 2 web 3 jobs", seed) as told, running_model() as model:
        async with AsyncExitStack() as stack:
            house, balancer = await scaled_out(stack, tmp_path, durable_url, redis_of_our_own, model)
            with house, shown_on_failure(house):
                await asyncio.to_thread(house.start)
                await _both_answer(house)
                async with travelling(house) as journey:
                    await journey.token()
                    model.latency_seconds = 0.1
                    rolled = asyncio.Event()
                    reading = asyncio.create_task(_read(journey, balancer, rolled))
                    talking = asyncio.create_task(talk(journey, 30, 14, chance, pace_seconds=0.2, until=rolled.is_set))
                    stops = await _roll(house)
                    rolled.set()
                    written = await talking
                    answers = await reading
                    await settled(journey)
                    judge = Judge(journey)
                    judged = await judge.check(written=written)
                    told.add(restarts=len(stops), slowest_stop_seconds=round(max(stops), 1), reads=dict(answers))
                    told.add(**judged, refused=balancer.refused)
                    unknown = await journey.rows(
                        sa.select(outbound_messages.c.reason).where(outbound_messages.c.state == "unknown")
                    )
                    assert unknown == [], "a restart is no crash"
                    assert set(answers) == {"200"}, "every request of the panel was answered"
                    assert judged["webhooks_repeated"] == 0, "every webhook was taken at once"
                    assert max(stops) <= STOPS_WITHIN_SECONDS
                    _each_occurrence_was_started_once(house)
                    await verified(house)


async def test_three_jobs_processes_answer_more_than_one(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    with Figures("scale-out", "postgresql redis", None) as told, running_model() as model:
        async with AsyncExitStack() as stack:
            house, _ = await scaled_out(stack, tmp_path, durable_url, redis_of_our_own, model)
            with house, shown_on_failure(house):
                await asyncio.to_thread(house.start)
                await _both_answer(house)
                async with travelling(house) as journey:
                    model.latency_seconds = 1.5  # as models are: what is measured is how many can be asked at a time
                    for role in ("jobs-2", "jobs-3"):
                        await asyncio.to_thread(house.children[role].stop)
                    one = await _answered_a_second(journey, 500)
                    for role in ("jobs-2", "jobs-3"):
                        house.restart(role)
                    await _until_they_work(house)
                    three = await _answered_a_second(journey, 500)
                    told.add(one_process_a_second=round(one), three_processes_a_second=round(three))
                    await settled(journey)
                    told.add(**await Judge(journey).check(written=1000))
                    assert three > one * 1.3
                    await verified(house)


async def _answered_a_second(journey: Journey, people: int) -> float:
    """Let so many people write at once; return how many were answered a second."""
    before = len(Judge(journey).received)
    started = time.monotonic()
    customers = [journey.customer() for _ in range(people)]
    for start in range(0, people, 50):
        await asyncio.gather(*(one.writes(f"m{one.key}x0") for one in customers[start : start + 50]))

    async def received() -> int:
        return len(Judge(journey).received) - before

    await eventually(received, lambda number: number >= people, within_seconds=90)
    return people / (time.monotonic() - started)


async def _roll(house: Mostrador) -> list[float]:
    """Restart every process in its turn, each only when the one before it is back."""
    stops = []
    for role in ROLES:
        child = house.children[role]
        started = time.monotonic()
        status = await asyncio.to_thread(child.stop)
        stops.append(time.monotonic() - started)
        assert status == 0, child.said()
        house.restart(role)
        await _is_back(house, role)
    return stops


async def _is_back(house: Mostrador, role: str) -> None:
    child = house.children[role]
    if role.startswith("serve"):
        await asyncio.to_thread(until_it_answers, child, f"http://127.0.0.1:{child.environ['PORT']}/readyz")
        return
    await _has_started_again(child)


async def _has_started_again(child: Child) -> None:

    async def started() -> bool:
        events = [line.get("event") for line in logged(child)]
        return events[-1:] != [] and events.count("process.started") > events.count("process.stopped")

    await eventually(started, within_seconds=30)


async def _until_they_work(house: Mostrador) -> None:
    for role in ("jobs-2", "jobs-3"):
        await _has_started_again(house.children[role])


async def _both_answer(house: Mostrador) -> None:
    for role in ("serve", "serve-2"):
        await _is_back(house, role)


async def _read(journey: Journey, balancer: Balancer, until: asyncio.Event) -> Counter[str]:
    """Read what the panel reads, over a new connection each time, and count the answers by status."""
    found: Counter[str] = Counter()
    headers = {"authorization": f"Bearer {await journey.token()}", "connection": "close"}

    async def read() -> None:
        while not until.is_set():
            try:
                answer = await journey.http.request(
                    "GET", f"{balancer.url}/api/conversations?limit=20", headers=headers, timeout_seconds=20
                )
            except HttpError as error:
                found[type(error).__name__ + " " + error.reason] += 1
            else:
                found[str(answer.status)] += 1
            await asyncio.sleep(0.05)

    await asyncio.gather(*(read() for _ in range(5)))
    return found


def _each_occurrence_was_started_once(house: Mostrador) -> None:
    """Of the jobs that are due once in more than ten minutes, each was started once by all schedulers together."""
    started: Counter[object] = Counter()
    for role in ("scheduler", "scheduler-2"):
        started.update(line["job"] for line in logged(house.children[role]) if line.get("event") == "schedule.started")
    rare = {job: count for job, count in started.items() if job in ("prune", "check_audit_trail")}
    assert set(rare.values()) == {1}, rare

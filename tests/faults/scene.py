"""What happens in fault tests: customers write while processes die, then everything settles."""

import asyncio
import contextlib
import os
import random
import signal
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import sqlalchemy as sa

from app.conversations.models import turns
from app.outbound.models import outbound_messages
from app.whatsapp.models import inbound_events
from tests.builders.journeys import Journey, Json, eventually
from tests.faults.judge import ENDED
from tests.faults.processes import Mostrador

MENU: list[Json] = [
    {"kind": "timeout_after_accept", "probability": 0.03},
    {"kind": "error", "code": 131056, "status": 429, "probability": 0.04},
    {"kind": "server_error", "probability": 0.01},
    {"kind": "server_error_after_accept", "probability": 0.01},
    {"kind": "duplicate_webhook", "probability": 0.15},
    {"kind": "reorder_webhooks", "probability": 0.2},
]
"""How Meta misbehaves while processes die: answers lost, limits, errors of both truths, odd webhooks."""


def chosen_seed() -> int:
    """Return the seed of this run: FAULT_SEED, or one nobody has chosen. Printed, so that a run can be repeated."""
    seed = int(os.environ.get("FAULT_SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    return seed


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - chooses victims


async def talk(
    journey: Journey,
    customers: int,
    rounds: int,
    chance: random.Random,
    *,
    pace_seconds: float = 0.15,
    until: Callable[[], bool] = lambda: False,
) -> int:
    """Let everybody write `rounds` times, at a pace that keeps messages coming; hurry once `until` holds."""
    people = [journey.customer() for _ in range(customers)]
    for number in range(rounds):
        for person in chance.sample(people, len(people)):
            await person.writes(f"m{person.key}x{number}")
            if not until():
                await asyncio.sleep(chance.uniform(0, pace_seconds))  # how people write, not a wait for something
    return customers * rounds


async def kill(
    house: Mostrador, chance: random.Random, kills: int, pause: tuple[float, float] = (0.1, 0.9)
) -> dict[str, int]:
    """Kill any process at any moment, and say who died how often. A lone one is up again before it dies again."""
    died: dict[str, int] = {}
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(*pause))  # when death comes, not a wait for something
        role = chance.choice(list(house.children))
        await to_thread(house.children[role].kill)
        died[role] = died.get(role, 0) + 1
        house.restart(role)
        if len(house.children) == 1:
            await to_thread(house.until_ready)
    return died


async def leases_end(journey: Journey) -> None:
    """Let the half minute pass for which the dead held what they did. Only for those that are dead."""
    past = sa.text(
        "'2000-01-01 00:00:00.000000'" if "sqlite" in journey.house.database_url else "now() - interval '1 second'"
    )
    for table, state in ((turns, "thinking"), (outbound_messages, "processing"), (inbound_events, "pending")):
        await journey.change(sa.update(table).where(table.c.state == state).values(due_at=past))


async def die_and_come_back(journey: Journey) -> None:
    """Kill everything at once, let the leases of the dead end, and start again."""
    house = journey.house
    for child in house.children.values():
        await to_thread(child.kill)
    await leases_end(journey)
    await journey.faults()
    for role in house.children:
        house.restart(role)
    await to_thread(house.until_ready)


async def settled(journey: Journey, within_seconds: float = 40) -> None:
    """Wait until nothing is under way any more, neither here nor at Meta."""
    await eventually(
        lambda: journey.meta("GET", "idle?wait_seconds=1"),
        lambda progress: not progress["promised"],
        within_seconds=within_seconds,
    )

    async def under_way() -> list[tuple[str, str]]:
        o = outbound_messages.c
        parked = sa.exists().where(o.turn_id == turns.c.id, o.state == "unknown")
        open_ones = {
            "events": sa.select(inbound_events.c.id).where(inbound_events.c.state == "pending"),
            "turns": sa.select(turns.c.id).where(turns.c.state.not_in(ENDED), ~parked),
            "outbound": sa.select(o.id).where(o.state.in_(("pending", "processing", "retry"))),
        }
        return [(name, str(row.id)) for name, query in open_ones.items() for row in await journey.rows(query)]

    await eventually(under_way, lambda found: not found, within_seconds=within_seconds)


async def verified(house: Mostrador) -> None:
    """Let `mostrador verify` prove it too, as an operator would."""
    child = house.child("verify", name="verify")
    await to_thread(child.start)
    status = await to_thread(child.wait, 60)
    assert status == 0, child.said()


@contextlib.asynccontextmanager
async def stopped(house: Mostrador, role: str) -> AsyncIterator[None]:
    """Freeze a process for as long as the block runs, as a laptop that sleeps or a machine that is moved."""
    house.children[role].send(signal.SIGSTOP)
    try:
        yield
    finally:
        house.children[role].send(signal.SIGCONT)


async def meanwhile(work: Awaitable[int], *faults: Callable[[], Awaitable[object]]) -> Sequence[object]:
    """Do the faults one after the other while `work` goes on; return what both gave."""

    async def in_turn() -> list[object]:
        return [await fault() for fault in faults]

    return await asyncio.gather(work, in_turn())

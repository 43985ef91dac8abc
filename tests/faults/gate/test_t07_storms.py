"""T7: WhatsApp limits, fails and hangs for half a minute, and every model is away for ten seconds."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.models import turns
from app.whatsapp.error_codes import rule_for
from tests.builders.journeys import Journey, Json, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.proxy import Proxy
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PAIR_LIMIT, NUMBER_LIMIT = 131056, 130429
STORMS: list[list[Json]] = [
    [{"kind": "error", "code": PAIR_LIMIT, "status": 429, "probability": 0.5}],
    [{"kind": "error", "code": NUMBER_LIMIT, "status": 429, "probability": 0.3}],
    [{"kind": "server_error", "status": 503, "probability": 0.5}],
    [{"kind": "server_error_after_accept", "status": 503, "probability": 0.5}],
    [{"kind": "drop_before_accept", "probability": 0.5}, {"kind": "drop_after_accept", "probability": 0.5}],
    [{"kind": "timeout_after_accept", "probability": 0.2}],
]
STORM_SECONDS = 5.0
SHORTEST_PAUSE_SHARE = 0.8  # of what the rule says: the pause is jittered


class Watch:
    """What passes between the product and Graph: who was written to when, and who was told to wait when."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self._told_to_wait: dict[str, float] = {}
        self.too_early: list[tuple[str, float]] = []
        self.told_to_wait = 0
        self.requests = 0

    def see(self, connection: int, is_request: bool, chunk: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if is_request:
            if found := re.search(rb'"to":"(\d+)"', chunk):
                self._sends(connection, found[1].decode(), now)
        elif b" 429 " in chunk[:20] and str(PAIR_LIMIT).encode() in chunk:
            self.told_to_wait += 1
            self._told_to_wait[self._asked[connection]] = now

    def _sends(self, connection: int, to: str, now: float) -> None:
        self.requests += 1
        self._asked[connection] = to
        since = now - self._told_to_wait.pop(to, -1e9)
        policy = rule_for(PAIR_LIMIT, http_status=429).retry
        assert policy is not None
        if since < policy.first_seconds * SHORTEST_PAUSE_SHARE:
            self.too_early.append((to, since))


async def test_t7_storms_of_whatsapp_lose_and_double_nothing_and_nobody_is_written_to_too_early(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T7 WhatsApp storms", "postgresql redis", seed) as told, running_model() as model:
        async with AsyncExitStack() as stack:
            house = Mostrador(
                tmp_path,
                database_url=durable_url,
                redis_url=redis_of_our_own,
                roles=("serve", "jobs-1", "jobs-2", "scheduler"),
                environ=environ(model),
            )
            watch = Watch()
            graph = await stack.enter_async_context(Proxy(house.meta.url, seen=watch.see).running())
            for child in house.children.values():
                child.environ["WHATSAPP_GRAPH_URL"] = graph.url
            with house, shown_on_failure(house):
                await asyncio.to_thread(house.start)
                async with travelling(house) as journey:
                    written = 0
                    for storm in STORMS:
                        await journey.faults(*storm, seed=seed)
                        over = asyncio.get_running_loop().time() + STORM_SECONDS
                        written += await talk(journey, 30, 1, chance, pace_seconds=0.25)
                        await asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time()))
                    await journey.faults()
                    await settled(journey, 90)
                    judged = await Judge(journey).check(written=written)
                    told.add(told_to_wait=watch.told_to_wait, sends=watch.requests, too_early=len(watch.too_early))
                    told.add(**judged)
                    assert watch.told_to_wait > 0
                    assert watch.too_early == []
                    await verified(house)


async def test_t7_while_every_model_is_away_each_customer_is_told_once_and_answered_afterwards(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T7 models away", "sqlite", seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                model.away = "server"
                started, asked = asyncio.get_running_loop().time(), model.count
                written = await talk(journey, 25, 4, chance, pace_seconds=0.15)
                away_seconds = asyncio.get_running_loop().time() - started
                asked_meanwhile = model.count - asked
                model.away = None
                hurrying = asyncio.create_task(_hurry(journey))
                await settled(journey, 120)
                hurrying.cancel()
                await asyncio.gather(hurrying, return_exceptions=True)
                judge = Judge(journey)
                judged = await judge.check(written=written)
                excuses = [
                    sum(entry.to == customer and not entry.body.startswith("echo:") for entry in judge.received)
                    for customer in {entry.to for entry in judge.received}
                ]
                told.add(away_seconds=round(away_seconds), calls_meanwhile=asked_meanwhile, most_excuses=max(excuses))
                told.add(**judged)
                assert max(excuses) == 1, "one excuse a conversation and outage"
                assert asked_meanwhile < written, "the breaker spares a provider that is ill"
                failed = await journey.rows(sa.select(turns.c.id).where(turns.c.state == "failed"))
                assert failed == []
                await verified(house)


async def _hurry(journey: Journey) -> None:
    """Turns that wait for a model wait for 15 seconds and longer: let that be over, again and again."""
    waiting = sa.update(turns).where(turns.c.state == "collecting").values(due_at=sa.text(_PAST))
    while True:
        await asyncio.sleep(3)  # meanwhile the breaker lets one try
        await journey.change(waiting)


_PAST = "'2000-01-01 00:00:00.000000'"

"""T6: every bad thing a network does, to every neighbour in turn."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.builders.journeys import travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.proxy import FAULTS, Proxy
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

FAULT_SECONDS = 2.0


async def test_t6_every_network_fault_to_every_neighbour_loses_and_doubles_nothing(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T6 network", "postgresql redis", seed) as told, running_model() as model:
        async with AsyncExitStack() as stack:
            running = [
                await stack.enter_async_context(Proxy(url, seed=seed).running())
                for url in (durable_url, redis_of_our_own, model.url)
            ]
            database, redis, models = running
            behind = Mostrador(
                tmp_path,
                database_url=database.url,
                redis_url=redis.url,
                roles=("serve", "jobs", "scheduler"),
                environ=environ(model) | {"COMPATIBLE_BASE_URL": f"{models.url}/v1"},
            )
            graph = await stack.enter_async_context(Proxy(behind.meta.url, seed=seed).running())
            for child in behind.children.values():
                child.environ["WHATSAPP_GRAPH_URL"] = graph.url
            proxies = {"database": database, "redis": redis, "graph": graph, "model": models}
            with behind, shown_on_failure(behind):
                await asyncio.to_thread(behind.start)
                async with travelling(behind) as journey:
                    written = 0
                    for name, proxy in proxies.items():
                        for fault in FAULTS:
                            proxy.do(fault)
                            over = asyncio.get_running_loop().time() + FAULT_SECONDS
                            written += await talk(journey, 10, 1, chance, pace_seconds=0.1)
                            await asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time()))
                            proxy.mend()
                            print(f"{name} {fault}")
                    await settled(journey, 90)
                    judged = await Judge(journey).check(written=written)
                    told.add(faults=len(proxies) * len(FAULTS), **judged)
                    await verified(behind)

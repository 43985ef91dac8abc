"""T19: three thousand webhooks that a fuzzer made of Meta's documented ones: always stored, never a 5xx, never slow."""

import asyncio
import copy
import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.whatsapp.models import inbound_events
from tests.bench.processes import cpu_seconds
from tests.builders import whatsapp as wire
from tests.builders.journeys import Journey, eventually, travelling
from tests.faults.figures import Figures
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

WEBHOOKS = 3000
CPU_MS_A_WEBHOOK = 50
ODD: list[Any] = [None, True, 0, -1, 2**63, 1e308, "", "x" * 5000, "\x00", "\ud800", "\u202e", [], {}, [[]], {"": None}]


async def test_t19_fuzzed_webhooks_are_always_stored_and_never_answered_with_an_error(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T19 fuzzed webhooks", "sqlite", seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                bodies = [_fuzzed(chance, number) for number in range(WEBHOOKS)]
                before = cpu_seconds(house.web.pid)
                answers = await _post_all(journey, bodies)

                async def waiting() -> int:
                    pending = sa.select(sa.func.count()).where(inbound_events.c.state == "pending")
                    return int((await journey.rows(pending))[0][0])

                await eventually(waiting, lambda number: number == 0, within_seconds=90)
                cpu_ms = (cpu_seconds(house.web.pid) - before) * 1000 / WEBHOOKS
                stored = await journey.rows(sa.select(inbound_events.c.digest, inbound_events.c.state))
                states = Counter(row.state for row in stored)
                told.add(webhooks=WEBHOOKS, answers=dict(answers), cpu_ms_each=round(cpu_ms, 2), **states)
                assert set(answers) == {200}
                assert {row.digest for row in stored} >= {hashlib.sha256(body).digest() for body in bodies}
                assert cpu_ms < CPU_MS_A_WEBHOOK
                customer = journey.customer()
                await customer.writes("still there?")
                await customer.gets("echo: still there?")
                await verified(house)


async def _post_all(journey: Journey, bodies: list[bytes]) -> Counter[int]:
    found: Counter[int] = Counter()
    waiting = iter(bodies)

    async def post() -> None:
        for body in waiting:
            found[(await journey.webhook(body)).status] += 1

    await asyncio.gather(*(post() for _ in range(20)))
    return found


DOCUMENTED = [json.loads(wire.webhook(change)) for change in wire.documented_webhooks().values()]


def _fuzzed(chance: random.Random, number: int) -> bytes:
    """Change, remove or retype some members of a documented webhook; sometimes some bytes of it."""
    payload = copy.deepcopy(chance.choice(DOCUMENTED))
    for _ in range(chance.randint(1, 4)):
        _change_one(payload, chance)
    body = json.dumps(payload).replace("wamid.AAA", f"wamid.{number}").encode()  # a message of its own
    if chance.random() < 0.2:
        changed = bytearray(body)
        for _ in range(chance.randint(1, 8)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        body = bytes(changed)
    return body[: chance.randrange(1, len(body))] if chance.random() < 0.05 else body


def _change_one(payload: Any, chance: random.Random) -> None:
    places = list(_places(payload))
    if not places:
        return
    container, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del container[key]
        case 1:
            container[key] = chance.choice(ODD)
        case 2:
            container[key] = [container[key]] * 2
        case _:
            container[key] = chance.choice(places)[0]
            container[key] = copy.deepcopy(chance.choice(ODD)) if container[key] is container else str(container[key])


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)

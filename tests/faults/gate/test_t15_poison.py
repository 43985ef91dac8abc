"""T15: twenty webhooks that cannot be used among two hundred that can, and messages that end whoever answers them."""

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.whatsapp.models import inbound_events
from tests.builders import whatsapp as wire
from tests.builders.journeys import eventually, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

DEEP = b'{"object":"whatsapp_business_account","entry":' + b"[" * 1500 + b"]" * 1500 + b"}"
POISON: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"not json",
    b'"text"',
    b"{}",
    b"\xff\xfe\x00\x01",
    DEEP,
    b'{"object":"page","entry":[]}',
    b'{"object":"whatsapp_business_account","entry":7}',
    b'{"object":"whatsapp_business_account","entry":[{"changes":"x"}]}',
    wire.webhook(wire.messages({"id": 7, "type": [], "from": {}})),
    wire.webhook(wire.messages(wire.text("x", wamid=""))),
    wire.webhook(wire.messages({"type": "text"})),
    wire.webhook(wire.statuses({"id": "wamid.x"})),
    wire.webhook(wire.statuses({"status": "sent"})),
    wire.webhook(wire.messages(wire.text("y", wamid="wamid.unknown-number"), number_id="999")),
    wire.webhook(wire.change(messages=["z"])),
    b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":null}]}]}',
    json.dumps({"object": "whatsapp_business_account", "entry": [{"id": None, "changes": [None]}]}).encode(),
]


async def test_t15_poison_hurts_nobody_but_itself(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T15 poison", "sqlite", seed) as told, running_model() as model:
        house = Mostrador(tmp_path, environ=environ(model))
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                talking = asyncio.create_task(talk(journey, 20, 10, chance, pace_seconds=0.05))
                answers = []
                for poison in chance.sample(POISON, len(POISON)):
                    answers.append((await journey.webhook(poison)).status)
                    await asyncio.sleep(0.1)
                odd = [journey.customer() for _ in range(3)]
                nul, surrogate, long = (f"m{customer.key}x0" for customer in odd)
                await odd[0].writes(f"{nul} a\x00b")
                await odd[1].writes(f"{surrogate} \U0001f600 \u202e")
                await odd[2].writes(f"{long} " + "x" * 4000)
                written = await talking
                await settled(journey)

                async def dead() -> int:
                    found = sa.select(sa.func.count()).where(inbound_events.c.state == "dead")
                    return int((await journey.rows(found))[0][0])

                number = await eventually(dead)
                judge = Judge(journey)
                told.add(poison=len(POISON), dead=number, statuses=sorted(set(answers)), **judge.latency())
                assert set(answers) <= {200, 400}, "never a 5xx"
                assert number >= len([status for status in answers if status == 200]) - 3
                answered = {entry.to for entry in judge.received}
                assert {customer.key for customer in odd} <= answered
                assert len(judge.acknowledged) == written + len(odd)
                assert len(judge.received) >= 20
                await verified(house)

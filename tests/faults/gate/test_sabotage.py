"""The tests of the tests: with a promise broken, what passes otherwise fails."""

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.models import messages
from app.outbound.models import outbound_messages
from tests.builders import whatsapp as wire
from tests.builders.journeys import Journey, eventually, travelling
from tests.fakes.model_server import ModelServer
from tests.faults.armed import EXIT_STATUS
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import ROOT, Mostrador
from tests.faults.sabotage import SABOTAGES
from tests.faults.scene import leases_end, settled
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

Scenario = Callable[[Journey, ModelServer], Awaitable[None]]


async def die_after_an_acknowledgement(journey: Journey, _: ModelServer) -> None:
    for number in range(20):
        await journey.customer().writes(f"m1x{number}")
    await asyncio.to_thread(journey.house.web.kill)
    await leases_end(journey)
    journey.house.restart("serve")
    await asyncio.to_thread(journey.house.until_ready)
    await settled(journey)
    await Judge(journey).check(written=20)


async def die_between_a_send_and_its_record(journey: Journey, _: ModelServer) -> None:
    house = journey.house
    arm(house, "deliver.sent exit")
    customer = journey.customer()
    await customer.writes(f"m{customer.key}x0")
    assert await asyncio.to_thread(house.web.wait, 20) == EXIT_STATUS
    await journey.faults({"kind": "hold_webhooks"})  # the status that would settle it comes later
    await leases_end(journey)
    arm(house, "")
    house.restart("serve")
    await asyncio.to_thread(house.until_ready)

    async def decided() -> list[str]:
        return [row.state for row in await journey.rows(sa.select(outbound_messages.c.state))]

    await eventually(decided, lambda states: states and states[0] not in ("processing", "retry"))
    await journey.faults()
    await settled(journey)
    await Judge(journey).check(written=1)


def arm(house: Mostrador, line: str) -> None:
    Path(house.web.environ["ARMED_FILE"]).write_text(line)
    if house.web.is_running:
        house.web.tell()


async def be_overtaken_by_a_newer_message(journey: Journey, model: ModelServer) -> None:
    model.latency_seconds = 1.0
    customer = journey.customer()
    await customer.writes(f"m{customer.key}x0")
    await eventually(lambda: _asked(model))
    await customer.writes(f"m{customer.key}x1")
    await settled(journey)
    await Judge(journey).check(written=2)


async def _asked(model: ModelServer) -> int:
    return model.count


async def be_told_twice_in_other_words(journey: Journey, _: ModelServer) -> None:
    customer = journey.customer()
    await customer.writes("hello")
    await customer.gets("echo: hello")
    said = wire.text("m9x9", wamid="wamid.twice", **{"from": customer.key})
    for time in (1, 2):
        await journey.webhook(wire.webhook(wire.messages(said), time=time))
        await settled(journey)
    stored = await journey.rows(sa.select(messages.c.id).where(messages.c.wamid == "wamid.twice"))
    assert len(stored) == 1
    assert Counter(entry.body for entry in Judge(journey).received)["echo: m9x9"] == 1


async def be_told_of_a_failure_after_a_delivery(journey: Journey, _: ModelServer) -> None:
    customer = journey.customer()
    await customer.writes(f"m{customer.key}x0")
    await customer.gets(f"echo: m{customer.key}x0")
    await customer.delivery_is(tick="read")
    (entry,) = await customer.ledger()
    failed = wire.status("failed", wamid=entry["wamid"], errors=[{"code": 131026, "title": "Undeliverable"}])
    await journey.webhook(wire.webhook(wire.statuses(failed)))
    await settled(journey)
    await Judge(journey).check(written=1)


async def be_taken_over_while_the_bot_thinks(journey: Journey, model: ModelServer) -> None:
    customer = journey.customer()
    path = await _known(journey, customer.key)
    model.latency_seconds = 1.0
    asked = model.count
    await customer.writes(f"m{customer.key}x1")

    async def is_asked() -> bool:
        return model.count > asked

    await eventually(is_asked)
    await journey.post(f"{path}/take-over")
    taken_at = datetime.now(UTC)
    await settled(journey)
    late = [entry for entry in Judge(journey).received if entry.at > taken_at]
    assert late == [], "an answer started after the take-over"


async def _known(journey: Journey, key: str) -> str:
    customer = journey.customer(key)
    await customer.writes(f"m{key}x0")
    await customer.gets(f"echo: m{key}x0")
    return await customer.path()


SCENARIOS: dict[str, Scenario] = {
    "acknowledge_before_commit": die_after_an_acknowledgement,
    "resend_blindly": die_between_a_send_and_its_record,
    "no_fencing": be_overtaken_by_a_newer_message,
    "no_unique_key": be_told_twice_in_other_words,
    "overwrite_statuses": be_told_of_a_failure_after_a_delivery,
    "pause_without_a_barrier": be_taken_over_while_the_bot_thinks,
}


def test_every_sabotage_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(SABOTAGES)


@pytest.mark.parametrize("sabotage", SCENARIOS)
async def test_a_broken_promise_is_noticed(tmp_path: Path, sabotage: str) -> None:
    scenario = SCENARIOS[sabotage]
    with Figures(f"sabotage {sabotage}", "sqlite") as told:
        await _played(tmp_path / "whole", scenario, None)
        with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
            await _played(tmp_path / "sabotaged", scenario, sabotage)
        told.add(noticed_by=str(caught.value).splitlines()[0][:100].replace("|", "/"))


async def _played(directory: Path, scenario: Scenario, sabotage: str | None) -> None:
    tampered = {"ARMED_FILE": f"{directory}.armed", "PYTHONPATH": str(ROOT)} | (
        {"SABOTAGE": sabotage} if sabotage else {}
    )
    with running_model() as model:
        house = Mostrador(
            directory,
            environ=environ(model) | tampered,
            program=(sys.executable, "-m", "tests.faults.armed"),
        )
        with house:
            await asyncio.to_thread(house.start)
            if sabotage == "no_unique_key":
                await asyncio.to_thread(_without_key, house)
            async with travelling(house) as journey:
                await scenario(journey, model)


def _without_key(house: Mostrador) -> None:
    """Stop, take the unique constraint of messages away, and start again."""
    house.web.stop()
    with sqlite3.connect(house.database_url.removeprefix("sqlite:///"), isolation_level=None) as file:
        (made_by,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'messages'").fetchone()
        indexes = file.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'messages' AND type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        key = "CONSTRAINT uq_messages_channel_id_wamid UNIQUE (channel_id, wamid)"
        assert key in made_by
        file.execute("PRAGMA legacy_alter_table = ON")
        file.execute(made_by.replace(key, "CHECK (1)").replace("messages", "new_messages", 1))
        file.execute("DROP TABLE messages")
        file.execute("ALTER TABLE new_messages RENAME TO messages")
        for (index,) in indexes:
            file.execute(index)
    house.restart("serve")
    house.until_ready()

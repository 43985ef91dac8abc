"""T3: the process ends, fails or is cancelled at every point of a message's path, and nothing is lost or doubled.

What becomes of the message then is written down here, and in docs/RELIABILITY.md: it is answered, once; or, where the
process ended between the flip to `processing` and the send's outcome, it is parked unless a status settles it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa

from app.conversations.models import messages
from app.core.failpoints import POINTS
from app.outbound.models import outbound_messages
from tests.builders.journeys import Customer, Journey, eventually, travelling
from tests.faults.armed import EXIT_STATUS
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import ROOT, Mostrador, shown_on_failure
from tests.faults.scene import leases_end, settled, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

Fate = Literal["answered", "parked", "either"]

# Where a process may fail, besides ending. Elsewhere it is no failure that can happen.
RAISES = (
    "intake.inserted",
    "ingest.claimed",
    "ingest.taken",
    "ingest.finished",
    "answer.claimed",
    "answer.decided",
    "answer.concluded",
    "answer.committed",
    "deliver.flipped",
    "deliver.claimed",
    "deliver.sent",
    "deliver.recorded",
    "deliver.committed",
    "relay.told",
)
CANCELS = ("ingest.taken", "ingest.finished", "answer.decided", "answer.committed", "relay.told")
NOT_ON_THE_PATH = ("migration.applied", "sweep.parked", "stop.begun")

# What is not simply answered. A send whose end nobody saw is never repeated (P14); a status settles it (P15).
FATES: dict[tuple[str, str], Fate] = {
    ("deliver.claimed", "exit"): "parked",
    ("deliver.claimed", "raise"): "parked",
    ("deliver.sending", "exit"): "either",
    ("sweep.parked", "exit"): "parked",
}


class Armed:
    """The one process with its fail points within reach."""

    def __init__(self, journey: Journey, path: Path) -> None:
        self.journey = journey
        self.house = journey.house
        self._path = path

    async def arm(self, point: str, action: str) -> None:
        self._path.write_text(f"{point} {action}\n")

    def acted(self) -> bool:
        path = Path(f"{self._path}.acted")
        return path.exists() and bool(path.read_text())

    def disarm(self) -> None:
        self._path.write_text("")
        Path(f"{self._path}.acted").unlink(missing_ok=True)

    async def ends(self) -> None:
        """Wait until the process has ended at its point, and let what it held run out."""
        status = await asyncio.to_thread(self.house.web.wait, 30)
        assert status == EXIT_STATUS, status
        await leases_end(self.journey)

    async def comes_back(self) -> None:
        self.house.restart("serve")
        await asyncio.to_thread(self.house.until_ready)


@pytest.fixture
async def armed(tmp_path: Path) -> AsyncIterator[Armed]:
    path = tmp_path / "armed"
    path.write_text("")
    with running_model() as model:
        house = Mostrador(
            tmp_path / "house",
            environ=environ(model) | {"ARMED_FILE": str(path), "PYTHONPATH": str(ROOT)},
            program=(sys.executable, "-m", "tests.faults.armed"),
        )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                yield Armed(journey, path)


async def test_t3_every_point_has_the_fate_that_is_documented(armed: Armed) -> None:
    found: dict[str, str] = {}
    with Figures("T3 fail points", "sqlite") as told:
        for point in POINTS:
            if point not in NOT_ON_THE_PATH:
                found[f"{point} exit"] = await _ends_at(armed, point)
        for action, points in (("raise", RAISES), ("cancel", CANCELS)):
            for point in points:
                found[f"{point} {action}"] = await _fails_at(armed, point, action)
        found["sweep.parked exit"] = await _ends_in_the_sweep(armed)
        found["stop.begun exit"] = await _ends_while_stopping(armed)
        found["migration.applied exit"] = await _ends_in_the_migration(armed)
        await settled(armed.journey)
        judged = await Judge(armed.journey).check()
        told.add(points=len(found), parked=judged["parked"], messages=judged["messages"], fates=found)
        wrong = {name: fate for name, fate in found.items() if not _is_documented(name, fate)}
        assert wrong == {}
        await verified(armed.house)


def _is_documented(name: str, fate: str) -> bool:
    point, action = name.split()
    expected = FATES.get((point, action), "answered")
    return fate == expected or (expected == "either" and fate in ("answered", "parked"))


async def _ends_at(armed: Armed, point: str) -> str:
    customer = armed.journey.customer()
    if point == "deliver.sending":
        await armed.journey.faults({"kind": "slow", "seconds": 0.3})
    await armed.arm(point, "exit")
    armed.house.web.tell()
    await customer.writes(f"m{customer.key}x0")
    await armed.ends()
    await armed.journey.faults()
    armed.disarm()
    await armed.comes_back()
    return await _fate(armed, customer)


async def _fails_at(armed: Armed, point: str, action: str) -> str:
    customer = armed.journey.customer()
    await armed.arm(point, action)
    armed.house.web.tell()
    await customer.writes(f"m{customer.key}x0")

    async def acted() -> bool:
        return armed.acted()

    await eventually(acted)
    await asyncio.sleep(0.3)  # what was going on with it ends; only then is the time turned forward for its lease
    await leases_end(armed.journey)
    armed.disarm()
    return await _fate(armed, customer)


async def _ends_in_the_sweep(armed: Armed) -> str:
    customer = armed.journey.customer()
    await armed.arm("deliver.claimed", "exit")
    armed.house.web.tell()
    await customer.writes(f"m{customer.key}x0")
    await armed.ends()
    armed.disarm()
    await armed.arm("sweep.parked", "exit")
    armed.house.restart("serve")
    await armed.ends()
    armed.disarm()
    await armed.comes_back()
    return await _fate(armed, customer)


async def _ends_while_stopping(armed: Armed) -> str:
    customer = armed.journey.customer()
    await armed.arm("stop.begun", "exit")
    armed.house.web.tell()
    await customer.writes(f"m{customer.key}x0")
    await asyncio.to_thread(armed.house.web.stop)
    await leases_end(armed.journey)
    armed.disarm()
    await armed.comes_back()
    return await _fate(armed, customer)


async def _ends_in_the_migration(armed: Armed) -> str:
    """A new installation whose first start ends before the schema is committed starts the second time."""
    new = Mostrador(
        armed.house.directory / "new",
        environ={key: armed.house.environ[key] for key in ("ARMED_FILE", "PYTHONPATH")},
        program=(sys.executable, "-m", "tests.faults.armed"),
    )
    with new:
        await armed.arm("migration.applied", "exit")
        new.web.start()
        assert await asyncio.to_thread(new.web.wait, 30) == EXIT_STATUS
        armed.disarm()
        new.web.start()
        await asyncio.to_thread(new.until_ready)
        assert await asyncio.to_thread(new.web.stop) == 0
    return "answered"


async def _fate(armed: Armed, customer: Customer) -> str:
    """Wait until the message has ended, and say how; what the customer writes next is answered in any case."""

    async def states() -> list[str]:
        o, m = outbound_messages.c, messages.c
        mine = sa.select(m.conversation_id).where(m.text == f"m{customer.key}x0")
        found = await armed.journey.rows(sa.select(o.state).where(o.conversation_id.in_(mine)).order_by(o.id))
        return [row.state for row in found]

    await eventually(states)
    await settled(armed.journey)  # also: every status has come that may settle it
    ended = await states()
    await customer.writes(f"m{customer.key}x1")
    await customer.gets_last(f"echo: m{customer.key}x1")
    received = await customer.received()
    assert received.count(f"echo: m{customer.key}x0") <= 1
    if ended == ["sent"]:
        assert received == [f"echo: m{customer.key}x0", f"echo: m{customer.key}x1"]
        return "answered"
    assert ended == ["unknown"]
    assert received == [f"echo: m{customer.key}x1"]
    return "parked"

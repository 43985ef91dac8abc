"""T13: no room on the disk."""

import asyncio
import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.builders.journeys import Journey, travelling
from tests.faults.figures import Figures
from tests.faults.judge import Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, talk, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults_long, pytest.mark.timeout(300)]

DISK_MIB = 48


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 48 MiB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(  # noqa: S603 - mount of this machine
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)],  # noqa: S607 - as above
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode().strip()}")
    return place


async def test_t13_a_full_disk_refuses_webhooks_and_everything_goes_on_when_there_is_room_again(
    tmp_path: Path, small_disk: Path
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    try:
        with Figures("T13 disk full", "sqlite", seed) as told, running_model() as model:
            house = Mostrador(
                tmp_path / "house",
                database_url=f"sqlite:///{small_disk}/data/mostrador.db",
                environ=environ(model) | {"DATA_DIR": str(small_disk / "data")},
            )
            with house, shown_on_failure(house):
                await asyncio.to_thread(house.start)
                async with travelling(house) as journey:
                    written = await talk(journey, 10, 2, chance, pace_seconds=0.05)
                    await settled(journey)
                    filler = small_disk / "filler"
                    _fill(filler)
                    before = len(Judge(journey).acknowledged)
                    written += await talk(journey, 40, 2, chance, pace_seconds=0.05)
                    await asyncio.sleep(5)
                    while_full = len(Judge(journey).acknowledged) - before
                    ready = await _status(journey, "/readyz")
                    filler.unlink()
                    await settled(journey, 60)
                    told.add(acknowledged_while_full=while_full, readyz_while_full=ready)
                    told.add(**await Judge(journey).check(written=written))
                    assert ready == 503
                    await verified(house)
    finally:
        _unmount(small_disk)


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "-l", str(place)], check=False)  # noqa: S603, S607 - umount of this machine


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb") as file:
        while True:
            file.write(b"\0" * 65536)
            file.flush()


async def _status(journey: Journey, path: str) -> int:
    return (await journey.http.request("GET", f"{journey.house.url}{path}", timeout_seconds=10)).status

import asyncio

import pytest

from app.core.parts import running
from tests.virtual_time import elapsed, in_virtual_time


class Recorded:
    def __init__(self, name: str, log: list[str], *, stop_seconds: float = 0, fails: str = "") -> None:
        self.name = name
        self.log = log
        self.stop_seconds = stop_seconds
        self.fails = fails

    async def start(self) -> None:
        if self.fails == "start":
            raise OSError(self.name)
        self.log.append(f"start {self.name}")

    async def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        if self.fails == "stop":
            raise OSError(self.name)
        try:
            await asyncio.sleep(self.stop_seconds)
        except asyncio.CancelledError:
            self.log.append(f"cut {self.name}")
            raise


@in_virtual_time
async def test_parts_start_in_order_and_stop_together() -> None:
    log: list[str] = []
    parts = [Recorded("a", log, stop_seconds=5), Recorded("b", log, stop_seconds=7)]

    async def use() -> None:
        async with running(parts):
            assert log == ["start a", "start b"]

    assert await elapsed(use()) == 7
    assert log[2:] == ["stop a", "stop b"]


@in_virtual_time
async def test_a_part_that_does_not_end_is_cut_short() -> None:
    log: list[str] = []

    async def use() -> None:
        async with running([Recorded("a", log, stop_seconds=1_000)]):
            pass

    assert await elapsed(use()) == 23
    assert log[-1] == "cut a"


@in_virtual_time
async def test_when_a_part_cannot_start_those_before_it_are_stopped() -> None:
    log: list[str] = []
    parts = [Recorded("a", log), Recorded("b", log, fails="start"), Recorded("c", log)]

    with pytest.raises(OSError, match="b"):
        async with running(parts):
            pytest.fail("nothing runs")

    assert log == ["start a", "stop a", "stop b"]


@in_virtual_time
async def test_a_part_that_fails_to_stop_keeps_no_other_from_it() -> None:
    log: list[str] = []

    with pytest.raises(ExceptionGroup):
        async with running([Recorded("a", log, fails="stop"), Recorded("b", log)]):
            pass

    assert log[2:] == ["stop a", "stop b"]

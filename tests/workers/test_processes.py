"""Worker processes as the service manager meets them: started, asked to stop, killed."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from workers import jobs, schedule
from workers.__main__ import main

WITHIN_SECONDS = 20.0

# A process with two parts. How the first one stops, and how long that may take, is said by the arguments.
PROCESS = """
import asyncio, contextlib, sys, time, types
from workers import jobs, lifecycle

class Part:
    def __init__(self, name, stops):
        self.name, self.stops = name, stops
    async def start(self):
        asyncio.get_running_loop().call_soon(lambda: print("started", self.name, flush=True))
    async def stop(self):
        print("stopping", self.name, flush=True)
        if self.stops == "slowly":
            await asyncio.sleep(1_000)
        elif self.stops == "never":
            time.sleep(1_000)

@contextlib.asynccontextmanager
async def open_parts():
    yield types.SimpleNamespace(dispatchers=[Part("dispatcher", sys.argv[1])], worker=Part("worker", ""))
    print("closed", flush=True)

asyncio.run(lifecycle.live("jobs", open_parts, jobs.run, stop_seconds=float(sys.argv[2])))
"""


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_in_order_with_status_0(number: signal.Signals) -> None:
    async with process(stops="well") as (child, lines):
        await until("started dispatcher", lines)

        child.send_signal(number)

        assert await within(child.wait()) == 0
        said = [line async for line in lines if "process." not in line]
        assert said == ["stopping worker", "stopping dispatcher", "closed"]


@pytest.mark.kill
async def test_a_second_signal_ends_the_process_at_once() -> None:
    async with process(stops="slowly") as (child, lines):
        await until("started dispatcher", lines)
        child.send_signal(signal.SIGTERM)
        await until("stopping dispatcher", lines)

        child.send_signal(signal.SIGTERM)

        assert await within(child.wait()) == -signal.SIGTERM


@pytest.mark.kill
async def test_a_process_that_cannot_stop_ends_when_its_time_is_up() -> None:
    async with process(stops="never", stop_seconds=0.5) as (child, lines):
        await until("started dispatcher", lines)

        child.send_signal(signal.SIGTERM)

        assert await within(child.wait()) == 1


class Recorded:
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def start(self) -> None:
        self.calls.append("start")

    async def stop(self) -> None:
        self.calls.append("stop")


class RecordedParts:
    def __init__(self) -> None:
        self.dispatchers = [Recorded(), Recorded()]
        self.worker = Recorded()
        self.scheduler = Recorded()


async def test_the_jobs_process_runs_dispatchers_and_worker() -> None:
    parts, stop = RecordedParts(), asyncio.Event()
    stop.set()

    await jobs.run(parts, stop)

    assert [part.calls for part in (*parts.dispatchers, parts.worker)] == [["start", "stop"]] * 3
    assert parts.scheduler.calls == []


async def test_the_scheduler_process_runs_the_scheduler_alone() -> None:
    parts, stop = RecordedParts(), asyncio.Event()
    stop.set()

    await schedule.run(parts, stop)

    assert parts.scheduler.calls == ["start", "stop"]
    assert parts.worker.calls == []


@pytest.mark.parametrize("process", ["jobs", "scheduler", "whatsapp-web"])
def test_without_redis_there_is_nothing_to_do_beside_the_web_process(
    process: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([process], {"DATA_DIR": str(tmp_path)}) == 2

    assert "set REDIS_URL and DATABASE_URL" in capsys.readouterr().err


def test_settings_that_cannot_be_used_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["jobs"], {"DATA_DIR": str(tmp_path), "PORT": "many"}) == 2

    assert "PORT" in capsys.readouterr().err


def test_an_unknown_process_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["coffee"])

    assert refused.value.code == 2


@asynccontextmanager
async def process(
    stops: str, stop_seconds: float = 25
) -> AsyncIterator[tuple[asyncio.subprocess.Process, AsyncIterator[str]]]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROCESS,
        stops,
        str(stop_seconds),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert child.stdout is not None
    output = child.stdout

    async def lines() -> AsyncIterator[str]:
        async for line in output:
            yield line.decode().strip()

    try:
        yield child, lines()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def until(wanted: str, lines: AsyncIterator[str]) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        async for line in lines:
            if line == wanted:
                return
    pytest.fail(f"the process ended without saying {wanted!r}")


async def within(awaitable: Awaitable[int]) -> int:
    return await asyncio.wait_for(awaitable, WITHIN_SECONDS)

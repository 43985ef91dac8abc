"""Runs the product's command with a clock that looks, every few milliseconds of CPU, at what the main thread does.

`python -m tests.bench.sampled OUTPUT serve|jobs`. SIGUSR1 starts looking, SIGUSR2 stops and writes OUTPUT. What a look
finds is charged with the main thread's CPU time since the look before. Threads (SQLite works in some) are read from
the kernel instead.
"""

import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import greenlet  # type: ignore[import-untyped]  # what SQLAlchemy brings; its stubs are a package of their own
import msgspec

from workers.__main__ import main as work

EVERY_SECONDS = 0.003
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_GROUPS = {"Intake": "door", "Replies": "answer", "Delivery": "deliver"}
_ROOTS = {
    "RequestResponseCycle.run_asgi": "door",
    "Delivery._send_and_record": "deliver",
    "show_reading": "read receipt",
    "AsyncConnection.close": "connections handed back",
}


class Sampled(msgspec.Struct):
    """Seconds of CPU by stage; by function, alone (`own`) and with all that it calls (`whole`)."""

    stages: dict[str, float]
    own: dict[str, float]
    whole: dict[str, float]
    threads_seconds: float


class Sampler:
    def __init__(self, output: Path) -> None:
        self._output = output
        self._stages: defaultdict[str, float] = defaultdict(float)
        self._own: defaultdict[str, float] = defaultdict(float)
        self._whole: defaultdict[str, float] = defaultdict(float)
        self._looked_at = 0.0
        self._threads_before = 0.0

    def install(self) -> None:
        signal.signal(signal.SIGUSR1, self._start)
        signal.signal(signal.SIGUSR2, self._stop)
        signal.signal(signal.SIGPROF, self._look)

    def _start(self, _number: int, _frame: FrameType | None) -> None:
        self._looked_at = time.thread_time()
        self._threads_before = _threads_seconds()
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sampled = Sampled(
            dict(self._stages), dict(self._own), dict(self._whole), _threads_seconds() - self._threads_before
        )
        unfinished = self._output.with_suffix(".part")
        unfinished.write_bytes(msgspec.json.encode(sampled))
        unfinished.rename(self._output)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        seconds, self._looked_at = now - self._looked_at, now
        if frame is None:
            return
        stack = list(_stack(frame))
        self._stages[_stage(stack)] += seconds
        self._own[_name(stack[0])] += seconds
        for name in {_name(one) for one in stack}:
            self._whole[name] += seconds


def _stack(frame: FrameType) -> Iterator[FrameType]:
    """Yield the frames from the innermost out, through the greenlets in which SQLAlchemy runs its synchronous core."""
    current: Any = greenlet.getcurrent()
    inner: FrameType | None = frame
    while True:
        while inner is not None:
            yield inner
            inner = inner.f_back
        current = current.parent
        if current is None:
            return
        inner = current.gr_frame


def _stage(stack: list[FrameType]) -> str:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return "start and stop"
    if task is None:
        return _callback(stack)
    root: Any = task.get_coro()
    name = root.cr_code.co_qualname
    if name.startswith("Dispatcher."):
        dispatcher: str = root.cr_frame.f_locals["self"].name
        told = dispatcher == "ingest" and any("outbound/statuses" in one.f_code.co_filename for one in stack)
        return "statuses" if told else dispatcher
    if name == "GroupCommit._run":
        return _GROUPS.get(type(root.cr_frame.f_locals["self"]._write.__self__).__name__, "other")
    return _ROOTS.get(name, f"other: {name}")


def _callback(stack: list[FrameType]) -> str:
    """Name what runs outside of any task: bytes that arrive, timers."""
    names = [one.f_code.co_filename for one in stack]
    for part, stage in (("/uvicorn/", "door"), ("/aiohttp/", "HTTP answers"), ("/redis/", "redis")):
        if any(part in name for name in names):
            return stage
    return "event loop"


def _name(frame: FrameType) -> str:
    code = frame.f_code
    file = code.co_filename.rpartition("site-packages/")[2].removeprefix(f"{Path.cwd()}/")
    return f"{file}:{code.co_qualname}"


def _threads_seconds() -> float:
    """CPU time of every thread but the main one."""
    seconds = 0.0
    for thread in Path("/proc/self/task").iterdir():
        if thread.name != str(os.getpid()):
            fields = (thread / "stat").read_text().rpartition(") ")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
    return seconds


if __name__ == "__main__":
    Sampler(Path(sys.argv[1])).install()
    # Not by the commands, each of which becomes another program, without the clock.
    sys.exit(work(["web" if sys.argv[2] == "serve" else sys.argv[2]]))

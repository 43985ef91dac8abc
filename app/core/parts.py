"""Parts that run: started in order, stopped together. The web process and the worker processes use the same."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

__all__ = ["Part", "running"]

_log = structlog.get_logger()

STOP_SECONDS = 23.0  # leaves two of the promised 25 s for closing connections


class Part(Protocol):
    """Something that works by itself between `start` and `stop`: a dispatcher, a worker, a scheduler."""

    async def start(self) -> None:
        """Begin; return as soon as it works."""

    async def stop(self) -> None:
        """Take up nothing new at once, finish what runs within a grace period, and return when nothing is left.

        Cancelled, it gives up what still runs. It may be called on a part that was never started.
        """


@asynccontextmanager
async def running(parts: Sequence[Part], *, stop_seconds: float = STOP_SECONDS) -> AsyncIterator[None]:
    """Start the parts in order and stop all of them together at the end, within `stop_seconds`.

    Raises an `ExceptionGroup` of what their stops raised, after every part was stopped.
    """
    started: list[Part] = []
    try:
        for part in parts:
            started.append(part)
            await part.start()
        yield
    finally:
        await _stop(started, stop_seconds)


async def _stop(parts: Sequence[Part], stop_seconds: float) -> None:
    stops = [asyncio.create_task(part.stop()) for part in parts]
    if not stops:
        return
    _, overdue = await asyncio.wait(stops, timeout=stop_seconds)
    for stop in overdue:
        stop.cancel()
    if overdue:
        _log.error("parts.stop_cut_short", parts=len(overdue), seconds=stop_seconds)
    answers = await asyncio.gather(*stops, return_exceptions=True)
    if errors := [answer for answer in answers if isinstance(answer, Exception)]:
        raise ExceptionGroup("parts that did not stop well", errors)

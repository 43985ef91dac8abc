"""The life of a worker process: signals in, parts running, an end within the time that was promised (P24)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from app.core.parts import Part
from app.core.signals import STOP_SECONDS, stop_on_signals

__all__ = ["Parts", "live"]

_log = structlog.get_logger()


class Parts(Protocol):
    """What `app.plugins.open_parts` gives, as far as worker processes run it."""

    @property
    def dispatchers(self) -> Sequence[Part]: ...

    @property
    def worker(self) -> Part: ...

    @property
    def scheduler(self) -> Part: ...


async def live(
    process: str,
    open_parts: Callable[[], AbstractAsyncContextManager[Parts]],
    run: Callable[[Parts, asyncio.Event], Awaitable[None]],
    *,
    stop_seconds: float = STOP_SECONDS,
) -> None:
    """Open the parts and run them until SIGTERM or SIGINT. A second signal ends the process at once.

    A process that has not ended `stop_seconds` after the first signal writes where every thread is to standard error
    and exits with status 1: leases bring its work to others.
    """
    with stop_on_signals(stop_seconds) as stop:
        async with open_parts() as parts:
            _log.info("process.started", process=process)
            await run(parts, stop)
            _log.info("process.stopping", process=process)
    _log.info("process.stopped", process=process)

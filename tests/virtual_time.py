"""An event loop whose clock jumps to the next timer when nothing else is left to do: hours pass in milliseconds.

For code that only waits for timers and for itself. Sockets, threads and child processes know nothing of this clock.
"""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

from tests.sealed import leftover_tasks

P = ParamSpec("P")


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run the asynchronous test in a loop of its own, and fail it when it leaves tasks behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def checked() -> None:
            await test(*args, **kwargs)
            assert await leftover_tasks() == []

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(checked())

    return run


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector_of_time = _SkippingSelector()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self._selector_of_time.skipped_seconds


class _SkippingSelector(selectors.SelectSelector):
    """Instead of waiting for a timer, adds the wait to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped_seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen: every task waits for another")
        if ready := super().select(0):
            return ready
        self.skipped_seconds += max(0.0, timeout)
        return []


async def elapsed(awaitable: Awaitable[object]) -> float:
    """Await it and return how many seconds that took by the loop's clock."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    await awaitable
    return loop.time() - started_at

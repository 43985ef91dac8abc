"""Dispatchers: the loops that carry the message path, from due rows in the database to handlers.

The database is the only ledger. A dispatcher claims due rows under a lease, runs their handler, keeps the lease alive
meanwhile, and sleeps until a wake-up or a second has passed; so a lost wake-up delays by a second and loses nothing.
Promises P6, P22, P24 and P25 of the reliability contract.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from operator import attrgetter
from typing import Generic, Literal, Protocol, Self, TypeVar

import msgspec
import structlog

from app.core.lease import LeasedWork, LeaseKeeper

__all__ = ["DispatchObserver", "Dispatcher", "Outcome", "Timing", "each"]

Item = TypeVar("Item")

Outcome = Literal["done", "failed", "lost", "cancelled"]

_log = structlog.get_logger()

_SHORTEST_BACK_OFF_SECONDS = 0.1
_LONGEST_BACK_OFF_SECONDS = 5.0


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long a dispatcher waits for what."""

    poll_seconds: float = 1.0  # between looks when nothing wakes it
    gather_seconds: float = 0.005  # between looks under load, so that one claim takes what came meanwhile
    beat_seconds: float = 10.0  # between renewals of the leases in flight
    confirm_within_seconds: float = 20.0  # without a confirmed renewal, work stops; the lease must be longer
    grace_seconds: float = 20.0  # for running handlers when the process stops


class DispatchObserver(Protocol):
    """Is told what dispatchers do, for metrics. The calls must be quick and never fail."""

    def claimed(self, dispatcher: str, items: int, seconds: float) -> None:
        """Take note of a claim that was answered with `items` rows, perhaps none."""

    def claim_failed(self, dispatcher: str) -> None:
        """Take note of a claim that raised: the database is away, or refuses."""

    def finished(self, dispatcher: str, outcome: Outcome, items: int, seconds: float) -> None:
        """Take note of a handler that is `done`, `failed`, has `lost` its lease or was `cancelled` by the stop."""


class Unobserved:
    """An observer that looks away."""

    def claimed(self, dispatcher: str, items: int, seconds: float) -> None: ...

    def claim_failed(self, dispatcher: str) -> None: ...

    def finished(self, dispatcher: str, outcome: Outcome, items: int, seconds: float) -> None: ...


def each(handle: Callable[[Item], Awaitable[None]]) -> Callable[[Sequence[Item]], Awaitable[None]]:
    """Make the `handle` of a `Dispatcher` whose `batch_size` is 1 out of a function of one item."""

    async def handle_only(items: Sequence[Item]) -> None:
        (item,) = items
        await handle(item)

    return handle_only


class Dispatcher(Generic[Item]):
    """Handles due items in batches of `batch_size`, up to `concurrency` batches at once, from `start` to `stop`.

    - `wake` (from `Wake.subscribe`) is set by whoever made rows due.
    - `claim(limit)` returns up to `limit` items that are leased to the caller from now on. It counts the claims of a
      row, so that poison ends as a dead letter.
    - `handle(items)` records its outcome under each item's fencing token. When it raises, the error is logged and
      counted, and the rows come back when their lease ends. `each` makes one out of a function of one item.
    - `extend(items)` renews the leases and returns the ids (`identify(item)`) of those still owned. A batch with an
      item that is no longer owned, or was not confirmed in time, is cancelled. Without `extend`, leases must outlast
      `handle`.
    """

    def __init__(
        self,
        name: str,
        *,
        wake: asyncio.Event,
        claim: Callable[[int], Awaitable[Sequence[Item]]],
        handle: Callable[[Sequence[Item]], Awaitable[None]],
        batch_size: int = 1,
        concurrency: int = 1,
        extend: Callable[[Sequence[Item]], Awaitable[Collection[Hashable]]] | None = None,
        identify: Callable[[Item], Hashable] = attrgetter("id"),
        timing: Timing | None = None,
        observer: DispatchObserver | None = None,
    ) -> None:
        self.name = name
        self._wake = wake
        self._claim = claim
        self._handle = handle
        self._batch_size = batch_size
        self._concurrency = concurrency
        self._extend = extend
        self._identify = identify
        self._timing = timing or Timing()
        self._observer: DispatchObserver = observer or Unobserved()
        self._running: set[LeasedWork[Item]] = set()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._back_off_seconds = 0.0
        self._more_is_due = False

    @property
    def in_flight(self) -> int:
        """How many items are being handled now."""
        return sum(len(work.items) for work in self._running)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to claim, in tasks that `stop` ends."""
        self._tasks = [asyncio.create_task(self._dispatch(), name=f"dispatch.{self.name}")]
        if self._extend is not None:
            keeper = LeaseKeeper(
                self.name,
                self._running,
                self._extend,
                self._identify,
                beat_seconds=self._timing.beat_seconds,
                confirm_within_seconds=self._timing.confirm_within_seconds,
            )
            self._tasks.append(asyncio.create_task(keeper.run(), name=f"lease.{self.name}"))

    async def stop(self) -> None:
        """Claim no more, let running handlers finish within the grace period, cancel the rest and wait for them.

        Returns at once when idle. Cancelling the stop cuts the grace period short.
        """
        self._stopping.set()
        self._wake.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.grace_seconds):
                    await self._drained()
        finally:
            await self._cancel_all()

    async def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()  # before looking: what is told while we look makes us look again
            looked_at = asyncio.get_running_loop().time()
            try:
                await self._look(looked_at)
            except Exception as error:  # noqa: BLE001 - outermost loop of its task: only the stop may end it
                await self._back_off(error)
            else:
                await self._woken(looked_at)

    async def _look(self, now: float) -> None:
        """Claim as much as there is room for and start it."""
        room = self._room()
        if not room:
            self._more_is_due = True  # as far as we know: whoever makes room must look
            return
        items = await self._claim(room)
        self._observer.claimed(self.name, len(items), asyncio.get_running_loop().time() - now)
        if self._back_off_seconds:
            self._back_off_seconds = 0.0
            _log.info("dispatch.claim_restored", dispatcher=self.name)
        for start in range(0, len(items), self._batch_size):
            self._start(items[start : start + self._batch_size], claimed_at=now)
        self._more_is_due = len(items) >= room
        if self._more_is_due and self._room():  # handlers ended while we claimed
            self._wake.set()

    async def _woken(self, looked_at: float) -> None:
        """Sleep until there may be something to do: told so, room again, or just in case."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.poll_seconds):
                await self._wake.wait()
        since = asyncio.get_running_loop().time() - looked_at
        if since < self._timing.gather_seconds and not self._stopping.is_set():
            await asyncio.sleep(self._timing.gather_seconds - since)

    async def _back_off(self, error: Exception) -> None:
        """Wait, longer each time, deaf to wake-ups but not to the stop."""
        self._observer.claim_failed(self.name)
        if not self._back_off_seconds:
            _log.warning("dispatch.claim_failed", dispatcher=self.name, exc_info=error)
        pause = min(_LONGEST_BACK_OFF_SECONDS, self._back_off_seconds * 2 or _SHORTEST_BACK_OFF_SECONDS)
        self._back_off_seconds = pause
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - spreads load only
                await self._stopping.wait()

    def _room(self) -> int:
        """How many items may be claimed now."""
        return (self._concurrency - len(self._running)) * self._batch_size

    def _start(self, items: Sequence[Item], claimed_at: float) -> None:
        work = LeasedWork(items, asyncio.create_task(self._run(items)), claimed_at)
        self._running.add(work)
        started_at = asyncio.get_running_loop().time()
        work.task.add_done_callback(lambda task: self._ended(work, task, started_at))

    async def _run(self, items: Sequence[Item]) -> Outcome:
        try:
            await self._handle(items)
        except Exception:  # noqa: BLE001 - whatever a handler raises concerns its own items only
            ids = [str(self._identify(item)) for item in items]
            _log.exception("dispatch.failed", dispatcher=self.name, items=ids)
            return "failed"
        return "done"

    def _ended(self, work: LeasedWork[Item], task: asyncio.Task[Outcome], started_at: float) -> None:
        self._running.discard(work)
        seconds = asyncio.get_running_loop().time() - started_at
        outcome: Outcome = task.result() if not task.cancelled() else "lost" if work.lost else "cancelled"
        self._observer.finished(self.name, outcome, len(work.items), seconds)
        if self._more_is_due:
            self._wake.set()

    async def _drained(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks[:1])  # a claim under way may still bring work, which is then ours to do
        while self._running:
            await asyncio.wait([work.task for work in self._running])

    async def _cancel_all(self) -> None:
        while left := [*self._tasks, *(work.task for work in self._running)]:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
            self._tasks = []

"""Keeping leases alive while their work runs, and stopping the work whose lease is no longer ours (promise P22)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Any, Generic, TypeVar

import structlog

__all__ = ["LeaseKeeper", "LeasedWork"]

Item = TypeVar("Item")

_log = structlog.get_logger()

_ASK_AGAIN_SECONDS = 1.0  # after an extension that failed, instead of a whole beat


class LeasedWork(Generic[Item]):
    """Items handled by one task. `confirmed_at` (loop time): when the last renewal that worked was asked for."""

    __slots__ = ("confirmed_at", "items", "lost", "task")

    def __init__(self, items: Sequence[Item], task: asyncio.Task[Any], confirmed_at: float) -> None:
        self.items = items
        self.task = task
        self.confirmed_at = confirmed_at
        self.lost = False

    def give_up(self) -> None:
        """Cancel the task because another owner may be at these items by now."""
        self.lost = True
        self.task.cancel()


class LeaseKeeper(Generic[Item]):
    """Every `beat_seconds`, renews the leases of all `work` in flight by `extend`, which returns the ids still owned.

    Work is given up when an item of it is no longer owned, or when no renewal was confirmed for
    `confirm_within_seconds`, whatever the database is doing: the lease must be longer than that.
    """

    def __init__(
        self,
        name: str,
        work: Collection[LeasedWork[Item]],
        extend: Callable[[Sequence[Item]], Awaitable[Collection[Hashable]]],
        identify: Callable[[Item], Hashable],
        *,
        beat_seconds: float,
        confirm_within_seconds: float,
    ) -> None:
        self._name = name
        self._work = work
        self._extend = extend
        self._identify = identify
        self._beat_seconds = beat_seconds
        self._confirm_within_seconds = confirm_within_seconds

    async def run(self) -> None:
        """Beat until cancelled."""
        pause = self._beat_seconds
        while True:
            await asyncio.sleep(min(pause, self._patience()))
            try:
                async with asyncio.timeout(self._patience()):
                    await self._beat()
                pause = self._beat_seconds
            except Exception as error:  # noqa: BLE001 - outermost loop of its task: a beat that fails is tried again
                _log.warning("lease.beat_failed", dispatcher=self._name, error=repr(error))
                pause = _ASK_AGAIN_SECONDS
            self._give_up_unconfirmed()

    async def _beat(self) -> None:
        # A handler that has just finished its row looks like one that lost it, so those are asked for a second time.
        suspects = await self._renew(self._held())
        lost = await self._renew([work for work in self._held() if work in suspects])
        for work in self._held():
            if work in lost:
                self._give_up(work, "another owner has it")

    def _held(self) -> list[LeasedWork[Item]]:
        return [work for work in self._work if not work.lost]

    async def _renew(self, asked: Sequence[LeasedWork[Item]]) -> set[LeasedWork[Item]]:
        """Renew, and return the work that is not ours any more."""
        if not asked:
            return set()
        asked_at = asyncio.get_running_loop().time()
        owned = await self._extend([item for work in asked for item in work.items])
        not_owned = set()
        for work in asked:
            if all(self._identify(item) in owned for item in work.items):
                work.confirmed_at = asked_at
            else:
                not_owned.add(work)
        return not_owned

    def _patience(self) -> float:
        """Seconds until the work that waits longest for a confirmation must be given up."""
        now = asyncio.get_running_loop().time()
        oldest = min((work.confirmed_at for work in self._held()), default=now)
        return max(0.0, oldest + self._confirm_within_seconds - now)

    def _give_up_unconfirmed(self) -> None:
        limit = asyncio.get_running_loop().time() - self._confirm_within_seconds
        for work in self._held():
            if work.confirmed_at <= limit:
                self._give_up(work, "no renewal was confirmed in time")

    def _give_up(self, work: LeasedWork[Item], reason: str) -> None:
        items = [str(self._identify(item)) for item in work.items]
        _log.warning("lease.lost", dispatcher=self._name, items=items, reason=reason)
        work.give_up()

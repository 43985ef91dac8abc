"""What the router remembers between calls and shares between processes: pauses, budgets, sticky conversations.

`MemoryState` is for one process. `RedisState` (redis_state.py) is for several.
"""

from collections import deque
from typing import Literal, Protocol

import msgspec

from app.ai.llm.clock import Clock
from app.ai.llm.limits import pacific_date, seconds_to_pacific_midnight

__all__ = ["BudgetLeft", "MemoryState", "Pause", "PauseReason", "RouteState", "Taken"]

WINDOW_SECONDS = 60.0
STICKY_SECONDS = 30 * 60.0
_MOST_STICKY = 20_000

PauseReason = Literal["cool_down", "breaker_open"]


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A route is left alone for `seconds` from now. `kind` is the error kind that led to it."""

    reason: PauseReason
    seconds: float
    kind: str = ""


class Taken(msgspec.Struct, frozen=True):
    """Whether a request may go out. If not: which budget is empty, and after how many seconds there is room."""

    ok: bool
    scope: Literal["", "minute_budget", "day_budget"] = ""
    wait_seconds: float = 0.0


class BudgetLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Requests used in the last minute and in the current (Pacific) day."""

    used_this_minute: int
    used_today: int


class RouteState(Protocol):
    """Duties: never raise into a call; a request is counted before it goes out; a budget is never exceeded.

    `take` counts one request if fewer than `requests_per_minute - reserve` went out in the last 60 s and fewer than
    `requests_per_day` today; None means no limit. It is an exact sliding window and not a refilling bucket: a bucket of
    15 with 15 a minute lets 29 through in one minute, which a provider that counts minutes answers with 429.
    """

    async def pauses(self) -> dict[str, Pause]:
        """Return the routes to leave alone now, by route id; may be up to a second old."""

    async def pause(self, route_id: str, pause: Pause) -> None:
        """Leave a route alone; the longer of two pauses holds."""

    async def resume(self, route_id: str) -> None: ...

    async def take(
        self, route_id: str, requests_per_minute: int | None, requests_per_day: int | None, reserve: int
    ) -> Taken: ...

    async def used(self, route_id: str) -> BudgetLeft: ...

    async def sticky_route(self, conversation_key: str) -> str | None:
        """Return the route that answered this conversation last, if that was not the first choice."""

    async def stick(self, conversation_key: str, route_id: str | None) -> None:
        """Remember the route for 30 minutes; None forgets."""


class _Until(msgspec.Struct, frozen=True):
    until: float
    pause: Pause


class MemoryState:
    """State of one process. Forgotten when it ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paused: dict[str, _Until] = {}
        self._sent: dict[str, deque[float]] = {}
        self._days: dict[str, tuple[str, int]] = {}
        self._sticky: dict[str, tuple[float, str]] = {}

    async def pauses(self) -> dict[str, Pause]:
        if not self._paused:
            return {}
        now = self._clock.monotonic()
        self._paused = {route_id: held for route_id, held in self._paused.items() if held.until > now}
        return {
            route_id: Pause(reason=held.pause.reason, seconds=held.until - now, kind=held.pause.kind)
            for route_id, held in self._paused.items()
        }

    async def pause(self, route_id: str, pause: Pause) -> None:
        until = self._clock.monotonic() + pause.seconds
        held = self._paused.get(route_id)
        if held is None or held.until < until:
            self._paused[route_id] = _Until(until, pause)

    async def resume(self, route_id: str) -> None:
        self._paused.pop(route_id, None)

    async def take(
        self, route_id: str, requests_per_minute: int | None, requests_per_day: int | None, reserve: int
    ) -> Taken:
        day = pacific_date(self._clock.now()) if requests_per_day is not None else ""
        if requests_per_day is not None and self._used_on(route_id, day) >= requests_per_day:
            return Taken(False, "day_budget", seconds_to_pacific_midnight(self._clock.now()))
        if requests_per_minute is not None:
            wait_seconds = self._wait_for_slot(route_id, max(1, requests_per_minute - reserve))
            if wait_seconds > 0:
                return Taken(False, "minute_budget", wait_seconds)
        self.note(route_id, requests_per_minute, day)
        return Taken(True)

    def note(self, route_id: str, requests_per_minute: int | None, day: str) -> None:
        """Count a request that goes out."""
        if requests_per_minute is not None:
            self._sent.setdefault(route_id, deque()).append(self._clock.monotonic())
        if day:
            self._days[route_id] = (day, self._used_on(route_id, day) + 1)

    async def used(self, route_id: str) -> BudgetLeft:
        today = pacific_date(self._clock.now())
        return BudgetLeft(used_this_minute=len(self._window(route_id)), used_today=self._used_on(route_id, today))

    async def sticky_route(self, conversation_key: str) -> str | None:
        if conversation_key not in self._sticky:
            return None
        until, route_id = self._sticky[conversation_key]
        return route_id if until > self._clock.monotonic() else None

    async def stick(self, conversation_key: str, route_id: str | None) -> None:
        self._sticky.pop(conversation_key, None)
        if route_id is not None:
            self._sticky[conversation_key] = (self._clock.monotonic() + STICKY_SECONDS, route_id)
        while len(self._sticky) > _MOST_STICKY:
            del self._sticky[next(iter(self._sticky))]

    def _window(self, route_id: str) -> deque[float]:
        sent = self._sent.setdefault(route_id, deque())
        start = self._clock.monotonic() - WINDOW_SECONDS
        while sent and sent[0] <= start:
            sent.popleft()
        return sent

    def _wait_for_slot(self, route_id: str, allowed: int) -> float:
        sent = self._window(route_id)
        return 0.0 if len(sent) < allowed else sent[-allowed] + WINDOW_SECONDS - self._clock.monotonic()

    def _used_on(self, route_id: str, day: str) -> int:
        counted_day, count = self._days.get(route_id, (day, 0))
        return count if counted_day == day else 0

"""What this process knows of a route: its breaker, calls under way, what it learned, what went wrong last."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from app.ai.llm.breaker import Breaker, BreakerState
from app.ai.llm.clock import Clock
from app.ai.llm.errors import COUNTS_FOR_BREAKER, ErrorKind, Failure, Limits
from app.ai.llm.limits import seconds_to_pacific_midnight
from app.ai.llm.provider import Route
from app.ai.llm.state import Pause, PauseReason

__all__ = ["RouteHealth", "RouteStatus", "cool_down_of"]

_RATE_SECONDS = 15.0
_LONGEST_RATE_SECONDS = 3600.0
_QUOTA_SECONDS = 3600.0
_MISCONFIGURED_SECONDS = 600.0
_LONGEST_OVERLOAD_SECONDS = 300.0
_MOST_LEARNED = 8


class RouteStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A route as the operator sees it. Limits are those in force: learned ones win over configured ones."""

    route_id: str
    provider: str
    model: str
    is_enabled: bool
    is_local: bool
    breaker: BreakerState
    paused: PauseReason | None
    paused_seconds: float
    paused_kind: str
    requests_per_minute: int | None
    requests_per_day: int | None
    used_this_minute: int
    used_today: int
    in_flight: int
    dropped_parameters: tuple[str, ...]
    last_error_kind: ErrorKind | None
    last_error_message: str
    last_error_at: datetime | None
    last_answer_at: datetime | None
    last_answer_milliseconds: int | None


class RouteHealth:
    def __init__(self, concurrency: int, clock: Clock, jitter: Callable[[], float]) -> None:
        self.breaker = Breaker(clock.monotonic, jitter)
        self.slots = asyncio.Semaphore(concurrency)
        self.in_flight = 0
        self.dropped: frozenset[str] = frozenset()
        self.last_error: Failure | None = None
        self.last_error_at: datetime | None = None
        self.last_answer_at: datetime | None = None
        self.last_answer_milliseconds: int | None = None
        self._clock = clock
        self._learned = Limits()

    def requests_per_minute(self, route: Route) -> int | None:
        return self._learned.requests_per_minute or route.requests_per_minute

    def requests_per_day(self, route: Route) -> int | None:
        return self._learned.requests_per_day or route.requests_per_day

    def learn_limits(self, said: Limits) -> None:
        """Believe the provider's own words over the configuration."""
        if said.requests_per_minute is None and said.requests_per_day is None:
            return
        self._learned = Limits(
            requests_per_minute=said.requests_per_minute or self._learned.requests_per_minute,
            requests_per_day=said.requests_per_day or self._learned.requests_per_day,
        )

    def drops(self, parameter: str | None, left_out: frozenset[str]) -> bool:
        """Leave a refused parameter out from now on; False if asking again would not help.

        `left_out` is what the refused call had left out: another call may have learned the same in the meantime.
        """
        if parameter is None or parameter in left_out or len(self.dropped) >= _MOST_LEARNED:
            return False
        self.dropped |= {parameter}
        return True

    def note_answer(self, milliseconds: int) -> None:
        self.last_answer_at = self._clock.now()
        self.last_answer_milliseconds = milliseconds
        self.breaker.succeeded()

    def note_failure(self, failure: Failure) -> Pause | None:
        """Remember a failure; returns the pause that the breaker asks for if it opened now."""
        self.last_error = failure
        self.last_error_at = self._clock.now()
        if failure.kind not in COUNTS_FOR_BREAKER:
            self.breaker.succeeded()
            return None
        opened_seconds = self.breaker.failed()
        if opened_seconds is None:
            return None
        return Pause(reason="breaker_open", seconds=opened_seconds, kind=failure.kind)


def cool_down_of(failure: Failure, now: datetime) -> Pause | None:
    """Return how long to leave a route alone after this failure, whatever the breaker says; None if not at all.

    A short Retry-After means nothing when a day's allowance is used up, so `quota` does not look at it.
    """
    said = failure.retry_after_seconds
    match failure.kind:
        case "rate":
            seconds = min(_RATE_SECONDS if said is None else said, _LONGEST_RATE_SECONDS)
        case "quota":
            seconds = seconds_to_pacific_midnight(now) if failure.resets_at_midnight else _QUOTA_SECONDS
        case "auth" | "not_found":
            seconds = _MISCONFIGURED_SECONDS
        case "overload" if said is not None:
            seconds = min(said, _LONGEST_OVERLOAD_SECONDS)
        case _:
            return None
    return Pause(reason="cool_down", seconds=seconds, kind=failure.kind) if seconds > 0 else None

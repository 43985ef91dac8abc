"""How often somebody may knock: a sliding window for each key, shared through Redis or kept in this process.

A window holds the times of the requests it let pass, so that no stretch of its length ever holds more than the limit.
What was refused is not counted: whoever waits `retry_after_seconds` gets in.
"""

import asyncio
import hashlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

__all__ = ["Limit", "LocalRateLimiter", "RateLimiter", "RedisRateLimiter", "Taken", "TokenBuckets"]

log = structlog.get_logger()

_MICRO: Final = 1_000_000
_MOST_KEYS: Final = 20_000
_ANSWER_SECONDS: Final = 0.3
_ASK_AGAIN_SECONDS: Final = 1.0

# KEYS: the window, newest first, in microseconds of the server's clock. ARGV: most requests, length in microseconds.
# Answers: whether it passed, how many are in the window now, microseconds until the oldest of them leaves it.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local most, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and tonumber(oldest) <= now - length do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local count = redis.call('LLEN', KEYS[1])
if count >= most then return {0, count, string.format('%d', tonumber(oldest) + length - now)} end
redis.call('LPUSH', KEYS[1], string.format('%d', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000) + 1000)
return {1, count + 1, string.format('%d', (tonumber(oldest) or now) + length - now)}
"""


class Limit(msgspec.Struct, frozen=True):
    """At most `requests` within any `window_seconds`."""

    requests: int
    window_seconds: float


class Taken(msgspec.Struct, frozen=True):
    """What became of one request. `reset_seconds`: until the oldest request of the window leaves it."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds, at least one, after which the next request may pass."""
        return max(1, math.ceil(self.reset_seconds))


class RateLimiter(Protocol):
    """Counts requests by key. It always answers: when what it shares is away it counts alone, and never lets all in.

    `key` names whose request it is, such as `login:203.0.113.7`; it is never logged and never stored as it is.
    """

    async def take(self, key: str, limit: Limit) -> Taken: ...


class LocalRateLimiter:
    """Counts in this process, for the 20,000 keys seen last. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_keys: int = _MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()

    async def take(self, key: str, limit: Limit) -> Taken:
        return self.take_now(key, limit)

    def take_now(self, key: str, limit: Limit) -> Taken:
        now = self._clock()
        window = self._windows.setdefault(key, deque())
        self._windows.move_to_end(key)
        while window and window[0] <= now - limit.window_seconds:
            window.popleft()
        allowed = len(window) < limit.requests
        if allowed:
            window.append(now)
        if len(self._windows) > self._most_keys:
            self._windows.popitem(last=False)
        reset_seconds = (window[0] if window else now) + limit.window_seconds - now
        return Taken(allowed, limit.requests, max(0, limit.requests - len(window)), reset_seconds)

    def give_back(self, key: str) -> None:
        """Forget the latest request of `key`: it did not pass after all."""
        if window := self._windows.get(key):
            window.pop()


class RedisRateLimiter:
    """Counts in Redis, one atomic script a request, for all processes together; `prefix` separates installations.

    This process counts along: what it would refuse alone it refuses without asking, and when Redis does not answer
    within 0.3 seconds it goes on alone with what it has counted, and asks again after a second, one request at a time.
    """

    def __init__(
        self, redis: Redis, *, prefix: str = "mostrador:rate", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._script = redis.register_script(_TAKE)
        self._prefix = prefix
        self._clock = clock
        self._local = LocalRateLimiter(clock)
        self._ask_again_at = -math.inf
        self._away = False

    async def take(self, key: str, limit: Limit) -> Taken:
        alone = self._local.take_now(key, limit)
        if not alone.allowed:
            return alone
        shared = await self._ask(key, limit)
        if shared is None:
            return alone
        if not shared.allowed:
            self._local.give_back(key)
        return shared

    async def _ask(self, key: str, limit: Limit) -> Taken | None:
        """Run the script; None while Redis is away."""
        now = self._clock()
        if self._away:
            if now < self._ask_again_at:
                return None
            self._ask_again_at = now + _ASK_AGAIN_SECONDS  # others go on alone while this one asks
        arguments = [limit.requests, int(limit.window_seconds * _MICRO)]
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                allowed, count, reset = await self._script(keys=[self._name(key)], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._gone(error)
            return None
        if self._away:
            self._away = False
            log.info("rate_limit.redis_back")
        return Taken(bool(allowed), limit.requests, max(0, limit.requests - int(count)), int(reset) / _MICRO)

    def _gone(self, error: Exception) -> None:
        if not self._away:
            log.warning("rate_limit.redis_unavailable", error=type(error).__name__)
        self._away = True
        self._ask_again_at = self._clock() + _ASK_AGAIN_SECONDS

    def _name(self, key: str) -> str:
        """Name the window; neither addresses nor people can be read from it."""
        return f"{self._prefix}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


class TokenBuckets:
    """A generous bucket for each key, in this process and without I/O: two numbers, whatever the rate.

    `per_second` flows in, up to `burst`; the thousand keys seen last are kept.
    """

    def __init__(
        self, *, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic, most_keys: int = 1000
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._most_keys = most_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one token: 0 when there was one, else the seconds until there will be."""
        now = self._clock()
        tokens, at = self._buckets.get(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        taken = tokens >= 1
        self._buckets[key] = (tokens - 1 if taken else tokens, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most_keys:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / self._per_second
